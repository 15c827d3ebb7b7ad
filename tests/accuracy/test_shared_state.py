"""Shared state of small programs: by hand, by a real run and by analysis it is the same."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from accuracy.shared_state import Case, analyse, differences, load_cases, run

if TYPE_CHECKING:
    from pathlib import Path

CASES = load_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_analysis_sees_what_is_true(case: Case, tmp_path: Path) -> None:
    seen = analyse(case, tmp_path)
    assert set(differences(case, seen)) == {each for each in case.missed if ": " in each}
    found = seen.findings - case.open
    assert case.findings - found == case.missed & case.findings, "findings that are missing"
    assert found - case.findings == case.false, "findings that are not true"


@pytest.mark.parametrize("case", [case for case in CASES if case.runs], ids=lambda case: case.name)
def test_truth_is_what_a_run_shows(case: Case, tmp_path: Path) -> None:
    shutil.copytree(case.folder, tmp_path / "program", ignore=shutil.ignore_patterns("state.toml", "__pycache__"))
    seen = run(case, tmp_path)
    assert [each for each in differences(case, seen) if each.split()[-1] not in case.unseen] == []
    if len(case.tasks) == 1:
        races = {each for each in case.findings if each.startswith("TG601 ")}
        assert races - seen.findings <= case.unseen, "races that do not happen"
        assert seen.findings - races - case.open == set(), "races that happen and are not stated"
