"""docopt: the help text is the declaration; it is read, and the known command line matched against it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from taskgates.inference.models.command_lines import docopt_grammar as grammars
from taskgates.inference.models.command_lines.words import Words
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.objects import Arguments, DictObj, ListObj
from taskgates.inference.renderings import truth
from taskgates.inference.text import Hole, Text
from taskgates.inference.values import BOOL, INT, NONE, AnyValue, Known, Unknown, join, text_of

if TYPE_CHECKING:
    from taskgates.inference.models.command_lines.docopt_grammar import Grammar, Leaf
    from taskgates.inference.models.command_lines.docopt_grammar import Value as Plain


def docstring(machine: Machine) -> str | None:
    """The docstring of the module that is running; the interpreter itself does not keep docstrings."""
    frame = machine.frame
    if frame is None:
        return None
    data = machine.tree.read_bytes(frame.module.file, machine.limits.file_size)
    if data is None:
        return None
    try:
        return ast.get_docstring(ast.parse(data), clean=False)
    except (SyntaxError, ValueError, RecursionError):
        return None


@function("docopt.docopt")
def docopt(machine: Machine, args: Arguments) -> AnyValue:
    """`docopt(doc, argv=None, help=True, version=None, options_first=False)`."""
    doc = args.get(0, "doc") or args.kw.get("docstring", NONE)
    text = docstring(machine) if doc == NONE else text_of(doc)
    source = args.get(1, "argv")
    content = machine.iterate(machine.argv if source is None or source == NONE else source)
    items = content.items[1:] if source is None or source == NONE else content.items
    if isinstance(source, Known) and isinstance(source.value, str):
        items = tuple(Known(word) for word in source.value.split())
    if not isinstance(text, str):
        machine.opaque("the help text of docopt is not known")
        return DictObj("dict", None, Unknown("an argument of docopt", "argument"))
    try:
        grammar = grammars.read(text)
    except grammars.UsageMismatch as problem:
        machine.opaque(f"the help text of docopt is not understood: {problem}")
        return DictObj("dict", None, Unknown("an argument of docopt", "argument"))
    if content.rest is not None and not items:
        return _anything(grammar, content.rest)
    words = Words()
    encoded = [words.encode(item) for item in items]
    if content.rest is not None:
        encoded.append(words.encode(content.rest))
    first = args.get(4, "options_first")
    try:
        parsed = grammars.split(encoded, grammar, options_first=first is not None and truth(first) is True)
        shows_help = truth(args.get(2, "help") or args.get(2, "default_help") or Known(True)) is not False
        names = [word.option.name for word in parsed if word.option is not None]
        if (shows_help and ("--help" in names or "-h" in names)) or (
            args.get(3, "version", NONE) != NONE and "--version" in names
        ):
            raise machine.throw("SystemExit")
        found = grammars.match(grammar, parsed)
    except grammars.UsageMismatch as problem:
        machine.opaque(f"the command line does not parse: {problem}")
        raise machine.throw("SystemExit") from None
    return DictObj("dict", {Known(name): _value(words, found[name]) for name in sorted(found)})


def _value(words: Words, value: Plain) -> AnyValue:
    if isinstance(value, list):
        return ListObj("list", [words.decode(word) for word in value])
    return words.decode(value) if isinstance(value, str) else Known(value)


def _anything(grammar: Grammar, rest: AnyValue) -> AnyValue:
    """The command line is not known: every element has its default or any value."""
    origin = rest.origin if isinstance(rest, Unknown | Text) else "argument"

    def possible(leaf: Leaf) -> AnyValue:
        default = grammar.default(leaf)
        word = Text((Hole(origin, True, leaf.name),))
        if isinstance(default, bool):
            return BOOL
        if isinstance(default, int):
            return INT
        if isinstance(default, list):
            return ListObj("list", (), word)
        return join([Known(default), word]) if default is not None or leaf.kind == "option" else word

    return DictObj("dict", {Known(leaf.name): possible(leaf) for leaf in grammar.leaves()})


__all__ = ["docopt", "docstring"]
