"""Small languages and pieces of files: `perl`, `jq`, `split`, `patch`, `dd`, digests."""

from __future__ import annotations

import json
import re

from taskgates.inference.shell.awk import operand_assignment
from taskgates.inference.shell.call import Call
from taskgates.inference.shell.machine import Outcome, Status
from taskgates.inference.shell.texts import (
    hole,
    join_path,
    text_lines,
)
from taskgates.inference.text import Hole, Text, TextLike, concat
from taskgates.model.access import Operation

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
    folder = call.arguments.last("-d", "--directory")
    if folder is not None:
        # It goes there before it opens anything.
        state = call.state.copy()
        state.cwd = call.machine.full_path(folder, state)
        call = Call(call.machine, call.name, call.words, call.row, call.arguments, call.frame, state, call.place)
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
    strip = call.arguments.last("-p", "--strip")
    apply_difference(call, content, ".", int(strip) if isinstance(strip, str) and strip.isdigit() else 0)
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
        name, value = operand_assignment(word)
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
            elif isinstance(line, Text):
                call.read(line.suffix.partition("  ")[2] or line)
    return Outcome(Status.UNKNOWN if checking else call.status)
