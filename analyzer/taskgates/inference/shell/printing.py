"""`echo` and `printf`: what they print, where anybody looks at it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.shell.expansion import unescape_ansi
from taskgates.inference.shell.machine import Outcome
from taskgates.inference.shell.texts import hole
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of

if TYPE_CHECKING:
    from taskgates.inference.shell.call import Call


_DIRECTIVE = re.compile(r"%(?:%|(\([^)]*\)T)|[-+ #0]*(\*|\d*)(?:\.(?:\*|\d*))?([diouxXfeEgGcsbq]))")


def echo(call: Call) -> Outcome:
    """`echo` with its flags."""
    words = list(call.words[1:])
    newline, escapes = True, False
    while words and isinstance(words[0], str) and re.fullmatch(r"-[neE]+", words[0]):
        flag = str(words.pop(0))
        newline = newline and "n" not in flag
        escapes = "e" in flag or escapes
    if call.captured:
        pieces: list[TextLike] = []
        for word in words:
            pieces += [" ", word] if pieces else [word]
        text = concat(*pieces, "\n" if newline else "")
        if escapes:
            text = make_text(unescape_ansi(part) if isinstance(part, str) else part for part in parts_of(text))
        call.out(text)
    return Outcome()


def printf(call: Call) -> Outcome:
    """`printf`, also into a variable."""
    words = list(call.words[1:])
    target: str | None = None
    while words and isinstance(words[0], str) and words[0].startswith("-"):
        flag = words.pop(0)
        if flag == "-v" and words:
            name = words.pop(0)
            target = name if isinstance(name, str) else None
        elif flag == "--":
            break
    if not words:
        return Outcome()
    if target is None and not call.captured:
        return Outcome()
    text = format_text(words[0], words[1:], call.machine.options.words)
    if target is not None:
        call.state.variables[target] = text
    else:
        call.out(text)
    return Outcome()


def format_text(form: TextLike, values: list[TextLike], bound: int) -> TextLike:
    """What `printf` makes of a format and its arguments; the format repeats while arguments are left."""
    if not isinstance(form, str):
        return hole("data")
    pieces: list[TextLike | Hole] = []
    queue = list(values)
    for _ in range(bound):
        consumed = _format_once(form, queue, pieces)
        if not queue or not consumed:
            break
    return concat(*pieces)


def _format_once(form: str, queue: list[TextLike], pieces: list[TextLike | Hole]) -> bool:
    position = 0
    consumed = False
    for found in _DIRECTIVE.finditer(form):
        pieces.append(unescape_ansi(form[position : found.start()]))
        position = found.end()
        directive = found.group()
        if directive == "%%":
            pieces.append("%")
            continue
        consumed = True
        if found.group(1):
            if queue:
                queue.pop(0)
            pieces.append(Hole("clock", "/" in found.group(1), "date"))
            continue
        if "*" in directive:
            pieces.append(Hole("data", False))
            del queue[: 1 + directive.count("*")]
            continue
        value = queue.pop(0) if queue else ""
        pieces.append(_format_value(directive, found.group(3), value))
    pieces.append(unescape_ansi(form[position:]))
    return consumed


def _format_value(directive: str, kind: str, value: TextLike) -> TextLike | Hole:
    width = re.search(r"\d+", directive)
    if width is not None and len(width.group()) > 3:
        return Hole("data")
    if kind in "diouxXfeEgG":
        if not isinstance(value, str):
            return Hole("data", False)
        try:
            number = float(value or 0) if kind in "feEgG" else int(value or "0", 0 if value[:1] != "0" else 10)
            return directive.replace("i", "d").replace("u", "d") % number
        except (ValueError, TypeError, OverflowError):
            return Hole("data", False)
    if isinstance(value, Text):
        return value
    if kind == "b":
        return unescape_ansi(value)
    if kind == "c":
        return value[:1]
    if kind == "q":
        return value
    return directive % value
