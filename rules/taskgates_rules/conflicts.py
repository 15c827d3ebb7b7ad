"""TG1xx: tasks that may run together and meet at the same file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.gates.conflicts import Conflict, ConflictKind
from taskgates.gates.footprint import Origin, Touch
from taskgates.model.finding import Finding, Related, Severity
from taskgates.model.patterns import PathPattern
from taskgates.model.spans import SourceSpan
from taskgates.scan.places import Place, inside_root, place_of_touch, shown_path, verb_of_operation
from taskgates.scan.rule import Example, Precision, Rule, native_task

from taskgates_rules.example_tasks import writer_and_reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from taskgates.scan.project import Project


def _place(project: Project, task_id: str, touch: Touch) -> Place:
    """Where a touch is annotated: the code that does it, or the declaration."""
    return place_of_touch(touch, project.by_id[task_id])


def _act(touch: Touch) -> str:
    """What a task does to the file, in words."""
    if touch.origin is Origin.EDIT:
        return "edits"
    if touch.origin is Origin.DECLARED:
        return "declares to write" if touch.operation.is_write else "declares to read"
    return verb_of_operation(touch.operation, conditional=touch.conditional)


def _other_place(project: Project, task_id: str, touch: Touch, taken: Place) -> SourceSpan:
    """The second task's place; where it is the very place of the first, the nearest caller that only the second has."""
    place = _place(project, task_id, touch)
    if place.span != taken.span:
        return place.span
    if touch.site is not None:
        passed = {(step.span.file, step.span.line) for step in taken.flow}
        for frame in reversed(touch.site.via):
            if inside_root(frame.file) and (frame.file, frame.line) not in passed:
                return SourceSpan(frame.file, frame.line, 1, frame.line, 1)
    return project.by_id[task_id].span


def _sides(conflict: Conflict) -> tuple[tuple[str, Touch], tuple[str, Touch]]:
    """The two tasks with their touches: the one to annotate first.

    Code goes before declarations, since that is where people want to look; a reader goes before its writer.
    """
    first = (conflict.first, _proof(conflict.first_touches))
    second = (conflict.second, _proof(conflict.second_touches))
    if conflict.kind is ConflictKind.READ_WRITE:
        return (second, first) if conflict.writer == conflict.first else (first, second)
    if conflict.kind is ConflictKind.EDIT_IMPORT:
        return (first, second) if conflict.writer == conflict.first else (second, first)
    if second[1].site is not None and first[1].site is None:
        return second, first
    return first, second


def _proof(touches: tuple[Touch, ...]) -> Touch:
    """The touch to show: what the code does, which the declaration only announces."""
    return next((touch for touch in touches if touch.site is not None), touches[0])


def _without_echoes(conflicts: Iterable[Conflict]) -> Iterator[Conflict]:
    """Leave out what a pair's declarations say already.

    Where both tasks declare an area, each file that the code of only one of them writes there meets the other's
    declaration again. Files that the code of both writes stay: they are the proof.
    """
    declared: dict[tuple[str, str], list[PathPattern]] = {}
    listed = list(conflicts)
    for conflict in listed:
        if conflict.both_edit:
            declared.setdefault((conflict.first, conflict.second), []).append(PathPattern(conflict.path))
    for conflict in listed:
        areas = () if conflict.both_edit or conflict.both_run else declared.get((conflict.first, conflict.second), ())
        if not any(area.covers(PathPattern(conflict.path)) for area in areas):
            yield conflict


class _ConflictRule(Rule):
    """One kind of conflict, annotated at one task with a link to the other."""

    kind: ConflictKind

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each pair of tasks and each path at which they meet."""
        for conflict in _without_echoes(project.conflicts_of(self.kind)):
            (task, touch), (other, other_touch) = _sides(conflict)
            place = _place(project, task, touch)
            act = "imports" if conflict.kind is ConflictKind.EDIT_IMPORT else _act(other_touch)
            yield self.finding(
                self._message(conflict, (task, touch, place), (other, other_touch)),
                place.span,
                tasks=[conflict.first, conflict.second],
                path=shown_path(conflict.path),
                related=[
                    Related(
                        f"task {other} {act} `{shown_path(other_touch.path)}`",
                        _other_place(project, other, other_touch, place),
                    )
                ],
                flow=place.flow,
                key=[place.function],
            )

    def _message(self, conflict: Conflict, one: tuple[str, Touch, Place], two: tuple[str, Touch]) -> str:
        task, touch, place = one
        other, other_touch = two
        where = f" {place.where}" if place.where else ""
        tasks = f"Tasks {conflict.first} and {conflict.second} may run together"
        path = shown_path(conflict.path)
        as_pattern = f" as `{shown_path(touch.path)}`" if touch.path != conflict.path else ""
        other_pattern = f" as `{shown_path(other_touch.path)}`" if other_touch.path != conflict.path else ""
        if touch.origin is Origin.EDIT and other_touch.origin is Origin.EDIT:
            return (
                f"{tasks} and both edit `{path}`: task {task} declares it{as_pattern}, "
                f"[task {other}](1){other_pattern or ' too'}."
            )
        return (
            f"{tasks} and meet at `{path}`: task {task} {_act(touch)} it{as_pattern}{where}, "
            f"and [task {other} {_act(other_touch)} it](1){other_pattern}."
        )


class WriteWriteConflict(_ConflictRule):
    """Two tasks that may run together write the same file.

    What it is:
        Neither task depends on the other, directly or through others, neither is the other's parent, and both write the
        same path: both edit it, the code of both writes it, or one edits what the code of the other writes. Folders and
        globs count for everything below them or matching them.

    Why it matters:
        Whichever finishes last wins. Work is lost without an error, or the file ends up with pieces of both.

    How to fix it:
        Let one task depend on the other, give each an output of its own and join them in a third task, or guard the
        file with a lock and write it atomically.
    """

    id = "TG101"
    name = "write-write-conflict"
    severity = Severity.ERROR
    precision = Precision.HIGH
    kind = ConflictKind.WRITE_WRITE
    positive = (
        Example(
            "Two tasks edit the same file.",
            {
                ".claude/tasks/task-1.json": native_task("1", files_affected=["src/app.py"]),
                ".claude/tasks/task-2.json": native_task("2", files_affected=["src/app.py", "README.md"]),
            },
        ),
        Example(
            "The code of two tasks writes the same file through a helper.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python one.py", files_affected=["state/"]),
                ".claude/tasks/task-2.json": native_task("2", command="python two.py", files_affected=["state/"]),
                "progress.py": (
                    'def mark(step):\n    with open("state/progress.txt", "a") as out:\n        out.write(step)\n'
                ),
                "one.py": 'from progress import mark\n\nmark("one")\n',
                "two.py": 'from progress import mark\n\nmark("two")\n',
            },
        ),
        Example(
            "A declared folder contains the other task's file.",
            {
                ".claude/tasks/task-1.json": native_task("1", files_affected=["docs/"]),
                ".claude/tasks/task-2.json": native_task("2", files_affected=["docs/guide.md"]),
            },
        ),
    )
    negative = (
        Example(
            "The second task waits for the first, through a third.",
            {
                ".claude/tasks/task-1.json": native_task("1", files_affected=["src/app.py"]),
                ".claude/tasks/task-2.json": native_task("2", dependencies=["1"]),
                ".claude/tasks/task-3.json": native_task("3", dependencies=["2"], files_affected=["src/app.py"]),
            },
        ),
        Example(
            "A task and its part.",
            {
                ".claude/tasks/task-1.json": native_task("1", subtasks=["1_1"], files_affected=["src/app.py"]),
                ".claude/tasks/task-1_1.json": native_task("1_1", parent_task="1", files_affected=["src/app.py"]),
            },
        ),
        Example(
            "One of the two is finished.",
            {
                ".claude/tasks/task-1.json": native_task("1", status="Finished", files_affected=["src/app.py"]),
                ".claude/tasks/task-2.json": native_task("2", files_affected=["src/app.py"]),
            },
        ),
    )


class ReadWriteConflict(_ConflictRule):
    """One task reads what another that may run at the same time writes.

    What it is:
        Neither task depends on the other, directly or through others, neither is the other's parent, and the code of
        one reads (or lists) a path that the other writes or edits.

    Why it matters:
        The reader sees the old content, the new, or half of it, depending on the moment.

    How to fix it:
        Let the reader depend on the writer, or write the file under another name and rename it when it is complete.
    """

    id = "TG102"
    name = "read-write-conflict"
    severity = Severity.WARNING
    precision = Precision.HIGH
    kind = ConflictKind.READ_WRITE
    positive = (Example("One task writes the table that the other reads.", writer_and_reader()),)
    negative = (Example("The reader depends on the writer.", writer_and_reader(dependencies=["1"])),)


class ReadReadOverlap(_ConflictRule):
    """Two tasks that may run together read the same file.

    What it is:
        The code of both tasks reads the same path and neither writes it. Off by default.

    Why it matters:
        Reading together is safe; it is worth knowing when a file is about to be moved, or to see which tasks work on
        the same data and could share the reading.

    How to fix it:
        Nothing needs to be fixed.
    """

    id = "TG103"
    name = "read-read-overlap"
    severity = Severity.NOTE
    precision = Precision.HIGH
    enabled = False
    kind = ConflictKind.READ_READ
    positive = (
        Example(
            "Both tasks read the settings.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python one.py", files_affected=["settings.txt"]),
                ".claude/tasks/task-2.json": native_task("2", command="python two.py", files_affected=[]),
                "one.py": 'print(open("shared.txt").read())\n',
                "two.py": 'print(open("shared.txt").read(), 2)\n',
            },
        ),
    )
    negative = (
        Example(
            "Each task reads a file of its own.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python one.py", files_affected=[]),
                ".claude/tasks/task-2.json": native_task("2", command="python two.py", files_affected=[]),
                "one.py": 'print(open("one.txt").read())\n',
                "two.py": 'print(open("two.txt").read())\n',
            },
        ),
    )


class EditImportCoupling(_ConflictRule):
    """One task edits a module that the code of another imports.

    What it is:
        Neither task depends on the other, directly or through others, neither is the other's parent, and one edits (or
        writes) a source file that the other's code imports when it runs.

    Why it matters:
        The other task runs with the module as it was, as it will be, or broken halfway through the change.

    How to fix it:
        Let one task depend on the other, or do the edit in a working copy of its own.
    """

    id = "TG104"
    name = "edit-import-coupling"
    severity = Severity.WARNING
    precision = Precision.HIGH
    kind = ConflictKind.EDIT_IMPORT
    positive = (
        Example(
            "One task changes the module that the other runs on.",
            {
                ".claude/tasks/task-1.json": native_task("1", files_affected=["prices.py"]),
                ".claude/tasks/task-2.json": native_task("2", command="python shop.py", files_affected=["list.txt"]),
                "prices.py": "TEA = 4\n",
                "shop.py": 'import prices\n\nopen("list.txt", "w").write(str(prices.TEA))\n',
            },
        ),
    )
    negative = (
        Example(
            "The edited module is not imported by the other task.",
            {
                ".claude/tasks/task-1.json": native_task("1", files_affected=["prices.py"]),
                ".claude/tasks/task-2.json": native_task("2", command="python shop.py", files_affected=["list.txt"]),
                "prices.py": "TEA = 4\n",
                "shop.py": 'open("list.txt", "w").write("tea")\n',
            },
        ),
    )

    def _message(self, conflict: Conflict, one: tuple[str, Touch, Place], two: tuple[str, Touch]) -> str:
        task, touch, _ = one
        act = "edits" if touch.origin is Origin.EDIT else "writes"
        where = f" (declared as `{touch.path}`)" if touch.path != conflict.path else ""
        return (
            f"Task {task} {act} `{shown_path(conflict.path)}`{where}, which the code of [task {two[0]} imports](1), "
            "and the two may run together."
        )
