"""All formats together: every task of a repository, each id once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from taskgates.manifests.claude_tasks import ClaudeTasksReader
from taskgates.manifests.dvc import DvcReader
from taskgates.manifests.reader import DUPLICATE_TASK, Reader
from taskgates.manifests.taskmaster import TaskmasterReader
from taskgates.model.finding import Problem
from taskgates.model.natural_order import natural_key
from taskgates.model.task import Reference, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.tree.tree import Tree

READERS: tuple[Reader, ...] = (ClaudeTasksReader(), TaskmasterReader(), DvcReader())
"""The formats that are read, in the order in which their tasks are listed."""


class Manifests(msgspec.Struct, frozen=True):
    """What the manifests of a repository say.

    Attributes:
        tasks: every task once, by format and then by id in natural order.
        problems: what is wrong with the manifests, by file and place.
        files: the manifest files, in the order read.
    """

    tasks: tuple[Task, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()


def load_tasks(tree: Tree, readers: Iterable[Reader] = READERS) -> Manifests:
    """Read every manifest under the root.

    Of tasks with one id within a format the first counts and the others are reported (TG903). An id that several
    formats share gets the format's name and a colon in front, in the references of that format too.
    """
    tasks: list[Task] = []
    problems: list[Problem] = []
    files: list[str] = []
    for reader in readers:
        found: dict[str, Task] = {}
        for file in sorted(reader.find(tree), key=natural_key):
            files.append(file)
            result = reader.read(tree, file)
            problems.extend(result.problems)
            for task in result.tasks:
                first = found.setdefault(task.id, task)
                if first is not task:
                    problems.append(_duplicate(first, task))
        tasks.extend(sorted(reader.link(tuple(found.values())), key=lambda task: (natural_key(task.id), task.id)))
    return Manifests(tuple(_tell_apart(tasks)), tuple(sorted(problems, key=_place)), tuple(files))


def _duplicate(first: Task, second: Task) -> Problem:
    where = f"{first.span.file}:{first.span.line}"
    message = f"task {second.id!r} is already defined in {where}; give one of them another id"
    return Problem(DUPLICATE_TASK, message, second.span, (second.id,))


def _place(problem: Problem) -> tuple[object, ...]:
    return (natural_key(problem.span.file), problem.span.line, problem.span.column, problem.rule, problem.message)


def _tell_apart(tasks: list[Task]) -> list[Task]:
    """Put the format in front of ids that are not unique."""
    counts = Counter(task.id for task in tasks)
    shared = {identifier for identifier, count in counts.items() if count > 1}
    if not shared:
        return tasks
    owned = {(task.format, task.id) for task in tasks}

    def rename(format_name: str, identifier: str) -> str:
        return (
            f"{format_name}:{identifier}" if identifier in shared and (format_name, identifier) in owned else identifier
        )

    def refer(format_name: str, reference: Reference) -> Reference:
        return Reference(rename(format_name, reference.id), reference.span)

    return [
        msgspec.structs.replace(
            task,
            id=rename(task.format, task.id),
            depends_on=tuple(refer(task.format, reference) for reference in task.depends_on),
            subtasks=tuple(refer(task.format, reference) for reference in task.subtasks),
            parent=None if task.parent is None else refer(task.format, task.parent),
        )
        for task in tasks
    ]
