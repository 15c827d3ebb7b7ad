"""TG9xx: manifests and sources that cannot be read as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.model.finding import Finding, Problem, Severity
from taskgates.scan.rule import Example, Precision, Rule, native_task, without_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.scan.project import Project


class _ProblemRule(Rule):
    """Passes on what the readers complained about under the rule's id."""

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each complaint."""
        for problem in project.problems:
            if problem.rule == self.id:
                message = self._sentence(problem)
                yield self.finding(message, problem.span, tasks=problem.tasks, key=[without_numbers(problem.message)])

    def _sentence(self, problem: Problem) -> str:
        """The complaint as a sentence."""
        text = problem.message.rstrip(".")
        return f"{text[:1].upper()}{text[1:]}."


class InvalidManifest(_ProblemRule):
    """A manifest, or a value in it, cannot be understood.

    What it is:
        The file is not well-formed, is not of the shape that its format demands, or has a value of the wrong type. What
        can be understood is still used; the finding says what was left out.

    Why it matters:
        A task that was not read takes part in no check: a scan without conflicts says nothing about it.

    How to fix it:
        Correct the manifest at the line given.
    """

    id = "TG901"
    name = "invalid-manifest"
    severity = Severity.ERROR
    precision = Precision.VERY_HIGH
    positive = (
        Example("A comma is missing.", {".claude/tasks/task-1.json": '{"id": "1"\n "title": "Broken"}\n'}),
        Example("A list where an object is expected.", {".claude/tasks/task-1.json": "[1, 2]\n"}),
    )
    negative = (Example("A task.", {".claude/tasks/task-1.json": native_task("1")}),)


class UnparsableSource(_ProblemRule):
    """A source file that a task runs or imports cannot be parsed.

    What it is:
        The file is not valid Python (of the versions that the analysis knows), cannot be decoded, or is too large.

    Why it matters:
        What the file does is unknown, so the access sets of the tasks that use it are incomplete.

    How to fix it:
        Correct the syntax or the encoding at the place given.
    """

    id = "TG902"
    name = "unparsable-source"
    severity = Severity.ERROR
    precision = Precision.VERY_HIGH
    positive = (
        Example(
            "A parenthesis is never closed.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python run.py", files_affected=["out.txt"]),
                "run.py": 'print("out"\nopen("out.txt", "w")\n',
            },
        ),
    )
    negative = (
        Example(
            "A file with a syntax error that no task uses.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python run.py", files_affected=["out.txt"]),
                "run.py": 'open("out.txt", "w").close()\n',
                "draft.py": "def (:\n",
            },
        ),
    )

    def _sentence(self, problem: Problem) -> str:
        """The complaint with the name of the file, which many reports show apart from the message."""
        return f"`{problem.span.file}` cannot be analysed: {problem.message.rstrip('.')}."


class DuplicateTask(_ProblemRule):
    """Two tasks have the same id.

    What it is:
        The id is taken by a task of the same format already. The first one counts, in the order of the manifests.

    Why it matters:
        Dependencies on the id are ambiguous, and the second task takes part in no check.

    How to fix it:
        Give each task an id of its own.
    """

    id = "TG903"
    name = "duplicate-task"
    severity = Severity.ERROR
    precision = Precision.VERY_HIGH
    positive = (
        Example(
            "A copied file whose id was not changed.",
            {
                ".claude/tasks/task-1.json": native_task("1"),
                ".claude/tasks/task-2.json": native_task("1"),
            },
        ),
    )
    negative = (
        Example(
            "Two tasks with ids of their own.",
            {
                ".claude/tasks/task-1.json": native_task("1"),
                ".claude/tasks/task-2.json": native_task("2"),
            },
        ),
    )
