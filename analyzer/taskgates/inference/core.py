"""What every part of the interpreter shares: budgets, exceptions and forks."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from taskgates.inference.exit_status import exits
from taskgates.inference.frames import NORMAL, AbstractRaise, Frame
from taskgates.inference.limits import EXCUSED, PATIENCE, BudgetExceeded, CallCut, Watch
from taskgates.inference.objects import DictObj, Instance, ListObj
from taskgates.inference.recording import Recording
from taskgates.inference.values import (
    NONE,
    AnyValue,
    Ext,
    Known,
    TupleV,
    Union,
    Unknown,
    join,
    widen_texts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from taskgates.inference.text import TextLike

_STEPS_A_LOOK = 64
"""How many steps pass between two looks at the clock."""

ALWAYS_SET = ("PATH", "USER", "LOGNAME", "SHELL", "LANG", "PWD", "TERM", "HOSTNAME")
"""Environment variables that are there in every session, beside HOME."""


class Core(Recording):
    """Services of one analysis; the parts of the interpreter are mixed in on top."""

    # Budgets

    def restart(self) -> None:
        """Give the next entry its full budget."""
        self.steps = self.spent = self.excused = 0
        self.deadline = time.monotonic() + self.limits.seconds if self.limits.seconds else 0.0
        self.cut_at = self.limits.steps + 1
        self.clock_at = 0
        self.watches = []

    def tick(self, amount: int = 1) -> None:
        """Count steps against the budget.

        Raises:
            BudgetExceeded: when it ran out.
        """
        self.steps += amount
        if self.deadline and self.steps >= self.clock_at:
            self.look_at_clock()
        if self.steps > self.cut_at:
            self.look_at_watches()
        if self.steps > self.limits.steps:
            self.opaque(f"the budget of {self.limits.steps} steps ran out; raise `steps` to look further")
            raise BudgetExceeded

    def look_at_clock(self) -> None:
        """Stop when the time is up; asked every few steps only, since the answer costs as much as a step.

        Raises:
            BudgetExceeded: when it is.
        """
        self.clock_at = self.steps + _STEPS_A_LOOK
        if time.monotonic() > self.deadline:
            self.opaque(f"the budget of {self.limits.seconds:g} seconds ran out; raise `seconds` to look further")
            raise BudgetExceeded

    def look_at_watches(self) -> None:
        """Cut the innermost call that went on too long without an effect.

        The outermost calls are the program itself: each has more patience than the one that it calls, so that what is
        given up is the part that takes long and not the whole.

        Raises:
            CallCut: for that call.
        """
        for depth in range(len(self.watches) - 1, -1, -1):
            watch = self.watches[depth]
            if self.steps <= watch.limit:
                continue
            if watch.carries:
                watch.limit = self.limits.steps
                continue
            patience = self.limits.effort * (PATIENCE[depth] if depth < len(PATIENCE) else 1)
            if watch.idle is None:
                # What runs within a call may be reached in a way that its text does not tell, through a library.
                watch.idle = all(self.is_idle(inner.func, inner.args) for inner in self.watches[depth:])
                if not watch.idle and self.fruitless.get(id(watch.func.node), 0) < self.limits.effort:
                    watch.limit += patience
                    continue
            if watch.idle:
                raise CallCut(watch)
            if self.log.size == watch.size:
                raise CallCut(self.culprit(depth))
            watch.size = self.log.size
            watch.since = self.steps
            watch.limit = self.steps + patience
        self.cut_at = min((watch.limit for watch in self.watches), default=self.limits.steps + 1)

    def culprit(self, depth: int) -> Watch:
        """The call to cut for one whose patience is at its end: the innermost that took nearly all of that time.

        What is given up should be as small as what makes it take long; what the outer one does after that may matter.
        """
        watch = self.watches[depth]
        early = watch.since + (self.steps - watch.since) // 8
        for inner in reversed(self.watches[depth + 1 :]):
            if inner.since <= early and not inner.carries and self.excused < EXCUSED * self.limits.effort:
                return inner
        return watch

    # Exceptions

    def may_raise(self, *names: str) -> None:
        """Note exceptions that the present operation may raise; without names, any."""
        if self.tries:
            context = self.tries[-1]
            if names:
                context.names.update(names)
            else:
                context.anything = True

    def throw(self, name: str, message: str = "", args: TupleV | None = None) -> AbstractRaise:
        """An exception that the program certainly raises.

        Args:
            name: its class; one of a library by its qualified name.
            message: its one argument, if there is one.
            args: all its arguments, where there are more.
        """
        instance = Instance(Ext(name if "." in name else f"builtins.{name}"))
        instance.slots["args"] = args if args is not None else TupleV([Known(message)] if message else [])
        if self.handling:
            instance.slots["__context__"] = self.handling[-1]
        error = AbstractRaise(instance)
        error.place = self.frame.qualname if self.frame is not None else ""
        return error

    # Forks

    def fork(
        self,
        runs: Sequence[Callable[[], int]],
        *,
        include_current: bool = False,
        usual: Callable[[], int] | None = None,
    ) -> int:
        """Run alternatives from the same state and join what they leave.

        Args:
            runs: each executes one branch and returns its bit set.
            include_current: whether "none of them" is an outcome too.
            usual: the one of the runs that is taken unless something exceptional happens: what it does is not marked
                as conditional.

        Raises:
            AbstractRaise: when every alternative certainly raises.
        """
        state = self.state
        mark = state.begin()
        flags = NORMAL if include_current else 0
        deltas = []
        raised: list[AnyValue] = []
        held = list(self.held)
        cwd = self.cwd
        cwds: list[TextLike] = [cwd] if include_current else []
        try:
            for run in runs:
                self.undecided += run is not usual
                try:
                    outcome = run()
                except AbstractRaise as error:
                    raised.append(error.value)
                    outcome = 0
                finally:
                    self.undecided -= run is not usual
                if outcome & NORMAL:
                    deltas.append(state.delta(mark))
                    cwds.append(self.cwd)
                flags |= outcome
                state.rollback(mark)
                self.held = list(held)
                self.cwd = cwd
            state.merge(deltas, include_current=include_current)
            if cwds:
                self.cwd = _join_texts(cwds)
        finally:
            state.end()
        if raised:
            if not flags:
                raise AbstractRaise(join(raised))
            self.left.extend(option for value in raised for option in exits(value))
            if self.tries:
                self.tries[-1].values.extend(raised)
        return flags

    def choose(self, branches: Sequence[Callable[[], AnyValue]]) -> AnyValue:
        """Evaluate alternative expressions from the same state and join their values."""
        found: list[AnyValue] = []

        def runner(branch: Callable[[], AnyValue]) -> Callable[[], int]:
            def run() -> int:
                found.append(branch())
                return NORMAL

            return run

        self.fork([runner(branch) for branch in branches])
        return join(found)

    def each(self, value: AnyValue, action: Callable[[AnyValue], AnyValue]) -> AnyValue:
        """Apply an action to every alternative of a value and join the results."""
        if not isinstance(value, Union):
            return action(value)
        return self.choose([lambda option=option: action(option) for option in value.options])  # type: ignore[misc]

    @contextmanager
    def within(self, frame: Frame) -> Iterator[None]:
        """Make a frame the current one."""
        outer = self.frame
        self.frame = frame
        try:
            yield
        finally:
            self.frame = outer

    # Small conveniences

    def new_list(self, kind: str, items: Sequence[AnyValue] = (), rest: AnyValue | None = None) -> ListObj:
        """A fresh sequence object."""
        return ListObj(kind, items, rest)

    def dict_of(self, entries: dict[str, AnyValue]) -> DictObj:
        """A fresh dict with string keys."""
        return DictObj("dict", {Known(key): value for key, value in entries.items()})

    def env_value(self, name: str) -> AnyValue:
        """An environment variable: what the program set, what `--env` gave, None when unset."""
        if name in self.set_environ:
            return self.set_environ[name]
        if name in self.environ:
            return Known(self.environ[name])
        if name == "HOME":
            return Known("~")
        if name in ALWAYS_SET:
            return Known(self.root) if name == "PWD" else Unknown(f"environment variable {name}", "environment")
        return NONE


def _join_texts(texts: list[TextLike]) -> TextLike:
    first = texts[0]
    if all(text == first for text in texts):
        return first
    return widen_texts(texts)
