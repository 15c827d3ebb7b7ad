"""Evaluating expressions to abstract values."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from taskgates.inference import enclosed
from taskgates.inference.generators import Generators
from taskgates.inference.models.values.formatting import format_value
from taskgates.inference.objects import (
    REST,
    Arguments,
    AttributeView,
    ClassV,
    DictObj,
    FunctionV,
    Heap,
    Instance,
    ListObj,
    Maybe,
    ModuleV,
)
from taskgates.inference.operations import Operations
from taskgates.inference.renderings import render
from taskgates.inference.text import Hole, make_text, parts_of
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Native,
    Super,
    TupleV,
    Union,
    Unknown,
    as_value,
    join,
    options,
    widen_texts,
)
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.inference.frames import Frame

BUILTINS = frozenset(dir(__import__("builtins")))


class Expressions(Operations, Generators):
    """The expression half of the interpreter."""

    def eval(self, node: ir.Expr, frame: Frame) -> AnyValue:
        """Evaluate one expression."""
        return _EVAL[type(node)](self, node, frame)

    # Leaves

    def const(self, node: ir.Const, frame: Frame) -> AnyValue:
        del frame
        return Known(node.value)

    def bytes_(self, node: ir.Bytes, frame: Frame) -> AnyValue:
        del frame
        return Known(node.value)

    def literal(self, node: ir.Literal, frame: Frame) -> AnyValue:
        del frame
        try:
            return Known(ast.literal_eval(node.source))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return Unknown("a literal that could not be read")

    def name(self, node: ir.Name, frame: Frame) -> AnyValue:
        return self.load_name(node.id, frame, node)

    def load_name(self, name: str, frame: Frame, node: ir.Name | None = None) -> AnyValue:
        """Look a name up by Python's scoping rules."""
        current: Frame | None = frame
        module = frame.module
        if name in frame.globals:
            current = None
        first = True
        while current is not None:
            if current.locals is not None:
                if name in current.locals or name in current.slots:
                    value = current.slots.get(name)
                    if value is not None:
                        cells = current.cells
                        if cells is not None and name in cells.names:
                            if not first or self.overlap.active:
                                enclosed.touch(self, current, name, "read", node)
                        elif not first and isinstance(value, ListObj | DictObj) and value.owner is not None:
                            self.borrowed(value, value.owner, node)
                        return value.value if isinstance(value, Maybe) else value
                    if first and name in current.locals:
                        return Unknown(f"the variable {name} may not be set")
            elif (first or current.cls is None) and current.slots is not module.slots:
                value = current.slots.get(name)
                if value is not None:
                    return value.value if isinstance(value, Maybe) else value
            current = current.parent
            first = False
        value = module.slots.get(name)
        if value is not None:
            if isinstance(value, Maybe):
                value = value.value
            if (
                frame.slots is not module.slots
                and frame.function is not None
                and not isinstance(value, FunctionV | ClassV | ModuleV | Ext | Native)
                and not self.is_private(value)
            ):
                self.mentioned(f"{module.dotted}.{name}", value, node)
            elif isinstance(value, Heap) and value.owner is not None and frame.slots is module.slots:
                self.borrowed(value, value.owner, node)
            return value
        if name in BUILTINS:
            return Ext(f"builtins.{name}")
        special = self.special_name(name, frame)
        if special is not None:
            return special
        self.may_raise("NameError")
        return Unknown(f"the name {name} is not defined")

    def special_name(self, name: str, frame: Frame) -> AnyValue | None:
        """`__class__` and the like."""
        if name == "__class__" and frame.cls is not None:
            return frame.cls
        if name == "__builtins__":
            return Ext("builtins")
        return None

    def attribute(self, node: ir.Attr, frame: Frame) -> AnyValue:
        obj = self.eval(node.obj, frame)
        if type(obj) is not Instance:
            return self.get_attr(obj, node.name, node)
        # A property of the program's own runs at this place.
        outer, self.call_node = self.call_node, node
        found = self.get_attr(obj, node.name, node)
        self.call_node = outer
        return found

    # Calls

    def call_expr(self, node: ir.Call, frame: Frame) -> AnyValue:
        self.tick()
        func_node = node.func
        if type(func_node) is ir.Name:
            special = _SPECIAL.get(func_node.id)
            if special is not None and func_node.id not in frame.slots:
                result = special(self, node, frame)
                if result is not None:
                    self.note_special(func_node.id)
                    return result
        func = self.eval(func_node, frame)
        args = self.arguments(node.args, frame)
        outer_frame = self.frame
        # It stays the frame's present place until the next call: what has no place of its own is near by.
        self.call_node, self.frame = node, frame
        try:
            return self.call(func, args, node)
        finally:
            self.frame = outer_frame

    def arguments(self, nodes: list[ir.Arg], frame: Frame) -> Arguments:
        """Evaluate the arguments of a call."""
        args = Arguments()
        for arg in nodes:
            value = self.eval(arg.value, frame)
            if arg.star == 1:
                content = self.iterate(value)
                if args.star is None:
                    args.pos.extend(content.items)
                elif content.items:
                    args.star = join([args.star, *content.items])
                if content.rest is not None:
                    args.star = join([args.star, content.rest])
            elif arg.star == 2:
                self.spread(value, args)
            elif arg.keyword is not None:
                args.kw[arg.keyword] = value
            elif args.star is not None:
                args.star = join([args.star, value])
            else:
                args.pos.append(value)
        return args

    def spread(self, value: AnyValue, args: Arguments) -> None:
        """`**value`."""
        if isinstance(value, Instance):
            value = self.as_mapping(value) or UNKNOWN
        if isinstance(value, DictObj):
            for key, item in value.known():
                if isinstance(key, Known) and isinstance(key.value, str):
                    args.kw[key.value] = item
                else:
                    args.kwstar = join([args.kwstar, item])
            if value.rest is not None:
                args.kwstar = join([args.kwstar, value.rest])
        elif isinstance(value, Union):
            dicts = [option for option in value.options if isinstance(option, DictObj)]
            for option in dicts:
                self.spread(option, args)
            if len(dicts) < len(value.options):
                args.kwstar = join([args.kwstar, UNKNOWN])
        else:
            args.kwstar = join([args.kwstar, UNKNOWN])

    def super_(self, node: ir.Call, frame: Frame) -> AnyValue | None:
        if node.args:
            values = self.arguments(node.args, frame)
            if len(values.pos) == 2 and isinstance(values.pos[0], ClassV):
                return Super(values.pos[0], values.pos[1])
            return None
        current: Frame | None = frame
        while current is not None and (current.cls is None or current.function is None):
            current = current.parent
        if current is None or current.cls is None or current.self_value is None:
            return None
        return Super(current.cls, current.self_value)

    def locals_(self, node: ir.Call, frame: Frame) -> AnyValue | None:
        if node.args:
            return None
        entries = {Known(name): value for name, value in frame.slots.items() if isinstance(name, str)}
        return DictObj("dict", entries)

    def globals_(self, node: ir.Call, frame: Frame) -> AnyValue | None:
        del node
        found = self.namespace(frame.module)
        if isinstance(found, DictObj) and self.opens_names(frame.module):
            found.slots[REST] = UNKNOWN
        return found

    def namespace(self, module: Heap) -> AnyValue:
        """The attributes of a module as a dict that writes through."""
        return AttributeView(module)

    # Subscripts

    def subscript(self, node: ir.Subscript, frame: Frame) -> AnyValue:
        obj = self.eval(node.obj, frame)
        index = self.eval(node.index, frame)
        outer, outer_frame = self.call_node, self.frame
        self.frame = frame
        if type(obj) is Instance:
            self.call_node = node
        try:
            return self.get_item(obj, index)
        finally:
            self.call_node, self.frame = outer, outer_frame

    def slice_(self, node: ir.Slice, frame: Frame) -> AnyValue:
        bounds = [self.eval(part, frame) if part is not None else NONE for part in (node.lower, node.upper, node.step)]
        if all(isinstance(bound, Known) for bound in bounds):
            return Known(slice(*(bound.value for bound in bounds)))  # type: ignore[union-attr]
        out = Instance(Ext("builtins.slice"))
        out.slots.update(zip(("start", "stop", "step"), bounds, strict=True))
        return out

    # Displays

    def items(self, nodes: list[ir.Expr], frame: Frame) -> TupleV:
        items: list[AnyValue] = []
        rest: AnyValue | None = None
        for item in nodes:
            if isinstance(item, ir.Star):
                content = self.iterate(self.eval(item.value, frame))
                found, more = content.items, content.rest
            else:
                found, more = (self.eval(item, frame),), None
            if rest is None:
                items.extend(found)
                rest = more
            else:
                rest = join([rest, *found, *([more] if more is not None else [])])
        return TupleV(items, rest)

    def sequence(self, node: ir.Sequence, frame: Frame) -> AnyValue:
        content = self.items(node.items, frame)
        if node.kind == "tuple":
            return content
        items = tuple(dict.fromkeys(content.items)) if node.kind == "set" else content.items
        return self.new_list(node.kind, items, content.rest)

    def dict_(self, node: ir.Dict, frame: Frame) -> AnyValue:
        out = DictObj()
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            value = self.eval(value_node, frame) if key_node is None else None
            if key_node is None:
                self.merge_into(out, value if value is not None else UNKNOWN)
                continue
            key = self.eval(key_node, frame)
            self.put(out, key, self.eval(value_node, frame))
        return out

    def joined(self, node: ir.Joined, frame: Frame) -> AnyValue:
        parts: list[str | Hole] = []
        alternatives: list[list[str | Hole]] | None = None
        for part in node.parts:
            if isinstance(part, ir.Const):
                pieces: list[list[str | Hole]] = [[str(part.value)]]
            else:
                value = self.eval(part, frame)
                pieces = [list(parts_of(render(option))) for option in options(value)]
            if len(pieces) > 1 or alternatives is not None:
                base = alternatives if alternatives is not None else [parts]
                if len(base) * len(pieces) > 16:
                    merged = list(parts_of(widen_texts([make_text(piece) for piece in pieces])))
                    alternatives = [[*head, *merged] for head in base]
                else:
                    alternatives = [[*head, *tail] for head in base for tail in pieces]
            else:
                parts.extend(pieces[0])
        if alternatives is None:
            return as_value(make_text(parts))
        return join(as_value(make_text(pieces)) for pieces in alternatives)

    def format(self, node: ir.Format, frame: Frame) -> AnyValue:
        value = self.eval(node.value, frame)
        spec: AnyValue = Known("")
        if node.spec:
            spec = self.joined(ir.Joined(node.spec), frame)
        return self.each(value, lambda option: self.format_value(option, node.conversion, spec))

    def format_value(self, value: AnyValue, conversion: str | None, spec: AnyValue) -> AnyValue:
        """What a replacement field gives for one value."""
        return format_value(self, value, conversion, spec)

    # Functions and comprehensions

    def lambda_(self, node: ir.Lambda, frame: Frame) -> AnyValue:
        return self.define_function(node.function, frame)

    def walrus(self, node: ir.Walrus, frame: Frame) -> AnyValue:
        value = self.eval(node.value, frame)
        target = frame
        while target.locals == frozenset() and target.parent is not None and target.function is target.parent.function:
            target = target.parent
        self.store(node.target, value, target)
        return value

    def star(self, node: ir.Star, frame: Frame) -> AnyValue:
        return self.eval(node.value, frame)


_SPECIAL: dict[str, Callable[[Any, ir.Call, Frame], AnyValue | None]] = {
    "super": Expressions.super_,
    "locals": Expressions.locals_,
    "globals": Expressions.globals_,
}
_EVAL: dict[type, Callable[[Any, Any, Frame], AnyValue]] = {
    ir.Const: Expressions.const,
    ir.Bytes: Expressions.bytes_,
    ir.Literal: Expressions.literal,
    ir.Name: Expressions.name,
    ir.Attr: Expressions.attribute,
    ir.Call: Expressions.call_expr,
    ir.Subscript: Expressions.subscript,
    ir.Slice: Expressions.slice_,
    ir.Binary: Expressions.binary,
    ir.Unary: Expressions.unary,
    ir.Boolean: Expressions.boolean,
    ir.Compare: Expressions.compare,
    ir.Conditional: Expressions.if_expr,
    ir.Sequence: Expressions.sequence,
    ir.Dict: Expressions.dict_,
    ir.Format: Expressions.format,
    ir.Joined: Expressions.joined,
    ir.Lambda: Expressions.lambda_,
    ir.Comprehension: Expressions.comprehension,
    ir.Await: Expressions.await_,
    ir.Yield: Expressions.yield_,
    ir.Walrus: Expressions.walrus,
    ir.Star: Expressions.star,
}
