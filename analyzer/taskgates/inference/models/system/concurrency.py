"""Queues, threads and tasks: what is put in comes out, whoever runs first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.locking import is_alone
from taskgates.inference.models import registry
from taskgates.inference.objects import CONTENT, Arguments, Instance, ListObj
from taskgates.inference.sharing import lend
from taskgates.inference.values import BOTTOM, NONE, UNKNOWN, AnyValue, Awaitable, Ext, TupleV, join

if TYPE_CHECKING:
    from taskgates.inference.models.registry import Machine

QUEUES = (
    "queue.Queue",
    "queue.SimpleQueue",
    "queue.LifoQueue",
    "queue.PriorityQueue",
    "multiprocessing.Queue",
    "multiprocessing.SimpleQueue",
    "multiprocessing.JoinableQueue",
    "multiprocessing.queues.Queue",
    "multiprocessing.queues.SimpleQueue",
    "multiprocessing.queues.JoinableQueue",
)
ASYNC_QUEUES = ("asyncio.Queue", "asyncio.LifoQueue", "asyncio.PriorityQueue", "asyncio.queues.Queue")


def _make(name: str) -> Any:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        del machine, args
        out = Instance(Ext(name))
        out.slots["held"] = ListObj("list")
        return out

    return model


def _held(obj: Instance) -> ListObj:
    return obj.slots.setdefault("held", ListObj("list"))  # type: ignore[no-any-return]


def _put(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    del machine
    value = args.get(0, "item") or UNKNOWN
    if value is BOTTOM or (isinstance(value, TupleV) and BOTTOM in value.items):
        # It is made of what has not come yet.
        return NONE
    held = _held(obj)
    # A queue is a channel between flows of control: what goes in is not undone with the branch that put it.
    rest = held.slots[CONTENT].rest
    held.slots[CONTENT] = TupleV((), join([rest, value]) if rest is not None else value)
    return NONE


def _get(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    del args
    rest = _held(obj).rest
    machine.may_raise("Exception")
    if rest is None and machine.again and machine.worker is None:
        # The main program waits for those who had nothing to do so far.
        machine.run_waiting()
        rest = _held(obj).rest
    if rest is None:
        # Whoever reads before anything was put in is run once more at the end of the program.
        machine.starved += 1
        return BOTTOM
    return rest


def _awaitable(model: Any) -> Any:
    return lambda machine, obj, args: Awaitable(model(machine, obj, args))


for _name in QUEUES:
    registry.FUNCTIONS[_name] = _make(_name)
    for _method, _model in (("put", _put), ("put_nowait", _put), ("get", _get), ("get_nowait", _get)):
        registry.METHODS[f"{_name}.{_method}"] = _model
for _name in ASYNC_QUEUES:
    registry.FUNCTIONS[_name] = _make(_name)
    registry.METHODS[f"{_name}.put"] = _awaitable(_put)
    registry.METHODS[f"{_name}.get"] = _awaitable(_get)
    registry.METHODS[f"{_name}.put_nowait"] = _put
    registry.METHODS[f"{_name}.get_nowait"] = _get


CONNECTION = "multiprocessing.connection.Connection"


def _pipe(machine: Machine, args: Arguments) -> AnyValue:
    """`Pipe()`: what one end sends the other receives."""
    del machine, args
    ends = [Instance(Ext(CONNECTION)), Instance(Ext(CONNECTION))]
    for end, peer in zip(ends, reversed(ends), strict=True):
        end.slots["held"], end.slots["peer"] = ListObj("list"), peer
    return TupleV(ends)


def _send(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    peer = obj.slots.get("peer")
    return _put(machine, peer, Arguments(args.pos[:1])) if isinstance(peer, Instance) else NONE


registry.FUNCTIONS["multiprocessing.Pipe"] = _pipe
registry.METHODS[f"{CONNECTION}.send"] = _send
registry.METHODS[f"{CONNECTION}.recv"] = _get


def _managed(name: str) -> Any:
    return lambda machine, obj, args: machine.call(Ext(name), args)  # noqa: ARG005 - the form of the registry


for _name, _made in (
    ("dict", "builtins.dict"),
    ("list", "builtins.list"),
    ("Namespace", "types.SimpleNamespace"),
    ("Queue", "multiprocessing.Queue"),
    ("JoinableQueue", "multiprocessing.JoinableQueue"),
):
    registry.METHODS[f"multiprocessing.managers.SyncManager.{_name}"] = _managed(_made)


def _mapper(star: bool, threads: bool) -> Any:
    """`pool.map`: the function is called for every element, in another thread or process."""

    def model(machine: Machine, obj: Any, args: Arguments) -> AnyValue:
        several = not is_alone(obj)
        if threads and args.pos:
            lend(machine, args.pos[0], Arguments(), several=several)
        machine.threads += threads
        try:
            positional = args.pos if star else args.pos[:2]
            with machine.working(several=several, thread=threads, handle=None if several else obj):
                return registry.FUNCTIONS["builtins.map"](machine, Arguments(positional, {}, args.star)) or UNKNOWN
        finally:
            machine.threads -= threads

    return model


def _starmapper(threads: bool) -> Any:
    """`pool.starmap`: the same with rows of arguments."""

    def model(machine: Machine, obj: Any, args: Arguments) -> AnyValue:
        several = not is_alone(obj)
        if threads and args.pos:
            lend(machine, args.pos[0], Arguments(), several=several)
        machine.threads += threads
        try:
            with machine.working(several=several, thread=threads, handle=None if several else obj):
                found = registry.FUNCTIONS["itertools.starmap"](machine, Arguments(args.pos[:2]))
        finally:
            machine.threads -= threads
        return found if found is not None else UNKNOWN

    return model


def _later(model: Any) -> Any:
    """`pool.map_async` and its like: what the waiting method does, with the results handed out later."""

    def later(machine: Machine, obj: Any, args: Arguments) -> AnyValue | None:
        if len(args.pos) < 2:
            return None
        content = machine.iterate(model(machine, obj, Arguments(args.pos[:2])))
        results = ListObj("list", content.items, content.rest)
        done, failed = args.get(3, "callback"), args.get(4, "error_callback")
        if done is not None and done != NONE:
            machine.call(done, Arguments([results]))
        if failed is not None and failed != NONE:
            machine.call_with_unknowns(failed)
        out = Instance(Ext("multiprocessing.pool.AsyncResult"))
        out.slots["item"] = results
        return out

    return later


for _name, _threads in (
    ("concurrent.futures.Executor", True),
    ("concurrent.futures.ThreadPoolExecutor", True),
    ("concurrent.futures.ProcessPoolExecutor", False),
):
    registry.METHODS[f"{_name}.map"] = _mapper(star=True, threads=_threads)
for _name in ("multiprocessing.pool.Pool", "multiprocessing.pool.ThreadPool", "multiprocessing.Pool"):
    for _method in ("map", "imap", "imap_unordered"):
        registry.METHODS[f"{_name}.{_method}"] = _mapper(star=False, threads="Thread" in _name)
    registry.METHODS[f"{_name}.starmap"] = _starmapper("Thread" in _name)
    for _method in ("map", "starmap"):
        registry.METHODS[f"{_name}.{_method}_async"] = _later(registry.METHODS[f"{_name}.{_method}"])


def _waiting(machine: Machine, obj: Any, args: Arguments) -> AnyValue | None:
    """What waits for threads to end: the table says the rest."""
    del args
    if isinstance(obj, Instance):
        machine.overlap.wait(obj)
    return None


for _name in ("threading.Thread", "threading.Timer"):
    registry.METHODS[f"{_name}.join"] = _waiting
for _name in ("Executor", "ThreadPoolExecutor", "ProcessPoolExecutor"):
    for _method in ("shutdown", "__exit__"):
        registry.METHODS[f"concurrent.futures.{_name}.{_method}"] = _waiting
for _method in ("result", "exception"):
    registry.METHODS[f"concurrent.futures.Future.{_method}"] = _waiting
for _method in ("get", "wait"):
    registry.METHODS[f"multiprocessing.pool.AsyncResult.{_method}"] = _waiting
for _method in ("join", "__exit__"):
    registry.METHODS[f"multiprocessing.pool.ThreadPool.{_method}"] = _waiting


def _of_context(name: str) -> Any:
    """What a start method's context makes is what the module makes."""

    def model(machine: Machine, obj: Any, args: Arguments) -> AnyValue:
        del obj
        return machine.call_external(f"multiprocessing.{name}", args, None)  # type: ignore[no-any-return]

    return model


for _name in ("Process", "Pool", "Queue", "JoinableQueue", "SimpleQueue"):
    registry.METHODS[f"multiprocessing.BaseContext.{_name}"] = _of_context(_name)
