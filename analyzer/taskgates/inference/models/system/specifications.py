"""Module specifications: what the import system's finders tell about a module without running it."""

from __future__ import annotations

from pathlib import Path

from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import NONE, UNKNOWN, AnyValue, Ext, Known, as_value, path_text, text_of
from taskgates.model.access import Operation
from taskgates.tree.modules import Module, SearchEntry, find_module

SPECIFICATION = "importlib.machinery.ModuleSpec"


def specification(machine: Machine, found: Module) -> Instance:
    """The specification of a module that was found."""
    out = Instance(Ext(SPECIFICATION))
    out.slots["name"] = Known(found.name)
    folders = [machine.absolute(str(folder)) for folder in found.folders]
    out.slots["submodule_search_locations"] = ListObj("list", map(as_value, folders)) if found.is_package else NONE
    if found.file is not None:
        out.slots["origin"] = as_value(found.file if found.file.startswith("/") else f"{machine.root}/{found.file}")
        out.slots["has_location"] = Known(True)
        out.slots["loader"] = out
    return out


def _search_path(machine: Machine, value: AnyValue) -> list[SearchEntry] | None:
    """The folders that a search path names; None where one of them is not known."""
    content = machine.iterate(value)
    if content.rest is not None:
        return None
    entries: list[SearchEntry] = []
    for item in content.items:
        text = path_text(item)
        if not isinstance(text, str):
            return None
        place = machine.in_tree(text if text != "" else ".")
        if place is not None:
            entries.append(place)
        elif text.startswith("/"):
            entries.append(Path(text))
    return entries


@function(
    "importlib.util._find_spec_from_path",
    "importlib.machinery.PathFinder.find_spec",
    "importlib._bootstrap_external.PathFinder.find_spec",
)
def find_in_path(machine: Machine, args: Arguments) -> AnyValue | None:
    """`find_spec(name, path)`: the module in the given folders, without running it."""
    name = text_of(args.get(0, "name") or args.get(0, "fullname") or NONE)
    path = args.get(1, "path")
    if not isinstance(name, str):
        return None
    if path is None or path == NONE:
        found = machine.locate_module(name)
    else:
        entries = _search_path(machine, path)
        if entries is None:
            return None
        found = find_module(name.rpartition(".")[2], entries, machine.tree)
    if found is None:
        return NONE if not machine.effects.knows_module(name) else Instance(Ext(SPECIFICATION))
    return specification(machine, found)


@method(f"{SPECIFICATION}.get_source", f"{SPECIFICATION}.get_data", f"{SPECIFICATION}.get_code")
def get_source(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`spec.loader.get_source(name)`: the text of the module's file."""
    del args
    origin = obj.slots.get("origin", UNKNOWN)
    machine.access(Operation.READ, origin, "importlib.machinery.SourceFileLoader.get_source")
    text = path_text(origin)
    content = machine.content(text) if text is not None else None
    if content is not None:
        return Known(content.decode("utf-8", "replace"))
    return text_hole("data", slash=True)


@method(f"{SPECIFICATION}.get_filename")
def get_filename(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`spec.loader.get_filename(name)`."""
    del machine, args
    return obj.slots.get("origin", text_hole("data", slash=True))  # type: ignore[no-any-return]


__all__ = ["SPECIFICATION", "find_in_path", "get_filename", "get_source", "specification"]
