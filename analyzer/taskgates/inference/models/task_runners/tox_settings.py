"""tox's settings: the files that they stand in, factors, and what is substituted in them."""

from __future__ import annotations

import configparser
import itertools
import re
from typing import TYPE_CHECKING, Any

from taskgates.inference.models.task_runners.launching import climb, known_text, read_toml, table
from taskgates.inference.paths import split_last
from taskgates.inference.values import Known
from taskgates.model.access import Operation
from taskgates.tree.toml_source import load_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from taskgates.inference.models.registry import Machine

_FILES = ("tox.ini", "setup.cfg", "pyproject.toml", "tox.toml")
_ALIASES = {
    "changedir": "change_dir", "setenv": "set_env", "envlist": "env_list", "skipsdist": "no_package",
    "toxworkdir": "work_dir", "whitelist_externals": "allowlist_externals", "basepython": "base_python",
    "usedevelop": "use_develop", "envdir": "env_dir", "passenv": "pass_env", "toxinidir": "tox_root",
    "envname": "env_name", "envtmpdir": "env_tmp_dir", "envlogdir": "env_log_dir", "envbindir": "env_bin_dir",
    "envpython": "env_python", "envsitepackagesdir": "env_site_packages_dir",
}  # fmt: skip
_FACTORS = re.compile(r"^((?:!?[\w.{},-]+,?\s*)+):\s+(.*)$", re.DOTALL)
_REFERENCE = re.compile(r"(?<!\\)\{((?:[^{}\\]|\\.)*)\}")
_PASSES = 30
MOST_NAMES = 400
"""Environments that a list with braces is spelled out to."""


class SettingsError(Exception):
    """There are no settings, or none that can be read; the message says why."""


class Settings:
    """What the settings of a project say.

    Attributes:
        folder: where they stand; absolute.
        core: settings of tox itself.
    """

    def __init__(self, folder: str, core: Mapping[str, Any], base: Mapping[str, Any]) -> None:
        self.folder = folder
        self.core = dict(core)
        self._base = dict(base)
        self._own: dict[str, dict[str, Any]] = {}
        self._sections: dict[str, dict[str, Any]] = {}

    def add(self, name: str, section: Mapping[str, Any]) -> None:
        """Add the settings of one environment."""
        self._own.setdefault(name, {}).update(section)

    def add_section(self, name: str, section: Mapping[str, Any]) -> None:
        """Add a section that others may refer to."""
        self._sections[name] = dict(section)

    def section(self, name: str) -> dict[str, Any]:
        """A section that is referred to; empty where there is none."""
        return self._sections.get(name, {})

    @property
    def listed(self) -> list[str]:
        """The environments that run where none is named."""
        found = self.core.get("env_list", "")
        if isinstance(found, str):
            return expanded(found)
        return [str(name) for name in found if isinstance(name, str)] if isinstance(found, list) else []

    @property
    def named(self) -> list[str]:
        """Every environment that is spoken of."""
        return list(dict.fromkeys([*self.listed, *self._own]))

    def environment(self, name: str) -> dict[str, Any]:
        """The settings of an environment over those of all."""
        own = self._own.get(name, {})
        inherited = own.get("base")
        merged = dict(self._base)
        for other in inherited if isinstance(inherited, list) else ():
            merged.update(self._own.get(str(other), {}))
        return {**merged, **own}

    def labelled(self, label: str) -> list[str]:
        """The environments of a label."""
        found = self.core.get("labels", "")
        if isinstance(found, dict):
            return [str(name) for name in found.get(label, ())]
        for line in str(found).splitlines():
            name, sign, names = line.partition("=")
            if sign and name.strip() == label:
                return expanded(names)
        return []


def read_settings(machine: Machine, named: str | None) -> Settings:
    """Read the settings of the project around the working folder, or those of a file.

    Raises:
        SettingsError: there are none.
    """
    place = str(machine.absolute(named)) if named is not None else None
    if place is not None and machine.exists(place, "folder") is True:
        place = next((f"{place}/{name}" for name in _FILES if machine.exists(f"{place}/{name}", "file") is True), None)
    for name in _FILES if named is None else ():
        found = climb(machine, [name])
        if found is not None and _speaks_of_tox(machine, found):
            place = found
            break
    if place is None or machine.exists(place, "file") is not True:
        raise SettingsError("tox: there are no settings")
    folder = str(split_last(place)[0])
    if place.endswith(".toml"):
        data = read_toml(machine, place, "tox")
        if place.endswith("pyproject.toml"):
            data = table(data, "tool", "tox")
            legacy = data.get("legacy_tox_ini")
            if isinstance(legacy, str):
                return _from_ini(folder, legacy, "")
        return _from_toml(folder, data)
    machine.access(Operation.READ, Known(place), "tox")
    return _from_ini(folder, known_text(machine, place) or "", "tox:" if place.endswith("setup.cfg") else "")


def _speaks_of_tox(machine: Machine, place: str) -> bool:
    text = known_text(machine, place) or ""
    if place.endswith("setup.cfg"):
        return "[tox:tox]" in text
    if place.endswith("pyproject.toml"):
        try:
            return bool(table(load_toml(text), "tool", "tox"))
        except ValueError:
            return False
    return True


def _from_ini(folder: str, text: str, prefix: str) -> Settings:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True, comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise SettingsError("tox: the settings cannot be read") from error
    sections = {name: _normal(dict(parser.items(name))) for name in parser.sections()}
    settings = Settings(folder, sections.get(f"{prefix}tox", {}), sections.get("testenv", {}))
    for name, section in sections.items():
        settings.add_section(name, section)
        if name.startswith("testenv:"):
            for each in expanded(name.removeprefix("testenv:")):
                settings.add(each, section)
    return settings


def _from_toml(folder: str, data: Mapping[str, Any]) -> Settings:
    core = _normal({key: value for key, value in data.items() if key not in ("env", "env_run_base")})
    settings = Settings(folder, core, _normal(table(data, "env_run_base")))
    for name, section in table(data, "env").items():
        if isinstance(section, dict):
            settings.add(name, _normal(section))
    return settings


def _normal(section: Mapping[str, Any]) -> dict[str, Any]:
    return {_ALIASES.get(key, key): value for key, value in section.items()}


def expanded(text: str) -> list[str]:
    """The names in a list with braces: `py{39,310}-{a,b}, lint`."""
    made: list[str] = []
    for line in re.split(r"[\n,](?![^{]*\})", re.sub(r"#.*", "", text)):
        word = line.strip()
        if not word:
            continue
        pieces = re.split(r"\{([^{}]*)\}", word)
        choices = [[piece] if index % 2 == 0 else piece.split(",") for index, piece in enumerate(pieces)]
        products = itertools.islice(itertools.product(*choices), MOST_NAMES)
        made += ["".join(part.strip() for part in parts) for parts in products]
    return list(dict.fromkeys(made))


def for_factors(text: str, name: str) -> str:
    """The lines of a setting that hold for an environment, after its factors."""
    factors = set(name.split("-")) | {name}
    kept: list[str] = []
    for line in text.splitlines():
        found = _FACTORS.match(line.strip())
        if found is None or not _is_condition(found[1]):
            kept.append(line)
        elif any(_holds(one, factors) for one in expanded(found[1])):
            kept.append(found[2])
    return "\n".join(kept)


def _is_condition(text: str) -> bool:
    return "/" not in text and not text.strip().startswith("{")


def _holds(condition: str, factors: set[str]) -> bool:
    parts = condition.replace("!", "-!").strip("-").split("-")
    return all((part[1:] not in factors) if part.startswith("!") else part in factors for part in parts if part)


def substituted(text: str, resolve: Callable[[str], str | None]) -> str:
    """Replace the references in braces, innermost first; one that nothing is known of stays as it is."""
    for _ in range(_PASSES):
        changed = _REFERENCE.sub(lambda found: _resolved(found, resolve), text)
        if changed == text:
            break
        text = changed
    return text.replace("\\{", "{").replace("\\}", "}")


def _resolved(found: re.Match[str], resolve: Callable[[str], str | None]) -> str:
    value = resolve(found[1])
    return found[0] if value is None else value


def commands_in(text: str) -> list[str]:
    """The commands of a setting: one a line, joined where a line ends in a backslash."""
    lines: list[str] = []
    pending = ""
    for line in text.splitlines():
        stripped = line.strip()
        if not pending and (not stripped or stripped.startswith("#")):
            continue
        if stripped.endswith("\\"):
            pending += stripped[:-1] + " "
            continue
        lines.append(pending + stripped)
        pending = ""
    return [*lines, *([pending] if pending.strip() else [])]


def is_true(value: Any) -> bool:
    """Whether a setting is switched on."""
    return value is True or (isinstance(value, str) and value.strip().lower() in ("true", "1", "yes", "on"))


def words_of(value: Any) -> Sequence[str]:
    """A list of words, one a line where it is text."""
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return [line.strip() for line in value.splitlines() if line.strip()] if isinstance(value, str) else ()
