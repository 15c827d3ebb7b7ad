"""Locks: what they are called, what is held, and in which order they are taken by which flow of control."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from taskgates.inference.core import Core
from taskgates.inference.frames import Worker
from taskgates.inference.objects import Heap, Instance
from taskgates.inference.paths import report_form
from taskgates.inference.row_values import type_name_of
from taskgates.inference.values import AnyValue, Known, path_text
from taskgates.model.access import LOCK_FILE_PREFIX
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from taskgates.inference.log import RawSite

FILE_LOCK = "file lock"
"""Slot of an open file: the name of the lock that it holds."""

NAME = "lock name"
GIVES_UP = "lock gives up"
"""Slots of a lock: what it is called unless a variable holds it, and whether waiting for it ends by itself."""


class Locking(Core):
    """The part of the interpreter that knows locks."""

    def is_lock(self, value: Instance) -> bool:
        """Whether an object is a lock."""
        name = type_name_of(value)
        return name is not None and any(row.lock == "lock" for row in self.effects.linearisation(name))

    def new_lock(self, lock: Instance, paths: Iterable[AnyValue], bound: Mapping[str, AnyValue]) -> None:
        """Prepare a lock object: those in files are named by their path, others by the function that makes them.

        Args:
            lock: the object.
            paths: the files that it lives in.
            bound: the arguments of its constructor.
        """
        if gives_up(bound):
            lock.slots[GIVES_UP] = Known(True)
        for path in paths:
            name = self.file_lock(path)
            if name is not None:
                lock.slots[NAME] = Known(name)
                return
        if self.frame is None or self.call_node is None:
            return
        function = f"{self.frame.module.dotted}.{self.frame.qualname}"
        made = self.locks_made.setdefault(function, {})
        number = made.setdefault(self.call_node.pos, len(made) + 1)
        lock.slots[NAME] = Known(f"{function}.<lock>" if number == 1 else f"{function}.<lock {number}>")

    def file_lock(self, path: AnyValue) -> str | None:
        """The name of a lock on a file; None when the file is not exactly known."""
        text = path_text(path)
        if text is None:
            return None
        form, certainty = report_form(self.absolute(text), self.root)
        return f"{LOCK_FILE_PREFIX}{form}" if certainty == "exact" else None

    def lock_name(self, value: Instance) -> str:
        """The name of a lock: its file, the variable that holds it, or the function that made it.

        A condition over a lock is that lock.
        """
        value = self.innermost(value)
        own = value.slots.get(NAME)
        name = own.value if isinstance(own, Known) else f"{type_name_of(value)}.<lock>"
        if value.owner is not None and not str(name).startswith(LOCK_FILE_PREFIX):
            return value.owner[0]
        return str(name)

    def innermost(self, value: Instance) -> Instance:
        """The lock itself: of a condition over a lock, that lock."""
        inner = value.slots.get("lock")
        if isinstance(inner, Instance) and inner is not value and self.is_lock(inner):
            return self.innermost(inner)
        return value

    def lock_call(self, lock: Instance, what: str, bound: Mapping[str, AnyValue]) -> None:
        """`acquire` and `release`."""
        if not excludes(lock) or (what == "acquire" and gives_up(bound) and self.discarded()):
            return
        name = self.lock_name(lock)
        self.lock_objects[name] = self.innermost(lock)
        if what == "acquire":
            waits = not gives_up(bound) and GIVES_UP not in lock.slots
            self.take_lock(name, self.site(name) if waits and self.held else None)
        else:
            self.give_lock(name)

    def enter_lock(self, lock: Instance, site: RawSite | None) -> None:
        """`with lock:`; `site` is the place, None for the present call."""
        if not excludes(lock):
            return
        name = self.lock_name(lock)
        self.lock_objects[name] = self.innermost(lock)
        if not self.held or GIVES_UP in lock.slots:
            self.take_lock(name, None)
        else:
            self.take_lock(name, self.site(name) if site is None else msgspec.structs.replace(site, call=name))

    def take_lock(self, name: str, site: RawSite | None) -> None:
        """Hold a lock from now on; with a site, the present flow of control may have to wait for it there."""
        if site is not None and name not in self.held:
            worker = self.worker
            label, serial, several = "", 0, False
            if worker is not None:
                frame = self.frames[worker.depth] if len(self.frames) > worker.depth else None
                label = "<worker>" if frame is None else f"{frame.module.dotted}.{frame.qualname}"
                serial, several = worker.serial, worker.several
            self.log.lock_order(name, frozenset(self.held), site, label, serial, several=several)
        if name.startswith(LOCK_FILE_PREFIX):
            self.log.file_lock(name, self.site(name))
        self.held.append(name)

    def discarded(self) -> bool:
        """Whether the program does not look at the result of the present call."""
        frame = self.frame
        node = self.call_node
        if frame is None or node is None:
            return False
        module = frame.module.ir
        body = frame.function.node.body if frame.function is not None else module.body if module is not None else []
        return any(isinstance(stmt, ir.ExprStmt) and stmt.value is node for stmt in _statements(body))

    def give_lock(self, name: str) -> None:
        """No longer hold a lock."""
        if name in self.held:
            self.held.remove(name)

    def lock_open_file(self, file: AnyValue | None, *, waits: bool) -> None:
        """Lock the file behind an open one."""
        if not isinstance(file, Instance) or FILE_LOCK in file.slots:
            return
        path = file.slots.get("name")
        name = self.file_lock(path) if path is not None else None
        if name is not None:
            self.state.write(file.slots, FILE_LOCK, Known(name))
            self.take_lock(name, self.site(name) if waits and self.held else None)

    def unlock_open_file(self, file: AnyValue | None) -> None:
        """Give the lock of an open file back, if it has one."""
        lock = file.slots.get(FILE_LOCK) if isinstance(file, Instance) else None
        if isinstance(file, Instance) and isinstance(lock, Known):
            self.state.erase(file.slots, FILE_LOCK)
            self.give_lock(str(lock.value))

    @contextmanager
    def working(
        self, *, again: bool = False, several: bool = False, thread: bool = False, handle: AnyValue | None = None
    ) -> Iterator[None]:
        """What runs in a thread or process of its own: it starts without any lock.

        Args:
            again: whether it is a worker that was started before.
            several: whether many of them run at a time.
            thread: whether it shares the memory of the program.
            handle: the object by which a thread that goes on running is waited for; itself, where it is waited for at
                once.
        """
        held, worker = self.held, self.worker
        if not again:
            self.workers += 1
        several = several or bool(self.loops and self.undecided)
        flow = self.workers
        if is_alone(handle):
            # A pool of one does one thing after the other.
            flow, several = self.overlap.flow_of(handle) or flow, False
        self.held, self.worker = [], Worker(0 if again else flow, len(self.frames), several)
        child = not (thread or again)
        self.children += child
        if thread:
            self.overlap.start(flow, handle if isinstance(handle, Heap) else None)
        try:
            yield
        finally:
            self.children -= child
            self.held, self.worker = held, worker
            if thread:
                self.overlap.suspend()


def excludes(lock: Instance) -> bool:
    """Whether only one at a time can hold a lock: a semaphore may let in several."""
    value = lock.slots.get("value")
    return value is None or (isinstance(value, Known) and value.value == 1)


def is_alone(pool: AnyValue | None) -> bool:
    """Whether a pool has only one worker."""
    return isinstance(pool, Instance) and Known(1) in (pool.slots.get("max_workers"), pool.slots.get("processes"))


def _statements(body: Iterable[ir.Stmt]) -> Iterator[ir.Stmt]:
    """The statements of a function, those inside others too, but not those of functions inside."""
    for stmt in body:
        yield stmt
        if isinstance(stmt, ir.FunctionDef | ir.ClassDef):
            continue
        for name in ("body", "orelse", "final"):
            yield from _statements(getattr(stmt, name, ()))
        for part in (*getattr(stmt, "handlers", ()), *getattr(stmt, "cases", ())):
            yield from _statements(part.body)


def gives_up(bound: Mapping[str, AnyValue]) -> bool:
    """Whether the arguments of an attempt let it end without the lock."""
    for name in ("blocking", "block"):
        value = bound.get(name)
        if isinstance(value, Known) and value.value is not None and not value.value:
            return True
    timeout = bound.get("timeout")
    if timeout is None:
        return False
    return not isinstance(timeout, Known) or not (
        timeout.value is None or (isinstance(timeout.value, int | float) and timeout.value < 0)
    )
