"""TG3xx: locks that tasks hold, have left behind, or take in an order that ends in a deadlock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from taskgates.gates.contention import HeldLock, excluded_touches
from taskgates.gates.lock_order import LockInversion, find_lock_inversions, lives_in_file
from taskgates.model.access import LOCK_FILE_PREFIX
from taskgates.model.finding import Finding, Related, Severity
from taskgates.scan.places import inside_root, place_of, shown_path, verb_of_operation
from taskgates.scan.rule import Example, Precision, Rule, native_task
from taskgates.tree.lock_records import LockHolder, LockMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.gates.footprint import Touch
    from taskgates.model.access import LockOrder
    from taskgates.scan.project import Project

_TWO_TASKS = {
    ".claude/tasks/task-1.json": native_task("1", status="In Progress", files_affected=["data/index.json"]),
    ".claude/tasks/task-2.json": native_task("2", files_affected=["data/index.json"]),
}


def _held(path: str, *, stale: bool = False, task: str = "1", mode: LockMode = LockMode.EXCLUSIVE) -> LockHolder:
    """A lock for the examples."""
    return LockHolder(task, path, mode, 4242, "host", 0.0, stale)


class _RecordedLockRule(Rule):
    """Tasks that need what somebody's lock covers."""

    stale: bool

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each task and each task whose locks are in its way."""
        locks = [
            HeldLock(holder.path, holder.mode is LockMode.EXCLUSIVE, holder.task, f"process {holder.pid}")
            for holder in project.locks
            if holder.stale is self.stale
        ]
        met: dict[tuple[str, str], list[tuple[HeldLock, Touch]]] = {}
        for task_id, lock, touch in excluded_touches(project.footprints, locks):
            met.setdefault((task_id, lock.task), []).append((lock, touch))
        for (task_id, holder), uses in met.items():
            lock, touch = uses[0]
            task = project.by_id[task_id]
            place = place_of([touch.site] if touch.site is not None else [], task)
            span = touch.span if touch.site is None and inside_root(touch.span.file) else place.span
            more = f" (and {len(uses) - 1} more of its locks are in the way)" if len(uses) > 1 else ""
            yield self.finding(
                f"Task {task_id} {verb_of_operation(touch.operation, conditional=touch.conditional)} "
                f"`{shown_path(touch.path)}`, {self._state(lock)}{more}.",
                span,
                tasks=[task_id, holder] if holder in project.by_id else [task_id],
                path=lock.path,
                related=[Related(f"task {holder} holds the lock", project.by_id[holder].span)]
                if holder in project.by_id
                else [],
                flow=place.flow,
                key=[place.function, holder],
            )

    def _state(self, lock: HeldLock) -> str:
        """Who holds the lock, as the end of a sentence about the file."""
        raise NotImplementedError


class LockHeld(_RecordedLockRule):
    """A task needs a file that a running task has locked.

    What it is:
        The record of locks (`.taskgates/locks`) says that another task holds a file, folder or pattern that this task
        reads, writes or edits, and the process that holds it is alive. A lock held for writing is in everybody's way,
        one held for reading only in the way of those who write. A task's own locks do not count.

    Why it matters:
        `taskgates run` would wait for the lock, and give up after `lock_timeout`. A task that is started by other
        means, or done by hand, does not even wait: it works on a file that is being changed under its hands.

    How to fix it:
        Wait until the other task has ended, or start with tasks that need none of its files (`taskgates validate`
        says which). `taskgates locks status` shows who holds what, and since when.
    """

    id = "TG301"
    name = "lock-held"
    severity = Severity.ERROR
    precision = Precision.VERY_HIGH
    stale = False
    positive = (
        Example("Task 2 edits what the running task 1 has locked.", _TWO_TASKS, locks=(_held("data/index.json"),)),
        Example("A lock on a folder covers what lies below it.", _TWO_TASKS, locks=(_held("data"),)),
    )
    negative = (
        Example("Nobody holds a lock.", _TWO_TASKS),
        Example("Task 1 holds a file that nobody else needs.", _TWO_TASKS, locks=(_held("data/other.json"),)),
        Example(
            "Both tasks only read the file.",
            {
                ".claude/tasks/task-1.json": native_task("1", command="cat data/index.json"),
                ".claude/tasks/task-2.json": native_task("2", command="cat data/index.json"),
                "data/index.json": "{}\n",
            },
            locks=(_held("data/index.json", mode=LockMode.SHARED),),
        ),
    )

    def _state(self, lock: HeldLock) -> str:
        mode = "writing" if lock.exclusive else "reading"
        return f"and task {lock.task} ({lock.holder}) has locked `{shown_path(lock.path)}` for {mode}"


class StaleLock(_RecordedLockRule):
    """A task needs a file whose lock was left by a process that has ended.

    What it is:
        The record of locks (`.taskgates/locks`) has a lock on a file that this task reads, writes or edits, and the
        process that held it is gone: it was killed, it crashed, or the machine was restarted. A process that has the
        same number by chance is told apart by its start.

    Why it matters:
        The lock itself keeps nobody out any more, but it tells that a task ended in the middle of its work: the files
        may be half written, and the run was not rolled back.

    How to fix it:
        Look at the state of the files, or bring the interrupted run to an end with `taskgates run --resume` or
        `--rollback`. Then drop the record with `taskgates locks clean`, which leaves the locks of living processes
        alone.
    """

    id = "TG302"
    name = "stale-lock"
    severity = Severity.WARNING
    precision = Precision.VERY_HIGH
    stale = True
    positive = (
        Example("Task 1 was killed while it held the file.", _TWO_TASKS, locks=(_held("data/index.json", stale=True),)),
    )
    negative = (
        Example("Its process is alive.", _TWO_TASKS, locks=(_held("data/index.json"),)),
        Example("Nobody needs the file.", _TWO_TASKS, locks=(_held("data/other.json", stale=True),)),
    )

    def _state(self, lock: HeldLock) -> str:
        return f"and task {lock.task} ({lock.holder}) ended without giving its lock on `{shown_path(lock.path)}` back"


_TRANSFER = (
    "import threading\n\nBOOKS = threading.Lock()\nSTOCK = threading.Lock()\n\n\n"
    'def sell():\n    with BOOKS:\n        with STOCK:\n            print("sold")\n\n\n'
    'def restock():\n    with {first}:\n        with {second}:\n            print("restocked")\n\n\n'
    "for worker in (sell, restock):\n    threading.Thread(target=worker).start()\n"
)
_TWO_FILES = (
    'from filelock import FileLock\n\nwith FileLock("{first}.lock"):\n    with FileLock("{second}.lock"):\n'
    '        print("both are mine")\n'
)


def _programs(*texts: str, **fields: object) -> dict[str, str]:
    """A task for each program."""
    files: dict[str, str] = {}
    for number, text in enumerate(texts, start=1):
        task = native_task(str(number), **{"command": f"python job{number}.py", "files_affected": [], **fields})
        files[f".claude/tasks/task-{number}.json"] = task
        files[f"job{number}.py"] = text
    return files


class LockOrderInversion(Rule):
    """Two locks are taken in opposite orders, so that each holder may wait for the other for ever.

    What it is:
        Somewhere the code waits for lock B while it holds lock A, and elsewhere for A while it holds B. Known are the
        locks of `threading`, `multiprocessing`, `filelock` and `fasteners`, `flock` and `lockf` of `fcntl`, and the
        command `flock`.

        Reported is what can really meet. *Within one task* the two places must be reached by different threads or
        processes of its program; the main program counts as one, and so does a function that runs in several threads
        for each of them. *Between tasks* that may run together, locks in files count, as every process takes the same
        one; locks in memory are different objects in different processes, so they count only for tasks without a
        command, whose functions may run in one process.

        Not reported are places that both hold some third lock, which lets only one of them in; attempts that do not
        wait for ever (`blocking=False`, a timeout, `LOCK_NB`); shared locks; and locks that only their objects tell
        apart, such as those of two accounts in a list. That a thread has ended before the other starts is not seen.

    Why it matters:
        When both come at the same time, each holds what the other wants, and neither ever goes on. It happens rarely,
        leaves no error, and no retry helps.

    How to fix it:
        Take the locks in the same order everywhere (by name, for example), take both in one step, or guard both with
        one lock. Where that cannot be, wait with a timeout and give back what is held.
    """

    id = "TG303"
    name = "lock-order-inversion"
    severity = Severity.WARNING
    precision = Precision.MEDIUM
    positive = (
        Example(
            "Two threads of one task take two locks in opposite orders.",
            _programs(_TRANSFER.format(first="STOCK", second="BOOKS")),
        ),
        Example(
            "Two tasks lock the same two files in opposite orders.",
            _programs(
                _TWO_FILES.format(first="books", second="stock"), _TWO_FILES.format(first="stock", second="books")
            ),
        ),
    )
    negative = (
        Example("The order is the same everywhere.", _programs(_TRANSFER.format(first="BOOKS", second="STOCK"))),
        Example(
            "The tasks never run at the same time.",
            {
                **_programs(
                    _TWO_FILES.format(first="books", second="stock"), _TWO_FILES.format(first="stock", second="books")
                ),
                ".claude/tasks/task-2.json": native_task(
                    "2", command="python job2.py", files_affected=[], dependencies=["1"]
                ),
            },
        ),
        Example(
            "Each task is a process of its own, with locks of its own in memory.",
            _programs(
                'from shop import BOOKS, STOCK\n\nwith BOOKS, STOCK:\n    print("sold")\n',
                'from shop import BOOKS, STOCK\n\nwith STOCK, BOOKS:\n    print("restocked")\n',
            )
            | {"shop.py": "import threading\n\nBOOKS = threading.Lock()\nSTOCK = threading.Lock()\n"},
        ),
    )

    def check(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each pair of locks and of tasks."""
        for inversion in find_lock_inversions(project.footprints, project.relations):
            yield self._of(project, inversion)

    def _of(self, project: Project, inversion: LockInversion) -> Finding:
        one, two = inversion.first, inversion.second
        place = place_of(inversion.first_order.sites, project.by_id[one])
        other = place_of(inversion.second_order.sites, project.by_id[two])
        held, wanted = _lock(inversion.held), _lock(inversion.wanted)
        # What is called there is the lock itself.
        where = f" {inside}" if (inside := msgspec.structs.replace(place, call="").where) else ""
        if one == two:
            first, second = _worker(inversion.first_order), _worker(inversion.second_order)
            both = "another run of it" if first == second else second
            message = (
                f"In task {one}, {first} waits for {wanted}{where} while it holds {held}, "
                f"and [{both} takes them the other way round](1)."
            )
            note = f"{second} waits for {held} while it holds {wanted}"
        else:
            message = (
                f"Tasks {one} and {two} may run together and deadlock: task {one} waits for {wanted}{where} while it "
                f"holds {held}, and [task {two} takes them the other way round](1)."
            )
            note = f"task {two} waits for {held} while it holds {wanted}"
        return self.finding(
            message,
            place.span,
            tasks=dict.fromkeys((one, two)),
            path=inversion.wanted.removeprefix(LOCK_FILE_PREFIX) if lives_in_file(inversion.wanted) else None,
            related=[Related(note, other.span)],
            flow=place.flow,
            key=[place.function, inversion.held, inversion.wanted],
        )


def _lock(name: str) -> str:
    return f"the lock file `{name.removeprefix(LOCK_FILE_PREFIX)}`" if lives_in_file(name) else f"`{name}`"


def _worker(order: LockOrder) -> str:
    return f"the worker `{order.worker}`" if order.worker else "the main program"
