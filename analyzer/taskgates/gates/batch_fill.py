"""One batch after the other, filled so that it ends full in number and in weight at once.

List scheduling of whole batches (Graham, 1969): of the tasks that are free to run, the most urgent goes first. Each of
the others is the one whose weight comes nearest to an equal share of what is left of the budget, so that heavy tasks
meet light ones.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from typing import TYPE_CHECKING

from taskgates.gates.batch_problem import weight_classes

if TYPE_CHECKING:
    from taskgates.gates.batch_problem import BatchProblem

_REFUSALS = 200
"""Clashing tasks tried for one batch before it is closed, beside four for each task that it holds."""


def fill_batches(problem: BatchProblem) -> list[int]:
    """The batch of each task; for problems in which predecessors come in earlier batches."""
    return _Filling(problem).places


class _Filling:
    """The state of filling: which tasks are free, by classes of weight, each class the most urgent first."""

    def __init__(self, problem: BatchProblem) -> None:
        self._problem = problem
        self._budget = problem.budget if problem.budget is not None else max(1, sum(problem.weights))
        self._classes = weight_classes(problem) or [0]
        self._free: list[list[tuple[int, int, int]]] = [[] for _ in self._classes]
        waiting = [len(earlier) for earlier in problem.predecessors]
        self.places = [-1] * len(problem)
        for task, count in enumerate(waiting):
            if not count:
                self._release(task)
        batch = left = 0
        while left < len(problem):
            filled = self._fill()
            for task in filled:
                self.places[task] = batch
                for other in problem.successors[task]:
                    waiting[other] -= 1
                    if not waiting[other]:
                        self._release(other)
            left += len(filled)
            batch += 1

    def _release(self, task: int) -> None:
        weight = self._problem.weights[task]
        entry = (-self._problem.tails[task], -weight, task)
        heapq.heappush(self._free[bisect_right(self._classes, weight) - 1], entry)

    def _fill(self) -> list[int]:
        """Take the tasks of one batch out of those that are free."""
        problem = self._problem
        slots = problem.max_tasks or len(problem)
        room = self._budget
        marked: set[int] = set()
        filled: list[int] = []
        refused: list[int] = []
        while len(filled) < slots and len(refused) <= _REFUSALS + 4 * len(filled):
            share = room / (slots - len(filled)) if filled and problem.budget is not None else None
            task = self._take(room, share)
            if task is None:
                break
            if problem.weights[task] > room or not marked.isdisjoint(problem.checks[task]):
                refused.append(task)
                continue
            filled.append(task)
            marked.update(problem.marks[task])
            room -= problem.weights[task]
        for task in refused:
            self._release(task)
        return filled

    def _take(self, room: int, share: float | None) -> int | None:
        """The free task nearest in weight to `share`, then the most urgent; without one, the most urgent of all."""
        best: tuple[float, float, int] | None = None
        for number, queue in enumerate(self._free):
            if not queue or self._classes[number] > room:
                continue
            tail, weight, _ = queue[0]
            score = (tail, weight, number) if share is None else (abs(-weight - share), tail, number)
            if best is None or score < best:
                best = score
        return heapq.heappop(self._free[best[2]])[2] if best is not None else None
