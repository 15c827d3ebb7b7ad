"""State in memory and coordination files that tasks share."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.gates.conflicts import Weight
from taskgates.gates.footprint import Footprint, Origin, Touch
from taskgates.gates.relations import Relations
from taskgates.gates.shared_state import (
    HazardKind,
    find_hazards,
    find_read_modify_writes,
    find_shared_conflicts,
    role_of,
    shared_state_resources,
)
from taskgates.model.access import Operation, SharedAccess, SharedKind
from taskgates.model.spans import Site, SourceSpan
from taskgates.model.task import Reference, Task

SPAN = SourceSpan("tasks.json", 1, 1, 1, 2)
SITE = Site("jobs.py", 4, 1, "<module>", "open")


def sharing(task_id: str, *accesses: SharedAccess) -> Footprint:
    return Footprint(task_id=task_id, span=SPAN, shared_state=accesses)


def cache(access: str, *guards: str, kind: SharedKind = SharedKind.MODULE_GLOBAL) -> SharedAccess:
    return SharedAccess("pkg.jobs.CACHE", kind, access, guards)


def files(task_id: str, reads: str = "", writes: str = "") -> Footprint:
    return Footprint(
        task_id=task_id,
        span=SPAN,
        reads=tuple(Touch(path, Operation.READ, Origin.RUNTIME, SPAN, site=SITE) for path in reads.split()),
        writes=tuple(Touch(path, Operation.OVERWRITE, Origin.RUNTIME, SPAN, site=SITE) for path in writes.split()),
    )


def test_two_writers_block_and_a_reader_warns() -> None:
    found = find_shared_conflicts(
        [sharing("1", cache("write")), sharing("2", cache("write"), cache("read")), sharing("3", cache("read"))]
    )
    assert [(each.first, each.second, each.weight) for each in found] == [
        ("1", "2", Weight.BLOCKING),
        ("1", "3", Weight.WARNING),
        ("2", "3", Weight.WARNING),
    ]


def test_a_common_guard_protects_and_a_different_one_does_not() -> None:
    lock, other = "pkg.jobs.LOCK", "pkg.jobs.OTHER"
    assert not find_shared_conflicts([sharing("1", cache("write", lock)), sharing("2", cache("write", lock, other))])
    assert find_shared_conflicts([sharing("1", cache("write", lock)), sharing("2", cache("write", other))])


def test_one_unguarded_touch_is_enough() -> None:
    (found,) = find_shared_conflicts(
        [sharing("1", cache("write", "L")), sharing("2", cache("write", "L"), cache("read"))]
    )
    assert (found.weight, found.second_access.access) == (Weight.WARNING, "read")


def test_readers_and_related_tasks_share_in_peace() -> None:
    assert not find_shared_conflicts([sharing("1", cache("read")), sharing("2", cache("read"))])
    tasks = [
        Task(id="1", format="t", span=SPAN),
        Task(id="2", format="t", span=SPAN, depends_on=(Reference("1", SPAN),)),
    ]
    assert not find_shared_conflicts([sharing("1", cache("write")), sharing("2", cache("write"))], Relations(tasks))


def test_the_state_of_a_process_only_warns() -> None:
    chdir = SharedAccess("working-directory", SharedKind.PROCESS, "write")
    assert not find_shared_conflicts([sharing("1", chdir), sharing("2", chdir)])
    (found,) = find_shared_conflicts([sharing("1", chdir), sharing("2", chdir)], process_state=True)
    assert found.weight is Weight.WARNING


accesses = st.builds(
    SharedAccess,
    st.sampled_from(["pkg.A", "pkg.B"]),
    st.just(SharedKind.MODULE_GLOBAL),
    st.sampled_from(["read", "write"]),
    st.sampled_from([(), ("L",), ("M",), ("L", "M")]),
)


@given(st.lists(st.lists(accesses, max_size=3), min_size=2, max_size=5))
def test_resources_keep_exactly_the_conflicting_pairs_apart(group: list[list[SharedAccess]]) -> None:
    footprints = [sharing(str(index), *touches) for index, touches in enumerate(group)]
    marks, checks = shared_state_resources(footprints, 7)
    apart = {
        (one.task_id, two.task_id)
        for one, two in itertools.combinations(footprints, 2)
        if set(marks.get(one.task_id, ())) & set(checks.get(two.task_id, ()))
    }
    assert apart == {(each.first, each.second) for each in find_shared_conflicts(footprints)}
    assert all(number >= 7 for numbers in (*marks.values(), *checks.values()) for number in numbers)


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("data/counter.txt", HazardKind.COUNTER),
        ("state/next_id", HazardKind.COUNTER),
        ("NEXT_ID", HazardKind.COUNTER),
        (".claude/progress.json", HazardKind.PROGRESS_FILE),
        ("task-overview.md", HazardKind.PROGRESS_FILE),
        ("app/config.yaml", HazardKind.CONFIGURATION),
        ("pyproject.toml", HazardKind.CONFIGURATION),
        (".env", HazardKind.CONFIGURATION),
        ("var/jobs.sqlite3", HazardKind.DATABASE),
        ("connection", HazardKind.DATABASE),
        ("run/rate_limit.json", HazardKind.RATE_LIMIT),
        ("src/main.py", None),
        ("data/results.csv", None),
    ],
)
def test_roles(subject: str, kind: HazardKind | None) -> None:
    assert role_of(subject) is kind


def test_hazards_name_all_tasks_and_a_fitting_protection() -> None:
    found = find_hazards(
        [
            files("1", "var/counter.txt", "var/counter.txt"),
            files("2", "var/counter.txt", "var/counter.txt out/a.csv"),
            files("10", "", "out/a.csv var/app.db"),
            files("11", "var/app.db"),
            sharing("12", SharedAccess("pkg.REQUEST_QUOTA", SharedKind.MODULE_GLOBAL, "write")),
            sharing("13", SharedAccess("pkg.REQUEST_QUOTA", SharedKind.MODULE_GLOBAL, "read")),
        ]
    )
    assert [(each.kind, each.subject, each.tasks) for each in found] == [
        (HazardKind.COUNTER, "var/counter.txt", ("1", "2")),
        (HazardKind.DATABASE, "var/app.db", ("10", "11")),
        (HazardKind.RATE_LIMIT, "pkg.REQUEST_QUOTA", ("12", "13")),
    ]
    assert "atomic" in found[0].protection
    assert "pool" in found[1].protection
    assert "limiter" in found[2].protection


def test_read_modify_write() -> None:
    (found,) = find_read_modify_writes([files("1", "n.txt in.csv", "n.txt out.csv"), files("2", "in.csv", "x")])
    assert (found.task_id, found.path) == ("1", "n.txt")
