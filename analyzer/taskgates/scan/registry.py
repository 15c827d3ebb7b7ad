"""Finds rules, and chooses among them."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import TYPE_CHECKING

import msgspec

from taskgates.scan.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ENTRY_POINT_GROUP = "taskgates.rules"
"""Each entry point of this group names a rule class, or a module or package whose public, concrete rule classes all
count."""


class RuleError(Exception):
    """A rule cannot be loaded, two rules share an id, or a selection names no rule."""


class RuleRegistry(msgspec.Struct, frozen=True):
    """All known rules, sorted by id."""

    rules: tuple[Rule, ...]

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def get(self, key: str) -> Rule:
        """The rule with this id or name, in any letter case.

        Raises:
            RuleError: there is none; the message suggests the nearest.
        """
        wanted = key.strip().lower()
        for rule in self.rules:
            if wanted in (rule.id.lower(), rule.name.lower()):
                return rule
        raise RuleError(self._unknown(key))

    def matching(self, key: str) -> tuple[Rule, ...]:
        """The rules that an id, a prefix of ids (`TG1`) or a name stands for; `all` stands for every rule.

        Raises:
            RuleError: there are none.
        """
        wanted = key.strip().lower()
        if wanted == "all":
            return self.rules
        named = tuple(rule for rule in self.rules if wanted in (rule.id.lower(), rule.name.lower()))
        found = named or tuple(rule for rule in self.rules if wanted and rule.id.lower().startswith(wanted))
        if not found:
            raise RuleError(self._unknown(key))
        return found

    def choose(self, select: Iterable[str] = (), ignore: Iterable[str] = ()) -> tuple[Rule, ...]:
        """The rules to run.

        Without `select` these are all that are on by default. Where both lists name a rule, the more specific entry
        wins: an id or a name beats a prefix, a longer prefix a shorter one; on a tie it is ignored.

        Raises:
            RuleError: an entry stands for no rule.
        """
        selected = self._specificity(select)
        ignored = self._specificity(ignore)
        chosen: list[Rule] = []
        for rule in self.rules:
            wanted = selected.get(rule.id, -1 if selected or not rule.enabled else 0)
            if wanted > ignored.get(rule.id, -1):
                chosen.append(rule)
        return tuple(chosen)

    def _specificity(self, keys: Iterable[str]) -> dict[str, int]:
        weights: dict[str, int] = {}
        for key in keys:
            for rule in self.matching(key):
                weight = 0 if key.strip().lower() == "all" else len(key.strip())
                if key.strip().lower() in (rule.id.lower(), rule.name.lower()):
                    weight = 1000
                weights[rule.id] = max(weights.get(rule.id, -1), weight)
        return weights

    def _unknown(self, key: str) -> str:
        names = [name for rule in self.rules for name in (rule.id, rule.name)]
        near = difflib.get_close_matches(key.strip(), names, n=1, cutoff=0.5) or difflib.get_close_matches(
            key.strip().upper(), names, n=1, cutoff=0.5
        )
        hint = f"did you mean {near[0]!r}?" if near else "`taskgates rule` lists all rules"
        return f"no rule is called {key!r}; {hint}"


def load_registry() -> RuleRegistry:
    """Every rule that an installed package offers under the entry-point group.

    Raises:
        RuleError: an entry point cannot be loaded, is no rule, or an id is taken twice.
    """
    classes: list[type[Rule]] = []
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        classes.extend(_load(entry))
    return registry_of(classes)


def registry_of(classes: Iterable[type[Rule]]) -> RuleRegistry:
    """A registry of the given rule classes.

    Raises:
        RuleError: two classes share an id or a name.
    """
    taken: dict[str, type[Rule]] = {}
    unique: dict[str, type[Rule]] = {}
    for cls in classes:
        for key in (cls.id, cls.name):
            other = taken.setdefault(key, cls)
            if other is not cls:
                raise RuleError(
                    f"rule {key!r} is defined twice: by {cls.__module__}.{cls.__name__} and "
                    f"{other.__module__}.{other.__name__}; uninstall or rename one"
                )
        unique[cls.id] = cls
    return RuleRegistry(tuple(unique[rule_id]() for rule_id in sorted(unique)))


def _load(entry: EntryPoint) -> list[type[Rule]]:
    try:
        value: object = entry.load()
        if isinstance(value, ModuleType):
            return [cls for module in _modules(value) for cls in _defined_in(module)]
    except Exception as error:
        raise RuleError(
            f"cannot load the rules {entry.name!r} ({entry.value}): {type(error).__name__}: {error}; "
            "repair or uninstall the package that offers them"
        ) from error
    if isinstance(value, type) and issubclass(value, Rule):
        return [value]
    raise RuleError(f"the entry point {entry.name!r} ({entry.value}) is {value!r}, neither a rule class nor a module")


def _modules(module: ModuleType) -> Iterator[ModuleType]:
    yield module
    if hasattr(module, "__path__"):
        names = sorted(info.name for info in pkgutil.iter_modules(module.__path__, f"{module.__name__}."))
        for name in names:
            yield from _modules(importlib.import_module(name))


def _defined_in(module: ModuleType) -> Iterator[type[Rule]]:
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and issubclass(value, Rule)
            and value.__module__ == module.__name__
            and not inspect.isabstract(value)
            and not value.__name__.startswith("_")
        ):
            yield value
