"""From strace's log (`-f -y -xx`) to file events: every path in it is hexadecimal, so that none can be misread.

Paths are as the program named them, made absolute; links in them are not resolved. Failed calls are no accesses, but
for existence tests, whose answer may be no. Existence tests count where a program that is not Python makes them;
Python's are told by the audit hook, because its import system makes thousands of its own.
"""

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

PRESENCE = "/.taskgates-hook-is-here"
"""Looked up by the audit hook when it is in place."""

_TRACED = (
    "open", "openat", "openat2", "creat", "unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2", "mkdir",
    "mkdirat", "mknod", "mknodat", "link", "linkat", "symlink", "symlinkat", "truncate", "ftruncate", "fallocate",
    "getdents64", "chdir", "fchdir", "clone", "clone3", "fork", "vfork", "execve", "execveat", "access", "faccessat",
    "faccessat2", "stat", "lstat", "newfstatat", "statx", "utimensat", "utime", "utimes", "futimesat", "write",
    "pwrite64", "writev", "pwritev", "pwritev2", "read", "pread64", "readv", "preadv", "preadv2", "copy_file_range",
    "sendfile", "mmap",
)  # fmt: skip

STRACE_OPTIONS = (
    "-f", "-y", "-xx", "-qq", "-s", "4096", "-e", "signal=none",
    # The question mark is for calls that not every processor architecture has.
    "-e", "trace=" + ",".join(f"?{name}" for name in _TRACED),
)  # fmt: skip
"""What strace must be told so that its log can be read here."""

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
_OPENS = frozenset({"open", "openat", "openat2", "creat"})
_TESTS = frozenset({"access", "faccessat", "faccessat2", "stat", "lstat", "newfstatat", "statx"})
_TOUCHES = frozenset({"utimensat", "utime", "utimes", "futimesat"})


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
        self.hooked = False

    @property
    def is_launcher(self) -> bool:
        """Whether the program is an installed script, such as those that choose a version of a tool and start it."""
        folder = os.path.basename(os.path.dirname(self.script))  # noqa: PTH119, PTH120
        return self.program in _SHELLS and folder in _PROGRAM_FOLDERS

    @property
    def is_python(self) -> bool:
        """Whether the program is a Python interpreter."""
        return _PYTHON.match(self.program) is not None


class StraceLog:
    """Replays a log.

    Args:
        cwd: where the command was started, absolute.
        files: absolute paths of the files that were there before, as far as anybody will ask.
        folders: likewise of folders.
        search_path: folders in which shells look for programs.

    Attributes:
        tool_folders: folders of installed programs that were started (the parent of their `bin`).
        seen: files that existed at some moment.
    """

    def __init__(
        self, cwd: str, files: Iterable[str], folders: Iterable[str] = (), search_path: Iterable[str] = ()
    ) -> None:
        self._cwd = cwd
        self._existing = set(files)
        self._folders = set(folders)
        self._search_path = frozenset(search_path)
        self._processes: dict[int, _Process] = {}
        self._parents: dict[int, tuple[int, bool]] = {}
        # By thread: whether it opens code next, and the folder that it last opened for the import system.
        self._code_follows: set[int] = set()
        self._code_folder: dict[int, str] = {}
        # Opened for reading and writing: by the resolved path that strace shows, the name, and whether it was used.
        self._both: dict[str, str] = {}
        self._undecided: dict[str, bool] = {}
        self.tool_folders: set[str] = set()
        self.seen = set(self._existing)

    def events(self, lines: Iterable[str]) -> Iterator[FileEvent]:
        """The accesses in the order in which they happened.

        Args:
            lines: the log's lines.

        Yields:
            Every access, repeated ones too.
        """
        calls = list(_calls(lines))
        self._parents = {
            call.result: (call.pid, "CLONE_FS" in call.text)
            for call in calls
            if call.name in _FORKS and call.result > 0
        }
        for call in calls:
            yield from self._call(call, self._process(call.pid))
        # Opened for reading and writing, and then neither: it could have been changed.
        for path, touched in self._undecided.items():
            if not touched:
                yield FileEvent(Operation.UPDATE, path)

    def _process(self, pid: int) -> _Process:
        found = self._processes.get(pid)
        if found is None:
            parent, is_thread = self._parents.get(pid, (pid, False))
            if parent == pid:
                found = _Process(self._cwd)
            elif is_thread:
                found = self._process(parent)
            else:
                origin = self._process(parent)
                found = _Process(origin.cwd, origin.program, origin.script)
                found.hooked = origin.hooked
            self._processes[pid] = found
        return found

    def _call(self, call: _Call, process: _Process) -> Iterator[FileEvent]:
        names = [(_decode(base), _decode(name)) for base, name in _NAMED.findall(call.text)]
        paths = [os.path.normpath(os.path.join(base or process.cwd, name)) for base, name in names]  # noqa: PTH118
        if call.name in _TESTS:
            yield from self._test(call, process, paths, names)
        elif call.name in _OPENS:
            # A failed look-up of the marked file uses the mark up, too.
            is_code = call.pid in self._code_follows
            self._code_follows.discard(call.pid)
            if call.result >= 0:
                if "O_DIRECTORY" in call.text:
                    # The import system lists the folders in which it looks for modules.
                    self._code_folder[call.pid] = call.opened if is_code else ""
                yield from self._open(call, process, paths, is_code=is_code)
        elif call.result >= 0:
            yield from self._succeeded(call, process, paths, names)

    def _test(
        self, call: _Call, process: _Process, paths: list[str], names: list[tuple[str, str]]
    ) -> Iterator[FileEvent]:
        if not paths or not names[0][1]:
            return
        path = paths[0]
        if path == MARKER:
            self._code_follows.add(call.pid)
            process.hooked = True
        elif path == PRESENCE:
            process.hooked = True
        elif path != process.cwd and not process.is_python and not process.is_launcher and not self._is_search(path):
            yield FileEvent(Operation.STAT, path)

    def _is_search(self, path: str) -> bool:
        """Whether a shell that looks for a program would test this path."""
        return os.path.dirname(path) in self._search_path  # noqa: PTH120

    def _succeeded(
        self, call: _Call, process: _Process, paths: list[str], names: list[tuple[str, str]]
    ) -> Iterator[FileEvent]:
        name = call.name
        if name in _FORKS and call.result > 0:
            # The child is as its parent is now, whatever that does before the child's first call.
            self._process(call.result)
        elif name == "chdir":
            process.cwd = paths[0]
        elif name == "fchdir":
            process.cwd = _first_descriptor(call.text) or process.cwd
        elif name in ("execve", "execveat"):
            self._execute(names, process)
        elif name in ("mkdir", "mkdirat"):
            self._folders.add(paths[0])
            yield FileEvent(Operation.MKDIR, paths[0])
        elif name == "rmdir" or (name == "unlinkat" and "AT_REMOVEDIR" in call.text):
            self._folders.discard(paths[0])
            yield FileEvent(Operation.MKDIR, paths[0])
        elif name in ("unlink", "unlinkat"):
            self._existing.discard(paths[0])
            yield FileEvent(Operation.DELETE, paths[0])
        elif name in ("rename", "renameat", "renameat2"):
            yield from self._rename(paths[0], paths[1])
        elif name in ("link", "linkat", "symlink", "symlinkat", "mknod", "mknodat"):
            yield self._created(paths[-1])
        elif name == "truncate":
            yield FileEvent(Operation.UPDATE, paths[0])
        elif name in _TOUCHES:
            # Setting the time to now is what `touch` does; copying a time onto a copied file is no write of its own.
            path = paths[0] if paths else _first_descriptor(call.text)
            if ("UTIME_NOW" in call.text or ", NULL" in call.text) and path and path not in self._folders:
                yield FileEvent(Operation.UPDATE, path)
        elif name == "getdents64":
            path = _first_descriptor(call.text)
            if path and path != self._code_folder.get(call.pid):
                yield FileEvent(Operation.LIST, path)
        else:
            yield from self._transfer(call)

    def _created(self, path: str) -> FileEvent:
        self._existing.add(path)
        self.seen.add(path)
        return FileEvent(Operation.CREATE, path)

    def _open(self, call: _Call, process: _Process, paths: list[str], *, is_code: bool) -> Iterator[FileEvent]:
        flags = call.text
        if not call.opened.startswith("/") or "O_DIRECTORY" in flags or "O_PATH" in flags or "O_TMPFILE" in flags:
            return
        path = paths[0] if paths else call.opened
        if path in self._folders:
            return
        existed = path in self._existing
        self._existing.add(path)
        self.seen.add(path)
        writes = call.name == "creat" or "O_WRONLY" in flags or "O_RDWR" in flags
        if not writes:
            if not is_code and not _is_script(path, process):
                yield FileEvent(Operation.READ, path)
            return
        if not existed and (call.name == "creat" or "O_CREAT" in flags):
            yield FileEvent(Operation.CREATE, path)
        elif call.name == "creat" or "O_TRUNC" in flags:
            yield FileEvent(Operation.OVERWRITE, path)
        elif "O_APPEND" in flags:
            yield FileEvent(Operation.APPEND, path)
        elif "O_WRONLY" in flags:
            yield FileEvent(Operation.UPDATE, path)
        if "O_RDWR" in flags:
            self._both[call.opened] = path
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
        for operation, resolved in pairs:
            path = self._both.get(resolved)
            if path is not None:
                self._undecided[path] = True
                yield FileEvent(operation, path)

    def _rename(self, old: str, new: str) -> Iterator[FileEvent]:
        folders = {path for path in self._folders if path == old or path.startswith(old + "/")}
        self._folders = (self._folders - folders) | {new + path[len(old) :] for path in folders}
        moved = {path for path in self._existing if path == old or path.startswith(old + "/")}
        for path in sorted(moved or ({old} - folders)):
            target = new + path[len(old) :]
            self._existing.discard(path)
            self._existing.add(target)
            self.seen.add(target)
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
        if script:
            process.program = _interpreter(os.path.join(process.cwd, script)) or process.program  # noqa: PTH118
        if interprets and operands and not has_text:
            script = operands[0]
        process.script = os.path.normpath(os.path.join(process.cwd, script))  # noqa: PTH118


def _is_script(path: str, process: _Process) -> bool:
    """Whether a file that is read is the program rather than its data."""
    if process.is_python and process.hooked:
        return False
    if path == process.script or path == os.path.realpath(process.script):
        return True
    if process.is_python:
        # Without the hook (`python -I`) nobody tells code from data.
        return path.endswith(".py")
    return process.program in _SHELLS and path.endswith((".sh", ".bash"))


def _interpreter(place: str) -> str:
    """The name of the program that the first line of a script names; "" where it names none."""
    try:
        with open(place, "rb") as stream:  # noqa: PTH123
            first = os.fsdecode(stream.readline(256))
    except OSError:
        return ""
    words = first.removeprefix("#!").split() if first.startswith("#!") else []
    return os.path.basename(words[0]) if words else ""  # noqa: PTH119


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
