"""What to do about what the gates found, in sentences that name the tasks and the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.gates.conflicts import ConflictKind, Weight
from taskgates.model.access import SharedKind
from taskgates.model.natural_order import natural_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.gates.assessment import GroupAssessment

_NAMED = 5
"""Items of one kind that are spelled out; how many more there are is said."""


def recommendations(assessment: GroupAssessment) -> list[str]:
    """What to do, the gravest first; never empty when the group is refused."""
    advice = [
        *_cycles(assessment),
        *_order(assessment),
        *_conflicts(assessment),
        *_locks(assessment),
        *_inversions(assessment),
        *_capacity(assessment),
        *_budget(assessment),
        *_shared(assessment),
    ]
    if len(assessment.batches) > 1:
        shown = "; then ".join(_list(batch) for batch in assessment.batches[:_NAMED])
        more = f"; {len(assessment.batches) - _NAMED} more follow" if len(assessment.batches) > _NAMED else ""
        advice.append(f"Run the group in {len(assessment.batches)} batches instead: {shown}{more}")
    if assessment.incomplete:
        advice.append(
            f"The analysis did not see everything that {_list(assessment.incomplete)} "
            f"{'does' if len(assessment.incomplete) == 1 else 'do'}; look at what it reports as opaque or unknown "
            f"before relying on this answer"
        )
    return advice


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def _limited(sentences: list[str], what: str) -> list[str]:
    if len(sentences) <= _NAMED:
        return sentences
    return [*sentences[:_NAMED], f"The same for {len(sentences) - _NAMED} more {what}"]


def _cycles(assessment: GroupAssessment) -> list[str]:
    cuts = {(edge.source, edge.target): edge for edge in assessment.cycle_cuts}
    found: list[str] = []
    for cycle in assessment.cycles:
        weakest = next(
            (edge for edge in cycle.edges if (edge.source, edge.target) in cuts),
            max(cycle.edges, key=lambda edge: (edge.kind is cycle.kind, edge.span)),
        )
        found.append(
            f"Break the cycle {' -> '.join(cycle.chain)}, for example where {weakest.source} {weakest.reason} "
            f"({weakest.span})"
        )
    advice = _limited(found, "cycles")
    if len(found) > 1 and len(cuts) < len(found):
        places = [f"{edge.source} -> {edge.target} ({edge.span})" for edge in cuts.values()]
        fewest = " and no fewer" if assessment.fewest_cuts_proven else ""
        what = f"1 cut{fewest} breaks" if len(cuts) == 1 else f"{len(cuts)} cuts{fewest} break"
        advice.append(f"{what} all of these {len(found)} cycles: {_list(places)}")
    return advice


def _order(assessment: GroupAssessment) -> list[str]:
    found = [
        f"Start {each.task_id} after {each.other}, on which it depends"
        if each.kind == "dependency"
        else f"Do not start {each.task_id} together with {each.other}, of which it is a part"
        for each in assessment.order_within
    ]
    unknown = [
        f"Correct the dependency of {each.task_id} on {each.reference.id}, which does not exist ({each.reference.span})"
        for each in assessment.unknown_dependencies
    ]
    return _limited(found, "pairs") + _limited(unknown, "dependencies")


def _conflicts(assessment: GroupAssessment) -> list[str]:
    found: list[str] = []
    blocking = [conflict for conflict in assessment.conflicts if conflict.weight is Weight.BLOCKING]
    together: dict[tuple[str, str], list[str]] = {}
    for conflict in blocking:
        together.setdefault((conflict.first, conflict.second), []).append(conflict.path)
    if len(together) <= _NAMED:
        found.extend(
            f"Execute {first} and {second} sequentially: both write {_list(paths)}"
            for (first, second), paths in together.items()
        )
    else:
        hot = assessment.partition.hot_files[0]
        found.append(
            f"Execute conflicting tasks sequentially: {len(together)} pairs write the same files, "
            f"most of them {hot.path} ({hot.conflicts} pairs)"
        )
    warnings = [
        f"Let {reader} depend on {conflict.writer}, or keep them apart: {reader} "
        f"{'imports' if conflict.kind is ConflictKind.EDIT_IMPORT else 'reads'} {conflict.path}, which "
        f"{conflict.writer} {'edits' if conflict.kind is ConflictKind.EDIT_IMPORT else 'writes'}"
        for conflict in assessment.conflicts
        if conflict.weight is Weight.WARNING
        for reader in (conflict.second if conflict.writer == conflict.first else conflict.first,)
    ]
    found.extend(_limited(warnings, "pairs"))
    out = assessment.partition.move_out
    if together and out:
        rest = len(assessment.ids) - len(out)
        smallest = "the smallest set" if assessment.partition.proven_smallest else "a small set"
        found.append(f"Move {_list(out)} out ({smallest} that leaves no conflict among the other {rest})")
    return found


def _locks(assessment: GroupAssessment) -> list[str]:
    found = [
        f"Wait until {issue.holder or 'its holder'} releases {issue.file}, which {issue.task_id} needs"
        for issue in assessment.lock_issues
    ]
    return _limited(found, "locks")


def _inversions(assessment: GroupAssessment) -> list[str]:
    found = [
        f"Take {each.held} and {each.wanted} in one order in {each.first}"
        + (f" and {each.second}: each of the two" if each.first != each.second else ": its workers")
        + " may hold one of them and wait for the other for ever"
        for each in assessment.lock_inversions
    ]
    return _limited(found, "pairs of locks")


def _capacity(assessment: GroupAssessment) -> list[str]:
    capacity = assessment.capacity
    found: list[str] = []
    if not capacity.allowed:
        start = (
            f"Start at most {capacity.available} of the {capacity.requested} tasks now"
            if capacity.available
            else "Start none of the tasks now"
        )
        reasons = "; ".join(shortage.message for shortage in capacity.shortages if shortage.refuses)
        found.append(f"{start}: {reasons}")
    found.extend(f"Mind the load: {shortage.message}" for shortage in capacity.shortages if not shortage.refuses)
    return found


def _budget(assessment: GroupAssessment) -> list[str]:
    budget = assessment.budget
    if budget.within_budget:
        return []
    excess = budget.total_complexity - budget.max_complexity
    out: list[str] = []
    for load in sorted(budget.loads, key=lambda load: -load.complexity):
        if excess <= 0:
            break
        out.append(load.task_id)
        excess -= load.complexity
    sentence = f"Reduce the group: {'; '.join(budget.reasons)}"
    return [f"{sentence}; without {_list(out)} it fits" if out and budget.max_tokens is None else sentence]


def _shared(assessment: GroupAssessment) -> list[str]:
    users: dict[tuple[str, SharedKind], set[str]] = {}
    for shared in assessment.shared:
        users.setdefault((shared.name, shared.kind), set()).update((shared.first, shared.second))
    found = []
    for (name, kind), ids in users.items():
        tasks = _list(sorted(ids, key=natural_key))
        if kind is SharedKind.PROCESS:
            found.append(f"Run {tasks} in processes of their own: they share {name}")
        else:
            found.append(f"Guard {name} with one lock in all of {tasks}, or run them one after the other")
    hazards = [
        f"{hazard.subject} ({hazard.kind.value} of {_list(hazard.tasks)}): {hazard.protection}"
        for hazard in assessment.hazards
    ]
    return _limited(found, "names") + _limited(hazards, "hazards")
