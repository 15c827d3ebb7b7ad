"""Exit codes, and how errors are told."""

from __future__ import annotations

import traceback
from enum import IntEnum
from typing import TYPE_CHECKING

import click

from taskgates.reporting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence


class ExitCode(IntEnum):
    """What the process returns."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    INTERNAL = 3
    INTERRUPTED = 130


class InputError(click.ClickException):
    """Something given is wrong: a file, a task id, a setting; one line says what and what to do.

    Args:
        message: the line.
        more: further lines, each about one more thing that is wrong.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, *more: str) -> None:
        # Names in them come from the repository; none may begin a line of its own.
        super().__init__("\n".join(printable(line) for line in (message, *more)))


def report_internal_error(error: BaseException, arguments: Sequence[str], issues: str) -> None:
    """Tell of a bug on standard error: one line and how to report it; the traceback only with `-v`.

    Args:
        error: what was raised.
        arguments: the command line, to see whether `-v` is on it.
        issues: where bugs are reported.
    """
    verbose = is_verbose(arguments)
    if verbose:
        click.echo(printable("".join(traceback.format_exception(error)), lines=True), err=True, nl=False)
    print_internal_error(f"{type(error).__name__}: {error}", issues, verbose=verbose)


def print_internal_error(what: str, issues: str, *, verbose: bool) -> None:
    """Print the line about a bug in taskgates itself."""
    text = printable(" ".join(what.split()))
    how = "" if verbose else " with the output of the same command with -v"
    click.echo(f"Internal error: {text}. This is a bug in taskgates; please report it{how} at {issues}", err=True)


def is_verbose(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for more detail, read without parsing it in full."""
    for argument in arguments:
        if argument == "--":
            return False
        if argument == "--verbose":
            return True
        if argument.startswith("-") and not argument.startswith("--") and set(argument[1:]) <= set("vq"):
            return "v" in argument
    return False
