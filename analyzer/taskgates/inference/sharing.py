"""Objects of one function that its threads share: local lists, tables and instances that are handed to workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.enclosed import objects_used
from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Heap, Instance, ListObj
from taskgates.inference.values import AnyValue, BoundMethod, Method, Partial, TupleV
from taskgates.model.access import SharedKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.inference.frames import Frame


def lend(machine: Any, func: AnyValue, args: Arguments, *, several: bool) -> None:
    """Note what a worker thread is handed, so that its changes of it are seen as changes of shared state.

    One worker alone shares with nobody, as far as its starter waits for it: the object counts once a second worker gets
    it, many of them run, or the starter touches it meanwhile.

    Args:
        machine: the interpreter.
        func: what the worker runs.
        args: the arguments that it gets.
        several: whether many such workers run at a time.
    """
    handed = {id(value): (name, value) for name, value in _handed(machine, func, args)}
    for key, (name, value) in handed.items():
        if value.owner is None:
            machine.own(value, name, SharedKind.CLOSURE.value)
            machine.lent[key] = value
            machine.log.local_state.setdefault(name, several)
        elif key in machine.lent and value.owner[0] in machine.log.local_state:
            machine.log.local_state[value.owner[0]] = True


def _handed(machine: Any, func: AnyValue, args: Arguments) -> Iterator[tuple[str, Heap]]:
    """The mutable objects that a worker can reach at once, with the names of the variables that hold them."""
    while isinstance(func, BoundMethod | Partial | Method):
        if isinstance(func, Method):
            # A thread object: its `run` calls what it was made with.
            if not isinstance(func.self, Instance):
                return
            for slot in ("args", "kwargs"):
                yield from _inside(machine, func.self.slots.get(slot))
            target = func.self.slots.get("target") or func.self.slots.get("function")
            if target is None:
                return
            func = target
            continue
        if isinstance(func, BoundMethod):
            yield from _named(machine, func.self)
        else:
            for value in func.args.every():
                yield from _named(machine, value)
        func = func.func
    for value in args.every():
        yield from _named(machine, value)
    if isinstance(func, FunctionV):
        yield from ((name, value) for name, value in objects_used(func) if not _guards(machine, value))


def _inside(machine: Any, value: Any) -> Iterator[tuple[str, Heap]]:
    """The mutable objects among the elements of a sequence or mapping."""
    items: Any = ()
    if isinstance(value, TupleV | ListObj):
        items = value.items
    elif isinstance(value, DictObj):
        items = [item for _, item in value.known()]
    for item in items:
        yield from _named(machine, item)


def _named(machine: Any, value: AnyValue) -> Iterator[tuple[str, Heap]]:
    if not isinstance(value, ListObj | DictObj | Instance) or _guards(machine, value):
        return
    frame: Frame | None = machine.frame
    while frame is not None:
        for key, slot in frame.slots.items():
            if slot is value and isinstance(key, str) and value is not frame.self_value:
                yield frame.label(key), value
                return
        frame = frame.parent
    if isinstance(value, Instance) and isinstance(value.cls, ClassV):
        yield f"{value.cls.qualname}.<object>", value
    elif machine.frame is not None:
        yield machine.frame.label("<object>"), value


def _guards(machine: Any, value: Heap) -> bool:
    """Whether an object is a lock: to share it is what it is for, and its name stays."""
    return isinstance(value, Instance) and machine.is_lock(value)
