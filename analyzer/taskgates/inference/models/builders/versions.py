"""Raising a project's version: bump2version (`bumpversion`) and bump-my-version, by their settings."""

from __future__ import annotations

import configparser
import re
from typing import TYPE_CHECKING, Any

from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.models.task_runners.launching import known_text, read_toml, run_text, run_words, table
from taskgates.inference.paths import join_paths
from taskgates.inference.values import NONE, AnyValue, Known, as_value, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike

_VALUED = frozenset(
    ["--config-file", "--current-version", "--new-version", "--parse", "--serialize", "--search", "--replace",
     "--tag-name", "--tag-message", "-m", "--message", "--commit-args", "--cwd", "--pre-n", "--part", "--format", "-f"]
)  # fmt: skip
_SECTION = re.compile(r"bumpversion:(file|glob)\s*(?:\([^)]*\))?:([^(]+?)\s*(?:\([^)]*\))?")
"""Several sections may speak of one file, told apart by what stands in brackets."""
_OLD = (".bumpversion.cfg", "setup.cfg")
_NEW = (".bumpversion.cfg", ".bumpversion.toml", "setup.cfg", "pyproject.toml")


class Bump:
    """One raising of a version.

    Args:
        machine: the interpreter.
        words: the words behind the program's name.
        new: whether it is bump-my-version.
    """

    def __init__(self, machine: Machine, words: Sequence[AnyValue], *, new: bool) -> None:
        self.machine = machine
        self._new = new
        line = LooseLine(words, _VALUED)
        self._given = dict(line.options)
        self._flags = line.flags
        self._operands = line.operands

    def run(self) -> None:
        """Read the settings, then read and rewrite the files that hold the version."""
        machine = self.machine
        verb = text_of(self._operands[0]) if self._operands else None
        if self._flags & {"-h", "--help", "--version"} or verb is None:
            return
        operands = self._operands[1:]
        if self._new:
            if verb not in ("bump", "replace"):
                self._settings()
                if verb == "sample-config":
                    machine.opaque("bump-my-version sample-config asks where to write")
                return
            # The part comes first; it may be left out where the new version is given.
            if verb == "bump" and operands and machine.exists(place_of(operands[0]), "file") is not True:
                operands = operands[1:]
        place, settings, files = self._settings()
        dry = bool(self._flags & {"-n", "--dry-run"})
        for path in (*files, *operands):
            machine.access(Operation.READ, as_value(place_of(path)), "bumpversion")
            if not dry:
                machine.access(Operation.OVERWRITE, as_value(place_of(path)), "bumpversion")
        if place is not None and not dry:
            machine.access(Operation.OVERWRITE, Known(place), "bumpversion")
        if self._switched("commit", settings) and not dry:
            names = [place_of(path) for path in (*files, *operands)]
            self._git(["git", "add", "--update", *names, *([place] if place is not None else [])])
            self._git(["git", "commit", "-m", "bump"])
            if self._switched("tag", settings):
                self._git(["git", "tag", "v"])
        for key in ("setup_hooks", "pre_commit_hooks", "post_commit_hooks"):
            hooks = settings.get(key)
            if isinstance(hooks, list) and not dry and "--no-configured-hooks" not in self._flags:
                for hook in hooks:
                    run_text(machine, str(hook))

    def _switched(self, name: str, settings: dict[str, Any]) -> bool:
        if f"--no-{name}" in self._flags:
            return False
        return f"--{name}" in self._flags or settings.get(name) is True or str(settings.get(name)).lower() == "true"

    def _git(self, words: list[TextLike]) -> None:
        run_words(self.machine, words)

    def _settings(self) -> tuple[str | None, dict[str, Any], list[AnyValue]]:
        """The file of settings, what it says, and the files that it names."""
        machine = self.machine
        named = text_of(self._given.get("--config-file", NONE))
        for name in [named] if isinstance(named, str) else _NEW if self._new else _OLD:
            if machine.exists(name, "file") is not True:
                continue
            found = self._from_toml(name) if name.endswith(".toml") else self._from_ini(name)
            if found is not None:
                return name, *found
        return None, {}, []

    def _from_ini(self, name: str) -> tuple[dict[str, Any], list[AnyValue]] | None:
        self.machine.access(Operation.READ, Known(name), "bumpversion")
        parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        try:
            parser.read_string(known_text(self.machine, name) or "")
        except configparser.Error:
            return None
        if not parser.has_section("bumpversion"):
            return None
        settings: dict[str, Any] = dict(parser.items("bumpversion"))
        files: list[AnyValue] = []
        for section in parser.sections():
            found = _SECTION.fullmatch(section)
            if found is not None and found[1] == "file":
                files.append(Known(found[2]))
            elif found is not None:
                files += self._matching(found[2])
        files += [Known(one) for one in str(settings.get("files") or "").split()]
        return settings, files

    def _from_toml(self, name: str) -> tuple[dict[str, Any], list[AnyValue]] | None:
        data = read_toml(self.machine, name, "bumpversion")
        settings = table(data, "tool", "bumpversion")
        if not settings:
            return None
        files: list[AnyValue] = []
        for entry in settings.get("files") or ():
            if isinstance(entry, dict) and isinstance(entry.get("filename"), str):
                files.append(Known(entry["filename"]))
            elif isinstance(entry, dict) and isinstance(entry.get("glob"), str):
                files += self._matching(entry["glob"])
        return settings, files

    def _matching(self, pattern: str) -> list[AnyValue]:
        machine = self.machine
        inner = machine.in_tree(join_paths(machine.cwd, pattern))
        return [Known(f"{machine.root}/{path}") for path in machine.tree.glob(inner)] if inner is not None else []


def _bump(*, new: bool) -> Any:
    def run(machine: Machine, args: Sequence[AnyValue]) -> None:
        Bump(machine, args, new=new).run()

    run.__doc__ = "Raises a project's version in the files that the settings name."
    return run


program("bumpversion", commands=["bump2version", "bumpversion"])(_bump(new=False))
program("bumpversion.__main__", commands=["bump-my-version"])(_bump(new=True))
