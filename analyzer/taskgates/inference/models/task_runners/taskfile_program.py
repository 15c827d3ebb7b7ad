"""Task (`task`, Taskfile.yml): the tasks that a command line names, with what they depend on."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taskgates.inference.models.system.programs import below, place_of, program
from taskgates.inference.models.task_runners.launching import (
    climb,
    environment_file,
    known_text,
    line_of,
    plain,
    printed,
    read_yaml,
    run_text,
    table,
)
from taskgates.inference.models.task_runners.project_scripts import TASKIPY, Runner
from taskgates.inference.models.task_runners.taskfile_templates import Entry, Templates, as_text
from taskgates.inference.objects import Arguments, ListObj
from taskgates.inference.paths import join_paths, split_last
from taskgates.inference.shell.makefile_text import joined, split_words
from taskgates.inference.values import TRUE, AnyValue, Known, as_value, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike

_FILES = tuple(f"{name}.{ending}" for name in ("Taskfile", "taskfile") for ending in ("yml", "yaml")) + tuple(
    f"{name}.dist.{ending}" for name in ("Taskfile", "taskfile") for ending in ("yml", "yaml")
)
_VALUED = frozenset(
    ["-d", "--dir", "-t", "--taskfile", "-o", "--output", "-C", "--concurrency", "-I", "--interval", "--sort",
     "--output-group-begin", "--output-group-end", "--completion", "--cache-expiry-duration", "--remote-cache-dir"]
)  # fmt: skip
_ENDING = frozenset(
    ["-l", "--list", "-a", "--list-all", "-h", "--help", "--version", "--status", "--summary", "-i", "--init",
     "--completion"]
)  # fmt: skip
_DEEP = 40
_ROUNDS = 2


@dataclass
class _File:
    """A Taskfile: what it says, its text and place, its folder, and the variables of its inclusion."""

    data: dict[str, Any]
    text: str
    place: str
    folder: TextLike
    given: dict[str, Entry] = field(default_factory=dict)


class Program:
    """One run of Task."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._options: dict[str, AnyValue] = {}
        self._flags: set[str] = set()
        self._tasks: dict[str, tuple[_File, Any, str]] = {}
        self._overrides: dict[str, Entry] = {}
        self._globals: dict[str, Entry] = {}
        self._environment: dict[str, TextLike] = {}
        self._start: TextLike = machine.cwd
        self._folder: TextLike = ""
        self._done: set[str] = set()
        self._active: list[str] = []

    def main(self, words: Sequence[AnyValue]) -> None:
        """Carry out a command line."""
        names = self._read(words)
        if self._flags & {"-h", "--help", "--version", "--completion", "-i", "--init"}:
            if self._flags & {"-i", "--init"}:
                self.machine.access(Operation.CREATE, Known("Taskfile.yml"), "task")
            return
        machine = self.machine
        named = self._options.get("-t") or self._options.get("--taskfile")
        folder = self._options.get("-d") or self._options.get("--dir")
        start = place_of(folder) if folder is not None else "."
        place = plain(machine.absolute(place_of(named))) if named is not None else climb(machine, _FILES, start)
        if place is None or machine.exists(place, "file") is not True:
            machine.opaque("task: there is no Taskfile", other_code=True)
            return
        self._folder = machine.absolute(start) if folder is not None else split_last(place)[0]
        self._load(place, self._folder, "", {}, 0)
        if self._flags & _ENDING or self._flags & {"-n", "--dry"}:
            return
        for name in names or ["default"]:
            self._run(name, {}, "", 0)

    def _read(self, words: Sequence[AnyValue]) -> list[str]:
        rest = list(words)
        names: list[str] = []
        while rest:
            word = rest.pop(0)
            text = text_of(word)
            if text == "--":
                self._overrides["CLI_ARGS"] = joined([place_of(one) for one in rest])
                self._overrides["CLI_ARGS_LIST"] = [place_of(one) for one in rest]
                break
            head = text if isinstance(text, str) else getattr(text, "prefix", "")
            name, equals, value = head.partition("=")
            if head.startswith("-"):
                if name in _VALUED:
                    self._options[name] = Known(value) if equals else rest.pop(0) if rest else Known("")
                else:
                    self._flags.update([name] if name.startswith("--") else ["-" + letter for letter in name[1:]])
            elif equals and isinstance(text, str):
                self._overrides[name] = value
            elif isinstance(text, str):
                names.append(text)
            else:
                self.machine.opaque("task is told to run a task that is not known", other_code=True)
        return names

    # Reading

    def _load(self, place: str, folder: TextLike, prefix: str, given: dict[str, Entry], depth: int) -> None:
        machine = self.machine
        data = read_yaml(machine, place, "task")
        inner = machine.in_tree(place)
        if inner is not None:
            machine.note_script(inner)
        if not isinstance(data, dict):
            machine.opaque(f"task: the Taskfile {inner or place} is not understood", other_code=True)
            return
        file = _File(data, known_text(machine, place) or "", inner or place, folder, given)
        here = split_last(place)[0]
        machine.cwd = self._folder
        for name in data.get("dotenv") or ():
            text = Templates(self._globals).filled(str(name))
            for key, value in environment_file(machine, join_paths(here, text), "task").items():
                self._environment.setdefault(key, value)
        if not prefix:
            self._globals = self._variables(table(data, "vars"), self._specials(file), file)
            self._globals.update(self._overrides)
            for name, value in table(data, "env").items():
                self._environment[name] = as_text(self._variable(value, self._globals))
        for name, entry in table(data, "includes").items():
            entry = {"taskfile": entry} if isinstance(entry, str) else entry  # noqa: PLW2901
            if not isinstance(entry, dict) or depth > _DEEP:
                continue
            path = join_paths(here, Templates(self._globals).filled(str(entry.get("taskfile", ""))))
            found = self._included(path)
            if found is None:
                if not entry.get("optional"):
                    machine.opaque(
                        f"task: the included Taskfile {entry.get('taskfile')} is not followed", other_code=True
                    )
                continue
            own = join_paths(here, str(entry["dir"])) if entry.get("dir") else folder
            inner_prefix = prefix if entry.get("flatten") else f"{prefix}{name}:"
            self._load(found, own, inner_prefix, self._variables(table(entry, "vars"), self._globals, file), depth + 1)
        for name, task in table(data, "tasks").items():
            self._tasks[f"{prefix}{name}"] = (file, task, prefix)
            for alias in task.get("aliases") or () if isinstance(task, dict) else ():
                self._tasks[f"{prefix}{alias}"] = (file, task, prefix)

    def _included(self, path: TextLike) -> str | None:
        machine = self.machine
        place = machine.absolute(path)
        if not isinstance(place, str) or "://" in place:
            return None
        if machine.exists(place, "folder") is True:
            return next((f"{place}/{one}" for one in _FILES if machine.exists(f"{place}/{one}", "file") is True), None)
        return place if machine.exists(place, "file") is True else None

    def _specials(self, file: _File) -> dict[str, Entry]:
        return {
            "ROOT_DIR": self._folder,
            "ROOT_TASKFILE": join_paths(self._folder, split_last(file.place)[1]),
            "TASKFILE": f"{self.machine.root}/{file.place}",
            "TASKFILE_DIR": split_last(f"{self.machine.root}/{file.place}")[0],
            "USER_WORKING_DIR": self._start,
            "CLI_ARGS": "",
            "CLI_ARGS_LIST": [],
            "CLI_FORCE": "",
            "CLI_SILENT": "",
        }

    def _variables(self, declared: dict[str, Any], known: dict[str, Entry], file: _File) -> dict[str, Entry]:
        del file
        made = dict(known)
        for name, value in declared.items():
            made[name] = self._variable(value, made)
        return made

    def _variable(self, value: Any, known: dict[str, Entry]) -> Entry:
        if isinstance(value, str):
            return Templates(known).filled(value)
        if isinstance(value, list):
            return [self._variable(item, known) for item in value]
        if not isinstance(value, dict):
            return as_text(value)
        if "sh" in value:
            return printed(self.machine, Templates(known).filled(str(value["sh"])), self._environment)
        if "ref" in value:
            return Templates(known).value(str(value["ref"]))
        return value.get("map", value.get("value", {}))

    # Running

    def _found(self, name: str) -> tuple[str, list[str]] | None:
        """The declared name of a task, and what its wildcards stand for."""
        if name in self._tasks:
            return name, []
        for declared in self._tasks:
            if "*" in declared and fnmatch.fnmatchcase(name, declared):
                found = re.fullmatch(re.escape(declared).replace(r"\*", "(.*)"), name)
                return declared, list(found.groups()) if found else []
            if declared.endswith(":default") and declared == f"{name}:default":
                return declared, []
        return None

    def _run(self, name: str, given: dict[str, Entry], prefix: str, depth: int) -> None:
        machine = self.machine
        found = (
            self._found(name.removeprefix(":"))
            if name.startswith(":") or not prefix
            else (self._found(prefix + name) or self._found(name))
        )
        if found is None:
            machine.opaque(f"task: there is no task {name}", other_code=True)
            return
        declared, matches = found
        if depth > _DEEP or self._active.count(declared) >= _ROUNDS:
            machine.opaque("task: tasks call each other too deeply")
            return
        self._active.append(declared)
        try:
            self._perform(declared, matches, given, depth)
        finally:
            self._active.pop()

    def _perform(self, declared: str, matches: Sequence[str], given: dict[str, Entry], depth: int) -> None:
        machine = self.machine
        file, task, own_prefix = self._tasks[declared]
        task = {"cmds": [task]} if isinstance(task, str) else {"cmds": task} if isinstance(task, list) else task or {}
        if not self._applies(task):
            return
        key = f"{declared} {sorted(given.items(), key=str)}"
        if key in self._done and (task.get("run") or file.data.get("run")) in ("once", "when_changed"):
            return
        self._done.add(key)
        known: dict[str, Entry] = {**self._globals, **file.given}
        known.update({"TASK": declared, "TASKFILE_DIR": split_last(f"{machine.root}/{file.place}")[0]})
        known["MATCH"] = list(matches)
        machine.cwd = machine.absolute(file.folder)
        if own_prefix:
            known = self._variables(table(file.data, "vars"), known, file)
            known.update(file.given)
            known.update(self._overrides)
        known.update(given)
        known = self._variables(table(task, "vars"), known, file)
        if task.get("dir"):
            machine.cwd = machine.absolute(join_paths(file.folder, Templates(known).filled(str(task["dir"]))))
            machine.access(Operation.MKDIR, as_value(machine.cwd), "task")
        here = machine.cwd
        environment = dict(self._environment)
        for one in task.get("dotenv") or ():
            environment |= environment_file(machine, Templates(known).filled(str(one)), "task")
        for variable, value in {**(table(file.data, "env") if own_prefix else {}), **table(task, "env")}.items():
            environment[variable] = as_text(self._variable(value, known))
        for one in task.get("deps") or ():
            self._step(
                one if isinstance(one, dict) else {"task": str(one)}, task, known, environment, own_prefix, depth
            )
            machine.cwd = here
        for check in [*(task.get("preconditions") or ()), *(task.get("status") or ())]:
            text = str(check.get("sh", "")) if isinstance(check, dict) else str(check)
            run_text(machine, Templates(known).filled(text), environment, place=(file.place, line_of(file.text, text)))
        self._check_sources(task, file, known, declared)
        later: list[Any] = []
        commands = task.get("cmds") or ([task["cmd"]] if task.get("cmd") else [])
        for one in commands if isinstance(commands, list) else [commands]:
            machine.cwd = here
            if isinstance(one, dict) and "defer" in one:
                later.insert(0, one["defer"])
                continue
            self._step(one, task, known, environment, own_prefix, depth, file)
        for one in later:
            machine.cwd = here
            self._step(one, task, known, environment, own_prefix, depth, file)

    @staticmethod
    def _applies(entry: dict[str, Any]) -> bool:
        platforms = entry.get("platforms")
        return not platforms or any("linux" in str(one) or str(one) in ("amd64", "arm64") for one in platforms)

    def _step(  # noqa: PLR0917 - what a command is run with
        self,
        step: Any,
        task: dict[str, Any],
        known: dict[str, Entry],
        environment: dict[str, TextLike],
        prefix: str,
        depth: int,
        file: _File | None = None,
    ) -> None:
        if not isinstance(step, dict):
            self._command(str(step), known, environment, file)
            return
        if not self._applies(step):
            return
        for item in self._items(step.get("for"), task, known):
            inner = {**known, **item}
            if "task" in step:
                given = {key: self._variable(value, inner) for key, value in table(step, "vars").items()}
                name = Templates(inner).filled(str(step["task"]))
                if isinstance(name, str):
                    before = self.machine.cwd
                    self._run(name, given, prefix, depth + 1)
                    self.machine.cwd = before
                else:
                    self.machine.opaque("task calls a task that is not known", other_code=True)
            elif "cmd" in step:
                self._command(str(step["cmd"]), inner, environment, file)

    def _command(
        self, text: str, known: dict[str, Entry], environment: dict[str, TextLike], file: _File | None
    ) -> None:
        place = (file.place, line_of(file.text, text)) if file is not None else None
        run_text(self.machine, Templates(known).filled(text), environment, place=place)

    def _items(self, loop: Any, task: dict[str, Any], known: dict[str, Entry]) -> list[dict[str, Entry]]:
        """The values that a loop goes through, by the names that they have in it."""
        if loop is None:
            return [{}]
        if isinstance(loop, list):
            return [{"ITEM": self._variable(item, known)} for item in loop]
        if loop in ("sources", "generates"):
            return [{"ITEM": text} for text in self._globbed(task.get(loop) or (), known)]
        if isinstance(loop, dict) and "var" in loop:
            name = str(loop.get("as") or "ITEM")
            value = known.get(str(loop["var"]), "")
            if isinstance(value, dict):
                return [{"KEY": key, name: self._variable(item, known)} for key, item in value.items()]
            if isinstance(value, list):
                return [{name: item} for item in value]
            mark = loop.get("split")
            if mark and isinstance(value, str):
                return [{name: part} for part in value.split(str(mark)) if part]
            return [{name: word} for word in split_words(value)]
        if isinstance(loop, dict) and "matrix" in loop:
            rows: list[dict[str, Entry]] = [{}]
            for key, values in loop["matrix"].items():
                items = values if isinstance(values, list) else []
                rows = [{**row, key: self._variable(item, known)} for row in rows for item in items]
            return [{"ITEM": row} for row in rows]
        self.machine.opaque("task: a loop is not understood")
        return []

    def _globbed(self, patterns: Any, known: dict[str, Entry]) -> list[TextLike]:
        found: list[TextLike] = []
        for pattern in patterns if isinstance(patterns, list | tuple) else ():
            text = Templates(known).filled(str(pattern)) if not isinstance(pattern, dict) else ""
            if text == "":
                continue
            given = self.machine.call_external("glob.glob", Arguments([as_value(text)], {"recursive": TRUE}), None)
            if isinstance(given, ListObj):
                found += [one for item in given.items if (one := text_of(item)) is not None]
                if given.rest is not None and (rest := text_of(given.rest)) is not None:
                    found.append(rest)
        return found

    def _check_sources(self, task: dict[str, Any], file: _File, known: dict[str, Entry], name: str) -> None:
        """What Task itself reads and keeps to see whether a task is up to date."""
        method = task.get("method") or file.data.get("method") or "checksum"
        if not task.get("sources") or method == "none":
            return
        kept = below(self._folder, ".task", str(method), re.sub(r"[^A-Za-z0-9]+", "-", name))
        if method == "checksum":
            for text in self._globbed(task["sources"], known):
                self.machine.access(Operation.READ, as_value(text), "task")
        if self.machine.exists(place_of(kept)) is not False:
            self.machine.access(Operation.READ, kept, "task")
        self.machine.access(Operation.OVERWRITE, kept, "task")


@program("task", commands=["task", "go-task"])
def task(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`task TASK...`; without a Taskfile, the program of that name that taskipy installs."""
    place = climb(machine, ["pyproject.toml"]) if climb(machine, _FILES) is None else None
    if place is not None and "[tool.taskipy" in (known_text(machine, place) or ""):
        Runner(machine, TASKIPY).main(args)
        return
    Program(machine).main(args)
