"""What common commands print, for command substitutions and pipelines; pure functions of known input."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterable, Sequence

from taskgates.inference.backtracking import affordable
from taskgates.inference.shell.call import Call, below
from taskgates.inference.shell.patterns import escape_pattern, remove_suffix
from taskgates.inference.shell.texts import (
    basename,
    dirname,
    hole,
    is_blank,
    join_path,
    may_hold_slash,
    text_lines,
)
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of

_TEMPORARY = "/tmp"  # noqa: S108 - compared with, never opened

Filter = Callable[[Call], "TextLike | None"]


def _lines(call: Call) -> list[TextLike] | None:
    content = call.input()
    return None if content is None else list(text_lines(content))


def _joined(lines: Sequence[TextLike]) -> TextLike:
    pieces: list[TextLike | Hole] = []
    for line in lines:
        pieces += [line, "\n"]
    return concat(*pieces)


def _basename(call: Call) -> TextLike | None:
    operands = call.arguments.operands
    suffix = call.arguments.last("-s", "--suffix")
    several = call.arguments.has("-a", "--multiple", "-s")
    if not several and len(operands) == 2:
        suffix = operands[1]
        operands = operands[:1]
    names = [basename(operand) for operand in operands]
    if suffix is not None:
        names = [_without_suffix(name, suffix) for name in names]
    return _joined(names)


def _without_suffix(name: TextLike, suffix: TextLike) -> TextLike:
    return name if name == suffix else remove_suffix(name, escape_pattern(suffix), longest=False)


def _dirname(call: Call) -> TextLike | None:
    return _joined([dirname(operand) for operand in call.arguments.operands])


def _resolved(call: Call) -> TextLike | None:
    if call.name == "readlink" and not call.arguments.has("-f", "-e", "-m", "--canonicalize"):
        return None
    operands = call.arguments.operands or ["."]
    return _joined([call.machine.absolute(call.full(operand)) for operand in operands])


def _date(call: Call) -> TextLike | None:
    forms = [str(word) for word in call.arguments.operands if str(word).startswith("+")]
    if not forms:
        return concat(Hole("clock", False, "date"), "\n")
    pieces: list[str | Hole] = []
    for piece in re.split(r"(%[-_0^#]*[:A-Za-z%])", forms[0][1:]):
        if piece.startswith("%"):
            pieces.append("%" if piece == "%%" else Hole("clock", piece in ("%D", "%x"), "date"))
        else:
            pieces.append(piece)
    return concat(make_text(pieces), "\n")


def _sequence(call: Call) -> TextLike | None:
    operands = call.arguments.operands
    if not all(isinstance(one, str) and re.fullmatch(r"-?\d{1,6}", one) for one in operands) or not operands:
        return None
    numbers = [int(str(one)) for one in operands]
    first, step, last = 1, 1, numbers[-1]
    if len(numbers) == 2:
        first = numbers[0]
    elif len(numbers) == 3:
        first, step = numbers[:2]
    if step == 0:
        return None
    values = range(first, last + (1 if step > 0 else -1), step)
    if len(values) > call.machine.options.words * 4:
        return concat(Hole("data", False), "\n")
    separator = call.arguments.last("-s", "--separator")
    wide = max((len(str(value)) for value in values), default=0) if call.arguments.has("-w", "--equal-width") else 0
    form = call.arguments.last("-f", "--format")
    if form is not None:
        return None
    strings: list[TextLike] = [f"{value:0{wide}d}" for value in values]
    if separator is not None:
        pieces: list[TextLike] = []
        for value in strings:
            pieces += [separator, value] if pieces else [value]
        return concat(*pieces, "\n")
    return _joined(strings)


def _cat(call: Call) -> TextLike | None:
    return call.input()


def _head(call: Call) -> TextLike | None:
    count = _count(call)
    lines = _lines(call)
    if lines is None:
        return None
    skipped = call.arguments.last("-n", "--lines")
    if any(isinstance(line, Text) for line in lines):
        # Which of the lines that a piece stands for are taken does not matter: each is as good as the other.
        return _joined(lines)
    if call.name == "tail" and isinstance(skipped, str) and re.fullmatch(r"\+\d{1,6}", skipped):
        return _joined(lines[max(0, int(skipped) - 1) :])
    if count is None:
        return None
    if call.name == "tail":
        return _joined(lines[-count:] if count else [])
    return _joined(lines[:count])


def _count(call: Call) -> int | None:
    value = call.arguments.last("-n", "--lines")
    if value is None:
        digits = [name[1:] for name, _ in call.arguments.options if name[1:].isdigit()]
        value = "".join(digits) or "10"
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,6}", value) or call.arguments.has("-c", "--bytes"):
        return None
    return int(value)


def _translate(call: Call) -> TextLike | None:
    content = call.content("-")
    operands = call.arguments.operands
    if content is None or not all(isinstance(one, str) for one in operands) or not operands:
        return None
    first = _character_set(str(operands[0]))
    second = _character_set(str(operands[1])) if len(operands) > 1 else ""
    if first is None or second is None:
        return None
    if call.arguments.has("-d", "--delete"):
        if call.arguments.has("-c", "-C", "--complement"):
            return _each(content, lambda text: "".join(char for char in text if char in first))
        return _each(content, lambda text: "".join(char for char in text if char not in first))
    if call.arguments.has("-s", "-c", "-C") or not second:
        return content if call.arguments.has("-s") and len(operands) == 1 else None
    padded = second.ljust(len(first), second[-1])
    table = dict(zip(map(ord, first), padded, strict=False))
    return _each(content, lambda text: text.translate(table))


def _each(text: TextLike, change: Callable[[str], str]) -> TextLike:
    return make_text(change(part) if isinstance(part, str) else part for part in parts_of(text))


_CHARACTER_CLASSES = {
    "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "[:lower:]": "abcdefghijklmnopqrstuvwxyz",
    "[:digit:]": "0123456789",
    "[:space:]": " \t\n\r\v\f",
    "[:blank:]": " \t",
}


def _character_set(text: str) -> str | None:
    for name, members in _CHARACTER_CLASSES.items():
        text = text.replace(name, members)
    if "[:" in text:
        return None
    text = text.replace(r"\n", "\n").replace(r"\t", "\t").replace(r"\\", "\\")

    def fill(found: re.Match[str]) -> str:
        first, last = ord(found.group(1)), ord(found.group(2))
        return "".join(map(chr, range(first, last + 1))) if first <= last and last - first < 256 else ""

    return re.sub(r"(.)-(.)", fill, text, flags=re.DOTALL)


def _cut(call: Call) -> TextLike | None:
    lines = _lines(call)
    fields = call.arguments.last("-f", "--fields")
    delimiter = call.arguments.last("-d", "--delimiter") or "\t"
    characters = call.arguments.last("-c", "--characters") or call.arguments.last("-b", "--bytes")
    if lines is None or not isinstance(delimiter, str):
        return None
    selection = fields if fields is not None else characters
    if not isinstance(selection, str) or not re.fullmatch(r"[\d,-]+", selection):
        return None
    out: list[TextLike] = []
    for line in lines:
        if isinstance(line, Text):
            out.append(_cut_partial(line, selection, delimiter) if fields is not None else hole("data"))
            continue
        items = line.split(delimiter) if fields is not None else list(line)
        if fields is not None and delimiter not in line:
            out.append(line)
            continue
        chosen = [item for number, item in enumerate(items, 1) if _selected(number, selection)]
        out.append((delimiter if fields is not None else "").join(chosen))
    return _joined(out)


def _cut_partial(line: Text, selection: str, delimiter: str) -> TextLike:
    pieces = line.prefix.split(delimiter)
    if selection.isdigit() and int(selection) < len(pieces):
        return pieces[int(selection) - 1]
    return hole(line.origin, slash=may_hold_slash(line))


def _selected(number: int, selection: str) -> bool:
    for part in selection.split(","):
        first, dash, last = part.partition("-")
        low = int(first[:9]) if first else 1
        high = int(last[:9]) if last.isdigit() else (10**9 if dash else low)
        if low <= number <= high:
            return True
    return False


def _sort(call: Call) -> TextLike | None:
    lines = _lines(call)
    if lines is None or any(isinstance(line, Text) for line in lines):
        return None if lines is None else _joined(lines)
    strings = [str(line) for line in lines]
    if call.arguments.has("-u", "--unique"):
        strings = list(dict.fromkeys(strings))
    if call.arguments.has("-k", "--key", "-n", "-V", "-g", "-h", "-R", "-M", "-f"):
        return _joined(list(strings))
    return _joined(sorted(strings, reverse=call.arguments.has("-r", "--reverse")))


def _unique(call: Call) -> TextLike | None:
    lines = _lines(call)
    if lines is None or call.arguments.has("-c", "-d", "-u", "-D"):
        return None
    return _joined([line for number, line in enumerate(lines) if number == 0 or line != lines[number - 1]])


def _count_words(_call: Call) -> TextLike | None:
    return concat(Hole("data", False), "\n")


def _reverse(call: Call) -> TextLike | None:
    lines = _lines(call)
    if lines is None or any(isinstance(line, Text) for line in lines):
        return None
    if call.name == "tac":
        return _joined(lines[::-1])
    return _joined(list[TextLike](str(line)[::-1] for line in lines))


def _grep(call: Call) -> TextLike | None:
    """Lines that match a pattern without anything special in it."""
    operands = list(call.arguments.operands)
    pattern = call.arguments.last("-e", "--regexp")
    if pattern is None and operands:
        pattern = operands.pop(0)
    if call.arguments.has("-l", "--files-with-matches", "-L"):
        recursive = call.arguments.has("-r", "-R", "--recursive")
        return _joined([below(one) if recursive and call.kind(one) != "file" else one for one in operands]) or None
    if not isinstance(pattern, str) or len(call.arguments.values("-e", "--regexp")) > 1:
        return None
    if call.arguments.has("-o", "-c", "-n", "-r", "-R", "-P", "-A", "-B", "-C", "-w", "-x", "-H"):
        return None
    expression = pattern if call.arguments.has("-E") or call.name == "egrep" else basic_regex(pattern)
    if call.arguments.has("-F") or call.name == "fgrep":
        expression = re.escape(pattern)
    pieces: list[TextLike] = []
    for operand in operands or ["-"]:
        content = call.content(operand)
        if content is None:
            return None
        pieces.append(content)
    lines = list(text_lines(concat(*pieces)))
    compiled = compile_for(expression, lines, ignore_case=call.arguments.has("-i", "--ignore-case"))
    if compiled is None:
        return None
    inverted = call.arguments.has("-v", "--invert-match")
    out = [line for line in lines if isinstance(line, Text) or (compiled.search(line) is not None) != inverted]
    limit = call.arguments.last("-m", "--max-count")
    if isinstance(limit, str) and limit.isdigit() and len(limit) < 6:
        out = out[: int(limit)]
    return _joined(out)


GREPS = frozenset({"grep", "egrep", "fgrep"})


def grep_finds(call: Call) -> bool | None:
    """Whether lines match, which is what the exit status says; only files that nobody changes can tell."""
    arguments = call.arguments
    if not call.machine.sees_all or arguments.has("-l", "-L", "-m", "-f", "--file", "-z"):
        return None
    inputs = arguments.operands[0 if arguments.has("-e", "--regexp") else 1 :]
    quiet = arguments.has("-q", "--quiet", "--silent") or call.frame.sink is None
    if not quiet and (not inputs or "-" in inputs):
        # What standard input holds can be read once, by what prints it.
        return None
    found = _grep(call)
    return bool(found) if isinstance(found, str) else None


_CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "xdigit": "0-9A-Fa-f",
    "space": r"\s", "blank": r" \t", "punct": r"!-/:-@\[-`{-~", "word": r"\w",
}  # fmt: skip


def compile_for(expression: str, lines: Iterable[TextLike], *, ignore_case: bool = False) -> re.Pattern[str] | None:
    """Compile an expression that is tried on lines; None where it could take very long on them or is not understood."""
    expression = re.sub(r"\[:([a-z]+):\]", lambda found: _CLASSES.get(found[1], found[0]), expression)
    longest = max((len(line) for line in lines if isinstance(line, str)), default=0)
    try:
        if "[:" in expression or not affordable(expression, longest):
            return None
        return re.compile(expression, re.IGNORECASE if ignore_case else 0)
    except (re.error, OverflowError, RecursionError):
        return None


def basic_regex(pattern: str) -> str:
    """A basic regular expression in Python's notation."""
    out: list[str] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        if char == "\\" and index + 1 < len(pattern):
            following = pattern[index + 1]
            out.append(following if following in "(){}|+?" else "\\" + following)
            index += 2
            continue
        if char == "[":
            end = pattern.find("]", index + 2)
            if end != -1:
                out.append(pattern[index : end + 1])
                index = end + 1
                continue
        out.append("\\" + char if char in "(){}|+?" else char)
        index += 1
    return "".join(out)


def _list_names(call: Call) -> TextLike | None:
    """`ls`: names where the tree knows them."""
    operands = call.arguments.operands or ["."]
    if call.arguments.has("-l", "-R", "-s", "-i"):
        return None
    out: list[TextLike] = []
    for operand in operands:
        if call.is_folder(operand) and not call.arguments.has("-d"):
            names = folder_names(call, operand)
            if names is None:
                out.append(Text((Hole("glob", False),)))
            else:
                out += names
        else:
            out.append(operand)
    return _joined(out)


def folder_names(call: Call, folder: TextLike) -> list[TextLike] | None:
    """Names in a folder of the tree that are not hidden; None when they are not known."""
    full = call.full(folder)
    if not isinstance(full, str) or call.machine.unsure(below(full)):
        return None
    names = call.machine.tree.list(full)
    if names is None or len(names) > call.machine.options.words or call.machine.is_made_folder(full):
        return None
    return [name for name in names if not name.startswith(".")]


def temporary_name(call: Call) -> TextLike:
    """The name that `mktemp` prints: a hole of origin `temporary` in the system's folder for temporary files."""
    operands = call.arguments.operands
    folder = call.arguments.last("-p", "--tmpdir")
    if operands and isinstance(operands[0], str) and not call.arguments.has("-t") and folder is None:
        head, _, _ = operands[0].partition("XXX")
        tail = re.sub(r"^X*", "", operands[0][len(head) :])
        if head.startswith(_TEMPORARY + "/") or ("/" not in operands[0] and call.arguments.has("--tmpdir")):
            return concat(Hole("temporary", True, "mktemp"), tail, "\n")
        return concat(head, Hole("random", False, "mktemp"), tail, "\n")
    if folder is not None and not _temporary_folder(folder):
        return concat(join_path(folder, concat("tmp.", Hole("random", False, "mktemp"))), "\n")
    return concat(Hole("temporary", True, "mktemp"), "\n")


def _temporary_folder(folder: TextLike) -> bool:
    return folder == "" or (isinstance(folder, str) and folder.startswith(_TEMPORARY)) or is_blank(folder)


def _plain_hole(call: Call) -> TextLike | None:
    return concat(Hole("data", False, call.name), "\n")


def _system_name(call: Call) -> TextLike | None:
    """`uname`: the name of the system; what else it may be asked for is not known."""
    if set(call.words[1:]) <= {"-s", "--kernel-name"}:
        return f"{platform.system()}\n"
    return _plain_hole(call)


def _tee(call: Call) -> TextLike | None:
    return call.content("-")


def _digests(call: Call) -> TextLike | None:
    if call.arguments.has("-c", "--check"):
        return None
    return _joined([concat(Hole("random", False, "digest"), "  ", operand) for operand in call.arguments.operands])


def is_number(text: TextLike) -> bool:
    """Whether a text is a whole number."""
    return isinstance(text, str) and re.fullmatch(r"-?\d+", text) is not None


def _expression(call: Call) -> TextLike | None:
    operands = call.words[1:]
    if len(operands) == 3 and is_number(operands[0]) and is_number(operands[2]) and operands[1] in ("+", "-", "*"):
        left, right = int(str(operands[0])[:18]), int(str(operands[2])[:18])
        return f"{ {'+': left + right, '-': left - right, '*': left * right}[str(operands[1])] }\n".replace(" ", "")
    return concat(Hole("data", True), "\n")


FILTERS: dict[str, Filter] = {
    "basename": _basename,
    "dirname": _dirname,
    "realpath": _resolved,
    "readlink": _resolved,
    "date": _date,
    "seq": _sequence,
    "cat": _cat,
    "head": _head,
    "tail": _head,
    "tr": _translate,
    "cut": _cut,
    "sort": _sort,
    "uniq": _unique,
    "wc": _count_words,
    "rev": _reverse,
    "tac": _reverse,
    "grep": _grep,
    "egrep": _grep,
    "fgrep": _grep,
    "ls": _list_names,
    "nproc": _plain_hole,
    "whoami": _plain_hole,
    "hostname": _plain_hole,
    "uname": _system_name,
    "id": _plain_hole,
    "tee": _tee,
    "md5sum": _digests,
    "expr": _expression,
}
