"""Small programs whose file accesses are known, run under the tracer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from accuracy.program import ProgramError, load, load_all
from accuracy.tracer import TraceError, available, record, trace

if TYPE_CHECKING:
    from pathlib import Path

    from accuracy.program import Truth

needs_strace = pytest.mark.skipif(not available(), reason="strace is not installed or may not trace here")


def write_program(folder: Path, command: str, files: dict[str, str], extra: str = "") -> Path:
    (folder / "tree").mkdir(parents=True)
    folder.joinpath("program.toml").write_text(f'command = {command}\nfeatures = []\ndescription = "x"\n{extra}')
    for name, text in files.items():
        path = folder / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if text.startswith("#!"):
            path.chmod(0o755)
    return folder


def traced(folder: Path, command: str, files: dict[str, str], extra: str = "") -> Truth:
    return trace(load(write_program(folder / "program", command, files, extra)))


@needs_strace
def test_imports_are_code_and_a_module_opened_as_data_is_not(tmp_path: Path) -> None:
    main = "import pkg.mod, runpy\nrunpy.run_path('pkg/run.py')\nopen('pkg/data.py').read()\n"
    files = {"main.py": main, "pkg/__init__.py": "", "pkg/mod.py": "", "pkg/run.py": "", "pkg/data.py": ""}
    truth = traced(tmp_path, '"python main.py"', files)
    assert truth.reads == {"pkg/data.py"}
    assert truth.writes == set()
    assert truth.tree == set(files)


@needs_strace
def test_the_script_itself_read_as_data_counts(tmp_path: Path) -> None:
    assert traced(tmp_path, '"python main.py"', {"main.py": "open(__file__).read()"}).reads == {"main.py"}


@needs_strace
def test_shell_scripts_are_code_and_redirections_are_data(tmp_path: Path) -> None:
    files = {
        "run.sh": "#!/bin/sh\n. ./lib.sh\nbash deep/other.sh\ncat < in.txt > out.txt\necho x >> log.txt\n",
        "lib.sh": "A=1\n",
        "deep/other.sh": "cd deep\nmv a.txt b.txt\n",
        "deep/a.txt": "a",
        "in.txt": "i",
    }
    truth = traced(tmp_path, '"./run.sh"', files)
    assert truth.reads == {"in.txt"}
    assert truth.writes == {"out.txt", "log.txt", "deep/a.txt", "deep/b.txt"}


@needs_strace
def test_working_directories_of_children_and_threads(tmp_path: Path) -> None:
    main = """
import os, subprocess, sys, threading
os.mkdir("sub")
subprocess.run([sys.executable, "-c", "open('child', 'w')"], cwd="sub")
thread = threading.Thread(target=os.chdir, args=("sub",))
thread.start()
thread.join()
open("after", "w")
if os.fork() == 0:
    os.chdir("..")
    open("forked", "w")
    os._exit(0)
os.wait()
open("last", "a")
"""
    truth = traced(tmp_path, '"python main.py"', {"main.py": main})
    assert truth.writes == {"sub/child", "sub/after", "forked", "sub/last"}


@needs_strace
def test_a_moved_folder_moves_its_files(tmp_path: Path) -> None:
    main = "import os\nos.rename('a', 'b')\nopen('b/x').read()\n"
    truth = traced(tmp_path, '"python main.py"', {"main.py": main, "a/x": "1", "a/deep/y": "2"})
    assert truth.writes == {"a/x", "a/deep/y", "b/x", "b/deep/y"}
    assert truth.reads == {"b/x"}


@needs_strace
def test_descriptors_for_both_are_judged_by_their_use(tmp_path: Path) -> None:
    main = """
import fcntl, sqlite3
with open("both.bin", "r+b") as f:
    f.read(); f.seek(0); f.write(b"x")
with open("read.bin", "r+b") as f:
    f.read()
with open("lock", "a+") as f:
    fcntl.flock(f, fcntl.LOCK_EX)
connection = sqlite3.connect("app.db")
connection.execute("pragma journal_mode = wal")
connection.execute("create table t (a)")
connection.commit()
"""
    truth = traced(tmp_path, '"python main.py"', {"main.py": main, "both.bin": "ab", "read.bin": "ab", "lock": ""})
    assert truth.reads == {"both.bin", "read.bin", "app.db"}
    assert truth.writes == {"both.bin", "lock", "app.db"}


@needs_strace
def test_what_does_not_count(tmp_path: Path) -> None:
    main = """
import os, tempfile
os.stat("data"); os.listdir("."); os.makedirs("made"); os.chmod("data", 0o600)
tempfile.NamedTemporaryFile().write(b"x")
open("/etc/hostname").close() if os.path.exists("/etc/hostname") else None
try:
    open("missing")
except OSError:
    pass
"""
    truth = traced(tmp_path, '"python main.py"', {"main.py": main, "data": "d"})
    assert not truth.reads | truth.writes


@needs_strace
def test_byte_code_counts_only_on_request(tmp_path: Path) -> None:
    files = {"mod.py": "", "other.txt": ""}
    command = '"python -m compileall -q mod.py"'
    assert traced(tmp_path / "without", command, files).writes == set()
    compiled = f"__pycache__/mod.{sys.implementation.cache_tag}.pyc"
    assert compiled in traced(tmp_path / "with", command, files, "bytecode = true\n").writes


@needs_strace
def test_created_and_deleted_counts_as_written(tmp_path: Path) -> None:
    truth = traced(tmp_path, '"touch a && rm a && touch b"', {"b": ""})
    assert truth.writes == {"a", "b"}
    assert truth.tree == {"a", "b"}


@needs_strace
def test_another_exit_code_is_an_error_that_shows_the_output(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"exit code 3, expected 0\nsorry"):
        traced(tmp_path, '"echo sorry; exit 3"', {})
    assert traced(tmp_path / "expected", '"exit 3;"', {}, "exit_code = 3\n").reads == set()


@needs_strace
def test_the_tree_is_left_alone_and_the_record_can_be_read_back(tmp_path: Path) -> None:
    program = load(write_program(tmp_path / "p", '"cp a b"', {"a": "1"}))
    truth = record(program)
    assert program.truth() == truth
    assert sorted(path.name for path in program.tree.iterdir()) == ["a"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("command = 1 2", "program.toml"),
        ('command = "x"\nfeatures = []', "'description' is missing"),
        ('command = "x"\nfeatures = []\ndescription = ""\ncolour = 1', "unknown key 'colour'"),
        ('command = "x"\nfeatures = []\ndescription = ""\nminimum_recall = 0.5', "needs a reason"),
    ],
)
def test_bad_descriptions_are_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "program.toml").write_text(text)
    with pytest.raises(ProgramError, match=problem):
        load(tmp_path)


def test_an_unknown_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="no program 'nothing'"):
        load_all(("nothing",), tmp_path)


def test_a_missing_truth_says_how_to_record_it(tmp_path: Path) -> None:
    program = load(write_program(tmp_path / "p", '["true"]', {}))
    with pytest.raises(ProgramError, match="record p"):
        program.truth()
