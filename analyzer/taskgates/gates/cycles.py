"""Circular dependencies: declared ones, through parents, and through what the tasks' code writes and reads.

Cycles live inside strongly connected components, which are found in linear time; nobody enumerates simple cycles, of
which a graph can have millions. For each component there are closed chains that cover its edges, the fewest edges to
cut, and the reason for every edge. Three layers are looked at in turn, each without the edges that the layers before it
would cut, so that a chain is reported where its weakest edge belongs:

1. declared dependencies;
2. parents: loops of parents, and chains that close because a parent is not done before its parts are. That a part
   depends on its own parent is the common way to say "after it was broken down" and closes nothing;
3. data flow: a task that reads what another's code writes waits for it.
"""

from __future__ import annotations

import heapq
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from taskgates.gates.components import strongly_connected_components
from taskgates.gates.conflicts import ConflictIndex, Flow
from taskgates.gates.feedback import feedback_arcs
from taskgates.gates.relations import Relations
from taskgates.model.natural_order import natural_key
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from taskgates.gates.footprint import Footprint

_MAX_CHAINS = 100
"""Chains spelled out for one component; `CircularGroup.all_edges_shown` says when there are more."""


class EdgeKind(StrEnum):
    """Why one task waits for another."""

    DECLARED = "declared"
    PARENT = "parent-child"
    DATA_FLOW = "data-flow"


class Edge(msgspec.Struct, frozen=True, gc=False):
    """One task waits for another.

    Attributes:
        source: the task that waits.
        target: the task that it waits for.
        kind: why.
        reason: one phrase for people (`declares dependency B`, `reads out/x.json, which B writes`).
        span: the declaration, or the read in the code.
        path: the file, for data flow.
        certain: False for data flow through a pattern or under a condition.
        write_span: where the file is written, for data flow.
    """

    source: str
    target: str
    kind: EdgeKind
    reason: str
    span: SourceSpan
    path: str | None = None
    certain: bool = True
    write_span: SourceSpan | None = None


class Cycle(msgspec.Struct, frozen=True):
    """A closed chain of tasks, each of which waits for the next.

    Attributes:
        chain: task ids; the first is also the last.
        edges: why each waits for the next; one less than the chain.
    """

    chain: tuple[str, ...]
    edges: tuple[Edge, ...]

    @property
    def kind(self) -> EdgeKind:
        """The weakest kind among its edges: data flow, else parent and child, else declared."""
        return max((edge.kind for edge in self.edges), key=list(EdgeKind).index)

    @property
    def certain(self) -> bool:
        """Whether no edge rests on a pattern or a condition."""
        return all(edge.certain for edge in self.edges)

    def __str__(self) -> str:
        reasons = "; ".join(f"{edge.source} {edge.reason} ({edge.span})" for edge in self.edges)
        return f"{' -> '.join(self.chain)}: {reasons}"


class CircularGroup(msgspec.Struct, frozen=True):
    """Tasks each of which waits, through others, for all the others.

    Attributes:
        kind: the layer in which the group was found.
        members: the tasks, in natural order.
        cycles: closed chains, shortest first.
        cuts: edges that, once removed, leave no cycle of this layer.
        fewest_cuts_proven: whether no smaller number would do.
        cuts_lower_bound: no fewer than this would do.
        all_edges_shown: whether every edge among the members lies on one of the chains.
    """

    kind: EdgeKind
    members: tuple[str, ...]
    cycles: tuple[Cycle, ...]
    cuts: tuple[Edge, ...]
    fewest_cuts_proven: bool
    cuts_lower_bound: int
    all_edges_shown: bool


class CycleReport(msgspec.Struct, frozen=True):
    """What is circular, and an order where nothing declared is.

    Attributes:
        groups: declared ones first.
        order: the tasks, dependencies first, ties in natural order of ids; None when declared dependencies are
            circular.
    """

    groups: tuple[CircularGroup, ...]
    order: tuple[str, ...] | None

    @property
    def cycles(self) -> tuple[Cycle, ...]:
        """The chains of all groups."""
        return tuple(cycle for group in self.groups for cycle in group.cycles)


def find_cycles(relations: Relations, footprints: Sequence[Footprint] = ()) -> CycleReport:
    """Every circular group among the tasks.

    Args:
        relations: the tasks.
        footprints: what they touch, for cycles through data flow; tasks that `relations` does not know are passed over.
    """
    return cycles_with_flows(relations, ConflictIndex(footprints).flows() if footprints else ())


def cycles_with_flows(relations: Relations, flows: Iterable[Flow]) -> CycleReport:
    """`find_cycles` for data flows that are known already."""
    declared, breakdown = _declared_edges(relations)
    kept: dict[tuple[int, int], Edge] = {**declared, **breakdown}
    groups: list[CircularGroup] = []
    found, cut = _groups(relations, EdgeKind.DECLARED, kept)
    groups.extend(found)

    loops = {
        (index, parent): _parent_edge(relations, index, parent, upward=True)
        for index, parent in enumerate(relations.parents)
        if parent >= 0
    }
    kept = {pair: edge for pair, edge in declared.items() if pair not in cut}
    if loops:
        found, loop_cut = _groups(relations, EdgeKind.PARENT, loops)
        groups.extend(found)
        for index, parent in loops:
            if (index, parent) not in loop_cut:
                kept.setdefault((parent, index), _parent_edge(relations, index, parent, upward=False))
        found, cut = _groups(relations, EdgeKind.PARENT, kept)
        groups.extend(found)
        kept = {pair: edge for pair, edge in kept.items() if pair not in cut}

    before = len(kept)
    for flow in flows:
        reader, writer = relations.position.get(flow.reader), relations.position.get(flow.writer)
        if reader is not None and writer is not None:
            known = kept.get((reader, writer))
            if known is None or (flow.certain and not known.certain):
                kept[reader, writer] = _flow_edge(flow)
    if len(kept) > before:
        found, _ = _groups(relations, EdgeKind.DATA_FLOW, kept)
        groups.extend(found)
    return CycleReport(tuple(groups), topological_order(relations))


def cycles_through(ids: Iterable[str], relations: Relations, flows: Iterable[Flow] = ()) -> list[Cycle]:
    """The closed chains that keep some of a group from ever starting; see `circles_around`."""
    members = set(ids)
    return [
        cycle
        for group in circles_around(members, relations, flows)
        for cycle in group.cycles
        if not members.isdisjoint(cycle.chain)
    ]


def circles_around(ids: Iterable[str], relations: Relations, flows: Iterable[Flow] = ()) -> list[CircularGroup]:
    """The circular groups to which some of a group of tasks belong.

    Tasks that are done wait for nobody: outside of the group they break a chain.

    Args:
        ids: the group.
        relations: all tasks.
        flows: data that goes from the code of one task to that of another.
    """
    members = set(ids)
    done = (Status.FINISHED, Status.ABSORBED)
    waiting = [task for task in relations.tasks if task.status not in done or task.id in members]
    report = cycles_with_flows(relations if len(waiting) == len(relations) else Relations(waiting), flows)
    return [group for group in report.groups if not members.isdisjoint(group.members)]


def topological_order(relations: Relations) -> tuple[str, ...] | None:
    """The tasks with every dependency before those that declare it; None when that cannot be.

    Among tasks that are free to start, the first in natural order of ids comes first.
    """
    if any(reference.id == task.id for task in relations.tasks for reference in task.depends_on):
        return None
    # The algorithm of Kahn (Topological sorting of large networks, CACM 5(11), 1962) over positions in natural order.
    by_rank = sorted(range(len(relations.ids)), key=lambda index: natural_key(relations.ids[index]))
    rank_of = {index: rank for rank, index in enumerate(by_rank)}
    dependents: list[list[int]] = [[] for _ in by_rank]
    open_dependencies = [0] * len(by_rank)
    for index, targets in enumerate(relations.dependencies):
        open_dependencies[rank_of[index]] = len(targets)
        for target in targets:
            dependents[rank_of[target]].append(rank_of[index])
    free = [rank for rank, count in enumerate(open_dependencies) if not count]
    order: list[str] = []
    while free:
        rank = heapq.heappop(free)
        order.append(relations.ids[by_rank[rank]])
        for other in dependents[rank]:
            open_dependencies[other] -= 1
            if not open_dependencies[other]:
                heapq.heappush(free, other)
    return tuple(order) if len(order) == len(by_rank) else None


def _declared_edges(relations: Relations) -> tuple[dict[tuple[int, int], Edge], dict[tuple[int, int], Edge]]:
    """The declared dependencies, and apart from them those of a part on its own parent or a parent's parent."""
    declared: dict[tuple[int, int], Edge] = {}
    breakdown: dict[tuple[int, int], Edge] = {}
    for index, task in enumerate(relations.tasks):
        for reference in task.depends_on:
            target = relations.position.get(reference.id)
            if target is None:
                continue
            edge = Edge(task.id, reference.id, EdgeKind.DECLARED, f"declares dependency {reference.id}", reference.span)
            upward = relations.ancestor_bits[index] >> target & 1 and target != index
            (breakdown if upward else declared).setdefault((index, target), edge)
    return declared, breakdown


def _parent_edge(relations: Relations, child: int, parent: int, *, upward: bool) -> Edge:
    part, whole = relations.tasks[child], relations.tasks[parent]
    if part.parent is not None and part.parent.id == whole.id:
        span = part.parent.span
    else:
        span = next((each.span for each in whole.subtasks if each.id == part.id), part.span)
    if upward:
        return Edge(part.id, whole.id, EdgeKind.PARENT, f"is a part of {whole.id}", span)
    return Edge(whole.id, part.id, EdgeKind.PARENT, f"is done when its part {part.id} is", span)


def _flow_edge(flow: Flow) -> Edge:
    return Edge(
        flow.reader,
        flow.writer,
        EdgeKind.DATA_FLOW,
        f"reads {flow.path}, which {flow.writer} writes",
        flow.read.span,
        flow.path,
        flow.certain,
        flow.write.span,
    )


def _groups(
    relations: Relations, kind: EdgeKind, edges: dict[tuple[int, int], Edge]
) -> tuple[list[CircularGroup], set[tuple[int, int]]]:
    """The circular groups of a graph, and the pairs to cut."""
    successors: list[list[int]] = [[] for _ in relations.ids]
    for source, target in edges:
        successors[source].append(target)
    groups: list[CircularGroup] = []
    cut: set[tuple[int, int]] = set()
    for component in strongly_connected_components(successors):
        inside = set(component)
        arcs = [(source, target) for source in component for target in successors[source] if target in inside]
        if not arcs:
            continue
        away, bound = feedback_arcs(component, arcs)
        cut.update(away)
        chains, complete = _chains(arcs)
        cycles = [
            Cycle(
                tuple(relations.ids[vertex] for vertex in chain),
                tuple(edges[pair] for pair in pairwise(chain)),
            )
            for chain in chains
        ]
        groups.append(
            CircularGroup(
                kind=kind,
                members=tuple(sorted((relations.ids[vertex] for vertex in component), key=natural_key)),
                cycles=tuple(cycles),
                cuts=tuple(edges[pair] for pair in away),
                fewest_cuts_proven=len(away) == bound,
                cuts_lower_bound=bound,
                all_edges_shown=complete,
            )
        )
    groups.sort(key=lambda group: [natural_key(member) for member in group.members])
    return groups, cut


def _chains(arcs: Iterable[tuple[int, int]]) -> tuple[list[list[int]], bool]:
    """Closed chains, each the shortest through some edge, until every edge is on one; and whether that was reached."""
    import networkx as nx

    ordered = sorted(arcs)
    within: nx.DiGraph[int] = nx.DiGraph(ordered)
    covered: set[tuple[int, int]] = set()
    chains: list[list[int]] = []
    complete = True
    for source, target in ordered:
        if (source, target) in covered:
            continue
        if len(chains) == _MAX_CHAINS:
            complete = False
            break
        ring = nx.shortest_path(within, target, source)
        lowest = ring.index(min(ring))
        chain = [*ring[lowest:], *ring[: lowest + 1]]
        covered.update(pairwise(chain))
        chains.append(chain)
    return sorted(chains, key=lambda chain: (len(chain), chain)), complete
