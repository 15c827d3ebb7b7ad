"""What programs read: the content of small configuration files, and open files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import Machine, MethodT, method
from taskgates.inference.values import (
    BOOL,
    BYTES,
    FALSE,
    INT,
    NONE,
    UNKNOWN,
    AnyValue,
    Arguments,
    Instance,
    Known,
    ListObj,
    PathV,
    Unknown,
    join,
    path_text,
    text_hole,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Callable


def file_text(machine: Machine, value: AnyValue) -> str | None:
    """The text of a small file of the tree; None where it is not known."""
    text = path_text(value)
    if text is None:
        return None
    data = machine.content(text)
    if data is None or len(data) > 65_536:
        return None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")  # type: ignore[no-any-return]
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


def handle_content(machine: Machine, obj: Instance) -> AnyValue:
    """The text of an open file, where it is a configuration file of the tree."""
    name = obj.slots.get("name", UNKNOWN)
    mode = text_of(obj.slots.get("mode", Known("r")))
    if isinstance(mode, str) and is_configuration(name) and "w" not in mode and "a" not in mode:
        text = file_text(machine, name)
        if text is not None:
            return Known(text.encode()) if "b" in mode else Known(text)
    if isinstance(mode, str) and "b" in mode:
        return BYTES
    if isinstance(name, Unknown) and name.origin == "stream":
        return text_hole("argument", slash=True)
    return text_hole()


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


@_handle_method("read")
def handle_read(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`handle.read()`."""
    if args.pos and args.pos[0] not in (NONE, Known(-1)):
        content = handle_content(machine, obj)
        return text_hole() if text_of(content) is not None else content
    return handle_content(machine, obj)


@_handle_method("readlines", "__iter__", "readline")
def handle_lines(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The lines of an open file."""
    del args
    content = handle_content(machine, obj)
    if isinstance(content, Known) and isinstance(content.value, str | bytes):
        lines = content.value.splitlines(keepends=True)
        if len(lines) <= machine.limits.unroll:
            return ListObj("list", [Known(line) for line in lines])
    return ListObj("list", (), text_hole() if text_of(content) is not None else content)


@_handle_method("readline")
def handle_line(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """One line."""
    found = handle_lines(machine, obj, args)
    assert isinstance(found, ListObj)
    return join([*found.items[:1], found.rest]) if len(found.items) == 1 else text_hole()


@_handle_method("__enter__")
def handle_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with open(...) as handle`."""
    del machine, args
    return obj


@_handle_method("__exit__")
def handle_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The file is closed."""
    del machine, obj, args
    return FALSE


@_handle_method("write", "writelines", "flush", "close", "truncate", "reconfigure")
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


@method("pathlib.Path.read_text", "pathlib.Path.read_bytes")
def path_read(machine: Machine, obj: PathV, args: Arguments) -> AnyValue:
    """`path.read_text()`."""
    del args
    if machine.exists(obj.text) is not True:
        machine.may_raise("OSError")
    machine.note_open(Operation.READ, obj, "pathlib.Path.read_text")
    text = file_text(machine, obj) if is_configuration(obj) else None
    return Known(text) if text is not None else text_hole()


@method("pathlib.Path.read_bytes")
def path_read_bytes(machine: Machine, obj: PathV, args: Arguments) -> AnyValue:
    """`path.read_bytes()`."""
    found = path_read(machine, obj, args)
    return Known(found.value.encode()) if isinstance(found, Known) and isinstance(found.value, str) else BYTES
