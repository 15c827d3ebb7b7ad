"""Where reports go: standard output in one format, and any number of files that appear only when they are complete."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taskgates.cli.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Destination(msgspec.Struct, frozen=True):
    """A report format and the file that it goes to."""

    format: str
    path: Path


class _Pending(msgspec.Struct):
    """A destination with the file that will take its place; None where it is written in place (a pipe, a device)."""

    destination: Destination
    target: Path
    temporary: Path | None


class OutputFiles:
    """The files of one run, ready to be written; see `open_outputs`."""

    def __init__(self, pending: list[_Pending]) -> None:
        self._pending = pending

    def write(self, texts: dict[Destination, str]) -> None:
        """Write every file beside its place first, then move all of them into place.

        Raises:
            InputError: a file cannot be written; no file has been changed then.
        """
        for entry in self._pending:
            place = entry.temporary or entry.target
            try:
                place.write_text(texts[entry.destination], encoding="utf-8", errors="backslashreplace", newline="\n")
            except OSError as error:
                raise _cannot_write(entry.destination.path, error) from error
        for entry in self._pending:
            if entry.temporary is None:
                continue
            try:
                entry.temporary.replace(entry.target)
            except OSError as error:
                raise _cannot_write(entry.destination.path, error) from error


@contextmanager
def open_outputs(destinations: Iterable[Destination]) -> Iterator[OutputFiles]:
    """Make sure before any work is done that every destination can be written.

    Each file is prepared under a temporary name in its own folder; on leaving, whatever was not moved into place is
    removed.

    Raises:
        InputError: a destination is a folder, its folder is missing, it may not be written, or it is named twice.
    """
    pending: list[_Pending] = []
    try:
        for destination in destinations:
            entry = _prepare(destination)
            if any(entry.target == other.target for other in pending):
                raise InputError(f"two reports are to be written to {destination.path}; give each a file of its own")
            pending.append(entry)
        yield OutputFiles(pending)
    finally:
        for entry in pending:
            if entry.temporary is not None:
                entry.temporary.unlink(missing_ok=True)


def _prepare(destination: Destination) -> _Pending:
    target = Path(os.path.realpath(destination.path))
    try:
        mode: int | None = target.stat().st_mode
    except FileNotFoundError:
        mode = None
    except OSError as error:
        raise _cannot_write(destination.path, error) from error
    if mode is not None and stat.S_ISDIR(mode):
        raise InputError(f"cannot write {destination.path}: it is a folder; name a file in it")
    if mode is not None and not os.access(target, os.W_OK):
        raise InputError(f"cannot write {destination.path}: permission denied")
    if mode is not None and not stat.S_ISREG(mode):
        return _Pending(destination, target, None)
    if not target.parent.is_dir():
        raise InputError(f"cannot write {destination.path}: the folder {destination.path.parent} does not exist")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    except OSError as error:
        raise _cannot_write(destination.path, error) from error
    try:
        os.fchmod(handle, stat.S_IMODE(mode) if mode is not None else 0o666 & ~_umask())
    finally:
        os.close(handle)
    return _Pending(destination, target, Path(name))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot_write(path: Path, error: OSError) -> InputError:
    return InputError(f"cannot write {path}: {(error.strerror or str(error)).lower()}")
