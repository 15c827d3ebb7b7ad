"""copy and dataclasses: copies of objects, and their fields."""

from __future__ import annotations

from taskgates.inference.models.registry import CLASS_ATTRIBUTES, Machine, function
from taskgates.inference.models.values.generic_aliases import field_types
from taskgates.inference.objects import CONTENT, Arguments, ClassV, DictObj, Heap, Instance, ListObj, Maybe
from taskgates.inference.values import BOOL, FALSE, TRUE, UNKNOWN, AnyValue, Ext, Known, TupleV, Union, Unknown


@function("copy.copy")
def copy(machine: Machine, args: Arguments) -> AnyValue:
    """A shallow copy."""
    if args.pos and machine.has_attr(args.pos[0], "__copy__"):
        return machine.call(machine.get_attr(args.pos[0], "__copy__"), Arguments())  # type: ignore[no-any-return]
    return _copy(args.pos[0] if args.pos else UNKNOWN, {}, deep=False)


@function("copy.deepcopy")
def deepcopy(machine: Machine, args: Arguments) -> AnyValue:
    """A deep copy."""
    if args.pos and machine.has_attr(args.pos[0], "__deepcopy__"):
        return machine.call(machine.get_attr(args.pos[0], "__deepcopy__"), Arguments([DictObj()]))  # type: ignore[no-any-return]
    return _copy(args.pos[0] if args.pos else UNKNOWN, {}, deep=True)


@function("dataclasses.replace", "attr.evolve", "attrs.evolve", "copy.replace")
def replace(machine: Machine, args: Arguments) -> AnyValue:
    """A copy with some fields changed: made anew from the fields that the constructor takes."""
    value = args.pos[0] if args.pos else UNKNOWN
    if isinstance(value, Instance) and isinstance(value.cls, ClassV):
        taken = [name for name, field in field_table(machine, value.cls).items() if field.slots["init"] == TRUE]
        kept = {name: machine.get_attr(value, name) for name in taken if name not in args.kw and name in value.slots}
        return machine.call(value.cls, Arguments((), {**kept, **args.kw}, None, args.kwstar))  # type: ignore[no-any-return]
    out = _copy(value, {}, deep=False)
    if isinstance(out, Instance):
        out.slots.update(args.kw)
    return out


@function("dataclasses.asdict", "attr.asdict", "attrs.asdict")
def asdict(machine: Machine, args: Arguments) -> AnyValue:
    """Fields as a dict, nested ones too."""
    value = args.pos[0] if args.pos else UNKNOWN
    return _plain(machine, value, 0)


def _plain(machine: Machine, value: AnyValue, depth: int) -> AnyValue:
    if depth > 8:
        return UNKNOWN
    if isinstance(value, Instance) and isinstance(value.cls, ClassV):
        fields = next(
            (b.traits["fields"] for b in value.cls.mro if isinstance(b, ClassV) and "fields" in b.traits), None
        )
        if fields is not None:
            return machine.dict_of({name: _plain(machine, machine.get_attr(value, name), depth + 1) for name in fields})  # type: ignore[no-any-return]
    if isinstance(value, ListObj):
        return ListObj(value.kind, [_plain(machine, item, depth + 1) for item in value.items], value.rest)
    return value


@function("dataclasses.astuple")
def astuple(machine: Machine, args: Arguments) -> AnyValue:
    """Fields as a tuple."""
    found = asdict(machine, args)
    return TupleV(value for _, value in found.known()) if isinstance(found, DictObj) else UNKNOWN


_NO_DEFAULT = Ext("dataclasses.MISSING")
_FIELD = Ext("dataclasses._FIELD")


def field_table(machine: Machine, cls: ClassV) -> dict[str, Instance]:
    """A description of each field of a dataclass, by name; nothing for other classes."""
    found: dict[str, AnyValue | None] = next(
        (base.traits["fields"] for base in cls.mro if isinstance(base, ClassV) and "fields" in base.traits), {}
    )
    types = field_types(machine, cls) if found else {}
    table: dict[str, Instance] = {}
    for name, default in found.items():
        field = table[name] = Instance(Ext("dataclasses.Field"))
        declared = default.slots if isinstance(default, Instance) and default.cls == field.cls else {"default": default}
        field.slots["name"] = Known(name)
        field.slots["type"] = types.get(name, UNKNOWN)
        field.slots["metadata"] = declared.get("metadata") or DictObj()
        field.slots["default"] = declared.get("default") or _NO_DEFAULT
        field.slots["default_factory"] = declared.get("factory") or _NO_DEFAULT
        field.slots["init"] = declared.get("init") or TRUE
        field.slots["_field_type"] = _FIELD
    return table


def dataclass_fields(machine: Machine, cls: ClassV) -> AnyValue | None:
    """`cls.__dataclass_fields__`."""
    table = field_table(machine, cls)
    return machine.dict_of(dict(table)) if table else None


CLASS_ATTRIBUTES["__dataclass_fields__"] = dataclass_fields


@function("dataclasses.is_dataclass")
def is_dataclass(machine: Machine, args: Arguments) -> AnyValue:
    """`is_dataclass(class or object)`: a class of the program with generated fields that no other library generates."""
    del machine
    value = args.pos[0] if args.pos else UNKNOWN
    cls = value.cls if isinstance(value, Instance) else value
    if isinstance(cls, ClassV):
        made = [base for base in cls.mro if isinstance(base, ClassV) and "fields" in base.traits]
        return Known(any("auto_fields" not in base.traits and "tuple" not in base.traits for base in made))
    return BOOL if isinstance(value, Unknown | Union) else FALSE


@function("dataclasses.fields", "attr.fields", "attrs.fields")
def fields(machine: Machine, args: Arguments) -> AnyValue:
    """The fields of a dataclass."""
    value = args.pos[0] if args.pos else UNKNOWN
    cls = value.cls if isinstance(value, Instance) else value
    if isinstance(cls, ClassV):
        return TupleV(field_table(machine, cls).values())
    return TupleV((), UNKNOWN)


def _copy(value: AnyValue, seen: dict[int, AnyValue], *, deep: bool) -> AnyValue:
    if id(value) in seen:
        return seen[id(value)]
    out: Heap
    if isinstance(value, ListObj):
        out = ListObj(value.kind, value.items, value.rest)
        seen[id(value)] = out
        if deep:
            out.slots[CONTENT] = TupleV(
                [_copy(item, seen, deep=True) for item in value.items],
                _copy(value.rest, seen, deep=True) if value.rest is not None else None,
            )
        return out
    if isinstance(value, DictObj):
        out = DictObj(value.kind)
        seen[id(value)] = out
        for key, item in value.slots.items():
            if isinstance(item, Maybe):
                out.slots[key] = Maybe(_copy(item.value, seen, deep=True)) if deep else item
            else:
                out.slots[key] = _copy(item, seen, deep=True) if deep else item
        return out
    if isinstance(value, Instance) and type(value) is Instance:
        out = Instance(value.cls)
        seen[id(value)] = out
        for key, item in value.slots.items():
            out.slots[key] = _copy(item, seen, deep=True) if deep and isinstance(item, Heap) else item
        return out
    if isinstance(value, TupleV) and deep:
        return TupleV([_copy(item, seen, deep=True) for item in value.items], value.rest)
    return value
