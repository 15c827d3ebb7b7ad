from pathlib import Path

from taskgates.manifests.reader import ReadResult, invalid
from taskgates.manifests.registry import load_tasks
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Reference, Task
from taskgates.tree import Tree


class FakeReader:
    """A format whose files are given."""

    def __init__(self, name: str, files: dict[str, list[Task]]) -> None:
        self.name = name
        self._files = files

    def find(self, tree: Tree) -> tuple[str, ...]:
        return tuple(self._files)

    def read(self, tree: Tree, file: str) -> ReadResult:
        return ReadResult(tuple(self._files[file]), (invalid("odd", SourceSpan(file, 2)),))

    def link(self, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        return tasks


def task(format_name: str, identifier: str, *depends_on: str, parent: str | None = None, file: str = "m") -> Task:
    span = SourceSpan(file)
    return Task(
        id=identifier,
        format=format_name,
        span=span,
        depends_on=tuple(Reference(item, span) for item in depends_on),
        parent=None if parent is None else Reference(parent, span),
    )


def test_ids_that_two_formats_share_get_the_format_in_front(tmp_path: Path) -> None:
    one = FakeReader("dvc", {"m": [task("dvc", "train", "prepare"), task("dvc", "prepare"), task("dvc", "x", "only")]})
    two = FakeReader(
        "doit", {"m": [task("doit", "train", "own", parent="train"), task("doit", "only", "train", "prepare")]}
    )
    found = load_tasks(Tree(tmp_path), (one, two))
    assert [item.id for item in found.tasks] == ["prepare", "dvc:train", "x", "only", "doit:train"]
    by_id = {item.id: item for item in found.tasks}
    assert [item.id for item in by_id["dvc:train"].depends_on] == ["prepare"]
    assert [item.id for item in by_id["only"].depends_on] == ["doit:train", "prepare"]
    assert by_id["doit:train"].parent == Reference("doit:train", SourceSpan("m"))


def test_order_of_tasks_files_and_problems(tmp_path: Path) -> None:
    reader = FakeReader(
        "dvc", {"m10": [task("dvc", "b10", file="m10")], "m2": [task("dvc", "b9"), task("dvc", "b10", file="m2")]}
    )
    found = load_tasks(Tree(tmp_path), (reader,))
    assert found.files == ("m2", "m10")
    assert [(item.id, item.span.file) for item in found.tasks] == [("b9", "m"), ("b10", "m2")]
    assert [(item.rule, item.span.file) for item in found.problems] == [
        ("TG901", "m2"),
        ("TG903", "m10"),
        ("TG901", "m10"),
    ]
