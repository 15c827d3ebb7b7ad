"""just's expressions: strings, commands in backticks, joins, conditions and functions, evaluated as far as known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.paths import join_paths, split_extension, split_last
from taskgates.inference.shell.texts import hole
from taskgates.inference.text import TextLike, concat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<cooked3>x?\"\"\"(?:[^\\]|\\.)*?\"\"\") | (?P<raw3>x?'''.*?''')
    | (?P<cooked>x?"(?:[^"\\]|\\.)*") | (?P<raw>x?'[^']*')
    | (?P<back3>```.*?```) | (?P<back>`[^`]*`)
    | (?P<name>[A-Za-z_][\w-]*)
    | (?P<sign>==|!=|=~|!~|&&|\|\||[-+/(){},!])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "\n": ""}
_DEPTH = 40


class NotUnderstood(Exception):  # noqa: N818 - a signal: the text is no expression that is known
    """The text is no expression that can be read."""


class Expressions:
    """Evaluates expressions.

    Args:
        variable: the value of a variable; None where there is none.
        functions: functions by name, of their arguments.
        command: what a command prints.
    """

    def __init__(
        self,
        variable: Callable[[str], TextLike | None],
        functions: Mapping[str, Callable[[list[TextLike]], TextLike]],
        command: Callable[[str], TextLike],
    ) -> None:
        self._variable = variable
        self._functions = functions
        self._command = command
        self._depth = 0

    def value(self, text: str) -> TextLike:
        """The value of an expression; a hole where the text is none.

        Args:
            text: what stands behind `:=`, or in double braces.
        """
        try:
            return self.parsed(text)[0]
        except NotUnderstood:
            return hole("data")

    def parsed(self, text: str) -> tuple[TextLike, int]:
        """The value of the expression that a text begins with, and where it ends.

        Raises:
            NotUnderstood: it begins with none.
        """
        if self._depth >= _DEPTH:
            raise NotUnderstood
        self._depth += 1
        try:
            reader = _Reader(self, text)
            return reader.expression(), reader.position
        finally:
            self._depth -= 1

    def argument(self, text: str) -> tuple[TextLike, int]:
        """The value of a single term, as defaults of parameters and arguments of dependencies are."""
        reader = _Reader(self, text)
        return reader.term(), reader.position

    def variable(self, name: str) -> TextLike:
        """The value of a variable."""
        found = self._variable(name)
        return hole("data", name) if found is None else found

    def call(self, name: str, args: list[TextLike]) -> TextLike:
        """The value of a function."""
        found = self._functions.get(name) or FUNCTIONS.get(name)
        if found is None:
            return hole("data", name)
        try:
            return found(args)
        except (IndexError, ValueError, re.error):
            return hole("data", name)

    def printed(self, text: str) -> TextLike:
        """What a command in backticks prints."""
        return self._command(text)


class _Reader:
    """Reads one expression from the beginning of a text."""

    def __init__(self, owner: Expressions, text: str) -> None:
        self._owner = owner
        self._text = text
        self.position = 0

    def _peek(self) -> tuple[str, str]:
        found = _TOKEN.match(self._text, self.position)
        if found is None or found.lastgroup is None:
            return "", ""
        return found.lastgroup, found[found.lastgroup]

    def _take(self, wanted: str = "") -> str:
        found = _TOKEN.match(self._text, self.position)
        if found is None or found.lastgroup is None or (wanted and found[found.lastgroup] != wanted):
            raise NotUnderstood
        self.position = found.end()
        return found[found.lastgroup]

    def expression(self) -> TextLike:
        """A condition, or terms that are joined."""
        if self._peek() == ("name", "if"):
            return self._condition()
        value = self.joined()
        while self._peek()[1] in ("&&", "||"):
            sign = self._take()
            other = self.expression()
            value = (other if value != "" else "") if sign == "&&" else (value if value != "" else other)
        return value

    def joined(self) -> TextLike:
        """Terms with `+` or `/` between them."""
        value: TextLike = ""
        if self._peek()[1] == "/":
            self._take()
            value = concat("/", self.term())
        else:
            value = self.term()
        while self._peek()[1] in ("+", "/"):
            sign = self._take()
            other = self.term()
            value = concat(value, other) if sign == "+" else concat(value, "/", other)
        return value

    def term(self) -> TextLike:
        """One string, command, name, call, or expression in parentheses."""
        kind, text = self._peek()
        if text == "(":
            self._take()
            value = self.expression()
            self._take(")")
            return value
        self._take()
        plain = text.removeprefix("x") if kind.startswith(("cooked", "raw")) else text
        match kind:
            case "cooked3" | "raw3":
                inner = _unindented(plain[3:-3])
                return _unescaped(inner) if kind == "cooked3" else inner
            case "cooked":
                return _unescaped(plain[1:-1])
            case "raw":
                return plain[1:-1]
            case "back3":
                return self._owner.printed(_unindented(text[3:-3]))
            case "back":
                return self._owner.printed(text[1:-1])
            case "name":
                return (
                    self._call(text)
                    if self._peek()[1] == "(" and self._text[self.position] == "("
                    else (self._owner.variable(text))
                )
        raise NotUnderstood

    def _call(self, name: str) -> TextLike:
        self._take("(")
        args: list[TextLike] = []
        while self._peek()[1] != ")":
            args.append(self.expression())
            if self._peek()[1] == ",":
                self._take()
        self._take(")")
        return self._owner.call(name, args)

    def _condition(self) -> TextLike:
        self._take("if")
        left = self.joined()
        sign = self._take()
        right = self.joined()
        self._take("{")
        yes = self.expression()
        self._take("}")
        self._take("else")
        if self._peek() == ("name", "if"):
            no = self._condition()
        else:
            self._take("{")
            no = self.expression()
            self._take("}")
        if not isinstance(left, str) or not isinstance(right, str):
            return yes if yes == no else hole("data")
        if sign in ("=~", "!~"):
            try:
                outcome = (re.search(right, left) is not None) == (sign == "=~")
            except re.error as error:
                raise NotUnderstood from error
        else:
            outcome = (left == right) == (sign == "==")
        return yes if outcome else no


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text, flags=re.DOTALL)


def _unindented(text: str) -> str:
    lines = text.removeprefix("\n").split("\n")
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    margin = min(indents, default=0)
    return "\n".join(line[margin:] for line in lines)


def _known(function: Callable[..., str]) -> Callable[[list[TextLike]], TextLike]:
    """A function of known texts; unknown where one of them is."""

    def apply(args: list[TextLike]) -> TextLike:
        return function(*args) if all(isinstance(one, str) for one in args) else hole("data")

    return apply


def _joined(args: list[TextLike]) -> TextLike:
    value = args[0]
    for other in args[1:]:
        value = join_paths(value, other)
    return value


FUNCTIONS: Mapping[str, Callable[[list[TextLike]], TextLike]] = {
    "arch": lambda _: hole("environment", "arch"),
    "os": lambda _: "linux",
    "os_family": lambda _: "unix",
    "num_cpus": lambda _: hole("environment", "num_cpus"),
    "home_directory": lambda _: "~",
    "home_dir": lambda _: "~",
    "join": _joined,
    "file_name": lambda args: split_last(args[0])[1],
    "file_stem": lambda args: split_extension(split_last(args[0])[1])[0],
    "extension": _known(lambda text: text.rpartition(".")[2]),
    "parent_directory": lambda args: split_last(args[0])[0],
    "parent_dir": lambda args: split_last(args[0])[0],
    "without_extension": lambda args: split_extension(args[0])[0],
    "replace": _known(lambda text, old, new: text.replace(old, new)),
    "replace_regex": _known(lambda text, pattern, new: re.sub(pattern, re.sub(r"\$(\w+)", r"\\g<\1>", new), text)),
    "uppercase": _known(str.upper),
    "lowercase": _known(str.lower),
    "capitalize": _known(str.capitalize),
    "kebabcase": _known(lambda text: re.sub(r"[\s_]+", "-", text).lower()),
    "snakecase": _known(lambda text: re.sub(r"[\s-]+", "_", text).lower()),
    "trim": _known(str.strip),
    "trim_start": _known(str.lstrip),
    "trim_end": _known(str.rstrip),
    "trim_start_match": _known(lambda text, part: text.removeprefix(part)),
    "trim_end_match": _known(lambda text, part: text.removesuffix(part)),
    "append": _known(lambda part, text: " ".join(word + part for word in text.split())),
    "prepend": _known(lambda part, text: " ".join(part + word for word in text.split())),
    "quote": lambda args: concat("'", args[0], "'"),
    "clean": lambda args: args[0],
}
"""Functions that need nothing but their arguments."""
