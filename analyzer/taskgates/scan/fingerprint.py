"""Identities of findings that survive moved lines."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.model.finding import Finding


def with_fingerprints(findings: Iterable[Finding]) -> list[Finding]:
    """Give every finding its fingerprint, keeping the order.

    The fingerprint is made of the rule, the tasks, the path concerned, the annotated file and the finding's key (the
    function around the access, say), never of line numbers. Findings that agree in all of these are told apart by
    their rank among their equals, in the order given.
    """
    seen: Counter[str] = Counter()
    out: list[Finding] = []
    for finding in findings:
        identity = "\x00".join(
            (finding.rule, "\x01".join(sorted(finding.tasks)), finding.path or "", finding.span.file, *finding.key)
        )
        rank = seen[identity]
        seen[identity] += 1
        digest = hashlib.sha256(f"{identity}\x00{rank}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        out.append(msgspec.structs.replace(finding, fingerprint=digest))
    return out
