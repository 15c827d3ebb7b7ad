"""doit's settings files, and the file in which it keeps what it knows of earlier runs."""

from __future__ import annotations

import configparser
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taskgates.inference.models.pipelines.doit_records import earlier_runs
from taskgates.inference.models.system.programs import place_of
from taskgates.inference.objects import ListObj
from taskgates.inference.text import Hole, concat
from taskgates.inference.values import NONE, AnyValue, Known, as_value, text_of
from taskgates.model.access import Operation
from taskgates.tree.toml_source import load_toml

if TYPE_CHECKING:
    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike


def read_settings(machine: Machine) -> dict[str, Any]:
    """What the settings files of the working folder say: `GLOBAL`, and a section for each command."""
    found: dict[str, Any] = {}
    for name in ("pyproject.toml", "doit.cfg"):
        if machine.exists(name, "file") is not True:
            continue
        machine.access(Operation.READ, Known(name), "doit")
        data = machine.content(name)
        if data is not None:
            found.update(_parsed(name, data.decode("utf-8", "replace")))
    return found


def from_setting(value: Any) -> AnyValue:
    """A value of a settings file."""
    if isinstance(value, list):
        return ListObj("list", [from_setting(item) for item in value])
    return Known(value) if isinstance(value, str | int | float | bool) else NONE


def _parsed(name: str, text: str) -> dict[str, Any]:
    """The sections of a settings file: `GLOBAL`, and one for each command."""
    if name.endswith(".toml"):
        try:
            data: Any = load_toml(text)
        except ValueError:
            return {}
        for key in ("tool", "doit"):
            data = data.get(key) if isinstance(data, dict) else None
        if not isinstance(data, dict):
            return {}
        commands = data.pop("commands", {})
        inner = {"GLOBAL": {key: value for key, value in data.items() if key not in ("plugins", "tasks")}}
        return {**inner, **(commands if isinstance(commands, dict) else {})}
    parser = configparser.ConfigParser(allow_no_value=True, delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return {section: dict(parser.items(section)) for section in parser.sections()}


@dataclass
class Database:
    """The file of earlier runs.

    Attributes:
        name: its name.
        backend: `dbm`, `json` or `sqlite3`.
    """

    machine: Machine
    name: AnyValue
    backend: AnyValue | None
    _kept: list[TextLike] = field(default_factory=list)

    def open(self, changes: str = "values") -> bool:
        """Open it; whether there was none before.

        Args:
            changes: what the command does to it: `values` are set, `keys` are removed, or nothing (empty).
        """
        machine, place = self.machine, place_of(self.name)
        if not self._is("dbm"):
            known = machine.exists(place) is not False
            if known or self._is("sqlite3"):
                machine.access(Operation.READ, self.name, "doit")
            if not known and self._is("sqlite3"):
                # The table is made at once.
                machine.access(Operation.OVERWRITE, self.name, "doit")
            return not known
        # The back end decides which files there are; those of an earlier run tell which it is.
        found = {ending for ending in ("", ".db", ".dat", ".dir") if self._is_there(concat(place, ending))}
        if not found:
            files = as_value(concat(place, Hole("data", False)))
            known = self._may_be_there(place)
            if known:
                machine.access(Operation.READ, files, "doit")
            machine.access(Operation.UPDATE if known else Operation.OVERWRITE, files, "doit")
            return not known
        for ending in sorted(found):
            machine.access(Operation.READ, as_value(concat(place, ending)), "doit")
        if ".dat" in found and changes:
            found |= {".dir", ".bak"}
            found -= {".dat"} if changes == "keys" else set()
        if changes == "values" and ".dat" in found:
            # This back end writes what has changed when it is closed.
            self._kept = [concat(place, ending) for ending in sorted(found)]
            return False
        for ending in sorted(found) if changes else ():
            machine.access(Operation.UPDATE, as_value(concat(place, ending)), "doit")
        return False

    def entries(self) -> dict[str, dict[str, Any]] | None:
        """What it says of each task; None where that cannot be known."""
        text = text_of(self.backend) if self.backend is not None else "dbm"
        if not self.machine.closed or not isinstance(text, str):
            return None
        return earlier_runs(self.machine, place_of(self.name), text)

    def close(self, changed: bool | None = True) -> None:
        """Write it.

        Args:
            changed: whether there is anything new; None where that is open.
        """
        if self._is("sqlite3"):
            if changed is not False:
                self.machine.access(Operation.UPDATE, self.name, "doit", conditional=changed is None)
        elif not self._is("dbm"):
            self.machine.access(Operation.OVERWRITE, self.name, "doit")
        for place in self._kept if changed is not False else ():
            self.machine.access(Operation.UPDATE, as_value(place), "doit", conditional=changed is None)

    def _is_there(self, place: TextLike) -> bool:
        found = self.machine.in_tree(place)
        return found is not None and self.machine.tree.kind(found) == "file"

    def _may_be_there(self, place: TextLike) -> bool:
        """Whether there may be one: only doit makes it, whatever else has run."""
        found = self.machine.in_tree(place)
        if found is None:
            return self.machine.exists(place) is not False
        return not self.machine.closed or bool(self.machine.wrote(found))

    def _is(self, kind: str) -> bool:
        text = text_of(self.backend) if self.backend is not None else None
        return kind == (text if isinstance(text, str) else "dbm")


__all__ = ["Database", "from_setting", "read_settings"]
