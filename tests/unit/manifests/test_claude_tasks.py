import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.manifests import load_tasks
from taskgates.manifests.registry import Manifests
from taskgates.model.spans import SourceSpan
from taskgates.model.task import Command, Status, Task
from taskgates.tree import Tree

CORPUS = Path(__file__).parents[4] / "shared/corpus/agent-tasks"


def load(root: Path, **files: object) -> Manifests:
    """Write task files (`t1` becomes `task-1.json`) and read them."""
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode() if isinstance(content, str) else b""
        write(root, f".claude/tasks/task-{name[1:]}.json", data or json.dumps(content).encode())
    return load_tasks(Tree(root))


def write(root: Path, name: str, data: bytes = b"") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def only(found: Manifests) -> Task:
    assert len(found.tasks) == 1
    return found.tasks[0]


def complaints(found: Manifests) -> list[str]:
    assert {problem.rule for problem in found.problems} <= {"TG901", "TG903"}
    return [f"{problem.span.line}:{problem.span.column} {problem.message}" for problem in found.problems]


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of task files is not beside the repository")
def test_the_corpus_loads_without_complaint() -> None:
    found = load_tasks(Tree(CORPUS))
    assert len(found.tasks) == 157
    assert found.problems == ()
    ids = [task.id for task in found.tasks]
    assert ids.index("110_2") < ids.index("110_10") if "110_10" in ids else ids.index("79_2") < ids.index("79_10")
    assert all(task.status is Status.FINISHED for task in found.tasks)
    assert sum(bool(task.edits) for task in found.tasks) > 100
    for task in found.tasks:
        lines = (CORPUS / task.span.file).read_text(encoding="utf-8").split("\n")
        for declared in task.edits:
            span = declared.span
            assert json.loads(lines[span.line - 1][span.column - 1 : span.end_column - 1]).rstrip("/") in declared.path


def test_every_field_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, "src/train.py")
    text = """{
  "id": "110_1",
  "title": "Train",
  "description": "Train the model",
  "status": "In Progress",
  "difficulty": 6,
  "dependencies": ["110", 7, {"id": "x"}],
  "subtasks": [],
  "parent_task": "110",
  "files_affected": ["src/train.py", "./out//model.bin", "logs/", "docs/*.md"],
  "notes": ["free"], "unknown": {"id": 3}
}
"""
    found = load(tmp_path, t110_1=text)
    task = only(found)
    file = ".claude/tasks/task-110_1.json"
    assert found.problems == ()
    assert found.files == (file,)
    assert (task.id, task.title, task.status, task.raw_status) == ("110_1", "Train", Status.IN_PROGRESS, "In Progress")
    assert task.span == SourceSpan(file, 1, 1, 1, 2)
    assert (task.difficulty, task.difficulty_span) == (6.0, SourceSpan(file, 6, 17, 6, 18))
    assert [(item.id, item.span.column, item.span.end_column) for item in task.depends_on] == [
        ("110", 20, 25),
        ("7", 27, 28),
        ("x", 37, 40),
    ]
    assert task.parent is not None
    assert str(task.parent.span) == f"{file}:9:18"
    assert [path.path for path in task.edits] == ["src/train.py", "out/model.bin", "logs/", "docs/*.md"]
    assert task.edits == task.writes
    assert task.edits[1].span == SourceSpan(file, 10, 38, 10, 56)
    assert task.sources == ("src/train.py",)
    assert task.reads == ()
    assert not task.declares_reads


def test_what_differs_in_the_wild_is_no_complaint(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        t1={
            "id": 1,
            "status": "PENDING",
            "difficulty": {"reason": "x", "score": 7.5},
            "notes": ["a"],
            "parent_id": 110,
        },
        t2={
            "id": "2",
            "status": None,
            "difficulty": None,
            "dependencies": None,
            "files_affected": None,
            "parent_task": None,
        },
        t3={"id": "3", "depends_on": ["1"], "parent": "2", "difficulty": 11, "title": 5, "description": ["a", "b"]},
        t4={"id": "4"},
    )
    assert found.problems == ()
    first, second, third, fourth = found.tasks
    assert first.difficulty == 7.5
    assert first.parent is not None
    assert first.parent.id == "110"
    assert (second.difficulty, second.parent, second.status) == (None, None, Status.PENDING)
    assert (third.title, third.description, third.difficulty, third.depends_on[0].id) == ("5", "a\nb", 11.0, "1")
    assert fourth.difficulty_span == fourth.span


def test_how_a_task_runs(tmp_path: Path) -> None:
    for name in (
        "src/a.py",
        "src/b.py",
        "src/deep/c.py",
        "src/ignored/d.py",
        "src/.venv/pyvenv.cfg",
        "src/.venv/e.py",
        "x.txt",
    ):
        write(tmp_path, name)
    write(tmp_path, ".gitignore", b"ignored/")
    found = load(
        tmp_path,
        t1={"id": "1", "command": "python a.py && cp a b", "cwd": "./src/", "files_affected": ["src/a.py"]},
        t2={"id": "2", "command": ["python", "-m", "x y"], "sources": ["src/a.py"]},
        t3={"id": "3", "source": "pkg.mod:main"},
        t4={"id": "4", "sources": ["src/a.py", "pkg:f", "src/a.py"], "files_affected": ["src/b.py"]},
        t5={"id": "5", "files_affected": ["src/", "x.txt", "none.py"]},
        t6={"id": "6", "files_affected": ["src/*.py", "src/[a].py", "src/deep/c.py"]},
        t7={"id": "7", "source": [], "files_affected": ["src/a.py"]},
    )
    assert found.problems == ()
    one, two, three, four, five, six, seven = found.tasks
    assert one.command == Command(shell="python a.py && cp a b", cwd="src")
    assert one.sources == ()
    assert two.command == Command(argv=("python", "-m", "x y"))
    assert three.sources == ("pkg.mod:main",)
    assert four.sources == ("src/a.py", "pkg:f")
    assert five.sources == ("src/a.py", "src/b.py", "src/deep/c.py")
    assert six.sources == ("src/a.py", "src/b.py", "src/deep/c.py")
    assert seven.sources == ()


def test_declared_inputs_and_outputs(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        t1={
            "id": "1",
            "inputs": ["data/in.csv"],
            "reads": ["conf.toml"],
            "outputs": ["out/"],
            "files_affected": ["a.py", "out/"],
        },
        t2={"id": "2", "reads": []},
        t3={"id": "3", "outputs": ["x"]},
    )
    assert found.problems == ()
    one, two, three = found.tasks
    assert [path.path for path in one.reads] == ["conf.toml", "data/in.csv"]
    assert [path.path for path in one.writes] == ["a.py", "out/"]
    assert [path.path for path in one.edits] == ["a.py", "out/"]
    assert [task.declares_reads for task in (one, two, three)] == [True, True, False]
    assert [path.path for path in three.writes] == ["x"]
    assert three.edits == ()


def test_wrong_values_are_reported_at_their_place_and_the_rest_is_kept(tmp_path: Path) -> None:
    text = """{
  "id": true,
  "title": {},
  "status": 3.5, "status": ["x"],
  "difficulty": "7",
  "dependencies": ["", null, "2"],
  "subtasks": "9_1",
  "parent_task": [],
  "files_affected": ["ok.py", 5, "", "/etc/x", "../y", null, {"path": "also.py"}],
  "command": [],
  "cwd": "/tmp",
  "sources": 3,
  "reads": "one.csv"
}"""
    found = load(tmp_path, t9=text)
    task = only(found)
    assert (task.id, task.difficulty, task.command) == ("9", 7.0, None)
    assert [item.id for item in task.depends_on] == ["2"]
    assert [item.id for item in task.subtasks] == ["9_1"]
    assert [path.path for path in task.edits] == ["ok.py", "also.py"]
    assert [path.path for path in task.reads] == ["one.csv"]
    assert complaints(found) == [
        "2:9 the task's id must be a string, it is a boolean; taken from the file's name: '9'",
        "3:12 title must be a string, not an object",
        "4:18 the key 'status' stands here twice; the last one counts",
        "5:17 difficulty must be a number from 1 to 10, not '7'",
        "6:20 dependencies must name a task by its id, not ''",
        "6:24 dependencies must name a task by its id, not null",
        "7:15 subtasks must be a list of task ids, not a string",
        "8:18 parent_task must name a task by its id, not a list",
        "9:31 files_affected must hold paths as strings, not a number",
        "9:34 a declared path is empty",
        "9:38 the path '/etc/x' is not relative to the repository; give it relative to the root",
        "9:48 the path '../y' leads out of the repository",
        "9:56 files_affected must hold paths as strings, not null",
        "10:14 command must be a shell command or a list of arguments that is not empty",
        "11:10 the path '/tmp' is not relative to the repository; give it relative to the root",
        "12:14 sources must be a file, module:function, or a list of them, not a number",
        "13:12 reads must be a list of paths, not a string",
    ]
    assert {problem.tasks for problem in found.problems} == {("9",)}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"[]", ["1:1 a task must be an object, not a list"]),
        (b'\n "x"', ["2:2 a task must be an object, not a string"]),
        (b"", ["1:1 not a JSON task: the file is empty"]),
        (b'{"id": "1",}', ["1:11 not a JSON task: a comma behind the last element"]),
        (
            '{"title": "é"}'.encode("latin-1"),
            ["1:12 not a JSON task: not valid UTF-8 (byte 0xE9); save the file as UTF-8"],
        ),
        (
            b'{"id": \x00"1"}',
            ["1:8 not a JSON task: a NUL character; the file is binary, or UTF-16 without a byte order mark"],
        ),
        (b"[" * 100_000, ["1:201 not a JSON task: nested more than 200 levels deep"]),
        (b"\x89PNG\r\n", ["1:1 not a JSON task: not valid UTF-8 (byte 0x89); save the file as UTF-8"]),
    ],
)
def test_a_broken_file_is_one_complaint_and_the_others_are_read(
    tmp_path: Path, data: bytes, expected: list[str]
) -> None:
    write(tmp_path, ".claude/tasks/task-1.json", data)
    found = load(tmp_path, t2={"id": "2"})
    assert [task.id for task in found.tasks] == ["2"]
    assert complaints(found) == expected


def test_encodings_and_size(tmp_path: Path) -> None:
    text = json.dumps({"id": "é", "files_affected": ["ä.txt"], "notes": "x" * 5_000_000}, ensure_ascii=False)
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        task = only(load(tmp_path, t1=text.encode(encoding)))
        assert task.id == "é"
        assert task.edits[0].path == "ä.txt"
        assert task.edits[0].span.column == text.index('"ä.txt"') + 1


def test_half_a_surrogate_pair_never_gets_into_a_task(tmp_path: Path) -> None:
    found = load(tmp_path, t1=r'{"id": "\ud800", "title": "\udc00!", "files_affected": ["a\ud800", "b"]}')
    task = only(found)
    assert (task.id, task.title, [path.path for path in task.edits]) == ("1", "?!", ["b"])
    assert len(found.problems) == 3


def test_a_missing_id_comes_from_the_file_s_name(tmp_path: Path) -> None:
    found = load(tmp_path, t12={"title": "x"})
    assert only(found).id == "12"
    assert complaints(found) == ["1:1 the task has no id; taken from the file's name: '12'"]


def test_other_files_in_the_folder(tmp_path: Path) -> None:
    write(tmp_path, ".claude/tasks/.id_registry.json", b'{"id": 1')
    write(tmp_path, ".claude/tasks/counters.json", b'{"next": 112}')
    write(tmp_path, ".claude/tasks/README.md", b"no task")
    write(tmp_path, ".claude/tasks/archive/task-3.json", b"{")
    write(tmp_path, ".claude/tasks/special.json", b'{"title": "a task by its keys"}')
    (tmp_path / ".claude/tasks/task-4.json").mkdir()
    found = load(tmp_path)
    assert only(found).id == "special"
    assert len(found.problems) == 1


def test_task_files_behind_links(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    load(root, t1={"id": "1"})
    write(tmp_path, "outside.json", b'{"id": "2"}')
    (root / ".claude/tasks/task-2.json").symlink_to(tmp_path / "outside.json")
    (root / ".claude/tasks/task-3.json").symlink_to("nowhere.json")
    write(root, "kept/four.json", b'{"id": "4"}')
    (root / ".claude/tasks/task-4.json").symlink_to("../../kept/four.json")
    found = load_tasks(Tree(root))
    assert [task.id for task in found.tasks] == ["1", "4"]
    assert [(problem.span.file, problem.message) for problem in found.problems] == [
        (".claude/tasks/task-2.json", "the task file cannot be read: it is a link out of the repository"),
        (
            ".claude/tasks/task-3.json",
            "the task file cannot be read: missing, no regular file, not permitted, or larger than 64 MB",
        ),
    ]


def test_excluded_task_files_are_not_read(tmp_path: Path) -> None:
    load(tmp_path, t1={"id": "1"}, t2={"id": "2"})
    found = load_tasks(Tree(tmp_path, exclude=["task-2.json"]))
    assert [task.id for task in found.tasks] == ["1"]
    assert load_tasks(Tree(tmp_path, exclude=["/.claude/"])).tasks == ()


def test_duplicate_tasks(tmp_path: Path) -> None:
    found = load(tmp_path, t2={"id": "7", "title": "first"}, t10={"id": "7", "title": "second"})
    assert only(found).title == "first"
    problem = found.problems[0]
    assert (problem.rule, problem.span.file, problem.tasks) == ("TG903", ".claude/tasks/task-10.json", ("7",))
    assert "'7' is already defined in .claude/tasks/task-2.json:1" in problem.message


def test_an_empty_repository_has_no_tasks(tmp_path: Path) -> None:
    assert load_tasks(Tree(tmp_path)) == Manifests()
    assert load_tasks(Tree(tmp_path / "none")) == Manifests()


KEYS = st.sampled_from(
    [
        "id",
        "title",
        "status",
        "difficulty",
        "dependencies",
        "subtasks",
        "parent_task",
        "files_affected",
        "command",
        "cwd",
        "source",
        "reads",
        "outputs",
        "x",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["a.py", "d/", "*", "../x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(value=st.dictionaries(KEYS, VALUES, max_size=8) | VALUES)
def test_no_content_is_too_odd(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    root = tmp_path_factory.mktemp("repo")
    write(root, "a.py")
    found = load(root, t1=json.dumps(value))
    for task in found.tasks:
        assert task.id.strip()
    msgspec.json.encode(found)
