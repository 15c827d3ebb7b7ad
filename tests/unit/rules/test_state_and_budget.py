"""TG5xx and TG6xx against access sets made by hand."""

from __future__ import annotations

from typing import Any

import pytest
from taskgates.config import Config, GateLimits
from taskgates.model.access import AccessSet, SharedAccess, SharedKind

GLOBAL = SharedKind.MODULE_GLOBAL


def shared(
    bench: Any,
    name: str = "pkg.jobs.CACHE",
    kind: SharedKind = GLOBAL,
    access: str = "write",
    guards: tuple[str, ...] = (),
    *,
    racing: bool = False,
    **place: Any,
) -> SharedAccess:
    return SharedAccess(name, kind, access, guards, (bench.site(**place),), racing, racing=racing)


def state(*accesses: Any) -> Any:
    return AccessSet(shared_state=accesses)


# ---- budget ---------------------------------------------------------------------------------------------------------


def test_tasks_in_progress_above_the_budget_are_an_error(bench: Any) -> None:
    for number, difficulty in enumerate((10, 11, 10), start=1):
        bench.task(str(number), status="In Progress", difficulty=difficulty)
    (finding,) = bench.find("TG501")
    assert (finding.severity.value, finding.tasks) == ("error", ("1", "2", "3"))
    assert "31" in finding.message


def test_the_budget_itself_is_not_above_it(bench: Any) -> None:
    for number in (1, 2, 3):
        bench.task(str(number), status="In Progress", difficulty=10)
    assert bench.find("TG501") == []


def test_tasks_that_wait_do_not_count_as_ready(bench: Any) -> None:
    bench.task("0", difficulty=9)
    for number in (1, 2, 3, 4):
        bench.task(str(number), difficulty=9, dependencies=["0"])
    assert bench.find("TG501") == []
    bench.task("0", difficulty=9, status="Finished")
    (finding,) = bench.find("TG501")
    assert (finding.severity.value, finding.tasks) == ("warning", ("1", "2", "3", "4"))


def test_a_single_task_may_be_too_large(bench: Any) -> None:
    bench.task("1", difficulty=7)
    config = Config(gates=GateLimits(max_context_complexity=5))
    assert [each.tasks for each in bench.find("TG501", config=config)] == [("1",)]


@pytest.mark.parametrize(("difficulty", "reported"), [(1, 0), (10, 0), (0, 1), (10.5, 1), (-3, 1), (None, 1)])
def test_difficulties(bench: Any, difficulty: Any, reported: Any) -> None:
    bench.task("1", difficulty=difficulty)
    assert len(bench.find("TG502")) == reported


# ---- shared state ---------------------------------------------------------------------------------------------------


def test_one_finding_for_each_name_with_all_tasks(bench: Any) -> None:
    bench.task("1", code=state(shared(bench, line=3, function="fill")))
    bench.task("2", code=state(shared(bench, access="read", line=8)))
    bench.task("3", code=state(shared(bench, access="read", line=9)))
    (finding,) = bench.find("TG601")
    assert finding.tasks == ("1", "2", "3")
    assert finding.span.line == 3
    assert [place.span.line for place in finding.related] == [8, 9]
    assert "`pkg.jobs.CACHE`" in finding.message
    assert "`fill`" in finding.message


@pytest.mark.parametrize(
    ("one", "two", "reported"),
    [
        ({}, {}, 1),
        ({"access": "read"}, {"access": "read"}, 0),
        ({"guards": ("L",)}, {"guards": ("L",)}, 0),
        ({"guards": ("L",)}, {"guards": ("M", "L"), "access": "read"}, 0),
        ({"guards": ("L",)}, {"guards": ("M",)}, 1),
        ({"guards": ("L",)}, {"access": "read"}, 1),
    ],
)
def test_a_common_guard_is_what_counts(bench: Any, one: Any, two: Any, reported: Any) -> None:
    bench.task("1", code=state(shared(bench, **one)))
    bench.task("2", code=state(shared(bench, **two)))
    assert len(bench.find("TG601")) == reported


def test_threads_of_one_task_share_too(bench: Any) -> None:
    bench.task("1", code=state(shared(bench, racing=True, function="worker")))
    bench.task("2", code=state(shared(bench, name="pkg.OTHER", guards=("L",))))
    (finding,) = bench.find("TG601")
    assert finding.tasks == ("1",)
    assert "`worker`" in finding.message


def test_process_wide_state_is_reported_where_it_changes(bench: Any) -> None:
    change = shared(bench, "working-directory", SharedKind.PROCESS, line=4, call="os.chdir")
    look = shared(bench, "os.environ", SharedKind.PROCESS, "read", line=5)
    bench.task("1", code=state(change, look))
    bench.task("2", code=state(change))
    (finding,) = bench.find("TG6")
    assert (finding.rule, finding.tasks, finding.span.line) == ("TG602", ("1", "2"), 4)
    assert "the working directory" in finding.message


def update(bench: Any, path: Any, **place: Any) -> Any:
    return bench.access(path, "read", **{**place, "line": 2}), bench.access(path, "overwrite", **{**place, "line": 3})


def test_read_modify_write_between_tasks_and_alone(bench: Any) -> None:
    bench.task("1", *update(bench, "data/list.json"), files_affected=["data/"])
    assert bench.find("TG603") == []
    bench.task("2", bench.access("data/list.json"), files_affected=["data/"])
    (finding,) = bench.find("TG603")
    assert (finding.severity.value, finding.tasks, finding.path) == ("warning", ("1", "2"), "data/list.json")
    assert finding.related[0].span.line == 2


def test_a_counter_is_a_note_even_alone(bench: Any) -> None:
    bench.task("1", *update(bench, "state/counter.txt"), files_affected=["state/"])
    assert [each.severity.value for each in bench.find("TG603")] == ["note"]


def test_a_lock_file_taken_on_the_way_guards_the_update(bench: Any) -> None:
    via = (("job.py", 20, "main"),)
    for number in ("1", "2"):
        lock = bench.access("state/counter.txt.lock", "create", function="locked", line=18, via=via)
        around = update(bench, "state/counter.txt", function="bump", via=(*via, ("job.py", 19, "locked")))
        bench.task(number, lock, *around, files_affected=["state/"])
    assert bench.find("TG603") == []


def test_one_database_for_several_tasks(bench: Any) -> None:
    for number in ("1", "2", "3"):
        bench.task(number, bench.access("store", "update", call="sqlite3.connect"), files_affected=["store"])
    bench.task("4", bench.access("other.txt", "update"), files_affected=["other.txt"])
    bench.task("5", bench.access("other.txt", "update"), files_affected=["other.txt"])
    (finding,) = bench.find("TG604")
    assert (finding.tasks, finding.path) == (("1", "2", "3"), "store")


def test_no_more_tasks_count_as_ready_than_may_run_at_once(bench: Any) -> None:
    for number in range(12):
        bench.task(str(number), difficulty=6)
    assert bench.find("TG501") == []
    config = Config(gates=GateLimits(max_parallel_tasks=6))
    (finding,) = bench.find("TG501", config=config)
    assert len(finding.tasks) == 6


def test_pipelines_know_no_difficulty(bench: Any) -> None:
    stages = "".join(f"  s{number}:\n    cmd: 'true'\n    outs: [out{number}]\n" for number in range(12))
    bench.file("dvc.yaml", f"stages:\n{stages}")
    assert bench.find("TG5", config=Config(gates=GateLimits(max_parallel_tasks=12))) == []


def test_ids_keep_their_letter_case(bench: Any) -> None:
    for name in "ABCD":
        bench.task(name, status="In Progress", difficulty=9)
    (finding,) = bench.find("TG501")
    assert finding.message.startswith("Tasks A, B, C and D are in progress")
