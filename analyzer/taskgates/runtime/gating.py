"""The gates as a run needs them: what refuses a group, its batches, and whether the machine takes one more task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.gates.batching import BatchLimits, suggest_batches
from taskgates.gates.capacity import CapacityLimits, decide_capacity
from taskgates.gates.host import measure_host
from taskgates.gates.relations import GroupError, Relations
from taskgates.gates.report import assess_group
from taskgates.runtime.errors import TaskRuntimeError
from taskgates.scan.measure import task_footprint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taskgates.config import Config
    from taskgates.gates.footprint import Footprint
    from taskgates.gates.host import HostMeasurement
    from taskgates.model.access import AccessSet
    from taskgates.model.task import Task

_WINDOW = 0.1


class RunGates:
    """Answers of the gates for groups of one repository.

    A run keeps apart by locks what conflicts, and in order what depends on each other, so conflicts refuse it only
    where the configuration says so; what no order can mend (circular or unknown dependencies, a task above the whole
    budget) always does. Every task is executed as a process of its own, so none shares its memory with another.

    Args:
        tasks: all tasks of the repository.
        access_of: the inferred access set of a task; None where there is no code.
        config: the limits.
    """

    def __init__(self, tasks: Sequence[Task], access_of: Callable[[Task], AccessSet | None], config: Config) -> None:
        self._relations = Relations(tasks)
        self._by_id = {task.id: task for task in tasks}
        self._access_of = access_of
        self._limits = config.gates

    def refusals(self, ids: Sequence[str]) -> list[str]:
        """Why a group must not be run; empty when it may.

        Args:
            ids: the group.
        """
        footprints = self._footprints(ids)
        try:
            assessment = assess_group(ids, self._relations, footprints, separate_processes=True)
        except GroupError as error:
            return [str(error)]
        reasons = [f"circular dependency: {' -> '.join(cycle.chain)}" for cycle in assessment.cycles]
        reasons += [
            f"{each.task_id} depends on {each.reference.id}, which no manifest defines"
            for each in assessment.unknown_dependencies
        ]
        if self._limits.conflict_resolution == "refuse":
            reasons += [
                f"{conflict.first} and {conflict.second} meet at {conflict.path} ({conflict.kind.value})"
                for conflict in assessment.conflicts
                if conflict.kind.value == "write-write"
            ]
        return reasons

    def _footprints(self, ids: Sequence[str]) -> list[Footprint]:
        known = [self._by_id[name] for name in ids if name in self._by_id]
        return [task_footprint(task, self._access_of(task)) for task in known]

    def batches(self, ids: Sequence[str]) -> list[list[str]]:
        """The fewest ordered batches of a group.

        Raises:
            TaskRuntimeError: there are none (circular dependencies, a task above the whole budget).
        """
        footprints = self._footprints(ids)
        limits = BatchLimits(
            self._limits.max_parallel_tasks, self._limits.max_context_complexity, separate_processes=True
        )
        try:
            plan = suggest_batches(ids, self._relations, footprints, limits)
        except GroupError as error:
            raise TaskRuntimeError(f"no batches: {error}") from error
        return [list(batch) for batch in plan.batches]

    def capacity(self, running: int, measure: Callable[[float], HostMeasurement] = measure_host) -> str | None:
        """Why no further task may start now, in numbers; None when one may.

        Args:
            running: tasks that run already.
            measure: watches the machine for some seconds.
        """
        limits = CapacityLimits(
            max_parallel_tasks=self._limits.max_parallel_tasks,
            max_cpu_percent=self._limits.max_cpu_percent,
            max_memory_percent=self._limits.max_memory_percent,
        )
        decision = decide_capacity(1, measure(_WINDOW), limits, running=running)
        return None if decision.allowed else "; ".join(each.message for each in decision.shortages if each.refuses)
