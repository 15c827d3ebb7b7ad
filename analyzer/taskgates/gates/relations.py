"""Order between tasks: dependencies, their transitive closure, and parents."""

from __future__ import annotations

import struct
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from taskgates.gates.components import strongly_connected_components
from taskgates.model.natural_order import natural_key
from taskgates.model.task import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from taskgates.model.task import Task

_FEW_BITS = 12


class GroupError(ValueError):
    """A group of tasks cannot be judged or divided; the message says which task and why."""


def known_group(ids: Iterable[str], relations: Relations) -> list[str]:
    """The ids in natural order, each once.

    Raises:
        GroupError: naming every id that no task has.
    """
    wanted = sorted(set(ids), key=natural_key)
    unknown = [task_id for task_id in wanted if task_id not in relations]
    if unknown:
        raise GroupError(f"unknown task{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)}")
    return wanted


class UnknownReference(msgspec.Struct, frozen=True):
    """A task names another that does not exist.

    Attributes:
        task_id: the task that names it.
        reference: the id and the place where it stands.
        role: `dependency`, `parent` or `subtask`.
    """

    task_id: str
    reference: Reference
    role: str


class RedundantDependency(msgspec.Struct, frozen=True):
    """A dependency that others imply already.

    Attributes:
        task_id: the task that declares it.
        reference: the superfluous dependency.
        through: a direct dependency of the task that leads to it.
    """

    task_id: str
    reference: Reference
    through: str


class Relations:
    """The dependency and parent relations of a set of tasks.

    Reachability is kept as one integer a task, bit `j` of which says that task `j` is reached: for 10,000 tasks that is
    12 MB at worst and one machine operation for 64 of them. Tasks of one dependency cycle reach each other and
    themselves. Of tasks with the same id the first counts.

    Attributes:
        ids: task ids in the order given.
        position: index of each id in `ids`.
        dependencies: for each position, the positions of the direct dependencies that exist; each once, itself
            left out.
        parents: for each position, the position of the parent; -1 without one. `subtasks` of the parent count too.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks: list[Task] = []
        self.position: dict[str, int] = {}
        for task in tasks:
            if task.id not in self.position:
                self.position[task.id] = len(self._tasks)
                self._tasks.append(task)
        self.ids: tuple[str, ...] = tuple(self.position)
        self.dependencies: list[tuple[int, ...]] = []
        self.parents: list[int] = [-1] * len(self._tasks)
        for index, task in enumerate(self._tasks):
            known = (self.position.get(reference.id, index) for reference in task.depends_on)
            self.dependencies.append(tuple(dict.fromkeys(other for other in known if other != index)))
            if task.parent is not None:
                self.parents[index] = self.position.get(task.parent.id, -1)
        for index, task in enumerate(self._tasks):
            for reference in task.subtasks:
                child = self.position.get(reference.id)
                if child is not None and child != index and self.parents[child] < 0:
                    self.parents[child] = index

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, task_id: object) -> bool:
        return task_id in self.position

    def task(self, task_id: str) -> Task:
        """The task of that id; KeyError when there is none."""
        return self._tasks[self.position[task_id]]

    @property
    def tasks(self) -> Sequence[Task]:
        """The tasks, those with a repeated id left out."""
        return self._tasks

    @cached_property
    def reach(self) -> list[int]:
        """For each position, the bitset of positions on which it depends, directly or through others."""
        # Components come dependencies first, so that each is one pass over its members' edges. The closure is kept as
        # bitsets and not as a graph of networkx: this is the hot loop, and a row is united with another, or tested
        # against one, in a single step.
        reach = [0] * len(self.ids)
        for component in strongly_connected_components(self.dependencies):
            members = 0
            if len(component) > 1:
                for index in component:
                    members |= 1 << index
            bits = members
            for index in component:
                for other in self.dependencies[index]:
                    if not members >> other & 1:
                        bits |= reach[other] | 1 << other
            for index in component:
                reach[index] = bits
        return reach

    @cached_property
    def ancestor_bits(self) -> list[int]:
        """For each position, the bitset of its parent, the parent's parent and so on."""
        bits: list[int | None] = [None] * len(self.ids)
        for start in range(len(self.ids)):
            chain: list[int] = []
            current = start
            while current >= 0 and bits[current] is None:
                bits[current] = 0  # also ends a loop of parents
                chain.append(current)
                current = self.parents[current]
            for index in reversed(chain):
                parent = self.parents[index]
                bits[index] = 0 if parent < 0 else (bits[parent] or 0) | 1 << parent
        return [each or 0 for each in bits]

    def depends_on(self, first: str, second: str) -> bool:
        """Whether `first` must wait for `second`, directly or through others; False for unknown ids."""
        one, two = self.position.get(first), self.position.get(second)
        return one is not None and two is not None and bool(self.reach[one] >> two & 1)

    def related(self, first: str, second: str) -> bool:
        """Whether one depends on the other, directly or through others, or is its parent or a parent's parent."""
        one, two = self.position.get(first), self.position.get(second)
        return one is not None and two is not None and self.related_at(one, two)

    def related_at(self, one: int, two: int) -> bool:
        """`related` for positions."""
        reach, ancestors = self.reach, self.ancestor_bits
        return bool(
            (reach[one] >> two & 1)
            or (reach[two] >> one & 1)
            or (ancestors[one] >> two & 1)
            or (ancestors[two] >> one & 1)
        )

    def may_run_together(self, first: str, second: str) -> bool:
        """Whether nothing declared keeps the two apart: they are two tasks, and not `related`."""
        return first != second and not self.related(first, second)

    def ancestors(self, task_id: str) -> tuple[str, ...]:
        """The parent, the parent's parent and so on; a loop of parents ends where it closes."""
        chain: list[str] = []
        current = self.parents[self.position[task_id]]
        while current >= 0 and self.ids[current] != task_id and self.ids[current] not in chain:
            chain.append(self.ids[current])
            current = self.parents[current]
        return tuple(chain)

    def all_dependencies(self, task_id: str) -> tuple[str, ...]:
        """Every task for which this one must wait, in input order."""
        return tuple(self.ids[index] for index in bits_of(self.reach[self.position[task_id]]))

    @cached_property
    def unknown_references(self) -> tuple[UnknownReference, ...]:
        """Dependencies, parents and subtasks that no task has as its id."""
        found: list[UnknownReference] = []
        for task in self._tasks:
            roles = [("dependency", reference) for reference in task.depends_on]
            if task.parent is not None:
                roles.append(("parent", task.parent))
            roles.extend(("subtask", reference) for reference in task.subtasks)
            found.extend(
                UnknownReference(task.id, reference, role)
                for role, reference in roles
                if reference.id not in self.position
            )
        return tuple(found)

    @cached_property
    def redundant_dependencies(self) -> tuple[RedundantDependency, ...]:
        """Dependencies outside the transitive reduction; those inside a cycle are left to the cycle's report.

        A dependency named twice is redundant the second time, through itself.
        """
        # The closure above answers this by the way; `networkx.transitive_reduction` takes no graph with a cycle, and
        # does not say through what a dependency is implied.
        found: list[RedundantDependency] = []
        for index, task in enumerate(self._tasks):
            seen: set[int] = set()
            for reference in task.depends_on:
                target = self.position.get(reference.id)
                if target is None or target == index:
                    continue
                if target in seen:
                    found.append(RedundantDependency(task.id, reference, reference.id))
                    continue
                seen.add(target)
                if self.reach[target] >> index & 1:
                    continue
                for other in self.dependencies[index]:
                    # Around a cycle everything reaches everything, which makes nothing in it superfluous.
                    around = self.reach[other] >> index & 1 or self.reach[target] >> other & 1
                    if other != target and self.reach[other] >> target & 1 and not around:
                        found.append(RedundantDependency(task.id, reference, self.ids[other]))
                        break
        return tuple(found)


def bits_of(mask: int) -> list[int]:
    """The positions of the set bits, ascending."""
    positions: list[int] = []
    if mask.bit_count() <= _FEW_BITS:
        while mask:
            low = mask & -mask
            positions.append(low.bit_length() - 1)
            mask ^= low
        return positions
    base = 0
    # Sixty-four bits at a time: shifting the whole number once a bit would be quadratic.
    for (word,) in struct.iter_unpack("<Q", mask.to_bytes((mask.bit_length() + 63) // 64 * 8, "little")):
        while word:
            low = word & -word
            positions.append(base + low.bit_length() - 1)
            word ^= low  # noqa: PLW2901 (the word is consumed bit by bit)
        base += 64
    return positions
