"""Progress on standard error, for those who wait."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from taskgates.cli.streams import terminal_of, write_err

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET_SECONDS = 10.0
"""Away from a terminal, a scan says where it stands once it has taken this long, and again each time as long."""


class ProgressListener(Protocol):
    """Told how far the work has come."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note that `done` of `total` steps of a stage are done; a total of 0 stands for an unknown number."""


@contextmanager
def progress_on_stderr(*, quiet: bool) -> Iterator[ProgressListener]:
    """Show progress as a bar on a terminal, and as an occasional line elsewhere; nothing when quiet."""
    terminal = terminal_of(sys.stderr)
    if quiet:
        yield _ignore
    elif terminal.interactive:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True, no_color=not terminal.colour, highlight=False)
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        with bar:
            task = bar.add_task("Starting", total=None)

            def show(stage: str, done: int, total: int) -> None:
                bar.update(task, description=stage, completed=done, total=total or None)

            yield show
    else:
        yield _Lines()


def _ignore(stage: str, done: int, total: int) -> None:
    """Show nothing."""


class _Lines:
    def __init__(self) -> None:
        self._next = time.monotonic() + QUIET_SECONDS

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + QUIET_SECONDS
            write_err(f"{stage}: {done} of {total}\n" if total else f"{stage} ...\n")
