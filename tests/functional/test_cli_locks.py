"""Locks as a user meets them: held by another process, left by one that was killed, taken in opposite orders."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDER = """
import sys
from taskgates.runtime.locks import LockManager
lease = LockManager(sys.argv[1]).acquire(sys.argv[2], exclusive=sys.argv[3:])
print("held", flush=True)
sys.stdin.readline()
lease.release()
"""


@contextmanager
def holding(root: Path, task: str, *paths: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds locks until it is ended."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root), task, *paths],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder
        finally:
            holder.kill()


def write_task(root: Path, task_id: str, **fields: Any) -> None:
    folder = root / ".claude" / "tasks"
    folder.mkdir(parents=True, exist_ok=True)
    document = {"id": task_id, "title": f"Task {task_id}", "status": "Pending", "difficulty": 3, **fields}
    (folder / f"task-{task_id}.json").write_text(json.dumps(document), encoding="utf-8")


def findings(taskgates: Any, root: Path, select: str, *, code: int) -> list[dict[str, Any]]:
    done = taskgates("scan", "--select", select, "--format", "json", cwd=root)
    assert done.returncode == code, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return found


def test_a_lock_that_is_held_and_one_that_was_left(taskgates: Any, tmp_path: Path) -> None:
    (tmp_path / "build.py").write_text("open('out/a.csv', 'w').close()\n")
    write_task(tmp_path, "1", files_affected=["out/"], status="In Progress")
    write_task(tmp_path, "2", command="python build.py", files_affected=[])
    write_task(tmp_path, "3", files_affected=["other.txt"])
    assert findings(taskgates, tmp_path, "TG301,TG302", code=0) == []
    with holding(tmp_path, "1", "out") as holder:
        (held,) = findings(taskgates, tmp_path, "TG301,TG302", code=1)
        assert (held["rule"], held["tasks"], held["path"]) == ("TG301", ["2", "1"], "out")
        assert (held["location"]["file"], held["location"]["line"]) == ("build.py", 1)
        assert str(holder.pid) in held["message"]
        report = json.loads(taskgates("validate", "2", "3", "--no-host", "--format", "json", cwd=tmp_path).stdout)
        assert [(issue["task"], issue["file"]) for issue in report["lock_issues"]] == [("2", "out")]
    (left,) = findings(taskgates, tmp_path, "TG301,TG302", code=0)
    assert (left["rule"], left["severity"], left["tasks"]) == ("TG302", "warning", ["2", "1"])
    assert taskgates("validate", "2", "3", "--no-host", cwd=tmp_path).returncode == 0
    assert taskgates("locks", "clean", cwd=tmp_path).returncode == 0
    assert findings(taskgates, tmp_path, "TG301,TG302", code=0) == []


def test_a_damaged_record_of_locks_is_an_error_of_the_gates_and_no_end_of_the_scan(
    taskgates: Any, tmp_path: Path
) -> None:
    write_task(tmp_path, "1", files_affected=["a.txt"])
    folder = tmp_path / ".taskgates" / "locks"
    folder.mkdir(parents=True)
    (folder / "table.0000000000000001.json").write_text("{")
    done = taskgates("validate", "1", "--no-host", cwd=tmp_path)
    assert done.returncode == 2
    assert "table.0000000000000001.json: damaged" in done.stderr
    done = taskgates("scan", cwd=tmp_path)
    assert done.returncode == 0
    assert "damaged" in done.stderr


def test_two_tasks_that_lock_two_files_in_opposite_orders(taskgates: Any, tmp_path: Path) -> None:
    for task_id, first, second in (("1", "a", "b"), ("2", "b", "a")):
        (tmp_path / f"job{task_id}.py").write_text(
            f"import fcntl\nfrom filelock import FileLock\n\nwith open('{first}.lock', 'w') as first:\n"
            f"    fcntl.flock(first, fcntl.LOCK_EX)\n    with FileLock('{second}.lock'):\n        print('both')\n"
        )
        write_task(tmp_path, task_id, command=f"python job{task_id}.py", files_affected=["a.lock", "b.lock"])
    (found,) = findings(taskgates, tmp_path, "TG303", code=0)
    assert (found["tasks"], found["location"]["file"], found["location"]["line"]) == (["1", "2"], "job1.py", 6)
    assert found["related"][0]["file"] == "job2.py"
    done = taskgates("infer", "--format", "json", "1", cwd=tmp_path)
    (order,) = json.loads(done.stdout)["lock_order"]
    assert (order["lock"], order["held"], order["worker"]) == ("file:b.lock", ["file:a.lock"], "")
    done = taskgates("validate", "--no-host", "1", "2", cwd=tmp_path)
    assert "taken in opposite orders" in done.stdout
