"""The conflict index against a comparison of all pairs."""

from __future__ import annotations

import itertools
from random import Random  # noqa: TC003 (hypothesis resolves annotations at run time)

from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.gates.conflicts import Conflict, ConflictIndex, ConflictKind, Weight, find_conflicts, overlapping_pairs
from taskgates.gates.footprint import Footprint, Origin, Touch, footprint_of
from taskgates.gates.relations import Relations, bits_of
from taskgates.model.access import Access, AccessSet, Certainty, Operation
from taskgates.model.patterns import PathPattern
from taskgates.model.spans import Site, SourceSpan
from taskgates.model.task import DeclaredPath, Reference, Task

SPAN = SourceSpan("tasks.json", 1, 1, 1, 2)


def footprint(task_id: str, writes: str = "", reads: str = "", imports: str = "", edits: str = "") -> Footprint:
    def touches(paths: str, operation: Operation, origin: Origin) -> tuple[Touch, ...]:
        return tuple(Touch(PathPattern(path).text, operation, origin, SPAN) for path in paths.split())

    return Footprint(
        task_id=task_id,
        span=SPAN,
        writes=touches(edits, Operation.UPDATE, Origin.EDIT) + touches(writes, Operation.OVERWRITE, Origin.RUNTIME),
        reads=touches(reads, Operation.READ, Origin.RUNTIME),
        imports=tuple(imports.split()),
    )


def task(task_id: str, *depends_on: str, parent: str | None = None) -> Task:
    return Task(
        id=task_id,
        format="test",
        span=SPAN,
        depends_on=tuple(Reference(other, SPAN) for other in depends_on),
        parent=Reference(parent, SPAN) if parent else None,
    )


def summary(conflicts: list[Conflict]) -> list[tuple[str, str, str, str]]:
    return [(conflict.kind.value, conflict.first, conflict.second, conflict.path) for conflict in conflicts]


def test_each_kind() -> None:
    found = find_conflicts(
        [
            footprint("1", writes="out/a.json", reads="data/x.csv"),
            footprint("2", writes="out/*.json", reads="data/x.csv"),
            footprint("10", reads="out/"),
            footprint("11", edits="src/lib.py"),
            footprint("12", imports="src/lib.py"),
        ],
        read_read=True,
    )
    assert summary(found) == [
        ("write-write", "1", "2", "out/a.json"),
        ("read-write", "1", "10", "out/a.json"),
        ("read-write", "2", "10", "out/*.json"),
        ("edit-import", "11", "12", "src/lib.py"),
        ("read-read", "1", "2", "data/x.csv"),
    ]
    assert [conflict.weight for conflict in found] == [
        Weight.BLOCKING,
        Weight.WARNING,
        Weight.WARNING,
        Weight.WARNING,
        Weight.INFO,
    ]
    assert [conflict.writer for conflict in found] == [None, "1", "2", "11", None]


def test_one_conflict_for_a_pair_and_path_with_the_gravest_kind() -> None:
    found = find_conflicts([footprint("a", writes="x", reads="x"), footprint("b", writes="x", reads="x")])
    assert summary(found) == [("write-write", "a", "b", "x")]


def test_related_tasks_do_not_conflict() -> None:
    tasks = [task("1"), task("2", "1"), task("3", "2"), task("4", parent="1"), task("5")]
    found = find_conflicts([footprint(each.id, writes="x") for each in tasks], Relations(tasks))
    assert [(conflict.first, conflict.second) for conflict in found] == [
        ("1", "5"),
        ("2", "4"),
        ("2", "5"),
        ("3", "4"),
        ("3", "5"),
        ("4", "5"),
    ]


def test_edits_and_runtime_accesses_are_told_apart() -> None:
    site = Site("run.py", 3, 5, "<module>", "open")
    access = AccessSet(
        writes=(Access("out.json", Certainty.EXACT, False, Operation.OVERWRITE, (site,)),),
        reads=(
            Access(None, Certainty.UNKNOWN, False, Operation.READ, (site,)),
            Access("seen", Certainty.EXACT, False, Operation.STAT, (site,)),
        ),
    )
    one = footprint_of(Task(id="1", format="test", span=SPAN, edits=(DeclaredPath("out.json", SPAN),)), access)
    two = footprint_of(Task(id="2", format="test", span=SPAN), access)
    (conflict,) = find_conflicts([one, two])
    assert (conflict.first_touch.origin, conflict.second_touch.origin) == (Origin.RUNTIME, Origin.RUNTIME)
    assert conflict.first_touch.span == site.span
    assert [touch.origin for touch in conflict.first_touches] == [Origin.RUNTIME, Origin.EDIT]
    assert conflict.both_run
    assert not conflict.both_edit
    assert len(two.unknown) == 1
    assert not two.reads


def test_an_exact_path_may_hold_wildcard_characters() -> None:
    def writer(task_id: str, path: str) -> Footprint:
        access = AccessSet(writes=(Access(path, Certainty.EXACT, False, Operation.CREATE),))
        return footprint_of(task(task_id), access)

    assert not find_conflicts([writer("1", "app/[id].ts"), writer("2", "app/i.ts")])
    assert len(find_conflicts([writer("1", "app/[id].ts"), writer("2", "app/[id].ts")])) == 1


def test_who_touches_a_folder_as_a_whole_touches_what_is_in_it() -> None:
    delete = Access("out", Certainty.EXACT, False, Operation.DELETE)
    removing = footprint_of(task("1"), AccessSet(writes=(delete,)))
    found = find_conflicts([removing, footprint("2", writes="out/deep/x.json"), footprint("3", writes="outer/x")])
    assert summary(found) == [("write-write", "1", "2", "out/deep/x.json")]


def test_a_listing_meets_the_entries_of_the_folder_only() -> None:
    listing = Access("data", Certainty.EXACT, False, Operation.LIST)
    lister = footprint_of(task("1"), AccessSet(reads=(listing,)))
    found = find_conflicts([lister, footprint("2", writes="data/x"), footprint("3", writes="data/deep/x")])
    assert summary(found) == [("read-write", "1", "2", "data/x")]


def test_declared_accesses_count_only_without_code() -> None:
    declared = Task(
        id="1", format="dvc", span=SPAN, writes=(DeclaredPath("out/", SPAN),), reads=(DeclaredPath("in", SPAN),)
    )
    assert [touch.path for touch in footprint_of(declared, None).writes] == ["out/"]
    assert footprint_of(declared, AccessSet()).writes == ()


pieces = st.sampled_from(["a", "b", "*", "a*", "*.py", "a.py", "**", "[ab]", "b**.py", "?"])
paths = st.builds(
    lambda parts, slash: "/".join(parts) + slash, st.lists(pieces, min_size=1, max_size=3), st.sampled_from(["", "/"])
)


def meet(one: PathPattern, two: PathPattern) -> bool:
    """Whether two patterns meet, by definition: they overlap, or one is a file above the other."""
    if one.overlaps(two):
        return True
    return any(
        above.literal is not None and below.literal_segments[: len(above.literal_segments)] == above.literal_segments
        for above, below in ((one, two), (two, one))
    )


@given(st.lists(paths, min_size=2, max_size=12, unique=True))
@settings(max_examples=200, deadline=None)
def test_the_index_finds_what_all_pairs_find(texts: list[str]) -> None:
    patterns = sorted({PathPattern(text) for text in texts})
    expected = {(one.text, two.text) for one, two in itertools.combinations(patterns, 2) if meet(one, two)}
    assert overlapping_pairs(patterns) == expected


groups = st.lists(
    st.tuples(st.lists(paths, max_size=2), st.lists(paths, max_size=2), st.lists(st.sampled_from(["a", "b/a.py"]))),
    min_size=2,
    max_size=6,
)


def make(group: list[tuple[list[str], list[str], list[str]]]) -> list[Footprint]:
    return [
        footprint(str(index), " ".join(writes), " ".join(reads), " ".join(imports))
        for index, (writes, reads, imports) in enumerate(group)
    ]


@given(groups)
@settings(max_examples=100, deadline=None)
def test_adjacency_and_conflicts_agree(group: list[tuple[list[str], list[str], list[str]]]) -> None:
    index = ConflictIndex(make(group))
    pairs = {(conflict.first, conflict.second) for conflict in index.find()}
    edges = {
        (index.ids[one], index.ids[two])
        for one, mask in enumerate(index.adjacency())
        for two in bits_of(mask)
        if one < two
    }
    assert edges == pairs


@given(groups, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_validation_is_symmetric_and_monotone(
    group: list[tuple[list[str], list[str], list[str]]], random: Random
) -> None:
    footprints = make(group)
    found = find_conflicts(footprints, read_read=True)
    shuffled = list(footprints)
    random.shuffle(shuffled)
    assert find_conflicts(shuffled, read_read=True) == found
    fewer = find_conflicts(footprints[:-1], read_read=True)
    assert [conflict for conflict in found if footprints[-1].task_id not in (conflict.first, conflict.second)] == fewer
    ids = {each.task_id for each in footprints[:-1]}
    assert ConflictIndex(footprints).find(ids=ids, read_read=True) == fewer


def test_kinds_are_ordered_by_gravity() -> None:
    assert [kind.rank for kind in ConflictKind] == [0, 1, 2, 3]


def test_files_that_are_only_locked_do_not_conflict() -> None:
    def does(task_id: str, *calls: str) -> Footprint:
        sites = tuple(Site("job.py", line, 1, "work", call) for line, call in enumerate(calls, start=1))
        access = AccessSet(writes=(Access("a.lock", Certainty.EXACT, False, Operation.OVERWRITE, sites),))
        span = SourceSpan(f"{task_id}.json")
        declared = (DeclaredPath("a.lock", span),)
        return footprint_of(Task(id=task_id, format="t", span=span, edits=declared), access)

    locking = [does("1", "filelock.FileLock"), does("2", "filelock.FileLock", "flock")]
    assert find_conflicts(locking) == []
    writing = does("3", "filelock.FileLock", "builtins.open")
    assert len(find_conflicts([writing, does("4", "builtins.open")])) == 1
