"""Ignore rules as git reads them: nested files, the deepest opinion wins, an ignored folder hides all below it.

What a single line matches is pathspec's business. Which line decides is settled here, one level at a time as a walk
goes down, because pathspec's own verdict is about files and whole paths: under `*` and `!*/` it calls every folder
ignored, and under `a/**` the folder `a` too, so that a walk would never get to see what later lines bring back.

Syntax: https://git-scm.com/docs/gitignore
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Pattern(NamedTuple):
    """One line of an ignore file.

    Attributes:
        regex: matches a whole path below the file's folder, or its last segment where that is enough; a folder's with
            a slash at the end.
        ignored: what a match means.
        by_name: whether the last segment is enough.
    """

    regex: re.Pattern[str]
    ignored: bool
    by_name: bool


class IgnoreRules:
    """The patterns of one ignore file.

    Attributes:
        base: the folder of the file, relative to the root; empty for the root.
    """

    def __init__(self, base: str, patterns: Iterable[_Pattern]) -> None:
        self.base = base
        self._patterns = tuple(patterns)[::-1]

    @classmethod
    def parse(cls, base: str, lines: Iterable[str]) -> IgnoreRules:
        """Read the lines of an ignore file; one that git could not read either is passed over."""
        patterns = (_parse(line) for line in lines)
        return cls(base, [pattern for pattern in patterns if pattern is not None])

    def verdict(self, path: str, *, folder: bool) -> bool | None:
        """True for ignored, False for expressly kept, None for no opinion; the last pattern that matches decides.

        Args:
            path: relative to the root, below `base`.
            folder: whether it is a folder.
        """
        if not self._patterns:
            return None
        inner = path[len(self.base) + 1 :] if self.base else path
        name = inner[inner.rfind("/") + 1 :]
        if folder:
            inner, name = inner + "/", name + "/"
        for regex, ignored, by_name in self._patterns:
            if regex.fullmatch(name if by_name else inner):
                return ignored
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


def _parse(line: str) -> _Pattern | None:
    """Read one line; None for a blank line, a comment, and a pattern that can never match."""
    text = line.rstrip("\r")
    if not text.strip() or text.startswith("#"):
        return None
    # Imported where it is needed: much of the program never looks at an ignore file.
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    body = text.rstrip().rstrip("/")
    with warnings.catch_warnings():
        # `[[:alpha:]` makes the regular expression's compiler warn of a syntax that may come.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            pattern = GitIgnoreSpecPattern(_spelt_out(text))
        except (ValueError, re.error, OverflowError, RecursionError):
            return None
    if pattern.regex is None or pattern.include is None:
        return None
    return _Pattern(pattern.regex, pattern.include, "/" not in body)


def _spelt_out(text: str) -> str:
    """The same pattern without a last `*` or `**`, for which pathspec's expressions end before the path does."""
    body = text.rstrip().rstrip("/")
    head, slash, last = body.removeprefix("!").rpartition("/")
    if last == "*":
        last = "?*"
    elif last == "**":
        last = "**/?*" if slash else "?*"
    else:
        return text
    sign = "!" if text.startswith("!") else ""
    return f"{sign}{head}{slash}{last}{text.rstrip()[len(body) :]}"
