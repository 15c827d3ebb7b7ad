"""Programs that run another program in the same process: profilers, tracers, debuggers, timers, launchers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.system.program_lines import CommandLine
from taskgates.inference.models.system.programs import place_of, program, run_target
from taskgates.inference.text import TextLike, concat
from taskgates.inference.values import AnyValue, Known, as_value, text_of
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


__all__ = ["profile", "runpy", "timer", "torchrun"]
