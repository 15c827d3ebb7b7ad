"""The schedule that ends first: the makespan view of a group of tasks whose durations are known.

Batches wait for their slowest task; a schedule starts each task as soon as it may. The rules are those of batches at
every moment: what runs at the same time does not conflict, and fits the number of tasks and the context budget. That is
project scheduling under resource constraints; schedules are generated event by event with several rules of urgency and
improved by perturbing them (Kolisch and Hartmann, Heuristic algorithms for the resource-constrained project scheduling
problem, 1999).
"""

from __future__ import annotations

import heapq
import math
import random
from typing import TYPE_CHECKING

import msgspec

from taskgates.gates.batching import (
    BatchingError,
    BatchLimits,
    Solver,
    build_problem,
    check_batchable,
    refuse_heavy_tasks,
)
from taskgates.gates.relations import bits_of, known_group
from taskgates.model.natural_order import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from taskgates.gates.batch_problem import BatchProblem
    from taskgates.gates.budget import Measured
    from taskgates.gates.footprint import Footprint
    from taskgates.gates.relations import Relations

_CLIQUE_SEEDS = 40
_VARIABLES_OF_A_TASK = 100
"""What an interval costs the solver, beside a yes-or-no variable."""


class ScheduledTask(msgspec.Struct, frozen=True):
    """When a task runs, in seconds from the start.

    Attributes:
        task_id: the task.
        start: when it starts.
        end: when it ends.
        lane: which of the parallel slots it takes, from 0, for drawing.
    """

    task_id: str
    start: float
    end: float
    lane: int


class Schedule(msgspec.Struct, frozen=True):
    """A schedule and how good it is.

    Attributes:
        tasks: by start, then in natural order of ids.
        makespan: when the last task ends.
        lower_bound: no schedule ends earlier.
        bound_reason: what proves the bound.
        proven_optimal: whether no schedule ends earlier than this one.
        sequential: how long the tasks take one after the other.
        solver: `heuristic` or `cp-sat`.
    """

    tasks: tuple[ScheduledTask, ...]
    makespan: float
    lower_bound: float
    bound_reason: str
    proven_optimal: bool
    sequential: float
    solver: str = "heuristic"


def schedule(
    ids: Iterable[str],
    relations: Relations,
    footprints: Sequence[Footprint],
    durations: Mapping[str, float],
    limits: BatchLimits | None = None,
    *,
    measured: Mapping[str, Measured] | None = None,
    solver: Solver = Solver.AUTO,
) -> Schedule:
    """The schedule that ends first, as far as can be found.

    Args:
        ids: the tasks.
        relations: all tasks.
        footprints: what they touch.
        durations: seconds each task takes; a task without one is taken for as long as the mean of the others.
        limits: what may run at the same time; the defaults when None.
        measured: sizes that stand in for missing difficulties.
        solver: which algorithm, as for batches.

    Raises:
        BatchingError: as `suggest_batches` does; also for a negative or infinite duration.
    """
    limits = limits or BatchLimits()
    wanted = known_group(ids, relations)
    check_batchable(wanted, relations)
    problem = build_problem(wanted, relations, footprints, limits, measured=measured)
    refuse_heavy_tasks(problem, wanted)
    for task_id in wanted:
        if task_id in durations and not 0 <= durations[task_id] < math.inf:
            raise BatchingError(f"task {task_id} has a duration of {durations[task_id]} s; it must be 0 or more")
    known = [durations[task_id] for task_id in wanted if task_id in durations]
    mean = math.fsum(known) / len(known) if known else 1.0
    seconds = [durations.get(task_id, mean) for task_id in wanted]
    bound, reason = makespan_bound(problem, seconds)
    starts = shortest_schedule(problem, seconds, bound, effort=limits.effort)
    used = "heuristic"
    if solver is not Solver.HEURISTIC and (solver is Solver.OPTIMAL or not _reached(starts, seconds, bound)):
        from taskgates.gates import exact

        obstacle = exact.obstacle(len(problem) * _VARIABLES_OF_A_TASK)
        if obstacle is None:
            answer = exact.shortest_schedule(problem, seconds, starts, time_limit=limits.time_limit)
            starts, used = answer.starts, "cp-sat"
            if answer.lower_bound > bound:
                bound, reason = answer.lower_bound, "the solver excluded less"
        elif solver is Solver.OPTIMAL:
            raise BatchingError(obstacle)
    lanes = _lanes(starts, seconds)
    tasks = [
        ScheduledTask(task_id, starts[task], starts[task] + seconds[task], lanes[task])
        for task, task_id in enumerate(wanted)
    ]
    tasks.sort(key=lambda each: (each.start, natural_key(each.task_id)))
    return Schedule(
        tasks=tuple(tasks),
        makespan=_end(starts, seconds),
        lower_bound=bound,
        bound_reason=reason,
        proven_optimal=_reached(starts, seconds, bound),
        sequential=math.fsum(seconds),
        solver=used,
    )


def makespan_bound(problem: BatchProblem, seconds: Sequence[float]) -> tuple[float, str]:
    """A time before which no schedule ends, and what proves it."""
    bounds = [(0.0, "there is nothing to do")]
    ends = [0.0] * len(problem)
    for task in problem.topological:
        ends[task] = max((ends[other] for other in problem.predecessors[task]), default=0.0) + seconds[task]
    bounds.append((max(ends, default=0.0), "the longest chain of dependencies"))
    if problem.max_tasks:
        bounds.append((math.fsum(seconds) / problem.max_tasks, f"{problem.max_tasks} tasks at a time"))
    if problem.budget:
        area = math.fsum(weight * length for weight, length in zip(problem.weights, seconds, strict=True))
        bounds.append((area / problem.budget, "the context budget at every moment"))
    order = sorted(range(len(problem)), key=lambda task: -seconds[task])
    for start in order[:_CLIQUE_SEEDS]:
        total, candidates = seconds[start], problem.apart[start]
        while candidates:
            longest = max(bits_of(candidates), key=lambda task: (seconds[task], -task))
            total += seconds[longest]
            candidates &= problem.apart[longest]
        bounds.append((total, "tasks of which no two may run together"))
    return max(bounds, key=lambda each: each[0])


def shortest_schedule(
    problem: BatchProblem, seconds: Sequence[float], bound: float, *, effort: int, seed: int = 1
) -> list[float]:
    """When each task starts; several rules of urgency, then perturbations of the best as far as the effort goes."""
    count = len(problem)
    remaining = [0.0] * count
    for task in reversed(problem.topological):
        later = max((remaining[other] for other in problem.successors[task]), default=0.0)
        remaining[task] = later + seconds[task]
    degrees = [mask.bit_count() for mask in problem.excluded]
    rules: list[list[float]] = [
        remaining,
        [float(degree) for degree in degrees],
        list(seconds),
        [time * (1 + degree) for time, degree in zip(remaining, degrees, strict=True)],
    ]
    best = min((_generate(problem, seconds, rule) for rule in rules), key=lambda starts: _end(starts, seconds))
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    spent = len(rules) * count
    while spent + count <= effort // 4 and not _reached(best, seconds, bound):
        base = rules[chance.randrange(len(rules))]
        spread = chance.choice((0.1, 0.3, 1.0))
        urgency = [value * (1 + spread * chance.uniform(-1, 1)) for value in base]
        found = _generate(problem, seconds, urgency)
        if _end(found, seconds) < _end(best, seconds):
            best = found
        spent += count
    return best


def _generate(problem: BatchProblem, seconds: Sequence[float], urgency: Sequence[float]) -> list[float]:
    """Start, whenever something ends, the most urgent tasks that may run."""
    waiting = [len(earlier) for earlier in problem.predecessors]
    ready = sorted((task for task in range(len(problem)) if not waiting[task]), key=lambda task: (-urgency[task], task))
    starts = [0.0] * len(problem)
    running: list[tuple[float, int]] = []
    active = load = 0
    now = 0.0
    while ready or running:
        held: list[int] = []
        for task in ready:
            fits = problem.max_tasks is None or len(running) < problem.max_tasks
            fits = fits and (problem.budget is None or load + problem.weights[task] <= problem.budget)
            if fits and not problem.excluded[task] & active:
                starts[task] = now
                heapq.heappush(running, (now + seconds[task], task))
                active |= 1 << task
                load += problem.weights[task]
            else:
                held.append(task)
        ready = held
        now = running[0][0]
        freed = False
        while running and running[0][0] <= now:
            _, task = heapq.heappop(running)
            active &= ~(1 << task)
            load -= problem.weights[task]
            for other in problem.successors[task]:
                waiting[other] -= 1
                if not waiting[other]:
                    ready.append(other)
                    freed = True
        if freed:
            ready.sort(key=lambda task: (-urgency[task], task))
    return starts


def _end(starts: Sequence[float], seconds: Sequence[float]) -> float:
    return max((start + length for start, length in zip(starts, seconds, strict=True)), default=0.0)


def _reached(starts: Sequence[float], seconds: Sequence[float], bound: float) -> bool:
    """Whether a schedule ends at the bound, rounding of sums aside."""
    return _end(starts, seconds) <= bound * (1 + 1e-9)


def _lanes(starts: Sequence[float], seconds: Sequence[float]) -> list[int]:
    """The lowest free slot for each task, in order of starts."""
    lanes = [0] * len(starts)
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    opened = 0
    for task in sorted(range(len(starts)), key=lambda each: (starts[each], each)):
        while busy and busy[0][0] <= starts[task] + 1e-9:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            lane = heapq.heappop(free)
        else:
            lane, opened = opened, opened + 1
        lanes[task] = lane
        heapq.heappush(busy, (starts[task] + seconds[task], lane))
    return lanes
