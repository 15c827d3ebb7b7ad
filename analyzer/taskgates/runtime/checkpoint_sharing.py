"""One checkpoint for several tasks that start one after another (`checkpoint_frequency`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from taskgates.runtime.checkpoints import Checkpoint, CheckpointStore
    from taskgates.runtime.run_items import Item
    from taskgates.runtime.write_sets import WriteSet


class CheckpointSharing:
    """Makes the checkpoints of a run.

    Args:
        checkpoints: where they are kept.
        frequency: tasks that share one; 0 for none.
    """

    def __init__(self, checkpoints: CheckpointStore, frequency: int) -> None:
        self._checkpoints = checkpoints
        self._frequency = frequency
        self._present: Checkpoint | None = None
        self._members: set[str] = set()
        self._touched: list[WriteSet] = []

    def checkpoint_for(self, item: Item, items: Collection[Item], running: Collection[Item]) -> str:
        """Record what a task may write, or use the checkpoint that it shares with tasks before it.

        Args:
            item: the task that is about to start.
            items: all tasks of the run.
            running: those that run already.

        Returns:
            The checkpoint's id; "" without checkpoints.

        Raises:
            CheckpointError: as `CheckpointStore.create` does.
        """
        if self._frequency == 0:
            return ""
        if self._present is not None and item.id in self._members and not self._is_outdated(item, self._present):
            self._members.discard(item.id)
            self._touched.append(item.writes)
            return self._present.id
        group = [item]
        if self._frequency > 1:
            group += [other for other in items if other.is_open and other is not item][: self._frequency - 1]
        paths = [path for member in group for path in member.writes.recorded]
        self._present = self._checkpoints.create(paths, label=",".join(member.id for member in group))
        self._members = {member.id for member in group[1:]}
        # What a running task is writing at this moment has not been recorded in a state to go back to.
        self._touched = [item.writes, *(other.writes for other in running)]
        return self._present.id

    def _is_outdated(self, item: Item, checkpoint: Checkpoint) -> bool:
        """Whether the task's files may have changed since; they were recorded before it had locked them."""
        return any(item.writes.overlaps(other) for other in self._touched) or bool(
            self._checkpoints.differences(checkpoint, only=item.writes.recorded)
        )
