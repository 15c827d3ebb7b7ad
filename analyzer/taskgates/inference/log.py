"""The log of effects: what was touched, where, and on which call chain; turned into an access set at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from taskgates.inference.paths import report_form
from taskgates.model.access import Access, AccessSet, Certainty, Opaque, Operation, SharedAccess, SharedKind
from taskgates.model.spans import CallFrame, Site

if TYPE_CHECKING:
    from taskgates.inference.text import TextLike

SITES_PER_ACCESS = 25
"""Sites kept for one access; `via` already tells how each is reached, and more only repeat the same loop."""


class Chain(msgspec.Struct, frozen=True):
    """One call on the way from the entry: made at identifier `pos` of `file`, within `function`."""

    parent: Chain | None
    file: str
    pos: int
    function: str


class RawSite(msgspec.Struct, frozen=True):
    """A site whose position is still an identifier ordinal (see `taskgates.syntax.positions`)."""

    file: str
    pos: int
    start: int
    function: str
    call: str
    chain: Chain | None = None
    line: int = 0
    column: int = 0


Locate = Callable[[RawSite], Site]


class _Entry:
    __slots__ = ("conditional", "guards", "sites", "threads")

    def __init__(self) -> None:
        self.sites: dict[tuple[str, int, int, int, str], RawSite] = {}
        self.conditional = True
        self.guards: frozenset[str] | None = None
        self.threads = False

    def add(self, site: RawSite, conditional: bool) -> None:
        self.conditional = self.conditional and conditional
        key = (site.file, site.pos, site.line, site.column, site.call)
        if len(self.sites) < SITES_PER_ACCESS:
            self.sites.setdefault(key, site)


class EffectLog:
    """Collects effects while the program is interpreted."""

    def __init__(self) -> None:
        self._accesses: dict[tuple[Operation, TextLike | None], _Entry] = {}
        self._shared: dict[tuple[str, SharedKind, str], _Entry] = {}
        self._opaque: dict[str, _Entry] = {}
        self.imports: dict[str, None] = {}
        self.size = 0
        self.modules: dict[str, None] = {}
        self.written: set[TextLike] = set()
        self.written_patterns: list[TextLike] = []
        self.removed: set[str] = set()
        self.folders: set[str] = set()

    def access(self, operation: Operation, path: TextLike | None, site: RawSite, conditional: bool) -> None:
        """Note one access; `path` absolute or relative to the root, None when unknown."""
        if (operation, path) not in self._accesses:
            self.size += 1
        self._accesses.setdefault((operation, path), _Entry()).add(site, conditional)

    @property
    def is_opaque(self) -> bool:
        """Whether something could not be seen through so far."""
        return bool(self._opaque)

    def opaque(self, reason: str, site: RawSite) -> None:
        """Note something that could not be seen through."""
        self._opaque.setdefault(reason, _Entry()).add(site, conditional=False)

    def shared(
        self, name: str, kind: SharedKind, access: str, site: RawSite, guards: frozenset[str], *, thread: bool
    ) -> None:
        """Note a touch of shared mutable state under the given locks."""
        entry = self._shared.setdefault((name, kind, access), _Entry())
        entry.add(site, conditional=False)
        entry.guards = guards if entry.guards is None else entry.guards & guards
        entry.threads = entry.threads or thread

    def access_set(self, target: str, root: str, locate: Locate, kept: Callable[[str], bool]) -> AccessSet:
        """Everything noted, in the vocabulary of the model and in a stable order.

        Args:
            target: what was analysed.
            root: absolute root; paths below it become relative.
            locate: turns a raw site into a site.
            kept: whether reads of the shared name with that key matter (constants never mutated do not).
        """
        merged: dict[tuple[str, str, Operation], tuple[str | None, _Entry]] = {}
        for (operation, text), entry in self._accesses.items():
            path, certainty = (None, "unknown") if text is None else report_form(text, root)
            key = (path or "", certainty, operation)
            if key in merged:
                known = merged[key][1]
                known.conditional = known.conditional and entry.conditional
                for site_key, site in entry.sites.items():
                    known.sites.setdefault(site_key, site)
            else:
                merged[key] = (path, entry)
        reads: list[Access] = []
        writes: list[Access] = []
        for (_, certainty, operation), (path, entry) in sorted(merged.items(), key=lambda item: _order(item[0])):
            access = Access(path, Certainty(certainty), entry.conditional, operation, _sites(entry, locate))
            (writes if operation.is_write else reads).append(access)
        shared = [
            SharedAccess(name, kind, access, tuple(sorted(entry.guards or ())), _sites(entry, locate), entry.threads)
            for (name, kind, access), entry in sorted(self._shared.items(), key=lambda item: tuple(map(str, item[0])))
            if access == "write" or (name, kind, "write") in self._shared or kept(name)
        ]
        opaque = [Opaque(reason, _sites(entry, locate)) for reason, entry in sorted(self._opaque.items())]
        complete = not opaque and all(access.path is not None for access in (*reads, *writes))
        return AccessSet(
            target, complete, tuple(reads), tuple(writes), tuple(shared), tuple(opaque), tuple(sorted(self.imports))
        )


def _order(key: tuple[str, str, Operation]) -> tuple[bool, str, str]:
    path, certainty, operation = key
    return certainty == "unknown", path, operation.value


def _sites(entry: _Entry, locate: Locate) -> tuple[Site, ...]:
    return tuple(sorted({locate(site) for site in entry.sites.values()}))


def call_frames(chain: Chain | None, line_of: Callable[[str, int], int]) -> tuple[CallFrame, ...]:
    """A chain as frames, outermost first."""
    frames: list[CallFrame] = []
    while chain is not None:
        frames.append(CallFrame(chain.file, line_of(chain.file, chain.pos), chain.function))
        chain = chain.parent
    return tuple(reversed(frames))
