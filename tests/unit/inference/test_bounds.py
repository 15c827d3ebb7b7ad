"""The bounds of an analysis: the ones that are set hold, and what they cut is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from taskgates.config import Config
from taskgates.config.model import InferenceBudgets
from taskgates.inference.engine import InferenceOptions
from taskgates.inference.limits import Limits
from taskgates.model.task import Command
from taskgates.scan.analysis import make_analyser
from taskgates.tree.cache import NullCache
from taskgates.tree.tree import Tree
from unit.inference.reality import analyse, rows, write_tree

if TYPE_CHECKING:
    from pathlib import Path

CHOICES = """
import os
name = "n"
{branches}
open(f"out/{{name}}.txt", "w")
"""
BRANCHES = "\n".join(f"if os.getenv('V{n}'.lower() + os.uname().release): name = 'n{n}'" for n in range(6))


def written(root: Path, **bounds: int) -> set[str]:
    return rows(analyse(root, options=InferenceOptions(limits=Limits(**bounds))))


def test_the_size_of_sets_decides_between_names_and_a_pattern(tmp_path: Path) -> None:
    write_tree(tmp_path, CHOICES.format(branches=BRANCHES))
    assert written(tmp_path) == {"overwrite out/n.txt", *(f"overwrite out/n{n}.txt" for n in range(6))}
    assert written(tmp_path, set_size=3) == {"overwrite out/n*.txt"}
    assert written(tmp_path, set_size=7) == written(tmp_path)


def test_the_configuration_reaches_the_engine(tmp_path: Path) -> None:
    write_tree(tmp_path, CHOICES.format(branches=BRANCHES))
    config = Config(inference=InferenceBudgets(set_size=3))
    found = make_analyser(Tree(tmp_path), config, {}, NullCache()).command(Command(argv=("python", "main.py")))
    assert rows(found) == {"overwrite out/n*.txt"}


def test_engine_and_configuration_have_the_same_defaults() -> None:
    defaults = msgspec.structs.asdict(InferenceBudgets())
    assert {name: getattr(Limits(), name) for name in defaults} == defaults


FUNCTIONS = "".join(f"def f{n}(): open('o{n}', 'w')\n" for n in range(40)) + (
    "import random\ntable = [" + ", ".join(f"f{n}" for n in range(40)) + "]\nrandom.choice(table)()\n"
)


def test_functions_beyond_the_size_of_sets_are_said_and_found_with_a_larger_one(tmp_path: Path) -> None:
    write_tree(tmp_path, FUNCTIONS)
    assert not analyse(tmp_path).complete
    found = analyse(tmp_path, options=InferenceOptions(limits=Limits(set_size=40)))
    assert found.complete
    assert {row for row in rows(found) if row.startswith("overwrite")} == {f"overwrite o{n}" for n in range(40)}


@pytest.mark.parametrize(
    ("code", "bound"),
    [
        (FUNCTIONS, "set_size"),
        ("n = 0\nwhile n < 10 ** 6:\n    n += 1\n    open(str(n), 'w')\n" * 3, "steps"),
        ("def f(n): return f(n - 1) if n else open('deep', 'w')\nf(90)\n", "depth"),
    ],
)
def test_a_bound_that_cuts_is_said(code: str, bound: str, tmp_path: Path) -> None:
    write_tree(tmp_path, code)
    small = {"set_size": 4, "steps": 300, "depth": 20}
    found = analyse(tmp_path, options=InferenceOptions(limits=Limits(**{bound: small[bound]})))
    assert not found.complete
    assert any(f"`{bound}`" in opaque.reason for opaque in found.opaque), found.opaque


LONG_WORK = """
import os
from contextlib import contextmanager

@contextmanager
def opened(name):
    with open(name) as handle:
        yield handle

def slow(text):
    total = 0
    for i in range(200):
        for j in range(200):
            total += i * j
    return os.path.exists(text) or total

def work(name):
    with opened(name) as handle:
        changed = slow(handle.read())
    if changed:
        open(name + ".new", "w").close()

work("a.txt")
work("b.txt")
"""


def test_the_part_that_takes_long_is_cut_and_not_what_follows_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    write_tree(tmp_path, LONG_WORK, data=False)
    limits = Limits(effort=1_000, call_steps=200)
    found = analyse(tmp_path, options=InferenceOptions(limits=limits))
    assert rows(found) == {"read a.txt", "read b.txt", "overwrite a.txt.new", "overwrite b.txt.new"}
    assert [opaque.reason.split(" ", 1)[0] for opaque in found.opaque] == ["slow"]
