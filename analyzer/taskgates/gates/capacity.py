"""Whether the machine can take a group of tasks now: a decision over numbers that were measured before.

`host.measure_host` measures; here is only arithmetic, so that every refusal can be shown without a loaded machine.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from taskgates.gates.host import HostMeasurement

_MEBIBYTE = 1 << 20


class Resource(StrEnum):
    """What can run short."""

    SLOTS = "parallel-tasks"
    CPU = "cpu"
    MEMORY = "memory"
    FILE_HANDLES = "file-handles"


class CapacityLimits(msgspec.Struct, frozen=True):
    """How much of the machine tasks may use.

    Attributes:
        max_parallel_tasks: tasks at the same time.
        max_cpu_percent: above this use of the CPUs nothing more is started.
        max_memory_percent: above this use of the memory nothing more is started; also what tasks may fill it to.
        cpus_per_task: CPUs that a task keeps busy; None counts only the present use.
        memory_per_task: bytes that a task needs; None counts only the present use.
        file_handles_per_task: handles that a task costs the process that starts it and its own code.
        refuse_overload: whether overload refuses; otherwise it is only said.
    """

    max_parallel_tasks: int = 5
    max_cpu_percent: float = 80
    max_memory_percent: float = 70
    cpus_per_task: float | None = None
    memory_per_task: int | None = None
    file_handles_per_task: int = 16
    refuse_overload: bool = True


class Shortage(msgspec.Struct, frozen=True):
    """One resource that does not suffice.

    Attributes:
        resource: which.
        measured: what is in use (tasks, percent, percent, handles).
        limit: what may be.
        available: how many further tasks it admits.
        message: the reason in numbers.
        refuses: whether it refuses the group; otherwise it is a warning.
    """

    resource: Resource
    measured: float
    limit: float
    available: int
    message: str
    refuses: bool


class CapacityDecision(msgspec.Struct, frozen=True):
    """Whether a group fits.

    Attributes:
        max_parallel_tasks: the limit.
        running: tasks that run already.
        requested: tasks of the group.
        available: how many of them could start now.
        allowed: whether all could.
        shortages: every resource that does not suffice for the group.
    """

    max_parallel_tasks: int
    running: int
    requested: int
    available: int
    allowed: bool
    shortages: tuple[Shortage, ...]


def decide_capacity(
    requested: int,
    measurement: HostMeasurement | None,
    limits: CapacityLimits | None = None,
    *,
    running: int = 0,
) -> CapacityDecision:
    """Whether a group of tasks may start now.

    Args:
        requested: number of tasks.
        measurement: the state of the machine; None decides by the number of tasks alone.
        limits: the defaults when None.
        running: tasks that run already.
    """
    limits = limits or CapacityLimits()
    free = max(0, limits.max_parallel_tasks - running)
    message = f"{requested} tasks requested, {free} of {limits.max_parallel_tasks} slots free"
    if running:
        message += f" ({running} running)"
    checks = [Shortage(Resource.SLOTS, running, limits.max_parallel_tasks, free, message, refuses=True)]
    if measurement is not None:
        checks += [_cpu(requested, measurement, limits), _memory(requested, measurement, limits)]
        if measurement.open_files_limit is not None:
            checks.append(_file_handles(requested, measurement, measurement.open_files_limit, limits))
    shortages = tuple(check for check in checks if check.available < requested)
    available = min(check.available for check in checks if check.refuses)
    return CapacityDecision(
        max_parallel_tasks=limits.max_parallel_tasks,
        running=running,
        requested=requested,
        available=available,
        allowed=requested <= available,
        shortages=shortages,
    )


def _cpu(requested: int, measurement: HostMeasurement, limits: CapacityLimits) -> Shortage:
    used, limit = measurement.cpu_percent, limits.max_cpu_percent
    message = f"CPU at {used:.0f} % of {measurement.cpu_count:g} CPUs over {measurement.window_seconds:.1f} s"
    message += f", limit {limit:g} %"
    available = requested
    if used > limit:
        available = 0
    elif limits.cpus_per_task:
        idle = (limit - used) / 100 * measurement.cpu_count
        available = int(idle / limits.cpus_per_task)
        message += f": {idle:.1f} CPUs for {requested} tasks of {limits.cpus_per_task:g}"
    return Shortage(Resource.CPU, used, limit, available, message, limits.refuse_overload)


def _memory(requested: int, measurement: HostMeasurement, limits: CapacityLimits) -> Shortage:
    used, limit = measurement.memory_percent, limits.max_memory_percent
    message = (
        f"memory at {used:.0f} % ({measurement.memory_used // _MEBIBYTE} of "
        f"{measurement.memory_total // _MEBIBYTE} MiB), limit {limit:g} %"
    )
    available = requested
    if used > limit:
        available = 0
    elif limits.memory_per_task:
        left = int(limit / 100 * measurement.memory_total) - measurement.memory_used
        available = left // limits.memory_per_task
        message += f": {left // _MEBIBYTE} MiB for {requested} tasks of {limits.memory_per_task // _MEBIBYTE} MiB"
    return Shortage(Resource.MEMORY, used, limit, available, message, limits.refuse_overload)


def _file_handles(requested: int, measurement: HostMeasurement, limit: int, limits: CapacityLimits) -> Shortage:
    left = max(0, limit - measurement.open_files)
    each = limits.file_handles_per_task
    message = f"{left} of {limit} file handles left, {requested} tasks of {each} need {requested * each}"
    available = left // each if each else requested
    return Shortage(Resource.FILE_HANDLES, measurement.open_files, limit, available, message, refuses=True)
