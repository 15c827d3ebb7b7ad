"""Paths that are given relative to an open folder (`dir_fd`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from taskgates.inference.objects import Arguments, Instance
from taskgates.inference.paths import join_paths
from taskgates.inference.values import AnyValue, PathV, as_value, path_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taskgates.inference.text import TextLike

KEYWORDS: Final[Mapping[str, tuple[int, str]]] = {
    "dir_fd": (0, "path"),
    "src_dir_fd": (0, "src"),
    "dst_dir_fd": (1, "dst"),
}
"""Keywords that hold such a folder: the position and the name of the argument that they concern."""


def resolved(name: str, args: Arguments) -> Arguments:
    """The arguments of a call with each path joined to the folder that it is relative to.

    Args:
        name: the qualified name of the function.
        args: its arguments, with at least one of `KEYWORDS`.
    """
    positional, keywords = list(args.pos), dict(args.kw)
    for keyword, concerned in KEYWORDS.items():
        folder = keywords.pop(keyword, None)
        place = path_text(folder.slots["name"]) if isinstance(folder, Instance) and "name" in folder.slots else None
        if place is None:
            continue
        index, parameter = KEYWORDS["dst_dir_fd"] if name == "os.symlink" else concerned
        if index < len(positional):
            positional[index] = _joined(place, positional[index])
        elif parameter in keywords:
            keywords[parameter] = _joined(place, keywords[parameter])
    return Arguments(positional, keywords, args.star, args.kwstar)


def _joined(folder: TextLike, value: AnyValue) -> AnyValue:
    text = path_text(value)
    if text is None:
        return value
    whole = join_paths(folder, text)
    return PathV(whole, value.type) if isinstance(value, PathV) else as_value(whole)
