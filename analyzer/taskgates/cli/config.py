"""`taskgates config`: every setting, its value, and where it came from."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from taskgates.cli.options import format_option, root_option
from taskgates.cli.settings import choose_root, read_settings
from taskgates.cli.streams import terminal_of, write_out
from taskgates.config.settings import SETTINGS
from taskgates.reporting.groups.document import Grid, as_markdown, as_terminal_text
from taskgates.reporting.report import RenderOptions

if TYPE_CHECKING:
    from taskgates.config import Config


@click.command("config")
@root_option()
@click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the settings from this file.",
)
@format_option(("rich", "json", "markdown"))
def command(root_option: Path | None, config_file: Path | None, format_name: str) -> None:
    """Show every setting with its value and the place that set it.

    The weakest place comes first: defaults, pyproject.toml or taskgates.toml, .claude/config/parallel-execution.json,
    environment variables, the command line.
    """
    config = read_settings(choose_root(None, root_option), {}, config_file)
    if format_name == "json":
        write_out(json.dumps({"settings": [_described(config, each.name) for each in SETTINGS]}, indent=2) + "\n")
        return
    rows = tuple((each.name, _shown(config.value(each.name)), str(config.origin(each.name))) for each in SETTINGS)
    document = [Grid(("Setting", "Value", "Set by"), rows, keyed=True)]
    if format_name == "markdown":
        write_out(as_markdown(document))
    else:
        terminal = terminal_of(sys.stdout)
        write_out(as_terminal_text(document, RenderOptions(width=terminal.width, colour=terminal.colour)))


def _described(config: Config, name: str) -> dict[str, Any]:
    origin = config.origin(name)
    setting = next(each for each in SETTINGS if each.name == name)
    return {
        "name": name,
        "value": _plain(config.value(name)),
        "source": origin.source,
        "source_name": origin.name or None,
        "file": origin.span.file if origin.span is not None else None,
        "line": origin.span.line if origin.span is not None else None,
        "takes": setting.expects,
        "json_name": setting.json_name,
        "variable": setting.variable,
    }


def _plain(value: object) -> object:
    """Ready for JSON: whole numbers without a fraction, `never` where nothing is."""
    built: object = msgspec.to_builtins(value)
    return int(built) if isinstance(built, float) and built.is_integer() else built


def _shown(value: object) -> str:
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain)
