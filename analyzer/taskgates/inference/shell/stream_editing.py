"""`sed`: what a script reads, writes and changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.shell.filters import basic_regex, compile_for
from taskgates.inference.shell.machine import Outcome
from taskgates.inference.shell.texts import (
    basename,
    dirname,
    hole,
    join_path,
    may_hold_slash,
    text_lines,
)
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.inference.shell.call import Call


def sed(call: Call) -> Outcome:
    """`sed`: reads its operands, changes them with `-i`; the script may read and write further files."""
    call.perform_row()
    scripts = list(call.arguments.values("-e", "--expression"))
    operands = list(call.arguments.operands)
    for file in call.arguments.values("-f", "--file"):
        content = call.content(file)
        scripts.append(content if content is not None else hole("data", "sed"))
    if not scripts and operands:
        scripts.append(operands.pop(0))
    call.arguments.operands = operands
    in_place = call.arguments.has("-i", "--in-place")
    suffix = call.arguments.last("-i", "--in-place")
    # In place, each file is changed on its own.
    changed = _edited(call, scripts) if in_place and len(operands) == 1 and not call.frame.conditional else None
    for operand in operands:
        call.read(operand)
        if in_place:
            call.access(Operation.UPDATE, operand)
            if changed is not None and not call.machine.muted:
                call.machine.changes.set_content(call.full(operand), changed)
            if suffix is not None:
                call.access(Operation.CREATE, _backup(operand, suffix))
    for script in scripts:
        for operation, name, always in _script_files(script):
            frame = call.frame.within(conditional=not always)
            call.machine.access(operation, name, call.name, frame, call.state, call.place)
    if call.captured and not in_place:
        edited = _edited(call, scripts)
        call.out(edited if edited is not None else hole("data", "sed"))
    return Outcome(call.status)


def _backup(path: TextLike, suffix: TextLike) -> TextLike:
    if isinstance(suffix, str) and "*" in suffix:
        name = basename(path)
        pieces: list[TextLike] = []
        for number, piece in enumerate(suffix.split("*")):
            pieces += [name, piece] if number else [piece]
        renamed = concat(*pieces)
        return renamed if "/" in suffix else join_path(dirname(path), renamed)
    return concat(path, suffix)


def _script_files(script: TextLike) -> list[tuple[Operation, TextLike, bool]]:
    """Files that a sed script reads (`r`, on lines that match) and writes (`w`, opened at the start)."""
    out: list[tuple[Operation, TextLike, bool]] = []
    for command in _sed_commands(script):
        flags, name = command.flags, command.file
        if name == "" or name in ("/dev/stdout", "/dev/stderr"):
            continue
        reads = flags in ("r", "R")
        out.append((Operation.READ if reads else Operation.OVERWRITE, name, not (reads and command.address)))
    return out


class _SedCommand:
    """One command: its letter (or flags), the pieces of `s`, and the file that it names."""

    def __init__(self) -> None:
        self.letter = ""
        self.address = ""
        self.pattern = ""
        self.replacement = ""
        self.flags = ""
        self.file: TextLike = ""


def _sed_commands(script: TextLike) -> list[_SedCommand]:
    """The commands of a script, holes in it standing for single characters."""
    holes: list[Hole] = []
    pieces: list[str] = []
    for part in parts_of(script):
        if isinstance(part, str):
            pieces.append(part.replace("\0", ""))
        else:
            pieces.append("\0")
            holes.append(part)
    text = "".join(pieces)

    def restore(piece: str, start: int) -> TextLike:
        number = text.count("\0", 0, start)
        out: list[str | Hole] = []
        for index, chunk in enumerate(piece.split("\0")):
            if index:
                out.append(holes[number + index - 1])
            out.append(chunk)
        return make_text(out)

    commands: list[_SedCommand] = []
    index = 0
    while index < len(text):
        char = text[index]
        if char in " \t\n;{}":
            index += 1
            continue
        if char == "#":
            end = text.find("\n", index)
            index = len(text) if end == -1 else end
            continue
        command = _SedCommand()
        start = index
        index = _address_end(text, index)
        command.address = text[start:index].strip()
        if index >= len(text):
            break
        command.letter = text[index]
        if command.letter in "sy":
            index = _substitution(text, index, command, restore)
        elif command.letter in "rRwW":
            end = text.find("\n", index)
            end = len(text) if end == -1 else end
            name = text[index + 1 : end]
            command.flags = command.letter
            command.file = restore(name.strip(), index + 1 + len(name) - len(name.lstrip()))
            index = end
        elif command.letter in "aic":
            end = text.find("\n", index)
            index = len(text) if end == -1 else end
        else:
            stop = re.compile(r"[;\n}]").search(text, index + 1)
            index = stop.start() if stop is not None else len(text)
        commands.append(command)
    return commands


def _address_end(text: str, index: int) -> int:
    while index < len(text):
        char = text[index]
        if char.isdigit() or char in "$,+~! \t":
            index += 1
        elif char == "/":
            index = delimited_end(text, index + 1, "/")
            while index < len(text) and text[index] in "IM":
                index += 1
        elif char == "\\" and index + 1 < len(text):
            index = delimited_end(text, index + 2, text[index + 1])
        else:
            break
    return index


def delimited_end(text: str, index: int, delimiter: str) -> int:
    """The position behind the next delimiter that is not escaped."""
    while index < len(text):
        if text[index] == "\\":
            index += 2
        elif text[index] == delimiter:
            return index + 1
        else:
            index += 1
    return len(text)


def _substitution(text: str, index: int, command: _SedCommand, restore: Callable[[str, int], TextLike]) -> int:
    delimiter = text[index + 1 : index + 2]
    if not delimiter:
        return len(text)
    middle = delimited_end(text, index + 2, delimiter)
    end = delimited_end(text, middle, delimiter)
    command.pattern = text[index + 2 : middle - 1].replace("\\" + delimiter, delimiter)
    command.replacement = text[middle : end - 1].replace("\\" + delimiter, delimiter)
    flags = re.compile(r"[gpiIeMm0-9]*").match(text, end)
    position = flags.end() if flags is not None else end
    command.flags = text[end:position]
    if text[position : position + 1] == "w":
        stop = text.find("\n", position)
        stop = len(text) if stop == -1 else stop
        name = text[position + 1 : stop]
        command.file = restore(name.strip(), position + 1 + len(name) - len(name.lstrip()))
        position = stop
    return position


def _edited(call: Call, scripts: list[TextLike]) -> TextLike | None:
    """The output of a script of plain substitutions on known input."""
    content = call.input()
    if content is None or call.arguments.has("-n", "--quiet", "--silent", "-z", "-s"):
        return None
    lines = list(text_lines(content))
    extended = call.arguments.has("-E", "-r", "--regexp-extended")
    for script in scripts:
        if isinstance(script, Text):
            return None
        for command in _sed_commands(script):
            if command.letter != "s" or command.address or command.flags.strip("gI") or "\n" in command.pattern:
                return None
            expression = command.pattern if extended else basic_regex(command.pattern)
            compiled = compile_for(expression, lines, ignore_case="I" in command.flags)
            if compiled is None:
                return None
            replacement, every = _python_replacement(command.replacement), "g" in command.flags
            lines = [_substituted(line, compiled, replacement, every=every) for line in lines]
    pieces: list[TextLike] = []
    for line in lines:
        pieces += [line, "\n"]
    return concat(*pieces)


def _python_replacement(text: str) -> str:
    out = re.sub(r"\\n", "\n", text)
    out = re.sub(r"(?<!\\)&", r"\\g<0>", out)
    return re.sub(r"\\([^\dg\\])", r"\1", out)


def _substituted(line: TextLike, compiled: re.Pattern[str], replacement: str, *, every: bool) -> TextLike:
    try:
        if isinstance(line, str):
            return compiled.sub(replacement, line, count=0 if every else 1)
        simple = re.fullmatch(r"\^?(?:\\.|[\w/ .-])*\$?", compiled.pattern) is not None
        if not simple:
            return hole(line.origin, slash=may_hold_slash(line))
        if compiled.pattern.endswith("$"):
            tail = compiled.sub(replacement, line.suffix, count=1)
            return concat(make_text(line.parts[:-1] if line.suffix else line.parts), tail if line.suffix else "")
        if compiled.pattern.startswith("^"):
            head = compiled.sub(replacement, line.prefix, count=1)
            return concat(head if line.prefix else "", make_text(line.parts[1:] if line.prefix else line.parts))
        parts: list[str | Hole] = []
        done = False
        for part in line.parts:
            if isinstance(part, Hole) or done:
                parts.append(part)
                continue
            changed = compiled.sub(replacement, part, count=0 if every else 1)
            done = not every and changed != part
            parts.append(changed)
        return make_text(parts)
    except (re.error, IndexError):
        return hole("data", slash=may_hold_slash(line))
