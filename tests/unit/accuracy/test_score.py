"""Scores of hand-made inferences, worked out on paper."""

from __future__ import annotations

from typing import Any

import pytest
from accuracy.program import Truth
from accuracy.score import Score, mean, score, total

TRUTH = Truth(
    reads=frozenset({"data/a.csv", "data/b.csv", "site.toml"}),
    writes=frozenset({"out/a.json", "out/b.json"}),
    tree=frozenset({"data/a.csv", "data/b.csv", "data/c.txt", "site.toml", "out/a.json", "out/b.json", "out/old.json"}),
)


def access(path: str | None, operation: str) -> dict[str, Any]:
    certainty = "unknown" if path is None else "pattern" if set(path) & set("*?[") else "exact"
    return {"path": path, "operation": operation, "certainty": certainty, "conditional": False, "sites": []}


def inferred(reads: tuple[str | None, ...] = (), writes: tuple[str | None, ...] = ()) -> dict[str, Any]:
    return {
        "reads": [access(path, "read") for path in reads],
        "writes": [access(path, "overwrite") for path in writes],
    }


def test_everything_right() -> None:
    result = score(TRUTH, inferred(("data/a.csv", "data/b.csv", "site.toml"), ("out/a.json", "out/b.json")))
    assert result == Score(found=5, traced=5, worth=5.0, inferred=5)
    assert (result.recall, result.precision) == (1.0, 1.0)


def test_nothing_inferred_misses_everything_and_claims_nothing() -> None:
    result = score(TRUTH, inferred())
    assert (result.recall, result.precision) == (0.0, 1.0)
    assert result.misses == (
        "read data/a.csv",
        "read data/b.csv",
        "read site.toml",
        "write out/a.json",
        "write out/b.json",
    )


def test_a_pattern_is_worth_the_share_of_its_files_that_were_touched() -> None:
    result = score(TRUTH, inferred(("data/*.csv", "site.toml"), ("out/*.json",)))
    assert result.recall == 1.0
    assert result.precision == pytest.approx((1 + 1 + 2 / 3) / 3)
    ((claim, worth),) = result.false_alarms
    assert claim == "write out/*.json"
    assert worth == pytest.approx(2 / 3)


def test_a_pattern_that_no_file_matches_is_worth_nothing() -> None:
    assert score(TRUTH, inferred(("logs/*.log",))).worth == 0.0


def test_double_star_reaches_through_folders() -> None:
    result = score(TRUTH, inferred(("**",)))
    assert result.found == 3
    assert result.worth == pytest.approx(3 / 7)


def test_sides_do_not_help_each_other() -> None:
    result = score(TRUTH, inferred(reads=("out/a.json",), writes=("site.toml",)))
    assert (result.found, result.worth, result.inferred) == (0, 0.0, 2)


def test_an_unknown_path_claims_an_access_and_finds_none() -> None:
    result = score(TRUTH, inferred((None, None), (None,)))
    assert (result.found, result.inferred, result.worth) == (0, 2, 0.0)
    assert [text for text, _ in result.false_alarms] == ["read (unknown)", "write (unknown)"]


@pytest.mark.parametrize("operation", ["list", "stat"])
def test_listing_and_tests_count_on_neither_side(operation: str) -> None:
    result = score(TRUTH, {"reads": [access("data/a.csv", operation), access("nowhere", operation)], "writes": []})
    assert (result.found, result.inferred) == (0, 0)


def test_made_folders_do_not_count() -> None:
    assert score(TRUTH, {"reads": [], "writes": [access("out", "mkdir")]}).inferred == 0


@pytest.mark.parametrize("path", ["out", "dat*", "out/", "."])
def test_folders_do_not_count_but_what_lies_below_them_does(path: str) -> None:
    result = score(TRUTH, {"reads": [], "writes": [access(path, "delete")]})
    assert (result.inferred, result.found) == ((1, 2) if path.endswith("/") else (0, 0))


@pytest.mark.parametrize("path", ["/etc/passwd", "~/.notes/x", "../sibling/file"])
def test_paths_outside_the_root_do_not_count(path: str) -> None:
    assert score(TRUTH, inferred((path,), (path,))).inferred == 0


def test_one_path_with_two_operations_counts_once() -> None:
    writes = [access("out/a.json", "create"), access("out/a.json", "append")]
    assert score(TRUTH, {"reads": [], "writes": writes}).inferred == 1


def test_an_exact_name_with_a_bracket_is_not_a_pattern() -> None:
    truth = Truth(frozenset({"notes[1].txt"}), frozenset(), frozenset({"notes[1].txt", "notes1.txt"}))
    claim = {**access("notes[1].txt", "read"), "certainty": "exact"}
    assert score(truth, {"reads": [claim], "writes": []}).worth == 1.0


def test_totals_add_counts_and_not_shares() -> None:
    whole = total([Score(1, 1, 1.0, 1), Score(0, 3, 0.5, 1)])
    assert (whole.recall, whole.precision) == (0.25, 0.75)
    assert mean([]) == 1.0
