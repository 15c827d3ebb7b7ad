"""Iteration: range, enumerate, zip, map, sorted and their like, and itertools."""

from __future__ import annotations

from taskgates.inference.comparison import equal
from taskgates.inference.exceptions import catches
from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.models.values.containers import everything, sort_content, summary
from taskgates.inference.models.values.strings import pure_call
from taskgates.inference.objects import CONTENT, Arguments, Instance, ListObj
from taskgates.inference.values import (
    BOOL,
    BOTTOM,
    FALSE,
    INT,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    TupleV,
    Unsorted,
    join,
    options,
)


@function("builtins.range")
def make_range(machine: Machine, args: Arguments) -> AnyValue:
    """`range(...)`."""
    known = pure_call(machine, range, args)
    return known if known is not None else ListObj("list", (), INT)


@function("random.shuffle", "numpy.random.shuffle")
@method("random.Random.shuffle", "random.SystemRandom.shuffle", "numpy.random.Generator.shuffle")
def shuffle(machine: Machine, *given: AnyValue | Arguments) -> AnyValue | None:
    """`shuffle(x)`: any element may stand anywhere afterwards."""
    args = given[-1]
    target = args.get(0, "x") if isinstance(args, Arguments) else None
    if isinstance(target, ListObj):
        machine.mutated(target)
        content: TupleV = target.slots[CONTENT]
        every = [*content.items, *([content.rest] if content.rest is not None else [])]
        if every:
            machine.state.write(target.slots, CONTENT, TupleV((), join(every)))
    return None


@function("builtins.enumerate")
def enumerate_(machine: Machine, args: Arguments) -> AnyValue:
    """`enumerate(iterable, start)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    start = args.get(1, "start", Known(0))
    base = start.value if isinstance(start, Known) and isinstance(start.value, int) else None
    items = [TupleV([Known(base + i) if base is not None else INT, item]) for i, item in enumerate(content.items)]
    return ListObj("iterator", items, TupleV([INT, content.rest]) if content.rest is not None else None)


@function("builtins.zip")
def zip_(machine: Machine, args: Arguments) -> AnyValue:
    """`zip(...)`."""
    contents = [machine.iterate(value) for value in args.pos]
    if args.star is not None:
        inner = machine.iterate(args.star)
        found = summary(inner)
        return ListObj("iterator", (), TupleV((), found if found is not None else UNKNOWN))
    if not contents:
        return ListObj("iterator")
    items: list[AnyValue] = []
    index = 0
    while True:
        row: list[AnyValue] = []
        uncertain = False
        for content in contents:
            if index < len(content.items):
                row.append(content.items[index])
            elif content.rest is not None:
                row.append(content.rest)
                uncertain = True
            else:
                return ListObj("iterator", items)
        if uncertain:
            if all(index >= len(content.items) for content in contents):
                return ListObj("iterator", items, TupleV(row))
            if index > 64:
                return ListObj("iterator", items, TupleV(row))
            # Some sequence is known to go on: so does the pairing, as far as the unknown one does.
            rest = [
                join([*content.items[index:], *([content.rest] if content.rest is not None else [])])
                for content in contents
            ]
            return ListObj("iterator", items, TupleV(rest))
        items.append(TupleV(row))
        index += 1


@function("builtins.map")
def map_(machine: Machine, args: Arguments) -> AnyValue:
    """`map(function, iterable, ...)`."""
    if not args.pos:
        return ListObj("iterator")
    func = args.pos[0]
    rows = zip_(machine, Arguments(args.pos[1:], {}, args.star))
    return apply_rows(machine, func, rows)


def apply_rows(machine: Machine, func: AnyValue, rows: AnyValue) -> AnyValue:
    """Call a function once for every row of arguments."""
    assert isinstance(rows, ListObj)
    items = [machine.call(func, Arguments(row.items, {}, row.rest)) for row in rows.items if isinstance(row, TupleV)]
    rest = None
    if isinstance(rows.rest, TupleV):
        rest = _call_for_any(machine, func, Arguments(rows.rest.items, {}, rows.rest.rest))
    return ListObj("iterator", items, rest)


def _call_for_any(machine: Machine, func: AnyValue, args: Arguments) -> AnyValue | None:
    """Call a function on the summary of elements that there may be none of; None where it fails on each."""
    machine.undecided += 1
    try:
        return machine.call(func, args)  # type: ignore[no-any-return]
    except AbstractRaise:
        machine.may_raise()
        return None
    finally:
        machine.undecided -= 1


@function("builtins.filter")
def filter_(machine: Machine, args: Arguments) -> AnyValue:
    """`filter(function, iterable)`."""
    return filtered(machine, args, wanted=True)


def filtered(machine: Machine, args: Arguments, *, wanted: bool) -> ListObj:
    """The elements of the second argument for which the function that is the first one gives `wanted`."""
    func, source = args.get(0, "function") or NONE, args.get(1, "iterable")
    content = machine.iterate(source) if source is not None else TupleV(())
    kept: list[AnyValue] = []
    loose: list[AnyValue] = []
    for item in content.items:
        decided = machine.truth(item if func == NONE else machine.call(func, Arguments([item])))
        if decided is wanted and not loose:
            kept.append(item)
        elif decided is not (not wanted):
            loose.append(item)
    if content.rest is not None:
        if func != NONE:
            _call_for_any(machine, func, Arguments([content.rest]))
        loose.append(content.rest)
    return ListObj("iterator", kept, join(loose) if loose else None)


@function("builtins.sorted")
def sorted_(machine: Machine, args: Arguments) -> AnyValue:
    """`sorted(iterable)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    found = sort_content(machine, content, args)
    return ListObj("list", found.items, found.rest)


@function("builtins.reversed")
def reversed_(machine: Machine, args: Arguments) -> AnyValue:
    """`reversed(sequence)`."""
    if args.pos and machine.has_attr(args.pos[0], "__reversed__"):
        return machine.call(machine.get_attr(args.pos[0], "__reversed__"), Arguments())  # type: ignore[no-any-return]
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    if content.rest is None:
        return ListObj("iterator", content.items[::-1])
    return ListObj("iterator", (), summary(content))


@function("builtins.iter", "builtins.aiter")
def iter_(machine: Machine, args: Arguments) -> AnyValue:
    """`iter(iterable)`, `iter(callable, sentinel)`."""
    if len(args.pos) == 2:
        return _until(machine, args.pos[0], args.pos[1])
    value = args.pos[0] if args.pos else UNKNOWN
    if isinstance(value, ListObj) and value.kind == "iterator":
        return value
    if isinstance(value, Instance) and machine.has_attr(value, "__iter__"):
        return machine.call(machine.get_attr(value, "__iter__"), Arguments())  # type: ignore[no-any-return]
    content = machine.iterate(value)
    return ListObj("iterator", content.items, content.rest)


def _until(machine: Machine, func: AnyValue, sentinel: AnyValue) -> AnyValue:
    """The results of a function that is called until it gives a sentinel."""
    found: list[AnyValue] = []
    for _ in range(machine.limits.unroll):
        item = machine.call(func, Arguments())
        if item is BOTTOM:
            return ListObj("iterator", found)
        same = equal(item, sentinel)
        if same is None:
            # What may be the sentinel and is none of its kind is not among the results.
            others = [option for option in options(item) if equal(option, sentinel) is not True]
            return ListObj("iterator", found, join(others) if others else item)
        if same:
            return ListObj("iterator", found)
        found.append(item)
    return ListObj("iterator", (), join(found))


@method("builtins.iterator.send", "builtins.iterator.asend")
def send(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue | None:
    """`generator.send(value)`: generators run at once, so that what is sent is unknown to them."""
    del args
    return next_(machine, Arguments([obj]))


@function("builtins.next", "builtins.anext")
def next_(machine: Machine, args: Arguments) -> AnyValue:
    """`next(iterator, default)`."""
    value = args.pos[0] if args.pos else UNKNOWN
    default = args.pos[1] if len(args.pos) > 1 else None
    if isinstance(value, ListObj):
        content: TupleV = value.slots[CONTENT]
        if value.owner is not None:
            machine.mutated(value)
        if type(content) is Unsorted and len(content.items) > 1:
            machine.state.write(value.slots, CONTENT, TupleV((), content.summary))
            return content.summary or UNKNOWN
        if content.items:
            machine.state.write(value.slots, CONTENT, TupleV(content.items[1:], content.rest))
            return content.items[0]
        if content.rest is not None:
            machine.may_raise("StopIteration")
            return join([content.rest, default])
        if default is not None:
            return default
        returned = value.slots.get("returned")
        raise machine.throw("StopIteration", args=TupleV([returned] if returned not in (None, NONE) else []))
    if isinstance(value, Instance) and isinstance(value.cls, Ext) and default is None:
        stepped = registry.METHODS.get(f"{value.cls.name}.__next__")
        if stepped is not None:
            return stepped(machine, value, Arguments())  # type: ignore[no-any-return]
    if isinstance(value, Instance) and machine.has_attr(value, "__next__"):
        try:
            found = machine.call(machine.get_attr(value, "__next__"), Arguments())
        except AbstractRaise as error:
            if default is not None and catches(Ext("builtins.StopIteration"), error.value):
                return default
            raise
        return join([found, default]) if default is not None and not isinstance(found, Known) else found
    machine.may_raise("StopIteration")
    content = machine.iterate(value)
    found = content.items[0] if content.items else content.rest
    return join([found, default]) if default is not None else (found or UNKNOWN)


@function("builtins.sum")
def sum_(machine: Machine, args: Arguments) -> AnyValue:
    """`sum(iterable, start)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    known = pure_call(machine, sum, Arguments([content, *args.pos[1:]], args.kw))
    if known is not None:
        return known
    start = args.get(1, "start", Known(0))
    if not isinstance(start, Known) or any(isinstance(item, Instance) for item in everything(content)):
        result = start if start is not None else Known(0)
        for item in everything(content):
            result = machine.operate("+", result, item)
        return result
    return INT


@function("builtins.any", "builtins.all")
def quantifier(machine: Machine, args: Arguments) -> AnyValue:
    """`any(...)`; `all` is registered apart."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    answers = [machine.truth(item) for item in content.items]
    if True in answers:
        return TRUE
    return FALSE if content.rest is None and None not in answers else BOOL


@function("builtins.all")
def all_(machine: Machine, args: Arguments) -> AnyValue:
    """`all(...)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    answers = [machine.truth(item) for item in content.items]
    if False in answers:
        return FALSE
    return TRUE if content.rest is None and None not in answers else BOOL
