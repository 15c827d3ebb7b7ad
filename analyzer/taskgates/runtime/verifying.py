"""Running tasks under a tracer so that nothing of it stays, and comparing the three accounts of what they touch.

The tree is recorded before and put back after each command. The journal knows it as a run that is to be rolled back,
whatever happens: where the process is killed in the middle, `run --rollback` (and `run --resume`) put the tree back.
"""

from __future__ import annotations

import secrets
import shutil
import time
from typing import TYPE_CHECKING

import msgspec

from taskgates.runtime.checkpoints import CheckpointStore
from taskgates.runtime.commands import CommandLine, command_line
from taskgates.runtime.interruption import stopping_on_signals
from taskgates.runtime.journal import AttemptState, Journal, RunState
from taskgates.runtime.path_overlap import canonical_path
from taskgates.runtime.recorded_files import is_covered
from taskgates.runtime.run_items import slug
from taskgates.runtime.run_model import RunOptions
from taskgates.runtime.state import StateDirectory
from taskgates.runtime.tracing import Tracer, trace_command
from taskgates.runtime.verification import Verification, compare_accounts
from taskgates.runtime.write_sets import WHOLE_TREE, write_set_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from taskgates.model.access import AccessSet
    from taskgates.model.task import Task
    from taskgates.runtime.checkpoints import Checkpoint
    from taskgates.runtime.task_manager import TaskManager


class VerifyOptions(msgspec.Struct, frozen=True):
    """How tasks are verified.

    Attributes:
        tracer: how commands are watched; the best way available when None.
        template: shell text that runs a task instead of its own command.
        timeout: seconds that one command may take; None for no limit.
        keep: what the commands did stays.
        env: environment variables for the commands.
    """

    tracer: Tracer | None = None
    template: str | None = None
    timeout: float | None = None
    keep: bool = False
    env: dict[str, str] = {}


class Verifier:
    """Verifies tasks of one repository, one after another; each sees the tree as it was before.

    Args:
        tasks: the repository's tasks, whose lock manager is used.
        options: how to do it.
        access_of: the inferred access set of a task; None where there is no code.

    Attributes:
        stop_reason: why it was ended before its time; "" when it was not.
    """

    def __init__(
        self, tasks: TaskManager, options: VerifyOptions, access_of: Callable[[Task], AccessSet | None]
    ) -> None:
        self.stop_reason = ""
        self._root = tasks.root
        self._locks = tasks.locks
        self._options = options
        self._access_of = access_of
        self._state = StateDirectory(tasks.root)
        self._checkpoints = CheckpointStore(tasks.root)
        self._journal = Journal(tasks.root)
        self._stop_file: Path | None = None

    def stop(self, reason: str = "stopped") -> None:
        """End the command that runs, put the tree back, and start no other. Thread-safe."""
        self.stop_reason = self.stop_reason or reason
        if self._stop_file is not None and self._stop_file.parent.is_dir():
            self._stop_file.touch()

    def verify(
        self, wanted: Sequence[Task], progress: Callable[[str, int, int], None] = lambda *_: None
    ) -> list[Verification]:
        """Run tasks and compare what they declare, what was inferred, and what was observed.

        Args:
            wanted: the tasks.
            progress: told of the work done.

        Returns:
            A verification for each task that ran to its end, or failed.

        Raises:
            InterruptedRunError: an earlier run ended in the middle; resume it or roll it back first.
            TaskRuntimeError: a task has no command or cannot be traced, another process holds files of the repository,
                or something cannot be put back; the journal then still knows what is to be put back.
        """
        lines = [command_line(task, self._root, self._options.template) for task in wanted]
        self._journal.require_no_interrupted_run()
        done: list[Verification] = []
        with self._locks.acquire("verify", exclusive=[WHOLE_TREE]), stopping_on_signals(self.stop):
            run = f"verify-{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(3)}"
            if not self._options.keep:
                options = msgspec.json.encode(RunOptions(mark_status=False, template=self._options.template)).decode()
                self._journal.begin_run(run, tuple(task.id for task in wanted), options, RunState.ROLLING_BACK)
            try:
                for number, (task, line) in enumerate(zip(wanted, lines, strict=True)):
                    progress("Running and watching", number, len(wanted))
                    verification = self._verify(run, task, line)
                    if self.stop_reason:
                        break
                    done.append(verification)
            finally:
                if not self._options.keep:
                    self._conclude(run)
        return done

    def _conclude(self, run: str) -> None:
        """Note that nothing is left to put back, unless something is."""
        attempts = self._journal.attempts(run)
        if all(attempt.state is AttemptState.ROLLED_BACK for attempt in attempts):
            self._journal.set_run_state(run, RunState.FINISHED)
            for attempt in attempts:
                self._checkpoints.discard(attempt.checkpoint)
            self._checkpoints.collect()

    def _verify(self, run: str, task: Task, line: CommandLine) -> Verification:
        inferred = self._access_of(task)
        folder = self._state.folder(f"runs/{run}/attempts/{slug(task.id)}-{secrets.token_hex(4)}")
        log = self._state.folder(f"runs/{run}/logs") / f"{slug(task.id)}.log"
        self._stop_file = folder / "stop"
        checkpoint = None if self._options.keep else self._record(run, task, inferred, folder)
        try:
            traced = trace_command(
                line,
                self._root,
                tracer=self._options.tracer,
                timeout=self._options.timeout,
                log=log,
                env=self._options.env,
                folder=folder,
            )
        finally:
            if checkpoint is not None:
                self._checkpoints.restore(checkpoint)
                self._journal.end_attempt(run, task.id, AttemptState.ROLLED_BACK, "verified")
        shutil.rmtree(folder, ignore_errors=True)
        left = () if checkpoint is None else self._left_changed(checkpoint, traced.access)
        rows = compare_accounts(task, inferred, traced.access)
        shown = log.relative_to(self._state.root).as_posix()
        return Verification(task.id, line.shown, traced.outcome, rows, left, shown)

    def _record(self, run: str, task: Task, inferred: AccessSet | None, folder: Path) -> Checkpoint:
        """Record the tree, and the files outside of it of which it is known that the task writes them."""
        outside = [path for path in write_set_of(task, inferred, self._root).recorded if path.startswith("/")]
        checkpoint = self._checkpoints.create([WHOLE_TREE, *outside], label=f"verify {task.id}")
        relative = folder.relative_to(self._state.root).as_posix()
        self._journal.begin_attempt(run, task.id, checkpoint.id, checkpoint.covered, relative)
        return checkpoint

    def _left_changed(self, checkpoint: Checkpoint, observed: AccessSet) -> tuple[str, ...]:
        """What the command wrote beyond what was recorded."""
        written = {str(access.path): access for access in observed.writes}
        return tuple(
            sorted(
                path
                for path in written
                if not is_covered(self._root, checkpoint.covered, canonical_path(self._root, path, follow_last=False))
            )
        )
