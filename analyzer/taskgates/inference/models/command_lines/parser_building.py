"""The real argparse parser that the declarations of a program describe."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.renderings import render
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    TupleV,
    Unknown,
    options,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.inference.models.command_lines.words import Words
    from taskgates.inference.models.registry import Machine

PARSER = "argparse.ArgumentParser"
GROUP = "argparse._ArgumentGroup"
SUBPARSERS = "argparse._SubParsersAction"


_SUPPRESS = Ext("argparse.SUPPRESS")
_UNSET = object()


class Stop(Exception):  # noqa: N818 - argparse ends the program here
    """The real parser wants to exit."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Stop(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        del message
        raise Stop(status)


class Called:
    """One use of an action of the program's own.

    Attributes:
        action: the object of the program's class.
        options: what the argument was declared with.
        parser: the program's parser that found it.
        values: the words that belong to it.
        option: the word that named it, None for a positional argument.
    """

    def __init__(
        self, action: AnyValue, options: dict[str, AnyValue], parser: AnyValue, values: Any, option: str | None
    ) -> None:
        self.action = action
        self.options = options
        self.parser = parser
        self.values = values
        self.option = option


class _Noting(argparse.Action):
    """Stands for an action of the program's own: each use is noted, in the order of the command line."""

    def __init__(
        self, option_strings: list[str], dest: str, *, note: Callable[[str, Any, str | None], None], **rest: Any
    ) -> None:
        super().__init__(option_strings, dest, **rest)
        self.note = note

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        del parser, namespace
        self.note(self.dest, values, option)


class Noted(argparse.Namespace):
    """A namespace that notes what is set, in that order."""

    def __init__(self, events: list[tuple[str, Any]]) -> None:
        object.__setattr__(self, "_events", events)

    def __setattr__(self, name: str, value: Any) -> None:
        self._events.append((name, value))
        object.__setattr__(self, name, value)


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


_ACTION_CLASSES = {
    "argparse._StoreAction": "store",
    "argparse._StoreConstAction": "store_const",
    "argparse._StoreTrueAction": "store_true",
    "argparse._StoreFalseAction": "store_false",
    "argparse._AppendAction": "append",
    "argparse._AppendConstAction": "append_const",
    "argparse._CountAction": "count",
    "argparse._ExtendAction": "extend",
    "argparse._HelpAction": "help",
    "argparse._VersionAction": "version",
}


def declared(obj: Instance) -> list[Instance]:
    """What a parser was told of arguments; after an undecided branch or loop, what any of its paths told it."""
    actions = obj.slots["actions"]
    items = (*actions.items, *(() if actions.rest is None else (actions.rest,)))
    return [option for item in items for option in options(item) if isinstance(option, Instance)]


class Builder:
    """Rebuilds a parser and translates its results.

    Attributes:
        events: what the real parser set, and the uses of actions of the program's own, in that order.
        guessed: whether the name of some argument is not known.
    """

    def __init__(self, machine: Machine, words: Words) -> None:
        self.machine = machine
        self.words = words
        self.actions: dict[str, list[tuple[Instance, dict[str, AnyValue], str]]] = {}
        self.events: list[tuple[str, Any]] = []
        self.store: dict[str, AnyValue] = {}
        self.count = 0
        self.guessed = False

    def marker(self, value: AnyValue) -> str:
        """A stand-in for an abstract default or constant."""
        self.count += 1
        name = f"\x00{self.count}"
        self.store[name] = value
        return name

    def build(self, obj: Instance, prog: str = "program") -> _Parser:
        """The real parser of a parser object, with all its subparsers."""
        settings = (
            {str(k.value): v for k, v in obj.slots["settings"].known() if isinstance(k, Known)}
            if "settings" in obj.slots
            else {}
        )
        extra: dict[str, Any] = {}
        for name in ("prefix_chars", "allow_abbrev", "add_help"):
            if isinstance(settings.get(name), Known):
                extra[name] = settings[name].value
        general = settings.get("argument_default", NONE)
        if isinstance(general, Ext) and general.name == "argparse.SUPPRESS":
            extra["argument_default"] = argparse.SUPPRESS
        elif general != NONE:
            extra["argument_default"] = self.marker(general)
        everywhere = settings.get("argument_default")
        if everywhere == _SUPPRESS:
            extra["argument_default"] = argparse.SUPPRESS
        elif everywhere is not None and everywhere != NONE:
            extra["argument_default"] = self.marker(everywhere)
        parser = _Parser(prog=prog, conflict_handler="resolve", **extra)
        for action in declared(obj):
            self.add(parser, action, obj)
        rest = obj.slots["actions"].rest
        # Of too many that only some paths tell of, it is no longer known which they are.
        self.guessed = self.guessed or isinstance(rest, Unknown)
        parser.set_defaults(
            **{str(k.value): self.marker(v) for k, v in obj.slots["defaults"].known() if isinstance(k, Known)}
        )
        return parser

    def add_subparsers(self, parser: argparse.ArgumentParser, action: Instance, opts: dict[str, AnyValue]) -> None:
        """Give the real parser its subcommands."""
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

    def add(self, parser: argparse.ArgumentParser, action: AnyValue, obj: Instance) -> None:
        """Give the real parser one argument, or a group of them."""
        assert isinstance(action, Instance)
        opts = {str(k.value): v for k, v in action.slots["options"].known() if isinstance(k, Known)}
        if isinstance(action.cls, Ext) and action.cls.name == SUBPARSERS:
            self.add_subparsers(parser, action, opts)
            return
        names = [str(render(name)) for name in action.slots["names"].items]
        known = all(isinstance(name, Known) for name in action.slots["names"].items)
        self.guessed = self.guessed or not names or not known or action.slots["names"].rest is not None
        extra, own = self.action_of(action, opts)
        nargs = opts.get("nargs")
        if isinstance(own, Instance):
            nargs = own.slots.get("nargs", nargs)
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
        if own is not None:
            events, action_object = self.events, own

            def note(dest: str, values: Any, option: str | None) -> None:
                events.append((dest, Called(action_object, opts, obj, values, option)))

            extra.update(action=_Noting, note=note)
        made = parser.add_argument(*names, **extra)
        self.actions.setdefault(made.dest, []).append((action, opts, str(extra.get("action", "store"))))

    def action_of(self, action: Instance, opts: dict[str, AnyValue]) -> tuple[dict[str, Any], AnyValue | None]:
        """The declaration of an argument's action, or the object of the program's own class of actions."""
        kind = opts.get("action")
        if isinstance(kind, Known) and kind.value in _PLAIN_ACTIONS:
            return {"action": kind.value}, None
        if isinstance(kind, Ext) and kind.name in _ACTION_CLASSES:
            return {"action": _ACTION_CLASSES[kind.name]}, None
        if isinstance(kind, Ext) and kind.name == "argparse.BooleanOptionalAction":
            return {"action": argparse.BooleanOptionalAction}, None
        return {}, self.made(kind, action, opts) if kind is not None and kind != NONE else None

    def made(self, cls: AnyValue, action: Instance, opts: dict[str, AnyValue]) -> AnyValue:
        """The object that argparse makes of a class of actions, with everything that the argument is declared with."""
        names = [name for name in action.slots["names"].items if str(render(name)).startswith("-")]
        kept = {name: value for name, value in opts.items() if name != "action"}
        return self.machine.call(  # type: ignore[no-any-return]
            cls, Arguments((), {"option_strings": ListObj("list", names), **kept, "dest": action.slots["dest"]})
        )

    def fill(self, namespace: Instance) -> None:
        """Set the attributes of the abstract namespace, in the order in which the real parser would."""
        written: dict[str, Any] = {}
        for name, raw in self.events:
            if isinstance(raw, Called):
                before = dict(namespace.slots)
                self.run_own(raw, namespace, name)
                after = namespace.slots
                changed = [key for key in after if after[key] is not before.get(key)]
                written.update({key: raw for key in [name, *changed] if isinstance(key, str)})
                continue
            # argparse sets defaults again at the end, where nothing else took their place.
            if self.is_default(raw) and (isinstance(written.get(name), Called) or written.get(name, _UNSET) == raw):
                continue
            written[name] = raw
            self.machine.state.write(namespace.slots, name, self.translate(raw, self.actions.get(name, [])))

    def is_default(self, raw: Any) -> bool:
        """Whether what the real parser set stands for a default."""
        return raw is None or (isinstance(raw, str) and raw in self.store)

    def run_own(self, use: Called, namespace: Instance, name: str) -> None:
        """An action of the program's own is called as argparse would."""
        machine = self.machine
        value = self.translate(use.values, [(Instance(Ext("argparse.Action")), use.options, "store")])
        if isinstance(use.action, Instance) and machine.has_attr(use.action, "__call__"):
            option = NONE if use.option is None else self.words.decode(use.option)
            machine.call(machine.get_attr(use.action, "__call__"), Arguments([use.parser, namespace, value, option]))
        else:
            machine.state.write(namespace.slots, name, value)

    def translate(self, raw: Any, entries: list[tuple[Instance, dict[str, AnyValue], str]]) -> AnyValue:
        """The value of an attribute of the namespace, from what the real parser stored there."""
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
        """The value of one word, or of several."""
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
        """What the declared `type` makes of a value."""
        kind = opts.get("type")
        if kind is None or kind == NONE:
            return value
        if isinstance(kind, Ext) and kind.name == "builtins.str":
            return value
        return self.machine.call(kind, Arguments([value]))  # type: ignore[no-any-return]
