"""A report as JSON text."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

_NOT_PRINTABLE_ASCII = re.compile(r"[^\n -~]")


def json_text(value: dict[str, Any], indent: int = 2) -> str:
    """Indented JSON with a final line feed; ASCII only, so that no encoding can break it.

    The keys stand in the order of the dictionaries. The text is what `json.dumps(value, indent=indent)` gives, several
    times faster on a large report; only very large and very small fractions are spelled otherwise (`1e-7`).
    """
    try:
        text = msgspec.json.format(msgspec.json.encode(value), indent=indent).decode()
    except (UnicodeEncodeError, OverflowError):
        # A file name that is no UTF-8, and a number beyond 64 bits, are only known to the standard library.
        return json.dumps(value, indent=indent) + "\n"
    # Outside strings there is nothing but printable ASCII and line feeds.
    return _NOT_PRINTABLE_ASCII.sub(lambda found: json.dumps(found.group())[1:-1], text) + "\n"
