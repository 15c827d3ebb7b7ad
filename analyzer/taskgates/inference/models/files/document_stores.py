"""TinyDB: one file that holds documents, read for every question and every change as soon as it holds something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import METHODS, Machine
from taskgates.inference.values import TRUE, AnyValue, path_text
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from taskgates.inference.objects import Arguments, Heap

_FILLED = ("filled",)
"""The slot of a store for whether the program itself has put something in it."""

_QUESTIONS = ("all", "search", "get", "contains", "count", "__len__", "__iter__", "tables")
_CHANGES = (
    "insert",
    "insert_multiple",
    "update",
    "update_multiple",
    "upsert",
    "remove",
    "truncate",
    "drop_table",
    "drop_tables",
)


def _method(name: str, *, changes: bool) -> None:
    call = f"tinydb.table.Table.{name}"

    def model(machine: Machine, obj: Heap, args: Arguments) -> AnyValue | None:
        del args
        path = obj.slots.get("path")
        text = path_text(path) if path is not None else None
        if text is None:
            return None
        place = machine.in_tree(text)
        if _FILLED in obj.slots or not machine.closed or place is None or machine.tree.kind(place) == "file":
            machine.access(Operation.READ, path, call)
        if changes:
            machine.state.write(obj.slots, _FILLED, TRUE)
        return None

    METHODS[call] = model


for _name in _QUESTIONS:
    _method(_name, changes=False)
for _name in _CHANGES:
    _method(_name, changes=True)
