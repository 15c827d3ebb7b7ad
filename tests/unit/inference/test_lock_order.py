"""In which order locks are taken: by which names, by which worker, and only where somebody would wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.reality import analyse, write_tree

if TYPE_CHECKING:
    from pathlib import Path


def orders(place: Path, code: str) -> set[str]:
    """`worker: held > lock` for every lock that is waited for under others."""
    write_tree(place, code, data=False)
    return {
        f"{each.worker or 'main'}{'*' if each.several else ''}: {' '.join(each.held)} > {each.lock}"
        for each in analyse(place).lock_order
    }


THREADS = "import threading\nA = threading.Lock()\nB = threading.RLock()\n"
FILES = "import fcntl, os\nfrom filelock import FileLock\n"
PROGRAMS = [
    ("with", "with A:\n    with B:\n        pass", {"main: main.A > main.B"}),
    ("one with", "with A, B:\n    pass", {"main: main.A > main.B"}),
    ("acquire", "A.acquire()\nB.acquire()\nB.release()\nA.release()\nwith B: pass", {"main: main.A > main.B"}),
    ("again", "with B:\n    with B:\n        pass", set()),
    ("through a call", "def inner():\n    with B: pass\nwith A:\n    inner()", {"main: main.A > main.B"}),
    ("three", "C = threading.Lock()\nwith A, B, C: pass", {"main: main.A > main.B", "main: main.A main.B > main.C"}),
    ("at once or not", "with A:\n    B.acquire(blocking=False)", set()),
    ("at once or not, by position", "with A:\n    if B.acquire(False):\n        B.release()", set()),
    ("for some time", "with A:\n    B.acquire(timeout=2)", set()),
    ("for ever, said outright", "with A:\n    B.acquire(True, -1)", {"main: main.A > main.B"}),
    ("one after the other", "with A: pass\nwith B: pass", set()),
    (
        "locks of objects",
        (
            "class Box:\n    def __init__(self):\n        self.one = threading.Lock()\n"
            "        self.two = threading.Lock()\n"
            "BOX = Box()\nwith BOX.one:\n    with BOX.two: pass"
        ),
        {"main: main.BOX.one > main.BOX.two"},
    ),
    (
        "locks of a call",
        "def run():\n    one = threading.Lock()\n    two = threading.Lock()\n    with one, two: pass\nrun()",
        {"main: main.run.<lock> > main.run.<lock 2>"},
    ),
    (
        "a thread holds nothing at first",
        "def work():\n    with B: pass\nwith A:\n    threading.Thread(target=work).start()",
        set(),
    ),
    (
        "two threads",
        (
            "def one():\n    with A, B: pass\ndef two():\n    with B, A: pass\n"
            "threading.Thread(target=one).start()\nthreading.Thread(target=two).start()"
        ),
        {"main.one: main.A > main.B", "main.two: main.B > main.A"},
    ),
    (
        "one function in two threads",
        (
            "def swap(x, y):\n    with x, y: pass\n"
            "threading.Thread(target=swap, args=(A, B)).start()\nthreading.Thread(target=swap, args=(B, A)).start()"
        ),
        {"main.swap*: main.A > main.B", "main.swap*: main.B > main.A"},
    ),
    (
        "a pool",
        (
            "from concurrent.futures import ThreadPoolExecutor\ndef work(n):\n    with A, B: pass\n"
            "with ThreadPoolExecutor() as pool:\n    list(pool.map(work, [1, 2]))"
        ),
        {"main.work*: main.A > main.B"},
    ),
    (
        "processes",
        (
            "import multiprocessing\ndef work(x, y):\n    with x, y: pass\n"
            "if __name__ == '__main__':\n    X, Y = multiprocessing.Lock(), multiprocessing.Lock()\n"
            "    multiprocessing.Process(target=work, args=(X, Y)).start()"
        ),
        {"main.work: main.X > main.Y"},
    ),
    (
        "lock files are named by their path",
        "def one():\n    with FileLock('a.lock'), FileLock('sub/../b.lock'): pass\none()",
        {"main: file:a.lock > file:b.lock"},
    ),
    (
        "a lock file that gives up",
        (
            "with FileLock('a.lock'):\n    with FileLock('b.lock', timeout=5): pass\n"
            "    FileLock('c.lock').acquire(timeout=1)"
        ),
        set(),
    ),
    (
        "flock until the file is closed",
        (
            "with open('a', 'w') as f:\n    fcntl.flock(f, fcntl.LOCK_EX)\n    with FileLock('b'): pass\n"
            "with FileLock('c'): pass"
        ),
        {"main: file:a > file:b"},
    ),
    (
        "flock until it is given back",
        (
            "f = open('a', 'w')\nfcntl.flock(f.fileno(), fcntl.LOCK_EX)\nfcntl.flock(f, fcntl.LOCK_UN)\n"
            "with FileLock('b'): pass"
        ),
        set(),
    ),
    (
        "flock of a descriptor",
        (
            "fd = os.open('a', os.O_RDWR | os.O_CREAT)\nwith FileLock('b'):\n    fcntl.lockf(fd, fcntl.LOCK_EX)\n"
            "    os.close(fd)\n    with FileLock('c'): pass"
        ),
        {"main: file:b > file:a", "main: file:b > file:c"},
    ),
    (
        "flock that does not wait, or is shared",
        (
            "f = open('a', 'w')\ng = open('d', 'w')\nwith FileLock('b'):\n"
            "    fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)\n    fcntl.flock(g, fcntl.LOCK_SH)"
        ),
        set(),
    ),
    (
        "os.lockf",
        "fd = os.open('a', os.O_RDWR)\nwith FileLock('b'):\n    os.lockf(fd, os.F_LOCK, 0)\n    os.lockf(fd, 0, 0)",
        {"main: file:b > file:a"},
    ),
]


@pytest.mark.parametrize(("code", "expected"), [row[1:] for row in PROGRAMS], ids=[row[0] for row in PROGRAMS])
def test_the_order_of_locks(code: str, expected: set[str], tmp_path: Path) -> None:
    assert orders(tmp_path, THREADS + FILES + code) == expected


def test_the_place_is_the_lock_itself(tmp_path: Path) -> None:
    write_tree(tmp_path, THREADS + "with A:\n    print(1)\n    with B:\n        pass", data=False)
    (found,) = analyse(tmp_path).lock_order
    (site,) = found.sites
    assert (site.file, site.line, site.column, site.call) == ("main.py", 6, 10, "main.B")


SHELL = [
    ("one in another", "flock a.lock flock sub/b.lock cp x y", {"main: file:a.lock > file:sub/b.lock"}),
    ("with a text", "flock a.lock -c 'cd sub; flock b.lock true'", {"main: file:a.lock > file:sub/b.lock"}),
    ("one after the other", "flock a.lock true; flock b.lock true", set()),
    ("that does not wait", "flock a.lock flock -n b.lock true; flock a.lock flock -w 5 b.lock true", set()),
    ("shared", "flock -s a.lock flock b.lock true", set()),
    ("around a program", "flock a.lock python inner.py", {"main: file:a.lock > file:b.lock"}),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in SHELL], ids=[row[0] for row in SHELL])
def test_the_command_flock(text: str, expected: set[str], tmp_path: Path) -> None:
    inner = "from filelock import FileLock\nwith FileLock('b.lock'): pass"
    code = f"import subprocess\nsubprocess.run({text!r}, shell=True)\n--- inner.py\n{inner}\n--- sub/c.txt\n"
    assert orders(tmp_path, code) == expected
