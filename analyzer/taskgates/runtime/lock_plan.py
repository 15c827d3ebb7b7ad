"""The locks that a group of tasks will need: who holds some of them now, and where the tasks will wait for each other.

Lock-order inversion cannot arise between the tasks themselves: each takes all its locks in one step (see `locks`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from taskgates.gates.assessment import LockIssue
from taskgates.runtime.lock_table import LockHolder, LockMode
from taskgates.runtime.path_overlap import PathSet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taskgates.runtime.write_sets import WriteSet


class PlannedLock(msgspec.Struct, frozen=True, order=True):
    """One lock that one task will take.

    Attributes:
        path: canonical path or pattern.
        mode: exclusive for writes, shared for reads.
        task: the task.
    """

    path: str
    mode: LockMode
    task: str


class Contention(msgspec.Struct, frozen=True):
    """A path for which tasks of the group will wait for each other.

    Attributes:
        path: canonical path or pattern, as one of the tasks names it.
        writers: tasks that lock it, or something that overlaps it, exclusively.
        readers: tasks that lock it shared.
        expected_waiting: waiting of all of them together, in the unit of the costs.
    """

    path: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    expected_waiting: float


class LockPlan(msgspec.Struct, frozen=True):
    """What a group needs, who is in the way, and what it will cost.

    Attributes:
        locks: by path.
        issues: locks that others hold now.
        contention: the worst first.
    """

    locks: tuple[PlannedLock, ...]
    issues: tuple[LockIssue, ...]
    contention: tuple[Contention, ...]


def plan_locks(
    write_sets: Mapping[str, WriteSet], holders: Sequence[LockHolder], costs: Mapping[str, float]
) -> LockPlan:
    """Enumerate the locks of a group and predict the waiting.

    The prediction takes all tasks to arrive at once and to be served in any order with equal probability: of two that
    exclude each other, each is second in half of the orders and then waits as long as the first one takes, so a pair
    waits for half the sum of its costs.

    Args:
        write_sets: what each task locks.
        holders: the present locks, stale ones included; those of the tasks themselves do not count.
        costs: how long each task takes, in any unit (seconds, or its difficulty); 1 where it is missing.

    Returns:
        The plan.
    """
    locks = sorted(
        PlannedLock(path, mode, task)
        for task, writes in write_sets.items()
        for mode, paths in ((LockMode.EXCLUSIVE, writes.exclusive), (LockMode.SHARED, writes.shared))
        for path in paths
    )
    issues = []
    for holder in holders:
        if holder.stale or holder.task in write_sets:
            continue
        held = PathSet([holder.path])
        for task, writes in write_sets.items():
            wanted = writes.exclusive if holder.mode is LockMode.SHARED else (*writes.exclusive, *writes.shared)
            if PathSet(wanted).first_overlap(held) is not None:
                issues.append(LockIssue(task, holder.path, str(holder), holder.mode.value))
    return LockPlan(tuple(locks), tuple(issues), tuple(_contention(write_sets, costs)))


def _contention(write_sets: Mapping[str, WriteSet], costs: Mapping[str, float]) -> list[Contention]:
    exclusive = {task: PathSet(writes.exclusive) for task, writes in write_sets.items()}
    shared = {task: PathSet(writes.shared) for task, writes in write_sets.items()}
    found = []
    for path in sorted({path for writes in write_sets.values() for path in writes.exclusive}):
        here = PathSet([path])
        writers = [task for task in write_sets if exclusive[task].first_overlap(here) is not None]
        readers = [task for task in write_sets if task not in writers and shared[task].first_overlap(here) is not None]
        users = writers + readers
        pairs = [(one, two) for at, one in enumerate(users) for two in users[at + 1 :] if one in writers]
        if pairs:
            waiting = sum(costs.get(one, 1.0) + costs.get(two, 1.0) for one, two in pairs) / 2
            found.append(Contention(path, tuple(writers), tuple(readers), waiting))
    return sorted(found, key=lambda each: (-each.expected_waiting, each.path))
