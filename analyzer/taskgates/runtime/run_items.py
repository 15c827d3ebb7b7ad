"""One task of a run in motion, and what a run works with."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taskgates.model.task import Task
from taskgates.runtime.checkpoints import CheckpointStore
from taskgates.runtime.events import EventLog, RunBoard, TaskState
from taskgates.runtime.journal import Journal
from taskgates.runtime.locks import LockManager
from taskgates.runtime.worker_pool import WorkerPool

if TYPE_CHECKING:
    from concurrent.futures import Future

    from taskgates.runtime.commands import CommandLine
    from taskgates.runtime.locks import LockLease, LockRequest
    from taskgates.runtime.supervised import CommandJob, CommandOutcome
    from taskgates.runtime.write_sets import WriteSet


class Item:
    """One task of the run and where it stands.

    Attributes:
        task: the task.
        writes: what it may read and write.
        command: what is executed.
        after: ids of tasks of the same run that must finish first.
        state: what it is doing.
        attempts: how often it was started.
        alone: it runs only while nothing else does.
        overlapped: something else ran during the present attempt.
        message: why it did not finish.
        seconds: time of the last attempt.
        began: place of its last start in the order of all starts and ends of the run.
        left: place of its last end in that order.
    """

    def __init__(self, task: Task, writes: WriteSet, command: CommandLine, after: frozenset[str]) -> None:
        self.task = task
        self.writes = writes
        self.command = command
        self.after = after
        self.state = TaskState.WAITING
        self.attempts = 0
        self.alone = False
        self.overlapped = False
        self.message = ""
        self.seconds = 0.0
        self.began = 0
        self.left = 0
        self.request: LockRequest | None = None
        self.lease: LockLease | None = None
        self.future: Future[CommandOutcome] | None = None
        self.job: CommandJob | None = None
        self.checkpoint = ""
        self.not_before = 0.0
        self.waiting_since: float | None = None
        self.started = 0.0

    @property
    def id(self) -> str:
        """The task's id."""
        return self.task.id

    @property
    def is_open(self) -> bool:
        """Whether it still has to run or is running."""
        return self.state in (TaskState.WAITING, TaskState.WAITING_FOR_LOCK, TaskState.RETRYING, TaskState.RUNNING)


class Tools(msgspec.Struct, frozen=True):
    """What a run works with.

    Attributes:
        root: the repository root.
        locks: file locks.
        checkpoints: recorded files.
        journal: the record of the run.
        log: events.
        board: the state that displays show.
        pool: where commands run.
        capacity: given the number of running tasks, why no further one may start; None when it may.
        validate: looks at a task after its command succeeded; says what is wrong with its result, or None.
        stop_reason: asked between decisions; not empty when the run must end (a signal).
    """

    root: Path
    locks: LockManager
    checkpoints: CheckpointStore
    journal: Journal
    log: EventLog
    board: RunBoard
    pool: WorkerPool
    capacity: Callable[[int], str | None]
    validate: Callable[[Task], str | None]
    stop_reason: Callable[[], str]


def slug(task_id: str) -> str:
    """A file name for a task's id: readable, and never the same for two ids."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", task_id)[:60].strip(".") or "task"
    return plain if plain == task_id else f"{plain}-{hashlib.sha256(task_id.encode()).hexdigest()[:8]}"
