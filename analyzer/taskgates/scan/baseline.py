"""Baselines: findings that are known and accepted, so that only new ones count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from taskgates.model.finding import Finding


class BaselineError(Exception):
    """The baseline file cannot be read or written, or is none; the message names the file and what to do."""


class BaselineEntry(msgspec.Struct, frozen=True):
    """One accepted finding; `rule` and `message` are there for people who read the file."""

    fingerprint: str
    rule: str = ""
    message: str = ""


class Baseline(msgspec.Struct, frozen=True):
    """The content of a baseline file."""

    schema_version: int = 1
    findings: tuple[BaselineEntry, ...] = ()

    @property
    def fingerprints(self) -> frozenset[str]:
        """The identities of all accepted findings."""
        return frozenset(entry.fingerprint for entry in self.findings)


class _Listed(msgspec.Struct):
    fingerprint: str
    rule: str = ""
    message: str = ""


class _Document(msgspec.Struct):
    schema_version: int
    findings: list[_Listed]


def load_baseline(path: Path) -> Baseline:
    """Read a baseline, or the output of `scan --format json`, which serves as one.

    Raises:
        BaselineError: the file is missing, unreadable, not JSON, or of another shape or version.
    """
    try:
        document = msgspec.json.decode(path.read_bytes(), type=_Document)
    except OSError as error:
        raise BaselineError(
            f"{path}: cannot read the baseline: {error.strerror or error}; write one with `taskgates scan "
            f"--write-baseline {path}`"
        ) from error
    except msgspec.DecodeError as error:
        raise BaselineError(f"{path}: not a baseline: {error}") from error
    if document.schema_version != 1:
        raise BaselineError(f"{path}: baseline version {document.schema_version} is not supported; write a new one")
    return Baseline(
        findings=tuple(BaselineEntry(entry.fingerprint, entry.rule, entry.message) for entry in document.findings)
    )


def render_baseline(findings: Iterable[Finding]) -> str:
    """The text of a baseline that accepts the given findings, sorted so that it makes small diffs."""
    entries = sorted(
        (BaselineEntry(finding.fingerprint, finding.rule, finding.message) for finding in findings),
        key=lambda entry: (entry.rule, entry.message, entry.fingerprint),
    )
    raw = msgspec.json.encode(Baseline(findings=tuple(entries)))
    return msgspec.json.format(raw, indent=2).decode() + "\n"
