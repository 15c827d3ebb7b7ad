"""What a path looks like on disk at one moment, and which paths a recorded set covers."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from taskgates.runtime.path_overlap import PathSet, is_pattern
from taskgates.runtime.state import STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

NEVER_COVERED = frozenset({STATE_FOLDER, ".git", ".hg", ".svn"})
"""Folders of the root that a pattern or the whole tree does not cover; a path that names one explicitly does."""


_PACKAGE_FOLDERS = frozenset({"node_modules"})
_ENVIRONMENT_MARK = "pyvenv.cfg"


class Kind(StrEnum):
    """What lies at a path."""

    ABSENT = "absent"
    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"
    FIFO = "fifo"
    OTHER = "other"


class Entry(msgspec.Struct, frozen=True):
    """One path as it was recorded.

    Attributes:
        path: relative to the root, or absolute outside it.
        kind: what was there.
        mode: permission bits.
        uid: owner.
        gid: group.
        atime_ns: last read, nanoseconds since the epoch.
        mtime_ns: last change, nanoseconds since the epoch.
        size: bytes of a file.
        digest: SHA-256 of a file's content, hexadecimal; names the stored copy.
        target: where a symbolic link points.
        inode: the file's number, by which hard links are kept together.
        enclosing: the path is only a folder around covered ones; what else lies in it is not covered.
    """

    path: str
    kind: Kind
    mode: int = 0
    uid: int = -1
    gid: int = -1
    atime_ns: int = 0
    mtime_ns: int = 0
    size: int = 0
    digest: str = ""
    target: str = ""
    inode: int = 0
    enclosing: bool = False


def kind_of(status: os.stat_result) -> Kind:
    """The kind of a path from its `lstat`."""
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISDIR(mode):
        return Kind.FOLDER
    if stat.S_ISLNK(mode):
        return Kind.SYMLINK
    return Kind.FIFO if stat.S_ISFIFO(mode) else Kind.OTHER


def is_installation(parent: str, name: str) -> bool:
    """Whether a folder holds installed packages (a virtual environment, node_modules), not the repository's files.

    The whole tree, and patterns, do not cover such folders: they are large, and made again by their own tools. A path
    that names one explicitly does.
    """
    if name in _PACKAGE_FOLDERS:
        return True
    return os.path.exists(os.path.join(parent, name, _ENVIRONMENT_MARK))  # noqa: PTH110, PTH118


def status_of(path: str) -> os.stat_result | None:
    """`lstat`, or None where nothing is.

    Raises:
        OSError: it cannot be told (permission, a broken disk).
    """
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def absolute(root: Path, path: str) -> str:
    """The place of a recorded path on disk."""
    return os.path.join(root, path)  # noqa: PTH118 - strings on the hot path


def covered_paths(root: Path, covered: Iterable[str]) -> dict[str, os.stat_result]:
    """Everything that exists now and that a set of canonical paths covers, folders before what is in them.

    A path without wildcards covers itself and all below it. Links are not followed.

    Args:
        root: the repository root.
        covered: canonical paths and patterns.

    Returns:
        Existing paths with their `lstat`.

    Raises:
        OSError: a folder cannot be listed.
    """
    found: dict[str, os.stat_result] = {}
    for path in covered:
        for existing, status in _matches(root, path):
            if existing not in found:
                found[existing] = status
    return found


def is_covered(root: Path, covered: Iterable[str], path: str) -> bool:
    """Whether canonical paths cover a path, which need not exist, when they are recorded and restored.

    Args:
        root: the repository root.
        covered: canonical paths and patterns.
        path: a canonical path, in which nothing is a wildcard.
    """
    listed = tuple(covered)
    if not PathSet(listed).covers(path):
        return False
    parts = path.split("/")
    exempt = parts[0] in NEVER_COVERED or any(
        is_installation(absolute(root, "/".join(parts[:end])), parts[end]) for end in range(len(parts))
    )
    # What is left out of folders and patterns is covered where it is named itself.
    named = {each for each in listed if each != "." and not is_pattern(each)}
    return not exempt or PathSet(named).covers(path)


def enclosing_folders(covered: Iterable[str], existing: Iterable[str]) -> list[str]:
    """The folders around covered paths, outermost first; the root is left out.

    Args:
        covered: canonical paths and patterns, of which the part before the first wildcard counts.
        existing: paths, in which nothing is a wildcard.
    """
    found: set[str] = set()
    for path in covered:
        parts = path.split("/")
        wild = next((index for index, part in enumerate(parts) if is_pattern(part)), len(parts) - 1)
        found.update("/".join(parts[:end]) for end in range(1, wild + 1))
    for path in existing:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return sorted(found - {"", "."})


def _matches(root: Path, path: str) -> Iterator[tuple[str, os.stat_result]]:
    if not is_pattern(path):
        status = status_of(absolute(root, path)) if _is_reached_directly(root, path.rpartition("/")[0]) else None
        if status is not None:
            if path != ".":
                yield path, status
            yield from _below(root, path, status)
        return
    segments = path.split("/")
    wild = next(index for index, part in enumerate(segments) if is_pattern(part))
    base = "/".join(segments[:wild]) or ("/" if path.startswith("/") else ".")
    if _is_reached_directly(root, base):
        yield from _expand(root, base, segments[wild:])


def _is_reached_directly(root: Path, folder: str) -> bool:
    """Whether a folder is reached without a link below the root.

    Canonical paths had none when they were made; where one stands in the way now, what lies behind it is something else
    and must not be touched.
    """
    if folder in ("", ".", "/"):
        return True
    parts = folder.split("/")
    for end in range(1, len(parts) + 1):
        part = "/".join(parts[:end])
        status = status_of(absolute(root, part)) if part else None
        if part and (status is None or not stat.S_ISDIR(status.st_mode)):
            return False
    return True


def _expand(root: Path, folder: str, segments: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    first, rest = segments[0], segments[1:]
    if first == "**":
        yield from _expand(root, folder, rest or ["*"])
        for child, status in _members(root, folder):
            if stat.S_ISDIR(status.st_mode):
                yield from _expand(root, child, segments)
        return
    matches = re.compile(fnmatch.translate(first)).match
    for child, status in _members(root, folder):
        if not matches(child.rpartition("/")[2]):
            continue
        if not rest:
            yield child, status
            yield from _below(root, child, status)
        elif stat.S_ISDIR(status.st_mode):
            yield from _expand(root, child, rest)


def _below(root: Path, path: str, status: os.stat_result) -> Iterator[tuple[str, os.stat_result]]:
    if not stat.S_ISDIR(status.st_mode):
        return
    for child, child_status in _members(root, path):
        yield child, child_status
        yield from _below(root, child, child_status)


def _members(root: Path, folder: str) -> list[tuple[str, os.stat_result]]:
    place = absolute(root, folder)
    prefix = "" if folder == "." else folder.rstrip("/") + "/"
    try:
        with os.scandir(place) as entries:
            names = sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    result = []
    for name in names:
        if not prefix and name in NEVER_COVERED:
            continue
        status = status_of(os.path.join(place, name))  # noqa: PTH118
        if status is not None and not (stat.S_ISDIR(status.st_mode) and is_installation(place, name)):
            result.append((prefix + name, status))
    return result
