"""The graphs of tasks: conflicts, dependencies, schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.gates.conflicts import Conflict, ConflictKind, Weight
from taskgates.model.patterns import PathPattern
from taskgates.model.task import Status, Task
from taskgates.reporting.graphs.graph import Bar, Chart, Edge, Graph, Node
from taskgates.reporting.report import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from taskgates.gates.batching import BatchPlan
    from taskgates.gates.makespan import Schedule
    from taskgates.gates.relations import Relations

_KINDS = {
    Status.PENDING: "pending",
    Status.IN_PROGRESS: "in-progress",
    Status.BLOCKED: "blocked",
    Status.BROKEN_DOWN: "done",
    Status.ABSORBED: "done",
    Status.FINISHED: "done",
}
_STATES = (("pending", "pending"), ("in-progress", "in progress"), ("blocked", "blocked"), ("done", "finished"))


def task_node(task: Task) -> Node:
    """The box of a task."""
    difficulty = "" if task.difficulty is None else f", difficulty {task.difficulty:g}"
    return Node(
        task.id,
        _label(task),
        _KINDS[task.status],
        f"{_label(task)} ({task.raw_status or task.status.value}{difficulty}, {task.span.file})",
    )


def conflict_graph(tasks: Sequence[Task], conflicts: Iterable[Conflict]) -> Graph:
    """One line for each pair of tasks that meet at a file, whatever the number of files."""
    edges = [
        Edge(
            first,
            second,
            "blocking" if any(conflict.weight is Weight.BLOCKING for conflict in found) else "warning",
            plural(len(found), "file") if len(found) > 1 else _shown(found[0]),
            "; ".join(f"{conflict.kind.value} {_shown(conflict)}" for conflict in found),
        )
        for (first, second), found in _by_pair(conflicts).items()
    ]
    return Graph(
        f"Conflicts among {plural(len(tasks), 'task')}: {plural(len(edges), 'pair')} meet",
        tuple(map(task_node, tasks)),
        tuple(edges),
        directed=False,
        legend=(*_STATES, ("blocking", "both write it"), ("warning", "one writes, the other reads or imports")),
    )


def conflict_picture(tasks: Sequence[Task], conflicts: Iterable[Conflict]) -> Graph:
    """The same for a picture: files are boxes too, and each task is joined to the files at which it meets others.

    Twenty tasks at one file are twenty lines then, and not a hundred and ninety.
    """
    found = [conflict for conflict in conflicts if conflict.kind is not ConflictKind.READ_READ]
    pairs = len({(conflict.first, conflict.second) for conflict in found})
    roles: dict[str, dict[str, bool]] = {}
    for conflict in found:
        users = roles.setdefault(_shown(conflict), {})
        for task_id, touches in ((conflict.first, conflict.first_touches), (conflict.second, conflict.second_touches)):
            users[task_id] = users.get(task_id, False) or any(touch.operation.is_write for touch in touches)
    # Files have a name of their own, lest one is called like a task.
    files = tuple(Node(f"file {path}", path, "file", f"{path}: {plural(len(roles[path]), 'task')}") for path in roles)
    edges = tuple(
        Edge(
            task_id,
            f"file {path}",
            "blocking" if writes else "warning",
            detail=f"{task_id} {'writes' if writes else 'reads or imports'} {path}",
        )
        for path, users in roles.items()
        for task_id, writes in users.items()
    )
    return Graph(
        f"Conflicts among {plural(len(tasks), 'task')}: {plural(pairs, 'pair')} at {plural(len(files), 'file')}",
        (*map(task_node, tasks), *files),
        edges,
        directed=False,
        legend=(*_STATES, ("file", "file"), ("blocking", "writes it"), ("warning", "reads or imports it")),
    )


def conflicts_as_data(tasks: Sequence[Task], conflicts: Iterable[Conflict]) -> dict[str, Any]:
    """The conflict graph as plain data."""
    return {
        "kind": "conflicts",
        "nodes": [_node_data(task) for task in tasks],
        "edges": [
            {
                "source": first,
                "target": second,
                "type": "blocking" if any(conflict.weight is Weight.BLOCKING for conflict in found) else "warning",
                "files": [{"file": _shown(conflict), "kind": conflict.kind.value} for conflict in found],
            }
            for (first, second), found in _by_pair(conflicts).items()
        ],
    }


def dependency_graph(tasks: Sequence[Task], relations: Relations) -> Graph:
    """Who waits for whom, from the left to the right, and who is a part of whom."""
    kept = {task.id for task in tasks}
    edges = [
        Edge(reference, task.id, "dependency", detail=f"{task.id} depends on {reference}")
        for task in tasks
        for reference in dict.fromkeys(each.id for each in task.depends_on)
        if reference in kept
    ]
    edges += [
        Edge(parent, child, "parent", detail=f"{child} is a part of {parent}")
        for child, parent in _parents(relations)
        if child in kept and parent in kept
    ]
    count = sum(edge.kind == "dependency" for edge in edges)
    return Graph(
        f"{plural(count, 'dependency').replace('dependencys', 'dependencies')} of {plural(len(tasks), 'task')}",
        tuple(map(task_node, tasks)),
        tuple(edges),
        legend=(*_STATES, ("dependency", "the right one waits for the left one"), ("parent", "part of")),
    )


def dependencies_as_data(tasks: Sequence[Task], relations: Relations) -> dict[str, Any]:
    """The dependency graph as plain data; an edge leads from what comes first to what waits for it."""
    graph = dependency_graph(tasks, relations)
    return {
        "kind": "dependencies",
        "nodes": [_node_data(task) for task in tasks],
        "edges": [{"source": edge.source, "target": edge.target, "type": edge.kind} for edge in graph.edges],
    }


def batch_chart(tasks: Mapping[str, Task], plan: BatchPlan) -> Chart:
    """The batches as bars of equal length."""
    bars = tuple(
        _bar(tasks[task_id], float(number), number + 1.0)
        for number, batch in enumerate(plan.batches)
        for task_id in batch
    )
    bound = "no division has fewer" if plan.proven_optimal else f"at least {plan.lower_bound} are needed"
    count = len(plan.batches)
    return Chart(
        f"{plural(len(bars), 'task')} in {count} {'batch' if count == 1 else 'batches'} ({bound})",
        bars,
        "batch",
        float(count),
    )


def schedule_chart(tasks: Mapping[str, Task], schedule: Schedule) -> Chart:
    """The schedule as bars over time."""
    bound = "nothing ends earlier" if schedule.proven_optimal else f"nothing ends before {schedule.lower_bound:g} s"
    return Chart(
        f"{plural(len(schedule.tasks), 'task')} in {schedule.makespan:g} s ({bound})",
        tuple(_bar(tasks[each.task_id], each.start, each.end) for each in schedule.tasks),
        "s",
        schedule.makespan,
    )


def _bar(task: Task, start: float, end: float) -> Bar:
    return Bar(task.id, _label(task), _KINDS[task.status], start, end, tuple(each.id for each in task.depends_on))


def _label(task: Task) -> str:
    return f"{task.id}  {task.title}" if task.title else task.id


def _node_data(task: Task) -> dict[str, Any]:
    return {"id": task.id, "title": task.title, "status": task.status.value, "difficulty": task.difficulty}


def _shown(conflict: Conflict) -> str:
    return PathPattern(conflict.path).shown


def _by_pair(conflicts: Iterable[Conflict]) -> dict[tuple[str, str], list[Conflict]]:
    pairs: dict[tuple[str, str], list[Conflict]] = {}
    for conflict in conflicts:
        if conflict.kind is not ConflictKind.READ_READ:
            pairs.setdefault((conflict.first, conflict.second), []).append(conflict)
    return pairs


def _parents(relations: Relations) -> Iterable[tuple[str, str]]:
    """Each part with its parent."""
    for index, parent in enumerate(relations.parents):
        if parent >= 0:
            yield relations.ids[index], relations.ids[parent]
