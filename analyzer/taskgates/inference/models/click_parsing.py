"""click's command lines: the real click parser takes the words apart, the values are worked out abstractly.

Every declared parameter is rebuilt as a click parameter without type, callback and default; what the parser leaves is
then looked up, converted and handed on in click's own order: command line, environment, default map, default.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import click
import click.core

from taskgates.inference.models import click_types
from taskgates.inference.models.click_types import misused
from taskgates.inference.models.words import Words
from taskgates.inference.text import Hole, Text, TextLike
from taskgates.inference.values import (
    BOOL,
    FALSE,
    INT,
    NONE,
    TRUE,
    AnyValue,
    Arguments,
    BoundMethod,
    ClassV,
    DictObj,
    Ext,
    FunctionV,
    Instance,
    Known,
    ListObj,
    Maybe,
    Method,
    Native,
    Partial,
    TupleV,
    Unknown,
    as_value,
    join,
    options,
    text_hole,
    text_of,
)

if TYPE_CHECKING:
    from taskgates.inference.models.registry import Machine

DECLARED = ("declared",)
"""The slot of a parameter or command that keeps its keyword arguments."""
DECLARATIONS = ("declarations",)
"""The slot of a parameter that keeps its option strings or name."""
ORIGIN = ("origin",)
"""The slot of a context that says where an unknown command line comes from."""
REPEATS = 4
"""How many words the unknown end of a command line is tried as."""
_REST = "\uf8ff"
_FLAG = "\x00flag"
_SETTINGS = ("ignore_unknown_options", "allow_extra_args", "allow_interspersed_args")


class Exit(Exception):  # noqa: N818 - a signal: help or version was asked for
    """The command ends before it begins."""


def declared(obj: Instance) -> dict[str, AnyValue]:
    """The keyword arguments of a parameter or command."""
    kept = obj.slots.get(DECLARED)
    if not isinstance(kept, DictObj):
        return {}
    return {key.value: value for key, value in kept.known() if isinstance(key, Known) and isinstance(key.value, str)}


def is_true(value: AnyValue | None) -> bool:
    """Whether a setting is certainly on."""
    return isinstance(value, Known) and bool(value.value)


def attribute(obj: Instance, name: Any) -> Any:
    """A slot, whether it is certain or not."""
    value = obj.slots.get(name)
    return value.value if isinstance(value, Maybe) else value


def names_of(param: Instance) -> list[str]:
    """The known option strings or the name of a parameter."""
    kept = attribute(param, DECLARATIONS)
    items = kept.items if isinstance(kept, TupleV) else ()
    return [item.value for item in items if isinstance(item, Known) and isinstance(item.value, str)]


# Rebuilding ----------------------------------------------------------------------------------------------------------


def rebuild(param: Instance, index: int = 0) -> click.Parameter | None:
    """A click parameter with the same names and the same appetite for words; None where click refuses it."""
    spec = declared(param)
    names = names_of(param)
    if not names:
        return None
    extra: dict[str, Any] = {}
    nargs = spec.get("nargs")
    if isinstance(nargs, Known) and isinstance(nargs.value, int):
        extra["nargs"] = nargs.value
    elif (parts := _fixed_members(spec.get("type"))) is not None:
        extra["nargs"] = len(parts)
    try:
        if param_kind(param) == "argument":
            return click.Argument(names, type=click.UNPROCESSED, required=False, **extra)
        for name in ("multiple", "count"):
            if is_true(spec.get(name)):
                extra[name] = True
        flag = spec.get("is_flag")
        if isinstance(flag, Known) and flag.value is not None:
            extra["is_flag"] = bool(flag.value)
        if spec.get("flag_value", NONE) != NONE:
            extra["flag_value"] = f"{_FLAG}{index}"
            return click.Option(names, type=click.UNPROCESSED, **extra)
        option = click.Option(names, **extra)
        if option.is_flag or option.count:
            return option
        return click.Option(names, type=click.UNPROCESSED, **extra)
    except (TypeError, ValueError):
        return None


def _fixed_members(kind: AnyValue | None) -> tuple[AnyValue, ...] | None:
    if isinstance(kind, Instance) and kind.cls == Ext("click.Tuple"):
        kind = kind.slots.get("types")
    if isinstance(kind, TupleV | ListObj) and kind.rest is None:
        return kind.items
    return None


def param_kind(param: Instance) -> str:
    """`argument` or `option`."""
    bases = param.cls.mro if isinstance(param.cls, ClassV) else (param.cls,)
    return "argument" if any(isinstance(base, Ext) and base.name == "click.Argument" for base in bases) else "option"


# Parsing -------------------------------------------------------------------------------------------------------------


class Parsed:
    """What the parser made of the words.

    Attributes:
        values: raw values by parameter name, as click's parser leaves them.
        order: names of the parameters that were given, in order.
        left: words that no parameter took.
        rest: the summary of further words, when it was left over.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.order: list[str] = []
        self.left: list[AnyValue] = []
        self.rest: AnyValue | None = None
        self.words = Words()
        self.open_end: AnyValue | None = None


def parse(
    machine: Machine,
    params: list[Instance],
    settings: dict[str, AnyValue],
    items: tuple[AnyValue, ...],
    rest: AnyValue | None,
    *,
    is_group: bool,
    add_help: bool = True,
) -> Parsed:
    """Take a command line apart.

    Args:
        machine: the interpreter.
        params: the declared parameters.
        settings: context settings.
        items: the words.
        rest: a summary of any number of further words.
        is_group: whether what is left belongs to a subcommand.
        add_help: whether there is a `--help` option.

    Raises:
        Exit: when help or the version is asked for.
        AbstractRaise: a usage error.
    """
    real: list[click.Parameter] = [
        made for index, param in enumerate(params) if (made := rebuild(param, index)) is not None
    ]
    kind = click.Group if is_group else click.Command
    command = kind("program", params=real, add_help_option=add_help)
    known: dict[str, Any] = {
        name: bool(value.value) for name in _SETTINGS if isinstance(value := settings.get(name), Known)
    }
    if "help_option_names" in settings:
        found = [text_of(name) for name in machine.iterate(settings["help_option_names"]).items]
        known["help_option_names"] = [name for name in found if isinstance(name, str)]
    normalise = settings.get("token_normalize_func")
    if normalise is not None and normalise != NONE:

        def normalised(word: str) -> str:
            made = text_of(machine.call(normalise, Arguments([Known(word)])))
            return made if isinstance(made, str) else word

        known["token_normalize_func"] = normalised
    context = click.Context(command, info_name="program", **known)
    counts = [*range(1, REPEATS + 1), 0] if rest is not None else [0]
    problem: click.UsageError | None = None
    for count in counts:
        out = Parsed()
        out.open_end = rest
        words = [out.words.encode(item) for item in items] + [_REST] * count
        try:
            with warnings.catch_warnings():
                # click warns of what a program declares twice.
                warnings.simplefilter("ignore")
                values, left, order = command.make_parser(context).parse_args(list(words))
        except click.UsageError as error:
            problem = problem or error
            continue
        help_option = command.get_help_option(context)
        if help_option is not None and help_option.name is not None and values.get(help_option.name) is True:
            raise Exit
        if left and not is_group and not context.allow_extra_args and not (rest is not None and set(left) == {_REST}):
            problem = problem or click.UsageError(f"unexpected extra argument {left[0]}")
            continue
        out.values = dict(values)
        out.order = [param.name for param in order if param.name is not None]
        out.left = [out.words.decode(word) for word in left if word != _REST]
        out.rest = rest if _REST in left or (rest is not None and is_group) else None
        return out
    raise misused(problem.format_message() if problem is not None else "the command line does not parse")


_MISSING = object()


def raw_value(parsed: Parsed, name: str, params: list[Instance]) -> AnyValue | object:
    """The abstract value that the parser left for a parameter; `_MISSING` when the command line has none."""
    raw = parsed.values.get(name)
    if raw is None or _is_unset(raw):
        return _MISSING
    return _raw(parsed, raw, params)


def _is_unset(raw: Any) -> bool:
    return not isinstance(raw, str | bool | int | list | tuple) and "UNSET" in repr(raw)


def _raw(parsed: Parsed, raw: Any, params: list[Instance]) -> AnyValue:
    if isinstance(raw, str):
        if raw == _REST and parsed.open_end is not None:
            return hole_of(parsed.open_end)
        if raw.startswith(_FLAG):
            return declared(params[int(raw[len(_FLAG) :])])["flag_value"]
        return parsed.words.decode(raw)
    if isinstance(raw, bool | int):
        return Known(raw)
    if isinstance(raw, list | tuple):
        items = [_raw(parsed, item, params) for item in raw if item != _REST and not _is_unset(item)]
        return TupleV(items, hole_of(parsed.open_end) if _REST in raw and parsed.open_end is not None else None)
    return TRUE


def needs_value(raw: Any) -> bool:
    """Whether the parser met an option that stands without its optional value."""
    return raw is not None and not isinstance(raw, str | bool | int | list | tuple) and not _is_unset(raw)


def hole_of(value: AnyValue, name: str = "") -> AnyValue:
    """An unknown word of the command line."""
    if isinstance(value, Unknown):
        return as_value(Text((Hole(value.origin, True, name),)))
    return value


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
    given: AnyValue | object = _MISSING
    if parsed is not None:
        raw = parsed.values.get(name)
        given = spec.get("flag_value", TRUE) if needs_value(raw) else raw_value(parsed, name, params)
    if given is not _MISSING:
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


__all__ = [
    "DECLARATIONS",
    "DECLARED",
    "ORIGIN",
    "Exit",
    "Parsed",
    "attribute",
    "cast",
    "declared",
    "default_of",
    "fallback_of",
    "is_required",
    "is_true",
    "names_of",
    "param_kind",
    "parse",
    "rebuild",
    "source_of",
    "value_of",
]
