"""Strongly connected components of graphs given as adjacency lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def strongly_connected_components(successors: Sequence[Sequence[int]]) -> list[list[int]]:
    """The strongly connected components, each sorted, a component before those that lead to it.

    Vertices from which no cycle can be reached are components of their own and most of any sound plan: they are taken
    away from the ends first, and networkx sees what is left.

    Args:
        successors: for each vertex, the vertices that its edges lead to.
    """
    predecessors: list[list[int]] = [[] for _ in successors]
    for source, targets in enumerate(successors):
        for target in targets:
            predecessors[target].append(source)
    ahead = [len(targets) for targets in successors]
    ends = [vertex for vertex, count in enumerate(ahead) if not count]
    for vertex in ends:
        for source in predecessors[vertex]:
            ahead[source] -= 1
            if not ahead[source]:
                ends.append(source)
    found = [[vertex] for vertex in ends]
    if len(ends) < len(successors):
        import networkx as nx

        left = {
            vertex: [each for each in successors[vertex] if ahead[each]] for vertex, count in enumerate(ahead) if count
        }
        graph: nx.DiGraph[int] = nx.DiGraph()
        graph.add_nodes_from(left)
        graph.add_edges_from((source, target) for source, targets in left.items() for target in targets)
        found.extend(sorted(component) for component in nx.strongly_connected_components(graph))
    return found
