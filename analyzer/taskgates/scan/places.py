"""Where a finding about code is annotated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from taskgates.model.access import Access, Operation
from taskgates.model.spans import Site, SourceSpan
from taskgates.scan.rule import call_flow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.model.finding import Related
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
        function = "at module level" if self.function in ("", "<module>") else f"in `{self.function}`"
        return f"{function} (`{self.call}`)" if self.call else function


def inside_root(file: str) -> bool:
    """Whether a site's file lies in the repository."""
    return not file.startswith(("/", "~", "../", "<")) and file[1:3] != ":/"


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
    call = listed[0].call if listed else ""
    return Place(task.span, "", call)


def sites_of(accesses: Iterable[Access]) -> list[Site]:
    """All sites of several accesses, each once, in order."""
    return list(dict.fromkeys(site for access in accesses for site in access.sites))


_VERBS = {
    Operation.READ: "reads",
    Operation.LIST: "lists",
    Operation.STAT: "tests for",
    Operation.CREATE: "creates",
    Operation.OVERWRITE: "writes",
    Operation.APPEND: "appends to",
    Operation.UPDATE: "updates",
    Operation.DELETE: "deletes",
    Operation.RENAME: "renames",
    Operation.MKDIR: "makes the folder",
}
_BARE = {
    "reads": "read",
    "lists": "list",
    "tests for": "test for",
    "creates": "create",
    "writes": "write",
    "appends to": "append to",
    "updates": "update",
    "deletes": "delete",
    "renames": "rename",
    "makes the folder": "make the folder",
}


def verb_of(accesses: Iterable[Access]) -> str:
    """What is done, in the third person (`writes`); `may write` where some condition stands before every access."""
    listed = list(accesses)
    if not listed:
        return "touches"
    verb = _VERBS[listed[0].operation]
    return f"may {_BARE[verb]}" if all(access.conditional for access in listed) else verb


def task_names(ids: Iterable[str]) -> str:
    """Task ids for a message: `task 1`, `tasks 1 and 2`, `tasks 1, 2 and 3`; long lists are cut with their count."""
    listed = list(ids)
    if len(listed) == 1:
        return f"task {listed[0]}"
    shown = listed if len(listed) <= 6 else [*listed[:5], f"{len(listed) - 5} others"]
    return f"tasks {', '.join(shown[:-1])} and {shown[-1]}"
