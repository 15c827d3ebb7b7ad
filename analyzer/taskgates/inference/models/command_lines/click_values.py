"""The values of click's parameters: from the command line, the environment, a map of defaults or a default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import click.core

from taskgates.inference.models.command_lines import click_types
from taskgates.inference.models.command_lines.click_parsing import (
    MISSING,
    ORIGIN,
    Parsed,
    attribute,
    declared,
    is_true,
    needs_value,
    param_kind,
    raw_value,
    rebuild,
)
from taskgates.inference.models.command_lines.click_types import misused
from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Instance, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Hole, Text, TextLike
from taskgates.inference.values import (
    BOOL,
    FALSE,
    INT,
    NONE,
    TRUE,
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    Method,
    Native,
    Partial,
    TupleV,
    Unknown,
    as_value,
    join,
    options,
    text_of,
)

if TYPE_CHECKING:
    from taskgates.inference.models.registry import Machine


# Values --------------------------------------------------------------------------------------------------------------


def value_of(
    machine: Machine, param: Instance, parsed: Parsed | None, params: list[Instance], ctx: Instance
) -> AnyValue:
    """The value of a parameter before its callback.

    Args:
        machine: the interpreter.
        param: the parameter.
        parsed: the parsed command line; None when nothing is known about it.
        params: all parameters of the command.
        ctx: the context.

    Raises:
        AbstractRaise: a usage error.
    """
    name = str(param.slots["name"].value)
    spec = declared(param)
    given: AnyValue | object = MISSING
    if parsed is not None:
        raw = parsed.values.get(name)
        given = spec.get("flag_value", TRUE) if needs_value(raw) else raw_value(parsed, name, params)
    if given is not MISSING:
        return cast(machine, param, given, ctx)  # type: ignore[arg-type]
    fallback, certain = fallback_of(machine, param, ctx)
    required = is_required(param, spec)
    if parsed is None:
        unknown = unknown_value(machine, param, ctx)
        if unknown in (BOOL, INT) and spec.get("type", NONE) == NONE and spec.get("default") != NONE:
            return unknown
        if required and not certain:
            return unknown
        return join([cast(machine, param, fallback, ctx), unknown])
    if not certain and fallback == NONE and required:
        raise misused(f"missing parameter {name}")
    return cast(machine, param, fallback, ctx)


def is_required(param: Instance, spec: dict[str, AnyValue]) -> bool:
    """Whether a parameter must be given."""
    required = spec.get("required")
    if isinstance(required, Known) and required.value is not None:
        return bool(required.value)
    if param_kind(param) == "option":
        return False
    if spec.get("default", NONE) != NONE:
        return False
    nargs = spec.get("nargs")
    return not (isinstance(nargs, Known) and isinstance(nargs.value, int) and nargs.value <= 0)


def fallback_of(machine: Machine, param: Instance, ctx: Instance) -> tuple[AnyValue, bool]:
    """What stands in for a parameter that is not on the command line, and whether something certainly does."""
    name = str(param.slots["name"].value)
    spec = declared(param)
    found = _from_environment(machine, param, spec, ctx, name)
    if found is not None:
        return found, True
    mapped = _from_default_map(machine, ctx, name)
    if mapped is not None and NONE not in options(mapped):
        return mapped, True
    default = default_of(machine, param)
    prompt = spec.get("prompt")
    if is_true(prompt) and spec.get("prompt_required") != FALSE:
        default = join([*([default] if default != NONE else []), text_hole("argument", slash=True, name=name)])
    if mapped is not None:
        default = join([*(option for option in options(mapped) if option != NONE), default])
    return default, default != NONE


def source_of(machine: Machine, param: Instance, ctx: Instance) -> AnyValue:
    """Where the value of a parameter comes from that is not on the command line: a member of `ParameterSource`."""
    name = str(param.slots["name"].value)
    if _from_environment(machine, param, declared(param), ctx, name) is not None:
        return Ext("click.core.ParameterSource.ENVIRONMENT")
    mapped = _from_default_map(machine, ctx, name)
    if mapped is None or mapped == NONE:
        return Ext("click.core.ParameterSource.DEFAULT")
    found = Ext("click.core.ParameterSource.DEFAULT_MAP")
    return join([found, Ext("click.core.ParameterSource.DEFAULT")]) if NONE in options(mapped) else found


def default_of(machine: Machine, param: Instance) -> AnyValue:
    """The declared default, called when it is a function."""
    spec = declared(param)
    default = spec.get("default", NONE)
    flag_value = spec.get("flag_value", NONE)
    if flag_value != NONE and default == TRUE:
        return flag_value
    if isinstance(default, FunctionV | BoundMethod | Partial | Native | Method | Ext) or (
        isinstance(default, ClassV) and "enum" not in default.traits
    ):
        return machine.call(default, Arguments())  # type: ignore[no-any-return]
    return default


def _from_environment(
    machine: Machine, param: Instance, spec: dict[str, AnyValue], ctx: Instance, name: str
) -> AnyValue | None:
    declared_names = spec.get("envvar", NONE)
    variables: list[AnyValue] = []
    if isinstance(declared_names, TupleV | ListObj):
        variables = list(declared_names.items)
    elif declared_names != NONE:
        variables = [declared_names]
    prefix = attribute(ctx, "auto_envvar_prefix")
    if not variables and param_kind(param) == "option" and isinstance(prefix, Known) and prefix.value:
        variables = [Known(f"{prefix.value}_{name.upper()}")]
    for variable in variables:
        text = text_of(variable)
        if not isinstance(text, str):
            continue
        value = machine.env_value(text)
        if value == NONE or value == Known(""):
            continue
        nargs = spec.get("nargs")
        many = isinstance(nargs, Known) and nargs.value != 1
        if (many or is_true(spec.get("multiple"))) and text_of(value) is not None:
            return _split(machine, spec.get("type"), value)
        return value  # type: ignore[no-any-return]
    return None


def _split(machine: Machine, kind: AnyValue | None, value: AnyValue) -> AnyValue:
    """Several values in one environment variable: split at blanks, paths at colons."""
    is_path = isinstance(kind, Instance) and kind.cls in (Ext("click.Path"), Ext("click.File"))
    separators = [Known(":")] if is_path else []
    return machine.call_method(value, "split", Arguments(separators), None)  # type: ignore[no-any-return]


def _from_default_map(machine: Machine, ctx: Instance, name: str) -> AnyValue | None:
    mapping = attribute(ctx, "default_map")
    if mapping is None or mapping == NONE:
        return None
    found: list[AnyValue] = []
    for option in options(mapping):
        if option == NONE:
            found.append(NONE)
        elif isinstance(option, DictObj) and Known(name) not in option.slots and option.rest is not None:
            # What may stand under some other name says nothing about this one.
            found.extend([NONE, Text((Hole("data", True, name),))])
        elif isinstance(option, DictObj):
            found.append(machine.call_method(option, "get", Arguments([Known(name)]), None))
        elif isinstance(option, Unknown):
            found.extend([NONE, Text((Hole(option.origin, True, name),))])
    return join(found) if found else None


def unknown_value(machine: Machine, param: Instance, ctx: Instance) -> AnyValue:
    """What a parameter may be when the command line is not known."""
    spec = declared(param)
    name = str(param.slots["name"].value)
    real = rebuild(param)
    if isinstance(real, click.Option) and real.is_flag:
        flag_value = spec.get("flag_value", NONE)
        return BOOL if flag_value == NONE else flag_value
    if isinstance(real, click.Option) and real.count:
        return INT
    origin = attribute(ctx, ORIGIN)
    word: TextLike = Text((Hole(str(origin.value) if isinstance(origin, Known) else "argument", True, name),))
    parts = click_types.members(machine, spec.get("type"))
    single: AnyValue
    if parts is not None:
        single = TupleV(_convert(machine, part, as_value(word), param, ctx) for part in parts)
    else:
        single = _convert(machine, type_of(spec), as_value(word), param, ctx)
        nargs = spec.get("nargs")
        if isinstance(nargs, Known) and isinstance(nargs.value, int) and nargs.value != 1:
            single = TupleV((), single) if nargs.value < 0 else TupleV([single] * nargs.value)
    return TupleV((), single) if is_true(spec.get("multiple")) else single


def type_of(spec: dict[str, AnyValue]) -> AnyValue | None:
    """The declared type, or the one that the default suggests."""
    kind = spec.get("type", NONE)
    return guess if kind == NONE and (guess := click_types.guessed(spec.get("default"))) is not None else kind


def cast(machine: Machine, param: Instance, value: AnyValue, ctx: Instance) -> AnyValue:
    """Convert a raw value or a default by the parameter's type and number of words."""
    spec = declared(param)
    real = rebuild(param)
    nargs = getattr(real, "nargs", 1)
    multiple = is_true(spec.get("multiple"))
    if isinstance(real, click.Option) and real.count:
        return Known(0) if value == NONE else value
    kind = type_of(spec)
    if isinstance(real, click.Option) and real.is_flag:
        if spec.get("flag_value", NONE) != NONE:
            return value if spec.get("type", NONE) == NONE else _convert(machine, kind, value, param, ctx)
        if multiple:
            return TupleV(()) if value == NONE else value
        return _flag(value, spec)
    if value == NONE:
        return TupleV(()) if multiple or nargs == -1 else NONE
    parts = click_types.members(machine, spec.get("type"))

    def occurrence(item: AnyValue) -> AnyValue:
        if parts is not None:
            content = machine.iterate(item)
            pairs = zip(parts, content.items, strict=False)
            return TupleV(_convert(machine, part, word, param, ctx) for part, word in pairs)
        if nargs == 1:
            return _convert(machine, kind, item, param, ctx)
        content = machine.iterate(item)
        return TupleV(
            [_convert(machine, kind, word, param, ctx) for word in content.items],
            _convert(machine, kind, content.rest, param, ctx) if content.rest is not None else None,
        )

    if not multiple:
        return occurrence(value)
    content = machine.iterate(value)
    return TupleV(
        [occurrence(item) for item in content.items], occurrence(content.rest) if content.rest is not None else None
    )


def _flag(value: AnyValue, spec: dict[str, AnyValue]) -> AnyValue:
    if value == NONE:
        return NONE if "default" in spec else FALSE
    return join(click_types.boolean(option) if option != NONE else NONE for option in options(value))


def _convert(machine: Machine, kind: AnyValue | None, value: AnyValue, param: Instance, ctx: Instance) -> AnyValue:
    return click_types.convert(machine, kind, value, param, ctx)
