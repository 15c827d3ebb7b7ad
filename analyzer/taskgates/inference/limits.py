"""The bounds of one analysis, and the exceptions that stop it where they are reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from taskgates.config.model import InferenceBudgets

if TYPE_CHECKING:
    from taskgates.inference.objects import Arguments, FunctionV

_BUDGETS = InferenceBudgets()
"""The bounds that the configuration knows have their defaults there."""


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one analysis; what they cut is reported as opaque.

    Attributes:
        steps: statements and calls that one entry may run.
        seconds: how long one entry may take; 0 for no such bound, since a bound in seconds makes results depend on the
            machine.
        depth: how deep calls may nest.
        recursion: how often one function may be active at once.
        unroll: how many known elements a loop runs one by one.
        set_size: how many values one name may have before they are generalised.
        rounds: how often an undecided loop is repeated before it is widened.
        file_size: bytes of a source file that is parsed, and of a data file that is read.
        call_steps: steps of one call that can reach no effect.
        idle_steps: steps of all such calls together, before they are cut almost at once.
        effort: steps of any call without a new effect.
    """

    steps: int = _BUDGETS.steps
    seconds: float = _BUDGETS.seconds
    depth: int = _BUDGETS.depth
    recursion: int = 4
    unroll: int = _BUDGETS.unroll
    set_size: int = _BUDGETS.set_size
    rounds: int = 3
    file_size: int = 2_000_000
    call_steps: int = 5_000
    idle_steps: int = 40_000
    effort: int = 25_000


EXCUSED = 2
"""How much effort in calls that are cut does not count against the calls around them, in units of that of one call."""

PROCESS_DEPTH = 8
"""How deep programs may start each other."""

PATIENCE = (3, 2)
"""How many times longer than others the calls from the entry inwards may go on before they are cut."""


class BudgetExceeded(Exception):  # noqa: N818 - not an error of the program, a stop of the analysis
    """The step budget of the entry ran out."""


class Watch:
    """The effort that one call may cost before it is cut.

    Attributes:
        limit: the step count at which the call is looked at again.
        func: the function that was called.
        args: its arguments.
        idle: whether the call can reach no effect at all; None as long as nobody asked.
        size: how many effects had been logged when the watch was set.
        since: the step count at that time.
        excused: the steps of calls within it that were cut.
        carries: whether the code of another function runs within it: the body of a `with` statement or a loop.
    """

    __slots__ = ("args", "carries", "excused", "func", "idle", "limit", "since", "size")

    def __init__(self, limit: int, func: FunctionV, args: Arguments, *, size: int, since: int) -> None:
        self.limit = limit
        self.func = func
        self.args = args
        self.idle: bool | None = None
        self.size = size
        self.since = since
        self.excused = 0
        self.carries = False


class CallCut(Exception):  # noqa: N818 - a stop of one call
    """A call took long and reached no effect: it is not worth its result."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch
