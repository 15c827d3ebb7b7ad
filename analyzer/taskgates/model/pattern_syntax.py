"""The notation of path patterns: normal form, segments and their elements, and the regular expression for matching.

`patterns` says what the notation means. Every segment becomes a row of elements, each with the ranges of code points
that it admits; classes, wildcards and plain characters are the same thing from here on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_CODE_POINT: Final = 0x10FFFF
SLASH: Final = ord("/")
DOT: Final = ord(".")

Ranges = tuple[tuple[int, int], ...]
"""Code points as sorted, disjoint, inclusive ranges."""

ANYTHING: Final[Ranges] = ((0, MAX_CODE_POINT),)
IN_SEGMENT: Final[Ranges] = ((0, SLASH - 1), (SLASH + 1, MAX_CODE_POINT))
SEPARATOR: Final[Ranges] = ((SLASH, SLASH),)

SPECIAL: Final = re.compile(r"[*?\[]")
_STARS: Final = re.compile(r"\*{3,}")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DRIVE: Final = re.compile(r"[A-Za-z]:/")


class Element(NamedTuple):
    """One character position of a segment: one character out of `label`, or any number of them."""

    label: Ranges
    loop: bool = False


Segment = tuple[Element, ...] | None
"""The elements of a segment; None is `**` as a whole segment."""


# --- normal form -----------------------------------------------------------------------------------------------------


def is_clean(path: str) -> bool:
    """Whether a path is plainly in normal form already (most are)."""
    return not (
        not path or path[0] in "./~" or path[-1] == "/" or "/." in path or "//" in path or "\\" in path or ":" in path
    )


def split_path(text: str, *, wildcards: bool) -> tuple[str, list[str]]:
    """Part a path or pattern into its anchor and its normalised segments."""
    if is_clean(text) and not (wildcards and "**" in text):
        return "", text.split("/")
    text = text.replace("\\", "/")
    anchor = ""
    if found := _URL.match(text) or _DRIVE.match(text):
        anchor, text = found.group(), text[found.end() :]
    elif text.startswith("/"):
        anchor = "/"
    elif text.startswith("~"):
        anchor, _, text = text.partition("/")
    names: list[str] = []
    climbs = 0
    for name in text.split("/"):
        if name in ("", "."):
            continue
        if name == ".." and not (names and names[-1] == ".."):
            if not names:
                if anchor.startswith("~"):
                    names.append(name)
                elif not anchor:
                    climbs += 1
                continue
            last = names.pop()
            if wildcards and "**" in last and names[-1:] != ["**"]:
                # Any number of segments less one: still any number of them, the text glued to it gone.
                names.append("**")
            continue
        if wildcards and "**" in name:
            name = _STARS.sub("**", name)  # noqa: PLW2901 (the loop normalises what it reads)
            if name == "**" and names and names[-1] == "**":
                continue
        names.append(name)
    return anchor or "../" * climbs, names


def join_path(anchor: str, names: Sequence[str]) -> str:
    """The text of an anchor and its segments."""
    rest = "/".join(names)
    if not anchor:
        return rest or "."
    if anchor.endswith("/"):
        return anchor + rest if rest or not anchor.startswith("..") else anchor[:-1]
    return f"{anchor}/{rest}" if rest else anchor


def parse_segment(name: str) -> Segment:
    """The elements of one segment; None for `**`."""
    if name == "**":
        return None
    elements: list[Element] = []
    position = 0
    while position < len(name):
        character = name[position]
        if character == "*":
            run = position
            while run < len(name) and name[run] == "*":
                run += 1
            elements.append(Element(ANYTHING if run - position > 1 else IN_SEGMENT, loop=True))
            position = run
        elif character == "?":
            elements.append(Element(IN_SEGMENT))
            position += 1
        elif character == "[" and (end := _class_end(name, position)) is not None:
            elements.append(Element(_class_ranges(name[position + 1 : end])))
            position = end + 1
        else:
            elements.append(Element(((ord(character), ord(character)),)))
            position += 1
    return tuple(elements)


def _class_end(name: str, start: int) -> int | None:
    """Index of the bracket that closes the class opened at `start`; None when it stays open."""
    first = start + 1
    if name[first : first + 1] == "!":
        first += 1
    end = name.find("]", first + 1)
    return end if end >= 0 else None


def _class_ranges(body: str) -> Ranges:
    """The ranges of a class, given the text between its brackets."""
    negated = body.startswith("!")
    if negated:
        body = body[1:]
    chosen: list[tuple[int, int]] = []
    position = 0
    while position < len(body):
        low = ord(body[position])
        if position + 2 < len(body) and body[position + 1] == "-":
            high = ord(body[position + 2])
            position += 3
        else:
            high = low
            position += 1
        if low <= high:
            chosen.append((low, high))
    merged: list[tuple[int, int]] = []
    for low, high in sorted(chosen):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    ranges = tuple(merged)
    return intersect(_complement(ranges) if negated else ranges, IN_SEGMENT)


def _complement(ranges: Ranges) -> Ranges:
    gaps: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if start < low:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= MAX_CODE_POINT:
        gaps.append((start, MAX_CODE_POINT))
    return tuple(gaps)


def intersect(first: Ranges, second: Ranges) -> Ranges:
    """The code points that two range lists share; linear in their lengths."""
    if first is second or second is ANYTHING:
        return first
    if first is ANYTHING:
        return second
    shared: list[tuple[int, int]] = []
    i = j = 0
    while i < len(first) and j < len(second):
        low = max(first[i][0], second[j][0])
        high = min(first[i][1], second[j][1])
        if low <= high:
            shared.append((low, high))
        if first[i][1] < second[j][1]:
            i += 1
        else:
            j += 1
    return tuple(shared)


def is_single(ranges: Ranges) -> bool:
    """Whether the ranges hold one character."""
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1]


def literal_of(segment: Segment) -> str | None:
    """The one name that a segment matches; None when it has wildcards."""
    if segment is None or any(element.loop or not is_single(element.label) for element in segment):
        return None
    return "".join(chr(element.label[0][0]) for element in segment)


def has_empty_class(segments: tuple[Segment, ...]) -> bool:
    """Whether some class admits no character, so that nothing matches at all."""
    return any(not element.label for segment in segments if segment is not None for element in segment)


# --- matching one path -----------------------------------------------------------------------------------------------


def crosses_segments(segments: tuple[Segment, ...]) -> bool:
    """Whether some `**` is glued to other text, so that what it matches may hold slashes."""
    return any(element.loop and element.label == ANYTHING for segment in segments for element in segment or ())


def compile_regex(segments: tuple[Segment, ...], *, folder: bool) -> re.Pattern[str]:
    """A regular expression over `/segment/segment` (the root is the empty text) for segments that stay within slashes.

    What stands between two wildcards is taken at its first occurrence, since the second wildcard makes up for the rest;
    nothing is tried twice, whatever the number of wildcards.
    """
    groups: list[list[str]] = [[]]
    for segment in (*segments, None) if folder else segments:
        if segment is None:
            groups.append([])
        else:
            groups[-1].append(_segment_regex(segment))
    first, *others = ("".join(group) for group in groups)
    *middle, last = others or [""]
    jumps = "".join(f"(?>{_ANY_SEGMENTS}?{group})" for group in middle)
    return re.compile(f"{first}{jumps}{_ANY_SEGMENTS if others else ''}{last}", re.DOTALL)


_ANY_SEGMENTS: Final = "(?:/[^/]+)*"


def _segment_regex(segment: tuple[Element, ...]) -> str:
    chunks: list[list[str]] = [[]]
    for element in segment:
        if element.loop:
            chunks.append([])
        else:
            chunks[-1].append(_regex_of(element))
    first, *others = ("".join(chunk) for chunk in chunks)
    *middle, last = others or [""]
    jumps = "".join(f"(?>[^/]*?{chunk})" for chunk in middle)
    # A segment is never empty, which a lone star would allow.
    return f"/(?!/|\\Z){first}{jumps}{'[^/]*' if others else ''}{last}(?=/|\\Z)"


def _regex_of(element: Element) -> str:
    """What one character matches."""
    label = element.label
    if label == IN_SEGMENT:
        return "[^/]"
    if not label:
        return "(?!)"
    if is_single(label):
        return re.escape(chr(label[0][0]))
    return "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in label) + "]"
