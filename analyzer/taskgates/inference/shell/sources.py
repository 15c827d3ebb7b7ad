"""Texts under interpretation: placeholders for what is unknown in them, here-documents, places."""

from __future__ import annotations

import re
from bisect import bisect_right

from taskgates.inference.shell.lexing import BLANKS, element_end, remove_quotes
from taskgates.inference.shell.places import Place
from taskgates.inference.shell.syntax_tree import Document
from taskgates.inference.text import Hole, TextLike, make_text, parts_of

_FIRST = 0xF0000
_LAST = 0x10FFFD


class Placeholders:
    """Which private-use character stands for which hole or here-document in the texts of one analysis."""

    def __init__(self) -> None:
        self._holes: dict[str, Hole | str] = {}
        self._characters: dict[Hole | str, str] = {}
        self._documents: dict[str, Document] = {}
        self._next = _FIRST

    def encode(self, text: TextLike) -> str:
        """Text with a character in place of each hole."""
        out: list[str] = []
        for part in parts_of(text):
            if isinstance(part, Hole):
                out.append(self._character(part))
            elif (part.isascii() and "\0" not in part) or not any(_is_private(char) for char in part):
                out.append(part)
            else:
                out.append("".join(self._character(char) if _is_private(char) else char for char in part))
        return "".join(out)

    def decode(self, text: str) -> TextLike:
        """The reverse of `encode`; here-document characters vanish."""
        if text.isascii() or not any(_is_private(char) for char in text):
            return text
        return make_text(
            self._holes.get(char, "" if char in self._documents else char) if _is_private(char) else char
            for char in text
        )

    def document(self, text: str) -> Document | None:
        """The here-document that a character stands for."""
        return self._documents.get(text)

    def hide_document(self, document: Document) -> str:
        """A new character for a here-document."""
        char = self._allocate()
        self._documents[char] = document
        return char

    def is_hole(self, char: str) -> bool:
        """Whether a character stands for an unknown piece."""
        return isinstance(self._holes.get(char), Hole)

    def _character(self, value: Hole | str) -> str:
        char = self._characters.get(value)
        if char is None:
            char = self._allocate()
            self._characters[value] = char
            self._holes[char] = value
        return char

    def _allocate(self) -> str:
        # When the characters run out the last one is shared by what comes later: it stands for an unknown piece.
        char = chr(self._next)
        if self._next == _LAST:
            self._holes[char] = Hole()
            self._documents.pop(char, None)
        else:
            self._next += 1
        return char


def _is_private(char: str) -> bool:
    # The grammar takes NUL for the end of the text.
    return _FIRST <= ord(char) <= _LAST or char == "\0"


class Source:
    """A text that is being interpreted, and where it stands.

    Args:
        text: encoded by `Placeholders`.
        base: the place of the first character.
        fixed: whether everything in the text is said to stand at `base` (text made at run time).
        columns: whether columns mean anything; after a Makefile's expansion only lines do.
    """

    def __init__(self, text: str, base: Place, *, fixed: bool = False, columns: bool = True) -> None:
        self.text = text
        self.base = base
        self.fixed = fixed
        self.columns = columns
        self._starts: list[int] | None = None

    def place(self, offset: int) -> Place:
        """The place of a character."""
        if self.fixed:
            return self.base
        if self._starts is None:
            self._starts = [0, *(found.end() for found in re.finditer("\n", self.text))]
        row = bisect_right(self._starts, offset) - 1
        if not self.columns:
            return Place(self.base.line + row, 1, self.base.file)
        column = offset - self._starts[row]
        return Place(self.base.line + row, self.base.column + column if row == 0 else column + 1, self.base.file)


_FOR = re.compile(r"^([ \t]*for[ \t]+\w+[ \t]*)\n(?=\s*do\b)", re.MULTILINE)


def hide_documents(text: str, placeholders: Placeholders) -> str:
    """The text as the grammar can take it, of the same length.

    Each here-document becomes an input redirection from a placeholder and blanks; a line end behind `for name`, which
    the grammar does not know, becomes a semicolon.
    """
    if "<<" in text:
        text = _DocumentScanner(text, placeholders).scan()
    return _FOR.sub(r"\1;", text)


class _DocumentScanner:
    def __init__(self, text: str, placeholders: Placeholders) -> None:
        self._text = text
        self._placeholders = placeholders
        self._out: list[str] = []
        self._pending: list[tuple[int, int, str, bool, bool]] = []
        self._stack: list[str] = []

    def scan(self) -> str:
        text = self._text
        index = 0
        while index < len(text):
            end = self._step(index)
            if end == index:
                end = index + 1
            if text[index : index + 1] == "\n" and self._pending:
                self._out.append("\n")
                index = self._bodies(index + 1)
                continue
            if self._out is not None:
                self._out.append(text[index:end])
            index = end
        for start, length, *_ in self._pending:
            self._replace(start, length, Document("", quoted=True))
        return "".join(self._out)

    def _step(self, index: int) -> int:
        """The end of the piece that begins at `index`; nested code is entered, quotes and arithmetic passed over."""
        text = self._text
        char = text[index]
        top = self._stack[-1] if self._stack else ""
        if char == "\\":
            return index + 2
        if top and char == top:
            self._stack.pop()
            return index + 1
        if top == '"':
            if char == "`" or text.startswith(("$(", "${"), index):
                return self._open(index)
            return index + 1
        if char == "'" and '"' not in self._stack:
            return element_end(text, index)
        if char == "#" and (index == 0 or text[index - 1] in BLANKS + ";&|()"):
            end = text.find("\n", index)
            return len(text) if end == -1 else end
        if char in '"`' or text.startswith(("$(", "${"), index):
            return self._open(index)
        if text.startswith("((", index):
            end = text.find("))", index)
            return len(text) if end == -1 else end + 2
        if char == "(" and top == ")":
            self._stack.append(")")
        elif text.startswith("<<", index) and top != "}":
            return self._operator(index)
        return index + 1

    def _open(self, index: int) -> int:
        text = self._text
        if text.startswith("$((", index):
            return element_end(text, index)
        if text[index] == "$":
            self._stack.append(")" if text[index + 1] == "(" else "}")
            return index + 2
        self._stack.append(text[index])
        return index + 1

    def _operator(self, index: int) -> int:
        text = self._text
        if text.startswith("<<<", index):
            return index + 3
        found = re.compile(r"<<(-?)[ \t]*").match(text, index)
        if found is None:
            return index + 2
        end = found.end()
        while end < len(text) and text[end] not in BLANKS + ";&|<>()`":
            end = element_end(text, end)
        if end == found.end():
            return index + 2
        delimiter, quoted = remove_quotes(text[found.end() : end])
        position = len(self._out)
        self._pending.append((position, end - index, delimiter, quoted, bool(found.group(1))))
        return end

    def _replace(self, position: int, length: int, document: Document) -> None:
        self._out[position] = ("<" + self._placeholders.hide_document(document)).ljust(length)

    def _bodies(self, index: int) -> int:
        """Take the bodies of the pending here-documents out of the text, from the beginning of a line on."""
        text = self._text
        for position, length, delimiter, quoted, strip in self._pending:
            lines: list[str] = []
            start = index
            while index < len(text):
                end = text.find("\n", index)
                line = text[index:] if end == -1 else text[index:end]
                start_of_line = index
                index = len(text) if end == -1 else end + 1
                self._out.append(" " * (index - start_of_line - (end != -1)) + ("\n" if end != -1 else ""))
                line = line.lstrip("\t") if strip else line
                if line == delimiter or (
                    self._stack and line.rstrip(' )"`') == delimiter and line.startswith(delimiter)
                ):
                    if line != delimiter:
                        index -= len(line) - len(delimiter) + (end != -1)
                        self._out[-1] = " " * (index - start_of_line)
                    break
                lines.append(line + "\n")
            self._replace(position, length, Document("".join(lines), quoted, start))
        self._pending.clear()
        return index
