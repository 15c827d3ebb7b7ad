"""Invoke's tasks, collections and contexts; Fabric's tasks are of the same kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import METHODS, Machine, function, method
from taskgates.inference.models.task_runners.launching import run_text
from taskgates.inference.models.values.attribute_mappings import converted
from taskgates.inference.objects import Arguments, DictObj, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import concat
from taskgates.inference.values import (
    BOOL,
    FALSE,
    INT,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Native,
    TupleV,
    as_value,
    options,
    path_text,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.text import TextLike

TASK = "invoke.tasks.Task"
CALL = "invoke.tasks.Call"
COLLECTION = "invoke.collection.Collection"
CONTEXT = "invoke.context.Context"
PROXY = "invoke.config.DataProxy"
RESULT = "invoke.runners.Result"
SURROUNDING = "invoke.context.Surrounding"

PREFIXES = "invoke.prefixes"
"""The key of what stands in front of every command: `cd` and the texts of `prefix`."""
DRY = "invoke.dry"
"""The key of whether commands are only shown."""

_SETTINGS = ("name", "pre", "post", "default", "iterable", "optional", "positional", "incrementable", "aliases")


# Tasks


@function("invoke.task", "invoke.tasks.task", "fabric.task", "fabric.tasks.task", TASK, "invoke.Task")
def task(machine: Machine, args: Arguments) -> AnyValue:
    """`@task`, with or without settings; `@task(first, second)` names tasks to run before."""
    before = [value for value in args.pos if is_task(value)]

    def make(inner: Machine, given: Arguments) -> AnyValue:
        del inner
        made = Instance(Ext(TASK))
        made.slots["body"] = given.pos[0] if given.pos else UNKNOWN
        for name in _SETTINGS:
            if name in args.kw:
                made.slots[name] = args.kw[name]
        if before:
            made.slots["pre"] = ListObj("list", before)
        return made

    if args.pos and not before and isinstance(args.pos[0], FunctionV | Native):
        return make(machine, args)
    return Native("invoke.task", make)


@function("invoke.call", "invoke.tasks.call", CALL)
def call(machine: Machine, args: Arguments) -> AnyValue:
    """`call(task, *args, **kwargs)`: a task with its arguments, to run before or after another."""
    del machine
    made = Instance(Ext(CALL))
    made.slots["task"] = args.pos[0] if args.pos else UNKNOWN
    made.slots["args"] = TupleV(args.pos[1:])
    made.slots["kwargs"] = DictObj("dict", {Known(name): value for name, value in args.kw.items()})
    return made


@method(f"{TASK}.__call__")
def run_task(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """A task called as a function."""
    return machine.call(obj.slots.get("body", UNKNOWN), args)  # type: ignore[no-any-return]


def is_task(value: AnyValue) -> bool:
    """Whether a value is a task, or a task with its arguments."""
    return isinstance(value, Instance) and value.library_type in (TASK, CALL)


def name_of(value: Instance) -> str:
    """The name that a task has on the command line."""
    named = text_of(value.slots.get("name", NONE))
    body = value.slots.get("body")
    text = named if isinstance(named, str) else body.node.name if isinstance(body, FunctionV) else ""
    return dashed(text)


def dashed(name: str) -> str:
    """A name as the command line spells it."""
    return name.strip("_").replace("_", "-")


def texts_in(machine: Machine, value: AnyValue | None) -> list[str]:
    """The known strings in a list."""
    if not isinstance(value, ListObj | TupleV | DictObj):
        return []
    return [text for item in machine.iterate(value).items if isinstance(text := text_of(item), str)]


# Collections


def new_collection(name: str = "") -> Instance:
    """A collection with nothing in it."""
    made = Instance(Ext(COLLECTION))
    made.slots.update(
        {
            "name": Known(name),
            "tasks": DictObj(),
            "collections": DictObj(),
            "configuration": DictObj(),
            "default": NONE,
        }
    )
    return made


@function("invoke.Collection", COLLECTION)
def collection(machine: Machine, args: Arguments) -> AnyValue:
    """`Collection("name", task, module, other=task)`."""
    first = text_of(args.pos[0]) if args.pos else None
    made = new_collection(first if isinstance(first, str) else "")
    for value in args.pos[isinstance(first, str) :]:
        _add(machine, made, value, None)
    for name, value in args.kw.items():
        if name not in ("loaded_from", "auto_dash_names"):
            _add(machine, made, value, name)
    return made


def _add(machine: Machine, target: Instance, value: AnyValue, name: str | None, default: AnyValue = FALSE) -> None:
    if isinstance(value, ModuleV):
        value = from_module(machine, value)
    if not isinstance(value, Instance):
        machine.opaque("a collection of tasks gets something that is not known", other_code=True)
        return
    if value.library_type == COLLECTION:
        own = text_of(value.slots["name"])
        chosen = dashed(name or (own if isinstance(own, str) else ""))
        machine.put(target.slots["collections"], Known(chosen), value)
        if default == TRUE:
            machine.state.write(target.slots, "default", Known(chosen))
        return
    chosen = dashed(name) if name else name_of(value)
    machine.put(target.slots["tasks"], Known(chosen), value)
    for alias in texts_in(machine, value.slots.get("aliases")):
        machine.put(target.slots["tasks"], Known(dashed(alias)), value)
    if default == TRUE or value.slots.get("default") == TRUE:
        machine.state.write(target.slots, "default", Known(chosen))


def from_module(machine: Machine, module: ModuleV, name: str | None = None) -> Instance:
    """The collection of a module: the one that it calls `ns` or `namespace`, or that of its tasks."""
    own = name or module.name.rpartition(".")[2]
    for key in ("ns", "namespace"):
        found = module.slots.get(key)
        if isinstance(found, Instance) and found.library_type == COLLECTION:
            copy = new_collection()
            copy.slots.update(found.slots)
            if name or text_of(found.slots["name"]) == "":
                copy.slots["name"] = Known(own)
            return copy
    made = new_collection(own)
    for value in list(module.slots.values()):
        if isinstance(value, Instance) and value.library_type == TASK:
            _add(machine, made, value, None)
    return made


@function("invoke.Collection.from_module", f"{COLLECTION}.from_module")
def collection_from_module(machine: Machine, args: Arguments) -> AnyValue:
    """`Collection.from_module(module, name=None, config=None)`."""
    module = args.get(0, "module") or UNKNOWN
    if not isinstance(module, ModuleV):
        machine.opaque("a collection of tasks is made of a module that is not known", other_code=True)
        return new_collection()
    name = text_of(args.get(1, "name") or NONE)
    made = from_module(machine, module, name if isinstance(name, str) else None)
    config = args.get(2, "config")
    if isinstance(config, DictObj):
        _merge(machine, made.slots["configuration"], config)
    return made


@method(f"{COLLECTION}.add_task", f"{COLLECTION}.add_collection")
def add(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`add_task(task, name=None, aliases=None, default=None)`, `add_collection(collection, name=None)`."""
    name = text_of(args.get(1, "name") or NONE)
    value = args.pos[0] if args.pos else args.kw.get("task", args.kw.get("coll", UNKNOWN))
    _add(machine, obj, value, name if isinstance(name, str) else None, args.kw.get("default", FALSE))
    return NONE


@method(f"{COLLECTION}.configure")
def configure(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`configure(mapping)`."""
    given = args.get(0, "options")
    if isinstance(given, DictObj):
        _merge(machine, obj.slots["configuration"], given)
    return NONE


def _merge(machine: Machine, target: DictObj, value: DictObj) -> None:
    """Put a mapping over another one, level by level."""
    for key, item in value.known():
        before = target.slots.get(key)
        if isinstance(before, DictObj) and isinstance(item, DictObj):
            _merge(machine, before, item)
        else:
            machine.put(target, key, converted(item, target.kind))
    if value.rest is not None:
        machine.put(target, UNKNOWN, value.rest)


def found_in(target: Instance, path: Sequence[str]) -> tuple[Instance | None, list[Instance]]:
    """The task of a dotted name, and the collections on the way to it."""
    way = [target]
    for count, part in enumerate(path):
        tasks, inner = target.slots["tasks"], target.slots["collections"]
        entry = inner.slots.get(Known(dashed(part)))
        if isinstance(entry, Instance):
            target = entry
            way.append(target)
            continue
        found = tasks.slots.get(Known(dashed(part)))
        return (found if isinstance(found, Instance) and count == len(path) - 1 else None), way
    default = text_of(target.slots.get("default", NONE))
    if isinstance(default, str) and default and len(way) < 20:
        found, inner_way = found_in(target, [default])
        return found, [*way, *inner_way[1:]]
    return None, way


# Contexts


def new_context(machine: Machine, layers: Sequence[AnyValue] = ()) -> DictObj:
    """A context whose entries are what layers of settings say, the later over the earlier."""
    made = DictObj(CONTEXT)
    for layer in layers:
        if isinstance(layer, DictObj):
            converted_layer = converted(layer, PROXY)
            assert isinstance(converted_layer, DictObj)
            _merge(machine, made, converted_layer)
    return made


@function("invoke.Context", CONTEXT, "invoke.MockContext")
def context(machine: Machine, args: Arguments) -> AnyValue:
    """`Context(config)`, made by hand."""
    return new_context(machine, [args.get(0, "config") or NONE])


def _result(machine: Machine) -> AnyValue:
    del machine
    made = Instance(Ext(RESULT))
    made.slots.update(
        {"stdout": text_hole(slash=True), "stderr": text_hole(slash=True), "ok": BOOL, "failed": BOOL, "exited": INT}
    )
    made.slots["return_code"] = INT
    return made


@method(f"{CONTEXT}.run", f"{CONTEXT}.sudo", f"{CONTEXT}.local")
def run(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`c.run("shell text")`."""
    del obj
    variables: dict[str, TextLike] = {}
    for value in options(args.kw.get("env", NONE)):
        if isinstance(value, DictObj):
            for key, item in value.known():
                name, text = text_of(key), path_text(item)
                if isinstance(name, str) and text is not None:
                    variables[name] = text
    command = args.get(0, "command") or UNKNOWN
    if machine.library.get(DRY) == TRUE or args.kw.get("dry") == TRUE:
        return _result(machine)
    for option in options(command):
        text = text_of(option)
        if text is None:
            machine.opaque("a task runs a command that is not known", other_code=True)
            continue
        for prefix in reversed(_prefixes(machine)):
            text = concat(prefix, " && ", text)
        run_text(machine, text, variables)
    return _result(machine)


def _prefixes(machine: Machine) -> list[TextLike]:
    found = machine.library.get(PREFIXES)
    return [text for item in found.items if (text := text_of(item)) is not None] if isinstance(found, TupleV) else []


@method(f"{CONTEXT}.cd")
def surround(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`with c.cd("folder"):`; see `prefix`."""
    return _surrounding(machine, obj, args, "cd ")


@method(f"{CONTEXT}.prefix")
def prefix(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`with c.prefix("command"):` puts a command in front of every one in the block."""
    return _surrounding(machine, obj, args, "")


def _surrounding(machine: Machine, obj: DictObj, args: Arguments, verb: str) -> AnyValue:
    del machine, obj
    given = path_text(args.pos[0]) if args.pos else None
    made = Instance(Ext(SURROUNDING))
    made.slots["text"] = NONE if given is None else as_value(concat(verb, given))
    return made


@method(f"{SURROUNDING}.__enter__")
def enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The block begins."""
    del args
    before = machine.library.get(PREFIXES)
    machine.library[PREFIXES] = TupleV([*(before.items if isinstance(before, TupleV) else ()), obj.slots["text"]])
    return NONE


@method(f"{SURROUNDING}.__exit__")
def leave(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The block ends."""
    del obj, args
    before = machine.library.get(PREFIXES)
    if isinstance(before, TupleV):
        machine.library[PREFIXES] = TupleV(before.items[:-1])
    return NONE


@function("invoke.Exit", "invoke.exceptions.Exit")
def ending(machine: Machine, args: Arguments) -> AnyValue:
    """`Exit(message, code)`: raised, it ends the run."""
    del machine, args
    return Instance(Ext("builtins.SystemExit"))


for _name in list(METHODS):
    if _name.startswith("builtins.dict."):
        for _kind in (CONTEXT, PROXY):
            METHODS.setdefault(f"{_kind}.{_name.rpartition('.')[2]}", METHODS[_name])
