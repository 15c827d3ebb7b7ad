"""importlib.metadata and pkg_resources: the entry points and versions of installed distributions."""

from __future__ import annotations

from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj
from taskgates.inference.values import NONE, AnyValue, Ext, Known, TupleV, text_of

POINT = "importlib.metadata.EntryPoint"
POINTS = "importlib.metadata.EntryPoints"
GROUPS = "importlib.metadata.SelectableGroups"


def _text(value: AnyValue | None) -> str | None:
    text = text_of(value) if value is not None else None
    return text if isinstance(text, str) else None


def _points(machine: Machine, group: str, name: str | None = None) -> list[Instance]:
    """The entry points of a group, in the order of their distributions."""
    out: list[Instance] = []
    for title, target in machine.environment.entry_points(group).items():
        if name is not None and title != name:
            continue
        point = Instance(Ext(POINT))
        module, _, attribute = target.partition(":")
        for slot, text in (
            ("name", title),
            ("value", target),
            ("group", group),
            ("module", module),
            ("module_name", module),
            ("attr", attribute),
        ):
            point.slots[slot] = Known(text)
        out.append(point)
    return out


def _collection(points: list[Instance]) -> Instance:
    out = Instance(Ext(POINTS))
    out.slots["points"] = ListObj("list", points)
    out.slots["names"] = ListObj("set", [point.slots["name"] for point in points])
    return out


@function("importlib.metadata.entry_points")
def entry_points(machine: Machine, args: Arguments) -> AnyValue | None:
    """`entry_points(group=..., name=...)`; without a group, something to choose one from."""
    if machine.environment is None:
        return None
    if "group" not in args.kw:
        return Instance(Ext(GROUPS)) if not args.kw and args.kwstar is None else None
    group, name = _text(args.kw["group"]), _text(args.kw.get("name"))
    if group is None or ("name" in args.kw and name is None):
        return None
    return _collection(_points(machine, group, name))


@function("pkg_resources.iter_entry_points")
def iter_entry_points(machine: Machine, args: Arguments) -> AnyValue | None:
    """`iter_entry_points(group, name)`."""
    group, name = _text(args.get(0, "group")), args.get(1, "name")
    if machine.environment is None or group is None or (name not in (None, NONE) and _text(name) is None):
        return None
    return ListObj("iterator", _points(machine, group, _text(name)))


@method(f"{GROUPS}.select", f"{GROUPS}.get", f"{GROUPS}.__getitem__")
def select_group(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`groups.select(group=...)`, `groups.get(group, [])`, `groups[group]`."""
    del obj
    group, name = _text(args.get(0, "group")), args.kw.get("name")
    if group is None or (name is not None and _text(name) is None):
        return None
    return _collection(_points(machine, group, _text(name)))


@method(f"{POINTS}.select")
def select(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`points.select(name=...)`."""
    del machine
    name = _text(args.kw.get("name"))
    if set(args.kw) - {"name", "group"} or ("name" in args.kw and name is None):
        return None
    return _collection([point for point in obj.slots["points"].items if name in (None, point.slots["name"].value)])


@method(f"{POINTS}.__iter__")
def iterate_points(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Iteration over the entry points of a group."""
    del machine, args
    content: AnyValue = TupleV(obj.slots["points"].items)
    return content


@method(f"{POINTS}.__getitem__")
def named_point(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`points[name]`."""
    points: tuple[Instance, ...] = obj.slots["points"].items
    known = DictObj("dict", {point.slots["name"]: point for point in points})
    found: AnyValue = machine.get_item(known, args.pos[0])
    return found


@method(f"{POINT}.load", f"{POINT}.resolve")
def load(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`point.load()`: a plugin is a part of the program that loads it, and is analysed as such."""
    del args
    module = obj.slots["module"].value
    machine.follow = {*machine.follow, module.partition(".")[0]}
    value: AnyValue = machine.import_module(module)
    for part in obj.slots["attr"].value.split("."):
        if part:
            value = machine.get_attr(value, part)
    return value


@function("importlib.metadata.version")
def version(machine: Machine, args: Arguments) -> AnyValue | None:
    """`version(name)` of a distribution that is installed."""
    name = _text(args.get(0, "distribution_name"))
    if machine.environment is None or name is None:
        return None
    found = machine.environment.distribution_version(name)
    return Known(found) if found is not None else None
