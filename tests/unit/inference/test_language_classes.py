"""Classes in all their forms: which file a small program touches, checked against a real run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.reality import Program, check, program

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = [
    program(
        "inheritance",
        """
class Base:
    name = "base.txt"
    def save(self):
        open(self.name, "w").close()
class Derived(Base):
    name = "derived.txt"
Derived().save()
""",
        "overwrite derived.txt",
    ),
    program(
        "super",
        """
class Base:
    def __init__(self, name):
        self.name = name
class Derived(Base):
    def __init__(self, stem):
        super().__init__(stem + ".out")
        open(self.name, "w").close()
Derived("x")
""",
        "overwrite x.out",
    ),
    program(
        "super with arguments and three levels",
        """
class A:
    def parts(self): return ["a"]
class B(A):
    def parts(self): return super(B, self).parts() + ["b"]
class C(B):
    def parts(self): return super().parts() + ["c"]
open("".join(C().parts()), "w").close()
""",
        "overwrite abc",
    ),
    program(
        "diamond resolution order",
        """
class A:
    def name(self): return "A"
class B(A):
    def name(self): return "B" + super().name()
class C(A):
    def name(self): return "C" + super().name()
class D(B, C):
    def name(self): return "D" + super().name()
open(D().name(), "w").close()
""",
        "overwrite DBCA",
    ),
    program(
        "abstract methods",
        """
from abc import ABC, abstractmethod
class Step(ABC):
    @abstractmethod
    def target(self): ...
    def run(self):
        open(self.target(), "a").close()
class One(Step):
    def target(self): return "one.log"
class Two(Step):
    def target(self): return "two.log"
for step in (One(), Two()):
    step.run()
""",
        "append one.log",
        "append two.log",
    ),
    program(
        "property and setter",
        """
class Job:
    def __init__(self): self._out = None
    @property
    def out(self): return self._out
    @out.setter
    def out(self, value): self._out = f"dir_{value}.txt"
job = Job()
job.out = 7
open(job.out, "w").close()
""",
        "overwrite dir_7.txt",
    ),
    program(
        "cached_property",
        """
from functools import cached_property
class Job:
    @cached_property
    def text(self): return open("a.txt").readline()
    @cached_property
    def out(self): return "cached.txt"
job = Job()
job.text, job.text
open(job.out, "w").close()
""",
        "read a.txt",
        "overwrite cached.txt",
    ),
    program(
        "class method as constructor",
        """
class Job:
    folder = "data"
    def __init__(self, path): self.path = path
    @classmethod
    def named(cls, name): return cls(f"{cls.folder}/{name}.csv")
class Other(Job):
    pass
open(Other.named("x").path).read()
""",
        "read data/x.csv",
    ),
    program(
        "static method",
        """
class Names:
    @staticmethod
    def of(number): return "s%02d" % number
open(Names.of(3), "w").close()
open(Names().of(4), "w").close()
""",
        "overwrite s03",
        "overwrite s04",
    ),
    program(
        "callable object",
        """
class Writer:
    def __init__(self, ending): self.ending = ending
    def __call__(self, stem): open(stem + self.ending, "w").close()
Writer(".md")("notes")
""",
        "overwrite notes.md",
    ),
    program(
        "context manager class",
        """
class Output:
    def __init__(self, name): self.name = name
    def __enter__(self):
        self.file = open(self.name + ".part", "w")
        return self.file
    def __exit__(self, *exc):
        self.file.close()
        import os
        os.replace(self.name + ".part", self.name)
with Output("whole") as stream:
    stream.write("x")
""",
        "overwrite whole.part",
        "rename whole.part",
        "overwrite whole",
    ),
    program(
        "item protocol",
        """
class Table:
    def __init__(self): self.rows = {}
    def __getitem__(self, key): return self.rows.get(key, key + ".default")
    def __setitem__(self, key, value): self.rows[key] = value
    def __contains__(self, key): return key in self.rows
    def __len__(self): return len(self.rows)
table = Table()
table["a"] = "given"
open(table["a"], "w").close()
open(table["b"], "w").close()
if "z" in table:
    open("never", "w").close()
if len(table) == 1:
    open("one", "w").close()
""",
        "overwrite given",
        "overwrite b.default",
        "overwrite one",
    ),
    program(
        "operators",
        """
class Where:
    def __init__(self, text): self.text = text
    def __truediv__(self, other): return Where(f"{self.text}/{other}")
    def __rtruediv__(self, other): return Where(f"{other}/{self.text}")
    def __add__(self, other): return Where(self.text + other)
    def __eq__(self, other): return self.text == other
    def __str__(self): return self.text
    def __fspath__(self): return self.text
open(Where("data") / "x" + ".csv").close()
open("data" / Where("y.csv")).close()
if Where("q") == "q":
    open(str(Where("eq")), "w").close()
""",
        "read data/x.csv",
        "read data/y.csv",
        "overwrite eq",
    ),
    program(
        "iterator class",
        """
class Names:
    def __init__(self, count): self.left = count
    def __iter__(self): return self
    def __next__(self):
        if not self.left: raise StopIteration
        self.left -= 1
        return f"n{self.left}"
for name in Names(2):
    open(name, "w").close()
""",
        "overwrite n0",
        "overwrite n1",
    ),
    program(
        "__getattr__ and __setattr__",
        """
class Loose:
    def __getattr__(self, name): return name + ".attr"
class Kept:
    def __setattr__(self, name, value): super().__setattr__(name, value + ".kept")
kept = Kept()
kept.a = "v"
open(Loose().thing, "w").close()
open(kept.a, "w").close()
""",
        "overwrite thing.attr",
        "overwrite v.kept",
    ),
    program(
        "dataclass",
        """
from dataclasses import dataclass, field, replace
@dataclass
class Config:
    stem: str
    ending: str = ".txt"
    extra: list = field(default_factory=list)
    def __post_init__(self): self.path = self.stem + self.ending
open(Config("d").path, "w").close()
open(replace(Config("d"), stem="e", ending=".md").path, "w").close()
for name in Config("d", extra=["f"]).extra:
    open(name, "w").close()
""",
        "overwrite d.txt",
        "overwrite e.md",
        "overwrite f",
    ),
    program(
        "dataclass inheritance, asdict, fields, frozen",
        """
from dataclasses import asdict, dataclass, fields
@dataclass(frozen=True)
class Base:
    one: str = "o1"
@dataclass(frozen=True, kw_only=True)
class More(Base):
    two: str = "o2"
more = More(one="first")
for value in asdict(more).values():
    open(value, "w").close()
for item in fields(more):
    open(item.name, "w").close()
""",
        "overwrite first",
        "overwrite o2",
        "overwrite one",
        "overwrite two",
    ),
    program(
        "NamedTuple and namedtuple",
        """
from collections import namedtuple
from typing import NamedTuple
class Pair(NamedTuple):
    source: str
    target: str = "t.out"
    def full(self): return "full_" + self.target
Point = namedtuple("Point", "x y", defaults=["py"])
pair = Pair("a.txt")
source, target = pair
open(source).close()
open(target, "w").close()
open(pair.full(), "w").close()
open(Point("px")._replace(x="pz").x, "w").close()
open(Point("px").y, "w").close()
open(pair[0]).close()
""",
        "read a.txt",
        "overwrite t.out",
        "overwrite full_t.out",
        "overwrite pz",
        "overwrite py",
    ),
    program(
        "Enum",
        """
from enum import Enum, IntEnum, StrEnum, auto
class Kind(Enum):
    RAW = "raw.dat"
    CLEAN = "clean.dat"
    @property
    def path(self): return "e_" + self.value
class Level(IntEnum):
    LOW = auto()
    HIGH = auto()
class Word(StrEnum):
    HELLO = auto()
for kind in Kind:
    open(kind.path, "w").close()
open(Kind("raw.dat").name, "w").close()
open(Kind["CLEAN"].value, "w").close()
open(f"level{Level.HIGH.value}", "w").close()
open(Word.HELLO, "w").close()
""",
        "overwrite e_raw.dat",
        "overwrite e_clean.dat",
        "overwrite RAW",
        "overwrite clean.dat",
        "overwrite level2",
        "overwrite hello",
    ),
    program(
        "SimpleNamespace and TypedDict",
        """
from types import SimpleNamespace
from typing import TypedDict
class Row(TypedDict):
    path: str
row: Row = Row(path="typed")
spec = SimpleNamespace(out="space", **{"more": "more_space"})
spec.third = "third"
for name in (row["path"], spec.out, spec.more, spec.third):
    open(name, "w").close()
""",
        "overwrite typed",
        "overwrite space",
        "overwrite more_space",
        "overwrite third",
    ),
    program(
        "registry by __init_subclass__",
        """
class Step:
    registry = {}
    def __init_subclass__(cls, /, key=None, **kwargs):
        super().__init_subclass__(**kwargs)
        Step.registry[key] = cls
class Load(Step, key="load"):
    def run(self): open("a.txt").close()
class Save(Step, key="save"):
    def run(self): open("saved", "w").close()
Step.registry["save"]().run()
""",
        "overwrite saved",
    ),
    program(
        "metaclass",
        """
class Meta(type):
    def __new__(mcls, name, bases, body):
        cls = super().__new__(mcls, name, bases, body)
        cls.path = name.lower() + ".meta"
        return cls
class Thing(metaclass=Meta):
    pass
open(Thing.path, "w").close()
""",
        "overwrite thing.meta",
    ),
    program(
        "descriptor and __set_name__",
        """
class Field:
    def __set_name__(self, owner, name): self.name = name
    def __get__(self, obj, owner=None): return self.name + ".field"
class Holder:
    alpha = Field()
open(Holder().alpha, "w").close()
""",
        "overwrite alpha.field",
    ),
    program(
        "singleton by __new__",
        """
class Only:
    made = None
    def __new__(cls):
        if cls.made is None:
            cls.made = super().__new__(cls)
            cls.made.count = 0
        return cls.made
Only().count += 1
Only().count += 1
open(f"count{Only().count}", "w").close()
""",
        "overwrite count2",
    ),
    program(
        "class body and nested class",
        """
class Outer:
    stem = "in"
    names = [f"body{i}" for i in range(2)]
    class Inner:
        path = "nested.txt"
    def go(self):
        for name in self.names:
            open(name, "w").close()
        open(self.Inner.path, "w").close()
Outer().go()
""",
        "overwrite body0",
        "overwrite body1",
        "overwrite nested.txt",
    ),
    program(
        "subclass of dict and list",
        """
class Paths(dict):
    def __missing__(self, key): return key + ".missing"
class Names(list):
    def all(self): return [name + "!" for name in self]
paths = Paths(a="given_a")
names = Names(["n"])
names.append("m")
for name in [paths["a"], paths["b"], *names.all()]:
    open(name, "w").close()
""",
        "overwrite given_a",
        "overwrite b.missing",
        "overwrite n!",
        "overwrite m!",
    ),
    program(
        "protocol and generic classes",
        """
from typing import Generic, Protocol, TypeVar
T = TypeVar("T")
class Sink(Protocol):
    def put(self, name: str) -> None: ...
class Box(Generic[T]):
    def __init__(self, item: T) -> None: self.item = item
class File:
    def put(self, name: str) -> None: open(name, "w").close()
def use(sink: Sink) -> None: sink.put("sunk")
use(Box[File](File()).item)
""",
        "overwrite sunk",
    ),
    program(
        "isinstance and type decide",
        """
class A: pass
class B(A): pass
thing = B()
if isinstance(thing, A): open("is_a", "w").close()
if isinstance(thing, (int, str)): open("is_int", "w").close()
if type(thing) is B: open("is_b", "w").close()
if issubclass(B, A): open("sub", "w").close()
if hasattr(thing, "nothing"): open("no", "w").close()
if callable(A): open("callable", "w").close()
open(type(thing).__name__, "w").close()
""",
        "overwrite is_a",
        "overwrite is_b",
        "overwrite sub",
        "overwrite callable",
        "overwrite B",
    ),
    program(
        "abstract classes know their kinds",
        """
import abc, collections, typing
class Plain(abc.ABC):
    @classmethod
    def __subclasshook__(cls, other):
        return issubclass(other, collections.abc.Iterable) and not issubclass(other, str)
class Row(collections.abc.Sequence):
    def __len__(self): return 1
    def __getitem__(self, index): return index
class Task:
    def __call__(self): pass
things = {"tuple": (), "text": "", "row": Row(), "task": Task(), "turns": iter([]), "table": {}}
for name, thing in things.items():
    for kind in (typing.Iterable, typing.Mapping, collections.abc.Sequence, collections.abc.Callable, Plain):
        if isinstance(thing, kind): open(f"{name}-{kind.__name__}", "w").close()
""",
        "overwrite row-Iterable",
        "overwrite row-Plain",
        "overwrite row-Sequence",
        "overwrite table-Iterable",
        "overwrite table-Mapping",
        "overwrite table-Plain",
        "overwrite task-Callable",
        "overwrite text-Iterable",
        "overwrite text-Sequence",
        "overwrite tuple-Iterable",
        "overwrite tuple-Plain",
        "overwrite tuple-Sequence",
        "overwrite turns-Iterable",
        "overwrite turns-Plain",
    ),
    program(
        "method given as a value",
        """
class Job:
    def __init__(self, name): self.name = name
    def write(self, ending): open(self.name + ending, "w").close()
bound = Job("m").write
bound(".1")
Job.write(Job("u"), ".2")
for act in [Job("l").write]:
    act(".3")
""",
        "overwrite m.1",
        "overwrite u.2",
        "overwrite l.3",
    ),
    program(
        "attributes by setattr, vars and slots",
        """
class Job:
    __slots__ = ("a", "b")
class Free: pass
job, free = Job(), Free()
setattr(job, "a", "slot_a")
free.__dict__["x"] = "dict_x"
vars(free)["y"] = "vars_y"
for name in (job.a, free.x, free.y):
    open(name, "w").close()
""",
        "overwrite slot_a",
        "overwrite dict_x",
        "overwrite vars_y",
    ),
]


@pytest.mark.parametrize("case", PROGRAMS, ids=lambda case: case.name)
def test_program_does_what_inference_says(case: Program, tmp_path: Path) -> None:
    check(case, tmp_path)
