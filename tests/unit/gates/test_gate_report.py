"""The report over all gates: its contract, what refuses, and what it recommends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from taskgates.gates.assessment import GroupAssessment, LockIssue
from taskgates.gates.batching import BatchLimits, suggest_batches
from taskgates.gates.budget import BudgetLimits
from taskgates.gates.capacity import CapacityLimits
from taskgates.gates.cycles import cycles_through
from taskgates.gates.footprint import Footprint, Origin, Touch
from taskgates.gates.host import HostMeasurement
from taskgates.gates.relations import GroupError, Relations
from taskgates.gates.report import as_report, assess_group, gate_report
from taskgates.model.access import Operation, SharedAccess, SharedKind
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Reference, Task
from unit.gates.groups import groups

if TYPE_CHECKING:
    from random import Random

SPAN = SourceSpan(".claude/tasks/task-1.json", 4, 7, 4, 12)


def task(task_id: str, *depends_on: str, parent: str | None = None, difficulty: float | None = 2) -> Task:
    return Task(
        id=task_id,
        format="test",
        span=SPAN,
        difficulty=difficulty,
        depends_on=tuple(Reference(other, SPAN) for other in depends_on),
        parent=Reference(parent, SPAN) if parent else None,
    )


def footprint(
    task_id: str, writes: str = "", reads: str = "", *, shared: tuple[SharedAccess, ...] = (), complete: bool = True
) -> Footprint:
    return Footprint(
        task_id=task_id,
        span=SPAN,
        writes=tuple(Touch(path, Operation.OVERWRITE, Origin.RUNTIME, SPAN) for path in writes.split()),
        reads=tuple(Touch(path, Operation.READ, Origin.RUNTIME, SPAN) for path in reads.split()),
        shared_state=shared,
        complete=complete,
    )


def report(tasks: list[Task], footprints: list[Footprint] | None = None, **options: Any) -> dict[str, Any]:
    found = gate_report([each.id for each in tasks], Relations(tasks), footprints or [], **options)
    assert json.loads(json.dumps(found)) == found
    assert found["can_parallel"] or found["recommendations"]
    return found


CONTRACT = {
    "can_parallel": bool,
    "task_count": int,
    "file_conflicts": list,
    "circular_dependencies": list,
    "lock_issues": list,
    "resource_capacity": dict,
    "context_budget": dict,
    "shared_state": list,
    "recommendations": list,
}


def test_a_group_without_problems() -> None:
    found = report([task("1"), task("2")], [footprint("1", "a"), footprint("2", "b")])
    assert found["can_parallel"]
    assert {key: type(found[key]) for key in CONTRACT} == CONTRACT
    assert found["task_count"] == 2
    assert found["context_budget"]["total_complexity"] == 4
    assert found["resource_capacity"]["requested"] == 2
    assert found["recommendations"] == []


def test_a_write_write_conflict_refuses_and_a_read_write_conflict_warns() -> None:
    tasks = [task("1"), task("2"), task("3")]
    found = report(
        tasks, [footprint("1", "out/x.json"), footprint("2", "out/x.json"), footprint("3", "", "out/x.json")]
    )
    assert not found["can_parallel"]
    assert [(each["task1"], each["task2"], each["file"], each["type"]) for each in found["file_conflicts"]] == [
        ("1", "2", "out/x.json", "blocking"),
        ("1", "3", "out/x.json", "warning"),
        ("2", "3", "out/x.json", "warning"),
    ]
    assert "Execute 1 and 2 sequentially: both write out/x.json" in found["recommendations"]
    assert found["suggested_batches"] == [["1"], ["2"], ["3"]]
    warned = report([tasks[0], tasks[2]], [footprint("1", "x"), footprint("3", "", "x")])
    assert warned["can_parallel"]
    assert warned["recommendations"] == ["Let 3 depend on 1, or keep them apart: 3 reads x, which 1 writes"]


def test_files_are_named_as_they_are() -> None:
    found = report([task("1"), task("2")], [footprint("1", "app/[[]id]/x.ts"), footprint("2", "app/[[]id]/x.ts")])
    assert [each["file"] for each in found["file_conflicts"]] == ["app/[id]/x.ts"]
    assert not found["conflict_sites_left_out"]
    assert found["file_conflicts"][0]["task1_sites"][0]["path"] == "app/[id]/x.ts"


def test_files_that_are_only_read_are_information() -> None:
    found = report([task("1"), task("2")], [footprint("1", "", "x"), footprint("2", "", "x")])
    assert (found["can_parallel"], [each["type"] for each in found["file_conflicts"]]) == (True, ["info"])


def test_too_many_readers_are_counted_instead_of_named() -> None:
    tasks = [task(str(index)) for index in range(150)]
    found = report(tasks, [footprint(each.id, "", "x") for each in tasks])
    assert (found["file_conflicts"], found["read_only_pairs_left_out"]) == ([], 150 * 149 // 2)


def test_members_that_depend_on_each_other_refuse() -> None:
    found = report([task("1"), task("2", "1"), task("2_1", parent="2")])
    assert not found["can_parallel"]
    assert found["dependencies_within"] == [
        {"task": "2", "waits_for": "1", "kind": "dependency"},
        {"task": "2_1", "waits_for": "2", "kind": "parent"},
    ]
    assert "Start 2 after 1, on which it depends" in found["recommendations"]


def test_a_dependency_through_an_outsider_counts() -> None:
    relations = Relations([task("1"), task("2", "1"), task("3", "2")])
    found = gate_report(["1", "3"], relations, [])
    assert found["dependencies_within"] == [{"task": "3", "waits_for": "1", "kind": "dependency"}]


def test_cycles_refuse_and_say_where_to_break() -> None:
    found = report([task("A", "B"), task("B", "C"), task("C", "A")])
    assert found["circular_dependencies"] == [["A", "B", "C", "A"]]
    assert not found["can_parallel"]
    assert found["recommendations"][0].startswith("Break the cycle A -> B -> C -> A, for example where")
    assert ".claude/tasks/task-1.json:4:7" in found["recommendations"][0]


def test_the_fewest_cuts_of_several_cycles() -> None:
    found = report([task("A", "B"), task("B", "A", "C"), task("C", "A")])
    assert found["circular_dependencies"] == [["A", "B", "A"], ["A", "B", "C", "A"]]
    assert [(cut["from"], cut["to"]) for cut in found["cycle_cuts"]] == [("A", "B")]
    assert found["fewest_cuts_proven"]
    assert any(
        advice.startswith("1 cut and no fewer breaks all of these 2 cycles: A -> B (")
        for advice in found["recommendations"]
    )
    assert report([task("A"), task("B")])["cycle_cuts"] == []


def test_data_flow_both_ways_is_a_cycle_where_it_is_certain() -> None:
    tasks = [task("A"), task("B")]
    certain = report(tasks, [footprint("A", "a", "b"), footprint("B", "b", "a")])
    assert certain["circular_dependencies"] == [["A", "B", "A"]]
    possible = report(tasks, [footprint("A", "a1", "b"), footprint("B", "b", "a*")])
    assert possible["circular_dependencies"] == []
    assert [each["chain"] for each in possible["possible_cycles"]] == [["A", "B", "A"]]
    assert possible["can_parallel"]


def test_unknown_dependencies_refuse() -> None:
    found = report([task("1", "9")])
    assert found["unknown_dependencies"][0]["dependency"] == "9"
    assert "which does not exist" in found["recommendations"][0]


def test_locks_of_others_refuse() -> None:
    issues = [LockIssue("1", "a.json", "process 17"), LockIssue("9", "b.json")]
    found = report([task("1")], lock_issues=issues)
    assert [(each["task"], each["file"]) for each in found["lock_issues"]] == [("1", "a.json")]
    assert found["recommendations"] == ["Wait until process 17 releases a.json, which 1 needs"]
    assert not found["can_parallel"]


def test_capacity_refuses_in_numbers() -> None:
    tasks = [task(str(index)) for index in range(6)]
    found = report(tasks)
    assert found["resource_capacity"]["available"] == 5
    assert found["recommendations"][0] == ("Start at most 5 of the 6 tasks now: 6 tasks requested, 5 of 5 slots free")
    assert [len(batch) for batch in found["suggested_batches"]] in ([5, 1], [3, 3], [4, 2])
    loaded = HostMeasurement(2, 97, 100, 10, None, 0)
    assert not report(tasks[:1], measurement=loaded)["can_parallel"]
    said = report(tasks[:1], measurement=loaded, capacity_limits=CapacityLimits(refuse_overload=False))
    assert said["can_parallel"]
    assert said["recommendations"][0].startswith("Mind the load: CPU at 97 %")


def test_the_budget_refuses_and_names_whom_to_leave_out() -> None:
    tasks = [task("1", difficulty=10), task("2", difficulty=8), task("3", difficulty=7)]
    found = report(tasks, budget_limits=BudgetLimits(max_complexity=20))
    assert not found["can_parallel"]
    assert found["recommendations"][0] == (
        "Reduce the group: total difficulty 25 is 5 above the budget of 20; without 1 it fits"
    )


def test_shared_state() -> None:
    state = (SharedAccess("pkg.jobs.CACHE", SharedKind.MODULE_GLOBAL, "write"),)
    found = report([task("1"), task("2")], [footprint("1", shared=state), footprint("2", shared=state)])
    assert [(each["name"], each["type"]) for each in found["shared_state"]] == [("pkg.jobs.CACHE", "blocking")]
    assert found["recommendations"][0] == (
        "Guard pkg.jobs.CACHE with one lock in all of 1, 2, or run them one after the other"
    )
    apart = report(
        [task("1"), task("2")], [footprint("1", shared=state), footprint("2", shared=state)], separate_processes=True
    )
    assert apart["can_parallel"]
    assert [each["type"] for each in apart["shared_state"]] == ["warning"]


def test_the_state_of_a_process() -> None:
    state = (SharedAccess("working-directory", SharedKind.PROCESS, "write"),)
    found = report([task("1"), task("2")], [footprint("1", shared=state), footprint("2", shared=state)])
    assert found["can_parallel"]
    assert found["recommendations"] == ["Run 1, 2 in processes of their own: they share working-directory"]


def test_hazards_come_with_their_protection() -> None:
    found = report([task("1"), task("2")], [footprint("1", "n/counter.txt"), footprint("2", "n/counter.txt")])
    assert found["hazards"][0]["kind"] == "counter"
    assert any("n/counter.txt (counter of 1, 2)" in each for each in found["recommendations"])


def test_what_the_analysis_did_not_see_is_said() -> None:
    found = report([task("1")], [footprint("1", complete=False)])
    assert found["incomplete"] == ["1"]
    assert found["can_parallel"]
    assert "did not see everything that 1 does" in found["recommendations"][0]


def test_unknown_ids() -> None:
    with pytest.raises(GroupError, match="unknown task: 7"):
        gate_report(["1", "7"], Relations([task("1")]), [])


def test_long_lists_of_advice_say_how_much_more_there_is() -> None:
    tasks = [task(str(index), difficulty=1) for index in range(12)]
    found = report(tasks, [footprint(each.id, "x y") for each in tasks])
    assert any("66 pairs write the same files" in each for each in found["recommendations"])
    assert any(each.startswith("Move 0, 1, 2, 3, 4 and 6 more out") for each in found["recommendations"])


LIMITS = CapacityLimits(max_parallel_tasks=4)
BUDGET = BudgetLimits(max_complexity=20)


@given(groups(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_answer_is_symmetric_monotone_and_never_without_advice(
    group: tuple[list[Task], list[Footprint]], random: Random
) -> None:
    tasks, footprints = group
    relations = Relations(tasks)

    def answer(ids: list[str], known: list[Footprint]) -> GroupAssessment:
        return assess_group(ids, relations, known, capacity_limits=LIMITS, budget_limits=BUDGET)

    ids = [each.id for each in tasks]
    whole = answer(ids, footprints)
    shuffled, known = random.sample(ids, len(ids)), random.sample(footprints, len(footprints))
    assert as_report(answer(shuffled, known)) == as_report(whole)
    assert whole.can_parallel or as_report(whole)["recommendations"]
    fewer = answer(ids[:-1], footprints)
    assert whole.can_parallel <= fewer.can_parallel
    assert set(fewer.conflicts) <= set(whole.conflicts)
    assert set(fewer.shared) <= set(whole.shared)
    assert set(fewer.order_within) <= {*whole.order_within}


@given(groups())
@settings(max_examples=100, deadline=None)
def test_every_batch_passes_the_gates(group: tuple[list[Task], list[Footprint]]) -> None:
    tasks, footprints = group
    relations = Relations(tasks)
    assume(not cycles_through(relations.ids, relations))
    limits = BatchLimits(LIMITS.max_parallel_tasks, BUDGET.max_complexity, effort=500)
    for batch in suggest_batches(relations.ids, relations, footprints, limits).batches:
        assert assess_group(batch, relations, footprints, capacity_limits=LIMITS, budget_limits=BUDGET).can_parallel
