"""Branches, loops, exceptions, matching and deletion, checked against a real run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.reality import Program, check, program

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = [
    program(
        "branch decided by an argument",
        """
import sys
if sys.argv[1] == "fast":
    open("fast", "w").close()
elif sys.argv[1].startswith("s"):
    open("slow", "w").close()
else:
    open("other", "w").close()
""",
        "overwrite slow",
        argv="python main.py slow",
    ),
    program(
        "argparse decides",
        """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("name")
parser.add_argument("--ending", default=".txt")
parser.add_argument("-v", action="store_true")
parser.add_argument("-n", type=int, default=1)
args = parser.parse_args()
for index in range(args.n):
    open(f"{args.name}{index}{args.ending}", "w").close()
if args.v:
    open("verbose", "w").close()
""",
        "overwrite out0.txt",
        "overwrite out1.txt",
        argv="python main.py out -n 2",
    ),
    program(
        "for with else, break, continue",
        """
for name in ("f1", "f2", "f3"):
    if name == "f1":
        continue
    if name == "f3":
        break
    open(name, "w").close()
else:
    open("never", "w").close()
for _ in []:
    open("empty", "w").close()
else:
    open("else", "w").close()
""",
        "overwrite f2",
        "overwrite else",
    ),
    program(
        "while with a counter",
        """
count = 0
while True:
    count += 1
    if count > 3: break
    if count == 2: continue
    open(f"w{count}", "w").close()
""",
        "overwrite w1",
        "overwrite w3",
    ),
    program(
        "nested loops and early return",
        """
def find(rows):
    for row in rows:
        for cell in row:
            if cell == "hit":
                return cell + ".found"
            open(cell, "w").close()
    return "none"
open(find([["n1", "n2"], ["n3", "hit", "n4"]]), "w").close()
""",
        "overwrite n1",
        "overwrite n2",
        "overwrite n3",
        "overwrite hit.found",
    ),
    program(
        "match on values and sequences",
        """
def act(command):
    match command:
        case ["write", name]:
            open(name, "w").close()
        case ["append", *names] if names:
            for name in names: open(name, "a").close()
        case {"op": "touch", "name": str(name), **rest}:
            open(name + str(len(rest)), "w").close()
        case "a" | "b" as letter:
            open("letter_" + letter, "w").close()
        case None:
            open("none", "w").close()
        case _:
            open("default", "w").close()
act(["write", "m1"]); act(("append", "m2", "m3")); act({"op": "touch", "name": "m4", "x": 1})
act("b"); act(None); act(["append"])
""",
        "overwrite m1",
        "append m2",
        "append m3",
        "overwrite m41",
        "overwrite letter_b",
        "overwrite none",
        "overwrite default",
    ),
    program(
        "match on classes",
        """
from dataclasses import dataclass
from enum import Enum
class Kind(Enum):
    A = 1
    B = 2
@dataclass
class Save:
    path: str
    kind: Kind
class Plain:
    __match_args__ = ("value",)
    def __init__(self, value): self.value = value
def act(job):
    match job:
        case Save(path, kind=Kind.A): open(path + ".a", "w").close()
        case Save(path=p): open(p + ".b", "w").close()
        case Plain(int(x)): open(f"plain{x}", "w").close()
act(Save("s", Kind.A)); act(Save("t", Kind.B)); act(Plain(3)); act(Plain("no"))
""",
        "overwrite s.a",
        "overwrite t.b",
        "overwrite plain3",
    ),
    program(
        "try, except, else, finally",
        """
def run(fail):
    try:
        if fail: raise ValueError("broken")
    except ValueError as error:
        open(f"caught_{error}", "w").close()
    else:
        open("fine", "w").close()
    finally:
        open("finally", "a").close()
run(False); run(True)
""",
        "overwrite caught_broken",
        "overwrite fine",
        "append finally",
    ),
    program(
        "exception classes choose the handler",
        """
class Mine(Exception):
    def __init__(self, path):
        super().__init__(path)
        self.path = path
class More(Mine): pass
def run(error):
    try:
        raise error
    except More as caught: open("more_" + caught.path, "w").close()
    except (Mine, KeyError) as caught: open("mine", "w").close()
    except Exception: open("other", "w").close()
run(More("x")); run(KeyError("k")); run(OSError())
""",
        "overwrite more_x",
        "overwrite mine",
        "overwrite other",
    ),
    program(
        "exceptions pass through calls",
        """
def inner():
    open("before", "w").close()
    raise RuntimeError
    open("never", "w").close()
def outer():
    try:
        inner()
        open("never2", "w").close()
    finally:
        open("cleanup", "w").close()
try:
    outer()
except RuntimeError:
    open("handled", "w").close()
""",
        "overwrite before",
        "overwrite cleanup",
        "overwrite handled",
    ),
    program(
        "built-in errors of known values",
        """
try:
    {}["x"]
except KeyError:
    open("key", "w").close()
try:
    int("x")
except ValueError:
    open("value", "w").close()
try:
    [][1]
except IndexError:
    open("index", "w").close()
try:
    1 / 0
except ZeroDivisionError:
    open("zero", "w").close()
try:
    open("absent_file")
except FileNotFoundError:
    open("made", "w").close()
""",
        "overwrite key",
        "overwrite value",
        "overwrite index",
        "overwrite zero",
        "overwrite made",
    ),
    program(
        "raise from and re-raise",
        """
try:
    try:
        raise KeyError("k")
    except KeyError as first:
        open("first", "w").close()
        raise OSError("second") from first
except OSError as second:
    open(f"{second}", "w").close()
""",
        "overwrite first",
        "overwrite second",
    ),
    program(
        "exception groups",
        """
try:
    raise ExceptionGroup("g", [ValueError("v"), OSError("o")])
except* ValueError:
    open("values", "w").close()
except* OSError:
    open("oserrors", "w").close()
""",
        "overwrite values",
        "overwrite oserrors",
    ),
    program(
        "sys.exit ends the program",
        """
import sys
def stop():
    open("stopping", "w").close()
    sys.exit(0)
try:
    stop()
finally:
    open("last", "w").close()
open("never", "w").close()
""",
        "overwrite stopping",
        "overwrite last",
    ),
    program(
        "assert and raise SystemExit",
        """
assert True, open("never", "w")
try:
    assert not "text", "message"
except AssertionError:
    open("asserted", "w").close()
raise SystemExit
open("never2", "w").close()
""",
        "overwrite asserted",
    ),
    program(
        "del of names, items and attributes",
        """
names = ["d1", "d2", "d3"]
del names[0]
table = {"x": "dx", "y": "dy"}
del table["x"]
class Thing: pass
thing = Thing(); thing.path = "attr"
del thing.path
for name in [*names, *table.values(), getattr(thing, "path", "gone")]:
    open(name, "w").close()
del names
try:
    names
except NameError:
    open("unbound", "w").close()
""",
        "overwrite d2",
        "overwrite d3",
        "overwrite dy",
        "overwrite gone",
        "overwrite unbound",
    ),
    program(
        "boolean operators short-circuit",
        """
def mark(name, value):
    open(name, "w").close()
    return value
mark("b1", False) and mark("never", True)
mark("b2", True) or mark("never", True)
name = None or "" or "chosen"
open(name, "w").close()
1 < 2 < 1 < mark("never", 3)
""",
        "overwrite b1",
        "overwrite b2",
        "overwrite chosen",
    ),
    program(
        "augmented assignment everywhere",
        """
class Box: pass
box, table, names = Box(), {"k": "t"}, ["n"]
box.name = "b"; box.name += "1"
table["k"] += "2"
names += ["m"]
names *= 1
number = 7; number //= 2; number **= 2
for name in (box.name, table["k"], *names, f"{number}"):
    open(name, "w").close()
""",
        "overwrite b1",
        "overwrite t2",
        "overwrite n",
        "overwrite m",
        "overwrite 9",
    ),
    program(
        "with several items and multi-line",
        """
with (
    open("a.txt") as source,
    open("copy", "w") as target,
):
    target.write(source.read())
""",
        "read a.txt",
        "overwrite copy",
    ),
    program(
        "finally overrides return",
        """
def pick():
    for name in ("r1", "r2"):
        try:
            return name
        finally:
            open("tidy", "w").close()
open(pick(), "w").close()
""",
        "overwrite tidy",
        "overwrite r1",
    ),
    program(
        "loop changes the list it was given",
        """
queue = ["q1"]
while queue:
    name = queue.pop(0)
    open(name, "w").close()
    if name == "q1":
        queue.extend(["q2", "q3"])
""",
        "overwrite q1",
        "overwrite q2",
        "overwrite q3",
    ),
    program(
        "existence tests of the tree decide",
        """
import os
from pathlib import Path
if os.path.exists("a.txt"): open("there", "w").close()
if not Path("absent").exists(): open("absent", "w").close()
if Path("data").is_dir() and not os.path.isfile("data"): open("folder", "w").close()
if os.path.exists("absent"): open("made_since", "w").close()
""",
        "overwrite there",
        "overwrite absent",
        "overwrite folder",
        "overwrite made_since",
    ),
    program(
        "a file that is there is not missing",
        """
try:
    text = open("a.txt").read()
except FileNotFoundError:
    open("a.txt.default", "w").close()
try:
    text = open("absent.txt").read()
except FileNotFoundError:
    open("absent.txt.default", "w").close()
""",
        "read a.txt",
        "overwrite absent.txt.default",
    ),
    program(
        "a function that fails on elements there may be none of",
        """
import sys
lengths = {}
print(list(map(lambda name: lengths[name], sys.stdin)))
print(list(filter(lambda name: lengths[name], sys.stdin)))
open("after", "w").close()
""",
        "overwrite after",
    ),
    program(
        "environment variables are unset",
        """
import os
if os.environ.get("NO_SUCH_VARIABLE"): open("never", "w").close()
open(os.environ.get("NO_SUCH_OUT", "default_out"), "w").close()
open(os.getenv("NO_SUCH_OUT") or "fallback", "w").close()
os.environ["SET_HERE"] = "set_here"
open(os.environ["SET_HERE"], "w").close()
""",
        "overwrite default_out",
        "overwrite fallback",
        "overwrite set_here",
    ),
    program(
        "the end of a block that a return leaves",
        """
import contextlib, sys
class Counter:
    n = 0
    def __enter__(self): self.n += 1
    def __exit__(self, *error): self.n -= 1
counter = Counter()
@contextlib.contextmanager
def counted():
    counter.n += 1
    yield
    counter.n -= 1
def final(seen):
    seen["x"] = 1
    try:
        return 5
    finally:
        del seen["x"]
def managed():
    with counter:
        return 5
def generated():
    with counted():
        return 5
def sometimes():
    counter.n += 1
    try:
        if sys.stdin.read(): return 1
        counter.last = 2
    finally:
        counter.n -= 1
def looped(stop):
    for turn in range(3):
        counter.n += 1
        try:
            if turn < stop: continue
            break
        finally:
            counter.n -= 1
seen = {}
final(seen)
if "x" not in seen: open("gone", "w").close()
for number, run in enumerate((managed, generated, sometimes, lambda: looped(1))):
    run()
    open(f"{number}-{counter.n}", "w").close()
""",
        "overwrite 0-0",
        "overwrite 1-0",
        "overwrite 2-0",
        "overwrite 3-0",
        "overwrite gone",
    ),
    program(
        "asked whether it is a path or an open file",
        """
def opened(place):
    try:
        place.write
        return place
    except AttributeError:
        return open(place, "w")
with opened("path") as handle: handle.write("x")
with open("other", "w") as handle: opened(handle).write("x")
try:
    [].read
except AttributeError:
    open("list", "w").close()
""",
        "overwrite list",
        "overwrite other",
        "overwrite path",
    ),
]


@pytest.mark.parametrize("case", PROGRAMS, ids=lambda case: case.name)
def test_program_does_what_inference_says(case: Program, tmp_path: Path) -> None:
    check(case, tmp_path)
