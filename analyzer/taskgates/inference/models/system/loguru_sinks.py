"""Loguru: files that are opened when the first message for them comes (`delay=True`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from taskgates.inference.models.registry import METHODS, Machine, method
from taskgates.inference.values import FALSE, UNKNOWN, AnyValue, Known, TupleV, as_value, path_text, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from taskgates.inference.objects import Arguments

_WAITING: Final = "loguru.waiting"
"""Where the sinks are kept that were added and not opened yet: of each its path, its mode and its level."""

_LEVELS: Final = {
    "trace": 5,
    "debug": 10,
    "info": 20,
    "success": 25,
    "warning": 30,
    "error": 40,
    "exception": 40,
    "critical": 50,
}


@method("loguru.Logger.add")
def add(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`logger.add(sink, level=..., delay=True)`; the tables know what is opened at once."""
    del obj
    sink = args.get(0, "sink")
    if machine.truth(args.kw.get("delay", FALSE)) is not True or sink is None or path_text(sink) is None:
        return None
    entry = TupleV([sink, args.kw.get("mode", Known("a")), args.kw.get("level", Known("DEBUG"))])
    waiting = machine.library.get(_WAITING, TupleV(()))
    if isinstance(waiting, TupleV):
        machine.state.write(machine.library, _WAITING, TupleV([*waiting.items, entry]))
    return None


@method("loguru.Logger.remove")
def remove(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`logger.remove()`: nothing waits any more; which one a number means is not followed."""
    del obj
    if not args.pos and not args.kw and _WAITING in machine.library:
        machine.state.write(machine.library, _WAITING, TupleV(()))
    return None


def _number(level: AnyValue | None) -> int | None:
    text = text_of(level) if level is not None else None
    if isinstance(text, str):
        return _LEVELS.get(text.lower())
    return level.value if isinstance(level, Known) and isinstance(level.value, int) else None


def _say(machine: Machine, number: int | None, call: str) -> None:
    """Open the sinks that wait for a message of a level; one whose level is not known may be among them."""
    waiting = machine.library.get(_WAITING)
    if not isinstance(waiting, TupleV) or not waiting.items:
        return
    kept = []
    for entry in waiting.items:
        sink, mode, level = entry.items if isinstance(entry, TupleV) else (UNKNOWN, Known("a"), UNKNOWN)
        least = _number(level)
        known = number is not None and least is not None
        if number is not None and least is not None and number < least:
            kept.append(entry)
            continue
        operation = Operation.OVERWRITE if str(text_of(mode)).startswith("w") else Operation.APPEND
        machine.access(operation, as_value(path_text(sink) or ""), call, conditional=not known)
        if machine.undecided:
            kept.append(entry)
    machine.state.write(machine.library, _WAITING, TupleV(kept))


def _register(name: str, number: int) -> None:
    def model(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
        del obj, args
        _say(machine, number, f"loguru.Logger.{name}")
        return None

    METHODS[f"loguru.Logger.{name}"] = model


for _name, _level in _LEVELS.items():
    _register(_name, _level)


@method("loguru.Logger.log")
def log(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`logger.log(level, message)`."""
    del obj
    _say(machine, _number(args.get(0, "__level")), "loguru.Logger.log")
    return None
