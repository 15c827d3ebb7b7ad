"""What programs read: the content of small configuration files, and open files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import Machine, MethodT, method
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Text
from taskgates.inference.values import (
    BOOL,
    BYTES,
    FALSE,
    INT,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    PathV,
    Union,
    Unknown,
    join,
    path_text,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Callable


SETTINGS_LIMIT = 65_536
"""Bytes of a settings file whose content is known."""


def file_text(machine: Machine, value: AnyValue) -> str | None:
    """The text of a small file of the tree; None where it is not known."""
    text = path_text(value)
    if text is None:
        return None
    data = machine.content(text)
    return decoded(data) if data is not None and len(data) <= SETTINGS_LIMIT else None


def decoded(data: bytes | None) -> str | None:
    """The text that a file opened as text gives; None where it is not UTF-8."""
    if data is None:
        return None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
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


DATA_LIMIT = 16_384
"""Bytes of a file that is no settings file and whose content is known nevertheless."""


def deciding_content(machine: Machine, value: AnyValue) -> bytes | None:
    """The content of a small file of the tree that may decide what the program does; None where it is not known.

    Settings decide, and Python sources, which are executed or searched for a version. All other files are data that
    other tasks may renew: they count as known only for a command line, which is analysed in the tree as it stands.
    """
    text = path_text(value)
    if not isinstance(text, str):
        return None
    settings = is_configuration(value)
    if not (settings or machine.closed or text.endswith(".py")):
        return None
    data = machine.content(text)
    return data if data is not None and len(data) <= (SETTINGS_LIMIT if settings else DATA_LIMIT) else None


MATCHES = 8
"""How many files of one pattern are read for what they may decide."""


def file_content(machine: Machine, value: AnyValue, *, binary: bool) -> AnyValue | None:
    """What is read from a path, where it is known: of a pattern, what each of its files holds."""
    found = [deciding_content(machine, place) for place in _places(machine, value)]
    contents: list[AnyValue] = []
    for data in found:
        text = data if binary else decoded(data)
        if data is None or text is None:
            return None
        contents.append(Known(text))
    return join(contents) if contents else None


def _places(machine: Machine, value: AnyValue) -> list[AnyValue]:
    """The files that a path stands for: itself, or for a command line those of the tree that match it."""
    text = path_text(value)
    if not isinstance(text, Text):
        return [value]
    whole = machine.absolute(text)
    if not machine.closed or text.origin != "glob" or not isinstance(whole, Text) or machine.log.written_patterns:
        return []
    places = machine.matching(whole) or ()
    files = [Known(f"{machine.root}/{place}") for place in places if machine.tree.kind(place) == "file"]
    return list(files) if len(files) <= MATCHES else []


def handle_content(machine: Machine, obj: Instance) -> AnyValue:
    """What an open file holds, where that is known of a file of the tree."""
    if TEXT in obj.slots:
        return obj.slots[TEXT]  # type: ignore[no-any-return]
    name = obj.slots.get("name", UNKNOWN)
    mode = text_of(obj.slots.get("mode", Known("r")))
    if isinstance(mode, str) and "w" not in mode and "a" not in mode:
        if FOUND not in obj.slots:
            # Not undone with a branch: it is the same in each, and is asked for once a line.
            obj.slots[FOUND] = file_content(machine, name, binary="b" in mode)
        found: AnyValue | None = obj.slots[FOUND]
        if found is not None:
            return found
    if isinstance(mode, str) and mode[:1] == "a" and "+" in mode:
        # Opening alone counts as a read only where the file was there before.
        machine.access(Operation.READ, name, "builtins.open")
    if isinstance(mode, str) and "b" in mode:
        return BYTES
    if isinstance(name, Unknown) and name.origin == "stream":
        return text_hole("argument", slash=True)
    return text_hole()


FOUND = ("found",)
"""The slot of an open file for the content that was found in the tree."""

TEXT = ("text",)
"""The slot of a stream for what can be read from it, where that does not lie in a file."""

STDIN_LIMIT = 8_192
"""How much text on standard input is taken line by line."""


def standard_input(machine: Machine) -> Instance | None:
    """The stream of standard input where its text is known: there is one, which remembers how far it has been read."""
    text = text_of(machine.stdin) if machine.stdin is not None else None
    if not isinstance(text, str) or len(text) > STDIN_LIMIT:
        return None
    if machine.stdin_stream is None:
        machine.stdin_stream = Instance(Ext("io.TextIOWrapper"))
        buffer = Instance(Ext("io.BufferedReader"))
        for stream, content in ((machine.stdin_stream, text), (buffer, text.encode("utf-8", "replace"))):
            stream.slots["name"] = Unknown("standard input", "stream")
            stream.slots["stream"] = Known("stdin")
            stream.slots[TEXT] = Known(content)
        machine.stdin_stream.slots["buffer"] = buffer
    return machine.stdin_stream  # type: ignore[no-any-return]


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


POSITION = ("position",)
"""The slot of an open file for the place up to which it has been read."""


def unread(obj: Instance, content: AnyValue) -> str | bytes | None:
    """What has not been read yet of a stream with the given content; None where that is not known."""
    place = obj.slots.get(POSITION, Known(0))
    if not (isinstance(content, Known) and isinstance(content.value, str | bytes) and isinstance(place, Known)):
        return None
    return content.value[place.value :]


def advance(machine: Machine, obj: Instance, count: int) -> None:
    """Move the place in a stream."""
    place = obj.slots.get(POSITION, Known(0))
    if isinstance(place, Known):
        machine.state.write(obj.slots, POSITION, Known(place.value + count))


def read_from(machine: Machine, obj: Instance, content: AnyValue, args: Arguments) -> AnyValue:
    """`stream.read(size)`."""
    rest = unread(obj, content)
    size = args.pos[0] if args.pos else NONE
    if rest is None or not isinstance(size, Known) or not isinstance(size.value, int | None):
        return text_hole() if text_of(content) is not None else content
    found = rest if size.value is None or size.value < 0 else rest[: size.value]
    advance(machine, obj, len(found))
    return Known(found)


def lines_from(machine: Machine, obj: Instance, content: AnyValue) -> ListObj:
    """The lines that are left of a stream."""
    rest = unread(obj, content)
    if rest is not None:
        lines = rest.splitlines(keepends=True)
        if len(lines) <= machine.limits.unroll:
            advance(machine, obj, len(rest))
            return ListObj("list", [Known(line) for line in lines])
    if isinstance(content, Union):
        kept = [line for option in content.options for line in lines_from(machine, obj, option).items]
        return ListObj("list", (), join(kept) if kept else None)
    return ListObj("list", (), text_hole() if text_of(content) is not None else content)


def line_from(machine: Machine, obj: Instance, content: AnyValue) -> AnyValue:
    """`stream.readline()`."""
    rest = unread(obj, content)
    if rest is None:
        return text_hole() if text_of(content) is not None or isinstance(content, Union) else content
    found = rest.splitlines(keepends=True)[0] if rest else rest
    advance(machine, obj, len(found))
    return Known(found)


@_handle_method("read")
def handle_read(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`handle.read()`."""
    return read_from(machine, obj, handle_content(machine, obj), args)


@_handle_method("readlines", "__iter__")
def handle_lines(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The lines of an open file."""
    del args
    return lines_from(machine, obj, handle_content(machine, obj))


@_handle_method("readline", "__next__")
def handle_line(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """One line."""
    del args
    return line_from(machine, obj, handle_content(machine, obj))


@_handle_method("seek")
def seek(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`stream.seek(offset)`: only the way back to the beginning is followed."""
    start = args.pos[:1] == [Known(0)] and len(args.pos) == 1
    machine.state.write(obj.slots, POSITION, Known(0) if start else INT)
    return Known(0) if start else INT


@_handle_method("__enter__")
def handle_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with open(...) as handle`."""
    del machine, args
    return obj


@_handle_method("__exit__")
def handle_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The file is closed; a lock on it ends with that."""
    del args
    machine.unlock_open_file(obj)
    return FALSE


@_handle_method("close")
def handle_close(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`handle.close()`."""
    handle_exit(machine, obj, args)
    return NONE


@_handle_method("write", "writelines", "flush", "truncate", "reconfigure")
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


@method("pathlib.Path.read_text")
def path_read(machine: Machine, obj: PathV, args: Arguments) -> AnyValue:
    """`path.read_text()`."""
    del args
    _note_read(machine, obj, "pathlib.Path.read_text")
    return file_content(machine, obj, binary=False) or text_hole()


@method("pathlib.Path.read_bytes")
def path_read_bytes(machine: Machine, obj: PathV, args: Arguments) -> AnyValue:
    """`path.read_bytes()`."""
    del args
    _note_read(machine, obj, "pathlib.Path.read_bytes")
    return file_content(machine, obj, binary=True) or BYTES


def _note_read(machine: Machine, obj: PathV, call: str) -> None:
    if machine.exists(obj.text) is not True:
        machine.may_raise("OSError")
    machine.note_open(Operation.READ, obj, call)
