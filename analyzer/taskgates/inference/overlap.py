"""Which touches of shared state may happen at the same time in the threads that one program starts.

The interpreter runs a thread's function at the place where the thread is started. What the program does afterwards
overlaps with it until the thread is waited for: joined, or its pool left. Two touches race when they may overlap, one
of them writes, they concern the same object, and no lock is held at both (the lock-set condition of Savage et al.,
"Eraser: a dynamic data race detector for multithreaded programs", 1997, with the order of starts and joins taken into
account).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taskgates.inference.frames import Frame, Worker
    from taskgates.inference.objects import Heap


class Touch(msgspec.Struct, frozen=True):
    """One touch of a piece of shared state.

    Attributes:
        flow: the number of the thread, 0 for the main one.
        several: whether many threads do it at a time.
        write: whether it changes the state.
        place: the object that is changed or read, 0 where it is the variable itself, and the attribute of it.
        guards: the locks held, by name and identity.
    """

    flow: int
    several: bool
    write: bool
    place: tuple[int, str]
    guards: frozenset[tuple[str, int]]


class Overlap:
    """What the threads of one program touch, and which of them run at present.

    Attributes:
        active: whether any thread has been started: before that everything happens in order.
    """

    def __init__(self) -> None:
        self.active = False
        self._touches: dict[str, dict[Touch, None]] = {}
        self._running: dict[int, Heap | None] = {}
        self._outer: list[int] = []
        self._latest = 0
        self._promised: dict[int, int] = {}
        # Objects are told apart by identity, so none may be freed and its place taken by another one.
        self._kept: dict[int, Heap | Frame] = {}

    def start(self, flow: int, handle: Heap | None) -> None:
        """Note that a thread starts.

        Args:
            flow: its number.
            handle: the object by which it is waited for (a thread, a pool); None where there is none.
        """
        self.active = True
        self._running[flow] = handle
        self._outer.append(flow)
        self._latest = flow
        if handle is not None:
            self._kept[id(handle)] = handle

    def flow_of(self, handle: object) -> int | None:
        """The number of a thread that runs and is waited for by an object."""
        return next((flow for flow, behind in self._running.items() if behind is handle), None)

    def suspend(self) -> None:
        """Come back to whoever started the thread; it goes on running."""
        self._outer.pop()

    def promise(self, result: Heap) -> None:
        """Note that an object stands for the result of the thread that was started last (a future)."""
        self._promised[id(result)] = self._latest
        self._kept[id(result)] = result

    def wait(self, handle: Heap) -> None:
        """Note that the threads behind an object have been waited for."""
        promised = self._promised.get(id(handle))
        for flow in [flow for flow, behind in self._running.items() if behind is handle or flow == promised]:
            if flow not in self._outer:
                del self._running[flow]

    def end(self, flow: int) -> None:
        """Note that a thread has ended."""
        self._running.pop(flow, None)

    def touch(
        self,
        name: str,
        obj: Heap | Frame | None,
        part: str,
        worker: Worker | None,
        locks: Mapping[str, Heap | None],
        *,
        write: bool,
    ) -> bool:
        """Note a touch; whether it races with an earlier one.

        Args:
            name: the state.
            obj: the object that is changed or read, or the call whose variable it is; None for a global variable.
            part: the attribute of it; empty for all of it.
            worker: the thread that does it; None for the main one.
            locks: the locks that it holds, by name; None for one that its name tells apart.
            write: whether it changes the state.
        """
        for each in (obj, *locks.values()):
            if each is not None:
                self._kept[id(each)] = each
        guards = frozenset((lock, id(each) if each is not None else 0) for lock, each in locks.items())
        flow, several = (0, False) if worker is None else (worker.serial, worker.several)
        new = Touch(flow, several, write, (id(obj) if obj is not None else 0, part), guards)
        known = self._touches.setdefault(name, {})
        if new in known:
            return False
        known[new] = None
        return any(self._race(new, other) for other in known)

    def _race(self, new: Touch, old: Touch) -> bool:
        if not (new.write or old.write) or new.place != old.place or new.guards & old.guards:
            return False
        if new.flow == old.flow:
            return new.several
        if old.flow not in self._running or old.flow in self._outer:
            return False
        return new.flow != 0 or self._running[old.flow] is not None
