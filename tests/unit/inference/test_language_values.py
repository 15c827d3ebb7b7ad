"""What a path can be built from, and callbacks into the library, checked against a real run."""
# ruff: noqa: E501, ISC004 - program texts stay as they are written

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.reality import Program, check, program

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = [
    program(
        "string methods",
        """
for name in ("  s1 ".strip(), "S2".lower(), "s.3".replace(".", "_"), "s4,s5".split(",")[1], "x".join("ab"),
             "pre_s6".removeprefix("pre_"), "s7".zfill(4), "s8".center(4, "-"), "a=b".partition("=")[2],
             "s{}{n}".format(9, n=10), "%s-%03d" % ("s11", 5), "s12"[::-1], "t" * 3, "ab" "cd"):
    open(name, "w").close()
""",
        *(
            f"overwrite {name}"
            for name in ("s1", "s2", "s_3", "s5", "axb", "s6", "00s7", "-s8-", "b", "s910", "s11-005", "21s", "ttt")
        ),
        "overwrite abcd",
    ),
    program(
        "f-strings",
        """
number, word, width = 7, "w", 5
open(f"{number:03d}_{word!r}_{word:>{width}}_{3.14159:.2f}_{number=}", "w").close()
open(f"{{braces}}{'nested' + f'{number}'}", "w").close()
""",
        "overwrite 007_'w'_    w_3.14_number=7",
        "overwrite {braces}nested7",
    ),
    program(
        "regular expressions",
        """
import re
open(re.sub(r"\\d+", "N", "r12x34"), "w").close()
found = re.match(r"(?P<stem>\\w+)\\.(\\w+)", "file.ext")
open(found.group("stem") + found[2], "w").close()
for name in re.findall(r"[a-z]\\d", "a1 b2"): open(name, "w").close()
open(re.compile("-").split("x-y")[0], "w").close()
""",
        "overwrite rNxN",
        "overwrite fileext",
        "overwrite a1",
        "overwrite b2",
        "overwrite x",
    ),
    program(
        "names in a namespace",
        """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--out", default="given")
args = parser.parse_args([])
if "out" in args: open(args.out, "w").close()
if "other" in args: open("other", "w").close()
""",
        "overwrite given",
    ),
    program(
        "two stars in globs",
        """
import glob
from pathlib import Path
for name in glob.glob("data/**"): open("n_" + name.replace("/", "_"), "w").close()
for name in Path("data").glob("**"): open("p_" + name.name, "w").close() if name.is_dir() else None
""",
        "list data",
        "overwrite n_data_x.csv",
        "overwrite n_data_y.csv",
        "overwrite p_data",
    ),
    program(
        "pathlib, the pure part",
        """
from pathlib import Path, PurePosixPath
base = Path("out") / "sub" / "file.tar.gz"
Path("out/sub").mkdir(parents=True)
for path in (base, base.with_suffix(".zip"), base.with_name("n"), base.with_stem("st"), base.parent / base.stem,
             base.parents[1] / "up", base.parent.joinpath("j"), Path(*base.parts[:2], "parts"),
             base.relative_to("out").name):
    Path(path).write_text("x")
Path("".join(base.suffixes)).touch()
Path(str(PurePosixPath("a") / ".." / "pure").replace("a/../", "")).touch()
""",
        "mkdir out/sub",
        *(
            f"overwrite out/{name}"
            for name in ("sub/file.tar.gz", "sub/file.tar.zip", "sub/n", "sub/st.gz", "sub/file.tar", "up", "sub/j")
        ),
        "overwrite out/sub/parts",
        "overwrite file.tar.gz",
        "update .tar.gz",
        "update pure",
    ),
    program(
        "pathlib, the touching part",
        """
from pathlib import Path
Path("out").write_bytes(Path("data", "x.csv").read_bytes())
with Path("data/y.csv").open() as stream: stream.read()
Path("a.txt").rename("renamed")
Path("b.txt").unlink()
Path("none").unlink(missing_ok=True)
Path("link").symlink_to("renamed")
""",
        "read data/x.csv",
        "read data/y.csv",
        "overwrite out",
        "rename a.txt",
        "overwrite renamed",
        "delete b.txt",
        "create link",
    ),
    program(
        "os.path",
        """
import os
path = os.path.join("data", "x.csv")
stem, ending = os.path.splitext(os.path.basename(path))
open(path).close()
for name in (stem, stem + ending.upper(), os.path.dirname(path) + "_d", os.path.normpath("q/../n"),
             os.path.relpath("data/z", "data"), os.path.split("h/t")[1], os.path.commonpath(["c/x", "c/y"])):
    open(name, "w").close()
open(os.path.join(os.getcwd(), "cwd"), "w").close()
open(os.path.abspath("absolute"), "w").close()
open(os.path.join(os.path.dirname(os.path.realpath(__file__)), os.pardir, os.path.basename(os.getcwd()), "r"), "w").close()
""",
        "read data/x.csv",
        *(f"overwrite {name}" for name in ("x", "x.CSV", "data_d", "n", "z", "t", "c", "cwd", "absolute", "r")),
    ),
    program(
        "os.walk, scandir, listdir, chdir",
        """
import contextlib, os
for folder, folders, files in os.walk("data"):
    for name in sorted(files): open(os.path.join(folder, name)).close()
with os.scandir("data") as entries:
    for entry in entries:
        if entry.is_file() and entry.name.startswith("x"): open(entry.name + ".seen", "w").close()
for name in os.listdir("data"):
    if name.endswith("y.csv"): open(f"data/{name}").close()
os.chdir("data")
open("inside", "w").close()
os.chdir("..")
with contextlib.chdir("data"):
    open("within", "w").close()
open("outside", "w").close()
""",
        "list data",
        "read data/x.csv",
        "read data/y.csv",
        "overwrite x.csv.seen",
        "overwrite data/inside",
        "overwrite data/within",
        "overwrite outside",
    ),
    program(
        "itertools",
        """
from itertools import chain, islice, product, accumulate, zip_longest, starmap
for name in (*chain(["c1"], ["c2"]), *islice((f"s{i}" for i in range(9)), 1, 3),
             *(a + b for a, b in product("p", "qr")), *accumulate(["x", "y"]),
             *starmap(lambda a, b: a + b, [("st", "m")]), *(a + b for a, b in zip_longest("z", [], fillvalue="f"))):
    open(name, "w").close()
""",
        *(f"overwrite {n}" for n in ("c1", "c2", "s1", "s2", "pq", "pr", "x", "xy", "stm", "zf")),
    ),
    program(
        "lists, sets and dicts",
        """
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
names = ["n3", "n1"]; names.insert(0, "n2"); names.sort(); names.append("n4"); names.remove("n3")
table = {"a": "ta"} | {"b": "tb"}; table.update(c="tc"); table.setdefault("d", "td"); table.pop("a")
groups = defaultdict(list); groups["g"].append("gd")
queue = deque(["q1", "q2"]); queue.appendleft("q0"); queue.pop()
merged = {**table, "e": "te"}
for name in [*names, *merged.values(), *groups["g"], *queue, ChainMap({"x": "cx"}, {"y": "cy"})["y"],
             names[-1] + "!", *({"s1", "s2"} & {"s2"}), *sorted({"u"} | {"v"}), str(len(Counter("aab"))),
             *OrderedDict(o="od").values()]:
    open(name, "w").close()
open(names[names.index("n2")] + str(len(names)), "w").close()
""",
        *(f"overwrite {n}" for n in ("n1", "n2", "n4", "tb", "tc", "td", "te", "gd", "q0", "q1", "cy", "n4!", "s2")),
        *(f"overwrite {n}" for n in ("u", "v", "2", "od", "n23")),
    ),
    program(
        "values from JSON, TOML and INI",
        """
import configparser, json, tomllib
conf = json.load(open("conf.json"))
open(conf["out"], "w").close()
for name in conf["names"]: open(name, "w").close()
with open("c.toml", "rb") as stream:
    open(tomllib.load(stream)["paths"]["out"], "w").close()
parser = configparser.ConfigParser(); parser.read("c.ini")
open(parser["s"]["out"], "w").close()
open(json.loads('{"k": "literal"}')["k"], "w").close()
--- c.toml
[paths]
out = "from_toml"
--- c.ini
[s]
out = from_ini
""",
        "read conf.json",
        "read c.toml",
        "read c.ini",
        *(f"overwrite {n}" for n in ("from_json.txt", "n1", "n2", "from_toml", "from_ini", "literal")),
    ),
    program(
        "text of the tree, line by line",
        """
with open("list.txt") as stream:
    for line in stream:
        open(line.strip() + ".l", "w").close()
for line in open("list.txt").read().splitlines():
    open(line, "w").close()
--- list.txt
t1
t2
""",
        "read list.txt",
        *(f"overwrite {n}" for n in ("t1", "t2", "t1.l", "t2.l")),
    ),
    program(
        "open in every mode",
        """
open("a.txt", mode="rt").close()
open(file="m1", mode="wb").close()
open("m2", "xt").close()
open("m3", "ab").close()
open("a.txt", "r+").close()
open("m4", "w+").close()
import io, codecs, os
io.open("m5", "w").close()
codecs.open("m6", "w", "utf-8").close()
os.close(os.open("m7", os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
os.close(os.open("m8", os.O_WRONLY | os.O_CREAT | os.O_EXCL))
os.close(os.open("m9", os.O_WRONLY | os.O_CREAT | os.O_APPEND))
with os.fdopen(os.open("b.txt", os.O_RDONLY)) as stream: stream.read()
""",
        "read a.txt",
        "read b.txt",
        "update a.txt",
        "create m2",
        "append m3",
        "create m8",
        "append m9",
        *(f"overwrite {n}" for n in ("m1", "m4", "m5", "m6", "m7")),
    ),
    program(
        "shutil and os changes",
        """
import os, shutil
shutil.copy("a.txt", "data")
shutil.copyfile("a.txt", "c1"); shutil.copy2("b.txt", "c2")
shutil.move("c1", "moved")
os.replace("c2", "replaced")
os.makedirs("deep/er", exist_ok=True)
os.mkdir("flat")
os.link("a.txt", "hard"); os.symlink("a.txt", "soft")
os.remove("hard"); os.unlink("soft")
os.truncate("moved", 1)
""",
        "read a.txt",
        "read b.txt",
        "overwrite data/a.txt",
        "overwrite c1",
        "overwrite c2",
        "rename c1",
        "overwrite moved",
        "rename c2",
        "overwrite replaced",
        "mkdir deep/er",
        "mkdir flat",
        "create hard",
        "create soft",
        "delete hard",
        "delete soft",
        "update moved",
    ),
    program(
        "csv, json and pickle writers take handles",
        """
import csv, json, pickle
with open("o.csv", "w", newline="") as stream:
    csv.writer(stream).writerow([1])
with open("data/x.csv") as stream:
    for row in csv.DictReader(stream): print(row["k"])
with open("o.json", "w") as stream: json.dump({}, stream)
with open("o.pkl", "wb") as stream: pickle.dump([], stream)
with open("o.pkl", "rb") as stream: pickle.load(stream)
print("x", file=open("printed", "w"))
""",
        "overwrite o.csv",
        "read data/x.csv",
        "overwrite o.json",
        "overwrite o.pkl",
        "read o.pkl",
        "overwrite printed",
    ),
    program(
        "numbers, bytes and slices",
        """
open(str(10 // 3) + str(-7 % 3), "w").close()
open("%x" % 255 + hex(16)[2:], "w").close()
open(b"bytes".decode() + "é".encode().hex(), "w").close()
open(str(sum([1, 2])) + str(max(3, 4)) + str(round(2.6)) + str(abs(-1)), "w").close()
open(chr(ord("a") + 1) + str(divmod(7, 2)[1]) + bin(2), "w").close()
open("abcdef"[1:4] + "abcdef"[-1] + [1, 2, "l"][2], "w").close()
""",
        "overwrite 32",
        "overwrite ff10",
        "overwrite bytesc3a9",
        "overwrite 3431",
        "overwrite b10b10",
        "overwrite bcdfl",
    ),
    program(
        "temporary file then replace",
        """
import os, tempfile
with tempfile.NamedTemporaryFile("w", delete=False) as stream:
    stream.write("x")
os.remove(stream.name)
with tempfile.TemporaryDirectory() as folder:
    open(os.path.join(folder, "inner"), "w").close()
open("final", "w").close()
""",
        "overwrite final",
    ),
    program(
        "string.Template and textwrap",
        """
from string import Template, ascii_lowercase
open(Template("$stem-${end}").substitute(stem="t", end="e"), "w").close()
open(ascii_lowercase[:3], "w").close()
""",
        "overwrite t-e",
        "overwrite abc",
    ),
    program(
        "logging to a file",
        """
import logging
logging.basicConfig(filename="run.log", level=logging.INFO)
logging.info("x")
handler = logging.FileHandler("other.log", mode="w")
logging.getLogger("n").addHandler(handler)
""",
        "append run.log",
        "overwrite other.log",
    ),
    program(
        "optparse and sys.argv slices",
        """
import sys
command, *rest = sys.argv[1:]
for name in rest[:-1]: open(name + command, "w").close()
open(sys.argv[-1], "w").close()
open(sys.argv[0] + ".me", "w").close()
""",
        "overwrite xC",
        "overwrite yC",
        "overwrite z",
        "overwrite main.py.me",
        argv="python main.py C x y z",
    ),
    program(
        "subcommands with set_defaults",
        """
import argparse
def build(args): open(args.out, "w").close()
def clean(args): open("cleaned", "w").close()
parser = argparse.ArgumentParser()
commands = parser.add_subparsers(dest="command", required=True)
one = commands.add_parser("build"); one.add_argument("-o", "--out", default="built"); one.set_defaults(func=build)
two = commands.add_parser("clean"); two.set_defaults(func=clean)
args = parser.parse_args()
args.func(args)
open(args.command, "w").close()
""",
        "overwrite here",
        "overwrite build",
        argv="python main.py build -o here",
    ),
    program(
        "types asked at run time",
        """
from __future__ import annotations
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import get_type_hints
@dataclass
class Store:
    root: Path = Path("data")
    log: Path | None = None
    kind: str = "none"
@dataclass
class Settings:
    store: Store = field(default_factory=Store)
def build(cls, raw):
    hints = get_type_hints(cls)
    given = {}
    for one in fields(cls):
        if one.name not in raw: continue
        value, hint = raw[one.name], hints[one.name]
        if is_dataclass(hint): value = build(hint, value)
        elif "Path" in str(hint): value = Path(value)
        given[one.name] = value
    return cls(**given)
settings = build(Settings, {"store": {"log": "run.log", "kind": "plain"}})
settings.store.log.write_text("")
{"none": print, "plain": lambda: open("plain", "w").close()}[settings.store.kind]()
(settings.store.root / "made").touch()
""",
        "overwrite run.log",
        "overwrite plain",
        "update data/made",
    ),
    program(
        "members of enumerations are true or as their values are",
        """
import enum
class Kind(enum.Enum):
    NONE = 0
class Form(str, enum.Enum):
    none = ""
    csv = "csv"
for member in (*Kind, *Form):
    if member: open(f"is-{member.name}-{type(member).__name__}", "w").close()
""",
        "overwrite is-NONE-Kind",
        "overwrite is-csv-Form",
    ),
    program(
        "files keep their content under new names",
        """
import os, shutil
from pathlib import Path
Path("a.txt").rename("moved.txt")
first = Path("moved.txt").read_text().split()[0]
shutil.copy("b.txt", "copy.txt")
Path(first + "-" + Path("copy.txt").read_text().strip()).touch()
Path("copy.txt").write_text("other")
os.replace("copy.txt", "last.txt")
Path("x-" + Path("last.txt").read_text()[:0]).touch()
""",
        "rename a.txt",
        "overwrite moved.txt",
        "read moved.txt",
        "read b.txt",
        "overwrite copy.txt",
        "read copy.txt",
        "rename copy.txt",
        "overwrite last.txt",
        "read last.txt",
        "update alpha-one",
        "update x-",
    ),
    program(
        "what nothing stands in the way of does not fail",
        """
from pathlib import Path
try:
    Path("a.txt").unlink()
    Path("data", "new.txt").write_text("x")
    Path("gone.txt").unlink(missing_ok=True)
except OSError:
    open("failed", "w").close()
try:
    Path("nowhere", "new.txt").write_text("x")
except OSError:
    open("as expected", "w").close()
""",
        "delete a.txt",
        "overwrite data/new.txt",
        "overwrite nowhere/new.txt",
        "overwrite as expected",
    ),
    program(
        "addresses below a known one",
        """
from pathlib import Path
from urllib.parse import urljoin, urlparse
from urllib.request import url2pathname
base = Path("data/x.csv").resolve().as_uri()
print(open(url2pathname(urlparse(urljoin(base, "y.csv")).path)).read())
""",
        "read data/y.csv",
    ),
]


@pytest.mark.parametrize("case", PROGRAMS, ids=lambda case: case.name)
def test_program_does_what_inference_says(case: Program, tmp_path: Path) -> None:
    check(case, tmp_path)


PARTLY_KNOWN = [
    ("stem of a clock", "import datetime\nopen(f'log_{datetime.date.today()}.txt', 'w')", {"overwrite log_*.txt"}),
    ("unknown name of an attribute", "import sys, os\nn = os.urandom(1).hex()\nopen('h_' + n, 'w')", {"overwrite h_*"}),
    (
        "getattr with a partly known name",
        "import random\nclass J:\n    def run_a(self): open('ga', 'w')\n    def run_b(self): open('gb', 'w')\n"
        "    def other(self): open('never', 'w')\n"
        "getattr(J(), 'run_' + random.choice(['a', 'b']))()",
        {"overwrite ga", "overwrite gb"},
    ),
    ("line of input", "name = input()\nopen('in/' + name + '.txt', 'w')", {"overwrite in/**.txt"}),
    (
        "joined twice",
        "import uuid\nfrom pathlib import Path\n(Path('o') / str(uuid.uuid4()) / 'f').touch()",
        {"update o/*/f"},
    ),
    (
        "undecided branch",
        "import random\nname = 'u1' if random.random() < 0.5 else 'u2'\nopen(name, 'w')",
        {"overwrite u1", "overwrite u2"},
    ),
    (
        "counter in an undecided loop",
        "import random\nn = 0\nwhile random.random() < 0.9:\n    open(f'part-{n}.bin', 'w')\n    n += 1",
        {"overwrite part-0.bin", "overwrite part-1.bin", "overwrite part-*.bin"},
    ),
    (
        "glob of a folder",
        "import glob\nfor name in glob.glob('data/*.csv'):\n    open(name)\n    open(name[:-4] + '.out', 'w')",
        {"list data", "read data/x.csv", "read data/y.csv", "overwrite data/x.out", "overwrite data/y.out"},
    ),
    (
        "a text behind the branches that tell it apart",
        "import sys\nmode = sys.stdin.readline().strip()\nif mode == 'a':\n    print(1)\n"
        "elif mode == 'b':\n    open('in.' + mode, 'w')\nopen('out.' + mode, 'w')",
        {"overwrite in.b", "overwrite out.*"},
    ),
    (
        "a text behind a branch that leaves for all others",
        "import sys\nmode = sys.stdin.readline().strip()\nif mode == 'a':\n    print(1)\n"
        "else:\n    sys.exit()\nopen('out.' + mode, 'w')",
        {"overwrite out.a"},
    ),
    (
        "names from a folder as the words of a command",
        "import glob, os\nos.system('cat ' + ' '.join(glob.glob('data/*.csv')) + ' > all.txt')",
        {"list data", "read data/x.csv", "read data/y.csv", "overwrite all.txt"},
    ),
    (
        "a loop whose test takes from an iterator as many as is not known",
        "import sys\nfrom itertools import islice\nlines = iter(open('a.txt').read().split())\nn = 0\n"
        "while chunk := list(islice(lines, len(sys.stdin.read()))):\n    n += 1\n    open(f'{n}.txt', 'w')",
        {"read a.txt", "overwrite 1.txt", "overwrite 2.txt", "overwrite 3.txt", "overwrite *.txt"},
    ),
    (
        "two stars that go into folders",
        "import glob, os\nfor name in glob.glob('data/**', recursive=True):\n"
        "    open(name) if os.path.isfile(name) else open(os.path.join(name, 'index.txt'), 'w')",
        {"list data", "read data/x.csv", "read data/y.csv", "overwrite data/index.txt"},
    ),
    (
        "pathlib's glob",
        "from pathlib import Path\nfor path in Path('data').glob('*.csv'):\n    path.read_text()\n"
        "    Path('o', path.stem).with_suffix('.json').touch()",
        {"list data", "read data/x.csv", "read data/y.csv", "update o/x.json", "update o/y.json"},
    ),
]


@pytest.mark.parametrize(("name", "code", "expected"), PARTLY_KNOWN, ids=[row[0] for row in PARTLY_KNOWN])
def test_partly_known_paths_are_patterns(name: str, code: str, expected: set[str], tmp_path: Path) -> None:
    from unit.inference.reality import analyse, rows, write_tree

    write_tree(tmp_path, code)
    assert rows(analyse(tmp_path)) == expected


def test_links_in_the_tree_are_told_from_files(tmp_path: Path) -> None:
    from unit.inference.reality import analyse, rows, write_tree

    code = (
        "import os\nfrom pathlib import Path\n"
        "for name in ('a.txt', 'link.txt'):\n"
        "    if os.path.islink(name): open(name + '.os', 'w')\n"
        "    if Path(name).is_symlink(): open(name + '.path', 'w')\n"
    )
    write_tree(tmp_path, code)
    (tmp_path / "link.txt").symlink_to("a.txt")
    assert rows(analyse(tmp_path)) == {"overwrite link.txt.os", "overwrite link.txt.path"}
