"""The gates of a repository: may these tasks run in parallel, and in which batches otherwise?"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from taskgates.gates.assessment import GroupAssessment, LockIssue
from taskgates.gates.batching import BatchLimits, BatchPlan, Solver, suggest_batches
from taskgates.gates.budget import BudgetLimits, Measured, load_of
from taskgates.gates.capacity import CapacityLimits
from taskgates.gates.conflicts import Conflict, Weight, find_conflicts
from taskgates.gates.contention import HeldLock, held_against, lock_needs, predicted_contention
from taskgates.gates.host import HostMeasurement, measure_host
from taskgates.gates.makespan import Schedule, schedule
from taskgates.gates.report import as_report, assess_group
from taskgates.model.patterns import PathPattern
from taskgates.scan.repository import Repository
from taskgates.tree.lock_records import LockMode, lock_holders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from taskgates.config import Config
    from taskgates.gates.footprint import Footprint

_log = logging.getLogger(__name__)

_EXHAUSTED_PERCENT = 95.0
"""Above this use of the memory the host has no room, whatever the settings say about mere load."""

_NAMED_LOCKS = 10_000
"""Locks are listed one by one up to this number; above it the report gives the number alone."""


def current_locks(root: Path) -> Callable[[], list[HeldLock]]:
    """Tells the locks that living processes hold in a repository; raises LockRecordError where they cannot be read."""

    def holders() -> list[HeldLock]:
        return [
            HeldLock(
                holder.path,
                holder.mode is LockMode.EXCLUSIVE,
                holder.task,
                f"task {holder.task} (process {holder.pid} on {holder.host})",
            )
            for holder in lock_holders(root)
            if not holder.stale
        ]

    return holders


def _shown(path: str) -> str:
    """The text of a pattern as people write it."""
    return PathPattern(path).shown if "[" in path else path


def as_repository(root: Repository | Path | str | None, config: Config | None) -> Repository:
    """The repository itself, or the one in a folder, the working directory when None."""
    return root if isinstance(root, Repository) else Repository(root, config)


class ConflictDetector:
    """Which tasks meet at which files.

    Args:
        root: a folder or a repository that is open already; the working directory when None.
        config: the settings; those of the repository when None.

    Raises:
        ConfigError: the settings cannot be used.
    """

    def __init__(self, root: Repository | Path | str | None = None, config: Config | None = None) -> None:
        self.repository = as_repository(root, config)

    def validate_parallel_execution(self, task_ids: Iterable[str]) -> tuple[bool, list[Conflict]]:
        """Whether the files that the tasks touch let them run in parallel.

        Args:
            task_ids: ids, and globs over ids (`110_*`).

        Returns:
            Whether no conflict is blocking, and every conflict, the gravest first. Tasks of which one depends on the
            other do not conflict: they never run at the same time.

        Raises:
            UnknownTaskError: an id or a glob names no task.
        """
        ids = self.repository.select(task_ids)
        found = find_conflicts(self.repository.footprints(ids), self.repository.relations, read_read=True)
        return all(conflict.weight is not Weight.BLOCKING for conflict in found), found


class ParallelExecutionGates:
    """The gates over the tasks of a repository.

    Args:
        root: a folder or a repository that is open already; the working directory when None.
        config: the settings; those of the repository when None.
        lock_holders: tells the locks that are held now; the record of the repository when None.
        measure: measures the machine; None leaves its load out.
        durations: seconds that tasks take, by id; they go before those of `history`.
        history: durations and failures of tasks in earlier runs, by id.

    Raises:
        ConfigError: the settings cannot be used.
    """

    def __init__(
        self,
        root: Repository | Path | str | None = None,
        config: Config | None = None,
        *,
        lock_holders: Callable[[], Iterable[HeldLock]] | None = None,
        measure: Callable[[], HostMeasurement] | None = measure_host,
        durations: Mapping[str, float] | None = None,
        history: Mapping[str, Measured] | None = None,
    ) -> None:
        self.repository = as_repository(root, config)
        self._lock_holders = lock_holders or current_locks(self.repository.root)
        self._measure = measure
        self._history = dict(history or {})
        known = {task_id: each.duration for task_id, each in self._history.items() if each.duration is not None}
        self._durations = {**known, **(durations or {})}

    def validate_parallel_group(self, task_ids: Iterable[str]) -> tuple[bool, dict[str, Any]]:
        """Whether tasks may start at the same time.

        Args:
            task_ids: ids, and globs over ids (`110_*`).

        Returns:
            The answer, and the report of all gates as plain data; `docs/gates.md` explains its keys.

        Raises:
            UnknownTaskError: an id or a glob names no task.
        """
        ids = self.repository.select(task_ids)
        assessment = self.assess(ids)
        return assessment.can_parallel, self.report(assessment)

    def suggest_execution_batches(self, task_ids: Iterable[str] | None = None) -> list[list[str]]:
        """Ordered batches of tasks that may run in parallel, as few as can be found.

        Args:
            task_ids: ids, and globs over ids; every task that may still run when None.

        Raises:
            UnknownTaskError: an id or a glob names no task.
            BatchingError: dependencies are circular or unknown, or one task exceeds the whole budget.
        """
        return [list(batch) for batch in self.plan_batches(self.repository.select(task_ids)).batches]

    def assess(self, ids: Sequence[str]) -> GroupAssessment:
        """The typed answers of all gates for tasks that are to start at the same time.

        Raises:
            UnknownTaskError: an id is unknown.
            LockRecordError: the record of the locks that are held is damaged.
        """
        footprints, separate = self._apart(ids)
        gates = self.repository.config.gates
        measurement = self._measure() if self._measure is not None else None
        exhausted = measurement is not None and measurement.memory_percent >= _EXHAUSTED_PERCENT
        if measurement is not None:
            _log.debug("host: %s", measurement)
        assessment = assess_group(
            ids,
            self.repository.relations,
            footprints,
            lock_issues=[
                LockIssue(task_id, lock.path, lock.holder, "exclusive" if lock.exclusive else "shared")
                for task_id, lock in held_against(footprints, self._lock_holders())
            ],
            measurement=measurement,
            running=len(self.repository.running(ids)),
            capacity_limits=CapacityLimits(
                max_parallel_tasks=gates.max_parallel_tasks,
                max_cpu_percent=gates.max_cpu_percent,
                max_memory_percent=gates.max_memory_percent,
                refuse_overload=gates.refuse_overload or exhausted,
            ),
            budget_limits=BudgetLimits(max_complexity=gates.max_context_complexity),
            measured=self._measured(ids),
            separate_processes=separate,
        )
        _log.info(
            "group of %d %s run in parallel: %d conflicts, %d locks held by others, difficulty %g of %g",
            len(assessment.ids),
            "may" if assessment.can_parallel else "must not",
            len(assessment.conflicts),
            len(assessment.lock_issues),
            assessment.budget.total_complexity,
            assessment.budget.max_complexity,
        )
        return assessment

    def report(self, assessment: GroupAssessment) -> dict[str, Any]:
        """An assessment as plain data, with the locks of the group and where its members would wait for each other.

        The waiting is in seconds where the duration of every member is known, in difficulty otherwise.
        """
        ids = assessment.ids
        footprints = self.repository.footprints(ids)
        paths = {touch.path for each in footprints for touch in (*each.writes, *each.reads)}
        needs = lock_needs(footprints) if len(paths) <= _NAMED_LOCKS else []
        timed = all(task_id in self._durations for task_id in ids)
        costs = self._durations if timed else {load.task_id: load.complexity for load in assessment.budget.loads}
        return {
            **as_report(assessment),
            "running": self.repository.running(ids),
            "locks": [
                {"file": _shown(need.path), "exclusive": list(need.exclusive), "shared": list(need.shared)}
                for need in needs
            ],
            "locks_left_out": len(paths) - len(needs),
            "contention": [
                {
                    "file": _shown(each.path),
                    "tasks": list(each.tasks),
                    "expected_waiting": round(each.expected_waiting, 3),
                    "unit": "seconds" if timed else "difficulty",
                }
                for each in predicted_contention(assessment.conflicts, costs)
            ],
        }

    def timed(self, ids: Iterable[str]) -> int:
        """How many of the tasks have a known duration."""
        return sum(task_id in self._durations for task_id in ids)

    def times_are_known(self, ids: Sequence[str]) -> bool:
        """Whether at least half of the tasks have a known duration, so that a schedule says something."""
        return bool(ids) and 2 * self.timed(ids) >= len(ids)

    def plan_batches(
        self, ids: Sequence[str], *, solver: Solver = Solver.AUTO, time_limit: float | None = None
    ) -> BatchPlan:
        """Ordered batches with their lower bound, and whether fewer are impossible.

        Args:
            ids: the tasks.
            solver: which algorithm divides them.
            time_limit: seconds for the solver of the `optimal` extra; its default when None.

        Raises:
            UnknownTaskError: an id is unknown.
            BatchingError: dependencies are circular or unknown, one task exceeds the whole budget, or the solver that
                is demanded is not installed.
        """
        footprints, separate = self._apart(ids)
        plan = suggest_batches(
            ids,
            self.repository.relations,
            footprints,
            self._limits(separate=separate, time_limit=time_limit),
            measured=self._measured(ids),
            solver=solver,
        )
        batches = len(plan.batches)
        _log.info("group of %d in %d batches, bound %d (%s)", len(ids), batches, plan.lower_bound, plan.solver)
        return plan

    def plan_schedule(
        self, ids: Sequence[str], *, solver: Solver = Solver.AUTO, time_limit: float | None = None
    ) -> Schedule:
        """The schedule that ends first, by the durations given.

        A task without a duration is taken for as long as the mean of the others.

        Args:
            ids: the tasks.
            solver: which algorithm.
            time_limit: seconds for the solver of the `optimal` extra; its default when None.

        Raises:
            UnknownTaskError: an id is unknown.
            BatchingError: as for batches; also for a negative or infinite duration.
        """
        footprints, separate = self._apart(ids)
        return schedule(
            ids,
            self.repository.relations,
            footprints,
            self._durations,
            self._limits(separate=separate, time_limit=time_limit),
            measured=self._measured(ids),
            solver=solver,
        )

    def difficulty(self, task_id: str) -> float:
        """What the budget counts for a task: its difficulty, measured or assumed where none is declared."""
        task = self.repository.relations.task(task_id)
        known = self._measured([task_id]).get(task_id, Measured())
        return load_of(task_id, task.difficulty, known, BudgetLimits()).complexity

    def _limits(self, *, separate: bool, time_limit: float | None) -> BatchLimits:
        gates = self.repository.config.gates
        limits = BatchLimits(
            max_tasks=gates.max_parallel_tasks,
            max_complexity=gates.max_context_complexity,
            separate_processes=separate,
        )
        return limits if time_limit is None else msgspec.structs.replace(limits, time_limit=time_limit)

    def _apart(self, ids: Sequence[str]) -> tuple[list[Footprint], bool]:
        """The footprints, and whether every task runs in a process of its own.

        A task that has a command is a process and shares no memory with anybody; in a group where others may share a
        process, what it has in memory is its own affair.
        """
        footprints = self.repository.footprints(ids)
        commands = {task_id for task_id in ids if self.repository.relations.task(task_id).command is not None}
        if all(each.task_id in commands for each in footprints if each.shared_state):
            return footprints, True
        kept = [
            msgspec.structs.replace(each, shared_state=()) if each.task_id in commands else each for each in footprints
        ]
        return kept, False

    def _measured(self, ids: Sequence[str]) -> dict[str, Measured]:
        measured = self.repository.measured(ids)
        for task_id in ids:
            if task_id in self._durations or task_id in self._history:
                earlier = self._history.get(task_id, Measured())
                measured[task_id] = msgspec.structs.replace(
                    measured.get(task_id, earlier),
                    duration=self._durations.get(task_id),
                    failure_rate=earlier.failure_rate,
                )
        return measured
