from __future__ import annotations

import mmap
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from functional.runtime.lock_stress_worker import COUNT_BYTES, PID_BYTES, ROW_BYTES, ROWS
from taskgates.runtime.locks import LockManager

WORKER = Path(__file__).with_name("lock_stress_worker.py")


@pytest.mark.slow
def test_no_two_writers_no_reader_beside_a_writer_no_lost_wake_up(tmp_path: Path) -> None:
    processes, acquisitions, kills = 8, 10_000, 24
    source = random.Random(20)
    board_file = tmp_path / "board"
    board_file.write_bytes(bytes(ROWS * ROW_BYTES))
    with board_file.open("r+b") as stream:
        board = mmap.mmap(stream.fileno(), 0)
    rows = iter(range(ROWS))

    def start(quota: int) -> tuple[subprocess.Popen[bytes], int, int]:
        row = next(rows)
        arguments = [sys.executable, str(WORKER), str(tmp_path), str(board_file), str(row), str(quota), str(row)]
        return subprocess.Popen(arguments, stderr=subprocess.PIPE), row, quota

    def done(row: int) -> int:
        first = row * ROW_BYTES + PID_BYTES
        return int.from_bytes(board[first : first + COUNT_BYTES], "little")

    running = [start(acquisitions // processes) for _ in range(processes)]
    finished = killed = 0
    next_kill = time.monotonic() + 1.0
    while running:
        time.sleep(0.02)
        if killed < kills and time.monotonic() > next_kill:
            victim = running.pop(source.randrange(len(running)))
            victim[0].kill()
            victim[0].communicate()
            killed += 1
            next_kill = time.monotonic() + source.uniform(0.05, 0.5)
            finished += done(victim[1])
            if victim[2] > done(victim[1]):
                running.append(start(victim[2] - done(victim[1])))
        for worker in list(running):
            if worker[0].poll() is not None:
                _, errors = worker[0].communicate()
                assert worker[0].returncode in (0, -9), errors.decode()
                finished += done(worker[1])
                running.remove(worker)
    assert killed == kills
    assert finished >= acquisitions
    locks = LockManager(tmp_path)
    locks.clean()
    assert locks.status() == ()
    assert list((tmp_path / ".taskgates/locks/sessions").iterdir()) == []
