"""No rule stumbles over any project, and what it reports is well-formed and does not depend on chance."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from taskgates.gates.host import HostMeasurement
from taskgates.model.access import (
    Access,
    AccessSet,
    Certainty,
    Opaque,
    Operation,
    SharedAccess,
    SharedKind,
)
from taskgates.model.finding import Problem
from taskgates.model.spans import CallFrame, Site, SourceSpan
from taskgates.model.task import Command, DeclaredPath, Reference, Status, Task
from taskgates.scan.pipeline import check_rules
from taskgates.scan.project import Project
from taskgates.scan.registry import load_registry
from taskgates.tree.tree import Tree

IDS = ["1", "2", "3", "1_1", "x/y"]
REGISTRY = load_registry()
IDLE_HOST = HostMeasurement(
    cpu_count=4, cpu_percent=5, memory_total=1 << 34, memory_used=1 << 30, open_files_limit=1024, open_files=10
)

files = st.sampled_from(["a.py", "lib/b.py", "/usr/lib/c.py", "<command>", ""])
functions = st.sampled_from(["<module>", "main", "Box.save", "<script>", ""])
spans = st.builds(SourceSpan, st.sampled_from([".claude/tasks/t.json", "a.py"]), st.integers(1, 9), st.integers(1, 9))
frames = st.builds(CallFrame, files, st.integers(1, 9), functions)
sites = st.lists(
    st.builds(
        Site,
        files,
        st.integers(1, 9),
        st.integers(1, 9),
        functions,
        st.sampled_from(["open", "sqlite3.connect", ""]),
        st.lists(frames, max_size=2).map(tuple),
    ),
    max_size=2,
).map(tuple)
paths = st.sampled_from(
    ["a.txt", "out/a.txt", "out/*.txt", "**", "state/counter.json", "/tmp/x", "~/y", "store.db", None]
)
READS = [Operation.READ, Operation.LIST, Operation.STAT]


def make_access(path: str | None, operation: Operation, conditional: bool, places: Any) -> Access:
    known = Certainty.PATTERN if path is not None and "*" in path else Certainty.EXACT
    certainty = Certainty.UNKNOWN if path is None else known
    return Access(path, certainty, conditional, operation, places)


def accesses(operations: list[Operation]) -> Any:
    return st.lists(st.builds(make_access, paths, st.sampled_from(operations), st.booleans(), sites), max_size=4).map(
        tuple
    )


shared = st.builds(
    SharedAccess,
    st.sampled_from(["pkg.CACHE", "working-directory", "pkg.conn"]),
    st.sampled_from(SharedKind),
    st.sampled_from(["read", "write"]),
    st.sampled_from([(), ("L",), ("L", "M")]),
    sites,
    st.booleans(),
)
access_sets = st.builds(
    AccessSet,
    st.just("job"),
    st.booleans(),
    accesses(READS),
    accesses([operation for operation in Operation if operation not in READS]),
    st.lists(shared, max_size=3).map(tuple),
    st.lists(st.builds(Opaque, st.sampled_from(["exec", "why"]), sites), max_size=2).map(tuple),
    st.lists(st.sampled_from(["a.py", "lib/b.py"]), max_size=2).map(tuple),
)
references = st.builds(Reference, st.sampled_from([*IDS, "none"]), spans)
declared = st.lists(
    st.builds(DeclaredPath, st.sampled_from(["a.txt", "out/", "out/*.txt", "a.py", "lib", "**", "gone"]), spans),
    max_size=3,
).map(tuple)
tasks = st.builds(
    Task,
    id=st.sampled_from(IDS),
    format=st.sampled_from(["claude-tasks", "dvc"]),
    span=spans,
    status=st.sampled_from(Status),
    difficulty=st.sampled_from([None, 0, 3, 9, 10, 40, -1, float("nan"), float("inf")]),
    depends_on=st.lists(references, max_size=3).map(tuple),
    parent=st.none() | references,
    subtasks=st.lists(references, max_size=2).map(tuple),
    command=st.sampled_from([None, Command(shell="python a.py"), Command(argv=("sh", "x.sh"))]),
    sources=st.sampled_from([(), ("a.py",), ("lib.b:main", "gone.py")]),
    edits=declared,
    reads=declared,
    writes=declared,
    declares_reads=st.booleans(),
)
problems = st.builds(
    Problem, st.sampled_from(["TG901", "TG902", "TG903"]), st.sampled_from(["wrong", "it is wrong."]), spans
)


@settings(
    deadline=None,
    max_examples=80,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(tasks, max_size=5, unique_by=lambda task: task.id),
    st.dictionaries(st.sampled_from(IDS), access_sets),
    st.lists(problems, max_size=2),
    st.booleans(),
)
def test_any_project(tmp_path: Any, listed: Any, access: Any, complaints: Any, finished: bool) -> None:
    def run() -> Any:
        # The load of this machine must not come into it: two runs are compared.
        project = Project(
            listed, access, tree=Tree(tmp_path), problems=complaints, include_finished=finished, host=IDLE_HOST
        )
        return check_rules(project, REGISTRY.rules)

    findings, errors = run()
    assert not errors, errors[0].traceback
    assert (findings, errors) == run()
    assert len({finding.fingerprint for finding in findings}) == len(findings)
    for finding in findings:
        assert finding.message.endswith((".", "?")), finding.message
        assert "  " not in finding.message
        assert set(finding.tasks) <= {task.id for task in listed} | {""}
        for number in re.findall(r"\]\((\d+)\)", finding.message):
            assert int(number) <= len(finding.related), finding.message
        for place in (finding.span, *(related.span for related in finding.related)):
            assert place.file, finding
            assert not place.file.startswith("<"), finding
