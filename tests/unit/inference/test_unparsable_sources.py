"""Sources that cannot be parsed: they are named where the error is, in the words of Python's compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from taskgates.inference.engine import Analyser
from taskgates.model.task import Command
from taskgates.syntax import ir
from taskgates.syntax.lower import lower_source
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = {
    "parameters": ("import os\nx = 1\ndef main(:\n    pass\n", 3, 10),
    "open bracket": ("x = (1,\ny = 2\n", 1, 5),
    "no block": ("if True:\npass\n", 2, 1),
    "tabs": ("def f():\n\treturn 1\n        x\n", 3, 1),
    "half a loop": ("x = 1\n\n\nfor\n", 4, 4),
    "half an entry": ("class A:\n    def f(self):\n        return {1: }\n\nx = 1\n", 3, 18),
    "open string": ('s = """abc\nx\n', 1, 5),
    "a foreign sign": ("a = 1\nb = $\n", 2, 5),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_the_place_is_the_one_that_python_names(name: str) -> None:
    source, line, column = BROKEN[name]
    with pytest.raises(SyntaxError) as caught:
        compile(source, "x.py", "exec")
    assert (caught.value.lineno, caught.value.offset) == (line, column)
    found = lower_source(source)
    assert isinstance(found, ir.SourceProblem)
    assert (found.line, found.column) == (line, column)
    assert found.message == caught.value.msg


def test_an_entry_that_cannot_be_parsed_is_named(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(BROKEN["parameters"][0], encoding="utf-8")
    found = Analyser(Tree(tmp_path)).command(Command(argv=("python", "main.py")))
    assert [(site.file, site.line, site.column) for site in found.opaque[0].sites] == [("main.py", 3, 10)]


def test_a_module_that_cannot_be_parsed_is_named_with_its_importer(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("\nimport part\nopen('out', 'w')\n", encoding="utf-8")
    (tmp_path / "part.py").write_text("x = (\n", encoding="utf-8")
    analyser = Analyser(Tree(tmp_path))
    found = analyser.command(Command(argv=("python", "main.py")))
    (site,) = found.opaque[0].sites
    assert (site.file, site.line, [frame.file for frame in site.via]) == ("part.py", 1, ["main.py"])
    assert [(problem.span.file, problem.span.line) for problem in analyser.problems] == [("part.py", 1)]


def test_the_docstring_is_known(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        '"""First line.\n\n  Usage: x\n"""\nfor word in __doc__.split():\n    open(word, "w")\n', encoding="utf-8"
    )
    found = Analyser(Tree(tmp_path)).command(Command(argv=("python", "main.py")))
    assert {access.path for access in found.writes} == {"First", "line.", "Usage:", "x"}


def test_what_nests_too_deep_is_said_at_its_file(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("x = " + "(" * 3000 + "1" + ")" * 3000 + "\n", encoding="utf-8")
    found = Analyser(Tree(tmp_path)).command(Command(argv=("python", "main.py")))
    assert {site.file for opaque in found.opaque for site in opaque.sites} == {"main.py"}
