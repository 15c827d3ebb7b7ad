"""The reports for programs: the `scan` object and the `infer` object.

The keys and their order are a contract (see the documentation's page on the JSON output); keys may be added, never
removed. The same input gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.reporting.json_text import json_text
from taskgates.reporting.report import RenderOptions, Report, plain_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.model.access import Access, AccessSet, LockOrder, Opaque, SharedAccess
    from taskgates.model.finding import Finding, Related
    from taskgates.model.spans import Site, SourceSpan
    from taskgates.model.task import DeclaredPath, Task

SCHEMA_VERSION = 1


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - every format is called alike
    """The `scan` object as indented JSON with a final line feed; ASCII only, so that no encoding can break it."""
    return json_text(scan_to_dict(report))


def render_access_set(access_set: AccessSet, options: RenderOptions) -> str:  # noqa: ARG001
    """The `infer` object as indented JSON with a final line feed."""
    return json_text(access_set_to_dict(access_set))


def scan_to_dict(report: Report) -> dict[str, Any]:
    """The `scan` object: tasks with what they declare and do, findings, and the counts."""
    counts = report.counts
    return {
        "schema_version": SCHEMA_VERSION,
        "root": ".",
        "tasks": [_task(task, report.access_set(task)) for task in report.tasks],
        "findings": [_finding(finding) for finding in report.findings],
        "summary": {
            "tasks": len(report.tasks),
            "errors": counts.errors,
            "warnings": counts.warnings,
            "notes": counts.notes,
        },
    }


def access_set_to_dict(access_set: AccessSet) -> dict[str, Any]:
    """The `infer` object: what one command or one task's source reads, writes and shares, and what stayed unseen."""
    return {"target": access_set.target, "complete": access_set.complete, **_effects(access_set)}


def _effects(access_set: AccessSet) -> dict[str, Any]:
    return {
        "reads": [_access(access) for access in access_set.reads],
        "writes": [_access(access) for access in access_set.writes],
        "shared_state": [_shared(shared) for shared in access_set.shared_state],
        "lock_order": [_lock_order(order) for order in access_set.lock_order],
        "opaque": [_opaque(opaque) for opaque in access_set.opaque],
    }


def _task(task: Task, access_set: AccessSet) -> dict[str, Any]:
    difficulty = task.difficulty
    if difficulty is not None and difficulty == int(difficulty):
        difficulty = int(difficulty)
    return {
        "id": task.id,
        "format": task.format,
        "manifest": task.span.file,
        "line": task.span.line,
        "status": task.status.value,
        "difficulty": difficulty,
        "depends_on": [reference.id for reference in task.depends_on],
        "command": None if task.command is None else str(task.command),
        "declared": {"reads": declared(task.reads), "writes": declared((*task.edits, *task.writes))},
        **_effects(access_set),
        "complete": access_set.complete,
    }


def declared(paths: Sequence[DeclaredPath]) -> list[str]:
    """The declared paths in their order, each once."""
    return list(dict.fromkeys(path.path for path in paths))


def _access(access: Access) -> dict[str, Any]:
    return {
        "path": access.path,
        "certainty": access.certainty.value,
        "conditional": access.conditional,
        "operation": access.operation.value,
        "sites": [_site(site) for site in access.sites],
    }


def _shared(shared: SharedAccess) -> dict[str, Any]:
    return {
        "name": shared.name,
        "kind": shared.kind.value,
        "access": shared.access,
        "guards": list(shared.guards),
        "sites": [_site(site) for site in shared.sites],
    }


def _lock_order(order: LockOrder) -> dict[str, Any]:
    return {
        "lock": order.lock,
        "held": list(order.held),
        "worker": order.worker,
        "several": order.several,
        "sites": [_site(site) for site in order.sites],
    }


def _opaque(opaque: Opaque) -> dict[str, Any]:
    return {"reason": opaque.reason, "sites": [_site(site) for site in opaque.sites]}


def _site(site: Site) -> dict[str, Any]:
    return {
        "file": site.file,
        "line": site.line,
        "column": site.column,
        "function": site.function,
        "call": site.call,
        "via": [{"file": frame.file, "line": frame.line, "function": frame.function} for frame in site.via],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": plain_message(finding.message),
        "tasks": list(finding.tasks),
        "path": finding.path,
        "location": _span(finding.span),
        "related": [_related(related) for related in finding.related],
        "fingerprint": finding.fingerprint,
        "fixable": finding.fixable,
    }


def _related(related: Related) -> dict[str, Any]:
    return {"message": related.message, **_span(related.span)}


def _span(span: SourceSpan) -> dict[str, Any]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
