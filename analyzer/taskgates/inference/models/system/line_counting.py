"""trace: line counts go to a `.cover` file for every module that ran, the library's own among them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.system.loaded_modules import HOOK, LoadedModules
from taskgates.inference.models.system.program_lines import CommandLine
from taskgates.inference.models.system.programs import below, place_of, program, run_target
from taskgates.inference.objects import ModuleV
from taskgates.inference.paths import join_paths, normalise, split_extension, split_last
from taskgates.inference.text import Hole, Text, TextLike, concat
from taskgates.inference.values import AnyValue, Known, as_value, path_text, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine

_LOADED = ("trace", "argparse", "shutil")
"""What the tracer has imported before the program starts."""


@program("trace")
def tracer(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Traces a program: line counts go to a `.cover` file for every module that ran."""
    line = CommandLine(
        args,
        "ctlTrC:f:msRgh",
        [
            "count",
            "trace",
            "listfuncs",
            "trackcalls",
            "report",
            "no-report",
            "file=",
            "coverdir=",
            "missing",
            "summary",
            "timing",
            "ignore-module=",
            "ignore-dir=",
            "module",
            "help",
            "version",
        ],
        names={
            "c": "count",
            "t": "trace",
            "l": "listfuncs",
            "T": "trackcalls",
            "r": "report",
            "R": "no-report",
            "f": "file",
            "C": "coverdir",
            "h": "help",
        },
    )
    if line.has("help") or line.has("version"):
        return
    counts = line.last("file")
    folder = line.last("coverdir")
    if counts is not None and machine.exists(place_of(counts)) is not False:
        machine.access(Operation.READ, counts, "trace")
    if line.has("report"):
        if folder is not None:
            machine.access(Operation.MKDIR, folder, "trace")
            machine.access(Operation.OVERWRITE, below(folder, "*.cover"), "trace")
        else:
            machine.access(Operation.OVERWRITE, below(".", "**", "*.cover"), "trace")
        machine.access(Operation.READ, below(".", "**", "*.py"), "trace")
        return
    if not line.operands:
        return
    before = _around(machine, line.operands) if line.has("module") else frozenset()
    run_target(machine, line.operands, module=line.has("module"))
    sources = _ran(machine, line, line.operands[0], before, module=line.has("module"))
    # Lists of functions, and of who calls whom, come in the place of lines.
    lines = not line.has("listfuncs") and not line.has("trackcalls")
    if line.has("trace") and lines:
        for file, _ in sources:
            machine.access(Operation.READ, Known(file), "trace")
    if line.has("no-report"):
        return
    if line.has("count") and lines:
        if folder is not None:
            machine.access(Operation.MKDIR, folder, "trace")
        for file, name in sources:
            machine.access(Operation.READ, Known(file), "trace")
            if folder is None:
                machine.access(Operation.OVERWRITE, as_value(concat(split_extension(file)[0], ".cover")), "trace")
            else:
                place = as_value(join_paths(place_of(folder), concat(name, ".cover")))
                machine.access(Operation.OVERWRITE, place, "trace")
        if folder is not None:
            for name in _library(machine, line, [file for file, _ in sources]):
                place = as_value(join_paths(place_of(folder), f"{name}.cover"))
                machine.access(Operation.OVERWRITE, place, "trace")
    if counts is not None:
        machine.access(Operation.OVERWRITE, counts, "trace")


def _around(machine: Machine, words: Sequence[AnyValue]) -> frozenset[str]:
    """The modules that are loaded to find the one that a command line names, before anything is traced."""
    package = str(text_of(words[0])).rpartition(".")[0]
    machine.set_program(words[0], list(words[1:]), "")
    if package:
        with suppress(AbstractRaise):
            machine.import_module(package)
    return frozenset(machine.modules)


def _ran(
    machine: Machine, line: CommandLine, target: AnyValue, before: frozenset[str], *, module: bool
) -> list[tuple[str, TextLike]]:
    """The modules of the tree that ran, but for those before: absolute file, and the name that the tracer gives it."""
    ignored, folders = _ignored(machine, line)
    script = path_text(target)
    found: list[tuple[str, TextLike]] = []
    for name, loaded in machine.modules.items():
        if name in before or (module and name == str(script)):
            continue
        if not isinstance(loaded, ModuleV) or not loaded.file or loaded.file.startswith(("/", "<")):
            continue
        file = f"{machine.root}/{loaded.file}"
        stem = split_extension(str(split_last(loaded.file)[1]))[0]
        given = str(script) if name == "__main__" and not module else file
        if stem in ignored or any(given.startswith(f"{folder}/") for folder in folders):
            continue
        found.append((file, _traced_name(machine, loaded, script if not module else None)))
    return found


def _ignored(machine: Machine, line: CommandLine) -> tuple[set[str], list[str]]:
    """The names of modules, and the folders, that a command line leaves out; a relative one holds no module."""
    names = {
        name.strip()
        for value in line.every("ignore-module")
        if isinstance(text := text_of(value), str)
        for name in text.split(",")
    }
    search = machine.environment.search_path if machine.environment is not None else ()
    folders: list[str] = []
    for value in line.every("ignore-dir"):
        text = text_of(value)
        for piece in text.split(":") if isinstance(text, str) else ["$"]:
            if not isinstance(text, str):
                # A folder that is not known is mostly that of the running Python.
                folders += [str(folder) for folder in search]
            elif piece.startswith("$"):
                folders += [str(folder) for folder in search if (folder / "os.py").is_file()]
            else:
                folders.append(str(normalise(piece)))
    return names, folders


def _library(machine: Machine, line: CommandLine, files: list[str]) -> list[str]:
    """The names that the tracer gives the library's modules of which code ran."""
    ignored, folders = _ignored(machine, line)
    places = [place for file in files if (place := machine.in_tree(file)) is not None]
    contents = [content for place in places if (content := machine.tree.read_bytes(place, machine.limits.file_size))]
    loaded = LoadedModules(machine, _LOADED)
    found = loaded.run_by(contents, imports=len(files) > 1)

    def left_out(name: str) -> bool:
        return any(str(loaded.file(name)).startswith(f"{folder}/") for folder in folders)

    # Of a package the tracer knows only that the file is an `__init__`: what is decided of the first goes for all.
    first_left_out = left_out(HOOK) if HOOK in found else None
    kept: list[str] = []
    for name in found:
        base = loaded.base(name)
        decided = first_left_out if base.endswith(".__init__") else None
        if base.rpartition(".")[2] not in ignored and not (left_out(name) if decided is None else decided):
            kept.append(base)
    return kept


def _traced_name(machine: Machine, loaded: ModuleV, script: TextLike | None) -> TextLike:
    """The dotted name of a file below the longest entry of `sys.path`; of a script, its path as it was given."""
    if loaded.name == "__main__" and script is not None:
        # The script's folder, as it was given, stands first in the search path.
        text = split_last(script)[1]
    else:
        file = f"{machine.root}/{loaded.file}"
        entries = [str(path_text(entry)) for entry in machine.search.items if isinstance(path_text(entry), str)]
        if script is not None:
            # The tracer puts the script's folder in front, as it was given: a relative one never matches.
            entries = (
                [entry for entry in entries[1:] if file.startswith(entry + "/")]
                if not str(script).startswith("/")
                else entries
            )
        base = max((entry for entry in entries if file.startswith(entry + "/")), key=len, default=None)
        if base is None:
            stem = str(split_extension(str(split_last(loaded.file)[1]))[0])
            return Text((Hole("data", False), f".{stem}"))
        text = file[len(base) + 1 :]
    if not isinstance(text, str):
        return split_extension(split_last(text)[1])[0]
    return str(split_extension(text.replace("/", "."))[0]).lstrip(".")


__all__ = ["tracer"]
