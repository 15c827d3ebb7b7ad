"""How the gates grow: 100, 1,000 and 10,000 tasks with three files and one or two dependencies each.

    pytest tests/benchmarks/test_bench_gates.py --benchmark-only
    python tests/benchmarks/test_bench_gates.py

Each step is timed on its own; the peak of memory that it allocates is in the benchmark's extra information. The second
form prints seconds, peak memory, and how much more time ten times as many tasks take.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import networkx as nx
import pytest
from taskgates.gates.batching import BatchLimits, Solver, suggest_batches
from taskgates.gates.budget import BudgetLimits
from taskgates.gates.capacity import CapacityLimits
from taskgates.gates.conflicts import ConflictIndex
from taskgates.gates.cycles import find_cycles
from taskgates.gates.footprint import Footprint, footprint_of
from taskgates.gates.relations import Relations, bits_of
from taskgates.gates.report import gate_report
from taskgates.model.spans import SourceSpan
from taskgates.model.task import DeclaredPath, Reference, Task

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (100, 1_000, 10_000)


def generate(count: int, seed: int = 1) -> list[Task]:
    """Tasks over two files for each task in folders of twenty; one in fifty declares a folder or a pattern instead."""
    chance = random.Random(seed)
    tasks: list[Task] = []
    for index in range(count):
        span = SourceSpan(f".claude/tasks/task-{index}.json", 1, 1, 9, 2)
        earlier = chance.sample(range(index), min(index, chance.choice((1, 2)))) if index else []
        paths = []
        for _ in range(3):
            number = chance.randrange(2 * count)
            folder = f"src/package_{number // 20}"
            kind = chance.randrange(100)
            paths.append(
                f"{folder}/" if kind == 0 else f"{folder}/*_{number}.py" if kind == 1 else f"{folder}/m_{number}.py"
            )
        tasks.append(
            Task(
                id=str(index),
                format="generated",
                span=span,
                difficulty=chance.randint(1, 10),
                depends_on=tuple(Reference(str(other), span) for other in earlier),
                edits=tuple(DeclaredPath(path, span) for path in paths),
            )
        )
    return tasks


def build(tasks: list[Task]) -> tuple[Relations, list[Footprint]]:
    return Relations(tasks), [footprint_of(task, None) for task in tasks]


def validate(tasks: list[Task]) -> dict[str, Any]:
    relations, footprints = build(tasks)
    return gate_report(
        [task.id for task in tasks],
        relations,
        footprints,
        capacity_limits=CapacityLimits(max_parallel_tasks=len(tasks)),
        budget_limits=BudgetLimits(max_complexity=10 * len(tasks)),
    )


def cycles(tasks: list[Task]) -> Any:
    relations, footprints = build(tasks)
    return find_cycles(relations, footprints)


def batches(tasks: list[Task]) -> Any:
    relations, footprints = build(tasks)
    return suggest_batches([task.id for task in tasks], relations, footprints, solver=Solver.HEURISTIC)


STEPS: dict[str, Callable[[list[Task]], Any]] = {
    "load": build,
    "validate": validate,
    "cycles": cycles,
    "batches": batches,
}


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("step", STEPS)
def test_growth(benchmark: Any, step: str, count: int) -> None:
    tasks = generate(count)
    tracemalloc.start()
    STEPS[step](tasks)
    benchmark.extra_info["peak_mebibytes"] = round(tracemalloc.get_traced_memory()[1] / 2**20, 1)
    tracemalloc.stop()
    benchmark.pedantic(STEPS[step], args=(tasks,), rounds=3)


@pytest.mark.parametrize("strategy", ["largest_first", "DSATUR", "smallest_last", "random_sequential"])
def test_batches_against_the_colourings_of_networkx(benchmark: Any, strategy: str) -> None:
    """Without dependencies, capacity and budget, batches are colours."""
    tasks = [
        Task(id=task.id, format=task.format, span=task.span, difficulty=1, edits=task.edits) for task in generate(1_000)
    ]
    relations, footprints = build(tasks)
    index = ConflictIndex(footprints)
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(len(index.ids)))
    graph.add_edges_from((one, two) for one, mask in enumerate(index.adjacency()) for two in bits_of(mask))
    arguments = {"strategy": strategy}
    colours = benchmark.pedantic(nx.greedy_color, args=(graph,), kwargs=arguments, rounds=1)
    plan = suggest_batches(index.ids, relations, footprints, BatchLimits(None, None), solver=Solver.HEURISTIC)
    benchmark.extra_info["colours"] = max(colours.values()) + 1
    benchmark.extra_info["batches"] = len(plan.batches)
    benchmark.extra_info["lower_bound"] = plan.lower_bound
    assert len(plan.batches) <= max(colours.values()) + 1


def main() -> None:
    """Print seconds, of the clock and of the processor, peak memory and growth of every step."""
    for name, step in STEPS.items():
        before = 0.0
        for count in SIZES:
            tasks = generate(count)
            started, busy = time.perf_counter(), time.process_time()
            answer = step(tasks)
            elapsed, busy = time.perf_counter() - started, time.process_time() - busy
            tracemalloc.start()
            step(tasks)
            peak = tracemalloc.get_traced_memory()[1] / 2**20
            tracemalloc.stop()
            growth = f"  x{elapsed / before:.1f}" if before else ""
            more = f"  {len(answer.batches)} batches, bound {answer.lower_bound}" if name == "batches" else ""
            print(f"{name:9} {count:6}  {elapsed:7.3f} s  {busy:7.3f} s of CPU  {peak:7.1f} MiB{growth}{more}")  # noqa: T201
            before = elapsed


if __name__ == "__main__":
    main()
