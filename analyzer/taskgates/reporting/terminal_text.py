"""Text for terminals: messages with their code marked, source lines with carets below the region."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from taskgates.reporting.printable import printable
from taskgates.reporting.report import message_pieces

if TYPE_CHECKING:
    from taskgates.model.spans import SourceSpan
    from taskgates.reporting.sources import SourceText

_TAB = 4


def message_text(message: str, *, colour: bool, unicode: bool) -> Text:
    """A message with its `code` set apart: by style where there are colours, else by the backticks as they are."""
    safe = printable(message, unicode=unicode)
    if not colour:
        return Text(safe)
    return Text.assemble(*((piece, "bold" if is_code else "") for is_code, piece in message_pieces(safe)))


def code_frame(source: SourceText, span: SourceSpan, *, width: int, style: str, unicode: bool) -> list[Text]:
    """The first line of a region with carets below its characters; nothing where the line does not exist.

    Args:
        source: the file's text.
        span: the region; without extent, the whole line is meant.
        width: columns that the frame may take.
        style: how to draw the region and its carets.
        unicode: whether characters beyond ASCII may be drawn.
    """
    line = source.line(span.line)
    if line is None or not line.strip():
        return []
    start = max(0, min(span.column - 1, len(line)))
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    if end <= start:
        start, end = len(line) - len(line.lstrip()), len(line.rstrip())
    end = min(end, len(line))
    before, marked, after = (
        printable(part.expandtabs(_TAB), unicode=unicode) for part in (line[:start], line[start:end], line[end:])
    )
    indent = len(before) - len(before.lstrip())
    before = before[indent:]

    bar, ellipsis = ("\u2502", "\u2026") if unicode else ("|", "...")
    gutter = f"{span.line:>5} {bar} "
    room = max(20, width - cell_len(gutter) - 2)
    before, marked, after = _fitted(before, marked, after, room, ellipsis)
    code = Text(gutter, style="dim").append(Text(before, style="default not dim"))
    code.append(marked, style=f"not dim bold {style}").append(after, style="not dim")
    below = Text(" " * 5 + f" {bar} ", style="dim").append(" " * cell_len(before))
    below.append("^" * max(1, cell_len(marked)), style=f"not dim {style}")
    return [code, below]


def _fitted(before: str, marked: str, after: str, room: int, ellipsis: str) -> tuple[str, str, str]:
    """Cuts the line to `room` columns around its marked part."""
    cut = partial(_cut_end, ellipsis=ellipsis)
    if cell_len(before) + cell_len(marked) + cell_len(after) <= room:
        return before, marked, after
    marked = cut(marked, room * 3 // 4 if before else room)
    rest = room - cell_len(marked)
    if cell_len(before) > rest // 2 and cell_len(before) + min(cell_len(after), 10) > rest:
        before = ellipsis + _last_cells(before, max(0, rest // 2 - cell_len(ellipsis)))
    return before, marked, cut(after, room - cell_len(before) - cell_len(marked))


def _cut_end(text: str, room: int, *, ellipsis: str) -> str:
    if cell_len(text) <= room:
        return text
    while text and cell_len(text) > room - cell_len(ellipsis):
        text = text[: min(len(text) - 1, room)]
    return text + ellipsis if room >= cell_len(ellipsis) else ""


def _last_cells(text: str, room: int) -> str:
    text = text[-room:] if room else ""
    while cell_len(text) > room:
        text = text[1:]
    return text
