"""Settings from every place, the stronger over the weaker, with all errors at once.

Weakest first: defaults; `[tool.taskgates]` in `pyproject.toml`, then `taskgates.toml`; the JSON file
`.claude/config/parallel-execution.json`; environment variables; the command line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

from taskgates.config.model import Config, ConfigError, ConfigProblem, Origin
from taskgates.config.settings import SETTINGS, Setting
from taskgates.config.toml_positions import KeyPath, toml_positions
from taskgates.model.spans import SourceSpan
from taskgates.tree.json_source import JsonNode, parse_json
from taskgates.tree.text_source import TextSource, TextSyntaxError
from taskgates.tree.toml_source import load_toml
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT = "pyproject.toml"
TOML_FILE = "taskgates.toml"
JSON_FILE = ".claude/config/parallel-execution.json"

_OriginOf = Callable[[KeyPath], Origin]
"""The place of a key by its path in the document."""

_FILE_LIMIT = 4 << 20
_TABLE = ("tool", "taskgates")
_TOML_PLACE = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


def load_config(
    root: Path,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    config_file: Path | None = None,
) -> Config:
    """Read the settings for a repository.

    Args:
        root: the repository.
        overrides: values from the command line by dotted name (`scan.select`); None as a value means not given.
        environ: environment variables; none by default.
        config_file: read instead of the files of the same format that would be found under the root. TOML holds the
            settings in `[tool.taskgates]`, or at the top where there is no such table.

    Returns:
        Every setting, with its origin.

    Raises:
        ConfigError: with everything that is wrong, in all places together.
    """
    tree = Tree(root)
    layers = _Layers(tree.root)
    named_json = config_file is not None and config_file.suffix.lower() == ".json"
    if config_file is not None and not named_json:
        layers.add_named(config_file)
    else:
        for file in (PYPROJECT, TOML_FILE):
            layers.add_file(file, _read(tree, file))
    if config_file is not None and named_json:
        layers.add_named(config_file)
    else:
        layers.add_file(JSON_FILE, _read(tree, JSON_FILE))
    layers.add_environment(environ or {})
    layers.add_overrides(overrides or {})
    return layers.result()


def _read(tree: Tree, file: str) -> bytes | str | None:
    """The content of a file under the root, what is wrong with it, or None where there is none."""
    kind = tree.kind(file)
    if kind is None:
        return None
    data = tree.read_bytes(file, _FILE_LIMIT)
    return data if data is not None else f"cannot be read as a file of at most {_FILE_LIMIT >> 20} MB"


class _Layers:
    """Values by setting, each layer over the ones before; problems of all of them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._by_name = {setting.name: setting for setting in SETTINGS}
        self._values: dict[str, object] = {}
        self._origins: dict[str, Origin] = {}
        self._problems: list[ConfigProblem] = []

    def result(self) -> Config:
        self._check_effects()
        if self._problems:
            raise ConfigError(tuple(self._problems))
        config = Config(origins=dict(sorted(self._origins.items())))
        grouped: dict[str, dict[str, object]] = {}
        for name, value in self._values.items():
            group, _, key = name.rpartition(".")
            grouped.setdefault(group, {})[key] = value
        changes = grouped.pop("", {})
        for group, values in grouped.items():
            changes[group] = msgspec.structs.replace(getattr(config, group), **values)
        return msgspec.structs.replace(config, **changes)

    def add_named(self, path: Path) -> None:
        """The file that the user named."""
        try:
            if path.stat().st_size > _FILE_LIMIT:
                content: bytes | str = f"larger than {_FILE_LIMIT >> 20} MB"
            else:
                content = path.read_bytes()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            content = f"cannot be read: {reason}"
        try:
            shown = path.absolute().relative_to(self._root).as_posix()
        except ValueError:
            shown = path.as_posix()
        self.add_file(shown, content)

    def add_file(self, file: str, content: bytes | str | None) -> None:
        """A configuration file: its bytes, the reason why there are none, or None where it does not exist."""
        if content is None:
            return
        if isinstance(content, str):
            self._complain(content, Origin("file", "", SourceSpan(file)))
            return
        try:
            if file.lower().endswith(".json"):
                self._add_json(parse_json(file, content))
            else:
                self._add_toml(file, TextSource.decode(file, content))
        except TextSyntaxError as error:
            self._complain(error.message, Origin("file", "", error.span))

    def add_environment(self, environ: Mapping[str, str]) -> None:
        """The variables that have a setting; an empty one counts as unset."""
        for setting in SETTINGS:
            text = environ.get(setting.variable, "").strip() if setting.variable else ""
            if text:
                self._set(setting, _from_text(text), Origin("variable", setting.variable or ""))

    def add_overrides(self, overrides: Mapping[str, object]) -> None:
        """The options of the command line."""
        for name, value in overrides.items():
            setting = self._by_name.get(name)
            if setting is None:
                message = f"there is no setting {name!r}{_suggestion(name, self._by_name)}"
                self._complain(message, Origin("option", "--" + name))
            elif value is not None:
                self._set(setting, value, Origin("option", setting.option))

    # ---- files --------------------------------------------------------------------------------------------------

    def _add_toml(self, file: str, source: TextSource) -> None:
        try:
            document = load_toml(source.text)
        except ValueError as error:
            self._complain(*_toml_error(source, error))
            return
        table: object = document
        base: KeyPath = ()
        for key in _TABLE:
            table = table.get(key) if isinstance(table, dict) else None
            base = (*base, key)
        if table is None:
            if file.rpartition("/")[2] == PYPROJECT:
                return
            table, base = document, ()
        places = toml_positions(source.text)

        def origin(path: KeyPath) -> Origin:
            while path not in places and path:
                path = path[:-1]
            start, end = places.get(path, (0, 0))
            return Origin("file", source.text[start:end], source.span(start, end))

        if not isinstance(table, dict):
            self._complain("[tool.taskgates] must be a table", origin(base))
            return
        self._add_table(table, base, "", origin)

    def _add_table(self, table: Mapping[str, object], base: KeyPath, group: str, origin: _OriginOf) -> None:
        groups = {setting.group for setting in SETTINGS if setting.group}
        reachable = [setting for setting in SETTINGS if group in ("", setting.group)]
        known = {setting.json_name: setting for setting in reachable if setting.json_name}
        known |= {setting.key: setting for setting in reachable}
        for key, value in table.items():
            path = (*base, key)
            name = key.replace("-", "_")
            if not group and name in groups:
                if isinstance(value, dict):
                    self._add_table(value, path, name, origin)
                else:
                    self._complain(f"{key} must be a table of settings", origin(path))
            elif name in known:
                self._set(known[name], value, origin(path))
            else:
                where = f" in [{group}]" if group else ""
                names = {*known, *(groups if not group else ())}
                self._complain(f"unknown key {key!r}{where}{_suggestion(name, names)}", origin(path))

    def _add_json(self, node: JsonNode) -> None:
        if not isinstance(node.value, dict):
            self._complain(f"must be an object with settings, not {node.type_name}", Origin("file", "", node.span))
            return
        known = {setting.json_name: setting for setting in SETTINGS if setting.json_name}
        repeated = {id(member) for member in node.duplicates}
        for member in node.members:
            origin = Origin("file", member.key, member.key_span)
            if id(member) in repeated:
                self._complain(f"the key {member.key!r} stands here twice", origin)
            elif member.key in known:
                self._set(known[member.key], member.node.value, origin)
            elif member.key != "$schema":
                self._complain(f"unknown key {member.key!r}{_suggestion(member.key, known)}", origin)

    # ---- values -------------------------------------------------------------------------------------------------

    def _set(self, setting: Setting, raw: object, origin: Origin) -> None:
        try:
            value = setting.convert(raw)
        except (ValueError, OverflowError):
            name = origin.name.strip("\"'") + " " if origin.source == "file" else ""
            self._complain(f"{name}must be {setting.expects}, not {_shown(raw)}", origin)
            return
        self._values[setting.name] = value
        self._origins[setting.name] = origin

    def _check_effects(self) -> None:
        origin = self._origins.get("effects", Origin())
        files = self._values.get("effects", ())
        for file in files if isinstance(files, tuple) else ():
            try:
                path = self._root / str(file)
                found = path.is_file() or path.is_dir()
            except (OSError, ValueError):
                found = False
            if not found:
                self._complain(f"effects names {file!r}, but there is no such file or folder below the root", origin)

    def _complain(self, message: str, origin: Origin) -> None:
        self._problems.append(ConfigProblem(message, origin))


def _from_text(text: str) -> object:
    """A variable's value: a number where it reads as one."""
    for parse in (int, float):
        try:
            return parse(text)
        except ValueError:
            continue
    return text


def _suggestion(name: str, names: Iterable[str]) -> str:
    close = get_close_matches(name, sorted(names), n=1) or sorted(known for known in names if known.startswith(name))
    return f" (did you mean {close[0]!r}?)" if close else f"; known are {', '.join(sorted(names))}"


def _shown(raw: object) -> str:
    text = repr(list(raw) if isinstance(raw, tuple) else raw)
    return text if len(text) <= 60 else text[:57] + "..."


def _toml_error(source: TextSource, error: ValueError) -> tuple[str, Origin]:
    """The decoder's message without the place in it, and the place."""
    match = _TOML_PLACE.fullmatch(str(error))
    if match is None:
        return f"not valid TOML: {error}", Origin("file", "", SourceSpan(source.file))
    end = len(source.text)
    line, column = (int(match[2]), int(match[3])) if match[2] else source.place(end)
    message = match[1][:1].lower() + match[1][1:]
    return f"not valid TOML: {message}", Origin("file", "", SourceSpan(source.file, line, column, line, column))
