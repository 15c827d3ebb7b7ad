"""click: contexts, and what commands look up in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.command_lines import click_values
from taskgates.inference.models.command_lines.click_declare import (
    WRAPPER,
    is_command,
    param_name,
    params_of,
)
from taskgates.inference.models.command_lines.click_parsing import attribute, declared, is_true
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj
from taskgates.inference.values import (
    FALSE,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Native,
    TupleV,
    Unknown,
    join,
    options,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CONTEXT = "click.Context"
CLOSE = ("close",)
"""The slot of a context that holds what is to run when it closes."""
SOURCES = ("sources",)
"""The slot of a context that says where the value of each parameter comes from."""
EXIT = Ext("click.exceptions.Exit")
"""The exception that ends a command early without an error."""


def current(machine: Machine) -> Instance | None:
    """The context of the innermost command that is running."""
    return machine.contexts[-1] if machine.contexts else None


def new_context(
    machine: Machine, obj: AnyValue, name: AnyValue, parent: AnyValue, extra: dict[str, AnyValue] | None = None
) -> Instance:
    """A context with what it inherits from its parent."""
    out = Instance(Ext(CONTEXT))
    out.slots.update(
        {
            "command": obj,
            "info_name": name,
            "parent": parent,
            "params": DictObj(),
            "args": ListObj("list"),
            "obj": NONE,
            "default_map": NONE,
            "auto_envvar_prefix": NONE,
            "invoked_subcommand": NONE,
            "meta": DictObj(),
            SOURCES: DictObj(),
            CLOSE: ListObj("list"),
        }
    )
    if isinstance(parent, Instance):
        out.slots["obj"] = attribute(parent, "obj")
        out.slots["meta"] = attribute(parent, "meta")
        mapping = attribute(parent, "default_map")
        if mapping not in (None, NONE):
            found = [
                machine.call_method(option, "get", Arguments([name]), None) if isinstance(option, DictObj) else option
                for option in options(mapping)
                if isinstance(option, DictObj | Unknown)
            ]
            out.slots["default_map"] = join([*found, *([] if found else [NONE])])
        prefix = attribute(parent, "auto_envvar_prefix")
        if isinstance(prefix, Known) and prefix.value and isinstance(name, Known):
            out.slots["auto_envvar_prefix"] = Known(f"{prefix.value}_{str(name.value).upper().replace('-', '_')}")
    settings = attribute(obj, "context_settings") if isinstance(obj, Instance) else None
    given = {k.value: v for k, v in settings.known() if isinstance(k, Known)} if isinstance(settings, DictObj) else {}
    for key, value in {**given, **(extra or {})}.items():
        if key in ("obj", "default_map", "auto_envvar_prefix"):
            out.slots[key] = value
    return out


@function(CONTEXT)
def make_context_object(machine: Machine, args: Arguments) -> AnyValue:
    """`Context(command, ...)`."""
    kw = dict(args.kw)
    return new_context(
        machine,
        args.get(0, "command") or NONE,
        args.get(2, "info_name") or NONE,
        args.get(1, "parent") or NONE,
        {**kw, **({"obj": args.pos[3]} if len(args.pos) > 3 else {})},
    )


@function("click.get_current_context")
def get_current_context(machine: Machine, args: Arguments) -> AnyValue:
    """`get_current_context()`."""
    found = current(machine)
    if found is not None:
        return found
    if is_true(args.get(0, "silent")):
        return NONE
    return Unknown("the current context of click", "data")


def find_object(machine: Machine, ctx: Instance, wanted: AnyValue, *, ensure: bool = False) -> AnyValue:
    """The object of a type that the context or one of its parents holds."""
    node: AnyValue = ctx
    undecided: list[AnyValue] = []
    while isinstance(node, Instance):
        value = attribute(node, "obj")
        decided = machine.is_instance(value, wanted) if value != NONE else False
        if decided is True:
            return join([*undecided, value])
        if decided is None:
            undecided.append(value)
        node = attribute(node, "parent")
    if undecided:
        return join(undecided)
    if not ensure:
        return NONE
    made = machine.call(wanted, Arguments())
    machine.state.write(ctx.slots, "obj", made)
    return made  # type: ignore[no-any-return]


@method(f"{CONTEXT}.find_object")
def context_find(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.find_object(type)`."""
    return find_object(machine, obj, args.get(0, "object_type") or UNKNOWN)


@method(f"{CONTEXT}.ensure_object")
def context_ensure(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.ensure_object(type)`."""
    return find_object(machine, obj, args.get(0, "object_type") or UNKNOWN, ensure=True)


@method(f"{CONTEXT}.find_root")
def context_root(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.find_root()`."""
    del machine, args
    node = obj
    while isinstance(parent := attribute(node, "parent"), Instance):
        node = parent
    return node


@method(f"{CONTEXT}.get_parameter_source")
def context_source(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.get_parameter_source(name)`."""
    del machine
    found = attribute(obj, SOURCES).slots.get(args.get(0, "name") or UNKNOWN)
    return Unknown("the source of a parameter", "argument") if found is None else found


@method(f"{CONTEXT}.__dir__")
def context_names(machine: Machine, obj: Instance, args: Arguments) -> ListObj:
    """The attributes that every context has."""
    del machine, obj, args
    return ListObj("list", [Known(name) for name in dir(click.Context(click.Command("program")))])


@method(f"{CONTEXT}.lookup_default")
def context_default(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.lookup_default(name)`."""
    mapping = attribute(obj, "default_map")
    if mapping == NONE:
        return NONE
    return machine.call_method(mapping, "get", Arguments([args.get(0, "name") or UNKNOWN]), None)  # type: ignore[no-any-return]


@method(f"{CONTEXT}.call_on_close")
def context_on_close(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.call_on_close(function)`."""
    func = args.get(0, "f") or UNKNOWN
    machine.extend(attribute(obj, CLOSE), TupleV([func]))
    return func


@method(f"{CONTEXT}.with_resource")
def context_resource(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.with_resource(manager)`: entered now, left when the context closes."""
    manager = args.get(0, "context_manager") or UNKNOWN

    def leave(inner: Machine, _: Arguments) -> AnyValue:
        inner.leave(manager, None)
        return NONE

    machine.extend(attribute(obj, CLOSE), TupleV([Native("click.close", leave)]))
    return machine.enter(manager)  # type: ignore[no-any-return]


def close(machine: Machine, ctx: Instance) -> AnyValue:
    """Run what was to run when the context closes, last first."""
    for func in reversed(attribute(ctx, CLOSE).items):
        machine.call(func, Arguments())
    return NONE


@method(f"{CONTEXT}.close")
def context_close(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.close()`."""
    del args
    close(machine, obj)
    machine.state.write(obj.slots, CLOSE, ListObj("list"))
    return NONE


@method(f"{CONTEXT}.exit")
def context_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.exit()`."""
    del machine, obj, args
    raise AbstractRaise(Instance(EXIT))


@method(f"{CONTEXT}.abort")
def context_abort(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.abort()`."""
    del machine, obj, args
    raise AbstractRaise(Instance(Ext("click.Abort")))


@method(f"{CONTEXT}.fail")
def context_fail(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.fail(message)`."""
    del machine, obj, args
    raise AbstractRaise(Instance(Ext("click.UsageError")))


@method(f"{CONTEXT}.scope", f"{CONTEXT}.__enter__")
def context_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with ctx:` makes the context the current one."""
    del args
    machine.contexts.append(obj)
    return obj


@method(f"{CONTEXT}.__exit__")
def context_leave(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The end of `with ctx:`."""
    del args
    if machine.contexts and machine.contexts[-1] is obj:
        machine.contexts.pop()
    return FALSE


@method(f"{CONTEXT}.invoke")
def context_invoke(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.invoke(command_or_function, ...)`: parameters that are not passed have their defaults."""
    target = args.get(0, "callback") or UNKNOWN
    rest = Arguments(args.pos[1:], dict(args.kw), args.star, args.kwstar)
    if not isinstance(target, Instance) or not is_command(target):
        with_context = obj
        return within(machine, with_context, lambda: machine.call(target, rest))
    ctx = new_context(machine, target, attribute(target, "name"), obj)
    for param in params_of(machine, target):
        name = param_name(param)
        if name not in rest.kw and declared(param).get("expose_value") != FALSE:
            rest.kw[name] = click_values.cast(machine, param, click_values.default_of(machine, param), ctx)
    for name, value in rest.kw.items():
        machine.put(ctx.slots["params"], Known(name), value)
    return within(machine, ctx, lambda: machine.call(attribute(target, "callback"), rest))


@method(f"{CONTEXT}.forward")
def context_forward(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.forward(command, ...)`: the present parameters are passed on."""
    kept = attribute(obj, "params")
    kw = {key.value: value for key, value in kept.known() if isinstance(key, Known)}
    return context_invoke(machine, obj, Arguments(args.pos, {**kw, **args.kw}, args.star, args.kwstar))


def within(machine: Machine, ctx: Instance, action: Callable[[], AnyValue]) -> AnyValue:
    """Do something with a context as the current one."""
    machine.contexts.append(ctx)
    try:
        return action()
    finally:
        machine.contexts.pop()


@method(f"{WRAPPER}.__call__")
def call_wrapper(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Call a function behind `pass_context`, `pass_obj` or a pass decorator."""
    func = attribute(obj, "__wrapped__")
    kind = attribute(obj, ("kind",)).value
    if kind == "plain":
        return machine.call(func, args)  # type: ignore[no-any-return]
    ctx = current(machine)
    first: AnyValue = ctx if ctx is not None else UNKNOWN
    if ctx is not None and kind == "object":
        first = attribute(ctx, "obj")
    elif ctx is not None and kind in ("find", "ensure"):
        wanted = attribute(obj, ("type",))
        first = find_object(machine, ctx, wanted, ensure=kind == "ensure")
        if first == NONE:
            raise machine.throw("RuntimeError")
    elif ctx is not None and kind == "meta":
        first = machine.call_method(attribute(ctx, "meta"), "get", Arguments([attribute(obj, ("type",))]), None)
    return machine.call(func, args.shifted(first))  # type: ignore[no-any-return]
