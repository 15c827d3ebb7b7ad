"""Putting recorded paths back: only what differs, in an order in which every step can be repeated."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from typing import TYPE_CHECKING

import msgspec

from taskgates.runtime.errors import CheckpointError, RestoreError
from taskgates.runtime.recorded_files import Entry, Kind, absolute, covered_paths, kind_of, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from taskgates.runtime.blob_store import BlobStore

_CHUNK = 1 << 20
_FEW = 32


class RestoreReport(msgspec.Struct, frozen=True):
    """What a restore changed.

    Attributes:
        checkpoint: the checkpoint's id.
        restored: paths put back, sorted.
        removed: paths that did not exist when the checkpoint was made and are gone again, sorted.
        displaced: what stood in the way outside the covered set, and where it was moved to.
    """

    checkpoint: str
    restored: tuple[str, ...]
    removed: tuple[str, ...]
    displaced: tuple[tuple[str, str], ...] = ()


class Restorer:
    """Compares the disk with recorded entries and puts back what differs.

    The steps are: remove what was not there (deepest first), make folders (outermost first), write files and links,
    then set the permissions and times of folders (deepest first), since the steps before change them. A file is written
    under a temporary name beside its place and renamed.

    Args:
        root: the repository root.
        blobs: the stored contents.
        displaced: folder for obstacles that the checkpoint does not cover; created when needed.
    """

    def __init__(self, root: Path, blobs: BlobStore, displaced: Path) -> None:
        self._root = root
        self._blobs = blobs
        self._displaced_folder = displaced
        self._restored: set[str] = set()
        self._removed: set[str] = set()
        self._displaced: list[tuple[str, str]] = []
        self._failures: dict[str, str] = {}
        self._widened: dict[str, int] = {}
        self._written = 0

    def restore(self, checkpoint: str, covered: Iterable[str], entries: Iterable[Entry]) -> RestoreReport:
        """Put everything back.

        Args:
            checkpoint: id, for messages.
            covered: canonical paths whose state is known completely.
            entries: the recorded state.

        Returns:
            What was changed.

        Raises:
            RestoreError: some paths could not be put back.
            CheckpointError: a stored content is missing; nothing has been touched then.
        """
        recorded = {entry.path: entry for entry in entries}
        self._require_contents(recorded.values())
        self._attempt("listing", lambda: self._remove_additions(covered, recorded))
        ordered = sorted(recorded.values(), key=lambda entry: (entry.path.count("/"), entry.path))
        for entry in ordered:
            if entry.kind is Kind.FOLDER:
                self._attempt(entry.path, lambda entry=entry: self._make_folder(entry))  # type: ignore[misc]
        for entry in ordered:
            if entry.kind not in (Kind.FOLDER, Kind.ABSENT):
                self._attempt(entry.path, lambda entry=entry: self._put_back(entry))  # type: ignore[misc]
        for entry in sorted(recorded.values(), key=lambda entry: (-entry.path.count("/"), entry.path == ".")):
            if entry.kind is Kind.ABSENT:
                self._attempt(entry.path, lambda entry=entry: self._remove_empty(entry.path))  # type: ignore[misc]
            elif entry.kind is Kind.FOLDER:
                self._attempt(entry.path, lambda entry=entry: self._set_attributes(entry))  # type: ignore[misc]
        if self._written > _FEW:
            # Many files reach the disk faster together than one by one.
            os.sync()
        if self._failures:
            raise RestoreError(checkpoint, sorted(self._failures.items()))
        return RestoreReport(
            checkpoint, tuple(sorted(self._restored)), tuple(sorted(self._removed)), tuple(self._displaced)
        )

    def differences(self, covered: Iterable[str], entries: Iterable[Entry]) -> tuple[str, ...]:
        """The covered paths that are not as recorded, sorted."""
        recorded = {entry.path: entry for entry in entries}
        existing = covered_paths(self._root, covered)
        differing = {path for path in existing if path not in recorded or recorded[path].kind is Kind.ABSENT}
        for entry in recorded.values():
            place = absolute(self._root, entry.path)
            status = status_of(place)
            if entry.enclosing and entry.kind is Kind.FOLDER:
                if status is None or not stat.S_ISDIR(status.st_mode):
                    differing.add(entry.path)
            elif entry.enclosing:
                if status is not None and stat.S_ISDIR(status.st_mode) and not any(os.scandir(place)):
                    differing.add(entry.path)
            elif status is None or not (self._same_content(entry, status) and _same_attributes(entry, status)):
                differing.add(entry.path)
        return tuple(sorted(differing))

    def _require_contents(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.kind is Kind.FILE and not self._blobs.path(entry.digest).exists():
                status = status_of(absolute(self._root, entry.path))
                if status is None or not self._same_content(entry, status):
                    raise CheckpointError(f"the stored content of {entry.path} ({entry.digest[:12]}) is missing")

    def _attempt(self, path: str, step: Callable[[], None]) -> None:
        try:
            step()
        except OSError as error:
            where = "" if error.filename is None or str(error.filename).endswith(path) else f" ({error.filename})"
            self._failures.setdefault(path, f"{error.strerror or error}{where}")
        except CheckpointError as error:
            self._failures.setdefault(path, str(error))

    def _remove_additions(self, covered: Iterable[str], recorded: dict[str, Entry]) -> None:
        existing = self._accessible_paths(tuple(covered))
        for path in sorted(existing, key=lambda name: (-name.count("/"), name)):
            if path not in recorded or recorded[path].kind is Kind.ABSENT:
                self._attempt(path, lambda path=path: self._remove(path))  # type: ignore[misc]

    def _accessible_paths(self, covered: tuple[str, ...]) -> dict[str, os.stat_result]:
        """What is covered and exists; folders that a task has closed to everybody are opened for it."""
        opened: set[str] = set()
        while True:
            try:
                return covered_paths(self._root, covered)
            except PermissionError as error:
                place = str(error.filename)
                folder = place if os.path.isdir(place) else os.path.dirname(place)  # noqa: PTH112, PTH120
                if folder in opened:
                    raise
                opened.add(folder)
                os.chmod(folder, 0o700)  # noqa: PTH101

    def _remove(self, path: str) -> None:
        place = absolute(self._root, path)
        status = status_of(place)
        if status is None:
            return
        with _writable_folder(os.path.dirname(place)):  # noqa: PTH120
            if stat.S_ISDIR(status.st_mode):
                self._remove_tree(place)
            else:
                os.unlink(place)  # noqa: PTH108
        self._removed.add(path)

    def _remove_tree(self, place: str) -> None:
        os.chmod(place, 0o700)  # noqa: PTH101
        with os.scandir(place) as entries:
            members = list(entries)
        for member in members:
            if member.is_dir(follow_symlinks=False):
                self._remove_tree(member.path)
            else:
                os.unlink(member.path)  # noqa: PTH108
        os.rmdir(place)  # noqa: PTH106

    def _remove_empty(self, path: str) -> None:
        """Remove a folder that was not there, unless somebody else's files lie in it."""
        place = absolute(self._root, path)
        status = status_of(place)
        if status is None or not stat.S_ISDIR(status.st_mode):
            return
        with _writable_folder(os.path.dirname(place)):  # noqa: PTH120
            try:
                os.rmdir(place)  # noqa: PTH106
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                return
        self._removed.add(path)

    def _make_folder(self, entry: Entry) -> None:
        place = absolute(self._root, entry.path)
        status = status_of(place)
        if status is not None and not stat.S_ISDIR(status.st_mode):
            self._clear(entry, place)
            status = None
        if status is None:
            with _writable_folder(os.path.dirname(place)):  # noqa: PTH120
                os.mkdir(place, 0o700)  # noqa: PTH102
            self._restored.add(entry.path)
        elif (status.st_mode & 0o700) != 0o700:
            os.chmod(place, (status.st_mode & 0o7777) | 0o700)  # noqa: PTH101
            self._widened[entry.path] = status.st_mode & 0o7777

    def _clear(self, entry: Entry, place: str) -> None:
        """Make room at a path: what the checkpoint covers is removed, anything else is moved aside."""
        if not entry.enclosing:
            self._remove(entry.path)
            return
        self._displaced_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self._displaced_folder / f"{entry.path.replace('/', '_')}-{secrets.token_hex(4)}"
        with _writable_folder(os.path.dirname(place)):  # noqa: PTH120
            os.rename(place, target)  # noqa: PTH104
        self._displaced.append((entry.path, str(target)))

    def _put_back(self, entry: Entry) -> None:
        place = absolute(self._root, entry.path)
        status = status_of(place)
        if status is not None and self._same_content(entry, status):
            if not _same_attributes(entry, status):
                self._set_attributes(entry)
            return
        if status is not None and stat.S_ISDIR(status.st_mode):
            self._remove(entry.path)
            status = None
        with _writable_folder(os.path.dirname(place)):  # noqa: PTH120
            if entry.kind is Kind.FILE:
                self._write_file(entry, place, status)
            elif entry.kind is Kind.SYMLINK:
                _replace_with(place, lambda temporary: os.symlink(entry.target, temporary))  # noqa: PTH211
            elif entry.kind is Kind.FIFO:
                _replace_with(place, lambda temporary: os.mkfifo(temporary, 0o600))
            else:
                raise CheckpointError("a device or socket was removed; it cannot be made again")
        self._set_attributes(entry)
        self._restored.add(entry.path)

    def _write_file(self, entry: Entry, place: str, status: os.stat_result | None) -> None:
        if status is not None and status.st_nlink > 1 and status.st_ino == entry.inode and stat.S_ISREG(status.st_mode):
            # The same file under several names: a new file would tear them apart.
            with _writable_file(place, status):
                self._copy_content(entry, place, os.O_WRONLY | os.O_TRUNC)
            return
        _replace_with(
            place, lambda temporary: self._copy_content(entry, temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        )

    def _copy_content(self, entry: Entry, target: str, flags: int) -> None:
        checksum = hashlib.sha256()
        descriptor = os.open(target, flags | os.O_CLOEXEC, 0o600)
        with self._blobs.path(entry.digest).open("rb") as source, os.fdopen(descriptor, "wb") as stream:
            while chunk := source.read(_CHUNK):
                checksum.update(chunk)
                stream.write(chunk)
            stream.flush()
            self._written += 1
            if self._written <= _FEW:
                os.fsync(stream.fileno())
        if checksum.hexdigest() != entry.digest:
            raise CheckpointError(f"the stored content {entry.digest[:12]} is damaged")

    def _set_attributes(self, entry: Entry) -> None:
        place = absolute(self._root, entry.path)
        status = os.lstat(place)
        if _same_attributes(entry, status):
            return
        if (status.st_uid, status.st_gid) != (entry.uid, entry.gid):
            # Only the superuser may give files away; without that the owner is whoever restores.
            with contextlib.suppress(PermissionError):
                os.chown(place, entry.uid, entry.gid, follow_symlinks=False)
        if entry.kind is not Kind.SYMLINK:
            os.chmod(place, entry.mode)  # noqa: PTH101
        os.utime(place, ns=(entry.atime_ns, entry.mtime_ns), follow_symlinks=False)
        only_widened = self._widened.get(entry.path) == entry.mode and status.st_mtime_ns == entry.mtime_ns
        if not entry.enclosing and not only_widened:
            self._restored.add(entry.path)

    def _same_content(self, entry: Entry, status: os.stat_result) -> bool:
        if kind_of(status) is not entry.kind:
            return False
        place = absolute(self._root, entry.path)
        if entry.kind is Kind.SYMLINK:
            return os.readlink(place) == entry.target  # noqa: PTH115
        if entry.kind is not Kind.FILE:
            return True
        if status.st_size != entry.size:
            return False
        with _readable_file(place, status):
            return self._blobs.digest(place, os.lstat(place)) == entry.digest


def _same_attributes(entry: Entry, status: os.stat_result) -> bool:
    same_mode = entry.kind is Kind.SYMLINK or status.st_mode & 0o7777 == entry.mode
    return (
        same_mode and status.st_mtime_ns == entry.mtime_ns and (status.st_uid, status.st_gid) == (entry.uid, entry.gid)
    )


def _replace_with(place: str, create: Callable[[str], None]) -> None:
    """Create something under a temporary name beside its place, then rename it there.

    The name follows from the place, so that a restore that was killed leaves nothing that the next one does not find.
    """
    marker = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
    temporary = os.path.join(os.path.dirname(place), f".{marker}.taskgates-tmp")  # noqa: PTH118, PTH120
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)  # noqa: PTH108
    try:
        create(temporary)
        os.replace(temporary, place)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise


@contextlib.contextmanager
def _writable_folder(folder: str) -> Iterator[None]:
    """Give the owner write permission on a folder for a while."""
    status = os.stat(folder)  # noqa: PTH116
    if status.st_mode & 0o300 == 0o300:
        yield
        return
    os.chmod(folder, (status.st_mode & 0o7777) | 0o700)  # noqa: PTH101
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.chmod(folder, status.st_mode & 0o7777)  # noqa: PTH101


@contextlib.contextmanager
def _writable_file(place: str, status: os.stat_result) -> Iterator[None]:
    """Give the owner write permission on a file; the caller sets the final permissions afterwards."""
    if not status.st_mode & 0o200:
        os.chmod(place, (status.st_mode & 0o7777) | 0o200)  # noqa: PTH101
    yield


@contextlib.contextmanager
def _readable_file(place: str, status: os.stat_result) -> Iterator[None]:
    """Give the owner read permission on a file for a while."""
    if status.st_mode & 0o400:
        yield
        return
    os.chmod(place, (status.st_mode & 0o7777) | 0o400)  # noqa: PTH101
    try:
        yield
    finally:
        os.chmod(place, status.st_mode & 0o7777)  # noqa: PTH101
