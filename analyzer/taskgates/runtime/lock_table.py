"""The record of who holds and who awaits which file locks, as the runtime decides on it and replaces it.

Its shape, and reading it, are in `taskgates.tree.lock_records`, which the gates and the rules use too.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from taskgates.runtime.errors import LockTableError
from taskgates.runtime.path_overlap import PathSet
from taskgates.tree import lock_records
from taskgates.tree.lock_records import Lease, LockHolder, LockMode, LockTable, table_files

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Exclusion", "Lease", "LockHolder", "LockMode", "LockTable", "read_table", "write_table"]


class Exclusion:
    """The test whether other leases exclude one lease, prepared once for many of them.

    Args:
        lease: the lease that wants to be granted.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._writes = PathSet(lease.exclusive)
        self._reads = PathSet(lease.shared)

    def conflict(self, other: Lease) -> LockHolder | None:
        """The path of `other` that cannot be held beside the lease, or None when both may hold at once."""
        if self._lease.spares(other):
            return None
        pairs = ((self._writes, other.exclusive, LockMode.EXCLUSIVE), (self._writes, other.shared, LockMode.SHARED))
        for mine, theirs, mode in (*pairs, (self._reads, other.exclusive, LockMode.EXCLUSIVE)):
            meeting = mine.first_overlap(PathSet(theirs)) if mine and theirs else None
            if meeting is not None:
                process = other.process
                return LockHolder(
                    other.task, meeting[1], mode, process.pid, process.host, other.since, retained=other.retained
                )
        return None


def read_table(folder: Path) -> LockTable:
    """`lock_records.read_table`, with the runtime's own error.

    Raises:
        LockTableError: it is damaged or of another version.
    """
    try:
        return lock_records.read_table(folder)
    except lock_records.LockRecordError as error:
        raise LockTableError(str(error)) from error


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
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, 0o600)
    except FileExistsError:
        # Left by a process that was killed, or a link that somebody laid there: never written through.
        os.unlink(temporary)  # noqa: PTH108
        descriptor = os.open(temporary, flags, 0o600)
    try:
        data = msgspec.json.encode(table)
        while data:
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)
    os.rename(temporary, os.path.join(folder, f"table.{number:016d}.json"))  # noqa: PTH104, PTH118
    for name in before:
        os.unlink(os.path.join(folder, name))  # noqa: PTH108, PTH118
