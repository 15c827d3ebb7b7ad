"""The programs under `fixtures/state`: what is true of their shared state, by hand, by analysis and by a run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taskgates.inference.engine import Analyser
from taskgates.model.access import SharedKind
from taskgates.model.task import Command
from taskgates.scan.pipeline import scan
from taskgates.tree.tree import Tree

STATE = Path(__file__).resolve().parents[2] / "fixtures" / "state"
"""Where the programs live, a folder each below their category's."""
TRACER = "accuracy.state_tracer"
RULES = ("TG601", "TG602", "TG603", "TG604")

Touch = tuple[str, str]
"""`read` or `write`, and the name of the state."""


class RunError(Exception):
    """A program that should run to its end did not."""


@dataclass(frozen=True)
class Case:
    """One program, with what was written down about it.

    Attributes:
        name: category and case, with a slash between.
        folder: its files.
        tasks: the command lines; the touches are those of the first.
        ordered: whether each task depends on the one before.
        runs: whether it runs without further packages.
        touches: the locks held at every touch, `?` for one without a name; None where they do not matter.
        findings: of each rule, what it should speak of.
        open: touches and findings that may be there or not.
        unseen: what one run does not show: names of state and findings.
        missed: findings and touches that the analysis is known not to see.
        false: findings that it is known to make wrongly.
    """

    name: str
    folder: Path
    tasks: tuple[str, ...]
    ordered: bool
    runs: bool
    touches: dict[Touch, tuple[str, ...] | None]
    findings: frozenset[str]
    open: frozenset[str]
    unseen: frozenset[str]
    missed: frozenset[str]
    false: frozenset[str]


@dataclass(frozen=True)
class Seen:
    """What the analysis or a run shows of a program.

    Attributes:
        touches: the locks that are held every time.
        findings: the rule, and what it speaks of, with a space between.
    """

    touches: dict[Touch, tuple[str, ...]] = field(default_factory=dict)
    findings: frozenset[str] = frozenset()


def load_cases(root: Path = STATE) -> list[Case]:
    """All programs below a folder."""
    return [_load(path) for path in sorted(root.glob("*/*/state.toml"))]


def _load(path: Path) -> Case:
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    touches: dict[Touch, tuple[str, ...] | None] = {}
    for line in table.get("touches", ()):
        parts = re.fullmatch(r"(read|write) (\S+)(?: under (.+))?", line)
        assert parts is not None, f"{path}: {line}"
        access, name, locks = parts.groups()
        touches[access, name] = None if locks == "*" else tuple(sorted(locks.split(", "))) if locks else ()
    return Case(
        name="/".join(path.parts[-3:-1]),
        folder=path.parent,
        tasks=tuple(table.get("tasks", ("python main.py",))),
        ordered=table.get("ordered", False),
        runs=table.get("runs", True),
        touches=touches,
        findings=frozenset(f"{rule} {name}" for rule in RULES for name in table.get(rule, ())),
        open=frozenset(table.get("open", ())),
        unseen=frozenset(table.get("unseen", ())),
        missed=frozenset(table.get("missed", ())),
        false=frozenset(table.get("false", ())),
    )


def analyse(case: Case, project: Path) -> Seen:
    """What the analysis says.

    Args:
        case: the program.
        project: an empty folder, which becomes a copy of the program with a manifest for each of its tasks.
    """
    for file in case.folder.rglob("*"):
        if file.is_file() and file.name != "state.toml" and file.suffix != ".pyc":
            copy = project / file.relative_to(case.folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    manifests = project / ".claude" / "tasks"
    manifests.mkdir(parents=True)
    for number, command in enumerate(case.tasks, start=1):
        task = {"id": str(number), "status": "Pending", "difficulty": 3, "command": command, "files_affected": []}
        if case.ordered and number > 1:
            task["dependencies"] = [str(number - 1)]
        (manifests / f"task-{number}.json").write_text(json.dumps(task), encoding="utf-8")
    analyser = Analyser(Tree(project))
    sets = [analyser.command(Command(argv=tuple(command.split()))) for command in case.tasks]
    touches: dict[Touch, tuple[str, ...]] = {}
    for shared in sets[0].shared_state:
        if shared.kind is not SharedKind.PROCESS:
            touches[shared.access, shared.name] = shared.guards
    findings = {
        f"TG602 {shared.name}"
        for access in sets
        for shared in access.shared_state
        if shared.kind is SharedKind.PROCESS and shared.access == "write"
    }
    for finding in scan(project, use_cache=False).findings:
        if finding.rule in RULES and finding.rule != "TG602":
            named = re.search("`([^`]+)`", finding.message)
            assert named is not None, finding.message
            findings.add(f"{finding.rule} {finding.path or named[1]}")
    return Seen(touches, frozenset(findings))


def run(case: Case, scratch: Path) -> Seen:
    """What one run of the first task under the tracer shows.

    Raises:
        RunError: it ended with an exception, or not at all.
    """
    output = scratch / "run.json"
    done = subprocess.run(
        [sys.executable, "-m", TRACER, str(output), *case.tasks[0].split()[1:]],
        cwd=scratch / "program",
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if not output.exists():
        raise RunError(f"{case.name}: {done.stderr}")
    touches: dict[Touch, tuple[str, ...]] = {}
    races: set[str] = set()
    # A process that the program starts writes a report of its own.
    for report in scratch.glob("run.json*"):
        seen = json.loads(report.read_text(encoding="utf-8"))
        if seen["error"]:
            raise RunError(f"{case.name}: {seen['error']}")
        for access, name, locks in seen["touches"]:
            known = touches.get((access, name), tuple(locks))
            touches[access, name] = tuple(sorted(set(known).intersection(locks)))
        races.update(f"TG601 {name}" for name in seen["races"])
    return Seen(touches, frozenset(races))


def differences(case: Case, seen: Seen) -> list[str]:
    """How the touches that were seen differ from those that were written down, in words.

    To read what is written as well says nothing more, so that such a read may be there or not.
    """
    found = [f"missing: {access} {name}" for access, name in case.touches if (access, name) not in seen.touches]
    for (access, name), locks in seen.touches.items():
        if (access, name) in case.touches:
            stated = case.touches[access, name]
            if stated is not None and not _same(stated, locks):
                found.append(f"locks of {access} {name}: {list(locks)}, not {list(stated)}")
        elif name not in case.open and not (access == "read" and ("write", name) in case.touches):
            found.append(f"not true: {access} {name}")
    return found


def _same(stated: tuple[str, ...], locks: tuple[str, ...]) -> bool:
    named = {lock for lock in stated if lock != "?"}
    return len(stated) == len(locks) and named <= set(locks)
