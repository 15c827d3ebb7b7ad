"""TG4xx: what the tasks in progress ask of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.gates.capacity import CapacityLimits, Resource, Shortage, decide_capacity
from taskgates.gates.host import HostMeasurement
from taskgates.model.finding import Finding, Related, Severity
from taskgates.scan.places import task_names
from taskgates.scan.rule import Example, Precision, Rule, native_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.scan.project import Project

_GIBIBYTE = 1 << 30
_IDLE = HostMeasurement(
    cpu_count=8,
    cpu_percent=12,
    memory_total=32 * _GIBIBYTE,
    memory_used=8 * _GIBIBYTE,
    open_files_limit=1024,
    open_files=20,
    window_seconds=0.1,
)
_BUSY = HostMeasurement(
    cpu_count=8,
    cpu_percent=97,
    memory_total=32 * _GIBIBYTE,
    memory_used=30 * _GIBIBYTE,
    open_files_limit=1024,
    open_files=20,
    window_seconds=0.1,
)
_FEW_HANDLES = HostMeasurement(
    cpu_count=8,
    cpu_percent=12,
    memory_total=32 * _GIBIBYTE,
    memory_used=8 * _GIBIBYTE,
    open_files_limit=64,
    open_files=40,
    window_seconds=0.1,
)


def _in_progress(count: int) -> dict[str, str]:
    return {
        f".claude/tasks/task-{number}.json": native_task(str(number), status="In Progress", difficulty=2)
        for number in range(1, count + 1)
    }


def _shortages(project: Project, resources: tuple[Resource, ...]) -> list[Shortage]:
    """What runs short of some resources for the tasks in progress."""
    gates = project.config.gates
    limits = CapacityLimits(
        max_parallel_tasks=max(gates.max_parallel_tasks, len(project.in_progress)),
        max_cpu_percent=gates.max_cpu_percent,
        max_memory_percent=gates.max_memory_percent,
    )
    decision = decide_capacity(len(project.in_progress), project.host, limits)
    return [shortage for shortage in decision.shortages if shortage.resource in resources]


class TooManyTasks(Rule):
    """More tasks are in progress than may run in parallel.

    What it is:
        The tasks in progress are more than `max_parallel_tasks` (5 unless it is configured). A task with parts does not
        count: its parts do.

    Why it matters:
        Each task in progress takes memory, processor time, file handles and attention. Above the limit all of them
        become slow, and conflicts between them become likely.

    How to fix it:
        Finish some of them, or set those back to pending that nobody is working on. Raise `max_parallel_tasks` where
        the machine has room.
    """

    id = "TG401"
    name = "too-many-tasks"
    severity = Severity.ERROR
    precision = Precision.VERY_HIGH
    positive = (Example("Six tasks are in progress at once.", _in_progress(6)),)
    negative = (
        Example("Five are.", _in_progress(5)),
        Example(
            "Of six tasks in progress one is the whole of which others are parts.",
            {
                **_in_progress(5),
                ".claude/tasks/task-6.json": native_task("6", status="In Progress", difficulty=2, subtasks=["1", "2"]),
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding at the first task above the limit."""
        limit = project.config.gates.max_parallel_tasks
        running = project.in_progress
        if len(running) <= limit:
            return
        ids = [task.id for task in running]
        yield self.finding(
            f"{len(running)} tasks are in progress ({', '.join(ids[:10])}{', ...' if len(ids) > 10 else ''}); "
            f"at most {limit} may run in parallel.",
            running[limit].span,
            tasks=ids,
            related=[Related(f"task {task.id} is in progress", task.span) for task in running[:20]],
        )


class HostOverloaded(Rule):
    """The machine is too busy for the tasks in progress.

    What it is:
        While tasks are in progress, the processors or the memory of this machine (of this container, where it has
        limits of its own) are in use above `max_cpu_percent` or `max_memory_percent` (80 and 70 unless they are
        configured). It speaks of the machine at the moment of the scan, which is why it is off by default: select it
        where the tasks run.

    Why it matters:
        Tasks on an overloaded machine run into timeouts, or are ended for want of memory, and leave files half written.

    How to fix it:
        Let some tasks finish before others start, or move them to another machine.
    """

    id = "TG402"
    name = "host-overloaded"
    severity = Severity.WARNING
    precision = Precision.MEDIUM
    enabled = False
    positive = (Example("Two tasks are in progress on a busy machine.", _in_progress(2), host=_BUSY),)
    negative = (
        Example("The machine is idle.", _in_progress(2), host=_IDLE),
        Example("Nothing is in progress.", {".claude/tasks/task-1.json": native_task("1")}, host=_BUSY),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each resource that runs short."""
        if not project.in_progress:
            return
        ids = [task.id for task in project.in_progress]
        for shortage in _shortages(project, (Resource.CPU, Resource.MEMORY)):
            yield self.finding(
                f"The machine is overloaded while {task_names(ids)} {'is' if len(ids) == 1 else 'are'} in progress: "
                f"{shortage.message}.",
                project.in_progress[0].span,
                tasks=ids,
                key=[shortage.resource.value],
            )


class TooFewFileHandles(Rule):
    """The limit of open files is too low for the tasks in progress.

    What it is:
        The operating system lets a process have fewer files open than the tasks in progress are likely to need, at 16
        a task.

    Why it matters:
        The task that comes last fails in the middle of its work with "too many open files".

    How to fix it:
        Raise the limit (`ulimit -n 4096` before the tasks are started), or do fewer tasks at once.
    """

    id = "TG403"
    name = "too-few-file-handles"
    severity = Severity.WARNING
    precision = Precision.HIGH
    positive = (Example("Five tasks share two dozen file handles.", _in_progress(5), host=_FEW_HANDLES),)
    negative = (
        Example("There are plenty.", _in_progress(5), host=_IDLE),
        Example("A single task has enough.", _in_progress(1), host=_FEW_HANDLES),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding when handles run short."""
        if not project.in_progress:
            return
        ids = [task.id for task in project.in_progress]
        for shortage in _shortages(project, (Resource.FILE_HANDLES,)):
            yield self.finding(
                f"Too few file handles for {task_names(ids)}: {shortage.message}.",
                project.in_progress[0].span,
                tasks=ids,
            )
