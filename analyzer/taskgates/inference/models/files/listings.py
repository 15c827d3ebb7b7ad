"""Listings, walks and globs: which files of the tree a program gets to see."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Any

from taskgates.inference.exceptions import file_error
from taskgates.inference.models import registry
from taskgates.inference.models.files.path_objects import path_method
from taskgates.inference.models.files.paths import as_text, exists_value, link_value, strip_base
from taskgates.inference.models.registry import Machine, function, method
from taskgates.inference.models.values.strings import pure_call
from taskgates.inference.objects import CONTENT, Arguments, Instance, ListObj
from taskgates.inference.paths import (
    from_segments,
    join_paths,
    pure_path,
    segments,
)
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of
from taskgates.inference.values import (
    BOOL,
    INT,
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    PathV,
    Stream,
    TupleV,
    Unsorted,
    as_value,
    join,
    options,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def glob_element(base: TextLike, pattern: TextLike) -> TextLike:
    """The paths that a glob pattern below a base folder yields, as one text with holes."""
    whole = join_paths(base, pattern) if base not in ("", ".") else pattern
    out: list[str | Hole] = []
    for part in parts_of(whole):
        if isinstance(part, Hole):
            out.append(part)
            continue
        position = 0
        for match in re.finditer(r"(?:\*\*/)+\*|\*\*/?|\*|\?|\[[^\]]+\]|\{[^}]*\}", part):
            out.append(part[position : match.start()])
            position = match.end()
            text = match.group()
            if text.startswith("**"):
                out.append(Hole("glob", True))
                if text.endswith("/"):
                    out.append("/")
            elif text.startswith("{"):
                out.append(text)
            else:
                out.append(Hole("glob", False))
        out.append(part[position:])
    return make_text(out)


LISTING_LIMIT = 256

"""Entries of a listing that are looked at one by one; larger ones are kept as a pattern."""


def members(machine: Machine, folder: TextLike) -> list[str] | None:
    """The names in a folder of the tree, those included that the program wrote; None where they are not known."""
    place = machine.in_tree(folder if folder != "" else ".")
    if place is None:
        return _installed_members(machine, folder)
    names = machine.tree.list(place)
    base = str(machine.absolute(folder if folder != "" else "."))
    made = names is None and machine.closed and machine.made_folder(place) and not machine.log.ran_other_code
    if made:
        # What the program has made itself holds what it has put there.
        names = ()
    if names is None or any(_may_lie_in(pattern, base) for pattern in machine.log.written_patterns):
        return None
    found = {name for name in names if f"{base}/{name}" not in machine.log.removed}
    for path in (*machine.log.written, *machine.log.folders):
        if isinstance(path, str) and path.startswith(base + "/"):
            found.add(path[len(base) + 1 :].split("/", 1)[0])
    return sorted(found) if (found or made) and len(found) <= LISTING_LIMIT else None


def _installed_members(machine: Machine, folder: TextLike) -> list[str] | None:
    """The names in a folder among the installed modules, which belong to their code; None elsewhere."""
    place = machine.installed(folder)
    if place is None or machine.log.written_patterns:
        return None
    try:
        names = sorted(entry.name for entry in place.iterdir() if entry.name != "__pycache__")
    except OSError:
        return None
    return names if 0 < len(names) <= LISTING_LIMIT else None


def _may_lie_in(pattern: TextLike, base: str) -> bool:
    prefix = pattern if isinstance(pattern, str) else pattern.prefix
    return prefix.startswith(base + "/") or base.startswith(prefix)


def all_below(machine: Machine, folder: TextLike) -> list[str] | None:
    """Every path below a folder of the tree, relative to it; None where that is not known or too much."""
    out: list[str] = []
    pending = [""]
    while pending:
        inner = pending.pop()
        names = members(machine, join_paths(folder, inner) if inner else folder)
        if names is None:
            place = machine.in_tree(join_paths(folder, inner) if inner else folder)
            if inner and place is not None and machine.tree.list(place) == ():
                continue
            return None
        for name in names:
            path = f"{inner}/{name}" if inner else name
            out.append(path)
            if is_folder(machine, join_paths(folder, path)):
                pending.append(path)
        if len(out) > LISTING_LIMIT:
            return None
    return sorted(out)


def _is_file(machine: Machine, path: TextLike) -> bool:
    """Whether a path is certainly a file, so that nothing lies below it."""
    return machine.in_tree(path) is not None and machine.exists(path, "file") is True


def is_folder(machine: Machine, path: TextLike) -> bool:
    """Whether a path is a folder, in the tree or made by the program."""
    place = machine.in_tree(path)
    if place is None:
        return False
    return machine.tree.kind(place) == "folder" or (
        machine.tree.kind(place) is None and bool(machine.made_folder(place))
    )


_UNSPECIFIC = frozenset({"*", "**", "**/*", "**/**", "*/*", "*/", "**/"})

"""Patterns that say so little that the members of the tree say more."""


_CHOSEN_LIMIT = 32

"""Files that a telling pattern takes and that are looked at one by one; more are kept as a pattern."""


def listed(machine: Machine, folder: TextLike, pattern: TextLike, call: str, wrap: Any) -> AnyValue:
    """The outcome of a glob or listing.

    For a pattern that takes everything, the present members are the elements, so that what the program asks of each
    (is it a folder, does it end so) can be answered. So they are for a telling one (`*.csv`) that takes few files of a
    complete tree; else it stands for itself.
    """
    machine.access(Operation.LIST, as_value(folder if folder != "" else "."), call)
    if isinstance(pattern, str) and pattern in _UNSPECIFIC:
        found = members(machine, folder) if pattern in ("*", "*/") else all_below(machine, folder)
        if found is not None:
            if pattern == "*/*":
                found = [name for name in found if name.count("/") == 1]
            hidden = call.startswith("glob.")
            if pattern.endswith("/") or (pattern == "**" and not hidden):
                found = [name for name in found if is_folder(machine, join_paths(folder, name))]
            base = folder if folder != "." else ""
            kept = [name for name in found if not hidden or not any(part.startswith(".") for part in name.split("/"))]
            paths = [join_paths(base, name) if base != "" else name for name in kept]
            if pattern in ("**", "**/") and not (hidden and base == ""):
                # The folder itself comes first.
                paths.insert(0, concat(base, "/") if hidden else folder)
            return ListObj("iterator", [wrap(path) for path in paths])
    if isinstance(pattern, str) and (machine.closed or pattern.endswith(".py")):
        chosen = _chosen(machine, folder, pattern, hidden=not call.startswith("glob."))
        if chosen:
            base = folder if folder != "." else ""
            out = ListObj("iterator")
            out.slots[CONTENT] = Unsorted(wrap(join_paths(base, name) if base != "" else name) for name in chosen)
            return out
    if isinstance(pattern, str) and _matches_nothing(machine, folder, pattern):
        return ListObj("iterator")
    return ListObj("iterator", (), wrap(glob_element(folder, pattern)))


def _chosen(machine: Machine, folder: TextLike, pattern: str, *, hidden: bool) -> list[str]:
    """What in the tree a telling pattern takes, relative to the folder, where that is known and little.

    A complete tree has what it has. Otherwise only modules count: they are no data that comes and goes but parts of
    programs, what each says matters.
    """
    pieces = pattern.split("/")
    if not pieces[-1] or any(piece in (".", "..") or ("**" in piece and piece != "**") for piece in pieces):
        return []
    found = members(machine, folder) if len(pieces) == 1 else all_below(machine, folder)
    chosen = [path for path in found or () if _takes(pieces, path.split("/"), hidden=hidden)]
    return chosen if len(chosen) <= _CHOSEN_LIMIT else []


def _takes(pieces: Sequence[str], names: Sequence[str], *, hidden: bool) -> bool:
    """Whether the pieces of a pattern take the names of a path; `hidden`: whether a wildcard takes a leading dot."""
    if not pieces or not names:
        return not names and all(piece == "**" for piece in pieces)
    head, name = pieces[0], names[0]
    seen = hidden or not name.startswith(".") or head.startswith(".")
    if head == "**":
        return _takes(pieces[1:], names, hidden=hidden) or (seen and _takes(pieces, names[1:], hidden=hidden))
    return seen and fnmatch.fnmatchcase(name, head) and _takes(pieces[1:], names[1:], hidden=hidden)


def _matches_nothing(machine: Machine, folder: TextLike, pattern: str) -> bool:
    """Whether none of the files that a complete tree has there fits a pattern.

    A folder without visible files says nothing: its data may not have been fetched.
    """
    name = pattern.removeprefix("**/")
    if not machine.closed or "/" in name or "**" in name:
        return False
    found = members(machine, folder) if name == pattern else all_below(machine, folder)
    names = [path.rpartition("/")[2] for path in found or ()]
    return any(not each.startswith(".") for each in names) and not fnmatch.filter(names, name)


@path_method("glob", "rglob")
def _glob(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    pattern = args.get(0, "pattern") or UNKNOWN
    return _glob_with(machine, path, pattern, recursive=False)


def _glob_with(machine: Machine, path: PathV, pattern: AnyValue, *, recursive: bool) -> AnyValue:
    results = []
    for option in options(pattern):
        text = as_text(machine, option)
        if recursive:
            text = concat("**/", text)
        results.append(
            listed(
                machine,
                path.text,
                text,
                "pathlib.Path.rglob" if recursive else "pathlib.Path.glob",
                lambda t: PathV(pure_path(t), path.type),
            )
        )
    return _merge_iterators(results)


registry.METHODS["pathlib.Path.rglob"] = lambda machine, path, args: _glob_with(
    machine, path, args.get(0, "pattern") or UNKNOWN, recursive=True
)


def _merge_iterators(results: list[AnyValue]) -> AnyValue:
    if len(results) == 1:
        return results[0]
    items = [item for r in results if isinstance(r, ListObj) for item in r.items]
    rests = [r.rest for r in results if isinstance(r, ListObj) and r.rest is not None]
    return ListObj("iterator", items, join(rests) if rests else None)


@method("pathlib.Path.iterdir")
def _iterdir(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del args
    return listed(machine, path.text, "*", "pathlib.Path.iterdir", lambda text: PathV(text, path.type))


@method("pathlib.Path.walk")
def _path_walk(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    def with_path(row: TupleV) -> TupleV:
        folder = join(PathV(as_text(machine, option), path.type) for option in options(row.items[0]))
        return TupleV([folder, *row.items[1:]])

    return _walked(machine, as_value(path.text), args.get(0, "top_down"), "pathlib.Path.walk", with_path)


def _walk_row(folder: AnyValue) -> TupleV:
    name = text_hole("glob")
    return TupleV([folder, ListObj("list", (), name), ListObj("list", (), name)])


@function("os.walk")
def walk(machine: Machine, args: Arguments) -> AnyValue:
    """`os.walk(top)`: a row for every folder of the tree, pruned as the program prunes; else patterns."""
    return _walked(machine, args.get(0, "top") or UNKNOWN, args.get(1, "topdown"), "os.walk", lambda row: row)


@function("os.fwalk")
def fwalk(machine: Machine, args: Arguments) -> AnyValue:
    """`os.fwalk(top)`: as `os.walk`, with a descriptor of the folder in each row."""

    def with_descriptor(row: TupleV) -> TupleV:
        return TupleV([*row.items, machine.open_handle(row.items[0], Known("r"))])

    top = args.get(0, "top", Known(".")) or UNKNOWN
    return _walked(machine, top, args.get(1, "topdown"), "os.fwalk", with_descriptor)


def _walked(
    machine: Machine, top: AnyValue, topdown: AnyValue | None, call: str, shape: Callable[[TupleV], TupleV]
) -> AnyValue:
    """The rows of a walk.

    Args:
        machine: the interpreter.
        top: where it begins.
        topdown: whether folders come before what is in them.
        call: what walks.
        shape: makes a row of that walk from one of `os.walk`.
    """
    machine.access(Operation.LIST, top, call)
    places = [as_text(machine, option) for option in options(top)]
    if len(places) == 1 and all_below(machine, places[0]) is not None:
        upwards = topdown is not None and machine.truth(topdown) is False
        return Stream(lambda: (shape(row) for row in _walk_rows(machine, places[0], upwards=upwards)))
    if len(places) == 1 and machine.in_tree(places[0]) is not None:
        place = machine.in_tree(places[0])
        if machine.absent(place):
            return ListObj("iterator")
        if machine.tree.kind(place) is None and not machine.made_folder(place):
            return ListObj("iterator", (), shape(_walk_row(join([as_value(places[0]), as_value(_span(places[0]))]))))
    folder = join([*(as_value(text) for text in places), *(as_value(_span(text)) for text in places)])
    return ListObj("iterator", (), shape(_walk_row(folder)))


def _walk_rows(machine: Machine, top: TextLike, *, upwards: bool) -> Iterator[TupleV]:
    names = members(machine, top) or []
    folders = ListObj("list", [Known(name) for name in names if is_folder(machine, join_paths(top, name))])
    files = ListObj("list", [Known(name) for name in names if not is_folder(machine, join_paths(top, name))])
    row = TupleV([as_value(top), folders, files])
    if not upwards:
        yield row
    for name in (*folders.items, *([folders.rest] if folders.rest is not None else [])):
        text = text_of(name)
        if isinstance(text, str):
            yield from _walk_rows(machine, join_paths(top, text), upwards=upwards)
        elif text is not None:
            yield _walk_row(as_value(join_paths(top, text)))
    if upwards:
        yield row


def _span(text: TextLike) -> TextLike:
    return concat(text, "/", Hole("glob", True))


@function("os.listdir")
def listdir(machine: Machine, args: Arguments) -> AnyValue:
    """`os.listdir(path)`."""
    path = args.get(0, "path")
    path = Known(".") if path is None or path == NONE else path
    if all(_is_file(machine, as_text(machine, option)) for option in options(path)):
        raise machine.throw("NotADirectoryError")
    if machine.missing_file(path) and machine.prepared_for("FileNotFoundError"):
        raise machine.throw("FileNotFoundError", args=file_error("FileNotFoundError", path))
    machine.access(Operation.LIST, path, "os.listdir")
    found = [members(machine, as_text(machine, option)) for option in options(path)]
    if len(found) == 1 and found[0] is not None:
        return ListObj("list", [Known(name) for name in found[0]])
    return ListObj("list", (), text_hole("glob"))


@function("os.scandir")
def scandir(machine: Machine, args: Arguments) -> AnyValue:
    """`os.scandir(path)`: entries that know their path."""
    path = args.get(0, "path")
    path = Known(".") if path is None or path == NONE else path
    machine.access(Operation.LIST, path, "os.scandir")
    texts = [as_text(machine, option) for option in options(path)]
    names = members(machine, texts[0]) if len(texts) == 1 else None
    if names is not None:
        return ListObj("iterator", [_entry(join_paths(texts[0], name), Known(name)) for name in names])
    place = join(as_value(join_paths(text, Text((Hole("glob", False),)))) for text in texts)
    entry = _entry("", text_hole("glob"))
    entry.slots["path"] = place
    return ListObj("iterator", (), entry)


def _entry(path: TextLike, name: AnyValue) -> Instance:
    entry = Instance(Ext("os.DirEntry"))
    entry.slots["name"] = name
    entry.slots["path"] = as_value(path)
    return entry


def _entry_test(name: str, kind: str) -> None:
    def model(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
        del args
        return exists_value(machine, obj.slots["path"], kind, f"os.DirEntry.{name}")

    registry.METHODS[f"os.DirEntry.{name}"] = model


_entry_test("is_file", "file")

_entry_test("is_dir", "folder")


@method("os.DirEntry.is_symlink")
def entry_is_link(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """Whether a directory entry is a symbolic link."""
    del args
    return link_value(machine, obj.slots["path"], "os.DirEntry.is_symlink")


@method("os.DirEntry.__fspath__")
def entry_path(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """A directory entry used as a path."""
    del machine, args
    return obj.slots["path"]  # type: ignore[no-any-return]


@function("glob.glob", "glob.iglob")
def glob_glob(machine: Machine, args: Arguments) -> AnyValue:
    """`glob.glob(pattern)`."""
    pattern = args.get(0, "pathname") or UNKNOWN
    root, recursive = args.kw.get("root_dir"), args.kw.get("recursive")
    results: list[AnyValue] = []
    for option in options(pattern):
        text = as_text(machine, option)
        folder = _glob_folder(text)
        rest = strip_base(text, folder) if folder != "." else text
        if isinstance(rest, str) and (recursive is None or machine.truth(recursive) is False):
            rest = "/".join("*" if piece == "**" else piece for piece in rest.split("/"))
        if root is not None and root != NONE:
            machine.access(Operation.LIST, root, "glob.glob")
            results.append(ListObj("iterator", (), as_value(glob_element("", text))))
        elif rest is not None and isinstance(rest, str) and not re.search(r"[*?\[]", rest):
            machine.access(Operation.LIST, as_value(folder), "glob.glob")
            exists = machine.exists(text)
            results.append(ListObj("list", [Known(text)]) if exists else ListObj("list", (), Known(text)))
        else:
            results.append(listed(machine, folder, rest if rest is not None else text, "glob.glob", as_value))
    merged = _merge_iterators(results)
    if not isinstance(merged, ListObj):
        return merged
    out = ListObj("list")
    out.slots[CONTENT] = merged.slots[CONTENT]
    return out


def _glob_folder(text: TextLike) -> TextLike:
    """The folder part of a glob pattern that has no wildcard."""
    kept: list[TextLike] = []
    for piece in segments(text)[:-1]:
        if not isinstance(piece, str) or re.search(r"[*?\[]", piece):
            break
        kept.append(piece)
    return from_segments(kept) if kept else "."


@function("glob.escape")
def glob_escape(machine: Machine, args: Arguments) -> AnyValue:
    """`glob.escape(path)`."""
    del machine
    return args.pos[0] if args.pos else UNKNOWN


@function("fnmatch.fnmatch", "fnmatch.fnmatchcase")
def fnmatch_(machine: Machine, args: Arguments) -> AnyValue:
    """`fnmatch(name, pattern)`."""
    known = pure_call(machine, fnmatch.fnmatchcase, args)
    return known if known is not None else BOOL


@function("fnmatch.filter")
def fnmatch_filter(machine: Machine, args: Arguments) -> AnyValue:
    """`fnmatch.filter(names, pattern)`."""
    known = pure_call(machine, fnmatch.filter, args)
    if known is not None:
        return known
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    pattern = text_of(args.pos[1]) if len(args.pos) > 1 else None
    if pattern is not None and content.rest is not None:
        return ListObj("list", (), as_value(glob_element("", pattern)))
    return ListObj("list", (), join([*content.items, content.rest]) if content.items or content.rest else None)


@function("os.path.getmtime", "os.path.getctime", "os.path.getatime")
def times(machine: Machine, args: Arguments) -> AnyValue:
    """Times of a file."""
    machine.access(Operation.STAT, args.pos[0] if args.pos else UNKNOWN, "os.path.getmtime")
    machine.may_raise("OSError")
    return INT
