from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.model.access import Access, AccessSet, Certainty, Operation
from taskgates.model.spans import SourceSpan
from taskgates.model.task import DeclaredPath, Task
from taskgates.runtime.write_sets import write_set_of

if TYPE_CHECKING:
    from pathlib import Path

SPAN = SourceSpan("t.json")


def task(*edits: str, reads: tuple[str, ...] = ()) -> Task:
    declared = tuple(DeclaredPath(path, SPAN) for path in edits)
    return Task(
        id="1",
        format="claude-tasks",
        span=SPAN,
        edits=declared,
        writes=declared,
        reads=tuple(DeclaredPath(path, SPAN) for path in reads),
    )


def write(path: str | None, operation: Operation = Operation.CREATE) -> Access:
    certainty = Certainty.UNKNOWN if path is None else Certainty.EXACT
    return Access(path, certainty, conditional=False, operation=operation)


def test_declared_and_inferred_are_joined(tmp_path: Path) -> None:
    access = AccessSet(
        writes=(write("out/b"), write("made", Operation.MKDIR)),
        reads=(write("in", Operation.READ), write("seen", Operation.STAT), write("out/a", Operation.READ)),
        imports=("pkg/helper.py",),
    )
    found = write_set_of(task("out/a", reads=("data/*.csv",)), access, tmp_path)
    assert found.exclusive == ("out/a", "out/b")
    assert found.shared == ("data/*.csv", "in", "pkg/helper.py")
    # A new folder excludes nobody, but has to be removed when the task fails.
    assert found.recorded == ("made", "out/a", "out/b")
    assert not found.unbounded


def test_a_write_of_unknown_path_takes_everything(tmp_path: Path) -> None:
    found = write_set_of(task("a"), AccessSet(writes=(write(None),)), tmp_path)
    assert "." in found.exclusive
    assert "." in found.recorded
    assert found.unbounded
    assert write_set_of(task(), None, tmp_path).unbounded
    assert not write_set_of(task("a"), None, tmp_path).unbounded
    assert not write_set_of(task(), AccessSet(), tmp_path).unbounded


def test_links_are_locked_as_what_they_point_to_and_recorded_as_both(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to("real")
    found = write_set_of(task("link"), None, tmp_path)
    assert found.exclusive == ("real",)
    assert found.recorded == ("link", "real")


def test_folders_outside_are_locked_but_not_recorded(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    root.mkdir()
    other.mkdir()
    access = AccessSet(writes=(write(str(other)), write(f"{other}/*.csv"), write(f"{other}/one.txt")))
    found = write_set_of(task(), access, root)
    assert found.exclusive == (str(other), f"{other}/*.csv", f"{other}/one.txt")
    assert found.recorded == (f"{other}/one.txt",)


def test_who_excludes_whom(tmp_path: Path) -> None:
    reader = write_set_of(task("r", reads=("data/*.csv",)), None, tmp_path)
    other = write_set_of(task("s", reads=("data/",)), None, tmp_path)
    writer = write_set_of(task("data/a.csv"), None, tmp_path)
    assert not reader.excludes(other)
    assert reader.excludes(writer)
    assert writer.excludes(reader)
    assert not reader.overlaps(writer)
