from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.runtime.tree_scan import scan_tree, tree_change
from unit.runtime.tree_states import change, random_path, snapshot


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_scan_finds_every_change_that_size_or_time_shows(seed: int) -> None:
    source = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for _ in range(20):
            change(root, random_path(source), source)
        before, full_before = scan_tree(root), snapshot(root, folder_times=False)
        for _ in range(8):
            change(root, random_path(source), source)
        found = tree_change(before, scan_tree(root))
        full_after = snapshot(root, folder_times=False)
        assert set(found.created) == full_after.keys() - full_before.keys()
        assert set(found.deleted) == full_before.keys() - full_after.keys()
        for path in full_before.keys() & full_after.keys():
            old, new = full_before[path], full_after[path]
            # Only a content of the same length with a forged time may hide.
            if old != new and not (old[:3] == new[:3] and len(old[-1]) == len(new[-1])):
                assert path in found.changed


def test_changes_outside_a_write_set(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "side.txt").write_text("a")
    (tmp_path / "gone.txt").write_text("a")
    before = scan_tree(tmp_path)
    (tmp_path / "out/a.csv").write_text("1")
    (tmp_path / "out/a.json").write_text("1")
    (tmp_path / "side.txt").write_text("ab")
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/m.cpython-311.pyc").write_bytes(b"")
    (tmp_path / ".taskgates").mkdir()
    (tmp_path / ".git").mkdir()
    found = tree_change(before, scan_tree(tmp_path))
    outside = found.outside(["out/*.csv"])
    assert outside.created == ("out/a.json",)
    assert outside.changed == ("side.txt",)
    assert outside.deleted == ("gone.txt",)
    assert outside.paths == ("gone.txt", "out/a.json", "side.txt")
    assert found.outside(["."]).paths == ()


def test_reading_and_touching_a_folder_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/f").write_text("x")
    before = scan_tree(tmp_path)
    (tmp_path / "d/f").read_text()
    os.utime(tmp_path / "d")
    assert tree_change(before, scan_tree(tmp_path)).paths == ()
