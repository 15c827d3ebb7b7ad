"""Kills the runner at random moments and looks at what is left."""

from __future__ import annotations

import contextlib
import os
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from functional.runtime.task_repository import add_task, status, wait_for
from taskgates.runtime.journal import Journal, RunState
from taskgates.runtime.locks import LockManager
from unit.runtime.tree_states import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class Run:
    """One process that runs or resumes the tasks of a repository."""

    def __init__(self, runner: Runner, pid: int) -> None:
        self._runner = runner
        self.pid = pid

    def poll(self) -> int | None:
        return self._runner.codes.get(self.pid)

    def wait(self, seconds: float = 60.0) -> int:
        wait_for(lambda: self.poll() is not None, seconds)
        code = self.poll()
        assert code is not None
        with contextlib.suppress(ProcessLookupError):
            # The processes of a pool whose owner was killed wait for work for ever.
            os.killpg(self.pid, signal.SIGKILL)
        return code


class Runner:
    """Starts such processes without the time that a new interpreter takes."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._started: queue.Queue[int] = queue.Queue()
        self.codes: dict[int, int] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            what, *numbers = line.split()
            if what == "started":
                self._started.put(int(numbers[0]))
            else:
                self.codes[int(numbers[0])] = int(numbers[1])

    def start(self, root: Path, action: str, variant: str = "events") -> Run:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{variant} {action} {root}\n")
        self._process.stdin.flush()
        return Run(self, self._started.get(timeout=60))

    def finish(self, root: Path, action: str, variant: str = "events") -> None:
        assert self.start(root, action, variant).wait() == 0

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where that is possible: waiting for the disk would take most of the time, and no kill needs it."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="kills-", dir=memory) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.close()


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "kills"),
    [("events", 12), ("strict", 12), ("batches", 10), ("progressive", 8), ("process-pool", 10)],
)
def test_kill_9_at_random_moments_loses_nothing(runner: Runner, folder: Path, variant: str, kills: int) -> None:
    source = random.Random(variant)
    measured = folder / "measured/repository"
    build(measured)
    began = time.monotonic()
    runner.finish(measured, "run", variant)
    total = time.monotonic() - began
    assert_done(measured)
    done = attempt = 0
    while done < kills:
        attempt += 1
        root = folder / str(attempt) / "repository"
        build(root)
        before = snapshot(root, folder_times=False)
        action = "run"
        while True:
            process = runner.start(root, action, variant)
            time.sleep(source.uniform(0.0, 1.0) * total)
            if process.poll() is not None:
                break
            with contextlib.suppress(ProcessLookupError):  # it ended just now
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
            done += 1
            if not any(run.is_open for run in Journal(root).runs()):
                # Killed before the run began, or when it was over already but for the return of its locks.
                LockManager(root).clean()
                break
            action = "resume"
            if done % 3 == 0:
                runner.finish(root, "rollback", variant)
                assert snapshot(root, folder_times=False) == before
                break
        if any(run.is_open for run in Journal(root).runs()):
            runner.finish(root, "resume", variant)
        elif not any(run.state is RunState.FINISHED for run in Journal(root).runs()):
            runner.finish(root, "run", variant)
        assert_done(root)


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "kills"), [("events", 6), ("strict", 6)])
def test_kill_9_while_a_failed_run_is_undone(runner: Runner, folder: Path, variant: str, kills: int) -> None:
    source = random.Random(variant)
    for attempt in range(kills):
        root = folder / str(attempt) / "repository"
        build(root)
        for number in range(60):
            (root / f"old/{number}.txt").write_text(str(number))
        add_task(root, "5", "rm -r old; echo half > e.txt; exit 1", ["e.txt", "old/"], dependencies=["4"])
        before = snapshot(root, folder_times=False)
        process = runner.start(root, "run", variant)
        # The longer the rollback takes, the better it is hit: it begins when the last task has begun to fail.
        # It may be over before anybody looks.
        wait_for(lambda: (root / "e.txt").exists() or process.poll() is not None)  # noqa: B023
        time.sleep(source.uniform(0.0, 0.12))
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        if any(run.is_open for run in Journal(root).runs()):
            state = next(run.state for run in Journal(root).runs())
            runner.finish(root, "resume" if state is RunState.ROLLING_BACK else "rollback", variant)
        assert snapshot(root, folder_times=False) == before
        assert LockManager(root).clean() is not None
        assert LockManager(root).status() == ()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_the_run_in_order(runner: Runner, tmp_path: Path, number: signal.Signals) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    (root / "data.txt").write_text("original\n")
    add_task(root, "1", "echo 1 > a.txt", ["a.txt"])
    text = "echo half > data.txt; (sleep 60 & echo $! > ../pid); [ -e ../go ] || sleep 60; echo new > data.txt"
    add_task(root, "2", text, ["data.txt"], dependencies=["1"])
    process = runner.start(root, "run")
    mark = tmp_path / "pid"
    wait_for(lambda: mark.exists() and mark.read_text().endswith("\n"))
    os.kill(process.pid, number)
    assert process.wait() == 1
    assert (root / "data.txt").read_text() == "original\n"
    assert (root / "a.txt").read_text() == "1\n"
    assert LockManager(root).status() == ()
    pid = int(mark.read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    (tmp_path / "go").touch()
    runner.finish(root, "resume")
    assert (root / "data.txt").read_text() == "new\n"
