"""Graphs and charts as text that other programs draw: Mermaid, Graphviz, JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from taskgates.reporting.json_text import json_text
from taskgates.reporting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.reporting.graphs.graph import Chart, Graph

_DOTTED = ("parent", "warning")
_SHAPES = {"file": "note"}
_COLOURS = {"blocking": "red", "warning": "orange", "parent": "gray"}


def graph_mermaid(graph: Graph) -> str:
    """A Mermaid flowchart."""
    names = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["---", f"title: {json.dumps(printable(graph.title))}", "---", "flowchart LR"]
    lines += [f'    {names[node.id]}["{_mermaid(node.label)}"]' for node in graph.nodes]
    for edge in graph.edges:
        dotted = edge.kind in _DOTTED
        line = ("-.->" if dotted else "-->") if graph.directed else ("-.-" if dotted else "---")
        label = f'|"{_mermaid(edge.label)}"|' if edge.label else ""
        lines.append(f"    {names[edge.source]} {line}{label} {names[edge.target]}")
    return "\n".join(lines) + "\n"


def graph_dot(graph: Graph) -> str:
    """A Graphviz graph."""
    arrow = "->" if graph.directed else "--"
    lines = [f"{'digraph' if graph.directed else 'graph'} taskgates {{", "    rankdir=LR;", "    node [shape=box];"]
    lines.append(f"    label={_quoted(graph.title)};")
    for node in graph.nodes:
        shape = f", shape={_SHAPES[node.kind]}" if node.kind in _SHAPES else ""
        lines.append(f"    {_quoted(node.id)} [label={_quoted(node.label)}{shape}];")
    for edge in graph.edges:
        label = f"label={_quoted(edge.label)}, " if edge.label else ""
        style = "dashed" if edge.kind in _DOTTED else "solid"
        colour = _COLOURS.get(edge.kind, "black")
        lines.append(
            f"    {_quoted(edge.source)} {arrow} {_quoted(edge.target)} [{label}style={style}, color={colour}];"
        )
    return "\n".join([*lines, "}"]) + "\n"


def chart_mermaid(chart: Chart) -> str:
    """A Mermaid Gantt chart; the axis counts batches, or seconds, from 0 as milliseconds."""
    lines = ["---", f"title: {json.dumps(printable(chart.title))}", "---", "gantt", "    dateFormat x"]
    lines += ["    axisFormat %L" if chart.unit == "batch" else "    axisFormat %M:%S"]
    unit = 1 if chart.unit == "batch" else 1000
    for number, bar in enumerate(chart.bars):
        label = _mermaid(bar.label).replace(":", "#58;")
        lines.append(f"    {label} :t{number}, {round(bar.start * unit)}, {round(bar.end * unit)}")
    return "\n".join(lines) + "\n"


def chart_dot(chart: Chart, columns: Sequence[Sequence[str]]) -> str:
    """A Graphviz graph with one rank a column of tasks that start together."""
    lines = ["digraph taskgates {", "    rankdir=LR;", "    node [shape=box];", f"    label={_quoted(chart.title)};"]
    labels = {bar.id: bar.label for bar in chart.bars}
    for number, column in enumerate(columns):
        lines.append(f"    subgraph cluster_{number} {{")
        lines.append(f"        label={_quoted(f'{chart.unit} {number + 1}')};")
        lines += [f"        {_quoted(task_id)} [label={_quoted(labels[task_id])}];" for task_id in column]
        lines.append("    }")
    lines += [
        f"    {_quoted(other)} -> {_quoted(bar.id)};" for bar in chart.bars for other in bar.after if other in labels
    ]
    return "\n".join([*lines, "}"]) + "\n"


def as_json(data: dict[str, Any]) -> str:
    """Plain data as JSON text."""
    return json_text(data)


def _quoted(text: str) -> str:
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _mermaid(text: str) -> str:
    """Text inside quotes: Mermaid takes numeric entities with a hash sign."""
    flat = printable(" ".join(text.split()))
    return "".join(f"#{ord(character)};" if character in '#;"<>&`|[]{}' else character for character in flat)
