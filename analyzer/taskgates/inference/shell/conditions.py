"""Three-valued evaluation of `test`, `[` and `[[`."""

from __future__ import annotations

import re
import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from taskgates.inference.shell.arithmetic import to_integer
from taskgates.inference.shell.host import ShellArray
from taskgates.inference.shell.lexing import split_words
from taskgates.inference.shell.patterns import escape_pattern, matches
from taskgates.inference.shell.texts import alternatives_of, from_environment
from taskgates.inference.text import Text, TextLike
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from taskgates.inference.shell.expansion import Expander
    from taskgates.inference.shell.places import Place

_UNARY = frozenset(f"-{letter}" for letter in "abcdefghknoprstuvwxzGLNORS")
_FILES = frozenset(f"-{letter}" for letter in "abcdefghkprsuwxGLNOS")
_NUMERIC = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
_BINARY = frozenset({"=", "==", "!=", "<", ">", "=~", "-nt", "-ot", "-ef", *_NUMERIC})
_DEPTH = 40


def evaluate_expression(expander: Expander, raw: str, place: Place) -> bool | None:
    """The value of `[[ raw ]]`."""
    words = _tokens(raw)
    return _Extended(expander, words, place).parse()


def evaluate_arguments(expander: Expander, arguments: list[TextLike], place: Place) -> bool | None:
    """The value of `test arguments`."""
    return _Classic(expander, arguments, place).parse()


def _tokens(raw: str) -> list[tuple[str, int]]:
    """Words of `[[ ]]`; patterns and expressions on the right keep their parentheses and bars."""
    out: list[tuple[str, int]] = []
    expression_follows = False
    for word, offset in split_words(raw):
        if expression_follows:
            pattern = word
            while pattern.endswith(")") and pattern.count(")") > pattern.count("("):
                pattern = pattern[:-1]
            out.append((pattern, offset))
            out += [(")", offset + place) for place in range(len(pattern), len(word))]
            expression_follows = False
            continue
        pending = split_words(word, operators=True)
        out.extend((piece, offset + start) for piece, start in pending)
        expression_follows = word in ("=~", "=", "==", "!=")
    return out


class _Operations:
    """The primaries that both forms share."""

    def __init__(self, expander: Expander, place: Place) -> None:
        self.expander = expander
        self.place = place

    def unary(self, operator: str, value: TextLike) -> bool | None:
        answers = {self._unary(operator, variant[0]) for variant in alternatives_of([value], 8)}
        return answers.pop() if len(answers) == 1 else None

    def _unary(self, operator: str, value: TextLike) -> bool | None:
        if operator == "-z":
            return _is_empty(value)
        if operator == "-n":
            empty = _is_empty(value)
            return None if empty is None else not empty
        if operator == "-t":
            return False
        if operator in ("-v", "-R"):
            if not isinstance(value, str):
                return None
            state = self.expander.state
            name = value.partition("[")[0]
            known = state.variables.get(name) is not None or name in state.arrays
            return known or name in self.expander.machine.options.environment
        if operator == "-o":
            return value in self.expander.state.settings if isinstance(value, str) else None
        return self._file(operator, value)

    def _file(self, operator: str, path: TextLike) -> bool | None:
        machine, state = self.expander.machine, self.expander.state
        if path == "" or from_environment(path):
            return False
        if path == "/dev/null":
            return operator in ("-e", "-a", "-r", "-w", "-c")
        machine.access(Operation.STAT, path, "test", self.expander.frame, state, self.place)
        full = machine.full_path(path, state)
        if not isinstance(full, str) or full.startswith(("/", "~", "..")):
            return None
        if machine.is_made_folder(full):
            return True if operator in ("-e", "-a", "-d", "-r", "-w", "-x") else None
        if machine.changes.touches(full):
            return None
        kind = machine.tree.kind(full)
        if kind is None:
            return False if machine.sees_all else None
        if operator in ("-e", "-a"):
            return True
        if operator == "-f":
            return True if kind == "file" else None
        if operator == "-d":
            return True if kind == "folder" else None
        if operator == "-s" and kind == "file":
            size = machine.tree.size(full)
            return bool(size) if size or (size == 0 and machine.sees_all) else None
        return True if operator in ("-r", "-w") or (operator == "-x" and kind == "folder") else None

    def binary(self, left: TextLike, operator: str, right: TextLike, *, pattern: bool) -> bool | None:
        answers = {
            self._binary(variant[0], operator, variant[1], pattern=pattern)
            for variant in alternatives_of([left, right], 8)
        }
        return answers.pop() if len(answers) == 1 else None

    def _binary(self, left: TextLike, operator: str, right: TextLike, *, pattern: bool) -> bool | None:
        left = "" if from_environment(left) else left
        if operator in _NUMERIC:
            return self._numeric(left, operator, right)
        if operator in ("=", "==", "!="):
            plain = right if pattern else escape_pattern(right)
            plain = "" if from_environment(right) else plain
            equal = True if left == right and not isinstance(left, Text) else matches(left, plain)
            return equal if operator != "!=" or equal is None else not equal
        if operator == "=~":
            return self._regex(left, right)
        if operator in ("-nt", "-ot", "-ef"):
            for path in (left, right):
                machine = self.expander.machine
                machine.access(Operation.STAT, path, "test", self.expander.frame, self.expander.state, self.place)
            return None
        if isinstance(left, str) and isinstance(right, str):
            return left < right if operator == "<" else left > right
        return None

    def _regex(self, left: TextLike, right: TextLike) -> bool | None:
        """`=~`, and the array of groups that it leaves."""
        arrays = self.expander.state.arrays
        if not isinstance(left, str) or not isinstance(right, str):
            arrays["BASH_REMATCH"] = ShellArray((), complete=False)
            return None
        found = _regex_match(left, right)
        if isinstance(found, re.Match):
            groups = [found.group(), *(group or "" for group in found.groups())]
            arrays["BASH_REMATCH"] = ShellArray(tuple((str(number), group) for number, group in enumerate(groups)))
            return True
        arrays["BASH_REMATCH"] = ShellArray((), complete=found is False)
        return found

    def _numeric(self, left: TextLike, operator: str, right: TextLike) -> bool | None:
        first = self._number(left)
        second = self._number(right)
        if first is None or second is None:
            return None
        return {
            "-eq": first == second,
            "-ne": first != second,
            "-lt": first < second,
            "-le": first <= second,
            "-gt": first > second,
            "-ge": first >= second,
        }[operator]

    def _number(self, text: TextLike) -> int | None:
        if not isinstance(text, str):
            return None
        number = to_integer(text)
        return number if number is not None else self.expander.arithmetic(text)


def _is_empty(value: TextLike) -> bool | None:
    if isinstance(value, str):
        return value == ""
    if from_environment(value):
        return True
    return False if any(isinstance(part, str) for part in value.parts) else None


_CLASSES = {
    "[:alpha:]": "a-zA-Z",
    "[:digit:]": "0-9",
    "[:alnum:]": "a-zA-Z0-9",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
    "[:space:]": r"\s",
    "[:blank:]": r" \t",
    "[:xdigit:]": "0-9a-fA-F",
    "[:punct:]": r"!-/:-@\[-`{-~",
    "[:word:]": r"\w",
}
"""What the classes of POSIX stand for within brackets."""


def _regex_match(left: str, right: str) -> re.Match[str] | bool | None:
    """The first match of a regular expression; False without one, None where that is not worked out."""
    # Nested quantifiers could take forever.
    if len(left) > 200 or re.search(r"[*+}]\)*[*+{]", right) is not None:
        return None
    translated = right
    for name, members in _CLASSES.items():
        translated = translated.replace(name, members)
    if "[:" in translated:
        return None
    try:
        return re.search(translated, left) or False
    except re.error:
        return None


def _both(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _either(left: bool | None, right: bool | None) -> bool | None:
    if left is True or right is True:
        return True
    return None if left is None or right is None else False


class _Condition(ABC):
    """What both forms have in common: alternatives of conjunctions of tests that `!` may negate.

    Args:
        expander: the shell's state.
        place: where the condition stands.
    """

    OR: ClassVar[str]
    AND: ClassVar[str]

    def __init__(self, expander: Expander, place: Place) -> None:
        self._expander = expander
        self._index = 0
        self._depth = 0
        self._operations = _Operations(expander, place)

    @abstractmethod
    def _peek(self, ahead: int = 0) -> TextLike | None:
        """A word from here on; None behind the last."""

    @abstractmethod
    def _primary(self) -> bool | None:
        """One test, or a condition in parentheses."""

    def _negates(self) -> bool:
        return self._peek() == "!"

    def _or(self) -> bool | None:
        value = self._and()
        while self._peek() == self.OR:
            self._index += 1
            value = _either(value, self._and())
        return value

    def _and(self) -> bool | None:
        value = self._not()
        while self._peek() == self.AND:
            self._index += 1
            value = _both(value, self._not())
        return value

    def _not(self) -> bool | None:
        self._depth += 1
        try:
            if self._depth > _DEPTH:
                self._index = sys.maxsize
                return None
            if self._negates():
                self._index += 1
                value = self._not()
                return None if value is None else not value
            return self._primary()
        finally:
            self._depth -= 1

    def _group(self) -> bool | None:
        """A condition in parentheses, of which the first is ahead."""
        self._index += 1
        value = self._or()
        if self._peek() == ")":
            self._index += 1
        return value


class _Extended(_Condition):
    """`[[ ]]`: operands are expanded when they are reached."""

    OR, AND = "||", "&&"

    def __init__(self, expander: Expander, words: list[tuple[str, int]], place: Place) -> None:
        super().__init__(expander, place)
        self._words = words

    def parse(self) -> bool | None:
        return self._or()

    def _peek(self, ahead: int = 0) -> str | None:
        index = self._index + ahead
        return self._words[index][0] if index < len(self._words) else None

    def _primary(self) -> bool | None:
        if self._index >= len(self._words):
            return None
        if self._peek() == "(":
            return self._group()
        word, offset = self._words[self._index]
        operator = self._peek(1)
        if operator is not None and operator in _BINARY and self._index + 2 < len(self._words):
            right, right_offset = self._words[self._index + 2]
            self._index += 3
            left = self._expander.string(word, offset)
            if operator in ("=", "==", "!="):
                other = self._expander.pattern(right, right_offset)
            else:
                other = self._expander.string(right, right_offset)
            return self._operations.binary(left, operator, other, pattern=True)
        if word in _UNARY and self._index + 1 < len(self._words) and operator not in ("&&", "||", ")"):
            operand, operand_offset = self._words[self._index + 1]
            self._index += 2
            return self._operations.unary(word, self._expander.string(operand, operand_offset))
        self._index += 1
        return self._operations.unary("-n", self._expander.string(word, offset))


class _Classic(_Condition):
    """`test`: the words are expanded already."""

    OR, AND = "-o", "-a"

    def __init__(self, expander: Expander, words: list[TextLike], place: Place) -> None:
        super().__init__(expander, place)
        self._words = words

    def parse(self) -> bool | None:
        if not self._words:
            return False
        if len(self._words) == 1:
            return self._operations.unary("-n", self._words[0])
        return self._or()

    def _peek(self, ahead: int = 0) -> TextLike | None:
        index = self._index + ahead
        return self._words[index] if index < len(self._words) else None

    def _negates(self) -> bool:
        return self._peek() == "!" and self._peek(1) not in _BINARY

    def _primary(self) -> bool | None:
        word = self._peek()
        if word is None:
            return None
        operator = self._peek(1)
        right = self._peek(2)
        if isinstance(operator, str) and operator in _BINARY and right is not None:
            self._index += 3
            return self._operations.binary(word, operator, right, pattern=False)
        if word == "(":
            return self._group()
        if isinstance(word, str) and word in _UNARY and operator is not None:
            self._index += 2
            return self._operations.unary(word, operator)
        self._index += 1
        return self._operations.unary("-n", word)
