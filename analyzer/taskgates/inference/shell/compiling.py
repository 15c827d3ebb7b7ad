"""C compilers: the sources, the headers that these include, and what comes out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.shell.machine import Outcome
from taskgates.inference.shell.patterns import remove_suffix
from taskgates.inference.shell.texts import basename, join_path
from taskgates.inference.text import TextLike, concat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.shell.call import Call

_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".c++", ".C", ".m", ".mm", ".S", ".f90", ".F90", ".F")
_INCLUDE = re.compile(
    r"""^[ \t]*#[ \t]*(?:include|import)[ \t]*(?:"(?P<own>[^"\n]+)"|<(?P<shared>[^>\n]+)>)""", re.MULTILINE
)
_QUOTED, _SEARCHED = ("-iquote",), ("-I", "-isystem", "-idirafter")
_FILES = 2_000
"""How many headers are followed."""

_COLUMNS = 72
"""Where the compilers break the lines of a rule."""


def compiler(call: Call) -> Outcome:
    """C compilers: sources with their headers are read; `-o`, an object file each, or `a.out` is written.

    The assembler and the linker read what they have written once more.
    """
    call.perform_row()
    arguments = call.arguments
    sources = arguments.operands
    for source in sources:
        call.read(source)
    output = arguments.last("-o")
    outputs = [output] if output is not None else []
    if output is None and sources and not arguments.has("-E", "-fsyntax-only", "-M", "-MM"):
        outputs = ["a.out"]
        if arguments.has("-c", "-S"):
            ending = ".o" if arguments.has("-c") else ".s"
            outputs = [concat(remove_suffix(basename(source), ".*", longest=False), ending) for source in sources]
        for each in outputs:
            call.overwrite(each)
    if not arguments.has("-E", "-S", "-fsyntax-only", "-M", "-MM"):
        for each in outputs:
            call.read(each)
    if output is not None and arguments.has("-MD", "-MMD") and not arguments.has("-MF"):
        call.overwrite(concat(remove_suffix(output, ".*", longest=False), ".d"))
    compiled = [source for source in sources if str(source).endswith(_SOURCES)]
    if compiled and not _headers(call, [*arguments.values("-include", "-imacros"), *compiled]):
        call.opaque(f"{call.name}: what a source includes is not known")
    elif arguments.has("-MM") and output is None and not arguments.has("-MF"):
        call.out("".join(_rule(call, source) for source in compiled if isinstance(source, str)))
    return Outcome(call.status)


def _headers(call: Call, files: Sequence[TextLike]) -> bool:
    """Read the headers of the tree that sources include, and theirs in turn; whether every source is known."""
    plain = [file for file in files if isinstance(file, str)]
    seen: dict[str, bool] = {}
    for file in plain:
        _follow(call, file, seen)
    for file in seen:
        if file not in plain:
            call.read(file)
    return len(plain) == len(files) and all(seen.values())


def _follow(call: Call, start: str, seen: dict[str, bool]) -> None:
    """Note a source, then the headers that it includes as they come, and whether the content of each is known."""
    shared = call.arguments.values(*_SEARCHED)
    quoted = [*call.arguments.values(*_QUOTED), *shared]
    pending = [start]
    while pending and len(seen) < _FILES:
        file = pending.pop()
        if file in seen:
            continue
        data = call.data(file)
        seen[file] = data is not None
        folder = file.rpartition("/")[0]
        included: list[str] = []
        for match in _INCLUDE.finditer((data or b"").decode("utf-8", "replace")):
            own, name = match["own"], match["own"] or match["shared"]
            places = [folder or ".", *quoted] if own else shared
            found = next((place for each in places if call.kind(place := join_path(each, name)) == "file"), None)
            if isinstance(found, str):
                included.append(found)
        pending.extend(reversed(included))


def _rule(call: Call, source: str) -> str:
    """What `-MM` prints of a source: a rule for make with what its object file depends on."""
    seen: dict[str, bool] = {}
    _follow(call, source, seen)
    named = call.arguments.last("-MT", "-MQ")
    stem = source.rpartition("/")[2].rpartition(".")[0]
    text = f"{named if isinstance(named, str) else stem + '.o'}:"
    column = len(text)
    for file in seen:
        if column + len(file) > _COLUMNS:
            text, column = text + " \\\n", 0
        text, column = f"{text} {file}", column + len(file) + 1
    return text + "\n"


__all__ = ["compiler"]
