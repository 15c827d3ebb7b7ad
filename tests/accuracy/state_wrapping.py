"""Rewrites the modules of a program so that they tell what their expressions look into; see `state_tracer`."""

from __future__ import annotations

import ast
import builtins
from typing import Any

LOOK = "__look_into__"
CELLS = "__cells__"


class Wrapper(ast.NodeTransformer):
    """Hands whatever an expression looks into to the recorder first, and the cells of enclosed variables.

    Args:
        enclosed: the variables of enclosing functions that each function uses, by its name and its line.
    """

    def __init__(self, enclosed: dict[tuple[str, int], tuple[str, ...]]) -> None:
        self.enclosed = enclosed

    def _function(self, node: Any) -> ast.AST:
        line = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        names = self.enclosed.get((node.name, line), ())
        self.generic_visit(node)
        if names:
            call = ast.parse(f"{CELLS}(lambda: ({', '.join(names)},))").body[0]
            for each in ast.walk(call):
                ast.copy_location(each, node.body[0])
            node.body.insert(0, call)
        return node  # type: ignore[no-any-return]

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    @staticmethod
    def _wrapped(node: ast.expr, attribute: str = "") -> ast.expr:
        name = ast.copy_location(ast.Name(LOOK, ast.Load()), node)
        constant = ast.copy_location(ast.Constant(attribute), node)
        return ast.copy_location(ast.Call(name, [node, constant], []), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            node.value = self._wrapped(node.value, node.attr)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            node.value = self._wrapped(node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.target, ast.Attribute):
            node.target.value = self._wrapped(node.target.value, node.target.attr)
        elif isinstance(node.target, ast.Subscript):
            node.target.value = self._wrapped(node.target.value)
        return node

    def _iterated(self, node: Any) -> ast.AST:
        self.generic_visit(node)
        node.iter = self._wrapped(node.iter)
        return node  # type: ignore[no-any-return]

    visit_For = visit_comprehension = _iterated

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        tests = zip(node.ops, node.comparators, strict=True)
        node.comparators = [self._wrapped(each) if isinstance(op, ast.In | ast.NotIn) else each for op, each in tests]
        return node

    def _tested(self, node: Any) -> ast.AST:
        self.generic_visit(node)
        node.test = self._wrapped(node.test)
        return node  # type: ignore[no-any-return]

    visit_If = visit_While = visit_IfExp = _tested

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and hasattr(builtins, node.func.id):
            constant = node.args[1] if node.func.id == "getattr" and len(node.args) > 1 else None
            name = constant.value if isinstance(constant, ast.Constant) and isinstance(constant.value, str) else ""
            node.args = [each if isinstance(each, ast.Starred) else self._wrapped(each, name) for each in node.args]
        return node
