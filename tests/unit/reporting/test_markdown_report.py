"""The pull-request comment, rendered by a Markdown parser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from markdown_it import MarkdownIt
from taskgates.model.finding import Finding, Severity
from taskgates.model.spans import SourceSpan
from taskgates.reporting.markdown_report import LARGEST_COMMENT, MARKER, code, prose, render
from taskgates.reporting.report import RenderOptions, Report

if TYPE_CHECKING:
    from taskgates.scan.pipeline import ScanResult


def html(markdown: str) -> str:
    page: str = MarkdownIt("gfm-like", {"linkify": False}).render(markdown)
    return page


def test_comment(report: Report) -> None:
    text = render(report, RenderOptions())
    assert text.startswith(MARKER)
    page = html(text)
    assert "taskgates: 2 errors, 1 warning, 1 note in 2 tasks</h2>" in page
    assert "tasks 110_1 and 110_2 both write" in page
    assert "<code>src/données [1]/a:b.py:1</code>" in page
    assert "<td>110_2</td>" in page
    assert "could not be followed everywhere" in text


def test_places_are_linked_where_github_has_the_commit(outcome: ScanResult) -> None:
    git = outcome.root / ".git"
    git.mkdir()
    (git / "HEAD").write_text("0123456789abcdef0123456789abcdef01234567\n")
    (git / "config").write_text('[remote "origin"]\n\turl = git@github.com:team/pipeline.git\n')
    text = render(Report(outcome), RenderOptions())
    address = "https://github.com/team/pipeline/blob/0123456789abcdef0123456789abcdef01234567/src/prepare.py#L11"
    assert f'<a href="{address}">' in html(text)


def test_text_from_the_repository_stays_text() -> None:
    nasty = "*a* _b_ [c](d) <img src=x> # e | f `` g ``` @team #12 ![h](i) ~~j~~"
    page = html(prose(nasty))
    assert not any(tag in page for tag in ("<em>", "<img", "<a ", "<h1", "<s>", "<strong>"))
    assert "@team" not in page
    assert html(code("a`b``c | d")).strip() == "<p><code>a`b``c | d</code></p>"
    assert html(prose("writes `out/*.csv` twice")).strip() == "<p>writes <code>out/*.csv</code> twice</p>"


def test_a_comment_has_room_for_no_more(outcome: ScanResult) -> None:
    findings = tuple(
        Finding(
            rule="TG701",
            severity=Severity.ERROR,
            message=f"task 1 writes out/{number}.json",
            span=SourceSpan("src/train.py", number + 1, 1, number + 1, 2),
        )
        for number in range(2_000)
    )
    text = render(Report(msgspec.structs.replace(outcome, findings=findings)), RenderOptions())
    assert len(text) <= LARGEST_COMMENT
    shown = text.count("- \N{CROSS MARK} ")
    assert f"**{2_000 - shown:,} findings left out**" in text


def test_no_findings(outcome: ScanResult) -> None:
    clean = msgspec.structs.replace(outcome, findings=(), tasks=(), access_sets={})
    assert "no findings in 0 tasks" in render(Report(clean), RenderOptions())
