"""What values give as texts and as truth values."""

from __future__ import annotations

import builtins

from taskgates.inference.objects import DEFAULT, REST, ClassV, DictObj, FunctionV, Instance, ListObj, Maybe, ModuleV
from taskgates.inference.text import Hole, Text, TextLike
from taskgates.inference.values import (
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    Method,
    Native,
    Partial,
    PathV,
    Scalar,
    TupleV,
    Union,
    Unknown,
    widen_texts,
)


def render(value: AnyValue) -> TextLike:
    """What `str(value)` gives, as far as is known."""
    if isinstance(value, Known):
        return value.value if isinstance(value.value, str) else str(value.value)
    if isinstance(value, Text):
        return value
    if isinstance(value, PathV):
        return value.text
    if isinstance(value, Scalar):
        return Text((Hole("data", False),))
    if isinstance(value, Unknown):
        return Text((Hole(value.origin, value.origin not in ("data", "clock", "random")),))
    if isinstance(value, Instance) and isinstance(value.cls, Ext):
        return Text((Hole(hole_origin(value.cls.name), False),))
    if isinstance(value, Union):
        return widen_texts([render(option) for option in value.options])
    if isinstance(value, Ext) and value.name.startswith("builtins."):
        name = value.name.removeprefix("builtins.")
        if isinstance(getattr(builtins, name, None), type):
            return f"<class '{name}'>"
    return Text((Hole("unknown", False),))


def hole_origin(type_name: str) -> str:
    """Where the text of a library object comes from."""
    if type_name.startswith(("datetime.", "time.")):
        return "clock"
    return "random" if type_name.startswith("uuid.") else "data"


def text_hole(origin: str = "data", slash: bool = False, name: str = "") -> Text:
    """An unknown string."""
    return Text((Hole(origin, slash, name),))


def truth(value: AnyValue) -> bool | None:
    """Truthiness, None where it is undecided."""
    if isinstance(value, Known):
        return bool(value.value)
    if isinstance(value, Text):
        return True if any(isinstance(part, str) for part in value.parts) else None
    if isinstance(value, PathV | FunctionV | ClassV | ModuleV | BoundMethod | Native | Partial | Method):
        return True
    if isinstance(value, TupleV):
        return True if value.items else (False if value.rest is None else None)
    if isinstance(value, ListObj):
        if value.kind == "iterator":
            return True
        return True if value.items else (False if value.rest is None else None)
    if isinstance(value, DictObj):
        if any(not isinstance(item, Maybe) for key, item in value.slots.items() if key not in (REST, DEFAULT)):
            return True
        return False if not value.known() and value.rest is None else None
    if isinstance(value, Union):
        found = {truth(option) for option in value.options}
        return found.pop() if len(found) == 1 else None
    if isinstance(value, Ext):
        return True if value.name.startswith("builtins.") else None
    return None
