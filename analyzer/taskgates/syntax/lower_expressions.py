"""Lowering of expressions."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import libcst as cst

from taskgates.syntax import ir
from taskgates.syntax.scopes import Scope, ScopedWalk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_OPERATORS = {
    "Add": "+",
    "Subtract": "-",
    "Multiply": "*",
    "Divide": "/",
    "FloorDivide": "//",
    "Modulo": "%",
    "Power": "**",
    "MatrixMultiply": "@",
    "LeftShift": "<<",
    "RightShift": ">>",
    "BitAnd": "&",
    "BitOr": "|",
    "BitXor": "^",
    "Equal": "==",
    "NotEqual": "!=",
    "LessThan": "<",
    "LessThanEqual": "<=",
    "GreaterThan": ">",
    "GreaterThanEqual": ">=",
    "In": "in",
    "NotIn": "not in",
    "Is": "is",
    "IsNot": "is not",
    "Minus": "-",
    "Plus": "+",
    "BitInvert": "~",
    "Not": "not",
    "And": "and",
    "Or": "or",
}
OPERATOR_OF: dict[type, str] = {
    getattr(cst, name + suffix): symbol
    for name, symbol in _OPERATORS.items()
    for suffix in ("", "Assign")
    if hasattr(cst, name + suffix)
}
_KEYWORD_CONSTANTS: dict[str, bool | None] = {"None": None, "True": True, "False": False}
_MUTATORS = frozenset(
    [
        "add",
        "append",
        "appendleft",
        "clear",
        "discard",
        "extend",
        "extendleft",
        "insert",
        "pop",
        "popitem",
        "popleft",
        "remove",
        "reverse",
        "setdefault",
        "sort",
        "update",
        "difference_update",
        "intersection_update",
        "symmetric_difference_update",
        "move_to_end",
        "subtract",
    ]
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_INT64 = 1 << 63


class ExpressionLowerer(ScopedWalk):
    """The part of the walk that lowers expressions, parameters of functions included."""

    def expr(self, node: Any) -> ir.Expr:
        """Lower one expression."""
        return _EXPR[type(node)](self, node)

    def name(self, node: cst.Name) -> ir.Expr:
        pos = self.count
        self.count = pos + 1
        value = node.value
        if value in _KEYWORD_CONSTANTS:
            return ir.Const(_KEYWORD_CONSTANTS[value])
        return ir.Name(self.private(value), pos)

    def attribute(self, node: cst.Attribute) -> ir.Expr:
        obj = self.expr(node.value)
        pos = self.count
        self.count = pos + 1
        return ir.Attr(obj, self.private(node.attr.value), pos)

    def call(self, node: cst.Call) -> ir.Expr:
        start = self.count
        func = self.expr(node.func)
        pos = max(start, self.count - 1)
        if type(func) is ir.Attr and func.name in _MUTATORS:
            self.mutate(func.obj)
        return ir.Call(func, self.args(node.args), pos, start)

    def args(self, nodes: Sequence[cst.Arg]) -> list[ir.Arg]:
        out = []
        for arg in nodes:
            keyword = None
            if arg.keyword is not None:
                keyword = arg.keyword.value
                self.count += 1
            out.append(ir.Arg(self.expr(arg.value), keyword, len(arg.star)))
        return out

    def string(self, node: cst.SimpleString) -> ir.Expr:
        text = node.value
        quote = text[-1]
        if text[0] == quote and "\\" not in text and _SURROGATE.search(text) is None:
            return ir.Const(text[3:-3] if text.startswith(quote * 3) and len(text) >= 6 else text[1:-1])
        return self.constant(text)

    def constant(self, source: str) -> ir.Expr:
        try:
            value = ast.literal_eval(source)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return ir.Literal(source)
        if isinstance(value, bytes):
            return ir.Bytes(value)
        if isinstance(value, str) and _SURROGATE.search(value) is not None:
            return ir.Literal(source)
        if isinstance(value, int) and not -_INT64 <= value < _INT64:
            return ir.Literal(source)
        if isinstance(value, str | int | float):
            return ir.Const(value)
        return ir.Literal(source)

    def number(self, node: cst.Integer | cst.Float | cst.Imaginary) -> ir.Expr:
        text = node.value
        if text.isdigit() and len(text) < 18 and (text[0] != "0" or len(text) == 1):
            return ir.Const(int(text))
        return self.constant(text)

    def ellipsis(self, node: cst.Ellipsis) -> ir.Expr:
        del node
        return ir.Literal("...")

    def concatenated(self, node: cst.ConcatenatedString) -> ir.Expr:
        left, right = self.expr(node.left), self.expr(node.right)
        if isinstance(left, ir.Const) and isinstance(right, ir.Const):
            return ir.Const(str(left.value) + str(right.value))
        if isinstance(left, ir.Bytes) and isinstance(right, ir.Bytes):
            return ir.Bytes(left.value + right.value)
        parts: list[ir.Expr] = []
        for side in (left, right):
            parts.extend(side.parts if isinstance(side, ir.Joined) else [side])
        return ir.Joined(parts)

    def formatted(self, node: Any) -> ir.Expr:
        return ir.Joined(self.fields(node.parts, "r" in node.prefix.lower()))

    def fields(self, nodes: Sequence[Any], raw: bool) -> list[ir.Expr]:
        parts: list[ir.Expr] = []
        for part in nodes:
            if isinstance(part, _TEXT_PIECES):
                text = part.value.replace("{{", "{").replace("}}", "}")
                if not raw and "\\" in text:
                    text = _unescape(text)
                parts.append(ir.Const(text))
                continue
            before = self.count
            value = self.expr(part.expression)
            if part.equal is not None:
                parts.append(ir.Const(_debug_text(part)))
            del before
            spec = self.fields(part.format_spec, raw) if part.format_spec else []
            conversion = part.conversion
            if part.equal is not None and conversion is None and not spec:
                conversion = "r"
            parts.append(ir.Format(value, conversion, spec))
        return parts

    def subscript(self, node: cst.Subscript) -> ir.Expr:
        value = self.expr(node.value)
        pos = max(0, self.count - 1)
        items = [self.index(element.slice) for element in node.slice]
        trailing = len(node.slice) == 1 and not isinstance(node.slice[0].comma, cst.MaybeSentinel)
        index = items[0] if len(items) == 1 and not trailing else ir.Sequence("tuple", items)
        return ir.Subscript(value, index, pos)

    def index(self, node: cst.BaseSlice) -> ir.Expr:
        if isinstance(node, cst.Index):
            value = self.expr(node.value)
            return ir.Star(value) if node.star else value
        assert isinstance(node, cst.Slice)
        lower = self.expr(node.lower) if node.lower is not None else None
        upper = self.expr(node.upper) if node.upper is not None else None
        step = self.expr(node.step) if node.step is not None else None
        return ir.Slice(lower, upper, step)

    def binary(self, node: cst.BinaryOperation) -> ir.Expr:
        # The left spine is walked in a loop: long sums must not exhaust the stack.
        spine: list[cst.BinaryOperation] = []
        current: Any = node
        while type(current) is cst.BinaryOperation:
            spine.append(current)
            current = current.left
        out = self.expr(current)
        for step in reversed(spine):
            out = ir.Binary(OPERATOR_OF[type(step.operator)], out, self.expr(step.right))
        return out

    def unary(self, node: cst.UnaryOperation) -> ir.Expr:
        operand = self.expr(node.expression)
        op = OPERATOR_OF[type(node.operator)]
        if op == "-" and type(operand) is ir.Const and type(operand.value) in (int, float):
            return ir.Const(-operand.value)  # type: ignore[operator]
        return ir.Unary(op, operand)

    def boolean(self, node: cst.BooleanOperation) -> ir.Expr:
        return ir.Boolean(OPERATOR_OF[type(node.operator)], self.expr(node.left), self.expr(node.right))

    def comparison(self, node: cst.Comparison) -> ir.Expr:
        left = self.expr(node.left)
        ops, rights = [], []
        for target in node.comparisons:
            ops.append(OPERATOR_OF[type(target.operator)])
            rights.append(self.expr(target.comparator))
        return ir.Compare(left, ops, rights)

    def conditional(self, node: cst.IfExp) -> ir.Expr:
        body = self.expr(node.body)
        test = self.expr(node.test)
        return ir.Conditional(test, body, self.expr(node.orelse))

    def display(self, node: cst.List | cst.Tuple | cst.Set) -> ir.Expr:
        kind = _DISPLAY[type(node)]
        return ir.Sequence(kind, [self.element(item) for item in node.elements])

    def element(self, item: Any) -> ir.Expr:
        value = self.expr(item.value)
        return ir.Star(value) if isinstance(item, cst.StarredElement) else value

    def starred(self, node: cst.StarredElement) -> ir.Expr:
        return ir.Star(self.expr(node.value))

    def dict(self, node: cst.Dict) -> ir.Expr:
        keys: list[ir.Expr | None] = []
        values: list[ir.Expr] = []
        for item in node.elements:
            keys.append(self.expr(item.key) if isinstance(item, cst.DictElement) else None)
            values.append(self.expr(item.value))
        return ir.Dict(keys, values)

    def lambda_(self, node: cst.Lambda) -> ir.Expr:
        outer = self.scope
        outer.lambdas += 1
        pos = self.count
        params = self.params(node.params)
        scope = self.scope = Scope()
        for param in params:
            scope.bound[param.name] = None
        body = self.expr(node.body)
        self.leave(scope, outer)
        name = f"<lambda{outer.lambdas}>"
        function = ir.Function(
            name, params, [ir.Return(body)], pos, scope.locals(), [], [], [], None, False, scope.yields
        )
        return ir.Lambda(function)

    def comprehension(self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp) -> ir.Expr:
        element: ir.Expr
        if isinstance(node.elt, cst.StarredElement):
            element = ir.Star(self.expr(node.elt.value))
        else:
            element = self.expr(node.elt)
        return ir.Comprehension(_COMPREHENSION[type(node)], element, None, self.clauses(node.for_in))

    def dict_comprehension(self, node: cst.DictComp) -> ir.Expr:
        key = self.expr(node.key)
        value = self.expr(node.value)
        return ir.Comprehension("dict", key, value, self.clauses(node.for_in))

    def clauses(self, node: cst.CompFor | None) -> list[ir.Clause]:
        out = []
        while node is not None:
            target = self.expr(node.target)
            source = self.expr(node.iter)
            tests = [self.expr(test.test) for test in node.ifs]
            out.append(ir.Clause(target, source, tests, node.asynchronous is not None))
            node = node.inner_for_in
        return out

    def await_(self, node: cst.Await) -> ir.Expr:
        return ir.Await(self.expr(node.expression))

    def yield_(self, node: cst.Yield) -> ir.Expr:
        self.scope.yields = True
        if node.value is None:
            return ir.Yield(None, False)
        if isinstance(node.value, cst.From):
            return ir.Yield(self.expr(node.value.item), True)
        return ir.Yield(self.expr(node.value), False)

    def walrus(self, node: cst.NamedExpr) -> ir.Expr:
        target = self.expr(node.target)
        self.bind(target)
        return ir.Walrus(target, self.expr(node.value))

    def target(self, node: Any) -> ir.Expr:
        out = self.expr(node)
        self.bind(out)
        if isinstance(out, ir.Attr | ir.Subscript):
            self.mutate(out.obj)
        return out

    # Parameters

    def params(self, node: cst.Parameters) -> list[ir.Param]:
        out = [self.param(param, "positional") for param in node.posonly_params]
        out.extend(self.param(param, "normal") for param in node.params)
        if isinstance(node.star_arg, cst.Param):
            out.append(self.param(node.star_arg, "args"))
        out.extend(self.param(param, "keyword") for param in node.kwonly_params)
        if node.star_kwarg is not None:
            out.append(self.param(node.star_kwarg, "kwargs"))
        return out

    def param(self, node: cst.Param, kind: str) -> ir.Param:
        self.count += 1
        annotation = self.expr(node.annotation.annotation) if node.annotation is not None else None
        default = self.expr(node.default) if node.default is not None else None
        return ir.Param(self.private(node.name.value), kind, default, annotation)


_BARE_QUOTE = re.compile(r'(\\.)|"', re.DOTALL)
"""A quote that no backslash stands before; escapes are the first group."""


def _unescape(text: str) -> str:
    """Evaluate backslash escapes in the literal text of an f-string."""
    try:
        value = ast.literal_eval('"""' + _BARE_QUOTE.sub(lambda found: found[1] or '\\"', text) + '"""')
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, str) and _SURROGATE.search(value) is None else text


def _debug_text(part: Any) -> str:
    """The literal text that `{expression=}` puts in front of the value."""
    module = cst.Module(body=[])
    return module.code_for_node(part.expression) + module.code_for_node(part.equal)


_TEXT_PIECES = tuple(
    getattr(cst, name) for name in ("FormattedStringText", "TemplatedStringText") if hasattr(cst, name)
)
_DISPLAY: dict[type, str] = {cst.List: "list", cst.Tuple: "tuple", cst.Set: "set"}
_COMPREHENSION: dict[type, str] = {cst.ListComp: "list", cst.SetComp: "set", cst.GeneratorExp: "generator"}

_EXPR: dict[type, Callable[[ExpressionLowerer, Any], ir.Expr]] = {
    cst.Name: ExpressionLowerer.name,
    cst.Attribute: ExpressionLowerer.attribute,
    cst.Call: ExpressionLowerer.call,
    cst.SimpleString: ExpressionLowerer.string,
    cst.ConcatenatedString: ExpressionLowerer.concatenated,
    cst.FormattedString: ExpressionLowerer.formatted,
    cst.Integer: ExpressionLowerer.number,
    cst.Float: ExpressionLowerer.number,
    cst.Imaginary: ExpressionLowerer.number,
    cst.Ellipsis: ExpressionLowerer.ellipsis,
    cst.Subscript: ExpressionLowerer.subscript,
    cst.BinaryOperation: ExpressionLowerer.binary,
    cst.UnaryOperation: ExpressionLowerer.unary,
    cst.BooleanOperation: ExpressionLowerer.boolean,
    cst.Comparison: ExpressionLowerer.comparison,
    cst.IfExp: ExpressionLowerer.conditional,
    cst.List: ExpressionLowerer.display,
    cst.Tuple: ExpressionLowerer.display,
    cst.Set: ExpressionLowerer.display,
    cst.StarredElement: ExpressionLowerer.starred,
    cst.Dict: ExpressionLowerer.dict,
    cst.Lambda: ExpressionLowerer.lambda_,
    cst.ListComp: ExpressionLowerer.comprehension,
    cst.SetComp: ExpressionLowerer.comprehension,
    cst.GeneratorExp: ExpressionLowerer.comprehension,
    cst.DictComp: ExpressionLowerer.dict_comprehension,
    cst.Await: ExpressionLowerer.await_,
    cst.Yield: ExpressionLowerer.yield_,
    cst.NamedExpr: ExpressionLowerer.walrus,
}
if hasattr(cst, "TemplatedString"):
    _EXPR[cst.TemplatedString] = ExpressionLowerer.formatted
