from __future__ import annotations

import msgspec
import pytest
from taskgates.config import Config
from taskgates.gates.host import HostMeasurement
from taskgates.model.spans import SourceSpan
from taskgates.model.task import DeclaredPath, Reference, Task
from taskgates.runtime.errors import TaskRuntimeError
from taskgates.runtime.gating import RunGates

SPAN = SourceSpan("t.json")


def task(identifier: str, *writes: str, after: tuple[str, ...] = (), difficulty: float = 3) -> Task:
    declared = tuple(DeclaredPath(path, SPAN) for path in writes)
    return Task(
        id=identifier,
        format="claude-tasks",
        span=SPAN,
        edits=declared,
        writes=declared,
        depends_on=tuple(Reference(name, SPAN) for name in after),
        difficulty=difficulty,
    )


def gates(*tasks: Task, **limits: object) -> RunGates:
    config = msgspec.structs.replace(Config(), gates=msgspec.structs.replace(Config().gates, **limits))
    return RunGates(tasks, lambda _: None, config)


def host(cpu: float, memory: float) -> HostMeasurement:
    return HostMeasurement(4, cpu, 1000, int(memory * 10), 1000, 10)


def test_conflicts_refuse_only_where_asked() -> None:
    pair = (task("1", "a.txt"), task("2", "a.txt"))
    assert gates(*pair).refusals(["1", "2"]) == []
    (reason,) = gates(*pair, conflict_resolution="refuse").refusals(["1", "2"])
    assert reason == "1 and 2 meet at a.txt (write-write)"
    ordered = (task("1", "a.txt"), task("2", "a.txt", after=("1",)))
    assert gates(*ordered, conflict_resolution="refuse").refusals(["1", "2"]) == []


def test_what_no_order_mends_always_refuses() -> None:
    circle = gates(task("1", after=("2",)), task("2", after=("1",)))
    assert any("circular dependency" in reason for reason in circle.refusals(["1", "2"]))
    assert any("no manifest defines" in reason for reason in gates(task("1", after=("9",))).refusals(["1"]))
    assert gates(task("1")).refusals(["7"])


def test_batches_hold_the_limits() -> None:
    tasks = [task(str(number), f"{number}.txt", difficulty=6) for number in range(6)]
    batches = gates(*tasks, max_parallel_tasks=4, max_context_complexity=12).batches([each.id for each in tasks])
    assert sorted(name for batch in batches for name in batch) == [each.id for each in tasks]
    assert all(len(batch) <= 2 for batch in batches)
    with pytest.raises(TaskRuntimeError, match="no batches"):
        gates(task("1", after=("2",)), task("2", after=("1",))).batches(["1", "2"])


@pytest.mark.parametrize(
    ("cpu", "memory", "reason"), [(10, 10, None), (95, 10, "CPU at 95 %"), (10, 90, "memory at 90 %")]
)
def test_capacity_refuses_in_numbers(cpu: float, memory: float, reason: str | None) -> None:
    answer = gates(task("1")).capacity(1, lambda _: host(cpu, memory))
    assert (answer is None) is (reason is None)
    if reason is not None:
        assert reason in str(answer)
