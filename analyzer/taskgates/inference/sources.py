"""Sources: each module is looked for once, each file parsed once, through the cache."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taskgates.inference.archived import read_member, split_archive
from taskgates.syntax import ir
from taskgates.syntax.positions import Positions
from taskgates.syntax.snakefile import defines_rules, is_snakefile, translate
from taskgates.tree.tree import Tree, content_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from taskgates.tree.cache import ResultCache
    from taskgates.tree.evidence import Evidence
    from taskgates.tree.modules import Module

Lowered = ir.Module | ir.SourceProblem
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ir.Module)


class SourceStore:
    """Representations and positions of source files.

    Args:
        tree: the repository.
        cache: representations of earlier runs, by content.
        limit: bytes of a file that is parsed.
    """

    def __init__(self, tree: Tree, cache: ResultCache, limit: int) -> None:
        self._tree = tree
        self._cache = cache
        self._limit = limit
        self._lowered: dict[str, Lowered | None] = {}
        self._positions: dict[str, Positions | None] = {}
        self._mutated: dict[str, frozenset[str]] = {}
        self._disguised: set[str] = set()
        self._located: dict[tuple[object, ...], tuple[Module | None, Evidence]] = {}

    def get(self, file: str) -> Lowered | None:
        """The representation of a file (relative to the root, or absolute in the environment); None when unreadable."""
        if not file.startswith("/"):
            # Also where the file was parsed for another entry: each result rests on the content it was made from.
            self._tree.digest(file)
        if file not in self._lowered:
            self._lowered[file] = self._load(file)
        return self._lowered[file]

    def locate(self, key: tuple[object, ...], find: Callable[[], Module | None]) -> tuple[Module | None, Evidence]:
        """Where a module is, asked of the tree once for all programs that import it.

        Args:
            key: the name and the search path, all that the answer depends on beside the tree.
            find: asks the tree.

        Returns:
            The module, None where there is none; and what was asked for that, which counts for the recordings that are
            active now too.
        """
        known = self._located.get(key)
        if known is None:
            with self._tree.recording() as found:
                module = find()
            known = self._located[key] = (module, found)
        else:
            self._tree.replay(known[1])
        return known

    def holds(self, file: str) -> bool:
        """Whether a file is one of Python's by its name, or has been run as one."""
        return file.endswith(".py") or file in self._lowered

    def positions(self, file: str) -> Positions | None:
        """The identifier positions of a file."""
        if file not in self._positions:
            lowered = self.get(file)
            data = self._read(file)
            text = decode(data) if data is not None else None
            if text is not None and (file in self._disguised or (_may_be_snakefile(file) and is_snakefile(file, text))):
                translated = translate(text)
                text = None if isinstance(translated, ir.SourceProblem) else translated.text
            known = isinstance(lowered, ir.Module) and text is not None
            self._positions[file] = Positions(text, lowered.identifiers) if known else None  # type: ignore[arg-type,union-attr]
        return self._positions[file]

    def mutated_names(self, files: Iterable[str]) -> frozenset[str]:
        """Dotted names of the globals that some function of the given loaded files changes."""
        return frozenset().union(*(self._mutated_in(file) for file in files))

    def _mutated_in(self, file: str) -> frozenset[str]:
        known = self._mutated.get(file)
        if known is None:
            lowered = self._lowered.get(file)
            names = lowered.mutated if isinstance(lowered, ir.Module) else []
            parts = file.removesuffix(".py").removesuffix("/__init__").split("/")
            owners = [".".join(parts[start:]) for start in range(len(parts))]
            known = frozenset(f"{owner}.{name}" for owner in (*owners, "__main__") for name in names)
            self._mutated[file] = known
        return known

    def _read(self, file: str) -> bytes | None:
        if not file.startswith("/"):
            if self._tree.kind(file) is None and (place := split_archive(self._tree, file)) is not None:
                return read_member(self._tree, *place, self._limit)
            return self._tree.read_bytes(file, self._limit)
        try:
            path = Path(file)
            # A pipe or a device would be read for ever.
            return path.read_bytes() if path.is_file() and path.stat().st_size <= self._limit else None
        except OSError:
            return None

    def _load(self, file: str) -> Lowered | None:
        data = self._read(file)
        if data is None:
            size = self._tree.size(file) if not file.startswith("/") else None
            if size is not None and size > self._limit:
                return ir.SourceProblem(f"is too large to be analysed ({size} bytes, the limit is {self._limit})", 1, 1)
            return None
        key = content_digest(data)
        text = decode(data) if _may_be_snakefile(file) else None
        snakefile = text is not None and is_snakefile(file, text)
        kind = "snakefile" if snakefile else "ir"
        cached = self._cache.get(kind, key)
        if cached is not None:
            try:
                return _decoder.decode(cached)
            except msgspec.DecodeError:
                pass
        text = decode(data) if text is None else text
        if text is None:
            return ir.SourceProblem("cannot be decoded; declare its encoding in the first line", 1, 1)
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            return ir.SourceProblem("holds a NUL byte", line, 1)
        if snakefile:
            translated = translate(text)
            if isinstance(translated, ir.SourceProblem):
                return translated
            text = translated.text
        # Imported here: the parser takes long to load, and where every result is known nothing is parsed.
        from taskgates.syntax.lower import lower_source

        lowered = lower_source(text)
        if isinstance(lowered, ir.Module):
            self._cache.put(kind, key, _encoder.encode(lowered))
        elif not snakefile and defines_rules(text):
            # A Snakefile may be called `Snakefile.py`, for the sake of an editor.
            translated = translate(text)
            if not isinstance(translated, ir.SourceProblem):
                self._disguised.add(file)
                return lower_source(translated.text)
        return lowered


def _may_be_snakefile(file: str) -> bool:
    """Whether a look at the text is needed: only files that are not Python's by name are taken for Snakefiles."""
    return not file.endswith(".py")


def decode(data: bytes) -> str | None:
    """The text of a source file by its coding cookie or BOM; None when it cannot be decoded."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, ValueError, LookupError):
        return None
