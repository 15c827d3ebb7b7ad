"""`taskgates run`: execute tasks, locked, checkpointed, and rolled back on failure."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from typing import TYPE_CHECKING, Unpack

import click
import msgspec
from rich.console import Console

from taskgates.cli.errors import ExitCode
from taskgates.cli.options import SuggestingChoice, analysis_options, root_option, verbosity_options
from taskgates.cli.streams import terminal_of, write_out
from taskgates.cli.task_setup import SetupOptions, task_setup
from taskgates.reporting.printable import printable
from taskgates.runtime.events import RunBoard, TaskState
from taskgates.runtime.executor import SafeParallelExecutor
from taskgates.runtime.gating import RunGates
from taskgates.runtime.monitor import parallel_execution_monitor
from taskgates.runtime.result_checks import missing_outputs
from taskgates.runtime.run_model import RunOptions, RunResult, Schedule
from taskgates.runtime.worker_pool import dask_pool

if TYPE_CHECKING:
    from taskgates.runtime.worker_pool import WorkerPool

_SYMBOLS = {TaskState.FINISHED: "done", TaskState.FAILED: "FAILED"}


def _wave_sizes(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    del ctx, param
    if value is None:
        return None
    if not re.fullmatch(r"[1-9]\d{0,3}(,[1-9]\d{0,3})*", value):
        raise click.BadParameter(f"{value!r} is not a list of sizes such as 2,3,5")
    return tuple(int(part) for part in value.split(","))


@click.command("run")
@click.argument("task_ids", nargs=-1, metavar="TASK_ID...")
@root_option()
@click.option("--exec", "template", metavar="TEMPLATE", help="Run this for every task, such as 'make task-{id}'.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds that one task may take.")
@click.option("--batches", is_flag=True, help="Run batch after batch instead of each task as soon as it may start.")
@click.option("--progressive", callback=_wave_sizes, metavar="SIZES", help="Run waves of growing size, such as 2,3,5.")
@click.option("--strict", is_flag=True, help="A write that nobody announced fails the task and is undone.")
@click.option("--keep-going", is_flag=True, help="Roll back only what failed, and go on with what does not need it.")
@click.option("--no-status", is_flag=True, help="Do not mark finished tasks in their manifests.")
@click.option("--no-infer", is_flag=True, help="Rely on the declarations alone.")
@click.option("--resume", is_flag=True, help="Continue the run that was interrupted.")
@click.option("--rollback", is_flag=True, help="Undo the run that was interrupted.")
@click.option("--retries", type=click.IntRange(0, 100), default=2, show_default=True, help="After a lost worker.")
@click.option(
    "--executor",
    type=SuggestingChoice(("process", "dask")),
    default="process",
    show_default=True,
    help="Where commands run.",
)
@click.option("--scheduler", metavar="ADDRESS", help="The dask scheduler; a cluster on this machine without it.")
@click.option("--max-parallel-tasks", type=int, metavar="N", help="Tasks at the same time.")
@click.option("--lock-timeout", type=float, metavar="SECONDS", help="How long to wait for a file lock.")
@click.option("--checkpoint-frequency", type=int, metavar="N", help="Tasks that share a checkpoint; 0 for none.")
@click.option("--conflict-resolution", metavar="HOW", help="sequential or refuse.")
@click.option("-f", "--format", "format_name", type=SuggestingChoice(("rich", "json")), default="rich")
@analysis_options()
@verbosity_options()
@click.pass_context
def command(
    ctx: click.Context,
    *,
    task_ids: tuple[str, ...],
    template: str | None,
    timeout: float | None,
    batches: bool,
    progressive: tuple[int, ...] | None,
    strict: bool,
    keep_going: bool,
    no_status: bool,
    no_infer: bool,
    resume: bool,
    rollback: bool,
    retries: int,
    executor: str,
    scheduler: str | None,
    max_parallel_tasks: int | None,
    lock_timeout: float | None,
    checkpoint_frequency: int | None,
    conflict_resolution: str | None,
    format_name: str,
    **common: Unpack[SetupOptions],
) -> None:
    """Run tasks so that the repository ends up done, or exactly as it was.

    Each task starts as soon as its dependencies, locks, the capacity of the machine and the budget allow. Its files are
    recorded before; when it fails, everything is put back.
    """
    _check_usage(task_ids, resume=resume, rollback=rollback, batches=batches, progressive=progressive)
    if scheduler is not None and executor != "dask":
        raise click.UsageError("--scheduler needs --executor dask.")
    overrides = {
        "gates.max_parallel_tasks": max_parallel_tasks,
        "gates.lock_timeout": lock_timeout,
        "gates.checkpoint_frequency": checkpoint_frequency,
        "gates.conflict_resolution": conflict_resolution,
    }
    schedule = Schedule.BATCHES if batches else Schedule.PROGRESSIVE if progressive else Schedule.EVENTS
    with task_setup(overrides, **common) as setup:
        options = RunOptions(
            max_parallel_tasks=setup.config.gates.max_parallel_tasks,
            max_context_complexity=setup.config.gates.max_context_complexity,
            lock_timeout=setup.config.gates.lock_timeout,
            retry_delays=setup.config.gates.retry_delays,
            conflict_resolution=setup.config.gates.conflict_resolution,
            checkpoint_frequency=setup.config.gates.checkpoint_frequency,
            schedule=schedule,
            waves=progressive or RunOptions().waves,
            template=template,
            timeout=timeout,
            strict=strict,
            keep_going=keep_going,
            mark_status=not no_status,
            retries=retries,
            env=setup.environ,
        )
        tasks = setup.tasks
        access_of = setup.inferred(() if no_infer else tasks.select(task_ids) if task_ids else tasks.list())
        gates = RunGates(tasks.list(), access_of, setup.config)
        board = RunBoard()
        with contextlib.ExitStack() as stack:
            pool: WorkerPool | None = None
            if executor == "dask":
                pool = stack.enter_context(dask_pool(scheduler, options.max_parallel_tasks))
            runner = SafeParallelExecutor(
                setup.root,
                options=options,
                tasks=tasks,
                access_of=access_of,
                gate=gates.refusals,
                batches=gates.batches,
                capacity=gates.capacity,
                validate=missing_outputs(setup.root),
                pool=pool,
                board=board,
            )
            if setup.config.gates.enable_monitoring and not common["quiet"]:
                terminal = terminal_of(sys.stderr)
                console = Console(stderr=True, no_color=not terminal.colour, force_terminal=terminal.interactive)
                stack.enter_context(parallel_execution_monitor(board, setup.root, console=console))
            result = runner.resume() if resume else runner.rollback() if rollback else runner.run(task_ids)
    if format_name == "json":
        write_out(json.dumps({**msgspec.to_builtins(result), "succeeded": result.succeeded}, indent=2) + "\n")
    else:
        write_out(render_result(result))
    ctx.exit(_exit_code(result, undone_on_request=rollback))


def _check_usage(
    task_ids: tuple[str, ...], *, resume: bool, rollback: bool, batches: bool, progressive: tuple[int, ...] | None
) -> None:
    if resume and rollback:
        raise click.UsageError("Give --resume or --rollback, not both.")
    if (resume or rollback) and task_ids:
        raise click.UsageError("--resume and --rollback take no task ids: they act on the interrupted run.")
    if not (resume or rollback or task_ids):
        raise click.UsageError("Give at least one task id, or a pattern such as '110_*'.")
    if batches and progressive:
        raise click.UsageError("Give --batches or --progressive, not both.")


def render_result(result: RunResult) -> str:
    """The result for people: a line for each task, what was written without being announced, and the outcome."""
    lines = []
    for task in result.tasks:
        state = _SYMBOLS.get(task.state, task.state.value)
        tries = f", attempt {task.attempts}" if task.attempts > 1 else ""
        lines.append(
            f"{task.task}: {state} ({task.seconds:.1f} s{tries})" if task.attempts else f"{task.task}: {state}"
        )
        if task.message:
            lines.append(f"    {task.message}")
        if task.state is TaskState.FAILED and task.log:
            lines.append(f"    output: {task.log}")
    for write in result.undeclared:
        undone = ", undone" if write.restored else ""
        lines.append(f"TG701 undeclared write: {write.path} {write.change} by {' or '.join(write.tasks)}{undone}")
    if result.rolled_back:
        lines.append(f"Rolled back: {result.message}.")
    elif result.interrupted:
        lines.append(f"Interrupted: {result.message}. Continue with --resume, or undo with --rollback.")
    elif result.message:
        lines.append(result.message)
    # Names of tasks and files come from the repository.
    return "".join(f"{printable(line)}\n" for line in lines)


def _exit_code(result: RunResult, *, undone_on_request: bool) -> int:
    if result.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.OK if (result.succeeded and not result.rolled_back) or undone_on_request else ExitCode.FINDINGS
