"""How the Python interface of the gates grows: 100, 1,000 and 10,000 task files on disk, without code.

    pytest tests/benchmarks/test_bench_interface.py --benchmark-only
    python tests/benchmarks/test_bench_interface.py

Each task declares three files and one or two dependencies. The second form prints seconds, peak memory and growth.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from taskgates.config import Config, GateLimits
from taskgates.gates.cycles import find_cycles
from taskgates.scan.gatekeeping import ParallelExecutionGates
from taskgates.scan.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (100, 1_000, 10_000)


def write_tasks(root: Path, count: int, seed: int = 1) -> None:
    """Task files over twice as many source files as there are tasks, in folders of twenty."""
    chance = random.Random(seed)
    folder = root / ".claude" / "tasks"
    folder.mkdir(parents=True)
    for index in range(count):
        numbers = [chance.randrange(2 * count) for _ in range(3)]
        document = {
            "id": str(index),
            "title": f"Task {index}",
            "status": "Pending",
            "difficulty": chance.randint(1, 10),
            "dependencies": [str(other) for other in chance.sample(range(index), min(index, chance.choice((1, 2))))],
            "subtasks": [],
            "parent_task": None,
            "files_affected": [f"docs/part_{number // 20}/page_{number}.md" for number in numbers],
        }
        (folder / f"task-{index}.json").write_text(json.dumps(document), encoding="utf-8")


def opened(root: Path) -> Repository:
    """A repository whose manifests are read, without limits that would refuse the group for its size."""
    limits = GateLimits(max_parallel_tasks=100_000, max_context_complexity=1e9)
    repository = Repository(root, Config(gates=limits), use_cache=False)
    assert len(repository.relations) > 0
    return repository


def validate(repository: Repository) -> Any:
    return ParallelExecutionGates(repository, measure=None).validate_parallel_group(repository.relations.ids)


def cycles(repository: Repository) -> Any:
    return find_cycles(repository.relations, repository.footprints(repository.relations.ids))


def batches(repository: Repository) -> Any:
    config = Config(gates=GateLimits(max_parallel_tasks=5, max_context_complexity=30))
    limited = Repository(repository.root, config, use_cache=False)
    # The manifests are read already; what is timed is the division.
    vars(limited)["tasks"] = repository.tasks
    return ParallelExecutionGates(limited, measure=None).suggest_execution_batches()


STEPS: dict[str, Callable[[Repository], Any]] = {"validate": validate, "cycles": cycles, "batches": batches}


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("step", ["load", *STEPS])
def test_growth(benchmark: Any, tmp_path: Path, step: str, count: int) -> None:
    write_tasks(tmp_path, count)
    if step == "load":
        benchmark.pedantic(opened, args=(tmp_path,), rounds=2)
    else:
        benchmark.pedantic(STEPS[step], setup=lambda: ((opened(tmp_path),), {}), rounds=2)


def main() -> None:
    """Print seconds, of the clock and of the processor, peak memory and growth of every step."""
    before: dict[str, float] = {}
    for count in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_tasks(root, count)
            for name in ("load", *STEPS):
                action = STEPS.get(name)
                repository = root if action is None else opened(root)
                started, busy = time.perf_counter(), time.process_time()
                opened(root) if action is None else action(repository)  # type: ignore[arg-type]
                elapsed, busy = time.perf_counter() - started, time.process_time() - busy
                repository = root if action is None else opened(root)
                tracemalloc.start()
                opened(root) if action is None else action(repository)  # type: ignore[arg-type]
                peak = tracemalloc.get_traced_memory()[1] / 2**20
                tracemalloc.stop()
                growth = f"  x{elapsed / before[name]:.1f}" if name in before else ""
                print(f"{name:9} {count:6}  {elapsed:7.3f} s  {busy:7.3f} s of CPU  {peak:7.1f} MiB{growth}")  # noqa: T201
                before[name] = elapsed


if __name__ == "__main__":
    main()
