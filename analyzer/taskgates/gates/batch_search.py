"""Few batches without a solver: first fit, justification, and a search that tries to do with one batch less.

Several moves, each deterministic for a given seed; `batch_fill` is another way to start:

- *First fit* puts tasks, most urgent first, into the earliest batch that takes them: list scheduling (Graham, 1969)
  with several rules of urgency, one of them the saturation order of graph colouring (Brelaz, 1979).
- *Justification* repacks a solution from its end and then from its start (Valls, Ballestin and Quintanilla, 2005).
  Taken batch by batch in the old order it never needs more batches, in whatever order the tasks of one batch come;
  without precedence that is iterated greedy colouring (Culberson, 1992).
- *Elimination* fixes the number of batches at one less than the best, keeps the tasks that found no place aside, and
  pushes them in, throwing out what they clash with, under a tabu list (Bloechliger and Zufferey, 2008, for colouring).
"""

from __future__ import annotations

import heapq
import random
from bisect import bisect_right
from typing import TYPE_CHECKING

from taskgates.gates.batch_fill import fill_batches
from taskgates.gates.batch_problem import weight_classes
from taskgates.gates.relations import bits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taskgates.gates.batch_problem import BatchProblem

DEFAULT_EFFORT = 100_000
"""Placements that the improvement may make; in the order of a second."""

_SATURATION_TASKS = 500
_ELIMINATION_TASKS = 400
_PATIENCE = 80


def search(problem: BatchProblem, bound: int, *, effort: int = DEFAULT_EFFORT, seed: int = 1) -> list[list[int]]:
    """A division into few batches.

    Args:
        problem: what is to be divided; no single task may exceed the budget.
        bound: a lower bound; the search ends when it is reached.
        effort: placements to try; more is slower and may be better. First fit is always made.
        seed: for the random choices; the same seed gives the same batches.

    Raises:
        ValueError: a single task exceeds the budget.
    """
    if not len(problem):
        return []
    if problem.budget is not None and max(problem.weights) > problem.budget:
        raise ValueError("a task is heavier than the whole budget")
    count = len(problem)
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    starts = [first_fit(problem, order) for order in _orders(problem)]
    if problem.lag:
        starts.append(fill_batches(problem))
    starts.sort(key=_size)
    best = starts[0]
    spent = 0
    for start in starts:
        current, stale = start, 0
        while _size(best) > bound and spent < effort and stale < _PATIENCE:
            backward = first_fit(problem, _repacking_order(problem, current, chance, reverse=True), reverse=True)
            forward = first_fit(problem, _repacking_order(problem, backward, chance, reverse=False))
            spent += 2 * count
            stale = 0 if _size(forward) < _size(current) else stale + 1
            current = forward
            if _size(current) < _size(best):
                best = current
    if count <= _ELIMINATION_TASKS:
        while _size(best) > bound:
            fewer = _Elimination(problem, best, chance).run(2 * effort)
            if fewer is None:
                break
            best = fewer
    return _grouped(best)


def first_fit(problem: BatchProblem, order: Sequence[int], *, reverse: bool = False) -> list[int]:
    """The batch of each task, when each in turn goes to the earliest batch that takes it.

    Batches that a task cannot go to are bits of one integer (marked by what it checks, full, too full for its weight),
    so that finding the earliest is one operation whatever their number.

    Args:
        problem: what is to be divided.
        order: the tasks; predecessors first, or with `reverse` successors first.
        reverse: build from the last batch towards the first.
    """
    sources = problem.successors if reverse else problem.predecessors
    budget, max_tasks, weights, lag = problem.budget, problem.max_tasks, problem.weights, problem.lag
    checks, marks = problem.checks, problem.marks
    classes = weight_classes(problem)
    used = [0] * problem.resource_count
    full = 0
    too_full = [0] * (len(classes) + 1)
    open_classes: list[int] = []
    loads: list[int] = []
    counts: list[int] = []
    places = [0] * len(problem)
    for task in order:
        weight = weights[task]
        start = 0
        for other in sources[task]:
            start = max(start, places[other] + lag)
        blocked = full | too_full[bisect_right(classes, weight) - 1] if classes else full
        for resource in checks[task]:
            blocked |= used[resource]
        place = _lowest_free(blocked, start)
        while budget is not None and place < len(loads) and loads[place] + weight > budget:
            blocked |= 1 << place
            place = _lowest_free(blocked, start)
        while len(loads) <= place:
            loads.append(0)
            counts.append(0)
            open_classes.append(len(classes))
        bit = 1 << place
        places[task] = place
        loads[place] += weight
        counts[place] += 1
        if counts[place] == max_tasks:
            full |= bit
        for resource in marks[task]:
            used[resource] |= bit
        if budget is not None:
            fitting = bisect_right(classes, budget - loads[place])
            for number in range(fitting, open_classes[place]):
                too_full[number] |= bit
            open_classes[place] = min(fitting, open_classes[place])
    if reverse:
        last = max(places, default=0)
        return [last - place for place in places]
    return places


def _lowest_free(blocked: int, start: int) -> int:
    free = ~(blocked >> start)
    return start + (free & -free).bit_length() - 1


def _size(places: Sequence[int]) -> int:
    return max(places) + 1


def _grouped(places: Sequence[int]) -> list[list[int]]:
    batches: list[list[int]] = [[] for _ in range(_size(places))]
    for task, place in enumerate(places):
        batches[place].append(task)
    return [batch for batch in batches if batch]


# --- orders ----------------------------------------------------------------------------------------------------------


def _orders(problem: BatchProblem) -> list[list[int]]:
    """Orders to start from, predecessors first in each."""
    small = len(problem) <= _SATURATION_TASKS
    degrees = [mask.bit_count() for mask in problem.excluded] if small else [len(each) for each in problem.checks]
    heads, tails, weights = problem.heads, problem.tails, problem.weights
    rules: list[Callable[[int], tuple[int, ...]]] = [
        lambda task: (-tails[task], -degrees[task], -weights[task]),
        lambda task: (-weights[task], -tails[task], -degrees[task]),
        lambda task: (heads[task], -tails[task], -degrees[task], -weights[task]),
        lambda task: (heads[task] - tails[task], -weights[task], -degrees[task]),
    ]
    orders = [_topological_by(problem, rule) for rule in rules]
    if small:
        orders.append(_saturation_order(problem, degrees))
    return orders


def _topological_by(
    problem: BatchProblem, key: Callable[[int], tuple[float, ...]], *, reverse: bool = False
) -> list[int]:
    """The tasks, predecessors first (successors with `reverse`), the lowest key first among those that are free."""
    sources, followers = problem.predecessors, problem.successors
    if reverse:
        sources, followers = followers, sources
    waiting = [len(each) for each in sources]
    ready = [(key(task), task) for task in range(len(problem)) if not waiting[task]]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        _, task = heapq.heappop(ready)
        order.append(task)
        for other in followers[task]:
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, (key(other), other))
    return order


def _saturation_order(problem: BatchProblem, degrees: Sequence[int]) -> list[int]:
    """Always the free task that most different batches refuse, as a colouring by saturation takes its vertices.

    The batches are those of first fit without regard to budget and size, which only guides the order.
    """
    waiting = [len(earlier) for earlier in problem.predecessors]
    ready = {task for task in range(len(problem)) if not waiting[task]}
    refused = [0] * len(problem)
    start = [0] * len(problem)
    order: list[int] = []
    while ready:
        task = min(
            ready,
            key=lambda each: (-refused[each].bit_count() - start[each], -degrees[each], -problem.tails[each], each),
        )
        ready.discard(task)
        order.append(task)
        place = _lowest_free(refused[task], start[task])
        for other in bits_of(problem.excluded[task]):
            refused[other] |= 1 << place
        for other in problem.successors[task]:
            start[other] = max(start[other], place + problem.lag)
            waiting[other] -= 1
            if not waiting[other]:
                ready.add(other)
    return order


def _repacking_order(
    problem: BatchProblem, places: Sequence[int], chance: random.Random, *, reverse: bool
) -> list[int]:
    """The tasks batch by batch (from the last with `reverse`), within a batch by weight, by urgency or by chance."""
    rank: Sequence[int] = range(_size(places))
    if not any(problem.predecessors):
        rank = chance.sample(rank, len(rank))
    sign = -1 if reverse else 1
    levels = problem.heads if reverse else problem.tails
    rule = chance.randrange(3)
    noise = [chance.random() for _ in places]

    def key(task: int) -> tuple[float, ...]:
        if rule == 0:
            return (sign * rank[places[task]], noise[task])
        if rule == 1:
            return (sign * rank[places[task]], -levels[task], noise[task])
        return (sign * rank[places[task]], -problem.weights[task], noise[task])

    if problem.lag == 0:
        return _topological_by(problem, key, reverse=reverse)
    return sorted(range(len(places)), key=key)


# --- one batch less --------------------------------------------------------------------------------------------------


class _Elimination:
    """Tabu search for a division into one batch less than a known one."""

    def __init__(self, problem: BatchProblem, places: Sequence[int], chance: random.Random) -> None:
        self._problem = problem
        self._chance = chance
        self._count = _size(places) - 1
        sizes = [0] * (self._count + 1)
        for place in places:
            sizes[place] += 1
        dropped = min(range(self._count + 1), key=lambda number: (sizes[number], number))
        # The batches behind the dropped one move up, which keeps every order between tasks that stay.
        self._places = [-1 if place == dropped else place - (place > dropped) for place in places]
        self._masks = [0] * self._count
        self._loads = [0] * self._count
        for task, place in enumerate(self._places):
            if place >= 0:
                self._masks[place] |= 1 << task
                self._loads[place] += problem.weights[task]
        self._aside = [task for task, place in enumerate(self._places) if place < 0]
        self._tabu: dict[tuple[int, int], int] = {}

    def run(self, effort: int) -> list[int] | None:
        """The batch of each task, or None when the effort did not suffice."""
        if self._count < 1:
            return None
        for step in range(max(1, effort // self._count)):
            if not self._aside:
                return self._places
            index = self._chance.randrange(len(self._aside))
            task = self._aside[index]
            choice = self._best_batch(task, step)
            if choice is None:
                continue
            self._aside[index] = self._aside[-1]
            self._aside.pop()
            self._insert(task, *choice, step)
        return self._places if not self._aside else None

    def _best_batch(self, task: int, step: int) -> tuple[int, int] | None:
        """The batch that costs fewest evictions, ties by chance, and who must go for the task itself."""
        problem = self._problem
        first, last = problem.heads[task], self._count - 1 - problem.tails[task]
        if first > last:
            return None
        lag = problem.lag
        # Predecessors may lie up to `batch - lag`; everything placed from there on is in the way.
        late = 0
        for batch in range(first + 1 - lag, self._count):
            late |= self._masks[batch]
        early = 0
        for batch in range(first + lag):
            if batch < self._count:
                early |= self._masks[batch]
        best: list[tuple[int, int]] = []
        best_cost = 1 << 60
        for batch in range(first, last + 1):
            clash = (
                (problem.excluded[task] & self._masks[batch])
                | (problem.before[task] & late)
                | (problem.after[task] & early)
            )
            late &= ~self._masks[batch + 1 - lag] if batch + 1 - lag < self._count else late
            if batch + lag < self._count:
                early |= self._masks[batch + lag]
            if self._tabu.get((task, batch), -1) >= step:
                continue
            cost = clash.bit_count() + self._overflow(task, batch, clash)
            if cost < best_cost:
                best, best_cost = [(batch, clash)], cost
            elif cost == best_cost:
                best.append((batch, clash))
        return self._chance.choice(best) if best else None

    def _overflow(self, task: int, batch: int, clash: int) -> int:
        """How many more tasks, at least, must go for size or weight."""
        problem = self._problem
        stays = self._masks[batch] & ~clash
        beyond = 0
        if problem.max_tasks is not None:
            beyond = max(0, stays.bit_count() + 1 - problem.max_tasks)
        if problem.budget is not None:
            load = problem.weights[task] + sum(problem.weights[other] for other in bits_of(stays))
            if load > problem.budget:
                heaviest = max((problem.weights[other] for other in bits_of(stays)), default=1)
                beyond = max(beyond, -(-(load - problem.budget) // max(1, heaviest)))
        return beyond

    def _insert(self, task: int, batch: int, clash: int, step: int) -> None:
        problem = self._problem
        for other in bits_of(clash):
            self._evict(other, step)
        members = bits_of(self._masks[batch])
        self._chance.shuffle(members)
        while members and (
            (problem.max_tasks is not None and len(members) >= problem.max_tasks)
            or (problem.budget is not None and self._loads[batch] + problem.weights[task] > problem.budget)
        ):
            self._evict(members.pop(), step)
        self._masks[batch] |= 1 << task
        self._loads[batch] += problem.weights[task]
        self._places[task] = batch

    def _evict(self, task: int, step: int) -> None:
        place = self._places[task]
        self._masks[place] &= ~(1 << task)
        self._loads[place] -= self._problem.weights[task]
        self._places[task] = -1
        self._aside.append(task)
        self._tabu[task, place] = step + len(self._aside) * 6 // 10 + self._chance.randrange(10)
