"""Commands that take a command line behind `--`."""

from __future__ import annotations

import click

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
