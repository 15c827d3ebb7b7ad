"""importlib, pkgutil and inspect: modules by name, and what objects say of themselves."""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.models.system.specifications import specification
from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.paths import relative_to_root
from taskgates.inference.recording import matches_text
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import (
    BOOL,
    NONE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    TupleV,
    Unknown,
    join,
    options,
    path_text,
    text_of,
)
from taskgates.tree.modules import iter_submodules

if TYPE_CHECKING:
    from taskgates.inference.text import Text


@function("importlib.import_module")
def import_module(machine: Machine, args: Arguments) -> AnyValue:
    """`import_module(name, package)`."""
    name, package = args.get(0, "name") or UNKNOWN, args.get(1, "package")
    found: list[AnyValue] = []
    for option in options(name):
        text = text_of(option)
        if isinstance(text, str):
            bound: dict[str, AnyValue] = {"package": package} if package is not None else {}
            module = machine.execute_module(text, bound)
            if module is not None:
                found.append(module)
        else:
            found.extend(_matching_modules(machine, text))
    return join(found) if found else Unknown("a module of unknown name")


def _matching_modules(machine: Machine, name: Any) -> list[AnyValue]:
    """Import every module of the tree that a partly known name may stand for."""
    if name is None or not name.prefix or "." not in name.prefix:
        machine.opaque("import of a module whose name is not known")
        return [Unknown("a module of unknown name")]
    package = name.prefix.rpartition(".")[0]
    found = machine.locate_module(package)
    if found is None:
        machine.opaque("import of a module whose name is not known")
        return [Unknown("a module of unknown name")]
    out: list[AnyValue] = []
    for child in iter_submodules(found, machine.tree):
        full = f"{package}.{child}"
        if matches_text(name, full):
            machine.undecided += 1
            try:
                out.append(machine.import_module(full))
            finally:
                machine.undecided -= 1
    return out


@function("importlib.reload")
def reload_module(machine: Machine, args: Arguments) -> AnyValue:
    """`reload(module)`."""
    del machine
    return args.pos[0] if args.pos else UNKNOWN


@function("importlib.util.spec_from_file_location")
def spec_from_file(machine: Machine, args: Arguments) -> AnyValue:
    """A module specification for a file of the tree."""
    del machine
    out = Instance(Ext("importlib.machinery.ModuleSpec"))
    out.slots["name"] = args.get(0, "name") or UNKNOWN
    out.slots["origin"] = args.get(1, "location") or UNKNOWN
    out.slots["loader"] = out
    return out


@function("importlib.util.spec_from_loader")
def spec_from_loader(machine: Machine, args: Arguments) -> AnyValue | None:
    """`spec_from_loader(name, loader)`: where the loader has a file, that is the module's."""
    loader = args.get(1, "loader")
    if not isinstance(loader, Instance) or "path" not in loader.slots:
        return None
    return spec_from_file(machine, Arguments([args.get(0, "name") or UNKNOWN, loader.slots["path"]]))


@function("importlib.machinery.SourceFileLoader", "importlib.machinery.SourcelessFileLoader")
def source_loader(machine: Machine, args: Arguments) -> AnyValue:
    """`SourceFileLoader(name, path)`: loads a module from a file of any name."""
    path = args.get(1, "path") or UNKNOWN
    out = spec_from_file(machine, Arguments([args.get(0, "fullname") or UNKNOWN, path]))
    assert isinstance(out, Instance)
    out.slots["path"] = path
    return out


@function("importlib.util.module_from_spec")
def module_from_spec(machine: Machine, args: Arguments) -> AnyValue:
    """A module that `exec_module` fills."""
    spec = args.pos[0] if args.pos else UNKNOWN
    if isinstance(spec, Instance) and "origin" in spec.slots:
        text = path_text(spec.slots["origin"])
        place = machine.in_tree(text) if text is not None else None
        name = text_of(spec.slots["name"])
        if place is not None and machine.tree.kind(place) == "file":
            module = ModuleV(str(name), place, "")
            spec.slots["module"] = module
            return module
        if text is not None and not isinstance(text, str):
            return _modules_of_pattern(machine, text, spec)
        if place is None and isinstance(name, str) and machine.locate_module(name) is not None:
            # A fresh copy of an installed module: what it does is told by its name.
            return Ext(name)
    machine.opaque("a module is loaded from a file that is not known")
    return UNKNOWN


def _modules_of_pattern(machine: Machine, text: Text, spec: Instance) -> AnyValue:
    """The modules behind a partly known file name: every file of the tree that matches."""
    pattern = relative_to_root(machine.absolute(text), machine.root)
    found: list[AnyValue] = [
        ModuleV(path.rpartition("/")[2].removesuffix(".py"), path, "")
        for path in machine.tree.walk()
        if path.endswith(".py") and matches_text(pattern, path)
    ]
    if not found or len(found) > 32:
        machine.opaque("a module is loaded from a file that is not known")
        return UNKNOWN
    spec.slots["module"] = join(found)
    return spec.slots["module"]  # type: ignore[no-any-return]


@method("importlib.machinery.ModuleSpec.exec_module", "importlib.machinery.ModuleSpec.load_module")
def exec_module(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`spec.loader.exec_module(module)`."""
    module = args.pos[0] if args.pos and not isinstance(args.pos[0], Known) else obj.slots.get("module")
    if module is None:
        module = module_from_spec(machine, Arguments([obj]))
    for option in options(module):
        if isinstance(option, ModuleV) and not option.done:
            machine.run_module(option, option.name)
    return module


@function("importlib.util.find_spec")
def find_spec(machine: Machine, args: Arguments) -> AnyValue:
    """`find_spec(name)`: None where there is no such module."""
    name = text_of(args.pos[0]) if args.pos else None
    if isinstance(name, str):
        found = machine.locate_module(name)
        if found is None and not machine.effects.knows_module(name):
            return NONE
        if found is not None:
            return specification(machine, found)
        out = Instance(Ext("importlib.machinery.ModuleSpec"))
        out.slots["name"] = Known(name)
        return out
    return join([NONE, Instance(Ext("importlib.machinery.ModuleSpec"))])


def _modules_in(machine: Machine, folder: str) -> list[tuple[str, bool]]:
    """The modules in a folder of the tree or of the environment, by name, and whether each is a package."""
    place = machine.in_tree(folder)
    outside = machine.installed(machine.absolute(folder)) if place is None else None
    entries: list[str] = []
    if outside is not None:
        with suppress(OSError):
            entries = sorted(entry.name for entry in outside.iterdir())
        packages = {name for name in entries if (outside / name / "__init__.py").is_file()}
    else:
        entries = list(machine.tree.list(place) or ()) if place is not None else []
        packages = {name for name in entries if machine.tree.kind(f"{place}/{name}/__init__.py") == "file"}
    modules = {name[:-3] for name in entries if name.endswith(".py") and name != "__init__.py"}
    return sorted({name: name in packages for name in modules | packages}.items())


def _module_infos(machine: Machine, folders: list[str], prefix: str, *, deep: bool) -> list[AnyValue]:
    found: list[AnyValue] = []
    for folder in folders:
        for name, is_package in _modules_in(machine, folder):
            info = Instance(Ext("pkgutil.ModuleInfo"))
            info.slots.update({"name": Known(prefix + name), "ispkg": Known(is_package), "module_finder": UNKNOWN})
            found.append(info)
            if deep and is_package:
                found += _module_infos(machine, [f"{folder}/{name}"], f"{prefix}{name}.", deep=True)
    return found


def _search(machine: Machine, args: Arguments, *, deep: bool) -> AnyValue:
    path, prefix = args.get(0, "path"), text_of(args.get(1, "prefix") or Known(""))
    content = machine.iterate(path) if path is not None and path != NONE else TupleV(())
    texts = [path_text(item) for item in content.items]
    folders = [text for text in texts if isinstance(text, str)]
    return ListObj("iterator", _module_infos(machine, folders, prefix if isinstance(prefix, str) else "", deep=deep))


@function("pkgutil.iter_modules")
def iter_modules(machine: Machine, args: Arguments) -> AnyValue:
    """`iter_modules(path, prefix)`."""
    return _search(machine, args, deep=False)


@function("pkgutil.walk_packages")
def walk_packages(machine: Machine, args: Arguments) -> AnyValue:
    """`walk_packages(path, prefix)`: the modules of packages below as well."""
    return _search(machine, args, deep=True)


@method("pkgutil.ModuleInfo.__iter__")
def module_info_iter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Unpacking a module info."""
    del machine, args
    return TupleV([obj.slots["module_finder"], obj.slots["name"], obj.slots["ispkg"]])


@function("inspect.getmembers")
def getmembers(machine: Machine, args: Arguments) -> AnyValue:
    """`inspect.getmembers(obj, predicate)`."""
    obj = args.pos[0] if args.pos else UNKNOWN
    predicate = args.get(1, "predicate")
    holder = obj if isinstance(obj, ModuleV | ClassV) else (obj.cls if isinstance(obj, Instance) else None)
    if not isinstance(holder, ModuleV | ClassV):
        return ListObj("list", (), TupleV([text_hole(), UNKNOWN]))
    found = []
    holders: list[ClassV | ModuleV | Instance] = [holder]
    if isinstance(holder, ClassV):
        holders = [base for base in holder.mro if isinstance(base, ClassV)]
    if isinstance(obj, Instance):
        holders.append(obj)
    for name in sorted({key for each in holders for key in each.slots if isinstance(key, str)}):
        value = machine.get_attr(obj, name)
        if predicate is not None and predicate != NONE:
            decided = machine.truth(machine.call(predicate, Arguments([value])))
            if decided is False:
                continue
        found.append(TupleV([Known(name), value]))
    return ListObj("list", found)


def _inspect_test(name: str, kinds: tuple[type, ...]) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        del machine
        value = args.pos[0] if args.pos else UNKNOWN
        answers = {None if isinstance(each, Unknown) else isinstance(each, kinds) for each in options(value)}
        found = answers.pop() if len(answers) == 1 else None
        return BOOL if found is None else Known(found)

    registry.FUNCTIONS[f"inspect.{name}"] = model


_inspect_test("isclass", (ClassV,))

_inspect_test("isfunction", (FunctionV,))

_inspect_test("ismodule", (ModuleV,))

_inspect_test("ismethod", (BoundMethod,))


@function("inspect.cleandoc")
def cleandoc(machine: Machine, args: Arguments) -> AnyValue:
    """`inspect.cleandoc(doc)`: a docstring without its indentation."""
    del machine
    doc = args.get(0, "doc", UNKNOWN)
    return Known(inspect.cleandoc(doc.value)) if isinstance(doc, Known) and isinstance(doc.value, str) else text_hole()


@function("inspect.getdoc")
def getdoc(machine: Machine, args: Arguments) -> AnyValue:
    """`inspect.getdoc(object)`."""
    subject = args.get(0, "object", UNKNOWN)
    known = isinstance(subject, FunctionV | BoundMethod | ClassV | ModuleV)
    return cleandoc(machine, Arguments([machine.get_attr(subject, "__doc__")])) if known else text_hole()


@function("inspect.signature")
def signature(machine: Machine, args: Arguments) -> AnyValue:
    """`inspect.signature(function)`: its parameters by name."""
    func = args.pos[0] if args.pos else UNKNOWN
    skip = 0
    while isinstance(func, BoundMethod):
        func = func.func
        skip = 1
    if isinstance(func, ClassV):
        func = func.slots.get("__init__", UNKNOWN)
        skip = 1
    if not isinstance(func, FunctionV):
        return Instance(Ext("inspect.Signature"))
    parameters = DictObj()
    for param in func.node.params[skip:]:
        item = Instance(Ext("inspect.Parameter"))
        item.slots["name"] = Known(param.name)
        item.slots["default"] = func.defaults.get(param.name, Ext("inspect.Parameter.empty"))
        item.slots["annotation"] = (
            machine.eval(param.annotation, func.frame)
            if param.annotation is not None
            else Ext("inspect.Parameter.empty")
        )
        item.slots["kind"] = Ext(f"inspect.Parameter.{_PARAMETER_KINDS[param.kind]}")
        for name in ("empty", *_PARAMETER_KINDS.values()):
            # They are attributes of the class.
            item.slots[name] = Ext(f"inspect.Parameter.{name}")
        parameters.slots[Known(param.name)] = item
    out = Instance(Ext("inspect.Signature"))
    out.slots["parameters"] = parameters
    out.slots["empty"] = Ext("inspect.Parameter.empty")
    return out


for _name in ("inspect._empty", "inspect.Signature.empty"):
    registry.CONSTANTS[_name] = registry.fixed(Ext("inspect.Parameter.empty"))

_PARAMETER_KINDS = {
    "positional": "POSITIONAL_ONLY",
    "normal": "POSITIONAL_OR_KEYWORD",
    "args": "VAR_POSITIONAL",
    "keyword": "KEYWORD_ONLY",
    "kwargs": "VAR_KEYWORD",
}


@function("inspect.isabstract")
def isabstract(machine: Machine, args: Arguments) -> AnyValue:
    """`inspect.isabstract(cls)`."""
    del machine, args
    return BOOL
