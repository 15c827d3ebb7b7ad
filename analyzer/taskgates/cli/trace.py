"""`taskgates trace`: run a command and show which files it really reads and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taskgates.cli.access_report import ACCESS_FORMATS, print_access, write_access_files
from taskgates.cli.after_dashes import CommandAfterDashes, task_or_command
from taskgates.cli.errors import ExitCode, InputError
from taskgates.cli.infer import find_task
from taskgates.cli.options import SuggestingChoice, format_option, output_option, root_option, verbosity_options
from taskgates.cli.outputs import Destination, open_outputs
from taskgates.cli.settings import choose_root, read_settings
from taskgates.cli.streams import write_err
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Task
from taskgates.runtime.commands import command_line
from taskgates.runtime.errors import TaskRuntimeError
from taskgates.runtime.tracing import Tracer, trace_command
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    "trace",
    cls=CommandAfterDashes,
    options_metavar="[OPTIONS]",
    epilog="Example: taskgates trace -- python train.py a b",
)
@click.argument("task_ids", nargs=-1, metavar="{TASK_ID | -- COMMAND [ARG]...}")
@root_option()
@click.option(
    "--tracer",
    type=SuggestingChoice([each.value for each in Tracer]),
    help="How to watch; by default strace where it works.",
)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds that the command may take.")
@click.option("--exec", "template", metavar="TEMPLATE", help="Run this for the task, such as 'make task-{id}'.")
@format_option(ACCESS_FORMATS)
@output_option(ACCESS_FORMATS)
@verbosity_options()
@click.pass_context
def command(
    ctx: click.Context,
    *,
    task_ids: tuple[str, ...],
    root_option: Path | None,
    tracer: str | None,
    timeout: float | None,
    template: str | None,
    format_name: str,
    outputs: tuple[Destination, ...],
    quiet: bool,
    verbose: int,
) -> None:
    """Run a task, or a command line behind `--`, and show which files it really read and wrote.

    The command is executed in the repository, with all its effects. The output has the shape of `taskgates infer`.
    """
    target = task_or_command(ctx, task_ids)
    root = choose_root(None, root_option)
    try:
        if isinstance(target, str):
            task = find_task(Tree(root, read_settings(root, {}, None).scan.exclude), target)
        else:
            task = Task(id="trace", format="command", span=SourceSpan("<command line>"), command=target)
        with open_outputs(outputs) as prepared:
            kind = None if tracer is None else Tracer(tracer)
            traced = trace_command(command_line(task, root, template), root, tracer=kind, timeout=timeout)
            write_access_files(prepared, outputs, traced.access, verbose=verbose > 0)
    except TaskRuntimeError as error:
        raise InputError(str(error)) from error
    if not traced.outcome.succeeded:
        write_err(f"the command did not succeed: {traced.outcome}\n")
    elif not quiet and traced.tracer is Tracer.AUDIT:
        write_err("watched by Python's audit hook: accesses of other programs were not seen\n")
    print_access(format_name, traced.access, verbose=verbose > 0)
    ctx.exit(ExitCode.OK if traced.outcome.succeeded else ExitCode.FINDINGS)
