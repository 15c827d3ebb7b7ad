"""Imports in all their forms and the module search path, checked against a real run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.reality import Program, check, program

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = [
    program(
        "import forms",
        """
import names
import names as other
from names import ONE, TWO as SECOND
for name in (names.ONE, other.TWO, ONE + "x", SECOND + "x"):
    open(name, "w").close()
--- names.py
ONE = "one"
TWO = "two"
""",
        "overwrite one",
        "overwrite two",
        "overwrite onex",
        "overwrite twox",
    ),
    program(
        "package re-exports",
        """
from pkg import run, CONSTANT
import pkg.sub.deep
run(CONSTANT)
run(pkg.sub.deep.NAME)
--- pkg/__init__.py
from .work import run
from pkg.sub import CONSTANT
--- pkg/work.py
def run(name): open(name, "w").close()
--- pkg/sub/__init__.py
CONSTANT = "constant"
--- pkg/sub/deep.py
from .. import work
from . import CONSTANT
NAME = CONSTANT + work.__name__
""",
        "overwrite constant",
        "overwrite constantpkg.work",
    ),
    program(
        "star import and __all__",
        """
from pkg import *
open(shown, "w").close()
try:
    hidden
except NameError:
    open("hidden_absent", "w").close()
try:
    _private
except NameError:
    open("private_absent", "w").close()
--- pkg.py
__all__ = ["shown"]
shown, hidden, _private = "shown", "hidden", "private"
""",
        "overwrite shown",
        "overwrite hidden_absent",
        "overwrite private_absent",
    ),
    program(
        "circular imports",
        """
import one
one.go()
--- one.py
import two
NAME = "from_one"
def go(): two.go()
--- two.py
import one
def go(): open(one.NAME, "w").close()
""",
        "overwrite from_one",
    ),
    program(
        "import inside a function, once",
        """
def use():
    import counted
    return counted.COUNT
use(); use()
--- counted.py
open("imported", "a").close()
COUNT = 1
""",
        "append imported",
    ),
    program(
        "importlib.import_module",
        """
import importlib
for name in ("first", "second"):
    importlib.import_module("plugins." + name).run()
importlib.import_module(".third", package="plugins").run()
--- plugins/__init__.py
--- plugins/first.py
def run(): open("p1", "w").close()
--- plugins/second.py
def run(): open("p2", "w").close()
--- plugins/third.py
def run(): open("p3", "w").close()
""",
        "overwrite p1",
        "overwrite p2",
        "overwrite p3",
    ),
    program(
        "__import__ and sys.modules",
        """
import sys
__import__("side")
sys.modules["side"].go()
--- side.py
def go(): open("side", "w").close()
""",
        "overwrite side",
    ),
    program(
        "runpy",
        """
import runpy
runpy.run_path("script.py", run_name="__main__")
runpy.run_module("module", run_name="other")
--- script.py
if __name__ == "__main__":
    open("as_main", "w").close()
--- module.py
open("named_" + __name__, "w").close()
""",
        "overwrite as_main",
        "overwrite named_other",
    ),
    program(
        "sys.path",
        """
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import hidden
hidden.go()
--- lib/hidden.py
def go(): open("found", "w").close()
""",
        "overwrite found",
    ),
    program(
        "namespace package",
        """
from space.inner import tool
tool.go()
--- space/inner/tool.py
def go(): open("namespaced", "w").close()
""",
        "overwrite namespaced",
    ),
    program(
        "python -m package",
        "",
        "overwrite tool_target",
        argv="python -m tool target",
    ),
    program(
        "script in a folder imports its neighbour",
        "",
        "overwrite neighbour",
        argv="python tools/run.py",
    ),
    program(
        "TYPE_CHECKING",
        """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import checked
else:
    open("runtime", "w").close()
def go(x: "checked.Thing"): open("went", "w").close()
go(1)
--- checked.py
open("never", "w").close()
""",
        "overwrite runtime",
        "overwrite went",
    ),
    program(
        "import that fails is caught",
        """
try:
    import no_such_module_anywhere as fast
except ImportError:
    fast = None
    open("slow", "w").close()
if fast is not None:
    open("fast", "w").close()
try:
    from helper import absent
except ImportError:
    open("name_absent", "w").close()
try:
    from os import getcwdu as here
except ImportError:
    from os import getcwd as here
open(here() + "/here", "w").close()
--- helper.py
present = 1
""",
        "overwrite here",
        "overwrite slow",
        "overwrite name_absent",
    ),
    program(
        "module attributes",
        """
import os.path
import pkg.mod
open(os.path.basename(__file__) + ".name", "w").close()
open(__name__, "w").close()
open(pkg.mod.HERE + "/near.txt", "w").close()
open(pkg.mod.NAME, "w").close()
--- pkg/__init__.py
--- pkg/mod.py
import pathlib
HERE = str(pathlib.Path(__file__).resolve().parent)
NAME = f"{__package__}-{__name__}"
""",
        "overwrite main.py.name",
        "overwrite __main__",
        "overwrite pkg/near.txt",
        "overwrite pkg-pkg.mod",
    ),
    program(
        "module __getattr__ and setting module attributes",
        """
import lazy
lazy.given = "given"
open(lazy.something, "w").close()
lazy.write()
--- lazy.py
given = "unset"
def __getattr__(name): return name + ".lazy"
def write(): open(given, "w").close()
""",
        "overwrite something.lazy",
        "overwrite given",
    ),
    program(
        "importlib.resources",
        """
from importlib import resources
text = resources.files("pkg").joinpath("data.txt").read_text()
with resources.as_file(resources.files("pkg") / "other.txt") as path:
    path.read_text()
--- pkg/__init__.py
--- pkg/data.txt
x
--- pkg/other.txt
y
""",
        "read pkg/data.txt",
        "read pkg/other.txt",
    ),
    program(
        "spec_from_file_location",
        """
import importlib.util
spec = importlib.util.spec_from_file_location("plug", "plugs/plug.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.go()
--- plugs/plug.py
def go(): open("plugged", "w").close()
""",
        "overwrite plugged",
    ),
    program(
        "main guard and del of an import",
        """
import work
def main(): work.go()
if __name__ == "__main__":
    main()
--- work.py
def go(): open("guarded", "w").close()
if __name__ == "__main__":
    open("never", "w").close()
""",
        "overwrite guarded",
    ),
    program(
        "a name that a package of the project lacks",
        """
import shutil
try:
    from pkg import missing
    shutil.copy(missing.__file__, "never")
except ImportError:
    open("lacking", "w").close()
--- pkg/__init__.py
VALUE = 1
""",
        "overwrite lacking",
    ),
    program(
        "globals with the names of a library",
        """
from json.decoder import *
make = globals()["JSONDecoder"]
value = make().decode("1")
open("found", "w").close()
""",
        "overwrite found",
    ),
    program(
        "a rename within a folder",
        """
import os
with open("new.tmp", "w") as f: f.write("x")
try:
    os.replace("new.tmp", "new.txt")
except OSError:
    os.remove("never")
    open("never", "w").close()
""",
        "overwrite new.tmp",
        "rename new.tmp",
        "overwrite new.txt",
    ),
]

MORE_FILES = {
    "python -m package": "--- tool/__init__.py\n--- tool/__main__.py\nimport sys\nfrom . import names\n"
    "names.put(sys.argv[1])\n--- tool/names.py\ndef put(x): open('tool_' + x, 'w').close()\n",
    "script in a folder imports its neighbour": "--- tools/run.py\nimport near\nnear.go()\n--- tools/near.py\n"
    "def go(): open('neighbour', 'w').close()\n",
}


@pytest.mark.parametrize("case", PROGRAMS, ids=lambda case: case.name)
def test_program_does_what_inference_says(case: Program, tmp_path: Path) -> None:
    code = case.code + MORE_FILES.get(case.name, "")
    check(Program(case.name, code, case.expected, case.argv), tmp_path)


def test_imported_files_are_listed_and_are_no_accesses(tmp_path: Path) -> None:
    from unit.inference.reality import analyse, rows, write_tree

    write_tree(tmp_path, "import pkg.one\n--- pkg/__init__.py\nfrom . import two\n--- pkg/one.py\n--- pkg/two.py\n")
    found = analyse(tmp_path)
    assert rows(found) == set()
    assert set(found.imports) >= {"pkg/__init__.py", "pkg/one.py", "pkg/two.py"}
