"""Workflow commands: GitHub Actions turns each line into an annotation of the pull request.

Source: GitHub's page "Workflow commands for GitHub Actions". In the message `%`, CR and LF are escaped; in properties
also `:` and `,`. A step shows ten annotations of each kind, so the gravest come first.
"""

from __future__ import annotations

from taskgates.model.finding import Finding, Severity
from taskgates.reporting.printable import printable
from taskgates.reporting.report import RenderOptions, Report, plain_message, plural

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_SHOWN = 10


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - every format is called alike
    """One command a finding, the gravest first, and a line that counts them."""
    lines = [_command(report, finding) for finding in report.gravest_first]
    counts = report.counts
    lines.append(
        f"taskgates: {plural(counts.errors, 'error')}, {plural(counts.warnings, 'warning')}, "
        f"{plural(counts.notes, 'note')} in {plural(len(report.tasks), 'task')}"
    )
    if max(counts.errors, counts.warnings, counts.notes) > _SHOWN:
        lines.append(f"GitHub shows {_SHOWN} annotations of each kind a step; the log has them all.")
    return "\n".join(lines) + "\n"


def _command(report: Report, finding: Finding) -> str:
    span = finding.span
    properties = {
        "file": span.file,
        "line": str(span.line),
        "endLine": str(max(span.line, span.end_line)),
        "col": str(span.column),
        "endColumn": str(span.end_column),
        "title": f"{finding.rule} {report.rule_name(finding.rule)}".rstrip(),
    }
    if span.end_line != span.line or span.end_column <= span.column:
        # Columns are only valid within one line.
        del properties["col"], properties["endColumn"]
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    message = [plain_message(finding.message)]
    message.extend(f"{plain_message(related.message)}: {related.span}" for related in finding.related)
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(chr(10).join(message))}"


def _data(text: str) -> str:
    # Line feeds are the one control character that the command's message may carry.
    safe = printable(text.replace("\r\n", "\n").replace("\r", "\n"), lines=True, colons=True)
    return safe.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return printable(escaped.replace(":", "%3A").replace(",", "%2C"))
