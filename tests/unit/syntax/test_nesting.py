"""What nests too deeply is refused before the parser sees it; real sources never are."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest
from taskgates.syntax import ir
from taskgates.syntax.lower import lower_source
from taskgates.syntax.nesting import too_deep

STDLIB = Path(sysconfig.get_paths()["stdlib"])


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5000 + ")" * 5000,
        "x = " + "+".join(["a"] * 20_000),
        "x = " + "(\n" + " +\n".join(["a"] * 20_000) + ")",
        "-" * 20_000 + "x",
        "a" + ".b" * 20_000,
        "a" + "[0]" * 20_000,
        "x" + "()" * 20_000,
        "f(" * 3000 + ")" * 3000,
        "not " * 20_000 + "x",
        "lambda:" * 20_000 + "x",
        "x = " + "a if b else " * 5000 + "c",
        "if x: pass\n" + "elif x: pass\n" * 20_000,
        "".join(" " * level + "if x:\n" for level in range(3000)) + " " * 3000 + "pass\n",
        "x = " + 'f(")", ' * 20_000 + "1" + ', "(")' * 20_000,
        "x = (1\n" + '+ ")" + a\n' * 20_000 + ")",
        "x = (1\n" + "+ a  # )\n" * 20_000 + ")",
        "x = 1" + " \\\n+ 1" * 20_000,
        "x = a" + "\\\n.b" * 20_000,
        "x = a" + ".b(c, d)" * 20_000,
        'x = f"' + "{a:" * 3000 + "}" * 3000 + '"',
        "x = " + 'f"{' * 3000 + "1" + '}"' * 3000,
        "match x:\n    case " + "[" * 30 + "a" + "]" * 30 + ": pass\n",
        "match x:\n    case " + "{1: " * 15 + "a b" + "}" * 15 + ": pass\n",
    ],
    ids=lambda source: source[:12].replace("\n", " "),
)
def test_deep_sources_are_a_problem_and_not_a_crash(source: str) -> None:
    problem = lower_source(source)
    assert isinstance(problem, ir.SourceProblem)
    assert "deeply" in problem.message


def test_the_line_is_named() -> None:
    assert too_deep("x = 1\ny = 2\nz = " + "(" * 300 + ")" * 300 + "\n") == (3, "brackets nest deeper than 200 levels")


def test_the_line_is_named_behind_strings_and_continued_lines() -> None:
    before = 'x = """\n\n"""\r\ny = 1 + \\\n  2\nz = (  # (\n  3)\n'
    assert too_deep(before + "z = " + "(" * 300 + ")" * 300 + "\n") == (8, "brackets nest deeper than 200 levels")


@pytest.mark.parametrize(
    "source",
    [
        "x = [" + "1.5, -2, " * 50_000 + "]\n",
        "x = {" + "'a': (1, 2), " * 20_000 + "}\n",
        'x = """' + "((((" * 1000 + '"""\n',
        "# " + "(" * 1000 + "\nx = 1\n",
        "x = '" + "a.b.c " * 5000 + "'\n",
        'x = """' + "{{a}} {b:{c}} " * 1000 + '"""\ny = f"' + "{a} " * 500 + '"\n',
        "x = [\n" + "    f(a.b, not c, -1),\n" * 3000 + "]\n",
        "match x:\n    case " + "[(A(b={'c': [d]}), *_), None]" + ": pass\n",
    ],
    ids=["numbers", "pairs", "string", "comment", "dots in a string", "fields", "calls", "pattern"],
)
def test_large_but_flat_sources_are_parsed(source: str) -> None:
    assert isinstance(lower_source(source), ir.Module)


def test_nothing_in_the_standard_library_is_refused() -> None:
    for path in sorted(STDLIB.glob("*.py")):
        assert too_deep(path.read_text("utf-8", "replace")) is None, path
