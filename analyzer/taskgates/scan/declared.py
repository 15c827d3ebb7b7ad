"""What a task declares, ready to be held against what its code does."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from taskgates.model.access import Access, AccessSet, Certainty, Operation
from taskgates.model.patterns import PathPattern, escape
from taskgates.model.task import DeclaredPath

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.model.task import Task


class Declaration(msgspec.Struct, frozen=True):
    """One declared path of a task.

    Attributes:
        declared: the path and its place in the manifest.
        role: the task's field it stands in: `read`, `write` or `edit`.
        pattern: what the declaration covers; a plain path covers what lies below it too, should it be a folder.
    """

    declared: DeclaredPath
    role: str
    pattern: PathPattern

    @property
    def path(self) -> str:
        """The path as declared."""
        return self.declared.path

    def covers(self, pattern: PathPattern) -> bool:
        """Whether every path of a pattern is declared."""
        folder = literal_folder(self.pattern)
        if folder is not None and pattern.literal is not None:
            return is_at_or_below(pattern.literal, folder)
        return self.pattern.covers(pattern)

    def overlaps(self, pattern: PathPattern) -> bool:
        """Whether some path of a pattern is declared."""
        folder = literal_folder(self.pattern)
        if folder is not None and pattern.literal is not None:
            return is_at_or_below(pattern.literal, folder)
        return self.pattern.overlaps(pattern)


def literal_folder(pattern: PathPattern) -> str | None:
    """The one folder that a pattern stands for; None for other patterns, and for the root and what is outside."""
    if not pattern.is_folder or pattern.anchor or not pattern.literal_segments:
        return None
    folder = "/".join(pattern.literal_segments)
    return folder if len(pattern.text) == len(escape(folder)) + 1 else None


def is_at_or_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it; both in normal form, nothing being a wildcard."""
    return path.startswith(folder) and (len(path) == len(folder) or path[len(folder)] == "/")


class Declared:
    """The declarations of one task.

    Attributes:
        reads: the declared inputs.
        writes: the declared outputs that are not among the edits.
        edits: the files that whoever does the task edits.
        has_program: whether the manifest says what runs the task; otherwise its code was guessed from its edits.
        runner_files: what belongs to the tool that runs the task.
        runner_reads: what this tool reads to make the command.
    """

    def __init__(self, task: Task) -> None:
        self.reads = _declarations(task.reads, "read")
        self.writes = _declarations(outputs_only(task), "write")
        self.edits = _declarations(task.edits, "edit")
        edited = {entry.path for entry in self.edits}
        self.has_program = task.command is not None or any(source not in edited for source in task.sources)
        self.runner_files = tuple(PathPattern(path) for path in task.runner_files)
        self.runner_reads = tuple(PathPattern(path) for path in task.runner_reads)

    @property
    def all(self) -> tuple[Declaration, ...]:
        """Every declaration: inputs, outputs, edits."""
        return (*self.reads, *self.writes, *self.edits)

    @cached_property
    def writable(self) -> tuple[Declaration, ...]:
        """What declares a write."""
        return (*self.writes, *self.edits)

    def covers_write(self, pattern: PathPattern) -> bool:
        """Whether every path of the pattern is declared as written or edited, or belongs to the task's runner."""
        return any(entry.covers(pattern) for entry in self.writable) or self._is_private(pattern)

    def covers_read(self, pattern: PathPattern, operation: Operation = Operation.READ) -> bool:
        """Whether every path of the pattern is declared at all; a task may read what it writes.

        Listing a folder is covered by a declaration of something below it.
        """
        if any(entry.covers(pattern) for entry in self.all) or self._is_private(pattern):
            return True
        if operation is Operation.LIST:
            below = pattern.below
            return any(entry.overlaps(below) for entry in self.all)
        return False

    def _is_private(self, pattern: PathPattern) -> bool:
        return any(own.covers(pattern) for own in self.runner_files)

    def partly_covers_write(self, pattern: PathPattern) -> tuple[Declaration, ...]:
        """The declared outputs and edits that share some path with the pattern."""
        return tuple(entry for entry in self.writable if entry.overlaps(pattern))

    def partly_covers_read(self, pattern: PathPattern) -> tuple[Declaration, ...]:
        """The declarations that share some path with the pattern."""
        return tuple(entry for entry in self.all if entry.overlaps(pattern))


def outputs_only(task: Task) -> tuple[DeclaredPath, ...]:
    """The declared outputs of a task less its edits, which the native format lists under both."""
    edited = {declared.path for declared in task.edits}
    return tuple(declared for declared in task.writes if declared.path not in edited)


class Touched:
    """The known paths that an access set touches, by kind; a folder that is made or a test for existence counts.

    Attributes:
        reads: patterns read, listed or tested for.
        writes: patterns written.
        imports: the files of the repository that the code imports.
    """

    def __init__(self, access: AccessSet) -> None:
        self.reads = _patterns(access.reads)
        self.writes = _patterns(access.writes)
        self.imports = tuple(PathPattern(escape(path)) for path in access.imports)

    @property
    def all(self) -> tuple[PathPattern, ...]:
        """Everything touched."""
        return (*self.reads, *self.writes, *self.imports)


def pattern_of(access: Access) -> PathPattern | None:
    """The pattern of an access, nothing being a wildcard in an exact path; None when its path is not known."""
    if access.path is None:
        return None
    return PathPattern(escape(access.path) if access.certainty is Certainty.EXACT else access.path)


def by_path(accesses: Iterable[Access]) -> dict[PathPattern, list[Access]]:
    """The accesses that count in conflicts, by the path they touch, in order; those without a path are left out."""
    groups: dict[PathPattern, list[Access]] = {}
    for access in accesses:
        pattern = pattern_of(access) if access.operation.conflicts else None
        if pattern is not None:
            groups.setdefault(pattern, []).append(access)
    return groups


def _declarations(paths: Iterable[DeclaredPath], role: str) -> tuple[Declaration, ...]:
    out: list[Declaration] = []
    for path in paths:
        pattern = PathPattern(path.path)
        out.append(Declaration(path, role, pattern.below if pattern.is_literal else pattern))
    return tuple(out)


def _patterns(accesses: Iterable[Access]) -> tuple[PathPattern, ...]:
    return tuple(dict.fromkeys(pattern for access in accesses if (pattern := pattern_of(access)) is not None))
