"""TG6xx: mutable state that several tasks share, in memory and in files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.gates.conflicts import Conflict, ConflictKind
from taskgates.gates.shared_state import (
    HazardKind,
    ReadModifyWrite,
    SharedConflict,
    find_read_modify_writes,
    role_of,
)
from taskgates.model.access import LOCK_FILE_PREFIX, AccessSet, SharedAccess, SharedKind
from taskgates.model.finding import Finding, Related, Severity
from taskgates.scan.places import Place, place_of, shown_path, task_names
from taskgates.scan.rule import Example, Precision, Rule, native_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from taskgates.gates.footprint import Touch
    from taskgates.model.spans import Site, SourceSpan
    from taskgates.model.task import Task
    from taskgates.scan.project import Project

_KINDS = {
    SharedKind.MODULE_GLOBAL: "module global",
    SharedKind.CLASS_ATTRIBUTE: "class attribute",
    SharedKind.CLOSURE: "variable of an enclosing function",
    SharedKind.DEFAULT_ARGUMENT: "mutable default argument",
    SharedKind.PROCESS: "process-wide state",
}
_OBJECT = ".<object>"
"""How the names of objects end that no variable names."""
_DATABASE_MODULES = ("sqlite3", "duckdb", "shelve", "dbm", "lmdb", "tinydb", "sqlalchemy", "peewee", "aiosqlite")


def _is_database(path: str, touches: Iterable[Touch]) -> bool:
    """Whether a file is a database, by its name or by the library that opens it."""
    if role_of(path) is HazardKind.DATABASE:
        return True
    return any(touch.site is not None and touch.site.call.split(".")[0] in _DATABASE_MODULES for touch in touches)


def _is_connection(access: SharedAccess) -> bool:
    """Whether a piece of state is a connection to a database, by the calls that change it."""
    return any(site.call.split(".")[0] in _DATABASE_MODULES for site in access.sites)


def _what(shared: SharedAccess) -> str:
    """A piece of state in words."""
    if shared.name.endswith(_OBJECT):
        return f"an object of `{shared.name.removesuffix(_OBJECT)}` that they share"
    return f"the {_KINDS[shared.kind]} `{shared.name}`"


def _raced_for(project: Project) -> Iterator[tuple[Task, SharedAccess]]:
    """What threads of one task change while others of its threads may touch it, task by task."""
    for task in project.tasks:
        access = project.access(task) or AccessSet()
        for shared in access.shared_state:
            if shared.racing and shared.access == "write":
                yield task, shared


class SharedMutableGlobal(Rule):
    """One task changes state in memory that another touches, and no lock guards both.

    What it is:
        The code of two tasks that may run together uses the same module global, class attribute, variable of an
        enclosing function or mutable default argument; at least one of them changes it, and there is no lock that both
        hold. The same is said of one task whose own threads change such state without a lock. What modules do while
        they are imported (registries that decorators fill) does not count.

    Why it matters:
        As soon as the tasks run in one process (threads, an executor, one interpreter for several jobs), updates get
        lost and results depend on who comes first. In separate processes each has a copy: then the tasks do not see
        each other's changes, which is just as surprising.

    How to fix it:
        Pass the state as an argument, keep it in an instance for each task, or guard every touch with the same lock.
    """

    id = "TG601"
    name = "shared-mutable-global"
    severity = Severity.WARNING
    precision = Precision.MEDIUM
    positive = (
        Example(
            "Both tasks fill the same cache.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python one.py", files_affected=[]),
                ".claude/tasks/task-2.json": native_task("2", command="python two.py", files_affected=[]),
                "cache.py": "CACHE = {}\n\n\ndef remember(key, value):\n    CACHE[key] = value\n",
                "one.py": 'from cache import remember\n\nremember("one", 1)\n',
                "two.py": 'from cache import remember\n\nremember("two", 2)\n',
            },
        ),
    )
    negative = (
        Example(
            "Every touch is under the same lock.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python one.py", files_affected=[]),
                ".claude/tasks/task-2.json": native_task("2", command="python two.py", files_affected=[]),
                "cache.py": (
                    "import threading\n\nLOCK = threading.Lock()\nCACHE = {}\n\n\ndef remember(key, value):\n"
                    "    with LOCK:\n        CACHE[key] = value\n"
                ),
                "one.py": 'from cache import remember\n\nremember("one", 1)\n',
                "two.py": 'from cache import remember\n\nremember("two", 2)\n',
            },
        ),
        Example(
            "A table that nobody changes.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python one.py", files_affected=[]),
                ".claude/tasks/task-2.json": native_task("2", command="python two.py", files_affected=[]),
                "table.py": 'PRICES = {"tea": 4}\n',
                "one.py": 'from table import PRICES\n\nprint(PRICES["tea"])\n',
                "two.py": "import table\n\nprint(len(table.PRICES))\n",
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each piece of state, whatever the number of tasks that share it."""
        by_name: dict[str, list[SharedConflict]] = {}
        for conflict in project.shared_conflicts:
            if conflict.kind is not SharedKind.PROCESS and not _is_connection(conflict.first_access):
                by_name.setdefault(conflict.name, []).append(conflict)
        for name, conflicts in by_name.items():
            yield self._between_tasks(project, name, conflicts)
        for task, shared in _raced_for(project):
            if shared.name in by_name or shared.kind is SharedKind.PROCESS or _is_connection(shared):
                continue
            place = place_of(shared.sites, task)
            yield self.finding(
                f"Threads of task {task.id} change {_what(shared)} {place.where}".rstrip()
                + (" while others touch it without the same lock." if shared.guards else " without a lock."),
                place.span,
                tasks=[task.id],
                flow=place.flow,
                key=[shared.name, place.function],
            )

    def _between_tasks(self, project: Project, name: str, conflicts: list[SharedConflict]) -> Finding:
        holders: dict[str, SharedAccess] = {}
        for conflict in conflicts:
            for task_id, access in (
                (conflict.first, conflict.first_access),
                (conflict.second, conflict.second_access),
            ):
                if task_id not in holders or access.access == "write":
                    holders[task_id] = access
        writers = [task_id for task_id, access in holders.items() if access.access == "write"]
        readers = [task_id for task_id in holders if task_id not in writers]
        first = writers[0]
        place = place_of(holders[first].sites, project.by_id[first])
        if readers:
            others = f"[{task_names(readers)} {'uses' if len(readers) == 1 else 'use'} it](1) too"
        else:
            others = f"[so {'does' if len(writers) == 2 else 'do'} {task_names(writers[1:])}](1)"
        order = [*readers, *writers[1:]]
        return self.finding(
            f"Task {first} changes the {_KINDS[conflicts[0].kind]} `{name}` {place.where}".rstrip()
            + f", {others}, they may run together, and no lock guards both.",
            place.span,
            tasks=list(holders),
            related=[
                Related(
                    f"task {task_id} {self._act(holders[task_id])} it", self._span(project, task_id, holders[task_id])
                )
                for task_id in order
            ],
            flow=place.flow,
            key=[name, place.function],
        )

    def _act(self, access: SharedAccess) -> str:
        return "changes" if access.access == "write" else "uses"

    def _span(self, project: Project, task_id: str, access: SharedAccess) -> SourceSpan:
        return place_of(access.sites, project.by_id[task_id]).span


class ProcessWideState(Rule):
    """A task's code changes state of the whole process.

    What it is:
        The code changes the working directory, the environment, the random seed, signal handlers, `sys.path`, the
        locale, the standard streams, the configuration of logging or warnings, or an attribute of a library module.
        Changes in a child process or in a worker process are left out: they are its own.

    Why it matters:
        The change reaches everything else that runs in the process: another task's relative paths lead elsewhere, its
        random numbers repeat, its messages vanish.

    How to fix it:
        Pass absolute paths and a `cwd` or `env` to child processes, use a generator object (`random.Random(seed)`), or
        make sure that the task runs in a process of its own.
    """

    id = "TG602"
    name = "process-wide-state"
    severity = Severity.WARNING
    precision = Precision.HIGH
    positive = (
        Example(
            "The working directory changes.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python run.py", files_affected=["out/a.txt"]),
                "run.py": 'import os\n\nos.chdir("out")\nopen("a.txt", "w").close()\n',
                "out/.gitkeep": "",
            },
        ),
    )
    negative = (
        Example(
            "A child process gets its own folder.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python run.py", files_affected=[]),
                "run.py": 'import subprocess\n\nsubprocess.run(["true"], cwd="out", check=True)\n',
                "out/.gitkeep": "",
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each kind of state and place, whatever the number of tasks that pass through it."""
        found: dict[tuple[str, SourceSpan], list[tuple[str, Place]]] = {}
        for task in project.tasks:
            access = project.access(task) or AccessSet()
            for shared in access.shared_state:
                if shared.kind is not SharedKind.PROCESS or shared.access != "write":
                    continue
                for site in shared.sites:
                    place = place_of([site], task)
                    found.setdefault((shared.name, place.span), []).append((task.id, place))
        for (name, span), entries in found.items():
            ids = list(dict.fromkeys(task_id for task_id, _ in entries))
            place = entries[0][1]
            verb = "changes" if len(ids) == 1 else "change"
            yield self.finding(
                f"{task_names(ids, capital=True)} {verb} process-wide state, {_STATE_NAMES.get(name, f'`{name}`')}, "
                f"{place.where}".rstrip(", ")
                + ".",
                span,
                tasks=ids,
                flow=place.flow,
                key=[name, place.function],
            )


_STATE_NAMES = {
    "working-directory": "the working directory",
    "environment": "the environment",
    "os.environ": "the environment",
    "random": "the random seed",
    "random-seed": "the random seed",
    "signal-handlers": "the signal handlers",
    "sys.path": "`sys.path`",
    "locale": "the locale",
    "logging": "the logging configuration",
    "warnings": "the warnings configuration",
    "standard-streams": "the standard streams",
    "except-hook": "the handler of uncaught exceptions",
}


class UnguardedReadModifyWrite(Rule):
    """A task reads a file and writes it back without a lock, while others use it too.

    What it is:
        The code reads a file and rewrites it, and another task that may run at the same time writes it too. Files that
        by their name are counters, ids, progress or rate-limit files are a note even when only one task uses them. Code
        that takes a lock file before it reads is left alone, and so is a task that only reads back what it has written
        itself.

    Why it matters:
        Two tasks read the same number, both add one, and one of the additions is lost. Replacing the file atomically
        does not help: the reading and the writing have to be one step.

    How to fix it:
        Hold one file lock over reading and writing, let each task write a file of its own and merge them at the end, or
        use a database that has transactions.
    """

    id = "TG603"
    name = "unguarded-read-modify-write"
    severity = Severity.WARNING
    precision = Precision.MEDIUM
    positive = (
        Example(
            "Both tasks draw numbers from one counter.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python one.py", files_affected=["next_id.txt"]),
                ".claude/tasks/task-2.json": native_task("2", command="python two.py", files_affected=["next_id.txt"]),
                "ids.py": (
                    'def next_id():\n    number = int(open("next_id.txt").read())\n'
                    '    with open("next_id.txt", "w") as out:\n        out.write(str(number + 1))\n    return number\n'
                ),
                "one.py": "from ids import next_id\n\nprint(next_id())\n",
                "two.py": "from ids import next_id\n\nprint(next_id() * 2)\n",
                "next_id.txt": "1\n",
            },
        ),
    )
    negative = (
        Example(
            "The file is only appended to.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python one.py", files_affected=["log.txt"]),
                ".claude/tasks/task-2.json": native_task("2", command="python two.py", files_affected=["log.txt"]),
                "one.py": 'with open("log.txt", "a") as out:\n    out.write("one")\n',
                "two.py": 'with open("log.txt", "a") as out:\n    out.write("two")\n',
            },
        ),
        Example(
            "Only one task uses the file, and it is no counter.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python tidy.py", files_affected=["names.txt"]),
                "tidy.py": (
                    'lines = sorted(open("names.txt"))\nwith open("names.txt", "w") as out:\n'
                    "    out.writelines(lines)\n"
                ),
                "names.txt": "b\na\n",
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each file and place of writing, whatever the number of tasks that pass through it."""
        by_path: dict[str, list[ReadModifyWrite]] = {}
        for update in find_read_modify_writes(project.footprints):
            access = project.access(project.by_id[update.task_id])
            if not _holds_lock_file(access, update.write.site, update.read.site):
                by_path.setdefault(update.path, []).append(update)
        rivals: dict[tuple[str, str], set[str]] = {}
        for conflict in project.conflicts_of(ConflictKind.WRITE_WRITE):
            if conflict.both_run:
                rivals.setdefault((conflict.path, conflict.first), set()).add(conflict.second)
                rivals.setdefault((conflict.path, conflict.second), set()).add(conflict.first)
        for path, updates in by_path.items():
            if _is_database(path, [update.write for update in updates]):
                continue
            groups: dict[SourceSpan, list[ReadModifyWrite]] = {}
            for update in updates:
                groups.setdefault(update.write.span, []).append(update)
            for group in groups.values():
                yield from self._report(project, path, group, rivals)

    def _report(
        self, project: Project, path: str, group: list[ReadModifyWrite], rivals: dict[tuple[str, str], set[str]]
    ) -> Iterator[Finding]:
        tasks = [update.task_id for update in group]
        others = set().union(*(rivals.get((path, task), set()) for task in tasks))
        exposed = bool(others)
        role = role_of(path)
        if not exposed and role not in (HazardKind.COUNTER, HazardKind.PROGRESS_FILE, HazardKind.RATE_LIMIT):
            return
        first = group[0]
        task = project.by_id[first.task_id]
        place = place_of([first.write.site] if first.write.site else [], task)
        read = place_of([first.read.site] if first.read.site else [], task)
        together = sorted(others.difference(tasks))
        if together:
            danger = f"{task_names(together)} may write it at the same time"
        elif exposed:
            danger = "they may do so at the same time"
        else:
            danger = "two runs at the same time would lose an update"
        verb, back = ("reads", "writes") if len(tasks) == 1 else ("read", "write")
        protection = f" ({role.protection})" if role is not None else ""
        shown = shown_path(path)
        yield self.finding(
            f"{task_names(tasks, capital=True)} [{verb}](1) `{shown}` and {back} it back {place.where}".rstrip()
            + f" without a lock, and {danger}{protection}.",
            place.span,
            tasks=[*tasks, *together],
            path=shown_path(path),
            severity=self.severity if exposed else Severity.NOTE,
            related=[Related(f"`{shown_path(path)}` is read here", read.span)],
            flow=place.flow,
            key=[place.function],
        )


def _holds_lock_file(access: AccessSet | None, site: Site | None, read: Site | None = None) -> bool:
    """Whether a lock file is taken by the function around the write, or by one that leads to it.

    Args:
        access: what the task does.
        site: the write.
        read: where the same file is read: a lock that is taken after all of its reading is none.
    """
    if access is None or site is None:
        return False
    chain = _lines(site)
    read_too = [other for other in access.reads if read in other.sites]
    reads = [_lines(each) for other in read_too for each in other.sites]
    # A file that is locked itself is opened before.
    itself = {f"{LOCK_FILE_PREFIX}{other.path}" for other in read_too}
    made = [(lock.sites, False) for lock in access.writes if (lock.path or "").endswith((".lock", ".lck"))]
    for sites, opened in (*made, *((lock.sites, lock.lock in itself) for lock in access.file_locks)):
        for taken in sites:
            around = {(frame.file, frame.function): frame.line for frame in taken.via[-1:]}
            around[taken.file, taken.function] = taken.line
            late = [any(line > begun.get(function, line) for function, line in around.items()) for begun in reads]
            if (opened or not late or not all(late)) and not around.keys().isdisjoint(chain):
                return True
    return False


def _lines(site: Site) -> dict[tuple[str, str], int]:
    """The line on which each function on the way to a place is."""
    return {
        **{(frame.file, frame.function): frame.line for frame in site.via},
        (site.file, site.function): site.line,
    }


def _guarded(project: Project, task_id: str, touches: tuple[Touch, ...]) -> bool:
    """Whether a task takes a lock file around every touch of its code."""
    access = project.access(project.by_id[task_id])
    return all(_holds_lock_file(access, touch.site) for touch in touches if touch.site is not None)


class SharedConnection(Rule):
    """Several tasks that may run together use one database file or connection.

    What it is:
        Two or more tasks that may run together open the same database file, one of them writing. What is a database is
        told by the library that opens it and by the file's name. The same is said of one connection object that two
        tasks, or the threads of one task, use without a common lock.

    Why it matters:
        Writers of an embedded database wait for one another and fail with a busy error when they wait too long; a
        connection that two threads share mixes up their transactions.

    How to fix it:
        Give each task a connection of its own with a busy timeout, switch on write-ahead logging, keep write
        transactions short, or collect the results in files and let one task load them.
    """

    id = "TG604"
    name = "shared-connection"
    severity = Severity.WARNING
    precision = Precision.MEDIUM
    positive = (
        Example(
            "Two tasks write one SQLite file.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python one.py", files_affected=["state.db"]),
                ".claude/tasks/task-2.json": native_task("2", command="python two.py", files_affected=["state.db"]),
                "one.py": 'import sqlite3\n\ndb = sqlite3.connect("state.db")\ndb.execute("delete from x")\n',
                "two.py": 'import sqlite3\n\ndb = sqlite3.connect("state.db")\ndb.execute("delete from x")\n',
            },
        ),
    )
    negative = (
        Example(
            "Each task has a database of its own.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="python one.py", files_affected=["one.db"]),
                ".claude/tasks/task-2.json": native_task("2", command="python two.py", files_affected=["two.db"]),
                "one.py": 'import sqlite3\n\ndb = sqlite3.connect("one.db")\ndb.execute("delete from a")\n',
                "two.py": 'import sqlite3\n\ndb = sqlite3.connect("two.db")\ndb.execute("delete from b")\n',
            },
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each database, and for each connection."""
        yield from self._connections(project)
        files: dict[str, list[Conflict]] = {}
        for conflict in project.conflicts:
            if conflict.kind in (ConflictKind.WRITE_WRITE, ConflictKind.READ_WRITE) and conflict.both_run:
                if _guarded(project, conflict.first, conflict.first_touches) and _guarded(
                    project, conflict.second, conflict.second_touches
                ):
                    continue
                touches = (*conflict.first_touches, *conflict.second_touches)
                if _is_database(conflict.path, touches):
                    files.setdefault(conflict.path, []).append(conflict)
        for path, conflicts in files.items():
            users: dict[str, Touch] = {}
            for conflict in conflicts:
                users.setdefault(conflict.first, _running(conflict.first_touches))
                users.setdefault(conflict.second, _running(conflict.second_touches))
            first, *others = users
            place = self._place(project, first, users[first])
            yield self.finding(
                f"{task_names(users, capital=True)} may run together and use the same database `{shown_path(path)}`: "
                f"task {first} {place.where}".rstrip()
                + f", [task {others[0]}](1); {HazardKind.DATABASE.protection}.",
                place.span,
                tasks=list(users),
                path=shown_path(path),
                related=[
                    Related(f"task {other} uses `{shown_path(path)}`", self._place(project, other, users[other]).span)
                    for other in others
                ],
                flow=place.flow,
                key=[place.function],
            )

    def _connections(self, project: Project) -> Iterator[Finding]:
        """Connection objects that several tasks use, or the threads of one."""
        remedy = "give each a connection of its own, or hold one lock around every transaction"
        seen: set[str] = set()
        for conflict in project.shared_conflicts:
            if conflict.name in seen or not _is_connection(conflict.first_access):
                continue
            seen.add(conflict.name)
            place, other = (
                place_of(access.sites, project.by_id[task_id])
                for task_id, access in (
                    (conflict.first, conflict.first_access),
                    (conflict.second, conflict.second_access),
                )
            )
            yield self.finding(
                f"Tasks {conflict.first} and {conflict.second} may run together and use the same connection "
                f"`{conflict.name}`: task {conflict.first} {place.where}".rstrip()
                + f", [task {conflict.second}](1); {remedy}.",
                place.span,
                tasks=[conflict.first, conflict.second],
                related=[Related(f"task {conflict.second} uses `{conflict.name}`", other.span)],
                flow=place.flow,
                key=[conflict.name, place.function],
            )
        for task, shared in _raced_for(project):
            if shared.name in seen or not _is_connection(shared):
                continue
            place = place_of(shared.sites, task)
            yield self.finding(
                f"Threads of task {task.id} use the connection `{shared.name}` {place.where}".rstrip()
                + f" without a lock; {remedy}.",
                place.span,
                tasks=[task.id],
                flow=place.flow,
                key=[shared.name, place.function],
            )

    def _place(self, project: Project, task_id: str, touch: Touch) -> Place:
        return place_of([touch.site] if touch.site is not None else [], project.by_id[task_id])


def _running(touches: tuple[Touch, ...]) -> Touch:
    """The touch by code among several; both sides of the conflict have one."""
    return next((touch for touch in touches if touch.site is not None), touches[0])
