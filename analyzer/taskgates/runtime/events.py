"""What happens during a run, as events that a log keeps and a display shows."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, TextIO

import msgspec

from taskgates.runtime.errors import StateDirectoryError, permission_hint
from taskgates.runtime.supervised import read_pids

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

EventFields = dict[str, object]


class EventSink(Protocol):
    """Takes events; must not raise and must be quick, since it is called from the scheduler."""

    def __call__(self, event: EventFields, /) -> None:
        """Take one event: `event` is its name, `time` seconds since the epoch, the rest depends on the name."""


class TaskState(StrEnum):
    """What a task of a run is doing."""

    WAITING = "waiting"
    WAITING_FOR_LOCK = "waiting for lock"
    RUNNING = "running"
    ROLLING_BACK = "rolling back"
    RETRYING = "retrying"
    FINISHED = "finished"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


class TaskView(msgspec.Struct):
    """One task of a run as a display shows it.

    Attributes:
        id: the task's id.
        state: what it is doing.
        started: when the present attempt started, seconds since the epoch; None before.
        ended: when it ended.
        pid_file: where the present attempt's process numbers are written.
        log: file with its output.
        message: the latest news.
    """

    id: str
    state: TaskState = TaskState.WAITING
    started: float | None = None
    ended: float | None = None
    pid_file: Path | None = None
    log: str = ""
    message: str = ""

    def pids(self) -> tuple[int, int] | None:
        """Process numbers of the supervisor and the command, once it runs."""
        return None if self.pid_file is None or self.state is not TaskState.RUNNING else read_pids(self.pid_file)


class RunBoard:
    """The state of all tasks of a run; written by the scheduler, read by displays in other threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskView] = {}
        self.notice = ""

    def prepare(self, tasks: Iterable[str]) -> None:
        """Show these tasks as waiting."""
        with self._lock:
            self._tasks = {task: TaskView(task) for task in tasks}

    def update(self, task: str, **changes: object) -> None:
        """Change some fields of a task's view."""
        with self._lock:
            view = self._tasks.setdefault(task, TaskView(task))
            self._tasks[task] = msgspec.structs.replace(view, **changes)

    def tasks(self) -> tuple[TaskView, ...]:
        """Copies of all views, in the order in which the tasks were asked for."""
        with self._lock:
            return tuple(msgspec.structs.replace(view) for view in self._tasks.values())


class EventLog:
    """Appends events to a file, one JSON object a line, and passes them on.

    A disk that is full must not end a run: what cannot be written is dropped, and said in the first event after it.

    Args:
        path: the file; None keeps no log.
        sinks: who else is told.

    Raises:
        StateDirectoryError: the file cannot be written, or is a link.
    """

    def __init__(self, path: Path | None, sinks: Iterable[EventSink] = ()) -> None:
        self._stream: TextIO | None = None
        if path is not None:
            try:
                self._stream = open(path, "a", encoding="utf-8", opener=_private)  # noqa: SIM115
            except OSError as error:
                raise StateDirectoryError(permission_hint(path, error)) from error
        self._sinks = tuple(sinks)
        self._dropped = 0

    def emit(self, event: str, **fields: object) -> None:
        """Record one event."""
        record: EventFields = {"time": time.time(), "event": event, **fields}
        if self._dropped:
            record["dropped"] = self._dropped
        if self._stream is not None:
            try:
                self._stream.write(json.dumps(record, default=str) + "\n")
                self._stream.flush()
                self._dropped = 0
            except OSError:
                self._dropped += 1
        for sink in self._sinks:
            sink(record)

    def close(self) -> None:
        """End the log."""
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
