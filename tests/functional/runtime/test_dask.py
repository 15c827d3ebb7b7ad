"""A real dask cluster with two worker processes, one of which dies in the middle of a task."""

from __future__ import annotations

import os
import signal
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


def test_scheduler_that_does_not_answer() -> None:
    with pytest.raises(TaskRuntimeError, match="does not answer"), dask_pool("tcp://127.0.0.1:9", 2):
        pass
