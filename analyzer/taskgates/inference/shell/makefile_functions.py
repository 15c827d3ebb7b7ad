"""The text functions of `make`, on words known wholly or in part."""

from __future__ import annotations

from collections.abc import Callable

from taskgates.inference.shell.makefile_text import (
    extension_of,
    folder_of,
    joined,
    replaced_stem,
    split_words,
    stem_of,
    substituted,
    without_extension,
)
from taskgates.inference.shell.texts import basename
from taskgates.inference.text import TextLike, concat

_Function = Callable[[list[TextLike]], "TextLike | None"]


def text_function(name: str, given: list[TextLike]) -> TextLike | None:
    """The value of a function such as `patsubst`; None when it is not known, or its arguments are not.

    Args:
        name: of the function.
        given: its arguments, expanded.
    """
    function = _BY_NAME.get(name)
    return function(given) if function is not None and given else None


def _each(change: Callable[[TextLike], TextLike]) -> _Function:
    return lambda given: joined([change(word) for word in split_words(given[-1])])


def _pattern_substitution(given: list[TextLike]) -> TextLike | None:
    if len(given) != 3 or not isinstance(given[0], str):
        return None
    pattern = given[0].strip()
    return joined([replaced_stem(word, pattern, given[1]) for word in split_words(given[2])])


def _substitution(given: list[TextLike]) -> TextLike | None:
    if len(given) != 3 or not isinstance(given[0], str) or not given[0]:
        return None
    return substituted(given[2], given[0], given[1])


def _filter(*, keeps: bool) -> _Function:
    def function(given: list[TextLike]) -> TextLike | None:
        if not isinstance(given[0], str):
            return None
        patterns = given[0].split()
        words = split_words(given[-1])
        return joined([word for word in words if any(stem_of(word, one) is not None for one in patterns) == keeps])

    return function


def _word(given: list[TextLike]) -> TextLike | None:
    if not isinstance(given[0], str) or not given[0].strip().isdigit():
        return None
    number = int(given[0].strip()[:6])
    words = split_words(given[-1])
    return words[number - 1] if 0 < number <= len(words) else ""


def _pairs(given: list[TextLike]) -> TextLike | None:
    return joined([concat(*pair) for pair in zip(split_words(given[0]), split_words(given[-1]), strict=False)])


def _sorted(given: list[TextLike]) -> TextLike:
    return joined(sorted(dict.fromkeys(split_words(given[-1])), key=str))


_BY_NAME: dict[str, _Function] = {
    "patsubst": _pattern_substitution,
    "subst": _substitution,
    "dir": _each(folder_of),
    "notdir": _each(basename),
    "basename": _each(without_extension),
    "suffix": _each(extension_of),
    "addprefix": lambda given: joined([concat(given[0], word) for word in split_words(given[-1])]),
    "addsuffix": lambda given: joined([concat(word, given[0]) for word in split_words(given[-1])]),
    "filter": _filter(keeps=True),
    "filter-out": _filter(keeps=False),
    "sort": _sorted,
    "strip": _each(lambda word: word),
    "firstword": lambda given: next(iter(split_words(given[-1])), ""),
    "lastword": lambda given: next(reversed(split_words(given[-1])), ""),
    "word": _word,
    "words": lambda given: str(len(split_words(given[-1]))),
    "join": _pairs,
    "or": lambda given: next((one for one in given if one != ""), ""),
    "and": lambda given: "" if any(one == "" for one in given) else given[-1],
}
