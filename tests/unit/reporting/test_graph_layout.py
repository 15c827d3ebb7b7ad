"""Boxes never overlap, edges lead to the right, and everything lies inside the picture."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.reporting.graphs.graph import Edge, Graph, Node
from taskgates.reporting.graphs.layout import layered_layout
from taskgates.reporting.graphs.svg import graph_svg


@st.composite
def graphs(draw: Any) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]:
    count = draw(st.integers(1, 14))
    names = [f"n{number}" for number in range(count)]
    sizes = {name: (draw(st.sampled_from((40.0, 90.0, 200.0))), 26.0) for name in names}
    edges = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=30))
    return sizes, edges


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_boxes_are_apart_and_inside(graph: Any) -> None:
    sizes, edges = graph
    layout = layered_layout(sizes, edges)
    assert set(layout.places) == set(sizes)
    for place in layout.places.values():
        assert place.x >= -1e-6
        assert place.y >= -1e-6
        assert place.x + place.width <= layout.width + 1e-6
        assert place.y + place.height <= layout.height + 1e-6
    for one, two in itertools.combinations(layout.places.values(), 2):
        apart = (
            one.x + one.width <= two.x + 1e-6
            or two.x + two.width <= one.x + 1e-6
            or one.y + one.height <= two.y + 1e-6
            or two.y + two.height <= one.y + 1e-6
        )
        assert apart


@given(graphs())
@settings(max_examples=100, deadline=None)
def test_every_edge_begins_and_ends_at_its_boxes(graph: Any) -> None:
    sizes, edges = graph
    layout = layered_layout(sizes, edges)
    for (source, target), route in zip(edges, layout.routes, strict=True):
        for name, (x, y) in ((source, route.points[0]), (target, route.points[-1])):
            place = layout.places[name]
            assert abs(y - (place.y + place.height / 2)) < 1e-6
            assert min(abs(x - place.x), abs(x - place.x - place.width)) < 1e-6


@given(graphs())
@settings(max_examples=100, deadline=None)
def test_without_cycles_edges_lead_to_the_right(graph: Any) -> None:
    sizes, edges = graph
    order = {name: number for number, name in enumerate(sizes)}
    forward = [(one, two) for one, two in edges if order[one] < order[two]]
    layout = layered_layout(sizes, forward)
    for one, two in forward:
        left, right = layout.places[one], layout.places[two]
        assert left.x + left.width < right.x


def test_crossings_that_can_be_avoided_are() -> None:
    sizes = dict.fromkeys(("a1", "a2", "a3", "b1", "b2", "b3"), (40.0, 20.0))
    # Joined end to end, so that it is one component: a ladder without crossings exists.
    edges = [("a1", "b3"), ("a2", "b2"), ("a3", "b1"), ("a1", "b2"), ("a2", "b1")]
    places = layered_layout(sizes, edges).places
    left = sorted(("a1", "a2", "a3"), key=lambda name: places[name].y)
    right = sorted(("b3", "b2", "b1"), key=lambda name: places[name].y)
    assert (left, right) in ((["a1", "a2", "a3"], ["b3", "b2", "b1"]), (["a3", "a2", "a1"], ["b1", "b2", "b3"]))


def test_long_chains_and_wide_stars_are_drawn() -> None:
    chain = [Node(str(number), f"task {number}") for number in range(2_000)]
    edges = [Edge(str(number), str(number + 1), "dependency") for number in range(1_999)]
    star = [Edge("0", str(number), "parent") for number in range(2, 200)]
    assert graph_svg(Graph("chain", tuple(chain), tuple(edges))).count('class="node"') == 2_000
    assert graph_svg(Graph("star", tuple(chain[:200]), tuple(star))).count('class="edge"') >= 198


def test_no_nodes_make_an_empty_picture() -> None:
    assert graph_svg(Graph("nothing", (), ())).startswith("<svg")
