"""Threads that a program starts itself: which of what they touch may they touch at once, without a common lock?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.reality import analyse, write_tree

if TYPE_CHECKING:
    from pathlib import Path

_THREADS = """
def main():
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
main()
"""


def in_threads(code: str) -> str:
    return f"import threading\n{code}{_THREADS}"


RACES: dict[str, tuple[str, set[str]]] = {
    "a counter": (in_threads("N = 0\ndef work():\n    global N\n    N += 1\n"), {"main.N"}),
    "a counter under a lock": (
        in_threads("N = 0\nL = threading.Lock()\ndef work():\n    global N\n    with L: N += 1\n"),
        set(),
    ),
    "looked at before the lock is taken": (
        in_threads("C = {}\nL = threading.Lock()\ndef work():\n    if 1 not in C:\n        with L: C[1] = 2\n"),
        {"main.C"},
    ),
    "a lock that each call makes": (
        in_threads("N = 0\ndef work():\n    global N\n    with threading.Lock(): N += 1\n"),
        {"main.N"},
    ),
    "a lock of each object": (
        in_threads(
            "class C:\n    n = 0\n    def __init__(self): self.lock = threading.Lock()\n"
            "    def go(self):\n        with self.lock: C.n += 1\ndef work(): C().go()\n"
        ),
        {"main.C.n"},
    ),
    "a setter that locks": (
        in_threads(
            "class C:\n    def __init__(self): self._v = 0; self._lock = threading.Lock()\n"
            "    @property\n    def v(self):\n        with self._lock: return self._v\n"
            "    @v.setter\n    def v(self, value):\n        with self._lock: self._v = value\n"
            "c = C()\ndef work(): c.v = c.v + 1\n"
        ),
        set(),
    ),
    "an object made once": (
        in_threads(
            "class C:\n    made = None\n    def __new__(cls):\n        if cls.made is None: cls.made = object()\n"
            "        return cls.made\ndef work(): C()\n"
        ),
        {"main.C.made"},
    ),
    "a list that is shuffled": (in_threads("import random\nA = [1, 2]\ndef work(): random.shuffle(A)\n"), {"main.A"}),
    "objects of their own": (
        (
            "import threading\nclass W(threading.Thread):\n    def __init__(self): super().__init__(); self.n = 0\n"
            "    def run(self): self.n += 1\nws = [W(), W()]\nfor w in ws: w.start()\nfor w in ws: w.join()\n"
        ),
        set(),
    ),
    "waited for, then used": (
        (
            "import threading\nR = []\ndef f(): R.append(1)\nt = threading.Thread(target=f); t.start(); t.join()\n"
            "u = threading.Thread(target=f); u.start(); u.join()\nR.append(2)\n"
        ),
        set(),
    ),
    "used while the thread runs": (
        (
            "import threading\nR = []\ndef f(): R.append(1)\n"
            "t = threading.Thread(target=f)\nt.start()\nR.append(2)\nt.join()\n"
        ),
        {"main.R"},
    ),
    "after the pool was left": (
        (
            "from concurrent.futures import ThreadPoolExecutor\nR = []\ndef f(): R.append(1)\n"
            "with ThreadPoolExecutor() as pool: pool.submit(f)\nR.append(2)\n"
        ),
        set(),
    ),
    "after a future was waited for": (
        (
            "from concurrent.futures import ThreadPoolExecutor\nR = []\ndef f(): R.append(1)\n"
            "with ThreadPoolExecutor() as pool:\n    pool.submit(f).result()\n    R.append(2)\n"
            "    pool.submit(f).result()\n"
        ),
        set(),
    ),
    "a pool of one": (
        (
            "from concurrent.futures import ThreadPoolExecutor\nR = []\ndef f(n): R.append(n)\n"
            "with ThreadPoolExecutor(max_workers=1) as pool:\n    for n in range(3): pool.submit(f, n)\n"
            "    list(pool.map(f, [4, 5]))\n"
        ),
        set(),
    ),
    "what a pool's threads begin with": (
        (
            "from concurrent.futures import ThreadPoolExecutor\nR = []\ndef f(): R.append(1)\n"
            "with ThreadPoolExecutor(2, initializer=f) as pool: pool.submit(print)\n"
        ),
        {"main.R"},
    ),
    "an object of main's": (
        (
            "import threading\nclass T: n = 0\ndef work(t): t.n += 1\ndef main():\n    t = T()\n"
            "    a = threading.Thread(target=work, args=(t,))\n    b = threading.Thread(target=work, args=(t,))\n"
            "    a.start(); b.start(); a.join(); b.join()\nmain()\n"
        ),
        {"main.main.t"},
    ),
    "an object of main's, while one thread has it": (
        (
            "import threading\ndef work(t): t.append(1)\ndef main():\n    t = []\n"
            "    a = threading.Thread(target=work, args=(t,))\n    a.start()\n    t.append(2)\n    a.join()\nmain()\n"
        ),
        {"main.main.t"},
    ),
    "a lock of main's": (
        (
            "import threading\nR = []\ndef work(lock):\n    with lock: R.append(1)\ndef main():\n"
            "    lock = threading.Lock()\n"
            "    ts = [threading.Thread(target=work, args=(lock,)) for _ in range(2)]\n"
            "    for t in ts: t.start()\n    for t in ts: t.join()\nmain()\n"
        ),
        set(),
    ),
    "a variable of a call that each thread makes": (
        in_threads(
            "def make():\n    n = 0\n    def step():\n        nonlocal n\n        n += 1\n    return step\n"
            "def work():\n    step = make()\n    step()\n"
        ),
        set(),
    ),
    "a variable of a call that all threads share": (
        in_threads(
            "def make():\n    n = 0\n    def step():\n        nonlocal n\n        n += 1\n    return step\n"
            "step = make()\ndef work(): step()\n"
        ),
        {"main.make.n"},
    ),
    "an object in a table": (
        in_threads(
            "class T:\n    def __init__(self): self.rows = []\nTABLE = {}\nL = threading.Lock()\n"
            "def get():\n    with L:\n        if 1 not in TABLE: TABLE[1] = T()\n        return TABLE[1]\n"
            "def work(): get().rows.append(1)\n"
        ),
        {"main.TABLE"},
    ),
    "an attribute of a function": (
        in_threads("def work(): work.n += 1\nwork.n = 0\n"),
        {"main.work"},
    ),
    "taken where there is a lock": (
        in_threads(
            "N = 0\nL = threading.RLock()\ndef take():\n    if L: L.acquire()\ndef give():\n    if L: L.release()\n"
            "def work():\n    global N\n    take()\n    N += 1\n    give()\n"
        ),
        set(),
    ),
    "in processes": (
        (
            "import multiprocessing\nR = []\ndef f(): R.append(1)\n"
            "ps = [multiprocessing.Process(target=f) for _ in range(2)]\nfor p in ps: p.start()\nR.append(2)\n"
        ),
        set(),
    ),
}


@pytest.mark.parametrize("name", sorted(RACES))
def test_what_races(name: str, tmp_path: Path) -> None:
    code, truth = RACES[name]
    write_tree(tmp_path, code, data=False)
    found = analyse(tmp_path)
    assert {shared.name.replace("__main__", "main") for shared in found.shared_state if shared.racing} == truth
