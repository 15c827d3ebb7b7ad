"""zipfile, tarfile and shutil: archives of the tree say themselves which files unpacking them writes.

Where the members of an archive are not known, the calls are left to the effect tables, whose patterns cover the folder.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

from taskgates.inference.archive_members import Member, archive_members
from taskgates.inference.archived import MadeArchive
from taskgates.inference.models.files.listings import all_below, is_folder
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.paths import join_paths
from taskgates.inference.row_results import OPENED
from taskgates.inference.text import Hole, Text
from taskgates.inference.values import NONE, AnyValue, Ext, Known, TupleV, as_value, options, path_text, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ZIP = "zipfile.ZipFile"
TAR = "tarfile.TarFile"
_INFO = {ZIP: "zipfile.ZipInfo", TAR: "tarfile.TarInfo"}
_NAME = {ZIP: "filename", TAR: "name"}
_SIZE = {ZIP: "file_size", TAR: "size"}
KIND = ("kind",)
"""The slot of a member's description for what it is: a file, a folder or a link."""


def _members(machine: Machine, obj: AnyValue) -> tuple[Member, ...] | None:
    """The members of an archive that is open for reading; None where they are not known."""
    if not isinstance(obj, Instance):
        return None
    source: AnyValue | None
    opened = obj.slots.get(OPENED)
    if isinstance(opened, TupleV):
        source, given = opened.items
    else:
        source, given = obj.slots.get("file", obj.slots.get("name")), obj.slots.get("mode", Known("r"))
    mode = text_of(given)
    if isinstance(source, Instance):
        source = source.slots.get("name")
    if source is None or not isinstance(mode, str) or not mode.startswith("r"):
        return None
    return _content(machine, source)


def _content(machine: Machine, source: AnyValue) -> tuple[Member, ...] | None:
    text = path_text(source)
    data = machine.content(text) if text is not None else None
    return archive_members(data) if data is not None else None


def _unpack(machine: Machine, members: Iterable[Member], folder: AnyValue, call: str) -> None:
    """Note what unpacking members below a folder writes; what would lie outside it is not unpacked."""
    base = path_text(folder)
    assert base is not None
    machine.access(Operation.MKDIR, folder, call)
    for member in members:
        target = member.target
        if target is not None:
            operation = Operation.MKDIR if member.kind == "folder" else Operation.OVERWRITE
            machine.access(operation, as_value(join_paths(base, target)), call)


def _name_of(value: AnyValue) -> str | None:
    """The name of a member that is given as text or as its description."""
    if isinstance(value, Instance):
        value = value.slots.get("filename", value.slots.get("name", NONE))
    text = text_of(value)
    return text if isinstance(text, str) else None


@method(f"{ZIP}.extractall", f"{TAR}.extractall")
def extract_all(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`archive.extractall(path, members)`."""
    folder = args.get(0, "path") or Known(".")
    folder = Known(".") if folder == NONE else folder
    members = _members(machine, obj)
    if members is None or path_text(folder) is None or text_of(args.kw.get("filter", Known("data"))) is None:
        return None
    chosen = args.get(1, "members")
    if chosen is not None and chosen != NONE:
        content = machine.iterate(chosen)
        names = [_name_of(item) for item in content.items]
        if content.rest is not None or None in names:
            return None
        members = tuple(member for member in members if member.name in names)
    _unpack(machine, members, folder, f"{_type_name(obj)}.extractall")
    return NONE


@method(f"{ZIP}.extract", f"{TAR}.extract")
def extract(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`archive.extract(member, path)`, of a member that is given by its description."""
    member = args.get(0, "member")
    name = _name_of(member) if isinstance(member, Instance) else None
    folder = args.get(1, "path") or Known(".")
    folder = Known(".") if folder == NONE else folder
    base = path_text(folder)
    if name is None and isinstance(member, Instance) and base is not None:
        target = as_value(join_paths(base, Text((Hole("data", True),))))
        machine.access(Operation.OVERWRITE, target, f"{_type_name(obj)}.extract")
        return target if _type_name(obj) == ZIP else NONE
    if name is None or base is None:
        return None
    kind = text_of(member.slots.get(KIND, Known("file")))  # type: ignore[union-attr]
    one = Member(name, kind if isinstance(kind, str) else "file", 0)
    _unpack(machine, [one], folder, f"{_type_name(obj)}.extract")
    return as_value(join_paths(base, one.target)) if _type_name(obj) == ZIP and one.target is not None else NONE


def _type_name(obj: AnyValue) -> str:
    return obj.cls.name if isinstance(obj, Instance) and isinstance(obj.cls, Ext) else ZIP


@method(f"{ZIP}.namelist", f"{TAR}.getnames")
def name_list(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`archive.namelist()`."""
    del args
    members = _members(machine, obj)
    return None if members is None else ListObj("list", [Known(member.name) for member in members])


def _being_made(machine: Machine, obj: AnyValue) -> MadeArchive | None:
    """The record of an archive that is open for writing, which may be run, or unpacked, later; None elsewhere."""
    source: AnyValue | None
    mode: AnyValue | None
    if not isinstance(obj, Instance):
        return None
    opened = obj.slots.get(OPENED)
    source, mode = opened.items if isinstance(opened, TupleV) else (obj.slots.get("file"), obj.slots.get("mode"))
    if isinstance(source, Instance):
        source = source.slots.get("name")
    archive = path_text(source) if source is not None else None
    place = machine.in_tree(archive) if archive is not None else None
    if place is None or mode is None or str(text_of(mode))[:1] not in ("w", "x", "a"):
        return None
    return machine.log.archives.setdefault(place, MadeArchive())  # type: ignore[no-any-return]


@method(f"{ZIP}.write")
def write_member(machine: Machine, obj: AnyValue, args: Arguments) -> None:
    """`archive.write(filename, arcname)`: the row says the rest."""
    made = _being_made(machine, obj)
    source, given = path_text(args.get(0, "filename") or NONE), args.get(1, "arcname")
    name = source if given is None or given == NONE else path_text(given)
    place = machine.in_tree(source) if source is not None else None
    if made is None or place is None or not isinstance(name, str):
        return
    origin = machine.copied_from(place) if machine.wrote(place) else place
    if origin is not None and machine.tree.kind(origin) == "file":
        made.members[name.lstrip("./")] = origin


@method(f"{ZIP}.writestr")
def write_text(machine: Machine, obj: AnyValue, args: Arguments) -> None:
    """`archive.writestr(name, data)`: the row says the rest."""
    made = _being_made(machine, obj)
    data = args.get(1, "data")
    text = data.value if isinstance(data, Known) else None
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    name = _name_of(args.get(0, "zinfo_or_arcname") or NONE)
    if made is not None and isinstance(text, str) and name == "__main__.py":
        made.start = text


@method(f"{TAR}.add")
def add(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`archive.add(name, arcname, recursive, filter=...)` with a filter: asked for each entry, a folder's before it."""
    del obj
    name, keep = args.get(0, "name"), args.kw.get("filter", NONE)
    folder = path_text(name) if name is not None else None
    if keep == NONE or name is None or folder is None or not is_folder(machine, folder):
        return None
    found = all_below(machine, folder)
    given = args.get(1, "arcname")
    inside = folder if given is None or given == NONE else path_text(given)
    if found is None or inside is None or machine.truth(args.get(2, "recursive") or Known(True)) is not True:
        return None
    left_out: list[str] = []
    for entry in ["", *found]:
        if any(entry.startswith(f"{above}/") for above in left_out):
            continue
        place = join_paths(folder, entry) if entry else folder
        kind = "folder" if is_folder(machine, place) else "file"
        description = Instance(Ext(_INFO[TAR]))
        description.slots["name"] = as_value(join_paths(inside, entry) if entry else inside)
        description.slots[KIND] = Known(kind)
        kept = {option == NONE for option in options(machine.call(keep, Arguments([description])))}
        if kept == {True}:
            if not entry:
                return NONE
            left_out.append(entry)
            continue
        operation = Operation.LIST if kind == "folder" else Operation.READ
        machine.access(operation, as_value(place), f"{TAR}.add", conditional=True in kept)
    return NONE


def _description(obj: AnyValue, member: Member) -> Instance:
    """The `ZipInfo` or `TarInfo` of a member."""
    type_name = _type_name(obj)
    out = Instance(Ext(_INFO[type_name]))
    out.slots[_NAME[type_name]] = Known(member.name)
    out.slots[_SIZE[type_name]] = Known(member.size)
    out.slots[KIND] = Known(member.kind)
    return out


@method(f"{ZIP}.infolist", f"{TAR}.getmembers", f"{TAR}.__iter__")
def descriptions(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`archive.infolist()`."""
    del args
    members = _members(machine, obj)
    return None if members is None else ListObj("list", [_description(obj, member) for member in members])


@method(f"{ZIP}.getinfo", f"{TAR}.getmember")
def description(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """`archive.getinfo(name)`."""
    name = _name_of(args.pos[0]) if args.pos else None
    members = _members(machine, obj) if name is not None else None
    if members is None:
        return None
    found = next((member for member in members if member.name == name), None)
    if found is None:
        raise machine.throw("KeyError", args.pos[0])
    return _description(obj, found)


def _question(kinds: tuple[str, ...], *names: str) -> None:
    def answer(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
        del machine, args
        kind = obj.slots.get(KIND) if isinstance(obj, Instance) else None
        return Known(kind.value in kinds) if isinstance(kind, Known) else None

    method(*names)(answer)


_question(("folder",), "zipfile.ZipInfo.is_dir", "tarfile.TarInfo.isdir")
_question(("file",), "tarfile.TarInfo.isfile", "tarfile.TarInfo.isreg")


def _question_of_kind(name: str, answer: Callable[[bytes], bool]) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue | None:
        path = args.get(0, "filename" if name == ZIP_TEST else "name")
        text = path_text(path) if path is not None else None
        data = machine.content(text) if text is not None and machine.closed else None
        if data is None:
            return None
        machine.access(Operation.READ, path, name)
        return Known(answer(data))

    function(name)(model)


ZIP_TEST = "zipfile.is_zipfile"
_question_of_kind(ZIP_TEST, lambda data: zipfile.is_zipfile(io.BytesIO(data)))
_question_of_kind("tarfile.is_tarfile", lambda data: tarfile.is_tarfile(io.BytesIO(data)))


def _refused(name: str, error: str, answer: Callable[[bytes], bool]) -> None:
    def model(machine: Machine, args: Arguments) -> None:
        path = args.get(0, "file" if error.startswith("zip") else "name")
        mode = args.get(1, "mode")
        text = path_text(path) if path is not None and (mode is None or str(text_of(mode))[:1] == "r") else None
        data = machine.content(text) if text is not None and machine.closed else None
        if data is not None and not answer(data) and machine.prepared_for(error):
            machine.access(Operation.READ, path, name)
            raise machine.throw(error)

    function(name)(model)


_refused(ZIP, "zipfile.BadZipFile", lambda data: zipfile.is_zipfile(io.BytesIO(data)))
for _name in ("tarfile.open", f"{TAR}.open"):
    _refused(_name, "tarfile.ReadError", lambda data: tarfile.is_tarfile(io.BytesIO(data)))


@function("shutil.unpack_archive")
def unpack_archive(machine: Machine, args: Arguments) -> AnyValue | None:
    """`unpack_archive(filename, extract_dir)`."""
    source = args.get(0, "filename")
    folder = args.get(1, "extract_dir") or Known(".")
    folder = Known(".") if folder == NONE else folder
    members = _content(machine, source) if source is not None else None
    if members is None or path_text(folder) is None:
        return None
    machine.note_open(Operation.READ, source, "shutil.unpack_archive")
    _unpack(machine, members, folder, "shutil.unpack_archive")
    return NONE
