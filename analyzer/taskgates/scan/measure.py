"""What a task touches, and how much text it brings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from taskgates.gates.budget import Measured, estimate_tokens, estimate_tokens_of_size
from taskgates.gates.footprint import Footprint, footprint_of
from taskgates.model.patterns import PathPattern
from taskgates.scan.declared import outputs_only

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from taskgates.model.access import AccessSet
    from taskgates.model.task import Task
    from taskgates.tree.tree import Tree

_SPECIAL = re.compile(r"[*?\[\\]")

_COUNTED_BYTES = 1 << 20
"""Files up to this size are read to count their tokens; of larger ones the size alone is taken."""


def task_footprint(task: Task, access: AccessSet | None) -> Footprint:
    """The footprint of a task; what is listed as edit and as output at once is an edit.

    Where the task has code, the output shows in the code.
    """
    return footprint_of(msgspec.structs.replace(task, writes=outputs_only(task)), access)


class TextSizes:
    """The tokens of the files of one repository, each counted once.

    Args:
        tree: the repository's files.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._counts: dict[str, int] = {}

    def of_tasks(self, tasks: Iterable[Task], access_sets: Mapping[str, AccessSet]) -> dict[str, Measured]:
        """The size of the text that each task brings: the single files it edits, and what its code imports.

        Args:
            tasks: the tasks.
            access_sets: what their code does, by id; tasks without code are absent.

        Returns:
            By task id; tasks that bring no text, as their files are yet to be made, are absent.
        """
        measured: dict[str, Measured] = {}
        for task in tasks:
            single = [_single_file(declared.path) for declared in task.edits]
            access = access_sets.get(task.id)
            imports = access.imports if access is not None else ()
            files = dict.fromkeys([*(path for path in single if path is not None), *imports])
            tokens = sum(self.tokens(path) for path in files)
            if tokens:
                measured[task.id] = Measured(tokens=tokens)
        return measured

    def tokens(self, path: str) -> int:
        """About how many tokens a file has; none for one that is missing or binary."""
        known = self._counts.get(path)
        if known is None:
            known = self._counts[path] = self._count(path)
        return known

    def _count(self, path: str) -> int:
        size = self._tree.size(path)
        if not size:
            return 0
        data = self._tree.read_bytes(path, _COUNTED_BYTES)
        if data is None:
            return estimate_tokens_of_size(size)
        return 0 if b"\0" in data else estimate_tokens(data.decode("utf-8", "replace"))


def _single_file(path: str) -> str | None:
    """The one file that a declared path names; None for folders and patterns."""
    if _SPECIAL.search(path) is None:
        return None if path.endswith("/") else path
    return PathPattern(path).literal
