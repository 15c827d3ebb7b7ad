"""`taskgates scan`: every task of every manifest, inference, gates, findings."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from taskgates.cli import ISSUES
from taskgates.cli.errors import ExitCode, InputError, print_internal_error
from taskgates.cli.options import (
    RuleListType,
    SuggestingChoice,
    analysis_options,
    format_option,
    output_option,
    root_option,
    verbosity_options,
)
from taskgates.cli.outputs import Destination, open_outputs
from taskgates.cli.progress import progress_on_stderr
from taskgates.cli.settings import choose_root, read_settings
from taskgates.cli.streams import terminal_of, write_err, write_out, write_traceback
from taskgates.inference.effects.errors import EffectTableError
from taskgates.manifests import READERS
from taskgates.reporting.formats import FORMATS, render
from taskgates.reporting.printable import printable
from taskgates.reporting.report import RenderOptions, Report, plain_message, plural
from taskgates.scan.baseline import Baseline, BaselineError, load_baseline, render_baseline
from taskgates.scan.pipeline import ScanResult, scan
from taskgates.scan.registry import RuleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.model.finding import Severity


_BASELINE = "baseline"
_MANIFEST_RULES = frozenset({"TG901", "TG903"})


@click.command("scan")
@click.argument("root", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@root_option()
@format_option(tuple(FORMATS))
@output_option(tuple(FORMATS))
@click.option(
    "--select",
    type=RuleListType(),
    multiple=True,
    metavar="RULES",
    help="Run only these rules: ids, prefixes (TG1), names or all, with commas.",
)
@click.option("--ignore", type=RuleListType(), multiple=True, metavar="RULES", help="Leave these rules out.")
@click.option(
    "--fail-on",
    type=SuggestingChoice(("error", "warning", "note", "never")),
    help="The least severity that makes the exit code 1.  [default: error]",
)
@click.option(
    "--include-finished", is_flag=True, default=None, help="Look at finished, absorbed and broken-down tasks too."
)
@click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Accept the findings listed in this file."
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write all findings to a file for --baseline.",
)
@click.option("--category", default="", metavar="NAME", help="Tell several SARIF uploads of one commit apart.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that follow the code; 0 for one for each processor.",
)
@analysis_options()
@verbosity_options()
def command(
    *,
    root: Path | None,
    root_option: Path | None,
    format_name: str,
    outputs: tuple[Destination, ...],
    select: tuple[tuple[str, ...], ...],
    ignore: tuple[tuple[str, ...], ...],
    fail_on: str | None,
    include_finished: bool | None,
    baseline: Path | None,
    write_baseline: Path | None,
    category: str,
    jobs: int,
    config_file: Path | None,
    environ: tuple[tuple[str, str], ...],
    python: str | None,
    follow: tuple[str, ...],
    no_cache: bool,
    quiet: bool,
    verbose: int,
) -> int:
    """Scan the repository in ROOT: what its tasks do, what they do not say, and which must not run together.

    The exit code is 0 when nothing at or above the threshold of --fail-on was found, 1 when something was, 2 when the
    usage, the settings or a manifest are wrong, and 3 when taskgates itself failed.
    """
    place = choose_root(root, root_option)
    config = read_settings(
        place,
        {
            "scan.select": _flat(select),
            "scan.ignore": _flat(ignore),
            "scan.fail_on": fail_on,
            "scan.include_finished": include_finished,
            "follow": follow or None,
            "python": python,
        },
        config_file,
    )
    accepted = _read_baseline(baseline)
    files = list(outputs)
    if write_baseline is not None:
        files.append(Destination(_BASELINE, write_baseline))
    report_options = RenderOptions(verbose=verbose > 0, category=category)
    with open_outputs(files) as prepared:
        try:
            with progress_on_stderr(quiet=quiet) as progress:
                result = scan(
                    place,
                    config,
                    environ=dict(environ),
                    baseline=accepted,
                    use_cache=not no_cache,
                    jobs=jobs or os.cpu_count() or 1,
                    progress=progress,
                )
        except RuleError as error:
            raise InputError(str(error)) from error
        except EffectTableError as error:
            raise InputError(*map(str, error.problems)) from error
        report = Report(result)
        prepared.write({each: _file_text(each, result, report, report_options) for each in files})
    terminal = terminal_of(sys.stdout)
    for_machines = FORMATS[format_name].for_machines
    shown = msgspec.structs.replace(
        report_options, width=terminal.width, colour=terminal.colour and not for_machines, unicode=terminal.unicode
    )
    write_out(render(format_name, report, shown))
    if for_machines and not quiet:
        write_err(_summary_line(result, report_options.verbose))
    if not result.tasks and not quiet:
        write_err(_why_no_tasks(result))
    return _exit_code(result, config.scan.fail_on, verbose=report_options.verbose)


def _flat(values: Iterable[tuple[str, ...]]) -> tuple[str, ...] | None:
    """All entries of a repeated option; None where it was not given."""
    return tuple(entry for value in values for entry in value) or None


def _read_baseline(path: Path | None) -> Baseline | None:
    if path is None:
        return None
    try:
        return load_baseline(path)
    except BaselineError as error:
        raise InputError(str(error)) from error


def _file_text(destination: Destination, result: ScanResult, report: Report, options: RenderOptions) -> str:
    if destination.format == _BASELINE:
        return render_baseline((*result.findings, *result.accepted))
    return render(destination.format, report, options)


def _summary_line(result: ScanResult, verbose: bool) -> str:
    counts = result.summary
    accepted = f" ({plural(counts.accepted, 'finding')} accepted by the baseline)" if counts.accepted else ""
    line = (
        f"{plural(counts.errors, 'error')}, {plural(counts.warnings, 'warning')} and {plural(counts.notes, 'note')} "
        f"in {plural(counts.tasks, 'task')}{accepted}\n"
    )
    if not verbose:
        return line
    listed = [
        printable(f"{finding.span}: {finding.severity.value}: {plain_message(finding.message)} [{finding.rule}]") + "\n"
        for finding in result.findings
    ]
    return "".join([*listed, line])


def _why_no_tasks(result: ScanResult) -> str:
    if result.left_out:
        verb = "is" if result.left_out == 1 else "are"
        return (
            f"No task may still run: {plural(result.left_out, 'task')} {verb} finished, absorbed or broken down; "
            "--include-finished looks at them too.\n"
        )
    formats = ", ".join(reader.name for reader in READERS)
    return f"No tasks were found under {result.root}. The manifest formats that are read: {formats}.\n"


def _exit_code(result: ScanResult, fail_on: Severity | None, *, verbose: bool) -> int:
    for error in result.internal_errors:
        if verbose:
            write_traceback(error.traceback)
        print_internal_error(f"{error.where}: {error.error}", ISSUES, verbose=verbose)
    if result.internal_errors:
        return ExitCode.INTERNAL
    grave = result.at_or_above(fail_on) if fail_on is not None else ()
    if any(finding.rule in _MANIFEST_RULES for finding in grave):
        return ExitCode.USAGE
    return ExitCode.FINDINGS if grave else ExitCode.OK
