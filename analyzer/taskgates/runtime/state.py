"""The folder `.taskgates` in which the runtime keeps what it must not lose: locks, checkpoints, journal, logs."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from taskgates.runtime.errors import StateDirectoryError, permission_hint
from taskgates.tree.ownership import is_ours

STATE_FOLDER = ".taskgates"
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_DATABASE_FILES = ("", "-journal", "-wal", "-shm")
"""A database, and what SQLite keeps beside it."""


class StateDirectory:
    """Creates and names the parts of `.taskgates` below a repository root.

    The folder and what lies in it are readable by their owner only, and a `.gitignore` of its own keeps it out of
    version control. Nothing is written through a link, or where another user could change it: a repository may come
    with a `.taskgates` of somebody else's making.

    Args:
        root: the repository root; must exist.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would follow a symlinked root
        self.path = self.root / STATE_FOLDER

    def folder(self, name: str) -> Path:
        """The sub-folder `name` (nested with slashes), created when missing.

        Returns:
            Its absolute path.

        Raises:
            StateDirectoryError: the repository cannot be written, or a folder on the way is a link, no folder, or
                another user's.
        """
        folder = self.path / name
        try:
            if not folder.is_dir():
                self._create(folder)
            self._check(self.path, stat.S_IFDIR)
            part = self.path
            for step in folder.relative_to(self.path).parts:
                part = part / step
                self._check(part, stat.S_IFDIR)
        except OSError as error:
            raise StateDirectoryError(permission_hint(folder, error)) from error
        return folder

    def database(self, name: str) -> Path:
        """The place of a SQLite file (nested with slashes) in a folder that is created when missing.

        Returns:
            Its absolute path; there need be no such file yet.

        Raises:
            StateDirectoryError: as for `folder`; or the file, or one that SQLite keeps beside it, is a link, has a
                second name, or is another user's.
        """
        parent, _, last = name.rpartition("/")
        file = self.folder(parent or ".") / last
        for suffix in _DATABASE_FILES:
            beside = file.with_name(file.name + suffix)
            try:
                self._check(beside, stat.S_IFREG)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StateDirectoryError(permission_hint(beside, error)) from error
        return file

    def _create(self, folder: Path) -> None:
        if not self.root.is_dir():
            raise StateDirectoryError(f"{self.root}: no such folder; give the repository with --root")
        with contextlib.suppress(FileExistsError):
            self.path.mkdir(mode=_PRIVATE_FOLDER)
        self._check(self.path, stat.S_IFDIR)
        ignore = self.path / ".gitignore"
        if not ignore.exists():
            write_atomically(ignore, b"*\n")
        part = self.path
        for name in folder.relative_to(self.path).parts:
            part = part / name
            with contextlib.suppress(FileExistsError):
                part.mkdir(mode=_PRIVATE_FOLDER)
            self._check(part, stat.S_IFDIR)

    @staticmethod
    def _check(path: Path, kind: int) -> None:
        """Refuse what is not ours; FileNotFoundError when there is nothing."""
        status = path.lstat()
        if is_ours(status, kind):
            return
        if stat.S_ISLNK(status.st_mode):
            what = "a link, which would lead out of the repository"
        elif stat.S_IFMT(status.st_mode) != kind:
            what = "no folder" if kind == stat.S_IFDIR else "no regular file"
        elif kind == stat.S_IFREG and status.st_nlink > 1:
            what = "a file with a second name (a hard link)"
        else:
            what = "another user's, or writable by everybody"
        raise StateDirectoryError(f"{path}: {what}; nothing is written there: remove it, or move it away")


def write_atomically(
    path: Path, data: bytes, *, durable: bool = False, mode: int = _PRIVATE_FILE, scratch: Path | None = None
) -> None:
    """Replace a file so that readers, and a crash, see the old or the new content and never a mixture.

    Args:
        path: the file; its folder must exist.
        data: the whole new content.
        durable: wait until content and name are on the disk.
        mode: permissions of the new file.
        scratch: folder in which the new file is prepared, so that a crash leaves nothing beside the old one; used where
            it is on the same file system.

    Raises:
        OSError: the folder cannot be written or the disk is full; the old file is untouched.
    """
    folder = path.parent
    if scratch is not None and scratch.stat().st_dev == folder.stat().st_dev:
        folder = scratch
    temporary = folder / f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(data)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and removals in a folder survive a power failure, where the system offers that.

    Raises:
        OSError: the folder does not exist.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some file systems refuse fsync on a folder; the rename is then as durable as they make it.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
