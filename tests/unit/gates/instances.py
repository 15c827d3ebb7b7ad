"""Published problems with known optima, as `fixtures/instances` has them."""

from __future__ import annotations

import json
from pathlib import Path

from taskgates.gates.batch_problem import BatchProblem

INSTANCES = Path(__file__).parents[3] / "fixtures" / "instances"


def colouring_instances() -> list[tuple[str, int]]:
    """Graphs and their chromatic numbers."""
    optima = json.loads((INSTANCES / "colouring" / "optima.json").read_text(encoding="utf-8"))
    return sorted((name, entry["optimum"]) for name, entry in optima.items())


def read_graph(name: str) -> tuple[int, list[tuple[int, int]]]:
    """The number of vertices and the edges of a graph in the DIMACS format."""
    count, pairs = 0, []
    for line in (INSTANCES / "colouring" / f"{name}.col").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if fields[:2] == ["p", "edge"]:
            count = int(fields[2])
        elif fields[:1] == ["e"]:
            pairs.append((int(fields[1]) - 1, int(fields[2]) - 1))
    return count, pairs


def line_instances() -> list[tuple[str, int, int]]:
    """Assembly lines, cycle times, and the fewest stations."""
    found: list[tuple[str, int, int]] = []
    for path in sorted((INSTANCES / "assembly-lines").glob("*.json")):
        entry = json.loads(path.read_text(encoding="utf-8"))
        found.extend((path.stem, int(cycle), stations) for cycle, stations in entry["optima"].items())
    return found


def read_line(name: str, cycle: int) -> BatchProblem:
    """An assembly line with one cycle time."""
    entry = json.loads((INSTANCES / "assembly-lines" / f"{name}.json").read_text(encoding="utf-8"))
    times = entry["times"]
    earlier = [[one - 1 for one, two in entry["precedence"] if two == number] for number in range(1, len(times) + 1)]
    return BatchProblem.of_pairs(len(times), [], earlier, times, budget=cycle, lag=0)
