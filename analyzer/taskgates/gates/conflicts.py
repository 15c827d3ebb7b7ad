"""Which tasks meet at which files, found through an index over paths.

Distinct paths are few beside pairs of tasks, and a path can only meet patterns that start at one of its own folders. So
touches are gathered by path, patterns are filed under their leading literal segments and the ending that they demand,
and every path asks only the folders above it. Pairs of tasks are looked at only where a conflict is certain.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from taskgates.gates.footprint import Footprint, Origin, Touch
from taskgates.model.access import Operation
from taskgates.model.natural_order import natural_key
from taskgates.model.patterns import PathPattern, escape

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from taskgates.gates.relations import Relations
    from taskgates.model.spans import SourceSpan


class ConflictKind(StrEnum):
    """What two tasks do to the file where they meet, the gravest first."""

    WRITE_WRITE = "write-write"
    READ_WRITE = "read-write"
    EDIT_IMPORT = "edit-import"
    READ_READ = "read-read"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return _RANKS[self]

    @property
    def weight(self) -> Weight:
        """How much a conflict of the kind weighs."""
        return _WEIGHTS[self]


class Weight(StrEnum):
    """Whether a conflict forbids parallel execution, advises against it, or is only worth knowing."""

    BLOCKING = "blocking"
    WARNING = "warning"
    INFO = "info"


_RANKS = {kind: rank for rank, kind in enumerate(ConflictKind)}
_WEIGHTS = {
    ConflictKind.WRITE_WRITE: Weight.BLOCKING,
    ConflictKind.READ_WRITE: Weight.WARNING,
    ConflictKind.EDIT_IMPORT: Weight.WARNING,
    ConflictKind.READ_READ: Weight.INFO,
}


class Conflict(msgspec.Struct, frozen=True, gc=False):
    """Two tasks that meet at one path.

    Attributes:
        kind: what they do there; the gravest, when several hold.
        first: the task that comes first in natural order of ids.
        second: the other.
        path: the file, or the narrower of the two patterns.
        first_touches: what the first task does there, the best proof first; never empty.
        second_touches: the same for the second.
    """

    kind: ConflictKind
    first: str
    second: str
    path: str
    first_touches: tuple[Touch, ...]
    second_touches: tuple[Touch, ...]

    @property
    def weight(self) -> Weight:
        """How much the conflict weighs."""
        return self.kind.weight

    @property
    def first_touch(self) -> Touch:
        """The best proof on the first task's side."""
        return self.first_touches[0]

    @property
    def second_touch(self) -> Touch:
        """The best proof on the second task's side."""
        return self.second_touches[0]

    @property
    def both_edit(self) -> bool:
        """Whether both tasks edit the file, so that the conflict is between those who do the tasks, not their code."""
        return _has_edit(self.first_touches) and _has_edit(self.second_touches)

    @property
    def both_run(self) -> bool:
        """Whether the code of both tasks touches the file."""
        return _has_runtime(self.first_touches) and _has_runtime(self.second_touches)

    @property
    def writer(self) -> str | None:
        """The task that writes, where only one of them does."""
        if self.kind in (ConflictKind.WRITE_WRITE, ConflictKind.READ_READ):
            return None
        return self.first if any(touch.operation.is_write for touch in self.first_touches) else self.second


class Flow(msgspec.Struct, frozen=True, gc=False):
    """One task's code writes what another's reads.

    Attributes:
        writer: the producing task.
        reader: the consuming task.
        path: the file, or the narrower of the two patterns.
        write: the proof on the writer's side.
        read: the proof on the reader's side.
        certain: whether it is one known file, written and read unconditionally.
    """

    writer: str
    reader: str
    path: str
    write: Touch
    read: Touch
    certain: bool


def _has_edit(touches: tuple[Touch, ...]) -> bool:
    return any(touch.origin is Origin.EDIT for touch in touches)


def _has_runtime(touches: tuple[Touch, ...]) -> bool:
    return any(touch.origin is Origin.RUNTIME for touch in touches)


def find_conflicts(
    footprints: Sequence[Footprint],
    relations: Relations | None = None,
    *,
    read_read: bool = False,
) -> list[Conflict]:
    """Every conflict between tasks that may run together, one for each pair and distinct path.

    Args:
        footprints: what each task touches.
        relations: pairs that are related do not conflict; None looks at every pair.
        read_read: whether to report files that two tasks only read.

    Returns:
        Conflicts, gravest kind first, then by ids in natural order, then by path.
    """
    return ConflictIndex(footprints).find(relations, read_read=read_read)


_Touches = tuple[Touch, ...]


class _Role(msgspec.Struct):
    """The tasks that touch one path, and how; keys are ranks of tasks."""

    pattern: PathPattern
    writers: dict[int, _Touches] = msgspec.field(default_factory=dict)
    readers: dict[int, _Touches] = msgspec.field(default_factory=dict)
    importers: dict[int, _Touches] = msgspec.field(default_factory=dict)

    @property
    def is_shared(self) -> bool:
        """Whether there may be more than one task."""
        return len(self.writers) + len(self.readers) + len(self.importers) > 1


class ConflictIndex:
    """The touches of many tasks, gathered by path; built once, asked often.

    Attributes:
        ids: the tasks in natural order of their ids; positions in it are what `adjacency` speaks of.
        meetings: pairs of distinct paths that overlap.
    """

    def __init__(self, footprints: Iterable[Footprint]) -> None:
        by_id: dict[str, Footprint] = {}
        for footprint in footprints:
            by_id.setdefault(footprint.task_id, footprint)
        self.ids: tuple[str, ...] = tuple(sorted(by_id, key=natural_key))
        self._roles: dict[str, _Role] = {}
        for rank, task_id in enumerate(self.ids):
            self._add(rank, by_id[task_id])
        patterns = [role.pattern for role in self._roles.values()]
        self.meetings: list[tuple[str, str]] = sorted(overlapping_pairs(patterns))

    def _add(self, rank: int, footprint: Footprint) -> None:
        for touch in footprint.writes:
            writers = self._role(touch.path).writers
            writers[rank] = (*writers.get(rank, ()), touch)
        for touch in footprint.reads:
            readers = self._role(touch.path).readers
            readers[rank] = (*readers.get(rank, ()), touch)
        for module in footprint.imports:
            role = self._role(escape(module))
            role.importers[rank] = (Touch(role.pattern.text, Operation.READ, Origin.RUNTIME, footprint.span),)

    def _role(self, path: str) -> _Role:
        role = self._roles.get(path)
        if role is None:
            role = self._roles[path] = _Role(PathPattern(path))
        return role

    def find(
        self,
        relations: Relations | None = None,
        *,
        ids: Collection[str] | None = None,
        read_read: bool = False,
    ) -> list[Conflict]:
        """The conflicts as `find_conflicts` gives them.

        Args:
            relations: pairs that are related do not conflict; None looks at every pair.
            ids: only conflicts between these tasks; None for all.
            read_read: whether to report files that two tasks only read.
        """
        wanted = None if ids is None else {rank for rank, task_id in enumerate(self.ids) if task_id in ids}
        places = None if relations is None else [relations.position.get(task_id, -1) for task_id in self.ids]
        crossings: dict[str, list[tuple[_Role, _Role]]] = {
            path: [(role, role)] for path, role in self._roles.items() if role.is_shared
        }
        for path, other in self.meetings:
            first, second = self._roles[path], self._roles[other]
            crossings.setdefault(_narrower(first.pattern, second.pattern), []).append((first, second))
        kinds = [kind for kind in ConflictKind if read_read or kind is not ConflictKind.READ_READ]
        found: list[Conflict] = []
        for path, roles in crossings.items():
            seen: set[tuple[int, int]] = set()
            # The gravest kind comes first, and a pair meets at a path only once.
            for kind in kinds:
                for one, two, one_touches, two_touches in _encounters(kind, roles, wanted):
                    low, high = (one, two) if one < two else (two, one)
                    if (low, high) in seen:
                        continue
                    if relations is not None and places is not None:
                        here, there = places[low], places[high]
                        if here >= 0 and there >= 0 and relations.related_at(here, there):
                            continue
                    seen.add((low, high))
                    proof = _best_first(one_touches, two_touches), _best_first(two_touches, one_touches)
                    if one > two:
                        proof = proof[::-1]
                    found.append(Conflict(kind, self.ids[low], self.ids[high], path, *proof))
        rank = {task_id: position for position, task_id in enumerate(self.ids)}
        found.sort(key=lambda each: (_RANKS[each.kind], rank[each.first], rank[each.second], each.path))
        return found

    def read_read_pairs(self) -> int:
        """How many pairs only read the same path, as written; to know beforehand whether naming them is sensible."""
        return sum(len(role.readers) * (len(role.readers) - 1) // 2 for role in self._roles.values())

    def flows(self) -> list[Flow]:
        """Where data goes from the code of one task to the code of another: one writes what the other reads.

        Edits are not data flow, and neither is a file that the reader writes too: such files are updated in place.
        """
        found: dict[tuple[int, int, str], Flow] = {}
        crossings = [(path, role, path, role) for path, role in self._roles.items()]
        for one, two in self.meetings:
            first, second = self._roles[one], self._roles[two]
            crossings.append((one, first, two, second))
            crossings.append((two, second, one, first))
        for written, producing, read, consuming in crossings:
            if not producing.writers or not consuming.readers:
                continue
            path = written if producing is consuming else _narrower(producing.pattern, consuming.pattern)
            for writer, writes in producing.writers.items():
                write = next((touch for touch in writes if touch.origin is not Origin.EDIT), None)
                if write is None:
                    continue
                for reader, reads in consuming.readers.items():
                    if reader == writer or reader in producing.writers or reader in consuming.writers:
                        continue
                    certain = (
                        producing.pattern.is_literal
                        and written == read
                        and not (write.conditional or reads[0].conditional)
                    )
                    key = (writer, reader, path)
                    if key not in found or (certain and not found[key].certain):
                        found[key] = Flow(self.ids[writer], self.ids[reader], path, write, reads[0], certain)
        return [found[key] for key in sorted(found)]

    def resources(self) -> tuple[list[list[int]], list[list[int]]]:
        """The conflict graph as resources: two tasks conflict when one checks what the other marks.

        Each path is two resources, that it is touched and that it is written.

        Returns:
            For each position in `ids`, what the task marks and what it checks.
        """
        number = {path: 2 * index for index, path in enumerate(self._roles)}
        met: dict[str, list[str]] = {}
        for one, two in self.meetings:
            met.setdefault(one, []).append(two)
            met.setdefault(two, []).append(one)
        marks: list[list[int]] = [[] for _ in self.ids]
        checks: list[list[int]] = [[] for _ in self.ids]
        for path, role in self._roles.items():
            touched = [number[other] for other in (path, *met.get(path, ()))]
            for rank in role.writers:
                marks[rank] += (number[path], number[path] + 1)
                checks[rank] += touched
            written = [each + 1 for each in touched]
            for rank in (*role.readers, *role.importers):
                marks[rank].append(number[path])
                checks[rank] += written
        return marks, checks

    def adjacency(self) -> list[int]:
        """The conflict graph without naming its pairs: for each position in `ids`, the bitset of conflicting positions.

        Files that two tasks only read make no edge. Linear in the touches and in the meetings of paths, whatever the
        number of pairs.
        """
        adjacent = [0] * len(self.ids)
        writing: dict[str, int] = {}
        touching: dict[str, int] = {}
        for path, role in self._roles.items():
            writing[path] = _mask(role.writers)
            touching[path] = writing[path] | _mask(role.readers) | _mask(role.importers)
        # What each path meets, itself included, so that one pass over the tasks of a path is enough.
        met_writing, met_touching = dict(writing), dict(touching)
        for one, two in self.meetings:
            for here, there in ((one, two), (two, one)):
                met_writing[here] |= writing[there]
                met_touching[here] |= touching[there]
        for path, role in self._roles.items():
            for rank in role.writers:
                adjacent[rank] |= met_touching[path]
            if met_writing[path]:
                for rank in (*role.readers, *role.importers):
                    adjacent[rank] |= met_writing[path]
        for rank in range(len(adjacent)):
            adjacent[rank] &= ~(1 << rank)
        return adjacent


def _mask(ranks: Iterable[int]) -> int:
    mask = 0
    for rank in ranks:
        mask |= 1 << rank
    return mask


def _encounters(
    kind: ConflictKind, crossings: Sequence[tuple[_Role, _Role]], wanted: Collection[int] | None
) -> Iterator[tuple[int, int, _Touches, _Touches]]:
    """The pairs of different tasks that meet in one way at one path, with their touches."""
    for first, second in crossings:
        sides = [_sides(kind, first, second)]
        if first is not second and kind in (ConflictKind.READ_WRITE, ConflictKind.EDIT_IMPORT):
            sides.append(_sides(kind, second, first))
        for left, right in sides:
            if not left or not right:
                continue
            if wanted is not None:
                left = {rank: touches for rank, touches in left.items() if rank in wanted}  # noqa: PLW2901
                right = {rank: touches for rank, touches in right.items() if rank in wanted}  # noqa: PLW2901
            # Where both sides are the same group, each pair would come twice.
            both = kind in (ConflictKind.WRITE_WRITE, ConflictKind.READ_READ) and first is second
            for one, touches in left.items():
                for two, others in right.items():
                    if one < two or (one > two and not both):
                        yield one, two, touches, others


def _sides(kind: ConflictKind, first: _Role, second: _Role) -> tuple[dict[int, _Touches], dict[int, _Touches]]:
    if kind is ConflictKind.WRITE_WRITE:
        return first.writers, second.writers
    if kind is ConflictKind.READ_WRITE:
        return first.writers, second.readers
    if kind is ConflictKind.EDIT_IMPORT:
        return first.writers, second.importers
    return first.readers, second.readers


def _best_first(touches: _Touches, against: _Touches) -> _Touches:
    """A task's touches of a path, first those of an origin that the other side has too, then the unconditional ones."""
    if len(touches) == 1:
        return touches
    origins = {touch.origin for touch in against}

    def order(touch: Touch) -> tuple[bool, str, bool, SourceSpan]:
        return (touch.origin not in origins, touch.origin.value, touch.conditional, touch.span)

    return tuple(sorted(touches, key=order))


def _narrower(one: PathPattern, two: PathPattern) -> str:
    """The path at which two overlapping patterns are said to meet."""
    for narrow, wide in ((one, two), (two, one)):
        if wide.covers(narrow) or wide.below.covers(narrow):
            return narrow.text
    return min(one.text, two.text, key=lambda text: (-len(text), text))


# --- the index over paths --------------------------------------------------------------------------------------------


class _Node(msgspec.Struct):
    """The patterns whose leading literal segments end here, by the ending that a path must have to match."""

    by_name: dict[str, list[PathPattern]] = msgspec.field(default_factory=dict)
    by_extension: dict[str, list[PathPattern]] = msgspec.field(default_factory=dict)
    others: list[PathPattern] = msgspec.field(default_factory=list)

    def file(self, pattern: PathPattern) -> None:
        name, extension = _ending(pattern)
        if name is not None:
            self.by_name.setdefault(name, []).append(pattern)
        elif extension is not None:
            self.by_extension.setdefault(extension, []).append(pattern)
        else:
            self.others.append(pattern)

    def candidates(self, name: str | None, extension: str | None) -> Iterator[PathPattern]:
        """Patterns that a path (or pattern) with this ending may meet; None says that the ending is open."""
        yield from self.others
        if name is None and extension is None:
            for group in (*self.by_name.values(), *self.by_extension.values()):
                yield from group
            return
        if name is not None:
            yield from self.by_name.get(name, ())
            extension = _extension(name)
        else:
            for other, group in self.by_name.items():
                if _extension(other) == extension:
                    yield from group
        if extension is not None:
            yield from self.by_extension.get(extension, ())


def _extension(name: str) -> str | None:
    return name[name.rindex(".") :] if "." in name else None


def _ending(pattern: PathPattern) -> tuple[str | None, str | None]:
    """The last segment that every match has, or else the extension; (None, None) where the ending is open."""
    if pattern.is_folder:
        return None, None
    suffix = pattern.literal_suffix
    name = suffix.rpartition("/")[2]
    if "/" in suffix:
        return name, None
    return None, _extension(suffix)


def overlapping_pairs(patterns: Iterable[PathPattern]) -> set[tuple[str, str]]:
    """Every pair of different patterns that meet, as texts in sorted order.

    Two patterns can overlap only if the literal segments with which one begins are a prefix of the other's, so each
    asks the nodes on its own way down. A literal path that lies above another must be a folder (`rmtree("out")` beside
    `out/x.json`): who touches a folder as a whole touches what is in it, so that the two meet as well.
    """
    distinct = sorted(set(patterns))
    nodes: dict[tuple[str, ...], _Node] = {}
    wild = [pattern for pattern in distinct if not pattern.is_literal]
    for pattern in wild:
        nodes.setdefault((pattern.anchor, *pattern.literal_segments), _Node()).file(pattern)
    literals = {(pattern.anchor, *pattern.literal_segments): pattern.text for pattern in distinct if pattern.is_literal}
    found: set[tuple[str, str]] = set()
    for pattern in distinct:
        name, extension = (None, None)
        if pattern.is_literal:
            name = pattern.literal_segments[-1] if pattern.literal_segments else ""
        else:
            name, extension = _ending(pattern)
        key = (pattern.anchor, *pattern.literal_segments)
        for depth in range(1, len(key) + 1):
            above = key[:depth]
            met: list[str] = []
            if (folder := literals.get(above)) is not None and folder != pattern.text:
                met.append(folder)
            if (node := nodes.get(above)) is not None:
                met.extend(
                    candidate.text
                    for candidate in node.candidates(name, extension)
                    if candidate.text != pattern.text and candidate.overlaps(pattern)
                )
            found.update((text, pattern.text) if text < pattern.text else (pattern.text, text) for text in met)
    return found
