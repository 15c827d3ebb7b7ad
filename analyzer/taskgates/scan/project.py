"""What rules look at: the tasks of a repository with everything that is known about them, computed once, when asked."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING

from taskgates.config import Config
from taskgates.gates.conflicts import Conflict, ConflictIndex, ConflictKind, Flow
from taskgates.gates.cycles import CycleReport, cycles_with_flows
from taskgates.gates.footprint import Origin
from taskgates.gates.host import HostMeasurement, measure_host
from taskgates.gates.relations import Relations
from taskgates.gates.shared_state import SharedConflict, find_shared_conflicts
from taskgates.model.access import AccessSet
from taskgates.model.patterns import PathPattern
from taskgates.model.task import Status, Task
from taskgates.scan.declared import Declared, Touched, literal_folder
from taskgates.scan.measure import TextSizes, task_footprint
from taskgates.scan.path_index import PathIndex
from taskgates.tree.lock_records import LockRecordError, lock_holders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from taskgates.gates.budget import Measured
    from taskgates.gates.footprint import Footprint
    from taskgates.model.finding import Problem
    from taskgates.tree.lock_records import LockHolder
    from taskgates.tree.tree import Tree

_log = logging.getLogger(__name__)


class Project:
    """The tasks of one repository, their access sets, and what the gates make of both.

    Attributes:
        root_tree: answers questions about the files of the repository.
        config: the settings in force.
        all_tasks: every task of every manifest, finished ones included.
        tasks: the tasks that findings are about: those that may still run, or all with `include_finished`.
        access_sets: what each task's code does, by task id; a task without code is absent.
        problems: what was wrong with manifests and sources.

    Args:
        tasks: every task, in the order of the manifests.
        access_sets: by task id; a missing id or None stands for a task without code.
        tree: the repository's files.
        config: the settings; the defaults when None.
        problems: what readers complained about.
        include_finished: whether finished, absorbed and broken-down tasks take part.
        host: the state of the machine; measured when first asked for when None.
        locks: the locks that are held; those in the record of the repository when None.
    """

    def __init__(
        self,
        tasks: Iterable[Task],
        access_sets: Mapping[str, AccessSet | None],
        *,
        tree: Tree,
        config: Config | None = None,
        problems: Iterable[Problem] = (),
        include_finished: bool = False,
        host: HostMeasurement | None = None,
        locks: Iterable[LockHolder] | None = None,
    ) -> None:
        self.tree = tree
        self.config = config if config is not None else Config()
        self.all_tasks: tuple[Task, ...] = tuple(tasks)
        self.tasks: tuple[Task, ...] = tuple(task for task in self.all_tasks if include_finished or task.status.may_run)
        self.access_sets: dict[str, AccessSet] = {
            task_id: access for task_id, access in access_sets.items() if access is not None
        }
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.include_finished = include_finished
        self._host = host
        self._locks = None if locks is None else tuple(locks)
        self._declared: dict[str, Declared] = {}
        self._touched: dict[str, Touched] = {}

    @cached_property
    def by_id(self) -> dict[str, Task]:
        """Every task by its id."""
        return {task.id: task for task in self.all_tasks}

    def access(self, task: Task) -> AccessSet | None:
        """What the task's code does; None for a task without code."""
        return self.access_sets.get(task.id)

    def declared(self, task: Task) -> Declared:
        """What the task declares, compiled."""
        if task.id not in self._declared:
            self._declared[task.id] = Declared(task)
        return self._declared[task.id]

    @cached_property
    def relations(self) -> Relations:
        """Who depends on whom and who is whose parent, over all tasks."""
        return Relations(self.all_tasks)

    @cached_property
    def footprints(self) -> tuple[Footprint, ...]:
        """What each of `tasks` touches, in the same order."""
        return tuple(task_footprint(task, self.access(task)) for task in self.tasks)

    @cached_property
    def footprint_by_id(self) -> dict[str, Footprint]:
        """The footprints by task id."""
        return {footprint.task_id: footprint for footprint in self.footprints}

    @cached_property
    def conflict_index(self) -> ConflictIndex:
        """The touches of `tasks`, gathered by path."""
        return ConflictIndex(self.footprints)

    @cached_property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Every conflict between tasks that may run together, files that both only read left out."""
        return tuple(self.conflict_index.find(self.relations))

    @cached_property
    def shared_conflicts(self) -> tuple[SharedConflict, ...]:
        """Every piece of state in memory that two tasks share which may run together, one of them changing it."""
        return tuple(find_shared_conflicts(self.footprints, self.relations))

    def conflicts_of(self, kind: ConflictKind) -> Iterator[Conflict]:
        """The conflicts of one kind."""
        if kind is ConflictKind.READ_READ:
            found: Iterable[Conflict] = self.conflict_index.find(self.relations, read_read=True)
        else:
            found = self.conflicts
        return (conflict for conflict in found if conflict.kind is kind)

    @cached_property
    def flows(self) -> tuple[Flow, ...]:
        """Where data goes from the code of one of `tasks` to the code of another, whatever the order between them."""
        return tuple(self.conflict_index.flows())

    @cached_property
    def cycles(self) -> CycleReport:
        """What is circular among the tasks that are not done; one that was broken down is done when its parts are."""
        done = () if self.include_finished else (Status.FINISHED, Status.ABSORBED)
        waiting = [task for task in self.all_tasks if task.status not in done]
        return cycles_with_flows(Relations(waiting), self.flows)

    @cached_property
    def _writers(self) -> PathIndex:
        # Whoever may still run edits what it declares; of a finished task only what its program writes still comes.
        index = PathIndex()
        for task, footprint in zip(self.tasks, self.footprints, strict=True):
            for touch in footprint.writes:
                if touch.origin is not Origin.EDIT or task.status.may_run:
                    index.add(PathPattern(touch.path), task.id)
        return index

    def writers_of(self, pattern: PathPattern) -> tuple[str, ...]:
        """The tasks that edit or write some path of the pattern, in the order of the manifests."""
        return self._writers.owners(pattern)

    def touched(self, task: Task) -> Touched:
        """What the task's code touches, compiled; nothing for a task without code."""
        if task.id not in self._touched:
            self._touched[task.id] = Touched(self.access(task) or AccessSet())
        return self._touched[task.id]

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The files of the repository that its ignore rules leave, sorted."""
        return tuple(self.tree.walk())

    def files_matching(self, pattern: PathPattern) -> list[str]:
        """The files of the repository that a pattern matches."""
        return [path for path in self.files if pattern.matches(path)]

    def exists(self, pattern: PathPattern) -> bool:
        """Whether something on disk matches a pattern of the repository; ignored files count when named outright."""
        known = pattern.literal if pattern.literal is not None else literal_folder(pattern)
        if known is not None:
            return self.tree.kind(known) is not None
        return any(pattern.matches(path) for path in self.files) or bool(self.tree.glob(pattern.text, hidden=True))

    @cached_property
    def host(self) -> HostMeasurement:
        """The state of the machine."""
        return self._host if self._host is not None else measure_host()

    @cached_property
    def locks(self) -> tuple[LockHolder, ...]:
        """The file locks of tasks that run, or were killed; none where the record of them is damaged."""
        if self._locks is not None:
            return self._locks
        try:
            return lock_holders(self.tree.root)
        except LockRecordError as error:
            _log.warning("the locks that are held are not known: %s", error)
            return ()

    @cached_property
    def in_progress(self) -> tuple[Task, ...]:
        """Those of `tasks` that are being done, in the order of the manifests; one with parts is done by its parts."""
        parents = {self.relations.ids[parent] for parent in self.relations.parents if parent >= 0}
        return tuple(task for task in self.tasks if task.status is Status.IN_PROGRESS and task.id not in parents)

    @cached_property
    def measured(self) -> dict[str, Measured]:
        """The size of the text that each of `tasks` brings; tasks without any are absent."""
        return TextSizes(self.tree).of_tasks(self.tasks, self.access_sets)

    def is_area(self, path: str) -> bool:
        """Whether a declared path stands for more than one file: a glob, or a folder (also one without a slash)."""
        pattern = PathPattern(path)
        return pattern.literal is None or self.tree.kind(pattern.literal) == "folder"
