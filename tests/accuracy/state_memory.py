"""The memory of a program that is traced: who touches what, and what objects hold; see `state_tracer`."""

from __future__ import annotations

import asyncio
import collections
import sys
import threading
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accuracy.state_tracer import Lock

ROOT = str(Path.cwd())
"""The folder whose files are the program."""
ITERATORS = tuple(
    type(each) for each in (iter([]), iter(()), iter({}), iter(range(1)), iter("a"), iter(range(1 << 70)))
)


class Worker:
    """One strand of execution: a thread, or a piece of work that a pool was given.

    Attributes:
        clock: how far each strand had come when this one last heard of it.
    """

    def __init__(self, clock: dict[Worker, int]) -> None:
        self.clock = {**clock, self: 1}
        self.held: list[Lock] = []
        self.at: types.FrameType | None = None

    def forked(self) -> dict[Worker, int]:
        """What a strand knows that this one starts now."""
        known = dict(self.clock)
        self.clock[self] += 1
        return known

    def joined(self, clock: dict[Worker, int]) -> None:
        """Learn all that another knew at its end."""
        for worker, time in clock.items():
            self.clock[worker] = max(time, self.clock.get(worker, 0))


class Place:
    """A piece of memory: a binding, an attribute of an object, or the contents of a container."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.touches: list[tuple[Worker, int, frozenset[Lock], bool]] = []
        self.racing = False
        self.version = 0
        self.read: dict[Any, int] = {}

    def touch(self, worker: Worker, *, write: bool) -> None:
        """Note a touch, and whether it races with an earlier one."""
        held = frozenset(worker.held)
        task = current_task()
        if task is not None and write:
            self.racing |= self.read.get(task, self.version) != self.version
        self.version += write
        self.read[task] = self.version
        for other, time, locks, wrote in self.touches:
            before = worker.clock.get(other, 0) >= time if other is not worker else True
            if not before and (write or wrote) and not (held & locks):
                self.racing = True
        entry = (worker, worker.clock[worker], held, write)
        if entry not in self.touches:
            self.touches.append(entry)


def current_task() -> Any:
    """The task of an event loop that runs in this thread, if one does."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def is_object(value: Any) -> bool:
    kind = type(value)
    return (
        kind.__module__ in sys.modules
        and kind.__flags__ & (1 << 9) != 0
        and getattr(sys.modules.get(kind.__module__), "__file__", None) is not None
        and str(sys.modules[kind.__module__].__file__).startswith(ROOT)
        and not isinstance(value, type | threading.Thread | threading.local)
    )


def fields_of(value: Any) -> dict[str, Any]:
    fields = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, slot):
                fields[slot] = getattr(value, slot)
    return fields


def contents_of(value: Any) -> Any:
    """What an object holds itself, in a form that can be compared later; None for what holds nothing of its own."""
    if isinstance(value, dict):
        return ("items", [each for pair in list(value.items()) for each in pair])
    if isinstance(value, list | collections.deque):
        return ("items", list(value))
    if isinstance(value, set):
        return ("items", sorted(map(id, value)), list(value))
    if isinstance(value, bytearray):
        return ("value", bytes(value))
    if isinstance(value, types.GeneratorType):
        return (
            "value",
            (value.gi_frame.f_lasti if value.gi_frame else -1, repr(value.gi_frame and value.gi_frame.f_locals)),
        )
    if type(value) in ITERATORS:
        return ("value", value.__length_hint__())
    if type(value).__module__ == "itertools":
        return ("value", repr(value))
    if isinstance(value, type) and value.__module__ != "builtins":
        return ("fields", {key: each for key, each in vars(value).items() if not key.startswith("__")})
    if isinstance(value, types.FunctionType) and vars(value):
        return ("fields", dict(vars(value)))
    if is_object(value):
        return ("fields", fields_of(value))
    return None


def differences_in(before: Any, now: Any) -> list[Any]:
    """Which parts differ: None for the whole, an attribute's name for an object's."""
    if before[0] != now[0]:
        return []
    if before[0] == "value":
        return [None] if before[1] != now[1] else []
    if before[0] == "items":
        same = len(before[1]) == len(now[1]) and all(
            a is b or (type(a) is int and a == b) for a, b in zip(before[1], now[1], strict=True)
        )
        return [] if same else [None]
    missing = object()
    keys = {*before[1], *now[1]}
    return [("attribute", key) for key in sorted(keys) if before[1].get(key, missing) is not now[1].get(key, missing)]
