"""Whether a task may start beside those that run: locks that exclude each other, the budget, the machine's capacity."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.runtime.run_items import Item, Tools
    from taskgates.runtime.run_model import RunOptions

_CAPACITY_INTERVAL = 0.5


class Admission:
    """Decides on starts; remembers what it found out about pairs of tasks and about the machine.

    Args:
        options: the limits.
        tools: where to say that nothing may start.
    """

    def __init__(self, options: RunOptions, tools: Tools) -> None:
        self._options = options
        self._tools = tools
        self._free_at = 0.0
        self._waiting_since: float | None = None
        self._exclusions: dict[tuple[str, str], bool] = {}

    def excludes(self, one: Item, other: Item) -> bool:
        """Whether the two cannot hold their locks at the same time."""
        pair = (one.id, other.id)
        if pair not in self._exclusions:
            self._exclusions[pair] = self._exclusions[pair[::-1]] = one.writes.excludes(other.writes)
        return self._exclusions[pair]

    def within_budget(self, item: Item, running: Sequence[Item]) -> bool:
        """Whether the difficulties of all that would run stay within the limit; one task alone always may."""
        total = sum(other.task.difficulty or 0 for other in (*running, item))
        return not running or total <= self._options.max_context_complexity

    def has_capacity(self, running: int) -> bool:
        """Whether the machine takes one more; it is measured at most every half second once it did not."""
        now = time.monotonic()
        if now < self._free_at:
            return False
        reason = self._tools.capacity(running)
        if reason is None:
            self._waiting_since = None
            return True
        self._free_at = now + _CAPACITY_INTERVAL
        if self._waiting_since is None:
            self._waiting_since = now
            self._tools.log.emit("capacity-exhausted", running=running, reason=reason)
        self._tools.board.notice = reason
        if running == 0 and now - self._waiting_since > self._options.lock_timeout:
            # The load is not ours and does not go away: one task at a time still makes progress.
            self._tools.log.emit("capacity-ignored", reason=reason)
            return True
        return False
