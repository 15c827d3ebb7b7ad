"""`taskgates infer`: which files does this task, or this command line, touch?"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click

from taskgates.cli.access_report import ACCESS_FORMATS, print_access, write_access_files
from taskgates.cli.after_dashes import CommandAfterDashes, task_or_command
from taskgates.cli.errors import InputError
from taskgates.cli.options import analysis_options, format_option, output_option, root_option, verbosity_options
from taskgates.cli.outputs import Destination, open_outputs
from taskgates.cli.progress import progress_on_stderr
from taskgates.cli.settings import choose_root, read_settings
from taskgates.cli.streams import write_problems
from taskgates.inference.effects.errors import EffectTableError
from taskgates.manifests import load_tasks
from taskgates.model.task import Task
from taskgates.scan.inference_run import InferenceSetup, infer_one
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.model.access import AccessSet
    from taskgates.model.finding import Problem
    from taskgates.model.task import Command


@click.command(
    "infer",
    cls=CommandAfterDashes,
    options_metavar="[OPTIONS]",
    epilog="Example: taskgates infer -- python train.py a b",
)
@click.argument("task_ids", nargs=-1, metavar="{TASK_ID | -- COMMAND [ARG]...}")
@root_option()
@format_option(ACCESS_FORMATS)
@output_option(ACCESS_FORMATS)
@analysis_options()
@verbosity_options()
@click.pass_context
def command(
    ctx: click.Context,
    *,
    task_ids: tuple[str, ...],
    root_option: Path | None,
    format_name: str,
    outputs: tuple[Destination, ...],
    config_file: Path | None,
    environ: tuple[tuple[str, str], ...],
    python: str | None,
    follow: tuple[str, ...],
    no_cache: bool,
    quiet: bool,
    verbose: int,
) -> None:
    """Show which files a task, or a command line behind `--`, reads and writes, with the call chain to each access.

    Nothing is executed. A single word behind `--` that has spaces is taken as text for a shell.
    """
    target = task_or_command(ctx, task_ids)
    root = choose_root(None, root_option)
    config = read_settings(root, {"follow": follow or None, "python": python}, config_file)
    with open_outputs(outputs) as prepared:
        with progress_on_stderr(quiet=quiet) as progress:
            progress("Following the code", 0, 0)
            access, problems = _infer(InferenceSetup(root, config, dict(environ), not no_cache), target)
        write_access_files(prepared, outputs, access, verbose=verbose > 0)
    write_problems(problems)
    print_access(format_name, access, verbose=verbose > 0)


def _infer(setup: InferenceSetup, target: str | Command) -> tuple[AccessSet, tuple[Problem, ...]]:
    wanted = find_task(Tree(setup.root, setup.config.scan.exclude), target) if isinstance(target, str) else target
    try:
        found, problems = infer_one(setup, wanted)
    except EffectTableError as error:
        raise InputError(*map(str, error.problems)) from error
    if found is None:
        place = f" ({wanted.span})" if isinstance(wanted, Task) else ""
        raise InputError(
            f"task {target}{place} has no code to follow: it has no command and no source, and there is no Python file "
            "among its files"
        )
    return found, problems


def find_task(tree: Tree, task_id: str) -> Task:
    """The task of that id.

    Raises:
        InputError: there is none; the message suggests the nearest, and says what was wrong with manifests.
    """
    loaded = load_tasks(tree)
    for task in loaded.tasks:
        if task.id == task_id:
            return task
    ids = [task.id for task in loaded.tasks]
    near = difflib.get_close_matches(task_id, ids, n=1, cutoff=0.5)
    if near:
        hint = f"did you mean {near[0]!r}?"
    elif any(character.isspace() for character in task_id):
        hint = f"a command line stands behind `--`: taskgates infer -- {task_id}"
    elif ids:
        hint = f"there are {len(ids)} tasks, {ids[0]!r} to {ids[-1]!r}"
    else:
        hint = f"there are no tasks under {tree.root}"
    broken = (f"{problem.span}: {problem.message}" for problem in loaded.problems)
    raise InputError(f"no task has the id {task_id!r}; {hint}", *broken)
