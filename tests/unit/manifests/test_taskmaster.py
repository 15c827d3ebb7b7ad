import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.manifests.registry import Manifests, load_tasks
from taskgates.manifests.taskmaster import FILES, TaskmasterReader
from taskgates.model.task import Status
from taskgates.tree import Tree


def load(root: Path, content: object, file: str = FILES[0]) -> Manifests:
    write(root, file, content)
    return load_tasks(Tree(root), (TaskmasterReader(),))


def write(root: Path, file: str, content: object) -> None:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))


TASKS = [
    {"id": 1, "title": "Set up", "description": "Base", "status": "done", "dependencies": [], "priority": "high"},
    {
        "id": 2,
        "title": "Build",
        "details": "How to",
        "status": "in-progress",
        "dependencies": [1],
        "subtasks": [
            {"id": 1, "title": "First", "status": "pending", "dependencies": []},
            {"id": 2, "title": "Second", "status": "review", "dependencies": [1, "1", "1.1"]},
            {"id": 10, "title": "Third", "status": "cancelled", "dependencies": ["2.2", 3]},
        ],
    },
    {"id": "3", "title": "Ship", "status": "deferred", "dependencies": ["2.10", 2]},
]


def test_tasks_and_subtasks_of_one_tag(tmp_path: Path) -> None:
    found = load(tmp_path, {"master": {"tasks": TASKS, "metadata": {"created": "x"}}})
    assert found.problems == ()
    assert [task.id for task in found.tasks] == ["1", "2", "2.1", "2.2", "2.10", "3"]
    by_id = {task.id: task for task in found.tasks}
    assert [item.id for item in by_id["2"].subtasks] == ["2.1", "2.2", "2.10"]
    assert by_id["2.2"].parent is not None
    assert by_id["2.2"].parent.id == "2"
    assert [item.id for item in by_id["2.2"].depends_on] == ["2.1", "1.1"]
    assert [item.id for item in by_id["2.10"].depends_on] == ["2.2", "3"]
    assert [item.id for item in by_id["3"].depends_on] == ["2.10", "2"]
    assert [task.status for task in found.tasks] == [
        Status.FINISHED,
        Status.IN_PROGRESS,
        Status.PENDING,
        Status.IN_PROGRESS,
        Status.FINISHED,
        Status.BLOCKED,
    ]
    assert (by_id["2"].title, by_id["2"].description) == ("Build", "How to")
    lines = (tmp_path / FILES[0]).read_text().splitlines()
    for task in found.tasks:
        assert lines[task.span.line - 1].strip() == "{"
        assert f'"title": "{task.title}"' in lines[task.span.line + 1]


def test_several_tags_stand_in_front_of_the_ids(tmp_path: Path) -> None:
    found = load(
        tmp_path, {"master": {"tasks": TASKS}, "feature-x": {"tasks": TASKS[:1]}, "other": {"name": "no list"}}
    )
    assert [task.id for task in found.tasks] == [
        "feature-x/1",
        "master/1",
        "master/2",
        "master/2.1",
        "master/2.2",
        "master/2.10",
        "master/3",
    ]
    assert [item.id for item in found.tasks[-1].depends_on] == ["master/2.10", "master/2"]


def test_the_older_place_and_shape(tmp_path: Path) -> None:
    found = load(tmp_path, {"tasks": TASKS, "meta": {}}, FILES[1])
    assert len(found.tasks) == 6
    for content in ("not json", [1], {"tasks": 3}):
        assert load(tmp_path, content, FILES[1]) == Manifests(files=(FILES[1],))


def test_difficulty_comes_from_the_task_or_the_complexity_report(tmp_path: Path) -> None:
    report = {
        "meta": {},
        "complexityAnalysis": [{"taskId": 1, "complexityScore": 7.5}, {"taskId": 3, "complexityScore": None}],
    }
    write(tmp_path, ".taskmaster/reports/task-complexity-report.json", report)
    write(tmp_path, ".taskmaster/reports/task-complexity-report_x.json", "{broken")
    tasks = [{"id": 1}, {"id": 2, "complexity": 4}, {"id": 3, "complexity": "complex"}]
    found = load(tmp_path, {"master": {"tasks": tasks}, "x": {"tasks": tasks[:1]}})
    assert [(task.id, task.difficulty) for task in found.tasks] == [
        ("master/1", 7.5),
        ("master/2", 4.0),
        ("master/3", None),
        ("x/1", None),
    ]
    span = found.tasks[0].difficulty_span
    assert span is not None
    assert str(span) == ".taskmaster/reports/task-complexity-report.json:6:26"


def test_relevant_files_are_edits_or_reads(tmp_path: Path) -> None:
    files = [
        {"path": "src/a.ts", "action": "modify"},
        {"path": "./src/new.ts", "action": "create"},
        {"path": "docs/", "action": "reference"},
        {"path": "../out", "action": "modify"},
        "src/b.ts",
        {"action": "modify"},
    ]
    found = load(
        tmp_path, {"tasks": [{"id": 1, "relevantFiles": files[:2]}, {"id": 2, "metadata": {"relevantFiles": files}}]}
    )
    assert [path.path for path in found.tasks[0].edits] == ["src/a.ts", "src/new.ts"]
    assert [path.path for path in found.tasks[1].writes] == ["src/a.ts", "src/new.ts", "src/b.ts"]
    assert [path.path for path in found.tasks[1].reads] == ["docs/"]
    assert [problem.message for problem in found.problems] == [
        "the path '../out' leads out of the repository",
        "a relevant file must have a path, not an object",
    ]


def test_what_is_wrong_is_reported_and_the_rest_is_kept(tmp_path: Path) -> None:
    tasks = [
        3,
        {"title": "no id"},
        {"id": 1, "dependencies": "2", "title": []},
        {"id": 1},
        {"id": 2, "dependencies": [None]},
    ]
    found = load(tmp_path, {"master": {"tasks": [*tasks, {"id": 4, "subtasks": {"id": 1}}]}})
    assert [task.id for task in found.tasks] == ["1", "2", "4"]
    assert [(problem.rule, problem.message.partition(" ")[2]) for problem in found.problems] == [
        ("TG901", "task must be an object, not a number"),
        ("TG901", "task has no id, so nothing can refer to it"),
        ("TG901", "must be a list of ids, not a string"),
        ("TG901", "must be a string, not a list"),
        ("TG903", "'1' is already defined in .taskmaster/tasks/tasks.json:8; give one of them another id"),
        ("TG901", "dependency must be a number or a string, not null"),
        ("TG901", "must be a list, not an object"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "1:1 not a JSON task list: the file is empty"),
        ('{"master": {"tasks": [}}', "1:23 not a JSON task list: unexpected '}'; expected a value"),
        ([], "1:1 no task list: expected an object with a list under the key 'tasks', or such objects by tag"),
        ({"master": {"tasks": {}}}, "1:1 no task list: expected an object with a list"),
    ],
)
def test_broken_lists(tmp_path: Path, content: object, message: str) -> None:
    found = load(tmp_path, content)
    assert found.tasks == ()
    assert f"{found.problems[0].span.line}:{found.problems[0].span.column} {found.problems[0].message}".startswith(
        message
    )


VALUES = st.recursive(
    st.none() | st.integers(0, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["tasks", "id", "subtasks", "dependencies", "status", "relevantFiles", "path"]), inner
        )
    ),
    max_leaves=12,
)


@given(value=VALUES)
def test_no_content_is_too_odd(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    root = tmp_path_factory.mktemp("repo")
    msgspec.json.encode(load(root, {"a": {"tasks": [value]}, "b": value}))
