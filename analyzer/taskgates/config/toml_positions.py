"""The place of every key in a TOML document, which the standard library's parser does not tell.

The scanner follows the grammar of https://toml.io/en/v1.0.0 but checks nothing: it is run on documents that `tomllib`
has accepted. Its result is keyed by paths into the parsed value, with list indices as numbers.
"""

from __future__ import annotations

import re

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*+")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+"{3,5}'
    r"|'''(?:[^']|'(?!''))*+'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*+"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([btnfr"\\]))')
_SHORT_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def toml_positions(text: str) -> dict[KeyPath, tuple[int, int]]:
    """Offsets (start, end) of every key and every array element, by path.

    A table has the place of the key in its first header, an element of an array of tables that of its header.
    """
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._found: dict[KeyPath, tuple[int, int]] = {}
        self._last_element: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, tuple[int, int]]:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._place < len(self._text):
            start = self._place
            if self._text.startswith("[", start):
                table = self._header()
            else:
                self._pair(table)
            if self._place <= start:
                break
            self._skip(_BLANK)
        return self._found

    def _header(self) -> KeyPath:
        is_array = self._text.startswith("[[", self._place)
        self._place += 2 if is_array else 1
        table: KeyPath = ()
        keys = self._keys()
        for position, (key, span) in enumerate(keys):
            name = (*table, key)
            self._note(name, span)
            if is_array and position == len(keys) - 1:
                self._last_element[name] = self._last_element.get(name, -1) + 1
            # The name of an array of tables stands for its last element.
            table = (*name, self._last_element[name]) if name in self._last_element else name
            self._note(table, span)
        self._pass_by("]]" if is_array else "]")
        return table

    def _pair(self, table: KeyPath) -> None:
        path = table
        for key, span in self._keys():
            path = (*path, key)
            self._note(path, span)
        self._pass_by("=")
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        opening = self._text[self._place : self._place + 1]
        if opening == "[":
            self._place += 1
            index = 0
            while not self._at_end("]"):
                start = self._place
                self._value((*path, index))
                self._note((*path, index), (start, self._place))
                index += 1
                self._comma(start)
        elif opening == "{":
            self._place += 1
            while not self._at_end("}"):
                start = self._place
                self._pair(path)
                self._comma(start)
        else:
            match = _STRING.match(self._text, self._place) or _SCALAR.match(self._text, self._place)
            self._place = match.end() if match else len(self._text)

    def _at_end(self, bracket: str) -> bool:
        """Step over a closing bracket, if that comes next."""
        self._skip(_BLANK)
        ended = self._place >= len(self._text) or self._text[self._place] == bracket
        self._place += ended
        return ended

    def _comma(self, start: int) -> None:
        self._skip(_BLANK)
        if self._text.startswith(",", self._place) or self._place == start:
            self._place += 1

    def _keys(self) -> list[tuple[str, tuple[int, int]]]:
        """The parts of a dotted key with their places; never empty."""
        keys: list[tuple[str, tuple[int, int]]] = []
        while True:
            self._skip(_SPACE)
            start = self._place
            match = _STRING.match(self._text, start) or _BARE_KEY.match(self._text, start)
            if match is None:
                return keys or [("", (start, start))]
            self._place = match.end()
            keys.append((_unquote(match[0]), (start, match.end())))
            self._skip(_SPACE)
            if not self._text.startswith(".", self._place):
                return keys
            self._place += 1

    def _pass_by(self, mark: str) -> None:
        found = self._text.find(mark, self._place)
        self._place = len(self._text) if found < 0 else found + len(mark)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._place)
        if match:
            self._place = match.end()

    def _note(self, path: KeyPath, span: tuple[int, int]) -> None:
        self._found.setdefault(path, span)


def _unquote(key: str) -> str:
    if key.startswith("'"):
        return key[1:-1]
    if not key.startswith('"'):
        return key
    return _ESCAPE.sub(
        lambda match: _SHORT_ESCAPES[match[3]] if match[3] else chr(int(match[1] or match[2], 16)), key[1:-1]
    )
