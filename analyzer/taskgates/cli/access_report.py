"""Where an access set goes: standard output in one format, and any number of files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from taskgates.cli.streams import terminal_of, write_out
from taskgates.reporting.formats import FORMATS, render_access_set
from taskgates.reporting.report import RenderOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.cli.outputs import Destination, OutputFiles
    from taskgates.model.access import AccessSet

ACCESS_FORMATS = tuple(name for name, each in FORMATS.items() if each.single)
"""The formats in which one access set can be written."""


def write_access_files(
    prepared: OutputFiles, outputs: Iterable[Destination], access: AccessSet, *, verbose: bool
) -> None:
    """Write the files that were asked for with `--output`.

    Raises:
        InputError: one cannot be written.
    """
    options = RenderOptions(verbose=verbose)
    prepared.write({each: render_access_set(each.format, access, options) for each in outputs})


def print_access(format_name: str, access: AccessSet, *, verbose: bool) -> None:
    """Print an access set as suits what standard output is."""
    terminal = terminal_of(sys.stdout)
    options = msgspec.structs.replace(
        RenderOptions(verbose=verbose),
        width=terminal.width,
        colour=terminal.colour and not FORMATS[format_name].for_machines,
        unicode=terminal.unicode,
    )
    write_out(render_access_set(format_name, access, options))
