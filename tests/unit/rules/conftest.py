"""Small projects, made by hand or from an example's files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from taskgates.manifests import load_tasks
from taskgates.model.access import Access, AccessSet, Certainty, Operation
from taskgates.model.spans import CallFrame, Site
from taskgates.scan.pipeline import check_rules
from taskgates.scan.project import Project
from taskgates.scan.registry import load_registry
from taskgates.scan.rule import native_task
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.config import Config
    from taskgates.model.finding import Finding

READS = {Operation.READ, Operation.LIST, Operation.STAT}


def site(
    file: str = "job.py",
    line: int = 1,
    function: str = "main",
    call: str = "open",
    via: tuple[tuple[str, int, str], ...] = (),
) -> Site:
    return Site(file, line, 5, function, call, tuple(CallFrame(*frame) for frame in via), line, 20)


def access(path: str | None, operation: str = "overwrite", *, conditional: bool = False, **place: Any) -> Access:
    if path is None:
        certainty = Certainty.UNKNOWN
    else:
        certainty = Certainty.PATTERN if any(sign in path for sign in "*?[") else Certainty.EXACT
    return Access(path, certainty, conditional, Operation(operation), (site(**place),))


def access_set(*accesses: Access, imports: tuple[str, ...] = (), **more: Any) -> AccessSet:
    known = all(each.path is not None for each in accesses) and not more.get("opaque")
    return AccessSet(
        reads=tuple(each for each in accesses if each.operation in READS),
        writes=tuple(each for each in accesses if each.operation not in READS),
        imports=imports,
        **{"complete": known, **more},
    )


@dataclass
class Workbench:
    """A repository in the making; `find` runs rules over it."""

    access = staticmethod(access)
    access_set = staticmethod(access_set)
    site = staticmethod(site)

    root: Path
    access_sets: dict[str, AccessSet] = field(default_factory=dict)

    def file(self, path: str, text: str = "") -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def task(self, task_id: str, *accesses: Access, code: AccessSet | None = None, **fields: Any) -> None:
        """A native task; with accesses (or `code`) it has a program that does just that."""
        if accesses or code is not None:
            fields.setdefault("command", "python job.py")
            self.file("job.py")
            self.access_sets[task_id] = code if code is not None else access_set(*accesses)
        self.file(f".claude/tasks/task-{task_id}.json", native_task(task_id, **fields))

    def project(self, *, include_finished: bool = False, config: Config | None = None) -> Project:
        tree = Tree(self.root)
        manifests = load_tasks(tree)
        return Project(
            manifests.tasks,
            self.access_sets,
            tree=tree,
            config=config,
            problems=manifests.problems,
            include_finished=include_finished,
        )

    def find(self, *select: str, **options: Any) -> list[Finding]:
        findings, errors = check_rules(self.project(**options), load_registry().choose(select))
        assert not errors, errors[0].traceback
        return findings


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)
