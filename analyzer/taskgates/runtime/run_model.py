"""How a group of tasks is run, and what came of it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from taskgates.runtime.events import TaskState


class Schedule(StrEnum):
    """When tasks start.

    `events`: each as soon as its dependencies, locks, capacity and budget allow. `batches`: batch after batch, with a
    barrier between them. `progressive`: waves of growing size, with a barrier between them.
    """

    EVENTS = "events"
    BATCHES = "batches"
    PROGRESSIVE = "progressive"


class RunOptions(msgspec.Struct, frozen=True):
    """How a group is run.

    Attributes:
        max_parallel_tasks: tasks at the same time.
        max_context_complexity: sum of the difficulties of the tasks that run at the same time; one alone always may.
        lock_timeout: seconds to wait for a lock that somebody else holds.
        retry_delays: seconds between the attempts to get one.
        conflict_resolution: `sequential` runs what failed beside others once more, alone; `refuse` does not.
        checkpoint_frequency: tasks that share a checkpoint; 0 for no checkpoints, and so no rollback.
        schedule: when tasks start.
        waves: sizes of the waves of the progressive schedule; the last one repeats.
        template: shell text that runs a task instead of its own command.
        timeout: seconds that one task may take; None for no limit.
        grace: seconds between SIGTERM and SIGKILL.
        strict: a write that was neither declared nor inferred fails the task and is undone.
        keep_going: a failed task is rolled back alone; what is finished stays, and what does not depend on it goes on.
            Otherwise the whole run is rolled back.
        mark_status: finished tasks are marked as such in their manifests.
        retries: further attempts when a worker was lost.
        env: environment variables for the commands.
    """

    max_parallel_tasks: int = 5
    max_context_complexity: float = 30
    lock_timeout: float = 30.0
    retry_delays: tuple[float, ...] = (0.1, 0.5, 1.0, 2.0)
    conflict_resolution: str = "sequential"
    checkpoint_frequency: int = 1
    schedule: Schedule = Schedule.EVENTS
    waves: tuple[int, ...] = (2, 3, 5)
    template: str | None = None
    timeout: float | None = None
    grace: float = 5.0
    strict: bool = False
    keep_going: bool = False
    mark_status: bool = True
    retries: int = 2
    env: dict[str, str] = {}


class TaskResult(msgspec.Struct, frozen=True):
    """What became of one task.

    Attributes:
        task: its id.
        state: `finished`, `failed`, `skipped`, `interrupted`, or `waiting` for one that never started.
        attempts: how often it was started in this run.
        seconds: time of the last attempt.
        message: why it did not finish.
        log: file with its output, relative to the root.
    """

    task: str
    state: TaskState
    attempts: int = 0
    seconds: float = 0.0
    message: str = ""
    log: str = ""


class UndeclaredWrite(msgspec.Struct, frozen=True):
    """A change that no declaration and no inference explains (TG701).

    Attributes:
        path: relative to the root.
        change: `created`, `changed` or `deleted`.
        tasks: those that ran when it happened; one of them did it, or something outside the run.
        restored: whether it was undone.
        owners: finished tasks of the run whose file it is: two tasks wrote it, and only one of them had said so.
    """

    path: str
    change: str
    tasks: tuple[str, ...]
    restored: bool = False
    owners: tuple[str, ...] = ()


class RunResult(msgspec.Struct, frozen=True):
    """What became of a run.

    Attributes:
        run: the run's id.
        tasks: in the order asked for.
        undeclared: changes outside the write sets.
        rolled_back: whether the whole run was undone.
        interrupted: whether it was stopped by a signal; `resume` continues it.
        message: why it did not succeed.
    """

    run: str
    tasks: tuple[TaskResult, ...]
    undeclared: tuple[UndeclaredWrite, ...] = ()
    rolled_back: bool = False
    interrupted: bool = False
    message: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether every task is finished."""
        return not self.interrupted and all(result.state is TaskState.FINISHED for result in self.tasks)
