"""A real dask cluster with two worker processes, one of which dies in the middle of a task."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import psutil
import pytest
from functional.runtime.task_repository import add_task, events, options, wait_for
from taskgates.runtime.errors import TaskRuntimeError
from taskgates.runtime.executor import SafeParallelExecutor
from taskgates.runtime.supervised import read_pids
from taskgates.runtime.worker_pool import dask_pool

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("distributed")


def kill_worker_of(root: Path, mark: Path) -> None:
    """Kill the worker process that runs the task which has left its mark."""
    wait_for(mark.exists)
    wait_for(lambda: any(read_pids(path) for path in root.glob(".taskgates/runs/*/attempts/*/pid.json")))
    (pids,) = [read_pids(path) for path in root.glob(".taskgates/runs/*/attempts/*/pid.json")]
    assert pids is not None
    os.kill(psutil.Process(pids[0]).ppid(), signal.SIGKILL)


@pytest.mark.slow
def test_tasks_on_a_local_cluster(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    with dask_pool(None, 2) as pool:
        for name in ("1", "2"):
            # They end only if both run at once, in two workers.
            text = f"touch ../{name}; while [ ! -e ../1 ] || [ ! -e ../2 ]; do sleep 0.02; done; echo > {name}.txt"
            add_task(root, name, text, [f"{name}.txt"])
        result = SafeParallelExecutor(root, options=options(timeout=30), pool=pool).run(["*"])
        assert result.succeeded, result.message

        text = "echo half > out.txt; if [ ! -e ../started ]; then touch ../started; sleep 60; fi; echo done > out.txt"
        add_task(root, "3", text, ["out.txt"])
        for path in root.glob(".taskgates/runs/*/attempts/*/pid.json"):
            path.unlink()
        killer = threading.Thread(target=kill_worker_of, args=(root, tmp_path / "started"))
        killer.start()
        result = SafeParallelExecutor(root, options=options(timeout=30), pool=pool).run(["3"])
        killer.join()
        assert result.succeeded, result.message
        assert result.tasks[0].attempts == 2
        assert (root / "out.txt").read_text() == "done\n"
        assert events(root, result.run, "worker-lost")
        assert events(root, result.run, "rolled-back")

        (tmp_path / "started").unlink()
        (root / "out.txt").write_text("before\n")
        add_task(root, "3", text, ["out.txt"])
        for path in root.glob(".taskgates/runs/*/attempts/*/pid.json"):
            path.unlink()
        killer = threading.Thread(target=kill_worker_of, args=(root, tmp_path / "started"))
        killer.start()
        result = SafeParallelExecutor(root, options=options(timeout=30, retries=0), pool=pool).run(["3"])
        killer.join()
        assert result.rolled_back
        assert (root / "out.txt").read_text() == "before\n"


@pytest.mark.slow
@pytest.mark.parametrize("retries", ["2", "0"])
def test_command_line_with_a_worker_that_is_killed(tmp_path: Path, retries: str) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    (root / "taskgates.toml").write_text("[gates]\nmax_cpu_percent = 100\nmax_memory_percent = 100\n")
    (root / "out.txt").write_text("before\n")
    text = "echo half > out.txt; if [ ! -e ../started ]; then touch ../started; sleep 60; fi; echo done > out.txt"
    add_task(root, "1", text, ["out.txt"])
    add_task(root, "2", "echo 2 > two.txt", ["two.txt"], dependencies=["1"])
    killer = threading.Thread(target=kill_worker_of, args=(root, tmp_path / "started"))
    killer.start()
    process = subprocess.run(
        [
            sys.executable, "-m", "taskgates", "run", "1", "2", "--executor", "dask", "--max-parallel-tasks", "2",
            "--no-infer", "--retries", retries, "--format", "json", "-q",
        ],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    killer.join()
    answer = json.loads(process.stdout)
    names = [event["event"] for event in events(root, answer["run"])]
    assert "worker-lost" in names
    assert "rolled-back" in names
    if retries == "0":
        assert process.returncode == 1
        assert answer["rolled_back"]
        assert (root / "out.txt").read_text() == "before\n"
    else:
        assert process.returncode == 0, process.stderr
        assert [(task["state"], task["attempts"]) for task in answer["tasks"]] == [("finished", 2), ("finished", 1)]
        assert (root / "out.txt").read_text() == "done\n"
        assert (root / "two.txt").exists()


def test_scheduler_that_does_not_answer() -> None:
    with pytest.raises(TaskRuntimeError, match="does not answer"), dask_pool("tcp://127.0.0.1:9", 2):
        pass
