"""Iteration: range, enumerate, zip, map, sorted and their like, and itertools."""

from __future__ import annotations

import builtins
import itertools
import math

from taskgates.inference.models import registry
from taskgates.inference.models.containers import everything, sort_content, summary
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.strings import pure_call
from taskgates.inference.values import (
    BOOL,
    CONTENT,
    FALSE,
    INT,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Arguments,
    BoundMethod,
    Ext,
    FunctionV,
    Instance,
    Known,
    ListObj,
    Method,
    Partial,
    TupleV,
    join,
)


@function("builtins.range")
def make_range(machine: Machine, args: Arguments) -> AnyValue:
    """`range(...)`."""
    known = pure_call(machine, range, args)
    return known if known is not None else ListObj("list", (), INT)


@function("builtins.enumerate")
def enumerate_(machine: Machine, args: Arguments) -> AnyValue:
    """`enumerate(iterable, start)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    start = args.get(1, "start", Known(0))
    base = start.value if isinstance(start, Known) and isinstance(start.value, int) else None
    items = [TupleV([Known(base + i) if base is not None else INT, item]) for i, item in enumerate(content.items)]
    return ListObj("iterator", items, TupleV([INT, content.rest]) if content.rest is not None else None)


@function("itertools.zip_longest")
def zip_longest(machine: Machine, args: Arguments) -> AnyValue:
    """`zip_longest(..., fillvalue=None)`."""
    contents = [machine.iterate(value) for value in args.pos]
    if args.star is not None:
        contents.append(TupleV((), args.star))
    fill = args.kw.get("fillvalue", NONE)
    length = max((len(content.items) for content in contents), default=0)
    rows = []
    for index in range(length):
        row = []
        for content in contents:
            if index < len(content.items):
                row.append(content.items[index])
            else:
                row.append(fill if content.rest is None else join([content.rest, fill]))
        rows.append(TupleV(row))
    if all(content.rest is None for content in contents):
        return ListObj("iterator", rows)
    rest = TupleV(fill if content.rest is None else join([content.rest, fill]) for content in contents)
    return ListObj("iterator", rows, rest)


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
    return _apply_rows(machine, func, rows)


@function("itertools.starmap")
def starmap(machine: Machine, args: Arguments) -> AnyValue:
    """`starmap(function, rows)`."""
    if len(args.pos) < 2:
        return ListObj("iterator")
    content = machine.iterate(args.pos[1])
    rows = ListObj(
        "iterator",
        [machine.iterate(item) for item in content.items],
        machine.iterate(content.rest) if content.rest is not None else None,
    )
    return _apply_rows(machine, args.pos[0], rows)


def _apply_rows(machine: Machine, func: AnyValue, rows: AnyValue) -> AnyValue:
    assert isinstance(rows, ListObj)
    items = [machine.call(func, Arguments(row.items, {}, row.rest)) for row in rows.items if isinstance(row, TupleV)]
    rest = None
    if isinstance(rows.rest, TupleV):
        machine.undecided += 1
        try:
            rest = machine.call(func, Arguments(rows.rest.items, {}, rows.rest.rest))
        finally:
            machine.undecided -= 1
    return ListObj("iterator", items, rest)


@function("builtins.filter", "itertools.filterfalse")
def filter_(machine: Machine, args: Arguments) -> AnyValue:
    """`filter(function, iterable)`."""
    func, source = args.get(0, "function") or NONE, args.get(1, "iterable")
    content = machine.iterate(source) if source is not None else TupleV(())
    kept: list[AnyValue] = []
    loose: list[AnyValue] = []
    for item in content.items:
        decided = machine.truth(item) if func == NONE else machine.truth(machine.call(func, Arguments([item])))
        if decided is True and not loose:
            kept.append(item)
        elif decided is not False:
            loose.append(item)
    if content.rest is not None:
        if func != NONE:
            machine.call(func, Arguments([content.rest]))
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
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    if content.rest is None:
        return ListObj("iterator", content.items[::-1])
    return ListObj("iterator", (), summary(content))


@function("builtins.iter", "builtins.aiter")
def iter_(machine: Machine, args: Arguments) -> AnyValue:
    """`iter(iterable)`, `iter(callable, sentinel)`."""
    if len(args.pos) == 2:
        return ListObj("iterator", (), machine.call(args.pos[0], Arguments()))
    value = args.pos[0] if args.pos else UNKNOWN
    if isinstance(value, ListObj) and value.kind == "iterator":
        return value
    if isinstance(value, Instance) and machine.has_attr(value, "__iter__"):
        return machine.call(machine.get_attr(value, "__iter__"), Arguments())  # type: ignore[no-any-return]
    content = machine.iterate(value)
    return ListObj("iterator", content.items, content.rest)


@function("builtins.next", "builtins.anext")
def next_(machine: Machine, args: Arguments) -> AnyValue:
    """`next(iterator, default)`."""
    value = args.pos[0] if args.pos else UNKNOWN
    default = args.pos[1] if len(args.pos) > 1 else None
    if isinstance(value, ListObj):
        content: TupleV = value.slots[CONTENT]
        if content.items:
            machine.state.write(value.slots, CONTENT, TupleV(content.items[1:], content.rest))
            return content.items[0]
        if content.rest is not None:
            machine.may_raise("StopIteration")
            return join([content.rest, default])
        if default is not None:
            return default
        raise machine.throw("StopIteration")
    if isinstance(value, Instance) and machine.has_attr(value, "__next__"):
        return machine.call(machine.get_attr(value, "__next__"), Arguments())  # type: ignore[no-any-return]
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
    start = args.get(1, "start")
    if start is not None and not isinstance(start, Known):
        result = start
        for item in everything(content):
            result = machine.operate("+", result, item)
        return result
    return INT


@function("builtins.min", "builtins.max")
def extreme(machine: Machine, args: Arguments) -> AnyValue:
    """`min(...)`, `max(...)`."""
    content = machine.iterate(args.pos[0]) if len(args.pos) == 1 else TupleV(args.pos, args.star)
    key = args.kw.get("key")
    if key is not None:
        for item in everything(content):
            machine.call(key, Arguments([item]))
    return join([*everything(content), *([args.kw["default"]] if "default" in args.kw else [])] or [UNKNOWN])


def _extreme(name: str) -> None:
    func = getattr(builtins, name)

    def model(machine: Machine, args: Arguments) -> AnyValue:
        if "key" not in args.kw:
            content = [machine.iterate(args.pos[0])] if len(args.pos) == 1 else args.pos
            known = pure_call(machine, func, Arguments(content, args.kw, args.star))
            if known is not None:
                return known
            return extreme(machine, Arguments(content, args.kw, args.star))
        return extreme(machine, args)

    registry.FUNCTIONS[f"builtins.{name}"] = model


_extreme("min")

_extreme("max")


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


# itertools


@function("itertools.chain")
def chain(machine: Machine, args: Arguments) -> AnyValue:
    """`chain(...)`."""
    out = ListObj("iterator")
    for value in args.pos:
        machine.extend(out, value)
    if args.star is not None:
        machine.extend(out, ListObj("list", (), summary(machine.iterate(args.star)) or UNKNOWN))
    return out


@function("itertools.chain.from_iterable")
def chain_from(machine: Machine, args: Arguments) -> AnyValue:
    """`chain.from_iterable(iterables)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    out = ListObj("iterator")
    for item in everything(content):
        inner = machine.iterate(item)
        machine.extend(out, TupleV(inner.items, inner.rest) if item is not content.rest else TupleV((), summary(inner)))
    return out


@function("itertools.product")
def product(machine: Machine, args: Arguments) -> AnyValue:
    """`product(...)`."""
    contents = [machine.iterate(value) for value in args.pos]
    repeat = args.kw.get("repeat")
    if isinstance(repeat, Known) and isinstance(repeat.value, int) and repeat.value <= 4:
        contents = contents * repeat.value
    total = math.prod(len(content.items) for content in contents)
    if all(content.rest is None for content in contents) and total <= 512:
        return ListObj("iterator", [TupleV(row) for row in itertools.product(*(content.items for content in contents))])
    return ListObj("iterator", (), TupleV([summary(content) or UNKNOWN for content in contents]))


@function("itertools.combinations", "itertools.permutations", "itertools.combinations_with_replacement")
def combinations(machine: Machine, args: Arguments) -> AnyValue:
    """Selections of elements."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    count = args.get(1, "r")
    found = summary(content)
    if found is None:
        return ListObj("iterator")
    size = count.value if isinstance(count, Known) and isinstance(count.value, int) and count.value < 8 else None
    return ListObj("iterator", (), TupleV([found] * size) if size is not None else TupleV((), found))


@function("itertools.takewhile", "itertools.dropwhile", "itertools.compress", "itertools.cycle")
def some_of(machine: Machine, args: Arguments) -> AnyValue:
    """Some of the elements, in order."""
    values = list(args.pos)
    if values and isinstance(values[0], FunctionV | BoundMethod | Partial | Ext | Method):
        machine.call_with_unknowns(values[0]) if isinstance(values[0], FunctionV) else None
        values = values[1:]
    content = machine.iterate(values[0]) if values else TupleV(())
    return ListObj("iterator", (), summary(content))


@function("itertools.islice")
def islice(machine: Machine, args: Arguments) -> AnyValue:
    """`islice(iterable, [start,] stop[, step])`: an iterator goes on behind what was taken."""
    source = args.pos[0] if args.pos else UNKNOWN
    content = machine.iterate(source)
    consumed = source if isinstance(source, ListObj) and source.kind == "iterator" else None
    bounds: list[int | None] = []
    for value in args.pos[1:]:
        if not isinstance(value, Known) or not (value.value is None or isinstance(value.value, int)):
            bounds = []
            break
        bounds.append(value.value)
    if not bounds:
        return ListObj("iterator", (), summary(content))
    stop = bounds[0] if len(bounds) == 1 else bounds[1]
    if content.rest is not None and (stop is None or stop > len(content.items)):
        if consumed is not None and stop is not None:
            machine.state.write(consumed.slots, CONTENT, TupleV((), content.rest))
        return ListObj("iterator", (), summary(content))
    if consumed is not None and stop is not None:
        machine.state.write(consumed.slots, CONTENT, TupleV(content.items[stop:], content.rest))
    return ListObj("iterator", content.items[slice(*bounds)])


@function("itertools.accumulate")
def accumulate(machine: Machine, args: Arguments) -> AnyValue:
    """`accumulate(iterable, function, *, initial)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    func = args.get(1, "func")
    items = list(content.items)
    initial = args.kw.get("initial")
    if initial is not None and initial != NONE:
        items.insert(0, initial)
    out: list[AnyValue] = []
    for item in items:
        if not out:
            out.append(item)
        elif func is None or func == NONE:
            out.append(machine.augmented("+", out[-1], item))
        else:
            out.append(machine.call(func, Arguments([out[-1], item])))
    return ListObj("iterator", out, UNKNOWN if content.rest is not None else None)


@function("itertools.count")
def endless(machine: Machine, args: Arguments) -> AnyValue:
    """Endless iterators."""
    del machine
    return ListObj("iterator", (), INT if not args.pos or isinstance(args.pos[0], Known) else args.pos[0])


@function("itertools.repeat")
def repeat_(machine: Machine, args: Arguments) -> AnyValue:
    """`repeat(value)`."""
    del machine
    return ListObj("iterator", (), args.pos[0] if args.pos else UNKNOWN)


@function("itertools.groupby")
def groupby(machine: Machine, args: Arguments) -> AnyValue:
    """`groupby(iterable, key)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    found = summary(content)
    if found is None:
        return ListObj("iterator")
    key = args.get(1, "key")
    label = machine.call(key, Arguments([found])) if key is not None and key != NONE else found
    return ListObj("iterator", (), TupleV([label, ListObj("iterator", (), found)]))


@function("itertools.tee")
def tee(machine: Machine, args: Arguments) -> AnyValue:
    """`tee(iterable, n)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    return TupleV([ListObj("iterator", content.items, content.rest), ListObj("iterator", content.items, content.rest)])


@function("itertools.pairwise", "itertools.batched")
def pairwise(machine: Machine, args: Arguments) -> AnyValue:
    """Neighbouring elements."""
    found = summary(machine.iterate(args.pos[0])) if args.pos else None
    return ListObj("iterator", (), TupleV([found, found])) if found is not None else ListObj("iterator")
