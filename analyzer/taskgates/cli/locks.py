"""`taskgates locks`: who holds which file lock, and the removal of stale ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import msgspec

from taskgates.cli.errors import InputError
from taskgates.cli.options import SuggestingChoice, root_option
from taskgates.cli.settings import choose_root
from taskgates.cli.streams import write_out
from taskgates.reporting.printable import printable
from taskgates.runtime.errors import TaskRuntimeError
from taskgates.runtime.locks import LockHolder, LockManager

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@click.group("locks")
def command() -> None:
    """Show or clean the file locks of running tasks."""


@command.command("status")
@root_option()
@click.option("-f", "--format", "format_name", type=SuggestingChoice(("rich", "json")), default="rich")
def status(root_option: Path | None, format_name: str) -> None:
    """Show who holds which lock, and since when."""
    try:
        holders = LockManager(choose_root(None, root_option)).status()
    except TaskRuntimeError as error:
        raise InputError(str(error)) from error
    _show(holders, format_name, "No locks are held.")


@command.command("clean")
@root_option()
@click.option("-f", "--format", "format_name", type=SuggestingChoice(("rich", "json")), default="rich")
def clean(root_option: Path | None, format_name: str) -> None:
    """Drop the locks of processes that are gone; those of living ones stay."""
    try:
        dropped = LockManager(choose_root(None, root_option)).clean()
    except TaskRuntimeError as error:
        raise InputError(str(error)) from error
    _show(dropped, format_name, "No stale locks.")


def _show(holders: Sequence[LockHolder], format_name: str, nothing: str) -> None:
    if format_name == "json":
        write_out(json.dumps([msgspec.to_builtins(holder) for holder in holders], indent=2) + "\n")
    else:
        write_out("".join(f"{printable(str(holder))}\n" for holder in holders) or f"{nothing}\n")
