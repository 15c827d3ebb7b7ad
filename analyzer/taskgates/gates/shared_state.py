"""Mutable state that several tasks share: in memory, and in the few files that tasks use to coordinate.

A *shared conflict* is a pair of tasks that touch the same in-memory state, one of them writing, with no lock in common.
A *hazard* is a file or a piece of state whose role makes concurrent use go wrong in a known way (a counter, a progress
file, a configuration, a database, a rate limit), together with the protection that fits that role.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from taskgates.gates.conflicts import ConflictKind, Weight, find_conflicts
from taskgates.gates.footprint import Footprint, Touch
from taskgates.model.access import Operation, SharedAccess, SharedKind
from taskgates.model.natural_order import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from taskgates.gates.conflicts import Conflict
    from taskgates.gates.relations import Relations


class SharedConflict(msgspec.Struct, frozen=True):
    """Two tasks that touch the same in-memory state without a common guard.

    Attributes:
        first: the task that comes first in natural order of ids.
        second: the other.
        name: the state.
        kind: where it lives.
        weight: blocking when both write it; a warning when one only reads, and for the state of a process, which tasks
            share only when they run in one.
        first_access: the first task's touch.
        second_access: the second task's touch.
    """

    first: str
    second: str
    name: str
    kind: SharedKind
    weight: Weight
    first_access: SharedAccess
    second_access: SharedAccess


def find_shared_conflicts(
    footprints: Sequence[Footprint],
    relations: Relations | None = None,
    *,
    process_state: bool = False,
    separate_processes: bool = False,
) -> list[SharedConflict]:
    """Every pair of tasks that may run together and share mutable state unguarded; one for each pair and name.

    Args:
        footprints: what each task touches.
        relations: pairs that are related share in peace; None looks at every pair.
        process_state: whether to report the state of a process (working directory, environment) as well.
        separate_processes: whether each task runs in a process of its own, where memory is not shared: nothing is
            blocking then, though tasks that count on seeing each other's changes will not.

    Returns:
        Blocking ones first, then by ids in natural order, then by name.
    """
    by_name: dict[str, dict[str, list[SharedAccess]]] = {}
    for footprint in footprints:
        for access in footprint.shared_state:
            if access.local or (access.kind is SharedKind.PROCESS and not process_state):
                continue
            by_name.setdefault(access.name, {}).setdefault(footprint.task_id, []).append(access)
    found: list[SharedConflict] = []
    for name, users in by_name.items():
        if len(users) < 2 or not any(access.access == "write" for group in users.values() for access in group):
            continue
        ids = sorted(users, key=natural_key)
        for index, first in enumerate(ids):
            for second in ids[index + 1 :]:
                pair = _unguarded(users[first], users[second])
                if pair is None or (relations is not None and relations.related(first, second)):
                    continue
                one, two = pair
                in_memory = one.kind is not SharedKind.PROCESS and not separate_processes
                both = one.access == two.access == "write"
                weight = Weight.BLOCKING if both and in_memory else Weight.WARNING
                found.append(SharedConflict(first, second, name, one.kind, weight, one, two))
    found.sort(key=lambda each: (each.weight.value, natural_key(each.first), natural_key(each.second), each.name))
    return found


def _unguarded(first: list[SharedAccess], second: list[SharedAccess]) -> tuple[SharedAccess, SharedAccess] | None:
    """The gravest pair of touches, one of them a write, under no common lock."""
    best: tuple[int, SharedAccess, SharedAccess] | None = None
    for one in first:
        for two in second:
            writes = (one.access == "write") + (two.access == "write")
            if writes and not _common(one, two) and (best is None or writes > best[0]):
                best = (writes, one, two)
    return best[1:] if best is not None else None


def _common(one: SharedAccess, two: SharedAccess) -> set[str]:
    """The locks that guard both touches: one that a function makes for itself is another one in every task."""
    return {guard for guard in one.guards if guard in two.guards and "<lock" not in guard}


def shared_state_resources(
    footprints: Sequence[Footprint], first_free: int
) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Unguarded sharing as resources for batching: two tasks are kept apart when one checks what the other marks.

    State that nobody guards is two resources, touched and written; where guards matter every pair is one.

    Args:
        footprints: what each task touches.
        first_free: number of the first resource to use.

    Returns:
        By task, what it marks and what it checks.
    """
    marks: dict[str, list[int]] = {}
    checks: dict[str, list[int]] = {}
    users: dict[str, list[tuple[str, bool]]] = {}
    guarded: set[str] = set()
    for footprint in footprints:
        for access in footprint.shared_state:
            if access.kind is not SharedKind.PROCESS:
                users.setdefault(access.name, []).append((footprint.task_id, access.access == "write"))
                if access.guards:
                    guarded.add(access.name)
    number = first_free
    users = {name: group for name, group in users.items() if any(writes for _, writes in group)}
    for name in sorted(users.keys() - guarded):
        for task_id, writes in users[name]:
            marks.setdefault(task_id, []).extend((number, number + 1) if writes else (number,))
            checks.setdefault(task_id, []).append(number if writes else number + 1)
        number += 2
    with_guards = [
        msgspec.structs.replace(
            footprint, shared_state=tuple(access for access in footprint.shared_state if access.name in guarded)
        )
        for footprint in footprints
        if any(access.name in guarded for access in footprint.shared_state)
    ]
    for conflict in find_shared_conflicts(with_guards):
        for task_id in (conflict.first, conflict.second):
            marks.setdefault(task_id, []).append(number)
            checks.setdefault(task_id, []).append(number)
        number += 1
    return marks, checks


class HazardKind(StrEnum):
    """The role that makes shared use dangerous."""

    COUNTER = "counter"
    PROGRESS_FILE = "progress-file"
    CONFIGURATION = "shared-configuration"
    DATABASE = "database-connection"
    RATE_LIMIT = "rate-limit-counter"

    @property
    def protection(self) -> str:
        """The protection that fits the role."""
        return _PROTECTIONS[self]


_PROTECTIONS: Final = {
    HazardKind.COUNTER: (
        "make the increment one atomic operation: create the next id with exclusive creation, or read and replace the "
        "file under one exclusive lock"
    ),
    HazardKind.PROGRESS_FILE: (
        "hold a file lock over reading and writing, or give each task a file of its own and merge them at the end"
    ),
    HazardKind.CONFIGURATION: (
        "write it before the tasks start and only read it afterwards, or replace it atomically under a file lock"
    ),
    HazardKind.DATABASE: (
        "give each task a connection of its own from a pool, with a busy timeout and write-ahead logging, and keep "
        "write transactions short"
    ),
    HazardKind.RATE_LIMIT: (
        "count in one limiter that all tasks ask (a token bucket behind a lock, or a limiter service), not in each task"
    ),
}

# Words are looked for in the last two segments of a path, and in the last part of a dotted name.
_ROLES: Final = (
    (HazardKind.RATE_LIMIT, re.compile(r"rate.?limit|limiter|throttl|quota|token.?bucket|requests?.(?:made|count)")),
    (
        HazardKind.COUNTER,
        re.compile(r"counter|(?:next|last|max|current).?(?:id|num|index)|sequence|(?:^|[/._-])seq\b|autoinc"),
    ),
    (
        HazardKind.DATABASE,
        re.compile(r"\.(?:db|db3|sqlite|sqlite3|duckdb|mdb|lmdb)$|(?:^|[._])(?:conn|connection|engine|pool|db)$"),
    ),
    (
        HazardKind.PROGRESS_FILE,
        re.compile(r"progress|status|checkpoint|done\.|completed|task.?(?:list|overview|state)|journal"),
    ),
    (
        HazardKind.CONFIGURATION,
        re.compile(r"config|settings|preferences|(?:^|/)\.env|\.(?:ini|cfg|toml)$|(?:^|[._])(?:env|environ|options)$"),
    ),
)


def role_of(subject: str) -> HazardKind | None:
    """The role that the name of a file or of a piece of state gives away; None for an ordinary one."""
    tail = "/".join(subject.rsplit("/", 2)[-2:]).lower()
    for kind, words in _ROLES:
        if words.search(tail):
            return kind
    return None


class Hazard(msgspec.Struct, frozen=True):
    """Something shared whose role makes concurrent use go wrong.

    Attributes:
        kind: the role.
        subject: the path, or the dotted name.
        tasks: the tasks that use it and may run together, in natural order; at least two, at least one of them writing.
        touches: their touches of the file, task by task; empty for state in memory.
        accesses: their touches of the state, task by task; empty for files.
    """

    kind: HazardKind
    subject: str
    tasks: tuple[str, ...]
    touches: tuple[tuple[str, Touch], ...] = ()
    accesses: tuple[tuple[str, SharedAccess], ...] = ()

    @property
    def protection(self) -> str:
        """The protection that fits the role."""
        return self.kind.protection


def find_hazards(footprints: Sequence[Footprint], relations: Relations | None = None) -> list[Hazard]:
    """What several tasks share whose role is known to be dangerous; one hazard for each file or name."""
    return hazards_among(find_conflicts(footprints, relations), find_shared_conflicts(footprints, relations))


def hazards_among(conflicts: Iterable[Conflict], shared_conflicts: Iterable[SharedConflict]) -> list[Hazard]:
    """`find_hazards` for conflicts that are known already."""
    files: dict[str, dict[str, tuple[Touch, ...]]] = {}
    for conflict in conflicts:
        if conflict.kind in (ConflictKind.EDIT_IMPORT, ConflictKind.READ_READ):
            continue
        users = files.setdefault(conflict.path, {})
        for task_id, touches in ((conflict.first, conflict.first_touches), (conflict.second, conflict.second_touches)):
            users.setdefault(task_id, touches)
    found: list[Hazard] = []
    for path, users in files.items():
        kind = role_of(path)
        if kind is not None:
            ids = tuple(sorted(users, key=natural_key))
            proofs = tuple((task_id, touch) for task_id in ids for touch in users[task_id])
            found.append(Hazard(kind, path, ids, touches=proofs))
    states: dict[str, dict[str, SharedAccess]] = {}
    for shared in shared_conflicts:
        if shared.kind is not SharedKind.PROCESS:
            holders = states.setdefault(shared.name, {})
            holders.setdefault(shared.first, shared.first_access)
            holders.setdefault(shared.second, shared.second_access)
    for name, holders in states.items():
        kind = role_of(name.rpartition(".")[2])
        if kind is not None:
            ids = tuple(sorted(holders, key=natural_key))
            accesses = tuple((task_id, holders[task_id]) for task_id in ids)
            found.append(Hazard(kind, name, ids, accesses=accesses))
    found.sort(key=lambda hazard: (hazard.kind.value, hazard.subject))
    return found


class ReadModifyWrite(msgspec.Struct, frozen=True):
    """One task's code reads a file and writes it back.

    Attributes:
        task_id: the task.
        path: the file.
        read: where it is read.
        write: where it is written.
    """

    task_id: str
    path: str
    read: Touch
    write: Touch


_REWRITES: Final = frozenset({Operation.OVERWRITE, Operation.UPDATE, Operation.CREATE, Operation.RENAME})


def find_read_modify_writes(footprints: Sequence[Footprint]) -> Iterator[ReadModifyWrite]:
    """Files that a task's code reads and rewrites, each task and path once; one's own text read back counts not."""
    for footprint in footprints:
        reads = {touch.path: touch for touch in reversed(footprint.reads) if touch.site is not None and not touch.own}
        seen: set[str] = set()
        for touch in footprint.writes:
            if touch.site is None or touch.operation not in _REWRITES or touch.path in seen:
                continue
            if touch.path in reads:
                seen.add(touch.path)
                yield ReadModifyWrite(footprint.task_id, touch.path, reads[touch.path], touch)
