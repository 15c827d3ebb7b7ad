"""TG703 to TG705: declarations that nothing bears out."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from taskgates.model.finding import Finding, Severity
from taskgates.model.patterns import PathPattern, escape, normalise_path
from taskgates.model.task import Status, Task
from taskgates.scan.places import in_repository
from taskgates.scan.rule import Example, Precision, Rule, native_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.scan.declared import Declaration
    from taskgates.scan.project import Project


_INTERPRETER = re.compile(r"python[\d.]*|(?:ba|da|z|k)?sh")
_SCRIPT = re.compile(r"[^-/~].*\.(?:py|sh)")


def _names_in_command(task: Task) -> frozenset[str]:
    """Words of the task's command and its sources, normalised as paths."""
    if task.command is None:
        words = [source.partition(":")[0] for source in task.sources]
    else:
        words = list(task.command.argv or ()) or (task.command.shell or "").split()
    return frozenset(PathPattern(word.strip("'\"")).text for word in words if word.strip("'\""))


def _script_of(task: Task) -> str | None:
    """The script that a plain command such as `python train.py --fast` starts; None for anything less plain."""
    if task.command is None:
        return None
    words = task.command.argv or ()
    if task.command.shell is not None:
        if any(sign in task.command.shell for sign in "$`;&|<>()*?{}\n"):
            return None
        try:
            words = tuple(shlex.split(task.command.shell))
        except ValueError:
            return None
    if len(words) < 2 or not _INTERPRETER.fullmatch(words[0].rpartition("/")[2]) or not _SCRIPT.fullmatch(words[1]):
        return None
    return normalise_path(f"{task.command.cwd}/{words[1]}")


class DeclaredButUnused(Rule):
    """A task declares a path that its code never touches.

    What it is:
        A declared input is neither read nor imported, or a declared output is never written, by code that the analysis
        saw completely. In the native format, where a declared file may also be one that is edited by hand, only files
        that the task's `command` or `source` leaves alone and that are no source files are named.

    Why it matters:
        Each needless declaration keeps tasks apart that could run together, and makes caches miss. Where the declared
        path is a misspelling, the file that was meant is not protected.

    How to fix it:
        Remove the declaration or correct its spelling; keep it where whoever does the task edits the file by hand.
    """

    id = "TG703"
    name = "declared-but-unused"
    severity = Severity.NOTE
    precision = Precision.MEDIUM
    positive = (
        Example(
            "The code writes another file than the one declared.",
            {
                ".claude/tasks/task-1.json": native_task(
                    "1", command="python report.py", files_affected=["summary.txt", "totals.txt"]
                ),
                "report.py": 'open("totals.txt", "w").write("0")\n',
                "summary.txt": "",
            },
        ),
    )
    negative = (
        Example(
            "Every declared file is written, read, or part of the program.",
            {
                ".claude/tasks/task-1.json": native_task(
                    "1", command="python report.py", files_affected=["report.py", "totals.txt", "in.txt"]
                ),
                "report.py": 'open("totals.txt", "w").write(open("in.txt").read())\n',
                "in.txt": "",
            },
        ),
        Example(
            "A task without a program is done by hand.",
            {".claude/tasks/task-1.json": native_task("1", files_affected=["README.md"]), "README.md": ""},
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each declaration that nothing uses."""
        for task in project.tasks:
            access = project.access(task)
            if access is None or not access.complete:
                continue
            touched = project.touched(task)
            named = _names_in_command(task)
            declared = project.declared(task)
            for entry in declared.all:
                if entry.role == "edit" and (not declared.has_program or entry.path.endswith(".py")):
                    continue
                if any(entry.pattern.matches(name) for name in named):
                    continue
                if any(entry.overlaps(pattern) for pattern in declared.runner_reads):
                    continue
                used = touched.writes if entry.role == "write" else touched.all
                if any(entry.overlaps(pattern) or entry.overlaps(pattern.below) for pattern in used):
                    continue
                act = {"read": "reads", "write": "writes", "edit": "touches"}[entry.role]
                yield self.finding(
                    f"Task {task.id} declares `{entry.path}`, but its code never {act} it.",
                    entry.declared.span,
                    tasks=[task.id],
                    path=entry.path,
                    key=[entry.role],
                    fixable=entry.role != "edit",
                )


class DeclaredFileMissing(Rule):
    """A declared file is neither on disk nor written by any task.

    What it is:
        A declared input, or the script that a task runs, does not exist and no task writes or edits it. In the native
        format: a file declared by a finished task does not exist, or a task has a program that the analysis saw
        completely and neither this program nor that of any other task writes the file. A task that may still run and is
        done by hand is expected to create the files that it declares.

    Why it matters:
        The task will fail for want of its input, or the declaration is misspelled and protects nothing.

    How to fix it:
        Correct the path, add the file, or add the task that makes it.
    """

    id = "TG704"
    name = "declared-file-missing"
    severity = Severity.WARNING
    precision = Precision.HIGH
    positive = (
        Example(
            "The declared file is misspelled.",
            {
                ".claude/tasks/task-1.json": native_task(
                    "1", command="python report.py", files_affected=["totals.txt", "dta/in.txt"]
                ),
                "report.py": 'open("totals.txt", "w").write(open("data/in.txt").read())\n',
                "data/in.txt": "",
            },
        ),
        Example(
            "A finished task has left no trace of its file.",
            {".claude/tasks/task-1.json": native_task("1", status="Finished", files_affected=["docs/guide.md"])},
            include_finished=True,
        ),
    )
    negative = (
        Example(
            "A task that is still to be done creates its file.",
            {".claude/tasks/task-1.json": native_task("1", files_affected=["docs/guide.md"])},
        ),
        Example(
            "Another task writes the file.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python make.py", files_affected=["data.txt"]),
                ".claude/tasks/task-2.json": native_task(
                    "2", command="python use.py", files_affected=["data.txt"], dependencies=["1"]
                ),
                "make.py": 'open("data.txt", "w").write("")\n',
                "use.py": 'print(open("data.txt").read())\n',
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each declaration of a file that will not be there."""
        for task in project.tasks:
            yield from self._programs(project, task)
            for entry in project.declared(task).all:
                if not self._must_exist(project, task, entry) or project.exists(entry.pattern):
                    continue
                if self._is_made(project, task, entry):
                    continue
                yield self.finding(
                    f"Task {task.id} declares `{entry.path}`, which is neither on disk nor written by any task.",
                    entry.declared.span,
                    tasks=[task.id],
                    path=entry.path,
                    key=[entry.role],
                )

    def _programs(self, project: Project, task: Task) -> Iterator[Finding]:
        """The files that the manifest names as the task's program; those among its edits are left to the edits."""
        edited = {entry.path for entry in project.declared(task).edits}
        script = _script_of(task)
        named = [(source, "source") for source in task.sources if ":" not in source and source.endswith(".py")]
        if script is not None:
            named.append((script, "command"))
        for path, role in named:
            pattern = PathPattern(escape(path))
            if path in edited or not in_repository(pattern):
                continue
            if not project.exists(pattern) and not project.writers_of(pattern):
                yield self.finding(
                    f"The {role} of task {task.id} runs `{path}`, which is neither on disk nor written by any task.",
                    task.span,
                    tasks=[task.id],
                    path=path,
                    key=[role],
                )

    def _must_exist(self, project: Project, task: Task, entry: Declaration) -> bool:
        if not in_repository(entry.pattern):
            return False
        if entry.role == "read":
            return True
        if entry.role == "write":
            return False
        if task.status is Status.FINISHED:
            return True
        access = project.access(task)
        return project.declared(task).has_program and access is not None and access.complete

    def _is_made(self, project: Project, task: Task, entry: Declaration) -> bool:
        for writer in project.writers_of(entry.pattern):
            if writer != task.id or entry.role == "read":
                return True
        return any(entry.overlaps(pattern) for pattern in project.touched(task).writes)


class DeclarationTooBroad(Rule):
    """A task declares a whole folder or glob but touches only a small part of it.

    What it is:
        The declared folder or glob has files that the task's code, seen completely, never touches, and everything that
        it does touch there fits into something narrower.

    Why it matters:
        A broad declaration makes tasks wait for one another, and caches miss, for files that they do not share.

    How to fix it:
        Declare what is touched; the message names it.
    """

    id = "TG705"
    name = "declaration-too-broad"
    severity = Severity.NOTE
    precision = Precision.MEDIUM
    positive = (
        Example(
            "The whole data folder is declared for one file.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python use.py", files_affected=["data/"]),
                "use.py": 'print(open("data/a.txt").read())\n',
                "data/a.txt": "",
                "data/b.txt": "",
                "data/c/d.txt": "",
            },
        ),
    )
    negative = (
        Example(
            "Everything in the folder is read.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python use.py", files_affected=["data/"]),
                "use.py": 'import glob\n\nfor path in glob.glob("data/*"):\n    print(open(path).read())\n',
                "data/a.txt": "",
                "data/b.txt": "",
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each declared folder or glob that could be narrower."""
        for task in project.tasks:
            access = project.access(task)
            declared = project.declared(task)
            if access is None or not access.complete or not declared.has_program:
                continue
            touched = project.touched(task)
            for entry in declared.all:
                if not project.is_area(entry.path) or not in_repository(entry.pattern):
                    continue
                used = touched.writes if entry.role == "write" else touched.all
                parts = [pattern for pattern in used if entry.overlaps(pattern)]
                if not parts or any(pattern.covers(entry.pattern) for pattern in parts):
                    continue
                left = [
                    path
                    for path in project.files_matching(entry.pattern)
                    if not any(part.matches(path) or part.below.matches(path) for part in parts)
                ]
                if left:
                    yield self._report(task, entry, parts, left)

    def _report(self, task: Task, entry: Declaration, parts: list[PathPattern], left: list[str]) -> Finding:
        names = [f"`{part}`" for part in dict.fromkeys(parts)]
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        files = "1 file" if len(left) == 1 else f"{len(left)} files"
        return self.finding(
            f"Task {task.id} declares `{entry.path}` but touches only {shown} of it; {files} such as `{left[0]}` "
            "could be used by other tasks at the same time.",
            entry.declared.span,
            tasks=[task.id],
            path=entry.path,
            key=[entry.role],
        )
