"""Rules as SARIF describes them, within the lengths that code scanning accepts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from taskgates.model.finding import Severity
from taskgates.reporting.links import DOCUMENTATION, rule_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.scan.rule import Rule

LONGEST_DESCRIPTION = 1024
"""Code scanning cuts short and full descriptions behind this many characters."""

_PROBLEM_SEVERITY = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "recommendation"}


def rule_descriptor(rule: Rule) -> dict[str, Any]:
    """The `reportingDescriptor` of a rule.

    There is no `security-severity`: with it code scanning would file the rule under security.
    """
    documentation = rule.sections()
    page = rule_page(rule.id)
    markdown = f"{documentation.markdown()}\n\n[{rule.id} {rule.name}]({page})"
    return {
        "id": rule.id,
        "name": camel_case(rule.name),
        "shortDescription": {"text": shortened(documentation.summary)},
        "fullDescription": {"text": shortened(_full(documentation.summary, documentation.what))},
        "help": {"text": _without_markup(markdown), "markdown": markdown},
        "helpUri": page,
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {
            "precision": rule.precision.value,
            "problem.severity": _PROBLEM_SEVERITY[rule.severity],
            "tags": ["task-repository", _family(rule)],
        },
    }


def unknown_rule_descriptor(rule_id: str, severity: Severity) -> dict[str, Any]:
    """The descriptor for findings whose rule did not run in this scan (problems found before any rule)."""
    return {
        "id": rule_id,
        "name": f"Rule{camel_case(rule_id).capitalize()}",
        "shortDescription": {"text": f"{rule_id}."},
        "fullDescription": {"text": f"{rule_id}."},
        "help": {"text": f"See {rule_page(rule_id)}."},
        "helpUri": rule_page(rule_id),
        "defaultConfiguration": {"level": severity.value},
        "properties": {"problem.severity": _PROBLEM_SEVERITY[severity], "tags": ["task-repository"]},
    }


RESULTS_LEFT_OUT = "TGN001"
LOCATIONS_LEFT_OUT = "TGN002"
INCOMPLETE_TASKS = "TGN003"
INTERNAL_ERROR = "TGN004"

_NOTIFICATIONS = {
    RESULTS_LEFT_OUT: ("ResultsLeftOut", "Results were left out because code scanning accepts no more."),
    LOCATIONS_LEFT_OUT: ("LocationsLeftOut", "Places of a result were left out because code scanning accepts no more."),
    INCOMPLETE_TASKS: (
        "IncompleteTasks",
        "The code of some tasks could not be followed everywhere; they may touch more files than reported.",
    ),
    INTERNAL_ERROR: ("InternalError", "A bug in taskgates cut a part of the analysis short."),
}


def notification_descriptors() -> list[dict[str, Any]]:
    """The descriptors of everything that a run itself has to say."""
    page = f"{DOCUMENTATION}sarif/"
    return [
        {
            "id": identifier,
            "name": name,
            "shortDescription": {"text": text},
            "fullDescription": {"text": text},
            "help": {"text": f"{text} See {page}."},
            "helpUri": page,
        }
        for identifier, (name, text) in _NOTIFICATIONS.items()
    ]


def notification(identifier: str, text: str, level: Severity = Severity.WARNING) -> dict[str, Any]:
    """One thing that a run has to say, referring to its descriptor."""
    index = list(_NOTIFICATIONS).index(identifier)
    return {"descriptor": {"id": identifier, "index": index}, "level": level.value, "message": {"text": text}}


def camel_case(name: str) -> str:
    """`write-write-conflict` as `WriteWriteConflict`, the form that SARIF asks of rule names."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^0-9A-Za-z]+", name))


def sentence(text: str) -> str:
    """The text with a full stop unless some mark ends it already."""
    stripped = text.rstrip()
    return stripped if stripped.endswith((".", "!", "?")) else f"{stripped}."


def shortened(text: str, limit: int = LONGEST_DESCRIPTION) -> str:
    """At most `limit` characters of a text in one paragraph, cut between two words."""
    flat = sentence(re.sub(r"\s+", " ", text).strip())
    if len(flat) <= limit:
        return flat
    return flat[: limit - 1].rpartition(" ")[0].rstrip(" ,;:") + "\u2026"


def _full(summary: str, what: str) -> str:
    return " ".join(part for part in (sentence(summary), what) if part)


def _family(rule: Rule) -> str:
    """The module that defines the rule, which is its family: `conflicts`, `dependencies`."""
    return type(rule).__module__.rpartition(".")[2].replace("_", "-")


def _without_markup(markdown: str) -> str:
    lines: Iterable[str] = markdown.split("\n")
    plain = (re.sub(r"^#+\s*(.*)$", r"\1:", line) for line in lines)
    return re.sub(r"\[([^\]]*)\]\(([^)]*)\)", r"\1: \2", "\n".join(plain)).replace("`", "")
