"""LibCST in, the compact representation out: one hand-written walk, in source order.

The walk counts every identifier token it passes (`Lowerer.count`), in exactly the order in which `positions` finds them
in the text. LibCST's metadata providers are avoided on purpose: each costs more than the parse itself.
"""

from __future__ import annotations

import ast
import gc
import re
import warnings
from typing import TYPE_CHECKING, Any

import libcst as cst

from taskgates.syntax import ir
from taskgates.syntax.nesting import too_deep

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
_OPERATOR_OF: dict[type, str] = {
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


class _Scope:
    """Names bound in one function, class body or module, collected while walking it."""

    __slots__ = ("bound", "globals", "lambdas", "mutated", "nonlocals", "yields")

    def __init__(self) -> None:
        self.bound: dict[str, None] = {}
        self.globals: dict[str, None] = {}
        self.nonlocals: dict[str, None] = {}
        self.mutated: set[str] = set()
        self.yields = False
        self.lambdas = 0

    def locals(self) -> list[str]:
        return [name for name in self.bound if name not in self.globals and name not in self.nonlocals]


class Lowerer:
    """The state of one walk over one module."""

    def __init__(self) -> None:
        self.count = 0
        self.module_scope = _Scope()
        self.scope = self.module_scope
        self.has_main_guard = False
        self.mutated: set[str] = set()

    # Expressions

    def expr(self, node: Any) -> ir.Expr:
        """Lower one expression."""
        return _EXPR[type(node)](self, node)

    def name(self, node: cst.Name) -> ir.Expr:
        pos = self.count
        self.count = pos + 1
        value = node.value
        if value in _KEYWORD_CONSTANTS:
            return ir.Const(_KEYWORD_CONSTANTS[value])
        return ir.Name(value, pos)

    def attribute(self, node: cst.Attribute) -> ir.Expr:
        obj = self.expr(node.value)
        pos = self.count
        self.count = pos + 1
        return ir.Attr(obj, node.attr.value, pos)

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
        trailing = len(node.slice) == 1 and isinstance(node.slice[0].comma, cst.Comma)
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
            out = ir.Binary(_OPERATOR_OF[type(step.operator)], out, self.expr(step.right))
        return out

    def unary(self, node: cst.UnaryOperation) -> ir.Expr:
        operand = self.expr(node.expression)
        op = _OPERATOR_OF[type(node.operator)]
        if op == "-" and type(operand) is ir.Const and type(operand.value) in (int, float):
            return ir.Const(-operand.value)  # type: ignore[operator]
        return ir.Unary(op, operand)

    def boolean(self, node: cst.BooleanOperation) -> ir.Expr:
        return ir.Boolean(_OPERATOR_OF[type(node.operator)], self.expr(node.left), self.expr(node.right))

    def comparison(self, node: cst.Comparison) -> ir.Expr:
        left = self.expr(node.left)
        ops, rights = [], []
        for target in node.comparisons:
            ops.append(_OPERATOR_OF[type(target.operator)])
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
        scope = self.scope = _Scope()
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

    # Binding

    def bind(self, target: ir.Expr) -> None:
        """Record the names that an assignment target binds in the current scope."""
        if isinstance(target, ir.Name):
            self.scope.bound[target.id] = None
        elif isinstance(target, ir.Sequence):
            for item in target.items:
                self.bind(item)
        elif isinstance(target, ir.Star):
            self.bind(target.value)

    def mutate(self, target: ir.Expr) -> None:
        """Record that the object behind a name is changed in place."""
        while isinstance(target, ir.Attr | ir.Subscript):
            target = target.obj
        if isinstance(target, ir.Name):
            self.scope.mutated.add(target.id)

    def leave(self, scope: _Scope, outer: _Scope) -> None:
        """Close a function's scope: what it changes and does not own, someone outside owns."""
        self.scope = outer
        free = {name for name in scope.mutated if name not in scope.bound or name in scope.globals}
        outer.mutated |= free
        self.mutated |= free | set(scope.globals)
        for name in scope.globals:
            self.module_scope.bound[name] = None

    def target(self, node: Any) -> ir.Expr:
        out = self.expr(node)
        self.bind(out)
        if isinstance(out, ir.Attr | ir.Subscript):
            self.mutate(out.obj)
        return out

    # Functions and classes

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
        return ir.Param(node.name.value, kind, default, annotation)

    def decorators(self, nodes: Sequence[cst.Decorator]) -> list[ir.Expr]:
        return [self.expr(decorator.decorator) for decorator in nodes]

    def type_parameters(self, node: cst.TypeParameters | None) -> None:
        if node is None:
            return
        for item in node.params:
            self.count += 1
            bound = getattr(item.param, "bound", None)
            if bound is not None:
                self.expr(bound)
            if item.default is not None:
                self.expr(item.default)

    def function(self, node: cst.FunctionDef) -> ir.Stmt:
        decorators = self.decorators(node.decorators)
        pos = self.count
        self.count = pos + 1
        name = node.name.value
        outer = self.scope
        outer.bound[name] = None
        self.type_parameters(node.type_parameters)
        params = self.params(node.params)
        returns = self.expr(node.returns.annotation) if node.returns is not None else None
        scope = self.scope = _Scope()
        for param in params:
            scope.bound[param.name] = None
        body = self.suite(node.body)
        self.leave(scope, outer)
        return ir.FunctionDef(
            ir.Function(
                name,
                params,
                body,
                pos,
                scope.locals(),
                list(scope.globals),
                list(scope.nonlocals),
                decorators,
                returns,
                node.asynchronous is not None,
                scope.yields,
            )
        )

    def class_(self, node: cst.ClassDef) -> ir.Stmt:
        decorators = self.decorators(node.decorators)
        pos = self.count
        self.count = pos + 1
        name = node.name.value
        outer = self.scope
        outer.bound[name] = None
        self.type_parameters(node.type_parameters)
        bases = self.args(node.bases) + self.args(node.keywords)
        scope = self.scope = _Scope()
        body = self.suite(node.body)
        self.scope = outer
        return ir.ClassDef(name, bases, body, decorators, pos, scope.locals(), list(scope.globals))

    # Statements

    def suite(self, node: Any) -> list[ir.Stmt]:
        return self.block(node.body) if isinstance(node, cst.IndentedBlock) else self.small_block(node.body)

    def block(self, nodes: Sequence[Any]) -> list[ir.Stmt]:
        out: list[ir.Stmt] = []
        for node in nodes:
            if type(node) is cst.SimpleStatementLine:
                for small in node.body:
                    lowered = _STMT[type(small)](self, small)
                    if lowered is not None:
                        out.append(lowered)
            else:
                lowered = _STMT[type(node)](self, node)
                if lowered is not None:
                    out.append(lowered)
        return out

    def small_block(self, nodes: Sequence[Any]) -> list[ir.Stmt]:
        out = []
        for small in nodes:
            lowered = _STMT[type(small)](self, small)
            if lowered is not None:
                out.append(lowered)
        return out

    def expression_statement(self, node: cst.Expr) -> ir.Stmt | None:
        value = self.expr(node.value)
        # A docstring or a bare constant does nothing.
        return None if isinstance(value, ir.Const | ir.Literal) else ir.ExprStmt(value)

    def assign(self, node: cst.Assign) -> ir.Stmt:
        targets = [self.target(item.target) for item in node.targets]
        return ir.Assign(targets, self.expr(node.value))

    def augmented(self, node: cst.AugAssign) -> ir.Stmt:
        target = self.target(node.target)
        return ir.AugAssign(target, _OPERATOR_OF[type(node.operator)], self.expr(node.value))

    def annotated(self, node: cst.AnnAssign) -> ir.Stmt:
        target = self.target(node.target)
        annotation = self.expr(node.annotation.annotation)
        value = self.expr(node.value) if node.value is not None else None
        return ir.AnnAssign(target, annotation, value)

    def delete(self, node: cst.Del) -> ir.Stmt:
        target = self.target(node.target)
        return ir.Delete(target.items if isinstance(target, ir.Sequence) else [target])

    def if_(self, node: cst.If) -> ir.Stmt:
        # An elif chain is walked in a loop: thousands of branches must not exhaust the stack.
        chain: list[tuple[ir.Expr, list[ir.Stmt]]] = []
        current: Any = node
        orelse: list[ir.Stmt] = []
        while True:
            before = self.count
            test = self.expr(current.test)
            if self.scope is self.module_scope and before + 1 == self.count and _is_main_guard(test):
                self.has_main_guard = True
            chain.append((test, self.suite(current.body)))
            if isinstance(current.orelse, cst.If):
                current = current.orelse
                continue
            if current.orelse is not None:
                orelse = self.suite(current.orelse.body)
            break
        out: ir.If | None = None
        for test, body in reversed(chain):
            out = ir.If(test, body, orelse if out is None else [out])
        assert out is not None
        return out

    def while_(self, node: cst.While) -> ir.Stmt:
        test = self.expr(node.test)
        body = self.suite(node.body)
        return ir.While(test, body, self.suite(node.orelse.body) if node.orelse is not None else [])

    def for_(self, node: cst.For) -> ir.Stmt:
        target = self.target(node.target)
        source = self.expr(node.iter)
        body = self.suite(node.body)
        orelse = self.suite(node.orelse.body) if node.orelse is not None else []
        return ir.For(target, source, body, orelse, node.asynchronous is not None)

    def with_(self, node: cst.With) -> ir.Stmt:
        items = []
        for item in node.items:
            context = self.expr(item.item)
            items.append(ir.WithItem(context, self.target(item.asname.name) if item.asname is not None else None))
        return ir.With(items, self.suite(node.body), node.asynchronous is not None)

    def try_(self, node: Any) -> ir.Stmt:
        body = self.suite(node.body)
        handlers = []
        for handler in node.handlers:
            kind = self.expr(handler.type) if handler.type is not None else None
            name = None
            if handler.name is not None:
                name = handler.name.name.value
                self.target(handler.name.name)
            handlers.append(ir.Handler(kind, name, self.suite(handler.body)))
        orelse = self.suite(node.orelse.body) if node.orelse is not None else []
        final = self.suite(node.finalbody.body) if node.finalbody is not None else []
        return ir.Try(body, handlers, orelse, final)

    def return_(self, node: cst.Return) -> ir.Stmt:
        return ir.Return(self.expr(node.value) if node.value is not None else None)

    def raise_(self, node: cst.Raise) -> ir.Stmt:
        exc = self.expr(node.exc) if node.exc is not None else None
        return ir.Raise(exc, self.expr(node.cause.item) if node.cause is not None else None)

    def break_(self, node: cst.Break) -> ir.Stmt:
        del node
        return ir.Break()

    def continue_(self, node: cst.Continue) -> ir.Stmt:
        del node
        return ir.Continue()

    def pass_(self, node: cst.Pass) -> None:
        del node

    def assert_(self, node: cst.Assert) -> ir.Stmt:
        test = self.expr(node.test)
        return ir.Assert(test, self.expr(node.msg) if node.msg is not None else None)

    def global_(self, node: cst.Global) -> None:
        for item in node.names:
            self.count += 1
            self.scope.globals[item.name.value] = None

    def nonlocal_(self, node: cst.Nonlocal) -> None:
        for item in node.names:
            self.count += 1
            self.scope.nonlocals[item.name.value] = None

    def type_alias(self, node: cst.TypeAlias) -> ir.Stmt:
        self.count += 1  # the soft keyword `type`
        target = self.target(node.name)
        self.type_parameters(node.type_parameters)
        return ir.Assign([target], self.expr(node.value))

    # Imports

    def dotted(self, node: cst.Name | cst.Attribute) -> str:
        names: list[str] = []
        current: cst.BaseExpression = node
        while isinstance(current, cst.Attribute):
            names.append(current.attr.value)
            current = current.value
        assert isinstance(current, cst.Name)
        names.append(current.value)
        self.count += len(names)
        return ".".join(reversed(names))

    def alias(self, node: cst.ImportAlias) -> ir.ImportName:
        name = self.dotted(node.name)
        asname = None
        if node.asname is not None:
            assert isinstance(node.asname.name, cst.Name)
            asname = node.asname.name.value
            self.count += 1
        return ir.ImportName(name, asname)

    def import_(self, node: Any) -> ir.Stmt:
        self.count += type(node).__name__.startswith("Lazy")  # the soft keyword `lazy`
        pos = self.count
        names = [self.alias(item) for item in node.names]
        for item in names:
            self.scope.bound[item.asname or item.name.split(".", 1)[0]] = None
        return ir.Import(names, pos)

    def import_from(self, node: Any) -> ir.Stmt:
        self.count += type(node).__name__.startswith("Lazy")
        pos = self.count
        module = self.dotted(node.module) if node.module is not None else ""
        if isinstance(node.names, cst.ImportStar):
            names = [ir.ImportName("*", None)]
        else:
            names = [self.alias(item) for item in node.names]
            for item in names:
                self.scope.bound[item.asname or item.name] = None
        return ir.ImportFrom(module, len(node.relative), names, pos)

    # Pattern matching

    def match(self, node: cst.Match) -> ir.Stmt:
        self.count += 1  # the soft keyword `match`
        subject = self.expr(node.subject)
        cases = []
        for case in node.cases:
            self.count += 1  # the soft keyword `case`
            pattern = self.pattern(case.pattern)
            guard = self.expr(case.guard) if case.guard is not None else None
            cases.append(ir.Case(pattern, guard, self.suite(case.body)))
        return ir.Match(subject, cases)

    def capture(self, node: cst.Name | None) -> str | None:
        self.count += 1
        if node is None:
            return None
        self.scope.bound[node.value] = None
        return node.value

    def pattern(self, node: Any) -> ir.Pattern:
        if isinstance(node, cst.MatchValue):
            return ir.Pattern("value", expr=self.expr(node.value))
        if isinstance(node, cst.MatchSingleton):
            return ir.Pattern("singleton", expr=self.expr(node.value))
        if isinstance(node, cst.MatchAs):
            inner = [self.pattern(node.pattern)] if node.pattern is not None else []
            return ir.Pattern("capture", name=self.capture(node.name), patterns=inner)
        if isinstance(node, cst.MatchList | cst.MatchTuple):
            return ir.Pattern("sequence", patterns=[self.pattern_item(item) for item in node.patterns])
        if isinstance(node, cst.MatchMapping):
            keys, patterns = [], []
            for element in node.elements:
                keys.append(self.expr(element.key))
                patterns.append(self.pattern(element.pattern))
            rest = self.capture(node.rest) if node.rest is not None else None
            return ir.Pattern("mapping", keys=keys, patterns=patterns, name=rest)
        if isinstance(node, cst.MatchClass):
            cls = self.expr(node.cls)
            patterns = [self.pattern(item.value) for item in node.patterns]
            names = []
            for keyword in node.kwds:
                self.count += 1
                names.append(keyword.key.value)
                patterns.append(self.pattern(keyword.pattern))
            return ir.Pattern("class", expr=cls, patterns=patterns, names=names)
        assert isinstance(node, cst.MatchOr)
        return ir.Pattern("or", patterns=[self.pattern(item.pattern) for item in node.patterns])

    def pattern_item(self, node: Any) -> ir.Pattern:
        if isinstance(node, cst.MatchStar):
            return ir.Pattern("star", name=self.capture(node.name))
        return self.pattern(node.value)


def _is_main_guard(test: ir.Expr) -> bool:
    if not isinstance(test, ir.Compare) or test.ops != ["=="]:
        return False
    sides = [test.left, test.rights[0]]
    return any(isinstance(side, ir.Name) and side.id == "__name__" for side in sides) and any(
        isinstance(side, ir.Const) and side.value == "__main__" for side in sides
    )


def _unescape(text: str) -> str:
    """Evaluate backslash escapes in the literal text of an f-string."""
    try:
        value = ast.literal_eval('"""' + text.replace('"', '\\"') + '"""')
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

_EXPR: dict[type, Callable[[Lowerer, Any], ir.Expr]] = {
    cst.Name: Lowerer.name,
    cst.Attribute: Lowerer.attribute,
    cst.Call: Lowerer.call,
    cst.SimpleString: Lowerer.string,
    cst.ConcatenatedString: Lowerer.concatenated,
    cst.FormattedString: Lowerer.formatted,
    cst.Integer: Lowerer.number,
    cst.Float: Lowerer.number,
    cst.Imaginary: Lowerer.number,
    cst.Ellipsis: Lowerer.ellipsis,
    cst.Subscript: Lowerer.subscript,
    cst.BinaryOperation: Lowerer.binary,
    cst.UnaryOperation: Lowerer.unary,
    cst.BooleanOperation: Lowerer.boolean,
    cst.Comparison: Lowerer.comparison,
    cst.IfExp: Lowerer.conditional,
    cst.List: Lowerer.display,
    cst.Tuple: Lowerer.display,
    cst.Set: Lowerer.display,
    cst.StarredElement: Lowerer.starred,
    cst.Dict: Lowerer.dict,
    cst.Lambda: Lowerer.lambda_,
    cst.ListComp: Lowerer.comprehension,
    cst.SetComp: Lowerer.comprehension,
    cst.GeneratorExp: Lowerer.comprehension,
    cst.DictComp: Lowerer.dict_comprehension,
    cst.Await: Lowerer.await_,
    cst.Yield: Lowerer.yield_,
    cst.NamedExpr: Lowerer.walrus,
}
_STMT: dict[type, Callable[[Lowerer, Any], ir.Stmt | None]] = {
    cst.Expr: Lowerer.expression_statement,
    cst.Assign: Lowerer.assign,
    cst.AugAssign: Lowerer.augmented,
    cst.AnnAssign: Lowerer.annotated,
    cst.Del: Lowerer.delete,
    cst.If: Lowerer.if_,
    cst.While: Lowerer.while_,
    cst.For: Lowerer.for_,
    cst.With: Lowerer.with_,
    cst.Try: Lowerer.try_,
    cst.TryStar: Lowerer.try_,
    cst.FunctionDef: Lowerer.function,
    cst.ClassDef: Lowerer.class_,
    cst.Return: Lowerer.return_,
    cst.Raise: Lowerer.raise_,
    cst.Break: Lowerer.break_,
    cst.Continue: Lowerer.continue_,
    cst.Pass: Lowerer.pass_,
    cst.Assert: Lowerer.assert_,
    cst.Global: Lowerer.global_,
    cst.Nonlocal: Lowerer.nonlocal_,
    cst.Import: Lowerer.import_,
    cst.ImportFrom: Lowerer.import_from,
    cst.Match: Lowerer.match,
    cst.TypeAlias: Lowerer.type_alias,
}
# Node types that only newer LibCST releases have.
for _name, _method in (("LazyImport", Lowerer.import_), ("LazyImportFrom", Lowerer.import_from)):
    if hasattr(cst, _name):
        _STMT[getattr(cst, _name)] = _method
if hasattr(cst, "TemplatedString"):
    _EXPR[cst.TemplatedString] = Lowerer.formatted


def lower_tree(tree: cst.Module) -> ir.Module:
    """Lower a parsed module."""
    lowerer = Lowerer()
    body = lowerer.block(tree.body)
    scope = lowerer.module_scope
    doc = tree.get_docstring(clean=False)
    return ir.Module(body, scope.locals(), lowerer.count, lowerer.has_main_guard, sorted(lowerer.mutated), doc)


def _syntax_problem(source: str | bytes, error: cst.ParserSyntaxError) -> ir.SourceProblem:
    """What is wrong with a source, in the words and at the place of Python's own compiler.

    LibCST names the token behind the one that it stumbles over, often on the next line; where only LibCST refuses the
    source, its word has to do.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError as found:
        return ir.SourceProblem(found.msg, found.lineno or 1, max(found.offset or 1, 1))
    except (ValueError, RecursionError, MemoryError):
        pass
    message = error.message.splitlines()[0] if error.message else "syntax error"
    return ir.SourceProblem(message, error.raw_line, error.raw_column + 1)


def lower_source(source: str | bytes) -> ir.Module | ir.SourceProblem:
    """Parse and lower one source file.

    Args:
        source: the text, or the raw bytes (a coding cookie is honoured).

    Returns:
        The representation, or what is wrong with the file and where.
    """
    # LibCST allocates a great many long-lived nodes; the cycle collector's look at them costs a quarter of the parse.
    if isinstance(source, str):
        deep = too_deep(source)
        if deep is not None:
            return ir.SourceProblem(f"nested too deeply to be analysed: {deep[1]}", deep[0], 1)
    enabled = gc.isenabled()
    gc.disable()
    try:
        return lower_tree(cst.parse_module(source))
    except cst.ParserSyntaxError as error:
        return _syntax_problem(source, error)
    except (UnicodeDecodeError, LookupError) as error:
        return ir.SourceProblem(f"cannot be decoded: {error}", 1, 1)
    except RecursionError:
        return ir.SourceProblem("nested too deeply to be analysed", 1, 1)
    except Exception as error:  # noqa: BLE001 - LibCST reports some malformed input with bare exceptions
        return ir.SourceProblem(f"cannot be parsed: {error}", 1, 1)
    finally:
        if enabled:
            gc.enable()
