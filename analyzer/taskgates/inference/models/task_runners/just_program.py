"""just: the recipes that a command line names run in order of what they depend on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.models.task_runners.just_expressions import Expressions, NotUnderstood
from taskgates.inference.models.task_runners.just_files import Justfile, Recipe
from taskgates.inference.models.task_runners.launching import (
    climb,
    environment_file,
    known_text,
    plain,
    printed,
    run_text,
    run_words,
)
from taskgates.inference.paths import join_paths, split_last
from taskgates.inference.shell.texts import hole
from taskgates.inference.text import concat
from taskgates.inference.values import AnyValue, Known, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike

_FILES = ("justfile", "Justfile", ".justfile", "JUSTFILE")
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash"})
_ENDING = frozenset(
    ["-l", "--list", "--summary", "--evaluate", "--dump", "--choose", "--variables", "-V", "--version", "-h", "--help",
     "-s", "--show", "--groups", "--completions", "--man", "-e", "--edit", "--usage", "--changelog"]
)  # fmt: skip
_VALUED = frozenset(
    ["-f", "--justfile", "-d", "--working-directory", "--shell", "--shell-arg", "--color", "--dotenv-filename",
     "--dotenv-path", "-E", "--chooser", "--list-heading", "--tempdir", "--timestamp-format"]
)  # fmt: skip
_DEEP = 40
_HAS_VALUE = 2


class Program:
    """One run of just."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._file = Justfile()
        self._options: dict[str, AnyValue] = {}
        self._flags: set[str] = set()
        self._overrides: dict[str, TextLike] = {}
        self._values: dict[str, TextLike] = {}
        self._pending: set[str] = set()
        self._locals: dict[str, TextLike] = {}
        self._place = ""
        self._folder: TextLike = ""
        self._start: TextLike = machine.cwd
        self._environment: dict[str, TextLike] = {}
        self._done: set[tuple[str, tuple[TextLike, ...]]] = set()
        self._expressions = Expressions(self._variable, self._functions(), self._printed)

    def main(self, words: Sequence[AnyValue]) -> None:
        """Carry out a command line."""
        rest = self._read_options(words)
        if self._flags & {"-V", "--version", "-h", "--help", "--man", "--completions", "--changelog"}:
            return
        if not self._load() or self._flags & _ENDING:
            return
        if "--fmt" in self._flags:
            self.machine.access(Operation.OVERWRITE, Known(self._place), "just")
            return
        self._load_environment()
        if self._flags & {"-n", "--dry-run"}:
            return
        self._run_all(rest)

    def _read_options(self, words: Sequence[AnyValue]) -> list[AnyValue]:
        rest = list(words)
        while rest:
            text = text_of(rest[0])
            if not isinstance(text, str):
                break
            name, equals, value = text.partition("=")
            if text == "--":
                rest.pop(0)
                break
            if text == "--set" and len(rest) > _HAS_VALUE:
                self._overrides[str(text_of(rest[1]))] = place_of(rest[2])
                rest = rest[3:]
            elif text.startswith("-"):
                rest.pop(0)
                if name in _VALUED:
                    self._options[name] = Known(value) if equals else rest.pop(0) if rest else Known("")
                else:
                    self._flags.add(name)
                    if name in ("-s", "--show", "--evaluate", "--completions", "--usage"):
                        return []
            elif equals and re.fullmatch(r"[A-Za-z_][\w-]*", name):
                self._overrides[name] = value
                rest.pop(0)
            else:
                break
        return rest

    # Reading

    def _load(self) -> bool:
        machine = self.machine
        named = self._options.get("-f") or self._options.get("--justfile")
        place = plain(machine.absolute(place_of(named))) if named is not None else climb(machine, _FILES)
        if place is None or machine.exists(place, "file") is not True:
            machine.opaque("just: there is no justfile", other_code=True)
            return False
        self._place = place
        self._include(place, 0)
        folder = self._options.get("-d") or self._options.get("--working-directory")
        self._folder = machine.absolute(place_of(folder)) if folder is not None else split_last(place)[0]
        set_folder = self._setting("working-directory")
        if set_folder is not None:
            self._folder = machine.absolute(join_paths(self._folder, set_folder))
        machine.cwd = self._folder
        for name, _ in self._file.modules:
            machine.opaque(f"just: the recipes of the module {name} are not followed")
        return True

    def _include(self, place: str, depth: int) -> None:
        machine = self.machine
        machine.access(Operation.READ, Known(place), "just")
        inner = machine.in_tree(place)
        if inner is not None:
            machine.note_script(inner)
        self._file.read(known_text(machine, place) or "", inner or place)
        for name, optional in list(self._file.imports):
            other = join_paths(split_last(place)[0], name)
            if isinstance(other, str) and depth < _DEEP and machine.exists(other, "file") is True:
                self._include(str(machine.absolute(other)), depth + 1)
            elif not optional:
                machine.opaque(f"just: the imported file {name} is not there", other_code=True)

    def _setting(self, name: str) -> TextLike | None:
        text = self._file.settings.get(name)
        return self._expressions.value(text) if text is not None else None

    def _is_set(self, name: str) -> bool:
        return name in self._file.settings and self._file.settings[name] in (None, "true")

    def _load_environment(self) -> None:
        named = self._options.get("--dotenv-path") or self._options.get("-E")
        path = place_of(named) if named is not None else self._setting("dotenv-path")
        filename = self._setting("dotenv-filename")
        if path is None and (self._is_set("dotenv-load") or filename is not None):
            path = join_paths(self._folder, filename or ".env")
        if path is not None:
            self._environment.update(environment_file(self.machine, path, "just"))
        export_all = self._is_set("export")
        for name in self._file.variables:
            if export_all or name in self._file.exported:
                found = self._variable(name)
                if found is not None:
                    self._environment[name] = found

    # Values

    def _variable(self, name: str) -> TextLike | None:
        if name in self._locals:
            return self._locals[name]
        if name in self._overrides:
            return self._overrides[name]
        if name in self._values:
            return self._values[name]
        text = self._file.variables.get(name)
        if text is None or name in self._pending:
            return None
        self._pending.add(name)
        self._values[name] = value = self._expressions.value(text)
        self._pending.discard(name)
        return value

    def _functions(self) -> dict[str, Callable[[list[TextLike]], TextLike]]:
        def environment(args: list[TextLike]) -> TextLike:
            name = args[0]
            if isinstance(name, str):
                if name in self._environment:
                    return self._environment[name]
                found = text_of(self.machine.env_value(name))
                if found is not None:
                    return found
            return args[1] if len(args) > 1 else hole("environment", str(name))

        def exists(args: list[TextLike]) -> TextLike:
            found = self.machine.exists(join_paths(self._folder, args[0]))
            return hole("data") if found is None else str(found).lower()

        return {
            "env": environment,
            "env_var": environment,
            "env_var_or_default": environment,
            "justfile": lambda _: self._place,
            "justfile_directory": lambda _: split_last(self._place)[0],
            "justfile_dir": lambda _: split_last(self._place)[0],
            "source_file": lambda _: self._place,
            "source_directory": lambda _: split_last(self._place)[0],
            "invocation_directory": lambda _: self._start,
            "invocation_dir": lambda _: self._start,
            "path_exists": exists,
            "absolute_path": lambda args: self.machine.absolute(join_paths(self._folder, args[0])),
            "canonicalize": lambda args: self.machine.absolute(join_paths(self._folder, args[0])),
            "shell": lambda args: printed(self.machine, args[0], self._environment),
            "read": self._content,
            "just_executable": lambda _: "just",
            "require": lambda args: args[0],
            "which": lambda args: args[0],
        }

    def _content(self, args: list[TextLike]) -> TextLike:
        place = self.machine.absolute(join_paths(self._folder, args[0]))
        self.machine.access(Operation.READ, Known(place) if isinstance(place, str) else place, "just")
        text = known_text(self.machine, place) if isinstance(place, str) else None
        return text if text is not None else hole("data")

    def _printed(self, text: str) -> TextLike:
        return printed(self.machine, text, self._environment)

    # Running

    def _run_all(self, words: Sequence[AnyValue]) -> None:
        rest = list(words)
        if not rest:
            first = "default" if "default" in self._file.recipes else self._file.first
            if first is None:
                return
            rest = [Known(first)]
        while rest:
            name = text_of(rest.pop(0))
            recipe = self._found(name) if isinstance(name, str) else None
            if recipe is None:
                shown = name if isinstance(name, str) else "that is not known"
                self.machine.opaque(f"just: there is no recipe {shown}", other_code=True)
                return
            most = len(recipe.parameters)
            if any(parameter.variadic for parameter in recipe.parameters):
                most = len(rest)
            given = [place_of(word) for word in rest[:most]]
            rest = rest[most:]
            self._run(recipe, given, 0)

    def _found(self, name: str) -> Recipe | None:
        return self._file.recipes.get(self._file.aliases.get(name, name))

    def _run(self, recipe: Recipe, given: list[TextLike], depth: int) -> None:
        key = (recipe.name, tuple(given))
        if key in self._done:
            return
        if depth > _DEEP:
            self.machine.opaque("just: recipes depend on each other too deeply")
            return
        self._done.add(key)
        outer = self._locals
        self._locals, variables = self._bound(recipe, given)
        before, _, after = recipe.dependencies.partition("&&")
        self._dependencies(before, depth)
        self._body(recipe, variables)
        self._dependencies(after, depth)
        self._locals = outer

    def _bound(self, recipe: Recipe, given: list[TextLike]) -> tuple[dict[str, TextLike], dict[str, TextLike]]:
        """The values of a recipe's parameters, and the environment variables among them."""
        outer, self._locals = self._locals, {}
        rest = list(given)
        variables: dict[str, TextLike] = {}
        bound: dict[str, TextLike] = {}
        for parameter in recipe.parameters:
            self._locals = bound
            if parameter.variadic:
                value: TextLike = ""
                for index, word in enumerate(rest):
                    value = concat(value, " ", word) if index else word
                if not rest and parameter.default is not None:
                    value = self._expressions.value(parameter.default)
                rest = []
            elif rest:
                value = rest.pop(0)
            else:
                value = self._expressions.value(parameter.default) if parameter.default is not None else ""
            bound[parameter.name] = value
            if parameter.exported or self._is_set("export"):
                variables[parameter.name] = value
        self._locals = outer
        return bound, variables

    def _dependencies(self, text: str, depth: int) -> None:
        text = text.split("#", 1)[0] if "'" not in text and '"' not in text else text
        position = 0
        while position < len(text):
            found = re.compile(r"\s*(\()?\s*([A-Za-z_][\w-]*)").match(text, position)
            if found is None:
                return
            position = found.end()
            args: list[TextLike] = []
            if found[1]:
                while not re.match(r"\s*\)", text[position:]) and position < len(text):
                    try:
                        value, length = self._expressions.parsed(text[position:])
                    except NotUnderstood:
                        self.machine.opaque("just: the arguments of a dependency are not understood")
                        return
                    args.append(value)
                    position += length
                position += text[position:].find(")") + 1
            recipe = self._found(found[2])
            if recipe is None:
                self.machine.opaque(f"just: there is no recipe {found[2]}", other_code=True)
            else:
                self._run(recipe, args, depth + 1)

    def _body(self, recipe: Recipe, variables: dict[str, TextLike]) -> None:
        machine = self.machine
        environment = {**self._environment, **variables}
        machine.cwd = self._start if recipe.attribute("no-cd") is not None else self._folder
        own_folder = recipe.attribute("working-directory")
        if own_folder is not None:
            machine.cwd = machine.absolute(join_paths(self._folder, own_folder))
        arguments = list(self._locals.values()) if self._is_set("positional-arguments") else []
        if recipe.attribute("positional-arguments") is not None:
            arguments = list(self._locals.values())
        lines = _unindented(recipe.body)
        script = recipe.attribute("script")
        if (lines and lines[0].startswith("#!")) or script is not None:
            self._script(recipe, lines, environment, arguments, script)
        else:
            for number, line in _joined(lines):
                self._line(recipe, number, line, environment, arguments)
        machine.cwd = self._folder

    def _script(
        self,
        recipe: Recipe,
        lines: list[str],
        environment: dict[str, TextLike],
        arguments: list[TextLike],
        interpreter: str | None,
    ) -> None:
        text = self._filled("\n".join(lines))
        words = interpreter.replace("'", "").split(",") if interpreter else ["sh"]
        if interpreter is None and lines:
            words = lines[0].removeprefix("#!").split()
            if words and words[0].endswith("/env"):
                words = [word for word in words[1:] if not word.startswith("-")]
        name = words[0].strip().rpartition("/")[2] if words else "sh"
        if name in _SHELLS:
            run_text(self.machine, text, environment, place=(recipe.file, recipe.line), arguments=arguments)
        elif name.startswith("python"):
            run_words(self.machine, ["python", "-c", text, *arguments], environment)
        else:
            self.machine.opaque(f"just: a recipe for {name} is not followed", other_code=True)

    def _line(
        self, recipe: Recipe, number: int, line: str, environment: dict[str, TextLike], arguments: list[TextLike]
    ) -> None:
        stripped = line.lstrip("@-")
        if not stripped.strip() or stripped.startswith("#"):
            return
        text = self._filled(stripped)
        shell = self._file.settings.get("shell")
        if shell is not None:
            words = re.findall(r"[\"']([^\"']*)[\"']", shell)
            if words and words[0].rpartition("/")[2] not in _SHELLS:
                run_words(self.machine, [*words, text, *arguments], environment)
                return
        run_text(self.machine, text, environment, place=(recipe.file, recipe.line + number), arguments=arguments)

    def _filled(self, text: str) -> TextLike:
        """A text with the expressions in double braces replaced."""
        pieces: list[TextLike] = []
        position = 0
        while (start := text.find("{{", position)) != -1:
            pieces.append(text[position:start])
            if text.startswith("{{{{", start):
                pieces.append("{{")
                position = start + 4
                continue
            try:
                value, length = self._expressions.parsed(text[start + 2 :])
            except NotUnderstood:
                value, length = hole("data"), 0
            pieces.append(value)
            end = text.find("}}", start + 2 + length)
            position = len(text) if end == -1 else end + 2
        pieces.append(text[position:])
        return concat(*pieces)


def _unindented(lines: list[str]) -> list[str]:
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    margin = indents[0] if indents else 0
    return [line[margin:] if line[:margin].isspace() else line.lstrip() for line in lines]


def _joined(lines: list[str]) -> list[tuple[int, str]]:
    """Lines with those that end in a backslash joined to what follows, and their numbers."""
    made: list[tuple[int, str]] = []
    pending, first = "", 0
    for number, line in enumerate(lines):
        if not pending:
            first = number
        if line.endswith("\\"):
            pending += line[:-1]
            continue
        made.append((first, pending + (line.lstrip() if pending else line)))
        pending = ""
    if pending:
        made.append((first, pending))
    return made


@program("just", commands=["just"])
def just(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`just RECIPE...`."""
    Program(machine).main(args)
