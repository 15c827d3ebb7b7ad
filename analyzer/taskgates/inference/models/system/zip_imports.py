"""zipimport: modules and data of an archive, found without the search path."""

from __future__ import annotations

from taskgates.inference.archived import read_member
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import CONTENT, Arguments, Instance
from taskgates.inference.paths import join_paths
from taskgates.inference.values import NONE, UNKNOWN, AnyValue, Ext, Known, TupleV, as_value, path_text, text_of

_IMPORTER = "zipimport.zipimporter"


@function(_IMPORTER)
def zip_importer(machine: Machine, args: Arguments) -> AnyValue:
    """`zipimporter(path)`: only the directory of the archive is read, as on an import."""
    out = Instance(Ext(_IMPORTER))
    text = path_text(args.get(0, "path") or UNKNOWN)
    out.slots["archive"] = as_value(machine.absolute(text)) if text is not None else UNKNOWN
    return out


@method(f"{_IMPORTER}.load_module")
def load_module(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`importer.load_module(name)`."""
    name = text_of(args.get(0, "fullname") or UNKNOWN)
    if not isinstance(name, str):
        machine.opaque("zipimport with a module that is not known", other_code=True)
        return UNKNOWN
    search = machine.search
    before = TupleV(search.items, search.rest)
    machine.state.write(search.slots, CONTENT, TupleV([obj.slots["archive"], *search.items], search.rest))
    try:
        return machine.import_module(name)  # type: ignore[no-any-return]
    finally:
        machine.state.write(search.slots, CONTENT, before)


@method(f"{_IMPORTER}.get_data", f"{_IMPORTER}.get_source")
def get_data(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`importer.get_data(path)`, `importer.get_source(name)`: the content of a member."""
    archive, name = path_text(obj.slots["archive"]), text_of(args.get(0, "pathname") or args.get(0, "fullname") or NONE)
    place = machine.in_tree(archive) if archive is not None else None
    if place is None or not isinstance(name, str):
        return UNKNOWN
    inner = str(join_paths("", name)).removeprefix(f"{place}/")
    for member in (inner, f"{name.replace('.', '/')}.py", f"{name.replace('.', '/')}/__init__.py"):
        content = read_member(machine.tree, place, member, machine.limits.file_size)
        if content is not None:
            return Known(content) if member == inner else Known(content.decode("utf-8", "replace"))
    return UNKNOWN
