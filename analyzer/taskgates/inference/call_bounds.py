"""How long calls may go on, and what recursive ones give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.core import Core
from taskgates.inference.limits import EXCUSED, Watch
from taskgates.inference.objects import (
    CONTENT,
    Arguments,
    FunctionV,
    ListObj,
)
from taskgates.inference.values import (
    BOTTOM,
    NONE,
    AnyValue,
    Known,
    PathV,
    TupleV,
    Unknown,
    as_value,
    join,
    path_text,
    widen_texts,
)
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.inference.relevance import Relevance


class CallBounds(Core):
    """What calls may cost, and what stands for those that are cut or still under way."""

    relevance: Relevance

    def excuse(self, watch: Watch, outer: list[Watch], spent: int) -> None:
        """What a call took that was cut does not count against those around it; the next like it ends soon."""
        if watch.idle:
            return
        spent -= watch.excused
        granted = min(spent, self.limits.effort)
        long = spent >= self.limits.effort // 2 and self.excused < EXCUSED * self.limits.effort
        if long:
            self.excused += granted
            self.fruitless[id(watch.func.node)] = self.limits.effort
        for other in outer:
            other.excused += spent
            if long:
                other.limit += granted

    def allowance(self, identity: int) -> int:
        """Steps that a call may take before it is looked at."""
        if self.fruitless.get(identity, 0) >= self.limits.effort:
            return min(300, self.limits.call_steps // 4)
        return self.limits.call_steps if self.spent < self.limits.idle_steps else min(200, self.limits.call_steps // 4)

    def is_idle(self, func: FunctionV, args: Arguments) -> bool:
        """Whether a call can reach no effect, neither by itself nor through a function that it is handed."""
        reaches = self.relevance.reaches
        return not (reaches(func) or any(reaches(value) for value in args.every()))

    def repeats(self, func: FunctionV, key: tuple[AnyValue, ...] | None, *, carries: bool) -> bool:
        """Whether a call goes round in circles, or deeper than the bounds.

        The wrappers that a decorator makes share their code, and each calls itself only through its own closure.

        Args:
            func: the function.
            key: its arguments, where they compare by content.
            carries: whether the code of another function runs within the call, whose activations differ therefore.
        """
        node, scope = id(func.node), id(func.frame)
        depth = others = same = 0
        begun: tuple[int, int] | None = None
        for active, active_scope, active_key, active_begun in self.active:
            if active != node:
                continue
            if active_scope != scope:
                others += 1
                continue
            depth += 1
            if key is not None and active_key == key and not carries:
                same += 1
                begun = active_begun
        if begun is not None and (same > self.limits.recursion * 2 or not self.moved_on(*begun)):
            return True
        exact = key is not None and all(isinstance(value, Known) for value in key)
        often = self.limits.recursion * 5
        deep = len(self.active) >= self.limits.depth
        if not deep and others < often and depth < (often if exact or begun is not None else self.limits.recursion):
            return False
        if exact or deep:
            self.opaque(f"calls nest deeper than the bound at {func.qualname}; raise `depth` to look further")
        return True

    def moved_on(self, undecided: int, mark: int) -> bool:
        """Whether a call that is under way changed objects since, and on a path of which every step is decided.

        A parser that descends is such a case: it calls itself with nothing but itself, and has moved on in its input.
        """
        if self.undecided > undecided:
            return False
        frames = {id(frame.slots) for frame in self.frames}
        return any(id(slots) not in frames for slots, _, _ in self.state.trail[mark:])

    def in_progress(self, func: FunctionV, yields: ListObj | None) -> AnyValue:
        """The result of a recursive call that is cut: what the activations under way have given so far."""
        found: list[AnyValue] = []
        returns_value = False
        for frame in self.frames:
            active = frame.function
            if active is None or active.node is not func.node or active.frame is not func.frame:
                continue
            found.extend(frame.returns)
            returns_value = returns_value or _returns_value(active.node.body)
            if frame.yields is not None and yields is not None:
                every = [*frame.yields.items, *([frame.yields.rest] if frame.yields.rest is not None else [])]
                if every:
                    self.state.write(yields.slots, CONTENT, TupleV((), join([yields.rest, *every])))
        if yields is not None:
            return NONE
        if found:
            return join(found)
        return BOTTOM if returns_value else NONE

    def result_of_cut(self, func: FunctionV, args: Arguments) -> AnyValue:
        """What a call gives that was cut: its object where the method gives nothing else, or else unknown data."""
        node = func.node
        if func.cls is not None and node.params and args.pos and not node.is_generator:
            values = [value for value in _returned(node.body) if value is not None]
            own = node.params[0].name
            if values and all(isinstance(value, ir.Name) and value.id == own for value in values):
                return args.pos[0]
        return Unknown(f"the result of {func.qualname}, which took long", "data")

    def widen_recursion(
        self, slots: dict[Any, Any], key: tuple[AnyValue, ...], previous: tuple[AnyValue, ...]
    ) -> tuple[AnyValue, ...]:
        """Generalise the partly known arguments of a recursive call, so that the recursion closes.

        A walk that descends from `data` to `data/*` would otherwise go on to `data/*/*` and so for ever.
        """
        if len(key) != len(previous):
            return key
        for name, new, old in zip(list(slots), key, previous, strict=True):
            if isinstance(old, TupleV) and isinstance(new, TupleV) and len(new.items) > len(old.items):
                over = [*new.items[len(old.items) :], *(r for r in (new.rest, old.rest) if r is not None)]
                slots[name] = TupleV(new.items[: len(old.items)], join(over))
                continue
            before, after = path_text(old), path_text(new)
            if before is None or after is None or before == after or isinstance(before, str):
                continue
            widened = widen_texts([before, after])
            slots[name] = PathV(widened, new.type) if isinstance(new, PathV) else as_value(widened)
        return tuple(slots.values())


def _returns_value(body: list[ir.Stmt]) -> bool:
    """Whether some return statement of a function has a value."""
    return any(value is not None for value in _returned(body))


def _returned(body: list[ir.Stmt]) -> Iterator[ir.Expr | None]:
    """What stands in the return statements of a function; None for those without a value."""
    for stmt in body:
        if isinstance(stmt, ir.Return):
            yield stmt.value
            continue
        if isinstance(stmt, ir.FunctionDef | ir.ClassDef):
            continue
        for name in ("body", "orelse", "final"):
            yield from _returned(getattr(stmt, name, []))
        for part in stmt.handlers if isinstance(stmt, ir.Try) else stmt.cases if isinstance(stmt, ir.Match) else ():
            yield from _returned(part.body)
