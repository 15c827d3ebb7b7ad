"""What small data files, archives and the running system decide, checked against a real run of every program."""

from __future__ import annotations

import io
import sqlite3
import tarfile
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from taskgates.inference.archive_members import MEMBER_LIMIT, archive_members
from unit.inference.reality import analyse, every, rows, run_for_real, write_tree
from unit.inference.test_programs import infer, told

if TYPE_CHECKING:
    from pathlib import Path

WRITER = 'def w(*names):\n    for name in names:\n        open(name, "w").close()\n'

PROGRAMS = {
    "rewrite only what changes": """
import re
for name in ("a.txt", "b.txt", "unix.dat", "dos.dat"):
    with open(name) as source:
        text = source.read()
    changed = re.sub("alpha|two", "X", text)
    if changed != text:
        with open(name, "w") as target:
            target.write(changed)
    else:
        w(name + ".same")
--- unix.dat
one
--- dos.dat
two
""",
    "bytes keep their line ends": r"""
from pathlib import Path
for name in ("dos.dat", "unix.dat"):
    Path(name).write_bytes(b"a\r\n" if name[0] == "d" else b"a\n") if False else None
    data = open(name, "rb").read()
    if b"\r\n" in data or data.replace(b"\n", b"") == data: w("changed-" + name)
    w(f"{len(Path(name).read_bytes())}-{name}")
--- unix.dat
a
--- dos.dat
b
""",
    "line by line": """
with open("jobs.dat") as jobs:
    for line in jobs:
        verb, _, rest = line.strip().partition(" ")
        if verb == "make": w(rest)
        elif verb == "stop": break
--- jobs.dat
# a comment
make one.out
make two.out
stop
make three.out
""",
    "source that is executed": """
space = {}
exec(open("names.py").read(), space)
w(*space["NAMES"])
--- names.py
NAMES = ["n" + str(i) for i in range(2)]
""",
    "tokens": """
import io, tokenize
with open("source.dat") as f:
    for token in tokenize.generate_tokens(f.readline):
        if token.type == tokenize.NAME and token.string.isupper(): w(f"{token.string}-{token.start[0]}")
lines = iter(["B = 2", ""])
w(*[t[1] for t in tokenize.generate_tokens(lambda: next(lines)) if t[0] == tokenize.NAME])
data = io.BytesIO(b"C = 3").readline
w(*[t.string for t in tokenize.tokenize(data) if t.type == tokenize.NAME])
--- source.dat
x = A
D = x
""",
    "a recursive descent behind one decorator": """
def memo(method):
    def wrapper(self, *args):
        key = self.at, method.__name__, args
        if key not in self.memo:
            self.memo[key] = method(self, *args), self.at
        found, self.at = self.memo[key]
        return found
    return wrapper

class Parser:
    def __init__(self, text): self.words, self.at, self.memo = text.split(), 0, {}
    @memo
    def name(self):
        if self.at < len(self.words) and self.words[self.at].isalpha():
            self.at += 1
            return self.words[self.at - 1]
        return None
    @memo
    def names(self):
        mark = self.at
        if (one := self.name()) and (rest := self.names()): return [one, *rest]
        self.at = mark
        if one := self.name(): return [one]
        self.at = mark
        return None
    @memo
    def start(self): return self.names()

w(*Parser(open("grammar.dat").read()).start())
--- grammar.dat
aa bb cc
""",
    "the running system": """
import os, platform, sys
if sys.hexversion < 0x03000000 or sys.version < "3" or sys.version[:3] == "2.7": w("old")
if platform.system() == "Windows" or os.uname().sysname == "Darwin" or platform.uname().system == "Java": w("other")
if sys.implementation.name != "cpython" or platform.python_implementation() == "PyPy": w("pypy")
if int(platform.python_version_tuple()[0]) < 3 or platform.python_version().startswith("2."): w("two")
if sys.maxsize < 2**32: w("small")
w("here")
""",
    "a frozen program": """
import os, sys
def resource(name):
    try: base = sys._MEIPASS
    except AttributeError: base = os.path.dirname(os.path.abspath(__file__))
    return os.path.join(base, name)
w(resource("resource.out"))
if getattr(sys, "frozen", False) or hasattr(sys, "_MEIPASS") or hasattr(os, "startfile"): w("frozen")
try:
    import winreg
    w("registry")
except ImportError: w("no registry")
""",
    "formatters": """
import string
class Own(string.Formatter):
    def get_value(self, key, args, kwargs):
        return kwargs.get(key, "none") if isinstance(key, str) else super().get_value(key, args, kwargs)
    def format_field(self, value, spec):
        return value.upper() if spec == "up" else super().format_field(value, spec)
own = Own()
w(own.format("x-{0}-{who:up}-{missing}", 1, who="me"), own.vformat("y-{who}", (), {"who": "you"}))
w(own.format("{}-{}", "a", "b"), string.Formatter().vformat("z-{0}-{n:03d}", ("p",), {"n": 7}))
""",
    "a lone string is evaluated": """
w(eval("'quoted'"), eval("'with names'", {}, {}))
""",
    "one part decides": """
import random
chance = random.random()
known = {"a": 1}
name = "b"
if chance or name not in known: w("yes")
else: w("no")
if chance > 2 and name in known: w("never")
w("one") if (chance or True) else w("other")
while chance or name == "b":
    break
else: w("never ended")
""",
    "arguments without defaults": """
import argparse
parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
parser.add_argument("--config")
parser.add_argument("--out", default="out.txt")
parser.add_argument("-v", action="store_true")
given = vars(parser.parse_args([]))
if "config" in given or "v" in given: w("given")
w(given["out"])
general = argparse.ArgumentParser(argument_default="general")
general.add_argument("--name")
w(general.parse_args([]).name)
""",
    "functions that take the place of others": """
import os, shutil
from unittest import mock
def save(): w("saved")
with mock.patch("__main__.save") as saved:
    save()
    saved.assert_called_once_with()
save()
with mock.patch("os.remove", side_effect=lambda path: w("removed-" + path)): os.remove("a.txt")
with mock.patch("builtins.open", mock.mock_open(read_data="text")) as opened: text = open("ghost.txt").read()
w(text)
with mock.patch.dict(os.environ, {"OUT": "from-environment"}): w(os.environ["OUT"])
@mock.patch("shutil.copy", return_value="copied")
def copy(fake): return shutil.copy("a.txt", "b.txt")
w(copy())
original = os.rename
def rename(old, new):
    w("log-" + old)
    original(old, new)
os.rename = rename
os.rename("a.txt", "c.txt")
""",
    "markup": """
import html.parser, xml.sax
class Links(html.parser.HTMLParser):
    def handle_starttag(self, tag, attrs):
        w(*[f"{tag}-{value}" for name, value in attrs if name == "href"])
    def handle_data(self, data):
        if data.strip(): w("text-" + data.strip())
Links().feed(open("page.dat").read())
class Names(xml.sax.ContentHandler):
    def startElement(self, name, attrs):
        if "n" in attrs: w(name + attrs["n"] + attrs.get("m", ""))
    def endDocument(self): w("end")
xml.sax.parse("data.xml", Names())
xml.sax.parseString(b'<r><f n="text"/></r>', xml.sax.ContentHandler())
reader = xml.sax.make_parser()
reader.setContentHandler(Names())
reader.parse("data.xml")
--- page.dat
<p><a href="one">x</a><a href="two"/></p>
--- data.xml
<r><f n="1"/><g n="2" m="3"/></r>
""",
    "lines by number": """
import linecache, mimetypes
w(linecache.getline("lines.dat", 2).strip(), "none" + linecache.getline("lines.dat", 9))
w(*[line.strip() + "-again" for line in linecache.getlines("lines.dat")])
w(mimetypes.guess_type("a.png")[0].replace("/", "-"), "x" + mimetypes.guess_extension("text/css"))
--- lines.dat
first
second
""",
    "lines of several files": """
import fileinput
for line in fileinput.input(["a.txt", "b.txt"]):
    w(f"{line.strip()}-{fileinput.filelineno()}-{fileinput.lineno()}")
with fileinput.input(files=("a.txt",)) as lines:
    for line in lines:
        if lines.isfirstline(): w("first-" + lines.filename())
with fileinput.FileInput("b.txt") as lines:
    w(*["all-" + line.strip() for line in lines])
""",
    "a document that can be parsed": """
import json, os
settings = {"name": "default"}
for place in (os.path.expanduser("~/.no-such-tool.json"), "tool.json", "local.json"):
    try:
        with open(place) as source: settings.update(json.load(source))
    except FileNotFoundError: pass
    except json.JSONDecodeError: w("bad")
w(settings["name"])
--- tool.json
{"name": "set"}
""",
    "what is not there": """
import os
from pathlib import Path
for folder, _, names in os.walk("nowhere"):
    for name in names: w(name)
try: names = os.listdir("nowhere")
except FileNotFoundError: names = ["fallback"]
w(*names)
for settings in (Path.home() / ".no-such-tool" / "rc", Path(os.path.expanduser("~/.no-such-tool"))):
    if settings.is_file(): w("found")
""",
    "what is there can be read": """
for attempt in range(3):
    try:
        text = open("a.txt").read()
        break
    except OSError: w("again")
else: w("given up")
try: lines = [line for line in open("b.txt")]
except Exception as error: w("failed")
""",
    "a coroutine that is closed": """
def collect(name):
    rows = []
    try:
        while True: rows.append((yield))
    except GeneratorExit:
        w(name)
collector = collect("collected")
next(collector)
collector.send(1)
collector.close()
""",
    "what is appended to": """
with open("new.log", "a+") as log: log.write("x")
with open("a.txt", "a+") as log:
    log.seek(0)
    print(log.read())
""",
}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_content_decides_as_it_does_in_a_run(name: str, tmp_path: Path) -> None:
    root = tmp_path / "tree"
    write_tree(root, WRITER + PROGRAMS[name])
    found = analyse(root)
    said = rows(found)
    if name != "a coroutine that is closed":
        assert [access.path for access in every(found) if access.conditional] == []
    real = run_for_real(root, ("python", "main.py"), tmp_path / "log")
    if name == "what is appended to":
        # Of a descriptor that is open for both, the audit hook does not tell what is done with it.
        real.discard("read new.log")
    assert (sorted(real - said), sorted(said - real)) == ([], [])


def zipped(names: list[str]) -> bytes:
    """A ZIP archive with small members; names that end with a slash are folders."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "" if name.endswith("/") else "x")
    return out.getvalue()


def tarred(names: list[str], mode: str) -> bytes:
    """A TAR archive with small members, packed as `mode` says."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name in names:
            entry = tarfile.TarInfo(name.rstrip("/"))
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            entry.size = 0 if name.endswith("/") else 1
            archive.addfile(entry, io.BytesIO(b"x"))
    return out.getvalue()


NAMES = ["r.txt", "d/", "d/s.txt", "d/t.md"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_members_of_every_kind_of_archive(mode: str) -> None:
    found = archive_members(tarred(NAMES, mode))
    assert found is not None
    assert [(member.name, member.kind) for member in found if member.kind == "file"] == [
        ("r.txt", "file"),
        ("d/s.txt", "file"),
        ("d/t.md", "file"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"no archive",
        tarred(NAMES, "w:gz")[:40],
        zipped(NAMES)[:60],
        tarred(NAMES, "w:gz") + b"\x1f\x8brest",
        zipped([f"f{number}" for number in range(MEMBER_LIMIT + 1)]),
    ],
    ids=["empty", "head", "text", "cut tar", "cut zip", "tar and more", "too many"],
)
def test_what_is_no_archive_or_too_large_has_no_known_members(data: bytes) -> None:
    assert not archive_members(data)


UNPACKING = """
import shutil, sys, tarfile, zipfile
from pathlib import Path
with zipfile.ZipFile("a.zip") as archive:
    archive.extractall("one")
    for name in archive.namelist():
        if name.endswith(".txt"): Path("texts", Path(name).name).write_bytes(archive.read(name))
with tarfile.open("b.tar.gz") as archive:
    archive.extractall("two", filter="data")
    for member in archive:
        if member.isfile() and member.name.endswith(".md"): archive.extract(member, "three")
shutil.unpack_archive("c.tar", "four")
archive = zipfile.ZipFile("a.zip")
archive.extractall(path="five", members=[name for name in archive.namelist() if name.startswith("d/")])
for info in archive.infolist():
    if not info.is_dir(): archive.extract(info, "six")
"""


def test_unpacking_writes_what_the_archive_holds(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "main.py": UNPACKING,
        "a.zip": zipped(NAMES),
        "b.tar.gz": tarred(NAMES, "w:gz"),
        "c.tar": tarred(["m.txt"], "w"),
        "one/kept.txt": "",
        "texts/kept.txt": "",
    }
    _, writes = told(infer(tmp_path, files, "python main.py"))
    inner = ("r.txt", "d/s.txt", "d/t.md")
    expected = {f"{folder}/{name}" for folder in ("one", "two", "six") for name in inner}
    expected |= {"texts/r.txt", "texts/s.txt", "three/d/t.md", "four/m.txt", "five/d/s.txt", "five/d/t.md"}
    assert writes == {f"overwrite {path}" for path in expected}


@pytest.mark.parametrize(
    ("command", "writes"),
    [
        ("tar xzf b.tar.gz -C out", {"out/r.txt", "out/d/s.txt", "out/d/t.md"}),
        ("tar -xf b.tar.gz --strip-components=1", {"s.txt", "t.md"}),
        ("tar xzf b.tar.gz --exclude=r.txt", {"**"}),
        ("unzip -q a.zip -d out", {"out/r.txt", "out/d/s.txt", "out/d/t.md"}),
        ("unzip a", {"r.txt", "d/s.txt", "d/t.md"}),
        ("unzip a.zip -x r.txt", {"**"}),
        ("cp other.zip a.zip && unzip a.zip", {"a.zip", "**"}),
    ],
)
def test_the_shell_unpacks_what_the_archive_holds(tmp_path: Path, command: str, writes: set[str]) -> None:
    files = {"a.zip": zipped(NAMES), "b.tar.gz": tarred(NAMES, "w:gz"), "other.zip": zipped(["z"])}
    _, found = told(infer(tmp_path, files, command))
    assert found == {f"overwrite {path}" for path in writes}


EACH = """
import glob, json
from pathlib import Path
for path in Path("conf").glob("*.json"):
    Path(json.loads(path.read_text())["out"]).write_text("x")
for name in sorted(glob.glob("conf/*.json")):
    with open(name) as handle: settings = json.load(handle)
    open("again-" + settings["out"], "w")
    with open(name) as handle:
        for line in handle: print(line)
"""


def test_each_file_of_a_pattern_decides(tmp_path: Path) -> None:
    files = {"main.py": EACH, "conf/a.json": '{"out": "a.txt"}', "conf/b.json": '{"out": "b.txt"}'}
    reads, writes = told(infer(tmp_path, files, "python main.py"))
    assert writes == {f"overwrite {name}" for name in ("a.txt", "b.txt", "again-a.txt", "again-b.txt")}
    assert reads == {"read conf/a.json", "read conf/b.json"}


@pytest.mark.parametrize(("wanted", "written"), [("note", set()), ("other", {"update notes.db"})])
def test_a_table_that_is_there_already_is_not_made_again(tmp_path: Path, wanted: str, written: set[str]) -> None:
    with closing(sqlite3.connect(tmp_path / "made.db")) as made:
        made.execute("CREATE TABLE note (text TEXT)")
        made.execute("CREATE INDEX by_text ON note (text)")
    schema = f"CREATE TABLE IF NOT EXISTS {wanted} (text TEXT); create index if not exists by_text on note (text);"
    code = f"import sqlite3\nsqlite3.connect('notes.db').executescript({schema!r})\n"
    files: dict[str, str | bytes] = {"main.py": code, "notes.db": (tmp_path / "made.db").read_bytes()}
    assert told(infer(tmp_path / "tree", files, "python main.py")) == ({"read notes.db"}, written)


def test_files_of_a_pattern_that_the_program_writes_itself_are_not_known(tmp_path: Path) -> None:
    files = {"main.py": 'open("conf/c.json", "w")' + EACH, "conf/a.json": '{"out": "a.txt"}'}
    found = infer(tmp_path, files, "python main.py")
    assert any(access.path is None for access in found.writes)
