"""The program doit: its command line, its settings, and the namespaces that its tasks come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.pipelines.doit_actions import FORMATS
from taskgates.inference.models.pipelines.doit_records import Earlier
from taskgates.inference.models.pipelines.doit_runs import Run, Settings, TaskTable, options_of, parsed_options
from taskgates.inference.models.pipelines.doit_settings import Database, from_setting, read_settings
from taskgates.inference.models.pipelines.doit_tasks import (
    DELAYED,
    PARAMETERS,
    Delayed,
    Task,
    creator_files,
    creators,
    known_names,
    mark_of,
    names_in,
    tasks_of,
)
from taskgates.inference.models.system.program_lines import CommandLine, UsageError
from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.models.test_runners.unittest_loading import add_search_folder
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj, ModuleV
from taskgates.inference.paths import split_last
from taskgates.inference.values import (
    NONE,
    AnyValue,
    Known,
    Native,
    TupleV,
    as_value,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from taskgates.inference.models.registry import Machine

_COMMANDS = frozenset(
    ["help", "run", "list", "info", "clean", "forget", "ignore", "dumpdb", "strace", "tabcompletion", "reset-dep"]
)
_LOADER_SHORT, _LOADER_LONG = "f:d:k", ["file=", "dir=", "seek-file"]
_DATABASE_LONG = ["db-file=", "backend=", "check_file_uptodate="]
_RUN_SHORT = "v:o:acsn:r:P:"
_RUN_LONG = [
    "verbosity=", "output-file=", "always-execute", "continue", "no-continue", "single", "process=", "reporter=",
    "parallel-type=", "pdb", "auto-delayed-regex", "failure-verbosity=", "no-always-execute", "no-single",
]  # fmt: skip
_OTHER_SHORT = {"list": "qspa", "clean": "canf", "forget": "as", "ignore": "", "info": "", "reset-dep": "v:"}
_OTHER_LONG = {
    "list": ["all", "quiet", "status", "private", "deps", "template=", "sort="],
    "clean": ["clean-dep", "clean-all", "dry-run", "forget"],
    "forget": ["all", "follow-sub", "disable-default"],
    "info": ["no-status"],
}
_NAMES = {
    "f": "file", "d": "dir", "k": "seek-file", "v": "verbosity", "o": "output-file", "a": "always-execute",
    "c": "continue", "s": "single", "n": "process", "r": "reporter", "P": "parallel-type",
}  # fmt: skip

INITIAL, VARIABLES = "doit.initial_workdir", "doit.variables"
LOADER = "doit.cmd_base.ModuleTaskLoader"
MAIN = "doit.doit_cmd.DoitMain"


@dataclass
class Source:
    """Where tasks come from.

    Attributes:
        namespace: names and values; None where a loader of the program gives the tasks.
        loader: that loader.
    """

    namespace: Mapping[object, AnyValue] | None = None
    loader: Instance | None = None


@dataclass
class Session:
    """One call of doit's main function."""

    machine: Machine
    config: dict[str, Any] = field(default_factory=dict)
    source: Source = field(default_factory=Source)
    table: TaskTable = field(default_factory=TaskTable)

    def main(self, words: Sequence[AnyValue]) -> None:
        """Carry out a command line."""
        self.config = read_settings(self.machine)
        first = text_of(words[0]) if words else ""
        if first in ("--version", "--help", "help"):
            return
        before: CommandLine | None = None
        own = self.source.namespace is None and self.source.loader is None
        try:
            before = CommandLine(words, _LOADER_SHORT, _LOADER_LONG, names=_NAMES) if own else None
        except UsageError:
            before = None
        rest = self._variables(before.operands if before is not None else words)
        command = "run"
        name = text_of(rest[0]) if rest else None
        if isinstance(name, str) and name in _COMMANDS:
            command, rest = name, rest[1:]
        if command in ("help", "tabcompletion", "strace"):
            if command == "strace":
                self.machine.opaque("doit strace is not followed", other_code=True)
            return
        try:
            line = self._line(command, rest, own=own)
        except UsageError:
            return
        self._carry_out(command, line, before)

    def _line(self, command: str, words: Sequence[AnyValue], *, own: bool) -> CommandLine:
        short = _LOADER_SHORT if own else ""
        long = [*(_LOADER_LONG if own else ()), *_DATABASE_LONG]
        if command == "run":
            return CommandLine(words, short + _RUN_SHORT, [*long, *_RUN_LONG], names=_NAMES)
        names = {key: name for key, name in _NAMES.items() if key in "fdk"}
        if command == "clean":
            names |= {"c": "clean-dep", "a": "clean-all", "n": "dry-run"}
        own_short = _OTHER_SHORT.get(command, "")
        merged = "".join(letter for letter in own_short if letter not in short) if command != "clean" else "can"
        return CommandLine(words, short + merged, [*long, *_OTHER_LONG.get(command, ())], mixed=True, names=names)

    def _variables(self, words: Sequence[AnyValue]) -> list[AnyValue]:
        """Take `name=value` out of the command line."""
        variables = DictObj("dict")
        kept: list[AnyValue] = []
        for word in words:
            text = text_of(word)
            name, sign, value = text.partition("=") if isinstance(text, str) else ("", "", "")
            if sign and not name.startswith("-"):
                variables.slots[Known(name)] = Known(value)
            else:
                kept.append(word)
        self.machine.library[VARIABLES] = variables
        return kept

    def _carry_out(self, command: str, line: CommandLine, before: CommandLine | None) -> None:
        machine = self.machine

        def option(name: str) -> AnyValue | None:
            given = line.last(name)
            return given if given is not None or before is None else before.last(name)

        machine.library[INITIAL] = as_value(machine.cwd)
        if self.source.namespace is None and self.source.loader is None:
            module = self._load_dodo(option("file"), option("dir"))
            if module is None:
                return
            self.source.namespace = module.slots
        settings = self._settings(command)
        global_settings = {str(key).replace("-", "_"): value for key, value in self.config.get("GLOBAL", {}).items()}
        global_settings.update(self.config.get(command, {}))
        chosen = {**{key: from_setting(value) for key, value in global_settings.items()}, **settings}
        for name, key in (
            ("db-file", "dep_file"),
            ("backend", "backend"),
            ("check_file_uptodate", "check_file_uptodate"),
        ):
            given = option(name)
            if given is not None:
                chosen[key] = given
        database = Database(machine, chosen.get("dep_file") or Known(".doit.db"), chosen.get("backend"))
        forgets = command == "forget" or (
            command == "clean" and (line.has("forget") or self._flag(chosen, "cleanforget"))
        )
        changes = "keys" if forgets else "values" if command in ("run", "ignore", "reset-dep") else ""
        fresh = database.open(changes)
        earlier = None if fresh else database.entries()
        if not self._load_tasks(line.operands):
            return
        if command not in ("run", "clean"):
            if command in ("forget", "ignore", "reset-dep"):
                database.close()
            return
        names = self._selected(line.operands, chosen.get("default_tasks"))
        settings_of_run = _run_settings(machine, line, chosen, fresh=fresh)
        if earlier is not None:
            settings_of_run.earlier = Earlier(earlier, settings_of_run.checker)
        run = Run(machine, self.table, settings_of_run)
        if command == "clean":
            named = bool(line.operands)
            everything = line.has("clean-all")
            names = list(self.table.tasks) if everything else names
            dependencies = everything or line.has("clean-dep") or not named
            run.clean(names, dependencies=dependencies, dry=line.has("dry-run"))
        else:
            output = line.last("output-file") or chosen.get("outfile")
            if output is not None and text_of(output) is not None:
                machine.access(Operation.OVERWRITE, output, "doit")
            run.run(names)
        database.close(run.changes if command == "run" else forgets)
        run.tear_down()

    def _flag(self, chosen: Mapping[str, AnyValue], name: str) -> bool:
        return name in chosen and self.machine.truth(chosen[name]) is True

    def _load_dodo(self, file: AnyValue | None, folder: AnyValue | None) -> ModuleV | None:
        machine = self.machine
        configured = self.config.get("GLOBAL", {}).get("dodoFile")
        wanted = file if file is not None else Known(configured if isinstance(configured, str) else "dodo.py")
        place = machine.absolute(place_of(wanted))
        if not isinstance(place, str) or machine.exists(place, "file") is False:
            machine.opaque(f"doit: there is no task file {place}", other_code=not isinstance(place, str))
            return None
        base, name = split_last(place)
        add_search_folder(machine, base)
        # The folder is meant from where doit was started.
        machine.cwd = machine.absolute(place_of(folder)) if folder is not None else base
        add_search_folder(machine, machine.cwd)
        try:
            module = machine.import_module(str(name).removesuffix(".py"))
        except AbstractRaise as error:
            machine.note_end(error)
            return None
        if not isinstance(module, ModuleV):
            machine.opaque(f"doit: the task file {name} cannot be imported", other_code=True)
            return None
        return module

    def _settings(self, command: str) -> dict[str, AnyValue]:
        """`DOIT_CONFIG`, or what a loader of the program says in its place."""
        del command
        if self.source.namespace is not None:
            found = self.source.namespace.get("DOIT_CONFIG")
        else:
            found = self._ask("load_doit_config", ())
        found = getattr(found, "value", found) if not isinstance(found, Known) else found
        if not isinstance(found, DictObj):
            return {}
        return {str(key.value): value for key, value in found.known() if isinstance(key, Known)}

    def _ask(self, name: str, args: Sequence[AnyValue]) -> AnyValue | None:
        loader = self.source.loader
        if loader is None or not self.machine.has_attr(loader, name):
            return None
        return self.machine.call(self.machine.get_attr(loader, name), Arguments(args))  # type: ignore[no-any-return]

    # Tasks

    def _load_tasks(self, words: Sequence[AnyValue]) -> bool:
        try:
            if self.source.namespace is None:
                self._ask("setup", [DictObj("dict")])
                made = self._ask("load_tasks", [NONE, ListObj("list", words)])
                entries = self.machine.iterate(made).items if made is not None else ()
                self._add_objects(entries)
                return True
            found = creators(self.machine, self.source.namespace)
            for file in creator_files(found):
                self.machine.access(Operation.READ, Known(f"{self.machine.root}/{file}"), "doit")
            tasks: list[Task] = []
            clash = next((creator.name for creator in found if creator.name in _COMMANDS), None)
            if clash is not None:
                self.machine.opaque(f"doit: a task cannot be called {clash}, which is one of its commands")
                return False
            for creator in found:
                tasks.extend(self._created(creator.name, creator.value, words))
            self.table.add(tasks)
        except AbstractRaise as error:
            self.machine.note_end(error)
            return False
        return True

    def _add_objects(self, values: Sequence[AnyValue]) -> None:
        made: list[Task] = []
        for value in values:
            creator = Native("doit.task", _giving(value))
            made.extend(tasks_of(self.machine, "", creator, {}))
        self.table.add(made)

    def _created(self, name: str, creator: AnyValue, words: Sequence[AnyValue]) -> list[Task]:
        parameters = mark_of(creator, PARAMETERS)
        described = list(parameters.items) if isinstance(parameters, ListObj | TupleV) else []
        arguments: dict[str, AnyValue] = {}
        if described:
            position = next((index for index, word in enumerate(words) if text_of(word) == name), None)
            behind = words[position + 1 :] if position is not None else ()
            arguments, _ = parsed_options(self.machine, described, behind)
        delayed = mark_of(creator, DELAYED)
        if isinstance(delayed, Instance):
            executed = text_of(delayed.slots["executed"])
            first = executed if isinstance(executed, str) else None
            later = Delayed(creator, first, arguments)
            named = known_names(self.machine, delayed.slots["creates"]) or [name]
            return [Task(each, creator=creator, delayed=later) for each in named]
        made = tasks_of(self.machine, name, creator, arguments)
        for task in made:
            if task.parent is None:
                task.parameters.extend(described)
        return made

    def _selected(self, words: Sequence[AnyValue], default: AnyValue | None) -> list[str]:
        """The tasks that the command line names, with their options; the default ones where it names none."""
        if not words:
            if default is not None and default != NONE:
                names = [str(name) for name in names_in(self.machine, default)]
                return [found for name in names for found in self.table.named(name)]
            return list(self.table.tasks)
        rest = list(words)
        chosen: list[str] = []
        while rest:
            word = text_of(rest.pop(0))
            if word is None or (not isinstance(word, str) and word.is_blank):
                self.machine.opaque("doit is told to run tasks that are not known")
                continue
            # A shell hands a pattern on as it is where no file matches.
            text = (
                word
                if isinstance(word, str)
                else "".join(each if isinstance(each, str) else "*" for each in word.parts)
            )
            found = self.table.named(text)
            if not found:
                self.machine.opaque(f"doit: {text} is neither a task nor a target")
                return []
            chosen.extend(found)
            task = self.table.tasks[found[0]]
            if "*" not in text and text in self.table.tasks:
                rest = options_of(self.machine, task, rest)
                if text_of(task.get("pos_arg")) is not None:
                    task.positional, rest = rest, []
        return chosen


def _giving(value: AnyValue) -> Callable[[Machine, Arguments], AnyValue]:
    """A creator that gives a task that is there already."""
    return lambda _, __: value


def _run_settings(machine: Machine, line: CommandLine, chosen: Mapping[str, AnyValue], *, fresh: bool) -> Settings:
    def flag(option: str, key: str) -> bool:
        return line.has(option) or (key in chosen and machine.truth(chosen[key]) is True)

    formatting = text_of(chosen.get("action_string_formatting", Known("old")))
    checker = text_of(chosen.get("check_file_uptodate", Known("md5")))
    return Settings(
        formatting=formatting if isinstance(formatting, str) and formatting in FORMATS else "old",
        keep_going=flag("continue", "continue"),
        single=flag("single", "single"),
        always=flag("always-execute", "always"),
        fresh=fresh,
        checker=checker if isinstance(checker, str) else "md5",
    )


@program("doit", "doit.__main__", commands=["doit"])
def doit(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`doit [run|list|clean|...] [OPTION...] [TASK...]`."""
    machine.set_program(Known("doit"), args, "")
    Session(machine).main(args)


__all__ = ["LOADER", "MAIN", "Session", "Source", "doit"]
