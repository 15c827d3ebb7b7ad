"""Small programs: written to a folder, run for real under an audit hook, and analysed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from taskgates.inference.engine import Analyser, InferenceOptions
from taskgates.model.access import Access, AccessSet, Certainty, Operation
from taskgates.model.task import Command
from taskgates.tree.tree import Tree

DRIVER = Path(__file__).with_name("audited_run.py")
DATA = {
    "a.txt": "alpha\nbeta\n",
    "b.txt": "one\n",
    "data/x.csv": "k,v\n1,2\n",
    "data/y.csv": "k,v\n3,4\n",
    "conf.json": '{"out": "from_json.txt", "names": ["n1", "n2"]}\n',
}
"""The data files that every program finds beside it."""


@dataclass(frozen=True)
class Program:
    """One program and what it does.

    Attributes:
        name: what it is about.
        code: the text of `main.py`; further files follow behind lines `--- path`.
        expected: `operation path` for every access but existence tests.
        argv: the command line.
    """

    name: str
    code: str
    expected: tuple[str, ...]
    argv: tuple[str, ...] = ("python", "main.py")


def program(name: str, code: str, *expected: str, argv: str = "python main.py") -> Program:
    """A program; see `Program`."""
    return Program(name, code, expected, tuple(argv.split()))


def write_tree(root: Path, code: str, *, data: bool = True) -> None:
    """Write the files of a program below `root`."""
    files = dict(DATA) if data else {}
    name = "main.py"
    lines: list[str] = []
    for line in code.strip("\n").splitlines():
        if line.startswith("--- "):
            files[name] = "\n".join(lines) + "\n"
            name, lines = line[4:].strip(), []
        else:
            lines.append(line)
    files[name] = "\n".join(lines) + "\n"
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")


def analyse(root: Path, *argv: str, options: InferenceOptions | None = None) -> AccessSet:
    """What inference says of a command line."""
    return Analyser(Tree(root), options).command(Command(argv=argv or ("python", "main.py")))


def rows(accesses: AccessSet) -> set[str]:
    """`operation path` of every access but existence tests; `?` for a path that is not known."""
    return {
        f"{access.operation} {access.path if access.path is not None else '?'}"
        for access in (*accesses.reads, *accesses.writes)
        if access.operation is not Operation.STAT
    }


def every(accesses: AccessSet) -> tuple[Access, ...]:
    """Reads and writes."""
    return (*accesses.reads, *accesses.writes)


def run_for_real(root: Path, argv: tuple[str, ...], log: Path) -> set[str]:
    """`operation path` of every access of a real run."""
    done = subprocess.run(
        # A warning would make Python read the line that it is about.
        [sys.executable, "-W", "ignore", str(DRIVER), str(log), *argv[1:]],
        cwd=root,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(root / "home")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    with log.open(encoding="utf-8") as stream:
        return {" ".join(json.loads(line)) for line in stream}


def check(case: Program, place: Path) -> None:
    """Reality, inference and expectation agree, and inference is sure of itself."""
    root = place / "tree"
    write_tree(root, case.code)
    found = analyse(root, *case.argv)
    assert [str(opaque.reason) for opaque in found.opaque] == []
    real = run_for_real(root, case.argv, place / "log")
    # `makedirs` makes folders above, which are no accesses of their own.
    made = [row for row in case.expected if row.startswith("mkdir ")]
    real = {row for row in real if not any(folder.startswith(row + "/") for folder in made)}
    assert sorted(real ^ set(case.expected)) == [], f"the program really does: {sorted(real)}"
    said = rows(found)
    missed, invented = sorted(real - said), sorted(said - real)
    assert (missed, invented) == ([], []), f"missed {missed}, invented {invented}"
    assert {access.certainty for access in every(found)} <= {Certainty.EXACT}
