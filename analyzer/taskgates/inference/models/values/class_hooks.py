"""What classes answer for themselves: `isinstance` of abstract base classes and metaclasses, `type.__new__`."""

from __future__ import annotations

import builtins
import collections.abc
from typing import TYPE_CHECKING

from taskgates.inference.models.registry import CLASS_ATTRIBUTES, FUNCTIONS, Machine, function
from taskgates.inference.objects import Arguments, ClassV, FunctionV, Instance
from taskgates.inference.values import UNKNOWN, AnyValue, BoundMethod, Descriptor, Ext, Known, Native

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ABSTRACT = frozenset({"abc.ABC", "typing.Protocol", "typing.Generic"})


def class_check(machine: Machine, kind: ClassV, hook: str, subject: AnyValue) -> bool | None:
    """What a class answers to `isinstance` or `issubclass` where a method decides it.

    Args:
        machine: the interpreter.
        kind: the class that is asked.
        hook: `__instancecheck__` or `__subclasscheck__`.
        subject: the object or the class that it is asked about.

    Returns:
        Its answer; None where there is no such method or the answer is not known.
    """
    method = machine.class_protocol(kind, hook)
    if method is not None:
        return _decided(machine, machine.call(method, Arguments([subject])))
    cls = subject if hook == "__subclasscheck__" else machine.type_of(subject)
    bases = cls.mro if isinstance(cls, ClassV) else (cls,)
    registered = kind.traits.get("registered", ())
    if any(base in registered for base in bases):
        return True
    found = kind.find("__subclasshook__")
    func = found.func if isinstance(found, Descriptor) else found
    if not isinstance(func, FunctionV) or not isinstance(cls, ClassV | Ext):
        return None
    answer = machine.call(BoundMethod(func, kind), Arguments([cls]))
    return None if answer == Ext("builtins.NotImplemented") else _decided(machine, answer)


def _decided(machine: Machine, answer: AnyValue) -> bool | None:
    return machine.truth(answer)  # type: ignore[no-any-return]


def has_own_check(kind: ClassV) -> bool:
    """Whether methods or registrations may decide what belongs to a class."""
    if kind.metaclass is not None or kind.traits.get("registered"):
        return True
    return any(isinstance(base, Ext) and base.name in _ABSTRACT for base in kind.mro)


_PROTOCOLS = {"Iterable": "__iter__", "Callable": "__call__", "Sized": "__len__", "Container": "__contains__"}
"""Abstract classes whose objects are told by one method."""


_HOMES = {"collections.abc": collections.abc, "typing": collections.abc, "builtins": builtins}


def library_class(name: str) -> type | None:
    """A built-in class, or an abstract one of `collections.abc` under either of its names."""
    module, _, own = name.rpartition(".")
    found = getattr(_HOMES.get(module), own, None)
    return found if isinstance(found, type) else None


def is_abstractly(classes: Sequence[ClassV | Ext], wanted: str) -> bool:
    """Whether objects of a class with these ancestors are ones of an abstract class of `collections.abc`."""
    module, _, name = wanted.rpartition(".")
    target = library_class(wanted) if module == "collections.abc" else None
    if target is None:
        return False
    method = _PROTOCOLS.get(name)
    for cls in classes:
        if isinstance(cls, ClassV):
            if method is not None and method in cls.slots:
                return True
            continue
        base = library_class(cls.name)
        if base is not None and issubclass(base, target):
            return True
    return False


def _register(machine: Machine, cls: ClassV) -> AnyValue | None:
    """`cls.register(other)` of an abstract base class; None for other classes."""
    del machine
    abstract = cls.metaclass == Ext("abc.ABCMeta") or any(base == Ext("abc.ABC") for base in cls.mro)
    return Native("abc.ABCMeta.register", lambda _, args: _registered(cls, args)) if abstract else None


def _registered(cls: ClassV, args: Arguments) -> AnyValue:
    other = args.get(0, "subclass", UNKNOWN) or UNKNOWN
    for base in cls.mro:
        if isinstance(base, ClassV):
            base.traits.setdefault("registered", []).append(other)
    return other


CLASS_ATTRIBUTES["register"] = _register


@function("builtins.type.__new__", "abc.ABCMeta.__new__")
def type_new(machine: Machine, args: Arguments) -> AnyValue:
    """`type.__new__(metaclass, name, bases, namespace)`: the class that is being made."""
    return machine.external_new("builtins.type", args)  # type: ignore[no-any-return]


def _value_new(name: str) -> Callable[[Machine, Arguments], AnyValue]:
    return lambda machine, args: machine.external_new(name, args)


for _name in ("str", "int", "float", "tuple", "bytes"):
    FUNCTIONS[f"builtins.{_name}.__new__"] = _value_new(f"builtins.{_name}")


@function("builtins.object.__getattribute__")
def object_getattribute(machine: Machine, args: Arguments) -> AnyValue:
    """`object.__getattribute__(obj, name)`: past the class's own `__getattribute__`."""
    name = args.get(1, "name")
    if isinstance(name, Known) and isinstance(name.value, str) and isinstance(args.pos[0], Instance):
        return machine.plain_attr(args.pos[0], name.value)  # type: ignore[no-any-return]
    return UNKNOWN
