"""What a manifest reader is, and what all of them share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from taskgates.model.finding import Problem
from taskgates.model.patterns import PathPattern
from taskgates.model.task import DeclaredPath, Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.model.spans import SourceSpan
    from taskgates.tree.tree import Tree

INVALID_MANIFEST = "TG901"
DUPLICATE_TASK = "TG903"

FILE_LIMIT = 64 << 20
"""Bytes of a manifest that are read; a larger one is reported."""

PATH_LIMIT = 4096
"""Characters of a declared path; Linux has no longer ones."""

WILDCARD_LIMIT = 64
"""Wildcards of a declared path; the time to compare two patterns grows with the product of theirs."""

_STATUSES = {
    Status.PENDING: "pending|todo|to do|open|new|ready|planned|not started|queued",
    Status.IN_PROGRESS: "in progress|active|started|doing|wip|review|in review|running",
    Status.BLOCKED: "blocked|on hold|waiting|deferred|paused",
    Status.BROKEN_DOWN: "broken down|breakdown|split",
    Status.ABSORBED: "absorbed|merged|superseded|duplicate",
    Status.FINISHED: "finished|done|complete|completed|closed|cancelled|canceled|archived|abandoned|wont do|skipped",
}
_STATUS_BY_WORD = {word: status for status, words in _STATUSES.items() for word in words.split("|")}
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_-][\w -]*(?:\.[\w -]+)*(?:/[\w -][\w. -]*)*/?", re.ASCII)
"""Paths that are in normal form as they stand; most are."""


class ReadResult(NamedTuple):
    """The tasks of one manifest file, and what is wrong with it."""

    tasks: tuple[Task, ...]
    problems: tuple[Problem, ...]


class Reader(Protocol):
    """Turns one manifest format into tasks."""

    @property
    def name(self) -> str:
        """The format's name, as `Task.format` and as the prefix of ids that two formats share."""

    def find(self, tree: Tree) -> tuple[str, ...]:
        """The manifest files of this format in the repository."""

    def read(self, tree: Tree, file: str) -> ReadResult:
        """Read one of them; never raises, whatever the file holds."""

    def link(self, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        """Add the dependencies that the format implies between tasks, once all files are read."""


def parse_status(text: str) -> Status:
    """The state that a manifest's word stands for; an unknown word counts as pending, so that the task is looked at."""
    words = re.sub(r"[\s_\-']+", " ", text.replace("'", "")).strip().lower()
    return _STATUS_BY_WORD.get(words, Status.PENDING)


def parse_path(text: str, span: SourceSpan, folder: str = ".") -> DeclaredPath | str:
    """A declared path in its normal form, or what is wrong with it.

    Args:
        text: as the manifest has it: a file, a folder with a trailing slash, or a pattern.
        span: the place of the declaration.
        folder: the folder to which it is relative, itself relative to the root.
    """
    if len(text) > PATH_LIMIT:
        return f"the path {shown(text)} is longer than a path can be ({PATH_LIMIT:,} characters)"
    if folder == "." and _PLAIN_PATH.fullmatch(text):
        return DeclaredPath(text, span)
    if not text.strip():
        return "a declared path is empty"
    if any(ord(character) < 32 for character in text) or not is_clean(text):
        return f"the path {shown(text)} holds a character that no file name has"
    if sum(map(text.count, "*?[")) > WILDCARD_LIMIT:
        return f"the path {shown(text)} has more than {WILDCARD_LIMIT} wildcards; name what it stands for more plainly"
    anchored = PathPattern(text).anchor
    if anchored and not anchored.startswith(".."):
        return f"the path {shown(text)} is not relative to the repository; give it relative to the root"
    pattern = PathPattern(text if folder == "." else f"{folder}/{text}")
    if pattern.anchor:
        return f"the path {shown(text)} leads out of the repository"
    return DeclaredPath(pattern.text, span)


def is_clean(text: str) -> bool:
    """Whether a text has a UTF-8 form (JSON and YAML escapes can make some that have none)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(text: str) -> str:
    """A text in quotes for a message, cut where it is long."""
    quoted = repr(text)
    return quoted if len(quoted) <= 100 else f"{quoted[:97]}...{quoted[-1]}"


def is_number(value: object) -> bool:
    """Whether decoded data is a number; booleans are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def unique_paths(paths: Iterable[DeclaredPath]) -> tuple[DeclaredPath, ...]:
    """Each path once, at its first place."""
    found: dict[str, DeclaredPath] = {}
    for path in paths:
        found.setdefault(path.path, path)
    return tuple(found.values())


def invalid(message: str, span: SourceSpan, *tasks: str) -> Problem:
    """A complaint about a manifest."""
    return Problem(INVALID_MANIFEST, message, span, tasks)
