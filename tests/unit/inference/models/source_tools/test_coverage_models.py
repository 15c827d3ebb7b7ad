"""Coverage and pytest-cov: settings, data, and the sources and places of reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.models.pipelines.runs import infer, read, written

if TYPE_CHECKING:
    from pathlib import Path

TREE = {
    "app.py": "import pkg.a\n",
    "pkg/__init__.py": "",
    "pkg/a.py": "",
    "pkg/b.py": "",
    "tests/test_a.py": "import pkg.a\ndef test(tmp_path):\n    (tmp_path / 'x').write_text('')\n",
}


def test_settings_name_the_files(tmp_path: Path) -> None:
    settings = "[run]\ndata_file = d/cov\nsource = pkg\nomit = pkg/b.py\n[html]\ndirectory = h\n"
    found = infer(tmp_path, {**TREE, ".coveragerc": settings, "pyproject.toml": ""}, "coverage html")
    assert read(found) == {".coveragerc", "d/cov", "pkg/__init__.py", "pkg/a.py"}
    assert written(found) == {"h/**"}


@pytest.mark.parametrize(
    ("options", "reports"),
    [
        ("--cov=pkg --cov-report=html:h --cov-report xml", {"h/**", "coverage.xml"}),
        ("--cov pkg --cov-report=json:j.json", {"j.json"}),
        ("--cov=pkg", set()),
    ],
)
def test_pytest_with_coverage(tmp_path: Path, options: str, reports: set[str]) -> None:
    found = infer(tmp_path, TREE, f"pytest -p no:cacheprovider {options} tests")
    assert written(found) == {".coverage", ".coverage.*", *reports}
    assert {"pkg/__init__.py", "pkg/a.py", "pkg/b.py", "tests/test_a.py"} <= read(found)


def test_settings_on_the_command_line(tmp_path: Path) -> None:
    found = infer(tmp_path, TREE, "pytest -o cache_dir=c/p --basetemp=base tests")
    assert "c/p/v/cache/nodeids" in written(found)
    assert "base/*/x" in written(found)
