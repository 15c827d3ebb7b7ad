"""The folder `.taskgates` in which the runtime keeps what it must not lose: locks, checkpoints, journal, logs."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from taskgates.runtime.errors import StateDirectoryError, permission_hint

STATE_FOLDER = ".taskgates"
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


class StateDirectory:
    """Creates and names the parts of `.taskgates` below a repository root.

    The folder and what lies in it are readable by their owner only, and a `.gitignore` of its own keeps it out of
    version control.

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
            StateDirectoryError: the repository cannot be written.
        """
        folder = self.path / name
        try:
            if not folder.is_dir():
                self._create(folder)
        except OSError as error:
            raise StateDirectoryError(permission_hint(folder, error)) from error
        return folder

    def _create(self, folder: Path) -> None:
        if not self.root.is_dir():
            raise StateDirectoryError(f"{self.root}: no such folder; give the repository with --root")
        self.path.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        ignore = self.path / ".gitignore"
        if not ignore.exists():
            write_atomically(ignore, b"*\n")
        part = self.path
        for name in folder.relative_to(self.path).parts:
            part = part / name
            part.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)


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
