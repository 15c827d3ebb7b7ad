from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskgates.model.task import Status
from taskgates.runtime.errors import BlockedTaskError, StatusUpdateError, UnknownTaskError
from taskgates.runtime.locks import LockManager
from taskgates.runtime.status_edit import with_status
from taskgates.runtime.task_manager import TaskManager

if TYPE_CHECKING:
    from pathlib import Path


def write_task(root: Path, identifier: str, **fields: object) -> Path:
    folder = root / ".claude/tasks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"task-{identifier}.json"
    path.write_text(json.dumps({"id": identifier, "title": identifier, "status": "Pending", **fields}))
    return path


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=6), JSON_VALUES, max_size=5),
    st.sampled_from([None, 2, 4, "\t"]),
    st.sampled_from(list(Status)),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_only_the_status_changes(
    fields: dict[str, object], indent: int | str | None, status: Status, encoding: str
) -> None:
    text = json.dumps(fields, indent=indent, ensure_ascii=False)
    data = text.encode(encoding, "surrogatepass") if encoding.startswith("utf-8") else text.encode(encoding)
    changed = json.loads(with_status("t.json", data, status).decode(encoding))
    assert changed.pop("status").lower().replace("_", " ").replace("-", " ") == status.value
    fields.pop("status", None)
    assert changed == fields


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"id": "1",  "status":"Pending" , "x": [1,\n2]}', '{"id": "1",  "status":"In Progress" , "x": [1,\n2]}'),
        ('{"status": "pending"}\n', '{"status": "in progress"}\n'),
        ('{"status": "not_started"}', '{"status": "in_progress"}'),
        ('{"status": "ON-HOLD"}', '{"status": "IN-PROGRESS"}'),
        ('{"status": null}', '{"status": "In Progress"}'),
        ('{\r\n\t"id": "1"\r\n}', '{\r\n\t"status": "In Progress",\r\n\t"id": "1"\r\n}'),
        ("{}", '{"status": "In Progress"}'),
        ('{"status": "Pending", "status": "Blocked"}', '{"status": "Pending", "status": "In Progress"}'),
        ('{"a": {"status": "Pending"}}', '{"status": "In Progress","a": {"status": "Pending"}}'),
    ],
)
def test_formatting_is_kept(before: str, after: str) -> None:
    assert with_status("t.json", before.encode(), Status.IN_PROGRESS).decode() == after


@pytest.mark.parametrize("text", ["[]", '{"id": ', "\xff", ""])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(StatusUpdateError, match=r"t\.json:1:"):
        with_status("t.json", text.encode("latin-1"), Status.FINISHED)


def test_load_list_and_select(tmp_path: Path) -> None:
    for name in ("110_1", "110_2", "110_10", "7"):
        write_task(tmp_path, name)
    write_task(tmp_path, "110_3", status="Finished")
    tasks = TaskManager(tmp_path)
    assert {task.id for task in tasks.list()} == {"7", "110_1", "110_2", "110_3", "110_10"}
    assert [task.id for task in tasks.list(Status.FINISHED)] == ["110_3"]
    assert [task.id for task in tasks.select(["7", "110_*", "110_1"])] == ["7", "110_1", "110_2", "110_10"]
    with pytest.raises(UnknownTaskError, match="did you mean '110_1"):
        tasks.get("110_1x")
    with pytest.raises(UnknownTaskError, match=r"no task has the id 'zz\*'"):
        tasks.select(["zz*"])


def test_status_update_keeps_unknown_keys_and_permissions(tmp_path: Path) -> None:
    path = write_task(tmp_path, "1", odd={"keep": [1, 2]}, notes=["a"])
    path.chmod(0o640)
    tasks = TaskManager(tmp_path)
    assert tasks.update_status("1", Status.IN_PROGRESS).status is Status.IN_PROGRESS
    content = json.loads(path.read_text())
    assert content["odd"] == {"keep": [1, 2]}
    assert content["status"] == "In Progress"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(item.name for item in path.parent.iterdir()) == ["task-1.json"]


def test_blocked_tasks_do_not_start(tmp_path: Path) -> None:
    write_task(tmp_path, "1")
    write_task(tmp_path, "2", dependencies=["1", "missing"])
    tasks = TaskManager(tmp_path)
    with pytest.raises(BlockedTaskError) as caught:
        tasks.update_status("2", Status.IN_PROGRESS)
    assert caught.value.unfinished == ("1", "missing")
    tasks.update_status("1", Status.FINISHED)
    assert tasks.unfinished_dependencies("2") == ("missing",)
    tasks.require_startable("2", assumed=["missing"])
    # Going back, or to a state in which nothing runs, needs no dependency.
    tasks.update_status("2", Status.BLOCKED)


def test_a_broken_down_dependency_is_finished_with_its_parts(tmp_path: Path) -> None:
    write_task(tmp_path, "1", status="Broken Down", subtasks=["1_1", "1_2"])
    write_task(tmp_path, "1_1", status="Finished", parent_task="1")
    write_task(tmp_path, "1_2", parent_task="1")
    write_task(tmp_path, "2", dependencies=["1"])
    tasks = TaskManager(tmp_path)
    assert tasks.unfinished_dependencies("2") == ("1",)
    assert tasks.unfinished_dependencies("2", assumed=["1_2"]) == ()
    tasks.update_status("1_2", Status.FINISHED)
    assert tasks.unfinished_dependencies("2") == ()


def test_update_waits_for_the_manifests_lock(tmp_path: Path) -> None:
    write_task(tmp_path, "1")
    locks = LockManager(tmp_path, timeout=0.05, retry_delays=(0.01,))
    tasks = TaskManager(tmp_path, locks=locks)
    with (
        LockManager(tmp_path).acquire("other", exclusive=[".claude/tasks/task-1.json"]),
        pytest.raises(Exception, match="held exclusive by task other"),
    ):
        tasks.update_status("1", Status.FINISHED)
    tasks.update_status("1", Status.FINISHED)
