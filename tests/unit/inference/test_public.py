"""Tasks with sources and no command: what their public functions do, and what modules that they share do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.engine import Analyser
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Task
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.model.access import AccessSet


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / f"{'/'.join('__init__' if part == 'package' else part for part in name.split('__'))}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def task(*sources: str) -> Task:
    return Task(id="1", format="claude-tasks", span=SourceSpan("m.json", 1, 1, 1, 2), sources=sources)


def infer(analyser: Analyser, *sources: str) -> AccessSet:
    access = analyser.task(task(*sources))
    assert access is not None
    return access


def writes(access: AccessSet) -> list[str | None]:
    return [item.path for item in access.writes]


def test_modules_that_several_sources_import_are_run_once_and_count_for_each(tmp_path: Path) -> None:
    write(
        tmp_path,
        common="from pathlib import Path\nPath('made-at-import').write_text('x')\nOUT = 'out'\n",
        one="import common\ndef f():\n    open(common.OUT + '/one', 'w')\n",
        two="import common\ndef f():\n    open(common.OUT + '/two', 'w')\n",
        three="def f():\n    open('three', 'w')\n",
    )
    analyser = Analyser(Tree(tmp_path))
    assert writes(infer(analyser, "one.py")) == ["made-at-import", "out/one"]
    second = infer(analyser, "two.py")
    assert writes(second) == ["made-at-import", "out/two"]
    assert writes(infer(analyser, "three.py")) == ["three"]
    assert second == infer(Analyser(Tree(tmp_path)), "two.py")
    assert second.imports == ("common.py", "two.py")
    made = second.writes[0].sites[0]
    assert [(frame.file, frame.line) for frame in made.via] == [("two.py", 1)]


def test_what_one_source_changes_in_a_shared_module_is_undone_for_the_next(tmp_path: Path) -> None:
    write(
        tmp_path,
        settings="OUT = 'first'\nNAMES = []\n",
        one="import settings\ndef f():\n    settings.OUT = 'second'\n    settings.NAMES.append('third')\n",
        two="import settings as s\ndef f():\n    open(s.OUT, 'w')\n    for name in s.NAMES:\n        open(name, 'w')\n",
    )
    analyser = Analyser(Tree(tmp_path))
    infer(analyser, "one.py")
    assert writes(infer(analyser, "two.py")) == ["first"]


def test_a_source_that_another_imports_first_is_still_looked_at(tmp_path: Path) -> None:
    write(
        tmp_path,
        pkg__package="",
        pkg__a="from pkg import b\ndef f():\n    open('a', 'w')\n    b.g()\n",
        pkg__b="def g():\n    open('b', 'w')\n",
    )
    analyser = Analyser(Tree(tmp_path))
    assert writes(infer(analyser, "pkg/a.py")) == ["a", "b"]
    assert writes(infer(analyser, "pkg/b.py")) == ["b"]


def test_modules_in_a_circle_count_for_each_other(tmp_path: Path) -> None:
    write(
        tmp_path,
        a="import b\nopen('a', 'w')\ndef f():\n    return b.X\n",
        b="import a\nopen('b', 'w')\nX = 1\n",
    )
    analyser = Analyser(Tree(tmp_path))
    assert writes(infer(analyser, "a.py")) == ["a", "b"]
    assert writes(infer(analyser, "b.py")) == ["a", "b"]


def test_a_module_of_a_package_does_not_hide_the_standard_library(tmp_path: Path) -> None:
    write(
        tmp_path,
        pkg__package="",
        pkg__json="def load(f):\n    open('mine', 'w')\n",
        pkg__use="import json\ndef f(p):\n    with open('data.json') as g:\n        return json.load(g)\n",
    )
    access = infer(Analyser(Tree(tmp_path)), "pkg/use.py")
    assert writes(access) == []
    assert [item.path for item in access.reads] == ["data.json"]


def test_what_a_source_rests_on_includes_the_modules_run_for_another(tmp_path: Path) -> None:
    write(
        tmp_path,
        common="OUT = 'before'\n",
        one="import common\ndef f():\n    open(common.OUT, 'w')\n",
        two="import common\ndef f():\n    open(common.OUT + '2', 'w')\n",
    )
    tree = Tree(tmp_path)
    analyser = Analyser(tree)
    infer(analyser, "one.py")
    with tree.recording() as evidence:
        infer(analyser, "two.py")
    assert evidence.holds(Tree(tmp_path))
    write(tmp_path, common="OUT = 'after'\n")
    assert not evidence.holds(Tree(tmp_path))


def test_a_function_named_by_the_task_is_called(tmp_path: Path) -> None:
    write(tmp_path, jobs="def f(p):\n    open('x', 'w')\n\ndef g():\n    open('y', 'w')\n")
    assert writes(infer(Analyser(Tree(tmp_path)), "jobs:f")) == ["x"]
    assert writes(infer(Analyser(Tree(tmp_path)), "jobs.py:g")) == ["y"]


def test_a_script_and_its_functions_are_both_looked_at(tmp_path: Path) -> None:
    text = "import sys\ndef f(p):\n    open('f', 'w')\nif __name__ == '__main__':\n    open('main', 'w')\n    f(1)\n"
    write(tmp_path, script=text)
    access = infer(Analyser(Tree(tmp_path)), "script.py")
    assert [(item.path, item.conditional) for item in access.writes] == [("f", False), ("main", False)]


def test_places_without_a_call_are_those_of_the_assignment_and_the_import(tmp_path: Path) -> None:
    write(
        tmp_path,
        effect="open('x', 'w')\n",
        use="import sys\n\n\ndef f():\n    import effect\n\n    sys.displayhook = print\n    return effect\n",
        caller="import use\n\n\n\n\n\n\n\n\ndef g():\n    use.f()\n",
    )
    access = infer(Analyser(Tree(tmp_path)), "caller.py")
    assert [(frame.file, frame.line) for frame in access.writes[0].sites[0].via] == [("caller.py", 11), ("use.py", 5)]
    hook = next(item for item in access.shared_state if item.name == "display-hook")
    assert (hook.sites[0].file, hook.sites[0].line) == ("use.py", 7)


def test_a_source_does_not_depend_on_those_before_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        child="open('child.txt', 'w')",
        ending="import atexit\natexit.register(lambda: open('end.txt', 'w'))\n",
        shim="import sys, types\nsys.modules['planted'] = types.SimpleNamespace(name='planted.txt')\n",
        one="import subprocess, ending, shim\nimport planted\n"
        "subprocess.run(['python', 'child.py'])\nopen(planted.name, 'w')\n",
        two="import subprocess, ending, shim\nimport planted\n"
        "subprocess.run(['python', 'child.py'])\nopen(planted.name, 'w')\n",
        three="import sys\nprint(sys.modules)\ntry:\n    import planted\n"
        "except ImportError:\n    open('none.txt', 'w')\n",
    )
    analyser = Analyser(Tree(tmp_path))
    found = [set(writes(infer(analyser, f"{name}.py"))) for name in ("one", "two", "three")]
    alone = [set(writes(infer(Analyser(Tree(tmp_path)), f"{name}.py"))) for name in ("one", "two", "three")]
    assert found == alone
    assert found[0] == found[1] == {"child.txt", "planted.txt"}
