"""Lock-order inversions: two flows of control that take the same two locks in opposite orders.

Each may come to hold one lock and wait for the other for ever. The test is that of Havelund (Using runtime analysis to
guide model checking of Java programs, SPIN 2000): an edge leads from every lock that is held to the one that is waited
for, and two opposite edges deadlock unless the same flow of control makes both, or some third lock is held at both
(a *gate*), which lets only one of them in. Chains of three and more locks are not looked for.

What can wait for whom:

- Locks in files are the same for every process: they can invert within one task and between two tasks.
- Locks in memory belong to one program. They can invert within one task, whose threads and processes share them; and
  between two tasks only where both run in one process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from taskgates.model.access import LOCK_FILE_PREFIX, LockOrder
from taskgates.model.natural_order import natural_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.gates.footprint import Footprint
    from taskgates.gates.relations import Relations


class LockInversion(msgspec.Struct, frozen=True):
    """Two locks that are taken in opposite orders.

    Attributes:
        first: the task that holds `held` and waits for `wanted`; of the two the first in natural order.
        second: the task that holds `wanted` and waits for `held`; the same one, where its own workers do so.
        held: a lock.
        wanted: another one.
        first_order: where the first task takes `wanted`.
        second_order: where the second task takes `held`.
    """

    first: str
    second: str
    held: str
    wanted: str
    first_order: LockOrder
    second_order: LockOrder


def lives_in_file(lock: str) -> bool:
    """Whether every process that takes a lock of this name takes the same one."""
    return lock.startswith(LOCK_FILE_PREFIX)


def find_lock_inversions(
    footprints: Sequence[Footprint],
    relations: Relations | None = None,
    *,
    separate_processes: bool = False,
) -> list[LockInversion]:
    """Every pair of locks that is taken in both orders, once for each pair of tasks.

    Args:
        footprints: what the tasks do.
        relations: tasks that are related never run at the same time; None looks at every pair.
        separate_processes: whether each task runs in a process of its own; otherwise tasks without a command may share
            one.

    Returns:
        By ids in natural order, then by locks.
    """
    edges: dict[tuple[str, str], list[tuple[Footprint, LockOrder]]] = {}
    for footprint in footprints:
        for order in footprint.lock_order:
            for held in order.held:
                if held != order.lock:
                    edges.setdefault((held, order.lock), []).append((footprint, order))
    found: dict[tuple[str, str, str, str], LockInversion] = {}
    for (held, wanted), users in edges.items():
        opposite = edges.get((wanted, held), ()) if held < wanted else ()
        for this, first in users:
            for other, second in opposite:
                one, two = this.task_id, other.task_id
                one_process = not (separate_processes or this.own_process or other.own_process)
                if not _may_meet(one, two, relations) or not _deadlock(
                    first, second, (held, wanted), same_task=one == two, one_process=one_process
                ):
                    continue
                swap = natural_key(two) < natural_key(one)
                inversion = (
                    LockInversion(two, one, wanted, held, second, first)
                    if swap
                    else LockInversion(one, two, held, wanted, first, second)
                )
                found.setdefault((inversion.first, inversion.second, held, wanted), inversion)
    return sorted(
        found.values(), key=lambda each: (natural_key(each.first), natural_key(each.second), each.held, each.wanted)
    )


def _may_meet(one: str, two: str, relations: Relations | None) -> bool:
    return one == two or relations is None or relations.may_run_together(one, two)


def _deadlock(
    first: LockOrder, second: LockOrder, locks: tuple[str, str], *, same_task: bool, one_process: bool
) -> bool:
    """Whether two flows of control can each wait for what the other holds."""
    gates = set(first.held) & set(second.held)
    if same_task:
        return not gates and (first.worker != second.worker or first.several)
    if one_process:
        # Nobody else knows a lock that a call makes for itself.
        return not gates and all(lives_in_file(lock) or "<" not in lock for lock in locks)
    return all(map(lives_in_file, locks)) and not any(map(lives_in_file, gates))
