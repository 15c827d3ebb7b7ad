"""What changed in a tree between two moments, told by size and time: cheap enough to do around every task."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import msgspec

from taskgates.runtime.path_overlap import PathSet
from taskgates.runtime.recorded_files import NEVER_COVERED, enclosing_folders, is_installation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TreeState = dict[str, tuple[int, int, int, int]]
"""Every path below the root but folders' times: type and permissions, size, time of change, file number."""


class TreeChange(msgspec.Struct, frozen=True):
    """Paths that differ between two scans, each sorted.

    Attributes:
        created: there now, not before.
        changed: there before and now, with another size, time, type or permissions.
        deleted: there before, not now.
    """

    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them, sorted."""
        return tuple(sorted({*self.created, *self.changed, *self.deleted}))

    def outside(self, covered: Iterable[str]) -> TreeChange:
        """The changes that no covered path explains.

        Folders around covered paths are explained by them. Byte code of Python is left out, as everywhere.

        Args:
            covered: canonical paths and patterns.
        """
        listed = tuple(covered)
        known, around = PathSet(listed), set(enclosing_folders(listed, ()))

        def unexplained(paths: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(
                path for path in paths if path not in around and not is_byte_code(path) and not known.covers(path)
            )

        return TreeChange(unexplained(self.created), unexplained(self.changed), unexplained(self.deleted))


def is_byte_code(path: str) -> bool:
    """Whether a path is Python's own cache of compiled modules."""
    return path.endswith(".pyc") or path.rpartition("/")[2] == "__pycache__"


def scan_tree(root: Path) -> TreeState:
    """Look at everything below the root but `.taskgates`, version control, and installed packages.

    A folder counts by its existence and permissions only. What vanishes while the scan runs, or may not be listed, is
    left out.

    Args:
        root: the repository root.

    Returns:
        Paths relative to the root with what tells their state.
    """
    state: TreeState = {}
    pending = [("", os.fspath(root))]
    while pending:
        prefix, folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not prefix and entry.name in NEVER_COVERED:
                        continue
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except OSError:
                        continue
                    path = prefix + entry.name
                    if stat.S_ISDIR(status.st_mode):
                        if is_installation(folder, entry.name):
                            continue
                        state[path] = (status.st_mode, 0, 0, 0)
                        pending.append((path + "/", entry.path))
                    else:
                        state[path] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino)
        except OSError:
            continue
    return state


def tree_change(before: TreeState, after: TreeState) -> TreeChange:
    """The difference between two scans."""
    return TreeChange(
        created=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(path for path in before.keys() & after.keys() if before[path] != after[path])),
        deleted=tuple(sorted(before.keys() - after.keys())),
    )


def with_part_of(state: TreeState, later: TreeState, covered: Iterable[str]) -> TreeState:
    """A scan in which some paths, and the folders around them, are as a later scan saw them.

    Args:
        state: the earlier scan.
        later: the later one.
        covered: canonical paths and patterns to take from the later one.

    Returns:
        The joined state.
    """
    listed = tuple(covered)
    known, around = PathSet(listed), set(enclosing_folders(listed, ()))

    def is_part(path: str) -> bool:
        return path in around or known.covers(path)

    joined = {path: value for path, value in state.items() if not is_part(path)}
    joined.update((path, value) for path, value in later.items() if is_part(path))
    return joined
