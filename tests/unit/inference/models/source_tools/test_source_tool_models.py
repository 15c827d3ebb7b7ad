"""Formatters and checkers: which files they find, read, and may rewrite.

What the tools really do with these files was looked up by running them; they are not needed to run the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.models.pipelines.runs import infer, read, written

if TYPE_CHECKING:
    from pathlib import Path

TREE = {
    "src/a.py": "x=1\n",
    "src/pkg/b.py": "x=1\n",
    "src/pkg/t.pyi": "x: int\n",
    "src/__init__.py": "",
    "src/hidden/c.py": "x=1\n",
    ".gitignore": "src/hidden/\n",
    ".venv/d.py": "x=1\n",
    "build/e.py": "x=1\n",
    "notes.txt": "n\n",
}


def sources(paths: set[str]) -> set[str]:
    """The Python sources among some paths."""
    return {path for path in paths if path.endswith((".py", ".pyi"))}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("black .", {"src/a.py", "src/pkg/b.py", "src/pkg/t.pyi", "src/__init__.py"}),
        ("black build/e.py", {"build/e.py"}),
        ("black --exclude pkg src", {"src/a.py", "src/__init__.py", "src/hidden/c.py"}),
        ("isort src --skip pkg", {"src/a.py", "src/__init__.py", "src/hidden/c.py"}),
        ("autopep8 -i -r src", {"src/a.py", "src/pkg/b.py", "src/pkg/t.pyi", "src/__init__.py", "src/hidden/c.py"}),
        ("autopep8 -i src", set()),
        ("docformatter -i -r src/pkg", {"src/pkg/b.py"}),
        ("flake8 src --extend-exclude=src/pkg", {"src/a.py", "src/__init__.py", "src/hidden/c.py"}),
        ("ruff check src/pkg", {"src/pkg/b.py", "src/pkg/t.pyi"}),
    ],
)
def test_the_files_that_are_found(tmp_path: Path, command: str, expected: set[str]) -> None:
    assert sources(read(infer(tmp_path, TREE, command))) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("black src/a.py src/__init__.py", {"src/a.py"}),
        ("black --check src", set()),
        ("black --diff src", set()),
        ("python -m black -c x=1", set()),
        ("isort --check-only src", set()),
        ("yapf src/a.py", set()),
        ("yapf -i src/a.py", {"src/a.py"}),
        ("ruff check src", set()),
        ("ruff check --fix src/a.py", {"src/a.py"}),
        ("ruff format --diff src", set()),
        ("pyupgrade --py38-plus src/a.py", {"src/a.py"}),
        ("flake8 src", set()),
    ],
)
def test_what_may_be_rewritten(tmp_path: Path, command: str, expected: set[str]) -> None:
    found = infer(tmp_path, TREE, command)
    assert sources(written(found)) == expected
    assert all(access.conditional for access in found.writes if access.path in expected)


def test_settings_say_what_is_left_out(tmp_path: Path) -> None:
    files = {
        **TREE,
        "pyproject.toml": '[tool.black]\nextend-exclude = "/pkg/"\n[tool.ruff]\nextend-exclude = ["b.py"]\n',
        "setup.cfg": "[flake8]\nexclude = src/pkg, build\noutput-file = x\n",
    }
    assert sources(read(infer(tmp_path, files, "black -q src"))) == {"src/a.py", "src/__init__.py"}
    assert "src/pkg/b.py" not in read(infer(tmp_path, files, "ruff check src"))
    assert sources(read(infer(tmp_path, files, "flake8"))) == {
        "src/a.py", "src/__init__.py", "src/hidden/c.py", ".venv/d.py",
    }  # fmt: skip


def test_reports_and_caches(tmp_path: Path) -> None:
    assert written(infer(tmp_path, TREE, "flake8 --output-file=o.txt src")) == {"o.txt"}
    assert written(infer(tmp_path, TREE, "ruff check --no-cache -o o.json src")) == {"o.json"}
    assert written(infer(tmp_path, TREE, "ruff check src")) == {".ruff_cache/**"}


CHECKED = {
    "app.py": "import lib.core\nfrom lib import other\n",
    "lib/__init__.py": "",
    "lib/core.py": "from . import deep\n",
    "lib/deep.py": "",
    "lib/other.py": "",
    "alone.py": "",
}


@pytest.mark.parametrize("tool", ["mypy --cache-dir=/dev/null", "pylint"])
def test_checkers_read_what_is_imported(tmp_path: Path, tool: str) -> None:
    found = infer(tmp_path, CHECKED, f"{tool} app.py")
    assert read(found) == {"app.py", "lib/__init__.py", "lib/core.py", "lib/deep.py", "lib/other.py"}
    assert written(found) == set()


def test_reports_of_checkers(tmp_path: Path) -> None:
    found = infer(tmp_path, CHECKED, "mypy --linecount-report rep --junit-xml j.xml alone.py")
    assert written(found) == {".mypy_cache/**", "rep/linecount.txt", "j.xml"}
    assert written(infer(tmp_path, CHECKED, "pylint --output=o.txt alone.py")) == {"o.txt"}
