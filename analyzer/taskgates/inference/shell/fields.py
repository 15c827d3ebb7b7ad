"""Fields under construction: what word expansion makes of a word before it is split."""

from __future__ import annotations

from typing import NamedTuple

from taskgates.inference.shell.patterns import escape_pattern
from taskgates.inference.text import TextLike, concat


class Piece(NamedTuple):
    """A part of a field: quoted parts are taken literally, unquoted results of expansions are split."""

    text: TextLike
    quoted: bool
    split: bool


class Field:
    """A field under construction. `present` keeps it even when it is empty."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.present = False

    def add(self, text: TextLike, *, quoted: bool, split: bool = False) -> None:
        """Append a part."""
        if text != "":
            self.pieces.append(Piece(text, quoted, split))

    @property
    def pattern(self) -> TextLike:
        """The field as a shell pattern, what was quoted protected."""
        return concat(*(escape_pattern(piece.text) if piece.quoted else piece.text for piece in self.pieces))

    @property
    def text(self) -> TextLike:
        """The field's characters."""
        return concat(*(piece.text for piece in self.pieces))
