"""How tools for sources take their command lines, find their settings, and find the files to look at."""

from __future__ import annotations

import configparser
import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskgates.inference.backtracking import affordable
from taskgates.inference.models.files.listings import is_folder, members
from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import below, place_of
from taskgates.inference.paths import split_last
from taskgates.inference.values import AnyValue, Known, path_text
from taskgates.model.access import Operation
from taskgates.tree.toml_source import load_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike

_MOST_FILES = 1500

VERSION_CONTROL = (".git", ".hg", ".svn", ".bzr", "CVS")
CACHES = (".direnv", ".eggs", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".tox",
          ".venv", ".vscode", "__pypackages__", "_build", "buck-out")  # fmt: skip


@dataclass(frozen=True)
class Tool:
    """A tool, as data.

    Attributes:
        name: its name.
        settings: files that its settings may stand in, each with the keys of the table, or the sections of an INI file;
            none of them means that the whole file is meant.
        valued: options that take a value.
        endings: endings of the files that it looks for in folders.
        excluded: names or patterns of files and folders that it does not look into.
        patterns: options, and settings, that add to those; `exclude` replaces them.
        regular: whether the patterns are regular expressions.
        ignore_files: whether `.gitignore` counts: `always`, `repository` (only within one), or empty.
        writes: options with which files are rewritten; `*` for always.
        shows: options with which nothing is written.
        reports: options that name a file to write.
        folders: options that name a folder that reports are written into.
        recursive: options without which folders are not looked into; none where they always are.
        peeks: whether files with other endings are opened to see what they are.
        here: what is looked at where nothing is named.
    """

    name: str
    settings: tuple[tuple[str, tuple[str, ...]], ...] = ()
    valued: frozenset[str] = frozenset()
    endings: tuple[str, ...] = (".py",)
    excluded: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ("exclude", "extend-exclude")
    regular: bool = False
    ignore_files: str = ""
    writes: frozenset[str] = frozenset()
    shows: frozenset[str] = frozenset()
    reports: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    recursive: frozenset[str] = frozenset()
    peeks: bool = False
    here: bool = False


def read_line(tool: Tool, words: Sequence[AnyValue]) -> LooseLine:
    """Take a command line apart."""
    return LooseLine(words, tool.valued | tool.reports | tool.folders, whole=tool.writes | tool.shows)


# Settings


def read_settings(machine: Machine, tool: Tool, line: LooseLine, start: str) -> tuple[dict[str, Any], str]:
    """Read the first file of settings that speaks of a tool, from a folder upwards.

    Returns:
        The settings, and the folder that they count for.
    """
    named = line.text("--config", "--config-file", "--rcfile", "--settings-path", "--sp", "--global-config")
    if named is not None:
        place = str(machine.absolute(named))
        if machine.exists(place, "file") is True:
            machine.access(Operation.READ, Known(place), tool.name)
            return _section(machine, place, _keys(tool, place)) or {}, str(split_last(place)[0])
    if line.flags & {"--isolated", "--no-config"}:
        return {}, start
    folder = start
    while machine.in_tree(folder) is not None:
        for name, keys in tool.settings:
            place = f"{folder}/{name}"
            if machine.exists(place, "file") is not True:
                continue
            machine.access(Operation.READ, Known(place), tool.name)
            found = _section(machine, place, keys)
            if found is not None:
                return found, folder
        if machine.in_tree(folder) == ".":
            break
        folder = str(split_last(folder)[0])
    return {}, start


def _keys(tool: Tool, place: str) -> tuple[str, ...]:
    return next((keys for name, keys in tool.settings if place.endswith(name)), ())


def _section(machine: Machine, place: str, keys: tuple[str, ...]) -> dict[str, Any] | None:
    data = machine.content(place)
    text = data.decode("utf-8", "replace") if data is not None else ""
    if place.endswith(".toml"):
        try:
            found: Any = load_toml(text)
        except ValueError:
            return None
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else None
    if not keys:
        return {}
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    for key in keys:
        if parser.has_section(key):
            return dict(parser.items(key))
    return None


def words_of(value: Any) -> list[str]:
    """A setting that is a list of words."""
    if isinstance(value, list):
        return [str(item) for item in value]
    if isinstance(value, str):
        return [word.strip() for word in re.split(r"[,\n]", re.sub(r"#.*", "", value)) if word.strip()]
    return []


# Files


class Search:
    """The search for files.

    Args:
        machine: the interpreter.
        tool: the tool.
        line: its command line.
        settings: its settings.
        base: the folder that the settings count for.
    """

    def __init__(self, machine: Machine, tool: Tool, line: LooseLine, settings: dict[str, Any], base: str) -> None:
        self.machine = machine
        self._tool = tool
        self._base = base
        self._patterns: list[str] = list(tool.excluded)
        self._expressions: list[str] = []
        self._replaced = False
        for name in tool.patterns:
            key = name.replace("-", "_")
            given = line.texts(f"--{name}")
            setting = settings.get(name, settings.get(key))
            if not given and setting is not None:
                given = [setting] if tool.regular and isinstance(setting, str) else words_of(setting)
            elif not tool.regular:
                given = [word for text in given for word in text.split(",")]
            if given and name == "exclude":
                self._patterns, self._replaced = [], True
            if tool.regular:
                self._expressions += [re.sub(r"\s+", "", text) if "\n" in text else text for text in given]
            else:
                self._patterns += [text.strip() for text in given]
        self._kept: frozenset[str] | None = None
        honoured = tool.ignore_files == "always" or (
            tool.ignore_files == "repository" and machine.exists(f"{machine.root}/.git") is not False
        )
        if honoured and not (self._replaced and tool.regular) and "--no-respect-gitignore" not in line.flags:
            self._kept = frozenset(machine.tree.walk())

    def files(self, words: Iterable[AnyValue], *, recursive: bool = True) -> list[TextLike]:
        """The files that some operands stand for, absolute; a pattern where a folder's content is not known."""
        found: list[TextLike] = []
        for word in words:
            text = path_text(word)
            place = self.machine.absolute(text) if text is not None else place_of(word)
            if not isinstance(place, str):
                matching = self.machine.matching(place)
                found += [f"{self.machine.root}/{one}" for one in matching] if matching else [place]
            elif is_folder(self.machine, place):
                if recursive:
                    self._below(place, found)
            elif text != "-":
                found.append(place)
        return list(dict.fromkeys(found))

    def _below(self, folder: str, found: list[TextLike]) -> None:
        machine = self.machine
        names = members(machine, folder)
        if names is None:
            if machine.exists(folder) is not False and machine.tree.list(machine.in_tree(folder) or ".") != ():
                found.append(place_of(below(folder, "**", "*" + self._tool.endings[0])))
            return
        for name in names:
            place = f"{folder}/{name}"
            if self._is_excluded(name, place) or len(found) > _MOST_FILES:
                continue
            if is_folder(machine, place):
                self._below(place, found)
            elif name.endswith(self._tool.endings):
                if (
                    self._kept is None
                    or machine.in_tree(place) in self._kept
                    or machine.wrote(str(machine.in_tree(place)))
                ):
                    found.append(place)
            elif self._tool.peeks:
                machine.access(Operation.READ, Known(place), self._tool.name)

    def _is_excluded(self, name: str, place: str) -> bool:
        relative = place.removeprefix(self._base + "/")
        for pattern in self._patterns:
            plain = pattern.rstrip("/").removeprefix("./")
            full = plain if plain.startswith("/") else f"{self._base}/{plain}"
            if fnmatch.fnmatch(name, plain) or fnmatch.fnmatch(relative, plain) or fnmatch.fnmatch(place, full):
                return True
        folder = is_folder(self.machine, place)
        shown = f"/{relative}/" if folder else f"/{relative}"
        for expression in self._expressions:
            try:
                if affordable(expression, len(shown)) and re.search(expression, shown):
                    return True
            except re.error:
                continue
        return False
