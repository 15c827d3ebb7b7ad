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
