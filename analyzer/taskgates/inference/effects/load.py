"""Finding effect tables and indexing them.

A table is read whole and cut at its row headers, which costs a few milliseconds for everything that is shipped; a row
is parsed when it is first looked up. Tables of the user are parsed and checked at once, so that a fault is reported
whether or not the row is ever used.
"""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from taskgates.inference.effects.errors import EffectProblem, EffectTableError
from taskgates.inference.effects.rows import RowParser
from taskgates.inference.effects.table import EffectTable
from taskgates.tree.toml_source import load_toml
from taskgates.tree.tree import content_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from taskgates.inference.effects.model import Row

_PACKAGE = "taskgates_rules"
_FOLDER = "effects"
_COMMANDS = "commands.toml"
"""Effects of shell commands: another schema, read elsewhere."""

_TABLE_LIMIT = 16 << 20

_HEADER = re.compile(r"^\[(?P<quote>[\"']?)(?P<name>[^\"'\[\]\n]+)(?P=quote)\][ \t]*(?:#.*)?$", re.MULTILINE)
_TOML_LINE = re.compile(r" ?\(at line (\d+), column \d+\)| ?\(at end of document\)")


class RowText(msgspec.Struct, frozen=True):
    """One row as it stands in its file; of most rows nothing but the name is ever asked for.

    Attributes:
        name: the qualified name.
        file: the table's file, for messages.
        table: the text of the file.
        start: where the row's header begins in it.
        end: where the next row's does.
    """

    name: str
    file: str
    table: str
    start: int
    end: int

    @property
    def line(self) -> int:
        """The header's line."""
        return self.table.count("\n", 0, self.start) + 1

    @property
    def text(self) -> str:
        """The row's lines, the header first."""
        return self.table[self.start : self.end]

    def parse(self) -> Row:
        """Parse the row.

        Raises:
            EffectTableError: with every fault of the row.
        """
        try:
            document = load_toml(self.text)
        except ValueError as error:
            at = _TOML_LINE.search(str(error))
            line = self.line + (int(at[1]) - 1 if at and at[1] else self.text.rstrip().count("\n"))
            message = f"[{self.name}] not valid TOML: {_TOML_LINE.sub('', str(error))}"
            raise EffectTableError([EffectProblem(self.file, line, message)]) from error
        if document.keys() != {self.name}:
            message = f'a row\'s header is one quoted name: write ["{self.name}"]'
            raise EffectTableError([EffectProblem(self.file, self.line, message)])
        parser = RowParser(self.name, self.file, self.text, self.line)
        row = parser.parse(document[self.name])
        if row is None:
            raise EffectTableError(parser.problems)
        return row


def split_rows(text: str, file: str) -> Iterator[RowText]:
    """Cut a table at its row headers.

    Args:
        text: the table.
        file: its name, for messages.

    Raises:
        EffectTableError: when something other than comments stands before the first header.
    """
    headers = list(_HEADER.finditer(text))
    head = text[: headers[0].start()] if headers else text
    for index, row in enumerate(head.splitlines(), 1):
        if row.strip() and not row.lstrip().startswith("#"):
            message = 'every row begins with its qualified name: ["library.function"]'
            raise EffectTableError([EffectProblem(file, index, message)])
    bounds = [*(header.start() for header in headers), len(text)]
    for header, (start, end) in zip(headers, pairwise(bounds), strict=True):
        yield RowText(header["name"], file, text, start, end)


def load_effects(paths: Iterable[Path] = (), *, packaged: bool = True, root: Path | None = None) -> EffectTable:
    """Load effect tables.

    Args:
        paths: the user's tables: files, or folders of `*.toml`. Their rows add to and replace the packaged ones; a
            later path wins over an earlier one.
        packaged: whether to begin with the tables that taskgates ships.
        root: the folder to which messages name the tables below it.

    Returns:
        The table to look names up in.

    Raises:
        EffectTableError: for unreadable files and every fault in the user's rows, with file and line.
    """
    rows: dict[str, RowText] = {}
    if packaged:
        for file in _packaged_tables():
            for row in split_rows(file.read_text(encoding="utf-8"), f"{_PACKAGE}/{_FOLDER}/{file.name}"):
                rows[row.name] = row
    problems: list[EffectProblem] = []
    parsed: dict[str, Row] = {}
    for path in paths:
        for row in _user_rows(path, problems, root):
            rows[row.name] = row
            try:
                parsed[row.name] = row.parse()
            except EffectTableError as error:
                problems.extend(error.problems)
    if problems:
        raise EffectTableError(problems)
    own = "\0".join(rows[name].text for name in parsed)
    return EffectTable(rows, parsed, content_digest(own.encode()) if own else "")


def _packaged_tables() -> Iterator[Traversable]:
    folder = files(_PACKAGE) / _FOLDER
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".toml") and file.name != _COMMANDS:
            yield file


def _user_rows(path: Path, problems: list[EffectProblem], root: Path | None) -> Iterator[RowText]:
    tables = sorted(each for each in path.glob("*.toml") if each.is_file()) if path.is_dir() else [path]
    for table in tables:
        if path.is_dir() and table.name == _COMMANDS:
            continue
        shown = table.relative_to(root) if root is not None and table.is_relative_to(root) else table
        try:
            if table.stat().st_size > _TABLE_LIMIT:
                message = f"is larger than {_TABLE_LIMIT >> 20} MB; divide it"
                problems.append(EffectProblem(str(shown), 1, message))
                continue
            text = table.read_text(encoding="utf-8")
            found = list(split_rows(text, str(shown)))
        except OSError as error:
            problems.append(EffectProblem(str(shown), 1, f"cannot be read: {error.strerror}"))
        except UnicodeDecodeError:
            problems.append(EffectProblem(str(shown), 1, "is not UTF-8 text"))
        except EffectTableError as error:
            problems.extend(error.problems)
        else:
            yield from _without_repeats(found, problems)


def _without_repeats(rows: list[RowText], problems: list[EffectProblem]) -> Iterator[RowText]:
    first: dict[str, int] = {}
    for row in rows:
        if row.name in first:
            message = f"[{row.name}] comes twice in this file, first on line {first[row.name]}"
            problems.append(EffectProblem(row.file, row.line, message))
        else:
            first[row.name] = row.line
            yield row
