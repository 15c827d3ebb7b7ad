"""Small repositories of tasks that are shell commands, for the tests of the executor."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from taskgates.runtime.run_model import RunOptions

if TYPE_CHECKING:
    from pathlib import Path

FAST = {"retry_delays": (0.01, 0.05), "lock_timeout": 5.0, "grace": 0.3}


def options(**fields: object) -> RunOptions:
    return RunOptions(**{**FAST, **fields})  # type: ignore[arg-type]


def add_task(root: Path, identifier: str, command: str | None, writes: list[str], **fields: object) -> Path:
    folder = root / ".claude/tasks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"task-{identifier}.json"
    content = {"id": identifier, "title": identifier, "status": "Pending", "difficulty": 3, "files_affected": writes}
    if command is not None:
        content["command"] = command
    path.write_text(json.dumps({**content, **fields}, indent=2))
    return path


def status(root: Path, identifier: str) -> str:
    return str(json.loads((root / f".claude/tasks/task-{identifier}.json").read_text())["status"])


def events(root: Path, run: str, *names: str) -> list[dict[str, Any]]:
    lines = (root / f".taskgates/runs/{run}/events.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [event for event in found if not names or event["event"] in names]


def wait_for(condition: object, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.01)
