"""Minimum feedback arc sets: the fewest edges whose removal leaves a directed graph without cycles.

The problem is NP-hard (Karp, Reducibility among combinatorial problems, 1972). Chains of vertices with one way in and
one way out are contracted and parallel edges merged first, which changes no optimum. What is left is solved exactly up
to a dozen or so vertices, and above that by the heuristic of Eades, Lin and Smyth (A fast and effective heuristic for
the feedback arc set problem, Information Processing Letters 47, 1993), improved by moving single vertices. networkx has
none of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_EXACT_VERTICES = 13
_MOVING_VERTICES = 200

Arc = tuple[int, int]
_Weighted = dict[int, dict[int, list[Arc]]]
"""For each vertex its successors, and for each of those the arcs to cut in order to part the two."""


def feedback_arcs(component: Iterable[int], arcs: Iterable[Arc]) -> tuple[list[Arc], int]:
    """The arcs to cut in one strongly connected component.

    Args:
        component: its vertices.
        arcs: the arcs among them; repeated ones count once, loops must be cut.

    Returns:
        The arcs, sorted, and a lower bound for their number; the answer is optimal when the two agree.
    """
    cut: list[Arc] = []
    out: _Weighted = {vertex: {} for vertex in component}
    for source, target in sorted(set(arcs)):
        if source == target:
            cut.append((source, target))
        else:
            out[source][target] = [(source, target)]
    cut.extend(_contract(out))
    if out:
        found, bound = _exact(out) if len(out) <= _EXACT_VERTICES else _heuristic(out)
        bound += len(cut)
        cut.extend(found)
    else:
        bound = len(cut)
    return sorted(cut), bound


def _contract(out: _Weighted) -> list[Arc]:
    """Shrink the graph in place without changing the optimum; return the arcs that must go on the way."""
    forced: list[Arc] = []
    into: dict[int, set[int]] = {vertex: set() for vertex in out}
    for source, targets in out.items():
        for target in targets:
            into[target].add(source)
    work = sorted(out, reverse=True)
    while work:
        vertex = work.pop()
        if vertex not in out:
            continue
        sources, targets = into[vertex], out[vertex]
        if not sources or not targets:
            # On no cycle any more: its neighbours may follow.
            for source in sources:
                del out[source][vertex]
            for target in targets:
                into[target].discard(vertex)
            work.extend(sorted({*sources, *targets}, reverse=True))
            del out[vertex], into[vertex]
            continue
        if len(sources) != 1 or len(targets) != 1:
            continue
        (source,), (target,) = sources, targets
        before, after = out[source].pop(vertex), targets[target]
        cheaper = before if len(before) <= len(after) else after
        del out[vertex], into[vertex]
        into[target].discard(vertex)
        if source == target:
            forced.extend(cheaper)
        else:
            out[source][target] = out[source].get(target, []) + cheaper
            into[target].add(source)
        work.extend(sorted({source, target}, reverse=True))
    return forced


def _exact(out: _Weighted) -> tuple[list[Arc], int]:
    """The optimum by dynamic programming over the sets of vertices that come first in an order.

    Lawler, A comment on minimum feedback arc sets, IEEE Transactions on Circuit Theory 11, 1964.
    """
    vertices = sorted(out)
    count = len(vertices)
    weight = [[len(out[one].get(two, ())) for two in vertices] for one in vertices]
    full = (1 << count) - 1
    best = [0] * (full + 1)
    last = [0] * (full + 1)
    for subset in range(1, full + 1):
        cheapest = -1
        members = [vertex for vertex in range(count) if subset >> vertex & 1]
        for vertex in members:
            # The vertex comes last of the subset: its arcs back to the others must go.
            row = weight[vertex]
            cost = best[subset & ~(1 << vertex)] + sum(row[other] for other in members)
            if cheapest < 0 or cost < cheapest:
                cheapest, last[subset] = cost, vertex
        best[subset] = cheapest
    order: list[int] = []
    subset = full
    while subset:
        order.append(vertices[last[subset]])
        subset &= ~(1 << last[subset])
    order.reverse()
    cut = _backward(out, order)
    return cut, len(cut)


def _backward(out: _Weighted, order: list[int]) -> list[Arc]:
    rank = {vertex: index for index, vertex in enumerate(order)}
    return [
        arc for source in order for target, arcs in out[source].items() if rank[target] < rank[source] for arc in arcs
    ]


def _heuristic(out: _Weighted) -> tuple[list[Arc], int]:
    order = _greedy_order(out)
    if len(order) <= _MOVING_VERTICES:
        order = _improve(out, order)
    return _backward(out, order), _disjoint_cycles(out)


def _greedy_order(out: _Weighted) -> list[int]:
    """The order of Eades, Lin and Smyth: sinks last, sources first, else the vertex with most more ways out than in."""
    into: dict[int, dict[int, int]] = {vertex: {} for vertex in out}
    for source, targets in out.items():
        for target, arcs in targets.items():
            into[target][source] = len(arcs)
    leaving = {vertex: sum(map(len, targets.values())) for vertex, targets in out.items()}
    arriving = {vertex: sum(sources.values()) for vertex, sources in into.items()}
    buckets: dict[int, set[int]] = {}
    for vertex in out:
        buckets.setdefault(leaving[vertex] - arriving[vertex], set()).add(vertex)
    alive = set(out)
    sinks = [vertex for vertex in sorted(out) if not leaving[vertex]]
    sources = [vertex for vertex in sorted(out) if not arriving[vertex]]
    head: list[int] = []
    tail: list[int] = []

    def remove(vertex: int) -> None:
        alive.discard(vertex)
        buckets[leaving[vertex] - arriving[vertex]].discard(vertex)
        for others, count, ends in (
            ({target: len(arcs) for target, arcs in out[vertex].items()}, arriving, sources),
            (into[vertex], leaving, sinks),
        ):
            for other, size in others.items():
                if other not in alive:
                    continue
                buckets[leaving[other] - arriving[other]].discard(other)
                count[other] -= size
                buckets.setdefault(leaving[other] - arriving[other], set()).add(other)
                if not count[other]:
                    ends.append(other)

    while alive:
        if sinks:
            if (vertex := sinks.pop()) in alive:
                tail.append(vertex)
                remove(vertex)
        elif sources:
            if (vertex := sources.pop()) in alive:
                head.append(vertex)
                remove(vertex)
        else:
            surplus = max(key for key, group in buckets.items() if group)
            vertex = min(buckets[surplus])
            head.append(vertex)
            remove(vertex)
    return head + tail[::-1]


def _improve(out: _Weighted, order: list[int]) -> list[int]:
    """Move single vertices to their best place until none gains."""
    into: dict[int, dict[int, int]] = {vertex: {} for vertex in out}
    for source, targets in out.items():
        for target, arcs in targets.items():
            into[target][source] = len(arcs)
    gained = True
    while gained:
        gained = False
        for vertex in sorted(out):
            here = order.index(vertex)
            best_gain, best_place = 0, here
            for step in (-1, 1):
                gain, place = 0, here + step
                while 0 <= place < len(order):
                    passed = order[place]
                    ahead, behind = len(out[vertex].get(passed, ())), into[vertex].get(passed, 0)
                    # Passing to the left of a successor saves that arc and breaks the one that comes back.
                    gain += ahead - behind if step < 0 else behind - ahead
                    if gain > best_gain:
                        best_gain, best_place = gain, place
                    place += step
            if best_gain:
                order.pop(here)
                order.insert(best_place, vertex)
                gained = True
    return order


def _disjoint_cycles(out: _Weighted) -> int:
    """Weight of cycles that share no arc, shortest first by a greedy search: each needs a cut of its own."""
    capacity = {source: {target: len(arcs) for target, arcs in targets.items()} for source, targets in out.items()}
    packed = 0
    steps = 0
    for start in sorted(capacity):
        while steps < 200_000:
            came_from: dict[int, int] = {}
            queue = [start]
            closed = False
            for vertex in queue:
                for target in capacity[vertex]:
                    steps += 1
                    if target == start:
                        came_from[start] = vertex
                        closed = True
                        break
                    if target not in came_from:
                        came_from[target] = vertex
                        queue.append(target)
                if closed:
                    break
            if not closed:
                break
            path = [start]
            while not path[1:] or path[-1] != start:
                path.append(came_from[path[-1]])
            arcs = list(zip(path[1:], path[:-1], strict=True))
            size = min(capacity[source][target] for source, target in arcs)
            packed += size
            for source, target in arcs:
                capacity[source][target] -= size
                if not capacity[source][target]:
                    del capacity[source][target]
    return packed
