"""Lines as strace prints them with `-f -y -xx`."""

from __future__ import annotations

import os
import re

from taskgates.runtime.tracing.strace_log import MARKER, PRESENCE, StraceLog


def line(text: str) -> str:
    """A line with what stands between quotes, and the paths of descriptors, in hexadecimal."""
    escaped = re.sub(r'"([^"]*)"', lambda match: f'"{_hex(match[1])}"', text)
    return re.sub(r"<(/[^>]*)>", lambda match: f"<{_hex(match[1])}>", escaped)


def _hex(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(text))


def events(*lines: str, files: tuple[str, ...] = (), folders: tuple[str, ...] = ("/r",)) -> list[tuple[str, str]]:
    log = StraceLog("/r", files, folders, ["/tools"])
    return [(event.operation.value, event.path) for event in log.events(map(line, lines))]


def test_names_that_could_be_misread() -> None:
    name = "x, (y) = 3.txt\n"
    call = f'12 openat(AT_FDCWD</r/a b>, "{name}", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = 3</r/a b/{name}>'
    assert events(call) == [("create", f"/r/a b/{name}")]


def test_failed_calls_are_none_but_tests_are() -> None:
    assert events('7 unlink("gone") = -1 ENOENT (No such file or directory)') == []
    assert events('7 access("gone", F_OK) = -1 ENOENT (No such file or directory)') == [("stat", "/r/gone")]
    assert events('7 newfstatat(AT_FDCWD</r>, "there", {st_mode=S_IFREG|0644, ...}, 0) = 0') == [("stat", "/r/there")]
    # The status of an open file, of the working folder, and the search for a program are none.
    assert events('7 newfstatat(3</r/a>, "", {st_mode=S_IFREG|0644, ...}, AT_EMPTY_PATH) = 0') == []
    assert events('7 newfstatat(AT_FDCWD</r>, ".", {st_mode=S_IFDIR|0755, ...}, 0) = 0') == []
    assert events('7 newfstatat(AT_FDCWD</r>, "/tools/cp", 0x7ffd, 0) = -1 ENOENT (No such file or directory)') == []


def test_a_call_that_another_thread_interrupted() -> None:
    found = events(
        '5 openat(AT_FDCWD</r>, "a", O_RDONLY <unfinished ...>',
        '6 chdir("sub") = 0',
        "5 <... openat resumed>) = 4</r/a>",
        '6 openat(AT_FDCWD, "b", O_RDONLY) = 4</r/sub/b>',
        "5 +++ exited with 0 +++",
        "5 --- SIGCHLD {si_signo=SIGCHLD} ---",
    )
    assert found == [("read", "/r/a"), ("read", "/r/sub/b")]


def test_working_folders_of_threads_and_children() -> None:
    found = events(
        "5 clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD}, 88) = 6",
        "5 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 7",
        '6 chdir("sub") = 0',
        '5 mkdir("of-threads", 0777) = 0',
        '7 mkdir("of-child", 0777) = 0',
    )
    assert found == [("mkdir", "/r/sub/of-threads"), ("mkdir", "/r/of-child")]


def test_links_are_not_resolved() -> None:
    assert events('5 openat(AT_FDCWD</r>, "link/a", O_RDONLY) = 3</elsewhere/a>') == [("read", "/r/link/a")]


def test_folders_made_removed_and_moved() -> None:
    found = events(
        '5 mkdir("new", 0777) = 0',
        '5 rmdir("old") = 0',
        '5 unlinkat(3</r/deep>, "older", AT_REMOVEDIR) = 0',
        '5 rename("moved", "away") = 0',
        '5 openat(AT_FDCWD</r>, "away", O_RDONLY) = 3</r/away>',
        '5 openat(AT_FDCWD</r>, "away/x", O_RDONLY) = 3</r/away/x>',
        files=("/r/moved/x",),
        folders=("/r", "/r/moved", "/r/old"),
    )
    assert found == [
        ("mkdir", "/r/new"),
        ("mkdir", "/r/old"),
        ("mkdir", "/r/deep/older"),
        ("rename", "/r/moved/x"),
        ("rename", "/r/away/x"),
        ("read", "/r/away/x"),
    ]


def test_touch_counts_and_a_copied_time_does_not() -> None:
    found = events(
        '5 utimensat(AT_FDCWD</r>, "a", NULL, 0) = 0',
        "5 utimensat(3</r/b>, NULL, [UTIME_NOW, UTIME_NOW], 0) = 0",
        '5 utimensat(AT_FDCWD</r>, "c", [{tv_sec=1, tv_nsec=2}, {tv_sec=1, tv_nsec=2}], 0) = 0',
    )
    assert found == [("update", "/r/a"), ("update", "/r/b")]


def test_what_is_opened_for_both_is_judged_by_its_use() -> None:
    opened = '5 openat(AT_FDCWD</r>, "a", O_RDWR|O_CLOEXEC) = 3</r/a>'
    assert events(opened, files=("/r/a",)) == [("update", "/r/a")]
    assert events(opened, '5 read(3</r/a>, "x", 1) = 1', files=("/r/a",)) == [("read", "/r/a")]
    shared = "5 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 3</r/a>, 0) = 0x7f00"
    assert events(opened, shared, files=("/r/a",)) == [("update", "/r/a")]


def test_python_tells_code_and_tests_itself() -> None:
    started = '5 execve("/usr/bin/python3", ["python3", "main.py"], 0x7ffd /* 9 vars */) = 0'
    found = events(
        started,
        '5 newfstatat(AT_FDCWD</r>, "lib", 0x7ffd, 0) = 0',
        f'5 access("{PRESENCE}", F_OK) = -1 ENOENT (No such file or directory)',
        f'5 access("{MARKER}", F_OK) = -1 ENOENT (No such file or directory)',
        '5 openat(AT_FDCWD</r>, "module.py", O_RDONLY) = 3</r/module.py>',
        '5 openat(AT_FDCWD</r>, "data.py", O_RDONLY) = 3</r/data.py>',
    )
    assert found == [("read", "/r/data.py")]
