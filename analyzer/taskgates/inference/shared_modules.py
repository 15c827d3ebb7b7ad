"""Modules whose bodies were run once and serve every source of a repository that imports them.

A body is run apart: with its own log and its own record of what it asked of the tree, with nothing undecided and
outside the trail, so that it is neither undone nor charged to whoever imported it first. A source that imports the
module takes over the log and the evidence of everything in its import closure; what functions then change on the shared
objects is on the trail, and undone at the end.

What a body changes on objects of other modules (it registers a handler, adds itself to a table of theirs) is there only
for those who import it: it is taken back at the end of the body, and made again where the module is taken over.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from taskgates.inference.frames import AbstractRaise, place_of
from taskgates.inference.import_cycles import ImportCycles
from taskgates.inference.limits import BudgetExceeded
from taskgates.inference.log import Chain, EffectLog
from taskgates.inference.objects import CONTENT, DictObj, FunctionV, Heap, ListObj, Maybe, ModuleV
from taskgates.inference.state import MISSING, join_slot
from taskgates.inference.values import BoundMethod, Ext, Partial, TupleV, Union, Unknown
from taskgates.tree.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from taskgates.inference.imports import Imports
    from taskgates.inference.limits import Limits
    from taskgates.inference.objects import Arguments
    from taskgates.inference.state import State
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
        changes: what its body changed on objects of other modules.
    """

    __slots__ = (
        "again",
        "at_exit",
        "changes",
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
        self.changes: list[_Change] = []

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


_Change = tuple[dict[Any, Any], Any, Any, Any]
"""The slots, the key, the content before and the content after."""


class _Surroundings:
    """What a program, or the body of a module, sees of the changes that the modules made which it imports.

    Args:
        name: of the module; empty for a program.
        state: the trail of what it does itself.

    Attributes:
        aside: whether all of it is taken back for the time being.
    """

    def __init__(self, name: str, state: State) -> None:
        self.name = name
        self.state = state
        self.aside = False
        self.made: set[str] = set()
        self._log: list[tuple[int, dict[Any, Any], Any, Any]] = []

    def make(self, loaded: Loaded) -> None:
        """Make the changes of a module, unless they are there."""
        if loaded.module.name in self.made:
            return
        self.made.add(loaded.module.name)
        at = len(self.state.trail)
        for slots, key, before, after in loaded.changes:
            present = slots.get(key, MISSING)
            new = _both(key, before, after, present)
            if new is not present:
                self._log.append((at, slots, key, present))
                _put(slots, key, new)

    def before(self, *, own: bool) -> dict[tuple[int, Any], tuple[dict[Any, Any], Any, Any]]:
        """The content of every slot before it was changed, the own changes included or left in."""
        out: dict[tuple[int, Any], tuple[dict[Any, Any], Any, Any]] = {}
        trail, done = self.state.trail if own else (), 0
        for at, slots, key, old in self._log:
            for entry in trail[done:at]:
                out.setdefault((id(entry[0]), entry[1]), entry)
            done = max(done, at)
            out.setdefault((id(slots), key), (slots, key, old))
        for entry in trail[done:]:
            out.setdefault((id(entry[0]), entry[1]), entry)
        return out


def _put(slots: dict[Any, Any], key: Any, value: Any) -> None:
    if value is MISSING:
        slots.pop(key, None)
    else:
        slots[key] = value


def _both(key: Any, before: Any, after: Any, present: Any) -> Any:
    """The content of a slot that one module changed, where others may have changed it as well."""
    if present is before or present is MISSING or present == before:
        return after
    if after is MISSING or present is after:
        return present
    if key is CONTENT and isinstance(after, TupleV) and isinstance(before, TupleV) and isinstance(present, TupleV):
        count = len(before.items)
        if after.items[:count] == before.items and after.rest == before.rest:
            added = [item for item in after.items[count:] if item not in present.items]
            return TupleV([*present.items, *added], present.rest) if added else present
    return join_slot(key, [present, after])


def _add_reachable(module: ModuleV, known: set[int]) -> None:
    """Add the slots of all objects that a module holds, by identity; where one is known, those behind it are."""
    pending: list[object] = [module]
    while pending:
        value = pending.pop()
        if isinstance(value, Heap):
            if id(value.slots) in known or (isinstance(value, ModuleV) and value is not module):
                continue
            known.add(id(value.slots))
            pending.extend(value.slots.values())
            if isinstance(value, FunctionV):
                pending.extend(value.defaults.values())
            if isinstance(value, FunctionV) and value.frame is not None and id(value.frame.slots) not in known:
                known.add(id(value.frame.slots))
                pending.extend(value.frame.slots.values())
        elif isinstance(value, TupleV):
            pending.extend(value.items)
            pending.append(value.rest)
        elif isinstance(value, Union):
            pending.extend(value.options)
        elif isinstance(value, Maybe):
            pending.append(value.value)
        elif isinstance(value, BoundMethod):
            pending.extend((value.self, value.func))
        elif isinstance(value, Partial):
            pending.append(value.func)
            pending.extend(value.args.every())


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
        self._around: list[_Surroundings] = []
        # The slots of the objects of modules that were run, by identity.
        self._known: set[int] = set()

    def begin(self, machine: Imports) -> None:
        """Start with another source, which has not taken over anything yet."""
        self._taken = set()
        for surroundings in self._around:
            for slots, key, old in surroundings.before(own=False).values():
                _put(slots, key, old)
        self._around = [_Surroundings("", machine.state)]

    @contextmanager
    def _set_aside(self, circle: Container[str]) -> Iterator[None]:
        """Take back what is there only for the programs and bodies under way, for as long as another body runs.

        Args:
            circle: the modules that the other one imports in a circle: they see what their bodies have done so far.
        """
        kept: list[tuple[dict[Any, Any], Any, Any]] = []
        whole: list[_Surroundings] = []
        for surroundings in reversed(self._around):
            if surroundings.aside:
                continue
            own = surroundings.name not in circle
            before = [entry for entry in surroundings.before(own=own).values() if id(entry[0]) in self._known]
            kept.extend((slots, key, slots.get(key, MISSING)) for slots, key, _ in before)
            for slots, key, old in before:
                _put(slots, key, old)
            if own:
                surroundings.aside = True
                whole.append(surroundings)
        try:
            yield
        finally:
            for slots, key, content in reversed(kept):
                _put(slots, key, content)
            for surroundings in whole:
                surroundings.aside = False

    @contextmanager
    def _surrounded(self, machine: Imports, loaded: Loaded) -> Iterator[None]:
        """Keep apart what the body of a module changes on the objects of others."""
        machine.state.begin()
        surroundings = _Surroundings(loaded.module.name, machine.state)
        self._around.append(surroundings)
        try:
            yield
        finally:
            self._around.pop()
            first = surroundings.state.first_old(0)
            loaded.changes = [
                (slots, key, first[location], content)
                for location, (slots, key, content) in surroundings.state.delta(0).items()
                if location[0] in self._known
            ]
            for location, (slots, key, old) in surroundings.before(own=True).items():
                if location[0] in self._known:
                    _put(slots, key, old)
            _add_reachable(loaded.module, self._known)

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
        circle = self._cycles.around(module.name) if self._cycles is not None else ()
        with self._set_aside(circle), machine.tree.recording(apart=True) as evidence:
            evidence.merge(found)
            # Of the modules that ran before it sees those that it imports, and in a circle those under way.
            modules = machine.modules
            machine.modules = {other.module.name: other.module for other in self._running if other.module.name}
            value = machine.new_module(module)
            loaded = Loaded(value, evidence)
            self._running.append(loaded)
            try:
                # What a module does never depends on who imports it first.
                with machine.apart(loaded.log, self._limits), self._surrounded(machine, loaded):
                    machine.argv = ListObj("list", [COMMAND_LINE], COMMAND_LINE)
                    machine.run_loaded(value)
                    loaded.keep(machine)
            finally:
                self._running.pop()
                machine.modules = modules
                modules[module.name] = value
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
            nobody = Loaded(ModuleV("", "", ""), Evidence())
            self._running.append(nobody)
            try:
                with (
                    self._set_aside(()),
                    machine.apart(EffectLog(), self._limits),
                    self._surrounded(machine, nobody),
                ):
                    for member in circle:
                        with suppress(AbstractRaise, BudgetExceeded):
                            machine.import_module(member)
            finally:
                self._running.pop()
                machine.modules = modules

    def _make_known(self, machine: Imports, name: str) -> None:
        """Let the module being run see what the import closure of another left behind, and what it can reach."""
        made = self._around[-1].made
        closure, seen = [self._loaded[name]], {name}
        for loaded in closure:  # which grows
            for imported in loaded.imports:
                if imported in self._loaded and imported not in seen and imported not in made:
                    seen.add(imported)
                    closure.append(self._loaded[imported])
        for loaded in reversed(closure):
            loaded.hand_over(machine)
            self._around[-1].make(loaded)
            machine.modules[loaded.module.name] = loaded.module
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
            self._around[-1].make(loaded)
            machine.again.extend(loaded.again)
            machine.at_exit.extend(loaded.at_exit)


def _with_packages(name: str) -> list[str]:
    """What importing a module imports: the packages around it, from the outside in, and itself."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
