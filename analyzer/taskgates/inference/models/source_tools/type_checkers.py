"""mypy and Pylint: checkers that look at the modules that others import, too."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Any

from taskgates.inference.models.source_tools.discovery import (
    VERSION_CONTROL,
    Search,
    Tool,
    read_line,
    read_settings,
    words_of,
)
from taskgates.inference.models.system.programs import below, program
from taskgates.inference.values import AnyValue, Known, as_value, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.models.system.program_lines import LooseLine
    from taskgates.inference.text import TextLike

_REPORTS = {
    "any-exprs": ("any-exprs.txt", "types-of-anys.txt"), "cobertura-xml": ("cobertura.xml",), "html": ("**",),
    "linecount": ("linecount.txt",), "linecoverage": ("coverage.json",), "lineprecision": ("lineprecision.txt",),
    "txt": ("index.txt",), "xml": ("**",), "xslt-html": ("**",), "xslt-txt": ("index.txt",),
}  # fmt: skip
MYPY = Tool(
    "mypy",
    settings=(("mypy.ini", ("mypy",)), (".mypy.ini", ("mypy",)), ("pyproject.toml", ("tool", "mypy")),
              ("setup.cfg", ("mypy",))),
    valued=frozenset(
        ["-O", "--output", "--config-file", "--follow-imports", "--python-executable", "--python-version", "--platform",
         "--always-true", "--always-false", "--disable-error-code", "--enable-error-code", "--cache-dir",
         "--custom-typing-module", "--custom-typeshed-dir", "--shadow-file", "-n", "--num-workers", "--junit-format",
         "--find-occurrences", "--exclude", "-m", "--module", "-p", "--package", "-c", "--command",
         "--enable-incomplete-feature", "--untyped-calls-exclude", "--deprecated-calls-exclude"]
    ),
    endings=(".py", ".pyi"),
    excluded=(".*", "__pycache__", "site-packages", "node_modules"),
    patterns=("exclude",),
    regular=True,
    reports=frozenset(["--junit-xml"]),
    folders=frozenset(f"--{name}-report" for name in _REPORTS),
)  # fmt: skip
PYLINT = Tool(
    "pylint",
    settings=(("pylintrc", ()), ("pylintrc.toml", ()), (".pylintrc", ()), (".pylintrc.toml", ()),
              ("pyproject.toml", ("tool", "pylint")), ("setup.cfg", ("pylint", "pylint.MASTER", "pylint.MAIN"))),
    valued=frozenset(
        ["--rcfile", "--init-hook", "--errors-only", "--ignore", "--ignore-patterns", "--ignore-paths",
         "--load-plugins", "--fail-under", "--fail-on", "--disable", "-d", "--enable", "-e", "--output-format", "-f",
         "--msg-template", "-j", "--jobs", "--reports", "-r", "--score", "-s", "--source-roots",
         "--recursive", "--max-line-length", "--py-version", "--persistent",
         "--extension-pkg-allow-list", "--good-names", "--confidence"]
    ),
    excluded=(*VERSION_CONTROL, "__pycache__"),
    patterns=("ignore", "ignore-patterns", "ignore-paths"),
    reports=frozenset(["--output"]),
)  # fmt: skip


class Modules:
    """The modules of the tree that some files import, followed without running anything.

    Args:
        machine: the interpreter.
        roots: where modules are looked for; absolute.
        stubs: whether a stub beside a module takes its place.
    """

    def __init__(self, machine: Machine, roots: list[str], *, stubs: bool) -> None:
        self.machine = machine
        self._roots = list(dict.fromkeys(roots))
        self._endings = (".pyi", ".py") if stubs else (".py",)
        self.found: dict[str, None] = {}

    def follow(self, files: Sequence[str]) -> None:
        """Add files, and what they import."""
        pending = list(files)
        while pending:
            file = pending.pop()
            if file in self.found or len(self.found) > 2000:
                continue
            self.found[file] = None
            data = self.machine.content(file)
            if data is None:
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    tree = ast.parse(data)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
            for name in _imported(tree, self._package(file)):
                pending += self.places(name)

    def _package(self, file: str) -> list[str]:
        folder = file.rpartition("/")[0]
        parts: list[str] = []
        while self.machine.exists(f"{folder}/__init__.py", "file") is True and "/" in folder:
            folder, _, name = folder.rpartition("/")
            parts.insert(0, name)
        return parts

    def places(self, name: str) -> list[str]:
        """The files of a module and of the packages around it, where these are in the tree."""
        for root in self._roots:
            found: list[str] = []
            parts = name.split(".")
            for count in range(1, len(parts) + 1):
                base = "/".join([root, *parts[:count]])
                place = next(
                    (one for one in [f"{base}/__init__{end}" for end in self._endings]
                     + [f"{base}{end}" for end in self._endings]
                     if self.machine.in_tree(one) is not None and self.machine.exists(one, "file") is True),
                    None,
                )  # fmt: skip
                if place is not None:
                    found.append(place)
            if found:
                return found
        return []


def _imported(tree: ast.Module, package: list[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{name}.{alias.name}" if name else alias.name


def _roots(machine: Machine, files: Sequence[TextLike], extra: Sequence[str]) -> list[str]:
    """The working folder, those that the settings name, and the folders above the packages of the files."""
    roots = [str(machine.absolute(".")), *(str(machine.absolute(one)) for one in extra)]
    for file in files:
        if isinstance(file, str):
            folder = file.rpartition("/")[0]
            while machine.exists(f"{folder}/__init__.py", "file") is True and "/" in folder:
                folder = folder.rpartition("/")[0]
            roots.append(folder)
    return roots


def _files(machine: Machine, tool: Tool, line: LooseLine, settings: dict[str, Any], base: str) -> list[TextLike]:
    operands = list(line.operands)
    names = line.texts("-m", "--module", "-p", "--package")
    if not operands and not names and tool is MYPY:
        operands = [Known(f"{base}/{one}") for one in words_of(settings.get("files"))]
        names = [*words_of(settings.get("packages")), *words_of(settings.get("modules"))]
    for name in names:
        place = f"{machine.absolute('.')}/{name.replace('.', '/')}"
        operands.append(Known(place if machine.exists(place, "folder") is True else f"{place}.py"))
    if tool is PYLINT:
        operands = [_as_path(machine, word) for word in operands]
    return Search(machine, tool, line, settings, base).files(operands)


def _as_path(machine: Machine, word: AnyValue) -> AnyValue:
    """A module's name as the path of the module."""
    text = text_of(word)
    if not isinstance(text, str) or machine.exists(text) is True:
        return word
    place = text.replace(".", "/")
    if machine.exists(place, "folder") is True:
        return Known(place)
    return Known(f"{place}.py") if machine.exists(f"{place}.py", "file") is True else word


@program("mypy", "mypy.__main__", commands=["mypy"])
def mypy(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`mypy FILE...`."""
    line = read_line(MYPY, args)
    if line.flags & {"-h", "--help", "-V", "--version"}:
        return
    settings, base = read_settings(machine, MYPY, line, str(machine.absolute(".")))
    files = _files(machine, MYPY, line, settings, base)
    environment = text_of(machine.env_value("MYPYPATH"))
    extra = [*words_of(settings.get("mypy_path")), *(environment.split(":") if isinstance(environment, str) else ())]
    modules = Modules(machine, _roots(machine, files, extra), stubs=True)
    modules.follow([file for file in files if isinstance(file, str)])
    every: list[TextLike] = [*modules.found, *(file for file in files if not isinstance(file, str))]
    for file in every:
        machine.access(Operation.READ, as_value(file), "mypy")
    cache = line.text("--cache-dir") or settings.get("cache_dir") or ".mypy_cache"
    if str(cache) not in ("/dev/null", "nul"):
        machine.access(Operation.OVERWRITE, below(str(machine.absolute(str(cache))), "**"), "mypy")
        machine.access(Operation.READ, below(str(machine.absolute(str(cache))), "**", "*.db"), "mypy")
    for name, made in _REPORTS.items():
        folder = line.text(f"--{name}-report") or settings.get(f"{name.replace('-', '_')}_report")
        for file in made if isinstance(folder, str) else ():
            machine.access(Operation.OVERWRITE, below(str(folder), file), "mypy")
    junit = line.text("--junit-xml") or settings.get("junit_xml")
    if isinstance(junit, str):
        machine.access(Operation.OVERWRITE, Known(junit), "mypy")


@program("pylint", "pylint.__main__", commands=["pylint"])
def pylint(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`pylint MODULE...`."""
    line = read_line(PYLINT, args)
    if line.flags & {"-h", "--help", "--version", "--list-msgs", "--generate-rcfile", "--list-msgs-enabled"}:
        return
    settings, base = read_settings(machine, PYLINT, line, str(machine.absolute(".")))
    files = _files(machine, PYLINT, line, settings, base)
    modules = Modules(machine, _roots(machine, files, ()), stubs=False)
    modules.follow([file for file in files if isinstance(file, str)])
    every: list[TextLike] = [*modules.found, *(file for file in files if not isinstance(file, str))]
    for file in every:
        machine.access(Operation.READ, as_value(file), "pylint")
    output = line.text("--output")
    if output is not None:
        machine.access(Operation.OVERWRITE, Known(output), "pylint")
