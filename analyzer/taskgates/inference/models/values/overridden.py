"""Library base classes whose methods call others that the program's subclasses override."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.models.values.syntax_trees import node_class, visit_children, visit_node
from taskgates.inference.objects import Arguments, ClassV, Instance
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import NONE, AnyValue, Known, Scalar, Unknown, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_VISITED: ContextVar[frozenset[tuple[int, str]] | None] = ContextVar("_VISITED", default=None)
"""The methods of visitors that have run since the outermost `visit`: each runs once, whatever nodes a tree may have."""


@method("ast.NodeVisitor.visit", "ast.NodeTransformer.visit")
def visit(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """Hand a node to the visitor's method for its class; in an unknown tree there may be any node."""
    node = args.get(0, "node", NONE) or NONE
    return _any_node(machine, obj) if node_class(node) is None else visit_node(machine, obj, node)


@method("ast.NodeVisitor.generic_visit")
def visit_all(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """Visit the nodes right below a node."""
    node = args.get(0, "node", NONE) or NONE
    return _any_node(machine, obj) if node_class(node) is None else visit_children(machine, obj, node)


def _any_node(machine: Machine, obj: AnyValue) -> AnyValue | None:
    """Hand unknown nodes to all methods of a visitor."""
    if not (isinstance(obj, Instance) and isinstance(obj.cls, ClassV)):
        return None
    slots = [name for base in obj.cls.mro if isinstance(base, ClassV) for name in base.slots]
    names = {name for name in slots if isinstance(name, str) and name.startswith("visit_")}
    if "generic_visit" in slots:
        names.add("generic_visit")
    token = _VISITED.set(frozenset()) if _VISITED.get() is None else None
    try:
        for name in sorted(names):
            seen = _VISITED.get() or frozenset()
            bound = machine.get_attr(obj, name)
            if (id(obj), name) in seen:
                machine.note_function(bound)
                continue
            _VISITED.set(seen | {(id(obj), name)})
            _may_call(machine, bound, [Unknown("a node of a tree", "data")])
    finally:
        if token is not None:
            _VISITED.reset(token)
    return Unknown("the result of a visitor", "data")


@method("ast.NodeTransformer.generic_visit")
def transform(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """The same for a transformer, which gives the node back."""
    node = args.get(0, "node", NONE) or NONE
    if node_class(node) is not None:
        return visit_children(machine, obj, node, replace=True)
    _any_node(machine, obj)
    return args.get(0, "node")


@method("html.parser.HTMLParser.__init__")
def reset_parser(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """The constructor resets the parser."""
    del args
    if machine.has_attr(obj, "reset"):
        machine.call(machine.get_attr(obj, "reset"), Arguments())
    return NONE


@method("io.IOBase.__exit__", "io.RawIOBase.__exit__", "io.BufferedIOBase.__exit__", "io.TextIOBase.__exit__")
def close_stream(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue:
    """Leaving a stream closes it."""
    del args
    if machine.has_attr(obj, "close"):
        machine.call(machine.get_attr(obj, "close"), Arguments())
    return NONE


@function("shutil.copyfileobj")
def copy_stream(machine: Machine, args: Arguments) -> None:
    """Streams of the program's own classes are read and written; the row says the rest."""
    for index, name, given in ((0, "fsrc", "read"), (1, "fdst", "write")):
        stream = args.get(index, name)
        if stream is not None and machine.has_attr(stream, given):
            _may_call(machine, machine.get_attr(stream, given), [Scalar("bytes" if given == "write" else "int")])


@method("cmd.Cmd.onecmd", "cmd.Cmd.cmdloop")
def run_command(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """A line names the method that carries it out; without one that is known it may be any."""
    if not (isinstance(obj, Instance) and isinstance(obj.cls, ClassV)):
        return None
    line = text_of(args.get(0, "line", NONE) or NONE) if "line" in args.kw or args.pos else None
    word = line.split()[0] if isinstance(line, str) and line.split() else ""
    names = {name for base in obj.cls.mro if isinstance(base, ClassV) for name in base.slots if isinstance(name, str)}
    for name in sorted(name for name in names if name.startswith("do_")):
        if name == f"do_{word}" and isinstance(line, str):
            return machine.call(  # type: ignore[no-any-return]
                machine.get_attr(obj, name), Arguments([Known(line.strip().removeprefix(word).strip())])
            )
        if not word:
            _may_call(machine, machine.get_attr(obj, name), [text_hole("argument")])
    if word.isidentifier() and "default" in names:
        return machine.call(machine.get_attr(obj, "default"), Arguments([Known(line)]))  # type: ignore[no-any-return]
    return None


def _may_call(machine: Machine, func: AnyValue, values: Iterable[AnyValue]) -> None:
    """Call what a library may call."""
    machine.undecided += 1
    try:
        machine.call(func, Arguments(values))
    except AbstractRaise:
        pass
    finally:
        machine.undecided -= 1
