"""click: commands, groups, contexts and the decorators that declare them.

Commands are objects of the library type with what was declared in their slots; running one rebuilds a real click parser
(`click_parsing`) and calls the program's function with the values. Classes of the program over `click.Command` and
`click.Group` take part: what they override is called, and their `super()` calls end up here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taskgates.inference.core import AbstractRaise
from taskgates.inference.models import click_parsing as parsing
from taskgates.inference.models.click_parsing import DECLARATIONS, DECLARED, ORIGIN, attribute, declared, is_true
from taskgates.inference.models.click_types import USAGE, misused
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.values import (
    FALSE,
    NONE,
    TRUE,
    UNKNOWN,
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
    Native,
    TupleV,
    Unknown,
    join,
    options,
    text_of,
)

COMMAND, GROUP, COLLECTION = "click.Command", "click.Group", "click.CommandCollection"
CONTEXT, WRAPPER = "click.Context", "click.decorated"
COMMANDS = (COMMAND, GROUP, COLLECTION)
GROUPS = (GROUP, COLLECTION)
EXIT = Ext("click.exceptions.Exit")
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
PARAMS = "__click_params__"
_INVOKED = ("invoked",)
_CLOSE = ("close",)


# Declaring: parameters -----------------------------------------------------------------------------------------------


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
    if is_command(func):
        assert isinstance(func, Instance)
        machine.extend(func.slots["params"], TupleV([param]))
        return func
    if not isinstance(func, FunctionV | Instance):
        func = wrap(func, "plain")
    kept = attribute(func, PARAMS)  # type: ignore[arg-type]
    if not isinstance(kept, ListObj):
        kept = ListObj("list")
        machine.state.write(func.slots, PARAMS, kept)
    machine.extend(kept, TupleV([param]))
    return func


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
_EAGER = {"is_flag": TRUE, "expose_value": FALSE, "is_eager": TRUE, "ends": TRUE}


def _named_option(name: str, default_name: str, extra: dict[str, AnyValue], *, named: bool = True) -> None:
    """An option decorator with names of its own, used when none are given."""

    def model(machine: Machine, args: Arguments) -> AnyValue:
        given = args.pos[0] if args.pos else None
        if isinstance(given, FunctionV | Instance):
            return attach(machine, given, make_param(machine, "click.Option", [Known(default_name)], extra))
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


# Declaring: functions ------------------------------------------------------------------------------------------------


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


# Declaring: commands -------------------------------------------------------------------------------------------------


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
    write(obj.slots, ("result",), kw.get("result_callback", NONE))
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
        kept = attribute(func, PARAMS)  # type: ignore[arg-type]
        if isinstance(kept, ListObj):
            machine.extend(params, TupleV(reversed(kept.items), kept.rest))
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


def _group_method(*names: str) -> Any:
    return method(*(f"{kind}.{name}" for kind in GROUPS for name in names))


def _command_method(*names: str) -> Any:
    return method(*(f"{kind}.{name}" for kind in COMMANDS for name in names))


@_group_method("command")
def group_command(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`@group.command(...)`."""
    return _command_decorator(machine, args, COMMAND, lambda inner, made: add(inner, obj, made))


@_group_method("group")
def group_group(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`@group.group(...)`."""
    return _command_decorator(machine, args, GROUP, lambda inner, made: add(inner, obj, made))


def add(machine: Machine, obj: Instance, made: AnyValue) -> None:
    """Add a command through the group's own `add_command`, which a class of the program may override."""
    dispatch(machine, obj, "add_command", add_command, Arguments([made]))


@_group_method("add_command")
def add_command(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`group.add_command(command, name)`."""
    register(machine, obj, args.get(0, "cmd") or UNKNOWN, args.get(1, "name"))
    return NONE


@_group_method("add_source")
def add_source(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`collection.add_source(group)`."""
    machine.extend(attribute(obj, "sources"), TupleV([args.get(0, "group") or UNKNOWN]))
    return NONE


@_group_method("result_callback", "resultcallback")
def result_callback(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`@group.result_callback()`."""

    def run(inner: Machine, given: Arguments) -> AnyValue:
        func = given.pos[0] if given.pos else UNKNOWN
        before = attribute(obj, ("result",))
        inner.state.write(obj.slots, ("result",), TupleV([before, func]) if before not in (None, NONE) else func)
        return func

    del machine, args
    return Native("click.result_callback", run)


# Contexts ------------------------------------------------------------------------------------------------------------


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
            _CLOSE: ListObj("list"),
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
    machine.extend(attribute(obj, _CLOSE), TupleV([func]))
    return func


@method(f"{CONTEXT}.with_resource")
def context_resource(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.with_resource(manager)`: entered now, left when the context closes."""
    manager = args.get(0, "context_manager") or UNKNOWN

    def leave(inner: Machine, _: Arguments) -> AnyValue:
        inner.leave(manager, None)
        return NONE

    machine.extend(attribute(obj, _CLOSE), TupleV([Native("click.close", leave)]))
    return machine.enter(manager)  # type: ignore[no-any-return]


def close(machine: Machine, ctx: Instance) -> None:
    """Run what was to run when the context closes, last first."""
    for func in reversed(attribute(ctx, _CLOSE).items):
        machine.call(func, Arguments())


@method(f"{CONTEXT}.close")
def context_close(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`ctx.close()`."""
    del args
    close(machine, obj)
    machine.state.write(obj.slots, _CLOSE, ListObj("list"))
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
            rest.kw[name] = parsing.cast(machine, param, parsing.default_of(machine, param), ctx)
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


# Running -------------------------------------------------------------------------------------------------------------


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


def run(
    machine: Machine,
    obj: AnyValue,
    name: AnyValue,
    words: TupleV,
    parent: AnyValue = NONE,
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
    if not isinstance(obj, Instance) or not is_command(obj):
        machine.opaque("a command of a click group is not known")
        return UNKNOWN
    ctx = prepare(machine, obj, name, words, parent, extra)
    return finish(machine, obj, ctx)


def prepare(
    machine: Machine,
    obj: Instance,
    name: AnyValue,
    words: TupleV,
    parent: AnyValue,
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
        within(machine, ctx, lambda: close(machine, ctx) or NONE)


@_command_method("parse_args")
def parse_args(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Fill a context's parameters from a command line."""
    ctx = args.get(0, "ctx")
    assert isinstance(ctx, Instance)
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
        value = parsing.value_of(machine, param, parsed, params, ctx)
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
        machine.put(kept, Known(name), value if before is None or parsed is not None else join([before, value]))


def callback_arguments(ctx: Instance) -> Arguments:
    """The parameters of a context as arguments of the callback."""
    kept = attribute(ctx, "params")
    kw = {key.value: value for key, value in kept.known() if isinstance(key, Known) and isinstance(key.value, str)}
    return Arguments((), kw, None, kept.rest)


@_command_method("invoke")
def invoke(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Call the callback, and for a group the subcommands."""
    ctx = args.get(0, "ctx")
    assert isinstance(ctx, Instance)
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
    machine.state.write(ctx.slots, "invoked_subcommand", join([*(name for name, _ in every), *([NONE] if optional else [])]))
    invoke_callback(machine, obj, ctx)
    rest = TupleV(content.items[1:], content.rest)
    runs = [lambda n=name, c=command: run(machine, c, n, rest, ctx) for name, command in every]  # type: ignore[misc]
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
    return process_result(
        machine, obj, ctx, ListObj("list", [finish(machine, found, sub) for found, sub in ready])
    )


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
    made = resolve_command(machine, obj, Arguments([ctx, given]))
    assert isinstance(made, TupleV)
    return made.items[0], made.items[1], machine.iterate(made.items[2])


@_group_method("resolve_command")
def resolve_command(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`(name, command, args)` of a command line."""
    ctx, content = args.get(0, "ctx"), machine.iterate(args.get(1, "args") or UNKNOWN)
    name = content.items[0] if content.items else UNKNOWN
    found = dispatch(machine, obj, "get_command", get_command, Arguments([ctx or NONE, name]))
    plain = [option for option in options(found) if option != NONE]
    rest = ListObj("list", content.items[1:], content.rest)
    if plain:
        return TupleV([name, join(plain), rest])
    fallback = declared(obj).get("default", NONE)
    if fallback != NONE:
        # Groups with a default command (click-default-group): an unknown word is its first argument.
        found = dispatch(machine, obj, "get_command", get_command, Arguments([ctx or NONE, fallback]))
        return TupleV([fallback, found, ListObj("list", content.items, content.rest)])
    raise misused(f"no such command {name.value if isinstance(name, Known) else ''}")


@_group_method("get_command")
def get_command(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`group.get_command(ctx, name)`."""
    ctx, name = args.get(0, "ctx") or NONE, args.get(1, "cmd_name") or UNKNOWN
    kept = attribute(obj, "commands")
    found = kept.slots.get(name) if isinstance(name, Known) else None
    if found is None and isinstance(name, Known):
        # click 8.1 keeps a suffix such as `_command` in the names that it takes from functions.
        for _, candidate in kept.known():
            if isinstance(candidate, Instance) and isinstance(candidate.cls, Ext):
                if command_name(attribute(candidate, "callback"), strip=False) == name.value:
                    return candidate
    if found is not None:
        return join([found.value, NONE]) if isinstance(found, Maybe) else found  # type: ignore[no-any-return]
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
    if machine.has_attr(obj, "list_commands"):
        names = machine.iterate(machine.call(machine.get_attr(obj, "list_commands"), Arguments([ctx])))
        every = [*names.items, *([names.rest] if names.rest is not None else [])]
        out = []
        for name in every:
            found = dispatch(machine, obj, "get_command", get_command, Arguments([ctx, name]))
            out.extend((name, option) for option in options(found) if option != NONE)
        return out
    kept = attribute(obj, "commands")
    out = list(kept.known())
    if kept.rest is not None:
        out.append((Unknown("the name of a subcommand", "argument"), kept.rest))
    for source in machine.iterate(attribute(obj, "sources")).items:
        if isinstance(source, Instance) and is_command(source):
            out.extend(list_commands(machine, source, ctx))
    return out


@_group_method("list_commands")
def command_names(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`group.list_commands(ctx)`."""
    ctx = args.get(0, "ctx")
    plain = Instance(Ext(GROUP))
    plain.slots.update(obj.slots)
    found = list_commands(machine, plain, ctx if isinstance(ctx, Instance) else plain)
    return ListObj("list", [name for name, _ in found])


def process_result(machine: Machine, obj: Instance, ctx: Instance, value: AnyValue) -> AnyValue:
    """Hand the result of a group to its result callback."""
    callback = attribute(obj, ("result",))
    if callback is None or callback == NONE:
        return value
    args = callback_arguments(ctx)
    for func in callback.items if isinstance(callback, TupleV) else (callback,):
        value = machine.call(func, Arguments([value], dict(args.kw), None, args.kwstar))
    return value


@_command_method("main", "__call__")
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
        result = run(machine, obj, name, words, NONE, extra)
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


@_command_method("make_context")
def make_context(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`command.make_context(name, args)`."""
    words = machine.iterate(args.get(1, "args") or UNKNOWN)
    return prepare(machine, obj, args.get(0, "info_name") or NONE, words, args.get(2, "parent") or NONE, dict(args.kw))


# Exceptions and output -----------------------------------------------------------------------------------------------


def _exception(name: str) -> None:
    def make(machine: Machine, args: Arguments) -> AnyValue:
        out = Instance(Ext(name))
        init(machine, out, args)
        return out

    def init(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        machine.state.write(obj.slots, "args", TupleV(args.pos, args.star))
        message = args.get(0, "message")
        if message is not None:
            machine.state.write(obj.slots, "message", message)
        return NONE

    function(name)(make)
    method(f"{name}.__init__")(init)


for _name in sorted(ERRORS):
    _exception(_name)


@_command_method("get_help", "get_usage", "format_help", "get_short_help_str", "collect_usage_pieces")
@method(f"{CONTEXT}.get_help", f"{CONTEXT}.get_usage")
def help_text(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Texts for people."""
    from taskgates.inference.values import text_hole

    del machine, obj, args
    return text_hole()


# Testing -------------------------------------------------------------------------------------------------------------

RUNNER = "click.testing.CliRunner"


@function(RUNNER)
def make_runner(machine: Machine, args: Arguments) -> AnyValue:
    """`CliRunner(...)`."""
    del machine, args
    return Instance(Ext(RUNNER))


@method(f"{RUNNER}.invoke")
def runner_invoke(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`runner.invoke(command, args)`: exceptions end up in the result."""
    from taskgates.inference.values import INT, text_hole

    del obj
    target = args.get(0, "cli") or UNKNOWN
    words = args.get(1, "args") or ListObj("list")
    text = text_of(words)
    if isinstance(text, str):
        words = machine.call(Ext("shlex.split"), Arguments([words]))
    elif words == NONE:
        words = ListObj("list")
    extra = {key: args.kw[key] for key in ("obj", "default_map", "auto_envvar_prefix") if key in args.kw}
    environ = args.get(3, "env")
    saved = dict(machine.set_environ)
    if isinstance(environ, DictObj):
        for key, value in environ.known():
            if isinstance(key, Known) and isinstance(key.value, str):
                machine.set_environ[key.value] = value
    result = Instance(Ext("click.testing.Result"))
    code: AnyValue = Known(0)
    returned: AnyValue = NONE
    error: AnyValue = NONE
    try:
        if isinstance(target, Instance):
            given = Arguments((), {"args": words, "standalone_mode": FALSE, **extra})
            returned = machine.call(machine.get_attr(target, "main"), given)
        else:
            machine.call_with_unknowns(target)
    except AbstractRaise as raised:
        code, error = INT, raised.value
    finally:
        machine.set_environ = saved
    result.slots.update({"exit_code": code, "return_value": returned, "exception": error})
    for name in ("output", "stdout", "stderr"):
        result.slots[name] = text_hole()
    return result


@method(f"{RUNNER}.isolated_filesystem")
def isolated(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with runner.isolated_filesystem():` works in a temporary folder."""
    from taskgates.inference.core import TEMPORARY

    del obj, args
    return machine.call(Ext("contextlib.chdir"), Arguments([Known(TEMPORARY)]))  # type: ignore[no-any-return]


_ALIASED = {
    "core": ("Command", "Group", "CommandCollection", "Context", "Option", "Argument"),
    "decorators": (
        "command",
        "group",
        "option",
        "argument",
        "pass_context",
        "pass_obj",
        "make_pass_decorator",
        "version_option",
        "help_option",
        "confirmation_option",
        "password_option",
    ),
    "types": ("Path", "File", "Choice", "IntRange", "FloatRange", "DateTime", "Tuple", "ParamType"),
    "exceptions": tuple(sorted(name.removeprefix("click.") for name in ERRORS if name.count(".") == 1)),
    "utils": ("echo", "get_app_dir", "open_file"),
}
_VARIANTS = ("rich_click", "asyncclick", "cloup")
"""Drop-in variants of click whose commands behave in the same way."""


def _alias() -> None:
    from taskgates.inference.models.registry import ALIASES

    for module, names in _ALIASED.items():
        for name in names:
            ALIASES[f"click.{module}.{name}"] = f"click.{name}"
    for variant in _VARIANTS:
        ALIASES[variant] = "click"
    for old in ("click.BaseCommand", "click.core.BaseCommand"):
        ALIASES[old] = COMMAND
    for old in ("click.MultiCommand", "click.core.MultiCommand"):
        ALIASES[old] = GROUP


_alias()
__all__ = ["COMMAND", "GROUP", "init_command", "main", "make_command", "make_param", "register", "run"]
