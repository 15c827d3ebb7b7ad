"""Where quoted and bracketed pieces of shell text end, and how text falls into words."""

from __future__ import annotations

import re

BLANKS = " \t\n"
_OPERATORS = ("&&", "||", ";;", "<<<", "<<", ">>", "<", ">", ";", "|", "&", "(", ")")
_OPENERS = {"(": ")", "{": "}"}


def element_end(text: str, index: int) -> int:
    """The position behind the quoted piece, expansion or plain character that begins at `index`.

    Unterminated pieces end with the text.
    """
    stack: list[str] = []
    length = len(text)
    while index < length:
        index = _advance(text, index, stack)
        if not stack:
            return min(index, length)
    return length


def _advance(text: str, index: int, stack: list[str]) -> int:
    """Step over one character or opening bracket, updating the stack of what is open."""
    char = text[index]
    top = stack[-1] if stack else ""
    if char == "\\":
        return index + 2
    if top and char == top:
        stack.pop()
        return index + 1
    if char == "`":
        stack.append("`")
        return index + 1
    following = text[index + 1 : index + 2]
    if char == "$" and following in _OPENERS:
        stack.append(_OPENERS[following])
        return index + 2
    if top == '"':
        return index + 1
    if char == '"':
        stack.append('"')
        return index + 1
    if char == "$" and following == "'":
        return _ansi_end(text, index + 2)
    if char == "'" and '"' not in stack:
        end = text.find("'", index + 1)
        return len(text) if end == -1 else end + 1
    if char in "<>" and following == "(" and top != "}":
        stack.append(")")
        return index + 2
    if char == "(" and top == ")":
        stack.append(")")
    elif char == "#" and top == ")" and text[index - 1] in BLANKS:
        end = text.find("\n", index)
        return len(text) if end == -1 else end
    return index + 1


def _ansi_end(text: str, index: int) -> int:
    while index < len(text):
        if text[index] == "\\":
            index += 2
        elif text[index] == "'":
            return index + 1
        else:
            index += 1
    return len(text)


def split_words(text: str, *, operators: bool = False) -> list[tuple[str, int]]:
    """Words of shell text with their offsets; quotes and expansions stay as they are written.

    Args:
        text: without here-documents.
        operators: whether unquoted operators are words of their own; otherwise they are plain characters.
    """
    words: list[tuple[str, int]] = []
    index = 0
    start = -1
    while index < len(text):
        char = text[index]
        if char in BLANKS or (char == "\\" and text[index + 1 : index + 2] == "\n"):
            if start >= 0:
                words.append((text[start:index], start))
                start = -1
            index += 2 if char == "\\" else 1
            continue
        if char == "#" and start < 0:
            end = text.find("\n", index)
            index = len(text) if end == -1 else end
            continue
        operator = next((one for one in _OPERATORS if text.startswith(one, index)), "") if operators else ""
        if operator and not (operator in "<>" and text[index + 1 : index + 2] == "("):
            if start >= 0:
                words.append((text[start:index], start))
                start = -1
            words.append((operator, index))
            index += len(operator)
            continue
        if start < 0:
            start = index
        index = element_end(text, index)
    if start >= 0:
        words.append((text[start:], start))
    return words


def remove_quotes(raw: str) -> tuple[str, bool]:
    """A here-document delimiter without its quotes, and whether it had any."""
    plain = re.sub(r"\\(.)", r"\1", re.sub(r"['\"]", "", raw))
    return plain, plain != raw


def find_unquoted(text: str, characters: str, start: int = 0) -> int:
    """The first position of one of the characters outside quotes and expansions, or -1."""
    index = start
    while index < len(text):
        if text[index] in characters:
            return index
        index = element_end(text, index)
    return -1
