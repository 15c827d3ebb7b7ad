"""contextlib: managers made of generators, and stacks of managers."""

from __future__ import annotations

from taskgates.inference.exceptions import catches
from taskgates.inference.models import registry
from taskgates.inference.models.files.buffers import CONTENTS
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import FALSE, NONE, UNKNOWN, AnyValue, Ext, Known, Native, Partial, TupleV, join
from taskgates.model.access import SharedKind


@function("contextlib.contextmanager", "contextlib.asynccontextmanager")
def contextmanager(machine: Machine, args: Arguments) -> AnyValue:
    """`@contextmanager`: calling the function makes a manager that runs it around the body."""
    del machine
    func = args.pos[0] if args.pos else UNKNOWN

    def make(inner: Machine, given: Arguments) -> AnyValue:
        del inner
        out = Instance(Ext("contextlib._GeneratorContextManager"))
        out.slots["func"] = func
        out.slots["args"] = given
        return out

    return Native("method:contextmanager", make)


@method("contextlib._GeneratorContextManager.__enter__")
def generator_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Entering outside a with statement (`ExitStack.enter_context`): the generator is run to its end."""
    del args
    found: list[AnyValue] = []
    cwd = machine.cwd

    def take(value: AnyValue) -> AnyValue:
        found.append(value)
        return NONE

    machine.generate(obj.slots["func"], obj.slots["args"], take)
    machine.cwd = cwd
    return join(found) if found else NONE


@method("contextlib._GeneratorContextManager.__call__")
def generator_decorate(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """A manager used as a decorator."""
    func = args.pos[0] if args.pos else UNKNOWN

    def run(inner: Machine, given: Arguments) -> AnyValue:
        found: list[AnyValue] = []

        def body(value: AnyValue) -> AnyValue:
            del value
            found.append(inner.call(func, given))
            return NONE

        inner.generate(obj.slots["func"], obj.slots["args"], body)
        return join(found) if found else NONE

    del machine
    return Native("method:decorated", run)


@function("contextlib.closing", "contextlib.aclosing")
def closed_at_the_end(machine: Machine, args: Arguments) -> AnyValue:
    """Managers that close their argument."""
    del machine
    out = Instance(Ext("contextlib.closing"))
    out.slots["value"] = args.get(0, "thing", NONE) or NONE
    return out


@method("contextlib.closing.__exit__", "contextlib.closing.__aexit__")
def close(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """An object of the program's own is closed by its own method."""
    del args
    for name in ("close", "aclose"):
        if machine.has_attr(obj.slots["value"], name):
            machine.call(machine.get_attr(obj.slots["value"], name), Arguments())
            break
    return FALSE


@function("contextlib.nullcontext")
def closing(machine: Machine, args: Arguments) -> AnyValue:
    """Managers that hand their argument on."""
    del machine
    out = Instance(Ext("contextlib.nullcontext"))
    out.slots["value"] = args.pos[0] if args.pos else NONE
    return out


@method("contextlib.nullcontext.__enter__", "contextlib.closing.__enter__")
def closing_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`with closing(x) as y`."""
    del machine, args
    return obj.slots["value"]  # type: ignore[no-any-return]


@method("contextlib.nullcontext.__exit__")
def closing_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The end of a manager that does nothing."""
    del machine, obj, args
    return FALSE


@function("contextlib.suppress")
def suppress(machine: Machine, args: Arguments) -> AnyValue:
    """`suppress(*exceptions)`."""
    del machine
    out = Instance(Ext("contextlib.suppress"))
    out.slots["kinds"] = TupleV(args.pos, args.star)
    return out


@method("contextlib.suppress.__exit__")
def suppress_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Whether the exception is swallowed."""
    del machine
    error = args.pos[0] if args.pos else NONE
    if error == NONE:
        return FALSE
    return Known(catches(obj.slots["kinds"], error) is not False)


@function("contextlib.redirect_stdout", "contextlib.redirect_stderr")
def redirect(machine: Machine, args: Arguments) -> AnyValue:
    """`redirect_stdout(file)`: what is printed meanwhile is not followed, so that a buffer holds anything."""
    target = args.pos[0] if args.pos else NONE
    machine.shared("standard-streams", SharedKind.PROCESS, "write", call="contextlib.redirect_stdout")
    if isinstance(target, Instance) and CONTENTS in target.slots:
        machine.state.write(target.slots, CONTENTS, text_hole("data", slash=True))
    return closing(machine, args)


@function("contextlib.ExitStack", "contextlib.AsyncExitStack")
def exit_stack(machine: Machine, args: Arguments) -> AnyValue:
    """`ExitStack()`."""
    del machine, args
    out = Instance(Ext("contextlib.ExitStack"))
    out.slots["entered"] = ListObj("list")
    out.slots["callbacks"] = ListObj("list")
    return out


@method("contextlib.ExitStack.enter_context", "contextlib.ExitStack.enter_async_context")
def enter_context(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`stack.enter_context(manager)`."""
    manager = args.pos[0] if args.pos else UNKNOWN
    value = machine.enter(manager)
    registry.METHODS["builtins.list.append"](machine, obj.slots["entered"], Arguments([manager]))
    return value  # type: ignore[no-any-return]


@method("contextlib.ExitStack.push", "contextlib.ExitStack.push_async_exit")
def push_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`stack.push(exit)`: a manager that is left without having been entered, or a function like its `__exit__`."""
    given = args.pos[0] if args.pos else UNKNOWN
    leaves = isinstance(given, Instance)
    entry = given if leaves else Partial(given, Arguments([NONE, NONE, NONE]))
    held = obj.slots["entered" if leaves else "callbacks"]
    registry.METHODS["builtins.list.append"](machine, held, Arguments([entry]))
    return given


@method("contextlib.ExitStack.callback", "contextlib.ExitStack.push_async_callback")
def stack_callback(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`stack.callback(function, ...)`."""
    if args.pos:
        bound = Partial(args.pos[0], Arguments(args.pos[1:], args.kw))
        registry.METHODS["builtins.list.append"](machine, obj.slots["callbacks"], Arguments([bound]))
        return args.pos[0]
    return NONE


@method("contextlib.ExitStack.__enter__")
def stack_enter(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The stack itself."""
    del machine, args
    return obj


@method("contextlib.ExitStack.__exit__", "contextlib.ExitStack.close", "contextlib.ExitStack.aclose")
def stack_exit(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Leave what was entered, in reverse order."""
    del args
    for callback in reversed(obj.slots["callbacks"].items):
        machine.call(callback, Arguments())
    for manager in reversed(obj.slots["entered"].items):
        if not (
            isinstance(manager, Instance)
            and isinstance(manager.cls, Ext)
            and manager.cls.name == "contextlib._GeneratorContextManager"
        ):
            machine.leave(manager, None)
    return FALSE
