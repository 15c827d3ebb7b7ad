"""Ordered batches of tasks that may run in parallel: as few as can be found, with a bound and a word on optimality.

Within a batch no two tasks conflict, share unguarded state, or are part of one another; a batch fits the number of
parallel tasks and the context budget; what a task depends on lies in earlier batches. The fewest such batches are a
graph colouring, a bin packing and a precedence-constrained schedule at once, each NP-hard alone; see `batch_search` for
how few are found, `batch_bounds` for the bound, and `exact` for the solver of the `optimal` extra.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from taskgates.gates.batch_bounds import lower_bound
from taskgates.gates.batch_problem import WEIGHT_SCALE, BatchProblem, scaled_budget, scaled_weight
from taskgates.gates.batch_proof import MAX_TASKS, GaveUpError, divide_into
from taskgates.gates.batch_search import DEFAULT_EFFORT, search
from taskgates.gates.budget import BudgetLimits, Measured, load_of
from taskgates.gates.conflicts import ConflictIndex
from taskgates.gates.cycles import Cycle, EdgeKind, cycles_through, cycles_with_flows
from taskgates.gates.relations import GroupError, Relations, bits_of, known_group
from taskgates.gates.shared_state import shared_state_resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from taskgates.gates.footprint import Footprint


class BatchingError(GroupError):
    """The tasks cannot be batched; the message says which and why."""


class Solver(StrEnum):
    """Which algorithm divides the tasks.

    `auto` takes the solver of the `optimal` extra where it is installed, the group is not too large for it, and the
    default algorithm could not prove its answer; `heuristic` never asks it; `optimal` demands it.
    """

    AUTO = "auto"
    HEURISTIC = "heuristic"
    OPTIMAL = "optimal"


class BatchLimits(msgspec.Struct, frozen=True):
    """What one batch may hold.

    Attributes:
        max_tasks: tasks at the same time; None for no limit.
        max_complexity: sum of difficulties; None for no limit.
        effort: placements that the improvement may try.
        time_limit: seconds for the solver of the `optimal` extra.
        separate_processes: whether each task runs in a process of its own, so that memory is not shared.
    """

    max_tasks: int | None = 5
    max_complexity: float | None = 30
    effort: int = DEFAULT_EFFORT
    time_limit: float = 10.0
    separate_processes: bool = False


class BatchPlan(msgspec.Struct, frozen=True):
    """Batches in the order in which they are to run.

    Attributes:
        batches: task ids, in natural order within a batch.
        lower_bound: no division has fewer batches.
        bound_reason: what proves the bound.
        proven_optimal: whether no division has fewer than this one.
        solver: `heuristic` or `cp-sat`, whichever gave the batches.
    """

    batches: tuple[tuple[str, ...], ...]
    lower_bound: int
    bound_reason: str
    proven_optimal: bool
    solver: str = "heuristic"


def suggest_batches(
    ids: Iterable[str],
    relations: Relations,
    footprints: Sequence[Footprint],
    limits: BatchLimits | None = None,
    *,
    measured: Mapping[str, Measured] | None = None,
    solver: Solver = Solver.AUTO,
) -> BatchPlan:
    """Divide tasks into the fewest ordered batches.

    A dependency on a task that exists but is not among `ids` counts as done, yet keeps the order of those that it
    stands between.

    Args:
        ids: the tasks to batch; repeated ones count once.
        relations: all tasks.
        footprints: what they touch; a task without one conflicts with nothing.
        limits: what a batch may hold; the defaults when None.
        measured: sizes that stand in for missing difficulties.
        solver: which algorithm.

    Raises:
        GroupError: an id is unknown.
        BatchingError: a dependency is unknown, dependencies are circular, a single task exceeds the budget, or the
            solver that was demanded is not installed or the group too large for it.
    """
    limits = limits or BatchLimits()
    wanted = known_group(ids, relations)
    check_batchable(wanted, relations)
    problem = build_problem(wanted, relations, footprints, limits, measured=measured)
    refuse_heavy_tasks(problem, wanted)
    bound = lower_bound(problem)
    reason, proven_bound = bound.reason, bound.batches
    batches = search(problem, bound.batches, effort=limits.effort)
    while proven_bound < len(batches) and len(problem) <= MAX_TASKS:
        try:
            fewer = divide_into(problem, len(batches) - 1)
        except GaveUpError:
            break
        if fewer is None:
            proven_bound, reason = len(batches), "every division into fewer was excluded"
        else:
            batches = fewer
    used = "heuristic"
    if solver is not Solver.HEURISTIC and (len(batches) > proven_bound or solver is Solver.OPTIMAL):
        from taskgates.gates import exact

        obstacle = exact.obstacle(len(problem) * len(batches))
        if obstacle is None:
            answer = exact.fewest_batches(problem, batches, proven_bound, time_limit=limits.time_limit)
            batches, used = answer.batches, "cp-sat"
            if answer.lower_bound > proven_bound:
                proven_bound, reason = answer.lower_bound, "the solver excluded fewer"
        elif solver is Solver.OPTIMAL:
            raise BatchingError(obstacle)
    return BatchPlan(
        batches=tuple(tuple(wanted[task] for task in sorted(batch)) for batch in batches),
        lower_bound=proven_bound,
        bound_reason=reason,
        proven_optimal=len(batches) == proven_bound,
        solver=used,
    )


def check_batchable(ids: Sequence[str], relations: Relations) -> None:
    """Refuse unknown dependencies and circular dependencies, those through parents and their parts too.

    Raises:
        BatchingError: naming all of the first kind that was found, each with its place.
    """
    missing = [
        f"{each.task_id} depends on {each.reference.id} ({each.reference.span})"
        for each in relations.unknown_references
        if each.role == "dependency" and each.task_id in set(ids)
    ]
    if missing:
        raise BatchingError(f"unknown dependencies: {'; '.join(missing)}")
    circular: set[int] = set()
    for task_id in ids:
        index = relations.position[task_id]
        if relations.reach[index] >> index & 1:
            # Those that wait for each other may include tasks outside of the group; the chain needs them.
            circular.update(other for other in bits_of(relations.reach[index]) if relations.reach[other] >> index & 1)
        elif any(reference.id == task_id for reference in relations.task(task_id).depends_on):
            circular.add(index)
    found: Iterable[Cycle] = ()
    if circular:
        report = cycles_with_flows(Relations(relations.tasks[index] for index in sorted(circular)), ())
        found = [cycle for cycle in report.cycles if cycle.kind is EdgeKind.DECLARED]
    elif any(parent >= 0 for parent in relations.parents):
        found = cycles_through(ids, relations)
    if found:
        raise BatchingError(f"circular dependencies: {'; '.join(map(str, found))}")


def refuse_heavy_tasks(problem: BatchProblem, ids: Sequence[str]) -> None:
    """Refuse tasks that no batch can hold.

    Raises:
        BatchingError: naming the tasks whose difficulty alone exceeds the budget.
    """
    if problem.budget is None:
        return
    heavy = [
        f"{ids[task]} ({weight / WEIGHT_SCALE:g})"
        for task, weight in enumerate(problem.weights)
        if weight > problem.budget
    ]
    if heavy:
        raise BatchingError(
            f"difficulty above the whole budget of {problem.budget / WEIGHT_SCALE:g}: {', '.join(heavy)}; "
            f"break {'it' if len(heavy) == 1 else 'them'} down or raise the budget"
        )


def build_problem(
    ids: Sequence[str],
    relations: Relations,
    footprints: Sequence[Footprint],
    limits: BatchLimits,
    *,
    measured: Mapping[str, Measured] | None = None,
) -> BatchProblem:
    """The batching problem of some tasks; position `i` of it is `ids[i]`."""
    position = {task_id: index for index, task_id in enumerate(ids)}
    kept = [footprint for footprint in footprints if footprint.task_id in position]
    marks: list[list[int]] = [[] for _ in ids]
    checks: list[list[int]] = [[] for _ in ids]
    index = ConflictIndex(kept)
    used = 0
    for task_id, marked, checked in zip(index.ids, *index.resources(), strict=True):
        marks[position[task_id]] = marked
        checks[position[task_id]] = checked
        used = max(used, *marked, *checked, 0)
    if not limits.separate_processes:
        for table, found in zip((marks, checks), shared_state_resources(kept, used + 1), strict=True):
            for task_id, resources in found.items():
                table[position[task_id]].extend(resources)
                used = max(used, *resources)
    for resource, (one, two) in enumerate(_kin(ids, position, relations), start=used + 1):
        for task in (one, two):
            marks[task].append(resource)
            checks[task].append(resource)
    sizes = measured or {}
    nothing, budget_limits = Measured(), BudgetLimits()
    weights = [
        scaled_weight(
            load_of(task_id, relations.task(task_id).difficulty, sizes.get(task_id, nothing), budget_limits).complexity
        )
        for task_id in ids
    ]
    return BatchProblem(
        weights,
        order_within(ids, position, relations),
        marks,
        checks,
        budget=None if limits.max_complexity is None else scaled_budget(limits.max_complexity),
        max_tasks=limits.max_tasks,
    )


def _kin(ids: Sequence[str], position: Mapping[str, int], relations: Relations) -> list[tuple[int, int]]:
    """Tasks of which one is a part of the other, directly or through others."""
    return [
        (position[ancestor], position[task_id])
        for task_id in ids
        for ancestor in relations.ancestors(task_id)
        if ancestor in position
    ]


def order_within(ids: Sequence[str], position: Mapping[str, int], relations: Relations) -> list[tuple[int, ...]]:
    """For each task, those of the group that it must follow, with tasks outside of the group looked through."""
    whole = len(ids) == len(relations)
    result: list[tuple[int, ...]] = []
    for task_id in ids:
        found: list[int] = []
        seen: set[int] = set()
        stack = list(relations.dependencies[relations.position[task_id]])
        while stack:
            other = stack.pop()
            inside = position.get(relations.ids[other])
            if inside is not None:
                found.append(inside)
            elif not whole and other not in seen:
                seen.add(other)
                stack.extend(relations.dependencies[other])
        result.append(tuple(sorted(set(found))))
    return result
