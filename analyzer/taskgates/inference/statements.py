"""Executing statements: control flow, loops, exceptions and context managers over the abstract state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.core import (
    BREAK,
    CONTINUE,
    NORMAL,
    RETURN,
    AbstractRaise,
    Core,
    Frame,
    TryContext,
)
from taskgates.inference.exceptions import catches, may_catch
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    Arguments,
    ClassV,
    DictObj,
    Ext,
    FunctionV,
    Heap,
    Instance,
    Known,
    ListObj,
    Maybe,
    ModuleV,
    Stream,
    TupleV,
    Union,
    generalise,
    join,
)
from taskgates.model.access import SharedKind
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from taskgates.inference.log import RawSite


ENDLESS_TURNS = 12
"""Turns of a loop without an exit that are run one by one, before it is summarised."""


def _flat(value: TupleV) -> Iterator[AnyValue]:
    """What a tuple and the tuples in it hold, each of them once: one tuple may stand in many places."""
    pending = [value]
    seen = {id(value)}
    while pending:
        for item in pending.pop().items:
            if not isinstance(item, TupleV):
                yield item
            elif id(item) not in seen:
                seen.add(id(item))
                pending.append(item)


class Statements(Core):
    """The statement half of the interpreter."""

    loops: list[object]

    # Blocks

    def block(self, body: Sequence[ir.Stmt], frame: Frame) -> int:
        """Execute statements; a bit set of the ways in which the block may end."""
        flags = NORMAL
        extra = 0
        try:
            for stmt in body:
                self.tick()
                outcome = _EXECUTE[type(stmt)](self, stmt, frame)
                if outcome == NORMAL:
                    continue
                flags |= outcome & ~NORMAL
                if not outcome & NORMAL:
                    return flags & ~NORMAL
                extra += 1
                self.undecided += 1
        finally:
            self.undecided -= extra
        return flags

    def expression(self, stmt: ir.ExprStmt, frame: Frame) -> int:
        self.eval(stmt.value, frame)
        return NORMAL

    def assign(self, stmt: ir.Assign, frame: Frame) -> int:
        value = self.eval(stmt.value, frame)
        for target in stmt.targets:
            self.store(target, value, frame)
        return NORMAL

    def annotated(self, stmt: ir.AnnAssign, frame: Frame) -> int:
        if stmt.value is not None:
            self.store(stmt.target, self.eval(stmt.value, frame), frame)
        return NORMAL

    def augment(self, stmt: ir.AugAssign, frame: Frame) -> int:
        target = stmt.target
        if isinstance(target, ir.Name):
            left = self.eval(target, frame)
            right = self.eval(stmt.value, frame)
            self.mutated(left, target)
            self.store_name(target.id, self.augmented(stmt.op, left, right), frame, target)
        elif isinstance(target, ir.Attr):
            obj = self.eval(target.obj, frame)
            left = self.get_attr(obj, target.name, target)
            right = self.eval(stmt.value, frame)
            self.touch_attr(obj, target.name, target)
            self.set_attr(obj, target.name, self.augmented(stmt.op, left, right))
        elif isinstance(target, ir.Subscript):
            obj = self.eval(target.obj, frame)
            index = self.eval(target.index, frame)
            left = self.get_item(obj, index)
            right = self.eval(stmt.value, frame)
            self.set_item(obj, index, self.augmented(stmt.op, left, right), target)
        return NORMAL

    def touch_attr(self, obj: AnyValue, name: str, node: ir.Attr | None = None) -> None:
        """Note that an attribute of an object is changed."""
        if isinstance(obj, ClassV) and self.frame is not None and self.frame.function is not None:
            self.shared(f"{obj.qualname}.{name}", SharedKind.CLASS_ATTRIBUTE, "write", node)
        elif isinstance(obj, ModuleV) and self.frame is not None:
            if obj is not self.frame.module or self.frame.function is not None:
                self.shared(f"{obj.dotted}.{name}", SharedKind.MODULE_GLOBAL, "write", node)
        else:
            self.mutated(obj, node)

    def delete(self, stmt: ir.Delete, frame: Frame) -> int:
        for target in stmt.targets:
            if isinstance(target, ir.Name):
                self.state.erase(self.slots_for(target.id, frame), target.id)
            elif isinstance(target, ir.Subscript):
                self.delete_item(self.eval(target.obj, frame), self.eval(target.index, frame), target)
            elif isinstance(target, ir.Attr):
                obj = self.eval(target.obj, frame)
                if isinstance(obj, Heap):
                    self.state.erase(obj.slots, target.name)
        return NORMAL

    # Storing

    def slots_for(self, name: str, frame: Frame) -> dict[Any, Any]:
        """The slots in which an assignment to a name lands."""
        if name in frame.globals:
            return frame.module.slots
        if name in frame.nonlocals or frame.locals is None:
            current = frame.parent if name in frame.nonlocals else frame
            while current is not None:
                if current.locals is None and current.function is None:
                    return current.slots
                if current.locals is not None and name in current.locals:
                    return current.slots
                current = current.parent
        return frame.slots

    def store_name(self, name: str, value: AnyValue, frame: Frame, node: ir.Name | None = None) -> None:
        """Bind a name."""
        slots = self.slots_for(name, frame)
        module = frame.module
        if slots is module.slots:
            label = f"{module.dotted}.{name}"
            if frame.slots is not slots:
                self.shared(label, SharedKind.MODULE_GLOBAL, "write", node)
            self.own(value, label, "module-global")
        elif name in frame.nonlocals:
            owner = frame.parent.qualname if frame.parent is not None else frame.qualname
            self.shared(f"{module.dotted}.{owner}.{name}", SharedKind.CLOSURE, "write", node)
        elif frame.cls is not None and slots is frame.cls.slots:
            self.own(value, f"{frame.cls.qualname}.{name}", "class-attribute")
        self.state.write(slots, name, value)

    def own(self, value: AnyValue, label: str, kind: str) -> None:
        """Label a mutable object by the variable that holds it for the life of the program."""
        if isinstance(value, TupleV):
            for item in _flat(value):
                self.own(item, label, kind)
        if isinstance(value, ListObj | DictObj | Instance) and value.owner is None and not self.is_private(value):
            value.owner = (label, kind)
            # What it holds lives as long.
            if isinstance(value, Instance):
                for name, slot in value.slots.items():
                    inner = slot.value if isinstance(slot, Maybe) else slot
                    # Two locks of one object are two locks.
                    is_lock = isinstance(inner, Instance) and isinstance(inner.cls, Ext) and self.is_lock(inner)
                    self.own(inner, f"{label}.{name}" if is_lock else label, kind)
                return
            for item in value.items if isinstance(value, ListObj) else value.slots.values():
                self.own(item.value if isinstance(item, Maybe) else item, label, kind)

    def store(self, target: ir.Expr, value: AnyValue, frame: Frame) -> None:
        """Assign to a target of any form."""
        if isinstance(target, ir.Name):
            self.store_name(target.id, value, frame, target)
        elif isinstance(target, ir.Attr):
            obj = self.eval(target.obj, frame)
            self.touch_attr(obj, target.name, target)
            if isinstance(obj, ClassV):
                self.own(value, f"{obj.qualname}.{target.name}", "class-attribute")
            self.call_node = target
            self.set_attr(obj, target.name, value)
        elif isinstance(target, ir.Subscript):
            obj, index = self.eval(target.obj, frame), self.eval(target.index, frame)
            self.call_node = target
            self.set_item(obj, index, value, target)
        elif isinstance(target, ir.Sequence):
            self.unpack(target.items, value, frame)
        elif isinstance(target, ir.Star):
            self.store(target.value, value, frame)

    def unpack(self, targets: list[ir.Expr], value: AnyValue, frame: Frame) -> None:
        """Assign the elements of a value to several targets, at most one of them starred."""
        if isinstance(value, Union):
            parts = [self.split(targets, option) for option in value.options]
            columns = [join(column) for column in zip(*parts, strict=True)]
        else:
            columns = self.split(targets, value)
        for target, item in zip(targets, columns, strict=True):
            self.store(target.value if isinstance(target, ir.Star) else target, item, frame)

    def split(self, targets: list[ir.Expr], value: AnyValue) -> list[AnyValue]:
        content = self.iterate(value)
        items, rest = list(content.items), content.rest
        star = next((i for i, target in enumerate(targets) if isinstance(target, ir.Star)), None)
        filler = rest if rest is not None else UNKNOWN
        if star is None:
            return [items[i] if i < len(items) else filler for i in range(len(targets))]
        behind = len(targets) - star - 1
        head = [items[i] if i < len(items) else filler for i in range(star)]
        if rest is None and len(items) >= star + behind:
            middle = items[star : len(items) - behind]
            tail = items[len(items) - behind :] if behind else []
            return [*head, self.new_list("list", middle), *tail]
        every = [*items[star:], *([rest] if rest is not None else [])]
        summary = join(every) if every else UNKNOWN
        return [*head, self.new_list("list", (), summary), *([summary] * behind)]

    # Branches

    def if_(self, stmt: ir.If, frame: Frame) -> int:
        decided = self.truth(self.eval(stmt.test, frame))
        if decided is True:
            self.refine(stmt.test, True, frame)
            return self.block(stmt.body, frame)
        if decided is False:
            self.refine(stmt.test, False, frame)
            return self.block(stmt.orelse, frame)

        def taken() -> int:
            self.refine(stmt.test, True, frame)
            return self.block(stmt.body, frame)

        def skipped() -> int:
            self.refine(stmt.test, False, frame)
            return self.block(stmt.orelse, frame)

        return self.fork([taken, skipped])

    def match(self, stmt: ir.Match, frame: Frame) -> int:
        return self.cases(self.eval(stmt.subject, frame), stmt.cases, 0, frame)

    def cases(self, subject: AnyValue, cases: list[ir.Case], index: int, frame: Frame) -> int:
        for number in range(index, len(cases)):
            case = cases[number]
            decided = self.match_pattern(case.pattern, subject, frame)
            if decided is False:
                continue
            if case.guard is not None:
                guard = self.truth(self.eval(case.guard, frame))
                decided = False if guard is False else (decided if guard else None)
                if decided is False:
                    continue
            if decided:
                return self.block(case.body, frame)
            return self.fork(
                [
                    lambda case=case: self.block(case.body, frame),  # type: ignore[misc]
                    lambda number=number: self.cases(subject, cases, number + 1, frame),  # type: ignore[misc]
                ]
            )
        return NORMAL

    # Loops

    def loop_body(self, body: list[ir.Stmt], frame: Frame, token: object) -> int:
        """Run a loop's body once; `continue` is taken up here."""
        self.loops.append(token)
        try:
            flags = self.block(body, frame)
        finally:
            self.loops.pop()
        if flags & CONTINUE:
            self.state.arrive(CONTINUE, token, include_current=bool(flags & NORMAL))
            flags = (flags & ~CONTINUE) | NORMAL
        return flags

    def rounds(self, once: Callable[[], int]) -> int:
        """Run an undecided loop's body until the state settles, widening on the way; it may also not run at all."""
        out = NORMAL
        for number in range(self.limits.rounds):
            state = self.state
            mark = state.begin()
            self.undecided += 1
            flags = 0
            held, cwd = list(self.held), self.cwd
            try:
                flags = once()
            except AbstractRaise as error:
                if self.tries:
                    self.tries[-1].values.append(error.value)
            finally:
                self.undecided -= 1
            deltas = [state.delta(mark)] if flags & NORMAL else []
            state.rollback(mark)
            self.held, self.cwd = held, cwd
            changed = state.merge(deltas, include_current=True, widen=number >= 1)
            state.end()
            out |= flags & ~NORMAL
            if not changed:
                break
        return out

    def finish_loop(self, flags: int, token: object, orelse: list[ir.Stmt], frame: Frame) -> int:
        """Take up `break`, run the else clause."""
        broke = bool(flags & BREAK)
        flags &= ~BREAK
        if orelse and flags & NORMAL:
            if broke:
                flags |= self.fork([lambda: self.block(orelse, frame)], include_current=True)
            else:
                flags = (flags & ~NORMAL) | self.block(orelse, frame)
        if broke:
            self.state.arrive(BREAK, token, include_current=bool(flags & NORMAL))
            flags |= NORMAL
        return flags

    def for_(self, stmt: ir.For, frame: Frame) -> int:
        source = self.eval(stmt.iter, frame)
        items: Iterable[AnyValue]
        rest: AnyValue | None = None
        if isinstance(source, Stream):
            items = source.rows()
        else:
            content = self.iterate(source)
            items, rest = content.items, content.rest
            if len(content.items) > self.limits.unroll:
                every = dict.fromkeys((*content.items, *([rest] if rest is not None else [])))
                items, rest = (), generalise(tuple(every)) if len(every) > 1 else next(iter(every))
        token = object()
        out = NORMAL
        extra = 0
        state = self.state
        state.begin()
        try:
            for item in items:
                self.tick()
                self.store(stmt.target, item, frame)
                flags = self.loop_body(stmt.body, frame, token)
                out |= flags & ~NORMAL
                if not flags & NORMAL:
                    out &= ~NORMAL
                    break
                if flags != NORMAL:
                    extra += 1
                    self.undecided += 1
            if out & NORMAL and rest is not None:

                def once() -> int:
                    self.store(stmt.target, rest, frame)
                    return self.loop_body(stmt.body, frame, token)

                out |= self.rounds(once)
            self.undecided -= extra
            extra = 0
            return self.finish_loop(out, token, stmt.orelse, frame)
        finally:
            self.undecided -= extra
            state.end()

    def while_(self, stmt: ir.While, frame: Frame) -> int:
        # A loop that nothing in it ends is a service's: its turns are alike.
        bound = self.limits.unroll if _may_exit(stmt.body) or not isinstance(stmt.test, ir.Const) else ENDLESS_TURNS
        token = object()
        out = NORMAL
        extra = 0
        count = 0
        state = self.state
        state.begin()
        try:
            while True:
                self.tick()
                before = len(state.trail)
                decided = self.truth(self.eval(stmt.test, frame))
                if decided is False:
                    break
                if decided is None or extra or count >= bound:

                    def once() -> int:
                        if self.truth(self.eval(stmt.test, frame)) is False:
                            return 0
                        self.refine(stmt.test, True, frame)
                        return self.loop_body(stmt.body, frame, token)

                    endless = decided is True and not isinstance(stmt.test, ir.Compare)
                    flags = self.rounds(once)
                    out |= flags
                    if endless and out & (BREAK | RETURN):
                        out &= ~NORMAL
                    else:
                        self.refine(stmt.test, False, frame)
                    break
                count += 1
                flags = self.loop_body(stmt.body, frame, token)
                out |= flags & ~NORMAL
                if not flags & NORMAL:
                    out &= ~NORMAL
                    break
                if flags != NORMAL:
                    extra += 1
                    self.undecided += 1
                if len(state.trail) == before:
                    break  # nothing changes any more: the program would run for ever
            self.undecided -= extra
            extra = 0
            return self.finish_loop(out, token, stmt.orelse, frame)
        finally:
            self.undecided -= extra
            state.end()

    def break_(self, stmt: ir.Break, frame: Frame) -> int:
        del stmt, frame
        if not self.loops:
            return NORMAL
        self.state.leave(BREAK, self.loops[-1])
        return BREAK

    def continue_(self, stmt: ir.Continue, frame: Frame) -> int:
        del stmt, frame
        if not self.loops:
            return NORMAL
        self.state.leave(CONTINUE, self.loops[-1])
        return CONTINUE

    def return_(self, stmt: ir.Return, frame: Frame) -> int:
        frame.returns.append(self.eval(stmt.value, frame) if stmt.value is not None else NONE)
        self.state.leave(RETURN, frame)
        return RETURN

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
        decided = self.truth(self.eval(stmt.test, frame))
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
        try:
            flags = self.guarded(stmt, frame)
        except AbstractRaise:
            self.block(stmt.final, frame)
            raise
        final = self.block(stmt.final, frame)
        return flags if final & NORMAL else final

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
        if suppressed:
            self.tries.append(TryContext(suppressed))
        try:
            flags = self.with_items(stmt, index + 1, frame)
        except AbstractRaise as error:
            if self.leave(manager, error.value):
                return NORMAL
            raise
        finally:
            if suppressed:
                self.tries.pop()
        self.leave(manager, None)
        return flags

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

        def body(value: AnyValue) -> AnyValue:
            inner_chain, inner_loops, inner_node = self.chain, self.loops, self.call_node
            self.chain, self.loops, self.call_node = chain, loops, call_node
            try:
                with self.within(frame):
                    if item.target is not None:
                        self.store(item.target, value, frame)
                    outcome[0] |= self.with_items(stmt, index + 1, frame)
            finally:
                self.chain, self.loops, self.call_node = inner_chain, inner_loops, inner_node
            return NONE

        self.generate(generator[0], generator[1], body)
        return outcome[0] or NORMAL

    # What defines names

    def function(self, stmt: ir.FunctionDef, frame: Frame) -> int:
        value = self.define_function(stmt.function, frame)
        for decorator in reversed(stmt.function.decorators):
            value = self.decorate(self.eval(decorator, frame), value, decorator)
        self.store_name(stmt.function.name, value, frame)
        return NORMAL

    def class_(self, stmt: ir.ClassDef, frame: Frame) -> int:
        value = self.define_class(stmt, frame)
        for decorator in reversed(stmt.decorators):
            value = self.decorate(self.eval(decorator, frame), value, decorator)
        self.store_name(stmt.name, value, frame)
        return NORMAL

    def import_(self, stmt: ir.Import | ir.ImportFrom, frame: Frame) -> int:
        self.call_node = stmt
        self.import_names(stmt, frame)
        return NORMAL


def _may_exit(body: list[ir.Stmt]) -> bool:
    """Whether some statement of a loop's body leaves the loop or the function."""
    for stmt in body:
        if isinstance(stmt, ir.Break | ir.Return | ir.Raise):
            return True
        if isinstance(stmt, ir.FunctionDef | ir.ClassDef):
            continue
        for name in ("body", "orelse", "final"):
            if _may_exit(getattr(stmt, name, [])):
                return True
        if isinstance(stmt, ir.Try) and any(_may_exit(handler.body) for handler in stmt.handlers):
            return True
        if isinstance(stmt, ir.Match) and any(_may_exit(case.body) for case in stmt.cases):
            return True
    return False


_EXECUTE: dict[type, Callable[[Any, Any, Frame], int]] = {
    ir.ExprStmt: Statements.expression,
    ir.Assign: Statements.assign,
    ir.AnnAssign: Statements.annotated,
    ir.AugAssign: Statements.augment,
    ir.Delete: Statements.delete,
    ir.If: Statements.if_,
    ir.While: Statements.while_,
    ir.For: Statements.for_,
    ir.With: Statements.with_,
    ir.Try: Statements.try_,
    ir.FunctionDef: Statements.function,
    ir.ClassDef: Statements.class_,
    ir.Return: Statements.return_,
    ir.Raise: Statements.raise_,
    ir.Break: Statements.break_,
    ir.Continue: Statements.continue_,
    ir.Import: Statements.import_,
    ir.ImportFrom: Statements.import_,
    ir.Assert: Statements.assert_,
    ir.Match: Statements.match,
}
__all__ = ["FunctionV", "Known", "Statements", "TupleV"]
