"""What an analysis result rests on: the questions it asked of the tree, and digests of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgates.tree.tree import Tree

Question = Literal["kind", "link", "real", "size", "modified", "read", "digest", "list", "glob", "walk"]
Stamp = tuple[int, int, int, int]
"""Modification and change time in nanoseconds, size in bytes, inode."""


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """One question and a digest of its answer.

    Attributes:
        question: which method of the tree was asked.
        path: the normalised path, or the pattern.
        argument: the size limit of a read, the flags of a glob.
        digest: the answer; the empty string stands for absence.
        stamp: the state of the file or folder then; where it is the same now, so is the answer. None if not usable.
    """

    question: Question
    path: str
    argument: int
    digest: str
    stamp: Stamp | None = None


class Evidence(msgspec.Struct):
    """The questions asked during one recording, each once, in order of the first asking.

    Attributes:
        answers: by question, path and argument, joined with NUL.
        contradictory: whether one question was answered in two ways, because the tree changed meanwhile. Such evidence
            never holds.
    """

    answers: dict[str, Answer] = msgspec.field(default_factory=dict)
    contradictory: bool = False

    def __len__(self) -> int:
        return len(self.answers)

    def __iter__(self) -> Iterator[Answer]:
        return iter(self.answers.values())

    def note(self, question: Question, path: str, argument: int, digest: str, stamp: Stamp | None) -> None:
        """Add one answered question."""
        self._add(f"{question}\0{argument}\0{path}", Answer(question, path, argument, digest, stamp))

    def merge(self, other: Evidence) -> None:
        """Add everything that another recording saw."""
        self.contradictory = self.contradictory or other.contradictory
        for key, answer in other.answers.items():
            self._add(key, answer)

    def holds(self, tree: Tree) -> bool:
        """Whether every question would be answered in the same way now.

        Cheap where nothing changed: one `stat` for a file or folder that was read; globs and walks are asked again,
        from listings that the tree remembers.
        """
        if self.contradictory:
            return False
        for answer in self.answers.values():
            if answer.stamp is not None and tree.stamp(answer.path) == answer.stamp:
                continue
            if tree.answer(answer.question, answer.path, answer.argument) != answer.digest:
                return False
        return True

    def _add(self, key: str, answer: Answer) -> None:
        known = self.answers.get(key)
        if known is None:
            self.answers[key] = answer
        elif known.digest != answer.digest:
            self.contradictory = True
