"""Which functions can reach an effect among some modules, by a worklist over what they mention.

A function is *relevant* when it mentions something that has an effect, or another relevant function. What a module
mentions is put the other way round once (`MentionIndex`), so that the closure of each set of modules that a program
loads costs little more than what is relevant in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.mentions import COMMON_METHODS
from taskgates.inference.models import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.inference.effects import EffectTable
    from taskgates.inference.mentions import ModuleMentions, Node

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
_ALWAYS_IMPORTED = ("builtins", "io", "os", "pathlib")


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


class MentionIndex:
    """What a module mentions, the other way round: from tokens to the nodes that mention them.

    Attributes:
        mentions: the module's mentions.
        methods: the methods that have an effect in some library that the module imports, and are of no built-in type.
        seeds: the nodes that have an effect whatever else is loaded.
        foreign: the others that mention packages which no table knows, by these.
    """

    __slots__ = ("_by_prefix", "_by_self", "_by_token", "foreign", "mentions", "methods", "seeds")

    def __init__(self, effects: EffectTable, mentions: ModuleMentions) -> None:
        self.mentions = mentions
        self.seeds: list[Node] = []
        self.foreign: dict[str, list[Node]] = {}
        self._by_token: dict[str, list[Node]] = {}
        self._by_self: dict[str, list[tuple[str, Node]]] = {}
        self._by_prefix: list[tuple[str, Node]] = []
        own: frozenset[str] = frozenset().union(*(effects.effect_methods(top) for top in mentions.tops))
        common = own & COMMON_METHODS
        self.methods = own.union(*(effects.effect_methods(top) for top in _ALWAYS_IMPORTED)) - COMMON_METHODS
        for node in mentions.nodes:
            if not node.tokens.isdisjoint(_ALWAYS) or self._uses_library(effects, node, common):
                self.seeds.append(node)
            else:
                self._add(node)

    def _uses_library(self, effects: EffectTable, node: Node, common: frozenset[str]) -> bool:
        """Whether a node mentions something of a library that has an effect."""
        for token in node.tokens:
            kind, name = token[0], token[2:]
            if kind in "qu":
                if name[0] == ".":
                    continue
                if _has_effect(effects, name):
                    if kind == "q" or not _needs_more(effects, name):
                        return True
                else:
                    top = name.split(".", 1)[0]
                    if not (effects.knows_module(top) or top in registry.ALIASES or top == "__future__"):
                        self.foreign.setdefault(top, []).append(node)
            elif kind in "as" and name.rsplit(".", 1)[-1] in common:
                return True
        return False

    def _add(self, node: Node) -> None:
        for token in node.tokens:
            kind = token[0]
            if kind == "s":
                owner, _, name = token[2:].rpartition(".")
                self._by_self.setdefault(name, []).append((owner, node))
            elif kind == "p":
                self._by_prefix.append((token[2:], node))
            elif kind not in "qu":
                self._by_token.setdefault(token, []).append(node)

    @property
    def tokens(self) -> Iterator[str]:
        """What is mentioned: tokens, and for attributes of `self` `s:name` whatever the class."""
        yield from self._by_token
        for name in self._by_self:
            yield f"s:{name}"

    def plainly(self, token: str) -> list[Node]:
        """The nodes that mention a token."""
        return self._by_token.get(token, [])

    def of_self(self, name: str) -> list[tuple[str, Node]]:
        """The nodes that mention an attribute of an object of a class that the text shows, each with that class."""
        return self._by_self.get(name, [])

    @property
    def computes(self) -> bool:
        """Whether some node looks for methods by computed names."""
        return bool(self._by_prefix)

    def computing(self, name: str) -> Iterator[Node]:
        """The nodes that look for a method by a computed name that begins like this one."""
        return (node for prefix, node in self._by_prefix if name.startswith(prefix))


class Closures:
    """The closures of sets of modules, out of the indices of all modules that were looked through."""

    def __init__(self, effects: EffectTable) -> None:
        self._effects = effects
        self._indices: dict[int, MentionIndex] = {}
        self._where: dict[str, list[int]] = {}

    def add(self, key: int, mentions: ModuleMentions) -> None:
        """Take a module's mentions in, under a key."""
        index = self._indices[key] = MentionIndex(self._effects, mentions)
        for token in index.tokens:
            self._where.setdefault(token, []).append(key)

    def close(self, keys: frozenset[int], own: frozenset[str]) -> Closure:
        """Everything from which a node with an effect can be reached.

        Args:
            keys: the modules that a program loads.
            own: their top-level packages.
        """
        closure = Closure()
        # In the order of looking through, so that the answer never depends on identities.
        modules = [index for key, index in self._indices.items() if key in keys]
        taken: set[str] = set().union(*(module.mentions.taken for module in modules))
        hands_out = any(module.mentions.hands_out for module in modules)
        families = Families([module.mentions for module in modules])
        computing = [module for module in modules if module.computes]
        pending = self._seeds(keys, modules, families, own)
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
            if "i:" not in labels_seen and not taken.isdisjoint(labels):
                # Used as a value, so it may be what is called where the text does not say what.
                labels.append("i:")
            for label in labels:
                if label not in labels_seen:
                    labels_seen.add(label)
                    pending += self._mentioning(label, keys, families)
            if node.owner:
                for module in computing:
                    pending += module.computing(node.name)
        return closure

    def _seeds(
        self, keys: frozenset[int], modules: list[MentionIndex], families: Families, own: frozenset[str]
    ) -> list[Node]:
        """The nodes that have an effect by themselves: of a library, or on a variable that some function changes."""
        found: list[Node] = []
        for module in modules:
            found += module.seeds
            for top, nodes in module.foreign.items():
                if top not in own:
                    found += nodes
        methods: frozenset[str] = frozenset().union(*(module.methods for module in modules))
        for name in methods:
            found += self._plainly(f"a:{name}", keys)
            found += [node for _, node in self._of_self(name, keys)]
        mutated: frozenset[str] = frozenset().union(*(module.mentions.mutated for module in modules))
        for label in mutated:
            found += self._mentioning(label, keys, families)
        return found

    def _mentioning(self, label: str, keys: frozenset[int], families: Families) -> list[Node]:
        """The nodes that mention what a label stands for."""
        found = self._plainly(label, keys)
        kind = label[0]
        if kind == "m":
            owner, _, name = label[2:].rpartition(".")
            relatives = families.relatives(owner)
            found += [node for cls, node in self._of_self(name, keys) if cls in relatives]
        elif kind == "a":
            name = label[2:].rpartition(".")[2]
            found += [node for cls, node in self._of_self(name, keys) if cls not in families]
        return found

    def _plainly(self, token: str, keys: frozenset[int]) -> list[Node]:
        found: list[Node] = []
        for key in self._where.get(token, ()):
            if key in keys:
                found += self._indices[key].plainly(token)
        return found

    def _of_self(self, name: str, keys: frozenset[int]) -> list[tuple[str, Node]]:
        found: list[tuple[str, Node]] = []
        for key in self._where.get(f"s:{name}", ()):
            if key in keys:
                found += self._indices[key].of_self(name)
        return found


def _labels(node: Node, families: Families, *, as_attribute: bool) -> list[str]:
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


def _needs_more(effects: EffectTable, name: str) -> bool:
    """Whether what the row of a name touches is named by parameters behind the first, and only by them."""
    row = effects.lookup(name)
    if row is None or row.params is None or row.open or row.launch or row.executes or row.process:
        return False
    later = {param for param in row.params.positional[1:] if row.defaults.get(param) is None}
    return bool(row.effects) and all(
        effect.path.names and later.issuperset(effect.path.names) for effect in row.effects
    )


def _has_effect(effects: EffectTable, name: str) -> bool:
    if name in _ALSO or effects.has_effect(name):
        return True
    return name.startswith("os.environ") and not name.startswith(_HARMLESS)


class Families:
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

    def have_method(self, name: str) -> bool:
        """Whether some class defines a method of that name."""
        if self._names is None:
            self._names = frozenset().union(*self._methods.values())
        return name in self._names

    def below(self, name: str) -> set[str]:
        """A class and everything derived from it."""
        return _reach(name, self._derived)

    def relatives(self, name: str) -> frozenset[str]:
        """The classes whose methods may be meant by an attribute of `self` in a class, itself among them.

        Whatever may be an object of both: the relation is symmetric.
        """
        known = self._known.get(name)
        if known is None:
            members: set[str] = set()
            for derived in _reach(name, self._derived):
                members |= _reach(derived, self._bases)
            known = self._known[name] = frozenset(members)
        return known


def _reach(start: str, edges: dict[str, list[str]]) -> set[str]:
    found = {start}
    stack = [start]
    while stack:
        for name in edges.get(stack.pop(), ()):
            if name not in found:
                found.add(name)
                stack.append(name)
    return found
