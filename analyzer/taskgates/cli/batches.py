"""`taskgates batches`: the fewest ordered batches of tasks that may run in parallel."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Unpack

import click
import msgspec

from taskgates.cli.errors import ExitCode, InputError
from taskgates.cli.options import format_option, output_option
from taskgates.cli.outputs import Destination, open_outputs
from taskgates.cli.repository import (
    RepositoryOptions,
    durations_option,
    exit_code,
    open_repository,
    read_durations,
    repository_options,
)
from taskgates.cli.streams import terminal_of, write_err, write_out
from taskgates.gates.batching import BatchingError, Solver
from taskgates.interface import ParallelExecutionGates
from taskgates.reporting.groups.batch_report import batches_as_data, batches_document
from taskgates.reporting.groups.document import as_markdown, as_terminal_text
from taskgates.reporting.report import RenderOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FORMATS = ("rich", "json", "markdown")


@click.command("batches", epilog="Example: taskgates batches --durations seconds.json '110_*'")
@click.argument("task_ids", nargs=-1, metavar="[TASK_ID]...")
@format_option(_FORMATS)
@output_option(_FORMATS)
@durations_option()
@click.option(
    "--optimal", is_flag=True, help="Ask the solver of the extra taskgates[optimal] for a proof or fewer batches."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0.1, max=86_400),
    metavar="SECONDS",
    help="How long that solver may search.  [default: 10]",
)
@repository_options()
def command(
    *,
    task_ids: tuple[str, ...],
    format_name: str,
    outputs: tuple[Destination, ...],
    durations_file: Path | None,
    optimal: bool,
    time_limit: float | None,
    **options: Unpack[RepositoryOptions],
) -> int:
    """Divide tasks into as few ordered batches as can be found; without ids, all that may still run.

    No two tasks of a batch conflict, each batch fits the capacity and the context budget, and what a task depends on is
    in an earlier batch. With --durations, or once at least half of the tasks were run, the schedule that ends first is
    shown as well; a task without a duration is taken for as long as the mean of the others.
    """
    quiet, verbose = options["quiet"], options["verbose"] > 0
    solver = Solver.OPTIMAL if optimal else Solver.AUTO
    with open_outputs(outputs) as prepared:
        with open_repository(**options) as (repository, progress):
            ids = repository.select(task_ids or None, include_finished=repository.config.scan.include_finished)
            durations = read_durations(durations_file, repository)
            gates = ParallelExecutionGates(repository, durations=durations)
            try:
                repository.measured(ids)
                progress("Dividing the tasks", 0, 0)
                plan = gates.plan_batches(ids, solver=solver, time_limit=time_limit)
                if durations_file is not None or gates.times_are_known(ids):
                    progress("Scheduling the tasks", 0, 0)
                    schedule = gates.plan_schedule(ids, solver=solver, time_limit=time_limit)
                else:
                    schedule = None
            except BatchingError as error:
                raise InputError(str(error)) from error
        data = batches_as_data(plan, gates.difficulty, schedule, gates.timed(ids))

        def title(task_id: str) -> str:
            return repository.relations.task(task_id).title

        rendering = RenderOptions(verbose=verbose)
        prepared.write({each: _render(each.format, data, title, rendering) for each in outputs})
    terminal = terminal_of(sys.stdout)
    shown = msgspec.structs.replace(
        rendering,
        width=terminal.width,
        colour=terminal.colour and format_name == "rich",
        unicode=terminal.unicode,
    )
    write_out(_render(format_name, data, title, shown))
    if not ids and not quiet:
        write_err(
            "No task may still run; --include-finished looks at finished, absorbed and broken-down tasks too.\n"
            if repository.tasks
            else f"No tasks were found under {repository.tree.root}.\n"
        )
    return exit_code(repository, ExitCode.OK, verbose=verbose)


def _render(format_name: str, data: dict[str, Any], title: Callable[[str], str], options: RenderOptions) -> str:
    if format_name == "json":
        return json.dumps(data, indent=2) + "\n"
    document = batches_document(data, title)
    return as_markdown(document) if format_name == "markdown" else as_terminal_text(document, options)
