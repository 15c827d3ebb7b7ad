"""The Python interface: a repository scanned, asked, and gated in one line each.

`taskgates` offers these names at its root and imports them when they are first used. What the gates must know of the
runtime, how long tasks took in earlier runs, is wired here.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from taskgates.gates.budget import Measured
from taskgates.gates.host import measure_host
from taskgates.model.task import Command
from taskgates.runtime.errors import JournalError
from taskgates.runtime.journal import Journal
from taskgates.scan import gatekeeping
from taskgates.scan.gatekeeping import ConflictDetector
from taskgates.scan.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from taskgates.config import Config
    from taskgates.gates.contention import HeldLock
    from taskgates.gates.host import HostMeasurement
    from taskgates.model.access import AccessSet

__all__ = ["ConflictDetector", "ParallelExecutionGates", "history_of", "infer"]

_log = logging.getLogger(__name__)


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


def history_of(root: Path) -> dict[str, Measured]:
    """How long tasks took in earlier runs of a repository and how often they failed, by id.

    A journal that cannot be read is passed over with a warning in the log.
    """
    try:
        histories = Journal(root).histories()
    except JournalError as error:
        _log.warning("how long tasks took in earlier runs is not known: %s", error)
        return {}
    return {
        task_id: Measured(
            duration=None if each.seconds is None else round(each.seconds, 3),
            failure_rate=each.failures / each.attempts,
        )
        for task_id, each in histories.items()
    }


class ParallelExecutionGates(gatekeeping.ParallelExecutionGates):
    """The gates over the tasks of a repository, with what its earlier runs tell about the tasks.

    Args:
        root: a folder or a repository that is open already; the working directory when None.
        config: the settings; those of the repository when None.
        lock_holders: tells the locks that are held; the record of the repository when None.
        measure: measures the machine; None leaves its load out.
        durations: seconds that tasks take, by id; what earlier runs took where it is silent.
        history: durations and failures of tasks, by id; the journal of the repository when None.

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
        repository = gatekeeping.as_repository(root, config)
        super().__init__(
            repository,
            lock_holders=lock_holders,
            measure=measure,
            durations=durations,
            history=history_of(repository.root) if history is None else history,
        )
