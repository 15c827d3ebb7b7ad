"""Comparison, identity and membership of abstract values: decided only where both sides allow it."""

from __future__ import annotations

import builtins
import operator
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import NotKnown, as_plain, certain, comparable, to_python
from taskgates.inference.objects import ClassV, DictObj, FunctionV, Heap, Instance, ListObj, Maybe, ModuleV
from taskgates.inference.text import Text, TextLike
from taskgates.inference.values import (
    BOOL,
    FALSE,
    NONE,
    TRUE,
    AnyValue,
    Ext,
    Known,
    PathV,
    Scalar,
    TupleV,
    Union,
    Unknown,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
KEY_LIMIT = 200
"""How many keys of a mapping a tuple is compared with, one by one."""

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
REFLECTED = {"<": "__gt__", "<=": "__ge__", ">": "__lt__", ">=": "__le__", "==": "__eq__"}
"""The method of the right operand that is asked when the left one has none."""


def compare(op: str, left: AnyValue, right: AnyValue) -> AnyValue:
    """A comparison without user-defined operators; `BOOL` where it is undecided."""
    if op in ("is", "is not"):
        return _identity(left, right, op == "is")
    if op in ("in", "not in"):
        found = contains(right, left)
        if found is None:
            return BOOL
        return TRUE if found == (op == "in") else FALSE
    if isinstance(left, Known) and isinstance(right, Known):
        try:
            return Known(bool(COMPARE[op](left.value, right.value)))
        except TypeError:
            return BOOL
    if op in ("==", "!="):
        same = equal(left, right)
        if same is None:
            return BOOL
        return TRUE if same == (op == "==") else FALSE
    try:
        return Known(bool(COMPARE[op](comparable(left), comparable(right))))
    except NotKnown:
        if isinstance(left, TupleV) and isinstance(right, TupleV):
            return _compare_items(op, left, right)
        return _compare_texts(op, text_of(left), text_of(right))
    except TypeError:
        return BOOL


def _compare_texts(op: str, left: TextLike | None, right: TextLike | None) -> AnyValue:
    """The order of two texts of which one is partly known: their beginnings decide where they differ."""
    if left is None or right is None:
        return BOOL
    heads = [text if isinstance(text, str) else text.prefix for text in (left, right)]
    length = min(map(len, heads))
    # A whole text comes before any other that goes on from it.
    goes_on = any(isinstance(text, str) and len(text) < max(map(len, heads)) for text in (left, right))
    if heads[0][:length] == heads[1][:length] and not goes_on:
        return BOOL
    return Known(bool(COMPARE[op](*heads)))


def _compare_items(op: str, left: TupleV, right: TupleV) -> AnyValue:
    """The order of two tuples of which not every item is known: the first items that differ decide."""
    for one, other in zip(left.items, right.items, strict=False):
        same = equal(one, other)
        if same is None:
            return BOOL
        if not same:
            return compare(op[0], one, other)
    if left.rest is not None or right.rest is not None:
        return BOOL
    return Known(bool(COMPARE[op](len(left.items), len(right.items))))


def equal(left: AnyValue, right: AnyValue) -> bool | None:
    """Equality of two values; None where it is undecided."""
    if isinstance(left, Union):
        answers = {equal(option, right) for option in left.options}
        return answers.pop() if len(answers) == 1 else None
    if isinstance(right, Union):
        return equal(right, left)
    if isinstance(left, Known) and isinstance(right, Known):
        return bool(left.value == right.value)
    left_text, right_text = text_of(left), text_of(right)
    if left_text is not None and right_text is not None:
        return _texts_equal(left_text, right_text)
    if isinstance(left, PathV) and isinstance(right, PathV):
        return _texts_equal(left.text, right.text)
    if _is_none(left) or _is_none(right):
        other = right if _is_none(left) else left
        return None if isinstance(other, Unknown) else (_is_none(other))
    if left is right and isinstance(left, Heap):
        return True
    simple = (Known, Text, PathV)
    if isinstance(left, simple) and isinstance(right, (TupleV, ListObj, DictObj)):
        return False
    if isinstance(right, simple) and isinstance(left, (TupleV, ListObj, DictObj)):
        return False
    if isinstance(left, (Known, Text)) and isinstance(right, Scalar):
        return False if isinstance(left, Text) or isinstance(left.value, str) or left.value is None else None
    if isinstance(right, (Known, Text)) and isinstance(left, Scalar):
        return equal(right, left)
    if isinstance(left, (ClassV, FunctionV, ModuleV, Ext)) and isinstance(right, (ClassV, FunctionV, ModuleV, Ext)):
        return left == right
    if isinstance(left, Instance) and isinstance(right, Instance) and is_enum(left) and is_enum(right):
        return left is right or (left.slots.get("name") == NONE and left.slots.get("value") == right.slots.get("value"))
    if isinstance(left, Instance) and isinstance(right, Instance) and isinstance(left.cls, ClassV):
        fields = left.cls.traits.get("fields")
        if fields is not None and left.cls is right.cls and "tuple" not in left.cls.traits:
            parts = [
                equal(certain(left.slots[n]), certain(right.slots[n]))
                for n in fields
                if n in left.slots and n in right.slots
            ]
            return False if False in parts else (None if None in parts else True)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Instance) and is_enum(one) and isinstance(other, simple) and as_plain(one) is one:
            return False
    try:
        return bool(to_python(left) == to_python(right))
    except NotKnown:
        if isinstance(left, TupleV) and isinstance(right, TupleV) and left.rest is None and right.rest is None:
            parts = [equal(one, other) for one, other in zip(left.items, right.items, strict=False)]
            return False if False in parts or len(left.items) != len(right.items) else (None if None in parts else True)
        return None


def is_enum(value: Instance) -> bool:
    """Whether an object is a member of an enumeration."""
    return isinstance(value.cls, ClassV) and "enum" in value.cls.traits


def combined_flags(cls: ClassV, wanted: AnyValue) -> Instance | None:
    """The member that several flags of an enumeration make together.

    Args:
        cls: the class of flags.
        wanted: the number.

    Returns:
        None where the number is not made of flags of the class.
    """
    if not (isinstance(wanted, Known) and isinstance(wanted.value, int)):
        return None
    parts = [
        member
        for member in cls.traits["members"]
        if isinstance(flag := member.slots.get("value"), Known) and flag.value and not flag.value & ~wanted.value
    ]
    total = 0
    for part in parts:
        total |= part.slots["value"].value
    if total != wanted.value:
        return None
    out = Instance(cls)
    name = Known("|".join(str(part.slots["name"].value) for part in parts)) if parts else NONE
    out.slots.update({"name": name, "_name_": name, "value": wanted, "_value_": wanted})
    return out


def _is_none(value: AnyValue) -> bool:
    return isinstance(value, Known) and value.value is None


def _texts_equal(left: TextLike, right: TextLike) -> bool | None:
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if isinstance(left, str):
        left, right = right, left
    assert isinstance(left, Text)
    if isinstance(right, str):
        if not (right.startswith(left.prefix) and right.endswith(left.suffix)):
            return False
        literals = sum(len(part) for part in left.parts if isinstance(part, str))
        return None if len(right) >= literals else False
    length = min(len(left.prefix), len(right.prefix))
    if left.prefix[:length] != right.prefix[:length]:
        return False
    return None


def _identity(left: AnyValue, right: AnyValue, positive: bool) -> AnyValue:
    same: bool | None
    if _is_none(left) or _is_none(right):
        same = equal(left, right)
    elif isinstance(left, Heap) and isinstance(right, Heap):
        same = left is right
    elif left is right and isinstance(left, TupleV):
        same = True
    elif isinstance(left, Known) and isinstance(right, Known):
        same = type(left.value) is type(right.value) and left.value == right.value
    elif isinstance(left, Ext) and isinstance(right, Ext):
        same = left == right
    elif _distinct(left, right) or _distinct(right, left):
        same = False
    elif isinstance(left, Union) or isinstance(right, Union):
        same = equal(left, right)
        same = None if same else same
    elif isinstance(left, Unknown) or isinstance(right, Unknown):
        same = None
    else:
        same = equal(left, right)
        same = None if same else same
    if same is None:
        return BOOL
    return TRUE if same == positive else FALSE


_MARKS = frozenset({"dataclasses.MISSING", "attr.NOTHING", "attrs.NOTHING", "inspect.Parameter.empty"})
"""Library objects that stand for the absence of a value, and are nothing else."""


def _distinct(left: AnyValue, right: AnyValue) -> bool:
    """Whether the kinds of two values already tell that they are not one object."""
    if isinstance(left, Known):
        return isinstance(right, Heap) or (isinstance(right, Ext) and right.name in _MARKS)
    if isinstance(left, Heap) and isinstance(right, Ext):
        return right.name in _MARKS or isinstance(getattr(builtins, right.name.removeprefix("builtins."), None), type)
    return False


def contains(container: AnyValue, item: AnyValue) -> bool | None:
    """Membership; None where it is undecided."""
    if isinstance(container, Known) and isinstance(container.value, str | bytes | range):
        if isinstance(item, Known):
            try:
                return item.value in container.value
            except TypeError:
                return None
        return None
    if isinstance(container, Text):
        if isinstance(item, Known) and isinstance(item.value, str):
            return True if any(isinstance(part, str) and item.value in part for part in container.parts) else None
        return None
    if isinstance(container, TupleV | ListObj):
        answers = [equal(item, member) for member in container.items]
        if True in answers:
            return True
        return False if container.rest is None and None not in answers else None
    if isinstance(container, DictObj):
        if isinstance(item, Known | TupleV | Ext | ClassV | Instance | FunctionV):
            if item in container.slots:
                return None if isinstance(container.slots[item], Maybe) else True
            keys = [key for key, _ in container.known()]
            if container.rest is None and all(isinstance(key, Known) for key in keys) and isinstance(item, Known):
                return any(isinstance(key, Known) and key.value == item.value for key in keys)
            if container.rest is None and isinstance(item, TupleV) and len(keys) <= KEY_LIMIT:
                return False if all(equal(item, key) is False for key in keys) else None
            return False if container.rest is None and not keys else None
        return False if not container.slots else None
    return None


def may_equal(key: AnyValue, index: AnyValue) -> bool:
    """Whether a key may be the one that is asked for; the common cases first, since tables can be long."""
    if type(index) is Unknown or (
        type(index) is Text and len(index.parts) == 1 and type(key) is Known and type(key.value) is str
    ):
        return True
    return equal(key, index) is not False
