"""`taskgates trace`: run a command and show which files it really reads and writes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import msgspec

from taskgates.cli.after_dashes import CommandAfterDashes, words_behind_dashes
from taskgates.cli.errors import ExitCode, InputError
from taskgates.cli.infer import command_of, find_task
from taskgates.cli.options import SuggestingChoice, format_option, output_option, root_option, verbosity_options
from taskgates.cli.outputs import Destination, open_outputs
from taskgates.cli.settings import choose_root
from taskgates.cli.streams import terminal_of, write_err, write_out
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Task
from taskgates.reporting.formats import FORMATS, render_access_set
from taskgates.reporting.report import RenderOptions
from taskgates.runtime.commands import command_line
from taskgates.runtime.errors import TaskRuntimeError
from taskgates.runtime.tracing import Tracer, trace_command
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

_FORMATS = tuple(name for name, each in FORMATS.items() if each.single)


@click.command(
    "trace",
    cls=CommandAfterDashes,
    options_metavar="[OPTIONS]",
    epilog="Example: taskgates trace -- python train.py a b",
)
@click.argument("task_ids", nargs=-1, metavar="{TASK_ID | -- COMMAND [ARG]...}")
@root_option()
@click.option("--tracer", type=SuggestingChoice(tuple(Tracer)), help="How to watch; by default strace where it works.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds that the command may take.")
@click.option("--exec", "template", metavar="TEMPLATE", help="Run this for the task, such as 'make task-{id}'.")
@format_option(_FORMATS)
@output_option(_FORMATS)
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
    words = words_behind_dashes(ctx)
    if (words is None) == (not task_ids) or len(task_ids) > 1 or words == ():
        raise click.UsageError("Give one task id, or a command line behind `--`: taskgates trace -- python train.py")
    root = choose_root(None, root_option)
    try:
        if words is None:
            task = find_task(Tree(root), task_ids[0])
        else:
            task = Task(id="trace", format="command", span=SourceSpan("<command line>"), command=command_of(words))
        with open_outputs(outputs) as prepared:
            kind = None if tracer is None else Tracer(tracer)
            traced = trace_command(command_line(task, root, template), root, tracer=kind, timeout=timeout)
            options = RenderOptions(verbose=verbose > 0)
            prepared.write({each: render_access_set(each.format, traced.access, options) for each in outputs})
    except TaskRuntimeError as error:
        raise InputError(str(error)) from error
    if not traced.outcome.succeeded:
        write_err(f"the command did not succeed: {traced.outcome}\n")
    elif not quiet and traced.tracer is Tracer.AUDIT:
        write_err("watched by Python's audit hook: accesses of other programs were not seen\n")
    terminal = terminal_of(sys.stdout)
    shown = msgspec.structs.replace(
        options,
        width=terminal.width,
        colour=terminal.colour and not FORMATS[format_name].for_machines,
        unicode=terminal.unicode,
    )
    write_out(render_access_set(format_name, traced.access, shown))
    ctx.exit(ExitCode.OK if traced.outcome.succeeded else ExitCode.FINDINGS)
