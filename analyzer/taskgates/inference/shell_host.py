"""What the shell interpreter asks of the interpreter of Python, and tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.limits import PROCESS_DEPTH
from taskgates.inference.log import COMMAND_FILE, RawSite
from taskgates.inference.models.system.programs import COMMANDS, run_command
from taskgates.inference.paths import join_paths, normalise
from taskgates.inference.recording import TEMPORARY
from taskgates.inference.text import concat
from taskgates.inference.values import (
    Known,
    as_value,
)
from taskgates.tree.modules import entry_point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.interpreter import Interpreter
    from taskgates.inference.shell.host import ShellState
    from taskgates.inference.shell.machine import Status
    from taskgates.inference.shell.places import Place
    from taskgates.inference.text import TextLike
    from taskgates.inference.values import AnyValue
    from taskgates.model.access import Operation
    from taskgates.tree.tree import Tree


class ShellHost:
    """The shell interpreter's view of the engine."""

    def __init__(self, machine: Interpreter) -> None:
        self.machine = machine
        self.printed: TextLike | None = None

    @property
    def tree(self) -> Tree:
        """The files of the repository."""
        return self.machine.tree

    def site(self, place: Place, call: str) -> RawSite:
        """A place of a shell text as a site: of the script, or of the call that started the shell."""
        machine = self.machine
        if place.file is not None:
            return RawSite(place.file, 0, 0, "<script>", call, machine.chain, place.line, place.column)
        if machine.frame is not None:
            return machine.site(call)
        return RawSite(COMMAND_FILE, 0, 0, "<command>", call, machine.chain, place.line, place.column)

    def access(self, operation: Operation, path: TextLike, command: str, place: Place, conditional: bool) -> None:
        """Something is done to a path."""
        machine = self.machine
        absolute = normalise(join_paths(machine.root, path))
        head = absolute if isinstance(absolute, str) else absolute.prefix
        if head.startswith(("/dev/", "/proc/", TEMPORARY)):
            return
        machine.note(operation, absolute, self.site(place, command), conditional or machine.conditional)

    def opaque(self, reason: str, place: Place, conditional: bool) -> None:
        """Something could not be seen through."""
        del conditional
        self.machine.log.opaque(reason, self.site(place, ""), other_code=True)

    def python(
        self, argv: Sequence[TextLike], state: ShellState, place: Place, conditional: bool, stdin: TextLike | None
    ) -> Status:
        """A Python interpreter is started; what it prints is kept where it is known."""
        machine = self.machine
        child = machine.spawn(self.site(place, "python"))
        child.undecided += conditional
        child.cwd = normalise(join_paths(machine.root, state.cwd))
        child.environ = {**machine.environ, **_exported(state)}
        child.set_environ = {
            **machine.set_environ,
            **{
                name: as_value(value)
                for name, value in state.variables.items()
                if name in state.exported and value is not None
            },
        }
        child.stdin = as_value(stdin) if stdin is not None else None
        child.printed = []
        status = child.run_python([as_value(word) for word in argv], child.stdin)
        self.printed = None if child.printed is None else concat(*child.printed)
        return status

    def program(self, name: str, argv: Sequence[TextLike], state: ShellState, place: Place, conditional: bool) -> bool:
        """A program that the command table does not know: a console script, perhaps."""
        machine = self.machine
        child = machine.spawn(self.site(place, name))
        child.undecided += conditional
        child.cwd = normalise(join_paths(machine.root, state.cwd))
        words = [as_value(word) for word in argv]
        key = (name, *words, child.cwd)
        if child.process_depth > PROCESS_DEPTH or key in machine.process_keys:
            # A program that starts itself again and again does nothing else by it.
            return True
        machine.process_keys.add(key)
        try:
            return self._start(child, name.rsplit("/", 1)[-1], words)
        finally:
            machine.process_keys.discard(key)

    def _start(self, child: Interpreter, name: str, words: list[AnyValue]) -> bool:
        machine = self.machine
        # A script of the project itself comes before the well-known program of that name.
        own = name in COMMANDS and entry_point(name, machine.tree, None) is not None
        if not own and run_command(child, name, words[1:]):
            child.finish()
            return True
        target = entry_point(name, machine.tree, machine.environment)
        if target is not None:
            child.run_entry_point(target, words)
            return True
        script = machine.environment.script(name) if machine.environment is not None else None
        if script is None:
            return False
        child.follow = {*child.follow, name.replace("-", "_"), *child.program_modules(name, script=True)}
        child.run_script(Known(str(script)), words[1:])
        return True


def _exported(state: ShellState) -> dict[str, str]:
    return {name: value for name, value in state.variables.items() if name in state.exported and isinstance(value, str)}
