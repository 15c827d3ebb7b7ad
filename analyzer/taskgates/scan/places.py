"""Where a finding about code is annotated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from taskgates.model.access import Access, Operation
from taskgates.model.finding import Related
from taskgates.model.patterns import PathPattern
from taskgates.model.spans import Site, SourceSpan
from taskgates.scan.rule import call_flow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.gates.footprint import Touch
    from taskgates.model.task import Task


class Place(msgspec.Struct, frozen=True):
    """The place of an access as a finding shows it.

    Attributes:
        span: a region inside the repository.
        function: the function around it; empty where only the manifest is known.
        call: what is called there.
        flow: the call chain that leads there.
    """

    span: SourceSpan
    function: str = ""
    call: str = ""
    flow: tuple[Related, ...] = ()

    @property
    def where(self) -> str:
        """The place in words, for messages: `in load (pandas.read_csv)`."""
        if not self.function and not self.call:
            return ""
        function = _SPECIAL_PLACES.get(self.function) or f"in `{self.function}`"
        return f"{function} (`{self.call}`)" if self.call else function


_SPECIAL_PLACES = {
    "": "at module level",
    "<module>": "at module level",
    "<script>": "in the script",
    "<command>": "in its command",
}


def inside_root(file: str) -> bool:
    """Whether a site's file lies in the repository."""
    return bool(file) and not file.startswith(("/", "~", "../", "<")) and file[1:3] != ":/"


def in_repository(pattern: PathPattern) -> bool:
    """Whether the paths of a pattern lie in the repository."""
    return not pattern.anchor


def place_of(sites: Iterable[Site], task: Task) -> Place:
    """The first site inside the repository, else the innermost caller there, else the task in its manifest."""
    listed = list(sites)
    for site in listed:
        if inside_root(site.file):
            return Place(site.span, site.function, site.call, call_flow(site))
    for site in listed:
        for frame in reversed(site.via):
            if inside_root(frame.file):
                span = SourceSpan(frame.file, frame.line, 1, frame.line, 1)
                return Place(span, frame.function, site.call, call_flow(site))
    if not listed or not listed[0].file:
        return Place(task.span)
    return Place(task.span, "<command>" if listed[0].file.startswith("<") else listed[0].function, listed[0].call)


def place_of_touch(touch: Touch, task: Task) -> Place:
    """Where a touch is annotated: the code that does it, or the declaration."""
    return Place(touch.span) if touch.site is None else place_of([touch.site], task)


def sites_of(accesses: Iterable[Access]) -> list[Site]:
    """All sites of several accesses, each once, in order."""
    return list(dict.fromkeys(site for access in accesses for site in access.sites))


_VERBS = {
    Operation.READ: ("reads", "read"),
    Operation.LIST: ("lists", "list"),
    Operation.STAT: ("tests for", "test for"),
    Operation.CREATE: ("creates", "create"),
    Operation.OVERWRITE: ("writes", "write"),
    Operation.APPEND: ("appends to", "append to"),
    Operation.UPDATE: ("updates", "update"),
    Operation.DELETE: ("deletes", "delete"),
    Operation.RENAME: ("renames", "rename"),
    Operation.MKDIR: ("makes the folder", "make the folder"),
}


def verb_of_operation(operation: Operation, *, conditional: bool = False) -> str:
    """What is done, in the third person (`writes`); `may write` under a condition."""
    third, bare = _VERBS[operation]
    return f"may {bare}" if conditional else third


def verb_of(accesses: Iterable[Access]) -> str:
    """What the first access does; `may write` only where some condition stands before every one of them."""
    listed = list(accesses)
    return verb_of_operation(listed[0].operation, conditional=all(access.conditional for access in listed))


def shown_path(path: PathPattern | str) -> str:
    """A pattern for messages and reports: the path itself, nothing escaped, where it matches only one."""
    pattern = PathPattern(path) if isinstance(path, str) else path
    return pattern.text if pattern.literal is None else pattern.literal


def task_names(ids: Iterable[str], *, capital: bool = False) -> str:
    """Task ids for a message: `task 1`, `tasks 1 and 2`, `tasks 1, 2 and 3`; long lists are cut with their count.

    With `capital` it begins a sentence.
    """
    listed = list(ids)
    noun = "Task" if capital else "task"
    if len(listed) == 1:
        return f"{noun} {listed[0]}"
    shown = listed if len(listed) <= 6 else [*listed[:5], f"{len(listed) - 5} others"]
    return f"{noun}s {', '.join(shown[:-1])} and {shown[-1]}"
