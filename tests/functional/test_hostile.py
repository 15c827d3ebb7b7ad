"""Repositories made to mislead, to break out or to wear out end in findings and messages, never in a traceback."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = ("json", "sarif", "markdown", "github", "html")
EVIL = (
    "new\n::error file=x::line.py",
    "\x1b[31mred\x1b[0m.py",
    "::error::name.py",
    "<script>alert(1)<\\script>.py",
    "[link](javascript:alert(1)).py",
    "a|b`c`*d*.py",
    "\u202egnp.py",
    "-rf.py",
    "$(id).py",
)


def task(root: Path, task_id: str, **fields: object) -> None:
    """Write a task file."""
    folder = root / ".claude" / "tasks"
    folder.mkdir(parents=True, exist_ok=True)
    document = {"id": task_id, "status": "Pending", "difficulty": 3, **fields}
    (folder / f"task-{len(list(folder.iterdir()))}.json").write_text(json.dumps(document))


def commands(root: Path) -> list[list[str]]:
    """Every command that only looks, with every format."""
    outputs = [f"--output={name}:{root / name}.out" for name in FORMATS]
    return [
        ["scan", "--fail-on", "never", *outputs],
        ["scan", "--format", "github", "-q", "--fail-on", "never"],
        ["scan", "-j", "2", "-v", "--fail-on", "never"],
        ["validate", "*"],
        ["batches"],
        ["graph", "conflicts"],
        ["graph", "dependencies", "--format", "dot"],
        ["graph", "schedule", "--format", "mermaid"],
        ["config"],
        ["locks", "status"],
    ]


def check(done: subprocess.CompletedProcess[str]) -> None:
    """No traceback, no bug, nothing that a terminal or a continuous-integration service would obey."""
    shown = done.stdout + done.stderr
    assert done.returncode in (0, 1, 2), shown
    assert "Traceback" not in shown
    assert "Internal error" not in shown
    assert not [line for line in shown.splitlines() if line.lstrip().startswith("::") and not _is_ours(line)]
    assert not [character for character in shown if character < " " and character not in "\n\t"]
    assert not set(shown) & set("\x7f\x9b\u202e\u2066")


def _is_ours(line: str) -> bool:
    return line.startswith(("::error file=", "::warning file=", "::notice file=")) and "title=TG" in line


def test_names_and_ids_command_nobody(taskgates: Any, tmp_path: Path) -> None:
    for name in EVIL:
        (tmp_path / name).write_text(f"open({name + '.out'!r}, 'w')\nexec(open({name!r}).read())\n")
        task(tmp_path, name, title=name, status=name, command=["python", name], dependencies=[name, f"no{name}"])
        task(tmp_path, f"s{name}", source=[name], files_affected=["</script><script>alert(1)</script>", "shared"])
        (tmp_path / ".claude" / "tasks" / f"task-{name.replace('/', '')}.json").write_text('{"id": "x" 1')
    for arguments in commands(tmp_path):
        check(taskgates(*arguments, cwd=tmp_path))
    for name in FORMATS:
        text = (tmp_path / f"{name}.out").read_text(encoding="utf-8")
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "<script>alert" not in (tmp_path / "html.out").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments", [("run", "1"), ("verify", "1"), ("trace", "--", "touch", "a"), ("locks", "status")]
)
def test_records_are_not_written_through_a_link(taskgates: Any, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (outside / "locks").mkdir(parents=True)
    root.mkdir()
    task(root, "1", command=["touch", "a"], files_affected=["a"])
    (root / ".taskgates").symlink_to(outside)
    done = taskgates(*arguments, cwd=root)
    assert done.returncode == 2, done.stderr
    assert ".taskgates: a link, which would lead out of the repository" in done.stderr
    assert not (root / "a").exists()
    assert list(outside.rglob("*")) == [outside / "locks"]


def test_links_out_of_the_repository_are_not_followed(taskgates: Any, tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (outside / "package").mkdir(parents=True)
    root.mkdir()
    (outside / "secret.py").write_text("open('TELL', 'w')\n")
    (outside / "package" / "module.py").write_text("open('TELL', 'w')\n")
    (outside / "task-9.json").write_text('{"id": "TELL", "difficulty": "TELL"}')
    (outside / "settings.toml").write_text("TELL = 1\n")
    (root / "s.py").symlink_to(outside / "secret.py")
    (root / "p").symlink_to(outside / "package")
    (root / ".taskgates").symlink_to(outside)
    for name in ("taskgates.toml", "pyproject.toml", "dvc.yaml", ".gitignore"):
        (root / name).symlink_to(outside / "settings.toml")
    task(root, "1", command="python s.py")
    task(root, "2", command="python -c 'import p.module, s'")
    (root / ".claude" / "tasks" / "task-9.json").symlink_to(outside / "task-9.json")
    (root / "loop.py").symlink_to("loop.py")
    (root / "up").symlink_to(".")
    task(root, "3", command="python loop.py; python up/up/up/s.py; cat loop.py")
    before = sorted(str(path) for path in outside.rglob("*"))
    for arguments in commands(tmp_path):
        done = taskgates(*arguments, cwd=root)
        check(done)
        assert "TELL" not in done.stdout + done.stderr
    assert "TELL" not in (tmp_path / "json.out").read_text()
    assert sorted(str(path) for path in outside.rglob("*")) == before


def test_pipes_and_devices_in_place_of_files_are_not_waited_for(taskgates: Any, tmp_path: Path) -> None:
    for name in ("p.py", "p.sh", "p.json", "dvc.yaml", ".gitignore", "Makefile"):
        os.mkfifo(tmp_path / name)
    task(tmp_path, "1", command="python p.py; bash p.sh; make; python /dev/zero; bash /dev/zero")
    task(tmp_path, "2", command="python -c 'import p, json; json.load(open(\"p.json\"))'")
    task(tmp_path, "3", source=["p.py"], files_affected=["p.py"])
    os.mkfifo(tmp_path / ".claude" / "tasks" / "task-9.json")
    for arguments in commands(tmp_path):
        check(taskgates(*arguments, timeout=60))
    for name in ("taskgates.toml", "pyproject.toml", ".claude/config/parallel-execution.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        os.mkfifo(tmp_path / name)
    done = taskgates("scan", timeout=60)
    assert done.returncode == 2
    assert [line.split(":")[0] for line in done.stderr.splitlines()[1:]] == [
        "pyproject.toml",
        "taskgates.toml",
        ".claude/config/parallel-execution.json",
    ]


GROWING = {
    "doubling.py": """
import os
from pathlib import Path

text, data, words, number, path, place = "a", b"a", ["a"], 7, "a", Path("a")
pair, tower, joined, formatted, replaced, shifted = (1,), ["a"], "a", "a", "a", 1
for turn in range(60):
    text, data, words, number = f"{text}{text}", data + data, words + words, number * number
    path, place, pair, tower = os.path.join(path, path), place / place, (pair, pair), [tower, tower]
    joined, formatted = "".join([joined, joined]), "{0}{0}".format(formatted)
    replaced, shifted = replaced.replace("a", "aa"), shifted << shifted
for name in (text, str(words), path, place, repr(pair), joined, formatted, replaced):
    open(name)
open("after", "w")
""",
    "doubling.sh": """
a=aaaa; for i in $(seq 60); do a=$a$a; done; cat "$a"
b=a; while true; do b="$b/$b"; done
c=aaaa; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do c=${c//a/aa}; done
f() { f; f; }; f
touch after
""",
    "bomb.py": """
import yaml
for item in yaml.safe_load(open("bomb.yaml"))["a11"]:
    open(item)
print(yaml.safe_load(open("merge.yaml")), yaml.safe_load(open("self.yaml")))
open("after", "w")
""",
}


def test_what_grows_without_end_is_cut(tmp_path: Path) -> None:
    steps = range(1, 12)
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in steps)
    merge = "a0: &a0 {k: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 9)}]}}\n" for n in steps)
    (tmp_path / "bomb.yaml").write_text(bomb)
    (tmp_path / "merge.yaml").write_text(merge)
    (tmp_path / "self.yaml").write_text("{a: &r [*r], b: &q {c: *q}}")
    for name, text in GROWING.items():
        (tmp_path / name).write_text(text)
        program = "python" if name.endswith(".py") else "bash"
        done = subprocess.run(
            [sys.executable, "-m", "taskgates", "infer", "--format", "json", "--", program, name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30)),
        )
        check(done)
        assert "after" in {access["path"] for access in json.loads(done.stdout)["writes"]}, name


def test_deep_and_broken_texts(taskgates: Any, tmp_path: Path) -> None:
    sources = {
        "deep.py": "x = " + "[" * 5000 + "]" * 5000 + "\n",
        "chain.py": "if x == 0: pass\n" + "".join(f"elif x == {n}: pass\n" for n in range(3000)),
        "sum.py": "x = " + " + ".join(["'a'"] * 5000) + "\n",
        "dots.py": "x = a" + ".b" * 5000 + "\n",
        "two.py": "print 'old'\nexec 'x'\n",
        "new.py": "type X[T] = list[T]\ndef f[T = int](x: T) -> T: return x\nopen(f'{'n'}.txt', 'w')\n",
        "undefined.py": "# coding: undefined\nx = 1\n",
        "nosuch.py": "# coding: nosuch\nx = 1\n",
        "zero.py": "x = 1\0\n",
        "deep.sh": "( " * 2000 + "cp a b" + " )" * 2000 + "\n" + "$(" * 1000 + "ls" + ")" * 1000 + "\n",
    }
    for name, text in sources.items():
        (tmp_path / name).write_text(text)
        task(tmp_path, name, command=f"{'bash' if name.endswith('.sh') else 'python'} {name}")
    tasks = tmp_path / ".claude" / "tasks"
    (tasks / "task-a.json").write_text("[" * 100_000)
    (tasks / "task-b.json").write_text('{"id": "b", "x": ' + "[" * 50_000 + "]" * 50_000 + "}")
    (tasks / "task-c.json").write_text('{"id": 1' + "0" * 6000 + ', "difficulty": 1' + "0" * 6000 + "}")
    task(tmp_path, "1" * 5000, dependencies=["1" * 4999 + "2"])
    task(tmp_path, "paths", files_affected=["x" * 5000, "*a" * 1000 + "b", "a" * 4000, "**/a/" * 60 + "*"])
    (tmp_path / "dvc.yaml").write_text("[" * 100_000)
    for arguments in commands(tmp_path):
        check(taskgates(*arguments, timeout=300))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may look into, which pytest's own are not whenever another run of it begins."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to become nobody")
def test_what_may_not_be_read_is_said(open_folder: Path) -> None:
    root, warm = open_folder / "root", open_folder / "warm"
    root.mkdir()
    warm.mkdir()
    task(warm, "1", command="python a.py", files_affected=["out"])
    task(root, "1", command="python a.py; python b/c.py", files_affected=["out"])
    (root / "a.py").write_text("")
    (root / "b").mkdir()
    (root / ".taskgates" / "locks").mkdir(parents=True)
    for path in (root / "a.py", root / "b", root / ".taskgates"):
        path.chmod(0)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        # The interpreter's own files may lie where nobody may look: a first scan, as root, imports what the next needs.
        program = (
            "import contextlib, io, os, sys; from taskgates.cli import main\n"
            "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
            "    warm = sys.argv.pop(1); main(['scan', warm]); main(['locks', 'status', '--root', warm])\n"
            "os.setgid(65534); os.setuid(65534); sys.exit(main())"
        )
        return subprocess.run(
            [sys.executable, "-c", program, str(warm), *arguments], capture_output=True, text=True, check=False
        )

    for arguments in (["scan", str(root), "--fail-on", "never"], ["locks", "status", "--root", str(root)]):
        check(run(*arguments))
    root.chmod(0o444)
    done = run("scan", str(root))
    assert done.returncode == 2
    assert "permission denied" in done.stderr


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_scan_ends_at_once_and_leaves_nobody(tmp_path: Path, jobs: str) -> None:
    function = "def f{n}(a):\n    for i in range(400):\n        a = a + [i]\n    return a\nf{n}([])\n"
    body = "".join(function.replace("{n}", str(number)) for number in range(300))
    for number in range(60):
        (tmp_path / f"s{number}.py").write_text(body)
        task(tmp_path, str(number), command=f"python s{number}.py")
    scan = subprocess.Popen(
        [sys.executable, "-m", "taskgates", "scan", str(tmp_path), "-j", jobs, "--no-cache"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(2)
    os.killpg(scan.pid, signal.SIGINT)
    out, err = scan.communicate(timeout=60)
    assert (out, err.strip()) == ("", "Aborted.")
    # Python ends itself by the signal where it arrived in code that was compiled from a string.
    assert scan.returncode in (130, -signal.SIGINT)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and _exists(scan.pid):
        time.sleep(0.05)
    assert not _exists(scan.pid)


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_nothing_of_the_repository_is_imported(taskgates: Any, tmp_path: Path) -> None:
    for name in ("json", "os", "click", "taskgates", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text("open('IMPORTED', 'w')\nraise SystemExit(9)\n")
    site = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("home = /nonexistent\n")
    (site / "x.pth").write_text("import os; open('IMPORTED', 'w')\n")
    (tmp_path / "a.py").write_text("import json, os\nos.remove('x')\n")
    task(tmp_path, "1", command="python a.py")
    script = Path(sys.executable).with_name("taskgates")
    done = subprocess.run([script, "scan"], cwd=tmp_path, capture_output=True, text=True, check=False)
    check(done)
    assert not (tmp_path / "IMPORTED").exists()
