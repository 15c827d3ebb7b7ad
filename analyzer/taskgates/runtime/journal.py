"""The record of every run, from which an interrupted one is continued: SQLite, so that each step is there or not."""

from __future__ import annotations

import contextlib
import sqlite3
import statistics
import time
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from taskgates.runtime.errors import InterruptedRunError, JournalError
from taskgates.runtime.processes import ProcessIdentity
from taskgates.runtime.state import StateDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL, state TEXT NOT NULL, started REAL NOT NULL, ended REAL,
    runner TEXT NOT NULL, options TEXT NOT NULL, tasks TEXT NOT NULL, checkpoint TEXT NOT NULL DEFAULT '',
    snapshot TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS attempts (
    run TEXT NOT NULL REFERENCES runs (id), task TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL,
    checkpoint TEXT NOT NULL DEFAULT '', covered TEXT NOT NULL DEFAULT '[]', folder TEXT NOT NULL DEFAULT '',
    started REAL NOT NULL, ended REAL, message TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run, task, number)
) STRICT;
"""
_LAYOUT = 1

_LATEST = 5
"""Attempts that count for the duration of a task: its code changes with time."""


class RunState(StrEnum):
    """Where a run stands. `running` with a dead runner is what a crash leaves."""

    RUNNING = "running"
    ROLLING_BACK = "rolling back"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"
    FAILED = "failed"


class AttemptState(StrEnum):
    """Where one attempt at a task stands."""

    RUNNING = "running"
    FINISHED = "finished"
    ROLLED_BACK = "rolled back"


class RunRecord(msgspec.Struct, frozen=True):
    """One run as the journal knows it.

    Attributes:
        id: names the run.
        state: where it stands.
        started: seconds since the epoch.
        runner: the process that executes it, or did last.
        options: how it was started, as JSON.
        tasks: ids, in the order asked for.
        checkpoint: id of the checkpoint made before the first task; "" without.
        snapshot: id of the checkpoint of the whole tree; "" without.
    """

    id: str
    state: RunState
    started: float
    runner: ProcessIdentity
    options: str
    tasks: tuple[str, ...]
    checkpoint: str
    snapshot: str

    @property
    def is_open(self) -> bool:
        """Whether something is left to be done: to continue, or to put back."""
        return self.state in (RunState.RUNNING, RunState.ROLLING_BACK, RunState.INTERRUPTED)


class AttemptRecord(msgspec.Struct, frozen=True):
    """One attempt at a task.

    Attributes:
        task: the task's id.
        number: counts the attempts at the task within the run, from 1.
        state: where it stands.
        checkpoint: id of the checkpoint to restore when it fails; "" without.
        covered: the paths of that checkpoint which belong to the task; empty for all.
        folder: where its files lie, relative to the root.
        started: seconds since the epoch.
        message: why it failed.
    """

    task: str
    number: int
    state: AttemptState
    checkpoint: str
    covered: tuple[str, ...]
    folder: str
    started: float
    message: str


class TaskHistory(msgspec.Struct, frozen=True):
    """What earlier runs tell about one task.

    Attributes:
        attempts: attempts that ended by themselves, with success or without.
        failures: those without.
        seconds: the median duration of the latest attempts that succeeded; None when none did.
    """

    attempts: int
    failures: int
    seconds: float | None


class Journal:
    """The journal of one repository; every method is one transaction.

    Args:
        root: the repository root.
    """

    def __init__(self, root: Path | str) -> None:
        self._state = StateDirectory(root)

    def begin_run(self, run: str, tasks: tuple[str, ...], options: str, state: RunState = RunState.RUNNING) -> None:
        """Note that a run starts.

        Args:
            run: its id.
            tasks: ids of its tasks.
            options: how it is run, as JSON.
            state: `rolling back` for one of which nothing is to stay.

        Raises:
            JournalError: the journal cannot be written.
        """
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO runs (id, number, state, started, runner, options, tasks)"
                " VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM runs), ?, ?, ?, ?, ?)",
                (run, state, time.time(), _encode(ProcessIdentity.current()), options, _encode(tasks)),
            )

    def note_checkpoints(self, run: str, checkpoint: str, snapshot: str) -> None:
        """Note the checkpoints that cover the whole run."""
        with self._transaction() as connection:
            connection.execute("UPDATE runs SET checkpoint = ?, snapshot = ? WHERE id = ?", (checkpoint, snapshot, run))

    def take_over(self, run: str) -> None:
        """Note that this process continues a run."""
        with self._transaction() as connection:
            values = (_encode(ProcessIdentity.current()), RunState.RUNNING, run)
            connection.execute("UPDATE runs SET runner = ?, state = ?, ended = NULL WHERE id = ?", values)

    def set_run_state(self, run: str, state: RunState) -> None:
        """Note where a run stands."""
        with self._transaction() as connection:
            ended = None if state in (RunState.RUNNING, RunState.ROLLING_BACK) else time.time()
            connection.execute("UPDATE runs SET state = ?, ended = ? WHERE id = ?", (state, ended, run))

    def begin_attempt(self, run: str, task: str, checkpoint: str, covered: tuple[str, ...], folder: str) -> None:
        """Note that a task starts, after its checkpoint is on the disk and before its command is executed.

        Args:
            run: the run's id.
            task: the task's id.
            checkpoint: the checkpoint to go back to; "" without.
            covered: the task's own paths.
            folder: the attempt's folder, relative to the root.
        """
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO attempts (run, task, number, state, checkpoint, covered, folder, started) VALUES (?, ?,"
                " (SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE run = ? AND task = ?), ?, ?, ?, ?, ?)",
                (run, task, run, task, AttemptState.RUNNING, checkpoint, _encode(covered), folder, time.time()),
            )

    def end_attempt(self, run: str, task: str, state: AttemptState, message: str = "") -> None:
        """Note how the latest attempt at a task ended."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE attempts SET state = ?, ended = ?, message = ? WHERE run = ? AND task = ? AND number ="
                " (SELECT max(number) FROM attempts WHERE run = ? AND task = ?)",
                (state, time.time(), message, run, task, run, task),
            )

    def reopen_attempts(self, run: str, tasks: Iterable[str]) -> None:
        """Note that the latest attempts at some tasks, which had ended well, are to be undone; all of them, or none."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE attempts SET state = ?, ended = NULL WHERE run = ? AND task = ? AND number ="
                " (SELECT max(number) FROM attempts WHERE run = ? AND task = ?)",
                [(AttemptState.RUNNING, run, task, run, task) for task in tasks],
            )

    def runs(self) -> tuple[RunRecord, ...]:
        """All runs, the latest first; empty where nothing ever ran."""
        if not self._is_there():
            return ()
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT id, state, started, runner, options, tasks, checkpoint, snapshot FROM runs ORDER BY number DESC"
            ).fetchall()
        try:
            return tuple(
                RunRecord(
                    id=row[0],
                    state=RunState(row[1]),
                    started=row[2],
                    runner=msgspec.json.decode(row[3], type=ProcessIdentity),
                    options=row[4],
                    tasks=msgspec.json.decode(row[5], type=tuple[str, ...]),
                    checkpoint=row[6],
                    snapshot=row[7],
                )
                for row in rows
            )
        except (msgspec.MsgspecError, ValueError) as error:
            raise JournalError(f"{self._path}: a damaged record of a run: {error}") from error

    def attempts(self, run: str) -> tuple[AttemptRecord, ...]:
        """The attempts of a run in the order in which they started."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT task, number, state, checkpoint, covered, folder, started, message FROM attempts"
                " WHERE run = ? ORDER BY rowid",
                (run,),
            ).fetchall()
        return tuple(
            AttemptRecord(
                task=row[0],
                number=row[1],
                state=AttemptState(row[2]),
                checkpoint=row[3],
                covered=msgspec.json.decode(row[4], type=tuple[str, ...]),
                folder=row[5],
                started=row[6],
                message=row[7],
            )
            for row in rows
        )

    def histories(self) -> dict[str, TaskHistory]:
        """What earlier runs tell about each task, by id; changes nothing, and is empty where nothing ever ran.

        Raises:
            JournalError: the journal cannot be read.
        """
        if not self._is_there():
            return {}
        try:
            address = f"{self._path.absolute().as_uri()}?mode=ro"
            with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30)) as connection:
                rows = connection.execute(
                    "SELECT task, state, ended - started FROM attempts"
                    " WHERE state = ? OR (state = ? AND message <> '') ORDER BY rowid DESC",
                    (AttemptState.FINISHED, AttemptState.ROLLED_BACK),
                ).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: {error}; is the file damaged?") from error
        ended: dict[str, list[AttemptState]] = {}
        seconds: dict[str, list[float]] = {}
        for task, state, duration in rows:
            ended.setdefault(task, []).append(AttemptState(state))
            if state == AttemptState.FINISHED and duration is not None:
                seconds.setdefault(task, []).append(max(0.0, duration))
        return {
            task: TaskHistory(
                len(states),
                states.count(AttemptState.ROLLED_BACK),
                statistics.median(seconds[task][:_LATEST]) if task in seconds else None,
            )
            for task, states in ended.items()
        }

    def finished(self, run: str) -> set[str]:
        """The tasks of a run whose latest attempt ended well and was not rolled back."""
        latest = {attempt.task: attempt.state for attempt in self.attempts(run)}
        return {task for task, state in latest.items() if state is AttemptState.FINISHED}

    def require_no_interrupted_run(self) -> None:
        """Refuse to go on where a run ended in the middle.

        Raises:
            InterruptedRunError: there is such a run.
        """
        for record in self.runs():
            if record.is_open and (record.state is RunState.INTERRUPTED or record.runner.is_alive() is not True):
                done = self.finished(record.id)
                unfinished = [task for task in record.tasks if task not in done]
                raise InterruptedRunError(record.id, unfinished, can_continue=record.state is not RunState.ROLLING_BACK)

    @property
    def _path(self) -> Path:
        return self._state.path / "journal.sqlite"

    def _is_there(self) -> bool:
        try:
            self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise JournalError(f"{self._path}: {error.strerror or error}") from error
        return True

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._state.database("journal.sqlite")
        try:
            with contextlib.closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as connection:
                self._path.chmod(0o600)
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                layout = connection.execute("PRAGMA user_version").fetchone()[0]
                if layout == 0:
                    for statement in _SCHEMA.split(";"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {_LAYOUT}")
                elif layout != _LAYOUT:
                    raise JournalError(f"{self._path}: written by another version of taskgates; move it away")
                try:
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"{self._path}: {error}; is the disk full, or the file damaged or read-only?") from error


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()
