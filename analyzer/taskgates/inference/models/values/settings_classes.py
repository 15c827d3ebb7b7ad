"""Settings classes of pydantic: fields that the environment and `.env` files fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import FUNCTIONS, Machine, function
from taskgates.inference.models.system.environment import dotenv_file
from taskgates.inference.models.values.structuring import field_annotations, nested_class
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance, ListObj
from taskgates.inference.text import Hole, Text
from taskgates.inference.values import NONE, AnyValue, Ext, Known, TupleV, Unknown, path_text, text_of
from taskgates.model.access import SharedKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taskgates.inference.text import TextLike

BASES = frozenset({"pydantic_settings.BaseSettings", "pydantic.BaseSettings"})
_CALL = "pydantic_settings.BaseSettings"


@function("pydantic_settings.SettingsConfigDict", "pydantic.ConfigDict")
def config_dict(machine: Machine, args: Arguments) -> AnyValue:
    """`SettingsConfigDict(env_file=...)`: a dict."""
    del machine
    return DictObj("dict", {Known(name): value for name, value in args.kw.items()}, args.kwstar)


@function("pydantic.computed_field")
def computed_field(machine: Machine, args: Arguments) -> AnyValue:
    """`@computed_field` over a property: the property."""
    del machine
    return args.pos[0] if args.pos else Ext("pydantic.computed_field")


class _Source:
    """The variables that a settings class looks in: the environment, then its files."""

    def __init__(self, machine: Machine, files: Mapping[str, AnyValue], *, exact: bool, hidden: bool) -> None:
        self.machine = machine
        self.exact = exact
        self.hidden = hidden  # a file of variables is not known
        self.delimiter: TextLike | None = None  # between the name of a field and that of a field of its class
        self.found: dict[str, AnyValue] = {self._folded(name): value for name, value in files.items()}
        for name, text in machine.environ.items():
            self.found[self._folded(name)] = Known(text)
        for name, value in machine.set_environ.items():
            self.found[self._folded(name)] = value

    def _folded(self, name: str) -> str:
        return name if self.exact else name.lower()

    def get(self, name: str) -> AnyValue | None:
        """The value of a variable; None where none is set."""
        found = self.found.get(self._folded(name))
        if found is not None:
            return None if found == NONE else found
        value: AnyValue = self.machine.env_value(name if self.exact else name.upper())
        if isinstance(value, Unknown):
            return Text((Hole("environment", True, name),))
        return None if value == NONE else value


def settings_values(machine: Machine, cls: ClassV, given: Mapping[str, AnyValue]) -> dict[str, AnyValue]:
    """The arguments of a settings object, those from its environment included."""
    options = _options(cls)
    for name in ("env_file", "env_prefix", "env_nested_delimiter", "case_sensitive"):
        if f"_{name}" in given:
            options[name] = given[f"_{name}"]
    out = {name: value for name, value in given.items() if not name.startswith("_")}
    machine.shared("environment", SharedKind.PROCESS, "read", call=_CALL)
    files, hidden = _files(machine, options.get("env_file", NONE))
    exact = "case_sensitive" in options and machine.truth(options["case_sensitive"]) is True
    source = _Source(machine, files, exact=exact, hidden=hidden)
    prefix = text_of(options.get("env_prefix", NONE))
    source.delimiter = text_of(options.get("env_nested_delimiter", NONE))
    traits = [base.traits for base in cls.mro if isinstance(base, ClassV) and "fields" in base.traits]
    for name, default in (traits[0]["fields"] if traits else {}).items():
        if name in out:
            continue
        known = (prefix if isinstance(prefix, str) else "") + name
        aliases = _aliases(default)
        value = next((found for each in aliases or [known] if (found := source.get(each)) is not None), None)
        if value is None:
            value = _nested(source, cls, name, known)
        if value is None and source.hidden:
            value = Text((Hole("data", True),))
        if value is not None:
            out[name] = value
    return out


def _options(cls: ClassV) -> dict[str, AnyValue]:
    """The options of a settings class and its bases: `model_config`, or an inner class `Config`."""
    out: dict[str, AnyValue] = {}
    for base in reversed(cls.mro):
        if not isinstance(base, ClassV):
            continue
        given = base.slots.get("model_config")
        if isinstance(given, DictObj):
            out.update((key.value, value) for key, value in given.known() if isinstance(key, Known))
        inner = base.slots.get("Config")
        if isinstance(inner, ClassV):
            out.update((name, value) for name, value in inner.slots.items() if isinstance(name, str))
    return out


def _files(machine: Machine, value: AnyValue) -> tuple[dict[str, AnyValue], bool]:
    """The variables of the files of a settings class, and whether some of them are not known."""
    if value == NONE:
        return {}, False
    listed = value.items if isinstance(value, TupleV | ListObj) else [value]
    out: dict[str, AnyValue] = {}
    hidden = False
    for each in listed:
        found = dotenv_file(machine, each, _CALL) if path_text(each) is not None else None
        if found is None:
            hidden = True
            machine.opaque("the file of variables of a settings class is not known")
        else:
            out.update((name, Known(text)) for name, text in found.items())
    return out, hidden


def _aliases(default: AnyValue | None) -> list[str]:
    """The variables that `Field(alias=..., validation_alias=..., env=...)` names."""
    if not isinstance(default, Instance):
        return []
    for slot in ("validation_alias", "alias", "env"):
        if slot in default.slots:
            given = default.slots[slot]
            listed = given.items if isinstance(given, TupleV | ListObj) else [given]
            return [text for each in listed if isinstance(text := text_of(each), str)]
    return []


def _nested(source: _Source, cls: ClassV, name: str, start: str) -> AnyValue | None:
    """The mapping that variables such as `DATA__DIR` make for a field whose class has fields itself."""
    known = field_annotations(cls)
    inner = nested_class(source.machine, *known[name]) if name in known else None
    if inner is None or not isinstance(source.delimiter, str) or not source.delimiter:
        return None
    out = DictObj("dict")
    for field in field_annotations(inner):
        variable = start + source.delimiter + field
        value = source.get(variable)
        if value is None:
            value = _nested(source, inner, field, variable)
        if value is not None:
            out.slots[Known(field)] = value
    return out if out.slots else None


FUNCTIONS.setdefault("pydantic.AliasChoices", lambda _, args: TupleV(args.pos))
