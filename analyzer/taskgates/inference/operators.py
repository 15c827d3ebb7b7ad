"""Operators on abstract values: computed by Python itself where both sides are known."""

from __future__ import annotations

import operator
import re
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from taskgates.inference.paths import join_paths, pure_path
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of
from taskgates.inference.values import (
    BOOL,
    DEFAULT,
    FALSE,
    FLOAT,
    INT,
    NONE,
    SEQUENCE_LIMIT,
    TRUE,
    UNKNOWN,
    AnyValue,
    ClassV,
    DictObj,
    Ext,
    FunctionV,
    Heap,
    Instance,
    Known,
    ListObj,
    Maybe,
    ModuleV,
    PathV,
    Scalar,
    TupleV,
    Union,
    Unknown,
    as_value,
    join,
    render,
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
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
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
REFLECTED = {"<": "__gt__", "<=": "__ge__", ">": "__lt__", ">=": "__le__", "==": "__eq__"}
"""The method of the right operand that is asked when the left one has none."""


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
        return value if any(item is None for item in fields) else TupleV(map(_certain, fields))
    else:
        found = value.slots.get(_INNER)
    return value if found is None else _certain(found)


def _certain(slot: Any) -> AnyValue:
    return slot.value if isinstance(slot, Maybe) else slot


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


def percent_format(template: TextLike, argument: AnyValue) -> AnyValue:
    """printf-style formatting with partly known arguments."""
    values: list[AnyValue] = list(argument.items) if isinstance(argument, TupleV) else [argument]
    exact = not (isinstance(argument, TupleV) and argument.rest is not None)
    out: list[str | Hole] = []
    index = 0
    for piece in parts_of(template):
        if isinstance(piece, Hole):
            out.append(piece)
            continue
        position = 0
        for match in _PERCENT.finditer(piece):
            out.append(piece[position : match.start()])
            position = match.end()
            kind = match["kind"]
            if kind == "%":
                out.append("%")
                continue
            if match["key"] is not None:
                value: AnyValue = Unknown("formatted value", "data")
                if isinstance(argument, DictObj):
                    found = dict(argument.known()).get(Known(match["key"]))
                    value = found if found is not None else Unknown("formatted value", "data")
            else:
                value = values[index] if index < len(values) else Unknown("formatted value", "data")
                index += 1
            out.extend(_percent_piece(match, value, exact))
        out.append(piece[position:])
    return as_value(make_text(out))


_PERCENT = re.compile(
    r"%(?:\((?P<key>[^)]*)\))?(?P<flags>[-+ #0]*)(?P<width>\d+)?(?:\.(?P<precision>\d+))?[hlL]?(?P<kind>[a-zA-Z%])"
)


def _percent_piece(match: re.Match[str], value: AnyValue, exact: bool) -> tuple[str | Hole, ...]:
    del exact
    spec = "%" + match["flags"] + (match["width"] or "")
    spec += ("." + match["precision"] if match["precision"] is not None else "") + match["kind"]
    if isinstance(value, Known) and len(spec) < 12:
        try:
            return (spec % (value.value,),)
        except (TypeError, ValueError):
            return (Hole("data", False),)
    if match["kind"] in "sr" and not match["width"] and not match["precision"]:
        return parts_of(render(value))
    return (Hole("data", isinstance(value, Unknown) and value.origin not in ("data", "clock", "random")),)


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
    if op in ("|", "&", "^") and isinstance(left, Instance) and isinstance(result, Known) and _is_enum(left):
        # Flags combine to a flag.
        combined = Instance(left.cls)
        combined.slots.update({"name": NONE, "_name_": NONE, "value": result, "_value_": result})
        return combined
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
        return BOOL
    except TypeError:
        return BOOL


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
    if isinstance(left, Instance) and isinstance(right, Instance) and _is_enum(left) and _is_enum(right):
        return left is right or (left.slots.get("name") == NONE and left.slots.get("value") == right.slots.get("value"))
    if isinstance(left, Instance) and isinstance(right, Instance) and isinstance(left.cls, ClassV):
        fields = left.cls.traits.get("fields")
        if fields is not None and left.cls is right.cls and "tuple" not in left.cls.traits:
            parts = [
                equal(_certain(left.slots[n]), _certain(right.slots[n]))
                for n in fields
                if n in left.slots and n in right.slots
            ]
            return False if False in parts else (None if None in parts else True)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Instance) and _is_enum(one) and isinstance(other, simple) and as_plain(one) is one:
            return False
    try:
        return bool(to_python(left) == to_python(right))
    except NotKnown:
        if isinstance(left, TupleV) and isinstance(right, TupleV) and left.rest is None and right.rest is None:
            parts = [equal(one, other) for one, other in zip(left.items, right.items, strict=False)]
            return False if False in parts or len(left.items) != len(right.items) else (None if None in parts else True)
        return None


def _is_enum(value: Instance) -> bool:
    return isinstance(value.cls, ClassV) and "enum" in value.cls.traits


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
            return False if container.rest is None and not keys else None
        return False if not container.slots else None
    return None


def unary(op: str, value: AnyValue) -> AnyValue:
    """`-x`, `+x`, `~x` on values without user-defined operators."""
    if isinstance(value, Known):
        try:
            if op == "-":
                return Known(-value.value)
            return Known(+value.value if op == "+" else ~value.value)
        except TypeError:
            return UNKNOWN
    return value if isinstance(value, Scalar | Unknown | Instance) else UNKNOWN


__all__ = [
    "BINARY",
    "COMPARE",
    "DUNDER",
    "NONE",
    "REFLECTED",
    "UNARY",
    "NotKnown",
    "arithmetic",
    "as_plain",
    "comparable",
    "compare",
    "concat_contents",
    "contains",
    "equal",
    "from_python",
    "percent_format",
    "to_python",
    "unary",
]
