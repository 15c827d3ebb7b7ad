"""What short Jinja texts come to (names of files and folders, defaults of questions, hooks), as far as is known.

The text is parsed, and its tree evaluated by a list of operations that end in bounded time; it is never rendered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from taskgates.inference.text import Hole, Text, TextLike, concat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2 import nodes

UNKNOWN = Text((Hole("data", False),))
"""A value of which nothing is known."""

_LONGEST = 200_000
_DEEP = 60


class _NotKnownError(Exception):
    """The value of an expression is not known."""


def rendered(source: str, names: Mapping[str, Any]) -> TextLike:
    """A text with its expressions replaced by their values, and by holes where these are not known.

    Args:
        source: the text.
        names: variables; values are plain Python values, or `UNKNOWN`.
    """
    if "{" not in source:
        return source
    # Imported here, since few programs fill in templates.
    from jinja2 import Environment, TemplateSyntaxError

    try:
        tree = Environment(autoescape=False, keep_trailing_newline=True).parse(source)  # noqa: S701 - never rendered
    except (TemplateSyntaxError, ValueError, RecursionError, AssertionError):
        return UNKNOWN
    return _Evaluation(dict(names)).body(tree.body)


def evaluated(source: str, names: Mapping[str, Any]) -> Any:
    """The value of one expression in braces, with its type; `UNKNOWN` where it is not known."""
    found = re.fullmatch(r"\s*\{\{(.*)\}\}\s*", source, re.DOTALL)
    if found is None or "{{" in found[1]:
        return rendered(source, names)
    from jinja2 import Environment, TemplateSyntaxError
    from jinja2 import nodes as kinds

    try:
        tree = Environment(autoescape=False).parse(source.strip())  # noqa: S701 - never rendered
    except (TemplateSyntaxError, ValueError, RecursionError, AssertionError):
        return UNKNOWN
    output = tree.body[0] if tree.body else None
    if not isinstance(output, kinds.Output) or len(output.nodes) != 1:
        return rendered(source, names)
    try:
        return _Evaluation(dict(names)).value(output.nodes[0])
    except _NotKnownError:
        return UNKNOWN


class _Evaluation:
    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names
        self._depth = 0

    def body(self, statements: list[nodes.Node]) -> TextLike:
        """The text of some statements."""
        from jinja2 import nodes

        out: list[TextLike] = []
        for statement in statements:
            if isinstance(statement, nodes.Output):
                out += [self._text(node) for node in statement.nodes]
            elif isinstance(statement, nodes.If):
                out.append(self._branches(statement))
            elif isinstance(statement, nodes.Assign) and isinstance(statement.target, nodes.Name):
                self._names[statement.target.name] = self._safe(statement.node)
            elif not isinstance(statement, nodes.Macro | nodes.Import | nodes.FromImport):
                out.append(Text((Hole("data", True),)))
        made = concat(*out)
        return made if not isinstance(made, str) or len(made) <= _LONGEST else UNKNOWN

    def _branches(self, node: nodes.If) -> TextLike:
        for test, statements in [(node.test, node.body), *((one.test, one.body) for one in node.elif_)]:
            outcome = self._safe(test)
            if isinstance(outcome, Text):
                return Text((Hole("data", True),))
            if outcome:
                return self.body(statements)
        return self.body(node.else_)

    def _text(self, node: nodes.Node) -> TextLike:
        from jinja2 import nodes

        if isinstance(node, nodes.TemplateData):
            return node.data
        value = self._safe(node)
        return value if isinstance(value, Text) else str(value)

    def _safe(self, node: nodes.Node) -> Any:
        try:
            return self.value(node)
        except _NotKnownError:
            return UNKNOWN

    def value(self, node: nodes.Node) -> Any:
        """The value of an expression.

        Raises:
            _NotKnownError: it is not known.
        """
        self._depth += 1
        try:
            if self._depth > _DEEP:
                raise _NotKnownError
            made = self._value(node)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
            raise _NotKnownError from error
        finally:
            self._depth -= 1
        if isinstance(made, Text) or (isinstance(made, str) and len(made) > _LONGEST):
            raise _NotKnownError
        return made

    def _value(self, node: nodes.Node) -> Any:
        from jinja2 import nodes

        match node:
            case nodes.Const() | nodes.TemplateData():
                return node.value if isinstance(node, nodes.Const) else node.data
            case nodes.Name():
                return self._names.get(node.name, "")
            case nodes.Getattr():
                owner = self.value(node.node)
                return owner[node.attr] if isinstance(owner, dict) else self._missing()
            case nodes.Getitem():
                return self.value(node.node)[self.value(node.arg)]
            case nodes.List() | nodes.Tuple():
                return [self.value(item) for item in node.items]
            case nodes.Concat():
                return "".join(str(self.value(item)) for item in node.nodes)
            case nodes.Add():
                return self._sum(self.value(node.left), self.value(node.right))
            case nodes.Not():
                return not self.value(node.node)
            case nodes.And():
                return self.value(node.left) and self.value(node.right)
            case nodes.Or():
                return self.value(node.left) or self.value(node.right)
            case nodes.CondExpr():
                if self.value(node.test):
                    return self.value(node.expr1)
                return self.value(node.expr2) if node.expr2 is not None else ""
            case nodes.Compare():
                return self._compared(node)
            case nodes.Filter():
                return self._filtered(node)
            case nodes.Call():
                return self._called(node)
            case nodes.Test():
                return self._tested(node)
        raise _NotKnownError

    @staticmethod
    def _missing() -> Any:
        raise _NotKnownError

    @staticmethod
    def _sum(left: Any, right: Any) -> Any:
        if isinstance(left, str | int | float | list) and isinstance(right, str | int | float | list):
            return left + right  # type: ignore[operator]
        raise _NotKnownError

    def _compared(self, node: nodes.Compare) -> bool:
        left = self.value(node.expr)
        for operand in node.ops:
            right = self.value(operand.expr)
            if not _COMPARISONS[operand.op](left, right):
                return False
            left = right
        return True

    def _filtered(self, node: nodes.Filter) -> Any:
        args = [self.value(arg) for arg in node.args]
        if node.name in ("default", "d"):
            try:
                found = self.value(node.node) if node.node is not None else ""
            except _NotKnownError:
                if not self._is_undefined(node.node):
                    raise
                found = ""
            replaced = found == "" and (self._is_undefined(node.node) or (len(args) > 1 and bool(args[1])))
            return args[0] if replaced and args else found
        value = self.value(node.node) if node.node is not None else ""
        keywords: dict[str, Any] = {str(pair.key): self.value(pair.value) for pair in node.kwargs}
        return _FILTERS[node.name](value, *args, **keywords)

    def _is_undefined(self, node: nodes.Node | None) -> bool:
        from jinja2 import nodes

        if isinstance(node, nodes.Name):
            return node.name not in self._names
        if isinstance(node, nodes.Getattr):
            owner = self._safe(node.node)
            return isinstance(owner, dict) and node.attr not in owner
        return False

    def _called(self, node: nodes.Call) -> Any:
        from jinja2 import nodes

        if not isinstance(node.node, nodes.Getattr) or node.kwargs or node.dyn_args is not None:
            raise _NotKnownError
        owner = self.value(node.node.node)
        args = [self.value(arg) for arg in node.args]
        if isinstance(owner, str) and node.node.attr in _METHODS:
            return getattr(owner, node.node.attr)(*args)
        raise _NotKnownError

    def _tested(self, node: nodes.Test) -> bool:
        if node.name in ("defined", "undefined"):
            return self._is_undefined(node.node) == (node.name == "undefined")
        value = self.value(node.node)
        known: dict[str, Callable[[Any], bool]] = {
            "none": lambda one: one is None,
            "string": lambda one: isinstance(one, str),
            "true": lambda one: one is True,
            "false": lambda one: one is False,
        }
        return known[node.name](value)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "lteq": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "gteq": lambda left, right: left >= right,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}
_METHODS = frozenset(
    ["lower", "upper", "strip", "lstrip", "rstrip", "replace", "split", "title", "capitalize", "startswith", "endswith",
     "join", "removeprefix", "removesuffix", "isidentifier", "isdigit", "swapcase"]
)  # fmt: skip


def _slug(text: str, separator: str = "-", **_: Any) -> str:
    return re.sub(r"[^a-z0-9]+", separator, str(text).lower()).strip(separator)


def _replaced(text: str, old: str, new: str, count: int = -1) -> str:
    return str(text).replace(old, new, count)


_FILTERS: Mapping[str, Callable[..., Any]] = {
    "lower": lambda text: str(text).lower(),
    "upper": lambda text: str(text).upper(),
    "title": lambda text: str(text).title(),
    "capitalize": lambda text: str(text).capitalize(),
    "trim": lambda text, chars=None: str(text).strip(chars),
    "replace": _replaced,
    "slugify": _slug,
    "string": str,
    "int": lambda value, default=0: int(value) if str(value).lstrip("-").isdigit() else default,
    "bool": lambda value: str(value).lower() in ("true", "yes", "y", "on", "1"),
    "length": len,
    "count": len,
    "first": lambda items: items[0],
    "last": lambda items: items[-1],
    "join": lambda items, mark="": mark.join(str(item) for item in items),
    "safe": lambda text: text,
    "e": lambda text: text,
    "jsonify": lambda value: value,
    "abs": abs,
    "list": list,
    "split": lambda text, mark=None: str(text).split(mark),
    "to_snake": lambda text: re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\s-]+", "_", str(text)).lower(),
}
