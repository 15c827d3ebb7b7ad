"""Modules whose bodies were run once and serve every source of a repository that imports them.

A body is run apart: with its own log and its own record of what it asked of the tree, with nothing undecided and
outside the trail, so that it is neither undone nor charged to whoever imported it first. A source that imports the
module takes over the log and the evidence of everything in its import closure; what functions then change on the shared
objects is on the trail, and undone at the end.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from taskgates.inference.core import place_of
from taskgates.inference.log import Chain, EffectLog
from taskgates.inference.relevance import Relevance
from taskgates.inference.state import State
from taskgates.inference.values import ListObj, Unknown

if TYPE_CHECKING:
    from taskgates.inference.core import Limits
    from taskgates.inference.imports import Imports
    from taskgates.inference.values import AnyValue, ModuleV
    from taskgates.tree.evidence import Evidence
    from taskgates.tree.modules import Module


class Loaded:
    """One module that was run.

    Attributes:
        module: its value.
        log: what its body did.
        evidence: what finding and running it asked of the tree.
        imports: the modules that it imported, with the place of the first import of each.
        environ: the environment variables that it set.
        locks: the places where it made locks, by the name of their owner.
    """

    __slots__ = ("environ", "evidence", "imports", "locks", "log", "module")

    def __init__(self, module: ModuleV, evidence: Evidence) -> None:
        self.module = module
        self.log = EffectLog()
        self.evidence = evidence
        self.imports: dict[str, tuple[str, int, str]] = {}
        self.environ: dict[str, AnyValue] = {}
        self.locks: dict[str, dict[int, int]] = {}


class SharedModules:
    """The modules that were run, by name; one store serves one search path.

    Args:
        limits: the bounds of each module's body.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._loaded: dict[str, Loaded] = {}
        self._running: list[Loaded] = []
        self._taken: set[str] = set()

    def begin(self) -> None:
        """Start with another source, which has not taken over anything yet."""
        self._taken = set()

    def note_import(self, machine: Imports, name: str) -> None:
        """See that the module being run imports another."""
        if self._running:
            frame = machine.frame
            if frame is None:
                return
            place = (frame.module.file, place_of(machine.call_node, frame), frame.qualname)
            self._running[-1].imports.setdefault(name, place)

    def take(self, machine: Imports, name: str) -> ModuleV | None:
        """A module that was run before, its closure made part of the present program; None if it was not."""
        loaded = self._loaded.get(name)
        if loaded is None:
            return None
        if self._running:
            # The program as a whole takes it over when the outermost module is done.
            machine.modules[name] = loaded.module
            self._make_relevant(machine, name)
            return loaded.module
        self._take_over(machine, name, machine.call_chain())
        return loaded.module

    def run(self, machine: Imports, module: Module, found: Evidence) -> ModuleV:
        """Run a module's body apart and keep it.

        Args:
            machine: the interpreter.
            module: the module.
            found: what finding it asked of the tree.

        Raises:
            AbstractRaise: where the body certainly raises; the module is not kept.
            BudgetExceeded: where the budget ran out within it; the module is not kept.
        """
        outer = _Outer(machine)
        with machine.tree.recording(apart=True) as evidence:
            evidence.merge(found)
            value = machine.new_module(module)
            loaded = Loaded(value, evidence)
            self._running.append(loaded)
            outer.step_aside(loaded.log, self._limits)
            try:
                machine.run_loaded(value)
            finally:
                loaded.environ, loaded.locks = machine.set_environ, machine.locks_made
                outer.step_back()
                self._running.pop()
        self._loaded[module.name] = loaded
        self.take(machine, module.name)
        return value

    def _make_relevant(self, machine: Imports, name: str) -> None:
        """Let the module being run know what the import closure of another can reach."""
        pending, seen = [name], {name}
        while pending:
            loaded = self._loaded[pending.pop()]
            if loaded.module.ir is not None:
                machine.relevance.add(loaded.module.ir, loaded.module.name)
            for imported in loaded.imports:
                if imported in self._loaded and imported not in seen:
                    seen.add(imported)
                    pending.append(imported)

    def _take_over(self, machine: Imports, name: str, chain: Chain | None) -> None:
        # Breadth first: what is reported of a module is the shortest chain of imports that leads to it.
        pending = deque([(name, chain)])
        while pending:
            current, via = pending.popleft()
            if current in self._taken:
                continue
            self._taken.add(current)
            loaded = self._loaded[current]
            machine.modules[current] = loaded.module
            machine.tree.replay(loaded.evidence)
            machine.log.take_over(loaded.log, via, conditional=machine.conditional)
            machine.set_environ.update(loaded.environ)
            for owner, places in loaded.locks.items():
                machine.locks_made.setdefault(owner, {}).update(places)
            if loaded.module.ir is not None:
                machine.relevance.add(loaded.module.ir, current)
            for imported, (file, pos, function) in loaded.imports.items():
                if imported in self._loaded and imported not in self._taken:
                    pending.append((imported, Chain(via, file, pos, function)))


class _Outer:
    """What an interpreter was in the middle of, put aside while a module is run."""

    _FIELDS = (
        "log", "state", "undecided", "threads", "steps", "cut_at", "watches", "held", "worker", "chain", "frame",
        "frames", "call_node", "active", "tries", "handling", "contexts", "loops", "set_environ", "cwd", "argv",
        "fruitless", "spent", "limits", "relevance", "locks_made",
    )  # fmt: skip

    def __init__(self, machine: Imports) -> None:
        self._machine = machine
        self._kept: dict[str, Any] = {name: getattr(machine, name) for name in self._FIELDS}

    def step_aside(self, log: EffectLog, limits: Limits) -> None:
        """Give the interpreter a clean state, so that what a module does never depends on who imports it first."""
        machine = self._machine
        machine.limits = limits
        machine.relevance = Relevance(machine.mentions)
        machine.fruitless = {}
        machine.log = log
        machine.state = State()
        machine.undecided = machine.threads = machine.steps = machine.spent = 0
        machine.cut_at = machine.limits.steps + 1
        for name in ("watches", "held", "frames", "active", "tries", "handling", "contexts", "loops"):
            setattr(machine, name, [])
        machine.worker = machine.chain = machine.frame = machine.call_node = None
        machine.set_environ, machine.locks_made = {}, {}
        machine.cwd = machine.root
        machine.argv = ListObj(
            "list", [Unknown("the command line", "argument")], Unknown("the command line", "argument")
        )

    def step_back(self) -> None:
        """Restore what was put aside."""
        for name, value in self._kept.items():
            setattr(self._machine, name, value)
