"""Abstract values.

Immutable values compare by content; objects on the abstract heap compare by identity and keep everything mutable in a
`slots` dict, so that the machine's trail can undo and join changes in one uniform way.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from taskgates.inference.text import Hole, Text, TextLike, concat, make_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from taskgates.syntax import ir

SET_SIZE: ContextVar[int] = ContextVar("SET_SIZE", default=16)
"""How many alternatives a value may have, for the analysis that is running."""
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
            return hash((type(self.value), self.value))
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
        return isinstance(other, Union) and set(self.options) == set(other.options)

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

    __slots__ = ("func", "kind", "setter")

    def __init__(self, kind: str, func: AnyValue, setter: AnyValue | None = None) -> None:
        self.kind = kind
        self.func = func
        self.setter = setter


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


class Heap(Value):
    """Base of objects with identity and mutable slots.

    `owner` names the module global, class attribute or default argument that holds the object, once one does.
    """

    __slots__ = ("owner", "slots")

    def __init__(self) -> None:
        self.slots: dict[Any, Any] = {}
        self.owner: tuple[str, str] | None = None


class Maybe:
    """A slot that exists on some paths only."""

    __slots__ = ("value",)

    def __init__(self, value: AnyValue) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Maybe) and self.value == other.value

    def __hash__(self) -> int:
        return hash((Maybe, self.value))


class ListObj(Heap):
    """A list, set, frozenset, deque or iterator; its one slot `CONTENT` is a `TupleV` of first items and a summary.

    For a set, the items are distinct as far as is known. For an iterator, items are consumed from the front.
    """

    __slots__ = ("kind",)

    def __init__(self, kind: str, items: Iterable[AnyValue] = (), rest: AnyValue | None = None) -> None:
        super().__init__()
        self.kind = kind
        self.slots[CONTENT] = TupleV(items, rest)

    @property
    def items(self) -> tuple[AnyValue, ...]:
        """The known elements."""
        return self.slots[CONTENT].items  # type: ignore[no-any-return]

    @property
    def rest(self) -> AnyValue | None:
        """The summary of further elements."""
        return self.slots[CONTENT].rest  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"{self.kind}({self.items}, rest={self.rest})"


CONTENT = ("content",)
REST = ("rest",)
DEFAULT = ("default",)


class DictObj(Heap):
    """A mapping: a slot for every known key (the key itself is a hashable value), `REST` for unknown keys.

    `kind` is `dict`, `defaultdict`, `OrderedDict`, `Counter`, or the qualified name of a library's class whose entries
    are attributes too; `DEFAULT` holds a defaultdict's factory.
    """

    __slots__ = ("kind",)

    def __init__(
        self, kind: str = "dict", entries: Mapping[Any, Any] | None = None, rest: AnyValue | None = None
    ) -> None:
        super().__init__()
        self.kind = kind
        if entries:
            self.slots.update(entries)
        if rest is not None:
            self.slots[REST] = rest

    def known(self) -> list[tuple[AnyValue, AnyValue]]:
        """Known keys and their values, in insertion order."""
        return [
            (key, value.value if isinstance(value, Maybe) else value)
            for key, value in self.slots.items()
            if key is not REST and key is not DEFAULT
        ]

    @property
    def rest(self) -> AnyValue | None:
        """The summary of values under unknown keys."""
        value = self.slots.get(REST)
        return value.value if isinstance(value, Maybe) else value

    @property
    def exact(self) -> bool:
        """Whether the set of keys is known."""
        return self.slots.get(REST) is None and not any(isinstance(value, Maybe) for value in self.slots.values())

    def __repr__(self) -> str:
        return f"{self.kind}({self.slots})"


class AttributeView(DictObj):
    """`obj.__dict__`, `globals()`: entries put into it become attributes of `target`."""

    __slots__ = ("target",)

    def __init__(self, target: Heap) -> None:
        super().__init__("dict", {Known(key): item for key, item in target.slots.items() if isinstance(key, str)})
        self.target = target


class Instance(Heap):
    """An object: of a class of the analysed code (`cls` a ClassV) or of a library type (`cls` an Ext)."""

    __slots__ = ("cls",)

    def __init__(self, cls: ClassV | Ext) -> None:
        super().__init__()
        self.cls = cls

    def __repr__(self) -> str:
        return f"<{self.cls} {self.slots}>"


class ClassV(Heap):
    """A class of the analysed code; slots are its attributes."""

    __slots__ = ("bases", "metaclass", "module", "mro", "name", "node", "qualname", "traits")

    def __init__(self, name: str, qualname: str, module: ModuleV | None, bases: tuple[AnyValue, ...]) -> None:
        super().__init__()
        self.name = name
        self.qualname = qualname
        self.module = module
        self.bases = bases
        self.node: ir.ClassDef | None = None
        self.metaclass: AnyValue | None = None
        self.traits: dict[str, Any] = {}
        self.mro: tuple[ClassV | Ext, ...] = _linearise(self, bases)

    def __repr__(self) -> str:
        return f"ClassV({self.qualname})"


class ModuleV(Heap):
    """A module of the analysed code; slots are its globals."""

    __slots__ = ("done", "file", "ir", "name", "package", "path")

    def __init__(self, name: str, file: str, package: str) -> None:
        super().__init__()
        self.name = name
        self.file = file
        self.package = package
        self.ir: ir.Module | None = None
        self.path: tuple[str, ...] = ()
        self.done = False

    @property
    def dotted(self) -> str:
        """The name by which reports speak of the module: the main program's is the one it would be imported by."""
        if self.name != "__main__" or not self.file.endswith(".py"):
            return self.name
        stem = self.file.rsplit("/", 1)[-1].removesuffix(".py")
        if self.package:
            return f"{self.package}.{stem}"
        return stem if self.file.startswith("/") else self.file.removesuffix(".py").replace("/", ".")

    def __repr__(self) -> str:
        return f"ModuleV({self.name})"


class FunctionV(Heap):
    """A function of the analysed code with its closure; slots are function attributes."""

    __slots__ = ("cls", "defaults", "frame", "module", "node", "qualname")

    def __init__(
        self, node: ir.Function, module: ModuleV, frame: Any, qualname: str, defaults: dict[str, AnyValue]
    ) -> None:
        super().__init__()
        self.node = node
        self.module = module
        self.frame = frame
        self.qualname = qualname
        self.defaults = defaults
        self.cls: ClassV | None = None

    def __repr__(self) -> str:
        return f"FunctionV({self.qualname})"


AnyValue = Value | Text


class Arguments:
    """Evaluated arguments of a call.

    Attributes:
        pos: positional arguments.
        kw: keyword arguments.
        star: summary of positional arguments beyond the known ones, if a `*x` of unknown length was passed.
        kwstar: summary of keyword arguments beyond the known ones.
    """

    __slots__ = ("kw", "kwstar", "pos", "star")

    def __init__(
        self,
        pos: Iterable[AnyValue] = (),
        kw: dict[str, AnyValue] | None = None,
        star: AnyValue | None = None,
        kwstar: AnyValue | None = None,
    ) -> None:
        self.pos: list[AnyValue] = list(pos)
        self.kw: dict[str, AnyValue] = kw or {}
        self.star = star
        self.kwstar = kwstar

    def get(self, index: int, name: str, default: AnyValue | None = None) -> AnyValue | None:
        """The argument at a position or under a name."""
        if name in self.kw:
            return self.kw[name]
        if 0 <= index < len(self.pos):
            return self.pos[index]
        if index >= 0 and self.star is not None:
            return self.star
        return default

    def every(self) -> list[AnyValue]:
        """All argument values in order."""
        extra = [value for value in (self.star, self.kwstar) if value is not None]
        return [*self.pos, *self.kw.values(), *extra]

    def shifted(self, first: AnyValue) -> Arguments:
        """The same arguments with one put in front."""
        return Arguments([first, *self.pos], self.kw, self.star, self.kwstar)


def _linearise(cls: ClassV, bases: tuple[AnyValue, ...]) -> tuple[ClassV | Ext, ...]:
    """C3 linearisation (Barrett et al., 1996); falls back to depth first where the bases are inconsistent."""
    direct: list[ClassV | Ext] = [base for base in bases if isinstance(base, ClassV | Ext)]
    sequences: list[list[ClassV | Ext]] = [list(base.mro) if isinstance(base, ClassV) else [base] for base in direct]
    sequences.append(list(direct))
    out: list[ClassV | Ext] = [cls]
    while any(sequences):
        for sequence in sequences:
            if not sequence:
                continue
            head = sequence[0]
            if not any(head in other[1:] for other in sequences):
                break
        else:
            head = next(sequence[0] for sequence in sequences if sequence)
        out.append(head)
        for sequence in sequences:
            if head in sequence:
                sequence.remove(head)
    return tuple(out)


# Joining -------------------------------------------------------------------------------------------------------------


def options(value: AnyValue) -> tuple[AnyValue, ...]:
    """The alternatives of a value."""
    return value.options if isinstance(value, Union) else (value,)


def join(values: Iterable[AnyValue | None]) -> AnyValue:
    """The least value that stands for all given ones; texts generalise when there are too many."""
    seen: dict[AnyValue, None] = {}
    for value in values:
        if value is None:
            continue
        for option in options(value):
            seen[option] = None
    if len(seen) == 1:
        return next(iter(seen))
    if not seen:
        return UNKNOWN
    if BOTTOM in seen:
        del seen[BOTTOM]
        if len(seen) == 1:
            return next(iter(seen))
    if any(isinstance(option, Unknown) for option in seen):
        structured = tuple(option for option in seen if not isinstance(option, Unknown))
        unknown = next(option for option in seen if isinstance(option, Unknown))
        if len(structured) >= SMALL_SET and len(structured) >= SET_SIZE.get():
            return unknown
        return Union((*structured, unknown))
    if len(seen) > SMALL_SET and len(seen) > SET_SIZE.get():
        return generalise(tuple(seen))
    return Union(tuple(seen))


def generalise(values: tuple[AnyValue, ...]) -> AnyValue:
    """Shrink a set of too many alternatives: strings to their common prefix and suffix, numbers to their type."""
    groups: dict[str, list[AnyValue]] = {}
    for value in values:
        groups.setdefault(_shape(value), []).append(value)
    out: list[AnyValue] = []
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
    if len(out) > SMALL_SET and len(out) > SET_SIZE.get():
        # What a lost one of them would do is lost with it: whoever uses the value says so.
        return Unknown(
            f"a value has more than {SET_SIZE.get()} alternatives; raise `set_size` to tell them apart", "bound"
        )
    return out[0] if len(out) == 1 else Union(tuple(out))


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


__all__ = [
    "BOOL",
    "BOTTOM",
    "BYTES",
    "CONTENT",
    "DATA",
    "DEFAULT",
    "EMPTY",
    "FALSE",
    "FLOAT",
    "INT",
    "NONE",
    "REST",
    "SEQUENCE_LIMIT",
    "SET_SIZE",
    "TRUE",
    "UNKNOWN",
    "AnyValue",
    "Arguments",
    "AttributeView",
    "Awaitable",
    "BoundMethod",
    "ClassV",
    "Descriptor",
    "DictObj",
    "Ext",
    "FunctionV",
    "Heap",
    "Instance",
    "Known",
    "ListObj",
    "Maybe",
    "Method",
    "ModuleV",
    "Native",
    "Partial",
    "PathV",
    "Scalar",
    "Stream",
    "Super",
    "TupleV",
    "Union",
    "Unknown",
    "Value",
    "as_value",
    "concat",
    "generalise",
    "hole_origin",
    "join",
    "options",
    "path_text",
    "render",
    "text_hole",
    "text_of",
    "truth",
    "widen_texts",
]
