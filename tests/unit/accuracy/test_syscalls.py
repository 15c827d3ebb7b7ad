"""Lines as strace 6 prints them."""

from __future__ import annotations

import pytest
from accuracy.syscalls import decode, parse, split_arguments


def test_a_call_with_decoded_descriptors() -> None:
    (call,) = parse(
        ['12  openat(AT_FDCWD</tmp/a b>, "x, (y).txt", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = 3</tmp/a b/x, (y).txt>\n']
    )
    assert (call.pid, call.name, call.succeeded) == (12, "openat", True)
    assert call.descriptor(0) == "/tmp/a b"
    assert call.text(1) == "x, (y).txt"
    assert call.arguments[2] == "O_WRONLY|O_CREAT|O_CLOEXEC"
    assert call.opened == "/tmp/a b/x, (y).txt"


def test_a_failed_call() -> None:
    (call,) = parse(['7 unlink("gone") = -1 ENOENT (No such file or directory)'])
    assert not call.succeeded
    assert call.text(0) == "gone"


def test_a_call_that_another_thread_interrupted() -> None:
    calls = list(
        parse(
            [
                '5 openat(AT_FDCWD</r>, "a", O_RDONLY <unfinished ...>',
                '6 chdir("sub") = 0',
                "5 <... openat resumed>) = 4</r/a>",
            ]
        )
    )
    assert [(call.pid, call.name) for call in calls] == [(6, "chdir"), (5, "openat")]
    assert calls[1].text(1) == "a"
    assert calls[1].opened == "/r/a"


def test_signals_and_exits_are_left_out() -> None:
    assert list(parse(["5 +++ exited with 0 +++", "5 --- SIGCHLD {si_signo=SIGCHLD} ---"])) == []


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        (r"plain", "plain"),
        (r"\303\226l \"x\"\\", 'Öl "x"\\'),
        (r"tab\tnew\n", "tab\tnew\n"),
        (r"\1\0012", "\x01\x012"),
    ],
)
def test_escapes(printed: str, meant: str) -> None:
    assert decode(printed) == meant


def test_nested_arguments_stay_whole() -> None:
    text = r'"/bin/sh", ["sh", "-c", "a, b"], 0x7ffd /* 9 vars */'
    assert split_arguments(text) == ('"/bin/sh"', '["sh", "-c", "a, b"]', "0x7ffd /* 9 vars */")
