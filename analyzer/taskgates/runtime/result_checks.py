"""What must be true of a task's result after its command succeeded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from taskgates.model.patterns import PathPattern
from taskgates.runtime.recorded_files import absolute, covered_paths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from taskgates.model.task import Task


def missing_outputs(root: Path) -> Callable[[Task], str | None]:
    """A check that every declared output is there.

    Files that whoever does the task edits are no outputs of a command, and a pattern is satisfied by one file.

    Args:
        root: the repository root.

    Returns:
        The check: given a task, what is missing, or None.
    """

    def check(task: Task) -> str | None:
        edits = {path.path for path in task.edits}
        missing = [path.path for path in task.writes if path.path not in edits and not _exists(root, path.path)]
        return f"declared output not written: {', '.join(missing)}" if missing else None

    return check


def _exists(root: Path, path: str) -> bool:
    pattern = PathPattern(path)
    if pattern.literal is not None:
        return os.path.lexists(absolute(root, pattern.literal))
    if pattern.is_folder:
        return os.path.isdir(absolute(root, path.rstrip("/")))  # noqa: PTH112
    return bool(covered_paths(root, [path]))
