"""Operations on partly known strings that shells need: splitting, joining of paths, joining of alternatives."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of, to_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class Choice(Hole, frozen=True):
    """A piece that is one of several known or partly known strings.

    Attributes:
        alternatives: the strings, in order of appearance, at least two.
    """

    alternatives: tuple[TextLike, ...] = ()


def hole(origin: str = "unknown", name: str = "", *, slash: bool = True) -> Text:
    """A text of which nothing is known."""
    return Text((Hole(origin, slash, name),))


def may_hold_slash(text: TextLike) -> bool:
    """Whether a slash may occur in the text."""
    return any("/" in part if isinstance(part, str) else part.slash for part in parts_of(text))


def is_blank(text: TextLike | None) -> bool:
    """Whether nothing at all is known about the text."""
    return text is None or (isinstance(text, Text) and text.is_blank)


def stands_for_many(text: TextLike) -> bool:
    """Whether the text may be any number of words: names that a pattern matches, or lines of unknown data."""
    return isinstance(text, Text) and any(
        isinstance(part, Hole) and part.origin in ("glob", "data") for part in text.parts
    )


def from_environment(text: TextLike | None) -> bool:
    """Whether the text is nothing but variables that the environment may or may not define."""
    if not isinstance(text, Text):
        return False
    return all(isinstance(part, Hole) and part.origin == "environment" for part in text.parts)


def alternatives_of(texts: Sequence[TextLike], bound: int) -> list[list[TextLike]]:
    """All combinations of the alternatives in `texts`, the same choice taken in the same way everywhere.

    Returns:
        One list a combination; just the texts themselves when there is no choice in them, or too many combinations.
    """
    choices: list[Choice] = []
    for text in texts:
        for part in parts_of(text):
            if isinstance(part, Choice) and part not in choices:
                choices.append(part)
    if not choices:
        return [list(texts)]
    total = 1
    for choice in choices:
        total *= len(choice.alternatives)
    if total > bound:
        return [list(texts)]
    combinations: list[list[TextLike]] = []
    for picked in product(*(choice.alternatives for choice in choices)):
        chosen = dict(zip(choices, picked, strict=True))
        combinations.append([_substitute(text, chosen) for text in texts])
    return combinations


def _substitute(text: TextLike, chosen: dict[Choice, TextLike]) -> TextLike:
    return concat(*(chosen[part] if isinstance(part, Choice) and part in chosen else part for part in parts_of(text)))


def map_text(function: Callable[[TextLike], TextLike], text: TextLike, bound: int = 16) -> TextLike:
    """Apply a function to every alternative of a text and gather the results."""
    variants = alternatives_of([text], bound)
    if len(variants) == 1:
        return function(variants[0][0])
    return choose([function(variant[0]) for variant in variants], bound)


def choose(texts: Iterable[TextLike], bound: int) -> TextLike:
    """One text that stands for several: a choice where they are few, their generalisation otherwise."""
    flat: list[TextLike] = []
    for text in texts:
        for variant in alternatives_of([text], bound):
            if variant[0] not in flat:
                flat.append(variant[0])
    if not flat:
        return hole()
    if len(flat) == 1:
        return flat[0]
    if len(flat) > bound or any(is_blank(text) for text in flat):
        return generalise(flat)
    slash = any(may_hold_slash(text) for text in flat)
    origin = next((text.origin for text in flat if isinstance(text, Text)), "choice")
    return Text((Choice(origin, slash, "", tuple(flat)),))


def generalise(texts: Sequence[TextLike]) -> TextLike:
    """The narrowest text of one shape that covers all: common prefix, a hole, common suffix."""
    if not texts:
        return hole()
    first = texts[0]
    if all(text == first for text in texts):
        return first
    sequences = [parts_of(text) for text in texts]
    prefix: list[str | Hole] = []
    rests = [list(sequence) for sequence in sequences]
    while all(rests) and all(rest[0] == rests[0][0] for rest in rests):
        prefix.append(rests[0][0])
        for rest in rests:
            rest.pop(0)
    heads = [rest[0] if rest and isinstance(rest[0], str) else "" for rest in rests]
    common = _common_prefix([str(head) for head in heads])
    if common:
        prefix.append(common)
        for rest in rests:
            remaining = str(rest[0])[len(common) :]
            rest[:1] = [remaining] if remaining else []
    suffix: list[str | Hole] = []
    while all(rests) and all(rest[-1] == rests[0][-1] for rest in rests):
        suffix.insert(0, rests[0][-1])
        for rest in rests:
            rest.pop()
    tails = [rest[-1] if rest and isinstance(rest[-1], str) else "" for rest in rests]
    common = _common_prefix([str(tail)[::-1] for tail in tails])[::-1]
    if common:
        suffix.insert(0, common)
        for rest in rests:
            remaining = str(rest[-1])[: -len(common)]
            rest[-1:] = [remaining] if remaining else []
    slash = False
    origin = ""
    for rest in rests:
        for part in rest:
            if isinstance(part, str):
                slash = slash or "/" in part
            else:
                slash = slash or part.slash
                origin = origin or part.origin
    return make_text([*prefix, Hole(origin or "data", slash), *suffix])


def _common_prefix(strings: Sequence[str]) -> str:
    shortest = min(strings, key=len)
    for index, char in enumerate(shortest):
        if any(string[index] != char for string in strings):
            return shortest[:index]
    return shortest


def split_text(text: TextLike, separators: str) -> list[TextLike]:
    """Split at each of the separator characters in the known pieces; neighbouring separators make empty pieces."""
    pieces: list[list[str | Hole]] = [[]]
    for part in parts_of(text):
        if not isinstance(part, str):
            pieces[-1].append(part)
            continue
        chunks = re.split(f"[{re.escape(separators)}]", part)
        pieces[-1].append(chunks[0])
        pieces.extend([chunk] for chunk in chunks[1:])
    return [make_text(piece) for piece in pieces]


def strip_trailing(text: TextLike, characters: str) -> TextLike:
    """Remove trailing characters as far as they are known."""
    parts = list(parts_of(text))
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip(characters)
    return make_text(parts)


def text_lines(text: TextLike) -> Iterator[TextLike]:
    """The lines of a text, without their ends; a last empty piece is no line."""
    pieces = split_text(text, "\n")
    for index, piece in enumerate(pieces):
        if index < len(pieces) - 1 or piece != "":
            yield piece


# ---- paths -----------------------------------------------------------------------------------------------------------


def basename(path: TextLike) -> TextLike:
    """The last segment of a path."""
    path = strip_trailing(path, "/") if path != "/" else path
    last: list[str | Hole] = []
    for part in reversed(parts_of(path)):
        if isinstance(part, str):
            head, slash, tail = part.rpartition("/")
            last.insert(0, tail if slash else head + tail)
            if slash:
                break
        elif isinstance(part, Choice) and part.slash:
            return map_text(basename, path) if len(alternatives_of([path], 16)) > 1 else _flat_basename(path)
        elif part.slash:
            last.insert(0, Hole(part.origin, False, part.name))
            break
        else:
            last.insert(0, part)
    return make_text(last)


def _flat_basename(path: TextLike) -> TextLike:
    return basename(flatten(path))


def flatten(text: TextLike) -> TextLike:
    """The text with plain holes in place of its choices."""
    return make_text(
        Hole(part.origin, part.slash, part.name) if isinstance(part, Choice) else part for part in parts_of(text)
    )


def as_member(text: TextLike) -> TextLike:
    """One of the names that a pattern stands for, as a loop variable holds it."""
    return make_text(
        Hole("member", part.slash, part.name) if isinstance(part, Hole) and part.origin == "glob" else part
        for part in parts_of(text)
    )


def outward(text: TextLike) -> TextLike:
    """The text in the engine's vocabulary: plain holes, members of a pattern as the pattern."""
    return make_text(
        Hole("glob" if part.origin == "member" else part.origin, part.slash, part.name)
        if isinstance(part, Choice) or (isinstance(part, Hole) and part.origin == "member")
        else part
        for part in parts_of(text)
    )


def dirname(path: TextLike) -> TextLike:
    """Everything in front of the last segment; `.` when there is nothing in front."""
    variants = alternatives_of([path], 16)
    if len(variants) > 1:
        return choose([dirname(variant[0]) for variant in variants], 16)
    path = flatten(path)
    stripped = strip_trailing(path, "/")
    if stripped == "":
        return "/" if path != "" else "."
    parts = list(parts_of(stripped))
    while parts:
        part = parts[-1]
        if isinstance(part, str):
            if "/" in part:
                head = part.rpartition("/")[0]
                result = strip_trailing(make_text([*parts[:-1], head]), "/")
                return "/" if result == "" else result
        elif part.slash:
            return make_text(parts)
        parts.pop()
    return "."


def join_path(folder: TextLike, path: TextLike) -> TextLike:
    """A path as seen from a folder; an absolute path stands for itself."""
    parts = parts_of(path)
    if not parts:
        return folder
    first = parts[0]
    if isinstance(first, str):
        if first.startswith(("/", "~")):
            return path
    elif first.slash and not isinstance(first, Choice):
        # What is unknown may be an absolute path; the hole stands for the folder too.
        return path
    if folder in (".", ""):
        return path
    return concat(folder, path) if str(folder).endswith("/") else concat(folder, "/", path)


def normalise_path(path: TextLike) -> TextLike:
    """Remove `.`, empty segments and, where it is certain, `segment/..`. `.` when nothing is left."""
    text = path
    absolute = bool(parts_of(text)) and isinstance(parts_of(text)[0], str) and str(parts_of(text)[0]).startswith("/")
    out: list[TextLike] = []
    for segment in split_text(text, "/"):
        if segment in ("", "."):
            continue
        if segment == "..":
            if out and out[-1] != "..":
                if may_hold_slash(out[-1]):
                    out[-1] = hole(out[-1].origin if isinstance(out[-1], Text) else "unknown")
                else:
                    out.pop()
                continue
            if absolute and not out:
                continue
        out.append(segment)
    pieces: list[TextLike] = []
    for index, segment in enumerate(out):
        if index:
            pieces.append("/")
        pieces.append(segment)
    result = concat(*pieces)
    if absolute:
        return concat("/", result)
    return "." if result == "" else result


def relative_to_root(path: TextLike, root: str) -> TextLike:
    """An absolute path below the root in its relative form; other paths as they are."""
    parts = list(parts_of(path))
    if not root or not parts or not isinstance(parts[0], str):
        return path
    first = parts[0]
    if first == root and len(parts) == 1:
        return "."
    prefix = root.rstrip("/") + "/"
    if first.startswith(prefix):
        return normalise_path(make_text([first[len(prefix) :], *parts[1:]]))
    return path


def covers(pattern: TextLike, path: TextLike) -> bool:
    """Whether two paths, known wholly or in part, may name the same file."""
    if isinstance(pattern, str) and isinstance(path, str):
        return pattern == path
    if isinstance(path, str):
        return text_regex(pattern).fullmatch(path) is not None
    if isinstance(pattern, str):
        return text_regex(path).fullmatch(pattern) is not None
    left, right = pattern.prefix, path.prefix
    if not (left.startswith(right) or right.startswith(left)):
        return False
    left, right = pattern.suffix, path.suffix
    return left.endswith(right) or right.endswith(left)


def text_regex(text: TextLike) -> re.Pattern[str]:
    """A regular expression for the strings that a text may stand for."""
    out = [
        re.escape(part) if isinstance(part, str) else (r"[\s\S]*" if part.slash else "[^/]*") for part in parts_of(text)
    ]
    return re.compile("".join(out))


def display(text: TextLike) -> str:
    """A text for a message."""
    return text if isinstance(text, str) else to_pattern(text)
