"""What task runners have in common: starting commands in a folder with variables of their own, and reading settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from taskgates.inference.conversion import NotKnown, to_python
from taskgates.inference.models.files.formats import content_of, parsed_yaml
from taskgates.inference.models.system.programs import below
from taskgates.inference.paths import relative_to_root, split_last
from taskgates.inference.shell.host import ShellState
from taskgates.inference.shell.machine import Frame, Sink
from taskgates.inference.shell.places import Place
from taskgates.inference.shell.sources import Source
from taskgates.inference.shell.texts import strip_trailing
from taskgates.inference.text import Text
from taskgates.inference.values import Known, as_value, text_of
from taskgates.model.access import Operation
from taskgates.tree.toml_source import load_toml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike


def run_text(
    machine: Machine,
    text: TextLike,
    variables: Mapping[str, TextLike] | None = None,
    *,
    place: tuple[str, int] | None = None,
    arguments: Sequence[TextLike] = (),
) -> None:
    """Run shell text in the working folder.

    Args:
        machine: the interpreter.
        text: the text.
        variables: environment variables beside those that the program has set.
        place: the file that the text stands in, relative to the root, and the line.
        arguments: `$1` and so on.
    """
    file, line = place if place is not None else (None, 1)
    state = _state(machine, variables)
    state.arguments = list(arguments)
    machine.shell().run_text(text, state, file=file, line=line, conditional=machine.conditional)


def printed(machine: Machine, text: TextLike, variables: Mapping[str, TextLike] | None = None) -> TextLike:
    """Run shell text in the working folder; what it prints, without line ends behind it."""
    shell, sink = machine.shell(), Sink()
    frame = Frame(Source("", Place()), machine.conditional, None, sink)
    shell.evaluate(text, frame, _state(machine, variables), Place())
    return strip_trailing(sink.text, "\n")


def run_words(
    machine: Machine,
    words: Sequence[TextLike],
    variables: Mapping[str, TextLike] | None = None,
    *,
    place: tuple[str, int] | None = None,
) -> None:
    """Run one command, given as its words, in the working folder; see `run_text`."""
    if words:
        file, line = place if place is not None else (None, 1)
        machine.shell().run_argv(list(words), _state(machine, variables), Place(line, 1, file), machine.conditional)


def _state(machine: Machine, variables: Mapping[str, TextLike] | None) -> ShellState:
    state = ShellState(cwd=relative_to_root(machine.cwd, machine.root))
    set_before = {name: text_of(value) for name, value in machine.set_environ.items()}
    for name, value in {**set_before, **(variables or {})}.items():
        if value is not None:
            state.variables[name] = value
            state.exported.add(name)
    return state


def climb(machine: Machine, names: Sequence[str], start: TextLike = ".") -> str | None:
    """The first of some files that is there, in a folder or in those above it up to the root; absolute."""
    folder = machine.absolute(start)
    while isinstance(folder, str) and machine.in_tree(folder) is not None:
        for name in names:
            if machine.exists(f"{folder}/{name}", "file") is True:
                return f"{folder}/{name}"
        if machine.in_tree(folder) == ".":
            break
        folder = str(split_last(folder)[0])
    return None


def known_text(machine: Machine, place: str) -> str | None:
    """The text of a file of the tree, where it is known."""
    data = machine.content(place)
    return data.decode("utf-8", "replace") if data is not None else None


def read_yaml(machine: Machine, place: str, reader: str) -> Any:
    """Read a file in YAML; None where it says nothing that is known."""
    machine.access(Operation.READ, Known(place), reader)
    try:
        return to_python(parsed_yaml(machine, content_of(machine, Known(place))))
    except (NotKnown, yaml.YAMLError):
        return None


def read_toml(machine: Machine, place: str, reader: str) -> dict[str, Any]:
    """Read a file in TOML; nothing where it is not valid."""
    machine.access(Operation.READ, Known(place), reader)
    try:
        return load_toml(known_text(machine, place) or "")
    except ValueError:
        return {}


def table(data: Any, *keys: str) -> dict[str, Any]:
    """A table within nested ones; empty where there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def plain(text: TextLike | None) -> str | None:
    """A wholly known text, or None."""
    return None if text is None or isinstance(text, Text) else text


def make_environment(machine: Machine, folder: TextLike, runner: str) -> None:
    """A virtual environment is made in a folder; which files that gives depends on what makes it."""
    machine.access(Operation.MKDIR, as_value(folder), runner)
    machine.access(Operation.OVERWRITE, below(folder, "**"), runner)


def use_environment(machine: Machine, folder: TextLike, runner: str) -> None:
    """A program of a virtual environment is started: Python looks where it is."""
    for name in ("pyvenv.cfg", "bin/python"):
        machine.access(Operation.READ, below(folder, name), runner)


def install(machine: Machine, words: Sequence[TextLike], runner: str) -> None:
    """What installing into an environment reads of the tree; projects of the tree are not built."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        text = word if isinstance(word, str) else word.prefix
        if text in ("-r", "--requirement", "-c", "--constraint") and rest:
            machine.access(Operation.READ, as_value(rest.pop(0)), runner)
        elif text.startswith(("-r", "-c")) and len(text) > 2 and isinstance(word, str):
            machine.access(Operation.READ, Known(text[2:]), runner)
        elif text in ("-e", "--editable") or (text.startswith(".") and not text.startswith("-")):
            machine.opaque(f"{runner}: building and installing a project of the tree is not followed", other_code=True)
            rest = rest[1:] if text.startswith("-") else rest


def environment_file(machine: Machine, path: TextLike, reader: str) -> dict[str, TextLike]:
    """The variables of a file of lines `NAME=value`, which may be missing."""
    place = machine.absolute(path)
    if machine.exists(place, "file") is False:
        return {}
    machine.access(Operation.READ, as_value(place), reader)
    text = known_text(machine, place) if isinstance(place, str) else None
    made: dict[str, TextLike] = {}
    for line in (text or "").splitlines():
        name, sign, value = line.strip().removeprefix("export ").partition("=")
        if sign and not name.startswith("#"):
            made[name.strip()] = value.strip().strip("\"'")
    return made


def line_of(text: str, piece: str) -> int:
    """The first line of a file in which the first line of a piece stands; 1 where it stands in none as it is."""
    wanted = next((line.strip() for line in piece.splitlines() if line.strip()), "")
    return next((number for number, line in enumerate(text.splitlines(), 1) if wanted and wanted in line), 1)
