"""Mechanisms of the language, of command lines and of types, each in its smallest form, checked against a real run."""
# ruff: noqa: E501 - program texts stay as they are written

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from taskgates.model.access import Operation
from unit.inference.reality import analyse, every, rows, run_for_real, write_tree

if TYPE_CHECKING:
    from pathlib import Path

WRITER = 'def w(*names):\n    for name in names:\n        open(str(name), "w").close()\n'

PROGRAMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "functions that have an attribute and those that have not": (
        r"""
import functools, inspect
def mark(function):
    function.marked = True
    return function
class Base:
    @mark
    def inherited(self): w("inherited")
class Hooks(Base):
    @mark
    def chosen(self): w("chosen")
    def plain(self): w("plain")
for name, method in inspect.getmembers(Hooks(), inspect.ismethod):
    if hasattr(method, "marked"): method()
    else: w("no-" + name)
def wrapper(): pass
functools.update_wrapper(wrapper, Hooks.chosen)
w("updated" if hasattr(wrapper, "marked") else "lost", wrapper.__name__)
""",
        (),
    ),
    "a member of an enumeration that is not there": (
        r"""
import enum
class Kind(enum.Enum):
    BOOK = 1
    FILM = 2
for name in ("book", "toy"):
    try: kind = Kind[name.upper()]
    except KeyError: w("no-" + name); continue
    w(kind.name)
""",
        (),
    ),
    "objects and containers in printf-style formatting": (
        r"""
class Name:
    def __str__(self): return "str"
    def __repr__(self): return "repr"
w("%s-%r" % (Name(), Name()), "a%r%s%%" % (Name(), "x"), "%s" % [1], "%-5s|%s" % (Name(), (1, 2)), "%d%s" % (3, ["q"]))
""",
        (),
    ),
    "groups that took no part in a match": (
        r"""
import re
match = re.match(r"(?P<kind>\w+)(?:\((?P<scope>\w+)\))?!", "fix!")
w(match.groupdict("general")["scope"], match.groupdict(default="d")["scope"], *match.groups("none"))
if match.groupdict()["scope"] is None: w("absent")
""",
        (),
    ),
    "a line that no command takes": (
        r"""
import cmd
class Shell(cmd.Cmd):
    def do_put(self, arg): w(arg)
    def default(self, line): w("unknown-" + line.split()[1])
    def do_never(self, arg): w("never")
shell = Shell()
shell.onecmd("put box")
shell.onecmd("frob it")
""",
        (),
    ),
    "the filter of an archive": (
        r"""
import tarfile
def keep(info):
    return None if info.name.endswith("y.csv") else info
with tarfile.open("data.tar", "w") as archive: archive.add("data", arcname="d", filter=keep)
def none(info): return None if info.isdir() else info
with tarfile.open("none.tar", "w") as archive: archive.add("data", filter=none)
""",
        (),
    ),
    "modules of a folder are known one by one": (
        r"""
import sys
from pathlib import Path
sys.path.insert(0, "plug")
for path in sorted(Path("plug").glob("ext_*.py")):
    w(path.stem)
    __import__(path.stem).setup(w)
--- plug/ext_a.py
def setup(w): w("from-a")
--- plug/ext_b.py
def setup(w): w("from-b")
--- plug/other.py
raise ValueError
""",
        (),
    ),
    "actions of a class of its own, in the order of the command line": (
        r"""
import argparse
class Pair(argparse.Action):
    def __call__(self, parser, namespace, value, option=None):
        pairs = getattr(namespace, self.dest) or {}
        key, _, text = value.partition("=")
        pairs[key] = text
        setattr(namespace, self.dest, pairs)
class Flag(argparse.Action):
    def __init__(self, option_strings, dest, *, mark="", **rest):
        self.mark = mark
        super().__init__(option_strings, dest, nargs=0, **rest)
    def __call__(self, parser, namespace, values, option=None):
        setattr(namespace, self.dest, self.mark + option.strip("-"))
        namespace.level = 7
parser = argparse.ArgumentParser()
parser.add_argument("--set", action=Pair, dest="pairs")
parser.add_argument("--flag", action=Flag, mark="m")
parser.add_argument("--level", type=int, default=1)
parser.add_argument("--late", type=int, default="3")
ns = parser.parse_args()
w("-".join(f"{k}{v}" for k, v in ns.pairs.items()), ns.flag, f"level{ns.level}", f"late{ns.late + 1}")
""",
        ("--set", "a=1", "--level", "5", "--flag", "--set", "b=2"),
    ),
    "no defaults": (
        r"""
import argparse
parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
parser.add_argument("--given"); parser.add_argument("--absent")
ns = parser.parse_args()
w(ns.given, getattr(ns, "absent", "none"))
""",
        ("--given", "g"),
    ),
    "arguments from the fields of a dataclass": (
        r"""
import argparse, dataclasses, typing
@dataclasses.dataclass
class Options:
    source: str = dataclasses.field(metadata={"help": "h"})
    count: int = 2
    keep: bool = True
    names: typing.List[str] = dataclasses.field(default_factory=list)
parser = argparse.ArgumentParser()
for field in dataclasses.fields(Options):
    needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    kind = typing.get_type_hints(Options)[field.name]
    if kind is bool:
        parser.add_argument(f"--no-{field.name}", dest=field.name, action="store_false")
    elif typing.get_origin(kind) is list:
        parser.add_argument(f"--{field.name}", nargs="*", default=field.default_factory())
    else:
        parser.add_argument(f"--{field.name}", type=kind, required=needed, default=None if needed else field.default)
    w("help_" + field.metadata.get("help", "none"))
options = Options(**vars(parser.parse_args()))
w(options.source, f"n{options.count + 1}", f"k{options.keep}", *options.names)
""",
        ("--source", "s", "--no-keep", "--names", "x", "y"),
    ),
    "single dispatch": (
        r"""
from functools import singledispatch, singledispatchmethod
@singledispatch
def save(value): w("any")
@save.register
def _(value: int | float): w("number")
@save.register
def _(value: bool): w("truth")
save(3.5); save(True); save("x")
class Box:
    @singledispatchmethod
    def put(self, value): raise TypeError
    @put.register
    def _(self, value: str): w(f"{self.name}_{value}")
    @put.register
    def _(self, value: bytes): w(f"{self.name}_bytes")
    name = "box"
Box().put("s"); Box().put(b"")
""",
        (),
    ),
    "managers that swallow exceptions": (
        r"""
from contextlib import ContextDecorator
class Track(ContextDecorator):
    def __enter__(self): w("in"); return self
    def __exit__(self, kind, value, trace): w("out"); return kind is not None and issubclass(kind, LookupError)
@Track()
def fails(): raise KeyError
fails()
with Track(): raise IndexError
try:
    with Track(): raise ValueError("v")
except ValueError as error: w(str(error))
w("after")
""",
        (),
    ),
    "deleted attributes": (
        r"""
class Own:
    @property
    def value(self): return "v"
    @value.deleter
    def value(self): w("deleted")
    def __init__(self): self.plain = 1
class Gone:
    def __delattr__(self, name): w("gone_" + name)
own = Own(); del own.value; delattr(own, "plain"); w(hasattr(own, "plain")); del Gone().x
""",
        (),
    ),
    "a parser that descends": (
        r"""
class Parser:
    def __init__(self, words): self.words, self.at = words, 0
    def peek(self): return self.words[self.at] if self.at < len(self.words) else None
    def term(self):
        self.at += 1
        word = self.words[self.at - 1]
        if word == "(":
            word = self.term(); self.at += 1
        while self.peek() == "+":
            self.at += 1
            word += self.term()
        return word
w(Parser(["(", "a", "+", "(", "b", "+", "c", ")", ")", "+", "d"]).term())
""",
        (),
    ),
    "elements by index": (
        r"""
class Numbers:
    def __getitem__(self, index):
        if index > 2: raise IndexError
        return f"n{index}"
for name in Numbers(): w(name)
first, *rest = Numbers()
w(f"rest{len(rest)}", "in" if "n1" in Numbers() else "out", "in2" if "n9" in Numbers() else "out2")
""",
        (),
    ),
    "flags and members": (
        r"""
import enum
class Kind(enum.Enum):
    A = 5
    B = enum.auto()
    def label(self): return self.name.lower()
class Access(enum.Flag):
    R = enum.auto()
    W = enum.auto()
    X = enum.auto()
w(*(f"{name}{member.value}" for name, member in Kind.__members__.items()), Kind.B.label())
w(f"{Access(5).name}", f"{(Access.R | Access.W).value}", f"{Access.R in Access(5)}", repr(Kind.A), f"{Access.R | Access.X}")
w("-".join(kind.__name__ for kind in type("Sub", (dict,), {}).__mro__))
""",
        (),
    ),
    "own texts within other texts": (
        r"""
class V:
    def __init__(self, text): self.text = text
    def __repr__(self): return f"V{self.text}"
    def __format__(self, spec): return f"F{self.text}{spec}"
w(str([V(1), "a"]), f"{(V(2),)}", f"{V(3)!r}", f"{V(4):x}", "%s-%d" % (V(5), 6), "%r" % V(7), str({"k": V(8)}))
quoted = 1
w(f"a\"b{quoted}", f'c\'"d{quoted}', f"e\\{quoted}")
""",
        (),
    ),
    "unions of types": (
        r"""
from typing import List, Optional, Union
w(isinstance(3, int | str), f"b{isinstance('x', int | float)}", f"c{isinstance(None, Optional[int])}")
Number = Union[int, float]
w(f"d{isinstance(2.0, Number)}")
class Words(List[str]): pass
words = Words(["w"]); words.append("x"); w(f"n{len(words)}")
made = list[int](); made.append("made"); w(made[0])
""",
        (),
    ),
    "what may be inherited": (
        r"""
from typing import Annotated, Generic, TypeVar, get_type_hints
T = TypeVar("T")
class Base:
    def save(self): w("base")
class Mixin:
    def save(self): super().save() if hasattr(super(), "save") else w("none")
class Both(Mixin, Base): pass
Both().save(); Mixin().save()
class Store(Generic[T]):
    def __init_subclass__(cls): cls.name = cls.__name__.lower()
    def __class_getitem__(cls, item): return super().__class_getitem__(item)
class Rows(Store[int]): pass
w(Rows.name)
class Schema:
    a: int
    b: Annotated[str, "note"]
for name, hint in get_type_hints(Schema, include_extras=True).items():
    w(name, *getattr(hint, "__metadata__", ()))
w(*Schema.__annotations__)
""",
        (),
    ),
    "what processes share": (
        r"""
import multiprocessing
with multiprocessing.Manager() as manager:
    shared = manager.dict(k="d"); listed = manager.list(["l"])
    one, other = multiprocessing.Pipe()
    one.send("sent")
    w(shared["k"], listed[0], other.recv())
""",
        (),
    ),
    "the order of a graph": (
        r"""
import graphlib
graph = {"c": {"b"}, "b": {"a"}}
w("-".join(graphlib.TopologicalSorter(graph).static_order()))
sorter = graphlib.TopologicalSorter(); sorter.add("y", "x"); sorter.prepare()
while sorter.is_active():
    for node in sorter.get_ready():
        w("ready_" + node); sorter.done(node)
""",
        (),
    ),
    "the whole environment": (
        r"""
import os
os.environ["APP_A"] = "1"; os.environ["APP_B"] = "2"
for name, value in os.environ.items():
    if name.startswith("APP_"): w(name + value)
child = dict(os.environ, EXTRA="e")
w(child["EXTRA"] + child["APP_A"], {**os.environ}["APP_B"] + "x", (os.environ | {"M": "m"})["M"])
del os.environ["APP_B"]
w("gone" if "APP_B" not in os.environ else "there")
""",
        (),
    ),
    "documents with hooks": (
        r"""
import json
found = json.loads('{"a": {"kind": "p", "v": "q"}, "l": [{"kind": "p", "v": "r"}]}', object_hook=lambda d: d.get("v", d))
w(found["a"], found["l"][0])
pairs = json.loads('{"a": {"b": 1}}', object_pairs_hook=lambda items: {key.upper(): value for key, value in items})
w(f"B{pairs['A']['B']}")
""",
        (),
    ),
    "sections that keep their case": (
        r"""
import configparser
parser = configparser.ConfigParser(); parser.optionxform = str
parser.read_string("[a]\nName = n\n")
plain = configparser.ConfigParser(); plain.read_string("[a]\nName = m\n")
for key in parser["a"]: w(key + parser["a"][key])
w(*plain["a"].values(), *plain["a"].keys(), "has" if "NAME" in plain["a"] else "has not")
""",
        (),
    ),
    "copies with changes": (
        r"""
import dataclasses
@dataclasses.dataclass(frozen=True)
class Job:
    name: str
    path: str = dataclasses.field(init=False)
    def __post_init__(self): object.__setattr__(self, "path", self.name + ".out")
w(dataclasses.replace(Job("a"), name="b").path)
""",
        (),
    ),
    "where temporary files go": (
        r"""
import os, tempfile
os.makedirs("work"); tempfile.tempdir = os.path.abspath("work")
w(os.path.join(tempfile.gettempdir(), "known"))
""",
        (),
    ),
}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_program_does_what_inference_says(name: str, tmp_path: Path) -> None:
    code, words = PROGRAMS[name]
    root = tmp_path / "tree"
    write_tree(root, WRITER + code)
    argv = ("python", "main.py", *words)
    found = analyse(root, *argv)
    assert [opaque.reason for opaque in found.opaque] == []
    assert [access.path for access in every(found) if access.conditional] == []
    real = run_for_real(root, argv, tmp_path / "log")
    assert (sorted(real - rows(found)), sorted(rows(found) - real)) == ([], [])


CHILDREN = r"""
import subprocess, sys
subprocess.run(["sh"], input="touch text", text=True)
subprocess.run(["xargs", "touch"], input=b"x1 x2")
subprocess.run([sys.executable, "-"], input="open('python', 'w')", text=True)
with open("names") as names: subprocess.run("while read name; do touch $name; done", shell=True, stdin=names)
"""


def test_children_read_what_they_are_handed(tmp_path: Path) -> None:
    write_tree(tmp_path, CHILDREN, data=False)
    (tmp_path / "names").write_text("one\ntwo\n")
    written = {access.path for access in analyse(tmp_path).writes}
    assert written == {"text", "x1", "x2", "python", "one", "two"}


HOOK = r"""
import sys
def hook(kind, value, trace): open(f"{kind.__name__}-{value}", "w")
sys.excepthook = hook
open("before", "w")
raise RuntimeError("boom")
open("never", "w")
"""


def test_the_hook_is_called_for_an_exception_that_nothing_catches(tmp_path: Path) -> None:
    write_tree(tmp_path, HOOK, data=False)
    assert {access.path for access in analyse(tmp_path).writes} == {"before", "RuntimeError-boom"}
    write_tree(tmp_path, HOOK.replace("raise RuntimeError", "raise SystemExit"), data=False)
    assert {access.path for access in analyse(tmp_path).writes} == {"before"}


@pytest.mark.parametrize(
    ("statement", "written"),
    [
        ("{}['absent']", {"before", "behind"}),
        ("[].absent()", {"before", "behind"}),
        ("input()", {"before", "behind"}),
        ("raise ValueError", {"before"}),
        ("assert not 1", {"before"}),
        ("import sys; sys.exit(1)", {"before"}),
    ],
)
def test_an_end_that_nothing_explains_is_looked_beyond(statement: str, written: set[str], tmp_path: Path) -> None:
    write_tree(tmp_path, f"open('before', 'w')\n{statement}\nopen('behind', 'w')\n", data=False)
    found = analyse(tmp_path)
    assert {access.path for access in found.writes} == written
    assert found.complete == (statement in ("[].absent()", "input()", "import sys; sys.exit(1)"))


PRESENCE = r"""
import os, time
from os.path import isfile
from pathlib import Path
def one_of(name, kind=str): return kind("here") if time.time() > 5 else kind(name)
x = one_of("gone1")
if os.path.exists(x): open(x)
y = one_of("gone2", Path)
if y.is_file(): y.read_text()
z = one_of("gone3")
if not isfile(z): raise SystemExit
open(z)
class Settings:
    def __init__(self, path): self.path = path
s = Settings(one_of("gone4"))
if os.path.isfile(s.path) and s.path: open(s.path)
try: open(one_of("gone5"))
except FileNotFoundError: pass
f = one_of("folder", Path)
if not f.is_dir(): f.read_text()
def exists(*given): return bool(given)
if exists() or exists(*[x]): pass
"""


def test_of_several_paths_those_that_are_not_there_are_not_read(tmp_path: Path) -> None:
    write_tree(tmp_path, PRESENCE, data=False)
    (tmp_path / "here").write_text("")
    (tmp_path / "folder").mkdir()
    reads = {access.path for access in analyse(tmp_path).reads if access.operation is Operation.READ}
    assert reads == {"here"}


STATUSES = r"""
import subprocess
subprocess.run("if grep -q foo known; then touch found; else touch lost; fi", shell=True)
subprocess.run("echo abc | grep -q x && touch x; grep -q '^f' known && touch start", shell=True)
subprocess.run("[ -s empty ] && touch full; [ -s known ] && touch sized; ln known hard", shell=True)
subprocess.run(["bash", "-c", 'for lib in "$PWD"/lib/*.sh; do . "$lib"; done; made'])
subprocess.run(["make", "-s"])
"""
MAKEFILE = """
define step
\t@touch $(1).first
\t@touch $(1).second
endef
all: x.txt known.src
\t$(call step,all)
%.txt:
\techo $* > $@
%.src:
\techo never > $@
"""


def test_statuses_globs_and_recipes_that_the_tree_decides(tmp_path: Path) -> None:
    write_tree(tmp_path, STATUSES, data=False)
    files = {"known": "foo\n", "empty": "", "lib/a.sh": "made() { touch sourced; }\n", "known.src": "s\n"}
    for name, text in {**files, "Makefile": MAKEFILE}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = analyse(tmp_path)
    assert [opaque.reason for opaque in found.opaque] == []
    written = {access.path for access in found.writes if access.operation is not Operation.MKDIR}
    assert written == {"found", "start", "sized", "hard", "sourced", "x.txt", "all.first", "all.second"}
