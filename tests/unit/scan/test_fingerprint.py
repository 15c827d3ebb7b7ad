"""Fingerprints survive moved lines and tell equals apart."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.model.finding import Finding, Severity
from taskgates.model.spans import SourceSpan
from taskgates.scan.fingerprint import with_fingerprints


def finding(line: int = 1, **changes: object) -> Finding:
    base = Finding(
        rule="TG701",
        severity=Severity.ERROR,
        message=f"written at line {line}",
        span=SourceSpan("src/a.py", line, 3, line, 9),
        tasks=("1",),
        path="out.txt",
        key=("save",),
    )
    return msgspec.structs.replace(base, **changes)


def fingerprints(*findings: Finding) -> list[str]:
    return [each.fingerprint for each in with_fingerprints(findings)]


@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_moved_lines_change_nothing(one: Any, two: Any) -> None:
    assert fingerprints(finding(one)) == fingerprints(finding(two))


def test_everything_else_counts() -> None:
    base = finding()
    others = [
        finding(rule="TG702"),
        finding(tasks=("2",)),
        finding(path="out.csv"),
        finding(key=("load",)),
        finding(span=SourceSpan("src/b.py")),
    ]
    assert len(set(fingerprints(base, *others))) == 1 + len(others)


def test_the_order_of_tasks_does_not_count() -> None:
    assert fingerprints(finding(tasks=("1", "2"))) == fingerprints(finding(tasks=("2", "1")))


def test_equals_are_told_apart_by_rank_and_keep_it() -> None:
    three = fingerprints(finding(4), finding(9), finding(12))
    assert len(set(three)) == 3
    assert fingerprints(finding(104), finding(109)) == three[:2]


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=3), st.text(max_size=3))
def test_any_text_has_a_fingerprint(tasks: Any, path: Any) -> None:
    (made,) = fingerprints(finding(tasks=tuple(tasks), path=path))
    assert len(made) == 32
