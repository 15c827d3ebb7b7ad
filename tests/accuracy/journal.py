"""From system calls to the files that a program read and wrote below a root."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from accuracy.syscalls import Call, split_arguments, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable

MARKER = "/.next-open-loads-code"
"""The path that the audit hook looks up before an `open` that loads code."""

_SHELLS = frozenset({"sh", "bash", "dash"})
_SHELL_SUFFIXES = (".sh", ".bash")
_DATABASE_SIDECARS = ("-journal", "-wal", "-shm")
_FORKS = frozenset({"clone", "clone3", "fork", "vfork"})
_DESCRIPTOR_READS = frozenset({"read", "readv", "pread64", "preadv", "preadv2"})
_DESCRIPTOR_WRITES = frozenset({"write", "writev", "pwrite64", "pwritev", "pwritev2", "ftruncate", "fallocate"})

TRACED = (
    "%file,chdir,fchdir,clone,clone3,fork,vfork,read,readv,pread64,preadv,preadv2,write,writev,pwrite64,pwritev,pwritev2,"
    "ftruncate,fallocate,mmap,copy_file_range,sendfile"
)
"""The system calls to ask strace for."""


@dataclass
class _Process:
    """What path resolution and code detection need to know about a process."""

    cwd: str
    program: str = ""
    script: str = ""


@dataclass
class Journal:
    """Replays a trace against the files that were there before.

    Attributes:
        root: the scratch copy, resolved.
        before: relative paths of the files in it before the run.
        bytecode: whether `__pycache__` counts.
        reads: files read as data.
        writes: files whose content or name changed.
        seen: every file that existed at some moment.
    """

    root: str
    before: frozenset[str]
    bytecode: bool = False
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Start from the tree as it was."""
        self._files = set(self.before)
        self.seen = set(self.before)
        self._folders: set[str] = {""}
        for path in self.before:
            self._folders.update(str(parent) for parent in PurePosixPath(path).parents)
        for folder, names, _ in os.walk(self.root):
            self._folders.update(self._relative(os.path.join(folder, name)) or "" for name in names)
        self._processes: dict[int, _Process] = {}
        self._loading_code: set[int] = set()
        # Descriptors opened for reading and writing: judged by what is then done with them.
        self._both: dict[str, str] = {}
        self._untouched: set[str] = set()

    def replay(self, calls: Iterable[Call]) -> None:
        """Go through the calls in order and record what they do."""
        listed = list(calls)
        parents = {
            call.result: (call.pid, "CLONE_FS" in " ".join(call.arguments))
            for call in listed
            if call.name in _FORKS and call.result and call.result > 0
        }
        for call in listed:
            process = self._process(call.pid, parents)
            if call.name == "access" and call.text(0) == MARKER:
                self._loading_code.add(call.pid)
            elif call.name in {"open", "openat", "openat2", "creat"}:
                # A failed look-up of the marked file still uses the mark up.
                self._open(call, process)
            elif call.succeeded:
                self._other(call, process)
        for path in self._untouched:
            self._write(path)

    def _process(self, pid: int, parents: dict[int, tuple[int, bool]]) -> _Process:
        if pid not in self._processes:
            parent, shares = parents.get(pid, (None, False))
            if parent is None or parent == pid:
                self._processes[pid] = _Process(self.root)
            else:
                origin = self._process(parent, parents)
                self._processes[pid] = origin if shares else _Process(origin.cwd, origin.program, origin.script)
        return self._processes[pid]

    def _relative(self, path: str) -> str | None:
        if path == self.root:
            return ""
        if not path.startswith(self.root + "/"):
            return None
        return path[len(self.root) + 1 :]

    def _named(self, call: Call, process: _Process, index: int, *, at: bool) -> str | None:
        """The path that a call names, relative to the root; None outside it."""
        if at:
            base = call.descriptor(index) or process.cwd
            text = call.text(index + 1)
        else:
            base, text = process.cwd, call.text(index)
        return self._relative(os.path.normpath(os.path.join(base, text)))

    def _counts(self, path: str | None) -> bool:
        if not path or any(path.endswith(end) and path.removesuffix(end) in self.seen for end in _DATABASE_SIDECARS):
            return False
        return self.bytecode or "__pycache__" not in path.split("/")

    def _open(self, call: Call, process: _Process) -> None:
        code = call.pid in self._loading_code
        self._loading_code.discard(call.pid)
        if not call.succeeded:
            return
        at = call.name in {"openat", "openat2"}
        path = self._named(call, process, 0, at=at)
        flags = "O_WRONLY|O_CREAT|O_TRUNC" if call.name == "creat" else call.arguments[2 if at else 1]
        if path is None or path in self._folders or "O_DIRECTORY" in flags or "O_PATH" in flags:
            return
        created = path not in self._files
        self._files.add(path)
        self.seen.add(path)
        if "O_WRONLY" in flags:
            self._write(path)
        elif "O_RDWR" in flags:
            self._both[call.opened] = path
            if "O_TRUNC" in flags or ("O_CREAT" in flags and created):
                self._write(path)
            elif path not in self.reads | self.writes:
                self._untouched.add(path)
        elif not code and not self._is_shell_code(path, process) and self._counts(path):
            self.reads.add(path)

    def _is_shell_code(self, path: str, process: _Process) -> bool:
        return process.program in _SHELLS and (path == process.script or path.endswith(_SHELL_SUFFIXES))

    def _write(self, path: str | None) -> None:
        if path is not None and self._counts(path):
            self.writes.add(path)

    def _create(self, path: str | None) -> None:
        if path:
            self._files.add(path)
            self.seen.add(path)
            self._write(path)

    def _remove(self, path: str | None) -> None:
        if path:
            self._files.discard(path)
            self._write(path)

    def _other(self, call: Call, process: _Process) -> None:
        name = call.name
        if name in {"execve", "execveat"}:
            self._execute(call, process)
        elif name == "chdir":
            process.cwd = os.path.normpath(os.path.join(process.cwd, call.text(0)))
        elif name == "fchdir":
            process.cwd = call.descriptor(0)
        elif name == "mkdir":
            self._make_folder(self._named(call, process, 0, at=False))
        elif name == "mkdirat":
            self._make_folder(self._named(call, process, 0, at=True))
        elif name in {"unlink", "truncate", "mknod"}:
            path = self._named(call, process, 0, at=False)
            self._remove(path) if name == "unlink" else self._create(path)
        elif name == "rmdir":
            self._folders.discard(self._named(call, process, 0, at=False) or "")
        elif name == "unlinkat":
            path = self._named(call, process, 0, at=True)
            if "AT_REMOVEDIR" in call.arguments[-1]:
                self._folders.discard(path or "")
            else:
                self._remove(path)
        elif name == "rename":
            self._rename(self._named(call, process, 0, at=False), self._named(call, process, 1, at=False))
        elif name in {"renameat", "renameat2"}:
            self._rename(self._named(call, process, 0, at=True), self._named(call, process, 2, at=True))
        elif name in {"link", "symlink"}:
            self._create(self._named(call, process, 1, at=False))
        elif name == "linkat":
            self._create(self._named(call, process, 2, at=True))
        elif name == "symlinkat":
            self._create(self._named(call, process, 1, at=True))
        elif name in {"utimensat", "utime", "utimes", "futimesat"}:
            self._touch(call, process)
        else:
            self._descriptor(call)

    def _execute(self, call: Call, process: _Process) -> None:
        # `CLONE_FS` threads never call exec, so that the shared record is this process's own.
        started = self._relative(os.path.normpath(os.path.join(process.cwd, call.text(0))))
        if started is not None:
            # A script with an interpreter line: what it says first is opened next, as code.
            process.program, process.script = "sh", started
            return
        process.program = os.path.basename(call.text(0))
        arguments = split_vector(call.arguments[1])
        operands = [argument for argument in arguments[1:] if not argument.startswith("-")]
        takes_script = operands and not any(argument.startswith("-") and "c" in argument for argument in arguments[1:])
        script = operands[0] if takes_script else ""
        process.script = (self._relative(os.path.normpath(os.path.join(process.cwd, script))) or "") if script else ""

    def _make_folder(self, path: str | None) -> None:
        if path:
            self._folders.add(path)

    def _rename(self, old: str | None, new: str | None) -> None:
        if old is not None and old in self._folders:
            below = [path for path in self._files if path.startswith(old + "/")]
            moved = [path for path in self._folders if path == old or path.startswith(old + "/")]
            for path in moved:
                self._folders.discard(path)
                if new is not None:
                    self._folders.add(new + path[len(old) :])
            for path in below:
                self._remove(path)
                self._create(None if new is None else new + path[len(old) :])
            return
        self._remove(old)
        self._create(new)

    def _touch(self, call: Call, process: _Process) -> None:
        """Setting the time to now is what `touch` does; copying a time onto a copied file is not a write of its own."""
        if call.name != "utimensat" or ("UTIME_NOW" not in call.arguments[2] and call.arguments[2] != "NULL"):
            return
        path = (
            self._named(call, process, 0, at=True) if len(call.arguments[1]) > 2 else self._relative(call.descriptor(0))
        )
        if path is not None and path not in self._folders:
            self._write(path)

    def _descriptor(self, call: Call) -> None:
        """Reads and writes through descriptors that were opened for both."""
        if call.name in _DESCRIPTOR_READS:
            self._used(call.descriptor(0), read=True)
        elif call.name in _DESCRIPTOR_WRITES:
            self._used(call.descriptor(0), write=True)
        elif call.name == "copy_file_range":
            self._used(call.descriptor(0), read=True)
            self._used(call.descriptor(2), write=True)
        elif call.name == "sendfile":
            self._used(call.descriptor(1), read=True)
            self._used(call.descriptor(0), write=True)
        elif call.name == "mmap" and len(call.arguments) > 4:
            shared = "MAP_SHARED" in call.arguments[3]
            self._used(call.descriptor(4), read=True, write=shared and "PROT_WRITE" in call.arguments[2])

    def _used(self, resolved: str, *, read: bool = False, write: bool = False) -> None:
        path = self._both.get(resolved)
        if path is None:
            return
        self._untouched.discard(path)
        if read and self._counts(path):
            self.reads.add(path)
        if write:
            self._write(path)


def split_vector(argument: str) -> list[str]:
    """The strings of an argument vector as strace prints it."""
    return [unquote(part.removesuffix("...")) for part in split_arguments(argument.strip("[]"))]


def files_below(root: Path) -> frozenset[str]:
    """Relative paths of all files (and symbolic links) below a folder."""
    found: set[str] = set()
    for folder, names, files in os.walk(root):
        links = [name for name in names if (Path(folder) / name).is_symlink()]
        found.update((Path(folder) / name).relative_to(root).as_posix() for name in (*files, *links))
    return frozenset(found)
