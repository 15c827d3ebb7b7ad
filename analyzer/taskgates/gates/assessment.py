"""What the gates found about one group of tasks, as typed values."""

from __future__ import annotations

import msgspec

from taskgates.gates.budget import BudgetAssessment
from taskgates.gates.capacity import CapacityDecision
from taskgates.gates.conflicts import Conflict, Weight
from taskgates.gates.cycles import Cycle, Edge
from taskgates.gates.lock_order import LockInversion
from taskgates.gates.partition import PartitionAdvice
from taskgates.gates.relations import UnknownReference
from taskgates.gates.shared_state import Hazard, SharedConflict


class LockIssue(msgspec.Struct, frozen=True):
    """A file that a task needs is locked by somebody else.

    Attributes:
        task_id: the task of the group.
        file: the file or pattern.
        holder: who holds the lock, for people.
        mode: how it is held, `exclusive` or `shared`.
    """

    task_id: str
    file: str
    holder: str = ""
    mode: str = "exclusive"


class OrderWithin(msgspec.Struct, frozen=True):
    """Two members of a group that cannot start together.

    Attributes:
        task_id: the task that waits, or that is a part.
        other: the task that it waits for, or of which it is a part.
        kind: `dependency` or `parent`.
    """

    task_id: str
    other: str
    kind: str


class GroupAssessment(msgspec.Struct, frozen=True):
    """The answers of all gates for one group.

    Attributes:
        ids: the group, in natural order.
        conflicts: files at which members meet.
        read_only_pairs_left_out: pairs that only read the same file, when they are too many to name; else 0.
        partition: whom to move out.
        order_within: members that depend on, or are parts of, others, without what follows from these.
        unknown_dependencies: dependencies of members on tasks that do not exist.
        cycles: circular chains through members.
        possible_cycles: those that rest on data flow through a pattern or under a condition; they do not refuse.
        lock_issues: locks that others hold.
        capacity: whether the machine takes the group.
        budget: whether the context budget does.
        shared: shared mutable state.
        hazards: shared things with a dangerous role.
        incomplete: members whose code the analysis did not see through.
        batches: ordered batches in which a refused group could run instead; empty where there are none.
        cycle_cuts: where to cut so that no cycle is left.
        fewest_cuts_proven: whether fewer cuts would not do.
        lock_inversions: locks that members take in opposite orders, so that they may deadlock; they do not refuse.
    """

    ids: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    read_only_pairs_left_out: int
    partition: PartitionAdvice
    order_within: tuple[OrderWithin, ...]
    unknown_dependencies: tuple[UnknownReference, ...]
    cycles: tuple[Cycle, ...]
    possible_cycles: tuple[Cycle, ...]
    lock_issues: tuple[LockIssue, ...]
    capacity: CapacityDecision
    budget: BudgetAssessment
    shared: tuple[SharedConflict, ...]
    hazards: tuple[Hazard, ...]
    incomplete: tuple[str, ...]
    batches: tuple[tuple[str, ...], ...] = ()
    cycle_cuts: tuple[Edge, ...] = ()
    fewest_cuts_proven: bool = True
    lock_inversions: tuple[LockInversion, ...] = ()

    @property
    def can_parallel(self) -> bool:
        """Whether nothing found refuses the group; warnings alone do not."""
        return (
            not any(conflict.weight is Weight.BLOCKING for conflict in self.conflicts)
            and not any(shared.weight is Weight.BLOCKING for shared in self.shared)
            and not self.order_within
            and not self.unknown_dependencies
            and not self.cycles
            and not self.lock_issues
            and self.capacity.allowed
            and self.budget.within_budget
        )
