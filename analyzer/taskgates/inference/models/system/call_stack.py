"""The calls under way, as a program sees them: `sys._getframe`, `inspect.currentframe` and `inspect.stack`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import Machine, function
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj
from taskgates.inference.values import INT, NONE, UNKNOWN, AnyValue, Ext, Known, NamedTupleV
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.frames import Frame

FRAME = "types.FrameType"


@function("sys._getframe")
def get_frame(machine: Machine, args: Arguments) -> AnyValue:
    """`sys._getframe(depth)`."""
    depth = args.get(0, "depth")
    level = 0 if depth is None else depth.value if isinstance(depth, Known) else None
    if not isinstance(level, int):
        return UNKNOWN
    stack = _stack(machine)
    if level >= len(stack):
        return UNKNOWN
    return _object(machine, stack[max(level, 0) :])


@function("inspect.currentframe")
def current_frame(machine: Machine, args: Arguments) -> AnyValue:
    """`inspect.currentframe()`."""
    del args
    return _object(machine, _stack(machine))


@function("inspect.stack")
def whole_stack(machine: Machine, args: Arguments) -> AnyValue:
    """`inspect.stack(context)`: the innermost call first; with lines of the sources, which are read for them."""
    context = args.get(0, "context")
    found: list[AnyValue] = []
    frame = _object(machine, _stack(machine))
    while isinstance(frame, Instance):
        code = frame.slots["f_code"].slots
        if context != Known(0):
            machine.access(Operation.READ, code["co_filename"], "inspect.stack")
        entry = {"frame": frame, "filename": code["co_filename"], "lineno": INT, "function": code["co_name"]}
        found.append(NamedTupleV({**entry, "code_context": NONE, "index": INT}))
        frame = frame.slots["f_back"]
    return ListObj("list", found)


def _stack(machine: Machine) -> list[Frame]:
    """The frames of the calls under way up to the module's body, the innermost first."""
    found: list[Frame] = []
    frame = machine.frame
    while frame is not None:
        found.append(frame)
        frame = frame.caller
    return found


def _object(machine: Machine, stack: Sequence[Frame]) -> AnyValue:
    """The object for the first of these frames; `f_back` leads to the others."""
    back: AnyValue = NONE
    for frame in reversed(stack):
        code = Instance(Ext("types.CodeType"))
        code.slots["co_name"] = Known(frame.function.node.name if frame.function is not None else "<module>")
        file = frame.module.file
        code.slots["co_filename"] = Known(file if file.startswith("/") else f"{machine.root}/{file}")
        out = Instance(Ext(FRAME))
        out.slots["f_code"] = code
        out.slots["f_globals"] = machine.slots_view(frame.module)
        if frame.slots is frame.module.slots:
            out.slots["f_locals"] = out.slots["f_globals"]
        else:
            own = {Known(name): value for name, value in frame.slots.items() if isinstance(name, str)}
            out.slots["f_locals"] = DictObj("dict", own)
        out.slots["f_lineno"] = INT
        out.slots["f_back"] = back
        back = out
    return back
