"""Strongly connected components of graphs given as adjacency lists; networkx finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx as nx


def strongly_connected_components(successors: Sequence[Sequence[int]]) -> list[list[int]]:
    """The strongly connected components, each sorted, a component before those that lead to it.

    Args:
        successors: for each vertex, the vertices that its edges lead to.
    """
    import networkx as nx

    return [sorted(component) for component in nx.strongly_connected_components(directed_graph(successors))]


def directed_graph(successors: Sequence[Sequence[int]]) -> nx.DiGraph[int]:
    """The graph with the vertices in ascending order and the edges in the order given.

    networkx is imported where it is used: the import takes longer than many a command.

    Args:
        successors: for each vertex, the vertices that its edges lead to.
    """
    import networkx as nx

    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(successors)))
    graph.add_edges_from((source, target) for source, targets in enumerate(successors) for target in targets)
    return graph
