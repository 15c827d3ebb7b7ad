"""Abstract values that compare by content, and how several are joined into one."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from taskgates.inference.text import Hole, Text, TextLike, make_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from taskgates.inference.objects import Arguments


SET_SIZE: ContextVar[int] = ContextVar("SET_SIZE", default=16)
"""How many alternatives a value may have, for the analysis that is running."""
OBJECTS: ContextVar[int] = ContextVar("OBJECTS", default=0)
"""How many of them may be functions and objects, where that is more: constants are generalised sooner."""
SMALL_SET = 2
"""A number of alternatives that is always kept."""
SEQUENCE_LIMIT = 512


class Value:
    """Base of all abstract values except `Text`, which is one as well."""

    __slots__ = ()


class Known(Value):
    """A Python constant: None, bool, int, float, complex, str, bytes, range, Ellipsis."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and type(self.value) is type(other.value) and bool(self.value == other.value)

    def __hash__(self) -> int:
        try:
            return hash(self.value)
        except TypeError:
            # A slice compares by content, but has no hash of its own.
            return hash(type(self.value))

    def __repr__(self) -> str:
        return f"Known({self.value!r})"


NONE = Known(None)
TRUE = Known(True)
FALSE = Known(False)
EMPTY = Known("")


class Scalar(Value):
    """An unknown value of a known simple type: `int`, `float`, `bool`, `bytes`."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scalar) and self.kind == other.kind

    def __hash__(self) -> int:
        return hash(self.kind)

    def __repr__(self) -> str:
        return f"Scalar({self.kind})"


INT = Scalar("int")
FLOAT = Scalar("float")
BOOL = Scalar("bool")
BYTES = Scalar("bytes")


class Unknown(Value):
    """Nothing is known; `reason` says why, `origin` what kind of input it stems from (see `Hole.origin`).

    `attribute` is the name under which it was taken from another unknown value, if it was.
    """

    __slots__ = ("attribute", "origin", "reason")

    def __init__(self, reason: str = "", origin: str = "unknown", attribute: str = "") -> None:
        self.reason = reason
        self.origin = origin
        self.attribute = attribute

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and self.origin == other.origin

    def __hash__(self) -> int:
        return hash(self.origin)

    def __repr__(self) -> str:
        return f"Unknown({self.origin}: {self.reason})"


UNKNOWN = Unknown()
DATA = Unknown("read from data", "data")
BOTTOM = Unknown("a recursive call that is still being evaluated", "bottom")
"""No value yet: joining it with anything gives the other, and what is done with it touches nothing."""


class PathV(Value):
    """A pathlib path; `type` is its class (`pathlib.Path`, `pathlib.PurePosixPath`, ...)."""

    __slots__ = ("text", "type")

    def __init__(self, text: TextLike, type_: str = "pathlib.Path") -> None:
        self.text = text
        self.type = type_

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PathV) and self.text == other.text and self.type == other.type

    def __hash__(self) -> int:
        return hash((PathV, self.text))

    def __repr__(self) -> str:
        return f"PathV({self.text})"


class TupleV(Value):
    """A tuple: its first items, then one summary of any number more."""

    __slots__ = ("_summary", "items", "rest")

    def __init__(self, items: Iterable[AnyValue], rest: AnyValue | None = None) -> None:
        self.items: tuple[AnyValue, ...] = tuple(items)
        self.rest = rest
        self._summary: AnyValue | None = None

    @property
    def summary(self) -> AnyValue | None:
        """One value for any of the elements; None where there are none."""
        if self._summary is None and (self.items or self.rest is not None):
            self._summary = join((*self.items, self.rest))
        return self._summary

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TupleV) and self.items == other.items and self.rest == other.rest

    def __hash__(self) -> int:
        return hash((TupleV, self.items, self.rest))

    def __repr__(self) -> str:
        return f"TupleV({self.items}, {self.rest})"


class Unsorted(TupleV):
    """Elements that are known, but not in which order they come: what the system lists."""

    __slots__ = ()


class NamedTupleV(TupleV):
    """A tuple of the interpreter's own whose items have names too, such as `sys.version_info`."""

    __slots__ = ("names",)

    def __init__(self, items: Mapping[str, AnyValue]) -> None:
        super().__init__(items.values())
        self.names = tuple(items)


class Ext(Value):
    """Something of a library, by qualified name: a module, function, class or constant without source."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ext) and self.name == other.name

    def __hash__(self) -> int:
        return hash((Ext, self.name))

    def __repr__(self) -> str:
        return f"Ext({self.name})"


class Union(Value):
    """One of several values; never nested, at least two options."""

    __slots__ = ("options",)

    def __init__(self, options: tuple[AnyValue, ...]) -> None:
        self.options = options

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Union) and (self.options == other.options or set(self.options) == set(other.options))

    def __hash__(self) -> int:
        return hash(frozenset(self.options))

    def __repr__(self) -> str:
        return f"Union({', '.join(map(repr, self.options))})"


class Method(Value):
    """A method of a value that the models know (`"a".upper`, `[].append`, a library object's), not yet called."""

    __slots__ = ("name", "self")

    def __init__(self, self_: AnyValue, name: str) -> None:
        self.self = self_
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Method) and self.name == other.name and self.self == other.self

    def __hash__(self) -> int:
        return hash((Method, self.name))


class BoundMethod(Value):
    """A function of the analysed code with its first argument."""

    __slots__ = ("func", "self")

    def __init__(self, func: AnyValue, self_: AnyValue) -> None:
        self.func = func
        self.self = self_

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundMethod) and self.func == other.func and self.self == other.self

    def __hash__(self) -> int:
        return hash((BoundMethod, self.func))


class Partial(Value):
    """functools.partial."""

    __slots__ = ("args", "func")

    def __init__(self, func: AnyValue, args: Arguments) -> None:
        self.func = func
        self.args = args


class Native(Value):
    """A callable that the engine itself provides (a decorator's result, a registry's method)."""

    __slots__ = ("name", "run")

    def __init__(self, name: str, run: Callable[[Any, Arguments], AnyValue]) -> None:
        self.name = name
        self.run = run


class Super(Value):
    """super(): attribute lookup in the method resolution order of `self` behind `cls`."""

    __slots__ = ("cls", "self")

    def __init__(self, cls: AnyValue, self_: AnyValue) -> None:
        self.cls = cls
        self.self = self_


class Descriptor(Value):
    """property, staticmethod, classmethod, cached_property: `kind` and the functions."""

    __slots__ = ("deleter", "func", "kind", "setter")

    def __init__(
        self, kind: str, func: AnyValue, setter: AnyValue | None = None, deleter: AnyValue | None = None
    ) -> None:
        self.kind = kind
        self.func = func
        self.setter = setter
        self.deleter = deleter


class Awaitable(Value):
    """A coroutine or future whose result is known already: coroutines are run where they are created."""

    __slots__ = ("result",)

    def __init__(self, result: AnyValue) -> None:
        self.result = result

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Awaitable) and self.result == other.result

    def __hash__(self) -> int:
        return hash((Awaitable, self.result))


class Stream(Value):
    """An iterator whose elements are made one by one, while a loop consumes them (`os.walk` and its pruning)."""

    __slots__ = ("rows",)

    def __init__(self, rows: Callable[[], Iterator[AnyValue]]) -> None:
        self.rows = rows


AnyValue = Value | Text


# Joining -------------------------------------------------------------------------------------------------------------


def options(value: AnyValue) -> tuple[AnyValue, ...]:
    """The alternatives of a value."""
    return value.options if isinstance(value, Union) else (value,)


def join(values: Iterable[AnyValue | None]) -> AnyValue:
    """The least value that stands for all given ones; texts generalise when there are too many."""
    seen: dict[AnyValue, None] = {}
    unknown = False
    for value in values:
        kind = type(value)
        if kind is Union:
            for option in value.options:  # type: ignore[union-attr]
                seen[option] = None
                unknown = unknown or type(option) is Unknown
        elif value is not None:
            seen[value] = None
            unknown = unknown or kind is Unknown
    if len(seen) == 1:
        return next(iter(seen))
    if unknown:
        return _join_unknown(seen)
    if not seen:
        return UNKNOWN
    if len(seen) > SMALL_SET and len(seen) > SET_SIZE.get():
        return generalise(tuple(seen))
    return Union(tuple(seen))


def _join_unknown(seen: dict[AnyValue, None]) -> AnyValue:
    """The join of different values of which some are unknown: one of these stands for all of them."""
    if BOTTOM in seen:
        del seen[BOTTOM]
        if len(seen) == 1:
            return next(iter(seen))
    structured = tuple(option for option in seen if type(option) is not Unknown)
    first = next((option for option in seen if type(option) is Unknown), None)
    if first is not None:
        full = len(structured) >= SMALL_SET and len(structured) >= SET_SIZE.get()
        if full and OBJECTS.get() > SET_SIZE.get():
            shorter = generalise(structured)
            return shorter if type(shorter) is Unknown else Union((*options(shorter), first))
        return first if full else Union((*structured, first))
    if len(structured) > SMALL_SET and len(structured) > SET_SIZE.get():
        return generalise(structured)
    return Union(structured)


def generalise(values: tuple[AnyValue, ...]) -> AnyValue:
    """Shrink a set of too many alternatives: strings to their common prefix and suffix, numbers to their type."""
    out: list[AnyValue] = []
    groups: dict[str, list[AnyValue]] = {}
    if OBJECTS.get() > SET_SIZE.get() and sum(map(_PLAIN.__contains__, map(type, values))) <= SET_SIZE.get():
        out.extend(values)
    else:
        for value in values:
            groups.setdefault(_shape(value), []).append(value)
    for shape, members in groups.items():
        if len(members) == 1:
            out.append(members[0])
        elif shape == "text":
            out.append(as_value(widen_texts([text for text in map(text_of, members) if text is not None])))
        elif shape == "path":
            texts = [member.text for member in members if isinstance(member, PathV)]
            out.append(PathV(widen_texts(texts)))
        elif shape in ("int", "float", "bool", "bytes"):
            out.append(Scalar(shape))
        elif shape == "tuple":
            tuples = [member for member in members if isinstance(member, TupleV)]
            width = {len(member.items) for member in tuples if member.rest is None}
            if len(width) == 1 and all(member.rest is None for member in tuples):
                columns = zip(*(member.items for member in tuples), strict=True)
                out.append(TupleV(join(column) for column in columns))
            else:
                every = [item for member in tuples for item in (*member.items, member.rest)]
                out.append(TupleV((), join(every)))
        else:
            out.extend(members)
    if len(out) > SMALL_SET and len(out) > max(SET_SIZE.get(), OBJECTS.get()):
        # What a lost one of them would do is lost with it: whoever uses the value says so.
        return Unknown(
            f"a value has more than {SET_SIZE.get()} alternatives; raise `set_size` to tell them apart", "bound"
        )
    return out[0] if len(out) == 1 else Union(tuple(out))


_PLAIN = frozenset({Known, Text, PathV, Scalar, TupleV, Unsorted, NamedTupleV})
"""What many of can be told by one; functions and objects stay apart."""


def _shape(value: AnyValue) -> str:
    if isinstance(value, Known):
        if isinstance(value.value, str):
            return "text"
        return type(value.value).__name__
    if isinstance(value, Text):
        return "text"
    if isinstance(value, PathV):
        return "path"
    if isinstance(value, Scalar):
        return value.kind
    if isinstance(value, TupleV):
        return "tuple"
    return "object" + str(id(value))


def widen_texts(texts: list[TextLike]) -> TextLike:
    """The common known prefix and suffix of several strings with one hole between."""
    flat = [text if isinstance(text, str) else None for text in texts]
    prefixes = [text if isinstance(text, str) else text.prefix for text in texts]
    suffixes = [text if isinstance(text, str) else text.suffix for text in texts]
    prefix = _common_prefix(prefixes)
    limit = min((len(text) for text in flat if text is not None), default=10**9) - len(prefix)
    suffix = _common_prefix([text[::-1] for text in suffixes])[::-1]
    if limit < len(suffix):
        suffix = suffix[len(suffix) - max(limit, 0) :]
    slash = False
    origin = "unknown"
    for text in texts:
        if isinstance(text, str):
            middle = text[len(prefix) : len(text) - len(suffix)]
            slash = slash or "/" in middle
        else:
            origin = text.origin
            slash = slash or any(
                part.slash if isinstance(part, Hole) else "/" in part for part in _inner(text, prefix, suffix)
            )
    return make_text([prefix, Hole(origin, slash), suffix])


def _inner(text: Text, prefix: str, suffix: str) -> list[str | Hole]:
    parts = list(text.parts)
    if isinstance(parts[0], str):
        parts[0] = parts[0][len(prefix) :]
    if isinstance(parts[-1], str):
        parts[-1] = parts[-1][: len(parts[-1]) - len(suffix)]
    return parts


def _common_prefix(texts: list[str]) -> str:
    low, high = min(texts), max(texts)
    for index, char in enumerate(low):
        if index >= len(high) or high[index] != char:
            return low[:index]
    return low


# Strings -------------------------------------------------------------------------------------------------------------


def as_value(text: TextLike) -> AnyValue:
    """A string of the engine as an abstract value."""
    return Known(text) if isinstance(text, str) else text


def text_of(value: AnyValue) -> TextLike | None:
    """The string that a value *is*, or None if it is no string."""
    if isinstance(value, Known):
        return value.value if isinstance(value.value, str) else None
    return value if isinstance(value, Text) else None


def path_text(value: AnyValue) -> TextLike | None:
    """The path that a string or path-like value names, or None."""
    if isinstance(value, PathV):
        return value.text
    if isinstance(value, Known) and isinstance(value.value, bytes):
        try:
            return value.value.decode()
        except UnicodeDecodeError:
            return None
    return text_of(value)
