"""Usage, help, versions and wrong usage of the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def test_version_and_help_name_every_command(taskgates: Any) -> None:
    version = taskgates("--version")
    assert (version.returncode, version.stdout) == (0, "taskgates 0.1.0\n")
    shown = taskgates("--help")
    assert shown.returncode == 0
    for name in ("scan", "infer", "rule"):
        assert f"\n  {name} " in shown.stdout
        assert taskgates(name, "-h").returncode == 0


def test_the_console_script_is_the_same_program(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("taskgates")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "taskgates 0.1.0\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["scna"], "Did you mean 'scan'?"),
        (["scan", "--include-finishd"], "Did you mean '--include-finished'?"),
        (["scan", "--format", "jsno"], "Did you mean 'json'?"),
        (["scan", "--fail-on", "errors"], "Did you mean 'error'?"),
        (["scan", "--output", "report.sarif"], "FORMAT:FILE"),
        (["scan", "--output", "sarfi:report.sarif"], "Did you mean 'sarif'?"),
        (["scan", "--output", "json:-"], "--format json"),
        (["scan", "--env", "HOME"], "NAME=VALUE"),
        (["scan", "no/such/folder"], "does not exist"),
        (["scan", ".", "--root", "/"], "given twice"),
        (["scan", "--select", "TG999"], "no rule is called 'TG999'"),
        (["scan", "--ignore", "write-write-conflct"], "did you mean 'write-write-conflict'?"),
        (["scan", "--select", ","], "name at least one rule"),
        (["scan", "--baseline", "none.json"], "cannot read the baseline"),
        (["scan", "--config", "none.toml"], "does not exist"),
        (["scan", "--python", "no/such/python"], "no/such/python"),
        (["rule", "TG1001"], "did you mean 'TG101'?"),
        (["infer"], "Give a task id, or a command line"),
        (["infer", "--"], "no command"),
        (["infer", "1", "--", "python", "a.py"], "not both"),
        (["infer", "python", "a.py", "x"], "taskgates infer -- python a.py x"),
        (["infer", "python a.py"], "taskgates infer -- python a.py"),
        (["infer", "110_1"], "no task has the id '110_1'"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_exit_code_2(taskgates: Any, arguments: list[str], complaint: str) -> None:
    done = taskgates(*arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_names_its_line(taskgates: Any, tmp_path: Path) -> None:
    (tmp_path / "taskgates.toml").write_text('[scan]\nselct = ["TG1"]\nfail_on = "sometimes"\n')
    done = taskgates("scan")
    assert done.returncode == 2
    assert "taskgates.toml:2: " in done.stderr
    assert "taskgates.toml:3: " in done.stderr
    assert "did you mean 'select'" in done.stderr


def test_rules_are_listed_and_explained(taskgates: Any) -> None:
    listed = json.loads(taskgates("rule", "--format", "json").stdout)
    names = {rule["id"]: rule["name"] for rule in listed["rules"]}
    assert names["TG101"] == "write-write-conflict"
    one = taskgates("rule", "undeclared-write")
    assert one.returncode == 0
    assert "TG701" in one.stdout
    assert "How to fix it" in one.stdout
    assert taskgates("rule", "TG701", "--format", "markdown").stdout.startswith("# TG701 undeclared-write\n")


@pytest.mark.parametrize("env", [{"NO_COLOR": "1", "FORCE_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_no_escape_sequences_without_a_terminal_or_against_the_users_will(taskgates: Any, env: dict[str, str]) -> None:
    assert "\x1b" not in taskgates("rule", "TG101", env=env).stdout


def test_colours_can_be_forced(taskgates: Any) -> None:
    assert "\x1b[" in taskgates("rule", "TG101", env={"FORCE_COLOR": "1"}).stdout


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "taskgates", "rule", "--format", "json"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "taskgates", "rule", "--format", "json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    assert done.returncode == 2
    assert "cannot write to standard output" in done.stderr
    assert "Traceback" not in done.stderr


def test_text_that_the_terminal_lacks_is_escaped(taskgates: Any) -> None:
    done = taskgates("rule", "TG701", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert done.stdout.isascii()


def test_a_faulty_effect_table_names_its_line(taskgates: Any, tmp_path: Path) -> None:
    (tmp_path / "effects").mkdir()
    (tmp_path / "effects" / "house.toml").write_text('["house.save"]\nwrites = 7\n')
    (tmp_path / "taskgates.toml").write_text('effects = ["effects"]\n')
    for arguments in (["scan"], ["infer", "--", "python", "a.py"]):
        done = taskgates(*arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("Error: effects/house.toml:2: ")
        assert "Traceback" not in done.stderr


def test_effect_tables_of_a_folder_count_and_their_changes_too(taskgates: Any, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import house\n\nhouse.save('kept.txt')\n")
    table = tmp_path / "effects" / "house.toml"
    table.parent.mkdir()
    (tmp_path / "taskgates.toml").write_text('effects = ["effects"]\n')
    for operation in ("overwrite", "append"):
        table.write_text(f'["house.save"]\nparams = ["path"]\n{operation} = ["path"]\n')
        written = json.loads(taskgates("infer", "--format", "json", "--", "python", "a.py").stdout)["writes"]
        assert [(access["path"], access["operation"]) for access in written] == [("kept.txt", operation)]
