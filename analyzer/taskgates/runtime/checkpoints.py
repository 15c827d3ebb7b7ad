"""Checkpoints: the files that a task may write, recorded before it starts, and put back when it fails.

A checkpoint is a manifest of entries (kind, permissions, owner, times, link target, digest of the content) over a store
of contents by digest. The contents reach the disk first and the manifest last, under a temporary name that is then
renamed, so that a checkpoint exists completely or not at all. Extended attributes and access-control lists are not
recorded; version control, `.taskgates` itself and installed packages (virtual environments, node_modules) are covered
only where a path names them explicitly.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import time
from typing import TYPE_CHECKING

import msgspec
from filelock import ReadWriteLock, Timeout

from taskgates.model.patterns import escape
from taskgates.runtime.blob_store import BlobStore
from taskgates.runtime.errors import CheckpointError, permission_hint
from taskgates.runtime.path_overlap import PathSet, canonical_path, links_on_the_way
from taskgates.runtime.recorded_files import Entry, Kind, absolute, covered_paths, enclosing_folders, kind_of, status_of
from taskgates.runtime.restoring import Restorer, RestoreReport
from taskgates.runtime.state import StateDirectory, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Checkpoint", "CheckpointStore", "RestoreReport", "create_checkpoint", "restore_checkpoint"]

_VERSION = 1


class Checkpoint(msgspec.Struct, frozen=True):
    """The recorded state of a set of paths.

    Attributes:
        id: names the checkpoint.
        label: what it was made for (a task's id).
        created: seconds since the epoch.
        covered: canonical paths and patterns whose state is known completely; what exists there and has no entry did
            not exist then.
        entries: everything that existed under `covered`, and the folders around it.
        version: layout of the manifest.
    """

    id: str
    label: str
    created: float
    covered: tuple[str, ...]
    entries: tuple[Entry, ...]
    version: int = _VERSION


class CheckpointStore:
    """Creates, lists, restores and forgets the checkpoints of one repository.

    Args:
        root: the repository root.
    """

    def __init__(self, root: Path | str = ".") -> None:
        self._state = StateDirectory(root)
        self._blobs: BlobStore | None = None

    @property
    def root(self) -> Path:
        """The repository root."""
        return self._state.root

    def create(self, paths: Iterable[str], *, label: str = "") -> Checkpoint:
        """Record the state of some paths.

        Args:
            paths: files, folders (with all below them) and patterns, relative to the root or absolute; they need not
                exist. `.` is the whole repository.
            label: what the checkpoint is for.

        Returns:
            The checkpoint, which is on the disk by then.

        Raises:
            CheckpointError: a file cannot be read, or the store cannot be written; there is no new checkpoint then.
        """
        try:
            covered = self._covered(paths)
        except ValueError as error:
            raise CheckpointError(str(error)) from error
        with self._store_lock(exclusive=False):
            try:
                entries = self._record(covered)
                self._blob_store.flush()
                identifier = f"{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(4)}"
                checkpoint = Checkpoint(identifier, label, time.time(), covered, tuple(entries))
                write_atomically(self._manifest(identifier), msgspec.json.encode(checkpoint), durable=True)
            except OSError as error:
                where = self._state.path / "checkpoints" if error.filename is None else error.filename
                raise CheckpointError(f"no checkpoint: {where}: {error.strerror or error}") from error
        return checkpoint

    def load(self, identifier: str) -> Checkpoint:
        """Read a checkpoint's manifest.

        Raises:
            CheckpointError: there is none of that name, or it is damaged.
        """
        path = self._manifest(identifier)
        try:
            checkpoint = msgspec.json.decode(path.read_bytes(), type=Checkpoint)
        except FileNotFoundError:
            known = ", ".join(self.identifiers()[-3:]) or "none"
            raise CheckpointError(f"no checkpoint {identifier}; the latest are: {known}") from None
        except (OSError, msgspec.MsgspecError) as error:
            raise CheckpointError(f"{path}: damaged checkpoint: {error}") from error
        if checkpoint.version != _VERSION:
            raise CheckpointError(f"{path}: written by another version of taskgates (layout {checkpoint.version})")
        return checkpoint

    def identifiers(self) -> tuple[str, ...]:
        """The ids of all checkpoints, oldest first."""
        folder = self._state.path / "checkpoints/manifests"
        return tuple(sorted(path.stem for path in folder.glob("*.json")))

    def restore(self, checkpoint: Checkpoint | str, *, only: Iterable[str] | None = None) -> RestoreReport:
        """Put covered paths back as they were recorded.

        Only what differs is touched. The restore can be interrupted at any moment and called again.

        Args:
            checkpoint: the checkpoint or its id; it is kept.
            only: canonical paths and patterns to which the restore is limited; they must lie within what the checkpoint
                covers; None for all of it.

        Returns:
            What was changed.

        Raises:
            RestoreError: some paths could not be put back; all others are.
            CheckpointError: there is no such checkpoint, or a stored content is missing or damaged.
        """
        found = self.load(checkpoint) if isinstance(checkpoint, str) else checkpoint
        covered, entries = found.covered, found.entries
        if only is not None:
            covered = tuple(only)
            entries = _within(covered, entries)
        displaced = self._state.path / "checkpoints/displaced" / found.id
        return Restorer(self.root, self._blob_store, displaced).restore(found.id, covered, entries)

    def restore_each(self, checkpoint: Checkpoint | str, paths: Iterable[str]) -> RestoreReport:
        """Put single paths back, each without what lies below it.

        A folder gets its permissions and times back, or is made again; one that was not there is removed if it is
        empty.

        Args:
            checkpoint: the checkpoint or its id; it is kept.
            paths: canonical paths that the checkpoint covers, in which nothing is a wildcard.

        Returns:
            What was changed.

        Raises:
            RestoreError: some paths could not be put back; all others are.
            CheckpointError: there is no such checkpoint, or a stored content is missing or damaged.
        """
        found = self.load(checkpoint) if isinstance(checkpoint, str) else checkpoint
        recorded = {entry.path: entry for entry in found.entries}
        covered: list[str] = []
        folders: dict[str, Entry] = {}
        for path in paths:
            entry, status = recorded.get(path), status_of(absolute(self.root, path))
            if entry is not None and entry.kind is Kind.FOLDER:
                folders[path] = msgspec.structs.replace(entry, enclosing=True)
            elif entry is None and status is not None and kind_of(status) is Kind.FOLDER:
                folders[path] = Entry(path, Kind.ABSENT, enclosing=True)
            else:
                covered.append(escape(path))
        entries = {entry.path: entry for entry in _within(tuple(covered), found.entries)} | folders
        displaced = self._state.path / "checkpoints/displaced" / found.id
        return Restorer(self.root, self._blob_store, displaced).restore(found.id, covered, entries.values())

    def differences(self, checkpoint: Checkpoint | str, *, only: Iterable[str] | None = None) -> tuple[str, ...]:
        """The covered paths that are not as recorded, sorted; changes nothing.

        Args:
            checkpoint: the checkpoint or its id.
            only: as for `restore`.

        Raises:
            CheckpointError: there is no such checkpoint.
        """
        found = self.load(checkpoint) if isinstance(checkpoint, str) else checkpoint
        covered, entries = found.covered, found.entries
        if only is not None:
            covered = tuple(only)
            entries = _within(covered, entries)
        displaced = self._state.path / "checkpoints/displaced" / found.id
        return Restorer(self.root, self._blob_store, displaced).differences(covered, entries)

    def discard(self, identifier: str) -> None:
        """Forget a checkpoint; its contents go with the next `collect`."""
        self._manifest(identifier).unlink(missing_ok=True)

    def collect(self) -> int:
        """Remove stored contents that no checkpoint needs, unless one is being made right now.

        Returns:
            How many contents were removed.
        """
        try:
            with self._store_lock(exclusive=True):
                needed = {entry.digest for name in self.identifiers() for entry in self.load(name).entries}
                return self._blob_store.collect(needed)
        except Timeout:
            return 0

    @property
    def _blob_store(self) -> BlobStore:
        if self._blobs is None:
            self._blobs = BlobStore(self._state.folder("checkpoints/objects"))
        return self._blobs

    def _manifest(self, identifier: str) -> Path:
        return self._state.folder("checkpoints/manifests") / f"{identifier}.json"

    @contextlib.contextmanager
    def _store_lock(self, *, exclusive: bool) -> Iterator[None]:
        path = self._state.database("checkpoints/store.lock")
        try:
            lock = ReadWriteLock(path, is_singleton=False)
            if exclusive:
                lock.acquire_write(0)
            else:
                lock.acquire_read(30)
        except Timeout:
            if exclusive:
                raise
            raise CheckpointError(f"{path}: the store is being cleaned for too long") from None
        except OSError as error:
            raise CheckpointError(permission_hint(path, error)) from error
        except (sqlite3.Error, ValueError) as error:
            raise CheckpointError(f"{path}: not usable as a lock ({error})") from error
        try:
            yield
        finally:
            lock.close()

    def _covered(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Canonical paths; a link and what it points to; whatever lies where a folder would have to be."""
        found: set[str] = set()
        for path in paths:
            found.add(canonical_path(self.root, path))
            found.add(canonical_path(self.root, path, follow_last=False))
            # A link on the way may be replaced by a folder of its own, which is undone as well.
            found.update(
                canonical_path(self.root, link, follow_last=False) for link in links_on_the_way(self.root, path)
            )
        for folder in enclosing_folders(found, ()):
            status = status_of(absolute(self.root, folder))
            if status is not None and kind_of(status) is not Kind.FOLDER:
                found.add(folder)
        return tuple(sorted(found))

    def _record(self, covered: tuple[str, ...]) -> list[Entry]:
        existing = covered_paths(self.root, covered)
        entries = [self._entry(path, status) for path, status in existing.items()]
        for folder in enclosing_folders(covered, existing):
            if folder not in existing:
                status = status_of(absolute(self.root, folder))
                if status is None:
                    entries.append(Entry(folder, Kind.ABSENT, enclosing=True))
                else:
                    entries.append(msgspec.structs.replace(self._entry(folder, status), enclosing=True))
        if (root_status := status_of(str(self.root))) is not None:
            entries.append(msgspec.structs.replace(self._entry(".", root_status), enclosing=True))
        return entries

    def _entry(self, path: str, status: os.stat_result) -> Entry:
        kind = kind_of(status)
        digest = target = ""
        place = absolute(self.root, path)
        if kind is Kind.FILE:
            digest, status = self._blob_store.put(place)
        elif kind is Kind.SYMLINK:
            target = os.readlink(place)  # noqa: PTH115
        return Entry(
            path,
            kind,
            mode=status.st_mode & 0o7777,
            uid=status.st_uid,
            gid=status.st_gid,
            atime_ns=status.st_atime_ns,
            mtime_ns=status.st_mtime_ns,
            size=status.st_size if kind is Kind.FILE else 0,
            digest=digest,
            target=target,
            inode=status.st_ino,
        )


def _within(covered: tuple[str, ...], entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries of some covered paths; the folders around them are kept, but count as enclosing ones only."""
    wanted = PathSet(covered)
    kept = {entry.path: entry for entry in entries if wanted.covers(entry.path)}
    around = set(enclosing_folders(covered, kept))
    for entry in entries:
        if entry.path not in kept and (entry.path in around or entry.path == "."):
            kept[entry.path] = msgspec.structs.replace(entry, enclosing=True)
    return tuple(kept.values())


def create_checkpoint(paths: Iterable[str], *, root: Path | str = ".", label: str = "") -> Checkpoint:
    """Record files, folders and patterns of a repository; see `CheckpointStore.create`."""
    return CheckpointStore(root).create(paths, label=label)


def restore_checkpoint(checkpoint: Checkpoint | str, *, root: Path | str = ".") -> RestoreReport:
    """Put the files of a checkpoint back; see `CheckpointStore.restore`."""
    return CheckpointStore(root).restore(checkpoint)
