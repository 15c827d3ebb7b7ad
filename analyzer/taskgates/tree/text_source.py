"""Texts of files with the places in them: decoding, and offsets as lines and columns."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right

from taskgates.model.spans import SourceSpan

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class TextSyntaxError(Exception):
    """A text is not what its format demands.

    Attributes:
        message: what is wrong, without the place.
        span: where.
    """

    def __init__(self, message: str, span: SourceSpan) -> None:
        super().__init__(f"{span}: {message}")
        self.message = message
        self.span = span


class TextSource:
    """A decoded text that can tell the line and column of every offset.

    Lines end at LF, CR LF or a lone CR. Offsets and columns count Unicode code points; a byte order mark belongs to
    neither.

    Attributes:
        file: the name used in spans.
        text: the content.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._starts: list[int] | None = None

    @classmethod
    def decode(cls, file: str, data: bytes) -> TextSource:
        """Decode UTF-8, or UTF-16 and UTF-32 with a byte order mark.

        Raises:
            TextSyntaxError: the bytes are not valid in that encoding.
        """
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                try:
                    return cls(file, data.decode(encoding))
                except UnicodeDecodeError as error:
                    raise TextSyntaxError(
                        f"not valid {encoding.upper()} ({error.reason}); save the file as UTF-8", SourceSpan(file)
                    ) from None
        data = data.removeprefix(codecs.BOM_UTF8)
        try:
            return cls(file, data.decode("utf-8"))
        except UnicodeDecodeError as error:
            known = cls(file, data[: error.start].decode("utf-8"))
            end = len(known.text)
            raise TextSyntaxError(
                f"not valid UTF-8 (byte 0x{data[error.start]:02X}); save the file as UTF-8", known.span(end, end)
            ) from None

    def span(self, start: int, end: int) -> SourceSpan:
        """The region from one offset up to, not including, another."""
        line, column = self.place(start)
        end_line, end_column = self.place(end)
        return SourceSpan(self.file, line, column, end_line, end_column)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        if self._starts is None:
            self._starts = [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1
