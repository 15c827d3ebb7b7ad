"""The standard streams: what the terminal can do, and pipes that close early."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import msgspec

from taskgates.cli.errors import ExitCode, InputError
from taskgates.reporting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.model.finding import Problem


class Terminal(msgspec.Struct, frozen=True):
    """What a stream can show.

    Attributes:
        interactive: whether a person watches: a terminal that can move its cursor.
        colour: whether colours may be used.
        unicode: whether characters beyond ASCII can be written.
        width: columns.
    """

    interactive: bool
    colour: bool
    unicode: bool
    width: int


def terminal_of(stream: TextIO) -> Terminal:
    """What the stream can show, by `NO_COLOR`, `FORCE_COLOR`, `TERM` and the stream itself."""
    is_terminal = _is_terminal(stream)
    dumb = os.environ.get("TERM", "") in ("dumb", "unknown")
    forced = bool(os.environ.get("FORCE_COLOR"))
    colour = not os.environ.get("NO_COLOR") and (forced or (is_terminal and not dumb))
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("_", "-")
    return Terminal(
        interactive=is_terminal and not dumb,
        colour=colour,
        unicode=encoding.startswith("utf") and not (is_terminal and dumb),
        width=_width(stream, is_terminal=is_terminal),
    )


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def _width(stream: TextIO, *, is_terminal: bool) -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return max(40, int(columns))
    if is_terminal:
        try:
            return max(40, os.get_terminal_size(stream.fileno()).columns)
        except (OSError, ValueError):
            pass
    return 100


def prepare_streams() -> None:
    """Let no character that the terminal lacks, and no stream that was never opened, end the program."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - lives as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write_out(text: str) -> None:
    """Write to standard output; a reader that has gone away is no error.

    Raises:
        InputError: the text cannot be written, for want of space, say.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _detach(sys.stdout)
    except OSError as error:
        _detach(sys.stdout)
        raise InputError(f"cannot write to standard output: {error.strerror or error}") from error


def write_err(text: str) -> None:
    """Write to standard error, come what may."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _detach(sys.stderr)


def write_problems(problems: Iterable[Problem]) -> None:
    """Tell on standard error what is wrong with files, one line each."""
    for problem in problems:
        write_err(printable(f"{problem.span}: {problem.message}") + "\n")


def write_traceback(text: str) -> None:
    """Write the traceback of a bug to standard error."""
    write_err(printable(text, lines=True))


def close_streams(code: int) -> int:
    """Flush both streams, so that the interpreter finds nothing to complain about; the exit code, maybe another."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            _detach(stream)
        except OSError as error:
            _detach(stream)
            if stream is sys.stdout:
                write_err(f"Error: cannot write to standard output: {error.strerror or error}\n")
                code = code or ExitCode.USAGE
    return int(code)


def _detach(stream: TextIO) -> None:
    """Send whatever is still in the buffer nowhere."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass
