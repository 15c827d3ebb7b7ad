"""Evaluating expressions to abstract values."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from taskgates.inference.core import AbstractRaise, Core, Frame
from taskgates.inference.models import registry
from taskgates.inference.models.strings import format_value
from taskgates.inference.operators import DUNDER, REFLECTED, UNARY, arithmetic, as_plain, compare, contains, unary
from taskgates.inference.row_values import type_name_of
from taskgates.inference.text import Hole, concat, make_text, parts_of
from taskgates.inference.values import (
    BOOL,
    BYTES,
    CONTENT,
    FALSE,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Arguments,
    AttributeView,
    Awaitable,
    ClassV,
    DictObj,
    Ext,
    FunctionV,
    Heap,
    Instance,
    Known,
    ListObj,
    Maybe,
    Method,
    ModuleV,
    Native,
    Scalar,
    Super,
    TupleV,
    Union,
    Unknown,
    as_value,
    generalise,
    join,
    render,
    truth,
    widen_texts,
)
from taskgates.model.access import SharedKind
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Callable

BUILTINS = frozenset(dir(__import__("builtins")))

SENT = Union((NONE, Unknown("a value sent to a generator", "data")))
"""What a `yield` gives: generators run before their consumer does."""


class Expressions(Core):
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
                self.shared(f"{module.dotted}.{name}", SharedKind.MODULE_GLOBAL, "read", node)
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
        return self.get_attr(obj, node.name, node)

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
        return self.namespace(frame.module)

    def namespace(self, module: Heap) -> AnyValue:
        """The attributes of a module as a dict that writes through."""
        return AttributeView(module)

    # Subscripts

    def subscript(self, node: ir.Subscript, frame: Frame) -> AnyValue:
        obj = self.eval(node.obj, frame)
        index = self.eval(node.index, frame)
        outer, outer_frame = self.call_node, self.frame
        self.frame = frame
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

    # Operators

    def binary(self, node: ir.Binary, frame: Frame) -> AnyValue:
        # Long sums nest to the left; they are evaluated in a loop.
        spine = [node]
        current = node.left
        while type(current) is ir.Binary:
            spine.append(current)
            current = current.left
        value = self.eval(current, frame)
        for step in reversed(spine):
            value = self.operate(step.op, value, self.eval(step.right, frame))
        return value

    def operate(self, op: str, left: AnyValue, right: AnyValue) -> AnyValue:
        """A binary operation, user-defined operators included."""
        if isinstance(left, Union) or isinstance(right, Union):
            lefts = left.options if isinstance(left, Union) else (left,)
            rights = right.options if isinstance(right, Union) else (right,)
            if len(lefts) * len(rights) <= 64:
                return self.choose(
                    [lambda a=a, b=b: self.operate(op, a, b) for a in lefts for b in rights]  # type: ignore[misc]
                )
            return self.operate(op, as_value(render(left)), as_value(render(right))) if op == "+" else UNKNOWN
        name = DUNDER.get(op)
        if name is not None:
            for obj, other, method in ((left, right, f"__{name}__"), (right, left, f"__r{name}__")):
                if isinstance(obj, Instance) and isinstance(obj.cls, ClassV) and self.has_attr(obj, method):
                    found = self.call(self.get_attr(obj, method), Arguments([other]))
                    if not _declines(found):
                        return found
        try:
            result = arithmetic(op, left, right)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise self.throw(type(error).__name__, str(error)) from None
        if op == "|" and result is None and isinstance(left, Ext | ClassV | Known):
            return left  # a union of types in an annotation
        if result is None:
            self.may_raise()
            return UNKNOWN
        if isinstance(result, Unknown):
            self.may_raise()
        return result

    def augmented(self, op: str, left: AnyValue, right: AnyValue) -> AnyValue:
        """`left op= right`: lists and sets change in place."""
        if isinstance(left, ListObj) and op == "+":
            self.extend(left, right)
            return left
        if isinstance(left, ListObj) and op == "|":
            self.extend(left, right, distinct=True)
            return left
        if isinstance(left, DictObj) and op == "|":
            self.call(Method(left, "update"), Arguments([right]))
            return left
        name = DUNDER.get(op)
        if name and isinstance(left, Instance) and isinstance(left.cls, ClassV) and self.has_attr(left, f"__i{name}__"):
            return self.call(self.get_attr(left, f"__i{name}__"), Arguments([right]))
        return self.operate(op, left, right)

    def unary(self, node: ir.Unary, frame: Frame) -> AnyValue:
        value = self.eval(node.operand, frame)
        if node.op == "not":
            decided = self.truth(value)
            return BOOL if decided is None else (FALSE if decided else TRUE)
        return self.each(value, lambda option: self.signed(node.op, option))

    def signed(self, op: str, value: AnyValue) -> AnyValue:
        """`-x`, `+x`, `~x`, user-defined operators included."""
        method = UNARY[op]
        if isinstance(value, Instance) and isinstance(value.cls, ClassV) and self.has_attr(value, method):
            return self.call(self.get_attr(value, method), Arguments())
        return unary(op, value)

    def boolean(self, node: ir.Boolean, frame: Frame) -> AnyValue:
        left = self.eval(node.left, frame)
        decided = self.truth(left)
        wanted = node.op == "or"
        if decided is wanted:
            return left
        if decided is (not wanted):
            return self.eval(node.right, frame)

        def right() -> AnyValue:
            self.refine(node.left, not wanted, frame)
            return self.eval(node.right, frame)

        # When the left side is what counts, its other truth value is excluded.
        kept = [option for option in _options(left) if self.truth(option) is not (not wanted)]
        return self.choose([lambda: join(kept) if kept else left, right])

    def compare(self, node: ir.Compare, frame: Frame) -> AnyValue:
        left = self.eval(node.left, frame)
        result: AnyValue = TRUE
        undecided = False
        for op, right_node in zip(node.ops, node.rights, strict=True):
            right = self.eval(right_node, frame)
            result = self.compare_values(op, left, right)
            decided = self.truth(result)
            if decided is False:
                return result
            undecided = undecided or decided is None
            left = right
        return BOOL if undecided and self.truth(result) is not False and len(node.ops) > 1 else result

    def compare_values(self, op: str, left: AnyValue, right: AnyValue) -> AnyValue:
        """One comparison, user-defined operators included."""
        if op in ("in", "not in"):
            if isinstance(right, Instance):
                found = self.contains(right, left)
                if found is not None:
                    return TRUE if found == (op == "in") else FALSE
                return BOOL
            if isinstance(right, Ext) and right.name in registry.MEMBERSHIPS:
                return registry.MEMBERSHIPS[right.name](self, left, op == "in")
            if isinstance(right, ClassV) and (asked := self.class_protocol(right, "__contains__")) is not None:
                decided = self.truth(self.call(asked, Arguments([left])))
                return BOOL if decided is None else (TRUE if decided == (op == "in") else FALSE)
            if isinstance(right, ClassV) and "enum" in right.traits:
                right = TupleV([*right.traits["members"], *(m.slots["value"] for m in right.traits["members"])])
        else:
            name = DUNDER.get(op)
            if (
                name is not None
                and isinstance(left, Instance)
                and isinstance(left.cls, ClassV)
                and self.has_attr(left, f"__{name}__")
            ):
                answer = self.call(self.get_attr(left, f"__{name}__"), Arguments([right]))
                if not _declines(answer):
                    return answer
            elif op == "!=" and isinstance(left, Instance) and self.has_attr(left, "__eq__"):
                decided = self.truth(self.call(self.get_attr(left, "__eq__"), Arguments([right])))
                return BOOL if decided is None else (FALSE if decided else TRUE)
            reflected = REFLECTED.get(op)
            if reflected and isinstance(right, Instance) and self.has_attr(right, reflected):
                return self.call(self.get_attr(right, reflected), Arguments([left]))
        if isinstance(left, Union) and not isinstance(right, Union):
            answers = {self.truth(compare(op, option, right)) for option in left.options}
            if len(answers) == 1:
                found = answers.pop()
                return BOOL if found is None else (TRUE if found else FALSE)
            return BOOL
        return compare(op, left, right)

    def contains(self, container: Instance, item: AnyValue) -> bool | None:
        """Membership in an object."""
        if self.has_attr(container, "__contains__"):
            return self.truth(self.call(self.get_attr(container, "__contains__"), Arguments([item])))
        if self.has_attr(container, "__iter__"):
            content = self.iterate(container)
            return contains(TupleV(content.items, content.rest), item)
        plain, wanted = as_plain(container), as_plain(item)
        if plain is not container:
            if isinstance(plain, Known) and isinstance(plain.value, int) and isinstance(wanted, Known):
                # A flag among flags.
                return bool(plain.value & wanted.value == wanted.value)
            return contains(plain, wanted)
        entries = self.as_mapping(container)
        if entries is not None:
            return contains(entries, item)
        names = self.type_names(type_name_of(container) or "")
        modelled = next((m for name in names if (m := registry.METHODS.get(f"{name}.__contains__")) is not None), None)
        return self.truth(modelled(self, container, Arguments([item]))) if modelled is not None else None

    def if_expr(self, node: ir.Conditional, frame: Frame) -> AnyValue:
        decided = self.truth(self.eval(node.test, frame))
        if decided is True:
            return self.eval(node.body, frame)
        if decided is False:
            return self.eval(node.orelse, frame)

        def taken() -> AnyValue:
            self.refine(node.test, True, frame)
            return self.eval(node.body, frame)

        def skipped() -> AnyValue:
            self.refine(node.test, False, frame)
            return self.eval(node.orelse, frame)

        return self.choose([taken, skipped])

    def truth(self, value: AnyValue) -> bool | None:
        """Truthiness, user-defined `__bool__` and `__len__` included."""
        if isinstance(value, Instance):
            if isinstance(value.cls, ClassV):
                for name in ("__bool__", "__len__"):
                    if self.has_attr(value, name):
                        return self.truth(self.call(self.get_attr(value, name), Arguments()))
                inner = self.inner(value, next((base.name for base in value.cls.mro if isinstance(base, Ext)), ""))
                if isinstance(inner, DictObj | ListObj):
                    return truth(inner)
                return (
                    True if all(isinstance(c, ClassV) or c.name == "builtins.object" for c in value.cls.mro) else None
                )
            return True if value.cls.name in _ALWAYS_TRUE or "argparse" in value.cls.name else None
        if isinstance(value, Union):
            found = {self.truth(option) for option in value.options}
            return found.pop() if len(found) == 1 else None
        if isinstance(value, Method) and isinstance(value.self, Instance) and not self.is_listed(value):
            # It may be a plain attribute of the library's object as well.
            return None
        return truth(value)

    def is_listed(self, method: Method) -> bool:
        """Whether the models or the tables know a name of a library object as a method."""
        type_name = type_name_of(method.self)
        if type_name is None:
            return False
        names = (type_name, *(row.name for row in self.effects.linearisation(type_name)))
        return any(f"{name}.{method.name}" in registry.METHODS for name in names) or (
            self.effects.method(type_name, method.name) is not None
        )

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
                pieces = [list(parts_of(render(option))) for option in _options(value)]
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

    def comprehension(self, node: ir.Comprehension, frame: Frame) -> AnyValue:
        inner = Frame(frame.module, frame.qualname, {}, frame, frame.function)
        inner.locals = frozenset()
        inner.cls = frame.cls
        inner.self_value = frame.self_value
        items: list[AnyValue] = []
        pairs = DictObj()
        rest: list[AnyValue] = []

        def emit(certain: bool) -> None:
            if node.kind == "dict":
                key = self.eval(node.element, inner)
                assert node.value is not None
                value = self.eval(node.value, inner)
                if certain:
                    self.put(pairs, key, value)
                else:
                    self.state.write(pairs.slots, key, Maybe(value)) if isinstance(key, Known) else self.put(
                        pairs, UNKNOWN, value
                    )
                return
            if isinstance(node.element, ir.Star):
                content = self.iterate(self.eval(node.element.value, inner))
                found = [*content.items, *([content.rest] if content.rest is not None else [])]
                if certain and not rest and content.rest is None:
                    items.extend(found)
                else:
                    rest.extend(found)
                return
            value = self.eval(node.element, inner)
            if certain and not rest:
                items.append(value)
            else:
                rest.append(value)

        self.clause(node.clauses, 0, inner, frame, emit, True)
        if node.kind == "dict":
            return pairs
        summary = join(rest) if rest else None
        if node.kind == "set":
            return self.new_list("set", tuple(dict.fromkeys(items)), summary)
        return self.new_list("iterator" if node.kind == "generator" else "list", items, summary)

    def clause(  # noqa: PLR0917 - the state of one comprehension
        self,
        clauses: list[ir.Clause],
        index: int,
        inner: Frame,
        outer: Frame,
        emit: Callable[[bool], None],
        certain: bool,
    ) -> None:
        """Run the clauses of a comprehension from one on."""
        if index == len(clauses):
            emit(certain)
            return
        clause = clauses[index]
        content = self.iterate(self.eval(clause.iter, outer if index == 0 else inner))
        items = list(content.items)
        rest = content.rest
        if len(items) > self.limits.unroll:
            every = dict.fromkeys((*items, *([rest] if rest is not None else [])))
            items, rest = [], generalise(tuple(every)) if len(every) > 1 else next(iter(every))
        for item in items:
            self.tick()
            self.element(clauses, index, item, inner, outer, emit, certain)
        if rest is not None:

            def once() -> int:
                self.element(clauses, index, rest, inner, outer, emit, False)
                return 1

            self.fork([once], include_current=True)

    def element(  # noqa: PLR0917 - the state of one comprehension
        self,
        clauses: list[ir.Clause],
        index: int,
        item: AnyValue,
        inner: Frame,
        outer: Frame,
        emit: Callable[[bool], None],
        certain: bool,
    ) -> None:
        """Run a comprehension for one element of one clause."""
        clause = clauses[index]
        self.store(clause.target, item, inner)
        undecided = False
        for test in clause.tests:
            decided = self.truth(self.eval(test, inner))
            if decided is False:
                return
            undecided = undecided or decided is None
            self.refine(test, True, inner)
        if not undecided:
            self.clause(clauses, index + 1, inner, outer, emit, certain)
            return

        def once() -> int:
            self.clause(clauses, index + 1, inner, outer, emit, False)
            return 1

        self.fork([once], include_current=True)

    def await_(self, node: ir.Await, frame: Frame) -> AnyValue:
        return self.awaited(self.eval(node.value, frame))

    def awaited(self, value: AnyValue) -> AnyValue:
        """The result of awaiting a value."""
        if isinstance(value, Awaitable):
            return value.result
        if isinstance(value, Union):
            return join(self.awaited(option) for option in value.options)
        if isinstance(value, Instance) and isinstance(value.cls, ClassV) and self.has_attr(value, "__await__"):
            content = self.iterate(self.call(self.get_attr(value, "__await__"), Arguments()))
            return join(content.items) if content.items else UNKNOWN
        return value

    def yield_(self, node: ir.Yield, frame: Frame) -> AnyValue:
        current: Frame | None = frame
        while current is not None and current.yields is None and current.on_yield is None:
            current = current.parent
        value = self.eval(node.value, frame) if node.value is not None else NONE
        if current is None:
            return UNKNOWN
        if node.is_from:
            content = self.iterate(value)
            values = [*content.items, *([content.rest] if content.rest is not None else [])]
            for item in values:
                self.emit(current, item, certain=item is not content.rest)
            return value.slots.get("returned", NONE) if isinstance(value, ListObj) else NONE
        return self.emit(current, value, certain=True)

    def emit(self, frame: Frame, value: AnyValue, *, certain: bool) -> AnyValue:
        """Hand one yielded value to whoever runs the generator."""
        if frame.on_yield is not None:
            return frame.on_yield(value)
        target = frame.yields
        assert target is not None
        content: TupleV = target.slots[CONTENT]
        # The consumer's view must not be undone when a branch of the generator is: it is a log, not state.
        if certain and not self.undecided_since(frame) and content.rest is None and len(content.items) < 4096:
            target.slots[CONTENT] = TupleV((*content.items, value))
        else:
            target.slots[CONTENT] = TupleV(content.items, join([content.rest, value]))
        return SENT

    def undecided_since(self, frame: Frame) -> bool:
        """Whether the generator of a frame is inside an undecided branch of its own."""
        return self.undecided > frame.floor

    def walrus(self, node: ir.Walrus, frame: Frame) -> AnyValue:
        value = self.eval(node.value, frame)
        target = frame
        while target.locals == frozenset() and target.parent is not None and target.function is target.parent.function:
            target = target.parent
        self.store(node.target, value, target)
        return value

    def star(self, node: ir.Star, frame: Frame) -> AnyValue:
        return self.eval(node.value, frame)


_ALWAYS_TRUE = frozenset(
    {
        "io.TextIOWrapper",
        "re.Match",
        "re.Pattern",
        "threading.Thread",
        "datetime.datetime",
        "datetime.date",
        "subprocess.Popen",
        "subprocess.CompletedProcess",
        "logging.Logger",
        "sqlite3.Connection",
        "zipfile.ZipFile",
        "tarfile.TarFile",
    }
)


def _declines(value: AnyValue) -> bool:
    """Whether an operator's method gave `NotImplemented`: the other operand is asked."""
    return isinstance(value, Ext) and value.name == "builtins.NotImplemented"


def _options(value: AnyValue) -> tuple[AnyValue, ...]:
    return value.options if isinstance(value, Union) else (value,)


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

__all__ = ["BYTES", "AbstractRaise", "Expressions", "Scalar", "concat"]
