"""Joining and widening of shell states where paths through a script meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.shell.host import ShellArray, ShellState
from taskgates.inference.shell.texts import choose, flatten, generalise, hole, may_hold_slash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.text import TextLike


def replace_state(state: ShellState, other: ShellState) -> None:
    """Make a state equal to another."""
    state.cwd = other.cwd
    state.variables = other.variables
    state.exported = other.exported
    state.arguments = other.arguments
    state.name = other.name
    state.script = other.script
    state.arrays = other.arrays
    state.functions = other.functions
    state.stack = other.stack
    state.settings = other.settings
    state.aliases = other.aliases
    state.traps = other.traps


def join_states(states: Sequence[ShellState], bound: int) -> ShellState:
    """The state that covers all given ones.

    Args:
        states: at least one.
        bound: how many alternatives of a value are kept apart.
    """
    first = states[0].copy()
    if len(states) == 1:
        return first
    names = {name: None for state in states for name in state.variables}
    for name in names:
        values = [state.variables.get(name) for state in states]
        if all(value == values[0] for value in values) and all(name in state.variables for state in states):
            continue
        first.variables[name] = choose(["" if value is None else value for value in values], bound)
    first.cwd = choose([state.cwd for state in states], bound)
    first.arguments = _join_lists([state.arguments for state in states], bound)
    first.stack = _join_lists([state.stack for state in states], bound)
    for name in {name: None for state in states for name in state.arrays}:
        arrays = [state.arrays.get(name, ShellArray()) for state in states]
        if any(array != arrays[0] for array in arrays):
            first.arrays[name] = _join_arrays(arrays)
    for state in states[1:]:
        first.exported |= state.exported
        first.functions = {**state.functions, **first.functions}
        first.aliases = {**state.aliases, **first.aliases}
        first.traps = {**state.traps, **first.traps}
        first.settings |= state.settings
    return first


def _join_lists(lists: Sequence[list[TextLike]], bound: int) -> list[TextLike]:
    longest = max(lists, key=len)
    if all(one == longest for one in lists):
        return list(longest)
    return [choose([one[index] if index < len(one) else "" for one in lists], bound) for index in range(len(longest))]


def _join_arrays(arrays: Sequence[ShellArray]) -> ShellArray:
    items: dict[str, list[TextLike]] = {}
    for array in arrays:
        for key, value in array.items:
            items.setdefault(key, []).append(value)
    complete = all(array.complete for array in arrays)
    return ShellArray(
        tuple((key, choose(values, 6)) for key, values in items.items()),
        complete,
        any(array.associative for array in arrays),
    )


def widen_states(state: ShellState, after: ShellState, *, last: bool) -> bool:
    """Widen a loop's entry state by the state after one round.

    Args:
        state: changed in place.
        after: the state at the end of a round.
        last: whether what still changes is given up: then it becomes a hole.

    Returns:
        Whether nothing changed, so that the state covers any number of rounds.
    """
    stable = True
    for name, value in after.variables.items():
        old = state.variables.get(name)
        if value == old:
            continue
        texts = [flatten("" if old is None else old), flatten("" if value is None else value)]
        new = generalise(texts)
        if new == old:
            continue
        stable = False
        state.variables[name] = hole("data", name, slash=any(map(may_hold_slash, texts))) if last else new
    if after.cwd != state.cwd:
        stable = False
        state.cwd = hole("data") if last else generalise([state.cwd, after.cwd])
    if after.arguments != state.arguments:
        stable = False
        joined = [*state.arguments, *after.arguments]
        state.arguments = [generalise(joined)] * max(len(state.arguments), len(after.arguments)) if joined else []
    for name, array in after.arrays.items():
        old_array = state.arrays.get(name)
        if array == old_array or (old_array is not None and not old_array.complete and last):
            continue
        stable = False
        values = [value for _, value in array.items]
        merged = generalise([flatten(value) for value in values]) if values else hole("data", name)
        state.arrays[name] = ShellArray((("0", merged),), False, array.associative)
    for name in after.functions:
        state.functions.setdefault(name, after.functions[name])
    return stable
