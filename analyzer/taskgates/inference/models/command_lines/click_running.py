"""click: command lines are parsed, and callbacks called with the values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.command_lines import click_parsing as parsing
from taskgates.inference.models.command_lines import click_values
from taskgates.inference.models.command_lines.click_context import EXIT, SOURCES, close, new_context, within
from taskgates.inference.models.command_lines.click_declare import (
    GROUP,
    RESULT,
    command_method,
    command_name,
    dispatch,
    group_method,
    is_command,
    is_group,
    param_name,
    params_of,
)
from taskgates.inference.models.command_lines.click_parsing import DECLARED, ORIGIN, attribute, declared, is_true
from taskgates.inference.models.command_lines.click_types import USAGE, misused
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance, ListObj, Maybe
from taskgates.inference.values import (
    FALSE,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    TupleV,
    Union,
    Unknown,
    join,
    options,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgates.inference.models.registry import Machine

ERRORS = frozenset(
    {
        "click.ClickException",
        "click.UsageError",
        "click.BadParameter",
        "click.BadOptionUsage",
        "click.BadArgumentUsage",
        "click.MissingParameter",
        "click.NoSuchOption",
        "click.FileError",
        "click.Abort",
        "click.exceptions.Exit",
    }
)
"""Exceptions that click itself turns into an exit status."""
COMMANDLINE = Ext("click.core.ParameterSource.COMMANDLINE")
"""The source of a parameter that was given."""


def run(
    machine: Machine,
    obj: AnyValue,
    name: AnyValue,
    words: TupleV,
    parent: AnyValue = NONE,
    *,
    extra: dict[str, AnyValue] | None = None,
) -> AnyValue:
    """Parse a command line and invoke a command with it.

    Args:
        machine: the interpreter.
        obj: the command.
        name: under which name it is invoked.
        words: the command line, known words first, a summary of the others.
        parent: the context of the group.
        extra: settings of the context (`obj`, `default_map`).

    Returns:
        What the callback returns.
    """
    if isinstance(obj, Union):
        return machine.choose(  # type: ignore[no-any-return]
            [partial(run, machine, option, name, words, parent, extra=extra) for option in obj.options]
        )
    if not isinstance(obj, Instance) or not is_command(obj):
        machine.opaque("a command of a click group is not known")
        return UNKNOWN
    ctx = prepare(machine, obj, name, words, parent, extra=extra)
    return finish(machine, obj, ctx)


def prepare(
    machine: Machine,
    obj: Instance,
    name: AnyValue,
    words: TupleV,
    parent: AnyValue,
    *,
    extra: dict[str, AnyValue] | None = None,
) -> Instance:
    """A context with the parsed parameters."""
    ctx = new_context(machine, obj, name, parent, extra)
    given = ListObj("list", words.items, words.rest)
    within(machine, ctx, lambda: dispatch(machine, obj, "parse_args", parse_args, Arguments([ctx, given])))
    return ctx


def finish(machine: Machine, obj: Instance, ctx: Instance) -> AnyValue:
    """Invoke a command whose context is ready, and close the context."""
    try:
        return within(machine, ctx, lambda: dispatch(machine, obj, "invoke", invoke, Arguments([ctx])))
    finally:
        within(machine, ctx, partial(close, machine, ctx))


@command_method("parse_args")
def parse_args(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Fill a context's parameters from a command line."""
    ctx = args.get(0, "ctx")
    if not isinstance(ctx, Instance):
        return ListObj("list", (), UNKNOWN)
    content = machine.iterate(args.get(1, "args") or UNKNOWN)
    spec = declared(obj)
    params = params_of(machine, obj)
    settings = attribute(obj, "context_settings")
    known = {k.value: v for k, v in settings.known() if isinstance(k, Known)} if isinstance(settings, DictObj) else {}
    group_like = is_group(obj)
    if content.rest is not None and not content.items:
        if isinstance(content.rest, Unknown):
            machine.state.write(ctx.slots, ORIGIN, Known(content.rest.origin))
        left = ListObj("list", (), content.rest)
        fill(machine, ctx, params, None)
    else:
        if not content.items and is_true(spec.get("default_if_no_args")) and isinstance(spec.get("default"), Known):
            content = TupleV([spec["default"]])
        optional = is_true(spec.get("invoke_without_command"))
        helpful = spec.get("no_args_is_help", NONE)
        if not content.items and (is_true(helpful) or (helpful == NONE and group_like and not optional)):
            raise AbstractRaise(Instance(EXIT))
        for name in ("ignore_unknown_options", "allow_extra_args", "allow_interspersed_args"):
            if is_true(spec.get(name)) or name in spec:
                known.setdefault(name, spec[name])
        try:
            parsed = parsing.parse(
                machine,
                params,
                known,
                content.items,
                content.rest,
                is_group=group_like,
                add_help=spec.get("add_help_option") != FALSE,
            )
        except parsing.Exit:
            raise AbstractRaise(Instance(EXIT)) from None
        fill(machine, ctx, params, parsed)
        left = ListObj("list", parsed.left, parsed.rest)
    machine.state.write(ctx.slots, "args", left)
    return left


def fill(machine: Machine, ctx: Instance, params: list[Instance], parsed: parsing.Parsed | None) -> None:
    """Work out the parameters in click's order: eager ones first, then as they were given, then the others."""
    order = parsed.order if parsed is not None else []

    def position(param: Instance) -> tuple[bool, float]:
        name = param_name(param)
        return not is_true(declared(param).get("is_eager")), order.index(name) if name in order else float("inf")

    for param in sorted(params, key=position):
        name = param_name(param)
        spec = declared(param)
        if not name:
            continue
        if is_true(spec.get("ends")):
            if name in order and spec.get("callback", NONE) == NONE:
                raise AbstractRaise(Instance(EXIT))
            if spec.get("callback", NONE) == NONE:
                continue
        value = click_values.value_of(machine, param, parsed, params, ctx)
        if parsed is not None:
            source = COMMANDLINE if name in order else click_values.source_of(machine, param, ctx)
            machine.put(attribute(ctx, SOURCES), Known(name), source)
        callback = spec.get("callback", NONE)
        if callback != NONE:
            value = machine.call(callback, Arguments([ctx, param, value]))
        elif machine.has_attr(param, "process_value"):
            value = machine.call(machine.get_attr(param, "process_value"), Arguments([ctx, value]))
        if spec.get("expose_value") == FALSE:
            continue
        kept = attribute(ctx, "params")
        before = kept.slots.get(Known(name))
        if before is not None and before != NONE and name not in order and value in (NONE, FALSE):
            continue
        if before is not None and parsed is None:
            # Several flags share a name: one of them has the default.
            value = join([before, *(option for option in options(value) if option != NONE)])
        machine.put(kept, Known(name), value)


def callback_arguments(ctx: Instance) -> Arguments:
    """The parameters of a context as arguments of the callback."""
    kept = attribute(ctx, "params")
    kw = {key.value: value for key, value in kept.known() if isinstance(key, Known) and isinstance(key.value, str)}
    return Arguments((), kw, None, kept.rest)


@command_method("invoke")
def invoke(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Call the callback, and for a group the subcommands."""
    ctx = args.get(0, "ctx")
    if not isinstance(ctx, Instance):
        return machine.call_with_unknowns(attribute(obj, "callback"))  # type: ignore[no-any-return]
    if is_group(obj):
        return invoke_group(machine, obj, ctx)
    return invoke_callback(machine, obj, ctx)


def invoke_callback(machine: Machine, obj: Instance, ctx: Instance) -> AnyValue:
    """Call the callback of a command with its parameters."""
    callback = attribute(obj, "callback")
    if callback is None or callback == NONE:
        return NONE
    result = machine.call(callback, callback_arguments(ctx))
    return machine.awaited(result)  # type: ignore[no-any-return]


def invoke_group(machine: Machine, obj: Instance, ctx: Instance) -> AnyValue:
    """Call the callback of a group, then the subcommands that the rest of the command line names."""
    content = machine.iterate(attribute(ctx, "args"))
    optional = is_true(attribute(obj, "invoke_without_command"))
    chain = is_true(attribute(obj, "chain"))
    if not content.items and content.rest is None:
        if not optional:
            raise misused("a subcommand is missing")
        value = invoke_callback(machine, obj, ctx)
        return process_result(machine, obj, ctx, ListObj("list") if chain else value)
    first = content.items[0] if content.items else None
    if isinstance(first, Known):
        if chain:
            return _invoke_chain(machine, obj, ctx, content)
        return process_result(machine, obj, ctx, _invoke_one(machine, obj, ctx, content))
    every = list_commands(machine, obj, ctx)
    if not every:
        machine.opaque("the subcommands of a click group are not known")
    machine.state.write(
        ctx.slots, "invoked_subcommand", join([*(name for name, _ in every), *([NONE] if optional else [])])
    )
    invoke_callback(machine, obj, ctx)
    rest = TupleV(content.items[1:], content.rest)
    runs: list[Callable[[], AnyValue]] = [partial(run, machine, command, name, rest, ctx) for name, command in every]
    if optional:
        runs.append(lambda: NONE)
    value = machine.choose(runs) if runs else UNKNOWN
    return process_result(machine, obj, ctx, ListObj("list", (), value) if chain else value)


def _invoke_one(machine: Machine, obj: Instance, ctx: Instance, content: TupleV) -> AnyValue:
    name, found, rest = resolve(machine, obj, ctx, content)
    machine.state.write(ctx.slots, "invoked_subcommand", name)
    invoke_callback(machine, obj, ctx)
    return run(machine, found, name, rest, ctx)


def _invoke_chain(machine: Machine, obj: Instance, ctx: Instance, content: TupleV) -> AnyValue:
    """Several subcommands in one command line: all are parsed before the first one runs."""
    machine.state.write(ctx.slots, "invoked_subcommand", Known("*"))
    invoke_callback(machine, obj, ctx)
    ready: list[tuple[Instance, Instance]] = []
    while content.items:
        name, found, rest = resolve(machine, obj, ctx, content)
        if not isinstance(found, Instance) or not is_command(found):
            machine.opaque("a command of a click group is not known")
            break
        chained = _chained(machine, found)
        sub = prepare(machine, chained, name, rest, ctx)
        ready.append((found, sub))
        content = machine.iterate(attribute(sub, "args"))
    return process_result(machine, obj, ctx, ListObj("list", [finish(machine, found, sub) for found, sub in ready]))


def _chained(machine: Machine, found: Instance) -> Instance:
    """A command as a chain parses it: what it does not take belongs to the next one."""
    out = Instance(found.cls)
    out.slots.update(found.slots)
    kept = declared(found)
    out.slots[DECLARED] = machine.dict_of({**kept, "allow_extra_args": TRUE, "allow_interspersed_args": FALSE})
    return out


def resolve(machine: Machine, obj: Instance, ctx: Instance, content: TupleV) -> tuple[AnyValue, AnyValue, TupleV]:
    """The subcommand that a command line names: its name, itself, and the words that are left."""
    given = ListObj("list", content.items, content.rest)
    if machine.has_attr(obj, "resolve_command"):
        found = machine.iterate(dispatch(machine, obj, "resolve_command", resolve_command, Arguments([ctx, given])))
        if len(found.items) == 3:
            return found.items[0], found.items[1], machine.iterate(found.items[2])
    return find_command(machine, obj, ctx, content)


@group_method("resolve_command")
def resolve_command(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`group.resolve_command(ctx, args)`."""
    content = machine.iterate(args.get(1, "args") or UNKNOWN)
    name, found, rest = find_command(machine, obj, args.get(0, "ctx"), content)
    return TupleV([name, found, ListObj("list", rest.items, rest.rest)])


def find_command(
    machine: Machine, obj: Instance, ctx: AnyValue | None, content: TupleV
) -> tuple[AnyValue, AnyValue, TupleV]:
    """Click's own way from a command line to a subcommand."""
    name = content.items[0] if content.items else UNKNOWN
    found = dispatch(machine, obj, "get_command", get_command, Arguments([ctx or NONE, name]))
    plain = [option for option in options(found) if option != NONE]
    if plain:
        return name, join(plain), TupleV(content.items[1:], content.rest)
    fallback = declared(obj).get("default", NONE)
    if fallback != NONE:
        # Groups with a default command (click-default-group): an unknown word is its first argument.
        found = dispatch(machine, obj, "get_command", get_command, Arguments([ctx or NONE, fallback]))
        return fallback, found, content
    raise misused(f"no such command {name.value if isinstance(name, Known) else ''}")


@group_method("get_command")
def get_command(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`group.get_command(ctx, name)`."""
    ctx, name = args.get(0, "ctx") or NONE, args.get(1, "cmd_name") or UNKNOWN
    kept = attribute(obj, "commands")
    found = kept.slots.get(name) if isinstance(name, Known) else None
    if found is None and isinstance(name, Known):
        # click 8.1 keeps a suffix such as `_command` in the names that it takes from functions.
        for _, candidate in kept.known():
            if (
                isinstance(candidate, Instance)
                and isinstance(candidate.cls, Ext)
                and command_name(attribute(candidate, "callback"), strip=False) == name.value
            ):
                return candidate
    if found is not None:
        return join([found.value, NONE]) if isinstance(found, Maybe) else found
    for source in machine.iterate(attribute(obj, "sources")).items:
        if isinstance(source, Instance) and is_command(source):
            inner = dispatch(machine, source, "get_command", get_command, Arguments([ctx, name]))
            if inner != NONE:
                return inner
    if not isinstance(name, Known):
        return join([NONE, *(candidate for _, candidate in kept.known())])
    return join([NONE, kept.rest]) if kept.rest is not None else NONE


def list_commands(machine: Machine, obj: Instance, ctx: Instance) -> list[tuple[AnyValue, AnyValue]]:
    """All subcommands with their names."""
    out: list[tuple[AnyValue, AnyValue]] = []
    if machine.has_attr(obj, "list_commands"):
        names = machine.iterate(machine.call(machine.get_attr(obj, "list_commands"), Arguments([ctx])))
        every = [*names.items, *([names.rest] if names.rest is not None else [])]
        for name in every:
            found = dispatch(machine, obj, "get_command", get_command, Arguments([ctx, name]))
            out.extend((name, option) for option in options(found) if option != NONE)
        return out
    kept = attribute(obj, "commands")
    out.extend(kept.known())
    if kept.rest is not None:
        out.append((Unknown("the name of a subcommand", "argument"), kept.rest))
    for source in machine.iterate(attribute(obj, "sources")).items:
        if isinstance(source, Instance) and is_command(source):
            out.extend(list_commands(machine, source, ctx))
    return out


@group_method("list_commands")
def command_names(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`group.list_commands(ctx)`."""
    ctx = args.get(0, "ctx")
    plain = Instance(Ext(GROUP))
    plain.slots.update(obj.slots)
    found = list_commands(machine, plain, ctx if isinstance(ctx, Instance) else plain)
    return ListObj("list", [name for name, _ in found])


def process_result(machine: Machine, obj: Instance, ctx: Instance, value: AnyValue) -> AnyValue:
    """Hand the result of a group to its result callback."""
    callback = attribute(obj, RESULT)
    if callback is None or callback == NONE:
        return value
    args = callback_arguments(ctx)
    for func in callback.items if isinstance(callback, TupleV) else (callback,):
        value = machine.call(func, Arguments([value], dict(args.kw), None, args.kwstar))
    return value


@command_method("main", "__call__")
def main(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`command()`, `command.main(args=[...])`: by default the program ends when the command is done."""
    source = args.get(0, "args")
    if source is None or source == NONE:
        content = machine.iterate(machine.argv)
        words = TupleV(content.items[1:], content.rest)
    else:
        words = machine.iterate(source)
    name = args.get(1, "prog_name") or Known("program")
    standalone = args.get(3, "standalone_mode")
    extra = {
        key: value
        for key, value in args.kw.items()
        if key not in ("args", "prog_name", "complete_var", "standalone_mode", "windows_expand_args")
    }
    ends = standalone is None or is_true(standalone)
    try:
        result = run(machine, obj, name, words, extra=extra)
    except AbstractRaise as error:
        raised = [option for option in options(error.value) if isinstance(option, Instance)]
        for option in raised:
            if USAGE in option.slots:
                machine.opaque(f"the command line does not parse: {attribute(option, USAGE).value}")
        if raised and len(raised) == len(options(error.value)):
            if all(option.cls == EXIT for option in raised) and not ends:
                return Known(0)
            if ends and all(is_click_error(option) for option in raised):
                raise machine.throw("SystemExit") from None
        raise
    if ends:
        raise machine.throw("SystemExit")
    return result


def is_click_error(value: Instance) -> bool:
    """Whether an exception is one that click turns into an exit status."""
    bases = value.cls.mro if isinstance(value.cls, ClassV) else (value.cls,)
    return any(isinstance(base, Ext) and base.name in ERRORS for base in bases)


@command_method("make_context")
def make_context(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`command.make_context(name, args)`."""
    words = machine.iterate(args.get(1, "args") or UNKNOWN)
    return prepare(
        machine, obj, args.get(0, "info_name") or NONE, words, args.get(2, "parent") or NONE, extra=dict(args.kw)
    )
