"""Programs that run another program in the same process: profilers, tracers, debuggers, timers, launchers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.system.programs import CommandLine, below, place_of, program, run_target
from taskgates.inference.objects import ModuleV
from taskgates.inference.paths import join_paths, split_extension, split_last
from taskgates.inference.text import Hole, Text, TextLike, concat
from taskgates.inference.values import AnyValue, Known, as_value, path_text, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine


@program("cProfile", "profile")
def profile(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Runs a script or module under the profiler; `-o` names the file of statistics."""
    line = CommandLine(args, "o:s:mh", ["outfile=", "sort=", "help"], names={"o": "outfile"})
    if line.has("help") or line.has("h") or not line.operands:
        return
    output = line.last("outfile")
    place = machine.absolute(place_of(output)) if output is not None else None
    run_target(machine, line.operands, module=line.has("m"))
    if place is not None:
        machine.access(Operation.OVERWRITE, as_value(place), "cProfile")


@program("pdb")
def debugger(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Runs a script or module under the debugger, as far as it goes."""
    line = CommandLine(args, "mhc:", ["help", "command="], names={"c": "command"})
    if line.has("help") or line.has("h") or not line.operands:
        return
    if machine.exists(".pdbrc"):
        machine.access(Operation.READ, Known(".pdbrc"), "pdb")
    commands = [text_of(value) for value in line.every("command")]
    stops = not commands or commands[0] not in ("c", "cont", "continue", "r", "run", "q", "quit", "exit")
    if stops and not line.has("m"):
        # The first stop prints the line that comes next.
        machine.access(Operation.READ, line.operands[0], "pdb")
    run_target(machine, line.operands, module=line.has("m"))


@program("timeit")
def timer(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Times a statement, after its setup."""
    line = CommandLine(
        args,
        "n:u:s:r:pcvth",
        ["number=", "setup=", "repeat=", "process", "clock", "time", "verbose", "unit=", "help"],
        names={"s": "setup", "h": "help"},
    )
    if line.has("help"):
        return
    machine.set_program(Known("timeit"), args, "")
    setup = _lines(line.every("setup"))
    statement = _lines(line.operands)
    machine.run_text(as_value(concat(setup, "\n", statement) if setup != "" else statement or "pass"))
    machine.finish()


def _lines(words: Sequence[AnyValue]) -> TextLike:
    text: TextLike = ""
    for index, word in enumerate(words):
        text = concat(text, "\n", place_of(word)) if index else place_of(word)
    return text


@program("runpy")
def runpy(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Runs a module by name, as `python -m` does."""
    run_target(machine, args, module=True)


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
    run_target(machine, line.operands, module=line.has("module"))
    if not line.operands:
        return
    sources = _ran(machine, line, line.operands[0], module=line.has("module"))
    if line.has("trace"):
        for file, _ in sources:
            machine.access(Operation.READ, Known(file), "trace")
    if line.has("no-report"):
        return
    if line.has("count"):
        if folder is not None:
            machine.access(Operation.MKDIR, folder, "trace")
        for file, name in sources:
            machine.access(Operation.READ, Known(file), "trace")
            if folder is None:
                machine.access(Operation.OVERWRITE, as_value(concat(split_extension(file)[0], ".cover")), "trace")
            else:
                place = as_value(join_paths(place_of(folder), concat(name, ".cover")))
                machine.access(Operation.OVERWRITE, place, "trace")
    if counts is not None:
        machine.access(Operation.OVERWRITE, counts, "trace")


def _ran(machine: Machine, line: CommandLine, target: AnyValue, *, module: bool) -> list[tuple[str, TextLike]]:
    """The modules of the tree that ran: absolute file, and the name that the tracer gives it."""
    ignored = {
        name.strip()
        for value in line.every("ignore-module")
        if isinstance(text := text_of(value), str)
        for name in text.split(",")
    }
    folders = [
        str(machine.absolute(piece))
        for value in line.every("ignore-dir")
        if isinstance(text := text_of(value), str)
        for piece in text.split(":")
        if not piece.startswith("$")
    ]
    script = path_text(target)
    found: list[tuple[str, TextLike]] = []
    # The packages around a module are imported to find it, before anything is traced.
    parts = str(script).split(".") if module else []
    packages = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    for name, loaded in machine.modules.items():
        if name in packages:
            continue
        if not isinstance(loaded, ModuleV) or not loaded.file or loaded.file.startswith(("/", "<")):
            continue
        file = f"{machine.root}/{loaded.file}"
        stem = split_extension(str(split_last(loaded.file)[1]))[0]
        if stem in ignored or name in ignored or any(file.startswith(folder + "/") for folder in folders):
            continue
        found.append((file, _traced_name(machine, loaded, script if not module else None)))
    return found


def _traced_name(machine: Machine, loaded: ModuleV, script: TextLike | None) -> TextLike:
    """The dotted name of a file below the longest entry of `sys.path`; of a script, its path as it was given."""
    if loaded.name == "__main__" and script is not None:
        text = script
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


# Coverage

_COVERAGE_LONG = [
    "append",
    "branch",
    "concurrency=",
    "context=",
    "contexts=",
    "data-file=",
    "debug=",
    "directory=",
    "fail-under=",
    "format=",
    "help",
    "ignore-errors",
    "include=",
    "keep",
    "module",
    "no-skip-covered",
    "omit=",
    "parallel-mode",
    "precision=",
    "pretty-print",
    "pylib",
    "quiet",
    "rcfile=",
    "show-contexts",
    "show-missing",
    "skip-covered",
    "skip-empty",
    "sort=",
    "source=",
    "timid",
    "title=",
]
_COVERAGE_FILES = {"xml": "coverage.xml", "json": "coverage.json", "lcov": "coverage.lcov"}


@program("coverage", commands=["coverage", "coverage3"])
def coverage(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`coverage run`, and the reports on what it recorded."""
    if not args or not isinstance(what := text_of(args[0]), str) or what.startswith("-"):
        return
    directory = what in ("html", "annotate")
    run = what == "run"
    line = CommandLine(
        args[1:],
        "apmLhq" if run else ("d:ihq" if directory else "ao:mihq"),
        [*_COVERAGE_LONG, *([] if run else ["output-file="])],
        mixed=not run,
        names={"m": "module", "p": "parallel-mode", "a": "append", "d": "directory", "o": "output-file", "h": "help"},
    )
    if line.has("help"):
        return
    settings = line.last("rcfile")
    if settings is not None:
        machine.access(Operation.READ, settings, "coverage")
    else:
        for name in (".coveragerc", "setup.cfg", "tox.ini", "pyproject.toml"):
            if machine.exists(name, "file"):
                machine.access(Operation.READ, Known(name), "coverage")
    named = line.last("data-file")
    if named is None:
        given = machine.env_value("COVERAGE_FILE")
        named = given if text_of(given) is not None else Known(".coverage")
    data = as_value(machine.absolute(place_of(named)))
    pieces = as_value(concat(place_of(data), ".", Hole("data", False)))
    if run:
        run_target(machine, line.operands, module=line.has("module"))
        if line.has("parallel-mode"):
            machine.access(Operation.CREATE, pieces, "coverage")
        else:
            machine.access(Operation.UPDATE if line.has("append") else Operation.OVERWRITE, data, "coverage")
        return
    if what == "erase":
        machine.access(Operation.DELETE, data, "coverage")
        machine.access(Operation.DELETE, pieces, "coverage")
        return
    if what == "combine":
        for each in line.operands or [pieces]:
            machine.access(Operation.READ, each, "coverage")
            if not line.has("keep"):
                machine.access(Operation.DELETE, each, "coverage")
        machine.access(Operation.OVERWRITE, data, "coverage")
        return
    if what not in ("report", "html", "annotate", *_COVERAGE_FILES):
        return
    machine.access(Operation.READ, data, "coverage")
    machine.access(Operation.READ, below(".", "**", "*.py"), "coverage")
    if what == "html":
        folder = line.last("directory") or Known("htmlcov")
        machine.access(Operation.MKDIR, folder, "coverage")
        machine.access(Operation.OVERWRITE, below(folder, "**"), "coverage")
    elif what in _COVERAGE_FILES:
        output = line.last("output-file") or Known(_COVERAGE_FILES[what])
        if text_of(output) != "-":
            machine.access(Operation.OVERWRITE, output, "coverage")


# Launchers

_LAUNCHERS: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "memory_profiler": ((), "o:T:", ("pdb-mmem=", "precision=", "include-children", "backend=")),
    "pyinstrument": (
        ("pyinstrument",),
        "m:o:r:tE:hp:i:",
        ("outfile=", "renderer=", "timeline", "html", "json", "hide=", "show=", "interval=", "load=", "save="),
    ),
    "kernprof": (("kernprof",), "lbo:s:vrmzu:i:p:", ("outfile=", "line-by-line", "builtin", "setup=", "view", "unit=")),
    "viztracer": (("viztracer",), "o:mqu", ("output_file=", "output_dir=", "tracer_entries=", "quiet", "module")),
    "mpi4py": ((), "m", ()),
    "xdoctest": (("xdoctest",), "", ()),
}
"""Programs that run the script behind their options: console scripts, option letters, long options."""


def _launcher(name: str, short: str, long: tuple[str, ...]) -> None:
    def run(machine: Machine, args: Sequence[AnyValue]) -> None:
        line = CommandLine(args, short, long, names={"o": "outfile", "output_file": "outfile"})
        output = line.last("outfile")
        if "m:" in short and line.has("m"):
            run_target(machine, [*line.every("m")[-1:], *line.operands], module=True)
        else:
            run_target(machine, line.operands, module=line.has("m") or line.has("module"))
        if output is not None:
            machine.access(Operation.OVERWRITE, output, name)

    run.__doc__ = f"`{name}`: runs the script behind its options."
    program(name, commands=_LAUNCHERS[name][0])(run)


for _name, (_, _short, _long) in _LAUNCHERS.items():
    _launcher(_name, _short, _long)


@program("torch.distributed.run", "torch.distributed.launch", commands=["torchrun"])
def torchrun(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Starts a script in several processes at once."""
    words = list(args)
    module = False
    while words and isinstance(text := text_of(words[0]), str) and text.startswith("-"):
        words.pop(0)
        if text in ("-m", "--module"):
            module = True
        elif "=" not in text and text not in ("--standalone", "--no-python", "--no_python", "--use_env", "--use-env"):
            words = words[1:]
    machine.threads += 1
    try:
        run_target(machine, words, module=module)
    except AbstractRaise:
        pass
    finally:
        machine.threads -= 1


__all__ = ["coverage", "debugger", "profile", "runpy", "timer", "torchrun", "tracer"]
