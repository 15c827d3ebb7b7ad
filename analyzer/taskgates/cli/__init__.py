"""The command line: one module a command, imported only when it is used.

A command module offers its command as `command`. To add one, write the module and name it in `COMMANDS`.
"""

from __future__ import annotations

import difflib
import gc
import importlib
import sys
from typing import TYPE_CHECKING

import click

from taskgates.cli.errors import ExitCode, report_internal_error
from taskgates.cli.streams import close_streams, prepare_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (
    "scan",
    "infer",
    "validate",
    "batches",
    "run",
    "locks",
    "graph",
    "trace",
    "verify",
    "config",
    "rule",
)
"""The commands in the order of the help text; `name` lives in the module `taskgates.cli.name`."""

ISSUES = "https://github.com/taskgates/taskgates/issues"


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            if not cmd_name.startswith("-"):
                near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
                hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(COMMANDS)}."
                ctx.fail(f"No such command {cmd_name!r}. {hint}")
            return None
        module = importlib.import_module(f"taskgates.cli.{cmd_name}")
        command = module.command
        if not isinstance(command, click.Command):
            raise TypeError(f"taskgates.cli.{cmd_name}.command is no click command")
        return command


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"taskgates {version('taskgates')}")
        ctx.exit()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
def cli() -> None:
    """Infer which files every task of a repository reads and writes, and which tasks may run in parallel."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments without the program's name; those of the process when None.

    Returns:
        The exit code: 0 nothing at or above the threshold, 1 findings, 2 wrong usage, configuration or manifest,
        3 an internal error.
    """
    # Most of what a command makes lives as long as the command: looking for cycles in it is mostly for nothing.
    gc.set_threshold(200_000, 20, 100)
    arguments = list(sys.argv[1:] if argv is None else argv)
    prepare_streams()
    try:
        code = cli.main(args=arguments, prog_name="taskgates", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Aborted.", err=True)
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        code = ExitCode.OK
    except Exception as error:  # noqa: BLE001 - the last resort: a bug becomes one line and exit code 3
        report_internal_error(error, arguments, ISSUES)
        code = ExitCode.INTERNAL
    return close_streams(int(code or 0))
