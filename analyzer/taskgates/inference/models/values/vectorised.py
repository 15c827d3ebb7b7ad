"""Functions applied element by element by array libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.models.values.iterators import apply_rows, zip_
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.values import NONE, UNKNOWN, AnyValue, Ext, TupleV

if TYPE_CHECKING:
    from taskgates.inference.objects import Heap

_VECTORIZE = "numpy.vectorize"


@function(_VECTORIZE, "numpy.frompyfunc")
def vectorize(machine: Machine, args: Arguments) -> AnyValue:
    """`vectorize(function)`: without one, a decorator; `frompyfunc(function, inputs, outputs)`."""
    del machine
    out = Instance(Ext(_VECTORIZE))
    out.slots["pyfunc"] = args.get(0, "pyfunc", NONE) or NONE
    return out


@method(f"{_VECTORIZE}.__call__")
def call_for_each(machine: Machine, obj: Heap, args: Arguments) -> AnyValue:
    """Call the function once for every element of known sequences, or with what is given otherwise."""
    func: AnyValue = obj.slots.get("pyfunc", NONE)
    if func == NONE:
        obj.slots["pyfunc"] = args.get(0, "pyfunc", NONE) or NONE
        return obj
    if any(isinstance(value, ListObj | TupleV) for value in args.pos):
        rows = zip_(machine, Arguments([_repeated(value) for value in args.pos], {}, args.star))
        apply_rows(machine, func, rows)
    else:
        given = [UNKNOWN if isinstance(value, Instance) else value for value in args.pos]
        machine.call(func, Arguments(given, args.kw, args.star, args.kwstar))
    return Instance(Ext("numpy.ndarray"))


def _repeated(value: AnyValue) -> AnyValue:
    return value if isinstance(value, ListObj | TupleV) else ListObj("list", (), value)
