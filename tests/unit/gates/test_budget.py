"""The context budget and the difficulties behind it."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.gates.budget import (
    BudgetLimits,
    CountedFrom,
    DifficultyIssue,
    Measured,
    assess_budget,
    difficulty_problems,
    estimate_tokens,
    estimate_tokens_of_size,
    expected_attempts,
    implied_difficulty,
)
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Task

SPAN = SourceSpan("tasks.json", 1, 1, 1, 2)


def test_the_sum_of_difficulties_against_the_budget() -> None:
    fits = assess_budget({"1": 10, "2": 10, "3": 10})
    assert (fits.total_complexity, fits.max_complexity, fits.within_budget, fits.reasons) == (30, 30, True, ())
    over = assess_budget({"1": 10, "2": 10, "3": 10.5})
    assert not over.within_budget
    assert over.reasons == ("total difficulty 30.5 is 0.5 above the budget of 30",)


def test_a_missing_difficulty_is_measured_or_assumed() -> None:
    found = assess_budget({"1": None, "2": None, "3": -2, "4": math.nan}, {"2": Measured(tokens=16_000)})
    assert [(load.complexity, load.counted_from) for load in found.loads] == [
        (5, CountedFrom.ASSUMED),
        (4, CountedFrom.MEASURED),
        (5, CountedFrom.ASSUMED),
        (5, CountedFrom.ASSUMED),
    ]


def test_tokens_have_a_limit_of_their_own() -> None:
    measured = {"1": Measured(tokens=700), "2": Measured(tokens=400)}
    found = assess_budget({"1": 1, "2": 1}, measured, BudgetLimits(max_tokens=1000))
    assert (found.total_tokens, found.within_budget) == (1100, False)
    assert "1100 tokens" in found.reasons[0]


def test_time_and_what_failures_add_to_it() -> None:
    measured = {"1": Measured(duration=100, failure_rate=0.5), "2": Measured(duration=120)}
    found = assess_budget({"1": 1, "2": 1}, measured)
    assert found.expected_seconds == pytest.approx(175)
    assert found.recovery_seconds == pytest.approx(75)


@given(st.floats(0, 1), st.integers(1, 6))
def test_expected_attempts_is_the_mean_of_a_cut_off_geometric_distribution(rate: float, limit: int) -> None:
    mean = sum(k * rate ** (k - 1) * (1 - rate) for k in range(1, limit)) + limit * rate ** (limit - 1)
    assert expected_attempts(rate, limit) == pytest.approx(mean)


def test_a_failure_rate_is_a_share() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        expected_attempts(1.5)


def test_problems_with_difficulties() -> None:
    tasks = [
        Task(id="none", format="t", span=SPAN),
        Task(id="high", format="t", span=SPAN, difficulty=11),
        Task(id="low", format="t", span=SPAN, difficulty=0),
        Task(id="small", format="t", span=SPAN, difficulty=2),
        Task(id="fine", format="t", span=SPAN, difficulty=6),
    ]
    measured = {"small": Measured(tokens=64_000), "fine": Measured(tokens=64_000)}
    found = difficulty_problems(tasks, measured)
    assert [(each.task.id, each.issue) for each in found] == [
        ("none", DifficultyIssue.MISSING),
        ("high", DifficultyIssue.OUT_OF_RANGE),
        ("low", DifficultyIssue.OUT_OF_RANGE),
        ("small", DifficultyIssue.UNDERSTATED),
    ]
    assert found[-1].implied == 6


def test_implied_difficulty_doubles_the_size_a_step() -> None:
    assert [implied_difficulty(tokens) for tokens in (0, 2_000, 4_000, 16_000, 10**9)] == [1, 1, 2, 4, 10]


def test_token_estimates_of_real_code_agree_with_its_size() -> None:
    """Code comes to three to five bytes a token with the tokenizers in use; both estimates must say so."""
    from taskgates.gates import budget, conflicts

    for module in (budget, conflicts):
        with open(str(module.__file__), encoding="utf-8") as stream:
            text = stream.read()
        assert 3 <= len(text.encode()) / estimate_tokens(text) <= 5
        assert estimate_tokens_of_size(len(text.encode())) == pytest.approx(estimate_tokens(text), rel=0.3)


@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens(one: str, two: str) -> None:
    assert estimate_tokens(one + "\n" + two) >= max(estimate_tokens(one), estimate_tokens(two))


_RUNS = re.compile(r"[^\W\d_]+|\d+|_+|[^\w\s]+|\n[ \t]*")


def tokens_run_by_run(text: str) -> int:
    """The definition of the estimate, one run of like characters after the other."""
    count = 0
    for run in _RUNS.findall(text):
        if run[0] == "\n":
            count += 1
        elif run[0].isalpha():
            count += math.ceil(len(run) / 6) if run.isascii() else len(run)
        else:
            count += math.ceil(len(run) / (3 if run[0].isdigit() else 2))
    return count


@given(
    st.text(
        alphabet=st.one_of(st.sampled_from("aB1_.\n \t\x1c\x7f"), st.sampled_from("\u00e9\u0663\u00b2\u6f22\u2028")),
        max_size=40,
    )
)
def test_tokens_are_counted_as_defined(text: str) -> None:
    assert estimate_tokens(text) == tokens_run_by_run(text)
