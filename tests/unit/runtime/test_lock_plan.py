from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.runtime.lock_plan import plan_locks
from taskgates.runtime.lock_table import LockHolder, LockMode
from taskgates.runtime.write_sets import WriteSet


def needs(exclusive: tuple[str, ...] = (), shared: tuple[str, ...] = ()) -> WriteSet:
    return WriteSet(exclusive, shared, exclusive)


def test_locks_are_enumerated() -> None:
    plan = plan_locks({"1": needs(("out/*.csv",), ("in",)), "2": needs((), ("in",))}, (), {})
    assert [(lock.path, lock.mode, lock.task) for lock in plan.locks] == [
        ("in", LockMode.SHARED, "1"),
        ("in", LockMode.SHARED, "2"),
        ("out/*.csv", LockMode.EXCLUSIVE, "1"),
    ]
    assert plan.contention == ()


def test_present_holders_are_issues_where_they_exclude() -> None:
    def held(task: str, path: str, mode: LockMode, *, stale: bool = False) -> LockHolder:
        return LockHolder(task, path, mode, 1, "host", 0.0, stale)

    holders = [
        held("else", "out/a.csv", LockMode.EXCLUSIVE),
        held("else", "in", LockMode.SHARED),
        held("dead", "out/b.csv", LockMode.EXCLUSIVE, stale=True),
        held("1", "out/c.csv", LockMode.EXCLUSIVE),
    ]
    plan = plan_locks({"1": needs(("out/*.csv",), ("in",)), "2": needs(("in",))}, holders, {})
    assert [(issue.task_id, issue.file, issue.mode) for issue in plan.issues] == [
        ("1", "out/a.csv", "exclusive"),
        ("2", "in", "shared"),
    ]
    assert "task else" in plan.issues[0].holder


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_expected_waiting_of_writers_is_the_mean_over_all_orders(durations: list[int]) -> None:
    write_sets = {str(number): needs(("file",)) for number in range(len(durations))}
    costs = {str(number): float(duration) for number, duration in enumerate(durations)}
    (contention,) = plan_locks(write_sets, (), costs).contention
    orders = list(permutations(durations))
    mean = sum(sum(sum(order[:place]) for place in range(len(order))) for order in orders) / len(orders)
    assert contention.expected_waiting == pytest.approx(mean)


def test_readers_wait_for_writers_only() -> None:
    write_sets = {"w": needs(("data",)), "r1": needs((), ("data/a",)), "r2": needs((), ("data/*",))}
    (contention,) = plan_locks(write_sets, (), {"w": 4.0, "r1": 1.0, "r2": 2.0}).contention
    assert (contention.writers, contention.readers) == (("w",), ("r1", "r2"))
    assert contention.expected_waiting == pytest.approx((4 + 1) / 2 + (4 + 2) / 2)
