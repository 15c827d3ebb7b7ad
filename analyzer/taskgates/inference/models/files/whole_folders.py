"""Library calls on whole folders: comparing two of them (`filecmp.dircmp`), packing one (`zipapp.create_archive`).

What lies in a folder is asked of the tree, so that each file is known by name; where that is not known, the call is
left to the effect tables, whose patterns cover the folder.
"""

from __future__ import annotations

import filecmp
from typing import TYPE_CHECKING

from taskgates.inference.archived import MadeArchive
from taskgates.inference.conversion import NotKnown, to_python
from taskgates.inference.models.files.listings import all_below, is_folder, members
from taskgates.inference.models.registry import METHODS, Machine, function, method
from taskgates.inference.objects import Arguments, DictObj, Instance, ListObj
from taskgates.inference.paths import join_paths
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import NONE, UNKNOWN, AnyValue, Ext, Known, PathV, TupleV, as_value, path_text, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from taskgates.inference.text import TextLike

DIRCMP = "filecmp.dircmp"
DEPTH = 40
"""Levels of folders that a full comparison descends."""


@function(DIRCMP)
def dircmp(machine: Machine, args: Arguments) -> AnyValue:
    """`dircmp(a, b, ignore, hide)`: nothing is looked at before an attribute is asked for."""
    del machine
    out = Instance(Ext(DIRCMP))
    for index, name in enumerate(("a", "b", "ignore", "hide")):
        value = args.get(index, name)
        if value is not None:
            out.slots["left" if name == "a" else "right" if name == "b" else name] = value
    return out


class Comparison:
    """Two folders as far as the tree knows them.

    Attributes:
        folders: their paths.
        names: what lies in each, without what is ignored; None where it is not known.
    """

    def __init__(self, machine: Machine, obj: Instance) -> None:
        self.machine = machine
        self.folders = [path_text(obj.slots.get(side, UNKNOWN)) for side in ("left", "right")]
        hidden: set[str] = set()
        for slot, default in (("ignore", filecmp.DEFAULT_IGNORES), ("hide", [".", ".."])):
            try:
                given = to_python(obj.slots.get(slot, NONE))
            except NotKnown:
                given = None
            hidden.update(default if given is None else given)
        self.names: list[list[str] | None] = []
        for side, folder in enumerate(self.folders):
            seen = obj.slots.get(f"names {side}")
            if isinstance(seen, ListObj):
                # What an object has seen it keeps, whatever the program copies afterwards.
                self.names.append([text for item in seen.items if isinstance(text := text_of(item), str)])
                continue
            found = None if folder is None else members(machine, folder)
            if machine.closed and folder is not None and machine.missing_file(as_value(folder)):
                raise machine.throw("FileNotFoundError")
            if found is None and folder is not None:
                place = machine.in_tree(folder)
                found = [] if place is not None and machine.tree.list(place) == () else None
            kept = None if found is None else [name for name in found if name not in hidden]
            self.names.append(kept)
            if kept is not None:
                obj.slots[f"names {side}"] = ListObj("list", [Known(name) for name in kept])

    @property
    def known(self) -> bool:
        """Whether the members of both folders are known."""
        return None not in self.names

    def list_both(self, obj: Instance) -> None:
        """Note that both folders are listed."""
        for side in ("left", "right"):
            self.machine.access(Operation.LIST, obj.slots.get(side, UNKNOWN), DIRCMP)

    def path(self, side: int, name: str) -> TextLike:
        """The path of a member."""
        return join_paths(self.folders[side] or "", name)

    def common(self, *, folders: bool | None = None) -> list[str]:
        """The names in both folders; with a flag, those that are folders (or files) on both sides."""
        left, right = self.names[0] or [], self.names[1] or []
        found = [name for name in left if name in right]
        if folders is None:
            return found
        return [
            name for name in found if all(is_folder(self.machine, self.path(side, name)) is folders for side in (0, 1))
        ]

    def compare_files(self) -> tuple[list[str], list[str], list[str]]:
        """Compare the common files: the same ones, those that differ, and those of which it is not known.

        As `filecmp.cmp` does it, only files of one size are read.
        """
        same: list[str] = []
        different: list[str] = []
        unsure: list[str] = []
        for name in self.common(folders=False):
            contents = [self.machine.content(self.path(side, name)) for side in (0, 1)]
            for side in (0, 1):
                self.machine.access(Operation.STAT, as_value(self.path(side, name)), "filecmp.cmp")
            first, second = contents
            if self.machine.closed and first is not None and second is not None and len(first) != len(second):
                different.append(name)
                continue
            for side in (0, 1):
                self.machine.access(Operation.READ, as_value(self.path(side, name)), "filecmp.cmp")
            if not self.machine.closed or first is None or second is None:
                unsure.append(name)
            else:
                (same if first == second else different).append(name)
        return same, different, unsure


@function("filecmp.cmp")
def compare(machine: Machine, args: Arguments) -> AnyValue | None:
    """`cmp(f1, f2)`: files of different sizes are not read."""
    paths = [args.get(0, "f1"), args.get(1, "f2")]
    return None if None in paths else _compare(machine, [path for path in paths if path is not None], "filecmp.cmp")


def _compare(machine: Machine, paths: list[AnyValue], call: str) -> AnyValue | None:
    """What is known of the comparison of two files; None where their content is not."""
    texts = [path_text(path) for path in paths]
    contents = [machine.content(text) if text is not None and machine.closed else None for text in texts]
    if None in contents:
        return None
    for path in paths:
        machine.access(Operation.STAT, path, call)
    first, second = contents
    if len(first or b"") == len(second or b""):
        for path in paths:
            machine.access(Operation.READ, path, call)
    return Known(first == second)


@function("filecmp.cmpfiles")
def compare_named(machine: Machine, args: Arguments) -> AnyValue | None:
    """`cmpfiles(a, b, common)`: the same ones, those that differ, and those that cannot be compared."""
    folders = [path_text(args.get(0, "a") or NONE), path_text(args.get(1, "b") or NONE)]
    given = machine.iterate(args.get(2, "common") or UNKNOWN)
    names = [text_of(item) for item in given.items]
    if not machine.closed or given.rest is not None or None in folders:
        return None
    groups: tuple[list[AnyValue], list[AnyValue], list[AnyValue]] = ([], [], [])
    for name in names:
        if name is None:
            return None
        paths = [as_value(join_paths(folder or "", name)) for folder in folders]
        if any(machine.missing_file(path) for path in paths):
            groups[2].append(as_value(name))
            continue
        same = _compare(machine, paths, "filecmp.cmpfiles")
        if same is None:
            for path in paths:
                machine.access(Operation.READ, path, "filecmp.cmpfiles")
        for index, group in enumerate(groups[:2]):
            if same is None or same == Known(index == 0):
                group.append(as_value(name))
    return TupleV([ListObj("list", group) for group in groups])


def _names(names: list[str] | None) -> AnyValue:
    return ListObj("list", (), text_hole("glob")) if names is None else ListObj("list", [Known(name) for name in names])


def _attribute(name: str) -> None:
    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        del args
        comparison = Comparison(machine, obj)
        comparison.list_both(obj)
        if not comparison.known:
            if name in ("same_files", "diff_files", "funny_files"):
                _read_all(machine, comparison)
            return _names(None)
        left, right = comparison.names[0] or [], comparison.names[1] or []
        if name == "left_list":
            return _names(left)
        if name == "right_list":
            return _names(right)
        if name == "common":
            return _names(comparison.common())
        if name == "left_only":
            return _names([item for item in left if item not in right])
        if name == "right_only":
            return _names([item for item in right if item not in left])
        if name == "common_dirs":
            return _names(comparison.common(folders=True))
        if name == "common_files":
            return _names(comparison.common(folders=False))
        if name == "common_funny":
            plain = {*comparison.common(folders=True), *comparison.common(folders=False)}
            return _names([item for item in comparison.common() if item not in plain])
        same, different, unsure = comparison.compare_files()
        found = {"same_files": same, "diff_files": different}.get(name, [])
        return ListObj("list", [Known(item) for item in found], text_hole("glob") if unsure else None)

    METHODS[f"{DIRCMP}.@{name}"] = model


for _name in (
    "left_list",
    "right_list",
    "left_only",
    "right_only",
    "common",
    "common_dirs",
    "common_files",
    "common_funny",
    "same_files",
    "diff_files",
    "funny_files",
):
    _attribute(_name)


def _read_all(machine: Machine, comparison: Comparison) -> None:
    """Note that whatever lies in both folders may be read."""
    for folder in comparison.folders:
        inside = UNKNOWN if folder is None else as_value(join_paths(folder, text_of(text_hole("glob")) or ""))
        machine.access(Operation.READ, inside, DIRCMP)


@method(f"{DIRCMP}.@subdirs")
def subdirs(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`comparison.subdirs`: a comparison for every common folder."""
    del args
    comparison = Comparison(machine, obj)
    comparison.list_both(obj)
    if not comparison.known:
        inner = Instance(Ext(DIRCMP))
        for side, folder in zip(("left", "right"), comparison.folders, strict=True):
            hole = text_of(text_hole("glob", slash=True)) or ""
            inner.slots[side] = UNKNOWN if folder is None else as_value(join_paths(folder, hole))
        return DictObj("dict", None, inner)
    return DictObj("dict", {Known(name): _inner(comparison, obj, name) for name in comparison.common(folders=True)})


def _inner(comparison: Comparison, obj: Instance, name: str) -> Instance:
    inner = Instance(Ext(DIRCMP))
    inner.slots.update(obj.slots)
    inner.slots["left"] = as_value(comparison.path(0, name))
    inner.slots["right"] = as_value(comparison.path(1, name))
    for side in (0, 1):
        inner.slots.pop(f"names {side}", None)
    return inner


def _report(machine: Machine, obj: Instance, depth: int) -> None:
    """Compare two folders, and what they have in common to the given depth."""
    comparison = Comparison(machine, obj)
    comparison.list_both(obj)
    if not comparison.known:
        _read_all(machine, comparison)
        return
    comparison.compare_files()
    if depth:
        for name in comparison.common(folders=True):
            _report(machine, _inner(comparison, obj, name), depth - 1)


def _reporting(name: str, depth: int) -> None:
    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        del args
        _report(machine, obj, depth)
        return NONE

    METHODS[f"{DIRCMP}.{name}"] = model


_reporting("report", 0)
_reporting("report_partial_closure", 1)
_reporting("report_full_closure", DEPTH)


@function("zipapp.create_archive")
def create_archive(machine: Machine, args: Arguments) -> AnyValue | None:
    """`create_archive(source, target, interpreter, main, filter)`: every file below the folder is packed."""
    source, target = args.get(0, "source", UNKNOWN), args.get(1, "target", NONE)
    folder = path_text(source) if source is not None else None
    keep = args.get(4, "filter", NONE)
    copied = machine.log.archives.get(machine.in_tree(folder) or "") if folder is not None else None
    if copied is not None and target is not None and (place := path_text(target)) is not None:
        machine.log.archives[machine.in_tree(place) or ""] = copied
    if folder is None or source is None or not is_folder(machine, folder):
        return None
    found = all_below(machine, folder)
    if found is None:
        return None
    call = "zipapp.create_archive"
    made = MadeArchive(start=_start(args.get(3, "main", NONE)))
    machine.access(Operation.LIST, source, call)
    for name in found:
        decided: bool | None = True
        if keep is not None and keep != NONE:
            decided = machine.truth(machine.call(keep, Arguments([PathV(name)])))
        place = join_paths(folder, name)
        if is_folder(machine, place):
            machine.access(Operation.LIST, as_value(place), call)
        elif decided is not False:
            machine.access(Operation.READ, as_value(place), call, conditional=decided is None)
            inner = machine.in_tree(place) or ""
            made.members[name] = machine.copied_from(inner) or inner
    named = target
    if named is None or named == NONE:
        named = machine.call_method(PathV(folder), "with_suffix", Arguments([Known(".pyz")]), None)
    machine.access(Operation.OVERWRITE, named, call)
    text = path_text(named)
    if text is not None and (archive := machine.in_tree(text)) is not None:
        machine.log.archives[archive] = made
    return NONE


def _start(main: AnyValue | None) -> str:
    """The text of the `__main__.py` that starts a function given as `module:function`."""
    text = text_of(main) if main is not None else None
    module, _, function_name = text.partition(":") if isinstance(text, str) else ("", "", "")
    return f"import {module}\n{module}.{function_name}()\n" if module and function_name else ""
