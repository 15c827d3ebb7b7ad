"""What the journal tells about tasks from earlier runs."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from taskgates.interface import history_of
from taskgates.runtime.errors import JournalError
from taskgates.runtime.journal import AttemptState, Journal, TaskHistory

if TYPE_CHECKING:
    from pathlib import Path


def attempts(root: Path, *rows: tuple[str, AttemptState, float | None, str]) -> Journal:
    """A journal with attempts of given durations, in one run."""
    journal = Journal(root)
    journal.begin_run("r", tuple(dict.fromkeys(row[0] for row in rows)), "{}")
    for number, (task, state, seconds, message) in enumerate(rows):
        journal.begin_attempt("r", task, "", (), "")
        if seconds is not None:
            journal.end_attempt("r", task, state, message)
        with sqlite3.connect(root / ".taskgates" / "journal.sqlite") as connection:
            connection.execute(
                "UPDATE attempts SET started = ?, ended = ? WHERE rowid = (SELECT max(rowid) FROM attempts)",
                (1000.0 * number, None if seconds is None else 1000.0 * number + seconds),
            )
    return journal


def test_the_median_of_the_latest_successes(tmp_path: Path) -> None:
    done, back, runs = AttemptState.FINISHED, AttemptState.ROLLED_BACK, AttemptState.RUNNING
    seconds = (900.0, 1.0, 2.0, 30.0, 4.0, 5.0)
    journal = attempts(
        tmp_path,
        *(("1", done, each, "") for each in seconds),
        ("2", back, 9.0, "exit status 1"),
        ("2", done, 3.0, ""),
        ("3", back, 9.0, ""),
        ("4", runs, None, ""),
        ("5", back, 9.0, "exit status 1"),
    )
    assert journal.histories() == {
        "1": TaskHistory(6, 0, 4.0),
        "2": TaskHistory(2, 1, 3.0),
        "5": TaskHistory(1, 1, None),
    }
    history = history_of(tmp_path)
    assert (history["2"].duration, history["2"].failure_rate) == (3.0, 0.5)
    assert (history["5"].duration, history["5"].failure_rate) == (None, 1.0)


def test_nothing_ran_and_nothing_is_made(tmp_path: Path) -> None:
    assert Journal(tmp_path).histories() == {}
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_journal_is_told_and_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / ".taskgates"
    folder.mkdir()
    (folder / "journal.sqlite").write_bytes(b"no database" * 200)
    with pytest.raises(JournalError, match=r"journal\.sqlite"):
        Journal(tmp_path).histories()
    assert history_of(tmp_path) == {}
