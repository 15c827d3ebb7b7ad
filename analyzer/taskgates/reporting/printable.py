"""Text of unknown origin, made safe to print."""

from __future__ import annotations

import re

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str, *, unicode: bool = True) -> str:
    """The text with control characters, direction overrides and lone surrogates spelled out.

    Names of files and lines of code come from the repository under analysis; none of them may move the cursor or
    change colours.

    Args:
        text: anything.
        unicode: whether characters beyond ASCII may stay; otherwise they are spelled out too.
    """
    safe = _UNSAFE.sub(_spelled, text)
    return safe if unicode else safe.encode("ascii", "backslashreplace").decode("ascii")


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
