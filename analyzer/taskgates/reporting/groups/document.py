"""A small document that is shown on a terminal or as Markdown: headings, sentences, lists and tables.

Reports about groups are written once in these terms; the two formats differ in how each piece looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from taskgates.reporting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.reporting.report import RenderOptions


class Heading(msgspec.Struct, frozen=True):
    """The title of what follows."""

    text: str


class Sentence(msgspec.Struct, frozen=True):
    """A line of text; `style` is one of `good`, `bad`, `warning`, `plain`."""

    text: str
    style: str = "plain"


class Items(msgspec.Struct, frozen=True):
    """A list; numbered where the order counts."""

    items: tuple[str, ...]
    numbered: bool = False


class Grid(msgspec.Struct, frozen=True):
    """A table with a line of titles; where the first column is a key, it is never broken."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    keyed: bool = False


Piece = Heading | Sentence | Items | Grid

_STYLES = {"good": "bold green", "bad": "bold red", "warning": "yellow", "plain": ""}
_MARKS = {"good": "**", "bad": "**", "warning": "", "plain": ""}


def as_markdown(pieces: Sequence[Piece]) -> str:
    """The document as Markdown."""
    parts: list[str] = []
    for piece in pieces:
        match piece:
            case Heading(text):
                parts.append(f"### {_escaped(text)}")
            case Sentence(text, style):
                parts.append(f"{_MARKS[style]}{_escaped(text)}{_MARKS[style]}")
            case Items(items, numbered):
                parts.append(
                    "\n".join(
                        f"{f'{number}.' if numbered else '-'} {_escaped(item)}"
                        for number, item in enumerate(items, start=1)
                    )
                )
            case Grid(titles, rows):
                lines = [titles, tuple("---" for _ in titles), *rows]
                parts.append("\n".join(f"| {' | '.join(_escaped(cell) for cell in line)} |" for line in lines))
    return "\n\n".join(parts) + "\n"


def as_terminal_text(pieces: Sequence[Piece], options: RenderOptions) -> str:
    """The document as text for a terminal."""
    console = Console(
        width=options.width,
        no_color=not options.colour,
        force_terminal=options.colour,
        color_system="standard" if options.colour else None,
        highlight=False,
        emoji=False,
        markup=False,
        soft_wrap=False,
    )
    with console.capture() as capture:
        for at, piece in enumerate(pieces):
            match piece:
                case Heading(text):
                    if at:
                        console.print()
                    console.print(Text(printable(text), style="bold"))
                case Sentence(text, style):
                    console.print(Text(printable(text), style=_STYLES[style]))
                case Items(items, numbered):
                    _print_items(console, items, numbered=numbered)
                case Grid(titles, rows, keyed):
                    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
                    for column, title in enumerate(titles):
                        table.add_column(Text(title, style="bold"), overflow="fold", no_wrap=keyed and not column)
                    for row in rows:
                        table.add_row(*(Text(printable(cell)) for cell in row))
                    console.print(Padding(table, (0, 0, 0, 2)))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _print_items(console: Console, items: Sequence[str], *, numbered: bool) -> None:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for number, item in enumerate(items, start=1):
        table.add_row(f"{number}." if numbered else "-", Text(printable(item)))
    console.print(Padding(table, (0, 0, 0, 2)))


def _escaped(text: str) -> str:
    """Text as Markdown shows it literally, on one line."""
    flat = printable(" ".join(text.split()))
    for character in "\\`*_[]<>|":
        flat = flat.replace(character, f"\\{character}")
    return flat
