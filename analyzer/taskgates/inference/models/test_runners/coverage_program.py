"""Coverage: its settings, the files of data and reports, and the sources that reports are made of."""

from __future__ import annotations

import configparser
import fnmatch
import re
from typing import TYPE_CHECKING, Any

from taskgates.inference.models.files.listings import all_below, is_folder
from taskgates.inference.models.system.program_lines import CommandLine
from taskgates.inference.models.system.programs import below, place_of, program, run_target
from taskgates.inference.text import Hole, concat
from taskgates.inference.values import AnyValue, Known, as_value, text_of
from taskgates.model.access import Operation
from taskgates.tree.toml_source import load_toml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine

_LONG = [
    "append", "branch", "concurrency=", "context=", "contexts=", "data-file=", "debug=", "directory=", "fail-under=",
    "format=", "help", "ignore-errors", "include=", "keep", "module", "no-skip-covered", "omit=", "parallel-mode",
    "precision=", "pretty-print", "pylib", "quiet", "rcfile=", "save-signal=", "show-contexts", "show-missing",
    "skip-covered", "skip-empty", "sort=", "source=", "timid", "title=",
]  # fmt: skip
_FILES = {"xml": "coverage.xml", "json": "coverage.json", "lcov": "coverage.lcov"}
_PLACES = (
    (".coveragerc", ""),
    (".coveragerc.toml", ""),
    ("setup.cfg", "coverage:"),
    ("tox.ini", "coverage:"),
    ("pyproject.toml", "coverage"),
)
"""Files of settings in the order in which they are looked at, and how their sections are called."""


class Settings:
    """What the settings of Coverage say.

    Args:
        machine: the interpreter.
        named: the file that the command line names.
    """

    def __init__(self, machine: Machine, named: AnyValue | None = None) -> None:
        self.machine = machine
        self._sections: dict[str, dict[str, Any]] = {}
        given = named if named is not None else machine.env_value("COVERAGE_RCFILE")
        if text_of(given) is not None and text_of(given) != ".coveragerc":
            machine.access(Operation.READ, given, "coverage")
            place = place_of(given)
            self._read(str(place), "coverage" if str(place).endswith("pyproject.toml") else "")
            return
        for name, prefix in _PLACES:
            if machine.exists(name, "file"):
                machine.access(Operation.READ, Known(name), "coverage")
                if self._read(name, prefix):
                    return

    def _read(self, name: str, prefix: str) -> bool:
        data = self.machine.content(name)
        text = data.decode("utf-8", "replace") if data is not None else ""
        if name.endswith(".toml"):
            try:
                found: Any = load_toml(text)
            except ValueError:
                return False
            for key in ("tool", "coverage") if prefix or "[tool.coverage" in text else ():
                found = found.get(key) if isinstance(found, dict) else None
            if not isinstance(found, dict):
                return False
            self._sections = {key: one for key, one in found.items() if isinstance(one, dict)}
            return True
        parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
        try:
            parser.read_string(text)
        except configparser.Error:
            return False
        found = [section for section in parser.sections() if not prefix or section.startswith(prefix)]
        self._sections = {section.removeprefix("coverage:"): dict(parser.items(section)) for section in found}
        return bool(found) or not prefix

    def text(self, section: str, key: str) -> str | None:
        """One setting, where it is text."""
        value = self._sections.get(section, {}).get(key)
        return value if isinstance(value, str) and value else None

    def words(self, section: str, key: str) -> list[str]:
        """A setting that is a list of words."""
        value = self._sections.get(section, {}).get(key)
        if isinstance(value, list):
            return [str(item) for item in value]
        return [word for word in re.split(r"[,\n\s]+", value) if word] if isinstance(value, str) else []

    def flag(self, section: str, key: str) -> bool:
        """Whether a setting is switched on."""
        value = self._sections.get(section, {}).get(key)
        return value is True or (isinstance(value, str) and value.lower() in ("true", "1", "yes", "on"))

    @property
    def data_file(self) -> AnyValue:
        """The file of data."""
        given = self.machine.env_value("COVERAGE_FILE")
        named = given if text_of(given) is not None else Known(self.text("run", "data_file") or ".coverage")
        return as_value(self.machine.absolute(place_of(named)))

    def output(self, kind: str) -> str:
        """Where a report goes that the command line gives no place."""
        if kind in ("html", "annotate"):
            return self.text("html", "directory") or "htmlcov"
        return self.text(kind, "output") or _FILES[kind]


def pieces_of(data: AnyValue) -> AnyValue:
    """The files of data that several processes write beside each other."""
    return as_value(concat(place_of(data), ".", Hole("data", False)))


def read_sources(machine: Machine, settings: Settings, sources: Sequence[str], omitted: Sequence[str] = ()) -> None:
    """Read the sources that a report shows: those below what is measured, or those that ran.

    Args:
        machine: the interpreter.
        settings: the settings.
        sources: folders and packages that are measured, beside those of the settings.
        omitted: patterns of what is left out, beside those of the settings.
    """
    measured = list(sources) or [*settings.words("run", "source"), *settings.words("run", "source_pkgs")]
    patterns = [*omitted, *settings.words("run", "omit"), *settings.words("report", "omit")]
    files: list[str] = []
    for name in measured:
        place = str(machine.absolute(name if is_folder(machine, name) or "/" in name else name.replace(".", "/")))
        found = all_below(machine, place) if is_folder(machine, place) else None
        if found is None:
            machine.access(Operation.READ, below(place, "**", "*.py"), "coverage")
            continue
        closed = {
            path for path in found if is_folder(machine, f"{place}/{path}") and not _is_open(machine, place, path)
        }
        files += [f"{place}/{path}" for path in found if path.endswith(".py") and not _lies_in(path, closed)]
    if not measured:
        ran = [file for file in machine.log.modules if not file.startswith(("/", "<")) and file.endswith(".py")]
        if not ran:
            machine.access(Operation.READ, below(".", "**", "*.py"), "coverage")
        files += [f"{machine.root}/{file}" for file in ran]
    base = str(machine.absolute("."))
    for file in files:
        relative = file.removeprefix(base + "/")
        if not any(fnmatch.fnmatch(relative, one) or fnmatch.fnmatch(file, one) for one in patterns):
            machine.access(Operation.READ, Known(file), "coverage")


def _is_open(machine: Machine, place: str, path: str) -> bool:
    """Whether files in a folder are measured that no test imported: those of packages are."""
    return machine.exists(f"{place}/{path}/__init__.py", "file") is not False


def _lies_in(path: str, folders: set[str]) -> bool:
    parts = path.split("/")
    return any("/".join(parts[:count]) in folders for count in range(1, len(parts)))


def write_report(machine: Machine, settings: Settings, kind: str, place: AnyValue | None) -> None:
    """Write a report of a kind, where the command line or the settings say."""
    target = place if place is not None else Known(settings.output(kind))
    if kind in ("html", "annotate"):
        if kind == "html" or place is not None:
            machine.access(Operation.MKDIR, target, "coverage")
            machine.access(Operation.OVERWRITE, below(target, "**"), "coverage")
    elif text_of(target) != "-":
        machine.access(Operation.OVERWRITE, target, "coverage")


@program("coverage", "coverage.__main__", commands=["coverage", "coverage3"])
def coverage(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`coverage run`, and the reports on what it recorded."""
    if not args or not isinstance(what := text_of(args[0]), str) or what.startswith("-"):
        return
    directory = what in ("html", "annotate")
    run = what == "run"
    line = CommandLine(
        args[1:],
        "apmLhq" if run else ("d:ihq" if directory else "ao:mihq"),
        [*_LONG, *([] if run else ["output-file="])],
        mixed=not run,
        names={"m": "module", "p": "parallel-mode", "a": "append", "d": "directory", "o": "output-file", "h": "help"},
    )
    if line.has("help"):
        return
    settings = Settings(machine, line.last("rcfile"))
    named = line.last("data-file")
    data = as_value(machine.absolute(place_of(named))) if named is not None else settings.data_file
    pieces = pieces_of(data)
    if run:
        run_target(machine, line.operands, module=line.has("module"))
        if line.has("parallel-mode") or settings.flag("run", "parallel"):
            machine.access(Operation.CREATE, pieces, "coverage")
        else:
            machine.access(Operation.UPDATE if line.has("append") else Operation.OVERWRITE, data, "coverage")
        return
    if what == "erase":
        machine.access(Operation.DELETE, data, "coverage")
        machine.access(Operation.DELETE, pieces, "coverage")
        return
    if what == "combine":
        for each in line.operands or [pieces]:
            machine.access(Operation.READ, each, "coverage")
            if not line.has("keep"):
                machine.access(Operation.DELETE, each, "coverage")
        machine.access(Operation.OVERWRITE, data, "coverage")
        return
    if what not in ("report", "html", "annotate", *_FILES):
        return
    machine.access(Operation.READ, data, "coverage")
    omitted = [word for value in line.every("omit") for word in str(text_of(value) or "").split(",") if word]
    read_sources(machine, settings, (), omitted)
    if what == "annotate" and line.last("directory") is None:
        machine.access(Operation.OVERWRITE, below(".", "**", "*.py,cover"), "coverage")
    elif what != "report":
        write_report(machine, settings, what, line.last("directory") if directory else line.last("output-file"))
