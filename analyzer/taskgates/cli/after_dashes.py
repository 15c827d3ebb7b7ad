"""Commands that take a command line behind `--`."""

from __future__ import annotations

import click

from taskgates.model.task import Command

_KEY = "taskgates.words_behind_dashes"


class CommandAfterDashes(click.Command):
    """Keeps the words behind `--` apart from the arguments in front of it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands in front of `--`."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[_KEY] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)


def words_behind_dashes(ctx: click.Context) -> tuple[str, ...] | None:
    """The words behind `--`; None where there is no `--`."""
    words: tuple[str, ...] | None = ctx.meta.get(_KEY)
    return words


def command_of(words: tuple[str, ...]) -> Command:
    """The command behind `--`: an argument vector, or shell text when it is one word with a space in it."""
    if len(words) == 1 and any(character.isspace() for character in words[0].strip()):
        return Command(shell=words[0])
    return Command(argv=words)


def task_or_command(ctx: click.Context, task_ids: tuple[str, ...]) -> str | Command:
    """The one thing that a command is asked about: a task's id in front of `--`, or the command line behind it.

    Args:
        ctx: the command's context.
        task_ids: the arguments in front of `--`.

    Raises:
        UsageError: there is neither, or more than one.
    """
    words = words_behind_dashes(ctx)
    call = f"taskgates {ctx.info_name}"
    if words is not None and task_ids:
        raise click.UsageError(
            f"Give either a task id or a command behind `--`, not both ({task_ids[0]!r} is in front)."
        )
    if words is not None and not words:
        raise click.UsageError("There is no command behind `--`.")
    if words is not None:
        return command_of(words)
    if not task_ids:
        raise click.UsageError(f"Give a task id, or a command line behind `--`: {call} -- python train.py")
    if len(task_ids) > 1:
        raise click.UsageError(f"Give one task id; a command line stands behind `--`: {call} -- {' '.join(task_ids)}")
    return task_ids[0]
