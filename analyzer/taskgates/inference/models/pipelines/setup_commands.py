"""`setup.py COMMAND`: the commands of setuptools, as far as they read and write the files of the project."""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from taskgates.inference.conversion import NotKnown, to_python
from taskgates.inference.models.files.listings import all_below, is_folder, members
from taskgates.inference.models.pipelines.setup_metadata import CALL, Distribution, packages_below
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.objects import Arguments, DictObj, ListObj
from taskgates.inference.text import Hole, Text, make_text
from taskgates.inference.values import NONE, UNKNOWN, AnyValue, Known, Union, as_value, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_VALUES = {
    "build": ["build-base", "build-lib", "build-temp", "plat-name", "compiler", "executable", "parallel"],
    "build_py": ["build-lib"],
    "build_scripts": ["build-dir", "executable"],
    "clean": ["build-base", "build-lib", "build-temp", "build-scripts", "bdist-base"],
    "egg_info": ["egg-base", "tag-build"],
    "sdist": ["formats", "dist-dir", "template", "manifest", "owner", "group"],
    "bdist_wheel": ["bdist-dir", "dist-dir", "plat-name", "python-tag", "build-number", "py-limited-api"],
}
"""Options of each command that take a value."""
_SHORT = {
    "build": {"b": "build-base", "t": "build-temp", "p": "plat-name", "c": "compiler", "e": "executable"},
    "build_py": {"d": "build-lib"},
    "build_scripts": {"d": "build-dir", "e": "executable"},
    "clean": {"b": "build-base", "t": "build-temp"},
    "egg_info": {"e": "egg-base", "b": "tag-build"},
    "sdist": {"d": "dist-dir", "t": "template", "m": "manifest", "u": "owner", "g": "group"},
    "bdist_wheel": {"b": "bdist-dir", "d": "dist-dir", "p": "plat-name"},
}
_QUIET = frozenset(["-q", "--quiet", "-v", "--verbose", "--no-user-cfg"])
_UNSEEN = frozenset(["clean", "check", "register", "upload", "--help-commands"])
"""Commands that leave the files of the project alone, or take away what was built."""
_ALWAYS = ("README", "README.txt", "README.rst", "README.md", "setup.py", "setup.cfg", "pyproject.toml", "MANIFEST.in")
_LICENCES = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")


@function("setuptools.find_packages", "setuptools.PackageFinder.find")
def find_packages(machine: Machine, args: Arguments) -> AnyValue:
    """`find_packages(where, exclude, include)`: the packages that the tree holds."""
    return _found(machine, args, namespaces=False)


@function("setuptools.find_namespace_packages", "setuptools.PEP420PackageFinder.find")
def find_namespace_packages(machine: Machine, args: Arguments) -> AnyValue:
    """`find_namespace_packages(...)`: folders without `__init__.py` too."""
    return _found(machine, args, namespaces=True)


def _found(machine: Machine, args: Arguments, *, namespaces: bool) -> AnyValue:
    where = args.get(0, "where") or Known(".")
    machine.access(Operation.LIST, where, "setuptools.find_packages")
    folder = text_of(where)
    try:
        exclude = list(to_python(args.get(1, "exclude") or ListObj("list")))
        include = list(to_python(args.get(2, "include") or ListObj("list", [Known("*")])))
    except (NotKnown, TypeError):
        return ListObj("list", (), UNKNOWN)
    found = None
    if isinstance(folder, str):
        found = packages_below(machine, folder.rstrip("/") or ".", include, exclude, namespaces=namespaces)
    return ListObj("list", (), UNKNOWN) if found is None else ListObj("list", [Known(name) for name in found])


@function("distutils.core.setup")
def plain_setup(machine: Machine, args: Arguments) -> AnyValue:
    """`distutils.core.setup(...)`: only the keywords count, and no metadata are left beside the packages.

    Where setuptools is installed, it takes the place of distutils as soon as that is imported.
    """
    folders = machine.environment.site_packages if machine.environment is not None else ()
    return _run(
        machine, args, Distribution(machine, plain=not any((each / "_distutils_hack").is_dir() for each in folders))
    )


@function("setuptools.setup")
def setup(machine: Machine, args: Arguments) -> AnyValue:
    """`setup(...)`: the metadata are gathered, then the commands of the command line run."""
    return _run(machine, args, Distribution(machine))


def _run(machine: Machine, args: Arguments, distribution: Distribution) -> AnyValue:
    distribution.take_keywords(args.kw)
    if not distribution.plain:
        distribution.take_configuration()
        distribution.take_project()
        distribution.discover()
    content = machine.iterate(machine.argv)
    words = [text_of(word) for word in content.items[1:]]
    if content.rest is not None or not all(isinstance(word, str) for word in words):
        machine.opaque("the commands that setup.py is given are not known")
        return UNKNOWN
    commands = _commands([str(word) for word in words])
    if not distribution.plain:
        _read_entry_points(machine)
    own = args.kw.get("cmdclass", NONE)
    for name, options in commands:
        if _overridden(own, name):
            machine.opaque(f"the command {name} of setup.py is a class of the program")
        else:
            Commands(machine, distribution).run(name, options)
    return UNKNOWN


def _read_entry_points(machine: Machine) -> None:
    """Read what distributions in the folder of `setup.py`, which is searched as well, add to setuptools."""
    for name in members(machine, ".") or ():
        if name.endswith(".egg-info"):
            for part in ("PKG-INFO", "entry_points.txt"):
                if machine.exists(f"{name}/{part}", "file") is True:
                    machine.access(Operation.READ, as_value(f"{name}/{part}"), CALL)


def _overridden(classes: AnyValue, name: str) -> bool:
    """Whether the program may have put a class of its own in place of a command."""
    if isinstance(classes, DictObj) and classes.exact:
        return Known(name) in dict(classes.known())
    return not (isinstance(classes, Known) and classes.value is None) and not isinstance(classes, Union)


def _commands(words: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """The commands of a command line, each with its options; none where the program only tells something."""
    found: list[tuple[str, dict[str, str]]] = []
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if not word.startswith("-"):
            found.append((word, {}))
        elif not found:
            if word not in _QUIET:
                return []
        else:
            command, options = found[-1]
            name, sign, value = word.lstrip("-").partition("=")
            if not word.startswith("--"):
                letter, value = word[1:2], word[2:]
                name, sign = _SHORT.get(_family(command), {}).get(letter, letter), value
            if name in _VALUES.get(_family(command), ()) and not sign and pending:
                value = pending.pop(0)
            options[name.replace("_", "-")] = value
    return found


def _family(command: str) -> str:
    """The command whose options a command shares."""
    return "bdist_wheel" if command.startswith("bdist") else command


class Commands:
    """The commands of one distribution."""

    def __init__(self, machine: Machine, distribution: Distribution) -> None:
        self.machine = machine
        self.distribution = distribution

    def run(self, name: str, options: dict[str, str]) -> None:
        """Carry out one command."""
        if name in ("build", "build_py"):
            base = options.get("build-base", "build")
            self.build(options.get("build-lib") or posixpath.join(base, "lib"))
            if name == "build":
                self._build_scripts(posixpath.join(base, "scripts-"), Hole("unknown", slash=False))
        elif name == "build_scripts":
            folder = options.get("build-dir")
            self._build_scripts(folder or "build/scripts-", *(() if folder else [Hole("unknown", slash=False)]))
        elif name == "egg_info":
            self.egg_info(options.get("egg-base"))
        elif name == "sdist":
            self.sdist(options)
        elif name == "develop":
            self.egg_info(None)
        elif name in ("install", "install_lib", "bdist", "bdist_wheel", "bdist_dumb", "bdist_egg"):
            self.bdist(name, options)
        elif name not in _UNSEEN:
            self.machine.opaque(f"the command {name} of setup.py is not followed")

    def _copy(self, source: str, target: str) -> None:
        self.machine.access(Operation.READ, as_value(source), CALL)
        self.machine.access(Operation.OVERWRITE, as_value(target), CALL)

    def build(self, target: str) -> list[str]:
        """`build_py`: the modules and their data are copied; their places in the folder."""
        built: list[str] = []
        modules = self.distribution.modules()
        if modules is None:
            self.machine.access(Operation.OVERWRITE, as_value(Text((target + "/", Hole("glob")))), CALL)
            return []
        if self.distribution.settings.get("include_package_data"):
            modules += [pair for pair in self._listed_data() if pair not in modules]
        if self.distribution.settings.get("ext_modules"):
            self.machine.opaque("extension modules are compiled")
        for source, place in modules:
            self._copy(source, posixpath.join(target, place))
            built.append(place)
        return built

    def _build_scripts(self, *folder: str | Hole) -> None:
        """`build_scripts`: the scripts are copied into a folder, by default one named after the version of Python."""
        for script in self.distribution.settings.get("scripts") or ():
            self.machine.access(Operation.READ, as_value(script), CALL)
            target = make_text((*folder, "/" + posixpath.basename(script)))
            self.machine.access(Operation.OVERWRITE, as_value(target), CALL)

    def _listed_data(self) -> list[tuple[str, str]]:
        """The data in packages that the manifest takes."""
        files = self.egg_info(None)
        found: list[tuple[str, str]] = []
        for package in self.distribution.settings.get("packages") or ():
            folder = self.distribution.folder_of(package)
            for file in files:
                inner = posixpath.relpath(file, folder or ".")
                if not inner.startswith("../") and "egg-info/" not in file:
                    found.append((file, f"{package.replace('.', '/')}/{inner}"))
        return found

    def egg_info(self, base: str | None) -> list[str]:
        """`egg_info`: the metadata are written; the files that belong to a source distribution."""
        given = self.distribution
        if given.plain:
            return self.manifest()
        folder = posixpath.join(base or given.folder_of("") or "", f"{given.file_name}.egg-info")
        written = ["PKG-INFO", "dependency_links.txt", "top_level.txt"]
        if given.settings.get("install_requires") or given.settings.get("extras_require"):
            written.append("requires.txt")
        if given.settings.get("entry_points"):
            written.append("entry_points.txt")
        for name in (*written, "SOURCES.txt"):
            self.machine.access(Operation.OVERWRITE, as_value(self._path(folder, name)), CALL)
        # The list of sources begins with what an earlier run has left.
        self.machine.access(Operation.READ, as_value(self._path(folder, "SOURCES.txt")), CALL)
        return [*self.manifest(), *(posixpath.join(folder, name) for name in sorted([*written, "SOURCES.txt"]))]

    def _path(self, folder: str, name: str) -> str | Text:
        if self.distribution.name is not None:
            return posixpath.join(folder, name)
        head, _, tail = posixpath.join(folder, name).partition("*")
        return Text(tuple(piece for piece in (head, Hole("unknown", slash=False), tail) if piece != ""))

    def manifest(self) -> list[str]:
        """The files of a source distribution: what always belongs to it, then what `MANIFEST.in` says."""
        names = members(self.machine, ".") or []
        everything = [path for path in all_below(self.machine, ".") or [] if not is_folder(self.machine, path)]
        licences = self.distribution.settings.get("license_files") or _LICENCES
        chosen = [name for name in _ALWAYS if name in names]
        chosen += [name for name in names if _fits_any(name, licences)]
        chosen += [source for source, _ in self.distribution.modules() or ()]
        chosen += list(self.distribution.settings.get("scripts") or ())
        for entry in self.distribution.settings.get("data_files") or ():
            chosen += [entry] if isinstance(entry, str) else list(entry[1])
        chosen += [path for path in everything if fnmatchcase(path, "test/test*.py")]
        if "MANIFEST.in" in names:
            self.machine.access(Operation.READ, as_value("MANIFEST.in"), CALL)
            text = (self.machine.content("MANIFEST.in") or b"").decode("utf-8", "replace")
            for line in text.replace("\\\n", " ").splitlines():
                chosen = _manifest_line(line.partition("#")[0].split(), chosen, everything)
        kept = [path for path in dict.fromkeys(chosen) if path.split("/")[0] not in ("build", ".git")]
        return [path for path in kept if ".egg-info/" not in path]

    def sdist(self, options: dict[str, str]) -> None:
        """`sdist`: a tree of copies, which goes into an archive and away again."""
        files = self.egg_info(None)
        name, version = self.distribution.file_name, self.distribution.version
        if version is None or self.distribution.name is None:
            target = options.get("dist-dir", "dist") + "/"
            self.machine.access(Operation.OVERWRITE, as_value(Text((target, Hole("unknown", slash=False)))), CALL)
            return
        base = f"{name if name != '*' else ''}-{version}"
        for file in files:
            self._copy(file, f"{base}/{file}")
        for extra in ("PKG-INFO", "setup.cfg"):
            self.machine.access(Operation.OVERWRITE, as_value(f"{base}/{extra}"), CALL)
        for file in dict.fromkeys([*files, "PKG-INFO", "setup.cfg"]):
            self.machine.access(Operation.READ, as_value(f"{base}/{file}"), CALL)
        endings = {"gztar": ".tar.gz", "bztar": ".tar.bz2", "xztar": ".tar.xz", "tar": ".tar", "zip": ".zip"}
        for shape in options.get("formats", "gztar").split(","):
            archive = posixpath.join(options.get("dist-dir", "dist"), base + endings.get(shape, ".tar.gz"))
            self.machine.access(Operation.OVERWRITE, as_value(archive), CALL)

    def bdist(self, name: str, options: dict[str, str]) -> None:
        """`bdist_*` and `install`: what is built, its metadata, and the archive that holds both."""
        built = self.build("build/lib")
        written = [path for path in self.egg_info(None) if ".egg-info/" in path and "*" not in path]
        for path in (*(f"build/lib/{place}" for place in built), *written):
            self.machine.access(Operation.READ, as_value(path), CALL)
        if name.startswith("install"):
            return
        kind = {"bdist_wheel": "wheel", "bdist_egg": "egg"}.get(name, "dumb")
        inner = Text(("build/bdist.", Hole("unknown", slash=False), f"/{kind}/", Hole("glob")))
        self.machine.access(Operation.OVERWRITE, as_value(inner), CALL)
        self.machine.access(Operation.READ, as_value(inner), CALL)
        known = self.distribution.name is not None and self.distribution.version is not None
        head = posixpath.join(options.get("dist-dir", "dist"), "")
        stem = f"{self.distribution.file_name}-{self.distribution.version}" if known else ""
        archive: str | Text
        if name == "bdist_wheel" and known and not self.distribution.settings.get("ext_modules"):
            archive = f"{head}{stem}-{options.get('python-tag', 'py3')}-none-any.whl"
        else:
            archive = Text((head + stem, Hole("unknown", slash=False)))
        self.machine.access(Operation.OVERWRITE, as_value(archive), CALL)


def _fits_any(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _within(path: str, pattern: str) -> bool:
    """Whether a path fits a pattern of a manifest, whose stars stay within one level."""
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)


def _manifest_line(words: Sequence[str], chosen: list[str], everything: Sequence[str]) -> list[str]:
    """What one line of `MANIFEST.in` makes of the files chosen so far."""
    if len(words) < 2:
        return chosen
    action, first, rest = words[0], words[1].strip("/"), words[2:]

    def below(path: str) -> bool:
        return path.startswith(first + "/")

    def named(path: str, patterns: Iterable[str]) -> bool:
        return _fits_any(path.rsplit("/", 1)[-1], patterns)

    if action == "include":
        return chosen + [path for path in everything if any(_within(path, word) for word in words[1:])]
    if action == "exclude":
        return [path for path in chosen if not any(_within(path, word) for word in words[1:])]
    if action == "recursive-include":
        return chosen + [path for path in everything if below(path) and named(path, rest)]
    if action == "recursive-exclude":
        return [path for path in chosen if not (below(path) and named(path, rest))]
    if action == "global-include":
        return chosen + [path for path in everything if named(path, words[1:])]
    if action == "global-exclude":
        return [path for path in chosen if not named(path, words[1:])]
    if action == "graft":
        return chosen + [path for path in everything if below(path)]
    if action == "prune":
        return [path for path in chosen if not below(path)]
    return chosen
