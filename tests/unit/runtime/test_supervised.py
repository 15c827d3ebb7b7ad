from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from taskgates.runtime.processes import ProcessIdentity, host_name, start_token
from taskgates.runtime.supervised import CommandJob, CommandOutcome, read_pids, run_command


def job(folder: Path, *argv: str, **fields: object) -> CommandJob:
    work = folder / "attempt"
    work.mkdir(exist_ok=True)
    return CommandJob(
        **{  # type: ignore[arg-type]
            "task": "1",
            "argv": argv,
            "cwd": str(folder),
            "folder": str(work),
            "log": str(folder / "log"),
            "grace": 0.3,
            **fields,
        }
    )


def wait_for(condition: object, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
    except OSError:
        return True


def shell(folder: Path, text: str, **fields: object) -> CommandOutcome:
    return run_command(job(folder, "/bin/sh", "-c", text, **fields))


def test_success_with_output_in_the_log(tmp_path: Path) -> None:
    outcome = shell(tmp_path, "echo out; echo err >&2; echo $TOKEN; pwd", env={"TOKEN": "secret word"})
    assert outcome.succeeded
    assert (tmp_path / "log").read_text() == f"out\nerr\nsecret word\n{tmp_path}\n"
    assert outcome.cpu_seconds >= 0
    assert outcome.host


@pytest.mark.parametrize(
    ("text", "returncode", "shown"),
    [
        ("exit 3", 3, "exit status 3"),
        ("kill -9 $$", -9, "killed by signal SIGKILL"),
        ("kill -INT $$; sleep 5", -2, "killed by signal SIGINT"),
        ("kill -HUP $$; sleep 5", -1, "killed by signal SIGHUP"),
        ("no-such-command-here", 127, "did not find a command"),
    ],
)
def test_failures(tmp_path: Path, text: str, returncode: int, shown: str) -> None:
    outcome = shell(tmp_path, text)
    assert not outcome.succeeded
    assert outcome.returncode == returncode
    assert shown in str(outcome)


def test_command_that_does_not_exist(tmp_path: Path) -> None:
    outcome = run_command(job(tmp_path, "no-such-command-here"))
    assert outcome.error == "not-found"
    assert "does not exist" in str(outcome)


def test_missing_folder(tmp_path: Path) -> None:
    outcome = run_command(job(tmp_path, "true", cwd=str(tmp_path / "nowhere")))
    assert outcome.error == "cannot-start"
    assert "nowhere" in str(outcome)


def test_timeout_ends_everything(tmp_path: Path) -> None:
    text = "trap '' TERM; (trap '' TERM; sleep 60) & echo $! > pid; sleep 60"
    outcome = shell(tmp_path, text, timeout=0.5)
    assert outcome.error == "timeout"
    assert "--timeout" in str(outcome)
    wait_for(lambda: gone(int((tmp_path / "pid").read_text())))


def test_stop_file_ends_it(tmp_path: Path) -> None:
    given = job(tmp_path, "/bin/sh", "-c", "sleep 60")
    threading.Timer(0.3, given.stop_file.touch).start()
    assert run_command(given).error == "stopped"


@pytest.mark.skipif(sys.platform != "linux", reason="needs adoption of orphans")
def test_background_processes_do_not_outlive_the_task(tmp_path: Path) -> None:
    script = "import os, time; os.setsid(); open('daemon', 'w').write(str(os.getpid())); time.sleep(60)"
    # It leaves the process group, and its parent, before the task ends.
    text = f'({sys.executable} -c "{script}" &) ; while [ ! -s daemon ]; do sleep 0.01; done'
    outcome = shell(tmp_path, text)
    assert outcome.succeeded
    assert outcome.stragglers == 1
    assert gone(int((tmp_path / "daemon").read_text()))


def test_an_attempt_is_never_started_twice(tmp_path: Path) -> None:
    given = job(tmp_path, "/bin/sh", "-c", "echo once")
    assert run_command(given).succeeded
    assert run_command(given).error == "already-started"
    assert (tmp_path / "log").read_text() == "once\n"


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_runner(tmp_path: Path, ending: signal.Signals) -> None:
    code = """
import sys
from taskgates.runtime.processes import ProcessIdentity, host_name, start_token
from taskgates.runtime.supervised import CommandJob, run_command
folder = sys.argv[1]
text = "sleep 60 & echo $! > child; echo $$ > shell; wait"
run_command(CommandJob("1", ("/bin/sh", "-c", text), folder, folder, folder + "/log", grace=0.2))
"""
    runner = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    wait_for(lambda: (tmp_path / "shell").exists() and (tmp_path / "shell").read_text().endswith("\n"))
    runner.send_signal(ending)
    runner.wait()
    for name in ("child", "shell"):
        wait_for(lambda name=name: gone(int((tmp_path / name).read_text())))
    wait_for(lambda: gone((read_pids(tmp_path / "pid.json") or (0, 0))[0]))


def test_command_ends_with_a_runner_that_is_not_its_parent(tmp_path: Path) -> None:
    runner = subprocess.Popen(["sleep", "60"])
    identity = ProcessIdentity(runner.pid, host_name(), start_token(runner.pid))

    def kill() -> None:
        runner.kill()
        runner.wait()

    timer = threading.Timer(0.4, kill)
    timer.start()
    assert shell(tmp_path, "sleep 60", runner=identity).error == "runner-gone"
    timer.join()


def test_a_runner_elsewhere_lives_as_long_as_its_heart_beats(tmp_path: Path) -> None:
    heart = tmp_path / "heartbeat"
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(0.1):
            heart.touch()

    elsewhere = {"runner": ProcessIdentity(1, "elsewhere", ""), "heartbeat": str(heart), "silence": 1.0}
    thread = threading.Thread(target=beat)
    thread.start()
    assert shell(tmp_path, "sleep 2", **elsewhere).succeeded
    ended.set()
    thread.join()
    (tmp_path / "attempt/claim").unlink()
    assert shell(tmp_path, "sleep 60", **elsewhere).error == "runner-gone"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a signal at the parent's death")
def test_killed_supervisor_is_noticed_and_its_command_ended(tmp_path: Path) -> None:
    given = job(tmp_path, "/bin/sh", "-c", "sleep 60 & echo $! > child; wait")

    def kill() -> None:
        wait_for(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().endswith("\n"))
        wait_for(lambda: read_pids(given.pid_file) is not None)
        pids = read_pids(given.pid_file)
        assert pids is not None
        os.kill(pids[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    outcome = run_command(given)
    thread.join()
    assert outcome.error == "supervisor-lost"
    wait_for(lambda: gone(int((tmp_path / "child").read_text())))
