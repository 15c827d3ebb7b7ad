"""Schedules that end early: the rules that hold at every moment, and small optima."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.gates.batch_problem import BatchProblem
from taskgates.gates.batching import BatchingError, BatchLimits, Solver
from taskgates.gates.footprint import Footprint, Origin, Touch
from taskgates.gates.makespan import Schedule, makespan_bound, schedule, shortest_schedule
from taskgates.gates.relations import Relations
from taskgates.model.access import Operation
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Reference, Task

SPAN = SourceSpan("tasks.json", 1, 1, 1, 2)


def task(task_id: str, *depends_on: str) -> Task:
    references = tuple(Reference(other, SPAN) for other in depends_on)
    return Task(id=task_id, format="t", span=SPAN, difficulty=1, depends_on=references)


def writer(task_id: str, path: str) -> Footprint:
    return Footprint(task_id=task_id, span=SPAN, writes=(Touch(path, Operation.OVERWRITE, Origin.RUNTIME, SPAN),))


def plan(tasks: list[Task], footprints: list[Footprint], durations: dict[str, float], slots: int = 5) -> Schedule:
    ids = [each.id for each in tasks]
    return schedule(ids, Relations(tasks), footprints, durations, BatchLimits(max_tasks=slots), solver=Solver.HEURISTIC)


def test_a_short_task_does_not_wait_for_a_batch() -> None:
    tasks = [task("long"), task("short"), task("next", "short")]
    found = plan(tasks, [], {"long": 10, "short": 2, "next": 8})
    assert [(each.task_id, each.start, each.end) for each in found.tasks] == [
        ("long", 0, 10),
        ("short", 0, 2),
        ("next", 2, 10),
    ]
    assert (found.makespan, found.proven_optimal, found.sequential) == (10, True, 20)
    assert sorted({each.lane for each in found.tasks}) == [0, 1]


def test_conflicting_tasks_do_not_overlap_in_time() -> None:
    tasks = [task("1"), task("2"), task("3")]
    found = plan(tasks, [writer("1", "a"), writer("2", "a"), writer("3", "b")], {"1": 3, "2": 4, "3": 7})
    assert found.makespan == 7
    assert found.proven_optimal


def test_a_missing_duration_is_the_mean_and_a_negative_one_is_refused() -> None:
    found = plan([task("1"), task("2"), task("3")], [], {"1": 2, "2": 4})
    assert found.sequential == pytest.approx(9)
    with pytest.raises(BatchingError, match="task 1 has a duration of -1"):
        plan([task("1")], [], {"1": -1})


def fastest_by_force(problem: BatchProblem, seconds: list[int]) -> int:
    """The optimum: every order of the tasks, each started as early as what was placed before it allows."""
    best = sum(seconds)
    for order in itertools.permutations(range(len(problem))):
        starts: dict[int, int] = {}
        for each in order:
            if any(other not in starts for other in problem.predecessors[each]):
                break
            begin = max((starts[other] + seconds[other] for other in problem.predecessors[each]), default=0)
            while not all(_fits(problem, seconds, starts, each, now) for now in range(begin, begin + seconds[each])):
                begin += 1
            starts[each] = begin
        else:
            best = min(best, max(starts[each] + seconds[each] for each in order))
    return best


def _fits(problem: BatchProblem, seconds: list[int], starts: dict[int, int], each: int, now: int) -> bool:
    running = [other for other, start in starts.items() if start <= now < start + seconds[other]]
    return (
        len(running) < (problem.max_tasks or 99)
        and not any(problem.excluded[each] >> other & 1 for other in running)
        and sum(problem.weights[other] for other in running) + problem.weights[each] <= (problem.budget or 99)
    )


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=4),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda pair: pair[0] < pair[1]), max_size=4),
    st.lists(st.integers(1, 4), min_size=5, max_size=5),
    st.lists(st.integers(1, 5), min_size=5, max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_schedules_keep_the_rules_and_small_ones_are_optimal(
    pairs: list[tuple[int, int]], arcs: list[tuple[int, int]], weights: list[int], seconds: list[int]
) -> None:
    earlier = [[one for one, two in arcs if two == each] for each in range(5)]
    problem = BatchProblem.of_pairs(5, pairs, earlier, weights, budget=6, max_tasks=3)
    durations = [float(length) for length in seconds]
    bound, _ = makespan_bound(problem, durations)
    starts = shortest_schedule(problem, durations, bound, effort=20_000)
    end = max(start + length for start, length in zip(starts, durations, strict=True))
    for moment in starts:
        running = [each for each in range(5) if starts[each] <= moment < starts[each] + durations[each]]
        assert len(running) <= 3
        assert sum(weights[each] for each in running) <= 6
        assert not any(problem.excluded[one] >> two & 1 for one, two in itertools.combinations(running, 2))
    for each in range(5):
        assert all(starts[other] + durations[other] <= starts[each] for other in earlier[each])
    fastest = fastest_by_force(problem, seconds)
    assert bound - 1e-9 <= fastest <= end
    assert end <= fastest * 1.25
