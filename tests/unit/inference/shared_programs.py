"""Small programs whose threads, processes and coroutines touch state, each with the truth about it.

The truth is the one variable that is changed, the locks that every change is under, and whether threads change it.
"""

from __future__ import annotations

PROGRAMS: dict[str, tuple[str, tuple[str, tuple[str, ...], bool] | None]] = {
    "decorator that locks": (
        """
import threading, functools
LOCK = threading.Lock(); S = {}
def synchronized(f):
    @functools.wraps(f)
    def wrapper(*a, **k):
        with LOCK:
            return f(*a, **k)
    return wrapper
@synchronized
def work(n): S[n] = 1
for i in range(2): threading.Thread(target=work, args=(i,)).start()
""",
        ("main.S", ("main.LOCK",), True),
    ),
    "decorator with lock argument": (
        """
import threading
LOCK = threading.Lock(); S = []
def locked(lock):
    def deco(f):
        def w(*a):
            lock.acquire()
            try: return f(*a)
            finally: lock.release()
        return w
    return deco
@locked(LOCK)
def work(n): S.append(n)
threading.Thread(target=work, args=(1,)).start()
""",
        ("main.S", ("main.LOCK",), True),
    ),
    "contextmanager that locks": (
        """
import threading, contextlib
LOCK = threading.Lock(); S = []
@contextlib.contextmanager
def guarded():
    with LOCK: yield S
def work():
    with guarded() as s: s.append(1)
threading.Thread(target=work).start()
""",
        ("main.S", ("main.LOCK",), True),
    ),
    "contextmanager acquire release": (
        """
import threading, contextlib
LOCK = threading.Lock(); S = []
@contextlib.contextmanager
def guarded(lock):
    lock.acquire()
    try: yield
    finally: lock.release()
def work():
    with guarded(LOCK): S.append(1)

threading.Thread(target=work).start()
""",
        ("main.S", ("main.LOCK",), True),
    ),
    "class context manager lock": (
        """
import threading
LOCK = threading.Lock(); S = []
class Guard:
    def __enter__(self): LOCK.acquire(); return self
    def __exit__(self, *a): LOCK.release()
def work():
    with Guard(): S.append(1)
threading.Thread(target=work).start()
""",
        ("main.S", ("main.LOCK",), True),
    ),
    "lock passed as argument": (
        """
import threading
LOCK = threading.Lock(); S = []
def work(lock, s):
    with lock: s.append(1)
threading.Thread(target=work, args=(LOCK, S)).start()
""",
        ("main.S", ("main.LOCK",), True),
    ),
    "lock in instance attribute": (
        """
import threading
class Store:
    def __init__(self):
        self.lock = threading.Lock(); self.rows = []
    def put(self, x):
        with self.lock: self.rows.append(x)
STORE = Store()
threading.Thread(target=STORE.put, args=(1,)).start()
""",
        ("main.STORE", ("main.STORE.lock",), True),
    ),
    "local object shared by threads, guarded": (
        """
import threading
class Store:
    def __init__(self):
        self.lock = threading.Lock(); self.rows = []
    def put(self, x):
        with self.lock: self.rows.append(x)
def main():
    store = Store()
    ts = [threading.Thread(target=store.put, args=(i,)) for i in range(2)]
    for t in ts: t.start()
main()
""",
        ("main.main.store", ("main.main.store.lock",), True),
    ),
    "lock in module of another package": (
        """
import threading
from app import state
threading.Thread(target=state.work).start()
--- app/__init__.py
--- app/state.py
from locks.main import LOCK
ROWS = []
def work():
    with LOCK: ROWS.append(1)
--- locks/__init__.py
--- locks/main.py
import threading
LOCK = threading.RLock()
""",
        ("app.state.ROWS", ("locks.main.LOCK",), True),
    ),
    "class level lock": (
        """
import threading
class J:
    lock = threading.Lock(); rows = []
    @classmethod
    def put(cls, x):
        with cls.lock: cls.rows.append(x)
threading.Thread(target=J.put, args=(1,)).start()
""",
        ("main.J.rows", ("main.J.lock",), True),
    ),
    "instance reaches class lock": (
        """
import threading
class J:
    lock = threading.Lock(); count = 0
    def put(self):
        with self.lock: J.count += 1
threading.Thread(target=J().put).start()
""",
        ("main.J.count", ("main.J.lock",), True),
    ),
    "exit stack": (
        """
import threading, contextlib
A = threading.Lock(); B = threading.Lock(); S = []
def work():
    with contextlib.ExitStack() as stack:
        stack.enter_context(A); stack.enter_context(B)
        S.append(1)
threading.Thread(target=work).start()
""",
        ("main.S", ("main.A", "main.B"), True),
    ),
    "unguarded after exit stack": (
        """
import threading, contextlib
A = threading.Lock(); S = []
def work():
    with contextlib.ExitStack() as stack:
        stack.enter_context(A)
    S.append(1)
threading.Thread(target=work).start()
""",
        ("main.S", (), True),
    ),
    "nested function guard": (
        """
import threading
LOCK = threading.Lock(); S = {}
def work():
    def inner(k): S[k] = 1
    with LOCK:
        for k in "ab": inner(k)
threading.Thread(target=work).start()
""",
        ("main.S", ("main.LOCK",), True),
    ),
    "early return releases": (
        """
import threading, random
LOCK = threading.Lock(); S = {}
def work():
    with LOCK:
        if random.random() > 0.5: return
        S["a"] = 1
def again():
    work()
threading.Thread(target=again).start()
""",
        ("main.S", ("main.LOCK",), True),
    ),
    "early return then write outside": (
        """
import threading, random
LOCK = threading.Lock(); S = {}
def check():
    with LOCK:
        if random.random() > 0.5: return True
    return False
def work():
    if check(): S["a"] = 1
threading.Thread(target=work).start()
""",
        ("main.S", (), True),
    ),
    "exception leaves the with": (
        """
import threading
LOCK = threading.Lock(); S = {}
def work():
    try:
        with LOCK: raise ValueError
    except ValueError: S["a"] = 1
threading.Thread(target=work).start()
""",
        ("main.S", (), True),
    ),
    "acquire with timeout": (
        """
import threading
LOCK = threading.Lock(); S = {}
def work():
    if LOCK.acquire(timeout=1):
        try: S["a"] = 1
        finally: LOCK.release()
threading.Thread(target=work).start()
""",
        ("main.S", ("main.LOCK",), True),
    ),
    "acquire nonblocking not checked": (
        """
import threading
LOCK = threading.Lock(); S = {}
def work():
    LOCK.acquire(blocking=False)
    S["a"] = 1
threading.Thread(target=work).start()
""",
        ("main.S", (), True),
    ),
    "condition wait": (
        """
import threading
C = threading.Condition(); Q = []
def get():
    with C:
        while not Q: C.wait()
        return Q.pop()
def put():
    with C: Q.append(1); C.notify()
threading.Thread(target=get).start(); threading.Thread(target=put).start()
""",
        ("main.Q", ("main.C",), True),
    ),
    "condition over a lock": (
        """
import threading
L = threading.Lock(); C = threading.Condition(L); Q = []
def get():
    with C: Q.append(1)
def put():
    with L: Q.append(1)
threading.Thread(target=get).start(); threading.Thread(target=put).start()
""",
        ("main.Q", ("main.L",), True),
    ),
    "asyncio lock": (
        """
import asyncio
LOCK = asyncio.Lock(); S = {}
async def work(n):
    async with LOCK: S[n] = 1
async def main(): await asyncio.gather(work(1), work(2))
asyncio.run(main())
""",
        ("main.S", ("main.LOCK",), False),
    ),
    "file lock": (
        """
import filelock, threading
S = {}
def work():
    with filelock.FileLock("x.lock"): S["a"] = 1
threading.Thread(target=work).start()
""",
        ("main.S", ("file:x.lock",), True),
    ),
    "lru cache is safe": (
        """
import functools, threading
@functools.lru_cache
def f(n): return n * 2
threading.Thread(target=f, args=(1,)).start()
""",
        None,
    ),
    "iterator shared": (
        """
import threading
IT = iter([1, 2, 3])
def work(): return next(IT)
threading.Thread(target=work).start()
""",
        ("main.IT", (), True),
    ),
    "itertools count shared": (
        """
import threading, itertools
IDS = itertools.count()
def work(): return next(IDS)
threading.Thread(target=work).start()
""",
        ("main.IDS", (), True),
    ),
    "generator shared": (
        """
import threading
def gen():
    yield 1
    yield 2
G = gen()
def work():
    for x in G: print(x)
threading.Thread(target=work).start()
""",
        ("main.G", (), True),
    ),
    "singleton new": (
        """
import threading
class One:
    _it = None
    def __new__(cls):
        if cls._it is None: cls._it = super().__new__(cls)
        return cls._it
def work(): One()
threading.Thread(target=work).start()
""",
        ("main.One._it", (), True),
    ),
    "lazy global": (
        """
import threading
_CONN = None
def conn():
    global _CONN
    if _CONN is None: _CONN = object()
    return _CONN
threading.Thread(target=conn).start()
""",
        ("main._CONN", (), True),
    ),
    "closure counter in threads": (
        """
import threading
def make():
    n = 0
    def step():
        nonlocal n
        n += 1
    return step
threading.Thread(target=make()).start()
""",
        ("main.make.n", (), True),
    ),
    "closure list in threads": (
        """
import threading
def main():
    rows = []
    def work(i): rows.append(i)
    ts = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for t in ts: t.start()
main()
""",
        ("main.main.rows", (), True),
    ),
    "local list passed to threads": (
        """
import threading
def work(rows): rows.append(1)
def main():
    rows = []
    for i in range(2): threading.Thread(target=work, args=(rows,)).start()
main()
""",
        ("main.main.rows", (), True),
    ),
    "executor with local dict": (
        """
from concurrent.futures import ThreadPoolExecutor
def main():
    found = {}
    def work(n): found[n] = n
    with ThreadPoolExecutor() as pool: list(pool.map(work, range(3)))
main()
""",
        ("main.main.found", (), True),
    ),
    "default argument in thread": (
        """
import threading
def put(x, seen=[]): seen.append(x)
threading.Thread(target=put, args=(1,)).start()
""",
        ("main.put.seen", (), True),
    ),
    "own dict per call silent": (
        """
import threading
def work():
    seen = {}
    seen["a"] = 1
threading.Thread(target=work).start()
""",
        None,
    ),
    "queue only": (
        """
import threading, queue
Q = queue.Queue(); OUT = queue.SimpleQueue()
def work():
    OUT.put(Q.get())
Q.put(1)
threading.Thread(target=work).start()
""",
        None,
    ),
    "deque append is a container": (
        """
import threading, collections
D = collections.deque()
def work(): D.append(1)
threading.Thread(target=work).start()
""",
        None,
    ),
    "event and barrier silent": (
        """
import threading
E = threading.Event(); B = threading.Barrier(2)
def work(): E.set(); E.wait()
threading.Thread(target=work).start()
""",
        None,
    ),
    "thread local subclass": (
        """
import threading
class L(threading.local):
    rows = None
LOCAL = L()
def work(): LOCAL.rows = [1]
threading.Thread(target=work).start()
""",
        None,
    ),
    "contextvar": (
        """
import contextvars, threading
V = contextvars.ContextVar("v", default=None)
def work(): V.set(1)
threading.Thread(target=work).start()
""",
        None,
    ),
    "alias through helper module": (
        """
import threading, helper
threading.Thread(target=helper.add, args=(1,)).start()
--- helper.py
import store
def rows(): return store.get()
def add(x):
    r = rows()
    r += [x]
--- store.py
ROWS = []
def get(): return ROWS
""",
        ("store.ROWS", (), True),
    ),
    "global in process not thread": (
        """
from multiprocessing import Process
S = {}
def work(): S["a"] = 1
if __name__ == "__main__":
    Process(target=work).start()
""",
        ("main.S", (), False),
    ),
    "pool initializer": (
        """
from multiprocessing import Pool
STATE = None
def init(x):
    global STATE
    STATE = x
def work(n): return STATE, n
if __name__ == "__main__":
    with Pool(2, initializer=init, initargs=(1,)) as p: p.map(work, range(3))
""",
        ("main.STATE", (), False),
    ),
    "constant tables silent": (
        """
import threading
T = {"a": [1, 2]}; N = ("x", "y"); F = frozenset({"q"})
def work(): return sorted(T["a"]), N[0], "q" in F, dict(T), list(N)
threading.Thread(target=work).start()
""",
        None,
    ),
    "module alias rebinding": (
        """
import threading, conf as c
def work(): c.LEVEL = 2
threading.Thread(target=work).start()
--- conf.py
LEVEL = 1
""",
        ("conf.LEVEL", (), True),
    ),
    "setattr on module": (
        """
import threading, conf
def work(): setattr(conf, "LEVEL", 2)
threading.Thread(target=work).start()
--- conf.py
LEVEL = 1
""",
        ("conf.LEVEL", (), True),
    ),
    "globals dict": (
        """
import threading
X = 1
def work(): globals()["X"] = 2
threading.Thread(target=work).start()
""",
        ("main.X", (), True),
    ),
    "class attr through type(self)": (
        """
import threading
class J:
    n = 0
    def go(self): type(self).n += 1
threading.Thread(target=J().go).start()
""",
        ("main.J.n", (), True),
    ),
    "subclass writes base attribute": (
        """
import threading
class B:
    reg = {}
class C(B):
    def go(self): self.reg["x"] = 1
threading.Thread(target=C().go).start()
""",
        ("main.B.reg", (), True),
    ),
    "instance attr shadows class attr silent": (
        """
import threading
class J:
    n = 0
    def go(self): self.n = 1
def work(): J().go()
threading.Thread(target=work).start()
""",
        None,
    ),
    "dict of locks": (
        """
import threading, collections
LOCKS = {"a": threading.Lock()}; S = {}
def work():
    with LOCKS["a"]: S["a"] = 1
threading.Thread(target=work).start()
""",
        ("main.S", ("main.LOCKS",), True),
    ),
    "semaphore of two does not exclude": (
        """
import threading
SEM = threading.Semaphore(2); S = {}
def work():
    with SEM: S["a"] = 1
threading.Thread(target=work).start()
""",
        ("main.S", (), True),
    ),
    "bounded semaphore of one": (
        """
import threading
SEM = threading.BoundedSemaphore(1); S = {}
def work():
    with SEM: S["a"] = 1
threading.Thread(target=work).start()
""",
        ("main.S", ("main.SEM",), True),
    ),
}
