"""Which owners have a path that meets a given pattern?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.model.natural_order import natural_key
from taskgates.scan.declared import is_at_or_below, literal_folder

if TYPE_CHECKING:
    from taskgates.model.patterns import PathPattern

_Key = tuple[str, ...]


class PathIndex:
    """Patterns with their owners, filed under the literal segments with which they begin.

    Two patterns can only meet where one of these prefixes begins the other, so that a question looks at the folders
    above its own prefix and at what is filed below it, not at every pattern.
    """

    def __init__(self) -> None:
        self._owners: dict[PathPattern, dict[str, None]] = {}
        self._at: dict[_Key, list[PathPattern]] = {}
        self._below: dict[_Key, list[PathPattern]] = {}

    def add(self, pattern: PathPattern, owner: str) -> None:
        """File a pattern under its owner."""
        known = self._owners.get(pattern)
        if known is not None:
            known[owner] = None
            return
        self._owners[pattern] = {owner: None}
        key = (pattern.anchor, *pattern.literal_segments)
        self._at.setdefault(key, []).append(pattern)
        for end in range(len(key)):
            self._below.setdefault(key[:end], []).append(pattern)

    def owners(self, pattern: PathPattern) -> tuple[str, ...]:
        """The owners of patterns that share some path with the given one, in natural order."""
        key = (pattern.anchor, *pattern.literal_segments)
        candidates = [each for end in range(1, len(key)) for each in self._at.get(key[:end], ()) if not each.is_literal]
        candidates += self._at.get(key, ())
        if not pattern.is_literal:
            candidates += self._below.get(key, ())
        found: dict[str, None] = {}
        for candidate in candidates:
            if _meet(candidate, pattern):
                found.update(self._owners[candidate])
        return tuple(sorted(found, key=natural_key))


def _meet(one: PathPattern, two: PathPattern) -> bool:
    for path, area in ((one.literal, two), (two.literal, one)):
        folder = literal_folder(area)
        if path is not None and folder is not None:
            return is_at_or_below(path, folder)
    return one.overlaps(two)
