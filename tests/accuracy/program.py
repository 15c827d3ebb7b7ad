"""The programs under `fixtures/programs`: what to run, in which tree, and what was recorded."""

from __future__ import annotations

import json
import shlex
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from taskgates.model.patterns import PathPattern

if TYPE_CHECKING:
    from collections.abc import Iterable

PROGRAMS = Path(__file__).resolve().parents[2] / "fixtures" / "programs"
"""Where the traced programs live."""

_SHELL_SYNTAX = frozenset("|&;<>()$`*?[#~=%\n")
_KEYS = frozenset(
    {
        "command",
        "features",
        "description",
        "env",
        "bytecode",
        "volatile",
        "exit_code",
        "minimum_recall",
        "minimum_precision",
        "reason",
    }
)


class ProgramError(Exception):
    """A `program.toml` or `truth.json` that cannot be used; the message names the file."""


@dataclass(frozen=True)
class Truth:
    """What one run really did, relative to the root of the program's tree, with forward slashes.

    Attributes:
        reads: files opened for reading.
        writes: files created, opened for writing, truncated, deleted, or renamed (old and new name).
        tree: every file that existed before, during, or after the run.
    """

    reads: frozenset[str]
    writes: frozenset[str]
    tree: frozenset[str]


@dataclass(frozen=True)
class Program:
    """One program of the fixtures.

    Attributes:
        name: the folder's name.
        folder: the folder that holds `program.toml`, `truth.json` and `tree/`.
        argv: the argument vector; shell text is wrapped in `sh -c`.
        features: what the program exercises, for the table.
        description: one line.
        env: environment variables that the run needs.
        bytecode: whether byte code counts, for tools whose product it is.
        volatile: patterns of file names that differ from run to run (random parts, dates, process ids).
        exit_code: what the run is expected to return.
        minimum_recall: what the tests demand of this program.
        minimum_precision: likewise.
        reason: why a minimum below 1.0 is right.
    """

    name: str
    folder: Path
    argv: tuple[str, ...]
    features: tuple[str, ...]
    description: str
    env: dict[str, str] = field(default_factory=dict)
    bytecode: bool = False
    volatile: tuple[str, ...] = ()
    exit_code: int = 0
    minimum_recall: float = 1.0
    minimum_precision: float = 1.0
    reason: str = ""

    @property
    def tree(self) -> Path:
        """The folder that is copied before a run and analysed by inference."""
        return self.folder / "tree"

    @property
    def truth_file(self) -> Path:
        """Where the recorded truth is kept."""
        return self.folder / "truth.json"

    def truth(self) -> Truth:
        """Read the recorded truth.

        Raises:
            ProgramError: nothing was recorded, or the file is damaged.
        """
        try:
            data = json.loads(self.truth_file.read_text(encoding="utf-8"))
            return Truth(frozenset(data["reads"]), frozenset(data["writes"]), frozenset(data["tree"]))
        except FileNotFoundError:
            raise ProgramError(
                f"{self.truth_file}: not recorded yet; run `python -m accuracy record {self.name}`"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise ProgramError(f"{self.truth_file}: damaged ({error}); record it again") from error

    def steady(self, paths: Iterable[str]) -> frozenset[str]:
        """Paths, with the `volatile` pattern in the place of a name that differs from run to run."""
        patterns = [(text, PathPattern(text)) for text in self.volatile]
        return frozenset(next((text for text, pattern in patterns if pattern.matches(path)), path) for path in paths)

    def same(self, one: Truth, other: Truth) -> bool:
        """Whether two runs did the same, but for volatile names."""
        pairs = ((one.reads, other.reads), (one.writes, other.writes), (one.tree, other.tree))
        return all(self.steady(first) == self.steady(second) for first, second in pairs)


def command_argv(command: str | list[str]) -> tuple[str, ...]:
    """The argument vector of a command; text that needs a shell goes to `sh -c`."""
    if isinstance(command, list):
        return tuple(command)
    if _SHELL_SYNTAX & set(command):
        return ("sh", "-c", command)
    return tuple(shlex.split(command))


def load(folder: Path) -> Program:
    """Read one program's description.

    Raises:
        ProgramError: `program.toml` is missing, is not TOML, or has unknown or missing keys.
    """
    path = folder / "program.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ProgramError(f"{path}: {error}") from error
    if unknown := sorted(set(data) - _KEYS):
        raise ProgramError(f"{path}: unknown key {unknown[0]!r}")
    if missing := sorted({"command", "features", "description"} - set(data)):
        raise ProgramError(f"{path}: key {missing[0]!r} is missing")
    below = min(data.get("minimum_recall", 1.0), data.get("minimum_precision", 1.0)) < 1.0
    if below and not data.get("reason"):
        raise ProgramError(f"{path}: a minimum below 1.0 needs a reason")
    return Program(
        name=folder.name,
        folder=folder,
        argv=command_argv(data["command"]),
        features=tuple(data["features"]),
        description=data["description"],
        env=dict(data.get("env", {})),
        bytecode=bool(data.get("bytecode", False)),
        volatile=tuple(data.get("volatile", ())),
        exit_code=int(data.get("exit_code", 0)),
        minimum_recall=float(data.get("minimum_recall", 1.0)),
        minimum_precision=float(data.get("minimum_precision", 1.0)),
        reason=str(data.get("reason", "")),
    )


def load_all(names: tuple[str, ...] = (), root: Path = PROGRAMS) -> list[Program]:
    """All programs, or the named ones, by name.

    Raises:
        ProgramError: a name is unknown or a description is damaged.
    """
    known = {path.parent.name: path.parent for path in root.glob("*/program.toml")}
    for name in names:
        if name not in known:
            raise ProgramError(f"{root}: no program {name!r}")
    return [load(known[name]) for name in sorted(names or known)]
