"""A repository opened for a command: settings, progress, and errors in the command line's words."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import click

from taskgates.cli import ISSUES
from taskgates.cli.errors import ExitCode, InputError, print_internal_error
from taskgates.cli.options import analysis_options, root_option, verbosity_options
from taskgates.cli.progress import progress_on_stderr
from taskgates.cli.settings import choose_root, read_settings
from taskgates.cli.streams import write_problems, write_traceback
from taskgates.inference.effects.errors import EffectTableError
from taskgates.scan.repository import Repository, UnknownTaskError
from taskgates.tree.lock_records import LockRecordError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from taskgates.cli.progress import ProgressListener

_Function = TypeVar("_Function", bound=Callable[..., Any])


def repository_options() -> Callable[[_Function], _Function]:
    """Everything that `open_repository` takes: root, settings, what steers the inference, `--jobs`, `-q` and `-v`."""

    def decorate(function: _Function) -> _Function:
        for decorator in reversed(
            (
                root_option(),
                click.option(
                    "--max-parallel-tasks", type=int, metavar="N", help="Tasks that may run at once.  [default: 5]"
                ),
                click.option(
                    "--max-context-complexity",
                    type=float,
                    metavar="N",
                    help="The sum of difficulties that a group may have.  [default: 30]",
                ),
                click.option(
                    "--include-finished",
                    is_flag=True,
                    default=None,
                    help="Let globs pick finished, absorbed and broken-down tasks too.",
                ),
                click.option("--no-infer", is_flag=True, help="Follow no code: believe the declarations."),
                click.option(
                    "-j",
                    "--jobs",
                    type=click.IntRange(min=0),
                    default=1,
                    show_default=True,
                    metavar="N",
                    help="Processes that follow the code; 0 for one for each processor.",
                ),
                analysis_options(),
                verbosity_options(),
            )
        ):
            function = decorator(function)
        return function

    return decorate


def durations_option() -> Callable[[_Function], _Function]:
    """`--durations FILE`."""
    return click.option(
        "--durations",
        "durations_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help='Seconds by task id, as a JSON object: {"110_1": 12.5}.  [default: as measured in earlier runs]',
    )


class RepositoryOptions(TypedDict):
    """The values of `repository_options`."""

    root_option: Path | None
    max_parallel_tasks: int | None
    max_context_complexity: float | None
    include_finished: bool | None
    no_infer: bool
    jobs: int
    config_file: Path | None
    environ: tuple[tuple[str, str], ...]
    python: str | None
    follow: tuple[str, ...]
    no_cache: bool
    quiet: bool
    verbose: int


@contextmanager
def open_repository(
    overrides: Mapping[str, object] | None = None, **options: Unpack[RepositoryOptions]
) -> Iterator[tuple[Repository, ProgressListener]]:
    """The repository of a command with progress shown while it is worked on; what is wrong with it is told at the end.

    Args:
        overrides: settings beyond those that have an option here, by dotted name.
        options: the values of `repository_options`.

    Raises:
        InputError: the settings cannot be used, or an id names no task.
    """
    root = choose_root(None, options["root_option"])
    config = read_settings(
        root,
        {
            "gates.max_parallel_tasks": options["max_parallel_tasks"],
            "gates.max_context_complexity": options["max_context_complexity"],
            "scan.include_finished": options["include_finished"],
            "follow": options["follow"] or None,
            "python": options["python"],
            **(overrides or {}),
        },
        options["config_file"],
    )
    try:
        with progress_on_stderr(quiet=options["quiet"]) as progress:
            repository = Repository(
                root,
                config,
                environ=dict(options["environ"]),
                use_cache=not options["no_cache"],
                infer=not options["no_infer"],
                jobs=options["jobs"] or os.cpu_count() or 1,
                progress=progress,
            )
            yield repository, progress
    except UnknownTaskError as error:
        raise InputError(str(error)) from error
    except LockRecordError as error:
        raise InputError(str(error)) from error
    except EffectTableError as error:
        raise InputError(*map(str, error.problems)) from error
    write_problems(repository.problems)


def exit_code(repository: Repository, code: ExitCode, *, verbose: bool) -> ExitCode:
    """The code to end with: the one given, unless the inference ran into a bug, which is told."""
    for error in repository.errors:
        if verbose:
            write_traceback(error.traceback)
        print_internal_error(f"{error.where}: {error.error}", ISSUES, verbose=verbose)
    return ExitCode.INTERNAL if repository.errors else code


def read_durations(path: Path | None, repository: Repository) -> dict[str, float]:
    """The durations in a file, by task id; empty without a file.

    Raises:
        InputError: the file cannot be read, is no JSON object of numbers of seconds, or names a task that there is not.
    """
    if path is None:
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f'{path}: must be an object of seconds by task id, such as {{"110_1": 12.5}}')
    durations: dict[str, float] = {}
    for task_id, seconds in content.items():
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
            raise InputError(f"{path}: the duration of {task_id!r} must be a number of seconds, not {seconds!r}")
        if task_id not in repository.relations:
            raise InputError(f"{path}: there is no task {task_id!r}")
        durations[task_id] = float(seconds)
    return durations
