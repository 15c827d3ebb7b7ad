"""The scheduler of one run: one thread that decides, starts, watches, rolls back and records.

Every decision is taken in the calling thread, between two waits for something to happen; only the commands run
elsewhere. A task goes through: dependencies finished, a free slot, capacity and budget, locks granted (all at once),
checkpoint on the disk, attempt in the journal, command submitted; then its outcome, the search for changes that nobody
announced, and either its end or its rollback. The order of the records is what makes a crash harmless: what the journal
calls running has a checkpoint to go back to, and what it calls finished was finished.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taskgates.model.patterns import escape
from taskgates.runtime.errors import CheckpointError, RestoreError, TaskRuntimeError
from taskgates.runtime.events import TaskState
from taskgates.runtime.journal import AttemptState
from taskgates.runtime.path_overlap import PathSet
from taskgates.runtime.processes import ProcessIdentity
from taskgates.runtime.run_items import Item, Tools, slug
from taskgates.runtime.run_model import RunOptions, TaskResult, UndeclaredWrite
from taskgates.runtime.supervised import CommandJob, CommandOutcome, end_lost_command
from taskgates.runtime.tree_scan import scan_tree, tree_change, with_part_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.runtime.checkpoints import Checkpoint
    from taskgates.runtime.lock_table import LockHolder
    from taskgates.runtime.write_sets import WriteSet

_TICK = 0.1
_CAPACITY_INTERVAL = 0.5
_OWN_CONFLICT_DELAY = 0.05


class Coordinator:
    """Runs the open items to their end.

    Args:
        run: the run's id.
        folder: the run's folder, absolute.
        items: the tasks, in the order asked for; finished ones of an earlier part of the run included.
        waves: ids of tasks between barriers; one wave with all for none.
        options: how to run.
        tools: what to work with.
        snapshot: checkpoint of the whole tree, for strict runs.

    Attributes:
        is_broken: whether some task's files could not be put back.
    """

    def __init__(
        self,
        run: str,
        folder: Path,
        *,
        items: Sequence[Item],
        waves: Sequence[Sequence[str]],
        options: RunOptions,
        tools: Tools,
        snapshot: Checkpoint | None,
    ) -> None:
        self._run = run
        self._folder = folder
        self._items = {item.id: item for item in items}
        self._waves = [list(wave) for wave in waves]
        self._options = options
        self._tools = tools
        self._snapshot = snapshot
        self._undeclared: list[UndeclaredWrite] = []
        self._tree = scan_tree(tools.root)
        self._abort = ""
        self._capacity_free_at = 0.0
        self._capacity_waiting_since: float | None = None
        self._shared_checkpoint: tuple[Checkpoint, set[str], list[WriteSet]] | None = None
        self._wave_failed = False
        self._exclusions: dict[tuple[str, str], bool] = {}
        self.is_broken = False

    @property
    def undeclared(self) -> tuple[UndeclaredWrite, ...]:
        """Changes outside the write sets, in the order found."""
        return tuple(self._undeclared)

    @property
    def abort_reason(self) -> str:
        """Why the run ended before its time; "" when it did not."""
        return self._abort

    def results(self) -> tuple[TaskResult, ...]:
        """What became of every task."""
        return tuple(
            TaskResult(item.id, item.state, item.attempts, item.seconds, item.message, self._log_of(item))
            for item in self._items.values()
        )

    def execute(self) -> None:
        """Run everything; returns when nothing runs any more.

        Raises:
            TaskRuntimeError: the journal, the locks or a restore failed; nothing runs any more then either.
        """
        try:
            for wave in self._waves:
                self._run_wave([self._items[name] for name in wave])
        except BaseException:
            self._abort = self._abort or "an error of the runner"
            self._drain()
            raise
        for item in self._items.values():
            if item.is_open:
                item.state = TaskState.INTERRUPTED if item.attempts else TaskState.WAITING

    # ---- waves --------------------------------------------------------------------------------------------------

    def _run_wave(self, wave: list[Item]) -> None:
        barrier = len(self._waves) > 1
        self._wave_failed = False
        while True:
            self._check_stop()
            running = self._running()
            if not self._abort and not (barrier and self._wave_failed):
                self._start_what_may(wave)
                running = self._running()
            elif running:
                self._stop(running)
            if running:
                self._await(running)
                continue
            if barrier and self._wave_failed and not self._abort:
                self._fall_back(wave)
                continue
            if self._abort or not any(item.is_open for item in wave):
                return
            time.sleep(self._idle(wave))

    def _fall_back(self, wave: list[Item]) -> None:
        """Undo a batch as a whole, and run its tasks again one after another."""
        self._wave_failed = False
        self._tools.log.emit("batch-rolled-back", tasks=[item.id for item in wave])
        for item in reversed(wave):
            if item.state is TaskState.FINISHED and item.attempts:
                with self._tools.locks.acquire(item.id, exclusive=item.writes.exclusive):
                    self._restore(item)
                self._tools.journal.end_attempt(self._run, item.id, AttemptState.ROLLED_BACK, "its batch failed")
                self._set(item, TaskState.RETRYING, "its batch failed; now one after another")
        for item in wave:
            if item.is_open:
                item.alone = True
        self._tree = scan_tree(self._tools.root)

    def _running(self) -> list[Item]:
        return [item for item in self._items.values() if item.future is not None]

    def _check_stop(self) -> None:
        if not self._abort and (reason := self._tools.stop_reason()):
            self._abort = reason
            self._tools.log.emit("interrupted", reason=reason)

    def _stop(self, running: Sequence[Item]) -> None:
        for item in running:
            # A future is never cancelled: some executors then forget a command that goes on.
            if item.job is not None:
                item.job.stop_file.touch()

    def _drain(self) -> None:
        """End everything that runs and put its files back, whatever happened before."""
        while running := self._running():
            self._stop(running)
            for item in running:
                if item.future is None or not item.future.done():
                    continue
                try:
                    self._finish(item, item.future)
                except TaskRuntimeError as error:
                    # The journal still has it as running, so that resuming puts its files back.
                    item.future = None
                    self._tools.log.emit("rollback-failed", task=item.id, reason=str(error))
            time.sleep(0.01)

    def _idle(self, wave: Sequence[Item]) -> float:
        """Seconds until something may have changed although nothing of ours runs."""
        moments = [item.not_before for item in wave if item.is_open and item.not_before]
        return max(0.005, min([_TICK, *(moment - time.monotonic() for moment in moments)]))

    def _await(self, running: Sequence[Item]) -> None:
        futures = {item.future: item for item in running if item.future is not None}
        done, _ = wait(futures, timeout=_TICK, return_when=FIRST_COMPLETED)
        for future in done:
            self._finish(futures[future], future)

    # ---- start --------------------------------------------------------------------------------------------------

    def _start_what_may(self, wave: Sequence[Item]) -> None:
        ready = [item for item in wave if item.is_open and item.future is None and self._dependencies_allow(item)]
        lonely = [item for item in ready if item.alone]
        if lonely:
            for item in ready:
                # Its place in the queue would block the one that runs alone.
                self._leave_queue(item)
        for item in lonely[:1] or ready:
            running = self._running()
            if running and (item.alone or any(other.alone for other in running)):
                return
            if any(self._exclude_each_other(item, other) for other in running):
                continue
            if len(running) >= self._options.max_parallel_tasks:
                return
            if time.monotonic() < item.not_before or not self._budget_allows(item, running):
                continue
            if not self._capacity_allows(len(running)):
                return
            if self._take_locks(item):
                self._start(item)

    def _dependencies_allow(self, item: Item) -> bool:
        for name in item.after:
            state = self._items[name].state
            if state in (TaskState.FAILED, TaskState.SKIPPED):
                self._leave_queue(item)
                self._set(item, TaskState.SKIPPED, f"it depends on {name}, which did not finish")
                return False
            if state is not TaskState.FINISHED:
                return False
        return True

    def _leave_queue(self, item: Item) -> None:
        if item.request is not None:
            item.request.withdraw()
            item.request, item.waiting_since = None, None

    def _exclude_each_other(self, one: Item, other: Item) -> bool:
        pair = (one.id, other.id)
        if pair not in self._exclusions:
            self._exclusions[pair] = self._exclusions[pair[::-1]] = one.writes.excludes(other.writes)
        return self._exclusions[pair]

    def _budget_allows(self, item: Item, running: Sequence[Item]) -> bool:
        total = sum(other.task.difficulty or 0 for other in (*running, item))
        return not running or total <= self._options.max_context_complexity

    def _capacity_allows(self, running: int) -> bool:
        now = time.monotonic()
        if now < self._capacity_free_at:
            return False
        reason = self._tools.capacity(running)
        if reason is None:
            self._capacity_waiting_since = None
            return True
        self._capacity_free_at = now + _CAPACITY_INTERVAL
        if self._capacity_waiting_since is None:
            self._capacity_waiting_since = now
            self._tools.log.emit("capacity-exhausted", running=running, reason=reason)
        self._tools.board.notice = reason
        if running == 0 and now - self._capacity_waiting_since > self._options.lock_timeout:
            # The load is not ours and does not go away: one task at a time still makes progress.
            self._tools.log.emit("capacity-ignored", reason=reason)
            return True
        return False

    def _take_locks(self, item: Item) -> bool:
        now = time.monotonic()
        if item.request is None:
            item.request = self._tools.locks.request(
                item.id, exclusive=item.writes.exclusive, shared=item.writes.shared
            )
        item.lease = item.request.attempt()
        if item.lease is not None:
            item.request, item.waiting_since = None, None
            return True
        foreign = item.request.blockers
        if not foreign:
            item.not_before = now + _OWN_CONFLICT_DELAY
            return False
        if item.waiting_since is None:
            item.waiting_since = now
            self._set(item, TaskState.WAITING_FOR_LOCK, str(foreign[0]))
            self._tools.log.emit("lock-held", task=item.id, holders=[str(holder) for holder in foreign])
        if now - item.waiting_since > self._options.lock_timeout:
            self._give_up_waiting(item, foreign, now - item.waiting_since)
            return False
        item.not_before = now + item.request.next_delay()
        return False

    def _give_up_waiting(self, item: Item, holders: Sequence[LockHolder], waited: float) -> None:
        self._leave_queue(item)
        held = "; ".join(str(holder) for holder in holders)
        self._fail_finally(item, f"no lock after {waited:.1f} s: {held}")

    def _start(self, item: Item) -> None:
        item.attempts += 1
        item.started = time.time()
        folder = self._folder / "attempts" / f"{slug(item.id)}-{item.attempts}-{time.time_ns():x}"
        log = self._tools.root / self._log_of(item)
        try:
            item.checkpoint = self._checkpoint(item)
            folder.mkdir(parents=True, mode=0o700)
            log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            relative = folder.relative_to(self._tools.root).as_posix()
            self._tools.journal.begin_attempt(self._run, item.id, item.checkpoint, item.writes.recorded, relative)
        except (TaskRuntimeError, OSError) as error:
            self._release(item)
            self._fail_finally(item, str(error))
            return
        options = self._options
        environment = {**options.env, "TASKGATES_TASK": item.id, "TASKGATES_RUN": self._run}
        command = item.command
        item.job = CommandJob(
            item.id,
            command.argv,
            command.cwd,
            str(folder),
            str(log),
            environment,
            options.timeout,
            options.grace,
            runner=ProcessIdentity.current(),
            heartbeat=str(self._folder / "heartbeat"),
        )
        others = self._running()
        item.overlapped = bool(others)
        for other in others:
            other.overlapped = True
        try:
            item.future = self._tools.pool.submit(item.job)
        except Exception as error:  # noqa: BLE001 - an executor that is gone counts as a lost worker
            item.future = Future()
            item.future.set_exception(error)
        item.state = TaskState.RUNNING
        self._tools.board.notice = ""
        self._tools.board.update(
            item.id,
            state=item.state,
            started=item.started,
            ended=None,
            pid_file=item.job.pid_file,
            log=str(log),
            message="",
        )
        self._tools.log.emit(
            "started",
            task=item.id,
            attempt=item.attempts,
            command=command.shown,
            exclusive=item.writes.exclusive,
            shared=item.writes.shared,
            checkpoint=item.checkpoint,
            log=self._log_of(item),
        )

    def _checkpoint(self, item: Item) -> str:
        """Record what the task may write, or use the checkpoint that it shares with tasks before it."""
        frequency = self._options.checkpoint_frequency
        if frequency == 0:
            return ""
        if frequency > 1 and self._shared_checkpoint is not None:
            shared, members, touched = self._shared_checkpoint
            if item.id in members and not any(item.writes.overlaps(other) for other in touched):
                members.discard(item.id)
                touched.append(item.writes)
                return shared.id
        group = [item]
        if frequency > 1:
            group += [other for other in self._items.values() if other.is_open and other is not item][: frequency - 1]
        paths = [path for member in group for path in member.writes.recorded]
        checkpoint = self._tools.checkpoints.create(paths, label=",".join(member.id for member in group))
        # What a running task is writing at this moment has not been recorded in a state to go back to.
        touched = [item.writes, *(other.writes for other in self._running())]
        self._shared_checkpoint = (checkpoint, {member.id for member in group[1:]}, touched)
        return checkpoint.id

    # ---- end ----------------------------------------------------------------------------------------------------

    def _finish(self, item: Item, future: Future[CommandOutcome]) -> None:
        item.seconds = time.time() - item.started
        lost = False
        try:
            outcome = future.result()
            problem = "" if outcome.succeeded else str(outcome)
            lost = outcome.error in ("supervisor-lost", "runner-gone", "already-started")
            self._tools.log.emit("ended", task=item.id, outcome=msgspec.to_builtins(outcome))
        except CancelledError:
            problem = "it was stopped before it started"
        except Exception as error:  # noqa: BLE001 - whatever an executor raises when it loses a worker
            problem, lost = f"the worker was lost ({type(error).__name__}: {error})", True
        if lost:
            self._tools.log.emit("worker-lost", task=item.id, reason=problem)
            if item.job is not None and not end_lost_command(Path(item.job.folder)):
                self._tools.log.emit("worker-unreachable", task=item.id)
        unannounced = self._find_undeclared()
        if not problem and self._options.strict and unannounced:
            problem = f"it wrote what it did not declare: {', '.join(write.path for write in unannounced[:3])}"
        if not problem:
            problem = self._tools.validate(item.task) or ""
        if problem:
            item.future = None
            self._undo(item, problem, lost=lost)
        else:
            self._tools.journal.end_attempt(self._run, item.id, AttemptState.FINISHED)
            item.future = None
            self._release(item)
            self._set(item, TaskState.FINISHED, "")
            self._tools.log.emit("finished", task=item.id, seconds=item.seconds)

    def _find_undeclared(self) -> list[UndeclaredWrite]:
        """Changes since the last look that no running task has announced."""
        before, self._tree = self._tree, scan_tree(self._tools.root)
        running = self._running()
        covered = [path for item in running for path in item.writes.recorded]
        change = tree_change(before, self._tree).outside(covered)
        suspects = tuple(item.id for item in running)
        found = [
            UndeclaredWrite(path, kind, suspects)
            for kind, paths in (("created", change.created), ("changed", change.changed), ("deleted", change.deleted))
            for path in paths
        ]
        if not found:
            return []
        if self._options.strict and self._snapshot is not None:
            found = self._restore_undeclared(found)
        for write in found:
            self._tools.log.emit("undeclared-write", rule="TG701", **msgspec.to_builtins(write))
        self._undeclared.extend(found)
        return found

    def _restore_undeclared(self, writes: list[UndeclaredWrite]) -> list[UndeclaredWrite]:
        """Put back what nobody in the run may write; what another of its tasks wrote before stays as it is."""
        restored = []
        for write in writes:
            owned = any(PathSet(item.writes.recorded).covers(write.path) for item in self._items.values())
            if not owned and self._snapshot is not None:
                self._tools.checkpoints.restore(self._snapshot, only=[escape(write.path)])
                write = msgspec.structs.replace(write, restored=True)  # noqa: PLW2901
            restored.append(write)
        self._tree = scan_tree(self._tools.root)
        return restored

    def _undo(self, item: Item, problem: str, *, lost: bool) -> None:
        """Put a failed task's files back and decide how it goes on; one that cannot be put back ends the run."""
        self._tools.board.update(item.id, state=TaskState.ROLLING_BACK, message=problem)
        try:
            self._restore(item)
        except CheckpointError as error:
            # Its locks are kept, and the journal still has it as running: resuming tries again.
            self._set(item, TaskState.FAILED, f"{problem}; {error}")
            self._abort = self._abort or f"task {item.id} could not be rolled back: {error}"
            self.is_broken = True
            return
        self._tools.journal.end_attempt(self._run, item.id, AttemptState.ROLLED_BACK, problem)
        self._release(item)
        self._tree = with_part_of(self._tree, scan_tree(self._tools.root), item.writes.recorded)
        self._after_failure(item, problem, lost=lost)

    def _restore(self, item: Item) -> None:
        if not item.checkpoint:
            return
        try:
            report = self._tools.checkpoints.restore(item.checkpoint, only=item.writes.recorded)
        except RestoreError as error:
            self._tools.log.emit("restore-failed", task=item.id, failures=error.failures)
            raise
        self._tools.log.emit(
            "rolled-back",
            task=item.id,
            restored=report.restored,
            removed=report.removed,
            displaced=report.displaced,
        )

    def _release(self, item: Item) -> None:
        if item.lease is not None:
            item.lease.release()
            item.lease = None

    def _after_failure(self, item: Item, problem: str, *, lost: bool) -> None:
        if self._abort:
            item.message = problem
            self._set(item, TaskState.INTERRUPTED, problem)
            return
        if self._wave_failed:
            self._set(item, TaskState.RETRYING, problem)
            return
        if lost and item.attempts <= self._options.retries:
            self._set(item, TaskState.RETRYING, problem)
            self._tools.log.emit("retry", task=item.id, reason=problem)
            return
        if item.overlapped and not item.alone and self._options.conflict_resolution == "sequential":
            item.alone = True
            self._set(item, TaskState.RETRYING, f"{problem}; once more, alone")
            self._tools.log.emit("sequential-fallback", task=item.id, reason=problem)
            self._wave_failed = len(self._waves) > 1
            return
        self._fail_finally(item, problem)

    def _fail_finally(self, item: Item, problem: str) -> None:
        self._set(item, TaskState.FAILED, problem)
        self._tools.log.emit("failed", task=item.id, reason=problem)
        if not self._options.keep_going:
            self._abort = f"task {item.id} failed: {problem}"

    def _set(self, item: Item, state: TaskState, message: str) -> None:
        item.state, item.message = state, message
        ended = time.time() if state in (TaskState.FINISHED, TaskState.FAILED) else None
        self._tools.board.update(item.id, state=state, message=message, ended=ended)

    def _log_of(self, item: Item) -> str:
        return f".taskgates/runs/{self._run}/logs/{slug(item.id)}.log" if item.attempts else ""
