"""Runs the installed command as its users do: as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    CommandLine = Callable[..., subprocess.CompletedProcess[str]]

_NEUTRAL = (
    "NO_COLOR",
    "FORCE_COLOR",
    "TERM",
    "COLUMNS",
    "MAX_PARALLEL_TASKS",
    "MAX_CONTEXT_COMPLEXITY",
    "GATE_LOG_LEVEL",
)


@pytest.fixture
def taskgates(tmp_path: Path) -> CommandLine:
    """Run `taskgates` with arguments in a scratch folder (or `cwd`), the environment being neutral but for `env`."""

    def run(
        *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        environ = {key: value for key, value in os.environ.items() if key not in _NEUTRAL}
        environ |= {"PYTHONIOENCODING": "utf-8", **(env or {})}
        return subprocess.run(
            [sys.executable, "-m", "taskgates", *map(str, arguments)],
            cwd=cwd or tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )

    return run
