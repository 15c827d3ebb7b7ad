"""The call graphs of small programs against real runs: nothing missing, and nothing that does not happen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from accuracy.call_graphs import Case, analyse, edges, load_cases, run

if TYPE_CHECKING:
    from pathlib import Path

CASES = load_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_graph_is_what_happens(case: Case, tmp_path: Path) -> None:
    graph = edges(analyse(case))
    happened = run(case, tmp_path)
    own = {(caller, callee) for caller, callee in graph if case.is_ours(callee)}
    assert happened.calls, "the run shows no call at all"
    assert happened.calls - own == set(), "calls that happen and are not in the graph"
    assert own - happened.calls == set(), "calls in the graph that do not happen"
    assert happened.builtins - graph == set(), "built-ins that are called and are not in the graph"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_graph_is_as_recorded(case: Case) -> None:
    assert analyse(case) == json.loads(case.expected_file.read_text(encoding="utf-8"))


def test_every_edge_is_reachable_from_the_entry() -> None:
    for case in CASES:
        graph = analyse(case)
        # Module bodies run when they are imported; everything else is called by something.
        reached = set(case.modules)
        pending = list(reached)
        while pending:
            for callee in graph.get(pending.pop(), ()):
                if callee not in reached:
                    reached.add(callee)
                    pending.append(callee)
        assert set(graph) <= reached, case.name
