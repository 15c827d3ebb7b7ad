"""linecache and fileinput: the lines of files that are known; mimetypes: their types by name."""

from __future__ import annotations

import mimetypes
from functools import cache
from typing import TYPE_CHECKING, Any

from taskgates.inference.models.reading import deciding_content, decoded
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.models.values.computed import known_result
from taskgates.inference.models.values.strings import pure_call
from taskgates.inference.objects import STREAM, Arguments, Instance, ListObj
from taskgates.inference.values import FALSE, NONE, AnyValue, Ext, Known, Stream, TupleV, path_text
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator


@cache
def _types() -> mimetypes.MimeTypes:
    """The types that the library itself knows, whatever the system adds to them."""
    return mimetypes.MimeTypes(filenames=())


def _extension(*args: Any, **options: Any) -> str | None:
    return _types().guess_extension(*args, **options)


def _extensions(*args: Any, **options: Any) -> list[str]:
    return _types().guess_all_extensions(*args, **options)


known_result("mimetypes.guess_extension", _extension)
known_result("mimetypes.guess_all_extensions", _extensions)


@function("mimetypes.guess_type")
def guess_type(machine: Machine, args: Arguments) -> AnyValue | None:
    """`mimetypes.guess_type(url)`; of an ending that the library does not know, the system may know the type."""
    known = pure_call(machine, _types().guess_type, args)
    return known if isinstance(known, TupleV) and known.items[:1] != (NONE,) else None


def _lines(machine: Machine, value: AnyValue, call: str) -> list[str] | None:
    text = decoded(deciding_content(machine, value))
    lines = text.splitlines(keepends=True) if text is not None else []
    if text is None or len(lines) > machine.limits.unroll:
        return None
    machine.note_open(Operation.READ, value, call)
    return lines


def _ended(line: str) -> str:
    """A line as `linecache` gives it: the last one ends with a line feed as well."""
    return line if line.endswith("\n") else line + "\n"


@function("linecache.getlines")
def get_lines(machine: Machine, args: Arguments) -> AnyValue | None:
    """`linecache.getlines(filename)`."""
    name = args.get(0, "filename")
    lines = _lines(machine, name, "linecache.getlines") if name is not None else None
    return None if lines is None else ListObj("list", [Known(_ended(line)) for line in lines])


@function("linecache.getline")
def get_line(machine: Machine, args: Arguments) -> AnyValue | None:
    """`linecache.getline(filename, lineno)`: lines are counted from 1; there is no error."""
    name, number = args.get(0, "filename"), args.get(1, "lineno")
    if name is None or not isinstance(number, Known) or not isinstance(number.value, int):
        return None
    lines = _lines(machine, name, "linecache.getline")
    if lines is None:
        return None
    return Known(_ended(lines[number.value - 1]) if 1 <= number.value <= len(lines) else "")


INPUT = "fileinput.FileInput"
LINES = ("lines",)
"""The slot of an input for its files, each with its lines."""


@function("fileinput.input", INPUT)
def make_input(machine: Machine, args: Arguments) -> AnyValue | None:
    """`fileinput.input(files)`: the files are read in turn."""
    files = args.get(0, "files")
    if files is None or files == NONE:
        content = machine.iterate(machine.argv)
        if content.rest is None:
            files = TupleV(content.items[1:])
            args = Arguments([files, *args.pos[1:]], {name: each for name, each in args.kw.items() if name != "files"})
            if not files.items:
                # What stands on standard input is read.
                return Instance(Ext(INPUT))
            if (row := machine.effects.lookup(INPUT)) is not None and any(
                name in args.kw for name in ("inplace", "mode")
            ):
                return machine.apply(row, args, None, INPUT)  # type: ignore[no-any-return]
    if files is None or (args.get(1, "inplace") or FALSE) != FALSE or args.get(4, "mode") is not None:
        return None
    names = [files] if path_text(files) is not None else list(machine.iterate(files).items)
    texts = [decoded(deciding_content(machine, name)) for name in names]
    row = machine.effects.lookup(INPUT)
    if row is None or not names or any(text is None for text in texts):
        return None
    given = Arguments(
        [TupleV(names), *args.pos[1:]], {name: value for name, value in args.kw.items() if name != "files"}
    )
    out = machine.apply(row, given, None, INPUT)
    if isinstance(out, Instance):
        found = out
        pieces = [(text or "").splitlines(keepends=True) for text in texts]
        out.slots[LINES] = list(zip(names, pieces, strict=True))
        if sum(map(len, pieces)) <= machine.limits.unroll:
            out.slots[STREAM] = Stream(lambda: _each_line(machine, found))
        machine.library[INPUT] = out
    return out  # type: ignore[no-any-return]


@method(f"{INPUT}.__iter__")
def input_lines(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """All lines of an input at once."""
    del machine, args
    found = obj.slots.get(STREAM) if isinstance(obj, Instance) else None
    return ListObj("iterator", list(found.rows())) if isinstance(found, Stream) else None


def _each_line(machine: Machine, obj: Instance) -> Iterator[AnyValue]:
    total = 0
    for name, lines in obj.slots[LINES]:
        for number, line in enumerate(lines, 1):
            total += 1
            place = {"filename": name, "lineno": Known(total), "filelineno": Known(number)}
            for key, value in {**place, "isfirstline": Known(number == 1)}.items():
                machine.state.write(obj.slots, (key,), value)
            yield Known(line)


def _place(name: str) -> None:
    def asked(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
        del machine, args
        return obj.slots.get((name,)) if isinstance(obj, Instance) else None

    def asked_of_last(machine: Machine, args: Arguments) -> AnyValue | None:
        return asked(machine, machine.library.get(INPUT), args)

    method(f"{INPUT}.{name}")(asked)
    function(f"fileinput.{name}")(asked_of_last)


for _name in ("filename", "lineno", "filelineno", "isfirstline"):
    _place(_name)
