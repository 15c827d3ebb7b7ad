"""Globs, held against `glob` and `pathlib`."""

import glob
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.tree.tree import Tree

FILES = [
    "a.txt",
    "b.txt",
    ".h.txt",
    "d/a.txt",
    "d/b.py",
    "d/e/a.txt",
    "d/e/.x/a.txt",
    ".hid/a.txt",
    "d/e/[q].txt",
    "aa/z",
]

SEGMENT = st.sampled_from(
    ["*", "**", "?.txt", "*.txt", "d", "e", "[ab].*", "[!a]*", ".*", ".hid", "a.txt", "[[]q].txt", "none"]
)
PATTERN = st.lists(SEGMENT, min_size=1, max_size=4).map("/".join)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("glob")
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return folder


@settings(max_examples=150)
@given(pattern=PATTERN, recursive=st.booleans())
def test_the_same_as_glob(root: Path, pattern: str, recursive: bool) -> None:
    # `glob` answers `none/**` with `none/`, whether or not there is such a folder, and `**` sometimes with nothing.
    answers = glob.glob(pattern, root_dir=root, recursive=recursive)
    expected = {name.rstrip("/") or "." for name in answers if os.path.exists(f"{root}/{name}")}
    found = set(Tree(root).glob(pattern, recursive=recursive))
    assert found - {"."} == expected - {"."}


@settings(max_examples=150)
@given(pattern=PATTERN)
def test_the_same_as_pathlib(root: Path, pattern: str) -> None:
    if pattern.endswith("**") and sys.version_info < (3, 13):
        # Earlier versions match folders only with a final `**`.
        return
    expected = {path.relative_to(root).as_posix() for path in root.glob(pattern)}
    assert set(Tree(root).glob(pattern, hidden=True)) - {"."} == expected - {"."}
