"""Patterns that could run for ever are told from those that cannot, and are not tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from taskgates.inference.backtracking import affordable, ways
from taskgates.inference.engine import Analyser
from taskgates.model.task import Command
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(a|aa)+$",
        r"(a|ab?)*c",
        r"(\w+\s*)+$",
        r"(x+x+)+y",
        r"(a?){30}a{30}",
        r"(?:a{1,1000}){1,1000}",
        r"([^\d]|ж)*x",
    ],
)
def test_what_shares_a_text_in_ever_more_ways_is_exponential(pattern: str) -> None:
    assert ways(pattern).exponential
    assert not affordable(pattern, 60)
    assert affordable(pattern, 20)


@pytest.mark.parametrize(
    ("pattern", "degree"),
    [
        (r"\s*=\s*", 1),
        (r"(\w+,)+", 1),
        (r"(?:[^\"\\]|\\.)*", 1),
        (r"^(\s*)(\w+)\s*=\s*(.*)$", 2),
        (r"(.*)a(.*)b(.*)c", 3),
        (r"\d{4}-\d\d", 0),
        (r"(?>a+)+b", 1),
        (r"[^ж]*ж", 1),
    ],
)
def test_other_patterns_have_a_power(pattern: str, degree: int) -> None:
    found = ways(pattern)
    assert (found.degree, found.exponential) == (degree, False)
    assert affordable(pattern, 60)


@pytest.mark.parametrize(
    "body",
    [
        'import re\nre.sub(r"(a|aa)+$", "", "a" * 200 + "b")',
        'import re\nre.compile(r"^(([a-z])+.)+[A-Z]([a-z])+$").findall("a" * 5000)',
        'import re\nre.search(r"(.*)(.*)(.*)(.*)x$", "a" * 15000)',
        "pow(3, 10**9)",
        "round(5, -10**9)",
        'from decimal import Decimal\nint(Decimal("1e1000000000"))',
        'from fractions import Fraction\nFraction("1e1000000000")',
        'import importlib\ntry:\n    importlib.import_module("a." * 10**4 + "b")\nexcept ImportError:\n    pass',
        "\n".join(["class A0: pass", *(f"class A{i}(A{i - 1}): pass" for i in range(1, 500))]),
    ],
)
def test_nothing_that_a_program_computes_holds_the_analysis(tmp_path: Path, body: str) -> None:
    (tmp_path / "main.py").write_text(body + '\nopen("out", "w")\n')
    found = Analyser(Tree(tmp_path)).command(Command(argv=("python", "main.py")))
    assert [str(write.path) for write in found.writes] == ["out"]
