"""A repository that is asked about some of its tasks: manifests read once, code followed only for the tasks asked."""

from __future__ import annotations

import difflib
import fnmatch
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from taskgates.config import Config, load_config
from taskgates.gates.relations import GroupError, Relations
from taskgates.manifests import load_tasks
from taskgates.model.natural_order import natural_key
from taskgates.model.task import Status
from taskgates.scan.inference_run import InferenceSetup, InternalError, Progress, infer_all, infer_one, silent
from taskgates.scan.measure import TextSizes, task_footprint
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from taskgates.gates.budget import Measured
    from taskgates.gates.footprint import Footprint
    from taskgates.model.access import AccessSet
    from taskgates.model.finding import Problem
    from taskgates.model.task import Command, Task


class UnknownTaskError(GroupError):
    """An id, or a glob over ids, names no task; the message suggests the nearest."""


class Repository:
    """The tasks of a repository and what they touch, worked out when asked and kept.

    Attributes:
        root: the folder.
        config: the settings in force.
        tree: answers questions about the files.
        errors: bugs that the inference ran into; the access sets of those tasks say that they are incomplete.

    Args:
        root: the folder; the working directory when None.
        config: the settings; read from the repository and the environment when None.
        environ: environment variables that the code may be taken to see.
        use_cache: whether results of earlier runs are used and kept under `.taskgates/cache`.
        infer: whether code is followed; otherwise the declarations are believed.
        jobs: processes that follow the code.
        progress: told how far it is.

    Raises:
        ConfigError: the settings cannot be used.
    """

    def __init__(
        self,
        root: Path | str | None = None,
        config: Config | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        use_cache: bool = True,
        infer: bool = True,
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> None:
        self.root = Path() if root is None else Path(root)
        if not self.root.is_dir():
            raise NotADirectoryError(f"{self.root} is not a folder; name the root of a repository")
        self.config = load_config(self.root, environ=os.environ) if config is None else config
        self.tree = Tree(self.root, self.config.scan.exclude)
        self.errors: list[InternalError] = []
        self._setup = InferenceSetup(self.root, self.config, environ or {}, use_cache)
        self._infers = infer
        self._jobs = jobs
        self._progress = progress or silent
        self._sizes = TextSizes(self.tree)
        self._access: dict[str, AccessSet | None] = {}
        self._footprints: dict[str, Footprint] = {}
        self._measured: dict[str, Measured | None] = {}
        self._problems: dict[Problem, None] = {}

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """Every task of every manifest."""
        self._progress("Reading manifests", 0, 0)
        loaded = load_tasks(self.tree)
        self._problems.update(dict.fromkeys(loaded.problems))
        return loaded.tasks

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the manifests and with the sources that were followed so far."""
        return tuple(self._problems)

    @cached_property
    def relations(self) -> Relations:
        """Who depends on whom, and who is whose parent, over all tasks."""
        return Relations(self.tasks)

    def select(self, patterns: Iterable[str] | None = None, *, include_finished: bool = False) -> list[str]:
        """The ids that ids and globs over ids (`110_*`) name, each once, in natural order.

        A task that is named outright counts whatever its state; a glob picks those that may still run.

        Args:
            patterns: ids and globs; None for every task.
            include_finished: whether globs pick finished, absorbed and broken-down tasks too.

        Raises:
            UnknownTaskError: an entry names nothing.
        """
        eligible = [task.id for task in self.tasks if include_finished or task.status.may_run]
        if patterns is None:
            return sorted(eligible, key=natural_key)
        found: dict[str, None] = {}
        missing: list[str] = []
        for pattern in patterns:
            if pattern in self.relations:
                found[pattern] = None
                continue
            matching = [task_id for task_id in eligible if fnmatch.fnmatchcase(task_id, pattern)]
            if not matching:
                missing.append(self._unknown(pattern))
            found.update(dict.fromkeys(matching))
        if missing:
            raise UnknownTaskError("; ".join(missing))
        return sorted(found, key=natural_key)

    def access(self, task_id: str) -> AccessSet | None:
        """What the task's code does; None for a task without code.

        Raises:
            UnknownTaskError: there is no such task.
        """
        self._follow([task_id])
        return self._access[task_id]

    def command(self, command: Command) -> AccessSet:
        """What a command line does."""
        found, problems = infer_one(self._setup, command)
        self._problems.update(dict.fromkeys(problems))
        if found is None:
            raise ValueError(f"{command} has no code to follow")
        return found

    def footprints(self, ids: Sequence[str]) -> list[Footprint]:
        """What each of the tasks touches, in the same order.

        Raises:
            UnknownTaskError: there is no such task.
        """
        self._follow(ids)
        for task_id in ids:
            if task_id not in self._footprints:
                self._footprints[task_id] = task_footprint(self.relations.task(task_id), self._access[task_id])
        return [self._footprints[task_id] for task_id in ids]

    def measured(self, ids: Sequence[str]) -> dict[str, Measured]:
        """The size of the text that each of the tasks brings; those without any file are absent.

        Raises:
            UnknownTaskError: there is no such task.
        """
        self._follow(ids)
        fresh = [self.relations.task(task_id) for task_id in ids if task_id not in self._measured]
        access_sets = {task.id: access for task in fresh if (access := self._access[task.id]) is not None}
        sizes = self._sizes.of_tasks(fresh, access_sets)
        self._measured.update((task.id, sizes.get(task.id)) for task in fresh)
        return {task_id: known for task_id in ids if (known := self._measured[task_id]) is not None}

    def running(self, outside: Iterable[str]) -> list[str]:
        """The tasks that are in progress, in natural order, less those given; one with parts is done by its parts."""
        left_out = set(outside)
        parents = {self.relations.ids[parent] for parent in self.relations.parents if parent >= 0}
        return sorted(
            (
                task.id
                for task in self.tasks
                if task.status is Status.IN_PROGRESS and task.id not in left_out and task.id not in parents
            ),
            key=natural_key,
        )

    def _follow(self, ids: Iterable[str]) -> None:
        """Infer what is not known yet."""
        wanted = [task_id for task_id in dict.fromkeys(ids) if task_id not in self._access]
        unknown = [self._unknown(task_id) for task_id in wanted if task_id not in self.relations]
        if unknown:
            raise UnknownTaskError("; ".join(unknown))
        tasks = [self.relations.task(task_id) for task_id in wanted]
        with_code = [task for task in tasks if self._infers and (task.command is not None or task.sources)]
        if with_code:
            inferred = infer_all(self._setup, with_code, self._progress, jobs=self._jobs)
            self._access.update(inferred.access_sets)
            self._problems.update(dict.fromkeys(inferred.problems))
            self.errors.extend(inferred.errors)
        for task_id in wanted:
            self._access.setdefault(task_id, None)

    def _unknown(self, task_id: str) -> str:
        ids = self.relations.ids
        near = difflib.get_close_matches(task_id, ids, n=3, cutoff=0.5)
        done = sum(fnmatch.fnmatchcase(each, task_id) for each in ids)
        if done:
            many = f"{done} tasks match" if done > 1 else "one task matches"
            return (
                f"no task that may still run matches {task_id!r}; {many} that {'are' if done > 1 else 'is'} finished, "
                "absorbed or broken down: include finished tasks (--include-finished)"
            )
        if near:
            hint = f"did you mean {', '.join(map(repr, near))}?"
        elif ids:
            ordered = sorted(ids, key=natural_key)
            hint = f"there are {len(ids)} tasks, {ordered[0]!r} to {ordered[-1]!r}"
        else:
            hint = f"there are no tasks under {self.tree.root}"
        return f"no task has the id {task_id!r}; {hint}"
