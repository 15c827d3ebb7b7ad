"""`taskgates graph`: conflicts, schedule, dependencies and calls as pictures, and as text that others draw."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import click

from taskgates.cli.after_dashes import CommandAfterDashes, command_of, words_behind_dashes
from taskgates.cli.errors import ExitCode, InputError
from taskgates.cli.options import SuggestingChoice, output_option
from taskgates.cli.outputs import Destination, open_outputs
from taskgates.cli.repository import (
    RepositoryOptions,
    durations_option,
    exit_code,
    open_repository,
    read_durations,
    repository_options,
)
from taskgates.cli.streams import write_err, write_out
from taskgates.gates.batching import BatchingError
from taskgates.gates.conflicts import find_conflicts
from taskgates.interface import ParallelExecutionGates
from taskgates.reporting.graphs import text
from taskgates.reporting.graphs.calls import call_graph
from taskgates.reporting.graphs.page import picture_page
from taskgates.reporting.graphs.svg import chart_svg, graph_svg
from taskgates.reporting.graphs.tasks import (
    batch_chart,
    conflict_graph,
    conflict_picture,
    conflicts_as_data,
    dependencies_as_data,
    dependency_graph,
    schedule_chart,
)
from taskgates.reporting.groups.batch_report import batches_as_data
from taskgates.scan.analysis import make_analyser, open_cache

if TYPE_CHECKING:
    from taskgates.cli.progress import ProgressListener
    from taskgates.inference.call_graph import CallGraph
    from taskgates.inference.engine import Analyser
    from taskgates.reporting.graphs.graph import Graph
    from taskgates.scan.repository import Repository

_KINDS = ("conflicts", "schedule", "dependencies", "calls")
UNFOLLOWED = 5
"""How many functions are named that were not followed to their end."""
_FORMATS = ("svg", "mermaid", "dot", "html", "json")

_Drawings = dict[str, Callable[[], str]]
"""How each format is written."""


@click.command(
    "graph",
    cls=CommandAfterDashes,
    options_metavar="[OPTIONS]",
    epilog="Example: taskgates graph conflicts --output html:conflicts.html '110_*'",
)
@click.argument("kind", type=SuggestingChoice(_KINDS), metavar="{conflicts|schedule|dependencies|calls}")
@click.argument("task_ids", nargs=-1, metavar="[TASK_ID]... [-- COMMAND [ARG]...]")
@click.option(
    "-f",
    "--format",
    "format_name",
    type=SuggestingChoice(_FORMATS),
    default="svg",
    show_default=True,
    help="What to print to standard output.",
)
@click.option(
    "--entry",
    "entries",
    multiple=True,
    metavar="PATH[:NAME]",
    help="For calls, in place of a command: a file or a folder whose functions are all taken to be called, or one "
    "function or class of a file.",
)
@output_option(_FORMATS)
@durations_option()
@repository_options()
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    kind: str,
    task_ids: tuple[str, ...],
    format_name: str,
    entries: tuple[str, ...],
    outputs: tuple[Destination, ...],
    durations_file: Path | None,
    **options: Unpack[RepositoryOptions],
) -> int:
    """Draw which tasks conflict, when they run, what they depend on, or what a command calls.

    Without ids all tasks are drawn that may still run. `calls` takes a command line behind `--`, or with --entry the
    code of a library; nothing is executed. With --output nothing is printed unless --format is given too.
    """
    words = words_behind_dashes(ctx)
    if entries and (kind != "calls" or words is not None):
        raise click.UsageError("--entry belongs to calls, and stands in place of a command line.")
    if kind == "calls" and (not (words or entries) or task_ids):
        raise click.UsageError(
            "calls takes a command line behind `--`, and no task id: taskgates graph calls -- python main.py"
            "; for a library, --entry takes its files and folders: taskgates graph calls --entry src/package"
        )
    if kind != "calls" and words is not None:
        raise click.UsageError(f"{kind} takes task ids; only calls takes a command line behind `--`.")
    if durations_file is not None and kind != "schedule":
        raise click.UsageError("--durations belongs to schedule.")
    prints = not outputs or ctx.get_parameter_source("format_name") is not click.core.ParameterSource.DEFAULT
    with open_outputs(outputs) as prepared:
        with open_repository(**options) as (repository, progress):
            if words or entries:
                drawings = _calls(
                    repository,
                    progress,
                    words or (),
                    entries,
                    dict(options["environ"]),
                    cached=not options["no_cache"],
                    quiet=options["quiet"],
                )
            else:
                drawings = _tasks(repository, progress, kind, task_ids, durations_file)
            progress("Drawing", 0, 0)
            formats = {each.format for each in outputs} | ({format_name} if prints else set())
            drawn = {name: drawings[name]() for name in sorted(formats)}
        prepared.write({each: drawn[each.format] for each in outputs})
    if prints:
        write_out(drawn[format_name])
        if format_name == "html" and sys.stdout.isatty() and not options["quiet"]:
            write_err("A page is read best from a file: --output html:graph.html\n")
    return exit_code(repository, ExitCode.OK, verbose=options["verbose"] > 0)


def _tasks(
    repository: Repository,
    progress: ProgressListener,
    kind: str,
    patterns: tuple[str, ...],
    durations_file: Path | None,
) -> _Drawings:
    ids = repository.select(patterns or None, include_finished=repository.config.scan.include_finished)
    tasks = [repository.relations.task(task_id) for task_id in ids]
    if kind == "dependencies":
        graph = dependency_graph(tasks, repository.relations)
        return _graph(graph, graph, lambda: dependencies_as_data(tasks, repository.relations))
    if kind == "conflicts":
        conflicts = find_conflicts(repository.footprints(ids), repository.relations)
        return _graph(
            conflict_graph(tasks, conflicts),
            conflict_picture(tasks, conflicts),
            lambda: conflicts_as_data(tasks, conflicts),
        )
    return _schedule(repository, progress, ids, durations_file)


def _graph(graph: Graph, picture: Graph, data: Callable[[], dict[str, Any]]) -> _Drawings:
    return {
        "svg": lambda: graph_svg(picture),
        "html": lambda: picture_page(picture.title, graph_svg(picture)),
        "mermaid": lambda: text.graph_mermaid(graph),
        "dot": lambda: text.graph_dot(graph),
        "json": lambda: text.as_json(data()),
    }


def _schedule(
    repository: Repository, progress: ProgressListener, ids: list[str], durations_file: Path | None
) -> _Drawings:
    durations = read_durations(durations_file, repository)
    gates = ParallelExecutionGates(repository, durations=durations)
    tasks = {task_id: repository.relations.task(task_id) for task_id in ids}
    try:
        repository.measured(ids)
        progress("Dividing the tasks", 0, 0)
        plan = gates.plan_batches(ids)
        schedule = gates.plan_schedule(ids) if durations_file is not None or gates.times_are_known(ids) else None
    except BatchingError as error:
        raise InputError(str(error)) from error
    if schedule is None:
        chart, columns = batch_chart(tasks, plan), [list(batch) for batch in plan.batches]
    else:
        chart = schedule_chart(tasks, schedule)
        starts: dict[float, list[str]] = {}
        for each in schedule.tasks:
            starts.setdefault(each.start, []).append(each.task_id)
        columns = list(starts.values())
    return {
        "svg": lambda: chart_svg(chart),
        "html": lambda: picture_page(chart.title, chart_svg(chart)),
        "mermaid": lambda: text.chart_mermaid(chart),
        "dot": lambda: text.chart_dot(chart, columns),
        "json": lambda: text.as_json(
            {"kind": "schedule", **batches_as_data(plan, gates.difficulty, schedule, gates.timed(ids))}
        ),
    }


def _calls(
    repository: Repository,
    progress: ProgressListener,
    words: tuple[str, ...],
    entries: tuple[str, ...],
    environ: dict[str, str],
    *,
    cached: bool,
    quiet: bool,
) -> _Drawings:
    wanted = str(command_of(words)) if words else ", ".join(entries)
    progress("Following the code", 0, 0)
    with open_cache(repository.root, enabled=cached) as cache:
        analyser = make_analyser(repository.tree, repository.config, environ, cache)
        calls = analyser.calls(command_of(words)) if words else _library_calls(analyser, repository, entries)
    for problem in analyser.problems:
        write_err(f"{problem.span.file}:{problem.span.line}: {problem.message}\n")
    if calls.unfollowed and not quiet:
        named = ", ".join(calls.unfollowed[:UNFOLLOWED])
        more = len(calls.unfollowed) - UNFOLLOWED
        write_err(
            f"Not followed to the end, so that calls may be missing: {named}{f' and {more} more' if more > 0 else ''}\n"
        )
    graph = call_graph(calls.callees, wanted)
    return _graph(graph, graph, lambda: dict(calls.callees))


def _library_calls(analyser: Analyser, repository: Repository, entries: tuple[str, ...]) -> CallGraph:
    """The call graph of the functions of files and folders."""
    from taskgates.inference.open_calls import EntryNotFoundError

    places = []
    for entry in entries:
        path, colon, name = entry.partition(":")
        try:
            place = Path(path).resolve().relative_to(repository.root.resolve())
        except ValueError:
            raise InputError(f"--entry {entry}: {path} is not below the root {repository.root}") from None
        places.append(f"{place.as_posix()}{colon}{name}")
    try:
        return analyser.library_calls(places)
    except EntryNotFoundError as error:
        raise InputError(f"--entry {error}") from error
