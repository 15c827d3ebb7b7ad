"""Mappings whose entries are attributes too: Box, EasyDict, Munch, addict, DotMap, ml_collections, OmegaConf.

Such an object is a dict whose kind is the qualified name of its class, and whose nested dicts are of the same kind.
Files of the repository are read as they are written; OmegaConf's references (`${paths.data}`) are resolved.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.models.files.formats import content_of, parsed_yaml
from taskgates.inference.models.registry import FUNCTIONS, METHODS, Machine, function, method
from taskgates.inference.objects import REST, Arguments, ClassV, DictObj, Instance, ListObj, Maybe
from taskgates.inference.values import DATA, NONE, UNKNOWN, AnyValue, Known, TupleV, Unknown, join, options, path_text
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG = "omegaconf.DictConfig"
DEPTH_LIMIT = 40
"""Levels of nesting that are converted; what lies deeper is kept as it is."""


class Configuration(DictObj):
    """An OmegaConf object; `raw` is what was written, with its references, None where that is not wholly known."""

    __slots__ = ("raw",)

    def __init__(self, raw: dict[str, Any] | None = None) -> None:
        super().__init__(CONFIG)
        self.raw = raw


def converted(value: AnyValue, kind: str, depth: int = 0) -> AnyValue:
    """A copy of a value whose mappings are all of a kind."""
    if depth > DEPTH_LIMIT:
        return value
    if isinstance(value, DictObj):
        out = DictObj(kind)
        for key, item in value.slots.items():
            if isinstance(item, Maybe):
                out.slots[key] = Maybe(converted(item.value, kind, depth + 1))
            else:
                out.slots[key] = converted(item, kind, depth + 1)
        return out
    if isinstance(value, ListObj):
        rest = converted(value.rest, kind, depth + 1) if value.rest is not None else None
        return ListObj(value.kind, [converted(item, kind, depth + 1) for item in value.items], rest)
    if isinstance(value, TupleV):
        rest = converted(value.rest, kind, depth + 1) if value.rest is not None else None
        return TupleV([converted(item, kind, depth + 1) for item in value.items], rest)
    return value


def _mapping(machine: Machine, args: Arguments, kind: str) -> DictObj:
    """What a constructor makes of a mapping and keywords."""
    out = DictObj("dict")
    for value in args.pos[:1]:
        for option in options(value):
            if isinstance(option, DictObj | ListObj | TupleV | Instance):
                machine.merge_into(out, option)
            elif option != NONE:
                out.slots[REST] = option if isinstance(option, Unknown) else DATA
    for name, item in args.kw.items():
        machine.put(out, Known(name), item)
    if args.kwstar is not None:
        out.slots[REST] = args.kwstar if out.rest is None else join([out.rest, args.kwstar])
    made = converted(out, kind)
    assert isinstance(made, DictObj)
    return made


def _constructors(kind: str, *names: str) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        return _mapping(machine, args, kind)

    for name in (kind, *names):
        FUNCTIONS[name] = model


_constructors("box.Box", "box.ConfigBox", "box.DDBox", "box.SBox", "box.config_box.ConfigBox", "box.box.Box")
_constructors("easydict.EasyDict")
_constructors("munch.Munch", "munch.munchify", "munch.DefaultMunch.fromDict", "munch.Munch.fromDict")
_constructors("addict.Dict", "addict.addict.Dict")
_constructors("attrdict.AttrDict", "attrdict.AttrMap", "attridict", "bunch.Bunch", "sklearn.utils.Bunch")
_constructors("dotmap.DotMap")
_constructors("ml_collections.ConfigDict", "ml_collections.config_dict.ConfigDict", "ml_collections.FrozenConfigDict")


def _plain(machine: Machine, obj: Any, args: Arguments) -> AnyValue:
    """The same as plain dicts and lists."""
    del machine, args
    return converted(obj, "dict")


for _name in (
    "box.Box.to_dict",
    "munch.Munch.toDict",
    "addict.Dict.to_dict",
    "dotmap.DotMap.toDict",
    "ml_collections.ConfigDict.to_dict",
):
    method(_name)(_plain)


@function("munch.unmunchify")
def unmunchify(machine: Machine, args: Arguments) -> AnyValue:
    """`unmunchify(value)`."""
    return _plain(machine, args.pos[0] if args.pos else UNKNOWN, args)


def _from_file(kind: str, call: str) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue | None:
        path = args.get(1, "filename")
        if path is None or path == NONE or not call.endswith("yaml"):
            return None
        machine.access(Operation.READ, path, call)
        return converted(parsed_yaml(machine, content_of(machine, path)), kind)

    FUNCTIONS[call] = model


for _name in ("box.Box.from_yaml", "box.ConfigBox.from_yaml"):
    _from_file("box.Box", _name)


# OmegaConf

_REFERENCE = re.compile(r"\$\{([^${}]+)\}")
_PASSES = 8


class _Resolver:
    """Resolves the references of a configuration that is wholly known."""

    def __init__(self, machine: Machine, root: Mapping[str, Any]) -> None:
        self.machine = machine
        self.root = root

    def value(self, item: Any, path: tuple[str, ...], passes: int = _PASSES) -> AnyValue:
        """An entry as an abstract value.

        Args:
            item: the entry as it is written.
            path: its keys from the root.
            passes: references of references that are still followed.
        """
        if isinstance(item, dict):
            out = DictObj(CONFIG)
            for key, inner in item.items():
                out.slots[Known(key)] = self.value(inner, (*path, str(key)), passes)
            return out
        if isinstance(item, list):
            return ListObj("list", [self.value(inner, (*path, str(i)), passes) for i, inner in enumerate(item)])
        if isinstance(item, str) and "${" in item:
            return self.text(item, path, passes)
        return from_python(item) if item is None or isinstance(item, str | int | float | bool) else DATA

    def text(self, text: str, path: tuple[str, ...], passes: int) -> AnyValue:
        """A string with references; one reference alone keeps the type of what it stands for."""
        if passes == 0:
            return Unknown("a reference that refers to itself", "data")
        alone = _REFERENCE.fullmatch(text.strip())
        if alone is not None:
            return self.reference(alone[1].strip(), path, passes)
        match = _REFERENCE.search(text)
        if match is None:
            return Known(text)
        found = self.reference(match[1].strip(), path, passes)
        if not isinstance(found, Known):
            return Unknown("a reference of a configuration", "data")
        return self.text(f"{text[: match.start()]}{found.value}{text[match.end() :]}", path, passes)

    def reference(self, name: str, path: tuple[str, ...], passes: int) -> AnyValue:
        """What one reference stands for."""
        if name.startswith(("oc.env:", "env:")):
            variable, _, default = name.partition(":")[2].partition(",")
            fallback = Known(default.strip().strip("'\"")) if default else None
            arguments = [Known(variable.strip()), *([fallback] if fallback is not None else [])]
            return self.machine.call_external("os.getenv", Arguments(arguments), None)  # type: ignore[no-any-return]
        if ":" in name:
            return Unknown(f"the resolver {name.partition(':')[0]}", "data")
        parts = self.absolute(name, path)
        item: Any = self.root
        for part in parts:
            if isinstance(item, dict) and part in item:
                item = item[part]
            elif isinstance(item, list) and part.isdigit() and int(part) < len(item):
                item = item[int(part)]
            else:
                return Unknown(f"the reference {name}", "data")
        return self.value(item, parts, passes - 1)

    @staticmethod
    def absolute(name: str, path: tuple[str, ...]) -> tuple[str, ...]:
        """The keys from the root that a reference names; leading dots count from where it stands."""
        up = len(name) - len(name.lstrip("."))
        keys = tuple(part for part in re.split(r"[.\[\]]+", name[up:]) if part)
        return (*path[: len(path) - up], *keys) if up else keys


def configuration(machine: Machine, raw: dict[str, Any]) -> Configuration:
    """A configuration as it was written, with its references resolved."""
    out = Configuration(raw)
    for key, item in raw.items():
        out.slots[Known(key)] = _Resolver(machine, raw).value(item, (str(key),))
    return out


def merged(first: dict[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two configurations, the second over the first; nested mappings are merged, lists replaced."""
    out = dict(first)
    for key, value in second.items():
        before = out.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            out[key] = merged(before, value)
        else:
            out[key] = value
    return out


def put_dotted(raw: dict[str, Any], name: str, value: Any) -> None:
    """`a.b.c = value`, making what is missing in between."""
    keys = [part for part in re.split(r"[.\[\]]+", name) if part]
    for key in keys[:-1]:
        inner = raw.get(key)
        raw[key] = inner = dict(inner) if isinstance(inner, dict) else {}
        raw = inner
    if keys:
        raw[keys[-1]] = value


def plain_yaml(text: str) -> Any:
    """What a word of a command line means as a value."""
    try:
        return yaml.safe_load(text) if text else ""
    except yaml.YAMLError:
        return text


def from_dots(words: list[str]) -> dict[str, Any]:
    """`["a.b=1", "c=x"]` as nested mappings."""
    out: dict[str, Any] = {}
    for word in words:
        name, given, text = word.partition("=")
        put_dotted(out, name, plain_yaml(text) if given else None)
    return out


def _raw(value: AnyValue) -> dict[str, Any] | None:
    """What a value says where it is wholly known."""
    if isinstance(value, Configuration) and value.raw is not None:
        return value.raw
    try:
        found = to_python(value)
    except NotKnown:
        return None
    return found if isinstance(found, dict) else None


def _made(machine: Machine, value: AnyValue) -> AnyValue:
    raw = _raw(value)
    if raw is not None:
        return configuration(machine, raw)
    return converted(value, CONFIG)


@function("omegaconf.OmegaConf.load")
def load(machine: Machine, args: Arguments) -> AnyValue:
    """`OmegaConf.load(file)`."""
    source = args.get(0, "file_") or UNKNOWN
    results = []
    for option in options(source):
        if path_text(option) is None:
            results.append(_made(machine, FUNCTIONS["yaml.safe_load"](machine, Arguments([option])) or DATA))
            continue
        machine.access(Operation.READ, option, "omegaconf.OmegaConf.load")
        results.append(_made(machine, parsed_yaml(machine, content_of(machine, option))))
    return join(results)


@function("omegaconf.OmegaConf.create", "omegaconf.OmegaConf.structured", "omegaconf.DictConfig")
def create(machine: Machine, args: Arguments) -> AnyValue:
    """`OmegaConf.create(mapping or YAML)`, `OmegaConf.structured(dataclass)`."""
    value = args.get(0, "obj") or args.get(0, "content") or DictObj()
    if isinstance(value, Known) and isinstance(value.value, str):
        value = parsed_yaml(machine, value)
    if isinstance(value, DictObj | ListObj):
        return _made(machine, value)
    # An object with fields has its entries as attributes already.
    return machine.call(value, Arguments()) if isinstance(value, ClassV) else value


@function("omegaconf.OmegaConf.merge", "omegaconf.OmegaConf.unsafe_merge")
def merge(machine: Machine, args: Arguments) -> AnyValue:
    """`OmegaConf.merge(*configurations)`."""
    raws = [_raw(value) for value in args.pos]
    if args.star is None and all(raw is not None for raw in raws):
        whole: dict[str, Any] = {}
        for raw in raws:
            whole = merged(whole, raw or {})
        return configuration(machine, whole)
    out = DictObj(CONFIG)
    for value in (*args.pos, *([args.star] if args.star is not None else [])):
        for option in options(value):
            if isinstance(option, DictObj):
                _merge_known(machine, out, option)
            else:
                out.slots[REST] = join([out.rest, DATA])
    return out


def _merge_known(machine: Machine, target: DictObj, value: DictObj) -> None:
    for key, item in value.known():
        before = target.slots.get(key)
        if isinstance(before, DictObj) and isinstance(item, DictObj):
            _merge_known(machine, before, item)
        else:
            machine.put(target, key, converted(item, CONFIG))
    if value.rest is not None:
        target.slots[REST] = join([target.rest, value.rest])


@function("omegaconf.OmegaConf.from_cli", "omegaconf.OmegaConf.from_dotlist")
def from_cli(machine: Machine, args: Arguments) -> AnyValue:
    """`OmegaConf.from_cli()`: the `name=value` words of the command line."""
    given = args.get(0, "args_list") or args.get(0, "dotlist")
    words = machine.argv if given is None else given
    content = machine.iterate(words)
    items = content.items[1:] if given is None else content.items
    if content.rest is None and all(isinstance(item, Known) and isinstance(item.value, str) for item in items):
        return configuration(machine, from_dots([item.value for item in items]))
    return DictObj(CONFIG, None, Unknown("the command line", "argument"))


@function("omegaconf.OmegaConf.to_container", "omegaconf.OmegaConf.to_object")
def to_container(machine: Machine, args: Arguments) -> AnyValue:
    """`OmegaConf.to_container(configuration)`."""
    del machine
    return converted(args.get(0, "cfg") or UNKNOWN, "dict")


@function("omegaconf.OmegaConf.select")
def select(machine: Machine, args: Arguments) -> AnyValue:
    """`OmegaConf.select(configuration, "a.b", default=...)`."""
    del machine
    value: AnyValue = args.get(0, "cfg") or UNKNOWN
    name = args.get(1, "key")
    if not (isinstance(name, Known) and isinstance(name.value, str)):
        return DATA
    for key in name.value.split("."):
        if not isinstance(value, DictObj):
            return DATA
        found = value.slots.get(Known(key))
        if found is None:
            return args.kw.get("default", NONE) if value.rest is None else DATA
        value = found.value if isinstance(found, Maybe) else found
    return value


@function("omegaconf.OmegaConf.update")
def update(machine: Machine, args: Arguments) -> AnyValue:
    """`OmegaConf.update(configuration, "a.b", value)`."""
    target: AnyValue = args.get(0, "cfg") or UNKNOWN
    name, value = args.get(1, "key"), args.get(2, "value") or UNKNOWN
    if isinstance(name, Known) and isinstance(name.value, str):
        *inner, last = name.value.split(".")
        for key in inner:
            target = machine.get_item(target, Known(key)) if isinstance(target, DictObj) else UNKNOWN
        if isinstance(target, DictObj):
            machine.put(target, Known(last), converted(value, CONFIG))
    return NONE


def _harmless(machine: Machine, args: Arguments) -> AnyValue:
    """A setting of the object that changes none of its entries."""
    del machine, args
    return NONE


for _name in ("resolve", "set_struct", "set_readonly"):
    FUNCTIONS[f"omegaconf.OmegaConf.{_name}"] = _harmless


# The methods of dicts are the same for all of them.
KINDS = (
    "addict.Dict",
    "attrdict.AttrDict",
    "box.Box",
    "box.ConfigBox",
    "dotmap.DotMap",
    "easydict.EasyDict",
    "ml_collections.ConfigDict",
    "munch.Munch",
    CONFIG,
)
for _name in list(METHODS):
    if _name.startswith("builtins.dict."):
        for _kind in KINDS:
            METHODS.setdefault(f"{_kind}.{_name.rpartition('.')[2]}", METHODS[_name])
