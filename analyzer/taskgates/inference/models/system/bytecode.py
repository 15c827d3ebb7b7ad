"""Byte code: where the compiled form of a source goes, and the programs that compile whole folders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.backtracking import affordable
from taskgates.inference.models.files.listings import is_folder, members
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.system.program_lines import OPTIMISATION, CommandLine
from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.objects import Arguments, ListObj
from taskgates.inference.paths import join_paths, split_extension, split_last
from taskgates.inference.text import Hole, TextLike, concat
from taskgates.inference.values import NONE, TRUE, AnyValue, Known, TupleV, as_value, path_text, text_of
from taskgates.model.access import Operation
from taskgates.syntax import ir

if TYPE_CHECKING:
    from collections.abc import Sequence


def compiled_path(machine: Machine, source: TextLike, optimisation: str = "") -> TextLike:
    """Where Python keeps the byte code of a source (PEP 3147, PEP 488)."""
    major, minor = machine.python_version
    folder, name = split_last(source)
    prefix = path_text(machine.env_value("PYTHONPYCACHEPREFIX"))
    if isinstance(prefix, str) and prefix:
        absolute = machine.absolute(folder if folder != "" else ".")
        folder = concat(prefix, absolute)
    else:
        folder = join_paths(folder, "__pycache__") if folder != "" else "__pycache__"
    level = f".opt-{optimisation}" if optimisation else ""
    return join_paths(folder, concat(split_extension(name)[0], f".cpython-{major}{minor}{level}.pyc"))


def _level(machine: Machine, value: AnyValue | None) -> str:
    """The part of a byte code file's name that tells how far it is optimised; the interpreter's own by default."""
    if value is None or value in (NONE, Known(-1)):
        value = machine.library.get(OPTIMISATION)
        given = text_of(machine.env_value("PYTHONOPTIMIZE"))
        if value is None and isinstance(given, str) and given:
            value = Known(int(given) if given.isdigit() else 1)
    if isinstance(value, Known) and isinstance(value.value, int) and value.value > 0:
        return str(value.value)
    return ""


def _compilable(machine: Machine, source: TextLike) -> bool:
    """Whether a source may be compiled: nothing is written for one with a syntax error."""
    place = machine.in_tree(source)
    if place is None or machine.wrote(place) or machine.tree.kind(place) != "file":
        return True
    return not isinstance(machine.sources.get(place), ir.SourceProblem)


def _write(machine: Machine, source: TextLike, target: TextLike, call: str, *, conditional: bool = False) -> None:
    machine.access(Operation.READ, as_value(source), call, conditional=conditional)
    if not _compilable(machine, source):
        return
    folder = split_last(target)[0]
    if folder != "":
        machine.access(Operation.MKDIR, as_value(folder), call, conditional=conditional)
    # Written under a temporary name first, then renamed.
    machine.access(
        Operation.CREATE, as_value(concat(target, ".", Hole("random", False))), call, conditional=conditional
    )
    machine.access(Operation.OVERWRITE, as_value(target), call, conditional=conditional)


@function(
    "importlib.util.cache_from_source", "importlib._bootstrap_external.cache_from_source", "imp.cache_from_source"
)
def cache_from_source(machine: Machine, args: Arguments) -> AnyValue | None:
    """`cache_from_source(path)`: the name of the byte code file."""
    text = path_text(args.get(0, "path") or NONE)
    if text is None:
        return None
    given = args.kw.get("optimization")
    level = text_of(given) if given is not None else None
    return as_value(compiled_path(machine, text, level if isinstance(level, str) else _level(machine, given)))


@function("py_compile.compile")
def compile_source(machine: Machine, args: Arguments) -> AnyValue | None:
    """`py_compile.compile(file, cfile=None, ..., optimize=-1)`."""
    source = path_text(args.get(0, "file") or NONE)
    if source is None:
        return None
    given = path_text(args.get(1, "cfile") or NONE)
    target = given if given is not None else compiled_path(machine, source, _level(machine, args.get(4, "optimize")))
    _write(machine, source, target, "py_compile.compile")
    return as_value(target)


@function("compileall.compile_file")
def compile_file(machine: Machine, args: Arguments) -> AnyValue | None:
    """`compileall.compile_file(fullname, ddir, force, rx, quiet, legacy, optimize, ...)`."""
    source = path_text(args.get(0, "fullname") or NONE)
    if source is None:
        return None
    _compile_file(machine, source, _Settings(machine, args, 1))
    return TRUE


@function("compileall.compile_dir")
def compile_folder(machine: Machine, args: Arguments) -> AnyValue | None:
    """`compileall.compile_dir(dir, maxlevels, ddir, force, rx, quiet, legacy, optimize, ...)`."""
    folder = path_text(args.get(0, "dir") or NONE)
    depth = args.get(1, "maxlevels")
    if folder is None or not _known(machine, folder):
        return None
    levels = depth.value if isinstance(depth, Known) and isinstance(depth.value, int) else 1000
    _compile_folder(machine, folder, levels, _Settings(machine, args, 2))
    return TRUE


class _Settings:
    """How byte code is compiled, from the parameters that both functions share (the first stands at `start`)."""

    def __init__(self, machine: Machine, args: Arguments, start: int) -> None:
        force = args.get(start + 1, "force")
        self.force = force is not None and machine.truth(force) is True
        self.excluded: re.Pattern[str] | None = None
        pattern = args.get(start + 2, "rx")
        slots = getattr(pattern, "slots", {})
        text = text_of(pattern) if pattern is not None else None
        inner = slots.get("pattern")
        if inner is not None:
            text = text_of(inner)
        if isinstance(text, str):
            try:
                self.excluded = re.compile(text)
            except re.error:
                self.excluded = None
        legacy = args.get(start + 4, "legacy")
        self.legacy = legacy is not None and machine.truth(legacy) is True
        optimise = args.get(start + 5, "optimize")
        levels = optimise.items if isinstance(optimise, ListObj | TupleV) else [optimise]
        self.levels = [_level(machine, level) for level in levels]


def _known(machine: Machine, folder: TextLike) -> bool:
    """Whether the tree tells what a folder holds."""
    if members(machine, folder) is not None:
        return True
    place = machine.in_tree(folder)
    return place is not None and (machine.tree.list(place) == () or machine.exists(folder) is False)


def _compile_file(machine: Machine, source: TextLike, settings: _Settings) -> None:
    name = split_last(source)[1]
    known = source if isinstance(source, str) else None
    if isinstance(name, str) and not name.endswith(".py"):
        return
    excluded = settings.excluded
    if (
        excluded is not None
        and known is not None
        and affordable(excluded.pattern, len(known))
        and excluded.search(known)
    ):
        return
    if machine.exists(source) is False:
        return
    for level in settings.levels:
        target = concat(source, "c") if settings.legacy else compiled_path(machine, source, level)
        fresh = False
        if not settings.force and machine.exists(target):
            # Its header tells whether the source has changed since.
            machine.access(Operation.READ, as_value(target), "compileall.compile_file")
            fresh = True
        _write(machine, source, target, "compileall.compile_file", conditional=fresh)


def _compile_folder(machine: Machine, folder: TextLike, levels: int, settings: _Settings) -> None:
    machine.access(Operation.LIST, as_value(folder), "compileall.compile_dir")
    for name in members(machine, folder) or ():
        if name == "__pycache__":
            continue
        path = join_paths(folder, name)
        if not is_folder(machine, path):
            _compile_file(machine, path, settings)
        elif levels > 0:
            if _known(machine, path):
                _compile_folder(machine, path, levels - 1, settings)
            else:
                machine.call_external("compileall.compile_dir", Arguments([as_value(path)]), None)


@program("py_compile")
def compile_program(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`python -m py_compile FILE...`."""
    line = CommandLine(args, "qh", ["quiet", "help"], mixed=True)
    if line.has("help") or line.has("h"):
        return
    for source in _named_sources(machine, line.operands):
        missing = machine.missing_file(source)
        if not missing:
            machine.call_external("py_compile.compile", Arguments([source]), None)
        if machine.closed and (missing or not _compilable(machine, place_of(source))):
            # The first error ends the program.
            machine.ended = machine.throw("SystemExit", args=TupleV([Known(1)])).value
            return


def _named_sources(machine: Machine, operands: Sequence[AnyValue]) -> list[AnyValue]:
    """The files to compile: the operands, or the lines of standard input where `-` is the only one."""
    if [text_of(operand) for operand in operands] != ["-"]:
        return list(operands)
    given = text_of(machine.stdin) if machine.stdin is not None else None
    if not isinstance(given, str):
        machine.opaque("py_compile is told what to compile by a standard input that is not known")
        return []
    return [Known(name) for name in given.splitlines() if name]


@program("compileall")
def compile_all(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`python -m compileall [OPTION...] [FILE|FOLDER...]`."""
    line = CommandLine(
        args,
        "lr:fqbd:s:p:x:i:j:o:e:h",
        ["invalidation-mode=", "hardlink-dupes", "help"],
        mixed=True,
        names={"h": "help"},
    )
    if line.has("help"):
        return
    places = list(line.operands)
    listing = line.last("i")
    if listing is not None and text_of(listing) == "-":
        given = text_of(machine.stdin) if machine.stdin is not None else None
        if isinstance(given, str):
            places += [Known(entry) for entry in given.split("\n") if entry.strip()]
        else:
            machine.opaque("compileall is told what to compile by a standard input that is not known")
    elif listing is not None:
        machine.access(Operation.READ, listing, "compileall")
        content = machine.content(place_of(listing))
        if content is None:
            machine.opaque("compileall is told what to compile by a file that is not known")
        else:
            places += [Known(entry) for entry in content.decode("utf-8", "replace").split("\n") if entry.strip()]
    shared: dict[str, AnyValue] = {"force": Known(line.has("f")), "legacy": Known(line.has("b"))}
    if line.has("x"):
        shared["rx"] = line.last("x") or NONE
    levels = [int(text) for value in line.every("o") if isinstance(text := text_of(value), str) and text.isdigit()]
    if levels:
        shared["optimize"] = TupleV([Known(level) for level in levels])
    depth = line.text("r")
    limit: AnyValue = Known(0) if line.has("l") else Known(int(depth)) if depth and depth.isdigit() else NONE
    for place in places:
        if machine.exists(place_of(place), "file"):
            machine.call_external("compileall.compile_file", Arguments([place], dict(shared)), None)
        else:
            arguments = Arguments([place], {"maxlevels": limit, **shared})
            machine.call_external("compileall.compile_dir", arguments, None)


__all__ = ["cache_from_source", "compile_all", "compile_file", "compile_folder", "compile_program", "compiled_path"]
