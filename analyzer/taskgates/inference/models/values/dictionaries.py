"""Dicts and their kin: construction and methods."""

from __future__ import annotations

from taskgates.inference.comparison import may_equal
from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.models.values.containers import summary
from taskgates.inference.objects import DEFAULT, REST, Arguments, DictObj, Instance, ListObj, Maybe
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import (
    BOOL,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    TupleV,
    Union,
    Unknown,
    join,
    text_of,
)

# Dicts


@method("builtins.dict.get")
def dict_get(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`d.get(key, default)`."""
    key = args.get(0, "key") or UNKNOWN
    default = args.get(1, "default", NONE) or NONE
    if isinstance(key, Union):
        return join(dict_get(machine, obj, Arguments([option, default])) for option in key.options)
    try:
        found = obj.slots.get(key) if not isinstance(key, Unknown) else None
    except TypeError:
        found = None
    if found is not None:
        if isinstance(found, Maybe):
            return join([found.value, default])
        return found  # type: ignore[no-any-return]
    known = obj.known()
    if obj.rest is None and isinstance(key, Known) and all(isinstance(k, Known) for k, _ in known):
        return default
    candidates = [value for k, value in known if may_equal(k, key)]
    return join([*candidates, obj.rest, default])


@method("builtins.dict.setdefault")
def dict_setdefault(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`d.setdefault(key, default)`."""
    key = args.get(0, "key") or UNKNOWN
    default = args.get(1, "default", NONE) or NONE
    machine.mutated(obj)
    if isinstance(key, Known) and key in obj.slots and not isinstance(obj.slots[key], Maybe):
        return obj.slots[key]  # type: ignore[no-any-return]
    current = dict_get(machine, obj, Arguments([key, default]))
    if isinstance(key, Known):
        machine.state.write(obj.slots, key, current)
    else:
        machine.put(obj, key, current)
    machine.taken_in(obj, default)
    return current


@method("builtins.dict.pop")
def dict_pop(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`d.pop(key, default)`."""
    key = args.get(0, "key") or UNKNOWN
    machine.mutated(obj)
    default = args.get(1, "default")
    if isinstance(key, Known) and key in obj.slots:
        found = obj.slots[key]
        machine.state.erase(obj.slots, key)
        if isinstance(found, Maybe):
            return join([found.value, default]) if default is not None else found.value
        return found  # type: ignore[no-any-return]
    if default is not None:
        return dict_get(machine, obj, Arguments([key, default]))
    return machine.dict_item(obj, key)  # type: ignore[no-any-return]


@method("builtins.dict.items")
def dict_items(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """Pairs."""
    del args
    pairs = []
    loose = []
    for key, value in obj.slots.items():
        if key is REST or key is DEFAULT:
            continue
        if isinstance(value, Maybe):
            loose.append(TupleV([key, value.value]))
        else:
            pairs.append(TupleV([key, value]))
    if obj.rest is not None:
        loose.append(TupleV([_unknown_key(obj), obj.rest]))
    rest = (
        loose[0]
        if len(loose) == 1
        else (TupleV(join(column) for column in zip(*(p.items for p in loose), strict=True)) if loose else None)
    )
    del machine
    return ListObj("list", pairs, rest)


def _unknown_key(obj: DictObj) -> AnyValue:
    origin = obj.rest.origin if isinstance(obj.rest, Unknown) else "data"
    return text_hole(origin)


@method("builtins.dict.keys")
def dict_keys(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """Keys."""
    del args
    content = machine.iterate(obj)
    return ListObj("list", content.items, content.rest)


@method("builtins.dict.values")
def dict_values(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """Values."""
    pairs = dict_items(machine, obj, args)
    assert isinstance(pairs, ListObj)
    rest = pairs.rest.items[1] if isinstance(pairs.rest, TupleV) else None
    return ListObj("list", [pair.items[1] for pair in pairs.items if isinstance(pair, TupleV)], rest)


@method("builtins.dict.update")
def dict_update(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`d.update(other, **more)`."""
    for value in args.pos:
        machine.merge_into(obj, value)
    for name, value in args.kw.items():
        machine.put(obj, Known(name), value)
    if args.kwstar is not None:
        machine.put(obj, UNKNOWN, args.kwstar)
    machine.mutated(obj)
    return NONE


@method("builtins.dict.copy")
def dict_copy(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """A shallow copy."""
    del machine, args
    out = DictObj(obj.kind)
    out.slots.update(obj.slots)
    return out


@method("builtins.dict.clear")
def dict_clear(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """Remove all entries."""
    del args
    machine.mutated(obj)
    for key in list(obj.slots):
        if key is not DEFAULT:
            machine.state.erase(obj.slots, key)
    return NONE


@method("builtins.dict.popitem")
def dict_popitem(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """Remove and return some entry."""
    last = machine.truth(args.get(0, "last", TRUE))
    pairs = dict_items(machine, obj, Arguments())
    machine.mutated(obj)
    assert isinstance(pairs, ListObj)
    if obj.exact and last is not None:
        if not pairs.items:
            raise machine.throw("KeyError", "dictionary is empty")
        pair = pairs.items[-1 if last else 0]
        assert isinstance(pair, TupleV)
        machine.state.erase(obj.slots, pair.items[0])
        return pair
    machine.may_raise("KeyError")
    for key, value in list(obj.slots.items()):
        if key is not REST and key is not DEFAULT and not isinstance(value, Maybe):
            machine.state.write(obj.slots, key, Maybe(value))
    found = summary(pairs)
    return found if found is not None else TupleV([UNKNOWN, UNKNOWN])


@method("builtins.dict.move_to_end")
def move_to_end(machine: Machine, obj: DictObj, args: Arguments) -> AnyValue:
    """`ordered.move_to_end(key, last)`."""
    key = args.get(0, "key") or UNKNOWN
    last = machine.truth(args.get(1, "last", TRUE))
    machine.mutated(obj)
    if isinstance(key, Known) and key in obj.slots and last is not None:
        slots, state = obj.slots, machine.state
        behind = [(k, v) for k, v in slots.items() if k != key and k is not DEFAULT and k is not REST]
        moved = [(key, slots[key])]
        for other, value in [*behind, *moved] if last else [*moved, *behind]:
            state.erase(slots, other)
            state.write(slots, other, value)
    return NONE


@function("collections.defaultdict")
def defaultdict(machine: Machine, args: Arguments) -> AnyValue:
    """`defaultdict(factory, ...)`."""
    out = DictObj("defaultdict")
    if args.pos and not (isinstance(args.pos[0], Known) and args.pos[0].value is None):
        out.slots[DEFAULT] = args.pos[0]
    for value in args.pos[1:]:
        machine.merge_into(out, value)
    return out


@function("builtins.dict", "collections.OrderedDict")
def make_dict(machine: Machine, args: Arguments) -> AnyValue:
    """`dict(...)`."""
    out = DictObj("dict")
    for value in args.pos:
        machine.merge_into(out, value)
    for name, value in args.kw.items():
        out.slots[Known(name)] = value
    if args.kwstar is not None:
        out.slots[REST] = args.kwstar
    return out


@function("builtins.dict.fromkeys")
def fromkeys(machine: Machine, args: Arguments) -> AnyValue:
    """`dict.fromkeys(keys, value)`."""
    out = DictObj("dict")
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    value = args.pos[1] if len(args.pos) > 1 else NONE
    for key in content.items:
        machine.put(out, key, value)
    if content.rest is not None:
        out.slots[REST] = value
    return out


@function("types.SimpleNamespace", "argparse.Namespace")
def namespace(machine: Machine, args: Arguments) -> AnyValue:
    """An object with the given attributes."""
    del machine
    out = Instance(Ext("types.SimpleNamespace"))
    out.slots.update(args.kw)
    return out


@method("types.SimpleNamespace.__contains__")
def namespace_contains(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`name in arguments`: parsed arguments know their names."""
    del machine
    name = text_of(args.pos[0])
    if not isinstance(name, str):
        return BOOL
    value = obj.slots.get(name)
    return BOOL if isinstance(value, Maybe) else Known(value is not None)


@function("types.MappingProxyType", "collections.UserDict", "collections.UserList")
def same(machine: Machine, args: Arguments) -> AnyValue:
    """A view of a mapping."""
    del machine
    return args.pos[0] if args.pos else DictObj()


# The methods of ordered dicts and the rest are those of plain ones.
for _name in list(registry.METHODS):
    if _name.startswith("builtins.dict."):
        for _other in (
            "collections.defaultdict.",
            "collections.OrderedDict.",
            "collections.Counter.",
            "collections.UserDict.",
        ):
            registry.METHODS.setdefault(_name.replace("builtins.dict.", _other), registry.METHODS[_name])
