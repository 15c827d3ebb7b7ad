"""Every repository under `fixtures/repositories` gives exactly the report recorded beside it."""

from __future__ import annotations

import json

import pytest
from functional.repository_reports import EXPECTED, REPOSITORIES, names, report


@pytest.mark.parametrize("name", names())
def test_report(name: str) -> None:
    expected = (REPOSITORIES / name / EXPECTED).read_text(encoding="utf-8")
    # Compared as values first, since a difference in a long text is hard to read.
    assert json.loads(report(name)) == json.loads(expected)
