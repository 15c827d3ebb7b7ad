"""Between abstract values and the Python values that they stand for."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from taskgates.inference.objects import ClassV, DictObj, Instance, ListObj, Maybe
from taskgates.inference.values import (
    AnyValue,
    Ext,
    Known,
    PathV,
    TupleV,
)


def from_python(value: Any) -> AnyValue:
    """A Python value of plain types as an abstract value; fresh heap objects for containers."""
    if isinstance(value, list):
        return ListObj("list", [from_python(item) for item in value])
    if isinstance(value, tuple):
        return TupleV(from_python(item) for item in value)
    if isinstance(value, set | frozenset):
        return ListObj("set", [from_python(item) for item in sorted(value, key=repr)])
    if isinstance(value, dict):
        return DictObj("dict", {Known(key): from_python(item) for key, item in value.items()})
    return Known(value)


class NotKnown(Exception):  # noqa: N818 - a signal: the value has unknown parts
    """The abstract value is not wholly known."""


def to_python(value: AnyValue, depth: int = 0) -> Any:
    """The Python value behind a wholly known abstract value.

    Raises:
        NotKnown: when any part is unknown.
    """
    if isinstance(value, Known):
        return value.value
    if depth > 12:
        raise NotKnown
    if isinstance(value, TupleV) and value.rest is None:
        return tuple(to_python(item, depth + 1) for item in value.items)
    if isinstance(value, ListObj) and value.rest is None:
        items = [to_python(item, depth + 1) for item in value.items]
        if value.kind in ("set", "frozenset"):
            try:
                return set(items)
            except TypeError:
                raise NotKnown from None
        return items
    if isinstance(value, DictObj) and value.exact:
        return {to_python(key, depth + 1): to_python(item, depth + 1) for key, item in value.known()}
    plain = as_plain(value)
    if plain is not value:
        return to_python(plain, depth + 1)
    raise NotKnown


def comparable(value: AnyValue) -> Any:
    """A Python value that compares with others as the given one does.

    Raises:
        NotKnown: when the order is not known.
    """
    if isinstance(value, PathV) and isinstance(value.text, str):
        return PurePosixPath(value.text)
    if isinstance(value, TupleV) and value.rest is None:
        return tuple(comparable(item) for item in value.items)
    if isinstance(value, Instance) and isinstance(value.cls, ClassV) and value.cls.traits.get("order"):
        return tuple(comparable(value.slots[name]) for name in value.cls.traits["order"] if name in value.slots)
    return to_python(value)


_INNER = ("value",)
_PLAIN_KINDS = frozenset(
    {"builtins.str", "builtins.int", "builtins.float", "enum.IntEnum", "enum.StrEnum", "enum.IntFlag", "enum.Flag"}
)


def as_plain(value: AnyValue) -> AnyValue:
    """The plain value that an object *is* by inheritance: of a string, a number, a container, a named tuple.

    Anything else is given back as it is.
    """
    if not isinstance(value, Instance) or not isinstance(value.cls, ClassV):
        return value
    traits = value.cls.traits
    found: Any = None
    if "enum" in traits:
        if any(isinstance(base, Ext) and base.name in _PLAIN_KINDS for base in value.cls.mro):
            found = value.slots.get("value")
    elif "tuple" in traits:
        fields = [value.slots.get(name) for name in traits["tuple"]]
        return value if any(item is None for item in fields) else TupleV(map(certain, fields))
    else:
        found = value.slots.get(_INNER)
    return value if found is None else certain(found)


def certain(slot: Any) -> AnyValue:
    """The value of a slot, whether or not it is certain that the slot is there."""
    return slot.value if isinstance(slot, Maybe) else slot
