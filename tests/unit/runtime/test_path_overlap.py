from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.runtime.path_overlap import PathSet, canonical_path, paths_overlap

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("a", "b", "ab", "ba")
CONCRETE = [
    "/".join(parts)
    for depth in (1, 2, 3)
    for parts in [tuple(NAMES[i // 4**level % 4] for level in range(depth)) for i in range(4**depth)]
]


def covers(pattern: str, path: str) -> bool:
    """Membership by regular expression, independent of the code under test."""
    if not re.search(r"[*?]", pattern):
        return pattern == "." or path == pattern or path.startswith(pattern + "/")
    return any(matches(pattern, "/".join(path.split("/")[:end])) for end in range(1, path.count("/") + 2))


def matches(pattern: str, path: str) -> bool:
    parts = []
    for segment in pattern.split("/"):
        if segment == "**":
            parts.append("(?:[^/]+/)*")
        else:
            parts.append(re.escape(segment).replace(r"\*", "[^/]*").replace(r"\?", "[^/]") + "/")
    return re.fullmatch("".join(parts), path + "/") is not None


SEGMENTS = st.sampled_from(["a", "b", "ab", "ba", "*", "a*", "*b", "?", "?a", "**"])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)


@given(PATHS, PATHS)
def test_overlap_finds_every_common_file(first: str, second: str) -> None:
    common = any(covers(first, path) and covers(second, path) for path in CONCRETE)
    if common:
        assert paths_overlap(first, second)
        assert paths_overlap(second, first)


@given(PATHS, PATHS)
def test_overlap_claims_nothing_impossible(first: str, second: str) -> None:
    # With at most three segments each, patterns over this alphabet that meet at all meet within six segments.
    if not paths_overlap(first, second) or "**" in first or "**" in second:
        return
    deep = {first.count("/"), second.count("/")}
    universe = [*CONCRETE, "aa", "bb", *(f"{p}/{n}" for p in CONCRETE if p.count("/") == 2 for n in NAMES)]
    if max(deep) <= 2 and not any("?" in p for p in (first, second)):
        assert any(covers(first, path) and covers(second, path) for path in universe)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("out/*.csv", "out/a.csv", True),
        ("out/*.csv", "out/a.json", False),
        ("out/*.csv", "out/sub/a.csv", False),
        ("out/**/*.csv", "out/sub/a.csv", True),
        ("out/**/*.csv", "out/a.csv", True),
        ("out", "out/sub/a.csv", True),
        ("outer", "out", False),
        (".", "out/a", True),
        (".", "/etc/hosts", False),
        ("/tmp/*", "/tmp/x", True),
        ("/tmp/*", "tmp/x", False),
        ("out/[ab].csv", "out/a.csv", True),
        ("out/a*", "out/*z", True),
        ("out/part-*-of-*.txt", "out/part-1-of-2.txt", True),
    ],
)
def test_overlap_examples(first: str, second: str, expected: bool) -> None:
    assert paths_overlap(first, second) is expected
    assert paths_overlap(second, first) is expected


@given(st.lists(PATHS, max_size=4), st.lists(PATHS, max_size=4))
def test_path_sets_agree_with_pairs(first: list[str], second: list[str]) -> None:
    pair = PathSet(first).first_overlap(PathSet(second))
    assert (pair is not None) == any(paths_overlap(a, b) for a in first for b in second)
    if pair is not None:
        assert pair[0] in first
        assert pair[1] in second
        assert paths_overlap(*pair)


def test_two_names_of_one_file_are_one_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    expected = "real/a.csv"
    for name in ("real/a.csv", "./real/a.csv", "link/a.csv", "real/../link/a.csv", str(tmp_path / "link" / "a.csv")):
        assert canonical_path(tmp_path, name) == expected
    assert canonical_path(tmp_path, "link/*.csv") == "real/*.csv"
    assert canonical_path(tmp_path, "out/") == "out"
    assert canonical_path(tmp_path, ".") == "."
    assert canonical_path(tmp_path, "*.csv") == "*.csv"
    assert canonical_path(tmp_path, "/*/x") == "/*/x"
    assert canonical_path(tmp_path, "~/x") == os.path.join(os.path.realpath(os.path.expanduser("~")), "x")


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_impossible_paths_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        canonical_path(tmp_path, path)
