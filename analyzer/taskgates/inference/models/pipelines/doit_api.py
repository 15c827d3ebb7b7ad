"""doit as a library: what dodo files and programs of their own call of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.pipelines.doit_program import INITIAL, LOADER, MAIN, VARIABLES, Session, Source
from taskgates.inference.models.registry import Machine, constant, function, method
from taskgates.inference.objects import Arguments, AttributeView, ClassV, DictObj, Instance, ModuleV
from taskgates.inference.values import NONE, AnyValue, Ext, Known, as_value

if TYPE_CHECKING:
    from collections.abc import Mapping


def namespace_of(value: AnyValue | None) -> Mapping[object, AnyValue] | None:
    """The names and values of a module or of a dict of globals."""
    if isinstance(value, AttributeView):
        return value.target.slots
    if isinstance(value, ModuleV):
        return value.slots
    if isinstance(value, DictObj):
        return {key.value: item for key, item in value.known() if isinstance(key, Known)}
    return None


@function("doit.run", "doit.api.run")
def run(machine: Machine, args: Arguments) -> AnyValue:
    """`doit.run(globals())`: the command line, then the end of the program."""
    content = machine.iterate(machine.argv)
    Session(machine, source=Source(namespace_of(args.get(0, "task_creators")))).main(content.items[1:])
    raise machine.throw("SystemExit")


@function(LOADER, "doit.loader.ModuleTaskLoader")
def module_loader(machine: Machine, args: Arguments) -> AnyValue:
    """`ModuleTaskLoader(globals())`."""
    del machine
    made = Instance(Ext(LOADER))
    made.slots["namespace"] = args.get(0, "mod_dict") or NONE
    return made


@function(MAIN)
def main(machine: Machine, args: Arguments) -> AnyValue:
    """`DoitMain(loader)`."""
    del machine
    made = Instance(Ext(MAIN))
    made.slots["loader"] = args.get(0, "task_loader") or NONE
    return made


@method(f"{MAIN}.run")
def main_run(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`DoitMain(loader).run(arguments)`."""
    loader = obj.slots["loader"]
    source = Source()
    if isinstance(loader, Instance):
        source = (
            Source(None, loader)
            if isinstance(loader.cls, ClassV)
            else Source(namespace_of(loader.slots.get("namespace")))
        )
    given = args.get(0, "all_args")
    words = machine.iterate(given).items if given is not None else ()
    Session(machine, source=source).main(words)
    return Known(0)


@function("doit.get_var", "doit.doit_cmd.get_var")
def get_var(machine: Machine, args: Arguments) -> AnyValue:
    """`get_var(name, default)`: what the command line says."""
    variables = machine.library.get(VARIABLES)
    name = args.get(0, "name") or NONE
    default = args.get(1, "default") or NONE
    if isinstance(variables, DictObj):
        found = variables.slots.get(name)
        if found is not None:
            return found  # type: ignore[no-any-return]
    return default


@function("doit.get_initial_workdir")
def get_initial_workdir(machine: Machine, args: Arguments) -> AnyValue:
    """`get_initial_workdir()`."""
    del args
    return machine.library.get(INITIAL) or as_value(machine.cwd)


@constant("doit.loader.initial_workdir")
def initial_workdir(machine: Machine) -> AnyValue:
    """`doit.loader.initial_workdir`."""
    return get_initial_workdir(machine, Arguments())
