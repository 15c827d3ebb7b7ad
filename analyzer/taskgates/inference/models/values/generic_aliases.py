"""Types with brackets as values (`Annotated[Path, Option()]`, `list[int]`), and what annotations say."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise, Frame
from taskgates.inference.models.registry import CLASS_ATTRIBUTES, ITEMS, Machine, function, method
from taskgates.inference.objects import Arguments, ClassV, FunctionV, Instance
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import TextLike, concat
from taskgates.inference.values import FALSE, NONE, TRUE, UNKNOWN, AnyValue, Ext, Known, TupleV, as_value, text_of
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALIAS = "types.GenericAlias"
HEAD = ("head",)
"""The slot of an alias for what stands before its brackets."""

_BUILTINS = ("list", "dict", "set", "frozenset", "tuple")
_TYPING = (
    "Annotated",
    "Optional",
    "Union",
    "Literal",
    "List",
    "Dict",
    "Set",
    "FrozenSet",
    "Tuple",
    "Type",
    "Sequence",
    "Iterable",
    "Iterator",
    "Collection",
    "Mapping",
    "MutableMapping",
    "MutableSequence",
    "Callable",
)


def alias_of(head: Ext, index: AnyValue) -> Instance:
    """The value of `head[index]`."""
    out = Instance(Ext(ALIAS))
    args = index if isinstance(index, TupleV) else TupleV([index])
    short = head.name.rpartition(".")[2]
    origin: AnyValue = _origin(head)
    if short == "Annotated" and args.items:
        out.slots["__metadata__"] = TupleV(args.items[1:])
        origin = args.items[0]
        out.slots["__args__"] = TupleV(args.items[:1])
    else:
        if short == "Optional":
            args = TupleV([*args.items, Ext("types.NoneType")])
        out.slots["__args__"] = TupleV(Ext("types.NoneType") if item == NONE else item for item in args.items)
    out.slots["__text__"] = as_value(_alias_text(head, args))
    out.slots["__origin__"] = origin
    out.slots[HEAD] = head
    out.slots[("items",)] = args
    return out


def _alias_text(head: Ext, args: TupleV) -> TextLike:
    """What `str(alias)` says: its head and the types in brackets, as far as their names are known."""
    if head.name in ("typing.Union", "typing.Optional"):
        # What `X | None` says depends on how it was written.
        return concat(text_hole(), concat(_type_text(args.items[0]) if args.items else "", text_hole()))
    shown: TextLike = f"{head.name.removeprefix('builtins.')}["
    for number, item in enumerate(args.items):
        shown = concat(shown, concat(", " if number else "", _type_text(item)))
    return concat(shown, "]")


def _type_text(item: AnyValue) -> TextLike:
    if isinstance(item, Ext):
        return item.name.removeprefix("builtins.").removeprefix("types.")
    if isinstance(item, ClassV):
        return concat(text_hole(), f".{item.name}")
    if isinstance(item, Instance) and "__text__" in item.slots:
        return text_of(item.slots["__text__"]) or text_hole()
    return repr(item.value) if isinstance(item, Known) else text_hole(slash=True)


def _origin(head: Ext) -> Ext:
    """What `typing.get_origin` says of a type with brackets."""
    module, _, short = head.name.rpartition(".")
    if module not in ("typing", "typing_extensions"):
        return head
    if short == "Optional":
        return Ext("typing.Union")
    found = getattr(getattr(typing, short, None), "__origin__", None)
    return Ext(f"{found.__module__}.{found.__qualname__}") if isinstance(found, type) else head


def is_alias(value: AnyValue | None) -> bool:
    """Whether a value is a type with brackets."""
    return isinstance(value, Instance) and value.cls == Ext(ALIAS)


def plain_type(value: AnyValue) -> AnyValue:
    """The class that a type with brackets stands for as a base of another; every other value as it is."""
    if not (isinstance(value, Instance) and is_alias(value)):
        return value
    origin = value.slots["__origin__"]
    built_in = isinstance(origin, Ext) and origin.name.startswith("builtins.")
    return origin if built_in else value.slots[HEAD]  # type: ignore[no-any-return]


def _item(name: str) -> Callable[[Machine, AnyValue], AnyValue]:
    return lambda machine, index: alias_of(Ext(name), index)  # noqa: ARG005 - the form of the registry


for _name in _TYPING:
    ITEMS[f"typing.{_name}"] = ITEMS[f"typing_extensions.{_name}"] = _item(f"typing.{_name}")
for _name in _BUILTINS:
    ITEMS[f"builtins.{_name}"] = _item(f"builtins.{_name}")
for _name in ("Sequence", "Iterable", "Iterator", "Collection", "Mapping", "MutableMapping", "Callable"):
    ITEMS[f"collections.abc.{_name}"] = _item(f"collections.abc.{_name}")


@method(f"{ALIAS}.__call__")
def call_alias(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`list[int]()`."""
    return machine.call(obj.slots["__origin__"], args)  # type: ignore[no-any-return]


@function("typing.get_origin", "typing_extensions.get_origin")
def get_origin(machine: Machine, args: Arguments) -> AnyValue:
    """`typing.get_origin(type)`."""
    del machine
    value = args.pos[0] if args.pos else UNKNOWN
    if isinstance(value, Instance) and is_alias(value):
        return Ext("typing.Annotated") if "__metadata__" in value.slots else value.slots["__origin__"]
    return NONE if isinstance(value, ClassV | Ext) else UNKNOWN


@function("typing.get_args", "typing_extensions.get_args")
def get_args(machine: Machine, args: Arguments) -> AnyValue:
    """`typing.get_args(type)`."""
    del machine
    value = args.pos[0] if args.pos else UNKNOWN
    if isinstance(value, Instance) and is_alias(value):
        more = value.slots.get("__metadata__")
        return TupleV([*value.slots["__args__"].items, *(more.items if more is not None else ())])
    return TupleV(()) if isinstance(value, ClassV | Ext) else TupleV((), UNKNOWN)


@function("typing.get_type_hints", "typing_extensions.get_type_hints")
def get_type_hints(machine: Machine, args: Arguments) -> AnyValue | None:
    """`typing.get_type_hints(class or function)`."""
    value = args.pos[0] if args.pos else UNKNOWN
    value = value.cls if isinstance(value, Instance) and isinstance(value.cls, ClassV) else value
    extras = args.kw.get("include_extras", FALSE) == TRUE
    if isinstance(value, ClassV):
        found = {name: annotation_value(machine, node, owner) for name, node, owner in _annotated(value)}
    elif isinstance(value, FunctionV):
        found = {
            param.name: _evaluated(machine, param.annotation, value.frame)
            for param in value.node.params
            if param.annotation is not None
        }
    else:
        return None
    return machine.dict_of({name: hint if extras else _stripped(hint) for name, hint in found.items()})  # type: ignore[no-any-return]


def _stripped(hint: AnyValue) -> AnyValue:
    """A hint without what `Annotated` adds."""
    if isinstance(hint, Instance) and is_alias(hint) and "__metadata__" in hint.slots:
        return hint.slots["__origin__"]  # type: ignore[no-any-return]
    return Ext("types.NoneType") if hint == NONE else hint


def _annotated(cls: ClassV) -> Iterator[tuple[str, ir.Expr, ClassV]]:
    """The annotated names of a class and its bases, the bases first."""
    for base in reversed(cls.mro):
        if isinstance(base, ClassV) and base.node is not None:
            for stmt in base.node.body:
                if isinstance(stmt, ir.AnnAssign) and isinstance(stmt.target, ir.Name):
                    yield stmt.target.id, stmt.annotation, base


def annotation_value(machine: Machine, node: ir.Expr, owner: ClassV) -> AnyValue:
    """What an annotation in the body of a class stands for."""
    if owner.module is None:
        return UNKNOWN
    return _evaluated(machine, node, Frame(owner.module, "<annotation>", owner.module.slots, None))


def _evaluated(machine: Machine, node: ir.Expr, frame: Frame) -> AnyValue:
    if isinstance(node, ir.Const) and isinstance(node.value, str):
        return _named(machine, node.value, frame)
    try:
        with machine.within(frame):
            return machine.eval(node, frame)  # type: ignore[no-any-return]
    except AbstractRaise:
        return UNKNOWN


def _named(machine: Machine, text: str, frame: Frame) -> AnyValue:
    """An annotation that is written as a string, where it is a name."""
    parts = text.strip().split(".")
    if not all(part.isidentifier() for part in parts):
        return UNKNOWN
    expr: ir.Expr = ir.Name(parts[0], 0)
    for part in parts[1:]:
        expr = ir.Attr(expr, part, 0)
    return _evaluated(machine, expr, frame)


def field_types(machine: Machine, cls: ClassV) -> dict[str, AnyValue]:
    """The `type` of each field of a dataclass: text in modules that put their annotations off."""
    out: dict[str, AnyValue] = {}
    for name, node, owner in _annotated(cls):
        late = owner.module is not None and owner.module.slots.get("annotations") == Ext("__future__.annotations")
        if late:
            out[name] = Known(node.id) if isinstance(node, ir.Name) else UNKNOWN
        else:
            written = _written(node)
            out[name] = written if written is not None else annotation_value(machine, node, owner)
    return out


def _written(node: ir.Expr) -> AnyValue | None:
    """A string annotation stays one."""
    return Known(node.value) if isinstance(node, ir.Const) and isinstance(node.value, str) else None


def class_annotations(machine: Machine, cls: ClassV) -> AnyValue | None:
    """`cls.__annotations__`: those of its own body."""
    return machine.dict_of(  # type: ignore[no-any-return]
        {name: annotation_value(machine, node, owner) for name, node, owner in _annotated(cls) if owner is cls}
    )


CLASS_ATTRIBUTES["__annotations__"] = class_annotations
