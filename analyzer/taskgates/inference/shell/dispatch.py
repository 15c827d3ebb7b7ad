"""Which behaviour a command name has: builtin, table row, script of the repository, interpreter, unknown program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.shell.builtins import BUILTINS
from taskgates.inference.shell.call import Call
from taskgates.inference.shell.commands import Row, parse_arguments
from taskgates.inference.shell.filters import FILTERS, GREPS, grep_finds
from taskgates.inference.shell.machine import Frame, Outcome, Status
from taskgates.inference.shell.presuming import presume
from taskgates.inference.shell.strategies import STRATEGIES
from taskgates.inference.shell.texts import basename, split_text
from taskgates.inference.shell.variables import declare
from taskgates.inference.text import Text, TextLike

if TYPE_CHECKING:
    from taskgates.inference.shell.host import ShellState
    from taskgates.inference.shell.interpreter import ShellInterpreter
    from taskgates.inference.shell.places import Place
    from taskgates.inference.shell.syntax_tree import Declaration

_PYTHON = re.compile(r"(?:python|pypy)(?:\d+(?:\.\d+)*)?w?(?:\.exe)?")
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash"})


class Dispatcher:
    """Finds and runs the behaviour of commands.

    Args:
        machine: the interpreter.
    """

    def __init__(self, machine: ShellInterpreter) -> None:
        self._machine = machine

    def declaration(self, node: Declaration, frame: Frame, state: ShellState) -> Outcome:
        """`export`, `local` and their relatives."""
        place = frame.source.place(node.offset)
        if not self._machine.step(frame, place):
            return Outcome(Status.UNKNOWN)
        return declare(self._machine, node, frame, state)

    def run(self, words: list[TextLike], frame: Frame, state: ShellState, place: Place) -> Outcome:
        """Run a command that is no shell function."""
        first = words[0]
        name = basename(first)
        if isinstance(name, Text):
            self._machine.changes.foreign = True
            self._machine.opaque(f"the command {self._machine.describe(first)} is not known", frame, place)
            self._unknown_output(frame)
            return Outcome(Status.UNKNOWN)
        if isinstance(first, str) and "/" in first:
            outcome = self._own_file(first, words, frame, state, place)
            if outcome is not None:
                return outcome
        elif name in BUILTINS:
            call = Call(self._machine, name, words, Row(), parse_arguments(Row(), ()), frame, state, place)
            return BUILTINS[name](call)
        if _PYTHON.fullmatch(name):
            return Outcome(self._machine.python(words, frame, state, place))
        found = self._machine.commands.find(name)
        if found is None:
            own = self._on_path(name, words, frame, state, place)
            return own if own is not None else self._unknown(name, words, frame, state, place)
        return self.run_row(found, words, frame, state, place)

    def run_row(
        self, known: tuple[str, Row], words: list[TextLike], frame: Frame, state: ShellState, place: Place
    ) -> Outcome:
        """Run a command that the table knows under a name."""
        name, row = known
        arguments = parse_arguments(row, words[1:])
        if row.subcommands:
            # Global options end at the subcommand.
            while arguments.operands:
                operand = arguments.operands[0]
                inner = row.subcommands.get(operand) if isinstance(operand, str) else None
                if inner is None:
                    break
                position = words.index(operand, 1)
                call = Call(self._machine, f"{name} {operand}", words, inner, arguments, frame, state, place)
                call.arguments = parse_arguments(inner, words[position + 1 :])
                if row.strategy:
                    outer = parse_arguments(row, words[1:position])
                    call.outer = outer
                return self._perform(call)
        call = Call(self._machine, name, words, row, arguments, frame, state, place)
        return self._perform(call)

    def _perform(self, call: Call) -> Outcome:
        row = call.row
        mark = call.frame.sink.mark if call.frame.sink is not None else 0
        if row.opaque:
            call.perform_row()
            self._machine.changes.foreign = True
            shown = call.name if " " in call.name else basename(call.words[0])
            call.opaque(f"{shown}: {row.opaque}")
            outcome = Outcome(call.status)
        elif row.strategy:
            outcome = STRATEGIES[row.strategy](call)
        else:
            if not row.harmless:
                call.perform_row()
            found = grep_finds(call) if call.name in GREPS else None
            outcome = Outcome(call.status if found is None else Status.SUCCESS if found else Status.FAILURE)
        sink = call.frame.sink
        if sink is not None and sink.mark == mark and row.output != "none":
            printer = FILTERS.get(call.name)
            text = printer(call) if printer is not None else None
            if text is not None:
                sink.write(text)
            else:
                sink.unknown(name=call.name)
        return outcome

    def _own_file(
        self, first: str, words: list[TextLike], frame: Frame, state: ShellState, place: Place
    ) -> Outcome | None:
        """Run a program given by a path when the tree has it."""
        machine = self._machine
        full = machine.full_path(first, state)
        if not isinstance(full, str) or full.startswith(("/", "~", "..")):
            return None
        written = machine.changes.content(full)
        if isinstance(written, str):
            data = written.encode("utf-8", "replace")
        elif machine.tree.kind(full) == "file":
            data = machine.tree.read_bytes(full, machine.options.file_limit) or b""
        else:
            return None
        interpreter = shebang(data)
        if interpreter is None:
            interpreter = "python" if full.endswith(".py") else "sh" if full.endswith((".sh", ".bash")) else None
        if interpreter is None:
            return None
        if interpreter in _SHELLS:
            machine.script(first, words[1:], frame, state)
            return Outcome(Status.LIKELY)
        if _PYTHON.fullmatch(interpreter):
            return Outcome(machine.python([interpreter, *words], frame, state, place))
        return machine.run_words([interpreter, *words], frame, state, place)

    def _on_path(
        self, name: str, words: list[TextLike], frame: Frame, state: ShellState, place: Place
    ) -> Outcome | None:
        """Run a program of the tree that the script put on its search path."""
        path = state.variables.get("PATH")
        for folder in split_text(path, ":") if path is not None else ():
            if isinstance(folder, str) and folder:
                outcome = self._own_file(f"{folder}/{name}", words, frame, state, place)
                if outcome is not None:
                    return outcome
        return None

    def _unknown(self, name: str, words: list[TextLike], frame: Frame, state: ShellState, place: Place) -> Outcome:
        if not self._machine.foreign(name, words, frame, state, place):
            self._machine.opaque(f"the command {name} is not modelled", frame, place)
            presume(self._machine, words, frame, state, place)
        self._unknown_output(frame)
        return Outcome(Status.LIKELY)

    @staticmethod
    def _unknown_output(frame: Frame) -> None:
        if frame.sink is not None:
            frame.sink.unknown()


def shebang(data: bytes) -> str | None:
    """The interpreter that a script's first line names, without its folder."""
    if not data.startswith(b"#!"):
        return None
    line = data[2:].split(b"\n", 1)[0].decode("utf-8", "replace").split()
    if line and line[0].endswith("/env"):
        line = [word for word in line[1:] if not word.startswith("-") and "=" not in word]
    return line[0].rpartition("/")[2] if line else None
