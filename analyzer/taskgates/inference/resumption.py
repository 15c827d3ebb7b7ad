"""Looking beyond an exception that a program is seen to end with.

Who asks for a call graph, or for what a command touches, has a program that works: an exception that nothing catches
says more of the analysis than of the program, unless it is one that its files, its input or its arguments bring about.
The statement that it came from is kept; the next look at the program goes on behind it, with whatever the statement
would have set unknown and each of its blocks possibly run.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from taskgates.inference.frames import BREAK, CONTINUE, NORMAL, RETURN, AbstractRaise, Frame
from taskgates.inference.interpreter import Interpreter
from taskgates.inference.objects import Instance
from taskgates.inference.values import UNKNOWN, Ext, options
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.log import RawSite

LOOKS = 12
"""How often a program is looked at, each time beyond one more statement."""

LOOKS_BEYOND = 4
"""Beyond how many statements that seem to end a command its access set reaches at most."""


class ResumingInterpreter(Interpreter):
    """An interpreter that can be told which statements end without their exception.

    Attributes:
        passed_over: those statements.
        resuming: whether any statement may be passed over.
        stopped_by: the statement that the program was seen to end with, after a look at it.
    """

    passed_over: tuple[ir.Stmt, ...] = ()
    resuming: bool = False
    stopped_by: ir.Stmt | None = None

    def pass_over(self, statements: tuple[ir.Stmt, ...]) -> None:
        """Take statements to end without their exception."""
        self.passed_over = statements
        self.resuming = bool(statements)

    def spawn(self, site: RawSite) -> Interpreter:
        """A child process, which is passed over in the same places."""
        child = super().spawn(site)
        assert isinstance(child, ResumingInterpreter)
        child.pass_over(self.passed_over)
        return child

    def see_end(self, error: AbstractRaise) -> None:
        """Keep the statement that the program is seen to end with."""
        if not leaves(error):
            self.stopped_by = error.origin

    def note_resumption(self, frame: Frame) -> None:
        """See a statement passed over in a frame."""

    def passes_over(self, stmt: ir.Stmt) -> bool:
        """Whether a statement that is seen to raise is taken to end without its exception."""
        return any(stmt is passed for passed in self.passed_over)

    def block(self, body: Sequence[ir.Stmt], frame: Frame) -> int:
        """Execute statements; one that an earlier look stopped at is taken to end without its exception."""
        if not self.resuming:
            return super().block(body, frame)
        flags = NORMAL
        extra = 0
        try:
            for stmt in body:
                try:
                    outcome = super().block((stmt,), frame)
                except AbstractRaise as error:
                    if leaves(error) or not self.passes_over(stmt):
                        raise
                    self.note_resumption(frame)
                    outcome = self.resume(stmt, frame)
                flags |= outcome & ~NORMAL
                if not outcome & NORMAL:
                    return flags & ~NORMAL
                if outcome != NORMAL:
                    extra += 1
                    self.undecided += 1
        finally:
            self.undecided -= extra
        return flags

    def resume(self, stmt: ir.Stmt, frame: Frame) -> int:
        """What a statement may have done that could not be followed; the ways in which it may end."""
        if isinstance(stmt, ir.Return):
            frame.returns.append(UNKNOWN)
            return RETURN
        if isinstance(stmt, ir.ClassDef):
            self.store_name(stmt.name, UNKNOWN, frame)
            return NORMAL
        if isinstance(stmt, ir.FunctionDef):
            self.store_name(stmt.function.name, UNKNOWN, frame)
            return NORMAL
        for target in _targets(stmt):
            self.store(target, UNKNOWN, frame)
        blocks = [body for name in ("body", "orelse") if (body := getattr(stmt, name, None))]
        if isinstance(stmt, ir.Match):
            blocks = [case.body for case in stmt.cases]
        if not blocks or isinstance(stmt, ir.Try):
            return NORMAL
        flags = self.fork([partial(self.block, body, frame) for body in blocks], include_current=True)
        return flags & ~(BREAK | CONTINUE) if isinstance(stmt, ir.For | ir.While) else flags


def _targets(stmt: ir.Stmt) -> list[ir.Expr]:
    """What a statement assigns to."""
    if isinstance(stmt, ir.Assign):
        return stmt.targets
    if isinstance(stmt, ir.AugAssign | ir.AnnAssign | ir.For):
        return [stmt.target]
    if isinstance(stmt, ir.With):
        return [item.target for item in stmt.items if item.target is not None]
    return []


def leaves(error: AbstractRaise) -> bool:
    """Whether a program ends of its own accord with an exception."""
    return any(
        isinstance(option, Instance) and isinstance(option.cls, Ext) and option.cls.name == "builtins.SystemExit"
        for option in options(error.value)
    )
