"""Activations of analysed code, and the ways in which control leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taskgates.inference.enclosed import Cells
    from taskgates.inference.objects import Arguments, ClassV, FunctionV, ListObj, ModuleV
    from taskgates.inference.values import AnyValue


NORMAL, RETURN, BREAK, CONTINUE = 1, 2, 4, 8


Place = ir.Call | ir.Attr | ir.Subscript | ir.Name | ir.Import | ir.ImportFrom
"""What gives effects a place: the last call, or the assignment or import under way."""


class AbstractRaise(Exception):  # noqa: N818 - the analysed program's exception, on its way
    """The analysed program certainly raises here."""

    def __init__(self, value: AnyValue) -> None:
        # Without its text: an object may hold much of the program.
        super().__init__()
        self.value = value
        self.place = ""
        self.origin: ir.Stmt | None = None
        self.file = ""


class Frame:
    """One activation of a function, class body, comprehension or module body."""

    __slots__ = (
        "args",
        "caller",
        "cells",
        "cls",
        "floor",
        "function",
        "globals",
        "locals",
        "module",
        "nonlocals",
        "on_yield",
        "parent",
        "qualname",
        "returns",
        "self_value",
        "slots",
        "yields",
    )

    def __init__(
        self,
        module: ModuleV,
        qualname: str,
        slots: dict[Any, Any],
        parent: Frame | None,
        function: FunctionV | None = None,
    ) -> None:
        self.module = module
        self.qualname = qualname
        self.slots = slots
        self.parent = parent
        self.function = function
        node = function.node if function is not None else None
        self.locals: frozenset[str] | None = frozenset(node.locals) if node is not None else None
        self.globals: frozenset[str] = frozenset(node.globals) if node is not None else frozenset()
        self.nonlocals: frozenset[str] = frozenset(node.nonlocals) if node is not None else frozenset()
        self.returns: list[AnyValue] = []
        self.yields: ListObj | None = None
        self.on_yield: Callable[[AnyValue], AnyValue] | None = None
        self.cls: ClassV | None = function.cls if function is not None else None
        self.self_value: AnyValue | None = None
        self.args: Arguments | None = None
        self.caller: Frame | None = None
        self.cells: Cells | None = None
        self.floor = 0

    def label(self, name: str) -> str:
        """What one of its variables is called in reports."""
        return f"{self.module.dotted}.{self.qualname}.{name}"


def anchor(node: ir.Expr) -> Place | None:
    """The first operand of an expression that has a place, for what its operators cause."""
    while isinstance(node, ir.Binary):
        found = anchor(node.right)
        if found is not None:
            return found
        node = node.left
    return node if isinstance(node, ir.Call | ir.Attr | ir.Subscript | ir.Name) else None


def place_of(node: Place | None, frame: Frame) -> int:
    """The identifier that stands for a node; that of the function where there is none."""
    if node is not None:
        return node.pos
    return frame.function.node.pos if frame.function is not None else 0


class TryContext:
    """The exceptions that may leave the body of a try statement that is being run."""

    __slots__ = ("anything", "kinds", "libraries", "names", "values")

    def __init__(self, kinds: Sequence[AnyValue | None] = ()) -> None:
        self.kinds = tuple(kinds)
        self.anything = False
        self.names: set[str] = set()
        self.libraries: set[str] = set()
        self.values: list[AnyValue] = []


class Worker(msgspec.Struct, frozen=True):
    """A thread or process that the program started, while what it does is being interpreted.

    Attributes:
        serial: the number of the start; 0 for one that is looked at again.
        depth: how many frames there were before its own.
        several: whether many of them run at a time.
    """

    serial: int
    depth: int
    several: bool = False
