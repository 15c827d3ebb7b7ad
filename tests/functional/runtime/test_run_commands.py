"""The commands that execute: run, locks, trace, verify, as an installed program."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from functional.runtime.task_repository import add_task, status, wait_for
from taskgates.runtime.locks import LockManager
from taskgates.runtime.tracing import Tracer
from taskgates.runtime.tracing.tracer import available_tracer

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = (sys.executable, "-m", "taskgates")
needs_strace = pytest.mark.skipif(available_tracer() is not Tracer.STRACE, reason="strace cannot trace here")

SCRIPT = """
from pathlib import Path


def main():
    Path("out").mkdir(exist_ok=True)
    text = Path("in.txt").read_text()
    with open("out/a.txt", "w") as stream:
        stream.write(text)


if __name__ == "__main__":
    main()
"""


def taskgates(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], cwd=root, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tmp_path = tmp_path / "repository"
    tmp_path.mkdir()
    (tmp_path / "a.py").write_text(SCRIPT)
    (tmp_path / "in.txt").write_text("hello\n")
    # Whatever else the machine does must not hold up the tests.
    (tmp_path / "taskgates.toml").write_text("[gates]\nmax_cpu_percent = 100\nmax_memory_percent = 100\n")
    add_task(tmp_path, "1", f"{sys.executable} a.py", ["a.py", "out/a.txt"])
    add_task(tmp_path, "2", "cp out/a.txt out/b.txt", ["out/b.txt"], dependencies=["1"])
    return tmp_path


def test_run(root: Path) -> None:
    result = taskgates(root, "run", "1", "2", "--format", "json")
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["succeeded"]
    assert [task["state"] for task in answer["tasks"]] == ["finished", "finished"]
    assert (root / "out/b.txt").read_text() == "hello\n"
    assert (status(root, "1"), status(root, "2")) == ("Finished", "Finished")
    assert "1: finished" in result.stderr


@pytest.mark.parametrize("schedule", [["--batches"], ["--progressive", "1,2"]])
def test_schedules(root: Path, schedule: list[str]) -> None:
    result = taskgates(root, "run", "*", "-q", *schedule)
    assert result.returncode == 0, result.stderr
    assert (root / "out/b.txt").exists()


def test_failure_is_told_and_rolled_back(root: Path) -> None:
    add_task(root, "3", "echo broken > in.txt; echo 'the reason' >&2; exit 9", ["in.txt"])
    result = taskgates(root, "run", "3")
    assert result.returncode == 1
    assert "exit status 9" in result.stdout
    assert "Rolled back" in result.stdout
    log = result.stdout.split("output: ")[1].splitlines()[0]
    assert "the reason" in (root / log).read_text()
    assert (root / "in.txt").read_text() == "hello\n"


def test_names_that_would_begin_a_line_of_their_own(root: Path) -> None:
    name = "x\n::error::boo\x1b[31m"
    add_task(root, "3", ["touch", name, "c.txt"], ["c.txt"])  # type: ignore[arg-type]
    result = taskgates(root, "run", "3", "-q", "--no-infer")
    assert result.returncode == 0, result.stderr
    assert "\n::error" not in result.stdout
    assert "\x1b" not in result.stdout
    assert "TG701 undeclared write: x\\n" in result.stdout


def test_exec_template(root: Path) -> None:
    result = taskgates(root, "run", "1", "--exec", "echo {id} '{title}' > out.txt", "--no-status", "-q")
    assert result.returncode == 0, result.stderr
    assert (root / "out.txt").read_text() == "1 1\n"
    assert "TG701 undeclared write: out.txt created by 1" in result.stdout
    assert status(root, "1") == "Pending"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "at least one task id"),
        (["run", "9"], "no task has the id '9'"),
        (["run", "2"], "unfinished dependencies: 1"),
        (["run", "1", "--exec", "make {nope}"], "{nope} is no field"),
        (["run", "1", "--timeout", "-1"], "--timeout"),
        (["run", "1", "--progressive", "2,x"], "not a list of sizes"),
        (["run", "1", "--resume"], "take no task ids"),
        (["run", "--resume"], "no interrupted run"),
        (["run", "1", "--scheduler", "tcp://nowhere:1"], "--executor dask"),
        (["run", "1", "--max-parallel-tasks", "0"], "max"),
        (["trace"], "Give a task id, or a command line"),
        (["trace", "1", "2"], "Give one task id"),
        (["trace", "1", "--", "true"], "not both"),
        (["trace", "--"], "no command behind"),
        (["trace", "9"], "no task has the id '9'"),
        (["verify", "9"], "no task has the id '9'"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(root: Path, arguments: list[str], message: str) -> None:
    result = taskgates(root, *arguments)
    assert result.returncode == 2, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_refused_conflicts(root: Path) -> None:
    add_task(root, "3", "true", ["shared.txt"])
    add_task(root, "4", "true", ["shared.txt"])
    refused = taskgates(root, "run", "3", "4", "--conflict-resolution", "refuse")
    assert refused.returncode == 2
    assert "3 and 4 meet at shared.txt" in refused.stderr
    assert taskgates(root, "run", "3", "4", "-q").returncode == 0


def test_interrupt_and_resume(root: Path) -> None:
    add_task(root, "3", "echo half > c.txt; [ -e go ] || sleep 60; echo done > c.txt", ["c.txt"])
    process = subprocess.Popen([*PROGRAM, "run", "1", "3"], cwd=root, stdout=subprocess.PIPE, text=True)
    wait_for((root / "c.txt").exists)
    wait_for((root / "out/a.txt").exists)
    locked = taskgates(root, "locks", "status")
    assert "c.txt is held exclusive by task 3" in locked.stdout
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "--resume" in output
    assert not (root / "c.txt").exists()
    assert "--resume" in taskgates(root, "run", "3").stderr
    (root / "go").touch()
    assert taskgates(root, "run", "--resume", "-q").returncode == 0
    assert (root / "c.txt").read_text() == "done\n"


def test_killed_run_can_be_undone_and_its_locks_cleaned(root: Path) -> None:
    add_task(root, "3", "echo half > in.txt; sleep 60", ["in.txt"])
    process = subprocess.Popen([*PROGRAM, "run", "3", "-q"], cwd=root)
    wait_for(lambda: (root / "in.txt").read_text() == "half\n")
    process.kill()
    process.wait()
    assert "(stale)" in taskgates(root, "locks", "status").stdout
    dropped = json.loads(taskgates(root, "locks", "clean", "--format", "json").stdout)
    assert {(holder["task"], holder["stale"]) for holder in dropped} == {("3", True)}
    assert "No locks are held" in taskgates(root, "locks", "status").stdout
    assert taskgates(root, "run", "--rollback", "-q").returncode == 0
    assert (root / "in.txt").read_text() == "hello\n"


def test_killed_strict_run_undoes_what_nobody_announced(root: Path) -> None:
    (root / "side.txt").write_text("before\n")
    add_task(root, "3", "echo x > side.txt; echo y > new.txt; echo half > c.txt; sleep 60", ["c.txt"])
    process = subprocess.Popen([*PROGRAM, "run", "3", "-q", "--strict"], cwd=root)
    wait_for((root / "c.txt").exists)
    process.kill()
    process.wait()
    undone = taskgates(root, "run", "--rollback", "-q")
    assert undone.returncode == 0, undone.stderr
    assert (root / "side.txt").read_text() == "before\n"
    assert not (root / "new.txt").exists()
    assert not (root / "c.txt").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit(2)")
@pytest.mark.parametrize("action", ["--resume", "--rollback"])
def test_disk_that_is_full_while_files_are_put_back(root: Path, action: str) -> None:
    content = bytes(range(256)) * 1000
    (root / "data.bin").write_bytes(content)
    (root / "folder").mkdir()
    (root / "folder/file").write_text("x\n")
    text = "[ -e ../enough ] || { rm -r data.bin folder; while [ ! -e ../go ]; do sleep 0.02; done; exit 3; }"
    add_task(root, "3", text, ["data.bin", "folder/"])
    process = subprocess.Popen(
        [*PROGRAM, "run", "3", "-q", "--no-infer"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: not (root / "folder").exists())
    # From now on no file of the runner can grow beyond this, the one that it must write again included.
    psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE, (100_000, 100_000))
    (root.parent / "go").touch()
    output, errors = process.communicate(timeout=40)
    assert process.returncode == 130, errors
    assert "data.bin: File too large" in output
    assert "nothing recorded is lost" in output
    assert (root / "folder/file").read_text() == "x\n", "what can be put back is"
    (root.parent / "enough").touch()
    assert taskgates(root, "run", action, "-q").returncode == 0
    assert (root / "data.bin").read_bytes() == content


def test_lock_held_by_another_process(root: Path) -> None:
    with LockManager(root).acquire("elsewhere", exclusive=["out/"]):
        result = taskgates(root, "run", "1", "--lock-timeout", "0.5", "-q")
    assert result.returncode == 1
    assert "held exclusive by task elsewhere" in result.stdout


def test_timeout(root: Path) -> None:
    add_task(root, "3", "sleep 60", ["c.txt"])
    began = time.monotonic()
    result = taskgates(root, "run", "3", "--timeout", "0.5", "-q")
    assert result.returncode == 1
    assert "--timeout" in result.stdout
    assert time.monotonic() - began < 45


@pytest.mark.parametrize("tracer", [pytest.param("strace", marks=needs_strace), "audit"])
def test_trace_has_the_shape_of_infer(root: Path, tracer: str) -> None:
    traced = json.loads(taskgates(root, "trace", "1", "--tracer", tracer, "--format", "json").stdout)
    assert set(traced) == set(json.loads(taskgates(root, "infer", "1", "--format", "json").stdout))
    assert [access["path"] for access in traced["reads"]] == ["in.txt"]
    assert {(access["path"], access["operation"]) for access in traced["writes"]} == {
        ("out", "mkdir"),
        ("out/a.txt", "create"),
    }
    (site,) = traced["reads"][0]["sites"]
    assert (site["file"], site["function"]) == ("a.py", "main")
    failed = taskgates(root, "trace", "--", "sh", "-c", "exit 3")
    assert failed.returncode == 1
    assert "exit status 3" in failed.stderr


@needs_strace
def test_verify_compares_three_accounts_and_leaves_no_mark(root: Path) -> None:
    result = taskgates(root, "verify", "1", "--format", "json")
    assert result.returncode == 0, result.stdout + result.stderr
    assert not (root / "out").exists()
    (answer,) = json.loads(result.stdout)
    assert answer["agrees"]
    rows = {(row["direction"], row["path"]): row for row in answer["rows"]}
    written = rows["write", "out/a.txt"]
    assert (written["declared"], written["inferred"], written["observed"]) == (True, True, True)
    (root / "a.py").write_text(SCRIPT.replace("    main()", "    main()\n    open('side.txt', 'w').close()"))
    differing = taskgates(root, "verify", "1")
    assert differing.returncode == 1
    assert "side.txt" in differing.stdout
    assert "not declared" in differing.stdout
    assert not (root / "side.txt").exists()
    assert taskgates(root, "verify", "1", "--keep", "-q").returncode == 1
    assert (root / "side.txt").exists()
