"""Places in source files and manifests."""

from __future__ import annotations

import msgspec


class SourceSpan(msgspec.Struct, frozen=True, order=True):
    """A region of a text file.

    Attributes:
        file: path relative to the repository root, forward slashes; absolute when outside it.
        line: first line, from 1.
        column: first column, from 1, in Unicode code points.
        end_line: last line, from 1.
        end_column: the column just behind the last character.
    """

    file: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class CallFrame(msgspec.Struct, frozen=True, order=True):
    """One step of a call chain: the place in `function` from which the next function is called."""

    file: str
    line: int
    function: str


class Site(msgspec.Struct, frozen=True, order=True):
    """The place in the code where something happens, and how the entry reaches it.

    Attributes:
        file: the module's path, relative to the root.
        line: line of the call, from 1.
        column: column of the call, from 1.
        end_line: last line of the call.
        end_column: the column just behind the call.
        function: qualified name of the function around it, `<module>` at module level.
        call: qualified name of what is called (`pandas.read_csv`), or the form of the access (`os.environ[...]`).
        via: the call chain from the entry, outermost first.
    """

    file: str
    line: int
    column: int
    function: str
    call: str
    via: tuple[CallFrame, ...] = ()
    end_line: int = 0
    end_column: int = 0

    @property
    def span(self) -> SourceSpan:
        """The region of the call."""
        return SourceSpan(self.file, self.line, self.column, self.end_line or self.line, self.end_column or self.column)
