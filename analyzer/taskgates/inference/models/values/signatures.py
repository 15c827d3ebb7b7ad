"""Signatures of callables of the analysed code, as `inspect` sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.objects import ClassV, FunctionV, Maybe
from taskgates.inference.values import AnyValue, BoundMethod, Descriptor, Partial

if TYPE_CHECKING:
    from taskgates.syntax import ir


def signature(func: AnyValue) -> tuple[FunctionV | None, int]:
    """The function whose parameters count, and how many of them are bound already.

    Wrappers made with `functools.wraps` have the signature of what they wrap.
    """
    skip = 0
    while True:
        if isinstance(func, BoundMethod):
            func, skip = func.func, skip + 1
        elif isinstance(func, Partial):
            skip += len(func.args.pos)
            func = func.func
        elif isinstance(func, Descriptor):
            func = func.func
        elif isinstance(func, FunctionV):
            inner = func.slots.get("__wrapped__")
            inner = inner.value if isinstance(inner, Maybe) else inner
            if not isinstance(inner, FunctionV):
                return func, skip
            func = inner
        else:
            return None, skip


def parameters(func: AnyValue) -> list[ir.Param] | None:
    """The parameters that a caller may fill; None when they are not known."""
    target, skip = signature(func)
    return None if target is None else list(target.node.params[skip:])


def initialiser(cls: ClassV) -> FunctionV | None:
    """The `__init__` that the construction of an object runs."""
    for base in cls.mro:
        if isinstance(base, ClassV) and "__init__" in base.slots:
            found, _ = signature(base.slots["__init__"])
            return found
    return None


__all__ = ["initialiser", "parameters", "signature"]
