"""Folders that are moved or copied as a whole: what lies in them, file by file where the tree says it.

Where it does not, the effect tables' patterns (`SOURCE/**`) stand for the files below.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from taskgates.inference.models.files.listings import all_below, is_folder
from taskgates.inference.models.registry import METHODS, Machine, function
from taskgates.inference.objects import Arguments, Instance, ListObj
from taskgates.inference.paths import join_paths, pure_path, split_last
from taskgates.inference.text import Hole, concat
from taskgates.inference.values import NONE, AnyValue, Ext, Known, PathV, TupleV, as_value, options, path_text
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from taskgates.inference.text import TextLike

_IGNORE = "shutil.ignore_patterns"
_COPIES = frozenset({"shutil.copy", "shutil.copy2", "shutil.copyfile"})


def _files(machine: Machine, folder: TextLike) -> list[str] | None:
    """The files below a folder, relative to it; None where they are not known."""
    if not machine.closed:
        return None
    found = all_below(machine, folder)
    return None if found is None else [name for name in found if not is_folder(machine, join_paths(folder, name))]


def _may_be_folder(machine: Machine, path: TextLike) -> bool:
    """Whether a path outside the tree (of temporary files, about which nothing is recorded) rather names a folder."""
    name = split_last(path)[1]
    return machine.in_tree(path) is None and isinstance(name, str) and bool(name) and "." not in name


def _move(
    machine: Machine, source: AnyValue | None, target: AnyValue | None, call: str, *, into: bool
) -> TextLike | None:
    """Note that the files below a folder get other names; the folder's new name, None for anything else.

    Args:
        machine: the interpreter.
        source: the folder.
        target: its new name.
        call: the name of the call.
        into: whether a folder that is there already takes it in, under its own name.
    """
    old = path_text(source) if source is not None else None
    new = path_text(target) if target is not None else None
    if old is None or new is None:
        return None
    known = is_folder(machine, old)
    if not known and not _may_be_folder(machine, old):
        return None
    if into and is_folder(machine, new):
        new = join_paths(new, split_last(old)[1])
    if not known:
        machine.access(Operation.OVERWRITE, as_value(new), call)
        machine.access(Operation.OVERWRITE, as_value(concat(new, "/", Hole("glob", True))), call, conditional=True)
        return new
    names = _files(machine, old)
    inner: list[TextLike] = [Hole("glob", True)] if names is None else list(names)  # type: ignore[list-item]
    for name in inner:
        before, after = concat(old, "/", name), concat(new, "/", name)
        origin = machine.original(before)
        machine.access(Operation.RENAME, as_value(before), call)
        machine.access(Operation.OVERWRITE, as_value(after), call)
        machine.remember_copy(origin, after)
    machine.access(Operation.RENAME, as_value(old), call)
    if not machine.conditional:
        machine.log.remove_folder(str(machine.absolute(old)))
    machine.access(Operation.MKDIR, as_value(new), call)
    return new


def _mover(name: str, source: str, *, into: bool) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue | None:
        moved = _move(machine, args.get(0, source), args.get(1, "dst" if source == "src" else "new"), name, into=into)
        if moved is None:
            return None
        return as_value(moved) if into else NONE

    function(name)(model)


for _name in ("os.rename", "os.replace"):
    _mover(_name, "src", into=False)
_mover("os.renames", "old", into=False)
_mover("shutil.move", "src", into=True)


def _path_mover(name: str) -> None:
    def model(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
        moved = _move(machine, obj, args.get(0, "target"), f"pathlib.Path.{name}", into=False)
        return None if moved is None else PathV(pure_path(moved))

    for kind in ("Path", "PosixPath"):
        METHODS.setdefault(f"pathlib.{kind}.{name}", model)


for _name in ("rename", "replace"):
    _path_mover(_name)


@function(_IGNORE)
def ignore_patterns(machine: Machine, args: Arguments) -> AnyValue:
    """`ignore_patterns(*patterns)`: what `copytree` leaves out."""
    del machine
    out = Instance(Ext(_IGNORE))
    out.slots["patterns"] = ListObj("list", args.pos, args.star)
    return out


def _strings(value: AnyValue | None) -> list[str] | None:
    """The strings in a list; None where they are not all known."""
    if not isinstance(value, ListObj | TupleV) or value.rest is not None:
        return None
    found = [item.value for item in value.items if isinstance(item, Known) and isinstance(item.value, str)]
    return found if len(found) == len(value.items) else None


def _ignored(machine: Machine, ignore: AnyValue | None, folder: TextLike, files: list[str]) -> set[str] | None:
    """What `copytree` leaves out, relative to the folder; None where it is not known."""
    if ignore is None or ignore == NONE:
        return set()
    given = (
        _strings(ignore.slots.get("patterns"))
        if isinstance(ignore, Instance) and isinstance(ignore.cls, Ext) and ignore.cls.name == _IGNORE
        else None
    )
    members: dict[str, set[str]] = {}
    for file in files:
        pieces = file.split("/")
        for depth, piece in enumerate(pieces):
            members.setdefault("/".join(pieces[:depth]), set()).add(piece)
    out: set[str] = set()
    for inner, names in sorted(members.items()):
        if given is not None:
            left = [name for name in names if any(fnmatch.fnmatch(name, pattern) for pattern in given)]
        else:
            asked = Arguments([as_value(join_paths(folder, inner) if inner else folder), _listed(names)])
            found = _strings(machine.iterate(machine.call(ignore, asked)))
            if found is None:
                return None
            left = found
        out.update(f"{inner}/{name}" if inner else name for name in left)
    return out


def _listed(names: set[str]) -> AnyValue:
    return ListObj("list", [Known(name) for name in sorted(names)])


@function("shutil.copytree")
def copytree(machine: Machine, args: Arguments) -> AnyValue | None:
    """`copytree(src, dst, symlinks, ignore, copy_function, ...)` of a folder whose files are known."""
    source, target = args.get(0, "src"), args.get(1, "dst")
    old = path_text(source) if source is not None else None
    new = path_text(target) if target is not None else None
    if old is None or new is None or not is_folder(machine, old):
        return None
    names = _files(machine, old)
    ignored = _ignored(machine, args.get(3, "ignore"), old, names) if names is not None else None
    copy = args.get(4, "copy_function", Ext("shutil.copy2")) or Ext("shutil.copy2")
    if ignored is None or names is None or any(not isinstance(option, Ext) for option in options(copy)):
        return None
    call = "shutil.copytree"
    machine.access(Operation.LIST, as_value(old), call)
    machine.access(Operation.MKDIR, as_value(new), call)
    for name in names:
        pieces = name.split("/")
        if any("/".join(pieces[:depth]) in ignored for depth in range(1, len(pieces) + 1)):
            continue
        machine.access(Operation.READ, as_value(join_paths(old, name)), call)
        machine.access(Operation.OVERWRITE, as_value(join_paths(new, name)), call)
        machine.note_copy(join_paths(old, name), join_paths(new, name))
    return target if isinstance(target, PathV) else as_value(new)
