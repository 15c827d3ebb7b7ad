"""Variables of enclosing functions: which functions use them, and how long they live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.objects import DictObj, FunctionV, Instance, ListObj, Maybe
from taskgates.model.access import SharedKind
from taskgates.syntax import ir
from taskgates.syntax.walking import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.inference.frames import Frame


class Cells:
    """The variables of one call that functions inside it rebind.

    Args:
        flow: the number of the thread in which the call was made; 0 for the main one.

    Attributes:
        names: the variables.
        lasting: whether a function that uses them lives as long as the program.
    """

    __slots__ = ("flow", "lasting", "names")

    def __init__(self, flow: int) -> None:
        self.flow = flow
        self.names: set[str] = set()
        self.lasting = False


def declare(machine: Any, node: ir.Function, frame: Frame) -> None:
    """Note, where a function is defined, which variables of the calls around it the function rebinds."""
    for name in node.nonlocals:
        holder: Frame | None = frame
        while holder is not None and (holder.function is None or name not in (holder.locals or ())):
            holder = holder.parent
        if holder is not None:
            if holder.cells is None:
                holder.cells = Cells(machine.worker.serial if machine.worker is not None else 0)
            holder.cells.names.add(name)


def touch(machine: Any, holder: Frame, name: str, access: str, node: ir.Name | None) -> None:
    """Note that a variable of a call is read or rebound by a function inside it.

    It is shared while that function lives as long as the program, or runs in another thread than the call.
    """
    cells = holder.cells
    label = holder.label(name)
    several = machine.log.local_state
    if cells is None or not cells.lasting:
        elsewhere = machine.threads > 0 and (cells is None or cells.flow != machine.worker.serial)
        several[label] = several.get(label, False) or elsewhere
    else:
        several.pop(label, None)
    machine.shared(label, SharedKind.CLOSURE, access, node, obj=holder)


def holder_of(frame: Frame, slots: dict[Any, Any]) -> Frame:
    """The call around a function whose variables are in some slots."""
    current = frame
    while current.parent is not None and current.slots is not slots:
        current = current.parent
    return current


def keep(machine: Any, func: FunctionV) -> None:
    """Note that a function lives as long as the program, and with it what it uses of the calls around it."""
    for frame, name in used(func):
        if frame.cells is not None:
            frame.cells.lasting = True
        value = frame.slots.get(name)
        machine.own(value.value if isinstance(value, Maybe) else value, frame.label(name), SharedKind.CLOSURE.value)


def used(func: FunctionV) -> Iterator[tuple[Frame, str]]:
    """The variables of enclosing calls that a function mentions, with the calls that they belong to."""
    frame: Frame | None = func.frame
    if frame is None or frame.function is None:
        # Most functions stand within no other one.
        return
    names = _mentioned(func.node).difference(func.node.locals)
    while frame is not None and frame.function is not None:
        for name in sorted(names.intersection(frame.slots)):
            yield frame, name
        names -= frame.locals or frozenset()
        frame = frame.parent


def objects_used(func: FunctionV) -> Iterator[tuple[str, ListObj | DictObj | Instance]]:
    """The mutable objects among what a function mentions of enclosing calls, with the names of their variables."""
    for frame, name in used(func):
        slot = frame.slots[name]
        value = slot.value if isinstance(slot, Maybe) else slot
        if isinstance(value, ListObj | DictObj | Instance):
            yield frame.label(name), value


def _mentioned(function: ir.Function) -> frozenset[str]:
    """The names in a function and the functions inside it."""
    names: set[str] = set(function.nonlocals)
    for item in walk(function.params, function.body):
        if isinstance(item, ir.Name):
            names.add(item.id)
        elif isinstance(item, ir.Function):
            names.update(item.nonlocals)
    return frozenset(names)
