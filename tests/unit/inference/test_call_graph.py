"""Call graphs: whose call it is, what callees are named, and that effort is spent where edges are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.engine import Analyser, InferenceOptions
from taskgates.inference.limits import Limits
from taskgates.model.task import Command
from taskgates.tree.tree import Tree
from unit.inference.reality import write_tree

if TYPE_CHECKING:
    from pathlib import Path

    from taskgates.inference.call_graph import CallGraph


def graph(root: Path, source: str, *words: str, limits: Limits | None = None) -> CallGraph:
    """The graph of `python main.py WORD...` in a tree that is written down in one text."""
    write_tree(root, source)
    options = InferenceOptions(limits=limits or Limits())
    return Analyser(Tree(root), options).calls(Command(argv=("python", "main.py", *words)))


def callees(root: Path, source: str, caller: str = "main") -> set[str]:
    return set(graph(root, source).callees.get(caller, ()))


def test_a_call_that_reaches_no_file_is_followed_to_its_end(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        """
def score(text):
    total = 0
    for position in range(20_000):
        total = step(total, position)
    return finish(total)
def step(total, position):
    if position % 7 == 3:
        total = total + weight(position)
    return total
def weight(position):
    return position * 2
def finish(total):
    return rounded(total)
def rounded(total):
    return total
def after():
    return None
for word in ["a", "b", "c"]:
    score(word)
after()
""",
    )
    assert found.callees["main"] == ["main.after", "main.score"]
    assert set(found.callees["main.score"]) >= {"main.step", "main.finish"}
    assert found.callees["main.step"] == ["main.weight"]
    assert found.callees["main.finish"] == ["main.rounded"]


def test_a_function_called_very_often_still_calls_whatever_it_is_handed(tmp_path: Path) -> None:
    last = callees(
        tmp_path,
        """
def apply(function, value):
    result = value
    for _ in range(20):
        result = result + 1
    return function(result)
def usual(value):
    return value
def unusual(value):
    return value
for number in range(400):
    apply(usual, number)
apply(unusual, 1)
""",
        "main.apply",
    )
    assert last == {"<builtin>.range", "main.unusual", "main.usual"}


def test_closures_of_one_function_are_told_apart(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        """
def wrap(function):
    def forward(value):
        for _ in range(300):
            value = value + 0
        return function(value)
    return forward
def one(value):
    return value
def two(value):
    return value
first, second = wrap(one), wrap(two)
for number in range(20):
    first(number)
second(1)
""",
    )
    assert found.callees["main.wrap.forward"] == ["<builtin>.range", "main.one", "main.two"]


def test_dispatch_by_a_name_that_is_not_known_reaches_every_method(tmp_path: Path) -> None:
    methods = "\n".join(f"    def visit_kind{number}(self, node):\n        return node" for number in range(90))
    found = callees(
        tmp_path,
        f"""
import sys
class Visitor:
    def visit(self, node):
        return getattr(self, "visit_" + type(node).__name__, self.generic)(node)
    def generic(self, node):
        return node
{methods}
Visitor().visit(sys.stdin.read().anything())
""",
        "main.Visitor.visit",
    )
    assert found >= {f"main.Visitor.visit_kind{number}" for number in range(90)}
    assert "main.Visitor.generic" in found


def test_what_a_library_class_calls_belongs_to_the_program_s_caller(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        """
import ast
import sys
class Names(ast.NodeVisitor):
    def visit_Name(self, node):
        keep(node.id)
    def visit_Call(self, node):
        self.generic_visit(node)
def keep(name):
    return name
Names().visit(ast.parse(sys.stdin.read()))
""",
    )
    assert {"main.Names.visit_Call", "main.Names.visit_Name"} <= set(found.callees["main"])
    assert "main.Names.visit_Name" in found.callees["main.Names.visit_Call"]
    assert found.callees["main.Names.visit_Name"] == ["main.keep"]


def test_names_of_what_is_not_there(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        """
from absent import Client, helper, Parent
class Child(Parent):
    def run(self):
        return self.inherited()
client = Client("a")
client.send()
helper().unknown()
Child().run()
""",
    )
    assert found.callees["main"] == [
        "absent.Client",
        "absent.Client.send",
        "absent.Parent.__init__",
        "absent.helper",
        "main.Child.run",
    ]
    assert found.callees["main.Child.run"] == ["absent.Parent.inherited"]


def test_names_of_built_ins(tmp_path: Path) -> None:
    found = callees(
        tmp_path,
        """
class Names(list):
    def __init__(self):
        super().__init__()
names = Names()
names.append("a")
text = ",".join(names)
print(text.upper(), len(text), {}.get("a"), (n for n in names).close())
raise ValueError
""",
    )
    assert found == {
        "<builtin>.dict.get",
        "<builtin>.generator.close",
        "<builtin>.len",
        "<builtin>.list.append",
        "<builtin>.print",
        "<builtin>.str.join",
        "<builtin>.str.upper",
        "main.Names.__init__",
    }


def test_a_class_body_belongs_to_what_is_around_it(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        """
def size():
    return 1
class Outer:
    first = size()
    table = [size() for _ in range(2)]
    class Inner:
        second = size()
def make():
    class Local:
        third = [size() for _ in range(2)]
    return Local
make()
""",
    )
    assert found.callees == {
        "main": ["<builtin>.range", "main.make", "main.size"],
        "main.make": ["<builtin>.range", "main.size"],
    }


def test_a_child_process_is_followed(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        """
import subprocess
import sys
def start():
    subprocess.run([sys.executable, "child.py"])
start()
--- child.py
def work():
    return None
work()
""",
    )
    assert found.callees == {"child": ["child.work"], "main": ["main.start"], "main.start": ["subprocess.run"]}


def test_what_a_bound_left_out_is_said(tmp_path: Path) -> None:
    source = """
def step(number):
    return number
def last():
    return None
for first in range(200):
    for second in range(200):
        step(second)
last()
"""
    assert graph(tmp_path / "whole", source).unfollowed == ()
    left = graph(tmp_path / "bounded", source, limits=Limits(steps=2_000))
    assert left.unfollowed == ("python main.py",)
    assert left.callees["main"] == ["<builtin>.range", "main.step"]


def test_a_program_that_is_seen_to_end_is_looked_at_beyond_that(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        """
TABLE = {"a": 1}
def pick(name):
    return TABLE[name]
def first():
    return None
def other():
    return None
def last():
    return None
if pick("b"):
    first()
else:
    other()
last()
""",
    )
    assert found.callees["main"] == ["main.first", "main.last", "main.other", "main.pick"]
    assert found.unfollowed == ("main.pick",)


def test_a_program_that_exits_is_believed(tmp_path: Path) -> None:
    source = """
import sys
def last():
    return None
sys.exit(1)
last()
"""
    assert callees(tmp_path, source) == {"sys.exit"}


def test_an_argument_may_hold_itself(tmp_path: Path) -> None:
    source = """
def walk(items):
    return len(items)
items = []
items.append(items)
walk(items)
"""
    assert "main.walk" in callees(tmp_path, source)


def test_a_list_of_its_own_kind_grows_in_place(tmp_path: Path) -> None:
    source = """
class Words(list):
    def __init__(self, text):
        self += text.split()
    def current(self):
        return self[0] if len(self) else None
def option():
    return None
words = Words("--all")
if words.current() == "--all":
    option()
"""
    assert callees(tmp_path, source) == {"main.Words.__init__", "main.Words.current", "main.option"}


def test_object_setattr_passes_the_own_setattr_over_but_not_a_property(tmp_path: Path) -> None:
    source = """
class Fixed:
    def __init__(self):
        object.__setattr__(self, "size", 3)
        object.__setattr__(self, "name", "x")
    def __setattr__(self, name, value):
        raise AttributeError(name)
    @property
    def name(self):
        return self.size
    @name.setter
    def name(self, value):
        note(value)
def note(value):
    return None
Fixed().size.bit_length()
"""
    found = graph(tmp_path, source).callees
    assert found["main.Fixed.__init__"] == ["<builtin>.object.__setattr__", "main.Fixed.name"]
    assert "main.Fixed.__setattr__" not in found


def test_the_names_of_six_stand_for_the_standard_library(tmp_path: Path) -> None:
    source = """
import six
from six.moves import range, urllib
from six.moves.urllib.parse import quote
class Base:
    def run(self):
        quote("a")
@six.add_metaclass(type)
class Made(Base):
    pass
for _ in range(2):
    Made().run()
urllib.parse.urlencode({})
"""
    found = graph(tmp_path, source).callees
    assert found["main.Base.run"] == ["urllib.parse.quote"]
    assert {"<builtin>.range", "main.Base.run", "urllib.parse.urlencode"} <= set(found["main"])


def test_what_stands_behind_a_wrong_turn_is_gone_over_again(tmp_path: Path) -> None:
    # What a state may be is assigned in a part of the program that its path does not reach.
    source = """
import sys
class Parser:
    def __init__(self):
        self.state = self.start
        self.left = sys.stdin.read().split()
    def start(self):
        self.state = self.inside
        return self.left[0]
    def inside(self):
        self.state = None
        return finish(self)
    def run(self):
        seen = []
        while self.state:
            seen.append(self.state())
        return seen
def finish(parser):
    return [].pop()
def report(seen):
    return seen[0].strip()
parser = Parser()
report(parser.run())
"""
    found = graph(tmp_path, source).callees
    assert {"main.Parser.start", "main.Parser.inside"} <= set(found["main.Parser.run"])
    assert found["main.Parser.inside"] == ["main.finish"]
    assert "main.report" in found["main"]


def test_a_method_of_an_object_that_is_not_known_is_one_of_that_name_of_a_class_in_use(tmp_path: Path) -> None:
    source = """
import pickle
class Model:
    def predict(self, rows):
        return scale(rows)
class Unused:
    def predict(self, rows):
        return rows
class Other:
    def predict(self):
        return None
def scale(rows):
    return rows
Model()
Other()
with open("model.bin", "rb") as file:
    pickle.load(file).predict([1])
"""
    found = graph(tmp_path, source).callees
    assert "main.Model.predict" in found["main"]
    assert found["main.Model.predict"] == ["main.scale"]
    assert not {"main.Unused.predict", "main.Other.predict"} & set(found["main"])


def test_a_program_whose_path_is_known_is_not_gone_over_again(tmp_path: Path) -> None:
    source = """
def first():
    raise ValueError
def second(flag):
    if flag:
        never()
def never():
    return None
try:
    first()
    never()
except ValueError:
    second(False)
"""
    assert callees(tmp_path, source) == {"main.first", "main.second"}


def test_a_function_is_bound_by_its_descriptor(tmp_path: Path) -> None:
    source = """
class Handler:
    def on_start(self):
        return self.note()
    def note(self):
        return 1
table = {"start": Handler.on_start}
table["start"].__get__(Handler())()
"""
    assert graph(tmp_path, source).callees["main.Handler.on_start"] == ["main.Handler.note"]


def test_a_private_name_is_that_of_its_class(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        """
def one(): return 1
def two(): return 2
class Base:
    def __init__(self): self.__hook = one
    def __step(self): return one()
    def run(self):
        self.__hook()
        return self.__step()
class Derived(Base):
    def __init__(self):
        super().__init__()
        self.__hook = two
    def __step(self): return two()
    def go(self):
        self.run()
        self.__hook()
        return self.__step()
Derived().go()
""",
    ).callees
    assert set(found["main.Base.run"]) == {"main.one", "main.Base.__step"}
    assert set(found["main.Derived.go"]) == {"main.Base.run", "main.two", "main.Derived.__step"}


def test_classes_that_answer_for_themselves(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        """
from abc import ABC
class Shape(ABC):
    @classmethod
    def __subclasshook__(cls, other): return NotImplemented
class Square:
    def area(self): return 1
Shape.register(Square)
class Meta(type):
    @classmethod
    def __prepare__(mcs, name, bases): return Names()
    def __new__(mcs, name, bases, names): return type.__new__(mcs, name, bases, dict(names))
    def __instancecheck__(cls, obj): return True
class Names(dict):
    def __setitem__(self, key, value): super().__setitem__(key, value)
class Any(metaclass=Meta):
    value = 1
class Seen:
    def __getattribute__(self, name): return object.__getattribute__(self, name)
    def go(self): return 1
class Pair(tuple):
    def __new__(cls, one, two): return tuple.__new__(cls, (one, two))
    @property
    def first(self): return self[0]
def check(value):
    if isinstance(value, Shape):
        return value.area()
    return other()
def other(): return 0
check(Square())
isinstance(1, Any)
Seen().go()
Pair(other, 1).first()
""",
    ).callees
    assert found["main.check"] == ["<builtin>.isinstance", "main.Square.area"]
    assert {
        "main.Meta.__prepare__", "main.Names.__setitem__", "main.Meta.__new__", "main.Meta.__instancecheck__",
        "main.Seen.__getattribute__", "main.Seen.go", "main.Pair.__new__", "main.Pair.first", "main.other",
    } <= set(found["main"])  # fmt: skip


def test_a_package_that_imports_what_it_lacks_while_it_is_imported_itself(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        """
from pack import go
go()
--- pack/__init__.py
from .low import go
--- pack/low.py
def plain(): return 1
try:
    from . import fast
except ImportError:
    pass
else:
    plain = fast.plain
def go(): return plain()
""",
    ).callees
    assert found["pack.low.go"] == ["pack.low.plain"]


def test_short_calls_do_what_they_do_to_their_objects(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        """
class Node:
    def __init__(self, kind):
        self.kind = kind
        self.below = []
    def add(self, node):
        self.below.append(node)
def first(): return 1
def last(): return 2
root = Node(first)
for number in range(1500):
    root.add(Node(last if number == 1490 else first))
for node in root.below:
    node.kind()
""",
        limits=Limits(unroll=2_000),
    ).callees
    assert {"main.first", "main.last"} <= set(found["main"])
