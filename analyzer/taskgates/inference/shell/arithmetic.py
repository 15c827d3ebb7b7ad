"""Shell arithmetic: `$((...))`, `((...))`, `let`, subscripts, substring offsets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9a-fA-F]+|\d+#\w+|\d+)|(?P<name>[A-Za-z_]\w*)|"
    r"(?P<operator><<=|>>=|\*\*|\+\+|--|<=|>=|==|!=|&&|\|\||<<|>>|[-+*/%&|^]=|[-+*/%&|^<>!~?:,=()\[\]]))"
)
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<", ">", "<=", ">="),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
_ASSIGNMENTS = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="})
_LIMIT = 1 << 63
_DEPTH = 64

Lookup = Callable[[str], "int | None"]
Assign = Callable[[str, "int | None"], None]


def evaluate(expression: str, lookup: Lookup, assign: Assign) -> int | None:
    """The value of an arithmetic expression, None when it is unknown or malformed.

    Args:
        expression: the text after expansion of `$`.
        lookup: the integer value of a variable, None when unknown.
        assign: called for assignments and increments.
    """
    try:
        parser = _Parser(expression, lookup, assign)
        return parser.parse()
    except _MalformedError:
        return None


def assigned_names(expression: str) -> set[str]:
    """Variables that an expression may assign."""
    names = set(re.findall(r"([A-Za-z_]\w*)\s*(?:\+\+|--|(?:<<|>>|[-+*/%&|^])?=(?!=))", expression))
    return names | set(re.findall(r"(?:\+\+|--)\s*([A-Za-z_]\w*)", expression))


class _MalformedError(Exception):
    """The expression is not one."""


class _Parser:
    def __init__(self, expression: str, lookup: Lookup, assign: Assign) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        text = expression.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise _MalformedError
            kind = found.lastgroup or ""
            self._tokens.append((kind, found.group(kind)))
            position = found.end()
        self._index = 0
        self._depth = 0
        self._lookup = lookup
        self._assign = assign
        self._quiet = 0

    def parse(self) -> int | None:
        if not self._tokens:
            return 0
        value = self._comma()
        if self._index < len(self._tokens):
            raise _MalformedError
        return value

    def _peek(self) -> str:
        return self._tokens[self._index][1] if self._index < len(self._tokens) else ""

    def _accept(self, *operators: str) -> str | None:
        if self._index < len(self._tokens):
            kind, text = self._tokens[self._index]
            if kind == "operator" and text in operators:
                self._index += 1
                return text
        return None

    def _expect(self, operator: str) -> None:
        if self._accept(operator) is None:
            raise _MalformedError

    def _comma(self) -> int | None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise _MalformedError
        value = self._assignment()
        while self._accept(","):
            value = self._assignment()
        self._depth -= 1
        return value

    def _assignment(self) -> int | None:
        if self._index + 1 < len(self._tokens) and self._tokens[self._index][0] == "name":
            name = self._tokens[self._index][1]
            kind, operator = self._tokens[self._index + 1]
            if kind == "operator" and operator in _ASSIGNMENTS:
                self._depth += 1
                if self._depth > _DEPTH:
                    raise _MalformedError
                self._index += 2
                value = self._assignment()
                self._depth -= 1
                if operator != "=":
                    value = _binary(operator[:-1], self._lookup(name), value)
                self._store(name, value)
                return value
        return self._ternary()

    def _store(self, name: str, value: int | None) -> None:
        if not self._quiet:
            self._assign(name, value)

    def _ternary(self) -> int | None:
        condition = self._level(0)
        if self._accept("?") is None:
            return condition
        self._quiet += condition == 0
        yes = self._comma()
        self._quiet -= condition == 0
        self._expect(":")
        skip = condition is not None and condition != 0
        self._quiet += skip
        no = self._assignment()
        self._quiet -= skip
        if condition is None:
            return yes if yes == no else None
        return yes if condition else no

    def _level(self, level: int) -> int | None:
        if level == len(_LEVELS):
            return self._power()
        value = self._level(level + 1)
        while operator := self._accept(*_LEVELS[level]):
            skip = (operator == "&&" and value == 0) or (operator == "||" and value is not None and value != 0)
            self._quiet += skip
            right = self._level(level + 1)
            self._quiet -= skip
            value = _binary(operator, value, right)
        return value

    def _power(self) -> int | None:
        base = self._unary()
        if self._accept("**"):
            self._depth += 1
            if self._depth > _DEPTH:
                raise _MalformedError
            exponent = self._power()
            self._depth -= 1
            return _binary("**", base, exponent)
        return base

    def _unary(self) -> int | None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise _MalformedError
        try:
            operator = self._accept("++", "--", "+", "-", "!", "~")
            if operator in ("++", "--"):
                if self._index < len(self._tokens) and self._tokens[self._index][0] == "name":
                    name = self._tokens[self._index][1]
                    self._index += 1
                    value = _binary(operator[0], self._lookup(name), 1)
                    self._store(name, value)
                    return value
                return self._unary()
            if operator is not None:
                value = self._unary()
                if value is None:
                    return None
                return _wrap({"+": value, "-": -value, "!": int(value == 0), "~": ~value}[operator])
            return self._primary()
        finally:
            self._depth -= 1

    def _primary(self) -> int | None:
        if self._accept("("):
            value = self._comma()
            self._expect(")")
            return value
        if self._index >= len(self._tokens):
            raise _MalformedError
        kind, text = self._tokens[self._index]
        self._index += 1
        if kind == "number":
            return _wrap(_number(text))
        if kind != "name":
            raise _MalformedError
        if self._accept("["):
            self._comma()
            self._expect("]")
            return None
        value = self._lookup(text)
        operator = self._accept("++", "--")
        if operator:
            self._store(text, _binary(operator[0], value, 1))
        return value


def _number(text: str) -> int | None:
    try:
        if "#" in text:
            base, _, digits = text.partition("#")
            return int(digits, int(base))
        if text[:2] in ("0x", "0X"):
            return int(text, 16)
        return int(text, 8) if len(text) > 1 and text.startswith("0") else int(text[:20])
    except ValueError:
        return None


def to_integer(text: str, variables: Mapping[str, int | None] | None = None) -> int | None:
    """The integer that a string stands for, or None."""
    text = text.strip()
    if re.fullmatch(r"[-+]?\d{1,18}", text):
        sign = -1 if text.startswith("-") else 1
        value = _number(text.lstrip("+-"))
        return None if value is None else sign * value
    return 0 if text == "" else (variables or {}).get(text)


def _binary(operator: str, left: int | None, right: int | None) -> int | None:
    if operator == "&&" and (left == 0 or right == 0):
        return 0
    if operator == "||" and (left or right):
        return 1
    if left is None or right is None:
        return None
    return _wrap(_compute(operator, left, right))


def _compute(operator: str, left: int, right: int) -> int | None:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" | "%":
            if right == 0:
                return None
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return quotient if operator == "/" else left - quotient * right
        case "**":
            return left**right if 0 <= right <= 64 else None
        case "<<":
            return left << right if 0 <= right < 64 else None
        case ">>":
            return left >> right if 0 <= right < 64 else None
        case "&":
            return left & right
        case "|":
            return left | right
        case "^":
            return left ^ right
        case "&&":
            return int(left != 0 and right != 0)
        case "||":
            return int(left != 0 or right != 0)
        case "==":
            return int(left == right)
        case "!=":
            return int(left != right)
        case "<":
            return int(left < right)
        case ">":
            return int(left > right)
        case "<=":
            return int(left <= right)
        case _:
            return int(left >= right)


def _wrap(value: int | None) -> int | None:
    if value is None:
        return None
    return (value + _LIMIT) % (2 * _LIMIT) - _LIMIT
