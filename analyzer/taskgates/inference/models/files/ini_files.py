"""`configparser`: sections and options, read as values where the tree holds the files."""

from __future__ import annotations

import configparser
import io
from typing import Any

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.files.formats import content_of
from taskgates.inference.models.reading import handle_content
from taskgates.inference.models.registry import FUNCTIONS, FunctionModel, Machine, function, method
from taskgates.inference.models.values.dictionaries import dict_get, dict_items
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import (
    BOOL,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    TupleV,
    Union,
    Unknown,
    join,
    options,
    path_text,
)
from taskgates.model.access import Operation


@function("configparser.ConfigParser", "configparser.SafeConfigParser")
def config_parser(machine: Machine, args: Arguments) -> AnyValue:
    """`ConfigParser(...)`: known text is read by the real parser with the same settings."""
    return _new_parser(machine, args)


@function("configparser.RawConfigParser")
def raw_parser(machine: Machine, args: Arguments) -> AnyValue:
    """`RawConfigParser(...)`: nothing in values stands for others."""
    return _new_parser(machine, Arguments(args.pos, {**args.kw, "interpolation": args.kw.get("interpolation", NONE)}))


def _new_parser(machine: Machine, args: Arguments) -> Instance:
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
    if not args.pos:
        return NONE
    try:
        text = _as_ini(to_python(args.pos[0]))
    except (NotKnown, configparser.Error, AttributeError, TypeError, ValueError):
        machine.merge_into(obj.slots[("sections",)], args.pos[0])
    else:
        # Values of files that are read later may refer to these.
        _merge_ini(machine, obj, Known(text))
    return NONE


def _as_ini(sections: Any) -> str:
    """The text of a settings file that says the same as a mapping of sections."""
    writer = configparser.RawConfigParser(allow_no_value=True)
    writer.optionxform = str  # type: ignore[assignment,method-assign]
    writer.read_dict(sections)
    out = io.StringIO()
    writer.write(out)
    return out.getvalue()


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
        holders = (entries, sections.slots.get(Known("DEFAULT")))
        name = Known(str(args.pos[1].value).lower())
        return Known(isinstance(entries, DictObj) and any(name in held.slots for held in holders if held is not None))
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
    key = _option_name(obj, args.pos[0] if args.pos else UNKNOWN)
    return machine.dict_item(obj.slots[("entries",)], key)  # type: ignore[no-any-return]


def _option_name(obj: Instance, name: AnyValue) -> AnyValue:
    """An option as a section keeps it: in lower case, unless the parser was told to leave names alone."""
    if not (isinstance(name, Known) and isinstance(name.value, str)) or name in obj.slots[("entries",)].slots:
        return name
    return Known(name.value.lower())


@method(f"{SECTION}.get", f"{SECTION}.getint", f"{SECTION}.getfloat", f"{SECTION}.getboolean")
def section_get(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`section.get(option, fallback)`."""
    key = _option_name(obj, args.get(0, "option") or UNKNOWN)
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


@method(f"{SECTION}.__contains__")
def section_has(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`name in section`."""
    return machine.compare_values("in", _option_name(obj, args.pos[0]), obj.slots[("entries",)])  # type: ignore[no-any-return]


@method(f"{SECTION}.items")
def section_items(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`section.items()`."""
    return dict_items(machine, obj.slots[("entries",)], args)


@method(f"{SECTION}.values")
def section_values(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`section.values()`."""
    return machine.call_method(obj.slots[("entries",)], "values", args, None)  # type: ignore[no-any-return]


@method(f"{SECTION}.keys", f"{SECTION}.__iter__")
def section_iter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Iteration gives option names."""
    del args
    content = machine.iterate(obj.slots[("entries",)])
    return ListObj("list", content.items, content.rest)
