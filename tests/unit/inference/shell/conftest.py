"""A host that records what the shell interpreter tells it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest
from taskgates.inference.shell.host import ShellOptions, ShellState
from taskgates.inference.shell.interpreter import ShellInterpreter
from taskgates.inference.text import TextLike, to_pattern
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.inference.shell.places import Place
    from taskgates.model.access import Operation


class RecordingHost:
    """Keeps everything in order; paths as patterns, conditional accesses with a question mark behind."""

    def __init__(self, root: Path, known: Sequence[str] = ()) -> None:
        self.tree = Tree(root)
        self.printed: TextLike | None = None
        self.known = known
        self.accesses: list[tuple[str, str]] = []
        self.sites: list[tuple[str, str, str, int, int, str | None]] = []
        self.problems: list[str] = []
        self.children: list[tuple[list[str], str, bool, str | None]] = []
        self.environments: list[dict[str, str]] = []

    def access(self, operation: Operation, path: TextLike, command: str, place: Place, conditional: bool) -> None:
        shown = to_pattern(path) + ("?" if conditional else "")
        entry = (operation.value, shown)
        if entry not in self.accesses:
            self.accesses.append(entry)
        self.sites.append((operation.value, shown, command, place.line, place.column, place.file))

    def opaque(self, reason: str, place: Place, conditional: bool) -> None:
        self.problems.append(reason)

    def python(
        self, argv: Sequence[TextLike], state: ShellState, place: Place, conditional: bool, stdin: TextLike | None
    ) -> None:
        words = [to_pattern(word) for word in argv]
        self.children.append((words, to_pattern(state.cwd), conditional, None if stdin is None else to_pattern(stdin)))
        self.environments.append({name: to_pattern(state.variables.get(name) or "") for name in sorted(state.exported)})

    def program(self, name: str, argv: Sequence[TextLike], state: ShellState, place: Place, conditional: bool) -> bool:
        if name in self.known:
            self.children.append(([to_pattern(word) for word in argv], to_pattern(state.cwd), conditional, None))
            return True
        return False

    def of(self, *operations: str) -> list[str]:
        """Paths of some operations, in order."""
        return [path for operation, path in self.accesses if operation in operations]

    @property
    def effects(self) -> list[str]:
        """`operation path` of everything but listings and tests."""
        return [
            f"{operation} {path}" for operation, path in self.accesses if operation not in ("list", "stat", "mkdir")
        ]


Run = Callable[..., RecordingHost]


@pytest.fixture
def shell(tmp_path: Path) -> Run:
    """Interprets shell text over a temporary repository and returns the host."""

    def run(
        text: TextLike,
        files: dict[str, str] | None = None,
        *,
        arguments: Sequence[TextLike] = (),
        environment: dict[str, str] | None = None,
        cwd: str = ".",
        known: Sequence[str] = (),
        file: str | None = None,
        options: ShellOptions | None = None,
    ) -> RecordingHost:
        for name, content in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        host = RecordingHost(tmp_path, known)
        chosen = options or ShellOptions(environment=environment or {})
        state = ShellState(cwd=cwd, arguments=list(arguments), name=file or "bash", script=file)
        ShellInterpreter(host, chosen).run_text(text, state, file=file)
        return host

    return run


@pytest.fixture
def recording_host() -> Callable[..., RecordingHost]:
    """The recording host itself."""
    return RecordingHost
