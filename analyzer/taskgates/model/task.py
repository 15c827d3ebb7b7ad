"""Tasks as every manifest format describes them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from taskgates.model.spans import SourceSpan


class Status(StrEnum):
    """Where a task stands; manifests in the wild spell these in any letter case."""

    PENDING = "pending"
    IN_PROGRESS = "in progress"
    BLOCKED = "blocked"
    BROKEN_DOWN = "broken down"
    ABSORBED = "absorbed"
    FINISHED = "finished"

    @property
    def may_run(self) -> bool:
        """Whether a task in this state can still be executed."""
        return self in (Status.PENDING, Status.IN_PROGRESS, Status.BLOCKED)


class Reference(msgspec.Struct, frozen=True):
    """Another task's id as a manifest names it, and where it does."""

    id: str
    span: SourceSpan


class DeclaredPath(msgspec.Struct, frozen=True):
    """A path that a manifest declares: a normalised pattern and the place of the declaration.

    `path` is relative to the root; a trailing slash marks a folder; wildcards as in `PathPattern`.
    """

    path: str
    span: SourceSpan


class Command(msgspec.Struct, frozen=True):
    """How a task is executed: shell text or an argument vector, started in `cwd` (relative to the root).

    Exactly one of `shell` and `argv` is set.
    """

    shell: str | None = None
    argv: tuple[str, ...] | None = None
    cwd: str = "."

    def __str__(self) -> str:
        if self.shell is not None:
            return self.shell
        import shlex

        return shlex.join(self.argv or ())


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One task of a manifest.

    Attributes:
        id: unique in the repository.
        format: name of the manifest format (`claude-tasks`).
        span: where the task is defined; `span.file` is the manifest.
        title: one line for people.
        description: free text.
        status: normalised state.
        raw_status: the state as the manifest spells it.
        difficulty: 1 to 10 by convention; None when missing; kept as found when out of range.
        difficulty_span: place of the difficulty, or of the task where it is missing.
        depends_on: tasks that must finish first.
        parent: the task of which this one is a part.
        subtasks: its parts.
        command: what runs the task, if the manifest says so.
        sources: source files, or `module:function`, that do the work when there is no command.
        edits: files that whoever does the task edits.
        reads: declared inputs.
        writes: declared outputs.
        declares_reads: whether the format has a place to declare inputs.
        runner_files: patterns of what belongs to the tool that runs the task, and needs no declaration.
        runner_reads: files from which that tool takes the words of the command; a declaration of one is of use though
            the code never reads it.
    """

    id: str
    format: str
    span: SourceSpan
    title: str = ""
    description: str = ""
    status: Status = Status.PENDING
    raw_status: str = ""
    difficulty: float | None = None
    difficulty_span: SourceSpan | None = None
    depends_on: tuple[Reference, ...] = ()
    parent: Reference | None = None
    subtasks: tuple[Reference, ...] = ()
    command: Command | None = None
    sources: tuple[str, ...] = ()
    edits: tuple[DeclaredPath, ...] = ()
    reads: tuple[DeclaredPath, ...] = ()
    writes: tuple[DeclaredPath, ...] = ()
    declares_reads: bool = False
    runner_files: tuple[str, ...] = ()
    runner_reads: tuple[str, ...] = ()
