"""Functions that make classes: `Enum(...)` and `namedtuple(...)`, and what named tuples have."""

from __future__ import annotations

from typing import Any

from taskgates.inference.classes import ENUM_BASES
from taskgates.inference.models import registry
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance
from taskgates.inference.renderings import render
from taskgates.inference.values import (
    AnyValue,
    Ext,
    Known,
    Native,
    TupleV,
)


def _enum_function(name: str) -> None:
    def model(machine: Any, args: Arguments) -> AnyValue | None:
        """`Enum(name, members)`: a class made of names."""
        title, members = args.get(0, "value"), args.get(1, "names")
        if not (isinstance(title, Known) and isinstance(title.value, str)) or members is None:
            return None
        cls = ClassV(
            title.value, title.value, machine.frame.module if machine.frame is not None else None, (Ext(name),)
        )
        if isinstance(members, Known) and isinstance(members.value, str):
            pairs: list[tuple[str, AnyValue | None]] = [(n, None) for n in members.value.replace(",", " ").split()]
        elif isinstance(members, DictObj):
            pairs = [(str(key.value), value) for key, value in members.known() if isinstance(key, Known)]
        else:
            pairs = []
            for item in machine.iterate(members).items:
                if isinstance(item, TupleV) and len(item.items) == 2:
                    pairs.append((str(render(item.items[0])), item.items[1]))
                else:
                    pairs.append((str(render(item)), None))
        for member, value in pairs:
            cls.slots[member] = value if value is not None else Instance(Ext("enum.auto"))
        machine.make_enum(cls, [name])
        return cls

    registry.FUNCTIONS[name] = model


for _name in sorted(ENUM_BASES):
    _enum_function(_name)


def namedtuple_model(machine: Any, args: Arguments) -> AnyValue | None:
    """`collections.namedtuple(name, fields)`."""
    name = args.get(0, "typename")
    spec = args.get(1, "field_names")
    names: list[str] = []
    if isinstance(spec, Known) and isinstance(spec.value, str):
        names = spec.value.replace(",", " ").split()
    elif spec is not None:
        for item in machine.iterate(spec).items:
            pair = item.items[0] if isinstance(item, TupleV) and item.items else item
            names.append(str(render(pair)))
    title = str(name.value) if isinstance(name, Known) else "namedtuple"
    module = machine.frame.module if machine.frame is not None else None
    cls = ClassV(title, title, module, (Ext("typing.NamedTuple"),))
    defaults = machine.iterate(args.kw["defaults"]).items if "defaults" in args.kw else ()
    fields: dict[str, AnyValue | None] = dict.fromkeys(names)
    fields.update(zip(reversed(names), reversed(defaults), strict=False))
    cls.traits["fields"] = fields
    cls.traits["tuple"] = names
    return cls


registry.FUNCTIONS["collections.namedtuple"] = namedtuple_model
registry.FUNCTIONS["typing.NamedTuple"] = namedtuple_model
registry.ALIASES["typing_extensions.NamedTuple"] = "typing.NamedTuple"


def _make(machine: Any, cls: ClassV) -> AnyValue | None:
    if "tuple" not in cls.traits:
        return None

    def run(inner: Any, args: Arguments) -> AnyValue:
        content = inner.iterate(args.pos[0]) if args.pos else TupleV(())
        return inner.instantiate(cls, Arguments(content.items, {}, content.rest))  # type: ignore[no-any-return]

    del machine
    return Native("_make", run)


def _fields(machine: Any, cls: ClassV) -> AnyValue | None:
    del machine
    return TupleV(Known(name) for name in cls.traits["tuple"]) if "tuple" in cls.traits else None


registry.CLASS_ATTRIBUTES["_make"] = _make
registry.CLASS_ATTRIBUTES["_fields"] = _fields


def _replace(machine: Any, obj: Instance, args: Arguments) -> AnyValue:
    out = Instance(obj.cls)
    out.slots.update(obj.slots)
    out.slots.update(args.kw)
    del machine
    return out


def _asdict(machine: Any, obj: Instance, args: Arguments) -> AnyValue:
    del args
    return machine.slots_view(obj)  # type: ignore[no-any-return]


registry.METHODS["typing.NamedTuple._replace"] = _replace
registry.METHODS["typing.NamedTuple._asdict"] = _asdict
