"""Which paths lie in two lockable paths at once: literals, folders and globs, decided without looking at the disk."""

from __future__ import annotations

import os
import posixpath
import re
from typing import TYPE_CHECKING

from taskgates.model.patterns import PathPattern, escape

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MAGIC = re.compile(r"[*?\[]")


def is_pattern(path: str) -> bool:
    """Whether a path has wildcards."""
    return _MAGIC.search(path) is not None


def canonical_path(root: Path, path: str, *, follow_last: bool = True) -> str:
    """One spelling for each file, so that two names of it collide.

    The part before the first wildcard is resolved through symbolic links. The result is relative to the root with
    forward slashes, absolute outside it, `.` for the root itself; the slash that marks a folder is dropped, because a
    lock on a path covers what lies below it anyway.

    Args:
        root: the repository root.
        path: as an access or a manifest names it; `~` is the user's home.
        follow_last: whether a link at the path itself stands for what it points to.

    Returns:
        The canonical path or pattern.

    Raises:
        ValueError: the path is empty or holds a null byte.
    """
    if not path or "\0" in path:
        raise ValueError(f"not a path that could be locked: {path!r}")
    parts = path.replace("\\", "/").split("/")
    wild = next((index for index, part in enumerate(parts) if is_pattern(part)), len(parts))
    literal = os.path.expanduser("/".join(parts[:wild])) or ("/" if path.startswith("/") else ".")  # noqa: PTH111
    base = os.path.realpath(root)
    joined = os.path.join(base, literal)  # noqa: PTH118
    if follow_last or wild < len(parts):
        resolved = os.path.realpath(joined)
    else:
        folder, name = os.path.split(os.path.normpath(joined))
        resolved = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118
    if resolved == base:
        resolved = "."
    elif resolved.startswith(base.rstrip("/") + "/"):
        resolved = resolved[len(base.rstrip("/")) + 1 :]
    tail = [part for part in parts[wild:] if part not in ("", ".")]
    return "/".join(([] if resolved == "." and tail else [resolved.rstrip("/") if tail else resolved]) + tail)


def links_on_the_way(root: Path, path: str) -> list[str]:
    """The symbolic links among the folders that a path leads through, before its first wildcard.

    Args:
        root: the repository root.
        path: as for `canonical_path`.
    """
    parts = path.replace("\\", "/").rstrip("/").split("/")
    wild = next((index for index, part in enumerate(parts) if is_pattern(part)), len(parts) - 1)
    folders = ("/".join(parts[:end]) for end in range(1, wild + 1))
    return [folder for folder in folders if folder and os.path.islink(os.path.join(root, os.path.expanduser(folder)))]  # noqa: PTH111, PTH114, PTH118


def paths_overlap(first: str, second: str) -> bool:
    """Whether some file could lie in both of two canonical paths.

    A path covers itself and everything below it; so does a pattern, since what matches may be a folder. `*` and `?`
    match within one segment, `**` any number of segments; see `taskgates.model.patterns`.

    Args:
        first: a canonical path or pattern.
        second: another one.

    Returns:
        True when there is such a file; False when there can be none.
    """
    return first == second or _covering(first).overlaps(_covering(second))


def _covering(path: str) -> PathPattern:
    return PathPattern(path if is_pattern(path) else escape(path)).below


class PathSet:
    """Canonical paths, arranged so that overlap with another set costs little when most of them are literals.

    Args:
        paths: canonical paths and patterns.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.literals: set[str] = set()
        self.patterns: list[str] = []
        for path in paths:
            if is_pattern(path):
                self.patterns.append(path)
            else:
                self.literals.add(path)
        self._above = {parent for path in self.literals for parent in _parents(path)}

    def __bool__(self) -> bool:
        return bool(self.literals or self.patterns)

    def covers(self, path: str) -> bool:
        """Whether one existing path, in which nothing is a wildcard, lies in the set or below a member of it."""
        if path in self.literals or any(parent in self.literals for parent in _parents(path)):
            return True
        return any(_covering(pattern).matches(path) for pattern in self.patterns)

    def first_overlap(self, other: PathSet) -> tuple[str, str] | None:
        """A path of this set and one of the other that overlap, or None."""
        for path in other.literals:
            if path in self.literals:
                return path, path
            if path in self._above:
                return next(mine for mine in sorted(self.literals) if path in _parents(mine)), path
            for parent in _parents(path):
                if parent in self.literals:
                    return parent, path
        for mine in self.patterns:
            for theirs in (*other.literals, *other.patterns):
                if paths_overlap(mine, theirs):
                    return mine, theirs
        for theirs in other.patterns:
            for mine in self.literals:
                if paths_overlap(mine, theirs):
                    return mine, theirs
        return None


def _parents(path: str) -> list[str]:
    """Every folder above a literal path, the root (`.` or `/`) included."""
    if path in (".", "/"):
        return []
    result = []
    parent = posixpath.dirname(path)
    while parent and parent != "/":
        result.append(parent)
        parent = posixpath.dirname(parent)
    result.append("/" if path.startswith("/") else ".")
    return result
