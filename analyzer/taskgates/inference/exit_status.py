"""Whether a program succeeds, as the command line that started it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.objects import Instance
from taskgates.inference.shell.machine import Status
from taskgates.inference.values import AnyValue, Ext, Known, TupleV, options

if TYPE_CHECKING:
    from collections.abc import Iterable

_EXIT = Ext("builtins.SystemExit")


def exits(value: AnyValue) -> list[AnyValue]:
    """The exceptions among some alternatives by which a program ends of its own accord."""
    return [option for option in options(value) if isinstance(option, Instance) and option.cls == _EXIT]


def exit_status(end: AnyValue, left: Iterable[AnyValue], *, doubted: bool = False) -> Status:
    """The exit status of a program that ends with an exception.

    Args:
        end: the exception.
        left: the exceptions by which it may have ended earlier.
        doubted: whether it may be the analysis that is wrong.
    """
    if doubted:
        return Status.UNKNOWN
    outcomes = {_success(option) for value in (end, *left) for option in options(value)}
    return Status.of(outcomes.pop() if len(outcomes) == 1 else None)


def _success(value: AnyValue) -> bool | None:
    """Whether an exception that ends a program means success; None where that is not known."""
    if not exits(value):
        return False if isinstance(value, Instance) else None
    args = value.slots.get("args") if isinstance(value, Instance) else None
    if not isinstance(args, TupleV) or args.rest is not None:
        return None
    if not args.items:
        return True
    code = args.items[0]
    if not isinstance(code, Known):
        return None
    # Whatever is no number is printed, and means failure.
    return not code.value if isinstance(code.value, int) else code.value is None
