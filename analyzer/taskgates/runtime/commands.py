"""What is executed for a task: its own command, or a template filled with its fields."""

from __future__ import annotations

import os
import re
import string
from typing import TYPE_CHECKING

import msgspec

from taskgates.runtime.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.model.task import Task

SHELL = "/bin/sh"

_FIELDS = ("id", "title", "description", "status", "difficulty", "format", "manifest", "files", "root")


class CommandLine(msgspec.Struct, frozen=True):
    """An argument vector and where it is started.

    Attributes:
        argv: program and arguments.
        cwd: absolute folder.
        shown: the command as people write it.
    """

    argv: tuple[str, ...]
    cwd: str
    shown: str


def command_line(task: Task, root: Path, template: str | None = None) -> CommandLine:
    """The command of a task.

    Args:
        task: the task.
        root: the repository root.
        template: shell text with fields in braces, used instead of the task's own command; see `fill_template`.

    Returns:
        What to execute.

    Raises:
        CommandError: the task has no command and there is no template, or the template is wrong.
    """
    base = os.path.abspath(root)  # noqa: PTH100 - a symlinked root stays as it was given
    if template is not None:
        return fill_template(template, task, base)
    if task.command is None:
        raise CommandError(
            f"task {task.id} ({task.span}) has no command; add one to its manifest, or say with --exec what runs it"
        )
    cwd = os.path.normpath(os.path.join(base, task.command.cwd))  # noqa: PTH118
    if task.command.shell is not None:
        return CommandLine((SHELL, "-c", task.command.shell), cwd, task.command.shell)
    return CommandLine(task.command.argv or (), cwd, str(task.command))


def fill_template(template: str, task: Task, root: str) -> CommandLine:
    """Put a task's fields into shell text.

    Fields are `{id}`, `{title}`, `{description}`, `{status}`, `{difficulty}`, `{format}`, `{manifest}`, `{files}` (one
    word for each file) and `{root}`; `{{` and `}}` are braces. A value is never pasted into the text: it becomes a
    positional parameter of the shell, which does not interpret what a parameter holds, so that no title can become a
    command. It makes one word, whatever it contains, inside and outside of quotes.

    Args:
        template: the shell text.
        task: where the values come from.
        root: the absolute repository root.

    Returns:
        The shell with the text and the values.

    Raises:
        CommandError: an unknown field, an unpaired brace, or an empty template.
    """
    if not template.strip():
        raise CommandError("the template of --exec is empty")
    values = _values(task, root)
    text: list[str] = []
    arguments: list[str] = []
    quote = ""
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise CommandError(f"--exec {template!r}: {error}; write {{{{ and }}}} for braces") from error
    for literal, field, spec, conversion in pieces:
        text.append(literal)
        quote = _quote_after(literal, quote)
        if field is None:
            continue
        if field not in _FIELDS or spec or conversion:
            known = ", ".join(f"{{{name}}}" for name in _FIELDS)
            raise CommandError(f"--exec {template!r}: {{{field}}} is no field of a task; there are {known}")
        references = []
        for value in values[field]:
            arguments.append(value)
            references.append(f"${{{len(arguments)}}}")
        # `"` cannot be inside single quotes, so these are left for the moment.
        wrapped = {"": '"{}"', '"': "{}", "'": "'\"{}\"'"}[quote]
        text.append(" ".join(wrapped.format(reference) for reference in references))
    script = "".join(text)
    return CommandLine((SHELL, "-c", script, "sh", *arguments), root, _shown(template, values))


def _values(task: Task, root: str) -> dict[str, list[str]]:
    files = dict.fromkeys(declared.path for declared in (*task.edits, *task.writes))
    difficulty = "" if task.difficulty is None else f"{task.difficulty:g}"
    single = {
        "id": task.id,
        "title": task.title,
        "description": task.description,
        "status": task.raw_status or task.status.value,
        "difficulty": difficulty,
        "format": task.format,
        "manifest": task.span.file,
        "root": root,
    }
    return {**{name: [value.replace("\0", "")] for name, value in single.items()}, "files": list(files)}


def _quote_after(text: str, quote: str) -> str:
    """The quotation that is open behind a piece of shell text, given the one open before it."""
    escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
    return quote


def _shown(template: str, values: dict[str, list[str]]) -> str:
    def replace(match: re.Match[str]) -> str:
        return " ".join(values[match[1]]) if match[1] in values else match[0]

    return re.sub(r"\{(\w+)\}", replace, template)
