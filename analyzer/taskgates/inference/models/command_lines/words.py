"""Words of a command line for parsers that only know plain strings: unknown pieces become private-use characters."""

from __future__ import annotations

from taskgates.inference.renderings import render
from taskgates.inference.text import Hole, Text, make_text
from taskgates.inference.values import AnyValue, Known, as_value, path_text

_FIRST = 0xE000


class Words:
    """Encodes abstract words for a real parser, and decodes what the parser made of them."""

    def __init__(self) -> None:
        self.marks: dict[str, Hole] = {}

    def encode(self, value: AnyValue) -> str:
        """A plain string with one private-use character for every unknown piece."""
        text = path_text(value)
        if isinstance(text, str):
            return text
        if text is None:
            text = render(value)
        out = ""
        for part in text.parts if isinstance(text, Text) else (text,):
            if isinstance(part, Hole):
                mark = chr(_FIRST + len(self.marks))
                self.marks[mark] = part
                out += mark
            else:
                out += part
        return out

    def decode(self, text: str) -> AnyValue:
        """The abstract word behind a string, or behind a piece of one."""
        if not self.unknown(text):
            return Known(text)
        return as_value(make_text([self.marks.get(char, char) for char in text]))

    def unknown(self, text: str) -> bool:
        """Whether some piece of an encoded string is not known."""
        return any(mark in text for mark in self.marks)
