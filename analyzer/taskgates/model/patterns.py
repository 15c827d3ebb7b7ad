"""Patterns over paths: what they match, whether two of them can meet, whether one covers another.

The language. A pattern is a sequence of segments parted by slashes. Inside a segment `*` stands for any characters
except a slash, `?` for one such character, `[abc]`, `[a-z]` and `[!a-z]` for one out of (or outside) a class; `[*]`,
`[?]` and `[[]` are the characters themselves, and a bracket that is never closed is literal. `**` as a whole segment
stands for any number of whole segments, none included; glued to other text (`out**.json`) it stands for any characters,
slashes included. A trailing slash makes a folder: the folder itself and everything below. Case counts. A wildcard
matches names that begin with a dot too: missing a conflict is worse than naming one too many.

The paths. Relative to the repository root, or *anchored* outside it: absolute (`/`, `C:/`), at a home (`~`, `~user`),
above the root (`../`), or at a URL (`s3://`). Wildcards never reach across an anchor: `**` is everything under the root
and nothing outside it, and a pattern above the root (`../*/x`) is not held against paths under the root, since the
root's own name is not part of them.

Both questions about two patterns are questions about regular languages. A pattern becomes a nondeterministic automaton
with one state for each of its characters, whose transitions carry ranges of code points instead of single characters;
two patterns overlap when a final state of the product is reachable, and one covers another when no path of the other
leaves the subset construction of the first (Hopcroft and Ullman, Introduction to Automata Theory, 1979, sections 2.3
and 3.3).
"""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_CODE_POINT: Final = 0x10FFFF
_SLASH: Final = ord("/")
_DOT: Final = ord(".")

_Ranges = tuple[tuple[int, int], ...]
"""Code points as sorted, disjoint, inclusive ranges."""

_ANYTHING: Final[_Ranges] = ((0, _MAX_CODE_POINT),)
_IN_SEGMENT: Final[_Ranges] = ((0, _SLASH - 1), (_SLASH + 1, _MAX_CODE_POINT))
_SEPARATOR: Final[_Ranges] = ((_SLASH, _SLASH),)

_SPECIAL: Final = re.compile(r"[*?\[]")
_STARS: Final = re.compile(r"\*{3,}")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DRIVE: Final = re.compile(r"[A-Za-z]:/")

_COVER_STEPS: Final = 50_000
"""Configurations that `covers` visits before it gives up and says no; declared patterns need a few dozen."""


class _Element(NamedTuple):
    """One character position of a segment: one character out of `label`, or any number of them."""

    label: _Ranges
    loop: bool = False


_Segment = tuple[_Element, ...] | None
"""The elements of a segment; None is `**` as a whole segment."""


def escape(text: str) -> str:
    """The pattern that matches exactly the path `text`: wildcards become one-character classes."""
    return _SPECIAL.sub(lambda found: f"[{found.group()}]", text) if _SPECIAL.search(text) else text


def normalise_path(path: str) -> str:
    """The normal form of one path: forward slashes, no `.`, no `//`, no trailing slash, `..` resolved.

    A path that climbs above the root keeps its leading `../`; the root itself is `.`. Nothing is a wildcard here.
    """
    if _is_clean(path):
        return path
    anchor, names = _split(path, wildcards=False)
    return _join(anchor, names)


class PathPattern:
    """A set of paths, written as a normalised glob.

    Patterns are immutable, hashable and equal when their texts are. Making one parses it; the regular expression and
    the automaton are built when first needed and kept.

    Attributes:
        text: the normal form; a folder ends in a slash.
        anchor: what holds the pattern outside the root (`/`, `~`, `../`, `s3://`); empty for a relative pattern.
        is_folder: whether the pattern ends in a slash.
        literal: the one path that the pattern matches; None when it has wildcards or is a folder.
        literal_segments: the leading segments without wildcards.
    """

    __slots__ = (
        "_automaton",
        "_last",
        "_names",
        "_parsed",
        "_regex",
        "anchor",
        "is_folder",
        "literal",
        "literal_segments",
        "text",
    )

    def __init__(self, text: str) -> None:
        forward = text.replace("\\", "/")
        self.anchor, names = _split(forward, wildcards=True)
        self.is_folder = forward.endswith("/") and names[-1:] != ["**"]
        self.text = _join(self.anchor, names)
        if self.is_folder and not self.text.endswith("/"):
            self.text += "/"
        self._names = tuple(names)
        self._parsed: tuple[_Segment, ...] | None = None
        self.literal_segments = self._names
        if _SPECIAL.search(self.text) is not None:
            known: list[str] = []
            for name in names:
                literal = _literal_of(_parse_segment(name)) if _SPECIAL.search(name) else name
                if literal is None:
                    break
                known.append(literal)
            self.literal_segments = tuple(known)
        self.literal: str | None = None
        if len(self.literal_segments) == len(names) and not self.is_folder:
            self.literal = _join(self.anchor, self.literal_segments)
            # One spelling for one path, so that literals are equal when their texts are.
            self.text = escape(self.literal)
        self._last: tuple[str, str] | None = None
        self._regex: re.Pattern[str] | None = None
        self._automaton: _Automaton | None = None

    def __repr__(self) -> str:
        return f"PathPattern({self.text!r})"

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PathPattern) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __lt__(self, other: PathPattern) -> bool:
        return self.text < other.text

    def __reduce__(self) -> tuple[type[PathPattern], tuple[str]]:
        return (PathPattern, (self.text,))

    @property
    def _segments(self) -> tuple[_Segment, ...]:
        """The parsed segments; most patterns are literals, of which nobody asks for them."""
        if self._parsed is None:
            self._parsed = tuple(_parse_segment(name) for name in self._names)
        return self._parsed

    @property
    def is_literal(self) -> bool:
        """Whether exactly one path matches."""
        return self.literal is not None

    @property
    def shown(self) -> str:
        """The pattern for people: a literal as the path that it is, anything else as its text."""
        return self.literal if self.literal is not None else self.text

    @property
    def literal_prefix(self) -> str:
        """The longest known text with which every matching path begins, wildcards unescaped."""
        if self.literal is not None:
            return self.literal
        known = self.literal_segments
        rest = self._segments[len(known) :]
        if not rest or all(segment is None for segment in rest):
            return "" if not known and not self.anchor else _join(self.anchor, known)
        head = _join(self.anchor, known) if known or self.anchor else ""
        if head and not head.endswith("/"):
            head += "/"
        partial: list[str] = []
        for element in rest[0] or ():
            if element.loop or not _is_single(element.label):
                break
            partial.append(chr(element.label[0][0]))
        return head + "".join(partial)

    @property
    def literal_suffix(self) -> str:
        """The longest known text with which every matching path ends, wildcards unescaped; empty for a folder.

        It begins with a slash where a whole last segment is known and some segment may stand before it.
        """
        if self.literal is not None:
            return self.literal
        if self.is_folder:
            return ""
        known: list[str] = []
        for segment in reversed(self._segments):
            for element in reversed(segment or ()):
                if element.loop or not _is_single(element.label):
                    return "".join(reversed(known))
                known.append(chr(element.label[0][0]))
            if segment is None:
                break
            known.append("/")
        return "".join(reversed(known))

    @property
    def below(self) -> PathPattern:
        """The pattern as a folder: what it matches and everything under that."""
        return self if self.is_folder else PathPattern(self.text + "/")

    def matches(self, path: str) -> bool:
        """Whether one path, in which nothing is a wildcard, belongs to the set."""
        path = normalise_path(path)
        if self.literal is not None:
            return path == self.literal
        if self.anchor or path[:1] in ("/", "~", ".") or ":" in path:
            anchor, names = _split(path, wildcards=False)
            if anchor != self.anchor:
                return False
            subject = "".join(f"/{name}" for name in names)
        else:
            subject = f"/{path}"
        if self.is_folder and len(self.literal_segments) == len(self._names):
            folder = "".join(f"/{name}" for name in self.literal_segments)
            return subject.startswith(folder) and (len(subject) == len(folder) or subject[len(folder)] == "/")
        if self._regex is None:
            self._regex = _compile_regex(self._segments, folder=self.is_folder)
        return self._regex.fullmatch(subject) is not None

    def overlaps(self, other: PathPattern) -> bool:
        """Whether some path belongs to both sets; decided exactly."""
        if self.text == other.text and (self.literal is not None or not _has_empty_class(self._segments)):
            return True
        if self.anchor != other.anchor:
            return False
        if self.literal is not None:
            return self.literal == other.literal if other.literal is not None else other.matches(self.literal)
        if other.literal is not None:
            return self.matches(other.literal)
        # zip() ends with the shorter list: beyond it one side has a wildcard, which the automata decide.
        if any(mine != theirs for mine, theirs in zip(self.literal_segments, other.literal_segments, strict=False)):
            return False
        (head, tail), (other_head, other_tail) = self._last_segment(), other._last_segment()
        if not (head.startswith(other_head) or other_head.startswith(head)):
            return False
        if not (tail.endswith(other_tail) or other_tail.endswith(tail)):
            return False
        first, second = sorted((self, other))
        return _common_path(first, second) is not None

    def _last_segment(self) -> tuple[str, str]:
        """How the last segment of every match begins and ends, as far as that is known."""
        if self._last is None:
            head = tail = ""
            segment = self._segments[-1] if self._segments and not self.is_folder else None
            if segment is not None:
                tail = self.literal_suffix.rpartition("/")[2]
                # What may be a slash could begin a further segment.
                if all(label != _ANYTHING for label, _ in segment):
                    for label, loop in segment:
                        if loop or not _is_single(label):
                            break
                        head += chr(label[0][0])
            self._last = (head, tail)
        return self._last

    def common_path(self, other: PathPattern) -> str | None:
        """A shortest path that belongs to both sets, as proof of an overlap; None when they are disjoint."""
        if self.anchor != other.anchor:
            return None
        for known, against in ((self.literal, other), (other.literal, self)):
            if known is not None:
                return known if against.matches(known) else None
        first, second = sorted((self, other))
        return _common_path(first, second)

    def covers(self, other: PathPattern) -> bool:
        """Whether every path of `other` belongs to this set.

        Never wrong when it says yes. It says no without proof only for pairs whose subset construction grows beyond a
        bound, which takes several dozen interleaved wildcards.
        """
        if self.anchor != other.anchor:
            return False
        if other.literal is not None:
            return self.matches(other.literal)
        if self.text == other.text:
            return True
        if self.is_folder and len(self.literal_segments) == len(self._names):
            shared = other.literal_segments[: len(self._names)]
            if shared == self.literal_segments:
                return True
        if self.literal is not None:
            return False
        example = other._example()
        return (example is None or self.matches(example)) and _covers(self, other)

    def _example(self) -> str | None:
        """Some path that matches, far from any other pattern where the wildcards allow; None when nothing does."""
        names: list[str] = []
        for segment in self._segments:
            elements = segment or (_Element(_IN_SEGMENT),)
            if not all(element.label for element in elements):
                return None
            names.append("".join(_character_in(label) or chr(label[0][0]) for label, _ in elements))
        if self.is_folder:
            names += ["x", "x"]
        return _join(self.anchor, names)

    def automaton(self) -> _Automaton:
        """The pattern as an automaton over `/segment/segment`, built once."""
        if self._automaton is None:
            self._automaton = _Automaton(self._segments, folder=self.is_folder)
        return self._automaton


# --- normal form -----------------------------------------------------------------------------------------------------


def _is_clean(path: str) -> bool:
    """Whether a path is plainly in normal form already (most are)."""
    return not (
        not path or path[0] in "./~" or path[-1] == "/" or "/." in path or "//" in path or "\\" in path or ":" in path
    )


def _split(text: str, *, wildcards: bool) -> tuple[str, list[str]]:
    """Part a path or pattern into its anchor and its normalised segments."""
    if _is_clean(text) and not (wildcards and "**" in text):
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


def _join(anchor: str, names: Sequence[str]) -> str:
    """The text of an anchor and its segments."""
    rest = "/".join(names)
    if not anchor:
        return rest or "."
    if anchor.endswith("/"):
        return anchor + rest if rest or not anchor.startswith("..") else anchor[:-1]
    return f"{anchor}/{rest}" if rest else anchor


def _parse_segment(name: str) -> _Segment:
    """The elements of one segment; None for `**`."""
    if name == "**":
        return None
    elements: list[_Element] = []
    position = 0
    while position < len(name):
        character = name[position]
        if character == "*":
            run = position
            while run < len(name) and name[run] == "*":
                run += 1
            elements.append(_Element(_ANYTHING if run - position > 1 else _IN_SEGMENT, loop=True))
            position = run
        elif character == "?":
            elements.append(_Element(_IN_SEGMENT))
            position += 1
        elif character == "[" and (end := _class_end(name, position)) is not None:
            elements.append(_Element(_class_ranges(name[position + 1 : end])))
            position = end + 1
        else:
            elements.append(_Element(((ord(character), ord(character)),)))
            position += 1
    return tuple(elements)


def _class_end(name: str, start: int) -> int | None:
    """Index of the bracket that closes the class opened at `start`; None when it stays open."""
    first = start + 1
    if name[first : first + 1] == "!":
        first += 1
    end = name.find("]", first + 1)
    return end if end >= 0 else None


def _class_ranges(body: str) -> _Ranges:
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
    return _intersect(_complement(ranges) if negated else ranges, _IN_SEGMENT)


def _complement(ranges: _Ranges) -> _Ranges:
    gaps: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if start < low:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= _MAX_CODE_POINT:
        gaps.append((start, _MAX_CODE_POINT))
    return tuple(gaps)


def _intersect(first: _Ranges, second: _Ranges) -> _Ranges:
    """The code points that two range lists share; linear in their lengths."""
    if first is second or second is _ANYTHING:
        return first
    if first is _ANYTHING:
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


def _is_single(ranges: _Ranges) -> bool:
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1]


def _literal_of(segment: _Segment) -> str | None:
    """The one name that a segment matches; None when it has wildcards."""
    if segment is None or any(element.loop or not _is_single(element.label) for element in segment):
        return None
    return "".join(chr(element.label[0][0]) for element in segment)


def _has_empty_class(segments: tuple[_Segment, ...]) -> bool:
    """Whether some class admits no character, so that nothing matches at all."""
    return any(not element.label for segment in segments if segment is not None for element in segment)


# --- matching one path -----------------------------------------------------------------------------------------------


def _compile_regex(segments: tuple[_Segment, ...], *, folder: bool) -> re.Pattern[str]:
    """A regular expression over `/segment/segment` (the root is the empty text)."""
    parts: list[str] = []
    for segment in segments:
        if segment is None:
            parts.append("(?:/[^/]+)*")
            continue
        body = "".join(_regex_of(element) for element in segment)
        # A segment is never empty, which a lone star would allow.
        parts.append(f"/(?!/|$){body}")
    if folder:
        parts.append("(?:/[^/]+)*")
    return re.compile("".join(parts), re.DOTALL)


def _regex_of(element: _Element) -> str:
    label = element.label
    if label == _ANYTHING:
        one = "."
    elif label == _IN_SEGMENT:
        one = "[^/]"
    elif not label:
        one = "(?!)"
    elif _is_single(label):
        one = re.escape(chr(label[0][0]))
    else:
        one = "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in label) + "]"
    return f"{one}*" if element.loop else one


# --- two patterns ----------------------------------------------------------------------------------------------------


class _Automaton:
    """A nondeterministic automaton over `/segment/segment`, one state for each position of the pattern.

    Attributes:
        moves: for each state, the transitions (ranges, next state) of its epsilon closure.
        accepts: for each state, whether its closure holds the final state.
    """

    __slots__ = ("accepts", "moves")

    def __init__(self, segments: tuple[_Segment, ...], *, folder: bool) -> None:
        moves: list[list[tuple[_Ranges, int]]] = [[]]
        skips: list[list[int]] = [[]]

        def add_state() -> int:
            moves.append([])
            skips.append([])
            return len(moves) - 1

        state = 0
        for segment in (*segments, None) if folder else segments:
            if segment is None:
                # (slash anything*)?: that segments are not empty is held by the walk over the product.
                inside = add_state()
                after = add_state()
                moves[state].append((_SEPARATOR, inside))
                skips[state].append(after)
                moves[inside].append((_ANYTHING, inside))
                skips[inside].append(after)
                state = after
                continue
            following = add_state()
            moves[state].append((_SEPARATOR, following))
            state = following
            for element in segment:
                following = add_state()
                if element.loop:
                    moves[state].append((element.label, state))
                    skips[state].append(following)
                else:
                    moves[state].append((element.label, following))
                state = following
        # Skips only lead forward, so that closures fill in from the end.
        self.moves: list[tuple[tuple[_Ranges, int], ...]] = [()] * len(moves)
        self.accepts: list[bool] = [False] * len(moves)
        self.accepts[state] = True
        for index in range(len(moves) - 1, -1, -1):
            closed = list(moves[index])
            for target in skips[index]:
                closed.extend(move for move in self.moves[target] if move not in closed)
                self.accepts[index] = self.accepts[index] or self.accepts[target]
            self.moves[index] = tuple(closed)


# Where the walk over a product stands within a path: a segment may be neither empty nor `.` nor `..`.
_WITHIN: Final = 0
_AFTER_SLASH: Final = 1
_ONE_DOT: Final = 2
_TWO_DOTS: Final = 3

_Configuration = tuple[int, int, int]
_Origins = dict[_Configuration, tuple[_Configuration, str] | None]


def _after_dot(stage: int) -> int:
    """The stage that a dot leads to."""
    return stage + 1 if stage in (_AFTER_SLASH, _ONE_DOT) else _WITHIN


def _character_in(ranges: _Ranges) -> str | None:
    """Some character of the ranges other than slash and dot, a readable one if there is one."""
    for low, high in ranges:
        for wanted in (120, 97, 48, 65):
            if low <= wanted <= high:
                return chr(wanted)
    for low, high in ranges:
        for code in (max(low, 33), low, low + 1, low + 2):
            if low <= code <= high and code not in (_SLASH, _DOT):
                return chr(code)
    return None


@lru_cache(maxsize=1 << 16)
def _common_path(first: PathPattern, second: PathPattern) -> str | None:
    """A shortest path that both patterns match, by breadth-first search over the product automaton.

    A configuration is a state of each and the stage within the segment.
    """
    one, two = first.automaton(), second.automaton()
    start = (0, 0, _WITHIN)
    came_from: _Origins = {start: None}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        i, j, stage = here
        if stage == _WITHIN and one.accepts[i] and two.accepts[j]:
            return _spell(came_from, here, first.anchor)
        for label, next_i in one.moves[i]:
            for other_label, next_j in two.moves[j]:
                shared = _intersect(label, other_label)
                if not shared:
                    continue
                choices: list[tuple[str, int]] = []
                if (plain := _character_in(shared)) is not None:
                    choices.append((plain, _WITHIN))
                if any(low <= _DOT <= high for low, high in shared):
                    choices.append((".", _after_dot(stage)))
                if stage == _WITHIN and any(low <= _SLASH <= high for low, high in shared):
                    choices.append(("/", _AFTER_SLASH))
                for character, next_stage in choices:
                    following = (next_i, next_j, next_stage)
                    if following not in came_from:
                        came_from[following] = (here, character)
                        queue.append(following)
    return None


def _spell(came_from: _Origins, end: _Configuration, anchor: str) -> str:
    """The path along which the search came to `end`."""
    characters: list[str] = []
    step = came_from[end]
    while step is not None:
        end, character = step
        characters.append(character)
        step = came_from[end]
    names = "".join(reversed(characters)).split("/")[1:]
    return _join(anchor, names)


@lru_cache(maxsize=1 << 14)
def _covers(wide: PathPattern, narrow: PathPattern) -> bool:
    """Whether no path of `narrow` escapes `wide`: its states against the subset construction of `wide`."""
    outer, inner = wide.automaton(), narrow.automaton()
    cuts = {0, _DOT, _SLASH, _SLASH + 1, _MAX_CODE_POINT + 1}
    for automaton in (outer, inner):
        for label, _ in (move for moves in automaton.moves for move in moves):
            for low, high in label:
                cuts.update((low, high + 1))
    # Every label is a union of the intervals between two cuts, so that one character speaks for each of them.
    representatives = sorted(cuts)[:-1]
    start = (0, frozenset({0}), _WITHIN)
    seen = {start}
    stack = [start]
    while stack:
        state, subset, stage = stack.pop()
        if stage == _WITHIN and inner.accepts[state] and not any(outer.accepts[each] for each in subset):
            return False
        if len(seen) > _COVER_STEPS:
            return False
        for label, target in inner.moves[state]:
            for code in representatives:
                if not any(low <= code <= high for low, high in label) or (code == _SLASH and stage != _WITHIN):
                    continue
                reached = frozenset(
                    after
                    for each in subset
                    for ranges, after in outer.moves[each]
                    if any(low <= code <= high for low, high in ranges)
                )
                next_stage = _AFTER_SLASH if code == _SLASH else _after_dot(stage) if code == _DOT else _WITHIN
                following = (target, reached, next_stage)
                if following not in seen:
                    seen.add(following)
                    stack.append(following)
    return True
