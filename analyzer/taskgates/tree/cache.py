"""Results kept between runs in `.taskgates/cache/`, one SQLite file shared by concurrent processes.

A cache is never needed: wherever it cannot be opened, read or written, it behaves as empty and drops what it is given.
"""

from __future__ import annotations

import sqlite3
import stat
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Protocol, Self

from taskgates.tree.ownership import is_ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

SCHEMA_VERSION = 1
"""Changes when the tables do."""

SIZE_LIMIT = 512 << 20
"""Bytes of records beyond which the least recently used ones are dropped."""

_BUSY_SECONDS = 10.0
_TOUCH_SECONDS = 3600
_VARIABLES = 500

_TABLES = """
CREATE TABLE IF NOT EXISTS record (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_used ON record (used);
"""


class ResultCache(Protocol):
    """What the stages ask of a cache: bytes by kind and key."""

    def get(self, kind: str, key: str) -> bytes | None:
        """The record, or None."""

    def get_many(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The records that exist, by key."""

    def put(self, kind: str, key: str, value: bytes) -> None:
        """Store a record, replacing an older one."""

    def put_many(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Store several records at once."""

    def close(self) -> None:
        """Write out what is pending and let go of the file."""


class NullCache:
    """A cache that remembers nothing, for `--no-cache`."""

    def get(self, kind: str, key: str) -> bytes | None:  # noqa: ARG002
        """Always None."""
        return None

    def get_many(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:  # noqa: ARG002
        """Always empty."""
        return {}

    def put(self, kind: str, key: str, value: bytes) -> None:
        """Drop the record."""

    def put_many(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Drop the records."""

    def close(self) -> None:
        """Nothing to do."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass


class Cache:
    """Records of earlier runs over the repository at `root`.

    Records of another version of the tool are dropped when the file is opened. A file that is not a sound database is
    deleted and begun anew. One that is a link, or that another user may write, is left alone and unused. One that
    another process keeps locked is waited for once. Safe for several processes at once; one instance belongs to one
    thread.

    Attributes:
        available: whether there is a file to work with; False in a read-only repository, and where the cache is a link
            or another user's.
        recreated: whether a broken file was dropped.

    Args:
        root: the repository.
        version: identity of the code that makes the records: the tool's version, or a digest of its sources.
        size_limit: see `SIZE_LIMIT`.
    """

    def __init__(self, root: Path, version: str, size_limit: int = SIZE_LIMIT) -> None:
        self._folder = root / ".taskgates" / "cache"
        self._file = self._folder / "results.sqlite"
        self._version = f"{SCHEMA_VERSION}:{version}"
        self._size_limit = size_limit
        self._written = 0
        self.recreated = False
        self._connection = self._open()

    @property
    def available(self) -> bool:
        """Whether there is a file to work with."""
        return self._connection is not None

    def get(self, kind: str, key: str) -> bytes | None:
        """The record, or None."""
        return self.get_many(kind, (key,)).get(key)

    def get_many(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The records that exist, by key."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, bytes] = {}
        stale: list[tuple[int, str, str]] = []
        now = int(time.time())
        for start in range(0, len(wanted), _VARIABLES):
            part = wanted[start : start + _VARIABLES]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, value, used FROM record WHERE kind = ? AND key IN ({marks})"  # noqa: S608 - marks only
            for key, value, used in self._run(query, (kind, *part)):
                found[str(key)] = bytes(value)
                if now - int(used) > _TOUCH_SECONDS:
                    stale.append((now, kind, str(key)))
        if stale:
            self._run_many("UPDATE record SET used = ? WHERE kind = ? AND key = ?", stale)
        return found

    def put(self, kind: str, key: str, value: bytes) -> None:
        """Store a record, replacing an older one."""
        self.put_many(kind, {key: value})

    def put_many(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Store several records in one transaction."""
        now = int(time.time())
        rows = [(kind, key, value, now) for key, value in values.items() if len(value) <= self._size_limit]
        if not rows:
            return
        self._run_many("INSERT OR REPLACE INTO record (kind, key, value, used) VALUES (?, ?, ?, ?)", rows)
        self._written += sum(len(row[2]) for row in rows)
        if self._written > self._size_limit // 8:
            self._evict()

    def close(self) -> None:
        """Drop the oldest records beyond the size limit and let go of the file."""
        if self._connection is None:
            return
        if self._written:
            self._evict()
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # ---- the file -----------------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection | None:
        try:
            for folder in (self._folder.parent, self._folder):
                with suppress(FileExistsError):
                    folder.mkdir()
                if not is_ours(folder.lstat(), stat.S_IFDIR):
                    return None
            with suppress(FileExistsError), (self._folder.parent / ".gitignore").open("x", encoding="ascii") as ignore:
                ignore.write("*\n")
            for file in self._files():
                with suppress(FileNotFoundError):
                    if not is_ours(file.lstat(), stat.S_IFREG):
                        return None
        except (OSError, ValueError):
            return None
        try:
            return self._connect()
        except sqlite3.OperationalError:
            return None
        except sqlite3.DatabaseError:
            return self._recreate()

    def _files(self) -> list[Path]:
        """The database and what SQLite keeps beside it."""
        return [self._file.with_name(self._file.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            with suppress(sqlite3.OperationalError):
                # Not every file system can do it; the rollback journal is as safe, only slower.
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Create the tables; drop everything that another version wrote."""
        marker = self._marker()
        if connection.execute("PRAGMA user_version").fetchone()[0] == marker:
            connection.execute("SELECT kind, key, used FROM record LIMIT 1").fetchone()
            return
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] != marker:
            connection.execute("DROP TABLE IF EXISTS record")
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {marker}")
        connection.execute("COMMIT")

    def _marker(self) -> int:
        """The version as the 31-bit number that SQLite keeps in a file's header."""
        from zlib import crc32

        return crc32(self._version.encode()) & 0x7FFFFFFF or 1

    def _recreate(self) -> sqlite3.Connection | None:
        self.recreated = True
        try:
            for file in self._files():
                file.unlink(missing_ok=True)
            return self._connect()
        except (OSError, sqlite3.Error):
            return None

    def _run(self, query: str, values: tuple[str | int, ...] = ()) -> list[tuple[Any, ...]]:
        if self._connection is None:
            return []
        try:
            with closing(self._connection.execute(query, values)) as cursor:
                return cursor.fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def _run_many(self, query: str, rows: list[tuple[int, str, str]] | list[tuple[str, str, bytes, int]]) -> None:
        if self._connection is None:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(query, rows)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        """After damage begin anew; a read-only file only loses this one request, a locked one all that follow."""
        if self._connection is None:
            return
        if isinstance(error, sqlite3.OperationalError):
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                with suppress(sqlite3.Error):
                    self._connection.close()
                self._connection = None
            return
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.IntegrityError):
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = self._recreate()

    def _evict(self) -> None:
        """Drop least recently used records until three quarters of the limit are left."""
        self._written = 0
        total = self._run("SELECT COALESCE(SUM(LENGTH(value)), 0) FROM record")
        size = total[0][0] if total else 0
        if size <= self._size_limit:
            return
        excess = size - self._size_limit * 3 // 4
        victims: list[tuple[int, str, str]] = []
        for kind, key, length in self._run("SELECT kind, key, LENGTH(value) FROM record ORDER BY used, kind, key"):
            victims.append((0, str(kind), str(key)))
            excess -= length
            if excess <= 0:
                break
        self._run_many("DELETE FROM record WHERE ? = 0 AND kind = ? AND key = ?", victims)
