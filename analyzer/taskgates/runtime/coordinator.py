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

from taskgates.runtime.admission import Admission
from taskgates.runtime.checkpoint_sharing import CheckpointSharing
from taskgates.runtime.errors import CheckpointError, DeadlockError, RestoreError, TaskRuntimeError
from taskgates.runtime.events import TaskState
from taskgates.runtime.journal import AttemptState
from taskgates.runtime.processes import ProcessIdentity
from taskgates.runtime.result_checks import BatchProblem, check_batch, spoilt_results
from taskgates.runtime.run_items import Item, Tools, slug
from taskgates.runtime.run_model import RunOptions, TaskResult, UndeclaredWrite
from taskgates.runtime.supervised import CommandJob, CommandOutcome, end_lost_command
from taskgates.runtime.tree_watch import TreeWatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from taskgates.runtime.checkpoints import Checkpoint
    from taskgates.runtime.lock_table import LockHolder

_TICK = 0.1
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
        self._watch = TreeWatch(tools, self._items.values(), snapshot if options.strict else None)
        self._admission = Admission(options, tools)
        self._sharing = CheckpointSharing(tools.checkpoints, options.checkpoint_frequency)
        self._moment = 0
        self._wave: list[Item] = []
        self._rejected: list[BatchProblem] = []
        self._abort = ""
        self._wave_failed = False
        self.is_broken = False

    @property
    def undeclared(self) -> tuple[UndeclaredWrite, ...]:
        """Changes outside the write sets, in the order found."""
        return tuple(self._watch.undeclared)

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
        self._wave, self._wave_failed = wave, False
        known = len(self._watch.undeclared)
        while True:
            self._check_stop()
            running = self._running()
            if self._abort or self._wave_failed:
                self._stop(running)
            elif not self._rejected:
                self._start_what_may(wave)
                running = self._running()
            if running:
                self._await(running)
                continue
            if self._wave_failed:
                self._fall_back(wave)
                known = len(self._watch.undeclared)
                continue
            if self._rejected:
                self._reject()
                continue
            if self._abort:
                return
            if any(item.is_open for item in wave):
                time.sleep(self._idle(wave))
            elif self._is_valid(known):
                return

    def _is_valid(self, known: int) -> bool:
        """Look at the results of a batch (of the whole run, without barriers) together, before anything builds on them.

        Args:
            known: how many undeclared writes had been found when it began.

        Returns:
            Whether the next batch may start; False when there is something to do in this one.
        """
        finished = self._finished_here()
        if not finished:
            return True
        late = self._watch.look((), finished)
        problems = check_batch(
            finished, self._watch.undeclared[known:], late if self._options.strict else (), self._tools.validate
        )
        if not problems:
            self._tools.log.emit("results-validated", tasks=[item.id for item in finished])
            return True
        self._refuse(problems)
        return False

    def _refuse(self, problems: Sequence[BatchProblem]) -> None:
        """Have the batch run again, task by task, where that can help; otherwise have undone what does not hold.

        Either happens once nothing runs any more.
        """
        self._tools.log.emit("results-invalid", problems=[msgspec.to_builtins(problem) for problem in problems])
        may_repeat = self._options.conflict_resolution == "sequential" and self._options.checkpoint_frequency > 0
        tried = [item for item in self._wave if item.attempts and (item.is_open or item.state is TaskState.FINISHED)]
        if may_repeat and len(tried) > 1 and not all(item.alone for item in tried):
            self._wave_failed = True
        else:
            self._rejected.extend(problems)

    def _reject(self) -> None:
        """Undo finished tasks whose results do not hold, and what was built on them."""
        finished = [item for item in self._items.values() if item.state is TaskState.FINISHED and item.attempts]
        reasons = {name: problem.message for problem in self._rejected for name in problem.tasks}
        self._rejected.clear()
        pending = [item for item in finished if item.id in reasons]
        while pending:
            base = pending.pop()
            for item in finished:
                follows = base.id in item.after or (item.began > base.left and item.writes.overlaps(base.writes))
                if follows and item.id not in reasons:
                    reasons[item.id] = f"it builds on {base.id}, whose result is not valid"
                    pending.append(item)
        doomed = self._latest_first(item for item in finished if item.id in reasons)
        self._tools.journal.reopen_attempts(self._run, [item.id for item in doomed])
        for item in doomed:
            self._undo(item, reasons[item.id], lost=False, final=True)

    @staticmethod
    def _latest_first(items: Iterable[Item]) -> list[Item]:
        """The order in which tasks are undone: two of them may have written one file, one after the other."""
        return sorted(items, key=lambda item: -item.began)

    def _fall_back(self, wave: list[Item]) -> None:
        """Undo a batch as a whole, and run its tasks again one after another."""
        self._wave_failed = False
        self._tools.log.emit("batch-rolled-back", tasks=[item.id for item in wave])
        finished = self._latest_first(self._finished_here())
        self._tools.journal.reopen_attempts(self._run, [item.id for item in finished])
        for item in finished:
            self._restore(item)
            self._tools.journal.end_attempt(self._run, item.id, AttemptState.ROLLED_BACK, "its batch failed")
            self._release(item)
            self._set(item, TaskState.RETRYING, "its batch failed; now one after another")
        for item in wave:
            if item.is_open:
                item.alone = True
        self._watch.refresh()

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
            if any(self._admission.excludes(item, other) for other in running):
                continue
            if len(running) >= self._options.max_parallel_tasks:
                return
            if time.monotonic() < item.not_before or not self._admission.within_budget(item, running):
                continue
            if not self._admission.has_capacity(len(running)):
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

    def _take_locks(self, item: Item) -> bool:
        now = time.monotonic()
        if item.request is None:
            item.request = self._tools.locks.request(
                item.id, exclusive=item.writes.exclusive, shared=item.writes.shared
            )
        try:
            item.lease = item.request.attempt()
        except DeadlockError as error:
            # Another run waits for what this one has written. Giving up here lets one of the two go on.
            self._leave_queue(item)
            self._fail_finally(item, str(error))
            return False
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
        item.started, item.began = time.time(), self._next_moment()
        folder = self._folder / "attempts" / f"{slug(item.id)}-{item.attempts}-{time.time_ns():x}"
        log = self._tools.root / self._log_of(item)
        try:
            item.checkpoint = self._sharing.checkpoint_for(item, self._items.values(), self._running())
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

    # ---- end ----------------------------------------------------------------------------------------------------

    def _finish(self, item: Item, future: Future[CommandOutcome]) -> None:
        item.seconds, item.left = time.time() - item.started, self._next_moment()
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
        unannounced = self._watch.look(self._running())
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
            self._keep(item)
            self._set(item, TaskState.FINISHED, "")
            self._tools.log.emit("finished", task=item.id, seconds=item.seconds)
        if not self._abort and (spoilt := spoilt_results(self._finished_here(), unannounced)):
            # Nothing must build on it.
            self._refuse(spoilt)

    def _finished_here(self) -> list[Item]:
        """The tasks of the present batch that this process has finished."""
        return [item for item in self._wave if item.state is TaskState.FINISHED and item.attempts]

    def _undo(self, item: Item, problem: str, *, lost: bool, final: bool = False) -> None:
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
        self._watch.refresh(item.writes.recorded)
        if final:
            self._fail_finally(item, problem)
        else:
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

    def _keep(self, item: Item) -> None:
        """Keep a finished task's files locked until the checkpoints are dropped from which they may be restored."""
        if item.lease is not None and self._options.checkpoint_frequency:
            item.lease.retain()
        else:
            self._release(item)

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
            self._wave_failed = self._wave_failed or len(self._waves) > 1
            return
        self._fail_finally(item, problem)

    def _next_moment(self) -> int:
        self._moment += 1
        return self._moment

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
