"""TG701, TG702, TG706: what the code does and the declarations do not say, or the analysis cannot see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.model.access import Access, Operation
from taskgates.model.finding import Finding, Related, Severity
from taskgates.scan.declared import Declaration, by_path, pattern_of
from taskgates.scan.places import in_repository, inside_root, place_of, shown_path, sites_of, task_names, verb_of
from taskgates.scan.rule import Example, Precision, Rule, native_task, without_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.model.patterns import PathPattern
    from taskgates.model.spans import Site, SourceSpan
    from taskgates.model.task import Task
    from taskgates.scan.project import Project


def _declaration_place(task: Task) -> SourceSpan:
    """Where the task's declarations begin, or the task where it has none."""
    declared = (*task.edits, *task.writes, *task.reads)
    return declared[0].span if declared else task.span


def _declared(task: Task, partly: tuple[Declaration, ...], otherwise: str) -> tuple[str, Related]:
    """What a message says of the declarations that cover an access in part, or not at all, and where they are."""
    if partly:
        path = partly[0].path
        return f"of which the task [declares only `{path}`](1)", Related(
            f"declares only `{path}`", partly[0].declared.span
        )
    return otherwise, Related(f"the declarations of task {task.id}", _declaration_place(task))


def _further_sites(sites: list[Site], first: SourceSpan) -> list[Related]:
    """The other places of an access, as far as they lie in the repository; a handful is enough to find them."""
    others = dict.fromkeys(site.span for site in sites if inside_root(site.file) and site.span != first)
    return [Related("also here", span) for span in list(others)[:5]]


def _is_passing(accesses: list[Access]) -> bool:
    """Whether a file that only this run could name is made and taken away again: under no name is it left behind."""
    made = [each for each in accesses if each.operation not in (Operation.RENAME, Operation.DELETE)]
    sites = [site for each in made for site in each.sites]
    return len(made) < len(accesses) and bool(sites) and all(site.call.startswith("tempfile.") for site in sites)


def _is_only_listed(accesses: list[Access]) -> bool:
    return all(each.operation is Operation.LIST for each in accesses)


class UndeclaredWrite(Rule):
    """The code of a task writes a file that the task does not declare.

    What it is:
        The path that a task's code creates, overwrites, appends to, renames or deletes is covered by none of the files,
        folders and globs that the task declares. A pattern of paths of which only some are declared is a warning, and
        so is a path outside the repository. Folders that are made on the way do not count.

    Why it matters:
        Whoever starts tasks side by side goes by the declarations. A write that nobody knows of can overwrite the
        output of another task, and neither caching nor cleaning up knows about it.

    How to fix it:
        Declare the path (in the native format under `files_affected`), or write somewhere that is declared. Where the
        write is deliberate but harmless, accept the finding with a baseline.
    """

    id = "TG701"
    name = "undeclared-write"
    severity = Severity.ERROR
    precision = Precision.HIGH
    positive = (
        Example(
            "The helper also writes a log that is not declared.",
            {
                ".claude/tasks/task-1.json": native_task(
                    "1", command="python report.py", files_affected=["report.txt"]
                ),
                "report.py": (
                    'def note(text):\n    with open("logs/report.log", "a") as log:\n        log.write(text)\n\n\n'
                    'with open("report.txt", "w") as out:\n    out.write("fine")\nnote("done")\n'
                ),
            },
        ),
    )
    negative = (
        Example(
            "A declared folder covers what lies below it.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python report.py", files_affected=["logs/"]),
                "report.py": 'with open("logs/report.log", "a") as log:\n    log.write("done")\n',
            },
        ),
        Example(
            "A glob covers what matches it.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python split.py", files_affected=["out/*.txt"]),
                "split.py": (
                    'for name in ("a", "b"):\n    with open(f"out/{name}.txt", "w") as out:\n        out.write(name)\n'
                ),
            },
        ),
        Example(
            "A file of `tempfile` gets the declared name in the end; nobody can know its first one.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python save.py", files_affected=["out.txt"]),
                "save.py": (
                    "import os\nimport tempfile\n\n"
                    'with tempfile.NamedTemporaryFile("w", dir=".", delete=False) as new:\n    new.write("done")\n'
                    'os.replace(new.name, "out.txt")\n'
                ),
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each task and undeclared path."""
        for task in project.tasks:
            access = project.access(task)
            if access is None:
                continue
            declared = project.declared(task)
            for pattern, accesses in by_path(access.writes).items():
                if declared.covers_write(pattern) or _is_passing(accesses):
                    continue
                yield self._report(task, pattern, accesses, declared.partly_covers_write(pattern))

    def _report(
        self, task: Task, pattern: PathPattern, accesses: list[Access], partly: tuple[Declaration, ...]
    ) -> Finding:
        sites = sites_of(accesses)
        place = place_of(sites, task)
        detail, declared = _declared(task, partly, "which the task [does not declare](1)")
        certain = not partly and in_repository(pattern)
        return self.finding(
            f"Task {task.id} {verb_of(accesses)} `{shown_path(pattern)}` {place.where}".rstrip() + f", {detail}.",
            place.span,
            tasks=[task.id],
            path=shown_path(pattern),
            severity=self.severity if certain else Severity.WARNING,
            related=[declared, *_further_sites(sites, place.span)],
            flow=place.flow,
            key=[place.function],
            fixable=True,
        )


class UndeclaredRead(Rule):
    """The code of a task reads a file that the task does not declare.

    What it is:
        The path that a task's code reads or lists is covered by none of the paths that the task declares. In formats
        that declare inputs this is a warning. In the native format, whose `files_affected` speaks of effects, it is a
        warning where another task writes the file, and a note elsewhere. What a task writes itself it may read.

    Why it matters:
        An input that nobody declared is an order that nobody keeps: the task may run before the file is there or while
        it is being written, and a cached result is not renewed when the file changes.

    How to fix it:
        Declare the path as an input (in the native format under `files_affected`), and depend on the task that writes
        it.
    """

    id = "TG702"
    name = "undeclared-read"
    severity = Severity.WARNING
    precision = Precision.HIGH
    positive = (
        Example(
            "The second task reads what the first writes, and does not say so.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python make.py", files_affected=["data.json"]),
                ".claude/tasks/task-2.json": native_task("2", command="python show.py", files_affected=["show.txt"]),
                "make.py": 'open("data.json", "w").write("[]")\n',
                "show.py": 'text = open("data.json").read()\nopen("show.txt", "w").write(text)\n',
            },
        ),
    )
    negative = (
        Example(
            "The read is declared, and so is what the task writes itself.",
            {
                ".claude/tasks/task-1.json": native_task(
                    "1", command="python show.py", files_affected=["data.json", "show.txt"]
                ),
                "show.py": ('open("show.txt", "w").write(open("data.json").read())\nprint(open("show.txt").read())\n'),
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each task and undeclared path."""
        for task in project.tasks:
            access = project.access(task)
            if access is None:
                continue
            declared = project.declared(task)
            own = [pattern for pattern in map(pattern_of, access.writes) if pattern is not None]
            reads = by_path(access.reads)
            for pattern, accesses in reads.items():
                if any(declared.covers_read(pattern, each.operation) for each in accesses):
                    continue
                if _is_only_listed(accesses) and any(
                    pattern.below.covers(other) for other in reads if other != pattern
                ):
                    # What is read in the folder is reported, or declared: that it was looked for is no news.
                    continue
                if any(mine.covers(pattern) for mine in own):
                    continue
                yield self._report(project, task, pattern, accesses)

    def _report(self, project: Project, task: Task, pattern: PathPattern, accesses: list[Access]) -> Finding:
        sites = sites_of(accesses)
        place = place_of(sites, task)
        partly = project.declared(task).partly_covers_read(pattern)
        writers = [writer for writer in project.writers_of(pattern) if writer != task.id]
        grave = bool(writers) or (task.declares_reads and in_repository(pattern) and not partly)
        written = f" and {task_names(writers)} {'writes' if len(writers) == 1 else 'write'}" if writers else ""
        detail, declared = _declared(task, partly, f"which it [does not declare](1){written}")
        return self.finding(
            f"Task {task.id} {verb_of(accesses)} `{shown_path(pattern)}` {place.where}".rstrip() + f", {detail}.",
            place.span,
            tasks=[task.id],
            path=shown_path(pattern),
            severity=self.severity if grave else Severity.NOTE,
            related=[declared, *_further_sites(sites, place.span)],
            flow=place.flow,
            key=[place.function],
            fixable=in_repository(pattern),
        )


class OpaqueAccess(Rule):
    """The analysis could not see through some code.

    What it is:
        A path that could not be told at all, or something that hides what happens: code made at run time, a library
        that is given a path and has no effect model, a bound of the analysis that was reached.

    Why it matters:
        A task with an opaque access may touch more than the report says. Nothing that was not seen is dropped in
        silence: this is where it is said.

    How to fix it:
        Make the path visible (a constant, a default, an argument of the command), add an effect model for the library
        to the configuration, or follow its source with `--follow`.
    """

    id = "TG706"
    name = "opaque-access"
    severity = Severity.NOTE
    precision = Precision.VERY_HIGH
    positive = (
        Example(
            "The code that runs is typed in.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python run.py", files_affected=[]),
                "run.py": 'exec(input("What shall be done? "))\n',
            },
        ),
    )
    negative = (
        Example(
            "Everything is in plain view.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python run.py", files_affected=["out.txt"]),
                "run.py": 'open("out.txt", "w").write("fine")\n',
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each place and reason, whatever the number of tasks that pass through it."""
        found: dict[tuple[SourceSpan, str], list[tuple[Task, Site | None]]] = {}
        for task in project.tasks:
            access = project.access(task)
            if access is None:
                continue
            for reason, site in _opaque_sites(access.reads, access.writes):
                span = place_of([site], task).span if site else task.span
                found.setdefault((span, reason), []).append((task, site))
            for opaque in access.opaque:
                for site in opaque.sites or (None,):
                    span = place_of([site], task).span if site else task.span
                    found.setdefault((span, opaque.reason), []).append((task, site))
        for (span, reason), entries in found.items():
            ids = list(dict.fromkeys(task.id for task, _ in entries))
            first_task, first_site = entries[0]
            place = place_of([first_site] if first_site else [], first_task)
            where = f" {place.where}" if place.where else ""
            yield self.finding(
                f"The analysis of {task_names(ids)} cannot see through this{where}: {reason}.",
                span,
                tasks=ids,
                flow=place.flow,
                key=[place.function, without_numbers(reason)],
            )


def _opaque_sites(*groups: tuple[Access, ...]) -> Iterator[tuple[str, Site | None]]:
    for accesses in groups:
        for access in accesses:
            if access.path is None and access.operation.conflicts:
                act = "read" if access.operation in (Operation.READ, Operation.LIST) else "written"
                for site in access.sites or (None,):
                    yield f"the path that is {act} is not known", site
