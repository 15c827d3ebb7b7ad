"""Inference in several processes gives what inference in one does."""

from __future__ import annotations

from pathlib import Path

import pytest
from taskgates.config import Config
from taskgates.manifests import load_tasks
from taskgates.model.task import Command
from taskgates.scan.inference_run import InferenceSetup, infer_all, infer_one, silent
from taskgates.tree.tree import Tree

REPOSITORIES = Path(__file__).parents[3] / "fixtures" / "repositories"


@pytest.mark.parametrize("name", ["demo", "broken-input"])
def test_the_number_of_processes_does_not_show(name: str) -> None:
    setup = InferenceSetup(REPOSITORIES / name, Config(), {}, use_cache=False)
    tasks = load_tasks(Tree(setup.root)).tasks
    steps: list[tuple[str, int, int]] = []
    several = infer_all(setup, tasks, lambda *step: steps.append(step), jobs=2)
    assert several == infer_all(setup, tasks, silent)
    assert steps[-1][1:] == (len(tasks), len(tasks))
    assert several.errors == ()


def test_one_command_line() -> None:
    setup = InferenceSetup(REPOSITORIES / "demo", Config(), {}, use_cache=False)
    found, problems = infer_one(setup, Command(argv=("python", "-m", "orders.publish")))
    assert found is not None
    assert [access.path for access in found.writes] == ["public/index.md"]
    assert problems == ()
