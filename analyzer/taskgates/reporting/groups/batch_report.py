"""Batches and schedules, for programs and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.reporting.groups.document import Grid, Heading, Piece, Sentence
from taskgates.reporting.report import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.gates.batching import BatchPlan
    from taskgates.gates.makespan import Schedule


def batches_as_data(
    plan: BatchPlan, difficulty: Callable[[str], float], schedule: Schedule | None, timed: int = 0
) -> dict[str, Any]:
    """The plan as plain data, ready for JSON.

    Args:
        plan: the batches.
        difficulty: what the budget counts for a task.
        schedule: the makespan view, where durations are known.
        timed: how many of the tasks have a known duration.
    """
    data: dict[str, Any] = {
        "task_count": sum(map(len, plan.batches)),
        "batch_count": len(plan.batches),
        "batches": [list(batch) for batch in plan.batches],
        "complexities": [round(sum(map(difficulty, batch)), 3) for batch in plan.batches],
        "lower_bound": plan.lower_bound,
        "bound_reason": plan.bound_reason,
        "proven_optimal": plan.proven_optimal,
        "solver": plan.solver,
    }
    if schedule is not None:
        data["schedule"] = {
            "makespan_seconds": schedule.makespan,
            "lower_bound_seconds": schedule.lower_bound,
            "bound_reason": schedule.bound_reason,
            "proven_optimal": schedule.proven_optimal,
            "sequential_seconds": schedule.sequential,
            "solver": schedule.solver,
            "timed_tasks": timed,
            "tasks": [
                {"task": each.task_id, "start": each.start, "end": each.end, "lane": each.lane}
                for each in schedule.tasks
            ],
        }
    return data


def batches_document(data: dict[str, Any], title: Callable[[str], str]) -> list[Piece]:
    """What people want to know of `batches_as_data`.

    Args:
        data: the plan as plain data.
        title: the title of a task.
    """
    count, bound = data["batch_count"], data["lower_bound"]
    if data["proven_optimal"]:
        proof = Sentence(f"No division has fewer: {data['bound_reason']}.", "good")
    else:
        proof = Sentence(f"At least {_batches(bound)} are needed: {data['bound_reason']}.", "warning")
    pieces: list[Piece] = [
        Heading(f"{plural(data['task_count'], 'task')} in {_batches(count)}"),
        proof,
        Grid(
            ("Batch", "Difficulty", "Tasks"),
            tuple(
                (str(number), f"{complexity:g}", ", ".join(batch))
                for number, (batch, complexity) in enumerate(
                    zip(data["batches"], data["complexities"], strict=True), start=1
                )
            ),
        ),
    ]
    schedule = data.get("schedule")
    if schedule is not None:
        optimal = (
            "nothing ends earlier"
            if schedule["proven_optimal"]
            else f"nothing ends before {_seconds(schedule['lower_bound_seconds'])}"
        )
        pieces += [
            Heading(
                f"Schedule that ends after {_seconds(schedule['makespan_seconds'])} "
                f"({_seconds(schedule['sequential_seconds'])} one after the other)"
            ),
            Sentence(f"{optimal.capitalize()}: {schedule['bound_reason']}.", "plain"),
            *(
                [
                    Sentence(
                        f"The durations of {schedule['timed_tasks']} tasks are known; the others are taken for as long "
                        "as their mean.",
                        "plain",
                    )
                ]
                if schedule["timed_tasks"] < data["task_count"]
                else []
            ),
            Grid(
                ("Start", "End", "Slot", "Task", "Title"),
                tuple(
                    (
                        _seconds(each["start"]),
                        _seconds(each["end"]),
                        str(each["lane"] + 1),
                        each["task"],
                        title(each["task"]),
                    )
                    for each in schedule["tasks"]
                ),
            ),
        ]
    return pieces


def _seconds(value: float) -> str:
    return f"{round(value, 2):g} s"


def _batches(count: int) -> str:
    return f"{count:,} batch" if count == 1 else f"{count:,} batches"
