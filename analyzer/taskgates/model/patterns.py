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

The notation is parsed in `pattern_syntax`; questions about two patterns are decided in `pattern_automata`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from taskgates.model.pattern_automata import Automaton, character_in, common_path, covers
from taskgates.model.pattern_syntax import (
    ANYTHING,
    IN_SEGMENT,
    SPECIAL,
    Element,
    Segment,
    compile_regex,
    crosses_segments,
    has_empty_class,
    is_clean,
    is_single,
    join_path,
    literal_of,
    parse_segment,
    split_path,
)

if TYPE_CHECKING:
    import re


def escape(text: str) -> str:
    """The pattern that matches exactly the path `text`: wildcards become one-character classes."""
    return SPECIAL.sub(lambda found: f"[{found.group()}]", text) if SPECIAL.search(text) else text


def normalise_path(path: str) -> str:
    """The normal form of one path: forward slashes, no `.`, no `//`, no trailing slash, `..` resolved.

    A path that climbs above the root keeps its leading `../`; the root itself is `.`. Nothing is a wildcard here.
    """
    if is_clean(path):
        return path
    anchor, names = split_path(path, wildcards=False)
    return join_path(anchor, names)


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
        "_crosses",
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
        self._parsed: tuple[Segment, ...] | None = None
        self._last: tuple[str, str] | None = None
        self._crosses: bool | None = None
        self._regex: re.Pattern[str] | None = None
        self._automaton: Automaton | None = None
        bare = text.removesuffix("/")
        if is_clean(bare) and SPECIAL.search(bare) is None:
            # Most are plain paths, and there may be hundreds of thousands of them.
            self.anchor, self.is_folder = "", len(bare) < len(text)
            self.text = text
            self.literal: str | None = None if self.is_folder else text
            self._names = self.literal_segments = tuple(bare.split("/"))
            return
        forward = text.replace("\\", "/")
        self.anchor, names = split_path(forward, wildcards=True)
        self.is_folder = forward.endswith("/") and names[-1:] != ["**"]
        self.text = join_path(self.anchor, names)
        if self.is_folder and not self.text.endswith("/"):
            self.text += "/"
        self._names = tuple(names)
        self.literal_segments = self._names
        if SPECIAL.search(self.text) is not None:
            known: list[str] = []
            for name in names:
                literal = literal_of(parse_segment(name)) if SPECIAL.search(name) else name
                if literal is None:
                    break
                known.append(literal)
            self.literal_segments = tuple(known)
        self.literal = None
        if len(self.literal_segments) == len(names) and not self.is_folder:
            self.literal = join_path(self.anchor, self.literal_segments)
            # One spelling for one path, so that literals are equal when their texts are.
            self.text = escape(self.literal)

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
    def _segments(self) -> tuple[Segment, ...]:
        """The parsed segments; most patterns are literals, of which nobody asks for them."""
        if self._parsed is None:
            self._parsed = tuple(parse_segment(name) for name in self._names)
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
            return "" if not known and not self.anchor else join_path(self.anchor, known)
        head = join_path(self.anchor, known) if known or self.anchor else ""
        if head and not head.endswith("/"):
            head += "/"
        partial: list[str] = []
        for element in rest[0] or ():
            if element.loop or not is_single(element.label):
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
                if element.loop or not is_single(element.label):
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
            anchor, names = split_path(path, wildcards=False)
            if anchor != self.anchor:
                return False
            subject = "".join(f"/{name}" for name in names)
        else:
            subject = f"/{path}"
        if self.is_folder and len(self.literal_segments) == len(self._names):
            folder = "".join(f"/{name}" for name in self.literal_segments)
            return subject.startswith(folder) and (len(subject) == len(folder) or subject[len(folder)] == "/")
        if self._crosses is None:
            self._crosses = crosses_segments(self._segments)
        if self._crosses:
            return self.automaton().accepts_text(subject)
        if self._regex is None:
            self._regex = compile_regex(self._segments, folder=self.is_folder)
        return self._regex.fullmatch(subject) is not None

    def overlaps(self, other: PathPattern) -> bool:
        """Whether some path belongs to both sets; decided exactly."""
        if self.text == other.text and (self.literal is not None or not has_empty_class(self._segments)):
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
                if all(label != ANYTHING for label, _ in segment):
                    for label, loop in segment:
                        if loop or not is_single(label):
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
            elements = segment or (Element(IN_SEGMENT),)
            if not all(element.label for element in elements):
                return None
            names.append("".join(character_in(label) or chr(label[0][0]) for label, _ in elements))
        if self.is_folder:
            names += ["x", "x"]
        return join_path(self.anchor, names)

    def automaton(self) -> Automaton:
        """The pattern as an automaton over `/segment/segment`, built once."""
        if self._automaton is None:
            self._automaton = Automaton(self._segments, folder=self.is_folder)
        return self._automaton


@lru_cache(maxsize=1 << 16)
def _common_path(first: PathPattern, second: PathPattern) -> str | None:
    names = common_path(first.automaton(), second.automaton())
    return None if names is None else join_path(first.anchor, names)


@lru_cache(maxsize=1 << 14)
def _covers(wide: PathPattern, narrow: PathPattern) -> bool:
    return covers(wide.automaton(), narrow.automaton())
