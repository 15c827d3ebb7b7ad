"""`taskgates verify`: declared, inferred and observed accesses of tasks, in three columns."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Unpack

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from taskgates.cli.errors import ExitCode, InputError
from taskgates.cli.options import SuggestingChoice, analysis_options, root_option, verbosity_options
from taskgates.cli.progress import progress_on_stderr
from taskgates.cli.streams import terminal_of, write_err, write_out
from taskgates.cli.task_setup import SetupOptions, task_setup
from taskgates.reporting.printable import printable
from taskgates.runtime.tracing import Tracer
from taskgates.runtime.verifying import Verifier, VerifyOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.model.task import Task
    from taskgates.runtime.verification import Comparison, Verification


@click.command("verify")
@click.argument("task_ids", nargs=-1, metavar="[TASK_ID]...")
@root_option()
@click.option(
    "--tracer",
    type=SuggestingChoice([each.value for each in Tracer]),
    help="How to watch; by default strace where it works.",
)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds that one task may take.")
@click.option("--exec", "template", metavar="TEMPLATE", help="Run this for every task, such as 'make task-{id}'.")
@click.option("--keep", is_flag=True, help="Leave what the commands did; by default the repository is put back.")
@click.option("-f", "--format", "format_name", type=SuggestingChoice(("rich", "json")), default="rich")
@analysis_options()
@verbosity_options()
@click.pass_context
def command(
    ctx: click.Context,
    *,
    task_ids: tuple[str, ...],
    tracer: str | None,
    timeout: float | None,
    template: str | None,
    keep: bool,
    format_name: str,
    **common: Unpack[SetupOptions],
) -> None:
    """Run tasks under a tracer and compare what they declare, what was inferred, and what was observed.

    Without ids, every unfinished task that has a command is run, one after another. Each sees the repository as it is
    now: it is recorded before and put back afterwards, also after a kill (taskgates run --rollback). The exit code is 1
    where the accounts differ.
    """
    with task_setup(**common) as setup:
        wanted = setup.tasks.select(task_ids) if task_ids else _that_can_run(setup.tasks.list(), template)
        if not wanted:
            raise InputError("no unfinished task has a command; say with --exec what runs them")
        access_of = setup.inferred(wanted)
        options = VerifyOptions(None if tracer is None else Tracer(tracer), template, timeout, keep, setup.environ)
        verifier = Verifier(setup.tasks, options, access_of)
        with progress_on_stderr(quiet=common["quiet"]) as progress:
            verifications = verifier.verify(wanted, progress)
    if format_name == "json":
        data = [{**msgspec.to_builtins(each), "agrees": each.agrees} for each in verifications]
        write_out(json.dumps(data, indent=2) + "\n")
    else:
        _print_tables(verifications, everything=common["verbose"] > 0)
    if verifier.stop_reason:
        write_err(f"stopped ({verifier.stop_reason}); everything that can be put back is as it was before\n")
        ctx.exit(ExitCode.INTERRUPTED)
    ctx.exit(ExitCode.OK if all(each.agrees for each in verifications) else ExitCode.FINDINGS)


def _that_can_run(tasks: Iterable[Task], template: str | None) -> tuple[Task, ...]:
    return tuple(task for task in tasks if task.status.may_run and (task.command is not None or template is not None))


def _print_tables(verifications: list[Verification], *, everything: bool) -> None:
    terminal = terminal_of(sys.stdout)
    console = Console(
        width=terminal.width, no_color=not terminal.colour, force_terminal=terminal.colour, highlight=False
    )
    marks = ("yes", "no", "-")
    with console.capture() as capture:
        for each in verifications:
            console.print(Text(printable(f"{each.task}: {each.command}"), style="bold"), soft_wrap=True)
            if not each.outcome.succeeded:
                console.print(Text(printable(f"did not succeed: {each.outcome}"), style="red"), soft_wrap=True)
                console.print(Text(f"output: {each.log}"), soft_wrap=True)
            table = Table(box=None, padding=(0, 1), header_style="bold")
            for heading in ("", "path", "declared", "inferred", "observed", ""):
                table.add_column(heading, overflow="fold")
            for row in each.rows:
                if everything or row.differs or row.observed:
                    table.add_row(*_cells(row, marks))
            console.print(table)
            for path in each.left_changed:
                console.print(Text(printable(f"not put back: {path}"), style="yellow"), soft_wrap=True)
            differing = sum(row.differs for row in each.rows)
            console.print(f"{differing} of {len(each.rows)} differ" if differing else "all accounts agree")
    write_out(capture.get())


def _cells(row: Comparison, marks: tuple[str, str, str]) -> tuple[Text, ...]:
    def mark(value: bool | None) -> Text:
        return Text(marks[2] if value is None else marks[0] if value else marks[1])

    style = "red" if row.differs else ""
    return (
        Text(row.direction.value),
        Text(printable(row.path), style=style),
        mark(row.declared),
        mark(row.inferred),
        mark(row.observed),
        Text(row.remark, style=style),
    )
