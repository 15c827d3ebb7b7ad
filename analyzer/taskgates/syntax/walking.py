"""Walks over the representation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = ("str", "str | None", "list[str]", "int", "bool", "bytes")
INNER_FIELDS: dict[type, tuple[str, ...]] = {
    kind: tuple(field for field in kind.__struct_fields__ if kind.__annotations__[field] not in _PLAIN)
    for kind in vars(ir).values()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
}
"""The fields of each type of node that may hold other nodes."""


def walk(*items: object) -> Iterator[Any]:
    """Nodes, those in lists of them, and all nodes inside them, in no particular order."""
    stack: list[Any] = list(items)
    while stack:
        item = stack.pop()
        if type(item) is list:
            stack.extend(item)
        elif (fields := INNER_FIELDS.get(type(item))) is not None:
            yield item
            stack.extend([getattr(item, field) for field in fields])
