"""Text of unknown origin, made safe to print."""

from __future__ import annotations

import re

_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_COLONS = re.compile(r"(?<!\S):(?=:)")


def printable(text: str, *, unicode: bool = True, lines: bool = False, colons: bool = False) -> str:
    """The text with control characters, direction overrides and lone surrogates spelled out.

    Names of files and lines of code come from the repository under analysis; none of them may move the cursor, change
    colours, or begin a line of its own; nor may a word begin like the commands that GitHub Actions finds in logs, with
    two colons.

    Args:
        text: anything.
        unicode: whether characters beyond ASCII may stay; otherwise they are spelled out too.
        lines: whether line feeds may stay.
        colons: whether a word may begin with two colons.
    """
    if lines:
        return "\n".join(printable(line, unicode=unicode, colons=colons) for line in text.split("\n"))
    safe = _UNSAFE.sub(_spelled, text if colons else _COLONS.sub(r"\\x3a", text))
    return safe if unicode else safe.encode("ascii", "backslashreplace").decode("ascii")


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code == 10:
        return "\\n"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
