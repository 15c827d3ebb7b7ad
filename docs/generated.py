# ruff: noqa: INP001 - loaded by path, not imported
"""MkDocs hook: puts into the manual what the program itself knows, so that the two cannot differ.

A page asks for it with a comment of its own line: `<!-- settings -->` is the table of settings, `<!-- commands -->` the
help of the program and of each command, `<!-- accuracy -->` the table that `make accuracy` measured last.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mkdocs.structure.files import File, Files
from taskgates.cli import cli
from taskgates.config.model import Config
from taskgates.config.settings import SETTINGS
from taskgates.reporting.sarif_rules import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig

_ACCURACY = Path(__file__).parent / "accuracy-table.md"
_MARK = re.compile(r"^<!-- (?P<what>settings|commands|accuracy) -->$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the change log, which stands beside the README in the repository."""
    text = (Path(config.config_file_path).parent / "CHANGELOG.md").read_text("utf-8")
    files.append(File.generated(config, "changelog.md", content=text))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace the marks of a page."""
    return _MARK.sub(_replacement, markdown)


def _replacement(match: re.Match[str]) -> str:
    if match["what"] == "settings":
        return settings_table()
    if match["what"] == "commands":
        return "\n\n".join(commands(cli, click.Context(cli, info_name="taskgates"), 1))
    # The table of all programs together is the last of them, and what most readers want.
    return "\n\n".join(reversed(_ACCURACY.read_text("utf-8").strip().split("\n\n")))


def commands(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    """The help of a command, then of the commands below it under headings of their own."""
    context.terminal_width = 80
    if level > 1:
        yield f"{'#' * level} {context.command_path.removeprefix('taskgates ')}"
    yield f"```text\n{command.get_help(context).rstrip()}\n```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                yield from commands(found, click.Context(found, info_name=name, parent=context), level + 1)


def settings_table() -> str:
    """Every setting with its meaning, its values, its default and its other names."""
    defaults = Config()
    meanings = dict(_meanings(defaults))
    lines = ["| Setting | Meaning | Takes | Default |", "|---|---|---|---|"]
    for setting in SETTINGS:
        others = [f"`{setting.json_name}` in the JSON file"] if setting.json_name else []
        others += [f"`{setting.variable}`"] if setting.variable else []
        also = f" Also {' and '.join(others)}." if others else ""
        lines.append(
            f"| `{setting.name}` | {sentence(meanings[setting.name])}{also} | {setting.expects} | "
            f"{_shown(defaults.value(setting.name))} |"
        )
    return "\n".join(lines)


def _meanings(defaults: Config) -> Iterator[tuple[str, str]]:
    """The descriptions of the attributes in the docstrings of the settings' classes."""
    for prefix, holder in (
        ("", defaults),
        ("gates.", defaults.gates),
        ("inference.", defaults.inference),
        ("scan.", defaults.scan),
    ):
        text = inspect.getdoc(type(holder)) or ""
        _, _, attributes = text.partition("Attributes:\n")
        for name, meaning in re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", attributes, re.MULTILINE):
            yield prefix + name, re.sub(r"\s+", " ", meaning).strip()


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if value in ((), {}):
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:,g}" if isinstance(value, int | float) else str(value)
