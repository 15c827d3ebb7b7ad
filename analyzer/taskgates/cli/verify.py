"""`taskgates verify`: declared, inferred and observed accesses of tasks, in three columns."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from taskgates.cli.errors import ExitCode, InputError
from taskgates.cli.options import SuggestingChoice, analysis_options, root_option, verbosity_options
from taskgates.cli.progress import progress_on_stderr
from taskgates.cli.settings import choose_root, read_settings
from taskgates.cli.streams import terminal_of, write_out
from taskgates.inference.effects.errors import EffectTableError
from taskgates.runtime.checkpoints import CheckpointStore
from taskgates.runtime.commands import command_line
from taskgates.runtime.errors import TaskRuntimeError
from taskgates.runtime.locks import LockManager
from taskgates.runtime.task_manager import TaskManager
from taskgates.runtime.tracing import Tracer, trace_command
from taskgates.runtime.verification import Comparison, Verification, compare_accounts
from taskgates.scan.inference_run import InferenceSetup, infer_all

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.model.access import AccessSet
    from taskgates.model.task import Task


@click.command("verify")
@click.argument("task_ids", nargs=-1, metavar="[TASK_ID]...")
@root_option()
@click.option("--tracer", type=SuggestingChoice(tuple(Tracer)), help="How to watch; by default strace where it works.")
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
    root_option: Path | None,
    tracer: str | None,
    timeout: float | None,
    template: str | None,
    keep: bool,
    format_name: str,
    config_file: Path | None,
    environ: tuple[tuple[str, str], ...],
    python: str | None,
    follow: tuple[str, ...],
    no_cache: bool,
    quiet: bool,
    verbose: int,
) -> None:
    """Run tasks under a tracer and compare what they declare, what was inferred, and what was observed.

    Without ids, every unfinished task that has a command is run, one after another. Each sees the repository as it is
    now: it is recorded before and put back afterwards. The exit code is 1 where the accounts differ.
    """
    root = choose_root(None, root_option)
    config = read_settings(root, {"follow": follow or None, "python": python}, config_file)
    try:
        tasks = TaskManager(root, exclude=config.scan.exclude)
        wanted = (
            tasks.select(task_ids)
            if task_ids
            else tuple(
                task
                for task in tasks.list()
                if task.status.may_run and (task.command is not None or template is not None)
            )
        )
        if not wanted:
            raise InputError("no unfinished task has a command; say with --exec what runs them")
        with progress_on_stderr(quiet=quiet) as progress:
            inferred = infer_all(InferenceSetup(root, config, dict(environ), not no_cache), wanted, progress)
            verifications = []
            for done, task in enumerate(wanted):
                progress("Running and watching", done, len(wanted))
                verifications.append(
                    verify_task(
                        task,
                        root,
                        inferred.access_sets.get(task.id),
                        tracer=None if tracer is None else Tracer(tracer),
                        template=template,
                        timeout=timeout,
                        keep=keep,
                        env=dict(environ),
                    )
                )
    except (TaskRuntimeError, EffectTableError) as error:
        raise InputError(str(error)) from error
    if format_name == "json":
        data = [{**msgspec.to_builtins(each), "agrees": each.agrees} for each in verifications]
        write_out(json.dumps(data, indent=2) + "\n")
    else:
        _print_tables(verifications, everything=verbose > 0)
    ctx.exit(ExitCode.OK if all(each.agrees for each in verifications) else ExitCode.FINDINGS)


def verify_task(
    task: Task,
    root: Path,
    inferred: AccessSet | None,
    *,
    tracer: Tracer | None,
    template: str | None,
    timeout: float | None,
    keep: bool,
    env: dict[str, str],
) -> Verification:
    """Run one task under a tracer, with the whole repository locked, and compare the accounts.

    Raises:
        TaskRuntimeError: it has no command, cannot be traced, or the repository cannot be put back.
    """
    line = command_line(task, root, template)
    with LockManager(root).acquire(f"verify {task.id}", exclusive=["."]):
        store = CheckpointStore(root)
        checkpoint = None if keep else store.create(["."], label=f"verify {task.id}")
        try:
            traced = trace_command(line, root, tracer=tracer, timeout=timeout, env=env)
        finally:
            if checkpoint is not None:
                store.restore(checkpoint)
                store.discard(checkpoint.id)
                store.collect()
    return Verification(task.id, line.shown, traced.outcome, compare_accounts(task, inferred, traced.access))


def _print_tables(verifications: list[Verification], *, everything: bool) -> None:
    terminal = terminal_of(sys.stdout)
    console = Console(
        width=terminal.width, no_color=not terminal.colour, force_terminal=terminal.colour, highlight=False
    )
    marks = ("yes", "no", "-")
    with console.capture() as capture:
        for each in verifications:
            console.print(Text(f"{each.task}: {each.command}", style="bold"), soft_wrap=True)
            if not each.outcome.succeeded:
                console.print(Text(f"did not succeed: {each.outcome}", style="red"), soft_wrap=True)
            table = Table(box=None, padding=(0, 1), header_style="bold")
            for heading in ("", "path", "declared", "inferred", "observed", ""):
                table.add_column(heading, overflow="fold")
            for row in each.rows:
                if everything or row.differs or row.observed:
                    table.add_row(*_cells(row, marks))
            console.print(table)
            differing = sum(row.differs for row in each.rows)
            console.print(f"{differing} of {len(each.rows)} differ" if differing else "all accounts agree")
    write_out(capture.get())


def _cells(row: Comparison, marks: tuple[str, str, str]) -> tuple[Text, ...]:
    def mark(value: bool | None) -> Text:
        return Text(marks[2] if value is None else marks[0] if value else marks[1])

    style = "red" if row.differs else ""
    return (
        Text(row.direction.value),
        Text(row.path, style=style),
        mark(row.declared),
        mark(row.inferred),
        mark(row.observed),
        Text(row.remark, style=style),
    )
