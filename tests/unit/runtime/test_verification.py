from __future__ import annotations

from taskgates.model.access import Access, AccessSet, Certainty, Operation
from taskgates.model.spans import SourceSpan
from taskgates.model.task import DeclaredPath, Task
from taskgates.runtime.verification import Comparison, compare_accounts

SPAN = SourceSpan("t.json")


def paths(*names: str) -> tuple[DeclaredPath, ...]:
    return tuple(DeclaredPath(name, SPAN) for name in names)


def task(**fields: object) -> Task:
    return Task(**{"id": "1", "format": "dvc", "span": SPAN, **fields})  # type: ignore[arg-type]


def access(path: str | None, operation: Operation, *, conditional: bool = False) -> Access:
    kinds = (Certainty.UNKNOWN, Certainty.PATTERN, Certainty.EXACT)
    certainty = kinds[0 if path is None else 1 if "*" in path else 2]
    return Access(path, certainty, conditional=conditional, operation=operation)


def read(path: str | None, **fields: bool) -> Access:
    return access(path, Operation.READ, **fields)


def write(path: str | None, **fields: bool) -> Access:
    return access(path, Operation.OVERWRITE, **fields)


def found(rows: tuple[Comparison, ...]) -> dict[tuple[str, str], tuple[bool | None, bool | None, bool, bool]]:
    return {(row.direction.value, row.path): (row.declared, row.inferred, row.observed, row.differs) for row in rows}


def test_three_accounts_that_agree() -> None:
    rows = compare_accounts(
        task(reads=paths("in/"), writes=paths("out/a"), declares_reads=True),
        AccessSet(reads=(read("in/*.csv"),), writes=(write("out/a"),)),
        AccessSet(reads=(read("in/x.csv"), read("in/y.csv")), writes=(write("out/a"),)),
    )
    assert found(rows) == {
        ("read", "in/x.csv"): (True, True, True, False),
        ("read", "in/y.csv"): (True, True, True, False),
        ("write", "out/a"): (True, True, True, False),
    }


def test_every_way_to_differ() -> None:
    rows = compare_accounts(
        task(reads=paths("unused"), writes=paths("never"), declares_reads=True),
        AccessSet(reads=(read("certain"),), writes=(write("certain"),)),
        AccessSet(reads=(read("surprise"),), writes=(write("surprise"),)),
    )
    result = found(rows)
    # It wrote the file itself, so that reading it needs no declaration; but the analysis missed it.
    assert result["read", "surprise"] == (False, False, True, True)
    assert result["write", "surprise"] == (False, False, True, True)
    assert result["read", "certain"] == (False, True, False, True)
    assert result["write", "certain"] == (False, True, False, True)
    assert result["read", "unused"] == (True, False, False, True)
    assert result["write", "never"] == (True, False, False, True)
    remarks = {(row.direction.value, row.path): row.remark for row in rows}
    assert remarks["read", "surprise"] == "not inferred"
    assert remarks["write", "surprise"] == "not declared, not inferred"


def test_what_is_no_contradiction() -> None:
    rows = compare_accounts(
        task(edits=paths("src.py", "notes/"), writes=paths("src.py", "notes/")),
        AccessSet(writes=(write("maybe", conditional=True), write("out/*.csv"), access("d", Operation.MKDIR))),
        AccessSet(reads=(access("x", Operation.STAT),), writes=(access("d", Operation.MKDIR),)),
    )
    assert found(rows) == {
        ("write", "maybe"): (False, True, False, False),
        ("write", "out/*.csv"): (False, True, False, False),
    }


def test_an_analysis_that_said_it_was_incomplete_does_not_contradict() -> None:
    rows = compare_accounts(
        task(writes=paths("a")),
        AccessSet(complete=False, writes=(write(None),)),
        AccessSet(reads=(read("b"),), writes=(write("a"),)),
    )
    assert not any(row.differs for row in rows)
    assert "could not see everything" in rows[0].remark


def test_a_task_without_code_has_two_accounts() -> None:
    rows = compare_accounts(task(writes=paths("a")), None, AccessSet(writes=(write("a"), write("b"))))
    assert found(rows) == {("write", "a"): (True, None, True, False), ("write", "b"): (False, None, True, True)}
