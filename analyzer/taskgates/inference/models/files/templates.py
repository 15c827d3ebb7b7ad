"""Jinja templates: the files that a template of the repository draws in by `extends`, `include` and `import`.

A template's text is parsed and never rendered; names that it computes may be any template of the loader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance, ListObj
from taskgates.inference.paths import join_paths
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Hole, Text, TextLike
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    TupleV,
    as_value,
    options,
    path_text,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2 import nodes

SYNTAX = (
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "line_statement_prefix",
    "line_comment_prefix",
)
"""The settings of an environment that decide how a template is read."""
NESTING = 40
"""Templates that draw each other in are followed to this depth."""


class Reference:
    """A template that another one draws in.

    Attributes:
        names: the candidates, of which the first that is there counts; empty when the name is computed.
        conditional: whether it stands inside a condition, a loop or a macro.
        optional: whether it may be missing.
    """

    __slots__ = ("conditional", "names", "optional")

    def __init__(self, names: tuple[str, ...], *, conditional: bool, optional: bool) -> None:
        self.names = names
        self.conditional = conditional
        self.optional = optional


def references(source: str, settings: dict[str, str]) -> list[Reference] | None:
    """What a template draws in, in order; None when its text cannot be parsed.

    Args:
        source: the template's text.
        settings: delimiters that differ from Jinja's own.
    """
    # Imported here, since few programs fill in templates.
    from jinja2 import Environment, TemplateSyntaxError

    try:
        tree = Environment(autoescape=True, extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], **settings).parse(  # type: ignore[arg-type]
            source
        )
    except (TemplateSyntaxError, ValueError, RecursionError, AssertionError):
        return None
    return list(_walk(tree, conditional=False))


def _walk(node: nodes.Node, *, conditional: bool) -> Iterator[Reference]:
    from jinja2 import nodes

    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Extends | nodes.Include | nodes.Import | nodes.FromImport):
            optional = isinstance(child, nodes.Include) and child.ignore_missing
            yield Reference(_names(child.template), conditional=conditional, optional=optional)
        inner = conditional or isinstance(child, nodes.If | nodes.For | nodes.Macro | nodes.CallBlock)
        yield from _walk(child, conditional=inner)


def _names(template: nodes.Expr) -> tuple[str, ...]:
    """The constant names of a reference; empty when one is computed."""
    from jinja2 import nodes

    items = template.items if isinstance(template, nodes.List | nodes.Tuple) else [template]
    found = [item.value for item in items if isinstance(item, nodes.Const) and isinstance(item.value, str)]
    return tuple(found) if len(found) == len(items) else ()


class Loading:
    """The loading of one template with all that it draws in."""

    def __init__(
        self, machine: Machine, loader: AnyValue, settings: dict[str, str], call: str, environment: AnyValue = NONE
    ) -> None:
        self.machine = machine
        self.loader = loader
        self.settings = settings
        self.call = call
        self.environment = environment
        self.seen: set[str] = set()

    def places(self, loader: AnyValue, name: TextLike) -> list[TextLike] | None:
        """Where a loader looks for a template, in order; None when that is not known.

        Args:
            loader: the loader.
            name: the template's name.
        """
        if not isinstance(loader, Instance):
            return None
        base = loader.cls.name if isinstance(loader.cls, Ext) else loader.cls.library_base(())
        kind = base.rpartition(".")[2]
        if kind == "ChoiceLoader":
            found: list[TextLike] = []
            for inner in self.machine.iterate(loader.slots.get("loaders", TupleV((), UNKNOWN))).items:
                found.extend(self.places(inner, name) or [])
            return found or None
        if kind == "PrefixLoader" and isinstance(name, str):
            prefix, _, rest = name.partition("/")
            mapping = loader.slots.get("mapping")
            inner = mapping.slots.get(Known(prefix)) if isinstance(mapping, DictObj) else None
            return self.places(inner, rest) if inner is not None else None
        if kind not in ("FileSystemLoader", "PackageLoader"):
            return None
        places: list[TextLike] = []
        for option in options(self.machine.get_attr(loader, "searchpath")):
            folders = option.items if isinstance(option, ListObj | TupleV) else (option,)
            for folder in folders:
                text = path_text(folder)
                if text is None:
                    return None
                places.append(join_paths(text, name))
        return places or None

    def load(
        self, names: tuple[str, ...], depth: int = 0, *, conditional: bool = False, optional: bool = False
    ) -> bool:
        """Read the first of several templates that is there, and what it draws in.

        Returns:
            Whether it is known which files are read.
        """
        fresh = [name for name in names if name not in self.seen]
        if not fresh:
            return True
        self.seen.update(fresh)
        if _is_own(self.loader):
            return self.load_by_method(fresh, depth, conditional=conditional, optional=optional or len(fresh) > 1)
        candidates = [place for name in names for place in self.places(self.loader, name) or ()]
        if not candidates:
            return False
        for place in candidates:
            there = self.machine.exists(place)
            if there is False and (len(candidates) > 1 or optional):
                continue
            self.machine.access(Operation.READ, as_value(place), self.call, conditional=conditional or there is None)
            self.draw_in(place, depth, conditional=conditional)
            if there is not None:
                break
        return True

    def load_by_method(self, names: list[str], depth: int, *, conditional: bool, optional: bool) -> bool:
        """Ask a loader of the program's own for the source of the first of several templates."""
        machine = self.machine
        for name in names:
            machine.undecided += conditional
            try:
                found = machine.call(
                    machine.get_attr(self.loader, "get_source"), Arguments([self.environment, Known(name)])
                )
            except AbstractRaise:
                if optional:
                    continue
                raise
            finally:
                machine.undecided -= conditional
            given = found.items if isinstance(found, TupleV) else ()
            source = text_of(given[0]) if given else None
            place = path_text(given[1]) if len(given) > 1 else None
            if isinstance(source, str):
                self.follow(source, depth, conditional=conditional)
            elif place is not None:
                self.draw_in(place, depth, conditional=conditional)
            return True
        return True

    def draw_in(self, place: TextLike, depth: int, *, conditional: bool) -> None:
        """Follow the references of a template's text."""
        data = self.machine.content(place)
        if data is None or depth >= NESTING:
            return
        self.follow(data.decode("utf-8", "replace"), depth, conditional=conditional)

    def follow(self, source: str, depth: int = 0, *, conditional: bool = False) -> None:
        """Follow the references of a text."""
        found = references(source, self.settings)
        if found is None:
            self.machine.opaque("a template cannot be parsed, so what it draws in is not known")
            return
        for reference in found:
            inside = conditional or reference.conditional
            if reference.names:
                self.load(reference.names, depth + 1, conditional=inside, optional=reference.optional)
                continue
            anything = Text((Hole("data", True),))
            for place in self.places(self.loader, anything) or ():
                self.machine.access(Operation.READ, as_value(place), self.call, conditional=inside)


def _is_own(loader: AnyValue) -> bool:
    """Whether a loader finds its templates by a method of the program's own."""
    if not isinstance(loader, Instance) or not isinstance(loader.cls, ClassV):
        return False
    return any(isinstance(base, ClassV) and "get_source" in base.slots for base in loader.cls.mro)


def _loading(machine: Machine, obj: Instance, call: str) -> Loading:
    settings = {}
    for name in SYNTAX:
        value = obj.slots.get(name)
        text = text_of(value) if value is not None else None
        if isinstance(text, str) and text:
            settings[name] = text
    return Loading(machine, obj.slots.get("loader", NONE), settings, call, obj)


def _known_names(machine: Machine, value: Any) -> tuple[str, ...] | None:
    """The template names that an argument gives; None when some are not known."""
    text = text_of(value)
    if isinstance(text, str):
        return (text,)
    if isinstance(value, ListObj | TupleV) and value.rest is None:
        found = [text_of(item) for item in machine.iterate(value).items]
        known = tuple(name for name in found if isinstance(name, str))
        return known if len(known) == len(found) else None
    return None


@method(
    "jinja2.Environment.get_template",
    "jinja2.Environment.select_template",
    "jinja2.Environment.get_or_select_template",
)
def get_template(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`environment.get_template(name)`; a name that is not known is left to the effect tables."""
    given = next((value for value in (*args.pos[:1], *args.kw.values())), NONE)
    results = [_known_names(machine, option) for option in options(given)]
    if any(names is None for names in results):
        return None
    for names in results:
        loading = _loading(machine, obj, "jinja2.Environment.get_template")
        if names is None or not loading.load(names, conditional=len(results) > 1):
            return None
    return Instance(Ext("jinja2.Template"))


@function("flask.render_template", "flask.stream_template")
def render_template(machine: Machine, args: Arguments) -> AnyValue | None:
    """`render_template(name)`: the templates of a Flask application lie in `templates`."""
    names = _known_names(machine, args.pos[0]) if args.pos else None
    loader = Instance(Ext("jinja2.FileSystemLoader"))
    loader.slots["searchpath"] = Known("templates")
    if names is None or not Loading(machine, loader, {}, "flask.render_template").load(names):
        return None
    return text_hole("data", slash=True)


@method("jinja2.Environment.from_string")
def from_string(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`environment.from_string(text)`."""
    source = text_of(args.pos[0]) if args.pos else None
    if isinstance(source, str):
        _loading(machine, obj, "jinja2.Environment.from_string").follow(source)
    return Instance(Ext("jinja2.Template"))
