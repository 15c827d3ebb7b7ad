"""SARIF 2.1.0 as code scanning accepts it.

Sources: the OASIS standard "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", and GitHub's pages on
SARIF support for code scanning, from which the limits come.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from taskgates.model.finding import Finding, Related, Severity
from taskgates.reporting import sarif_rules
from taskgates.reporting.json_text import json_text
from taskgates.reporting.links import DOCUMENTATION
from taskgates.reporting.provenance import provenance
from taskgates.reporting.report import (
    RenderOptions,
    Report,
    link_text,
    linked_message,
    package_version,
    places_of,
    plural,
)
from taskgates.reporting.sarif_locations import BASE_ID, Locations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.model.spans import SourceSpan

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LARGEST_RUN = 25_000
"""Results that code scanning accepts in one run."""
SHOWN_RESULTS = 5_000
"""Results of one run that code scanning keeps, taken in order of severity."""
LARGEST_RESULT = 1_000
"""Locations that code scanning accepts in one result."""
LARGEST_FLOW = 10_000
"""Steps that code scanning accepts in the call chains of one result."""
LARGEST_FILE = 10_000_000
"""Bytes of a compressed upload."""

_FINGERPRINT = "taskgates/v1"
_NAMED_TASKS = 20


def render(report: Report, options: RenderOptions) -> str:
    """The whole log as JSON with a final line feed.

    Gravest findings first. What exceeds a limit of code scanning is cut from the end, and a notification of the run
    says how much.
    """
    findings = report.gravest_first
    if options.accepted:
        findings = (*findings, *report.accepted)
    kept = min(len(findings), LARGEST_RUN)
    while True:
        text = json_text(_log(report, findings[:kept], options), indent=1)
        excess = _compressed(text) / LARGEST_FILE
        if excess <= 1 or kept == 0:
            return text
        kept = min(kept - 1, int(kept / excess * 0.95))


def _compressed(text: str) -> int:
    """Bytes of the upload; a text within the limit is not compressed to find that out."""
    return len(text) if len(text) <= LARGEST_FILE else len(gzip.compress(text.encode(), compresslevel=6))


def _log(report: Report, findings: Sequence[Finding], options: RenderOptions) -> dict[str, Any]:
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [_Run(report, findings, options).to_dict()]}


class _Run:
    """Builds one run: first the results, on the way the files, rules and cuts that the rest of the run speaks of."""

    def __init__(self, report: Report, findings: Sequence[Finding], options: RenderOptions) -> None:
        self._report = report
        self._findings = findings
        self._options = options
        self._locations = Locations(report.sources)
        self._rules = [sarif_rules.rule_descriptor(rule) for rule in report.rules.values()]
        self._rule_index = {rule["id"]: index for index, rule in enumerate(self._rules)}
        self._cut_locations = 0

    def to_dict(self) -> dict[str, Any]:
        reported = len(self._report.findings)
        results = [self._result(finding) for finding in self._findings[:reported]]
        results += [
            {**self._result(finding), "suppressions": [{"kind": "external", "status": "accepted"}]}
            for finding in self._findings[reported:]
        ]
        category = self._options.category.strip("/")
        run: dict[str, Any] = {
            "tool": {
                "driver": {
                    "name": "taskgates",
                    "semanticVersion": package_version(),
                    "informationUri": DOCUMENTATION,
                    "rules": self._rules,
                    "notifications": sarif_rules.notification_descriptors(),
                }
            },
            "automationDetails": {"id": f"taskgates/{category}/" if category else "taskgates/"},
            "invocations": [
                {
                    "executionSuccessful": not self._report.internal_errors,
                    "toolExecutionNotifications": self._notifications(),
                }
            ],
            "originalUriBaseIds": {BASE_ID: {"description": {"text": "The root of the scanned repository."}}},
        }
        origin = provenance(self._report.root)
        if origin is not None:
            details = {
                "repositoryUri": origin.repository,
                "revisionId": origin.revision,
                "branch": origin.branch,
                "mappedTo": {"uriBaseId": BASE_ID},
            }
            run["versionControlProvenance"] = [{key: value for key, value in details.items() if value is not None}]
        return {
            **run,
            "columnKind": "unicodeCodePoints",
            "defaultEncoding": "utf-8",
            "artifacts": self._locations.artifacts(),
            "results": results,
        }

    def _result(self, finding: Finding) -> dict[str, Any]:
        related = finding.related[: LARGEST_RESULT - 1]
        self._cut_locations += len(finding.related) - len(related)
        result: dict[str, Any] = {
            "ruleId": finding.rule,
            "ruleIndex": self._index_of(finding),
            "level": finding.severity.value,
            "message": _message(finding, len(related)),
            "locations": [{"physicalLocation": self._locations.physical(finding.span)}],
            "partialFingerprints": self._fingerprints(finding),
        }
        if related:
            result["relatedLocations"] = [
                self._location(place, identifier=number) for number, place in enumerate(related, start=1)
            ]
        steps = places_of(finding.flow)
        if len(steps) > 1:
            result["codeFlows"] = [self._code_flow(steps)]
        if finding.replacements:
            result["fixes"] = [self._fix(finding)]
        properties = {"tasks": list(finding.tasks), "path": finding.path, "fixable": finding.fixable}
        result["properties"] = {key: value for key, value in properties.items() if value not in (None, [])}
        return result

    def _index_of(self, finding: Finding) -> int:
        if finding.rule not in self._rule_index:
            self._rule_index[finding.rule] = len(self._rules)
            self._rules.append(sarif_rules.unknown_rule_descriptor(finding.rule, finding.severity))
        return self._rule_index[finding.rule]

    def _fingerprints(self, finding: Finding) -> dict[str, str]:
        fingerprints = {}
        source = self._report.sources.get(finding.span.file)
        line = self._locations.region(finding.span)["startLine"]
        if source is not None and line <= len(source.hashes):
            fingerprints["primaryLocationLineHash"] = source.hashes[line - 1]
        if finding.fingerprint:
            fingerprints[_FINGERPRINT] = finding.fingerprint
        return fingerprints

    def _location(self, place: Related, *, identifier: int | None = None) -> dict[str, Any]:
        location: dict[str, Any] = {} if identifier is None else {"id": identifier}
        location["physicalLocation"] = self._locations.physical(place.span)
        location["message"] = {"text": sarif_rules.sentence(place.message)}
        return location

    def _code_flow(self, steps: Sequence[Related]) -> dict[str, Any]:
        if len(steps) > LARGEST_FLOW:
            # The ends tell most: where the entry starts, and where the access happens.
            half = LARGEST_FLOW // 2
            self._cut_locations += len(steps) - 2 * half
            steps = (*steps[:half], *steps[-half:])
        last = len(steps) - 1
        return {
            "threadFlows": [
                {
                    "locations": [
                        {
                            "location": self._location(step),
                            "nestingLevel": depth,
                            "importance": "essential" if depth in (0, last) else "important",
                        }
                        for depth, step in enumerate(steps)
                    ]
                }
            ]
        }

    def _fix(self, finding: Finding) -> dict[str, Any]:
        by_file: dict[str, list[dict[str, Any]]] = {}
        for replacement in finding.replacements:
            by_file.setdefault(replacement.span.file, []).append(
                {
                    "deletedRegion": _exact_region(replacement.span),
                    "insertedContent": {"text": replacement.text},
                }
            )
        return {
            "description": {"text": "Rewrite the declaration to match what the code does."},
            "artifactChanges": [
                {"artifactLocation": self._locations.artifact_location(file), "replacements": replacements}
                for file, replacements in by_file.items()
            ],
        }

    def _notifications(self) -> list[dict[str, Any]]:
        notifications = [
            sarif_rules.notification(
                sarif_rules.INTERNAL_ERROR,
                f"A bug in taskgates: {error.where} failed with {sarif_rules.sentence(error.error)} The rest of the "
                "scan went on.",
                level=Severity.ERROR,
            )
            for error in self._report.internal_errors
        ]
        total = len(self._report.findings) + (len(self._report.accepted) if self._options.accepted else 0)
        if len(self._findings) < total:
            notifications.append(
                sarif_rules.notification(
                    sarif_rules.RESULTS_LEFT_OUT,
                    f"{plural(total - len(self._findings), 'result')} of {total:,} left out, the least grave first: "
                    f"code scanning accepts {LARGEST_RUN:,} results in a run and {LARGEST_FILE // 1_000_000} MB "
                    "compressed. The JSON report has all of them.",
                )
            )
        elif total > SHOWN_RESULTS:
            notifications.append(
                sarif_rules.notification(
                    sarif_rules.RESULTS_LEFT_OUT,
                    f"Code scanning shows the first {SHOWN_RESULTS:,} of these {total:,} results.",
                    level=Severity.NOTE,
                )
            )
        if self._cut_locations:
            notifications.append(
                sarif_rules.notification(
                    sarif_rules.LOCATIONS_LEFT_OUT,
                    f"{plural(self._cut_locations, 'place')} left out: code scanning accepts {LARGEST_RESULT:,} "
                    f"locations a result and {LARGEST_FLOW:,} steps a call chain.",
                )
            )
        incomplete = self._report.incomplete_tasks
        if incomplete:
            named = ", ".join(incomplete[:_NAMED_TASKS])
            more = f" and {len(incomplete) - _NAMED_TASKS:,} more" if len(incomplete) > _NAMED_TASKS else ""
            notifications.append(
                sarif_rules.notification(
                    sarif_rules.INCOMPLETE_TASKS,
                    f"The code of {plural(len(incomplete), 'task')} could not be followed everywhere: {named}{more}. "
                    "They may touch more files than reported.",
                    level=Severity.NOTE,
                )
            )
        return notifications


def _message(finding: Finding, related: int) -> dict[str, str]:
    """The message with its links; where it links nothing, the related places are linked behind it.

    The plain text quotes names where the Markdown has them as code.
    """
    text = sarif_rules.sentence(linked_message(finding.message, related))
    if related and not any(f"]({number})" in text for number in range(1, related + 1)):
        links = ", ".join(
            f"[{link_text(place.message.rstrip('. '))}]({number})"
            for number, place in enumerate(finding.related[:3], start=1)
        )
        text = f"{text} See {links}."
    plain = text.replace("`", "'")
    return {"text": plain} if plain == text else {"text": plain, "markdown": text}


def _exact_region(span: SourceSpan) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
