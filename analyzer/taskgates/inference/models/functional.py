"""functools and operator."""

from __future__ import annotations

from taskgates.inference.models import registry
from taskgates.inference.models.containers import COMPARED
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.values import (
    BOOL,
    UNKNOWN,
    AnyValue,
    Arguments,
    BoundMethod,
    ClassV,
    Descriptor,
    DictObj,
    Ext,
    FunctionV,
    Instance,
    Known,
    Native,
    Partial,
    TupleV,
    join,
    options,
    render,
)


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


for _name in (
    "functools.lru_cache",
    "functools.cache",
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
        finally:
            inner.leave(obj, None)
        return result

    return Native("context decorator", run)


@function("functools.wraps", "functools.update_wrapper")
def wraps(machine: Machine, args: Arguments) -> AnyValue:
    """`wraps(function)`."""
    del machine
    if len(args.pos) >= 2:
        return args.pos[0]
    wrapped = args.pos[0] if args.pos else UNKNOWN

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


@function("functools.singledispatch", "functools.singledispatchmethod")
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
    if isinstance(first, FunctionV):
        kinds: list[AnyValue] = [UNKNOWN]
        for param in first.node.params:
            if param.annotation is not None:
                kinds = list(options(machine.eval(param.annotation, first.frame)))
                break
        for kind in kinds:
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
    value = args.pos[0] if args.pos else UNKNOWN
    candidates: list[AnyValue] = []
    for kind, implementation in reversed(obj.slots["table"].known()):
        decided = machine.is_instance(value, kind)
        if decided is True:
            return machine.call(implementation, args)  # type: ignore[no-any-return]
        if decided is None:
            candidates.append(implementation)
    candidates.append(obj.slots["default"])
    return machine.call(join(candidates), args)  # type: ignore[no-any-return]


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
