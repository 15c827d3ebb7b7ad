"""Python Fire: the command line walks from a component to its members and calls what it meets.

The order of the walk (call, index, key, member), which words a call takes, and how a word becomes a value follow the
documentation of Python Fire.
"""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import from_python
from taskgates.inference.models.command_lines.words import Words
from taskgates.inference.models.registry import ALIASES, Machine, function
from taskgates.inference.models.system.inspection import read_source
from taskgates.inference.models.values.signatures import initialiser, signature
from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.text import Hole, Text
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Descriptor,
    Ext,
    Known,
    Method,
    Native,
    Partial,
    TupleV,
    Union,
    Unknown,
    as_value,
    join,
    options,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROUTINES = (FunctionV, BoundMethod, Partial, Native, Method)


class _Unfit(Exception):  # noqa: N818 - the words', not the program's
    """The words do not fit the component."""


class Signature:
    """What Fire knows about a callable.

    Attributes:
        names: parameters that may be filled by position.
        keyword_only: parameters that may not.
        optional: those of both that have a default.
        star: whether further words are taken.
        double_star: whether further flags are taken.
        positional: whether words without a flag fill parameters; classes take flags only.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.keyword_only: list[str] = []
        self.optional: set[str] = set()
        self.star = False
        self.double_star = False
        self.positional = True


def signature_of(component: AnyValue) -> Signature:
    """The parameters of a component that Fire is about to call."""
    out = Signature()
    target: FunctionV | None
    if isinstance(component, ClassV):
        out.positional = False
        target, skip = initialiser(component), 1
        if target is None:
            for base in component.mro:
                if isinstance(base, ClassV) and "fields" in base.traits:
                    fields = base.traits["fields"]
                    out.names = list(fields)
                    out.optional = {name for name, default in fields.items() if default is not None}
                    break
            return out
    else:
        target, skip = signature(component)
    if target is None:
        out.star = out.double_star = True
        return out
    for param in target.node.params[skip:]:
        if param.kind == "args":
            out.star = True
        elif param.kind == "kwargs":
            out.double_star = True
        else:
            (out.keyword_only if param.kind == "keyword" else out.names).append(param.name)
            if param.default is not None:
                out.optional.add(param.name)
    if isinstance(component, Partial):
        out.optional.update(component.args.kw)
    return out


def is_flag(word: str) -> bool:
    """Whether Fire takes a word as a flag: `--name`, `-n`, `-n=1`, but not `-1`."""
    return word.startswith("--") or (len(word) > 1 and word[0] == "-" and (word[1].isalpha() or word[1] == "_"))


def parse_value(text: str) -> Any:
    """The value of a word: a Python literal in which bare words are strings, else the word itself."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return text
    if isinstance(tree.body, ast.Name):
        return tree.body.id
    try:
        return ast.literal_eval(_Bare().visit(tree))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return text


class _Bare(ast.NodeTransformer):
    """Turns the bare words of a container into strings."""

    def visit_Name(self, node: ast.Name) -> ast.Constant:
        return ast.copy_location(ast.Constant(node.id), node)


class _Walk:
    """One walk along a command line."""

    def __init__(self, machine: Machine, words: Words) -> None:
        self.machine = machine
        self.words = words

    def value(self, word: str) -> AnyValue:
        """The value that a word stands for."""
        if self.words.unknown(word):
            return self.words.decode(word)
        return from_python(parse_value(word))

    def keywords(self, args: list[str], spec: Signature) -> tuple[dict[str, str], list[str], list[str]]:
        """Split words into flags of a signature, other flags, and words."""
        known = [*spec.names, *spec.keyword_only]
        found: dict[str, str] = {}
        others: list[str] = []
        left: list[str] = []
        skip = False
        for index, word in enumerate(args):
            if skip:
                skip = False
                continue
            if not is_flag(word):
                left.append(word)
                continue
            key, equals, text = word.lstrip("-").partition("=")
            key = key.replace("-", "_")
            alone = not equals and (index + 1 == len(args) or is_flag(args[index + 1]))
            name = ""
            if key in known or (alone and key.startswith("no") and key[2:] in known) or spec.double_star:
                name = key
            elif len(key) == 1:
                matches = [candidate for candidate in known if candidate[0] == key]
                if len(matches) > 1:
                    raise _Unfit(f"the flag -{key} is ambiguous")
                name = matches[0] if matches else ""
            skip = not equals and not alone
            if not name:
                others.append(word)
                if skip:
                    others.append(args[index + 1])
            elif equals:
                found[name] = text
            elif alone:
                negated = name not in known and name.startswith("no")
                found[name[2:] if negated else name] = "False" if negated else "True"
            else:
                found[name] = args[index + 1]
        return found, others, left

    def call(self, component: AnyValue, args: list[str]) -> tuple[AnyValue, list[str]]:
        """Call a component with the words that it takes; Fire looks up its line in the source for its messages."""
        read_source(self.machine, component, "fire.Fire")
        spec = signature_of(component)
        found, others, left = self.keywords(args, spec)
        pos: list[AnyValue] = []
        kw: dict[str, AnyValue] = {}
        for name in spec.names:
            if name in found:
                kw[name] = self.value(found.pop(name))
            elif left and spec.positional:
                word = self.value(left.pop(0))
                if kw:
                    kw[name] = word
                else:
                    pos.append(word)
            elif name not in spec.optional:
                raise _Unfit(f"no value for the parameter {name}")
        kw.update((name, self.value(text)) for name, text in found.items())
        if any(name not in kw and name not in spec.optional for name in spec.keyword_only):
            raise _Unfit("no value for a keyword parameter")
        if spec.star:
            pos.extend(self.value(word) for word in left)
            left = []
        result = self.machine.awaited(self.machine.call(component, Arguments(pos, kw)))
        return result, [*left, *others]

    def member(self, component: AnyValue, word: str) -> AnyValue | None:
        """The element, entry or attribute that a word names; None when there is none."""
        machine = self.machine
        if self.words.unknown(word):
            every = list(_members(machine, component))
            return join(every) if every else None
        if isinstance(component, ListObj | TupleV) and word.lstrip("-").isdigit():
            return machine.get_item(component, Known(int(word)))  # type: ignore[no-any-return]
        if isinstance(component, DictObj):
            for key, value in component.known():
                if isinstance(key, Known) and word in (str(key.value), str(key.value).replace("_", "-")):
                    return value
            if component.rest is not None:
                return component.rest
        for name in (word, word.replace("-", "_")):
            if name.isidentifier() and self.has(component, name):
                return machine.get_attr(component, name)  # type: ignore[no-any-return]
        return None

    def has(self, component: AnyValue, name: str) -> bool:
        """Whether a component has an attribute."""
        if isinstance(component, Instance):
            return self.machine.has_attr(component, name) or isinstance(component.cls, Ext)
        if isinstance(component, ClassV):
            return any(isinstance(base, ClassV) and name in base.slots for base in component.mro)
        if isinstance(component, ModuleV):
            return name in component.slots
        return not isinstance(component, Known) or (component.value is not None and hasattr(component.value, name))

    def step(self, component: AnyValue, args: list[str]) -> tuple[AnyValue, list[str]]:
        """One step of the walk: call, or go to a member.

        Raises:
            _Unfit: when neither fits.
        """
        problem: _Unfit | None = None
        if isinstance(component, _ROUTINES) or (isinstance(component, ClassV) or self.is_library_callable(component)):
            try:
                return self.call(component, args)
            except _Unfit as error:
                problem = error
        if args:
            found = self.member(component, args[0])
            if found is not None:
                return found, args[1:]
        if isinstance(component, Instance) and self.machine.has_attr(component, "__call__"):
            return self.call(self.machine.get_attr(component, "__call__"), args)
        if problem is not None:
            raise problem
        return component, args

    def is_library_callable(self, component: AnyValue) -> bool:
        """Whether a name of a library is something to call rather than a module."""
        return isinstance(component, Ext) and not self.machine.effects.knows_module(component.name)

    def alternative(self, component: AnyValue, args: list[str]) -> AnyValue:
        """Walk from one of several possible components."""
        try:
            return self.run(component, args)
        except _Unfit:
            raise self.machine.throw("SystemExit") from None

    def run(self, component: AnyValue, args: list[str]) -> AnyValue:
        """Walk until the words are used up.

        Raises:
            _Unfit: when some words are left over.
        """
        while True:
            if isinstance(component, Union):
                return self.machine.choose([partial(self.alternative, option, args) for option in component.options])  # type: ignore[no-any-return]
            if isinstance(component, Unknown):
                if args:
                    self.machine.opaque("a component of a Fire command line is not known")
                return component
            before, words = component, args
            saved: list[str] | None = None
            if "-" in args:
                index = args.index("-")
                args, saved = args[:index], args[index + 1 :]
            component, args = self.step(component, args)
            if saved is not None:
                args = [*args, "-", *saved] if args else saved
            if component is before and args == words:
                break
        if args:
            raise _Unfit(f"could not consume {' '.join(args)}")
        return component


def _members(machine: Machine, component: AnyValue) -> Iterable[AnyValue]:
    """What a command line may go on to from a component."""
    if isinstance(component, DictObj):
        yield from (value for _, value in component.known())
        if component.rest is not None:
            yield component.rest
    elif isinstance(component, ListObj | TupleV):
        yield from component.items
    elif isinstance(component, Instance) and isinstance(component.cls, ClassV):
        names: dict[str, None] = {}
        for base in component.cls.mro:
            if isinstance(base, ClassV):
                names.update((name, None) for name in base.slots if isinstance(name, str) and not name.startswith("_"))
        for name in names:
            value = machine.get_attr(component, name)
            if isinstance(value, (*_ROUTINES, DictObj, Instance)):
                yield value
        yield from (
            value
            for name, value in component.slots.items()
            if isinstance(name, str) and name not in names and isinstance(value, Instance)
        )
    elif isinstance(component, ModuleV):
        for name, value in component.slots.items():
            if isinstance(name, str) and not name.startswith("_") and isinstance(value, FunctionV | ClassV):
                yield value


def _same(value: AnyValue) -> AnyValue:
    return value


def _anything(machine: Machine, component: AnyValue, rest: AnyValue, depth: int = 0) -> AnyValue:
    """The command line is not known: everything that can be reached may be called."""
    found: list[AnyValue] = []
    for option in options(component):
        value = option
        if isinstance(option, (*_ROUTINES, ClassV, Descriptor)):
            origin = rest.origin if isinstance(rest, Unknown | Text) else "argument"
            word = as_value(Text((Hole(origin, True, "argument"),)))
            value = machine.awaited(machine.call(option, Arguments((), {}, word, word)))
        if depth < _DEPTH and not isinstance(value, _ROUTINES):
            runs = [partial(_anything, machine, member, rest, depth + 1) for member in _members(machine, value)]
            if runs:
                value = machine.choose([*runs, partial(_same, value)])
        found.append(value)
    return join(found)


_DEPTH = 3
"""How many members deep an unknown command line is followed."""


@function("fire.Fire")
def fire(machine: Machine, args: Arguments) -> AnyValue:
    """`Fire(component, command=None)`."""
    component = args.get(0, "component")
    command = args.get(1, "command") or NONE
    if component is None or component == NONE:
        component = machine.frame.module if machine.frame is not None else UNKNOWN
    if command == NONE:
        content = machine.iterate(machine.argv)
        items, rest = content.items[1:], content.rest
    else:
        text = text_of(command)
        split = machine.call(Ext("shlex.split"), Arguments([command])) if text is not None else command
        content = machine.iterate(split)
        items, rest = content.items, content.rest
    if rest is not None and not items:
        return _anything(machine, component, rest)
    words = Words()
    encoded = [words.encode(item) for item in items]
    if "--" in encoded:
        # What follows the last isolated `--` are flags of Fire itself.
        position = len(encoded) - 1 - encoded[::-1].index("--")
        own, encoded = encoded[position + 1 :], encoded[:position]
        if "--help" in own or "-h" in own:
            raise machine.throw("SystemExit")
    if encoded and encoded[-1] in ("--help", "-h"):
        raise machine.throw("SystemExit")
    if rest is not None:
        encoded.append(words.encode(rest))
    walk = _Walk(machine, words)
    try:
        result = walk.run(component, encoded)
    except _Unfit as problem:
        machine.opaque(f"the command line does not fit: {problem}")
        raise machine.throw("SystemExit") from None
    serialise = args.kw.get("serialize", NONE)
    if serialise != NONE:
        result = machine.call(serialise, Arguments([result]))
    return result


ALIASES["fire.core.Fire"] = "fire.Fire"
__all__ = ["Signature", "fire", "parse_value", "signature_of"]
