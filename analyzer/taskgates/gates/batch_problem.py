"""The batching problem in numbers: who must precede whom, who excludes whom, and how much fits together.

Exclusion is kept as resources instead of pairs: a task *marks* some resources in the batch that it goes to, and may not
go where a resource that it *checks* is marked. A file with a thousand writers is then one resource, not half a million
pairs. Positions stand for tasks throughout.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Final

from taskgates.gates.relations import bits_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WEIGHT_SCALE: Final = 1000
"""Difficulties are counted in thousandths, so that sums are exact."""


def scaled_weight(difficulty: float) -> int:
    """A difficulty in thousandths, rounded up."""
    return math.ceil(round(difficulty * WEIGHT_SCALE, 6))


def scaled_budget(complexity: float) -> int:
    """A budget in thousandths, rounded down."""
    return math.floor(round(complexity * WEIGHT_SCALE, 6))


_WEIGHT_CLASSES = 64


def weight_classes(problem: BatchProblem) -> list[int]:
    """Lower ends of at most 64 classes into which the weights fall, ascending; empty without a budget."""
    if problem.budget is None:
        return []
    distinct = sorted({0, *problem.weights})
    return distinct[:: len(distinct) // _WEIGHT_CLASSES + 1]


class BatchProblem:
    """Tasks to be put into the fewest ordered batches.

    Attributes:
        weights: what each task takes of the budget, in thousandths.
        budget: what a batch may hold; None for no limit.
        max_tasks: how many tasks a batch may hold; None for no limit.
        predecessors: for each task, those that must be in earlier batches (direct ones are enough); acyclic.
        marks: for each task, the resources that it occupies.
        checks: for each task, the resources that must be free; symmetric with `marks`: if one task checks what another
            marks, so does the other.
        resource_count: resources are numbered from 0 to this, exclusive.
        lag: 1 when a predecessor must be in an earlier batch, 0 when it may be in the same one (assembly lines).
    """

    def __init__(
        self,
        weights: Sequence[int],
        predecessors: Sequence[Sequence[int]],
        marks: Sequence[Sequence[int]],
        checks: Sequence[Sequence[int]],
        *,
        budget: int | None = None,
        max_tasks: int | None = None,
        lag: int = 1,
    ) -> None:
        self.weights = list(weights)
        self.predecessors = [tuple(dict.fromkeys(each)) for each in predecessors]
        self.marks = [tuple(dict.fromkeys(each)) for each in marks]
        self.checks = [tuple(dict.fromkeys(each)) for each in checks]
        self.budget = budget
        self.max_tasks = max_tasks
        self.lag = lag
        self.resource_count = 1 + max((number for each in (*self.marks, *self.checks) for number in each), default=-1)

    @classmethod
    def of_pairs(
        cls,
        count: int,
        pairs: Iterable[tuple[int, int]],
        predecessors: Sequence[Sequence[int]] | None = None,
        weights: Sequence[int] | None = None,
        *,
        budget: int | None = None,
        max_tasks: int | None = None,
        lag: int = 1,
    ) -> BatchProblem:
        """The problem whose exclusions are given as pairs of tasks (a graph to be coloured)."""
        marks: list[list[int]] = [[] for _ in range(count)]
        distinct = sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
        for resource, (one, two) in enumerate(distinct):
            marks[one].append(resource)
            marks[two].append(resource)
        return cls(
            weights or [0] * count,
            predecessors or [()] * count,
            marks,
            marks,
            budget=budget,
            max_tasks=max_tasks,
            lag=lag,
        )

    def __len__(self) -> int:
        return len(self.weights)

    @cached_property
    def successors(self) -> list[tuple[int, ...]]:
        """For each task, those that name it as a predecessor."""
        found: list[list[int]] = [[] for _ in self.weights]
        for task, earlier in enumerate(self.predecessors):
            for other in earlier:
                found[other].append(task)
        return [tuple(each) for each in found]

    @cached_property
    def topological(self) -> list[int]:
        """The tasks, predecessors first."""
        waiting = [len(earlier) for earlier in self.predecessors]
        order = [task for task, count in enumerate(waiting) if not count]
        for task in order:
            for later in self.successors[task]:
                waiting[later] -= 1
                if not waiting[later]:
                    order.append(later)
        if len(order) < len(self):
            raise ValueError("the predecessors form a cycle")
        return order

    @cached_property
    def before(self) -> list[int]:
        """For each task, the bitset of all tasks that must precede it, directly or through others."""
        closure = [0] * len(self)
        for task in self.topological:
            bits = 0
            for other in self.predecessors[task]:
                bits |= closure[other] | 1 << other
            closure[task] = bits
        return closure

    @cached_property
    def after(self) -> list[int]:
        """For each task, the bitset of all tasks that must follow it, directly or through others."""
        closure = [0] * len(self)
        for task in reversed(self.topological):
            bits = 0
            for other in self.successors[task]:
                bits |= closure[other] | 1 << other
            closure[task] = bits
        return closure

    @cached_property
    def excluded(self) -> list[int]:
        """For each task, the bitset of those that its resources keep out of its batch."""
        marking = [0] * self.resource_count
        for task, resources in enumerate(self.marks):
            for resource in resources:
                marking[resource] |= 1 << task
        result: list[int] = []
        for task, resources in enumerate(self.checks):
            bits = 0
            for resource in resources:
                bits |= marking[resource]
            result.append(bits & ~(1 << task))
        return result

    @cached_property
    def apart(self) -> list[int]:
        """For each task, the bitset of those that cannot be in its batch, for exclusion or precedence."""
        if self.lag == 0:
            return self.excluded
        return [
            excluded | earlier | later
            for excluded, earlier, later in zip(self.excluded, self.before, self.after, strict=True)
        ]

    @cached_property
    def heads(self) -> list[int]:
        """For each task, how many batches must come before its own."""
        return self._levels(self.topological, self.predecessors, self.before)

    @cached_property
    def tails(self) -> list[int]:
        """For each task, how many batches must come after its own."""
        return self._levels(self.topological[::-1], self.successors, self.after)

    def _levels(self, order: Sequence[int], sources: Sequence[Sequence[int]], closure: Sequence[int]) -> list[int]:
        levels = [0] * len(self)
        for task in order:
            levels[task] = max((levels[other] + self.lag for other in sources[task]), default=0)
            if self.lag == 0 and self.budget:
                # Along a line, all that precedes a task lies in its batch or earlier.
                load = self.weights[task] + sum(self.weights[other] for other in bits_of(closure[task]))
                levels[task] = max(levels[task], -(-load // self.budget) - 1)
        return levels

    def violations(self, batches: Sequence[Sequence[int]]) -> list[str]:
        """What a division into batches breaks, one phrase each; empty when it is a solution."""
        found: list[str] = []
        place: dict[int, int] = {}
        for number, batch in enumerate(batches):
            for task in batch:
                if task in place:
                    found.append(f"task {task} appears twice")
                place[task] = number
            members = sum(1 << task for task in set(batch))
            found.extend(
                f"task {task} excludes another of batch {number}" for task in batch if self.excluded[task] & members
            )
            if self.max_tasks is not None and len(batch) > self.max_tasks:
                found.append(f"batch {number} holds {len(batch)} tasks")
            if self.budget is not None and sum(self.weights[task] for task in batch) > self.budget:
                found.append(f"batch {number} exceeds the budget")
        for task in range(len(self)):
            if task not in place:
                found.append(f"task {task} is missing")
                continue
            found.extend(
                f"task {task} comes before its predecessor {other}"
                for other in self.predecessors[task]
                if place.get(other, -1) + self.lag > place[task]
            )
        return found
