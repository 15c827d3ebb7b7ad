"""The inference of many tasks, in this process or in several."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taskgates.config import Config
from taskgates.model.access import AccessSet, Opaque
from taskgates.model.finding import Problem
from taskgates.model.task import Command, Task
from taskgates.scan.analysis import make_analyser, open_cache
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from taskgates.inference.engine import Analyser


Progress = Callable[[str, int, int], None]
"""Told the stage, the steps done, and the steps in all (0 where that is not known)."""

_STAGE = "Following the code"
_CHUNKS_PER_PROCESS = 4
"""Enough for an even load at the end, and few enough that tasks of one folder share the modules they import."""


class InternalError(msgspec.Struct, frozen=True):
    """A bug that one rule, or the inference of one task, ran into; the rest of the scan went on.

    Attributes:
        where: `rule TG101` or `inference of task 7`.
        error: the exception's type and text.
        traceback: the whole traceback.
    """

    where: str
    error: str
    traceback: str


class Inferred(msgspec.Struct, frozen=True):
    """What inference made of tasks.

    Attributes:
        access_sets: by task id; tasks without code are absent.
        problems: sources that could not be parsed.
        errors: bugs on the way.
    """

    access_sets: dict[str, AccessSet]
    problems: tuple[Problem, ...] = ()
    errors: tuple[InternalError, ...] = ()


class InferenceSetup(msgspec.Struct, frozen=True):
    """What every process needs to set up an analyser of its own.

    Attributes:
        root: the repository.
        config: the settings.
        environ: environment variables that the code may be taken to see.
        use_cache: whether results of earlier runs are used and kept.
    """

    root: Path
    config: Config
    environ: Mapping[str, str]
    use_cache: bool


def infer_all(setup: InferenceSetup, tasks: Sequence[Task], progress: Progress, *, jobs: int = 1) -> Inferred:
    """The access sets of tasks.

    Args:
        setup: the repository and the settings.
        tasks: the tasks, in the order of the manifests; those that follow one another are likely to share modules.
        progress: told how far it is.
        jobs: processes; the result does not depend on their number.
    """
    if jobs <= 1 or len(tasks) < 2:
        return _infer_here(setup, tasks, progress)
    # Imported here, as one task or a small repository needs no other process.
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import active_children, get_context

    chunks = _chunks(tasks, jobs * _CHUNKS_PER_PROCESS)
    results: dict[int, Inferred] = {}
    done = 0
    others = set(active_children())
    # Fresh interpreters: a fork would copy whatever threads and locks the caller holds.
    with ProcessPoolExecutor(min(jobs, len(chunks)), mp_context=get_context("spawn")) as pool:
        with _interrupts_left_to_this_process():
            futures = {pool.submit(_infer_here, setup, chunk): number for number, chunk in enumerate(chunks)}
        progress(_STAGE, 0, len(tasks))
        try:
            for future in as_completed(futures):
                number = futures[future]
                results[number] = future.result()
                done += len(chunks[number])
                progress(_STAGE, done, len(tasks))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            # What a worker has begun it would end, and leaving waits for it.
            for worker in set(active_children()) - others:
                worker.terminate()
            raise
    return _joined([results[number] for number in range(len(chunks))])


@contextmanager
def _interrupts_left_to_this_process() -> Iterator[None]:
    """Let the processes that are started inside the block ignore Ctrl-C, which reaches them too.

    Only this process tells of it, and ends them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _infer_here(setup: InferenceSetup, tasks: Sequence[Task], progress: Progress | None = None) -> Inferred:
    tree = Tree(setup.root, setup.config.scan.exclude)
    with open_cache(setup.root, enabled=setup.use_cache) as cache:
        analyser = make_analyser(tree, setup.config, setup.environ, cache)
        access_sets, errors = infer_tasks(tasks, analyser, progress or silent)
        return Inferred(access_sets, tuple(analyser.problems), tuple(errors))


def infer_one(setup: InferenceSetup, target: Task | Command) -> tuple[AccessSet | None, tuple[Problem, ...]]:
    """The access set of one task or command line, and the sources that could not be parsed on the way.

    None stands for a task without code.
    """
    tree = Tree(setup.root, setup.config.scan.exclude)
    with open_cache(setup.root, enabled=setup.use_cache) as cache:
        analyser = make_analyser(tree, setup.config, setup.environ, cache)
        found = analyser.task(target) if isinstance(target, Task) else analyser.command(target)
        return found, tuple(analyser.problems)


def infer_tasks(
    tasks: Iterable[Task], analyser: Analyser, progress: Progress
) -> tuple[dict[str, AccessSet], list[InternalError]]:
    """The access set of every task that has code.

    A bug of the analyser in one task leaves that task with an incomplete access set that says so.
    """
    listed = list(tasks)
    access_sets: dict[str, AccessSet] = {}
    errors: list[InternalError] = []
    for done, task in enumerate(listed):
        progress(_STAGE, done, len(listed))
        try:
            access = analyser.task(task)
        except Exception as error:  # noqa: BLE001 - one task's trouble must not take the others' results along
            errors.append(internal_error(f"inference of task {task.id}", error))
            access = AccessSet(
                target=str(task.command or task.id),
                complete=False,
                opaque=(Opaque("a bug in taskgates ended the analysis"),),
            )
        if access is not None:
            access_sets[task.id] = access
    progress(_STAGE, len(listed), len(listed))
    return access_sets, errors


def silent(stage: str, done: int, total: int) -> None:
    """Show no progress."""


def _chunks(tasks: Sequence[Task], count: int) -> list[Sequence[Task]]:
    size = -(-len(tasks) // count)
    return [tasks[start : start + size] for start in range(0, len(tasks), size)]


def _joined(parts: Iterable[Inferred]) -> Inferred:
    access_sets: dict[str, AccessSet] = {}
    # A module that several processes could not parse is one problem.
    problems: dict[Problem, None] = {}
    errors: list[InternalError] = []
    for part in parts:
        access_sets.update(part.access_sets)
        problems.update(dict.fromkeys(part.problems))
        errors.extend(part.errors)
    return Inferred(access_sets, tuple(problems), tuple(errors))


def internal_error(where: str, error: Exception) -> InternalError:
    """Describe a bug."""
    return InternalError(where, f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))
