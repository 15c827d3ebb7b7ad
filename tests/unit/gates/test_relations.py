"""Dependencies, parents, and what the two imply."""

from __future__ import annotations

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.gates.relations import Relations, bits_of
from taskgates.model.natural_order import natural_key
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Reference, Task

SPAN = SourceSpan("tasks.json", 1, 1, 1, 2)


def task(task_id: str, *depends_on: str, parent: str | None = None, subtasks: tuple[str, ...] = ()) -> Task:
    return Task(
        id=task_id,
        format="test",
        span=SPAN,
        depends_on=tuple(Reference(other, SPAN) for other in depends_on),
        parent=Reference(parent, SPAN) if parent else None,
        subtasks=tuple(Reference(other, SPAN) for other in subtasks),
    )


def test_order_through_others_and_parents() -> None:
    relations = Relations(
        [task("1"), task("2", "1"), task("3", "2"), task("4", parent="3"), task("5", parent="4"), task("6")]
    )
    assert relations.depends_on("3", "1")
    assert not relations.depends_on("1", "3")
    assert relations.all_dependencies("3") == ("1", "2")
    assert relations.ancestors("5") == ("4", "3")
    assert relations.related("5", "3")
    assert relations.related("1", "3")
    assert not relations.related("4", "1")
    assert relations.may_run_together("4", "1")
    assert not relations.may_run_together("6", "6")
    assert not relations.related("6", "nowhere")


def test_a_parent_may_name_its_parts_instead() -> None:
    relations = Relations([task("1", subtasks=("1_1", "1_9")), task("1_1")])
    assert relations.ancestors("1_1") == ("1",)
    assert [(each.task_id, each.reference.id, each.role) for each in relations.unknown_references] == [
        ("1", "1_9", "subtask")
    ]


def test_unknown_dependencies_and_loops_do_not_stop_anything() -> None:
    relations = Relations([task("1", "2", "x"), task("2", "1"), task("3", parent="4"), task("4", parent="3")])
    assert relations.related("1", "2")
    assert relations.related("3", "4")
    assert relations.ancestors("3") == ("4",)
    assert [each.reference.id for each in relations.unknown_references] == ["x"]


def test_the_first_of_two_tasks_with_one_id_counts() -> None:
    relations = Relations([task("1", "2"), task("2"), task("1")])
    assert len(relations) == 2
    assert relations.depends_on("1", "2")


def test_redundant_dependencies_name_what_implies_them() -> None:
    relations = Relations([task("a"), task("b", "a"), task("c", "b", "a", "b")])
    assert [(each.task_id, each.reference.id, each.through) for each in relations.redundant_dependencies] == [
        ("c", "a", "b"),
        ("c", "b", "b"),
    ]


def test_nothing_in_a_cycle_is_redundant() -> None:
    relations = Relations([task("a", "b", "c"), task("b", "a"), task("c")])
    assert not relations.redundant_dependencies


def test_natural_order() -> None:
    assert sorted(["110_10", "110_2", "9", "a10", "a9", "110"], key=natural_key) == [
        "9",
        "110",
        "110_2",
        "110_10",
        "a9",
        "a10",
    ]


edges = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20)


@given(edges)
@settings(max_examples=200, deadline=None)
def test_reach_is_the_transitive_closure(pairs: list[tuple[int, int]]) -> None:
    tasks = [task(str(index), *(str(b) for a, b in pairs if a == index)) for index in range(8)]
    relations = Relations(tasks)
    graph: nx.DiGraph[int] = nx.DiGraph([(a, b) for a, b in pairs if a != b])
    graph.add_nodes_from(range(8))
    closure = nx.transitive_closure(graph)
    assert {(a, b) for a in range(8) for b in bits_of(relations.reach[a])} == set(closure.edges)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] > pair[1]), unique=True))
@settings(max_examples=200, deadline=None)
def test_redundant_dependencies_are_outside_the_transitive_reduction(pairs: list[tuple[int, int]]) -> None:
    relations = Relations([task(str(index), *(str(b) for a, b in pairs if a == index)) for index in range(8)])
    graph: nx.DiGraph[int] = nx.DiGraph(pairs)
    needed = set(nx.transitive_reduction(graph).edges)
    redundant = {(int(each.task_id), int(each.reference.id)) for each in relations.redundant_dependencies}
    assert redundant == set(pairs) - needed


@given(st.integers(min_value=0, max_value=2**300))
def test_bits_of(mask: int) -> None:
    assert sum(1 << bit for bit in bits_of(mask)) == mask
