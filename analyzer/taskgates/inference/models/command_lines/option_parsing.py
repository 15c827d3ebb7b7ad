"""optparse: the real parser is built from the declarations and asked."""

from __future__ import annotations

import contextlib
import io
import optparse
from typing import Any, NoReturn

from taskgates.inference.conversion import from_python
from taskgates.inference.models.command_lines.argparsing import (
    add_argument,
    add_group,
    new_parser,
    parser_exit,
    set_defaults,
)
from taskgates.inference.models.command_lines.parser_building import GROUP, PARSER, Stop
from taskgates.inference.models.command_lines.words import Words
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj
from taskgates.inference.renderings import render
from taskgates.inference.values import (
    FALSE,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    TupleV,
)

# optparse


OPT = "optparse.OptionParser"


@function(OPT)
def make_option_parser(machine: Machine, args: Arguments) -> AnyValue:
    """`OptionParser(...)`."""
    del machine, args
    return new_parser(OPT)


@method(f"{OPT}.__init__")
def init_option_parser(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The constructor, for subclasses."""
    del machine, args
    obj.slots.setdefault("actions", ListObj("list"))
    obj.slots.setdefault("defaults", DictObj())
    return NONE


@method(f"{OPT}.add_option", "optparse.OptionGroup.add_option", f"{GROUP}.add_option")
def add_option(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.add_option(...)`."""
    return add_argument(machine, obj, args)


@method(f"{OPT}.set_defaults")
def option_defaults(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.set_defaults(...)`."""
    return set_defaults(machine, obj, args)


@method(f"{OPT}.disable_interspersed_args")
def stop_at_operand(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Options behind the first operand belong to someone else."""
    del args
    machine.state.write(obj.slots, "interspersed", FALSE)
    return NONE


@method(f"{OPT}.error", f"{OPT}.exit")
def option_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The program ends with a usage message."""
    return parser_exit(machine, obj, args)


class _Options(optparse.OptionParser):
    def error(self, msg: str) -> NoReturn:
        raise Stop(msg)

    def exit(self, status: int = 0, msg: str | None = None) -> NoReturn:
        del msg
        raise Stop(status)


@method(f"{OPT}.parse_args")
def option_parse(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`(options, args) = parser.parse_args()`."""
    source = args.get(0, "args")
    content = machine.iterate(machine.argv if source is None or source == NONE else source)
    items = content.items[1:] if source is None or source == NONE else content.items
    words = Words()
    parser = _Options(conflict_handler="resolve")
    if obj.slots.get("interspersed") == FALSE:
        parser.disable_interspersed_args()
    table: dict[str, dict[str, AnyValue]] = {}
    for action in obj.slots["actions"].items:
        opts = {str(k.value): v for k, v in action.slots["options"].known() if isinstance(k, Known)}
        kind = opts.get("action")
        names = [str(name.value) for name in action.slots["names"].items if isinstance(name, Known)]
        if not names:
            machine.opaque("an option whose name is not known until the program runs")
            continue
        dest = str(render(action.slots["dest"]))
        name = str(kind.value) if isinstance(kind, Known) else "store"
        extra: dict[str, Any] = {"dest": dest}
        if name in ("store", "append", "store_true", "store_false", "count", "store_const", "append_const"):
            extra["action"] = name
        if name in ("store_const", "append_const"):
            extra["const"] = dest
        nargs = opts.get("nargs")
        if isinstance(nargs, Known) and isinstance(nargs.value, int) and name == "store":
            extra["nargs"] = nargs.value
        table[dest] = opts
        try:
            parser.add_option(*names, **extra)
        except optparse.OptionError as error:
            raise machine.throw("optparse.OptionError", str(error)) from None
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            parsed, extras = parser.parse_args([words.encode(item) for item in items])
    except Stop:
        raise machine.throw("SystemExit") from None
    namespace = Instance(Ext("types.SimpleNamespace"))
    for dest, opts in table.items():
        raw = getattr(parsed, dest, None)
        if raw is None:
            default = obj.slots["defaults"].slots.get(Known(dest), opts.get("default", NONE))
            namespace.slots[dest] = default
            continue
        convert = {"int": int, "float": float}.get(str(render(opts.get("type", Known("string")))))

        def one(item: Any, convert: Any = convert, opts: dict[str, AnyValue] = opts) -> AnyValue:
            if isinstance(item, str):
                if convert is not None:
                    try:
                        return Known(convert(item))
                    except ValueError:
                        return UNKNOWN
                return opts["const"] if "const" in opts and item not in words.marks else words.decode(item)
            return from_python(item)

        if isinstance(raw, list):
            namespace.slots[dest] = ListObj("list", [one(item) for item in raw])
        elif isinstance(raw, tuple):
            namespace.slots[dest] = TupleV(one(item) for item in raw)
        else:
            namespace.slots[dest] = one(raw)
    return TupleV([namespace, ListObj("list", [words.decode(word) for word in extras], content.rest)])


@function("optparse.OptionGroup")
def option_group(machine: Machine, args: Arguments) -> AnyValue:
    """A group shares its parser's options."""
    return add_group(machine, args.pos[0], Arguments()) if args.pos and isinstance(args.pos[0], Instance) else UNKNOWN


@method(
    f"{OPT}.add_option_group",
    f"{OPT}.print_help",
    f"{OPT}.print_usage",
    f"{PARSER}.print_help",
    f"{PARSER}.print_usage",
)
def quiet(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Output for people."""
    del machine, obj, args
    return NONE
