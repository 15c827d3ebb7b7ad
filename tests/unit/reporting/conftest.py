"""A small task repository with its findings, as a scan hands them to the reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from taskgates.model.access import Access, AccessSet, Certainty, Opaque, Operation, SharedAccess, SharedKind
from taskgates.model.finding import Finding, Related, Replacement, Severity
from taskgates.model.spans import CallFrame, Site, SourceSpan
from taskgates.model.task import DeclaredPath, Reference, Task
from taskgates.reporting.report import Report
from taskgates.scan.pipeline import ScanResult
from taskgates.scan.rule import Precision, Rule, call_flow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PREPARE = '''\
"""Prepare the raw measurements."""

from pathlib import Path

OUT = Path("build")
CACHE = {}


def save(name, rows):
    target = OUT / f"{name}.json"
    target.write_text(str(rows))


def main():
    for name in ("été", "winter"):
        save(name, [1, 2])


main()
'''
TRAIN = "from pathlib import Path\n\nPath('build/winter.json').write_text('[]')  # \N{SNAKE}\n"
ODD_NAME = "src/données [1]/a:b.py"


class WriteConflict(Rule):
    """Two tasks that may run together write the same file

    What it is:
        Two tasks write `one file`, and nothing orders them.

    Why it matters:
        The result depends on which one finishes last.

    How to fix it:
        Let one depend on the other.
    """

    id = "TG101"
    name = "write-write-conflict"
    severity = Severity.ERROR
    precision = Precision.HIGH

    def check(self, project: Any) -> Iterator[Finding]:
        yield from ()


class UndeclaredWrite(WriteConflict):
    """A task writes a file that it does not declare."""

    id: ClassVar[str] = "TG701"
    name = "undeclared-write"


class DeclaredButUnused(WriteConflict):
    """A task declares a file that it does not touch."""

    id: ClassVar[str] = "TG703"
    name = "declared-but-unused"
    severity = Severity.NOTE
    precision = Precision.MEDIUM


def task(identifier: str, manifest: str, edits: Sequence[DeclaredPath], **fields: Any) -> Task:
    return Task(
        id=identifier, format="claude-tasks", span=SourceSpan(manifest, 1, 1, 6, 2), edits=tuple(edits), **fields
    )


@pytest.fixture
def outcome(tmp_path: Path) -> ScanResult:
    files = {
        "src/prepare.py": PREPARE,
        "src/train.py": TRAIN,
        ODD_NAME: "open('x', 'w')\n",
        ".claude/tasks/task-110_1.json": json.dumps(
            {"id": "110_1", "title": "Prepare", "files_affected": ["src/prepare.py", "docs/old.md"]}, indent=2
        ),
        ".claude/tasks/task-110_2.json": json.dumps(
            {"id": "110_2", "title": "Train", "files_affected": ["src/train.py"]}, indent=2
        ),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    first, second = ".claude/tasks/task-110_1.json", ".claude/tasks/task-110_2.json"
    written = Site(
        "src/prepare.py",
        11,
        5,
        "save",
        "pathlib.Path.write_text",
        (CallFrame("src/prepare.py", 19, "<module>"), CallFrame("src/prepare.py", 16, "main")),
        11,
        33,
    )
    trained = Site("src/train.py", 3, 1, "<module>", "pathlib.Path.write_text", (), 3, 43)
    access_sets = {
        "110_1": AccessSet(
            target="src/prepare.py",
            complete=False,
            reads=(Access(None, Certainty.UNKNOWN, True, Operation.READ, (written,)),),
            writes=(
                Access("build/winter.json", Certainty.EXACT, False, Operation.OVERWRITE, (written,)),
                Access("build/été.json", Certainty.EXACT, False, Operation.OVERWRITE, (written,)),
            ),
            shared_state=(
                SharedAccess("prepare.CACHE", SharedKind.MODULE_GLOBAL, "write", ("prepare.LOCK",), (written,)),
            ),
            opaque=(Opaque("exec of text that is not known", (written,)),),
        ),
        "110_2": AccessSet(
            target="src/train.py",
            writes=(Access("build/winter.json", Certainty.EXACT, False, Operation.OVERWRITE, (trained,)),),
        ),
    }
    findings = [
        Finding(
            rule="TG703",
            severity=Severity.NOTE,
            message="task 110_1 declares docs/old.md but neither edits nor writes it",
            span=SourceSpan(first, 6, 5, 6, 18),
            tasks=("110_1",),
            path="docs/old.md",
            fingerprint="c" * 32,
            fixable=True,
            replacements=(Replacement(SourceSpan(first, 5, 21, 6, 18), ""),),
        ),
        Finding(
            rule="TG101",
            severity=Severity.ERROR,
            message="tasks 110_1 and 110_2 both write build/winter.json; the other write is [here](1)",
            span=written.span,
            tasks=("110_1", "110_2"),
            path="build/winter.json",
            related=(Related("110_2 writes it", trained.span),),
            flow=call_flow(written),
            fingerprint="a" * 32,
        ),
        Finding(
            rule="TG701",
            severity=Severity.ERROR,
            message="task 110_2 writes build/winter.json and does not declare it",
            span=trained.span,
            tasks=("110_2",),
            path="build/winter.json",
            related=(Related("declared paths [of 110_2]", SourceSpan(second, 4, 1, 4, 1)),),
            fingerprint="b" * 32,
            fixable=True,
        ),
        Finding(
            rule="TG902",
            severity=Severity.WARNING,
            message="cannot parse; see [there](7)",
            span=SourceSpan(ODD_NAME, 1, 1, 1, 1),
            fingerprint="d" * 32,
        ),
    ]
    return ScanResult(
        root=tmp_path,
        tasks=(
            task("110_1", first, [DeclaredPath("src/prepare.py", SourceSpan(first, 5, 5, 5, 21))], difficulty=6.0),
            task(
                "110_2",
                second,
                [DeclaredPath("src/train.py", SourceSpan(second, 5, 5, 5, 19))],
                depends_on=(Reference("110", SourceSpan(second)),),
                difficulty=2.5,
            ),
        ),
        access_sets=access_sets,
        findings=tuple(findings),
        rules=(UndeclaredWrite(), WriteConflict(), DeclaredButUnused()),
    )


@pytest.fixture
def report(outcome: ScanResult) -> Report:
    return Report(outcome)
