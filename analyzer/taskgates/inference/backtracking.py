r"""How long Python's matcher may take for a pattern: a bound from the pattern's syntax.

The matcher tries every way in which the repetitions of a pattern can share the text. That is one way where what
follows a repetition is nothing that it takes itself (`\w+=`), as many as the text is long where two repetitions may
take the same characters (`.*;.*`), and twice as many for each character where a repetition lies within another and can
be left at every turn (`(a+)+`), or where the branches within one begin alike (`(a|ab)*`).
"""

from __future__ import annotations

import re
import re._parser as parser  # type: ignore[import-not-found]
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

_LATIN = 256
_KINDS = (r"\d", r"\s", r"\w", r"")
"""Digits, spaces, letters and signs: one bit for all of a kind beyond Latin-1."""

_ANY = (1 << (_LATIN + len(_KINDS))) - 1
_DIGITS, _SPACES, _WORDS = (
    sum(1 << code for code in range(_LATIN) if re.match(kind, chr(code))) | beyond << _LATIN
    for kind, beyond in ((r"\d", 0b1), (r"\s", 0b10), (r"\w", 0b101))
)
_CATEGORIES = {
    "CATEGORY_DIGIT": _DIGITS,
    "CATEGORY_NOT_DIGIT": _ANY & ~_DIGITS,
    "CATEGORY_SPACE": _SPACES,
    "CATEGORY_NOT_SPACE": _ANY & ~_SPACES,
    "CATEGORY_WORD": _WORDS,
    "CATEGORY_NOT_WORD": _ANY & ~_WORDS,
}
_MANY = 8
"""What can be repeated this often counts as repeated without a bound."""


class Ways(msgspec.Struct, frozen=True):
    """In how many ways a pattern may be tried on a text, at one place of it.

    Attributes:
        degree: the power of the text's length that bounds their number.
        exponential: whether no power does.
    """

    degree: int
    exponential: bool


SHORT_TEXT = 20
"""Text so short that no pattern can run for long on it."""

_MOST_WAYS = 1 << 31
"""Ways of matching that are tried for one pattern and text, if it comes to the worst."""


class _Part(msgspec.Struct, frozen=True):
    """What a part of a pattern takes. Sets of characters are integers, one bit a character.

    Attributes:
        first: what it may begin with.
        empty: whether it may take nothing.
        open: the sets that repetitions at its end take, each with the number of those before that share with it.
        degree: as in `Ways`.
        exponential: as in `Ways`.
        alike: whether it has branches that begin alike.
    """

    first: int = 0
    empty: bool = True
    open: tuple[tuple[int, int], ...] = ()
    degree: int = 0
    exponential: bool = False
    alike: bool = False


@lru_cache(maxsize=1 << 10)
def ways(pattern: str | bytes, flags: int = 0) -> Ways:
    """How many ways a pattern may have to be tried in.

    Raises:
        re.error: it is no pattern.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = parser.parse(pattern, flags)
    whole = _sequence(tree, tree.state.flags)
    return Ways(whole.degree, whole.exponential)


def affordable(pattern: str | bytes, length: int, flags: int = 0) -> bool:
    """Whether a pattern can be tried from every place of a text of some length in bounded time.

    Raises:
        re.error: it is no pattern.
    """
    if length <= SHORT_TEXT:
        return True
    worst = ways(pattern, flags)
    return not worst.exponential and length ** (worst.degree + 1) <= _MOST_WAYS


def _sequence(items: Iterable[tuple[Any, Any]], flags: int) -> _Part:
    out = _Part()
    for kind, value in items:
        out = _then(out, _part(kind, value, flags))
    return out


def _then(left: _Part, right: _Part) -> _Part:
    before = max((count for taken, count in left.open if taken & right.first), default=0)
    ends = [(taken, count + before) for taken, count in right.open]
    if right.empty:
        ends += left.open
    elif before and not right.open:
        # What is fixed here might be taken by the repetition before it just as well, and does not end it.
        ends += [each for each in left.open if each[0] & right.first]
    return _Part(
        left.first | (right.first if left.empty else 0),
        left.empty and right.empty,
        tuple(ends),
        max(left.degree, before + right.degree),
        left.exponential or right.exponential,
        left.alike or right.alike,
    )


def _part(kind: Any, value: Any, flags: int) -> _Part:
    match str(kind):
        case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY":
            return _Part(_characters(kind, value, flags), empty=False)
        case "SUBPATTERN":
            return _sequence(value[3], (flags | value[1]) & ~value[2])
        case "BRANCH":
            return _branches([_sequence(branch, flags) for branch in value[1]])
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, body = value
            return _repeated(_sequence(body, flags), least, most, possessive="POSSESSIVE" in str(kind))
        case "ATOMIC_GROUP":
            return msgspec.structs.replace(_sequence(value, flags), open=(), alike=False)
        case "ASSERT" | "ASSERT_NOT":
            inner = _sequence(value[1], flags)
            return _Part(degree=inner.degree, exponential=inner.exponential)
        case "GROUPREF":
            return _Part(_ANY)
        case "GROUPREF_EXISTS":
            return _branches([_sequence(branch, flags) for branch in value[1:] if branch is not None])
    return _Part()


def _repeated(body: _Part, least: int, most: int, *, possessive: bool) -> _Part:
    again = most > 1 and (
        body.alike or (body.empty and most is not parser.MAXREPEAT) or any(taken & body.first for taken, _ in body.open)
    )
    few = most <= _MANY
    # However it is taken, it takes the same where the number is fixed.
    ends = body.open if least == most else ((body.first, 1), *body.open)
    return _Part(
        body.first,
        body.empty or not least,
        () if possessive else ends,
        (body.degree + 1) * most if few and again else max(body.degree, not few),
        body.exponential or (again and not few),
        body.alike,
    )


def _branches(parts: list[_Part]) -> _Part:
    first = 0
    # Two branches that may take nothing are two ways to take it.
    alike = sum(part.empty for part in parts) > 1
    for part in parts:
        alike = alike or part.alike or bool(first & part.first)
        first |= part.first
    empty = any(part.empty for part in parts)
    return _Part(
        first,
        empty,
        (*((first, 1) for _ in range(empty)), *(each for part in parts for each in part.open)),
        max((part.degree for part in parts), default=0),
        any(part.exponential for part in parts),
        alike,
    )


def _characters(kind: Any, value: Any, flags: int) -> int:
    match str(kind):
        case "ANY":
            return _ANY
        case "LITERAL":
            return _bits(value, flags)
        case "NOT_LITERAL":
            return _ANY & ~_bits(value, flags)
    out = some = 0
    negated = False
    for each, argument in value:
        match str(each):
            case "NEGATE":
                negated = True
            case "LITERAL" if argument < _LATIN:
                out |= _bits(argument, flags)
            case "LITERAL":
                some |= _bits(argument, flags)
            case "RANGE":
                out |= _union(_bits(code, flags) for code in range(argument[0], min(argument[1] + 1, _LATIN)))
                some |= _ANY >> _LATIN << _LATIN if argument[1] >= _LATIN else 0
            case _:
                out |= _CATEGORIES[str(argument)]
    return _ANY & ~out if negated else out | some


def _bits(code: int, flags: int) -> int:
    """One character, in both cases where case does not count; beyond Latin-1 all of its kind."""
    if code >= _LATIN:
        alike = next(place for place, kind in enumerate(_KINDS) if re.match(kind, chr(code)))
        return 1 << (_LATIN + alike)
    if not flags & re.IGNORECASE:
        return 1 << code
    return _union(1 << ord(char) for char in chr(code).lower() + chr(code).upper() if ord(char) < _LATIN)


def _union(sets: Iterable[int]) -> int:
    out = 0
    for each in sets:
        out |= each
    return out
