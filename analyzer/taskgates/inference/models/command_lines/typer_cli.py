"""Typer: commands from the signatures of functions, put together as click commands.

What Typer does at run time happens here with abstract values: annotations and defaults of a function become click
parameters, applications become groups, and the click models parse and call.
"""

from __future__ import annotations

from taskgates.inference.models.command_lines.click_context import current
from taskgates.inference.models.command_lines.click_declare import (
    COMMAND,
    GROUP,
    GROUPED,
    command_name,
    init_command,
    make_param,
    register,
)
from taskgates.inference.models.command_lines.click_parsing import attribute, is_true
from taskgates.inference.models.command_lines.click_running import main
from taskgates.inference.models.command_lines.typer_annotations import ARGUMENT, OPTION, UNBOUND, Annotation, annotation
from taskgates.inference.models.registry import ALIASES, PROGRAMS, Machine, function, method
from taskgates.inference.models.values.signatures import signature
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj, ModuleV
from taskgates.inference.values import (
    FALSE,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Native,
    Partial,
    TupleV,
    options,
    text_of,
)

APP = "typer.Typer"
_COMMANDS, _GROUPS, _CALLBACK, _SETTINGS = ("commands",), ("groups",), ("callback",), ("settings",)
_FILES = {
    "typer.FileText": "r",
    "typer.FileTextWrite": "w",
    "typer.FileBinaryRead": "rb",
    "typer.FileBinaryWrite": "wb",
}
_PATH_SETTINGS = ("exists", "file_okay", "dir_okay", "writable", "readable", "resolve_path", "allow_dash")
_PASSED = (
    "envvar",
    "prompt",
    "is_eager",
    "expose_value",
    "count",
    "required",
    "hidden",
    "is_flag",
    "flag_value",
    "prompt_required",
)


# Applications --------------------------------------------------------------------------------------------------------


@function(APP, "typer.main.Typer")
def make_app(machine: Machine, args: Arguments) -> AnyValue:
    """`Typer(...)`."""
    out = Instance(Ext(APP))
    init_app(machine, out, args)
    return out


@method(f"{APP}.__init__")
def init_app(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The constructor of an application."""
    machine.state.write(obj.slots, _COMMANDS, ListObj("list"))
    machine.state.write(obj.slots, _GROUPS, ListObj("list"))
    machine.state.write(obj.slots, _CALLBACK, NONE)
    machine.state.write(obj.slots, _SETTINGS, machine.dict_of(dict(args.kw)))
    return NONE


@method(f"{APP}.command")
def app_command(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`@app.command(name)`."""
    del machine
    name = args.get(0, "name") or NONE

    def run(inner: Machine, given: Arguments) -> AnyValue:
        func = given.pos[0] if given.pos else UNKNOWN
        inner.extend(attribute(obj, _COMMANDS), TupleV([TupleV([name, func, inner.dict_of(dict(args.kw))])]))
        return func

    return Native("typer.command", run)


@method(f"{APP}.callback")
def app_callback(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`@app.callback(...)`."""
    del machine

    def run(inner: Machine, given: Arguments) -> AnyValue:
        func = given.pos[0] if given.pos else UNKNOWN
        inner.state.write(obj.slots, _CALLBACK, TupleV([func, inner.dict_of(dict(args.kw))]))
        return func

    return Native("typer.callback", run)


@method(f"{APP}.add_typer")
def add_typer(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`app.add_typer(other, name=...)`."""
    other = args.get(0, "typer_instance") or UNKNOWN
    for option in options(other):
        if isinstance(option, Instance):
            machine.state.write(option.slots, GROUPED, TRUE)
    machine.extend(attribute(obj, _GROUPS), TupleV([TupleV([other, machine.dict_of(dict(args.kw))])]))
    return NONE


@method(f"{APP}.__call__", f"{APP}.main")
def run_app(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`app()`: the command line is parsed and the program ends."""
    return main(machine, build(machine, obj), args)


@function("typer.run")
def run_function(machine: Machine, args: Arguments) -> AnyValue:
    """`typer.run(function)`."""
    func = args.get(0, "function") or UNKNOWN
    return main(machine, command_of(machine, func, NONE, {}), Arguments())


@function("typer.main.get_command", "typer.main.get_group")
def get_command(machine: Machine, args: Arguments) -> AnyValue:
    """The click command behind an application."""
    app = args.get(0, "typer_instance")
    return build(machine, app) if isinstance(app, Instance) else UNKNOWN


def settings_of(value: AnyValue | None) -> dict[str, AnyValue]:
    """Keyword arguments that were kept."""
    if not isinstance(value, DictObj):
        return {}
    return {key.value: item for key, item in value.known() if isinstance(key, Known) and isinstance(key.value, str)}


def build(machine: Machine, app: Instance) -> Instance:
    """The click command of an application: a group unless it has exactly one command and no callback."""
    commands = attribute(app, _COMMANDS).items
    groups = attribute(app, _GROUPS).items
    own = settings_of(attribute(app, _SETTINGS))
    has_callback = attribute(app, _CALLBACK) != NONE or own.get("callback", NONE) != NONE
    if len(commands) == 1 and not groups and not has_callback:
        name, func, kw = commands[0].items
        return command_of(machine, func, name, settings_of(kw))
    return _group(machine, app, {})


def _group(machine: Machine, app: Instance, extra: dict[str, AnyValue]) -> Instance:
    own = settings_of(attribute(app, _SETTINGS))
    callback: AnyValue = NONE
    registered = attribute(app, _CALLBACK)
    kw = dict(own)
    if isinstance(registered, TupleV):
        callback = registered.items[0]
        kw.update(settings_of(registered.items[1]))
    for source in (own, extra):
        if source.get("callback", NONE) != NONE:
            callback = source["callback"]
    kw.update(extra)
    kw.pop("callback", None)
    out = Instance(Ext(GROUP))
    given = {key: value for key, value in kw.items() if key != "cls"}
    if callback != NONE:
        given["params"] = ListObj("list", params_of(machine, callback))
        given["callback"] = _adapter(callback)
    init_command(machine, out, given)
    _fill(machine, app, out)
    return out


def _fill(machine: Machine, app: Instance, out: Instance) -> None:
    """Put the commands and groups of an application into a click group."""
    for entry in attribute(app, _COMMANDS).items:
        name, func, kw = entry.items
        register(machine, out, command_of(machine, func, name, settings_of(kw)), None)
    for entry in attribute(app, _GROUPS).items:
        inner, kw = entry.items
        for other in options(inner):
            if not isinstance(other, Instance) or _SETTINGS not in other.slots:
                machine.opaque("an application that is added to a Typer application is not known")
                continue
            extra = settings_of(kw)
            name = _group_name(other, extra)
            if name is None:
                _fill(machine, other, out)
            else:
                register(machine, out, _group(machine, other, {**extra, "name": name}), name)


def _group_name(app: Instance, extra: dict[str, AnyValue]) -> AnyValue | None:
    own = settings_of(attribute(app, _SETTINGS))
    registered = attribute(app, _CALLBACK)
    callback = settings_of(registered.items[1]) if isinstance(registered, TupleV) else {}
    for source in (extra, callback, own):
        if source.get("name", NONE) != NONE:
            return source["name"]
    func = registered.items[0] if isinstance(registered, TupleV) else own.get("callback", NONE)
    return Known(command_name(func, strip=False)) if func != NONE else None


# Commands ------------------------------------------------------------------------------------------------------------


def command_of(machine: Machine, func: AnyValue, name: AnyValue, kw: dict[str, AnyValue]) -> Instance:
    """A click command that calls a function with what its signature asks for."""
    out = Instance(Ext(COMMAND))
    given = {key: value for key, value in kw.items() if key not in ("cls", "name")}
    given["name"] = name if name != NONE else Known(command_name(func, strip=False))
    given["params"] = ListObj("list", params_of(machine, func))
    given["callback"] = _adapter(func)
    init_command(machine, out, given)
    return out


def _adapter(func: AnyValue) -> AnyValue:
    """The callback of the click command: sequences become lists, the context is passed where it is asked for."""

    def run(machine: Machine, args: Arguments) -> AnyValue:
        target, skip = signature(func)
        kw = dict(args.kw)
        for param in target.node.params[skip:] if target is not None else ():
            note = annotation(machine, target, param.annotation)
            if is_context(note.kind):
                ctx = current(machine)
                kw[param.name] = ctx if ctx is not None else UNKNOWN
            elif note.many and isinstance(value := kw.get(param.name), TupleV):
                default = target.defaults.get(param.name) if target is not None else None
                empty = not value.items and value.rest is None
                kw[param.name] = NONE if empty and default == NONE else ListObj("list", value.items, value.rest)
        return machine.awaited(machine.call(func, Arguments((), kw)))  # type: ignore[no-any-return]

    return Native("typer.callback", run)


def is_context(kind: AnyValue | None) -> bool:
    """Whether an annotation asks for the context."""
    return isinstance(kind, Ext) and kind.name in ("click.Context", "typer.Context", "typer.models.Context")


def params_of(machine: Machine, func: AnyValue) -> list[AnyValue]:
    """The click parameters of a function's signature."""
    target, skip = signature(func)
    if target is None:
        machine.opaque("the function of a Typer command is not known")
        return []
    bound = frozenset(func.args.kw) if isinstance(func, Partial) else frozenset()
    out: list[AnyValue] = []
    for param in target.node.params[skip:]:
        if param.kind in ("args", "kwargs") or param.name in bound:
            continue
        note = annotation(machine, target, param.annotation)
        if is_context(note.kind):
            continue
        out.append(_param(machine, param.name, note, target.defaults.get(param.name)))
    return out


def _param(machine: Machine, name: str, note: Annotation, default: AnyValue | None) -> AnyValue:
    info = note.info
    names: list[AnyValue] = []
    spec: dict[str, AnyValue] = {}
    if isinstance(default, Instance) and default.cls in (Ext(OPTION), Ext(ARGUMENT)):
        info = default
        default = attribute(info, ("default",))
        names = list(attribute(info, ("names",)).items)
    elif info is not None:
        names = list(attribute(info, ("every",)).items)
    if info is not None:
        spec = settings_of(attribute(info, _SETTINGS))
        factory = spec.get("default_factory", NONE)
        if factory != NONE:
            default = factory
    required = default is None or default == UNBOUND
    is_option = info.cls == Ext(OPTION) if info is not None else not required
    extra = {key: spec[key] for key in _PASSED if key in spec}
    if not required and default is not None:
        extra["default"] = default
    extra.setdefault("required", Known(required))
    extra["type"] = parameter_type(machine, note, spec)
    if spec.get("callback", NONE) != NONE:
        extra["callback"] = _param_callback(spec["callback"])
    if not is_option:
        if note.many:
            extra["nargs"] = Known(-1)
        extra.pop("is_eager", None)
        return make_param(machine, "click.Argument", [Known(name)], extra)
    if note.many:
        extra["multiple"] = TRUE
    flag = note.kind in (Ext("builtins.bool"), Ext("click.BOOL")) and not note.many and note.parts is None
    words = [text_of(word) for word in names]
    words = [word for word in words if isinstance(word, str) and word.startswith(("-", "/"))]
    if not words:
        plain = name.replace("_", "-")
        words = [f"--{plain}/--no-{plain}" if flag and not is_true(extra.get("count")) else f"--{plain}"]
    if flag:
        extra.pop("type")
        extra.setdefault("is_flag", TRUE)
        if extra.get("default", NONE) == NONE and "default" not in extra:
            extra["default"] = FALSE
            extra["required"] = Known(required)
    if is_true(extra.get("count")):
        extra.pop("type", None)
    if required and flag:
        extra.pop("default", None)
    return make_param(machine, "click.Option", [Known(name), *(Known(word) for word in words)], extra)


def _param_callback(func: AnyValue) -> AnyValue:
    """Typer hands a parameter's callback the value, and before it the context and the parameter when asked for."""

    def run(machine: Machine, args: Arguments) -> AnyValue:
        target, skip = signature(func)
        count = len(target.node.params) - skip if target is not None else 1
        ctx, param, value = args.pos
        given = {1: [value], 2: [ctx, value]}.get(count, [ctx, param, value])
        return machine.call(func, Arguments(given if count else []))  # type: ignore[no-any-return]

    return Native("typer.parameter_callback", run)


def _info(kind: str, *names: str) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue:
        out = Instance(Ext(kind))
        default = args.get(0, "default")
        out.slots[("default",)] = default if default is not None else UNBOUND
        out.slots[("names",)] = TupleV(args.pos[1:])
        out.slots[("every",)] = TupleV(args.pos)
        out.slots[_SETTINGS] = machine.dict_of({key: item for key, item in args.kw.items() if key != "default"})
        return out

    function(*names)(model)


_info(OPTION, "typer.Option", "typer.params.Option")
_info(ARGUMENT, "typer.Argument", "typer.params.Argument")


def parameter_type(machine: Machine, note: Annotation, spec: dict[str, AnyValue]) -> AnyValue:
    """The click type of an annotation."""
    for name in ("click_type", "parser"):
        if spec.get(name, NONE) != NONE:
            return spec[name]
    if note.parts is not None:
        return TupleV(parameter_type(machine, part, spec) for part in note.parts)
    kind = note.kind
    if isinstance(kind, Ext):
        if kind.name.startswith("pathlib."):
            out = Instance(Ext("click.Path"))
            out.slots.update({key: spec[key] for key in _PATH_SETTINGS if key in spec})
            out.slots["path_type"] = spec.get("path_type", kind)
            return out
        if kind.name in _FILES:
            out = Instance(Ext("click.File"))
            out.slots["mode"] = spec.get("mode", Known(_FILES[kind.name]))
            return out
        if kind.name == "datetime.datetime":
            return Instance(Ext("click.DateTime"))
    if isinstance(kind, Instance | Ext) or (kind is not None and hasattr(kind, "traits")):
        return kind
    return NONE


def is_program(value: AnyValue, module: ModuleV) -> bool:
    """Whether a value is an application of a module that is not part of another."""
    if not isinstance(value, Instance) or value.cls != Ext(APP) or GROUPED in value.slots:
        return False
    targets = [signature(entry.items[1])[0] for entry in attribute(value, _COMMANDS).items]
    return any(target is not None and target.module is module for target in targets) or not targets


PROGRAMS.append(is_program)

for _old, _new in {
    "typer.Exit": "click.exceptions.Exit",
    "typer.Abort": "click.Abort",
    "typer.BadParameter": "click.BadParameter",
    "typer.Context": "click.Context",
    "typer.testing.CliRunner": "click.testing.CliRunner",
    "typer.get_command": "typer.main.get_command",
}.items():
    ALIASES[_old] = _new

__all__ = ["APP", "build", "command_of", "params_of"]
