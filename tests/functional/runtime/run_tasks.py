"""Runs or resumes all tasks of a repository; a process for the kill tests."""

from __future__ import annotations

import sys

from functional.runtime.task_repository import options
from taskgates.runtime.errors import JournalError
from taskgates.runtime.executor import SafeParallelExecutor


def main(root: str, action: str) -> int:
    executor = SafeParallelExecutor(root, options=options(max_parallel_tasks=3, strict=False))
    if action == "run":
        return 0 if executor.run(["*"]).succeeded else 1
    try:
        result = executor.resume() if action == "resume" else executor.rollback()
    except JournalError as error:
        if "no interrupted run" in str(error):
            return 4
        raise
    return 0 if result.succeeded or result.rolled_back else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
