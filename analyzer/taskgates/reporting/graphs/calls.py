"""The graph of calls of a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.reporting.graphs.graph import Edge, Graph, Node
from taskgates.reporting.report import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def call_graph(calls: Mapping[str, Sequence[str]], command: str) -> Graph:
    """Which function calls which, as the analyser followed them.

    Args:
        calls: callees by caller.
        command: the command line that was followed.
    """
    names = dict.fromkeys([*calls, *(callee for callees in calls.values() for callee in callees)])
    called = {callee for caller, callees in calls.items() for callee in callees if callee != caller}
    nodes = tuple(
        Node(name, name, "built-in" if name.startswith("<") else "function" if name in called else "entry")
        for name in names
    )
    edges = tuple(
        Edge(caller, callee, "call", detail=f"{caller} calls {callee}")
        for caller, callees in calls.items()
        for callee in callees
    )
    return Graph(
        f"{plural(len(nodes), 'function')} reached by {command}",
        nodes,
        edges,
        legend=(("entry", "entry"), ("function", "function"), ("built-in", "built-in")),
    )
