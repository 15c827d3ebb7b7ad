"""`pathlib`: paths as objects, and arithmetic on them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from taskgates.inference.models import registry
from taskgates.inference.models.files.paths import (
    PATH_TYPES,
    as_text,
    combined,
    each_text,
    exists_value,
    expand_home,
    is_rooted,
    strip_base,
)
from taskgates.inference.models.registry import Machine, MethodT, function, method, path_attribute
from taskgates.inference.objects import Arguments, ListObj
from taskgates.inference.paths import (
    is_absolute,
    join_paths,
    may_span,
    pure_path,
    segments,
    split_extension,
    split_last,
)
from taskgates.inference.recording import PATH_METHOD_TESTS
from taskgates.inference.renderings import text_hole
from taskgates.inference.text import TextLike, concat
from taskgates.inference.values import (
    BOOL,
    UNKNOWN,
    AnyValue,
    Known,
    PathV,
    TupleV,
    as_value,
    join,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# pathlib


def make_path(machine: Machine, args: Arguments, type_name: str = "pathlib.Path") -> AnyValue:
    """`Path(...)`."""
    values = list(args.pos)
    if args.star is not None:
        values.append(text_hole("unknown", slash=True))
    if not values:
        return PathV(".", type_name)
    return join(PathV(pure_path(join_paths(*row)), type_name) for row in combined(machine, values))


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


def path_method(*names: str) -> Callable[[MethodT], MethodT]:
    """Register a model for methods of every class of pathlib paths."""
    return method(*(f"{type_name}.{name}" for name in names for type_name in PATH_TYPES))


@path_method("joinpath", "__truediv__")
def _joinpath(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    values: list[AnyValue] = [path, *args.pos]
    if args.star is not None:
        values.append(text_hole("unknown", slash=True))
    return join(PathV(pure_path(join_paths(*row)), path.type) for row in combined(machine, values))


@path_method("with_suffix")
def _with_suffix(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    suffix = args.get(0, "suffix") or Known("")

    def change(text: TextLike) -> AnyValue:
        head, name = split_last(path.text)
        new = concat(split_extension(name)[0], text)
        return PathV(pure_path(join_paths(head, new)) if head != "" else new, path.type)

    return each_text(machine, suffix, change)


@path_method("with_name")
def _with_name(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    head = split_last(path.text)[0]
    return each_text(
        machine,
        args.get(0, "name") or UNKNOWN,
        lambda text: PathV(pure_path(join_paths(head, text)) if head != "" else text, path.type),
    )


@path_method("with_stem")
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


@path_method("relative_to")
def _relative_to(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    base = as_text(machine, args.get(0, "other") or UNKNOWN)
    found = strip_base(path.text, base)
    if found is not None:
        return PathV(found, path.type)
    if isinstance(path.text, str) and isinstance(base, str):
        raise machine.throw("ValueError", "is not in the subpath")
    machine.may_raise("ValueError")
    return PathV(text_hole("glob", slash=True), path.type)


@path_method("is_relative_to")
def _is_relative_to(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    base = as_text(machine, args.get(0, "other") or UNKNOWN)
    if strip_base(path.text, base) is not None:
        return Known(True)
    return Known(False) if isinstance(path.text, str) and isinstance(base, str) else BOOL


@path_method("absolute")
def _absolute(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del args
    return PathV(machine.absolute(path.text), path.type)


@path_method("resolve")
def _resolve(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del args
    return PathV(machine.without_links(path.text), path.type)


@path_method("expanduser")
def _path_expanduser(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del args
    return PathV(expand_home(machine, path.text), path.type)


@path_method("as_posix", "__str__", "__fspath__")
def _as_posix(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del machine, args
    return as_value(path.text)


@path_method("is_absolute")
def _is_absolute(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del args
    return is_rooted(machine, path.text)


@path_method("match", "full_match")
def _match(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del machine
    pattern = args.get(0, "path_pattern")
    if isinstance(path.text, str) and isinstance(pattern, Known) and isinstance(pattern.value, str):
        try:
            return Known(PurePosixPath(path.text).match(pattern.value))
        except ValueError:
            return BOOL
    return BOOL


def _existence_method(name: str, kind: str | None) -> registry.MethodModel:
    return lambda machine, path, _: exists_value(machine, path, kind, name)


for _name, _kind in PATH_METHOD_TESTS.items():
    registry.METHODS[f"pathlib.Path.{_name}"] = _existence_method(f"pathlib.Path.{_name}", _kind)
