"""contextvars: the value that was set last, and what `reset` brings back."""

from __future__ import annotations

from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, Instance, Maybe
from taskgates.inference.values import NONE, UNKNOWN, AnyValue, Ext, Known, join

VARIABLE = "contextvars.ContextVar"
CURRENT = ("current",)
"""The slot for the value that a variable has in the present context."""


@function(VARIABLE)
def variable(machine: Machine, args: Arguments) -> AnyValue | None:
    """`ContextVar(name, default=...)`."""
    del machine
    out = Instance(Ext(VARIABLE))
    if "default" in args.kw:
        out.slots["default"] = args.kw["default"]
    return out


@method(f"{VARIABLE}.get")
def get(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`variable.get(default)`."""
    current = obj.slots.get(CURRENT)
    default = args.get(0, "default", obj.slots.get("default"))
    if current is None:
        if default is None:
            machine.may_raise("LookupError")
        return default if default is not None else UNKNOWN
    if isinstance(current, Maybe):
        return join([current.value, default])
    return current  # type: ignore[no-any-return]


@method(f"{VARIABLE}.set")
def set_(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`variable.set(value)`: the token remembers the value before."""
    token = Instance(Ext("contextvars.Token"))
    token.slots["var"] = obj
    before = obj.slots.get(CURRENT)
    if before is not None:
        token.slots["old_value"] = before
    machine.state.write(obj.slots, CURRENT, args.pos[0] if args.pos else UNKNOWN)
    return token


@method(f"{VARIABLE}.reset")
def reset(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`variable.reset(token)`."""
    token = args.pos[0] if args.pos else NONE
    before = token.slots.get("old_value") if isinstance(token, Instance) else Known(None)
    if before is None:
        machine.state.erase(obj.slots, CURRENT)
    else:
        machine.state.write(obj.slots, CURRENT, before if isinstance(token, Instance) else UNKNOWN)
    return NONE
