"""What can go wrong while tasks run; every message says what happened and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from taskgates.runtime.lock_table import LockHolder


class TaskRuntimeError(Exception):
    """Base of every error that the runtime raises on purpose."""


class StateDirectoryError(TaskRuntimeError):
    """The folder `.taskgates` cannot be created or written."""


class LockError(TaskRuntimeError):
    """Base of the errors about file locks."""


class LockTimeoutError(LockError):
    """The locks did not become free in time.

    Attributes:
        task: the task that waited.
        holders: who stood in the way at the last attempt.
    """

    def __init__(self, task: str, waited: float, holders: Sequence[LockHolder]) -> None:
        self.task = task
        self.holders = tuple(holders)
        held = "; ".join(str(holder) for holder in self.holders) or "another process is changing the lock table"
        super().__init__(f"task {task}: no lock after {waited:.1f} s: {held}")


class DeadlockError(LockError):
    """Waiting would never end, because the holders wait for locks that this task holds.

    Attributes:
        cycle: the tasks that wait for each other, the first repeated at the end.
    """

    def __init__(self, cycle: Sequence[str]) -> None:
        self.cycle = tuple(cycle)
        super().__init__(f"deadlock: {' waits for '.join(self.cycle)}; take all the locks of a task in one call")


class LockTableError(LockError):
    """The record of the holders cannot be read while some of them are alive."""


class CheckpointError(TaskRuntimeError):
    """A checkpoint could not be written or read."""


class RestoreError(CheckpointError):
    """Some paths could not be put back; the checkpoint is kept, and the restore can be called again.

    Attributes:
        failures: the paths that are not as recorded, each with the reason.
    """

    def __init__(self, checkpoint: str, failures: Sequence[tuple[str, str]]) -> None:
        self.checkpoint = checkpoint
        self.failures = tuple(failures)
        listed = "; ".join(f"{path}: {reason}" for path, reason in self.failures[:5])
        more = f"; and {len(self.failures) - 5} more" if len(self.failures) > 5 else ""
        super().__init__(
            f"checkpoint {checkpoint}: {len(self.failures)} path(s) could not be restored ({listed}{more}); "
            "nothing recorded is lost: remove the cause and restore again"
        )


class TaskStateError(TaskRuntimeError):
    """Base of the errors about tasks and their manifests."""


class UnknownTaskError(TaskStateError):
    """No manifest defines the task."""


class BlockedTaskError(TaskStateError):
    """The task has dependencies that are not finished.

    Attributes:
        task: the task that cannot start.
        unfinished: the dependencies that are missing or not finished.
    """

    def __init__(self, task: str, unfinished: Sequence[str]) -> None:
        self.task = task
        self.unfinished = tuple(unfinished)
        super().__init__(f"task {task} cannot start: unfinished dependencies: {', '.join(self.unfinished)}")


class StatusUpdateError(TaskStateError):
    """A manifest's status could not be rewritten."""


class CommandError(TaskRuntimeError):
    """A task has no command that could be run, or its template is wrong."""


class JournalError(TaskRuntimeError):
    """The record of a run cannot be read, or does not fit what is asked."""


class InterruptedRunError(JournalError):
    """An earlier run of this repository ended in the middle and was not cleaned up.

    Attributes:
        run: the earlier run's id.
    """

    def __init__(self, run: str, tasks: Sequence[str], *, can_continue: bool = True) -> None:
        self.run = run
        listed = ", ".join(tasks) or "none"
        super().__init__(
            f"run {run} was interrupted (tasks not finished: {listed}); "
            "continue it with `taskgates run --resume`, or put the files back with `taskgates run --rollback`"
            if can_continue
            else f"{run} ended before the files were put back (tasks: {listed}); put them back with "
            "`taskgates run --rollback`"
        )


class BrokenRunError(TaskRuntimeError):
    """Something failed in the middle of a run that is no task's fault: a full disk, a folder that is gone.

    Attributes:
        run: the run's id.
    """

    def __init__(self, run: str, cause: TaskRuntimeError) -> None:
        self.run = run
        super().__init__(
            f"{cause}\nrun {run} was interrupted by that; when the cause is gone, continue it with "
            "`taskgates run --resume`, or put the files back with `taskgates run --rollback`"
        )


class TracerError(TaskRuntimeError):
    """A command could not be traced."""


def permission_hint(path: Path, error: OSError) -> str:
    """A sentence about a failed write: the path, the system's reason, and what to check.

    Args:
        path: the file or folder that could not be written.
        error: what the system said.

    Returns:
        One sentence without a final stop.
    """
    reason = error.strerror or str(error)
    return f"{path}: {reason}; taskgates needs write permission and free space there"
