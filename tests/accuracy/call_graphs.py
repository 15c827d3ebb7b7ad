"""The programs under `fixtures/calls`: their call graphs by analysis, and what one run of them shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from taskgates.inference.engine import Analyser
from taskgates.model.task import Command
from taskgates.tree.tree import Tree

CALLS = Path(__file__).resolve().parents[2] / "fixtures" / "calls"
"""Where the programs live, a folder each below their category's."""
TRACER = "accuracy.call_tracer"
COMMAND = ("python", "main.py")

Edges = frozenset[tuple[str, str]]


class RunError(Exception):
    """A program that should run to its end did not."""


@dataclass(frozen=True)
class Case:
    """One program.

    Attributes:
        name: category and case, with a slash between.
        folder: its files: `main.py`, which is run without arguments, modules beside it, and `calls.json`.
    """

    name: str
    folder: Path

    @property
    def expected_file(self) -> Path:
        """The graph that `taskgates graph calls --format json -- python main.py` prints."""
        return self.folder / "calls.json"

    @property
    def modules(self) -> frozenset[str]:
        """The dotted names of the program's modules."""
        files = (path.relative_to(self.folder).with_suffix("") for path in self.folder.rglob("*.py"))
        return frozenset(".".join(file.parts).removesuffix(".__init__") for file in files)

    def is_ours(self, function: str) -> bool:
        """Whether a name is of a function of the program, not of a library."""
        return any(function.startswith(f"{module}.") for module in self.modules)


@dataclass(frozen=True)
class Run:
    """What one run showed.

    Attributes:
        calls: which function of the program called which other.
        builtins: which built-in functions and methods the program's call expressions called.
    """

    calls: Edges
    builtins: Edges


def load_cases(root: Path = CALLS) -> list[Case]:
    """All programs below a folder."""
    return [Case(f"{path.parts[-3]}/{path.parts[-2]}", path.parent) for path in sorted(root.glob("*/*/main.py"))]


def edges(graph: dict[str, list[str]]) -> Edges:
    """A graph as pairs of caller and callee."""
    return frozenset((caller, callee) for caller, callees in graph.items() for callee in callees)


def analyse(case: Case) -> dict[str, list[str]]:
    """The call graph of a program by analysis."""
    return Analyser(Tree(case.folder)).calls(Command(argv=COMMAND)).callees


def run(case: Case, scratch: Path) -> Run:
    """Run a program under the tracer.

    Raises:
        RunError: it ended with an exception, or not at all.
    """
    output = scratch / "run.json"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    done = subprocess.run(
        [sys.executable, "-m", TRACER, str(output), *COMMAND[1:]],
        cwd=case.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if not output.exists():
        raise RunError(f"{case.name}: {done.stderr}")
    seen = json.loads(output.read_text(encoding="utf-8"))
    if seen["error"]:
        raise RunError(f"{case.name}: {seen['error']}")
    return Run(edges(seen["calls"]), edges(seen["builtins"]))
