"""Baselines: written, read back, and refused when they are none."""

from __future__ import annotations

from typing import Any

import pytest
from taskgates.model.finding import Finding, Severity
from taskgates.model.spans import SourceSpan
from taskgates.scan.baseline import BaselineError, load_baseline, render_baseline
from taskgates.scan.fingerprint import with_fingerprints
from taskgates.scan.pipeline import split_accepted


def findings(*paths: str) -> list[Finding]:
    return with_fingerprints(
        Finding(rule="TG701", severity=Severity.ERROR, message=f"writes {path}", span=SourceSpan("a.py"), path=path)
        for path in paths
    )


def test_what_was_written_is_accepted_and_nothing_else(tmp_path: Any) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(render_baseline(findings("a", "b")))
    new, accepted = split_accepted(findings("b", "c"), load_baseline(file))
    assert [each.path for each in new] == ["c"]
    assert [each.path for each in accepted] == ["b"]


def test_the_text_does_not_depend_on_the_order() -> None:
    assert render_baseline(findings("a", "b")) == render_baseline(reversed(findings("a", "b")))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot read the baseline"),
        ("", "not a baseline"),
        ("[]", "not a baseline"),
        ('{"schema_version": 1}', "not a baseline"),
        ('{"schema_version": 1, "findings": [{"rule": "TG101"}]}', "not a baseline"),
        ('{"schema_version": 7, "findings": []}', "version 7"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Any, content: Any, complaint: Any) -> None:
    file = tmp_path / "baseline.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(BaselineError, match=complaint) as caught:
        load_baseline(file)
    assert str(file) in str(caught.value)
