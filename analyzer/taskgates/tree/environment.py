"""The Python environment that a repository's code would run in, found and read as data; nothing is executed.

Layouts: virtual environments after https://docs.python.org/3/library/venv.html (`pyvenv.cfg`), installations with
`lib/pythonX.Y` (POSIX, also Debian's `dist-packages`) or `Lib` (Windows), `.pth` files after
https://docs.python.org/3/library/site.html, editable installs by path line or by setuptools' finder modules.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import sys
import sysconfig
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSIONED = re.compile(r"python(\d+)\.(\d+)")
_REQUIREMENT = re.compile(r"Requires-Dist:\s*([\w.-]+)")
_DATA_LIMIT = 1 << 20
_PTH_LIMIT = 1 << 16


class EnvironmentNotFoundError(Exception):
    """The path given as the Python environment is none."""


class Environment(msgspec.Struct, frozen=True):
    """Where an environment keeps its modules and scripts. All paths are absolute.

    Attributes:
        prefix: the environment's folder.
        origin: how it was found, for people: `--python`, `.venv`, `VIRTUAL_ENV`, `running interpreter`.
        version: the Python version as (major, minor), if known.
        stdlib: the folder of the standard library, if found.
        site_packages: the folders of installed packages, in the order of `sys.path`.
        extra_paths: the folders that `.pth` files add.
        editable: packages that setuptools' editable finders map to a folder or file.
        scripts: the folder of console scripts, if found.
    """

    prefix: Path
    origin: str
    version: tuple[int, int] | None = None
    stdlib: Path | None = None
    site_packages: tuple[Path, ...] = ()
    extra_paths: tuple[Path, ...] = ()
    editable: dict[str, Path] = {}
    scripts: Path | None = None

    @property
    def search_path(self) -> tuple[Path, ...]:
        """What `sys.path` holds behind the script's folder: standard library, installed packages, `.pth` additions."""
        stdlib = () if self.stdlib is None else (self.stdlib, self.stdlib / "lib-dynload")
        return (*stdlib, *self.site_packages, *self.extra_paths)

    def fingerprint(self) -> str:
        """A digest that changes when packages come or go: the folders and their modification times."""
        hasher = blake2b(digest_size=16)
        for folder in self.search_path:
            try:
                stamp = str(folder.stat().st_mtime_ns)
            except OSError:
                stamp = "-"
            hasher.update(f"{folder}\0{stamp}\n".encode("utf-8", "surrogateescape"))
        return hasher.hexdigest()

    def entry_point(self, name: str) -> str | None:
        """The `module:function` behind an installed console script, or None."""
        for metadata in self._distributions():
            text = read_text(metadata / "entry_points.txt", _DATA_LIMIT)
            target = console_script(text, name) if text and name in text else None
            if target is not None:
                return target
        return None

    def entry_points(self, group: str) -> dict[str, str]:
        """What the installed distributions offer in a group of entry points: `module:object` by name.

        See https://packaging.python.org/en/latest/specifications/entry-points/.
        """
        found: dict[str, str] = {}
        for metadata in self._distributions():
            text = read_text(metadata / "entry_points.txt", _DATA_LIMIT)
            if not text or group not in text:
                continue
            parser = _entry_points(text)
            if parser is None or not parser.has_section(group):
                continue
            for name, value in parser.items(group):
                target = clean_target(value or "")
                if target is not None:
                    found.setdefault(name, target)
        return found

    def distribution_version(self, name: str) -> str | None:
        """The version of an installed distribution, or None where there is none of that name."""
        wanted = _normalised(name)
        for metadata in self._distributions():
            title, separator, version = metadata.stem.rpartition("-")
            if separator and metadata.suffix == ".dist-info" and _normalised(title) == wanted:
                return version
        return None

    def companions(self, module: str) -> set[str]:
        """The top-level modules that the distribution behind a program installs; without the program none.

        Args:
            module: the top-level module that one of the distribution's entry points names, or the name of a script
                without an entry point that it installs.
        """
        metadata = self._behind(module)
        return set() if metadata is None else _top_level(metadata)

    def requirements(self, module: str, size: int) -> set[str]:
        """The top-level modules of the small distributions that the one behind a program requires.

        Args:
            module: the program's module or script, as for `companions`.
            size: how many bytes of Python source a distribution may hold; larger ones are left out.
        """
        metadata = self._behind(module)
        text = read_text(metadata / "METADATA", _DATA_LIMIT) if metadata is not None else None
        wanted = {
            _normalised(match[1])
            for line in (text or "").partition("\n\n")[0].splitlines()
            if "extra ==" not in line and (match := _REQUIREMENT.match(line)) is not None
        }
        found: set[str] = set()
        for other in self._distributions() if wanted else ():
            if _normalised(other.stem.rpartition("-")[0]) in wanted and _source_size(other) <= size:
                found |= _top_level(other)
        return found

    def _behind(self, module: str) -> Path | None:
        """The metadata folder of the distribution that has entry points in a module of its own, or has a script."""
        for metadata in self._distributions():
            text = read_text(metadata / "entry_points.txt", _DATA_LIMIT)
            if text and module in text and module in _top_level(metadata):
                return metadata
        place = f"/{self.scripts.name}/{module}," if self.scripts is not None and self.script(module) else ""
        for metadata in self._distributions() if place else ():
            if place in (read_text(metadata / "RECORD", _DATA_LIMIT) or ""):
                return metadata
        return None

    def _distributions(self) -> list[Path]:
        """The metadata folders of the installed distributions, in the order of `sys.path`."""
        return [
            metadata
            for folder in (*self.site_packages, *self.extra_paths)
            for metadata in _subfolders(folder, (".dist-info", ".egg-info"))
        ]

    def script(self, name: str) -> Path | None:
        """The Python source that is installed as a command of its own, without an entry point, if there is one."""
        place = self.scripts / name if self.scripts is not None and "/" not in name else None
        text = read_text(place, _DATA_LIMIT) if place is not None else None
        first = text.partition("\n")[0] if text else ""
        return place if first.startswith("#!") and "python" in first else None


def find_environment(root: Path, python: str | None = None, environ: Mapping[str, str] | None = None) -> Environment:
    """The environment that the code under `root` runs in.

    Args:
        root: the repository.
        python: an interpreter or the folder of an environment, absolute or relative to the working directory, or the
            name of an interpreter on the PATH; the first choice where given.
        environ: environment variables; those of the process by default.

    Returns:
        The first of: `python`, `.venv` or `venv` under the root, VIRTUAL_ENV, the interpreter that runs taskgates.

    Raises:
        EnvironmentNotFoundError: `python` names neither an interpreter nor an environment.
    """
    if python is not None:
        given = Path(python).expanduser()
        if len(given.parts) == 1 and "\0" not in python and not given.exists():
            given = Path(shutil.which(python) or python)
        found = _at(given.absolute(), "--python")
        if found is None:
            raise EnvironmentNotFoundError(
                f"{python}: no Python environment there; name an interpreter or a folder with a pyvenv.cfg"
            )
        return found
    for name in (".venv", "venv"):
        found = _virtual(root.absolute() / name, name)
        if found is not None:
            return found
    active = (os.environ if environ is None else environ).get("VIRTUAL_ENV")
    if active:
        found = _virtual(Path(active).absolute(), "VIRTUAL_ENV")
        if found is not None:
            return found
    return _running()


def console_script(text: str, name: str) -> str | None:
    """Look a script up in the text of an `entry_points.txt` (or the same syntax elsewhere)."""
    parser = _entry_points(text)
    if parser is None:
        return None
    for section in ("console_scripts", "gui_scripts"):
        if parser.has_option(section, name):
            # A key without a value is read as None, which the parser's type does not tell.
            return clean_target(parser.get(section, name) or "")
    return None


def _entry_points(text: str) -> ConfigParser | None:
    """The groups of an `entry_points.txt`; None where it cannot be read."""
    parser = ConfigParser(delimiters=("=",), interpolation=None, strict=False, allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except (ConfigParserError, ValueError):
        return None
    return parser


def _normalised(name: str) -> str:
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _top_level(metadata: Path) -> set[str]:
    """The top-level modules of a distribution, as its `top_level.txt` or else its `RECORD` tells."""
    listed = read_text(metadata / "top_level.txt", _DATA_LIMIT)
    if listed is not None:
        return set(listed.split())
    found: set[str] = set()
    for line in (read_text(metadata / "RECORD", _DATA_LIMIT) or "").splitlines():
        path = line.partition(",")[0]
        head, separator, _ = path.partition("/")
        if separator and head.isidentifier() and path.endswith(".py"):
            found.add(head)
        elif not separator and head.endswith(".py"):
            found.add(head.removesuffix(".py"))
    return found


def _source_size(metadata: Path) -> int:
    """The bytes of Python source that a distribution's `RECORD` lists."""
    total = 0
    for line in (read_text(metadata / "RECORD", _DATA_LIMIT) or "").splitlines():
        path, _, rest = line.partition(",")
        size = rest.rpartition(",")[2]
        if path.endswith(".py") and size.isdigit():
            total += int(size)
    return total


def clean_target(target: str) -> str | None:
    """An object reference without its extras (`pkg.cli:main [extra]`), or None where it is no such reference."""
    match = re.fullmatch(r"\s*([\w.]+)\s*(?::\s*([\w.]+))?\s*(?:\[.*\])?\s*", target)
    if match is None:
        return None
    return f"{match[1]}:{match[2]}" if match[2] else match[1]


def read_text(path: Path, limit: int) -> str | None:
    """The text of a small regular file; None where there is none."""
    try:
        if not path.is_file() or path.stat().st_size > limit:
            return None
        return path.read_text("utf-8", "replace")
    except (OSError, ValueError):
        return None


def _at(path: Path, origin: str) -> Environment | None:
    """The environment of an interpreter or folder that the user named."""
    try:
        if path.is_dir():
            return _virtual(path, origin) or _installation(path, None, origin)
        if not path.is_file() and not path.is_symlink():
            return None
        if "python" not in path.name.lower() and "pypy" not in path.name.lower():
            return None
        virtual = _virtual(path.parent.parent, origin) or _virtual(path.parent, origin)
        if virtual is not None:
            return virtual
        real = path.resolve()
        virtual = _virtual(real.parent.parent, origin)
        if virtual is not None:
            return virtual
        match = _VERSIONED.search(real.name)
        version = (int(match[1]), int(match[2])) if match else None
        prefix = real.parent if os.name == "nt" else real.parent.parent
        return _installation(prefix, version, origin)
    except (OSError, ValueError, RuntimeError):
        return None


def _virtual(prefix: Path, origin: str) -> Environment | None:
    text = read_text(prefix / "pyvenv.cfg", _DATA_LIMIT)
    if text is None:
        return None
    settings: dict[str, str] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator:
            settings[key.strip().lower()] = value.strip()
    match = re.match(r"(\d+)\.(\d+)", settings.get("version_info") or settings.get("version") or "")
    own = _library_folders(prefix)
    version = (int(match[1]), int(match[2])) if match else next(iter(own), None)
    sites = _sites(prefix, version)
    base = _installation(Path(settings["home"]).parent, version, origin) if settings.get("home") else None
    if base is None and settings.get("home"):
        base = _installation(Path(settings["home"]), version, origin)
    if base is not None and settings.get("include-system-site-packages", "").lower() == "true":
        sites = (*sites, *base.site_packages)
    stdlib = base.stdlib if base is not None else None
    return _environment(prefix, origin, version, stdlib, sites)


def _installation(prefix: Path, version: tuple[int, int] | None, origin: str) -> Environment | None:
    """A Python that is no virtual environment: its folder holds a standard library."""
    candidates = {found: folder for found, folder in _library_folders(prefix).items() if (folder / "os.py").is_file()}
    if version is None or version not in candidates:
        if version is not None and candidates:
            return None
        version = next(iter(candidates), version)
    stdlib = candidates.get(version) if version else None
    if stdlib is None:
        stdlib = next((folder for folder in (prefix / "Lib",) if (folder / "os.py").is_file()), None)
    if stdlib is None:
        return None
    return _environment(prefix, origin, version, stdlib, _sites(prefix, version))


def _running() -> Environment:
    paths = sysconfig.get_paths()
    sites = tuple(dict.fromkeys(Path(paths[key]) for key in ("purelib", "platlib")))
    version = (sys.version_info.major, sys.version_info.minor)
    prefix = Path(sys.prefix)
    sites = (*sites, *(site for site in _sites(prefix, version) if site not in sites))
    return _environment(prefix, "running interpreter", version, Path(paths["stdlib"]), sites)


def _environment(
    prefix: Path, origin: str, version: tuple[int, int] | None, stdlib: Path | None, sites: tuple[Path, ...]
) -> Environment:
    extra, editable = _path_files(sites)
    scripts = next((prefix / name for name in ("bin", "Scripts") if (prefix / name).is_dir()), None)
    return Environment(prefix, origin, version, stdlib, sites, extra, editable, scripts)


def _library_folders(prefix: Path) -> dict[tuple[int, int], Path]:
    """The `lib/pythonX.Y` folders by version, newest first."""
    found: dict[tuple[int, int], Path] = {}
    for library in ("lib", "lib64"):
        try:
            names = sorted(os.listdir(prefix / library))  # noqa: PTH208 - names only
        except (OSError, ValueError):
            continue
        for name in names:
            match = _VERSIONED.fullmatch(name) or re.fullmatch(r"pypy(\d+)\.(\d+)", name)
            if match:
                found.setdefault((int(match[1]), int(match[2])), prefix / library / name)
    return dict(sorted(found.items(), reverse=True))


def _sites(prefix: Path, version: tuple[int, int] | None) -> tuple[Path, ...]:
    candidates: list[Path] = []
    if version is not None:
        name = f"python{version[0]}.{version[1]}"
        candidates += [
            prefix / "local" / "lib" / name / "dist-packages",
            prefix / "lib" / name / "site-packages",
            prefix / "lib64" / name / "site-packages",
            prefix / "lib" / f"pypy{version[0]}.{version[1]}" / "site-packages",
            prefix / "lib" / f"python{version[0]}" / "dist-packages",
        ]
    candidates.append(prefix / "Lib" / "site-packages")
    found: dict[Path, Path] = {}
    for candidate in candidates:
        try:
            if candidate.is_dir():
                found.setdefault(candidate.resolve(), candidate)
        except (OSError, RuntimeError):
            continue
    return tuple(found.values())


def _path_files(sites: tuple[Path, ...]) -> tuple[tuple[Path, ...], dict[str, Path]]:
    extra: dict[Path, None] = {}
    editable: dict[str, Path] = {}
    for site in sites:
        try:
            files = sorted(path for path in site.glob("*.pth") if not path.name.startswith("."))
        except OSError:
            continue
        for file in files:
            for line in (read_text(file, _PTH_LIMIT) or "").splitlines():
                text = line.strip()
                if not text or text.startswith("#"):
                    continue
                if text.startswith(("import ", "import\t")):
                    match = re.match(r"import\s+(__editable__\w+_finder)\b", text)
                    if match:
                        editable.update(_finder_mapping(site / f"{match[1]}.py"))
                    continue
                try:
                    folder = Path(os.path.normpath(site / text))
                    if folder.is_dir() and folder not in sites:
                        extra[folder] = None
                except (OSError, ValueError):
                    continue
    return tuple(extra), editable


def _finder_mapping(path: Path) -> dict[str, Path]:
    """The `MAPPING` of names to places that setuptools writes into an editable finder module, read as a literal."""
    text = read_text(path, _DATA_LIMIT)
    if text is None:
        return {}
    try:
        for statement in ast.parse(text).body:
            targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
            if not any(isinstance(target, ast.Name) and target.id == "MAPPING" for target in targets):
                continue
            value = ast.literal_eval(statement.value)  # type: ignore[attr-defined]
            if isinstance(value, dict):
                return {
                    key: Path(item) for key, item in value.items() if isinstance(key, str) and isinstance(item, str)
                }
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError, AttributeError):
        pass
    return {}


def _subfolders(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    try:
        return [folder / name for name in sorted(os.listdir(folder)) if name.endswith(suffixes)]  # noqa: PTH208
    except (OSError, ValueError):
        return []
