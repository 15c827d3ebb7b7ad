"""graphlib: the order of a known graph, as the standard library's own sorter gives it."""

from __future__ import annotations

import graphlib

from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj
from taskgates.inference.values import NONE, TRUE, UNKNOWN, AnyValue, Ext, Known, TupleV, join

SORTER = "graphlib.TopologicalSorter"
GRAPH, OPEN, READY = ("graph",), ("open",), ("ready",)
"""The slots for the known nodes with what they depend on, for whether there may be more, and for batches to come."""


@function(SORTER)
def make_sorter(machine: Machine, args: Arguments) -> AnyValue:
    """`TopologicalSorter(graph)`."""
    out = Instance(Ext(SORTER))
    out.slots[GRAPH] = TupleV(())
    given = args.get(0, "graph")
    if isinstance(given, DictObj):
        for node, below in given.known():
            _add(machine, out, node, below)
        if not given.exact:
            out.slots[OPEN] = TRUE
    elif given is not None and given != NONE:
        out.slots[OPEN] = TRUE
    return out


def _add(machine: Machine, obj: Instance, node: AnyValue, below: AnyValue) -> None:
    content = machine.iterate(below)
    if content.rest is not None:
        machine.state.write(obj.slots, OPEN, TRUE)
    row = TupleV([node, TupleV(content.items)])
    machine.state.write(obj.slots, GRAPH, TupleV([*obj.slots[GRAPH].items, row]))


@method(f"{SORTER}.add")
def add(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`sorter.add(node, *predecessors)`."""
    _add(machine, obj, args.pos[0] if args.pos else UNKNOWN, TupleV(args.pos[1:], args.star))
    return NONE


def _batches(machine: Machine, obj: Instance) -> list[list[AnyValue]] | None:
    """The nodes in the batches in which they become ready; None where the graph is not known."""
    if OPEN in obj.slots:
        return None
    sorter: graphlib.TopologicalSorter[AnyValue] = graphlib.TopologicalSorter()
    try:
        for row in obj.slots[GRAPH].items:
            sorter.add(row.items[0], *row.items[1].items)
        sorter.prepare()
    except graphlib.CycleError as error:
        raise machine.throw("ValueError", str(error.args[0])) from None
    except TypeError:
        return None
    found: list[list[AnyValue]] = []
    while sorter.is_active():
        ready = sorter.get_ready()
        found.append(list(ready))
        sorter.done(*ready)
    return found


def _nodes(obj: Instance) -> AnyValue:
    rows = obj.slots[GRAPH].items
    every = [value for row in rows for value in (row.items[0], *row.items[1].items)]
    return join(every) if every else UNKNOWN


@method(f"{SORTER}.static_order")
def static_order(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`sorter.static_order()`."""
    del args
    batches = _batches(machine, obj)
    if batches is None:
        return ListObj("iterator", (), _nodes(obj))
    return ListObj("iterator", [node for batch in batches for node in batch])


@method(f"{SORTER}.prepare")
def prepare(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`sorter.prepare()`: what becomes ready is handed out batch by batch, as if each were done at once."""
    del args
    batches = _batches(machine, obj)
    if batches is not None:
        machine.state.write(obj.slots, READY, TupleV(TupleV(batch) for batch in batches))
    return NONE


@method(f"{SORTER}.get_ready")
def get_ready(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`sorter.get_ready()`."""
    del args
    waiting = obj.slots.get(READY)
    if waiting is None:
        return TupleV((), _nodes(obj))
    if not waiting.items:
        return TupleV(())
    machine.state.write(obj.slots, READY, TupleV(waiting.items[1:]))
    return waiting.items[0]  # type: ignore[no-any-return]


@method(f"{SORTER}.is_active", f"{SORTER}.__bool__")
def is_active(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`sorter.is_active()`."""
    del machine, args
    waiting = obj.slots.get(READY)
    return Known(bool(waiting.items)) if waiting is not None else None
