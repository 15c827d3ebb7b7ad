"""What the commands that execute tasks have in common: the tasks, their settings, what was inferred about them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypedDict, Unpack

from taskgates.cli.errors import InputError
from taskgates.cli.progress import progress_on_stderr
from taskgates.cli.settings import choose_root, read_settings
from taskgates.cli.streams import write_err, write_problems
from taskgates.inference.effects.errors import EffectTableError
from taskgates.reporting.printable import printable
from taskgates.runtime.errors import TaskRuntimeError
from taskgates.runtime.locks import LockManager
from taskgates.runtime.task_manager import TaskManager
from taskgates.scan.inference_run import InferenceSetup, infer_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from taskgates.config import Config
    from taskgates.model.access import AccessSet
    from taskgates.model.task import Task


class SetupOptions(TypedDict):
    """The values of `root_option`, `analysis_options` and `verbosity_options`."""

    root_option: Path | None
    config_file: Path | None
    environ: tuple[tuple[str, str], ...]
    python: str | None
    follow: tuple[str, ...]
    no_cache: bool
    quiet: bool
    verbose: int


class TaskSetup:
    """A repository whose tasks are to be executed.

    Args:
        root: its folder.
        config: the settings.
        options: the command's options.

    Attributes:
        root: its folder.
        config: the settings.
        environ: environment variables, for the analysis and for the commands.
        tasks: its tasks, with the lock manager of this process.
    """

    def __init__(self, root: Path, config: Config, options: SetupOptions) -> None:
        self.root = root
        self.config = config
        self.environ = dict(options["environ"])
        self.tasks = TaskManager(
            root,
            locks=LockManager(root, timeout=config.gates.lock_timeout, retry_delays=config.gates.retry_delays),
            exclude=config.scan.exclude,
        )
        self._quiet = options["quiet"]
        self._use_cache = not options["no_cache"]

    def inferred(self, tasks: Sequence[Task]) -> Callable[[Task], AccessSet | None]:
        """The access sets of these tasks, as a function; what the analysis could not see is told.

        Args:
            tasks: the tasks; of others nothing is known.
        """
        if not tasks:
            return lambda _: None
        with progress_on_stderr(quiet=self._quiet) as progress:
            found = infer_all(InferenceSetup(self.root, self.config, self.environ, self._use_cache), tasks, progress)
        write_problems(found.problems)
        for task in tasks:
            access = found.access_sets.get(task.id)
            if access is not None and not access.complete and not self._quiet:
                write_err(
                    printable(f"{task.id}: the analysis could not see everything that this task does")
                    + " (taskgates infer)\n"
                )
        return lambda task: found.access_sets.get(task.id)


@contextlib.contextmanager
def task_setup(overrides: Mapping[str, object] | None = None, **options: Unpack[SetupOptions]) -> Iterator[TaskSetup]:
    """Open a repository for executing its tasks; what goes wrong in the block is told in the command line's words.

    Args:
        overrides: settings beyond those that every such command has, by dotted name.
        options: the values of the common options.

    Raises:
        InputError: the settings cannot be used, or tasks cannot be executed.
    """
    root = choose_root(None, options["root_option"])
    settings = {"follow": options["follow"] or None, "python": options["python"], **(overrides or {})}
    config = read_settings(root, settings, options["config_file"])
    try:
        yield TaskSetup(root, config, options)
    except (TaskRuntimeError, EffectTableError) as error:
        raise InputError(*str(error).split("\n")) from error
