"""os.environ and os.getenv: variables that are known, and those that are holes."""

from __future__ import annotations

from typing import Any

from taskgates.inference.core import ALWAYS_SET
from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, constant, function
from taskgates.inference.objects import Arguments, DictObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Hole, Text
from taskgates.inference.values import (
    BOOL,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Unknown,
    as_value,
    join,
    path_text,
    text_of,
)
from taskgates.model.access import Operation, SharedKind


def environment_item(machine: Machine, name: AnyValue, default: AnyValue | None) -> AnyValue:
    """One environment variable; unset ones give the default, or a hole where the lookup would fail."""
    text = text_of(name)
    if not isinstance(text, str):
        return join([text_hole("environment", slash=True), default])
    value: AnyValue = machine.env_value(text)
    if isinstance(value, Known) and value.value is None:
        if default is not None:
            return default
        machine.may_raise("KeyError")
        return Text((Hole("environment", True, text),))
    return Text((Hole("environment", True, text),)) if isinstance(value, Unknown) else value


registry.ITEMS["os.environ"] = lambda machine, index: environment_item(machine, index, None)

registry.ITEMS["os.environb"] = registry.ITEMS["os.environ"]


def environment_has(machine: Machine, name: AnyValue, positive: bool) -> AnyValue:
    """Whether an environment variable is set."""
    text = text_of(name)
    value = machine.env_value(text) if isinstance(text, str) else UNKNOWN
    if value == NONE:
        return Known(not positive)
    return Known(positive) if isinstance(value, Known) else BOOL


registry.MEMBERSHIPS["os.environ"] = environment_has


@function("os.environ.get", "os.getenv")
def getenv(machine: Machine, args: Arguments) -> AnyValue:
    """`os.environ.get(name, default)`."""
    return environment_item(machine, args.get(0, "key") or UNKNOWN, args.get(1, "default", NONE))


@function("decouple.config", "decouple.Config", "decouple.AutoConfig")
def decouple_config(machine: Machine, args: Arguments) -> AnyValue | None:
    """`config(name, default=..., cast=...)`: the environment, then `.env` or `settings.ini`, then the default."""
    name = text_of(args.get(0, "option") or UNKNOWN)
    if not isinstance(name, str):
        return None
    machine.shared("environment", SharedKind.PROCESS, "read", call="decouple.config")
    default, cast = args.get(1, "default"), args.get(2, "cast")
    value = machine.env_value(name)
    if isinstance(value, Known) and value.value is None:
        value = _from_settings(machine, name)
        if value is None:
            if default is None:
                machine.may_raise()
                return Text((Hole("environment", True, name),))
            value = default
    return value if cast is None or cast == NONE else machine.call(cast, Arguments([value]))  # type: ignore[no-any-return]


def _from_settings(machine: Machine, name: str) -> AnyValue | None:
    """A setting from the file beside the program or above it that decouple would find; None when it has none."""
    for file in ("settings.ini", ".env"):
        if machine.exists(file, "file") is not False:
            path = Known(file)
            machine.access(Operation.READ, path, "decouple.config")
            content = machine.content(file)
            if content is None:
                return Text((Hole("data", True),))
            for line in content.decode("utf-8", "replace").splitlines():
                key, given, text = line.partition("=")
                if given and key.strip() == name and not line.lstrip().startswith("#"):
                    return Known(text.strip().strip("'\""))
            return None
    return None


@function("dotenv.load_dotenv", "dotenv.main.load_dotenv")
def load_dotenv(machine: Machine, args: Arguments) -> AnyValue:
    """`load_dotenv(path, override=...)`: the variables of the file become those of the process."""
    values = dotenv_file(machine, args.get(0, "dotenv_path"), "dotenv.load_dotenv")
    over = args.get(3, "override")
    if values is not None:
        machine.shared("environment", SharedKind.PROCESS, "write", call="dotenv.load_dotenv")
        for name, value in values.items():
            before = machine.env_value(name)
            if (over is not None and machine.truth(over) is True) or (
                isinstance(before, Known) and before.value is None
            ):
                machine.set_environ[name] = Known(value)
    return Known(True) if values else BOOL


@function("dotenv.dotenv_values", "dotenv.main.dotenv_values")
def dotenv_values(machine: Machine, args: Arguments) -> AnyValue:
    """`dotenv_values(path)`: the variables of the file as a mapping."""
    values = dotenv_file(machine, args.get(0, "dotenv_path"), "dotenv.dotenv_values")
    if values is None:
        return DictObj("dict", None, text_hole("data", slash=True))
    return DictObj("dict", {Known(name): Known(value) for name, value in values.items()})


@function("dotenv.find_dotenv", "dotenv.main.find_dotenv")
def find_dotenv(machine: Machine, args: Arguments) -> AnyValue:
    """`find_dotenv()`: the file beside the program or above it; empty where there is none."""
    name = text_of(args.get(0, "filename") or Known(".env"))
    text = name if isinstance(name, str) else ".env"
    found = machine.exists(text, "file")
    return Known("") if found is False else Known(str(machine.absolute(text)))


def dotenv_file(machine: Machine, path: AnyValue | None, call: str) -> dict[str, str] | None:
    """The variables that a file gives; None where the file is not known."""
    text = path_text(path) if path is not None and path != NONE else None
    if text is None:
        text = ".env"
    if text == "" or machine.exists(text, "file") is False:
        return {}
    machine.access(Operation.READ, as_value(text), call)
    content = machine.content(text)
    if content is None:
        return None
    values: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        name, given, value = line.removeprefix("export ").partition("=")
        if given and not line.lstrip().startswith("#"):
            values[name.strip()] = _unquoted(value.strip())
    return values


def _unquoted(text: str) -> str:
    """The value behind the sign: what stands in quotes, else all before a comment."""
    if len(text) > 1 and text[0] in "\"'" and text[0] in text[1:]:
        return text[1 : text.index(text[0], 1)]
    return text.partition(" #")[0].rstrip()


@function("os.environ.setdefault")
def environ_setdefault(machine: Machine, args: Arguments) -> AnyValue:
    """`os.environ.setdefault(name, value)`."""
    name, value = args.get(0, "key") or UNKNOWN, args.get(1, "value") or UNKNOWN
    found = environment_item(machine, name, value)
    set_environment(machine, name, found)
    return found


@function("os.environ.pop")
def environ_pop(machine: Machine, args: Arguments) -> AnyValue:
    """`os.environ.pop(name, default)`."""
    found = environment_item(machine, args.get(0, "key") or UNKNOWN, args.get(1, "default"))
    name = text_of(args.get(0, "key") or UNKNOWN)
    if isinstance(name, str):
        machine.set_environ[name] = NONE
    machine.shared("environment", SharedKind.PROCESS, "write", call="os.environ.pop")
    return found


@function("os.environ.copy", "os.environ.items", "os.environ.keys")
def environ_copy(machine: Machine, args: Arguments) -> AnyValue:
    """The environment as a dict."""
    del args
    return whole_environment(machine)


def whole_environment(machine: Machine) -> DictObj:
    """Every variable by name: for a command line those that are given, set by the program, or set in every session."""
    out = DictObj("dict", None, None if machine.closed else Text((Hole("environment", True),)))
    for name in dict.fromkeys((*machine.environ, *machine.set_environ, "HOME", *ALWAYS_SET)):
        value = environment_item(machine, Known(name), NONE)
        if value != NONE:
            out.slots[Known(name)] = value
    return out


registry.FUNCTIONS["os.environ.items"] = lambda machine, args: registry.METHODS["builtins.dict.items"](
    machine, environ_copy(machine, args), args
)

registry.FUNCTIONS["os.environ.values"] = lambda machine, args: registry.METHODS["builtins.dict.values"](
    machine, environ_copy(machine, args), args
)

registry.ITERATIONS["os.environ"] = lambda machine: machine.iterate(whole_environment(machine))


@function("os.environ.update")
def environ_update(machine: Machine, args: Arguments) -> AnyValue:
    """`os.environ.update(...)`."""
    for value in args.pos:
        if isinstance(value, DictObj):
            for key, item in value.known():
                set_environment(machine, key, item)
    for name, item in args.kw.items():
        set_environment(machine, Known(name), item)
    return NONE


def set_environment(machine: Machine, name: AnyValue, value: AnyValue) -> None:
    """The program sets an environment variable."""
    machine.shared("environment", SharedKind.PROCESS, "write", call="os.environ[...]")
    text = text_of(name)
    if isinstance(text, str):
        known = machine.set_environ.get(text)
        machine.set_environ[text] = join([known, value]) if known is not None and machine.conditional else value


def _set_item(machine: Machine, obj: Any, args: Arguments) -> Any:
    del obj
    set_environment(machine, args.pos[0], args.pos[1])
    return NONE


registry.METHODS["os.environ.__setitem__"] = _set_item

registry.METHODS["os.environ.__delitem__"] = lambda machine, _, args: environ_pop(machine, args)

registry.METHODS["os.environ.@entries"] = lambda machine, _, __: whole_environment(machine)

registry.FUNCTIONS["os.putenv"] = lambda machine, args: _set_item(machine, None, args)


@constant("os.environ")
def environ(machine: Machine) -> AnyValue:
    """`os.environ`."""
    del machine
    return Ext("os.environ")
