"""Lines of an strace log, as system calls with decoded arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LINE = re.compile(r"^(\d+)\s+(.*)$", re.DOTALL)
_CALL = re.compile(r"^(\w+)\((.*)\)\s+=\s+(-?\d+|\?|0x[0-9a-f]+)(.*)$", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-f]{2})|(.))", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "v": "\v", "f": "\f", "a": "\a", "b": "\b"}
_DESCRIPTOR = re.compile(r"^(AT_FDCWD|-?\d+)(?:<(.*)>)?$", re.DOTALL)
_OPENING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Call:
    """One finished system call.

    Attributes:
        pid: the thread that made it.
        name: the system call.
        arguments: the text of each argument, as strace prints it.
        result: the returned number; None where strace could not tell.
        detail: what follows the result (the decoded descriptor, the error).
        birth: the position at which the call began, for calls that other threads interrupted.
    """

    pid: int
    name: str
    arguments: tuple[str, ...]
    result: int | None
    detail: str
    birth: int

    @property
    def succeeded(self) -> bool:
        """Whether the kernel reported no error."""
        return self.result is not None and self.result >= 0

    def text(self, index: int) -> str:
        """Argument `index` as a decoded string; empty where it is not one."""
        return unquote(self.arguments[index]) if index < len(self.arguments) else ""

    def descriptor(self, index: int) -> str:
        """The path behind the descriptor in argument `index`; empty where strace shows none."""
        match = _DESCRIPTOR.match(self.arguments[index]) if index < len(self.arguments) else None
        return decode(match[2] or "").removesuffix(" (deleted)") if match else ""

    @property
    def opened(self) -> str:
        """The resolved path behind the returned descriptor."""
        match = re.match(r"^<(.*)>", self.detail, re.DOTALL)
        return decode(match[1]).removesuffix(" (deleted)") if match else ""


def decode(text: str) -> str:
    """Undo strace's C escapes; bytes that are not UTF-8 come back as surrogates."""

    def replace(match: re.Match[str]) -> str:
        octal, hexadecimal, plain = match.groups()
        if octal:
            return chr(int(octal, 8))
        if hexadecimal:
            return chr(int(hexadecimal, 16))
        return _SIMPLE_ESCAPES.get(plain, plain)

    raw = _ESCAPE.sub(replace, text)
    return raw.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def unquote(argument: str) -> str:
    """The text of a quoted argument; empty for anything else."""
    end = argument.rfind('"')
    return decode(argument[1:end]) if argument.startswith('"') and end > 0 else ""


def split_arguments(text: str) -> tuple[str, ...]:
    """Split an argument list at its top-level commas, minding strings, brackets and `<path>` annotations."""
    parts: list[str] = []
    stack: list[str] = []
    start = position = 0
    while position < len(text):
        character = text[position]
        if character == '"':
            position += 1
            while position < len(text) and text[position] != '"':
                position += 2 if text[position] == "\\" else 1
        elif character == "<" and position and (text[position - 1].isdigit() or text[position - 1] == "D"):
            end = re.compile(r">(?=,|$|\)|\]|\})").search(text, position)
            position = end.start() if end else len(text)
        elif character in _OPENING:
            stack.append(_OPENING[character])
        elif stack and character == stack[-1]:
            stack.pop()
        elif character == "," and not stack:
            parts.append(text[start:position].strip())
            start = position + 1
        position += 1
    if text[start:].strip():
        parts.append(text[start:].strip())
    return tuple(parts)


def parse(lines: Iterable[str]) -> Iterator[Call]:
    """System calls in the order in which they finished; signals and exits are left out."""
    pending: dict[int, tuple[str, int]] = {}
    for number, line in enumerate(lines):
        outer = _LINE.match(line.rstrip("\n"))
        if not outer:
            continue
        pid, body, birth = int(outer[1]), outer[2], number
        if body.endswith(_UNFINISHED):
            pending[pid] = (body.removesuffix(_UNFINISHED), number)
            continue
        if resumed := _RESUMED.match(body):
            head, birth = pending.pop(pid, ("", number))
            body = head + resumed[2]
        if match := _CALL.match(body):
            result = None if match[3] == "?" else int(match[3], 0)
            yield Call(pid, match[1], split_arguments(match[2]), result, match[4], birth)
