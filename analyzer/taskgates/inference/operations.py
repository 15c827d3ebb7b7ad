"""Operators in expressions: arithmetic, comparison, membership, truth and choices by them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.comparison import REFLECTED, compare, contains
from taskgates.inference.conversion import as_plain
from taskgates.inference.core import Core
from taskgates.inference.frames import anchor
from taskgates.inference.models import registry
from taskgates.inference.models.values.formatting import repr_text, to_text
from taskgates.inference.models.values.generic_aliases import alias_of
from taskgates.inference.objects import (
    Arguments,
    ClassV,
    DictObj,
    Instance,
    ListObj,
)
from taskgates.inference.operators import DUNDER, UNARY, arithmetic, unary
from taskgates.inference.renderings import render, truth
from taskgates.inference.row_values import type_name_of
from taskgates.inference.values import (
    BOOL,
    FALSE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Method,
    TupleV,
    Union,
    Unknown,
    as_value,
    join,
    options,
)
from taskgates.syntax import ir

if TYPE_CHECKING:
    from taskgates.inference.frames import Frame, Place


_CONVERSION = re.compile(r"%(?P<key>\([^)]*\))?[-+ #0]*\d*(?:\.\d+)?[hlL]?(?P<kind>[a-zA-Z%*])")


class Operations(Core):
    """What operators make of values, those of the analysed code included."""

    def binary(self, node: ir.Binary, frame: Frame) -> AnyValue:
        # Long sums nest to the left; they are evaluated in a loop.
        spine = [node]
        current = node.left
        while type(current) is ir.Binary:
            spine.append(current)
            current = current.left
        value = self.eval(current, frame)
        for step in reversed(spine):
            right = self.eval(step.right, frame)
            if type(value) is Instance or type(right) is Instance:
                value = self.operate_at(anchor(step), step.op, value, right)
            else:
                value = self.operate(step.op, value, right)
        return value

    def operate_at(self, place: Place | None, op: str, left: AnyValue, right: AnyValue) -> AnyValue:
        """A binary operation with an object, whose method runs at the place of the operands."""
        outer = self.call_node
        self.call_node = place if place is not None else outer
        found = self.operate(op, left, right)
        self.call_node = outer
        return found

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
                elif isinstance(obj, Instance) and isinstance(obj.cls, Ext):
                    model = registry.METHODS.get(f"{obj.cls.name}.{method}")
                    given: AnyValue | None = model(self, obj, Arguments([other])) if model is not None else None
                    if given is not None:
                        return given
        if op == "%" and isinstance(left, Known) and isinstance(left.value, str):
            template, right = self.shown(left.value, right)
            left = left if template is left.value else Known(template)
        try:
            result = arithmetic(op, left, right)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise self.throw(type(error).__name__, str(error)) from None
        entries = registry.METHODS.get(f"{left.name}.@entries") if op == "|" and isinstance(left, Ext) else None
        if entries is not None:
            return self.operate(op, entries(self, left, Arguments()), right)
        if op == "|" and result is None and isinstance(left, Ext | ClassV | Known):
            return alias_of(Ext("typing.Union"), TupleV([left, right]))
        if result is None:
            self.may_raise()
            return UNKNOWN
        if isinstance(result, Unknown):
            self.may_raise()
        return result

    def shown(self, template: str, value: AnyValue) -> tuple[str, AnyValue]:
        """printf-style formatting: the program's own objects and containers as the text that they read as.

        Returns:
            The template, in which what is text by now is asked for as such, and the arguments.
        """
        items = value.items if isinstance(value, TupleV) else (value,)
        own = [
            isinstance(each, ListObj | DictObj | TupleV)
            or (isinstance(each, Instance) and isinstance(each.cls, ClassV) and as_plain(each) is each)
            for each in items
        ]
        if not any(own):
            return template, value
        places = [match for match in _CONVERSION.finditer(template) if match["kind"] != "%"]
        if len(places) != len(items) or any(match["key"] or match["kind"] == "*" for match in places):
            return template, value
        texts = list(items)
        for index, match in reversed(list(enumerate(places))):
            if own[index] and match["kind"] in "sr":
                show = to_text if match["kind"] == "s" else repr_text
                texts[index] = as_value(show(self, items[index]))
                template = template[: match.end() - 1] + "s" + template[match.end() :]
        return template, TupleV(texts, value.rest) if isinstance(value, TupleV) else texts[0]

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
        if name and isinstance(left, Instance) and isinstance(left.cls, ClassV):
            if self.has_attr(left, f"__i{name}__"):
                return self.call(self.get_attr(left, f"__i{name}__"), Arguments([right]))
            held = self.inner(left, left.cls.library_base())
            if isinstance(held, ListObj | DictObj) and op in "+|" and not self.has_attr(left, f"__{name}__"):
                self.augmented(op, held, right)
                return left
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
        kept = [option for option in options(left) if self.truth(option) is not (not wanted)]
        return self.choose([lambda: join(kept) if kept else left, right])

    def condition(self, node: ir.Expr, frame: Frame) -> bool | None:
        """The truth of a test; an undecided part does not matter beside one that decides alone (`x or True`)."""
        if type(node) is not ir.Boolean:
            return self.truth(self.eval(node, frame))
        left = self.condition(node.left, frame)
        wanted = node.op == "or"
        if left is not None:
            return wanted if left is wanted else self.condition(node.right, frame)
        found: list[bool | None] = []

        def right() -> AnyValue:
            self.refine(node.left, not wanted, frame)
            found.append(self.condition(node.right, frame))
            return BOOL

        self.choose([lambda: BOOL, right])
        return wanted if found == [wanted] else None

    def compare(self, node: ir.Compare, frame: Frame) -> AnyValue:
        left = self.eval(node.left, frame)
        result: AnyValue = TRUE
        undecided = False
        for op, right_node in zip(node.ops, node.rights, strict=True):
            right = self.eval(right_node, frame)
            outer = self.call_node
            if type(left) is Instance or type(right) is Instance:
                self.call_node = anchor(right_node) or anchor(node.left) or outer
            result = self.compare_values(op, left, right)
            self.call_node = outer
            decided = self.truth(result)
            if decided is False:
                return result
            undecided = undecided or decided is None
            left = right
        return BOOL if undecided and self.truth(result) is not False and len(node.ops) > 1 else result

    def compare_values(self, op: str, left: AnyValue, right: AnyValue) -> AnyValue:
        """One comparison, user-defined operators included."""
        if op in ("in", "not in"):
            if self.overlap.active and isinstance(right, ListObj | DictObj):
                self.looked_at(right)
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
            elif (
                isinstance(left, Instance)
                and isinstance(left.cls, Ext)
                and (model := registry.METHODS.get(f"{left.cls.name}.__{name}__")) is not None
            ):
                compared: AnyValue | None = model(self, left, Arguments([right]))
                if compared is not None:
                    return compared
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
        names = self.type_names(type_name_of(container) or "")
        modelled = next((m for name in names if (m := registry.METHODS.get(f"{name}.__contains__")) is not None), None)
        if modelled is not None:
            return self.truth(modelled(self, container, Arguments([item])))
        entries = self.as_mapping(container)
        if entries is not None:
            return contains(entries, item)
        if self.has_attr(container, "__getitem__"):
            content = self.iterate(container)
            return contains(TupleV(content.items, content.rest), item)
        return None

    def if_expr(self, node: ir.Conditional, frame: Frame) -> AnyValue:
        decided = self.condition(node.test, frame)
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
                inner = self.inner(value, value.cls.library_base())
                if isinstance(inner, DictObj | ListObj):
                    return truth(inner)
                if "enum" in value.cls.traits:
                    # Members are true, but those that are numbers or texts as well count as these do.
                    alone = all(not isinstance(base, Ext) or base.name in _PLAIN_ENUM for base in value.cls.mro)
                    return True if alone else truth(value.slots.get("value", UNKNOWN))
                return (
                    True if all(isinstance(c, ClassV) or c.name == "builtins.object" for c in value.cls.mro) else None
                )
            name = value.cls.name
            return True if name in _ALWAYS_TRUE or "argparse" in name or self.is_lock(value) else None
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


_PLAIN_ENUM = frozenset({"enum.Enum", "builtins.object"})
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
