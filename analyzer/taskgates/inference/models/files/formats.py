"""Formats of settings and data: JSON, TOML and YAML, read as values where the tree holds the file."""

from __future__ import annotations

import datetime as dt
import json
import shlex
from typing import TYPE_CHECKING, Any

import yaml

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.reading import file_text, handle_content
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.values.dictionaries import dict_items
from taskgates.inference.models.values.strings import pure_call
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Hole, make_text
from taskgates.inference.values import (
    DATA,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Union,
    Unknown,
    as_value,
    join,
    options,
    path_text,
    text_of,
)
from taskgates.model.access import Operation
from taskgates.tree.toml_source import load_toml

if TYPE_CHECKING:
    from collections.abc import Iterable

NODE_LIMIT = 20_000

_ERRORS: dict[Any, str] = {json.loads: "json.JSONDecodeError", load_toml: "tomllib.TOMLDecodeError"}
"""What parsers raise for a text that is not of their format; both are a ValueError."""


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


def parsed(machine: Machine, text: AnyValue, parse: Any) -> AnyValue:
    """Parse known text; unknown data otherwise."""
    if isinstance(text, Union):
        found = machine.vouched = join(_any_parsed(machine, text.options, parse))
        return found
    if isinstance(text, Known) and isinstance(text.value, str | bytes):
        source = text.value.decode("utf-8", "replace") if isinstance(text.value, bytes) else text.value
        try:
            value = parse(source)
        except Exception:  # noqa: BLE001 - whatever the parser says, the program would have failed
            if machine.closed and parse in _ERRORS and machine.prepared_for(_ERRORS[parse]):
                raise machine.throw(_ERRORS[parse]) from None
            machine.may_raise("ValueError")
            return DATA
        if _is_small(value):
            try:
                found = _with_simple(value)
            except (TypeError, RecursionError):
                return DATA
            machine.vouched = found
            return found
    machine.may_raise("ValueError")
    return DATA


def _any_parsed(machine: Machine, texts: Iterable[AnyValue], parse: Any) -> list[AnyValue]:
    """What the texts of several files say; broken ones make an error possible, or certain where all are."""
    found = []
    failed: AbstractRaise | None = None
    for text in texts:
        try:
            found.append(parsed(machine, text, parse))
        except AbstractRaise as error:
            failed = error
    if failed is not None and not found:
        raise failed
    if failed is not None:
        machine.may_raise("ValueError")
    return found


def _with_simple(value: Any) -> AnyValue:
    """from_python, dates and the like as unknown values of their type."""
    if isinstance(value, dict):
        return DictObj("dict", {Known(key): _with_simple(item) for key, item in value.items()})
    if isinstance(value, list):
        return ListObj("list", [_with_simple(item) for item in value])
    if value is None or isinstance(value, str | int | float | bool):
        return Known(value)
    if isinstance(value, dt.date | dt.time):
        return Known(value)
    return Instance(Ext(f"datetime.{type(value).__name__}"))


def _hooks(machine: Machine, value: AnyValue, args: Arguments) -> AnyValue:
    """What `object_hook` or `object_pairs_hook` makes of every object of a document, the inner ones first."""
    for name in ("object_hook", "object_pairs_hook"):
        hook = args.kw.get(name, NONE)
        if hook != NONE:
            return _hooked(machine, value, hook, pairs=name == "object_pairs_hook")
    return value


def _hooked(machine: Machine, value: AnyValue, hook: AnyValue, *, pairs: bool) -> AnyValue:
    if isinstance(value, ListObj):
        rest = _hooked(machine, value.rest, hook, pairs=pairs) if value.rest is not None else None
        return ListObj("list", [_hooked(machine, item, hook, pairs=pairs) for item in value.items], rest)
    if isinstance(value, DictObj):
        for key, item in value.known():
            value.slots[key] = _hooked(machine, item, hook, pairs=pairs)
        given = dict_items(machine, value, Arguments()) if pairs else value
        return machine.call(hook, Arguments([given]))  # type: ignore[no-any-return]
    return machine.call(hook, Arguments([value])) if isinstance(value, Unknown) else value


@function("json.load", "simplejson.load", "ujson.load")
def json_load(machine: Machine, args: Arguments) -> AnyValue:
    """`json.load(handle)`."""
    found = [
        _hooks(machine, parsed(machine, handle_content(machine, option), json.loads), args)
        if isinstance(option, Instance)
        else DATA
        for option in options(args.get(0, "fp") or UNKNOWN)
    ]
    return join(found)


@function("json.loads", "orjson.loads", "ujson.loads", "simplejson.loads")
def json_loads(machine: Machine, args: Arguments) -> AnyValue:
    """`json.loads(text)`."""
    return _hooks(machine, parsed(machine, args.get(0, "s") or UNKNOWN, json.loads), args)


def encode_others(machine: Machine, args: Arguments) -> None:
    """An encoder of the program's own is asked for what JSON does not know."""
    encoder = args.kw.get("cls")
    if isinstance(encoder, ClassV):
        made = machine.call(encoder, Arguments())
        if machine.has_attr(made, "default"):
            machine.call_with_unknowns(machine.get_attr(made, "default"))


@function("json.dump")
def json_dump(machine: Machine, args: Arguments) -> AnyValue | None:
    """`json.dump(value, handle)`: the table says the rest."""
    encode_others(machine, args)
    return None


@function("json.dumps")
def json_dumps(machine: Machine, args: Arguments) -> AnyValue:
    """`json.dumps(value)`: known only when it is short."""
    known = None
    encode_others(machine, args)
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
        return parsed(machine, handle_content(machine, handle), load_toml)
    if path_text(handle) is not None:
        machine.access(Operation.READ, handle, "toml.load")
        return parsed(machine, content_of(machine, handle), load_toml)
    return DATA


def content_of(machine: Machine, path: AnyValue) -> AnyValue:
    """The text of a configuration file, whatever its name."""
    text = file_text(machine, path)
    return Known(text) if text is not None else text_hole()


@function("tomllib.loads", "tomli.loads", "toml.loads")
def toml_loads(machine: Machine, args: Arguments) -> AnyValue:
    """`tomllib.loads(text)`."""
    return parsed(machine, args.pos[0] if args.pos else UNKNOWN, load_toml)


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
    return parsed(machine, text, _yaml)


@function("yaml.safe_load", "yaml.load", "yaml.full_load", "yaml.unsafe_load")
def yaml_load(machine: Machine, args: Arguments) -> AnyValue:
    """`yaml.safe_load(stream)`."""
    source = args.pos[0] if args.pos else UNKNOWN
    if isinstance(source, Instance):
        source = handle_content(machine, source)
    return parsed(machine, source, _yaml)


@function("yaml.safe_load_all", "yaml.load_all", "yaml.full_load_all", "yaml.unsafe_load_all")
def yaml_load_all(machine: Machine, args: Arguments) -> AnyValue:
    """`yaml.safe_load_all(stream)`: one value a document."""
    source = args.pos[0] if args.pos else UNKNOWN
    if isinstance(source, Instance):
        source = handle_content(machine, source)
    found = parsed(machine, source, lambda text: list(yaml.load_all(text, Loader=_BoundedLoader)))
    return ListObj("iterator", found.items) if isinstance(found, ListObj) else ListObj("iterator", (), DATA)


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
