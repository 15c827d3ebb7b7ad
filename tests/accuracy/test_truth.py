"""Holds the line on the recorded truth, and the truth to what the programs do today."""

from __future__ import annotations

from functools import cache

import pytest

from accuracy.inference import infer
from accuracy.program import Program, load_all
from accuracy.score import Score, mean, score, total
from accuracy.tracer import available, trace

PROGRAMS = load_all()
OVERALL = 0.97

RETRACED = ("logging-service", "make-docs", "release-script", "shell-python-mix", "task-tracker", "tool-compileall")
"""Threads of every kind of tracing: modules, make, children, shell scripts, volatile names, byte code."""


@cache
def scored(name: str) -> Score:
    (program,) = (program for program in PROGRAMS if program.name == name)
    return score(program.truth(), infer(program))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_program(program: Program) -> None:
    result = scored(program.name)
    assert result.recall >= program.minimum_recall, result.misses
    assert result.precision >= program.minimum_precision, result.false_alarms


def test_overall() -> None:
    scores = [scored(program.name) for program in PROGRAMS]
    everything = total(scores)
    assert everything.recall >= OVERALL, everything.misses
    assert everything.precision >= OVERALL, everything.false_alarms
    assert mean(one.recall for one in scores) >= OVERALL
    assert mean(one.precision for one in scores) >= OVERALL


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
