"""Locks that a group needs, who is in the way, and the waiting to expect."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.gates.conflicts import find_conflicts
from taskgates.gates.contention import HeldLock, held_against, lock_needs, predicted_contention
from taskgates.gates.footprint import Footprint, Origin, Touch
from taskgates.model.access import Operation
from taskgates.model.spans import SourceSpan

SPAN = SourceSpan("tasks.json", 1, 1, 1, 2)


def footprint(task_id: str, writes: tuple[str, ...] = (), reads: tuple[str, ...] = ()) -> Footprint:
    return Footprint(
        task_id=task_id,
        span=SPAN,
        writes=tuple(Touch(path, Operation.OVERWRITE, Origin.RUNTIME, SPAN) for path in writes),
        reads=tuple(Touch(path, Operation.READ, Origin.RUNTIME, SPAN) for path in reads),
    )


def test_writers_lock_exclusively_and_readers_share() -> None:
    group = [
        footprint("10", writes=("a",), reads=("a", "b")),
        footprint("2", writes=("a",)),
        footprint("3", reads=("b",)),
    ]
    first, second = lock_needs(group)
    assert (first.path, first.exclusive, first.shared) == ("a", ("2", "10"), ())
    assert (second.path, second.exclusive, second.shared) == ("b", (), ("3", "10"))


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5))
@settings(deadline=None)
def test_the_prediction_is_the_mean_over_all_orders(costs: Any) -> None:
    group = [footprint(str(number), writes=("x",)) for number in range(len(costs))]
    by_id = {str(number): float(cost) for number, cost in enumerate(costs)}
    (found,) = predicted_contention(find_conflicts(group), by_id)
    orders = list(itertools.permutations(costs))
    waited = sum(sum(order[:place]) for order in orders for place in range(len(order)))
    assert abs(found.expected_waiting - waited / len(orders)) < 1e-9


def test_held_locks_exclude_by_mode_and_cover_what_lies_below() -> None:
    group = [footprint("1", writes=("out/a.txt",)), footprint("2", reads=("out/a.txt",)), footprint("3", reads=("b",))]
    shared = HeldLock("out", exclusive=False, task="9")
    exclusive = HeldLock("out", exclusive=True, task="9")
    whole = HeldLock(".", exclusive=True, task="9")
    assert held_against(group, [shared]) == [("1", shared)]
    assert held_against(group, [exclusive]) == [("1", exclusive), ("2", exclusive)]
    assert [task for task, _ in held_against(group, [whole])] == ["1", "2", "3"]
    assert held_against(group, [HeldLock("out", exclusive=True, task="2")]) == []
