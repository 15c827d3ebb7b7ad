"""The pytest program: its settings, the collection of test files, and the files that pytest itself keeps."""

from __future__ import annotations

import configparser
import fnmatch
import shlex
from typing import TYPE_CHECKING, Any

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.files.listings import is_folder, members
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import below, place_of, program
from taskgates.inference.models.test_runners.coverage_program import Settings as Coverage
from taskgates.inference.models.test_runners.coverage_program import pieces_of, read_sources, write_report
from taskgates.inference.models.test_runners.pytest_items import Item, attempt_hook, run_item
from taskgates.inference.models.test_runners.testing import (
    attempt,
    attribute_of,
    cases_of_class,
    is_case,
    run_cases,
)
from taskgates.inference.models.test_runners.unittest_loading import add_search_folder
from taskgates.inference.objects import Arguments, ClassV, FunctionV, Instance, ListObj, ModuleV
from taskgates.inference.recording import TEMPORARY
from taskgates.inference.values import INT, NONE, AnyValue, Known, TupleV, path_text, text_of
from taskgates.model.access import Operation
from taskgates.tree.toml_source import load_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NOT_ENTERED = ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}", "__pycache__")
_VALUED = frozenset(
    [
        "--basetemp",
        "--capture",
        "--color",
        "--confcutdir",
        "--cov-append",
        "--cov-config",
        "--cov-context",
        "--cov-fail-under",
        "--cov-report",
        "--deselect",
        "--dist",
        "--doctest-glob",
        "--durations",
        "--durations-min",
        "--html",
        "--ignore",
        "--ignore-glob",
        "--import-mode",
        "--junit-prefix",
        "--junit-xml",
        "--junitxml",
        "--last-failed-no-failures",
        "--lfnf",
        "--log-cli-level",
        "--log-file",
        "--log-file-level",
        "--log-level",
        "--maxfail",
        "--numprocesses",
        "--override-ini",
        "--pythonwarnings",
        "--rootdir",
        "--tb",
        "--timeout",
        "--verbosity",
        "-c",
        "-W",
        "-k",
        "-m",
        "-n",
        "-o",
        "-p",
        "-r",
    ]
)


class Settings:
    """What a command line and the ini file say."""

    def __init__(self, machine: Machine, words: Sequence[AnyValue]) -> None:
        self.line = _line(words)
        self.ini = _read_ini(machine, self.line.texts("-c", "--config-file"))
        extra = self.ini.get("addopts")
        if extra:
            before = extra if isinstance(extra, list) else _split(extra)
            self.line = _line([*map(Known, before), *words])
        for changed in self.line.texts("-o", "--override-ini"):
            key, _, value = changed.partition("=")
            self.ini[key] = value

    def words(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """An ini option that is a list of words."""
        value = self.ini.get(name)
        if value is None:
            return list(default)
        return value.split() if isinstance(value, str) else value


def _line(words: Sequence[AnyValue]) -> LooseLine:
    return LooseLine(words, _VALUED, optional=("--cov",))


def _read_ini(machine: Machine, named: Sequence[str]) -> dict[str, str | list[str]]:
    """Read the first settings file that speaks of pytest, as pytest looks for it."""
    for name in named or ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"):
        if not machine.exists(name, "file"):
            continue
        machine.access(Operation.READ, Known(name), "pytest")
        content = machine.content(name)
        if content is None:
            continue
        found = _section(name.rpartition("/")[2], content.decode("utf-8", "replace"))
        if found is not None:
            return found
    return {}


def _section(name: str, text: str) -> dict[str, str | list[str]] | None:
    if name.endswith(".toml"):
        try:
            data: Any = load_toml(text)
        except ValueError:
            return None
        for key in ("tool", "pytest", "ini_options"):
            data = data.get(key) if isinstance(data, dict) else None
        if not isinstance(data, dict):
            return None
        return {key: [str(v) for v in value] if isinstance(value, list) else str(value) for key, value in data.items()}
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    section = "tool:pytest" if name == "setup.cfg" else "pytest"
    if parser.has_section(section):
        return dict(parser.items(section))
    return {} if name in ("pytest.ini", ".pytest.ini") else None


class Session:
    """One run of pytest."""

    def __init__(self, machine: Machine, settings: Settings) -> None:
        self.machine = machine
        self.settings = settings
        self.root = str(machine.absolute("."))
        self.base = f"{TEMPORARY}/pytest"
        named = settings.line.last("--basetemp")
        if named is not None:
            self.base = str(machine.absolute(place_of(named)))
            machine.access(Operation.DELETE, below(self.base, "**"), "pytest")
        self.loaded: dict[str, ModuleV | None] = {}
        self.ignored = [str(machine.absolute(each)) for each in settings.line.texts("--ignore")]
        self.ignored_patterns = [str(machine.absolute(each)) for each in settings.line.texts("--ignore-glob")]

    # Collection

    def files(self, place: str) -> Iterator[str]:
        """The test files below a folder, in pytest's order: files of a folder and its folders by name."""
        machine = self.machine
        patterns = self.settings.words("python_files", ("test_*.py", "*_test.py"))
        closed = self.settings.words("norecursedirs", _NOT_ENTERED)
        machine.access(Operation.LIST, Known(place), "pytest")
        names = members(machine, place)
        if names is None:
            if machine.exists(place) is not False:
                machine.opaque("tests are looked for in a folder whose content is not known")
            return
        for name in sorted(names, key=lambda each: (is_folder(machine, f"{place}/{each}"), each)):
            path = f"{place}/{name}"
            if path in self.ignored or any(fnmatch.fnmatch(path, each) for each in self.ignored_patterns):
                continue
            if is_folder(machine, path):
                entered = not any(fnmatch.fnmatch(name, each) for each in (*closed, "__pycache__"))
                if entered and not machine.exists(f"{path}/pyvenv.cfg"):
                    yield from self.files(path)
            elif any(fnmatch.fnmatch(name, each) for each in patterns):
                yield path

    def load(self, file: str) -> ModuleV | None:
        """Import a test file or a conftest by its path; None when that fails."""
        if file in self.loaded:
            return self.loaded[file]
        machine = self.machine
        place = machine.in_tree(file)
        if place is None:
            return None
        folder, _, base = file.rpartition("/")
        names = [base.removesuffix(".py")]
        while machine.exists(f"{folder}/__init__.py") and "/" in folder:
            folder, _, package = folder.rpartition("/")
            names.insert(0, package)
        add_search_folder(machine, folder)
        dotted = ".".join(names)
        self.loaded[file] = None
        # Read as data: its assertions are rewritten before it runs.
        machine.access(Operation.READ, Known(file), "pytest")
        try:
            if len(names) > 1:
                machine.import_module(".".join(names[:-1]))
            present = machine.modules.get(dotted)
            if isinstance(present, ModuleV) and present.file == place:
                self.loaded[file] = present
                return present
            module = ModuleV(dotted, place, ".".join(names[:-1]))
            machine.modules[dotted] = module
            machine.run_module(module, dotted)
        except AbstractRaise:
            return None
        self.loaded[file] = module
        return module

    def conftests(self, file: str) -> list[ModuleV]:
        """The conftest modules that apply to a file, nearest first."""
        found: list[ModuleV] = []
        folder = file.rpartition("/")[0]
        folders = [folder]
        while folder.startswith(self.root + "/"):
            folder = folder.rpartition("/")[0]
            folders.append(folder)
        for each in reversed(folders):
            if self.machine.exists(f"{each}/conftest.py", "file"):
                module = self.load(f"{each}/conftest.py")
                if module is not None:
                    found.insert(0, module)
        return found

    # Running

    def run_file(self, file: str, chosen: Sequence[str] = ()) -> None:
        """Run the tests of a file, or only `Class`, `Class::method`, `function` of it."""
        conftests = self.conftests(file)
        module = self.load(file)
        if module is None or "--collect-only" in self.settings.line.flags:
            return
        attempt_hook(self.machine, _function(module.slots.get("setup_module") or module.slots.get("setUpModule")))
        for name, value in list(module.slots.items()):
            if not isinstance(name, str) or (chosen and chosen[0].partition("[")[0] != name):
                continue
            inner = chosen[1].partition("[")[0] if len(chosen) > 1 else None
            if is_case(value):
                self._case(value, inner)
            elif isinstance(value, ClassV):
                if self._named("python_classes", ("Test",), name) and attribute_of(value, "__init__") is None:
                    self._class(value, module, conftests, inner)
            elif (
                isinstance(value, FunctionV)
                and self._named("python_functions", ("test",), name)
                and self._selected(module, name)
            ):
                run_item(self.machine, Item(value, None, module, tuple(conftests), self.base))
        attempt_hook(self.machine, _function(module.slots.get("teardown_module") or module.slots.get("tearDownModule")))

    def _case(self, cls: AnyValue, inner: str | None) -> None:
        assert isinstance(cls, ClassV)
        cases: list[Instance] = [
            case
            for case in cases_of_class(self.machine, cls)
            if inner is None or text_of(case.slots["_testMethodName"]) == inner
        ]
        run_cases(self.machine, cases)

    def _class(self, cls: ClassV, module: ModuleV, conftests: Sequence[ModuleV], inner: str | None) -> None:
        machine = self.machine
        if attribute_of(cls, "setup_class") is not None:
            attempt(machine, machine.get_attr(cls, "setup_class"))
        seen: set[str] = set()
        for base in reversed(cls.mro):
            for name in base.slots if isinstance(base, ClassV) else ():
                if not isinstance(name, str) or name in seen or (inner is not None and name != inner):
                    continue
                value = attribute_of(cls, name)
                if isinstance(value, FunctionV) and self._named("python_functions", ("test",), name):
                    seen.add(name)
                    if self._selected(module, f"{cls.name}::{name}"):
                        run_item(machine, Item(value, cls, module, tuple(conftests), self.base))
        if attribute_of(cls, "teardown_class") is not None:
            attempt(machine, machine.get_attr(cls, "teardown_class"))

    def _named(self, option: str, default: Sequence[str], name: str) -> bool:
        return any(
            name.startswith(each) or ("*" in each and fnmatch.fnmatch(name, each))
            for each in self.settings.words(option, default)
        )

    def _selected(self, module: ModuleV, name: str) -> bool:
        """Whether `-k` and `--deselect` leave a test; an expression decides only where it is a single word."""
        words = self.settings.line.texts("-k")
        identifier = f"{module.file}::{name}"
        if any(identifier.startswith(each) for each in self.settings.line.texts("--deselect")):
            return False
        for word in words:
            negated = word.startswith("not ")
            single = word.removeprefix("not ").strip()
            if single.replace("_", "a").isalnum() and (single.lower() in identifier.lower()) is negated:
                return False
        return True

    # Its own files

    def keep(self) -> None:
        """What pytest and its common plugins write when the tests are over."""
        machine, settings = self.machine, self.settings
        if "no:cacheprovider" not in settings.line.texts("-p"):
            self._cache()
        for name in ("--junit-xml", "--junitxml", "--html", "--log-file"):
            for value in settings.line.every(name)[-1:]:
                machine.access(Operation.OVERWRITE, value, "pytest")
        if "--cov" in settings.line.flags and "--no-cov" not in settings.line.flags:
            self._coverage()

    def _coverage(self) -> None:
        """The data and reports of pytest-cov: every process writes data of its own, which is put together."""
        machine, settings = self.machine, self.settings
        named = settings.line.texts("--cov-config")[-1:]
        own = Coverage(machine, Known(named[0]) if named else None)
        data = own.data_file
        for place in (pieces_of(data), data):
            machine.access(Operation.OVERWRITE, place, "pytest-cov")
            machine.access(Operation.READ, place, "pytest-cov")
        reports = settings.line.texts("--cov-report")
        if reports == [""]:
            return
        read_sources(machine, own, [name for name in settings.line.texts("--cov") if name] or self._measured(own))
        for report in reports:
            kind, _, target = report.partition(":")
            if kind in ("html", "annotate", "xml", "json", "lcov"):
                write_report(machine, own, kind, Known(target) if target else None)

    @staticmethod
    def _measured(settings: Coverage) -> list[str]:
        """What `--cov` alone measures: what the settings say, or everything."""
        return [] if settings.words("run", "source") or settings.words("run", "source_pkgs") else ["."]

    def _cache(self) -> None:
        machine = self.machine
        folders = self.settings.words("cache_dir", (".pytest_cache",))
        folder = folders[0] if folders else ".pytest_cache"
        around = folder.rstrip("/").rpartition("/")[0] or "."
        if not machine.exists(folder, "folder"):
            for name in ("README.md", ".gitignore", "CACHEDIR.TAG"):
                machine.access(Operation.CREATE, below(folder, name), "pytest")
                # Made aside and then renamed, by newer versions.
                machine.access(
                    Operation.CREATE, below(around, "pytest-cache-files-*", name), "pytest", conditional=True
                )
        for name in ("v/cache/lastfailed", "v/cache/nodeids"):
            if machine.exists(f"{folder}/{name}", "file"):
                machine.access(Operation.READ, below(folder, name), "pytest")
        machine.access(Operation.OVERWRITE, below(folder, "v/cache/nodeids"), "pytest")
        # Written only when a test failed, or had failed before.
        machine.access(Operation.OVERWRITE, below(folder, "v/cache/lastfailed"), "pytest", conditional=True)


def _function(value: AnyValue | None) -> AnyValue | None:
    return value if isinstance(value, FunctionV) else None


@program("pytest", "py.test", commands=["pytest", "py.test"])
def pytest(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`pytest [OPTION...] [FILE|FOLDER|FILE::TEST...]`."""
    settings = Settings(machine, args)
    if settings.line.flags & {"--help", "-h", "--version", "-V"}:
        return
    for folder in settings.words("pythonpath"):
        add_search_folder(machine, folder)
    session = Session(machine, settings)
    places: list[AnyValue] = settings.line.operands
    if not places:
        places = [Known(each) for each in settings.words("testpaths", ()) if machine.exists(each) is not False]
    for place in places or [Known(".")]:
        text = path_text(place)
        if not isinstance(text, str):
            machine.opaque("pytest is told to run tests that are not known")
            continue
        path, *chosen = text.split("::")
        full = str(machine.absolute(path))
        if is_folder(machine, full):
            for file in list(session.files(full)):
                session.run_file(file)
        elif machine.exists(full, "file"):
            session.run_file(full, chosen)
    session.keep()


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


@function("pytest.main")
def pytest_main(machine: Machine, args: Arguments) -> AnyValue:
    """`pytest.main(args)`."""
    given = args.get(0, "args")
    if given is None or given == NONE:
        content = machine.iterate(machine.argv)
        words = list(content.items[1:])
    elif isinstance(given, ListObj | TupleV):
        words = list(given.items)
    else:
        words = [given]
    pytest(machine, words)
    return INT


__all__ = ["Session", "Settings", "pytest", "pytest_main"]
