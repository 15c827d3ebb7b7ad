"""PyTorch's data sets: a loader asks the program's own data set for every one of its elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.registry import FUNCTIONS, Machine, method
from taskgates.inference.objects import Arguments, ClassV, Instance, ListObj
from taskgates.inference.values import INT, UNKNOWN, AnyValue, Known, TupleV, join

if TYPE_CHECKING:
    from taskgates.inference.objects import Heap

_LOADER = "torch.utils.data.DataLoader"


@method(f"{_LOADER}.__iter__")
def batches(machine: Machine, obj: Heap, args: Arguments) -> AnyValue:
    """One batch after the other, each the work of `collate_fn` on elements of the data set."""
    del args
    dataset: AnyValue = obj.slots.get("dataset", UNKNOWN)
    collate: AnyValue | None = obj.slots.get("collate_fn")
    content = samples(machine, dataset)
    every = [*content.items, *([content.rest] if content.rest is not None else [])]
    if not every:
        return TupleV(())
    if collate is None or (isinstance(collate, Known) and collate.value is None):
        return TupleV((), UNKNOWN)
    machine.undecided += 1
    try:
        batch = machine.call(collate, Arguments([ListObj("list", (), join(every))]))
    except AbstractRaise:
        machine.may_raise()
        batch = UNKNOWN
    finally:
        machine.undecided -= 1
    return TupleV((), batch)


def samples(machine: Machine, dataset: AnyValue) -> TupleV:
    """The elements of a data set: those of its own `__iter__`, or one for each index below its length."""
    if not isinstance(dataset, Instance):
        return machine.iterate(dataset) if isinstance(dataset, ListObj | TupleV) else TupleV((), UNKNOWN)
    if not isinstance(dataset.cls, ClassV):
        inner = dataset.slots.get("dataset")
        return samples(machine, inner) if inner is not None else TupleV((), UNKNOWN)
    if machine.has_attr(dataset, "__iter__"):
        return machine.iterate(dataset)  # type: ignore[no-any-return]
    if not machine.has_attr(dataset, "__getitem__"):
        return TupleV((), UNKNOWN)
    size = FUNCTIONS["builtins.len"](machine, Arguments([dataset])) if machine.has_attr(dataset, "__len__") else None
    count = size.value if isinstance(size, Known) and isinstance(size.value, int) else None
    getter = machine.get_attr(dataset, "__getitem__")
    if count is not None and count <= machine.limits.unroll:
        return TupleV(machine.call(getter, Arguments([Known(index)])) for index in range(count))
    machine.undecided += 1
    try:
        return TupleV((), machine.call(getter, Arguments([INT])))
    except AbstractRaise:
        return TupleV((), UNKNOWN)
    finally:
        machine.undecided -= 1
