"""Programs that start programs: exit status, standard input, copies, links, and what they have loaded."""
# ruff: noqa: E501 - programs stay on one line, as they are written

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING

import pytest
from unit.inference.touching import touched

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def infer(root: Path, files: Mapping[str, str | bytes], command: str) -> tuple[set[str], set[str]]:
    """The paths that a shell command reads and writes in a tree, what it writes outside left out."""
    reads, writes = touched(root, files, command)
    return reads, {path for path in writes if not path.startswith("/")}


# Exit status

CHECK = "import sys\nfrom pathlib import Path\ndef main(path):\n    if not Path(path).exists(): return 1\n    return 0 if path.endswith('.csv') else 'odd'\nsys.exit(main(*sys.argv[1:]))\n"


@pytest.mark.parametrize(
    ("command", "writes"),
    [
        ("python check.py a.csv && echo > yes || echo > no", {"yes"}),
        ("python check.py gone && echo > yes || echo > no", {"no"}),
        ("if python check.py a.txt; then echo > yes; else echo > no; fi", {"no"}),
        ("! python check.py gone && echo > yes", {"yes"}),
        ("set -e; python check.py gone; echo > never", set()),
        ("python -m py_compile gone.py || echo > no", {"no"}),
        ("python opts.py --bad && echo > yes || echo > no", {"no"}),
    ],
)
def test_the_shell_goes_by_the_exit_status_of_a_program(tmp_path: Path, command: str, writes: set[str]) -> None:
    files = {
        "check.py": CHECK,
        "a.csv": "",
        "a.txt": "",
        "opts.py": "import argparse\nargparse.ArgumentParser().parse_args()\n",
    }
    assert infer(tmp_path, files, command)[1] == writes


def test_an_exit_that_may_have_come_earlier_decides_nothing(tmp_path: Path) -> None:
    program = "import sys, time\nif time.time() % 2: sys.exit(0)\nsys.exit(1)\n"
    _, writes = infer(tmp_path, {"p.py": program}, "python p.py && touch yes || touch no")
    assert writes == {"yes", "no"}


def test_a_program_that_reads_what_is_not_there_may_fail(tmp_path: Path) -> None:
    program = "import sys\nopen('gone').read()\nsys.exit(0)\n"
    _, writes = infer(tmp_path, {"p.py": program}, "python p.py || touch no")
    assert writes == {"no"}


def test_a_program_is_looked_at_again_where_something_has_changed(tmp_path: Path) -> None:
    program = "import os\nif os.path.exists('one'): open('two', 'w')\nelse: open('one', 'w')\n"
    _, writes = infer(tmp_path, {"p.py": program}, "python p.py; python p.py")
    assert writes == {"one", "two"}


# Standard input


@pytest.mark.parametrize(
    "program",
    [
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-', 'x'], stdin=subprocess.PIPE).communicate(CODE)\n",
        "import asyncio, sys\nasync def main():\n    p = await asyncio.create_subprocess_exec(sys.executable, '-', 'x', stdin=asyncio.subprocess.PIPE)\n    await p.communicate(CODE)\nasyncio.run(main())\n",
    ],
)
def test_what_a_child_is_handed_is_its_standard_input(tmp_path: Path, program: str) -> None:
    code = "CODE = b\"import sys\\nopen(sys.argv[1], 'w')\\n\"\n"
    assert infer(tmp_path, {"p.py": code + program}, "python p.py")[1] == {"x"}


@pytest.mark.parametrize(
    "command",
    [
        "echo 'open(name, \"w\")' | python -i -c 'name = \"x\"'",
        "echo 'import asyncio' > q; echo 'await asyncio.to_thread(open, \"x\", \"w\")' | python -m asyncio",
    ],
)
def test_a_console_goes_on_with_its_standard_input(tmp_path: Path, command: str) -> None:
    assert "x" in infer(tmp_path, {}, command)[1]


def test_the_main_program_waits_for_workers_that_had_nothing_to_do(tmp_path: Path) -> None:
    program = (
        "import multiprocessing\n"
        "def work(tasks, results):\n    for name in iter(tasks.get, None):\n        results.put(name + '.out')\n"
        "tasks, results = multiprocessing.Queue(), multiprocessing.Queue()\n"
        "multiprocessing.Process(target=work, args=(tasks, results)).start()\n"
        "tasks.put('a')\ntasks.put(None)\nopen(results.get(), 'w')\n"
    )
    assert infer(tmp_path, {"p.py": program}, "python p.py")[1] == {"a.out"}


# Copies and links


def test_a_copied_file_has_the_content_of_the_other(tmp_path: Path) -> None:
    program = "import json, sys\nopen(json.load(open(sys.argv[1]))['out'], 'w')\n"
    files = {"p.py": program, "conf/a.json": '{"out": "made"}'}
    assert infer(tmp_path, files, "mkdir t && cp -r conf t/ && python p.py t/conf/a.json")[1] >= {"made"}
    assert "made" not in infer(tmp_path, files, "cp conf/a.json b.json; echo {} > b.json; python p.py b.json")[1]


def test_an_archive_of_copied_modules_runs(tmp_path: Path) -> None:
    files = {"app/tool.py": "def go(): open('made', 'w')\n"}
    command = "mkdir b && cp app/tool.py b/ && python -m zipapp b -m tool:go -o t.pyz && python t.pyz"
    assert "made" in infer(tmp_path, files, command)[1]


def test_a_resolved_path_has_no_links(tmp_path: Path) -> None:
    (tmp_path / "r" / "v1").mkdir(parents=True)
    os.symlink("v1", tmp_path / "r" / "now")
    os.symlink("v0", tmp_path / "r" / "broken")
    program = (
        "import os\nfrom pathlib import Path\n"
        "open(os.path.basename(os.path.realpath('r/now')), 'w')\nopen(Path('r/now').resolve().name + '.p', 'w')\n"
        "open('r/now/as-given', 'w')\n"
        "if os.path.islink('r/broken') and not os.path.exists('r/broken'): os.unlink('r/broken')\n"
    )
    writes = infer(tmp_path, {"p.py": program}, "python p.py")[1]
    assert writes == {"v1", "v1.p", "r/now/as-given", "r/broken"}


def test_a_walk_tells_descriptors_and_paths(tmp_path: Path) -> None:
    program = (
        "import os\nfrom pathlib import Path\n"
        "for folder, dirs, files, fd in os.fwalk('d'):\n    for name in files: os.open(name, os.O_RDONLY, dir_fd=fd)\n"
        "for entry in os.scandir('d'):\n    if entry.is_file() and entry.stat().st_size == 0: open(entry.name + '.empty', 'w')\n"
    )
    reads, writes = infer(tmp_path, {"p.py": program, "d/a": "1", "d/e/b": "2", "d/c": ""}, "python p.py")
    assert reads == {"d/a", "d/e/b", "d/c"}
    assert writes == {"c.empty"}


# Modules


def test_a_script_belongs_to_no_package_until_it_says_so(tmp_path: Path) -> None:
    program = "if __package__ is None and __spec__ is None:\n    __package__ = 'pkg'\n    import pkg\n    from .mod import go\n    go()\n"
    files = {"p.py": program, "pkg/__init__.py": "", "pkg/mod.py": "def go(): open('made', 'w')\n"}
    assert infer(tmp_path, files, "python p.py")[1] == {"made"}
    assert infer(tmp_path, files, "python -m p")[1] == set()


def test_modules_are_loaded_by_importers_and_loaders(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("plug.py", "def go(): open('plugged', 'w')\n")
    program = (
        "import zipimport, importlib.util\nfrom importlib.machinery import SourceFileLoader\n"
        "zipimport.zipimporter('a.zip').load_module('plug').go()\n"
        "loader = SourceFileLoader('other', 'other.txt')\n"
        "module = importlib.util.module_from_spec(importlib.util.spec_from_loader('other', loader))\n"
        "loader.exec_module(module)\nSourceFileLoader('third', 'third.txt').load_module()\n"
    )
    files: dict[str, str | bytes] = {
        "p.py": program,
        "a.zip": data.getvalue(),
        "other.txt": "open('o', 'w')\n",
        "third.txt": "open('t', 'w')\n",
    }
    assert infer(tmp_path, files, "python p.py")[1] == {"plugged", "o", "t"}


@pytest.mark.parametrize(
    ("program", "command", "writes"),
    [
        ("from lib2to3.main import main\nmain('lib2to3.fixes')\n", "python p.py -w -n old.py", {"old.py"}),
        ("import pydoc\npydoc.cli()\n", "PYTHONPATH=. python p.py -w old", {"old.html"}),
        ("import tarfile\ntarfile.main()\n", "python p.py -c a.tar old.py", {"a.tar"}),
    ],
)
def test_a_script_may_call_the_main_function_of_a_tool(
    tmp_path: Path, program: str, command: str, writes: set[str]
) -> None:
    source = 'd = {}\nd.has_key("a")\n'
    assert infer(tmp_path, {"p.py": program, "old.py": source}, command)[1] == writes


@pytest.mark.parametrize(("options", "suffix"), [("", ""), ("-O", ".opt-1"), ("-OO", ".opt-2")])
def test_byte_code_is_named_after_the_level_of_optimisation(tmp_path: Path, options: str, suffix: str) -> None:
    _, writes = infer(tmp_path, {"a.py": ""}, f"python {options} -m py_compile a.py")
    assert {name.split(".cpython-3")[1][2:] for name in writes if name.endswith("pyc")} == {f"{suffix}.pyc"}


# Files and what they say


@pytest.mark.parametrize(
    "program",
    [
        "import logging.config\nlogging.config.fileConfig(open('log.ini'))\n",
        "import logging, logging.config\nclass Own(logging.FileHandler):\n    def __init__(self, stem): super().__init__(stem + '.log')\nlogging.config.dictConfig({'version': 1, 'handlers': {'h': {'()': Own, 'stem': 'x'}}})\n",
        "import logging, logging.config\nclass Own(logging.FileHandler):\n    def __init__(self, stem): super().__init__(stem + '.log')\nlogging.config.dictConfig({'version': 1, 'handlers': {'h': {'class': '__main__.Own', 'stem': 'x'}}})\n",
        "import configparser\nc = configparser.ConfigParser(interpolation=configparser.ExtendedInterpolation())\nc.read_dict({'base': {'stem': 'x'}})\nc.read_string('[log]\\nname = ${base:stem}.log\\n')\nopen(c['log']['name'], 'w')\n",
        "import configparser\nc = configparser.RawConfigParser()\nc.read_string('[a]\\nname = %(x)s.log\\n')\nif c['a']['name'] == '%(x)s.log': open('x.log', 'w')\n",
        "import xml.etree.ElementTree as ET\nfor _, e in ET.iterparse('a.xml'):\n    if e.tag == 'log': open(e.text.strip(), 'w')\n",
        "import shutil\nshutil.rmtree('gone', ignore_errors=True)\nopen('x.log', 'w')\n",
        "import zipfile\nzipfile.ZipFile('up.zip').extractall('.')\n",
        "import fileinput\nfor line in fileinput.input(): open(line.strip(), 'w')\n",
    ],
)
def test_one_log_is_written(tmp_path: Path, program: str) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("../x.log", "")
    ini = "[loggers]\nkeys=root\n[handlers]\nkeys=h\n[formatters]\nkeys=\n[logger_root]\nhandlers=h\n[handler_h]\nclass=FileHandler\nargs=('x.log',)\n"
    files: dict[str, str | bytes] = {
        "p.py": program,
        "log.ini": ini,
        "a.xml": "<r><x/><log> x.log </log></r>",
        "up.zip": data.getvalue(),
        "names": "x.log\n",
    }
    reads, writes = infer(tmp_path, files, "python p.py names")
    assert writes == {"x.log"}
    assert "p.py" not in reads


def test_an_activated_environment_is_read(tmp_path: Path) -> None:
    reads, _ = infer(
        tmp_path, {"p.py": ""}, "python -m venv --without-pip e; . e/bin/activate; python p.py; deactivate"
    )
    assert reads == {"e/bin/activate", "e/pyvenv.cfg"}


# What programs print


@pytest.mark.parametrize(
    ("command", "writes"),
    [
        ("d=$(python -c 'import conf; print(conf.OUT)'); echo > $d.txt", {"res.txt"}),
        ('python -c \'for i in range(2): print(i, "x", sep="-")\' | xargs touch', {"0-x", "1-x"}),
        ("d=$(python -c 'import os; os.system(\"echo a\"); print(1)'); echo > a$d", {"a**"}),
        ("d=$(python -c 'import sys; sys.stdout.write(\"a\"); print(1)'); echo > a$d", {"a**"}),
        ("d=$(python -c 'import time\nif time.time() % 2: print(1)\nprint(2)'); echo > a$d", {"a**"}),
    ],
)
def test_a_shell_goes_on_with_what_a_program_prints(tmp_path: Path, command: str, writes: set[str]) -> None:
    assert infer(tmp_path, {"conf.py": "OUT = 'res'\n"}, command)[1] == writes
