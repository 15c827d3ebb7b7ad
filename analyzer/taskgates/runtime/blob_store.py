"""File contents kept by their SHA-256, each once, written so that a crash leaves no half content under a name."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
import time
from typing import TYPE_CHECKING

from taskgates.runtime.errors import CheckpointError
from taskgates.tree.ownership import is_ours

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_CHUNK = 1 << 20
_RACY_NS = 2_000_000_000
_FEW = 32
_ATTEMPTS = 3

Stamp = tuple[int, int, int, int, int]


class BlobStore:
    """Contents by digest below one folder.

    Digests of files that have not changed since (same device, inode, size and times, and the last change not so recent
    that a further one could hide in the clock's granularity) are remembered, so that recording a file again is free.

    Args:
        folder: where the contents lie; must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unsynced: list[Path] = []
        self._known: dict[str, tuple[Stamp, str]] = {}

    def put(self, source: str) -> tuple[str, os.stat_result]:
        """Keep a file's content.

        Args:
            source: the file's place on disk; not a link.

        Returns:
            The digest, and the file's status that belongs to exactly this content.

        Raises:
            CheckpointError: the file keeps changing while it is read.
            OSError: it cannot be read, or the copy cannot be written.
        """
        for _ in range(_ATTEMPTS):
            before = os.lstat(source)
            digest = self.digest(source, before)
            target = self.path(digest)
            if not target.exists() or target.stat().st_size != before.st_size:
                digest = self._copy(source)
            after = os.lstat(source)
            if _stamp(before) == _stamp(after) and self.path(digest).exists():
                return digest, after
        raise CheckpointError(f"{source}: changes while it is being recorded; stop what writes it and start again")

    def digest(self, source: str, status: os.stat_result) -> str:
        """SHA-256 of a file's content, remembered while its status stays the same.

        Raises:
            OSError: it cannot be read.
        """
        known = self._known.get(source)
        if known is not None and known[0] == _stamp(status):
            return known[1]
        digest = hash_file(source)
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _RACY_NS:
            self._known[source] = (_stamp(status), digest)
        return digest

    def path(self, digest: str) -> Path:
        """Where a content lies, or would lie."""
        return self._folder / digest[:2] / digest[2:]

    def flush(self) -> None:
        """Force the contents kept since the last call to the disk, as a whole where they are many.

        Raises:
            OSError: the disk refuses.
        """
        if len(self._unsynced) > _FEW:
            os.sync()
        else:
            for path in self._unsynced:
                _sync(path)
            for folder in {path.parent for path in self._unsynced}:
                _sync(folder)
        self._unsynced.clear()

    def collect(self, needed: Collection[str]) -> int:
        """Remove contents that nobody needs, and what interrupted copies left.

        Returns:
            How many files were removed.
        """
        removed = 0
        for path in self._folder.glob("*/*"):
            if path.parent.name + path.name not in needed:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _copy(self, source: str) -> str:
        temporary = self._folder / f"{secrets.token_hex(8)}.tmp"
        checksum = hashlib.sha256()
        try:
            with open(source, "rb") as reader, open(temporary, "xb", opener=_private) as writer:  # noqa: PTH123
                while chunk := reader.read(_CHUNK):
                    checksum.update(chunk)
                    writer.write(chunk)
            digest = checksum.hexdigest()
            target = self.path(digest)
            _make_folder(target.parent)
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        self._unsynced.append(target)
        return digest


def _make_folder(folder: Path) -> None:
    """Create a folder unless it is there, and refuse one that is a link or another user's."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not is_ours(folder.lstat(), stat.S_IFDIR):
        raise FileExistsError(errno.EEXIST, "a link, or another user's; remove it", str(folder))


def hash_file(path: str) -> str:
    """SHA-256 of a file's content, hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as stream:  # noqa: PTH123
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _stamp(status: os.stat_result) -> Stamp:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
