"""What `verify` runs leaves no mark, whatever happens to it in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from typing import TYPE_CHECKING

import pytest
from functional.runtime.task_repository import add_task, wait_for
from taskgates.model.access import Access, AccessSet, Certainty, Operation
from taskgates.runtime.errors import InterruptedRunError, LockTimeoutError, RestoreError
from taskgates.runtime.executor import SafeParallelExecutor
from taskgates.runtime.journal import Journal
from taskgates.runtime.locks import LockManager
from taskgates.runtime.restoring import Restorer
from taskgates.runtime.task_manager import TaskManager
from taskgates.runtime.tracing import Tracer
from taskgates.runtime.tracing.tracer import available_tracer
from taskgates.runtime.verifying import Verifier, VerifyOptions
from unit.runtime.tree_states import snapshot

if TYPE_CHECKING:
    from pathlib import Path

needs_strace = pytest.mark.skipif(available_tracer() is not Tracer.STRACE, reason="strace cannot trace here")
MESS = (
    "echo changed > data.txt; chmod 600 data.txt; rm -r old; mkdir -p new/deep; echo x > new/deep/file;"
    " ln -s data.txt link; touch ../started"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "old").mkdir(parents=True)
    (root / "old/file").write_text("old\n")
    (root / "data.txt").write_text("precious\n")
    (root / "data.txt").chmod(0o640)
    return root


def verifier(root: Path, **options: object) -> Verifier:
    tasks = TaskManager(root, locks=LockManager(root, timeout=0.3))
    return Verifier(tasks, VerifyOptions(**options), lambda _: None)  # type: ignore[arg-type]


def assert_clean(root: Path) -> None:
    assert LockManager(root).status() == ()
    assert not any(run.is_open for run in Journal(root).runs())
    assert not list((root / ".taskgates/checkpoints/manifests").glob("*"))


@pytest.mark.parametrize("tracer", [pytest.param(Tracer.STRACE, marks=needs_strace), Tracer.AUDIT])
def test_the_tree_is_as_before(root: Path, tracer: Tracer) -> None:
    add_task(root, "1", MESS, ["data.txt", "old/", "new/", "link"])
    add_task(root, "2", "cat data.txt; exit 3", ["data.txt"])
    before = snapshot(root, folder_times=False)
    each = verifier(root, tracer=tracer)
    first, second = each.verify(TaskManager(root).list())
    assert snapshot(root, folder_times=False) == before
    assert first.outcome.succeeded
    assert str(second.outcome) == "exit status 3"
    assert (root / second.log).read_text() == "precious\n", "the second one sees the tree as it was before the first"
    assert_clean(root)


@needs_strace
def test_what_cannot_be_put_back_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What lies in the folder for temporary files counts as temporary, and so does everything that a test writes.
    monkeypatch.setattr(tempfile, "tempdir", str(root.parent / "temporary"))
    (root / ".git").mkdir()
    (root / "environment").mkdir()
    (root / "environment/pyvenv.cfg").touch()
    known = root.parent / "known.txt"
    known.write_text("before\n")
    text = (
        "echo x > ../known.txt; echo x > ../outside.txt; echo x > .git/index; echo x > environment/installed;"
        " echo x > inside.txt"
    )
    add_task(root, "1", text, ["inside.txt"])
    inferred = AccessSet(writes=(Access(str(known), Certainty.EXACT, False, Operation.OVERWRITE),))
    (found,) = Verifier(TaskManager(root), VerifyOptions(), lambda _: inferred).verify(TaskManager(root).list())
    assert set(found.left_changed) == {".git/index", str(root.parent / "outside.txt"), "environment/installed"}
    assert not (root / "inside.txt").exists()
    assert known.read_text() == "before\n"


def test_keep_leaves_what_was_done(root: Path) -> None:
    add_task(root, "1", MESS, ["data.txt"])
    (found,) = verifier(root, keep=True).verify(TaskManager(root).list())
    assert (root / "data.txt").read_text() == "changed\n"
    assert found.left_changed == ()
    assert_clean(root)


def test_stop_puts_back_and_ends(root: Path) -> None:
    add_task(root, "1", "true", ["data.txt"])
    add_task(root, "2", f"{MESS}; sleep 60", ["data.txt"])
    add_task(root, "3", "touch ../third", ["data.txt"])
    before = snapshot(root, folder_times=False)
    each = verifier(root)

    def stop_when_half_done() -> None:
        wait_for((root.parent / "started").exists)
        each.stop("enough")

    thread = threading.Thread(target=stop_when_half_done)
    thread.start()
    assert [one.task for one in each.verify(TaskManager(root).list())] == ["1"]
    thread.join()
    assert snapshot(root, folder_times=False) == before
    assert not (root.parent / "third").exists()
    assert_clean(root)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("action", ["--rollback", "--resume"])
def test_signals(root: Path, number: signal.Signals, action: str) -> None:
    if action == "--resume" and number is not signal.SIGKILL:
        pytest.skip("nothing is left to do")
    add_task(root, "1", f"{MESS}; (sleep 60 & echo $! > ../pid); sleep 60", ["data.txt"])
    before = snapshot(root, folder_times=False)
    program = [sys.executable, "-m", "taskgates"]
    process = subprocess.Popen(
        [*program, "verify", "1", "--no-cache"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    mark = root.parent / "pid"
    wait_for(lambda: mark.exists() and mark.read_text().endswith("\n"), 40)
    pid = int(mark.read_text())
    process.send_signal(number)
    _, errors = process.communicate(timeout=40)
    if number is signal.SIGKILL:
        for command in (["run", "1"], ["verify", "1"]):
            refused = subprocess.run([*program, *command], cwd=root, capture_output=True, text=True, check=False)
            assert refused.returncode == 2
            assert "put them back with `taskgates run --rollback`" in refused.stderr
        done = subprocess.run([*program, "run", action], cwd=root, capture_output=True, text=True, check=False)
        assert "everything is as it was before the run" in done.stdout, done.stderr
    else:
        assert process.returncode == 130
        assert "as it was before" in errors
    assert snapshot(root, folder_times=False) == before
    assert_clean(root)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_refused_beside_a_run_and_after_an_interrupted_one(root: Path) -> None:
    add_task(root, "1", f"{MESS}; sleep 60", ["data.txt", "old/", "new/", "link"])
    executor = SafeParallelExecutor(root)
    thread = threading.Thread(target=executor.run, args=(["1"],))
    thread.start()
    wait_for((root.parent / "started").exists)
    with pytest.raises(LockTimeoutError, match="by task 1"):
        verifier(root).verify(TaskManager(root).list())
    executor.stop()
    thread.join()
    with pytest.raises(InterruptedRunError, match="--rollback"):
        verifier(root).verify(TaskManager(root).list())


def test_failing_to_put_back_is_said_and_can_be_repeated(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_task(root, "1", MESS, ["data.txt"])
    before = snapshot(root, folder_times=False)
    real = Restorer._write_file

    def full(self: Restorer, entry: object, place: str, status: object) -> None:
        raise OSError(28, "No space left on device", place)

    monkeypatch.setattr(Restorer, "_write_file", full)
    with pytest.raises(RestoreError, match="No space left on device"):
        verifier(root).verify(TaskManager(root).list())
    (record,) = [run for run in Journal(root).runs() if run.is_open]
    assert record.id.startswith("verify-")
    monkeypatch.setattr(Restorer, "_write_file", real)
    assert snapshot(root, folder_times=False) != before
