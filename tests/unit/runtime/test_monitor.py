from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from taskgates.runtime.events import EventLog, RunBoard, TaskState
from taskgates.runtime.monitor import Usage, UsageMeter, board_table, parallel_execution_monitor

WORK = """
import sys, time
with open("held.txt", "w") as held, open("/dev/null") as outside:
    ballast = bytearray(30_000_000)
    print("ready", flush=True)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        pass
"""


def test_meter_sees_processor_memory_and_open_files(tmp_path: Path) -> None:
    with subprocess.Popen(
        ["/bin/sh", "-c", f"{sys.executable} -c '{WORK}'; true"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            meter = UsageMeter(tmp_path)
            meter.measure("1", process.pid)
            time.sleep(0.3)
            usage = meter.measure("1", process.pid)
        finally:
            subprocess.run(["pkill", "-P", str(process.pid)], check=False)
            process.kill()
    assert usage.processes == 2
    assert usage.memory > 30_000_000
    assert usage.cpu_percent > 1
    assert usage.files == ("held.txt",)
    assert meter.measure("1", process.pid) == Usage()


def test_table_shows_every_task() -> None:
    board = RunBoard()
    board.prepare(["110_1", "110_2", "weird [red]id"])
    board.update("110_1", state=TaskState.RUNNING, started=100.0)
    board.update("110_2", state=TaskState.FAILED, started=100.0, ended=225.0, message="exit status 1")
    board.notice = "memory at 99 %"
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    console.print(board_table(board, {"110_1": Usage(150.0, 64 << 20, ("out/a.csv",), 2)}, 103.5))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "110_1" in text
    assert "3.5 s" in text
    assert "150 %" in text
    assert "64 MiB" in text
    assert "out/a.csv" in text
    assert "2:05 min" in text
    assert "exit status 1" in text
    assert "weird [red]id" in text
    assert "no further task starts: memory at 99 %" in text
    assert "1 waiting, 1 running, 1 failed" in text


def test_without_a_terminal_changes_are_lines(tmp_path: Path) -> None:
    board = RunBoard()
    board.prepare(["1"])
    console = Console(file=io.StringIO(), width=20)
    with parallel_execution_monitor(board, tmp_path, console=console, interval=0.01):
        board.update("1", state=TaskState.RUNNING, started=time.time())
        time.sleep(0.1)
        board.update("1", state=TaskState.FINISHED, ended=time.time())
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "1: running"
    assert lines[-1].startswith("1: finished after")


def test_on_a_terminal_the_table_is_redrawn(tmp_path: Path) -> None:
    board = RunBoard()
    board.prepare(["1"])
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    with parallel_execution_monitor(board, tmp_path, console=console, interval=0.01):
        board.update("1", state=TaskState.RUNNING, started=time.time())
        time.sleep(0.1)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "running" in text
    assert "\x1b[" in text


def test_event_log_survives_a_full_disk(tmp_path: Path) -> None:
    seen: list[dict[str, object]] = []
    if not os.path.exists("/dev/full"):
        return
    with EventLog(Path("/dev/full"), [seen.append]) as log:
        log.emit("one")
        log.emit("two", task="1")
    assert [event["event"] for event in seen] == ["one", "two"]
    assert seen[1]["dropped"] == 1
