"""os, sys, contextlib, importlib and other parts of the running system."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from taskgates.inference.core import matches_text
from taskgates.inference.exceptions import catches
from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, MethodT, constant, function, method
from taskgates.inference.models.specifications import specification
from taskgates.inference.models.strings import pure_call, to_text
from taskgates.inference.operators import NotKnown, from_python, to_python
from taskgates.inference.paths import relative_to_root
from taskgates.inference.text import Hole, Text, make_text, parts_of
from taskgates.inference.values import (
    BOOL,
    BYTES,
    FALSE,
    INT,
    NONE,
    UNKNOWN,
    AnyValue,
    Arguments,
    Awaitable,
    BoundMethod,
    ClassV,
    DictObj,
    Ext,
    FunctionV,
    Instance,
    Known,
    ListObj,
    ModuleV,
    Native,
    Partial,
    PathV,
    TupleV,
    Unknown,
    as_value,
    join,
    options,
    path_text,
    text_hole,
    text_of,
    widen_texts,
)
from taskgates.model.access import Operation, SharedKind
from taskgates.tree.modules import iter_submodules

if TYPE_CHECKING:
    from collections.abc import Callable

# The environment


def environment_item(machine: Machine, name: AnyValue, default: AnyValue | None) -> AnyValue:
    """One environment variable; unset ones give the default, or a hole where the lookup would fail."""
    text = text_of(name)
    if not isinstance(text, str):
        return join([text_hole("environment", slash=True), default])
    value: AnyValue = machine.env_value(text)
    if isinstance(value, Known) and value.value is None:
        if default is not None:
            return default
        machine.may_raise("KeyError")
        return Text((Hole("environment", True, text),))
    return Text((Hole("environment", True, text),)) if isinstance(value, Unknown) else value


registry.ITEMS["os.environ"] = lambda machine, index: environment_item(machine, index, None)
registry.ITEMS["os.environb"] = registry.ITEMS["os.environ"]


@function("os.environ.get", "os.getenv")
def getenv(machine: Machine, args: Arguments) -> AnyValue:
    """`os.environ.get(name, default)`."""
    return environment_item(machine, args.get(0, "key") or UNKNOWN, args.get(1, "default", NONE))


@function("os.environ.setdefault")
def environ_setdefault(machine: Machine, args: Arguments) -> AnyValue:
    """`os.environ.setdefault(name, value)`."""
    name, value = args.get(0, "key") or UNKNOWN, args.get(1, "value") or UNKNOWN
    found = environment_item(machine, name, value)
    set_environment(machine, name, found)
    return found


@function("os.environ.pop")
def environ_pop(machine: Machine, args: Arguments) -> AnyValue:
    """`os.environ.pop(name, default)`."""
    found = environment_item(machine, args.get(0, "key") or UNKNOWN, args.get(1, "default"))
    name = text_of(args.get(0, "key") or UNKNOWN)
    if isinstance(name, str):
        machine.set_environ[name] = NONE
    machine.shared("environment", SharedKind.PROCESS, "write", call="os.environ.pop")
    return found


@function("os.environ.copy", "os.environ.items", "os.environ.keys")
def environ_copy(machine: Machine, args: Arguments) -> AnyValue:
    """The environment as a dict."""
    del args
    out = DictObj("dict", None, Text((Hole("environment", True),)))
    for name, value in machine.environ.items():
        out.slots[Known(name)] = Known(value)
    for name, value in machine.set_environ.items():
        out.slots[Known(name)] = value
    return out


registry.FUNCTIONS["os.environ.items"] = lambda machine, args: registry.METHODS["builtins.dict.items"](
    machine, environ_copy(machine, args), args
)
registry.ITERATIONS["os.environ"] = lambda _: TupleV((), text_hole("environment"))


@function("os.environ.update")
def environ_update(machine: Machine, args: Arguments) -> AnyValue:
    """`os.environ.update(...)`."""
    for value in args.pos:
        if isinstance(value, DictObj):
            for key, item in value.known():
                set_environment(machine, key, item)
    for name, item in args.kw.items():
        set_environment(machine, Known(name), item)
    return NONE


def set_environment(machine: Machine, name: AnyValue, value: AnyValue) -> None:
    """The program sets an environment variable."""
    machine.shared("environment", SharedKind.PROCESS, "write", call="os.environ[...]")
    text = text_of(name)
    if isinstance(text, str):
        known = machine.set_environ.get(text)
        machine.set_environ[text] = join([known, value]) if known is not None and machine.conditional else value


def _set_item(machine: Machine, obj: Any, args: Arguments) -> Any:
    del obj
    set_environment(machine, args.pos[0], args.pos[1])
    return NONE


registry.METHODS["os.environ.__setitem__"] = _set_item
registry.FUNCTIONS["os.putenv"] = lambda machine, args: _set_item(machine, None, args)


@constant("os.environ")
def environ(machine: Machine) -> AnyValue:
    """`os.environ`."""
    del machine
    return Ext("os.environ")


# Working directory and process


@function("os.getcwd", "os.getcwdb")
def getcwd(machine: Machine, args: Arguments) -> AnyValue:
    """`os.getcwd()`."""
    del args
    return as_value(machine.cwd)


@function("os.chdir")
def chdir(machine: Machine, args: Arguments) -> AnyValue:
    """`os.chdir(path)`."""
    texts = [path_text(option) for option in options(args.pos[0])] if args.pos else [None]
    found = [machine.absolute(text) if text is not None else Text((Hole("unknown", True),)) for text in texts]
    machine.cwd = found[0] if len(set(found)) == 1 else widen_texts(found)
    machine.shared("working-directory", SharedKind.PROCESS, "write", call="os.chdir")
    return NONE


@method("contextlib.chdir.__enter__")
def chdir_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with contextlib.chdir(path)`."""
    del args
    stack = obj.slots.setdefault(("saved",), [])
    stack.append(machine.cwd)
    chdir(machine, Arguments([obj.slots["path"]]))
    return NONE


@method("contextlib.chdir.__exit__")
def chdir_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Back to the folder before."""
    del args
    stack = obj.slots.get(("saved",))
    if stack:
        machine.cwd = stack.pop()
    return FALSE


@function("contextlib.chdir")
def make_chdir(machine: Machine, args: Arguments) -> AnyValue:
    """`contextlib.chdir(path)`."""
    del machine
    out = Instance(Ext("contextlib.chdir"))
    out.slots["path"] = args.get(0, "path") or UNKNOWN
    return out


@function("sys.exit", "os._exit", "builtins.exit", "builtins.quit", "os.abort")
def sys_exit(machine: Machine, args: Arguments) -> AnyValue:
    """The program ends here."""
    del args
    raise machine.throw("SystemExit")


for _name, _value in (
    ("os.sep", "/"),
    ("os.path.sep", "/"),
    ("os.linesep", "\n"),
    ("os.pathsep", ":"),
    ("os.curdir", "."),
    ("os.pardir", ".."),
    ("os.extsep", "."),
    ("os.path.extsep", "."),
    ("os.path.curdir", "."),
    ("os.path.pardir", ".."),
    ("os.path.pathsep", ":"),
    ("os.name", "posix"),
    ("os.devnull", "/dev/null"),
    ("os.path.devnull", "/dev/null"),
    ("os.altsep", None),
    ("sys.platform", "linux"),
    ("sys.byteorder", "little"),
    ("string.ascii_letters", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("string.ascii_lowercase", "abcdefghijklmnopqrstuvwxyz"),
    ("string.ascii_uppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("string.digits", "0123456789"),
    ("string.punctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    ("string.whitespace", " \t\n\r\x0b\x0c"),
    ("string.hexdigits", "0123456789abcdefABCDEF"),
    ("os.O_RDONLY", 0),
    ("os.O_WRONLY", 1),
    ("os.O_RDWR", 2),
    ("os.O_CREAT", 0o100),
    ("os.O_EXCL", 0o200),
    ("os.O_TRUNC", 0o1000),
    ("os.O_APPEND", 0o2000),
    ("os.O_NONBLOCK", 0o4000),
    ("os.O_DIRECTORY", 0o200000),
    ("os.O_CLOEXEC", 0o2000000),
    ("os.O_BINARY", 0),
    ("os.F_OK", 0),
    ("os.R_OK", 4),
    ("os.W_OK", 2),
    ("os.X_OK", 1),
    ("os.SEEK_SET", 0),
    ("os.SEEK_CUR", 1),
    ("os.SEEK_END", 2),
):
    registry.CONSTANTS[_name] = registry.fixed(Known(_value))


@constant("sys.argv")
def argv(machine: Machine) -> AnyValue:
    """`sys.argv`."""
    return machine.argv  # type: ignore[no-any-return]


@constant("sys.path")
def sys_path(machine: Machine) -> AnyValue:
    """`sys.path`: the folders below the root that modules are searched in."""
    return machine.search  # type: ignore[no-any-return]


registry.SETTERS["sys.argv"] = lambda machine, value: setattr(machine, "argv", value)
registry.SETTERS["sys.path"] = lambda machine, value: machine.search.slots.update(
    ListObj("list", machine.iterate(value).items).slots
)


@constant("sys.modules")
def sys_modules(machine: Machine) -> AnyValue:
    """`sys.modules`."""
    return DictObj("dict", {Known(name): module for name, module in machine.modules.items()}, Ext("sys.modules"))


@constant("sys.version_info")
def version_info(machine: Machine) -> AnyValue:
    """The version of the environment's Python."""
    version = machine.python_version
    return TupleV([Known(version[0]), Known(version[1]), Known(0), Known("final"), Known(0)])


@constant("sys.executable")
def executable(machine: Machine) -> AnyValue:
    """`sys.executable`, as a command that is recognised."""
    del machine
    return Known("python")


@constant("sys.flags")
def flags(machine: Machine) -> AnyValue:
    """`sys.flags`: nothing special."""
    del machine
    return Unknown("interpreter flags", "data")


for _stream in ("stdin", "stdout", "stderr", "__stdout__", "__stderr__", "__stdin__"):

    def _standard(machine: Machine, name: str = _stream) -> AnyValue:
        del machine
        out = Instance(Ext("io.TextIOWrapper"))
        out.slots["name"] = Unknown("a standard stream", "stream")
        out.slots["buffer"] = out
        out.slots["stream"] = Known(name)
        return out

    registry.CONSTANTS[f"sys.{_stream}"] = _standard
    registry.SETTERS[f"sys.{_stream}"] = lambda _, __: None


@function("os.cpu_count", "os.getpid", "os.getppid", "os.getuid", "multiprocessing.cpu_count")
def number(machine: Machine, args: Arguments) -> AnyValue:
    """A number of the running system."""
    del machine, args
    return INT


# contextlib


@function("contextlib.contextmanager", "contextlib.asynccontextmanager")
def contextmanager(machine: Machine, args: Arguments) -> AnyValue:
    """`@contextmanager`: calling the function makes a manager that runs it around the body."""
    del machine
    func = args.pos[0] if args.pos else UNKNOWN

    def make(inner: Machine, given: Arguments) -> AnyValue:
        del inner
        out = Instance(Ext("contextlib._GeneratorContextManager"))
        out.slots["func"] = func
        out.slots["args"] = given
        return out

    return Native("method:contextmanager", make)


@method("contextlib._GeneratorContextManager.__enter__")
def generator_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Entering outside a with statement (`ExitStack.enter_context`): the generator is run to its end."""
    del args
    found: list[AnyValue] = []
    cwd = machine.cwd

    def take(value: AnyValue) -> AnyValue:
        found.append(value)
        return NONE

    machine.generate(obj.slots["func"], obj.slots["args"], take)
    machine.cwd = cwd
    return join(found) if found else NONE


@method("contextlib._GeneratorContextManager.__call__")
def generator_decorate(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """A manager used as a decorator."""
    func = args.pos[0] if args.pos else UNKNOWN

    def run(inner: Machine, given: Arguments) -> AnyValue:
        found: list[AnyValue] = []

        def body(value: AnyValue) -> AnyValue:
            del value
            found.append(inner.call(func, given))
            return NONE

        inner.generate(obj.slots["func"], obj.slots["args"], body)
        return join(found) if found else NONE

    del machine
    return Native("method:decorated", run)


@function("contextlib.closing", "contextlib.aclosing", "contextlib.nullcontext")
def closing(machine: Machine, args: Arguments) -> AnyValue:
    """Managers that hand their argument on."""
    del machine
    out = Instance(Ext("contextlib.nullcontext"))
    out.slots["value"] = args.pos[0] if args.pos else NONE
    return out


@method("contextlib.nullcontext.__enter__")
def closing_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with closing(x) as y`."""
    del machine, args
    return obj.slots["value"]  # type: ignore[no-any-return]


@method("contextlib.nullcontext.__exit__")
def closing_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The end of a manager that does nothing."""
    del machine, obj, args
    return FALSE


@function("contextlib.suppress")
def suppress(machine: Machine, args: Arguments) -> AnyValue:
    """`suppress(*exceptions)`."""
    del machine
    out = Instance(Ext("contextlib.suppress"))
    out.slots["kinds"] = TupleV(args.pos, args.star)
    return out


@method("contextlib.suppress.__exit__")
def suppress_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Whether the exception is swallowed."""
    del machine
    error = args.pos[0] if args.pos else NONE
    if error == NONE:
        return FALSE
    return Known(catches(obj.slots["kinds"], error) is not False)


@function("contextlib.redirect_stdout", "contextlib.redirect_stderr")
def redirect(machine: Machine, args: Arguments) -> AnyValue:
    """`redirect_stdout(file)`."""
    return closing(machine, args)


@function("contextlib.ExitStack", "contextlib.AsyncExitStack")
def exit_stack(machine: Machine, args: Arguments) -> AnyValue:
    """`ExitStack()`."""
    del machine, args
    out = Instance(Ext("contextlib.ExitStack"))
    out.slots["entered"] = ListObj("list")
    out.slots["callbacks"] = ListObj("list")
    return out


@method("contextlib.ExitStack.enter_context", "contextlib.ExitStack.enter_async_context", "contextlib.ExitStack.push")
def enter_context(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`stack.enter_context(manager)`."""
    manager = args.pos[0] if args.pos else UNKNOWN
    value = machine.enter(manager)
    registry.METHODS["builtins.list.append"](machine, obj.slots["entered"], Arguments([manager]))
    return value  # type: ignore[no-any-return]


@method("contextlib.ExitStack.callback", "contextlib.ExitStack.push_async_callback")
def stack_callback(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`stack.callback(function, ...)`."""
    if args.pos:
        bound = Partial(args.pos[0], Arguments(args.pos[1:], args.kw))
        registry.METHODS["builtins.list.append"](machine, obj.slots["callbacks"], Arguments([bound]))
        return args.pos[0]
    return NONE


@method("contextlib.ExitStack.__enter__")
def stack_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The stack itself."""
    del machine, args
    return obj


@method("contextlib.ExitStack.__exit__", "contextlib.ExitStack.close", "contextlib.ExitStack.aclose")
def stack_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Leave what was entered, in reverse order."""
    del args
    for callback in reversed(obj.slots["callbacks"].items):
        machine.call(callback, Arguments())
    for manager in reversed(obj.slots["entered"].items):
        if not (
            isinstance(manager, Instance)
            and isinstance(manager.cls, Ext)
            and manager.cls.name == "contextlib._GeneratorContextManager"
        ):
            machine.leave(manager, None)
    return FALSE


# Importing, introspection and runpy


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
    module = args.pos[0] if args.pos and not isinstance(args.pos[0], Known) else obj.slots.get("module", UNKNOWN)
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


@function("pkgutil.iter_modules", "pkgutil.walk_packages")
def iter_modules(machine: Machine, args: Arguments) -> AnyValue:
    """`iter_modules(path)`: the modules of packages of the tree."""
    path = args.get(0, "path")
    prefix = text_of(args.get(1, "prefix") or Known(""))
    names: list[str] = []
    if path is not None and path != NONE:
        for item in machine.iterate(path).items:
            text = path_text(item)
            place = machine.in_tree(text) if text is not None else None
            for name in machine.tree.list(place) or () if place is not None else ():
                if name.endswith(".py") and name != "__init__.py":
                    names.append(name[:-3])
                elif machine.tree.kind(f"{place}/{name}/__init__.py") == "file":
                    names.append(name)
    items = []
    for name in sorted(set(names)):
        info = Instance(Ext("pkgutil.ModuleInfo"))
        full = Known(f"{prefix}{name}" if isinstance(prefix, str) else name)
        info.slots.update({"name": full, "ispkg": BOOL, "module_finder": UNKNOWN})
        items.append(info)
    return ListObj("iterator", items)


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
    for name in sorted(key for key in holder.slots if isinstance(key, str)):
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
        return BOOL if isinstance(value, Unknown) else Known(isinstance(value, kinds))

    registry.FUNCTIONS[f"inspect.{name}"] = model


_inspect_test("isclass", (ClassV,))
_inspect_test("isfunction", (FunctionV,))
_inspect_test("ismodule", (ModuleV,))
_inspect_test("ismethod", (BoundMethod,))


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
        parameters.slots[Known(param.name)] = item
    out = Instance(Ext("inspect.Signature"))
    out.slots["parameters"] = parameters
    return out


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


# re


def compiled(pattern: AnyValue, flags_value: AnyValue | None) -> Instance:
    """A compiled regular expression."""
    out = Instance(Ext("re.Pattern"))
    out.slots["pattern"] = pattern
    out.slots["flags"] = flags_value if flags_value is not None else Known(0)
    return out


@function("re.compile")
def re_compile(machine: Machine, args: Arguments) -> AnyValue:
    """`re.compile(pattern, flags)`."""
    del machine
    return compiled(args.get(0, "pattern") or UNKNOWN, args.get(1, "flags"))


for _flag in (
    "I",
    "IGNORECASE",
    "M",
    "MULTILINE",
    "S",
    "DOTALL",
    "X",
    "VERBOSE",
    "A",
    "ASCII",
    "U",
    "UNICODE",
    "L",
    "LOCALE",
):
    registry.CONSTANTS[f"re.{_flag}"] = registry.fixed(Known(int(getattr(re, _flag))))

_SAFE_PATTERN = re.compile(r"[^()|*+{}]*|(?:[^()*+{}|]|\((?:\?:)?[^()*+{}|]*\)[*+?]?|[*+?|]|\{\d{1,3}(?:,\d{0,3})?\})*")


def _re_known(machine: Machine, name: str, pattern: AnyValue, flags_value: AnyValue, values: list[AnyValue]) -> Any:
    """Let Python match a known pattern against known text; patterns that could run for long are left alone."""
    del machine
    try:
        source, flag = to_python(pattern), to_python(flags_value)
        plain = [to_python(value) for value in values]
    except NotKnown:
        return None
    if (
        not isinstance(source, str | bytes)
        or len(source) > 500
        or sum(len(p) for p in plain if isinstance(p, str)) > 20_000
    ):
        return None
    nested = re.search(r"[*+}]\)[*+{]", source if isinstance(source, str) else source.decode("latin-1"))
    if nested is not None:
        return None
    try:
        return (getattr(re.compile(source, flag), name)(*plain),)
    except (re.error, TypeError, ValueError, RecursionError, IndexError):
        return None


def _match_value(found: Any, origin: AnyValue) -> AnyValue:
    if found is None:
        return NONE
    out = Instance(Ext("re.Match"))
    out.slots["match"] = Native("match", lambda _, __: NONE)
    out.slots[("found",)] = found
    del origin
    return out


def _text_origin(values: list[AnyValue]) -> tuple[str, bool]:
    for value in values:
        if isinstance(value, Text):
            return value.origin, any(part.slash if isinstance(part, Hole) else "/" in part for part in value.parts)
        if isinstance(value, Unknown):
            return value.origin, value.origin not in ("data", "glob")
    return "data", False


def _replace_by_calls(
    machine: Machine, pattern: AnyValue, flags_value: AnyValue, repl: AnyValue, subject: AnyValue
) -> AnyValue | None:
    """`re.sub` with a function, on known text: the function is called for every match."""
    results: list[AnyValue] = []
    for option in options(subject):
        known = _re_known(machine, "finditer", pattern, flags_value, [option])
        if known is None or not isinstance(option, Known):
            return None
        matches = list(known[0])
        if len(matches) > 200:
            return None
        parts: list[str | Hole] = []
        position = 0
        for match in matches:
            parts.append(option.value[position : match.start()])
            parts.extend(parts_of(to_text(machine, machine.call(repl, Arguments([_match_value(match, NONE)])))))
            position = match.end()
        parts.append(option.value[position:])
        results.append(as_value(make_text(parts)))
    return join(results)


def _regex(name: str) -> None:
    def on_pattern(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        return run(machine, obj.slots.get("pattern", UNKNOWN), obj.slots.get("flags", Known(0)), args)

    def on_module(machine: Machine, args: Arguments) -> AnyValue:
        pattern = args.get(0, "pattern") or UNKNOWN
        rest = Arguments(args.pos[1:], {k: v for k, v in args.kw.items() if k not in ("pattern", "flags")}, args.star)
        limit = {"sub": 3, "subn": 3, "split": 2}.get(name, 1)
        flags_value = args.kw.get("flags") or (args.pos[limit + 1] if len(args.pos) > limit + 1 else Known(0))
        rest.pos = rest.pos[:limit]
        if isinstance(pattern, Instance) and "pattern" in pattern.slots:
            return on_pattern(machine, pattern, rest)
        return run(machine, pattern, flags_value, rest)

    def run(machine: Machine, pattern: AnyValue, flags_value: AnyValue, args: Arguments) -> AnyValue:
        values = [*args.pos, *args.kw.values()]
        if name in ("match", "search", "fullmatch"):
            results = []
            for option in options(values[0]) if values else (UNKNOWN,):
                known = _re_known(machine, name, pattern, flags_value, [option, *values[1:]])
                if known is not None:
                    results.append(_match_value(known[0], option))
                else:
                    out = Instance(Ext("re.Match"))
                    origin, slash = _text_origin([option])
                    out.slots["subject"] = text_hole(origin, slash)
                    results.append(join([NONE, out]))
            return join(results)
        if name in ("sub", "subn"):
            repl = args.get(0, "repl") or UNKNOWN
            subject = args.get(1, "string") or UNKNOWN
            if isinstance(repl, Known):
                found = []
                for option in options(subject):
                    known = _re_known(machine, name, pattern, flags_value, [repl, option, *values[2:]])
                    found.append(from_python(known[0]) if known is not None else None)
                if all(value is not None for value in found):
                    return join(found)
            elif (
                not isinstance(repl, Unknown)
                and (replaced := _replace_by_calls(machine, pattern, flags_value, repl, subject)) is not None
            ):
                return TupleV([replaced, INT]) if name == "subn" else replaced
            elif not isinstance(repl, Unknown):
                match_value = Instance(Ext("re.Match"))
                match_value.slots["subject"] = text_hole()
                machine.undecided += 1
                try:
                    machine.call(repl, Arguments([match_value]))
                finally:
                    machine.undecided -= 1
            origin, slash = _text_origin([subject])
            if isinstance(subject, Known) and isinstance(subject.value, str):
                slash = slash or "/" in subject.value
            if isinstance(repl, Known) and isinstance(repl.value, str):
                slash = slash or "/" in repl.value
                if (
                    isinstance(pattern, Known)
                    and isinstance(pattern.value, str)
                    and pattern.value.startswith("[^")
                    and "/" not in pattern.value
                ):
                    slash = "/" in repl.value
            hole = text_hole(origin, slash)
            return TupleV([hole, INT]) if name == "subn" else hole
        known = _re_known(machine, name, pattern, flags_value, values)
        if known is not None and name in ("findall", "split"):
            return from_python(known[0])
        origin, slash = _text_origin(values)
        if name == "finditer":
            if known is not None:
                return ListObj("iterator", [_match_value(match, NONE) for match in list(known[0])[:512]])
            out = Instance(Ext("re.Match"))
            out.slots["subject"] = text_hole(origin, slash)
            return ListObj("iterator", (), out)
        return ListObj("list", (), text_hole(origin, slash))

    registry.METHODS[f"re.Pattern.{name}"] = on_pattern
    registry.FUNCTIONS[f"re.{name}"] = on_module


for _name in ("match", "search", "fullmatch", "sub", "subn", "findall", "finditer", "split"):
    _regex(_name)


@function("re.escape")
def re_escape(machine: Machine, args: Arguments) -> AnyValue:
    """`re.escape(text)`."""
    known = pure_call(machine, re.escape, args)
    return known if known is not None else text_hole("data", slash=True)


def _group(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    found = obj.slots.get(("found",))
    if found is not None:
        try:
            return from_python(found.group(*(to_python(value) for value in args.pos)))
        except (NotKnown, IndexError, TypeError):
            return text_hole()
    subject: AnyValue = obj.slots.get("subject", text_hole())
    if len(args.pos) > 1:
        return TupleV([subject for _ in args.pos])
    del machine
    return subject


registry.METHODS["re.Match.group"] = _group
registry.METHODS["re.Match.__getitem__"] = _group


@method("re.Match.groups")
def groups(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`match.groups()`."""
    del machine, args
    found = obj.slots.get(("found",))
    return from_python(found.groups()) if found is not None else TupleV((), obj.slots.get("subject", text_hole()))


@method("re.Match.groupdict")
def groupdict(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`match.groupdict()`."""
    del machine, args
    found = obj.slots.get(("found",))
    return (
        from_python(found.groupdict())
        if found is not None
        else DictObj("dict", None, obj.slots.get("subject", text_hole()))
    )


@method("re.Match.start", "re.Match.end")
def match_position(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """A position in the subject."""
    del machine, obj, args
    return INT


# asyncio: coroutines are run where they are created, so waiting for them only unwraps their results


@function("asyncio.run", "asyncio.wait_for", "asyncio.shield", "asyncio.create_task", "asyncio.ensure_future")
def run_coroutine(machine: Machine, args: Arguments) -> AnyValue:
    """Calls that run one coroutine."""
    return machine.awaited(args.pos[0]) if args.pos else UNKNOWN


@function("asyncio.create_task", "asyncio.ensure_future", "asyncio.shield", "asyncio.wait_for")
def task(machine: Machine, args: Arguments) -> AnyValue:
    """A task around a coroutine."""
    out = Instance(Ext("asyncio.Task"))
    out.slots["result_value"] = machine.awaited(args.pos[0]) if args.pos else UNKNOWN
    return Awaitable(out.slots["result_value"])


@function("asyncio.gather")
def gather(machine: Machine, args: Arguments) -> AnyValue:
    """`gather(...)`: a list of results."""
    rest = machine.awaited(args.star) if args.star is not None else None
    return Awaitable(ListObj("list", [machine.awaited(value) for value in args.pos], rest))


@function("asyncio.as_completed")
def as_completed(machine: Machine, args: Arguments) -> AnyValue:
    """The same awaitables, in another order."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    return ListObj("iterator", content.items, content.rest)


def _run_method(machine: Machine, obj: Any, args: Arguments) -> AnyValue:
    del obj
    return machine.awaited(args.pos[0]) if args.pos else UNKNOWN


for _name in ("asyncio.AbstractEventLoop.run_until_complete", "asyncio.Runner.run"):
    registry.METHODS[_name] = _run_method
registry.METHODS["asyncio.TaskGroup.create_task"] = lambda machine, obj, args: Awaitable(
    _run_method(machine, obj, args)
)
registry.METHODS["asyncio.AbstractEventLoop.create_task"] = registry.METHODS["asyncio.TaskGroup.create_task"]

# Reading files of the tree


def file_text(machine: Machine, value: AnyValue) -> str | None:
    text = path_text(value)
    if text is None:
        return None
    data = machine.content(text)
    if data is None or len(data) > 65_536:
        return None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        return None


def is_configuration(value: AnyValue) -> bool:
    """Whether a path names a kind of file whose content decides what a program does."""
    text = path_text(value)
    if not isinstance(text, str):
        return False
    name = text.rsplit("/", 1)[-1].lower()
    return "." not in name.lstrip(".") or name.endswith(_CONFIGURATION)


_CONFIGURATION = (
    ".json",
    ".toml",
    ".yaml",
    ".yml",
    ".ini",
    ".cfg",
    ".conf",
    ".properties",
    ".env",
    ".txt",
    ".list",
    ".lst",
    ".in",
    ".rc",
    ".config",
)


def handle_content(machine: Machine, obj: Instance) -> AnyValue:
    """The text of an open file, where it is a configuration file of the tree."""
    name = obj.slots.get("name", UNKNOWN)
    mode = text_of(obj.slots.get("mode", Known("r")))
    if isinstance(mode, str) and is_configuration(name) and "w" not in mode and "a" not in mode:
        text = file_text(machine, name)
        if text is not None:
            return Known(text.encode()) if "b" in mode else Known(text)
    if isinstance(mode, str) and "b" in mode:
        return BYTES
    if isinstance(name, Unknown) and name.origin == "stream":
        return text_hole("argument", slash=True)
    return text_hole()


HANDLE_TYPES = (
    "io.TextIOWrapper",
    "io.BufferedReader",
    "io.BufferedWriter",
    "io.BufferedRandom",
    "io.FileIO",
    "io.TextIOBase",
)


def _handle_method(*names: str) -> Callable[[MethodT], MethodT]:
    return method(*(f"{type_name}.{name}" for type_name in HANDLE_TYPES for name in names))


@_handle_method("read")
def handle_read(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`handle.read()`."""
    if args.pos and args.pos[0] not in (NONE, Known(-1)):
        content = handle_content(machine, obj)
        return text_hole() if text_of(content) is not None else content
    return handle_content(machine, obj)


@_handle_method("readlines", "__iter__", "readline")
def handle_lines(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The lines of an open file."""
    del args
    content = handle_content(machine, obj)
    if isinstance(content, Known) and isinstance(content.value, str | bytes):
        lines = content.value.splitlines(keepends=True)
        if len(lines) <= machine.limits.unroll:
            return ListObj("list", [Known(line) for line in lines])
    return ListObj("list", (), text_hole() if text_of(content) is not None else content)


@_handle_method("readline")
def handle_line(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """One line."""
    found = handle_lines(machine, obj, args)
    assert isinstance(found, ListObj)
    return join([*found.items[:1], found.rest]) if len(found.items) == 1 else text_hole()


@_handle_method("__enter__")
def handle_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with open(...) as handle`."""
    del machine, args
    return obj


@_handle_method("__exit__")
def handle_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The file is closed."""
    del machine, obj, args
    return FALSE


@_handle_method("write", "writelines", "flush", "close", "truncate", "reconfigure")
def handle_write(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Writing into an open file was noted when it was opened."""
    del machine, obj, args
    return INT


@_handle_method("fileno")
def handle_fileno(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The descriptor stands for the open file."""
    del machine, args
    return obj


@_handle_method("@closed", "isatty", "readable", "writable", "seekable")
def handle_state(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Questions about an open file."""
    del machine, obj, args
    return BOOL


@_handle_method("detach", "@buffer", "@raw")
def handle_inner(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The layers of an open file share its path."""
    del machine, args
    return obj


@method("pathlib.Path.read_text", "pathlib.Path.read_bytes")
def path_read(machine: Machine, obj: PathV, args: Arguments) -> AnyValue:
    """`path.read_text()`."""
    del args
    if machine.exists(obj.text) is not True:
        machine.may_raise("OSError")
    machine.note_open(Operation.READ, obj, "pathlib.Path.read_text")
    text = file_text(machine, obj) if is_configuration(obj) else None
    return Known(text) if text is not None else text_hole()


@method("pathlib.Path.read_bytes")
def path_read_bytes(machine: Machine, obj: PathV, args: Arguments) -> AnyValue:
    """`path.read_bytes()`."""
    found = path_read(machine, obj, args)
    return Known(found.value.encode()) if isinstance(found, Known) and isinstance(found.value, str) else BYTES


__all__ = ["is_configuration"]
