"""LibCST in, the compact representation out: one hand-written walk, in source order.

The walk counts every identifier token it passes (`Lowerer.count`), in exactly the order in which `positions` finds them
in the text. LibCST's metadata providers are avoided on purpose: each costs more than the parse itself.
"""

from __future__ import annotations

import ast
import gc
import re
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import libcst as cst

from taskgates.syntax import ir
from taskgates.syntax.lower_expressions import OPERATOR_OF, ExpressionLowerer
from taskgates.syntax.nesting import too_deep
from taskgates.syntax.scopes import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Lowerer(ExpressionLowerer):
    """The state of one walk over one module."""

    # Functions and classes

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
        name = self.private(node.name.value)
        outer = self.scope
        outer.bound[name] = None
        self.type_parameters(node.type_parameters)
        params = self.params(node.params)
        returns = self.expr(node.returns.annotation) if node.returns is not None else None
        scope = self.scope = Scope()
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
                _docstring(node),
            )
        )

    def class_(self, node: cst.ClassDef) -> ir.Stmt:
        decorators = self.decorators(node.decorators)
        pos = self.count
        self.count = pos + 1
        name = self.private(node.name.value)
        outer, outer_class = self.scope, self.class_name
        outer.bound[name] = None
        self.type_parameters(node.type_parameters)
        bases = self.args(node.bases) + self.args(node.keywords)
        scope = self.scope = Scope()
        self.class_name = node.name.value.lstrip("_")
        body = self.suite(node.body)
        self.scope, self.class_name = outer, outer_class
        return ir.ClassDef(name, bases, body, decorators, pos, scope.locals(), list(scope.globals), _docstring(node))

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
        return ir.AugAssign(target, OPERATOR_OF[type(node.operator)], self.expr(node.value))

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
            self.scope.globals[self.private(item.name.value)] = None

    def nonlocal_(self, node: cst.Nonlocal) -> None:
        for item in node.names:
            self.count += 1
            self.scope.nonlocals[self.private(item.name.value)] = None

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


def _docstring(node: cst.Module | cst.ClassDef | cst.FunctionDef) -> str | None:
    """The docstring as it stands in the source; one of bytes is none."""
    doc = node.get_docstring(clean=False)
    return doc if isinstance(doc, str) else None


def lower_tree(tree: cst.Module) -> ir.Module:
    """Lower a parsed module."""
    lowerer = Lowerer()
    body = lowerer.block(tree.body)
    scope = lowerer.module_scope
    doc = _docstring(tree)
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


_LAYOUT = tuple(
    getattr(cst, name)
    for name in (
        "ParenthesizedWhitespace",
        "SimpleWhitespace",
        "TrailingWhitespace",
        "EmptyLine",
        "Newline",
        "Comment",
        "Comma",
        "Semicolon",
        "LeftParen",
        "RightParen",
        "LeftSquareBracket",
        "RightSquareBracket",
        "LeftCurlyBrace",
        "RightCurlyBrace",
    )
)
"""Nodes that say how a source is laid out; nearly half of all nodes are of these types."""

_SHOWS_SOURCE = re.compile(r"=\s*[}!:]")
"""What every text has that holds a field `{expression=}`, the only thing whose layout matters."""


@contextmanager
def _lean(*, layout: bool) -> Iterator[None]:
    """Parse without what costs a third of the time and serves others.

    LibCST allocates a great many long-lived nodes, and the cycle collector's look at them is for nothing. Each node
    looks itself over when it is made, for those who make them by hand; what the grammar made needs no second look. Its
    parser takes the types of nodes from the package by their names; where the layout does not matter, None stands for
    what describes it.
    """
    enabled = gc.isenabled()
    look_over = cst.CSTNode.__post_init__
    left_out = () if layout else _LAYOUT
    gc.disable()
    cst.CSTNode.__post_init__ = _trust  # type: ignore[assignment, method-assign]
    for kind in left_out:
        setattr(cst, kind.__name__, _leave_out)
    try:
        yield
    finally:
        for kind in left_out:
            setattr(cst, kind.__name__, kind)
        cst.CSTNode.__post_init__ = look_over  # type: ignore[method-assign]
        if enabled:
            gc.enable()


_PARSING = threading.Lock()
"""Held while LibCST is made lean, which holds for all threads."""


def _trust(node: cst.CSTNode) -> None:
    """What a node does in place of looking itself over."""


def _leave_out(**_: object) -> None:
    """What is made in place of a node of layout."""


def lower_source(source: str | bytes) -> ir.Module | ir.SourceProblem:
    """Parse and lower one source file.

    Args:
        source: the text, or the raw bytes (a coding cookie is honoured).

    Returns:
        The representation, or what is wrong with the file and where.
    """
    if isinstance(source, str):
        deep = too_deep(source)
        if deep is not None:
            return ir.SourceProblem(f"nested too deeply to be analysed: {deep[1]}", deep[0], 1)
    try:
        with _PARSING, _lean(layout=isinstance(source, bytes) or _SHOWS_SOURCE.search(source) is not None):
            return lower_tree(cst.parse_module(source))
    except cst.ParserSyntaxError as error:
        return _syntax_problem(source, error)
    except (UnicodeDecodeError, LookupError) as error:
        return ir.SourceProblem(f"cannot be decoded: {error}", 1, 1)
    except RecursionError:
        return ir.SourceProblem("nested too deeply to be analysed", 1, 1)
    except Exception as error:  # noqa: BLE001 - LibCST reports some malformed input with bare exceptions
        return ir.SourceProblem(f"cannot be parsed: {error}", 1, 1)
