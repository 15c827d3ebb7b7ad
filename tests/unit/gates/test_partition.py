"""Vertex covers and the advice made of them."""

from __future__ import annotations

import itertools
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.gates.conflicts import find_conflicts
from taskgates.gates.footprint import Footprint, Origin, Touch
from taskgates.gates.partition import minimum_vertex_cover, partition_advice
from taskgates.model.access import Operation
from taskgates.model.spans import SourceSpan

SPAN = SourceSpan("tasks.json", 1, 1, 1, 2)


def footprint(task_id: str, edits: str) -> Footprint:
    return Footprint(
        task_id=task_id,
        span=SPAN,
        writes=tuple(Touch(path, Operation.UPDATE, Origin.EDIT, SPAN) for path in edits.split()),
    )


def test_advice_moves_the_task_in_the_middle() -> None:
    found = find_conflicts(
        [footprint("1", "a"), footprint("2", "b"), footprint("3", "c"), footprint("hub", "a b c"), footprint("4", "c")]
    )
    advice = partition_advice(found)
    assert advice.move_out in {("hub", "3"), ("hub", "4"), ("3", "hub"), ("4", "hub")}
    assert advice.proven_smallest
    assert [(hot.path, hot.conflicts, hot.tasks) for hot in advice.hot_files] == [
        ("c", 3, ("3", "4", "hub")),
        ("a", 1, ("1", "hub")),
        ("b", 1, ("2", "hub")),
    ]


def test_no_conflicts_no_advice() -> None:
    advice = partition_advice([])
    assert (advice.move_out, advice.proven_smallest, advice.hot_files) == ((), True, ())


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda pair: pair[0] != pair[1]), max_size=24))
@settings(max_examples=200, deadline=None)
def test_covers_are_smallest(pairs: list[tuple[int, int]]) -> None:
    adjacent = [0] * 9
    for one, two in pairs:
        adjacent[one] |= 1 << two
        adjacent[two] |= 1 << one
    cover, bound = minimum_vertex_cover(adjacent)
    assert len(cover) == bound
    assert all(one in cover or two in cover for one, two in pairs)
    for size in range(len(cover)):
        for smaller in itertools.combinations(range(9), size):
            assert not all(one in smaller or two in smaller for one, two in pairs)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_large_dense_component_gets_a_cover_and_a_bound(seed: int) -> None:
    random = Random(seed)
    count = 120
    adjacent = [0] * count
    for one, two in itertools.combinations(range(count), 2):
        if random.random() < 0.15:
            adjacent[one] |= 1 << two
            adjacent[two] |= 1 << one
    cover, bound = minimum_vertex_cover(adjacent)
    chosen = set(cover)
    assert bound <= len(cover)
    assert all(
        one in chosen or two in chosen for one in range(count) for two in range(count) if adjacent[one] >> two & 1
    )
