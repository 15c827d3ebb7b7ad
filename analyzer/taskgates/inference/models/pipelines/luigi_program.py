"""Running Luigi's tasks: `luigi.run`, `luigi.build` and the command `luigi`."""

from __future__ import annotations

import configparser
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.command_lines.words import Words
from taskgates.inference.models.pipelines.luigi_tasks import (
    SETTINGS,
    flattened,
    is_done,
    is_external,
    is_flag,
    is_task,
    is_task_class,
    own,
    parameters_of,
    parsed,
    required,
)
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.system.programs import program
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance
from taskgates.inference.values import NONE, TRUE, AnyValue, Known, Stream, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

_FILES = ("client.cfg", "luigi.cfg")
_SWITCHES = frozenset(
    ["local-scheduler", "help", "help-all", "no-lock", "lock", "background", "assistant", "no-configure-logging"]
)
"""Luigi's own options without a value; its others have one."""


class Scheduler:
    """Runs tasks as one worker of the local scheduler does: what a task requires first, and nothing that is done."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._seen: list[tuple[AnyValue, dict[str, AnyValue]]] = []
        self._outcomes: list[bool] = []

    def run(self, task: Instance) -> bool:
        """Run a task; False where it, or one that it requires, certainly failed."""
        cls = task.cls
        values = {name: task.slots.get(name, NONE) for name in parameters_of(cls)} if isinstance(cls, ClassV) else {}
        for position, (other, given) in enumerate(self._seen):
            if other is cls and given == values:
                return self._outcomes[position]
        self._seen.append((cls, values))
        self._outcomes.append(True)
        position = len(self._seen) - 1
        self._outcomes[position] = self._carried_out(task)
        return self._outcomes[position]

    def _carried_out(self, task: Instance) -> bool:
        machine = self.machine
        try:
            done = is_done(machine, task)
            if done is True:
                return True
            machine.undecided += done is None
            try:
                if not self._all(required(machine, task)):
                    return False
                if is_external(machine, task):
                    return done is not False
                self._perform(task)
            finally:
                machine.undecided -= done is None
        except AbstractRaise as error:
            machine.note_end(error)
            return False
        return True

    def _all(self, value: AnyValue) -> bool:
        outcomes = [self.run(each) for each in flattened(self.machine, value) if is_task(each)]  # type: ignore[arg-type]
        return all(outcomes)

    def _perform(self, task: Instance) -> None:
        machine = self.machine
        if own(task, "run"):
            result = machine.call(machine.get_attr(task, "run"), Arguments())
            if isinstance(result, Stream) or (result != NONE and not isinstance(result, Instance)):
                self._all(result)  # Tasks that `run` yields are required as it goes.
        if own(task, "on_success"):
            machine.call(machine.get_attr(task, "on_success"), Arguments())


def read_settings(machine: Machine) -> None:
    """Take the values that the settings files of the working folder give to parameters."""
    found = DictObj("dict")
    for name in _FILES:
        if machine.exists(name, "file") is not True:
            continue
        machine.access(Operation.READ, Known(name), "luigi")
        data = machine.content(name)
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(data.decode("utf-8", "replace") if data is not None else "")
        except configparser.Error:
            continue
        for section in parser.sections():
            for key, text in parser.items(section):
                found.slots[Known(f"{section}.{key.replace('-', '_')}")] = Known(text)
    machine.library[SETTINGS] = found


class _Line:
    """A command line of Luigi's.

    Attributes:
        module: the module that `--module` names.
        family: the name of the task.
    """

    def __init__(self, words: Sequence[AnyValue]) -> None:
        self._words = Words()
        self._rest = [self._words.encode(word) for word in words]
        self.module = self._take("module")
        self.family: str | None = None
        self.options: dict[str, str | None] = {}

    def _take(self, name: str) -> str | None:
        for position, word in enumerate(self._rest):
            if word == f"--{name}" and position + 1 < len(self._rest):
                value = self._rest[position + 1]
                del self._rest[position : position + 2]
                return value
            if word.startswith(f"--{name}="):
                del self._rest[position]
                return word.partition("=")[2]
        return None

    def parse(self, flags: frozenset[str]) -> None:
        """Take the words apart.

        Args:
            flags: options without a value, those of the tasks included.
        """
        rest = list(self._rest)
        while rest:
            word = rest.pop(0)
            if not word.startswith("--"):
                self.family = self.family or word
                continue
            name, given, value = word[2:].partition("=")
            if given:
                self.options[name] = value
            elif name in flags:
                explicit = rest and rest[0].lower() in ("true", "false") and name not in _SWITCHES
                self.options[name] = rest.pop(0) if explicit else None
            else:
                self.options[name] = rest.pop(0) if rest else None

    def value(self, text: str) -> AnyValue:
        """The word that an option has."""
        return self._words.decode(text)


def _classes(machine: Machine) -> dict[str, ClassV]:
    """The classes of tasks in the modules that are loaded, by the names that the command line has for them."""
    found: dict[str, ClassV] = {}
    for module in list(machine.modules.values()):
        for value in list(module.slots.values()):
            if isinstance(value, ClassV) and is_task_class(value):
                found.setdefault(value.name, value)
                spaces = [base.slots.get("task_namespace") for base in value.mro if isinstance(base, ClassV)]
                space = next((text_of(each) for each in spaces if each is not None), None)
                if isinstance(space, str) and space:
                    found.setdefault(f"{space}.{value.name}", value)
    return found


def _run_line(machine: Machine, words: Sequence[AnyValue], main_class: AnyValue | None) -> None:
    read_settings(machine)
    line = _Line(words)
    if line.module is not None:
        machine.import_module(line.module)
    classes = _classes(machine)
    flags = set(_SWITCHES)
    for name, cls in classes.items():
        for each, parameter in parameters_of(cls).items():
            if is_flag(parameter):
                flags.update((each.replace("_", "-"), f"{name}-{each.replace('_', '-')}"))
    line.parse(frozenset(flags))
    if any(name in line.options for name in ("help", "help-all")):
        return
    named = classes.get(line.family) if line.family is not None else main_class
    if not isinstance(named, ClassV):
        machine.opaque(f"luigi: no task {line.family or 'is named on the command line'}")
        return
    settings = machine.library[SETTINGS]
    own_values: dict[str, AnyValue] = {}
    for name, text in line.options.items():
        wanted = parameters_of(named).get(name.replace("-", "_"))
        word = TRUE if text is None else line.value(text)
        if wanted is not None:
            own_values[name.replace("-", "_")] = word if text is None else parsed(machine, wanted, word)
            continue
        family, _, inner = name.partition("-")
        if family in classes:
            settings.slots[Known(f"{family}.{inner.replace('-', '_')}")] = Known("true") if text is None else word
    Scheduler(machine).run(machine.call(named, Arguments([], own_values)))


@function("luigi.run", "luigi.interface.run")
def run(machine: Machine, args: Arguments) -> AnyValue:
    """`luigi.run(arguments, main_task_cls)`: by the command line where no arguments are given."""
    given = args.get(0, "cmdline_args")
    by_line = given is None or given == NONE
    words = list(machine.iterate(machine.argv).items[1:] if by_line else machine.iterate(given).items)
    _run_line(machine, words, args.get(1, "main_task_cls"))
    return Known(True)


@function("luigi.build", "luigi.interface.build")
def build(machine: Machine, args: Arguments) -> AnyValue:
    """`luigi.build(tasks)`."""
    if SETTINGS not in machine.library:
        read_settings(machine)
    scheduler = Scheduler(machine)
    tasks = args.get(0, "tasks") or NONE
    outcomes = [scheduler.run(each) for each in flattened(machine, tasks) if is_task(each)]  # type: ignore[arg-type]
    return Known(all(outcomes))


@program("luigi", "luigi.__main__", "luigi.cmdline", commands=["luigi"])
def luigi(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`luigi --module MODULE TASK [--PARAMETER VALUE]...`."""
    machine.set_program(Known("luigi"), args, "")
    _run_line(machine, args, None)
