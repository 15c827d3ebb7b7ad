"""One command about to happen: its words, its surroundings, and what strategies may ask and tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.shell.commands import Arguments, Role, Row, operand_roles, parse_role
from taskgates.inference.shell.machine import Frame, Outcome, Sink, Status, Stream
from taskgates.inference.shell.texts import basename, join_path, strip_trailing
from taskgates.inference.text import Hole, Text, TextLike, concat
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.shell.host import ShellState
    from taskgates.inference.shell.interpreter import ShellInterpreter
    from taskgates.inference.shell.places import Place


def below(folder: TextLike) -> TextLike:
    """Everything below a folder."""
    folder = strip_trailing(folder, "/") if folder != "/" else folder
    return concat(folder, "/", Hole("glob", True)) if folder not in ("", ".") else concat(Hole("glob", True))


def _several(path: TextLike) -> bool:
    """Whether a path is a pattern for any number of files."""
    return isinstance(path, Text) and path.origin == "glob"


class Call:
    """A command with its arguments sorted out.

    Attributes:
        machine: the interpreter.
        name: the command's primary name in the table.
        words: all its words, the name first.
        row: its row.
        arguments: options and operands.
        frame: the surroundings.
        state: the shell's state.
        place: where the command stands.
        outer: options in front of a subcommand.
    """

    def __init__(  # noqa: PLR0917 - all of them belong to one command
        self,
        machine: ShellInterpreter,
        name: str,
        words: Sequence[TextLike],
        row: Row,
        arguments: Arguments,
        frame: Frame,
        state: ShellState,
        place: Place,
    ) -> None:
        self.machine = machine
        self.name = name
        self.words = list(words)
        self.row = row
        self.arguments = arguments
        self.frame = frame
        self.state = state
        self.place = place
        self.outer = Arguments()

    # ---- what is done to files ---------------------------------------------------------------------------------

    def access(self, operation: Operation, path: TextLike) -> None:
        """One access to a path as the command line spells it; `-` is a standard stream."""
        if path != "-":
            self.machine.access(operation, path, self.name, self.frame, self.state, self.place)

    def perform(self, role: Role, path: TextLike) -> None:
        """What a role says."""
        if role.operation is not None:
            self.access(role.operation, below(path) if role.below else path)

    def read(self, path: TextLike) -> None:
        """The content of a path is read."""
        self.access(Operation.READ, path)

    def overwrite(self, path: TextLike) -> None:
        """A path gets new content."""
        self.access(Operation.OVERWRITE, path)

    def perform_row(self) -> None:
        """Everything that the table's columns say."""
        for option, value in self.arguments.options:
            text = self.row.options.get(option)
            if value is None or text is None or text in ("value", "optional", "flag"):
                continue
            self.perform(parse_role(text), value)
        recursive = self.arguments.has(*self.row.recursive) if self.row.recursive else False
        for operand, role in operand_roles(self.row, self.arguments):
            if role.operation is None:
                continue
            if recursive and not role.below and self.kind(operand) != "file" and operand != "-":
                self._recursive(role.operation, operand)
            else:
                self.perform(role, operand)

    def _recursive(self, operation: Operation, operand: TextLike) -> None:
        """An operation on a path that may be a folder, and on everything below it."""
        if self.kind(operand) == "folder" or not _several(operand):
            self.access(Operation.LIST, operand)
            if operation is not Operation.READ:
                self.access(Operation.LIST, below(operand))
        if operation is not Operation.READ or self.looks_like_file(operand):
            self.access(operation, operand)
        if operation is not Operation.READ or not self.looks_like_file(operand):
            self.access(operation, below(operand))

    # ---- what is known about files -----------------------------------------------------------------------------

    def full(self, path: TextLike) -> TextLike:
        """The path as the root sees it."""
        return self.machine.full_path(path, self.state)

    def kind(self, path: TextLike) -> str | None:
        """`file` or `folder` where the tree knows it; None otherwise."""
        full = self.full(path)
        if not isinstance(full, str) or full.startswith(("/", "~", "..")):
            return None
        if self.machine.is_made_folder(full):
            return "folder"
        if self.machine.changes.is_file(full):
            return "file"
        return self.machine.tree.kind(full)

    def is_folder(self, path: TextLike) -> bool:
        """Whether a path names a folder by its form, in the tree, or because the script made it."""
        tail = path if isinstance(path, str) else path.suffix
        if tail.endswith(("/", "/.", "/..")) or path in (".", ".."):
            return True
        return self.kind(path) == "folder"

    def looks_like_file(self, path: TextLike) -> bool:
        """Whether a path is a file, or unknown to the tree and named like one: with an extension."""
        kind = self.kind(path)
        if kind is not None:
            return kind == "file"
        tail = (path if isinstance(path, str) else path.suffix).rpartition("/")[2]
        return "." in tail.strip(".")

    def content(self, path: TextLike) -> TextLike | None:
        """The content of a file, or of standard input for `-`, where it is known."""
        if path == "-":
            return self.frame.stdin.take_all() if self.frame.stdin is not None else None
        return self.machine.content(path, self.state)

    def data(self, path: TextLike) -> bytes | None:
        """The bytes of a file of the tree that nobody changes."""
        return self.machine.data(path, self.state)

    def input(self) -> TextLike | None:
        """What the command reads: its operands' content, or standard input; None when it is not known."""
        if not self.arguments.operands:
            return self.content("-")
        pieces: list[TextLike] = []
        for operand in self.arguments.operands:
            piece = self.content(operand)
            if piece is None:
                return None
            pieces.append(piece)
        return concat(*pieces)

    def within(self, folder: TextLike, path: TextLike) -> TextLike:
        """The path of an entry `path` put into a folder under its own name."""
        return join_path(strip_trailing(folder, "/") if folder != "/" else folder, basename(path))

    # ---- output and children -----------------------------------------------------------------------------------

    def out(self, text: TextLike) -> None:
        """Print something."""
        if self.frame.sink is not None:
            self.frame.sink.write(text)

    @property
    def captured(self) -> bool:
        """Whether anybody looks at the output."""
        return self.frame.sink is not None

    def opaque(self, reason: str) -> None:
        """The command, or a part of it, cannot be seen through."""
        self.machine.opaque(reason, self.frame, self.place)

    def run(self, words: Sequence[TextLike], *, conditional: bool = False, state: ShellState | None = None) -> Outcome:
        """Run another command in the same surroundings."""
        return self.machine.run_words(
            list(words), self.frame.within(conditional=conditional), state or self.state, self.place
        )

    def run_silently(self, words: Sequence[TextLike], stdin: TextLike | None) -> TextLike:
        """Run another command with a given standard input; returns what it prints."""
        sink = Sink()
        frame = self.frame.with_streams(Stream(stdin) if stdin is not None else None, sink)
        self.machine.run_words(list(words), frame, self.state.copy(), self.place)
        return sink.text

    @property
    def status(self) -> Status:
        """The status that the table gives the command."""
        return Status(self.row.status)

    def literal(self, text: TextLike | None) -> str | None:
        """A wholly known text, or None."""
        return None if text is None or isinstance(text, Text) else text
