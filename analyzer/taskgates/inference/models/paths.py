"""os.path and pathlib: arithmetic on paths, and whether they are there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import PurePosixPath

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
    NONE,
    UNKNOWN,
    AnyValue,
    Arguments,
    Instance,
    Known,
    ListObj,
    PathV,
    Scalar,
    TupleV,
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
    found = strip_base(text, base)
    return as_value(found) if found is not None else text_hole("glob", slash=True)


def strip_base(text: TextLike, base: TextLike) -> TextLike | None:
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


def path_method(*names: str) -> Callable[[MethodT], MethodT]:
    """Register a model for methods of every class of pathlib paths."""
    return method(*(f"{type_name}.{name}" for name in names for type_name in PATH_TYPES))


@path_method("joinpath", "__truediv__")
def _joinpath(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    values: list[AnyValue] = [path, *args.pos]
    if args.star is not None:
        values.append(text_hole("unknown", slash=True))
    return join(PathV(pure_path(join_paths(*row)), path.type) for row in _product(machine, values))


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


@path_method("absolute", "resolve")
def _absolute(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del args
    return PathV(machine.absolute(path.text), path.type)


@path_method("expanduser")
def _path_expanduser(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del args
    return PathV(_expand_home(machine, path.text), path.type)


@path_method("as_posix", "__str__", "__fspath__")
def _as_posix(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del machine, args
    return as_value(path.text)


@path_method("is_absolute")
def _is_absolute(machine: Machine, path: PathV, args: Arguments) -> AnyValue:
    del args
    return _isabs(machine, path.text)


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


for _name, _kind in (("exists", None), ("is_file", "file"), ("is_dir", "folder")):
    registry.METHODS[f"pathlib.Path.{_name}"] = _existence_method(f"pathlib.Path.{_name}", _kind)
