"""`setup.py`: which files of a project its commands read and write, as runs of setuptools have shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.inference.models.pipelines.runs import infer, read, written

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "setup.py": """
        from setuptools import setup, find_packages
        setup(name="a-tool", version="1.0", packages=find_packages(exclude=["tests"]),
              package_data={"tool": ["data/*.json"]}, install_requires=["x"])
    """,
    "README.md": "",
    "LICENSE": "",
    "MANIFEST.in": "recursive-include docs *.rst\nexclude docs/private.rst\n",
    "docs/index.rst": "",
    "docs/private.rst": "",
    "tool/__init__.py": "",
    "tool/core.py": "",
    "tool/data/a.json": "{}",
    "tool/data/b.txt": "",
    "tests/__init__.py": "",
}
SOURCES = {"tool/__init__.py", "tool/core.py", "tool/data/a.json"}
METADATA = {f"a_tool.egg-info/{name}" for name in ("PKG-INFO", "SOURCES.txt", "dependency_links.txt", "top_level.txt")}


def test_a_build_copies_modules_and_data(tmp_path: Path) -> None:
    found = infer(tmp_path, FILES, "python setup.py build")
    assert read(found) == SOURCES
    assert written(found) == {f"build/lib/{path}" for path in SOURCES}
    assert found.complete


def test_metadata(tmp_path: Path) -> None:
    found = infer(tmp_path, FILES, "python setup.py -q egg_info")
    assert written(found) == METADATA | {"a_tool.egg-info/requires.txt"}
    assert read(found) == {"MANIFEST.in", "a_tool.egg-info/SOURCES.txt"}


def test_a_source_distribution_follows_the_manifest(tmp_path: Path) -> None:
    found = infer(tmp_path, FILES, "python setup.py sdist -d out --formats=zip")
    assert "out/a_tool-1.0.zip" in written(found)
    assert SOURCES | {"docs/index.rst", "LICENSE", "README.md"} <= read(found)
    assert not {"docs/private.rst", "tests/__init__.py", "tool/data/b.txt"} & read(found)


@pytest.mark.parametrize("command", ["--version", "clean --all", "--help-commands"])
def test_commands_that_leave_the_project_alone(tmp_path: Path, command: str) -> None:
    assert written(infer(tmp_path, FILES, f"python setup.py {command}")) == set()


def test_declared_settings(tmp_path: Path) -> None:
    files = {
        "setup.py": "from setuptools import setup\nsetup()\n",
        "setup.cfg": """
            [metadata]
            name = plain
            version = attr: plain.VERSION
            long_description = file: README.rst
            [options]
            package_dir =
                = src
            packages = find:
            py_modules = single
            [options.packages.find]
            where = src
        """,
        "README.rst": "",
        "src/plain/__init__.py": "VERSION = '2'\n",
        "src/single.py": "",
        "src/loose/x.py": "",
    }
    found = infer(tmp_path, files, "python setup.py build_py -d stage")
    assert read(found) == {"setup.cfg", "README.rst", "src/plain/__init__.py", "src/single.py"}
    assert written(found) == {"stage/plain/__init__.py", "stage/single.py"}


def test_project_table_and_discovery(tmp_path: Path) -> None:
    files = {
        "setup.py": "from setuptools import setup\nsetup()\n",
        "pyproject.toml": "[project]\nname = 'found'\nversion = '1'\nreadme = 'README.md'\n",
        "README.md": "",
        "src/found/__init__.py": "",
        "docs/conf.py": "",
    }
    found = infer(tmp_path, files, "python setup.py build")
    assert "src/found/__init__.py" in read(found)
    assert "build/lib/found/__init__.py" in written(found)
    assert "docs/conf.py" not in read(found)


def test_a_command_of_the_program_is_reported(tmp_path: Path) -> None:
    files = FILES | {
        "setup.py": """
            from setuptools import setup, Command
            class Docs(Command):
                pass
            setup(name="a", version="1", packages=["tool"], cmdclass={"docs": Docs})
        """
    }
    assert not infer(tmp_path, files, "python setup.py docs").complete
    assert infer(tmp_path, files, "python setup.py build_py").complete
