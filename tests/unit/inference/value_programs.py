"""Programs that build file names through the standard library, each beside what it is about.

Every program may call `w(name, ...)`, which makes files of these names.
"""
# ruff: noqa: E501 - program texts stay as they are written

from __future__ import annotations

EXACT: dict[str, str] = {
    "cause": r"""
try:
    try:
        open("nofile")
    except FileNotFoundError as e:
        raise RuntimeError("outer", "two") from e
except RuntimeError as error:
    w(type(error.__cause__).__name__, error.args[0], error.args[1])
""",
    "context": r"""
try:
    try:
        raise KeyError("k1")
    except KeyError:
        raise ValueError("v")
except ValueError as error:
    w("c_" + error.__context__.args[0], str(error), error.__class__.__name__)
""",
    "cause none": r"""
try:
    raise ValueError("plain")
except ValueError as error:
    if error.__cause__ is None: w("nocause")
    else: w("cause")
""",
    "own error args": r"""
class E(Exception):
    def __init__(self, name, code=3):
        super().__init__(name, code)
        self.name = name
try: raise E("nm")
except E as e: w(e.name, e.args[0] + str(e.args[1]), f"{e.code if hasattr(e, 'code') else 'no'}")
""",
    "error str many": r"""
try: raise ValueError("a", 1)
except ValueError as e: w(str(e.args), "x" + str(len(e.args)))
""",
    "error notes": r"""
try: raise ValueError("a")
except ValueError as e:
    e.add_note("note1")
    w(e.__notes__[0])
""",
    "oserror fields": r"""
try: open("missing.txt")
except OSError as e: w("f_" + e.filename, "e_" + str(e.errno), e.strerror.replace(" ", "_"))
""",
    "keyerror args": r"""
try: {}["kk"]
except KeyError as e: w(e.args[0], str(e))
""",
    "stopiteration value": r"""
def g():
    yield "y"
    return "rv"
it = g(); next(it)
try: next(it)
except StopIteration as e: w(e.value)
""",
    "systemexit code": r"""
import sys
try: sys.exit(4)
except SystemExit as e: w(f"exit{e.code}")
""",
    "counter counts": r"""
from collections import Counter
c = Counter("abracadabra")
w(f"a{c['a']}", f"z{c['z']}", f"t{sum(c.values())}")
for k, n in c.most_common(2): w(f"mc_{k}_{n}")
""",
    "counter iter": r"""
from collections import Counter
c = Counter(["x", "y", "x"]); c.update(["y", "y"]); c["q"] += 2; c.subtract(["x"])
for k, v in c.items(): w(f"{k}{v}")
w(*["e_" + k for k in c.elements()])
""",
    "counter arithmetic": r"""
from collections import Counter
c = Counter(a=2, b=1) + Counter(a=1); d = Counter(a=3) - Counter(a=1)
w(f"a{c['a']}b{c['b']}", f"d{d['a']}", f"tot{c.total()}", c.most_common()[0][0] + "_top", c.most_common(1)[0][0] + str(c.most_common(1)[0][1]))
""",
    "counter from dict": r"""
from collections import Counter
c = Counter({"m": 3, "n": 1}); m = c.most_common()
w(*(f"{k}-{v}" for k, v in m), max(c, key=c.get))
""",
    "count": r"""
import itertools
it = itertools.count(5)
w(f"n{next(it)}", f"n{next(it)}")
""",
    "count step zip": r"""
import itertools
for i, n in zip(itertools.count(10, 5), ["a", "b"]): w(f"{n}{i}")
""",
    "count break": r"""
import itertools
for i in itertools.count(1):
    w(f"f{i}")
    if i == 3: break
""",
    "count islice": r"""
from itertools import count, islice
for i in islice(count(2, 2), 3): w(f"i{i}")
""",
    "count global": r"""
import itertools
_ids = itertools.count()
def fresh(): return f"id{next(_ids)}"
w(fresh(), fresh(), fresh())
""",
    "count takewhile": r"""
from itertools import count, takewhile
for i in takewhile(lambda x: x < 3, count()): w(f"t{i}")
""",
    "groupby": r"""
from itertools import groupby
for key, group in groupby(["ax", "ay", "bz"], key=lambda s: s[0]):
    w(key, "-".join(group) + key)
""",
    "groupby sorted": r"""
from itertools import groupby
from operator import itemgetter
rows = [("x", 1), ("y", 2), ("x", 3)]
d = {k: [r[1] for r in g] for k, g in groupby(sorted(rows), key=itemgetter(0))}
w(*(f"{k}{len(v)}{v[0]}" for k, v in d.items()))
""",
    "groupby plain": r"""
from itertools import groupby
w(*(f"{k}{len(list(g))}" for k, g in groupby("aabccc")))
""",
    "islice step": r"""
from itertools import islice
w(*islice(["a", "b", "c", "d", "e"], 0, None, 2), *islice("xyz", 1))
""",
    "islice gen": r"""
from itertools import islice
def gen():
    for i in range(10): yield f"g{i}"
it = gen()
w(*islice(it, 2)); w("n_" + next(it))
""",
    "chain from iterable": r"""
from itertools import chain
w(*chain.from_iterable([["a"], ("b", "c"), {"d": 1}]), *chain.from_iterable("ef"))
""",
    "product repeat": r"""
from itertools import product
w(*("".join(p) for p in product("ab", repeat=2)), *(f"{a}{b}" for a, b in product([1, 2], "x")))
""",
    "zip_longest": r"""
from itertools import zip_longest
w(*(f"{a}{b}" for a, b in zip_longest("abc", [1], fillvalue="F")))
""",
    "accumulate": r"""
from itertools import accumulate
import operator
w(*(f"s{x}" for x in accumulate([1, 2, 3])), *(f"m{x}" for x in accumulate([1, 2, 3], operator.mul)), *accumulate(["p", "q"], lambda a, b: a + "-" + b), *(f"i{x}" for x in accumulate([1], initial=10)))
""",
    "pairwise": r"""
from itertools import pairwise
w(*(a + b for a, b in pairwise("abcd")))
""",
    "batched": r"""
import itertools
def batched(it, n):
    it = iter(it)
    while batch := tuple(itertools.islice(it, n)):
        yield batch
w(*("".join(b) for b in batched("abcde", 2)))
""",
    "batched lib": r"""
import itertools
if hasattr(itertools, "batched"):
    w(*("".join(b) for b in itertools.batched("abcde", 2)))
else:
    w("ab", "cd", "e")
""",
    "combinations": r"""
from itertools import combinations, permutations, combinations_with_replacement as cwr
w(*("c" + "".join(c) for c in combinations("abc", 2)), *("p" + "".join(c) for c in permutations("ab")), *("w" + "".join(c) for c in cwr("ab", 2)))
""",
    "takewhile dropwhile compress cycle": r"""
from itertools import takewhile, dropwhile, compress, cycle, repeat, filterfalse
w(*(f"t{x}" for x in takewhile(lambda x: x < 3, [1, 2, 3, 1])), *(f"d{x}" for x in dropwhile(lambda x: x < 3, [1, 2, 3, 1])), *compress(["a", "b"], [0, 1]))
c = cycle(["c1", "c2"]); w(next(c), next(c), next(c) + "again")
w(*(f"{a}{b}" for a, b in zip(["r", "s"], repeat("R"))), *repeat("rep", 2), *filterfalse(lambda x: x == "k", ["k", "l"]))
""",
    "tee": r"""
from itertools import tee
a, b, c = tee(["x", "y"], 3)
w(*a, *("b" + i for i in b), "c" + next(c))
""",
    "starmap": r"""
from itertools import starmap
w(*starmap("{}-{}".format, [("a", 1), ("b", 2)]))
""",
    "reduce": r"""
from functools import reduce
import operator
w(reduce(lambda a, b: a + "_" + b, ["x", "y", "z"]), "n" + str(reduce(operator.add, [1, 2, 3], 10)), reduce(lambda d, k: d[k], ["a", "b"], {"a": {"b": "deep"}}))
""",
    "itemgetter": r"""
from operator import itemgetter, attrgetter, methodcaller
g = itemgetter("n"); g2 = itemgetter(0, 2)
class P:
    def __init__(s, n): s.n = n; s.q = s
    def hi(s, x): return s.n + x
w(g({"n": "gn"}), "".join(g2("abc")), attrgetter("n")(P("pn")), attrgetter("q.n")(P("qn")), methodcaller("hi", "!")(P("h")), methodcaller("upper")("up"), "".join(attrgetter("n", "q.n")(P("z"))))
""",
    "sort by itemgetter": r"""
from operator import itemgetter, attrgetter
rows = [{"n": "b", "v": 1}, {"n": "a", "v": 2}]
w("first_" + sorted(rows, key=itemgetter("n"))[0]["n"], max(rows, key=itemgetter("v"))["n"] + "max", min(rows, key=lambda r: r["v"])["n"] + "min")
""",
    "template": r"""
from string import Template
w(Template("$a-${b}_$$x").substitute(a="A", b="B"), Template("$a-$c").safe_substitute({"a": "A"}), Template("$n").substitute({"n": "m"}, n="kw"))
""",
    "template own delimiter": r"""
from string import Template
class T(Template):
    delimiter = "%"
w(T("%a-%{b}").substitute(a="1", b="2"))
""",
    "textwrap": r"""
import textwrap
w(textwrap.dedent("   x").strip(), textwrap.indent("a", "_"), textwrap.shorten("hello world foo", 12, placeholder="~"), textwrap.wrap("aaa bbb", 3)[1], textwrap.fill("q r", 80).replace(" ", "_"))
""",
    "translate": r"""
t = str.maketrans("abc", "xyz", "-")
w("a-b-c".translate(t), "q/r".translate(str.maketrans({"/": "_"})), "h i".translate({ord(" "): "+"}))
""",
    "re groups": r"""
import re
m = re.search(r"(?P<y>\d{4})-(?P<m>\d\d)", "on 2024-05")
w(m["y"] + m["m"], "_".join(m.groups()), m.group(0), "".join(m.groupdict().values()), "s" + str(m.start()), m.expand(r"\g<m>x"), "".join(m.group("y", "m")))
""",
    "re sub function": r"""
import re
w(re.sub(r"\d", lambda m: str(int(m[0]) + 1), "a1b2"), re.sub(r"(?P<c>[a-z])", r"\g<c>_", "ab"), re.subn("a", "b", "aa")[0] + str(re.subn("a", "b", "aa")[1]), re.compile(r"[^\w]+").sub("-", "x y!z"))
""",
    "re sub named func": r"""
import re
T = {"name": "nn", "id": "7"}
def rep(m): return T[m.group("k")]
w(re.sub(r"\{(?P<k>\w+)\}", rep, "f_{name}_{id}"))
""",
    "re finditer": r"""
import re
for m in re.finditer(r"(\w)=(\w)", "a=1,b=2"): w(m[1] + m[2], f"p{m.start()}-{m.end()}")
""",
    "re split": r"""
import re
w(*re.split(r"[,;]\s*", "a, b;c"), *re.compile(r"(-)").split("d-e", maxsplit=1), re.escape("f.g").replace("\\", "_"), *re.findall(r"(\d)(\w)", "1a")[0])
""",
    "re fullmatch flags": r"""
import re
if re.fullmatch("ABC", "abc", re.I): w("full")
else: w("notfull")
if re.match(r"^x$", "x\n", re.M | re.S) and not re.match("q", "r"): w("ok")
""",
    "enum": r"""
from enum import Enum, IntEnum, StrEnum, auto, Flag
class C(Enum):
    RED = "r"
    BLUE = "b"
class I(IntEnum):
    ONE = 1
    TWO = 2
class S(StrEnum):
    FOO = auto()
    BAR = "bar"
w(*(c.name + c.value for c in C), C("b").name + "v", C["RED"].value + "n", f"{I.TWO:d}i", str(I(1).name), S.FOO, S.BAR + "x", f"{S.FOO}f", *("m" + m for m in C.__members__), f"len{len(C)}")
""",
    "enum methods": r"""
from enum import Enum
class F(Enum):
    CSV = (".csv", 1)
    TSV = (".tsv", 2)
    def __init__(self, ext, n): self.ext = ext; self.n = n
    @property
    def file(self): return f"out{self.ext}"
    @classmethod
    def parse(cls, s): return cls[s.upper()]
    @staticmethod
    def default(): return F.CSV
w(*(f.file for f in F), F.parse("tsv").file + str(F.parse("tsv").n), F.default().name, repr(F.CSV.value[0])[1:-1] + "z")
""",
    "enum missing and list": r"""
from enum import Enum
class L(str, Enum):
    A = "aa"
    B = "bb"
    @classmethod
    def _missing_(cls, v): return cls.A
w(list(L)[1].value, L("zz").value, ",".join(l for l in L), str(L.A == "aa"), L.A.value.upper(), [l for l in L if l is not L.A][0].name)
""",
    "enum unique aliases flag": r"""
import enum
@enum.unique
class K(enum.IntFlag):
    R = 1
    W = 2
k = K.R | K.W
w(f"k{k.value}", "has" if K.R in k else "not")
""",
    "enum functional": r"""
from enum import Enum
E = Enum("E", ["X", "Y"])
w(E.X.name + str(E.Y.value), *(e.name + "q" for e in E))
""",
    "dataclass": r"""
from dataclasses import dataclass, field, replace, asdict, astuple, fields
@dataclass
class D:
    a: str
    b: int = 2
    c: list = field(default_factory=lambda: ["dc"])
d = D("x"); e = replace(d, a="y")
w(e.a + str(e.b), *(f"{k}" for k in asdict(e)), "_".join(f.name for f in fields(D)) + "f", *e.c, astuple(d)[0] + "t", "".join(getattr(d, f.name) for f in fields(d) if f.name == "a") + "g")
""",
    "dataclass post init order": r"""
from dataclasses import dataclass, field, InitVar
@dataclass(order=True, frozen=True)
class V:
    n: int
    s: str = field(compare=False)
@dataclass
class P:
    base: str
    out: str = field(init=False)
    x: InitVar[str] = "ix"
    def __post_init__(self, x): self.out = self.base + x
w(min(V(2, "two"), V(1, "one")).s, P("p").out, sorted([V(3, "three"), V(0, "zero")])[0].s, max([V(3, "m3"), V(0, "m0")]).s, repr(V(1, "r")).replace(" ", ""))
""",
    "dataclass asdict nested": r"""
from dataclasses import dataclass, asdict
@dataclass
class A: x: str
@dataclass
class B: a: A; many: list
d = asdict(B(A("ax"), [A("l0")]))
w(d["a"]["x"], d["many"][0]["x"])
""",
    "dataclass kwargs from dict": r"""
from dataclasses import dataclass, fields
@dataclass
class Conf:
    out: str = "o"
    n: int = 1
raw = {"out": "rawout", "junk": 1}
c = Conf(**{k: v for k, v in raw.items() if k in {f.name for f in fields(Conf)}})
w(c.out + str(c.n))
""",
    "namedtuple": r"""
from collections import namedtuple
P = namedtuple("P", "x y", defaults=["dy"])
p = P("px"); q = p._replace(x="qx")
w(q.x + q.y, *P._fields, "".join(p._asdict().values()) + "a", P._make(["m1", "m2"]).y, p[0] + "i", "-".join(p))
""",
    "NamedTuple": r"""
from typing import NamedTuple
class R(NamedTuple):
    a: str
    b: str = "rb"
    def path(self): return self.a + "/" + self.b if False else self.a + self.b
r = R("ra"); a, b = r
w(r.path(), r._replace(b="nb").path(), a + b + "u", *(f + "_f" for f in R._fields), r._asdict()["a"] + "d", str(r).replace(" ", ""))
""",
    "heapq": r"""
import heapq
h = []
for p, n in [(3, "c"), (1, "a"), (2, "b")]: heapq.heappush(h, (p, n))
w("first" + heapq.heappop(h)[1], h[0][1] + "peek", *(n + "l" for _, n in heapq.nlargest(1, h)), *heapq.nsmallest(1, ["z", "y"]))
l = [5, 2, 4]; heapq.heapify(l); w(f"h{l[0]}", f"r{heapq.heapreplace(l, 9)}", f"pp{heapq.heappushpop(l, 1)}", "m" + "".join(heapq.merge("ac", "bd")))
while h: w("w" + heapq.heappop(h)[1])
""",
    "bisect": r"""
import bisect
l = [10, 20, 30]; names = ["lo", "mid", "hi", "top"]
w(names[bisect.bisect(l, 15)], names[bisect.bisect_left(l, 30)] + "L")
bisect.insort(l, 25); w("b" + str(l[2]), "".join(map(str, l)))
""",
    "deque": r"""
from collections import deque
d = deque(["a", "b", "c"], maxlen=3); d.append("d"); d.rotate(1)
w("-".join(d), d[0] + "0", d.popleft() + "pl", d.pop() + "p", str(len(d)) + "n", str(d.maxlen) + "ml")
d.extendleft(["x", "y"]); w("".join(d))
""",
    "ChainMap": r"""
from collections import ChainMap
m = ChainMap({"a": "1a"}, {"a": "2a", "b": "2b"})
w(m["a"], m["b"], m.get("z", "dz"), m.new_child({"b": "nb"})["b"], m.parents["a"] + "p", ",".join(sorted(m)), str("a" in m)); m["n"] = "new"; w(m.maps[0]["n"])
""",
    "UserDict": r"""
from collections import UserDict
class Settings(UserDict):
    def __init__(self):
        super().__init__(); self.data = {k: "none" for k in ("a", "b")}
c = Settings(); c.update({"a": "x", "c": "y"}); c["d"] = "z"; c.data["e"] = "u"
w(c["a"], c.get("c"), c.get("f", "v"), c.data["d"], c["e"], str(len(c)), *(k + v for k, v in c.items()), str("b" in c))
""",
    "OrderedDict": r"""
from collections import OrderedDict
o = OrderedDict([("x", "1"), ("y", "2"), ("z", "3")]); o.move_to_end("x"); k, v = o.popitem(last=False)
w(k + v, "".join(o), o.popitem()[0] + "last")
""",
    "defaultdict": r"""
from collections import defaultdict
d = defaultdict(int); d["a"] += 1; d["a"] += 1; d["b"] += 5
w(*(f"{k}{v}" for k, v in d.items())); n = defaultdict(lambda: defaultdict(list)); n["p"]["q"].append("r"); w(n["p"]["q"][0], *n, *n["p"])
g = defaultdict(set); g["s"].add("t"); w(*(a + b for a, bs in g.items() for b in bs))
""",
    "difflib": r"""
import difflib
w(*difflib.get_close_matches("appel", ["ape", "apple", "peach"], n=1), f"r{difflib.SequenceMatcher(None, 'ab', 'ab').ratio()}")
""",
    "uuid5": r"""
import uuid
w(str(uuid.uuid5(uuid.NAMESPACE_DNS, "python.org")))
""",
    "hashlib": r"""
import hashlib
w(hashlib.md5(b"x").hexdigest(), hashlib.sha256("y".encode()).hexdigest()[:8])
h = hashlib.sha1(); h.update(b"ab"); w("s" + h.hexdigest()[:4])
""",
    "shlex": r"""
import shlex
w(*shlex.split("a 'b c' d\\ e"), shlex.join(["x y", "z"]), shlex.quote("q r"), *shlex.split("p # c", comments=True))
""",
    "DictReader": r"""
import csv
with open("data/x.csv") as f:
    for row in csv.DictReader(f): w(row["k"] + "_" + row["v"])
""",
    "csv reader": r"""
import csv
with open("data/y.csv", newline="") as f:
    r = csv.reader(f); head = next(r)
    for a, b in r: w(a + b + head[0])
""",
    "csv string": r"""
import csv, io
for row in csv.DictReader(io.StringIO("n;m\n1;2\n"), delimiter=";"): w("c" + row["n"] + row["m"])
for row in csv.reader(["a,b", "c,d"]): w("".join(row))
""",
    "configparser interpolation": r"""
import configparser
p = configparser.ConfigParser(); p.read_string("[DEFAULT]\nroot = rr\n[s]\nout = %(root)s_out\nn = 3\nflag = yes\n[t]\nx = ${s:n}\n")
w(p["s"]["out"], p.get("s", "out") + "2", f"n{p.getint('s', 'n')}", f"f{p.getboolean('s', 'flag')}", *p.sections(), p.get("s", "zz", fallback="fb"), *p.options("s"), p["s"].get("q", "dq"))
""",
    "configparser extended": r"""
import configparser
p = configparser.ConfigParser(interpolation=configparser.ExtendedInterpolation()); p.read_string("[a]\nx = 1\n[b]\ny = ${a:x}z\n")
w(p["b"]["y"], *(k + v for k, v in p.items("b")))
""",
    "configparser dict": r"""
import configparser
p = configparser.ConfigParser(); p.read_dict({"s": {"k": "v"}}); w(p["s"]["k"]); p["n"] = {"a": "b"}; w(p["n"]["a"], "has" if p.has_section("n") else "no", "ho" if p.has_option("n", "a") else "nho")
r = configparser.RawConfigParser(); r.read_string("[x]\np=%(q)s\n"); w(r["x"]["p"])
""",
    "tomllib": r"""
import tomllib
d = tomllib.loads('[t]\nn = ["a", "b"]\n[[r]]\nx = 1\n[[r]]\nx = 2\n')
w(*d["t"]["n"], *(f"x{r['x']}" for r in d["r"]))
""",
    "json nested": r"""
import json
d = json.loads('{"a": [{"b": {"c": "deep"}}, 1.5, true, null]}')
w(d["a"][0]["b"]["c"], f"n{d['a'][1]}{d['a'][2]}{d['a'][3]}"); j = json.load(open("conf.json")); w(j["names"][0], j.get("zz", "dd"), json.dumps({"q": 1}).replace('"', "").replace(" ", ""), json.loads(json.dumps([1, "r"]))[1])
""",
    "known datetime": r"""
from datetime import datetime, date, timedelta
d = date(2024, 1, 31) + timedelta(days=1)
w(d.isoformat(), f"{d:%Y_%m}", datetime(2024, 5, 6, 7).strftime("%Y%m%dT%H"), str(date.fromisoformat("2024-03-01").year), datetime.strptime("2023-02-01", "%Y-%m-%d").strftime("%d.%m.%Y"), str((date(2024, 1, 3) - date(2024, 1, 1)).days))
""",
    "date range": r"""
from datetime import date, timedelta
s, e = date(2024, 1, 1), date(2024, 1, 3)
while s <= e:
    w(f"day_{s}.csv"); s += timedelta(days=1)
""",
    "string formatting": r"""
w("%(a)s_%(b)02d" % {"a": "x", "b": 3}, "{0[k]}{1.real}".format({"k": "v"}, 4), "{:>4}|{:*^5}".format("a", "b"), "{a!r:>5}".format(a="q"), "{:,}".format(12345), "{:b}{:x}{:e}".format(5, 255, 1.0), f"{'a':_<3}{5:+d}{0.5:.0%}", "%5.1f%%" % 2.25, "{x}".format_map({"x": "fm"}), f"{3!s:0>3}")
""",
    "string module": r"""
import string
w(string.ascii_lowercase[:3], string.digits[-2:], string.capwords("a b").replace(" ", ""), *("L" + c for c in string.hexdigits[:2]))
""",
    "str methods": r"""
w("a,b".rsplit(",", 1)[0] + "1", "x.y.z".rpartition(".")[2] + "2", "tItle case".title().replace(" ", ""), "cap".capitalize(), "q".ljust(3, "."), "abc".find("c") * "f" or "no", "tab\tx".expandtabs(2).replace(" ", "_"), "l1\nl2".splitlines()[1], "enc".encode().decode(), "é".encode("ascii", "ignore").decode() or "emp", "Ab".swapcase(), "s" * ("a" in "cat"), "x-y".replace("-", "", 1), str(b"by", "ascii"), "aXbX".count("X") * "k", "7".isdigit() and "dig", "A".isupper() and "up")
""",
    "ints": r"""
w(f"{int('12') + int('ff', 16)}", f"{divmod(7, 2)}".replace(" ", ""), str(round(2.567, 2)), f"{2**10}", hex(255), bin(5), oct(8), chr(97) + str(ord("a")), f"{abs(-3)}a", f"{7 // 2}b{-7 % 3}", str(float("1.5")), str(complex(1, 2)), f"{pow(2, 3)}p", f"{sum([1, 2])}s", f"{int(True)}t", str(1e3))
""",
    "math": r"""
import math, statistics, fractions, decimal
w(f"c{math.ceil(1.2)}", f"f{math.floor(1.8)}", f"s{math.sqrt(16)}", f"p{math.pi:.2f}", f"g{math.gcd(12, 8)}", f"m{statistics.mean([1, 2, 3])}", f"d{decimal.Decimal('1.10')}", f"l{math.log10(1000):.0f}", f"pr{math.prod([2, 3])}", "fr" + str(fractions.Fraction(1, 2)).replace("/", "_"))
""",
    "zip enumerate": r"""
w(*(f"{i}{a}{b}" for i, (a, b) in enumerate(zip("ab", "xy", strict=True), start=1)), *(k + v for k, v in dict(zip(["p"], ["q"])).items()), "".join(reversed("abc")), *(a for a in map(lambda x, y: x + y, "mn", "op")), *filter(None, ["", "flt"]))
""",
    "slices": r"""
l = ["a", "b", "c", "d"]
w("".join(l[::2]), "".join(l[-2:]), l[slice(1, 2)][0] + "s"); a, *m, z = l; w(a + z + "".join(m)); l[1:3] = ["X"]; w("".join(l)); del l[0]; w("_".join(l)); (p, q), r = ("1", "2"), "3"; w(p + q + r)
""",
    "sets": r"""
a, b = {"x", "y"}, {"y", "z"}
w(*(("i" + v) for v in a & b), *("d" + v for v in a - b), *("s" + v for v in a ^ b), *("u" + v for v in sorted(a | b)), "sub" if {"x"} <= a else "nosub", *("in" + v for v in a.intersection(b)), *("di" + v for v in a.difference(b)), *("sy" + v for v in a.symmetric_difference(b)), "dj" if a.isdisjoint({"q"}) else "ndj", "iss" if {"x"}.issubset(a) else "niss"); a.discard("x"); a.update(["w"]); a.difference_update(["y"]); w(*("r" + v for v in a))
""",
    "dict ops": r"""
d = {"a": "1", "b": "2"}
w(*("".join(i) for i in d.items()), d.pop("a") + "pop", d.get("q") or "none", *dict.fromkeys(["f1", "f2"], 0)); d |= {"c": "3"}; w("".join(sorted(d)), *{v: k for k, v in d.items()}, d.setdefault("n", "sd"), "".join(reversed(d)), list(d)[0] + "first", next(iter(d.values())) + "it", min(d, key=d.get) + "min", sorted(d.items(), key=lambda kv: -ord(kv[1][0]))[0][0] + "srt", str(d.popitem()[0]) + "pi", str("c" in d)); x = {**d, "k": "kk"}; w(x["k"], str(len(x))); del x["k"]; w(str(len(x)) + "d")
""",
    "base64 urllib": r"""
import base64, urllib.parse, html
w(base64.b64encode(b"hello").decode(), base64.urlsafe_b64encode(b"q").decode().rstrip("="), urllib.parse.quote("a b"), urllib.parse.unquote("c%20d"), urllib.parse.urlparse("http://h/p/file.txt?q=1").path.rsplit("/", 1)[1], urllib.parse.urlsplit("http://host:80/x").hostname, html.escape("<").replace("&", "").replace(";", ""), urllib.parse.quote_plus("e f"), urllib.parse.parse_qs("a=1&b=2")["b"][0] + "qs", urllib.parse.urlencode({"k": "v"}), base64.b16encode(b"z").decode(), urllib.parse.urljoin("http://a/b/", "c.txt").split("/")[-1])
""",
    "copy": r"""
import copy
a = {"x": ["1"]}; b = copy.deepcopy(a); c = copy.copy(a); b["x"].append("2"); c["x"].append("3"); w("".join(a["x"]), "".join(b["x"]))
""",
    "types namespace": r"""
import types, argparse
n = types.SimpleNamespace(a="na", **{"b": "nb"}); n.c = "nc"; w(n.a, n.b, n.c, *vars(n), argparse.Namespace(z="nz").z, types.MappingProxyType({"k": "mp"})["k"])
""",
    "fnmatch": r"""
import fnmatch
w(*fnmatch.filter(["a.py", "b.txt"], "*.py"), "m" if fnmatch.fnmatch("x.c", "*.c") else "n")
""",
    "struct ints bytes": r"""
import struct, binascii, zlib
w(f"s{struct.calcsize('ii')}", f"u{struct.unpack('<H', bytes([1, 0]))[0]}", binascii.hexlify(b"ab").decode(), f"c{zlib.crc32(b'a')}", b"by".hex(), f"i{int.from_bytes(bytes([2]), 'big')}", bytes.fromhex("6162").decode(), f"t{(3).to_bytes(1, 'big')[0]}")
""",
    "platform consts": r"""
import os, sys
w("x" + os.sep.replace("/", "S"), "e" + os.extsep, "l" + str(len(os.linesep)), "p" + os.pardir, "py" if sys.version_info >= (3, 8) else "old", "main" if __name__ == "__main__" else "mod", sys.byteorder, os.name)
""",
    "partial functions": r"""
from functools import partial, lru_cache, cache, singledispatch, wraps, cached_property, partialmethod, total_ordering, cmp_to_key
join = partial("{}-{}".format, "pre"); w(join("x"), f"{partial(int, base=2)('101')}b")
@cache
def f(n): return f"c{n}"
w(f(1), f(2), "".join(sorted(["b", "a"], key=cmp_to_key(lambda x, y: (x > y) - (x < y)))))
class A:
    def m(self, a, b): return a + b
    pm = partialmethod(m, "P")
    @cached_property
    def cp(self): return "cp"
w(A().pm("Q"), A().cp)
@singledispatch
def s(x): return "obj"
@s.register
def _(x: int): return "int"
@s.register(str)
def _(x): return "str"
w(s(1), s("a"), s([]))
""",
    "weakref contextvar": r"""
import contextvars, contextlib
v = contextvars.ContextVar("v", default="dv"); w(v.get()); t = v.set("sv"); w(v.get()); v.reset(t); w(v.get() + "r")
with contextlib.suppress(KeyError): w("before"); {}["x"]; w("after")
w("end")
""",
    "iter callable sentinel": r"""
it = iter(["a", "b", "STOP", "c"])
for x in iter(lambda: next(it), "STOP"): w("s" + x)
""",
    "io StringIO": r"""
import io
for line in io.StringIO("l1\nl2\n"): w(line.strip())
b = io.StringIO(); b.write("wr"); print("pr", file=b, end=""); w(b.getvalue()); w(io.BytesIO(b"by").read().decode())
""",
    "file lines": r"""
for line in open("a.txt"): w("o_" + line.strip())
w("r_" + open("b.txt").read().strip(), *("s" + l for l in open("a.txt").read().splitlines()), open("a.txt").readline().rstrip() + "rl", open("a.txt").readlines()[1].strip() + "rls")
""",
    "pathlib text": r"""
from pathlib import Path
w(*("t" + l for l in Path("a.txt").read_text().split()), Path("x/y.tar.gz").stem, Path("q").with_suffix(".k").name, "".join(Path("a/b").parts))
""",
    "xml": r"""
import xml.etree.ElementTree as ET
r = ET.fromstring("<r><f name='xn'>xt</f></r>")
for f in r.findall("f"): w(f.get("name"), f.text, f.tag + "g", f.attrib["name"] + "a")
""",
    "yaml-like ast": r"""
import ast
w(*ast.literal_eval("['l1', 'l2']"), ast.literal_eval("{'k': 'v'}")["k"])
""",
    "pprint repr": r"""
import pprint, reprlib
w(pprint.pformat([1]), repr("x").strip("'") + "r", ascii("é").replace("\\", ""), format(3, "03d"), format("s", ">3"))
""",
    "match": r"""
def f(x):
    match x:
        case {"k": str(v)}: return v
        case [a, *rest]: return a + "".join(rest)
        case int() | float(): return "num"
        case "lit": return "L"
        case _: return "def"
w(f({"k": "kv"}), f(["a", "b"]), f(3), f("lit"), f(None))
""",
    "walrus comps": r"""
w(*[y for x in "ab" if (y := x + "!") != "b!"], *{f"{k}{v}" for k, v in {"a": 1}.items()}, *(n for r in [["p", "q"], ["r"]] for n in r if n != "q"))
""",
    "str join on dict / gen": r"""
w("-".join({"a": 1, "b": 2}), "+".join(str(i) for i in range(3)), "".join(map(str, (1, 2))), "".join(["x"] * 3), ",".join(sorted({"b", "a"})))
""",
    "numbers loops": r"""
total = 0
for i in range(1, 10, 3): total += i; w(f"n{i}")
w(f"T{total}"); i = 0
while True:
    i += 1
    if i % 2: continue
    if i > 4: break
    w(f"w{i}")
else: w("never")
for _ in (): pass
else: w("forelse")
""",
    "getattr setattr": r"""
class A: pass
a = A(); setattr(a, "x" + "y", "val"); w(getattr(a, "xy"), getattr(a, "no", "dflt"), *vars(a), "h" if hasattr(a, "xy") else "nh", a.__dict__["xy"] + "d", type(a).__name__, a.__class__.__qualname__ + "q"); delattr(a, "xy"); w("gone" if not hasattr(a, "xy") else "still")
""",
    "locals globals": r"""
def f(a): return "{a}{b}".format(**locals(), b="B")
G = "gg"
w(f("A"), globals()["G"])
""",
    "enumerate dict sorted reverse": r"""
d = {"b": 2, "a": 1, "c": 3}
w(*(f"{i}{k}" for i, (k, v) in enumerate(sorted(d.items(), key=lambda kv: kv[1], reverse=True))), *sorted(d, reverse=True)[:1], *sorted(d.values(), key=str)[:0], max(d.items(), key=lambda kv: kv[1])[0] + "mx")
""",
    "sort multi key": r"""
rows = [("b", 2), ("a", 2), ("c", 1)]
w(*("_".join(map(str, r)) + str(i) for i, r in enumerate(sorted(rows, key=lambda r: (-r[1], r[0])))))
rows.sort(key=lambda r: r[0], reverse=True); w(rows[0][0] + "top"); rows.reverse(); w(rows[0][0] + "rev")
""",
    "nested generators lazily": r"""
def nums():
    n = 0
    while True:
        yield n
        n += 1
from itertools import islice, takewhile
w(*(f"n{x}" for x in islice(nums(), 3)), *(f"t{x}" for x in takewhile(lambda x: x < 2, nums())))
""",
    "class iter protocol": r"""
class R:
    def __init__(s, n): s.n = n; s.i = 0
    def __iter__(s): return s
    def __next__(s):
        if s.i >= s.n: raise StopIteration
        s.i += 1
        return f"r{s.i}"
w(*R(3)); it = R(2); w(next(it) + "x", next(it) + "x", next(it, "dflt"))
""",
    "contextmanager value": r"""
import contextlib
@contextlib.contextmanager
def cm(x):
    w("in_" + x)
    yield x + "v"
    w("out_" + x)
with cm("a") as a, cm("b") as b: w(a + b)
with contextlib.ExitStack() as s:
    w(s.enter_context(cm("c"))); s.callback(w, "cb")
with contextlib.nullcontext("nc") as n: w(n)
with contextlib.closing(open("a.txt")) as f: w(f.readline().strip() + "cl")
""",
    "try finally return": r"""
def f(x):
    try:
        if x: return "ret"
        raise KeyError("ke")
    except KeyError as e: return "exc" + e.args[0]
    else: return "else"
    finally: w("fin" + str(x))
w(f(1), f(0))
""",
    "exception chain custom": r"""
class AppError(Exception):
    code = "E0"
    def __init__(self, msg, *, path=None):
        super().__init__(msg); self.path = path
    def __str__(self): return f"{self.code}-{super().__str__()}"
class NotFound(AppError): code = "E1"
try:
    try: {}["x"]
    except KeyError as e: raise NotFound("nf", path="p1") from e
except AppError as e:
    w(str(e), e.path, type(e.__cause__).__name__, e.code)
""",
    "traceback text": r"""
import traceback
try: 1 / 0
except ZeroDivisionError as e: w(type(e).__name__, str(e).replace(" ", "_"))
""",
    "assertion": r"""
try: assert 1 == 2, "msg"
except AssertionError as e: w(str(e))
""",
    "loop else and enumerate": r"""
for i, c in enumerate("abc", 10):
    if c == "z": break
else: w(f"last{i}{c}")
""",
    "dict comprehension grouping": r"""
from collections import defaultdict
g = defaultdict(list)
for n in ["apple", "avocado", "beet"]: g[n[0]].append(n)
w(*(f"{k}_{'+'.join(v)}" for k, v in g.items()), *(f"{k}{len(v)}" for k, v in sorted(g.items())))
""",
    "string split variants": r"""
p = "k1=v1;k2=v2;flag"
d = dict(kv.split("=", 1) if "=" in kv else (kv, "T") for kv in p.split(";"))
w(*(f"{k}-{v}" for k, v in d.items())); h, *t = "x:y:z".split(":"); w(h, "".join(t)); w("a b  c".split()[2], *"1,2".split(","), "q.tar.gz".split(".", 1)[1], "x".join(["1", "2"]))
""",
    "csv DictReader filter": r"""
import csv
with open("data/x.csv") as f:
    rows = [r for r in csv.DictReader(f) if int(r["v"]) > 1]
w(*(f"row{r['k']}" for r in rows)); w(f"n{len(rows)}")
""",
    "csv writer buffer": r"""
import csv, io
b = io.StringIO(); c = csv.writer(b); c.writerow(["a", 1])
w("done")
""",
    "json roundtrip": r"""
import json
s = json.dumps({"n": ["x1", "x2"]}, sort_keys=True); w(*json.loads(s)["n"]); d = json.load(open("conf.json"), object_hook=lambda d: d); w(d["out"])
""",
    "fromkeys zip star": r"""
rows = [(1, "a"), (2, "b")]
nums, names = zip(*rows)
w(*(f"{n}" for n in names), f"s{sum(nums)}")
m = [[1, 2], [3, 4]]; t = list(map(list, zip(*m))); w(f"t{t[0][1]}")
""",
    "lambda defaults late binding": r"""
fs = [lambda i=i: f"d{i}" for i in range(2)]; gs = [lambda: f"l{i}" for i in range(2)]
w(*(f() for f in fs), *(g() for g in gs))
""",
    "globals nonlocal": r"""
n = 0
def outer():
    c = 0
    def inner():
        nonlocal c
        global n
        c += 1; n += 10
        return f"c{c}n{n}"
    return inner
f = outer(); w(f(), f()); g = outer(); w(g())
""",
    "star args kwargs": r"""
def f(a, *r, k="dk", **kw): return "_".join([a, *r, k, *(f"{x}{y}" for x, y in kw.items())])
w(f("a"), f("a", "b", k="K"), f(*["x", "y"], **{"z": 1}), f("q", **dict(k="kk", w=2)))
""",
    "operator overloading": r"""
class V:
    def __init__(s, x): s.x = x
    def __add__(s, o): return V(s.x + o.x)
    def __radd__(s, o): return V(f"{o}{s.x}")
    def __mul__(s, n): return V(s.x * n)
    def __getitem__(s, i): return s.x[i]
    def __len__(s): return len(s.x)
    def __contains__(s, c): return c in s.x
    def __call__(s, y): return s.x + y
    def __bool__(s): return bool(s.x)
    def __format__(s, spec): return s.x.upper() if spec == "u" else s.x
    def __eq__(s, o): return s.x == o.x
    def __hash__(s): return hash(s.x)
    def __truediv__(s, o): return V(s.x + "-" + o)
    def __iter__(s): return iter(s.x)
    def __lt__(s, o): return s.x < o.x
w((V("a") + V("b")).x, ("p" + V("q")).x, (V("z") * 3).x, V("hello")[1], f"l{len(V('abc'))}", "in" if "a" in V("cat") else "out", V("c")("d"), f"{V('up'):u}", "eq" if V("e") == V("e") else "ne", (V("d") / "e").x, "".join(V("it")), "f" if not V("") else "t", min(V("m"), V("k")).x, sorted([V("s2"), V("s1")])[0].x, *{V("h"), V("h")}.pop().x)
""",
    "property setter": r"""
class P:
    def __init__(s): s._x = "i"
    @property
    def x(s): return s._x + "g"
    @x.setter
    def x(s, v): s._x = v + "s"
p = P(); w(p.x); p.x = "n"; w(p.x)
""",
    "descriptor": r"""
class D:
    def __set_name__(s, o, n): s.n = n
    def __get__(s, i, o): return f"{s.n}_{i.v}" if i else s
    def __set__(s, i, v): i.v = v
class A:
    field = D()
a = A(); a.field = "dv"; w(a.field)
""",
    "class hierarchy super mro": r"""
class A:
    def f(s): return "A"
class B(A):
    def f(s): return "B" + super().f()
class C(A):
    def f(s): return "C" + super().f()
class D(B, C):
    def f(s): return "D" + super().f()
w(D().f(), "-".join(c.__name__ for c in D.__mro__[:3]), D.__bases__[1].__name__ + "b")
""",
    "metaclass registry": r"""
class Meta(type):
    reg = {}
    def __new__(m, n, b, d):
        c = super().__new__(m, n, b, d)
        if b: m.reg[n.lower()] = c
        return c
class Base(metaclass=Meta): pass
class One(Base): out = "one.txt"
class Two(Base): out = "two.txt"
w(*(c.out for c in Meta.reg.values()), *Meta.reg)
""",
    "init subclass": r"""
class B:
    reg = []
    def __init_subclass__(cls, tag="t", **kw): cls.reg.append(f"{cls.__name__}{tag}")
class X(B): pass
class Y(B, tag="y"): pass
w(*B.reg)
""",
    "registry decorator": r"""
R = {}
def reg(name=None):
    def d(f): R[name or f.__name__] = f; return f
    return d
@reg()
def alpha(): return "al"
@reg("bet")
def beta(): return "be"
w(*(k + v() for k, v in R.items()), R["bet"]())
""",
    "slots dataclass inheritance": r"""
from dataclasses import dataclass, field
@dataclass
class A:
    x: str = "x"
@dataclass(slots=True, kw_only=True)
class B(A):
    y: str = "y"
    z: list[str] = field(default_factory=list)
b = B(x="bx", y="by"); b.z.append("bz"); w(b.x + b.y, *b.z, B().x, str(B() == B()))
""",
    "typed dict": r"""
from typing import TypedDict, NamedTuple, Optional
class T(TypedDict, total=False):
    a: str
t: T = {"a": "ta"}; w(t["a"], T(a="tb")["a"])
""",
    "walrus while": r"""
items = ["a", "b", ""]
it = iter(items)
while (x := next(it)): w("w" + x)
""",
    "match classes": r"""
from dataclasses import dataclass
@dataclass
class P: x: int; y: int
def f(p):
    match p:
        case P(x=0, y=0): return "origin"
        case P(x=0, y=y): return f"y{y}"
        case P(x, y) if x == y: return "diag"
        case (a, b) | [a, b, _]: return f"seq{a}{b}"
        case str() as s if s.startswith("p"): return s
        case {"k": [first, *rest], **others}: return f"{first}{len(rest)}{len(others)}"
        case None | True: return "const"
        case _: return "other"
w(f(P(0, 0)), f(P(0, 5)), f(P(2, 2)), f((1, 2)), f([3, 4, 5]), f("pfx"), f({"k": [7, 8], "z": 1}), f(None), f(3.5))
""",
    "format specs": r"""
w("{:05.1f}".format(3.14159), "{:>{w}}".format("x", w=4), f"{'s':^5}", f"{1234567:,}", f"{255:#x}", f"{0.256:.1%}", f"{'ab':.1}", f"{True!s:>6}", f"{[1, 2]}", f"{{}}", "%-5s|" % "ab", "%05d" % 42, "%x" % 255, "%s %s".replace(" ", "") % ("a", "b"), "%(k)s" % {"k": "v"}, f"{3.0}", f"{10**3}", f"{None}")
""",
    "bytes paths": r"""
import os
w(os.fsdecode(b"bp"), os.fsencode("fe").decode(), b"a/b".decode().replace("/", "_"), bytes("x", "utf8").decode())
""",
    "os path more": r"""
import os
w(os.path.splitext("a.tar.gz")[1], os.path.basename("/x/y/"[:-1]), os.path.join("a", "..", "b").replace("/", "_"), os.path.normpath("a/./b/../c").replace("/", "_"), os.path.commonprefix(["abc", "abd"]), os.path.relpath("/q/w", "/q"), os.path.expandvars("ev"), str(os.path.isabs("/x")), os.path.dirname("d1/d2/f").replace("/", "_"), os.path.splitdrive("sd")[1])
""",
    "pathlib more": r"""
from pathlib import Path, PurePath
p = Path("a/b.tar.gz")
w(p.suffix, p.stem, p.name, "".join(p.suffixes), p.with_name("wn").name, p.with_stem("ws").name, str(p.parent), p.relative_to("a").as_posix(), "_".join(p.parts), str(p.is_absolute()), p.as_posix().replace("/", "+"), str(Path("x") / "y" / "..").replace("/", "_"), PurePath("m/n").match("*/n") and "match" or "no", Path("z").joinpath("q", "r").as_posix().replace("/", "-"), Path("a//b/./c").as_posix().replace("/", "."), str(p.with_suffix("")).replace("/", "_"), *(q.name for q in Path("1/2/3").parents if q.name))
""",
    "datetime parts": r"""
from datetime import datetime, timezone, timedelta, date
d = datetime(2024, 2, 29, 13, 5, tzinfo=timezone.utc)
w(f"{d.year}_{d.month:02d}", d.date().isoformat(), d.replace(hour=1).strftime("%H"), str(d.weekday()), d.strftime("%j"), (d + timedelta(days=366)).date().isoformat(), str(d.isocalendar()[1]), d.isoformat(timespec="minutes").replace(":", ""), str(timedelta(hours=25)).replace(" ", "_").replace(":", "").replace(",", ""), f"{(date(2024, 3, 1) - date(2024, 2, 1)).days}", str(d.timestamp()), d.time().isoformat().replace(":", ""), str(max(date(2024, 1, 1), date(2023, 1, 1))), d.ctime().replace(" ", "_").replace(":", ""), str(datetime.fromtimestamp(0, timezone.utc).year))
for x in [date(2024, 1, 1) + timedelta(days=i) for i in range(2)]: w(f"d{x:%m%d}")
""",
    "xml text": r"""
import xml.etree.ElementTree as ET
r = ET.fromstring("<r><f name='xn'>xt</f><f name='x2'><g/></f></r>")
for f in r.findall("f"): w(f.get("name"), f.tag + "g", f.attrib["name"] + "a")
w(r.find("f").text, r.findtext("f") + "ft", str(len(r)), r[1][0].tag + "i", *(e.tag + "it" for e in r.iter("g")), *(c.get("name", "d") + "ch" for c in r))
""",
    "conf sections": r"""
import configparser
p = configparser.ConfigParser(); p.read_string("[DEFAULT]\nroot = rr\n[s]\nout = %(root)s_out\nn = 3\nflag = yes\n")
w(p["s"]["out"], p.get("s", "out") + "2", f"n{p.getint('s', 'n')}", f"f{p.getboolean('s', 'flag')}", *p.sections(), p.get("s", "zz", fallback="fb"), *p.options("s"), p["s"].get("q", "dq"), f"i{p['s'].getint('n')}", *(k + "k" for k in p["s"]))
q = configparser.ConfigParser(); q.read_dict({"s": {"k": "v"}}); w(q["s"]["k"]); q["n"] = {"a": "b"}; w(q["n"]["a"], "has" if q.has_section("n") else "no", "ho" if q.has_option("n", "a") else "nho"); q.add_section("t"); q.set("t", "x", "y"); w(q["t"]["x"] + "set")
""",
}
"""Every name is known."""

PARTLY: dict[str, str] = {
    "uuid": r"""
import uuid
w(f"u_{uuid.uuid4()}.txt", f"h_{uuid.uuid4().hex[:8]}.txt", "s_" + str(uuid.uuid1()))
""",
    "hashlib file": r"""
import hashlib
w("d_" + hashlib.sha256(open("a.txt", "rb").read()).hexdigest()[:12] + ".bin")
""",
    "hash file digest": r"""
import hashlib
with open("a.txt", "rb") as f: d = hashlib.file_digest(f, "md5")
w(f"d_{d.hexdigest()}.bin")
""",
    "datetime": r"""
from datetime import datetime, date, timedelta
import time
w(f"log_{datetime.now():%Y-%m-%d}.txt", datetime.now().strftime("run_%H%M.log"), "d_" + date.today().isoformat(), f"t_{int(time.time())}.x", time.strftime("s_%Y.y"), f"u_{datetime.utcnow().year}.z", "e_" + str(datetime.now()).replace(" ", "_"), (date.today() - timedelta(days=1)).strftime("y_%d.q"))
""",
    "datetime2": r"""
import datetime as dt, time
now = dt.datetime.now(dt.timezone.utc)
w("a_{:%Y%m%d}.txt".format(now), f"b_{now.date()}.txt", f"c_{now.timestamp():.0f}.txt", "d_%s.txt" % now.strftime("%Y"), f"e_{time.time_ns()}.t", f"f_{now.isoformat(timespec='seconds')}.t", "g_" + time.ctime().replace(" ", "_") + ".t", f"h_{now.month:02d}.t", f"i_{time.localtime().tm_year}.t", f"j_{now.replace(hour=0):%H}.t")
""",
    "random": r"""
import random, secrets, os
w(f"r_{random.randint(1, 9)}.t", f"s_{secrets.token_hex(4)}.t", f"p_{os.getpid()}.t", f"x_{os.urandom(2).hex()}.t", "l_" + "".join(random.choices("abc", k=4)) + ".t", f"f_{random.random():.3f}.t", f"u_{secrets.token_urlsafe(3)}.t")
""",
}
"""The clock, chance or a digest has a part in every name: it is a hole without a slash."""
