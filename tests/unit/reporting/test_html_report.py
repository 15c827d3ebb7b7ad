"""The page: whole, self-contained, and nothing of the repository in it as markup."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import msgspec
import pytest
from taskgates.model.access import Access, AccessSet, Certainty, Operation
from taskgates.model.finding import Finding, Severity
from taskgates.model.spans import SourceSpan
from taskgates.reporting.html_report import render
from taskgates.reporting.report import RenderOptions, Report

if TYPE_CHECKING:
    from taskgates.scan.pipeline import ScanResult

VOID = {"meta", "input", "br", "link", "img"}


class Page(HTMLParser):
    """Collects elements and checks that they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.text.append(data)

    def of(self, name: str, **attributes: str) -> list[dict[str, str | None]]:
        wanted = {("class" if key == "cls" else key): value for key, value in attributes.items()}
        return [
            found
            for tag, found in self.elements
            if tag == name and all(value in (found.get(key) or "").split() for key, value in wanted.items())
        ]


@pytest.fixture
def page(report: Report) -> Page:
    return Page(render(report, RenderOptions()))


def test_findings_can_be_filtered(page: Page) -> None:
    findings = page.of("article", cls="finding")
    assert len(findings) == 4
    assert {finding["data-severity"] for finding in findings} == {"error", "warning", "note"}
    assert ["110_1", "110_2"] in [json.loads(finding["data-tasks"] or "") for finding in findings]
    assert {option["value"] for option in page.of("option")} >= {"TG101", "TG701", "110_1", "110_2"}


def test_code_is_marked_and_chains_fold(page: Page) -> None:
    assert "target.write_text(str(rows))" in page.text
    assert "Call chain, 3 steps" in page.text
    assert len(page.of("details", cls="task")) == 2


def test_conflicts_lead_to_tasks_and_findings(page: Page) -> None:
    links = [str(link["href"]) for link in page.of("a") if str(link.get("href", "")).startswith("#")]
    targets = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert {"#task-110_1", "#task-110_2"} <= set(links)
    assert {link.removeprefix("#") for link in links} <= targets


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    for tag, attributes in page.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed")
        assert "src" not in attributes
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
    policy = next(meta for meta in page.of("meta") if meta.get("http-equiv"))
    assert "default-src 'none'" in str(policy["content"])


def test_nothing_of_the_repository_becomes_markup(outcome: ScanResult) -> None:
    nasty = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{ 7*7 }}"
    task = msgspec.structs.replace(outcome.tasks[0], id=nasty, title=nasty)
    hostile = msgspec.structs.replace(
        outcome,
        tasks=(task,),
        access_sets={nasty: AccessSet(writes=(Access(nasty, Certainty.EXACT, False, Operation.CREATE),))},
        findings=(
            Finding(
                rule="TG101",
                severity=Severity.ERROR,
                message=f"`{nasty}` {nasty}",
                span=SourceSpan(nasty, 1, 1, 1, 2),
                tasks=(nasty, "2"),
                path=nasty,
            ),
        ),
    )
    page = Page(render(Report(hostile), RenderOptions()))
    assert len(page.of("script")) == 1
    assert page.of("img") == []
    assert any(nasty in text for text in page.text)
    assert json.loads(page.of("article")[0]["data-tasks"] or "") == [nasty, "2"]


def test_an_empty_scan(outcome: ScanResult) -> None:
    page = Page(render(Report(msgspec.structs.replace(outcome, findings=(), tasks=())), RenderOptions()))
    assert "No findings." in page.text
