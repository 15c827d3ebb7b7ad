"""The boundary between the shell interpreter and the engine that uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import msgspec

from taskgates.inference.shell.machine import FunctionDefinition, Status
from taskgates.inference.shell.places import Place
from taskgates.inference.text import TextLike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.model.access import Operation
    from taskgates.tree.tree import Tree


class ShellArray(msgspec.Struct, frozen=True):
    """An indexed or associative array.

    Attributes:
        items: subscript and value, in order of definition.
        complete: whether there are no further elements.
        associative: whether subscripts are strings.
    """

    items: tuple[tuple[str, TextLike], ...] = ()
    complete: bool = True
    associative: bool = False


class ShellState(msgspec.Struct):
    """What a shell process carries along.

    Attributes:
        cwd: working directory, relative to the root (`.` at the start), absolute when outside it.
        variables: values by name; None for a variable that is known to be unset. A name that is absent was never
            assigned: it would come from the environment.
        exported: names handed on to child processes.
        arguments: `$1` and so on.
        name: `$0`.
        script: the script file that runs, relative to the root.
        arrays: array variables.
        functions: defined functions; the values are the interpreter's own syntax trees.
        stack: folders of `pushd`, the last pushed at the end.
        settings: shell options that are on (`errexit`, `nullglob`, `globstar`, ...).
        aliases: alias texts.
        traps: handler texts by signal name.
    """

    cwd: TextLike = "."
    variables: dict[str, TextLike | None] = msgspec.field(default_factory=dict)
    exported: set[str] = msgspec.field(default_factory=set)
    arguments: list[TextLike] = msgspec.field(default_factory=list)
    name: TextLike = "bash"
    script: str | None = None
    arrays: dict[str, ShellArray] = msgspec.field(default_factory=dict)
    functions: dict[str, FunctionDefinition] = msgspec.field(default_factory=dict)
    stack: list[TextLike] = msgspec.field(default_factory=list)
    settings: set[str] = msgspec.field(default_factory=set)
    aliases: dict[str, TextLike] = msgspec.field(default_factory=dict)
    traps: dict[str, TextLike] = msgspec.field(default_factory=dict)

    def copy(self) -> ShellState:
        """An independent state with the same content, as a subshell gets it."""
        return ShellState(
            self.cwd,
            dict(self.variables),
            set(self.exported),
            list(self.arguments),
            self.name,
            self.script,
            dict(self.arrays),
            dict(self.functions),
            list(self.stack),
            set(self.settings),
            dict(self.aliases),
            dict(self.traps),
        )


class Host(Protocol):
    """What the interpreter needs from the engine, and where its findings go.

    Attributes:
        printed: what the Python interpreter that was started last printed, where that is known.
    """

    printed: TextLike | None

    @property
    def tree(self) -> Tree:
        """The files of the repository."""
        ...

    def access(self, operation: Operation, path: TextLike, command: str, place: Place, conditional: bool) -> None:
        """Something is done to a path.

        Args:
            operation: what is done.
            path: joined with the working directory and normalised: relative to the root, or absolute outside it.
            command: the command that does it (`cp`, or `>` for a redirection).
            place: where the command stands.
            conditional: whether an undecided condition stands before it.
        """
        ...

    def opaque(self, reason: str, place: Place, conditional: bool) -> None:
        """Something could not be seen through."""
        ...

    def python(
        self, argv: Sequence[TextLike], state: ShellState, place: Place, conditional: bool, stdin: TextLike | None
    ) -> Status | None:
        """A Python interpreter is started with `argv` (its name first); `stdin` is its standard input where known.

        Returns:
            Whether it succeeds; None where that is not known.
        """
        ...

    def program(self, name: str, argv: Sequence[TextLike], state: ShellState, place: Place, conditional: bool) -> bool:
        """A program that the command table does not know. False when the engine does not know it either."""
        ...


class ShellOptions(msgspec.Struct, frozen=True):
    """Bounds and links of the interpreter.

    Attributes:
        unroll: how many rounds of a loop run one by one before the loop is widened.
        steps: how many commands one entry may run.
        depth: how deep functions, scripts and substitutions may nest.
        words: how many fields one word may expand to before it is kept as a pattern.
        choices: how many alternatives of partly known values are kept apart.
        file_limit: bytes of a file that are read for its content.
        environment: variables that are known (`--env`).
        on_script: told every script file that is run or sourced.
        written_elsewhere: whether the program, or another task, may have written a root-relative path, so that the tree
            does not say what it holds.
        written_paths: all root-relative paths and patterns that the program has written so far, for file name patterns.
        made_folder: whether the program has made a folder at a root-relative path (in an earlier command, in Python).
        temporary: the name under which the engine knows the system's folder for temporary files.
        closed: whether what is not in the tree is certainly not there.
        on_copy: told where a file, and what copy of it, are, both from the root or absolute.
        locking: holds the lock on a file at a path, from the root or absolute, while a command runs; told where, and
            whether the command waits for it as long as it takes.
    """

    unroll: int = 64
    steps: int = 20_000
    depth: int = 24
    words: int = 256
    choices: int = 6
    file_limit: int = 256 * 1024
    environment: dict[str, str] = {}
    on_script: Callable[[str], None] | None = None
    written_elsewhere: Callable[[TextLike], bool] | None = None
    written_paths: Callable[[], Iterable[TextLike]] | None = None
    made_folder: Callable[[str], bool] | None = None
    temporary: str = "/\0tmp"
    closed: bool = False
    on_copy: Callable[[TextLike, TextLike], None] | None = None
    locking: Callable[[TextLike, Place, bool], AbstractContextManager[None]] | None = None
