"""Blocks that exceptions leave: `raise`, `assert`, `try` and `with`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from taskgates.inference.core import Core
from taskgates.inference.exceptions import catches, may_catch
from taskgates.inference.frames import NORMAL, AbstractRaise, Frame, TryContext
from taskgates.inference.objects import Arguments, ClassV, Instance
from taskgates.inference.values import NONE, UNKNOWN, AnyValue, Ext, TupleV, Union
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.inference.log import RawSite
    from taskgates.inference.state import Pending


class GuardedBlocks(Core):
    """Exceptions on their way through statements."""

    # Exceptions

    def raise_(self, stmt: ir.Raise, frame: Frame) -> int:
        if stmt.exc is None:
            raise AbstractRaise(self.handling[-1] if self.handling else UNKNOWN)
        value = self.eval(stmt.exc, frame)
        if isinstance(value, ClassV | Ext):
            value = self.call(value, Arguments())
        if isinstance(value, Instance):
            if stmt.cause is not None:
                cause = self.eval(stmt.cause, frame)
                if isinstance(cause, ClassV | Ext):
                    cause = self.call(cause, Arguments())
                self.state.write(value.slots, "__cause__", cause)
            if self.handling and self.handling[-1] is not value:
                self.state.write(value.slots, "__context__", self.handling[-1])
        raise AbstractRaise(value)

    def assert_(self, stmt: ir.Assert, frame: Frame) -> int:
        decided = self.condition(stmt.test, frame)
        if decided is False:
            said = [self.eval(stmt.message, frame)] if stmt.message is not None else []
            raise self.throw("AssertionError", args=TupleV(said))
        if decided is None:
            self.may_raise("AssertionError")
        self.refine(stmt.test, True, frame)
        return NORMAL

    def try_(self, stmt: ir.Try, frame: Frame) -> int:
        if not stmt.final:
            return self.guarded(stmt, frame)
        before = list(self.state.pendings)
        try:
            flags = self.guarded(stmt, frame)
        except AbstractRaise:
            self.block(stmt.final, frame)
            raise
        return self.on_the_way_out(flags, before, frame, lambda: self.block(stmt.final, frame))

    def on_the_way_out(self, flags: int, before: list[Pending], frame: Frame, run: Callable[[], int]) -> int:
        """Run what stands at the end of a block, on every path that leaves it.

        Args:
            flags: the ways in which the block may have ended.
            before: the paths that had left early before it.
            frame: where it stands.
            run: the end of the block.

        Returns:
            The ways in which the whole may end.
        """
        state = self.state
        left = state.left_since(before) if flags != NORMAL or len(state.pendings) > len(before) else []
        ways: dict[tuple[int, int], list[Pending]] = {}
        for pending in left:
            if pending.kind & flags and (pending.target is frame or any(pending.target is loop for loop in self.loops)):
                ways.setdefault((pending.kind, id(pending.target)), []).append(pending)
        if ways:
            runs = [partial(self.pass_through, paths, run) for paths in ways.values()]
            if flags & NORMAL:
                return self.fork(runs, include_current=True) & ~NORMAL | run()
            *others, last = runs
            out = self.fork(others, include_current=True) & ~NORMAL if others else 0
            return out | last()
        # Paths that left from the caller's block, which runs within the present one.
        here = state.just_left(before) if left else []
        final = run()
        state.carry_on(here)
        return flags if final & NORMAL else final

    def pass_through(self, paths: list[Pending], run: Callable[[], int]) -> int:
        """Run the end of a block on paths that leave it for the same place."""
        kind, target = paths[0].kind, paths[0].target
        self.state.take_up(paths)
        final = run()
        if final & NORMAL:
            self.state.leave(kind, target)
            return (final & ~NORMAL) | kind
        return final

    def guarded(self, stmt: ir.Try, frame: Frame) -> int:
        """try/except/else without its finally clause."""
        kinds = [self.eval(handler.type, frame) if handler.type is not None else None for handler in stmt.handlers]
        context = TryContext(kinds)
        self.tries.append(context)
        raised: AnyValue | None = None
        undecided, held, loops = self.undecided, list(self.held), len(self.loops)
        flags = 0
        try:
            flags = self.block(stmt.body, frame)
        except AbstractRaise as error:
            raised = error.value
            self.undecided, self.held = undecided, held
            del self.loops[loops:]
        finally:
            self.tries.pop()
        if raised is not None and not flags:
            return self.handle(stmt, kinds, raised, 0, frame)
        runs: list[Callable[[], int]] = []

        def usual() -> int:
            return (flags & ~NORMAL) | self.block(stmt.orelse, frame) if flags & NORMAL else flags

        runs.append(usual)
        closed = False
        for handler, kind in zip(stmt.handlers, kinds, strict=True):
            if closed or not may_catch(kind, context):
                continue
            runs.append(lambda handler=handler, kind=kind: self.handler(handler, kind, None, frame))  # type: ignore[misc]
            closed = kind is None or (isinstance(kind, Ext) and kind.name == "builtins.BaseException")
        self.propagate(context, kinds)
        if len(runs) == 1:
            return usual()
        return self.fork(runs, usual=usual)

    def propagate(self, context: TryContext, kinds: list[AnyValue | None]) -> None:
        """Hand the exceptions that no handler takes to the enclosing try statement."""
        if not self.tries:
            return
        if any(kind is None or (isinstance(kind, Ext) and kind.name.endswith("Exception")) for kind in kinds):
            return
        outer = self.tries[-1]
        outer.anything = outer.anything or context.anything
        outer.names |= context.names
        outer.libraries |= context.libraries
        outer.values.extend(context.values)

    def handler(self, handler: ir.Handler, kind: AnyValue | None, raised: AnyValue | None, frame: Frame) -> int:
        value = raised
        if value is None:
            value = Instance(kind) if isinstance(kind, Ext | ClassV) else UNKNOWN
        if handler.name is not None:
            self.store_name(handler.name, value, frame)
        self.handling.append(value)
        try:
            return self.block(handler.body, frame)
        finally:
            self.handling.pop()

    def handle(self, stmt: ir.Try, kinds: list[AnyValue | None], raised: AnyValue, index: int, frame: Frame) -> int:
        """Find the handler of an exception that was certainly raised."""
        for number in range(index, len(stmt.handlers)):
            decided = catches(kinds[number], raised)
            if decided is False:
                continue
            handler = stmt.handlers[number]
            kind = kinds[number]
            if decided:
                return self.handler(handler, kind, raised, frame)
            return self.fork(
                [
                    lambda handler=handler, kind=kind: self.handler(handler, kind, raised, frame),  # type: ignore[misc]
                    lambda number=number: self.handle(stmt, kinds, raised, number + 1, frame),  # type: ignore[misc]
                ]
            )
        raise AbstractRaise(raised)

    # Context managers

    def with_(self, stmt: ir.With, frame: Frame) -> int:
        return self.with_items(stmt, 0, frame)

    def with_items(self, stmt: ir.With, index: int, frame: Frame) -> int:
        if index == len(stmt.items):
            return self.block(stmt.body, frame)
        item = stmt.items[index]
        manager = self.eval(item.context, frame)
        if isinstance(manager, Union) and len(manager.options) <= 4:
            return self.fork(
                [
                    lambda option=option: self.with_manager(option, item, stmt, index, frame)  # type: ignore[misc]
                    for option in manager.options
                ]
            )
        return self.with_manager(manager, item, stmt, index, frame)

    def with_site(self, item: ir.WithItem) -> RawSite:
        """Where a context manager is entered."""
        context = item.context
        return self.site("with", context if isinstance(context, ir.Call | ir.Attr | ir.Name | ir.Subscript) else None)

    def with_manager(self, manager: AnyValue, item: ir.WithItem, stmt: ir.With, index: int, frame: Frame) -> int:
        generator = self.generator_manager(manager)
        if generator is not None:
            return self.with_generator(generator, item, stmt, index, frame)
        value = self.enter(manager, self.with_site(item) if self.held else None)
        if item.target is not None:
            self.store(item.target, value, frame)
        suppressed = self.suppressed(manager)
        before = list(self.state.pendings)
        if suppressed:
            self.tries.append(TryContext(suppressed))
        try:
            flags = self.with_items(stmt, index + 1, frame)
        except AbstractRaise as error:
            if self.swallows(manager, error.value):
                return NORMAL
            raise
        finally:
            if suppressed:
                self.tries.pop()
        return self.on_the_way_out(flags, before, frame, lambda: self.end_of(manager))

    def end_of(self, manager: AnyValue) -> int:
        """Leave a manager whose block was not left by an exception."""
        self.leave(manager, None)
        return NORMAL

    def suppressed(self, manager: AnyValue) -> tuple[AnyValue, ...]:
        """The exceptions that a `contextlib.suppress` swallows."""
        if isinstance(manager, Instance) and isinstance(manager.cls, Ext) and manager.cls.name == "contextlib.suppress":
            kinds = manager.slots["kinds"]
            return kinds.items if isinstance(kinds, TupleV) else ()
        return ()

    def with_generator(
        self, generator: tuple[AnyValue, Arguments], item: ir.WithItem, stmt: ir.With, index: int, frame: Frame
    ) -> int:
        """Run the body of a with statement at the yield of the generator behind the manager."""
        outcome = [0]
        chain, loops, call_node = self.chain, self.loops, self.call_node
        before = list(self.state.pendings)
        here: list[Pending] = []

        def body(value: AnyValue) -> AnyValue:
            inner_chain, inner_loops, inner_node = self.chain, self.loops, self.call_node
            self.chain, self.loops, self.call_node = chain, loops, call_node
            try:
                with self.within(frame):
                    if item.target is not None:
                        self.store(item.target, value, frame)
                    outcome[0] |= self.with_items(stmt, index + 1, frame)
                here[:] = self.state.just_left(before)
            finally:
                self.chain, self.loops, self.call_node = inner_chain, inner_loops, inner_node
            return NONE

        self.generate(generator[0], generator[1], body)
        self.state.carry_on(here)
        return outcome[0] or NORMAL
