"""Order: heaps, bisection and extremes, decided where the order of the elements is known."""

from __future__ import annotations

import bisect
import heapq
from typing import Any

from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.values.containers import everything, ranked, summary
from taskgates.inference.objects import CONTENT, Arguments, ListObj
from taskgates.inference.values import INT, NONE, UNKNOWN, AnyValue, Known, TupleV, join


class _Entry:
    """An element of a heap with its rank; entries compare by rank alone."""

    __slots__ = ("rank", "value")

    def __init__(self, rank: Any, value: AnyValue) -> None:
        self.rank = rank
        self.value = value

    def __lt__(self, other: _Entry) -> bool:
        return bool(self.rank < other.rank)


def _entries(machine: Machine, values: list[AnyValue], key: AnyValue | None = None) -> list[_Entry] | None:
    keys = values
    if key is not None and key != NONE:
        keys = [machine.call(key, Arguments([value])) for value in values]
    ranks = ranked(machine, keys)
    return None if ranks is None else [_Entry(rank, value) for rank, value in zip(ranks, values, strict=True)]


def _heap(machine: Machine, args: Arguments, *more: AnyValue) -> tuple[ListObj | None, list[_Entry] | None]:
    """The list that a function of heapq works on, and its entries with those to come, where their order is known."""
    target = args.pos[0] if args.pos else UNKNOWN
    if not isinstance(target, ListObj):
        return None, None
    machine.mutated(target)
    if target.rest is not None:
        return target, None
    return target, _entries(machine, [*target.items, *more])


def _store(machine: Machine, target: ListObj, heap: list[_Entry]) -> None:
    machine.state.write(target.slots, CONTENT, TupleV(entry.value for entry in heap))


def _blur(machine: Machine, target: ListObj, *more: AnyValue) -> None:
    every = [*everything(target), *more]
    machine.state.write(target.slots, CONTENT, TupleV((), join(every) if every else None))


@function("heapq.heapify")
def heapify(machine: Machine, args: Arguments) -> AnyValue:
    """`heapify(items)`."""
    target, heap = _heap(machine, args)
    if heap is not None and target is not None:
        heapq.heapify(heap)
        _store(machine, target, heap)
    elif target is not None:
        _blur(machine, target)
    return NONE


@function("heapq.heappush")
def heappush(machine: Machine, args: Arguments) -> AnyValue:
    """`heappush(heap, item)`."""
    item = args.pos[1] if len(args.pos) > 1 else UNKNOWN
    target, heap = _heap(machine, args, item)
    if heap is not None and target is not None:
        new = heap.pop()
        heapq.heappush(heap, new)
        _store(machine, target, heap)
    elif target is not None:
        _blur(machine, target, item)
    return NONE


@function("heapq.heappop")
def heappop(machine: Machine, args: Arguments) -> AnyValue:
    """`heappop(heap)`: the smallest element."""
    target, heap = _heap(machine, args)
    if target is None:
        return UNKNOWN
    if heap is not None:
        if not heap:
            raise machine.throw("IndexError", "index out of range")
        found = heapq.heappop(heap)
        _store(machine, target, heap)
        return found.value
    machine.may_raise("IndexError")
    found_any = summary(target)
    if target.rest is None:
        # One of the elements goes, it is not known which.
        _blur(machine, target)
    return found_any if found_any is not None else UNKNOWN


@function("heapq.heapreplace", "heapq.heappushpop")
def heapreplace(machine: Machine, args: Arguments) -> AnyValue:
    """`heapreplace(heap, item)`; `heappushpop` is registered apart."""
    found = heappop(machine, args)
    heappush(machine, args)
    return found


@function("heapq.heappushpop")
def heappushpop(machine: Machine, args: Arguments) -> AnyValue:
    """`heappushpop(heap, item)`."""
    heappush(machine, args)
    return heappop(machine, args)


def _some(machine: Machine, args: Arguments, *, largest: bool) -> AnyValue:
    number = args.get(0, "n")
    content = machine.iterate(args.get(1, "iterable") or TupleV(()))
    entries = _entries(machine, list(content.items), args.get(2, "key")) if content.rest is None else None
    if entries is None or not isinstance(number, Known) or not isinstance(number.value, int):
        return ListObj("list", (), summary(content))
    chosen = heapq.nlargest(number.value, entries) if largest else heapq.nsmallest(number.value, entries)
    return ListObj("list", [entry.value for entry in chosen])


@function("heapq.nlargest")
def nlargest(machine: Machine, args: Arguments) -> AnyValue:
    """`nlargest(n, iterable, key)`."""
    return _some(machine, args, largest=True)


@function("heapq.nsmallest")
def nsmallest(machine: Machine, args: Arguments) -> AnyValue:
    """`nsmallest(n, iterable, key)`."""
    return _some(machine, args, largest=False)


@function("heapq.merge")
def merge(machine: Machine, args: Arguments) -> AnyValue:
    """`merge(*iterables, key, reverse)`."""
    contents = [machine.iterate(value) for value in args.pos]
    reverse = machine.truth(args.kw["reverse"]) if "reverse" in args.kw else False
    if args.star is None and reverse is not None and all(content.rest is None for content in contents):
        values = [item for content in contents for item in content.items]
        entries = _entries(machine, values, args.kw.get("key"))
        if entries is not None:
            parts = []
            for content in contents:
                parts.append(entries[: len(content.items)])
                entries = entries[len(content.items) :]
            return ListObj("iterator", [entry.value for entry in heapq.merge(*parts, reverse=bool(reverse))])
    every = [item for content in contents for item in everything(content)]
    return ListObj("iterator", (), join([*every, args.star]) if every or args.star is not None else None)


def _place(machine: Machine, args: Arguments, *, left: bool) -> int | None:
    """Where bisection puts a value; None where that is not known."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    value = args.get(1, "x") or UNKNOWN
    key = args.kw.get("key")
    if content.rest is not None or len(args.pos) > 2 or "lo" in args.kw or "hi" in args.kw:
        return None
    keys = list(content.items)
    if key is not None and key != NONE:
        keys = [machine.call(key, Arguments([item])) for item in keys]
    ranks = ranked(machine, [*keys, value])
    if ranks is None:
        return None
    return bisect.bisect_left(ranks[:-1], ranks[-1]) if left else bisect.bisect_right(ranks[:-1], ranks[-1])


@function("bisect.bisect_left")
def bisect_left(machine: Machine, args: Arguments) -> AnyValue:
    """`bisect_left(sorted, value)`."""
    found = _place(machine, args, left=True)
    return INT if found is None else Known(found)


@function("bisect.bisect", "bisect.bisect_right")
def bisect_right(machine: Machine, args: Arguments) -> AnyValue:
    """`bisect(sorted, value)`."""
    found = _place(machine, args, left=False)
    return INT if found is None else Known(found)


def _insort(machine: Machine, args: Arguments, *, left: bool) -> AnyValue:
    target = args.pos[0] if args.pos else UNKNOWN
    value = args.get(1, "x") or UNKNOWN
    if not isinstance(target, ListObj):
        return NONE
    given = Arguments(args.pos, dict(args.kw))
    key = args.kw.get("key")
    if key is not None and key != NONE and len(args.pos) > 1:
        given.pos = [target, machine.call(key, Arguments([value])), *args.pos[2:]]
    place = _place(machine, given, left=left)
    machine.mutated(target)
    if place is None:
        _blur(machine, target, value)
    else:
        items = list(target.items)
        items.insert(place, value)
        machine.state.write(target.slots, CONTENT, TupleV(items))
    return NONE


@function("bisect.insort_left")
def insort_left(machine: Machine, args: Arguments) -> AnyValue:
    """`insort_left(sorted, value)`."""
    return _insort(machine, args, left=True)


@function("bisect.insort", "bisect.insort_right")
def insort(machine: Machine, args: Arguments) -> AnyValue:
    """`insort(sorted, value)`."""
    return _insort(machine, args, left=False)


def _extreme(machine: Machine, args: Arguments, *, largest: bool) -> AnyValue:
    content = machine.iterate(args.pos[0]) if len(args.pos) == 1 and args.star is None else TupleV(args.pos, args.star)
    key = args.kw.get("key")
    default = args.kw.get("default")
    keys = list(content.items)
    if key is not None and key != NONE:
        keys = [machine.call(key, Arguments([item])) for item in content.items]
        if content.rest is not None:
            machine.call(key, Arguments([content.rest]))
    if content.rest is None:
        if not keys:
            if default is not None:
                return default
            raise machine.throw("ValueError", "an empty sequence has no extreme")
        ranks = ranked(machine, keys) if len(keys) > 1 else [0]
        if ranks is not None:
            # The first of equals, as Python takes it.
            places = range(len(ranks))
            return content.items[max(places, key=ranks.__getitem__) if largest else min(places, key=ranks.__getitem__)]
    return join([*everything(content), *([default] if default is not None and not content.items else [])] or [UNKNOWN])


@function("builtins.min")
def min_(machine: Machine, args: Arguments) -> AnyValue:
    """`min(...)`."""
    return _extreme(machine, args, largest=False)


@function("builtins.max")
def max_(machine: Machine, args: Arguments) -> AnyValue:
    """`max(...)`."""
    return _extreme(machine, args, largest=True)
