"""csv: the rows of known text, and of the small tables of the repository."""

from __future__ import annotations

import csv
from typing import Any

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.models.files.buffers import CONTENTS
from taskgates.inference.models.reading import POSITION, file_text, handle_content, unread
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import CONTENT, Arguments, DictObj, Instance, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import NONE, UNKNOWN, AnyValue, Ext, Known, TupleV, text_of

READER = "csv.DictReader"
ROWS = ("rows",)
"""The slot for the rows that a reader has not given yet."""


def _content(machine: Machine, obj: Instance) -> AnyValue:
    """The text behind an open file or a buffer.

    A table is data that other tasks may renew: its rows count as known only for a command line, which is analysed in
    the tree as it stands.
    """
    if CONTENTS in obj.slots:
        return obj.slots[CONTENTS]  # type: ignore[no-any-return]
    found = handle_content(machine, obj)
    mode = text_of(obj.slots.get("mode", Known("r")))
    if isinstance(found, Known) or not machine.closed or not isinstance(mode, str) or set(mode) & set("wab"):
        return found
    text = file_text(machine, obj.slots.get("name", UNKNOWN))
    return Known(text) if text is not None else found


def _lines(machine: Machine, value: AnyValue) -> list[str] | None:
    """The lines that a reader gets; None where they are not known."""
    if isinstance(value, Instance):
        if not isinstance(value.cls, Ext):
            return None
        rest = unread(value, _content(machine, value))
        if not isinstance(rest, str):
            return None
        machine.state.write(value.slots, POSITION, Known(1 << 30))
        return rest.splitlines(keepends=True)
    content = machine.iterate(value)
    try:
        lines = to_python(TupleV(content.items, content.rest))
    except NotKnown:
        return None
    return list(lines) if all(isinstance(line, str) for line in lines) else None


def _settings(args: Arguments, names: tuple[str, ...]) -> dict[str, Any] | None:
    """The formatting parameters of a reader; None when some are not known."""
    if args.star is not None or args.kwstar is not None:
        return None
    out: dict[str, Any] = {}
    for index, name in enumerate(names, 1):
        value = args.get(index, name)
        if value is not None:
            out[name] = value
    out.update(args.kw)
    try:
        return {name: to_python(value) for name, value in out.items()}
    except NotKnown:
        return None


def _rows(machine: Machine, args: Arguments, names: tuple[str, ...], kind: Any) -> list[Any] | None:
    settings = _settings(args, names)
    source = args.pos[0] if args.pos else NONE
    if settings is None or (isinstance(source, Instance) and not isinstance(source.cls, Ext)):
        return None
    lines = _lines(machine, source)
    if lines is None or len(lines) > machine.limits.unroll:
        return None
    settings.pop("f", None)
    try:
        return list(kind(lines, **settings))
    except (csv.Error, TypeError, ValueError):
        return None


@function("csv.reader")
def reader(machine: Machine, args: Arguments) -> AnyValue:
    """`csv.reader(lines)`."""
    found = _rows(machine, args, ("dialect",), csv.reader)
    if found is None:
        return ListObj("iterator", (), ListObj("list", (), text_hole()))
    return ListObj("iterator", [from_python(row) for row in found])


@function(READER)
def dict_reader(machine: Machine, args: Arguments) -> AnyValue | None:
    """`csv.DictReader(lines)`."""
    found = _rows(machine, args, ("fieldnames", "restkey", "restval", "dialect"), csv.DictReader)
    if found is None:
        return None
    out = Instance(Ext(READER))
    out.slots[ROWS] = ListObj("iterator", [from_python(row) for row in found])
    if found:
        out.slots["fieldnames"] = from_python([name for name in found[0] if name is not None])
    return out


@method(f"{READER}.__iter__")
def dict_rows(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Iteration gives a mapping for every row."""
    del machine, args
    rows: AnyValue = obj.slots.get(ROWS, ListObj("iterator", (), DictObj("dict", None, text_hole())))
    return rows


@method(f"{READER}.__next__")
def dict_row(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """One row."""
    rows = dict_rows(machine, obj, args)
    assert isinstance(rows, ListObj)
    content: TupleV = rows.slots[CONTENT]
    if content.items:
        machine.state.write(rows.slots, CONTENT, TupleV(content.items[1:], content.rest))
        return content.items[0]
    if content.rest is None:
        raise machine.throw("StopIteration")
    machine.may_raise("StopIteration")
    return content.rest
