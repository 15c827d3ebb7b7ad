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
    """

    path: str | None
    certainty: Certainty
    conditional: bool
    operation: Operation
    sites: tuple[Site, ...] = ()


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
    """

    name: str
    kind: SharedKind
    access: str
    guards: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    concurrent: bool = False


class Opaque(msgspec.Struct, frozen=True):
    """Something that the analysis could not see through, and where."""

    reason: str
    sites: tuple[Site, ...] = ()


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
    """

    target: str = ""
    complete: bool = True
    reads: tuple[Access, ...] = ()
    writes: tuple[Access, ...] = ()
    shared_state: tuple[SharedAccess, ...] = ()
    opaque: tuple[Opaque, ...] = ()
    imports: tuple[str, ...] = ()
