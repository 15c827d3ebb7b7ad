"""Glob patterns expanded over a folder lister, with the meaning they have in `glob` and `pathlib`."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

Members = Callable[[str], tuple[tuple[str, bool, bool], ...]]
"""A folder's entries: name, whether it is a folder (or a link to one), whether it is a link."""

IsFolder = Callable[[str], bool | None]
"""Whether a path is a folder; None where nothing is."""

_MAGIC = re.compile(r"[*?\[]")


class Lister:
    """Access to folders with a bound on the number of entries looked at.

    Attributes:
        exhausted: whether the bound was reached, so that results may be missing.
    """

    def __init__(self, members: Members, is_folder: IsFolder, budget: int) -> None:
        self._members = members
        self._budget = budget
        self.is_folder = is_folder
        self.exhausted = False

    def members(self, folder: str) -> tuple[tuple[str, bool, bool], ...]:
        """The entries of a folder, or nothing once the bound is reached."""
        if self._budget <= 0:
            self.exhausted = True
            return ()
        found = self._members(folder)
        self._budget -= len(found) + 1
        return found


class GlobPattern:
    """A pattern split into segments.

    Attributes:
        pattern: the normalised, root-relative pattern.
    """

    def __init__(self, pattern: str, *, hidden: bool, recursive: bool) -> None:
        self.pattern = pattern
        self._hidden = hidden
        segments = [segment for segment in pattern.split("/") if segment != "."]
        self._segments = [segment if recursive or segment != "**" else "*" for segment in segments]

    def expand(self, lister: Lister) -> tuple[str, ...]:
        """The paths that match, sorted, each once."""
        current: dict[str, None] = {"": None}
        for index, segment in enumerate(self._segments):
            last = index == len(self._segments) - 1
            reached: dict[str, None] = {}
            for folder in current:
                for path in self._step(folder, segment, lister, last=last):
                    reached[path] = None
            current = reached
        return tuple(sorted(path or "." for path in current))

    def _step(self, folder: str, segment: str, lister: Lister, *, last: bool) -> Iterator[str]:
        if segment == "**":
            yield from self._below(folder, lister, files=last)
        elif segment == "..":
            # Behind a wildcard only: a leading or plain `..` is gone after normalisation.
            if folder:
                yield folder.rpartition("/")[0]
        elif _MAGIC.search(segment) is None:
            path = _join(folder, segment)
            kind = lister.is_folder(path)
            if kind is not None and (last or kind):
                yield path
        else:
            matches = _matcher(segment)
            dotted = self._hidden or segment.startswith(".")
            for name, is_folder, _ in lister.members(folder or "."):
                if (last or is_folder) and (dotted or not name.startswith(".")) and matches(name):
                    yield _join(folder, name)

    def _below(self, folder: str, lister: Lister, *, files: bool) -> Iterator[str]:
        if lister.is_folder(folder or "."):
            yield folder
        pending = [folder]
        while pending:
            parent = pending.pop()
            for name, is_folder, link in lister.members(parent or "."):
                if not self._hidden and name.startswith("."):
                    continue
                path = _join(parent, name)
                if files or is_folder:
                    yield path
                if is_folder and not link:
                    pending.append(path)


@lru_cache(maxsize=1 << 10)
def _matcher(segment: str) -> Callable[[str], object]:
    """The test whether a name matches one segment; `name.*`, which finding a module asks for, needs no expression."""
    start = segment[:-1]
    if segment.endswith("*") and _MAGIC.search(start) is None:
        return lambda name: name.startswith(start)
    return re.compile(fnmatch.translate(segment)).match


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
