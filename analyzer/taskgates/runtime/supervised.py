"""Runs one command under a supervisor; a plain function over plain data, so that any executor can carry it anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, cast

import msgspec
import psutil

from taskgates.runtime import supervisor
from taskgates.runtime.processes import ProcessIdentity, end_process_tree, host_name, start_token


class CommandJob(msgspec.Struct, frozen=True):
    """One attempt at one task's command.

    Attributes:
        task: the task's id.
        argv: program and arguments.
        cwd: absolute folder.
        folder: absolute folder for the attempt's files; must exist and be seen by the worker.
        log: absolute path of the file to which the output is appended.
        env: variables added to the worker's environment.
        timeout: seconds; None for no limit.
        grace: seconds between SIGTERM and SIGKILL.
        runner: the process whose end must end the command, wherever the command runs; None where that is the caller.
        heartbeat: file that the runner keeps touching, for workers on other machines.
        silence: seconds without a touch after which such a worker takes the runner for dead.
    """

    task: str
    argv: tuple[str, ...]
    cwd: str
    folder: str
    log: str
    env: dict[str, str] = {}
    timeout: float | None = None
    grace: float = 5.0
    runner: ProcessIdentity | None = None
    heartbeat: str = ""
    silence: float = 60.0

    @property
    def stop_file(self) -> Path:
        """Its appearance ends the command, wherever it runs."""
        return Path(self.folder, "stop")

    @property
    def claim_file(self) -> Path:
        """Made by the supervisor, once and for all, with its process number in it."""
        return Path(self.folder, "claim")

    @property
    def pid_file(self) -> Path:
        """Written when the command has started."""
        return Path(self.folder, "pid.json")


class CommandOutcome(msgspec.Struct, frozen=True):
    """What became of a command.

    Attributes:
        returncode: exit status; negative for a signal; None when it never ran.
        error: "" or why it did not run or did not end by itself: `not-found`, `cannot-start`, `already-started`,
            `timeout`, `stopped`, `runner-gone`, `supervisor-lost`.
        message: details of the error.
        seconds: wall-clock time.
        cpu_seconds: processor time of it and its children.
        max_memory: largest resident size of one of its processes, bytes.
        stragglers: processes that it left running, which were ended.
        host: the machine that ran it.
    """

    returncode: int | None = None
    error: str = ""
    message: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    max_memory: int = 0
    stragglers: int = 0
    host: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether it ran to its end and returned 0."""
        return self.returncode == 0 and not self.error

    def __str__(self) -> str:
        texts = {
            "not-found": f"the command does not exist ({self.message})",
            "cannot-start": f"the command could not be started ({self.message})",
            "already-started": "the command had been started before by a worker that was lost",
            "timeout": f"no end after {self.seconds:.1f} s (--timeout)",
            "stopped": "it was stopped",
            "runner-gone": "the worker that started it is gone",
            "supervisor-lost": "the process that watched over it was killed",
        }
        if self.error:
            return texts.get(self.error, self.error)
        if self.returncode is not None and self.returncode < 0:
            try:
                name = signal.Signals(-self.returncode).name
            except ValueError:
                name = str(-self.returncode)
            return f"killed by signal {name}"
        if self.returncode == 127:
            return "exit status 127 (the shell did not find a command)"
        return f"exit status {self.returncode}"


def run_command(job: CommandJob) -> CommandOutcome:
    """Execute a command and wait for its end.

    Everything that it has started has ended when this returns. When the calling process dies, the supervisor ends the
    command.

    Args:
        job: what to run.

    Returns:
        What became of it; failures of the command are outcomes, not exceptions.
    """
    started = time.monotonic()
    description = {
        "argv": list(job.argv),
        "cwd": job.cwd,
        "env": job.env,
        "log": job.log,
        "pid_file": str(job.pid_file),
        "claim": str(job.claim_file),
        "host": host_name(),
        "runner": None if job.runner is None else msgspec.to_builtins(job.runner),
        "heartbeat": job.heartbeat,
        "silence": job.silence,
        "stop_file": str(job.stop_file),
        "timeout": job.timeout,
        "grace": job.grace,
    }
    try:
        process = subprocess.Popen(  # noqa: S603 - a fixed script of our own
            [sys.executable, "-I", "-S", supervisor.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return CommandOutcome(error="cannot-start", message=str(error), host=host_name())
    ended: dict[str, object] = {}
    with process:
        try:
            stdin, stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
            stdin.write(json.dumps(description).encode() + b"\n")
            stdin.flush()
            for line in stdout:
                event = json.loads(line)
                if event["event"] == "ended":
                    ended = event
        except BrokenPipeError:
            pass
    if not ended:
        _end_orphan(job)
        ended = {"error": "supervisor-lost"}
    usage: dict[str, object] = {
        name: ended[name] for name in ("cpu_seconds", "max_memory", "stragglers") if name in ended
    }
    return msgspec.convert(
        {
            "returncode": ended.get("returncode"),
            "error": ended.get("error") or ended.get("ended_by") or "",
            "message": ended.get("message", ""),
            "seconds": time.monotonic() - started,
            "host": host_name(),
            "runner": None if job.runner is None else msgspec.to_builtins(job.runner),
            "heartbeat": job.heartbeat,
            "silence": job.silence,
            **usage,
        },
        CommandOutcome,
    )


def read_pids(pid_file: Path) -> tuple[int, int] | None:
    """The supervisor's and the command's process numbers, once the command has started."""
    try:
        data = json.loads(pid_file.read_bytes())
        return int(data["supervisor"]), int(data["child"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def end_lost_command(folder: Path, *, patience: float = 10.0) -> bool:
    """Make sure that nothing of an attempt runs any more whose worker, or runner, is gone.

    Its supervisor ends by itself once it notices; after some patience it is ended here, if it is on this machine.

    Args:
        folder: the attempt's folder.
        patience: seconds to wait for the supervisor.

    Returns:
        Whether it is known that nothing runs any more.
    """
    try:
        pid, host = folder.joinpath("claim").read_text(encoding="ascii").split("\n")[:2]
    except (OSError, ValueError):
        # Never started; and it must not start later.
        folder.mkdir(parents=True, exist_ok=True)
        folder.joinpath("stop").touch()
        return True
    folder.joinpath("stop").touch()
    deadline = time.monotonic() + patience
    done = folder / "claim.done"
    while not done.exists() and (host != host_name() or _is_supervisor(int(pid))):
        if time.monotonic() > deadline:
            if host != host_name():
                return False
            return end_process_tree(ProcessIdentity(int(pid), host, start_token(int(pid))))
        time.sleep(0.02)
    return True


def _is_supervisor(pid: int) -> bool:
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
    return supervisor.__file__ in words


def _end_orphan(job: CommandJob) -> None:
    """End the command of a supervisor that was killed; on Linux the kernel has done so for its first process."""
    pids = read_pids(job.pid_file)
    if pids is None:
        return
    try:
        os.killpg(pids[1], signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
    end_process_tree(ProcessIdentity(pids[1], host_name(), start_token(pids[1])), grace=job.grace)
