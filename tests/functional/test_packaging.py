"""The wheel, built as users get it and installed into an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
NEEDED_TO_BUILD = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "analyzer", "rules")

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, code: int = 0) -> str:
    """Run a command without anything of this checkout in its environment, and return its standard output."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name not in hidden},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the wheel is made from."""
    source = tmp_path_factory.mktemp("source")
    for name in NEEDED_TO_BUILD:
        origin = PROJECT / name
        if origin.is_dir():
            shutil.copytree(origin, source / name, ignore=shutil.ignore_patterns("__pycache__", ".taskgates"))
        else:
            shutil.copy(origin, source / name)
    return source


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(target), str(source)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if built.returncode and "hatchling" in built.stderr and "No matching distribution" in built.stderr:
        pytest.skip("the build backend cannot be installed here")
    assert built.returncode == 0, built.stderr
    (found,) = target.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; the libraries are those of this environment, seen through a path file."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=False, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(place), "platbase": str(place)}))
    python = place / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel, cwd=place)
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return place


def test_contents(source: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = Parser().parsestr(
            archive.read(next(name for name in names if name.endswith("/METADATA"))).decode("utf-8")
        )
        points = archive.read(next(name for name in names if name.endswith("/entry_points.txt"))).decode("utf-8")
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"taskgates", "taskgates_rules"}
    assert not any("__pycache__" in name or "/tests/" in name for name in names)
    shipped = {
        str(path.relative_to(root)).replace(os.sep, "/")
        for root in (source / "analyzer", source / "rules")
        for path in root.rglob("*")
        if path.is_file()
    }
    assert shipped <= set(names)
    assert any(name.endswith(".toml") for name in names)
    assert any(name.endswith(".html.j2") for name in names)
    assert any(name.endswith("LICENSE") for name in names)
    assert "taskgates = taskgates.cli:main" in points
    assert "[taskgates.rules]" in points
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    assert metadata["Requires-Python"] == declared["requires-python"]
    assert set(metadata.get_all("Provides-Extra") or ()) == set(declared["optional-dependencies"])
    required = [line for line in metadata.get_all("Requires-Dist") or () if "extra ==" not in line]
    assert len(required) == len(declared["dependencies"])


def test_types_are_announced(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert "taskgates/py.typed" in archive.namelist()


def test_the_installed_command_works_anywhere(environment: Path, tmp_path: Path) -> None:
    command = environment / "bin" / "taskgates"
    python = environment / "bin" / "python"
    where = run(python, "-c", "import taskgates; print(taskgates.__file__)", cwd=tmp_path).strip()
    assert Path(where).is_relative_to(environment)
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert run(python, "-m", "taskgates", "--version", cwd=tmp_path).strip() == f"taskgates {version}"
    assert "write-write-conflict" in run(command, "rule", "TG101", cwd=tmp_path)

    tasks = tmp_path / ".claude" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "task-1.json").write_text(
        json.dumps({"id": "1", "status": "Pending", "command": "python make.py", "files_affected": ["a.txt"]})
    )
    (tmp_path / "make.py").write_text("for name in ('a', 'b'):\n    open(f'{name}.txt', 'w').write(name)\n")
    page = tmp_path / "report.html"
    found = json.loads(run(command, "scan", "--format", "json", "-o", f"html:{page}", cwd=tmp_path, code=1))
    assert [finding["path"] for finding in found["findings"] if finding["rule"] == "TG701"] == ["b.txt"]
    assert "b.txt" in page.read_text("utf-8")
    touched = json.loads(run(command, "infer", "--format", "json", "--", "cp", "a.txt", "c.txt", cwd=tmp_path))
    assert [access["path"] for access in touched["writes"]] == ["c.txt"]


def test_constraints_name_no_index_and_cover_what_is_required() -> None:
    lines = (PROJECT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(pin.count("==") == 1 for pin in pins)
    assert not any("://" in line or line.startswith("-") for line in lines)
    names = {pin.partition("==")[0].lower().replace("_", "-") for pin in pins}
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = declared["optional-dependencies"]
    for requirement in (*declared["dependencies"], *extras["test"], *extras["docs"]):
        name = requirement.split(">")[0].split("=")[0].split("[")[0].strip().lower().replace("_", "-")
        assert name in names, f"constraints.txt does not pin {name}"


@pytest.mark.parametrize(("checks", "tests", "code"), [("true", "true", 0), ("false", "true", 2), ("true", "false", 2)])
def test_continuous_integration_fails_when_anything_fails(tmp_path: Path, checks: str, tests: str, code: int) -> None:
    if shutil.which("make") is None or os.name != "posix":
        pytest.skip("needs make")
    (tmp_path / ".ci").mkdir()
    shutil.copy(PROJECT / ".ci" / "run", tmp_path / ".ci" / "run")
    closing = "===== 3 passed, 1 skipped in 0.01s ====="
    (tmp_path / "Makefile").write_text(
        f"test: checks pytest\nchecks:\n\t@{checks}\npytest:\n\t@echo '{closing}'\n\t@{tests}\n", encoding="utf-8"
    )
    printed = run("bash", ".ci/run", cwd=tmp_path, code=code)
    assert printed.splitlines()[-1] == closing
