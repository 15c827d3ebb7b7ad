"""Where commands are executed: any `concurrent.futures.Executor`, made anew when it broke."""

from __future__ import annotations

import contextlib
import importlib
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from taskgates.runtime.errors import TaskRuntimeError
from taskgates.runtime.supervised import CommandJob, CommandOutcome, run_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class WorkerPool:
    """Submits commands to an executor.

    Args:
        make: makes the executor; called again when a worker's death broke the present one.
    """

    def __init__(self, make: Callable[[], Executor]) -> None:
        self._make = make
        self._executor = make()

    def submit(self, job: CommandJob) -> Future[CommandOutcome]:
        """Start a command as soon as a worker is free."""
        try:
            return self._executor.submit(run_command, job)
        except BrokenExecutor:
            self._executor.shutdown(wait=False)
            self._executor = self._make()
            return self._executor.submit(run_command, job)

    def shutdown(self) -> None:
        """End the executor."""
        self._executor.shutdown(wait=True)


def local_pool(workers: int) -> WorkerPool:
    """The default: every command is a process of its own on this machine, each watched from a thread.

    Args:
        workers: commands at the same time.
    """
    return WorkerPool(lambda: ThreadPoolExecutor(workers, thread_name_prefix="taskgates"))


@contextlib.contextmanager
def dask_pool(address: str | None, workers: int) -> Iterator[WorkerPool]:
    """Workers of a dask cluster, which must see the repository's files under the same paths (extra `dask`).

    Args:
        address: the scheduler's address; None starts a cluster of processes on this machine.
        workers: processes of that cluster.

    Yields:
        The pool.

    Raises:
        TaskRuntimeError: dask.distributed is not installed, or the scheduler does not answer.
    """
    try:
        dask, distributed = importlib.import_module("dask"), importlib.import_module("distributed")
    except ImportError as error:
        raise TaskRuntimeError("the dask executor needs the extra: pip install 'taskgates[dask]'") from error
    with contextlib.ExitStack() as stack:
        try:
            if address is None:
                # A worker that dies may have left files half written: its task must come back to the coordinator, not
                # go to another worker.
                stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 0}))
                target = stack.enter_context(
                    distributed.LocalCluster(
                        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
                    )
                )
            else:
                target = address
            client = stack.enter_context(distributed.Client(target, timeout=10))
        except (OSError, TimeoutError) as error:
            raise TaskRuntimeError(
                f"the dask scheduler {address or 'on this machine'} does not answer: {error}"
            ) from error
        yield WorkerPool(lambda: client.get_executor(pure=False, retries=0))
