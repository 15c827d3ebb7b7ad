"""Batches: what must hold for every division, instances with known optima, and refusals."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from taskgates.gates import exact
from taskgates.gates.batch_bounds import largest_clique, lower_bound
from taskgates.gates.batch_problem import BatchProblem
from taskgates.gates.batch_proof import GaveUpError, divide_into
from taskgates.gates.batch_search import search
from taskgates.gates.batching import BatchingError, BatchLimits, BatchPlan, Solver, suggest_batches
from taskgates.gates.conflicts import Weight, find_conflicts
from taskgates.gates.cycles import cycles_through
from taskgates.gates.relations import GroupError, Relations
from taskgates.gates.shared_state import find_shared_conflicts
from taskgates.model.access import SharedAccess, SharedKind
from taskgates.model.spans import SourceSpan
from unit.gates.groups import footprint, groups, task
from unit.gates.instances import colouring_instances, line_instances, read_graph, read_line

if TYPE_CHECKING:
    from taskgates.gates.footprint import Footprint
    from taskgates.model.task import Task

SPAN = SourceSpan("tasks.json", 1, 1, 1, 2)


def plan(tasks: list[Task], footprints: list[Footprint], limits: BatchLimits | None = None) -> BatchPlan:
    return suggest_batches([each.id for each in tasks], Relations(tasks), footprints, limits, solver=Solver.HEURISTIC)


def test_conflicts_and_dependencies_part_tasks() -> None:
    tasks = [task("1"), task("2"), task("3", "1"), task("4")]
    found = plan(tasks, [footprint("1", "a"), footprint("2", "a"), footprint("3"), footprint("4", "b", "a")])
    assert found.batches == (("1",), ("2", "3"), ("4",)) or len(found.batches) == 3
    assert (found.lower_bound, found.proven_optimal) == (3, True)


def test_capacity_and_budget_bound_a_batch() -> None:
    tasks = [task(str(index), difficulty=7) for index in range(12)]
    found = plan(tasks, [])
    assert [len(batch) for batch in found.batches] == [4, 4, 4]
    assert (found.proven_optimal, found.bound_reason) == (
        True,
        "12 tasks, at most 5 in a batch",
    )
    assert len(plan(tasks, [], BatchLimits(max_tasks=2, max_complexity=None)).batches) == 6


def test_a_parent_and_its_part_do_not_share_a_batch() -> None:
    tasks = [task("1"), task("1_1", parent="1"), task("1_1_1", parent="1_1")]
    assert len(plan(tasks, []).batches) == 3


def test_shared_state_parts_tasks() -> None:
    state = (SharedAccess("pkg.CACHE", SharedKind.MODULE_GLOBAL, "write"),)
    tasks = [task("1"), task("2")]
    assert len(plan(tasks, [footprint("1", shared=state), footprint("2", shared=state)]).batches) == 2


def test_order_through_a_task_outside_of_the_group() -> None:
    relations = Relations([task("1"), task("2", "1"), task("3", "2")])
    found = suggest_batches(["1", "3"], relations, [])
    assert found.batches == (("1",), ("3",))


def test_nothing_to_do() -> None:
    assert plan([], []).batches == ()
    assert plan([], []).proven_optimal


@pytest.mark.parametrize(
    ("tasks", "ids", "message"),
    [
        ([task("1")], ["1", "9", "8"], "unknown tasks: 8, 9"),
        ([task("1", "7")], ["1"], r"unknown dependencies: 1 depends on 7 \(tasks.json:1:1\)"),
        ([task("1", "2"), task("2", "1")], ["1", "2"], "circular dependencies: 1 -> 2 -> 1"),
        ([task("1", "2"), task("2", "3"), task("3", "1")], ["1", "3"], "circular dependencies: 1 -> 2 -> 3 -> 1"),
        ([task("1", "1")], ["1"], "circular dependencies: 1 -> 1"),
        (
            [task("1"), task("2", "1"), task("3", "2", parent="1")],
            ["1"],
            "1 -> 3 -> 2 -> 1: 1 is done when",
        ),
        ([task("1", difficulty=31)], ["1"], r"difficulty above the whole budget of 30: 1 \(31\)"),
    ],
)
def test_refusals(tasks: list[Task], ids: list[str], message: str) -> None:
    with pytest.raises(GroupError, match=message):
        suggest_batches(ids, Relations(tasks), [])


def test_the_optimal_solver_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "is_installed", lambda: False)
    with pytest.raises(BatchingError, match=r"taskgates\[optimal\]"):
        suggest_batches(["1"], Relations([task("1")]), [], solver=Solver.OPTIMAL)


@given(groups(), st.integers(1, 4), st.sampled_from([10, 15, 30, None]))
@settings(max_examples=150, deadline=None)
def test_every_division_keeps_every_rule(
    group: tuple[list[Task], list[Footprint]], max_tasks: int, max_complexity: float | None
) -> None:
    tasks, footprints = group
    relations = Relations(tasks)
    assume(not cycles_through(relations.ids, relations))
    found = plan(tasks, footprints, BatchLimits(max_tasks, max_complexity, effort=500))
    place = {task_id: number for number, batch in enumerate(found.batches) for task_id in batch}
    assert sorted(task_id for batch in found.batches for task_id in batch) == sorted(each.id for each in tasks)
    assert found.lower_bound <= len(found.batches)
    for batch in found.batches:
        inside = [each for each in footprints if each.task_id in batch]
        assert all(conflict.weight is Weight.INFO for conflict in find_conflicts(inside))
        assert not find_shared_conflicts(inside)
        assert len(batch) <= max_tasks
        if max_complexity is not None:
            assert sum(relations.task(task_id).difficulty or 5 for task_id in batch) <= max_complexity
        assert not any(relations.related(one, two) for one, two in itertools.combinations(batch, 2))
    for each in tasks:
        assert all(place[reference.id] < place[each.id] for reference in each.depends_on)


def fewest_by_force(problem: BatchProblem) -> int:
    """The optimum by trying every assignment."""
    for count in range(1, len(problem) + 1):
        for places in itertools.product(range(count), repeat=len(problem)):
            batches = [[each for each in range(len(problem)) if places[each] == number] for number in range(count)]
            if not problem.violations(batches):
                return count
    raise AssertionError


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=6),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda pair: pair[0] < pair[1]), max_size=4),
    st.lists(st.integers(1, 6), min_size=5, max_size=5),
    st.sampled_from([0, 1]),
)
@settings(max_examples=60, deadline=None)
def test_small_groups_get_the_optimum(
    pairs: list[tuple[int, int]], arcs: list[tuple[int, int]], weights: list[int], lag: int
) -> None:
    earlier = [[one for one, two in arcs if two == each] for each in range(5)]
    problem = BatchProblem.of_pairs(5, pairs, earlier, weights, budget=8, max_tasks=3, lag=lag)
    bound = lower_bound(problem).batches
    batches = search(problem, bound)
    assert not problem.violations(batches)
    fewest = fewest_by_force(problem)
    assert bound <= len(batches) == fewest
    assert divide_into(problem, fewest - 1) is None
    found = divide_into(problem, fewest)
    assert found is not None
    assert not problem.violations(found)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda pair: pair[0] != pair[1])))
@settings(max_examples=100, deadline=None)
def test_cliques_are_largest(pairs: list[tuple[int, int]]) -> None:
    adjacent = [0] * 12
    for one, two in pairs:
        adjacent[one] |= 1 << two
        adjacent[two] |= 1 << one
    graph: nx.Graph[int] = nx.Graph(pairs)
    graph.add_nodes_from(range(12))
    clique = largest_clique(adjacent)
    assert all(adjacent[one] >> two & 1 for one, two in itertools.combinations(clique, 2))
    assert len(clique) == max(map(len, nx.find_cliques(graph)))


@pytest.mark.parametrize(("name", "optimum"), colouring_instances())
def test_published_graphs_get_their_chromatic_number(name: str, optimum: int) -> None:
    count, pairs = read_graph(name)
    problem = BatchProblem.of_pairs(count, pairs)
    bound = lower_bound(problem).batches
    batches = search(problem, bound)
    assert not problem.violations(batches)
    assert bound <= optimum
    assert len(batches) == optimum
    graph: nx.Graph[int] = nx.Graph(pairs)
    for strategy in ("largest_first", "DSATUR", "smallest_last"):
        colours = nx.greedy_color(graph, strategy=strategy)
        assert len(batches) <= max(colours.values()) + 1


@pytest.mark.parametrize(("name", "fewer"), [("myciel3", 3), ("queen5_5", 4), ("queen6_6", 6)])
def test_fewer_batches_are_excluded(name: str, fewer: int) -> None:
    """Mycielski's graphs have no triangle, so that only exhaustion shows that three colours are too few."""
    problem = BatchProblem.of_pairs(*read_graph(name))
    assert divide_into(problem, fewer, steps=100_000) is None
    assert divide_into(problem, fewer + 1, steps=100_000) is not None


def test_giving_up_is_not_a_proof() -> None:
    with pytest.raises(GaveUpError):
        divide_into(BatchProblem.of_pairs(*read_graph("myciel5")), 5, steps=100)


@pytest.mark.parametrize(("name", "cycle", "stations"), line_instances())
def test_published_assembly_lines_get_their_fewest_stations(name: str, cycle: int, stations: int) -> None:
    problem = read_line(name, cycle)
    bound = lower_bound(problem).batches
    batches = search(problem, bound)
    assert not problem.violations(batches)
    assert bound <= stations
    assert len(batches) == stations
