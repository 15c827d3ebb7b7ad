"""What `.taskgates` refuses: a repository may come with one of somebody else's making."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from taskgates.runtime.checkpoints import CheckpointStore
from taskgates.runtime.errors import StateDirectoryError, TaskRuntimeError
from taskgates.runtime.events import EventLog
from taskgates.runtime.journal import Journal
from taskgates.runtime.lock_table import LockTable, read_table, write_table
from taskgates.runtime.locks import LockManager
from taskgates.runtime.state import StateDirectory

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.txt").write_text("a")
    return tmp_path / "root"


def lock_and_record(root: Path) -> None:
    manager = LockManager(root)
    with manager.acquire("1", exclusive=["a.txt"], timeout=1):
        pass
    manager.close()
    CheckpointStore(root).create(["a.txt"])
    Journal(root).begin_run("r", ("1",), "{}")


LINKED = [
    ".taskgates",
    ".taskgates/locks",
    ".taskgates/locks/sessions",
    ".taskgates/checkpoints",
    ".taskgates/checkpoints/manifests",
    ".taskgates/checkpoints/objects",
]
DATABASES = [".taskgates/locks/latch.lock", ".taskgates/checkpoints/store.lock", ".taskgates/journal.sqlite"]


@pytest.mark.parametrize("linked", LINKED)
def test_no_link_leads_the_records_out_of_the_repository(root: Path, linked: str) -> None:
    link = root / linked
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(root.parent / "outside")
    with pytest.raises(StateDirectoryError, match="a link"):
        lock_and_record(root)
    assert list((root.parent / "outside").rglob("*")) == []


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("linked", DATABASES)
def test_no_record_is_written_through_a_linked_file(root: Path, linked: str, hard: bool) -> None:
    outside = root.parent / "outside" / "file"
    outside.touch(mode=0o644)
    link = root / linked
    link.parent.mkdir(parents=True, exist_ok=True)
    if hard:
        os.link(outside, link)
    else:
        link.symlink_to(outside)
    with pytest.raises(StateDirectoryError, match="hard link" if hard else "a link"):
        lock_and_record(root)
    assert outside.read_bytes() == b""
    assert outside.stat().st_mode & 0o777 == 0o644


def test_a_folder_of_another_user_or_open_to_all_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = StateDirectory(root).folder("locks")
    folder.chmod(0o777)
    with pytest.raises(StateDirectoryError, match="another user's, or writable by everybody"):
        StateDirectory(root).folder("locks/sessions")
    folder.chmod(0o700)
    StateDirectory(root).folder("locks/sessions")
    if os.geteuid() == 0:
        os.chown(folder, 12345, 12345)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(StateDirectoryError, match="another user's"):
        StateDirectory(root).folder("locks")


def test_the_lock_table_and_the_event_log_follow_no_link(root: Path) -> None:
    outside = root.parent / "outside" / "file"
    outside.write_text("precious")
    folder = StateDirectory(root).folder("locks")
    (folder / "table.new").symlink_to(outside)
    write_table(folder, LockTable())
    assert read_table(folder).granted == []
    (folder / "events.jsonl").symlink_to(outside)
    with pytest.raises(StateDirectoryError, match="symbolic links"):
        EventLog(folder / "events.jsonl")
    assert outside.read_text() == "precious"


def test_a_linked_folder_of_contents_keeps_the_content_inside(root: Path) -> None:
    objects = StateDirectory(root).folder("checkpoints/objects")
    digest = "ca"  # the SHA-256 of "a" begins so
    (objects / digest).symlink_to(root.parent / "outside")
    with pytest.raises(TaskRuntimeError, match="link"):
        CheckpointStore(root).create(["a.txt"])
    assert list((root.parent / "outside").iterdir()) == []
