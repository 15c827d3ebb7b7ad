"""`ast`: the syntax trees of known sources, node by node, and what programs ask of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import NotKnown, from_python
from taskgates.inference.models.registry import CONSTANTS, FUNCTIONS, Machine, fixed, function
from taskgates.inference.objects import Arguments, ClassV, Instance, ListObj
from taskgates.inference.values import NONE, AnyValue, Ext, Known, TupleV, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NODE_LIMIT = 400
"""Nodes of one tree that are kept; what programs make of larger ones is judged without knowing them."""
TOTAL_LIMIT = 2000
"""Nodes of all trees of one analysis."""
_COUNT = "ast.parse.nodes"
_PLACE = ("lineno", "col_offset", "end_lineno", "end_col_offset")


def node_class(value: AnyValue) -> type[ast.AST] | None:
    """The class of a known node; None for other values."""
    if not (isinstance(value, Instance) and isinstance(value.cls, Ext) and value.cls.name.startswith("ast.")):
        return None
    found = getattr(ast, value.cls.name[4:], None)
    return found if isinstance(found, type) and issubclass(found, ast.AST) and "_fields" in value.slots else None


def from_node(node: ast.AST) -> Instance:
    """A node with its fields and its place, and so all below it."""
    made = Instance(Ext(f"ast.{type(node).__name__}"))
    made.slots["_fields"] = TupleV(Known(name) for name in node._fields)
    for name in node._fields:
        made.slots[name] = _from_field(getattr(node, name, None))
    for name in _PLACE:
        if hasattr(node, name):
            made.slots[name] = Known(getattr(node, name))
    return made


def _from_field(value: Any) -> AnyValue:
    if isinstance(value, ast.AST):
        return from_node(value)
    if isinstance(value, list):
        return ListObj("list", [_from_field(item) for item in value])
    return Known(value)


def to_node(value: AnyValue) -> Any:
    """The syntax tree that a value stands for, as the program has left it.

    Raises:
        NotKnown: when a part of it is not known.
    """
    kind = node_class(value)
    if kind is None:
        if isinstance(value, Known):
            return value.value
        if isinstance(value, ListObj) and value.rest is None:
            return [to_node(item) for item in value.items]
        raise NotKnown
    assert isinstance(value, Instance)
    made = kind(**{name: to_node(value.slots[name]) for name in kind._fields if name in value.slots})
    return ast.fix_missing_locations(made)


def children(value: AnyValue) -> Iterator[tuple[str, AnyValue]]:
    """The nodes right below a known node, each with the name of its field."""
    kind = node_class(value)
    if kind is None:
        return
    assert isinstance(value, Instance)
    for name in kind._fields:
        held = value.slots.get(name, NONE)
        for item in held.items if isinstance(held, ListObj) else (held,):
            if node_class(item) is not None:
                yield name, item


def _everything(value: AnyValue) -> list[AnyValue]:
    """A node and all below it, level by level, as `ast.walk` gives them."""
    found = [value]
    for node in found:
        found.extend(child for _, child in children(node))
    return found


@function("ast.parse")
def parse(machine: Machine, args: Arguments) -> AnyValue | None:
    """`ast.parse(source)`: the tree of a known, short source."""
    source = args.get(0, "source")
    text = text_of(source) if source is not None else None
    if isinstance(source, Known) and isinstance(source.value, bytes):
        text = source.value.decode("utf-8", "replace")
    mode = text_of(args.get(2, "mode") or Known("exec"))
    if not isinstance(text, str) or mode not in ("exec", "eval", "single"):
        return None
    try:
        tree = ast.parse(text, mode=mode)
    except SyntaxError:
        raise machine.throw("SyntaxError") from None
    except (ValueError, RecursionError, MemoryError):
        return None
    count = sum(1 for _ in ast.walk(tree))
    before = machine.library.get(_COUNT)
    total = count + (before.value if isinstance(before, Known) and isinstance(before.value, int) else 0)
    if count > NODE_LIMIT or total > TOTAL_LIMIT:
        return None
    machine.library[_COUNT] = Known(total)
    return from_node(tree)


@function("ast.walk")
def walk(machine: Machine, args: Arguments) -> AnyValue | None:
    """`ast.walk(node)`: every node of a known tree."""
    del machine
    node = args.get(0, "node")
    return None if node is None or node_class(node) is None else ListObj("list", _everything(node))


@function("ast.iter_child_nodes")
def iter_child_nodes(machine: Machine, args: Arguments) -> AnyValue | None:
    """`ast.iter_child_nodes(node)`."""
    del machine
    node = args.get(0, "node")
    if node is None or node_class(node) is None:
        return None
    return ListObj("list", [child for _, child in children(node)])


@function("ast.iter_fields")
def iter_fields(machine: Machine, args: Arguments) -> AnyValue | None:
    """`ast.iter_fields(node)`."""
    del machine
    node = args.get(0, "node")
    kind = node_class(node) if node is not None else None
    if kind is None or not isinstance(node, Instance):
        return None
    return ListObj("list", [TupleV((Known(name), node.slots[name])) for name in kind._fields if name in node.slots])


def _computed(name: str) -> None:
    """Register a function of `ast` that Python's own carries out on a known tree."""
    earlier = FUNCTIONS.get(f"ast.{name}")

    def model(machine: Machine, args: Arguments) -> AnyValue | None:
        node = args.pos[0] if args.pos else None
        if node is None or node_class(node) is None:
            return earlier(machine, args) if earlier is not None else None
        try:
            rest = [to_node(value) for value in args.pos[1:]]
            named = {key: to_node(value) for key, value in args.kw.items()}
            return from_python(getattr(ast, name)(to_node(node), *rest, **named))
        except NotKnown:
            return None
        except (TypeError, ValueError, AttributeError, RecursionError, SyntaxError) as error:
            raise machine.throw(type(error).__name__) from None

    FUNCTIONS[f"ast.{name}"] = model


for _name in ("literal_eval", "get_docstring", "unparse", "dump"):
    _computed(_name)


def _visitor_slots(obj: AnyValue) -> set[object]:
    """The names that the program's own classes of a visitor define."""
    classes = obj.cls.mro if isinstance(obj, Instance) and isinstance(obj.cls, ClassV) else ()
    return {name for base in classes if isinstance(base, ClassV) for name in base.slots}


def visit_node(machine: Machine, obj: AnyValue, node: AnyValue) -> AnyValue:
    """`visitor.visit(node)` on a known node: the method of its class, else `generic_visit`."""
    kind = node_class(node)
    assert kind is not None
    slots = _visitor_slots(obj)
    for name in (f"visit_{kind.__name__}", "generic_visit"):
        if name in slots:
            found: AnyValue = machine.call(machine.get_attr(obj, name), Arguments([node]))
            return found
    classes = obj.cls.mro if isinstance(obj, Instance) and isinstance(obj.cls, ClassV) else ()
    return visit_children(machine, obj, node, replace=Ext("ast.NodeTransformer") in classes)


def visit_children(machine: Machine, obj: AnyValue, node: AnyValue, *, replace: bool = False) -> AnyValue:
    """`generic_visit(node)` on a known node: each child is visited, by a transformer replaced with what that gives."""
    kind = node_class(node)
    assert kind is not None
    assert isinstance(node, Instance)
    own = machine.get_attr(obj, "visit") if "visit" in _visitor_slots(obj) else None

    def visited(child: AnyValue) -> AnyValue:
        return visit_node(machine, obj, child) if own is None else machine.call(own, Arguments([child]))

    for name in kind._fields:
        held = node.slots.get(name, NONE)
        if isinstance(held, ListObj):
            kept: list[AnyValue] = []
            for item in list(held.items):
                result = visited(item) if node_class(item) is not None else item
                if isinstance(result, ListObj):
                    kept.extend(result.items)
                elif result != NONE:
                    kept.append(result)
            if replace:
                node.slots[name] = ListObj("list", kept, held.rest)
        elif node_class(held) is not None:
            result = visited(held)
            if replace:
                node.slots[name] = result
    return node if replace else NONE


for _name, _kind in vars(ast).items():
    if isinstance(_kind, type) and issubclass(_kind, ast.AST):
        # Visitors of the program's own go by them.
        CONSTANTS[f"ast.{_name}._fields"] = fixed(TupleV(map(Known, _kind._fields)))
