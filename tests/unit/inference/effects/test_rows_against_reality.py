"""Rows of the standard library say what the real callables do to files.

Every case is really carried out, in a scratch folder and a process of its own, and the files that it opened, changed
and removed are compared with what its rows say for the same arguments.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import wave
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
from taskgates.inference.effects import (
    Condition,
    EffectTable,
    Kind,
    OpenRule,
    PathExpr,
    Piece,
    ReturnForm,
    Row,
    Step,
    load_effects,
)
from taskgates.inference.effects.model import operations_of_flags

if TYPE_CHECKING:
    from taskgates.model.access import Operation

Call = tuple[str, list[Any], dict[str, Any]]
Case = list[Call]

DRIVER = Path(__file__).with_name("effect_reality_driver.py")


def call(name: str, *args: Any, **kwargs: Any) -> Call:
    return (name, list(args), kwargs)


USER = os.getuid() if hasattr(os, "getuid") else 0

LOGGING = {
    "version": 1,
    "handlers": {
        "file": {"class": "logging.FileHandler", "filename": "run.log"},
        "screen": {"class": "logging.StreamHandler"},
    },
    "root": {"handlers": ["file"]},
}

CASES: list[Case] = [
    [call("builtins.open", "a.txt")],
    [call("builtins.open", "new.txt", "w")],
    [call("builtins.open", "a.txt", mode="a")],
    [call("builtins.open", "new.txt", "x")],
    [call("builtins.open", "a.txt", "r+")],
    [call("io.open", "a.txt", "rb")],
    [call("io.open_code", "a.txt")],
    [call("io.FileIO", "new.bin", "wb")],
    [call("codecs.open", "a.txt", "r", "utf-8")],
    [call("codecs.open", "new.txt", "w", encoding="utf-8")],
    [call("os.open", "a.txt", 0)],
    [call("os.open", "new.txt", 0o100 | 0o1)],
    [call("os.open", "a.txt", 0o2 | 0o1000)],
    [call("os.remove", "a.txt")],
    [call("os.unlink", "a.txt")],
    [call("os.rename", "a.txt", "moved.txt")],
    [call("os.replace", "a.txt", "b.txt")],
    [call("os.renames", "folder/inner.txt", "elsewhere/inner.txt")],
    [call("os.link", "a.txt", "hard.txt")],
    [call("os.symlink", "a.txt", "soft.txt")],
    [call("os.truncate", "a.txt", 2)],
    [call("os.mkdir", "made")],
    [call("os.makedirs", "made/deep")],
    [call("os.listdir", "folder")],
    [call("os.stat", "a.txt")],
    [call("os.path.exists", "a.txt")],
    [call("os.path.samefile", "a.txt", "b.txt")],
    [call("shutil.copyfile", "a.txt", "copy.txt")],
    [call("shutil.copy", "a.txt", "copy.txt")],
    [call("shutil.copy", "a.txt", "folder")],
    [call("shutil.copy2", "a.txt", "folder/")],
    [call("shutil.copymode", "a.txt", "b.txt")],
    [call("shutil.copytree", "folder", "twin")],
    [call("shutil.move", "a.txt", "moved.txt")],
    [call("shutil.move", "a.txt", "folder")],
    [call("shutil.rmtree", "folder")],
    [call("shutil.make_archive", "packed", "zip", "folder")],
    [call("shutil.make_archive", "packed", "gztar", root_dir="folder")],
    [call("shutil.unpack_archive", "archive.zip", "unpacked")],
    [call("shutil.unpack_archive", "archive.tar.gz")],
    [call("pathlib.Path", "a.txt"), call(".read_text")],
    [call("pathlib.Path", "a.txt"), call(".read_bytes")],
    [call("pathlib.Path", "new.txt"), call(".write_text", "x")],
    [call("pathlib.Path", "a.txt"), call(".open", "a")],
    [call("pathlib.Path", "a.txt"), call(".open")],
    [call("pathlib.Path", "new.txt"), call(".touch")],
    [call("pathlib.Path", "a.txt"), call(".unlink")],
    [call("pathlib.Path", "a.txt"), call(".rename", "moved.txt")],
    [call("pathlib.Path", "a.txt"), call(".replace", "b.txt")],
    [call("pathlib.Path", "soft.txt"), call(".symlink_to", "a.txt")],
    [call("pathlib.Path", "hard.txt"), call(".hardlink_to", "a.txt")],
    [call("pathlib.Path", "folder"), call(".iterdir")],
    [call("pathlib.Path", "folder"), call(".rglob", "*.txt")],
    [call("pathlib.Path", "made"), call(".mkdir")],
    [call("tempfile.mkstemp", ".tmp", "pre", "folder")],
    [call("tempfile.mkstemp")],
    [call("tempfile.mkdtemp", dir="folder")],
    [call("tempfile.NamedTemporaryFile", dir="folder")],
    [call("tempfile.NamedTemporaryFile", "w", suffix=".log", dir=".", delete=False)],
    [call("tempfile.NamedTemporaryFile")],
    [call("tempfile.TemporaryDirectory", dir="folder")],
    [call("glob.glob", "folder/*.txt")],
    [call("fileinput.input", ["a.txt", "b.txt"])],
    [call("linecache.getline", "a.txt", 1)],
    [call("configparser.ConfigParser"), call(".read", ["conf.ini"])],
    [call("csv.reader", ["a,b"])],
    [call("zipfile.ZipFile", "archive.zip")],
    [call("zipfile.ZipFile", "new.zip", "w"), call(".write", "a.txt")],
    [call("zipfile.ZipFile", "archive.zip"), call(".extractall", "out")],
    [call("zipfile.ZipFile", "archive.zip"), call(".extract", "a.txt", "out")],
    [call("zipfile.ZipFile", "archive.zip", "a"), call(".writestr", "x", "y")],
    [call("zipfile.is_zipfile", "archive.zip")],
    [call("zipfile.PyZipFile", "new.zip", "w"), call(".writepy", "package")],
    [call("tarfile.open", "archive.tar.gz")],
    [call("tarfile.open", "archive.tar.gz", "r:gz"), call(".extractall", "out")],
    [call("tarfile.open", "new.tar.xz", "w:xz"), call(".add", "folder")],
    [call("tarfile.open", "new.tar", "w"), call(".add", "a.txt", recursive=False)],
    [call("tarfile.is_tarfile", "archive.tar.gz")],
    [call("gzip.open", "a.txt.gz", "wt")],
    [call("gzip.GzipFile", "a.txt.gz", "wb")],
    [call("bz2.open", "a.bz2", "wb")],
    [call("lzma.open", "a.xz", "wb")],
    [call("lzma.LZMAFile", "a.xz", "w")],
    [call("wave.open", "sound.wav")],
    [call("xml.etree.ElementTree.parse", "page.xml")],
    [call("xml.etree.ElementTree.parse", "page.xml"), call(".write", "out.xml")],
    [call("xml.etree.ElementTree.iterparse", "page.xml")],
    [call("xml.dom.minidom.parse", "page.xml")],
    [call("xml.etree.ElementTree.canonicalize", from_file="page.xml")],
    [call("logging.FileHandler", "run.log")],
    [call("logging.FileHandler", "a.txt", "w")],
    [call("logging.handlers.WatchedFileHandler", "run.log")],
    [call("logging.handlers.RotatingFileHandler", "run.log"), call(".doRollover")],
    [call("logging.handlers.TimedRotatingFileHandler", "run.log", "D")],
    [call("logging.basicConfig", filename="run.log", force=True)],
    [call("logging.config.fileConfig", "logging.ini")],
    [call("zipapp.create_archive", "application", "app.pyz")],
    [call("zipapp.create_archive", "application")],
    [call("zipapp.get_interpreter", "archive.zip")],
    [call("py_compile.compile", "module.py", "module.out")],
    [call("cProfile.run", "1 + 1", "profile.out")],
    [call("cProfile.Profile"), call(".dump_stats", "profile.out")],
    [call("filecmp.cmp", "netrc", "netrc", shallow=False)],
    [call("filecmp.cmpfiles", "folder", "twin_folder", ["inner.txt"], shallow=False)],
    [call("mimetypes.read_mime_types", "mime.types")],
    [call("netrc.netrc", "netrc")],
    [call("mailbox.mbox", "mail.mbox")],
    [call("mailbox.Maildir", "maildir")],
    [call("mailbox.Maildir", "maildir"), call(".add", "From: x\n\ny")],
    [call("mailbox.mbox", "mail.mbox"), call(".lock")],
    [call("shelve.open", "shelf")],
    [call("dbm.dumb.open", "dumb", "c")],
    [call("sqlite3.connect", "new.db"), call(".execute", "create table t (x)")],
    [call("sqlite3.connect", "file:{root}/new.db?mode=rwc", uri=True), call(".execute", "create table t (x)")],
    [call("sqlite3.connect", "file::memory:", uri=True), call(".execute", "create table t (x)")],
    [call("sqlite3.connect", ":memory:"), call(".execute", "create table t (x)")],
    [call("tokenize.open", "module.py")],
    [call("urllib.request.urlopen", "file:{root}/a.txt")],
    [call("http.cookiejar.MozillaCookieJar", "cookies.txt"), call(".save")],
    [call("http.cookiejar.MozillaCookieJar"), call(".save", "cookies.txt")],
    [call("compileall.compile_file", "module.py", quiet=2)],
    [call("trace.CoverageResults", {}, None, None, {}, "counts.out"), call(".write_results")],
    [call("tracemalloc.Snapshot", [], 1), call(".dump", "snapshot.out")],
    [call("doctest.testfile", "a.txt", module_relative=False)],
    [call("venv.EnvBuilder", with_pip=False, symlinks=True), call(".ensure_directories", "environment")],
    [call("uu.encode", "a.txt", "a.uu")],
    [call("imghdr.what", "a.txt")],
    [call("sndhdr.what", "sound.wav")],
    [call("tabnanny.check", "module.py")],
    [call("modulefinder.ModuleFinder", []), call(".run_script", "module.py")],
    [call("pkgutil.iter_modules", ["package"])],
    [call("fileinput.input", "a.txt", inplace=True)],
    [call("fileinput.input", ["a.txt", "b.txt"], inplace=True, backup=".orig")],
    [call("fileinput.hook_compressed", "a.txt", "r")],
    [call("logging.config.dictConfig", LOGGING)],
    [call("mailbox.mbox", "mail.mbox"), call(".clear")],
    [call("mailbox.MH", "maildir"), call(".get_sequences")],
    [call("sqlite3.connect", "new.db"), call(".executescript", "-- made here\ncreate table t (x);")],
    [call("sqlite3.connect", "new.db"), call(".cursor"), call(".execute", "CREATE TABLE t (x)")],
    [call("shutil.copy", "path:a.txt", "path:folder")],
    [call("shutil.chown", "a.txt", USER)],
    [call("os.walk", "folder")],
    [call("os.chmod", "a.txt", 0o600)],
    [call("os.utime", "a.txt")],
    [call("builtins.open", "path:a.txt", "rb")],
    [call("zipfile.ZipFile", "path:new.zip", mode="x"), call(".write", "path:folder/inner.txt", "x.txt")],
    [call("zipfile.Path", "archive.zip"), call(".iterdir")],
    [call("tarfile.TarFile", "new.tar", "w"), call(".gettarinfo", "a.txt")],
    [call("ctypes.util.find_library", "c")],
    [call("pstats.Stats")],
    [call("networkx.read_edgelist", "edges.txt")],
    [call("ruamel.yaml.YAML"), call(".load", "path:conf.yaml")],
    [call("ruamel.yaml.YAML"), call(".load", "a: b")],
    [call("ruamel.yaml.YAML"), call(".dump", {"a": 1}, "path:out.yaml")],
    [call("jinja2.Template", "x"), call(".stream"), call(".dump", "out.html")],
    [call("site.addsitedir", "folder")],
    [call("ssl.create_default_context", capath="folder")],
    [call("getpass.getuser")],
    [call("multiprocessing.shared_memory.SharedMemory", None, True, 10), call(".unlink")],
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template")
    texts = {
        "a.txt": "alpha\n",
        "b.txt": "beta\n",
        "conf.ini": "[s]\nk = v\n",
        "page.xml": "<page><p/></page>",
        "module.py": "X = 1\n",
        "mime.types": "text/plain txt\n",
        "netrc": "machine m login l password p\n",
        "logging.ini": (
            "[loggers]\nkeys=root\n[handlers]\nkeys=\n[formatters]\nkeys=\n[logger_root]\nlevel=INFO\nhandlers=\n"
        ),
        "mail.mbox": "From a@b Thu Jan  1 00:00:00 1970\nSubject: x\n\ntext\n\n",
        "conf.yaml": "a: b\n",
        "edges.txt": "1 2\n",
        "folder/inner.txt": "inner\n",
        "folder/sub/deep.txt": "deep\n",
        "twin_folder/inner.txt": "inner\n",
        "application/__main__.py": "print(1)\n",
        "package/__init__.py": "",
        "package/part.py": "Y = 2\n",
        "maildir/.mh_sequences": "unseen: 1\n",
        "maildir/new/one": "Subject: x\n\ntext\n",
        "maildir/cur/two": "Subject: y\n\ntext\n",
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / "netrc").chmod(0o600)
    (root / "maildir/tmp").mkdir()
    with zipfile.ZipFile(root / "archive.zip", "w") as archive:
        archive.writestr("a.txt", "zipped")
        archive.writestr("d/e.txt", "zipped")
    with tarfile.open(root / "archive.tar.gz", "w:gz") as tar:
        tar.add(root / "folder", "folder")
    with wave.open(str(root / "sound.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * 10)
    return root


@pytest.fixture(scope="module")
def records(template: Path) -> list[dict[str, Any]]:
    request = json.dumps({"template": str(template), "cases": CASES})
    done = subprocess.run(
        [sys.executable, "-B", str(DRIVER)], input=request, capture_output=True, text=True, check=True, timeout=120
    )
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


class Reading:
    """What the rows say about a case, for arguments that are all known."""

    def __init__(self, effects: EffectTable, template: Path) -> None:
        self.effects = effects
        self.template = template
        self.said: list[tuple[Operation, str, bool]] = []

    def follow(self, case: Case) -> None:
        kind = ""
        kept: dict[str, Any] = {}
        for name, args, kwargs in case:
            row = self.effects.method(kind, name[1:]) if name.startswith(".") else self.effects.lookup(name)
            assert row is not None, f"{name} of {kind} has no row"
            values = self.bind(row, args, kwargs)
            if row.name.startswith("pathlib.") and row.kind is Kind.TYPE:
                kept = {"": str(PurePosixPath(*args))}
            self.note(row, values, kept)
            if row.kind is Kind.TYPE:
                kept = kept or {
                    name: values.get(name) for name in row.keep if values.get(name) not in row.ignore.get(name, ())
                }
                kind = row.name
            elif row.returns is not None and row.returns.form is ReturnForm.TYPE:
                kind = row.returns.name

    def bind(self, row: Row, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
        assert row.params is not None, row.name
        values: dict[str, Any] = dict(row.defaults)
        given = dict(zip(row.params.positional, args, strict=False))
        if row.params.star:
            given[row.params.star] = args[len(row.params.positional) :]
        given.update({key: value for key, value in kwargs.items() if key in row.params.names})
        values.update({key: value for key, value in given.items() if value is not None})
        return {key: plain(value) for key, value in values.items()}

    def note(self, row: Row, values: dict[str, Any], kept: dict[str, Any]) -> None:
        for effect in row.effects:
            if self.hold(effect.when, values, kept):
                for path in self.paths(effect.path, row, values, kept):
                    self.say(effect.operation, path)
        if row.open is not None and self.hold(row.open.when, values, kept):
            for path in self.paths(row.open.path, row, values, kept):
                for operation in self.opened(row.open, values):
                    self.say(operation, path)

    def say(self, operation: Operation, path: str) -> None:
        self.said.append((operation, re.sub(r"(?<![^/])\./", "", path), "*" not in path))

    def opened(self, rule: OpenRule, values: dict[str, Any]) -> tuple[Operation, ...]:
        if rule.flags:
            return operations_of_flags(values[rule.flags])
        found = rule.operations(values.get(rule.mode))
        assert found, rule
        return found

    def hold(self, when: tuple[Condition, ...], values: dict[str, Any], kept: dict[str, Any]) -> bool:
        return all(
            test.holds(
                kept.get(test.param[5:]) if test.param.startswith("self.") else values.get(test.param),
                given=(test.param in values) or test.param.startswith("self."),
            )
            for test in when
        )

    def paths(self, path: PathExpr, row: Row, values: dict[str, Any], kept: dict[str, Any]) -> list[str]:
        found = [""]
        for part in path.parts:
            pieces = [part] if isinstance(part, str) else self.piece(part, row, values, kept)
            found = [head + piece for head in found for piece in pieces]
        return [each for each in found if each not in ("", "{temporary}") and "{temporary}" not in each]

    def piece(self, piece: Piece, row: Row, values: dict[str, Any], kept: dict[str, Any]) -> list[str]:
        steps = piece.steps
        if piece.name == "self":
            value = kept[""] if "" in kept else kept.get(steps[0].name)
            steps = steps if "" in kept else steps[1:]
        else:
            value = values.get(piece.name)
        if value is None or value in row.ignore.get(piece.name, ()):
            return []
        elements = value if isinstance(value, list) else [value]
        texts = [str(each) for each in elements if isinstance(each, (str, PathObject))]
        for step in steps:
            if step.name == "each":
                texts = nested(value, (step.argument or "").split("."))
                continue
            texts = [found for text in texts if (found := self.step(text, step, values)) is not None]
        return texts

    def step(self, text: str, step: Step, values: dict[str, Any]) -> str | None:
        path = PurePosixPath(text)
        argument = step.argument or ""
        match step.name:
            case "name" | "stem" | "suffix" | "parent":
                return str(getattr(path, step.name))
            case "with_suffix":
                return str(path.with_suffix(argument))
            case "into":
                folder = text.endswith("/") or (self.template / text).is_dir()
                return str(path / PurePosixPath(values[argument]).name) if folder else text
            case "after":
                return text.removeprefix(argument).removeprefix("{root}/") if text.startswith(argument) else None
            case "local":
                return text
            case "uri":
                return text.removeprefix("file:").removeprefix("{root}/").partition("?")[0]
        raise AssertionError(step)


class PathObject(PurePosixPath):
    """A path argument, as opposed to a string."""


def plain(value: Any) -> Any:
    return PathObject(value[5:]) if isinstance(value, str) and value.startswith("path:") else value


def nested(value: Any, keys: list[str]) -> list[str]:
    if not keys:
        return [value]
    inner = value.values() if keys[0] == "*" else [value[keys[0]]] if keys[0] in value else []
    return [text for each in inner for text in nested(each, keys[1:])]


def matches(pattern: str, path: str) -> bool:
    pieces = re.split(r"(\*\*/?|\*|\?)", pattern)
    table = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "."}
    return re.fullmatch("".join(table.get(piece, re.escape(piece)) for piece in pieces), path) is not None


WRITES = frozenset({"create", "overwrite", "append", "update", "delete", "rename"})


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=[" ".join(step[0] for step in case) + f" {i}" for i, case in enumerate(CASES)]
)
def test_row_says_what_the_call_does(number: int, records: list[dict[str, Any]], template: Path) -> None:
    record = records[number]
    if "error" in record:
        if record["error"].startswith(("ImportError", "ModuleNotFoundError", "AttributeError")):
            pytest.skip("this Python does not have it")
        pytest.fail(record["error"])
    reading = Reading(load_effects(), template)
    reading.follow(CASES[number])
    written = [(path, exact) for operation, path, exact in reading.said if operation in WRITES]
    read = [(path, exact) for operation, path, exact in reading.said if operation == "read"]
    undecided = set(record["either"])
    missed = [f"write {path}" for path in record["writes"] if not any(matches(pattern, path) for pattern, _ in written)]
    missed += [
        f"read {path}" for path in record["reads"] if not any(matches(pattern, path) for pattern, _ in read + written)
    ]
    assert missed == [], f"the rows say {reading.said}"
    folders = {str(path.relative_to(template)) for path in template.rglob("*") if path.is_dir()}
    wrong = [
        f"write {path}" for path, exact in written if exact and path not in {*record["writes"], *folders, *undecided}
    ]
    wrong += [f"read {path}" for path, exact in read if exact and path not in {*record["reads"], *folders, *undecided}]
    assert wrong == [], f"really: {record}"
