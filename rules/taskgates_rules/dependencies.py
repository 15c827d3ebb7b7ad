"""TG2xx: the order that tasks declare, and the order that their data demands."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from taskgates.gates.conflicts import ConflictKind, Flow
from taskgates.gates.cycles import CircularGroup, Edge, EdgeKind
from taskgates.gates.footprint import Origin
from taskgates.model.finding import Finding, Related, Severity
from taskgates.model.patterns import PathPattern
from taskgates.scan.places import inside_root, place_of_touch, shown_path, task_names
from taskgates.scan.rule import Example, Precision, Rule, native_task

from taskgates_rules.example_tasks import writer_and_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.model.spans import SourceSpan
    from taskgates.scan.project import Project


class DependencyCycle(Rule):
    """Tasks wait for one another in a circle.

    What it is:
        A task depends on itself, directly or through others. The circle may be declared, may close through a parent
        that is not done before its parts are, or through data: a task that reads what the code of another writes has to
        wait for it. The message says which; a circle that rests on a pattern or a condition is a warning.

    Why it matters:
        None of these tasks can ever be started first. Where the circle closes through data only, they can be started,
        and each works on what the others left behind the last time.

    How to fix it:
        Remove one of the dependencies; the message names the fewest whose removal breaks every circle. A circle of data
        is broken by splitting a task, or by giving each direction a file of its own.
    """

    id = "TG201"
    name = "dependency-cycle"
    severity = Severity.ERROR
    precision = Precision.VERY_HIGH
    positive = (
        Example(
            "Three tasks in a circle.",
            {
                ".claude/tasks/task-1.json": native_task("1", dependencies=["3"]),
                ".claude/tasks/task-2.json": native_task("2", dependencies=["1"]),
                ".claude/tasks/task-3.json": native_task("3", dependencies=["2"]),
            },
        ),
        Example("A task that waits for itself.", {".claude/tasks/task-1.json": native_task("1", dependencies=["1"])}),
        Example(
            "Each task reads what the other writes.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python one.py", files_affected=["one.txt"]),
                ".claude/tasks/task-2.json": native_task("2", command="python two.py", files_affected=["two.txt"]),
                "one.py": 'open("one.txt", "w").write(open("two.txt").read())\n',
                "two.py": 'open("two.txt", "w").write(open("one.txt").read())\n',
            },
        ),
    )
    negative = (
        Example(
            "Two ways from one task to another are no circle.",
            {
                ".claude/tasks/task-1.json": native_task("1"),
                ".claude/tasks/task-2.json": native_task("2", dependencies=["1"]),
                ".claude/tasks/task-3.json": native_task("3", dependencies=["1"]),
                ".claude/tasks/task-4.json": native_task("4", dependencies=["2", "3"]),
            },
        ),
        Example(
            "A circle through a finished task holds nobody up.",
            {
                ".claude/tasks/task-1.json": native_task("1", dependencies=["2"], status="Finished"),
                ".claude/tasks/task-2.json": native_task("2", dependencies=["1"]),
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each set of tasks that wait for one another."""
        active = {task.id for task in project.tasks}
        for group in project.cycles.groups:
            if not active.intersection(group.members):
                continue
            first = group.cycles[0]
            edges = list(dict.fromkeys(edge for cycle in group.cycles[:_CHAINS_SHOWN] for edge in cycle.edges))
            certain = group.kind is not EdgeKind.DATA_FLOW or any(cycle.certain for cycle in group.cycles)
            yield self.finding(
                f"{self._chains(group)}; {self._remedy(group)}.",
                self._span(project, first.edges[0]),
                tasks=group.members,
                path=next((edge.path for edge in first.edges if edge.path is not None), None),
                severity=self.severity if certain else Severity.WARNING,
                related=[Related(f"task {edge.source} {edge.reason}", self._span(project, edge)) for edge in edges],
                key=[group.kind.value],
            )

    def _span(self, project: Project, edge: Edge) -> SourceSpan:
        """The place of an edge; the task's where the read is in its command or outside the repository."""
        return edge.span if inside_root(edge.span.file) else project.by_id[edge.source].span

    def _chains(self, group: CircularGroup) -> str:
        first = group.cycles[0]
        if len(group.members) == 1:
            return f"Task {group.members[0]} waits for itself"
        shown = [" -> ".join(cycle.chain) for cycle in group.cycles[:_CHAINS_SHOWN]]
        more = len(group.cycles) - len(shown)
        if not group.all_edges_shown:
            shown.append("more than can be listed")
        elif more:
            shown.append(f"{more} more")
        listed = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
        noun = "a circle" if len(first.chain) == len(group.members) + 1 and len(shown) == 1 else "circles"
        return (
            f"{task_names(group.members, capital=True)} wait for one another in {noun} ({listed}){_REASONS[group.kind]}"
        )

    def _remedy(self, group: CircularGroup) -> str:
        cuts = [f"{edge.source} on {edge.target}" for edge in group.cuts]
        if group.kind is EdgeKind.DATA_FLOW:
            return f"no order can satisfy both, unless {_joined(cuts, 'or')} no longer depends"
        if len(cuts) == 1:
            return f"remove the dependency of {cuts[0]} to break it"
        fewest = "the fewest dependencies" if group.fewest_cuts_proven else "dependencies"
        return f"{fewest} whose removal breaks them: {_joined(cuts, 'and')}"


_CHAINS_SHOWN = 3
_REASONS = {
    EdgeKind.DECLARED: " by their declared dependencies",
    EdgeKind.PARENT: ", since a task is done only when its parts are",
    EdgeKind.DATA_FLOW: ", since each reads what the next one writes or depends on it",
}


def _joined(parts: list[str], word: str) -> str:
    if len(parts) > 6:
        parts = [*parts[:5], f"{len(parts) - 5} more"]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


class UnknownDependency(Rule):
    """A task depends on a task that does not exist.

    What it is:
        The id under `dependencies` (or as parent, or under `subtasks`, a warning) belongs to no task of any manifest.

    Why it matters:
        Nothing can ever finish the missing task, so the one that waits for it never starts, or starts without it.

    How to fix it:
        Correct the id or remove the dependency. Ids of different manifests may need the format in front
        (`dvc:train`).
    """

    id = "TG202"
    name = "unknown-dependency"
    severity = Severity.ERROR
    precision = Precision.VERY_HIGH
    positive = (
        Example("The id is misspelled.", {".claude/tasks/task-1.json": native_task("1", dependencies=["l"])}),
        Example("The parent does not exist.", {".claude/tasks/task-1_1.json": native_task("1_1", parent_task="1")}),
    )
    negative = (
        Example(
            "A finished task is still known.",
            {
                ".claude/tasks/task-1.json": native_task("1", status="Finished"),
                ".claude/tasks/task-2.json": native_task("2", dependencies=["1"]),
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each reference to nothing."""
        active = {task.id for task in project.tasks}
        for unknown in project.relations.unknown_references:
            if unknown.task_id not in active:
                continue
            wanted = unknown.reference.id
            near = difflib.get_close_matches(wanted, project.relations.ids, n=1, cutoff=0.75)
            hint = f"; did you mean {near[0]}?" if near else "."
            says = {"dependency": "depends on", "parent": "names as its parent", "subtask": "names as its subtask"}
            yield self.finding(
                f"Task {unknown.task_id} {says[unknown.role]} task {wanted}, which does not exist{hint}",
                unknown.reference.span,
                tasks=[unknown.task_id],
                severity=self.severity if unknown.role == "dependency" else Severity.WARNING,
                key=[unknown.role, wanted],
            )


class MissingDependency(Rule):
    """A task reads what another task writes, and does not wait for it.

    What it is:
        The code of one task reads a path that the code (or the declared outputs) of another produces, and no chain of
        dependencies leads from one to the other. A file that does not exist yet and that a task without a
        program of its own declares under `files_affected` counts as produced by that task.

    Why it matters:
        The order in which the two run is left to chance: the reader finds no file, an old one, or half of a new one.

    How to fix it:
        Add the writer to the reader's dependencies.
    """

    id = "TG203"
    name = "missing-dependency"
    severity = Severity.WARNING
    precision = Precision.HIGH
    positive = (Example("The second step reads the result of the first.", writer_and_reader()),)
    negative = (
        Example(
            "The second step waits for the first through a third.",
            {
                **writer_and_reader(reader="3", dependencies=["2"]),
                ".claude/tasks/task-2.json": native_task("2", dependencies=["1"]),
            },
        ),
        Example(
            "Somebody edits the file that the task reads: a conflict, but no order follows from it.",
            {
                ".claude/tasks/task-1.json": native_task("1", files_affected=["settings.txt"]),
                ".claude/tasks/task-2.json": native_task("2", command="python show.py", files_affected=[]),
                "show.py": 'print(open("settings.txt").read())\n',
                "settings.txt": "",
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each reader and writer, naming the first path and counting the others."""
        flows: dict[tuple[str, str], list[Flow]] = {}
        for flow in (*project.flows, *self._created_by_hand(project)):
            if project.relations.may_run_together(flow.reader, flow.writer):
                flows.setdefault((flow.reader, flow.writer), []).append(flow)
        for (reader, writer), found in flows.items():
            if (writer, reader) in flows:
                # Each reads what the other writes: no dependency can mend that, it is a cycle of data.
                continue
            first = next((flow for flow in found if flow.certain), found[0])
            place = place_of_touch(first.read, project.by_id[reader])
            more = len(found) - 1
            others = f" (and {more} other {'path' if more == 1 else 'paths'})" if more else ""
            where = f" {place.where}" if place.where else ""
            dependencies = project.by_id[reader].depends_on
            yield self.finding(
                f"Task {reader} reads `{shown_path(first.path)}`{others}{where}, which [task {writer} writes](1), "
                f"but does not depend on task {writer}.",
                place.span,
                tasks=[reader, writer],
                path=shown_path(first.path),
                related=[
                    Related(
                        f"task {writer} writes `{shown_path(first.write.path)}`",
                        place_of_touch(first.write, project.by_id[writer]).span,
                    ),
                    Related(
                        f"the dependencies of task {reader}",
                        dependencies[0].span if dependencies else project.by_id[reader].span,
                    ),
                ],
                flow=place.flow,
                key=[place.function],
            )

    def _created_by_hand(self, project: Project) -> Iterator[Flow]:
        """Reads of files that do not exist yet and that another task declares: whoever does it will make them."""
        for conflict in project.conflicts_of(ConflictKind.READ_WRITE):
            sides = [(conflict.first, conflict.first_touches), (conflict.second, conflict.second_touches)]
            (writer, writes), (reader, reads) = sides if conflict.writer == conflict.first else sides[::-1]
            path = PathPattern(conflict.path)
            by_hand = all(touch.origin is Origin.EDIT and touch.path == conflict.path for touch in writes)
            program = project.declared(project.by_id[writer]).has_program
            if path.is_literal and by_hand and not program and not project.exists(path):
                yield Flow(writer, reader, conflict.path, writes[0], reads[0], certain=True)


class RedundantDependency(Rule):
    """A dependency that follows from others.

    What it is:
        A task depends directly on another on which it depends through a third anyway, or names it twice. Where a format
        makes dependencies from declared inputs, as DVC does, each is the input that it comes from, and none is named.

    Why it matters:
        It keeps nothing in order that is not in order already, and it hides the real chain when the order changes.

    How to fix it:
        Remove it, unless it is there for readers.
    """

    id = "TG204"
    name = "redundant-dependency"
    severity = Severity.NOTE
    precision = Precision.VERY_HIGH
    positive = (
        Example(
            "Task 3 waits for task 1 through task 2 already.",
            {
                ".claude/tasks/task-1.json": native_task("1"),
                ".claude/tasks/task-2.json": native_task("2", dependencies=["1"]),
                ".claude/tasks/task-3.json": native_task("3", dependencies=["2", "1"]),
            },
        ),
    )
    negative = (
        Example(
            "Two separate dependencies.",
            {
                ".claude/tasks/task-1.json": native_task("1"),
                ".claude/tasks/task-2.json": native_task("2"),
                ".claude/tasks/task-3.json": native_task("3", dependencies=["1", "2"]),
            },
        ),
        Example(
            "The last stage reads what each of the others makes.",
            {
                "dvc.yaml": (
                    "stages:\n  split:\n    cmd: cp all.csv test.csv\n    deps: [all.csv]\n    outs: [test.csv]\n"
                    "  train:\n    cmd: cp test.csv model.bin\n    deps: [test.csv]\n    outs: [model.bin]\n"
                    "  score:\n    cmd: diff test.csv model.bin\n    deps: [test.csv, model.bin]\n"
                ),
                "all.csv": "",
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each dependency outside the transitive reduction."""
        active = {task.id for task in project.tasks}
        for redundant in project.relations.redundant_dependencies:
            if redundant.task_id not in active:
                continue
            if any(path.span == redundant.reference.span for path in project.by_id[redundant.task_id].reads):
                continue
            target = redundant.reference.id
            if redundant.through == target:
                reason, related = "which it names twice", []
            else:
                reason = f"on which [task {redundant.through}](1), another of its dependencies, depends already"
                related = [Related(f"task {redundant.through}", self._span(project, redundant.through))]
            yield self.finding(
                f"Task {redundant.task_id} depends on task {target}, {reason}.",
                redundant.reference.span,
                tasks=[redundant.task_id],
                related=related,
                key=[target],
            )

    def _span(self, project: Project, task_id: str) -> SourceSpan:
        return project.by_id[task_id].span
