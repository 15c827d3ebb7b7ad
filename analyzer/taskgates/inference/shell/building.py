"""Build tools whose steps are not followed: what they are certain to read, and the folders that they fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.shell.call import below
from taskgates.inference.shell.machine import Outcome
from taskgates.inference.shell.patterns import remove_suffix
from taskgates.inference.shell.texts import basename, join_path
from taskgates.inference.text import Hole, TextLike, concat, make_text, parts_of

if TYPE_CHECKING:
    from taskgates.inference.shell.call import Call


def cmake(call: Call) -> Outcome:
    """`cmake`: configuring reads `CMakeLists.txt`; that and building fill the build folder."""
    arguments = call.arguments
    call.perform_row()
    if arguments.has("-E", "--version", "--help"):
        return Outcome(call.status)
    call.machine.changes.foreign = True
    call.opaque("cmake: its build is not followed")
    if not arguments.has("--build", "--install", "-P"):
        operand = arguments.operands[-1] if arguments.operands else "."
        source = arguments.last("-S") or operand
        call.read(join_path(source, "CMakeLists.txt"))
        if arguments.has("--preset"):
            call.read(join_path(source, "CMakePresets.json"))
    return Outcome(call.status)


def pyinstaller(call: Call) -> Outcome:
    """`pyinstaller`: a script and what it imports become a program below `dist`, by way of `build` and a `.spec`."""
    arguments = call.arguments
    call.perform_row()
    call.machine.changes.foreign = True
    call.opaque("pyinstaller: what it collects is not followed")
    for source in (*arguments.values("--add-data"), *arguments.values("--add-binary")):
        call.read(_in_front_of_colon(source))
    if not arguments.operands:
        return Outcome(call.status)
    script = arguments.operands[0]
    is_specification = str(script).endswith(".spec")
    name = arguments.last("-n", "--name") or remove_suffix(basename(script), ".*", longest=False)
    work = arguments.last("--workpath") or "build"
    product = join_path(arguments.last("--distpath") or "dist", name)
    call.overwrite(below(join_path(work, name)))
    call.overwrite(product if arguments.has("-F", "--onefile") else below(product))
    if not is_specification:
        call.overwrite(join_path(arguments.last("--specpath") or ".", concat(name, ".spec")))
    return Outcome(call.status)


def _in_front_of_colon(pair: TextLike) -> TextLike:
    """The source of `source:destination`, where `*` stands for any name."""
    parts = list(parts_of(pair))
    if parts and isinstance(last := parts[-1], str) and ":" in last:
        parts[-1] = last.rpartition(":")[0]
    out: list[str | Hole] = []
    for part in parts:
        pieces: list[str | Hole] = [*part.split("*")] if isinstance(part, str) else [part]
        for index, piece in enumerate(pieces):
            out += [Hole("glob", False), piece] if index else [piece]
    return make_text(out)


__all__ = ["cmake", "pyinstaller"]
