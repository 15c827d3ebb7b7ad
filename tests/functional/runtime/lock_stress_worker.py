"""One process of the lock stress test: random acquisitions, checked against a board of bytes that all of them share.

The board has one row a process and one column a file. A process marks the files of its lease while it holds it, and
looks whether any other living process has marked one of them in an excluding mode.
"""

from __future__ import annotations

import mmap
import os
import random
import sys
import time
from pathlib import Path

from taskgates.runtime.locks import LockManager

FILES = [f"out/{folder}/{name}.csv" for folder in "abcde" for name in "uvwxyz"]
ROWS = 40
READ, WRITE = 1, 2
PID_BYTES = 4
COUNT_BYTES = 4
ROW_BYTES = PID_BYTES + COUNT_BYTES + len(FILES)


def covered(path: str) -> list[int]:
    if path.endswith("/"):
        return [index for index, file in enumerate(FILES) if file.startswith(path)]
    if path.endswith("*.csv"):
        return [index for index, file in enumerate(FILES) if file.rpartition("/")[0] == path.rpartition("/")[0]]
    return [FILES.index(path)]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def violations(board: mmap.mmap, row: int, marks: dict[int, int]) -> list[tuple[int, int]]:
    found = []
    for other in range(ROWS):
        if other == row:
            continue
        start = other * ROW_BYTES
        pid = int.from_bytes(board[start : start + PID_BYTES], "little")
        for index, mark in marks.items():
            theirs = board[start + PID_BYTES + COUNT_BYTES + index]
            if pid and theirs and WRITE in (mark, theirs):
                found.append((pid, index))
    return found


def main(root: str, board_file: str, row: int, quota: int, seed: int) -> None:
    source = random.Random(seed)
    with open(board_file, "r+b") as stream:
        board = mmap.mmap(stream.fileno(), 0)
    start = row * ROW_BYTES
    board[start : start + PID_BYTES] = os.getpid().to_bytes(4, "little")
    manager = LockManager(root, timeout=45, retry_delays=(0.002, 0.005, 0.01), source=source)
    choices = [*FILES, "out/a/", "out/b/*.csv", "out/c/"]
    for done in range(1, quota + 1):
        paths = source.sample(choices, source.choice((1, 1, 2, 3)))
        exclusive = [path for path in paths if source.random() < 0.4]
        shared = [path for path in paths if path not in exclusive]
        lease = manager.acquire(f"worker-{row}", exclusive=exclusive, shared=shared)
        marks: dict[int, int] = {index: READ for path in shared for index in covered(path)}
        marks.update({index: WRITE for path in exclusive for index in covered(path)})
        for index, mark in marks.items():
            board[start + PID_BYTES + COUNT_BYTES + index] = mark
        suspects = violations(board, row, marks)
        if suspects:
            # The mark of a process that is being killed outlives its locks for a moment; a living one does not die.
            deadline = time.monotonic() + 5
            while any(alive(pid) for pid, _ in suspects) and time.monotonic() < deadline:
                time.sleep(0.01)
            living = [(pid, FILES[index]) for pid, index in suspects if alive(pid)]
            if living:
                sys.stderr.write(f"row {row} holds {marks} beside {living}\n")
                sys.exit(3)
        if source.random() < 0.05:
            time.sleep(0.002)
        for index in marks:
            board[start + PID_BYTES + COUNT_BYTES + index] = 0
        board[start + PID_BYTES : start + PID_BYTES + COUNT_BYTES] = done.to_bytes(4, "little")
        lease.release()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
