"""Workflow commands, read back as the runner reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from taskgates.model.finding import Finding, Severity
from taskgates.model.spans import SourceSpan
from taskgates.reporting.github_report import render
from taskgates.reporting.report import RenderOptions, Report

if TYPE_CHECKING:
    from taskgates.scan.pipeline import ScanResult


def parse(line: str) -> tuple[str, dict[str, str], str]:
    """Split a command at the places where the runner does, and undo its escapes."""
    head, _, message = line.removeprefix("::").partition("::")
    command, _, listed = head.partition(" ")
    properties = dict(entry.split("=", 1) for entry in listed.split(","))
    for key, value in properties.items():
        plain = value.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",")
        properties[key] = plain.replace("%25", "%")
    return command, properties, message.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_commands(report: Report) -> None:
    lines = render(report, RenderOptions()).splitlines()
    commands = [parse(line) for line in lines if line.startswith("::")]
    assert [command for command, _, _ in commands] == ["error", "error", "warning", "notice"]
    _, properties, message = commands[0]
    assert properties == {
        "file": "src/prepare.py",
        "line": "11",
        "endLine": "11",
        "col": "5",
        "endColumn": "33",
        "title": "TG101 write-write-conflict",
    }
    assert message.splitlines()[1] == "110_2 writes it: src/train.py:3:1"
    assert commands[2][1]["file"] == "src/données [1]/a:b.py"
    assert lines[-1] == "taskgates: 2 errors, 1 warning, 1 note in 2 tasks"


def test_nothing_breaks_out_of_a_command(outcome: ScanResult) -> None:
    finding = Finding(
        rule="TG101",
        severity=Severity.ERROR,
        message="50% written\n::set-env name=A::b\r\n::error::c",
        span=SourceSpan("a,b:c%,line=9::x\n.py", 4, 2, 5, 1),
    )
    page = render(Report(msgspec.structs.replace(outcome, findings=(finding,))), RenderOptions())
    first, summary = page.splitlines()
    command, properties, message = parse(first)
    assert command == "error"
    assert properties["file"] == "a,b:c%,line=9::x\n.py"
    assert properties["line"] == "4"
    assert "col" not in properties
    assert message == "50% written\n::set-env name=A::b\n::error::c"
    assert summary.startswith("taskgates:")
