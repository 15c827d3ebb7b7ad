"""Commands with small languages of their own: `sed`, `awk`, `perl`, `jq`; and `split`, `patch`, `dd`, digests."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from taskgates.inference.shell.filters import basic_regex, safe_regex
from taskgates.inference.shell.machine import Outcome, Status
from taskgates.inference.shell.texts import (
    basename,
    dirname,
    hole,
    join_path,
    may_hold_slash,
    split_text,
    text_lines,
)
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.inference.shell.call import Call

# ---- sed -------------------------------------------------------------------------------------------------------------


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
    for operand in operands:
        call.read(operand)
        if in_place:
            call.access(Operation.UPDATE, operand)
            if suffix is not None:
                call.access(Operation.CREATE, _backup(operand, suffix))
    for script in scripts:
        for operation, name in _script_files(script):
            call.access(operation, name)
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


def _script_files(script: TextLike) -> list[tuple[Operation, TextLike]]:
    """Files that a sed script reads (`r`) and writes (`w`)."""
    out: list[tuple[Operation, TextLike]] = []
    for command in _sed_commands(script):
        flags, name = command.flags, command.file
        if name == "" or name in ("/dev/stdout", "/dev/stderr"):
            continue
        out.append((Operation.READ if flags in ("r", "R") else Operation.OVERWRITE, name))
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
            index = _delimited_end(text, index + 1, "/")
            while index < len(text) and text[index] in "IM":
                index += 1
        elif char == "\\" and index + 1 < len(text):
            index = _delimited_end(text, index + 2, text[index + 1])
        else:
            break
    return index


def _delimited_end(text: str, index: int, delimiter: str) -> int:
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
    middle = _delimited_end(text, index + 2, delimiter)
    end = _delimited_end(text, middle, delimiter)
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
    changes: list[tuple[re.Pattern[str], str, bool]] = []
    extended = call.arguments.has("-E", "-r", "--regexp-extended")
    for script in scripts:
        if isinstance(script, Text):
            return None
        for command in _sed_commands(script):
            if command.letter != "s" or command.address or command.flags.strip("gI") or "\n" in command.pattern:
                return None
            expression = command.pattern if extended else basic_regex(command.pattern)
            compiled = safe_regex(expression, ignore_case="I" in command.flags)
            if compiled is None:
                return None
            changes.append((compiled, _python_replacement(command.replacement), "g" in command.flags))
    lines = list(text_lines(content))
    for compiled, replacement, every in changes:
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


# ---- awk -------------------------------------------------------------------------------------------------------------

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
        name, value = _assignment(assignment)
        if name:
            variables[name] = value
    if not programs and not call.arguments.has("-f", "--file") and operands:
        programs = [operands.pop(0)]
    call.arguments.operands = [operand for operand in operands if not _assignment(operand)[0]]
    for operand in call.arguments.operands:
        call.read(operand)
    for program in programs:
        if program is None or isinstance(program, Text):
            call.opaque("the awk program is not known")
            continue
        _awk_effects(call, program, variables)
    if call.captured:
        printed = _awk_output(call, programs)
        call.out(printed if printed is not None else hole("data", "awk"))
    return Outcome(call.status)


def _assignment(word: TextLike) -> tuple[str, TextLike]:
    head = word if isinstance(word, str) else word.prefix
    found = re.match(r"([A-Za-z_]\w*)=", head)
    if found is None:
        return "", ""
    rest = head[found.end() :]
    return found.group(1), rest if isinstance(word, str) else make_text([rest, *word.parts[1:]])


def _awk_effects(call: Call, program: str, variables: dict[str, TextLike]) -> None:
    tokens = _awk_tokens(program)
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
            end = _delimited_end(program, position + 1, "/")
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


# ---- perl, jq --------------------------------------------------------------------------------------------------------


def perl(call: Call) -> Outcome:
    """`perl`: one-liners with `-n` and `-p` read their operands, with `-i` they change them; scripts are opaque."""
    words = list(call.words[1:])
    in_place = loops = script = False
    operands: list[TextLike] = []
    while words:
        word = words.pop(0)
        if isinstance(word, str) and word.startswith("-") and len(word) > 1 and not operands:
            loops |= any(letter in word for letter in "np")
            in_place |= "i" in word
            if word[-1] in "eE":
                script = True
                if words:
                    words.pop(0)
            elif word[1] in "eE":
                script = True
            continue
        operands.append(word)
    if not script:
        for operand in operands[:1]:
            call.read(operand)
        call.machine.changes.foreign = True
        call.opaque("perl: Perl is not followed")
        return Outcome(call.status)
    if loops:
        for operand in operands:
            call.read(operand)
            if in_place:
                call.access(Operation.UPDATE, operand)
    else:
        call.opaque("perl: Perl is not followed")
    return Outcome(call.status)


_JQ_ONE = frozenset({"-f", "--from-file", "--indent", "-L"})
_JQ_TWO = frozenset({"--arg", "--argjson", "--slurpfile", "--rawfile", "--argfile"})


def jq(call: Call) -> Outcome:
    """`jq`: a filter, then files; some options name files too."""
    words = list(call.words[1:])
    operands: list[TextLike] = []
    has_filter = False
    rest_is_text = False
    while words:
        word = words.pop(0)
        if isinstance(word, str) and word.startswith("-") and word != "-":
            if word in _JQ_ONE and words:
                value = words.pop(0)
                if word in ("-f", "--from-file"):
                    call.read(value)
                    has_filter = True
            elif word in _JQ_TWO and len(words) > 1:
                words.pop(0)
                value = words.pop(0)
                if word.endswith("file"):
                    call.read(value)
            elif word in ("--args", "--jsonargs"):
                rest_is_text = True
            continue
        if not has_filter:
            has_filter = True
            call.arguments.options.append(("filter", word))
        elif not rest_is_text:
            operands.append(word)
    for operand in operands:
        call.read(operand)
    if call.captured:
        call.arguments.operands = operands
        selected = _jq_value(call)
        call.out(selected if selected is not None else hole("data", "jq"))
    return Outcome(call.status)


def _jq_value(call: Call) -> TextLike | None:
    """What a plain path such as `.a.b[0]` selects from known JSON."""
    expression = call.arguments.last("filter")
    content = call.input()
    if not isinstance(expression, str) or not isinstance(content, str):
        return None
    if not re.fullmatch(r'(?:\.\w+|\."[^"]+"|\.?\[\d+\]|\.?\[\]|\.)+', expression):
        return None
    try:
        values = [json.loads(content)]
    except (ValueError, RecursionError):
        return None
    for step in re.findall(r'\w+|"[^"]+"|\[\d*\]', expression):
        following: list[object] = []
        for value in values:
            if step == "[]":
                following += (
                    list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
                )
            elif step.startswith("["):
                index = int(step[1:-1][:9])
                following.append(value[index] if isinstance(value, list) and index < len(value) else None)
            else:
                following.append(value.get(step.strip('"')) if isinstance(value, dict) else None)
        values = following[:1000]
    raw = call.arguments.has("-r", "--raw-output", "-j") or any(
        isinstance(word, str) and re.fullmatch(r"-[a-zA-Z]*r[a-zA-Z]*", word) for word in call.words[1:]
    )
    lines = [value if raw and isinstance(value, str) else json.dumps(value) for value in values]
    return "".join(line + "\n" for line in lines)


# ---- pieces, differences, bytes --------------------------------------------------------------------------------------


def split(call: Call) -> Outcome:
    """`split` and `csplit`: numbered files with a common prefix."""
    call.perform_row()
    operands = call.arguments.operands
    if operands:
        call.read(operands[0])
    if call.name == "csplit":
        prefix: TextLike = call.arguments.last("-f", "--prefix") or "xx"
    else:
        prefix = operands[1] if len(operands) > 1 else "x"
    suffix = call.arguments.last("--additional-suffix") or ""
    if not call.arguments.has("--filter"):
        call.overwrite(concat(prefix, Hole("data", False, call.name), suffix))
    return Outcome(call.status)


def patch(call: Call) -> Outcome:
    """`patch`: changes the files that the differences name."""
    call.perform_row()
    operands = call.arguments.operands
    source = call.arguments.last("-i", "--input")
    if source is None and len(operands) > 1:
        source = operands[1]
        call.read(source)
    if call.arguments.has("--dry-run"):
        return Outcome(call.status)
    if operands:
        if call.arguments.last("-o", "--output") is None:
            call.access(Operation.UPDATE, operands[0])
        call.read(operands[0])
        return Outcome(call.status)
    content = call.content(source if source is not None else "-")
    folder = call.arguments.last("-d", "--directory") or "."
    strip = call.arguments.last("-p", "--strip")
    apply_difference(call, content, folder, int(strip) if isinstance(strip, str) and strip.isdigit() else 0)
    return Outcome(call.status)


def apply_difference(call: Call, content: TextLike | None, folder: TextLike, strip: int) -> None:
    """Change the files that unified differences name.

    Args:
        call: the command.
        content: the differences.
        folder: where the names start.
        strip: how many leading segments are taken from the names.
    """
    if not isinstance(content, str):
        call.opaque("the files that the differences name are not known")
        return
    for old, new in re.findall(r"^--- ([^\t\n]+).*\n\+\+\+ ([^\t\n]+)", content, re.MULTILINE):
        deleted = new.strip() == "/dev/null"
        name = (old if deleted else new).strip()
        path = "/".join(name.split("/")[strip:]) or name
        created = old.strip() == "/dev/null"
        operation = Operation.DELETE if deleted else Operation.CREATE if created else Operation.UPDATE
        if not created:
            call.read(join_path(folder, path))
        call.access(operation, join_path(folder, path))


def copy_bytes(call: Call) -> Outcome:
    """`dd`: `if=` is read, `of=` written."""
    keeps = any("notrunc" in str(word) for word in call.words[1:])
    for word in call.words[1:]:
        name, value = _assignment(word)
        if name == "if":
            call.read(value)
        elif name == "of":
            call.access(Operation.UPDATE if keeps else Operation.OVERWRITE, value)
    return Outcome(call.status)


def digest(call: Call) -> Outcome:
    """`md5sum` and its like: with `-c` the operands list the files that are read."""
    checking = call.arguments.has("-c", "--check")
    for operand in call.arguments.operands:
        call.read(operand)
        if not checking:
            continue
        content = call.content(operand)
        if content is None:
            call.opaque(f"{call.name}: the files to check are not known")
            continue
        for line in text_lines(content):
            if isinstance(line, str) and (found := re.match(r"[0-9a-fA-F]{8,}\s+[* ]?(.+)", line)):
                call.read(found.group(1))
    return Outcome(Status.UNKNOWN if checking else call.status)
