"""What a task must be granted, and what must be recorded before it starts: declared and inferred accesses together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from taskgates.runtime.path_overlap import PathSet, canonical_path, is_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from taskgates.model.access import AccessSet
    from taskgates.model.task import Task

WHOLE_TREE = "."


class WriteSet(msgspec.Struct, frozen=True):
    """The paths of one task, canonical and sorted.

    Attributes:
        exclusive: paths to lock for writing.
        shared: paths to lock for reading.
        recorded: paths to record before it starts: all that it may change, new folders included, but of what lies
            outside of the repository single files only.
        unbounded: some write has a path that nobody knows, so that the whole tree is locked and recorded.
    """

    exclusive: tuple[str, ...]
    shared: tuple[str, ...]
    recorded: tuple[str, ...]
    unbounded: bool = False

    def overlaps(self, other: WriteSet) -> bool:
        """Whether both may change one path."""
        return PathSet(self.recorded).first_overlap(PathSet(other.recorded)) is not None

    def excludes(self, other: WriteSet) -> bool:
        """Whether both cannot hold their locks at the same time."""
        writes, their_writes = PathSet(self.exclusive), PathSet(other.exclusive)
        return (
            writes.first_overlap(their_writes) is not None
            or writes.first_overlap(PathSet(other.shared)) is not None
            or PathSet(self.shared).first_overlap(their_writes) is not None
        )


def write_set_of(task: Task, access: AccessSet | None, root: Path) -> WriteSet:
    """Join what a task declares with what its code was found to do.

    A write of unknown path, or a task of which nothing at all is known, may change anything: it is given the whole
    tree, which makes it run alone.

    Args:
        task: the task with its declarations.
        access: what the analysis found; None where there is no code.
        root: the repository root.

    Returns:
        The paths to lock and to record.
    """
    declared = [path.path for path in (*task.edits, *task.writes)]
    reads = [path.path for path in task.reads]
    exclusive, recorded = list(declared), list(declared)
    unbounded = False
    if access is not None:
        for each in access.writes:
            if each.path is None:
                unbounded = True
                continue
            recorded.append(each.path)
            if each.operation.conflicts:
                exclusive.append(each.path)
        reads += [each.path for each in access.reads if each.path is not None and each.operation.conflicts]
        reads += access.imports
    elif not declared:
        unbounded = True
    if unbounded:
        exclusive.append(WHOLE_TREE)
        recorded.append(WHOLE_TREE)
    locked = _canonical(root, exclusive)
    return WriteSet(
        exclusive=locked,
        shared=tuple(path for path in _canonical(root, reads) if path not in locked),
        # A link and what it points to: the task may write through it, or replace it.
        recorded=tuple(
            path
            for path in sorted({*_canonical(root, recorded), *_canonical(root, recorded, follow_last=False)})
            if _is_recordable(path)
        ),
        unbounded=unbounded,
    )


def _is_recordable(path: str) -> bool:
    """Whether a path can be put back: single files outside of the repository can, whole folders there are not ours."""
    return not path.startswith("/") or not (is_pattern(path) or os.path.isdir(path))  # noqa: PTH112


def _canonical(root: Path, paths: Iterable[str], *, follow_last: bool = True) -> tuple[str, ...]:
    return tuple(sorted({canonical_path(root, path, follow_last=follow_last) for path in paths if path}))
