"""click's command lines: the real click parser takes the words apart, the values are worked out abstractly.

Every declared parameter is rebuilt as a click parameter without type, callback and default; what the parser leaves is
then looked up, converted and handed on in click's own order: command line, environment, default map, default.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import click
import click.core

from taskgates.inference.models.command_lines.click_types import misused
from taskgates.inference.models.command_lines.words import Words
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance, ListObj, Maybe
from taskgates.inference.text import Hole, Text
from taskgates.inference.values import (
    NONE,
    TRUE,
    AnyValue,
    Ext,
    Known,
    TupleV,
    Unknown,
    as_value,
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


MISSING = object()
"""Stands for a parameter that the command line does not give."""


def raw_value(parsed: Parsed, name: str, params: list[Instance]) -> AnyValue | object:
    """The abstract value that the parser left for a parameter; `MISSING` when the command line has none."""
    raw = parsed.values.get(name)
    if raw is None or _is_unset(raw):
        return MISSING
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


__all__ = [
    "DECLARATIONS",
    "DECLARED",
    "ORIGIN",
    "Exit",
    "Parsed",
    "attribute",
    "declared",
    "is_true",
    "names_of",
    "param_kind",
    "parse",
    "rebuild",
]
