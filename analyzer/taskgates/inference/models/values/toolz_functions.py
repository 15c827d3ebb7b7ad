"""Toolz: functions of functions, and the curried forms of what it offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from taskgates.inference.models.registry import FUNCTIONS, Machine, function
from taskgates.inference.models.values.containers import everything
from taskgates.inference.objects import Arguments, DictObj, FunctionV, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import UNKNOWN, AnyValue, BoundMethod, Ext, Known, Native, Partial, TupleV, join

if TYPE_CHECKING:
    from collections.abc import Sequence

_ARITY: Final = {
    "builtins.map": 2,
    "builtins.filter": 2,
    "builtins.sorted": 1,
    "functools.reduce": 2,
}
"""How many positional arguments functions want that are curried most."""

_CURRIED: Final = (
    "accumulate", "assoc", "assoc_in", "cons", "countby", "do", "drop", "drop_nth", "filter", "get", "get_in",
    "groupby", "interpose", "itemfilter", "itemmap", "iterate", "join", "keyfilter", "keymap", "map", "mapcat",
    "nth", "partial", "partition", "partition_all", "partition_by", "pluck", "random_sample", "reduce", "reduceby",
    "remove", "sliding_window", "sorted", "tail", "take", "take_nth", "topk", "unique", "update_in", "valfilter",
    "valmap",
)  # fmt: skip
"""Functions whose forms in `toolz.curried` wait for the rest of their arguments."""


def _one(machine: Machine, func: AnyValue, *values: AnyValue) -> AnyValue:
    return machine.call(func, Arguments(values))  # type: ignore[no-any-return]


def _composed(funcs: Sequence[AnyValue]) -> AnyValue:
    """A function that calls one function with the arguments, and each later one with what came out."""

    def run(machine: Machine, args: Arguments) -> AnyValue:
        first, *others = funcs
        result: AnyValue = machine.call(first, args)
        for func in others:
            result = _one(machine, func, result)
        return result

    return Native("compose", run) if funcs else Native("identity", lambda _, args: args.pos[0] if args.pos else UNKNOWN)


@function("toolz.compose")
def compose(machine: Machine, args: Arguments) -> AnyValue:
    """`compose(f, g)`: `f(g(...))`."""
    del machine
    return _composed(args.pos[::-1])


@function("toolz.compose_left")
def compose_left(machine: Machine, args: Arguments) -> AnyValue:
    """`compose_left(f, g)`: `g(f(...))`."""
    del machine
    return _composed(args.pos)


@function("toolz.pipe")
def pipe(machine: Machine, args: Arguments) -> AnyValue:
    """`pipe(data, f, g)`: `g(f(data))`."""
    result = args.pos[0] if args.pos else UNKNOWN
    for func in args.pos[1:]:
        result = _one(machine, func, result)
    return result


def _threaded(name: str, *, last: bool) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        result = args.pos[0] if args.pos else UNKNOWN
        for form in args.pos[1:]:
            func, *given = form.items if isinstance(form, TupleV) and form.items else (form,)
            result = _one(machine, func, *((*given, result) if last else (result, *given)))
        return result

    FUNCTIONS[f"toolz.{name}"] = model


_threaded("thread_first", last=False)
_threaded("thread_last", last=True)


@function("toolz.juxt")
def juxt(machine: Machine, args: Arguments) -> AnyValue:
    """`juxt(f, g)(x)`: `(f(x), g(x))`."""
    funcs = machine.iterate(args.pos[0]).items if len(args.pos) == 1 and isinstance(args.pos[0], ListObj) else args.pos
    return Native("juxt", lambda inner, given: TupleV([inner.call(func, given) for func in funcs]))


@function("toolz.do")
def do(machine: Machine, args: Arguments) -> AnyValue:
    """`do(f, x)`: calls `f(x)` and gives back `x`."""
    if len(args.pos) < 2:
        return UNKNOWN
    _one(machine, args.pos[0], args.pos[1])
    return args.pos[1]


@function("toolz.identity")
def identity(machine: Machine, args: Arguments) -> AnyValue:
    """`identity(x)`."""
    del machine
    return args.pos[0] if args.pos else UNKNOWN


def _wanted(func: AnyValue) -> int | None:
    """How many positional arguments a function needs; None where it is not known."""
    if isinstance(func, BoundMethod):
        inner = _wanted(func.func)
        return None if inner is None else inner - 1
    if isinstance(func, FunctionV):
        return sum(1 for param in func.node.params if param.kind in ("positional", "normal") and param.default is None)
    if isinstance(func, Partial):
        inner = _wanted(func.func)
        return None if inner is None else inner - len(func.args.pos) - len(func.args.kw)
    return _ARITY.get(func.name) if isinstance(func, Ext) else None


def _curry(func: AnyValue, wanted: int, given: Arguments) -> AnyValue:
    """A function that waits until it has as many arguments as it wants."""

    def run(machine: Machine, args: Arguments) -> AnyValue:
        more = Arguments([*given.pos, *args.pos], {**given.kw, **args.kw}, args.star, args.kwstar)
        if len(more.pos) + len(more.kw) >= wanted or args.star is not None or args.kwstar is not None:
            return machine.call(func, more)  # type: ignore[no-any-return]
        return _curry(func, wanted, more)

    return Native("curry", run)


@function("toolz.curry", "toolz.curried.curry")
def curry(machine: Machine, args: Arguments) -> AnyValue:
    """`curry(function, ...)`: as a decorator too."""
    del machine
    if not args.pos:
        return UNKNOWN
    given = Arguments(args.pos[1:], args.kw)
    wanted = _wanted(args.pos[0])
    return Partial(args.pos[0], given) if wanted is None else _curry(args.pos[0], wanted, given)


def _register_curried(name: str) -> None:
    func = Ext(next((each for each in _ARITY if each.rpartition(".")[2] == name), f"toolz.{name}"))
    wanted = 1 if name in ("sorted", "unique") else 3 if name in ("assoc", "update_in", "reduceby", "assoc_in") else 2

    def model(machine: Machine, args: Arguments) -> AnyValue:
        if len(args.pos) + len(args.kw) >= wanted:
            return machine.call(func, args)  # type: ignore[no-any-return]
        return _curry(func, wanted, args)

    FUNCTIONS[f"toolz.curried.{name}"] = model


for _name in _CURRIED:
    _register_curried(_name)
for _name in ("compose", "compose_left", "pipe", "thread_first", "thread_last", "juxt", "identity"):
    FUNCTIONS[f"toolz.curried.{_name}"] = FUNCTIONS[f"toolz.{_name}"]


@function("toolz.concat", "toolz.curried.concat")
def concat(machine: Machine, args: Arguments) -> AnyValue:
    """`concat(sequences)`."""
    return machine.call(Ext("itertools.chain.from_iterable"), args)  # type: ignore[no-any-return]


@function("toolz.concatv", "toolz.curried.concatv")
def concatv(machine: Machine, args: Arguments) -> AnyValue:
    """`concatv(sequence, ...)`."""
    return machine.call(Ext("itertools.chain"), args)  # type: ignore[no-any-return]


@function("toolz.mapcat")
def mapcat(machine: Machine, args: Arguments) -> AnyValue:
    """`mapcat(function, sequences)`."""
    mapped = machine.call(Ext("builtins.map"), args)
    return machine.call(Ext("itertools.chain.from_iterable"), Arguments([mapped]))  # type: ignore[no-any-return]


def _picked(name: str, pick: slice) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        content = machine.iterate(args.pos[-1]) if args.pos else TupleV((), UNKNOWN)
        found = content.items[pick]
        return found[0] if found and content.rest is None else join(everything(content) or [UNKNOWN])

    FUNCTIONS[f"toolz.{name}"] = FUNCTIONS[f"toolz.curried.{name}"] = model


_picked("first", slice(0, 1))
_picked("second", slice(1, 2))
_picked("last", slice(-1, None))


@function("toolz.take")
def take(machine: Machine, args: Arguments) -> AnyValue:
    """`take(count, sequence)`."""
    return machine.call(Ext("itertools.islice"), Arguments(args.pos[::-1]))  # type: ignore[no-any-return]


@function("toolz.groupby")
def groupby(machine: Machine, args: Arguments) -> AnyValue:
    """`groupby(key, sequence)`: lists by what the key function gives."""
    out = DictObj()
    if len(args.pos) < 2:
        return out
    content = machine.iterate(args.pos[1])
    for item in everything(content):
        by = args.pos[0]
        key = machine.get_item(item, by) if isinstance(by, Known) else _one(machine, by, item)
        held = out.slots.get(key) if isinstance(key, Known) else None
        exact = item is not content.rest
        if isinstance(held, ListObj) and exact:
            machine.extend(held, TupleV([item]))
        else:
            machine.put(out, key, ListObj("list", [item] if exact else (), None if exact else item))
    return out


def _of_mapping(name: str, *, keys: bool) -> None:
    """`valmap` and `keymap`."""

    def model(machine: Machine, args: Arguments) -> AnyValue:
        out = DictObj()
        mapping = args.pos[1] if len(args.pos) > 1 else UNKNOWN
        if not isinstance(mapping, DictObj):
            _one(machine, args.pos[0] if args.pos else UNKNOWN, text_hole() if keys else UNKNOWN)
            return UNKNOWN
        for key, value in mapping.known():
            made = _one(machine, args.pos[0], key if keys else value)
            machine.put(out, made if keys else key, value if keys else made)
        if mapping.rest is not None:
            made = _one(machine, args.pos[0], text_hole() if keys else mapping.rest)
            machine.put(out, UNKNOWN, mapping.rest if keys else made)
        return out

    FUNCTIONS[f"toolz.{name}"] = model


_of_mapping("valmap", keys=False)
_of_mapping("keymap", keys=True)
