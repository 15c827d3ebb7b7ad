"""What is drawn: nodes and edges with their kinds, and bars over time."""

from __future__ import annotations

import msgspec


class Node(msgspec.Struct, frozen=True):
    """One box.

    Attributes:
        id: unique in the graph.
        label: the text in the box.
        kind: a status of a task (`pending`, `in-progress`, `blocked`, `done`), `file`, or `function`.
        detail: more, shown when it is pointed at.
    """

    id: str
    label: str
    kind: str = "pending"
    detail: str = ""


class Edge(msgspec.Struct, frozen=True):
    """One line between two boxes.

    Attributes:
        source: a node's id; drawn on the left where the graph has a direction.
        target: the other's.
        kind: `dependency`, `parent`, `blocking`, `warning`, or `call`.
        label: what it is about; empty for nothing.
        detail: more, shown when it is pointed at.
    """

    source: str
    target: str
    kind: str
    label: str = ""
    detail: str = ""


class Graph(msgspec.Struct, frozen=True):
    """Boxes and lines.

    Attributes:
        title: one line.
        nodes: in the order in which they are listed.
        edges: between them.
        directed: whether an edge leads from its source to its target.
        legend: what kinds mean, as pairs of kind and meaning; kinds that do not occur may be listed.
    """

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    directed: bool = True
    legend: tuple[tuple[str, str], ...] = ()


class Bar(msgspec.Struct, frozen=True):
    """One task in a schedule.

    Attributes:
        id: the task.
        label: its id and title.
        kind: as for a node.
        start: when it starts, in units of the chart.
        end: when it ends.
        after: the tasks that it waits for.
    """

    id: str
    label: str
    kind: str
    start: float
    end: float
    after: tuple[str, ...] = ()


class Chart(msgspec.Struct, frozen=True):
    """Bars over time.

    Attributes:
        title: one line.
        bars: by start.
        unit: what the axis counts: `batch` or `s`.
        end: the end of the axis.
    """

    title: str
    bars: tuple[Bar, ...]
    unit: str
    end: float
