"""click: exceptions, the test runner, and the other names of what the parts model.

Commands are objects of the library type with what was declared in their slots (`click_declare`); running one
(`click_running`) rebuilds a real click parser (`click_parsing`), converts the values (`click_types`) and calls the
program's function. Classes of the program over `click.Command` and `click.Group` take part: what they override is
called, and their `super()` calls end up in the models.
"""

from __future__ import annotations

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.command_lines.click_context import CONTEXT
from taskgates.inference.models.command_lines.click_declare import COMMAND, GROUP, GROUPED, command_method, is_command
from taskgates.inference.models.command_lines.click_parsing import attribute, is_true
from taskgates.inference.models.command_lines.click_running import ERRORS
from taskgates.inference.models.command_lines.click_types import convert, guessed
from taskgates.inference.models.registry import ALIASES, PROGRAMS, Machine, function, method
from taskgates.inference.models.values.signatures import signature
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj, ModuleV
from taskgates.inference.recording import TEMPORARY
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import (
    BOOL,
    FALSE,
    INT,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    TupleV,
    join,
    text_of,
)


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


@command_method("get_help", "get_usage", "format_help", "get_short_help_str", "collect_usage_pieces")
@method(f"{CONTEXT}.get_help", f"{CONTEXT}.get_usage")
def help_text(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Texts for people."""
    del machine, obj, args
    return text_hole()


RUNNER = "click.testing.CliRunner"
BAR = "click.progressbar"


@function(BAR, "typer.progressbar")
def progressbar(machine: Machine, args: Arguments) -> AnyValue:
    """A progress bar: iterating over it is iterating over what it was given."""
    del machine
    out = Instance(Ext(BAR))
    given = args.get(0, "iterable") or NONE
    out.slots[("iterable",)] = given if given != NONE else ListObj("list", (), INT)
    return out


@method(f"{BAR}.__iter__", f"{BAR}.generator")
def bar_items(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The elements behind a progress bar."""
    del machine, args
    return attribute(obj, ("iterable",))  # type: ignore[no-any-return]


@method(f"{BAR}.__enter__")
def bar_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """A progress bar is its own context manager."""
    del machine, args
    return obj


@method(f"{BAR}.__exit__", f"{BAR}.update", f"{BAR}.finish", f"{BAR}.render_progress", f"{BAR}.render_finish")
def bar_step(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """What a progress bar shows concerns no file."""
    del machine, obj, args
    return NONE


@function("click.get_app_dir", "typer.get_app_dir")
def get_app_dir(machine: Machine, args: Arguments) -> AnyValue | None:
    """The folder of a program's settings on POSIX systems other than macOS."""
    name = text_of(args.get(0, "app_name") or UNKNOWN)
    if not isinstance(name, str):
        return None
    plain = "-".join(name.split()).lower()
    if is_true(args.get(2, "force_posix")):
        return machine.call(Ext("os.path.expanduser"), Arguments([Known(f"~/.{plain}")]))  # type: ignore[no-any-return]
    base = machine.env_value("XDG_CONFIG_HOME")
    if base == NONE:
        base = machine.call(Ext("os.path.expanduser"), Arguments([Known("~/.config")]))
    return machine.call(Ext("os.path.join"), Arguments([base, Known(plain)]))  # type: ignore[no-any-return]


@function("click.style", "click.unstyle", "typer.style", "click.wrap_text")
def style(machine: Machine, args: Arguments) -> AnyValue:
    """Text with or without terminal codes, which nothing but a terminal looks at."""
    return machine.call(Ext("builtins.str"), Arguments(args.pos[:1]))  # type: ignore[no-any-return]


@function("click.secho", "click.clear", "click.pause", "click.echo_via_pager", "typer.secho")
def shown(machine: Machine, args: Arguments) -> AnyValue:
    """Output for people; a generator has been run where it was made."""
    del machine, args
    return NONE


def may_abort(machine: Machine) -> None:
    """A question may be answered with an interrupt, or not at all."""
    if machine.tries:
        machine.tries[-1].values.append(Instance(Ext("click.Abort")))


@function("click.confirm", "typer.confirm")
def confirm(machine: Machine, args: Arguments) -> AnyValue:
    """`confirm(text, default, abort=False)`: with `abort`, only a yes returns."""
    may_abort(machine)
    return TRUE if is_true(args.get(2, "abort")) else BOOL


@function("click.prompt", "typer.prompt")
def prompt(machine: Machine, args: Arguments) -> AnyValue:
    """`prompt(text, default, type=...)`: the default or whatever is typed in."""
    may_abort(machine)
    default = args.get(1, "default") or NONE
    kind = args.get(4, "type")
    typed = text_hole("argument", slash=True, name="prompt")
    word = join([default, typed]) if default != NONE else typed
    if kind is None or kind == NONE:
        kind = guessed(default)
    return convert(machine, kind, word, NONE, NONE)


@function(RUNNER)
def make_runner(machine: Machine, args: Arguments) -> AnyValue:
    """`CliRunner(...)`."""
    del machine, args
    return Instance(Ext(RUNNER))


@method(f"{RUNNER}.invoke")
def runner_invoke(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`runner.invoke(command, args)`: exceptions end up in the result."""
    del obj
    target = args.get(0, "cli") or UNKNOWN
    words = args.get(1, "args") or ListObj("list")
    text = text_of(words)
    if isinstance(text, str):
        words = machine.call(Ext("shlex.split"), Arguments([words]))
    elif words == NONE:
        words = ListObj("list")
    extra: dict[str, AnyValue] = {
        key: args.kw[key] for key in ("obj", "default_map", "auto_envvar_prefix") if key in args.kw
    }
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


def is_program(value: AnyValue, module: ModuleV) -> bool:
    """Whether a value is a command of a module that is no subcommand."""
    if not isinstance(value, Instance) or not is_command(value) or GROUPED in value.slots:
        return False
    callback = attribute(value, "callback")
    while isinstance(callback, Instance):
        callback = attribute(callback, "__wrapped__")
    target, _ = signature(callback) if callback is not None else (None, 0)
    return target is None or target.module is module


PROGRAMS.append(is_program)


def _alias() -> None:

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
