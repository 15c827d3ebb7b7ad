"""Commands that put files elsewhere: `cp`, `mv`, `ln`, `install`, `rsync`, `scp`."""

from __future__ import annotations

import re

from taskgates.inference.shell.call import Call, below
from taskgates.inference.shell.machine import Outcome
from taskgates.inference.shell.texts import basename, dirname, join_path, strip_trailing
from taskgates.inference.text import Text, TextLike, concat
from taskgates.model.access import Operation

_REMOTE = re.compile(r"(?:[\w.-]+@)?[\w.-]+:(?!/?/)|[a-z]+://|[\w.-]+@[\w.-]+:|[\w.-]+:")


def _ends(call: Call) -> tuple[list[TextLike], TextLike | None, bool]:
    """Sources, destination, and whether the destination is certainly a folder."""
    operands = call.arguments.operands
    folder = call.arguments.last("-t", "--target-directory")
    if folder is not None:
        return operands, folder, True
    if len(operands) < 2:
        return operands, None, False
    *sources, destination = operands
    plain_file = call.arguments.has("-T", "--no-target-directory")
    return sources, destination, not plain_file and (len(sources) > 1 or call.is_folder(destination))


def is_remote(path: TextLike) -> bool:
    """Whether a path of `scp` or `rsync` lies on another machine."""
    head = path if isinstance(path, str) else path.prefix
    return _REMOTE.match(head) is not None


def _is_several(source: TextLike, destination: TextLike | None) -> bool:
    """Whether a source is a pattern for any number of files, which only a folder can take.

    Where the destination is named after a file of a pattern too, the program names each copy after its source.
    """
    return (
        isinstance(source, Text)
        and source.origin == "glob"
        and not (isinstance(destination, Text) and destination.origin == "glob")
    )


def _target(call: Call, source: TextLike, destination: TextLike, *, into: bool) -> TextLike:
    tail = source if isinstance(source, str) else source.suffix
    if not into or basename(source) in (".", "..") or tail in (".", "..") or tail.endswith(("/.", "/..")):
        return destination
    return call.within(destination, source)


def copy(call: Call) -> Outcome:
    """`cp`: reads the sources, writes the destination, or below it."""
    sources, destination, into = _ends(call)
    recursive = call.arguments.has("-r", "-R", "--recursive", "-a", "--archive")
    links = call.arguments.has("-s", "--symbolic-link", "-l", "--link")
    attributes = call.arguments.has("--attributes-only")
    for source in sources:
        into_this = into or _is_several(source, destination)
        tree = recursive and not call.looks_like_file(source)
        if not links and not attributes:
            if tree:
                call.access(Operation.LIST, source)
            call.read(below(source) if tree else source)
        if destination is None:
            continue
        if call.arguments.has("--parents"):
            target = join_path(destination, source)
        else:
            target = _target(call, source, destination, into=into_this)
        if tree:
            _copy_tree(call, source, target)
        else:
            call.access(_writing(call), target)
            if not links and not attributes:
                note_copy(call, source, target)
    return Outcome(call.status)


def _copy_tree(call: Call, source: TextLike, target: TextLike) -> None:
    """Write what lies below a source folder to below the target, file by file where the tree knows them."""
    names = tree_files(call, source)
    if names is None:
        call.access(_writing(call), below(target))
        return
    if isinstance(target, str):
        full = call.full(target)
        call.machine.changes.add_folder(full)
    for name in names:
        copy_ = join_path(strip_trailing(target, "/"), name)
        call.access(_writing(call), copy_)
        note_copy(call, join_path(strip_trailing(source, "/"), name), copy_)


def note_copy(call: Call, source: TextLike, target: TextLike) -> None:
    """Tell the host that a file has what is in another one."""
    told = call.machine.options.on_copy
    if told is not None and not call.frame.conditional:
        told(call.full(source), call.full(target))


def tree_files(call: Call, folder: TextLike, bound: int = 40) -> list[str] | None:
    """The files below a folder of the tree, relative to it; None when they are not known or too many."""
    full = call.full(folder)
    if not isinstance(full, str) or call.machine.unsure(below(full)) or call.machine.tree.kind(full) != "folder":
        return None
    if call.machine.is_made_folder(full):
        return None
    out: list[str] = []
    pending = [""]
    while pending:
        inner = pending.pop(0)
        for name in call.machine.tree.list(f"{full}/{inner}" if inner else full) or ():
            path = f"{inner}/{name}" if inner else name
            kind = call.machine.tree.kind(f"{full}/{path}")
            if kind == "folder":
                pending.append(path)
            else:
                out.append(path)
            if len(out) + len(pending) > bound:
                return None
    return out


def _writing(call: Call) -> Operation:
    return Operation.OVERWRITE if not call.arguments.has("-n", "--no-clobber") else Operation.CREATE


def move(call: Call) -> Outcome:
    """`mv`: the old name is gone, the new one written; for a folder also what lies below."""
    sources, destination, into = _ends(call)
    for source in sources:
        target = None
        if destination is not None:
            target = _target(call, source, destination, into=into or _is_several(source, destination))
        folder = call.kind(source) == "folder" or (isinstance(source, str) and source.endswith("/"))
        if folder:
            names = tree_files(call, source)
            call.access(Operation.RENAME, strip_trailing(source, "/"))
            call.access(Operation.RENAME, below(source))
            if target is None:
                continue
            if isinstance(target, str):
                call.machine.changes.add_folder(call.full(target))
            if names is None:
                call.overwrite(below(target))
            for name in names or ():
                inner = join_path(strip_trailing(target, "/"), name)
                call.overwrite(inner)
                note_copy(call, join_path(strip_trailing(source, "/"), name), inner)
            continue
        call.access(Operation.RENAME, source)
        if target is not None:
            call.overwrite(target)
            note_copy(call, source, target)
    return Outcome(call.status)


def link(call: Call) -> Outcome:
    """`ln`: creates names; a hard link shares the file behind the old name."""
    sources, destination, into = _ends(call)
    force = call.arguments.has("-f", "--force")
    operation = Operation.OVERWRITE if force else Operation.CREATE
    if call.arguments.has("-n", "--no-dereference", "-T") and len(sources) < 2:
        into = False
    for source in sources:
        if not call.arguments.has("-s", "--symbolic"):
            call.access(Operation.STAT, source)
        target = basename(source) if destination is None else _target(call, source, destination, into=into)
        call.access(operation, target)
    return Outcome(call.status)


def install(call: Call) -> Outcome:
    """`install`: copies like `cp`, or creates folders with `-d`."""
    if call.arguments.has("-d", "--directory"):
        for operand in call.arguments.operands:
            call.access(Operation.MKDIR, operand)
        return Outcome(call.status)
    sources, destination, into = _ends(call)
    for source in sources:
        call.read(source)
        if destination is None:
            continue
        target = _target(call, source, destination, into=into or _is_several(source, destination))
        if call.arguments.has("-D"):
            call.access(Operation.MKDIR, dirname(target))
        call.overwrite(target)
    return Outcome(call.status)


def synchronise(call: Call) -> Outcome:
    """`rsync`: a trailing slash on a source means its content; `--delete` removes what the source does not have."""
    call.perform_row()
    *sources, destination = call.arguments.operands or [""]
    if not sources:
        return Outcome(call.status)
    recursive = call.arguments.has("-a", "--archive", "-r", "--recursive")
    dry = call.arguments.has("-n", "--dry-run")
    for source in sources:
        tail = source if isinstance(source, str) else source.suffix
        tree = recursive and call.kind(source) != "file" and not (isinstance(source, Text) and not recursive)
        content = tail.endswith("/") or tail in (".", "..")
        if not is_remote(source):
            call.read(below(source) if tree else source)
            if call.arguments.has("--remove-source-files"):
                call.access(Operation.DELETE, below(source) if tree else source)
        if is_remote(destination) or dry:
            continue
        if tree:
            target = destination if content else call.within(destination, source)
            if is_remote(source):
                call.overwrite(below(destination))
            else:
                _copy_tree(call, source, target)
        else:
            into = len(sources) > 1 or call.is_folder(destination)
            call.overwrite(call.within(destination, source) if into else destination)
        if call.arguments.has("--delete", "--delete-after", "--delete-before", "--delete-excluded", "--del"):
            call.access(Operation.DELETE, below(destination))
    return Outcome(call.status)


def secure_copy(call: Call) -> Outcome:
    """`scp`: local sources are read, local destinations written."""
    *sources, destination = call.arguments.operands or [""]
    recursive = call.arguments.has("-r")
    for source in sources:
        if not is_remote(source):
            tree = recursive and call.kind(source) != "file"
            call.read(below(source) if tree else source)
        if not is_remote(destination):
            into = len(sources) > 1 or call.is_folder(destination)
            name = source
            if is_remote(source) and isinstance(source, str):
                name = source.partition(":")[2] or "."
            target = concat(call.within(destination, name)) if into else destination
            call.overwrite(below(target) if recursive else target)
    return Outcome(call.status)
