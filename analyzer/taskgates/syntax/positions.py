"""Lines and columns for identifier ordinals.

The lowering walk numbers identifiers in source order; this module finds the same identifiers in the text with one
regular expression, so a file that contributes to a report pays for its positions and no other does. Both counts are
compared; where they differ (which the tests look for over the whole standard library) LibCST's own positions are used.
"""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEYWORDS = frozenset(
    [
        "and",
        "as",
        "assert",
        "async",
        "await",
        "break",
        "class",
        "continue",
        "def",
        "del",
        "elif",
        "else",
        "except",
        "finally",
        "for",
        "from",
        "global",
        "if",
        "import",
        "in",
        "is",
        "lambda",
        "nonlocal",
        "not",
        "or",
        "pass",
        "raise",
        "return",
        "try",
        "while",
        "with",
        "yield",
    ]
)
_STRING = r"""
    '''[^\\']*+(?:(?:\\.|'(?!''))[^\\']*+)*+'''
    |\"\"\"[^\\"]*+(?:(?:\\.|"(?!""))[^\\"]*+)*+\"\"\"
    |'[^'\\\r\n]*+(?:\\(?:\r\n|.)[^'\\\r\n]*+)*+'
    |"[^"\\\r\n]*+(?:\\(?:\r\n|.)[^"\\\r\n]*+)*+"
"""
_SKIPPED = rf"""
    \#[^\r\n]*+
    |(?:[rRbBuU]|[rR][bB]|[bB][rR])?(?:{_STRING})
    |0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
    |(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?[jJ]?
"""
"""Comments, strings without fields and numbers."""
_FIELDED = r"(?:[rR]?[fFtT]|[fFtT][rR])(?:'''|\"\"\"|'|\")"
"""The opening of a string with fields."""
_TOKEN = re.compile(
    rf"""
      (?:{_SKIPPED})
    | (?P<fstring>{_FIELDED})
    | (?P<name>[^\W\d]\w*)
    | (?P<open>[(\[{{])
    | (?P<close>[)\]}}])
    | (?P<other>![=]?|:=?)
    """,
    re.VERBOSE | re.DOTALL,
)
_IDENTIFIER = re.compile(
    rf"""
    [^\w\#'".]*+
    (?: (?P<name>[^\W\d]\w*+)(?!['"])
      | (?:{_SKIPPED})
      | (?P<fstring>{_FIELDED})
      | (?P<word>[^\W\d]\w*+)
      | ['".]
    )?
    """,
    re.VERBOSE | re.DOTALL,
)
"""The next name or string with fields, or what is passed over up to there; takes every text apart without a gap.

Most names are told at the first try, as no quote follows them; a `word` is a name that one follows.
"""


class Positions:
    """The identifier positions of one source text.

    Args:
        source: the decoded text.
        expected: the number of identifiers that lowering counted.
    """

    def __init__(self, source: str, expected: int) -> None:
        self._source = source
        self._offsets = list(_identifiers(source))
        if len(self._offsets) != expected:
            self._offsets = _slow_offsets(source)
        self._lines = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", source))]

    def __len__(self) -> int:
        return len(self._offsets)

    def offset(self, ordinal: int) -> int:
        """Code point offset of an identifier; of the nearest one where the ordinal is out of range."""
        if not self._offsets:
            return 0
        return self._offsets[min(max(ordinal, 0), len(self._offsets) - 1)]

    def location(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of an offset."""
        line = bisect.bisect_right(self._lines, offset) - 1
        return line + 1, offset - self._lines[line] + 1

    def start(self, ordinal: int) -> tuple[int, int]:
        """Line and column, both from 1, of an identifier."""
        return self.location(self.offset(ordinal))

    def identifier_end(self, ordinal: int) -> tuple[int, int]:
        """Line and column just behind an identifier."""
        return self.location(self._identifier_end(ordinal))

    def call_end(self, ordinal: int) -> tuple[int, int]:
        """Line and column just behind the call whose callee ends with the given identifier."""
        offset = self._identifier_end(ordinal)
        depth = 0
        for kind, start, end in tokens(self._source, offset):
            if kind == "open":
                depth += 1
            elif kind == "close":
                depth -= 1
                if depth <= 0:
                    return self.location(end)
            elif depth == 0 and kind == "name" and "\n" in self._source[offset:start]:
                break
        return self.location(offset)

    def _identifier_end(self, ordinal: int) -> int:
        start = self.offset(ordinal)
        match = re.compile(r"\w*").match(self._source, start)
        return match.end() if match else start


def tokens(source: str, start: int = 0) -> Iterator[tuple[str, int, int]]:
    """Names and brackets from an offset on, f-string fields looked into."""
    pos = start
    match_at = _TOKEN.search
    while True:
        match = match_at(source, pos)
        if match is None:
            return
        kind = match.lastgroup
        pos = match.end()
        if kind == "name":
            yield "name", match.start(), pos
        elif kind == "fstring":
            inside: list[tuple[str, int, int]] = []
            pos = _skip_formatted(source, match, inside)
            yield from inside
        elif kind in ("open", "close"):
            yield kind, match.start(), pos


def _identifiers(source: str) -> Iterator[int]:
    """The offsets of all identifiers, f-string fields looked into."""
    keywords = _KEYWORDS
    pos: int | None = 0
    while pos is not None:
        begin, pos = pos, None
        for match in _IDENTIFIER.finditer(source, begin):
            kind = match.lastgroup
            if kind == "fstring":
                inside: list[tuple[str, int, int]] = []
                pos = _skip_formatted(source, match, inside)
                yield from (start for _, start, end in inside if source[start:end] not in keywords)
                break
            if kind is not None and match[kind] not in keywords:
                yield match.start(kind)


def _skip_formatted(source: str, opening: re.Match[str], inside: list[tuple[str, int, int]]) -> int:
    """Collect the names within an f-string's fields; return the offset behind the closing quote."""
    head = opening["fstring"]
    quote = head.lstrip("rRfFtT")
    raw = "r" in head.lower()
    pos = opening.end()
    while pos < len(source):
        char = source[pos]
        if source.startswith(quote, pos):
            return pos + len(quote)
        if char == "\\":
            if not raw and source.startswith("N{", pos + 1):
                pos = source.find("}", pos) + 1 or len(source)
            else:
                pos += 2 if not raw or source[pos + 1 : pos + 2] in (quote[0], "\\") else 1
        elif char == "{":
            if source.startswith("{{", pos):
                pos += 2
            else:
                pos = _skip_field(source, pos + 1, inside, quote)
        else:
            pos += 1
    return pos


def _skip_field(source: str, pos: int, inside: list[tuple[str, int, int]], quote: str) -> int:
    """Collect the names of one replacement field that starts at `pos`; return the offset behind its closing brace."""
    depth = 0
    while True:
        match = _TOKEN.search(source, pos)
        if match is None:
            return len(source)
        kind, text = match.lastgroup, match.group()
        pos = match.end()
        if kind == "name":
            inside.append(("name", match.start(), pos))
        elif kind == "fstring":
            pos = _skip_formatted(source, match, inside)
        elif kind == "open":
            depth += 1
        elif kind == "close":
            if depth == 0:
                return pos
            depth -= 1
        elif kind == "other" and depth == 0:
            if text == "!":
                pos = re.compile(r"\s*\w*\s*").match(source, pos).end()  # type: ignore[union-attr]
            elif text.startswith(":"):
                return _skip_spec(source, match.start() + 1, inside, quote)


def _skip_spec(source: str, pos: int, inside: list[tuple[str, int, int]], quote: str) -> int:
    """Collect the names of the nested fields of a format specification; return the offset behind the outer brace."""
    while pos < len(source):
        char = source[pos]
        if char == "}":
            return pos + 1
        if char == "{":
            pos = _skip_field(source, pos + 1, inside, quote)
        elif source.startswith(quote, pos):
            return pos
        else:
            pos += 1
    return pos


def _slow_offsets(source: str) -> list[int]:
    """Offsets of all identifiers by LibCST's own positions: many times slower, right on any input it parses."""
    # Imported here, as hardly any file needs it.
    import libcst as cst
    from libcst.metadata import MetadataWrapper, PositionProvider

    try:
        wrapper = MetadataWrapper(cst.parse_module(source))
    except Exception:  # noqa: BLE001 - positions are a courtesy: the file's problem has been reported already
        return []
    ranges = wrapper.resolve(PositionProvider)
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", source))]
    offsets = [
        starts[span.start.line - 1] + span.start.column for node, span in ranges.items() if isinstance(node, cst.Name)
    ]
    return sorted(offsets)
