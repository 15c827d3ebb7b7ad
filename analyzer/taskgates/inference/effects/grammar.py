"""The small languages inside effect rows: parameter lists, path expressions, return types, callback arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.effects.errors import GrammarError
from taskgates.inference.effects.model import (
    Arg,
    ArgForm,
    Params,
    PathExpr,
    Piece,
    ReturnForm,
    Returns,
    Step,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

REFERENCES = ("self", "temporary", "argv")
"""What a path expression may name besides parameters: the object, a fresh name in the system's folder for temporary
files, the command line's words behind the program.
"""

TRANSFORMS = {
    "name": False,
    "parent": False,
    "stem": False,
    "suffix": False,
    "with_suffix": True,
    "with_name": True,
    "into": True,
    "after": True,
    "each": True,
    "folder": False,
    "kept": True,
    "local": False,
    "uri": False,
    "glob": False,
    "below": False,
}
"""Path transformations, and whether each takes an argument."""

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*\Z")
_QUALIFIED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
_PIECE = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<steps>(?:\.[A-Za-z_]\w*(?:\([^()]*\))?)*)\Z")
_STEP = re.compile(r"\.(?P<name>[A-Za-z_]\w*)(?:\((?P<argument>[^()]*)\))?")
_BRACES = re.compile(r"\{([^{}]*)\}")
_FORMS = {
    "none": ReturnForm.NONE,
    "unknown": ReturnForm.UNKNOWN,
    "self": ReturnForm.SELF,
    "call": ReturnForm.CALL,
    "item": ReturnForm.ITEM,
    "handle": ReturnForm.HANDLE,
    "decorator": ReturnForm.DECORATOR,
}


def is_identifier(text: str) -> bool:
    """Whether the text is a Python name."""
    return _IDENTIFIER.match(text) is not None


def is_qualified(text: str) -> bool:
    """Whether the text is a dotted name."""
    return _QUALIFIED.match(text) is not None


def parse_params(entries: Sequence[str]) -> Params:
    """Parse a parameter list.

    `/` is allowed and means nothing; `*` starts the keyword-only names; `*name` takes the remaining positional
    arguments; `**name` the remaining keywords.

    Raises:
        GrammarError: for what is no name, comes twice, or stands in the wrong place.
    """
    positional: list[str] = []
    keyword_only: list[str] = []
    star = double_star = ""
    keywords = False
    for entry in entries:
        if double_star:
            raise GrammarError(f"nothing may follow `**{double_star}`, yet `{entry}` does")
        if entry == "/":
            continue
        if entry == "*":
            if keywords:
                raise GrammarError("`*` comes twice")
            keywords = True
            continue
        name = entry.lstrip("*")
        if not is_identifier(name) or len(entry) - len(name) > 2:
            raise GrammarError(f"`{entry}` is not a parameter: write a name, `*name`, `**name`, `*` or `/`")
        if name in (*positional, *keyword_only, star) or name == "self":
            why = "leave `self` out" if name == "self" else "it comes twice"
            raise GrammarError(f"parameter `{name}`: {why}")
        if entry.startswith("**"):
            double_star = name
        elif entry.startswith("*"):
            if keywords:
                raise GrammarError(f"`{entry}` stands behind `*`")
            star, keywords = name, True
        elif keywords:
            keyword_only.append(name)
        else:
            positional.append(name)
    return Params(tuple(positional), tuple(keyword_only), star, double_star)


def parse_piece(text: str, *, attributes: bool = False) -> Piece:
    """Parse a reference such as `src`, `src.stem`, `self.file` or `src.with_suffix(.bak)`.

    Args:
        text: the reference.
        attributes: whether the steps may be attributes of the value; the first one behind `self` always may.

    Raises:
        GrammarError: when it is none.
    """
    match = _PIECE.match(text)
    if match is None:
        raise GrammarError(f"`{text}` is not a reference: write a parameter or `self`, then steps such as `.stem`")
    steps = tuple(Step(step["name"], step["argument"]) for step in _STEP.finditer(match["steps"]))
    name = match["name"]
    for index, step in enumerate(steps):
        if step.argument is None and (attributes or (name == "self" and index == 0)):
            continue
        takes = TRANSFORMS.get(step.name)
        if takes is None:
            known = ", ".join(sorted(TRANSFORMS))
            raise GrammarError(f"`.{step.name}` in `{text}` is no transformation; there are {known}")
        if takes is (step.argument is None):
            raise GrammarError(f"`.{step.name}` in `{text}` takes {'an' if takes else 'no'} argument")
    return Piece(name, steps)


def parse_path(text: str) -> PathExpr:
    """Parse a path expression: a bare name, or a template with references in braces.

    Raises:
        GrammarError: when braces do not match or a reference does not parse.
    """
    if is_identifier(text):
        return PathExpr((Piece(text),), bare=True)
    return parse_template(text)


def parse_template(text: str) -> PathExpr:
    """Parse a template: literal text (`*` and `**` are wildcards) with references in braces.

    Raises:
        GrammarError: when braces do not match or a reference does not parse.
    """
    if not text:
        raise GrammarError("a path expression is empty")
    parts: list[str | Piece] = []
    end = 0
    for match in _BRACES.finditer(text):
        parts.append(text[end : match.start()])
        parts.append(parse_piece(match[1]))
        end = match.end()
    parts.append(text[end:])
    if any("{" in part or "}" in part for part in parts if isinstance(part, str)):
        raise GrammarError(f"the braces in `{text}` do not match")
    return PathExpr(tuple(part for part in parts if part != ""))


def parse_returns(text: str) -> Returns:
    """Parse a return type.

    Raises:
        GrammarError: when it does not parse.
    """
    members = _split(text, "|")
    if len(members) > 1:
        return Returns(ReturnForm.UNION, args=tuple(map(_parse_single, members)))
    return _parse_single(members[0])


def _parse_single(text: str) -> Returns:
    if text in _FORMS:
        return Returns(_FORMS[text])
    if text.startswith("="):
        if text.endswith("[]"):
            return Returns(ReturnForm.ELEMENT, piece=parse_piece(text[1:-2]))
        return Returns(ReturnForm.PARAM, piece=parse_piece(text[1:]))
    if text.endswith(")"):
        head, _, inner = text[:-1].partition("(")
        if head in ("path", "text"):
            return Returns(ReturnForm(head), path=parse_template(inner))
        if head == "handle":
            path, _, mode = inner.rpartition(",") if "," in inner else (inner, "", "")
            return Returns(ReturnForm.HANDLE, path=parse_path(path.strip()), mode=mode.strip())
        if text == "decorator(later)":
            return Returns(ReturnForm.DECORATOR, mode="later")
        raise GrammarError(f"`{text}`: only `handle(...)`, `path(...)` and `text(...)` take parentheses")
    if text.endswith("]"):
        head, _, inner = text[:-1].partition("[")
        args = tuple(parse_returns(arg) for arg in _split(inner, ","))
        if head == "optional":
            return Returns(ReturnForm.UNION, args=(*args, Returns(ReturnForm.NONE)))
        if is_qualified(head):
            return Returns(ReturnForm.TYPE, head, args)
    elif is_qualified(text):
        return Returns(ReturnForm.TYPE, text)
    raise GrammarError(f"`{text}` is not a type: write for instance `str`, `list[str]`, `pandas.DataFrame`, `=param`")


def _split(text: str, separator: str) -> list[str]:
    """Split at separators outside brackets, parentheses and braces."""
    out: list[str] = []
    depth = start = 0
    for index, letter in enumerate(text):
        if letter in "[({":
            depth += 1
        elif letter in "])}":
            depth -= 1
        elif letter == separator and depth == 0:
            out.append(text[start:index].strip())
            start = index + 1
    out.append(text[start:].strip())
    if depth != 0 or not all(out):
        raise GrammarError(f"`{text}` does not parse: brackets must match and nothing may be empty")
    return out


def parse_arg(text: str) -> Arg:
    """Parse an argument of a callback.

    `?` is unknown, `:TYPE` an object of that type, `x[]` one element of `x`, `*x` all its elements, `*x[]` all elements
    of one of its elements, `x` itself.

    Raises:
        GrammarError: when it does not parse.
    """
    if text == "?":
        return Arg(ArgForm.UNKNOWN)
    if text.startswith(":"):
        return Arg(ArgForm.INSTANCE, type=parse_returns(text[1:]))
    if text.startswith("*") and text.endswith("[]"):
        return Arg(ArgForm.STAR_ELEMENT, parse_piece(text[1:-2]))
    if text.startswith("*"):
        return Arg(ArgForm.STAR, parse_piece(text[1:]))
    if text.endswith("[]"):
        return Arg(ArgForm.ELEMENT, parse_piece(text[:-2]))
    return Arg(ArgForm.VALUE, parse_piece(text))
