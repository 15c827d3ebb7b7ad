"""Finding the file behind a module's name, as Python's path-based finder does it, without importing anything.

The order in one folder of the search path follows `importlib.machinery.FileFinder`: a package with an `__init__`, then
a module file, then a portion of a namespace package, which counts only when no later folder has a regular package or
module. One departure: where a module exists as source and as an extension, the source is taken, since it can be read.
"""

from __future__ import annotations

import configparser
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from taskgates.tree.environment import Environment, clean_target, console_script
from taskgates.tree.toml_source import load_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from taskgates.tree.tree import Tree

SearchEntry = str | Path
"""A folder to search: a `str` is relative to the tree's root, a `Path` is an absolute folder of the environment."""

ModuleKind = Literal["package", "module", "namespace", "extension"]

_EXTENSION = re.compile(r"(?:\.[\w-]+)*\.(?:so|pyd|pyc)")
_MANIFEST_LIMIT = 1 << 22


class Module(msgspec.Struct, frozen=True):
    """A module that was found.

    Attributes:
        name: its full dotted name.
        kind: `package` (with an `__init__`), `module`, `namespace` (folders only), or `extension` (no source).
        file: the source file (or the extension): relative to the root, or absolute for an installed one; None for a
            namespace package.
        folders: where its submodules are searched.
        installed: whether it was found in the environment rather than under the root.
    """

    name: str
    kind: ModuleKind
    file: str | None
    folders: tuple[SearchEntry, ...] = ()
    installed: bool = False

    @property
    def is_package(self) -> bool:
        """Whether submodules can be below it."""
        return bool(self.folders)


def find_module(name: str, search_path: Sequence[SearchEntry], tree: Tree) -> Module | None:
    """Find a module by its dotted name.

    Args:
        name: absolute dotted name (`pkg.sub.mod`).
        search_path: folders in the order of `sys.path`.
        tree: answers for the folders under the root.

    Returns:
        The module, or None where Python would raise ModuleNotFoundError (and for names that are no module names).
    """
    found: Module | None = None
    folders: Sequence[SearchEntry] = search_path
    qualified = ""
    for part in name.split("."):
        if not part or "/" in part or "\0" in part:
            return None
        qualified = f"{qualified}.{part}" if qualified else part
        found = _find_in(qualified, part, folders, tree)
        if found is None:
            return None
        folders = found.folders
    return found


def find_installed(name: str, environment: Environment, tree: Tree) -> Module | None:
    """Find a module in the environment, editable installs included."""
    top, _, rest = name.partition(".")
    mapped = environment.editable.get(top)
    if mapped is not None:
        found = _editable(top, mapped, tree)
        if found is not None:
            return found if not rest else _submodule(found, rest, tree)
    return find_module(name, environment.search_path, tree)


def iter_submodules(module: Module, tree: Tree) -> Iterable[str]:
    """The names of the direct submodules of a package, sorted, as `pkgutil.iter_modules` gives them."""
    names: set[str] = set()
    for folder in module.folders:
        for entry in _names(folder, tree):
            stem, dot, suffix = entry.partition(".")
            if not stem.isidentifier() or stem == "__init__":
                continue
            loadable = suffix == "py" or _EXTENSION.fullmatch("." + suffix) is not None
            if loadable if dot else _kind(_join(folder, f"{stem}/__init__.py"), tree) == "file":
                names.add(stem)
    return sorted(names)


def entry_point(name: str, tree: Tree, environment: Environment | None) -> str | None:
    """The `module:function` behind a console script: the project under the root first, then what is installed."""
    found = _project_entry_point(name, tree)
    if found is None and environment is not None:
        return environment.entry_point(name)
    return found


def _find_in(qualified: str, tail: str, folders: Sequence[SearchEntry], tree: Tree) -> Module | None:
    portions: list[SearchEntry] = []
    for folder in folders:
        if isinstance(folder, Path) and tail not in _installed_stems(folder):
            continue
        inside = _join(folder, tail)
        is_folder = _kind(inside, tree) == "folder"
        installed = isinstance(folder, Path)
        if is_folder:
            init = _source_or_extension(inside, "__init__", tree)
            if init is not None:
                return Module(qualified, "package", init[0], (inside,), installed)
        file = _source_or_extension(folder, tail, tree)
        if file is not None:
            return Module(qualified, "extension" if file[1] else "module", file[0], (), installed)
        if is_folder:
            portions.append(inside)
    if not portions:
        return None
    return Module(qualified, "namespace", None, tuple(portions), all(isinstance(item, Path) for item in portions))


def _source_or_extension(folder: SearchEntry, stem: str, tree: Tree) -> tuple[str, bool] | None:
    """The file of a module in one folder, and whether it is an extension."""
    source = _join(folder, f"{stem}.py")
    if _kind(source, tree) == "file":
        return str(source), False
    prefix = stem + "."
    if isinstance(folder, Path):
        candidates = [name for name in _names(folder, tree) if name.startswith(prefix)]
    else:
        escaped = re.sub(r"([*?\[])", r"[\1]", stem)
        candidates = [path.rpartition("/")[2] for path in tree.glob(f"{folder}/{escaped}.*")]
    for name in candidates:
        if _EXTENSION.fullmatch(name[len(stem) :]):
            return str(_join(folder, name)), True
    return None


def _editable(name: str, place: Path, tree: Tree) -> Module | None:
    inside = tree.normalise(str(place))
    entry: SearchEntry = place if inside is None else inside
    installed = inside is None
    if _kind(entry, tree) == "folder":
        init = _source_or_extension(entry, "__init__", tree)
        return Module(name, "package" if init else "namespace", init[0] if init else None, (entry,), installed)
    file = place.with_name(place.name + ".py") if place.suffix != ".py" else place
    inside = tree.normalise(str(file))
    entry = file if inside is None else inside
    return Module(name, "module", str(entry), (), installed) if _kind(entry, tree) == "file" else None


def _submodule(parent: Module, rest: str, tree: Tree) -> Module | None:
    found = find_module(rest, parent.folders, tree)
    return None if found is None else msgspec.structs.replace(found, name=f"{parent.name}.{found.name}")


def _join(folder: SearchEntry, name: str) -> SearchEntry:
    if isinstance(folder, Path):
        return folder / name
    return name if folder in ("", ".") else f"{folder}/{name}"


def _kind(entry: SearchEntry, tree: Tree) -> str | None:
    if isinstance(entry, str):
        return tree.kind(entry)
    try:
        return "folder" if entry.is_dir() else "file" if entry.is_file() else None
    except (OSError, ValueError):
        return None


def _names(folder: SearchEntry, tree: Tree) -> Sequence[str]:
    return tree.list(folder) or () if isinstance(folder, str) else _installed(folder)[0]


def _installed_stems(folder: Path) -> frozenset[str]:
    """The names in a folder of the environment up to their first dot: most modules are in none of most folders."""
    return _installed(folder)[1]


def _installed(folder: Path) -> tuple[tuple[str, ...], frozenset[str]]:
    try:
        return _listing(str(folder), os.stat(folder).st_mtime_ns)  # noqa: PTH116 - hot path on strings
    except (OSError, ValueError):
        return (), frozenset()


@lru_cache(maxsize=1 << 10)
def _listing(folder: str, changed: int) -> tuple[tuple[str, ...], frozenset[str]]:
    """The names in a folder of the environment, as long as none comes or goes: each import of each program asks."""
    del changed
    names = tuple(sorted(os.listdir(folder)))  # noqa: PTH208 - names only
    return names, frozenset(name.partition(".")[0] for name in names)


def _project_entry_point(name: str, tree: Tree) -> str | None:
    text = _text(tree, "pyproject.toml")
    if text and name in text:
        try:
            data = load_toml(text)
        except ValueError:
            data = {}
        for table in (("project", "scripts"), ("project", "gui-scripts"), ("tool", "poetry", "scripts")):
            value: object = data
            for key in (*table, name):
                value = value.get(key) if isinstance(value, dict) else None
            if isinstance(value, dict):
                value = value.get("reference") or value.get("callable")
            if isinstance(value, str):
                return clean_target(value)
    text = _text(tree, "setup.cfg")
    if text and name in text:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(text)
            scripts = parser.get("options.entry_points", "console_scripts", fallback="")
        except (configparser.Error, ValueError):
            return None
        return console_script("[console_scripts]\n" + "\n".join(line.strip() for line in scripts.splitlines()), name)
    return None


def _text(tree: Tree, name: str) -> str | None:
    data = tree.read_bytes(name, _MANIFEST_LIMIT)
    return None if data is None else data.decode("utf-8", "replace")
