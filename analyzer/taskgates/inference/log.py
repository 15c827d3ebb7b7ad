"""The log of effects: what was touched, where, and on which call chain; turned into an access set at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from taskgates.inference.paths import report_form
from taskgates.model.access import Access, AccessSet, Certainty, LockOrder, Opaque, Operation, SharedAccess, SharedKind
from taskgates.model.spans import CallFrame, Site

if TYPE_CHECKING:
    from taskgates.inference.archived import MadeArchive
    from taskgates.inference.text import TextLike
    from taskgates.syntax import ir

SITES_PER_ACCESS = 25
"""Sites kept for one access; `via` already tells how each is reached, and more only repeat the same loop."""


class Chain(msgspec.Struct, frozen=True):
    """One call on the way from the entry: made at identifier `pos` of `file`, within `function`."""

    parent: Chain | None
    file: str
    pos: int
    function: str


COMMAND_FILE = "<command>"
"""The file of places that a command line itself holds."""


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
_RENEWING = frozenset({Operation.CREATE, Operation.OVERWRITE, Operation.RENAME})
"""What leaves nothing of a file's former content."""


class _Entry:
    __slots__ = ("conditional", "foreign", "guards", "sites", "threads")

    def __init__(self) -> None:
        self.sites: dict[tuple[str, int, int, int, str], RawSite] = {}
        self.conditional = True
        self.foreign = False
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
        # What belongs to one call: whether several workers have it.
        self.local_state: dict[str, bool] = {}
        self.racing: set[str] = set()
        # State that changes while modules are imported, where it is no hazard.
        self.set_up: set[str] = set()
        self._lock_order: dict[tuple[str, frozenset[str], str], _Entry] = {}
        self._file_locks: dict[str, _Entry] = {}
        self._started: dict[str, int] = {}
        self._several: set[str] = set()
        self._opaque: dict[str, _Entry] = {}
        self.ran_other_code = False
        self.gaps = 0
        self.imports: dict[str, None] = {}
        self.size = 0
        self.modules: dict[str, None] = {}
        self.written: set[TextLike] = set()
        self.renewed: set[TextLike | None] = set()
        self.written_patterns: dict[TextLike, None] = {}
        self.removed: set[str] = set()
        self.folders: set[str] = set()
        self.filled: set[str] = set()
        self.archives: dict[str, MadeArchive] = {}
        # Copies of files of the tree: for the absolute path of each the root-relative path of the file.
        self.copies: dict[str, str] = {}
        self.stops: list[ir.Stmt] = []

    def again(self) -> EffectLog:
        """The log of another look at the program: what could not be seen before is still said."""
        log = EffectLog()
        log._opaque = dict(self._opaque)
        return log

    def access(self, operation: Operation, path: TextLike | None, site: RawSite, conditional: bool) -> None:
        """Note one access; `path` absolute or relative to the root, None when unknown."""
        if (operation, path) not in self._accesses:
            self.size += 1
        entry = self._accesses.setdefault((operation, path), _Entry())
        entry.add(site, conditional)
        if operation is Operation.READ:
            entry.foreign = entry.foreign or path not in self.renewed
        elif operation in _RENEWING and not conditional and isinstance(path, str):
            self.renewed.add(path)

    def write(self, path: TextLike) -> None:
        """Remember that a file has been written, and the folders that it lies in."""
        if isinstance(path, str):
            self.written.add(path)
            self.removed.discard(path)
            self.copies.pop(path, None)
        else:
            self.written_patterns[path] = None
        folder = (path if isinstance(path, str) else path.prefix).rpartition("/")[0]
        while folder and folder not in self.filled:
            self.filled.add(folder)
            folder = folder.rpartition("/")[0]

    def remove_folder(self, path: str) -> None:
        """Remember that a folder is gone."""
        self.folders.discard(path)
        self.filled = {folder for folder in self.filled if folder != path and not folder.startswith(path + "/")}

    def writers(self, path: TextLike) -> frozenset[str]:
        """The calls that write a path, by name."""
        found = (self._accesses.get((operation, path)) for operation in Operation if operation.is_write)
        return frozenset(site.call for entry in found if entry is not None for site in entry.sites.values())

    def opaque(self, reason: str, site: RawSite, *, other_code: bool = False) -> None:
        """Note something that could not be seen through.

        Args:
            reason: why.
            site: where.
            other_code: whether code that is not known ran there, which may have made any file.
        """
        self.ran_other_code = self.ran_other_code or other_code
        self.gaps += 1
        self._opaque.setdefault(reason, _Entry()).add(site, conditional=False)

    def shared(
        self, name: str, kind: SharedKind, access: str, site: RawSite, guards: frozenset[str], *, thread: bool
    ) -> None:
        """Note a touch of shared mutable state under the given locks."""
        entry = self._shared.setdefault((name, kind, access), _Entry())
        entry.add(site, conditional=False)
        entry.guards = guards if entry.guards is None else entry.guards & guards
        entry.threads = entry.threads or thread

    def take_over(self, other: EffectLog, chain: Chain | None, *, conditional: bool) -> None:
        """Add what another log holds, as seen by a program that came to it by a chain of imports."""
        for (operation, path), entry in other._accesses.items():
            for site in entry.sites.values():
                self.access(operation, path, _behind(site, chain), entry.conditional or conditional)
            if operation is Operation.READ:
                self._accesses[operation, path].foreign |= entry.foreign
        for (name, kind, access), entry in other._shared.items():
            for site in entry.sites.values():
                self.shared(name, kind, access, _behind(site, chain), entry.guards or frozenset(), thread=entry.threads)
        for reason, entry in other._opaque.items():
            for site in entry.sites.values():
                self.opaque(reason, _behind(site, chain))
        for key, entry in other._lock_order.items():
            known = self._lock_order.setdefault(key, _Entry())
            for site in entry.sites.values():
                known.add(_behind(site, chain), conditional=False)
        for lock, entry in other._file_locks.items():
            for site in entry.sites.values():
                self.file_lock(lock, _behind(site, chain))
        self._started = {**other._started, **self._started}
        self._several |= other._several
        self.racing |= other.racing
        self.set_up |= other.set_up
        self.imports.update(other.imports)
        self.modules.update(other.modules)
        self.written |= other.written
        self.written_patterns |= other.written_patterns
        self.filled |= other.filled
        self.removed |= other.removed
        self.folders |= other.folders

    def lock_order(
        self, lock: str, held: frozenset[str], site: RawSite, worker: str, serial: int, *, several: bool
    ) -> None:
        """Note that a lock is waited for while others are held.

        Args:
            lock: its name.
            held: the others.
            site: the place.
            worker: the function that runs in a thread or process of its own; empty in the main program.
            serial: the number of its start; 0 where it was not started just now.
            several: whether many of them run at a time.
        """
        entry = self._lock_order.setdefault((lock, held, worker), _Entry())
        entry.add(site, conditional=False)
        if serial and (several or self._started.setdefault(worker, serial) != serial):
            self._several.add(worker)

    def file_lock(self, lock: str, site: RawSite) -> None:
        """Note that a lock is taken that lives in a file."""
        self._file_locks.setdefault(lock, _Entry()).add(site, conditional=False)

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
                known.foreign = known.foreign or entry.foreign
                for site_key, site in entry.sites.items():
                    known.sites.setdefault(site_key, site)
            else:
                merged[key] = (path, entry)
        reads: list[Access] = []
        writes: list[Access] = []
        for (_, certainty, operation), (path, entry) in sorted(merged.items(), key=lambda item: _order(item[0])):
            own = operation is Operation.READ and not entry.foreign
            access = Access(path, Certainty(certainty), entry.conditional, operation, _sites(entry, locate), own)
            (writes if operation.is_write else reads).append(access)
        every = [
            SharedAccess(
                name,
                kind,
                access,
                tuple(sorted(entry.guards or ())),
                _sites(entry, locate),
                entry.threads,
                name in self.local_state,
                name in self.racing,
            )
            for (name, kind, access), entry in sorted(self._shared.items(), key=lambda item: tuple(map(str, item[0])))
        ]
        shared: list[SharedAccess] = []
        constants: list[SharedAccess] = []
        for touch in every:
            if touch.local and not touch.racing and not self.local_state[touch.name]:
                continue
            if touch.access == "write" or (touch.name, touch.kind, "write") in self._shared or kept(touch.name):
                shared.append(touch)
            elif touch.kind is not SharedKind.PROCESS and not touch.local and not touch.name.startswith("__main__."):
                constants.append(touch)
        opaque = [Opaque(reason, _sites(entry, locate)) for reason, entry in sorted(self._opaque.items())]
        complete = not opaque and all(access.path is not None for access in (*reads, *writes))
        order = [
            LockOrder(lock, tuple(sorted(held)), worker, worker in self._several, _sites(entry, locate))
            for (lock, held, worker), entry in sorted(
                self._lock_order.items(), key=lambda item: (item[0][0], sorted(item[0][1]), item[0][2])
            )
        ]
        return AccessSet(
            target,
            complete,
            tuple(reads),
            tuple(writes),
            tuple(shared),
            tuple(opaque),
            tuple(sorted(self.imports)),
            tuple(order),
            tuple(constants),
            tuple(LockOrder(lock, (), sites=_sites(each, locate)) for lock, each in sorted(self._file_locks.items())),
        )


def _behind(site: RawSite, chain: Chain | None) -> RawSite:
    """A site with another chain in front of its own."""
    frames: list[Chain] = []
    current = site.chain
    while current is not None:
        frames.append(current)
        current = current.parent
    for frame in reversed(frames):
        chain = Chain(chain, frame.file, frame.pos, frame.function)
    return msgspec.structs.replace(site, chain=chain)


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
