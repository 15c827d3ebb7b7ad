"""The index over paths answers as asking every pattern would."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.model.patterns import PathPattern
from taskgates.model.spans import SourceSpan
from taskgates.model.task import DeclaredPath
from taskgates.scan.declared import Declaration, literal_folder
from taskgates.scan.path_index import PathIndex

segments = st.sampled_from(["a", "b", "ab", "*", "a*", "?", "**", "[ab]", "[*]"])
patterns = st.builds(
    lambda start, names, end: start + "/".join(names) + end,
    st.sampled_from(["", "", "", "/", "~/", "../"]),
    st.lists(segments, min_size=1, max_size=4),
    st.sampled_from(["", "/"]),
).map(PathPattern)


@settings(deadline=None)
@given(st.lists(patterns, max_size=8), patterns)
def test_the_index_agrees_with_asking_every_pattern(filed: Any, asked: Any) -> None:
    index = PathIndex()
    for number, pattern in enumerate(filed):
        index.add(pattern, str(number))
    expected = [str(number) for number, pattern in enumerate(filed) if pattern.overlaps(asked)]
    assert list(index.owners(asked)) == expected


@settings(deadline=None)
@given(patterns, patterns)
def test_the_quick_way_through_a_folder_agrees_with_the_automata(declared: Any, asked: Any) -> None:
    entry = Declaration(DeclaredPath(declared.text, SourceSpan("m")), "write", declared)
    assert entry.covers(asked) == declared.covers(asked)
    assert entry.overlaps(asked) == declared.overlaps(asked)


def test_literal_folders() -> None:
    assert literal_folder(PathPattern("a/b/")) == "a/b"
    assert literal_folder(PathPattern("a[*]/")) == "a*"
    for other in ("a/b", "a/*/", "./", "/a/", "~/a/", "../a/", "**/"):
        assert literal_folder(PathPattern(other)) is None
