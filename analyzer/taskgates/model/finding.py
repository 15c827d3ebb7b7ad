"""What rules report."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from taskgates.model.spans import SourceSpan


class Severity(StrEnum):
    """How much a finding weighs, and the thresholds of `--fail-on`."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return ("error", "warning", "note").index(self.value)


class Related(msgspec.Struct, frozen=True):
    """A second place that belongs to a finding."""

    message: str
    span: SourceSpan


class Replacement(msgspec.Struct, frozen=True):
    """One piece of the rewriting that mends a finding: `text` takes the place of what `span` covers."""

    span: SourceSpan
    text: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One violation of one rule.

    Attributes:
        rule: the rule's id (`TG101`).
        severity: after configuration.
        message: one sentence; `[text](n)` links the n-th related location, counted from 1.
        tasks: ids of the tasks concerned.
        path: the file or pattern concerned, if any.
        span: where to annotate.
        related: further places.
        flow: the call chain from the entry to the access, outermost first.
        key: what identifies the finding when lines move (no line numbers); the fingerprint is made from it.
        fingerprint: stable identity over commits.
        fixable: whether `taskgates fix` can rewrite the declaration.
        replacements: the rewriting itself, all of it together, where the rule knows it.
    """

    rule: str
    severity: Severity
    message: str
    span: SourceSpan
    tasks: tuple[str, ...] = ()
    path: str | None = None
    related: tuple[Related, ...] = ()
    flow: tuple[Related, ...] = ()
    key: tuple[str, ...] = ()
    fingerprint: str = ""
    fixable: bool = False
    replacements: tuple[Replacement, ...] = ()


class Problem(msgspec.Struct, frozen=True):
    """Something wrong with the input itself, found before any rule runs: a broken manifest, an unparsable source."""

    rule: str
    message: str
    span: SourceSpan
    tasks: tuple[str, ...] = ()
