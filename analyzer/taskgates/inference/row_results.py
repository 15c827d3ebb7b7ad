"""What a library call gives back, as its effect row says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.effects import (
    Kind,
    ReturnForm,
    Returns,
    Row,
)
from taskgates.inference.models import registry
from taskgates.inference.objects import VALUES, Arguments, ClassV, DictObj, FunctionV, Instance, ListObj
from taskgates.inference.paths import pure_path
from taskgates.inference.renderings import render, text_hole
from taskgates.inference.row_values import RowValues, type_name_of
from taskgates.inference.values import (
    BOOL,
    BYTES,
    FLOAT,
    INT,
    NONE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    Native,
    PathV,
    TupleV,
    Unknown,
    as_value,
    join,
    path_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


_SCALARS: dict[str, AnyValue] = {"int": INT, "float": FLOAT, "bool": BOOL, "bytes": BYTES, "complex": FLOAT}
HANDLE = "io.TextIOWrapper"


OPENED = ("opened",)
"""The slot of a library object for the path that it was made from, and the mode."""


class RowResults(RowValues):
    """The part of the interpreter that makes the results of library calls."""

    def result(  # noqa: C901, PLR0917 - one branch for each form, and all that they need
        self,
        returns: Returns,
        row: Row | None,
        bound: dict[str, AnyValue],
        args: Arguments,
        obj: AnyValue | None,
        called: AnyValue,
        opened: AnyValue | None = None,
        mode: AnyValue | None = None,
    ) -> AnyValue:
        """The value that a `Returns` stands for."""
        form = returns.form
        origin = row.origin if row is not None else ""
        if form is ReturnForm.NONE:
            return NONE
        if form is ReturnForm.UNKNOWN:
            return Unknown(f"the result of {row.name}" if row is not None else "", origin or "data")
        if form is ReturnForm.SELF:
            if obj is not None:
                return Instance(obj.cls) if isinstance(obj, Instance) and VALUES in obj.slots else obj
            # A class method: the result is an object of the class that has the row.
            owner = self.effects.type(row.name.rpartition(".")[0]) if row is not None else None
            return Instance(Ext(owner.name)) if owner is not None else UNKNOWN
        if form is ReturnForm.CALL:
            return called
        if form is ReturnForm.ITEM:
            held: AnyValue | None = obj.slots.get("item") if isinstance(obj, Instance) else None
            if held is not None:
                return held
            if isinstance(obj, Instance):
                return self.external_item(obj, type_name_of(obj) or "")
            return UNKNOWN
        if form is ReturnForm.HANDLE:
            if returns.path is not None and row is not None:
                values = self.path_values(returns.path, row, bound, obj)
                return self.open_handle(join(values) if values else UNKNOWN, Known(returns.mode or "r"))
            return self.open_handle(opened if opened is not None else UNKNOWN, mode or Known("r"))
        if form is ReturnForm.UNION:
            found: list[AnyValue] = []
            for member in returns.args:
                decided = self.all_hold(row, bound, obj, member.when) if member.when and row is not None else None
                if decided is False:
                    continue
                found.append(self.result(member, row, bound, args, obj, called, opened, mode))
                if decided is True:
                    break
            return join(found)
        if form in (ReturnForm.PATH, ReturnForm.TEXT) and returns.path is not None and row is not None:
            return _path_result(form, self.path_values(returns.path, row, bound, obj), origin or "data")
        if form is ReturnForm.PARAM and returns.piece is not None and row is not None:
            value = self.piece(returns.piece, row, bound, obj)
            return value if value is not None else NONE
        if form is ReturnForm.ELEMENT and returns.piece is not None and row is not None:
            value = self.piece(returns.piece, row, bound, obj)
            return UNKNOWN if value is None else self.any_element(value)
        if form is ReturnForm.DECORATOR:
            return self.decorator(returns, args)
        if form is ReturnForm.TYPE:
            inner = [self.result(arg, row, bound, args, obj, called, opened, mode) for arg in returns.args]
            made = typed(returns.name, inner, origin)
            if inner and isinstance(made, Instance):
                made.slots["item"] = join(inner)
            if opened is not None and isinstance(made, Instance):
                made.slots[OPENED] = TupleV([opened, mode or Known("r")])
            return made
        return UNKNOWN

    def any_element(self, value: AnyValue) -> AnyValue:
        """Whichever element of a value."""
        content = self.elements_given(value)
        every = [*content.items, *([content.rest] if content.rest is not None else [])]
        return join(every) if every else UNKNOWN

    def elements_given(self, value: AnyValue) -> TupleV:
        """The elements of an argument as a library takes them; unknown ones of a number that it counts to."""
        if isinstance(value, Known) and not isinstance(value.value, str | bytes | range):
            return TupleV((), None if value.value is None else UNKNOWN)
        return self.iterate(value)

    def decorator(self, returns: Returns, args: Arguments) -> AnyValue:
        """A library decorator: the function it is given comes back; one that runs `later` is called."""
        later = returns.mode == "later"

        def run(machine: Any, inner: Arguments) -> AnyValue:
            value = inner.pos[0] if inner.pos else UNKNOWN
            if later:
                machine.call_with_unknowns(value)
            return value

        first = args.pos[0] if args.pos else None
        if isinstance(first, FunctionV | ClassV | BoundMethod) and len(args.pos) == 1 and not args.kw:
            return run(self, args)
        return Native("decorator", run)

    def open_handle(self, path: AnyValue, mode: AnyValue) -> AnyValue:
        """An open file."""
        instance = Instance(Ext(HANDLE))
        instance.slots["name"] = path
        instance.slots["mode"] = mode
        return instance

    def type_names(self, name: str) -> list[str]:
        """A library type and its bases."""
        return [name, *(row.name for row in self.effects.linearisation(name))]

    def external_attribute(self, obj: Instance, type_name: str, name: str) -> AnyValue | None:
        """An attribute of a library object that the tables list; None when it is a method or unlisted."""
        for candidate in self.type_names(type_name):
            model = registry.METHODS.get(f"{candidate}.@{name}")
            if model is not None:
                return model(self, obj, Arguments())  # type: ignore[no-any-return]
        listed = self.effects.attribute(type_name, name)
        if listed is not None:
            return self.result(listed, self.effects.type(type_name), {}, Arguments(), obj, UNKNOWN)
        if any(f"{c}.{name}" in registry.METHODS for c in self.type_names(type_name)):
            return None
        if self.effects.method(type_name, name) is not None:
            return None
        if self.effects.type(type_name) is not None and not name.startswith("__"):
            unlisted = self.effects.unlisted(f"{type_name}.{name}")
            if unlisted.returns.form is ReturnForm.TYPE and unlisted.returns.name in ("str", "int", "float"):
                return self.result(unlisted.returns, None, {}, Arguments(), obj, UNKNOWN)
        dynamic = registry.METHODS.get(f"{type_name}.__getattr__") if not name.startswith("__") else None
        return dynamic(self, obj, Arguments([Known(name)])) if dynamic is not None else None

    def external_item(self, obj: Instance, type_name: str) -> AnyValue:
        """What subscripting a library object gives."""
        for row in self.effects.linearisation(type_name):
            if row.item is not None:
                return self.result(row.item, row, {}, Arguments(), obj, UNKNOWN)
        unlisted = self.effects.unlisted(f"{type_name}.__getitem__")
        if unlisted.returns.form is ReturnForm.SELF:
            return Instance(obj.cls) if isinstance(obj.cls, Ext) else UNKNOWN
        self.may_raise()
        return Unknown(f"an element of {type_name}", "data")

    def external_iter(self, obj: Instance, type_name: str) -> TupleV:
        """What iterating over a library object gives."""
        for row in self.effects.linearisation(type_name):
            if row.iter is not None or row.item is not None:
                found = row.iter or row.item
                assert found is not None
                value = self.result(found, row, {}, Arguments(), obj, UNKNOWN)
                if found.form is ReturnForm.ELEMENT:
                    return TupleV((), value)
                return TupleV((), value)
        self.may_raise()
        return TupleV((), Unknown(f"an element of {type_name}", "data"))

    def external_context(self, obj: Instance, type_name: str) -> AnyValue:
        """What `with` binds for a library object."""
        for row in self.effects.linearisation(type_name):
            if row.context is not None:
                return self.result(row.context, row, {}, Arguments(), obj, UNKNOWN)
        return obj

    def listed_value(self, name: str) -> AnyValue | None:
        """The value of a library attribute that the tables list; None for anything else."""
        row = self.effects.lookup(name)
        if row is None or row.kind is not Kind.VALUE:
            return None
        if row.constant is not None:
            return Known(row.constant)
        if row.returns is None:
            return None
        return self.result(row.returns, row, {}, Arguments(), None, UNKNOWN)


def _path_result(form: ReturnForm, values: Sequence[AnyValue], origin: str) -> AnyValue:
    """The paths or texts that a call returns for the path values of its row."""
    if not values:
        return text_hole(origin) if form is ReturnForm.TEXT else PathV(text_hole(origin, slash=True))
    if form is ReturnForm.PATH:
        return join(PathV(pure_path(path_text(value) or render(value))) for value in values)
    return join(as_value(path_text(value) or render(value)) for value in values)


def typed(name: str, inner: list[AnyValue], origin: str) -> AnyValue:
    """An unknown value of a type that the tables name."""
    if name == "str":
        return text_hole(origin or "data", slash=origin in ("environment", "argument"))
    if name in _SCALARS:
        return _SCALARS[name]
    first = inner[0] if inner else Unknown("an element of a library's result", origin or "data")
    if name in ("list", "set", "frozenset", "deque"):
        return ListObj(name, (), first)
    if name == "iter":
        return ListObj("iterator", (), first)
    if name == "tuple":
        return TupleV(inner) if len(inner) != 1 else TupleV((), first)
    if name == "dict":
        value = inner[1] if len(inner) > 1 else Unknown("an entry of a library's result", origin or "data")
        return DictObj("dict", None, value)
    if name == "optional":
        return join([NONE, first])
    if name in ("none", "None"):
        return NONE
    if name in ("pathlib.Path", "pathlib.PurePath"):
        return PathV(text_hole(origin or "data", slash=True))
    return Instance(Ext(name))
