"""Programs that are started by name (`python -m NAME`, a console script) and are known by a model.

Most modules are analysed by their own source. A model is needed for those that run other code (profilers, debuggers,
test runners) or that do what no source shows (byte code, environments, installers). A model reads its own command line
and runs what it names in the same machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from taskgates.inference.models.registry import Machine
from taskgates.inference.models.system.program_lines import CommandLine, UsageError
from taskgates.inference.paths import join_paths
from taskgates.inference.renderings import render
from taskgates.inference.text import Hole, Text, TextLike, concat
from taskgates.inference.values import AnyValue, Known, as_value, path_text, text_of
from taskgates.model.access import Operation

Program = Callable[[Machine, Sequence[AnyValue]], None]
"""Runs a program with the words behind its name."""

PROGRAMS: dict[str, Program] = {}
"""Programs by the module that `python -m` names."""

COMMANDS: dict[str, Program] = {}
"""Programs by the name of their console script."""


def program(*modules: str, commands: Iterable[str] = ()) -> Callable[[Program], Program]:
    """Register the model of a program under its modules, and under the names of its console scripts."""

    def register(model: Program) -> Program:
        for name in modules:
            PROGRAMS[name] = model
        for name in commands:
            COMMANDS[name] = model
        return model

    return register


def run_program(machine: Machine, name: str, args: Sequence[AnyValue]) -> bool:
    """Run a program by its module's name; False when no model knows it."""
    return _run(machine, PROGRAMS.get(name), args)


def run_command(machine: Machine, name: str, args: Sequence[AnyValue]) -> bool:
    """Run a program by the name of its console script; False when no model knows it."""
    return _run(machine, COMMANDS.get(name), args)


def _run(machine: Machine, model: Program | None, args: Sequence[AnyValue]) -> bool:
    if model is None:
        return False
    with suppress(UsageError):
        model(machine, args)
    return True


def run_target(machine: Machine, words: Sequence[AnyValue], *, module: bool) -> None:
    """Run the script or module that a command line names, with the words behind it as its arguments."""
    if not words:
        return
    if module:
        machine.run_dash_m(words[0], list(words[1:]))
    else:
        machine.run_script(words[0], list(words[1:]))


def place_of(value: AnyValue) -> TextLike:
    """The path that a word of the command line stands for."""
    text = path_text(value)
    return text if text is not None else render(value)


def below(folder: AnyValue | TextLike, *names: str) -> AnyValue:
    """A path below a folder; `**` as the last name is everything below."""
    base = folder if isinstance(folder, str | Text) else place_of(folder)
    text: TextLike = base
    for name in names:
        if name == "**":
            text = concat(text, "/", Hole("glob", True))
        elif "*" in name:
            head, _, tail = name.partition("*")
            text = concat(text, "/" + head, Hole("glob", False), tail)
        else:
            text = join_paths(text, name)
    return as_value(text)


# Programs that touch nothing below the root, or what their words name


@program("this", "antigravity", "site", "sysconfig", "platform", "locale", "webbrowser", "idlelib", "turtledemo")
def quiet(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Prints, or opens windows."""
    del machine, args


@program("code")
def console(machine: Machine, args: Sequence[AnyValue]) -> None:
    """A Python console: what stands on standard input is run."""
    del args
    if machine.stdin is not None:
        machine.run_text(machine.stdin)


@program("asyncio")
def asyncio_console(machine: Machine, args: Sequence[AnyValue]) -> None:
    """A Python console in whose namespace `asyncio` is."""
    del args
    text = text_of(machine.stdin) if machine.stdin is not None else None
    if isinstance(text, str):
        machine.run_text(Known(f"import asyncio\n{text}"))
    elif machine.stdin is not None:
        machine.run_text(machine.stdin)


@program("http.server")
def http_server(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Serves whatever is asked for below a folder."""
    line = CommandLine(
        args, "b:d:p:h", ["bind=", "directory=", "protocol=", "cgi", "help"], mixed=True, names={"d": "directory"}
    )
    if line.has("help") or line.has("h"):
        return
    folder = line.last("directory") or Known(".")
    machine.access(Operation.LIST, folder, "http.server")
    machine.access(Operation.READ, below(folder, "**"), "http.server", conditional=True)


@program("ensurepip")
def ensurepip(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Installs pip into the running environment, or below `--root`."""
    line = CommandLine(
        args,
        "vUh",
        ["version", "verbose", "upgrade", "user", "root=", "altinstall", "default-pip", "help"],
        mixed=True,
    )
    root = line.last("root")
    if root is not None:
        machine.access(Operation.OVERWRITE, below(root, "**"), "ensurepip")


@program("venv")
def venv(machine: Machine, args: Sequence[AnyValue]) -> None:
    """Creates virtual environments: the files that the standard library's builder lays down on POSIX systems."""
    line = CommandLine(
        args,
        "h",
        [
            "system-site-packages",
            "symlinks",
            "copies",
            "clear",
            "upgrade",
            "without-pip",
            "prompt=",
            "upgrade-deps",
            "without-scm-ignore-files",
            "help",
        ],
        mixed=True,
    )
    if line.has("help"):
        return
    major, minor = machine.python_version
    for folder in line.operands:
        if line.has("clear") and machine.exists(place_of(folder)) is not False:
            machine.access(Operation.DELETE, below(folder, "**"), "venv")
        for inner in (".", "bin", "include", "lib", f"lib/python{major}.{minor}/site-packages"):
            machine.access(Operation.MKDIR, below(folder, inner), "venv")
        upgrade = line.has("upgrade")
        written = ["pyvenv.cfg"]
        linked = [f"bin/{name}" for name in ("python", f"python{major}", f"python{major}.{minor}")]
        linked.append("lib64")
        if not upgrade:
            written += [f"bin/{name}" for name in ("activate", "activate.csh", "activate.fish", "Activate.ps1")]
            if (major, minor) >= (3, 13) and not line.has("without-scm-ignore-files"):
                written.append(".gitignore")
        for name in written:
            machine.access(Operation.OVERWRITE, below(folder, name), "venv")
        for name in linked:
            machine.access(Operation.CREATE, below(folder, name), "venv")
        if line.has("copies") and not upgrade:
            # The other names are copies of the first.
            machine.access(Operation.READ, below(folder, f"bin/python{major}.{minor}"), "venv")
        if (not upgrade and not line.has("without-pip")) or line.has("upgrade-deps"):
            packages = below(folder, f"lib/python{major}.{minor}/site-packages", "**")
            machine.access(Operation.OVERWRITE, packages, "venv")
            machine.access(Operation.OVERWRITE, below(folder, "bin/pip*"), "venv")


__all__ = [
    "COMMANDS",
    "PROGRAMS",
    "Program",
    "below",
    "place_of",
    "program",
    "run_command",
    "run_program",
    "run_target",
]
