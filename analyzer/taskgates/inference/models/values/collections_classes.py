"""The classes of `collections` that do more than their plain kin: Counter, deque, ChainMap."""

from __future__ import annotations

from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.models.values.containers import everything, ranked, summary
from taskgates.inference.models.values.dictionaries import dict_items
from taskgates.inference.objects import CONTENT, DEFAULT, REST, Arguments, DictObj, Instance, ListObj, Maybe
from taskgates.inference.values import INT, NONE, UNKNOWN, AnyValue, Ext, Known, TupleV, Union, join

COUNT_LIMIT = 100_000
"""Elements that a counter counts one by one."""


def _amounts(machine: Machine, args: Arguments) -> list[tuple[AnyValue, AnyValue]] | None:
    """The elements to count with their amounts; None when some are not known."""
    found: list[tuple[AnyValue, AnyValue]] = [(Known(name), value) for name, value in args.kw.items()]
    for value in args.pos:
        if isinstance(value, Known) and value.value is None:
            continue
        if isinstance(value, DictObj):
            if not value.exact:
                return None
            found.extend(value.known())
            continue
        content = machine.iterate(value)
        if content.rest is not None or len(content.items) > COUNT_LIMIT:
            return None
        found.extend((item, Known(1)) for item in content.items)
    return found if args.star is None and args.kwstar is None else None


def _count(machine: Machine, obj: DictObj, args: Arguments, sign: str) -> AnyValue:
    # What an iterator gives is gone once it has been asked for.
    args = Arguments(
        [value if isinstance(value, DictObj | Union | Known) else machine.iterate(value) for value in args.pos],
        args.kw,
        args.star,
        args.kwstar,
    )
    amounts = _amounts(machine, args)
    machine.mutated(obj)
    if amounts is not None and all(isinstance(item, Known | TupleV) for item, _ in amounts):
        for item, amount in amounts:
            before = obj.slots.get(item, Known(0))
            before = before.value if isinstance(before, Maybe) else before
            machine.put(obj, item, machine.operate(sign, before, amount))
        return NONE
    for key, _ in obj.known():
        machine.state.write(obj.slots, key, INT)
    for value in args.pos:
        for item in everything(machine.iterate(value)):
            machine.put(obj, item, INT)
    return NONE


@function("collections.Counter")
def counter(machine: Machine, args: Arguments) -> AnyValue:
    """`Counter(iterable)`, `Counter(mapping)`."""
    out = DictObj("Counter")
    out.slots[DEFAULT] = Ext("builtins.int")
    _count(machine, out, args, "+")
    return out


@method("collections.Counter.update")
def counter_update(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`counter.update(iterable)`."""
    return _count(machine, obj, args, "+")


@method("collections.Counter.subtract")
def counter_subtract(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`counter.subtract(iterable)`."""
    return _count(machine, obj, args, "-")


@method("collections.Counter.most_common")
def most_common(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`counter.most_common(n)`: pairs of element and count, the most frequent first."""
    pairs = dict_items(machine, obj, Arguments())
    assert isinstance(pairs, ListObj)
    number = args.get(0, "n", NONE)
    counts = [pair.items[1] for pair in pairs.items if isinstance(pair, TupleV)]
    ranks = ranked(machine, counts) if obj.exact else None
    if ranks is None or not isinstance(number, Known):
        return ListObj("list", (), summary(pairs))
    order = sorted(range(len(ranks)), key=ranks.__getitem__, reverse=True)
    return ListObj("list", [pairs.items[index] for index in order[: number.value]])


@method("collections.Counter.elements")
def counter_elements(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`counter.elements()`: every element as often as it was counted."""
    del args
    keys = machine.iterate(obj)
    out: list[AnyValue] = []
    for key, count in obj.known():
        if not obj.exact or not isinstance(count, Known) or not isinstance(count.value, int) or count.value > 1000:
            return ListObj("iterator", (), summary(keys))
        out.extend([key] * max(count.value, 0))
    return ListObj("iterator", out)


@method("collections.Counter.total")
def counter_total(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`counter.total()`."""
    del args
    values = machine.call_method(obj, "values", Arguments(), None)
    return machine.call(Ext("builtins.sum"), Arguments([values]))  # type: ignore[no-any-return]


# Deques

MAXLEN = "maxlen"


@function("collections.deque")
def make_deque(machine: Machine, args: Arguments) -> AnyValue:
    """`deque(iterable, maxlen)`."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    out = ListObj("deque", content.items, content.rest)
    out.slots[MAXLEN] = args.get(1, "maxlen", NONE)
    _trim(machine, out, from_left=True)
    return out


def _trim(machine: Machine, obj: ListObj, *, from_left: bool) -> None:
    """Drop what goes beyond the maximal length at the other end."""
    limit = obj.slots.get(MAXLEN)
    if not isinstance(limit, Known) or not isinstance(limit.value, int) or len(obj.items) <= limit.value:
        return
    if obj.rest is not None:
        return
    kept = obj.items[len(obj.items) - limit.value :] if from_left else obj.items[: limit.value]
    machine.state.write(obj.slots, CONTENT, TupleV(kept))


def _trimmed(name: str, *, from_left: bool) -> None:
    earlier = registry.METHODS[f"collections.deque.{name}"]

    def model(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
        result: AnyValue = earlier(machine, obj, args)
        if MAXLEN in obj.slots:
            _trim(machine, obj, from_left=from_left)
        return result

    registry.METHODS[f"collections.deque.{name}"] = model


@method("collections.deque.extendleft")
def extend_left(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """`deque.extendleft(iterable)`: each element in turn comes to the front."""
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    machine.mutated(obj)
    if content.rest is None:
        machine.state.write(obj.slots, CONTENT, TupleV((*reversed(content.items), *obj.items), obj.rest))
    else:
        machine.state.write(obj.slots, CONTENT, TupleV((), join([*everything(content), *everything(obj)])))
    return NONE


_trimmed("append", from_left=True)
_trimmed("extend", from_left=True)
_trimmed("appendleft", from_left=False)
_trimmed("extendleft", from_left=False)
for _name in ("insert", "reverse", "copy"):
    registry.METHODS[f"collections.deque.{_name}"] = registry.METHODS[f"builtins.list.{_name}"]


@method("collections.deque.rotate")
def rotate(machine: Machine, obj: ListObj, args: Arguments) -> AnyValue:
    """`deque.rotate(n)`."""
    steps = args.get(0, "n", Known(1))
    machine.mutated(obj)
    if obj.rest is None and isinstance(steps, Known) and isinstance(steps.value, int):
        if obj.items:
            cut = -steps.value % len(obj.items)
            machine.state.write(obj.slots, CONTENT, TupleV((*obj.items[cut:], *obj.items[:cut])))
    else:
        machine.state.write(obj.slots, CONTENT, TupleV((), summary(obj)))
    return NONE


# Chained mappings

CHAIN = "collections.ChainMap"
MAPS = "maps"


def _chain(maps: list[AnyValue]) -> Instance:
    out = Instance(Ext(CHAIN))
    out.slots[MAPS] = ListObj("list", maps or [DictObj()])
    return out


def _maps(obj: Instance) -> AnyValue:
    """The mappings of a chain; a subclass need not have passed any on."""
    found = obj.slots.get(MAPS)
    return found.value if isinstance(found, Maybe) else found if found is not None else ListObj("list", [DictObj()])


def _flat(machine: Machine, obj: Instance) -> DictObj:
    """The entries that a chain shows: earlier maps win."""
    out = DictObj()
    maps = machine.iterate(_maps(obj))
    if maps.rest is not None:
        out.slots[REST] = UNKNOWN
    for value in reversed(maps.items):
        machine.merge_into(out, value)
    return out


def _first(obj: Instance) -> AnyValue:
    maps = _maps(obj)
    return maps.items[0] if isinstance(maps, ListObj) and maps.items else UNKNOWN


@function(CHAIN)
def chain_map(machine: Machine, args: Arguments) -> AnyValue:
    """`ChainMap(first, second, ...)`."""
    del machine
    return _chain(list(args.pos))


@method(f"{CHAIN}.@entries")
def chain_entries(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The entries as one mapping."""
    del args
    return _flat(machine, obj)


@method(f"{CHAIN}.__getitem__")
def chain_item(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`chain[key]`."""
    return machine.get_item(_flat(machine, obj), args.pos[0])  # type: ignore[no-any-return]


@method(f"{CHAIN}.__setitem__")
def chain_store(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`chain[key] = value` goes into the first map."""
    machine.set_item(_first(obj), args.pos[0], args.pos[1])
    return NONE


@method(f"{CHAIN}.__iter__")
def chain_iter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The keys."""
    del args
    return machine.iterate(_flat(machine, obj))  # type: ignore[no-any-return]


@method(f"{CHAIN}.new_child")
def chain_child(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`chain.new_child(mapping)`."""
    first = args.get(0, "m", NONE)
    front = first if first is not None and first != NONE else DictObj("dict", {Known(k): v for k, v in args.kw.items()})
    return _chain([front, *machine.iterate(_maps(obj)).items])


@method(f"{CHAIN}.@parents")
def chain_parents(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`chain.parents`."""
    del args
    return _chain(list(machine.iterate(_maps(obj)).items[1:]))


def _chain_method(name: str, *, stores: bool) -> None:
    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        target = _first(obj) if stores else _flat(machine, obj)
        return machine.call(machine.get_attr(target, name), args)  # type: ignore[no-any-return]

    registry.METHODS[f"{CHAIN}.{name}"] = model


for _name in ("get", "items", "keys", "values", "copy"):
    _chain_method(_name, stores=False)
for _name in ("pop", "popitem", "clear", "update", "setdefault"):
    _chain_method(_name, stores=True)
