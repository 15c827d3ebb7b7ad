"""Snakemake's strings: wildcards in file names, `expand` and `glob_wildcards`.

Unknown pieces of a string are kept as single characters of a private area while names are matched and filled in, so
that Python's own regular expressions and formatting do the work.
"""

from __future__ import annotations

import itertools
import re
import string
from typing import TYPE_CHECKING, Any

from taskgates.inference.models.files.listings import all_below
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.values.formatting import to_text
from taskgates.inference.objects import Arguments, DictObj, FunctionV, Instance, ListObj
from taskgates.inference.renderings import render
from taskgates.inference.text import Hole, Text, concat, make_text
from taskgates.inference.values import (
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    BoundMethod,
    Ext,
    Known,
    NamedTupleV,
    Native,
    Partial,
    Scalar,
    Stream,
    TupleV,
    Unknown,
    as_value,
    options,
    path_text,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from taskgates.inference.text import TextLike

COMBINATIONS = 4_096
"""Names that one call of `expand` may give."""

_CALLED = (FunctionV, BoundMethod, Native, Partial)
_NESTING = 8

_FIRST, _LAST = 0xE000, 0xF8FF
_WILDCARD = re.compile(r"\{\s*(?P<name>\w+?)(?:\s*,\s*(?P<constraint>(?:[^{}]+|\{\d+(?:,\d+)?\})*))?\s*\}")


class Marks:
    """Turns partly known strings into plain ones and back; equal unknown pieces become equal characters."""

    def __init__(self) -> None:
        self._marks: dict[Hole, str] = {}
        self._holes: dict[str, Hole] = {}

    def encode(self, text: TextLike) -> str:
        """A plain string with one private-use character for every unknown piece."""
        if isinstance(text, str):
            return text
        return "".join(part if isinstance(part, str) else self._mark(part) for part in text.parts)

    def _mark(self, hole: Hole) -> str:
        found = self._marks.get(hole)
        if found is None:
            found = chr(min(_FIRST + len(self._marks), _LAST))
            self._marks[hole] = found
            self._holes[found] = hole
        return found

    def decode(self, text: str) -> TextLike:
        """The partly known string behind a plain one."""
        if not self._holes or not any(mark in text for mark in self._holes):
            return text
        return make_text([self._holes.get(char, char) for char in text])


def wildcard_names(pattern: str) -> list[str]:
    """The wildcards of a file name, in order, each once."""
    return list(dict.fromkeys(match["name"] for match in _WILDCARD.finditer(pattern)))


def wildcard_expression(pattern: str, constraints: Mapping[str, str] | None = None) -> re.Pattern[str] | None:
    """A regular expression for the names that a pattern stands for; None where a constraint is none.

    Args:
        pattern: a file name with `{wildcard}` or `{wildcard,constraint}`.
        constraints: what the wildcards may match, by name, where the pattern does not say.
    """
    pieces: list[str] = []
    seen: set[str] = set()
    last = 0
    for match in _WILDCARD.finditer(pattern):
        pieces.append(re.escape(pattern[last : match.start()]))
        name = match["name"]
        if name in seen:
            pieces.append(f"(?P={name})")
        else:
            seen.add(name)
            expression = match["constraint"] or (constraints or {}).get(name) or ".+"
            pieces.append(f"(?P<{name}>{expression}|[{chr(_FIRST)}-{chr(_LAST)}]+)")
        last = match.end()
    pieces.append(re.escape(pattern[last:]))
    try:
        return re.compile("".join(pieces), re.DOTALL)
    except (re.error, RecursionError, OverflowError):
        return None


def opened_pattern(pattern: str) -> str:
    """A pattern with a wildcard for each piece that is not known."""
    return re.sub(f"[{chr(_FIRST)}-{chr(_LAST)}]", lambda match: f"{{_{ord(match[0])},[^/]+}}", pattern)


def apply_wildcards(pattern: str, wildcards: Mapping[str, str]) -> str:
    """A file name with its wildcards filled in; those without a value stay."""
    return _WILDCARD.sub(lambda match: wildcards.get(match["name"], match[0]), pattern)


def flat_values(machine: Machine, value: AnyValue, depth: int = 0) -> list[AnyValue]:
    """The single values of nested lists, in order; a string or any other value is one."""
    out: list[AnyValue] = []
    for option in options(value):
        if depth < _NESTING and _is_list(option):
            content = machine.iterate(option)
            for item in (*content.items, *([content.rest] if content.rest is not None else [])):
                out.extend(flat_values(machine, item, depth + 1))
        else:
            out.append(option)
    return out


def _is_list(value: AnyValue) -> bool:
    if isinstance(value, Known):
        return isinstance(value.value, range)
    return isinstance(value, ListObj | TupleV | DictObj | Stream) or (
        isinstance(value, Instance) and path_text(value) is None
    )


def file_text(machine: Machine, value: AnyValue) -> TextLike:
    """The file name that a value stands for."""
    text = path_text(value)
    return text if text is not None else to_text(machine, value)


# Expanding


@function("snakemake.io.expand", "snakemake.io.collect", "snakemake.expand")
def expand(machine: Machine, args: Arguments) -> AnyValue:
    """`expand(patterns, combinator, wildcard=values, ...)`."""
    marks = Marks()
    given = args.get(0, "pattern") or UNKNOWN
    patterns = [marks.encode(file_text(machine, each)) for each in flat_values(machine, given)]
    keywords = dict(args.kw)
    keywords.pop("pattern", None)
    missing = keywords.pop("allow_missing", NONE) == TRUE
    combined = args.pos[1] == Ext("builtins.zip") if len(args.pos) > 1 else False
    if any(isinstance(value, _CALLED) for value in keywords.values()):
        return Native("snakemake.expand", _later(args))
    values = {name: _alternatives(machine, value, marks) for name, value in keywords.items()}
    out: dict[str, None] = {}
    for pattern in patterns:
        used = _used_names(pattern)
        if args.kwstar is not None:
            for name in used:
                values.setdefault(name, [marks.encode(render(args.kwstar))])
        names = [name for name in values if name in used] if not combined else list(values)
        columns = [values[name] for name in names]
        rows: Iterable[Sequence[Any]] = (
            zip(*columns, strict=False) if combined and columns else itertools.product(*columns)
        )
        for count, row in enumerate(rows):
            if count >= COMBINATIONS:
                machine.opaque(f"expand gives more than {COMBINATIONS} names")
                break
            out[_filled(pattern, dict(zip(names, row, strict=True)), missing=missing)] = None
    return ListObj("list", [as_value(marks.decode(text)) for text in out])


class _Field:
    """A value of a wildcard that is no string: what `{u.name}` and `{u[0]}` give is asked of the interpreter."""

    def __init__(self, machine: Machine, value: AnyValue, marks: Marks) -> None:
        self._machine = machine
        self._value = value
        self._marks = marks

    def __getattr__(self, name: str) -> _Field:
        if name.startswith("_"):
            raise AttributeError(name)
        return _Field(self._machine, self._machine.get_attr(self._value, name), self._marks)

    def __getitem__(self, index: object) -> _Field:
        return _Field(self._machine, self._machine.get_item(self._value, Known(index)), self._marks)

    def __format__(self, spec: str) -> str:
        if isinstance(self._value, Known) and isinstance(self._value.value, int | float):
            return format(self._value.value, spec)
        unknown = isinstance(self._value, FunctionV | BoundMethod | Native | Partial | Unknown | Scalar)
        text = Text((Hole("data", False),)) if unknown else file_text(self._machine, self._value)
        return self._marks.encode(text)


def _later(args: Arguments) -> Callable[[Machine, Arguments], AnyValue]:
    """What `expand` gives where a value is a function: it is asked for each job."""

    def run(machine: Machine, given: Arguments) -> AnyValue:
        called = {
            name: machine.call(value, Arguments(given.pos)) if isinstance(value, _CALLED) else value
            for name, value in args.kw.items()
        }
        return expand(machine, Arguments(args.pos, called, args.star, args.kwstar))

    return run


def _alternatives(machine: Machine, value: AnyValue, marks: Marks) -> list[Any]:
    """The values of a wildcard: strings as they are, others as fields."""
    out: list[Any] = []
    content = machine.iterate(value) if isinstance(value, ListObj) else None
    members = content.items if content is not None else [value]
    if members and all(isinstance(each, NamedTupleV) for each in members):
        # Rows of a table are asked for their columns.
        return [_Field(machine, each, marks) for each in members]
    for item in flat_values(machine, value):
        text = path_text(item)
        out.append(_Field(machine, item, marks) if text is None else marks.encode(text))
    return out


def _used_names(pattern: str) -> set[str]:
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(pattern) if field]
    except ValueError:
        return set(wildcard_names(pattern))
    return {re.split(r"[.\[,]", field, maxsplit=1)[0].strip() for field in fields}


class _Row(dict[str, Any]):
    """Values of wildcards; a missing one stays as it is written."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def _filled(pattern: str, row: Mapping[str, Any], *, missing: bool) -> str:
    del missing
    try:
        return string.Formatter().vformat(pattern, (), _Row(row))
    except (ValueError, KeyError, IndexError, AttributeError, TypeError):
        return apply_wildcards(pattern, {name: format(value) for name, value in row.items()})


@function("snakemake.io.multiext", "snakemake.multiext")
def multiext(machine: Machine, args: Arguments) -> AnyValue:
    """`multiext(prefix, *endings)`."""
    prefix = file_text(machine, args.get(0, "prefix") or UNKNOWN)
    endings = [*args.pos[1:], *(value for name, value in args.kw.items() if name != "prefix")]
    return ListObj("list", [as_value(concat(prefix, file_text(machine, ending))) for ending in endings])


@function("snakemake.io.glob_wildcards", "snakemake.glob_wildcards")
def glob_wildcards(machine: Machine, args: Arguments) -> AnyValue:
    """`glob_wildcards(pattern, files)`: a list for each wildcard, with one entry for every name that matches."""
    given = text_of(args.get(0, "pattern") or UNKNOWN) or path_text(args.get(0, "pattern") or UNKNOWN)
    files = args.get(1, "files")
    if not isinstance(given, str):
        return Unknown("the wildcards of a pattern that is not known", "glob")
    pattern = given.removeprefix("./")
    names = wildcard_names(pattern)
    expression = wildcard_expression(pattern)
    constant = pattern.split("{", 1)[0]
    folder = constant.rpartition("/")[0]
    found: list[str] | None
    if files is not None and files != NONE:
        texts = [path_text(each) for each in flat_values(machine, files)]
        found = [text for text in texts if isinstance(text, str)]
    else:
        found = all_below(machine, folder or ".")
        if found is None and machine.exists(folder or ".", "folder") is False:
            found = []
        if found is not None and folder:
            found = [f"{folder}/{each}" for each in found]
    columns: dict[str, list[AnyValue]] = {name: [] for name in names}
    if found is None or expression is None:
        hole = Text((Hole("glob", False),))
        return NamedTupleV({name: ListObj("list", (), hole) for name in names})
    for each in found:
        match = expression.fullmatch(each)
        if match is not None:
            for name in names:
                columns[name].append(Known(match[name]))
    return NamedTupleV({name: ListObj("list", values) for name, values in columns.items()})


__all__ = [
    "Marks",
    "apply_wildcards",
    "expand",
    "file_text",
    "flat_values",
    "opened_pattern",
    "wildcard_expression",
    "wildcard_names",
]
