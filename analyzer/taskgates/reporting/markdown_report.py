"""The report as GitHub-flavoured Markdown, made to be posted as the comment of a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from taskgates.model.finding import Finding, Severity
from taskgates.reporting.links import rule_page
from taskgates.reporting.printable import printable
from taskgates.reporting.provenance import provenance
from taskgates.reporting.report import RenderOptions, Report, message_pieces, plain_message, plural
from taskgates.reporting.task_rows import Share, TaskRow, task_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_COMMENT = 65_536
"""Characters that GitHub accepts in one comment."""
MARKER = "<!-- taskgates report -->"
"""First line of the report, by which a later run finds its own comment."""

_ROOM_FOR_ENDING = 600
_SIGNS = {Severity.ERROR: "\N{CROSS MARK}", Severity.WARNING: "\u26a0\ufe0f", Severity.NOTE: "\u2139\ufe0f"}
_TITLES = {Severity.ERROR: "Errors", Severity.WARNING: "Warnings", Severity.NOTE: "Notes"}
_SPECIAL = re.compile(r"([\\*_{}\[\]()#+!|<>~&$@-])")
_REFERENCE = re.compile(r"@(?=[A-Za-z0-9])|#(?=[0-9])")


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - every format is called alike
    """A heading that tells the outcome, the findings by severity, the tasks behind a fold.

    What does not fit into one comment is left out from the end, and a line says how much.
    """
    text = f"{MARKER}\n## {_headline(report)}\n"
    blobs = _blobs(report)
    left_out = 0
    for severity in Severity:
        findings = [finding for finding in report.gravest_first if finding.severity is severity]
        blocks = [_finding(report, finding, blobs) for finding in findings]
        if not blocks:
            continue
        opening, closing = _section(severity, len(blocks))
        room = LARGEST_COMMENT - _ROOM_FOR_ENDING - len(text) - len(opening) - len(closing)
        shown = _fitting(blocks, room)
        left_out += len(blocks) - shown
        if shown:
            text += opening + "".join(blocks[:shown]) + closing
    rows = [row for row in task_rows(report) if not row.is_quiet]
    table = _table(rows, len(report.tasks) - len(rows))
    if rows and len(text) + len(table) <= LARGEST_COMMENT - _ROOM_FOR_ENDING:
        text += table
    elif rows:
        text += "\nThe table of tasks does not fit here; the HTML report has it.\n"
    if left_out:
        text += f"\n**{plural(left_out, 'finding')} left out**: they do not fit into one comment.\n"
    if report.incomplete_tasks:
        text += (
            f"\nThe code of {plural(len(report.incomplete_tasks), 'task')} could not be followed everywhere and may "
            "touch more files than are listed.\n"
        )
    return text


def _headline(report: Report) -> str:
    counts = report.counts
    tasks = plural(len(report.tasks), "task")
    if not report.findings:
        return f"\N{WHITE HEAVY CHECK MARK} taskgates: no findings in {tasks}"
    parts = [
        plural(count, noun)
        for count, noun in ((counts.errors, "error"), (counts.warnings, "warning"), (counts.notes, "note"))
        if count
    ]
    sign = _SIGNS[min((finding.severity for finding in report.findings), key=lambda severity: severity.rank)]
    return f"{sign} taskgates: {', '.join(parts)} in {tasks}"


def _section(severity: Severity, count: int) -> tuple[str, str]:
    title = f"{_TITLES[severity]} ({count:,})"
    if severity is Severity.ERROR:
        return f"\n### {title}\n\n", ""
    return f"\n<details><summary><b>{title}</b></summary>\n\n", "\n</details>\n"


def _fitting(blocks: Sequence[str], room: int) -> int:
    for number, block in enumerate(blocks):
        room -= len(block)
        if room < 0:
            return number
    return len(blocks)


def _finding(report: Report, finding: Finding, blobs: str | None) -> str:
    name = report.rule_name(finding.rule)
    rule = f"[{finding.rule}{f' {name}' if name else ''}]({rule_page(finding.rule)})"
    lines = [
        f"- {_SIGNS[finding.severity]} {prose(plain_message(finding.message))}  ",
        f"  {_place(finding.span.file, finding.span.line, blobs)} \N{MIDDLE DOT} {rule}",
    ]
    for related in finding.related[:5]:
        place = _place(related.span.file, related.span.line, blobs)
        lines.append(f"  - {prose(plain_message(related.message))}: {place}")
    if len(finding.related) > 5:
        lines.append(f"  - and {plural(len(finding.related) - 5, 'more place')}")
    return "\n".join(lines) + "\n"


def _place(file: str, line: int, blobs: str | None) -> str:
    shown = code(f"{file}:{line}")
    if blobs is None or file.startswith(("/", "~")):
        return shown
    return f"[{shown}]({blobs}{quote(file.encode('utf-8', 'replace'))}#L{line})"


def _blobs(report: Report) -> str | None:
    """Where the repository's files of this commit stand on GitHub; None where it is not there."""
    origin = provenance(report.root)
    parts = urlsplit(origin.repository) if origin else None
    if origin is None or parts is None or origin.revision is None or parts.hostname != "github.com":
        return None
    return f"https://github.com{parts.path.removesuffix('.git')}/blob/{origin.revision}/"


def _table(rows: Sequence[TaskRow], quiet: int) -> str:
    lines = [
        "",
        f"<details><summary><b>Declared and inferred, by task ({len(rows):,})</b></summary>",
        "",
        "| Task | Errors | Warnings | Notes | Writes declared | Reads declared | Shared state | Not seen |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        reads = _share(row.reads) if row.reads is not None else (f"({row.read_paths})" if row.read_paths else "")
        cells = (
            prose(row.task.id),
            _count(row.errors),
            _count(row.warnings),
            _count(row.notes),
            _share(row.writes),
            reads,
            _count(len(row.shared)),
            _count(row.unseen),
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    if quiet:
        lines.extend((f"{plural(quiet, 'more task')} without anything to tell.", ""))
    return "\n".join([*lines, "</details>", ""])


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _share(share: Share) -> str:
    if not share.inferred:
        return ""
    return str(share) if share.is_full else f"**{share}**"


def prose(text: str) -> str:
    """Text with nothing in it taken for Markdown or HTML, except `code`."""
    # A zero-width space keeps names from becoming mentions and numbers from becoming issues.
    safe = _REFERENCE.sub("\\g<0>\u200b", printable(re.sub(r"\s+", " ", text)))
    return "".join(
        code(piece) if is_code else _SPECIAL.sub(r"\\\1", piece).replace("`", "\\`")
        for is_code, piece in message_pieces(safe)
    )


def code(text: str) -> str:
    """Text as inline code, whatever backticks it holds."""
    safe = printable(re.sub(r"\s+", " ", text))
    fence = "`" * (max((len(run) for run in re.findall("`+", safe)), default=0) + 1)
    space = " " if safe.startswith("`") or safe.endswith("`") else ""
    return f"{fence}{space}{safe}{space}{fence}"
