"""Snakemake's rules and configuration: what the directives of a workflow are collected in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from taskgates.inference.conversion import NotKnown, to_python
from taskgates.inference.models.registry import FUNCTIONS
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj, ModuleV
from taskgates.inference.text import concat, make_text, parts_of
from taskgates.inference.values import (
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Native,
    text_of,
)
from taskgates.syntax import ir
from taskgates.syntax.snakefile import RULE, RUN, USE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from taskgates.inference.models.registry import Machine
    from taskgates.inference.text import TextLike


@dataclass(frozen=True)
class Place:
    """Where the files of a module lie.

    Attributes:
        prefix: a folder in front of relative names, with a slash at its end.
        replaced: beginnings of names, and what stands in their place.
    """

    prefix: str = ""
    replaced: tuple[tuple[str, str], ...] = ()

    def moved(self, text: TextLike) -> TextLike:
        """A name as it is meant from outside; one that has been moved already stays."""
        for old, new in self.replaced:
            head = text if isinstance(text, str) else text.prefix
            if head.startswith(old) and not (new and head.startswith(new)):
                text = make_text([new, head[len(old) :], *parts_of(text)[1:]])
                break
        head = text if isinstance(text, str) else text.prefix
        if not self.prefix or head.startswith(("/", self.prefix)):
            return text
        return concat(self.prefix, text)


@dataclass
class Rule:
    """A rule of a workflow.

    Attributes:
        name: its name; the line where it has none.
        file: the Snakefile that defines it.
        declared: the Snakefile that takes it up; the same, but for a rule of a module.
        line: where it begins there.
        module: the module whose globals its functions see.
        entries: the arguments of each directive.
        checkpoint: whether it is one.
        conditional: whether it is not certain that there is such a rule.
        places: what a module does to the names of a directive.
        run: the function of its `run:` directive.
        variables: gives the names that stand for parts of paths where it is defined.
    """

    name: str
    file: str
    declared: str
    line: int
    module: ModuleV
    entries: dict[str, Arguments] = field(default_factory=dict)
    checkpoint: bool = False
    conditional: bool = False
    places: dict[str, Place] = field(default_factory=dict)
    run: AnyValue | None = None
    variables: Callable[[], Mapping[str, str]] = dict

    def argument(self, directive: str) -> AnyValue | None:
        """The first argument of a directive."""
        given = self.entries.get(directive)
        return given.pos[0] if given is not None and given.pos else None

    def path_variables(self) -> dict[str, str]:
        """The names that stand for parts of its paths, with those of its own `pathvars:` directive."""
        own = self.entries.get("pathvars")
        given = own.kw.items() if own is not None else ()
        return {**self.variables(), **{name: text for name, value in given if isinstance(text := text_of(value), str)}}

    def runner(self) -> AnyValue | None:
        """The function of the rule's `run:` directive."""
        return self.run if self.run is not None else self.module.slots.get(f"{RUN}{self.line}")


def opening_calls(node: Any) -> Iterator[tuple[int, ir.Call]]:
    """The calls that blocks of a translated Snakefile have become, with the lines where they stood."""
    if isinstance(node, ir.Call) and isinstance(node.func, ir.Name) and node.func.id in (RULE, USE):
        last = node.args[-1].value if node.args else None
        if isinstance(last, ir.Const) and isinstance(last.value, int):
            yield last.value, node
    elif isinstance(node, msgspec.Struct):
        for name in node.__struct_fields__:
            yield from opening_calls(getattr(node, name))
    elif isinstance(node, list):
        for item in node:
            yield from opening_calls(item)


def merge_config(machine: Machine, target: DictObj, value: AnyValue) -> None:
    """Take the entries of a mapping over into another, nested mappings entry by entry."""
    if not isinstance(value, DictObj):
        if value != NONE:
            machine.merge_into(target, value if isinstance(value, DictObj) else DictObj("dict", None, UNKNOWN))
        return
    for key, item in value.known():
        inner = target.slots.get(key)
        if isinstance(inner, DictObj) and isinstance(item, DictObj):
            merge_config(machine, inner, item)
        else:
            machine.put(target, key, item)


def config_values(words: Sequence[str]) -> dict[str, Any]:
    """What `--config key=value ...` says; values are read as YAML."""
    found: dict[str, Any] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if sign:
            try:
                found[name] = yaml.safe_load(value) if len(value) < 4096 else value
            except (yaml.YAMLError, RecursionError, ValueError):
                found[name] = value
    return found


def plain(value: AnyValue) -> Any:
    """The Python value of an argument; None where it is not known."""
    try:
        return to_python(value)
    except NotKnown:
        return None


UNPACK = "snakemake.io.unpack"


def unpack(machine: Machine, args: Arguments) -> AnyValue:
    """`unpack(function)`: the function gives names with files."""
    del machine
    made = Instance(Ext(UNPACK))
    made.slots["func"] = args.pos[0] if args.pos else UNKNOWN
    return made


def scatter_names(counts: Mapping[str, int]) -> AnyValue:
    """`scatter.name(pattern)` and `gather.name(pattern)`: a name for each part."""
    made = DictObj("snakemake.Rules")
    for name, count in counts.items():

        def spread(machine: Machine, args: Arguments, parts: int = count) -> AnyValue:
            values = ListObj("list", [Known(f"{number}-of-{parts}") for number in range(1, parts + 1)])
            given = Arguments(args.pos, {**args.kw, "scatteritem": values, "allow_missing": TRUE})
            return FUNCTIONS["snakemake.io.expand"](machine, given) or UNKNOWN

        made.slots[Known(name)] = Native("snakemake.scatter", spread)
    return made


__all__ = [
    "UNPACK",
    "Rule",
    "config_values",
    "merge_config",
    "opening_calls",
    "plain",
    "scatter_names",
    "unpack",
]
