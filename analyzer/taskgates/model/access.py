"""What a piece of code does to files and to shared state."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from taskgates.model.spans import Site


class Operation(StrEnum):
    """What is done to a path."""

    READ = "read"
    LIST = "list"
    STAT = "stat"
    CREATE = "create"
    OVERWRITE = "overwrite"
    APPEND = "append"
    UPDATE = "update"
    DELETE = "delete"
    RENAME = "rename"
    MKDIR = "mkdir"

    @property
    def is_write(self) -> bool:
        """Whether the operation changes the file system (directory creation included)."""
        return self not in _READS

    @property
    def conflicts(self) -> bool:
        """Whether conflict gates count the operation: existence tests and directory creation are harmless."""
        return self not in (Operation.STAT, Operation.MKDIR)


_READS = frozenset({Operation.READ, Operation.LIST, Operation.STAT})


class Certainty(StrEnum):
    """How well a path is known."""

    EXACT = "exact"
    PATTERN = "pattern"
    UNKNOWN = "unknown"


class Access(msgspec.Struct, frozen=True):
    """One path (or pattern of paths), one operation, and every place where it happens.

    Attributes:
        path: relative to the root with forward slashes, `*` and `**` as wildcards; absolute or `~...` outside the root;
            None when nothing is known about it.
        certainty: `exact`, `pattern`, or `unknown` (exactly when `path` is None).
        conditional: whether some undecided condition stands before every site.
        operation: what is done.
        sites: at least one place, in source order.
        own: for reads, whether the program has always written the file anew before, so that it reads its own text.
    """

    path: str | None
    certainty: Certainty
    conditional: bool
    operation: Operation
    sites: tuple[Site, ...] = ()
    own: bool = False


class SharedKind(StrEnum):
    """Where shared mutable state lives."""

    MODULE_GLOBAL = "module-global"
    CLASS_ATTRIBUTE = "class-attribute"
    CLOSURE = "closure"
    DEFAULT_ARGUMENT = "default-argument"
    PROCESS = "process"


class SharedAccess(msgspec.Struct, frozen=True):
    """A touch of mutable state that outlives one call.

    Attributes:
        name: dotted name (`pkg.jobs.CACHE`), or the kind of process state (`os.environ`, `working-directory`).
        kind: where the state lives.
        access: `read` or `write`.
        guards: names of the locks held at every site.
        sites: at least one place.
        concurrent: whether some site runs in a thread that the same program started.
        local: whether the state belongs to one call of a function, so that only workers started there share it.
        racing: whether threads of the program itself may touch the state at the same time, one of them changing it,
            with no lock in common.
    """

    name: str
    kind: SharedKind
    access: str
    guards: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    concurrent: bool = False
    local: bool = False
    racing: bool = False


class Opaque(msgspec.Struct, frozen=True):
    """Something that the analysis could not see through, and where."""

    reason: str
    sites: tuple[Site, ...] = ()


class LockOrder(msgspec.Struct, frozen=True):
    """A lock that the code waits for while it holds others.

    Attributes:
        lock: name of the lock: the dotted name of the variable that holds it (`pkg.jobs.LOCK`), `file:` and the path of
            one that lives in a file (`file:data/index.lock`), or the function that made it (`pkg.jobs.run.<lock>`).
        held: names of the locks held at that moment, at least one, sorted.
        worker: the function that runs in a thread or process of its own and takes the lock; empty in the main program.
        several: whether that function runs in several threads or processes at a time.
        sites: where the lock is taken; at least one place.
    """

    lock: str
    held: tuple[str, ...]
    worker: str = ""
    several: bool = False
    sites: tuple[Site, ...] = ()


LOCK_FILE_PREFIX = "file:"
"""How the names of locks begin that live in a file, and so are the same for every process."""


class AccessSet(msgspec.Struct, frozen=True):
    """Everything that one entry (a command, a task's source) does.

    Attributes:
        target: the command line or source that was analysed.
        reads: reads, listings and existence tests.
        writes: everything that changes the file system.
        shared_state: module globals, class attributes, closures, mutable defaults, process-wide state.
        opaque: what was not understood.
        imports: files of the repository that the code imports, relative to the root.
        complete: False when a path is unknown or anything was opaque.
        lock_order: locks taken while others are held.
        constants: shared state that is read, and that the code that was loaded never changes; another task may.
        file_locks: locks in files that are taken, each with nothing as `held`, whatever else is held.
    """

    target: str = ""
    complete: bool = True
    reads: tuple[Access, ...] = ()
    writes: tuple[Access, ...] = ()
    shared_state: tuple[SharedAccess, ...] = ()
    opaque: tuple[Opaque, ...] = ()
    imports: tuple[str, ...] = ()
    lock_order: tuple[LockOrder, ...] = ()
    constants: tuple[SharedAccess, ...] = ()
    file_locks: tuple[LockOrder, ...] = ()
