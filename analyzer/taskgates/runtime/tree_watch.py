"""Finding what tasks changed without having announced it, while several of them run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from taskgates.runtime.events import TaskState
from taskgates.runtime.path_overlap import PathSet
from taskgates.runtime.run_model import UndeclaredWrite
from taskgates.runtime.tree_scan import scan_tree, tree_change, with_part_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from taskgates.runtime.checkpoints import Checkpoint
    from taskgates.runtime.run_items import Item, Tools


class TreeWatch:
    """Scans of the tree between the moments at which tasks start and end.

    Args:
        tools: what the run works with.
        items: all tasks of the run.
        snapshot: checkpoint of the whole tree from which unannounced changes are undone; None leaves them.

    Attributes:
        undeclared: changes outside the write sets, in the order found.
    """

    def __init__(self, tools: Tools, items: Collection[Item], snapshot: Checkpoint | None) -> None:
        self._tools = tools
        self._items = items
        self._snapshot = snapshot
        self._tree = scan_tree(tools.root)
        self._elsewhere = tools.locks.writes_of_others()
        self.undeclared: list[UndeclaredWrite] = []

    def look(self, running: Sequence[Item], suspects: Sequence[Item] = ()) -> list[UndeclaredWrite]:
        """Changes since the last look that no running task has announced, and no other process holds the locks for.

        Args:
            running: the tasks that ran since then.
            suspects: who else may have done it.

        Returns:
            Each change, after it was undone where there is a snapshot.
        """
        before, self._tree = self._tree, scan_tree(self._tools.root)
        elsewhere, self._elsewhere = self._elsewhere, self._tools.locks.writes_of_others()
        announced = [path for item in running for path in item.writes.recorded]
        change = tree_change(before, self._tree).outside({*announced, *elsewhere, *self._elsewhere})
        if not change.paths:
            return []
        names = tuple(item.id for item in (*running, *suspects))
        found = [
            UndeclaredWrite(path, kind, names, owners=self._owners(path, names))
            for kind, paths in (("created", change.created), ("changed", change.changed), ("deleted", change.deleted))
            for path in paths
        ]
        if self._snapshot is not None:
            found = self._undone(found, self._snapshot)
            self.refresh()
        for write in found:
            self._tools.log.emit("undeclared-write", rule="TG701", **msgspec.to_builtins(write))
        self.undeclared.extend(found)
        return found

    def refresh(self, paths: Iterable[str] | None = None) -> None:
        """Take what is there now for granted.

        Args:
            paths: canonical paths and patterns to which that is limited; None for all.
        """
        now = scan_tree(self._tools.root)
        self._tree = now if paths is None else with_part_of(self._tree, now, paths)

    def _owners(self, path: str, suspects: Collection[str]) -> tuple[str, ...]:
        """The finished tasks of the run that may write a path."""
        return tuple(
            item.id
            for item in self._items
            if item.state is TaskState.FINISHED
            and item.id not in suspects
            and PathSet(item.writes.recorded).covers(path)
        )

    def _undone(self, writes: list[UndeclaredWrite], snapshot: Checkpoint) -> list[UndeclaredWrite]:
        """Put back what nobody in the run may write; what another of its tasks wrote before stays as it is."""
        owned = PathSet(path for item in self._items for path in item.writes.recorded)
        strange = {write.path for write in writes if not owned.covers(write.path)}
        self._tools.checkpoints.restore_each(snapshot, strange)
        return [msgspec.structs.replace(write, restored=True) if write.path in strange else write for write in writes]
