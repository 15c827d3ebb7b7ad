"""Snakefiles as Python: rules and directives become calls, each on the line where it stood.

A Snakefile is Python with blocks of its own (`rule name:`), directives in them (`input: ...`) and at the top level
(`configfile: ...`). Its tokens are Python's, so that the tokeniser of the standard library tells where each begins and
ends. A block becomes an `if` statement over a call that opens it, a directive a call with the same arguments, and a
directive that holds statements (`run:`) a function. What those calls do is up to whoever runs the result.

    rule copy:                          if _snakemake_rule('rule', 'copy', 1):
        input: "a.txt"                      _snakemake_set('input')("a.txt")
        output:                             _snakemake_set('output')(
            "b.txt"                             "b.txt")
        run:                                def _snakemake_run_5(input, output, ...):
            copy(input, output)                 copy(input, output)
"""

from __future__ import annotations

import io
import re
import tokenize
from typing import TYPE_CHECKING

import msgspec

from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RULE, SET, USE, GLOBAL = "_snakemake_rule", "_snakemake_set", "_snakemake_use", "_snakemake_global"
RUN, HANDLER = "_snakemake_run_", "_snakemake_on_"

RUN_PARAMETERS = ("input", "output", "params", "wildcards", "threads", "resources", "log", "rule", "jobid")
"""Parameters of the function that a `run:` directive becomes."""

BLOCKS = frozenset({"rule", "checkpoint", "module", "subworkflow"})
HANDLERS = frozenset({"onsuccess", "onerror", "onstart"})
GLOBALS = frozenset(
    [
        "conda",
        "configfile",
        "container",
        "containerized",
        "envvars",
        "include",
        "inputflags",
        "outputflags",
        "pathvars",
        "pepfile",
        "pepschema",
        "report",
        "resource_scopes",
        "scattergather",
        "singularity",
        "storage",
        "wildcard_constraints",
        "workdir",
    ]
)
WORDS = frozenset({"localrules", "ruleorder"})
"""Directives at the top level that hold names of rules, not expressions."""

_NAMES = re.compile(r"(?:\A|/)Snakefile[^/]*\Z|\.(?:smk|snakefile|snake|rules)\Z")
_SIGNS = re.compile(
    r"^[ \t]*(?:(?:rule|checkpoint)(?:[ \t]+\w+)?[ \t]*:|use[ \t]+rule[ \t]|(?:include|configfile)[ \t]*:)",
    re.MULTILINE,
)
_RULE = re.compile(r"^[ \t]*(?:rule|checkpoint)[ \t]+\w+[ \t]*:", re.MULTILINE)
_USE = re.compile(
    r"use\s+rule\s+(?P<rules>.+?)(?:\s+from\s+(?P<module>\w+))?(?:\s+exclude\s+(?P<exclude>[\w\s,]+?))?"
    r"(?:\s+as\s+(?P<name>[\w*\s]+?))?(?P<with>\s+with\s*:)?\s*\Z",
    re.DOTALL,
)
_SKIPPED = frozenset({tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING})


class Block(msgspec.Struct):
    """A rule or another block of a Snakefile.

    Attributes:
        kind: `rule`, `checkpoint`, `module`, `subworkflow` or `use`.
        name: its name; empty where it has none.
        line: where it begins, from 1.
        column: likewise, from 1.
        directives: where each of its directives begins: line and column.
    """

    kind: str
    name: str
    line: int
    column: int
    directives: dict[str, tuple[int, int]] = {}


class Snakefile(msgspec.Struct, frozen=True):
    """A translated Snakefile.

    Attributes:
        text: Python, with every line where it was.
        blocks: what it defines, in order.
    """

    text: str
    blocks: tuple[Block, ...]


def is_snakefile(file: str, text: str) -> bool:
    """Whether a source file is a Snakefile: by its name, or by what stands in it where its name is not Python's."""
    if file.endswith((".py", ".pyi", ".ipynb")):
        return False
    return _NAMES.search(file) is not None or _SIGNS.search(text) is not None


def defines_rules(text: str) -> bool:
    """Whether something in a text looks like a Snakemake rule with a name, which Python cannot parse."""
    return _RULE.search(text) is not None


def translate(source: str) -> Snakefile | ir.SourceProblem:
    """Translate a Snakefile; a problem where its tokens are not Python's."""
    try:
        lines = list(_logical_lines(source))
    except (tokenize.TokenError, SyntaxError) as error:
        message, line = _described(error)
        return ir.SourceProblem(f"is no Snakefile: {message}", line, 1)
    translator = _Translator(source)
    for logical in lines:
        translator.add(logical)
    translator.close(-1)
    return Snakefile(translator.text(), tuple(translator.blocks))


def _described(error: tokenize.TokenError | SyntaxError) -> tuple[str, int]:
    if isinstance(error, SyntaxError):
        return error.msg, error.lineno or 1
    place = error.args[1] if len(error.args) > 1 else (1, 0)
    return str(error.args[0]), int(place[0])


def _logical_lines(source: str) -> Iterator[list[tokenize.TokenInfo]]:
    """The tokens of each logical line, without its comments and its end."""
    line: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            if line:
                yield line
            line = []
        elif token.type not in _SKIPPED:
            line.append(token)
    if line:
        yield line


class _Open(msgspec.Struct):
    """A block or directive that may go on on the next line.

    Attributes:
        kind: `block`, `call` (its parenthesis is still to be closed), `names` (they become a string) or `body`
            (statements).
        column: that of its first token: what stands further in belongs to it.
        block: the block, for one.
        word: the directive, for names.
        start: where it begins, for names.
        colon: the end of its colon, for names.
    """

    kind: str
    column: int
    block: Block | None = None
    word: str = ""
    start: tuple[int, int] = (1, 0)
    colon: tuple[int, int] = (1, 0)


class _Translator:
    """Collects the changes that make Python of a Snakefile."""

    def __init__(self, source: str) -> None:
        self.lines = io.StringIO(source).readlines()
        self.blocks: list[Block] = []
        self._open: list[_Open] = []
        self._last = (1, 0)
        self._edits: list[tuple[tuple[int, int], tuple[int, int], str]] = []

    def text(self) -> str:
        """The result."""
        out = list(self.lines)
        for (row, column), (last, end), new in sorted(self._edits, key=lambda edit: edit[0], reverse=True):
            tail = out[last - 1][end:]
            removed = "\n" * (last - row)
            out[row - 1 : last] = [out[row - 1][:column] + new + removed + tail]
            # The lines in between stay, as empty ones.
            out[row - 1 : row] = out[row - 1].splitlines(keepends=True)
        return "".join(out)

    def _replace(self, start: tuple[int, int], end: tuple[int, int], new: str) -> None:
        self._edits.append((start, end, new))

    def close(self, column: int) -> None:
        """Close what does not reach beyond a column."""
        while self._open and self._open[-1].column >= column:
            done = self._open.pop()
            if done.kind == "call":
                self._replace(self._last, self._last, ")")
            elif done.kind == "names":
                names = " ".join(self._between(done.colon, self._last).split())
                self._replace(done.start, self._last, f"{GLOBAL}({done.word!r})({names!r})")

    def add(self, line: Sequence[tokenize.TokenInfo]) -> None:
        """Take up one logical line."""
        column = line[0].start[1]
        self.close(column)
        if not self._open or self._open[-1].kind == "block":
            self._statement(line, column)
        self._last = line[-1].end

    def _statement(self, line: Sequence[tokenize.TokenInfo], column: int) -> None:
        first = line[0]
        if first.type != tokenize.NAME:
            return
        second = line[1].string if len(line) > 1 else ""
        if self._open:
            if second == ":":
                self._directive(line, column)
            return
        if first.string in BLOCKS and (second == ":" or (len(line) > 2 and line[2].string == ":")):
            self._block(line, column)
        elif first.string == "use" and second == "rule":
            self._use(line, column)
        elif first.string in HANDLERS and second == ":":
            self._replace(first.start, line[1].end, f"def {HANDLER}{first.string}(log):")
            self._open.append(_Open("body", column))
        elif first.string in WORDS and second == ":":
            self._open.append(_Open("names", column, None, first.string, first.start, line[1].end))
        elif first.string in GLOBALS and second == ":":
            self._call(GLOBAL, line, column)
        elif first.string == "storage" and len(line) > 2 and line[2].string == ":":
            self._call(GLOBAL, [first, *line[2:]], column)

    def _between(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        if start[0] == end[0]:
            return self.lines[start[0] - 1][start[1] : end[1]]
        middle = self.lines[start[0] : end[0] - 1]
        return "".join([self.lines[start[0] - 1][start[1] :], *middle, self.lines[end[0] - 1][: end[1]]])

    def _block(self, line: Sequence[tokenize.TokenInfo], column: int) -> None:
        first = line[0]
        name = line[1].string if line[1].string != ":" else ""
        colon = line[1] if not name else line[2]
        self._begin(first, first.string, name, column)
        self._replace(first.start, colon.end, f"if {RULE}({first.string!r}, {name!r}, {first.start[0]}):")
        rest = line[line.index(colon) + 1 :]
        if rest:
            # Its only directive follows on the same line.
            self._last = line[-1].end
            self._statement(rest, column + 1)

    def _begin(self, first: tokenize.TokenInfo, kind: str, name: str, column: int) -> None:
        block = Block(kind, name, first.start[0], first.start[1] + 1, {})
        self.blocks.append(block)
        self._open.append(_Open("block", column, block))

    def _use(self, line: Sequence[tokenize.TokenInfo], column: int) -> None:
        first, end = line[0], line[-1].end
        found = _USE.match(self._between(first.start, end))
        if found is None:
            return
        rules, exclude = (
            [word for word in re.split(r"[\s,]+", found[group] or "") if word] for group in ("rules", "exclude")
        )
        name = re.sub(r"\s+", "", found["name"] or "")
        call = f"{USE}({rules!r}, {found['module']!r}, {exclude!r}, {name or None!r}, {first.start[0]})"
        if found["with"]:
            self._begin(first, "use", name, column)
            call = f"if {call}:"
        self._replace(first.start, end, call)

    def _directive(self, line: Sequence[tokenize.TokenInfo], column: int) -> None:
        first = line[0]
        block = self._open[-1].block
        if block is not None:
            block.directives.setdefault(first.string, (first.start[0], first.start[1] + 1))
        if first.string == "run":
            names = ", ".join(RUN_PARAMETERS)
            self._replace(first.start, line[1].end, f"def {RUN}{block.line if block else 0}({names}, **_):")
            self._open.append(_Open("body", column))
        else:
            self._call(SET, line, column)

    def _call(self, name: str, line: Sequence[tokenize.TokenInfo], column: int) -> None:
        first, colon = line[0], line[1]
        self._replace(first.start, colon.end, f"{name}({first.string!r})(")
        self._open.append(_Open("call", column))


__all__ = [
    "GLOBAL",
    "HANDLER",
    "RULE",
    "RUN",
    "RUN_PARAMETERS",
    "SET",
    "USE",
    "Block",
    "Snakefile",
    "defines_rules",
    "is_snakefile",
    "translate",
]
