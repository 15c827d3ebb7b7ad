"""Which functions can reach an effect at all, by what they mention.

Most code touches no file. A function is *relevant* when it mentions something that has an effect (a row of the tables,
a shared variable), or another relevant function. Mentions are resolved as far as the text alone allows: names by the
scopes and imports around them, attributes of `self` by the classes of the family, attributes of anything else by their
names only. So the answer errs on the side of relevance, in the manner of rapid type analysis (Bacon and Sweeney, 1996);
what is not relevant need not be interpreted at length, since nothing is missed but the precision of its result. A value
that is handed to a function is not seen here: `reaches` looks at values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.closure import Closure, Closures
from taskgates.inference.mentions import ModuleMentions
from taskgates.inference.objects import CONTENT, ClassV, DictObj, FunctionV, Instance, ListObj
from taskgates.inference.values import AnyValue, BoundMethod, Native, Partial, TupleV, Union

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.inference.effects import EffectTable
    from taskgates.inference.mentions import Node
    from taskgates.syntax import ir


class Mentions:
    """What was found in the modules of a repository, and the closures of the sets of them that programs load."""

    def __init__(self, effects: EffectTable) -> None:
        self.functions: dict[int, Node] = {}
        self._modules: dict[int, ModuleMentions] = {}
        self._closures = Closures(effects)
        self._known: dict[frozenset[tuple[int, str]], Closure] = {}

    def collect(self, module: ir.Module) -> None:
        """Look through a module, once."""
        key = id(module)
        if key not in self._modules:
            found = self._modules[key] = ModuleMentions(module)
            self._closures.add(key, found)
            self.functions.update(found.functions)

    def closure(self, modules: frozenset[tuple[int, str]]) -> Closure:
        """The closure of modules that were looked through, each given by its identity and its top-level package."""
        found = self._known.get(modules)
        if found is None:
            keys = frozenset(key for key, _ in modules)
            found = self._known[modules] = self._closures.close(keys, frozenset(top for _, top in modules))
        return found


class Relevance:
    """Answers whether a function can reach an effect; modules are added as they are loaded."""

    def __init__(self, mentions: Mentions) -> None:
        self._mentions = mentions
        self._modules: set[tuple[int, str]] = set()
        self._closure: Closure | None = None

    def add(self, module: ir.Module, name: str) -> None:
        """Take a loaded module into account."""
        self._mentions.collect(module)
        self._modules.add((id(module), name.split(".", 1)[0]))
        self._closure = None

    @property
    def closure(self) -> Closure:
        """What can reach an effect among the modules loaded so far."""
        if self._closure is None:
            self._closure = self._mentions.closure(frozenset(self._modules))
        return self._closure

    def relevant(self, function: ir.Function) -> bool:
        """Whether a function can reach an effect; true of functions that nothing is known of."""
        node = self._mentions.functions.get(id(function))
        return node is None or id(node) in self.closure.nodes

    def relevant_class(self, name: str) -> bool:
        """Whether using an object of a class can reach an effect: making it, or what the language calls by itself."""
        return name in self.closure.dunders

    def reaches(self, value: AnyValue, depth: int = 5, seen: set[int] | None = None) -> bool:
        """Whether whoever is handed a value can reach an effect through it.

        Args:
            value: the value.
            depth: how many steps from object to object are taken.
            seen: identities of the objects that were looked at.
        """
        seen = set() if seen is None else seen
        if isinstance(value, Union):
            return any(self.reaches(option, depth, seen) for option in value.options)
        if isinstance(value, FunctionV):
            if self.relevant(value.node):
                return True
            frame = value.frame
            if depth <= 0 or frame is None or frame.function is None:
                return False
            # What a decorator's wrapper calls is in its closure.
            return any(
                self.reaches(part, depth - 1, seen)
                for part in list(frame.slots.values())
                if isinstance(part, _CALLABLES)
            )
        if isinstance(value, BoundMethod):
            return self.reaches(value.func, depth, seen) or (depth > 0 and self.reaches(value.self, depth - 1, seen))
        if isinstance(value, Partial):
            return self.reaches(value.func, depth, seen) or any(
                self.reaches(arg, depth, seen) for arg in value.args.every()
            )
        if isinstance(value, Native):
            return True
        if isinstance(value, ClassV):
            return self.relevant_class(value.name)
        if isinstance(value, Instance):
            if id(value) in seen:
                return False
            seen.add(id(value))
            if isinstance(value.cls, ClassV) and any(
                isinstance(cls, ClassV) and cls.name in self.closure.objects for cls in value.cls.mro
            ):
                return True
        if depth <= 0:
            return False
        if isinstance(value, ListObj | TupleV):
            content = value.slots.get(CONTENT) if isinstance(value, ListObj) else value
            items: Iterable[AnyValue] = content.items[:8] if isinstance(content, TupleV) else ()
            rest = content.rest if isinstance(content, TupleV) else None
            return any(self.reaches(item, depth - 1, seen) for item in items) or (
                rest is not None and self.reaches(rest, depth - 1, seen)
            )
        if isinstance(value, Instance | DictObj):
            parts = list(value.slots.values())
            parts = parts if isinstance(value, Instance) else parts[:12]
            return any(self.reaches(part, depth - 1, seen) for part in parts if _is_value(part))
        return False


def _is_value(part: object) -> bool:
    return isinstance(part, (*_CALLABLES, Instance, ListObj, DictObj, Union))


_CALLABLES = (FunctionV, BoundMethod, Partial, ClassV, Native)
