"""TOML of unknown origin, decoded in bounded time and with one kind of error."""

from __future__ import annotations

import re
import tomllib
from typing import Any

_DEEPEST_KEY = 32
"""Parts that a dotted key may have: the decoder's time and memory grow with the square of their number."""

_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_DEEP_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*+{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_DEEPEST_KEY}}}", re.MULTILINE)


def load_toml(text: str) -> dict[str, Any]:
    """The decoded document.

    Raises:
        ValueError: it is not valid TOML, or nested too deeply; the message of the former ends in the place.
    """
    deep = _DEEP_KEY.search(text)
    if deep is not None:
        line = text.count("\n", 0, deep.end()) + 1
        raise ValueError(f"A key has more than {_DEEPEST_KEY} parts (at line {line}, column 1)")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("Nested too deeply to be read (at line 1, column 1)") from None
