"""Declared, inferred, observed: the three accounts of what a task touches, side by side."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from taskgates.model.patterns import PathPattern
from taskgates.runtime.supervised import CommandOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.model.access import Access, AccessSet
    from taskgates.model.task import Task


class Direction(StrEnum):
    """Whether content flows out of a file or into it."""

    READ = "read"
    WRITE = "write"


class Comparison(msgspec.Struct, frozen=True):
    """One path in the three accounts.

    Attributes:
        path: an observed path, or an inferred or declared pattern that nothing observed matches.
        direction: read or write.
        declared: whether the manifest covers it; None where the format has no place to declare it.
        inferred: whether the analysis found it; None for a task without code.
        observed: whether it really happened.
        differs: whether the accounts contradict each other.
        remark: what the contradiction is, or why there is none; "" where all agree.
    """

    path: str
    direction: Direction
    declared: bool | None
    inferred: bool | None
    observed: bool
    differs: bool
    remark: str = ""


class Verification(msgspec.Struct, frozen=True):
    """The comparison for one task.

    Attributes:
        task: its id.
        command: what was executed.
        outcome: how it ended.
        rows: by direction and path.
        left_changed: what it wrote and what was not put back: outside of the repository and not known before, in
            version control, or in a folder of installed packages.
        log: file with its output, relative to the root.
    """

    task: str
    command: str
    outcome: CommandOutcome
    rows: tuple[Comparison, ...]
    left_changed: tuple[str, ...] = ()
    log: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the command succeeded and nothing differs."""
        return self.outcome.succeeded and not any(row.differs for row in self.rows)


def compare_accounts(task: Task, inferred: AccessSet | None, observed: AccessSet) -> tuple[Comparison, ...]:
    """Compare what a task declares, what its code was found to do, and what it did.

    Existence tests and new folders are not compared, as in the conflict gates. A conditional or partly known access
    that did not happen this time is no contradiction, nor is a declared file that whoever does the task edits by hand.

    Args:
        task: with its declarations.
        inferred: the analysis' account; None where there is no code.
        observed: the tracer's account.

    Returns:
        The rows, reads first.
    """
    edits = {path.path for path in task.edits} - {path.path for path in task.reads}
    rows = _compare(
        Direction.READ,
        declared=[path.path for path in (*task.reads, *task.edits)] if task.declares_reads else None,
        expected=[path.path for path in task.reads],
        inferred=None if inferred is None else _counting(inferred.reads),
        observed=_counting(observed.reads),
        other_side={str(access.path) for access in _counting(observed.writes)},
        complete=inferred is None or inferred.complete,
    )
    rows += _compare(
        Direction.WRITE,
        declared=[path.path for path in (*task.writes, *task.edits)],
        expected=[path.path for path in task.writes if path.path not in edits],
        inferred=None if inferred is None else _counting(inferred.writes),
        observed=_counting(observed.writes),
        other_side=set(),
        complete=inferred is None or inferred.complete,
    )
    return tuple(rows)


def _counting(accesses: Iterable[Access]) -> list[Access]:
    return [access for access in accesses if access.operation.conflicts]


def _compare(
    direction: Direction,
    *,
    declared: list[str] | None,
    expected: list[str],
    inferred: list[Access] | None,
    observed: list[Access],
    other_side: set[str],
    complete: bool,
) -> list[Comparison]:
    """The rows of one direction.

    Args:
        direction: read or write.
        declared: patterns that cover; None where nothing can be declared.
        expected: declared patterns that ought to be used.
        inferred: the analysis' accesses.
        observed: what happened.
        other_side: paths that the task wrote itself, of which a read need not be declared.
        complete: whether the analysis claims to know everything.
    """
    happened = sorted({str(access.path) for access in observed})
    covering = None if declared is None else [PathPattern(path) for path in declared]
    found = None if inferred is None else [(access, _pattern(access)) for access in inferred]
    unknown = found is not None and any(pattern is None for _, pattern in found)
    rows = []
    for path in happened:
        concrete = PathPattern(path)
        is_declared = None if covering is None else any(each.overlaps(concrete) for each in covering)
        is_inferred = None if found is None else any(each is not None and each.overlaps(concrete) for _, each in found)
        remarks = []
        if is_declared is False and path not in other_side:
            remarks.append("not declared")
        if is_inferred is False and complete and not unknown:
            remarks.append("not inferred")
        remark = ", ".join(remarks)
        if is_inferred is False and not remark:
            remark = "the analysis said that it could not see everything"
        rows.append(Comparison(path, direction, is_declared, is_inferred, True, bool(remarks), remark))
    seen = [PathPattern(path) for path in happened]
    for access, pattern in found or []:
        if pattern is None or any(pattern.overlaps(each) for each in seen):
            continue
        seen.append(pattern)
        certain = pattern.literal is not None and not access.conditional
        is_declared = None if covering is None else any(each.overlaps(pattern) for each in covering)
        remark = "inferred, but did not happen" if certain else "possible, but did not happen this time"
        rows.append(Comparison(pattern.text, direction, is_declared, True, False, certain, remark))
    for path in expected:
        pattern = PathPattern(path)
        if not any(pattern.overlaps(each) for each in seen):
            inferred_too = None if found is None else False
            rows.append(Comparison(path, direction, True, inferred_too, False, True, "declared, but did not happen"))
    return rows


def _pattern(access: Access) -> PathPattern | None:
    return None if access.path is None else PathPattern(access.path)
