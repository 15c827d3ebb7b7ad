"""Which functions can reach an effect, and what may be cut."""

from __future__ import annotations

import textwrap

import pytest
from taskgates.inference.effects import load_effects
from taskgates.inference.objects import FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.relevance import Mentions, Relevance
from taskgates.inference.values import Ext
from taskgates.syntax import ir
from taskgates.syntax.lower import lower_source


@pytest.fixture(scope="module")
def mentions() -> Mentions:
    return Mentions(load_effects([]))


def relevant(mentions: Mentions, **modules: str) -> set[str]:
    """The names of the functions of the modules (source by name) that can reach an effect."""
    relevance = Relevance(mentions)
    functions: dict[str, ir.Function] = {}
    for name, text in modules.items():
        lowered = lower_source(textwrap.dedent(text))
        assert isinstance(lowered, ir.Module)
        relevance.add(lowered, name)
        stack: list[tuple[str, list[ir.Stmt]]] = [("", lowered.body)]
        while stack:
            owner, body = stack.pop()
            for stmt in body:
                if isinstance(stmt, ir.FunctionDef):
                    functions[owner + stmt.function.name] = stmt.function
                elif isinstance(stmt, ir.ClassDef):
                    stack.append((f"{stmt.name}.", stmt.body))
    return {name for name, function in functions.items() if relevance.relevant(function)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(p):\n    open(p)\ndef g(p):\n    f(p)\ndef h(x):\n    return x + 1\n", {"f", "g"}),
        ("import shutil as s\ndef f(p):\n    s.rmtree(p)\ndef g(d):\n    return d.copy()\n", {"f"}),
        ("from os import remove as drop\ndef f(p):\n    drop(p)\ndef drop2(p):\n    p.drop()\n", {"f"}),
        ("def f(p):\n    p.write_text('x')\ndef g(s):\n    return s.strip().upper()\n", {"f"}),
        ("import os\ndef f():\n    return os.environ.get('X')\ndef g():\n    os.environ['X'] = '1'\n", {"g"}),
        ("N = 0\ndef f():\n    global N\n    N += 1\ndef g():\n    return N\ndef h():\n    N = 2\n", {"f", "g"}),
        ("def f(x, seen=[]):\n    seen.append(x)\ndef g(x, pair=(1, 2)):\n    return pair[0]\n", {"f"}),
        ("import json\ndef f(t):\n    return json.loads(t)\n", set()),
        ("import unheard_of\ndef f(p):\n    unheard_of.work(p)\n", {"f"}),
    ],
    ids=["builtin", "alias", "from", "method", "environment", "global", "default", "pure", "unknown-library"],
)
def test_effects_by_name(mentions: Mentions, text: str, expected: set[str]) -> None:
    assert relevant(mentions, m=text) == expected


def test_a_parameter_hides_a_function_of_the_same_name(mentions: Mentions) -> None:
    text = "def save(p):\n    open(p, 'w')\ndef f(save):\n    return save.upper()\ndef g():\n    save('x')\n"
    assert relevant(mentions, m=text) == {"save", "g"}


def test_methods_of_self_are_those_of_the_family(mentions: Mentions) -> None:
    text = """
        class Base:
            def run(self):
                return self.step()
            def step(self):
                return 0
        class Writer(Base):
            def step(self):
                open("x", "w")
        class Other:
            def step(self):
                return 1
            def go(self):
                return self.step()
    """
    assert relevant(mentions, m=text) == {"Base.run", "Writer.step"}


def test_annotations_and_constructors_show_the_class_of_a_receiver(mentions: Mentions) -> None:
    text = """
        class Store:
            def put(self, p):
                open(p, "w")
        class Pile:
            def put(self, p):
                return p
        def a(store: Store):
            store.put("x")
        def b(pile: "Pile | None"):
            pile.put("x")
        def c():
            pile = Pile()
            pile.put("x")
        def d(thing):
            thing.put("x")
        class Holder:
            def __init__(self, pile: Pile):
                self.pile = pile
                self.store = Store()
            def e(self):
                self.pile.put(1)
            def f(self):
                self.store.put(1)
    """
    assert relevant(mentions, m=text) == {"Store.put", "a", "d", "Holder.f"}


def test_what_the_language_calls_counts_for_those_who_make_the_object(mentions: Mentions) -> None:
    text = """
        class Log:
            def __enter__(self):
                open("log", "w")
            def __exit__(self, *_):
                pass
        class Loud(Log):
            pass
        def f():
            with Loud():
                pass
        def g(value):
            return isinstance(value, Log)
    """
    assert relevant(mentions, m=text) == {"Log.__enter__", "f"}


def test_computed_names_and_tables_of_functions(mentions: Mentions) -> None:
    text = """
        class Visitor:
            def visit(self, kind):
                return getattr(self, f"visit_{kind}")()
            def other(self, kind):
                return getattr(self, "leave_" + kind)()
            def visit_file(self):
                open("x")
            def leave_file(self):
                return 1
        def load():
            open("y")
        TABLE = {"load": load}
        def run(name):
            TABLE[name]()
        def pick(numbers):
            return numbers[0] + 1
    """
    assert relevant(mentions, m=text) == {"Visitor.visit", "Visitor.visit_file", "load", "run"}


def test_effects_reach_across_modules_and_not_from_module_bodies(mentions: Mentions) -> None:
    lib = "import os\nHERE = os.listdir('.')\ndef clean(p):\n    os.remove(p)\ndef names():\n    return HERE\n"
    main = "import lib\nfrom lib import clean as tidy, names\ndef f():\n    tidy('x')\ndef g():\n    return names()\n"
    assert relevant(mentions, lib=lib, main=main) == {"clean", "f"}


def test_the_answer_grows_with_the_modules_loaded(mentions: Mentions) -> None:
    base = lower_source("class Base:\n    def run(self):\n        return self.step()\n")
    derived = lower_source("class Derived(Base):\n    def step(self):\n        open('x')\n")
    assert isinstance(base, ir.Module)
    assert isinstance(derived, ir.Module)
    assert isinstance(base.body[0], ir.ClassDef)
    assert isinstance(base.body[0].body[0], ir.FunctionDef)
    run = base.body[0].body[0].function
    relevance = Relevance(mentions)
    relevance.add(base, "base")
    assert not relevance.relevant(run)
    relevance.add(derived, "derived")
    assert relevance.relevant(run)


def test_what_makes_an_object_is_not_called_by_those_who_find_it_made(mentions: Mentions) -> None:
    text = """
        from elsewhere import sealed
        class Base:
            def __init__(self):
                self.found = open("settings").read()
        @sealed(True)
        class Settings(Base):
            width = 3
        class Loud(Base):
            def __len__(self):
                return len(open("x").read())
        DEFAULT = Settings()
        LOUD = Loud()
        def f(text, settings=DEFAULT):
            return text[:settings.width]
        def g():
            return Settings()
        def h():
            return len(LOUD)
    """
    assert relevant(mentions, m=text) == {"Base.__init__", "Loud.__len__", "g", "h"}


METHOD_OR_FUNCTION = """
def run():
    open("x", "w")
class Step:
    def run(self):
        return 1
"""


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ("def go(steps):\n    return [s.run() for s in steps]\n", False),
        ("def go(step):\n    step.call = run\n    return step.run()\n", True),
        ("import importlib\ndef go(name):\n    return importlib.import_module(name).run()\n", True),
        ("import helpers\nSTEPS = [helpers]\ndef go():\n    return [s.run() for s in STEPS]\n", True),
    ],
    ids=["objects", "function-as-value", "imported-by-name", "module-as-value"],
)
def test_a_method_call_is_a_functions_only_where_a_module_may_be_meant(
    mentions: Mentions, more: str, found: bool
) -> None:
    assert ("go" in relevant(mentions, m=METHOD_OR_FUNCTION + more)) is found


def test_an_argument_that_is_not_given_names_no_file(mentions: Mentions) -> None:
    text = """
        import xml.etree.ElementTree as etree
        from xml.etree.ElementTree import ElementTree
        def f(root):
            return etree.ElementTree(root), ElementTree(root)
        def g(root, path):
            return etree.ElementTree(root, path)
        def h(path):
            return etree.ElementTree(file=path)
        def i(path):
            return etree.parse(path)
    """
    assert relevant(mentions, m=text) == {"g", "h", "i"}


def test_what_objects_hold_counts_and_cycles_of_objects_end(mentions: Mentions) -> None:
    lowered = lower_source("def f(p):\n    open(p)\ndef g(x):\n    return x\n")
    assert isinstance(lowered, ir.Module)
    relevance = Relevance(mentions)
    relevance.add(lowered, "m")
    module = ModuleV("m", "m.py", "")
    nodes = {stmt.function.name: stmt.function for stmt in lowered.body if isinstance(stmt, ir.FunctionDef)}
    cycle = Instance(Ext("m.Node"))
    other = Instance(Ext("m.Node"))
    cycle.slots["next"], other.slots["next"] = other, cycle
    assert not relevance.reaches(cycle)
    other.slots["call"] = FunctionV(nodes["g"], module, None, "g", {})
    assert not relevance.reaches(cycle)
    other.slots["all"] = ListObj("list", [FunctionV(nodes["f"], module, None, "f", {})])
    assert relevance.reaches(cycle)
