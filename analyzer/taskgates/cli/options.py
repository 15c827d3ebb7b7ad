"""Options that several commands share, and their types."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from taskgates.cli.outputs import Destination

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Decorator = Callable[[_Function], _Function]


class SuggestingChoice(click.Choice[str]):
    """A choice that answers a misspelling with the nearest value."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """The value, or a usage error that suggests one."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            near = difflib.get_close_matches(str(value), [str(choice) for choice in self.choices], n=1, cutoff=0.4)
            if near:
                self.fail(f"{error.message} Did you mean {near[0]!r}?", param, ctx)
            raise


class DestinationType(click.ParamType[Destination]):
    """`FORMAT:FILE`, one of the given formats."""

    name = "format:file"

    def __init__(self, formats: tuple[str, ...]) -> None:
        self._formats = formats

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Destination:  # noqa: ANN401
        """The destination, or a usage error."""
        if isinstance(value, Destination):
            return value
        name, colon, file = str(value).partition(":")
        if not colon or not file:
            self.fail(f"{value!r} is not of the form FORMAT:FILE, such as sarif:taskgates.sarif.", param, ctx)
        if name not in self._formats:
            near = difflib.get_close_matches(name, self._formats, n=1, cutoff=0.4)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            self.fail(f"{name!r} is not a format; there are {', '.join(self._formats)}.{hint}", param, ctx)
        if file == "-":
            self.fail(f"standard output is chosen with --format {name}.", param, ctx)
        return Destination(name, Path(file))


class NameValueType(click.ParamType[tuple[str, str]]):
    """`NAME=VALUE`."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:  # noqa: ANN401
        """The pair, or a usage error."""
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not name:
            self.fail(f"{value!r} is not of the form NAME=VALUE.", param, ctx)
        return name, text


class RuleListType(click.ParamType[tuple[str, ...]]):
    """Rules by id, prefix or name, separated by commas."""

    name = "rules"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:  # noqa: ANN401
        """The entries, or a usage error."""
        if isinstance(value, tuple):
            return value
        entries = tuple(entry.strip() for entry in str(value).split(",") if entry.strip())
        if not entries:
            self.fail("name at least one rule, by id (TG101), prefix (TG1) or name.", param, ctx)
        return entries


def _stacked(*decorators: Callable[[_Function], _Function]) -> Callable[[_Function], _Function]:
    def decorate(function: _Function) -> _Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def verbosity_options() -> Callable[[_Function], _Function]:
    """`-q` and `-v`."""
    return _stacked(
        click.option("-q", "--quiet", is_flag=True, help="Print nothing but the report and errors."),
        click.option("-v", "--verbose", count=True, help="Print more: call chains, complete tasks, tracebacks."),
    )


def format_option(formats: tuple[str, ...]) -> Callable[[_Function], _Function]:
    """`--format`: what goes to standard output."""
    return click.option(
        "-f",
        "--format",
        "format_name",
        type=SuggestingChoice(formats),
        default="rich",
        show_default=True,
        help="What to print to standard output.",
    )


def output_option(formats: tuple[str, ...]) -> Callable[[_Function], _Function]:
    """`--output FORMAT:FILE`, repeatable."""
    return click.option(
        "-o",
        "--output",
        "outputs",
        type=DestinationType(formats),
        multiple=True,
        metavar="FORMAT:FILE",
        help="Write a report to a file as well; may be repeated.",
    )


def analysis_options() -> Callable[[_Function], _Function]:
    """What steers the inference: `--config`, `--env`, `--python`, `--follow`, `--no-cache`."""
    return _stacked(
        click.option(
            "--config",
            "config_file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Read the settings from this file.",
        ),
        click.option(
            "--env",
            "environ",
            type=NameValueType(),
            multiple=True,
            metavar="NAME=VALUE",
            help="Take an environment variable as set for the code; may be repeated.",
        ),
        click.option(
            "--python",
            metavar="PATH",
            help="The Python, or its environment, that runs the code; by default .venv or venv below the root.",
        ),
        click.option(
            "--follow",
            multiple=True,
            metavar="NAME",
            help="Follow the source of an installed package too; may be repeated.",
        ),
        click.option("--no-cache", is_flag=True, help="Neither read nor write .taskgates/cache."),
    )


def root_option() -> Callable[[_Function], _Function]:
    """`--root DIR`."""
    return click.option(
        "--root",
        "root_option",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="The repository; by default the working directory.",
    )
