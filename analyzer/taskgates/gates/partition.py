"""Advice for a conflicting group: the fewest tasks to move out, and the files at which most conflicts are.

The fewest tasks whose removal leaves no conflict are a minimum vertex cover of the conflict graph.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import msgspec

from taskgates.gates.conflicts import Conflict, Weight
from taskgates.gates.relations import bits_of
from taskgates.model.natural_order import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_EXACT_WORK = 300_000
"""Vertices looked at in the branches of one component before the best cover so far is taken."""


class HotFile(msgspec.Struct, frozen=True):
    """A path at which tasks conflict.

    Attributes:
        path: file or pattern.
        conflicts: number of conflicting pairs there.
        tasks: the tasks that meet there, in natural order.
    """

    path: str
    conflicts: int
    tasks: tuple[str, ...]


class PartitionAdvice(msgspec.Struct, frozen=True):
    """How to make a conflicting group safe.

    Attributes:
        move_out: the tasks to take out; those that stay have no conflict of the weights asked for among them.
        proven_smallest: whether no smaller set would do.
        lower_bound: no set smaller than this would do.
        hot_files: where the conflicts are, most first.
    """

    move_out: tuple[str, ...]
    proven_smallest: bool
    lower_bound: int
    hot_files: tuple[HotFile, ...]


def partition_advice(
    conflicts: Iterable[Conflict],
    weights: Iterable[Weight] = (Weight.BLOCKING, Weight.WARNING),
) -> PartitionAdvice:
    """The smallest set of tasks to move out of a group, and the files that cause most of its conflicts.

    Args:
        conflicts: the conflicts within the group.
        weights: which of them must be gone.
    """
    counted = set(weights)
    kept = [conflict for conflict in conflicts if conflict.weight in counted]
    ids = sorted({task_id for conflict in kept for task_id in (conflict.first, conflict.second)}, key=natural_key)
    position = {task_id: index for index, task_id in enumerate(ids)}
    adjacent = [0] * len(ids)
    for conflict in kept:
        one, two = position[conflict.first], position[conflict.second]
        adjacent[one] |= 1 << two
        adjacent[two] |= 1 << one
    cover, bound = minimum_vertex_cover(adjacent)
    return PartitionAdvice(
        move_out=tuple(ids[index] for index in cover),
        proven_smallest=len(cover) == bound,
        lower_bound=bound,
        hot_files=hot_files(kept),
    )


def hot_files(conflicts: Iterable[Conflict]) -> tuple[HotFile, ...]:
    """The paths of the conflicts, those with most conflicting pairs first."""
    pairs: dict[str, int] = {}
    tasks: dict[str, set[str]] = {}
    for conflict in conflicts:
        pairs[conflict.path] = pairs.get(conflict.path, 0) + 1
        tasks.setdefault(conflict.path, set()).update((conflict.first, conflict.second))
    order = sorted(pairs, key=lambda path: (-pairs[path], path))
    return tuple(HotFile(path, pairs[path], tuple(sorted(tasks[path], key=natural_key))) for path in order)


def minimum_vertex_cover(adjacent: Sequence[int]) -> tuple[list[int], int]:
    """Fewest vertices that touch every edge.

    Exact by branch and bound on each connected component, where a vertex of most neighbours is either in the cover or
    all of its neighbours are; vertices with one neighbour are settled first. A component that needs more branches than
    the bound keeps the best cover found.

    Args:
        adjacent: for each vertex, the bitset of its neighbours; symmetric, without loops.

    Returns:
        The cover, ascending, and a lower bound for the size of any cover; the cover is optimal when they agree.
    """
    cover: list[int] = []
    bound = 0
    left = 0
    for vertex, mask in enumerate(adjacent):
        if mask:
            left |= 1 << vertex
    while left:
        component = _component(adjacent, left)
        left &= ~component
        # Numbered anew, a component's bitsets are as short as it is small.
        vertices = bits_of(component)
        number = {vertex: index for index, vertex in enumerate(vertices)}
        local = [sum(1 << number[other] for other in bits_of(adjacent[vertex])) for vertex in vertices]
        search = _CoverSearch(local)
        cover.extend(vertices[index] for index in bits_of(search.best))
        bound += search.best.bit_count() if search.finished else search.bound
    return sorted(cover), bound


def _component(adjacent: Sequence[int], left: int) -> int:
    """The connected component of the lowest vertex of `left`."""
    component = left & -left
    frontier = component
    while frontier:
        reached = 0
        for vertex in bits_of(frontier):
            reached |= adjacent[vertex]
        frontier = reached & ~component
        component |= frontier
    return component


class _CoverSearch:
    """Branch and bound over one component.

    Attributes:
        best: the smallest cover found, as a bitset.
        bound: size of a greedy matching, below which no cover can be.
        finished: whether the search ended, so that `best` is optimal.
    """

    def __init__(self, adjacent: Sequence[int]) -> None:
        self._adjacent = adjacent
        self._work = 0
        component = (1 << len(adjacent)) - 1
        self.bound = self._matching(component)
        self.best = self._greedy(component)
        self.finished = self.best.bit_count() == self.bound or self._search(component)

    def _greedy(self, alive: int) -> int:
        """Take a vertex of most uncovered edges until none is left; then drop what is not needed."""
        cover = 0
        degrees = {vertex: (self._adjacent[vertex] & alive).bit_count() for vertex in bits_of(alive)}
        queue = [(-degree, vertex) for vertex, degree in degrees.items()]
        heapq.heapify(queue)
        while queue:
            degree, vertex = heapq.heappop(queue)
            if -degree != degrees[vertex] or not degree:
                continue  # an entry from before a neighbour was taken
            cover |= 1 << vertex
            degrees[vertex] = 0
            for other in bits_of(self._adjacent[vertex] & alive & ~cover):
                degrees[other] -= 1
                heapq.heappush(queue, (-degrees[other], other))
        for vertex in bits_of(cover):
            if self._adjacent[vertex] & ~cover == 0:
                cover &= ~(1 << vertex)
        return cover

    def _matching(self, alive: int) -> int:
        """Number of edges of a maximal matching: each of them needs a vertex of its own."""
        size = 0
        while alive:
            low = alive & -alive
            alive ^= low
            mates = self._adjacent[low.bit_length() - 1] & alive
            if mates:
                alive ^= mates & -mates
                size += 1
        return size

    def _search(self, component: int) -> bool:
        """Whether all branches were tried; `best` is improved on the way. Depth first with a stack of its own."""
        stack: list[tuple[int, int]] = [(component, 0)]
        while stack:
            alive, cover = stack.pop()
            # An operation on a bitset grows with its length.
            self._work += alive.bit_count() * (1 + len(self._adjacent) // 200)
            if self._work > _EXACT_WORK:
                return False
            alive, cover = self._settle(alive, cover)
            if cover.bit_count() + self._matching(alive) >= self.best.bit_count():
                continue
            vertices = bits_of(alive)
            pivot = max(vertices, key=lambda each: (self._adjacent[each] & alive).bit_count(), default=-1)
            if pivot < 0 or not self._adjacent[pivot] & alive:
                self.best = cover
                continue
            neighbours = self._adjacent[pivot] & alive
            without = alive & ~(1 << pivot)
            stack.append((without & ~neighbours, cover | neighbours))
            stack.append((without, cover | 1 << pivot))
        return True

    def _settle(self, alive: int, cover: int) -> tuple[int, int]:
        """Drop vertices without edges; where a vertex has one neighbour, that neighbour may as well be in the cover."""
        changed = True
        while changed:
            changed = False
            for vertex in bits_of(alive):
                if not alive >> vertex & 1:
                    continue
                neighbours = self._adjacent[vertex] & alive
                if neighbours == 0:
                    alive &= ~(1 << vertex)
                elif neighbours & (neighbours - 1) == 0:
                    cover |= neighbours
                    alive &= ~(neighbours | 1 << vertex)
                    changed = True
        return alive, cover
