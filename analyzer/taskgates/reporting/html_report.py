"""The report as one page: no other files, nothing loaded from anywhere, readable without scripts.

Everything that comes from the repository goes through Jinja2's automatic escaping, and the page's content security
policy forbids it to load anything.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from taskgates.reporting.links import DOCUMENTATION, rule_page
from taskgates.reporting.printable import printable
from taskgates.reporting.report import RenderOptions, Report, message_pieces, package_version, places_of, plain_message
from taskgates.reporting.task_rows import TaskRow, overall, task_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from taskgates.model.access import Access
    from taskgates.model.finding import Finding
    from taskgates.model.spans import Site, SourceSpan
    from taskgates.model.task import Task

_CONTEXT = 1
_MARKED_LINES = 6


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - every format is called alike
    """The whole page."""
    environment = Environment(
        loader=PackageLoader("taskgates.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    rows = task_rows(report)
    writes, reads = overall(rows)
    ordered = sorted(report.findings, key=lambda finding: (finding.span.file, finding.span, finding.rule))
    described = [_finding(report, finding, number) for number, finding in enumerate(ordered, start=1)]
    groups = [
        {"file": file or "(no file)", "findings": list(group)}
        for file, group in groupby(described, key=lambda finding: finding["file"])
    ]
    return environment.get_template("report.html.j2").render(
        style=_asset(environment, "report.css"),
        script=_asset(environment, "report.js"),
        counts=report.counts,
        writes=writes,
        reads=reads,
        incomplete=[printable(identifier) for identifier in report.incomplete_tasks],
        groups=groups,
        rules=sorted({(finding["rule"], finding["name"]) for finding in described}),
        task_ids=list(dict.fromkeys(identifier for finding in described for identifier in finding["tasks"])),
        conflicts=[finding for finding in described if len(finding["tasks"]) > 1],
        rows=[_row(row) for row in rows],
        version=package_version(),
        documentation=DOCUMENTATION,
    )


def _asset(environment: Environment, name: str) -> Markup:
    """A file that goes into the page as it is; it is ours, not the repository's."""
    assert environment.loader is not None  # noqa: S101 - set above
    source, _, _ = environment.loader.get_source(environment, name)
    return Markup(source)  # noqa: S704


def _finding(report: Report, finding: Finding, number: int) -> dict[str, Any]:
    return {
        "anchor": f"finding-{number}",
        "severity": finding.severity.value,
        "rule": finding.rule,
        "name": report.rule_name(finding.rule),
        "page": rule_page(finding.rule),
        "tasks": [printable(identifier) for identifier in finding.tasks],
        "file": printable(finding.span.file),
        "line": finding.span.line,
        "path": None if finding.path is None else printable(finding.path),
        "message": _pieces(finding.message),
        "frame": _frame(report, finding.span),
        "related": [
            {"message": _pieces(related.message), "place": printable(str(related.span))} for related in finding.related
        ],
        "flow": [
            {"message": printable(step.message), "place": printable(f"{step.span.file}:{step.span.line}")}
            for step in places_of(finding.flow)
        ],
    }


def _pieces(message: str) -> list[tuple[bool, str]]:
    """The message in turns of prose and code."""
    return message_pieces(printable(plain_message(message), lines=True))


def _frame(report: Report, span: SourceSpan) -> list[dict[str, Any]]:
    """The lines of a region, each cut into what is before, in and after it, with a line of context at either end."""
    source = report.sources.get(span.file)
    if source is None or source.line(span.line) is None:
        return []
    last = min(max(span.line, span.end_line), span.line + _MARKED_LINES - 1, len(source.lines))
    first_shown, last_shown = max(1, span.line - _CONTEXT), min(len(source.lines), last + _CONTEXT)
    while first_shown < span.line and not source.lines[first_shown - 1].strip():
        first_shown += 1
    while last_shown > last and not source.lines[last_shown - 1].strip():
        last_shown -= 1
    rows = []
    for number in range(first_shown, last_shown + 1):
        line = source.lines[number - 1]
        start, end = _extent(line, number, span) if span.line <= number <= last else (len(line), len(line))
        before, marked, after = (printable(part.expandtabs(4)) for part in (line[:start], line[start:end], line[end:]))
        rows.append({"number": number, "before": before, "marked": marked, "after": after})
    return rows if any(row["marked"] for row in rows) else []


def _extent(line: str, number: int, span: SourceSpan) -> tuple[int, int]:
    indent, length = len(line) - len(line.lstrip()), len(line.rstrip())
    start = span.column - 1 if number == span.line else indent
    end = span.end_column - 1 if number == span.end_line else length
    if (span.end_line, span.end_column) <= (span.line, span.column):
        start, end = indent, length
    return min(start, len(line)), min(end, len(line))


def _row(row: TaskRow) -> dict[str, Any]:
    task, access_set = row.task, row.access_set
    return {
        "id": printable(task.id),
        "title": printable(task.title),
        "format": task.format,
        "status": task.status.value,
        "command": None if task.command is None else printable(str(task.command), lines=True),
        "manifest": printable(f"{task.span.file}:{task.span.line}"),
        "has_code": row.has_code,
        "writes": row.writes,
        "reads": row.reads,
        "unseen": row.unseen,
        "errors": row.errors,
        "warnings": row.warnings,
        "notes": row.notes,
        "declared": _declared(task),
        "read_accesses": list(_accesses(access_set.reads, row.undeclared if row.reads else frozenset())),
        "write_accesses": list(_accesses(access_set.writes, row.undeclared)),
        "shared_accesses": [
            {
                "name": printable(shared.name),
                "access": shared.access,
                "kind": shared.kind.value,
                "guards": shared.guards,
                "sites": _sites(shared.sites),
            }
            for shared in access_set.shared_state
        ],
        "opaque": [{"reason": printable(opaque.reason), "sites": _sites(opaque.sites)} for opaque in access_set.opaque],
    }


def _declared(task: Task) -> list[tuple[str, str]]:
    """Every declared path once, with all that it is declared for."""
    kinds: dict[str, list[str]] = {}
    for kind, paths in (("edits", task.edits), ("writes", task.writes), ("reads", task.reads)):
        for path in paths:
            if kind not in kinds.setdefault(path.path, []):
                kinds[path.path].append(kind)
    return [(", ".join(listed), printable(path)) for path, listed in kinds.items()]


def _accesses(accesses: Iterable[Access], undeclared: frozenset[str]) -> Iterator[dict[str, Any]]:
    for access in accesses:
        yield {
            "path": None if access.path is None else printable(access.path),
            "operation": access.operation.value,
            "conditional": access.conditional,
            "undeclared": access.operation.conflicts and access.path in undeclared,
            "certainty": access.certainty.value,
            "sites": _sites(access.sites),
        }


def _sites(sites: Sequence[Site]) -> list[dict[str, Any]]:
    return [
        {
            "place": printable(f"{site.file}:{site.line}"),
            "function": printable(site.function),
            "call": printable(site.call),
            "via": [
                {"place": printable(f"{frame.file}:{frame.line}"), "function": printable(frame.function)}
                for frame in site.via
            ],
        }
        for site in sites
    ]
