"""`open` with an opener of the program's own, which decides what file it is."""

from __future__ import annotations

import os

from taskgates.inference.models.registry import Machine, function
from taskgates.inference.objects import Arguments, Instance
from taskgates.inference.values import INT, NONE, UNKNOWN, AnyValue, Known, text_of


@function("builtins.open", "io.open")
def open_by(machine: Machine, args: Arguments) -> AnyValue | None:
    """`open(file, mode, ..., opener=function)`; without an opener the effect table says it all."""
    opener = args.get(7, "opener") if len(args.pos) > 7 or "opener" in args.kw else None
    if opener is None or opener == NONE:
        return None
    mode = args.get(1, "mode", Known("r")) or Known("r")
    text = text_of(mode)
    flags = Known(_flags(text)) if isinstance(text, str) else INT
    opened: AnyValue = machine.call(opener, Arguments([args.get(0, "file", UNKNOWN) or UNKNOWN, flags]))
    if isinstance(opened, Instance) and "name" in opened.slots:
        return machine.open_handle(opened.slots["name"], mode)  # type: ignore[no-any-return]
    return opened


def _flags(mode: str) -> int:
    """The flags that `open` hands to its opener for a mode."""
    flags = os.O_CLOEXEC
    if "+" in mode:
        flags |= os.O_RDWR
    elif "r" not in mode:
        flags |= os.O_WRONLY
    if "w" in mode:
        flags |= os.O_CREAT | os.O_TRUNC
    elif "a" in mode:
        flags |= os.O_CREAT | os.O_APPEND
    elif "x" in mode:
        flags |= os.O_CREAT | os.O_EXCL
    return flags
