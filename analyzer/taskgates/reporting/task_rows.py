"""How well every task's declaration matches its code: the rows of the per-task tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from taskgates.model.access import AccessSet
from taskgates.model.finding import Severity
from taskgates.model.task import Task
from taskgates.scan.declared import Declared, by_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.reporting.report import Report


class Share(msgspec.Struct, frozen=True):
    """How many of the inferred paths the declaration covers; patterns count as one path."""

    declared: int
    inferred: int

    @property
    def is_full(self) -> bool:
        """Whether everything inferred is declared."""
        return self.declared == self.inferred

    def __str__(self) -> str:
        return f"{self.declared}/{self.inferred}"


class TaskRow(msgspec.Struct, frozen=True):
    """One task, its declaration held against its code.

    Attributes:
        task: the task.
        access_set: what its code does.
        has_code: whether any code of the task was analysed.
        writes: written paths.
        reads: read paths; None where the task's format has no place to declare inputs.
        read_paths: number of read paths.
        undeclared: written paths that the task does not declare, and read ones where its format declares inputs.
        shared: names of mutable state that the code touches.
        unseen: accesses without a known path and places that the analysis could not see through.
        errors: findings of that severity that name the task.
        warnings: likewise.
        notes: likewise.
    """

    task: Task
    access_set: AccessSet
    has_code: bool
    writes: Share
    reads: Share | None
    read_paths: int
    undeclared: frozenset[str]
    shared: tuple[str, ...]
    unseen: int
    errors: int
    warnings: int
    notes: int

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to tell: no finding, everything declared, everything seen."""
        return (
            not (self.errors or self.warnings or self.notes or self.unseen)
            and self.writes.is_full
            and (self.reads is None or self.reads.is_full)
        )


def task_rows(report: Report) -> tuple[TaskRow, ...]:
    """One row a task, in the order of the manifests."""
    counts: dict[str, Counter[Severity]] = {}
    for finding in report.findings:
        for task_id in finding.tasks:
            counts.setdefault(task_id, Counter())[finding.severity] += 1
    return tuple(_row(report, task, counts.get(task.id, Counter())) for task in report.tasks)


def overall(rows: Iterable[TaskRow]) -> tuple[Share, Share]:
    """Declared writes and reads over all tasks; reads only of those that can declare them."""
    listed = list(rows)
    reads = [row.reads for row in listed if row.reads is not None]
    return (
        Share(sum(row.writes.declared for row in listed), sum(row.writes.inferred for row in listed)),
        Share(sum(share.declared for share in reads), sum(share.inferred for share in reads)),
    )


def _row(report: Report, task: Task, counts: Counter[Severity]) -> TaskRow:
    access_set = report.access_set(task)
    declared = Declared(task)
    writes = by_path(access_set.writes)
    reads = by_path(access_set.reads)
    bare_writes = {pattern for pattern in writes if not declared.covers_write(pattern)}
    bare_reads = {
        pattern for pattern, accesses in reads.items() if not declared.covers_read(pattern, accesses[0].operation)
    }
    bare = bare_writes | bare_reads if task.declares_reads else bare_writes
    grouped = {**reads, **writes}
    unknown = sum(access.path is None for access in (*access_set.reads, *access_set.writes))
    return TaskRow(
        task=task,
        access_set=access_set,
        has_code=task.id in report.access_sets,
        writes=Share(len(writes) - len(bare_writes), len(writes)),
        reads=Share(len(reads) - len(bare_reads), len(reads)) if task.declares_reads else None,
        read_paths=len(reads),
        undeclared=frozenset(access.path for pattern in bare for access in grouped[pattern] if access.path is not None),
        shared=tuple(dict.fromkeys(shared.name for shared in access_set.shared_state)),
        unseen=unknown + len(access_set.opaque),
        errors=counts[Severity.ERROR],
        warnings=counts[Severity.WARNING],
        notes=counts[Severity.NOTE],
    )
