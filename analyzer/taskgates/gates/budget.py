"""The context budget: what a group of tasks asks of whoever does them, declared and measured.

Difficulty is declared from 1 to 10. What can be measured is the size of the text that a task must read and edit, how
long it takes, and how often it has to be done again. This module only computes; the caller reads the files and passes
counts.
"""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from taskgates.model.natural_order import natural_key
from taskgates.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


LOWEST_DIFFICULTY: Final = 1
HIGHEST_DIFFICULTY: Final = 10

_LETTERS_PER_TOKEN: Final = 6
_DIGITS_PER_TOKEN: Final = 3
_SIGNS_PER_TOKEN: Final = 2
_PIECES: Final = re.compile(r"[^\W\d_]+|\d+|_+|[^\w\s]+")
_CLASSES: Final = bytes(
    ord("a" if char.isalpha() else "1" if char.isdigit() else char if char in "_\n" else " " if char.isspace() else ".")
    for char in map(chr, range(128))
).ljust(256)
"""For each ASCII character one that stands for its kind."""
_MERGES: Final = (
    (b"a" * _LETTERS_PER_TOKEN, b"b"),
    (b"aaa", b"a"),
    (b"aa", b"a"),
    (b"aa", b"a"),
    (b"1" * _DIGITS_PER_TOKEN, b"2"),
    (b"11", b"1"),
    (b"_" * _SIGNS_PER_TOKEN, b"_"),
    (b"." * _SIGNS_PER_TOKEN, b"."),
)
"""Replacements, in order, after which each character but the space stands for one token: full tokens first, and then
what is left of a run (up to five letters, up to two digits)."""
_BYTES_PER_TOKEN: Final = 4

_TOKENS_OF_DIFFICULTY_ONE: Final = 2_000


def estimate_tokens(text: str) -> int:
    """About how many tokens a language model's byte-pair tokenizer makes of a text.

    A run of letters counts one token for every six letters begun, digits one for three, other signs one for two, and
    every line break with its indentation one: the shapes that such tokenizers merge. Letters beyond ASCII count one
    each, as scripts with few merges do. It is an estimate that needs no vocabulary, meant for comparing tasks.
    """
    if text.isascii():
        return _ascii_tokens(text)
    # No run goes beyond its line, so the lines in ASCII can be counted by themselves, which is many times faster.
    lines = text.split("\n")
    ascii_lines = [line if line.isascii() else "" for line in lines]
    return _ascii_tokens("\n".join(ascii_lines)) + sum(_tokens_of_line(line) for line in lines if not line.isascii())


def _ascii_tokens(text: str) -> int:
    """The same by replacements in a whole text, as a loop over its pieces takes ten times as long."""
    kinds = text.encode("ascii").translate(_CLASSES)
    for run, token in _MERGES:
        kinds = kinds.replace(run, token)
    return len(kinds) - kinds.count(b" ")


def _tokens_of_line(line: str) -> int:
    count = 0
    for found in _PIECES.finditer(line):
        piece = found.group()
        first = piece[0]
        if first.isalpha():
            count += -(-len(piece) // _LETTERS_PER_TOKEN) if piece.isascii() else len(piece)
        elif first.isdigit():
            count += -(-len(piece) // _DIGITS_PER_TOKEN)
        else:
            count += -(-len(piece) // _SIGNS_PER_TOKEN)
    return count


def estimate_tokens_of_size(size: int) -> int:
    """The same from a number of bytes alone, four to a token, for files too large to read for this."""
    return -(-size // _BYTES_PER_TOKEN)


def implied_difficulty(tokens: int) -> float:
    """The difficulty that a measured size speaks for: 1 up to 2,000 tokens, one more for each doubling, at most 10.

    Ten is reached at about a million tokens, beyond what any context holds.
    """
    if tokens <= _TOKENS_OF_DIFFICULTY_ONE:
        return float(LOWEST_DIFFICULTY)
    return min(float(HIGHEST_DIFFICULTY), LOWEST_DIFFICULTY + math.log2(tokens / _TOKENS_OF_DIFFICULTY_ONE))


def expected_attempts(failure_rate: float, max_attempts: int = 3) -> float:
    """How often a task is tried on average, when each try fails with the given probability and tries are limited.

    Args:
        failure_rate: from 0 to 1; ValueError outside.
        max_attempts: at least 1.
    """
    if not 0 <= failure_rate <= 1:
        raise ValueError(f"failure rate {failure_rate} is not between 0 and 1")
    return sum(failure_rate**attempt for attempt in range(max_attempts))


class Measured(msgspec.Struct, frozen=True):
    """What is known about a task by measurement; None where it is not.

    Attributes:
        tokens: size of the text that its reads and edits bring, as `estimate_tokens` counts.
        duration: seconds it takes, from earlier runs.
        failure_rate: share of earlier runs that failed, 0 to 1.
    """

    tokens: int | None = None
    duration: float | None = None
    failure_rate: float | None = None


class BudgetLimits(msgspec.Struct, frozen=True):
    """What a group may ask.

    Attributes:
        max_complexity: for the sum of difficulties.
        max_tokens: for the sum of measured tokens; None for no limit.
        max_attempts: how often a failing task is tried.
        assumed_difficulty: counted for a task whose difficulty is neither usable nor measured.
        understated_by: how far the measured difficulty must lie above the declared one to be reported.
    """

    max_complexity: float = 30
    max_tokens: int | None = None
    max_attempts: int = 3
    assumed_difficulty: float = 5
    understated_by: float = 3


class CountedFrom(StrEnum):
    """Where the difficulty comes from that is counted for a task."""

    DECLARED = "declared"
    MEASURED = "measured"
    ASSUMED = "assumed"


class TaskLoad(msgspec.Struct, frozen=True):
    """One task's share of the budget.

    Attributes:
        task_id: the task.
        complexity: what is counted for it.
        counted_from: where that comes from.
        tokens: measured size; None when not measured.
        duration: expected seconds for one attempt; None when unknown.
        attempts: expected number of attempts, at least 1.
    """

    task_id: str
    complexity: float
    counted_from: CountedFrom
    tokens: int | None
    duration: float | None
    attempts: float


class BudgetAssessment(msgspec.Struct, frozen=True):
    """Whether a group fits the context budget, in numbers.

    Attributes:
        total_complexity: sum of the loads.
        max_complexity: the limit.
        total_tokens: sum of what was measured; None when nothing was.
        max_tokens: the limit; None for none.
        within_budget: whether both limits hold.
        expected_seconds: when all run at once, the longest task with its expected repetitions; None when unknown.
        recovery_seconds: the part of all tasks' expected time that repetitions cost; None when unknown.
        loads: task by task, in natural order.
        reasons: why the budget is exceeded, one sentence each; empty when it is not.
    """

    total_complexity: float
    max_complexity: float
    total_tokens: int | None
    max_tokens: int | None
    within_budget: bool
    expected_seconds: float | None
    recovery_seconds: float | None
    loads: tuple[TaskLoad, ...]
    reasons: tuple[str, ...]


class DifficultyIssue(StrEnum):
    """What is wrong with a declared difficulty."""

    MISSING = "missing"
    OUT_OF_RANGE = "out-of-range"
    UNDERSTATED = "understated"


class DifficultyProblem(msgspec.Struct, frozen=True):
    """A difficulty that should be looked at.

    Attributes:
        task: the task.
        issue: what is wrong.
        declared: the value as found.
        implied: what the measured size speaks for; None when it was not measured.
        tokens: the measured size.
    """

    task: Task
    issue: DifficultyIssue
    declared: float | None
    implied: float | None = None
    tokens: int | None = None


def is_usable(difficulty: float | None) -> bool:
    """Whether a difficulty lies between 1 and 10."""
    return difficulty is not None and LOWEST_DIFFICULTY <= difficulty <= HIGHEST_DIFFICULTY


def load_of(task_id: str, difficulty: float | None, measured: Measured, limits: BudgetLimits) -> TaskLoad:
    """One task's share: its difficulty as declared, even above the scale; else as measured; else as assumed."""
    if difficulty is not None and math.isfinite(difficulty) and difficulty > 0:
        complexity, source = difficulty, CountedFrom.DECLARED
    elif measured.tokens is not None:
        complexity, source = round(implied_difficulty(measured.tokens), 1), CountedFrom.MEASURED
    else:
        complexity, source = limits.assumed_difficulty, CountedFrom.ASSUMED
    attempts = expected_attempts(measured.failure_rate or 0.0, limits.max_attempts)
    return TaskLoad(task_id, complexity, source, measured.tokens, measured.duration, attempts)


def assess_budget(
    difficulties: Mapping[str, float | None],
    measured: Mapping[str, Measured] | None = None,
    limits: BudgetLimits | None = None,
) -> BudgetAssessment:
    """Whether a group of tasks fits the context budget.

    Args:
        difficulties: the declared difficulty of each task of the group; None where it is missing.
        measured: what is known by measurement; tasks may be absent.
        limits: the budget; the defaults when None.
    """
    limits = limits or BudgetLimits()
    measured = measured or {}
    nothing = Measured()
    loads = [
        load_of(task_id, difficulties[task_id], measured.get(task_id, nothing), limits)
        for task_id in sorted(difficulties, key=natural_key)
    ]
    total = math.fsum(load.complexity for load in loads)
    counted = [load.tokens for load in loads if load.tokens is not None]
    tokens = sum(counted) if counted else None
    timed = [(load.duration, load.attempts) for load in loads if load.duration is not None]
    reasons: list[str] = []
    if total > limits.max_complexity:
        reasons.append(
            f"total difficulty {total:g} is {total - limits.max_complexity:g} above the budget of "
            f"{limits.max_complexity:g}"
        )
    if limits.max_tokens is not None and tokens is not None and tokens > limits.max_tokens:
        reasons.append(f"the files to read come to about {tokens} tokens, above the budget of {limits.max_tokens}")
    return BudgetAssessment(
        total_complexity=total,
        max_complexity=limits.max_complexity,
        total_tokens=tokens,
        max_tokens=limits.max_tokens,
        within_budget=not reasons,
        expected_seconds=max((duration * attempts for duration, attempts in timed), default=None),
        recovery_seconds=math.fsum(duration * (attempts - 1) for duration, attempts in timed) if timed else None,
        loads=tuple(loads),
        reasons=tuple(reasons),
    )


def difficulty_problems(
    tasks: Iterable[Task],
    measured: Mapping[str, Measured] | None = None,
    limits: BudgetLimits | None = None,
) -> list[DifficultyProblem]:
    """Difficulties that are missing, outside 1 to 10, or far below what the measured size speaks for; in task order."""
    limits = limits or BudgetLimits()
    measured = measured or {}
    found: list[DifficultyProblem] = []
    for task in tasks:
        known = measured.get(task.id)
        tokens = known.tokens if known is not None else None
        implied = round(implied_difficulty(tokens), 1) if tokens is not None else None
        if task.difficulty is None:
            found.append(DifficultyProblem(task, DifficultyIssue.MISSING, None, implied, tokens))
        elif not is_usable(task.difficulty):
            found.append(DifficultyProblem(task, DifficultyIssue.OUT_OF_RANGE, task.difficulty, implied, tokens))
        elif implied is not None and implied - task.difficulty >= limits.understated_by:
            found.append(DifficultyProblem(task, DifficultyIssue.UNDERSTATED, task.difficulty, implied, tokens))
    return found
