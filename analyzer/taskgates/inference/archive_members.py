"""The members of ZIP and TAR archives: an archive in the tree says itself what unpacking it writes."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zipfile
import zlib
from typing import NamedTuple

UNPACKED_LIMIT = 16_000_000
"""Bytes of a packed TAR archive that are unpacked in search of its members."""

MEMBER_LIMIT = 300
"""Members of an archive that are told apart; unpacking a larger one writes a pattern."""


class Member(NamedTuple):
    """One entry of an archive.

    Attributes:
        name: its path in the archive, with forward slashes.
        kind: `file`, `folder`, or `link` for links and devices.
        size: bytes of its content.
    """

    name: str
    kind: str
    size: int

    @property
    def target(self) -> str | None:
        """Where it is unpacked to, relative to the folder; None where it leads out of it."""
        parts = [part for part in self.name.split("/") if part not in ("", ".")]
        return "/".join(parts) if parts and ".." not in parts else None


def archive_members(data: bytes) -> tuple[Member, ...] | None:
    """The members of an archive in the order it holds them.

    Args:
        data: the archive.

    Returns:
        None when the data is no archive, or too large a one.
    """
    found = _zip_members(data) if data[:2] == b"PK" else _tar_members(data)
    return found if found is not None and len(found) <= MEMBER_LIMIT else None


def _zip_members(data: bytes) -> tuple[Member, ...] | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            infos = opened.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    return tuple(Member(_kept(info.filename), "folder" if info.is_dir() else "file", info.file_size) for info in infos)


def _kept(name: str) -> str:
    """The name of a member of a ZIP archive without what would lead out of the folder that it is unpacked to."""
    return "/".join(part for part in name.split("/") if part != "..") if ".." in name else name


def _tar_members(data: bytes) -> tuple[Member, ...] | None:
    plain = _unpacked(data)
    if plain is None:
        return None
    out: list[Member] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as opened:
            for info in opened:
                kind = "file" if info.isfile() else "folder" if info.isdir() else "link"
                out.append(Member(info.name, kind, info.size))
                if len(out) > MEMBER_LIMIT:
                    return None
    except (tarfile.TarError, OSError, ValueError, OverflowError, MemoryError):
        return None
    return tuple(out)


def _unpacked(data: bytes) -> bytes | None:
    """The data without its compression; no more than the limit is ever unpacked."""
    opener: bz2.BZ2Decompressor | lzma.LZMADecompressor
    try:
        if data[:2] == b"\x1f\x8b":
            packed = zlib.decompressobj(zlib.MAX_WBITS | 16)
            plain, rest = packed.decompress(data, UNPACKED_LIMIT + 1), packed.unused_data
        elif data[:3] == b"BZh":
            opener = bz2.BZ2Decompressor()
            plain, rest = opener.decompress(data, UNPACKED_LIMIT + 1), opener.unused_data
        elif data[:6] == b"\xfd7zXZ\x00":
            opener = lzma.LZMADecompressor()
            plain, rest = opener.decompress(data, UNPACKED_LIMIT + 1), opener.unused_data
        else:
            return data
    except (zlib.error, OSError, lzma.LZMAError, ValueError, EOFError):
        return None
    # What follows a first stream may hold further members.
    return plain if len(plain) <= UNPACKED_LIMIT and not rest.strip(b"\0") else None
