"""Attributes by name: `getattr` and its kin, `vars` and `dir`."""

from __future__ import annotations

import builtins
from types import FunctionType, MethodType
from typing import Any

from taskgates.inference.class_attributes import PLAIN_BASES
from taskgates.inference.exceptions import (
    exception_attribute,
)
from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Heap, Instance, ListObj, Maybe, ModuleV
from taskgates.inference.recording import matches_text
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import (
    BOOL,
    NONE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    Method,
    PathV,
    Super,
    TupleV,
    Unknown,
    join,
    options,
    text_of,
)


@function("builtins.getattr")
def getattr_(machine: Machine, args: Arguments) -> AnyValue:
    """`getattr(obj, name, default)`."""
    obj = args.get(0, "object") or UNKNOWN
    name = args.get(1, "name") or UNKNOWN
    default = args.get(2, "default")
    found: list[AnyValue] = []
    for option in options(name):
        if isinstance(option, Known) and isinstance(option.value, str):
            found.append(machine.each(obj, lambda o, n=option.value: _getattr_one(machine, o, n, default)))
        else:
            found.extend(_matching_attributes(machine, obj, option, default))
    return join(found) if found else UNKNOWN


def _getattr_one(machine: Machine, obj: AnyValue, name: str, default: AnyValue | None) -> AnyValue:
    if default is not None:
        present = _has_attribute(machine, obj, name)
        if present is False:
            return default
        value: AnyValue = machine.get_attr(obj, name)
        if present is None:
            return default if isinstance(value, Method) and isinstance(obj, Known) else join([value, default])
        return value
    if (
        isinstance(obj, Instance)
        and isinstance(obj.cls, ClassV)
        and machine.prepared_for("AttributeError")
        and _has_attribute(machine, obj, name) is False
    ):
        raise machine.throw("AttributeError")
    return machine.get_attr(obj, name)  # type: ignore[no-any-return]


def _has_attribute(machine: Machine, obj: AnyValue, name: str) -> bool | None:
    if isinstance(obj, ModuleV):
        if name in obj.slots:
            return None if isinstance(obj.slots[name], Maybe) else True
        return None if "__getattr__" in obj.slots else machine.submodule(obj, name) is not None
    if isinstance(obj, Instance):
        if name in obj.slots:
            return None if isinstance(obj.slots[name], Maybe) else True
        if isinstance(obj.cls, ClassV):
            if machine.has_attr(obj, name):
                return True
            if "exception" in obj.cls.traits:
                return exception_attribute(obj, name) is not None
            if any(isinstance(b, Ext) and b.name not in ("builtins.object", "abc.ABC") for b in obj.cls.mro):
                return None
            return None if machine.has_attr(obj, "__getattr__") else False
        if obj.cls.name == "types.SimpleNamespace":
            return False
        listed = registry.METHODS.get(f"{obj.cls.name}.__dir__")
        return None if listed is None else Known(name) in listed(machine, obj, Arguments()).items
    if isinstance(obj, ClassV):
        if any(isinstance(base, ClassV) and name in base.slots for base in obj.mro):
            return True
        attribute = registry.CLASS_ATTRIBUTES.get(name)
        if machine.class_property(obj, name) is not None or (attribute and attribute(machine, obj) is not None):
            return True
        return (
            None if any(isinstance(b, Ext) and b.name not in ("builtins.object", "abc.ABC") for b in obj.mro) else False
        )
    if isinstance(obj, Super):
        return _inherits(obj, name)
    if isinstance(obj, Known):
        return hasattr(obj.value, name)
    if isinstance(obj, BoundMethod):
        return True if hasattr(MethodType, name) else _has_attribute(machine, obj.func, name)
    if isinstance(obj, FunctionV):
        return None if isinstance(obj.slots.get(name), Maybe) else name in obj.slots or hasattr(FunctionType, name)
    if isinstance(obj, Ext):
        return _library_has(machine, obj, name)
    if isinstance(obj, PathV):
        return name in registry.PATH_ATTRIBUTES or f"pathlib.Path.{name}" in registry.METHODS or None
    if isinstance(obj, ListObj | TupleV | DictObj):
        return hasattr(
            {"list": list, "set": set}.get(getattr(obj, "kind", ""), dict if isinstance(obj, DictObj) else tuple), name
        )
    return None


def _library_has(machine: Machine, obj: Ext, name: str) -> bool | None:
    """Whether something of a library has an attribute."""
    full = f"{obj.name}.{name}"
    if full in registry.ABSENT:
        return False
    built_in = getattr(builtins, obj.name.removeprefix("builtins."), None)
    if isinstance(built_in, type):
        return hasattr(built_in, name)
    known = machine.effects.lookup(full) is not None or full in registry.FUNCTIONS or full in registry.CONSTANTS
    return True if known else None


def _inherits(obj: Super, name: str) -> bool | None:
    """Whether a class behind the present one has an attribute."""
    start = obj.self.cls if isinstance(obj.self, Instance) else obj.self
    order: list[AnyValue] = list(start.mro) if isinstance(start, ClassV) else []
    if obj.cls not in order:
        return None
    behind = order[order.index(obj.cls) + 1 :]
    if hasattr(object, name) or any(isinstance(base, ClassV) and name in base.slots for base in behind):
        return True
    return None if any(isinstance(base, Ext) and base.name not in PLAIN_BASES for base in behind) else False


def _matching_attributes(machine: Machine, obj: AnyValue, name: AnyValue, default: AnyValue | None) -> list[AnyValue]:
    pattern = text_of(name)
    found: list[AnyValue] = [] if default is None else [default]
    machine.may_raise("AttributeError")
    if pattern is None or isinstance(pattern, str):
        if isinstance(name, Unknown) and isinstance(obj, Heap):
            pattern = None
        else:
            return [*found, Unknown("an attribute of unknown name")]
    holders: list[Heap] = []
    if isinstance(obj, Instance) and isinstance(obj.cls, ClassV):
        holders = [obj, *(base for base in obj.cls.mro if isinstance(base, ClassV))]
    elif isinstance(obj, Heap):
        holders = [obj]
    names = {key for holder in holders for key in holder.slots if isinstance(key, str) and not key.startswith("__")}
    for key in sorted(names):
        if pattern is None or matches_text(pattern, key):
            value = machine.get_attr(obj, key)
            if isinstance(value, BoundMethod | FunctionV | Known | ClassV) or pattern is not None:
                found.append(value)
    return found or [Unknown("an attribute of unknown name")]


@function("builtins.hasattr")
def hasattr_(machine: Machine, args: Arguments) -> AnyValue:
    """`hasattr(obj, name)`."""
    if len(args.pos) < 2 or not isinstance(args.pos[1], Known):
        return BOOL
    found = _has_attribute(machine, args.pos[0], str(args.pos[1].value))
    return BOOL if found is None else Known(bool(found))


@function("builtins.object.__setattr__")
def object_setattr(machine: Machine, args: Arguments) -> AnyValue:
    """`object.__setattr__(obj, name, value)`: past the class's own `__setattr__`."""
    if len(args.pos) >= 3 and isinstance(args.pos[1], Known):
        machine.touch_attr(args.pos[0], str(args.pos[1].value))
        return machine.raw_setattr(args.pos[0], args)  # type: ignore[no-any-return]
    return NONE


@function("builtins.setattr")
def setattr_(machine: Machine, args: Arguments) -> AnyValue:
    """`setattr(obj, name, value)`."""
    if len(args.pos) >= 3:
        for option in options(args.pos[1]):
            if isinstance(option, Known) and isinstance(option.value, str):
                machine.touch_attr(args.pos[0], option.value)
                machine.set_attr(args.pos[0], option.value, args.pos[2])
    return NONE


@function("builtins.delattr")
def delattr_(machine: Machine, args: Arguments) -> AnyValue:
    """`delattr(obj, name)`."""
    if len(args.pos) >= 2 and isinstance(args.pos[1], Known):
        machine.delete_attr(args.pos[0], args.pos[1].value)
    return NONE


@function("builtins.vars")
def vars_(machine: Machine, args: Arguments) -> AnyValue:
    """`vars(obj)`."""
    if args.pos and isinstance(args.pos[0], Heap):
        return machine.slots_view(args.pos[0])  # type: ignore[no-any-return]
    return DictObj("dict", None, UNKNOWN)


@function("builtins.dir")
def dir_(machine: Machine, args: Arguments) -> AnyValue:
    """`dir(obj)`."""
    if args.pos and isinstance(args.pos[0], Instance) and machine.has_attr(args.pos[0], "__dir__"):
        return machine.call(machine.get_attr(args.pos[0], "__dir__"), Arguments())  # type: ignore[no-any-return]
    if args.pos and isinstance(args.pos[0], Heap):
        names = set()
        holders: list[Any] = [args.pos[0]]
        if isinstance(args.pos[0], Instance) and isinstance(args.pos[0].cls, ClassV):
            holders.extend(base for base in args.pos[0].cls.mro if isinstance(base, ClassV))
        if isinstance(args.pos[0], ClassV):
            holders = [base for base in args.pos[0].mro if isinstance(base, ClassV)]
        for holder in holders:
            names |= {key for key in holder.slots if isinstance(key, str)}
        return ListObj("list", [Known(name) for name in sorted(names)])
    return ListObj("list", (), text_hole())
