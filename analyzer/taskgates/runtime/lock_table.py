"""The record of who holds and who awaits which file locks: one small file that a person can read too."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from taskgates.runtime.errors import LockTableError
from taskgates.runtime.path_overlap import PathSet
from taskgates.runtime.processes import ProcessIdentity  # noqa: TC001 - msgspec resolves it
from taskgates.runtime.state import write_atomically

if TYPE_CHECKING:
    from pathlib import Path


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
    """

    task: str
    path: str
    mode: LockMode
    pid: int
    host: str
    since: float
    stale: bool = False

    def __str__(self) -> str:
        moment = dt.datetime.fromtimestamp(self.since, tz=dt.UTC).astimezone()
        state = " (stale)" if self.stale else ""
        return (
            f"{self.path} is held {self.mode} by task {self.task}, process {self.pid} on {self.host}, "
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
    """

    ticket: int
    task: str
    session: str
    process: ProcessIdentity
    since: float
    exclusive: tuple[str, ...]
    shared: tuple[str, ...]

    @property
    def owner(self) -> tuple[str, str]:
        """Leases of one owner never exclude each other."""
        return self.session, self.task

    def holders(self, *, stale: bool = False) -> tuple[LockHolder, ...]:
        """The lease path by path."""
        return tuple(
            LockHolder(self.task, path, mode, self.process.pid, self.process.host, self.since, stale)
            for mode, paths in ((LockMode.EXCLUSIVE, self.exclusive), (LockMode.SHARED, self.shared))
            for path in paths
        )


class Exclusion:
    """The test whether other leases exclude one lease, prepared once for many of them.

    Args:
        lease: the lease that wants to be granted.
    """

    def __init__(self, lease: Lease) -> None:
        self._owner = lease.owner
        self._writes = PathSet(lease.exclusive)
        self._reads = PathSet(lease.shared)

    def conflict(self, other: Lease) -> LockHolder | None:
        """The path of `other` that cannot be held beside the lease, or None when both may hold at once."""
        if self._owner == other.owner:
            return None
        pairs = ((self._writes, other.exclusive, LockMode.EXCLUSIVE), (self._writes, other.shared, LockMode.SHARED))
        for mine, theirs, mode in (*pairs, (self._reads, other.exclusive, LockMode.EXCLUSIVE)):
            meeting = mine.first_overlap(PathSet(theirs)) if mine and theirs else None
            if meeting is not None:
                return LockHolder(
                    other.task, meeting[1], mode, other.process.pid, other.process.host, other.since, stale=False
                )
        return None


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


def read_table(path: Path) -> LockTable:
    """Read the table; a missing file is an empty table.

    Raises:
        LockTableError: the file is damaged or of another version.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return LockTable()
    except OSError as error:
        raise LockTableError(f"{path}: {error.strerror}") from error
    try:
        table = msgspec.json.decode(data, type=LockTable)
    except msgspec.MsgspecError as error:
        raise LockTableError(f"{path}: damaged lock table ({error}); end the running tasks and delete it") from error
    if table.version != 1:
        raise LockTableError(f"{path}: written by another version of taskgates (layout {table.version}, not 1)")
    return table


def write_table(path: Path, table: LockTable) -> None:
    """Replace the table as a whole; not forced to the disk, because a restarted machine has no holders.

    Raises:
        OSError: the folder cannot be written.
    """
    write_atomically(path, msgspec.json.encode(table))
