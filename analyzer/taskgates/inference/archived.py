"""Python code inside ZIP archives of the tree, as `python app.pyz` and archives on `sys.path` run it (PEP 441)."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from taskgates.tree.modules import Module, SearchEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.tree.tree import Tree


@dataclass
class MadeArchive:
    """A ZIP archive that the program has made.

    Attributes:
        members: for each name in the archive the file of the tree that it was made of, relative to the root.
        start: the text of its `__main__.py` where that is no file of the tree.
    """

    members: dict[str, str] = field(default_factory=dict)
    start: str = ""

    def find(self, name: str) -> Module | None:
        """The module of a name at the top of the archive, by its source in the tree."""
        package = self.members.get(f"{name}/__init__.py")
        if package is not None:
            return Module(name, "package", package, (package.rpartition("/")[0],))
        module = self.members.get(f"{name}.py")
        if module is not None:
            return Module(name, "module", module)
        for member, place in self.members.items():
            inner = member.removeprefix(f"{name}/")
            if inner != member and place.endswith(f"/{inner}"):
                return Module(name, "namespace", None, (place.removesuffix(f"/{inner}"),))
        return None


def split_archive(tree: Tree, path: str) -> tuple[str, str] | None:
    """An archive and the member that a path `ARCHIVE/MEMBER` names; None where no part of the path is a file."""
    parts = path.split("/")
    for index in range(1, len(parts)):
        head = "/".join(parts[:index])
        kind = tree.kind(head)
        if kind == "file":
            return head, "/".join(parts[index:])
        if kind is None:
            return None
    return None


def member_names(tree: Tree, archive: str, limit: int) -> frozenset[str]:
    """The files in an archive; none when it is no ZIP archive, or larger than `limit` bytes."""
    data = tree.read_bytes(archive, limit)
    if data is None:
        return frozenset()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            return frozenset(name for name in opened.namelist() if not name.endswith("/"))
    except (zipfile.BadZipFile, OSError, ValueError):
        return frozenset()


def read_member(tree: Tree, archive: str, member: str, limit: int) -> bytes | None:
    """The content of a member; None when there is none, or when it has more than `limit` bytes."""
    data = tree.read_bytes(archive, limit)
    if data is None:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            if opened.getinfo(member).file_size > limit:
                return None
            with opened.open(member) as content:
                # The size in the directory may be a lie: no more than the limit is unpacked.
                unpacked = content.read(limit + 1)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, RuntimeError, NotImplementedError, EOFError):
        return None
    return unpacked if len(unpacked) <= limit else None


def find_archived(name: str, folders: Sequence[SearchEntry], tree: Tree, limit: int) -> Module | None:
    """Find a module by its last name in those folders that are archives of the tree, or lie in one."""
    for folder in folders:
        if not isinstance(folder, str):
            continue
        place = (folder, "") if tree.kind(folder) == "file" else split_archive(tree, folder)
        if place is None:
            continue
        archive, inner = place
        names = member_names(tree, archive, limit)
        base = f"{inner}/{name}" if inner else name
        if f"{base}/__init__.py" in names:
            return Module(name, "package", f"{archive}/{base}/__init__.py", (f"{archive}/{base}",))
        if f"{base}.py" in names:
            return Module(name, "module", f"{archive}/{base}.py")
        if any(member.startswith(base + "/") for member in names):
            return Module(name, "namespace", None, (f"{archive}/{base}",))
    return None


__all__ = ["MadeArchive", "find_archived", "member_names", "read_member", "split_archive"]
