"""Watches over one command: a process of its own between the runner and what the runner starts.

Started as a script by `supervised.run_command`, with the standard library only and without site packages, so that it
is there in a few milliseconds. It reads one line of JSON from standard input and keeps that pipe: when the pipe closes,
the runner is gone (`kill -9` included), and everything that the command has started is ended. Results go to standard
output as lines of JSON.

Ending is thorough: on Linux the supervisor adopts orphans (prctl(2), PR_SET_CHILD_SUBREAPER), so that also processes
that left the command's process group are found and killed; and the command itself dies with the supervisor
(PR_SET_PDEATHSIG). Elsewhere the process group is all that is reached.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time

TYPE_CHECKING = False  # typing itself would cost a third of the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_TICK = 0.1
_STRAGGLER_GRACE = 0.2


def main() -> int:
    """Run the command that standard input describes.

    The description has `argv`, `cwd`, `env` (added to the environment), `log` (a file for its output), `pid_file`,
    `claim` (a file that must not exist yet: the proof that the command was never started before; gets this process's
    number and `host`), `stop_file` (its
    appearance ends the command), `timeout` (seconds or null), `grace` (seconds between SIGTERM and SIGKILL), and
    `runner`, `heartbeat` and `silence` (see `_runner_watch`).

    Returns:
        0; what became of the command is in the output.
    """
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        # The runner is gone already.
        return 0
    description = json.loads(line)
    # The runner ends the supervisor by closing the pipe; a Ctrl-C in its terminal is the runner's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with open(description["claim"], "x", encoding="ascii") as claim:  # noqa: PTH123
            claim.write(f"{os.getpid()}\n{description['host']}\n")
    except FileExistsError:
        _say(event="ended", error="already-started")
        return 0
    except OSError as error:
        _say(event="ended", error="cannot-start", message=str(error))
        return 0
    if os.path.exists(description["stop_file"]):  # noqa: PTH110
        _say(event="ended", error="stopped")
        return 0
    library = _process_control()
    try:
        child = _start(description, library)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError) and error.filename != description["cwd"]
        _say(event="ended", error="not-found" if missing else "cannot-start", message=str(error))
        return 0
    _say(event="started", pid=child.pid)
    why = _watch(child, description)
    if why is not None:
        _signal_group(child.pid, signal.SIGTERM)
    stragglers = _end_all(child, _STRAGGLER_GRACE if why is None else float(description["grace"]))
    usage = _usage()
    with contextlib.suppress(OSError):
        # For a runner on another machine, which cannot look at this one's processes.
        os.close(os.open(description["claim"] + ".done", os.O_WRONLY | os.O_CREAT, 0o600))
    _say(event="ended", returncode=child.returncode, ended_by=why, stragglers=stragglers, **usage)
    return 0


def _start(description: dict[str, Any], library: object) -> subprocess.Popen[bytes]:
    def prepare_child() -> None:
        # What is ignored stays ignored across exec; the command has its own use for these.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        if library is not None:
            library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # type: ignore[attr-defined]

    arguments = [str(word) for word in description["argv"]]
    environment = {**os.environ, **description["env"]}
    # pathlib costs more than the rest of the start
    with open(str(description["log"]), "ab", opener=_no_follow) as log:
        child = subprocess.Popen(  # noqa: S603 - running the task's command is the purpose
            arguments,
            cwd=str(description["cwd"]),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # There is one thread here, so running Python between fork and exec is safe.
            preexec_fn=prepare_child,  # noqa: PLW1509
        )
    identity = {"supervisor": os.getpid(), "child": child.pid}
    temporary = f"{description['pid_file']}.tmp"
    with open(temporary, "w", encoding="utf-8") as stream:  # noqa: PTH123
        json.dump(identity, stream)
    os.replace(temporary, str(description["pid_file"]))  # noqa: PTH105
    return child


def _no_follow(path: str, flags: int) -> int:
    """Open a log, but not through a link that somebody laid in its place."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _watch(child: subprocess.Popen[bytes], description: dict[str, Any]) -> str | None:
    """Wait for the command.

    Returns:
        None when it ended by itself; otherwise why it must end: `runner-gone`, `stopped` or `timeout`.
    """
    runner_is_gone = _runner_watch(description)
    limit = description["timeout"]
    deadline = None if limit is None else time.monotonic() + float(limit)
    # The end of a child interrupts the wait through this pipe.
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    told_to_end = []
    signal.signal(signal.SIGTERM, lambda *_: told_to_end.append(True))
    stdin = sys.stdin.fileno()
    while child.poll() is None:
        left = _TICK if deadline is None else max(0.0, min(_TICK, deadline - time.monotonic()))
        ready, _, _ = select.select([stdin, wake_read], [], [], left)
        if stdin in ready and not os.read(stdin, 4096):
            return "runner-gone"
        if wake_read in ready:
            os.read(wake_read, 4096)
        if runner_is_gone():
            return "runner-gone"
        if told_to_end or os.path.exists(str(description["stop_file"])):  # noqa: PTH110
            return "stopped"
        if deadline is not None and time.monotonic() >= deadline and child.poll() is None:
            return "timeout"
    return None


def _runner_watch(description: dict[str, Any]) -> Callable[[], bool]:
    """A test whether the runner is gone although this process's parent, a worker of a cluster, is still there.

    On the runner's own machine its process is looked at; elsewhere the sign of life is a file that it keeps touching.
    That file's time is compared only with itself, so the clocks need not agree.
    """
    runner = description["runner"]
    if runner is None:
        return lambda: False
    if runner["host"] == description["host"]:
        return lambda: not _is_same_process(int(runner["pid"]), str(runner["started"]))
    last_stamp, last_change = None, time.monotonic()

    def is_silent() -> bool:
        nonlocal last_stamp, last_change
        try:
            stamp = os.stat(description["heartbeat"]).st_mtime_ns  # noqa: PTH116
        except OSError:
            stamp = None
        if stamp != last_stamp:
            last_stamp, last_change = stamp, time.monotonic()
        return time.monotonic() - last_change > float(description["silence"])

    return is_silent


def _is_same_process(pid: int, started: str) -> bool:
    """Whether a process is alive and the one that started then; `started` as in `processes.start_token`."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:  # noqa: PTH123
            fields = stream.read().rpartition(b")")[2].split()
    except OSError:
        if os.path.isdir("/proc/self"):  # noqa: PTH112
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
    return fields[0] not in (b"Z", b"X") and started.rpartition(":")[2] in ("", fields[19].decode())


def _end_all(child: subprocess.Popen[bytes], grace: float) -> int:
    """Wait for the command and end whatever it left running.

    Returns:
        How many other processes had to be ended.
    """
    deadline = time.monotonic() + grace
    ended: set[int] = set()
    while True:
        child.poll()
        _reap(child)
        left = [pid for pid in _descendants() if pid != child.pid]
        if child.returncode is not None and not left:
            if not _processes():
                _signal_group(child.pid, signal.SIGKILL)
            return len(ended)
        ended.update(left)
        number = signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        if number is signal.SIGKILL:
            _signal_group(child.pid, signal.SIGKILL)
        time.sleep(0.01)


def _reap(child: subprocess.Popen[bytes]) -> None:
    """Collect adopted processes that have ended; the command itself is left to its handle."""
    for pid in _children_of(os.getpid(), _processes()):
        if pid != child.pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _descendants() -> list[int]:
    processes = _processes()
    found: list[int] = []
    pending = [os.getpid()]
    while pending:
        for pid in _children_of(pending.pop(), processes):
            found.append(pid)
            pending.append(pid)
    return found


def _children_of(parent: int, processes: dict[int, int]) -> list[int]:
    return [pid for pid, its_parent in processes.items() if its_parent == parent]


def _processes() -> dict[int, int]:
    """The parent of every living process; empty where /proc is missing. A zombie counts until it is collected."""
    found: dict[int, int] = {}
    try:
        names = os.listdir("/proc")  # noqa: PTH208
    except OSError:
        return found
    for name in names:
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stream:  # noqa: PTH123
                    found[int(name)] = int(stream.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError):
                continue
    return found


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _process_control() -> object:
    """The C library after making this process the parent of orphans below it; None where there is no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
        library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return None
    return library


def _usage() -> dict[str, float]:
    try:
        import resource
    except ImportError:
        return {}
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    scale = 1 if sys.platform == "darwin" else 1024
    return {"cpu_seconds": usage.ru_utime + usage.ru_stime, "max_memory": usage.ru_maxrss * scale}


def _say(**fields: object) -> None:
    # Nobody may be listening any more; the work of ending the command goes on all the same.
    with contextlib.suppress(OSError):
        os.write(1, (json.dumps(fields) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
