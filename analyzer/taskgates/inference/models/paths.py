"""os.path and pathlib: arithmetic on paths, and what they ask of the tree."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, MethodT, function, method, path_attribute
from taskgates.inference.models.strings import pure_call
from taskgates.inference.paths import (
    from_segments,
    is_absolute,
    join_paths,
    may_span,
    normalise,
    pure_path,
    segments,
    split_extension,
    split_last,
)
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of
from taskgates.inference.values import (
    BOOL,
    INT,
    NONE,
    UNKNOWN,
    AnyValue,
    Arguments,
    Ext,
    Instance,
    Known,
    ListObj,
    PathV,
    Scalar,
    Stream,
    TupleV,
    Union,
    Unknown,
    as_value,
    join,
    options,
    path_text,
    render,
    text_hole,
    text_of,
    widen_texts,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH_TYPES = ("pathlib.Path", "pathlib.PurePath")


def as_text(machine: Machine, value: AnyValue) -> TextLike:
    """The text of something that is used as a path."""
    text = path_text(value)
    if text is not None:
        return text
    if isinstance(value, Instance):
        found = machine.fspath(value)
        if found is not None:
            return found  # type: ignore[no-any-return]
        return Text((Hole("unknown", True),))
    if isinstance(value, Scalar):
        return Text((Hole("data", False),))
    return render(value)


def each_text(machine: Machine, value: AnyValue, action: Callable[[TextLike], AnyValue]) -> AnyValue:
    """Apply a function of text to every alternative of a path value."""
    return join(action(as_text(machine, option)) for option in options(value))


def _product(machine: Machine, values: list[AnyValue]) -> list[list[TextLike]]:
    found: list[list[TextLike]] = [[]]
    for value in values:
        texts = list(dict.fromkeys(as_text(machine, option) for option in options(value)))
        if len(found) * len(texts) > 32:
            texts = [widen_texts(texts)]
        found = [[*head, text] for head in found for text in texts]
    return found


# os.path


@function("os.path.join")
def path_join(machine: Machine, args: Arguments) -> AnyValue:
    """`os.path.join(...)`."""
    if args.star is not None:
        args = Arguments([*args.pos, text_hole("unknown", slash=True)])
    if not args.pos:
        return UNKNOWN
    return join(as_value(join_paths(*row)) for row in _product(machine, args.pos))


_TextModel = Callable[[Machine, TextLike], AnyValue]


def _text_function(*names: str) -> Callable[[_TextModel], _TextModel]:
    def register(action: _TextModel) -> _TextModel:
        def model(machine: Machine, args: Arguments) -> AnyValue:
            value = args.pos[0] if args.pos else next(iter(args.kw.values()), UNKNOWN)
            return each_text(machine, value, lambda text: action(machine, text))

        for name in names:
            registry.FUNCTIONS[name] = model
        return action

    return register


@_text_function("os.path.dirname")
def _dirname(machine: Machine, text: TextLike) -> AnyValue:
    del machine
    return as_value(split_last(text)[0])


@_text_function("os.path.basename")
def _basename(machine: Machine, text: TextLike) -> AnyValue:
    del machine
    return as_value(split_last(text)[1])


@_text_function("os.path.split")
def _split(machine: Machine, text: TextLike) -> AnyValue:
    del machine
    head, tail = split_last(text)
    return TupleV([as_value(head), as_value(tail)])


@_text_function("os.path.splitext")
def _splitext(machine: Machine, text: TextLike) -> AnyValue:
    del machine
    if isinstance(text, str):
        stem, extension = posixpath.splitext(text)
        return TupleV([Known(stem), Known(extension)])
    stem_text, extension_text = split_extension(text)
    return TupleV([as_value(stem_text), as_value(extension_text)])


@_text_function("os.path.abspath", "os.path.realpath")
def _abspath(machine: Machine, text: TextLike) -> AnyValue:
    return as_value(machine.absolute(text))


@_text_function("os.path.normpath")
def _normpath(machine: Machine, text: TextLike) -> AnyValue:
    del machine
    return as_value(normalise(text))


@_text_function("os.path.normcase", "os.fspath", "os.fsdecode")
def _same(machine: Machine, text: TextLike) -> AnyValue:
    del machine
    return as_value(text)


@_text_function("os.path.expanduser")
def _expanduser(machine: Machine, text: TextLike) -> AnyValue:
    return as_value(_expand_home(machine, text))


def _expand_home(machine: Machine, text: TextLike) -> TextLike:
    head = text if isinstance(text, str) else text.prefix
    if head == "~" or head.startswith("~/"):
        home = text_of(machine.env_value("HOME"))
        if home is not None and home != "~":
            rest = head[1:]
            return (
                concat(home, rest, *(p for p in parts_of(text)[1:]))
                if not isinstance(text, str)
                else concat(home, rest)
            )
    return text


@_text_function("os.path.expandvars")
def _expandvars(machine: Machine, text: TextLike) -> AnyValue:
    out: list[str | Hole] = []
    for part in parts_of(text):
        if isinstance(part, Hole):
            out.append(part)
            continue
        position = 0
        for match in re.finditer(r"\$(\w+|\{[^}]*\})", part):
            out.append(part[position : match.start()])
            value = machine.env_value(match[1].strip("{}"))
            if isinstance(value, Known) and value.value is None:
                out.append(match.group())
            else:
                out.extend(parts_of(render(value)))
            position = match.end()
        out.append(part[position:])
    return as_value(make_text(out))


@_text_function("os.path.isabs")
def _isabs(machine: Machine, text: TextLike) -> AnyValue:
    del machine
    if isinstance(text, str):
        return Known(text.startswith("/"))
    return Known(True) if is_absolute(text) else (Known(False) if text.prefix else BOOL)


@function("os.path.relpath")
def _relpath(machine: Machine, args: Arguments) -> AnyValue:
    start = args.get(1, "start")
    base = machine.absolute(as_text(machine, start)) if start is not None and start != NONE else machine.cwd
    return each_text(machine, args.pos[0], lambda text: _relative(machine.absolute(text), base))


def _relative(text: TextLike, base: TextLike) -> AnyValue:
    if isinstance(text, str) and isinstance(base, str):
        return Known(posixpath.relpath(text, base))
    found = _strip_base(text, base)
    return as_value(found) if found is not None else text_hole("glob", slash=True)


def _strip_base(text: TextLike, base: TextLike) -> TextLike | None:
    """What is left of a path behind a base folder; None when it is not known to lie below it."""
    if text == base:
        return "."
    if isinstance(base, str):
        prefix = base.rstrip("/") + "/"
        head = text if isinstance(text, str) else text.prefix
        if base == ".":
            return text if not head.startswith("/") else None
        if head.startswith(prefix):
            if isinstance(text, str):
                return text[len(prefix) :]
            return make_text([head[len(prefix) :], *text.parts[1:]])
        return None
    mine, theirs = segments(text), segments(base)
    if mine[: len(theirs)] == theirs and len(mine) > len(theirs):
        return from_segments(mine[len(theirs) :])
    return None


@function("os.path.commonpath", "os.path.commonprefix")
def _common(machine: Machine, args: Arguments) -> AnyValue:
    content = machine.iterate(args.pos[0]) if args.pos else TupleV(())
    known = pure_call(machine, posixpath.commonpath, Arguments([content])) if content.rest is None else None
    return known if known is not None else text_hole("glob", slash=True)


@function("os.path.samefile", "os.path.sameopenfile", "os.path.samestat")
def _samefile(machine: Machine, args: Arguments) -> AnyValue:
    for value in args.pos:
        machine.access(Operation.STAT, value, "os.path.samefile")
    return BOOL


def exists_value(machine: Machine, value: AnyValue, kind: str | None, call: str) -> AnyValue:
    """An existence test: noted as `stat`, answered from the tree."""
    machine.access(Operation.STAT, value, call)
    answers: set[bool | None] = set()
    for option in options(value):
        text = path_text(option)
        answers.add(machine.exists(text, kind) if text is not None and text != "" else (False if text == "" else None))
    found = answers.pop() if len(answers) == 1 else None
    return BOOL if found is None else Known(found)


def _existence_function(name: str, kind: str | None) -> registry.FunctionModel:
    return lambda machine, args: exists_value(
        machine, args.pos[0] if args.pos else next(iter(args.kw.values()), UNKNOWN), kind, name
    )


def _existence_method(name: str, kind: str | None) -> registry.MethodModel:
    return lambda machine, path, _: exists_value(machine, path, kind, name)


for _name, _kind in (("exists", None), ("lexists", None), ("isfile", "file"), ("isdir", "folder")):
    registry.FUNCTIONS[f"os.path.{_name}"] = _existence_function(f"os.path.{_name}", _kind)
for _alias in ("posixpath", "ntpath", "genericpath"):
    registry.ALIASES[_alias] = "os.path"
    for _name in list(registry.FUNCTIONS):
        if _name.startswith("os.path."):
            registry.ALIASES[_name.replace("os.path", _alias)] = _name


# pathlib


def make_path(machine: Machine, args: Arguments, type_name: str = "pathlib.Path") -> AnyValue:
    """`Path(...)`."""
    values = list(args.pos)
    if args.star is not None:
        values.append(text_hole("unknown", slash=True))
    if not values:
        return PathV(".", type_name)
    return join(PathV(pure_path(join_paths(*row)), type_name) for row in _product(machine, values))


for _name in ("Path", "PosixPath"):
    registry.FUNCTIONS[f"pathlib.{_name}"] = make_path
for _name in ("PurePath", "PurePosixPath", "PureWindowsPath"):
    registry.FUNCTIONS[f"pathlib.{_name}"] = lambda machine, args: make_path(machine, args, "pathlib.PurePath")


@function("pathlib.Path.cwd")
def path_cwd(machine: Machine, args: Arguments) -> AnyValue:
    """`Path.cwd()`."""
    del args
    return PathV(machine.cwd)


@function("pathlib.Path.home")
def path_home(machine: Machine, args: Arguments) -> AnyValue:
    """`Path.home()`."""
    del args
    home = text_of(machine.env_value("HOME"))
    return PathV(home if home is not None else "~")


@path_attribute("name")
def _name_of(machine: Machine, path: PathV) -> AnyValue:
    del machine
    if path.text in (".", "/"):
        return Known("")
    return as_value(split_last(path.text)[1])


@path_attribute("stem")
def _stem(machine: Machine, path: PathV) -> AnyValue:
    name = text_of(_name_of(machine, path))
    return as_value(split_extension(name)[0]) if name is not None else UNKNOWN


@path_attribute("suffix")
def _suffix(machine: Machine, path: PathV) -> AnyValue:
    name = text_of(_name_of(machine, path))
    return as_value(split_extension(name)[1]) if name is not None else UNKNOWN


@path_attribute("suffixes")
def _suffixes(machine: Machine, path: PathV) -> AnyValue:
    name = _name_of(machine, path)
    if isinstance(name, Known):
        pieces = str(name.value).lstrip(".").split(".")[1:]
        return ListObj("list", [Known("." + piece) for piece in pieces])
    return ListObj("list", (), text_hole())


def parent_of(text: TextLike) -> TextLike:
    """The parent folder as pathlib has it."""
    if text in (".", "/"):
        return text
    head, tail = split_last(text)
    if isinstance(text, str) and tail == "..":
        return head or "."
    return head if head != "" else "."


@path_attribute("parent")
def _parent(machine: Machine, path: PathV) -> AnyValue:
    del machine
    return PathV(parent_of(path.text), path.type)


@path_attribute("parents")
def _parents(machine: Machine, path: PathV) -> AnyValue:
    del machine
    found: list[AnyValue] = []
    text = path.text
    while len(found) < 64:
        upper = parent_of(text)
        if upper == text:
            break
        found.append(PathV(upper, path.type))
        text = upper
        if not isinstance(text, str) and may_span(segments(text)[-1]):
            return TupleV(found, PathV(text_hole("glob", slash=True), path.type))
    return TupleV(found)


@path_attribute("parts")
def _parts(machine: Machine, path: PathV) -> AnyValue:
    del machine
    pieces = segments(path.text)
    values: list[AnyValue] = [Known("/")] if pieces[0] == "" else [as_value(pieces[0])] if path.text != "." else []
    for index, piece in enumerate(pieces[1:], 1):
        if may_span(piece):
            return TupleV(values, join([as_value(p) for p in pieces[index:]]))
        values.append(as_value(piece))
    return TupleV(values)


@path_attribute("anchor")
@path_attribute("root")
def _anchor(machine: Machine, path: PathV) -> AnyValue:
    del machine
    return Known("/" if is_absolute(path.text) else "")


@path_attribute("drive")
def _drive(machine: Machine, path: PathV) -> AnyValue:
    del machine, path
    return Known("")


def _path_method(*names: str) -> Callable[[MethodT], MethodT]:
    return method(*(f"{type_name}.{name}" for name in names for type_name in PATH_TYPES))


@_path_method("joinpath", "__truediv__")
def _joinpath(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    values: list[AnyValue] = [path, *args.pos]
    if args.star is not None:
        values.append(text_hole("unknown", slash=True))
    return join(PathV(pure_path(join_paths(*row)), path.type) for row in _product(machine, values))


@_path_method("with_suffix")
def _with_suffix(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    suffix = args.get(0, "suffix") or Known("")

    def change(text: TextLike) -> AnyValue:
        head, name = split_last(path.text)
        new = concat(split_extension(name)[0], text)
        return PathV(pure_path(join_paths(head, new)) if head != "" else new, path.type)

    return each_text(machine, suffix, change)


@_path_method("with_name")
def _with_name(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    head = split_last(path.text)[0]
    return each_text(
        machine,
        args.get(0, "name") or UNKNOWN,
        lambda text: PathV(pure_path(join_paths(head, text)) if head != "" else text, path.type),
    )


@_path_method("with_stem")
def _with_stem(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    head, name = split_last(path.text)
    suffix = split_extension(name)[1]
    return each_text(
        machine,
        args.get(0, "stem") or UNKNOWN,
        lambda text: PathV(
            pure_path(join_paths(head, concat(text, suffix))) if head != "" else concat(text, suffix), path.type
        ),
    )


@_path_method("relative_to")
def _relative_to(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    base = as_text(machine, args.get(0, "other") or UNKNOWN)
    found = _strip_base(path.text, base)
    if found is not None:
        return PathV(found, path.type)
    if isinstance(path.text, str) and isinstance(base, str):
        raise machine.throw("ValueError", "is not in the subpath")
    machine.may_raise("ValueError")
    return PathV(text_hole("glob", slash=True), path.type)


@_path_method("is_relative_to")
def _is_relative_to(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    base = as_text(machine, args.get(0, "other") or UNKNOWN)
    if _strip_base(path.text, base) is not None:
        return Known(True)
    return Known(False) if isinstance(path.text, str) and isinstance(base, str) else BOOL


@_path_method("absolute", "resolve")
def _absolute(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del args
    return PathV(machine.absolute(path.text), path.type)


@_path_method("expanduser")
def _path_expanduser(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del args
    return PathV(_expand_home(machine, path.text), path.type)


@_path_method("as_posix", "__str__", "__fspath__")
def _as_posix(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del machine, args
    return as_value(path.text)


@_path_method("is_absolute")
def _is_absolute(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del args
    return _isabs(machine, path.text)


@_path_method("match", "full_match")
def _match(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del machine
    pattern = args.get(0, "path_pattern")
    if isinstance(path.text, str) and isinstance(pattern, Known) and isinstance(pattern.value, str):
        try:
            return Known(PurePosixPath(path.text).match(pattern.value))
        except ValueError:
            return BOOL
    return BOOL


for _name, _kind in (("exists", None), ("is_file", "file"), ("is_dir", "folder")):
    registry.METHODS[f"pathlib.Path.{_name}"] = _existence_method(f"pathlib.Path.{_name}", _kind)


# Listings and globs


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
        return None
    names = machine.tree.list(place)
    base = str(machine.absolute(folder if folder != "" else "."))
    if names is None or any(_may_lie_in(pattern, base) for pattern in machine.log.written_patterns):
        return None
    found = {name for name in names if f"{base}/{name}" not in machine.log.removed}
    for path in (*machine.log.written, *machine.log.folders):
        if isinstance(path, str) and path.startswith(base + "/"):
            found.add(path[len(base) + 1 :].split("/", 1)[0])
    return sorted(found) if 0 < len(found) <= LISTING_LIMIT else None


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


def listed(machine: Machine, folder: TextLike, pattern: TextLike, call: str, wrap: Any) -> AnyValue:
    """The outcome of a glob or listing.

    A telling pattern (`*.csv`) stands for itself; for one that takes everything, the present members are the elements,
    so that what the program asks of each (is it a folder, does it end so) can be answered.
    """
    machine.access(Operation.LIST, as_value(folder if folder != "" else "."), call)
    if isinstance(pattern, str) and pattern in _UNSPECIFIC:
        found = members(machine, folder) if pattern in ("*", "*/") else all_below(machine, folder)
        if found is not None:
            if pattern == "*/*":
                found = [name for name in found if name.count("/") == 1]
            if pattern.endswith("/") or pattern == "**":
                found = [name for name in found if is_folder(machine, join_paths(folder, name))]
            base = folder if folder != "." else ""
            hidden = call.startswith("glob.")
            kept = [name for name in found if not hidden or not any(part.startswith(".") for part in name.split("/"))]
            return ListObj("iterator", [wrap(join_paths(base, name) if base != "" else name) for name in kept])
    return ListObj("iterator", (), wrap(glob_element(folder, pattern)))


@_path_method("glob", "rglob")
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
    del args
    machine.access(Operation.LIST, path, "pathlib.Path.walk")
    folder = PathV(concat(path.text, Hole("glob", True)), path.type)
    return ListObj("iterator", (), _walk_row(join([path, folder])))


def _walk_row(folder: AnyValue) -> TupleV:
    name = text_hole("glob")
    return TupleV([folder, ListObj("list", (), name), ListObj("list", (), name)])


@function("os.walk")
def walk(machine: Machine, args: Arguments) -> AnyValue:
    """`os.walk(top)`: a row for every folder of the tree, pruned as the program prunes; else patterns."""
    top = args.get(0, "top") or UNKNOWN
    topdown = args.get(1, "topdown")
    machine.access(Operation.LIST, top, "os.walk")
    places = [as_text(machine, option) for option in options(top)]
    if len(places) == 1 and all_below(machine, places[0]) is not None:
        upwards = topdown is not None and machine.truth(topdown) is False
        return Stream(lambda: _walk_rows(machine, places[0], upwards=upwards))
    if len(places) == 1 and machine.in_tree(places[0]) is not None:
        place = machine.in_tree(places[0])
        if machine.tree.kind(place) is None and not machine.made_folder(place):
            return ListObj("iterator", (), _walk_row(join([as_value(places[0]), as_value(_span(places[0]))])))
    folder = join([*(as_value(text) for text in places), *(as_value(_span(text)) for text in places)])
    return ListObj("iterator", (), _walk_row(folder))


def _walk_rows(machine: Machine, top: TextLike, *, upwards: bool) -> Iterator[AnyValue]:
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


@method("os.DirEntry.__fspath__")
def entry_path(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """A directory entry used as a path."""
    del machine, args
    return obj.slots["path"]  # type: ignore[no-any-return]


@function("glob.glob", "glob.iglob")
def glob_glob(machine: Machine, args: Arguments) -> AnyValue:
    """`glob.glob(pattern)`."""
    pattern = args.get(0, "pathname") or UNKNOWN
    root = args.kw.get("root_dir")
    results: list[AnyValue] = []
    for option in options(pattern):
        text = as_text(machine, option)
        folder = _glob_folder(text)
        rest = _strip_base(text, folder) if folder != "." else text
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
    return ListObj("list", merged.items, merged.rest) if isinstance(merged, ListObj) else merged


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


@function("os.path.getsize", "os.path.getmtime", "os.path.getctime", "os.path.getatime")
def getsize(machine: Machine, args: Arguments) -> AnyValue:
    """Size and times of a file."""
    machine.access(Operation.STAT, args.pos[0] if args.pos else UNKNOWN, "os.path.getsize")
    machine.may_raise("OSError")
    return INT


__all__ = ["Union", "Unknown", "exists_value", "glob_element", "make_path", "parent_of"]
