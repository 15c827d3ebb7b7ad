"""os.path: arithmetic on paths, and whether they are there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from taskgates.inference.models import registry
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.values.strings import pure_call
from taskgates.inference.objects import Arguments, Instance
from taskgates.inference.paths import (
    from_segments,
    is_absolute,
    join_paths,
    normalise,
    segments,
    split_extension,
    split_last,
)
from taskgates.inference.recording import PATH_TESTS
from taskgates.inference.renderings import render, text_hole
from taskgates.inference.text import Hole, Text, TextLike, concat, make_text, parts_of
from taskgates.inference.values import (
    BOOL,
    NONE,
    UNKNOWN,
    AnyValue,
    Known,
    Scalar,
    TupleV,
    Union,
    as_value,
    join,
    options,
    path_text,
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


def combined(machine: Machine, values: list[AnyValue]) -> list[list[TextLike]]:
    """Every way in which the alternatives of several paths go together."""
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
    return join(as_value(join_paths(*row)) for row in combined(machine, args.pos))


_TextModel = Callable[[Machine, TextLike], AnyValue]


def _text_function(*names: str) -> Callable[[_TextModel], _TextModel]:
    def register(action: _TextModel) -> _TextModel:
        def model(machine: Machine, args: Arguments) -> AnyValue:
            value = args.pos[0] if args.pos else next(iter(args.kw.values()), UNKNOWN)
            if isinstance(value, Union) and NONE in value.options:
                # None is no path: a program that goes on holds one of the other alternatives.
                machine.may_raise("TypeError")
                value = join(option for option in value.options if option != NONE)
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


@_text_function("os.path.abspath")
def _abspath(machine: Machine, text: TextLike) -> AnyValue:
    return as_value(machine.absolute(text))


@_text_function("os.path.realpath")
def _realpath(machine: Machine, text: TextLike) -> AnyValue:
    return as_value(machine.without_links(text))


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
    return as_value(expand_home(machine, text))


def expand_home(machine: Machine, text: TextLike) -> TextLike:
    """A path whose `~` at the start is replaced by the home folder, where that is known."""
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
def is_rooted(machine: Machine, text: TextLike) -> AnyValue:
    """`os.path.isabs(path)`."""
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


@function("os.path.commonpath")
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


for _name, _kind in PATH_TESTS.items():
    registry.FUNCTIONS[f"os.path.{_name}"] = _existence_function(f"os.path.{_name}", _kind)


def link_value(machine: Machine, value: AnyValue, call: str) -> AnyValue:
    """Whether a path is a symbolic link: answered for what is in the tree and the program has not touched."""
    machine.access(Operation.STAT, value, call)
    place = machine.in_tree(text) if (text := path_text(value)) is not None else None
    if place is None or machine.wrote(place) or machine.deleted(place):
        return BOOL
    link = machine.tree.is_link(place)
    known = link or machine.tree.kind(place) is not None or machine.absent(place)
    return Known(link) if known or (machine.closed and machine.made_folder(place)) else BOOL


registry.FUNCTIONS["os.path.islink"] = lambda machine, args: link_value(
    machine, args.get(0, "path") or UNKNOWN, "os.path.islink"
)
registry.METHODS["pathlib.Path.is_symlink"] = lambda machine, path, _: link_value(
    machine, path, "pathlib.Path.is_symlink"
)

for _alias in ("posixpath", "ntpath", "genericpath"):
    registry.ALIASES[_alias] = "os.path"
    for _name in list(registry.FUNCTIONS):
        if _name.startswith("os.path."):
            registry.ALIASES[_name.replace("os.path", _alias)] = _name
