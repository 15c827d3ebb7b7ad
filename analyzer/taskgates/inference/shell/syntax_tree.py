"""The compact syntax tree of shell text. Offsets count code points in the source text."""

from __future__ import annotations

import re

import msgspec

from taskgates.inference.shell.lexing import element_end


class Word(msgspec.Struct, frozen=True):
    """A word as it is written, quotes included."""

    raw: str
    offset: int


class Document(msgspec.Struct, frozen=True):
    """A here-document: its text, and whether expansions in it are switched off."""

    text: str
    quoted: bool
    offset: int = 0


class Redirect(msgspec.Struct, frozen=True):
    """A redirection; `document` for here-documents, `target` for everything else. `descriptor` is -1 when not given."""

    descriptor: int
    operator: str
    target: Word | None
    offset: int
    document: Document | None = None


class Assignment(msgspec.Struct, frozen=True):
    """`name=value`, `name[subscript]+=value`, `name=(elements)`."""

    name: str
    offset: int
    subscript: str | None = None
    append: bool = False
    value: Word | None = None
    elements: str | None = None


class Simple(msgspec.Struct, frozen=True):
    """A command with its assignments and redirections; without words it only assigns or redirects."""

    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    offset: int


class Declaration(msgspec.Struct, frozen=True):
    """`export`, `local`, `declare`, `readonly`, `typeset`."""

    keyword: str
    items: tuple[Word | Assignment, ...]
    offset: int


class Pipeline(msgspec.Struct, frozen=True):
    """Commands joined by `|`."""

    stages: tuple[Node, ...]
    offset: int


class Negated(msgspec.Struct, frozen=True):
    """`! command`."""

    body: Node
    offset: int


class AndOr(msgspec.Struct, frozen=True):
    """`first && next || next`: operators of equal rank, from left to right."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    offset: int


class Sequence(msgspec.Struct, frozen=True):
    """Commands one after the other."""

    items: tuple[Node, ...]
    offset: int = 0


class Background(msgspec.Struct, frozen=True):
    """`command &`."""

    body: Node
    offset: int


class Subshell(msgspec.Struct, frozen=True):
    """`( commands )`."""

    body: Node
    offset: int


class Redirected(msgspec.Struct, frozen=True):
    """A compound command with redirections."""

    body: Node
    redirects: tuple[Redirect, ...]
    offset: int


class If(msgspec.Struct, frozen=True):
    """Conditions with their bodies, and what happens otherwise."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node | None
    offset: int


class For(msgspec.Struct, frozen=True):
    """`for name in words` (None: over the arguments), also `select`."""

    name: str
    words: tuple[Word, ...] | None
    body: Node
    offset: int
    select: bool = False


class CountingFor(msgspec.Struct, frozen=True):
    """`for ((initial; condition; update))`."""

    initial: str
    condition: str
    update: str
    body: Node
    offset: int


class While(msgspec.Struct, frozen=True):
    """`while condition`, or `until` where `negated`."""

    condition: Node
    body: Node
    negated: bool
    offset: int


class CaseItem(msgspec.Struct, frozen=True):
    """Patterns, body, and the terminator (`;;`, `;&`, `;;&`)."""

    patterns: tuple[Word, ...]
    body: Node
    terminator: str


class Case(msgspec.Struct, frozen=True):
    """`case subject in items esac`."""

    subject: Word
    items: tuple[CaseItem, ...]
    offset: int


class Function(msgspec.Struct, frozen=True):
    """A function definition."""

    name: str
    body: Node
    offset: int


class Test(msgspec.Struct, frozen=True):
    """`[[ expression ]]`; the expression as written."""

    raw: str
    offset: int


class Arithmetic(msgspec.Struct, frozen=True):
    """`(( expression ))`; the expression as written."""

    raw: str
    offset: int


class Broken(msgspec.Struct, frozen=True):
    """Text that could not be parsed."""

    raw: str
    offset: int


Node = (
    Simple
    | Declaration
    | Pipeline
    | Negated
    | AndOr
    | Sequence
    | Background
    | Subshell
    | Redirected
    | If
    | For
    | CountingFor
    | While
    | Case
    | Function
    | Test
    | Arithmetic
    | Broken
)


_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\[)?")


def parse_assignment(raw: str, offset: int) -> Assignment | None:
    """The assignment that a word spells, or None."""
    found = _ASSIGNMENT.match(raw)
    if found is None:
        return None
    index = found.end(1)
    subscript = None
    if found.group(2):
        closing = index + 1
        while closing < len(raw) and raw[closing] != "]":
            closing = element_end(raw, closing)
        subscript = raw[index + 1 : closing]
        index = closing + 1
    append = raw.startswith("+=", index)
    if not append and not raw.startswith("=", index):
        return None
    index += 2 if append else 1
    value = raw[index:]
    if value.startswith("("):
        body = value[1:-1] if value.endswith(")") else value[1:]
        return Assignment(found.group(1), offset, subscript, append, None, body)
    return Assignment(found.group(1), offset, subscript, append, Word(value, offset + index))
