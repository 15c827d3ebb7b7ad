"""The table of settings: their names in every place, and what values they take."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import NamedTuple

from taskgates.model.finding import Severity

Converter = Callable[[object], object]
"""Turns a raw value (as TOML, JSON or an option gives it) into the setting's type; raises ValueError if it is unfit."""

Spec = tuple[str, Converter]

_SELECTOR = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Setting(NamedTuple):
    """One setting.

    Attributes:
        name: dotted name in `Config` (`gates.lock_timeout`).
        expects: the values it takes, for messages ("a whole number from 1 to 1000").
        convert: see `Converter`.
        json_name: its key in `.claude/config/parallel-execution.json`, if it has one.
        variable: the environment variable, if there is one.
    """

    name: str
    expects: str
    convert: Converter
    json_name: str | None = None
    variable: str | None = None

    @property
    def group(self) -> str:
        """The first part of a dotted name; empty for a setting at the top."""
        return self.name.rpartition(".")[0]

    @property
    def key(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    @property
    def option(self) -> str:
        """The command-line option that sets it."""
        return "--" + self.key.replace("_", "-")


def _whole(low: int, high: int) -> Spec:
    def convert(raw: object) -> object:
        if isinstance(raw, bool) or not isinstance(raw, int) or not low <= raw <= high:
            raise ValueError
        return raw

    return f"a whole number from {low:,} to {high:,}", convert


def _number(low: float, high: float, unit: str = "") -> Spec:
    def convert(raw: object) -> object:
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not low <= raw <= high or math.isnan(raw):
            raise ValueError
        return float(raw)

    return f"a number{unit} from {low:,g} to {high:,g}", convert


def _numbers(low: float, high: float, unit: str) -> Spec:
    one = _number(low, high)[1]

    def convert(raw: object) -> object:
        if not isinstance(raw, list | tuple):
            raise ValueError  # noqa: TRY004 - one exception for every unfit value
        return tuple(one(item) for item in raw)

    return f"a list of numbers{unit} from {low:,g} to {high:,g}", convert


def _flag() -> Spec:
    def convert(raw: object) -> object:
        if not isinstance(raw, bool):
            raise ValueError  # noqa: TRY004
        return raw

    return "true or false", convert


def _choice(*words: str, fold: Callable[[str], str] = str.lower) -> Spec:
    def convert(raw: object) -> object:
        if not isinstance(raw, str) or fold(raw) not in words:
            raise ValueError
        return fold(raw)

    return " or ".join(", ".join(words).rsplit(", ", 1)), convert


def _texts(pattern: re.Pattern[str] | None, what: str) -> Spec:
    one = _text("")[1]

    def convert(raw: object) -> object:
        if not isinstance(raw, list | tuple):
            raise ValueError  # noqa: TRY004
        items = [str(one(item)) for item in raw]
        if pattern is not None and not all(pattern.fullmatch(item) for item in items):
            raise ValueError
        return tuple(items)

    return f"a list of {what}", convert


def _text(what: str) -> Spec:
    def convert(raw: object) -> object:
        if not isinstance(raw, str) or not raw.strip() or "\0" in raw:
            raise ValueError
        return raw

    return what, convert


def _fail_on() -> Spec:
    expects, choose = _choice("error", "warning", "note", "never")

    def convert(raw: object) -> object:
        word = str(choose(raw))
        return None if word == "never" else Severity(word)

    return expects, convert


def _severities() -> Spec:
    choose = _choice("error", "warning", "note")[1]

    def convert(raw: object) -> object:
        if not isinstance(raw, dict):
            raise ValueError  # noqa: TRY004
        if not all(isinstance(rule, str) and _SELECTOR.fullmatch(rule) for rule in raw):
            raise ValueError
        return {rule: Severity(str(choose(word))) for rule, word in raw.items()}

    return 'a table such as {TG103 = "warning"}, with error, warning or note', convert


def _setting(name: str, spec: Spec, json_name: str | None = None, variable: str | None = None) -> Setting:
    return Setting(name, *spec, json_name, variable)


_RULES = _texts(_SELECTOR, 'rule ids, names or prefixes such as "TG1"')

SETTINGS: tuple[Setting, ...] = (
    _setting("gates.max_parallel_tasks", _whole(1, 100_000), "max_parallel_tasks", "MAX_PARALLEL_TASKS"),
    _setting("gates.max_context_complexity", _number(0, 1e9), "max_context_complexity", "MAX_CONTEXT_COMPLEXITY"),
    _setting("gates.lock_timeout", _number(0, 86_400, " of seconds"), "lock_timeout_seconds", "LOCK_TIMEOUT"),
    _setting("gates.retry_delays", _numbers(0, 3600, " of seconds"), "retry_delays"),
    _setting("gates.conflict_resolution", _choice("sequential", "refuse"), "conflict_resolution"),
    _setting("gates.enable_monitoring", _flag(), "enable_monitoring"),
    _setting("gates.checkpoint_frequency", _whole(0, 1_000_000), "checkpoint_frequency"),
    _setting("gates.max_cpu_percent", _number(1, 100)),
    _setting("gates.max_memory_percent", _number(1, 100)),
    _setting("gates.refuse_overload", _flag()),
    _setting("inference.steps", _whole(1_000, 10**12)),
    _setting("inference.depth", _whole(1, 400)),
    _setting("inference.set_size", _whole(2, 10_000)),
    _setting("inference.unroll", _whole(1, 1_000_000)),
    _setting("inference.seconds", _number(0, 86_400, " of seconds")),
    _setting("scan.select", _RULES),
    _setting("scan.ignore", _RULES),
    _setting("scan.severity", _severities()),
    _setting("scan.exclude", _texts(None, "patterns")),
    _setting("scan.fail_on", _fail_on()),
    _setting("scan.include_finished", _flag()),
    _setting("effects", _texts(None, "TOML files and folders of them")),
    _setting("follow", _texts(_MODULE, "package names")),
    _setting("python", _text("the path of an interpreter or environment")),
    _setting("log_level", _choice(*_LEVELS, fold=str.upper), None, "GATE_LOG_LEVEL"),
)
"""Every setting, in the order in which it is listed to people."""
