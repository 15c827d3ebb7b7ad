"""The record of who holds and who awaits which file locks: one small file that a person can read too.

It lies in `.taskgates/locks`. The runtime keeps it; whoever only asks who holds what (a scan, the gates) reads it here
and starts no part of the runtime.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import sqlite3
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from taskgates.tree.processes import ProcessIdentity

if TYPE_CHECKING:
    from pathlib import Path

LOCKS_FOLDER: Final = ".taskgates/locks"
"""Where the record lies, from the root."""

_SESSIONS = "sessions"
_NAME = re.compile(r"table\.\d{16}\.json")
_ATTEMPTS = 1000


class LockRecordError(Exception):
    """The record of the holders cannot be read."""


class LockMode(StrEnum):
    """How a path is locked: by any number of readers, or by one writer alone."""

    SHARED = "shared"
    EXCLUSIVE = "exclusive"


class LockHolder(msgspec.Struct, frozen=True):
    """One path that one task holds.

    Attributes:
        task: who holds it.
        path: canonical path or pattern.
        mode: shared or exclusive.
        pid: the process that holds it.
        host: its machine.
        since: when it was granted, seconds since the epoch.
        stale: whether the process is gone, so that the record counts for nothing.
        retained: whether the task is finished, and the path is held for the run of which it was a part.
    """

    task: str
    path: str
    mode: LockMode
    pid: int
    host: str
    since: float
    stale: bool = False
    retained: bool = False

    def __str__(self) -> str:
        moment = dt.datetime.fromtimestamp(self.since, tz=dt.UTC).astimezone()
        state = " (stale)" if self.stale else ""
        owner = f"the run of task {self.task}" if self.retained else f"task {self.task}"
        return (
            f"{self.path} is held {self.mode} by {owner}, process {self.pid} on {self.host}, "
            f"since {moment:%Y-%m-%d %H:%M:%S}{state}"
        )


class Lease(msgspec.Struct, frozen=True):
    """All the paths that one request covers, granted or awaited as a whole.

    Attributes:
        ticket: position in the order of arrival.
        task: who asks.
        session: the lock manager that asks; its own lock proves that it lives.
        process: the process that asks.
        since: when it was granted (or first asked for), seconds since the epoch.
        exclusive: canonical paths to write, sorted.
        shared: canonical paths to read, sorted.
        retained: its task is finished, but what it wrote may still be undone: other sessions are kept away until then.
    """

    ticket: int
    task: str
    session: str
    process: ProcessIdentity
    since: float
    exclusive: tuple[str, ...]
    shared: tuple[str, ...]
    retained: bool = False

    @property
    def owner(self) -> tuple[str, str]:
        """Leases of one owner never exclude each other; what is retained belongs to the session as a whole."""
        return self.session, "" if self.retained else self.task

    def spares(self, other: Lease) -> bool:
        """Whether the two never exclude each other, whatever their paths."""
        return self.owner == other.owner or (self.session == other.session and (self.retained or other.retained))

    def holders(self, *, stale: bool = False) -> tuple[LockHolder, ...]:
        """The lease path by path."""
        return tuple(
            LockHolder(self.task, path, mode, self.process.pid, self.process.host, self.since, stale, self.retained)
            for mode, paths in ((LockMode.EXCLUSIVE, self.exclusive), (LockMode.SHARED, self.shared))
            for path in paths
        )


class LockTable(msgspec.Struct):
    """Everything granted and everything awaited.

    Attributes:
        next_ticket: the next request's position.
        granted: leases in force, in the order of their grant.
        waiting: requests not granted yet, in the order of their arrival.
        version: layout of the file.
    """

    next_ticket: int = 1
    granted: list[Lease] = msgspec.field(default_factory=list)
    waiting: list[Lease] = msgspec.field(default_factory=list)
    version: int = 1


def table_files(folder: Path) -> list[str]:
    """The names of the table's files, oldest first; more than one only while it is replaced, or after a crash then.

    Raises:
        OSError: the folder cannot be listed.
    """
    return sorted(name for name in os.listdir(folder) if _NAME.fullmatch(name))  # noqa: PTH208 - on the hot path


def read_table(folder: Path) -> LockTable:
    """Read the table; where there is none, it is empty.

    Without the latch the answer is one of the table's states, or an empty one at the moment of a replacement.

    Args:
        folder: where the table lies.

    Raises:
        LockRecordError: it is damaged or of another version.
    """
    path = ""
    try:
        for _ in range(_ATTEMPTS):
            names = table_files(folder)
            if not names:
                return LockTable()
            path = os.path.join(folder, names[-1])  # noqa: PTH118
            try:
                with open(path, "rb") as stream:  # noqa: PTH123
                    data = stream.read()
                break
            except FileNotFoundError:
                # Replaced between the listing and the opening.
                continue
        else:
            raise LockRecordError(f"{folder}: the lock table is replaced faster than it can be read")
        table = msgspec.json.decode(data, type=LockTable)
    except (FileNotFoundError, NotADirectoryError):
        return LockTable()
    except OSError as error:
        raise LockRecordError(f"{folder}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise LockRecordError(f"{path}: damaged lock table ({error}); end the running tasks and delete it") from error
    if table.version != 1:
        raise LockRecordError(f"{path}: written by another version of taskgates (layout {table.version}, not 1)")
    return table


def lock_holders(root: Path) -> tuple[LockHolder, ...]:
    """Every lock in the record of a repository, those of ended processes marked as stale, by path and task.

    Nothing is created, and nobody is kept from locking meanwhile.

    Args:
        root: the repository.

    Raises:
        LockRecordError: the record is damaged or of another version.
    """
    folder = root / LOCKS_FOLDER
    leases = read_table(folder).granted
    dead = {
        session
        for session, process in {lease.session: lease.process for lease in leases}.items()
        if session_is_dead(folder, session, process)
    }
    holders = [holder for lease in leases for holder in lease.holders(stale=lease.session in dead)]
    return tuple(sorted(holders, key=lambda holder: (holder.path, holder.task, holder.pid)))


def session_file(folder: Path, session: str) -> Path:
    """The lock that a lock manager holds as long as it lives."""
    return folder / _SESSIONS / f"{session}.lock"


def session_is_dead(folder: Path, session: str, process: ProcessIdentity) -> bool:
    """Whether nobody is left behind a lease.

    Args:
        folder: the folder of the record.
        session: the lock manager that holds the lease.
        process: its process.
    """
    path = session_file(folder, session)
    if path.exists():
        return is_free(path)
    # Somebody removed the session lock: fall back on the process table, and in doubt respect the lease.
    return process.is_alive() is False


def is_free(path: Path) -> bool:
    """Whether nobody holds a session lock."""
    from filelock import ReadWriteLock, Timeout

    try:
        probe = ReadWriteLock(path, is_singleton=False)
        try:
            probe.acquire_read(blocking=False)
        finally:
            probe.close()
    except (Timeout, OSError, sqlite3.Error):
        return False
    return True
