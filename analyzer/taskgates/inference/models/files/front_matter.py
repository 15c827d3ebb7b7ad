"""python-frontmatter: documents with a head of settings."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

from taskgates.inference.conversion import from_python
from taskgates.inference.models.reading import deciding_content, decoded, handle_content
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, DictObj, Instance
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import BOOL, DATA, UNKNOWN, AnyValue, Ext, Known, TupleV, path_text
from taskgates.model.access import Operation
from taskgates.tree.toml_source import load_toml

if TYPE_CHECKING:
    from collections.abc import Callable

POST = "frontmatter.Post"
_HEADS: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"^\s*-{3,}\s*$", re.MULTILINE), yaml.safe_load),
    (re.compile(r"^\s*\+{3,}\s*$", re.MULTILINE), load_toml),
)
"""What stands around a head, and how it is read."""


def _split(text: str) -> tuple[dict[str, Any], str]:
    """The settings in the head of a document, and the text behind it."""
    for border, load in _HEADS:
        if border.match(text) is None:
            continue
        pieces = border.split(text, 2)
        if len(pieces) < 3:
            continue
        try:
            found = load(pieces[1])
        except (ValueError, yaml.YAMLError):
            return {}, text
        return (found if isinstance(found, dict) else {}), pieces[2].strip()
    if text.startswith("{"):
        try:
            found, end = json.JSONDecoder().raw_decode(text)
        except ValueError:
            return {}, text.strip()
        return (found if isinstance(found, dict) else {}), text[end:].strip()
    return {}, text.strip()


def _values(found: dict[str, Any]) -> DictObj:
    entries: dict[Any, AnyValue] = {}
    for key, value in found.items():
        try:
            entries[Known(key)] = from_python(value)
        except (TypeError, RecursionError):
            entries[Known(key)] = DATA
    return DictObj("dict", entries)


def _post(text: AnyValue, defaults: dict[str, AnyValue]) -> Instance:
    """The document that a text is."""
    made = Instance(Ext(POST))
    content: AnyValue
    if isinstance(text, Known) and isinstance(text.value, str | bytes):
        source = text.value if isinstance(text.value, str) else text.value.decode("utf-8", "replace")
        head, body = _split(source)
        metadata, content = _values(head), Known(body)
    else:
        metadata, content = DictObj("dict", rest=DATA), text_hole("data", slash=True)
    given = {Known(name): value for name, value in defaults.items() if Known(name) not in metadata.slots}
    metadata.slots.update(given)
    made.slots["metadata"], made.slots["content"] = metadata, content
    return made


def _text_of_file(machine: Machine, source: AnyValue, call: str) -> AnyValue:
    if isinstance(source, Instance) and path_text(source) is None:
        return handle_content(machine, source)
    machine.access(Operation.READ, source, call)
    text = decoded(deciding_content(machine, source))
    return Known(text) if text is not None else UNKNOWN


def _defaults(args: Arguments) -> dict[str, AnyValue]:
    return {name: value for name, value in args.kw.items() if name not in ("fd", "text", "encoding", "handler")}


@function("frontmatter.load")
def load(machine: Machine, args: Arguments) -> AnyValue:
    """`load(file)`: a path or an open file."""
    return _post(_text_of_file(machine, args.get(0, "fd") or UNKNOWN, "frontmatter.load"), _defaults(args))


@function("frontmatter.loads")
def loads(machine: Machine, args: Arguments) -> AnyValue:
    """`loads(text)`."""
    del machine
    return _post(args.get(0, "text") or UNKNOWN, _defaults(args))


@function("frontmatter.parse")
def parse(machine: Machine, args: Arguments) -> AnyValue:
    """`parse(text)`: the settings and the text behind them."""
    del machine
    made = _post(args.get(0, "text") or UNKNOWN, _defaults(args))
    return TupleV([made.slots["metadata"], made.slots["content"]])


@function("frontmatter.check")
def check(machine: Machine, args: Arguments) -> AnyValue:
    """`check(file)`: whether it has a head."""
    text = _text_of_file(machine, args.get(0, "fd") or UNKNOWN, "frontmatter.check")
    return Known(_has_head(str(text.value))) if isinstance(text, Known) else BOOL


def _has_head(text: str) -> bool:
    return text.startswith("{") or any(border.match(text) is not None for border, _ in _HEADS)


@function(POST)
def make_post(machine: Machine, args: Arguments) -> AnyValue:
    """`Post(content, **metadata)`."""
    del machine
    made = Instance(Ext(POST))
    given = {Known(name): value for name, value in args.kw.items() if name not in ("content", "handler")}
    made.slots["metadata"] = DictObj("dict", given, args.kwstar)
    made.slots["content"] = args.get(0, "content") or Known("")
    return made


@method(f"{POST}.__getitem__")
def get_item(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`post[name]`."""
    return machine.get_item(obj.slots["metadata"], args.pos[0])  # type: ignore[no-any-return]


@method(f"{POST}.__setitem__")
def set_item(machine: Machine, obj: Instance, args: Arguments) -> None:
    """`post[name] = value`."""
    machine.set_item(obj.slots["metadata"], args.pos[0], args.pos[1])


@method(f"{POST}.__contains__")
def contains(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`name in post`."""
    del machine
    inner = obj.slots["metadata"]
    known = isinstance(inner, DictObj) and inner.exact and isinstance(args.pos[0], Known)
    return Known(args.pos[0] in inner.slots) if known else BOOL


def _passed_on(name: str) -> None:
    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        return machine.call(machine.get_attr(obj.slots["metadata"], name), args)  # type: ignore[no-any-return]

    method(f"{POST}.{name}")(model)


for _name in ("get", "keys", "values"):
    _passed_on(_name)


@method(f"{POST}.to_dict")
def to_dict(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`post.to_dict()`: the settings, and the text as `content`."""
    out = machine.call(machine.get_attr(obj.slots["metadata"], "copy"), args)
    if isinstance(out, DictObj):
        out.slots[Known("content")] = obj.slots["content"]
    return out  # type: ignore[no-any-return]
