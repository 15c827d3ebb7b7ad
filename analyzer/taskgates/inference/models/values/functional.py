"""functools and operator."""

from __future__ import annotations

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.models.values.builtins import derives
from taskgates.inference.models.values.containers import COMPARED
from taskgates.inference.models.values.generic_aliases import get_args, is_alias
from taskgates.inference.objects import KEPT, Arguments, ClassV, DictObj, FunctionV, Instance, Maybe
from taskgates.inference.renderings import render
from taskgates.inference.values import (
    BOOL,
    BOTTOM,
    NONE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Descriptor,
    Ext,
    Known,
    Native,
    Partial,
    TupleV,
    join,
    options,
)
from taskgates.syntax import ir


@function("functools.partialmethod")
def partialmethod(machine: Machine, args: Arguments) -> AnyValue:
    """`partialmethod(function, ...)`: the object comes in front of the arguments that are given beforehand."""
    del machine
    if not args.pos:
        return UNKNOWN
    func, given = args.pos[0], args

    def run(inner: Machine, call: Arguments) -> AnyValue:
        pos = [*call.pos[:1], *given.pos[1:], *call.pos[1:]]
        return inner.call(func, Arguments(pos, {**given.kw, **call.kw}, call.star or given.star, call.kwstar))  # type: ignore[no-any-return]

    return Native("method:partialmethod", run)


@function("functools.partial")
def partial(machine: Machine, args: Arguments) -> AnyValue:
    """`partial(function, ...)`."""
    del machine
    return Partial(args.pos[0], Arguments(args.pos[1:], args.kw, args.star, args.kwstar)) if args.pos else UNKNOWN


@function("functools.reduce")
def reduce(machine: Machine, args: Arguments) -> AnyValue:
    """`reduce(function, iterable, initial)`."""
    if len(args.pos) < 2:
        return UNKNOWN
    content = machine.iterate(args.pos[1])
    items = list(content.items)
    if len(args.pos) > 2:
        result = args.pos[2]
    elif items:
        result = items.pop(0)
    else:
        result = content.rest or UNKNOWN
    for item in items:
        result = machine.call(args.pos[0], Arguments([result, item]))
    if content.rest is not None:
        result = join([result, machine.call(args.pos[0], Arguments([result, content.rest]))])
    return result


def _identity_decorator(machine: Machine, args: Arguments) -> AnyValue:
    """Decorators that leave the function as it is, with or without arguments of their own."""
    del machine
    if len(args.pos) == 1 and isinstance(args.pos[0], FunctionV | ClassV | BoundMethod | Descriptor | Partial):
        return args.pos[0]
    return Native("decorator", lambda _, inner: inner.pos[0] if inner.pos else UNKNOWN)


def _remember(func: AnyValue) -> AnyValue:
    """Let a function without parameters remember its result; what depends on arguments is computed anew."""
    if isinstance(func, FunctionV) and not (func.node.params or func.node.is_async or func.node.is_generator):

        def forget(machine: Machine, args: Arguments) -> AnyValue:
            del args
            machine.state.write(func.slots, KEPT, BOTTOM)
            return NONE

        func.slots[KEPT] = BOTTOM
        func.slots["cache_clear"] = Native("cache_clear", forget)
    return func


@function("functools.lru_cache", "functools.cache")
def remembering(machine: Machine, args: Arguments) -> AnyValue:
    """`@lru_cache`, with or without arguments of its own."""
    decorated = _identity_decorator(machine, args)
    if isinstance(decorated, Native):
        return Native("lru_cache", lambda _, inner: _remember(inner.pos[0] if inner.pos else UNKNOWN))
    return _remember(decorated)


for _name in (
    "functools.total_ordering",
    "abc.abstractmethod",
    "typing.final",
    "typing.override",
    "typing.overload",
    "typing.runtime_checkable",
    "typing.no_type_check",
    "enum.unique",
    "types.coroutine",
):
    registry.FUNCTIONS[_name] = _identity_decorator


@method("contextlib.ContextDecorator.__call__", "contextlib.AsyncContextDecorator.__call__")
def context_decorator(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """A context manager as a decorator: every call of the function is one `with` block."""
    del machine
    func = args.pos[0] if args.pos else UNKNOWN

    def run(inner: Machine, given: Arguments) -> AnyValue:
        inner.enter(obj)
        try:
            result: AnyValue = inner.call(func, given)
        except AbstractRaise as error:
            if inner.swallows(obj, error.value):
                return NONE
            raise
        inner.leave(obj, None)
        return result

    return Native("context decorator", run)


@function("functools.wraps", "functools.update_wrapper")
def wraps(machine: Machine, args: Arguments) -> AnyValue:
    """`wraps(function)`."""
    wrapped = args.get(1, "wrapped") if len(args.pos) >= 2 or "wrapped" in args.kw else None
    if wrapped is not None and args.pos:
        return machine.call(wraps(machine, Arguments([wrapped])), Arguments(args.pos[:1]))  # type: ignore[no-any-return]
    wrapped = wrapped or (args.pos[0] if args.pos else UNKNOWN)

    def run(inner: Machine, given: Arguments) -> AnyValue:
        value = given.pos[0] if given.pos else UNKNOWN
        if isinstance(value, FunctionV):
            if isinstance(wrapped, FunctionV):
                for name, item in wrapped.slots.items():
                    inner.state.write(value.slots, name, item)
            inner.state.write(value.slots, "__wrapped__", wrapped)
            if isinstance(wrapped, FunctionV):
                inner.state.write(value.slots, "__name__", wrapped.slots.get("__name__", Known(wrapped.node.name)))
        return value

    return Native("wraps", run)


@function("functools.singledispatchmethod")
def singledispatchmethod(machine: Machine, args: Arguments) -> AnyValue:
    """`singledispatchmethod(function)`: the same for methods, by the argument behind the object."""
    out = Instance(Ext("functools.singledispatchmethod"))
    out.slots["dispatcher"] = singledispatch(machine, args)
    return out


@method("functools.singledispatchmethod.register")
def method_register(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`@method.register`."""
    return dispatch_register(machine, obj.slots["dispatcher"], args)


@method("functools.singledispatchmethod.__get__")
def method_bound(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The method of an object."""
    del machine
    dispatcher, owner = obj.slots["dispatcher"], args.pos[0]
    return Native("dispatch", lambda inner, given: dispatch(inner, dispatcher, given, owner))


@function("functools.singledispatch")
def singledispatch(machine: Machine, args: Arguments) -> AnyValue:
    """`singledispatch(function)`: an object that picks an implementation by the first argument's type."""
    del machine
    out = Instance(Ext("functools.singledispatch"))
    out.slots["default"] = args.pos[0] if args.pos else UNKNOWN
    out.slots["table"] = DictObj()
    return out


@method("functools.singledispatch.register")
def dispatch_register(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`@function.register(type)` or `@function.register` with an annotation."""
    table = obj.slots["table"]
    first = args.pos[0] if args.pos else UNKNOWN
    if isinstance(first, FunctionV | Descriptor):
        func = first.func if isinstance(first, Descriptor) else first
        for kind in _dispatched_types(machine, func) if isinstance(func, FunctionV) else (UNKNOWN,):
            machine.put(table, kind, first)
        return first
    if len(args.pos) > 1:
        machine.put(table, first, args.pos[1])
        return args.pos[1]

    def run(inner: Machine, given: Arguments) -> AnyValue:
        value = given.pos[0] if given.pos else UNKNOWN
        inner.put(table, first, value)
        return value

    return Native("register", run)


@method("functools.singledispatch.__call__")
def dispatch_call(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Call the implementation for the first argument's type."""
    return dispatch(machine, obj, args, None)


def dispatch(machine: Machine, obj: Instance, args: Arguments, owner: AnyValue | None) -> AnyValue:
    """Call what was registered for the first argument's type, the most special type before all others.

    Args:
        machine: the interpreter.
        obj: the dispatcher.
        args: the arguments.
        owner: the object whose method it is; None for a function.
    """
    value = args.pos[0] if args.pos else UNKNOWN
    kinds: list[AnyValue] = []
    candidates: list[AnyValue] = []
    for kind, implementation in reversed(obj.slots["table"].known()):
        decided = machine.is_instance(value, kind)
        if decided is True:
            kinds.append(kind)
        elif decided is None:
            candidates.append(implementation)
    if kinds:
        special = next((one for one in kinds if not any(_below(other, one) for other in kinds)), kinds[0])
        chosen = obj.slots["table"].slots[special]
        chosen = chosen.value if isinstance(chosen, Maybe) else chosen
    else:
        chosen = join([*candidates, obj.slots["default"]])
    if owner is None:
        return machine.call(chosen, args)  # type: ignore[no-any-return]
    cls = machine.type_of(owner)
    return join(machine.call(machine.bound(each, owner, cls), args) for each in options(chosen))


def _below(kind: AnyValue, other: AnyValue) -> bool:
    """Whether a type derives from another, and is not the same."""
    return kind != other and isinstance(kind, ClassV | Ext) and derives(kind, other) is True


def _dispatched_types(machine: Machine, func: FunctionV) -> list[AnyValue]:
    """The types that the first annotation of a function names."""
    nodes = [param.annotation for param in func.node.params if param.annotation is not None][:1]
    found: list[AnyValue] = []
    while nodes:
        node = nodes.pop()
        if isinstance(node, ir.Binary):
            nodes += [node.left, node.right]
            continue
        kind = machine.eval(node, func.frame)
        if isinstance(kind, Instance) and is_alias(kind):
            found.extend(get_args(machine, Arguments([kind])).items)  # type: ignore[union-attr]
        else:
            found.extend(options(kind))
    return found or [UNKNOWN]


@function("functools.cmp_to_key")
def cmp_to_key(machine: Machine, args: Arguments) -> AnyValue:
    """`cmp_to_key(function)`."""
    func = args.pos[0] if args.pos else UNKNOWN
    del machine

    def run(inner: Machine, given: Arguments) -> AnyValue:
        del inner
        out = Instance(Ext("functools.KeyWrapper"))
        out.slots[COMPARED] = TupleV([func, given.pos[0] if given.pos else UNKNOWN])
        return out

    return Native("key", run)


@function("operator.itemgetter")
def itemgetter(machine: Machine, args: Arguments) -> AnyValue:
    """`itemgetter(key, ...)`."""
    keys = list(args.pos)

    def run(inner: Machine, given: Arguments) -> AnyValue:
        values = [inner.get_item(given.pos[0], key) for key in keys] if given.pos else []
        return values[0] if len(values) == 1 else TupleV(values)

    del machine
    return Native("itemgetter", run)


@function("operator.attrgetter")
def attrgetter(machine: Machine, args: Arguments) -> AnyValue:
    """`attrgetter(name, ...)`."""
    names = [str(render(value)) for value in args.pos]

    def run(inner: Machine, given: Arguments) -> AnyValue:
        values = []
        for name in names:
            value = given.pos[0] if given.pos else UNKNOWN
            for part in name.split("."):
                value = inner.get_attr(value, part)
            values.append(value)
        return values[0] if len(values) == 1 else TupleV(values)

    del machine
    return Native("attrgetter", run)


@function("operator.methodcaller")
def methodcaller(machine: Machine, args: Arguments) -> AnyValue:
    """`methodcaller(name, ...)`."""
    name = str(render(args.pos[0])) if args.pos else ""
    rest = Arguments(args.pos[1:], args.kw)
    del machine
    return Native("methodcaller", lambda inner, given: inner.call(inner.get_attr(given.pos[0], name), rest))


def _operation(symbol: str) -> registry.FunctionModel:
    return lambda machine, args: machine.operate(symbol, args.pos[0], args.pos[1]) if len(args.pos) > 1 else UNKNOWN


def _comparison(symbol: str) -> registry.FunctionModel:
    return lambda machine, args: machine.compare_values(symbol, args.pos[0], args.pos[1]) if len(args.pos) > 1 else BOOL


for _operator, _symbol in (
    ("add", "+"),
    ("sub", "-"),
    ("mul", "*"),
    ("truediv", "/"),
    ("floordiv", "//"),
    ("mod", "%"),
    ("or_", "|"),
    ("and_", "&"),
    ("concat", "+"),
    ("iadd", "+"),
    ("pow", "**"),
):
    registry.FUNCTIONS[f"operator.{_operator}"] = _operation(_symbol)

for _operator, _symbol in (
    ("eq", "=="),
    ("ne", "!="),
    ("lt", "<"),
    ("le", "<="),
    ("gt", ">"),
    ("ge", ">="),
    ("is_", "is"),
    ("is_not", "is not"),
):
    registry.FUNCTIONS[f"operator.{_operator}"] = _comparison(_symbol)


@function("operator.getitem")
def getitem(machine: Machine, args: Arguments) -> AnyValue:
    """`getitem(obj, key)`."""
    return machine.get_item(args.pos[0], args.pos[1]) if len(args.pos) > 1 else UNKNOWN


@function("operator.truth", "operator.not_", "operator.contains", "operator.index")
def operator_misc(machine: Machine, args: Arguments) -> AnyValue:
    """The remaining functions of operator."""
    del machine, args
    return BOOL
