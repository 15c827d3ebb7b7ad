"""Questions about the files below one folder, answered without ever leaving it and without ever failing.

A `Tree` answers existence tests, listings, globs and reads for paths relative to its root. Whatever cannot be answered
(a link that leaves the root, a name that no file can have, a file that may not be read) is answered as absent. While a
recording is active every question is noted together with a digest of its answer (`evidence.Evidence`), so that a stored
result can be reused exactly as long as every answer that it rested on still holds.
"""

from __future__ import annotations

import os
import posixpath
import stat as stat_module
import time
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from taskgates.tree.evidence import Evidence, Question, Stamp
from taskgates.tree.globbing import GlobPattern, Lister
from taskgates.tree.ignore import IgnoreRules, IgnoreStack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Kind = Literal["file", "folder", "other"]

RACY_NS = 2_000_000_000
"""A file changed more recently than this may change again without a visible change of its time stamp."""

GLOB_ENTRIES = 500_000
"""Directory entries that one glob may look at before it is cut (and noted in `Tree.truncated`)."""

_SKIPPED_FOLDERS = frozenset({".git", ".hg", ".svn", ".taskgates"})
_READ_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class _Entry(NamedTuple):
    name: str
    kind: Kind | None
    link: bool


class _Located(NamedTuple):
    real: str
    status: os.stat_result


def _kind_of(mode: int) -> Kind:
    if stat_module.S_ISREG(mode):
        return "file"
    return "folder" if stat_module.S_ISDIR(mode) else "other"


def _stamp(status: os.stat_result) -> Stamp | None:
    """What changes when the content does; None while a later change could go unseen."""
    if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < RACY_NS:
        return None
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def content_digest(data: bytes) -> str:
    """The hash under which contents are compared and cached everywhere: BLAKE2b, 128 bits, in hexadecimal."""
    return blake2b(data, digest_size=16).hexdigest()


def _names_digest(names: Iterable[str]) -> str:
    return content_digest("\0".join(names).encode())


class Tree:
    """The files below `root`; all paths in and out are relative to it, with forward slashes, normalised.

    Paths may be given in any form (`./a//b/../c`, or absolute below the root). A path that leads out of the root, by
    `..` or through a symbolic link, is absent. Names that are not valid UTF-8 are absent too and left out of listings.
    Which folders are links is remembered, so an instance serves one analysis, not the life of a server.

    Attributes:
        root: the resolved root folder.
        escapes: paths answered as absent because a symbolic link on them leaves the root, in the order of questions.
        unnameable: places of files whose names are not valid UTF-8, escaped for printing.
        truncated: glob patterns that were cut because they would have looked at too many files.

    Args:
        root: the repository. It need not exist: then everything is absent.
        exclude: further patterns, as in a `.gitignore` at the root, of what `walk` leaves out.
    """

    def __init__(self, root: Path, exclude: Iterable[str] = ()) -> None:
        self.root = Path(os.path.realpath(root))
        self.escapes: list[str] = []
        self.unnameable: list[str] = []
        self.truncated: list[str] = []
        self._base = str(self.root)
        self._prefix = self._base.rstrip("/") + "/"
        self._spellings = (self._base, os.path.abspath(root))  # noqa: PTH100 - links must stay unresolved here
        self._exclude = tuple(exclude)
        self._escaped: set[str] = set()
        self._folders: dict[str, str] = {"": self._base, ".": self._base}
        self._listings: dict[str, tuple[Stamp, tuple[_Entry, ...]]] = {}
        self._digests: dict[str, tuple[Stamp, str]] = {}
        self._compiled_rules: dict[tuple[str, tuple[str, ...]], IgnoreRules] = {}
        self._recorders: list[Evidence] = []

    # ---- questions ----------------------------------------------------------------------------------------------

    def normalise(self, path: str) -> str | None:
        """The root-relative form of a path, or None where no path below the root can be meant.

        `.` stands for the root. `..` is removed by the letter, without looking at links.
        """
        if "\0" in path or not _is_encodable(path):
            return None
        if path.startswith("/"):
            clean = posixpath.normpath(path)
            clean = clean[1:] if clean.startswith("//") else clean
            for base in self._spellings:
                if clean == base:
                    return "."
                if clean.startswith(base.rstrip("/") + "/"):
                    return clean[len(base.rstrip("/")) + 1 :]
            return None
        clean = posixpath.normpath(path) if path else "."
        return None if clean == ".." or clean.startswith("../") else clean

    def kind(self, path: str) -> Kind | None:
        """What is there: a file, a folder, something `other` (pipe, device, socket), or None for nothing."""
        name = self.normalise(path)
        if name is None:
            return None
        found = self._locate(name)
        kind = _kind_of(found.status.st_mode) if found else None
        self._note("kind", name, 0, kind or "", None)
        return kind

    def is_link(self, path: str) -> bool:
        """Whether a symbolic link is there that stays below the root; it may lead nowhere."""
        name = self.normalise(path)
        if name is None:
            return False
        link = self._is_link(name)
        self._note("link", name, 0, str(link), None)
        return link

    def real(self, path: str) -> str:
        """A path as it is without the symbolic links on it that stay below the root.

        Where the last name, or a folder, is not there, only what stands before it is looked at.
        """
        name = self.normalise(path)
        if name is None or name == ".":
            return path
        real = self._real(name)
        if real != name:
            self._note("real", name, 0, real, None)
        return real

    def size(self, path: str) -> int | None:
        """The length of a file in bytes; None where there is no file."""
        name = self.normalise(path)
        if name is None:
            return None
        found = self._locate_file(name)
        size = found.status.st_size if found else None
        self._note("size", name, 0, "" if size is None else str(size), None)
        return size

    def modified(self, path: str) -> int | None:
        """When a file or folder was last changed, in nanoseconds since the epoch; None where there is neither."""
        name = self.normalise(path)
        if name is None:
            return None
        found = self._locate(name)
        when = found.status.st_mtime_ns if found else None
        self._note("modified", name, 0, "" if when is None else str(when), None)
        return when

    def read_bytes(self, path: str, limit: int) -> bytes | None:
        """The content of a file of at most `limit` bytes; None where it is absent, larger, or not readable."""
        name = self.normalise(path)
        if name is None:
            return None
        data, stamp = self._read(name, limit)
        if self._recorders:
            self._note("read", name, limit, "" if data is None else content_digest(data), stamp)
        return data

    def digest(self, path: str) -> str | None:
        """The `content_digest` of a file, remembered while the file does not change; None as in `read_bytes`."""
        name = self.normalise(path)
        if name is None:
            return None
        digest, stamp = self._digest(name)
        self._note("digest", name, 0, digest or "", stamp)
        return digest

    def list(self, path: str) -> tuple[str, ...] | None:
        """The names in a folder, sorted; None where there is no folder or it may not be read.

        Links that leave the root are left out; links that lead nowhere are listed.
        """
        name = self.normalise(path)
        if name is None:
            return None
        entries, stamp = self._entries(name)
        names = None if entries is None else tuple(entry.name for entry in entries)
        if self._recorders:
            linked = any(entry.link for entry in entries or ())
            self._note("list", name, 0, "" if names is None else _names_digest(names), None if linked else stamp)
        return names

    def glob(self, pattern: str, *, hidden: bool = False, recursive: bool = True) -> tuple[str, ...]:
        """The files and folders that match a pattern, sorted.

        Args:
            pattern: segments with `*`, `?` and `[...]`; a whole segment `**` stands for any number of folders.
            hidden: whether wildcards match names with a leading dot, as they do in `pathlib` but not in `glob`.
            recursive: False makes `**` mean `*`, as `glob.glob` has it without `recursive=True`.

        Folder links are not followed under `**`.
        """
        compiled = self._compile(pattern, hidden=hidden, recursive=recursive)
        if compiled is None:
            return ()
        found = self._glob(compiled)
        if self._recorders:
            self._note("glob", compiled.pattern, hidden + 2 * recursive, _names_digest(found), None)
        return found

    def walk(self, below: str = ".") -> Iterator[str]:
        """Every file that the repository's ignore rules leave, sorted; only those below one folder if given.

        Nested `.gitignore` files and `.git/info/exclude` count as git counts them, whether or not there is a `.git`;
        the user's global ignore file does not (the answer must not depend on who asks). Version control folders,
        `.taskgates`, virtual environments (folders with a `pyvenv.cfg`) and the `exclude` patterns are left out. Links
        to files are listed, links to folders are not entered.
        """
        name = self.normalise(below)
        if name is None:
            return iter(())
        found = self._walk(name, self._exclude)
        if self._recorders:
            self._note("walk", "\n".join((name, *self._exclude)), 0, _names_digest(found), None)
        return iter(found)

    def is_excluded(self, path: str) -> bool:
        """Whether the `exclude` patterns hide a path, by itself or by a folder above it."""
        name = self.normalise(path)
        if name is None or not self._exclude:
            return False
        extra = self._rules("", self._exclude)
        parts = name.split("/")
        folders = ("/".join(parts[:end]) for end in range(1, len(parts)))
        return any(extra.verdict(folder, folder=True) for folder in folders) or bool(extra.verdict(name, folder=False))

    # ---- evidence -----------------------------------------------------------------------------------------------

    @contextmanager
    def recording(self, *, apart: bool = False) -> Iterator[Evidence]:
        """Note every question asked inside the block, and the digest of its answer; blocks may nest.

        Args:
            apart: whether the recordings around the block do not get to see what is asked inside.
        """
        evidence = Evidence()
        outer = self._recorders
        self._recorders = [evidence] if apart else [*outer, evidence]
        try:
            yield evidence
        finally:
            self._recorders = outer

    def replay(self, evidence: Evidence) -> None:
        """Make the questions behind a reused result count for the recordings that are active now."""
        for recorder in self._recorders:
            recorder.merge(evidence)

    def stamp(self, path: str) -> Stamp | None:
        """A quick witness that a file or folder is unchanged; None where there is none, or no reliable one."""
        found = self._locate(path)
        return _stamp(found.status) if found else None

    def answer(self, question: Question, path: str, argument: int) -> str:
        """Ask a recorded question again, unrecorded; the digest of the answer as of now."""
        match question:
            case "kind":
                found = self._locate(path)
                return _kind_of(found.status.st_mode) if found else ""
            case "link":
                return str(self._is_link(path))
            case "real":
                return self._real(path)
            case "size":
                file = self._locate_file(path)
                return str(file.status.st_size) if file else ""
            case "modified":
                found = self._locate(path)
                return str(found.status.st_mtime_ns) if found else ""
            case "read":
                file = self._locate_file(path)
                return (self._digest(path)[0] or "") if file and file.status.st_size <= argument else ""
            case "digest":
                return self._digest(path)[0] or ""
            case "list":
                entries = self._entries(path)[0]
                return "" if entries is None else _names_digest(entry.name for entry in entries)
            case "glob":
                compiled = self._compile(path, hidden=bool(argument & 1), recursive=bool(argument & 2))
                return _names_digest(self._glob(compiled) if compiled else ())
            case "walk":
                below, *exclude = path.split("\n")
                return _names_digest(self._walk(below, tuple(exclude)))

    def _note(self, question: Question, path: str, argument: int, answer: str, stamp: Stamp | None) -> None:
        for recorder in self._recorders:
            recorder.note(question, path, argument, answer, stamp)

    # ---- the file system ----------------------------------------------------------------------------------------

    def _locate(self, name: str) -> _Located | None:
        """The real place of a normalised path and its status, following links only as long as they stay inside."""
        if name == ".":
            folder, full = self._base, self._base
        else:
            parent, _, last = name.rpartition("/")
            inside = self._real_folder(parent)
            if inside is None:
                return None
            folder, full = inside, inside.rstrip("/") + "/" + last
        try:
            status = os.lstat(full)
            if not stat_module.S_ISLNK(status.st_mode):
                return _Located(full, status)
            real = self._follow(name, os.path.join(folder, full))  # noqa: PTH118 - hot path on strings
            return None if real is None else _Located(real, os.stat(real))  # noqa: PTH116
        except (OSError, ValueError):
            return None

    def _is_link(self, name: str) -> bool:
        parent, _, last = name.rpartition("/")
        folder = self._real_folder(parent) if name != "." else None
        if folder is None:
            return False
        full = folder.rstrip("/") + "/" + last
        found = self._locate(name)
        if found is not None:
            return found.real != full
        return os.path.islink(full) and self._follow(name, full) is not None  # noqa: PTH114 - hot path on strings

    def _real(self, name: str) -> str:
        """The real place of a normalised path, relative to the root."""
        found = self._locate(name)
        if found is not None:
            full = found.real
        else:
            parent, _, last = name.rpartition("/")
            folder = self._real_folder(parent)
            if folder is None:
                return f"{self._real(parent)}/{last}"
            full = folder.rstrip("/") + "/" + last
        return full[len(self._prefix) :] if full.startswith(self._prefix) else "."

    def _follow(self, name: str, full: str) -> str | None:
        """The target of a link, or None (noted) when it lies outside the root."""
        real = os.path.realpath(full)
        if real == self._base or real.startswith(self._prefix):
            return real
        if name not in self._escaped:
            self._escaped.add(name)
            self.escapes.append(name)
        return None

    def _locate_file(self, name: str) -> _Located | None:
        found = self._locate(name)
        return found if found and stat_module.S_ISREG(found.status.st_mode) else None

    def _real_folder(self, name: str) -> str | None:
        """The real place of a folder; its parents are looked at from the top, so that depth costs no stack."""
        known = self._folders.get(name)
        if known is not None:
            return known
        end = 0
        while end < len(name):
            end = name.find("/", end + 1)
            end = len(name) if end < 0 else end
            part = name[:end]
            if part in self._folders:
                continue
            found = self._locate(part)
            if found is None or not stat_module.S_ISDIR(found.status.st_mode):
                return None
            self._folders[part] = found.real
        return self._folders[name]

    def _read(self, name: str, limit: int) -> tuple[bytes | None, Stamp | None]:
        found = self._locate_file(name)
        if found is None or found.status.st_size > limit:
            return None, _stamp(found.status) if found else None
        try:
            descriptor = os.open(found.real, _READ_FLAGS)
        except (OSError, ValueError):
            return None, None
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor, not a path
            try:
                status = os.fstat(descriptor)
                if not stat_module.S_ISREG(status.st_mode):
                    return None, None
                # Asking for what is there, not for the limit: the reader allocates what it is asked for.
                data = stream.read(min(limit, status.st_size) + 1)
                if len(data) > status.st_size:
                    data += stream.read(limit + 1 - len(data))
            except (OSError, ValueError, MemoryError, OverflowError):
                return None, None
        return (data, _stamp(status)) if len(data) <= limit else (None, _stamp(status))

    def _digest(self, name: str) -> tuple[str | None, Stamp | None]:
        found = self._locate_file(name)
        if found is None:
            return None, None
        stamp = _stamp(found.status)
        known = self._digests.get(name)
        if known is not None and known[0] == stamp:
            return known[1], stamp
        data, stamp = self._read(name, max(found.status.st_size, 1 << 20))
        if data is None:
            return None, None
        digest = content_digest(data)
        if stamp is not None:
            self._digests[name] = (stamp, digest)
        return digest, stamp

    def _entries(self, name: str) -> tuple[tuple[_Entry, ...] | None, Stamp | None]:
        """The entries of a folder by name; the kind of a link is that of its target, None where it leads nowhere."""
        found = self._locate(name)
        if found is None or not stat_module.S_ISDIR(found.status.st_mode):
            return None, None
        stamp = _stamp(found.status)
        known = self._listings.get(name)
        if known is not None and known[0] == stamp:
            plain = known[1]
        else:
            scanned = self._scan(name, found.real)
            if scanned is None:
                return None, None
            plain = scanned
            if stamp is not None:
                self._listings[name] = (stamp, plain)
        if not any(entry.link for entry in plain):
            return plain, stamp
        entries = (self._follow_entry(name, entry) if entry.link else entry for entry in plain)
        return tuple(entry for entry in entries if entry is not None), stamp

    def _scan(self, name: str, real: str) -> tuple[_Entry, ...] | None:
        entries: list[_Entry] = []
        try:
            with os.scandir(real) as found:
                for item in found:
                    if not _is_encodable(item.name):
                        self._note_unnameable(name, item.name)
                        continue
                    link = item.is_symlink()
                    if link:
                        entries.append(_Entry(item.name, None, True))
                    elif item.is_dir(follow_symlinks=False):
                        entries.append(_Entry(item.name, "folder", False))
                    else:
                        regular = item.is_file(follow_symlinks=False)
                        entries.append(_Entry(item.name, "file" if regular else "other", False))
        except (OSError, ValueError):
            return None
        return tuple(sorted(entries, key=lambda entry: entry.name))

    def _follow_entry(self, folder: str, entry: _Entry) -> _Entry | None:
        name = entry.name if folder == "." else f"{folder}/{entry.name}"
        target = self._locate(name)
        if target is not None:
            return _Entry(entry.name, _kind_of(target.status.st_mode), True)
        return None if name in self._escaped else _Entry(entry.name, None, True)

    def _note_unnameable(self, folder: str, name: str) -> None:
        printable = f"{folder}/{name}".encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        printable = printable.removeprefix("./")
        if printable not in self.unnameable:
            self.unnameable.append(printable)

    # ---- globs and walks ----------------------------------------------------------------------------------------

    def _compile(self, pattern: str, *, hidden: bool, recursive: bool) -> GlobPattern | None:
        name = self.normalise(pattern)
        return None if name is None else GlobPattern(name, hidden=hidden, recursive=recursive)

    def _glob(self, compiled: GlobPattern) -> tuple[str, ...]:
        lister = Lister(self._members, self._locate_kind, GLOB_ENTRIES)
        found = compiled.expand(lister)
        if lister.exhausted and compiled.pattern not in self.truncated:
            self.truncated.append(compiled.pattern)
        return found

    def _members(self, name: str) -> tuple[tuple[str, bool, bool], ...]:
        entries = self._entries(name)[0] or ()
        return tuple((entry.name, entry.kind == "folder", entry.link) for entry in entries)

    def _locate_kind(self, name: str) -> bool | None:
        found = self._locate(name)
        return None if found is None else stat_module.S_ISDIR(found.status.st_mode)

    def _walk(self, below: str, exclude: tuple[str, ...]) -> tuple[str, ...]:
        inside = "" if below == "." else below + "/"
        if self._locate_kind(below) is not True:
            return ()
        extra = self._rules("", exclude)
        shared = self._rules("", self._lines(".git/info/exclude"))
        out: list[str] = []
        pending: list[tuple[str, IgnoreStack]] = [("", IgnoreStack((shared,)))]
        while pending:
            folder, outer = pending.pop()
            entries = self._entries(folder or ".")[0] or ()
            names = {entry.name: entry.kind for entry in entries}
            if folder and names.get("pyvenv.cfg") == "file":
                continue
            stack = outer
            if names.get(".gitignore") == "file":
                own = f"{folder}/.gitignore" if folder else ".gitignore"
                stack = outer.push(self._rules(folder, self._lines(own)))
            for name, kind, link in entries:
                path = f"{folder}/{name}" if folder else name
                is_folder = kind == "folder"
                if kind not in ("file", "folder") or (is_folder and (link or name in _SKIPPED_FOLDERS)):
                    continue
                if inside and not path.startswith(inside) and not (is_folder and inside.startswith(path + "/")):
                    continue
                if stack.ignores(path, folder=is_folder) or extra.verdict(path, folder=is_folder):
                    continue
                if is_folder:
                    pending.append((path, stack))
                elif name != ".git":
                    out.append(path)
        return tuple(sorted(out))

    def _rules(self, base: str, lines: tuple[str, ...]) -> IgnoreRules:
        """Compiled ignore rules; compiling costs more than matching, and walks are repeated."""
        rules = self._compiled_rules.get((base, lines))
        if rules is None:
            rules = self._compiled_rules[base, lines] = IgnoreRules.parse(base, lines)
        return rules

    def _lines(self, name: str) -> tuple[str, ...]:
        data = self._read(name, 1 << 22)[0]
        if not data:
            return ()
        return tuple(data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").split("\n"))


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
