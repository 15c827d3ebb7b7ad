"""ast: known sources are taken apart, and what programs find in them decides what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.models.pipelines.runs import infer, written

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = '"""doc"""\nimport os\n\n__all__ = ["one"]\n\ndef one(): pass\n\nasync def two(): pass\n\nclass Three: pass\n'
START = """
import ast

def w(*names):
    for name in names:
        open(str(name), "w").close()

tree = ast.parse(open("m.py").read())
"""
VISITOR = """
class V(ast.NodeVisitor):
    def visit_FunctionDef(self, node): w(node.name)
    def visit_Lambda(self, node): w("never")
V().visit(tree)
"""
TRANSFORMER = """
class T(ast.NodeTransformer):
    def visit_FunctionDef(self, node):
        node.name = "new"
        return node
    def visit_ClassDef(self, node): return None
for node in T().visit(tree).body:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)): w(node.name)
"""


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("w(*[n.name for n in tree.body if isinstance(n, ast.FunctionDef)])", {"one"}),
        (
            "w(*[n.name for n in ast.walk(tree) if isinstance(n, (ast.ClassDef, ast.AsyncFunctionDef))])",
            {"two", "Three"},
        ),
        ("w(*[type(n).__name__ for n in tree.body if isinstance(n, ast.stmt)][:2])", {"Expr", "Import"}),
        ("w(ast.get_docstring(tree))", {"doc"}),
        ("w(*ast.literal_eval(next(n.value for n in tree.body if isinstance(n, ast.Assign))))", {"one"}),
        (VISITOR, {"one"}),
        (TRANSFORMER, {"new", "two"}),
    ],
)
def test_known_sources(tmp_path: Path, program: str, expected: set[str]) -> None:
    assert written(infer(tmp_path, {"m.py": SOURCE, "s.py": START + program + "\n"}, "python s.py")) == expected


def test_large_sources_are_judged_without_their_nodes(tmp_path: Path) -> None:
    source = SOURCE + "".join(f"x{i} = {i}\n" for i in range(500))
    found = infer(tmp_path, {"m.py": source, "s.py": START + VISITOR}, "python s.py")
    assert "never" in written(found)
