"""The text of the files that findings point at, for code lines and for line hashes."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from taskgates.reporting.fingerprints import line_hashes
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

_LINE_ENDING = re.compile(r"\r\n|\r|\n")
_LARGEST = 32 * 1024 * 1024


class SourceText:
    """One file's text.

    Attributes:
        text: the content as UTF-8; what is no UTF-8 is replaced, as code scanning itself does.
        size: bytes of the file.
    """

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self.text = content.decode("utf-8", "replace")

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their endings; form feeds and Unicode's separators do not end one."""
        return _LINE_ENDING.split(self.text)

    @cached_property
    def hashes(self) -> list[str]:
        """Code scanning's hash of every line."""
        return line_hashes(self.text)

    def line(self, number: int) -> str | None:
        """The line with this number, counted from 1; None beyond the file's end."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else None


class Sources:
    """Reads the files below a root, each once; never one outside of it, also not through a link.

    Args:
        root: the folder to which the paths of findings are relative.
    """

    def __init__(self, root: Path) -> None:
        self._tree = Tree(root)
        self._texts: dict[str, SourceText | None] = {}

    def get(self, file: str) -> SourceText | None:
        """The text of a file, or None where there is none to be had (missing, a folder, too large, outside)."""
        if file not in self._texts:
            content = self._tree.read_bytes(file, _LARGEST)
            self._texts[file] = None if content is None else SourceText(content)
        return self._texts[file]
