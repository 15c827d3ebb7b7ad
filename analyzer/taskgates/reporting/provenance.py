"""Which commit of which repository a checkout is, read from git's own files without starting git."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

_SECTION = re.compile(r'\s*\[\s*remote\s+"origin"\s*\]\s*\Z')
_URL = re.compile(r"\s*url\s*=\s*(?P<url>\S+)\s*\Z")
_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?!//)(?P<path>[^\s]+)\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")


class Provenance(msgspec.Struct, frozen=True):
    """The state of a checkout.

    Attributes:
        repository: the address of the remote `origin`, without any credentials.
        revision: the commit's hash, if it could be told.
        branch: the branch's name, if one is checked out.
    """

    repository: str
    revision: str | None = None
    branch: str | None = None


def provenance(root: Path) -> Provenance | None:
    """Where a checkout comes from; None where the root is no checkout or has no remote `origin` with an address."""
    try:
        folder = _git_folder(root)
        if folder is None:
            return None
        common = _common_folder(folder)
        repository = _origin(common / "config")
        if repository is None:
            return None
        head = (folder / "HEAD").read_text("utf-8").strip()
        if not head.startswith("ref: "):
            return Provenance(repository, head if _COMMIT.match(head) else None)
        reference = head.removeprefix("ref: ")
        return Provenance(repository, _resolve(folder, common, reference), reference.removeprefix("refs/heads/"))
    except (OSError, ValueError):
        return None


def _git_folder(root: Path) -> Path | None:
    entry = root / ".git"
    if entry.is_dir():
        return entry
    if not entry.is_file():
        return None
    text = entry.read_text("utf-8")
    return root / text.removeprefix("gitdir:").strip() if text.startswith("gitdir:") else None


def _common_folder(folder: Path) -> Path:
    """A linked work tree keeps its HEAD to itself and shares the rest."""
    pointer = folder / "commondir"
    return folder / pointer.read_text("utf-8").strip() if pointer.is_file() else folder


def _origin(config: Path) -> str | None:
    inside = False
    for line in config.read_text("utf-8").splitlines():
        if line.lstrip().startswith("["):
            inside = _SECTION.match(line) is not None
        elif inside and (match := _URL.match(line)):
            return _public_address(match["url"])
    return None


def _public_address(url: str) -> str | None:
    """The address without user and password; None for a path on this machine, which says nothing to others."""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ssh", "git") and parts.hostname:
        host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        return urlunsplit(("https" if parts.scheme == "http" else parts.scheme, host, parts.path, "", ""))
    if not parts.scheme.startswith("file") and (match := _SCP.match(url)):
        return f"ssh://{match['host']}/{match['path'].lstrip('/')}"
    return None


def _resolve(folder: Path, common: Path, reference: str) -> str | None:
    for place in (folder, common):
        loose = place / reference
        if loose.is_file():
            value = loose.read_text("utf-8").strip()
            return value if _COMMIT.match(value) else None
    packed = common / "packed-refs"
    if packed.is_file():
        for line in packed.read_text("utf-8").splitlines():
            commit, _, name = line.partition(" ")
            if name == reference and _COMMIT.match(commit):
                return commit
    return None
