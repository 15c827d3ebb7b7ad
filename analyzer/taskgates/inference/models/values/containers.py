"""Lists, tuples, dicts, sets, deques and iterators."""

from __future__ import annotations

import functools
import itertools
from typing import Any

from taskgates.inference.comparison import contains, equal
from taskgates.inference.conversion import NotKnown, comparable
from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import CONTENT, Arguments, Instance, ListObj
from taskgates.inference.operators import concat_contents
from taskgates.inference.values import (
    BOOL,
    FALSE,
    INT,
    NONE,
    SEQUENCE_LIMIT,
    TRUE,
    UNKNOWN,
    AnyValue,
    Known,
    TupleV,
    Unsorted,
    join,
)

_KINDS = ("list", "set", "deque", "frozenset", "iterator")


COMPARED = ("compared",)
"""The slot of a key of `functools.cmp_to_key`: the comparing function and the value."""


def everything(content: TupleV | ListObj) -> list[AnyValue]:
    """All elements, the summary included."""
    return [*content.items, *([content.rest] if content.rest is not None else [])]


def summary(content: TupleV | ListObj) -> AnyValue | None:
    """One value for all elements; None when there are none."""
    every = everything(content)
    return join(every) if every else None


def _set(machine: Machine, obj: ListObj, content: TupleV) -> None:
    if len(content.items) > SEQUENCE_LIMIT * 4:
        content = TupleV(
            (), join([*dict.fromkeys(content.items), *([content.rest] if content.rest is not None else [])])
        )
    if obj.kind != "deque":
        # What a deque does at its ends is safe among threads.
        machine.mutated(obj)
    machine.state.write(obj.slots, CONTENT, content)
    for item in content.items[-1:]:
        machine.taken_in(obj, item)


@method("builtins.list.append", "collections.deque.append", "builtins.set.add")
def append(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """Add one element."""
    value = args.pos[0] if args.pos else args.star or UNKNOWN
    if obj.kind == "set" and value in obj.items:
        return NONE
    content = concat_contents(TupleV(obj.items, obj.rest), TupleV([value]))
    _set(machine, obj, content)
    return NONE


@method("collections.deque.appendleft")
def append_left(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """Add one element in front."""
    _set(machine, obj, TupleV((args.pos[0] if args.pos else UNKNOWN, *obj.items), obj.rest))
    return NONE


@method("builtins.list.extend", "collections.deque.extend", "builtins.set.update", "collections.deque.extendleft")
def extend(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """Add all elements of other collections."""
    for value in args.pos:
        machine.extend(obj, value, distinct=obj.kind == "set")
    return NONE


@method("builtins.list.insert")
def insert(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """Insert at a position."""
    index = args.get(0, "index")
    value = args.get(1, "object") or UNKNOWN
    if (
        isinstance(index, Known)
        and isinstance(index.value, int)
        and (obj.rest is None or 0 <= index.value <= len(obj.items))
    ):
        items = list(obj.items)
        items.insert(index.value, value)
        _set(machine, obj, TupleV(items, obj.rest))
    else:
        _set(machine, obj, TupleV((), join([*everything(obj), value])))
    return NONE


@method("builtins.list.pop", "collections.deque.pop", "builtins.set.pop", "collections.deque.popleft")
def pop(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """Remove and return an element (the last; a deque's `popleft` is registered apart)."""
    index = args.get(0, "index", Known(-1))
    if obj.rest is None and not obj.items:
        raise machine.throw("IndexError", "pop from empty list")
    if isinstance(index, Known) and obj.rest is None and obj.kind != "set":
        items = list(obj.items)
        try:
            value = items.pop(index.value)
        except (IndexError, TypeError):
            raise machine.throw("IndexError") from None
        _set(machine, obj, TupleV(items))
        return value
    machine.may_raise("IndexError", "KeyError")
    machine.mutated(obj)
    return join(everything(obj))


@method("collections.deque.popleft")
def pop_left(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """Remove and return the first element."""
    del args
    if obj.items:
        value = obj.items[0]
        _set(machine, obj, TupleV(obj.items[1:], obj.rest))
        return value
    if obj.rest is None:
        raise machine.throw("IndexError", "pop from an empty deque")
    machine.may_raise("IndexError")
    return obj.rest


@method("builtins.list.remove", "builtins.set.discard", "builtins.set.remove", "collections.deque.remove")
def remove(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """Remove one element by value."""
    value = args.pos[0] if args.pos else UNKNOWN
    answers = [equal(item, value) for item in obj.items]
    if True in answers and None not in answers[: answers.index(True)]:
        index = answers.index(True)
        _set(machine, obj, TupleV((*obj.items[:index], *obj.items[index + 1 :]), obj.rest))
    elif None in answers or obj.rest is not None:
        machine.may_raise("ValueError", "KeyError")
        _set(machine, obj, TupleV((), summary(obj)))
    return NONE


@method("builtins.list.clear", "builtins.set.clear", "collections.deque.clear")
def clear(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """Remove all elements."""
    del args
    _set(machine, obj, TupleV(()))
    return NONE


@method("builtins.list.copy", "builtins.set.copy", "collections.deque.copy")
def copy_list(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """A shallow copy."""
    del machine, args
    return ListObj(obj.kind, obj.items, obj.rest)


@method("builtins.list.sort", "builtins.list.reverse")
def reorder(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """Sort or reverse in place."""
    content = sort_content(machine, TupleV(obj.items, obj.rest), args) if "key" in args.kw or not args.pos else None
    if content is None:
        content = TupleV((), summary(obj))
    machine.state.write(obj.slots, CONTENT, content)
    machine.mutated(obj)
    return NONE


def ranked(machine: Machine, keys: list[AnyValue]) -> list[Any] | None:
    """Keys that order as the given values do; None when their order is not known."""
    try:
        plain = [comparable(key) for key in keys]
        sorted(plain)
    except (NotKnown, TypeError):
        return _ranked_by_calls(machine, keys)
    return plain


def _ranked_by_calls(machine: Machine, keys: list[AnyValue]) -> list[Any] | None:
    """The same for objects with comparisons of their own."""
    if len(keys) > 64 or not any(isinstance(key, Instance) for key in keys):
        return None

    def compare(left: AnyValue, right: AnyValue) -> int:
        if isinstance(left, Instance) and isinstance(right, Instance) and COMPARED in left.slots:
            func, value = left.slots[COMPARED].items
            found = machine.call(func, Arguments([value, right.slots[COMPARED].items[1]]))
            if not (isinstance(found, Known) and isinstance(found.value, int | float)):
                raise NotKnown
            return int(found.value > 0) - int(found.value < 0)
        for one, other, sign in ((left, right, -1), (right, left, 1)):
            less = machine.truth(machine.compare_values("<", one, other))
            if less is None:
                raise NotKnown
            if less:
                return sign
        return 0

    plain = [functools.cmp_to_key(compare)(key) for key in keys]
    try:
        order = sorted(range(len(plain)), key=plain.__getitem__)
        ranks = [0] * len(order)
        for place, (before, index) in enumerate(itertools.pairwise(order), 1):
            ranks[index] = ranks[before] if compare(keys[before], keys[index]) == 0 else place
    except NotKnown:
        return None
    return ranks


def sort_content(machine: Machine, content: TupleV, args: Arguments) -> TupleV:
    """The elements in sorted order where that is known, else in an unknown one."""
    key = args.kw.get("key")
    reverse = machine.truth(args.kw["reverse"]) if "reverse" in args.kw else False
    keys: list[AnyValue] = list(content.items)
    if key is not None and not (isinstance(key, Known) and key.value is None):
        keys = [machine.call(key, Arguments([item])) for item in content.items]
        if content.rest is not None:
            keys.append(machine.call(key, Arguments([content.rest])))
    elif content.rest is not None:
        keys.append(content.rest)
    if content.rest is not None:
        for part in keys[-1].items if isinstance(keys[-1], TupleV) else keys[-1:]:
            if isinstance(part, Instance):
                machine.compare_values("<", part, part)
    if content.rest is None and reverse is not None:
        ranks = ranked(machine, keys)
        if ranks is not None:
            order = sorted(range(len(ranks)), key=ranks.__getitem__, reverse=bool(reverse))
            return TupleV(content.items[index] for index in order)
    if content.rest is None and len(content.items) <= 1:
        return content
    if content.rest is None:
        # The order is not known, the elements are: keep them apart.
        return content
    return TupleV((), summary(content))


@method("builtins.list.count", "builtins.tuple.count", "collections.deque.count")
def count_of(machine: Machine, obj: Any, args: Arguments) -> AnyValue:
    """How often an element is there."""
    del machine
    answers = [equal(item, args.pos[0] if args.pos else UNKNOWN) for item in obj.items]
    return Known(answers.count(True)) if obj.rest is None and None not in answers else INT


@method("builtins.list.index", "builtins.tuple.index", "collections.deque.index")
def index_of(machine: Machine, obj: Any, args: Arguments) -> AnyValue:
    """Position of an element."""
    value = args.pos[0] if args.pos else UNKNOWN
    answers = [equal(item, value) for item in obj.items]
    if len(args.pos) < 2 and True in answers and None not in answers[: answers.index(True)]:
        return Known(answers.index(True))
    if obj.rest is None and not any(answer is not False for answer in answers):
        raise machine.throw("ValueError", f"{value.value if isinstance(value, Known) else 'x'!r} is not in list")
    machine.may_raise("ValueError")
    return INT


@method("builtins.set.union", "builtins.frozenset.union")
def union(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """Elements of any of the sets."""
    out = ListObj("set", obj.items, obj.rest)
    for value in args.pos:
        machine.extend(out, value, distinct=True)
    return out


def _surviving(machine: Machine, obj: ListObj, args: Arguments, name: str) -> TupleV:
    """The elements that a set operation leaves: certain ones, then a summary of those that may stay."""
    content = TupleV(obj.items, obj.rest)
    for value in args.pos:
        other = machine.iterate(value)
        inside = [contains(other, item) for item in content.items]
        wanted = name.startswith("intersection")
        kept = [item for item, there in zip(content.items, inside, strict=True) if there is wanted]
        loose = [item for item, there in zip(content.items, inside, strict=True) if there is None]
        loose.extend(everything(TupleV((), content.rest)))
        if name.startswith("symmetric"):
            back = [contains(content, item) for item in other.items]
            kept.extend(item for item, there in zip(other.items, back, strict=True) if there is False)
            loose.extend(item for item, there in zip(other.items, back, strict=True) if there is None)
            loose.extend(everything(TupleV((), other.rest)))
        content = TupleV(kept, join(loose) if loose else None)
    return content


def _set_operation(name: str) -> None:
    def model(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
        content = _surviving(machine, obj, args, name)
        if not name.endswith("_update"):
            return ListObj("set", content.items, content.rest)
        _set(machine, obj, content)
        return NONE

    registry.METHODS[f"builtins.set.{name}"] = model


for _name in ("intersection", "difference", "symmetric_difference"):
    _set_operation(_name)
    _set_operation(f"{_name}_update")


@method("builtins.set.issubset", "builtins.set.issuperset", "builtins.set.isdisjoint")
def set_test(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """`a.isdisjoint(b)`; the other comparisons are registered apart."""
    other = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    inside = [contains(other, item) for item in obj.items]
    if True in inside:
        return FALSE
    return TRUE if obj.rest is None and other.rest is None and None not in inside else BOOL


def _all_inside(smaller: TupleV | ListObj, larger: TupleV | ListObj) -> AnyValue:
    inside = [contains(larger, item) for item in smaller.items]
    if False in inside:
        return FALSE
    return TRUE if smaller.rest is None and None not in inside else BOOL


@method("builtins.set.issubset")
def is_subset(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """`a.issubset(b)`."""
    return _all_inside(obj, machine.iterate(args.pos[0]) if args.pos else TupleV(()))


@method("builtins.set.issuperset")
def is_superset(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """`a.issuperset(b)`."""
    return _all_inside(machine.iterate(args.pos[0]) if args.pos else TupleV(()), obj)


# Items by their methods: `__getattr__ = dict.__getitem__`, `super().__setitem__(key, value)`


@method("builtins.dict.__getitem__", "builtins.list.__getitem__")
def item_method(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`d.__getitem__(key)`."""
    return machine.get_item(obj, args.pos[0] if args.pos else UNKNOWN)  # type: ignore[no-any-return]


@method("builtins.dict.__setitem__", "builtins.list.__setitem__")
def set_item_method(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`d.__setitem__(key, value)`."""
    if len(args.pos) == 2:
        machine.set_item(obj, args.pos[0], args.pos[1])
    return NONE


@method("builtins.dict.__delitem__", "builtins.list.__delitem__")
def delete_item_method(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """`d.__delitem__(key)`."""
    if args.pos:
        machine.delete_item(obj, args.pos[0])
    return NONE


for _kind in ("list", "set", "frozenset"):

    def _make(machine: Machine, args: Arguments, kind: str = _kind) -> AnyValue:
        content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
        items = tuple(dict.fromkeys(content.items)) if kind != "list" else content.items
        out = ListObj(kind, items, content.rest)
        if type(content) is Unsorted and kind == "list":
            out.slots[CONTENT] = content
        return out

    registry.FUNCTIONS[f"builtins.{_kind}"] = _make


@function("builtins.tuple")
def make_tuple(machine: Machine, args: Arguments) -> AnyValue:
    """`tuple(iterable)`."""
    return machine.iterate(args.pos[0]) if args.pos else TupleV(())


# The methods of frozen sets are those of sets.
for _name in list(registry.METHODS):
    if _name.startswith("builtins.set."):
        registry.METHODS.setdefault(_name.replace("builtins.set.", "builtins.frozenset."), registry.METHODS[_name])
