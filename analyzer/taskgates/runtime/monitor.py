"""A live display of a run: each task with its state, time, processor, memory, and the files it holds open."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING

import msgspec
import psutil
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from taskgates.runtime.events import RunBoard, TaskState, TaskView

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STYLES = {
    TaskState.WAITING: "dim",
    TaskState.WAITING_FOR_LOCK: "yellow",
    TaskState.RUNNING: "cyan",
    TaskState.ROLLING_BACK: "magenta",
    TaskState.RETRYING: "yellow",
    TaskState.FINISHED: "green",
    TaskState.FAILED: "bold red",
    TaskState.SKIPPED: "dim",
    TaskState.INTERRUPTED: "red",
}
_MEBIBYTE = 1 << 20


class Usage(msgspec.Struct, frozen=True):
    """What the processes of one task use.

    Attributes:
        cpu_percent: of one processor, since the last look; may exceed 100.
        memory: resident bytes, summed.
        files: open regular files below the root, sorted, relative to it.
        processes: how many there are.
    """

    cpu_percent: float = 0.0
    memory: int = 0
    files: tuple[str, ...] = ()
    processes: int = 0


class UsageMeter:
    """Measures the processes of running tasks; keeps what it needs to tell the use of processors between two looks.

    Args:
        root: files outside of this folder, and those below its `.taskgates`, are not listed.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._seen: dict[str, tuple[float, float]] = {}

    def measure(self, task: str, pid: int) -> Usage:
        """Look at a command and all its descendants; a process that ends meanwhile counts as nothing.

        Args:
            task: whose command it is.
            pid: the command's process number, on this machine.
        """
        try:
            top = psutil.Process(pid)
            members = [top, *top.children(recursive=True)]
        except psutil.Error:
            return Usage()
        seconds, memory, count = 0.0, 0, 0
        files: set[str] = set()
        for process in members:
            with contextlib.suppress(psutil.Error, OSError):
                times = process.cpu_times()
                seconds += times.user + times.system
                memory += process.memory_info().rss
                count += 1
                files.update(self._below_root(each.path) for each in process.open_files())
        now = time.monotonic()
        then, before = self._seen.get(task, (now, seconds))
        self._seen[task] = (now, seconds)
        percent = 100 * max(0.0, seconds - before) / (now - then) if now > then else 0.0
        return Usage(percent, memory, tuple(sorted(files - {""})), count)

    def _below_root(self, path: str) -> str:
        relative = os.path.relpath(path, self._root)
        return "" if relative.startswith(("..", ".taskgates")) else relative


def board_table(board: RunBoard, usage: dict[str, Usage], now: float) -> Group:
    """The display as it is at one moment.

    Args:
        board: the tasks.
        usage: what running tasks use.
        now: seconds since the epoch.

    Returns:
        Something that rich can print.
    """
    table = Table(box=None, padding=(0, 1), header_style="bold", expand=True)
    for heading in ("task", "state"):
        table.add_column(heading, no_wrap=True)
    for heading in ("time", "CPU", "memory"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("files and news", ratio=1, overflow="ellipsis", no_wrap=True)
    views = board.tasks()
    for view in views:
        used = usage.get(view.id, Usage())
        running = view.state is TaskState.RUNNING and used.processes > 0
        table.add_row(
            Text(view.id),
            Text(view.state.value, style=_STYLES[view.state]),
            _elapsed(view, now),
            f"{used.cpu_percent:.0f} %" if running else "",
            f"{used.memory / _MEBIBYTE:.0f} MiB" if running else "",
            Text(view.message or " ".join(used.files)),
        )
    counts = ", ".join(
        f"{sum(view.state is state for view in views)} {state.value}"
        for state in TaskState
        if any(view.state is state for view in views)
    )
    lines: list[Text | Table] = [table, Text(counts, style="bold")]
    if board.notice:
        lines.append(Text(f"no further task starts: {board.notice}", style="yellow"))
    return Group(*lines)


@contextlib.contextmanager
def parallel_execution_monitor(
    board: RunBoard, root: Path, *, console: Console | None = None, interval: float = 0.5
) -> Iterator[None]:
    """Show a run while it is executed in the `with` block.

    On a terminal the table is redrawn in place; elsewhere a line is printed when a task changes its state.

    Args:
        board: the run's tasks, as given to `SafeParallelExecutor`.
        root: the repository root.
        console: where to draw; standard error when None.
        interval: seconds between two looks.

    Yields:
        Nothing; the display ends with the block.
    """
    screen = console or Console(stderr=True)
    finished = threading.Event()
    watcher = _LiveWatcher(board, root, screen) if screen.is_terminal else _LineWatcher(board, screen)

    def watch() -> None:
        while not finished.wait(interval):
            watcher.look()

    thread = threading.Thread(target=watch, name="taskgates-monitor", daemon=True)
    with watcher.shown():
        thread.start()
        try:
            yield
        finally:
            finished.set()
            thread.join()
            watcher.look()


class _LiveWatcher:
    def __init__(self, board: RunBoard, root: Path, console: Console) -> None:
        self._board = board
        self._meter = UsageMeter(root)
        self._live = Live(console=console, auto_refresh=False, transient=False)

    def shown(self) -> Live:
        return self._live

    def look(self) -> None:
        usage = {}
        for view in self._board.tasks():
            pids = view.pids()
            if pids is not None:
                usage[view.id] = self._meter.measure(view.id, pids[1])
        self._live.update(board_table(self._board, usage, time.time()), refresh=True)


class _LineWatcher:
    def __init__(self, board: RunBoard, console: Console) -> None:
        self._board = board
        self._console = console
        self._told: dict[str, tuple[TaskState, str]] = {}
        self._notice = ""

    def shown(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def look(self) -> None:
        notice = self._board.notice
        # The numbers in it change all the time; that tasks have to wait is said once.
        if notice and not self._notice:
            self._console.print(Text(f"no further task starts: {notice}"), soft_wrap=True)
        self._notice = notice
        for view in self._board.tasks():
            news = (view.state, view.message)
            if self._told.get(view.id, (TaskState.WAITING, "")) == news:
                continue
            self._told[view.id] = news
            elapsed = _elapsed(view, time.time())
            line = f"{view.id}: {view.state.value}{f' after {elapsed}' if view.ended else ''}"
            self._console.print(Text(f"{line}{f': {view.message}' if view.message else ''}"), soft_wrap=True)


def _elapsed(view: TaskView, now: float) -> str:
    if view.started is None:
        return ""
    seconds = max(0.0, (view.ended or now) - view.started)
    minutes, rest = divmod(int(seconds), 60)
    return f"{seconds:.1f} s" if minutes == 0 else f"{minutes}:{rest:02d} min"
