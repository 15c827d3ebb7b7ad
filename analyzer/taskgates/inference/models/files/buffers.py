"""io.StringIO and io.BytesIO: what is written comes out again."""

from __future__ import annotations

from taskgates.inference.models.reading import POSITION, line_from, lines_from, read_from
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.models.values.formatting import to_text
from taskgates.inference.objects import Arguments, Instance
from taskgates.inference.operators import TEXT_LIMIT
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Hole, Text, TextLike, concat
from taskgates.inference.values import BYTES, FALSE, INT, NONE, AnyValue, Ext, Known, TupleV, as_value, text_of

CONTENTS = ("contents",)
"""The slot for what a buffer holds."""
TYPES = ("io.StringIO", "io.BytesIO")


def _names(*methods: str) -> list[str]:
    return [f"{type_name}.{name}" for type_name in TYPES for name in methods]


def _buffer(type_name: str, initial: AnyValue) -> Instance:
    out = Instance(Ext(type_name))
    out.slots[CONTENTS] = initial
    return out


@function("io.StringIO")
def string_buffer(machine: Machine, args: Arguments) -> AnyValue:
    """`StringIO(text)`."""
    del machine
    initial = args.get(0, "initial_value", Known(""))
    return _buffer("io.StringIO", Known("") if initial is None or initial == NONE else initial)


@function("io.BytesIO")
def bytes_buffer(machine: Machine, args: Arguments) -> AnyValue:
    """`BytesIO(data)`."""
    del machine
    initial = args.get(0, "initial_bytes", Known(b""))
    return _buffer("io.BytesIO", Known(b"") if initial is None or initial == NONE else initial)


def append_text(machine: Machine, obj: Instance, value: AnyValue) -> None:
    """Write text or bytes at the end of a buffer."""
    before = obj.slots.get(CONTENTS, NONE)
    after: AnyValue
    first, second = text_of(before), text_of(value)
    if first is not None and second is not None:
        whole = concat(first, second)
        after = as_value(whole) if not isinstance(whole, str) or len(whole) <= TEXT_LIMIT else text_hole("data", True)
    elif isinstance(before, Known) and isinstance(value, Known) and isinstance(before.value, bytes):
        data = before.value + value.value if isinstance(value.value, bytes) else b""
        after = Known(data) if len(data) <= TEXT_LIMIT else BYTES
    else:
        after = BYTES if isinstance(obj.cls, Ext) and obj.cls.name == "io.BytesIO" else text_hole("data", True)
    machine.state.write(obj.slots, CONTENTS, after)
    if isinstance(after, Known):
        machine.state.write(obj.slots, POSITION, Known(len(after.value)))


@method(*_names("write"))
def buffer_write(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`buffer.write(text)`."""
    if args.pos:
        append_text(machine, obj, args.pos[0])
    return INT


@method(*_names("writelines"))
def buffer_writelines(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`buffer.writelines(lines)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    for item in content.items:
        append_text(machine, obj, item)
    if content.rest is not None:
        append_text(machine, obj, text_hole("data", True))
    return NONE


def print_into(machine: Machine, obj: Instance, args: Arguments) -> None:
    """`print(..., file=buffer)`."""
    separator, end = text_of(args.kw.get("sep", Known(" "))), text_of(args.kw.get("end", Known("\n")))
    pieces: list[TextLike] = []
    for index, value in enumerate(args.pos):
        if index:
            pieces.append(separator if separator is not None else " ")
        pieces.append(to_text(machine, value))
    if args.star is not None:
        pieces.append(Text((Hole("data", True),)))
    append_text(machine, obj, as_value(concat(*pieces, end if end is not None else "\n")))


@method(*_names("getvalue", "getbuffer"))
def buffer_value(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`buffer.getvalue()`."""
    del machine, args
    found: AnyValue = obj.slots.get(CONTENTS, text_hole("data", True))
    return found


@method(*_names("read"))
def buffer_read(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`buffer.read(size)`."""
    return read_from(machine, obj, obj.slots.get(CONTENTS, text_hole()), args)


@method(*_names("readlines", "__iter__"))
def buffer_lines(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The lines of a buffer."""
    del args
    return lines_from(machine, obj, obj.slots.get(CONTENTS, text_hole()))


@method(*_names("readline", "__next__"))
def buffer_line(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """One line."""
    del args
    return line_from(machine, obj, obj.slots.get(CONTENTS, text_hole()))


@method(*_names("seek"))
def buffer_seek(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`buffer.seek(offset)`: only the way back to the beginning is followed."""
    start = args.pos == [Known(0)]
    machine.state.write(obj.slots, POSITION, Known(0) if start else INT)
    return Known(0) if start else INT


@method(*_names("truncate"))
def buffer_truncate(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`buffer.truncate(size)`."""
    data = obj.slots.get(CONTENTS)
    emptied = isinstance(data, Known) and args.pos == [Known(0)]
    after = Known(data.value[:0]) if emptied and isinstance(data, Known) else text_hole("data", slash=True)
    machine.state.write(obj.slots, CONTENTS, after)
    return INT


@method(*_names("__enter__"))
def buffer_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with StringIO() as buffer`."""
    del machine, args
    return obj


@method(*_names("__exit__"))
def buffer_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The end of the block."""
    del machine, obj, args
    return FALSE


@method(*_names("close", "flush"))
def buffer_close(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Nothing of a buffer is on disk."""
    del machine, obj, args
    return NONE
