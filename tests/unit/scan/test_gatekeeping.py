"""The Python interface of the gates, over repositories on disk."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import taskgates
from taskgates import ConflictDetector, LockManager, ParallelExecutionGates, Repository
from taskgates.config import Config, GateLimits
from taskgates.gates.batching import BatchingError
from taskgates.gates.host import HostMeasurement
from taskgates.scan.repository import UnknownTaskError

if TYPE_CHECKING:
    from pathlib import Path

GIBIBYTE = 1 << 30


def host(cpu: float = 10, memory: float = 20, handles: int = 1024) -> HostMeasurement:
    return HostMeasurement(
        cpu_count=4,
        cpu_percent=cpu,
        memory_total=100 * GIBIBYTE,
        memory_used=int(memory * GIBIBYTE),
        open_files_limit=handles,
        open_files=10,
        window_seconds=0.1,
    )


def write_task(root: Path, task_id: str, **fields: Any) -> None:
    folder = root / ".claude" / "tasks"
    folder.mkdir(parents=True, exist_ok=True)
    document = {"id": task_id, "title": f"Task {task_id}", "status": "Pending", "difficulty": 3, **fields}
    (folder / f"task-{task_id}.json").write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    write_task(tmp_path, "1", files_affected=["a.md", "b.md"])
    write_task(tmp_path, "2", files_affected=["b.md"])
    write_task(tmp_path, "3", files_affected=["c.md"])
    return tmp_path


def gates(root: Path, config: Config | None = None, **measured: float) -> ParallelExecutionGates:
    return ParallelExecutionGates(root, config, measure=lambda: host(**measured))  # type: ignore[arg-type]


def test_the_working_directory_is_the_default(pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pair)
    safe, conflicts = ConflictDetector().validate_parallel_execution(["1", "2", "3"])
    assert not safe
    assert [(each.first, each.second, each.path) for each in conflicts] == [("1", "2", "b.md")]
    assert ConflictDetector().validate_parallel_execution(["1", "3"]) == (True, [])
    allowed, report = ParallelExecutionGates(measure=None).validate_parallel_group(["1", "3"])
    assert allowed is report["can_parallel"] is True
    assert ParallelExecutionGates().suggest_execution_batches() in ([["1", "3"], ["2"]], [["1"], ["2", "3"]])


def test_the_report_has_the_keys_of_the_contract(pair: Path) -> None:
    allowed, report = gates(pair).validate_parallel_group(["1", "2"])
    assert not allowed
    assert report["file_conflicts"][0]["type"] == "blocking"
    assert {
        "can_parallel",
        "task_count",
        "file_conflicts",
        "circular_dependencies",
        "lock_issues",
        "resource_capacity",
        "context_budget",
        "shared_state",
        "recommendations",
    } <= set(report)
    assert report["resource_capacity"].keys() >= {"max_parallel_tasks", "requested", "available"}
    json.dumps(report)


def test_unknown_ids_are_all_named(pair: Path) -> None:
    for ask in (
        gates(pair).validate_parallel_group,
        gates(pair).suggest_execution_batches,
        ConflictDetector(pair).validate_parallel_execution,
    ):
        with pytest.raises(UnknownTaskError, match=r"'77'.*'88\*'"):
            ask(["77", "1", "88*"])


def test_load_is_told_and_refuses_where_that_is_wanted(pair: Path) -> None:
    strict = Config(gates=GateLimits(refuse_overload=True))
    allowed, report = gates(pair, cpu=95).validate_parallel_group(["1", "3"])
    assert allowed
    assert any("CPU at 95 %" in reason for reason in report["resource_capacity"]["reasons"])
    allowed, report = gates(pair, strict, cpu=95).validate_parallel_group(["1", "3"])
    assert not allowed
    assert any("CPU at 95 %" in advice for advice in report["recommendations"])
    assert gates(pair, memory=75).validate_parallel_group(["1", "3"])[0]
    # With hardly any memory left there is no room, whatever the settings say.
    assert not gates(pair, memory=97).validate_parallel_group(["1", "3"])[0]
    assert not gates(pair, handles=30).validate_parallel_group(["1", "3"])[0]


def test_locks_of_the_runtime_are_seen(pair: Path) -> None:
    with LockManager(pair) as manager, manager.acquire("8", exclusive=["c.md"]):
        allowed, report = gates(pair).validate_parallel_group(["1", "3"])
        assert not allowed
        assert [(issue["task"], issue["file"]) for issue in report["lock_issues"]] == [("3", "c.md")]


def test_cycles_and_giants_have_no_batches(tmp_path: Path) -> None:
    write_task(tmp_path, "1", dependencies=["2"])
    write_task(tmp_path, "2", dependencies=["1"])
    write_task(tmp_path, "3", difficulty=40)
    with pytest.raises(BatchingError, match="circular"):
        gates(tmp_path).suggest_execution_batches(["1", "2"])
    with pytest.raises(BatchingError, match="budget"):
        gates(tmp_path).suggest_execution_batches(["3"])


def test_memory_is_shared_by_tasks_without_a_command_of_their_own(tmp_path: Path) -> None:
    code = "JOBS = []\n\ndef add(name):\n    JOBS.append(name)\n"
    (tmp_path / "queue_of_jobs.py").write_text(code)
    for name in ("first", "second"):
        (tmp_path / f"{name}.py").write_text(f"from queue_of_jobs import add\n\nadd({name!r})\n")
    write_task(tmp_path, "1", files_affected=["first.py"])
    write_task(tmp_path, "2", files_affected=["second.py"])
    allowed, report = gates(tmp_path).validate_parallel_group(["1", "2"])
    assert not allowed
    assert [(each["name"], each["type"]) for each in report["shared_state"]] == [("queue_of_jobs.JOBS", "blocking")]
    assert len(gates(tmp_path).suggest_execution_batches(["1", "2"])) == 2
    for number, name in ((1, "first"), (2, "second")):
        write_task(tmp_path, str(number), files_affected=[f"{name}.py"], command=f"python {name}.py")
    allowed, report = gates(tmp_path).validate_parallel_group(["1", "2"])
    assert allowed
    assert all(each["type"] != "blocking" for each in report["shared_state"])
    assert gates(tmp_path).suggest_execution_batches(["1", "2"]) == [["1", "2"]]


def test_tokens_are_counted_from_the_files(tmp_path: Path) -> None:
    (tmp_path / "long.md").write_text("word " * 1_000)
    write_task(tmp_path, "1", files_affected=["long.md"], difficulty=None)
    write_task(tmp_path, "2", files_affected=["to-be-written.md"])
    _, report = gates(tmp_path).validate_parallel_group(["1", "2"])
    loads = {load["task"]: load for load in report["context_budget"]["tasks"]}
    assert loads["1"]["tokens"] == report["context_budget"]["total_tokens"] == 1_000
    assert loads["1"]["counted_from"] == "measured"
    assert loads["2"]["tokens"] is None


def test_only_the_code_of_the_tasks_asked_for_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("open('a.txt', 'w')\n")
    (tmp_path / "b.py").write_text("def broken(:\n")
    write_task(tmp_path, "1", command="python a.py")
    write_task(tmp_path, "2", command="python b.py")
    repository = Repository(tmp_path, use_cache=False)
    access = repository.access("1")
    assert access is not None
    assert [each.path for each in access.writes] == ["a.txt"]
    assert list(repository.problems) == []
    repository.access("2")
    assert [each.span.file for each in repository.problems] == ["b.py"]


def test_scan_and_infer_are_one_line_each(pair: Path) -> None:
    (pair / "make.py").write_text("open('made.txt', 'w').write('x')\n")
    write_task(pair, "4", command="python make.py")
    for _ in range(2):
        result = taskgates.scan(pair, use_cache=False)
        assert [task.id for task in result.tasks] == ["1", "2", "3", "4"]
    assert [each.path for each in taskgates.infer("4", root=pair, use_cache=False).writes] == ["made.txt"]
    by_words = taskgates.infer(["python", "make.py"], root=pair, use_cache=False)
    assert [each.path for each in by_words.writes] == ["made.txt"]
    with pytest.raises(ValueError, match="no code to follow"):
        taskgates.infer("3", root=pair)
    with pytest.raises(UnknownTaskError):
        taskgates.infer("99", root=pair)


def test_every_name_of_the_package_can_be_imported() -> None:
    code = (
        "import sys, taskgates\n"
        "assert 'libcst' not in sys.modules and 'networkx' not in sys.modules and 'psutil' not in sys.modules\n"
        "for name in taskgates.__all__:\n"
        "    assert callable(getattr(taskgates, name)), name\n"
        "from taskgates.scan.pipeline import scan\n"
        "from taskgates import *\n"
        "assert taskgates.scan.pipeline.scan is not None\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        taskgates.nothing  # noqa: B018


def test_a_root_that_is_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        Repository(tmp_path / "missing")
