"""What one task touches: its declared edits and the accesses inferred from its code, in one shape.

A footprint keeps apart *edits* (files that whoever does the task changes), *runtime* accesses (what the task's code
does when it runs) and, where a task has no code at all, what the manifest *declares*.
"""

from __future__ import annotations

from collections.abc import Iterable  # noqa: TC003 (msgspec resolves annotations at run time)
from enum import StrEnum

import msgspec

from taskgates.model.access import Access, AccessSet, Certainty, LockOrder, Operation, SharedAccess
from taskgates.model.patterns import PathPattern, escape
from taskgates.model.spans import Site, SourceSpan
from taskgates.model.task import DeclaredPath, Task  # noqa: TC001 (as above)


class Origin(StrEnum):
    """Where the knowledge of a touch comes from."""

    EDIT = "edit"
    RUNTIME = "runtime"
    DECLARED = "declared"


class Touch(msgspec.Struct, frozen=True, gc=False):
    """One path that a task touches, and the place that proves it.

    Attributes:
        path: normalised text of a `PathPattern`.
        operation: what is done.
        origin: edit, runtime or declared.
        span: the declaration, or the call in the code.
        conditional: whether an undecided condition stands before it.
        site: the place in the code with its call chain; None for what is declared.
        own: whether what is read is what the task itself has written before.
    """

    path: str
    operation: Operation
    origin: Origin
    span: SourceSpan
    conditional: bool = False
    site: Site | None = None
    own: bool = False


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the gates know about one task.

    Attributes:
        task_id: the task.
        span: where the task is defined.
        reads: reads and listings.
        writes: edits, and everything that changes files.
        imports: files of the repository that the task's code imports.
        shared_state: touches of module globals and other state that outlives a call.
        unknown: accesses whose path could not be told; they match nothing and are reported as such.
        complete: False when the analysis did not see everything.
        difficulty: as declared; None when missing.
        estimated_tokens: measured size of what the task must read, if it was measured.
        duration: expected or measured seconds, if known.
        lock_order: locks that the task's code takes while it holds others.
        own_process: whether the task has a command, so that it shares no memory with anybody.
    """

    task_id: str
    span: SourceSpan
    reads: tuple[Touch, ...] = ()
    writes: tuple[Touch, ...] = ()
    imports: tuple[str, ...] = ()
    shared_state: tuple[SharedAccess, ...] = ()
    unknown: tuple[Access, ...] = ()
    complete: bool = True
    difficulty: float | None = None
    estimated_tokens: int | None = None
    duration: float | None = None
    lock_order: tuple[LockOrder, ...] = ()
    own_process: bool = False

    @property
    def edits(self) -> tuple[Touch, ...]:
        """The writes that are edits of files by whoever does the task."""
        return tuple(touch for touch in self.writes if touch.origin is Origin.EDIT)


def footprint_of(task: Task, access: AccessSet | None) -> Footprint:
    """The footprint of a task.

    Args:
        task: the task as its manifest describes it.
        access: what its code does; None when it has no code, so that its declared inputs and outputs must be believed.

    Returns:
        Edits as writes; with `access`, its conflicting operations (existence tests, directory creation and files that
        are only locked, declared or not, are harmless); without it, the declared reads and writes.
    """
    locks = {each.path for each in (access.writes if access is not None else ()) if _only_locks(each)}
    writes = _declared((each for each in task.edits if each.path not in locks), Operation.UPDATE, Origin.EDIT)
    if access is None:
        reads = _declared(task.reads, Operation.READ, Origin.DECLARED)
        writes += _declared(task.writes, Operation.OVERWRITE, Origin.DECLARED)
        return Footprint(
            task_id=task.id,
            span=task.span,
            reads=tuple(reads),
            writes=tuple(writes),
            difficulty=task.difficulty,
        )
    writes += _inferred(access.writes, task.span)
    counted = [each for each in (*access.reads, *access.writes) if each.operation.conflicts]
    return Footprint(
        task_id=task.id,
        span=task.span,
        reads=tuple(_inferred(access.reads, task.span)),
        writes=tuple(writes),
        imports=access.imports,
        shared_state=(*access.shared_state, *access.constants),
        unknown=tuple(each for each in counted if each.path is None),
        complete=access.complete,
        difficulty=task.difficulty,
        lock_order=access.lock_order,
        own_process=task.command is not None,
    )


def _declared(paths: Iterable[DeclaredPath], operation: Operation, origin: Origin) -> list[Touch]:
    return [Touch(PathPattern(each.path).text, operation, origin, each.span) for each in paths]


_LOCKS = ("filelock.", "fasteners.")
"""Libraries whose files hold nothing: to take the same lock is what tasks are meant to do with it."""


def _only_locks(access: Access) -> bool:
    """Whether a file is opened for nothing but to be locked."""
    return bool(access.sites) and all(site.call.startswith(_LOCKS) or site.call == "flock" for site in access.sites)


def _inferred(accesses: Iterable[Access], fallback: SourceSpan) -> list[Touch]:
    touches: list[Touch] = []
    for access in accesses:
        if access.path is None or not access.operation.conflicts or _only_locks(access):
            continue
        # In an exact path nothing is a wildcard, whatever characters it has.
        pattern = PathPattern(escape(access.path) if access.certainty is Certainty.EXACT else access.path)
        if access.operation is Operation.LIST and pattern.is_literal:
            # Who lists a folder sees its entries come and go, but not what happens further down.
            pattern = PathPattern("*" if pattern.text == "." else f"{pattern.text}/*")
        site = access.sites[0] if access.sites else None
        touches.append(
            Touch(
                pattern.text,
                access.operation,
                Origin.RUNTIME,
                site.span if site is not None else fallback,
                access.conditional,
                site,
                access.own,
            )
        )
    return touches
