"""Sources that nest so deeply that a recursive parser would exhaust the machine's stack, or all time.

LibCST's native parser recurses without a bound, and a stack that overflows there ends the whole process; patterns of a
`case` cost it twice the time for each level. CPython itself refuses more than 200 nested parentheses and 100 levels of
indentation, so what is refused here could not run either, except for chains of thousands of operators in one expression
and patterns that nest deeper than anybody writes them.
"""

from __future__ import annotations

import re

BRACKETS = 200
"""Nested brackets that are accepted, as in CPython."""

INDENTATION = 100
"""Levels of indentation that are accepted, as in CPython."""

CHAIN = 2_000
"""Operators that an expression may nest by, and branches of one elif chain."""

PATTERNS = 8
"""Nested brackets that are accepted in the pattern of a `case`."""

FIELDS = 20
"""Nested replacement fields that are accepted in one f-string; CPython 3.11 accepts two."""

_QUIET = re.compile(
    r"#[^\n]*"
    r'|"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'",
    re.DOTALL,
)
"""Comments and strings."""

_WORDS = ("and", "or", "not", "if", "else", "lambda", "await", "for")
_OPERATOR = rf"[-+*/%&|^@<>=.~]|\b(?:{'|'.join(_WORDS)})\b"
_STEP = re.compile(rf"([(\[{{])|([)\]}}])|([,;])|{_OPERATOR}")
_KINDS = bytes.maketrans(b"[{]}", b"(())")
_OTHERS = bytes(set(range(256)) - set(b"()[]{}\n"))
_NO_STEPS = bytes(set(range(256)) - set(b"-+*/%&|^@<>=.~([{"))
_CASE = re.compile(r"[ \t]*case\b")
_ELIF = re.compile(r"^[ \t]*elif\b", re.MULTILINE)
_INDENT = re.compile(r"^([ \t]*)[^\s#]", re.MULTILINE)
_OPEN = ord("(")
_NO_BRACES = bytes(set(range(256)) - set(b"{}"))
_CHAINS = f"an expression chains more than {CHAIN} operators"
_WITHIN = "\x01"
"""Stands for a line break that ends no logical line."""


def too_deep(source: str) -> tuple[int, str] | None:
    """The line at which a source nests deeper than can be parsed, and what nests; None where all is well."""
    if "\r" in source:
        source = source.replace("\r\n", "\n").replace("\r", "\n")
    code = _QUIET.sub("", source).replace("\\\n", "")
    if _find(code) is not None:
        # Once more with every line break in its place, for the line's number.
        marked = _QUIET.sub(lambda found: _WITHIN * found.group().count("\n"), source).replace("\\\n", _WITHIN)
        offset, what = _find(marked) or (0, "brackets")
        return 1 + marked.count("\n", 0, offset) + marked.count(_WITHIN, 0, offset), what
    if source.count("{") - code.count("{") > FIELDS:
        return _deep_fields(source)
    return None


def _find(code: str) -> tuple[int, str] | None:
    """Where code without strings and comments nests too deeply, as an offset, and what nests."""
    marks = code.encode("utf-8", "surrogatepass").translate(_KINDS, _OTHERS)
    offset = begin = depth = 0
    pattern = False
    for line, brackets in zip(code.split("\n"), marks.split(b"\n"), strict=True):
        if begin == offset:
            pattern = "case" in line and _CASE.match(line) is not None
        if brackets:
            opened = brackets.count(b"(")
            limit = PATTERNS if pattern else BRACKETS
            if depth + opened > limit and _deepest(brackets, depth) > limit:
                return offset, f"brackets{' of a pattern' if pattern else ''} nest deeper than {limit} levels"
            depth = max(0, depth + 2 * opened - len(brackets))
        offset += len(line) + 1
        if not depth:
            if offset - begin > CHAIN and _longest_chain(code[begin:offset]) > CHAIN:
                return begin, _CHAINS
            begin = offset
    if _longest_chain(code[begin:]) > CHAIN:
        return begin, _CHAINS
    if code.count("elif") > CHAIN and len(found := list(_ELIF.finditer(code))) > CHAIN:
        return found[0].start(), f"more than {CHAIN} elif branches"
    return _indentation(code)


def _deepest(brackets: bytes, depth: int) -> int:
    """The depth that a run of round brackets reaches, from a depth on."""
    deepest = depth
    for bracket in brackets:
        depth += 1 if bracket == _OPEN else -1
        deepest = max(deepest, depth)
    return deepest


def _longest_chain(code: str) -> int:
    """The most operators that one logical line may nest by, or a bound on them where that is low enough.

    Each operator may hold all before it as its operand, a bracket everything outside; what stands between two commas
    of a display nests side by side with the rest.
    """
    steps = len(code.encode("utf-8", "surrogatepass").translate(None, _NO_STEPS)) + sum(map(code.count, _WORDS))
    if steps <= CHAIN:
        # So few cannot nest too deeply, however they stand; a long table is most often of this kind.
        return steps
    outer: list[int] = []
    here = total = longest = 0
    for step in _STEP.finditer(code):
        opening, closing, comma = step.groups()
        if comma:
            total -= here
            here = 0
        elif closing:
            total -= here
            here = outer.pop() if outer else 0
        else:
            here += 1
            total += 1
            longest = max(longest, total)
            if opening:
                outer.append(here)
                here = 0
    return longest


def _indentation(code: str) -> tuple[int, str] | None:
    if "\n" + " " * INDENTATION not in code and "\n" + "\t" * INDENTATION not in code:
        return None
    levels: list[int] = [0]
    for match in _INDENT.finditer(code):
        width = len(match.group(1))
        while levels and levels[-1] > width:
            levels.pop()
        if not levels or levels[-1] < width:
            levels.append(width)
        if len(levels) > INDENTATION + 1:
            return match.start(), f"more than {INDENTATION} levels of indentation"
    return None


def _deep_fields(source: str) -> tuple[int, str] | None:
    """The line of the first string whose braces nest too deeply for the fields of an f-string."""
    for string in _QUIET.finditer(source):
        text = string.group()
        if text.count("{") > FIELDS and text[0] != "#":
            depth = _deepest(text.replace("{{", "").encode("utf-8", "surrogatepass").translate(_KINDS, _NO_BRACES), 0)
            if depth > FIELDS and source[max(0, string.start() - 2) : string.start()].lower().strip("r").endswith("f"):
                return source.count("\n", 0, string.start()) + 1, f"fields nest deeper than {FIELDS} levels"
    return None
