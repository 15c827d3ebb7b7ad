"""tox: the environments that a command line names, and the commands that run in them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from taskgates.inference.models.command_lines.words import Words
from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import below, place_of, program
from taskgates.inference.models.task_runners.launching import (
    install,
    make_environment,
    plain,
    run_words,
    use_environment,
)
from taskgates.inference.models.task_runners.tox_settings import (
    MOST_NAMES,
    Settings,
    SettingsError,
    commands_in,
    for_factors,
    is_true,
    read_settings,
    substituted,
    words_of,
)
from taskgates.inference.paths import join_paths
from taskgates.inference.text import Text, concat
from taskgates.inference.values import AnyValue, Known, as_value, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike

_COMMANDS = {
    "r": "run", "run": "run", "p": "run", "run-parallel": "run", "l": "list", "list": "list", "c": "config",
    "config": "config", "e": "exec", "exec": "exec", "d": "devenv", "devenv": "devenv", "le": "run", "legacy": "run",
    "q": "other", "quickstart": "other", "de": "other", "depends": "other", "man": "other", "schema": "other",
}  # fmt: skip
_VALUED = frozenset(
    ["-e", "-c", "--conf", "--workdir", "--root", "-m", "-f", "-x", "--override", "--result-json", "--installpkg",
     "--colored", "--stderr-color", "--default-runner", "--runner", "--discover", "--skip-env", "--hashseed",
     "--exit-and-dump-after"]
)  # fmt: skip


class Program:
    """One run of tox."""

    def __init__(self, machine: Machine, words: Sequence[AnyValue]) -> None:
        self.machine = machine
        self._line = LooseLine(words, _VALUED, optional=("-p", "--parallel"))
        behind = self._line.behind or []
        self._named = self._line.operands[: len(self._line.operands) - len(behind)]

    def main(self) -> None:
        """Carry out a command line."""
        command, flags = self._command(), self._line.flags
        if flags & {"--version", "-h", "--help"} or command == "other":
            return
        named = self._line.last("-c", "--conf") or self._line.last("--root")
        try:
            settings = read_settings(self.machine, plain(place_of(named)) if named is not None else None)
        except SettingsError as error:
            self.machine.opaque(str(error), other_code=True)
            return
        if command in ("list", "config") or flags & {"-l", "-a", "--listenvs", "--showconfig"}:
            return
        self.machine.cwd = settings.folder
        names = self._names(settings)
        if len(names) >= MOST_NAMES:
            self.machine.opaque(f"tox: of more than {MOST_NAMES} environments not all are followed")
        for name in names:
            Environment(self.machine, settings, name, self._line.behind, self._work_folder(settings)).run(
                commands=command == "run" and not flags & {"-n", "--notest"},
                packaged="--skip-pkg-install" not in flags,
            )
        result = self._line.last("--result-json")
        if result is not None:
            self.machine.access(Operation.OVERWRITE, result, "tox")

    def _command(self) -> str:
        command = "run"
        for word in self._named:
            text = text_of(word)
            if isinstance(text, str):
                command = _COMMANDS.get(text, command)
            else:
                self.machine.opaque("tox: a word of the command line is not known", other_code=True)
        return command

    def _names(self, settings: Settings) -> list[str]:
        given = [name for value in self._line.every("-e") for name in str(text_of(value)).split(",") if name]
        if not given:
            variable = text_of(self.machine.env_value("TOXENV"))
            given = variable.split(",") if isinstance(variable, str) and variable else []
        for value in self._line.every("-m"):
            given += settings.labelled(str(text_of(value)))
        factors = self._line.every("-f")
        if factors:
            wanted = {part for value in factors for part in str(text_of(value)).split("-")}
            given += [name for name in settings.named if wanted <= set(name.split("-"))]
        if "ALL" in given:
            given = settings.named
        return list(dict.fromkeys(given)) or settings.listed or ["py"]

    def _work_folder(self, settings: Settings) -> TextLike:
        named = self._line.last("--workdir")
        if named is not None:
            return self.machine.absolute(place_of(named))  # type: ignore[no-any-return]
        own = settings.core.get("work_dir")
        if isinstance(own, str):
            own = substituted(own, {"toxinidir": settings.folder, "tox_root": settings.folder}.get)
            return self.machine.absolute(own)  # type: ignore[no-any-return]
        return f"{settings.folder}/.tox"


class Environment:
    """One environment.

    Args:
        machine: the interpreter.
        settings: the project's.
        name: the environment's.
        posargs: the words behind `--`, None where there are none.
        work: the folder of all environments.
    """

    def __init__(
        self, machine: Machine, settings: Settings, name: str, posargs: list[AnyValue] | None, work: TextLike
    ) -> None:
        self.machine = machine
        self._settings = settings
        self._name = name
        self._posargs = posargs
        self._work = work
        self._own = settings.environment(name)
        self._words = Words()
        self._variables: dict[str, str] = {}
        self._folder: TextLike = concat(work, f"/{name}")
        given = self._own.get("env_dir")
        if isinstance(given, str):
            self._folder = machine.absolute(self._text(given))

    def run(self, *, commands: bool, packaged: bool) -> None:
        """Make the environment, and run its commands."""
        machine = self.machine
        for name in (".gitignore", "CACHEDIR.TAG"):
            machine.access(Operation.OVERWRITE, below(self._work, name), "tox")
        make_environment(machine, self._folder, "tox")
        for name in (".tox-info.json", "bin/python"):
            machine.access(Operation.READ, below(self._folder, name), "tox")
        machine.set_environ["TOX_ENV_NAME"] = Known(self._name)
        for line in words_of(self._filtered(self._own.get("deps", ""))):
            install(machine, shlex.split(self._text(line), comments=True), "tox")
        skipped = is_true(self._filtered(self._own.get("skip_install", False)))
        core = self._settings.core.get("no_package", False)
        if packaged and not skipped and not is_true(core) and self._text(str(self._own.get("package", ""))) != "skip":
            machine.opaque("tox: building and installing the project is not followed", other_code=True)
        if not commands:
            return
        self._set_variables()
        before = machine.cwd
        changed = self._own.get("change_dir")
        if isinstance(changed, str):
            machine.cwd = machine.absolute(self._text(for_factors(changed, self._name).strip()))
        for key in ("commands_pre", "commands", "commands_post"):
            for words in self._commands(self._own.get(key, "")):
                self._start(words)
        machine.cwd = before

    def _start(self, words: list[AnyValue]) -> None:
        texts = [place_of(word) for word in words]
        while texts and isinstance(texts[0], str) and texts[0] in ("-", "!"):
            texts.pop(0)
        if texts and isinstance(texts[0], str) and texts[0][:1] in ("-", "!"):
            texts[0] = texts[0][1:]
        if not texts:
            return
        if isinstance(texts[0], str) and texts[0].rpartition("/")[2].startswith("python"):
            use_environment(self.machine, self._folder, "tox")
        run_words(self.machine, texts, self._variables)

    def _filtered(self, value: Any) -> Any:
        return for_factors(value, self._name) if isinstance(value, str) else value

    def _set_variables(self) -> None:
        given = self._filtered(self._own.get("set_env", ""))
        if isinstance(given, dict):
            for name, value in given.items():
                text = self._value(value)
                if text is not None:
                    self._variables[name] = " ".join(text)
            return
        for line in words_of(given):
            name, sign, value = line.partition("=")
            if sign:
                self._variables[name.strip()] = self._text(value.strip())
            elif line.startswith("file|"):
                self.machine.access(Operation.READ, Known(self._text(line[5:])), "tox")

    def _commands(self, value: Any) -> list[list[AnyValue]]:
        made: list[list[AnyValue]] = []
        if isinstance(value, str):
            for line in commands_in(self._filtered(value)):
                try:
                    words = shlex.split(self._text(line), comments=False)
                except ValueError:
                    self.machine.opaque("tox: a command cannot be split into words", other_code=True)
                    continue
                # A setting of another section may hold several commands.
                made.append([self._words.decode(word) for word in words])
            return made
        for command in value if isinstance(value, list) else ():
            if isinstance(command, dict):
                inner = self._referred(command)
                made += self._commands(inner) if isinstance(inner, list) else []
                continue
            words = []
            for item in command if isinstance(command, list) else ():
                words += self._value(item) or []
            made.append([self._words.decode(word) for word in words])
        return made

    def _value(self, item: Any) -> list[str] | None:
        """The words that an entry of a TOML file stands for; None where that is not known."""
        if isinstance(item, str):
            return self._positional([]) if item == "{posargs}" else [self._text(item)]
        if not isinstance(item, dict):
            return [str(item)]
        default = item.get("default", [] if item.get("replace") == "posargs" else "")
        if item.get("replace") == "posargs":
            return self._positional([str(one) for one in default] if isinstance(default, list) else [str(default)])
        if item.get("replace") == "env":
            found = text_of(self.machine.env_value(str(item.get("name"))))
            return [found] if isinstance(found, str) else [self._text(str(default))]
        if item.get("replace") == "ref":
            inner = self._referred(item)
            return [self._text(str(one)) for one in inner] if isinstance(inner, list) else [self._text(str(inner))]
        self.machine.opaque(f"tox: the replacement {item.get('replace')} is not followed")
        return None

    def _referred(self, item: dict[str, Any]) -> Any:
        of = item.get("of")
        if isinstance(of, list) and len(of) > 1:
            if of[0] == "env":
                return self._settings.environment(str(of[1])).get(str(of[-1]), [])
            if of[0] == "env_run_base":
                return self._settings.environment("").get(str(of[-1]), [])
        if "env" in item:
            return self._settings.environment(str(item["env"])).get(str(item.get("key")), [])
        return []

    def _positional(self, default: list[str]) -> list[str]:
        if not self._posargs:
            return [self._text(word) for word in default]
        return [self._words.encode(word) for word in self._posargs]

    # Substitution

    def _text(self, text: str) -> str:
        return substituted(self._filtered(text), self._resolve)

    def _resolve(self, reference: str) -> str | None:
        if reference == "/":
            return "/"
        if reference == ":":
            return ":"
        name, colon, default = reference.partition(":")
        if name == "posargs":
            if self._posargs:
                return shlex.join(self._words.encode(word) for word in self._posargs)
            return default
        if name == "env" and colon:
            variable, _, fallback = default.partition(":")
            if variable in self._variables:
                return self._variables[variable]
            found = text_of(self.machine.env_value(variable))
            return found if isinstance(found, str) else fallback
        if name == "tty":
            return default.rpartition(":")[2]
        if reference.startswith("["):
            section, _, key = reference[1:].partition("]")
            if section in ("testenv", "tox"):
                found = (
                    self._settings.environment("").get(key) if section == "testenv" else self._settings.core.get(key)
                )
            elif section.startswith("testenv:"):
                found = self._settings.environment(section.removeprefix("testenv:")).get(key)
            else:
                found = self._settings.section(section).get(key)
            return self._filtered(found).strip() if isinstance(found, str) else None
        return self._place(reference)

    def _place(self, name: str) -> str | None:
        folder = self._words.encode(as_value(self._folder)) if isinstance(self._folder, Text) else self._folder
        work = self._words.encode(as_value(self._work)) if isinstance(self._work, Text) else self._work
        inner_tmp = join_paths(str(folder), "tmp")
        places = {
            "toxinidir": self._settings.folder, "tox_root": self._settings.folder, "toxworkdir": work,
            "work_dir": work, "envdir": folder, "env_dir": folder, "envname": self._name, "env_name": self._name,
            "envtmpdir": inner_tmp, "env_tmp_dir": inner_tmp, "envlogdir": f"{folder}/log",
            "env_log_dir": f"{folder}/log", "envbindir": f"{folder}/bin", "env_bin_dir": f"{folder}/bin",
            "envpython": f"{folder}/bin/python", "env_python": f"{folder}/bin/python", "homedir": "~",
            "temp_dir": f"{work}/.tmp", "distdir": f"{work}/dist", "base_python": "python",
        }  # fmt: skip
        if name in places:
            return str(places[name])
        own = self._own.get(name)
        return self._filtered(own).strip() if isinstance(own, str) else None


@program("tox", "tox.__main__", commands=["tox"])
def tox(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`tox -e ENVIRONMENT`."""
    Program(machine, args).main()
