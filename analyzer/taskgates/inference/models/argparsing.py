"""argparse and optparse: the program's parser is rebuilt from what it was told, and parses the known command line.

The real parser of the standard library does the parsing, with every type, action and callback of the analysed program
replaced by a marker; types are then applied abstractly. Partly known words are stood in for by private-use characters.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import optparse
from typing import Any, NoReturn

from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.operators import NotKnown, from_python, to_python
from taskgates.inference.text import Hole, Text, make_text
from taskgates.inference.values import (
    BOOL,
    FALSE,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Arguments,
    ClassV,
    DictObj,
    Ext,
    Instance,
    Known,
    ListObj,
    TupleV,
    Unknown,
    as_value,
    join,
    options,
    path_text,
    render,
    text_hole,
    text_of,
)
from taskgates.model.access import Operation

PARSER = "argparse.ArgumentParser"
GROUP = "argparse._ArgumentGroup"
SUBPARSERS = "argparse._SubParsersAction"


class _Stop(Exception):  # noqa: N818 - argparse ends the program here
    """The real parser wants to exit."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Stop(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        del message
        raise _Stop(status)


class _Collected:
    """A value that a custom action or the default mechanism left: the raw words, and the action they belong to."""


def _new(kind: str) -> Instance:
    out = Instance(Ext(kind))
    out.slots["actions"] = ListObj("list")
    out.slots["defaults"] = DictObj()
    return out


@function(PARSER)
def make_parser(machine: Machine, args: Arguments) -> AnyValue:
    """`ArgumentParser(...)`."""
    out = _new(PARSER)
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
    for action in obj.slots["actions"].items:
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


@method(f"{PARSER}.error", f"{PARSER}.exit")
def parser_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The program ends with a usage message."""
    del obj, args
    raise machine.throw("SystemExit")


class _Words:
    """Words of the command line as the real parser sees them, and back."""

    def __init__(self) -> None:
        self.marks: dict[str, Hole] = {}
        self.values: dict[str, AnyValue] = {}

    def encode(self, value: AnyValue) -> str:
        text = path_text(value)
        if isinstance(text, str):
            return text
        if text is None:
            text = render(value)
        out = ""
        for part in text.parts if isinstance(text, Text) else (text,):
            if isinstance(part, Hole):
                mark = chr(0xE000 + len(self.marks))
                self.marks[mark] = part
                out += mark
            else:
                out += part
        return out

    def decode(self, text: str) -> AnyValue:
        if not any(mark in text for mark in self.marks):
            return Known(text)
        return as_value(make_text([self.marks.get(char, char) for char in text]))


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
    words = _Words()
    encoded = [words.encode(item) for item in items]
    builder = _Builder(machine, words)
    try:
        parser = builder.build(obj)
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            parsed, extras = parser.parse_known_args(encoded)
    except _Stop as stop:
        if extras_message(stop):
            machine.opaque(f"the command line does not parse: {stop}")
        raise machine.throw("SystemExit") from None
    except Exception as error:  # noqa: BLE001 - argparse raises what it likes on odd declarations
        machine.opaque(f"the argument parser could not be rebuilt: {error}")
        _unknown_command_line(machine, obj, namespace, rest if rest is not None else UNKNOWN)
        return TupleV([namespace, ListObj("list", (), UNKNOWN)]) if known_only else namespace
    if extras and not known_only:
        machine.opaque(f"the command line has unrecognised arguments: {' '.join(extras)}")
        raise machine.throw("SystemExit")
    builder.fill(namespace, vars(parsed))
    if known_only:
        return TupleV([namespace, ListObj("list", [words.decode(extra) for extra in extras], rest)])
    return namespace


def extras_message(stop: _Stop) -> bool:
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


_PLAIN_ACTIONS = {
    "store",
    "store_const",
    "store_true",
    "store_false",
    "append",
    "append_const",
    "count",
    "extend",
    "help",
    "version",
}


class _Builder:
    """Rebuilds a parser and translates its results."""

    def __init__(self, machine: Machine, words: _Words) -> None:
        self.machine = machine
        self.words = words
        self.actions: dict[str, list[tuple[Instance, dict[str, AnyValue], str]]] = {}
        self.defaults: list[tuple[Instance, str]] = []
        self.parsers: dict[int, Instance] = {}
        self.store: dict[str, AnyValue] = {}
        self.given: set[str] = set()
        self.count = 0

    def marker(self, value: AnyValue) -> str:
        """A stand-in for an abstract default or constant."""
        self.count += 1
        name = f"\x00{self.count}"
        self.store[name] = value
        return name

    def build(self, obj: Instance, prog: str = "program") -> _Parser:
        settings = (
            {str(k.value): v for k, v in obj.slots["settings"].known() if isinstance(k, Known)}
            if "settings" in obj.slots
            else {}
        )
        extra: dict[str, Any] = {}
        for name in ("prefix_chars", "allow_abbrev", "add_help"):
            if isinstance(settings.get(name), Known):
                extra[name] = settings[name].value
        parser = _Parser(prog=prog, conflict_handler="resolve", **extra)
        for action in obj.slots["actions"].items:
            self.add(parser, action)
        parser.set_defaults(
            **{str(k.value): self.marker(v) for k, v in obj.slots["defaults"].known() if isinstance(k, Known)}
        )
        return parser

    def add_subparsers(self, parser: argparse.ArgumentParser, action: Instance, opts: dict[str, AnyValue]) -> None:
        dest = opts.get("dest")
        required = opts.get("required")
        sub = parser.add_subparsers(
            dest=str(dest.value) if isinstance(dest, Known) and dest.value else argparse.SUPPRESS,
            required=bool(isinstance(required, Known) and required.value),
            parser_class=_Parser,
        )
        for name, child in action.slots["parsers"].known():
            if isinstance(name, Known) and isinstance(child, Instance):
                built = self.build(child, str(name.value))
                sub._name_parser_map[str(name.value)] = built  # noqa: SLF001 - the public way cannot take a parser
                sub.choices = sub._name_parser_map  # noqa: SLF001

    def add(self, parser: argparse.ArgumentParser, action: AnyValue) -> None:
        assert isinstance(action, Instance)
        opts = {str(k.value): v for k, v in action.slots["options"].known() if isinstance(k, Known)}
        if isinstance(action.cls, Ext) and action.cls.name == SUBPARSERS:
            self.add_subparsers(parser, action, opts)
            return
        names = [str(render(name)) for name in action.slots["names"].items]
        kind = opts.get("action")
        extra: dict[str, Any] = {}
        custom = False
        if isinstance(kind, Known) and kind.value in _PLAIN_ACTIONS:
            extra["action"] = kind.value
        elif isinstance(kind, Ext) and kind.name == "argparse.BooleanOptionalAction":
            extra["action"] = argparse.BooleanOptionalAction
        elif kind is not None and kind != NONE:
            custom = True
        nargs = opts.get("nargs")
        if isinstance(nargs, Known) and nargs.value is not None:
            extra["nargs"] = nargs.value
        elif isinstance(nargs, Ext):
            extra["nargs"] = {"argparse.REMAINDER": argparse.REMAINDER, "argparse.SUPPRESS": argparse.SUPPRESS}.get(
                nargs.name
            )
        if "dest" in opts and isinstance(opts["dest"], Known):
            extra["dest"] = opts["dest"].value
        if "required" in opts and isinstance(opts["required"], Known) and names and names[0].startswith("-"):
            extra["required"] = bool(opts["required"].value)
        if "const" in opts:
            extra["const"] = self.marker(opts["const"])
        if "choices" in opts:
            try:
                choices = to_python(opts["choices"])
                if "type" not in opts and all(isinstance(choice, str) for choice in choices):
                    extra["choices"] = [*choices, *self.words.marks]
            except (NotKnown, TypeError):
                pass
        default = opts.get("default")
        if isinstance(default, Ext) and default.name == "argparse.SUPPRESS":
            extra["default"] = argparse.SUPPRESS
        elif default is not None and extra.get("action") != "count":
            extra["default"] = self.marker(default)
        elif default is not None and isinstance(default, Known):
            extra["default"] = default.value
        if extra.get("action") in ("append", "extend", "append_const"):
            # The marker of a default is no list that could be appended to; see `translate`.
            extra.pop("default", None)
        if extra.get("action") in (
            "store_true",
            "store_false",
            "count",
            "help",
            "version",
            "append_const",
            "store_const",
        ):
            extra.pop("nargs", None)
            extra.pop("choices", None)
        if extra.get("action") == "version":
            extra["version"] = ""
        if extra.get("action") in ("store_true", "store_false"):
            extra.pop("const", None)
        made = parser.add_argument(*names, **self.settled(extra, custom=custom))
        self.actions.setdefault(made.dest, []).append(
            (action, opts, "custom" if custom else str(extra.get("action", "store")))
        )

    def settled(self, extra: dict[str, Any], *, custom: bool) -> dict[str, Any]:
        """A declaration as argparse can take it: an action of the program's own may take no word, others may not."""
        if not custom or extra.get("nargs") != 0:
            return extra
        given = self.marker(ListObj("list"))
        self.given.add(given)
        kept = {name: value for name, value in extra.items() if name in ("dest", "default", "required")}
        return {**kept, "action": "store_const", "const": given}

    def fill(self, namespace: Instance, parsed: dict[str, Any]) -> None:
        """Set the attributes of the abstract namespace."""
        machine = self.machine
        for name, raw in parsed.items():
            entries = self.actions.get(name, [])
            value = self.translate(raw, entries)
            custom = next((entry for entry in entries if entry[2] == "custom"), None)
            if custom is not None and not self.is_default(raw):
                self.run_custom(custom, namespace, name, value)
                continue
            machine.state.write(namespace.slots, name, value)

    def is_default(self, raw: Any) -> bool:
        return raw is None or (isinstance(raw, str) and raw in self.store and raw not in self.given)

    def run_custom(
        self, entry: tuple[Instance, dict[str, AnyValue], str], namespace: Instance, name: str, value: AnyValue
    ) -> None:
        """A user-defined action is called as argparse would."""
        machine = self.machine
        machine.state.write(namespace.slots, name, entry[1].get("default", NONE))
        cls = entry[1]["action"]
        made = machine.call(
            cls, Arguments((), {"option_strings": ListObj("list", entry[0].slots["names"].items), "dest": Known(name)})
        )
        if isinstance(made, Instance):
            machine.state.write(made.slots, "dest", Known(name))
            machine.state.write(made.slots, "const", entry[1].get("const", NONE))
            if machine.has_attr(made, "__call__"):
                machine.call(machine.get_attr(made, "__call__"), Arguments([UNKNOWN, namespace, value, Known(None)]))

    def translate(self, raw: Any, entries: list[tuple[Instance, dict[str, AnyValue], str]]) -> AnyValue:
        opts = entries[0][1] if entries else {}
        if entries and entries[0][2] in ("append", "extend", "append_const"):
            default = opts.get("default", NONE)
            if raw is None:
                return default
            content = self.machine.iterate(default) if default != NONE else TupleV(())
            given = [self.translate_item(item, opts) for item in raw]
            return ListObj("list", [*content.items, *given], content.rest)
        if isinstance(raw, str) and raw in self.store:
            stored = self.store[raw]
            # String defaults go through `type` as argparse does it.
            if "type" in opts and stored is opts.get("default") and text_of(stored) is not None:
                return self.convert(stored, opts)
            return stored
        if isinstance(raw, list):
            return ListObj("list", [self.translate_item(item, opts) for item in raw])
        return self.translate_item(raw, opts)

    def translate_item(self, raw: Any, opts: dict[str, AnyValue]) -> AnyValue:
        if isinstance(raw, list):
            return ListObj("list", [self.translate_item(item, opts) for item in raw])
        if isinstance(raw, str):
            if raw in self.store:
                return self.store[raw]
            if raw.startswith("\x00"):
                return self.store.get(raw, UNKNOWN)
            return self.convert(self.words.decode(raw), opts)
        return from_python(raw)

    def convert(self, value: AnyValue, opts: dict[str, AnyValue]) -> AnyValue:
        kind = opts.get("type")
        if kind is None or kind == NONE:
            return value
        if isinstance(kind, Ext) and kind.name == "builtins.str":
            return value
        return self.machine.call(kind, Arguments([value]))  # type: ignore[no-any-return]


def _unknown_command_line(machine: Machine, obj: Instance, namespace: Instance, rest: AnyValue) -> None:
    """Nothing is known about the command line: options have their default or an unknown value."""
    origin = rest.origin if isinstance(rest, Unknown | Text) else "argument"
    for name, value in obj.slots["defaults"].known():
        machine.state.write(namespace.slots, name.value, value)
    for action in obj.slots["actions"].items:
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


# optparse


OPT = "optparse.OptionParser"


@function(OPT)
def make_option_parser(machine: Machine, args: Arguments) -> AnyValue:
    """`OptionParser(...)`."""
    del machine, args
    return _new(OPT)


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
        raise _Stop(msg)

    def exit(self, status: int = 0, msg: str | None = None) -> NoReturn:
        del msg
        raise _Stop(status)


@method(f"{OPT}.parse_args")
def option_parse(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`(options, args) = parser.parse_args()`."""
    source = args.get(0, "args")
    content = machine.iterate(machine.argv if source is None or source == NONE else source)
    items = content.items[1:] if source is None or source == NONE else content.items
    words = _Words()
    parser = _Options(conflict_handler="resolve")
    if obj.slots.get("interspersed") == FALSE:
        parser.disable_interspersed_args()
    table: dict[str, dict[str, AnyValue]] = {}
    for action in obj.slots["actions"].items:
        opts = {str(k.value): v for k, v in action.slots["options"].known() if isinstance(k, Known)}
        kind = opts.get("action")
        names = [str(render(name)) for name in action.slots["names"].items]
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
        parser.add_option(*names, **extra)
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            parsed, extras = parser.parse_args([words.encode(item) for item in items])
    except _Stop:
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


__all__ = ["FALSE", "options", "text_hole"]
