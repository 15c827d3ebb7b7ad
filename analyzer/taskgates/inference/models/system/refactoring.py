"""`2to3`: whether it changes a source is asked of the same fixers, as far as this Python still has them."""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from typing import Any

from taskgates.inference.sources import decode

_PACKAGE = "lib2to3.fixes"


class Fixers:
    """The fixers that a command line chooses.

    Args:
        wanted: the names after `-f`; none stands for all but the optional ones.
        unwanted: the names after `-x`.
        options: flags of the grammar, such as `print_function`.
    """

    def __init__(self, wanted: list[str], unwanted: list[str], options: dict[str, bool]) -> None:
        self._key = (tuple(wanted), tuple(unwanted), tuple(sorted(options.items())))

    def change(self, content: bytes, file: str) -> bool | None:
        """Whether a source is changed; one that cannot be parsed is not. None where that cannot be told.

        Args:
            content: the source.
            file: its absolute path, beside which imports are looked for.
        """
        tool = _tool(*self._key)
        text = decode(content)
        if tool is None or text is None:
            return None
        try:
            tree = tool.refactor_string(text + "\n", file)
        except Exception:  # noqa: BLE001 - whatever a fixer does not take, it leaves the file alone
            return False
        return tree is not None and str(tree) != text + "\n"


@cache
def _tool(wanted: tuple[str, ...], unwanted: tuple[str, ...], options: tuple[tuple[str, bool], ...]) -> Any:
    """The tool that applies fixers; None where this Python has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            refactor = import_module("lib2to3.refactor")
        except ImportError:
            return None
        every = set(refactor.get_fixers_from_package(_PACKAGE))
        explicit = {f"{_PACKAGE}.fix_{name}" for name in wanted if name != "all"}
        chosen = explicit | every if not wanted or "all" in wanted else explicit
        chosen -= {f"{_PACKAGE}.fix_{name}" for name in unwanted}
        try:
            return refactor.RefactoringTool(sorted(chosen & every), dict(options), sorted(explicit & every))
        except Exception:  # noqa: BLE001 - an odd choice of fixers
            return None


__all__ = ["Fixers"]
