"""Running a group of tasks so that the repository ends up done, or exactly as it was."""

from __future__ import annotations

import contextlib
import graphlib
import secrets
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from taskgates.model.patterns import escape
from taskgates.model.task import Status
from taskgates.runtime.checkpoints import Checkpoint, CheckpointStore
from taskgates.runtime.commands import command_line
from taskgates.runtime.coordinator import Coordinator
from taskgates.runtime.errors import (
    BlockedTaskError,
    BrokenRunError,
    CheckpointError,
    JournalError,
    LockError,
    TaskRuntimeError,
    TaskStateError,
)
from taskgates.runtime.events import EventLog, EventSink, RunBoard, TaskState
from taskgates.runtime.interruption import stopping_on_signals
from taskgates.runtime.journal import AttemptRecord, AttemptState, Journal, RunRecord, RunState
from taskgates.runtime.locks import LockManager
from taskgates.runtime.path_overlap import PathSet
from taskgates.runtime.run_items import Item, Tools
from taskgates.runtime.run_model import RunOptions, RunResult, Schedule
from taskgates.runtime.state import StateDirectory
from taskgates.runtime.supervised import end_lost_command
from taskgates.runtime.task_manager import TaskManager
from taskgates.runtime.worker_pool import WorkerPool, local_pool
from taskgates.runtime.write_sets import WHOLE_TREE, write_set_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from taskgates.model.access import AccessSet
    from taskgates.model.task import Task

_ROLLBACK_OWNER = "rollback"
_HEARTBEAT_INTERVAL = 5.0


def _nothing_known(_: Task) -> AccessSet | None:
    return None


def _always_free(_: int) -> str | None:
    return None


def _no_complaint(_: Task) -> str | None:
    return None


@contextlib.contextmanager
def _heartbeat(path: Path) -> Iterator[None]:
    """Keep touching a file, so that workers on other machines know that this process lives."""
    ended = threading.Event()

    def beat() -> None:
        while True:
            with contextlib.suppress(OSError):
                path.touch()
            if ended.wait(_HEARTBEAT_INTERVAL):
                return

    thread = threading.Thread(target=beat, name="taskgates-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class SafeParallelExecutor:
    """Runs groups of tasks of one repository: locked, checkpointed, journalled, rolled back on failure.

    The executor knows nothing of analysis or gates: what it needs of them is given as functions, so that it works with
    declarations alone as well.

    Args:
        root: the repository root.
        options: how to run.
        tasks: the repository's tasks, whose lock manager is used; loaded, with one of their own, when None.
        access_of: the inferred access set of a task; None where there is no code.
        gate: called with the ids before anything is executed; what it returns, if anything, refuses the group.
        batches: splits ids into ordered batches for the batch schedule; by dependencies and size alone when None.
        capacity: given the number of running tasks, why no further one may start; None when it may.
        validate: looks at a task after its command succeeded; says what is wrong with its result, or None.
        pool: where commands run; processes of this machine when None.
        sinks: who is told of events, besides the run's own log.
        board: the state that a monitor shows.
    """

    def __init__(
        self,
        root: Path | str = ".",
        *,
        options: RunOptions | None = None,
        tasks: TaskManager | None = None,
        access_of: Callable[[Task], AccessSet | None] = _nothing_known,
        gate: Callable[[Sequence[str]], Sequence[str]] | None = None,
        batches: Callable[[Sequence[str]], Sequence[Sequence[str]]] | None = None,
        capacity: Callable[[int], str | None] = _always_free,
        validate: Callable[[Task], str | None] = _no_complaint,
        pool: WorkerPool | None = None,
        sinks: Sequence[EventSink] = (),
        board: RunBoard | None = None,
    ) -> None:
        self.options = options or RunOptions()
        self.board = board or RunBoard()
        self._state = StateDirectory(root)
        self._tasks = tasks or TaskManager(
            root, locks=LockManager(root, timeout=self.options.lock_timeout, retry_delays=self.options.retry_delays)
        )
        # One manager for both: what a run retains for its finished tasks must not bar it from their manifests.
        self._locks = self._tasks.locks
        self._checkpoints = CheckpointStore(root)
        self._journal = Journal(root)
        self._access_of = access_of
        self._gate = gate
        self._batches = batches
        self._capacity = capacity
        self._validate = validate
        self._pool = pool
        self._sinks = tuple(sinks)
        self._stop_reason = ""

    @property
    def root(self) -> Path:
        """The repository root."""
        return self._state.root

    def stop(self, reason: str = "stopped") -> None:
        """End the run: what runs is ended and rolled back, what is finished stays, `resume` continues. Thread-safe."""
        self._stop_reason = self._stop_reason or reason

    def run(self, task_ids: Sequence[str]) -> RunResult:
        """Run a group of tasks.

        Args:
            task_ids: ids, or globs over ids.

        Returns:
            What became of it.

        Raises:
            UnknownTaskError: an id names nothing.
            BlockedTaskError: a dependency outside the group is not finished.
            CommandError: a task has nothing to execute.
            InterruptedRunError: an earlier run ended in the middle; resume it or roll it back first.
            TaskRuntimeError: the gate refuses the group; the repository cannot be written.
        """
        self._journal.require_no_interrupted_run()
        selected = self._tasks.select(task_ids)
        if not selected:
            raise TaskRuntimeError("no tasks were given")
        items = self._items([task.id for task in selected])
        if self._gate is not None and (reasons := self._gate([item.id for item in items])):
            raise TaskRuntimeError(
                "the gates refuse the group:\n" + "\n".join("  " + " ".join(reason.split()) for reason in reasons)
            )
        run = f"{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(3)}"
        self._state.folder(f"runs/{run}")
        ids = tuple(item.id for item in items)
        with self._locks_given_back():
            self._hold_tree(ids[0])
            self._journal.begin_run(run, ids, msgspec.json.encode(self.options).decode())
            return self._execute(run, items, self._record_start(run, items))

    def resume(self, run_id: str | None = None) -> RunResult:
        """Continue a run that was interrupted, with the options with which it was started.

        What is finished is not run again; what was running when the runner died is rolled back first. A run that was
        being rolled back is rolled back to the end.

        Args:
            run_id: the run; the latest open one when None.

        Raises:
            JournalError: there is no such run, or its runner is alive.
            RestoreError: some files could not be put back; call again when the cause is gone.
        """
        record = self._open_run(run_id)
        self.options = msgspec.json.decode(record.options, type=RunOptions)
        with self._locks_given_back():
            self._hold_tree(record.tasks[0])
            self._recover(record)
            if record.state is RunState.ROLLING_BACK:
                return self._roll_back(record, "it had not come to its end")
            self._journal.take_over(record.id)
            done = self._journal.finished(record.id)
            items = self._items(list(record.tasks))
            for item in items:
                if item.id in done:
                    item.state = TaskState.FINISHED
                    if self.options.checkpoint_frequency:
                        # What it wrote may still be undone; its locks fell away with the process that held them.
                        self._locks.acquire(item.id, exclusive=item.writes.exclusive).retain()
            snapshot = None
            if record.checkpoint or not self.options.checkpoint_frequency:
                snapshot = self._checkpoints.load(record.snapshot) if record.snapshot else None
            else:
                snapshot = self._record_start(record.id, items)
            return self._execute(record.id, items, snapshot)

    def rollback(self, run_id: str | None = None) -> RunResult:
        """Undo an interrupted run altogether.

        Args:
            run_id: the run; the latest open one when None.

        Raises:
            JournalError: there is no such run, or its runner is alive.
            RestoreError: some files could not be put back; call again when the cause is gone.
        """
        record = self._open_run(run_id)
        self.options = msgspec.json.decode(record.options, type=RunOptions)
        with self._locks_given_back():
            self._hold_tree(record.tasks[0])
            self._recover(record)
            return self._roll_back(record, "it was interrupted, and undone on request")

    # ---- before -------------------------------------------------------------------------------------------------

    def _items(self, ids: Sequence[str]) -> list[Item]:
        group = frozenset(ids)
        items = []
        for name in ids:
            task = self._tasks.get(name)
            self._tasks.require_startable(name, assumed=group)
            after = frozenset(reference.id for reference in task.depends_on if reference.id in group)
            writes = write_set_of(task, self._access_of(task), self.root)
            items.append(Item(task, writes, command_line(task, self.root, self.options.template), after))
        try:
            graphlib.TopologicalSorter({item.id: item.after for item in items}).prepare()
        except graphlib.CycleError as error:
            cycle = list(error.args[1])
            raise BlockedTaskError(cycle[0], cycle[1:]) from error
        return items

    @contextlib.contextmanager
    def _locks_given_back(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._locks.close()

    def _hold_tree(self, task: str) -> None:
        """Keep every other process from writing during a strict run, which would undo it.

        Args:
            task: the task that stands for the run in messages.
        """
        if self.options.strict and self.options.checkpoint_frequency:
            self._locks.acquire(task, shared=[WHOLE_TREE]).retain(shared=True)

    def _record_start(self, run: str, items: Sequence[Item]) -> Checkpoint | None:
        """Record the manifests that the run will mark; under `strict` the whole tree as well."""
        if not self.options.checkpoint_frequency:
            return None
        paths = [escape(item.task.span.file) for item in items] if self.options.mark_status else []
        snapshot = None
        try:
            checkpoint = self._checkpoints.create(paths, label=f"run {run}")
            if self.options.strict:
                snapshot = self._checkpoints.create([WHOLE_TREE], label=f"run {run}, whole tree")
        except CheckpointError:
            self._journal.set_run_state(run, RunState.FAILED)
            raise
        self._journal.note_checkpoints(run, checkpoint.id, "" if snapshot is None else snapshot.id)
        return snapshot

    def _waves(self, items: Sequence[Item]) -> list[list[str]]:
        open_items = [item for item in items if item.is_open]
        ids = [item.id for item in open_items]
        if self.options.schedule is Schedule.EVENTS:
            return [ids]
        if self.options.schedule is Schedule.BATCHES and self._batches is not None:
            return [list(batch) for batch in self._batches(ids)]
        sizes = list(self.options.waves)
        if self.options.schedule is Schedule.BATCHES:
            sizes = [self.options.max_parallel_tasks]
        sorter = graphlib.TopologicalSorter({item.id: item.after & set(ids) for item in open_items})
        sorter.prepare()
        waves: list[list[str]] = []
        ready: list[str] = []
        while sorter.is_active():
            ready += sorted(sorter.get_ready(), key=ids.index)
            size = sizes[min(len(waves), len(sizes) - 1)]
            wave, ready = ready[:size], ready[size:]
            waves.append(wave)
            sorter.done(*wave)
        return waves

    # ---- during -------------------------------------------------------------------------------------------------

    def _execute(self, run: str, items: Sequence[Item], snapshot: Checkpoint | None) -> RunResult:
        folder = self._state.folder(f"runs/{run}")
        self.board.prepare(item.id for item in items)
        for item in items:
            if not item.is_open:
                self.board.update(item.id, state=item.state)
        pool = self._pool or local_pool(self.options.max_parallel_tasks)
        with (
            EventLog(folder / "events.jsonl", self._sinks) as log,
            stopping_on_signals(self.stop),
            _heartbeat(folder / "heartbeat"),
        ):
            tools = Tools(
                self.root,
                self._locks,
                self._checkpoints,
                self._journal,
                log,
                self.board,
                pool,
                self._capacity,
                self._validate,
                lambda: self._stop_reason,
            )
            log.emit(
                "run-started", run=run, tasks=[item.id for item in items], options=msgspec.to_builtins(self.options)
            )
            coordinator = Coordinator(
                run,
                folder,
                items=items,
                waves=self._waves(items),
                options=self.options,
                tools=tools,
                snapshot=snapshot,
            )
            try:
                coordinator.execute()
            except BaseException as error:
                # On a full disk that fails too; a run whose runner is gone counts as interrupted anyway.
                with contextlib.suppress(JournalError):
                    self._journal.set_run_state(run, RunState.INTERRUPTED)
                if isinstance(error, TaskRuntimeError):
                    raise BrokenRunError(run, error) from error
                raise
            finally:
                if self._pool is None:
                    pool.shutdown()
            result = self._conclude(run, coordinator)
            log.emit("run-ended", result=msgspec.to_builtins(result))
        return result

    def _conclude(self, run: str, coordinator: Coordinator) -> RunResult:
        """Keep what was done, or undo it all, and note which."""
        result = RunResult(run, coordinator.results(), coordinator.undeclared)
        if coordinator.is_broken or self._stop_reason:
            self._journal.set_run_state(run, RunState.INTERRUPTED)
            self._mark_finished(result)
            return msgspec.structs.replace(
                result, interrupted=True, message=coordinator.abort_reason or self._stop_reason
            )
        if coordinator.abort_reason and self.options.checkpoint_frequency:
            record = next(record for record in self._journal.runs() if record.id == run)
            undone = self._roll_back(record, coordinator.abort_reason)
            return msgspec.structs.replace(result, rolled_back=True, message=undone.message)
        self._mark_finished(result)
        self._journal.set_run_state(run, RunState.FINISHED if result.succeeded else RunState.FAILED)
        self._forget_checkpoints(run)
        return msgspec.structs.replace(result, message=coordinator.abort_reason)

    def _mark_finished(self, result: RunResult) -> None:
        """Write the new status into the manifests; a run is not undone because that fails."""
        if not self.options.mark_status:
            return
        finished = [each.task for each in result.tasks if each.state is TaskState.FINISHED]
        graph = {name: {ref.id for ref in self._tasks.get(name).depends_on} & set(finished) for name in finished}
        for name in graphlib.TopologicalSorter(graph).static_order():
            if self._tasks.get(name).status is not Status.FINISHED:
                with contextlib.suppress(TaskStateError, LockError):
                    self._tasks.update_status(name, Status.FINISHED)

    # ---- undo and continue --------------------------------------------------------------------------------------

    def _open_run(self, run_id: str | None) -> RunRecord:
        runs = self._journal.runs()
        found = next((record for record in runs if (record.is_open if run_id is None else record.id == run_id)), None)
        if found is None:
            raise JournalError("no interrupted run to continue" if run_id is None else f"there is no run {run_id}")
        if not found.is_open:
            raise JournalError(f"run {found.id} is over ({found.state}); nothing is left to continue")
        if found.state is not RunState.INTERRUPTED and found.runner.is_alive() is not False:
            raise JournalError(f"run {found.id} is still executed by process {found.runner.pid} on {found.runner.host}")
        return found

    def _latest(self, record: RunRecord) -> dict[str, AttemptRecord]:
        return {attempt.task: attempt for attempt in self._journal.attempts(record.id)}

    def _recover(self, record: RunRecord) -> None:
        """Put back the files of every task that was running when the runner died."""
        self._locks.clean()
        for attempt in reversed(self._journal.attempts(record.id)):
            if attempt.state is not AttemptState.RUNNING:
                continue
            if not end_lost_command(self.root / attempt.folder):
                raise JournalError(
                    f"task {attempt.task} of run {record.id} may still run on another machine; see "
                    f"{attempt.folder}/claim, end it there, and resume again"
                )
            with self._locks.acquire(attempt.task, exclusive=attempt.covered):
                if attempt.checkpoint:
                    self._checkpoints.restore(attempt.checkpoint, only=attempt.covered)
                self._journal.end_attempt(record.id, attempt.task, AttemptState.ROLLED_BACK, "the runner died")
        if record.snapshot and self.options.strict:
            self._restore_unannounced(record)

    def _restore_unannounced(self, record: RunRecord) -> None:
        """Undo what tasks of a strict run changed outside of their write sets before the runner died."""
        covered = PathSet(path for attempt in self._journal.attempts(record.id) for path in attempt.covered)
        manifests = {self._tasks.get(name).span.file for name in record.tasks}
        changed = self._checkpoints.differences(record.snapshot)
        stray = [path for path in changed if path != "." and path not in manifests and not covered.covers(path)]
        if stray:
            self._checkpoints.restore_each(record.snapshot, stray)

    def _roll_back(self, record: RunRecord, reason: str) -> RunResult:
        """Put everything back as it was before the run: the latest change first, each to what its task had found.

        Attempts that were rolled back have nothing left to undo; their locks were given back, so their files may be
        somebody else's work by now.
        """
        self._journal.set_run_state(record.id, RunState.ROLLING_BACK)
        finished = {name: each for name, each in self._latest(record).items() if each.state is AttemptState.FINISHED}
        manifests = self._marked(finished)
        paths = {path for attempt in finished.values() for path in attempt.covered}
        if paths or manifests:
            with self._locks.acquire(_ROLLBACK_OWNER, exclusive={*paths, *manifests}):
                if record.checkpoint and manifests:
                    self._checkpoints.restore(record.checkpoint, only=manifests)
                for attempt in reversed(self._journal.attempts(record.id)):
                    if attempt.state is AttemptState.FINISHED:
                        if attempt.checkpoint:
                            self._checkpoints.restore(attempt.checkpoint, only=attempt.covered)
                        self._journal.end_attempt(record.id, attempt.task, AttemptState.ROLLED_BACK, reason)
        self._journal.set_run_state(record.id, RunState.FAILED)
        self._forget_checkpoints(record.id)
        return RunResult(record.id, (), rolled_back=True, message=f"{reason}; everything is as it was before the run")

    def _marked(self, names: Iterable[str]) -> list[str]:
        """The manifests in which these tasks may have been marked as finished."""
        if not self.options.mark_status:
            return []
        spans = {task.id: task.span.file for task in self._tasks.list()}
        return sorted({escape(spans[name]) for name in names if name in spans})

    def _forget_checkpoints(self, run: str) -> None:
        record = next(record for record in self._journal.runs() if record.id == run)
        used = {attempt.checkpoint for attempt in self._journal.attempts(run)} | {record.checkpoint, record.snapshot}
        for identifier in used - {""}:
            self._checkpoints.discard(identifier)
        self._checkpoints.collect()
