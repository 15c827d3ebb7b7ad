"""The locks that a group of tasks needs, and where its members will wait for each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from taskgates.gates.conflicts import ConflictKind
from taskgates.model.natural_order import natural_key
from taskgates.model.patterns import PathPattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from taskgates.gates.conflicts import Conflict
    from taskgates.gates.footprint import Footprint, Touch


class LockNeed(msgspec.Struct, frozen=True):
    """One path that members of a group lock.

    Attributes:
        path: text of a `PathPattern`.
        exclusive: the tasks that write it, in natural order.
        shared: the tasks that only read it, in natural order.
    """

    path: str
    exclusive: tuple[str, ...]
    shared: tuple[str, ...]


class Contention(msgspec.Struct, frozen=True):
    """A path at which members of a group wait for each other.

    Attributes:
        path: text of a `PathPattern`.
        tasks: who meets there, in natural order.
        expected_waiting: the waiting of all of them together, in the unit of the costs.
    """

    path: str
    tasks: tuple[str, ...]
    expected_waiting: float


class HeldLock(msgspec.Struct, frozen=True):
    """A lock that somebody holds now.

    Attributes:
        path: path or pattern relative to the root; one of a folder covers what lies below it.
        exclusive: whether it is held for writing.
        task: the task that holds it.
        holder: who that is, for people.
    """

    path: str
    exclusive: bool
    task: str = ""
    holder: str = ""


def lock_needs(footprints: Iterable[Footprint]) -> list[LockNeed]:
    """The locks that a group takes, by path: exclusive for writes, shared for reads."""
    writers: dict[str, dict[str, None]] = {}
    readers: dict[str, dict[str, None]] = {}
    for footprint in footprints:
        for touches, users in ((footprint.writes, writers), (footprint.reads, readers)):
            for touch in touches:
                users.setdefault(touch.path, {})[footprint.task_id] = None
    needs: list[LockNeed] = []
    for path in sorted({*writers, *readers}):
        exclusive = writers.get(path, {})
        shared = [task_id for task_id in readers.get(path, {}) if task_id not in exclusive]
        needs.append(LockNeed(path, tuple(sorted(exclusive, key=natural_key)), tuple(sorted(shared, key=natural_key))))
    return needs


def predicted_contention(conflicts: Iterable[Conflict], costs: Mapping[str, float]) -> list[Contention]:
    """Where the members of a group will wait for each other, the worst first.

    All tasks are taken to arrive at once and to be served in any order with equal probability. Of two that exclude each
    other each is second in half of the orders, and then waits as long as the first one takes: a pair waits for half the
    sum of its costs.

    Args:
        conflicts: where members meet.
        costs: how long each task takes, in any unit (seconds, or difficulty); 1 where it is missing.
    """
    waiting: dict[str, list[float]] = {}
    users: dict[str, set[str]] = {}
    for conflict in conflicts:
        if conflict.kind is ConflictKind.READ_READ:
            continue
        first, second = conflict.first, conflict.second
        waiting.setdefault(conflict.path, []).append((costs.get(first, 1.0) + costs.get(second, 1.0)) / 2)
        users.setdefault(conflict.path, set()).update((first, second))
    rank = {task_id: at for at, task_id in enumerate(sorted(set().union(*users.values()), key=natural_key))}
    found = [
        Contention(path, tuple(sorted(users[path], key=rank.__getitem__)), math.fsum(parts))
        for path, parts in waiting.items()
    ]
    found.sort(key=lambda each: (-each.expected_waiting, each.path))
    return found


def held_against(footprints: Iterable[Footprint], held: Iterable[HeldLock]) -> list[tuple[str, HeldLock]]:
    """Which tasks need what others hold.

    Args:
        footprints: what the group touches.
        held: the locks that are held; those of members of the group do not count.

    Returns:
        The task and the lock, each pair once, by task in the order of the footprints.
    """
    members = list(footprints)
    ids = {footprint.task_id for footprint in members}
    others = [lock for lock in held if lock.task not in ids]
    return list(dict.fromkeys((task_id, lock) for task_id, lock, _ in excluded_touches(members, others)))


def excluded_touches(
    footprints: Iterable[Footprint], held: Iterable[HeldLock]
) -> Iterator[tuple[str, HeldLock, Touch]]:
    """What tasks need of what others hold: a lock held exclusively excludes every use, a shared one only writes.

    Args:
        footprints: what the tasks touch.
        held: the locks that are held; a task's own lock does not exclude it.

    Yields:
        The task, the lock and the task's first touch of what it covers, each pair of task and lock once, in the order
        of the footprints.
    """
    everything = PathPattern("**")
    locks = [(lock, everything if lock.path == "." else PathPattern(lock.path).below) for lock in held]
    known: dict[tuple[str, str], bool] = {}
    for footprint in footprints:
        for lock, pattern in locks:
            if lock.task == footprint.task_id:
                continue
            touches = (*footprint.writes, *footprint.reads) if lock.exclusive else footprint.writes
            for touch in touches:
                key = (touch.path, lock.path)
                if key not in known:
                    known[key] = PathPattern(touch.path).overlaps(pattern)
                if known[key]:
                    yield footprint.task_id, lock, touch
                    break
