"""doit: which tasks a command line runs, and what their actions do.

What doit really does with these files was looked up by running it; it is not needed to run the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.models.pipelines.runs import infer, read, written

if TYPE_CHECKING:
    from pathlib import Path

DB = ".doit.db"

CHAIN = """
    DOIT_CONFIG = {"default_tasks": ["last"]}
    def task_first():
        return {"actions": ["cp %(dependencies)s %(targets)s"], "file_dep": ["in.txt"], "targets": ["mid.txt"]}
    def task_last():
        return {"actions": ["sort mid.txt > out.txt"], "file_dep": ["mid.txt"], "targets": ["out.txt"], "clean": True}
    def task_other():
        return {"actions": ["touch other.txt"]}
"""


@pytest.mark.parametrize("command", ["doit", "python -m doit", "doit run last", "doit out.txt", "doit -n 2 last"])
def test_targets_order_tasks_and_dependencies_are_read(tmp_path: Path, command: str) -> None:
    found = infer(tmp_path, {"dodo.py": CHAIN, "in.txt": ""}, command)
    assert read(found) == {"dodo.py", "in.txt", "mid.txt"}
    assert written(found, DB) == {"mid.txt", "out.txt"}
    assert any(str(access.path).startswith(DB) for access in found.writes)
    assert found.complete


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("doit other", {"other.txt"}),
        ("doit o*", {"other.txt"}),
        ("doit list", set()),
        ("doit clean", {"out.txt"}),
        ("doit clean -n", set()),
        ("doit --version", set()),
    ],
)
def test_what_the_command_line_asks_for(tmp_path: Path, command: str, expected: set[str]) -> None:
    found = infer(tmp_path, {"dodo.py": CHAIN, "in.txt": "", "out.txt": ""}, command)
    assert written(found, DB) == expected


def test_the_place_of_an_action_is_its_task(tmp_path: Path) -> None:
    found = infer(tmp_path, {"dodo.py": CHAIN, "in.txt": ""}, "doit other")
    (access,) = (access for access in found.writes if access.path == "other.txt")
    assert [(site.file, site.line, site.function) for site in access.sites] == [("dodo.py", 7, "task_other")]


def test_every_form_of_an_action(tmp_path: Path) -> None:
    dodo = """
    from functools import partial
    from doit.action import CmdAction
    from doit.tools import LongRunning, create_folder
    def touch(name, targets, suffix=".txt"):
        open(name + suffix, "w").close()
        assert targets == ["goal"]
    def task_all():
        return {"targets": ["goal"], "actions": [
            "touch text", ["touch", "list"], (touch, ["args"]), (touch, [], {"name": "kwargs"}),
            partial(touch, "partial", suffix=".p"), lambda: open("lambda", "w").close(),
            CmdAction(lambda targets: "touch made-" + targets[0]), CmdAction("touch here", cwd="sub"),
            LongRunning("touch long"), (create_folder, ["folder"]), "touch folder/x",
        ]}
    """
    found = infer(tmp_path, {"dodo.py": dodo, "sub/a": ""}, "doit")
    assert written(found, DB) == {
        "text", "list", "args.txt", "kwargs.txt", "partial.p", "lambda", "made-goal", "sub/here", "long", "folder/x",
    }  # fmt: skip
    assert found.complete


@pytest.mark.parametrize(("style", "text"), [("old", "%(targets)s"), ("new", "{targets}"), ("both", "{targets}%%")])
def test_command_lines_are_filled_in_as_the_settings_say(tmp_path: Path, style: str, text: str) -> None:
    dodo = f"""
    DOIT_CONFIG = {{"action_string_formatting": "{style}"}}
    def task_a():
        return {{"actions": ["touch {text}"], "targets": ["t.txt"]}}
    """
    assert written(infer(tmp_path, {"dodo.py": dodo}, "doit"), DB) <= {"t.txt", "t.txt%"}


def test_sub_tasks_groups_and_values_of_other_tasks(tmp_path: Path) -> None:
    dodo = """
    from pathlib import Path
    def inner():
        for name in ("x", "y"):
            yield {"basename": "part", "name": name, "actions": [lambda name=name: {"made": name + ".bin"}]}
    def task_parts():
        yield inner()
    def task_use():
        def use(parts, one):
            for part in parts.values():
                Path(part).touch()
            Path("one-" + one).touch()
        return {"actions": [use], "getargs": {"parts": ("part", "made"), "one": ("part:x", "made")}}
    """
    found = infer(tmp_path, {"dodo.py": dodo}, "doit use")
    assert written(found, DB) == {"x.bin", "y.bin", "one-x.bin"}


def test_tasks_that_depend_on_what_others_make(tmp_path: Path) -> None:
    dodo = """
    from pathlib import Path
    from doit import create_after
    def task_make():
        return {"actions": ["touch made/a.in made/b.in"], "setup": ["folder"], "teardown": ["touch torn"]}
    def task_folder():
        return {"actions": ["mkdir made"]}
    @create_after(executed="make")
    def task_late():
        for place in sorted(Path("made").iterdir()):
            yield {"name": place.name, "actions": [f"cp {place} {place.stem}.out"], "file_dep": [place]}
    def task_deps():
        return {"actions": [lambda: {"file_dep": ["extra.txt"], "task_dep": ["late"]}]}
    def task_calc():
        return {"actions": ["touch calc"], "calc_dep": ["deps"]}
    """
    found = infer(tmp_path, {"dodo.py": dodo, "extra.txt": ""}, "doit calc")
    assert written(found, DB) == {"made/a.in", "made/b.in", "a.out", "b.out", "calc", "torn"}
    assert read(found) == {"dodo.py", "made/a.in", "made/b.in", "extra.txt"}


def test_options_variables_and_operands(tmp_path: Path) -> None:
    dodo = """
    from doit import get_var, task_params
    def make(name, loud, rest):
        for each in rest:
            open(f"{name}-{each}-{loud}-{get_var('v', 1)}", "w").close()
    def task_make():
        return {"actions": [make], "pos_arg": "rest", "params": [
            {"name": "name", "short": "n", "default": "x"},
            {"name": "loud", "long": "loud", "type": bool, "default": False}]}
    @task_params([{"name": "where", "long": "where", "type": int, "default": 7}])
    def task_param(where):
        return {"actions": [f"touch p{where + 1}"]}
    """
    assert written(infer(tmp_path, {"dodo.py": dodo}, "doit make -n N --loud a b v=2"), DB) == {
        "N-a-True-2",
        "N-b-True-2",
    }
    assert written(infer(tmp_path, {}, "doit param --where 3"), DB) == {"p4"}
    assert written(infer(tmp_path, {}, "doit param"), DB) == {"p8"}


def test_tasks_that_are_up_to_date_or_fail(tmp_path: Path) -> None:
    dodo = """
    from doit.tools import config_changed, run_once
    def task_done():
        return {"actions": ["touch never"], "uptodate": [True], "targets": ["there.txt"]}
    def task_changed():
        return {"actions": ["touch changed"], "uptodate": [run_once, config_changed({"a": 1})]}
    def task_broken():
        def fail(): raise ValueError
        return {"actions": [fail, "touch behind"]}
    def task_after():
        return {"actions": ["touch after"]}
    """
    files = {"dodo.py": dodo, "there.txt": ""}
    assert written(infer(tmp_path, files, "doit"), DB) == {"changed"}
    assert written(infer(tmp_path, files, "doit -c"), DB) == {"changed", "after"}


def test_tasks_that_have_run_before_may_be_up_to_date(tmp_path: Path) -> None:
    files = {"dodo.py": CHAIN, "in.txt": "", "mid.txt": "", "out.txt": "", ".doit.db": ""}
    found = infer(tmp_path, files, "doit")
    assert {str(access.path) for access in found.writes if access.conditional} == {"mid.txt", "out.txt"}
    found = infer(tmp_path, files, "doit -a")
    assert not any(access.conditional for access in found.writes)


def test_the_folder_the_file_and_the_database_are_chosen(tmp_path: Path) -> None:
    files = {
        "sub/tasks.py": 'def task_a():\n    return {"actions": ["touch x"]}\n',
        "work/keep": "",
        "doit.cfg": "[GLOBAL]\nbackend = json\n",
    }
    found = infer(tmp_path, files, "doit -f sub/tasks.py")
    assert written(found) == {"sub/.doit.db", "sub/x"}
    assert read(found) == {"doit.cfg", "sub/tasks.py"}
    found = infer(tmp_path, files, "doit -f sub/tasks.py -d work --db-file state.db --backend sqlite3")
    assert written(found) == {"work/state.db", "work/x"}


@pytest.mark.parametrize(
    "end",
    [
        "doit.run(globals())",
        """from doit.cmd_base import ModuleTaskLoader
    from doit.doit_cmd import DoitMain
    sys.exit(DoitMain(ModuleTaskLoader(globals())).run(sys.argv[1:]))""",
    ],
)
def test_a_program_hands_its_own_tasks_over(tmp_path: Path, end: str) -> None:
    dodo = f"""
    import sys
    import doit
    class Maker:
        def __init__(self, name): self.name = name
        def create_doit_tasks(self):
            return {{"basename": "make", "actions": [self.make]}}
        def make(self):
            open(self.name, "w").close()
    maker = Maker("made")
    del Maker
    def task_other():
        return {{"actions": ["touch other"]}}
    {end}
    """
    assert written(infer(tmp_path, {"main.py": dodo}, "python main.py make"), DB) == {"made"}


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    dodo = """
    import os
    def task_a():
        return eval(os.environ["TASK"])
    def task_b():
        return {"actions": ["touch b"]}
    """
    found = infer(tmp_path, {"dodo.py": dodo}, "doit nothing")
    assert any("neither a task nor a target" in item.reason for item in found.opaque)
    assert any("no task file" in item.reason for item in infer(tmp_path, {}, "doit -f none.py").opaque)


@pytest.mark.parametrize(
    ("command", "writes"),
    [
        ("doit list", set()),
        ("doit clean", set()),
        ("doit forget make", {".doit.db.bak", ".doit.db.dir"}),
        ("doit", {".doit.db.bak", ".doit.db.dat", ".doit.db.dir", "made"}),
    ],
)
def test_the_files_of_an_earlier_run_tell_the_back_end(tmp_path: Path, command: str, writes: set[str]) -> None:
    dodo = 'def task_make():\n    return {"actions": ["touch made"]}\n'
    files = {"dodo.py": dodo, ".doit.db.dat": "", ".doit.db.dir": "", ".doit.db.bak": ""}
    found = infer(tmp_path, files, command)
    assert read(found) == {"dodo.py", ".doit.db.dat", ".doit.db.dir"}
    assert written(found) == writes


def test_a_program_that_is_not_known_makes_no_database(tmp_path: Path) -> None:
    dodo = """
    import subprocess
    subprocess.run(["someprogram"])
    def task_make():
        return {"actions": ["touch made"]}
    """
    assert read(infer(tmp_path, {"dodo.py": dodo}, "doit")) == {"dodo.py"}


def test_targets_are_made_by_what_cannot_be_seen(tmp_path: Path) -> None:
    dodo = """
    def task_seen():
        return {"actions": ["touch a"], "targets": ["a", "never"]}
    def task_unseen():
        return {"actions": ["someprogram", "touch b"], "targets": ["b", "c"]}
    """
    assert written(infer(tmp_path, {"dodo.py": dodo}, "doit"), DB) == {"a", "b", "c"}


def test_an_action_of_a_class_of_the_project_knows_its_task(tmp_path: Path) -> None:
    dodo = """
    from doit.action import BaseAction
    class Touch(BaseAction):
        def __init__(self): self.task = None
        def execute(self, out=None, err=None):
            names = {key: getattr(self.task, key) for key in self.task.valid_attr if hasattr(self.task, key)}
            open(names["targets"][0], "w").close()
    def task_make():
        return {"actions": [Touch()], "targets": ["made"]}
    """
    assert written(infer(tmp_path, {"dodo.py": dodo}, "doit"), DB) == {"made"}
