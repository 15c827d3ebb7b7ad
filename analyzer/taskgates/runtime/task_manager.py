"""The tasks of a repository as a runner needs them: found by id, checked for what must come first, marked when done."""

from __future__ import annotations

import difflib
import fnmatch
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from taskgates.manifests.claude_tasks import FORMAT as NATIVE_FORMAT
from taskgates.manifests.registry import load_tasks
from taskgates.model.natural_order import natural_key
from taskgates.model.task import Status, Task
from taskgates.runtime.errors import BlockedTaskError, StatusUpdateError, UnknownTaskError, permission_hint
from taskgates.runtime.locks import LockManager
from taskgates.runtime.state import StateDirectory, write_atomically
from taskgates.runtime.status_edit import with_status
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from taskgates.model.finding import Problem


class TaskManager:
    """Loads the tasks of a repository and updates their status.

    Args:
        root: the repository root.
        locks: guards the manifests while they are rewritten; a manager of its own when None.
        exclude: patterns of files that are not looked at, as in the configuration.

    Attributes:
        locks: the lock manager.
        problems: what was wrong with the manifests.
    """

    def __init__(
        self, root: Path | str = ".", *, locks: LockManager | None = None, exclude: Iterable[str] = ()
    ) -> None:
        self.root = Path(root)
        self.locks = locks or LockManager(self.root)
        self._exclude = tuple(exclude)
        self._tasks: dict[str, Task] = {}
        self.problems: tuple[Problem, ...] = ()
        self.reload()

    def reload(self) -> None:
        """Read the manifests again."""
        loaded = load_tasks(Tree(self.root, self._exclude))
        self._tasks = {task.id: task for task in loaded.tasks}
        self.problems = loaded.problems

    def list(self, status: Status | None = None) -> tuple[Task, ...]:
        """All tasks, or those with one status, in the order of the manifests."""
        return tuple(task for task in self._tasks.values() if status is None or task.status is status)

    def get(self, task_id: str) -> Task:
        """The task with an id.

        Raises:
            UnknownTaskError: there is none; names the nearest ids.
        """
        task = self._tasks.get(task_id)
        if task is None:
            raise UnknownTaskError(self._unknown(task_id))
        return task

    def select(self, patterns: Iterable[str]) -> tuple[Task, ...]:
        """The tasks that ids or globs over ids (`110_*`) name, each once, in the order named.

        Raises:
            UnknownTaskError: an id, or a glob, names nothing.
        """
        found: dict[str, Task] = {}
        for pattern in patterns:
            if pattern in self._tasks:
                found.setdefault(pattern, self._tasks[pattern])
                continue
            matching = sorted(
                (
                    name
                    for name in self._tasks
                    if fnmatch.fnmatchcase(name, pattern) and self._tasks[name].status.may_run
                ),
                key=natural_key,
            )
            if not matching:
                raise UnknownTaskError(self._unknown(pattern))
            for name in matching:
                found.setdefault(name, self._tasks[name])
        return tuple(found.values())

    def unfinished_dependencies(self, task_id: str, *, assumed: Collection[str] = ()) -> tuple[str, ...]:
        """The dependencies that stand in the way of a task.

        A task that was broken down is finished when all its parts are; an absorbed one counts as finished.

        Args:
            task_id: the task.
            assumed: ids that count as finished (they run before it in the same group).

        Returns:
            Ids of dependencies, unknown ones included, in the order of the manifest.

        Raises:
            UnknownTaskError: there is no such task.
        """
        task = self.get(task_id)
        wanted = (reference.id for reference in task.depends_on)
        return tuple(name for name in wanted if name not in assumed and not self._is_finished(name, assumed, {task_id}))

    def require_startable(self, task_id: str, *, assumed: Collection[str] = ()) -> None:
        """Refuse a task that has unfinished dependencies; arguments as for `unfinished_dependencies`.

        Raises:
            BlockedTaskError: names them.
            UnknownTaskError: there is no such task.
        """
        unfinished = self.unfinished_dependencies(task_id, assumed=assumed)
        if unfinished:
            raise BlockedTaskError(task_id, unfinished)

    def update_status(self, task_id: str, status: Status, *, timeout: float | None = None) -> Task:
        """Write a new status into the task's manifest.

        Only the bytes of the value change; the file is replaced as a whole, so that a crash leaves the old or the new
        one.

        Args:
            task_id: the task.
            status: its new status.
            timeout: seconds to wait for the manifest's lock; None is the lock manager's setting.

        Returns:
            The task as it is now.

        Raises:
            UnknownTaskError: there is no such task.
            BlockedTaskError: it is to start or to be finished, but its dependencies are not.
            StatusUpdateError: the manifest cannot be rewritten.
            LockError: another process holds the manifest.
        """
        task = self.get(task_id)
        if task.format != NATIVE_FORMAT:
            raise StatusUpdateError(
                f"{task.span}: tasks of the format {task.format} keep no status that can be rewritten"
            )
        if status in (Status.IN_PROGRESS, Status.FINISHED):
            self.require_startable(task_id)
        file = task.span.file
        path = Path(os.path.realpath(self.root / file))
        with self.locks.acquire(task_id, exclusive=[file], timeout=timeout):
            try:
                data = path.read_bytes()
                changed = with_status(file, data, status)
                if changed != data:
                    scratch = StateDirectory(self.root).folder("scratch")
                    mode = stat.S_IMODE(path.stat().st_mode)
                    write_atomically(path, changed, durable=True, mode=mode, scratch=scratch)
            except OSError as error:
                raise StatusUpdateError(permission_hint(path, error)) from error
        self.reload()
        return self.get(task_id)

    def _is_finished(self, task_id: str, assumed: Collection[str], seen: set[str]) -> bool:
        task = self._tasks.get(task_id)
        if task is None or task_id in seen:
            return False
        if task.status in (Status.FINISHED, Status.ABSORBED):
            return True
        if task.format != NATIVE_FORMAT and not task.raw_status:
            # The format has no place for a status, so whether it has been run is not known here.
            return True
        parts = [reference.id for reference in task.subtasks]
        if task.status is not Status.BROKEN_DOWN or not parts:
            return False
        return all(part in assumed or self._is_finished(part, assumed, seen | {task_id}) for part in parts)

    def _unknown(self, task_id: str) -> str:
        near = difflib.get_close_matches(task_id, self._tasks, n=3, cutoff=0.5)
        if near:
            hint = f"did you mean {', '.join(repr(name) for name in near)}?"
        elif self._tasks:
            names = sorted(self._tasks, key=natural_key)
            hint = f"there are {len(names)} tasks, {names[0]!r} to {names[-1]!r}"
        else:
            hint = f"there are no tasks under {self.root}"
        return f"no task has the id {task_id!r}; {hint}"
