"""doit's tasks: what the task creators of a namespace give, as tasks with their dependencies, targets and actions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeGuard

from taskgates.inference.frames import Frame
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Instance, ListObj, Maybe, ModuleV
from taskgates.inference.renderings import render
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    Native,
    Partial,
    TupleV,
    Unknown,
    options,
    path_text,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from taskgates.inference.text import TextLike

PREFIX = "task_"
CREATOR = "create_doit_tasks"
TASK = "doit.task.Task"
DELAYED = "doit_create_after"
PARAMETERS = "_task_creator_params"

TASKS = 2_000
"""Tasks of one namespace that are looked at."""

NESTING = 20
"""Generators that may yield generators."""


@dataclass
class Delayed:
    """A task creator that runs only after another task.

    Attributes:
        creator: what is called.
        executed: the task that comes first; None where there is none.
        arguments: keyword arguments of the call.
        done: whether it has been called.
    """

    creator: AnyValue
    executed: str | None
    arguments: dict[str, AnyValue]
    done: bool = False


@dataclass
class Task:
    """One task.

    Attributes:
        name: `task` or `task:sub`.
        attributes: the entries of the dict that describes it.
        creator: the function that made it; its place is that of what the task itself does.
        file_dep: files that it depends on.
        targets: files that it makes.
        task_dep: tasks that come first, patterns resolved.
        calc_dep: tasks that give further dependencies.
        setup: tasks that come first where this one runs.
        sources: those of them that come first because the task takes values of theirs, whose results count.
        parent: the group that it belongs to.
        is_group: whether it stands for its sub-tasks.
        parameters: descriptions of its options.
        options: values of its options, once they are known.
        positional: what the command line gives beyond its options.
        values: what its actions returned.
        delayed: the creator of the real task; None when this is it.
        conditional: whether it is not certain that there is such a task.
    """

    name: str
    attributes: dict[str, AnyValue] = field(default_factory=dict)
    creator: AnyValue | None = None
    file_dep: list[TextLike] = field(default_factory=list)
    targets: list[TextLike] = field(default_factory=list)
    task_dep: list[str] = field(default_factory=list)
    calc_dep: list[str] = field(default_factory=list)
    setup: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    parent: str | None = None
    is_group: bool = False
    parameters: list[AnyValue] = field(default_factory=list)
    options: dict[str, AnyValue] | None = None
    positional: list[AnyValue] | None = None
    values: DictObj = field(default_factory=DictObj)
    delayed: Delayed | None = None
    conditional: bool = False

    def get(self, name: str) -> AnyValue:
        """An attribute of the task's description; None where it has none."""
        return self.attributes.get(name, NONE)


def names_in(machine: Machine, value: AnyValue) -> list[TextLike]:
    """The strings and paths of a list, in order; a single one where there is no list."""
    found: list[TextLike] = []
    for option in options(value):
        if isinstance(option, ListObj | TupleV):
            members = [*option.items, *([option.rest] if option.rest is not None else [])]
        elif option == NONE:
            continue
        elif path_text(option) is not None:
            members = [option]
        else:
            content = machine.iterate(option)
            members = [*content.items, *([content.rest] if content.rest is not None else [])]
        for member in members:
            for each in options(member):
                text = path_text(each)
                found.append(text if text is not None else render(each))
    return list(dict.fromkeys(found))


def known_names(machine: Machine, value: AnyValue) -> list[str]:
    """The wholly known strings of a list."""
    return [name for name in names_in(machine, value) if isinstance(name, str)]


def place_of_task(task: Task) -> Frame | None:
    """A frame at the task's creator, so that what the task does has a place; None where that has no source."""
    func = task.creator
    while isinstance(func, BoundMethod | Partial):
        func = func.func
    if not isinstance(func, FunctionV):
        return None
    return Frame(func.module, func.qualname, {}, None, func)


# Creators


@dataclass
class Creator:
    """A task creator of a namespace: its task's name, and what is called."""

    name: str
    value: AnyValue


def creators(machine: Machine, namespace: Mapping[object, AnyValue]) -> list[Creator]:
    """The task creators of a namespace, in the order of their definitions."""
    found: list[tuple[int, int, Creator]] = []
    for name, slot in list(namespace.items()):
        if not isinstance(name, str):
            continue
        for value in options(slot.value if isinstance(slot, Maybe) else slot):
            creator = _creator(machine, name, value)
            if creator is not None:
                found.append((_line(creator.value), len(found), creator))
    return [creator for _, _, creator in sorted(found, key=lambda each: each[:2])]


def _creator(machine: Machine, name: str, value: AnyValue) -> Creator | None:
    if name.startswith(PREFIX) and isinstance(value, FunctionV | BoundMethod):
        return Creator(name.removeprefix(PREFIX), value)
    method: AnyValue | None = None
    if isinstance(value, FunctionV | ModuleV) and CREATOR in value.slots:
        method = value.slots[CREATOR]
    elif (isinstance(value, Instance) and machine.has_attr(value, CREATOR)) or (
        isinstance(value, ClassV) and any(isinstance(base, ClassV) and CREATOR in base.slots for base in value.mro)
    ):
        method = machine.get_attr(value, CREATOR)
    if method is None:
        return None
    base = method.slots.get("basename") if isinstance(method, FunctionV) else None
    text = text_of(base) if base is not None else None
    return Creator(text if isinstance(text, str) else name, method)


def _function(value: AnyValue) -> FunctionV | None:
    while isinstance(value, BoundMethod | Partial):
        value = value.func
    return value if isinstance(value, FunctionV) else None


def _line(value: AnyValue) -> int:
    """A number that orders functions of one file as they stand in it."""
    func = _function(value)
    return func.node.pos if func is not None else 0


def creator_files(found: Iterable[Creator]) -> list[str]:
    """The files that define the creators: doit looks up the line of each."""
    files = [func.module.file for creator in found if (func := _function(creator.value)) is not None]
    return list(dict.fromkeys(file for file in files if file and not file.startswith(("/", "<"))))


def mark_of(value: AnyValue, name: str) -> AnyValue | None:
    """What a decorator of doit left at a function."""
    func = _function(value)
    slot = func.slots.get(name) if func is not None else None
    return slot.value if isinstance(slot, Maybe) else slot


# Results of creators


def tasks_of(machine: Machine, name: str, creator: AnyValue, arguments: dict[str, AnyValue]) -> list[Task]:
    """Call a creator; the tasks that it gives, groups of sub-tasks included.

    Raises:
        AbstractRaise: the creator certainly raises.
    """
    result = machine.call(creator, Arguments((), dict(arguments)))
    made: dict[str, Task] = {}
    choices = options(result)
    for option in choices:
        found: dict[str, Task] = {}
        if isinstance(option, DictObj):
            task = _returned(machine, name, option, creator)
            found[task.name] = task
        elif is_task_object(option):
            task = _object(machine, option, creator)
            found[task.name] = task
        elif isinstance(option, Unknown):
            machine.opaque(f"the tasks of {name} are not known", other_code=True)
        elif option != NONE:
            elements = list(_elements(machine, option))
            for element in elements[:TASKS]:
                _add_yielded(machine, name, element, creator, found)
            if len(elements) > TASKS:
                machine.opaque(f"more than {TASKS} tasks of {name}")
            if not elements:
                found[name] = Task(name, creator=creator, is_group=True)
        for each in found.values():
            each.conditional = len(choices) > 1
        made.update(found)
    return list(made.values())


def _elements(machine: Machine, value: AnyValue, depth: int = 0) -> Iterator[AnyValue]:
    """What a generator yields, generators within it included."""
    if depth > NESTING:
        machine.opaque("generators of tasks nest too deeply")
        return
    content = machine.iterate(value)
    for item in (*content.items, *([content.rest] if content.rest is not None else [])):
        for option in options(item):
            if isinstance(option, ListObj):
                yield from _elements(machine, option, depth + 1)
            else:
                yield option


def is_task_object(value: AnyValue) -> TypeGuard[Instance]:
    """Whether a value is a task that the program made itself."""
    return isinstance(value, Instance) and isinstance(value.cls, Ext) and value.cls.name == TASK


def _entries(description: DictObj) -> dict[str, AnyValue]:
    return {
        key.value: item for key, item in description.known() if isinstance(key, Known) and isinstance(key.value, str)
    }


def _shown(value: AnyValue) -> str:
    return str(render(value))


def _returned(machine: Machine, name: str, description: DictObj, creator: AnyValue) -> Task:
    entries = _entries(description)
    base = entries.pop("basename", None)
    return _task(machine, _shown(base) if base is not None else name, entries, creator)


def _object(machine: Machine, value: Instance, creator: AnyValue) -> Task:
    entries = {key: item for key, item in value.slots.items() if isinstance(key, str)}
    return _task(machine, _shown(entries.pop("name", Known(""))), entries, creator)


def _add_yielded(machine: Machine, name: str, value: AnyValue, creator: AnyValue, made: dict[str, Task]) -> None:
    """Add what a generator yields: a sub-task, the description of the group, or a task of its own."""
    if is_task_object(value):
        task = _object(machine, value, creator)
        made[task.name] = task
        return
    if not isinstance(value, DictObj):
        if not isinstance(value, Known):
            machine.opaque(f"a task of {name} is not known", other_code=True)
        return
    entries = _entries(value)
    base = entries.pop("basename", None)
    own = entries.pop("name", None)
    group = _shown(base) if base is not None else name
    if own is None:
        made[group] = _task(machine, group, entries, creator)
        return
    if own == NONE:
        # It takes the place of a group whose sub-tasks were yielded before: they no longer belong to one.
        made[group] = _task(machine, group, {**entries, "actions": NONE}, creator)
        made[group].is_group = True
        return
    task = _task(machine, f"{group}:{_shown(own)}", entries, creator)
    task.parent = group
    # Partly known names may coincide: both tasks exist.
    while task.name in made:
        task.name += "'"
    made.setdefault(group, Task(group, creator=creator, is_group=True)).task_dep.append(task.name)
    made[task.name] = task


def _task(machine: Machine, name: str, entries: dict[str, AnyValue], creator: AnyValue) -> Task:
    task = Task(name, entries, creator)
    task.file_dep = names_in(machine, task.get("file_dep"))
    task.targets = names_in(machine, task.get("targets"))
    task.task_dep = known_names(machine, task.get("task_dep"))
    task.calc_dep = known_names(machine, task.get("calc_dep"))
    task.setup = known_names(machine, task.get("setup"))
    if isinstance(task.get("params"), ListObj | TupleV):
        task.parameters = list(task.get("params").items)  # type: ignore[union-attr]
    for check in _members(task.get("uptodate")):
        if is_result_dep(check):
            task.task_dep.extend(known_names(machine, check.slots["task"]))
    arguments = task.get("getargs")
    if isinstance(arguments, DictObj):
        for _, source in arguments.known():
            first = source.items[0] if isinstance(source, TupleV | ListObj) and source.items else NONE
            text = text_of(first)
            if isinstance(text, str) and text not in task.setup:
                task.setup.append(text)
                task.sources.append(text)
    return task


def _members(value: AnyValue) -> list[AnyValue]:
    if value == NONE or not isinstance(value, ListObj | TupleV):
        return []
    return [*value.items, *([value.rest] if value.rest is not None else [])]


RESULT_DEP = "doit.task.result_dep"


def is_result_dep(value: AnyValue) -> TypeGuard[Instance]:
    """Whether an up-to-date check is one of another task's result."""
    return isinstance(value, Instance) and isinstance(value.cls, Ext) and value.cls.name == RESULT_DEP


# What dodo files call


@function("doit.create_after", "doit.loader.create_after")
def create_after(machine: Machine, args: Arguments) -> AnyValue:
    """`@create_after(executed, target_regex, creates)`."""
    del machine
    delayed = Instance(Ext("doit.task.DelayedLoader"))
    delayed.slots["executed"] = args.get(0, "executed") or NONE
    delayed.slots["creates"] = args.get(2, "creates") or NONE
    return _marking(DELAYED, delayed)


@function("doit.task_params", "doit.loader.task_params")
def task_params(machine: Machine, args: Arguments) -> AnyValue:
    """`@task_params(definitions)`."""
    del machine
    return _marking(PARAMETERS, args.get(0, "param_def") or UNKNOWN)


def _marking(name: str, value: AnyValue) -> Native:
    def mark(machine: Machine, args: Arguments) -> AnyValue:
        target = args.pos[0] if args.pos else UNKNOWN
        func = _function(target)
        if func is not None:
            machine.state.write(func.slots, name, value)
        return target

    return Native(f"doit.{name}", mark)


@function(TASK)
def make_task(machine: Machine, args: Arguments) -> AnyValue:
    """`Task(name, actions, file_dep, ...)`."""
    del machine
    made = Instance(Ext(TASK))
    order = ("name", "actions", "file_dep", "targets", "task_dep", "uptodate", "calc_dep", "setup", "clean", "teardown")
    made.slots.update(dict(zip(order, args.pos, strict=False)))
    made.slots.update(args.kw)
    return made


@function("doit.task.dict_to_task")
def dict_to_task(machine: Machine, args: Arguments) -> AnyValue:
    """`dict_to_task(description)`."""
    given = args.pos[0] if args.pos else args.kw.get("task_dict", UNKNOWN)
    return make_task(machine, Arguments((), _entries(given))) if isinstance(given, DictObj) else UNKNOWN


@function(RESULT_DEP, "doit.tools.result_dep")
def result_dep(machine: Machine, args: Arguments) -> AnyValue:
    """`result_dep(task)`: the task comes first."""
    del machine
    made = Instance(Ext(RESULT_DEP))
    made.slots["task"] = args.get(0, "dep_task_name") or NONE
    return made
