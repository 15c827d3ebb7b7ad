"""Batches and schedules by constraint programming: the solver of the `optimal` extra.

CP-SAT (Perron and Furnon, OR-Tools) is imported only when it is asked for, and run with one worker and a fixed seed, so
that the answer does not depend on the machine's load unless the time runs out.
"""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import msgspec

from taskgates.gates.relations import bits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.gates.batch_problem import BatchProblem

MISSING: Final = "the optimal solver is not installed; install it with: pip install 'taskgates[optimal]'"


_MAX_VARIABLES: Final = 200_000
_TICKS: Final = 1000
"""Parts of a second that the solver counts in."""


class ExactBatches(msgspec.Struct, frozen=True):
    """The solver's answer.

    Attributes:
        batches: the best division known, as positions of tasks.
        lower_bound: no division has fewer batches.
    """

    batches: list[list[int]]
    lower_bound: int


class ExactSchedule(msgspec.Struct, frozen=True):
    """The solver's answer.

    Attributes:
        starts: when each task starts, in seconds.
        lower_bound: no schedule ends earlier, in seconds.
    """

    starts: list[float]
    lower_bound: float


def is_installed() -> bool:
    """Whether OR-Tools can be imported."""
    return find_spec("ortools") is not None


def obstacle(variables: int) -> str | None:
    """Why a model of so many variables is not solved: the solver is missing, or it would not fit; None if it is.

    Args:
        variables: tasks times batches for a division, about a hundred for each task of a schedule.
    """
    if not is_installed():
        return MISSING
    if variables > _MAX_VARIABLES:
        return (
            f"the optimal solver would need {variables} variables, more than the {_MAX_VARIABLES} that are sensible; "
            f"batch fewer tasks at once or use the default algorithm"
        )
    return None


def fewest_batches(
    problem: BatchProblem, known: Sequence[Sequence[int]], lower_bound: int, *, time_limit: float
) -> ExactBatches:
    """The fewest batches, or as good an answer as the time allows.

    Args:
        problem: what is to be divided.
        known: a solution to start from.
        lower_bound: a bound that is known already.
        time_limit: seconds.
    """
    from ortools.sat.python import cp_model  # type: ignore[import-not-found,unused-ignore]

    count = len(known)
    if count <= lower_bound:
        return ExactBatches([list(batch) for batch in known], lower_bound)
    model: Any = cp_model.CpModel()
    place_of = {task: number for number, batch in enumerate(known) for task in batch}
    inside = [
        {
            batch: model.new_bool_var(f"task {task} in {batch}")
            for batch in range(problem.heads[task], count - problem.tails[task])
        }
        for task in range(len(problem))
    ]
    place = [
        model.new_int_var(problem.heads[task], count - 1 - problem.tails[task], f"place of {task}")
        for task in range(len(problem))
    ]
    last = model.new_int_var(lower_bound - 1, count - 1, "last")
    for task, choices in enumerate(inside):
        model.add_exactly_one(choices.values())
        model.add(place[task] == sum(batch * chosen for batch, chosen in choices.items()))
        model.add(place[task] + problem.tails[task] <= last)
        for other in problem.predecessors[task]:
            model.add(place[other] + problem.lag <= place[task])
        for batch, chosen in choices.items():
            model.add_hint(chosen, place_of[task] == batch)
    for clique in _clique_cover(problem):
        for batch in range(count):
            members = [inside[task][batch] for task in clique if batch in inside[task]]
            if len(members) > 1:
                model.add_at_most_one(members)
    for batch in range(count):
        chosen = [(task, choices[batch]) for task, choices in enumerate(inside) if batch in choices]
        if problem.max_tasks is not None and len(chosen) > problem.max_tasks:
            model.add(sum(variable for _, variable in chosen) <= problem.max_tasks)
        if problem.budget is not None and sum(problem.weights[task] for task, _ in chosen) > problem.budget:
            model.add(sum(problem.weights[task] * variable for task, variable in chosen) <= problem.budget)
    if not any(problem.predecessors):
        # Without an order the batches are interchangeable: pairwise exclusive tasks may as well be numbered.
        from taskgates.gates.batch_bounds import largest_clique

        for number, task in enumerate(sorted(largest_clique(problem.excluded))[:count]):
            model.add(place[task] == number)
            model.clear_hints()
    model.minimize(last)
    solver: Any = _solver(cp_model, time_limit)
    status = solver.solve(model)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        batches: list[list[int]] = [[] for _ in range(count)]
        for task in range(len(problem)):
            batches[solver.value(place[task])].append(task)
        batches = [batch for batch in batches if batch]
        proven = len(batches) if status == cp_model.OPTIMAL else int(solver.best_objective_bound) + 1
        return ExactBatches(batches, max(lower_bound, proven))
    return ExactBatches([list(batch) for batch in known], max(lower_bound, int(solver.best_objective_bound) + 1))


def shortest_schedule(
    problem: BatchProblem, seconds: Sequence[float], known: Sequence[float], *, time_limit: float
) -> ExactSchedule:
    """The schedule that ends first, or as good an answer as the time allows.

    Durations are counted in thousandths of a second, rounded up; the bound allows for the rounding.

    Args:
        problem: what is to be scheduled.
        seconds: duration of each task.
        known: starts of a schedule to begin with.
        time_limit: seconds.
    """
    from ortools.sat.python import cp_model  # type: ignore[import-not-found,unused-ignore]

    ticks = [math.ceil(round(length * _TICKS, 6)) for length in seconds]
    horizon = sum(ticks)
    model: Any = cp_model.CpModel()
    starts = [model.new_int_var(0, horizon, f"start of {task}") for task in range(len(problem))]
    spans = [
        model.new_fixed_size_interval_var(starts[task], ticks[task], f"run of {task}") for task in range(len(problem))
    ]
    end = model.new_int_var(0, horizon, "end")
    for task in range(len(problem)):
        model.add(starts[task] + ticks[task] <= end)
        model.add_hint(starts[task], math.ceil(known[task] * _TICKS))
        for other in problem.predecessors[task]:
            model.add(starts[other] + ticks[other] <= starts[task])
    for clique in _clique_cover(problem):
        model.add_no_overlap([spans[task] for task in clique])
    if problem.max_tasks is not None:
        model.add_cumulative(spans, [1] * len(problem), problem.max_tasks)
    if problem.budget is not None:
        model.add_cumulative(spans, problem.weights, problem.budget)
    model.minimize(end)
    solver: Any = _solver(cp_model, time_limit)
    status = solver.solve(model)
    # Rounding up adds at most one tick for each task of the chain that decides.
    bound = max(0.0, (solver.best_objective_bound - len(problem)) / _TICKS)
    if all(length * _TICKS == tick for length, tick in zip(seconds, ticks, strict=True)):
        bound = solver.best_objective_bound / _TICKS
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        found = [solver.value(start) / _TICKS for start in starts]
        ends = [max(start + length for start, length in zip(each, seconds, strict=True)) for each in (found, known)]
        if ends[0] < ends[1]:
            return ExactSchedule(found, bound)
    return ExactSchedule(list(known), bound)


def _solver(cp_model: Any, time_limit: float) -> Any:  # noqa: ANN401 (the extra need not be installed)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = time_limit
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    return solver


def _clique_cover(problem: BatchProblem) -> list[list[int]]:
    """Cliques of the exclusion graph that together hold all of its edges, large ones first where greed finds them."""
    left = list(problem.excluded)
    cliques: list[list[int]] = []
    for task in range(len(problem)):
        while left[task]:
            clique = [task]
            candidates = left[task]
            common = problem.excluded[task]
            while candidates:
                chosen = (candidates & -candidates).bit_length() - 1
                clique.append(chosen)
                common &= problem.excluded[chosen]
                candidates = candidates & common & ~(1 << chosen)
            # Widen by tasks whose edges to it are covered already; the constraint grows stronger for nothing.
            for other in bits_of(common):
                if all(problem.excluded[other] >> member & 1 for member in clique):
                    clique.append(other)
            mask = sum(1 << member for member in clique)
            for member in clique:
                left[member] &= ~mask
            cliques.append(clique)
    return cliques
