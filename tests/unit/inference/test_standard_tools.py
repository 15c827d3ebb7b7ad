"""Tools of the standard library: what they make of known files, known commands and bad input."""
# ruff: noqa: E501 - programs stay on one line, as they are written

from __future__ import annotations

import io
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from unit.inference.touching import touched as infer

if TYPE_CHECKING:
    from pathlib import Path


# Bad input

CONFIGURATION = {
    "good.json": "{}",
    "bad.json": '{"a": \n',
    "notes.txt": "no archive",
    "broken.py": "def f(:\n",
    "a.py": "",
}


@pytest.mark.parametrize(
    ("command", "reads", "writes"),
    [
        ("python -m json.tool bad.json out.json", {"bad.json"}, set()),
        ("python -m json.tool gone.json out.json", {"gone.json"}, {"out.json"}),
        ("python -m json.tool good.json out.json", {"good.json"}, {"out.json"}),
        ("python -m ast gone.py", {"gone.py"}, set()),
        ("python -m tokenize a.py", {"a.py"}, set()),
        ("python -m tabnanny a.py gone.py", {"a.py"}, set()),
        ("python -m tarfile -e notes.txt out", {"notes.txt"}, set()),
        ("python -m py_compile a.py broken.py good.py", {"a.py", "broken.py"}, {"__pycache__/a.*"}),
        ("python -m filecmp gone .", set(), set()),
    ],
)
def test_bad_input_ends_a_tool_and_absent_input_may_be_made_by_others(
    tmp_path: Path, command: str, reads: set[str], writes: set[str]
) -> None:
    found = infer(tmp_path, CONFIGURATION, command)
    assert found[0] == reads
    assert {name.split(".cpython")[0] + ".*" if "cpython" in name else name for name in found[1]} == writes


def test_a_program_survives_data_that_it_expects_to_be_bad(tmp_path: Path) -> None:
    program = (
        "import json, tarfile\n"
        "try:\n    json.load(open('bad.json'))\n    open('one', 'w')\nexcept json.JSONDecodeError:\n    open('two', 'w')\n"
        "try:\n    tarfile.open('notes.txt').extractall('out')\nexcept tarfile.TarError:\n    open('three', 'w')\n"
    )
    _, writes = infer(tmp_path, {**CONFIGURATION, "prog.py": program}, "python prog.py")
    assert writes == {"two", "three"}


# Commands on standard input


def test_names_of_sources_come_from_a_pipe(tmp_path: Path) -> None:
    files = {"src/a.py": "", "src/b.txt": "", "other.py": ""}
    _, writes = infer(tmp_path, files, "find src -name '*.py' | python -m compileall -q -b -i -")
    assert "src/a.pyc" in writes
    assert "other.pyc" not in writes


SCRIPT = "import sys\n\nrows = open(sys.argv[1]).readlines()\nopen(sys.argv[2], 'w').close()\n"


@pytest.mark.parametrize(
    ("session", "writes"),
    [
        ("python -m pdb prog.py in.txt out.txt < commands", {"out.txt", "note.txt"}),
        ("printf 'n\\nn\\nq\\n' | python -m pdb prog.py in.txt out.txt", set()),
        ("printf 'q\\nc\\n' | python -m pdb prog.py in.txt out.txt", set()),
        ("python -m pdb -c 'b 4' -c c -c c -c q prog.py in.txt out.txt", {"out.txt"}),
        ("python -m pdb -c 'b 4' -c c -c q prog.py in.txt out.txt", set()),
    ],
)
def test_a_debugger_is_told_what_to_do(tmp_path: Path, session: str, writes: set[str]) -> None:
    files = {"prog.py": SCRIPT, "in.txt": "", "commands": "n\n!import os\nopen('note.txt', 'w')\nb 4\nc\nc\nq\n"}
    found = infer(tmp_path, files, session)
    assert found[1] == writes
    assert "prog.py" in found[0]


def test_commands_of_an_interpreter_are_looked_up_with_certainty(tmp_path: Path) -> None:
    program = (
        "import cmd\n\n\nclass Shell(cmd.Cmd):\n    use_rawinput = False\n\n    def do_save(self, line):\n"
        "        open(line, 'w')\n\n    def do_quit(self, line):\n        return True\n\n\nShell().cmdloop()\n"
    )
    files = {"prog.py": program, "in.txt": "save a.txt\nbogus\nquit\nsave b.txt\n"}
    assert infer(tmp_path, files, "python prog.py < in.txt")[1] == {"a.txt"}


# Archives that are made, then run

TOOL = {
    "tool/__main__.py": "import sys, part\npart.go(sys.argv[1])\n",
    "tool/part.py": "def go(p):\n    open(p, 'w')\n",
}


@pytest.mark.parametrize(
    "command",
    [
        "python -m zipapp tool -o app.pyz && python app.pyz made.txt",
        "python -m zipfile -c app.zip tool/__main__.py tool/part.py && python app.zip made.txt",
        "python -m zipapp tool -o a.pyz; python -c \"import zipapp; zipapp.create_archive('a.pyz', 'b.pyz')\"; python b.pyz made.txt",
    ],
)
def test_an_archive_made_before_is_run(tmp_path: Path, command: str) -> None:
    assert "made.txt" in infer(tmp_path, TOOL, command)[1]


def test_an_entry_point_of_an_archive_is_run(tmp_path: Path) -> None:
    files = {"src/pkg/__init__.py": "", "src/pkg/cli.py": "import sys\n\n\ndef main():\n    open(sys.argv[1], 'w')\n"}
    command = "python -m zipapp src -m pkg.cli:main -o app.pyz && python app.pyz made.txt"
    assert "made.txt" in infer(tmp_path, files, command)[1]


def test_whether_a_file_is_an_archive_is_asked_of_it(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "")
    program = "import sys, zipfile\nfor name in sys.argv[1:]:\n    if zipfile.is_zipfile(name):\n        open(name + '.ok', 'w')\n"
    files: dict[str, str | bytes] = {"prog.py": program, "a.zip": buffer.getvalue(), "b.zip": "no"}
    assert infer(tmp_path, files, "python prog.py a.zip b.zip")[1] == {"a.zip.ok"}


# Logging


def test_handlers_of_a_configuration_are_made(tmp_path: Path) -> None:
    configuration = (
        '{"version": 1, "handlers": {"a": {"class": "logging.handlers.RotatingFileHandler", "filename": "a.log", '
        '"maxBytes": 9, "backupCount": 1}, "b": {"class": "logging.FileHandler", "filename": "b.log", "mode": "w"}}}'
    )
    program = "import json, logging.config\nlogging.config.dictConfig(json.load(open('log.json')))\n"
    _, writes = infer(tmp_path, {"log.json": configuration, "prog.py": program}, "python prog.py")
    assert writes == {"a.log", "a.log.*", "b.log"}


@pytest.mark.parametrize(
    ("more", "writes"), [("", {"a.log"}), (", force=True", {"a.log", "b.log"})], ids=["again", "forced"]
)
def test_a_second_basic_configuration_does_nothing(tmp_path: Path, more: str, writes: set[str]) -> None:
    program = f"import logging\nlogging.basicConfig(filename='a.log')\nlogging.basicConfig(filename='b.log'{more})\n"
    assert infer(tmp_path, {"prog.py": program}, "python prog.py")[1] == writes


# Looking at sources


def test_documentation_is_read_from_the_source_where_a_docstring_is_missing(tmp_path: Path) -> None:
    files = {
        "full.py": '"""Full."""\n\n\nclass A:\n    """A."""\n\n    def __init__(self):\n        pass\n\n\ndef _f():\n    pass\n',
        "bare.py": '"""Bare."""\n\n\ndef f():\n    pass\n',
    }
    assert infer(tmp_path, files, "python -m pydoc -w full bare") == ({"bare.py"}, {"full.html", "bare.html"})


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python has no 2to3 any more")
def test_only_sources_that_need_it_are_rewritten(tmp_path: Path) -> None:
    files = {"a.py": "x = 1\n", "b.py": 'print "x"\n', "c.py": "x = (\n"}
    assert infer(tmp_path, files, "python -m lib2to3 -w -n a.py b.py c.py") == ({"a.py", "b.py", "c.py"}, {"b.py"})


def test_line_counts_cover_the_library_that_is_loaded(tmp_path: Path) -> None:
    files = {"prog.py": "import csv, re\nP = re.compile('x')\n"}
    _, writes = infer(tmp_path, files, "python -m trace --count -C cov prog.py")
    names = {name.removeprefix("cov/").removesuffix(".cover") for name in writes} - {"_distutils_hack.__init__"}
    assert names == {"prog", "csv", "re.__init__", "re._compiler", "re._parser", "enum"}
    _, writes = infer(tmp_path, files, "python -m trace --count -C cov --ignore-dir '$prefix' prog.py")
    assert "cov/prog.cover" in writes
    assert "cov/csv.cover" not in writes


# Tests


def test_a_case_without_test_methods_has_its_run_method(tmp_path: Path) -> None:
    program = "import unittest\n\n\nclass A(unittest.TestCase):\n    def runTest(self):\n        open('a', 'w')\n"
    assert infer(tmp_path, {"test_a.py": program}, "python -m unittest test_a.A")[1] == {"a"}


def test_a_sentinel_is_no_element(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom queue import Queue\nq = Queue()\nfor name in sys.stdin:\n    q.put(name.strip())\n"
        "q.put(None)\nfor name in iter(q.get, None):\n    open(f'{name}.txt', 'w')\n"
    )
    assert infer(tmp_path, {"prog.py": program}, "python prog.py < /dev/tty")[1] == {"*.txt"}


# Shell


def test_a_redirection_in_front_of_a_pipe_belongs_to_its_command_alone(tmp_path: Path) -> None:
    files = {"sub/in.txt": "x\n"}
    reads, writes = infer(tmp_path, files, "cd sub && cat < in.txt | tee one.txt > two.txt; cp in.txt three.txt")
    assert (reads, writes) == ({"sub/in.txt"}, {"sub/one.txt", "sub/two.txt", "sub/three.txt"})


def test_a_script_is_gone_on_with_at_the_prompt(tmp_path: Path) -> None:
    files = {"prog.py": "name = 'a.txt'\n"}
    assert infer(tmp_path, files, "echo \"open(name, 'w')\" | python -i prog.py")[1] == {"a.txt"}


def test_lines_pushed_to_a_console_share_its_names(tmp_path: Path) -> None:
    program = (
        "import code\nconsole = code.InteractiveConsole({'base': 'x'})\n"
        "for line in ['p = base + \".txt\"', 'with open(p, \"w\") as f:', '    f.write(p)', '']:\n    console.push(line)\n"
    )
    assert infer(tmp_path, {"prog.py": program}, "python prog.py")[1] == {"x.txt"}


def test_the_interpreter_of_an_environment_reads_its_settings(tmp_path: Path) -> None:
    reads, _ = infer(tmp_path, {}, "python -m venv --without-pip env && env/bin/python -c pass")
    assert reads == {"env/pyvenv.cfg"}


def test_a_database_is_attached_by_a_parameter(tmp_path: Path) -> None:
    program = (
        "import sqlite3, sys\ncon = sqlite3.connect(':memory:')\n"
        "con.execute('attach database ? as o', (sys.argv[1],))\ncon.execute('attach :path as p', {'path': 'two.db'})\n"
    )
    assert infer(tmp_path, {"prog.py": program}, "python prog.py one.db")[1] == {"one.db", "two.db"}


def test_files_of_different_sizes_are_not_read_to_compare_them(tmp_path: Path) -> None:
    program = (
        "import filecmp\nif not filecmp.cmp('a', 'b'):\n    open('differ', 'w')\n"
        "same, other, odd = filecmp.cmpfiles('x', 'y', ['f', 'g', 'h'])\nopen('_'.join(same + other + odd), 'w')\n"
    )
    files = {"prog.py": program, "a": "1", "b": "22", "x/f": "1", "y/f": "1", "x/g": "1", "y/g": "22", "x/h": ""}
    assert infer(tmp_path, files, "python prog.py") == ({"x/f", "y/f"}, {"differ", "f_g_h"})


def test_a_server_that_prints_its_usage_serves_nothing(tmp_path: Path) -> None:
    assert infer(tmp_path, {"a.txt": ""}, "python -m http.server --help > help.txt") == (set(), {"help.txt"})


def test_an_open_hook_is_told_the_mode(tmp_path: Path) -> None:
    program = "import fileinput, sys\nfor line in fileinput.FileInput(sys.argv[1:], openhook=fileinput.hook_compressed):\n    pass\n"
    assert infer(tmp_path, {"prog.py": program, "a.gz": "", "b": ""}, "python prog.py a.gz b") == ({"a.gz", "b"}, set())


@pytest.mark.parametrize(("when", "writes"), [("D", {"new.log"}), ("s", {"new.log", "new.log.*"})])
def test_a_new_log_is_rotated_by_time_only_where_that_is_soon(tmp_path: Path, when: str, writes: set[str]) -> None:
    program = (
        f"from logging.handlers import TimedRotatingFileHandler\nTimedRotatingFileHandler('new.log', when='{when}')\n"
    )
    assert infer(tmp_path, {"prog.py": program}, "python prog.py")[1] == writes
