"""`taskgates graph calls` as its users run it, on the programs under `fixtures/calls`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from accuracy.call_graphs import Case, edges, load_cases, run

CASES = {case.name: case for case in load_cases()}

CHOSEN = (
    "arguments/passed_on",
    "asynchronous/protocols",
    "builtins/type_protocols",
    "classes/descriptors",
    "context_managers/generator",
    "decorators/with_arguments",
    "dicts/own_mapping",
    "dynamic/by_name",
    "exceptions/raised_class",
    "external/callbacks",
    "generators/iterable_class",
    "imports/package",
    "lambdas/numbered",
    "mro/diamond",
    "operators/comparison",
)
"""One or so of a category; all of them are compared in process elsewhere."""


@pytest.mark.parametrize("case", [CASES[name] for name in CHOSEN], ids=lambda case: case.name)
def test_the_printed_graph_is_what_a_run_shows(taskgates: Any, case: Case, tmp_path: Any) -> None:
    done = taskgates("graph", "calls", "--no-cache", "-f", "json", "--", "python", "main.py", cwd=case.folder)
    assert (done.returncode, done.stderr) == (0, "")
    graph = json.loads(done.stdout)
    assert graph == json.loads(case.expected_file.read_text("utf-8"))
    own = {(caller, callee) for caller, callee in edges(graph) if case.is_ours(callee)}
    assert own == run(case, tmp_path).calls


def test_a_bound_that_left_calls_out_is_said_beside_the_graph(taskgates: Any, tmp_path: Any) -> None:
    (tmp_path / "taskgates.toml").write_text("[inference]\nsteps = 1000\n")
    (tmp_path / "main.py").write_text(
        "def step(n):\n    return n\n\n\nfor a in range(200):\n    for b in range(200):\n        step(b)\n"
    )
    done = taskgates("graph", "calls", "--no-cache", "-f", "json", "--", "python", "main.py")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"main": ["<builtin>.range", "main.step"]}
    assert "calls may be missing: python main.py" in done.stderr
    quiet = taskgates("graph", "calls", "--no-cache", "-q", "-f", "json", "--", "python", "main.py")
    assert quiet.stderr == ""
