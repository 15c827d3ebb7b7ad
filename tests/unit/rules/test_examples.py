"""The examples in the rules' documentation are true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from taskgates.config import Config
from taskgates.manifests import load_tasks
from taskgates.scan.analysis import make_analyser
from taskgates.scan.inference_run import infer_tasks
from taskgates.scan.pipeline import check_rules
from taskgates.scan.project import Project
from taskgates.scan.registry import load_registry
from taskgates.tree.cache import NullCache
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.model.finding import Finding
    from taskgates.scan.rule import Example, Rule


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(rule, example, id=f"{rule.id}-{number}")
        for rule in load_registry()
        for number, example in enumerate(getattr(rule, kind), start=1)
    ]


def run(rule: Rule, example: Example, root: Path) -> list[Finding]:
    for name, text in example.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    tree = Tree(root)
    manifests = load_tasks(tree)
    analyser = make_analyser(tree, Config(), {}, NullCache())
    access_sets, errors = infer_tasks(manifests.tasks, analyser, lambda *_: None)
    assert not errors, errors[0].traceback
    project = Project(
        manifests.tasks,
        {**access_sets, **example.access},
        tree=tree,
        problems=(*manifests.problems, *analyser.problems),
        include_finished=example.include_finished,
        host=example.host,
        locks=example.locks,
    )
    findings, errors = check_rules(project, [rule])
    assert not errors, errors[0].traceback
    return findings


@pytest.mark.parametrize(("rule", "example"), cases("positive"))
def test_reported(rule: Any, example: Any, tmp_path: Any) -> None:
    findings = run(rule, example, tmp_path)
    assert findings
    for finding in findings:
        assert finding.rule == rule.id
        assert (tmp_path / finding.span.file).is_file()
        for number, _ in enumerate(finding.related, start=1):
            if f"]({number})" in finding.message:
                break
        else:
            assert not finding.related or "](" not in finding.message


@pytest.mark.parametrize(("rule", "example"), cases("negative"))
def test_not_reported(rule: Any, example: Any, tmp_path: Any) -> None:
    assert run(rule, example, tmp_path) == []
