"""os.environ and os.getenv: variables that are known, and those that are holes."""

from __future__ import annotations

from typing import Any

from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, constant, function
from taskgates.inference.text import Hole, Text
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    Arguments,
    DictObj,
    Ext,
    Known,
    TupleV,
    Unknown,
    join,
    text_hole,
    text_of,
)
from taskgates.model.access import SharedKind


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


@function("os.environ.get", "os.getenv")
def getenv(machine: Machine, args: Arguments) -> AnyValue:
    """`os.environ.get(name, default)`."""
    return environment_item(machine, args.get(0, "key") or UNKNOWN, args.get(1, "default", NONE))


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
    out = DictObj("dict", None, Text((Hole("environment", True),)))
    for name, value in machine.environ.items():
        out.slots[Known(name)] = Known(value)
    for name, value in machine.set_environ.items():
        out.slots[Known(name)] = value
    return out


registry.FUNCTIONS["os.environ.items"] = lambda machine, args: registry.METHODS["builtins.dict.items"](
    machine, environ_copy(machine, args), args
)

registry.ITERATIONS["os.environ"] = lambda _: TupleV((), text_hole("environment"))


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

registry.FUNCTIONS["os.putenv"] = lambda machine, args: _set_item(machine, None, args)


@constant("os.environ")
def environ(machine: Machine) -> AnyValue:
    """`os.environ`."""
    del machine
    return Ext("os.environ")
