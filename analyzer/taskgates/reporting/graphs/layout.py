"""Places for boxes: the layered drawing of Sugiyama, Tagawa and Toda, component by component.

Edges that close a cycle are turned round; each node goes into the layer of its longest path from a source; edges over
several layers get a waypoint in each; layers are ordered by barycentres (Sugiyama et al., Methods for visual
understanding of hierarchical system structures, 1981) as long as crossings become fewer; at last each layer is placed
as near to its neighbours as the order and the distances allow, which is an isotonic regression. Components are packed
in rows; nodes without edges fill a block of columns below.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from taskgates.gates.components import strongly_connected_components

_GAP = 8.0
"""Between boxes of a layer."""

_LAYER_GAP = 60.0
_WIDEST_LAYER_GAP = 320.0
_GAP_OF_EDGE = 1.5
"""Between layers there is more room the more edges run there, so that each can be followed."""

_COMPONENT_GAP = 36.0
_SWEEPS = 24
_WAYPOINT_HEIGHT = 6.0
_ORDERED_NODES = 4_000
"""Above this number of boxes and waypoints, layers are ordered with fewer sweeps."""


class Place(msgspec.Struct, frozen=True):
    """The upper left corner of a box, and its size."""

    x: float
    y: float
    width: float
    height: float


class Route(msgspec.Struct, frozen=True):
    """The way of an edge: the points it goes through, from source to target."""

    points: tuple[tuple[float, float], ...]


class Layout(msgspec.Struct, frozen=True):
    """A drawing.

    Attributes:
        width: of everything.
        height: of everything.
        places: by node.
        routes: by edge, in the order given.
    """

    width: float
    height: float
    places: Mapping[str, Place]
    routes: tuple[Route, ...]


def layered_layout(
    sizes: Mapping[str, tuple[float, float]],
    edges: Sequence[tuple[str, str]],
    layers: Mapping[str, int] | None = None,
) -> Layout:
    """Place the nodes of a graph in layers from left to right.

    Args:
        sizes: width and height of each node.
        edges: pairs of nodes; from the left to the right.
        layers: the layer of every node, where it is known already; all edges must then lead to a later one.
    """
    names = list(sizes)
    index = {name: at for at, name in enumerate(names)}
    numbered = [(index[one], index[two]) for one, two in edges]
    linked = {node for edge in numbered for node in edge}
    blocks: list[_Block] = []
    alone: list[int] = []
    for members in _components(len(names), numbered):
        if members[0] not in linked:
            alone.append(members[0])
            continue
        inside = set(members)
        kept = [at for at, (one, _) in enumerate(numbered) if one in inside]
        given = None if layers is None else {node: layers[names[node]] for node in members}
        blocks.append(
            _Component(members, [(at, *numbered[at]) for at in kept], [sizes[name] for name in names], given).block()
        )
    if alone:
        blocks.append(_columns(alone, [sizes[name] for name in names], blocks))
    placed, routed, width, height = _packed(blocks)
    return Layout(
        width,
        height,
        {name: placed[at] for at, name in enumerate(names)},
        tuple(Route(tuple(routed[at])) for at in range(len(edges))),
    )


class _Block(msgspec.Struct):
    """A finished part of the drawing, at the origin."""

    width: float
    height: float
    places: dict[int, Place]
    routes: dict[int, list[tuple[float, float]]]
    last: bool = False


class _Component:
    """One connected part.

    Args:
        members: its nodes.
        edges: number, source and target of its edges.
        sizes: of all nodes.
        layers: where they are given.
    """

    def __init__(
        self,
        members: Sequence[int],
        edges: Sequence[tuple[int, int, int]],
        sizes: Sequence[tuple[float, float]],
        layers: Mapping[int, int] | None,
    ) -> None:
        self._sizes = {node: sizes[node] for node in members}
        turned = set() if layers is not None else _turned(members, edges)
        self._edges = [(at, two, one) if at in turned else (at, one, two) for at, one, two in edges if one != two]
        self._turned = turned
        self._loops = [(at, one) for at, one, two in edges if one == two]
        layer = dict(layers) if layers is not None else _longest_paths(members, self._edges)
        self._layers: list[list[int]] = [[] for _ in range(max(layer.values()) + 1)]
        for node in members:
            self._layers[layer[node]].append(node)
        self._chains: dict[int, list[int]] = {}
        self._before: dict[int, list[int]] = {}
        self._after: dict[int, list[int]] = {}
        self._insert_waypoints(layer)

    def block(self) -> _Block:
        """The component, placed."""
        self._order()
        heights = self._heights()
        top = min(heights[node] - self._sizes[node][1] / 2 for node in heights)
        places: dict[int, Place] = {}
        left = right = 0.0
        for layer in self._layers:
            width = max((self._sizes[node][0] for node in layer), default=0.0)
            for node in layer:
                own, height = self._sizes[node]
                # Waypoints span their layer, so that lines run past its boxes and not through them.
                places[node] = Place(left, heights[node] - height / 2 - top, own or width, height)
            right = left + width
            leaving = sum(len(self._after.get(node, ())) for node in layer)
            left = right + min(_LAYER_GAP + _GAP_OF_EDGE * leaving, _WIDEST_LAYER_GAP)
        routes = {at: self._route(at, chain, places) for at, chain in self._chains.items()}
        for at, node in self._loops:
            box = places[node]
            edge, middle = box.x + box.width, box.y + box.height / 2
            routes[at] = [(edge, middle), (edge + 16, middle - 8), (edge, middle)]
        bottom = max(place.y + place.height for place in places.values())
        return _Block(right, bottom, places, routes)

    def _insert_waypoints(self, layer: dict[int, int]) -> None:
        fresh = -1
        for at, source, target in self._edges:
            chain = [source]
            for between in range(layer[source] + 1, layer[target]):
                self._layers[between].append(fresh)
                self._sizes[fresh] = (0.0, _WAYPOINT_HEIGHT)
                chain.append(fresh)
                fresh -= 1
            chain.append(target)
            self._chains[at] = chain
            for one, two in pairwise(chain):
                self._after.setdefault(one, []).append(two)
                self._before.setdefault(two, []).append(one)

    def _order(self) -> None:
        best, fewest = [list(layer) for layer in self._layers], self._crossings()
        sweeps = _SWEEPS if len(self._sizes) <= _ORDERED_NODES else 4
        for sweep in range(sweeps):
            forward = sweep % 2 == 0
            neighbours = self._before if forward else self._after
            for layer in self._layers[1:] if forward else self._layers[-2::-1]:
                self._sort(layer, neighbours)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(layer) for layer in self._layers], crossings
            if not fewest:
                break
        self._layers = best

    def _sort(self, layer: list[int], neighbours: Mapping[int, list[int]]) -> None:
        rank = {node: at for each in self._layers for at, node in enumerate(each)}
        here = {node: float(at) for at, node in enumerate(layer)}
        for node in layer:
            near = neighbours.get(node)
            if near:
                here[node] = sum(rank[other] for other in near) / len(near)
        layer.sort(key=here.__getitem__)

    def _crossings(self) -> int:
        """Pairs of edges between neighbouring layers that cross."""
        total = 0
        for left, right in pairwise(self._layers):
            rank = {node: at for at, node in enumerate(right)}
            seen: list[int] = []
            for node in left:
                ends = sorted(rank[other] for other in self._after.get(node, ()))
                total += sum(len(seen) - bisect_right(seen, end) for end in ends)
                for end in ends:
                    insort(seen, end)
        return total

    def _heights(self) -> dict[int, float]:
        """The middle of each box."""
        heights: dict[int, float] = {}
        for layer in self._layers:
            heights.update(zip(layer, self._spread(layer, [0.0] * len(layer)), strict=True))
        for sweep in range(12):
            layers = self._layers if sweep % 2 == 0 else self._layers[::-1]
            for layer in layers:
                wanted = []
                for node in layer:
                    near = [*self._before.get(node, ()), *self._after.get(node, ())]
                    wanted.append(sum(heights[other] for other in near) / len(near) if near else heights[node])
                heights.update(zip(layer, self._spread(layer, wanted), strict=True))
        return heights

    def _spread(self, layer: Sequence[int], wanted: Sequence[float]) -> list[float]:
        """Positions nearest to the wanted ones, in the sense of least squares, that keep the order and the gaps."""
        offsets = [0.0]
        for one, two in pairwise(layer):
            offsets.append(offsets[-1] + (self._sizes[one][1] + self._sizes[two][1]) / 2 + _GAP)
        return [
            base + offset
            for base, offset in zip(
                _isotonic([want - offset for want, offset in zip(wanted, offsets, strict=False)]), offsets, strict=False
            )
        ]

    def _route(self, at: int, chain: Sequence[int], places: Mapping[int, Place]) -> list[tuple[float, float]]:
        points: list[tuple[float, float]] = []
        for position, node in enumerate(chain):
            place = places[node]
            middle = place.y + place.height / 2
            if position:
                points.append((place.x, middle))
            if position < len(chain) - 1:
                points.append((place.x + place.width, middle))
        return points[::-1] if at in self._turned else points


def _isotonic(values: Sequence[float]) -> list[float]:
    """The non-decreasing sequence nearest to the values: pool adjacent violators."""
    pools: list[tuple[float, int]] = []
    for value in values:
        total, count = value, 1
        while pools and pools[-1][0] * count >= total * pools[-1][1]:
            before, many = pools.pop()
            total, count = total + before, count + many
        pools.append((total, count))
    return [total / count for total, count in pools for _ in range(count)]


def _components(count: int, edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The connected parts, in order of their first node."""
    leader = list(range(count))

    def find(node: int) -> int:
        while leader[node] != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    for one, two in edges:
        first, second = sorted((find(one), find(two)))
        leader[second] = first
    groups: dict[int, list[int]] = {}
    for node in range(count):
        groups.setdefault(find(node), []).append(node)
    return list(groups.values())


def _turned(members: Sequence[int], edges: Sequence[tuple[int, int, int]]) -> set[int]:
    """Edges that close a cycle in a search from the first node on."""
    position = {node: at for at, node in enumerate(members)}
    adjacent: list[list[int]] = [[] for _ in members]
    for _, one, two in edges:
        adjacent[position[one]].append(position[two])
    component: dict[int, int] = {}
    for number, strong in enumerate(strongly_connected_components(adjacent)):
        component.update((node, number) for node in strong)
    circular = {at for at, one, two in edges if one != two and component[position[one]] == component[position[two]]}
    if not circular:
        return set()
    outgoing: dict[int, list[tuple[int, int]]] = {}
    for at, one, two in edges:
        if at in circular:
            outgoing.setdefault(one, []).append((at, two))
    turned: set[int] = set()
    state: dict[int, int] = {}
    for start in members:
        if start in state:
            continue
        state[start] = 1
        stack = [(start, iter(outgoing.get(start, ())))]
        while stack:
            node, rest = stack[-1]
            for at, other in rest:
                if other not in state:
                    state[other] = 1
                    stack.append((other, iter(outgoing.get(other, ()))))
                    break
                if state[other] == 1:
                    turned.add(at)
            else:
                state[node] = 2
                stack.pop()
    return turned


def _longest_paths(members: Sequence[int], edges: Sequence[tuple[int, int, int]]) -> dict[int, int]:
    """The layer of each node of a graph without cycles; sources are moved next to what follows them."""
    outgoing: dict[int, list[int]] = {}
    waiting = dict.fromkeys(members, 0)
    for _, one, two in edges:
        outgoing.setdefault(one, []).append(two)
        waiting[two] += 1
    layer = dict.fromkeys(members, 0)
    ready = [node for node in members if not waiting[node]]
    sources = list(ready)
    while ready:
        node = ready.pop()
        for other in outgoing.get(node, ()):
            layer[other] = max(layer[other], layer[node] + 1)
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    for node in sources:
        layer[node] = min((layer[other] for other in outgoing.get(node, ())), default=1) - 1
    lowest = min(layer.values())
    return {node: number - lowest for node, number in layer.items()}


def _columns(nodes: Sequence[int], sizes: Sequence[tuple[float, float]], blocks: Sequence[_Block]) -> _Block:
    """Nodes without edges, in columns about as wide together as the rest."""
    width = max(sizes[node][0] for node in nodes) + 16
    height = max(sizes[node][1] for node in nodes) + _GAP
    across = max(3, int(_target_width(blocks) // width))
    down = -(-len(nodes) // across)
    places = {node: Place((at // down) * width, (at % down) * height, *sizes[node]) for at, node in enumerate(nodes)}
    used = -(-len(nodes) // down)
    return _Block(used * width - 16, down * height - _GAP, places, {}, last=True)


def _target_width(blocks: Sequence[_Block]) -> float:
    area = sum((block.width + _COMPONENT_GAP) * (block.height + _COMPONENT_GAP) for block in blocks)
    return max([*(block.width for block in blocks), math.sqrt(area * 1.6), 900.0])


def _packed(
    blocks: Sequence[_Block],
) -> tuple[dict[int, Place], dict[int, list[tuple[float, float]]], float, float]:
    """The blocks in rows, high ones first, each row filled as far as it goes."""
    target = _target_width(blocks)
    places: dict[int, Place] = {}
    routes: dict[int, list[tuple[float, float]]] = {}
    x = y = row = width = 0.0
    for block in sorted(blocks, key=lambda each: (each.last, -each.height)):
        if x and (x + block.width > target or block.last):
            x, y, row = 0.0, y + row + _COMPONENT_GAP, 0.0
        for node, place in block.places.items():
            if node >= 0:
                places[node] = Place(place.x + x, place.y + y, place.width, place.height)
        for at, points in block.routes.items():
            routes[at] = [(px + x, py + y) for px, py in points]
        width = max(width, x + block.width)
        x += block.width + _COMPONENT_GAP
        row = max(row, block.height)
    return places, routes, width, y + row
