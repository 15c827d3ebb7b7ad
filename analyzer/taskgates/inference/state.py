"""The undoable state of the machine: a trail of slot changes, forks and pending exits.

Everything mutable of the abstract program lives in `slots` dicts. A change made while some mark is active is noted on
the trail together with the old content, as in Warren's abstract machine; so a branch can be run, its changes collected
and undone, and the outcomes of several branches joined slot by slot at the cost of what they changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.objects import CONTENT, Maybe
from taskgates.inference.text import Text
from taskgates.inference.values import (
    INT,
    AnyValue,
    Known,
    PathV,
    Scalar,
    TupleV,
    Union,
    Value,
    as_value,
    join,
    options,
    text_of,
    widen_texts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_VALUES = (Value, Text)
MISSING: Any = type("Missing", (), {"__slots__": (), "__repr__": lambda _: "MISSING"})()
Location = tuple[int, Any]
Delta = dict[Location, tuple[dict[Any, Any], Any, Any]]


class Pending:
    """A path that left its block early (return, break, continue), with the state it left with.

    The state is described relative to the trail position `mark`: `delta` holds the slots that differ from it.
    """

    __slots__ = ("delta", "kind", "mark", "target")

    def __init__(self, kind: int, target: object, mark: int) -> None:
        self.kind = kind
        self.target = target
        self.mark = mark
        self.delta: Delta = {}


class State:
    """The trail and what hangs on it.

    Attributes:
        joined: the alternatives of all values that were joined so far, a measure of what that took.
    """

    def __init__(self) -> None:
        self.joined = 0
        self.trail: list[tuple[dict[Any, Any], Any, Any]] = []
        self.marks = 0
        self.pendings: list[Pending] = []

    def write(self, slots: dict[Any, Any], key: Any, value: Any) -> None:
        """Change one slot."""
        if self.marks:
            self.trail.append((slots, key, slots.get(key, MISSING)))
        slots[key] = value

    def erase(self, slots: dict[Any, Any], key: Any) -> None:
        """Remove one slot, if it is there."""
        if key in slots:
            if self.marks:
                self.trail.append((slots, key, slots[key]))
            del slots[key]

    def begin(self) -> int:
        """Start to record; the mark to give to the other methods."""
        self.marks += 1
        return len(self.trail)

    def end(self) -> None:
        """Stop to record for one `begin`."""
        self.marks -= 1
        if not self.marks:
            self.trail.clear()
            self.pendings.clear()

    def unwind(self, marks: int) -> None:
        """Forget the marks of blocks that were left by an exception."""
        self.marks = marks

    def first_old(self, mark: int) -> dict[Location, Any]:
        """The content at `mark` of every slot changed since."""
        out: dict[Location, Any] = {}
        for slots, key, old in self.trail[mark:]:
            out.setdefault((id(slots), key), old)
        return out

    def delta(self, mark: int) -> Delta:
        """The present content of every slot changed since `mark`."""
        out: Delta = {}
        for slots, key, _ in self.trail[mark:]:
            out[(id(slots), key)] = (slots, key, slots.get(key, MISSING))
        return out

    def rollback(self, mark: int) -> None:
        """Undo everything since `mark`; pending exits keep the state they left with."""
        if len(self.trail) == mark:
            return
        later = [pending for pending in self.pendings if pending.mark > mark]
        if later:
            self._rebase(later, mark)
        for slots, key, old in reversed(self.trail[mark:]):
            if old is MISSING:
                slots.pop(key, None)
            else:
                slots[key] = old
        del self.trail[mark:]

    def _rebase(self, pendings: list[Pending], mark: int) -> None:
        """Describe pending exits relative to an earlier mark, in one walk back over the trail."""
        pendings.sort(key=lambda pending: pending.mark, reverse=True)
        trail = self.trail
        position = len(trail)
        content: dict[Location, Any] = {}
        base: Delta = {}
        done = -1
        for pending in pendings:
            if pending.mark != done:
                done = pending.mark
                # The oldest entry behind the mark has what the slot held there.
                for index in range(position - 1, done - 1, -1):
                    slots, key, old = trail[index]
                    content[(id(slots), key)] = old
                position = done
                base = {}
                for slots, key, _ in trail[mark:done]:
                    location = (id(slots), key)
                    if location not in base:
                        held = content[location] if location in content else slots.get(key, MISSING)
                        base[location] = (slots, key, held)
            pending.delta = {**base, **pending.delta} if pending.delta else dict(base)
            pending.mark = mark

    def merge(self, deltas: list[Delta], *, include_current: bool = False, widen: bool = False) -> bool:
        """Join the outcomes of branches that started from the present state.

        Args:
            deltas: what each surviving branch changed.
            include_current: whether "nothing happened" is an outcome as well.
            widen: generalise instead of joining, so that repeated merges settle.

        Returns:
            Whether any slot changed.
        """
        changed = False
        locations: dict[Location, tuple[dict[Any, Any], Any]] = {}
        for delta in deltas:
            for location, (slots, key, _) in delta.items():
                locations[location] = (slots, key)
        for location, (slots, key) in locations.items():
            current = slots.get(key, MISSING)
            values = [delta[location][2] if location in delta else current for delta in deltas]
            if include_current:
                values.insert(0, current)
            joined = widen_slot(key, values) if widen else join_slot(key, values)
            if joined is current or (joined is not MISSING and current is not MISSING and _same(joined, current)):
                continue
            changed = True
            if type(joined) is Union:
                self.joined += len(joined.options)
            if joined is MISSING:
                self.erase(slots, key)
            else:
                self.write(slots, key, joined)
        return changed

    def leave(self, kind: int, target: object) -> None:
        """Note that the present path leaves early towards `target`."""
        self.pendings.append(Pending(kind, target, len(self.trail)))

    def arrive(self, kind: int, target: object, *, include_current: bool) -> int:
        """Join the states of the paths that left towards `target`; returns how many there were.

        Args:
            kind: the exits to take up.
            target: where they were bound for.
            include_current: whether the present state is reached as well (the block also ended normally).
        """
        if not self.pendings:
            return 0
        mine = [pending for pending in self.pendings if pending.target is target and pending.kind == kind]
        if mine:
            self.take_up(mine, include_current=include_current)
        return len(mine)

    def left_since(self, before: list[Pending]) -> list[Pending]:
        """The paths that left early and are not among those before."""
        known = set(map(id, before))
        return [pending for pending in self.pendings if id(pending) not in known]

    def just_left(self, before: list[Pending]) -> list[Pending]:
        """Those of the paths that left since then whose state is the present one."""
        place = len(self.trail)
        return [pending for pending in self.left_since(before) if pending.mark == place and not pending.delta]

    def carry_on(self, paths: list[Pending]) -> None:
        """Let paths that had left also have what happened since; see `just_left`."""
        for pending in paths:
            if not pending.delta:
                pending.mark = len(self.trail)

    def take_up(self, mine: list[Pending], *, include_current: bool = False) -> None:
        """Join the states of paths that left early, and no longer count these as such; see `arrive`."""
        taken = set(map(id, mine))
        self.pendings = [pending for pending in self.pendings if id(pending) not in taken]
        end = len(self.trail)
        if all(pending.mark == end and not pending.delta for pending in mine):
            return
        olds = [self.first_old(pending.mark) for pending in mine]
        slots_of: dict[Location, tuple[dict[Any, Any], Any]] = {}
        for pending in mine:
            for slots, key, _ in self.trail[pending.mark :]:
                slots_of[(id(slots), key)] = (slots, key)
            for location, (slots, key, _) in pending.delta.items():
                slots_of[location] = (slots, key)
        for location, (slots, key) in slots_of.items():
            current = slots.get(key, MISSING)
            values = [current] if include_current else []
            for pending, old in zip(mine, olds, strict=True):
                if location in pending.delta:
                    values.append(pending.delta[location][2])
                else:
                    values.append(old.get(location, current))
            joined = join_slot(key, values)
            if joined is current:
                continue
            if type(joined) is Union:
                self.joined += len(joined.options)
            if joined is MISSING:
                self.erase(slots, key)
            else:
                self.write(slots, key, joined)

    def forget(self, target: object) -> None:
        """Drop the pending exits towards a block that was left by an exception."""
        if self.pendings:
            self.pendings = [pending for pending in self.pendings if pending.target is not target]


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def join_slot(key: Any, present: Sequence[Any]) -> Any:
    """Join the contents that one slot has on several paths."""
    first = present[0]
    for value in present:
        if value is not first:
            break
    else:
        return first
    if key is CONTENT:
        return join_contents([value for value in present if value is not MISSING])
    kind = type(first)
    if first is not MISSING and kind is not Maybe:
        for value in present:
            if type(value) is not kind or value != first:
                break
        else:
            return first
    missing = False
    plain: list[Any] = []
    for value in present:
        if value is MISSING:
            missing = True
        elif type(value) is Maybe:
            missing = True
            plain.append(value.value)
        else:
            plain.append(value)
    if not plain:
        return MISSING
    for value in plain:
        if not isinstance(value, _VALUES):
            return plain[-1]
    joined = join(plain)
    return Maybe(joined) if missing else joined


def join_contents(contents: list[TupleV]) -> TupleV:
    """Join the contents of one list on several paths: common length kept, the overhang summarised."""
    first = contents[0]
    if all(content is first or content == first for content in contents):
        return first
    width = min(len(content.items) for content in contents)
    items = [join(content.items[index] for content in contents) for index in range(width)]
    over: list[AnyValue] = []
    for content in contents:
        over.extend(content.items[width:])
        if content.rest is not None:
            over.append(content.rest)
    return TupleV(items, join(over) if over else None)


def widen_slot(key: Any, values: list[Any]) -> Any:
    """Generalise the successive contents of one slot so that repeating it changes nothing more."""
    present = [value for value in values if value is not MISSING]
    if key is CONTENT:
        first = present[0]
        over = [item for content in present for item in (*content.items[len(first.items) :], content.rest)]
        every = [item for item in over if item is not None]
        items = [
            widen([content.items[index] for content in present if index < len(content.items)])
            for index in range(len(first.items))
        ]
        return TupleV(items, widen(every) if every else None)
    plain = [value.value if isinstance(value, Maybe) else value for value in present]
    if not plain:
        return MISSING
    if not all(isinstance(value, _VALUES) for value in plain):
        return plain[-1]
    missing = len(present) < len(values) or any(isinstance(value, Maybe) for value in present)
    widened = widen(plain)
    return Maybe(widened) if missing else widened


def widen(values: list[AnyValue]) -> AnyValue:
    """One value for all: strings keep common prefix and suffix, numbers their type, the rest is joined."""
    alternatives: dict[AnyValue, None] = {}
    for value in values:
        for option in options(value):
            alternatives[option] = None
    texts = [text_of(option) for option in alternatives]
    groups: list[AnyValue] = []
    known_texts = [text for text in texts if text is not None]
    if known_texts:
        groups.append(as_value(widen_texts(known_texts)) if len(known_texts) > 1 else as_value(known_texts[0]))
    paths = [option.text for option in alternatives if isinstance(option, PathV)]
    if paths:
        groups.append(PathV(widen_texts(paths) if len(paths) > 1 else paths[0]))
    numbers = [
        option
        for option in alternatives
        if isinstance(option, Scalar) or (isinstance(option, Known) and type(option.value) in (int, float))
    ]
    if len(numbers) == 1:
        groups.append(numbers[0])
    elif numbers:
        kinds = {option.kind if isinstance(option, Scalar) else type(option.value).__name__ for option in numbers}
        groups.append(INT if kinds == {"int"} else Scalar("float"))
    for option, text in zip(alternatives, texts, strict=True):
        if text is None and not isinstance(option, PathV) and option not in numbers:
            groups.append(option)
    return join(groups)
