"""Ignore rules as git reads them: nested files, the deepest opinion wins, an ignored folder hides all below it.

Patterns are matched one level at a time during a walk, as git itself does it. (pathspec matches whole paths at once and
then differs from git where a folder is re-included or a pattern ends in `**/`.)

Syntax: https://git-scm.com/docs/gitignore and the wildcard matching of git's `wildmatch`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_POSIX_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t\n\r\f\v",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


class IgnorePattern(NamedTuple):
    """One line of an ignore file.

    Attributes:
        regex: matches the whole path below the file's folder, or the last segment alone where `anchored` is False.
        negated: whether a match is kept instead of ignored.
        folders_only: whether only folders can match.
        anchored: whether the pattern has a slash other than a trailing one.
    """

    regex: re.Pattern[str]
    negated: bool
    folders_only: bool
    anchored: bool

    def matches(self, path: str, name: str, *, folder: bool) -> bool:
        """Whether a path (relative to the ignore file's folder) with this last segment matches."""
        if self.folders_only and not folder:
            return False
        return self.regex.fullmatch(path if self.anchored else name) is not None


def parse_pattern(line: str) -> IgnorePattern | None:
    """Read one line; None for a blank line, a comment, and a pattern that can never match."""
    text = _strip_trailing_spaces(_bytewise(line.rstrip("\r")))
    if not text or text.startswith("#"):
        return None
    negated = text.startswith("!")
    if negated:
        text = text[1:]
    folders_only = text.endswith("/")
    if folders_only:
        text = text[:-1]
    anchored = "/" in text
    text = text.removeprefix("/")
    translated = _translate(text)
    if not text or translated is None:
        return None
    try:
        return IgnorePattern(re.compile(translated, re.DOTALL), negated, folders_only, anchored)
    except (re.error, OverflowError, RecursionError):
        return None


class IgnoreRules:
    """The patterns of one ignore file.

    Attributes:
        base: the folder of the file, relative to the root; empty for the root.
    """

    def __init__(self, base: str, patterns: tuple[IgnorePattern, ...]) -> None:
        self.base = base
        self._patterns = patterns[::-1]

    @classmethod
    def parse(cls, base: str, lines: Iterable[str]) -> IgnoreRules:
        """Read the lines of an ignore file; one that git could not read either is passed over."""
        patterns = (parse_pattern(line) for line in lines)
        return cls(base, tuple(pattern for pattern in patterns if pattern is not None))

    def verdict(self, path: str, *, folder: bool) -> bool | None:
        """True for ignored, False for expressly kept, None for no opinion; the last pattern that matches decides.

        Args:
            path: relative to the root, below `base`.
            folder: whether it is a folder.
        """
        inner = _bytewise(path[len(self.base) + 1 :] if self.base else path)
        name = inner.rpartition("/")[2]
        for pattern in self._patterns:
            if pattern.matches(inner, name, folder=folder):
                return not pattern.negated
        return None


class IgnoreStack:
    """Ignore files from the root down to one folder."""

    def __init__(self, rules: tuple[IgnoreRules, ...]) -> None:
        self._rules = rules

    def push(self, rules: IgnoreRules) -> IgnoreStack:
        """The stack of a folder with an ignore file of its own."""
        return IgnoreStack((*self._rules, rules))

    def ignores(self, path: str, *, folder: bool) -> bool:
        """Whether a path is ignored, given that none of its parents is."""
        for rules in reversed(self._rules):
            verdict = rules.verdict(path, folder=folder)
            if verdict is not None:
                return verdict
        return False


def _bytewise(text: str) -> str:
    """One character for each byte of the UTF-8 form, which is what git's wildcards count."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def _strip_trailing_spaces(text: str) -> str:
    """Drop trailing blanks, except one that a backslash protects."""
    stripped = text.rstrip(" ")
    escapes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if escapes % 2 and len(stripped) < len(text) else stripped


def _translate(text: str) -> str | None:
    """The regular expression of a pattern without its leading and trailing slash; None if it is malformed."""
    out: list[str] = []
    index = 0
    while index < len(text):
        char = text[index]
        if char == "*":
            end = index
            while end < len(text) and text[end] == "*":
                end += 1
            at_start = index == 0 or text[index - 1] == "/"
            at_end = end == len(text) or text[end] == "/"
            if end - index >= 2 and at_start and at_end:
                if end < len(text):
                    out.append("(?:.*/)?")
                    end += 1
                else:
                    out.append(".*")
            else:
                out.append("[^/]*")
            index = end
        elif char == "?":
            out.append("[^/]")
            index += 1
        elif char == "[":
            bracket = _bracket(text, index)
            if bracket is None:
                return None
            piece, index = bracket
            out.append(piece)
        elif char == "\\":
            if index + 1 == len(text):
                return None
            out.append(re.escape(text[index + 1]))
            index += 2
        else:
            out.append(re.escape(char))
            index += 1
    return "".join(out)


def _bracket(text: str, start: int) -> tuple[str, int] | None:
    """A bracket expression and the place behind it; None if it is not closed."""
    index = start + 1
    negated = index < len(text) and text[index] in "!^"
    index += negated
    body: list[str] = []
    first = True
    while index < len(text) and (first or text[index] != "]"):
        first = False
        named = re.compile(r"\[:(\w*):\]").match(text, index)
        if named:
            if named[1] not in _POSIX_CLASSES:
                return None
            body.append(_POSIX_CLASSES[named[1]])
            index = named.end()
            continue
        low, index = _bracket_char(text, index)
        if text[index : index + 1] == "-" and text[index + 1 : index + 2] not in ("", "]"):
            high, index = _bracket_char(text, index + 1)
            if low <= high:
                body.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            body.append(re.escape(low))
    if index >= len(text):
        return None
    inside = "".join(body)
    if negated:
        return f"[^/{inside}]", index + 1
    return (f"(?!/)[{inside}]" if inside else "(?!)"), index + 1


def _bracket_char(text: str, index: int) -> tuple[str, int]:
    if text[index] == "\\" and index + 1 < len(text):
        index += 1
    return text[index], index + 1
