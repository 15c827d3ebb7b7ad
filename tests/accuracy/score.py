"""Recall and precision of an inferred access set against a recorded truth.

Both sides, reads and writes, are scored apart and added up. The operations `list`, `stat` and `mkdir` count on neither
side, nor do inferred paths outside the root, nor folders: an inferred path or pattern that matches folders of the tree
and no file. The same path inferred several times on one side counts once.

* **Recall**: the share of traced accesses that some inferred path or pattern of the same side matches.
* **Precision**: the mean worth of the inferred accesses. An exact path is worth 1 if it was touched and 0 otherwise. A
  pattern is worth the share of the matching files (that existed before, during or after the run) that were touched; one
  that matches no file is worth 0. An access without a path is worth 0: it claims an access and says nothing about it.

A side on which nothing was traced has recall 1, one on which nothing was inferred has precision 1.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from taskgates.model.patterns import PathPattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from accuracy.program import Truth

NOT_COUNTED = frozenset({"list", "stat", "mkdir"})
"""Operations that neither side counts."""

_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True)
class Score:
    """How an inferred access set compares with the truth.

    Attributes:
        found: traced accesses that were inferred.
        traced: traced accesses.
        worth: the sum of the inferred accesses' worth.
        inferred: inferred accesses.
        misses: traced accesses that were not inferred, as `read path` or `write path`.
        false_alarms: inferred accesses worth less than 1, with their worth.
    """

    found: int = 0
    traced: int = 0
    worth: float = 0.0
    inferred: int = 0
    misses: tuple[str, ...] = ()
    false_alarms: tuple[tuple[str, float], ...] = field(default=())

    @property
    def recall(self) -> float:
        """Found of traced, 0 to 1."""
        return self.found / self.traced if self.traced else 1.0

    @property
    def precision(self) -> float:
        """Mean worth of the inferred, 0 to 1."""
        return self.worth / self.inferred if self.inferred else 1.0

    def __add__(self, other: Score) -> Score:
        """Counts added up; the lists one after the other."""
        return Score(
            self.found + other.found,
            self.traced + other.traced,
            self.worth + other.worth,
            self.inferred + other.inferred,
            self.misses + other.misses,
            self.false_alarms + other.false_alarms,
        )


def score(truth: Truth, inferred: Mapping[str, Any]) -> Score:
    """Score what `taskgates infer --format json` printed.

    Args:
        truth: what the run touched.
        inferred: the parsed object, with `reads` and `writes`.
    """
    reads = _score_side("read", truth.reads, truth.tree, inferred.get("reads", ()))
    return reads + _score_side("write", truth.writes, truth.tree, inferred.get("writes", ()))


def total(scores: Iterable[Score]) -> Score:
    """All accesses of several programs as one score."""
    return sum(scores, Score())


def mean(values: Iterable[float]) -> float:
    """The mean, 1.0 of nothing."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else 1.0


def matcher(text: str) -> Callable[[str], bool]:
    """A test for paths: equality for a path, `PathPattern` for a pattern or a folder."""
    if not _WILDCARDS & set(text) and not text.endswith("/"):
        return posixpath.normpath(text).__eq__
    return PathPattern(text).matches


def _score_side(
    side: str, touched: frozenset[str], tree: frozenset[str], accesses: Iterable[Mapping[str, Any]]
) -> Score:
    counted = [access for access in accesses if access["operation"] not in NOT_COUNTED]
    # Without a path there is nothing to merge by: each such place is a claim of its own only once a side.
    paths: list[tuple[str | None, bool]] = sorted(
        {(access["path"], access.get("certainty") == "exact") for access in counted},
        key=lambda item: (item[0] or "", item[1]),
    )
    folders = {str(parent) for file in tree for parent in PurePosixPath(file).parents}
    covered: set[str] = set()
    worths: list[tuple[str, float]] = []
    seen: set[str | None] = set()
    for path, exact in paths:
        if path in seen or (path is not None and path.startswith(("/", "~", "../"))):
            continue
        seen.add(path)
        if path is None:
            worths.append((f"{side} (unknown)", 0.0))
            continue
        matches = posixpath.normpath(path).__eq__ if exact and not path.endswith("/") else matcher(path)
        covered.update(filter(matches, touched))
        candidates = set(filter(matches, tree))
        if not candidates and any(map(matches, folders)):
            continue
        worths.append((f"{side} {path}", len(candidates & touched) / len(candidates) if candidates else 0.0))
    return Score(
        found=len(covered),
        traced=len(touched),
        worth=sum(worth for _, worth in worths),
        inferred=len(worths),
        misses=tuple(f"{side} {path}" for path in sorted(touched - covered)),
        false_alarms=tuple((text, worth) for text, worth in worths if worth < 1.0),
    )
