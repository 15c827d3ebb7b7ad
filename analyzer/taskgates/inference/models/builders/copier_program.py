"""Copier: which files a template of the repository makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import NotKnown, to_python
from taskgates.inference.models.builders.template_values import UNKNOWN, evaluated, rendered
from taskgates.inference.models.files.listings import all_below, is_folder
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import below, place_of, program
from taskgates.inference.models.task_runners.launching import read_yaml, run_text, run_words
from taskgates.inference.paths import join_paths
from taskgates.inference.text import Text, TextLike
from taskgates.inference.values import NONE, TRUE, AnyValue, Known, as_value, path_text, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taskgates.inference.objects import Arguments

_VALUED = {
    "-d": "data", "--data": "data", "--data-file": "file", "-a": "answers", "--answers-file": "answers",
    "-x": "exclude", "--exclude": "exclude", "-r": "ref", "--vcs-ref": "ref", "-s": "skip",
    "--skip": "skip",
}  # fmt: skip
_NEVER = ("copier.yaml", "copier.yml", "~*", "*.py[co]", "__pycache__", ".git", ".DS_Store", ".svn")


def _copy(
    machine: Machine, source: str, target: TextLike, given: Mapping[str, Any], excluded: list[str], *, asks: bool,
    answers: str | None = None, tasks: bool = True,
) -> bool:  # fmt: skip
    """Make a project of a template; False where what it makes is not known."""
    names = [name for name in ("copier.yml", "copier.yaml") if machine.exists(f"{source}/{name}", "file") is True]
    declared: Any = {}
    if names:
        declared = read_yaml(machine, f"{source}/{names[0]}", "copier")
        if not isinstance(declared, dict):
            return False
    values: dict[str, Any] = {}
    for name, question in declared.items():
        if str(name).startswith("_"):
            continue
        default = question.get("default", "") if isinstance(question, dict) else question
        if name in given:
            values[name] = given[name]
        elif asks and not (isinstance(question, dict) and question.get("when") is False):
            values[name] = UNKNOWN
        else:
            values[name] = evaluated(default, values) if isinstance(default, str) else default
        if isinstance(question, dict) and question.get("type") == "bool" and isinstance(values[name], str):
            values[name] = values[name].lower() in ("true", "yes", "y", "1", "on")
    values.update({name: value for name, value in given.items() if name not in values})
    values["_copier_answers"] = UNKNOWN
    values["_copier_conf"] = {"answers_file": answers or declared.get("_answers_file", ".copier-answers.yml")}
    subdirectory = declared.get("_subdirectory")
    base = source
    if isinstance(subdirectory, str):
        inner = rendered(subdirectory, values)
        if not isinstance(inner, str):
            return False
        base = f"{source}/{inner}"
    files = all_below(machine, base)
    if files is None:
        return False
    suffix = declared.get("_templates_suffix", ".jinja")
    patterns = [*(declared.get("_exclude") or (() if subdirectory else _NEVER)), *excluded]
    rules = [str(rendered(str(one), values)) for one in patterns]
    from pathspec import PathSpec

    ignored = PathSpec.from_lines("gitignore", rules)
    for file in files:
        if is_folder(machine, f"{base}/{file}"):
            continue
        name = file.removesuffix(suffix) if suffix else file
        parts = [rendered(part, values) for part in name.split("/")]
        made: TextLike = ""
        for part in parts:
            made = join_paths(made, part) if made != "" else part
        if "" in parts or (isinstance(made, str) and ignored.match_file(made)) or ignored.match_file(file):
            continue
        machine.access(Operation.READ, Known(f"{base}/{file}"), "copier")
        machine.access(Operation.OVERWRITE, as_value(join_paths(target, made)), "copier")
    if tasks:
        _run_tasks(machine, declared.get("_tasks"), target, values)
    return True


def _run_tasks(machine: Machine, tasks: Any, target: TextLike, values: Mapping[str, Any]) -> None:
    before, machine.cwd = machine.cwd, machine.absolute(target)
    for task in tasks if isinstance(tasks, list) else ():
        command = task.get("command") if isinstance(task, dict) else task
        if isinstance(command, str):
            run_text(machine, rendered(command, values))
        elif isinstance(command, list):
            run_words(machine, [rendered(str(word), values) for word in command])
    machine.cwd = before


def _local(machine: Machine, source: AnyValue) -> str | None:
    text = path_text(source)
    place = machine.absolute(text) if text is not None else None
    if not isinstance(place, str) or machine.exists(place, "folder") is not True:
        return None
    # Of a repository, the last tagged state is taken, and not the files that are there.
    return None if machine.exists(f"{place}/.git") is True else place


@program("copier", "copier.__main__", commands=["copier"])
def copier(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`copier copy TEMPLATE FOLDER`."""
    line = LooseLine(args, _VALUED)
    flags, operands = line.flags, line.operands
    values: dict[str, Any] = {}
    excluded: list[str] = []
    answers: str | None = None
    for name, given in line.options:
        key = _VALUED.get(name)
        one = text_of(given)
        if key == "data" and isinstance(one, str):
            field, _, content = one.partition("=")
            values[field] = content
        elif key == "data" and isinstance(one, Text):
            values[one.prefix.partition("=")[0]] = UNKNOWN
        elif key == "file":
            data = read_yaml(machine, str(machine.absolute(place_of(given))), "copier")
            values.update(data if isinstance(data, dict) else {})
        elif key == "exclude" and isinstance(one, str):
            excluded.append(one)
        elif key == "answers" and isinstance(one, str):
            answers = one
    verb = text_of(operands[0]) if operands else None
    if flags & {"-h", "--help", "-v", "--version"} or verb is None:
        return
    if verb != "copy" or len(operands) < 3:
        machine.opaque(f"copier {verb} is not followed", other_code=True)
        return
    if flags & {"-n", "--pretend"}:
        return
    target = machine.absolute(place_of(operands[2]))
    source = _local(machine, operands[1])
    asks = not flags & {"-l", "--defaults", "-f", "--force"}
    if source is None or not _copy(machine, source, target, values, excluded, asks=asks, answers=answers,
                                   tasks=not flags & {"-T", "--skip-tasks"}):  # fmt: skip
        machine.opaque("copier: what the template makes is not known", other_code=True)
        machine.access(Operation.OVERWRITE, below(target, "**"), "copier")


@function("copier.run_copy", "copier.main.run_copy")
def run_copy(machine: Machine, args: Arguments) -> AnyValue | None:
    """`run_copy(source, target, data, defaults=True)`."""
    source = _local(machine, args.get(0, "src_path") or NONE)
    if source is None:
        return None
    try:
        values = to_python(args.get(2, "data") or NONE) or {}
    except NotKnown:
        return None
    target = machine.absolute(place_of(args.get(1, "dst_path") or Known(".")))
    asks = args.kw.get("defaults", NONE) != TRUE and args.kw.get("unsafe_defaults", NONE) != TRUE
    return NONE if _copy(machine, source, target, values, [], asks=asks) else None
