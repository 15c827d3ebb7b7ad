"""How values read as text: `str`, `repr`, format specifications and moments of time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import NotKnown, as_plain, to_python
from taskgates.inference.exceptions import exception_text, is_exception
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance, ListObj, Maybe
from taskgates.inference.renderings import hole_origin, render, text_hole
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of
from taskgates.inference.values import (
    AnyValue,
    Ext,
    Known,
    PathV,
    Scalar,
    TupleV,
    Unknown,
    as_value,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


def to_text(machine: Machine, value: AnyValue, depth: int = 0) -> TextLike:
    """`str(value)`, user-defined `__str__` included; `depth` counts the containers around it."""
    if isinstance(value, Instance):
        if isinstance(value.cls, ClassV):
            for method_name in ("__str__", "__repr__"):
                if machine.has_attr(value, method_name):
                    text = text_of(machine.call(machine.get_attr(value, method_name), Arguments()))
                    return text if text is not None else Text((Hole("data", True),))
            if "enum" in value.cls.traits:
                inner = value.slots.get("value")
                if isinstance(inner, Known) and _reads_as_value(value.cls):
                    return str(inner.value)
                name = value.slots.get("name")
                if isinstance(name, Known):
                    return f"{value.cls.name}.{name.value}"
            plain = value.slots.get(("value",))
            if plain is not None:
                return render(plain)
        elif value.slots.get("__text__") is not None:
            return render(value.slots["__text__"])
        shown = fields_text(machine, value)
        if shown is not None:
            return shown
        if "args" in value.slots and is_exception(value.cls):
            text_like = exception_text(value, lambda item: to_text(machine, item))
            if text_like is not None:
                return text_like
    if isinstance(value, ListObj | DictObj | TupleV):
        try:
            return str(to_python(value))
        except NotKnown:
            return container_text(machine, value, depth)
    return render(value)


_SHOWN_ELEMENTS = 64
"""Up to how many elements a container of objects is shown one by one; longer ones are unknown text."""
_SHOWN_DEPTH = 4
"""How deep containers in containers are shown; what lies deeper may hold itself, or one thing many times over."""


def container_text(machine: Machine, value: ListObj | DictObj | TupleV, depth: int = 0) -> TextLike:
    """What a container reads as whose elements are not all plain values."""
    brackets = {"list": "[]", "tuple": "()", "dict": "{}", "set": "{}"}.get(getattr(value, "kind", "tuple"))
    elements = value.known() if isinstance(value, DictObj) else value.items
    whole = value.exact if isinstance(value, DictObj) else value.rest is None
    shown = brackets is not None and whole and 0 < len(elements) <= _SHOWN_ELEMENTS and depth < _SHOWN_DEPTH
    if not shown or brackets is None:
        show_elements(machine, value)
        return Text((Hole("data", True),))
    pieces: list[TextLike] = []
    for element in elements:
        machine.tick()
        pair = element if isinstance(element, tuple) else (element,)
        pieces += [", " if pieces else "", *_joined(repr_text(machine, part, depth + 1) for part in pair)]
    return concat(brackets[0], *pieces, "," if len(elements) == 1 and brackets == "()" else "", brackets[1])


def _joined(shown: Iterable[TextLike]) -> list[TextLike]:
    """A key and its value with a colon between them, or an element alone."""
    first, *more = shown
    return [first, ": ", more[0]] if more else [first]


def show_elements(machine: Machine, value: ListObj | DictObj | TupleV) -> None:
    """Call the `__repr__` of the program's own objects in a container that is turned into text."""
    items = value.slots.values() if isinstance(value, DictObj) else value.items
    for item in items:
        if isinstance(item, Instance) and isinstance(item.cls, ClassV):
            repr_text(machine, item)


def repr_text(machine: Machine, value: AnyValue, depth: int = 0) -> TextLike:
    """`repr(value)`, as far as is known; `depth` counts the containers around it."""
    try:
        if not isinstance(value, Instance):
            return repr(to_python(value))
    except NotKnown:
        pass
    if isinstance(value, Text):
        return concat("'", value, "'")
    if isinstance(value, PathV):
        return concat("PosixPath('", value.text, "')")
    if isinstance(value, Instance) and isinstance(value.cls, ClassV):
        if machine.has_attr(value, "__repr__"):
            text = text_of(machine.call(machine.get_attr(value, "__repr__"), Arguments()))
            return text if text is not None else Text((Hole("data", True),))
        name = value.slots.get("name")
        if "enum" in value.cls.traits and isinstance(name, Known):
            return concat(f"<{value.cls.name}.{name.value}: ", repr_text(machine, value.slots["value"]), ">")
        shown = fields_text(machine, value)
        if shown is not None:
            return shown
    return to_text(machine, value, depth)


def fields_text(machine: Machine, value: Instance) -> TextLike | None:
    """What a dataclass or a named tuple reads as; None for any other object."""
    fields = value.cls.traits.get("fields") if isinstance(value.cls, ClassV) else None
    if fields is None or not isinstance(value.cls, ClassV) or any(name not in value.slots for name in fields):
        return None
    pieces: list[TextLike] = []
    for name in fields:
        field = value.slots[name]
        shown = repr_text(machine, field.value if isinstance(field, Maybe) else field)
        pieces.extend((", " if pieces else "", f"{name}=", shown))
    return concat(value.cls.name, "(", *pieces, ")")


def _reads_as_value(cls: ClassV) -> bool:
    """Whether the members of an enumeration read as their values."""
    return any(
        isinstance(base, Ext) and base.name in ("enum.StrEnum", "enum.IntEnum", "enum.IntFlag", "enum.ReprEnum")
        for base in cls.mro
    )


def format_value(machine: Machine, value: AnyValue, conversion: str | None, spec: AnyValue) -> AnyValue:
    """What a replacement field of an f-string gives for one value."""
    spec_text = text_of(spec)
    if isinstance(value, Known) and isinstance(spec_text, str):
        shown: Any = value.value
        if conversion == "r":
            shown = repr(shown)
        elif conversion == "s":
            shown = str(shown)
        elif conversion == "a":
            shown = ascii(shown)
        if not _modest(spec_text):
            return text_hole()
        try:
            return Known(format(shown, spec_text))
        except (ValueError, TypeError) as error:
            raise machine.throw(type(error).__name__, str(error)) from None
    if isinstance(value, Instance) and isinstance(value.cls, ClassV):
        if conversion is None and machine.has_attr(value, "__format__"):
            return machine.call(machine.get_attr(value, "__format__"), Arguments([spec]))  # type: ignore[no-any-return]
        if conversion != "r" and ("enum" not in value.cls.traits or _reads_as_value(value.cls)):
            plain = as_plain(value)
            if isinstance(plain, Known):
                return format_value(machine, plain, conversion, spec)
    if isinstance(value, Instance) and isinstance(value.cls, Ext) and value.cls.name.startswith("datetime."):
        if isinstance(spec_text, str) and spec_text:
            return as_value(strftime_text(spec_text))
        return text_hole("clock", slash=False)
    text = repr_text(machine, value) if conversion == "r" and not isinstance(value, Scalar) else to_text(machine, value)
    if isinstance(spec_text, str) and spec_text and not isinstance(value, Text):
        if isinstance(text, str) and _modest(spec_text):
            try:
                return Known(format(text, spec_text))
            except ValueError:
                pass
        return Text((Hole(_origin(value), False),))
    return as_value(text)


def _origin(value: AnyValue) -> str:
    if isinstance(value, Unknown):
        return value.origin
    if isinstance(value, Instance) and isinstance(value.cls, Ext):
        return hole_origin(value.cls.name)
    return "data"


def _modest(spec: str) -> bool:
    return all(int(number) < 4096 for number in re.findall(r"\d+", spec))


def strftime_text(template: TextLike) -> TextLike:
    """A strftime format with holes for its directives; some directives may produce slashes."""
    out: list[str | Hole] = []
    for part in parts_of(template):
        if isinstance(part, Hole):
            out.append(part)
            continue
        position = 0
        for match in re.finditer(r"%-?([a-zA-Z%])", part):
            out.append(part[position : match.start()])
            out.append("%" if match[1] == "%" else Hole("clock", match[1] in "Dx"))
            position = match.end()
        out.append(part[position:])
    return make_text(out)


@method("datetime.datetime.strftime", "datetime.date.strftime", "datetime.time.strftime")
def datetime_strftime(machine: Machine, obj: Any, args: Arguments) -> AnyValue:
    """`moment.strftime(format)`."""
    del machine, obj
    template = text_of(args.pos[0]) if args.pos else None
    return as_value(strftime_text(template)) if template is not None else text_hole("clock")


@method("datetime.datetime.isoformat", "datetime.date.isoformat", "datetime.datetime.__str__")
def datetime_isoformat(machine: Machine, obj: Any, args: Arguments) -> AnyValue:
    """A moment as text."""
    del machine, obj, args
    return text_hole("clock")


@function("time.strftime")
def time_strftime(machine: Machine, args: Arguments) -> AnyValue:
    """`time.strftime(format)`."""
    del machine
    template = text_of(args.pos[0]) if args.pos else None
    return as_value(strftime_text(template)) if template is not None else text_hole("clock")
