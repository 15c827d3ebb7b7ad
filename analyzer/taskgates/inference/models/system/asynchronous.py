"""asyncio: co-routines, tasks and their results."""

from __future__ import annotations

from typing import Any

from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.values import UNKNOWN, AnyValue, Awaitable, Ext, TupleV

# asyncio: coroutines are run where they are created, so waiting for them only unwraps their results


@function("asyncio.run", "asyncio.wait_for", "asyncio.shield", "asyncio.create_task", "asyncio.ensure_future")
def run_coroutine(machine: Machine, args: Arguments) -> AnyValue:
    """Calls that run one coroutine."""
    return machine.awaited(args.pos[0]) if args.pos else UNKNOWN


@function("asyncio.create_task", "asyncio.ensure_future", "asyncio.shield", "asyncio.wait_for")
def task(machine: Machine, args: Arguments) -> AnyValue:
    """A task around a coroutine."""
    out = Instance(Ext("asyncio.Task"))
    out.slots["result_value"] = machine.awaited(args.pos[0]) if args.pos else UNKNOWN
    return Awaitable(out.slots["result_value"])


@function("asyncio.gather")
def gather(machine: Machine, args: Arguments) -> AnyValue:
    """`gather(...)`: a list of results."""
    rest = machine.awaited(args.star) if args.star is not None else None
    return Awaitable(ListObj("list", [machine.awaited(value) for value in args.pos], rest))


@function("asyncio.as_completed")
def as_completed(machine: Machine, args: Arguments) -> AnyValue:
    """The same awaitables, in another order."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    return ListObj("iterator", content.items, content.rest)


def _run_method(machine: Machine, obj: Any, args: Arguments) -> AnyValue:
    del obj
    return machine.awaited(args.pos[0]) if args.pos else UNKNOWN


for _name in ("asyncio.AbstractEventLoop.run_until_complete", "asyncio.Runner.run"):
    registry.METHODS[_name] = _run_method

registry.METHODS["asyncio.TaskGroup.create_task"] = lambda machine, obj, args: Awaitable(
    _run_method(machine, obj, args)
)

registry.METHODS["asyncio.AbstractEventLoop.create_task"] = registry.METHODS["asyncio.TaskGroup.create_task"]

registry.METHODS["asyncio.Task.result"] = lambda machine, obj, _: machine.awaited(obj)
