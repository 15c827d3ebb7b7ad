"""Programs that are started by name: what `python -m NAME`, console scripts and test runners do in small trees."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest
from taskgates.inference.engine import Analyser
from taskgates.model.access import AccessSet, Operation
from taskgates.model.task import Command
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

UNSEEN = {Operation.LIST, Operation.STAT, Operation.MKDIR}
"""Operations that these tests leave out: they concern folders, not files."""


def infer(root: Path, files: Mapping[str, str | bytes], command: str) -> AccessSet:
    """Lay out a tree and infer what a command does in it."""
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Analyser(Tree(root)).command(Command(shell=command))


def told(found: AccessSet) -> tuple[set[str], set[str]]:
    """All reads and writes of files as `operation path`, a question mark behind what is conditional."""
    sides = tuple(
        {
            f"{access.operation.value} {access.path}{'?' if access.conditional else ''}"
            for access in side
            if access.operation not in UNSEEN
        }
        for side in (found.reads, found.writes)
    )
    return sides[0], sides[1]


PROGRAM = "import sys\nwith open(sys.argv[2], 'w') as out:\n    out.write(open(sys.argv[1]).read())\n"
RUN = ({"read in.txt"}, {"overwrite out.txt"})
TREE = {"prog.py": PROGRAM, "in.txt": "x"}


@pytest.mark.parametrize(
    ("command", "reads", "writes"),
    [
        ("python -m cProfile prog.py in.txt out.txt", set(), set()),
        ("python -m cProfile -s cumtime -o stats.prof prog.py in.txt out.txt", set(), {"overwrite stats.prof"}),
        ("python -m profile --outfile=stats.prof -m prog in.txt out.txt", set(), {"overwrite stats.prof"}),
        ("python -m pdb -c continue prog.py in.txt out.txt", set(), set()),
        ("python -m pdb -m prog in.txt out.txt", {"read prog.py"}, set()),
        ("python -m pdb prog.py in.txt out.txt", {"read prog.py"}, set()),
        ("python -m runpy prog in.txt out.txt", set(), set()),
        ("python -m trace -T prog.py in.txt out.txt", set(), set()),
        ("python -m trace -t prog.py in.txt out.txt", {"read prog.py"}, set()),
        ("python -m trace -c -C cov prog.py in.txt out.txt", {"read prog.py"}, {"overwrite cov/prog.cover"}),
        ("python -m trace -c prog.py in.txt out.txt", {"read prog.py"}, {"overwrite prog.cover"}),
        ("python -m trace -c --ignore-module prog prog.py in.txt out.txt", set(), set()),
        ("python -m trace -c -R prog.py in.txt out.txt", set(), set()),
        (
            "python -m trace -s -c -f counts.pkl -C cov prog.py in.txt out.txt",
            {"read prog.py"},
            {"overwrite cov/prog.cover", "overwrite counts.pkl"},
        ),
        ("coverage run --branch --source=. prog.py in.txt out.txt", set(), {"overwrite .coverage"}),
        ("coverage run -a prog.py in.txt out.txt", set(), {"update .coverage"}),
        ("coverage run -p --data-file=cov/data -m prog in.txt out.txt", set(), {"create cov/data.*"}),
        ("python -m coverage run -m prog in.txt out.txt", set(), {"overwrite .coverage"}),
        ("torchrun --nproc_per_node 2 prog.py in.txt out.txt", set(), set()),
        ("python -m torch.distributed.run --standalone -m prog in.txt out.txt", set(), set()),
        ("kernprof -l -o lines.lprof prog.py in.txt out.txt", set(), {"overwrite lines.lprof"}),
    ],
)
def test_the_program_behind_a_runner_is_analysed(
    tmp_path: Path, command: str, reads: set[str], writes: set[str]
) -> None:
    found = infer(tmp_path, TREE, command)
    assert told(found) == (RUN[0] | reads, RUN[1] | writes)
    assert found.opaque == ()


@pytest.mark.parametrize(
    "command",
    [
        "python -m cProfile",
        "python -m cProfile --nonsense prog.py",
        "python -m trace --help",
        "python -m timeit --help",
    ],
)
def test_a_command_line_that_only_prints_usage_touches_nothing(tmp_path: Path, command: str) -> None:
    found = infer(tmp_path, TREE, command)
    assert told(found) == (set(), set())
    assert found.complete


def test_a_module_of_the_repository_comes_before_the_program_of_that_name(tmp_path: Path) -> None:
    found = infer(tmp_path, {"timeit.py": "open('mine.txt')\n", "mine.txt": ""}, "python -m timeit 'open(\"in.txt\")'")
    assert told(found) == ({"read mine.txt"}, set())


def test_timeit_runs_setup_and_statement(tmp_path: Path) -> None:
    command = "python -m timeit -n 1 -s 'import pathlib' -s 'p = pathlib.Path(\"in.txt\")' 'p.read_text()'"
    assert told(infer(tmp_path, TREE, command)) == ({"read in.txt"}, set())


def test_coverage_reads_its_settings(tmp_path: Path) -> None:
    found = infer(tmp_path, {**TREE, "pyproject.toml": ""}, "coverage xml -o report.xml")
    assert told(found) == ({"read .coverage", "read **/*.py", "read pyproject.toml"}, {"overwrite report.xml"})


# Byte code

SOURCES = {
    "src/a.py": "A = 1\n",
    "src/broken.py": "def (:\n",
    "src/data.txt": "",
    "src/deep/b.py": "B = 2\n",
    "src/deep/__pycache__/old.txt": "",
}


def compiled(*names: str) -> set[str]:
    """The writes of byte code files: under a temporary name first."""
    return {write for name in names for write in (f"create {name}.*", f"overwrite {name}")}


def test_py_compile_names_the_byte_code_exactly(tmp_path: Path) -> None:
    found = infer(tmp_path, SOURCES, "python -m py_compile src/a.py src/broken.py")
    version = "".join(map(str, Analyser(Tree(tmp_path)).environment.version or (3, 11)))
    assert told(found) == (
        {"read src/a.py", "read src/broken.py"},
        compiled(f"src/__pycache__/a.cpython-{version}.pyc"),
    )


@pytest.mark.parametrize(
    ("options", "reads", "names"),
    [
        ("src", {"a", "broken", "deep/b"}, ["__pycache__/a{tag}", "deep/__pycache__/b{tag}"]),
        ("-l src", {"a", "broken"}, ["__pycache__/a{tag}"]),
        ("-q -b src -r 0", {"a", "broken"}, ["a"]),
        ("-x deep src", {"a", "broken"}, ["__pycache__/a{tag}"]),
        ("-l -o 1 -o 2 src", {"a", "broken"}, ["__pycache__/a{tag}.opt-1", "__pycache__/a{tag}.opt-2"]),
        ("src/deep/b.py nowhere", {"deep/b"}, ["deep/__pycache__/b{tag}"]),
    ],
)
def test_compileall_compiles_the_sources_below_a_folder(
    tmp_path: Path, options: str, reads: set[str], names: list[str]
) -> None:
    found = infer(tmp_path, SOURCES, f"python -m compileall {options}")
    tag = ".cpython-" + "".join(map(str, Analyser(Tree(tmp_path)).environment.version or (3, 11)))
    expected = compiled(*(f"src/{name.format(tag=tag)}.pyc" for name in names))
    assert told(found) == ({f"read src/{name}.py" for name in reads}, expected)


def test_byte_code_that_is_there_is_looked_at_first(tmp_path: Path) -> None:
    found = infer(tmp_path, {"a.py": "", "a.pyc": b"old"}, "python -m compileall -b .")
    assert told(found) == ({"read a.pyc", "read a.py?"}, {"create a.pyc.*?", "overwrite a.pyc?"})


def test_compiling_within_a_program_is_the_same(tmp_path: Path) -> None:
    script = "import compileall, py_compile\ncompileall.compile_dir('src', legacy=True, quiet=1)\n"
    script += "py_compile.compile('one.py', cfile='build/one.bin')\n"
    found = infer(tmp_path, {"s.py": script, "src/a.py": "", "one.py": ""}, "python s.py")
    assert told(found) == ({"read src/a.py", "read one.py"}, compiled("src/a.pyc", "build/one.bin"))


# Environments and archives


def test_a_virtual_environment_without_pip(tmp_path: Path) -> None:
    found = infer(tmp_path, {}, "python -m venv --without-pip env")
    names = {access.path for access in found.writes if access.operation not in UNSEEN}
    version = ".".join(map(str, Analyser(Tree(tmp_path)).environment.version or (3, 11)))
    assert {"env/pyvenv.cfg", "env/bin/activate", "env/bin/python3", f"env/bin/python{version}"} <= names
    assert not any(name and "site-packages" in name for name in names)
    assert found.complete


def zipped(files: Mapping[str, str]) -> bytes:
    """A ZIP archive behind a first line for the kernel, as zipapp writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return b"#!/usr/bin/env python3\n" + buffer.getvalue()


def test_an_archive_is_run_by_its_main_module(tmp_path: Path) -> None:
    members = {
        "__main__.py": "from app.core import run\nrun('in.txt')\n",
        "app/__init__.py": "",
        "app/core.py": "import helper\ndef run(name):\n    helper.copy(name, 'out.txt')\n",
        "helper.py": "import shutil\ndef copy(a, b):\n    shutil.copyfile(a, b)\n",
    }
    found = infer(tmp_path, {"app.pyz": zipped(members), "in.txt": ""}, "python app.pyz")
    assert told(found) == RUN
    assert found.imports == ("app.pyz",)


def test_an_archive_on_the_search_path_holds_modules(tmp_path: Path) -> None:
    library = zipped({"inside.py": "def load():\n    return open('in.txt').read()\n"})
    script = "import sys\nsys.path.insert(0, 'lib.zip')\nimport inside\ninside.load()\n"
    found = infer(tmp_path, {"lib.zip": library, "s.py": script, "in.txt": ""}, "python s.py")
    assert told(found) == ({"read in.txt"}, set())


def test_a_broken_archive_does_not_end_the_analysis(tmp_path: Path) -> None:
    found = infer(tmp_path, {"app.pyz": zipped({"__main__.py": "x"})[:60]}, "python app.pyz")
    assert told(found) == (set(), set())
    assert found.opaque


# unittest

CASES = """
import os, shutil, tempfile, unittest

def setUpModule():
    open("module.txt").close()

class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = "work"

    def setUp(self):
        self.path = os.path.join(self.folder, self._testMethodName + ".txt")
        self.addCleanup(os.remove, self.path)

    def tearDown(self):
        open("torn.log", "a").close()

    def test_write(self):
        open(self.path, "w").close()

    def test_raises(self):
        with self.assertRaises(ValueError):
            open(self.path, "w").close()
            raise ValueError
        open("after.txt").close()

    @unittest.skip("not now")
    def test_skipped(self):
        open("never.txt").close()

    def helper(self):
        open("never.txt").close()

if __name__ == "__main__":
    unittest.main()
"""
CASE_TREE = {
    "tests/__init__.py": "",
    "tests/test_it.py": CASES,
    "tests/other.py": "open('never.txt')\n",
    "tests/plain/test_not_a_package.py": "open('never.txt')\n",
    "module.txt": "",
    "after.txt": "",
}
WHOLE = (
    {"read module.txt", "read after.txt"},
    {
        "overwrite work/test_write.txt",
        "delete work/test_write.txt",
        "overwrite work/test_raises.txt",
        "delete work/test_raises.txt",
        "append torn.log",
    },
)
ONE = (
    {"read module.txt"},
    {"overwrite work/test_write.txt", "delete work/test_write.txt", "append torn.log"},
)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python -m unittest", WHOLE),
        ("python -m unittest discover -v -s tests -t .", WHOLE),
        ("python -m unittest discover tests 'test_*.py' .", WHOLE),
        ("python -m unittest discover -p '*nothing.py'", (set(), set())),
        ("python -m unittest tests.test_it", WHOLE),
        ("python -m unittest tests/test_it.py", WHOLE),
        ("python -m unittest -q tests.test_it.Base.test_write", ONE),
        ("python -m unittest -k write tests.test_it", ONE),
        ("python tests/test_it.py", WHOLE),
        ("python tests/test_it.py Base.test_write", ONE),
        ("pytest -p no:cacheprovider", (WHOLE[0] | {"read tests/test_it.py"}, WHOLE[1])),
        (
            "pytest -p no:cacheprovider tests/test_it.py::Base::test_write",
            (ONE[0] | {"read tests/test_it.py"}, ONE[1]),
        ),
    ],
)
def test_test_cases_run_with_their_fixtures(tmp_path: Path, command: str, expected: tuple[set[str], set[str]]) -> None:
    tree = CASE_TREE
    if command.startswith("pytest"):
        # pytest also enters folders that are no packages.
        tree = {name: content for name, content in tree.items() if "plain" not in name}
    assert told(infer(tmp_path, tree, command)) == expected


def test_suites_built_by_hand_run(tmp_path: Path) -> None:
    script = (
        "import unittest\n"
        "from tests import test_it\n"
        "suite = unittest.TestSuite()\n"
        "suite.addTest(test_it.Base('test_write'))\n"
        "unittest.TextTestRunner(verbosity=2).run(suite)\n"
    )
    assert told(infer(tmp_path, {**CASE_TREE, "s.py": script}, "python s.py")) == ONE


def test_load_tests_has_the_last_word(tmp_path: Path) -> None:
    module = (
        "import unittest\n"
        "class A(unittest.TestCase):\n    def test_a(self):\n        open('a.txt')\n"
        "class B(unittest.TestCase):\n    def test_b(self):\n        open('b.txt')\n"
        "def load_tests(loader, tests, pattern):\n    return loader.loadTestsFromTestCase(B)\n"
    )
    found = infer(tmp_path, {"test_m.py": module, "a.txt": "", "b.txt": ""}, "python -m unittest")
    assert told(found) == ({"read b.txt"}, set())


# pytest

PYTEST_FILE = """
import os, pathlib
import pytest

@pytest.fixture
def target(tmp_path, folder):
    (tmp_path / "scratch.txt").write_text("temporary")
    yield pathlib.Path(folder) / "made.txt"
    pathlib.Path("down.txt").write_text("x")

@pytest.mark.slow
def test_fixture(target):
    target.write_text("x")

@pytest.mark.parametrize(("name", "size"), [
    ("one", 1), pytest.param("two", 2), pytest.param("no", 3, marks=pytest.mark.skip)])
def test_parameters(name, size):
    open(f"{name}{size}.txt")

def test_patched(monkeypatch):
    monkeypatch.setenv("TARGET", "patched.txt")
    open(os.environ["TARGET"])

def test_restored():
    assert "TARGET" not in os.environ
    open(os.environ.get("TARGET", "restored.txt"))

@pytest.mark.skipif(True, reason="never")
def test_skipped():
    open("never.txt")

class TestGroup:
    def setup_method(self, method):
        self.name = "group.txt"

    def test_raises(self):
        with pytest.raises(ValueError):
            raise ValueError
        open(self.name)
"""
CONFTEST = """
import pytest

@pytest.fixture(scope="session", autouse=True)
def journal():
    open("journal.log", "a")

@pytest.fixture(params=["x", "y"])
def folder(request):
    return f"out_{request.param}"
"""
SETTINGS = '[tool.pytest.ini_options]\ntestpaths = ["checks"]\naddopts = "-q --junitxml=report.xml"\n'
PYTEST_TREE = {"checks/test_p.py": PYTEST_FILE, "checks/conftest.py": CONFTEST, "pyproject.toml": SETTINGS}


def test_pytest_runs_items_with_their_fixtures(tmp_path: Path) -> None:
    found = infer(tmp_path, PYTEST_TREE, "pytest -p no:cacheprovider")
    assert told(found) == (
        {
            "read pyproject.toml",
            "read checks/test_p.py",
            "read checks/conftest.py",
            "read one1.txt",
            "read two2.txt",
            "read patched.txt",
            "read restored.txt",
            "read group.txt",
        },
        {
            "append journal.log",
            "overwrite out_x/made.txt",
            "overwrite out_y/made.txt",
            "overwrite down.txt",
            "overwrite report.xml",
        },
    )
    assert found.opaque == ()


def test_pytest_keeps_a_cache(tmp_path: Path) -> None:
    found = infer(tmp_path, {"test_x.py": "def test_x(): pass\n"}, "python -m pytest test_x.py::test_x")
    assert told(found) == (
        {"read test_x.py"},
        {
            "create pytest-cache-files-*/.gitignore?",
            "create pytest-cache-files-*/CACHEDIR.TAG?",
            "create pytest-cache-files-*/README.md?",
            "create .pytest_cache/.gitignore",
            "create .pytest_cache/CACHEDIR.TAG",
            "create .pytest_cache/README.md",
            "overwrite .pytest_cache/v/cache/lastfailed?",
            "overwrite .pytest_cache/v/cache/nodeids",
        },
    )


# doctest

EXAMPLES = '''
"""The module.

>>> store("in.txt")
"""
def store(name):
    """Keep.

    >>> store("deep.txt")
    >>> never()  # doctest: +SKIP
    """
    return open(name)

def never():
    open("never.txt")
'''


def test_doctest_runs_the_examples_of_modules_and_texts(tmp_path: Path) -> None:
    tree = {"src/mod.py": EXAMPLES, "guide.txt": ">>> open('guide.out', 'w').close()\n"}
    found = infer(tmp_path, tree, "python -m doctest -v src/mod.py guide.txt")
    assert told(found) == (
        {"read src/mod.py", "read guide.txt", "read in.txt", "read deep.txt"},
        {"overwrite guide.out"},
    )


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python -m modulefinder prog.py", ({"read prog.py", "read helper.py", "read pkg/__init__.py"}, set())),
        ("python -m modulefinder -x helper prog.py", ({"read prog.py"}, set())),
        ("python -m pydoc -w helper", ({"read helper.py"}, {"overwrite helper.html"})),
        ("pydoc helper.f", ({"read helper.py"}, set())),
        ("python -m inspect helper:f", ({"read helper.py"}, set())),
        ("python -m pyclbr helper.py", ({"read helper.py"}, set())),
        ("python -m lib2to3 -l", (set(), set())),
        ("2to3 helper.py pkg", ({"read helper.py", "read pkg/__init__.py"}, set())),
        (
            "2to3 -w -n -W --add-suffix=3 -o new pkg",
            ({"read pkg/__init__.py"}, {"overwrite new/__init__.py3"}),
        ),
        (
            "2to3 -w helper.py",
            ({"read helper.py"}, set()),
        ),
    ],
)
def test_sources_are_looked_at(tmp_path: Path, command: str, expected: tuple[set[str], set[str]]) -> None:
    tree = {"prog.py": "import helper, json\n", "helper.py": "def f():\n    import pkg\n", "pkg/__init__.py": ""}
    assert told(infer(tmp_path, tree, command)) == expected


def test_a_library_class_is_known_by_the_tables_when_its_module_runs(tmp_path: Path) -> None:
    tree = {"docs/a.txt": "", "notes.txt": ""}
    found = infer(tmp_path, tree, "python -m tarfile -c packed.tgz docs notes.txt")
    assert told(found) == ({"read docs/**", "read notes.txt"}, {"overwrite packed.tgz"})


def test_pip_is_told_from_its_command(tmp_path: Path) -> None:
    found = infer(tmp_path, {"requirements.txt": ""}, "python -m pip install -r requirements.txt")
    assert told(found) == ({"read requirements.txt"}, set())
    assert [each.reason for each in found.opaque] == ["pip: it changes an environment"]


@pytest.mark.parametrize(
    ("call", "written"),
    [
        ('["cp", str(f), f"html/{f.stem}.html"]', "html/a.html"),
        ('f"mv {f} html/{f.stem}.html", shell=True', "html/a.html"),
        ('["cp", str(f), "html"]', "html/a.csv"),
        ('"cp data/*.csv html", shell=True', "html/a.csv"),
    ],
)
def test_a_copy_named_after_its_source_goes_to_that_name_and_one_to_a_folder_below_it(
    tmp_path: Path, call: str, written: str
) -> None:
    head = "import subprocess\nfrom pathlib import Path\n"
    program = f"{head}for f in Path('data').glob('*.csv'):\n    subprocess.run({call})\n"
    found = infer(tmp_path, {"prog.py": program, "data/a.csv": "", "html/old.txt": ""}, "python prog.py")
    assert written in {access.path for access in found.writes}
    assert not any(".html/" in str(access.path) for access in found.writes)
