"""What doit has kept of earlier runs: which tasks succeeded, with which files and results.

The file holds an entry for each task: `deps:` lists its files, each of which has an entry of its own with time, size
and MD5; `_values_:` and `result:` are what its actions gave; `checker:` names how changes were found.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.objects import DictObj
from taskgates.inference.text import concat

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from taskgates.inference.models.pipelines.doit_tasks import Task
    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike
    from taskgates.inference.values import AnyValue

_PLACE = re.compile(r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"), \((\d+), (\d+)\)")
"""A line of the index of `dbm.dumb`: the key, and where its value begins and how long it is."""

_CHECKERS = {"md5": "MD5Checker", "timestamp": "TimestampChecker"}
_SQLITE = b"SQLite format 3\0"
_NANO = 1_000_000_000


@dataclass
class Earlier:
    """What is known of earlier runs.

    Attributes:
        tasks: the entry of each task by its name.
        checker: how changes of a file are found: `md5` or `timestamp`.
        ran: the tasks that have run meanwhile, or may have.
    """

    tasks: dict[str, dict[str, Any]]
    checker: str = "md5"
    ran: set[str] = field(default_factory=set)

    def unchanged(self, machine: Machine, task: Task) -> bool | None:
        """Whether the files that a task depends on are those of its last success; None where that cannot be told."""
        entry = self.tasks.get(task.name)
        wanted = _CHECKERS.get(self.checker)
        names = {name for name in task.file_dep if isinstance(name, str)}
        if wanted is None or len(names) != len(task.file_dep):
            return None
        if entry is None or entry.get("checker:") not in (None, wanted):
            return False
        before = entry.get("deps:")
        if before and set(before) != names:
            return False
        results = [self._same(machine, entry.get(name), name) for name in sorted(names)]
        if False in results:
            return False
        return None if None in results else True

    def _same(self, machine: Machine, state: object, name: str) -> bool | None:
        place = machine.in_tree(name)
        if place is None or machine.wrote(place) or machine.tree.kind(place) != "file":
            return False if state is None else None
        if self.checker == "timestamp":
            return None if not isinstance(state, int | float) else _is_time(machine, place, state)
        if not isinstance(state, list) or len(state) != 3:
            return False
        if _is_time(machine, place, state[0]):
            return True
        if machine.tree.size(place) != state[1]:
            return False
        data = machine.content(name)
        return None if data is None else hashlib.md5(data, usedforsecurity=False).hexdigest() == state[2]

    def is_read(self, machine: Machine, task: Task, name: TextLike) -> bool:
        """Whether a success of a task makes a new digest of a file: not where its time is that of the last one."""
        state = self.tasks.get(task.name, {}).get(name) if isinstance(name, str) else None
        place = machine.in_tree(name) if isinstance(state, list) and state else None
        return place is None or bool(machine.wrote(place)) or not _is_time(machine, place, state[0])  # type: ignore[index]

    def ran_once(self, task: Task) -> bool:
        """Whether a task that is to run once has."""
        return bool(self._values(task).get("run-once"))

    def is_configured(self, task: Task, config: AnyValue) -> bool | None:
        """Whether a configuration is that of the last success."""
        saved = self._values(task).get("_config_changed")
        if saved is None:
            return False
        try:
            value = to_python(config)
            text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        except (NotKnown, TypeError, ValueError):
            return None
        digest = text if isinstance(value, str) else hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        return bool(saved == digest)

    def has_result(self, task: Task, other: str, members: Collection[str] | None) -> bool | None:
        """Whether another task still has the result that a task saw at its last success.

        Args:
            task: the task.
            other: the task whose result counts.
            members: its sub-tasks, where it is a group.
        """
        if self.ran & {other, *(members or ())}:
            return None
        if members is None:
            now: object = self.tasks.get(other, {}).get("result:")
        else:
            now = {name: self.tasks.get(name, {}).get("result:") for name in members}
        saved = self._values(task).get(f"_result:{other}")
        return False if saved is None else bool(saved == now)

    def kept(self, task: Task) -> DictObj:
        """The values of a task at its last success."""
        values = from_python(self._values(task))
        return values if isinstance(values, DictObj) else DictObj("dict")

    def _values(self, task: Task) -> dict[str, Any]:
        found = self.tasks.get(task.name, {}).get("_values_:")
        return found if isinstance(found, dict) else {}


def _is_time(machine: Machine, place: str, seconds: object) -> bool:
    when = machine.tree.modified(place)
    return when is not None and when / _NANO == seconds


def earlier_runs(machine: Machine, place: TextLike, backend: str) -> dict[str, dict[str, Any]] | None:
    """The entries of all tasks; None where the file of earlier runs cannot be read.

    Args:
        machine: the interpreter.
        place: the file's name; the back end `dbm` adds endings.
        backend: `dbm`, `json` or `sqlite3`.
    """
    index = machine.content(concat(place, ".dir")) if backend == "dbm" else None
    data = machine.content(concat(place, ".dat") if index is not None else place)
    if data is None:
        return None
    try:
        if index is not None:
            pairs = list(_dumb_entries(index.decode("latin-1"), data))
        elif data.startswith(_SQLITE):
            columns = "task_id, task_data FROM doit" if backend == "sqlite3" else "key, value FROM Dict"
            pairs = _sqlite_entries(data, f"SELECT {columns}")
        elif backend == "json":
            found = json.loads(data)
            return found if isinstance(found, dict) else None
        else:
            return None
        entries = {_text(key): json.loads(value) for key, value in pairs}
    except (ValueError, SyntaxError, sqlite3.Error, RecursionError):
        return None
    return entries if all(isinstance(entry, dict) for entry in entries.values()) else None


def _dumb_entries(index: str, data: bytes) -> Iterator[tuple[Any, Any]]:
    for line in index.splitlines():
        match = _PLACE.fullmatch(line.strip())
        if match is not None:
            start, size = int(match[2]), int(match[3])
            yield ast.literal_eval(match[1]), data[start : start + size]


def _sqlite_entries(data: bytes, query: str) -> list[tuple[Any, Any]]:
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(data)
        return [(row[0], row[1]) for row in connection.execute(query)]
    finally:
        connection.close()


def _text(key: object) -> str:
    return key.decode() if isinstance(key, bytes) else str(key)


__all__ = ["Earlier", "earlier_runs"]
