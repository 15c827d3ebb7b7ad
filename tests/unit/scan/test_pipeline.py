"""Running rules and inference: nothing that goes wrong in one place takes the rest along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from taskgates.model.access import AccessSet
from taskgates.model.finding import Severity
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Command, Status, Task
from taskgates.scan.inference_run import infer_tasks
from taskgates.scan.pipeline import check_rules, severities_of
from taskgates.scan.project import Project
from taskgates.scan.registry import RuleError, load_registry
from taskgates.scan.rule import Precision, Rule
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from taskgates.model.finding import Finding


def task(task_id: str, **fields: Any) -> Task:
    return Task(id=task_id, format="claude-tasks", span=SourceSpan(f"task-{task_id}.json"), **fields)


class Counting(Rule):
    """One finding for each task, the last one first."""

    id, name, severity, precision = "XX1", "counting", Severity.WARNING, Precision.HIGH

    def check(self, project: Project) -> Iterator[Finding]:
        for each in reversed(project.tasks):
            yield self.finding("counted", each.span, tasks=[each.id])


class Stumbling(Counting):
    """Raises after the first finding."""

    id, name = "XX2", "stumbling"

    def check(self, project: Project) -> Iterator[Finding]:
        yield from list(super().check(project))[:1]
        raise RuntimeError("stumbled")


class Engine:
    """Knows the access set of task 1, has a bug with task 2, and finds no code in task 3."""

    def task(self, each: Task) -> AccessSet | None:
        if each.id == "2":
            raise RecursionError("too deep")
        return AccessSet(target="one") if each.id == "1" else None


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project([task("1"), task("2"), task("3", status=Status.FINISHED)], {}, tree=Tree(tmp_path))


def test_a_rule_that_raises_is_named_and_what_it_found_before_counts(project: Project) -> None:
    findings, errors = check_rules(project, [Stumbling(), Counting()])
    assert [(each.rule, each.tasks) for each in findings] == [("XX1", ("1",)), ("XX1", ("2",)), ("XX2", ("2",))]
    assert [(each.where, each.error) for each in errors] == [("rule XX2 (stumbling)", "RuntimeError: stumbled")]
    assert "stumbled" in errors[0].traceback


def test_severities_are_overridden_by_rule(project: Project) -> None:
    findings, _ = check_rules(project, [Counting()], severities={"XX1": Severity.NOTE})
    assert {each.severity for each in findings} == {Severity.NOTE}


def test_the_order_of_rules_does_not_show(project: Project) -> None:
    rules: list[Rule] = [Counting(), Stumbling()]
    assert check_rules(project, rules)[0] == check_rules(project, rules[::-1])[0]


def test_a_bug_in_the_analysis_of_one_task_leaves_the_others() -> None:
    seen: list[tuple[str, int, int]] = []
    tasks = [task("1"), task("2", command=Command(shell="python two.py")), task("3")]
    engine: Any = Engine()
    access_sets, errors = infer_tasks(tasks, engine, lambda *step: seen.append(step))
    assert set(access_sets) == {"1", "2"}
    assert not access_sets["2"].complete
    assert access_sets["2"].target == "python two.py"
    assert [each.where for each in errors] == ["inference of task 2"]
    assert [step[1:] for step in seen] == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_longer_key_wins_in_the_table_of_severities() -> None:
    registry = load_registry()
    chosen = {"TG1": Severity.NOTE, "write-write-conflict": Severity.WARNING, "TG103": Severity.ERROR}
    severities = severities_of(registry, chosen)
    assert severities["TG101"] is Severity.WARNING
    assert severities["TG102"] is Severity.NOTE
    assert severities["TG103"] is Severity.ERROR
    assert "TG201" not in severities
    with pytest.raises(RuleError, match="TG999"):
        severities_of(registry, {"TG999": Severity.NOTE})
