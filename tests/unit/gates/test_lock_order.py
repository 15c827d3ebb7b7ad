"""Which opposite orders of locks can end in a deadlock, and which cannot."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.gates.footprint import Footprint
from taskgates.gates.lock_order import find_lock_inversions
from taskgates.gates.relations import Relations
from taskgates.gates.report import assess_group, gate_report
from taskgates.model.access import LockOrder
from taskgates.model.spans import Site, SourceSpan
from taskgates.model.task import Reference, Task

SPAN = SourceSpan("tasks.json", 1, 1, 1, 2)


def order(text: str, worker: str = "", *, several: bool = False) -> LockOrder:
    """`a b > c`: c is waited for while a and b are held."""
    held, _, lock = text.partition(" > ")
    return LockOrder(lock, tuple(sorted(held.split())), worker, several, (Site("job.py", 3, 5, "work", lock),))


def task(task_id: str, *orders: LockOrder, own_process: bool = True) -> Footprint:
    return Footprint(task_id=task_id, span=SPAN, lock_order=orders, own_process=own_process)


FILES = (order("file:a > file:b"), order("file:b > file:a"))
MEMORY = (order("m.A > m.B"), order("m.B > m.A"))

WITHIN_ONE_TASK: list[tuple[str, LockOrder, LockOrder, bool]] = [
    ("two workers", order("m.A > m.B", "m.one"), order("m.B > m.A", "m.two"), True),
    ("a worker and the main program", order("m.A > m.B"), order("m.B > m.A", "m.one"), True),
    (
        "one worker that runs several times",
        order("A > B", "m.one", several=True),
        order("B > A", "m.one", several=True),
        True,
    ),
    ("one worker that runs once", order("m.A > m.B", "m.one"), order("m.B > m.A", "m.one"), False),
    ("the main program alone", *MEMORY, False),
    ("a third lock around both", order("m.A m.G > m.B", "m.one"), order("m.B m.G > m.A", "m.two"), False),
    ("a third lock around one", order("m.A m.G > m.B", "m.one"), order("m.B > m.A", "m.two"), True),
    ("the same order", order("m.A > m.B", "m.one"), order("m.A > m.B", "m.two"), False),
    ("a lock that is taken again", order("m.A > m.A", "m.one"), order("m.A > m.A", "m.two"), False),
    ("files, by two workers", order("file:a > file:b", "m.one"), order("file:b > file:a", "m.two"), True),
    ("file and memory", order("m.A > file:b", "m.one"), order("file:b > m.A", "m.two"), True),
]


@pytest.mark.parametrize(("first", "second", "found"), [pytest.param(*row[1:], id=row[0]) for row in WITHIN_ONE_TASK])
def test_within_one_task(first: LockOrder, second: LockOrder, *, found: bool) -> None:
    for orders in ((first, second), (second, first)):
        assert bool(find_lock_inversions([task("1", *orders)])) is found


BETWEEN_TASKS: list[tuple[str, LockOrder, LockOrder, bool, bool]] = [
    ("files", *FILES, False, True),
    ("memory of two processes", *MEMORY, False, False),
    ("memory of one process", *MEMORY, True, True),
    ("locks that a call makes for itself", order("m.run.<lock> > m.A"), order("m.A > m.run.<lock>"), True, False),
    ("a file and memory of two processes", order("m.A > file:b"), order("file:b > m.A"), False, False),
    ("a file around both", order("file:a file:g > file:b"), order("file:b file:g > file:a"), False, False),
    ("memory of two processes around both", order("file:a m.G > file:b"), order("file:b m.G > file:a"), False, True),
    ("memory of one process around both", order("file:a m.G > file:b"), order("file:b m.G > file:a"), True, False),
]


@pytest.mark.parametrize(
    ("first", "second", "together", "found"), [pytest.param(*row[1:], id=row[0]) for row in BETWEEN_TASKS]
)
def test_between_tasks(first: LockOrder, second: LockOrder, *, together: bool, found: bool) -> None:
    group = [task("10", first, own_process=not together), task("2", second, own_process=not together)]
    inversions = find_lock_inversions(group)
    assert bool(inversions) is found
    for each in inversions:
        assert (each.first, each.second) == ("2", "10")
        assert each.first_order is second
        assert (each.held in second.held, each.wanted) == (True, second.lock)
    assert not find_lock_inversions([group[0], task("2", second)], separate_processes=True) or "file:" in first.lock


def test_tasks_of_which_one_waits_for_the_other_never_meet() -> None:
    group = [task("1", FILES[0]), task("2", FILES[1])]
    tasks = [
        Task(id="1", format="t", span=SPAN),
        Task(id="2", format="t", span=SPAN, depends_on=(Reference("1", SPAN),)),
    ]
    assert find_lock_inversions(group, Relations(tasks[:1])) != []
    assert find_lock_inversions(group, Relations(tasks)) == []


def test_the_report_names_both_places_and_says_what_to_do() -> None:
    group = [task("1", FILES[0]), task("2", FILES[1])]
    relations = Relations([Task(id=each, format="t", span=SPAN, difficulty=3) for each in ("1", "2")])
    assert assess_group(["1", "2"], relations, group).can_parallel
    report = gate_report(["1", "2"], relations, group)
    (found,) = report["lock_order_inversions"]
    assert (found["task1"], found["task1_holds"], found["task1_waits_for"]) == ("1", "file:a", "file:b")
    assert found["task1_sites"] == found["task2_sites"] == [{"file": "job.py", "line": 3, "column": 5}]
    assert any("file:a" in advice and "file:b" in advice for advice in report["recommendations"])


LOCKS = ("file:a", "file:b", "file:c", "m.X", "m.Y")
ORDERS = st.builds(
    lambda held, lock, worker: LockOrder(lock, tuple(sorted(held - {lock})), worker),
    st.sets(st.sampled_from(LOCKS), min_size=1, max_size=3),
    st.sampled_from(LOCKS),
    st.sampled_from(("", "w", "v")),
).filter(lambda each: bool(each.held))
GROUPS = st.lists(st.tuples(st.lists(ORDERS, max_size=4), st.booleans()), min_size=1, max_size=4)


@given(GROUPS)
@settings(deadline=None)
def test_the_answer_knows_no_order_of_tasks_and_grows_with_them(groups: list[tuple[list[LockOrder], bool]]) -> None:
    tasks = [task(str(at), *orders, own_process=own) for at, (orders, own) in enumerate(groups)]

    def pairs(group: list[Footprint]) -> set[tuple[str, str, frozenset[str]]]:
        return {(each.first, each.second, frozenset((each.held, each.wanted))) for each in find_lock_inversions(group)}

    assert pairs(tasks) == pairs(tasks[::-1])
    assert pairs(tasks[:-1]) <= pairs(tasks)
    assert len(find_lock_inversions(tasks)) == len(pairs(tasks))
