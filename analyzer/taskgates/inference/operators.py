"""Operators on abstract values: computed by Python itself where both sides are known."""

from __future__ import annotations

import operator
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from taskgates.inference.comparison import combined_flags, is_enum
from taskgates.inference.conversion import NotKnown, as_plain, to_python
from taskgates.inference.objects import DEFAULT, ClassV, DictObj, Instance, ListObj, Maybe
from taskgates.inference.paths import join_paths, pure_path
from taskgates.inference.percent_formatting import percent_format
from taskgates.inference.renderings import render
from taskgates.inference.text import Hole, Text, concat
from taskgates.inference.values import (
    FLOAT,
    INT,
    SEQUENCE_LIMIT,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    PathV,
    Scalar,
    TupleV,
    Unknown,
    as_value,
    join,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT_LIMIT = 1 << 16
NUMBER_BITS = 1 << 12
CONTENT_LIMIT = 1 << 13
"""Elements that two sequences joined by `+` keep apart."""

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
}
DUNDER = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "truediv",
    "//": "floordiv",
    "%": "mod",
    "**": "pow",
    "<<": "lshift",
    ">>": "rshift",
    "&": "and",
    "|": "or",
    "^": "xor",
    "@": "matmul",
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
}
UNARY = {"-": "__neg__", "+": "__pos__", "~": "__invert__"}


def bounded(op: str, left: Any, right: Any) -> bool:
    """Whether an operation on known values stays small."""
    if op == "**":
        if not isinstance(left, int | float | complex) and isinstance(right, int) and abs(right) > 64:
            return False
        return not (isinstance(left, int) and isinstance(right, int)) or (
            abs(right) < 4096 and left.bit_length() * max(abs(right), 1) <= NUMBER_BITS
        )
    if op == "<<":
        return isinstance(right, int) and right <= NUMBER_BITS
    if op == "*":
        for text, count in ((left, right), (right, left)):
            if isinstance(text, str | bytes) and isinstance(count, int):
                return len(text) * max(count, 0) <= TEXT_LIMIT
        if isinstance(left, int) and isinstance(right, int):
            return left.bit_length() + right.bit_length() <= NUMBER_BITS
    if op == "+" and isinstance(left, str | bytes) and isinstance(right, str | bytes):
        return len(left) + len(right) <= 1 << 22
    if op == "%" and isinstance(left, str | bytes):
        shape = left if isinstance(left, str) else left.decode("latin-1")
        widths = re.findall(r"[0-9]+", shape)
        return all(int(width) <= 4096 for width in widths)
    return True


def arithmetic(op: str, left: AnyValue, right: AnyValue) -> AnyValue | None:
    """A binary operation on values without user-defined operators; None when the models know nothing about it.

    Raises:
        ArithmeticError, TypeError, ValueError: as Python does for known operands.
    """
    if isinstance(left, Known) and isinstance(right, Known) and op in BINARY:
        if bounded(op, left.value, right.value):
            return Known(BINARY[op](left.value, right.value))
        return (
            Scalar("bytes")
            if isinstance(left.value, bytes)
            else (Text((Hole("data", True),)) if isinstance(left.value, str) else INT)
        )
    if op == "/" and isinstance(left, PathV):
        return _divide(left, right)
    if op == "/" and isinstance(right, PathV):
        text = text_of(left)
        if text is not None or isinstance(left, Unknown):
            return PathV(pure_path(join_paths(render(left), right.text)), right.type)
    left_text, right_text = text_of(left), text_of(right)
    if op == "+":
        if left_text is not None and right_text is not None:
            return as_value(concat(left_text, right_text))
        if left_text is not None and isinstance(right, Unknown):
            return as_value(concat(left_text, render(right)))
        if right_text is not None and isinstance(left, Unknown):
            return as_value(concat(render(left), right_text))
    if op == "%" and left_text is not None:
        return percent_format(left_text, right)
    if op == "*" and left_text is not None:
        return Text((Hole("data", "/" in str(left_text)),))
    sequence = _sequences(op, left, right)
    if sequence is not None:
        return sequence
    if isinstance(left, DictObj) and isinstance(right, DictObj) and left.kind == right.kind == "Counter":
        return _counters(op, left, right)
    if isinstance(left, DictObj) and isinstance(right, DictObj) and op == "|":
        out = DictObj(left.kind, dict(left.slots))
        out.slots.update(right.slots)
        return out
    numbers = [_number_kind(left), _number_kind(right)]
    if None not in numbers:
        if op == "/" or "float" in numbers:
            return FLOAT
        return INT
    for side in (left, right):
        if isinstance(side, Instance) and isinstance(side.cls, Ext):
            return _library_arithmetic(op, left, right, side)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        unknown = left if isinstance(left, Unknown) else right
        assert isinstance(unknown, Unknown)
        return unknown if unknown.origin != "unknown" else UNKNOWN
    return _inherited_arithmetic(op, left, right)


def _inherited_arithmetic(op: str, left: AnyValue, right: AnyValue) -> AnyValue | None:
    """An operation on objects that are strings, numbers or containers by inheritance."""
    first, second = as_plain(left), as_plain(right)
    if first is left and second is right:
        return None
    result = arithmetic(op, first, second)
    if op in ("|", "&", "^") and isinstance(left, Instance) and isinstance(result, Known) and is_enum(left):
        # Flags combine to a flag.
        return combined_flags(left.cls, result) if isinstance(left.cls, ClassV) else result
    return result


def _library_arithmetic(op: str, left: AnyValue, right: AnyValue, side: Instance) -> AnyValue:
    names = []
    for value in (left, right):
        if isinstance(value, Instance) and isinstance(value.cls, Ext):
            names.append(value.cls.name)
        elif isinstance(value, Known):
            names.append(f"{type(value.value).__module__}.{type(value.value).__qualname__}")
    if names in (["datetime.datetime", "datetime.datetime"], ["datetime.date", "datetime.date"]):
        return Instance(Ext("datetime.timedelta")) if op == "-" else UNKNOWN
    for name in names:
        if name in ("datetime.datetime", "datetime.date"):
            return Instance(Ext(name))
    return Instance(side.cls)


def _counters(op: str, left: DictObj, right: DictObj) -> AnyValue | None:
    """`+`, `-`, `|` and `&` of two counters."""
    if op not in ("+", "-", "|", "&"):
        return None
    try:
        counted = BINARY[op](Counter(to_python(left)), Counter(to_python(right)))
    except (NotKnown, TypeError):
        keys = {key: Maybe(INT) for key, _ in (*left.known(), *right.known())}
        rest = INT if left.rest is not None or right.rest is not None else None
        out = DictObj("Counter", keys, rest)
    else:
        out = DictObj("Counter", {Known(key): Known(count) for key, count in counted.items()})
    out.slots[DEFAULT] = Ext("builtins.int")
    return out


def _divide(left: PathV, right: AnyValue) -> AnyValue | None:
    if isinstance(right, PathV):
        return PathV(pure_path(join_paths(left.text, right.text)), left.type)
    text = text_of(right)
    if text is None and isinstance(right, Unknown | Scalar):
        text = render(right)
    if text is None:
        return None
    return PathV(pure_path(join_paths(left.text, text)) if text != "" else left.text, left.type)


def _number_kind(value: AnyValue) -> str | None:
    if isinstance(value, Scalar) and value.kind in ("int", "float", "bool"):
        return value.kind
    if isinstance(value, Known) and isinstance(value.value, int | float):
        return type(value.value).__name__
    return None


def _content(value: AnyValue) -> TupleV | None:
    if isinstance(value, TupleV):
        return value
    return TupleV(value.items, value.rest) if isinstance(value, ListObj) else None


def _sequences(op: str, left: AnyValue, right: AnyValue) -> AnyValue | None:
    first, second = _content(left), _content(right)
    if op == "*" and first is not None:
        if (
            isinstance(right, Known)
            and isinstance(right.value, int)
            and first.rest is None
            and len(first.items) * max(right.value, 0) <= 512
        ):
            items = first.items * max(right.value, 0)
            return TupleV(items) if isinstance(left, TupleV) else ListObj("list", items)
        every = [*first.items, *([first.rest] if first.rest is not None else [])]
        summary = join(every) if every else None
        return TupleV((), summary) if isinstance(left, TupleV) else ListObj("list", (), summary)
    if first is None or second is None:
        return None
    kind = left.kind if isinstance(left, ListObj) else "tuple"
    if op == "+":
        content = concat_contents(first, second)
        return content if kind == "tuple" else ListObj(kind, content.items, content.rest)
    if op == "|":
        merged = tuple(dict.fromkeys((*first.items, *second.items)))
        rests = [rest for rest in (first.rest, second.rest) if rest is not None]
        return ListObj(kind, merged, join(rests) if rests else None)
    exact = all(isinstance(item, Known) for item in (*first.items, *second.items)) and second.rest is None
    if op == "-" and exact:
        return ListObj(kind, [item for item in first.items if item not in second.items], first.rest)
    if op == "&" and exact and first.rest is None:
        return ListObj(kind, [item for item in first.items if item in second.items])
    if op == "^" and exact and first.rest is None:
        only = [item for item in first.items if item not in second.items]
        return ListObj(kind, only + [item for item in second.items if item not in first.items])
    if op in ("-", "&", "^"):
        every = [*first.items, *([first.rest] if first.rest is not None else [])]
        if op == "^":
            every += [*second.items, *([second.rest] if second.rest is not None else [])]
        return ListObj(kind, (), join(every) if every else None)
    return None


def concat_contents(first: TupleV, second: TupleV) -> TupleV:
    """The content of two sequences one behind the other."""
    if first.rest is None:
        if len(first.items) + len(second.items) <= CONTENT_LIMIT or not first.items or not second.items:
            return TupleV((*first.items, *second.items), second.rest)
        first = TupleV(first.items[:SEQUENCE_LIMIT], join(first.items[SEQUENCE_LIMIT:] or first.items))
    every = [first.rest, *second.items, *([second.rest] if second.rest is not None else [])]
    return TupleV(first.items, join(every))


def unary(op: str, value: AnyValue) -> AnyValue:
    """`-x`, `+x`, `~x` on values without user-defined operators."""
    if isinstance(value, Known):
        try:
            if op == "-":
                return Known(-value.value)
            if op == "+":
                return Known(+value.value)
            # Python itself deprecates `~` of a bool, which is the int's.
            return Known(~int(value.value) if isinstance(value.value, bool) else ~value.value)
        except TypeError:
            return UNKNOWN
    return value if isinstance(value, Scalar | Unknown | Instance) else UNKNOWN
