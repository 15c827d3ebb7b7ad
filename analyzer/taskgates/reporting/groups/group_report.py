"""The gate report of a group, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.reporting.groups.document import Grid, Heading, Items, Piece, Sentence
from taskgates.reporting.report import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_NAMED = 20
"""Lines of one table that are printed unless everything is asked for; how many more there are is said."""

_NAMED_TASKS = 12


def group_document(report: Mapping[str, Any], *, verbose: bool = False) -> list[Piece]:
    """What people want to know of a gate report.

    Args:
        report: as `ParallelExecutionGates.validate_parallel_group` returns it.
        verbose: whether long tables are printed in full, with the places that prove each conflict.
    """
    tasks = ", ".join(_some(report["tasks"], verbose=verbose))
    pieces: list[Piece] = [
        Sentence(f"{plural(report['task_count'], 'task')} may run in parallel: {tasks}", "good")
        if report["can_parallel"]
        else Sentence(f"{plural(report['task_count'], 'task')} must not run in parallel: {tasks}", "bad")
    ]
    pieces += _gates(report)
    pieces += _conflicts(report, verbose=verbose)
    pieces += _shared(report, verbose=verbose)
    pieces += _inversions(report, verbose=verbose)
    pieces += _contention(report, verbose=verbose)
    if report["recommendations"]:
        pieces += [Heading("What to do"), Items(tuple(report["recommendations"]))]
    return pieces


def _gates(report: Mapping[str, Any]) -> list[Piece]:
    """One line a gate: passed or not, and the numbers."""
    blocking = sum(entry["type"] == "blocking" for entry in report["file_conflicts"])
    warnings = sum(entry["type"] == "warning" for entry in report["file_conflicts"])
    cycles = len(report["circular_dependencies"])
    within = len(report["dependencies_within"]) + len(report["unknown_dependencies"])
    locks = len(report["lock_issues"])
    capacity, budget = report["resource_capacity"], report["context_budget"]
    shared = sum(entry["type"] == "blocking" for entry in report["shared_state"])
    slots = f"{capacity['requested']} requested, {capacity['available']} available"
    if report.get("running"):
        slots += f", {len(report['running'])} in progress"
    load = f"difficulty {budget['total_complexity']:g} of {budget['max_complexity']:g}"
    if budget["total_tokens"] is not None:
        load += f", about {budget['total_tokens']:,} tokens to read"
    if budget["expected_seconds"] is not None:
        load += f", about {budget['expected_seconds']:.3g} s"
        if budget["recovery_seconds"]:
            load += f" and {budget['recovery_seconds']:.3g} s for attempts that fail"
    needed = f"{len(report['locks']) + report['locks_left_out']} needed, " if "locks" in report else ""
    inversions = len(report.get("lock_order_inversions", ()))
    inverted = f", {plural(inversions, 'pair')} taken in opposite orders" if inversions else ""
    rows = (
        ("File conflicts", not blocking, f"{blocking} blocking, {plural(warnings, 'warning')}"),
        ("Dependencies", not (cycles or within), f"{within} within the group, {plural(cycles, 'cycle')}"),
        ("Locks", not locks, f"{needed}{locks} held by others{inverted}"),
        ("Capacity", capacity["within_capacity"], slots),
        ("Context budget", budget["within_budget"], load),
        ("Shared state", not shared, f"{shared} blocking, {plural(len(report['shared_state']) - shared, 'warning')}"),
    )
    return [
        Grid(
            ("Gate", "Answer", "Numbers"),
            tuple((name, "passed" if passed else "REFUSED", numbers) for name, passed, numbers in rows),
        )
    ]


def _conflicts(report: Mapping[str, Any], *, verbose: bool) -> list[Piece]:
    weighty = [entry for entry in report["file_conflicts"] if verbose or entry["type"] != "info"]
    if not weighty:
        return []
    kept = weighty if verbose else weighty[:_NAMED]
    rows = tuple(
        (
            entry["type"],
            f"{entry['task1']} and {entry['task2']}",
            entry["file"],
            f"{_proof(entry, 'task1_sites')} / {_proof(entry, 'task2_sites')}",
        )
        for entry in kept
    )
    pieces: list[Piece] = [
        Heading("File conflicts"),
        Grid(("Weight", "Tasks", "File", "Proof"), rows),
    ]
    return pieces + _more(len(weighty) - len(kept), "conflict")


def _proof(entry: Mapping[str, Any], side: str) -> str:
    sites = entry.get(side)
    if not sites:
        return "-"
    site = sites[0]
    what = "edit" if site["origin"] == "edit" else site["operation"]
    return f"{what} {site['file']}:{site['line']}"


def _shared(report: Mapping[str, Any], *, verbose: bool) -> list[Piece]:
    found = report["shared_state"]
    if not found:
        return []
    kept = found if verbose else found[:_NAMED]
    rows = tuple((entry["type"], f"{entry['task1']} and {entry['task2']}", entry["name"]) for entry in kept)
    pieces: list[Piece] = [Heading("Shared state"), Grid(("Weight", "Tasks", "Name"), rows)]
    return pieces + _more(len(found) - len(kept), "pair")


def _inversions(report: Mapping[str, Any], *, verbose: bool) -> list[Piece]:
    found = report.get("lock_order_inversions", [])
    if not found:
        return []
    kept = found if verbose else found[:_NAMED]
    rows = tuple(
        (
            task if (task := entry["task1"]) == entry["task2"] else f"{task} and {entry['task2']}",
            entry["task1_holds"],
            entry["task1_waits_for"],
            " and ".join(
                f"{site['file']}:{site['line']}" for side in (1, 2) for site in entry[f"task{side}_sites"][:1]
            ),
        )
        for entry in kept
    )
    pieces: list[Piece] = [
        Heading("Locks taken in opposite orders"),
        Grid(("Tasks", "Held", "Waited for", "Places"), rows),
    ]
    return pieces + _more(len(found) - len(kept), "pair")


def _contention(report: Mapping[str, Any], *, verbose: bool) -> list[Piece]:
    found = report.get("contention", [])
    if not found:
        return []
    kept = found if verbose else found[:5]
    rows = tuple(
        (
            entry["file"],
            ", ".join(_some(entry["tasks"], verbose=verbose)),
            f"{entry['expected_waiting']:g} {'s' if entry['unit'] == 'seconds' else 'of difficulty'}",
        )
        for entry in kept
    )
    pieces: list[Piece] = [
        Heading("Waiting to expect if they run together, one lock a file"),
        Grid(("File", "Tasks", "Waiting"), rows),
    ]
    return pieces + _more(len(found) - len(kept), "file")


def _more(count: int, noun: str) -> list[Piece]:
    return [Sentence(f"  and {plural(count, f'more {noun}')}; --verbose shows all", "plain")] if count > 0 else []


def _some(names: Sequence[str], *, verbose: bool) -> Iterable[str]:
    if verbose or len(names) <= _NAMED_TASKS:
        return names
    return [*names[:_NAMED_TASKS], f"and {len(names) - _NAMED_TASKS} more"]
