"""Positions in shell texts."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True, order=True):
    """A position inside a script file, or inside the command string (`file` is None then).

    Attributes:
        line: from 1.
        column: from 1, in Unicode code points.
        file: the script, relative to the root.
    """

    line: int = 1
    column: int = 1
    file: str | None = None
