"""Snakemake's lists with names, and the shell commands that speak of them in their fields."""

from __future__ import annotations

import re
import shlex
import string
from typing import TYPE_CHECKING

import msgspec

from taskgates.inference.models.pipelines.snakemake_texts import Marks
from taskgates.inference.models.values.formatting import format_value, to_text
from taskgates.inference.objects import Arguments, ClassV, FunctionV, Instance, ListObj
from taskgates.inference.text import Hole, Text, concat
from taskgates.inference.values import (
    EMPTY,
    NONE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    Native,
    Partial,
    TupleV,
    as_value,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike

_FIELD = re.compile(r"\.(\w+)|\[([^\]]*)\]")


# Commands


def joined(machine: Machine, value: AnyValue) -> TextLike:
    """What a value reads as in a shell command: the members of a list with blanks between."""
    if isinstance(value, ListObj | TupleV):
        content = machine.iterate(value)
        out: TextLike = ""
        members = [*content.items, *([content.rest] if content.rest is not None else [])]
        for index, item in enumerate(members):
            text = joined(machine, item)
            out = concat(out, " ", text) if index else text
        return out
    return to_text(machine, value)


def filled_command(machine: Machine, text: AnyValue, names: Mapping[str, AnyValue]) -> AnyValue:
    """A shell command with its `{fields}` replaced.

    Args:
        machine: the interpreter.
        text: the command as it is written.
        names: what its fields may speak of.
    """
    given = text_of(text)
    if given is None:
        return text
    marks = Marks()
    plain = marks.encode(given)
    try:
        pieces = list(string.Formatter().parse(plain))
    except ValueError:
        machine.opaque("a shell command whose fields cannot be read")
        return as_value(given)
    out: TextLike = ""
    for literal, field, spec, conversion in pieces:
        out = concat(out, marks.decode(literal))
        if field is not None:
            out = concat(out, _field_text(machine, field, spec or "", conversion, names))
    return as_value(out)


def _field_text(
    machine: Machine, field: str, spec: str, conversion: str | None, names: Mapping[str, AnyValue]
) -> TextLike:
    head = re.match(r"\w+", field)
    value = names.get(head[0]) if head else None
    if head is None or value is None:
        machine.opaque(f"the field {{{field}}} of a shell command is not known")
        return Text((Hole("data", True),))
    for attribute, index in _FIELD.findall(field[head.end() :]):
        if attribute:
            value = machine.get_attr(value, attribute)
        else:
            value = machine.get_item(value, Known(int(index) if index.lstrip("-").isdigit() else index))
    assert value is not None
    if spec in ("q", "u"):
        text = joined(machine, value)
        if not isinstance(text, str) or spec == "u":
            return text
        return (
            " ".join(shlex.quote(word) for word in text.split(" ")) if isinstance(value, ListObj) else shlex.quote(text)
        )
    if spec or conversion:
        shown = text_of(format_value(machine, value, conversion, Known(spec)))
        return shown if shown is not None else Text((Hole("data", False),))
    return joined(machine, value)


# Objects


_INNER = ("value",)


def _shown(machine: Machine, args: Arguments) -> AnyValue:
    inner = args.pos[0].slots[_INNER] if args.pos and isinstance(args.pos[0], Instance) else NONE
    return as_value(joined(machine, inner))


def _item(machine: Machine, args: Arguments) -> AnyValue:
    """`files[index]`, `wildcards["name"]`."""
    owner, index = args.pos[0], args.get(1, "index") or NONE
    if not isinstance(owner, Instance):
        return UNKNOWN
    name = text_of(index)
    if isinstance(name, str) and name in owner.slots:
        return owner.slots[name]  # type: ignore[no-any-return]
    return machine.get_item(owner.slots[_INNER], index)  # type: ignore[no-any-return]


def _get(machine: Machine, args: Arguments) -> AnyValue:
    """`files.get(name, default)`."""
    del machine
    name = text_of(args.get(1, "key") or EMPTY)
    owner = args.pos[0]
    default = args.get(2, "default_value") or NONE
    return owner.slots.get(name, default) if isinstance(owner, Instance) else default


def _entries(owner: AnyValue) -> list[tuple[AnyValue, AnyValue]]:
    slots = owner.slots.items() if isinstance(owner, Instance) else ()
    return [(Known(name), value) for name, value in slots if isinstance(name, str)]


def _keys(machine: Machine, args: Arguments) -> AnyValue:
    del machine
    return ListObj("list", [key for key, _ in _entries(args.pos[0])])


def _items(machine: Machine, args: Arguments) -> AnyValue:
    del machine
    return ListObj("list", [TupleV(entry) for entry in _entries(args.pos[0])])


def _values(machine: Machine, args: Arguments) -> AnyValue:
    del machine
    return ListObj("list", [value for _, value in _entries(args.pos[0])])


def _list_class() -> ClassV:
    """A class over `list` whose objects read as their members with blanks between."""
    made = ClassV("Namedlist", "snakemake.io.Namedlist", None, (Ext("builtins.list"),))
    made.slots.update(
        {
            "__str__": Native("method:str", _shown),
            "__getitem__": Native("method:getitem", _item),
            "get": Native("method:get", _get),
            "keys": Native("method:keys", _keys),
            "items": Native("method:items", _items),
            "values": Native("method:values", _values),
        }
    )
    return made


class Entry(msgspec.Struct):
    """A member of a list, or several under one name.

    Attributes:
        name: its name; None where it has none.
        values: the members.
        several: whether they stand for a list, also where there is only one.
    """

    name: str | None
    values: list[AnyValue]
    several: bool = False


def values_of(entries: Iterable[Entry]) -> list[AnyValue]:
    """The members of all entries, in order."""
    return [value for entry in entries for value in entry.values]


def is_callable(value: AnyValue | None) -> bool:
    """Whether a value in a rule is called for each job."""
    return isinstance(value, FunctionV | BoundMethod | Partial | Native)


def named_list(entries: Sequence[Entry], cls: ClassV | None = None) -> Instance:
    """A list some of whose members have names: `input`, `output`, `params`, `log`, `wildcards`."""
    cls = cls or _list_class()
    made = Instance(cls)
    flat: list[AnyValue] = []
    for entry in entries:
        flat.extend(entry.values)
        if entry.name is not None:
            members = [Entry(None, [value]) for value in entry.values]
            made.slots[entry.name] = named_list(members, cls) if entry.several else entry.values[0]
    made.slots[_INNER] = ListObj("list", flat)
    return made


def wildcards_object(wildcards: Mapping[str, AnyValue]) -> Instance:
    """The object `wildcards` of a job."""
    return named_list([Entry(name, [value]) for name, value in wildcards.items()])


__all__ = ["Entry", "filled_command", "joined", "named_list", "wildcards_object"]
