"""taskgates: which files does every task really touch, and which tasks may run in parallel?

The names of the Python interface are imported when they are first used, so that importing the package stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskgates.interface import ConflictDetector, ParallelExecutionGates, infer
    from taskgates.model.access import Access, AccessSet
    from taskgates.model.finding import Finding
    from taskgates.model.task import Command, Task
    from taskgates.runtime.checkpoints import create_checkpoint, restore_checkpoint
    from taskgates.runtime.executor import SafeParallelExecutor
    from taskgates.runtime.locks import LockManager
    from taskgates.runtime.monitor import parallel_execution_monitor
    from taskgates.runtime.task_manager import TaskManager
    from taskgates.scan.pipeline import ScanResult, scan
    from taskgates.scan.repository import Repository

__all__ = [
    "Access",
    "AccessSet",
    "Command",
    "ConflictDetector",
    "Finding",
    "LockManager",
    "ParallelExecutionGates",
    "Repository",
    "SafeParallelExecutor",
    "ScanResult",
    "Task",
    "TaskManager",
    "create_checkpoint",
    "infer",
    "parallel_execution_monitor",
    "restore_checkpoint",
    "scan",
]

_PLACES = {
    "taskgates.interface": ("ConflictDetector", "ParallelExecutionGates", "infer"),
    "taskgates.model.access": ("Access", "AccessSet"),
    "taskgates.model.finding": ("Finding",),
    "taskgates.model.task": ("Command", "Task"),
    "taskgates.runtime.checkpoints": ("create_checkpoint", "restore_checkpoint"),
    "taskgates.runtime.executor": ("SafeParallelExecutor",),
    "taskgates.runtime.locks": ("LockManager",),
    "taskgates.runtime.monitor": ("parallel_execution_monitor",),
    "taskgates.runtime.task_manager": ("TaskManager",),
    "taskgates.scan.pipeline": ("ScanResult",),
    "taskgates.scan.repository": ("Repository",),
}


def __getattr__(name: str) -> object:
    if name == "scan":
        # The subpackage of that name can be called; it is what `scan` stands for from then on.
        return importlib.import_module("taskgates.scan")
    for module, names in _PLACES.items():
        if name in names:
            found: object = getattr(importlib.import_module(module), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
