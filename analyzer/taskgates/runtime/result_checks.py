"""What must be true of the results of tasks: of each when its command succeeded, of a batch before the next one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from taskgates.model.patterns import PathPattern
from taskgates.runtime.recorded_files import absolute, covered_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from taskgates.model.task import Task
    from taskgates.runtime.run_items import Item
    from taskgates.runtime.run_model import UndeclaredWrite


class BatchProblem(msgspec.Struct, frozen=True):
    """Why the results of a batch do not hold.

    Attributes:
        tasks: those whose results are concerned.
        message: what is wrong.
    """

    tasks: tuple[str, ...]
    message: str


def check_batch(
    finished: Sequence[Item],
    undeclared: Iterable[UndeclaredWrite],
    refused: Iterable[UndeclaredWrite],
    validate: Callable[[Task], str | None],
) -> list[BatchProblem]:
    """Look at the results of tasks that may have run at the same time.

    Each was looked at when it ended; what is found here is what another one did to its result afterwards.

    Args:
        finished: the tasks.
        undeclared: the unannounced changes that were found while they ran; a problem where a file is another task's.
        refused: unannounced changes that are a problem in any case.
        validate: says what is wrong with a task's own result, or None.

    Returns:
        The problems; empty when the results hold.
    """
    problems = []
    for item in finished:
        # A task that started later and may write the same paths may have used the result up.
        replaced = any(other.began > item.left and other.writes.overlaps(item.writes) for other in finished)
        if not replaced and (complaint := validate(item.task)):
            problems.append(BatchProblem((item.id,), complaint))
    problems += spoilt_results(finished, undeclared)
    problems += [
        BatchProblem(write.tasks, f"{write.path} was {write.change}, and nobody had declared it")
        for write in refused
        if not write.owners
    ]
    return problems


def spoilt_results(finished: Sequence[Item], undeclared: Iterable[UndeclaredWrite]) -> list[BatchProblem]:
    """The results that another task changed after they were there, without having said that it writes them.

    Args:
        finished: the tasks whose results count.
        undeclared: unannounced changes.
    """
    names = {item.id for item in finished}
    problems = []
    for write in undeclared:
        owners = tuple(name for name in write.owners if name in names)
        suspects = tuple(name for name in write.tasks if name in names and name not in owners)
        if owners:
            who = " or ".join(write.tasks)
            message = f"two tasks wrote {write.path}: {', '.join(owners)}, and then {who}, which had not declared it"
            problems.append(BatchProblem((*owners, *suspects), message))
    return problems


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
