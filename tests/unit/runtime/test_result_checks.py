from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from taskgates.model.spans import SourceSpan
from taskgates.model.task import DeclaredPath, Task
from taskgates.runtime.result_checks import missing_outputs

if TYPE_CHECKING:
    from pathlib import Path

SPAN = SourceSpan("dvc.yaml")


@pytest.mark.parametrize(
    ("declared", "missing"),
    [("a.txt", False), ("b.txt", True), ("out/", False), ("none/", True), ("out/*.csv", False), ("out/*.json", True)],
)
def test_declared_outputs_must_exist(tmp_path: Path, declared: str, missing: bool) -> None:
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/x.csv").write_text("")
    task = Task(id="1", format="dvc", span=SPAN, writes=(DeclaredPath(declared, SPAN),))
    problem = missing_outputs(tmp_path)(task)
    assert (problem is not None) is missing
    if problem is not None:
        assert declared in problem


def test_edited_files_are_no_outputs(tmp_path: Path) -> None:
    paths = (DeclaredPath("gone.py", SPAN),)
    assert missing_outputs(tmp_path)(Task(id="1", format="claude-tasks", span=SPAN, edits=paths, writes=paths)) is None
