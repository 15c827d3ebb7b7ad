"""Builtins that set variables: declarations, `read`, `mapfile`, `getopts`, `unset`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.shell.assignment import assign
from taskgates.inference.shell.expansion import Expander
from taskgates.inference.shell.host import ShellArray
from taskgates.inference.shell.machine import Frame, Outcome, Status
from taskgates.inference.shell.syntax_tree import Assignment, Declaration, Word
from taskgates.inference.shell.texts import as_member, hole, split_text, text_lines
from taskgates.inference.text import Text, TextLike, concat, make_text, parts_of

if TYPE_CHECKING:
    from taskgates.inference.shell.call import Call
    from taskgates.inference.shell.host import ShellState
    from taskgates.inference.shell.interpreter import ShellInterpreter


def _expander(call: Call) -> Expander:
    return Expander(call.machine, call.frame, call.state)


def getopts(call: Call) -> Outcome:
    """`getopts`: the next option of the arguments."""
    if len(call.words) < 3 or not isinstance(call.words[1], str) or not isinstance(call.words[2], str):
        return Outcome(Status.UNKNOWN)
    specification, name = call.words[1].lstrip(":"), call.words[2]
    arguments = list(call.words[3:]) or list(call.state.arguments)
    state = call.state
    position = state.variables.get("OPTIND") or "1"
    # `OPTIND` and the letter reached inside a combined word.
    letter_text = state.variables.get("_getopts_letter") or "1"
    if not isinstance(position, str) or not isinstance(letter_text, str):
        return Outcome(Status.UNKNOWN)
    index, letter = int(position) if position.isdigit() else 1, int(letter_text)
    word = arguments[index - 1] if 0 < index <= len(arguments) else None
    head = "" if word is None else word if isinstance(word, str) else word.prefix
    if word is None or not head.startswith("-") or head in ("-", "--"):
        state.variables[name] = "?"
        if word == "--":
            state.variables["OPTIND"] = str(index + 1)
        return Outcome(Status.FAILURE)
    option = head[letter : letter + 1]
    found = specification.find(option) if option else -1
    state.variables[name] = option if found >= 0 else "?"
    state.variables["OPTARG"] = None
    letter += 1
    rest = make_text([head[letter:], *parts_of(word)[1:]])
    if found >= 0 and specification[found + 1 : found + 2] == ":":
        if rest != "":
            state.variables["OPTARG"] = rest
        else:
            index += 1
            state.variables["OPTARG"] = arguments[index - 1] if index <= len(arguments) else None
        index, letter = index + 1, 1
    elif rest == "":
        index, letter = index + 1, 1
    state.variables["OPTIND"] = str(index)
    state.variables["_getopts_letter"] = str(letter)
    return Outcome(Status.SUCCESS)


def declare(machine: ShellInterpreter, node: Declaration, frame: Frame, state: ShellState) -> Outcome:
    """`export`, `local`, `declare`, `readonly`, `typeset` with their flags."""
    expander = Expander(machine, frame, state)
    local = machine.in_function and node.keyword in ("local", "declare", "typeset")
    exported = node.keyword == "export"
    associative = indexed = integer = removed = False
    for item in node.items:
        if isinstance(item, Word) and item.raw.startswith(("-", "+")):
            flags = item.raw[1:]
            associative |= "A" in flags
            indexed |= "a" in flags and node.keyword != "export"
            integer |= "i" in flags
            exported |= "x" in flags and item.raw.startswith("-")
            removed |= "n" in flags and node.keyword == "export"
            local &= not ("g" in flags and node.keyword != "export")
    for item in node.items:
        if isinstance(item, Word) and item.raw.startswith(("-", "+")):
            continue
        for assignment in _declared(item, expander):
            _declare_one(
                machine, assignment, expander, local=local, associative=associative, indexed=indexed, integer=integer
            )
            if removed:
                state.exported.discard(assignment.name)
            elif exported:
                state.exported.add(assignment.name)
    return Outcome()


def _declared(item: Word | Assignment, expander: Expander) -> list[Assignment]:
    if isinstance(item, Assignment):
        return [item]
    out: list[Assignment] = []
    for field in expander.fields(item):
        name, equals, _ = (field if isinstance(field, str) else field.prefix).partition("=")
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            continue
        if equals:
            value = field[len(name) + 1 :] if isinstance(field, str) else _behind(field, len(name) + 1)
            expander.state.variables[name] = value
        out.append(Assignment(name, item.offset))
    return out


def _behind(text: Text, length: int) -> TextLike:
    return make_text([text.prefix[length:], *text.parts[1:]])


def _declare_one(
    machine: ShellInterpreter,
    assignment: Assignment,
    expander: Expander,
    *,
    local: bool,
    associative: bool,
    indexed: bool,
    integer: bool,
) -> None:
    state = expander.state
    name = assignment.name
    has_value = assignment.value is not None or assignment.elements is not None
    if local:
        value: TextLike | None = None
        if assignment.value is not None:
            value = expander.string(assignment.value.raw, assignment.value.offset)
        machine.make_local(name, state)
        if not has_value:
            state.variables[name] = None
        elif assignment.value is not None and assignment.subscript is None:
            state.variables[name] = value
    if integer:
        state.settings.add(f"integer:{name}")
    if associative or indexed:
        state.arrays.setdefault(name, ShellArray(associative=associative))
        state.variables.pop(name, None)
    if has_value and (not local or assignment.elements is not None):
        assign(assignment, expander)


def unset(call: Call) -> Outcome:
    """`unset` variables, elements and functions."""
    for word in call.words[1:]:
        if not isinstance(word, str) or word.startswith("-"):
            continue
        name = word.partition("[")[0]
        if "[" in word and name in call.state.arrays:
            array = call.state.arrays[name]
            key = word[len(name) + 1 : -1]
            items = tuple(item for item in array.items if item[0] != key)
            call.state.arrays[name] = ShellArray(items, array.complete, array.associative)
            continue
        if "-f" in call.words:
            call.state.functions.pop(name, None)
            continue
        call.state.arrays.pop(name, None)
        call.state.variables[name] = None
    return Outcome()


def export(call: Call) -> Outcome:
    """`export` and its relatives where they are not written as declarations."""
    items = tuple(Word(call.machine.placeholders.encode(word), 0) for word in call.words[1:])
    expander = _expander(call)
    for item, word in zip(items, call.words[1:], strict=True):
        head = word if isinstance(word, str) else word.prefix
        name, equals, _ = head.partition("=")
        if equals and re.fullmatch(r"[A-Za-z_]\w*", name):
            call.state.variables[name] = (
                word[len(name) + 1 :] if isinstance(word, str) else _behind(word, len(name) + 1)
            )
        elif item.raw.startswith("-"):
            continue
        if call.name == "export" and re.fullmatch(r"[A-Za-z_]\w*", name):
            expander.state.exported.add(name)
    return Outcome()


def read(call: Call) -> Outcome:
    """`read`: a line of standard input into variables."""
    names: list[str] = []
    array: str | None = None
    delimiter = ""
    words = list(call.words[1:])
    while words:
        word = words.pop(0)
        if not isinstance(word, str):
            continue
        if word.startswith("-"):
            if word[-1] in "dinNptu" and words:
                value = words.pop(0)
                if word[-1] == "d" and isinstance(value, str):
                    delimiter = value[:1]
            elif word[-1] == "a" and words:
                name = words.pop(0)
                array = name if isinstance(name, str) else None
            continue
        names.append(word)
    stream = call.frame.stdin
    # Lines end by NUL as well, so that an empty delimiter needs nothing else.
    split = stream.split_at(delimiter) if stream is not None and delimiter else False
    many = stream.at_many if stream is not None else False
    unfinished = split and stream is not None and stream.at_last
    line = stream.take_line() if stream is not None else hole("data", "read")
    line = as_member(line) if line is not None else None
    status = Status.UNKNOWN if many or stream is None else (Status.FAILURE if unfinished else Status.SUCCESS)
    if line is None:
        for name in names or ["REPLY"]:
            call.state.variables[name] = ""
        return Outcome(Status.FAILURE)
    separators = call.state.variables.get("IFS", " \t\n")
    separators = separators if isinstance(separators, str) else " \t\n"
    if array is not None:
        pieces = [piece for piece in split_text(line, separators or "\n") if piece != ""]
        items = tuple((str(number), piece) for number, piece in enumerate(pieces))
        call.state.arrays[array] = ShellArray(items, not many)
        return Outcome(status)
    _assign_fields(call, names or ["REPLY"], line, separators if names else "")
    return Outcome(status)


def _assign_fields(call: Call, names: list[str], line: TextLike, separators: str) -> None:
    if len(names) == 1 or not separators:
        text = _strip(line) if separators.strip() != separators or separators == " \t\n" else line
        call.state.variables[names[0]] = text if separators else line
        for name in names[1:]:
            call.state.variables[name] = ""
        return
    blank = not separators.strip()
    pieces = split_text(line, separators)
    if blank:
        pieces = [piece for piece in pieces if piece != ""]
    unknown = isinstance(line, Text)
    for number, name in enumerate(names):
        if number >= len(pieces):
            call.state.variables[name] = hole("data", name) if unknown else ""
        elif number == len(names) - 1:
            rest: list[TextLike] = []
            for piece in pieces[number:]:
                rest += [separators[0], piece] if rest else [piece]
            call.state.variables[name] = concat(*rest)
        else:
            call.state.variables[name] = pieces[number]


def _strip(text: TextLike) -> TextLike:
    parts = list(parts_of(text))
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip(" \t\n")
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip(" \t\n")
    return make_text(parts)


def map_file(call: Call) -> Outcome:
    """`mapfile`: the lines of standard input into an array."""
    names = [word for word in call.words[1:] if isinstance(word, str) and not word.startswith("-")]
    name = names[-1] if names else "MAPFILE"
    stream = call.frame.stdin
    if stream is None:
        call.state.arrays[name] = ShellArray((), complete=False)
        return Outcome(Status.LIKELY)
    lines = list(text_lines(stream.take_all()))
    known = all(isinstance(line, str) for line in lines)
    items = tuple((str(number), line) for number, line in enumerate(lines[: call.machine.options.words * 4]))
    call.state.arrays[name] = ShellArray(items, known)
    return Outcome(Status.LIKELY)
