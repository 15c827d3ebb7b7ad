"""Every format by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from taskgates.reporting.formats import FORMATS, UnknownFormatError, render, render_access_set

if TYPE_CHECKING:
    from taskgates.reporting.report import Report
    from taskgates.scan.pipeline import ScanResult


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_tells_the_conflict(report: Report, name: str) -> None:
    text = render(name, report)
    assert "TG101" in text
    assert "build/winter.json" in text
    assert text.endswith("\n")
    text.encode("utf-8")


def test_formats_of_one_access_set(outcome: ScanResult) -> None:
    for name, format_ in FORMATS.items():
        if format_.single:
            assert "build/winter.json" in render_access_set(name, outcome.access_sets["110_2"])
        else:
            with pytest.raises(UnknownFormatError, match="rich, json"):
                render_access_set(name, outcome.access_sets["110_2"])


def test_a_misspelt_name_is_answered_with_the_nearest(report: Report) -> None:
    with pytest.raises(UnknownFormatError, match="did you mean 'sarif'"):
        render("sarrif", report)
