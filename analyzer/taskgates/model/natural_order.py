"""The order in which people expect ids and file names: `110_2` before `110_10`."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\d+")


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key: digits count by value, everything else by the letter; numbers come before letters."""
    if text.isascii() and text.isdigit():
        # By far the most ids, in a tenth of the time.
        digits = text.lstrip("0")
        return ((0, len(digits), digits),)
    key: list[tuple[int, int, str]] = []
    place = 0
    for match in _NUMBER.finditer(text):
        if match.start() > place:
            key.append((1, 0, text[place : match.start()]))
        digits = match[0].lstrip("0")
        # The length first, so that numbers of any size compare by value without being computed.
        key.append((0, len(digits), digits))
        place = match.end()
    if place < len(text):
        key.append((1, 0, text[place:]))
    return tuple(key)
