"""The table of two made-up programs."""

from __future__ import annotations

from pathlib import Path

from accuracy.program import Program
from accuracy.score import Score
from accuracy.table import Row, render


def program(name: str, *features: str) -> Program:
    return Program(name, Path(name), ("true",), features, "x")


ROWS = [
    Row(program("alpha", "csv", "json"), Score(2, 2, 1.5, 2, (), (("read data/*", 0.5),)), complete=True),
    Row(program("beta", "csv"), Score(0, 2, 0.0, 0, ("write out.txt",)), complete=False, error="line one\nboom"),
]


def cells(text: str, name: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if line.lstrip("| ").startswith(name))
    return line.replace("|", " ").split()


def test_every_program_feature_and_total_has_its_row() -> None:
    text = render(ROWS)
    assert cells(text, "alpha") == ["alpha", "1.000", "0.750", "2", "2", "yes"]
    assert cells(text, "beta") == ["beta", "0.000", "1.000", "2", "0", "failed"]
    assert cells(text, "csv") == ["csv", "0.500", "0.750", "4", "2", "2"]
    assert cells(text, "all accesses") == ["all", "accesses", "0.500", "0.750", "4", "2"]
    assert cells(text, "mean over programs") == ["mean", "over", "programs", "0.500", "0.875"]


def test_details_only_on_request() -> None:
    assert "boom" not in render(ROWS)
    text = render(ROWS, verbose=True)
    assert "    failed: boom" in text
    assert "    missed: write out.txt" in text
    assert "    false alarm: read data/* (0.50)" in text


def test_misses_that_inference_did_not_admit_are_counted() -> None:
    silent = Row(program("gamma"), Score(0, 1, 0.0, 0, ("read a",)), complete=True)
    assert "misses, yet said complete: 1" in render([*ROWS, silent])
    assert "yet said complete" not in render(ROWS)


def test_markdown_has_the_same_cells() -> None:
    text = render(ROWS, markdown=True)
    assert cells(text, "alpha") == ["alpha", "1.000", "0.750", "2", "2", "yes"]
    assert "| 2 programs | recall | precision | traced | inferred | complete |" in text
    assert all(line.startswith("|") for line in text.splitlines() if line)
