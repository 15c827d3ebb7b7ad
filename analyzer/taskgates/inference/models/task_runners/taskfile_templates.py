"""The templates of Taskfiles (Go's `text/template`), filled in as far as their parts are known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from taskgates.inference.shell.texts import hole
from taskgates.inference.text import Text, TextLike, concat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ACTION = re.compile(r"\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.DOTALL)
_TOKEN = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|`[^`]*`|'[^']*'|\(|\)|\||[^\s()|]+)""")
_COMPARISONS = {"eq": lambda one, other: one == other, "ne": lambda one, other: one != other}
_DEPTH = 20

Entry = Any
"""What a variable holds: a text, known or not, or a list or mapping of such."""


class Templates:
    """Fills in templates.

    Args:
        variables: by name, without the dot.
    """

    def __init__(self, variables: Mapping[str, Entry]) -> None:
        self.variables = variables

    def filled(self, text: str) -> TextLike:
        """A text with its actions carried out; what is not understood becomes a hole."""
        if "{{" not in text:
            return text
        value, _ = self._block(list(_pieces(text)), 0, taken=True)
        return value

    def value(self, expression: str) -> Entry:
        """What an expression gives; a hole where it is not understood."""
        tokens = [found[1] for found in _TOKEN.finditer(expression)]
        try:
            value, rest = self._pipeline(tokens, 0)
        except (IndexError, KeyError, ValueError, re.error):
            return hole("data")
        return value if not rest else hole("data")

    def _block(self, pieces: Sequence[str | tuple[str]], index: int, *, taken: bool) -> tuple[TextLike, int]:
        """Text up to an `end` or `else` of its own."""
        out: list[TextLike] = []
        while index < len(pieces):
            piece = pieces[index]
            if isinstance(piece, str):
                out.append(piece)
                index += 1
                continue
            action = piece[0]
            word = action.split(None, 1)[0] if action else ""
            if word in ("end", "else"):
                break
            index += 1
            if word == "if":
                value, index = self._condition(pieces, index, action[2:], taken=taken)
                out.append(value)
            elif word in ("range", "with", "define", "block"):
                _, index = self._block(pieces, index, taken=False)
                index += 1
                out.append(hole("data"))
            elif taken and action and not action.startswith("/*"):
                out.append(as_text(self.value(action)))
        return concat(*out), index

    def _condition(
        self, pieces: Sequence[str | tuple[str]], index: int, test: str, *, taken: bool
    ) -> tuple[TextLike, int]:
        outcome = truth(self.value(test)) if taken else False
        yes, index = self._block(pieces, index, taken=taken and outcome is not False)
        no: TextLike = ""
        action = pieces[index][0] if index < len(pieces) else "end"
        if action.startswith("else"):
            inner = action.removeprefix("else").strip()
            if inner.startswith("if"):
                no, index = self._condition(pieces, index + 1, inner[2:], taken=taken and outcome is not True)
                return (yes if outcome is True else no if outcome is False else hole("data")), index
            no, index = self._block(pieces, index + 1, taken=taken and outcome is not True)
        return (yes if outcome is True or yes == no else no if outcome is False else hole("data")), index + 1

    def _pipeline(self, tokens: list[str], depth: int) -> tuple[Entry, list[str]]:
        if depth > _DEPTH:
            raise ValueError
        value, rest = self._command(tokens, None, depth)
        while rest and rest[0] == "|":
            value, rest = self._command(rest[1:], value, depth)
        return value, rest

    def _command(self, tokens: list[str], last: Entry, depth: int) -> tuple[Entry, list[str]]:
        """One function with its arguments, or one operand."""
        args: list[Entry] = []
        name = ""
        rest = list(tokens)
        while rest and rest[0] not in ("|", ")"):
            token = rest.pop(0)
            if token == "(":  # noqa: S105 - a piece of a template
                inner, rest = self._pipeline(rest, depth + 1)
                rest = rest[1:]
                args.append(inner)
            elif not name and not args and re.fullmatch(r"[A-Za-z]\w*", token) and token not in ("true", "false"):
                name = token
            else:
                args.append(self._operand(token))
        if last is not None:
            args.append(last)
        return (self._call(name, args) if name else args[0]), rest

    def _operand(self, token: str) -> Entry:
        if token[0] in "\"'`":
            return token[1:-1].replace('\\"', '"').replace("\\n", "\n") if token[0] == '"' else token[1:-1]
        if token in ("true", "false") or re.fullmatch(r"-?\d+(\.\d+)?", token):
            return token
        if token.startswith("."):
            value: Entry = dict(self.variables)
            for part in token[1:].split(".") if len(token) > 1 else ():
                value = value.get(part, "") if isinstance(value, dict) else hole("data")
            return value
        raise ValueError

    @staticmethod
    def _call(name: str, args: list[Entry]) -> Entry:
        if name in _COMPARISONS:
            one, other = args
            if isinstance(one, Text) or isinstance(other, Text):
                return hole("data")
            return str(_COMPARISONS[name](one, other)).lower()
        if name == "default":
            return args[0] if truth(args[1]) is False else args[1]
        if name in ("not", "and", "or"):
            found = [truth(arg) for arg in args]
            if None in found:
                return hole("data")
            outcome = not found[0] if name == "not" else all(found) if name == "and" else any(found)
            return str(outcome).lower() if name == "not" else (args[-1] if outcome else "")
        if name == "coalesce":
            return next((arg for arg in args if truth(arg) is not False), "")
        if name in ("OS", "os"):
            return "linux"
        if name == "exeExt":
            return ""
        if name == "index" and isinstance(args[0], list):
            return args[0][int(args[1])]
        if name == "joinPath":
            return concat(*[part for arg in args for part in ("/", as_text(arg))][1:])
        known = _FUNCTIONS.get(name)
        if known is not None and all(isinstance(arg, str) for arg in args):
            return known(*args)
        return hole("data", name)


_FUNCTIONS: Mapping[str, Callable[..., Entry]] = {
    "base": lambda text: text.rstrip("/").rpartition("/")[2],
    "dir": lambda text: text.rpartition("/")[0] or ".",
    "ext": lambda text: "." + text.rpartition(".")[2] if "." in text.rpartition("/")[2] else "",
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "trim": str.strip,
    "trimSuffix": lambda ending, text: text.removesuffix(ending),
    "trimPrefix": lambda start, text: text.removeprefix(start),
    "replace": lambda old, new, text: text.replace(old, new),
    "splitList": lambda mark, text: text.split(mark),
    "splitLines": str.splitlines,
    "catLines": lambda text: " ".join(text.splitlines()),
    "quote": lambda text: f'"{text}"',
    "q": lambda text: f'"{text}"',
    "shellQuote": lambda text: f"'{text}'",
    "toSlash": lambda text: text,
    "fromSlash": lambda text: text,
    "contains": lambda part, text: str(part in text).lower(),
    "hasPrefix": lambda part, text: str(text.startswith(part)).lower(),
    "hasSuffix": lambda part, text: str(text.endswith(part)).lower(),
    "print": lambda *texts: "".join(texts),
    "printf": lambda form, *texts: re.sub(r"%[sdvq]", "{}", form).format(*texts),
}


def _pieces(text: str) -> list[str | tuple[str]]:
    """Plain text, and actions in a tuple of their own."""
    made: list[str | tuple[str]] = []
    position = 0
    trimmed = False
    for found in _ACTION.finditer(text):
        before = text[position : found.start()]
        before = before.lstrip() if trimmed else before
        made.append(before.rstrip() if found[1] else before)
        made.append((found[2],))
        trimmed = bool(found[3])
        position = found.end()
    made.append(text[position:].lstrip() if trimmed else text[position:])
    return made


def truth(value: Entry) -> bool | None:
    """Whether a value counts as true; None where that is not known."""
    if isinstance(value, Text):
        return None
    return value not in ("", "false", "0", None, [], {})


def as_text(value: Entry) -> TextLike:
    """A value as it is put into a text."""
    if isinstance(value, str | Text):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return concat("[", *(part for item in value for part in (as_text(item), " ")), "]")
    return hole("data") if isinstance(value, dict) else "" if value is None else str(value)
