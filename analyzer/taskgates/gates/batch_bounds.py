"""Lower bounds for the number of batches: below them no division can exist.

A set of tasks of which no two may share a batch needs a batch each (cliques, chains of dependencies included); the
number of tasks and their total weight divide by what a batch holds; tasks of more than half the budget need a batch
each and leave room for little else (Martello and Toth, Knapsack Problems, 1990, bound L2); and all of that holds for
the tasks that must come after so many batches and before so many others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from taskgates.gates.relations import bits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.gates.batch_problem import BatchProblem

_CLIQUE_SEEDS = 40
_COUNTED_CANDIDATES = 300
_CLIQUE_WORK = 300_000
_CLIQUE_STEPS = 20_000
_CLIQUE_VERTICES = 400
_WINDOW_LEVELS = 80
_THRESHOLDS = 100


class LowerBound(msgspec.Struct, frozen=True):
    """No fewer batches than this will do.

    Attributes:
        batches: the bound.
        reason: what proves it, in one phrase.
        witness: tasks that prove it, where a set of tasks does.
    """

    batches: int
    reason: str
    witness: tuple[int, ...] = ()


def lower_bound(problem: BatchProblem) -> LowerBound:
    """The best of the bounds."""
    if not len(problem):
        return LowerBound(0, "there is nothing to do")
    bounds = [
        _critical_path(problem),
        _window_bound(problem),
        _packing_bound(problem),
    ]
    bounds.append(_clique_bound(problem))
    return max(bounds, key=lambda bound: bound.batches)


def _critical_path(problem: BatchProblem) -> LowerBound:
    length, last = max((problem.heads[task] + 1 + problem.tails[task], -task) for task in range(len(problem)))
    reason = f"a chain of dependencies needs {length} batches" if length > 1 else "there are tasks to do"
    return LowerBound(length, reason, (-last,))


def _amount_bound(problem: BatchProblem, count: int, load: int) -> tuple[int, str]:
    """What a number of tasks with a total weight needs."""
    needed, reason = (1 if count else 0), f"{count} tasks need a batch"
    if problem.max_tasks is not None and -(-count // problem.max_tasks) > needed:
        needed = -(-count // problem.max_tasks)
        reason = f"{count} tasks, at most {problem.max_tasks} in a batch"
    if problem.budget and -(-load // problem.budget) > needed:
        needed = -(-load // problem.budget)
        reason = f"total difficulty {load / 1000:g}, at most {problem.budget / 1000:g} in a batch"
    return needed, reason


def _window_bound(problem: BatchProblem) -> LowerBound:
    """Tasks that come after at least `a` batches and before at least `b` need `a + b` batches beside their own."""
    heads, tails = problem.heads, problem.tails
    best = LowerBound(*_amount_bound(problem, len(problem), sum(problem.weights)))
    tail_levels = sorted(set(tails))
    if len(tail_levels) > _WINDOW_LEVELS:
        tail_levels = [0]
    for tail in tail_levels:
        best = max(best, _sweep(problem, heads, tails, tail), key=lambda bound: bound.batches)
    return max(best, _sweep(problem, tails, heads, 0), key=lambda bound: bound.batches)


def _sweep(problem: BatchProblem, moving: Sequence[int], fixed: Sequence[int], least: int) -> LowerBound:
    """The best window over all levels of one side, given the least level of the other; one pass over the tasks."""
    best = LowerBound(0, "")
    count = load = 0
    order = sorted(range(len(problem)), key=moving.__getitem__, reverse=True)
    for index, task in enumerate(order):
        if fixed[task] >= least:
            count += 1
            load += problem.weights[task]
        level = moving[task]
        if not count or (index + 1 < len(order) and moving[order[index + 1]] == level):
            continue
        needed, reason = _amount_bound(problem, count, load)
        if level + needed + least > best.batches:
            around = f", beside {level + least} batches that must come before or after" if level + least else ""
            best = LowerBound(level + needed + least, reason + around)
    return best


def _packing_bound(problem: BatchProblem) -> LowerBound:
    """Martello and Toth's L2 over the weights alone."""
    budget = problem.budget
    if not budget:
        return LowerBound(1, "some batch is needed")
    weights = sorted(problem.weights, reverse=True)
    best = 1
    thresholds = sorted({0, *(weight for weight in weights if weight <= budget // 2)})
    for threshold in thresholds[:: len(thresholds) // _THRESHOLDS + 1]:
        huge = [weight for weight in weights if weight > budget - threshold]
        large = [weight for weight in weights if budget - threshold >= weight > budget // 2]
        small = sum(weight for weight in weights if budget // 2 >= weight >= threshold and weight > 0)
        spare = len(large) * budget - sum(large)
        best = max(best, len(huge) + len(large) + max(0, -(-(small - spare) // budget)))
    return LowerBound(best, f"difficulties do not fit into fewer than {best} batches of {budget / 1000:g}")


def _clique_bound(problem: BatchProblem) -> LowerBound:
    clique = largest_clique(problem.apart)
    return LowerBound(
        max(1, len(clique)), f"{len(clique)} tasks of which no two may share a batch", tuple(sorted(clique))
    )


def largest_clique(adjacent: Sequence[int]) -> list[int]:
    """A large set of pairwise adjacent vertices: greedy from many starts, then branch and bound where that is cheap.

    Args:
        adjacent: for each vertex, the bitset of its neighbours.
    """
    degrees = [mask.bit_count() for mask in adjacent]
    order = sorted(range(len(adjacent)), key=lambda vertex: (-degrees[vertex], vertex))
    best: list[int] = []
    work = 0
    for start in order[:_CLIQUE_SEEDS]:
        if degrees[start] < len(best) or work > _CLIQUE_WORK:
            break
        clique = _grow(adjacent, degrees, start)
        work += len(clique) * degrees[start]
        if len(clique) > len(best):
            best = clique
    # Only vertices with enough neighbours can belong to a larger clique.
    candidates = [vertex for vertex in order if degrees[vertex] >= len(best)]
    if len(candidates) > len(best) and len(candidates) <= _CLIQUE_VERTICES:
        best = _CliqueSearch(adjacent, candidates, best).best
    return best


def _grow(adjacent: Sequence[int], degrees: Sequence[int], start: int) -> list[int]:
    clique = [start]
    candidates = adjacent[start]
    if candidates.bit_count() > _COUNTED_CANDIDATES:
        # Counting everyone's common neighbours would be quadratic; while many are left, degrees say nearly the same.
        for chosen in sorted(bits_of(candidates), key=lambda vertex: (-degrees[vertex], vertex)):
            if candidates >> chosen & 1:
                clique.append(chosen)
                candidates &= adjacent[chosen]
                if candidates.bit_count() <= _COUNTED_CANDIDATES:
                    break
    while candidates:
        members = bits_of(candidates)
        chosen = max(members, key=lambda vertex: ((adjacent[vertex] & candidates).bit_count(), -vertex))
        clique.append(chosen)
        candidates &= adjacent[chosen]
    return clique


class _CliqueSearch:
    """Branch and bound with greedy colourings as upper bounds (Tomita and Seki, 2003), ended after some steps."""

    def __init__(self, adjacent: Sequence[int], candidates: Sequence[int], best: list[int]) -> None:
        self._adjacent = adjacent
        self.best = best
        self._steps = 0
        mask = 0
        for vertex in candidates:
            mask |= 1 << vertex
        self._expand([], mask)

    def _expand(self, clique: list[int], candidates: int) -> None:
        self._steps += 1
        if self._steps > _CLIQUE_STEPS:
            return
        order, colours = self._colour(candidates)
        for vertex, colour in zip(reversed(order), reversed(colours), strict=True):
            if len(clique) + colour <= len(self.best):
                return
            clique.append(vertex)
            following = candidates & self._adjacent[vertex]
            if following:
                self._expand(clique, following)
            elif len(clique) > len(self.best):
                self.best = clique.copy()
            clique.pop()
            candidates &= ~(1 << vertex)

    def _colour(self, candidates: int) -> tuple[list[int], list[int]]:
        order: list[int] = []
        colours: list[int] = []
        colour = 0
        while candidates:
            colour += 1
            free = candidates
            while free:
                low = free & -free
                vertex = low.bit_length() - 1
                free &= ~(low | self._adjacent[vertex])
                candidates ^= low
                order.append(vertex)
                colours.append(colour)
        return order, colours
