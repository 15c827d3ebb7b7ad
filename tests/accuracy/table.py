"""The accuracy table: per program, per feature, and in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accuracy.score import Score, mean, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from accuracy.program import Program


@dataclass(frozen=True)
class Row:
    """One program's score.

    Attributes:
        program: which one.
        score: how inference did.
        complete: whether inference said that it had seen everything.
        error: why there is no inference at all; empty where there is.
    """

    program: Program
    score: Score
    complete: bool
    error: str = ""


def render(rows: Sequence[Row], *, markdown: bool = False, verbose: bool = False) -> str:
    """The table as text or Markdown.

    Args:
        rows: one row a program.
        markdown: pipes instead of aligned columns.
        verbose: misses and false alarms below each program's row.
    """
    overall = total(row.score for row in rows)
    head = ("", "recall", "precision", "traced", "inferred", "complete")
    programs = [
        (row.program.name, *_numbers(row.score), "failed" if row.error else "yes" if row.complete else "no")
        for row in rows
    ]
    features = [(name, *_numbers(group), str(count)) for name, (group, count) in sorted(_by_feature(rows).items())]
    summary = [
        ("all accesses", *_numbers(overall), ""),
        (
            "mean over programs",
            f"{mean(row.score.recall for row in rows):.3f}",
            f"{mean(row.score.precision for row in rows):.3f}",
            "",
            "",
            "",
        ),
    ]
    unsaid = [row.program.name for row in rows if row.complete and row.score.misses]
    if unsaid:
        summary.append((f"misses, yet said complete: {len(unsaid)}", "", "", "", "", ""))
    blocks = [
        _block(("program", *head[1:]), programs, _details(rows) if verbose else {}, markdown=markdown),
        _block(("feature", *head[1:5], "programs"), features, {}, markdown=markdown),
        _block((f"{len(rows)} programs", *head[1:]), summary, {}, markdown=markdown),
    ]
    return "\n\n".join(blocks)


def _numbers(score: Score) -> tuple[str, str, str, str]:
    return f"{score.recall:.3f}", f"{score.precision:.3f}", str(score.traced), str(score.inferred)


def _by_feature(rows: Iterable[Row]) -> dict[str, tuple[Score, int]]:
    groups: dict[str, tuple[Score, int]] = {}
    for row in rows:
        for feature in row.program.features:
            score, count = groups.get(feature, (Score(), 0))
            groups[feature] = (score + row.score, count + 1)
    return groups


def _details(rows: Iterable[Row]) -> dict[str, list[str]]:
    details: dict[str, list[str]] = {}
    for row in rows:
        lines = [f"failed: {row.error.splitlines()[-1]}"] if row.error else []
        lines += ["says that it saw everything, and misses some"] if row.complete and row.score.misses else []
        lines += [f"missed: {text}" for text in row.score.misses]
        lines += [f"false alarm: {text} ({worth:.2f})" for text, worth in row.score.false_alarms]
        details[row.program.name] = lines
    return details


def _block(
    head: tuple[str, ...], rows: Sequence[tuple[str, ...]], details: dict[str, list[str]], *, markdown: bool
) -> str:
    if markdown:
        lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
        lines.extend("| " + " | ".join(row) + " |" for row in rows)
        notes = [f"- `{name}`: {line}" for name, found in details.items() for line in found]
        return "\n".join([*lines, *([""] if notes else []), *notes])
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
        lines.extend(f"    {line}" for line in details.get(row[0], ()) if row is not head)
    return "\n".join(lines)
