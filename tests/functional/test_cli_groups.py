"""`validate`, `batches`, `graph` and `config` as processes."""

from __future__ import annotations

import json
import os
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from taskgates.gates.exact import is_installed
from taskgates.runtime.locks import LockManager

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "repositories" / "demo"


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    place = tmp_path / "demo"
    shutil.copytree(DEMO, place, ignore=shutil.ignore_patterns(".taskgates", "__pycache__"))
    return place


def write_task(root: Path, task_id: str, **fields: Any) -> None:
    folder = root / ".claude" / "tasks"
    folder.mkdir(parents=True, exist_ok=True)
    document = {"id": task_id, "title": f"Task {task_id}", "status": "Pending", "difficulty": 3, **fields}
    (folder / f"task-{task_id}.json").write_text(json.dumps(document), encoding="utf-8")


def validated(taskgates: Any, root: Path, *arguments: str, code: int) -> dict[str, Any]:
    done = taskgates("validate", "--no-host", "--format", "json", *arguments, cwd=root)
    assert done.returncode == code, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["can_parallel"] is (code == 0)
    assert code == 0 or report["recommendations"]
    return report


def test_tasks_whose_code_writes_one_file_are_refused(taskgates: Any, demo: Path) -> None:
    report = validated(taskgates, demo, "1", "3", code=1)
    (conflict,) = report["file_conflicts"]
    assert (conflict["task1"], conflict["task2"], conflict["file"], conflict["type"]) == (
        "1",
        "3",
        "state/progress.json",
        "blocking",
    )
    assert {site["file"] for site in conflict["task1_sites"]} == {"orders/progress.py"}
    assert report["contention"][0]["file"] == "state/progress.json"
    assert any("state/progress.json" in advice for advice in report["recommendations"])
    assert any(hazard["kind"] == "progress-file" and hazard["protection"] for hazard in report["hazards"])
    assert report["context_budget"]["total_tokens"] > 0


def test_declarations_alone_do_not_show_it(taskgates: Any, demo: Path) -> None:
    validated(taskgates, demo, "1", "3", "--no-infer", code=0)


def test_globs_pick_what_may_still_run(taskgates: Any, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_task(tmp_path, f"110_{number}", files_affected=[f"a/{number}.md"])
    write_task(tmp_path, "110_4", status="Finished", files_affected=["a/1.md"])
    assert validated(taskgates, tmp_path, "110_*", code=0)["tasks"] == ["110_1", "110_2", "110_3"]
    assert validated(taskgates, tmp_path, "110_*", "--include-finished", code=1)["task_count"] == 4


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["validate"], "TASK_ID"),
        (["validate", "110_9"], "did you mean '110_1'?"),
        (["validate", "9*"], "no task has the id '9*'"),
        (["batches", "nothing"], "no task has the id"),
        (["graph", "conflict"], "Did you mean 'conflicts'?"),
        (["graph", "calls"], "taskgates graph calls -- python main.py"),
        (["graph", "conflicts", "--", "python", "a.py"], "only calls"),
        (["graph", "conflicts", "--entry", "a.py"], "belongs to calls"),
        (["graph", "calls", "--entry", "absent.py"], "there is no Python file"),
        (["graph", "calls", "--entry", "/"], "not below the root"),
        (["graph", "schedule", "--format", "png"], "is not one of"),
        (["graph", "conflicts", "--durations", "seconds.json"], "belongs to schedule"),
        (["batches", "--durations", "wrong.json"], "there is no task '7'"),
        (["batches", "--durations", "broken.json"], "not valid JSON"),
        (["batches", "--durations", "negative.json"], "must be a number of seconds"),
        (["validate", "110_1", "--max-parallel-tasks", "0"], "from 1 to"),
    ],
)
def test_wrong_usage(taskgates: Any, tmp_path: Path, arguments: list[str], complaint: str) -> None:
    write_task(tmp_path, "110_1")
    (tmp_path / "seconds.json").write_text('{"110_1": 2}')
    (tmp_path / "wrong.json").write_text('{"7": 2}')
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "negative.json").write_text('{"110_1": -1}')
    done = taskgates(*arguments)
    assert done.returncode == 2
    assert complaint in " ".join(done.stderr.split())
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_every_gate_can_refuse(taskgates: Any, tmp_path: Path) -> None:
    for number in range(1, 8):
        write_task(tmp_path, f"a{number}", files_affected=[f"a/{number}.md"], difficulty=2)
    write_task(tmp_path, "b1", dependencies=["a1"])
    write_task(tmp_path, "b2", dependencies=["b3"])
    write_task(tmp_path, "b3", dependencies=["b2"])
    write_task(tmp_path, "b4", dependencies=["missing"])
    write_task(tmp_path, "c1", difficulty=9)
    write_task(tmp_path, "c2", difficulty=9)
    capacity = validated(taskgates, tmp_path, "a*", code=1)["resource_capacity"]
    assert (capacity["requested"], capacity["available"], capacity["within_capacity"]) == (7, 5, False)
    validated(taskgates, tmp_path, "a*", "--max-parallel-tasks", "7", code=0)
    within = validated(taskgates, tmp_path, "a1", "b1", code=1)["dependencies_within"]
    assert within == [{"task": "b1", "waits_for": "a1", "kind": "dependency"}]
    assert validated(taskgates, tmp_path, "b2", code=1)["circular_dependencies"] == [["b2", "b3", "b2"]]
    assert validated(taskgates, tmp_path, "b4", code=1)["unknown_dependencies"][0]["dependency"] == "missing"
    budget = validated(taskgates, tmp_path, "c*", "--max-context-complexity", "17", code=1)["context_budget"]
    assert (budget["total_complexity"], budget["max_complexity"], budget["within_budget"]) == (18, 17, False)


def test_locks_that_others_hold_refuse(taskgates: Any, tmp_path: Path) -> None:
    write_task(tmp_path, "1", files_affected=["notes/a.md"])
    write_task(tmp_path, "2", files_affected=["notes/b.md"])
    with LockManager(tmp_path) as manager, manager.acquire("9", exclusive=["notes"]):
        issues = validated(taskgates, tmp_path, "1", code=1)["lock_issues"]
        assert [(issue["task"], issue["file"]) for issue in issues] == [("1", "notes")]
        assert f"process {os.getpid()}" in issues[0]["holder"]
    validated(taskgates, tmp_path, "1", code=0)


def test_tasks_in_progress_take_slots(taskgates: Any, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_task(tmp_path, f"r{number}", status="In Progress")
    for number in (1, 2, 3):
        write_task(tmp_path, f"t{number}", files_affected=[f"{number}.md"])
    report = validated(taskgates, tmp_path, "t*", code=1)
    assert report["running"] == ["r1", "r2", "r3"]
    assert report["resource_capacity"]["available"] == 2


def test_the_report_for_people(taskgates: Any, demo: Path) -> None:
    done = taskgates("validate", "--no-host", "1", "3", "-o", "markdown:report.md", cwd=demo)
    assert done.returncode == 1
    assert "2 tasks must not run in parallel: 1, 3" in done.stdout
    assert "REFUSED" in done.stdout
    assert "\x1b" not in done.stdout
    text = (demo / "report.md").read_text("utf-8")
    assert text.startswith("**2 tasks must not run in parallel: 1, 3**\n")
    assert "| blocking | 1 and 3 | state/progress.json |" in text


def test_batches_keep_order_and_conflicts(taskgates: Any, tmp_path: Path) -> None:
    write_task(tmp_path, "1", files_affected=["a.md"])
    write_task(tmp_path, "2", files_affected=["a.md"])
    write_task(tmp_path, "3", dependencies=["1"])
    done = taskgates("batches", "--format", "json")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["batch_count"] == data["lower_bound"] == 2
    assert data["proven_optimal"] is True
    place = {task: number for number, batch in enumerate(data["batches"]) for task in batch}
    assert place["1"] != place["2"]
    assert place["1"] < place["3"]
    assert "2 batches" in taskgates("batches").stdout
    assert taskgates("batches", "1", "3", "--format", "markdown").stdout.startswith("### 2 tasks in 2 batches\n")


def test_batches_with_durations_show_the_schedule_that_ends_first(taskgates: Any, tmp_path: Path) -> None:
    for task, path in (("1", "a.md"), ("2", "a.md"), ("3", "b.md")):
        write_task(tmp_path, task, files_affected=[path])
    (tmp_path / "seconds.json").write_text('{"1": 4, "2": 3, "3": 5}')
    data = json.loads(taskgates("batches", "--durations", "seconds.json", "-f", "json").stdout)
    assert data["schedule"]["makespan_seconds"] == 7
    assert data["schedule"]["proven_optimal"] is True
    assert data["schedule"]["sequential_seconds"] == 12


def test_batches_refuse_cycles_and_lone_giants(taskgates: Any, tmp_path: Path) -> None:
    write_task(tmp_path, "1", dependencies=["2"])
    write_task(tmp_path, "2", dependencies=["1"])
    write_task(tmp_path, "3", difficulty=31)
    cyclic = taskgates("batches")
    assert (cyclic.returncode, cyclic.stdout) == (2, "")
    assert "1 -> 2 -> 1" in cyclic.stderr
    giant = taskgates("batches", "3")
    assert giant.returncode == 2
    assert "break it down" in giant.stderr


def test_earlier_runs_tell_how_long_tasks_take(taskgates: Any, tmp_path: Path) -> None:
    for task_id in ("1", "2", "3"):
        write_task(tmp_path, task_id, command=f"sleep 0.1; echo > {task_id}.txt", files_affected=[f"{task_id}.txt"])
    write_task(tmp_path, "4", command="exit 1", files_affected=["4.txt"])
    assert "schedule" not in json.loads(taskgates("batches", "-f", "json").stdout)
    assert taskgates("run", "1", "2").returncode == 0
    assert taskgates("run", "4").returncode == 1
    for task_id in ("1", "2"):
        write_task(tmp_path, task_id, command=f"echo > {task_id}.txt", files_affected=[f"{task_id}.txt"])
    found = json.loads(taskgates("batches", "-f", "json").stdout)["schedule"]
    assert found["timed_tasks"] == 2
    assert found["makespan_seconds"] >= 0.1
    assert "The durations of 2 tasks are known" in taskgates("batches").stdout
    report = validated(taskgates, tmp_path, "1", "2", code=0)
    assert report["context_budget"]["expected_seconds"] >= 0.1
    given = tmp_path / "seconds.json"
    given.write_text('{"1": 50, "2": 60}')
    found = json.loads(taskgates("batches", "1", "2", "-f", "json", "--durations", given).stdout)["schedule"]
    assert found["makespan_seconds"] == 60
    drawn = json.loads(taskgates("graph", "schedule", "1", "2", "-f", "json").stdout)
    assert 0.1 <= drawn["schedule"]["makespan_seconds"] < 50


def test_globs_over_finished_tasks_are_told(taskgates: Any, tmp_path: Path) -> None:
    write_task(tmp_path, "1", files_affected=["a"], status="Finished")
    done = taskgates("validate", "1*")
    assert (done.returncode, done.stdout) == (2, "")
    assert "one task matches that is finished, absorbed or broken down" in done.stderr
    assert taskgates("validate", "--no-host", "--include-finished", "1*").returncode == 0
    assert taskgates("validate", "--no-host", "1").returncode == 0


def test_circular_dependencies_are_told_with_their_places(taskgates: Any, tmp_path: Path) -> None:
    write_task(tmp_path, "1", dependencies=["2"])
    write_task(tmp_path, "2", dependencies=["1"])
    done = taskgates("batches")
    assert (done.returncode, done.stdout) == (2, "")
    assert "1 -> 2 -> 1: 1 declares dependency 2 (.claude/tasks/task-1.json:1:" in done.stderr


def test_the_solver_is_asked_for_or_its_installation(taskgates: Any, tmp_path: Path) -> None:
    write_task(tmp_path, "1")
    done = taskgates("batches", "--optimal", "-f", "json")
    if is_installed():
        assert json.loads(done.stdout)["solver"] == "cp-sat"
    else:
        assert done.returncode == 2
        assert "pip install 'taskgates[optimal]'" in done.stderr


@pytest.mark.parametrize("kind", ["conflicts", "schedule", "dependencies"])
def test_graphs_come_in_every_format(taskgates: Any, demo: Path, kind: str) -> None:
    names = [f"{name}:out.{name}" for name in ("svg", "mermaid", "dot", "html", "json")]
    outputs = [argument for name in names for argument in ("-o", name)]
    done = taskgates("graph", kind, "1", "2", "3", "6", *outputs, cwd=demo)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    picture = ET.parse(demo / "out.svg").getroot()
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    texts = "".join(picture.itertext())
    for title in ("Fetch the orders of the day", "Clean the orders"):
        assert title in texts
    page = (demo / "out.html").read_text("utf-8")
    assert "<svg" in page
    assert "default-src 'none'" in page
    assert (demo / "out.mermaid").read_text().startswith("---\ntitle: ")
    assert (demo / "out.dot").read_text().rstrip().endswith("}")
    assert json.loads((demo / "out.json").read_text())["kind"] == kind


def test_the_graph_of_conflicts_names_the_files(taskgates: Any, demo: Path) -> None:
    data = json.loads(taskgates("graph", "conflicts", "1", "3", "6", "-f", "json", cwd=demo).stdout)
    edges = {(edge["source"], edge["target"]): edge for edge in data["edges"]}
    assert edges["1", "3"]["type"] == "blocking"
    assert edges["1", "3"]["files"] == [{"file": "state/progress.json", "kind": "write-write"}]
    assert edges["3", "6"]["type"] == "warning"
    assert edges["3", "6"]["files"] == [{"file": "orders/currency.py", "kind": "edit-import"}]


def test_the_graph_of_calls(taskgates: Any, demo: Path) -> None:
    done = taskgates("graph", "calls", "--format", "json", "--", "python", "-m", "orders.report", cwd=demo)
    assert done.returncode == 0, done.stderr
    calls = json.loads(done.stdout)
    assert "orders.progress.mark_done" in calls["orders.report.main"]
    picture = taskgates("graph", "calls", "--", "python", "-m", "orders.report", cwd=demo).stdout
    assert "<svg" in picture
    assert "&lt;builtin&gt;.open" in picture


def test_the_graph_of_calls_of_a_library(taskgates: Any, demo: Path) -> None:
    every = taskgates("graph", "calls", "--format", "json", "--entry", "orders", cwd=demo)
    assert every.returncode == 0, every.stderr
    assert "orders.progress.mark_done" in json.loads(every.stdout)["orders.report.main"]
    one = taskgates("graph", "calls", "--format", "json", "--entry", "orders/report.py:main", cwd=demo)
    assert "orders.report.main" in json.loads(one.stdout)
    assert len(json.loads(one.stdout)) < len(json.loads(every.stdout))


def test_what_a_title_holds_stays_text(taskgates: Any, tmp_path: Path) -> None:
    write_task(tmp_path, "1", title="</svg><script>alert(1)</script>", files_affected=["<b>.md"])
    write_task(tmp_path, "2", title='"]; x --> y', files_affected=["<b>.md"])
    assert "<script>alert" not in taskgates("graph", "conflicts", "-f", "html").stdout
    picture = taskgates("graph", "conflicts").stdout
    assert "".join(ET.fromstring(picture).itertext()).count("alert(1)") >= 1
    assert '"]; x' not in taskgates("graph", "conflicts", "-f", "mermaid").stdout


def test_config_tells_where_each_value_comes_from(taskgates: Any, tmp_path: Path) -> None:
    (tmp_path / "taskgates.toml").write_text("[gates]\nmax_cpu_percent = 50\n")
    (tmp_path / ".claude" / "config").mkdir(parents=True)
    (tmp_path / ".claude" / "config" / "parallel-execution.json").write_text('{\n  "max_parallel_tasks": 4\n}\n')
    done = taskgates("config", "--format", "json", env={"MAX_CONTEXT_COMPLEXITY": "44"})
    assert done.returncode == 0, done.stderr
    found = {each["name"]: each for each in json.loads(done.stdout)["settings"]}
    assert (found["gates.max_cpu_percent"]["value"], found["gates.max_cpu_percent"]["line"]) == (50, 2)
    parallel = found["gates.max_parallel_tasks"]
    assert (parallel["value"], parallel["file"], parallel["line"]) == (
        4,
        ".claude/config/parallel-execution.json",
        2,
    )
    complexity = found["gates.max_context_complexity"]
    assert (complexity["value"], complexity["source"]) == (44, "variable")
    assert complexity["source_name"] == "MAX_CONTEXT_COMPLEXITY"
    assert found["gates.lock_timeout"]["source"] == "default"
    shown = taskgates("config", env={"MAX_CONTEXT_COMPLEXITY": "44"}).stdout
    assert "taskgates.toml:2" in shown
    assert "environment variable" in shown


def test_log_lines_go_to_standard_error_at_the_level_asked_for(taskgates: Any, tmp_path: Path) -> None:
    write_task(tmp_path, "1")
    quiet = taskgates("validate", "1", "-f", "json")
    assert "INFO" not in quiet.stderr
    told = taskgates("validate", "1", "-f", "json", env={"GATE_LOG_LEVEL": "info"})
    assert "INFO taskgates.scan.gatekeeping: group of 1 may run in parallel" in told.stderr
    json.loads(told.stdout)
    assert taskgates("validate", "1", env={"GATE_LOG_LEVEL": "loud"}).returncode == 2
