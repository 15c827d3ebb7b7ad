"""What a distribution is made of, as `setup()` is told of it: keywords, `setup.cfg` and the packages of the tree."""

from __future__ import annotations

import ast
import configparser
import posixpath
import re
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import NotKnown, to_python
from taskgates.inference.models.files.listings import all_below, is_folder, members
from taskgates.inference.values import AnyValue, as_value
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from taskgates.inference.models.registry import Machine

CALL = "setuptools.setup"
_RESERVED = (
    "ci", "bin", "debian", "doc", "docs", "documentation", "manpages", "news", "newsfragments", "changelog", "test",
    "tests", "unit_test", "unit_tests", "example", "examples", "scripts", "tools", "util", "utils", "python", "build",
    "benchmark", "benchmarks", "exercise", "exercises", "htmlcov", "tasks", "fabfile", "site_scons",
)  # fmt: skip
"""Folders beside `setup.py` that automatic discovery does not take for the package."""
_LISTS = frozenset(["packages", "py_modules", "scripts", "license_files", "install_requires"])


def words_of(text: str) -> list[str]:
    """The entries of a value of `setup.cfg`: one a line, or divided by commas."""
    divided = text.splitlines() if "\n" in text.strip() else text.split(",")
    return [entry.strip() for entry in divided if entry.strip()]


def packages_below(
    machine: Machine,
    where: str,
    include: Sequence[str] = ("*",),
    exclude: Sequence[str] = (),
    *,
    namespaces: bool = False,
) -> list[str] | None:
    """The dotted names of the packages below a folder, as `find_packages` gives them; None where the tree is not known.

    A folder without `__init__.py` ends the descent, unless namespace packages are asked for.
    """
    found: list[str] = []
    pending = [""]
    while pending:
        inner = pending.pop()
        names = members(machine, posixpath.join(where, inner) if inner else where)
        if names is None:
            if inner:
                continue
            return None
        for name in names:
            path = f"{inner}/{name}" if inner else name
            folder = path if where == "." else f"{where}/{path}"
            if "." in name or not is_folder(machine, folder):
                continue
            if not namespaces and machine.exists(f"{folder}/__init__.py", "file") is not True:
                continue
            dotted = path.replace("/", ".")
            if _fits(dotted, include) and not _fits(dotted, exclude):
                found.append(dotted)
            pending.append(path)
    return sorted(found)


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


@dataclass
class Distribution:
    """The settings of one call of `setup()`.

    Attributes:
        machine: the machine that carries the call out.
        settings: what is known of the keywords, by name.
        unknown: keywords whose values are not known.
        plain: whether distutils alone carries it out.
    """

    machine: Machine
    settings: dict[str, Any] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    plain: bool = False

    def take_keywords(self, keywords: Mapping[str, AnyValue]) -> None:
        """Take the keywords of the call."""
        for name, value in keywords.items():
            try:
                self.settings[name] = to_python(value)
            except NotKnown:
                self.unknown.add(name)

    def take_project(self) -> None:
        """Read `pyproject.toml`, whose tables fill in what is still open."""
        if self.machine.exists("pyproject.toml", "file") is not True:
            return
        self.machine.access(Operation.READ, as_value("pyproject.toml"), CALL)
        try:
            content = tomllib.loads((self.machine.content("pyproject.toml") or b"").decode("utf-8", "replace"))
        except tomllib.TOMLDecodeError:
            return
        project = content.get("project", {})
        for name, key in (
            ("name", "name"),
            ("version", "version"),
            ("install_requires", "dependencies"),
            ("extras_require", "optional-dependencies"),
            ("entry_points", "scripts"),
        ):
            if project.get(key) and name not in self.unknown:
                self.settings.setdefault(name, project[key])
        readme = project.get("readme")
        readme = readme.get("file") if isinstance(readme, dict) else readme
        if isinstance(readme, str):
            self.machine.access(Operation.READ, as_value(readme), CALL)
        own = content.get("tool", {}).get("setuptools", {})
        for name, key in (
            ("package_dir", "package-dir"),
            ("py_modules", "py-modules"),
            ("package_data", "package-data"),
        ):
            if key in own:
                self.settings.setdefault(name, own[key])
        self.settings.setdefault("include_package_data", own.get("include-package-data", True) if project else False)
        packages = own.get("packages")
        if isinstance(packages, list):
            self.settings.setdefault("packages", packages)
        elif isinstance(packages, dict) and "packages" not in self.settings | dict.fromkeys(self.unknown):
            given = packages.get("find", {})
            where = (given.get("where") or ["."])[0]
            found = packages_below(
                self.machine,
                where,
                given.get("include", ["*"]),
                given.get("exclude", []),
                namespaces=given.get("namespaces", True),
            )
            if where != ".":
                self.settings.setdefault("package_dir", {"": where})
            self._set_packages(found)

    def discover(self) -> None:
        """Look for packages where none are named: below `src`, else the one package beside `setup.py`."""
        if {"packages", "py_modules"} & (set(self.settings) | self.unknown):
            return
        if is_folder(self.machine, self.folder_of("") or "src"):
            where = self.folder_of("") or "src"
            self.settings.setdefault("package_dir", {"": where})
            self._set_packages(packages_below(self.machine, where, namespaces=True))
            return
        others = [*_RESERVED, *(f"{name}.*" for name in _RESERVED)]
        found = packages_below(self.machine, ".", exclude=others, namespaces=True)
        self._set_packages(found if found is None or len({name.split(".")[0] for name in found}) <= 1 else [])

    def _set_packages(self, found: list[str] | None) -> None:
        if found is None:
            self.unknown.add("packages")
        else:
            self.settings["packages"] = found

    def take_configuration(self) -> None:
        """Read `setup.cfg`, whose entries fill in what the keywords leave open."""
        if self.machine.exists("setup.cfg", "file") is not True:
            return
        self.machine.access(Operation.READ, as_value("setup.cfg"), CALL)
        content = self.machine.content("setup.cfg")
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string((content or b"").decode("utf-8", "replace"))
        except configparser.Error:
            return
        sections = {name: dict(parser.items(name)) for name in parser.sections()}
        options = {**sections.get("metadata", {}), **sections.get("options", {})}
        # Where the packages lie comes first, for attributes are looked up there.
        for name, text in sorted(options.items(), key=lambda entry: entry[0] != "package_dir"):
            self._take_entry(name.replace("-", "_"), text, sections)
        for name in ("package_data", "entry_points"):
            section = sections.get(f"options.{name}")
            if section is not None and name not in self.settings:
                self.settings[name] = {("" if key == "*" else key): words_of(text) for key, text in section.items()}
        if sections.get("options.extras_require"):
            self.settings.setdefault("extras_require", sections["options.extras_require"])

    def _take_entry(self, name: str, text: str, sections: Mapping[str, Mapping[str, str]]) -> None:
        kind, sign, rest = text.strip().partition(":")
        value: Any = text.strip()
        if sign and kind == "file":
            for path in words_of(rest):
                self.machine.access(Operation.READ, as_value(path), CALL)
            value = None
        elif sign and kind == "attr":
            value = self._attribute(rest.strip())
        elif name == "packages" and sign and kind in ("find", "find_namespace"):
            given = sections.get("options.packages.find", {})
            where = given.get("where", ".").strip() or "."
            include = words_of(given.get("include", "")) or ["*"]
            value = packages_below(
                self.machine, where, include, words_of(given.get("exclude", "")), namespaces=kind != "find"
            )
        elif name == "package_dir":
            value = dict(pair for line in words_of(text) if len(pair := [x.strip() for x in line.split("=", 1)]) == 2)
        elif name in _LISTS:
            value = words_of(text)
        elif name in ("include_package_data", "zip_safe"):
            value = text.strip().lower() in ("1", "true", "yes")
        if name not in self.settings and name not in self.unknown:
            if value is None and name in ("name", "version", "packages"):
                self.unknown.add(name)
            else:
                self.settings[name] = value

    def _attribute(self, dotted: str) -> Any:
        """The value of `attr: module.NAME`, read from the source of the module."""
        module, _, name = dotted.rpartition(".")
        base = posixpath.join(self.folder_of(""), *module.split("."))
        for path in (f"{base}/__init__.py", f"{base}.py"):
            if self.machine.exists(path, "file") is not True:
                continue
            self.machine.access(Operation.READ, as_value(path), CALL)
            try:
                tree = ast.parse(self.machine.content(path) or b"")
                for node in tree.body:
                    targets = node.targets if isinstance(node, ast.Assign) else []
                    if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                        return ast.literal_eval(node.value)  # type: ignore[attr-defined]
            except (SyntaxError, ValueError):
                return None
        return None

    def folder_of(self, package: str) -> str:
        """The folder of a package, as `package_dir` maps it; the root of the packages for an empty name."""
        mapped: Mapping[str, str] = self.settings.get("package_dir") or {}
        tail: list[str] = []
        parts = package.split(".") if package else []
        while parts:
            if ".".join(parts) in mapped:
                return posixpath.join(mapped[".".join(parts)], *tail)
            tail.insert(0, parts.pop())
        return posixpath.join(mapped.get("", ""), *tail)

    @property
    def name(self) -> str | None:
        """The name; None where it is not known."""
        return None if "name" in self.unknown else str(self.settings.get("name") or "UNKNOWN")

    @property
    def version(self) -> str | None:
        """The version; None where it is not known."""
        return None if "version" in self.unknown else str(self.settings.get("version") or "0.0.0")

    @property
    def file_name(self) -> str:
        """The name as it stands in names of files; a star where it is not known."""
        return "*" if self.name is None else re.sub(r"[^A-Za-z0-9.]+", "-", self.name).replace("-", "_")

    def modules(self) -> list[tuple[str, str]] | None:
        """The files of the packages and modules: where each lies, and its place below the built folder.

        None where the packages are not known.
        """
        if self.unknown & {"packages", "py_modules", "package_dir", "package_data"}:
            return None
        found: list[tuple[str, str]] = []
        data: Mapping[str, Sequence[str]] = self.settings.get("package_data") or {}
        for package in self.settings.get("packages") or ():
            folder = self.folder_of(package)
            inner = package.replace(".", "/")
            names = all_below(self.machine, folder or ".")
            if names is None:
                return None
            patterns = [*data.get("", ()), *data.get("*", ()), *data.get(package, ())]
            for name in names:
                source = posixpath.join(folder, name)
                if is_folder(self.machine, source) or name.endswith(".pyc"):
                    continue
                module = "/" not in name and name.endswith(".py")
                if module or any(_path_fits(name, pattern) for pattern in patterns):
                    found.append((source, f"{inner}/{name}"))
        for name in self.settings.get("py_modules") or ():
            path = name.replace(".", "/") + ".py"
            found.append((posixpath.join(self.folder_of(""), path), path))
        return list(dict.fromkeys(found))


def _path_fits(path: str, pattern: str) -> bool:
    """Whether a relative path fits a glob pattern, whose stars stay within one level."""
    pieces, wanted = path.split("/"), pattern.split("/")
    if "**" in wanted:
        return fnmatchcase(path, pattern.replace("**/", "*"))
    return len(pieces) == len(wanted) and all(map(fnmatchcase, pieces, wanted))
