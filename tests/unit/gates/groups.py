"""Made-up tasks, and a strategy for whole groups of them."""

from __future__ import annotations

from hypothesis import strategies as st
from taskgates.gates.footprint import Footprint, Origin, Touch
from taskgates.model.access import Operation, SharedAccess, SharedKind
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Reference, Task

SPAN = SourceSpan("tasks.json", 1, 1, 1, 2)


def task(task_id: str, *depends_on: str, parent: str | None = None, difficulty: float | None = 1) -> Task:
    return Task(
        id=task_id,
        format="test",
        span=SPAN,
        difficulty=difficulty,
        depends_on=tuple(Reference(other, SPAN) for other in depends_on),
        parent=Reference(parent, SPAN) if parent else None,
    )


def footprint(task_id: str, writes: str = "", reads: str = "", shared: tuple[SharedAccess, ...] = ()) -> Footprint:
    return Footprint(
        task_id=task_id,
        span=SPAN,
        writes=tuple(Touch(path, Operation.OVERWRITE, Origin.RUNTIME, SPAN) for path in writes.split()),
        reads=tuple(Touch(path, Operation.READ, Origin.RUNTIME, SPAN) for path in reads.split()),
        shared_state=shared,
    )


names = st.sampled_from(["a", "b", "c", "d/", "d/x", "*", "e*"])


@st.composite
def groups(draw: st.DrawFn) -> tuple[list[Task], list[Footprint]]:
    count = draw(st.integers(1, 9))
    tasks, footprints = [], []
    for index in range(count):
        earlier = draw(st.lists(st.integers(0, index - 1), max_size=2, unique=True)) if index else []
        parent = draw(st.none() | st.integers(0, index - 1)) if index else None
        tasks.append(
            task(
                str(index),
                *map(str, earlier),
                parent=None if parent is None else str(parent),
                difficulty=draw(st.none() | st.sampled_from([1, 2.5, 9, 10])),
            )
        )
        footprints.append(
            footprint(
                str(index),
                " ".join(draw(st.lists(names, max_size=2))),
                " ".join(draw(st.lists(names, max_size=2))),
                tuple(
                    SharedAccess("pkg.STATE", SharedKind.MODULE_GLOBAL, access)
                    for access in draw(st.lists(st.sampled_from(["read", "write"]), max_size=1))
                ),
            )
        )
    return tasks, footprints
