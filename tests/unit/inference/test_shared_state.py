"""Shared mutable state: what is touched, by what name, under which locks, and from which thread."""
# ruff: noqa: E501 - program texts stay as they are written

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from taskgates.model.access import SharedAccess, SharedKind
from unit.inference.reality import analyse, write_tree

if TYPE_CHECKING:
    from pathlib import Path


def touches(place: Path, code: str) -> dict[tuple[str, str], SharedAccess]:
    """The shared state of a program, by name and access; process-wide state left out."""
    write_tree(place, code, data=False)
    found = analyse(place)
    assert not found.opaque
    return {
        (shared.name, shared.access): shared for shared in found.shared_state if shared.kind is not SharedKind.PROCESS
    }


def module(body: str, call: str = "jobs.work()") -> str:
    """A program of two modules: `main.py` calls into `jobs.py`."""
    return f"import jobs\n{call}\n--- jobs.py\n{body}"


GUARDS = [
    ("with", "LOCK = threading.Lock()", "    with LOCK:\n        STATE['k'] = 1", ("jobs.LOCK",)),
    ("RLock", "LOCK = threading.RLock()", "    with LOCK:\n        STATE['k'] = 1", ("jobs.LOCK",)),
    ("condition", "COND = threading.Condition()", "    with COND:\n        STATE['k'] = 1", ("jobs.COND",)),
    ("semaphore", "SEM = threading.Semaphore()", "    with SEM:\n        STATE['k'] = 1", ("jobs.SEM",)),
    (
        "acquire and release",
        "LOCK = threading.Lock()",
        "    LOCK.acquire()\n    STATE['k'] = 1\n    LOCK.release()",
        ("jobs.LOCK",),
    ),
    (
        "acquire, try, finally",
        "LOCK = threading.Lock()",
        "    LOCK.acquire()\n    try:\n        STATE['k'] = 1\n    finally:\n        LOCK.release()",
        ("jobs.LOCK",),
    ),
    (
        "two locks",
        "A = threading.Lock()\nB = threading.Lock()",
        "    with A, B:\n        STATE['k'] = 1",
        ("jobs.A", "jobs.B"),
    ),
    ("after release", "LOCK = threading.Lock()", "    with LOCK:\n        pass\n    STATE['k'] = 1", ()),
    (
        "one of two places is bare",
        "LOCK = threading.Lock()",
        "    with LOCK:\n        STATE['k'] = 1\n    STATE['j'] = 1",
        (),
    ),
    (
        "different locks at two places",
        "A = threading.Lock()\nB = threading.Lock()",
        "    with A:\n        STATE['k'] = 1\n    with B:\n        STATE['j'] = 1",
        (),
    ),
    (
        "common lock of two places",
        "A = threading.Lock()\nB = threading.Lock()",
        "    with A, B:\n        STATE['k'] = 1\n    with B:\n        STATE['j'] = 1",
        ("jobs.B",),
    ),
    (
        "held around a helper",
        "LOCK = threading.Lock()\ndef helper(): STATE['k'] = 1",
        "    with LOCK:\n        helper()",
        ("jobs.LOCK",),
    ),
    (
        "lock in an undecided branch",
        "import random\nLOCK = threading.Lock()",
        "    if random.random() > 0.5:\n        LOCK.acquire()\n    STATE['k'] = 1",
        (),
    ),
]


@pytest.mark.parametrize(("name", "before", "body", "guards"), GUARDS, ids=[row[0] for row in GUARDS])
def test_the_locks_held_at_every_touch(
    name: str, before: str, body: str, guards: tuple[str, ...], tmp_path: Path
) -> None:
    found = touches(tmp_path, module(f"import threading\nSTATE = {{}}\n{before}\ndef work():\n{body}\n"))
    assert found["jobs.STATE", "write"].guards == guards
    assert not any("LOCK" in key or "COND" in key or "SEM" in key for key, _ in found)


MUTATIONS = [
    ("rebinding", "TOTAL = 0\ndef work():\n    global TOTAL\n    TOTAL += 1", "jobs.TOTAL", "module-global"),
    ("item", "STATE = {}\ndef work():\n    STATE['k'] = 1", "jobs.STATE", "module-global"),
    ("del item", "STATE = {'k': 1}\ndef work():\n    del STATE['k']", "jobs.STATE", "module-global"),
    ("method", "ROWS = []\ndef work():\n    ROWS.append(1)", "jobs.ROWS", "module-global"),
    ("set method", "SEEN = set()\ndef work():\n    SEEN.add(1)", "jobs.SEEN", "module-global"),
    ("in place operator", "ROWS = []\ndef work():\n    global ROWS\n    ROWS += [1]", "jobs.ROWS", "module-global"),
    ("alias", "ROWS = []\ndef work():\n    rows = ROWS\n    rows.append(1)", "jobs.ROWS", "module-global"),
    ("parameter", "ROWS = []\ndef put(where): where.append(1)\ndef work(): put(ROWS)", "jobs.ROWS", "module-global"),
    ("returned by a helper", "ROWS = []\ndef rows(): return ROWS\ndef work(): rows().append(1)", "jobs.ROWS", "module-global"),
    ("inner container", "ROWS = {'a': []}\ndef work(): ROWS['a'].append(1)", "jobs.ROWS", "module-global"),
    ("defaultdict", "from collections import defaultdict\nD = defaultdict(list)\ndef work(): D['k'].append(1)", "jobs.D", "module-global"),
    ("setdefault", "STATE = {}\ndef work(): STATE.setdefault('k', []).append(1)", "jobs.STATE", "module-global"),
    ("attribute of a global object", "class S: pass\nS1 = S()\ndef work(): S1.x = 1", "jobs.S1", "module-global"),
    ("object's own container", "class S:\n    def __init__(self): self.rows = []\n    def put(self): self.rows.append(1)\nS1 = S()\ndef work(): S1.put()", "jobs.S1", "module-global"),
    ("class attribute", "class J:\n    count = 0\ndef work(): J.count += 1", "jobs.J.count", "class-attribute"),
    ("class container through an instance", "class J:\n    rows = []\ndef work(): J().rows.append(1)", "jobs.J.rows", "class-attribute"),
    ("class container through cls", "class J:\n    rows = []\n    @classmethod\n    def put(cls): cls.rows.append(1)\ndef work(): J.put()", "jobs.J.rows", "class-attribute"),
    ("mutable default", "def put(x, seen=[]):\n    seen.append(x)\ndef work(): put(1)", "jobs.put.seen", "default-argument"),
    ("closure", "def make():\n    count = 0\n    def step():\n        nonlocal count\n        count += 1\n    return step\nSTEP = make()\ndef work(): STEP()", "jobs.make.count", "closure"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "state", "kind"), MUTATIONS, ids=[row[0] for row in MUTATIONS])
def test_writes_are_seen_through_every_way(name: str, body: str, state: str, kind: str, tmp_path: Path) -> None:
    found = touches(tmp_path, module(body))
    assert (state, "write") in found
    assert found[state, "write"].kind == kind
    assert all(site.file == "jobs.py" for site in found[state, "write"].sites)
    assert not found[state, "write"].concurrent


def test_another_module_rebinds_and_mutates(tmp_path: Path) -> None:
    found = touches(
        tmp_path,
        "import other\nother.work()\n--- other.py\nimport store\nfrom store import ROWS\n"
        "def work():\n    store.COUNT = 2\n    ROWS.append(1)\n    store.TABLE['k'] = 1\n"
        "--- store.py\nCOUNT = 0\nROWS = []\nTABLE = {}\n",
    )
    assert {key for key, access in found if access == "write"} == {"store.COUNT", "store.ROWS", "store.TABLE"}
    assert found["store.ROWS", "write"].sites[0].file == "other.py"


SILENT = [
    ("constant", "LIMIT = 3\nNAMES = ['a']\nTABLE = {'k': 1}\ndef work(): return TABLE['k'] + LIMIT + len(NAMES)"),
    ("filled at import only", "ROWS = []\nfor i in range(3): ROWS.append(i)\ndef work(): return list(ROWS)"),
    ("queue", "import queue\nQ = queue.Queue()\ndef work(): Q.put(1)"),
    ("thread-local", "import threading\nLOCAL = threading.local()\ndef work(): LOCAL.rows = [1]; LOCAL.rows.append(2)"),
    ("context variable", "import contextvars\nVAR = contextvars.ContextVar('v')\ndef work(): VAR.set(1); VAR.get()"),
    ("event", "import threading\nDONE = threading.Event()\ndef work(): DONE.set()"),
    ("local container", "def work():\n    rows = []\n    rows.append(1)\n    return rows"),
    ("copy of a global", "ROWS = [1]\ndef work():\n    rows = list(ROWS)\n    rows.append(2)"),
    ("own instance", "class J:\n    def __init__(self): self.rows = []\ndef work(): J().rows.append(1)"),
    ("functions and classes", "class J: pass\ndef helper(): return J()\ndef work(): helper()"),
]


@pytest.mark.parametrize(("name", "body"), SILENT, ids=[row[0] for row in SILENT])
def test_what_is_no_hazard_is_silent(name: str, body: str, tmp_path: Path) -> None:
    assert touches(tmp_path, module(body)) == {}


def test_reads_of_what_is_written_are_listed(tmp_path: Path) -> None:
    found = touches(
        tmp_path,
        module(
            "import threading\nL = threading.Lock()\nS = {}\ndef work():\n    with L: S['k'] = 1\n    return len(S)\n"
        ),
    )
    assert found["jobs.S", "write"].guards == ("jobs.L",)
    assert found["jobs.S", "read"].guards == ()


STARTS = [
    ("thread", "import threading", "threading.Thread(target=work).start()", True),
    ("timer", "import threading", "threading.Timer(0, work).start()", True),
    ("pool", "from concurrent.futures import ThreadPoolExecutor", "ThreadPoolExecutor().submit(work)", True),
    ("pool map", "from concurrent.futures import ThreadPoolExecutor", "list(ThreadPoolExecutor().map(lambda _: work(), [1]))", True),
    ("thread class", "import threading\nclass T(threading.Thread):\n    def run(self): work()", "T().start()", True),
    ("to_thread", "import asyncio\nasync def go(): await asyncio.to_thread(work)", "asyncio.run(go())", True),
    ("plain call", "", "work()", False),
    ("coroutine", "import asyncio\nasync def go(): work()", "asyncio.run(go())", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "before", "start", "concurrent"), STARTS, ids=[row[0] for row in STARTS])
def test_the_programs_own_threads_are_told(
    name: str, before: str, start: str, concurrent: bool, tmp_path: Path
) -> None:
    found = touches(tmp_path, f"{before}\nSTATE = {{}}\ndef work():\n    STATE['k'] = 1\n{start}\n")
    assert found["main.STATE", "write"].concurrent is concurrent


@pytest.mark.parametrize(
    "start",
    [
        "import multiprocessing\n    multiprocessing.Process(target=work).start()",
        "from concurrent.futures import ProcessPoolExecutor\n    ProcessPoolExecutor().submit(work)",
    ],
)
def test_processes_are_no_threads(start: str, tmp_path: Path) -> None:
    found = touches(
        tmp_path,
        f"STATE = {{}}\ndef work():\n    STATE['k'] = 1\nif __name__ == '__main__':\n    {start}\n",
    )
    assert not any(shared.concurrent for shared in found.values())


PROCESS_WIDE = [
    ("import os\nos.environ['A'] = 'x'", "environ"),
    ("import os\nos.chdir('data')", "working-directory"),
    ("import random\nrandom.seed(1)", "random"),
    ("import signal\nsignal.signal(signal.SIGTERM, lambda *a: None)", "signal"),
    ("import sys\nsys.path.append('x')", "path"),
    ("import locale\nlocale.setlocale(locale.LC_ALL, 'C')", "locale"),
    ("import warnings\nwarnings.simplefilter('ignore')", "warnings"),
    ("import logging\nlogging.basicConfig()", "logging"),
]


@pytest.mark.parametrize(("code", "word"), PROCESS_WIDE, ids=[row[1] for row in PROCESS_WIDE])
def test_process_wide_state(code: str, word: str, tmp_path: Path) -> None:
    write_tree(tmp_path, code)
    found = [
        shared.name
        for shared in analyse(tmp_path).shared_state
        if shared.kind is SharedKind.PROCESS and shared.access == "write"
    ]
    assert any(word in name for name in found), found


SET_UP_OR_NOT = [
    (
        "filled while it is imported",
        "import jobs\n--- jobs.py\nS = {}\ndef put(f): S[f] = 1\n@put\ndef a(): pass\n",
        set(),
    ),
    ("filled by the script's decorators", "S = {}\ndef put(f): S[f] = 1\n@put\ndef a(): pass\n", set()),
    ("its own body", "S = {}\nS['a'] = 1\nprint(S)\n", set()),
    ("changed by the script itself", "import jobs\njobs.S['a'] = 1\n--- jobs.py\nS = {}\n", {"jobs.S"}),
    ("attribute set by the script itself", "import jobs\njobs.C.n = 1\n--- jobs.py\nclass C: n = 0\n", {"jobs.C.n"}),
    ("deleted", "S = 1\ndef f():\n    global S\n    del S\nf()\n", {"main.S"}),
    (
        "closure that ends",
        "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    g()\nf()\n",
        set(),
    ),
    (
        "closure that stays",
        "def f():\n    n = []\n    def g(): n.append(1)\n    return g\nG = f()\ndef h(): G()\nh()\n",
        {"main.f.n"},
    ),
]


@pytest.mark.parametrize(("name", "code", "changed"), SET_UP_OR_NOT, ids=[row[0] for row in SET_UP_OR_NOT])
def test_setting_up_is_no_touch(name: str, code: str, changed: set[str], tmp_path: Path) -> None:
    assert {state for state, access in touches(tmp_path, code) if access == "write"} == changed


def test_what_only_reads_of_another_module_is_told(tmp_path: Path) -> None:
    code = "import jobs\nfrom jobs import T\nprint(jobs.S, T)\n--- jobs.py\nS = 1\nT = []\ndef f():\n    global S\n    S = 2\n    T.append(1)\n"
    assert set(touches(tmp_path, code)) == {("jobs.S", "read"), ("jobs.T", "read")}


PROCESS_OF_ITS_OWN = [
    ("child", "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import os; os.chdir(\"/\")'])\n", False),
    (
        "worker",
        "import multiprocessing, os\ndef f(): os.chdir('/')\nmultiprocessing.Process(target=f).start()\n",
        False,
    ),
    ("thread", "import threading, os\ndef f(): os.chdir('/')\nthreading.Thread(target=f).start()\n", True),
    ("patched library", "import time\ntime.sleep = print\n", True),
    ("stream for a while", "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()): pass\n", True),
]


@pytest.mark.parametrize(("name", "code", "told"), PROCESS_OF_ITS_OWN, ids=[row[0] for row in PROCESS_OF_ITS_OWN])
def test_a_process_of_its_own_has_state_of_its_own(name: str, code: str, told: bool, tmp_path: Path) -> None:
    write_tree(tmp_path, code, data=False)
    shared = analyse(tmp_path).shared_state
    assert any(each.kind is SharedKind.PROCESS and each.access == "write" for each in shared) is told
