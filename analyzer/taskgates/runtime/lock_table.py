"""The record of who holds and who awaits which file locks: one small file that a person can read too."""

from __future__ import annotations

import datetime as dt
import os
import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from taskgates.runtime.errors import LockTableError
from taskgates.runtime.path_overlap import PathSet
from taskgates.runtime.processes import ProcessIdentity

if TYPE_CHECKING:
    from pathlib import Path


_NAME = re.compile(r"table\.\d{16}\.json")
_ATTEMPTS = 1000


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
        LockTableError: it is damaged or of another version.
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
            raise LockTableError(f"{folder}: the lock table is replaced faster than it can be read")
        table = msgspec.json.decode(data, type=LockTable)
    except FileNotFoundError:
        return LockTable()
    except OSError as error:
        raise LockTableError(f"{folder}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise LockTableError(f"{path}: damaged lock table ({error}); end the running tasks and delete it") from error
    if table.version != 1:
        raise LockTableError(f"{path}: written by another version of taskgates (layout {table.version}, not 1)")
    return table


def write_table(folder: Path, table: LockTable) -> None:
    """Replace the table as a whole, with the latch held.

    Each state has a name of its own: replacing a file by renaming another over it makes some file systems (ext4) write
    to the disk at once, with everybody waiting for the latch. A machine that was restarted has no holders, so nothing
    of the table needs to survive that.

    Args:
        folder: where the table lies.
        table: the new state.

    Raises:
        OSError: the folder cannot be written.
    """
    before = table_files(folder)
    number = int(before[-1].split(".")[1]) + 1 if before else 1
    temporary = os.path.join(folder, "table.new")  # noqa: PTH118
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        data = msgspec.json.encode(table)
        while data:
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)
    os.rename(temporary, os.path.join(folder, f"table.{number:016d}.json"))  # noqa: PTH104, PTH118
    for name in before:
        os.unlink(os.path.join(folder, name))  # noqa: PTH108, PTH118
