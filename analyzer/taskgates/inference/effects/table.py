"""Looking up what a library name does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from taskgates.inference.effects.errors import EffectProblem, EffectTableError
from taskgates.inference.effects.model import Kind, Returns, Row, Unlisted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class UnparsedRow(Protocol):
    """A row that has not been parsed yet."""

    @property
    def file(self) -> str:
        """The table's file."""

    @property
    def line(self) -> int:
        """The row's line in it."""

    @property
    def text(self) -> str:
        """The row's lines."""

    def parse(self) -> Row:
        """Parse the row."""


_EFFECT_WORDS = tuple(
    f"\n{word}"
    for word in (
        "read", "overwrite", "append", "create", "update", "delete", "rename", "mkdir", "list", "open", "launch",
        "executes", "process",
    )
)  # fmt: skip

_TYPE = '\nkind = "type"'


class EffectTable:
    """All rows, by qualified name; a row is parsed when it is first asked for.

    Args:
        rows: the unparsed rows.
        parsed: rows that have been parsed already.
        user_digest: see the attribute.

    Attributes:
        user_digest: what changes when the user's own rows do; empty where there are none.
    """

    def __init__(
        self, rows: Mapping[str, UnparsedRow], parsed: Mapping[str, Row] | None = None, user_digest: str = ""
    ) -> None:
        self.user_digest = user_digest
        self._unparsed = rows
        self._rows: dict[str, Row] = dict(parsed or {})
        self._canonical: dict[str, str] = {}
        self._linear: dict[str, tuple[Row, ...]] = {}
        self._prefixes: frozenset[str] | None = None
        self._names: dict[str, list[str]] | None = None
        self._effect_methods: dict[str, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self._unparsed)

    def __iter__(self) -> Iterator[str]:
        """The qualified names of all rows, aliases included, in order of loading."""
        return iter(self._unparsed)

    def rows(self) -> Iterator[Row]:
        """Every row, parsed, aliases included."""
        return (self._row(name) for name in self._unparsed)

    def canonical(self, qualname: str) -> str:
        """The name under which a thing is listed: aliases of names and of their prefixes followed.

        An alias `library.*` covers every name directly inside that has no row of its own.

        Raises:
            EffectTableError: when aliases lead in a circle.
        """
        known = self._canonical.get(qualname)
        if known is None:
            known = self._canonical[qualname] = self._follow(qualname)
        return known

    def lookup(self, qualname: str) -> Row | None:
        """The row of a name: a function, a type (its constructor), a module, a value, or `Type.method`.

        Aliases are followed, and a method is looked for in the type's bases too, also that of a module's value
        (`logging.root.addHandler`). None when there is no row.
        """
        name = self.canonical(qualname)
        if name in self._unparsed:
            return self._row(name)
        owner, _, attribute = name.rpartition(".")
        return self.method(self._type_of(owner), attribute) if owner else None

    def type(self, qualname: str) -> Row | None:
        """The row of a type; None when the name is not a type's."""
        name = self.canonical(qualname)
        if name not in self._unparsed:
            return None
        row = self._row(name)
        return row if row.kind is Kind.TYPE else None

    def linearisation(self, qualname: str) -> tuple[Row, ...]:
        """A type's row and those of its bases, nearest first, each once; empty when the name is not a type's."""
        known = self._linear.get(qualname)
        if known is None:
            out: dict[str, Row] = {}
            pending = [qualname]
            while pending:
                row = self.type(pending.pop(0))
                if row is not None and row.name not in out:
                    out[row.name] = row
                    pending.extend(row.bases)
            known = self._linear[qualname] = tuple(out.values())
        return known

    def method(self, qualname: str, name: str) -> Row | None:
        """The row of a type's method, its own or inherited; None when it is not listed."""
        for owner in self.linearisation(qualname):
            method = self.canonical(f"{owner.name}.{name}")
            if method in self._unparsed:
                return self._row(method)
        return None

    def attribute(self, qualname: str, name: str) -> Returns | None:
        """The value of a type's attribute, its own or inherited; None when it is not listed."""
        for owner in self.linearisation(qualname):
            value = owner.attributes.get(name)
            if value is not None:
                return value
        return None

    def is_subtype(self, qualname: str, base: str) -> bool:
        """Whether a type is another one or has it among its bases."""
        wanted = self.canonical(base)
        return any(row.name == wanted for row in self.linearisation(qualname))

    def knows_module(self, name: str) -> bool:
        """Whether something is known about a module or about anything inside it."""
        prefixes = self._known_prefixes()
        return name in prefixes or self.canonical(name) in prefixes or self._module(name) is not None

    def is_module(self, name: str) -> bool:
        """Whether a module has a row of its own."""
        canonical = self.canonical(name)
        return canonical in self._unparsed and self._row(canonical).kind is Kind.MODULE

    def has_effect(self, qualname: str) -> bool:
        """Whether the row of a name speaks of an effect.

        Only the unparsed text is looked at, so that asking costs little.
        """
        unparsed = self._unparsed.get(self.canonical(qualname))
        return unparsed is not None and any(word in unparsed.text for word in _EFFECT_WORDS)

    def effect_methods(self, top: str) -> frozenset[str]:
        """The names of the methods of a top-level module's types whose rows speak of an effect."""
        known = self._effect_methods.get(top)
        if known is None:
            texts = {name: self._unparsed[name].text for name in self._names_below(top)}
            types = {name for name, text in texts.items() if _TYPE in text}
            found: set[str] = set()
            for name, text in texts.items():
                owner, _, method = name.rpartition(".")
                if owner in types and owner != "os._Environ" and any(word in text for word in _EFFECT_WORDS):
                    found.add(method)
            known = self._effect_methods[top] = frozenset(found)
        return known

    def unlisted(self, qualname: str) -> Unlisted:
        """What is assumed of a name without a row: what its nearest listed owner says, else opaque."""
        owner = self.canonical(qualname)
        while "." in owner:
            owner = owner.rpartition(".")[0]
            for row in self.linearisation(self._type_of(owner)):
                if row.unlisted is not None:
                    return row.unlisted
            listed = self._row(owner) if owner in self._unparsed else None
            if listed is not None and listed.kind is Kind.MODULE and listed.unlisted is not None:
                return listed.unlisted
        return Unlisted()

    def _type_of(self, name: str) -> str:
        """The type of a module's value; the name itself when it is none."""
        row = self._row(name) if name in self._unparsed else None
        return row.returns.name if row is not None and row.kind is Kind.VALUE and row.returns is not None else name

    def _module(self, name: str) -> Row | None:
        owner = self.canonical(name)
        while owner:
            if owner in self._unparsed and self._row(owner).kind is Kind.MODULE:
                return self._row(owner)
            owner = owner.rpartition(".")[0]
        return None

    def _names_below(self, top: str) -> list[str]:
        """The names of a top-level module's rows."""
        if self._names is None:
            self._names = {}
            for name in self._unparsed:
                self._names.setdefault(name.partition(".")[0], []).append(name)
        return self._names.get(top, [])

    def _known_prefixes(self) -> frozenset[str]:
        if self._prefixes is None:
            self._prefixes = _prefixes(self._unparsed)
        return self._prefixes

    def _row(self, name: str) -> Row:
        row = self._rows.get(name)
        if row is None:
            row = self._rows[name] = self._unparsed[name].parse()
        return row

    def _follow(self, qualname: str) -> str:
        seen = {qualname}
        name = qualname
        while True:
            following = self._step(name)
            if following is None:
                return name
            if following in seen:
                at = self._unparsed.get(qualname)
                file, line = (at.file, at.line) if at else ("", 1)
                raise EffectTableError([EffectProblem(file, line, f"[{qualname}] the aliases lead in a circle")])
            seen.add(following)
            name = following

    def _step(self, name: str) -> str | None:
        """The name with its longest aliased prefix replaced; None when no prefix is an alias."""
        prefix = name
        while prefix:
            owner = prefix.rpartition(".")[0]
            at = prefix
            unparsed = self._unparsed.get(prefix)
            if unparsed is None and owner and prefix not in self._known_prefixes():
                at = f"{owner}.*"
                unparsed = self._unparsed.get(at)
            if unparsed is not None:
                # Parsing every owner of every name would undo the laziness; the word is in the text of an alias.
                if "alias" in unparsed.text and (alias := self._row(at).alias):
                    return alias + name[len(prefix) :]
                if prefix == name:
                    return None
            prefix = owner
        return None


def _prefixes(names: Iterable[str]) -> frozenset[str]:
    """Dotted names, and all names of what they lie in."""
    out: set[str] = set()
    for name in names:
        prefix = name
        # What a name lies in came in together with it.
        while prefix and prefix not in out:
            out.add(prefix)
            prefix = prefix.rpartition(".")[0]
    return frozenset(out)
