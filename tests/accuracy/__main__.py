"""Records the truth of the fixtures' programs and prints how much of it inference sees."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from accuracy.inference import InferenceError, infer
from accuracy.program import PROGRAMS, Program, ProgramError, load_all
from accuracy.score import Score, score
from accuracy.table import Row, render
from accuracy.tracer import TraceError, available, missing_tool, record


@click.group()
def main() -> None:
    """Truth and accuracy of file-access inference."""


_FOLDER = click.option(
    "--programs",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=PROGRAMS,
    help="Another folder of programs.",
)


@main.command(name="record")
@click.argument("names", nargs=-1)
@_FOLDER
@click.option("--missing", is_flag=True, help="Only programs without a recorded truth.")
def record_command(names: tuple[str, ...], folder: Path, *, missing: bool) -> None:
    """Trace programs again and rewrite their truth.json."""
    if not available():
        raise click.ClickException("strace is needed to record: apt-get install strace")
    failed = False
    for program in _programs(names, folder):
        if missing and program.truth_file.exists():
            continue
        if (absent := missing_tool(program)) is not None and program.truth_file.exists():
            click.echo(f"{program.name}: its record stays as it is, {absent} is not installed")
            continue
        try:
            truth = record(program)
            click.echo(f"{program.name}: {len(truth.reads)} read, {len(truth.writes)} written")
        except TraceError as error:
            failed = True
            click.echo(str(error), err=True)
    sys.exit(1 if failed else 0)


@main.command(name="table")
@click.argument("names", nargs=-1)
@_FOLDER
@click.option("--markdown", is_flag=True, help="A table for the documentation.")
@click.option("-v", "--verbose", is_flag=True, help="List every miss and every false alarm.")
def table_command(names: tuple[str, ...], folder: Path, *, markdown: bool, verbose: bool) -> None:
    """Run inference on the programs and print recall and precision."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(_row, _programs(names, folder)))
    click.echo(render(rows, markdown=markdown, verbose=verbose))


def _programs(names: tuple[str, ...], folder: Path) -> list[Program]:
    try:
        return load_all(names, folder)
    except ProgramError as error:
        raise click.ClickException(str(error)) from error


def _row(program: Program) -> Row:
    try:
        truth = program.truth()
    except ProgramError as error:
        raise click.ClickException(str(error)) from error
    try:
        inferred = infer(program)
    except InferenceError as error:
        traced = len(truth.reads) + len(truth.writes)
        misses = tuple(
            f"{side} {path}"
            for side, paths in (("read", truth.reads), ("write", truth.writes))
            for path in sorted(paths)
        )
        return Row(program, Score(traced=traced, misses=misses), complete=False, error=str(error))
    return Row(program, score(truth, inferred), complete=bool(inferred.get("complete", True)))


if __name__ == "__main__":
    main()
