"""Runs a program in a scratch copy under strace and tells which files it really read and wrote.

The system calls are read as `taskgates trace` reads them. Counted: files below the root that were opened for reading;
created, opened for writing, truncated, appended to, deleted, or renamed (both names). A file that is created and
deleted again counts as written. A descriptor opened for both is judged by what was done with it, and counts as written
where nothing was.

Left out: folders, `stat`-like tests, failed calls, paths outside the root, byte code, the journals of SQLite and DuckDB
(they stand for the database beside them), changes of mode or owner, and code that was only loaded: Python modules that
the import system or `runpy` read, scripts that an interpreter runs, scripts that a shell sources. A module opened as
data counts. A Makefile counts: make reads it as its input.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from taskgates.model.access import Operation
from taskgates.runtime.tracing.strace_log import STRACE_OPTIONS, StraceLog
from taskgates.runtime.tracing.tracer import Tracer, available_tracer, hook_environment, paths_below

from accuracy.program import Program, ProgramError, Truth

_SECONDS = 120
_DATABASE_SIDECARS = ("-journal", "-wal", "-shm", ".wal")


class TraceError(Exception):
    """A run that did not go as its description says."""


def available() -> bool:
    """Whether strace is installed and may trace here."""
    return available_tracer() is Tracer.STRACE


def missing_tool(program: Program) -> str | None:
    """The program that a command starts, where it is not installed; None where it is, or is one of the tree's own."""
    words = program.argv[2].split() if program.argv[:2] == ("sh", "-c") else list(program.argv)
    name = words[0] if words else ""
    found = "/" in name or shutil.which(name, path=_search_path()) is not None
    return None if found or not name.isidentifier() else name


def trace(program: Program) -> Truth:
    """Run a program in a scratch copy of its tree and return what it touched.

    Raises:
        TraceError: the program returned another exit code than its description says, or ran too long.
    """
    with tempfile.TemporaryDirectory(prefix="traced-") as name:
        place = Path(name).resolve()
        root, home, log = place / "root", place / "home", place / "strace.log"
        shutil.copytree(program.tree, root, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", ".taskgates"))
        (home / "tmp").mkdir(parents=True)
        files, folders = paths_below(root)
        command = ["strace", *STRACE_OPTIONS, "--seccomp-bpf", "-o", str(log), *_offline(), *program.argv]
        environment = _environment(
            program, home, hook_environment(place / "hook.log", root, program.env.get("PYTHONPATH", ""))
        )
        code, output = _run(command, root, environment)
        if code is None:
            raise TraceError(f"{program.name}: still running after {_SECONDS} seconds\n{output}")
        if code != program.exit_code:
            raise TraceError(f"{program.name}: exit code {code}, expected {program.exit_code}\n{output}")
        replay = StraceLog(str(root), files, folders)
        with log.open(encoding="ascii") as lines:
            events = list(replay.events(lines))
        tree = replay.seen | set(paths_below(root)[0])
        reads = {event.path for event in events if event.operation is Operation.READ}
        writes = {event.path for event in events if event.operation.is_write and event.operation.conflicts}

        def counted(paths: set[str]) -> frozenset[str]:
            return frozenset(path for path in _below(root, paths) if program.bytecode or not _is_byte_code(path))

        sidecars = {path for path in reads | writes if _stands_for_database(path, replay.seen)}
        return Truth(counted(reads - sidecars), counted(writes - sidecars), counted(tree))


def _below(root: Path, paths: set[str]) -> set[str]:
    """Paths below the root, relative to it."""
    base = f"{root}/"
    return {path.removeprefix(base) for path in paths if path.startswith(base)}


def _is_byte_code(path: str) -> bool:
    return "__pycache__" in path.split("/")


def _stands_for_database(path: str, seen: set[str]) -> bool:
    return any(path.endswith(end) and path.removesuffix(end) in seen for end in _DATABASE_SIDECARS)


def record(program: Program) -> Truth:
    """Trace a program and rewrite its recorded truth; a record that differs in volatile names alone stays as it is.

    Raises:
        TraceError: see `trace`.
    """
    truth = trace(program)
    with contextlib.suppress(ProgramError):
        if program.same(program.truth(), truth):
            return truth
    data = {
        "command": list(program.argv),
        "reads": sorted(truth.reads),
        "writes": sorted(truth.writes),
        "tree": sorted(truth.tree),
    }
    program.truth_file.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return truth


def _run(command: list[str], root: Path, environment: dict[str, str]) -> tuple[int | None, str]:
    """Run in a process group of its own, so that nothing survives a time-out; the code and the end of the output."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            code = None
        output.seek(0)
        return code, output.read()[-4000:].decode(errors="replace")


def _environment(program: Program, home: Path, hook: dict[str, str]) -> dict[str, str]:
    """A clean environment: nothing of the caller's but the interpreter, and what the audit hook needs."""
    return {
        "PATH": _search_path(),
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        **program.env,
        **hook,
    }


def _search_path() -> str:
    """Where programs are looked for: beside the interpreter, then among those of the system."""
    return f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"


def _offline() -> tuple[str, ...]:
    """A prefix that runs a command without a network, where the kernel allows that."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return ()
    prefix = (unshare, "-n")
    return prefix if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0 else ()
