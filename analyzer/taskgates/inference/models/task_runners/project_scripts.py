"""Managers of projects and environments that run commands: uv, Poetry, PDM, Hatch, Rye, Pipenv, Pixi, Poe, taskipy.

Their scripts stand in `pyproject.toml` as data. The environment is taken to be there and up to date; a command that
changes it is opaque.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taskgates.inference.models.command_lines.words import Words
from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.models.task_runners.launching import (
    climb,
    environment_file,
    known_text,
    line_of,
    read_toml,
    run_text,
    run_words,
    table,
)
from taskgates.inference.paths import join_paths, split_last
from taskgates.inference.values import AnyValue, Known, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike

_DEEP = 30
_CALL = re.compile(r"\s*([\w.]+):([\w.]+)\s*(\(.*\))?\s*$", re.DOTALL)
_PLACE = re.compile(r"\{args(?::((?:[^{}]|\{[^{}]*\})*))?\}")


@dataclass(frozen=True)
class Tool:
    """A manager.

    Attributes:
        name: its name.
        files: the files that its scripts may stand in, and the keys of the table in each.
        verb: the word in front of a script's name; empty without one.
        valued: options that take a value.
        harmless: subcommands that touch nothing below the root.
        is_shell: whether a plain script is shell text.
        reads: further files that it reads where they are there.
    """

    name: str
    files: tuple[tuple[str, tuple[str, ...]], ...]
    verb: str = "run"
    valued: frozenset[str] = frozenset()
    harmless: frozenset[str] = frozenset(["--version", "-V", "--help", "-h", "help", "about", "self", "version"])
    is_shell: bool = False
    reads: tuple[str, ...] = ()


@dataclass
class _Script:
    """A script as it is declared."""

    value: Any
    file: str
    text: str
    folder: TextLike
    environment: dict[str, TextLike] = field(default_factory=dict)


class Runner:
    """One run of a manager."""

    def __init__(self, machine: Machine, tool: Tool) -> None:
        self.machine = machine
        self.tool = tool
        self._words = Words()
        self._scripts: dict[str, _Script] = {}
        self._shared: dict[str, Any] = {}
        self._environment: dict[str, TextLike] = {}
        self._options: dict[str, AnyValue] = {}
        self._flags: set[str] = set()
        self._folder: TextLike = machine.cwd

    def main(self, words: Sequence[AnyValue]) -> None:
        """Carry out a command line."""
        rest = self._take_options(words)
        verb = text_of(rest[0]) if rest else None
        if not rest or verb in self.tool.harmless:
            return
        if self.tool.verb:
            if verb != self.tool.verb:
                self._other(str(verb), rest[1:])
                return
            rest = self._take_options(rest[1:])
        folder = next((self._options[name] for name in ("-C", "--directory", "-p", "--project") if name in self._options
                       and self.tool.name != "hatch"), None)  # fmt: skip
        if folder is not None:
            self._folder = self.machine.absolute(place_of(folder))
        self._read_files()
        for name in ("--env-file", "-E", "--executable-env-file"):
            if name in self._options:
                self._environment.update(environment_file(self.machine, place_of(self._options[name]), self.tool.name))
        if self._flags & {"-l", "--list", "-m", "--module"} and self.tool.name != "uv":
            return
        if self._flags & {"-m", "--module"}:
            run_words(self.machine, ["python", "-m", *map(place_of, rest)], self._environment)
        elif rest:
            self._start(rest)

    def _take_options(self, words: Sequence[AnyValue]) -> list[AnyValue]:
        line = LooseLine(words, self.tool.valued, mixed=False)
        self._options.update(line.options)
        self._flags |= line.flags
        return [] if line.flags & self.tool.harmless else line.operands

    def _other(self, verb: str, rest: Sequence[AnyValue]) -> None:
        """A subcommand that runs nothing of the project's."""
        for index, word in enumerate(rest):
            if text_of(word) in ("-r", "--requirement", "--requirements") and index + 1 < len(rest):
                self.machine.access(Operation.READ, rest[index + 1], self.tool.name)
        self._read_files()
        self.machine.opaque(f"{self.tool.name} {verb} changes an environment or the project's files", other_code=True)

    def _read_files(self) -> None:
        machine = self.machine
        if "--no-project" in self._flags:
            return
        for name in self.tool.reads:
            place = climb(machine, [name], self._folder)
            if place is not None:
                machine.access(Operation.READ, Known(place), self.tool.name)
        if self.tool.name == "pdm" and machine.exists(join_paths(self._folder, ".pdm-python")) is False:
            machine.access_text(Operation.OVERWRITE, join_paths(self._folder, ".pdm-python"), "pdm", False)
        for name, keys in self.tool.files:
            place = climb(machine, [name], self._folder)
            if place is None:
                continue
            data = read_toml(machine, place, self.tool.name)
            text = known_text(machine, place) or ""
            folder, file = split_last(place)[0], machine.in_tree(place) or place
            if self.tool.name == "hatch":
                self._read_hatch(table(data, *keys), file, text, folder)
                continue
            found = table(data, *keys)
            for key, value in found.items():
                if key == "_" and isinstance(value, dict):
                    self._shared = value
                else:
                    self._scripts.setdefault(key, _Script(value, file, text, folder))
            if self.tool.name == "poe":
                self._set_environment(table(data, *keys[:-1], "env"), folder)
                files = table(data, *keys[:-1]).get("envfile")
                self._set_files(files, folder, self._environment)

    def _read_hatch(self, environments: dict[str, Any], file: str, text: str, folder: TextLike) -> None:
        default = table(environments, "default")
        for name in {"default", *environments}:
            own = table(environments, name)
            inherited = {} if own.get("detached") or own.get("template") == name else default
            other = own.get("template")
            if isinstance(other, str):
                inherited = {**inherited, **table(environments, other)}
            variables = {**table(inherited, "env-vars"), **table(own, "env-vars")}
            for key, value in {**table(inherited, "scripts"), **table(own, "scripts")}.items():
                script = _Script(value, file, text, folder, {each: str(one) for each, one in variables.items()})
                self._scripts[f"{name}:{key}"] = script
                if name == "default":
                    self._scripts.setdefault(key, script)

    def _set_environment(self, given: Mapping[str, Any], folder: TextLike) -> None:
        del folder
        for name, value in given.items():
            if isinstance(value, str):
                self._environment[name] = self._expanded(value, self._environment)
            elif isinstance(value, dict) and "default" in value:
                found = text_of(self.machine.env_value(name))
                self._environment[name] = found if found is not None else str(value["default"])

    def _set_files(self, given: Any, folder: TextLike, target: dict[str, TextLike]) -> None:
        if isinstance(given, dict):
            given = given.get("override") or given.get("expected") or given.get("optional")
        for name in given if isinstance(given, list) else [given] if isinstance(given, str) else ():
            target.update(environment_file(self.machine, join_paths(folder, str(name)), self.tool.name))

    # Running

    def _start(self, words: Sequence[AnyValue], depth: int = 0) -> None:
        machine = self.machine
        name = text_of(words[0])
        named = name if isinstance(name, str) else ""
        environment = named.partition(":")[0] if self.tool.name == "hatch" and ":" in named else ""
        script = self._scripts.get(named)
        if script is None:
            if environment:
                words = [Known(named.partition(":")[2]), *words[1:]]
            texts = [place_of(word) for word in words]
            if self.tool.name == "uv" and isinstance(texts[0], str) and texts[0].endswith(".py"):
                # What the script requires may stand in a comment of it.
                machine.access(Operation.READ, words[0], "uv")
                texts = ["python", *texts]
            if self.tool.verb:
                run_words(machine, texts, self._environment)
            else:
                machine.opaque(f"{self.tool.name}: there is no task {named}", other_code=True)
            return
        for before in (f"pre_{named}", f"pre{named}") if self.tool.name in ("pdm", "taskipy") else ():
            if before in self._scripts:
                self._run(self._scripts[before], (), {}, depth + 1)
        self._run(script, words[1:], {}, depth)
        for after in (f"post_{named}", f"post{named}") if self.tool.name in ("pdm", "taskipy") else ():
            if after in self._scripts:
                self._run(self._scripts[after], (), {}, depth + 1)

    def _run(self, script: _Script, args: Sequence[AnyValue], outer: dict[str, TextLike], depth: int) -> None:
        machine = self.machine
        if depth > _DEEP:
            machine.opaque(f"{self.tool.name}: scripts call each other too deeply")
            return
        value = script.value
        entry: dict[str, Any] = value if isinstance(value, dict) else {}
        variables = {**self._environment, **script.environment, **outer}
        for settings in (self._shared, entry):
            self._set_files(settings.get("env_file", settings.get("env-file", settings.get("envfile"))), script.folder,
                            variables)  # fmt: skip
            for name, one in table(settings, "env").items():
                variables[name] = self._expanded(str(one), variables)
        rest = list(args)
        if "args" in entry or "args" in table(value, "args"):
            variables, rest = self._arguments(entry.get("args"), rest, variables), []
        before = machine.cwd
        machine.cwd = script.folder if self.tool.verb != "run" or self.tool.name in ("hatch", "pixi") else before
        folder = entry.get("cwd", entry.get("working_dir", self._shared.get("working_dir")))
        if isinstance(folder, str):
            machine.cwd = machine.absolute(join_paths(script.folder, self._expanded(folder, variables)))
        for other in entry.get("deps") or entry.get("depends-on") or entry.get("depends_on") or ():
            self._again(other, depth)
        self._carry_out(script, value, entry, rest, variables, depth)
        machine.cwd = before

    def _again(self, other: Any, depth: int) -> None:
        if isinstance(other, dict) and "task" in other:
            other = other["task"]
        if isinstance(other, str):
            self._start([Known(word) for word in shlex.split(other)], depth + 1)

    def _carry_out(  # noqa: PLR0917 - what a script is run with
        self,
        script: _Script,
        value: Any,
        entry: dict[str, Any],
        rest: list[AnyValue],
        variables: dict[str, TextLike],
        depth: int,
    ) -> None:
        if isinstance(value, list) and (self.tool.name in ("hatch", "poe")):
            entry = {"sequence": value}
        sequence = entry.get("sequence", entry.get("composite", entry.get("chain")))
        call = entry.get("call", entry.get("script", entry.get("callable")))
        if isinstance(sequence, list):
            self._sequence(script, sequence, rest, variables, depth)
        elif isinstance(call, str):
            self._call(call, rest, variables)
        elif isinstance(entry.get("shell"), str):
            self._text(script, entry["shell"], rest, variables)
        elif isinstance(entry.get("ref"), str):
            self._start([*(Known(word) for word in shlex.split(entry["ref"])), *rest], depth + 1)
        elif isinstance(reference := entry.get("reference"), str) and entry.get("type") != "file":
            self._call(reference, rest, variables)
        elif isinstance(value, str) and _CALL.match(value) and self.tool.name == "poetry":
            self._call(value, rest, variables)
        else:
            command = value if isinstance(value, str | list) else entry.get("cmd", "")
            self._command(script, command, rest, variables, depth)

    def _sequence(
        self, script: _Script, steps: list[Any], rest: list[AnyValue], variables: dict[str, TextLike], depth: int
    ) -> None:
        for step in steps:
            if self.tool.name in ("pdm", "poe", "rye") and isinstance(step, str):
                words = shlex.split(step)
                if words and (words[0] in self._scripts or self.tool.name != "pdm"):
                    self._start(
                        [*map(Known, words)] if self.tool.name != "pdm" else [*map(Known, words), *rest], depth + 1
                    )
                    continue
            inner = _Script(step, script.file, script.text, script.folder, script.environment)
            self._run(inner, rest, variables, depth + 1)

    def _call(self, text: str, rest: list[AnyValue], variables: dict[str, TextLike]) -> None:
        found = _CALL.match(text)
        if found is None:
            self.machine.opaque(f"{self.tool.name}: the call {text} is not understood", other_code=True)
            return
        arguments = found[3] or "()"
        for name, value in variables.items():
            if isinstance(value, str):
                arguments = re.sub(rf"(?<![\w\"'.=]){re.escape(name)}(?![\w\"'=])", repr(value), arguments)
        code = f"import sys; sys.path[:0] = ['', 'src']; import {found[1]}; {found[1]}.{found[2]}{arguments}"
        run_words(self.machine, ["python", "-c", code, *map(place_of, rest)], variables)

    def _text(self, script: _Script, text: str, rest: list[AnyValue], variables: dict[str, TextLike]) -> None:
        words = shlex.join(self._words.encode(word) for word in rest)
        if _PLACE.search(text):
            text = _PLACE.sub(lambda found: words or (found[1] or ""), text)
        elif words and self.tool.name != "poe":
            text = f"{text} {words}"
        line = line_of(script.text, text)
        run_text(self.machine, place_of(self._words.decode(text)), variables, place=(script.file, line))

    def _command(
        self, script: _Script, command: Any, rest: list[AnyValue], variables: dict[str, TextLike], depth: int
    ) -> None:
        if isinstance(command, list):
            texts = [place_of(Known(str(word))) for word in command]
            run_words(self.machine, [*texts, *map(place_of, rest)], variables)
            return
        text = str(command).strip()
        if self.tool.name == "hatch":
            text = self._filled_hatch(text.removeprefix("- "), script)
            first = text.split(None, 1)[0] if text else ""
            own = next((one for one in self._scripts if self._scripts[one].environment == script.environment
                        and one.rpartition(":")[2] == first), None)  # fmt: skip
            if own is not None and self._scripts[own].value is not script.value:
                self._run(self._scripts[own], [*(Known(word) for word in shlex.split(text)[1:]), *rest], {}, depth + 1)
                return
            uses = _PLACE.search(text) is not None
            self._text(script, text, rest if uses or not isinstance(script.value, list) else [], variables)
            return
        if self.tool.is_shell:
            self._text(script, text, rest, variables)
            return
        text = _PLACE.sub(lambda found: shlex.join(map(self._words.encode, rest)) or (found[1] or ""), text)
        appended = [] if _PLACE.search(str(command)) else rest
        if self.tool.name == "poe":
            # Variables and patterns are replaced as a shell does; nothing else is.
            run_text(
                self.machine, " ".join(text.split("\n")), variables, place=(script.file, line_of(script.text, text))
            )
            return
        try:
            words = [self._words.decode(word) for word in shlex.split(text)]
        except ValueError:
            self.machine.opaque(f"{self.tool.name}: a script cannot be split into words", other_code=True)
            return
        run_words(self.machine, [place_of(word) for word in (*words, *appended)], variables)

    @staticmethod
    def _filled_hatch(text: str, script: _Script) -> str:
        folder = script.folder if isinstance(script.folder, str) else "."
        text = text.replace("{root}", folder).replace("{home}", "~").replace("{matrix:", "{")
        return re.sub(
            r"\{env:(\w+)(?::([^{}]*))?\}", lambda found: str(script.environment.get(found[1], found[2] or "")), text
        )

    def _arguments(self, declared: Any, rest: list[AnyValue], variables: dict[str, TextLike]) -> dict[str, TextLike]:
        """The values of a task's own arguments, as variables of their names."""
        made = dict(variables)
        entries: list[dict[str, Any]] = []
        if isinstance(declared, dict):
            entries = [{"name": name, **(one if isinstance(one, dict) else {})} for name, one in declared.items()]
        for one in declared if isinstance(declared, list) else ():
            entries.append(one if isinstance(one, dict) else {"name": str(one)})
        positional = [one for one in entries if one.get("positional")]
        for one in entries:
            if "default" in one:
                made[str(one["name"])] = str(one["default"])
        words = list(rest)
        while words:
            text = text_of(words.pop(0))
            name, equals, value = text.partition("=") if isinstance(text, str) else ("", "", "")
            found = next((one for one in entries if name in (one.get("options") or [f"--{one['name']}"])), None)
            if name.startswith("-") and found is not None:
                if found.get("type") == "boolean":
                    made[str(found["name"])] = "True"
                elif equals:
                    made[str(found["name"])] = value
                elif words:
                    made[str(found["name"])] = place_of(words.pop(0))
            elif positional and isinstance(text, str):
                made[str(positional.pop(0)["name"])] = text
        return made

    def _expanded(self, text: str, variables: Mapping[str, TextLike]) -> str:
        def value(found: re.Match[str]) -> str:
            known = variables.get(found[1] or found[2])
            if known is None:
                known = text_of(self.machine.env_value(found[1] or found[2]))
            return known if isinstance(known, str) else ""

        return re.sub(r"\$\{(\w+)\}|\$(\w+)", value, text)


_UV = frozenset(
    ["--with", "--with-editable", "--with-requirements", "-p", "--python", "--extra", "--group", "--project",
     "--directory", "--env-file", "--package", "--only-group", "--no-group", "--cache-dir", "--config-file",
     "--index-url", "-i", "--find-links", "-f", "--color"]
)  # fmt: skip
TOOLS = (
    Tool("uv", (("pyproject.toml", ("tool", "uv", "none")),), valued=_UV, reads=("uv.lock", "uv.toml")),
    Tool("poetry", (("pyproject.toml", ("tool", "poetry", "scripts")),),
         valued=frozenset(["-C", "--directory", "-P", "--project"]), reads=("poetry.toml",)),
    Tool("pdm", (("pyproject.toml", ("tool", "pdm", "scripts")),),
         valued=frozenset(["-p", "--project", "-c", "--config", "--venv"]),
         reads=("pdm.toml", ".pdm.toml", ".pdm-python")),
    Tool("hatch", (("pyproject.toml", ("tool", "hatch", "envs")), ("hatch.toml", ("envs",))),
         valued=frozenset(["-e", "--env", "-p", "--project", "--data-dir", "--cache-dir", "--config"])),
    Tool("rye", (("pyproject.toml", ("tool", "rye", "scripts")),), valued=frozenset(["--pyproject"])),
    Tool("pipenv", (("Pipfile", ("scripts",)),), valued=frozenset(["--python"])),
    Tool("pixi", (("pixi.toml", ("tasks",)), ("pyproject.toml", ("tool", "pixi", "tasks"))), is_shell=True,
         valued=frozenset(["-e", "--environment", "--manifest-path"])),
    Tool("poe", (("pyproject.toml", ("tool", "poe", "tasks")), ("poe_tasks.toml", ("tasks",))), verb="",
         valued=frozenset(["-C", "--directory", "-e", "--executor", "--root"])),
)  # fmt: skip
TASKIPY = Tool("taskipy", (("pyproject.toml", ("tool", "taskipy", "tasks")),), verb="", is_shell=True)


def _program(tool: Tool) -> None:
    def run(machine: Machine, args: Sequence[AnyValue]) -> None:
        Runner(machine, tool).main(args)

    run.__doc__ = f"`{tool.name} {tool.verb}`."
    modules = {"poe": "poethepoet"}
    program(modules.get(tool.name, tool.name), commands=[tool.name])(run)


for _tool in TOOLS:
    _program(_tool)


@program("taskipy", "taskipy.cli")
def taskipy(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`task NAME` of taskipy."""
    Runner(machine, TASKIPY).main(args)
