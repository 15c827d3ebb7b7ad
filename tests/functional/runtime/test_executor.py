from __future__ import annotations

import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest
from functional.runtime.task_repository import add_task, events, options, status, wait_for
from taskgates.model.access import Access, AccessSet, Certainty, Operation
from taskgates.runtime.checkpoints import CheckpointStore
from taskgates.runtime.errors import (
    BlockedTaskError,
    BrokenRunError,
    CommandError,
    LockError,
    LockTimeoutError,
    RestoreError,
    TaskRuntimeError,
    UnknownTaskError,
)
from taskgates.runtime.events import TaskState
from taskgates.runtime.executor import SafeParallelExecutor
from taskgates.runtime.locks import LockManager
from taskgates.runtime.run_model import RunResult, Schedule
from taskgates.runtime.worker_pool import WorkerPool
from unit.runtime.tree_states import snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.model.task import Task


def run(root: Path, *ids: str, **fields: object) -> RunResult:
    return SafeParallelExecutor(root, options=options(**fields)).run(ids)


def states(result: RunResult) -> dict[str, str]:
    return {each.task: str(each.state) for each in result.tasks}


def overlap(root: Path, result: RunResult) -> int:
    """The largest number of commands that ran at once."""
    now = most = 0
    for event in events(root, result.run, "started", "ended"):
        now += 1 if event["event"] == "started" else -1
        most = max(most, now)
    return most


def test_a_group_runs_to_its_end(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "echo one > one.txt", ["one.txt"])
    add_task(tmp_path, "2", "cat one.txt > two.txt; echo two >> two.txt", ["two.txt"], dependencies=["1"])
    add_task(tmp_path, "3", "echo three; echo three > three.txt", ["three.txt"])
    result = run(tmp_path, "2", "1", "3")
    assert result.succeeded
    assert states(result) == {"2": "finished", "1": "finished", "3": "finished"}
    assert (tmp_path / "two.txt").read_text() == "one\ntwo\n"
    assert [status(tmp_path, name) for name in "123"] == ["Finished"] * 3
    log = next(each.log for each in result.tasks if each.task == "3")
    assert (tmp_path / log).read_text() == "three\n"
    assert LockManager(tmp_path).status() == ()
    assert CheckpointStore(tmp_path).identifiers() == ()
    assert result.undeclared == ()


def test_independent_tasks_run_at_once_and_conflicting_ones_do_not(tmp_path: Path) -> None:
    for name in ("1", "2"):
        add_task(tmp_path, name, f"touch {name}; while [ ! -e 1 ] || [ ! -e 2 ]; do sleep 0.01; done", [name])
    # Each waits for the other: they end only if they overlap.
    assert run(tmp_path, "1", "2", timeout=20).succeeded
    increment = "n=$(cat counter); sleep 0.1; echo $((n + 1)) > counter"
    (tmp_path / "counter").write_text("0\n")
    for name in ("3", "4", "5"):
        add_task(tmp_path, name, increment, ["counter"])
    result = run(tmp_path, "3", "4", "5")
    assert result.succeeded
    assert overlap(tmp_path, result) == 1
    assert (tmp_path / "counter").read_text() == "3\n"


def test_failure_undoes_the_whole_run(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("precious")
    (tmp_path / "old").mkdir()
    (tmp_path / "old/file").write_text("x")
    add_task(tmp_path, "1", "echo changed > data.txt; mkdir -p new/deep; echo x > new/deep/a", ["data.txt", "new/"])
    add_task(tmp_path, "2", "rm -r old; echo half > out.txt; exit 7", ["old/", "out.txt"], dependencies=["1"])
    before = snapshot(tmp_path, folder_times=False)
    result = run(tmp_path, "1", "2")
    assert not result.succeeded
    assert result.rolled_back
    assert states(result) == {"1": "finished", "2": "failed"}
    assert "exit status 7" in result.message
    assert snapshot(tmp_path, folder_times=False) == before
    assert status(tmp_path, "1") == "Pending"


def test_keep_going_keeps_what_is_finished(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "echo one > one.txt", ["one.txt"])
    add_task(tmp_path, "2", "echo half > two.txt; exit 1", ["two.txt"])
    add_task(tmp_path, "3", "echo three > three.txt", ["three.txt"], dependencies=["2"])
    add_task(tmp_path, "4", "echo four > four.txt", ["four.txt"], dependencies=["1"])
    result = run(tmp_path, "1", "2", "3", "4", keep_going=True)
    assert states(result) == {"1": "finished", "2": "failed", "3": "skipped", "4": "finished"}
    assert (tmp_path / "one.txt").exists()
    assert (tmp_path / "four.txt").exists()
    assert not (tmp_path / "two.txt").exists()
    assert (status(tmp_path, "1"), status(tmp_path, "2")) == ("Finished", "Pending")


FLAKY = "mkdir busy || exit 1; sleep 0.3; rmdir busy; echo {0} > {0}.txt"


@pytest.mark.parametrize("schedule", list(Schedule))
def test_what_fails_beside_others_is_run_again_alone(tmp_path: Path, schedule: Schedule) -> None:
    # An interference that nobody declared: both need the folder `busy` for themselves.
    for name in ("1", "2"):
        add_task(tmp_path, name, FLAKY.format(name), [f"{name}.txt"])
    result = run(tmp_path, "1", "2", schedule=schedule)
    if not result.succeeded:
        pytest.fail(str(result))
    assert (tmp_path / "1.txt").read_text() == "1\n"
    assert (tmp_path / "2.txt").read_text() == "2\n"
    assert events(tmp_path, result.run, "sequential-fallback")


def test_no_fallback_when_conflicts_are_refused(tmp_path: Path) -> None:
    for name in ("1", "2"):
        add_task(tmp_path, name, FLAKY.format(name), [f"{name}.txt"])
    result = run(tmp_path, "1", "2", conflict_resolution="refuse")
    assert result.rolled_back
    assert not (tmp_path / "1.txt").exists()


def test_batches_have_barriers(tmp_path: Path) -> None:
    for name in ("1", "2", "3", "4"):
        add_task(tmp_path, name, f"sleep 0.{name}; echo > {name}.txt", [f"{name}.txt"])
    executor = SafeParallelExecutor(
        tmp_path, options=options(schedule=Schedule.BATCHES), batches=lambda _: [["1", "3"], ["2", "4"]]
    )
    result = executor.run(["*"])
    assert result.succeeded
    order = [(event["event"], event["task"]) for event in events(tmp_path, result.run, "started", "finished")]
    assert order.index(("finished", "3")) < order.index(("started", "2"))


def test_progressive_waves_grow(tmp_path: Path) -> None:
    for name in "123456":
        add_task(tmp_path, name, f"sleep 0.1; echo > {name}.txt", [f"{name}.txt"])
    result = run(tmp_path, "*", schedule=Schedule.PROGRESSIVE, waves=(1, 2, 3))
    assert result.succeeded
    order = [(event["event"], event["task"]) for event in events(tmp_path, result.run, "started", "finished")]
    assert order[:2] == [("started", "1"), ("finished", "1")]
    assert {entry[1] for entry in order[2:6]} == {"2", "3"}


def test_slots_budget_and_capacity_hold(tmp_path: Path) -> None:
    for name in "1234":
        add_task(tmp_path, name, f"sleep 0.1; echo > {name}.txt", [f"{name}.txt"], difficulty=5)
    result = run(tmp_path, "*", max_parallel_tasks=2)
    assert (result.succeeded, overlap(tmp_path, result)) == (True, 2)
    for name in "5678":
        add_task(tmp_path, name, f"sleep 0.1; echo > {name}.txt", [f"{name}.txt"], difficulty=8)
    result = run(tmp_path, "[5678]", max_context_complexity=10)
    assert (result.succeeded, overlap(tmp_path, result)) == (True, 1)
    for name in ("91", "92", "93"):
        add_task(tmp_path, name, f"sleep 0.1; echo > {name}.txt", [f"{name}.txt"])
    asked: list[int] = []

    def capacity(running: int) -> str | None:
        asked.append(running)
        return "memory at 99 %" if running else None

    result = SafeParallelExecutor(tmp_path, options=options(), capacity=capacity).run(["9*"])
    assert (result.succeeded, overlap(tmp_path, result)) == (True, 1)
    assert 1 in asked
    assert events(tmp_path, result.run, "capacity-exhausted")


def test_timeout(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "echo half > one.txt; sleep 60", ["one.txt"])
    result = run(tmp_path, "1", timeout=0.5)
    assert "--timeout" in result.message
    assert not (tmp_path / "one.txt").exists()


def test_inferred_writes_are_protected_too(tmp_path: Path) -> None:
    (tmp_path / "hidden.txt").write_text("before")
    add_task(tmp_path, "1", "echo x > hidden.txt; exit 1", ["declared.txt"])
    access = AccessSet(writes=(Access("hidden.txt", Certainty.EXACT, False, Operation.OVERWRITE),))
    executor = SafeParallelExecutor(tmp_path, options=options(), access_of=lambda _: access)
    result = executor.run(["1"])
    assert (result.rolled_back, result.undeclared) == (True, ())
    assert (tmp_path / "hidden.txt").read_text() == "before"


def test_undeclared_writes_are_reported(tmp_path: Path) -> None:
    (tmp_path / "side.txt").write_text("before")
    add_task(tmp_path, "1", "echo x > side.txt; echo y > new.txt; echo z > out.txt", ["out.txt"])
    result = run(tmp_path, "1")
    assert result.succeeded
    assert [(write.path, write.change, write.tasks) for write in result.undeclared] == [
        ("new.txt", "created", ("1",)),
        ("side.txt", "changed", ("1",)),
    ]
    assert {event["rule"] for event in events(tmp_path, result.run, "undeclared-write")} == {"TG701"}


def test_strict_undoes_undeclared_writes(tmp_path: Path) -> None:
    (tmp_path / "side.txt").write_text("before")
    (tmp_path / "gone.txt").write_text("before")
    add_task(
        tmp_path, "1", "echo x > side.txt; rm gone.txt; mkdir d; echo y > d/new.txt; echo z > out.txt", ["out.txt"]
    )
    before = snapshot(tmp_path, folder_times=False)
    result = run(tmp_path, "1", strict=True)
    assert result.rolled_back
    assert all(write.restored for write in result.undeclared)
    assert snapshot(tmp_path, folder_times=False) == before


def test_strict_undoes_a_folder_without_what_others_wrote_into_it(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    (tmp_path / "shared/kept.txt").write_text("before")
    add_task(
        tmp_path, "1", "echo 1 > shared/one.txt; mkdir -p new; echo 1 > new/one.txt", ["shared/one.txt", "new/one.txt"]
    )
    add_task(tmp_path, "2", "chmod 700 shared; rm shared/kept.txt; touch new/two.txt", ["two.txt"], dependencies=["1"])
    result = run(tmp_path, "1", "2", strict=True, keep_going=True)
    assert states(result) == {"1": "finished", "2": "failed"}
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "shared/kept.txt").read_text() == "before"
    assert (tmp_path / "shared/one.txt").read_text() == "1\n"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["one.txt"]


def test_unknown_writes_run_alone_and_are_undone(tmp_path: Path) -> None:
    (tmp_path / "any.txt").write_text("before")
    add_task(tmp_path, "1", "sleep 0.1; echo x > any.txt; exit 1", [])
    add_task(tmp_path, "2", "sleep 0.1; echo > two.txt", ["two.txt"])
    result = run(tmp_path, "1", "2", keep_going=True)
    assert overlap(tmp_path, result) == 1
    assert (tmp_path / "any.txt").read_text() == "before"
    assert states(result) == {"1": "failed", "2": "finished"}


@pytest.mark.parametrize("frequency", [0, 1, 2, 3])
def test_checkpoint_frequency(tmp_path: Path, frequency: int) -> None:
    for name in ("1", "2", "3", "4"):
        add_task(tmp_path, name, f"echo {name} >> log.txt; echo > {name}.txt", ["log.txt", f"{name}.txt"])
    add_task(tmp_path, "5", "echo half > five.txt; exit 1", ["five.txt"], dependencies=["1", "2", "3", "4"])
    result = run(tmp_path, "*", checkpoint_frequency=frequency, keep_going=True)
    assert sorted((tmp_path / "log.txt").read_text().split()) == ["1", "2", "3", "4"]
    assert (tmp_path / "five.txt").exists() is (frequency == 0)
    assert states(result)["5"] == "failed"


def test_result_is_validated(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "true", ["out.txt"])

    def validate(task: object) -> str | None:
        return None if (tmp_path / "out.txt").exists() else "out.txt was not written"

    result = SafeParallelExecutor(tmp_path, options=options(), validate=validate).run(["1"])
    assert "out.txt was not written" in result.message


INTRUDER = "while [ ! -e ../first ]; do sleep 0.01; done; sleep 0.1; {0}; echo 2 > two.txt"
"""Waits until another task is done, and then does something to its file without having declared it."""


@pytest.mark.parametrize("schedule", list(Schedule))
@pytest.mark.parametrize("deed", ["echo 2 > one.txt", "rm one.txt"])
def test_results_are_looked_at_together(tmp_path: Path, schedule: Schedule, deed: str) -> None:
    root = tmp_path / "repository"
    (root / ".claude").mkdir(parents=True)
    (root / "two.txt").write_text("before\n")
    # Once more alone, the second one does nothing that it should not.
    once = f"[ -e ../again ] || {{ touch ../again; {deed}; }}"
    add_task(root, "1", "echo 1 > one.txt; touch ../first", ["one.txt"])
    add_task(root, "2", INTRUDER.format(once), ["two.txt"])
    add_task(root, "3", "cat one.txt two.txt > three.txt", ["three.txt"], dependencies=["1", "2"])
    result = run(root, "*", schedule=schedule, waves=(2,))
    assert result.succeeded, result.message
    assert (root / "three.txt").read_text() == "1\n2\n"
    (refused,) = events(root, result.run, "results-invalid")
    assert [each["message"] for each in refused["problems"]] == [
        "two tasks wrote one.txt: 1, and then 2, which had not declared it"
    ]
    order = [event["event"] for event in events(root, result.run)]
    started = [event["task"] for event in events(root, result.run, "started")]
    assert started[2:] == ["1", "2", "3"], "nothing builds on what does not hold"
    assert order.index("batch-rolled-back") > order.index("results-invalid")
    assert order[-2:] == ["results-validated", "run-ended"]


def test_a_batch_whose_outputs_went_missing_is_refused(tmp_path: Path) -> None:
    """What nobody could have told when the task ended: its output is gone when the batch is over."""
    add_task(tmp_path, "1", "true", ["one.txt"])
    add_task(tmp_path, "2", "true", ["two.txt"])
    looks: list[str] = []

    def validate(task: Task) -> str | None:
        looks.append(task.id)
        # Every second look is the one at the whole batch.
        return "declared output not written: one.txt" if task.id == "1" and looks.count("1") % 2 == 0 else None

    executor = SafeParallelExecutor(tmp_path, options=options(schedule=Schedule.BATCHES), validate=validate)
    result = executor.run(["*"])
    assert result.rolled_back
    assert "declared output not written: one.txt" in result.message
    assert len(events(tmp_path, result.run, "batch-rolled-back")) == 1
    assert len(events(tmp_path, result.run, "results-invalid")) == 2


@pytest.mark.parametrize("keep_going", [False, True])
def test_results_that_do_not_hold_are_undone(tmp_path: Path, keep_going: bool) -> None:
    root = tmp_path / "repository"
    (root / ".claude").mkdir(parents=True)
    (root / "one.txt").write_text("before\n")
    add_task(root, "1", "echo 1 > one.txt; touch ../first", ["one.txt"])
    add_task(root, "2", INTRUDER.format("echo 2 > one.txt"), ["two.txt"])
    add_task(root, "3", "echo 3 > three.txt", ["three.txt"])
    add_task(root, "4", "cp two.txt four.txt", ["four.txt"], dependencies=["2"])
    result = run(root, "*", keep_going=keep_going)
    assert (root / "one.txt").read_text() == "before\n"
    assert not (root / "two.txt").exists()
    assert not (root / "four.txt").exists()
    assert (root / "three.txt").exists() is keep_going
    assert result.rolled_back is not keep_going
    expected = {"1": "failed", "2": "failed", "4": "skipped" if keep_going else "waiting"}
    assert {name: states(result)[name] for name in expected} == expected
    assert {(write.path, write.owners) for write in result.undeclared} == {("one.txt", ("1",))}


def test_a_batch_that_could_not_be_undone_is_undone_when_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "repository"
    (root / ".claude").mkdir(parents=True)
    add_task(root, "1", "echo 1 >> one.txt; touch ../first", ["one.txt"])
    add_task(root, "2", INTRUDER.format("[ -e ../again ] || { touch ../again; echo 2 > one.txt; }"), ["two.txt"])
    real = CheckpointStore.restore

    def full_disk(store: CheckpointStore, checkpoint: str, **options: object) -> object:
        raise RestoreError(checkpoint, [("one.txt", "No space left on device")])

    monkeypatch.setattr(CheckpointStore, "restore", full_disk)
    with pytest.raises(BrokenRunError, match="No space left"):
        run(root, "1", "2")
    monkeypatch.setattr(CheckpointStore, "restore", real)
    result = SafeParallelExecutor(root).resume()
    assert result.succeeded, result.message
    assert states(result) == {"1": "finished", "2": "finished"}
    assert (root / "one.txt").read_text() == "1\n"
    assert (root / "two.txt").read_text() == "2\n"


def test_what_was_built_on_a_result_that_does_not_hold_is_undone_too(tmp_path: Path) -> None:
    """Task 3 reads what task 2 spoils while 3 runs; nothing is run twice."""
    root = tmp_path / "repository"
    (root / ".claude").mkdir(parents=True)
    (root / "one.txt").write_text("before\n")
    add_task(root, "1", "echo 1 >> one.txt; touch ../first", ["one.txt"])
    add_task(root, "2", INTRUDER.format("while [ ! -e ../third ]; do sleep 0.01; done; echo 2 >> one.txt"), ["two.txt"])
    wait = "touch ../third; while [ ! -e ../go ]; do sleep 0.01; done"
    add_task(root, "3", f"{wait}; cp one.txt three.txt", ["three.txt"], dependencies=["1"])
    executor = SafeParallelExecutor(root, options=options(conflict_resolution="refuse", keep_going=True))

    def go_when_spoilt() -> None:
        wait_for(lambda: "2" in (root / "one.txt").read_text())
        wait_for(lambda: not any(view.id == "2" and view.state is TaskState.RUNNING for view in executor.board.tasks()))
        (tmp_path / "go").touch()

    thread = threading.Thread(target=go_when_spoilt)
    thread.start()
    result = executor.run(["1", "2", "3"])
    thread.join()
    assert states(result) == {"1": "failed", "2": "failed", "3": "failed"}
    assert "builds on 1" in result.tasks[2].message
    assert (root / "one.txt").read_text() == "before\n"
    assert not (root / "two.txt").exists()
    assert not (root / "three.txt").exists()


def test_a_result_that_a_later_task_uses_up_is_not_missed(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "echo 1 > part.txt", ["part.txt"])
    add_task(tmp_path, "2", "mv part.txt whole.txt", ["part.txt", "whole.txt"], dependencies=["1"])
    checks: list[str] = []

    def validate(task: Task) -> str | None:
        checks.append(task.id)
        return None if (tmp_path / ("part.txt" if task.id == "1" else "whole.txt")).exists() else "missing"

    assert SafeParallelExecutor(tmp_path, options=options(), validate=validate).run(["1", "2"]).succeeded
    assert checks == ["1", "2", "2"]


def test_finished_tasks_stay_locked_until_the_run_is_over(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("before\n")
    add_task(tmp_path, "1", "echo 1 > one.txt", ["one.txt"])
    add_task(tmp_path, "2", "while [ ! -e go ]; do sleep 0.01; done; exit 1", ["two.txt"], dependencies=["1"])
    add_task(tmp_path, "3", "echo 3 >> one.txt; touch three", ["one.txt", "three"], dependencies=["1"])
    seen: list[str] = []

    def another_process() -> None:
        wait_for((tmp_path / "three").exists)
        try:
            LockManager(tmp_path).acquire("other", exclusive=["one.txt"], timeout=0.2)
        except LockTimeoutError as error:
            seen.append(str(error))
        (tmp_path / "go").touch()
        # Granted only once nothing of the run can overwrite it any more.
        with LockManager(tmp_path).acquire("other", exclusive=["one.txt"], timeout=20):
            (tmp_path / "one.txt").write_text("other\n")

    thread = threading.Thread(target=another_process)
    thread.start()
    result = run(tmp_path, "1", "2", "3", conflict_resolution="refuse")
    thread.join()
    assert result.rolled_back
    assert "by the run of task" in seen[0]
    assert (tmp_path / "one.txt").read_text() == "other\n"


def test_what_was_rolled_back_is_not_rolled_back_again(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("before\n")
    add_task(tmp_path, "1", "echo half > one.txt; exit 1", ["one.txt"])
    add_task(tmp_path, "2", "echo 2 > two.txt; while [ ! -e go ]; do sleep 0.01; done", ["two.txt", "go"])
    executor = SafeParallelExecutor(tmp_path, options=options(conflict_resolution="refuse", keep_going=True))

    def another_process() -> None:
        wait_for(lambda: any(view.id == "1" and view.state is TaskState.FAILED for view in executor.board.tasks()))
        with LockManager(tmp_path).acquire("other", exclusive=["one.txt"], timeout=20):
            (tmp_path / "one.txt").write_text("other\n")
        executor.stop()

    thread = threading.Thread(target=another_process)
    thread.start()
    assert executor.run(["1", "2"]).interrupted
    thread.join()
    assert SafeParallelExecutor(tmp_path).rollback().rolled_back
    assert (tmp_path / "one.txt").read_text() == "other\n"
    assert not (tmp_path / "two.txt").exists()


def test_what_another_process_writes_under_its_own_lock_is_not_held_against_the_run(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "echo 1 > one.txt; while [ ! -e one.go ]; do sleep 0.01; done", ["one.txt", "one.go"])

    def another_process() -> None:
        wait_for((tmp_path / "one.txt").exists)
        with LockManager(tmp_path).acquire("other", exclusive=["other.txt"]):
            (tmp_path / "other.txt").write_text("other\n")
            (tmp_path / "one.go").touch()
            wait_for(lambda: bool(LockManager(tmp_path).status()) and (tmp_path / "done").exists())

    thread = threading.Thread(target=another_process)
    thread.start()
    result = run(tmp_path, "1")
    (tmp_path / "done").touch()
    thread.join()
    assert result.succeeded
    assert result.undeclared == ()


def test_nobody_else_writes_during_a_strict_run(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "echo 1 > one.txt; while [ ! -e one.go ]; do sleep 0.01; done", ["one.txt", "one.go"])
    refused: list[str] = []

    def another_process() -> None:
        wait_for((tmp_path / "one.txt").exists)
        try:
            LockManager(tmp_path).acquire("other", exclusive=["other.txt"], timeout=0)
        except LockTimeoutError as error:
            refused.append(str(error))
        (tmp_path / "one.go").touch()

    thread = threading.Thread(target=another_process)
    thread.start()
    assert run(tmp_path, "1", strict=True).succeeded
    thread.join()
    assert ". is held shared by the run of task 1" in refused[0]
    with LockManager(tmp_path).acquire("other", exclusive=["other.txt"]), pytest.raises(LockTimeoutError):
        run(tmp_path, "1", strict=True, lock_timeout=0.2)


def test_two_runs_that_wait_for_each_other_do_not_wait_for_ever(tmp_path: Path) -> None:
    for number, (first, second) in enumerate([("x", "y"), ("y", "x")]):
        wait = f"echo > {number}.there; while [ ! -e 0.there ] || [ ! -e 1.there ]; do sleep 0.01; done"
        add_task(tmp_path, f"{number}1", f"{wait}; echo {number} > {first}", [first, f"{number}.there"])
        add_task(tmp_path, f"{number}2", f"echo {number} > {second}", [second], dependencies=[f"{number}1"])
    results: dict[int, RunResult] = {}

    def one(number: int) -> None:
        results[number] = run(tmp_path, f"{number}1", f"{number}2", lock_timeout=60.0)

    threads = [threading.Thread(target=one, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.rolled_back for result in results.values()) == [False, True]
    winner = next(number for number, result in results.items() if result.succeeded)
    assert "deadlock" in results[1 - winner].message
    assert (tmp_path / "x").read_text() == (tmp_path / "y").read_text() == f"{winner}\n"


def test_a_shared_checkpoint_does_not_undo_what_another_process_did_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "two.txt").write_text("before\n")
    add_task(tmp_path, "1", "echo 1 > one.txt; while [ ! -e one.go ]; do sleep 0.01; done", ["one.txt", "one.go"])
    add_task(tmp_path, "2", "echo half > two.txt; exit 1", ["two.txt"], dependencies=["1"])

    def another_process() -> None:
        wait_for((tmp_path / "one.txt").exists)
        with LockManager(tmp_path).acquire("other", exclusive=["two.txt"]):
            (tmp_path / "two.txt").write_text("other\n")
        (tmp_path / "one.go").touch()

    thread = threading.Thread(target=another_process)
    thread.start()
    result = run(tmp_path, "1", "2", checkpoint_frequency=2)
    thread.join()
    assert result.rolled_back
    assert (tmp_path / "two.txt").read_text() == "other\n"
    assert not (tmp_path / "one.txt").exists()


def test_lock_held_by_another_process_is_waited_for(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "echo x > out.txt", ["out.txt"])
    other = LockManager(tmp_path).acquire("another", exclusive=["out.txt"])
    threading.Timer(0.5, other.release).start()
    result = run(tmp_path, "1")
    assert result.succeeded
    assert "task another" in events(tmp_path, result.run, "lock-held")[0]["holders"][0]


def test_lock_that_stays_held_says_by_whom(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "echo x > out.txt", ["out.txt"])
    with LockManager(tmp_path).acquire("another", exclusive=["out.txt"]):
        result = SafeParallelExecutor(tmp_path, options=options(lock_timeout=0.3, keep_going=True)).run(["1"])
    assert "held exclusive by task another" in result.tasks[0].message
    assert "since" in result.tasks[0].message
    assert not (tmp_path / "out.txt").exists()


def test_bad_input(tmp_path: Path) -> None:
    add_task(tmp_path, "1", None, ["a"])
    add_task(tmp_path, "2", "true", ["b"], dependencies=["1"])
    add_task(tmp_path, "3", ["no-such-command"], ["c"])  # type: ignore[arg-type]
    with pytest.raises(UnknownTaskError, match="'9'"):
        run(tmp_path, "9")
    with pytest.raises(BlockedTaskError, match="unfinished dependencies: 1"):
        run(tmp_path, "2")
    with pytest.raises(CommandError, match="--exec"):
        run(tmp_path, "1")
    assert "does not exist" in run(tmp_path, "3").message
    with pytest.raises(TaskRuntimeError, match="the gates refuse the group:\n  too many"):
        SafeParallelExecutor(tmp_path, gate=lambda _: ["too many"]).run(["3"])
    assert run(tmp_path, "1", template="echo {id} > a").succeeded
    assert (tmp_path / "a").read_text() == "1\n"


def test_what_breaks_a_run_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "two.txt").write_text("before\n")
    add_task(tmp_path, "1", "echo 1 >> one.txt", ["one.txt"])
    add_task(tmp_path, "2", "echo 2 > two.txt", ["two.txt"], dependencies=["1"])
    real = LockManager.retain

    def full_disk(manager: LockManager, ticket: int, *, shared: bool) -> None:
        if (tmp_path / "two.txt").read_text() == "2\n":
            raise LockError("locks: No space left on device")
        real(manager, ticket, shared=shared)

    monkeypatch.setattr(LockManager, "retain", full_disk)
    with pytest.raises(BrokenRunError, match="No space left") as caught:
        run(tmp_path, "1", "2")
    assert "--resume" in str(caught.value)
    assert "--rollback" in str(caught.value)
    monkeypatch.setattr(LockManager, "retain", real)
    assert SafeParallelExecutor(tmp_path).resume().succeeded
    assert (tmp_path / "one.txt").read_text() == "1\n"
    assert (tmp_path / "two.txt").read_text() == "2\n"


def test_cycles_are_refused(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "true", ["a"], dependencies=["2"])
    add_task(tmp_path, "2", "true", ["b"], dependencies=["1"])
    with pytest.raises(BlockedTaskError):
        run(tmp_path, "1", "2")


def test_stop_keeps_what_is_finished_and_resume_goes_on(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "echo 1 >> count; echo > one.txt", ["one.txt", "count"])
    wait = "echo half > two.txt; [ -e go ] || sleep 60; echo done > two.txt"
    add_task(tmp_path, "2", wait, ["two.txt"], dependencies=["1"])
    executor = SafeParallelExecutor(tmp_path, options=options())

    def stop_when_half_done() -> None:
        wait_for((tmp_path / "two.txt").exists)
        executor.stop("enough")

    thread = threading.Thread(target=stop_when_half_done)
    thread.start()
    result = executor.run(["1", "2"])
    thread.join()
    assert result.interrupted
    assert states(result) == {"1": "finished", "2": "interrupted"}
    assert not (tmp_path / "two.txt").exists()
    with pytest.raises(TaskRuntimeError, match="--resume"):
        run(tmp_path, "2")
    (tmp_path / "go").touch()
    resumed = SafeParallelExecutor(tmp_path).resume()
    assert resumed.succeeded
    assert (tmp_path / "count").read_text() == "1\n"
    assert (tmp_path / "two.txt").read_text() == "done\n"
    with pytest.raises(TaskRuntimeError, match="no interrupted run"):
        SafeParallelExecutor(tmp_path).resume()


def test_interrupted_run_can_be_undone(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "echo > one.txt", ["one.txt"])
    add_task(tmp_path, "2", "echo > two.txt; sleep 60", ["two.txt"], dependencies=["1"])
    before = snapshot(tmp_path, folder_times=False)
    executor = SafeParallelExecutor(tmp_path, options=options())

    def stop_when_half_done() -> None:
        wait_for((tmp_path / "two.txt").exists)
        executor.stop()

    threading.Thread(target=stop_when_half_done).start()
    assert executor.run(["1", "2"]).interrupted
    assert (tmp_path / "one.txt").exists()
    assert SafeParallelExecutor(tmp_path).rollback().rolled_back
    assert snapshot(tmp_path, folder_times=False) == before


def kill_worker_once(root: Path) -> None:
    """Kill the pool's process that runs the command, the first time only."""
    import os
    import signal

    import psutil

    wait_for((root / "started").exists)
    for child in psutil.Process().children(recursive=True):
        if any("supervisor.py" in word for word in child.cmdline()):
            os.kill(child.ppid(), signal.SIGKILL)
            return


def test_any_executor_serves_and_a_lost_worker_is_retried(tmp_path: Path) -> None:
    text = "echo half > out.txt; if [ ! -e started ]; then touch started; sleep 60; fi; echo done > out.txt"
    add_task(tmp_path, "1", text, ["out.txt", "started"])
    # The mark must survive the rollback of the first attempt.
    add_task(tmp_path, "1", text.replace("started", "../started"), ["out.txt"])
    root = tmp_path / "repository"
    (tmp_path / ".claude").rename(tmp_path / "claude")
    root.mkdir()
    (tmp_path / "claude").rename(root / ".claude")
    thread = threading.Thread(target=kill_worker_once, args=(tmp_path,))
    thread.start()
    pool = WorkerPool(partial(ProcessPoolExecutor, 1, mp_context=get_context("spawn")))
    result = SafeParallelExecutor(root, options=options(), pool=pool).run(["1"])
    thread.join()
    pool.shutdown()
    assert result.succeeded
    assert result.tasks[0].attempts == 2
    assert (root / "out.txt").read_text() == "done\n"
    assert events(root, result.run, "worker-lost")
    threads = WorkerPool(partial(ThreadPoolExecutor, 2))
    add_task(root, "2", "echo > two.txt", ["two.txt"])
    assert SafeParallelExecutor(root, options=options(), pool=threads).run(["2"]).succeeded
    threads.shutdown()


def test_events_are_timed_and_ordered(tmp_path: Path) -> None:
    add_task(tmp_path, "1", "true", ["a"])
    start = time.time()
    result = run(tmp_path, "1")
    found = events(tmp_path, result.run)
    assert [event["event"] for event in found] == [
        "run-started", "started", "ended", "finished", "results-validated", "run-ended",
    ]  # fmt: skip
    times = [event["time"] for event in found]
    assert times == sorted(times)
    assert start <= times[0] <= times[-1] <= time.time()
    assert result.tasks[0].state is TaskState.FINISHED
