"""Proof for small groups that no division with fewer batches exists, by exhausting all of them.

Depth-first search with forward checking: each task keeps the set of batches that are still open to it, the task with
the fewest comes next (Haralick and Elliott, Increasing tree search efficiency for constraint satisfaction problems,
1980), and interchangeable empty batches are tried once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.gates.relations import bits_of

if TYPE_CHECKING:
    from taskgates.gates.batch_problem import BatchProblem

MAX_TASKS = 60
"""Groups above this size are not attempted."""

_STEPS = 6_000


class GaveUpError(Exception):
    """The number of steps did not suffice to decide."""


def divide_into(problem: BatchProblem, count: int, *, steps: int = _STEPS) -> list[list[int]] | None:
    """A division into at most `count` batches, or None when there is none.

    Args:
        problem: what is to be divided.
        count: batches allowed.
        steps: placements to try.

    Raises:
        GaveUpError: neither was found within the steps.
    """
    if count < 1:
        return None if len(problem) else []
    return _Exhaustion(problem, count, steps).run()


class _Exhaustion:
    """The search; `open` is the set of batches of each task that is not placed yet."""

    def __init__(self, problem: BatchProblem, count: int, steps: int) -> None:
        self._problem = problem
        self._count = count
        self._steps = steps
        self._interchangeable = not any(problem.predecessors)
        self._places: dict[int, int] = {}
        self._loads = [0] * count
        self._sizes = [0] * count

    def run(self) -> list[list[int]] | None:
        problem = self._problem
        full = (1 << self._count) - 1
        start = [
            full >> problem.heads[task] << problem.heads[task] & (full >> problem.tails[task])
            for task in range(len(problem))
        ]
        if not self._extend(start):
            return None
        batches: list[list[int]] = [[] for _ in range(self._count)]
        for task, place in self._places.items():
            batches[place].append(task)
        return [sorted(batch) for batch in batches if batch]

    def _extend(self, choices: list[int]) -> bool:
        """Place the tasks that are left; whether that succeeded."""
        problem = self._problem
        left = [task for task in range(len(problem)) if task not in self._places]
        if not left:
            return True
        if problem.budget is not None:
            room = self._count * problem.budget - sum(self._loads)
            if sum(problem.weights[task] for task in left) > room:
                return False
        task = min(left, key=lambda each: (choices[each].bit_count(), -problem.apart[each].bit_count(), each))
        empty_tried = False
        for place in bits_of(choices[task]):
            if self._interchangeable and not self._sizes[place]:
                if empty_tried:
                    break
                empty_tried = True
            self._steps -= 1
            if self._steps < 0:
                raise GaveUpError
            self._places[task] = place
            self._loads[place] += problem.weights[task]
            self._sizes[place] += 1
            narrowed = self._narrow(choices, left, task, place)
            if narrowed is not None and self._extend(narrowed):
                return True
            del self._places[task]
            self._loads[place] -= problem.weights[task]
            self._sizes[place] -= 1
        return False

    def _narrow(self, choices: list[int], left: list[int], placed: int, place: int) -> list[int] | None:
        """What stays open to the others; None when nothing does for one of them."""
        problem = self._problem
        here = 1 << place
        earlier = (1 << (place + 1 - problem.lag)) - 1
        later = -1 << (place + problem.lag)
        full = self._sizes[place] == problem.max_tasks
        room = None if problem.budget is None else problem.budget - self._loads[place]
        narrowed = list(choices)
        for task in left:
            if task == placed:
                continue
            bits = narrowed[task]
            if problem.excluded[placed] >> task & 1 or full or (room is not None and problem.weights[task] > room):
                bits &= ~here
            if problem.before[placed] >> task & 1:
                bits &= earlier
            elif problem.after[placed] >> task & 1:
                bits &= later
            if not bits:
                return None
            narrowed[task] = bits
        return narrowed
