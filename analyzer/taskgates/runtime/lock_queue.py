"""Who has to wait for whom, told from the lock table alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from taskgates.runtime.lock_table import Exclusion, Lease

if TYPE_CHECKING:
    from taskgates.runtime.lock_table import LockHolder, LockTable


def numbered(lease: Lease, ticket: int, session: str) -> Lease:
    """The request with its place in the order of arrival."""
    return Lease(ticket, lease.task, session, lease.process, time.time(), lease.exclusive, lease.shared)


def excluding(lease: Lease, table: LockTable) -> list[tuple[Lease, LockHolder]]:
    """Leases in force, and requests that came earlier, which exclude the request."""
    earlier = (waiting for waiting in table.waiting if waiting.ticket < lease.ticket)
    exclusion = Exclusion(lease)
    found = []
    for other in (*table.granted, *earlier):
        holder = exclusion.conflict(other)
        if holder is not None:
            found.append((other, holder))
    return found


def waits_for_cycle(lease: Lease, table: LockTable) -> list[str]:
    """The tasks of a cycle in the waits-for graph through the request's owner, or nothing.

    Who waits for requests alone waits for earlier ones, so every cycle has a member that holds something, and the edge
    that closes it starts at one of those: others need not look.
    """
    if all(granted.owner != lease.owner for granted in table.granted):
        return []
    edges: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for waiting in (*table.waiting, lease):
        edges.setdefault(waiting.owner, set()).update(other.owner for other, _ in excluding(waiting, table))
    path: list[tuple[str, str]] = []
    seen: set[tuple[str, str]] = set()

    def reaches_start(node: tuple[str, str]) -> bool:
        path.append(node)
        for successor in sorted(edges.get(node, ())):
            if successor == lease.owner:
                return True
            if successor not in seen:
                seen.add(successor)
                if reaches_start(successor):
                    return True
        path.pop()
        return False

    if reaches_start(lease.owner):
        return [*(task for _, task in path), lease.task]
    return []
