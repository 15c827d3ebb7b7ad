"""Modules that import each other: what is found in one never depends on which was looked at first."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from taskgates.inference.engine import Analyser
from taskgates.inference.import_cycles import ImportCycles
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Task
from taskgates.syntax import ir
from taskgates.syntax.lower import lower_source
from taskgates.tree.tree import Tree
from unit.inference.reality import write_tree

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.model.access import AccessSet

CIRCLE = """
--- pkg/__init__.py
--- pkg/a.py
from pkg import b
from pkg.c import read
class A:
    def save(self):
        open("a.txt", "w").write("x")
        b.helper()
--- pkg/b.py
import pkg.a
from pkg import c
def helper():
    return c.read()
class B:
    def go(self):
        return pkg.a.A().save()
--- pkg/c.py
import pkg.b
from pkg import d
CONFIG = open("conf.json").read()
def read():
    d.note()
    return open("c.txt").read()
--- pkg/d.py
from pkg.a import A
def note():
    A()
    open("log.txt", "a").write("x")
"""

SUBMODULES = """
--- pkg/__init__.py
import pkg.first
--- pkg/first.py
from pkg.sub import errors
KINDS = []
def kinds():
    KINDS.append(open("kinds.txt").read())
--- pkg/sub/__init__.py
--- pkg/sub/errors.py
NAME = open("name.txt").read()
--- pkg/sub/second.py
from pkg.sub import errors
from pkg import first
first.kinds()
"""


PACKAGE_IN_PACKAGE = """
--- pkg/__init__.py
open("pkg.txt", "w").write("x")
--- pkg/sub/__init__.py
--- pkg/sub/one.py
def one():
    open("one.txt", "w").write("x")
"""

TABLES = """
--- pkg/__init__.py
--- pkg/table.py
HANDLERS = {}
ORDER = []
def register(name, handler):
    HANDLERS[name] = handler
    ORDER.append(name)
def run():
    for name in ORDER:
        HANDLERS[name]()
SEEN = len(ORDER)
--- pkg/first.py
from pkg import table
def first():
    open("first.txt", "w").write("x")
table.register("first", first)
def go():
    table.run()
--- pkg/second.py
from pkg import table
if table.ORDER:
    open("late.txt", "w").write("x")
def second():
    open("second.txt", "w").write("x")
table.register("second", second)
def go():
    table.run()
--- pkg/both.py
from pkg import first, second, table
def go():
    table.run()
--- pkg/deep.py
from pkg import both
both.table.register("deep", lambda: open("deep.txt", "w").write("x"))
def go():
    both.go()
"""


def found(root: Path, files: tuple[str, ...]) -> dict[str, AccessSet | None]:
    """What each file does, looked at one after another."""
    analyser = Analyser(Tree(root))
    span = SourceSpan("tasks.json", 1, 1, 1, 1)
    return {file: analyser.task(Task(id=file, format="json", span=span, sources=(file,))) for file in files}


@pytest.mark.parametrize("source", [CIRCLE, SUBMODULES, PACKAGE_IN_PACKAGE, TABLES])
def test_the_order_of_looking_makes_no_difference(tmp_path: Path, source: str) -> None:
    write_tree(tmp_path, source)
    files = tuple(sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("pkg/**/*.py")))
    expected = {file: found(tmp_path, (file,))[file] for file in files}
    orders = list(permutations(files))
    for order in orders[:: 1 + len(orders) // 50]:
        assert found(tmp_path, order) == expected, order


def test_what_a_module_changes_on_others_is_there_for_those_who_import_it(tmp_path: Path) -> None:
    write_tree(tmp_path, TABLES)
    files = ("pkg/deep.py", "pkg/both.py", "pkg/second.py", "pkg/first.py")
    written = {
        file: {item.path for item in access.writes}
        for file, access in found(tmp_path, files).items()
        if access is not None
    }
    assert written["pkg/first.py"] == {"first.txt"}
    assert written["pkg/second.py"] == {"second.txt"}
    assert written["pkg/both.py"] == {"first.txt", "second.txt"}
    assert written["pkg/deep.py"] == {"first.txt", "second.txt", "deep.txt"}


def cycles(**modules: str) -> ImportCycles:
    """The circles among modules by their text; a name with a trailing underscore is a package."""
    lowered: dict[str, tuple[ir.Module, bool]] = {}
    for name, text in modules.items():
        module = lower_source(text)
        dotted = name.replace("__", ".")
        assert isinstance(module, ir.Module)
        lowered[dotted.removesuffix("_")] = (module, dotted.endswith("_"))
    return ImportCycles(lowered.get)


def test_a_circle_is_entered_by_its_package_then_by_name() -> None:
    around = cycles(pkg_="from . import b, a", pkg__a="from .b import x", pkg__b="import other", other="import json")
    assert around.around("pkg.b") == ("pkg", "pkg.a", "pkg.b")
    assert around.around("other") == ()


def test_imports_inside_functions_and_for_types_make_no_circle() -> None:
    around = cycles(
        a="import b\nif TYPE_CHECKING:\n    import c",
        b="def late():\n    import a",
        c="import a",
        d="try:\n    import e\nexcept ImportError:\n    pass",
        e="import d",
    )
    assert [around.around(name) for name in "abc"] == [(), (), ()]
    assert around.around("e") == ("d", "e")
