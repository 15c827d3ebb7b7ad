"""itertools: on known elements as Python does it, on others by a summary of them."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from taskgates.inference.comparison import equal
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.values.containers import everything, summary
from taskgates.inference.models.values.iterators import apply_rows, filtered
from taskgates.inference.objects import ATOMIC, CONTENT, Arguments, ListObj
from taskgates.inference.values import INT, NONE, TRUE, UNKNOWN, AnyValue, Known, TupleV, join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROWS = 512
"""Rows of a product or of selections that are kept apart."""
AHEAD = 24
"""Elements of an endless iterator that are known one by one before they are summarised."""


def _first(machine: Machine, args: Arguments) -> TupleV:
    return machine.iterate(args.pos[0]) if args.pos else TupleV(())


def _integer(value: AnyValue | None) -> int | None:
    return value.value if isinstance(value, Known) and isinstance(value.value, int) else None


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
    content = _first(machine, args)
    out = ListObj("iterator")
    for item in everything(content):
        inner = machine.iterate(item)
        machine.extend(out, TupleV(inner.items, inner.rest) if item is not content.rest else TupleV((), summary(inner)))
    return out


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
    return apply_rows(machine, args.pos[0], rows)


@function("itertools.filterfalse")
def filterfalse(machine: Machine, args: Arguments) -> AnyValue:
    """`filterfalse(function, iterable)`."""
    return filtered(machine, args, wanted=False)


@function("itertools.product")
def product(machine: Machine, args: Arguments) -> AnyValue:
    """`product(...)`."""
    contents = [machine.iterate(value) for value in args.pos]
    repeat = _integer(args.kw.get("repeat"))
    if repeat is not None and 0 <= repeat * len(contents) <= 16:
        contents = contents * repeat
    total = math.prod(len(content.items) for content in contents)
    if all(content.rest is None for content in contents) and total <= ROWS:
        return ListObj("iterator", [TupleV(row) for row in itertools.product(*(content.items for content in contents))])
    return ListObj("iterator", (), TupleV([summary(content) or UNKNOWN for content in contents]))


def _selections(
    name: str, select: Callable[[tuple[AnyValue, ...], int], Iterable[tuple[AnyValue, ...]]], bound: int
) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        content = _first(machine, args)
        size = _integer(args.get(1, "r"))
        if name == "permutations" and len(args.pos) == 1 and "r" not in args.kw and content.rest is None:
            size = len(content.items)
        if size is not None and content.rest is None and size <= bound and len(content.items) <= 64:
            rows = list(itertools.islice(select(content.items, size), ROWS + 1))
            if len(rows) <= ROWS:
                return ListObj("iterator", [TupleV(row) for row in rows])
        found = summary(content)
        if found is None:
            return ListObj("iterator")
        small = size is not None and 0 <= size < 8
        return ListObj("iterator", (), TupleV([found] * size) if small and size else TupleV((), found))

    function(f"itertools.{name}")(model)


_selections("combinations", itertools.combinations, 64)
_selections("permutations", itertools.permutations, 64)
_selections("combinations_with_replacement", itertools.combinations_with_replacement, 64)


@function("itertools.takewhile")
def take_while(machine: Machine, args: Arguments) -> AnyValue:
    """`takewhile(function, iterable)`: the elements before the first that fails."""
    func = args.pos[0] if args.pos else UNKNOWN
    content = machine.iterate(args.pos[1]) if len(args.pos) > 1 else TupleV(())
    taken: list[AnyValue] = []
    for index, item in enumerate(content.items):
        decided = machine.truth(machine.call(func, Arguments([item])))
        if decided is False:
            return ListObj("iterator", taken)
        if decided is None:
            return ListObj("iterator", taken, join([*content.items[index:], *everything(TupleV((), content.rest))]))
        taken.append(item)
    if content.rest is not None:
        machine.call(func, Arguments([content.rest]))
    return ListObj("iterator", taken, content.rest)


@function("itertools.dropwhile")
def drop_while(machine: Machine, args: Arguments) -> AnyValue:
    """`dropwhile(function, iterable)`: the elements from the first that fails."""
    func = args.pos[0] if args.pos else UNKNOWN
    content = machine.iterate(args.pos[1]) if len(args.pos) > 1 else TupleV(())
    for index, item in enumerate(content.items):
        decided = machine.truth(machine.call(func, Arguments([item])))
        if decided is False:
            return ListObj("iterator", content.items[index:], content.rest)
        if decided is None:
            return ListObj("iterator", (), summary(TupleV(content.items[index:], content.rest)))
    if content.rest is not None:
        machine.call(func, Arguments([content.rest]))
    return ListObj("iterator", (), content.rest)


@function("itertools.compress")
def compress(machine: Machine, args: Arguments) -> AnyValue:
    """`compress(data, selectors)`."""
    data = _first(machine, args)
    selectors = machine.iterate(args.pos[1]) if len(args.pos) > 1 else TupleV(())
    decided = [machine.truth(item) for item in selectors.items]
    if data.rest is None and selectors.rest is None and None not in decided:
        return ListObj("iterator", [item for item, keep in zip(data.items, decided, strict=False) if keep])
    return ListObj("iterator", (), summary(data))


@function("itertools.cycle")
def cycle(machine: Machine, args: Arguments) -> AnyValue:
    """`cycle(iterable)`: the elements over and over."""
    content = _first(machine, args)
    if content.rest is not None or not content.items:
        return ListObj("iterator", (), summary(content))
    items = list(itertools.islice(itertools.cycle(content.items), max(AHEAD, 2 * len(content.items))))
    return ListObj("iterator", items, summary(content))


@function("itertools.islice")
def islice(machine: Machine, args: Arguments) -> AnyValue:
    """`islice(iterable, [start,] stop[, step])`: an iterator goes on behind what was taken."""
    source = args.pos[0] if args.pos else UNKNOWN
    consumed = source if isinstance(source, ListObj) and source.kind == "iterator" else None
    content = machine.iterate(source)
    bounds: list[int | None] = []
    for value in args.pos[1:]:
        if not isinstance(value, Known) or not (value.value is None or isinstance(value.value, int)):
            bounds = []
            break
        bounds.append(value.value)
    if not bounds:
        if consumed is not None:
            machine.state.write(consumed.slots, CONTENT, TupleV((), summary(content)))
        return ListObj("iterator", (), summary(content))
    stop = bounds[0] if len(bounds) == 1 else bounds[1]
    if content.rest is not None and (stop is None or stop > len(content.items)):
        start = bounds[0] or 0 if len(bounds) > 1 else 0
        if consumed is not None and stop is not None:
            machine.state.write(consumed.slots, CONTENT, TupleV((), content.rest))
        return ListObj("iterator", (), summary(TupleV(content.items[start:], content.rest)))
    if consumed is not None and stop is not None:
        machine.state.write(consumed.slots, CONTENT, TupleV(content.items[stop:], content.rest))
    return ListObj("iterator", content.items[slice(*bounds)])


@function("itertools.accumulate")
def accumulate(machine: Machine, args: Arguments) -> AnyValue:
    """`accumulate(iterable, function, *, initial)`."""
    content = _first(machine, args)
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
    """`count(start, step)`: the first numbers are known one by one."""
    del machine
    start, step = args.get(0, "start", Known(0)), args.get(1, "step", Known(1))
    out = ListObj("iterator", (), INT)
    if isinstance(start, Known) and isinstance(step, Known):
        try:
            out = ListObj("iterator", [Known(start.value + step.value * index) for index in range(AHEAD)], INT)
        except (TypeError, OverflowError):
            out = ListObj("iterator", (), UNKNOWN)
    # To take the next number is one step, so that threads may share it as their counter.
    out.slots[ATOMIC] = TRUE
    return out


@function("itertools.repeat")
def repeat_(machine: Machine, args: Arguments) -> AnyValue:
    """`repeat(value, times)`."""
    del machine
    value = args.pos[0] if args.pos else UNKNOWN
    times = _integer(args.get(1, "times"))
    if times is not None and times <= ROWS:
        return ListObj("iterator", [value] * max(times, 0))
    return ListObj("iterator", [value] * AHEAD if len(args.pos) == 1 and not args.kw else (), value)


@function("itertools.groupby")
def groupby(machine: Machine, args: Arguments) -> AnyValue:
    """`groupby(iterable, key)`: runs of elements with equal keys."""
    content = _first(machine, args)
    key = args.get(1, "key")

    def label_of(item: AnyValue) -> AnyValue:
        return machine.call(key, Arguments([item])) if key is not None and key != NONE else item

    labels = [label_of(item) for item in content.items]
    groups: list[tuple[AnyValue, list[AnyValue]]] = []
    for label, item in zip(labels, content.items, strict=True):
        same = equal(groups[-1][0], label) if groups else False
        if same is None:
            groups = []
            break
        if same:
            groups[-1][1].append(item)
        else:
            groups.append((label, [item]))
    if content.rest is None and (groups or not content.items):
        return ListObj("iterator", [TupleV([label, ListObj("iterator", items)]) for label, items in groups])
    found = summary(content)
    if content.rest is not None:
        labels.append(label_of(content.rest))
    return ListObj("iterator", (), TupleV([join(labels), ListObj("iterator", (), found)]))


@function("itertools.tee")
def tee(machine: Machine, args: Arguments) -> AnyValue:
    """`tee(iterable, n)`."""
    content = _first(machine, args)
    count = _integer(args.get(1, "n", Known(2)))
    made = [ListObj("iterator", content.items, content.rest) for _ in range(min(max(count or 2, 0), 64))]
    return TupleV(made) if count is not None else TupleV((), made[0])


@function("itertools.pairwise")
def pairwise(machine: Machine, args: Arguments) -> AnyValue:
    """`pairwise(iterable)`: neighbouring elements."""
    content = _first(machine, args)
    pairs = [TupleV(pair) for pair in itertools.pairwise(content.items)]
    if content.rest is None:
        return ListObj("iterator", pairs)
    return ListObj("iterator", pairs, TupleV([join([*content.items[-1:], content.rest]), content.rest]))


@function("itertools.batched")
def batched(machine: Machine, args: Arguments) -> AnyValue:
    """`batched(iterable, n)`: tuples of up to `n` elements."""
    content = _first(machine, args)
    count = _integer(args.get(1, "n"))
    if content.rest is None and count is not None and count > 0:
        items = content.items
        return ListObj("iterator", [TupleV(items[at : at + count]) for at in range(0, len(items), count)])
    found = summary(content)
    return ListObj("iterator", (), TupleV((), found)) if found is not None else ListObj("iterator")
