"""Whatever is analysed, the analysis ends within its budget, raises nothing, and says the same twice."""
# ruff: noqa: E501 - program texts stay as they are written

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from taskgates.inference.engine import Analyser, InferenceOptions
from taskgates.inference.limits import Limits
from taskgates.model.task import Command
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from taskgates.model.access import AccessSet

BUDGET = InferenceOptions(limits=Limits(steps=6_000))

NAMES = st.sampled_from(["a", "b", "c", "f", "g"])
LITERALS = st.sampled_from(
    ["1", "0", "-3", "None", "True", "'x'", "'d/y'", "''", "[]", "['p', 'q']", "{}", "{'k': 'v'}", "(1, 2)", "range(3)",
     "range(10**9)", "2.5", "b'z'", "...", "{1, 2}"]
)  # fmt: skip
CALLABLES = st.sampled_from(
    ["len", "str", "repr", "list", "dict", "set", "tuple", "sorted", "min", "max", "sum", "zip", "map", "filter", "iter",
     "next", "enumerate", "reversed", "any", "isinstance", "type", "range", "print", "vars", "divmod", "round",
     "itertools.chain", "itertools.count", "itertools.groupby", "itertools.islice", "itertools.product",
     "itertools.accumulate", "itertools.zip_longest", "itertools.cycle", "functools.reduce", "functools.partial",
     "collections.Counter", "collections.deque", "collections.ChainMap", "collections.defaultdict",
     "collections.namedtuple", "heapq.heappush", "heapq.nlargest", "bisect.insort", "operator.itemgetter",
     "operator.add", "re.sub", "re.findall", "json.dumps", "json.loads", "os.path.join", "Path", "hashlib.md5",
     "datetime.date", "decimal.Decimal", "io.StringIO", "textwrap.wrap", "shlex.split", "contextlib.suppress",
     "enum.Enum", "dataclasses.replace", "copy.deepcopy", "string.Template", "urllib.parse.urlsplit", "base64.b64encode",
     "struct.pack", "difflib.get_close_matches", "csv.reader", "asyncio.run", "threading.Lock"]
)  # fmt: skip
EXPRESSIONS = st.recursive(
    st.one_of(NAMES, LITERALS),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/%|&"), inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or", "<", "==", "in", "is"]), inner),
        st.builds("f'n{{{}}}'".format, NAMES),
        st.builds("str({})".format, inner),
        st.builds("[{} for a in {}]".format, inner, inner),
        st.builds("{{{}: {}}}".format, NAMES, inner),
        st.builds("({} for b in {})".format, inner, inner),
        st.builds("(lambda a=1, *b: {})".format, inner),
        st.builds("{}({})".format, NAMES, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}.{}".format, NAMES, NAMES),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("open({}, {})".format, inner, st.sampled_from(["'r'", "'w'", "'a'", "b"])),
        st.builds(
            "{}.{}({})".format, inner, st.sampled_from(["append", "join", "format", "get", "split", "pop"]), inner
        ),
        st.builds("(c := {})".format, inner),
        st.builds("sorted({}, key={})".format, inner, NAMES),
        st.builds("next(iter({}), {})".format, inner, inner),
        st.builds("getattr({}, {})".format, inner, inner),
        st.builds("[*{}, {}]".format, inner, inner),
        st.builds("{{**{}, 'k': {}}}".format, inner, inner),
        st.builds("{}(*{}, **{})".format, NAMES, inner, inner),
        st.builds("[(a, b) for a in {} if {} for b in {}]".format, inner, inner, inner),
        st.builds("{{a: [b for b in a] for a in {}}}".format, inner),
        st.builds("(lambda a={}, *, b={}: (a, b, c))({})".format, inner, inner, inner),
        st.builds("{}[{}:{}]".format, inner, inner, inner),
        st.builds("not {}".format, inner),
        st.builds("({} < {} <= {})".format, inner, inner, inner),
        st.builds("{}({})".format, CALLABLES, inner),
        st.builds("{}({}, {})".format, CALLABLES, inner, inner),
        st.builds("f'{{{}!r:>{{{}}}}}'".format, NAMES, NAMES),
    ),
    max_leaves=5,
)


def indented(body: list[str]) -> str:
    """A block."""
    return "\n".join("    " + line for statement in body for line in statement.splitlines())


SIMPLE = st.one_of(
    st.builds("{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("{} += {}".format, NAMES, EXPRESSIONS),
    st.builds("a, *b = {}".format, EXPRESSIONS),
    st.builds("a[{}] = {}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("b.f = {}".format, EXPRESSIONS),
    st.builds("del {}".format, NAMES),
    st.builds("open(f'out/{{{}}}.txt', 'w')".format, NAMES),
    st.builds("Path({}).write_text({})".format, EXPRESSIONS, EXPRESSIONS),
    EXPRESSIONS,
    st.just("raise ValueError(a)"),
    st.just("pass"),
    st.builds("raise {} from {}".format, EXPRESSIONS, NAMES),
    st.builds("assert {}, {}".format, EXPRESSIONS, NAMES),
    st.builds("(a, (b, *c)), f = {}, g".format, EXPRESSIONS),
    st.builds("a: int = {}".format, EXPRESSIONS),
    st.builds("del a[{}]".format, EXPRESSIONS),
    st.builds("{}.{} = {}".format, NAMES, NAMES, EXPRESSIONS),
    st.builds("for a[0] in {}: pass".format, EXPRESSIONS),
    st.builds("print(*{}, file={})".format, EXPRESSIONS, NAMES),
    st.builds("b = {}.__class__.__name__".format, NAMES),
)


DECORATORS = st.sampled_from(
    ["@f", "@g(1)", "@lambda a: a", "@functools.lru_cache", "@functools.wraps(f)", "@contextlib.contextmanager",
     "@property", "@dataclasses.dataclass", "@dataclasses.dataclass(order=True)", "@functools.singledispatch", "@enum.unique",
     "@b.setter", "@atexit.register"]
)  # fmt: skip
BASES = st.sampled_from(
    ["", "a", "f", "dict", "str", "int", "Exception", "Path", "enum.Enum", "enum.IntFlag", "typing.NamedTuple", "threading.Thread",
     "string.Template", "collections.UserDict", "abc.ABC, b"]
)  # fmt: skip
DUNDERS = st.sampled_from(
    ["__init__", "__new__", "__call__", "__getattr__", "__getitem__", "__setitem__", "__iter__", "__next__", "__len__", "__bool__",
     "__eq__", "__lt__", "__add__", "__radd__", "__iadd__", "__truediv__", "__contains__", "__enter__", "__exit__", "__str__",
     "__repr__", "__format__", "__fspath__", "__del__", "__hash__", "__set_name__", "__init_subclass__", "__get__", "__missing__",
     "__await__", "__aiter__", "__anext__", "run", "k"]
)  # fmt: skip
METHODS = st.lists(
    st.builds("    def {}(self, *a, **b):\n        self.{} = a\n        return {}".format, DUNDERS, NAMES, EXPRESSIONS),
    min_size=1,
    max_size=3,
).map("\n".join)


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Statements with blocks."""
    block = st.lists(inner, min_size=1, max_size=3).map(indented)
    return st.one_of(
        st.builds("if {}:\n{}\nelse:\n{}".format, EXPRESSIONS, block, block),
        st.builds("for a in {}:\n{}".format, EXPRESSIONS, block),
        st.builds("for b in {}:\n{}\n    if b: break\nelse:\n    c = 1".format, EXPRESSIONS, block),
        st.builds("while {}:\n{}".format, EXPRESSIONS, block),
        st.builds("while True:\n{}\n    if c: continue\n    break".format, block),
        st.builds("def {}(a=None, *b, **c):\n{}\n    return {}".format, NAMES, block, EXPRESSIONS),
        st.builds("def {0}(a=0):\n{1}\n    return {0}({2})".format, NAMES, block, EXPRESSIONS),
        st.builds("def {}(a=0):\n{}\n    yield {}\n    yield from {}".format, NAMES, block, EXPRESSIONS, NAMES),
        st.builds("def {}(a=0):\n    global c\n    c = a\n    def g():\n        nonlocal a\n        a = {}\n    g()\n{}".format,
                  NAMES, EXPRESSIONS, block),
        st.builds("class {}:\n    k = {}\n    def f(self, *a):\n        self.v = a\n        return self\n".format, NAMES, EXPRESSIONS),
        st.builds("class a({}):\n    pass\n    def __getitem__(self, i): return self[i]".format, NAMES),
        st.builds("try:\n{}\nexcept ValueError as c:\n{}\nexcept Exception:\n    a = 1\nfinally:\n{}".format, block, block, block),
        st.builds("with open({}) as c:\n{}".format, EXPRESSIONS, block),
        st.builds("match {}:\n    case [a, *b]:\n        pass\n    case {{'k': c}}:\n        pass\n    case _:\n        f = 1".format,
                  EXPRESSIONS),
        st.builds("async def {}(a=0):\n{}\n    await f()".format, NAMES, block),
        st.builds("async def {}(a=0):\n    async with {} as c:\n        pass\n    async for b in {}:\n        yield b\n{}".format,
                  NAMES, EXPRESSIONS, EXPRESSIONS, block),
        st.builds("{}\ndef {}(*a, **b):\n{}".format, DECORATORS, NAMES, block),
        st.builds("{}\nclass {}({}):\n    k = {}\n{}".format, DECORATORS, NAMES, BASES, EXPRESSIONS, METHODS),
        st.builds("class {}(b, metaclass={}, x={}):\n{}".format, NAMES, NAMES, EXPRESSIONS, METHODS),
        st.builds("try:\n{}\nexcept* (ValueError, OSError) as c:\n{}".format, block, block),
        st.builds("try:\n{}\nexcept {} as c:\n    raise\nelse:\n{}".format, block, NAMES, block),
        st.builds("match {}:\n    case Path(a) | str(a):\n{}\n    case {{'k': [a, *_], **c}} if {}:\n{}\n    case (1 | 2) as b:\n        pass".format,
                  EXPRESSIONS, block, EXPRESSIONS, block),
        st.builds("match {}:\n    case f.a:\n{}\n    case a:\n        open(f'm{{a}}', 'w')".format, EXPRESSIONS, block),
        st.builds("def {}(a=0, /, *, b={}):\n    c = yield a\n{}\n    return c".format, NAMES, EXPRESSIONS, block),
        st.builds("if (n := {}):\n{}\nelif n:\n{}".format, EXPRESSIONS, block, block),
        st.builds("with {} as a, contextlib.suppress({}):\n{}".format, EXPRESSIONS, NAMES, block),
        st.builds("def {}():\n    global a\n    del a\n{}".format, NAMES, block),
        st.builds("while (a := next(b, None)) is not None:\n{}\nelse:\n{}".format, block, block),
    )  # fmt: skip


STATEMENTS = st.recursive(SIMPLE, compound, max_leaves=8)
PROGRAMS = st.lists(STATEMENTS, min_size=1, max_size=8).map(
    lambda body: (
        "import abc, asyncio, atexit, base64, bisect, collections, contextlib, copy, csv, dataclasses, datetime, decimal\n"
        "import difflib, enum, functools, hashlib, heapq, io, itertools, json, operator, os, re, shlex, string, struct\n"
        "import textwrap, threading, typing, urllib.parse\n"
        "from pathlib import Path\na, b, c = 1, [], {}\ndef f(*a, **b): return a\ndef g(a=1): yield a\n"
        + "\n".join(body)
        + "\n"
    )
)


def analyse(root: Path, options: InferenceOptions = BUDGET) -> AccessSet:
    return Analyser(Tree(root), options).command(Command(argv=("python", "main.py")))


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(PROGRAMS)
def test_generated_programs_end_and_give_the_same_bytes(code: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "main.py").write_text(code, encoding="utf-8")
        first, second = analyse(root), analyse(root)
        assert msgspec.json.encode(first) == msgspec.json.encode(second)


HOSTILE = {
    "deep parentheses": "x = " + "(" * 90 + "1" + ")" * 90 + "\nopen('a', 'w')\n",
    "deep lists": "x = " + "[" * 90 + "]" * 90 + "\nopen('a', 'w')\n",
    "deep blocks": "".join(" " * level + "if x:\n" for level in range(90)) + " " * 90 + "open('a', 'w')\n",
    "deep attributes": "x" + ".a" * 3000 + "\nopen('a', 'w')\n",
    "deep calls": "f = lambda x: x\n" + "f(" * 80 + "1" + ")" * 80 + "\nopen('a', 'w')\n",
    "long sum": "x = " + " + ".join(["1"] * 5000) + "\nopen('a', 'w')\n",
    "long concatenation": "x = " + " + ".join(["'a'"] * 5000) + "\nopen(x[:3], 'w')\n",
    "long or": "x = " + " or ".join(["0"] * 3000) + "\nopen('a', 'w')\n",
    "long elif": "x = 1\nif x == 0: pass\n" + "".join(f"elif x == {n}: pass\n" for n in range(2, 400)) + "open('a', 'w')\n",
    "long list": "x = [" + "1, " * 20000 + "]\nopen('a', 'w')\n",
    "huge number": "x = 9 ** 9 ** 9\ny = 1 << 10 ** 9\nopen('a', 'w')\n",
    "huge literal": "x = " + "9" * 6000 + "\nprint(str(x))\nopen('a', 'w')\n",
    "huge string": "x = 'ab' * 10 ** 10\ny = [0] * 10 ** 10\nz = 'a'.ljust(10 ** 10)\nopen('a', 'w')\n",
    "huge range": "for i in range(10 ** 12):\n    x = i\nlist(range(10 ** 12))\nsum(range(10 ** 12))\nopen('a', 'w')\n",
    "doubling string": "x = 'a'\nfor i in range(200):\n    x = x + x\nopen('a', 'w')\n",
    "doubling list": "x = [1]\nfor i in range(200):\n    x = x + x\nopen('a', 'w')\n",
    "list extended by itself": "x = [1]\nfor i in range(200):\n    x.extend(x)\n    x += x\nopen('a', 'w')\n",
    "list in itself": "x = []\nx.append(x)\nstr(x)\nx == x\nopen('a', 'w')\n",
    "dict in itself": "x = {}\nx['x'] = x\nstr(x)\nx == x\nopen('a', 'w')\n",
    "own base": "class A: pass\nA.a = A\nA.a.a.a.b = A()\nopen('a', 'w')\n",
    "endless while": "while True:\n    open('a', 'w')\n",
    "endless recursion": "def f(n):\n    open('a', 'w')\n    return f(n + 1)\nf(0)\n",
    "endless mutual recursion": "def f(n): return g(n + 'x')\ndef g(n): open('a', 'w'); return f(n)\nf('')\n",
    "endless generator": "def f():\n    while True: yield 'a'\nfor n in f(): open(n, 'w')\n",
    "endless iterator": "import itertools\nfor n in itertools.count(): open('a', 'w')\n",
    "two iterators of each other": "def f(): yield from g()\ndef g(): yield from f()\nopen('a', 'w')\nlist(f())\n",
    "property of itself": "class A:\n    @property\n    def a(self): return self.a\nopen('a', 'w')\nA().a\n",
    "getattr of itself": "class A:\n    def __getattr__(self, n): return getattr(self, n + 'x')\nopen('a', 'w')\nA().a\n",
    "decorator of itself": "def d(f): return d\nx = d\nfor i in range(100): x = x(x)\nopen('a', 'w')\n",
    "catastrophic expression": "import re\nopen('a', 'w')\nre.match('(a+)+$', 'a' * 40 + 'b')\n",
    "import of itself": "import main\nopen('a', 'w')\n",
    "exec and eval": "open('a', 'w')\nexec('x' * 100)\neval('(' * 500)\nexec(open('a').read())\n",
    "names that are not there": "open('a', 'w')\nno.such(thing)[other](**more)\n",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_programs_end_with_what_was_seen(name: str, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(HOSTILE[name], encoding="utf-8")
    found = analyse(tmp_path, InferenceOptions(limits=Limits(steps=20_000)))
    paths = {access.path for access in found.writes}
    assert paths & {"a", "aaa"} or not found.complete, found


ENCODINGS: dict[str, bytes] = {
    "latin-1 declared": "# -*- coding: latin-1 -*-\nopen('é', 'w')\n".encode("latin-1"),
    "latin-1 undeclared": "open('é', 'w')\n".encode("latin-1"),
    "byte order mark": b"\xef\xbb\xbfopen('a', 'w')\n",
    "utf-16": "open('a', 'w')\n".encode("utf-16"),
    "NUL": b"open('a\0b', 'w')\0\n",
    "NUL in a literal": b"open('a\\0b', 'w')\nopen('c', 'w')\n",
    "carriage returns": b"open('a', 'w')\r\nopen('b', 'w')\r\n",
    "old line ends": b"open('a', 'w')\ropen('b', 'w')\r",
    "form feed": b"\x0copen('a', 'w')\n",
    "no end": b"open('a', 'w')",
    "empty": b"",
    "only a comment": b"#",
    "open string": b"x = '''abc\n",
    "open parenthesis": b"f((((\n",
    "wrong indentation": b"if x:\n  a\n b\n",
    "tabs and spaces": b"if 1:\n\tx = 1\n        y = 2\n",
    "Python 2": b"print 'x'\nexec 'y'\n",
    "unknown encoding": b"# coding: no-such-encoding\nopen('a', 'w')\n",
    "surrogate": b"open('\\ud800', 'w')\n",
    "random bytes": bytes(range(256)),
    "a line of a megabyte": b"x = '" + b"a" * 1_000_000 + b"'\nopen('a', 'w')\n",
}


@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_hostile_sources_are_read_or_reported(name: str, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_bytes(ENCODINGS[name])
    analyser = Analyser(Tree(tmp_path), BUDGET)
    found = analyser.command(Command(argv=("python", "main.py")))
    msgspec.json.encode(found)
    try:
        compile(ENCODINGS[name], "main.py", "exec")
    except (SyntaxError, ValueError):
        assert analyser.problems or not found.complete
    else:
        assert not analyser.problems
        if b"'a', 'w'" in ENCODINGS[name]:
            assert "a" in {access.path for access in found.writes}


def test_a_budget_that_runs_out_is_said(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import os\n" + "".join(f"def f{n}(x):\n    open(f'o{{x}}{n}', 'w')\n" for n in range(50))
        + "n = 0\nwhile n < 10 ** 6:\n    n += 1\n" + "".join(f"    f{n}(n)\n" for n in range(50)),
        encoding="utf-8",
    )  # fmt: skip
    found = analyse(tmp_path, InferenceOptions(limits=Limits(steps=500)))
    assert not found.complete
    assert found.opaque
