"""Cookiecutter: which project a template of the repository makes, and what its hooks do."""

from __future__ import annotations

import fnmatch
import json
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import NotKnown, to_python
from taskgates.inference.models.builders.template_values import UNKNOWN, rendered
from taskgates.inference.models.files.listings import all_below, is_folder
from taskgates.inference.models.files.templates import references
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import below, place_of, program
from taskgates.inference.models.task_runners.launching import known_text, read_yaml, run_text, run_words, table
from taskgates.inference.paths import join_paths
from taskgates.inference.text import Text, TextLike
from taskgates.inference.values import NONE, TRUE, AnyValue, Known, as_value, path_text, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taskgates.inference.objects import Arguments

_VALUED = {
    "-o": "output", "--output-dir": "output", "--config-file": "config", "-c": "checkout", "--checkout": "checkout",
    "--directory": "directory", "--replay-file": "replay", "--debug-file": "debug", "--accept-hooks": "hooks",
}  # fmt: skip


class Generation:
    """The making of one project.

    Args:
        machine: the interpreter.
        template: the folder of the template; absolute.
        output: where the project is made.
        given: values that the command line gives.
        defaults: values that the user's settings give.
        asks: whether the user is asked for what is not given.
    """

    def __init__(
        self,
        machine: Machine,
        template: str,
        output: TextLike,
        given: Mapping[str, Any],
        defaults: Mapping[str, Any],
        *,
        asks: bool,
    ) -> None:
        self.machine = machine
        self._template = template
        self._output = output
        self._given = given
        self._defaults = defaults
        self._asks = asks
        self._values: dict[str, Any] = {}
        self._copied: list[str] = []

    def run(self, *, overwrite: bool, hooks: bool = True) -> TextLike | None:
        """Make the project; its folder, None where that is not known."""
        machine = self.machine
        place = f"{self._template}/cookiecutter.json"
        machine.access(Operation.READ, Known(place), "cookiecutter")
        try:
            declared = json.loads(known_text(machine, place) or "")
        except ValueError:
            declared = None
        if not isinstance(declared, dict):
            return None
        if "templates" in declared or "template" in declared:
            machine.opaque("cookiecutter: which of several templates is chosen is not followed", other_code=True)
            return None
        self._fill(declared)
        files = all_below(machine, self._template)
        folder = next((name for name in machine.tree.list(machine.in_tree(self._template) or ".") or ()
                       if "cookiecutter" in name and "{{" in name and "}}" in name), None)  # fmt: skip
        if files is None or folder is None:
            return None
        made = join_paths(self._output, self._name(folder))
        if machine.exists(made) is True and not overwrite:
            machine.opaque("cookiecutter: the folder of the project is there already")
            return made
        machine.access(Operation.MKDIR, as_value(made), "cookiecutter")
        if hooks:
            self._hook("pre_gen_project", made)
        for file in files:
            if file.startswith(f"{folder}/") and not is_folder(machine, f"{self._template}/{file}"):
                self._file(file, made, file[len(folder) + 1 :])
        if hooks:
            self._hook("post_gen_project", made)
        return made

    def _fill(self, declared: dict[str, Any]) -> None:
        """The values of all variables, in their order: later ones may be made of earlier ones."""
        for name, default in declared.items():
            if name == "__prompts__":
                continue
            if name in self._given:
                value = self._given[name]
                self._values[name] = value if not isinstance(default, bool) else _flag(value)
                continue
            chosen = default
            if name in self._defaults:
                chosen = self._defaults[name]
            elif isinstance(default, list) and not name.startswith("_"):
                chosen = default[0] if default else ""
            if name.startswith("_") and not name.startswith("__"):
                self._values[name] = chosen
            elif self._asks and not name.startswith("_"):
                self._values[name] = UNKNOWN
            else:
                value = rendered(chosen, self._context) if isinstance(chosen, str) else chosen
                self._values[name] = value
        patterns = self._values.get("_copy_without_render")
        self._copied = [str(one) for one in patterns] if isinstance(patterns, list) else []

    @property
    def _context(self) -> dict[str, Any]:
        return {"cookiecutter": self._values}

    def _name(self, text: str) -> TextLike:
        return rendered(text, self._context)

    def _file(self, file: str, folder: TextLike, inner: str) -> None:
        machine = self.machine
        place = f"{self._template}/{file}"
        target: TextLike = folder
        name: TextLike = ""
        for part in inner.split("/"):
            name = self._name(part)
            target = join_paths(target, name) if name != "" else target
        if name == "":
            return
        machine.access(Operation.READ, Known(place), "cookiecutter")
        text = known_text(machine, place)
        if text is not None and "{%" in text and not any(fnmatch.fnmatch(inner, one) for one in self._copied):
            self._draw_in(text)
        machine.access(Operation.OVERWRITE, as_value(target), "cookiecutter")

    def _draw_in(self, text: str) -> None:
        """Templates that another one includes lie in the template's folder, or in `templates` there."""
        for reference in references(text, {}) or ():
            for name in reference.names:
                for base in (self._template, f"{self._template}/templates"):
                    if self.machine.exists(f"{base}/{name}", "file") is True:
                        self.machine.access(Operation.READ, Known(f"{base}/{name}"), "cookiecutter",
                                            conditional=reference.conditional)  # fmt: skip

    def _hook(self, name: str, folder: TextLike) -> None:
        machine = self.machine
        for ending in (".py", ".sh"):
            place = f"{self._template}/hooks/{name}{ending}"
            if machine.exists(place, "file") is not True:
                continue
            machine.access(Operation.READ, Known(place), "cookiecutter")
            text = rendered(known_text(machine, place) or "", self._context)
            before, machine.cwd = machine.cwd, machine.absolute(folder)
            if ending == ".py":
                run_words(machine, ["python", "-c", text])
            else:
                run_text(machine, text)
            machine.cwd = before


def _flag(value: Any) -> Any:
    return str(value).lower() in ("y", "yes", "true", "t", "1", "on") if isinstance(value, str) else value


def _settings(machine: Machine, config: AnyValue | None) -> dict[str, Any]:
    if config is None:
        return {}
    place = machine.absolute(place_of(config))
    data = read_yaml(machine, place, "cookiecutter") if isinstance(place, str) else None
    return table(data, "default_context")


def _local(machine: Machine, template: AnyValue, directory: AnyValue | None) -> str | None:
    """The folder of a template of the tree; None for one from elsewhere."""
    text = path_text(template)
    place = machine.absolute(text) if text is not None else None
    if directory is not None and isinstance(place, str):
        place = machine.absolute(join_paths(place, place_of(directory)))
    if not isinstance(place, str) or machine.exists(f"{place}/cookiecutter.json", "file") is not True:
        return None
    return place


@program("cookiecutter", "cookiecutter.__main__", "cookiecutter.cli", commands=["cookiecutter"])
def cookiecutter(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`cookiecutter TEMPLATE --no-input NAME=VALUE...`."""
    line = LooseLine(args, _VALUED)
    given = {_VALUED[name]: value for name, value in line.options if name in _VALUED}
    flags, operands = line.flags, line.operands
    if flags & {"-h", "--help", "-V", "--version", "-l", "--list-installed"} or not operands:
        return
    template = _local(machine, operands[0], given.get("directory"))
    defaults = _settings(machine, given.get("config"))
    output = machine.absolute(place_of(given.get("output", Known("."))))
    values: dict[str, Any] = {}
    for word in operands[1:]:
        text = place_of(word)
        name, sign, value = text.partition("=") if isinstance(text, str) else ("", "", "")
        if sign:
            values[name] = value
        elif isinstance(text, Text):
            values[text.prefix.partition("=")[0]] = UNKNOWN
    if template is None:
        machine.opaque("cookiecutter: a template from elsewhere is not followed", other_code=True)
        machine.access(Operation.OVERWRITE, below(output, "*", "**"), "cookiecutter")
        return
    if "replay" in given:
        machine.access(Operation.READ, given["replay"], "cookiecutter")
    made = Generation(machine, template, output, values, defaults, asks="--no-input" not in flags)
    found = made.run(
        overwrite=bool(flags & {"-f", "--overwrite-if-exists", "-s", "--skip-if-file-exists"}),
        hooks=text_of(given.get("hooks", NONE)) != "no",
    )
    if found is None:
        machine.opaque("cookiecutter: what the template makes is not known", other_code=True)
        machine.access(Operation.OVERWRITE, below(output, "*", "**"), "cookiecutter")


@function("cookiecutter.main.cookiecutter")
def make_project(machine: Machine, args: Arguments) -> AnyValue | None:
    """`cookiecutter(template, no_input=True, extra_context={...}, output_dir="...")`."""
    template = _local(machine, args.get(0, "template") or NONE, args.kw.get("directory"))
    if template is None:
        return None
    try:
        values = to_python(args.get(3, "extra_context") or NONE) or {}
    except NotKnown:
        return None
    defaults = _settings(machine, args.kw.get("config_file"))
    output = machine.absolute(place_of(args.get(6, "output_dir") or Known(".")))
    asks = (args.get(2, "no_input") or NONE) != TRUE
    generation = Generation(machine, template, output, values, defaults, asks=asks)
    overwrite = (args.get(5, "overwrite_if_exists") or NONE) == TRUE
    made = generation.run(overwrite=overwrite, hooks=args.kw.get("accept_hooks", TRUE) == TRUE)
    return as_value(made) if made is not None else None
