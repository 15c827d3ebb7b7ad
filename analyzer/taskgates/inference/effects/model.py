"""What a row of the effect tables says about one library callable, type, module or value, parsed once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from taskgates.model.access import Operation

Scalar = str | int | float | bool


class Step(msgspec.Struct, frozen=True):
    """One attribute or transformation behind a name: `.stem`, `.with_suffix(.bak)`, `.file`.

    Attributes:
        name: the attribute's or the transformation's name.
        argument: the text between the parentheses; None when there are none.
    """

    name: str
    argument: str | None = None


class Piece(msgspec.Struct, frozen=True):
    """A reference to a value at the call: a parameter, the object itself, or something derived from either.

    Attributes:
        name: a parameter's name, `self`, `temporary` (a fresh name in the system's folder for temporary files), or
            `argv` (the command line's words behind the program).
        steps: what is taken from it, in order. The first step behind `self` names a kept constructor argument where the
            object has one of that name, else an attribute of the object, else a path transformation.
    """

    name: str
    steps: tuple[Step, ...] = ()

    def __str__(self) -> str:
        steps = (f".{step.name}" + (f"({step.argument})" if step.argument is not None else "") for step in self.steps)
        return self.name + "".join(steps)


class PathExpr(msgspec.Struct, frozen=True):
    """A path in terms of a call's arguments.

    Attributes:
        parts: literal pieces (`*` and `**` in them are wildcards) and references, in order.
        bare: whether the expression was written as a bare name: the argument itself, each of its elements when it is a
            list, and no access when it is an open handle, a buffer, None, absent, or a URL that is not a file's.
    """

    parts: tuple[str | Piece, ...]
    bare: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters (and `self`) that the path depends on, in order."""
        return tuple(part.name for part in self.parts if isinstance(part, Piece))

    def __str__(self) -> str:
        if self.bare:
            return str(self.parts[0])
        return "".join(part if isinstance(part, str) else "{" + str(part) + "}" for part in self.parts)


class ConditionTest(StrEnum):
    """How a condition looks at an argument."""

    EQUAL = "equal"
    GIVEN = "given"
    ABSENT = "absent"
    STRING = "string"
    PATH = "path"
    MATCHES = "matches"


class Condition(msgspec.Struct, frozen=True):
    """A test of one argument, under which an effect happens.

    Attributes:
        param: the parameter's name, or `self.NAME` for a kept constructor argument.
        test: whether the argument is given (and not None), absent (or None), a string (or path-like), a path-like
            object that is no string, equal to one of `values`, or text in which one of the regular expressions in
            `values` is found.
        values: the values that fulfil an `equal` test. A Boolean is compared with the argument's truth value; an absent
            argument takes the row's default for it and is otherwise false.
    """

    param: str
    test: ConditionTest
    values: tuple[Scalar, ...] = ()

    def holds(self, value: object, *, given: bool) -> bool:
        """Whether a known argument fulfils the condition.

        Args:
            value: the argument, or the row's default for it; None when there is neither.
            given: whether the call passes the argument.
        """
        if self.test is ConditionTest.GIVEN:
            return given and value is not None
        if self.test is ConditionTest.ABSENT:
            return not given or value is None
        if self.test is ConditionTest.STRING:
            return isinstance(value, (str, bytes)) or hasattr(value, "__fspath__")
        if self.test is ConditionTest.PATH:
            return hasattr(value, "__fspath__")
        if self.test is ConditionTest.MATCHES:
            text = value if isinstance(value, str) else str(value) if hasattr(value, "__fspath__") else None
            return text is not None and any(re.search(str(pattern), text) for pattern in self.values)
        return any(
            bool(value) == wanted if isinstance(wanted, bool) else not isinstance(value, bool) and value == wanted
            for wanted in self.values
        )


class Effect(msgspec.Struct, frozen=True):
    """One operation on one path expression.

    Attributes:
        operation: what is done.
        path: to which path.
        when: conditions that must all hold.
    """

    operation: Operation
    path: PathExpr
    when: tuple[Condition, ...] = ()


_MODE_LETTERS = frozenset("bstU")


def operations_of_mode(mode: str) -> tuple[Operation, ...]:
    """The operations that opening a file with a mode string stands for.

    Follows `open`: `r` reads, `w` overwrites, `a` appends, `x` creates, `r+` reads and updates, `a+` reads and appends.
    Compression suffixes (`r:gz`, `w|xz`) and the letters `b`, `t`, `s` and `U` do not matter; `w-` is `x` (h5py).

    Returns:
        The operations; empty when the mode is none of these.
    """
    head = mode.split(":", 1)[0].split("|", 1)[0]
    letters = "".join(letter for letter in head if letter not in _MODE_LETTERS)
    plus = "+" in letters
    match letters.replace("+", "") or ("r" if not plus else ""):
        case "r":
            return (Operation.READ, Operation.UPDATE) if plus else (Operation.READ,)
        case "w":
            return (Operation.OVERWRITE,)
        case "a":
            return (Operation.READ, Operation.APPEND) if plus else (Operation.APPEND,)
        case "x" | "w-":
            return (Operation.CREATE,)
        case _:
            return ()


# Linux's values; the names are the same everywhere, and the analyser never asks the machine it runs on.
_O_ACCMODE = 0o3
_O_CREAT = 0o100
_O_EXCL = 0o200
_O_TRUNC = 0o1000
_O_APPEND = 0o2000
_O_DIRECTORY = 0o200000
_O_PATH = 0o10000000


def operations_of_flags(flags: int) -> tuple[Operation, ...]:
    """The operations that `os.open` with these flags (Linux's numbers) stands for."""
    access = flags & _O_ACCMODE
    if flags & _O_PATH:
        return (Operation.STAT,)
    if access == 0:
        if flags & _O_CREAT:
            return (Operation.READ, Operation.UPDATE)
        return (Operation.LIST,) if flags & _O_DIRECTORY else (Operation.READ,)
    if flags & _O_TRUNC:
        return (Operation.OVERWRITE,)
    if flags & _O_CREAT and flags & _O_EXCL:
        return (Operation.CREATE,)
    read = (Operation.READ,) if access == 2 else ()
    return (*read, Operation.APPEND if flags & _O_APPEND else Operation.UPDATE)


class OpenRule(msgspec.Struct, frozen=True):
    """A file opened by a mode or by flags, which decide the operation.

    Attributes:
        path: the file.
        mode: the parameter that holds the mode string; empty when there is none.
        flags: the parameter that holds `os.open` flags; empty when there is none.
        default: the mode when the argument is absent.
        modes: operations of modes with a meaning of their own, looked up before the usual ones.
        when: conditions that must all hold.
    """

    path: PathExpr
    mode: str = ""
    flags: str = ""
    default: str = "r"
    modes: Mapping[str, tuple[Operation, ...]] = {}
    when: tuple[Condition, ...] = ()

    def operations(self, mode: str | None) -> tuple[Operation, ...]:
        """The operations of a mode string; of the default when it is None; empty when the mode is unheard of."""
        name = self.default if mode is None else mode
        known = self.modes.get(name)
        return operations_of_mode(name) if known is None else known


class Params(msgspec.Struct, frozen=True):
    """A parameter list as a call binds it.

    Attributes:
        positional: names that positional arguments fill, in order; they are also taken by keyword.
        keyword_only: names that only keywords fill.
        star: the name that takes the remaining positional arguments; empty when there is none.
        double_star: the name that takes the remaining keywords; empty when there is none.
    """

    positional: tuple[str, ...] = ()
    keyword_only: tuple[str, ...] = ()
    star: str = ""
    double_star: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All names."""
        rest = tuple(name for name in (self.star, self.double_star) if name)
        return (*self.positional, *self.keyword_only, *rest)

    def fits(self, positional: int, keywords: Iterable[str]) -> bool:
        """Whether that many positional arguments and these keywords find their parameters."""
        if positional > len(self.positional) and not self.star:
            return False
        return bool(self.double_star) or all(name in self.positional or name in self.keyword_only for name in keywords)


class ReturnForm(StrEnum):
    """What kind of value a call gives."""

    NONE = "none"
    UNKNOWN = "unknown"
    SELF = "self"
    PARAM = "param"
    ELEMENT = "element"
    CALL = "call"
    ITEM = "item"
    HANDLE = "handle"
    DECORATOR = "decorator"
    PATH = "path"
    TEXT = "text"
    TYPE = "type"
    UNION = "union"


class Returns(msgspec.Struct, frozen=True):
    """A value in terms of a call: what it returns, what an attribute or an element is.

    A union whose members have conditions stands for the first member whose conditions hold; one that the analysis
    cannot decide joins with those behind it.

    Attributes:
        form: the kind of value.
        name: of a `type`, its qualified name (`str`, `list`, `pandas.DataFrame`).
        args: of a `type` its type arguments (`list[str]`, `tuple[str, int]`), of a `union` its members.
        piece: of `param` and `element`, the argument (or part of it) that comes back, or whose elements do.
        path: of `handle`, `path` and `text`, the path expression; None for a handle on the row's own `open`.
        mode: of a `handle` with a path, the mode it is open in; of a `decorator`, `later` when the library calls the
            decorated function at some time.
        when: of a union's member, the conditions under which it is the value.
    """

    form: ReturnForm
    name: str = ""
    args: tuple[Returns, ...] = ()
    piece: Piece | None = None
    path: PathExpr | None = None
    mode: str = ""
    when: tuple[Condition, ...] = ()


UNKNOWN = Returns(ReturnForm.UNKNOWN)


class ArgForm(StrEnum):
    """How an argument of a callback comes about."""

    VALUE = "value"
    ELEMENT = "element"
    STAR = "star"
    STAR_ELEMENT = "star-element"
    UNKNOWN = "unknown"
    INSTANCE = "instance"


class Arg(msgspec.Struct, frozen=True):
    """One argument of a callback, or one word of a child's command line.

    Attributes:
        form: the argument itself, one of its elements, all its elements, all elements of one of its elements (as
            `starmap` spreads them), nothing known, or an object of a type.
        piece: the argument of the outer call, for the first four.
        type: the object's type, for the last.
    """

    form: ArgForm
    piece: Piece | None = None
    type: Returns | None = None


class Callback(msgspec.Struct, frozen=True):
    """A function that the library calls.

    Attributes:
        function: which function: a parameter, or a method or kept argument of `self`.
        args: its positional arguments.
        kwargs: its keyword arguments.
        star_kwargs: a mapping spread as further keyword arguments.
        thread: whether it runs in another thread.
        process: whether it runs in another process.
        later: whether it runs after the call has returned (at exit, on a signal, when an event comes).
        when: conditions that must all hold.
    """

    function: Piece
    args: tuple[Arg, ...] = ()
    kwargs: Mapping[str, Arg] = {}
    star_kwargs: Piece | None = None
    thread: bool = False
    process: bool = False
    later: bool = False
    when: tuple[Condition, ...] = ()


class Executes(msgspec.Struct, frozen=True):
    """Python code that a call runs in the same interpreter.

    Attributes:
        code: the parameter with source text (or a code object); empty when there is none.
        script: the parameter with a script's path; empty when there is none.
        module: the parameter with a module's dotted name; empty when there is none.
    """

    code: str = ""
    script: str = ""
    module: str = ""


class Launch(msgspec.Struct, frozen=True):
    """A child process.

    Attributes:
        argv: the words of the command line, or one argument that is the list of words (or the text for a shell).
        program: the parameter that names the program where `argv` does not; empty when there is none.
        shell: the parameter that says whether a shell reads the command, or the answer itself.
        cwd: the parameter with the child's working directory; empty when there is none.
        env: the parameter with the child's environment; empty when there is none.
        stdin: the parameter with the child's standard input; empty when there is none.
        stdout: the parameter with its standard output; empty when there is none.
        stderr: the parameter with its standard error; empty when there is none.
        replaces: whether the child takes the place of the running program (`os.exec*`).
    """

    argv: tuple[Arg, ...]
    program: str = ""
    shell: str | bool = False
    cwd: str = ""
    env: str = ""
    stdin: str = ""
    stdout: str = ""
    stderr: str = ""
    replaces: bool = False


class Kind(StrEnum):
    """What a row speaks about."""

    CALLABLE = "callable"
    TYPE = "type"
    MODULE = "module"
    VALUE = "value"


class Unlisted(msgspec.Struct, frozen=True):
    """What is assumed of a name that has no row.

    Attributes:
        opaque: whether a call that is handed a path is reported as not understood.
        returns: the value of the call or attribute.
        row: the qualified name of the row that says so; empty when none does.
    """

    opaque: bool = True
    returns: Returns = UNKNOWN
    row: str = ""


class Row(msgspec.Struct, frozen=True):
    """Everything known about one qualified name.

    Attributes:
        name: the qualified name.
        file: the table's file, for messages.
        line: the row's line in it.
        kind: callable, type, module or value.
        alias: another qualified name that means the same; everything else is then empty.
        params: the parameter list; None when the row does not say (arguments are then not looked at).
        defaults: values of parameters that a call leaves out (or passes None for); `{temporary}` and `{argv}` stand
            for the references of these names.
        effects: operations on paths.
        open: a file opened by mode or flags.
        suffix: extensions that the library adds to a path argument that has no such ending (`numpy.savez`); behind a
            question mark, to one that has no ending at all (`savefig`).
        ignore: values of path parameters that are no file (`:memory:`, `-`); objects do not keep them.
        returns: the value of the call (of reading it, for a value row); None when the row does not say.
        origin: where an unknown result comes from: `clock`, `random`, `environment`, `data`, `argument`; else empty.
        calls: functions that the library calls.
        stores: of a method, parameters whose values the object holds afterwards, for `item` results (queues, futures).
        launch: a child process.
        executes: Python code that runs.
        process: kinds of process-wide state that are written.
        reads_process: kinds of process-wide state that are read.
        ends: whether the call never returns.
        lock: `lock` on a type that guards, `acquire` or `release` on its methods; else empty.
        thread_safe: whether objects of the type may be shared by threads without a lock.
        private: whether every thread sees a value of its own.
        connection: whether objects of the type are connections to a database, which threads use in turn.
        database: the parameter that holds a database's file; empty when there is none.
        bases: of a type, the types whose methods and attributes it has too.
        keep: of a type, constructor arguments that its objects remember.
        unlisted: what methods and attributes (of a type) or callables (of a module) without a row are; None when
            unsaid.
        item: what subscripting an object gives.
        iter: what iterating over it gives; `item` when unsaid.
        call: what calling it gives.
        context: what `with` binds; the object itself when unsaid.
        attributes: values of attributes.
        constant: the literal value of a value row.
        none: parameters with a default for which None is a value of its own.
    """

    name: str
    file: str = ""
    line: int = 0
    kind: Kind = Kind.CALLABLE
    alias: str = ""
    params: Params | None = None
    defaults: Mapping[str, Scalar] = {}
    effects: tuple[Effect, ...] = ()
    open: OpenRule | None = None
    suffix: Mapping[str, str] = {}
    ignore: Mapping[str, tuple[Scalar, ...]] = {}
    returns: Returns | None = None
    origin: str = ""
    calls: tuple[Callback, ...] = ()
    stores: tuple[str, ...] = ()
    launch: Launch | None = None
    executes: Executes | None = None
    process: tuple[str, ...] = ()
    reads_process: tuple[str, ...] = ()
    ends: bool = False
    lock: str = ""
    thread_safe: bool = False
    private: bool = False
    connection: bool = False
    database: str = ""
    bases: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    unlisted: Unlisted | None = None
    item: Returns | None = None
    iter: Returns | None = None
    call: Returns | None = None
    context: Returns | None = None
    attributes: Mapping[str, Returns] = {}
    constant: Scalar | None = None
    none: tuple[str, ...] = ()

    @property
    def has_effect(self) -> bool:
        """Whether a call touches files or process-wide state, starts a child, or runs code that it was given."""
        return bool(
            self.effects
            or self.open
            or self.calls
            or self.launch
            or self.executes
            or self.process
            or self.reads_process
            or self.database
        )
