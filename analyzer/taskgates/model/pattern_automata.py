"""Two path patterns at once: whether some path matches both, and whether one matches all that the other does.

Both questions about two patterns are questions about regular languages. A pattern becomes a nondeterministic automaton
with one state for each of its characters, whose transitions carry ranges of code points instead of single characters;
two patterns overlap when a final state of the product is reachable, and one covers another when no path of the other
leaves the subset construction of the first (Hopcroft and Ullman, Introduction to Automata Theory, 1979, sections 2.3
and 3.3).
"""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import Final

from taskgates.model.pattern_syntax import (
    ANYTHING,
    DOT,
    MAX_CODE_POINT,
    SEPARATOR,
    SLASH,
    Ranges,
    Segment,
    intersect,
)

_COVER_STEPS: Final = 50_000
"""Configurations that `covers` visits before it gives up and says no; declared patterns need a few dozen."""


class Automaton:
    """A nondeterministic automaton over `/segment/segment`, one state for each position of the pattern.

    Attributes:
        moves: for each state, the transitions (ranges, next state) of its epsilon closure.
        accepts: for each state, whether its closure holds the final state.
    """

    __slots__ = ("accepts", "moves")

    def __init__(self, segments: tuple[Segment, ...], *, folder: bool) -> None:
        moves: list[list[tuple[Ranges, int]]] = [[]]
        skips: list[list[int]] = [[]]

        def add_state() -> int:
            moves.append([])
            skips.append([])
            return len(moves) - 1

        state = 0
        for segment in (*segments, None) if folder else segments:
            if segment is None:
                # (slash anything*)?: that segments are not empty is held by the walk over the product.
                inside = add_state()
                after = add_state()
                moves[state].append((SEPARATOR, inside))
                skips[state].append(after)
                moves[inside].append((ANYTHING, inside))
                skips[inside].append(after)
                state = after
                continue
            following = add_state()
            moves[state].append((SEPARATOR, following))
            state = following
            for element in segment:
                following = add_state()
                if element.loop:
                    moves[state].append((element.label, state))
                    skips[state].append(following)
                else:
                    moves[state].append((element.label, following))
                state = following
        # Skips only lead forward, so that closures fill in from the end.
        self.moves: list[tuple[tuple[Ranges, int], ...]] = [()] * len(moves)
        self.accepts: list[bool] = [False] * len(moves)
        self.accepts[state] = True
        for index in range(len(moves) - 1, -1, -1):
            closed = list(moves[index])
            for target in skips[index]:
                closed.extend(move for move in self.moves[target] if move not in closed)
                self.accepts[index] = self.accepts[index] or self.accepts[target]
            self.moves[index] = tuple(closed)

    def accepts_text(self, text: str) -> bool:
        """Whether a path, written `/segment/segment`, matches; all states are followed at once."""
        states = {0}
        for code in map(ord, text):
            states = {
                after
                for state in states
                for label, after in self.moves[state]
                if any(low <= code <= high for low, high in label)
            }
        return any(self.accepts[state] for state in states)


# Where the walk over a product stands within a path: a segment may be neither empty nor `.` nor `..`.
_WITHIN: Final = 0
_AFTER_SLASH: Final = 1
_ONE_DOT: Final = 2
_TWO_DOTS: Final = 3

_Configuration = tuple[int, int, int]
_Origins = dict[_Configuration, tuple[_Configuration, str] | None]


def _after_dot(stage: int) -> int:
    """The stage that a dot leads to."""
    return stage + 1 if stage in (_AFTER_SLASH, _ONE_DOT) else _WITHIN


def character_in(ranges: Ranges) -> str | None:
    """Some character of the ranges other than slash and dot, a readable one if there is one."""
    for low, high in ranges:
        for wanted in (120, 97, 48, 65):
            if low <= wanted <= high:
                return chr(wanted)
    for low, high in ranges:
        for code in (max(low, 33), low, low + 1, low + 2):
            if low <= code <= high and code not in (SLASH, DOT):
                return chr(code)
    return None


def common_path(one: Automaton, two: Automaton) -> list[str] | None:
    """The segments of a shortest path that both patterns match, by breadth-first search over the product automaton.

    A configuration is a state of each and the stage within the segment.
    """
    start = (0, 0, _WITHIN)
    came_from: _Origins = {start: None}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        i, j, stage = here
        if stage == _WITHIN and one.accepts[i] and two.accepts[j]:
            return _spell(came_from, here)
        for label, next_i in one.moves[i]:
            for other_label, next_j in two.moves[j]:
                shared = intersect(label, other_label)
                if not shared:
                    continue
                choices: list[tuple[str, int]] = []
                if (plain := character_in(shared)) is not None:
                    choices.append((plain, _WITHIN))
                if any(low <= DOT <= high for low, high in shared):
                    choices.append((".", _after_dot(stage)))
                if stage == _WITHIN and any(low <= SLASH <= high for low, high in shared):
                    choices.append(("/", _AFTER_SLASH))
                for character, next_stage in choices:
                    following = (next_i, next_j, next_stage)
                    if following not in came_from:
                        came_from[following] = (here, character)
                        queue.append(following)
    return None


def _spell(came_from: _Origins, end: _Configuration) -> list[str]:
    """The segments of the path along which the search came to `end`."""
    characters: list[str] = []
    step = came_from[end]
    while step is not None:
        end, character = step
        characters.append(character)
        step = came_from[end]
    return "".join(reversed(characters)).split("/")[1:]


def covers(outer: Automaton, inner: Automaton) -> bool:
    """Whether no path of `narrow` escapes `wide`: its states against the subset construction of `wide`."""
    cuts = {0, DOT, SLASH, SLASH + 1, MAX_CODE_POINT + 1}
    for automaton in (outer, inner):
        for label, _ in (move for moves in automaton.moves for move in moves):
            for low, high in label:
                cuts.update((low, high + 1))
    # Every label is a union of the intervals between two cuts, so that one character speaks for each of them.
    representatives = sorted(cuts)[:-1]

    @cache
    def members(label: Ranges) -> list[int]:
        return [code for code in representatives if any(low <= code <= high for low, high in label)]

    inner_moves = [[(members(label), target) for label, target in moves] for moves in inner.moves]
    outer_moves = [[(frozenset(members(label)), after) for label, after in moves] for moves in outer.moves]
    start = (0, frozenset({0}), _WITHIN)
    seen = {start}
    stack = [start]
    while stack:
        state, subset, stage = stack.pop()
        if stage == _WITHIN and inner.accepts[state] and not any(outer.accepts[each] for each in subset):
            return False
        if len(seen) > _COVER_STEPS:
            return False
        for codes, target in inner_moves[state]:
            for code in codes:
                if code == SLASH and stage != _WITHIN:
                    continue
                reached = frozenset(after for each in subset for into, after in outer_moves[each] if code in into)
                next_stage = _AFTER_SLASH if code == SLASH else _after_dot(stage) if code == DOT else _WITHIN
                following = (target, reached, next_stage)
                if following not in seen:
                    seen.add(following)
                    stack.append(following)
    return True
