"""Files that SQL text names: databases that are attached, tables that are copied from and to files.

Only statements whose text is known are looked at. SQLite attaches databases and writes compact copies (`VACUUM INTO`);
DuckDB reads and writes files of many formats by statements of its own and by functions such as `read_csv`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from taskgates.inference.models.files.listings import glob_element
from taskgates.inference.models.registry import METHODS, Machine, function, method
from taskgates.inference.objects import Arguments, DictObj, Instance
from taskgates.inference.text import Text
from taskgates.inference.values import NONE, AnyValue, Known, Unknown, as_value, options, path_text, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTED = r"'(?P<path>(?:[^']|'')*)'"
_ATTACH = re.compile(rf"\battach\s+(?:database\s+)?(?:if\s+not\s+exists\s+)?{_QUOTED}(?P<rest>[^;]*)", re.IGNORECASE)
_ATTACH_PARAMETER = re.compile(r"\battach\s+(?:database\s+)?(?:\?\d*|[:@$](?P<name>\w+))", re.IGNORECASE)
_VACUUM = re.compile(rf"\bvacuum\b[^;']*\binto\s+{_QUOTED}", re.IGNORECASE)
_VACUUM_PARAMETER = re.compile(r"\bvacuum\b[^;']*\binto\s+(?:\?\d*|[:@$](?P<name>\w+))", re.IGNORECASE)
_ENSURED = re.compile(
    r"\s*create\s+(?:unique\s+)?(?:table|index|view)\s+if\s+not\s+exists\s+[\"'`\[]?(?P<name>\w+)", re.IGNORECASE
)
_MADE = re.compile(rb"create\s+(?:unique\s+)?(?:table|index|view)\s+[\"'`\[]?(\w+)", re.IGNORECASE)
"""How the schema in a file of SQLite's says what there is."""
_COPY_TO = re.compile(rf"\bcopy\b[^;]*?\bto\s+{_QUOTED}(?P<rest>[^;]*)", re.IGNORECASE)
_COPY_FROM = re.compile(rf"\bcopy\s+[^;()]*(?:\([^;()]*\))?\s*\bfrom\s+{_QUOTED}", re.IGNORECASE)
_TABLE = re.compile(rf"\b(?:from|join)\s+{_QUOTED}", re.IGNORECASE)
_READER = re.compile(
    r"\b(?:read_\w+|\w+_scan|sniff_csv|glob|st_read|parquet_(?:metadata|schema|file_metadata|kv_metadata))\s*"
    r"\(\s*(?P<paths>\[[^\]]*\]|'(?:[^']|'')*')",
    re.IGNORECASE,
)
_FOLDER = re.compile(rf"\b(?P<verb>export|import)\s+database\s+(?:\w+\s+to\s+)?{_QUOTED}", re.IGNORECASE)
_TEXTS = re.compile(_QUOTED)
_MEMORY: Final = frozenset({"", ":memory:"})


def _known_sql(args: Arguments, *names: str) -> list[str]:
    """The texts that the first argument may have, without comments, as far as they are known."""
    given = (args.get(0, name) for name in names)
    texts = [text_of(option) for value in given if value is not None for option in options(value)]
    return [_COMMENT.sub(" ", text) for text in dict.fromkeys(texts) if isinstance(text, str)]


def sqlite_files(sql: str) -> Iterator[tuple[Operation, str]]:
    """The files that SQLite's statements name.

    Args:
        sql: the statements, without comments.
    """
    for found in _ATTACH.finditer(sql):
        path = _unquote(found["path"])
        if path not in _MEMORY:
            yield Operation.READ, path
            yield Operation.UPDATE, path
    for found in _VACUUM.finditer(sql):
        yield Operation.READ, _unquote(found["path"])
        yield Operation.OVERWRITE, _unquote(found["path"])


def duckdb_files(sql: str) -> Iterator[tuple[Operation, str]]:
    """The files that DuckDB's statements name.

    Args:
        sql: the statements, without comments.
    """
    for found in _ATTACH.finditer(sql):
        path = _unquote(found["path"])
        if path in _MEMORY or ":" in path:
            continue
        yield Operation.READ, path
        if "read_only" not in found["rest"].lower():
            yield Operation.UPDATE, path
    for found in _COPY_TO.finditer(sql):
        path = _unquote(found["path"])
        yield Operation.OVERWRITE, f"{path}/**" if "partition_by" in found["rest"].lower() else path
    for pattern in (_COPY_FROM, _TABLE):
        for found in pattern.finditer(sql):
            yield Operation.READ, _unquote(found["path"])
    for found in _READER.finditer(sql):
        for quoted in _TEXTS.finditer(found["paths"]):
            yield Operation.READ, _unquote(quoted["path"])
    for found in _FOLDER.finditer(sql):
        operation = Operation.CREATE if found["verb"].lower() == "export" else Operation.READ
        yield operation, f"{_unquote(found['path'])}/**"


def _unquote(text: str) -> str:
    return text.replace("''", "'")


def _note(machine: Machine, files: Iterable[tuple[Operation, str]], call: str) -> None:
    for operation, path in files:
        value = glob_element("", path)
        machine.access(operation, as_value(value), call)


def _duckdb_method(name: str) -> None:
    call = f"duckdb.{name}"

    def model(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
        del obj
        for sql in _known_sql(args, "query", "statement"):
            files = list(duckdb_files(sql))
            made = {
                path for operation, path in files if operation is Operation.UPDATE and machine.exists(path) is False
            }
            _note(machine, (file for file in files if file[0] is not Operation.READ or file[1] not in made), call)
        return None

    def plain(machine: Machine, args: Arguments) -> AnyValue | None:
        return model(machine, Known(None), args)

    METHODS[f"duckdb.DuckDBPyConnection.{name}"] = model
    function(f"duckdb.{name}")(plain)


for _name in ("sql", "query", "execute", "executemany", "from_query", "query_df"):
    _duckdb_method(_name)


@function("duckdb.connect")
def duckdb_connect(machine: Machine, args: Arguments) -> AnyValue | None:
    """`duckdb.connect(path)`: what is there is read; the table says the rest."""
    for option in options(args.get(0, "database") or NONE):
        text = path_text(option)
        if text is not None and text not in _MEMORY and machine.exists(text) is not False:
            machine.access(Operation.READ, option, "duckdb.connect")
    return None


@function("sqlite3.connect")
def sqlite_connect(machine: Machine, args: Arguments) -> AnyValue | None:
    """`sqlite3.connect(path)`: a database that is not there is made; the table says the rest."""
    if args.kw.get("uri", NONE) == NONE:
        for option in options(args.get(0, "database") or NONE):
            text = path_text(option)
            if text is not None and text not in _MEMORY and machine.exists(text) is False:
                machine.access(Operation.CREATE, option, "sqlite3.connect")
    return None


def _changes_nothing(machine: Machine, obj: AnyValue, sql: str) -> bool:
    """Whether statements only make sure of what a database of a complete tree has already."""
    path = path_text(obj.slots.get("database", NONE)) if machine.closed and isinstance(obj, Instance) else None
    data = machine.content(path) if path is not None else None
    wanted = [_ENSURED.match(statement) for statement in sql.split(";") if statement.strip()]
    if data is None or not wanted:
        return False
    made = {found.lower() for found in _MADE.findall(data)}
    return all(found is not None and found["name"].lower().encode() in made for found in wanted)


def _sqlite_method(name: str) -> None:
    def model(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
        known = _known_sql(args, "sql", "sql_script")
        if len(known) == 1 and _changes_nothing(machine, obj, known[0]):
            return obj
        for sql in known:
            if "'" in sql:
                _note(machine, sqlite_files(sql), f"sqlite3.Connection.{name}")
            for pattern, operation in _BY_PARAMETER:
                if (found := pattern.search(sql)) is not None:
                    given = args.get(1, "parameters")
                    _note_parameter(machine, found["name"], given, operation, f"sqlite3.Connection.{name}")
        return None

    METHODS[f"sqlite3.Connection.{name}"] = model


_BY_PARAMETER: Final = ((_ATTACH_PARAMETER, Operation.UPDATE), (_VACUUM_PARAMETER, Operation.OVERWRITE))
"""Statements that take a database from a parameter, and what they do to it beside reading it."""


def _note_parameter(
    machine: Machine, name: str | None, given: AnyValue | None, operation: Operation, call: str
) -> None:
    """A database that a statement is told by a parameter: the first one, or that of a name."""
    for option in options(given) if given is not None else ():
        if name:
            path = dict(option.known()).get(Known(name)) if isinstance(option, DictObj) else None
        else:
            content = machine.iterate(option)
            path = content.items[0] if content.items else content.rest
        if path is not None and path_text(path) not in _MEMORY:
            machine.access(Operation.READ, path, call)
            machine.access(operation, path, call)


for _name in ("execute", "executescript"):
    _sqlite_method(_name)


@method("sqlite3.Connection.load_extension")
def load_extension(machine: Machine, obj: AnyValue, args: Arguments) -> AnyValue | None:
    """Compiled code becomes part of the database engine; the table says that it is read."""
    del obj, args
    machine.opaque("a compiled extension is loaded into SQLite")
    return None


@function("sqlalchemy.create_engine", "sqlalchemy.ext.asyncio.create_async_engine", "sqlmodel.create_engine")
def create_engine(machine: Machine, args: Arguments) -> AnyValue | None:
    """`create_engine(url)`: an address of which not even the kind is known may be that of a file."""
    for option in options(args.get(0, "url", NONE) or NONE):
        text = text_of(option)
        if (text is None and isinstance(option, Unknown)) or (isinstance(text, Text) and "://" not in text.prefix):
            machine.opaque("the address of a database is not known")
    return None
