"""Sources that nest so deeply that a recursive parser would exhaust the machine's stack.

LibCST's native parser recurses without a bound, and a stack that overflows there ends the whole process. CPython itself
refuses more than 200 nested parentheses and 100 levels of indentation, so what is refused here could not run either,
except for chains of thousands of operators in one expression.
"""

from __future__ import annotations

import re

from taskgates.syntax.positions import tokens

BRACKETS = 200
"""Nested brackets that are accepted, as in CPython."""

INDENTATION = 100
"""Levels of indentation that are accepted, as in CPython."""

CHAIN = 2_000
"""Operators of one logical line, and branches of one elif chain, that are accepted."""

_SHORTEST_CHAIN = 2 * CHAIN
_BRACKET = re.compile(r"[(\[{]|([)\]}])|(\n)")
_OPERATOR = re.compile(r"[-+*/%&|^@<>=.~(\[]|\b(?:and|or|not|if|else|lambda|await|for)\b")
_QUIET = re.compile(
    r"#[^\n]*|\"{3}(?:[^\\\"]|\\.|\"(?!\"\"))*\"{3}|'{3}(?:[^\\']|\\.|'(?!''))*'{3}"
    r"|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'",
    re.DOTALL,
)
"""Comments and strings."""

_ELIF = re.compile(r"^[ \t]*elif\b", re.MULTILINE)
_INDENT = re.compile(r"^([ \t]*)[^\s#]", re.MULTILINE)


def too_deep(source: str) -> tuple[int, str] | None:
    """The line at which a source nests deeper than can be parsed, and what nests; None where all is well."""
    depth = deepest = 0
    start = 0
    spans: dict[int, int] = {}
    for match in _BRACKET.finditer(source):
        if match.group(2):
            # Brackets within strings and comments unbalance the count; a long span is looked at closely below.
            if match.end() - start > _SHORTEST_CHAIN:
                spans[start] = match.end()
            if depth <= 0:
                start = match.end()
        elif match.group(1):
            depth = max(depth - 1, 0)
        else:
            depth += 1
            deepest = max(deepest, depth)
    if len(source) - start > _SHORTEST_CHAIN:
        spans[start] = len(source)
    if deepest > BRACKETS:
        line = _bracket_line(source)
        if line is not None:
            return line, f"brackets nest deeper than {BRACKETS} levels"
    for begin, end in spans.items():
        if _longest_chain(source[begin:end]) > CHAIN:
            return source.count("\n", 0, begin) + 1, f"an expression chains more than {CHAIN} operators"
    if source.count("elif") > CHAIN and len(_ELIF.findall(source)) > CHAIN:
        first = _ELIF.search(source)
        return source.count("\n", 0, first.start() if first else 0) + 1, f"more than {CHAIN} elif branches"
    return _indentation(source)


def _bracket_line(source: str) -> int | None:
    """The line where brackets outside strings and comments first nest too deeply."""
    depth = 0
    for kind, start, _ in tokens(source):
        if kind == "open":
            depth += 1
            if depth > BRACKETS:
                return source.count("\n", 0, start) + 1
        elif kind == "close":
            depth -= 1
    return None


def _longest_chain(text: str) -> int:
    """The most operators between two commas: elements of a display nest side by side, not in each other."""
    code = _QUIET.sub("", text)
    return max((len(_OPERATOR.findall(piece)) for piece in code.split(",") if len(piece) > CHAIN), default=0)


def _indentation(source: str) -> tuple[int, str] | None:
    levels: list[int] = [0]
    if "\n" + " " * INDENTATION not in source and "\n" + "\t" * INDENTATION not in source:
        return None
    for match in _INDENT.finditer(source):
        width = len(match.group(1))
        while levels and levels[-1] > width:
            levels.pop()
        if not levels or levels[-1] < width:
            levels.append(width)
        if len(levels) > INDENTATION + 1:
            return source.count("\n", 0, match.start()) + 1, f"more than {INDENTATION} levels of indentation"
    return None
