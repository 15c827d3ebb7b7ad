"""What is wrong with an effect table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


class EffectProblem(msgspec.Struct, frozen=True, order=True):
    """One fault of an effect table.

    Attributes:
        file: the table's file.
        line: the line at fault, from 1.
        message: what is wrong and what to write instead.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class EffectTableError(ValueError):
    """Effect tables that cannot be used.

    Attributes:
        problems: every fault found, in order of file and line.
    """

    def __init__(self, problems: Iterable[EffectProblem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class GrammarError(ValueError):
    """A path expression, return type, parameter list or argument that does not parse."""
