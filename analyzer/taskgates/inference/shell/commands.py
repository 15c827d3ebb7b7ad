"""The command table: what common commands do to the files that their arguments name, as data."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

import msgspec

from taskgates.inference.text import Text, TextLike, make_text
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OPERATIONS = frozenset(operation.value for operation in Operation)
_PLAIN_ROLES = frozenset({"value", "optional", "flag"})
_PACKAGE = "taskgates_rules"
_FILE = "effects/commands.toml"


class CommandTableError(ValueError):
    """A command table that cannot be used; the message names the table, the command and what is wrong."""


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Other roles of the operands when one of some options is given."""

    options: tuple[str, ...]
    operands: tuple[str, ...]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one command does. The comment at the head of `commands.toml` explains every key.

    Attributes:
        summary: one line for people.
        aliases: other names of the same command.
        options: role of the value of each option that takes one; `flag` for one without, `optional` for a value that
            is only taken when it is attached.
        operands: roles of the operands, in order; the last may end in `*` or `+` and then repeats, one with `?` may be
            missing.
        when: other operands with some options.
        recursive: options with which the operands are folders and all below them.
        single_dash: whether long options have one dash (`find`), so that short ones are never combined.
        attached: whether short options are never combined, and hold their values (`-DNAME`, `-Ifolder`).
        stop: whether the first operand ends the options.
        harmless: whether the command touches no file, whatever its arguments.
        opaque: why the command cannot be seen through.
        strategy: name of the behaviour in code where the columns do not suffice.
        status: `success`, `likely` or `unknown`.
        output: `none` when nothing useful is printed, `data` otherwise.
        subcommands: rows by first operand.
    """

    summary: str = ""
    aliases: tuple[str, ...] = ()
    options: dict[str, str] = {}
    operands: tuple[str, ...] = ()
    when: tuple[When, ...] = ()
    recursive: tuple[str, ...] = ()
    single_dash: bool = False
    attached: bool = False
    stop: bool = False
    harmless: bool = False
    opaque: str = ""
    strategy: str = ""
    status: str = "likely"
    output: str = "data"
    subcommands: dict[str, Row] = {}


class Role(msgspec.Struct, frozen=True):
    """A parsed role: an operation on the path itself or on everything below it.

    Attributes:
        operation: None for a word that is no path.
        below: whether everything below the path is meant.
        many: whether it repeats.
        optional: whether it may be missing.
    """

    operation: Operation | None
    below: bool = False
    many: bool = False
    optional: bool = False


def parse_role(text: str) -> Role:
    """Read a role such as `read`, `below:overwrite`, `read*`, `value?`.

    Raises:
        CommandTableError: when it is none.
    """
    name = text.rstrip("*+?")
    marks = text[len(name) :]
    below = name.startswith("below:")
    plain = name.removeprefix("below:")
    if plain in _OPERATIONS:
        operation: Operation | None = Operation(plain)
    elif plain in _PLAIN_ROLES and not below:
        operation = None
    else:
        known = ", ".join(sorted(_OPERATIONS | _PLAIN_ROLES))
        raise CommandTableError(f"role {text!r} is unknown; use one of {known}, with `below:` in front for a folder")
    return Role(operation, below, "*" in marks or "+" in marks, "?" in marks or "*" in marks)


class CommandTable:
    """Rows by command name.

    Args:
        rows: by primary name: rows, or the lines of a table that has been checked elsewhere and is parsed on demand.
        aliases: other names of the commands that are not parsed yet.
        origin: name of the file for messages.
    """

    def __init__(
        self, rows: Mapping[str, Row | str], aliases: Mapping[str, str] | None = None, origin: str = ""
    ) -> None:
        self._rows: dict[str, Row | str] = dict(rows)
        self._aliases = dict(aliases or {})
        self._origin = origin
        for name, row in rows.items():
            if isinstance(row, Row):
                self._aliases.update(dict.fromkeys(row.aliases, name))

    def find(self, name: str) -> tuple[str, Row] | None:
        """The primary name and the row of a command, or None.

        Raises:
            CommandTableError: when the row is malformed and was not checked before.
        """
        primary = name if name in self._rows else self._aliases.get(name, "")
        row = self._rows.get(primary)
        if isinstance(row, str):
            row = _parse_rows(row, self._origin)[primary]
            self._rows[primary] = row
        return None if row is None else (primary, row)

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted({*self._rows, *self._aliases}))

    def extended(self, other: CommandTable) -> CommandTable:
        """A table in which the rows of another replace those of the same name."""
        names = other.names()
        rows = {name: found[1] for name in names if (found := other.find(name)) is not None and found[0] == name}
        kept: dict[str, Row | str] = {name: row for name, row in self._rows.items() if name not in names}
        aliases = {alias: name for alias, name in self._aliases.items() if alias not in names}
        return CommandTable({**kept, **rows}, aliases, self._origin)


def load_commands(text: str, origin: str) -> CommandTable:
    """Read and check a command table.

    Args:
        text: TOML, one table a command.
        origin: name of the file for messages.

    Raises:
        CommandTableError: when it is no TOML, or a row is malformed.
    """
    return CommandTable(_parse_rows(text, origin))


def _parse_rows(text: str, origin: str) -> dict[str, Row]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CommandTableError(f"{origin}: {error}") from error
    rows: dict[str, Row] = {}
    for name, content in data.items():
        try:
            row = msgspec.convert(content, Row)
            _check(row)
        except (msgspec.ValidationError, CommandTableError) as error:
            raise CommandTableError(f"{origin}: command {name!r}: {error}") from error
        rows[name] = row
    return rows


def _check(row: Row) -> None:
    for role in [*row.options.values(), *row.operands, *(one for when in row.when for one in when.operands)]:
        parse_role(role)
    if row.status not in ("success", "likely", "unknown", "failure"):
        raise CommandTableError(f"status {row.status!r} is unknown; use success, failure, likely or unknown")
    if row.output not in ("none", "data"):
        raise CommandTableError(f"output {row.output!r} is unknown; use none or data")
    for inner in row.subcommands.values():
        _check(inner)


_HEADER = re.compile(r"^\[([\w+.-]+)\][ \t]*$", re.MULTILINE)
_ALIASES = re.compile(r"^aliases = \[(.*)\]$", re.MULTILINE)


@lru_cache(maxsize=1)
def default_commands() -> CommandTable:
    """The table that is shipped with the rules. Only the rows that are looked up are parsed.

    Raises:
        CommandTableError: when the shipped table is damaged.
    """
    text = resources.files(_PACKAGE).joinpath(_FILE).read_text(encoding="utf-8")
    headers = [found for found in _HEADER.finditer(text) if "." not in found.group(1)]
    rows: dict[str, Row | str] = {}
    aliases: dict[str, str] = {}
    ends = [*(found.start() for found in headers[1:]), len(text)]
    for header, end in zip(headers, ends, strict=True):
        name = header.group(1)
        rows[name] = text[header.start() : end]
        own = text.find("[" + name + ".", header.end(), end)
        found = _ALIASES.search(text, header.end(), end if own == -1 else own)
        if found is not None:
            aliases.update({alias.strip().strip('"'): name for alias in found.group(1).split(",")})
    return CommandTable(rows, aliases, f"{_PACKAGE}/{_FILE}")


class Arguments(msgspec.Struct):
    """A command's words sorted into options and operands.

    Attributes:
        options: name and value (None for a flag) in the order given.
        operands: everything else.
        separated: how many operands stood before `--`, or None without it.
    """

    options: list[tuple[str, TextLike | None]] = msgspec.field(default_factory=list)
    operands: list[TextLike] = msgspec.field(default_factory=list)
    separated: int | None = None

    def has(self, *names: str) -> bool:
        """Whether one of the options is given."""
        return any(name in names for name, _ in self.options)

    def values(self, *names: str) -> list[TextLike]:
        """The values of some options."""
        return [value for name, value in self.options if name in names and value is not None]

    def last(self, *names: str) -> TextLike | None:
        """The last value of some options."""
        values = self.values(*names)
        return values[-1] if values else None


def parse_arguments(row: Row, words: Sequence[TextLike]) -> Arguments:
    """Sort words as GNU `getopt_long` does: combined short options, attached values, `--name=value`, `--`."""
    out = Arguments()
    queue = list(words)
    while queue:
        word = queue.pop(0)
        head = word if isinstance(word, str) else word.prefix
        if word == "--":
            out.separated = len(out.operands)
            out.operands += queue
            break
        if head in ("", "-") or not head.startswith("-"):
            if head == "-" and isinstance(word, Text):
                out.options.append(("-", word))
                continue
            out.operands.append(word)
            if row.stop:
                out.operands += queue
                break
        elif head.startswith("--") or row.single_dash or (row.attached and _stands_alone(row, head)):
            _long_option(row, word, head, queue, out)
        else:
            _short_options(row, word, queue, out)
    return out


def _stands_alone(row: Row, head: str) -> bool:
    """Whether a word is a whole option, not a short one with its value."""
    return head in row.options or row.options.get(head[:2], "flag") == "flag"


def _long_option(row: Row, word: TextLike, head: str, queue: list[TextLike], out: Arguments) -> None:
    name, equals, _ = head.partition("=")
    if equals:
        value = word[len(name) + 1 :] if isinstance(word, str) else make_text([head[len(name) + 1 :], *word.parts[1:]])
        out.options.append((name, value))
        return
    if isinstance(word, Text):
        out.options.append((head, word))
        return
    if name not in row.options and not row.single_dash and not row.attached:
        # An abbreviation counts when it is unambiguous.
        full = [option for option in row.options if option.startswith(name)]
        name = full[0] if len(full) == 1 else name
    takes = row.options.get(name, "flag") not in ("flag", "optional")
    out.options.append((name, queue.pop(0) if takes and queue else None))


def _short_options(row: Row, word: TextLike, queue: list[TextLike], out: Arguments) -> None:
    head = word if isinstance(word, str) else word.prefix
    rest = () if isinstance(word, str) else word.parts[1:]
    for index in range(1, len(head)):
        name = "-" + head[index]
        role = row.options.get(name, "flag")
        if role == "flag":
            out.options.append((name, None))
            continue
        attached = make_text([head[index + 1 :], *rest])
        if attached != "":
            out.options.append((name, attached))
        elif role == "optional" or not queue:
            out.options.append((name, None))
        else:
            out.options.append((name, queue.pop(0)))
        return
    if rest:
        out.options.append((head, make_text(rest)))


def operand_roles(row: Row, arguments: Arguments) -> list[tuple[TextLike, Role]]:
    """Pair operands with their roles.

    A repeating role takes what is left between the roles in front of it and those behind it.
    """
    specification = row.operands
    for when in row.when:
        if arguments.has(*when.options):
            specification = when.operands
            break
    roles = [parse_role(text) for text in specification]
    operands = arguments.operands
    repeat = next((index for index, role in enumerate(roles) if role.many), None)
    if repeat is None:
        return list(zip(operands, roles, strict=False))
    front, back = roles[:repeat], roles[repeat + 1 :]
    pairs = list(zip(operands, front, strict=False))
    rest = operands[len(front) :]
    tail = rest[len(rest) - len(back) :] if len(rest) >= len(back) else []
    middle = rest[: len(rest) - len(tail)]
    pairs += [(operand, roles[repeat]) for operand in middle]
    pairs += list(zip(tail, back, strict=False))
    return pairs
