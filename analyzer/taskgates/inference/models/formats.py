"""Configuration formats: JSON, TOML, YAML, INI and CSV, read as values where the tree holds the file."""

from __future__ import annotations

import configparser
import json
import shlex
from typing import Any

import yaml

from taskgates.inference.core import AbstractRaise
from taskgates.inference.models.containers import dict_get, dict_items
from taskgates.inference.models.reading import file_text, handle_content
from taskgates.inference.models.registry import FUNCTIONS, FunctionModel, Machine, function, method
from taskgates.inference.models.strings import pure_call
from taskgates.inference.operators import NotKnown, from_python, to_python
from taskgates.inference.text import Hole, make_text
from taskgates.inference.values import (
    BOOL,
    DATA,
    NONE,
    UNKNOWN,
    AnyValue,
    Arguments,
    DictObj,
    Ext,
    Instance,
    Known,
    ListObj,
    TupleV,
    Union,
    Unknown,
    as_value,
    join,
    options,
    path_text,
    text_hole,
    text_of,
)
from taskgates.model.access import Operation
from taskgates.tree.toml_source import load_toml

NODE_LIMIT = 20_000


def _is_small(value: Any) -> bool:
    """Whether decoded data has at most `NODE_LIMIT` values, a shared one counted as often as it appears."""
    pending = [value]
    count = 0
    while pending:
        item = pending.pop()
        count += 1
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        if count + len(pending) > NODE_LIMIT:
            return False
    return True


def _parsed(machine: Machine, text: AnyValue, parse: Any) -> AnyValue:
    """Parse known text; unknown data otherwise."""
    if isinstance(text, Known) and isinstance(text.value, str | bytes):
        source = text.value.decode("utf-8", "replace") if isinstance(text.value, bytes) else text.value
        try:
            value = parse(source)
        except Exception:  # noqa: BLE001 - whatever the parser says, the program would have failed
            machine.may_raise("ValueError")
            return DATA
        if _is_small(value):
            try:
                return _with_simple(value)
            except (TypeError, RecursionError):
                return DATA
    machine.may_raise("ValueError")
    return DATA


def _with_simple(value: Any) -> AnyValue:
    """from_python, dates and the like as unknown values of their type."""
    if isinstance(value, dict):
        return DictObj("dict", {Known(key): _with_simple(item) for key, item in value.items()})
    if isinstance(value, list):
        return ListObj("list", [_with_simple(item) for item in value])
    if value is None or isinstance(value, str | int | float | bool):
        return Known(value)
    return Instance(Ext(f"datetime.{type(value).__name__}"))


def _hooks(machine: Machine, value: AnyValue, args: Arguments) -> AnyValue:
    hook = args.kw.get("object_hook")
    if hook is not None and hook != NONE:
        return machine.call(hook, Arguments([value]))  # type: ignore[no-any-return]
    return value


@function("json.load", "simplejson.load", "ujson.load")
def json_load(machine: Machine, args: Arguments) -> AnyValue:
    """`json.load(handle)`."""
    found = [
        _hooks(machine, _parsed(machine, handle_content(machine, option), json.loads), args)
        if isinstance(option, Instance)
        else DATA
        for option in options(args.get(0, "fp") or UNKNOWN)
    ]
    return join(found)


@function("json.loads", "orjson.loads", "ujson.loads", "simplejson.loads")
def json_loads(machine: Machine, args: Arguments) -> AnyValue:
    """`json.loads(text)`."""
    return _hooks(machine, _parsed(machine, args.get(0, "s") or UNKNOWN, json.loads), args)


@function("json.dumps")
def json_dumps(machine: Machine, args: Arguments) -> AnyValue:
    """`json.dumps(value)`: known only when it is short."""
    known = None
    if "default" not in args.kw and "cls" not in args.kw:
        known = pure_call(machine, json.dumps, args)
    elif "default" in args.kw and args.kw["default"] != NONE:
        machine.call_with_unknowns(args.kw["default"])
    return known if known is not None else text_hole("data", slash=True)


@function("tomllib.load", "tomli.load", "toml.load")
def toml_load(machine: Machine, args: Arguments) -> AnyValue:
    """`tomllib.load(handle)`."""
    handle = args.pos[0] if args.pos else UNKNOWN
    if isinstance(handle, Instance):
        return _parsed(machine, handle_content(machine, handle), load_toml)
    if path_text(handle) is not None:
        machine.access(Operation.READ, handle, "toml.load")
        return _parsed(machine, content_of(machine, handle), load_toml)
    return DATA


def content_of(machine: Machine, path: AnyValue) -> AnyValue:
    """The text of a configuration file, whatever its name."""
    text = file_text(machine, path)
    return Known(text) if text is not None else text_hole()


@function("tomllib.loads", "tomli.loads", "toml.loads")
def toml_loads(machine: Machine, args: Arguments) -> AnyValue:
    """`tomllib.loads(text)`."""
    return _parsed(machine, args.pos[0] if args.pos else UNKNOWN, load_toml)


class _BoundedLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader, for mappings whose merge keys multiply."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        if len(node.value) > NODE_LIMIT:
            raise yaml.YAMLError("merge keys make a mapping too large")


def _yaml(text: str) -> Any:
    return yaml.load(text, Loader=_BoundedLoader)  # noqa: S506 - a safe loader


def parsed_yaml(machine: Machine, text: AnyValue) -> AnyValue:
    """What a YAML document says; unknown data where its text is not known."""
    return _parsed(machine, text, _yaml)


@function("yaml.safe_load", "yaml.load", "yaml.full_load", "yaml.unsafe_load")
def yaml_load(machine: Machine, args: Arguments) -> AnyValue:
    """`yaml.safe_load(stream)`."""
    source = args.pos[0] if args.pos else UNKNOWN
    if isinstance(source, Instance):
        source = handle_content(machine, source)
    return _parsed(machine, source, _yaml)


@function("configparser.ConfigParser", "configparser.RawConfigParser", "configparser.SafeConfigParser")
def config_parser(machine: Machine, args: Arguments) -> AnyValue:
    """`ConfigParser(...)`: known text is read by the real parser with the same settings."""
    del machine
    out = Instance(Ext("configparser.ConfigParser"))
    out.slots[("sections",)] = DictObj()
    out.slots[("settings",)] = DictObj("dict", {Known(name): value for name, value in args.kw.items()})
    defaults = args.get(0, "defaults")
    if defaults is not None:
        out.slots[("settings",)].slots[Known("defaults")] = defaults
    return out


def _real_parser(obj: Instance) -> configparser.ConfigParser:
    """A parser of the standard library with the settings that the program gave."""
    settings: dict[str, Any] = {"strict": False}
    for key, value in obj.slots[("settings",)].known():
        name = str(key.value)
        if name == "interpolation":
            kind = value.cls.name if isinstance(value, Instance) and isinstance(value.cls, Ext) else ""
            if kind.endswith("ExtendedInterpolation"):
                settings[name] = configparser.ExtendedInterpolation()
            elif isinstance(value, Known) and value.value is None:
                settings[name] = None
        elif name in (
            "delimiters",
            "comment_prefixes",
            "inline_comment_prefixes",
            "allow_no_value",
            "default_section",
            "empty_lines_in_values",
            "defaults",
        ):
            try:
                settings[name] = to_python(value)
            except NotKnown:
                continue
    try:
        return configparser.ConfigParser(**settings)
    except (TypeError, ValueError):
        return configparser.ConfigParser(strict=False)


def _interpolation(name: str) -> FunctionModel:
    return lambda _, __: Instance(Ext(f"configparser.{name}"))


for _name in ("BasicInterpolation", "ExtendedInterpolation", "LegacyInterpolation"):
    FUNCTIONS[f"configparser.{_name}"] = _interpolation(_name)

CONFIG = "configparser.RawConfigParser"


def _merge_ini(machine: Machine, obj: Instance, text: AnyValue) -> None:
    if not (isinstance(text, Known) and isinstance(text.value, str)):
        machine.state.write(obj.slots, ("open",), Known(True))
        return
    texts = [*obj.slots.get(("texts",), TupleV(())).items, text]
    machine.state.write(obj.slots, ("texts",), TupleV(texts))
    parser = _real_parser(obj)
    keep_case = obj.slots.get("optionxform")
    if isinstance(keep_case, Ext) and keep_case.name == "builtins.str":
        parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        for piece in texts:
            parser.read_string(piece.value)
    except configparser.Error:
        machine.state.write(obj.slots, ("open",), Known(True))
        return
    data: dict[str, dict[str, Any]] = {}
    for name in (parser.default_section, *parser.sections()):
        try:
            data[name] = dict(parser.items(name)) if name != parser.default_section else dict(parser.defaults())
        except (configparser.Error, ValueError):
            data[name] = dict(parser.items(name, raw=True))
    if parser.default_section != "DEFAULT":
        data["DEFAULT"] = data.pop(parser.default_section)
    sections = obj.slots[("sections",)]
    for name, entries in data.items():
        existing = sections.slots.get(Known(name))
        if isinstance(existing, DictObj):
            machine.merge_into(existing, from_python(entries))
        else:
            machine.put(sections, Known(name), from_python(entries))


@method(f"{CONFIG}.read")
def config_read(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.read(paths)`: files that are not there are passed over; the names of those that were read come back.

    A settings file outside the root is taken as absent, as unset environment variables are.
    """
    value = args.get(0, "filenames") or UNKNOWN
    paths: list[AnyValue] = [value]
    if path_text(value) is None and not isinstance(value, Unknown | Union):
        content = machine.iterate(value)
        paths = [*content.items, *([content.rest] if content.rest is not None else [])]
    certain: list[AnyValue] = []
    possible: list[AnyValue] = []
    for path in paths:
        for option in options(path):
            text = path_text(option)
            present = machine.exists(text) if text is not None else None
            if present is False:
                continue
            machine.access(Operation.READ, option, "configparser.ConfigParser.read", conditional=present is None)
            if isinstance(text, str) and machine.in_tree(text) is None and machine.closed:
                continue
            _merge_ini(machine, obj, content_of(machine, option))
            (certain if present and option is path else possible).append(option)
    return ListObj("list", certain, join(possible) if possible else None)


@method(f"{CONFIG}.read_file", f"{CONFIG}.read_string")
def config_read_file(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.read_file(handle)`, `parser.read_string(text)`."""
    value = args.pos[0] if args.pos else UNKNOWN
    _merge_ini(machine, obj, handle_content(machine, value) if isinstance(value, Instance) else value)
    return NONE


@method(f"{CONFIG}.read_dict")
def config_read_dict(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.read_dict(mapping)`."""
    if args.pos:
        machine.merge_into(obj.slots[("sections",)], args.pos[0])
    return NONE


def _missing(kind: str, name: str) -> AbstractRaise:
    """The exception for a section or an option that is not there."""
    error = Instance(Ext(f"configparser.{kind}"))
    error.slots["args"] = TupleV([Known(name)])
    return AbstractRaise(error)


def _option(machine: Machine, obj: Instance, section: AnyValue, name: AnyValue, fallback: AnyValue | None) -> AnyValue:
    sections: DictObj = obj.slots[("sections",)]
    is_open = ("open",) in obj.slots
    if isinstance(section, Known) and isinstance(name, Known):
        entries = sections.slots.get(section)
        key = Known(str(name.value).lower())
        for holder in (entries, sections.slots.get(Known("DEFAULT"))):
            if isinstance(holder, DictObj):
                found = holder.slots.get(key) or holder.slots.get(name)
                if found is not None:
                    return found  # type: ignore[no-any-return]
        if not is_open:
            if fallback is not None:
                return fallback
            raise _missing("NoSectionError" if entries is None else "NoOptionError", str(name.value))
    machine.may_raise("KeyError")
    return text_hole("data", slash=True)


@method(f"{CONFIG}.get")
def config_get(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.get(section, option, fallback=...)`."""
    return _option(
        machine, obj, args.get(0, "section") or UNKNOWN, args.get(1, "option") or UNKNOWN, args.kw.get("fallback")
    )


def _converted(name: str, builtin: str) -> None:
    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        value = config_get(machine, obj, args)
        if name == "getboolean" and isinstance(value, Known) and isinstance(value.value, str):
            return Known(value.value.lower() in ("1", "yes", "true", "on"))
        if isinstance(value, Known) and not isinstance(value.value, str):
            return value
        return machine.call(Ext(f"builtins.{builtin}"), Arguments([value]))  # type: ignore[no-any-return]

    method(f"{CONFIG}.{name}")(model)


for _name, _builtin in (("getint", "int"), ("getfloat", "float"), ("getboolean", "bool")):
    _converted(_name, _builtin)


@method(f"{CONFIG}.sections")
def config_sections(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.sections()`."""
    del args, machine
    sections: DictObj = obj.slots[("sections",)]
    rest = text_hole() if ("open",) in obj.slots else None
    return ListObj("list", [key for key, _ in sections.known() if key != Known("DEFAULT")], rest)


@method(f"{CONFIG}.__iter__")
def config_iter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Iteration gives section names."""
    return config_sections(machine, obj, args)


@method(f"{CONFIG}.has_section", f"{CONFIG}.has_option", f"{CONFIG}.__contains__")
def config_has(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.has_section(name)`."""
    sections: DictObj = obj.slots[("sections",)]
    del machine
    if ("open",) in obj.slots or not args.pos or not isinstance(args.pos[0], Known):
        return BOOL
    entries = sections.slots.get(args.pos[0])
    if len(args.pos) > 1 and isinstance(args.pos[1], Known):
        return Known(isinstance(entries, DictObj) and Known(str(args.pos[1].value).lower()) in entries.slots)
    return Known(entries is not None)


@method(f"{CONFIG}.items")
def config_items(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.items(section)`."""
    if args.pos and isinstance(args.pos[0], Known):
        entries = obj.slots[("sections",)].slots.get(args.pos[0])
        if isinstance(entries, DictObj):
            return dict_items(machine, entries, Arguments())
        if ("open",) not in obj.slots and args.pos[0] != Known("DEFAULT"):
            raise _missing("NoSectionError", str(args.pos[0].value))
    if not args.pos:
        return dict_items(machine, obj.slots[("sections",)], Arguments())
    return ListObj("list", (), TupleV([text_hole(), text_hole("data", slash=True)]))


@method(f"{CONFIG}.__getitem__")
def config_getitem(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser[section]`."""
    name = args.pos[0] if args.pos else UNKNOWN
    sections: DictObj = obj.slots[("sections",)]
    entries = sections.slots.get(name) if isinstance(name, Known) else None
    if isinstance(entries, DictObj):
        out = DictObj("dict")
        default = sections.slots.get(Known("DEFAULT"))
        if isinstance(default, DictObj):
            out.slots.update(default.slots)
        out.slots.update(entries.slots)
        proxy = Instance(Ext("configparser.SectionProxy"))
        proxy.slots[("entries",)] = out
        proxy.slots[("own",)] = entries
        return proxy
    if ("open",) not in obj.slots and isinstance(name, Known):
        raise machine.throw("KeyError")
    proxy = Instance(Ext("configparser.SectionProxy"))
    proxy.slots[("entries",)] = DictObj("dict", None, text_hole("data", slash=True))
    return proxy


SECTION = "configparser.SectionProxy"


@method(f"{SECTION}.__getitem__")
def section_getitem(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`section[option]`."""
    key = args.pos[0] if args.pos else UNKNOWN
    if isinstance(key, Known) and isinstance(key.value, str):
        key = Known(key.value.lower())
    return machine.dict_item(obj.slots[("entries",)], key)  # type: ignore[no-any-return]


@method(f"{SECTION}.get", f"{SECTION}.getint", f"{SECTION}.getfloat", f"{SECTION}.getboolean")
def section_get(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`section.get(option, fallback)`."""
    key = args.get(0, "option") or UNKNOWN
    if isinstance(key, Known) and isinstance(key.value, str):
        key = Known(key.value.lower())
    fallback = args.get(1, "fallback", NONE) or NONE
    return dict_get(machine, obj.slots[("entries",)], Arguments([key, fallback]))


@method(f"{SECTION}.getint")
def section_getint(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`section.getint(option)`."""
    return machine.call(Ext("builtins.int"), Arguments([section_get(machine, obj, args)]))  # type: ignore[no-any-return]


@method(f"{SECTION}.getboolean")
def section_getboolean(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`section.getboolean(option)`."""
    value = section_get(machine, obj, args)
    if isinstance(value, Known) and isinstance(value.value, str):
        return Known(value.value.lower() in ("1", "yes", "true", "on"))
    return value if isinstance(value, Known) else BOOL


@method(f"{SECTION}.items", f"{SECTION}.keys", f"{SECTION}.values", f"{SECTION}.__iter__")
def section_items(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`section.items()`."""
    return dict_items(machine, obj.slots[("entries",)], args)


@method(f"{SECTION}.__iter__")
def section_iter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Iteration gives option names."""
    del args
    content = machine.iterate(obj.slots[("entries",)])
    return ListObj("list", content.items, content.rest)


@function("shlex.split")
def shlex_split(machine: Machine, args: Arguments) -> AnyValue:
    """`shlex.split(text)`: pieces of a partly known command stay words."""
    known = pure_call(machine, shlex.split, args)
    if known is not None:
        return known
    text = text_of(args.pos[0]) if args.pos else None
    if text is None or isinstance(text, str):
        return ListObj("list", (), text_hole("unknown", slash=True))
    marks: dict[str, Hole] = {}
    plain = ""
    for part in text.parts:
        if isinstance(part, Hole):
            mark = chr(0xE000 + len(marks))
            marks[mark] = part
            plain += mark
        else:
            plain += part
    try:
        words = shlex.split(plain)
    except ValueError:
        return ListObj("list", (), text_hole("unknown", slash=True))
    return ListObj("list", [as_value(make_text([marks.get(char, char) for char in word])) for word in words])


@function("shlex.quote")
def shlex_quote(machine: Machine, args: Arguments) -> AnyValue:
    """`shlex.quote(text)`: quoting a hole leaves it a hole."""
    known = pure_call(machine, shlex.quote, args)
    return known if known is not None else (args.pos[0] if args.pos else UNKNOWN)


@function("shlex.join")
def shlex_join(machine: Machine, args: Arguments) -> AnyValue:
    """`shlex.join(words)`."""
    known = pure_call(machine, shlex.join, args)
    if known is not None:
        return known
    return machine.call_method(Known(" "), "join", args, None)  # type: ignore[no-any-return]


__all__ = ["Unknown"]
