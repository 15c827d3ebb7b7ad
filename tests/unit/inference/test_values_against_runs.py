"""What file names are built from through the standard library, checked against a real run of every program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from taskgates.model.access import Certainty
from unit.inference.reality import analyse, every, rows, run_for_real, write_tree
from unit.inference.value_programs import EXACT, PARTLY

if TYPE_CHECKING:
    from pathlib import Path

WRITER = 'def w(*names):\n    for name in names:\n        open(name, "w").close()\n'


def both(place: Path, code: str) -> tuple[set[str], set[str], set[Certainty]]:
    """What the analysis says of a program, what the program really does, and how sure the analysis is."""
    root = place / "tree"
    write_tree(root, WRITER + code)
    found = analyse(root)
    assert [opaque.reason for opaque in found.opaque] == []
    assert [access.path for access in every(found) if access.conditional] == []
    real = run_for_real(root, ("python", "main.py"), place / "log")
    return rows(found), real, {access.certainty for access in every(found)}


@pytest.mark.parametrize("name", sorted(EXACT))
def test_known_names_are_exact(name: str, tmp_path: Path) -> None:
    said, real, certainty = both(tmp_path, EXACT[name])
    assert (sorted(real - said), sorted(said - real)) == ([], [])
    assert certainty <= {Certainty.EXACT}


def _matches(pattern: str, row: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", "[^/]*"), row) is not None


@pytest.mark.parametrize("name", sorted(PARTLY))
def test_partly_known_names_keep_their_known_pieces(name: str, tmp_path: Path) -> None:
    said, real, _ = both(tmp_path, PARTLY[name])
    assert not {row for row in said if "**" in row or "?" in row}
    assert [row for row in sorted(real) if not any(_matches(pattern, row) for pattern in said)] == []
    assert [pattern for pattern in sorted(said) if not any(_matches(pattern, row) for row in real)] == []
    assert all(len(pattern.replace("*", "")) > len("overwrite ") + 1 for pattern in said if "*" in pattern)
