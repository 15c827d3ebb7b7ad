"""getopt: the real parser of the standard library takes the known words apart."""

from __future__ import annotations

import getopt

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.command_lines.words import Words
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.text import Hole, Text
from taskgates.inference.values import EMPTY, NONE, UNKNOWN, AnyValue, Ext, Known, TupleV, Unknown, join, text_of

ERROR = "getopt.GetoptError"


def _long_names(machine: Machine, value: AnyValue | None) -> list[str]:
    if value is None or value == NONE:
        return []
    if isinstance(text := text_of(value), str):
        return [text]
    found = [text_of(item) for item in machine.iterate(value).items]
    return [name for name in found if isinstance(name, str)]


def _short_names(value: AnyValue | None) -> str:
    text = text_of(value) if value is not None else None
    return text if isinstance(text, str) else ""


def _possible(short: str, long: list[str], origin: str) -> AnyValue:
    """Any of the declared options, with any value."""
    pairs: list[AnyValue] = []
    value = Text((Hole(origin, True, "option"),))
    for index, letter in enumerate(short):
        if letter.isalnum() or letter == "?":
            takes = short[index + 1 : index + 2] == ":"
            pairs.append(TupleV([Known(f"-{letter}"), value if takes else EMPTY]))
    pairs.extend(TupleV([Known(f"--{name.rstrip('=?')}"), value if "=" in name else EMPTY]) for name in long)
    return join(pairs) if pairs else TupleV([UNKNOWN, UNKNOWN])


def _error(machine: Machine, args: Arguments) -> AnyValue:
    """`GetoptError(msg, opt)`."""
    out = Instance(Ext(ERROR))
    _init_error(machine, out, args)
    return out


def _init_error(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    machine.state.write(obj.slots, "args", TupleV(args.pos, args.star))
    for index, name in enumerate(("msg", "opt")):
        machine.state.write(obj.slots, name, args.get(index, name) or EMPTY)
    return NONE


function(ERROR, "getopt.error")(_error)
method(f"{ERROR}.__init__")(_init_error)


def _parse(machine: Machine, args: Arguments, *, intermixed: bool) -> AnyValue:
    content = machine.iterate(args.get(0, "args") or UNKNOWN)
    short = _short_names(args.get(1, "shortopts"))
    long = _long_names(machine, args.get(2, "longopts"))
    if content.rest is not None or any(text_of(item) is None or isinstance(item, Text) for item in content.items):
        machine.may_raise()
    if content.rest is not None and not content.items:
        origin = content.rest.origin if isinstance(content.rest, Unknown | Text) else "argument"
        return TupleV([ListObj("list", (), _possible(short, long, origin)), ListObj("list", (), content.rest)])
    words = Words()
    parse = getopt.gnu_getopt if intermixed else getopt.getopt
    try:
        options, left = parse([words.encode(item) for item in content.items], short, long)
    except getopt.GetoptError as error:
        machine.opaque(f"the command line does not parse: {error.msg}")
        raise AbstractRaise(_error(machine, Arguments([Known(error.msg), Known(error.opt)]))) from None
    pairs = [TupleV([Known(name), words.decode(value)]) for name, value in options]
    return TupleV([ListObj("list", pairs), ListObj("list", [words.decode(word) for word in left], content.rest)])


@function("getopt.getopt")
def getopt_(machine: Machine, args: Arguments) -> AnyValue:
    """`getopt(args, shortopts, longopts)`: options end at the first other word."""
    return _parse(machine, args, intermixed=False)


@function("getopt.gnu_getopt")
def gnu_getopt(machine: Machine, args: Arguments) -> AnyValue:
    """`gnu_getopt(args, shortopts, longopts)`: options and other words may be mixed."""
    return _parse(machine, args, intermixed=True)


__all__ = ["ERROR"]
