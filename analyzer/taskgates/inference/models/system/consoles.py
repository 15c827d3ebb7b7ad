"""`code.InteractiveConsole` and its base: the texts they are given run in one namespace, lines once complete."""

from __future__ import annotations

import codeop

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, DictObj, Instance
from taskgates.inference.values import FALSE, NONE, TRUE, AnyValue, Ext, Known, text_of

_CONSOLE = "code.InteractiveConsole"
_INTERPRETER = "code.InteractiveInterpreter"
_LINES = ("lines",)
"""The slot of a console for the lines of a statement that is not complete yet."""


def _new(kind: str) -> None:
    @function(kind)
    def make(machine: Machine, args: Arguments) -> AnyValue:
        out = Instance(Ext(kind))
        prepare(machine, out, args)
        return out


for _kind in (_CONSOLE, _INTERPRETER):
    _new(_kind)


@method(f"{_CONSOLE}.__init__", f"{_INTERPRETER}.__init__")
def prepare(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The constructor: `locals` is the namespace, one of its own where there is none."""
    given = args.get(0, "locals")
    machine.state.write(obj.slots, "locals", given if given is not None and given != NONE else DictObj("dict"))
    machine.state.write(obj.slots, _LINES, Known(""))
    return NONE


def _run(machine: Machine, obj: Instance, text: AnyValue) -> None:
    """Run a text; what it raises is printed, but for the end of the program."""
    try:
        machine.run_text(text, {"globals": obj.slots.get("locals") or DictObj("dict")})
    except AbstractRaise as error:
        if isinstance(error.value, Instance) and error.value.cls == Ext("builtins.SystemExit"):
            raise
        machine.may_raise()


@method(f"{_INTERPRETER}.runsource", f"{_INTERPRETER}.runcode")
def run_source(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`runsource(text)`, `runcode(code)`."""
    _run(machine, obj, args.pos[0] if args.pos else args.get(0, "source") or args.get(0, "code") or NONE)
    return FALSE


@method(f"{_CONSOLE}.push")
def push(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`push(line)`: whether more lines are needed."""
    line, before = args.get(0, "line") or NONE, text_of(obj.slots.get(_LINES, NONE))
    text = text_of(line)
    if not isinstance(text, str) or not isinstance(before, str):
        _run(machine, obj, line)
        return FALSE
    source = f"{before}\n{text}" if before else text
    try:
        complete = codeop.compile_command(source) is not None
    except (SyntaxError, ValueError, OverflowError):
        machine.state.write(obj.slots, _LINES, Known(""))
        return FALSE
    machine.state.write(obj.slots, _LINES, Known("" if complete else source))
    if complete:
        _run(machine, obj, Known(source))
    return FALSE if complete else TRUE


def _interact(machine: Machine, obj: Instance) -> AnyValue:
    if machine.stdin is not None:
        _run(machine, obj, machine.stdin)
    return NONE


@method(f"{_CONSOLE}.interact")
def interact_with(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`console.interact()`: what stands on standard input is run."""
    del args
    return _interact(machine, obj)


@function("code.interact")
def interact(machine: Machine, args: Arguments) -> AnyValue | None:
    """`code.interact(local=...)`: the same, unless lines come from a function of the program."""
    if (args.get(1, "readfunc") or NONE) != NONE:
        return None
    console = Instance(Ext(_CONSOLE))
    prepare(machine, console, Arguments([args.get(2, "local") or NONE]))
    return _interact(machine, console)


__all__ = ["interact", "interact_with", "prepare", "push", "run_source"]
