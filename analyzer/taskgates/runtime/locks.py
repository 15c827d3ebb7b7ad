"""File locks between tasks, threads and processes: shared and exclusive, on files, folders and patterns.

Theory. Locks on single files cannot protect `out/*.csv`: a file that matches may not exist yet (the *phantom* of
Eswaran, Gray, Lorie and Traiger, "The notions of consistency and predicate locks in a database system", CACM 19(11),
1976). Gray, Lorie, Putzolu and Traiger ("Granularity of locks and degrees of consistency in a shared data base", 1976)
lock a hierarchy instead: who locks a node announces it on every node above with an *intention* mode, where an intention
to write (IX) excludes a reader (S) of the whole node but neither excludes itself. That pair cannot be built from
reader-writer locks, in which whatever excludes a shared holder also excludes its own kind; readers of `data/*.csv`
would then exclude each other. So the lock is a predicate lock: a request is granted when none of its paths meets, in an
excluding mode, a path of a lease in force, and the hierarchy lives in the test for overlap, where a path covers all
that lies below it and a pattern all that matches.

Mechanism, all of it on `filelock.ReadWriteLock`, whose locks the kernel drops with the process, `kill -9` included:

* the *latch* (`latch.lock`) is held exclusively for the moment in which the table of leases is read, decided on and
  replaced, and shared by those who only look;
* each lock manager holds the *session lock* (`sessions/TOKEN.lock`) exclusively as long as it has leases or requests in
  the table. Where somebody else can take it, the process behind it is gone, and its leases count for nothing from that
  moment on.

All paths of a request are granted at once or not at all, in one step, so nobody holds some while waiting for the rest;
a task that asks twice can still run into a cycle, which is found in the waits-for graph and refused. Requests are
served in the order of their arrival as far as they exclude each other, so that readers cannot starve a writer.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Self

import msgspec
from filelock import ReadWriteLock, Timeout

from taskgates.runtime.backoff import Backoff
from taskgates.runtime.errors import DeadlockError, LockError, LockTableError, LockTimeoutError, permission_hint
from taskgates.runtime.lock_queue import excluding, numbered, waits_for_cycle
from taskgates.runtime.lock_table import Exclusion, Lease, LockHolder, LockMode, LockTable, read_table, write_table
from taskgates.runtime.path_overlap import canonical_path
from taskgates.runtime.processes import ProcessIdentity
from taskgates.runtime.state import StateDirectory
from taskgates.tree.lock_records import is_free, session_is_dead

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

__all__ = ["LockHolder", "LockLease", "LockManager", "LockMode", "LockRequest"]

DEFAULT_TIMEOUT = 30.0
DEFAULT_RETRY_DELAYS = (0.1, 0.5, 1.0, 2.0)

_LATCH_TIMEOUT = 30.0
_LIVENESS_INTERVAL = 0.25


class LockLease:
    """Locks that were granted together and are given back together; a context manager.

    Attributes:
        task: who holds them.
        holders: path by path.
    """

    def __init__(self, manager: LockManager, lease: Lease) -> None:
        self._manager = manager
        self._ticket = lease.ticket
        self.task = lease.task
        self.holders = lease.holders()

    def release(self) -> None:
        """Give the locks back; a second call does nothing."""
        self._manager.withdraw(self._ticket)

    def retain(self, *, shared: bool = False) -> None:
        """Keep the exclusive locks, for the manager as a whole, and give the shared ones back.

        The owner is finished, but what it wrote may still be undone. Until then nobody else may build on it or change
        it; other tasks of the same manager may. (Strict two-phase locking: Bernstein, Hadzilacos and Goodman,
        "Concurrency control and recovery in database systems", 1987, chapter 3.)

        Args:
            shared: keep the shared ones too.

        Raises:
            LockError: the folder of the locks cannot be used.
        """
        self._manager.retain(self._ticket, shared=shared)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class LockRequest:
    """A place in the queue for a set of locks, for callers that wait for several things at once.

    Attributes:
        task: who asks.
        blockers: who stood in the way at the last attempt.
        attempts: how often it was tried.
    """

    def __init__(self, manager: LockManager, lease: Lease, delays: Backoff) -> None:
        self._manager = manager
        self._lease = lease
        self._delays = delays
        self.task = lease.task
        self.blockers: tuple[LockHolder, ...] = ()
        self.attempts = 0
        self._next_full_attempt = 0.0

    @property
    def lease(self) -> Lease:
        """The request as it stands in the table."""
        return self._lease

    def attempt(self) -> LockLease | None:
        """Take the locks if they are free now.

        Returns:
            The lease, or None; `blockers` then says why.

        Raises:
            DeadlockError: the blockers wait for this task in turn.
            LockError: the folder of the locks cannot be used.
        """
        self.attempts += 1
        now = time.monotonic()
        # A look at the table costs far less than the latch; who holds it is asked for signs of life only now and then.
        if self._lease.ticket and now < self._next_full_attempt:
            self.blockers = self._manager.peek(self._lease)
            if self.blockers:
                return None
        granted, self._lease, self.blockers = self._manager.decide(self._lease)
        self._next_full_attempt = now + _LIVENESS_INTERVAL
        return granted

    def next_delay(self) -> float:
        """Seconds to wait before the next attempt."""
        return self._delays.delay(self.attempts - 1)

    def withdraw(self) -> None:
        """Leave the queue."""
        if self._lease.ticket:
            self._manager.withdraw(self._lease.ticket)


class LockManager:
    """Grants locks on the files of a repository; one instance serves all threads of a process.

    Args:
        root: the repository root.
        timeout: seconds that `acquire` waits unless told otherwise.
        retry_delays: seconds between attempts; the last one repeats.
        source: randomness of the jitter, for tests.
    """

    def __init__(
        self,
        root: Path | str = ".",
        *,
        timeout: float = DEFAULT_TIMEOUT,
        retry_delays: Sequence[float] = DEFAULT_RETRY_DELAYS,
        source: random.Random | None = None,
    ) -> None:
        self.timeout = timeout
        self._state = StateDirectory(root)
        self._backoff = Backoff(retry_delays, source)
        self._folder = self._state.path / "locks"
        self._latch_path = self._folder / "latch.lock"
        self._mutex = threading.RLock()
        self._process = ProcessIdentity.current()
        self._session = ""
        self._session_lock: ReadWriteLock | None = None
        self._latch: ReadWriteLock | None = None
        self._tickets: set[int] = set()

    @property
    def root(self) -> Path:
        """The repository root."""
        return self._state.root

    def acquire(
        self,
        task: str,
        *,
        exclusive: Iterable[str] = (),
        shared: Iterable[str] = (),
        timeout: float | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> LockLease:
        """Take all the locks, waiting for those who hold some of them.

        A path in both sets is locked exclusively. A task never excludes itself.

        Args:
            task: who asks.
            exclusive: paths to write: files, folders or patterns, relative to the root or absolute.
            shared: paths to read.
            timeout: seconds to wait at most; 0 tries once; None is the manager's setting.
            cancelled: asked between attempts; True gives up at once.

        Returns:
            The lease, to be released by the caller.

        Raises:
            LockTimeoutError: not free in time (or cancelled); names the holders.
            DeadlockError: waiting would never end.
            LockError: the folder of the locks cannot be used.
        """
        limit = self.timeout if timeout is None else timeout
        start = time.monotonic()
        request = self.request(task, exclusive=exclusive, shared=shared)
        try:
            while True:
                lease = request.attempt()
                if lease is not None:
                    return lease
                left = limit - (time.monotonic() - start)
                if left <= 0 or (cancelled is not None and cancelled()):
                    break
                time.sleep(min(request.next_delay(), left))
        except BaseException:
            request.withdraw()
            raise
        request.withdraw()
        raise LockTimeoutError(task, time.monotonic() - start, request.blockers)

    def request(self, task: str, *, exclusive: Iterable[str] = (), shared: Iterable[str] = ()) -> LockRequest:
        """Prepare a request without trying it yet; arguments as for `acquire`.

        Raises:
            LockError: a path cannot be locked.
        """
        try:
            writes = {canonical_path(self.root, path) for path in exclusive}
            reads = {canonical_path(self.root, path) for path in shared} - writes
        except ValueError as error:
            raise LockError(f"task {task}: {error}") from error
        lease = Lease(0, task, "", self._process, 0.0, tuple(sorted(writes)), tuple(sorted(reads)))
        return LockRequest(self, lease, self._backoff)

    def _is_there(self) -> bool:
        """Whether anything was ever locked here."""
        try:
            os.listdir(self._folder)  # noqa: PTH208
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise LockError(permission_hint(self._folder, error)) from error
        return True

    def status(self) -> tuple[LockHolder, ...]:
        """Every lock in the table, stale ones marked, sorted by path and task; changes nothing."""
        if not self._is_there():
            return ()
        with self._mutex, self._latched(LockMode.SHARED):
            table = read_table(self._folder)
            dead = self._dead_sessions(table)
        holders = [holder for lease in table.granted for holder in lease.holders(stale=lease.session in dead)]
        return tuple(sorted(holders, key=lambda holder: (holder.path, holder.task, holder.pid)))

    def blockers(
        self, task: str, *, exclusive: Iterable[str] = (), shared: Iterable[str] = ()
    ) -> tuple[LockHolder, ...]:
        """Who would stand in the way of a request now; asks for nothing and changes nothing.

        Args:
            task: who would ask.
            exclusive: paths to write.
            shared: paths to read.

        Returns:
            One path of each living holder that excludes the request.

        Raises:
            LockError: the folder of the locks cannot be read, or a path cannot be locked.
        """
        if not self._is_there():
            return ()
        lease = self.request(task, exclusive=exclusive, shared=shared).lease
        with self._mutex, self._latched(LockMode.SHARED):
            table = read_table(self._folder)
            dead = self._dead_sessions(table)
        living = [other for other in table.granted if other.session not in dead]
        found = (Exclusion(lease).conflict(other) for other in living)
        return tuple(holder for holder in found if holder is not None)

    def clean(self) -> tuple[LockHolder, ...]:
        """Remove what dead processes left behind.

        Returns:
            The locks that were dropped.
        """
        if not self._is_there():
            return ()
        with self._mutex, self._latched(LockMode.EXCLUSIVE):
            table = self._read_or_reset()
            dead = self._dead_sessions(table)
            dropped = tuple(
                holder for lease in table.granted if lease.session in dead for holder in lease.holders(stale=True)
            )
            self._prune(table, dead)
            write_table(self._folder, table)
            self._sweep_sessions(table)
        return dropped

    def close(self) -> None:
        """Give back everything that this manager holds or awaits; it may be used again afterwards."""
        self._check_process()
        with self._mutex:
            for ticket in sorted(self._tickets):
                self.withdraw(ticket)
            if self._session_lock is not None:
                with self._latched(LockMode.EXCLUSIVE):
                    self._end_session()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def decide(self, lease: Lease) -> tuple[LockLease | None, Lease, tuple[LockHolder, ...]]:
        """Grant a request or queue it; the step behind `LockRequest.attempt`.

        Args:
            lease: the request; its ticket is 0 before the first attempt.

        Returns:
            The granted lease or None, the request with its ticket, and who stands in the way.

        Raises:
            DeadlockError: as for `acquire`.
            LockError: as for `acquire`.
        """
        self._check_process()
        with self._mutex, self._latched(LockMode.EXCLUSIVE):
            table = self._read_or_reset()
            self._open_session()
            if not lease.ticket or lease.session != self._session:
                lease = numbered(lease, table.next_ticket, self._session)
                table.next_ticket += 1
            blockers = excluding(lease, table)
            if blockers and (dead := self._dead_sessions(table, [blocker.session for blocker, _ in blockers])):
                self._prune(table, dead)
                blockers = excluding(lease, table)
            table.waiting = [waiting for waiting in table.waiting if waiting.ticket != lease.ticket]
            if blockers:
                if waits_for_cycle(lease, table):
                    # A request of a dead process waits for nobody; the cycle has to stand without those.
                    self._prune(table, self._dead_sessions(table))
                if cycle := waits_for_cycle(lease, table):
                    write_table(self._folder, table)
                    self._tickets.discard(lease.ticket)
                    raise DeadlockError(cycle)
                table.waiting.append(lease)
                table.waiting.sort(key=lambda waiting: waiting.ticket)
                granted = None
            else:
                table.granted.append(lease)
                granted = LockLease(self, lease)
            write_table(self._folder, table)
            self._tickets.add(lease.ticket)
        return granted, lease, tuple(holder for _, holder in blockers)

    def peek(self, lease: Lease) -> tuple[LockHolder, ...]:
        """Who stands in the way of a queued request, as the table says at this moment; nobody when in doubt.

        Needs no latch: the table is replaced as a whole, so what is read is one of its states.
        """
        try:
            table = read_table(self._folder)
        except LockTableError:
            return ()
        if all(waiting.ticket != lease.ticket for waiting in table.waiting):
            return ()
        return tuple(holder for _, holder in excluding(lease, table))

    def withdraw(self, ticket: int) -> None:
        """Remove a lease or a request from the table; one that is not there is no error.

        Raises:
            LockError: the folder of the locks cannot be used.
        """
        self._check_process()
        with self._mutex:
            if ticket not in self._tickets:
                return
            with self._latched(LockMode.EXCLUSIVE):
                table = self._read_or_reset()
                table.granted = [lease for lease in table.granted if lease.ticket != ticket]
                table.waiting = [lease for lease in table.waiting if lease.ticket != ticket]
                write_table(self._folder, table)
                self._tickets.discard(ticket)

    def writes_of_others(self) -> tuple[str, ...]:
        """The paths that other managers hold exclusively, as the table says at this moment; none when in doubt."""
        try:
            table = read_table(self._folder)
        except LockTableError:
            return ()
        return tuple(path for lease in table.granted if lease.session != self._session for path in lease.exclusive)

    def retain(self, ticket: int, *, shared: bool) -> None:
        """Turn a lease into a retained one; the step behind `LockLease.retain`.

        Raises:
            LockError: the folder of the locks cannot be used.
        """
        self._check_process()
        with self._mutex:
            if ticket not in self._tickets:
                return
            with self._latched(LockMode.EXCLUSIVE):
                table = self._read_or_reset()
                table.granted = [
                    msgspec.structs.replace(lease, shared=lease.shared if shared else (), retained=True)
                    if lease.ticket == ticket
                    else lease
                    for lease in table.granted
                ]
                write_table(self._folder, table)

    @property
    def _sessions_folder(self) -> Path:
        return self._folder / "sessions"

    def _check_process(self) -> None:
        if os.getpid() != self._process.pid:
            raise LockError("a lock manager does not survive fork(); make a new one in the child")

    @contextlib.contextmanager
    def _latched(self, mode: LockMode) -> Iterator[None]:
        path = self._latch_path
        try:
            if self._latch is None or not os.path.exists(path):  # noqa: PTH110 - on the hot path
                self._state.folder("locks/sessions")
                self._state.database("locks/latch.lock")
                self._latch = ReadWriteLock(path, is_singleton=False)
            latch = self._latch
            if mode is LockMode.EXCLUSIVE:
                latch.acquire_write(_LATCH_TIMEOUT)
            else:
                latch.acquire_read(_LATCH_TIMEOUT)
        except Timeout as error:
            raise LockError(f"{path}: held for {_LATCH_TIMEOUT:g} s by another process; is one stopped?") from error
        except OSError as error:
            raise LockError(permission_hint(path, error)) from error
        except (sqlite3.Error, ValueError) as error:
            raise LockError(
                f"{path}: not usable as a lock ({error}); is the folder on a network file system?"
            ) from error
        try:
            yield
        except OSError as error:
            raise LockError(permission_hint(self._folder, error)) from error
        finally:
            latch.release(force=True)

    def _open_session(self) -> None:
        """Take the session lock, before the first lease enters the table."""
        if self._session_lock is not None:
            return
        # What processes left that ended without closing their manager; a table that cannot be read proves nothing.
        with contextlib.suppress(LockTableError):
            self._sweep_sessions(read_table(self._folder))
        token = secrets.token_hex(8)
        lock = ReadWriteLock(self._sessions_folder / f"{token}.lock", is_singleton=False)
        lock.acquire_write(0)
        self._session, self._session_lock = token, lock

    def _end_session(self) -> None:
        if self._session_lock is not None:
            path = self._sessions_folder / f"{self._session}.lock"
            self._session_lock.close()
            self._session, self._session_lock = "", None
            path.unlink(missing_ok=True)

    def _sweep_sessions(self, table: LockTable) -> None:
        """Remove the locks of dead sessions without leases, while the latch is held."""
        known = {lease.session for lease in (*table.granted, *table.waiting)}
        for path in self._sessions_folder.glob("*.lock"):
            if path.stem not in known and path.stem != self._session and is_free(path):
                path.unlink(missing_ok=True)

    def _read_or_reset(self) -> LockTable:
        try:
            return read_table(self._folder)
        except LockTableError:
            # A damaged table (a crash of the whole machine) means nothing once no session is alive.
            others = [path for path in self._sessions_folder.glob("*.lock") if path.stem != self._session]
            if self._tickets or any(not is_free(path) for path in others):
                raise
            return LockTable()

    def _dead_sessions(self, table: LockTable, candidates: Iterable[str] | None = None) -> set[str]:
        processes = {lease.session: lease.process for lease in (*table.granted, *table.waiting)}
        wanted = set(processes if candidates is None else candidates) - {self._session}
        return {session for session in wanted if self._is_dead(session, processes[session])}

    def _is_dead(self, session: str, process: ProcessIdentity) -> bool:
        return session_is_dead(self._folder, session, process)

    def _prune(self, table: LockTable, dead: set[str]) -> None:
        table.granted = [lease for lease in table.granted if lease.session not in dead]
        table.waiting = [lease for lease in table.waiting if lease.session not in dead]
        for session in dead:
            (self._sessions_folder / f"{session}.lock").unlink(missing_ok=True)
