"""Kills the runner at random moments and looks at what is left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from functional.runtime.task_repository import add_task, status
from taskgates.runtime.journal import Journal, RunState
from taskgates.runtime.locks import LockManager
from unit.runtime.tree_states import snapshot

SCRIPT = Path(__file__).with_name("run_tasks.py")
TESTS = Path(__file__).parents[2]


def build(root: Path) -> None:
    """Five tasks in three layers; every command passes through states that must never be left behind."""
    root.mkdir(parents=True)
    (root / "data.txt").write_text("original\n")
    (root / "data.txt").chmod(0o640)
    (root / "old").mkdir()
    (root / "old/keep.txt").write_text("keep\n")
    slow = "sleep 0.0{}"
    add_task(root, "1", f"printf half > a.txt; {slow.format(5)}; printf '1\\n' > a.txt; echo 1 >> ../count", ["a.txt"])
    add_task(
        root,
        "2",
        f"printf broken > data.txt; {slow.format(3)}; mkdir -p out/x; {slow.format(2)}; printf '2\\n' > out/x/b.txt;"
        " printf 'second\\n' > data.txt; echo 2 >> ../count",
        ["data.txt", "out/"],
    )
    add_task(root, "3", f"rm -r old; {slow.format(5)}; mkdir old; printf '3\\n' > old/new.txt", ["old/"])
    add_task(
        root,
        "4",
        f"cat a.txt data.txt > d.txt; {slow.format(4)}; cat old/new.txt >> d.txt",
        ["d.txt"],
        dependencies=["1", "2", "3"],
    )
    add_task(root, "5", f"{slow.format(2)}; cp d.txt e.txt", ["e.txt"], dependencies=["4"])


EXPECTED = {
    "a.txt": "1\n",
    "data.txt": "second\n",
    "out/x/b.txt": "2\n",
    "old/new.txt": "3\n",
    "d.txt": "1\nsecond\n3\n",
    "e.txt": "1\nsecond\n3\n",
}


def start(root: Path, action: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(root), action],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stderr=subprocess.PIPE,
    )


def finish(root: Path, action: str) -> None:
    process = start(root, action)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()


def assert_done(root: Path) -> None:
    files = {
        path.relative_to(root).as_posix(): path.read_text()
        for path in root.rglob("*")
        if path.is_file() and not path.relative_to(root).as_posix().startswith((".taskgates", ".claude"))
    }
    assert files == EXPECTED
    assert (root / "data.txt").stat().st_mode & 0o777 == 0o640
    assert {status(root, name) for name in "12345"} == {"Finished"}
    assert LockManager(root).status() == ()


def length_of_a_run(folder: Path) -> float:
    root = folder / "measured" / "repository"
    build(root)
    began = time.monotonic()
    finish(root, "run")
    assert_done(root)
    return time.monotonic() - began


@pytest.mark.slow
def test_kill_9_at_random_moments_loses_nothing(tmp_path: Path) -> None:
    source = random.Random(7)
    total = length_of_a_run(tmp_path)
    kills = 0
    attempt = 0
    while kills < 52:
        attempt += 1
        root = tmp_path / str(attempt) / "repository"
        build(root)
        before = snapshot(root, folder_times=False)
        action = "run"
        while True:
            process = start(root, action)
            time.sleep(source.uniform(0.15, 1.0) * total)
            if process.poll() is not None:
                process.communicate()
                break
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
            if not any(run.is_open for run in Journal(root).runs()):
                # Killed before the run began, or when it was over already.
                break
            action = "resume"
            if kills % 3 == 0:
                finish(root, "rollback")
                assert snapshot(root, folder_times=False) == before
                break
        open_runs = [run for run in Journal(root).runs() if run.is_open]
        if open_runs:
            finish(root, "resume")
        elif not any(run.state is RunState.FINISHED for run in Journal(root).runs()):
            finish(root, "run")
        assert_done(root)


@pytest.mark.slow
def test_kill_9_while_a_failed_run_is_undone(tmp_path: Path) -> None:
    source = random.Random(11)
    for attempt in range(12):
        root = tmp_path / str(attempt) / "repository"
        build(root)
        for number in range(60):
            (root / f"old/{number}.txt").write_text(str(number))
        add_task(root, "5", "rm -r old; echo half > e.txt; exit 1", ["e.txt", "old/"], dependencies=["4"])
        before = snapshot(root, folder_times=False)
        process = start(root, "run")
        # The longer the rollback takes, the better it is hit: it begins when the last task has begun to fail.
        while not (root / "e.txt").exists() and process.poll() is None:
            time.sleep(0.002)
        time.sleep(source.uniform(0.0, 0.12))
        process.kill()
        process.communicate()
        if any(run.is_open for run in Journal(root).runs()):
            state = next(run.state for run in Journal(root).runs())
            finish(root, "resume" if state is RunState.ROLLING_BACK else "rollback")
        assert snapshot(root, folder_times=False) == before
        assert LockManager(root).clean() is not None
        assert LockManager(root).status() == ()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_the_run_in_order(tmp_path: Path, number: signal.Signals) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    (root / "data.txt").write_text("original\n")
    add_task(root, "1", "echo 1 > a.txt", ["a.txt"])
    text = "echo half > data.txt; (sleep 60 & echo $! > ../pid); [ -e ../go ] || sleep 60; echo new > data.txt"
    add_task(root, "2", text, ["data.txt"], dependencies=["1"])
    process = start(root, "run")
    while (root / "data.txt").read_text() == "original\n":
        time.sleep(0.01)
    time.sleep(0.1)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 1
    assert (root / "data.txt").read_text() == "original\n"
    assert (root / "a.txt").read_text() == "1\n"
    assert LockManager(root).status() == ()
    pid = int((tmp_path / "pid").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    (tmp_path / "go").touch()
    finish(root, "resume")
    assert (root / "data.txt").read_text() == "new\n"
