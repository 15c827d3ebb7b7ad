"""Objects of the abstract heap, and the arguments of calls.

They compare by identity and keep everything mutable in a `slots` dict, so that the trail can undo and join changes in
one uniform way.
"""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Any

from taskgates.inference.values import AnyValue, Ext, Known, TupleV, Value, join

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from taskgates.syntax import ir


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
VALUES = ("values",)
"""The slot for what a library object holds, which the results of its methods do not share."""
ATOMIC = ("atomic",)
"""The slot of an iterator whose next element threads may take without a lock."""
STREAM = ("stream",)
"""The slot of a library object for what a loop over it consumes element by element."""
GUARDS = ("guards",)
"""The slot of what a generator yields for how many `try` statements surrounded its call."""
REST = ("rest",)
DEFAULT = ("default",)


class DictObj(Heap):
    """A mapping: a slot for every known key (the key itself is a hashable value), `REST` for unknown keys.

    `kind` is `dict`, `defaultdict`, `OrderedDict`, `Counter`, or the qualified name of a library's class whose entries
    are attributes too; `DEFAULT` holds a defaultdict's factory.
    """

    __slots__ = ("_joined", "kind")

    def __init__(
        self, kind: str = "dict", entries: Mapping[Any, Any] | None = None, rest: AnyValue | None = None
    ) -> None:
        super().__init__()
        self.kind = kind
        self._joined: tuple[list[AnyValue], AnyValue] | None = None
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

    def join_entries(self, values: list[AnyValue]) -> AnyValue:
        """The join of some of its values; remembered for the next time, as a table is often asked for any of many."""
        if self._joined is None or len(values) != len(self._joined[0]) or not all(map(is_, values, self._joined[0])):
            self._joined = (values, join(values))
        return self._joined[1]

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

    @property
    def library_type(self) -> str:
        """The library class that it is an object of, or else the first that its class inherits; empty if none."""
        return self.cls.name if isinstance(self.cls, Ext) else self.cls.library_base()

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

    def find(self, name: str) -> Any | None:
        """What it or the first class of the program in its linearisation that has it holds under a name."""
        return next((base.slots[name] for base in self.mro if isinstance(base, ClassV) and name in base.slots), None)

    def library_base(self, passing_over: Container[str] = ()) -> str:
        """The name of the first library class that it inherits; empty where there is none.

        Args:
            passing_over: names of library classes that do not count.
        """
        for base in self.mro:
            if isinstance(base, Ext) and base.name not in passing_over:
                return base.name
        return ""

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


KEPT = ("kept",)
"""The slot of a function that remembers its result, for that result; bottom before there is one."""


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


def shown_name(name: str, cls: ClassV | None) -> str:
    """The name of a function or class as it is written: without what makes a private name of a class its own."""
    if cls is None or name[:1] != "_" or "__" not in name:
        return name
    prefix = f"_{cls.name.lstrip('_')}"
    return name[len(prefix) :] if name.startswith(f"{prefix}__") and not name.endswith("__") else name


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
    if len(sequences) == 1:
        return (cls, *sequences[0])
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
