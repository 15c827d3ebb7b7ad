"""Comprehensions, generators and awaitables: expressions that run code of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.core import Core
from taskgates.inference.frames import Frame
from taskgates.inference.objects import (
    CONTENT,
    GUARDS,
    Arguments,
    ClassV,
    DictObj,
    Instance,
    ListObj,
    Maybe,
)
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    Awaitable,
    Ext,
    Known,
    TupleV,
    Union,
    Unknown,
    generalise,
    join,
)
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable

SENT = Unknown("a value sent to a generator", "data")
"""What a `yield` gives: generators run before their consumer does.

It may be None as well, where nothing is sent; whoever asks for what is sent means something else.
"""


_CLOSED = Ext("builtins.GeneratorExit")


class Generators(Core):
    """Comprehensions, `yield` and `await`."""

    def comprehension(self, node: ir.Comprehension, frame: Frame) -> AnyValue:
        inner = Frame(frame.module, frame.qualname, {}, frame, frame.function)
        inner.locals = frozenset()
        inner.cls = frame.cls
        inner.self_value = frame.self_value
        items: list[AnyValue] = []
        pairs = DictObj()
        rest: list[AnyValue] = []

        def emit(certain: bool) -> None:
            if node.kind == "dict":
                key = self.eval(node.element, inner)
                assert node.value is not None
                value = self.eval(node.value, inner)
                if certain:
                    self.put(pairs, key, value)
                else:
                    self.state.write(pairs.slots, key, Maybe(value)) if isinstance(key, Known) else self.put(
                        pairs, UNKNOWN, value
                    )
                return
            if isinstance(node.element, ir.Star):
                content = self.iterate(self.eval(node.element.value, inner))
                found = [*content.items, *([content.rest] if content.rest is not None else [])]
                if certain and not rest and content.rest is None:
                    items.extend(found)
                else:
                    rest.extend(found)
                return
            value = self.eval(node.element, inner)
            if certain and not rest:
                items.append(value)
            else:
                rest.append(value)

        self.clause(node.clauses, 0, inner, frame, emit, True)
        if node.kind == "dict":
            return pairs
        summary = join(rest) if rest else None
        if node.kind == "set":
            return self.new_list("set", tuple(dict.fromkeys(items)), summary)
        return self.new_list("iterator" if node.kind == "generator" else "list", items, summary)

    def clause(  # noqa: PLR0917 - the state of one comprehension
        self,
        clauses: list[ir.Clause],
        index: int,
        inner: Frame,
        outer: Frame,
        emit: Callable[[bool], None],
        certain: bool,
    ) -> None:
        """Run the clauses of a comprehension from one on."""
        if index == len(clauses):
            emit(certain)
            return
        clause = clauses[index]
        content = self.iterate(self.eval(clause.iter, outer if index == 0 else inner))
        items = list(content.items)
        rest = content.rest
        if len(items) > self.limits.unroll:
            every = dict.fromkeys((*items, *([rest] if rest is not None else [])))
            items, rest = [], generalise(tuple(every)) if len(every) > 1 else next(iter(every))
        for item in items:
            self.tick()
            self.element(clauses, index, item, inner, outer, emit, certain)
        if rest is not None:

            def once() -> int:
                self.element(clauses, index, rest, inner, outer, emit, False)
                return 1

            self.fork([once], include_current=True)

    def element(  # noqa: PLR0917 - the state of one comprehension
        self,
        clauses: list[ir.Clause],
        index: int,
        item: AnyValue,
        inner: Frame,
        outer: Frame,
        emit: Callable[[bool], None],
        certain: bool,
    ) -> None:
        """Run a comprehension for one element of one clause."""
        clause = clauses[index]
        self.store(clause.target, item, inner)
        undecided = False
        for test in clause.tests:
            decided = self.condition(test, inner)
            if decided is False:
                return
            undecided = undecided or decided is None
            self.refine(test, True, inner)
        if not undecided:
            self.clause(clauses, index + 1, inner, outer, emit, certain)
            return

        def once() -> int:
            self.clause(clauses, index + 1, inner, outer, emit, False)
            return 1

        self.fork([once], include_current=True)

    def await_(self, node: ir.Await, frame: Frame) -> AnyValue:
        return self.awaited(self.eval(node.value, frame))

    def awaited(self, value: AnyValue) -> AnyValue:
        """The result of awaiting a value."""
        if isinstance(value, Awaitable):
            return value.result
        if isinstance(value, Union):
            return join(self.awaited(option) for option in value.options)
        if isinstance(value, Instance) and isinstance(value.cls, ClassV) and self.has_attr(value, "__await__"):
            content = self.iterate(self.call(self.get_attr(value, "__await__"), Arguments()))
            return join(content.items) if content.items else UNKNOWN
        return value

    def yield_(self, node: ir.Yield, frame: Frame) -> AnyValue:
        current: Frame | None = frame
        while current is not None and current.yields is None and current.on_yield is None:
            current = current.parent
        value = self.eval(node.value, frame) if node.value is not None else NONE
        if current is None:
            return UNKNOWN
        if node.is_from:
            content = self.iterate(value)
            values = [*content.items, *([content.rest] if content.rest is not None else [])]
            for item in values:
                self.emit(current, item, certain=item is not content.rest)
            return value.slots.get("returned", NONE) if isinstance(value, ListObj) else NONE
        return self.emit(current, value, certain=True)

    def emit(self, frame: Frame, value: AnyValue, *, certain: bool) -> AnyValue:
        """Hand one yielded value to whoever runs the generator."""
        if frame.on_yield is not None:
            return frame.on_yield(value)
        target = frame.yields
        assert target is not None
        content: TupleV = target.slots[CONTENT]
        # The consumer's view must not be undone when a branch of the generator is: it is a log, not state.
        if certain and not self.undecided_since(frame) and content.rest is None and len(content.items) < 4096:
            target.slots[CONTENT] = TupleV((*content.items, value))
        else:
            target.slots[CONTENT] = TupleV(content.items, join([content.rest, value]))
        inner = self.tries[target.slots.get(GUARDS, len(self.tries)) :]
        if any(kind == _CLOSED for context in inner for kind in context.kinds):
            # Whoever has enough closes the generator.
            self.may_raise("GeneratorExit")
        return SENT

    def undecided_since(self, frame: Frame) -> bool:
        """Whether the generator of a frame is inside an undecided branch of its own."""
        return self.undecided > frame.floor
