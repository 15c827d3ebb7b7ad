import importlib
import sys
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.tree.environment import Environment, find_environment
from taskgates.tree.modules import Module, entry_point, find_installed, find_module, iter_submodules
from taskgates.tree.tree import Tree


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_modules_packages_and_namespaces_under_the_root(tmp_path: Path) -> None:
    write(tmp_path, "main.py", "pkg/__init__.py", "pkg/sub/__init__.py", "pkg/sub/mod.py", "src/ns/a.py", "lib/ns/b.py")
    write(tmp_path, "stub.pyi", "both.py", "both/__init__.py", "dir.py/x")
    tree = Tree(tmp_path)
    assert find_module("main", ["."], tree) == Module("main", "module", "main.py")
    assert find_module("pkg.sub.mod", ["."], tree) == Module("pkg.sub.mod", "module", "pkg/sub/mod.py")
    assert find_module("pkg", ["."], tree) == Module("pkg", "package", "pkg/__init__.py", ("pkg",))
    assert find_module("ns", ["src", "lib"], tree) == Module("ns", "namespace", None, ("src/ns", "lib/ns"))
    assert find_module("ns.b", ["src", "lib"], tree) == Module("ns.b", "module", "lib/ns/b.py")
    assert find_module("both", ["."], tree) == Module("both", "package", "both/__init__.py", ("both",))
    for name in ("stub", "dir", "main.x", "none", "", ".", "pkg.", "a/b", "pkg..sub", "x\0"):
        assert find_module(name, ["."], tree) is None


def test_a_regular_package_later_on_the_path_beats_a_namespace_portion(tmp_path: Path) -> None:
    write(tmp_path, "first/p/x.py", "second/p/__init__.py")
    found = find_module("p", ["first", "second"], Tree(tmp_path))
    assert found is not None
    assert found.file == "second/p/__init__.py"


def test_extensions_are_recognised_and_source_is_preferred(tmp_path: Path) -> None:
    write(
        tmp_path,
        "fast" + EXTENSION_SUFFIXES[0],
        "abi.abi3.so",
        "plain.so",
        "old.pyc",
        "mixed.so",
        "mixed.py",
        "data.so.txt",
    )
    tree = Tree(tmp_path)
    for name in ("fast", "abi", "plain", "old"):
        found = find_module(name, ["."], tree)
        assert found is not None
        assert found.kind == "extension"
    mixed = find_module("mixed", ["."], tree)
    assert mixed == Module("mixed", "module", "mixed.py")
    assert find_module("data", ["."], tree) is None


NAMES = ["a", "b"]
FILES = st.lists(
    st.builds(
        lambda entry, parts, leaf: "/".join([entry, *parts, leaf]),
        st.sampled_from(["p1", "p2"]),
        st.lists(st.sampled_from(NAMES), max_size=2),
        st.sampled_from(["a.py", "b.py", "__init__.py", "a.pyi", "x.txt"]),
    ),
    max_size=8,
)


@settings(max_examples=80, deadline=None)
@given(files=FILES)
def test_the_same_place_as_importlib(tmp_path_factory: pytest.TempPathFactory, files: list[str]) -> None:
    root = tmp_path_factory.mktemp("path")
    write(root, *files)
    importlib.invalidate_caches()
    tree = Tree(root)
    for name in ("a", "a.b", "b.a", "b", "a.a.b"):
        path: list[str] | None = [str(root / "p1"), str(root / "p2")]
        spec = None
        for part in name.split("."):
            spec = PathFinder.find_spec(part, path) if path is not None else None
            locations = spec.submodule_search_locations if spec is not None else None
            path = None if locations is None else list(getattr(locations, "_path", locations))
        found = find_module(name, ["p1", "p2"], tree)
        as_installed = find_module(name, [root / "p1", root / "p2"], tree)
        assert (found is None) == (spec is None)
        assert (as_installed is None) == (spec is None)
        if found is not None and spec is not None and as_installed is not None:
            assert (found.file and str(root / found.file)) == (spec.origin if spec.has_location else None)
            assert as_installed.file == (spec.origin if spec.has_location else None)
            assert as_installed.installed
            assert not found.installed


def test_the_standard_library_and_installed_packages_are_found(tmp_path: Path) -> None:
    environment = find_environment(tmp_path, sys.executable, {})
    tree = Tree(tmp_path)
    found = find_installed("json.tool", environment, tree)
    assert found is not None
    assert found.file is not None
    assert found.file.endswith("/json/tool.py")
    assert found.installed
    library = find_installed("libcst.metadata", environment, tree)
    assert library is not None
    assert library.kind == "package"
    extension = find_installed("_json", environment, tree)
    assert extension is None or extension.kind == "extension"


def test_editable_mappings(tmp_path: Path) -> None:
    write(tmp_path, "repo/src/tool/__init__.py", "repo/src/tool/cli.py", "repo/single.py", "away/other/mod.py")
    mapping = {
        "tool": tmp_path / "repo/src/tool",
        "single": tmp_path / "repo/single",
        "other": tmp_path / "away/other",
        "gone": tmp_path / "gone",
    }
    environment = Environment(tmp_path, "test", editable=mapping)
    tree = Tree(tmp_path / "repo")
    cli = find_installed("tool.cli", environment, tree)
    assert cli == Module("tool.cli", "module", "src/tool/cli.py")
    assert find_installed("single", environment, tree) == Module("single", "module", "single.py")
    other = find_installed("other.mod", environment, tree)
    assert other == Module("other.mod", "module", str(tmp_path / "away/other/mod.py"), (), True)
    assert find_installed("gone", environment, tree) is None


def test_submodules_are_listed(tmp_path: Path) -> None:
    write(
        tmp_path,
        "p/__init__.py",
        "p/z.py",
        "p/a.py",
        "p/not-a-name.py",
        "p/sub/__init__.py",
        "p/plain/x.py",
        "p/e.so",
        "p/t.txt",
    )
    tree = Tree(tmp_path)
    found = find_module("p", ["."], tree)
    assert found is not None
    assert list(iter_submodules(found, tree)) == ["a", "e", "sub", "z"]


def test_console_scripts_of_the_project_come_first(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write(site, "x-1.dist-info/entry_points.txt")
    (site / "x-1.dist-info/entry_points.txt").write_text(
        "[console_scripts]\ntool = installed:main\nother = installed:other\n"
    )
    environment = Environment(tmp_path, "test", site_packages=(site,))
    root = tmp_path / "repo"
    root.mkdir()
    assert entry_point("tool", Tree(root), environment) == "installed:main"
    (root / "setup.cfg").write_text("[options.entry_points]\nconsole_scripts =\n    tool = from_cfg.cli:run\n    bad\n")
    assert entry_point("tool", Tree(root), environment) == "from_cfg.cli:run"
    (root / "pyproject.toml").write_text(
        '[project.scripts]\ntool = "proj.cli:main"\n[tool.poetry.scripts]\npo = {reference = "p.q:r"}'
    )
    assert entry_point("tool", Tree(root), environment) == "proj.cli:main"
    assert entry_point("po", Tree(root), None) == "p.q:r"
    assert entry_point("other", Tree(root), environment) == "installed:other"
    assert entry_point("none", Tree(root), None) is None
    (root / "pyproject.toml").write_text("tool = [")
    assert entry_point("tool", Tree(root), environment) == "from_cfg.cli:run"
