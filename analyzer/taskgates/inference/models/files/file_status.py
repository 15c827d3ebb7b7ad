"""What `stat` says of files: their sizes, where the tree is complete and the program has not touched them."""

from __future__ import annotations

from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.objects import Arguments, Instance
from taskgates.inference.values import INT, UNKNOWN, AnyValue, Ext, Known, PathV, path_text
from taskgates.model.access import Operation

_RESULT = Ext("os.stat_result")


def file_size(machine: Machine, path: AnyValue) -> Known | None:
    """The size of a file of the tree; None where it is not known."""
    text = path_text(path)
    place = machine.in_tree(text) if text is not None and machine.closed else None
    if place is None or machine.wrote(place) or machine.deleted(place):
        return None
    size = machine.tree.size(place)
    return Known(size) if size is not None else None


def _status(machine: Machine, path: AnyValue, call: str) -> AnyValue | None:
    size = file_size(machine, path)
    if size is None:
        return None
    machine.access(Operation.STAT, path, call)
    result = Instance(_RESULT)
    result.slots["st_size"] = size
    return result


@function("os.path.getsize")
def getsize(machine: Machine, args: Arguments) -> AnyValue:
    """`os.path.getsize(filename)`."""
    path = args.get(0, "filename") or UNKNOWN
    machine.access(Operation.STAT, path, "os.path.getsize")
    size = file_size(machine, path)
    if size is None:
        machine.may_raise("OSError")
    return size or INT


@function("os.stat", "os.lstat")
def stat(machine: Machine, args: Arguments) -> AnyValue | None:
    """`os.stat(path)`; what is not a file that is known is the effect table's business."""
    return _status(machine, args.get(0, "path") or UNKNOWN, "os.stat")


@method("pathlib.Path.stat", "pathlib.Path.lstat")
def path_stat(machine: Machine, path: PathV, args: Arguments) -> AnyValue | None:
    """`path.stat()`."""
    del args
    return _status(machine, path, "pathlib.Path.stat")


@method("os.DirEntry.stat")
def entry_stat(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`entry.stat()`."""
    del args
    return _status(machine, obj.slots["path"], "os.DirEntry.stat")
