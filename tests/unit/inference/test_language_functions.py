"""Functions, closures, decorators, generators, coroutines and callbacks, checked against a real run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.reality import Program, check, program

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = [
    program(
        "closure over a parameter",
        """
def writer(ending):
    def write(stem):
        open(stem + ending, "w").close()
    return write
one, two = writer(".1"), writer(".2")
one("a"); two("b")
""",
        "overwrite a.1",
        "overwrite b.2",
    ),
    program(
        "late binding of closures",
        """
acts = [lambda: open(f"late{i}", "w").close() for i in range(3)]
early = [lambda i=i: open(f"early{i}", "w").close() for i in range(2)]
for act in acts + early:
    act()
""",
        "overwrite late2",
        "overwrite early0",
        "overwrite early1",
    ),
    program(
        "nonlocal",
        """
def counter():
    count = 0
    def step():
        nonlocal count
        count += 1
        return count
    return step
step = counter()
step(); step()
open(f"nl{step()}", "w").close()
""",
        "overwrite nl3",
    ),
    program(
        "global",
        """
NAME = "before"
def set_name():
    global NAME, MORE
    NAME = "after"
    MORE = "more"
set_name()
open(NAME, "w").close()
open(MORE, "w").close()
""",
        "overwrite after",
        "overwrite more",
    ),
    program(
        "own decorator",
        """
def logged(func):
    def wrapper(*args, **kwargs):
        open("log", "a").close()
        return func(*args, **kwargs)
    return wrapper
@logged
def make(name, *, ending): open(name + ending, "w").close()
make("d", ending=".e")
""",
        "append log",
        "overwrite d.e",
    ),
    program(
        "decorator with arguments and wraps",
        """
import functools
def into(folder):
    def decorate(func):
        @functools.wraps(func)
        def wrapper(name):
            return func(f"{folder}_{name}")
        return wrapper
    return decorate
@into("one")
@into("two")
def make(name): open(name, "w").close()
make("x")
open(make.__name__, "w").close()
""",
        "overwrite two_one_x",
        "overwrite make",
    ),
    program(
        "class as decorator",
        """
class Register:
    known = {}
    def __init__(self, key): self.key = key
    def __call__(self, func):
        self.known[self.key] = func
        return func
@Register("a")
def first(): open("first", "w").close()
@Register("b")
def second(): open("second", "w").close()
Register.known["b"]()
""",
        "overwrite second",
    ),
    program(
        "registry filled by a decorator",
        """
STEPS = []
def step(func):
    STEPS.append(func)
    return func
@step
def one(): open("s1", "w").close()
@step
def two(): open("s2", "w").close()
for each in STEPS: each()
""",
        "overwrite s1",
        "overwrite s2",
    ),
    program(
        "lru_cache and cache",
        """
from functools import cache, lru_cache
@cache
def text(path): return open(path).read()
@lru_cache(maxsize=None)
def name(n): return f"c{n}"
text("a.txt"); text("a.txt")
open(name(1), "w").close()
""",
        "read a.txt",
        "overwrite c1",
    ),
    program(
        "partial",
        """
from functools import partial
def put(folder, name, *, ending=".x"): open(f"{folder}-{name}{ending}", "w").close()
partial(put, "f", ending=".p")("n")
partial(partial(put, "g"), "m")()
""",
        "overwrite f-n.p",
        "overwrite g-m.x",
    ),
    program(
        "singledispatch",
        """
from functools import singledispatch
@singledispatch
def save(what): open("object", "w").close()
@save.register
def _(what: int): open(f"int{what}", "w").close()
@save.register(str)
def _(what): open("str" + what, "w").close()
save(1); save("s"); save(2.5)
""",
        "overwrite object",
        "overwrite int1",
        "overwrite strs",
    ),
    program(
        "reduce",
        """
from functools import reduce
open(reduce(lambda a, b: a + "_" + b, ["p", "q", "r"]), "w").close()
open(reduce(lambda a, b: a + b, ["y"], "x"), "w").close()
""",
        "overwrite p_q_r",
        "overwrite xy",
    ),
    program(
        "getattr with a known name",
        """
class Job:
    def run_one(self): open("one", "w").close()
    def run_two(self): open("two", "w").close()
getattr(Job(), "run_" + "two")()
getattr(Job(), "absent", lambda: open("fallback", "w").close())()
""",
        "overwrite two",
        "overwrite fallback",
    ),
    program(
        "dispatch by a table",
        """
def load(): open("a.txt").close()
def save(): open("saved", "w").close()
TABLE = {"load": load, "save": save, "none": None}
import sys
TABLE[sys.argv[1]]()
""",
        "overwrite saved",
        argv="python main.py save",
    ),
    program(
        "globals by name",
        """
def do_it(): open("did", "w").close()
globals()["do_" + "it"]()
""",
        "overwrite did",
    ),
    program(
        "star and keyword arguments",
        """
def make(first, /, second, *rest, key, **more):
    for name in (first, second, *rest, key, *more.values(), *more):
        open(name, "w").close()
args, options = ["r1", "r2"], {"key": "k", "other": "o"}
make("f", "s", *args, **options)
""",
        "overwrite f",
        "overwrite s",
        "overwrite r1",
        "overwrite r2",
        "overwrite k",
        "overwrite o",
        "overwrite other",
    ),
    program(
        "defaults are evaluated once",
        """
def add(name, seen=[]):
    seen.append(name)
    return seen
add("m1")
for name in add("m2"):
    open(name, "w").close()
""",
        "overwrite m1",
        "overwrite m2",
    ),
    program(
        "unpacking",
        """
first, (second, *middle), *_, last = "u1", ("u2", "u3", "u4"), "x", "y", "u5"
[a, b] = {"k1": 1, "k2": 2}
for index, (left, right) in enumerate([("l", "r")], start=5):
    open(f"{left}{right}{index}", "w").close()
for name in (first, second, *middle, last, a, b):
    open(name, "w").close()
""",
        "overwrite lr5",
        "overwrite u1",
        "overwrite u2",
        "overwrite u3",
        "overwrite u4",
        "overwrite u5",
        "overwrite k1",
        "overwrite k2",
    ),
    program(
        "walrus",
        """
names = ["w1", "w2"]
while names and (name := names.pop()):
    open(name, "w").close()
if (n := len([1, 2])) > 1:
    open(f"n{n}", "w").close()
print([last := x for x in "ab"])
open(last, "w").close()
""",
        "overwrite w1",
        "overwrite w2",
        "overwrite n2",
        "overwrite b",
    ),
    program(
        "generator",
        """
def names(count):
    for index in range(count):
        open(f"in{index}", "w").close()
        yield f"g{index}"
for name in names(2):
    open(name, "w").close()
first = next(names(1))
open(first + "!", "w").close()
""",
        "overwrite in0",
        "overwrite in1",
        "overwrite g0",
        "overwrite g1",
        "overwrite g0!",
    ),
    program(
        "yield from and return value",
        """
def inner():
    yield "y1"
    yield "y2"
    return "returned"
def outer():
    result = yield from inner()
    yield result
    yield from ["y3"]
for name in outer():
    open(name, "w").close()
""",
        "overwrite y1",
        "overwrite y2",
        "overwrite returned",
        "overwrite y3",
    ),
    program(
        "generator expression into join and sorted",
        """
open("-".join(x.upper() for x in ("a", "b")), "w").close()
for name in sorted((f"z{i}" for i in (2, 1)), reverse=True)[:1]:
    open(name, "w").close()
""",
        "overwrite A-B",
        "overwrite z2",
    ),
    program(
        "comprehensions",
        """
table = {f"k{i}": f"v{i}" for i in range(4) if i % 2}
unique = {name[0] for name in ["cat", "car", "dog"]}
nested = [f"{a}{b}" for a in "xy" for b in (1, 2) if not (a == "x" and b == 1)]
for name in [*table.values(), *unique, *nested]:
    open(name, "w").close()
""",
        "overwrite v1",
        "overwrite v3",
        "overwrite c",
        "overwrite d",
        "overwrite x2",
        "overwrite y1",
        "overwrite y2",
    ),
    program(
        "contextmanager",
        """
from contextlib import contextmanager
@contextmanager
def output(name):
    open(name + ".lock", "w").close()
    try:
        with open(name, "w") as stream:
            yield stream
    finally:
        import os
        os.remove(name + ".lock")
with output("cm") as stream:
    stream.write("x")
    open(stream.name + ".seen", "w").close()
""",
        "overwrite cm.lock",
        "overwrite cm",
        "overwrite cm.seen",
        "delete cm.lock",
    ),
    program(
        "ExitStack, closing, suppress",
        """
from contextlib import ExitStack, closing, nullcontext, suppress
import os
with ExitStack() as stack:
    files = [stack.enter_context(open(n)) for n in ("a.txt", "b.txt")]
    stack.callback(lambda: open("callback", "w").close())
    stack.enter_context(closing(open("closing", "w")))
with suppress(FileNotFoundError):
    os.remove("b.txt")
with nullcontext("null") as name:
    open(name, "w").close()
""",
        "read a.txt",
        "read b.txt",
        "overwrite callback",
        "overwrite closing",
        "delete b.txt",
        "overwrite null",
    ),
    program(
        "context manager as decorator",
        """
from contextlib import ContextDecorator, contextmanager
class Marked(ContextDecorator):
    def __enter__(self): open("enter", "w").close()
    def __exit__(self, *exc): open("exit", "w").close()
@Marked()
def work(): open("work", "w").close()
work()
""",
        "overwrite enter",
        "overwrite exit",
        "overwrite work",
    ),
    program(
        "async and gather",
        """
import asyncio
async def put(name):
    await asyncio.sleep(0)
    open(name, "w").close()
    return name + ".r"
async def main():
    results = await asyncio.gather(put("a1"), put("a2"))
    for name in results:
        open(name, "w").close()
    task = asyncio.create_task(put("a3"))
    await task
asyncio.run(main())
""",
        "overwrite a1",
        "overwrite a2",
        "overwrite a3",
        "overwrite a1.r",
        "overwrite a2.r",
    ),
    program(
        "TaskGroup, async for, async with",
        """
import asyncio
from contextlib import asynccontextmanager
class Held:
    async def __aenter__(self): return "held"
    async def __aexit__(self, *exc): open("left", "w").close()
async def names():
    for name in ("n1", "n2"):
        yield name
@asynccontextmanager
async def managed():
    yield "managed"
async def put(name): open(name, "w").close()
async def main():
    async with asyncio.TaskGroup() as group:
        async for name in names():
            group.create_task(put(name))
    async with Held() as name, managed() as other:
        await put(name)
        await put(other)
    [await put(n + "c") async for n in names()]
    await asyncio.to_thread(open, "a.txt")
asyncio.run(main())
""",
        "overwrite n1",
        "overwrite n2",
        "overwrite held",
        "overwrite managed",
        "overwrite left",
        "overwrite n1c",
        "overwrite n2c",
        "read a.txt",
    ),
    program(
        "async generator and wait_for, as_completed",
        """
import asyncio
async def put(name):
    open(name, "w").close()
    return name + "_"
async def main():
    await asyncio.wait_for(put("wf"), 1)
    for future in asyncio.as_completed([put("ac")]):
        open(await future, "w").close()
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, lambda: open("executor", "w").close())
asyncio.run(main())
""",
        "overwrite wf",
        "overwrite ac",
        "overwrite ac_",
        "overwrite executor",
    ),
    program(
        "threads and executors",
        """
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
def put(name):
    open(name, "w").close()
    return name + ".f"
thread = threading.Thread(target=put, args=("t1",))
thread.start(); thread.join()
class Worker(threading.Thread):
    def run(self): put("t2")
worker = Worker(); worker.start(); worker.join()
timer = threading.Timer(0, put, ["t3"]); timer.start(); timer.join()
with ThreadPoolExecutor() as pool:
    for name in pool.map(put, ["m1", "m2"]):
        put(name)
    futures = [pool.submit(put, "s1")]
    for future in as_completed(futures):
        put(future.result())
""",
        "overwrite t1",
        "overwrite t2",
        "overwrite t3",
        "overwrite m1",
        "overwrite m2",
        "overwrite m1.f",
        "overwrite m2.f",
        "overwrite s1",
        "overwrite s1.f",
    ),
    program(
        "many threads at once",
        """
import threading
def put(name):
    open(name, "w").close()
threads = [threading.Thread(target=put, args=(name,)) for name in ("p1", "p2", "p3", "p4", "p5", "p6")]
for thread in threads: thread.start()
for thread in threads: thread.join()
""",
        *(f"overwrite p{number}" for number in range(1, 7)),
    ),
    program(
        "the version of Python",
        """
import sys
from sys import version_info as version
def put(name): open(name, "w").close()
put("three" if sys.version_info.major >= 3 else "two")
if version.minor < 3 or sys.version_info < (3, 8) or (3, 6) > sys.version_info: put("old")
if version == (2, 7) or sys.version_info[:2] <= (3, 5) or not (3,) < version < (4, 0): put("older")
if version >= (3, 6, 1) and version[:2] >= (3, 9): put("new")
put("{0.major}".format(version))
put("d%d" % version.major)
""",
        "overwrite three",
        "overwrite new",
        "overwrite 3",
        "overwrite d3",
    ),
    program(
        "map, filter, sorted key, max key",
        """
def put(name):
    open(name, "w").close()
    return name
list(map(put, ["p1", "p2"]))
for name in filter(lambda n: n.endswith("2"), ["f1", "f2"]): put(name)
sorted(["k1"], key=lambda n: put(n + ".key"))
put(max(["aaa", "b"], key=len))
put(min(["aaa", "b"], key=len))
""",
        "overwrite p1",
        "overwrite p2",
        "overwrite f2",
        "overwrite k1.key",
        "overwrite aaa",
        "overwrite b",
    ),
    program(
        "atexit",
        """
import atexit
@atexit.register
def last(): open("last", "w").close()
atexit.register(lambda name: open(name, "w").close(), "given")
open("first", "w").close()
""",
        "overwrite first",
        "overwrite last",
        "overwrite given",
    ),
    program(
        "recursion",
        """
def down(n):
    if n == 0:
        return
    open(f"r{n}", "w").close()
    down(n - 1)
down(3)
""",
        "overwrite r1",
        "overwrite r2",
        "overwrite r3",
    ),
    program(
        "mutual recursion over a tree of values",
        """
TREE = {"name": "root", "children": [{"name": "leaf1", "children": []}, {"name": "leaf2", "children": []}]}
def visit(node):
    open(node["name"], "w").close()
    visit_all(node["children"])
def visit_all(nodes):
    for node in nodes:
        visit(node)
visit(TREE)
""",
        "overwrite root",
        "overwrite leaf1",
        "overwrite leaf2",
    ),
    program(
        "lambda and conditional expression",
        """
choose = lambda flag: "yes" if flag else "no"
open(choose(True), "w").close()
open((lambda *a, **k: a[0] + k["e"])("l", e=".m"), "w").close()
""",
        "overwrite yes",
        "overwrite l.m",
    ),
    program(
        "function attributes and mutable state",
        """
def numbered():
    numbered.count += 1
    return f"fa{numbered.count}"
numbered.count = 0
numbered()
open(numbered(), "w").close()
""",
        "overwrite fa2",
    ),
    program(
        "operator functions and methodcaller",
        """
from operator import attrgetter, itemgetter, methodcaller
from types import SimpleNamespace
open(itemgetter(1)(["i0", "i1"]), "w").close()
open(attrgetter("a.b")(SimpleNamespace(a=SimpleNamespace(b="attr"))), "w").close()
open(methodcaller("upper")("up"), "w").close()
""",
        "overwrite i1",
        "overwrite attr",
        "overwrite UP",
    ),
    program(
        "builtin calls known functions with iter and zip",
        """
names = iter(["i1", "i2"])
open(next(names), "w").close()
for a, b in zip(names, ["z"]):
    open(a + b, "w").close()
for name in reversed(["rev"]): open(name, "w").close()
if any(n == "x" for n in "xyz") and all([True]): open("any", "w").close()
""",
        "overwrite i1",
        "overwrite i2z",
        "overwrite rev",
        "overwrite any",
    ),
    program(
        "signal handler set and raised by nobody",
        """
import signal
def handler(number, frame): open("a.txt").close()
signal.signal(signal.SIGALRM, handler)
signal.raise_signal(signal.SIGALRM)
""",
        "read a.txt",
    ),
    program(
        "processes",
        """
import multiprocessing
def put(name): open(name).read()
if __name__ == "__main__":
    put("a.txt")
    context = multiprocessing.get_context("fork")
    print(context)
""",
        "read a.txt",
    ),
]


@pytest.mark.parametrize("case", PROGRAMS, ids=lambda case: case.name)
def test_program_does_what_inference_says(case: Program, tmp_path: Path) -> None:
    check(case, tmp_path)
