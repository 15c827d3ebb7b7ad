"""argparse and optparse: the program's parser is rebuilt from what it was told, and parses the known command line.

The real parser of the standard library does the parsing, with every type, action and callback of the analysed program
replaced by a marker; types are then applied abstractly. Partly known words are stood in for by private-use characters.
"""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

from taskgates.inference.models.command_lines.parser_building import (
    GROUP,
    PARSER,
    SUBPARSERS,
    Builder,
    Noted,
    Stop,
    declared,
)
from taskgates.inference.models.command_lines.words import Words
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance, ListObj
from taskgates.inference.renderings import render
from taskgates.inference.text import Hole, Text
from taskgates.inference.values import (
    BOOL,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    TupleV,
    Unknown,
    join,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from taskgates.inference.frames import AbstractRaise

_ACTION_ATTRIBUTES = (
    "option_strings",
    "dest",
    "nargs",
    "const",
    "default",
    "type",
    "choices",
    "required",
    "help",
    "metavar",
)


def new_parser(kind: str) -> Instance:
    """A parser without any declarations."""
    out = Instance(Ext(kind))
    out.slots["actions"] = ListObj("list")
    out.slots["defaults"] = DictObj()
    return out


@function(PARSER)
def make_parser(machine: Machine, args: Arguments) -> AnyValue:
    """`ArgumentParser(...)`."""
    out = new_parser(PARSER)
    init_parser(machine, out, args)
    return out


@method(f"{PARSER}.__init__")
def init_parser(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The constructor, also for subclasses."""
    obj.slots.setdefault("actions", ListObj("list"))
    obj.slots.setdefault("defaults", DictObj())
    obj.slots["settings"] = machine.dict_of(dict(args.kw))
    parents = args.kw.get("parents")
    if parents is not None:
        for parent in machine.iterate(parents).items:
            if isinstance(parent, Instance) and "actions" in parent.slots:
                machine.extend(obj.slots["actions"], parent.slots["actions"])
                machine.merge_into(obj.slots["defaults"], parent.slots["defaults"])
    return NONE


@method("argparse.Action.__init__")
def init_action(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The constructor that actions of the program's own inherit."""
    for position, name in enumerate(_ACTION_ATTRIBUTES):
        machine.state.write(obj.slots, name, args.get(position, name) or NONE)
    return NONE


@method(f"{PARSER}.add_argument", f"{GROUP}.add_argument")
def add_argument(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.add_argument(...)`: kept for parsing."""
    action = Instance(Ext("argparse.Action"))
    action.slots["names"] = TupleV(args.pos, args.star)
    action.slots["options"] = machine.dict_of(dict(args.kw))
    dest = args.kw.get("dest")
    if dest is None:
        names = [str(n.value) for n in args.pos if isinstance(n, Known)]
        long = next((n for n in names if n.startswith("--")), names[0] if names else "")
        dest = Known(long.lstrip("-").replace("-", "_"))
    action.slots["dest"] = dest
    machine.extend(obj.slots["actions"], TupleV([action]))
    return action


@method(
    f"{PARSER}.add_argument_group",
    f"{PARSER}.add_mutually_exclusive_group",
    f"{GROUP}.add_mutually_exclusive_group",
    f"{GROUP}.add_argument_group",
)
def add_group(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """A group shares its parser's arguments."""
    del machine, args
    out = Instance(Ext(GROUP))
    out.slots["actions"] = obj.slots["actions"]
    out.slots["defaults"] = obj.slots["defaults"]
    return out


@method(f"{PARSER}.set_defaults")
def set_defaults(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.set_defaults(...)`."""
    for name, value in args.kw.items():
        machine.put(obj.slots["defaults"], Known(name), value)
    return NONE


@method(f"{PARSER}.get_default")
def get_default(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.get_default(name)`."""
    found = obj.slots["defaults"].slots.get(args.pos[0]) if args.pos else None
    if found is not None:
        return found  # type: ignore[no-any-return]
    for action in declared(obj):
        if action.slots.get("dest") == (args.pos[0] if args.pos else None):
            default: AnyValue = dict(action.slots["options"].known()).get(Known("default"), NONE)
            return default
    del machine
    return NONE


@method(f"{PARSER}.add_subparsers")
def add_subparsers(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.add_subparsers(...)`."""
    out = Instance(Ext(SUBPARSERS))
    out.slots["parsers"] = DictObj()
    out.slots["options"] = machine.dict_of(dict(args.kw))
    out.slots["dest"] = args.kw.get("dest", NONE)
    machine.extend(obj.slots["actions"], TupleV([out]))
    return out


@method(f"{SUBPARSERS}.add_parser")
def add_parser(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`subparsers.add_parser(name, ...)`."""
    factory = dict(obj.slots["options"].known()).get(Known("parser_class"))
    kw = {name: value for name, value in args.kw.items() if name != "aliases"}
    if isinstance(factory, ClassV):
        out = machine.call(factory, Arguments((), kw))
    else:
        out = make_parser(machine, Arguments((), kw))
    machine.put(obj.slots["parsers"], args.pos[0] if args.pos else UNKNOWN, out)
    aliases = args.kw.get("aliases")
    if aliases is not None:
        for alias in machine.iterate(aliases).items:
            machine.put(obj.slots["parsers"], alias, out)
    return out  # type: ignore[no-any-return]


@method(f"{PARSER}.error")
def parser_error(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The program ends with a usage message."""
    del obj, args
    raise _refused(machine)


@method(f"{PARSER}.exit")
def parser_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The program ends with a message."""
    del obj
    raise machine.throw("SystemExit", args=TupleV([args.get(0, "status", Known(0)) or UNKNOWN]))


def _refused(machine: Machine) -> AbstractRaise:
    """How a program ends whose command line is not as it should be."""
    return machine.throw("SystemExit", args=TupleV([Known(2)]))  # type: ignore[no-any-return]


def _parse(machine: Machine, obj: Instance, args: Arguments, *, known_only: bool) -> AnyValue:
    source = args.get(0, "args")
    if source is None or source == NONE:
        content = machine.iterate(machine.argv)
        items: tuple[AnyValue, ...] = content.items[1:]
        rest = content.rest
    else:
        content = machine.iterate(source)
        items, rest = content.items, content.rest
    namespace = args.get(1, "namespace")
    if not isinstance(namespace, Instance):
        namespace = Instance(Ext("types.SimpleNamespace"))
    if rest is not None and not items:
        _unknown_command_line(machine, obj, namespace, rest)
        return TupleV([namespace, ListObj("list", (), rest)]) if known_only else namespace
    items = _expand_files(machine, obj, items)
    words = Words()
    encoded = [words.encode(item) for item in items]
    builder = Builder(machine, words)
    try:
        parser = builder.build(obj)
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            _, extras = parser.parse_known_args(encoded, Noted(builder.events))
    except Stop as stop:
        if not extras_message(stop):
            raise machine.throw("SystemExit") from None
        machine.opaque(f"the command line does not parse: {stop}")
        raise _refused(machine) from None
    except Exception as error:  # noqa: BLE001 - argparse raises what it likes on odd declarations
        machine.opaque(f"the argument parser could not be rebuilt: {error}")
        _unknown_command_line(machine, obj, namespace, rest if rest is not None else UNKNOWN)
        return TupleV([namespace, ListObj("list", (), UNKNOWN)]) if known_only else namespace
    if extras and not known_only and builder.guessed:
        machine.opaque("an option whose name is not known until the program runs")
        _unknown_command_line(machine, obj, namespace, rest if rest is not None else UNKNOWN)
        return namespace
    if extras and not known_only:
        machine.opaque(f"the command line has unrecognised arguments: {' '.join(extras)}")
        raise _refused(machine)
    builder.fill(namespace)
    if known_only:
        return TupleV([namespace, ListObj("list", [words.decode(extra) for extra in extras], rest)])
    return namespace


def extras_message(stop: Stop) -> bool:
    """Whether the parser stopped because of an error rather than for help."""
    return isinstance(stop.args[0], str)


def _expand_files(machine: Machine, obj: Instance, items: tuple[AnyValue, ...]) -> tuple[AnyValue, ...]:
    """`fromfile_prefix_chars`: arguments kept in a file of the tree."""
    prefix = (
        dict(obj.slots["settings"].known()).get(Known("fromfile_prefix_chars")) if "settings" in obj.slots else None
    )
    if not isinstance(prefix, Known) or not prefix.value:
        return items
    out: list[AnyValue] = []
    for item in items:
        text = text_of(item)
        if isinstance(text, str) and text[:1] in prefix.value:
            machine.access(Operation.READ, Known(text[1:]), "argparse.ArgumentParser.parse_args")
            data = machine.content(text[1:])
            lines = data.decode("utf-8", "replace").splitlines() if data is not None else []
            if machine.has_attr(obj, "convert_arg_line_to_args"):
                convert = machine.get_attr(obj, "convert_arg_line_to_args")
                for line in lines:
                    out.extend(machine.iterate(machine.call(convert, Arguments([Known(line)]))).items)
            else:
                out.extend(Known(line) for line in lines)
        else:
            out.append(item)
    return tuple(out)


@method(f"{PARSER}.parse_args", f"{PARSER}.parse_intermixed_args")
def parse_args(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.parse_args()`."""
    return _parse(machine, obj, args, known_only=False)


@method(f"{PARSER}.parse_known_args")
def parse_known_args(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.parse_known_args()`."""
    return _parse(machine, obj, args, known_only=True)


def _unknown_command_line(machine: Machine, obj: Instance, namespace: Instance, rest: AnyValue) -> None:
    """Nothing is known about the command line: options have their default or an unknown value."""
    origin = rest.origin if isinstance(rest, Unknown | Text) else "argument"
    for name, value in obj.slots["defaults"].known():
        machine.state.write(namespace.slots, name.value, value)
    for action in declared(obj):
        opts = {str(k.value): v for k, v in action.slots["options"].known() if isinstance(k, Known)}
        dest = action.slots["dest"]
        if isinstance(action.cls, Ext) and action.cls.name == SUBPARSERS:
            names = [key for key, _ in action.slots["parsers"].known()]
            if isinstance(dest, Known) and dest.value:
                machine.state.write(namespace.slots, dest.value, join(names) if names else UNKNOWN)
            found: dict[str, list[AnyValue]] = {}
            children = [child for _, child in action.slots["parsers"].known()]
            for child in children:
                inner = Instance(Ext("types.SimpleNamespace"))
                _unknown_command_line(machine, child, inner, rest)
                for key, item in inner.slots.items():
                    found.setdefault(key, []).append(item)
            for key, values in found.items():
                machine.state.write(namespace.slots, key, join(values))
            continue
        if not isinstance(dest, Known) or not isinstance(dest.value, str):
            continue
        kind = opts.get("action")
        default = opts.get("default", NONE)
        name = str(kind.value) if isinstance(kind, Known) else "store"
        if name in ("store_true", "store_false"):
            machine.state.write(namespace.slots, dest.value, BOOL)
            continue
        if name in ("help", "version"):
            continue
        raw: AnyValue = Text((Hole(origin, True, dest.value),))
        choices = opts.get("choices")
        if choices is not None:
            content = machine.iterate(choices)
            if content.items and content.rest is None:
                raw = join(content.items)
        value = machine.call(opts["type"], Arguments([raw])) if "type" in opts and opts["type"] != NONE else raw
        nargs = opts.get("nargs")
        many = isinstance(nargs, Known) and (nargs.value in ("*", "+") or isinstance(nargs.value, int))
        if many or name in ("append", "extend"):
            value = ListObj("list", (), value)
        positional = not any(isinstance(n, Known) and str(n.value).startswith("-") for n in action.slots["names"].items)
        optional = not positional or (isinstance(nargs, Known) and nargs.value in ("?", "*"))
        if optional and "default" in opts and text_of(default) is not None and "type" in opts and opts["type"] != NONE:
            default = machine.call(opts["type"], Arguments([default]))
        required = opts.get("required") == TRUE
        machine.state.write(namespace.slots, dest.value, join([default, value]) if optional and not required else value)


@function("argparse.FileType")
def file_type(machine: Machine, args: Arguments) -> AnyValue:
    """`FileType(mode)`: a callable that opens."""
    del machine
    out = Instance(Ext("argparse.FileType"))
    out.slots["mode"] = args.get(0, "mode") or Known("r")
    return out


@method("argparse.FileType.__call__")
def file_type_call(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Open the named file; `-` is a standard stream."""
    value = args.pos[0] if args.pos else UNKNOWN
    if value == Known("-"):
        return machine.get_attr(Ext("sys"), "stdin" if "r" in str(render(obj.slots["mode"])) else "stdout")  # type: ignore[no-any-return]
    return machine.call(Ext("builtins.open"), Arguments([value, obj.slots["mode"]]))  # type: ignore[no-any-return]
