"""Loops: run element by element where they are known, else repeated until nothing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.core import Core
from taskgates.inference.frames import BREAK, CONTINUE, NORMAL, RETURN, AbstractRaise, Frame
from taskgates.inference.objects import STREAM, Instance
from taskgates.inference.values import AnyValue, Stream, generalise
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


ENDLESS_TURNS = 12
"""Turns of a loop without an exit that are run one by one, before it is summarised."""


class Loops(Core):
    """`for` and `while`, and what leaves them."""

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
        if isinstance(source, Instance):
            source = source.slots.get(STREAM, source)
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
                decided = self.condition(stmt.test, frame)
                if decided is False:
                    break
                if decided is None or extra or count >= bound:

                    def once() -> int:
                        if self.condition(stmt.test, frame) is False:
                            return 0
                        self.refine(stmt.test, True, frame)
                        return self.loop_body(stmt.body, frame, token)

                    endless = decided is True and not isinstance(stmt.test, ir.Compare)
                    if decided is None and len(state.trail) > before:
                        # The test has taken something that only this turn has.
                        out |= self.fork([lambda: self.turn(stmt, frame, token)], include_current=True) & ~NORMAL
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

    def turn(self, stmt: ir.While, frame: Frame, token: object) -> int:
        """The body of a loop whose test has just come out true."""
        self.refine(stmt.test, True, frame)
        return self.loop_body(stmt.body, frame, token)

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
