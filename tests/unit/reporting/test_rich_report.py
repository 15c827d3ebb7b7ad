"""The terminal report on terminals of all kinds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from taskgates.model.finding import Finding, Severity
from taskgates.model.spans import SourceSpan
from taskgates.reporting.printable import printable
from taskgates.reporting.report import RenderOptions, Report
from taskgates.reporting.rich_report import render, render_access_set
from taskgates.reporting.sources import SourceText
from taskgates.reporting.terminal_text import code_frame

if TYPE_CHECKING:
    from taskgates.scan.pipeline import ScanResult

ESCAPE = "\x1b"


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("unicode", [True, False])
def test_nothing_is_wider_than_the_terminal(report: Report, width: int, unicode: bool) -> None:
    page = render(report, RenderOptions(width=width, unicode=unicode))
    assert all(cell_len(line) <= width for line in page.splitlines())
    assert ESCAPE not in page
    assert "TG101" in page
    assert page.isascii() or unicode
    assert not any(line != line.rstrip() for line in page.splitlines())


def test_the_code_is_underlined(report: Report) -> None:
    lines = render(report, RenderOptions(width=100)).splitlines()
    place = next(number for number, line in enumerate(lines) if "target.write_text" in line)
    code, carets = lines[place], lines[place + 1]
    start = carets.index("^")
    assert code[start : start + carets.count("^")] == "target.write_text(str(rows))"
    assert "11" in code


def test_findings_stand_below_their_file(report: Report) -> None:
    page = render(report, RenderOptions())
    files = [line for line in page.splitlines() if re.fullmatch(r"\S.*\.(py|json)", line)]
    assert files == sorted(files)
    assert page.index("src/train.py\n") < page.index("TG701")


def test_table_and_summary(report: Report) -> None:
    page = render(report, RenderOptions(width=100))
    row = next(line for line in page.splitlines() if line.strip().startswith("110_1"))
    assert row.split() == ["110_1", "✖", "1", "●", "1", "0/2", "\N{EN DASH}", "1", "2"]
    assert "✖ 2 errors   ▲ 1 warning   ● 1 note   in 2 tasks" in page
    assert "The code of 1 task could not be followed everywhere" in page


def test_colours_only_where_asked(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "33")
    assert ESCAPE not in render(report, RenderOptions(colour=False))
    assert "\x1b[1;31m" in render(report, RenderOptions(colour=True))


def test_an_empty_scan(outcome: ScanResult) -> None:
    empty = msgspec.structs.replace(outcome, findings=(), tasks=(), access_sets={})
    assert "No findings" in render(Report(empty), RenderOptions())


def test_nothing_from_the_repository_reaches_the_terminal_raw(outcome: ScanResult) -> None:
    (outcome.root / "src" / "train.py").write_text("open('\x1b[2J', 'w')\n", encoding="utf-8")
    nasty = Finding(
        rule="TG101",
        severity=Severity.ERROR,
        message="writes \x1b]0;title\x07 and \u202egpj.exe and \udcff",
        span=SourceSpan("src/train.py", 1, 1, 1, 18),
        tasks=("\x1b[31m",),
        path="\x1b[2J",
    )
    page = render(Report(msgspec.structs.replace(outcome, findings=(nasty,))), RenderOptions())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", page)
    assert "\\x1b]0;title\\x07" in page
    page.encode("utf-8")


@given(st.text(), st.integers(-2, 60), st.integers(-2, 60), st.integers(20, 60))
def test_frames_fit_and_carets_stand_below_the_code(line: str, start: int, end: int, width: int) -> None:
    source = SourceText(line.replace("\n", "").replace("\r", "").encode("utf-8", "replace"))
    rows = code_frame(source, SourceSpan("a.py", 1, start, 1, end), width=width, style="red", unicode=True)
    if not rows:
        assert not (source.line(1) or "").strip()
        return
    code, carets = (row.plain for row in rows)
    assert cell_len(code) <= max(width, 30)
    assert cell_len(carets.rstrip()) <= max(cell_len(code), carets.index("^") + 1)


@given(st.text(alphabet=st.characters()))
def test_printable_text_can_be_encoded_and_holds_no_controls(text: str) -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", printable(text))
    printable(text).encode("utf-8")


def test_access_set(outcome: ScanResult) -> None:
    access_set = outcome.access_sets["110_1"]
    page = render_access_set(access_set, RenderOptions(width=120))
    assert "(unknown path)" in page
    assert "build/été.json" in page
    assert "holding prepare.LOCK" in page
    assert "Incomplete" in page
    verbose = render_access_set(access_set, RenderOptions(width=140, verbose=True))
    assert "src/prepare.py:19 <module> → src/prepare.py:16 main → src/prepare.py:11 save" in verbose
