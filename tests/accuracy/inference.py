"""Runs the installed `taskgates infer` on a program of the fixtures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accuracy.program import Program

_SECONDS = 120


class InferenceError(Exception):
    """`taskgates infer` failed; the message holds the end of what it said."""


def _environment() -> dict[str, str]:
    """The caller's environment without what would choose another interpreter to analyse for."""
    return {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}


def infer(program: Program) -> dict[str, Any]:
    """The inferred access set of a program's command, as the JSON object that the command line prints.

    Raises:
        InferenceError: the command failed, ran too long, or printed something else.
    """
    environment = [f"--env={name}={value}" for name, value in sorted(program.env.items())]
    executable = Path(sys.executable).parent / "taskgates"
    command = [
        str(executable), "infer", "--root", str(program.tree), "--format", "json", "--no-cache", *environment,
        "--", *program.argv,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False, env=_environment()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InferenceError(f"{program.name}: {error}") from error
    try:
        result = json.loads(done.stdout)
    except ValueError:
        end = (done.stderr or done.stdout).strip()[-1500:]
        raise InferenceError(f"{program.name}: exit code {done.returncode}: {end}") from None
    if not isinstance(result, dict):
        raise InferenceError(f"{program.name}: printed {type(result).__name__} instead of an object")
    return result
