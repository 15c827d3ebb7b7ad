"""What the command line of a program that is not known says about files all the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.text import Text, TextLike
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taskgates.inference.shell.host import ShellState
    from taskgates.inference.shell.interpreter import ShellInterpreter
    from taskgates.inference.shell.machine import Frame
    from taskgates.inference.shell.places import Place

_OUTPUT = frozenset({"-o", "--out", "--output", "-output", "-out", "--outfile", "--output-file", "--out-file"})
"""Options whose value names what is written, by a convention that hardly any program departs from."""

_MADE = re.compile("out|prefix|name|^-o|dir", re.IGNORECASE)
"""Options whose value begins the names of files that are made."""

_PARTS = 16
"""How many files one name may stand for."""


def presume(
    machine: ShellInterpreter, words: Sequence[TextLike], frame: Frame, state: ShellState, place: Place
) -> None:
    """Note what an unknown program is likely to do with the files that it is told.

    A file of the tree that is named is read, as are the files of an index that is named by what theirs begin with;
    what the option for the output names is written. None of it is certain, or makes the program known.

    Args:
        machine: the interpreter.
        words: the command line, the program's name first.
        frame: the surroundings.
        state: the shell's state.
        place: where the command stands.
    """
    doubtful = frame.within(conditional=True)
    for option, value in _values(words[1:]):
        if option in _OUTPUT:
            if "." in value.rpartition("/")[2].strip("."):
                machine.access(Operation.OVERWRITE, value, str(words[0]), doubtful, state, place)
        elif _is_file(machine, value, state):
            machine.access(Operation.READ, value, str(words[0]), doubtful, state, place)
        elif "/" in value and not _MADE.search(option):
            for file in _begun(machine, value, state):
                machine.access(Operation.READ, file, str(words[0]), doubtful, state, place)


def _values(words: Sequence[TextLike]) -> Iterator[tuple[str, str]]:
    """The words that are no options, each with the option in front of it or in the same word."""
    option = ""
    for word in words:
        if isinstance(word, Text):
            option = ""
        elif word.startswith("-"):
            option, equals, value = word.partition("=")
            if equals:
                yield option, value
                option = ""
        else:
            yield option, word
            option = ""


def _is_file(machine: ShellInterpreter, word: str, state: ShellState) -> bool:
    full = machine.full_path(word, state)
    if not isinstance(full, str) or full.startswith(("/", "~", "..")):
        return False
    return machine.changes.is_file(full) or machine.tree.kind(full) == "file"


def _begun(machine: ShellInterpreter, word: str, state: ShellState) -> list[str]:
    """The files of the tree whose names are a word and an ending, where the word itself names nothing."""
    full = machine.full_path(word, state)
    if not isinstance(full, str) or full.startswith(("/", "~", "..")) or machine.tree.kind(full) is not None:
        return []
    folder, _, stem = full.rpartition("/")
    names = [name for name in machine.tree.list(folder or ".") or () if stem and name.startswith(f"{stem}.")]
    around = word.rpartition("/")[0]
    files = [f"{around}/{name}" for name in names if machine.tree.kind(f"{folder}/{name}") == "file"]
    return files if len(files) <= _PARTS else []


__all__ = ["presume"]
