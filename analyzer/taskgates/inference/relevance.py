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

from taskgates.inference.mentions import COMMON_METHODS, ModuleMentions
from taskgates.inference.models import registry
from taskgates.inference.values import (
    CONTENT,
    AnyValue,
    BoundMethod,
    ClassV,
    DictObj,
    FunctionV,
    Instance,
    ListObj,
    Native,
    Partial,
    TupleV,
    Union,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.inference.effects import EffectTable
    from taskgates.inference.mentions import Node
    from taskgates.syntax import ir

_ALWAYS = frozenset({"n:open", "n:exec", "n:eval", "n:__import__", "n:execfile", "!"})
_ALSO = frozenset(
    {f"os.path.{name}" for name in ("exists", "lexists", "isfile", "isdir", "islink", "ismount", "samefile")}
    | {f"os.path.get{name}" for name in ("size", "mtime", "ctime", "atime")}
    | {"os.environ", "unittest.main", "unittest.TestProgram", "doctest.testmod", "fire.Fire", "typer.run"}
    | {"click.testing.CliRunner"}
)
"""Library things with effects that no row speaks of, since models stand for them."""
_HARMLESS = tuple(f"os.environ.{name}" for name in ("get", "copy", "items", "keys", "values"))
_CONSTRUCTORS = frozenset({"__init__", "__new__", "__post_init__", "__attrs_post_init__", "__init_subclass__"})
"""Methods that are called when an object is made, and not again."""


class Closure:
    """What can reach an effect among some modules.

    Attributes:
        nodes: identities of the nodes that can.
        dunders: classes whose objects can, by what the language calls of them, their making included.
        objects: those whose objects can once they are made.
    """

    __slots__ = ("dunders", "nodes", "objects")

    def __init__(self) -> None:
        self.nodes: set[int] = set()
        self.dunders: set[str] = set()
        self.objects: set[str] = set()


class Mentions:
    """What was found in the modules of a repository, and the closures of the sets of them that programs load."""

    def __init__(self, effects: EffectTable) -> None:
        self.effects = effects
        self.functions: dict[int, Node] = {}
        self._modules: dict[int, ModuleMentions] = {}
        self._closures: dict[frozenset[tuple[int, str]], Closure] = {}

    def collect(self, module: ir.Module) -> None:
        """Look through a module, once."""
        if id(module) not in self._modules:
            found = self._modules[id(module)] = ModuleMentions(module)
            self.functions.update(found.functions)

    def closure(self, modules: frozenset[tuple[int, str]]) -> Closure:
        """The closure of modules that were looked through, each given by its identity and its top-level package."""
        found = self._closures.get(modules)
        if found is None:
            own = frozenset(top for _, top in modules)
            # In the order of looking through, so that the answer never depends on identities.
            names = {key for key, _ in modules}
            listed = [module for key, module in self._modules.items() if key in names]
            found = self._closures[modules] = _close(self.effects, listed, own)
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


def _close(effects: EffectTable, modules: list[ModuleMentions], own: frozenset[str]) -> Closure:
    """Everything from which a node with an effect can be reached, by a worklist over the tokens."""
    closure = Closure()
    taken: set[str] = set().union(*(module.taken for module in modules))
    hands_out = any(module.hands_out for module in modules)
    families = _Families(modules)
    waiting = _Waiting()
    pending: list[Node] = []
    methods, mutated = _telling_names(effects, modules)
    for module in modules:
        common = {name for top in module.tops for name in effects.effect_methods(top)} & COMMON_METHODS
        for node in module.nodes:
            if _seeded(effects, node, methods | common, mutated, own):
                pending.append(node)
            else:
                waiting.add(node, families)
    labels_seen: set[str] = set()
    while pending:
        node = pending.pop()
        if id(node) in closure.nodes:
            continue
        closure.nodes.add(id(node))
        name = node.owner if node.dunder else node.name
        if node.dunder or (not node.owner and name in families):
            closure.dunders.update(families.below(name))
            if node.name not in _CONSTRUCTORS:
                closure.objects.update(families.below(name))
        meant = hands_out or f"n:{node.name}" in taken or not families.have_method(node.name)
        labels = _labels(node, families, as_attribute=meant)
        for label in labels:
            if label not in labels_seen:
                labels_seen.add(label)
                pending.extend(waiting.for_label(label, taken=label in taken))
        if node.owner:
            pending.extend(waiting.for_method(node.name))
    return closure


def _labels(node: Node, families: _Families, *, as_attribute: bool) -> list[str]:
    """The tokens by which a relevant node is mentioned.

    Args:
        node: the node.
        families: the classes.
        as_attribute: whether a function may be meant by an attribute of an object that is not known.
    """
    labels = [label for label in node.labels if as_attribute or not node.function or label[0] != "a"]
    if node.owner and node.dunder:
        for name in families.below(node.owner):
            labels += [f"n:{name}", f"a:{name}"]
            if node.name not in _CONSTRUCTORS:
                labels.append(f"o:{name}")
    return labels


def _telling_names(effects: EffectTable, modules: list[ModuleMentions]) -> tuple[set[str], set[str]]:
    """The names of methods that have an effect on whatever object; the labels of variables that functions change."""
    tops = {"builtins", "io", "os", "pathlib"}.union(*(module.tops for module in modules))
    methods = {name for top in tops for name in effects.effect_methods(top)} - COMMON_METHODS
    return methods, set().union(*(module.mutated for module in modules))


class _Waiting:
    """Nodes that become relevant once something that they mention is."""

    def __init__(self) -> None:
        self._by_token: dict[str, list[Node]] = {}
        self._by_prefix: list[Node] = []

    def add(self, node: Node, families: _Families) -> None:
        """Note what a node mentions."""
        for token in node.tokens:
            if token[0] == "s":
                for label in families.labels(token):
                    self._by_token.setdefault(label, []).append(node)
            elif token[0] == "p":
                self._by_prefix.append(node)
            else:
                self._by_token.setdefault(token, []).append(node)

    def for_label(self, label: str, *, taken: bool) -> list[Node]:
        """Those that mention a label; with those that call they know not what, where it is used as a value too."""
        found = self._by_token.pop(label, [])
        return found + self._by_token.pop("i:", []) if taken else found

    def for_method(self, name: str) -> list[Node]:
        """Those that look for a method by a computed name that begins like this one's."""
        return [
            node
            for node in self._by_prefix
            if any(token[0] == "p" and name.startswith(token[2:]) for token in node.tokens)
        ]


def _seeded(effects: EffectTable, node: Node, methods: set[str], mutated: set[str], own: frozenset[str]) -> bool:
    """Whether a node has an effect by itself."""
    tokens = node.tokens
    if not tokens.isdisjoint(_ALWAYS) or not tokens.isdisjoint(mutated):
        return True
    for token in tokens:
        kind, name = token[0], token[2:]
        if kind == "q":
            if not name.startswith(".") and _has_effect(effects, name, own):
                return True
        elif kind == "u":
            if not name.startswith(".") and _has_effect(effects, name, own) and not _needs_more(effects, name):
                return True
        elif kind in "as" and name.rsplit(".", 1)[-1] in methods:
            return True
    return False


def _needs_more(effects: EffectTable, name: str) -> bool:
    """Whether what the row of a name touches is named by parameters behind the first, and only by them."""
    row = effects.lookup(name)
    if row is None or row.params is None or row.open or row.launch or row.executes or row.process:
        return False
    later = {param for param in row.params.positional[1:] if row.defaults.get(param) is None}
    return bool(row.effects) and all(
        effect.path.names and later.issuperset(effect.path.names) for effect in row.effects
    )


def _has_effect(effects: EffectTable, name: str, own: frozenset[str]) -> bool:
    if name in _ALSO or effects.has_effect(name):
        return True
    if name.startswith("os.environ"):
        return not name.startswith(_HARMLESS)
    top = name.split(".", 1)[0]
    return not (top in own or effects.knows_module(top) or top in registry.ALIASES or top == "__future__")


class _Families:
    """Classes by bare names: which may stand behind `self` in a method of which."""

    def __init__(self, modules: list[ModuleMentions]) -> None:
        self._bases: dict[str, list[str]] = {}
        self._derived: dict[str, list[str]] = {}
        self._methods: dict[str, set[str]] = {}
        self._known: dict[str, frozenset[str]] = {}
        self._names: frozenset[str] | None = None
        for module in modules:
            for name, bases in module.classes.items():
                self._bases.setdefault(name, []).extend(bases)
                for base in bases:
                    self._derived.setdefault(base, []).append(name)
            for name, methods in module.methods.items():
                self._methods.setdefault(name, set()).update(methods)

    def __contains__(self, name: str) -> bool:
        return name in self._bases

    @property
    def method_names(self) -> set[str]:
        """The names of all methods."""
        return set().union(*self._methods.values())

    def have_method(self, name: str) -> bool:
        """Whether some class defines a method of that name."""
        if self._names is None:
            self._names = frozenset().union(*self._methods.values())
        return name in self._names

    def below(self, name: str) -> set[str]:
        """A class and everything derived from it."""
        return _reach(name, self._derived)

    def labels(self, token: str) -> list[str]:
        """The methods that an attribute of `self` may be."""
        owner, _, name = token[2:].rpartition(".")
        if owner not in self._bases:
            return [f"a:{name}"]
        family = self._known.get(owner)
        if family is None:
            members: set[str] = set()
            for derived in _reach(owner, self._derived):
                members |= _reach(derived, self._bases)
            family = self._known[owner] = frozenset(members)
        return [f"m:{member}.{name}" for member in family if name in self._methods.get(member, ())]


def _reach(start: str, edges: dict[str, list[str]]) -> set[str]:
    found = {start}
    stack = [start]
    while stack:
        for name in edges.get(stack.pop(), ()):
            if name not in found:
                found.add(name)
                stack.append(name)
    return found


def _is_value(part: object) -> bool:
    return isinstance(part, (*_CALLABLES, Instance, ListObj, DictObj, Union))


_CALLABLES = (FunctionV, BoundMethod, Partial, ClassV, Native)
