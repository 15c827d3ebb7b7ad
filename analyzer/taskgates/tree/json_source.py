"""JSON with the place of every key and value.

Values come from the standard library's decoder; places are found on demand by running it again over one level of a
container, so that only what is asked for is paid for. Strictly JSON: no comments, no trailing commas, no NaN.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from taskgates.tree.text_source import TextSource, TextSyntaxError

if TYPE_CHECKING:
    from taskgates.model.spans import SourceSpan

MAX_DEPTH = 200
"""Levels of nesting beyond which a document is refused, so that no later stage runs out of stack."""

_BLANK = re.compile(r"[ \t\r\n]*")
_COLON = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")
_COMMA = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*")
_BLANK_BACKWARDS = " \t\r\n"
_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_STRING_OR_BRACKET = re.compile(_STRING + r"|[\[\]{}]", re.DOTALL)
_STRING_OR_WORD = re.compile(_STRING + r"|-?[A-Za-z]+", re.DOTALL)
_EXCERPT = re.compile(r"[^\s,:\[\]{}]{1,20}|.", re.DOTALL)


class JsonMember:
    """One key of an object with its value.

    Attributes:
        key: the decoded key.
        node: the value.
    """

    __slots__ = ("_end", "_source", "_start", "key", "node")

    def __init__(self, source: TextSource, key: str, start: int, end: int, node: JsonNode) -> None:
        self._source = source
        self._start = start
        self._end = end
        self.key = key
        self.node = node

    @property
    def key_span(self) -> SourceSpan:
        """The region of the key with its quotes."""
        return self._source.span(self._start, self._end)


class JsonNode:
    """A value and its place.

    Attributes:
        value: the value as the standard library decodes it (of duplicate keys the last one counts).
        start: offset of its first character.
        end: offset behind its last character.
    """

    def __init__(self, source: TextSource, decoder: json.JSONDecoder, value: object, start: int, end: int) -> None:
        self._source = source
        self._decoder = decoder
        self.value = value
        self.start = start
        self.end = end

    @property
    def span(self) -> SourceSpan:
        """The region of the value, quotes and brackets included."""
        return self._source.span(self.start, self.end)

    @property
    def type_name(self) -> str:
        """The value's type in JSON's words."""
        return type_name(self.value)

    @property
    def raw(self) -> str:
        """The text of the value as it stands in the document."""
        return self._source.text[self.start : self.end]

    @property
    def opening(self) -> SourceSpan:
        """The first character of the value: a mark for a whole object that does not cover all of it."""
        return self._source.span(self.start, self.start + 1)

    @cached_property
    def members(self) -> tuple[JsonMember, ...]:
        """The members of an object in order, duplicates included; empty for anything else."""
        if not isinstance(self.value, dict):
            return ()
        found: list[JsonMember] = []
        text, decode = self._source.text, self._decoder.raw_decode
        place = self._behind(_BLANK, self.start + 1)
        while text[place] != "}":
            key, behind = decode(text, place)
            start = self._behind(_COLON, behind)
            value, end = decode(text, start)
            node = JsonNode(self._source, self._decoder, value, start, end)
            found.append(JsonMember(self._source, key, place, behind, node))
            place = self._behind(_COMMA, end)
        return tuple(found)

    @cached_property
    def items(self) -> tuple[JsonNode, ...]:
        """The items of an array; empty for anything else."""
        if not isinstance(self.value, list):
            return ()
        found: list[JsonNode] = []
        text, decode = self._source.text, self._decoder.raw_decode
        place = self._behind(_BLANK, self.start + 1)
        while text[place] != "]":
            value, end = decode(text, place)
            found.append(JsonNode(self._source, self._decoder, value, place, end))
            place = self._behind(_COMMA, end)
        return tuple(found)

    def get(self, key: str) -> JsonMember | None:
        """The member with a key, the last one where it is repeated."""
        return next((member for member in reversed(self.members) if member.key == key), None)

    @property
    def duplicates(self) -> tuple[JsonMember, ...]:
        """Members whose key stands in the object before."""
        seen: set[str] = set()
        repeated: list[JsonMember] = []
        for member in self.members:
            if member.key in seen:
                repeated.append(member)
            seen.add(member.key)
        return tuple(repeated)

    def _behind(self, pattern: re.Pattern[str], place: int) -> int:
        match = pattern.match(self._source.text, place)
        return match.end() if match else place


def parse_json(file: str, data: bytes) -> JsonNode:
    """Parse a JSON document.

    Args:
        file: the name used in spans.
        data: the bytes of the file: UTF-8, or UTF-16 with a byte order mark.

    Raises:
        TextSyntaxError: with the place of the first error.
    """
    source = TextSource.decode(file, data)
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    text = source.text
    _check_depth(source)
    match = _BLANK.match(text)
    start = match.end() if match else 0
    try:
        value, end = decoder.raw_decode(text, start)
        match = _BLANK.match(text, end)
        rest = match.end() if match else end
    except json.JSONDecodeError as error:
        raise _syntax_error(source, error.pos, error.msg) from None
    except _ConstantError as error:
        found = _find_constant(text, str(error))
        message = f"{error} is not JSON; use null or a number"
        raise TextSyntaxError(message, source.span(found, found + len(str(error)))) from None
    except ValueError as error:
        # The only other refusal of the decoder: an integer with thousands of digits.
        raise TextSyntaxError(
            f"a number cannot be read: {error}", source.span(start, end_of_line(text, start))
        ) from None
    if rest != len(text):
        raise _syntax_error(source, rest, "Extra data")
    return JsonNode(source, decoder, value, start, end)


def type_name(value: object) -> str:
    """The JSON type of a decoded value, with its article, for messages."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"


def end_of_line(text: str, start: int) -> int:
    """The offset of the line break behind `start`, or of the end of the text."""
    match = re.compile(r"[\r\n]").search(text, start)
    return match.start() if match else len(text)


def _check_depth(source: TextSource) -> None:
    text = source.text
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        token = match[0]
        if token in ("[", "{"):
            depth += 1
            if depth > MAX_DEPTH:
                message = f"nested more than {MAX_DEPTH} levels deep"
                raise TextSyntaxError(message, source.span(match.start(), match.end()))
        elif token in ("]", "}"):
            depth -= 1


class _ConstantError(Exception):
    pass


def _refuse_constant(name: str) -> NoReturn:
    raise _ConstantError(name)


def _find_constant(text: str, name: str) -> int:
    """The first place of NaN or Infinity outside strings."""
    for match in _STRING_OR_WORD.finditer(text):
        if match[0] == name:
            return match.start()
    return 0


def _syntax_error(source: TextSource, place: int, message: str) -> TextSyntaxError:
    """A decoder's complaint in words of our own, so that they do not change with the Python version."""
    text = source.text
    before = len(text[:place].rstrip(_BLANK_BACKWARDS)) - 1
    found = _EXCERPT.match(text, place)
    shown = found[0] if found else ""
    end = place + len(shown)
    if not text.strip(_BLANK_BACKWARDS):
        return TextSyntaxError("the file is empty", source.span(0, 0))
    if text.startswith(("//", "/*", "#"), place):
        what = "comments are not allowed in JSON"
        end = end_of_line(text, place)
    elif text.startswith("\0", place):
        what, end = "a NUL character; the file is binary, or UTF-16 without a byte order mark", place + 1
    elif "trailing comma" in message or (shown in ("]", "}") and text[before : before + 1] == ","):
        comma = place if shown == "," else before
        return TextSyntaxError("a comma behind the last element", source.span(comma, comma + 1))
    elif message.startswith("Unterminated string"):
        what = "a string without closing quote"
        end = end_of_line(text, place)
    elif message.startswith("Invalid control character"):
        what, end = "a line break or control character inside a string; write it as an escape", place + 1
    elif message.startswith("Invalid"):
        what, end = "an invalid escape in a string", place + 1
    elif message.startswith("Extra data"):
        what = f"text behind the end of the document: {shown!r}"
    elif not shown:
        what = "the document ends too early" + _missing(message)
    else:
        what = f"unexpected {shown!r}" + _missing(message)
    return TextSyntaxError(what, source.span(place, end))


def _missing(message: str) -> str:
    if "property name" in message:
        return "; expected a key in double quotes"
    if "':'" in message:
        return "; expected a colon"
    if "','" in message:
        return "; expected a comma or the closing bracket"
    return "; expected a value"
