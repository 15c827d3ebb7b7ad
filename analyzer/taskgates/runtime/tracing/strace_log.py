"""From strace's log (`-f -y -xx`) to file events: every path in it is hexadecimal, so that none can be misread."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import msgspec

from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARKER = "/.taskgates-code-follows"
"""Looked up by the audit hook just before Python opens code."""

TRACED_CALLS = (
    "open,openat,openat2,creat,unlink,unlinkat,rmdir,rename,renameat,renameat2,mkdir,mkdirat,link,linkat,symlink,symlinkat,"
    "truncate,ftruncate,getdents64,chdir,fchdir,clone,clone3,fork,vfork,execve,access,faccessat,faccessat2,"
    "write,pwrite64,writev,pwritev,pwritev2,read,pread64,readv,preadv,preadv2,copy_file_range,sendfile,mmap"
)

_HEX = r"(?:\\x[0-9a-f]{2})*"
_LINE = re.compile(r"(\d+)\s+(.*)", re.DOTALL)
_CALL = re.compile(r"(\w+)\((.*)\)\s+=\s+(-?\d+|\?)(?:<(" + _HEX + r")>)?.*", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_NAMED = re.compile(r"(?:(?:AT_FDCWD|\d+)<(" + _HEX + r')>, )?"(' + _HEX + r')"')
_DESCRIPTOR = re.compile(r"(\d+)<(" + _HEX + r")>")
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh"})
_PROGRAM_FOLDERS = frozenset({"bin", "sbin", "libexec", "shims", "Scripts"})
_INTERPRETERS = _SHELLS | {"perl", "ruby", "node", "Rscript", "lua", "php"}
_PYTHON = re.compile(r"python[\d.]*$|pypy[\d.]*$")
_FORKS = frozenset({"clone", "clone3", "fork", "vfork"})


class FileEvent(msgspec.Struct, frozen=True):
    """One access.

    Attributes:
        operation: what was done.
        path: absolute path.
    """

    operation: Operation
    path: str


class _Call(msgspec.Struct, frozen=True):
    pid: int
    name: str
    text: str
    result: int
    opened: str


class _Process:
    def __init__(self, cwd: str, program: str = "", script: str = "") -> None:
        self.cwd = cwd
        self.program = program
        self.script = script
        self.code_follows = False
        self.code_folder = ""
        self.hooked = False


class StraceLog:
    """Replays a log.

    Args:
        cwd: where the command was started, absolute.
        existing: absolute paths of the files that were there before, as far as anybody will ask.

    Attributes:
        tool_folders: folders of installed programs that were started (the parent of their `bin`).
    """

    def __init__(self, cwd: str, existing: Iterable[str]) -> None:
        self._cwd = cwd
        self._existing = set(existing)
        self._processes: dict[int, _Process] = {}
        self._parents: dict[int, int] = {}
        self._undecided: dict[str, bool] = {}
        self.tool_folders: set[str] = set()

    def events(self, lines: Iterable[str]) -> Iterator[FileEvent]:
        """The accesses in the order in which they happened; failed calls are none.

        Args:
            lines: the log's lines.

        Yields:
            Every access, repeated ones too.
        """
        calls = list(_calls(lines))
        self._parents = {call.result: call.pid for call in calls if call.name in _FORKS and call.result > 0}
        for call in calls:
            yield from self._call(call, self._process(call.pid))
        # Opened for reading and writing, and then neither: it could have been changed.
        for path, touched in self._undecided.items():
            if not touched:
                yield FileEvent(Operation.UPDATE, path)

    def _process(self, pid: int) -> _Process:
        found = self._processes.get(pid)
        if found is None:
            parent = self._parents.get(pid)
            if parent is None or parent == pid:
                found = _Process(self._cwd)
            else:
                origin = self._process(parent)
                found = _Process(origin.cwd, origin.program, origin.script)
                found.hooked = origin.hooked
            self._processes[pid] = found
        return found

    def _call(self, call: _Call, process: _Process) -> Iterator[FileEvent]:
        names = [(_decode(base), _decode(name)) for base, name in _NAMED.findall(call.text)]
        paths = [os.path.normpath(os.path.join(base or process.cwd, name)) for base, name in names]  # noqa: PTH118
        if call.name in ("access", "faccessat", "faccessat2"):
            if paths and paths[0] == MARKER:
                process.code_follows = process.hooked = True
            return
        if call.name in ("open", "openat", "openat2", "creat"):
            code, process.code_follows = process.code_follows, False
            if call.result >= 0:
                if "O_DIRECTORY" in call.text:
                    # The import system lists the folders in which it looks for modules.
                    process.code_folder = call.opened if code else ""
                yield from self._open(call, process, is_code=code)
            return
        if call.result < 0:
            return
        if call.name == "chdir":
            process.cwd = paths[0]
        elif call.name == "fchdir":
            process.cwd = _first_descriptor(call.text) or process.cwd
        elif call.name == "execve":
            self._execute(names, process)
        elif call.name in ("mkdir", "mkdirat"):
            yield FileEvent(Operation.MKDIR, paths[0])
        elif call.name in ("unlink", "unlinkat", "rmdir"):
            if call.name != "rmdir" and "AT_REMOVEDIR" not in call.text:
                self._existing.discard(paths[0])
                yield FileEvent(Operation.DELETE, paths[0])
        elif call.name in ("rename", "renameat", "renameat2"):
            yield from self._rename(paths[0], paths[1])
        elif call.name in ("link", "linkat", "symlink", "symlinkat"):
            self._existing.add(paths[-1])
            yield FileEvent(Operation.CREATE, paths[-1])
        elif call.name == "truncate":
            yield FileEvent(Operation.UPDATE, paths[0])
        elif call.name == "getdents64":
            path = _first_descriptor(call.text)
            if path and path != process.code_folder:
                yield FileEvent(Operation.LIST, path)
        else:
            yield from self._transfer(call)

    def _open(self, call: _Call, process: _Process, *, is_code: bool) -> Iterator[FileEvent]:
        path, flags = call.opened, call.text
        if not path.startswith("/") or "O_DIRECTORY" in flags or "O_PATH" in flags or "O_TMPFILE" in flags:
            return
        existed = path in self._existing
        writes = call.name == "creat" or "O_WRONLY" in flags or "O_RDWR" in flags
        if not writes:
            if not is_code and not _is_script(path, process):
                yield FileEvent(Operation.READ, path)
            return
        self._existing.add(path)
        if not existed and (call.name == "creat" or "O_CREAT" in flags):
            yield FileEvent(Operation.CREATE, path)
        elif call.name == "creat" or "O_TRUNC" in flags:
            yield FileEvent(Operation.OVERWRITE, path)
        elif "O_APPEND" in flags:
            yield FileEvent(Operation.APPEND, path)
        elif "O_WRONLY" in flags:
            yield FileEvent(Operation.UPDATE, path)
        if "O_RDWR" in flags:
            decided = "O_TRUNC" in flags or not existed
            self._undecided[path] = self._undecided.get(path, False) or decided

    def _transfer(self, call: _Call) -> Iterator[FileEvent]:
        """Reads and writes through descriptors that were opened for both tell what the file was opened for."""
        descriptors = [_decode(path) for _, path in _DESCRIPTOR.findall(call.text)]
        if not descriptors:
            return
        if call.name in ("copy_file_range", "sendfile"):
            source, target = (0, -1) if call.name == "copy_file_range" else (-1, 0)
            pairs = [(Operation.READ, descriptors[source]), (Operation.UPDATE, descriptors[target])]
        elif call.name == "mmap":
            shared = "MAP_SHARED" in call.text and "PROT_WRITE" in call.text
            pairs = [(Operation.UPDATE if shared else Operation.READ, descriptors[0])]
        else:
            reading = call.name.lstrip("p").startswith("read")
            pairs = [(Operation.READ if reading else Operation.UPDATE, descriptors[0])]
        for operation, path in pairs:
            if path in self._undecided:
                self._undecided[path] = True
                yield FileEvent(operation, path)

    def _rename(self, old: str, new: str) -> Iterator[FileEvent]:
        moved = {path for path in self._existing if path == old or path.startswith(old + "/")} or {old}
        for path in sorted(moved):
            target = new + path[len(old) :]
            self._existing.discard(path)
            self._existing.add(target)
            yield FileEvent(Operation.RENAME, path)
            yield FileEvent(Operation.RENAME, target)

    def _execute(self, names: list[tuple[str, str]], process: _Process) -> None:
        words = [name for _, name in names]
        process.program = os.path.basename(words[0]) if words else ""  # noqa: PTH119
        process.hooked = False
        for word in words[:1]:
            folder = os.path.dirname(os.path.normpath(os.path.join(process.cwd, word)))  # noqa: PTH118, PTH120
            if os.path.basename(folder) in _PROGRAM_FOLDERS:  # noqa: PTH119
                self.tool_folders.add(os.path.dirname(folder))  # noqa: PTH120
        operands = [word for word in words[2:] if not word.startswith("-")]
        has_text = any(word.startswith("-") and not word.startswith("--") and "c" in word for word in words[2:])
        interprets = process.program in _INTERPRETERS or _PYTHON.match(process.program) is not None
        # A program that is a script itself is opened next by the interpreter that its first line names.
        script = "" if interprets else words[0] if words else ""
        if interprets and operands and not has_text:
            script = operands[0]
        process.script = os.path.normpath(os.path.join(process.cwd, script))  # noqa: PTH118


def _is_script(path: str, process: _Process) -> bool:
    """Whether a file that is read is the program rather than its data."""
    if path == process.script or path == os.path.realpath(process.script):
        return True
    if _PYTHON.match(process.program):
        # Without the hook (`python -I`) nobody tells code from data.
        return not process.hooked and path.endswith(".py")
    return process.program in _SHELLS and path.endswith((".sh", ".bash"))


def _calls(lines: Iterable[str]) -> Iterator[_Call]:
    """Finished calls in the order in which they finished."""
    pending: dict[int, str] = {}
    for line in lines:
        outer = _LINE.match(line.rstrip("\n"))
        if outer is None:
            continue
        pid, body = int(outer[1]), outer[2]
        if body.endswith(_UNFINISHED):
            pending[pid] = body.removesuffix(_UNFINISHED)
            continue
        if resumed := _RESUMED.match(body):
            body = pending.pop(pid, "") + resumed[1]
        if match := _CALL.fullmatch(body):
            result = -1 if match[3] == "?" else int(match[3])
            yield _Call(pid, match[1], match[2], result, _decode(match[4] or "").removesuffix(" (deleted)"))


def _first_descriptor(text: str) -> str:
    match = _DESCRIPTOR.match(text)
    return _decode(match[2]).removesuffix(" (deleted)") if match else ""


def _decode(text: str) -> str:
    return os.fsdecode(bytes.fromhex(text.replace("\\x", "")))
