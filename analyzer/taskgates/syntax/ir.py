"""The compact representation that the abstract interpreter runs on.

Every node is a small immutable-by-convention struct without whitespace, comments or parentheses. `pos` is not a line
number but an *identifier ordinal*: the node's anchoring identifier is the pos-th identifier token of the file.
`positions` turns ordinals into lines and columns when a report needs them, so that the hot path never computes any.
"""

from __future__ import annotations

import msgspec


class Node(msgspec.Struct, array_like=True, gc=False):
    """Base of all nodes; encoded as tagged arrays."""


# Expressions ---------------------------------------------------------------------------------------------------------


class Const(Node, tag=1):
    """A literal None, bool, int, float or str."""

    value: bool | int | float | str | None


class Bytes(Node, tag=23):
    """A bytes literal."""

    value: bytes


class Literal(Node, tag=2):
    """A literal that MessagePack cannot carry (huge integer, complex, lone surrogates, Ellipsis), as source text."""

    source: str


class Name(Node, tag=3):
    """A variable."""

    id: str
    pos: int


class Attr(Node, tag=4):
    """`obj.name`; `pos` is the attribute's own identifier."""

    obj: Expr
    name: str
    pos: int


class Arg(msgspec.Struct, array_like=True, gc=False):
    """One argument of a call: positional (no keyword, no star), keyword, `*x` (star 1) or `**x` (star 2)."""

    value: Expr
    keyword: str | None = None
    star: int = 0


class Call(Node, tag=5):
    """`func(args)`; `pos` is the last identifier of the callee, `start` the first identifier of the whole call."""

    func: Expr
    args: list[Arg]
    pos: int
    start: int


class Subscript(Node, tag=6):
    """`obj[index]`; several indices arrive as a tuple `Sequence`."""

    obj: Expr
    index: Expr
    pos: int


class Slice(Node, tag=7):
    """`lower:upper:step` within a subscript."""

    lower: Expr | None
    upper: Expr | None
    step: Expr | None


class Binary(Node, tag=8):
    """A binary operator, spelled as in source (`+`, `//`, `**`, ...)."""

    op: str
    left: Expr
    right: Expr


class Unary(Node, tag=9):
    """`-x`, `+x`, `~x`, `not x`."""

    op: str
    operand: Expr


class Boolean(Node, tag=10):
    """`a and b` / `a or b`."""

    op: str
    left: Expr
    right: Expr


class Compare(Node, tag=11):
    """A comparison chain; operators as in source (`<`, `not in`, ...)."""

    left: Expr
    ops: list[str]
    rights: list[Expr]


class Conditional(Node, tag=12):
    """`body if test else orelse`."""

    test: Expr
    body: Expr
    orelse: Expr


class Sequence(Node, tag=13):
    """A list, tuple or set display; `kind` is `list`, `tuple` or `set`."""

    kind: str
    items: list[Expr]


class Dict(Node, tag=14):
    """A dict display; a None key marks `**value`."""

    keys: list[Expr | None]
    values: list[Expr]


class Format(Node, tag=15):
    """A replacement field of an f-string; `spec` holds literal text and nested fields."""

    value: Expr
    conversion: str | None
    spec: list[Expr]


class Joined(Node, tag=16):
    """An f-string: literal pieces (`Const`) and replacement fields (`Format`)."""

    parts: list[Expr]


class Lambda(Node, tag=17):
    """A lambda expression."""

    function: Function


class Clause(msgspec.Struct, array_like=True, gc=False):
    """One `for target in iter if tests` of a comprehension."""

    target: Expr
    iter: Expr
    tests: list[Expr]
    is_async: bool


class Comprehension(Node, tag=18):
    """`kind` is `list`, `set`, `dict` or `generator`; for a dict `element` is the key and `value` the value."""

    kind: str
    element: Expr
    value: Expr | None
    clauses: list[Clause]


class Await(Node, tag=19):
    """`await x`."""

    value: Expr


class Yield(Node, tag=20):
    """`yield x` / `yield from x`."""

    value: Expr | None
    is_from: bool


class Walrus(Node, tag=21):
    """`target := value`."""

    target: Expr
    value: Expr


class Star(Node, tag=22):
    """`*x` within a display or an assignment target."""

    value: Expr


# Functions -----------------------------------------------------------------------------------------------------------


class Param(msgspec.Struct, array_like=True, gc=False):
    """A parameter; `kind` is `positional`, `normal`, `args`, `keyword` or `kwargs`."""

    name: str
    kind: str
    default: Expr | None
    annotation: Expr | None


class Function(msgspec.Struct, array_like=True, gc=False):
    """A function or lambda.

    Attributes:
        name: its own name, `<lambdaN>` for the N-th lambda of the enclosing function.
        params: in order.
        body: statements; a lambda's is one `Return`.
        pos: identifier ordinal of the name (of the first identifier inside for a lambda).
        locals: names bound in the body, parameters included, without globals and nonlocals.
        globals: names declared `global`.
        nonlocals: names declared `nonlocal`.
        decorators: in source order.
        returns: annotation of the result.
        doc: the docstring as it stands in the source.
    """

    name: str
    params: list[Param]
    body: list[Stmt]
    pos: int
    locals: list[str]
    globals: list[str]
    nonlocals: list[str]
    decorators: list[Expr]
    returns: Expr | None
    is_async: bool
    is_generator: bool
    doc: str | None = None


# Statements ----------------------------------------------------------------------------------------------------------


class ExprStmt(Node, tag=30):
    """An expression for its effect."""

    value: Expr


class Assign(Node, tag=31):
    """`a = b = value`."""

    targets: list[Expr]
    value: Expr


class AugAssign(Node, tag=32):
    """`target op= value`; `op` without the equals sign."""

    target: Expr
    op: str
    value: Expr


class AnnAssign(Node, tag=33):
    """`target: annotation = value`."""

    target: Expr
    annotation: Expr
    value: Expr | None


class Delete(Node, tag=34):
    """`del targets`."""

    targets: list[Expr]


class If(Node, tag=35):
    """`elif` arrives as a nested `If` in `orelse`."""

    test: Expr
    body: list[Stmt]
    orelse: list[Stmt]


class While(Node, tag=36):
    """A while loop."""

    test: Expr
    body: list[Stmt]
    orelse: list[Stmt]


class For(Node, tag=37):
    """A for loop."""

    target: Expr
    iter: Expr
    body: list[Stmt]
    orelse: list[Stmt]
    is_async: bool


class WithItem(msgspec.Struct, array_like=True, gc=False):
    """One `context as target`."""

    context: Expr
    target: Expr | None


class With(Node, tag=38):
    """A with statement."""

    items: list[WithItem]
    body: list[Stmt]
    is_async: bool


class Handler(msgspec.Struct, array_like=True, gc=False):
    """One except clause."""

    type: Expr | None
    name: str | None
    body: list[Stmt]


class Try(Node, tag=39):
    """try/except/else/finally (and `except*`)."""

    body: list[Stmt]
    handlers: list[Handler]
    orelse: list[Stmt]
    final: list[Stmt]


class FunctionDef(Node, tag=40):
    """A def statement."""

    function: Function


class ClassDef(Node, tag=41):
    """A class statement; `locals` are the names bound in its body, `doc` is its docstring as in the source."""

    name: str
    bases: list[Arg]
    body: list[Stmt]
    decorators: list[Expr]
    pos: int
    locals: list[str]
    globals: list[str]
    doc: str | None = None


class Return(Node, tag=42):
    """return."""

    value: Expr | None


class Raise(Node, tag=43):
    """raise."""

    exc: Expr | None
    cause: Expr | None


class Break(Node, tag=44):
    """break."""


class Continue(Node, tag=45):
    """continue."""


class ImportName(msgspec.Struct, array_like=True, gc=False):
    """`name as asname`."""

    name: str
    asname: str | None


class Import(Node, tag=46):
    """`import a.b as c, d`."""

    names: list[ImportName]
    pos: int


class ImportFrom(Node, tag=47):
    """`from ..module import names`; the single name `*` stands for a star import."""

    module: str
    level: int
    names: list[ImportName]
    pos: int


class Assert(Node, tag=48):
    """assert."""

    test: Expr
    message: Expr | None


class Pattern(msgspec.Struct, array_like=True, gc=False):
    """A case pattern.

    `kind`: `value` (expr), `singleton` (expr), `capture` (name; None = wildcard; patterns[0] = the inner one),
    `sequence`, `mapping` (keys, patterns, name = rest), `class` (expr, patterns, names = keywords of the trailing
    ones), `or`, `star` (name).
    """

    kind: str
    expr: Expr | None = None
    name: str | None = None
    patterns: list[Pattern] = []
    keys: list[Expr] = []
    names: list[str] = []


class Case(msgspec.Struct, array_like=True, gc=False):
    """One case clause."""

    pattern: Pattern
    guard: Expr | None
    body: list[Stmt]


class Match(Node, tag=49):
    """match."""

    subject: Expr
    cases: list[Case]


Expr = (
    Const
    | Bytes
    | Literal
    | Name
    | Attr
    | Call
    | Subscript
    | Slice
    | Binary
    | Unary
    | Boolean
    | Compare
    | Conditional
    | Sequence
    | Dict
    | Format
    | Joined
    | Lambda
    | Comprehension
    | Await
    | Yield
    | Walrus
    | Star
)

Stmt = (
    ExprStmt
    | Assign
    | AugAssign
    | AnnAssign
    | Delete
    | If
    | While
    | For
    | With
    | Try
    | FunctionDef
    | ClassDef
    | Return
    | Raise
    | Break
    | Continue
    | Import
    | ImportFrom
    | Assert
    | Match
)


class Module(msgspec.Struct, array_like=True, gc=False):
    """One source file.

    Attributes:
        body: its statements.
        locals: names bound at module level (assignments inside functions through `global` included).
        identifiers: how many identifier tokens the walk counted; `positions` checks itself against it.
        has_main_guard: whether it tests `__name__` against `"__main__"` at module level.
        mutated: names that some function changes in place or rebinds through `global` and that are not its own locals.
        doc: the docstring as it stands in the source.
    """

    body: list[Stmt]
    locals: list[str]
    identifiers: int
    has_main_guard: bool
    mutated: list[str]
    doc: str | None = None


class SourceProblem(msgspec.Struct, frozen=True):
    """Why a source file could not be parsed, and where (from 1)."""

    message: str
    line: int
    column: int
