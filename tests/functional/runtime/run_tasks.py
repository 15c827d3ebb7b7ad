"""Runs or resumes all tasks of a repository; a process of its own for the kill tests.

It imports everything once. For each line that it reads (a variant, an action, and a repository) it forks a process that
does what the line says, tells that process's number, and tells its exit code when it has ended.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import traceback
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from functional.runtime.task_repository import options
from taskgates.runtime.errors import JournalError
from taskgates.runtime.executor import SafeParallelExecutor
from taskgates.runtime.run_model import Schedule
from taskgates.runtime.worker_pool import WorkerPool

VARIANTS: dict[str, dict[str, object]] = {
    "events": {},
    "strict": {"strict": True},
    "batches": {"schedule": Schedule.BATCHES},
    "progressive": {"schedule": Schedule.PROGRESSIVE, "waves": (1, 2), "checkpoint_frequency": 2},
    "process-pool": {},
}
NOTHING_TO_DO = 4


def main(variant: str, action: str, root: str) -> int:
    pool = None
    if variant == "process-pool":
        pool = WorkerPool(partial(ProcessPoolExecutor, 3, mp_context=get_context("fork")))
    executor = SafeParallelExecutor(root, options=options(max_parallel_tasks=3, **VARIANTS[variant]), pool=pool)
    try:
        if action == "run":
            return 0 if executor.run(["*"]).succeeded else 1
        result = executor.resume() if action == "resume" else executor.rollback()
    except JournalError as error:
        if "no interrupted run" in str(error):
            return NOTHING_TO_DO
        raise
    finally:
        if pool is not None:
            pool.shutdown()
    return 0 if result.succeeded or result.rolled_back else 1


def serve() -> None:
    say = threading.Lock()

    def tell(text: str) -> None:
        with say:
            sys.stdout.write(text)
            sys.stdout.flush()

    def wait(pid: int) -> None:
        _, status = os.waitpid(pid, 0)
        tell(f"ended {pid} {os.waitstatus_to_exitcode(status)}\n")

    for line in sys.stdin:
        variant, action, root = line.rstrip("\n").split(" ", 2)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.setpgid(0, 0)
                code = main(variant, action, root)
            except BaseException:  # noqa: BLE001 - whatever it is, it is told, and the process ends
                traceback.print_exc()
            finally:
                with contextlib.suppress(OSError):
                    sys.stderr.flush()
                os._exit(code)
        tell(f"started {pid}\n")
        threading.Thread(target=wait, args=(pid,), daemon=True).start()


if __name__ == "__main__":
    serve()
