"""The entries of a source without a command: everything public in it, called with unknown arguments."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.limits import BudgetExceeded, CallCut, Limits
from taskgates.inference.models import registry
from taskgates.inference.objects import Arguments, ClassV, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.shared_modules import COMMAND_LINE, SharedModules
from taskgates.inference.values import Known, Unknown
from taskgates.tree.evidence import Evidence
from taskgates.tree.modules import Module

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.inference.interpreter import Interpreter
    from taskgates.inference.log import EffectLog
    from taskgates.inference.relevance import Mentions
    from taskgates.inference.values import AnyValue
    from taskgates.tree.tree import Tree


def narrow(limits: Limits) -> Limits:
    """The bounds of an entry with unknown arguments: loops and calls soon repeat themselves there."""
    return msgspec.structs.replace(
        limits,
        call_steps=min(limits.call_steps, 300),
        effort=min(limits.effort, 200),
        idle_steps=min(limits.idle_steps, 3_000),
        unroll=min(limits.unroll, 40),
        rounds=min(limits.rounds, 2),
    )


class PublicEntries:
    """Looks at sources one after another; what they import is run once for all of them.

    Args:
        tree: the repository.
        make: makes an interpreter that writes to a log.
        mentions: what functions mention; see `Relevance`.
    """

    def __init__(self, tree: Tree, make: Callable[[EffectLog], Interpreter], mentions: Mentions) -> None:
        self._tree = tree
        self._make = make
        self._mentions = mentions
        self._machines: dict[str, Interpreter] = {}

    def script(self, log: EffectLog, file: str) -> None:
        """Run a file as a script, with unknown arguments."""
        folder = file.rpartition("/")[0]
        machine = self._machine(log, file, folder)
        with _Undone(machine), suppress(BudgetExceeded):
            machine.execute_main(file, "")

    def callable(self, log: EffectLog, file: str, name: str) -> None:
        """Call one function of a file, or of a module given by its dotted name."""
        if file.endswith(".py"):
            machine, module = self._load(log, file)
        else:
            machine, module = self._machine(log, file, ""), None
        with _Undone(machine), suppress(AbstractRaise, BudgetExceeded):
            value: AnyValue | None = module if file.endswith(".py") else machine.import_module(file)
            for part in name.split("."):
                value = machine.get_attr(value, part) if value is not None else None
            if value is not None:
                machine.call(value, unknown_arguments())

    def public(self, log: EffectLog, file: str) -> None:
        """Call every public function and method of a file that can reach an effect."""
        machine, module = self._load(log, file)
        if module is None:
            return
        for key, value in list(module.slots.items()):
            if not isinstance(key, str) or key.startswith("_"):
                continue
            if isinstance(value, FunctionV) and value.module is module:
                if machine.relevance.reaches(value):
                    with _Undone(machine):
                        self._call(machine, value, unknown_arguments())
            elif isinstance(value, ClassV) and value.module is module and "enum" not in value.traits:
                self._class(machine, value)
            elif any(test(value, module) for test in registry.PROGRAMS):
                with _Undone(machine):
                    self._call(machine, value, Arguments())

    def _load(self, log: EffectLog, file: str) -> tuple[Interpreter, ModuleV | None]:
        """Import a file under its dotted name; None where it certainly raises."""
        name, package, top = module_name(self._tree, file)
        machine = self._machine(log, file, top)
        found = Module(name, "package" if package == name else "module", file, _folders(name, package, file), False)
        with suppress(AbstractRaise, BudgetExceeded):
            if parent := name.rpartition(".")[0]:
                machine.import_module(parent)
            known = machine.modules.get(name) or machine.shared_modules.take(machine, name)  # type: ignore[union-attr]
            if isinstance(known, ModuleV) and known.file == file:
                return machine, known
            return machine, machine.load(found, Evidence())
        known = machine.modules.get(name)
        return machine, known if isinstance(known, ModuleV) else None

    def _machine(self, log: EffectLog, file: str, folder: str) -> Interpreter:
        """The interpreter for a first entry of the search path, made ready for a source."""
        machine = self._machines.get(folder)
        if machine is None:
            machine = self._machines[folder] = self._make(log)
            machine.shared_modules = SharedModules(machine.limits)
            machine.limits = narrow(machine.limits)
        machine.start_run(log, machine.limits)
        machine.modules = {}
        machine.shared_modules.begin(machine)  # type: ignore[union-attr]
        machine.set_program(Known(file), [], f"{machine.root}/{folder}")
        machine.argv = ListObj("list", [Known(file)], COMMAND_LINE)
        machine.search.slots.update(
            ListObj(
                "list", [Known(f"{machine.root}/{folder}"), Known(machine.root), Known(f"{machine.root}/src")]
            ).slots
        )
        return machine

    def _class(self, machine: Interpreter, cls: ClassV) -> None:
        reaches = machine.relevance.reaches
        public = [
            name
            for name, value in cls.slots.items()
            if isinstance(name, str) and not name.startswith("_") and isinstance(value, FunctionV) and reaches(value)
        ]
        if not public and not reaches(cls):
            return
        with _Undone(machine):
            instance = self._call(machine, cls, unknown_arguments())
            if isinstance(instance, Instance):
                for name in public:
                    machine.steps = 0
                    self._call(machine, machine.get_attr(instance, name), unknown_arguments())

    def _call(self, machine: Interpreter, func: AnyValue, args: Arguments) -> AnyValue | None:
        machine.undecided += 1
        try:
            return machine.call(func, args)
        except (AbstractRaise, BudgetExceeded, CallCut):
            return None
        finally:
            machine.undecided -= 1


class _Undone:
    """Undo at the end of a block what it changed on objects that serve others too."""

    def __init__(self, machine: Interpreter) -> None:
        self._machine = machine

    def __enter__(self) -> None:
        self._machine.restart()
        self._marks = self._machine.state.marks
        self._mark = self._machine.state.begin()

    def __exit__(self, *_: object) -> None:
        state = self._machine.state
        state.pendings.clear()
        state.rollback(self._mark)
        state.unwind(self._marks + 1)
        state.end()


def module_name(tree: Tree, file: str) -> tuple[str, str, str]:
    """The dotted name of a source file by the packages around it, its package, and the folder it is imported from."""
    parts = file.removesuffix(".py").split("/")
    start = len(parts) - 1
    while start > 0 and tree.kind("/".join(parts[:start]) + "/__init__.py") == "file":
        start -= 1
    names = parts[start:]
    folder = "/".join(parts[:start])
    if names[-1] == "__init__":
        names = names[:-1] or ["__init__"]
        return ".".join(names), ".".join(names), folder
    return ".".join(names), ".".join(names[:-1]), folder


def _folders(name: str, package: str, file: str) -> tuple[str, ...]:
    return (file.rpartition("/")[0],) if package == name else ()


def unknown_arguments() -> Arguments:
    """Arguments of which nothing is known."""
    return Arguments(
        (), {}, Unknown("a parameter of a public function", "argument"), Unknown("a parameter", "argument")
    )
