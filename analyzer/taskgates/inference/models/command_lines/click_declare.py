"""click: the decorators and constructors that declare parameters, commands and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.models.command_lines import click_parsing as parsing
from taskgates.inference.models.command_lines.click_parsing import DECLARATIONS, DECLARED, attribute, is_true
from taskgates.inference.models.registry import Machine, MethodT, function, method
from taskgates.inference.objects import Arguments, ClassV, DictObj, FunctionV, Instance, ListObj, Maybe
from taskgates.inference.values import (
    FALSE,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    Native,
    TupleV,
    options,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

COMMAND, GROUP, COLLECTION = "click.Command", "click.Group", "click.CommandCollection"
COMMANDS = (COMMAND, GROUP, COLLECTION)
GROUPS = (GROUP, COLLECTION)
WRAPPER = "click.decorated"
"""The library type of a function behind a pass decorator."""
PARAMS = "__click_params__"
"""The attribute of a function that click's decorators collect parameters in."""
GROUPED = ("grouped",)
"""The slot that marks a command that is a subcommand of another."""
RESULT = ("result",)
"""The slot of a group that holds its result callback."""


# Parameters


def init_param(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The constructor of a parameter: `Option(["--name"], ...)`."""
    names = args.get(0, "param_decls")
    items: tuple[AnyValue, ...] = ()
    if isinstance(names, TupleV | ListObj):
        items = names.items
    elif names is not None:
        items = (names,)
    rest = {key: value for key, value in args.kw.items() if key != "param_decls"}
    write = machine.state.write
    write(obj.slots, DECLARATIONS, TupleV(items))
    write(obj.slots, DECLARED, machine.dict_of(rest))
    for name in ("type", "default", "required", "multiple", "nargs", "envvar", "is_flag", "callback"):
        write(obj.slots, name, rest.get(name, NONE))
    real = parsing.rebuild(obj)
    write(obj.slots, "name", Known(real.name if real is not None and real.name else ""))
    opts = real.opts if real is not None else []
    write(obj.slots, "opts", ListObj("list", [Known(name) for name in opts]))
    return NONE


def make_param(machine: Machine, kind: str, names: list[AnyValue], kw: dict[str, AnyValue]) -> AnyValue:
    """A parameter object, of a class of the program when `cls=` names one."""
    cls = kw.get("cls")
    rest = {key: value for key, value in kw.items() if key != "cls"}
    args = Arguments([ListObj("list", names)], rest)
    if isinstance(cls, ClassV):
        return machine.call(cls, args)  # type: ignore[no-any-return]
    out = Instance(Ext(kind))
    init_param(machine, out, args)
    return out


def attach(machine: Machine, func: AnyValue, param: AnyValue) -> AnyValue:
    """Add a parameter to a function that will become a command, or to a command."""
    if isinstance(func, Instance) and is_command(func):
        machine.extend(func.slots["params"], TupleV([param]))
        return func
    if not isinstance(func, FunctionV | Instance):
        func = wrap(func, "plain")
    kept = declared_params(func)
    # A fresh list each time: branches that each add one do not share it.
    machine.state.write(func.slots, PARAMS, ListObj("list", [*(kept.items if kept is not None else ()), param]))
    return func


def declared_params(func: FunctionV | Instance) -> ListObj | None:
    """The parameters that decorators have left on a function, in the order of their application; None for none.

    Where branches leave different ones, those of all branches count, each name once.
    """
    kept = attribute(func, PARAMS)  # type: ignore[arg-type]
    if isinstance(kept, ListObj) and kept.rest is None:
        return kept
    found: dict[tuple[str, ...], Instance] = {}
    for option in options(kept) if kept is not None else ():
        if isinstance(option, ListObj):
            for param in (*option.items, *(options(option.rest) if option.rest is not None else ())):
                if isinstance(param, Instance):
                    settled = _settled(param)
                    found.setdefault(tuple(parsing.names_of(settled)), settled)
    return ListObj("list", list(found.values())) if found else None


def _settled(param: Instance) -> Instance:
    """A parameter that only one branch made, as that branch made it."""

    def certain(slots: dict[Any, Any]) -> dict[Any, Any]:
        return {key: value.value if isinstance(value, Maybe) else value for key, value in slots.items()}

    out = Instance(param.cls)
    out.slots.update(certain(param.slots))
    kept = out.slots.get(DECLARED)
    if isinstance(kept, DictObj):
        out.slots[DECLARED] = DictObj(kept.kind, certain(kept.slots), kept.rest)
    return out


def _param_decorator(kind: str, extra: dict[str, AnyValue] | None = None) -> Callable[[Machine, Arguments], AnyValue]:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        names = list(args.pos)
        kw = {**(extra or {}), **args.kw}

        def run(inner: Machine, given: Arguments) -> AnyValue:
            return attach(inner, given.pos[0] if given.pos else UNKNOWN, make_param(inner, kind, names, kw))

        del machine
        return Native("click.parameter", run)

    return model


function("click.option")(_param_decorator("click.Option"))
function("click.argument")(_param_decorator("click.Argument"))
_EAGER: dict[str, AnyValue] = {"is_flag": TRUE, "expose_value": FALSE, "is_eager": TRUE, "ends": TRUE}


def _named_option(name: str, default_name: str, extra: Mapping[str, AnyValue], *, named: bool = True) -> None:
    """An option decorator with names of its own, used when none are given."""

    def model(machine: Machine, args: Arguments) -> AnyValue:
        given = args.pos[0] if args.pos else None
        if isinstance(given, FunctionV | Instance):
            return attach(machine, given, make_param(machine, "click.Option", [Known(default_name)], dict(extra)))
        names = list(args.pos) if named else list(args.pos[1:])
        keep = {key: value for key, value in args.kw.items() if key in ("is_eager", "callback", "expose_value")}
        return _param_decorator("click.Option", {**extra, **keep})(machine, Arguments(names or [Known(default_name)]))

    function(name)(model)


_named_option("click.version_option", "--version", _EAGER, named=False)
_named_option("click.help_option", "--help", _EAGER)
_named_option("click.confirmation_option", "--yes", {"is_flag": TRUE, "expose_value": FALSE})
_named_option("click.password_option", "--password", {"prompt": TRUE})


def _param_constructor(name: str) -> None:
    def make(machine: Machine, args: Arguments) -> AnyValue:
        out = Instance(Ext(name))
        init_param(machine, out, args)
        return out

    function(name)(make)
    method(f"{name}.__init__")(init_param)


_param_constructor("click.Option")
_param_constructor("click.Argument")


# Functions


def wrap(func: AnyValue, kind: str, type_: AnyValue = NONE) -> Instance:
    """A function that click hands its context, the context's object, or neither."""
    out = Instance(Ext(WRAPPER))
    out.slots["__wrapped__"] = func
    out.slots[("kind",)] = Known(kind)
    out.slots[("type",)] = type_
    out.slots["__name__"] = Known(name_of(func))
    if isinstance(func, FunctionV | Instance):
        kept = attribute(func, PARAMS)  # type: ignore[arg-type]
        if kept is not None:
            out.slots[PARAMS] = kept
    return out


def name_of(func: AnyValue) -> str:
    """The `__name__` of a function or wrapper, empty when it is not known."""
    if isinstance(func, FunctionV):
        own = attribute(func, "__name__")  # type: ignore[arg-type]
        return str(own.value) if isinstance(own, Known) else func.node.name
    if isinstance(func, BoundMethod):
        return name_of(func.func)
    if isinstance(func, Instance):
        own = attribute(func, "__name__")
        return str(own.value) if isinstance(own, Known) else ""
    return ""


@function("click.pass_context")
def pass_context(machine: Machine, args: Arguments) -> AnyValue:
    """`@pass_context`."""
    del machine
    return wrap(args.pos[0] if args.pos else UNKNOWN, "context")


@function("click.pass_obj")
def pass_obj(machine: Machine, args: Arguments) -> AnyValue:
    """`@pass_obj`."""
    del machine
    return wrap(args.pos[0] if args.pos else UNKNOWN, "object")


@function("click.make_pass_decorator")
def make_pass_decorator(machine: Machine, args: Arguments) -> AnyValue:
    """`make_pass_decorator(type, ensure=False)`."""
    del machine
    wanted = args.get(0, "object_type") or UNKNOWN
    kind = "ensure" if is_true(args.get(1, "ensure")) else "find"
    return Native("click.pass", lambda _, given: wrap(given.pos[0] if given.pos else UNKNOWN, kind, wanted))


@function("click.decorators.pass_meta_key")
def pass_meta_key(machine: Machine, args: Arguments) -> AnyValue:
    """`pass_meta_key(key)`."""
    del machine
    key = args.get(0, "key") or UNKNOWN
    return Native("click.pass", lambda _, given: wrap(given.pos[0] if given.pos else UNKNOWN, "meta", key))


# Commands


def is_command(value: AnyValue) -> bool:
    """Whether a value is a click command or group."""
    if not isinstance(value, Instance):
        return False
    bases = value.cls.mro if isinstance(value.cls, ClassV) else (value.cls,)
    return any(isinstance(base, Ext) and base.name in COMMANDS for base in bases)


def is_group(value: Instance) -> bool:
    """Whether a command has subcommands."""
    bases = value.cls.mro if isinstance(value.cls, ClassV) else (value.cls,)
    return any(isinstance(base, Ext) and base.name in GROUPS for base in bases)


_POSITIONAL = {COMMAND: ("name",), GROUP: ("name", "commands"), COLLECTION: ("name", "sources")}


def _command_constructor(name: str) -> None:
    positional = _POSITIONAL[name]

    def init(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        kw = {**dict(zip(positional, args.pos, strict=False)), **args.kw}
        init_command(machine, obj, kw)
        return NONE

    def make(machine: Machine, args: Arguments) -> AnyValue:
        out = Instance(Ext(name))
        init(machine, out, args)
        return out

    function(name)(make)
    method(f"{name}.__init__")(init)


for _name in COMMANDS:
    _command_constructor(_name)


def init_command(machine: Machine, obj: Instance, kw: dict[str, AnyValue]) -> None:
    """The constructor of a command or group."""
    write = machine.state.write
    write(obj.slots, DECLARED, machine.dict_of(kw))
    write(obj.slots, "name", kw.get("name", NONE))
    write(obj.slots, "callback", kw.get("callback", NONE))
    params = ListObj("list")
    if kw.get("params", NONE) != NONE:
        machine.extend(params, kw["params"])
    write(obj.slots, "params", params)
    for name in ("chain", "invoke_without_command", "no_args_is_help", "help", "short_help", "hidden"):
        write(obj.slots, name, kw.get(name, NONE))
    write(obj.slots, "context_settings", kw.get("context_settings", NONE))
    write(obj.slots, RESULT, kw.get("result_callback", NONE))
    commands = DictObj()
    given = kw.get("commands", NONE)
    if isinstance(given, DictObj):
        machine.merge_into(commands, given)
    elif given != NONE:
        for command in machine.iterate(given).items:
            register(machine, obj, command, None, commands)
    write(obj.slots, "commands", commands)
    sources = ListObj("list")
    if kw.get("sources", NONE) != NONE:
        machine.extend(sources, kw["sources"])
    write(obj.slots, "sources", sources)


def register(
    machine: Machine, obj: Instance, command: AnyValue, name: AnyValue | None, commands: DictObj | None = None
) -> None:
    """Put a command under its name into a group."""
    target = commands if commands is not None else attribute(obj, "commands")
    for option in options(command):
        own = attribute(option, "name") if isinstance(option, Instance) else None
        if isinstance(option, Instance):
            machine.state.write(option.slots, GROUPED, TRUE)
        key = name if name is not None and name != NONE else own
        machine.put(target, key if key is not None else UNKNOWN, option)


def command_name(func: AnyValue, *, strip: bool = True) -> str:
    """The name that click gives a command after its function."""
    name = name_of(func).lower().replace("_", "-")
    stem, dash, suffix = name.rpartition("-")
    return stem if strip and dash and suffix in ("command", "cmd", "group", "grp") else name


def make_command(machine: Machine, func: AnyValue, name: AnyValue, kw: dict[str, AnyValue], default: str) -> AnyValue:
    """Turn a function into a command.

    Args:
        machine: the interpreter.
        func: the callback, with the parameters that decorators have left on it.
        name: the command's name, None for the function's.
        kw: further arguments of the decorator.
        default: the library class when `cls=` names none of the program.
    """
    params = ListObj("list")
    if kw.get("params", NONE) != NONE:
        machine.extend(params, kw["params"])
    if isinstance(func, FunctionV | Instance):
        kept = declared_params(func)
        if kept is not None:
            machine.extend(params, TupleV(reversed(kept.items)))
    cls = kw.get("cls")
    given = {
        **{key: value for key, value in kw.items() if key != "cls"},
        "name": name if name != NONE else Known(command_name(func)),
        "callback": func,
        "params": params,
    }
    if isinstance(cls, ClassV):
        made = machine.call(cls, Arguments((), given))
        if is_command(made):
            return made  # type: ignore[no-any-return]
    out = Instance(Ext(cls.name if isinstance(cls, Ext) and cls.name in COMMANDS else default))
    init_command(machine, out, given)
    return out


def _command_decorator(
    machine: Machine, args: Arguments, default: str, done: Callable[[Machine, AnyValue], None] | None = None
) -> AnyValue:
    first = args.pos[0] if args.pos else None
    kw = {key: value for key, value in args.kw.items() if key != "name"}

    def finish(inner: Machine, func: AnyValue, name: AnyValue) -> AnyValue:
        made = make_command(inner, func, name, kw, default)
        if done is not None:
            done(inner, made)
        return made

    if isinstance(first, FunctionV | Instance | BoundMethod | Native):
        return finish(machine, first, NONE)
    name = args.get(0, "name") or NONE
    if len(args.pos) > 1:
        kw["cls"] = args.pos[1]
    return Native("click.command", lambda inner, given: finish(inner, given.pos[0] if given.pos else UNKNOWN, name))


@function("click.command")
def command(machine: Machine, args: Arguments) -> AnyValue:
    """`@command(...)`."""
    return _command_decorator(machine, args, COMMAND)


@function("click.group")
def group(machine: Machine, args: Arguments) -> AnyValue:
    """`@group(...)`."""
    return _command_decorator(machine, args, GROUP)


def group_method(*names: str) -> Callable[[MethodT], MethodT]:
    """Register a model for methods of groups."""
    return method(*(f"{kind}.{name}" for kind in GROUPS for name in names))


def command_method(*names: str) -> Callable[[MethodT], MethodT]:
    """Register a model for methods of commands and groups."""
    return method(*(f"{kind}.{name}" for kind in COMMANDS for name in names))


@group_method("command")
def group_command(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`@group.command(...)`."""
    return _command_decorator(machine, args, COMMAND, lambda inner, made: add(inner, obj, made))


@group_method("group")
def group_group(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`@group.group(...)`."""
    return _command_decorator(machine, args, GROUP, lambda inner, made: add(inner, obj, made))


def add(machine: Machine, obj: Instance, made: AnyValue) -> None:
    """Add a command through the group's own `add_command`, which a class of the program may override."""
    dispatch(machine, obj, "add_command", add_command, Arguments([made]))


@group_method("add_command")
def add_command(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`group.add_command(command, name)`."""
    register(machine, obj, args.get(0, "cmd") or UNKNOWN, args.get(1, "name"))
    return NONE


@group_method("add_source")
def add_source(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`collection.add_source(group)`."""
    machine.extend(attribute(obj, "sources"), TupleV([args.get(0, "group") or UNKNOWN]))
    return NONE


@group_method("result_callback", "resultcallback")
def result_callback(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`@group.result_callback()`."""

    def run(inner: Machine, given: Arguments) -> AnyValue:
        func = given.pos[0] if given.pos else UNKNOWN
        before = attribute(obj, RESULT)
        inner.state.write(obj.slots, RESULT, TupleV([before, func]) if before not in (None, NONE) else func)
        return func

    del machine, args
    return Native("click.result_callback", run)


def dispatch(
    machine: Machine,
    obj: Instance,
    name: str,
    model: Callable[[Machine, Instance, Arguments], AnyValue],
    args: Arguments,
) -> AnyValue:
    """Call a method of a command: the program's own when its class has one."""
    if machine.has_attr(obj, name):
        return machine.call(machine.get_attr(obj, name), args)  # type: ignore[no-any-return]
    return model(machine, obj, args)


def params_of(machine: Machine, obj: Instance) -> list[Instance]:
    """The parameters of a command."""
    return [param for param in machine.iterate(attribute(obj, "params")).items if isinstance(param, Instance)]


def param_name(param: Instance) -> str:
    """The name under which a parameter is handed to the callback."""
    name = attribute(param, "name")
    return str(name.value) if isinstance(name, Known) else ""
