"""A stored result is used again exactly as long as everything that it rests on is unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from taskgates.inference.engine import Analyser, InferenceOptions
from taskgates.inference.limits import Limits
from taskgates.model.task import Command
from taskgates.tree.cache import Cache
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.model.access import AccessSet


def analyse(root: Path, *scripts: str) -> list[AccessSet]:
    with Cache(root, "test") as cache:
        analyser = Analyser(Tree(root), cache=cache)
        return [analyser.command(Command(argv=("python", script))) for script in scripts]


def written(access: AccessSet) -> list[tuple[str | None, int]]:
    return [(one.path, one.sites[0].line) for one in access.writes]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "shared.py").write_text("def save():\n    open('out.txt', 'w')\n")
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text(
            "import json, os, shared\nshared.save()\nif os.path.exists('flag'):\n    open('more.txt', 'w')\n"
        )
    return tmp_path


def test_the_second_run_gives_the_same(root: Path) -> None:
    assert analyse(root, "one.py", "two.py") == analyse(root, "one.py", "two.py")


def test_a_change_in_a_module_that_two_entries_share_reaches_both(root: Path) -> None:
    analyse(root, "one.py", "two.py")
    (root / "shared.py").write_text("# moved\ndef save():\n    open('other.txt', 'w')\n")
    assert [written(access) for access in analyse(root, "one.py", "two.py")] == [[("other.txt", 3)]] * 2


def test_a_file_that_appears_is_noticed(root: Path) -> None:
    (before,) = analyse(root, "one.py")
    assert [path for path, _ in written(before)] == ["out.txt"]
    (root / "flag").touch()
    (after,) = analyse(root, "one.py")
    assert [path for path, _ in written(after)] == ["more.txt", "out.txt"]


def test_a_module_that_shadows_another_is_noticed(root: Path) -> None:
    analyse(root, "one.py")
    (root / "json.py").write_text("open('shadow.txt', 'w')\n")
    (after,) = analyse(root, "one.py")
    assert "shadow.txt" in [path for path, _ in written(after)]


def test_a_bound_in_seconds_that_runs_out_is_said(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "open('first.txt', 'w')\nx = 0\nfor i in range(200):\n    for j in range(200):\n        x += i\n"
    )
    options = InferenceOptions(limits=Limits(seconds=1e-9))
    access = Analyser(Tree(tmp_path), options).command(Command(argv=("python", "slow.py")))
    assert [one.reason for one in access.opaque] == [
        "the budget of 1e-09 seconds ran out; raise `seconds` to look further"
    ]
    assert not access.complete
