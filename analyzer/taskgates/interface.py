"""The Python interface: a repository scanned, asked, and gated in one line each.

`taskgates` offers these names at its root and imports them when they are first used. What the gates must know of the
runtime, the locks that are held, is wired here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.gates.contention import HeldLock
from taskgates.gates.host import measure_host
from taskgates.model.task import Command
from taskgates.runtime.lock_table import LockMode
from taskgates.runtime.locks import LockManager
from taskgates.scan import gatekeeping
from taskgates.scan.gatekeeping import ConflictDetector
from taskgates.scan.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from taskgates.config import Config
    from taskgates.gates.host import HostMeasurement
    from taskgates.model.access import AccessSet

__all__ = ["ConflictDetector", "ParallelExecutionGates", "current_locks", "infer"]


def infer(
    target: str | Sequence[str] | Command,
    *,
    root: Repository | Path | str | None = None,
    config: Config | None = None,
    environ: Mapping[str, str] | None = None,
    use_cache: bool = True,
) -> AccessSet:
    """Which files does a task, or a command line, read and write? Nothing is executed.

    Args:
        target: a task's id; or a command line as a list of words, or as a `Command`.
        root: the repository's folder, or a repository that is open already, which decides the other settings itself;
            the working directory when None.
        config: the settings; those of the repository when None.
        environ: environment variables that the code may be taken to see.
        use_cache: whether results of earlier runs are used and kept.

    Raises:
        ConfigError: the settings cannot be used.
        UnknownTaskError: there is no such task.
        ValueError: the task has no code to follow.
    """
    repository = (
        root if isinstance(root, Repository) else Repository(root, config, environ=environ, use_cache=use_cache)
    )
    if isinstance(target, Command):
        return repository.command(target)
    if not isinstance(target, str):
        return repository.command(Command(argv=tuple(target)))
    found = repository.access(target)
    if found is None:
        raise ValueError(
            f"task {target} ({repository.relations.task(target).span}) has no code to follow: it has no command and no "
            "source, and there is no Python file among its files"
        )
    return found


def current_locks(root: Path) -> Callable[[], list[HeldLock]]:
    """Tells the locks that living processes hold in a repository."""

    def holders() -> list[HeldLock]:
        return [
            HeldLock(
                holder.path,
                holder.mode is LockMode.EXCLUSIVE,
                holder.task,
                f"task {holder.task} (process {holder.pid} on {holder.host})",
            )
            for holder in LockManager(root).status()
            if not holder.stale
        ]

    return holders


class ParallelExecutionGates(gatekeeping.ParallelExecutionGates):
    """The gates over the tasks of a repository, with the locks that are held now.

    Args:
        root: a folder or a repository that is open already; the working directory when None.
        config: the settings; those of the repository when None.
        lock_holders: tells the locks that are held; the lock table of the repository when None.
        measure: measures the machine; None leaves its load out.
        durations: seconds that tasks take, by id, from earlier runs.

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
    ) -> None:
        repository = gatekeeping.as_repository(root, config)
        super().__init__(
            repository,
            lock_holders=lock_holders or current_locks(repository.root),
            measure=measure,
            durations=durations,
        )
