"""pdb: a session whose commands are known, from `.pdbrc`, `-c` and standard input, is followed command by command."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise, Frame
from taskgates.inference.models.system.program_lines import CommandLine
from taskgates.inference.models.system.programs import place_of, program, run_target
from taskgates.inference.objects import ModuleV
from taskgates.inference.sources import decode
from taskgates.inference.values import AnyValue, Known, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine

_RUN = frozenset(["c", "cont", "continue", "r", "return", "run", "restart"])
_STEP = frozenset(["n", "next", "s", "step"])
_QUIT = frozenset(["q", "quit", "exit", "EOF"])
_BREAK = frozenset(["b", "break", "tbreak", "l", "list", "ll", "longlist"])
_PRINT = frozenset(["p", "pp", "display", "whatis"])
_OTHER = frozenset(
    [
        "h",
        "help",
        "w",
        "where",
        "bt",
        "d",
        "down",
        "u",
        "up",
        "cl",
        "clear",
        "disable",
        "enable",
        "ignore",
        "condition",
        "commands",
        "unt",
        "until",
        "j",
        "jump",
        "a",
        "args",
        "rv",
        "retval",
        "source",
        "undisplay",
        "interact",
        "alias",
        "unalias",
        "debug",
        "silent",
        "end",
    ]
)


class _Session:
    """A program under the debugger.

    Attributes:
        position: how many statements of the script were passed by steps, or up to a breakpoint.
        ran: whether the program went on to its end, or to a breakpoint.
        looked: whether the debugger looked at the source.
    """

    def __init__(self, machine: Machine, words: Sequence[AnyValue], *, module: bool) -> None:
        self.machine = machine
        self.words = words
        self.module = module
        self.position = 0
        self.stops: set[int] = set()
        self.ran = False
        self.looked = False

    def carry_out(self, line: str) -> bool:
        """Carry out a command; whether the session goes on."""
        text = line.strip()
        word = text.split()[0] if text else ""
        if not text or text.startswith("#") or (word in _OTHER and not text.startswith("!")):
            return True
        if word in _QUIT:
            return False
        if word in _RUN:
            further = [stop for stop in self.stops if stop > self.position]
            if further:
                self.position = min(further)
            else:
                self.run()
        elif word in _STEP:
            self.position += 1
        elif word in _BREAK:
            self.look()
            self.stop_at(text.removeprefix(word).strip())
        else:
            self.execute(text.removeprefix(word).strip() if word in _PRINT else text.removeprefix("!").strip())
        return True

    def look(self) -> None:
        """The debugger shows, or searches, the source."""
        file = self.file()
        if file is not None and not self.looked:
            self.machine.access(Operation.READ, Known(f"{self.machine.root}/{file}"), "pdb")
        self.looked = True

    def file(self) -> str | None:
        """The source of the program, relative to the root; None where it does not lie there."""
        if not self.module:
            return self.machine.in_tree(place_of(self.words[0]))  # type: ignore[no-any-return]
        name = text_of(self.words[0])
        found = self.machine.locate_module(name) if isinstance(name, str) else None
        return None if found is None or found.file is None or found.file.startswith("/") else found.file

    def run(self) -> None:
        """The program goes on: from one stop to the next is not told apart."""
        if not self.ran:
            run_target(self.machine, self.words, module=self.module)
        self.ran = True

    def statements(self) -> tuple[str, list[ast.stmt]]:
        """The text of a script, and the statements at its top; none of a module, or of a text that is not known."""
        file = None if self.module else self.file()
        content = self.machine.tree.read_bytes(file, self.machine.limits.file_size) if file is not None else None
        text = decode(content) if content is not None else None
        try:
            return text or "", ast.parse(text or "").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return "", []

    def stop_at(self, place: str) -> None:
        """Set a breakpoint; only where a statement at the top begins it is known when the program gets there."""
        for number, statement in enumerate(self.statements()[1] if place.isdigit() else ()):
            if statement.lineno == int(place):
                self.stops.add(number)

    def walk(self) -> None:
        """Run the statements of a script that were passed, where it never went on to its end."""
        if self.ran or not self.position:
            return
        text, body = self.statements()
        passed = body[: self.position]
        file = self.file()
        if passed and file is not None:
            folder = file.rpartition("/")[0]
            self.machine.set_program(self.words[0], list(self.words[1:]), f"{self.machine.root}/{folder}")
            lines = text.splitlines(keepends=True)[: passed[-1].end_lineno]
            self.machine.run_text(Known("".join(lines)))

    def execute(self, text: str) -> None:
        """Run a statement in the program's main module."""
        module = self.machine.modules.get("__main__")
        if not isinstance(module, ModuleV):
            self.machine.run_text(Known(text))
            return
        try:
            with self.machine.within(Frame(module, "<module>", module.slots, None)):
                self.machine.run_text(Known(text), {})
        except AbstractRaise:
            return


@program("pdb")
def debugger(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Runs a script or module under the debugger, as far as its commands let it go."""
    line = CommandLine(args, "mhc:", ["help", "command="], names={"c": "command"})
    if line.has("help") or line.has("h") or not line.operands:
        return
    first: list[str] = []
    if machine.exists(".pdbrc"):
        machine.access(Operation.READ, Known(".pdbrc"), "pdb")
        first += (machine.content(".pdbrc") or b"").decode("utf-8", "replace").splitlines()
    first += [str(text_of(value)) for value in line.every("command")]
    given = text_of(machine.stdin) if machine.stdin is not None else None
    session = _Session(machine, line.operands, module=line.has("m"))
    for number, command in enumerate(first):
        if not session.carry_out(command):
            session.walk()
            return
        if session.ran and number == 0:
            # It never stopped to show a line.
            session.looked = True
    if not session.ran:
        session.look()
    if machine.stdin is not None and not isinstance(given, str):
        machine.opaque("the commands of the debugger are not known")
        session.run()
        return
    for command in given.splitlines() if isinstance(given, str) else ():
        if not session.carry_out(command):
            break
    else:
        if machine.stdin is None:
            # Nobody said what the debugger is told.
            session.run()
    session.walk()


__all__ = ["debugger"]
