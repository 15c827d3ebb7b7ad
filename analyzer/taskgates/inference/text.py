"""Strings of which only some pieces are known.

A string that is wholly known is a plain `str` everywhere in the engine; `Text` is used only when there is a hole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Hole(msgspec.Struct, frozen=True):
    """An unknown piece of a string.

    Attributes:
        origin: where the piece comes from: `argument`, `environment`, `data`, `glob`, `clock`, `random`, `unknown`.
        slash: whether the piece may contain a path separator.
        name: a label for people (the parameter's or variable's name), not part of the identity that matters.
    """

    origin: str = "unknown"
    slash: bool = True
    name: str = ""


class Text(msgspec.Struct, frozen=True):
    """Literal pieces and holes, in order; never two literals in a row, never an empty literal, at least one hole."""

    parts: tuple[str | Hole, ...]

    @property
    def prefix(self) -> str:
        """The literal piece in front, or the empty string."""
        first = self.parts[0]
        return first if isinstance(first, str) else ""

    @property
    def suffix(self) -> str:
        """The literal piece at the end, or the empty string."""
        last = self.parts[-1]
        return last if isinstance(last, str) else ""

    @property
    def origin(self) -> str:
        """Where the first hole comes from."""
        return next(part.origin for part in self.parts if isinstance(part, Hole))

    @property
    def is_blank(self) -> bool:
        """Whether nothing at all is known."""
        return all(isinstance(part, Hole) for part in self.parts)

    def __str__(self) -> str:
        return "".join(part if isinstance(part, str) else "{" + (part.name or part.origin) + "}" for part in self.parts)


TextLike = str | Text

PARTS_LIMIT = 16
"""Pieces that one partly known string may have."""

HEAD = 6
"""Pieces kept at either end where there are more."""


LITERAL_LIMIT = 1 << 16
"""Characters that one known piece may have: a text that doubles in a loop would fill the memory."""

_KEPT = 1 << 10


def _shortened(parts: Iterable[str | Hole]) -> Iterator[str | Hole]:
    """Of literals that are too long, only how they begin and end."""
    for part in parts:
        if isinstance(part, str) and len(part) > LITERAL_LIMIT:
            yield part[:_KEPT]
            yield Hole("data", "/" in part)
            yield part[-_KEPT:]
        else:
            yield part


def make_text(parts: Iterable[str | Hole]) -> TextLike:
    """Join pieces, merging neighbouring literals; a plain `str` when no hole is among them."""
    out: list[str | Hole] = []
    grown = False
    for part in parts:
        if isinstance(part, str):
            if not part:
                continue
            if out and isinstance(out[-1], str):
                out[-1] += part
                grown = grown or len(out[-1]) > LITERAL_LIMIT
                continue
        elif out and isinstance(out[-1], Hole):
            last = out[-1]
            if last.slash or not part.slash:
                continue
            out[-1] = part
            continue
        out.append(part)
    if grown:
        return make_text(list(_shortened(out)))
    if not any(isinstance(part, Hole) for part in out):
        return "".join(part for part in out if isinstance(part, str))
    if len(out) > PARTS_LIMIT:
        # Too many pieces to be worth telling apart: the middle becomes one hole.
        middle = out[HEAD : len(out) - HEAD]
        slash = any(part.slash if isinstance(part, Hole) else "/" in part for part in middle)
        origin = next((part.origin for part in middle if isinstance(part, Hole)), "unknown")
        return make_text([*out[:HEAD], Hole(origin, slash), *out[len(out) - HEAD :]])
    return Text(tuple(out))


def concat(*pieces: TextLike | Hole) -> TextLike:
    """Concatenate known and partly known strings."""
    parts: list[str | Hole] = []
    for piece in pieces:
        if isinstance(piece, Text):
            parts.extend(piece.parts)
        else:
            parts.append(piece)
    return make_text(parts)


def parts_of(text: TextLike) -> tuple[str | Hole, ...]:
    """The pieces of a known or partly known string."""
    if isinstance(text, str):
        return (text,) if text else ()
    return text.parts


_WILDCARDS = re.compile(r"([*?\[\]])")


def to_pattern(text: TextLike) -> str:
    """The path pattern of a partly known string: `*` for a hole without a slash, `**` for one that may hold some.

    Wildcards in the known pieces are escaped as one-character classes.
    """
    out: list[str] = []
    for part in parts_of(text):
        if isinstance(part, str):
            out.append(_WILDCARDS.sub(r"[\1]", part))
        else:
            out.append("**" if part.slash else "*")
    return "".join(out)
