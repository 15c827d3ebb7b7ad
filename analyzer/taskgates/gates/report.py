"""All gates over one group of tasks, and the report that programs read.

`assess_group` runs the gates and keeps their typed answers; `as_report` turns them into the dictionary whose keys are a
contract: keys may be added, never removed. Both are pure: locks and the state of the machine are given to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from taskgates.gates.advice import recommendations
from taskgates.gates.assessment import GroupAssessment, LockIssue, OrderWithin
from taskgates.gates.batching import BatchLimits, Solver, order_within, suggest_batches
from taskgates.gates.budget import BudgetLimits, Measured, assess_budget
from taskgates.gates.capacity import CapacityLimits, decide_capacity
from taskgates.gates.conflicts import Conflict, ConflictIndex
from taskgates.gates.cycles import Cycle, Edge, EdgeKind, circles_around
from taskgates.gates.lock_order import LockInversion, find_lock_inversions
from taskgates.gates.partition import partition_advice
from taskgates.gates.relations import GroupError, Relations, known_group
from taskgates.gates.shared_state import find_shared_conflicts, hazards_among
from taskgates.model.patterns import PathPattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from taskgates.gates.footprint import Footprint, Touch
    from taskgates.gates.host import HostMeasurement
    from taskgates.model.access import SharedAccess
    from taskgates.model.spans import Site

_INFO_PAIRS = 10_000
"""Pairs that only read the same file are named up to this number; above it the report gives the number alone."""

_PROCESS_STATE_TASKS = 100
"""Up to this size of the group, pairs that change the state of their process are named: nearly every program does."""

_CONFLICTS_WITH_SITES = 10_000
"""Conflicts up to this number come with the places that prove them; the report says when they are left out."""

_BATCHED_TASKS = 1_000
_BATCHING_EFFORT = 5_000
"""For a refused group up to this size the report says how it could run instead, found with little effort."""


def assess_group(
    ids: Iterable[str],
    relations: Relations,
    footprints: Sequence[Footprint],
    *,
    lock_issues: Sequence[LockIssue] = (),
    measurement: HostMeasurement | None = None,
    running: int = 0,
    capacity_limits: CapacityLimits | None = None,
    budget_limits: BudgetLimits | None = None,
    measured: Mapping[str, Measured] | None = None,
    separate_processes: bool = False,
) -> GroupAssessment:
    """Run every gate over a group of tasks that are to start at the same time.

    Args:
        ids: the group; repeated ids count once.
        relations: all tasks.
        footprints: what they touch; of tasks outside of the group too, if at hand.
        lock_issues: locks that others hold on files of the group.
        measurement: the state of the machine; None leaves it out.
        running: tasks that run already.
        capacity_limits: defaults when None.
        budget_limits: defaults when None.
        measured: sizes and durations by task.
        separate_processes: whether each task runs in a process of its own, so that memory is not shared.

    Raises:
        GroupError: an id is unknown.
    """
    group = known_group(ids, relations)
    members = set(group)
    kept = [footprint for footprint in footprints if footprint.task_id in members]
    index = ConflictIndex(kept)
    info_pairs = index.read_read_pairs()
    conflicts = index.find(relations, read_read=info_pairs <= _INFO_PAIRS)
    shared = find_shared_conflicts(
        kept,
        relations,
        process_state=not separate_processes and len(group) <= _PROCESS_STATE_TASKS,
        separate_processes=separate_processes,
    )
    circles = circles_around(group, relations, index.flows())
    cycles = [cycle for circle in circles for cycle in circle.cycles if not members.isdisjoint(cycle.chain)]
    assessment = GroupAssessment(
        ids=tuple(group),
        conflicts=tuple(conflicts),
        read_only_pairs_left_out=info_pairs if info_pairs > _INFO_PAIRS else 0,
        partition=partition_advice(conflicts),
        order_within=tuple(_order_within(group, relations)),
        unknown_dependencies=tuple(
            each for each in relations.unknown_references if each.role == "dependency" and each.task_id in members
        ),
        cycles=tuple(cycle for cycle in cycles if cycle.kind is not EdgeKind.DATA_FLOW or cycle.certain),
        possible_cycles=tuple(cycle for cycle in cycles if cycle.kind is EdgeKind.DATA_FLOW and not cycle.certain),
        cycle_cuts=tuple(
            edge for circle in circles if any(cycle.certain for cycle in circle.cycles) for edge in circle.cuts
        ),
        fewest_cuts_proven=all(circle.fewest_cuts_proven for circle in circles),
        lock_issues=tuple(issue for issue in lock_issues if issue.task_id in members),
        capacity=decide_capacity(len(group), measurement, capacity_limits, running=running),
        budget=assess_budget({each: relations.task(each).difficulty for each in group}, measured, budget_limits),
        shared=tuple(shared),
        hazards=tuple(hazards_among(conflicts, shared)),
        lock_inversions=tuple(find_lock_inversions(kept, relations, separate_processes=separate_processes)),
        incomplete=tuple(footprint.task_id for footprint in kept if not footprint.complete),
    )
    if assessment.can_parallel or len(group) > _BATCHED_TASKS:
        return assessment
    limits = BatchLimits(
        max_tasks=assessment.capacity.max_parallel_tasks,
        max_complexity=assessment.budget.max_complexity,
        effort=_BATCHING_EFFORT,
        separate_processes=separate_processes,
    )
    try:
        plan = suggest_batches(group, relations, kept, limits, measured=measured, solver=Solver.HEURISTIC)
    except GroupError:
        # What forbids batches is part of the assessment already.
        return assessment
    return msgspec.structs.replace(assessment, batches=plan.batches)


def gate_report(
    ids: Iterable[str],
    relations: Relations,
    footprints: Sequence[Footprint],
    *,
    lock_issues: Sequence[LockIssue] = (),
    measurement: HostMeasurement | None = None,
    running: int = 0,
    capacity_limits: CapacityLimits | None = None,
    budget_limits: BudgetLimits | None = None,
    measured: Mapping[str, Measured] | None = None,
    separate_processes: bool = False,
) -> dict[str, Any]:
    """`as_report` of `assess_group`; the arguments are those of the latter."""
    assessment = assess_group(
        ids,
        relations,
        footprints,
        lock_issues=lock_issues,
        measurement=measurement,
        running=running,
        capacity_limits=capacity_limits,
        budget_limits=budget_limits,
        measured=measured,
        separate_processes=separate_processes,
    )
    return as_report(assessment)


def as_report(assessment: GroupAssessment) -> dict[str, Any]:
    """The gate report as plain data, ready for JSON."""
    capacity, budget = assessment.capacity, assessment.budget
    sites = len(assessment.conflicts) <= _CONFLICTS_WITH_SITES
    return {
        "can_parallel": assessment.can_parallel,
        "task_count": len(assessment.ids),
        "tasks": list(assessment.ids),
        "file_conflicts": [_conflict(conflict, sites=sites) for conflict in assessment.conflicts],
        "conflict_sites_left_out": not sites,
        "read_only_pairs_left_out": assessment.read_only_pairs_left_out,
        "circular_dependencies": [list(cycle.chain) for cycle in assessment.cycles],
        "cycle_details": [_cycle(cycle) for cycle in assessment.cycles],
        "possible_cycles": [_cycle(cycle) for cycle in assessment.possible_cycles],
        "dependencies_within": [
            {"task": each.task_id, "waits_for": each.other, "kind": each.kind} for each in assessment.order_within
        ],
        "unknown_dependencies": [
            {"task": each.task_id, "dependency": each.reference.id, "location": str(each.reference.span)}
            for each in assessment.unknown_dependencies
        ],
        "cycle_cuts": [_edge(edge) for edge in assessment.cycle_cuts],
        "fewest_cuts_proven": assessment.fewest_cuts_proven,
        "lock_issues": [
            {"task": issue.task_id, "file": issue.file, "holder": issue.holder, "mode": issue.mode}
            for issue in assessment.lock_issues
        ],
        "lock_order_inversions": [_inversion(each) for each in assessment.lock_inversions],
        "resource_capacity": {
            "max_parallel_tasks": capacity.max_parallel_tasks,
            "requested": capacity.requested,
            "available": capacity.available,
            "running": capacity.running,
            "within_capacity": capacity.allowed,
            "reasons": [shortage.message for shortage in capacity.shortages],
        },
        "context_budget": {
            "total_complexity": _plain(budget.total_complexity),
            "max_complexity": _plain(budget.max_complexity),
            "within_budget": budget.within_budget,
            "total_tokens": budget.total_tokens,
            "max_tokens": budget.max_tokens,
            "expected_seconds": budget.expected_seconds,
            "recovery_seconds": budget.recovery_seconds,
            "tasks": [
                {
                    "task": load.task_id,
                    "complexity": _plain(load.complexity),
                    "counted_from": load.counted_from.value,
                    "tokens": load.tokens,
                }
                for load in budget.loads
            ],
            "reasons": list(budget.reasons),
        },
        "shared_state": [
            {
                "task1": each.first,
                "task2": each.second,
                "name": each.name,
                "type": each.weight.value,
                "kind": each.kind.value,
                "task1_sites": _state_sites(each.first_access),
                "task2_sites": _state_sites(each.second_access),
            }
            for each in assessment.shared
        ],
        "hazards": [
            {
                "kind": hazard.kind.value,
                "subject": hazard.subject,
                "tasks": list(hazard.tasks),
                "protection": hazard.protection,
            }
            for hazard in assessment.hazards
        ],
        "partition": {
            "move_out": list(assessment.partition.move_out),
            "proven_smallest": assessment.partition.proven_smallest,
            "hot_files": [
                {"file": hot.path, "conflicts": hot.conflicts, "tasks": list(hot.tasks)}
                for hot in assessment.partition.hot_files
            ],
        },
        "suggested_batches": [list(batch) for batch in assessment.batches],
        "incomplete": list(assessment.incomplete),
        "recommendations": recommendations(assessment),
    }


def _order_within(group: Sequence[str], relations: Relations) -> list[OrderWithin]:
    """Which members wait for which others, and which are parts of others; what follows from these is left out."""
    found: list[OrderWithin] = []
    position = {task_id: index for index, task_id in enumerate(group)}
    for task_id, earlier in zip(group, order_within(group, position, relations), strict=True):
        found.extend(OrderWithin(task_id, group[other], "dependency") for other in earlier if group[other] != task_id)
        nearest = next((ancestor for ancestor in relations.ancestors(task_id) if ancestor in position), None)
        if nearest is not None:
            found.append(OrderWithin(task_id, nearest, "parent"))
    return found


def _conflict(conflict: Conflict, *, sites: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "task1": conflict.first,
        "task2": conflict.second,
        "file": _shown(conflict.path),
        "type": conflict.weight.value,
        "kind": conflict.kind.value,
    }
    if sites:
        entry["task1_sites"] = [_touch(touch) for touch in conflict.first_touches]
        entry["task2_sites"] = [_touch(touch) for touch in conflict.second_touches]
    return entry


def _shown(path: str) -> str:
    return PathPattern(path).shown if "[" in path else path


def _touch(touch: Touch) -> dict[str, Any]:
    return {
        "path": _shown(touch.path),
        "operation": touch.operation.value,
        "origin": touch.origin.value,
        "file": touch.span.file,
        "line": touch.span.line,
        "column": touch.span.column,
        "conditional": touch.conditional,
    }


def _state_sites(access: SharedAccess) -> list[dict[str, Any]]:
    return [
        {"access": access.access, "file": site.file, "line": site.line, "column": site.column} for site in access.sites
    ]


def _inversion(inversion: LockInversion) -> dict[str, Any]:
    return {
        "task1": inversion.first,
        "task2": inversion.second,
        "task1_holds": inversion.held,
        "task1_waits_for": inversion.wanted,
        "task1_sites": [_place(site) for site in inversion.first_order.sites],
        "task2_sites": [_place(site) for site in inversion.second_order.sites],
    }


def _place(site: Site) -> dict[str, Any]:
    return {"file": site.file, "line": site.line, "column": site.column}


def _cycle(cycle: Cycle) -> dict[str, Any]:
    return {
        "chain": list(cycle.chain),
        "kind": cycle.kind.value,
        "edges": [_edge(edge) for edge in cycle.edges],
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "from": edge.source,
        "to": edge.target,
        "kind": edge.kind.value,
        "reason": edge.reason,
        "location": str(edge.span),
        "file": edge.path,
    }


def _plain(number: float) -> float:
    """Whole numbers without a fraction in JSON."""
    return int(number) if float(number).is_integer() else number
