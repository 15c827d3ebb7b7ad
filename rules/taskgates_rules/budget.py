"""TG5xx: what the tasks ask of whoever does them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.gates.budget import BudgetLimits, DifficultyIssue, assess_budget, difficulty_problems
from taskgates.model.finding import Finding, Related, Severity
from taskgates.model.task import Status, Task
from taskgates.scan.places import task_names
from taskgates.scan.rule import Example, Precision, Rule, native_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.model.spans import SourceSpan
    from taskgates.scan.project import Project


def _difficulty_place(task: Task) -> SourceSpan:
    return task.difficulty_span or task.span


def _number(value: float) -> str:
    return f"{value:g}"


def _difficulty(task: Task) -> str:
    return "no difficulty" if task.difficulty is None else f"difficulty {_number(task.difficulty)}"


def _has_weight(task: Task) -> bool:
    """Whether the task counts against the budget: not in formats that know no difficulty, such as build pipelines."""
    return task.difficulty is not None or task.format == "claude-tasks"


class ContextBudgetExceeded(Rule):
    """Tasks that are done at the same time ask for more than the context budget.

    What it is:
        The difficulties of the tasks in progress add up to more than the budget (`max_context_complexity`, 30 unless it
        is configured), or a single task exceeds it alone. Where the hardest tasks that could be started now, as many as
        may run at once, add up to more than the budget, that is a warning: they can be done, but not together.

    Why it matters:
        Whoever does too much at once loses track: the quality of every one of the tasks suffers.

    How to fix it:
        Finish some tasks before others are started (`taskgates batches` says which go together), or break a large task
        down.
    """

    id = "TG501"
    name = "context-budget-exceeded"
    severity = Severity.ERROR
    precision = Precision.HIGH
    positive = (
        Example(
            "Four hard tasks are in progress.",
            {
                f".claude/tasks/task-{number}.json": native_task(str(number), status="In Progress", difficulty=9)
                for number in (1, 2, 3, 4)
            },
        ),
        Example(
            "Five tasks could be started, but not all of them at once.",
            {f".claude/tasks/task-{number}.json": native_task(str(number), difficulty=7) for number in (1, 2, 3, 4, 5)},
        ),
    )
    negative = (
        Example(
            "The tasks follow one another.",
            {
                ".claude/tasks/task-1.json": native_task("1", difficulty=9),
                ".claude/tasks/task-2.json": native_task("2", difficulty=9, dependencies=["1"]),
                ".claude/tasks/task-3.json": native_task("3", difficulty=9, dependencies=["2"]),
                ".claude/tasks/task-4.json": native_task("4", difficulty=9, dependencies=["3"]),
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for the tasks in progress, for those ready to start, and for each task that is too large."""
        limit = project.config.gates.max_context_complexity
        large = [task for task in project.tasks if task.difficulty is not None and task.difficulty > limit]
        for task in large:
            yield self.finding(
                f"The difficulty {_number(task.difficulty or 0)} of task {task.id} exceeds the context budget of "
                f"{_number(limit)} alone.",
                _difficulty_place(task),
                tasks=[task.id],
                key=["alone"],
            )
        too_large = {task.id for task in large}
        weighed = [task for task in project.tasks if _has_weight(task) and task.id not in too_large]
        running = [task for task in weighed if task.status is Status.IN_PROGRESS]
        total = self._total(project, running)
        if total > limit:
            yield self._group(
                running, f"are in progress with a total difficulty of {_number(total)}", limit, Severity.ERROR
            )
            return
        # No more than this many run at once, so that only the hardest of the others can matter.
        free = max(project.config.gates.max_parallel_tasks - len(running), 0)
        ready = sorted(
            self._ready(project, weighed),
            key=lambda task: self._total(project, [task]),
            reverse=True,
        )[:free]
        chosen = {task.id for task in (*running, *ready)}
        together = [task for task in weighed if task.id in chosen]
        total = self._total(project, together)
        if total > limit and ready:
            yield self._group(
                together,
                f"could be done at the same time, with a total difficulty of {_number(total)}",
                limit,
                Severity.WARNING,
            )

    def _total(self, project: Project, tasks: list[Task]) -> float:
        limits = BudgetLimits(max_complexity=project.config.gates.max_context_complexity)
        return assess_budget({task.id: task.difficulty for task in tasks}, limits=limits).total_complexity

    def _ready(self, project: Project, tasks: list[Task]) -> Iterator[Task]:
        """Those pending tasks whose dependencies are all done; a parent waits for its parts."""
        waiting = {task.id for task in project.all_tasks if task.status not in (Status.FINISHED, Status.ABSORBED)}
        parents = {
            project.relations.ids[parent]
            for index, parent in enumerate(project.relations.parents)
            if parent >= 0 and project.relations.ids[index] in waiting
        }
        for task in tasks:
            if task.status is not Status.PENDING or task.id in parents:
                continue
            if not any(reference.id in waiting for reference in task.depends_on):
                yield task

    def _group(self, tasks: list[Task], state: str, limit: float, severity: Severity) -> Finding:
        ids = [task.id for task in tasks]
        hint = "; `taskgates batches` says which go together" if severity is Severity.WARNING else ""
        return self.finding(
            f"{task_names(ids, capital=True)} {state}, above the context budget of {_number(limit)}{hint}.",
            _difficulty_place(tasks[0]),
            tasks=ids,
            severity=severity,
            related=[Related(f"task {task.id}: {_difficulty(task)}", _difficulty_place(task)) for task in tasks[1:20]],
            key=[severity.value],
        )


class DifficultyMissing(Rule):
    """A task's difficulty is missing or outside 1 to 10.

    What it is:
        The native format asks for a `difficulty` from 1 to 10. A task without one, or with one beyond the scale, is
        named; in other formats only values beyond the scale are.

    Why it matters:
        The context budget cannot be kept with numbers that are not there.

    How to fix it:
        Estimate the difficulty from 1 (trivial) to 10 (a task that should be broken down).
    """

    id = "TG502"
    name = "difficulty-missing-or-out-of-range"
    severity = Severity.WARNING
    precision = Precision.VERY_HIGH
    positive = (
        Example("No difficulty.", {".claude/tasks/task-1.json": '{\n  "id": "1",\n  "status": "Pending"\n}\n'}),
        Example("Beyond the scale.", {".claude/tasks/task-1.json": native_task("1", difficulty=11)}),
    )
    negative = (Example("On the scale.", {".claude/tasks/task-1.json": native_task("1", difficulty=10)}),)

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each such task."""
        for problem in difficulty_problems(project.tasks):
            task = problem.task
            if problem.issue is DifficultyIssue.MISSING:
                if not _has_weight(task):
                    continue
                message = f"Task {task.id} has no difficulty; give it one from 1 to 10."
            elif problem.issue is DifficultyIssue.OUT_OF_RANGE:
                message = f"The difficulty {_number(problem.declared or 0)} of task {task.id} is not between 1 and 10."
            else:
                continue
            yield self.finding(message, _difficulty_place(task), tasks=[task.id], key=[problem.issue.value])


class UnderstatedDifficulty(Rule):
    """A task's difficulty is far below what the size of its files speaks for.

    What it is:
        The files that the task edits and the modules that its code runs on hold so much text that the declared
        difficulty lies three or more below the one that their size implies: 1 up to about 2,000 tokens, one more for
        each doubling. Folders and globs are not counted, since few tasks touch everything in them.

    Why it matters:
        A task that needs more reading than its number says makes the context budget too optimistic.

    How to fix it:
        Raise the difficulty, or break the task down.
    """

    id = "TG503"
    name = "understated-difficulty"
    severity = Severity.NOTE
    precision = Precision.LOW
    positive = (
        Example(
            "A trivial task over a very long file.",
            {
                ".claude/tasks/task-1.json": native_task("1", difficulty=1, files_affected=["long.txt"]),
                "long.txt": "a line of some words\n" * 4000,
            },
        ),
    )
    negative = (
        Example(
            "A short file.",
            {
                ".claude/tasks/task-1.json": native_task("1", difficulty=1, files_affected=["short.txt"]),
                "short.txt": "a line of some words\n",
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each such task."""
        for problem in difficulty_problems(project.tasks, project.measured):
            if problem.issue is not DifficultyIssue.UNDERSTATED:
                continue
            task = problem.task
            yield self.finding(
                f"Task {task.id} declares difficulty {_number(problem.declared or 0)}, but its files hold about "
                f"{problem.tokens or 0:,} tokens, which speaks for {_number(round(problem.implied or 0))}.",
                _difficulty_place(task),
                tasks=[task.id],
            )
