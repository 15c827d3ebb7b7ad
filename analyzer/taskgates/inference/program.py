"""The state of one program (one process) while it is being interpreted."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from taskgates.inference.interface import Interface
from taskgates.inference.log import Chain, EffectLog
from taskgates.inference.objects import Arguments, DictObj, Heap, Instance, ListObj, ModuleV
from taskgates.inference.overlap import Overlap
from taskgates.inference.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.inference.effects import EffectTable
    from taskgates.inference.frames import Frame, Place, TryContext, Worker
    from taskgates.inference.limits import Limits, Watch
    from taskgates.inference.text import TextLike
    from taskgates.inference.values import AnyValue
    from taskgates.tree.environment import Environment
    from taskgates.tree.tree import Tree


class Program(Interface):
    """What one program has: its modules, arguments, environment, frames and budgets.

    Attributes:
        environment: where installed packages are; None where there is none.
    """

    environment: Environment | None = None

    def __init__(
        self,
        tree: Tree,
        effects: EffectTable,
        *,
        root: str,
        environ: dict[str, str],
        limits: Limits,
    ) -> None:
        self.tree = tree
        self.effects = effects
        self.root = root
        self.environ = environ
        self.modules: dict[str, ModuleV] = {}
        self.deadline = time.monotonic() + limits.seconds if limits.seconds else 0.0
        self.closed = False
        self.stdin: AnyValue | None = None
        self.workers = 0
        self.start_run(EffectLog(), limits)

    def start_run(self, log: EffectLog, limits: Limits) -> None:
        """Give all that belongs to one run its first value: nothing of what ran before is left in it.

        Args:
            log: where the effects of the run go.
            limits: its bounds.
        """
        self.log = log
        self.limits = limits
        self.entry = ""
        self.argv: AnyValue = ListObj("list")
        self.stdin_stream: Instance | None = None
        self.module_table: DictObj | None = None
        self.cwd: TextLike = self.root
        self.set_environ: dict[str, AnyValue] = {}
        # What the program set in libraries that later calls depend on: a tracking address, a configuration's folder.
        self.library: dict[str, AnyValue] = {}
        # The last result that a library gave where it certainly raised none of its exceptions.
        self.vouched: AnyValue | None = None
        # Functions of the program in the place of library functions.
        self.replaced: dict[str, AnyValue] = {}
        # Where it is.
        self.state = State()
        self.chain: Chain | None = None
        self.frame: Frame | None = None
        self.frames: list[Frame] = []
        self.importing = 0
        self.loops: list[object] = []
        self.call_node: Place | None = None
        self.active: list[tuple[int, int, tuple[AnyValue, ...] | None, tuple[int, int]]] = []
        self.tries: list[TryContext] = []
        self.handling: list[AnyValue] = []
        self.contexts: list[AnyValue] = []
        self.undecided = 0
        # What it has cost.
        self.steps = self.spent = self.excused = 0
        self.cut_at = limits.steps + 1
        self.clock_at = 0
        self.watches: list[Watch] = []
        self.fruitless: dict[int, int] = {}
        # Its workers, and what they share.
        self.threads = 0
        self.children = 0
        self.worker: Worker | None = None
        self.held: list[str] = []
        self.lock_objects: dict[str, Instance] = {}
        self.overlap = Overlap()
        self.locks_made: dict[str, dict[int, int]] = {}
        self.lent: dict[int, Heap] = {}
        # What is left for its end.
        self.starved = 0
        self.again: list[tuple[AnyValue, Arguments]] = []
        self.at_exit: list[tuple[AnyValue, Arguments]] = []
        self.ending = False
        # How it may have ended on the way, and how it did.
        self.left: list[AnyValue] = []
        self.ended: AnyValue | None = None
        self.end_doubted = False
        # What it printed, for whoever started it; None where that is not known, or nobody asks.
        self.printed: list[TextLike] | None = None

    @contextmanager
    def apart(self, log: EffectLog, limits: Limits) -> Iterator[None]:
        """Put the present run aside for another one; see `start_run`."""
        outer = vars(self).copy()
        self.start_run(log, limits)
        try:
            yield
        finally:
            # The number of a worker is never given twice.
            vars(self).update(outer, workers=self.workers)
