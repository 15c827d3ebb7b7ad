from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from taskgates.model.access import Operation
from taskgates.runtime.commands import CommandLine
from taskgates.runtime.errors import TracerError
from taskgates.runtime.tracing import Traced, Tracer, trace_command
from taskgates.runtime.tracing.tracer import available_tracer

if TYPE_CHECKING:
    from pathlib import Path

needs_strace = pytest.mark.skipif(available_tracer() is not Tracer.STRACE, reason="strace cannot trace here")
BOTH = [pytest.param(Tracer.STRACE, marks=needs_strace), Tracer.AUDIT]


def trace(root: Path, *argv: str, tracer: Tracer | None = None, timeout: float | None = None) -> Traced:
    return trace_command(CommandLine(argv, str(root), " ".join(argv)), root, tracer=tracer, timeout=timeout)


def reads(traced: Traced) -> dict[str, str]:
    return {str(each.path): each.operation.value for each in traced.access.reads}


def writes(traced: Traced) -> set[tuple[str, str]]:
    return {(str(each.path), each.operation.value) for each in traced.access.writes}


PROGRAM = """
import helper
import os, sqlite3, tempfile
from pathlib import Path


def save(path):
    with open(path, "w") as stream:
        stream.write("x")


text = Path("in.txt").read_text()
save("new.txt")
save("old.txt")
with open("log.txt", "a") as stream:
    stream.write(text)
with open("both.bin", "r+b") as stream:
    stream.write(b"y")
os.makedirs("out/deep")
os.rename("new.txt", "out/deep/moved.txt")
os.remove("gone.txt")
list(Path("folder").iterdir())
with tempfile.TemporaryFile() as scratch:
    scratch.write(b"z")
db = sqlite3.connect("data.db")
db.execute("create table t (x)")
db.commit()
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(PROGRAM)
    (tmp_path / "helper.py").write_text("VALUE = 1\n")
    for name in ("in.txt", "old.txt", "log.txt", "both.bin", "gone.txt"):
        (tmp_path / name).write_text("content")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize("tracer", BOTH)
def test_python_program(root: Path, tracer: Tracer) -> None:
    traced = trace(root, sys.executable, "main.py", tracer=tracer)
    assert traced.outcome.succeeded
    found = writes(traced)
    assert reads(traced)["in.txt"] == "read"
    assert reads(traced)["folder"] == "list"
    assert "helper.py" not in reads(traced)
    assert "main.py" not in reads(traced)
    for expected in (
        ("new.txt", "create"),
        ("old.txt", "overwrite"),
        ("log.txt", "append"),
        ("both.bin", "update"),
        ("out", "mkdir"),
        ("out/deep", "mkdir"),
        ("new.txt", "rename"),
        ("out/deep/moved.txt", "rename"),
        ("gone.txt", "delete"),
    ):
        assert expected in found
    assert {path for path, _ in found} == {
        "new.txt", "old.txt", "log.txt", "both.bin", "out", "out/deep", "out/deep/moved.txt", "gone.txt", "data.db",
    }  # fmt: skip
    assert traced.access.complete is (tracer is Tracer.STRACE)


@pytest.mark.parametrize("tracer", BOTH)
def test_places_in_the_code(root: Path, tracer: Tracer) -> None:
    traced = trace(root, sys.executable, "main.py", tracer=tracer)
    created = next(
        each for each in traced.access.writes if each.path == "new.txt" and each.operation is Operation.CREATE
    )
    assert ("main.py", 8, "save") in [(site.file, site.line, site.function) for site in created.sites]


TESTS = """
import os, shutil
from pathlib import Path

Path("in.txt").exists(), os.path.isfile("no.txt"), Path("folder").is_dir(), os.access("old.txt", os.R_OK)
Path("missing").resolve()
os.makedirs("made/deep", exist_ok=True)
Path("made/deep").mkdir(exist_ok=True)
shutil.copy("in.txt", "made/copy.txt")
try:
    os.mkdir("folder")
except FileExistsError:
    pass
try:
    os.remove("no.txt")
except FileNotFoundError:
    pass
shutil.rmtree("made")
os.rmdir("folder")
Path("touched").touch()
Path("touched").touch()
"""


def test_both_tracers_see_the_same(root: Path) -> None:
    """Existence tests of the program, but not those of the import system and the library; folders made and removed."""
    (root / "tests.py").write_text(TESTS)
    found = {}
    for tracer in [Tracer.AUDIT, *([Tracer.STRACE] if available_tracer() is Tracer.STRACE else [])]:
        (root / "folder").mkdir(exist_ok=True)
        (root / "touched").unlink(missing_ok=True)
        access = trace(root, sys.executable, "tests.py", tracer=tracer).access
        seen = {(str(each.path), each.operation.value) for each in (*access.reads, *access.writes)}
        found[tracer] = {pair for pair in seen if not pair[0].startswith("/")}
    for seen in found.values():
        assert seen == {
            ("in.txt", "stat"), ("no.txt", "stat"), ("folder", "stat"), ("old.txt", "stat"), ("in.txt", "read"),
            ("made", "mkdir"), ("made/deep", "mkdir"), ("made/copy.txt", "create"), ("made/copy.txt", "delete"),
            ("made", "list"), ("made/deep", "list"), ("folder", "mkdir"), ("touched", "create"), ("touched", "update"),
        }  # fmt: skip


def test_threads_are_all_seen_by_the_hook(root: Path) -> None:
    (root / "threads.py").write_text(
        "import threading\n"
        "def work(n):\n"
        "    for k in range(50): open(f'out-{n}-{k}', 'w').close()\n"
        "threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
    )
    assert len(writes(trace(root, sys.executable, "threads.py", tracer=Tracer.AUDIT))) == 200


@needs_strace
def test_shell_and_native_programs(root: Path) -> None:
    (root / "run.sh").write_text(
        "cd folder; cat ../in.txt > copy.txt; cp copy.txt 'strange [name] é'; mv copy.txt ../old.txt; [ -e nothing ]\n"
    )
    traced = trace(root, "sh", "run.sh")
    assert reads(traced) == {"in.txt": "read", "folder/copy.txt": "read", "folder/nothing": "stat"}
    assert writes(traced) == {
        ("folder/copy.txt", "create"),
        ("folder/strange [[]name] é", "create"),
        ("folder/copy.txt", "rename"),
        ("old.txt", "rename"),
    }


@needs_strace
def test_children_and_threads(root: Path) -> None:
    (root / "parent.py").write_text(
        "import subprocess, sys, threading\n"
        "subprocess.run([sys.executable, '-c', 'open(\"child.txt\", \"w\")'], cwd='folder', check=True)\n"
        "threads = [threading.Thread(target=lambda n=n: open(f't{n}.txt', 'w').write('x')) for n in range(3)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
    )
    traced = trace(root, sys.executable, "parent.py")
    assert {path for path, _ in writes(traced)} == {"folder/child.txt", "t0.txt", "t1.txt", "t2.txt"}


def test_own_sitecustomize_still_runs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "site").mkdir()
    (root / "site/sitecustomize.py").write_text("open('from_site.txt', 'w').close()\n")
    monkeypatch.setenv("PYTHONPATH", str(root / "site"))
    trace(root, sys.executable, "-c", "pass", tracer=Tracer.AUDIT)
    assert (root / "from_site.txt").exists()


def test_a_command_that_fails_or_hangs_is_reported(root: Path) -> None:
    assert trace(root, "sh", "-c", "echo > a; exit 3").outcome.returncode == 3
    hung = trace(root, "sh", "-c", "echo > b; sleep 60", timeout=1.5)
    assert hung.outcome.error == "timeout"
    if hung.tracer is Tracer.STRACE:
        assert ("b", "create") in writes(hung)
    assert trace(root, "no-such-command", tracer=Tracer.AUDIT).outcome.error == "not-found"


def test_strace_is_asked_for_but_missing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(TracerError, match="--tracer audit"):
        trace(root, sys.executable, "main.py", tracer=Tracer.STRACE)
    assert trace(root, sys.executable, "main.py").tracer is Tracer.AUDIT
