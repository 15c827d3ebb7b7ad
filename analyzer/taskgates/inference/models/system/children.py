"""Child processes that a program talks to: what it hands them is their standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import Machine, method
from taskgates.inference.objects import Arguments, DictObj, Instance
from taskgates.inference.values import NONE, AnyValue, Ext, Known, TupleV

if TYPE_CHECKING:
    from taskgates.inference.effects import Row

_COMMAND = ("command",)
"""The slot for what started a child: the name of the call, and its arguments."""
PIPES: tuple[AnyValue, ...] = (Ext("subprocess.PIPE"), Ext("asyncio.subprocess.PIPE"), Known(-1))


def with_command(row: Row, bound: dict[str, AnyValue], process: AnyValue) -> AnyValue:
    """The object that stands for a child, with what started it where the child waits for its input."""
    stream = bound.get(row.launch.stdin) if row.launch is not None and row.launch.stdin else None
    if isinstance(process, Instance) and stream in PIPES:
        arguments = DictObj("dict", {Known(name): value for name, value in bound.items()})
        process.slots[_COMMAND] = TupleV([Known(row.name), arguments])
    return process


@method("subprocess.Popen.communicate", "asyncio.subprocess.Process.communicate")
def communicate(machine: Machine, obj: Instance, args: Arguments) -> None:
    """`process.communicate(input)`: a child whose input is known is looked at again; the effect table says the rest."""
    given, command = args.get(0, "input"), obj.slots.get(_COMMAND) if isinstance(obj, Instance) else None
    if not isinstance(command, TupleV) or given is None or given == NONE or not isinstance(given, Known):
        return
    name, arguments = command.items
    row = machine.effects.lookup(str(name.value)) if isinstance(name, Known) else None
    if row is not None and isinstance(arguments, DictObj):
        bound = {str(key.value): value for key, value in arguments.known() if isinstance(key, Known)}
        machine.launch_process(row, {**bound, "input": given}, Arguments(), row.name)
