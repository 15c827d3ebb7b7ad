"""Modules whose bodies were run once and serve every source of a repository that imports them.

A body is run apart: with its own log and its own record of what it asked of the tree, with nothing undecided and
outside the trail, so that it is neither undone nor charged to whoever imported it first. A source that imports the
module takes over the log and the evidence of everything in its import closure; what functions then change on the shared
objects is on the trail, and undone at the end.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise, place_of
from taskgates.inference.import_cycles import ImportCycles
from taskgates.inference.limits import BudgetExceeded
from taskgates.inference.log import Chain, EffectLog
from taskgates.inference.objects import DictObj, ListObj, ModuleV
from taskgates.inference.values import Ext, Unknown
from taskgates.tree.evidence import Evidence

if TYPE_CHECKING:
    from taskgates.inference.imports import Imports
    from taskgates.inference.limits import Limits
    from taskgates.inference.objects import Arguments
    from taskgates.inference.values import AnyValue
    from taskgates.tree.modules import Module

COMMAND_LINE = Unknown("the command line", "argument")


class Loaded:
    """One module that was run.

    Attributes:
        module: its value.
        log: what its body did.
        evidence: what finding and running it asked of the tree.
        imports: the modules that it imported, with the place of the first import of each.
        environ: the environment variables that it set.
        library: what it set in libraries.
        locks: the places where it made locks, by the name of their owner.
        table: what it put into `sys.modules`; None where it did not look at it.
        again: what waits for input that comes later.
        at_exit: what it registered for the end of the program.
    """

    __slots__ = (
        "again",
        "at_exit",
        "environ",
        "evidence",
        "imports",
        "library",
        "locks",
        "log",
        "module",
        "table",
    )

    def __init__(self, module: ModuleV, evidence: Evidence) -> None:
        self.module = module
        self.log = EffectLog()
        self.evidence = evidence
        self.imports: dict[str, tuple[str, int, str]] = {}
        self.environ: dict[str, AnyValue] = {}
        self.library: dict[str, AnyValue] = {}
        self.locks: dict[str, dict[int, int]] = {}
        self.table: DictObj | None = None
        self.again: list[tuple[AnyValue, Arguments]] = []
        self.at_exit: list[tuple[AnyValue, Arguments]] = []

    def keep(self, machine: Imports) -> None:
        """Keep what the body left behind in the interpreter that ran it."""
        self.environ, self.library = machine.set_environ, machine.library
        self.locks, self.table = machine.locks_made, machine.module_table
        self.again, self.at_exit = machine.again, machine.at_exit

    def hand_over(self, machine: Imports) -> None:
        """Make what the body set known in the interpreter of a program that imports the module."""
        machine.set_environ.update(self.environ)
        machine.library.update(self.library)
        for owner, places in self.locks.items():
            machine.locks_made.setdefault(owner, {}).update(places)
        if self.table is not None:
            if machine.module_table is None:
                machine.module_table = DictObj("dict", None, Ext("sys.modules"))
            machine.module_table.slots.update(self.table.slots)


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
        self._cycles: ImportCycles | None = None
        self._entered: set[str] = set()

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
            for imported in _with_packages(name):
                self._running[-1].imports.setdefault(imported, place)

    def take(self, machine: Imports, name: str) -> ModuleV | None:
        """A module that was run before, its closure made part of the present program; None if it was not."""
        loaded = self._loaded.get(name)
        if loaded is None:
            return None
        if self._running:
            # The program as a whole takes it over when the outermost module is done.
            machine.modules[name] = loaded.module
            self._make_known(machine, name)
            return loaded.module
        chain = machine.call_chain()
        for imported in _with_packages(name):
            if imported in self._loaded:
                self._take_over(machine, imported, chain)
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
        if module.name not in self._entered:
            self._run_circle(machine, module.name)
            loaded = self._loaded.get(module.name)
            if loaded is not None and loaded.module.file == (module.file or ""):
                self.take(machine, module.name)
                return loaded.module
        with machine.tree.recording(apart=True) as evidence:
            evidence.merge(found)
            value = machine.new_module(module)
            loaded = Loaded(value, evidence)
            self._running.append(loaded)
            try:
                # What a module does never depends on who imports it first.
                with machine.apart(loaded.log, self._limits):
                    machine.argv = ListObj("list", [COMMAND_LINE], COMMAND_LINE)
                    machine.run_loaded(value)
                    loaded.keep(machine)
            finally:
                self._running.pop()
        self._loaded[module.name] = loaded
        self.take(machine, module.name)
        return value

    def _run_circle(self, machine: Imports, name: str) -> None:
        """Run the modules of the circle that one is part of, in the order of the circle."""
        with machine.tree.recording(apart=True):
            if self._cycles is None:
                self._cycles = ImportCycles(machine.body_of)
            circle = self._cycles.around(name)
            self._entered.update(circle or (name,))
            if not circle:
                return
            modules = machine.modules
            machine.modules = dict(modules)
            # What imports them is not the module that happens to run.
            self._running.append(Loaded(ModuleV("", "", ""), Evidence()))
            try:
                with machine.apart(EffectLog(), self._limits):
                    for member in circle:
                        with suppress(AbstractRaise, BudgetExceeded):
                            machine.import_module(member)
            finally:
                self._running.pop()
                machine.modules = modules

    def _make_known(self, machine: Imports, name: str) -> None:
        """Let the module being run see what the import closure of another left behind, and what it can reach."""
        closure, seen = [self._loaded[name]], {name}
        for loaded in closure:  # which grows
            for imported in loaded.imports:
                if imported in self._loaded and imported not in seen:
                    seen.add(imported)
                    closure.append(self._loaded[imported])
        for loaded in reversed(closure):
            loaded.hand_over(machine)
            if loaded.module.ir is not None:
                machine.relevance.add(loaded.module.ir, loaded.module.name)

    def _take_over(self, machine: Imports, name: str, chain: Chain | None) -> None:
        # Breadth first: what is reported of a module is the shortest chain of imports that leads to it.
        pending = deque([(name, chain)])
        taken: list[Loaded] = []
        while pending:
            current, via = pending.popleft()
            if current in self._taken:
                continue
            self._taken.add(current)
            loaded = self._loaded[current]
            machine.modules[current] = loaded.module
            machine.tree.replay(loaded.evidence)
            machine.log.take_over(loaded.log, via, conditional=machine.conditional)
            taken.append(loaded)
            if loaded.module.ir is not None:
                machine.relevance.add(loaded.module.ir, current)
            for imported, (file, pos, function) in loaded.imports.items():
                if imported in self._loaded and imported not in self._taken:
                    pending.append((imported, Chain(via, file, pos, function)))
        for loaded in reversed(taken):
            loaded.hand_over(machine)
            machine.again.extend(loaded.again)
            machine.at_exit.extend(loaded.at_exit)


def _with_packages(name: str) -> list[str]:
    """What importing a module imports: the packages around it, from the outside in, and itself."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
