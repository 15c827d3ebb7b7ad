"""Holds the line on the recorded truth, and the truth to what the programs do today."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from accuracy.inference import infer
from accuracy.program import Program, load_all
from accuracy.score import Score, mean, score, total
from accuracy.tracer import available, trace

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = load_all()
OVERALL = 0.97

RETRACED = ("logging-service", "make-docs", "release-script", "shell-python-mix", "task-tracker", "tool-compileall")
"""One of every kind of tracing: modules, make, children, shell scripts, volatile names, byte code."""


class Scores:
    """Inference runs once a program, also where several test processes share the work.

    Attributes:
        folder: where the access sets that were inferred are kept for the other processes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, program: Program) -> Score:
        return score(program.truth(), self._inferred(program))

    def _inferred(self, program: Program) -> dict[str, Any]:
        kept = self.folder / f"{program.name}.json"
        if not kept.exists():
            new = kept.with_suffix(f".{os.getpid()}")
            new.write_text(json.dumps(infer(program)), encoding="utf-8")
            new.replace(kept)
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found


@pytest.fixture(scope="session")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Scores:
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "inferred"
    folder.mkdir(exist_ok=True)
    return Scores(folder)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_program(program: Program, scores: Scores) -> None:
    result = scores[program]
    assert result.recall >= program.minimum_recall, result.misses
    assert result.precision >= program.minimum_precision, result.false_alarms


def test_overall(scores: Scores) -> None:
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(scores.__getitem__, PROGRAMS))
    everything = total(results)
    assert everything.recall >= OVERALL, everything.misses
    assert everything.precision >= OVERALL, everything.false_alarms
    assert mean(one.recall for one in results) >= OVERALL
    assert mean(one.precision for one in results) >= OVERALL


def test_enough_programs() -> None:
    tools = [program for program in PROGRAMS if program.name.startswith("tool-")]
    assert len(tools) >= 25
    assert len(PROGRAMS) >= 80


@pytest.mark.skipif(not available(), reason="strace is not installed or may not trace here")
@pytest.mark.parametrize("name", RETRACED)
def test_recorded_truth_is_what_the_program_does(name: str) -> None:
    (program,) = load_all((name,))
    recorded, now = program.truth(), trace(program)
    assert program.steady(now.reads) == program.steady(recorded.reads)
    assert program.steady(now.writes) == program.steady(recorded.writes)
    assert program.steady(now.tree) == program.steady(recorded.tree)
