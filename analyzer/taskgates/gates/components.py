"""Strongly connected components of graphs given as adjacency lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def strongly_connected_components(successors: Sequence[Sequence[int]]) -> list[list[int]]:
    """The strongly connected components, each sorted, a component before those that lead to it.

    Tarjan, Depth-first search and linear graph algorithms, SIAM Journal on Computing 1(2), 1972, without recursion.

    Args:
        successors: for each vertex, the vertices that its edges lead to.
    """
    count = len(successors)
    order = [-1] * count
    low = [0] * count
    on_stack = [False] * count
    stack: list[int] = []
    components: list[list[int]] = []
    clock = 0
    for root in range(count):
        if order[root] >= 0:
            continue
        work: list[tuple[int, int]] = [(root, 0)]
        while work:
            vertex, edge = work.pop()
            if edge == 0:
                order[vertex] = low[vertex] = clock
                clock += 1
                stack.append(vertex)
                on_stack[vertex] = True
            descended = False
            targets = successors[vertex]
            while edge < len(targets):
                target = targets[edge]
                edge += 1
                if order[target] < 0:
                    work.append((vertex, edge))
                    work.append((target, 0))
                    descended = True
                    break
                if on_stack[target]:
                    low[vertex] = min(low[vertex], order[target])
            if descended:
                continue
            if low[vertex] == order[vertex]:
                component: list[int] = []
                while True:
                    member = stack.pop()
                    on_stack[member] = False
                    component.append(member)
                    if member == vertex:
                        break
                components.append(sorted(component))
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[vertex])
    return components
