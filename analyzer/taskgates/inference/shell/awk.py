"""`awk`: what a program reads and prints into."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.shell.machine import Outcome
from taskgates.inference.shell.texts import (
    as_member,
    choose,
    hole,
    split_text,
    text_lines,
)
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from taskgates.inference.shell.call import Call

from taskgates.inference.shell.stream_editing import delimited_end

_AWK_TOKEN = re.compile(
    r"""(?P<space>[ \t\\]+)|(?P<comment>\#[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<name>[A-Za-z_]\w*)|"""
    r"(?P<number>\d+(?:\.\d+)?)|(?P<operator>>>|>=|<=|==|!=|&&|\|\||\+\+|--|.|\n)",
    re.DOTALL,
)


def awk(call: Call) -> Outcome:
    """`awk`: reads its operands; the program may print into files and commands."""
    call.perform_row()
    operands = list(call.arguments.operands)
    programs = [call.content(file) for file in call.arguments.values("-f", "--file")]
    variables: dict[str, TextLike] = {}
    for assignment in call.arguments.values("-v", "--assign"):
        name, value = operand_assignment(assignment)
        if name:
            variables[name] = value
    if not programs and not call.arguments.has("-f", "--file") and operands:
        programs = [operands.pop(0)]
    call.arguments.operands = [operand for operand in operands if not operand_assignment(operand)[0]]
    for operand in call.arguments.operands:
        call.read(operand)
    for program in programs:
        if program is None or isinstance(program, Text):
            call.opaque("the awk program is not known")
            continue
        if call.arguments.operands:
            names = [as_member(operand) for operand in call.arguments.operands]
            variables.setdefault("FILENAME", choose(names, call.machine.options.choices))
        _awk_effects(call, program, variables)
    if call.captured:
        printed = _awk_output(call, programs)
        call.out(printed if printed is not None else hole("data", "awk"))
    return Outcome(call.status)


def operand_assignment(word: TextLike) -> tuple[str, TextLike]:
    """Name and value of an operand `name=value`; an empty name when it is none."""
    head = word if isinstance(word, str) else word.prefix
    found = re.match(r"([A-Za-z_]\w*)=", head)
    if found is None:
        return "", ""
    rest = head[found.end() :]
    return found.group(1), rest if isinstance(word, str) else make_text([rest, *word.parts[1:]])


def _awk_effects(call: Call, program: str, variables: dict[str, TextLike]) -> None:
    tokens = _awk_tokens(program)
    variables = _with_assignments(tokens, variables)
    printing = False
    depth = 0
    index = 0
    while index < len(tokens):
        kind, text = tokens[index]
        if kind == "name" and text in ("print", "printf"):
            printing, depth = True, 0
        elif text in (";", "\n", "}", "{"):
            printing = False
        elif text == "(":
            depth += 1
        elif text == ")":
            depth -= 1
        elif text in (">", ">>") and printing and depth <= 0:
            target, index = _awk_expression(tokens, index + 1, variables)
            if target not in ("/dev/stdout", "/dev/stderr", "-"):
                call.access(Operation.OVERWRITE if text == ">" else Operation.APPEND, target)
            continue
        elif text == "|" and printing and depth <= 0:
            command, index = _awk_expression(tokens, index + 1, variables)
            call.machine.evaluate(command, call.frame.within(), call.state.copy(), call.place)
            continue
        elif (text == "<" and index and tokens[index - 1][1] == "getline") or _reads_variable(tokens, index):
            target, index = _awk_expression(tokens, index + 1, variables)
            call.read(target)
            continue
        elif text == "system" and index + 1 < len(tokens) and tokens[index + 1][1] == "(":
            command, index = _awk_expression(tokens, index + 2, variables)
            call.machine.evaluate(command, call.frame.within(), call.state.copy(), call.place)
            continue
        elif text == "|" and index + 1 < len(tokens) and tokens[index + 1][1] == "getline" and index:
            command = _awk_value(tokens[index - 1], variables)
            call.machine.evaluate(command, call.frame.within(), call.state.copy(), call.place)
        index += 1


def _reads_variable(tokens: list[tuple[str, str]], index: int) -> bool:
    """Whether the token is the `<` of `getline name < file`."""
    return (
        index >= 2 and tokens[index][1] == "<" and tokens[index - 2][1] == "getline" and tokens[index - 1][0] == "name"
    )


def _awk_tokens(program: str) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    position = 0
    while position < len(program):
        if program[position] == "/" and (not out or out[-1][1] in "(,{};!~&|\n" or out[-1][1] in ("&&", "||")):
            end = delimited_end(program, position + 1, "/")
            out.append(("regex", program[position:end]))
            position = end
            continue
        found = _AWK_TOKEN.match(program, position)
        if found is None:
            break
        position = found.end()
        kind = found.lastgroup or ""
        if kind not in ("space", "comment"):
            out.append((kind, found.group()))
    return out


def _with_assignments(tokens: list[tuple[str, str]], variables: dict[str, TextLike]) -> dict[str, TextLike]:
    """The variables with those that the program assigns: the values of all their assignments."""
    found: dict[str, list[TextLike]] = {}
    for index in range(len(tokens) - 2):
        kind, name = tokens[index]
        if kind != "name" or name in variables or tokens[index + 1][1] not in ("=", "+=", "-=", "++", "--"):
            continue
        if index and tokens[index - 1][1] == "$":
            continue
        plain = tokens[index + 1][1] == "="
        value = _awk_expression(tokens, index + 2, variables)[0] if plain else hole("data", "awk")
        found.setdefault(name, []).append(value)
    return {**variables, **{name: choose(values, 6) for name, values in found.items()}}


def _awk_value(token: tuple[str, str], variables: dict[str, TextLike]) -> TextLike:
    kind, text = token
    if kind == "string":
        return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found.group(1), found.group(1)), text[1:-1])
    if kind == "number":
        return text
    if kind == "name" and text in variables:
        return variables[text]
    return hole("data", "awk")


def _awk_expression(tokens: list[tuple[str, str]], index: int, variables: dict[str, TextLike]) -> tuple[TextLike, int]:
    """The concatenation that begins at a token, up to the end of the statement."""
    pieces: list[TextLike] = []
    depth = 0
    while index < len(tokens):
        kind, text = tokens[index]
        if text in (";", "\n", "}", ")") and depth == 0:
            break
        if text == "$":
            pieces.append(Text((Hole("data", True, "awk"),)))
            index += 2
            continue
        if text in {"(", "["}:
            depth += 1
        elif text in (")", "]"):
            depth -= 1
        elif kind == "name" and index + 1 < len(tokens) and tokens[index + 1][1] in ("(", "["):
            pieces.append(hole("data", "awk"))
            index += 1
            level = 0
            while index < len(tokens):
                level += tokens[index][1] in "([" and tokens[index][1] != ""
                level -= tokens[index][1] in ")]" and tokens[index][1] != ""
                index += 1
                if level <= 0:
                    break
            continue
        elif kind in ("string", "number", "name", "regex"):
            pieces.append(_awk_value((kind, text), variables))
        else:
            pieces.append(hole("data", "awk"))
        index += 1
    return concat(*pieces), index


def _awk_output(call: Call, programs: list[TextLike | None]) -> TextLike | None:
    """Fields of known lines for `{print $N}`."""
    if len(programs) != 1 or not isinstance(programs[0], str):
        return None
    found = re.fullmatch(r"\s*\{\s*print\s+\$(\d{1,3}|NF)\s*;?\s*\}\s*", programs[0])
    content = call.input()
    if found is None or content is None:
        return None
    separator = call.arguments.last("-F", "--field-separator")
    if separator is not None and (not isinstance(separator, str) or len(separator) != 1):
        return None
    out: list[TextLike] = []
    for line in text_lines(content):
        if isinstance(line, Text):
            out += [hole("data", "awk"), "\n"]
            continue
        pieces = split_text(line, separator) if separator not in (None, " ") else list(line.split())
        number = len(pieces) if found.group(1) == "NF" else int(found.group(1))
        chosen = line if number == 0 else pieces[number - 1] if number <= len(pieces) else ""
        out += [chosen, "\n"]
    return concat(*out)
