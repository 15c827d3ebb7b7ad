"""Progress bars: objects that give the elements of what they were made with, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import FUNCTIONS, Machine, function, method
from taskgates.inference.objects import Arguments, Instance
from taskgates.inference.values import INT, NONE, AnyValue, Ext, Known, TupleV

if TYPE_CHECKING:
    from taskgates.inference.objects import Heap

BAR = "tqdm.tqdm"
_ELEMENTS = "iterable"


@function(BAR)
def bar(machine: Machine, args: Arguments) -> AnyValue:
    """`tqdm(iterable, ...)`: without one, a bar that the program moves itself."""
    del machine
    out = Instance(Ext(BAR))
    out.slots[_ELEMENTS] = args.get(0, _ELEMENTS, NONE) or NONE
    return out


@method(f"{BAR}.__iter__", f"{BAR}.__aiter__")
def elements(machine: Machine, obj: Heap, args: Arguments) -> AnyValue:
    """The elements, in their order."""
    del machine, args
    value: AnyValue = obj.slots.get(_ELEMENTS, NONE)
    return TupleV(()) if isinstance(value, Known) and value.value is None else value


@method(f"{BAR}.__len__")
def length(machine: Machine, obj: Heap, args: Arguments) -> AnyValue:
    """`len(bar)`."""
    del args
    value: AnyValue = obj.slots.get(_ELEMENTS, NONE)
    if isinstance(value, Known) and value.value is None:
        return INT
    return FUNCTIONS["builtins.len"](machine, Arguments([value])) or INT
