"""Objects of one function that its threads share: local lists, tables and instances that are handed to workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.objects import Arguments, DictObj, FunctionV, Heap, Instance, ListObj, Maybe
from taskgates.inference.values import AnyValue, BoundMethod, Method, Partial, TupleV
from taskgates.model.access import SharedKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.inference.frames import Frame


def lend(machine: Any, func: AnyValue, args: Arguments, *, several: bool) -> None:
    """Note what a worker thread is handed, so that its changes of it are seen as changes of shared state.

    One worker alone shares with nobody, as far as its starter waits for it; so an object counts from the second worker
    on that gets it, or from the first if many of them run.

    Args:
        machine: the interpreter.
        func: what the worker runs.
        args: the arguments that it gets.
        several: whether many such workers run at a time.
    """
    for name, value in _handed(machine, func, args):
        if value.owner is not None:
            continue
        if several or id(value) in machine.lent:
            machine.own(value, name, SharedKind.CLOSURE.value)
            machine.log.local_state.add(name)
        else:
            machine.lent[id(value)] = value


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
    frame: Frame | None = func.frame if isinstance(func, FunctionV) else None
    while frame is not None and frame.function is not None:
        for key, slot in list(frame.slots.items()):
            value = slot.value if isinstance(slot, Maybe) else slot
            if isinstance(key, str) and isinstance(value, ListObj | DictObj | Instance):
                yield f"{frame.module.dotted}.{frame.qualname}.{key}", value
        frame = frame.parent


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
    if not isinstance(value, ListObj | DictObj | Instance):
        return
    frame: Frame | None = machine.frame
    while frame is not None:
        for key, slot in frame.slots.items():
            if slot is value and isinstance(key, str):
                yield f"{frame.module.dotted}.{frame.qualname}.{key}", value
                return
        frame = frame.parent
    if machine.frame is not None:
        yield f"{machine.frame.module.dotted}.{machine.frame.qualname}.<object>", value
