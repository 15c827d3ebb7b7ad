"""Assignments to variables, arrays and their elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.shell.host import ShellArray
from taskgates.inference.shell.lexing import split_words
from taskgates.inference.shell.syntax_tree import Assignment, Word
from taskgates.inference.shell.texts import hole, stands_for_many
from taskgates.inference.text import TextLike, concat

if TYPE_CHECKING:
    from taskgates.inference.shell.expansion import Expander


def assign(assignment: Assignment, expander: Expander) -> None:
    """Carry out one assignment."""
    state = expander.state
    name = assignment.name
    if not name:
        return
    if assignment.elements is not None:
        state.arrays[name] = _array(assignment, expander)
        state.variables.pop(name, None)
        return
    value: TextLike = ""
    if assignment.value is not None:
        value = expander.string(assignment.value.raw, assignment.value.offset)
    if assignment.subscript is not None:
        _assign_element(assignment, value, expander)
        return
    if assignment.append:
        old = state.variables.get(name)
        if f"integer:{name}" in state.settings:
            total = expander.arithmetic(f"{name} + ({expander.machine.placeholders.encode(value)})")
            value = hole("data", slash=False) if total is None else str(total)
        else:
            value = concat(old if old is not None else "", value)
    state.variables[name] = value
    if "allexport" in state.settings:
        state.exported.add(name)


def _array(assignment: Assignment, expander: Expander) -> ShellArray:
    state = expander.state
    old = state.arrays.get(assignment.name, ShellArray())
    items = list(old.items) if assignment.append else []
    complete = old.complete if assignment.append else True
    associative = old.associative
    for raw, offset in split_words(assignment.elements or ""):
        if raw.startswith("[") and "]=" in raw:
            key, _, value = raw[1:].partition("]=")
            items.append((_subscript(expander.string(key)), expander.string(value)))
            continue
        for field in expander.fields(Word(raw, assignment.offset + offset)):
            complete = complete and not stands_for_many(field)
            items.append((str(len(items)), field))
    return ShellArray(tuple(items[: expander.machine.options.words * 4]), complete, associative)


def _assign_element(assignment: Assignment, value: TextLike, expander: Expander) -> None:
    state = expander.state
    array = state.arrays.get(assignment.name, ShellArray())
    subscript = assignment.subscript or ""
    key: str | None
    if array.associative:
        text = expander.string(subscript)
        key = text if isinstance(text, str) else None
    else:
        number = expander.arithmetic(subscript)
        key = None if number is None else str(number)
    if key is None:
        items = (*array.items, (f"?{len(array.items)}", value))
        state.arrays[assignment.name] = ShellArray(
            items[: expander.machine.options.words * 4], False, array.associative
        )
        return
    if assignment.append:
        old = next((item for one, item in array.items if one == key), "")
        value = concat(old, value)
    items = (*(item for item in array.items if item[0] != key), (key, value))
    state.arrays[assignment.name] = ShellArray(items, array.complete, array.associative)


def _subscript(text: TextLike) -> str:
    """A subscript as a key; unknown ones share one."""
    return text if isinstance(text, str) else "?"
