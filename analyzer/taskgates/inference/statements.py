"""Executing statements: control flow, loops, exceptions and context managers over the abstract state."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from taskgates.inference import enclosed
from taskgates.inference.frames import NORMAL, RETURN, AbstractRaise, Frame
from taskgates.inference.guarded_blocks import GuardedBlocks
from taskgates.inference.loops import Loops
from taskgates.inference.objects import ClassV, DictObj, FunctionV, Instance, ListObj, Maybe, ModuleV
from taskgates.inference.text import Text
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Descriptor,
    Ext,
    Known,
    Partial,
    TupleV,
    Union,
    join,
)
from taskgates.model.access import SharedKind
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


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


def _governed(cls: ClassV, name: str) -> bool:
    """Whether a property decides what an assignment to an attribute changes."""
    for base in cls.mro:
        found = base.slots.get(name) if isinstance(base, ClassV) else None
        if found is not None:
            return isinstance(found, Descriptor) and found.kind == "property"
    return False


class Statements(Loops, GuardedBlocks):
    """The statement half of the interpreter."""

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
        except AbstractRaise as error:
            if error.origin is None:
                error.origin = stmt
                error.file = frame.module.file
            raise
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
        if isinstance(obj, Instance) and isinstance(obj.cls, ClassV) and _governed(obj.cls, name):
            return
        if isinstance(obj, ClassV) and self.beyond_set_up(f"{obj.qualname}.{name}"):
            self.shared(f"{obj.qualname}.{name}", SharedKind.CLASS_ATTRIBUTE, "write", node)
        elif isinstance(obj, ModuleV) and self.frame is not None:
            if obj is not self.frame.module or self.frame.function is not None:
                self.shared(f"{obj.dotted}.{name}", SharedKind.MODULE_GLOBAL, "write", node)
        else:
            self.mutated(obj, node, name)

    def delete(self, stmt: ir.Delete, frame: Frame) -> int:
        for target in stmt.targets:
            if isinstance(target, ir.Name):
                slots = self.slots_for(target.id, frame)
                if slots is frame.module.slots and slots is not frame.slots:
                    self.shared(f"{frame.module.dotted}.{target.id}", SharedKind.MODULE_GLOBAL, "write", target)
                self.state.erase(slots, target.id)
            elif isinstance(target, ir.Subscript):
                self.delete_item(self.eval(target.obj, frame), self.eval(target.index, frame), target)
            elif isinstance(target, ir.Attr):
                self.delete_attr(self.eval(target.obj, frame), target.name)
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
            elif self.overlap.active:
                self.loaded(label, SharedKind.MODULE_GLOBAL, "write", node)
            self.own(value, label, "module-global")
        elif name in frame.nonlocals:
            enclosed.touch(self, enclosed.holder_of(frame, slots), name, "write", node)
        elif frame.cells is not None and name in frame.cells.names and self.overlap.active:
            enclosed.touch(self, frame, name, "write", node)
        elif frame.cls is not None and slots is frame.cls.slots:
            self.own(value, f"{frame.cls.qualname}.{name}", "class-attribute")
        self.state.write(slots, name, value)

    def own(self, value: AnyValue, label: str, kind: str) -> None:
        """Label a mutable object by the variable that holds it for the life of the program."""
        if isinstance(value, TupleV):
            for item in _flat(value):
                self.own(item, label, kind)
        elif isinstance(value, FunctionV) and value.owner is None:
            value.owner = (f"{value.module.dotted}.{value.qualname}", kind)
            enclosed.keep(self, value)
        elif isinstance(value, BoundMethod):
            self.own(value.self, label, kind)
        elif isinstance(value, Partial):
            self.own(value.func, label, kind)
            for item in value.args.every():
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
            iterable = [each for each in value.options if not (isinstance(each, Known) and _is_single(each.value))]
            if len(iterable) < len(value.options):
                if not iterable:
                    raise self.throw("TypeError", "cannot unpack non-iterable object")
                self.may_raise("TypeError")
            parts = [self.split(targets, option) for option in iterable]
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
        decided = self.condition(stmt.test, frame)
        if decided is True:
            self.refine(stmt.test, True, frame)
            return self.block(stmt.body, frame)
        if decided is False:
            self.refine(stmt.test, False, frame)
            return self.block(stmt.orelse, frame)

        narrowed: list[tuple[dict[Any, Any], Any, AnyValue, AnyValue]] = []

        def taken() -> int:
            mark = len(self.state.trail)
            self.refine(stmt.test, True, frame)
            for slots, key, old in self.state.trail[mark:]:
                if isinstance(old, Text) and isinstance(slots[key], Known):
                    narrowed.append((slots, key, old, slots[key]))
            return self.block(stmt.body, frame)

        def skipped() -> int:
            self.refine(stmt.test, False, frame)
            return self.block(stmt.orelse, frame)

        outcome = self.fork([taken, skipped])
        for slots, key, old, chosen in narrowed:
            # Behind both branches nothing more is known than before them.
            if slots.get(key) == join([chosen, old]):
                self.state.write(slots, key, old)
        return outcome

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

    def return_(self, stmt: ir.Return, frame: Frame) -> int:
        frame.returns.append(self.eval(stmt.value, frame) if stmt.value is not None else NONE)
        self.state.leave(RETURN, frame)
        return RETURN

    # What defines names

    def function(self, stmt: ir.FunctionDef, frame: Frame) -> int:
        value = self.define_function(stmt.function, frame)
        if stmt.function.decorators:
            with self.setting_up(frame):
                for decorator in reversed(stmt.function.decorators):
                    value = self.decorate(self.eval(decorator, frame), value, decorator)
        self.store_name(stmt.function.name, value, frame)
        return NORMAL

    def class_(self, stmt: ir.ClassDef, frame: Frame) -> int:
        with self.setting_up(frame):
            value = self.define_class(stmt, frame)
            for decorator in reversed(stmt.decorators):
                value = self.decorate(self.eval(decorator, frame), value, decorator)
        self.store_name(stmt.name, value, frame)
        return NORMAL

    @contextmanager
    def setting_up(self, frame: Frame) -> Iterator[None]:
        """While a module's body makes classes and decorates: registries that this fills belong to its import."""
        body = frame.function is None
        self.importing += body
        try:
            yield
        finally:
            self.importing -= body

    def import_(self, stmt: ir.Import | ir.ImportFrom, frame: Frame) -> int:
        self.call_node = stmt
        self.import_names(stmt, frame)
        return NORMAL


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


def _is_single(data: object) -> bool:
    """Whether a constant has no elements to unpack."""
    return not isinstance(data, str | bytes | range)
