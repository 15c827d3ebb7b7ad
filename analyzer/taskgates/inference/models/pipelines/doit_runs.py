"""A run of doit: which tasks run, in which order, and what doit itself reads and writes beside their actions."""

from __future__ import annotations

import fnmatch
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.pipelines.doit_actions import needs_run, run_action
from taskgates.inference.models.pipelines.doit_tasks import Task, place_of_task, tasks_of
from taskgates.inference.models.system.program_lines import CommandLine, UsageError
from taskgates.inference.objects import Arguments, DictObj, ListObj
from taskgates.inference.values import (
    DATA,
    FALSE,
    NONE,
    TRUE,
    AnyValue,
    Ext,
    Known,
    TupleV,
    as_value,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taskgates.inference.models.pipelines.doit_records import Earlier
    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike

DEPTH = 60
"""How deep dependencies are followed."""


@dataclass
class Settings:
    """How a run goes.

    Attributes:
        formatting: how command lines are filled in.
        keep_going: whether tasks run after one that failed.
        single: whether the tasks that others depend on are left out.
        always: whether tasks run that are up to date.
        fresh: whether no earlier run is known.
        earlier: what is known of earlier runs.
        checker: how changes of a file are found: `md5` or `timestamp`.
    """

    formatting: str = "old"
    keep_going: bool = False
    single: bool = False
    always: bool = False
    fresh: bool = True
    earlier: Earlier | None = None
    checker: str = "md5"


@dataclass
class TaskTable:
    """The tasks of a namespace.

    Attributes:
        tasks: by name, in the order of their definitions.
        makers: which task makes a file.
    """

    tasks: dict[str, Task] = field(default_factory=dict)
    makers: dict[object, str] = field(default_factory=dict)

    def add(self, tasks: Sequence[Task]) -> None:
        """Take up tasks; those of the same names are replaced."""
        for task in tasks:
            self.tasks[task.name] = task
            for target in task.targets:
                self.makers.setdefault(target, task.name)
        for task in self.tasks.values():
            task.task_dep = self._expanded(task)

    def _expanded(self, task: Task) -> list[str]:
        """The tasks before a task: patterns resolved, and those that make what it depends on."""
        out: list[str] = []
        for name in task.task_dep:
            out.extend(fnmatch.filter(self.tasks, name) if "*" in name else [name])
        out.extend(maker for each in task.file_dep if (maker := self.makers.get(each)) is not None)
        return [name for name in dict.fromkeys(out) if name != task.name]

    def named(self, name: str) -> list[str]:
        """The tasks that a word of the command line stands for."""
        if "*" in name:
            return fnmatch.filter(self.tasks, name)
        if name in self.tasks:
            return [name]
        maker = self.makers.get(name)
        if maker is not None:
            return [maker]
        base = name.split(":", 1)[0]
        delayed = self.tasks[base].delayed if base in self.tasks else None
        return [base] if delayed is not None else []


class Run:
    """One run of tasks.

    Args:
        machine: the interpreter.
        table: the tasks.
        settings: how the run goes.
    """

    def __init__(self, machine: Machine, table: TaskTable, settings: Settings) -> None:
        self.machine = machine
        self.table = table
        self.settings = settings
        self.done: set[str] = set()
        self.failed: set[str] = set()
        self.torn: list[Task] = []
        self.stopped = False
        # Whether the file of earlier runs changes; None where it may.
        self.changes: bool | None = False

    def run(self, names: Sequence[str]) -> None:
        """Run tasks with what they depend on, then their teardown actions."""
        for name in names:
            self._visit(name, ())
            if self.stopped:
                break

    def tear_down(self) -> None:
        """The teardown actions of the tasks that ran, the last first."""
        for task in reversed(self.torn):
            with at_task(self.machine, task):
                for action in _members(task.get("teardown")):
                    run_action(self.machine, action, task, self.settings.formatting)

    def _visit(self, name: str, above: tuple[str, ...]) -> None:
        if name in self.done or self.stopped:
            return
        task = self.table.tasks.get(name)
        if task is None or len(above) > DEPTH or name in above:
            self.machine.opaque(f"doit: the task {name} cannot be run")
            return
        self.done.add(name)
        path = (*above, name)
        if not self.settings.single:
            for other in task.calc_dep:
                self._visit(other, path)
                self._extend(task, other)
            position = 0
            while position < len(task.task_dep):
                self._visit(task.task_dep[position], path)
                position += 1
        if task.delayed is not None:
            self._load(task, above)
            return
        if self.stopped or self.failed.intersection((*task.task_dep, *task.calc_dep)):
            self.failed.add(name)
            return
        self._perform(task, path)

    def _load(self, task: Task, above: tuple[str, ...]) -> None:
        """Call a creator that waited for another task, then run what it gives."""
        delayed = task.delayed
        assert delayed is not None
        if delayed.executed is not None:
            self._visit(delayed.executed, (*above, task.name))
        if not delayed.done:
            delayed.done = True
            try:
                self.table.add(tasks_of(self.machine, task.name, delayed.creator, delayed.arguments))
            except AbstractRaise as error:
                self.machine.note_end(error)
                self.stopped = True
                return
        made = self.table.tasks.get(task.name)
        if made is not None and made is not task:
            self.done.discard(task.name)
            self._visit(task.name, above)

    def _extend(self, task: Task, source: str) -> None:
        """Take over the dependencies that another task has worked out."""
        made = self.table.tasks[source].values if source in self.table.tasks else DictObj()
        known = {str(key.value): value for key, value in made.known() if isinstance(key, Known)}
        given = {name: known[name] for name in ("file_dep", "task_dep", "calc_dep") if name in known}
        if not given:
            return
        extra = Task(task.name)
        for name, value in given.items():
            texts = [text for item in _members(value) if (text := text_of(item)) is not None]
            if name == "file_dep":
                task.file_dep.extend(text for text in texts if text not in task.file_dep)
                extra.file_dep = list(task.file_dep)
            else:
                getattr(task, name).extend(text for text in texts if isinstance(text, str))
        self.table.add([task])

    def _perform(self, task: Task, path: tuple[str, ...]) -> None:
        machine = self.machine
        with at_task(machine, task):
            runs = True if self.settings.always else self._needs_run(task)
        if runs is False:
            if self.settings.earlier is not None:
                # Tasks that need what this one worked out are given what was kept of it.
                machine.merge_into(task.values, self.settings.earlier.kept(task))
            return
        if task.is_group and not _members(task.get("actions")) and not task.file_dep:
            # That it succeeded is kept like that of any other task.
            self.changes = True
            return
        self.changes = True if runs else self.changes or None
        if self.settings.earlier is not None:
            self.settings.earlier.ran.add(task.name)
        for name in task.setup:
            self._visit(name, path)
        if self.stopped:
            return
        options_of(machine, task, ())
        self._get_arguments(task)
        with at_task(machine, task, undecided=runs is None):
            if _members(task.get("teardown")):
                self.torn.append(task)
            gaps = machine.log.gaps
            unseen = False
            for action in _members(task.get("actions")):
                outcome = run_action(machine, action, task, self.settings.formatting)
                machine.merge_into(task.values, outcome.values)
                if outcome.failed:
                    self._fail(task)
                    return
            if machine.log.gaps > gaps:
                unseen = True
                self._presume_targets(task)
            for dependency in task.file_dep:
                if machine.exists(dependency) is False:
                    self._fail(task)
                    return
                if unseen or (self.settings.checker == "md5" and self._is_digested(task, dependency)):
                    machine.access(Operation.READ, as_value(dependency), "doit")

    def _needs_run(self, task: Task) -> bool | None:
        settings = self.settings
        groups = {}
        if settings.earlier is not None:
            groups = {each.name: each.task_dep for each in self.table.tasks.values() if each.is_group}
        return needs_run(self.machine, task, fresh=settings.fresh, earlier=settings.earlier, groups=groups)

    def _is_digested(self, task: Task, name: TextLike) -> bool:
        earlier = self.settings.earlier
        return earlier is None or earlier.is_read(self.machine, task, name)

    def _presume_targets(self, task: Task) -> None:
        """What the task says that it makes is made by what of it could not be seen, unless something seen makes it."""
        machine = self.machine
        for target in task.targets:
            place = machine.in_tree(target)
            if place is None or not (machine.wrote(place) or machine.made_folder(place)):
                machine.access(Operation.OVERWRITE, as_value(target), "doit")

    def _fail(self, task: Task) -> None:
        self.failed.add(task.name)
        if not task.conditional and not self.settings.keep_going:
            self.stopped = True

    def _get_arguments(self, task: Task) -> None:
        """Values that other tasks have worked out."""
        wanted = task.get("getargs")
        if not isinstance(wanted, DictObj):
            return
        assert task.options is not None
        for key, source in wanted.known():
            name = text_of(key)
            if not isinstance(name, str) or not isinstance(source, TupleV | ListObj) or not source.items:
                continue
            other = text_of(source.items[0])
            entry = text_of(source.items[1]) if len(source.items) > 1 else None
            found = self.table.tasks.get(other) if isinstance(other, str) else None
            if found is None:
                continue
            if found.is_group:
                base = len(found.name) + 1
                group = {
                    Known(sub[base:]): _value_of(self.table.tasks[sub], entry)
                    for sub in found.task_dep
                    if sub in self.table.tasks
                }
                task.options[name] = DictObj("dict", group)
            else:
                task.options[name] = _value_of(found, entry)

    # Cleaning

    def clean(self, names: Sequence[str], *, dependencies: bool, dry: bool) -> None:
        """Clean tasks: remove their targets, or do what they say instead."""
        order: list[str] = []
        for name in names:
            self._collect(name, order, dependencies=dependencies)
        for name in reversed(order):
            task = self.table.tasks[name]
            with at_task(self.machine, task):
                self._clean_task(task, dry=dry)

    def _collect(self, name: str, order: list[str], *, dependencies: bool) -> None:
        task = self.table.tasks.get(name)
        if task is None or name in order:
            return
        order.append(name)
        for other in (*task.setup, *task.task_dep):
            member = self.table.tasks.get(other)
            if dependencies or (member is not None and member.parent == name):
                self._collect(other, order, dependencies=dependencies)

    def _clean_task(self, task: Task, *, dry: bool) -> None:
        machine = self.machine
        how = task.get("clean")
        options_of(machine, task, ())
        if how == TRUE:
            if dry:
                return
            for target in task.targets:
                if machine.exists(target, "file") is not False:
                    machine.access(Operation.DELETE, as_value(target), "doit")
            return
        for action in _members(how):
            if action == Ext("doit.task.clean_targets"):
                for target in task.targets:
                    machine.access(Operation.DELETE, as_value(target), "doit")
            elif not dry:
                run_action(machine, action, task, self.settings.formatting)


def _value_of(task: Task, entry: object) -> AnyValue:
    if not isinstance(entry, str):
        return task.values
    known = dict(task.values.known())
    return known.get(Known(entry)) or task.values.rest or DATA


def _members(value: AnyValue) -> list[AnyValue]:
    if not isinstance(value, ListObj | TupleV):
        return []
    return [*value.items, *([value.rest] if value.rest is not None else [])]


@contextmanager
def at_task(machine: Machine, task: Task, *, undecided: bool = False) -> Iterator[None]:
    """What is done has the task's creator as its place, and is conditional where it is not certain to be done."""
    frame = place_of_task(task)
    doubts = task.conditional + undecided
    machine.undecided += doubts
    try:
        if frame is None:
            yield
        else:
            with machine.within(frame):
                yield
    finally:
        machine.undecided -= doubts


# Options of tasks


def options_of(machine: Machine, task: Task, words: Sequence[AnyValue]) -> list[AnyValue]:
    """Set a task's options from the words behind its name, once; the words that are left."""
    if task.options is not None:
        return list(words)
    task.options, rest = parsed_options(machine, task.parameters, words)
    return rest


def parsed_options(
    machine: Machine, parameters: Sequence[AnyValue], words: Sequence[AnyValue]
) -> tuple[dict[str, AnyValue], list[AnyValue]]:
    """The values of options by their descriptions, and the words that are left.

    Args:
        machine: the interpreter.
        parameters: dicts with `name`, `short`, `long`, `type`, `default`, `inverse`.
        words: the command line behind the task's name.
    """
    short, long = "", []
    names: dict[str, str] = {}
    kinds: dict[str, AnyValue] = {}
    values: dict[str, AnyValue] = {}
    inverse: dict[str, str] = {}
    for parameter in parameters:
        entries = {
            str(key.value): value
            for key, value in (parameter.known() if isinstance(parameter, DictObj) else ())
            if isinstance(key, Known)
        }
        name = text_of(entries.get("name", NONE))
        if not isinstance(name, str):
            continue
        kind = kinds[name] = entries.get("type", Ext("builtins.str"))
        values[name] = entries.get("default", NONE)
        takes = kind != Ext("builtins.bool")
        letter, word, opposite = (text_of(entries.get(each, NONE)) for each in ("short", "long", "inverse"))
        if isinstance(letter, str) and letter:
            short += letter + (":" if takes else "")
            names[letter] = name
        if isinstance(word, str) and word:
            long.append(word + ("=" if takes else ""))
            names[word] = name
        if isinstance(opposite, str) and opposite:
            long.append(opposite)
            inverse[opposite] = name
    try:
        line = CommandLine(words, short, long, names=names)
    except UsageError:
        return values, list(words)
    for name, kind in kinds.items():
        given = line.every(name)
        if given:
            values[name] = _converted(machine, kind, given)
    for word, name in inverse.items():
        if line.has(word):
            values[name] = FALSE
    return values, line.operands


def _converted(machine: Machine, kind: AnyValue, given: Sequence[AnyValue]) -> AnyValue:
    if kind == Ext("builtins.bool"):
        return TRUE
    if kind == Ext("builtins.list"):
        return ListObj("list", given)
    if kind == Ext("builtins.str"):
        return given[-1]
    try:
        return machine.call(kind, Arguments([given[-1]]))  # type: ignore[no-any-return]
    except AbstractRaise:
        return given[-1]


__all__ = ["Run", "Settings", "TaskTable", "at_task", "options_of", "parsed_options"]
