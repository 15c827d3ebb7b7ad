"""click's parameter types: what a word of the command line becomes."""

from __future__ import annotations

import contextlib
import datetime as dt
from functools import partial

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, ClassV, Instance, ListObj
from taskgates.inference.text import Text
from taskgates.inference.values import (
    BOOL,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    PathV,
    Scalar,
    TupleV,
    Union,
    Unknown,
    join,
    path_text,
    text_of,
)

SIGNATURES: dict[str, tuple[str, ...]] = {
    "click.ParamType": (),
    "click.Path": (
        "exists",
        "file_okay",
        "dir_okay",
        "writable",
        "readable",
        "resolve_path",
        "allow_dash",
        "path_type",
        "executable",
    ),
    "click.File": ("mode", "encoding", "errors", "lazy", "atomic"),
    "click.Choice": ("choices", "case_sensitive"),
    "click.IntRange": ("min", "max", "min_open", "max_open", "clamp"),
    "click.FloatRange": ("min", "max", "min_open", "max_open", "clamp"),
    "click.DateTime": ("formats",),
    "click.Tuple": ("types",),
}
"""Parameter types that are constructed, with the parameters of their constructors."""

_PLAIN = frozenset({"builtins.str", "click.STRING", "click.UNPROCESSED", "typing.Any", "builtins.object"})
_CALLED = {
    "builtins.int": "builtins.int",
    "click.INT": "builtins.int",
    "builtins.float": "builtins.float",
    "click.FLOAT": "builtins.float",
    "click.UUID": "uuid.UUID",
}
_TRUE_WORDS = frozenset({"true", "1", "yes", "t", "y", "on"})
_FALSE_WORDS = frozenset({"false", "0", "no", "f", "n", "off", ""})


USAGE = ("usage",)
"""The slot that tells a usage error of the command line from one that the program raises itself."""


def misused(message: str) -> AbstractRaise:
    """The command line does not fit the declarations: the error that click raises then."""
    error = Instance(Ext("click.UsageError"))
    error.slots["message"] = Known(message)
    error.slots[USAGE] = Known(message)
    return AbstractRaise(error)


def _constructor(name: str) -> None:
    signature = SIGNATURES[name]

    def fill(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        for index, parameter in enumerate(signature):
            value = args.get(index, parameter)
            if value is not None:
                machine.state.write(obj.slots, parameter, value)
        return NONE

    def make(machine: Machine, args: Arguments) -> AnyValue:
        out = Instance(Ext(name))
        fill(machine, out, args)
        return out

    function(name)(make)
    method(f"{name}.__init__")(fill)
    method(f"{name}.convert")(_convert_method)
    method(f"{name}.__call__")(_convert_method)
    method(f"{name}.fail")(_fail)


def _convert_method(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`super().convert(value, param, ctx)`."""
    name = next((base.name for base in _bases(obj) if isinstance(base, Ext) and base.name in SIGNATURES), "")
    return library_type(machine, name, obj, args.get(0, "value") or UNKNOWN)


def _fail(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`self.fail(message)` of a parameter type."""
    del machine, obj, args
    raise AbstractRaise(Instance(Ext("click.BadParameter")))


for _name in SIGNATURES:
    _constructor(_name)


def _bases(obj: Instance) -> tuple[ClassV | Ext, ...]:
    return obj.cls.mro if isinstance(obj.cls, ClassV) else (obj.cls,)


def is_param_type(cls: ClassV) -> bool:
    """Whether a class of the analysed code is a parameter type of click."""
    return any(isinstance(base, Ext) and base.name in SIGNATURES for base in cls.mro)


def members(machine: Machine, kind: AnyValue | None) -> list[AnyValue] | None:
    """The member types of a composite type (`type=(str, int)`), else None."""
    if isinstance(kind, Instance) and isinstance(kind.cls, Ext) and kind.cls.name == "click.Tuple":
        kind = kind.slots.get("types")
    if isinstance(kind, TupleV | ListObj):
        return list(machine.iterate(kind).items)
    return None


def guessed(default: AnyValue | None) -> AnyValue | None:
    """The type that click takes from a default when none is declared."""
    if isinstance(default, TupleV | ListObj):
        return guessed(default.items[0]) if default.items else None
    if isinstance(default, Known) and isinstance(default.value, bool | int | float):
        return Ext(f"builtins.{type(default.value).__name__}")
    if isinstance(default, Scalar) and default.kind in ("bool", "int", "float"):
        return Ext(f"builtins.{default.kind}")
    return None


def convert(machine: Machine, kind: AnyValue | None, value: AnyValue, param: AnyValue, ctx: AnyValue) -> AnyValue:
    """What a parameter type makes of a value.

    Raises:
        AbstractRaise: a usage error, when a known value certainly does not fit.
    """
    if kind is None or kind in (NONE, value) or value == NONE:
        return value
    if isinstance(value, Union):
        plain = [option for option in value.options if option != NONE]
        results = [convert(machine, kind, option, param, ctx) for option in plain]
        return join([*results, *([NONE] if len(plain) < len(value.options) else [])])
    if isinstance(kind, Union):
        return machine.choose([partial(convert, machine, option, value, param, ctx) for option in kind.options])  # type: ignore[no-any-return]
    if isinstance(kind, Unknown):
        return Unknown("a value of a parameter type that is not known", "argument")
    if isinstance(kind, Ext):
        return _named_type(machine, kind, value, param, ctx)
    if isinstance(kind, ClassV) and is_param_type(kind):
        kind = machine.call(kind, Arguments())
    if isinstance(kind, Instance):
        if machine.has_attr(kind, "convert"):
            return machine.call(machine.get_attr(kind, "convert"), Arguments([value, param, ctx]))  # type: ignore[no-any-return]
        name = next((base.name for base in _bases(kind) if isinstance(base, Ext) and base.name in SIGNATURES), None)
        if name is not None:
            return library_type(machine, name, kind, value)
    return _called(machine, kind, value)


def _named_type(machine: Machine, kind: Ext, value: AnyValue, param: AnyValue, ctx: AnyValue) -> AnyValue:
    if kind.name in _PLAIN:
        return value
    if kind.name in ("builtins.bool", "click.BOOL"):
        return boolean(value)
    if kind.name in SIGNATURES:
        return convert(machine, Instance(kind), value, param, ctx)
    return _called(machine, Ext(_CALLED.get(kind.name, kind.name)), value)


def _called(machine: Machine, kind: AnyValue, value: AnyValue) -> AnyValue:
    """A type that is any callable: ValueError means that the value does not fit."""
    try:
        return machine.call(kind, Arguments([value]))  # type: ignore[no-any-return]
    except AbstractRaise as error:
        raised = error.value
        if isinstance(raised, Instance) and raised.cls == Ext("builtins.ValueError"):
            raise misused(f"{value} is not a valid value") from None
        raise


def boolean(value: AnyValue) -> AnyValue:
    """The words for true and false that click knows."""
    if isinstance(value, Known):
        if isinstance(value.value, bool):
            return value
        word = str(value.value).strip().lower()
        if word in _TRUE_WORDS or word in _FALSE_WORDS:
            return Known(word in _TRUE_WORDS)
        raise misused(f"{value.value!r} is not a valid boolean")
    return BOOL


def library_type(machine: Machine, name: str, kind: Instance, value: AnyValue) -> AnyValue:
    """What one of click's own constructed types makes of a value."""
    if name == "click.Path":
        return _path(machine, kind, value)
    if name == "click.File":
        return _file(machine, kind, value)
    if name == "click.Choice":
        return _choice(machine, kind, value)
    if name in ("click.IntRange", "click.FloatRange"):
        return _called(machine, Ext("builtins.int" if name == "click.IntRange" else "builtins.float"), value)
    if name == "click.DateTime":
        return _moment(machine, kind, value)
    return value


_MOMENTS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")
"""The formats of `click.DateTime` that names none."""


def _moment(machine: Machine, kind: Instance, value: AnyValue) -> AnyValue:
    """What `click.DateTime` makes of a word, by the first format that fits."""
    if isinstance(value, Known) and not isinstance(value.value, str):
        return value
    given = kind.slots.get("formats", NONE)
    formats = [Known(each) for each in _MOMENTS] if given == NONE else list(machine.iterate(given).items)
    for each in formats:
        if not (isinstance(value, Known) and isinstance(each, Known) and isinstance(each.value, str)):
            break
        with contextlib.suppress(ValueError):
            return Known(dt.datetime.strptime(value.value, each.value))  # noqa: DTZ007 - as click does it
    return Instance(Ext("datetime.datetime"))


def _path(machine: Machine, kind: Instance, value: AnyValue) -> AnyValue:
    if value == Known("-") and kind.slots.get("allow_dash") == Known(True):
        return value
    if kind.slots.get("resolve_path") == Known(True):
        value = machine.call(Ext("os.path.realpath"), Arguments([value]))
    wanted = kind.slots.get("path_type", NONE)
    if wanted == NONE:
        return value
    if wanted == Ext("builtins.str"):
        return machine.call(Ext("os.fspath"), Arguments([value])) if isinstance(value, PathV) else value
    return machine.call(wanted, Arguments([value]))  # type: ignore[no-any-return]


def _file(machine: Machine, kind: Instance, value: AnyValue) -> AnyValue:
    """An open file; one that click opens lazily is taken as used."""
    mode = kind.slots.get("mode", Known("r"))
    if value == Known("-"):
        reading = isinstance(mode, Known) and "r" in str(mode.value)
        return machine.get_attr(Ext("sys"), "stdin" if reading else "stdout")  # type: ignore[no-any-return]
    if path_text(value) is None and not isinstance(value, Unknown):
        return value
    return machine.call(Ext("builtins.open"), Arguments([value, mode]))  # type: ignore[no-any-return]


def _choice(machine: Machine, kind: Instance, value: AnyValue) -> AnyValue:
    declared = kind.slots.get("choices", UNKNOWN)
    if isinstance(declared, ClassV) and "members" in declared.traits:
        return _enum_member(declared, value, kind)
    content = machine.iterate(declared)
    if isinstance(value, Known):
        if content.rest is not None or not all(isinstance(item, Known) for item in content.items):
            return value
        folded = kind.slots.get("case_sensitive") == Known(False)
        word = str(value.value)
        for item in content.items:
            own = str(item.value)
            if own == word or (folded and own.casefold() == word.casefold()):
                return item  # type: ignore[no-any-return]
        raise misused(f"{word!r} is not one of the choices")
    if isinstance(value, Text | Unknown) and content.items and content.rest is None:
        return join(content.items)
    return value


def _enum_member(cls: ClassV, value: AnyValue, kind: Instance) -> AnyValue:
    """A choice among the members of an enum is by name."""
    if value in cls.traits["members"]:
        return value
    word = text_of(value)
    if not isinstance(word, str):
        return join(cls.traits["members"])
    folded = kind.slots.get("case_sensitive") == Known(False)
    for name, member in cls.slots.items():
        if not isinstance(name, str) or not any(member is known for known in cls.traits["members"]):
            continue
        if name == word or (folded and name.casefold() == word.casefold()):
            return member  # type: ignore[no-any-return]
    raise misused(f"{word!r} is not one of the choices")


__all__ = ["SIGNATURES", "USAGE", "boolean", "convert", "guessed", "is_param_type", "members", "misused"]
