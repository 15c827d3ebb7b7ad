"""Runs a command under a tracer and tells its accesses in the shape of inference."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taskgates.model.access import Access, AccessSet, Certainty, Opaque, Operation
from taskgates.model.patterns import escape
from taskgates.model.spans import Site
from taskgates.runtime.errors import TracerError
from taskgates.runtime.state import StateDirectory
from taskgates.runtime.supervised import CommandJob, CommandOutcome, run_command
from taskgates.runtime.tracing.strace_log import STRACE_OPTIONS, FileEvent, StraceLog
from taskgates.runtime.tree_scan import is_byte_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from taskgates.runtime.commands import CommandLine

_HOOK = Path(__file__).with_name("hook")
_SYSTEM = ("/usr/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/", "/bin/", "/sbin/", "/var/lib/", "/run/", "/opt/")
_DATABASE_SIDECARS = ("-journal", "-wal", "-shm", ".wal")
_SIMPLE_EVENTS = {
    "os.listdir": Operation.LIST,
    "os.scandir": Operation.LIST,
    "os.remove": Operation.DELETE,
    "os.mkdir": Operation.MKDIR,
    "os.rmdir": Operation.MKDIR,
    "os.stat": Operation.STAT,
    "os.lstat": Operation.STAT,
    "os.access": Operation.STAT,
    "os.utime": Operation.UPDATE,
    "os.truncate": Operation.UPDATE,
    "os.rename": Operation.RENAME,
    "os.link": Operation.CREATE,
    "os.symlink": Operation.CREATE,
    "sqlite3.connect": Operation.UPDATE,
}


_FAILS_WHERE_SOMETHING_IS = {
    "os.mkdir": True,
    **dict.fromkeys(("os.listdir", "os.scandir", "os.remove", "os.rmdir", "os.truncate", "os.utime"), False),
}


class Tracer(StrEnum):
    """How a command is watched: by its system calls, or from within each Python process alone."""

    STRACE = "strace"
    AUDIT = "audit"


class Traced(msgspec.Struct, frozen=True):
    """A command that was watched.

    Attributes:
        access: what it read and wrote; shared state is not seen.
        outcome: how it ended.
        tracer: how it was watched.
    """

    access: AccessSet
    outcome: CommandOutcome
    tracer: Tracer


def available_tracer() -> Tracer:
    """Strace where it is installed and allowed to trace, else the audit hook."""
    program = shutil.which("strace")
    if program is None:
        return Tracer.AUDIT
    probe = subprocess.run(  # noqa: S603 - a fixed command
        [program, "-f", "-y", "-xx", "-qq", "-o", os.devnull, "true"], capture_output=True, check=False
    )
    return Tracer.STRACE if probe.returncode == 0 else Tracer.AUDIT


def trace_command(
    command: CommandLine,
    root: Path,
    *,
    tracer: Tracer | None = None,
    timeout: float | None = None,
    log: Path | None = None,
    env: dict[str, str] | None = None,
    folder: Path | None = None,
) -> Traced:
    """Execute a command and watch it.

    Code that is only loaded (modules, the script itself), byte code, libraries, the system's own files, temporary files
    and SQLite's journals are left out, as in inference.

    Args:
        command: what to execute.
        root: the repository root.
        tracer: how to watch; the best available one when None.
        timeout: seconds; None for no limit.
        log: file for the command's output; discarded when None.
        env: variables added to its environment.
        folder: absolute folder for the tracer's files, on which `end_lost_command` can be called; one of its own that
            is removed afterwards when None.

    Returns:
        Its accesses and how it ended.

    Raises:
        TracerError: strace was asked for and is not available, or left no log.
    """
    kind = tracer or available_tracer()
    if kind is Tracer.STRACE and available_tracer() is not Tracer.STRACE:
        raise TracerError("strace is not installed, or may not trace here; use --tracer audit")
    base = Path(os.path.realpath(root))
    with contextlib.ExitStack() as stack:
        if folder is None:
            place = StateDirectory(base).folder("traces")
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trace-", dir=place)))
        hook_log, strace_log = folder / "audit.jsonl", folder / "strace.log"
        environment = {
            **(env or {}),
            **hook_environment(hook_log, base, {**os.environ, **(env or {})}.get("PYTHONPATH", "")),
        }
        argv = command.argv
        files, folders = paths_below(base)
        if kind is Tracer.STRACE:
            argv = ("strace", *STRACE_OPTIONS, "-o", str(strace_log), "--", *argv)
        output = str(log) if log is not None else str(folder / "output")
        outcome = run_command(
            CommandJob("trace", argv, command.cwd, str(folder), output, environment, timeout, grace=2.0)
        )
        sites = _Sites(base, hook_log)
        if kind is Tracer.STRACE:
            if not strace_log.exists() and outcome.returncode is not None:
                raise TracerError(f"strace left no log: {_tail(Path(output))}")
            replay = StraceLog(command.cwd, files, folders, os.environ.get("PATH", "").split(os.pathsep))
            events = [*_without_idle_tests(_strace_events(strace_log, replay), environment), *sites.tests()]
            tools = frozenset(replay.tool_folders)
        else:
            events, tools = list(sites.events()), frozenset[str]()
        access = _access_set(command, base, events, sites, tools, complete=kind is Tracer.STRACE)
    return Traced(access, outcome, kind)


def hook_environment(log: Path, root: Path, python_path: str = "") -> dict[str, str]:
    """The variables with which Python processes load the audit hook.

    Args:
        log: the file to which it writes.
        root: the folder whose code is to be told as the place of an access.
        python_path: the PYTHONPATH of the program itself.
    """
    return {
        "TASKGATES_TRACE_LOG": str(log),
        "TASKGATES_TRACE_ROOT": str(root),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_HOOK), python_path))),
    }


def paths_below(root: Path) -> tuple[list[str], list[str]]:
    """The files and the folders below a root, absolute; the root's `.taskgates` is left out."""
    files: list[str] = []
    folders = [str(root)]
    for folder, names, members in os.walk(root):
        if ".taskgates" in names and folder == str(root):
            names.remove(".taskgates")
        for name in names:
            place = os.path.join(folder, name)  # noqa: PTH118
            (files if os.path.islink(place) else folders).append(place)  # noqa: PTH114
        files += [os.path.join(folder, name) for name in members]  # noqa: PTH118
    return files, folders


def _without_idle_tests(events: list[FileEvent], environment: Mapping[str, str]) -> list[FileEvent]:
    """Without the existence tests by which programs other than Python prepare what they do to a path anyway.

    Shells look also whether PWD is still where they are.
    """
    used = {event.path for event in events if event.operation is not Operation.STAT}
    used.add({**os.environ, **environment}.get("PWD", ""))
    return [event for event in events if event.operation is not Operation.STAT or event.path not in used]


def _strace_events(log: Path, replay: StraceLog) -> list[FileEvent]:
    if not log.exists():
        return []
    with log.open(encoding="ascii", errors="replace") as lines:
        return list(replay.events(lines))


class _Sites:
    """What the audit hook reported: where in the code each path was touched."""

    def __init__(self, root: Path, log: Path) -> None:
        self._root = str(root)
        self._records: list[dict[str, object]] = []
        if log.exists():
            for line in log.read_bytes().splitlines():
                try:
                    self._records.append(json.loads(line))
                except ValueError:
                    # The last line of a process that was killed.
                    continue

    def of(self, path: str, operation: Operation) -> tuple[Site, ...]:
        """The places that did something to a path, each once, in order."""
        found: set[Site] = set()
        for record in self._records:
            place = record["site"]
            if record["code"] or not isinstance(place, list) or path not in record["paths"]:  # type: ignore[operator]
                continue
            if not _may_do(str(record["event"]), int(str(record["flags"])), operation):
                continue
            file, line, function = place
            relative = os.path.relpath(os.path.join(self._root, file), self._root)  # noqa: PTH118
            found.add(Site(relative, line, 1, function or "<module>", str(record["event"])))
        return tuple(sorted(found))

    def tests(self) -> Iterator[FileEvent]:
        """The existence tests of Python code."""
        return (event for event in self.events() if event.operation is Operation.STAT)

    def events(self) -> Iterator[FileEvent]:
        """The accesses themselves, for want of a better tracer."""
        for record in self._records:
            if record["code"]:
                continue
            paths = [str(path) for path in record["paths"]]  # type: ignore[attr-defined]
            event, flags = str(record["event"]), int(str(record["flags"]))
            # The hook speaks before the call, which may fail.
            existed = bool(record["existed"])
            if existed is _FAILS_WHERE_SOMETHING_IS.get(event):
                continue
            if event == "open":
                yield from _opened(paths[0], flags, existed=existed)
            elif event in ("os.link", "os.symlink"):
                yield FileEvent(Operation.CREATE, paths[-1])
            elif event in _SIMPLE_EVENTS:
                yield from (FileEvent(_SIMPLE_EVENTS[event], path) for path in paths)


def _may_do(event: str, flags: int, operation: Operation) -> bool:
    """Whether an event of the hook can be what the system calls show as an operation."""
    if event == "open":
        mode = flags & os.O_ACCMODE
        return operation is not Operation.STAT and (mode == os.O_RDWR or operation.is_write is (mode != os.O_RDONLY))
    known = _SIMPLE_EVENTS[event]
    if event == "sqlite3.connect":
        return operation is not Operation.STAT
    return known is operation or (known.is_write and operation.is_write and known is not Operation.MKDIR)


def _opened(path: str, flags: int, *, existed: bool) -> Iterator[FileEvent]:
    mode = flags & os.O_ACCMODE
    if mode == os.O_RDONLY:
        if existed:
            yield FileEvent(Operation.READ, path)
    elif not existed and flags & os.O_CREAT:
        yield FileEvent(Operation.CREATE, path)
    elif flags & os.O_TRUNC:
        yield FileEvent(Operation.OVERWRITE, path)
    elif flags & os.O_APPEND:
        yield FileEvent(Operation.APPEND, path)
    else:
        if mode == os.O_RDWR:
            yield FileEvent(Operation.READ, path)
        yield FileEvent(Operation.UPDATE, path)


def _access_set(
    command: CommandLine,
    root: Path,
    events: Iterable[FileEvent],
    sites: _Sites,
    tools: Iterable[str],
    *,
    complete: bool,
) -> AccessSet:
    seen = {(event.operation, event.path) for event in events}
    paths = {path for _, path in seen}
    ignored = (
        *_SYSTEM,
        f"{sys.prefix}/",
        f"{sys.base_prefix}/",
        f"{_HOOK}",
        f"{os.path.realpath(tempfile.gettempdir())}/",
        *(f"{folder}/" for folder in tools if not f"{root}/".startswith(f"{folder}/")),
    )
    reads: list[Access] = []
    writes: list[Access] = []
    for operation, path in sorted(seen, key=lambda pair: (pair[1], pair[0].value)):
        shown = _shown(path, root, ignored)
        if shown is None or any(path.endswith(end) and path.removesuffix(end) in paths for end in _DATABASE_SIDECARS):
            continue
        access = Access(shown, Certainty.EXACT, conditional=False, operation=operation, sites=sites.of(path, operation))
        (writes if operation.is_write else reads).append(access)
    opaque = () if complete else (Opaque("only Python processes were watched, without strace"),)
    return AccessSet(command.shown, complete, tuple(reads), tuple(writes), opaque=opaque)


def _shown(path: str, root: Path, ignored: tuple[str, ...]) -> str | None:
    """The path as inference writes it; None for what does not count."""
    if is_byte_code(path) or "/__pycache__/" in path or path.endswith("/pyvenv.cfg") or "-packages/" in path:
        return None
    base = f"{root}/"
    if path.startswith(base):
        relative = path[len(base) :]
        return None if relative.startswith(".taskgates/") else escape(relative)
    if path == str(root):
        return "."
    is_own = path.startswith("/") and not f"{path}/".startswith(ignored) and path != "/"
    return escape(path) if is_own else None


def _tail(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[-300:].strip()
    except OSError:
        return "no output"
