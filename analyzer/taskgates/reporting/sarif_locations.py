"""Places as SARIF writes them: percent-encoded relative addresses, full regions, the list of files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from taskgates.model.spans import SourceSpan
    from taskgates.reporting.sources import Sources

BASE_ID = "%SRCROOT%"
"""The name that viewers and code scanning know for the root of the sources."""

_LANGUAGES = {".py": "python", ".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".md": "markdown"}
_SNIPPET_LINES = 5
_SNIPPET_COLUMNS = 1_000
_CONTEXT_LINES = 1


class Locations:
    """Writes places and keeps the list of the files that were named, in the order of their first use.

    Args:
        sources: the files' texts, from which snippets and missing coordinates are filled in.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._indices: dict[str, int] = {}

    def artifact_location(self, file: str) -> dict[str, Any]:
        """The address of a file, relative to the root unless it lies outside."""
        index = self._indices.setdefault(file, len(self._indices))
        return {**_address(file), "index": index}

    def artifacts(self) -> list[dict[str, Any]]:
        """Every file named so far."""
        return [self._artifact(file) for file in self._indices]

    def physical(self, span: SourceSpan, *, snippet: bool = True) -> dict[str, Any]:
        """A region of a file with all four coordinates, and its text where the file can be read.

        A span without extent (only a line is known) becomes the whole line.
        """
        region = self.region(span)
        place: dict[str, Any] = {"artifactLocation": self.artifact_location(span.file), "region": region}
        source = self._sources.get(span.file)
        if source is None or not snippet:
            return place
        text = self._excerpt(span.file, region)
        if text is None:
            return place
        region["snippet"] = {"text": text}
        first = max(1, region["startLine"] - _CONTEXT_LINES)
        last = min(len(source.lines), region["endLine"] + _CONTEXT_LINES)
        lines = source.lines[first - 1 : last]
        if last - first < _SNIPPET_LINES + 2 * _CONTEXT_LINES and all(len(line) <= _SNIPPET_COLUMNS for line in lines):
            place["contextRegion"] = {"startLine": first, "endLine": last, "snippet": {"text": "\n".join(lines)}}
        return place

    def region(self, span: SourceSpan) -> dict[str, Any]:
        """The four coordinates of a span, widened to the line where it has no extent."""
        start_line, start_column = max(1, span.line), max(1, span.column)
        end_line, end_column = max(start_line, span.end_line), max(1, span.end_column)
        if (end_line, end_column) <= (start_line, start_column):
            source = self._sources.get(span.file)
            line = source.line(start_line) if source else None
            end_line = start_line
            if line is None:
                end_column = start_column + 1
            else:
                if start_column == 1:
                    start_column += len(line) - len(line.lstrip())
                end_column = max(start_column, len(line.rstrip()) + 1)
        return {"startLine": start_line, "startColumn": start_column, "endLine": end_line, "endColumn": end_column}

    def _excerpt(self, file: str, region: dict[str, Any]) -> str | None:
        source = self._sources.get(file)
        first, last = region["startLine"], region["endLine"]
        if source is None or last > len(source.lines) or last - first >= _SNIPPET_LINES:
            return None
        lines = source.lines[first - 1 : last]
        if any(len(line) > _SNIPPET_COLUMNS for line in lines):
            return None
        lines[-1] = lines[-1][: region["endColumn"] - 1]
        lines[0] = lines[0][region["startColumn"] - 1 :]
        return "\n".join(lines)

    def _artifact(self, file: str) -> dict[str, Any]:
        artifact: dict[str, Any] = {"location": self.artifact_location(file), "roles": ["analysisTarget"]}
        source = self._sources.get(file)
        if source is not None:
            artifact["length"] = source.size
        language = _LANGUAGES.get(os.path.splitext(file)[1].lower())  # noqa: PTH122 - the path may be anything
        if language:
            artifact["sourceLanguage"] = language
        return artifact


def _address(file: str) -> dict[str, str]:
    encoded = quote(os.fsencode(file), safe="/@+,=")
    if file.startswith("/"):
        return {"uri": f"file://{encoded}"}
    return {"uri": encoded, "uriBaseId": BASE_ID}
