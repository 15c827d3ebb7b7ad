"""Circular dependencies, the edges to cut, and orders."""

from __future__ import annotations

import itertools
from random import Random  # noqa: TC003 (hypothesis resolves annotations at run time)

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.gates.components import strongly_connected_components
from taskgates.gates.cycles import CycleReport, EdgeKind, find_cycles
from taskgates.gates.feedback import feedback_arcs
from taskgates.gates.footprint import Footprint, Origin, Touch
from taskgates.gates.relations import Relations
from taskgates.model.access import Operation
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Reference, Task

SPAN = SourceSpan("tasks.json", 1, 1, 1, 2)


def task(task_id: str, *depends_on: str, parent: str | None = None) -> Task:
    references = tuple(Reference(other, SourceSpan("tasks.json", 7, 3, 7, 9)) for other in depends_on)
    return Task(
        id=task_id, format="test", span=SPAN, depends_on=references, parent=Reference(parent, SPAN) if parent else None
    )


def flow(task_id: str, reads: str = "", writes: str = "", *, origin: Origin = Origin.RUNTIME) -> Footprint:
    return Footprint(
        task_id=task_id,
        span=SPAN,
        reads=tuple(Touch(path, Operation.READ, Origin.RUNTIME, SPAN) for path in reads.split()),
        writes=tuple(Touch(path, Operation.OVERWRITE, origin, SPAN) for path in writes.split()),
    )


def chains(report: CycleReport) -> list[tuple[str, ...]]:
    return [cycle.chain for cycle in report.cycles]


def test_a_declared_cycle_is_a_closed_chain_with_a_place_for_each_edge() -> None:
    report = find_cycles(Relations([task("A", "B"), task("B", "C"), task("C", "A"), task("D", "A")]))
    (group,) = report.groups
    assert chains(report) == [("A", "B", "C", "A")]
    assert [edge.span.line for edge in group.cycles[0].edges] == [7, 7, 7]
    assert (group.kind, len(group.cuts), group.fewest_cuts_proven) == (EdgeKind.DECLARED, 1, True)
    assert report.order is None


def test_a_task_that_depends_on_itself() -> None:
    report = find_cycles(Relations([task("A", "A"), task("B")]))
    assert chains(report) == [("A", "A")]
    assert report.order is None


def test_two_cycles_through_one_edge_need_one_cut() -> None:
    report = find_cycles(Relations([task("A", "B"), task("B", "C", "D"), task("C", "A"), task("D", "A")]))
    (group,) = report.groups
    assert [(edge.source, edge.target) for edge in group.cuts] == [("A", "B")]
    assert group.fewest_cuts_proven
    assert chains(report) == [("A", "B", "C", "A"), ("A", "B", "D", "A")]


def test_order_puts_dependencies_first_and_ties_in_natural_order() -> None:
    report = find_cycles(Relations([task("t10"), task("t2", "t10"), task("t1"), task("t3")]))
    assert report.order == ("t1", "t3", "t10", "t2")
    assert not report.groups


def test_a_part_that_depends_on_its_parent_is_no_cycle() -> None:
    tasks = [task("110"), task("110_1", "110", parent="110"), task("110_2", "110_1", parent="110"), task("111", "110")]
    assert not find_cycles(Relations(tasks)).groups


def test_parents_in_a_loop() -> None:
    report = find_cycles(Relations([task("1", parent="2"), task("2", parent="1")]))
    assert chains(report) == [("1", "2", "1")]
    assert report.groups[0].kind is EdgeKind.PARENT


def test_a_part_that_waits_for_a_follower_of_its_parent() -> None:
    report = find_cycles(Relations([task("1"), task("1_1", "2", parent="1"), task("2", "1")]))
    (group,) = report.groups
    assert group.kind is EdgeKind.PARENT
    assert chains(report) == [("1", "1_1", "2", "1")]
    assert [edge.kind.value for edge in group.cycles[0].edges] == ["parent-child", "declared", "declared"]


def test_data_flow_both_ways() -> None:
    relations = Relations([task("A"), task("B")])
    report = find_cycles(relations, [flow("A", "b.json", "a.json"), flow("B", "a.json", "b.json")])
    (group,) = report.groups
    assert group.kind is EdgeKind.DATA_FLOW
    assert chains(report) == [("A", "B", "A")]
    assert [edge.path for edge in group.cycles[0].edges] == ["b.json", "a.json"]
    assert group.cycles[0].certain
    assert report.order == ("A", "B")


def test_data_flow_against_a_declared_dependency() -> None:
    relations = Relations([task("A", "B"), task("B")])
    report = find_cycles(relations, [flow("A", "", "a*.json"), flow("B", "a1.json")])
    assert [edge.kind.value for edge in report.cycles[0].edges] == ["declared", "data-flow"]
    assert not report.cycles[0].certain


def test_neither_edits_nor_files_updated_in_place_are_data_flow() -> None:
    relations = Relations([task("A"), task("B")])
    assert not find_cycles(relations, [flow("A", "p", "p"), flow("B", "p", "p")]).groups
    edits = [flow("A", "b", "a", origin=Origin.EDIT), flow("B", "a", "b", origin=Origin.EDIT)]
    assert not find_cycles(relations, edits).groups


def test_a_graph_with_a_million_cycles_and_more() -> None:
    layers = [[f"{layer}_{index}" for index in range(4)] for layer in range(12)]
    tasks: list[Task] = []
    for layer, names in enumerate(layers):
        following = layers[(layer + 1) % len(layers)]
        tasks.extend(task(name, *following) for name in names)
    (group,) = find_cycles(Relations(tasks)).groups
    assert len(group.members) == 48
    assert len(group.cuts) == 16
    assert group.fewest_cuts_proven
    complete = [task(str(one), *(str(two) for two in range(40) if two != one)) for one in range(40)]
    (group,) = find_cycles(Relations(complete)).groups
    assert (len(group.cuts), group.fewest_cuts_proven) == (40 * 39 // 2, True)
    assert not group.all_edges_shown


def test_a_long_ring() -> None:
    count = 5_000
    report = find_cycles(Relations([task(str(index), str((index + 1) % count)) for index in range(count)]))
    assert len(report.cycles[0].chain) == count + 1
    assert len(report.groups[0].cuts) == 1


arcs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=16)


@given(arcs)
@settings(max_examples=200, deadline=None)
def test_feedback_arcs_are_fewest(edges: list[tuple[int, int]]) -> None:
    cut, bound = feedback_arcs(range(6), edges)
    assert len(cut) == bound
    kept: nx.DiGraph[int] = nx.DiGraph(pair for pair in set(edges) if pair not in cut)
    assert nx.is_directed_acyclic_graph(kept)
    fewest = min(
        sum(order[source] >= order[target] for source, target in set(edges))
        for order in itertools.permutations(range(6))
    )
    assert len(cut) == fewest


@given(st.integers(14, 30), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_heuristic_leaves_no_cycle_and_its_bound_holds(count: int, random: Random) -> None:
    edges = [(random.randrange(count), random.randrange(count)) for _ in range(4 * count)]
    cut, bound = feedback_arcs(range(count), edges)
    assert bound <= len(cut)
    assert nx.is_directed_acyclic_graph(nx.DiGraph(pair for pair in set(edges) if pair not in cut))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
@settings(max_examples=200, deadline=None)
def test_components_agree_with_networkx(edges: list[tuple[int, int]]) -> None:
    successors = [[target for source, target in edges if source == vertex] for vertex in range(10)]
    graph: nx.DiGraph[int] = nx.DiGraph(edges)
    graph.add_nodes_from(range(10))
    found = strongly_connected_components(successors)
    assert sorted(found) == sorted(sorted(component) for component in nx.strongly_connected_components(graph))
    place = {vertex: index for index, component in enumerate(found) for vertex in component}
    assert all(place[target] <= place[source] for source, target in edges)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20))
@settings(max_examples=200, deadline=None)
def test_every_chain_is_closed_and_made_of_edges(edges: list[tuple[int, int]]) -> None:
    tasks = [task(str(index), *(str(b) for a, b in dict.fromkeys(edges) if a == index)) for index in range(7)]
    report = find_cycles(Relations(tasks))
    for cycle in report.cycles:
        assert cycle.chain[0] == cycle.chain[-1]
        assert len(set(cycle.chain[:-1])) == len(cycle.chain) - 1
        assert [(edge.source, edge.target) for edge in cycle.edges] == list(itertools.pairwise(cycle.chain))
    graph: nx.DiGraph[str] = nx.DiGraph((str(a), str(b)) for a, b in edges)
    assert (report.order is None) == (not nx.is_directed_acyclic_graph(graph)) == bool(report.groups)
    cuts = {(edge.source, edge.target) for group in report.groups for edge in group.cuts}
    graph.remove_edges_from(cuts)
    assert nx.is_directed_acyclic_graph(graph)
