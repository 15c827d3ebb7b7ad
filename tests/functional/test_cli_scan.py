"""`taskgates scan` and `taskgates infer` from checkout to report, with good input and bad."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORIES = Path(__file__).parents[2] / "fixtures" / "repositories"


def write_task(root: Path, task_id: str, **fields: Any) -> None:
    folder = root / ".claude" / "tasks"
    folder.mkdir(parents=True, exist_ok=True)
    document = {"id": task_id, "title": "", "status": "Pending", "difficulty": 3, **fields}
    (folder / f"task-{task_id}.json").write_text(json.dumps(document, indent=2))


def tree_of(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REPOSITORIES / "demo", tmp_path / "demo"))


# ---- output ---------------------------------------------------------------------------------------------------------


def test_the_machine_format_has_standard_output_alone(taskgates: Any, demo: Path) -> None:
    done = taskgates("scan", demo, "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["summary"]["tasks"] == len(report["tasks"]) == 6
    assert done.stderr.strip().endswith("in 6 tasks")
    assert taskgates("scan", demo, "--format", "json", "-q").stderr == ""


def test_several_reports_at_once(taskgates: Any, demo: Path, tmp_path: Path) -> None:
    done = taskgates("scan", demo, "-o", "sarif:out.sarif", "-o", "json:out.json", "-o", "markdown:out.md")
    assert done.returncode == 1
    assert "TG701" in done.stdout
    report = json.loads((tmp_path / "out.json").read_text())
    sarif = json.loads((tmp_path / "out.sarif").read_text())
    assert len(sarif["runs"][0]["results"]) == len(report["findings"])
    assert "TG701" in (tmp_path / "out.md").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"demo", "out.sarif", "out.json", "out.md"}


def test_the_same_bytes_twice_with_and_without_the_cache(taskgates: Any, demo: Path) -> None:
    outputs = {
        taskgates("scan", demo, "--format", "json", *extra, env={"PYTHONHASHSEED": seed}).stdout
        for seed, extra in (("1", ["--no-cache"]), ("2", []), ("3", []), ("4", ["--no-cache", "-j", "2"]))
    }
    assert len(outputs) == 1


def test_without_a_cache_nothing_is_written(taskgates: Any, demo: Path) -> None:
    before = tree_of(demo)
    taskgates("scan", demo, "--no-cache")
    assert tree_of(demo) == before


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        ("json:no/such/out.json", "the folder no/such does not exist"),
        ("json:.", "it is a folder"),
        ("json:/proc/nothing/out.json", "does not exist"),
    ],
)
def test_an_unwritable_output_leaves_everything_as_it_was(
    taskgates: Any, demo: Path, tmp_path: Path, output: str, complaint: str
) -> None:
    (tmp_path / "good.json").write_text("before")
    before = tree_of(tmp_path)
    done = taskgates("scan", demo, "--no-cache", "-o", "json:good.json", "-o", output)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert tree_of(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable for root")
def test_a_folder_without_permission_is_said(taskgates: Any, demo: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = taskgates("scan", demo, "--no-cache", "-o", f"json:{locked}/out.json")
    assert done.returncode == 2
    assert "permission denied" in done.stderr


def test_two_reports_need_two_files(taskgates: Any, demo: Path) -> None:
    done = taskgates("scan", demo, "-o", "json:a", "-o", "sarif:./a")
    assert done.returncode == 2
    assert "two reports" in done.stderr


def test_a_link_and_the_mode_of_an_output_file_are_kept(taskgates: Any, demo: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.json"
    target.write_text("")
    target.chmod(0o640)
    (tmp_path / "link.json").symlink_to(target)
    taskgates("scan", demo, "-o", "json:link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads(target.read_text())["schema_version"] == 1
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_in_place(taskgates: Any, demo: Path) -> None:
    assert taskgates("scan", demo, "-q", "-o", "json:/dev/null").returncode == 1


def test_a_reader_that_goes_away_does_not_change_the_exit_code(demo: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "taskgates", "scan", str(demo), "--no-cache"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


# ---- what counts ----------------------------------------------------------------------------------------------------


def test_the_threshold_decides_the_exit_code(taskgates: Any, tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text('open("out.txt", "w").write(open("in.txt").read())\n')
    (tmp_path / "in.txt").write_text("")
    write_task(tmp_path, "1", command="python job.py", files_affected=["out.txt"])
    codes = {level: taskgates("scan", "--fail-on", level).returncode for level in ("error", "warning", "note", "never")}
    assert codes == {"error": 0, "warning": 0, "note": 1, "never": 0}


def test_select_ignore_and_severity(taskgates: Any, demo: Path) -> None:
    def rules(*arguments: str) -> set[str]:
        report = json.loads(taskgates("scan", demo, "-f", "json", *arguments).stdout)
        return {finding["rule"] for finding in report["findings"]}

    everything = rules()
    assert {"TG101", "TG701"} <= everything
    assert rules("--select", "TG7") == {rule for rule in everything if rule.startswith("TG7")}
    assert rules("--select", "TG1,TG2", "--ignore", "write-write-conflict") == {
        rule for rule in everything if rule[:3] in ("TG1", "TG2") and rule != "TG101"
    } | ({"TG103"} & rules("--select", "TG103"))
    (demo / "taskgates.toml").write_text('[scan.severity]\nTG701 = "note"\n')
    report = json.loads(taskgates("scan", demo, "-f", "json", "--select", "TG701").stdout)
    assert {finding["severity"] for finding in report["findings"]} == {"note"}


def test_a_baseline_leaves_only_what_is_new(taskgates: Any, demo: Path, tmp_path: Path) -> None:
    assert taskgates("scan", demo, "--write-baseline", "known.json").returncode == 1
    again = taskgates("scan", demo, "--baseline", "known.json", "-f", "json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["findings"] == []
    assert "accepted by the baseline" in again.stderr
    source = demo / "orders" / "progress.py"
    source.write_text("# A line that moves all others.\n\n" + source.read_text())
    assert json.loads(taskgates("scan", demo, "--baseline", "known.json", "-f", "json").stdout)["findings"] == []
    (demo / "orders" / "publish.py").write_text('open("new.txt", "w").close()\n')
    after = json.loads(taskgates("scan", demo, "--baseline", "known.json", "-f", "json").stdout)
    assert "new.txt" in {finding["path"] for finding in after["findings"]}


def test_finished_tasks_are_looked_at_when_asked(taskgates: Any, tmp_path: Path) -> None:
    write_task(tmp_path, "1", status="Finished", files_affected=["a.txt"])
    write_task(tmp_path, "2", status="Finished", files_affected=["a.txt"])
    few = json.loads(taskgates("scan", "-f", "json").stdout)
    assert (few["tasks"], few["findings"]) == ([], [])
    more = taskgates("scan", "-f", "json", "--include-finished", "--select", "TG101")
    assert more.returncode == 1
    assert [finding["tasks"] for finding in json.loads(more.stdout)["findings"]] == [["1", "2"]]


def test_an_empty_folder_is_a_scan_without_tasks(taskgates: Any) -> None:
    done = taskgates("scan", "-f", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["summary"] == {"tasks": 0, "errors": 0, "warnings": 0, "notes": 0}


# ---- bad input ------------------------------------------------------------------------------------------------------


def scan_json(taskgates: Any, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = taskgates("scan", "-f", "json", *arguments)
    assert "Traceback" not in done.stderr
    assert "Internal error" not in done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{\n  "id": "1",\n  "title": "a",,\n}\n', 3),
        ('[\n  {"id": "1"}\n]\n', 1),
        ("", 1),
        ('{"id": "1", "title": "a"', 1),
        ("\x00\x00", 1),
        ("nonsense", 1),
        ('{\n  "id": "1",\n  "files_affected": 7\n}', 3),
    ],
)
def test_a_broken_manifest_is_reported_at_its_line_and_the_others_are_read(
    taskgates: Any, tmp_path: Path, text: str, line: int
) -> None:
    write_task(tmp_path, "2", files_affected=["a.txt"])
    write_task(tmp_path, "3", files_affected=["a.txt"])
    (tmp_path / ".claude" / "tasks" / "task-1.json").write_text(text)
    code, report = scan_json(taskgates)
    assert code == 2
    complaints = [finding for finding in report["findings"] if finding["rule"] == "TG901"]
    assert complaints
    assert {each["location"]["file"] for each in complaints} == {".claude/tasks/task-1.json"}
    assert complaints[0]["location"]["line"] == line
    assert "TG101" in {finding["rule"] for finding in report["findings"]}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b'def broken(:\n    open("a.txt", "w")\n', "TG902"),
        (b'# -*- coding: latin-1 -*-\nname = "gr\xfc\xdfe"\nopen("a.txt", "w").write(name)\n', None),
        (b'name = "gr\xfc\xdfe"\nopen("a.txt", "w").write(name)\n', "TG902"),
        (b'open("a.txt", "w")\x00\n', "TG902"),
        (b"", None),
        (b"\xef\xbb\xbfopen('a.txt', 'w')\n", None),
        (b"open('a.txt', 'w')\r\nprint('done')\r\n", None),
    ],
)
def test_a_source_that_cannot_be_parsed_is_reported_and_the_others_are_followed(
    taskgates: Any, tmp_path: Path, content: bytes, rule: str | None
) -> None:
    (tmp_path / "bad.py").write_bytes(content)
    (tmp_path / "good.py").write_text('open("b.txt", "w").write("b")\n')
    write_task(tmp_path, "1", command="python bad.py", files_affected=["a.txt"])
    write_task(tmp_path, "2", command="python good.py", files_affected=[])
    _, report = scan_json(taskgates)
    found = {(finding["rule"], finding["location"]["file"]) for finding in report["findings"]}
    assert ("TG701", "good.py") in found
    assert {each for each in found if each[0] == "TG902"} == ({(rule, "bad.py")} if rule else set())
    tasks = {task["id"]: task for task in report["tasks"]}
    assert tasks["1"]["complete"] is (rule is None)
    if rule is None and content:
        assert [access["path"] for access in tasks["1"]["writes"]] == ["a.txt"]


def test_a_source_of_five_megabytes(taskgates: Any, tmp_path: Path) -> None:
    (tmp_path / "big.py").write_text("values = [\n" + "    1234567,\n" * 430_000 + ']\nopen("a.txt", "w").close()\n')
    (tmp_path / "good.py").write_text('open("b.txt", "w").write("b")\n')
    write_task(tmp_path, "1", command="python big.py", files_affected=["a.txt"])
    write_task(tmp_path, "2", command="python good.py", files_affected=[])
    _, report = scan_json(taskgates)
    tasks = {task["id"]: task for task in report["tasks"]}
    assert [access["path"] for access in tasks["1"]["writes"]] == ["a.txt"] or not tasks["1"]["complete"]
    assert [access["path"] for access in tasks["2"]["writes"]] == ["b.txt"]


def test_a_dependency_on_itself(taskgates: Any, tmp_path: Path) -> None:
    write_task(tmp_path, "1", dependencies=["1"])
    code, report = scan_json(taskgates)
    assert code == 1
    assert [(each["rule"], each["tasks"], each["location"]["line"]) for each in report["findings"]] == [
        ("TG201", ["1"], 7)
    ]


def test_a_rule_that_fails_is_named_and_the_others_still_run(taskgates: Any, demo: Path, tmp_path: Path) -> None:
    house = tmp_path / "house"
    (house / "house-1.0.dist-info").mkdir(parents=True)
    (house / "house-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: house\nVersion: 1.0\n")
    (house / "house-1.0.dist-info" / "entry_points.txt").write_text("[taskgates.rules]\nhouse = house_rules\n")
    (house / "house_rules.py").write_text(
        '''
from taskgates.model.finding import Severity
from taskgates.scan.rule import Precision, Rule


class Fine(Rule):
    """Every task is fine."""

    id, name, severity, precision = "HR1", "fine", Severity.NOTE, Precision.HIGH

    def check(self, project):
        for task in project.tasks:
            yield self.finding(f"Task {task.id} is fine.", task.span, tasks=[task.id])


class Broken(Rule):
    """Fails."""

    id, name, severity, precision = "HR2", "broken", Severity.NOTE, Precision.HIGH

    def check(self, project):
        raise ValueError("no such luck")
        yield
'''
    )
    env = {"PYTHONPATH": str(house)}
    done = taskgates("scan", demo, "-f", "json", env=env)
    assert done.returncode == 3
    assert "Internal error: rule HR2 (broken): ValueError: no such luck" in done.stderr
    assert "please report it" in done.stderr
    assert "Traceback" not in done.stderr
    assert {"HR1", "TG101"} <= {finding["rule"] for finding in json.loads(done.stdout)["findings"]}
    assert "Traceback" in taskgates("scan", demo, "-v", env=env).stderr
    assert taskgates("scan", demo, "--select", "HR1", env=env).returncode == 0


# ---- infer ----------------------------------------------------------------------------------------------------------


def test_infer_a_command_line_with_its_arguments(taskgates: Any) -> None:
    done = taskgates("infer", "-f", "json", "--", "python", "-m", "json.tool", "in.json", "out.json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["target"] == "python -m json.tool in.json out.json"
    assert [(each["path"], each["certainty"]) for each in found["reads"]] == [("in.json", "exact")]
    assert [(each["path"], each["certainty"]) for each in found["writes"]] == [("out.json", "exact")]
    assert found["complete"] is True


def test_infer_shell_text(taskgates: Any) -> None:
    found = json.loads(taskgates("infer", "-f", "json", "--", "cp a.txt b.txt && sort < b.txt > c.txt").stdout)
    assert {each["path"] for each in found["writes"]} == {"b.txt", "c.txt"}


def test_infer_a_task_with_its_call_chain(taskgates: Any, demo: Path) -> None:
    found = json.loads(taskgates("infer", "1", "--root", demo, "-f", "json").stdout)
    (written,) = [each for each in found["writes"] if each["path"] == "state/progress.json"]
    assert written["sites"][0]["function"] == "mark_done"
    assert [frame["function"] for frame in written["sites"][0]["via"]][-1] == "main"
    people = taskgates("infer", "1", "--root", demo)
    assert "state/progress.json" in people.stdout


def test_infer_an_unknown_task(taskgates: Any, tmp_path: Path) -> None:
    write_task(tmp_path, "110_1", files_affected=["a.md"])
    done = taskgates("infer", "110_2")
    assert done.returncode == 2
    assert "did you mean '110_1'?" in done.stderr
    without = taskgates("infer", "110_1")
    assert without.returncode == 2
    assert "has no code to follow" in without.stderr
