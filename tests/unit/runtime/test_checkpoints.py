from __future__ import annotations

import errno
import os
import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from taskgates.runtime import blob_store
from taskgates.runtime.blob_store import BlobStore
from taskgates.runtime.checkpoints import CheckpointStore, create_checkpoint, restore_checkpoint
from taskgates.runtime.errors import CheckpointError, RestoreError, StateDirectoryError
from unit.runtime.tree_states import change, random_path, snapshot

PATTERNS = st.sampled_from(
    [["."], ["dir/"], ["dir", "sub"], ["a"], ["*.csv"], ["dir/*.csv"], ["**/*.csv"], ["sub/**"], ["dir/sub/a", "a"]]
)


def covered_by(patterns: list[str], path: str) -> bool:
    """Independent membership test for the patterns above."""
    for pattern in patterns:
        if pattern in (".", "**"):
            return True
        parts = path.split("/")
        if "*" not in pattern:
            literal = pattern.rstrip("/")
            if path == literal or path.startswith(literal + "/"):
                return True
        for end in range(1, len(parts) + 1):
            head = parts[:end]
            if pattern == "*.csv" and end == 1 and head[0].endswith(".csv"):
                return True
            if pattern == "dir/*.csv" and end == 2 and head[0] == "dir" and head[1].endswith(".csv"):
                return True
            if pattern == "**/*.csv" and head[-1].endswith(".csv"):
                return True
            if pattern == "sub/**" and end >= 2 and head[0] == "sub":
                return True
    return False


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), PATTERNS)
@example(1697, ["sub/**"])
@example(23379, ["dir/*.csv"])
def test_restore_puts_back_what_is_covered_and_leaves_the_rest(seed: int, patterns: list[str]) -> None:
    source = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for _ in range(source.randint(0, 25)):
            change(root, random_path(source), source)
        before = snapshot(root)
        checkpoint = create_checkpoint(patterns, root=root)
        assert snapshot(root) == before
        for _ in range(source.randint(0, 15)):
            change(root, random_path(source), source)
        dirty = snapshot(root, folder_times=False)
        report = restore_checkpoint(checkpoint.id, root=root)
        after = snapshot(root)
        expected = {path: state for path, state in before.items() if covered_by(patterns, path)}
        got = {path: state for path, state in after.items() if covered_by(patterns, path)}
        # A folder that is covered has its own time; what others did in it since is undone too, so it is exact.
        assert got == expected
        # Nothing else was touched, but for folders on the way to what is covered.
        through_link = any(
            before.get(str(parent), "?")[0] == "link" for pattern in patterns for parent in Path(pattern).parents
        )
        if through_link or any((root / entry.path).is_symlink() for entry in checkpoint.entries):
            # What a covered link points to is covered as well; the patterns alone do not tell.
            return
        moved = {path for path, _ in report.displaced}
        after = snapshot(root, folder_times=False)
        for path, state in dirty.items():
            places = (path, *map(str, Path(path).parents))
            if any(
                pattern.startswith(place + "/") and before.get(place, "?")[0] != "folder"
                for pattern in patterns
                for place in places
            ):
                # It stood where a covered path needs a folder, so it is part of the recorded state.
                continue
            if covered_by(patterns, path) or any(path == gone or path.startswith(gone + "/") for gone in moved):
                continue
            if state[0] != "folder":
                assert after[path] == state
        # A second restore finds nothing to do.
        assert CheckpointStore(root).differences(checkpoint) == ()
        again = restore_checkpoint(checkpoint, root=root)
        assert (again.restored, again.removed) == ((), ())


def test_whole_tree_comes_back_exactly(tmp_path: Path) -> None:
    source = random.Random(5)
    for _ in range(60):
        change(tmp_path, random_path(source), source)
    (tmp_path / "empty").mkdir(mode=0o750)
    before = snapshot(tmp_path)
    checkpoint = create_checkpoint(["."], root=tmp_path)
    for child in tmp_path.iterdir():
        if child.name == ".taskgates":
            continue
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()
    restore_checkpoint(checkpoint, root=tmp_path)
    assert snapshot(tmp_path) == before


def test_created_folders_go_when_they_are_empty(tmp_path: Path) -> None:
    checkpoint = create_checkpoint(["out/deep/a.csv"], root=tmp_path)
    (tmp_path / "out/deep").mkdir(parents=True)
    (tmp_path / "out/deep/a.csv").write_text("x")
    assert restore_checkpoint(checkpoint, root=tmp_path).removed == ("out", "out/deep", "out/deep/a.csv")
    assert not (tmp_path / "out").exists()
    (tmp_path / "out/deep").mkdir(parents=True)
    (tmp_path / "out/deep/a.csv").write_text("x")
    (tmp_path / "out/other").write_text("somebody else's")
    restore_checkpoint(checkpoint, root=tmp_path)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["other"]


def test_obstacle_outside_the_covered_set_is_moved_aside(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a").write_text("data")
    checkpoint = create_checkpoint(["out/a"], root=tmp_path)
    shutil.rmtree(tmp_path / "out")
    (tmp_path / "out").write_text("a file where the folder was")
    report = restore_checkpoint(checkpoint, root=tmp_path)
    assert (tmp_path / "out/a").read_text() == "data"
    ((path, place),) = report.displaced
    assert path == "out"
    assert Path(place).read_text() == "a file where the folder was"


def test_nothing_is_removed_behind_a_link_that_was_put_in_the_way(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    other.mkdir()
    (other / "precious.csv").write_text("mine")
    (root / "out").mkdir(parents=True)
    for patterns in (["out/*.csv"], ["out/precious.csv"], ["out/"]):
        checkpoint = create_checkpoint(patterns, root=root)
        (root / "out").rmdir()
        (root / "out").symlink_to(other)
        restore_checkpoint(checkpoint, root=root)
        assert not (root / "out").is_symlink()
        assert list((root / "out").iterdir()) == []
        assert (other / "precious.csv").read_text() == "mine"


def test_hard_links_stay_together(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    os.link(tmp_path / "a", tmp_path / "b")
    checkpoint = create_checkpoint(["a"], root=tmp_path)
    (tmp_path / "a").write_text("changed")
    restore_checkpoint(checkpoint, root=tmp_path)
    assert (tmp_path / "b").read_text() == "one"
    assert (tmp_path / "a").samefile(tmp_path / "b")


def test_read_only_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a").write_text("one")
    (tmp_path / "d/a").chmod(0o400)
    (tmp_path / "d").chmod(0o500)
    before = snapshot(tmp_path)
    checkpoint = create_checkpoint(["d/a"], root=tmp_path)
    (tmp_path / "d").chmod(0o700)
    (tmp_path / "d/a").unlink()
    (tmp_path / "d").chmod(0o500)
    restore_checkpoint(checkpoint, root=tmp_path)
    assert snapshot(tmp_path) == before
    (tmp_path / "d").chmod(0o700)


def test_full_disk_during_restore_is_reported_and_resumable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name * 10)
    before = snapshot(tmp_path)
    checkpoint = create_checkpoint(["a", "b", "c"], root=tmp_path)
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("broken")
    real = os.fsync
    calls = iter(range(100))

    def full(descriptor: int) -> None:
        if next(calls) >= 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RestoreError, match="No space left on device") as caught:
        restore_checkpoint(checkpoint, root=tmp_path)
    assert [path for path, _ in caught.value.failures] == ["b", "c"]
    assert (tmp_path / "a").read_text() == "a" * 10
    # What could not be restored is still what it was, never half a file.
    assert (tmp_path / "b").read_text() == "broken"
    assert not list(tmp_path.glob(".*-tmp"))
    monkeypatch.undo()
    restore_checkpoint(checkpoint, root=tmp_path)
    assert snapshot(tmp_path) == before


def test_vanished_content_stops_the_restore_before_it_touches_anything(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("two")
    checkpoint = create_checkpoint(["a", "b"], root=tmp_path)
    (tmp_path / "a").write_text("changed")
    (tmp_path / "b").write_text("changed")
    digest = next(entry.digest for entry in checkpoint.entries if entry.path == "b")
    BlobStore(tmp_path / ".taskgates/checkpoints/objects").path(digest).unlink()
    with pytest.raises(CheckpointError, match="stored content of b"):
        restore_checkpoint(checkpoint, root=tmp_path)
    assert (tmp_path / "a").read_text() == "changed"


def test_damaged_content_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    checkpoint = create_checkpoint(["a"], root=tmp_path)
    (tmp_path / "a").write_text("changed")
    digest = next(entry.digest for entry in checkpoint.entries if entry.path == "a")
    BlobStore(tmp_path / ".taskgates/checkpoints/objects").path(digest).write_text("ONE")
    with pytest.raises(RestoreError, match="damaged"):
        restore_checkpoint(checkpoint, root=tmp_path)
    assert (tmp_path / "a").read_text() == "changed"


def test_unwritable_store_makes_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("one")
    store = CheckpointStore(tmp_path)

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "objects")

    monkeypatch.setattr(BlobStore, "_copy", full)
    with pytest.raises(CheckpointError, match="no checkpoint: objects: No space left"):
        store.create(["a"])
    assert store.identifiers() == ()


def test_unknown_and_damaged_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint nothing"):
        restore_checkpoint("nothing", root=tmp_path)
    checkpoint = create_checkpoint(["a"], root=tmp_path)
    (tmp_path / f".taskgates/checkpoints/manifests/{checkpoint.id}.json").write_text("{")
    with pytest.raises(CheckpointError, match="damaged checkpoint"):
        restore_checkpoint(checkpoint.id, root=tmp_path)
    with pytest.raises(StateDirectoryError, match="no such folder"):
        create_checkpoint(["a"], root=tmp_path / "missing")


def test_same_content_is_stored_once_and_collected(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("the same")
    store = CheckpointStore(tmp_path)
    first = store.create(["a", "b", "c"])
    (tmp_path / "a").write_text("new")
    second = store.create(["a"])
    objects = tmp_path / ".taskgates/checkpoints/objects"
    assert len(list(objects.glob("*/*"))) == 2
    store.discard(second.id)
    assert store.collect() == 1
    store.restore(first)
    assert (tmp_path / "a").read_text() == "the same"
    store.discard(first.id)
    assert store.collect() == 1


def test_file_that_keeps_changing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x")
    real = blob_store.hash_file

    def meanwhile(place: str) -> str:
        digest = real(place)
        with path.open("ab") as stream:
            stream.write(b"y")
        return digest

    monkeypatch.setattr(blob_store, "hash_file", meanwhile)
    with pytest.raises(CheckpointError, match="changes while it is being recorded"):
        create_checkpoint(["log"], root=tmp_path)
    monkeypatch.undo()
    create_checkpoint(["log"], root=tmp_path)


def test_version_control_is_not_covered_by_the_whole_tree(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/index").write_text("one")
    checkpoint = create_checkpoint(["."], root=tmp_path)
    (tmp_path / ".git/index").write_text("two")
    restore_checkpoint(checkpoint, root=tmp_path)
    assert (tmp_path / ".git/index").read_text() == "two"


def test_installed_packages_are_covered_only_by_name(tmp_path: Path) -> None:
    for name in ("env/pyvenv.cfg", "env/lib/a.py", "web/node_modules/b.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one")
    whole = create_checkpoint(["."], root=tmp_path)
    named = create_checkpoint(["env/lib/a.py"], root=tmp_path)
    assert {entry.path for entry in whole.entries} == {".", "web"}
    for name in ("env/lib/a.py", "web/node_modules/b.js"):
        (tmp_path / name).write_text("two")
    restore_checkpoint(whole, root=tmp_path)
    assert (tmp_path / "env/lib/a.py").read_text() == "two"
    restore_checkpoint(named, root=tmp_path)
    assert (tmp_path / "env/lib/a.py").read_text() == "one"


def test_paths_outside_the_root(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    root.mkdir()
    other.mkdir()
    (other / "a").write_text("one")
    checkpoint = create_checkpoint([str(other / "*"), "../other/b"], root=root)
    (other / "a").write_text("two")
    (other / "b").write_text("new")
    restore_checkpoint(checkpoint, root=root)
    assert {path.name: path.read_text() for path in other.iterdir()} == {"a": "one"}
