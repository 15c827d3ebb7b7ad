"""TG1xx and TG2xx against access sets made by hand, and TG101 against the brute force on real tasks."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from taskgates.manifests import load_tasks
from taskgates.scan.pipeline import check_rules
from taskgates.scan.project import Project
from taskgates.scan.registry import load_registry
from taskgates.tree.tree import Tree

CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "agent-tasks"


def pairs(findings: Any) -> Any:
    return {(each.rule, each.tasks, each.path) for each in findings}


def test_a_conflict_in_code_points_at_the_code_and_links_the_other_side(bench: Any) -> None:
    bench.task("1", bench.access("a.txt", file="one.py", line=4, function="save"), files_affected=["a.txt"])
    bench.task("2", bench.access("a.txt", file="two.py", line=6), files_affected=["a.txt"])
    (finding,) = bench.find("TG101")
    assert (finding.span.file, finding.related[0].span.file) == ("one.py", "two.py")
    assert "`save`" in finding.message


def test_two_tasks_that_meet_in_one_helper_are_told_apart_by_their_callers(bench: Any) -> None:
    for number in ("1", "2"):
        via = ((f"job{number}.py", 3, "<module>"),)
        bench.task(number, bench.access("a.txt", file="io.py", line=9, via=via), files_affected=["a.txt"])
    (finding,) = bench.find("TG101")
    assert finding.span.file == "io.py"
    assert finding.related[0].span.file == "job2.py"


def test_an_edit_meets_code(bench: Any) -> None:
    bench.task("1", files_affected=["a.txt"])
    bench.task("2", bench.access("a.txt", file="two.py", line=6), files_affected=["a.txt"])
    (finding,) = bench.find("TG101")
    assert finding.tasks == ("1", "2")


def test_an_edit_of_what_code_reads_is_a_conflict_but_no_missing_dependency(bench: Any) -> None:
    bench.file("settings.toml")
    bench.task("1", files_affected=["settings.toml"])
    bench.task("2", bench.access("settings.toml", "read"))
    assert {each.rule for each in bench.find("TG1", "TG2")} == {"TG102"}


def test_code_that_reads_what_somebody_still_has_to_create_lacks_a_dependency(bench: Any) -> None:
    bench.task("1", files_affected=["settings.toml"])
    bench.task("2", bench.access("settings.toml", "read"))
    assert {each.rule for each in bench.find("TG1", "TG2")} == {"TG102", "TG203"}


def test_a_written_and_a_read_pattern_lack_one_dependency_whatever_the_number_of_paths(bench: Any) -> None:
    bench.task("1", bench.access("out/a.csv"), bench.access("out/b.csv"), files_affected=["out/"])
    bench.task("2", bench.access("out/*.csv", "read"), bench.access("out/a.csv", "read"))
    findings = bench.find("TG203")
    assert [each.tasks for each in findings] == [("2", "1")]
    assert "other path" in findings[0].message


@pytest.mark.parametrize("order", [{"dependencies": ["1"]}, {"parent_task": "1"}])
def test_related_tasks_do_not_conflict(bench: Any, order: Any) -> None:
    bench.task("1", bench.access("a.txt"), files_affected=["a.txt"])
    bench.task("2", bench.access("a.txt"), bench.access("a.txt", "read"), files_affected=["a.txt"], **order)
    assert bench.find("TG1", "TG203") == []


def test_finished_tasks_only_take_part_when_asked(bench: Any) -> None:
    bench.task("1", status="Finished", files_affected=["a.txt"])
    bench.task("2", status="Broken Down", files_affected=["a.txt"])
    bench.task("3", files_affected=["a.txt"])
    assert bench.find("TG101") == []
    assert len(bench.find("TG101", include_finished=True)) == 3


def test_editing_a_module_that_another_tasks_code_imports(bench: Any) -> None:
    bench.task("1", files_affected=["lib/"])
    bench.task("2", code=bench.access_set(bench.access("a.txt"), imports=("lib/io.py",)), files_affected=["a.txt"])
    assert pairs(bench.find("TG1")) == {("TG104", ("1", "2"), "lib/io.py")}


def test_declared_cycles_name_every_step_and_the_cut(bench: Any) -> None:
    bench.task("A", dependencies=["B"])
    bench.task("B", dependencies=["C"])
    bench.task("C", dependencies=["A"])
    (finding,) = bench.find("TG201")
    assert "A -> B -> C -> A" in finding.message
    assert [place.span.file for place in finding.related] == [f".claude/tasks/task-{name}.json" for name in "ABC"]
    assert finding.severity == "error"


def test_a_cycle_of_data_is_told_apart(bench: Any) -> None:
    bench.task("1", bench.access("a.txt"), bench.access("b.txt", "read", file="one.py"), files_affected=["a.txt"])
    bench.task("2", bench.access("b.txt"), bench.access("a.txt", "read", file="two.py"), files_affected=["b.txt"])
    findings = bench.find("TG2")
    assert [each.rule for each in findings] == ["TG201"]
    assert "reads what the next one writes" in findings[0].message
    assert findings[0].span.file == "one.py"


def test_an_unknown_dependency_is_an_error_and_an_unknown_parent_a_warning(bench: Any) -> None:
    bench.task("task-10", dependencies=["task-1O"], parent_task="none")
    found = {each.severity.value: each.message for each in bench.find("TG202")}
    assert "did you mean task-10?" in found["error"]
    assert "parent" in found["warning"]


def test_every_pair_with_a_common_file_is_reported_in_a_real_repository() -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus of real tasks is not here")
    raw = {}
    for file in (CORPUS / ".claude" / "tasks").glob("*.json"):
        document = json.loads(file.read_text())
        raw[document["id"]] = document

    def closure(start: Any, step: Any) -> Any:
        seen, waiting = set(), list(step(start))
        while waiting:
            current = waiting.pop()
            if current in raw and current not in seen:
                seen.add(current)
                waiting.extend(step(current))
        return seen

    def parents(task_id: Any) -> Any:
        named = raw[task_id].get("parent_task")
        return [*([named] if named else []), *(key for key, other in raw.items() if task_id in other["subtasks"])]

    before = {key: closure(key, lambda each: raw[each]["dependencies"]) | closure(key, parents) for key in raw}
    expected = {
        (frozenset((one, two)), path)
        for one, two in combinations(raw, 2)
        if one not in before[two] and two not in before[one]
        for path in {*raw[one].get("files_affected", ())} & {*raw[two].get("files_affected", ())}
    }
    tree = Tree(CORPUS)
    manifests = load_tasks(tree)
    assert len(manifests.tasks) == 157
    assert manifests.problems == ()
    project = Project(manifests.tasks, {}, tree=tree, include_finished=True)
    findings, errors = check_rules(project, load_registry().choose(["TG101"]))
    assert not errors
    assert len(expected) > 200
    assert expected <= {(frozenset(each.tasks), each.path) for each in findings}
    assert len({each.fingerprint for each in findings}) == len(findings)


def test_what_the_declarations_say_already_is_not_said_again_for_each_file(bench: Any) -> None:
    bench.task("1", bench.access("out/a.txt"), bench.access("out/b.txt"), files_affected=["out/*.txt"])
    bench.task("2", bench.access("out/b.txt"), files_affected=["out/"])
    assert {each.path for each in bench.find("TG101")} == {"out/*.txt", "out/b.txt"}
