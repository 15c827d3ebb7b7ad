"""What annotations of typer's functions say of their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.values.generic_aliases import HEAD, get_args, is_alias
from taskgates.inference.objects import Arguments, FunctionV, Instance, ListObj
from taskgates.inference.values import (
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
)
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine
OPTION, ARGUMENT = "typer.models.OptionInfo", "typer.models.ArgumentInfo"
UNBOUND = Known(...)
_LISTS = frozenset(
    {
        "typing.List",
        "typing.Sequence",
        "typing.Iterable",
        "typing.Set",
        "builtins.list",
        "builtins.set",
        "collections.abc.Sequence",
    }
)


class Annotation:
    """What an annotation says about a parameter.

    Attributes:
        kind: the type, None when there is none.
        many: whether the parameter takes any number of values.
        parts: the member types of a tuple.
        info: the `typer.Option` or `typer.Argument` of an `Annotated`.
    """

    def __init__(self, kind: AnyValue | None = None) -> None:
        self.kind = kind
        self.many = False
        self.parts: list[Annotation] | None = None
        self.info: Instance | None = None


# Annotations ---------------------------------------------------------------------------------------------------------


def annotation(machine: Machine, func: FunctionV | None, node: ir.Expr | None) -> Annotation:
    """Work out what the annotation of a parameter says."""
    if node is None or func is None:
        return Annotation()
    if isinstance(node, ir.Const) and isinstance(node.value, str):
        parts = node.value.strip().split(".")
        if not all(part.isidentifier() for part in parts):
            return Annotation()
        expr: ir.Expr = ir.Name(parts[0], 0)
        for part in parts[1:]:
            expr = ir.Attr(expr, part, 0)
        return annotation(machine, func, expr)
    if isinstance(node, ir.Binary) and node.op == "|":
        return _alternatives(machine, func, [node.left, node.right])
    if isinstance(node, ir.Subscript):
        head = evaluate(machine, func, node.obj)
        name = head.name if isinstance(head, Ext) else ""
        inner = list(node.index.items) if isinstance(node.index, ir.Sequence) else [node.index]
        return _generic(machine, func, name, inner)
    return _of_value(evaluate(machine, func, node))


def _of_value(value: AnyValue) -> Annotation:
    """What a type says that has a name of its own: `Config = Annotated[Path, typer.Option()]`."""
    if isinstance(value, Ext) and value.name in _LISTS:
        out = Annotation()
        out.many = True
        return out
    if not isinstance(value, Instance) or not is_alias(value):
        return Annotation(value)
    args = get_args(None, Arguments([value])).items  # type: ignore[union-attr]
    head = value.slots[HEAD].name
    short = head.rpartition(".")[2]
    if short in ("Optional", "Union"):
        return next((_of_value(arg) for arg in args if arg != Ext("types.NoneType")), Annotation())
    if short == "Literal":
        choice = Instance(Ext("click.Choice"))
        choice.slots["choices"] = ListObj("list", args)
        return Annotation(choice)
    if short in ("tuple", "Tuple") and UNBOUND not in args:
        out = Annotation()
        out.parts = [_of_value(arg) for arg in args]
        return out
    out = _of_value(args[0]) if args else Annotation()
    if short == "Annotated":
        infos = [arg for arg in args[1:] if isinstance(arg, Instance) and arg.cls in (Ext(OPTION), Ext(ARGUMENT))]
        out.info = infos[-1] if infos else out.info
    elif head in _LISTS or short in ("tuple", "Tuple"):
        out.many = True
    return out


def _generic(machine: Machine, func: FunctionV, name: str, inner: Sequence[ir.Expr]) -> Annotation:
    short = name.rpartition(".")[2]
    if short in ("Optional", "Union"):
        return _alternatives(machine, func, inner)
    if short == "Annotated":
        out = annotation(machine, func, inner[0])
        for node in inner[1:]:
            value = evaluate(machine, func, node)
            if isinstance(value, Instance) and value.cls in (Ext(OPTION), Ext(ARGUMENT)):
                out.info = value
        return out
    if short == "Literal":
        choice = Instance(Ext("click.Choice"))
        choice.slots["choices"] = ListObj("list", [evaluate(machine, func, node) for node in inner])
        return Annotation(choice)
    many = name in _LISTS
    if short in ("tuple", "Tuple"):
        last = inner[-1]
        open_end = isinstance(last, ir.Literal) and last.source == "..."
        if not open_end:
            out = Annotation()
            out.parts = [annotation(machine, func, node) for node in inner]
            return out
        many = True
    if many:
        out = annotation(machine, func, inner[0])
        out.many = True
        return out
    return Annotation()


def _alternatives(machine: Machine, func: FunctionV, nodes: Sequence[ir.Expr]) -> Annotation:
    """The first alternative that is not None."""
    for node in nodes:
        if isinstance(node, ir.Const) and node.value is None:
            continue
        return annotation(machine, func, node)
    return Annotation()


def evaluate(machine: Machine, func: FunctionV, node: ir.Expr) -> AnyValue:
    """An expression of a signature in the scope of the function's definition."""
    try:
        with machine.within(func.frame):
            return machine.eval(node, func.frame)  # type: ignore[no-any-return]
    except AbstractRaise:
        return UNKNOWN
