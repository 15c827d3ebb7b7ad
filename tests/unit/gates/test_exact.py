"""The solver of the `optimal` extra, where it is installed."""

from __future__ import annotations

import random

import pytest
from taskgates.gates import exact
from taskgates.gates.batch_bounds import lower_bound
from taskgates.gates.batch_problem import BatchProblem
from taskgates.gates.batch_search import first_fit, search
from taskgates.gates.batching import BatchingError, BatchLimits, Solver, suggest_batches
from taskgates.gates.makespan import makespan_bound, schedule, shortest_schedule
from taskgates.gates.relations import Relations
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Reference, Task
from unit.gates.instances import colouring_instances, line_instances, read_graph, read_line

pytest.importorskip("ortools")

SPAN = SourceSpan("tasks.json", 1, 1, 1, 2)


def made_up(seed: int, count: int, lag: int = 1) -> BatchProblem:
    chance = random.Random(seed)
    pairs = [(chance.randrange(count), chance.randrange(count)) for _ in range(2 * count)]
    earlier = [chance.sample(range(each), min(each, chance.choice((0, 1, 1)))) for each in range(count)]
    weights = [chance.randint(1, 10) for _ in range(count)]
    return BatchProblem.of_pairs(count, pairs, earlier, weights, budget=25, max_tasks=4, lag=lag)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lag", [0, 1])
def test_the_default_is_within_a_few_percent_of_the_solver(seed: int, lag: int) -> None:
    problem = made_up(seed, 40, lag)
    bound = lower_bound(problem).batches
    batches = search(problem, bound)
    answer = exact.fewest_batches(problem, batches, bound, time_limit=4)
    assert not problem.violations(answer.batches)
    assert bound <= answer.lower_bound <= len(answer.batches) <= len(batches)
    assert len(batches) <= len(answer.batches) + 1


def test_a_poor_start_is_improved_to_the_optimum() -> None:
    problem = made_up(1, 24)
    poor = [[task] for task in problem.topological]
    answer = exact.fewest_batches(problem, poor, 1, time_limit=60)
    assert not problem.violations(answer.batches)
    assert answer.lower_bound == len(answer.batches) == len(search(problem, lower_bound(problem).batches))


def test_graphs_without_order_use_the_clique() -> None:
    pairs = [(one, two) for one in range(6) for two in range(one)] + [(5, 6), (6, 7), (7, 5)]
    problem = BatchProblem.of_pairs(8, pairs)
    answer = exact.fewest_batches(problem, [[task] for task in range(8)], 1, time_limit=10)
    assert len(answer.batches) == answer.lower_bound == 6
    assert not problem.violations(answer.batches)


def test_groups_that_are_too_large_are_refused_by_name_and_solved_by_default() -> None:
    tasks = [Task(id=str(index), format="t", span=SPAN, difficulty=1) for index in range(1_001)]
    relations = Relations(tasks)
    with pytest.raises(BatchingError, match="more than the 200000"):
        suggest_batches(relations.ids, relations, [], BatchLimits(5), solver=Solver.OPTIMAL)
    assert suggest_batches(relations.ids, relations, [], BatchLimits(5)).solver == "heuristic"


def test_batches_and_schedules_by_name() -> None:
    tasks = [
        Task(id="1", format="t", span=SPAN, difficulty=3),
        Task(id="2", format="t", span=SPAN, difficulty=3, depends_on=(Reference("1", SPAN),)),
        Task(id="3", format="t", span=SPAN, difficulty=3),
    ]
    relations = Relations(tasks)
    plan = suggest_batches(["1", "2", "3"], relations, [], BatchLimits(2), solver=Solver.OPTIMAL)
    assert (len(plan.batches), plan.proven_optimal, plan.solver) == (2, True, "cp-sat")
    found = schedule(["1", "2", "3"], relations, [], {"1": 1.5, "2": 2, "3": 3}, solver=Solver.OPTIMAL)
    assert (found.makespan, found.proven_optimal) == (3.5, True)


@pytest.mark.parametrize("seed", range(3))
def test_schedules_are_close_to_the_solver(seed: int) -> None:
    problem = made_up(seed, 25)
    chance = random.Random(seed)
    seconds = [float(chance.randint(1, 60)) for _ in range(25)]
    bound, _ = makespan_bound(problem, seconds)
    starts = shortest_schedule(problem, seconds, bound, effort=100_000)
    end = max(start + length for start, length in zip(starts, seconds, strict=True))
    answer = exact.shortest_schedule(problem, seconds, starts, time_limit=4)
    best = max(start + length for start, length in zip(answer.starts, seconds, strict=True))
    assert bound <= best + 1e-6
    assert answer.lower_bound <= best + 1e-6
    assert end <= best * 1.05


def test_a_worse_start_does_not_spoil_the_bound() -> None:
    problem = made_up(2, 20)
    poor = first_fit(problem, problem.topological)
    batches = [[task for task, place in enumerate(poor) if place == number] for number in range(max(poor) + 1)]
    answer = exact.fewest_batches(problem, batches, 1, time_limit=4)
    assert answer.lower_bound >= lower_bound(problem).batches or len(answer.batches) > answer.lower_bound


@pytest.mark.parametrize(("name", "cycle", "stations"), line_instances())
def test_published_assembly_lines_are_proven(name: str, cycle: int, stations: int) -> None:
    problem = read_line(name, cycle)
    answer = exact.fewest_batches(problem, [[task] for task in problem.topological], 1, time_limit=60)
    assert not problem.violations(answer.batches)
    assert (len(answer.batches), answer.lower_bound) == (stations, stations)


@pytest.mark.parametrize(("name", "optimum"), [each for each in colouring_instances() if each[1] < 6])
def test_published_graphs_are_proven(name: str, optimum: int) -> None:
    problem = BatchProblem.of_pairs(*read_graph(name))
    answer = exact.fewest_batches(problem, [[task] for task in range(len(problem))], 1, time_limit=60)
    assert not problem.violations(answer.batches)
    assert (len(answer.batches), answer.lower_bound) == (optimum, optimum)
