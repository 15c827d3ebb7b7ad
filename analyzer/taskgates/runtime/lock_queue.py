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
    """Leases in force, and requests that came earlier, which exclude the request.

    An earlier request that waits for what this one's session retains cannot be granted before the session is done with
    all its tasks: it gives way, or both would wait for each other.
    """
    kept = [granted for granted in table.granted if granted.retained and granted.session == lease.session]
    earlier = (
        waiting
        for waiting in table.waiting
        if waiting.ticket < lease.ticket and not any(Exclusion(waiting).conflict(granted) for granted in kept)
    )
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
    that closes it starts at one of those: others need not look. What a session retains is given back when all that it
    asked for has been granted and done: it waits for each of the session's requests.
    """
    if all(granted.owner != lease.owner and not _keeps(granted, lease) for granted in table.granted):
        return []
    edges: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for waiting in (*table.waiting, lease):
        edges.setdefault(waiting.owner, set()).update(other.owner for other, _ in excluding(waiting, table))
        edges.setdefault((waiting.session, ""), set()).add(waiting.owner)
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
        return [*(task for _, task in path if task), lease.task]
    return []


def _keeps(granted: Lease, lease: Lease) -> bool:
    """Whether a lease is held until a request of the same session has been granted and done."""
    return granted.retained and granted.session == lease.session
