"""configparser: what a program asks of a parser's sections, and what it puts into them itself."""

from __future__ import annotations

from taskgates.inference.models.files.ini_files import CONFIG, SECTION
from taskgates.inference.models.registry import Machine, method
from taskgates.inference.objects import REST, Arguments, DictObj, Instance, ListObj
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import NONE, UNKNOWN, AnyValue, Known

SECTIONS = ("sections",)
OPEN = ("open",)
ENTRIES = ("entries",)


def _sections(obj: Instance) -> DictObj:
    found = obj.slots.get(SECTIONS)
    return found if isinstance(found, DictObj) else DictObj()


def _lower(key: AnyValue) -> AnyValue:
    return Known(key.value.lower()) if isinstance(key, Known) and isinstance(key.value, str) else key


def _entries_of(machine: Machine, obj: Instance, section: AnyValue) -> DictObj | None:
    """The entries of a section that is there; None when it is not known."""
    found = _sections(obj).slots.get(section) if isinstance(section, Known) else None
    del machine
    return found if isinstance(found, DictObj) else None


@method(f"{CONFIG}.options")
def options_of(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.options(section)`: its names and those of the defaults."""
    section = args.get(0, "section") or UNKNOWN
    entries = _entries_of(machine, obj, section)
    if entries is None or OPEN in obj.slots:
        return ListObj("list", (), text_hole())
    defaults = _entries_of(machine, obj, Known("DEFAULT"))
    names = dict.fromkeys(key for holder in (entries, defaults) if holder is not None for key, _ in holder.known())
    return ListObj("list", list(names))


@method(f"{CONFIG}.add_section")
def add_section(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.add_section(name)`."""
    machine.put(_sections(obj), args.get(0, "section") or UNKNOWN, DictObj())
    return NONE


@method(f"{CONFIG}.set")
def set_option(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.set(section, option, value)`."""
    entries = _entries_of(machine, obj, args.get(0, "section") or UNKNOWN)
    value = args.get(2, "value", NONE) or NONE
    if entries is not None:
        machine.put(entries, _lower(args.get(1, "option") or UNKNOWN), value)
    else:
        machine.state.write(obj.slots, OPEN, Known(True))
    return NONE


@method(f"{CONFIG}.__setitem__")
def set_section(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser[section] = mapping`."""
    entries = DictObj()
    given = DictObj()
    machine.merge_into(given, args.pos[1])
    for key, value in given.known():
        machine.put(entries, _lower(key), value)
    if given.rest is not None:
        entries.slots[REST] = given.rest
    machine.put(_sections(obj), args.pos[0], entries)
    return NONE


@method(f"{CONFIG}.remove_section")
def remove_section(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.remove_section(name)`."""
    section = args.get(0, "section") or UNKNOWN
    there = isinstance(section, Known) and section in _sections(obj).slots
    if there:
        machine.state.erase(_sections(obj).slots, section)
    return Known(there)


@method(f"{CONFIG}.remove_option")
def remove_option(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`parser.remove_option(section, name)`."""
    entries = _entries_of(machine, obj, args.get(0, "section") or UNKNOWN)
    name = _lower(args.get(1, "option") or UNKNOWN)
    there = entries is not None and isinstance(name, Known) and name in entries.slots
    if entries is not None and there:
        machine.state.erase(entries.slots, name)
    return Known(there)


@method(f"{SECTION}.__setitem__")
def set_in_section(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`section[option] = value`."""
    entries = obj.slots.get(ENTRIES)
    for holder in (entries, obj.slots.get(("own",))):
        if isinstance(holder, DictObj):
            machine.put(holder, _lower(args.pos[0]), args.pos[1])
    return NONE
