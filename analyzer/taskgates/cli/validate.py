"""`taskgates validate`: may these tasks run in parallel?"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Unpack

import click
import msgspec

from taskgates.cli.errors import ExitCode
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
from taskgates.gates.host import measure_host
from taskgates.interface import ParallelExecutionGates
from taskgates.reporting.groups.document import as_markdown, as_terminal_text
from taskgates.reporting.groups.group_report import group_document
from taskgates.reporting.report import RenderOptions, plural

if TYPE_CHECKING:
    from pathlib import Path

_FORMATS = ("rich", "json", "markdown")


@click.command("validate", epilog="Example: taskgates validate '110_*'")
@click.argument("task_ids", nargs=-1, required=True, metavar="TASK_ID...")
@format_option(_FORMATS)
@output_option(_FORMATS)
@durations_option()
@click.option(
    "--refuse-overload",
    is_flag=True,
    default=None,
    help="Refuse where the host's load is above the limits, instead of only saying so.",
)
@click.option("--no-host", is_flag=True, help="Leave the present load of the machine out, for answers that stay.")
@repository_options()
def command(
    *,
    task_ids: tuple[str, ...],
    format_name: str,
    outputs: tuple[Destination, ...],
    durations_file: Path | None,
    refuse_overload: bool | None,
    no_host: bool,
    **options: Unpack[RepositoryOptions],
) -> int:
    """Say whether tasks may run in parallel, and what to do where they may not.

    Ids may be globs ('110_*'). All gates answer: file conflicts, dependencies, locks, capacity of the machine, context
    budget, shared mutable state. The exit code is 0 when they may, 1 when they must not, 2 when an id is unknown.
    """
    quiet, verbose = options["quiet"], options["verbose"] > 0
    with open_outputs(outputs) as prepared:
        with open_repository({"gates.refuse_overload": refuse_overload}, **options) as (repository, progress):
            ids = repository.select(task_ids, include_finished=repository.config.scan.include_finished)
            durations = read_durations(durations_file, repository)
            gates = ParallelExecutionGates(repository, measure=None if no_host else measure_host, durations=durations)
            assessment = gates.assess(ids)
            progress("Writing the report", 0, 0)
            report = gates.report(assessment)
        rendering = RenderOptions(verbose=verbose)
        prepared.write({each: _render(each.format, report, rendering) for each in outputs})
    terminal = terminal_of(sys.stdout)
    shown = msgspec.structs.replace(
        rendering,
        width=terminal.width,
        colour=terminal.colour and format_name == "rich",
        unicode=terminal.unicode,
    )
    write_out(_render(format_name, report, shown))
    if format_name == "json" and not quiet:
        write_err(f"{plural(len(ids), 'task')} {'may' if assessment.can_parallel else 'must not'} run in parallel\n")
    code = ExitCode.OK if assessment.can_parallel else ExitCode.FINDINGS
    return exit_code(repository, code, verbose=verbose)


def _render(format_name: str, report: dict[str, Any], options: RenderOptions) -> str:
    if format_name == "json":
        return json.dumps(report, indent=2) + "\n"
    document = group_document(report, verbose=options.verbose)
    return as_markdown(document) if format_name == "markdown" else as_terminal_text(document, options)
