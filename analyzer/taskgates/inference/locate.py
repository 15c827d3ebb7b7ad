"""From identifier ordinals to lines and columns, for the sites that end up in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.log import RawSite, call_frames
from taskgates.model.spans import Site

if TYPE_CHECKING:
    from taskgates.inference.sources import SourceStore


class Locator:
    """Resolves raw sites against the sources."""

    def __init__(self, sources: SourceStore) -> None:
        self._sources = sources

    def line_of(self, file: str, pos: int) -> int:
        """The line of an identifier."""
        positions = self._sources.positions(file) if self._sources.holds(file) else None
        return positions.start(pos)[0] if positions is not None and len(positions) else 1

    def site(self, raw: RawSite) -> Site:
        """A site with line and column."""
        via = call_frames(raw.chain, self.line_of)
        if raw.line:
            return Site(raw.file, raw.line, raw.column, raw.function, raw.call, via)
        positions = self._sources.positions(raw.file) if self._sources.holds(raw.file) else None
        if positions is None or not len(positions):
            return Site(raw.file, 1, 1, raw.function, raw.call, via)
        line, column = positions.start(raw.start if raw.start >= 0 else raw.pos)
        end = positions.call_end(raw.pos) if raw.start >= 0 else positions.identifier_end(raw.pos)
        call = raw.call
        return Site(raw.file, line, column, raw.function, call, via, end[0], end[1])
