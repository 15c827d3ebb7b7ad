"""What every report format is given: one scan's outcome with the views that several formats share."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from taskgates.model.access import AccessSet
from taskgates.reporting.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.model.finding import Finding, Related
    from taskgates.model.task import Task
    from taskgates.scan.pipeline import ScanResult

_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[(?P<text>(?:\\.|[^\[\]\\]|\[[^\[\]]*\])*)\]\((?P<number>\d+)\)")


class RenderOptions(msgspec.Struct, frozen=True):
    """How a report is drawn.

    Attributes:
        width: columns of the terminal.
        colour: whether ANSI colours may be used.
        unicode: whether characters beyond ASCII may be drawn as decoration.
        verbose: whether to show what is left out by default (call chains, complete tasks).
        accepted: whether to show, marked as suppressed, the findings that a baseline accepts, where the format can.
        category: what tells several uploads of one commit apart in code scanning; empty for the only one.
    """

    width: int = 100
    colour: bool = False
    unicode: bool = True
    verbose: bool = False
    accepted: bool = False
    category: str = ""


class Report:
    """One scan's outcome, ready to be drawn in any format.

    Args:
        outcome: the scan's result.
    """

    def __init__(self, outcome: ScanResult) -> None:
        self.root = outcome.root
        self.tasks = tuple(outcome.tasks)
        self.access_sets = outcome.access_sets
        self.rules = {rule.id: rule for rule in sorted(outcome.rules, key=lambda rule: rule.id)}
        self.findings = tuple(outcome.findings)
        self.accepted = outcome.accepted
        self.internal_errors = outcome.internal_errors
        self.counts = outcome.summary
        self.sources = Sources(outcome.root)

    @cached_property
    def gravest_first(self) -> tuple[Finding, ...]:
        """The findings by severity, then by place."""
        return tuple(sorted(self.findings, key=lambda finding: (finding.severity.rank, finding.span, finding.rule)))

    @cached_property
    def incomplete_tasks(self) -> tuple[str, ...]:
        """Ids of the tasks whose code could not be followed everywhere."""
        return tuple(task.id for task in self.tasks if not self.access_set(task).complete)

    def access_set(self, task: Task) -> AccessSet:
        """What a task's code does; an empty set for a task without code."""
        return self.access_sets.get(task.id) or AccessSet()

    def rule_name(self, rule_id: str) -> str:
        """The rule's name, or nothing for a rule that did not run."""
        rule = self.rules.get(rule_id)
        return rule.name if rule else ""


def places_of(flow: Sequence[Related]) -> tuple[Related, ...]:
    """The steps of a call chain that are places in files; the command line that starts it (`<command>`) is none."""
    return tuple(step for step in flow if not step.span.file.startswith("<"))


def plain_message(message: str) -> str:
    """A finding's message without the links to related places: `[text](1)` becomes `text`."""
    return _LINK.sub(lambda match: _unescaped(match["text"]), message)


def message_pieces(message: str) -> list[tuple[bool, str]]:
    """A message in turns of prose and `code`: whether a piece is code, and its text without the backticks."""
    return [(bool(place % 2), piece) for place, piece in enumerate(_CODE.split(message)) if piece]


def linked_message(message: str, related: int) -> str:
    """A message as SARIF wants it: links stay where their target exists, other brackets before `(n)` are escaped.

    Args:
        message: the finding's message.
        related: number of related places, counted from 1.
    """

    def replace(match: re.Match[str]) -> str:
        if 1 <= int(match["number"]) <= related:
            return f"[{link_text(_unescaped(match['text']))}]({match['number']})"
        return "\\" + match[0]

    return _LINK.sub(replace, message)


def link_text(text: str) -> str:
    """Text as it stands between the brackets of a SARIF link: its own brackets and backslashes escaped."""
    return re.sub(r"[\[\]\\]", r"\\\g<0>", text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def plural(count: int, noun: str) -> str:
    """`1 task`, `3 tasks`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def package_version() -> str:
    """The installed version of taskgates; `0.0.0` where it runs without being installed."""
    # Imported here: it takes longer than a small report, and only some formats name the version.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("taskgates")
    except PackageNotFoundError:
        return "0.0.0"
