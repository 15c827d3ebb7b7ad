"""Graphs and charts as SVG: no other files, no scripts, readable on light and dark backgrounds alike."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from taskgates.reporting.graphs.layout import Layout, Place, Route, layered_layout
from taskgates.reporting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.reporting.graphs.graph import Bar, Chart, Graph, Node

_MARGIN = 24.0
_HEAD = 64.0
_BOX = 26.0
_LETTER = 7.0
"""Mean width of a letter at 12 pixels."""

_NARROW, _WIDE = frozenset("fijlrt.,:;|!'()[]/ "), frozenset("mwMW@%")
_LONGEST_TITLE = 44
_LONGEST_NAME = 56
_ROW = 24.0
_LABELS = 320.0

_FILLS = {
    "pending": ("#eef2ff", "#4f5bd5"),
    "in-progress": ("#fff4d6", "#b7791f"),
    "blocked": ("#fde8e8", "#c53030"),
    "done": ("#e9f7ef", "#2f855a"),
    "file": ("#f4f4f5", "#71717a"),
    "function": ("#eef2ff", "#4f5bd5"),
    "entry": ("#e9f7ef", "#2f855a"),
    "built-in": ("#f4f4f5", "#71717a"),
}
_LINES = {
    "dependency": ("#64748b", ""),
    "parent": ("#a1a1aa", "5 4"),
    "blocking": ("#dc2626", ""),
    "warning": ("#d97706", "6 3"),
    "call": ("#64748b", ""),
}
_STYLE = """
text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#1f2937}
.title{font-size:17px;font-weight:600}.small{font-size:11px;fill:#52525b}
.edge{fill:none;stroke-width:1.4;stroke-opacity:.6}.node rect{stroke-width:1.2}
.node:hover rect{stroke-width:2.6}.edge:hover{stroke-width:3;stroke-opacity:1}
.wait{stroke-width:1;stroke-opacity:.35}.grid{stroke:#e4e4e7;stroke-width:1}.band{fill:#fafafa}
"""


def graph_svg(graph: Graph) -> str:
    """A graph as one SVG document."""
    sizes = {node.id: (_text_width(_shortened(node.label)) + 20, _BOX) for node in graph.nodes}
    layout = layered_layout(sizes, [(edge.source, edge.target) for edge in graph.edges])
    width = max(layout.width, len(graph.title) * 9.0, _legend_width(graph)) + 2 * _MARGIN
    height = layout.height + _HEAD + 2 * _MARGIN
    parts = _begin(graph.title, width, height)
    parts += _legend(graph)
    parts.append(f'<g transform="translate({_MARGIN:g} {_MARGIN + _HEAD:g})">')
    parts += _edges(graph, layout)
    parts += [_node(node, layout.places[node.id]) for node in graph.nodes]
    parts += ["</g>", "</svg>"]
    return "\n".join(parts) + "\n"


def chart_svg(chart: Chart) -> str:
    """A chart of bars as one SVG document: a row for each task, time from left to right."""
    scale, step = _scale(chart)
    width = _LABELS + chart.end * scale + 2 * _MARGIN + 40
    height = _HEAD + 20 + len(chart.bars) * _ROW + 2 * _MARGIN
    parts = _begin(chart.title, max(width, 640.0), height)
    left, top = _MARGIN + _LABELS, _MARGIN + _HEAD
    bottom = top + len(chart.bars) * _ROW
    parts += [
        f'<rect class="band" x="{_MARGIN:g}" y="{top + at * _ROW:g}" '
        f'width="{_LABELS + chart.end * scale:g}" height="{_ROW:g}"/>'
        for at in range(1, len(chart.bars), 2)
    ]
    ticks = 0
    while ticks * step <= chart.end + 1e-9:
        x = left + ticks * step * scale
        parts.append(f'<line class="grid" x1="{x:g}" y1="{top - 4:g}" x2="{x:g}" y2="{bottom:g}"/>')
        if chart.unit == "batch":
            if ticks * step < chart.end:
                parts.append(_text(x + scale / 2, top - 8, str(ticks + 1), "small", anchor="middle"))
        else:
            parts.append(_text(x, top - 8, f"{ticks * step:g} s", "small", anchor="middle"))
        ticks += 1
    parts += _waits(chart, left, top, scale)
    for at, bar in enumerate(chart.bars):
        parts += _bar(bar, left, top + at * _ROW, scale)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _begin(title: str, width: float, height: float) -> list[str]:
    return [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{_escaped(title)}">'
        ),
        f"<style>{_STYLE}</style>",
        "<defs>"
        + "".join(
            f'<marker id="end-{kind}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
            for kind, (colour, _) in _LINES.items()
        )
        + "</defs>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        _text(_MARGIN, _MARGIN + 14, title, "title"),
    ]


def _legend_width(graph: Graph) -> float:
    return sum(len(meaning) * _LETTER + 48 for _, meaning in graph.legend)


def _legend(graph: Graph) -> Iterable[str]:
    used = {node.kind for node in graph.nodes} | {edge.kind for edge in graph.edges}
    x, y = _MARGIN, _MARGIN + 38
    for kind, meaning in graph.legend:
        if kind not in used:
            continue
        if kind in _LINES:
            colour, dashes = _LINES[kind]
            yield f'<path class="edge" d="M{x:g} {y:g}h24" stroke="{colour}" stroke-dasharray="{dashes or "none"}"/>'
        else:
            fill, line = _FILLS[kind]
            yield f'<rect x="{x:g}" y="{y - 7:g}" width="24" height="14" rx="4" fill="{fill}" stroke="{line}"/>'
        yield _text(x + 30, y + 4, meaning, "small")
        x += len(meaning) * _LETTER + 48


def _edges(graph: Graph, layout: Layout) -> Iterable[str]:
    for edge, route in zip(graph.edges, layout.routes, strict=True):
        colour, dashes = _LINES[edge.kind]
        style = f' stroke-dasharray="{dashes}"' if dashes else ""
        end = f' marker-end="url(#end-{edge.kind})"' if graph.directed else ""
        about = _escaped(edge.detail or edge.label or f"{edge.source} - {edge.target}")
        yield (
            f'<path class="edge" data-from="{_escaped(edge.source)}" data-to="{_escaped(edge.target)}" '
            f'd="{_curve(route)}" stroke="{colour}"{style}{end}><title>{about}</title></path>'
        )


def _curve(route: Route) -> str:
    (x, y), *rest = route.points
    parts = [f"M{x:.1f} {y:.1f}"]
    for px, py in rest:
        if abs(py - y) < 0.05:
            parts.append(f"L{px:.1f} {py:.1f}")
        else:
            half = (px - x) / 2
            parts.append(f"C{x + half:.1f} {y:.1f} {px - half:.1f} {py:.1f} {px:.1f} {py:.1f}")
        x, y = px, py
    return "".join(parts)


def _node(node: Node, place: Place) -> str:
    fill, line = _FILLS[node.kind]
    radius = 5 if node.kind != "file" else 0
    return (
        f'<g class="node" data-id="{_escaped(node.id)}"><title>{_escaped(node.detail or node.label)}</title>'
        f'<rect x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" height="{place.height:.1f}" '
        f'rx="{radius}" fill="{fill}" stroke="{line}"/>'
        f"{_text(place.x + 10, place.y + place.height / 2 + 4, _shortened(node.label))}</g>"
    )


def _bar(bar: Bar, left: float, y: float, scale: float) -> list[str]:
    fill, line = _FILLS[bar.kind]
    x, width = left + bar.start * scale, max((bar.end - bar.start) * scale, 3.0)
    return [
        _text(_MARGIN + 6, y + 16, _shortened(bar.label)),
        (
            f'<g class="node" data-id="{_escaped(bar.id)}"><title>{_escaped(bar.label)}</title>'
            f'<rect x="{x + 1:.1f}" y="{y + 4:.1f}" width="{max(width - 2, 1):.1f}" height="{_ROW - 8:.1f}" rx="3" '
            f'fill="{fill}" stroke="{line}"/></g>'
        ),
    ]


def _waits(chart: Chart, left: float, top: float, scale: float) -> Iterable[str]:
    """Thin lines from the end of each task to the start of those that wait for it."""
    rows = {bar.id: at for at, bar in enumerate(chart.bars)}
    for at, bar in enumerate(chart.bars):
        for other in bar.after:
            if other not in rows:
                continue
            before = chart.bars[rows[other]]
            x1, y1 = left + before.end * scale - 1, top + (rows[other] + 0.5) * _ROW
            x2, y2 = left + bar.start * scale + 5, top + at * _ROW + 4
            yield (
                f'<path class="edge wait" data-from="{_escaped(other)}" data-to="{_escaped(bar.id)}" '
                f'd="M{x1:.1f} {y1:.1f}H{x2:.1f}V{y2:.1f}" stroke="#64748b">'
                f"<title>{_escaped(f'{bar.id} waits for {other}')}</title></path>"
            )


def _scale(chart: Chart) -> tuple[float, float]:
    """Pixels for one unit, and units between two lines."""
    if chart.unit == "batch":
        return 30.0, 1.0
    if chart.end <= 0:
        return 1.0, 1.0
    scale = 900.0 / chart.end
    step = 10.0**-6
    while step * scale < 60:
        for factor in (2, 2.5, 2):
            step *= factor
            if step * scale >= 60:
                break
    return scale, round(step, 9)


def _text(x: float, y: float, text: str, style: str = "", *, anchor: str = "") -> str:
    kind = f' class="{style}"' if style else ""
    place = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind}{place}>{_escaped(text)}</text>'


def _text_width(text: str) -> float:
    """About how wide a text is at 12 pixels, in the widest of the usual fonts; capitals and other scripts are wide."""
    return sum(
        4.4
        if letter in _NARROW
        else 11.8
        if letter in _WIDE or ord(letter) > 0x2E80
        else 8.4
        if letter.isupper()
        else 7.6
        for letter in text
    )


def _shortened(label: str) -> str:
    """The beginning of a long title; of a long name without spaces the end, which tells more."""
    if " " in label:
        return label if len(label) <= _LONGEST_TITLE else f"{label[: _LONGEST_TITLE - 1].rstrip()}…"
    return label if len(label) <= _LONGEST_NAME else f"…{label[1 - _LONGEST_NAME :]}"


def _escaped(text: str) -> str:
    return escape(printable(text), quote=True)
