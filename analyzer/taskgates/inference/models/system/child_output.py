"""What short commands print, where a program reads it: those that only look at files, so that they can run twice."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.system.children import PIPES
from taskgates.inference.objects import Arguments, Instance
from taskgates.inference.paths import relative_to_root
from taskgates.inference.shell.host import ShellState
from taskgates.inference.shell.places import Place
from taskgates.inference.values import NONE, AnyValue, Known

if TYPE_CHECKING:
    from taskgates.inference.effects import Row

_PRINTERS = frozenset(
    ["basename", "cat", "cut", "dirname", "echo", "find", "grep", "head", "ls", "printf", "pwd", "seq", "sort", "tail",
     "tr", "uniq", "wc"]
)  # fmt: skip
_DEPENDENCIES = "-MM"
"""With this option every compiler prints a rule and makes nothing."""
_WORKING = frozenset(">;&`$(){}\n")
"""What stands in commands that do more than print."""


def _captured(name: str, machine: Machine, args: Arguments) -> AnyValue:
    """A call that hands back what a child prints."""
    row = machine.effects.lookup(name)
    assert row is not None
    result: AnyValue = machine.apply(row, args, None, name)
    bound = machine.bind_row(row, args)
    if name == "subprocess.run" and not _reads_output(machine, bound):
        return result
    text = _printed(machine, row, bound)
    if text is None:
        return result
    if name == "os.popen":
        made: AnyValue = machine.call_external("io.StringIO", Arguments([Known(text)]), None)
        return made
    if name == "subprocess.getoutput":
        return Known(text.removesuffix("\n"))
    decoded = any(bound.get(key, NONE) != NONE for key in ("text", "universal_newlines", "encoding", "errors"))
    said = Known(text if decoded else text.encode("utf-8", "surrogateescape"))
    if name == "subprocess.check_output":
        return said
    if isinstance(result, Instance):
        result.slots["stdout"] = said
    return result


def _reads_output(machine: Machine, bound: dict[str, AnyValue]) -> bool:
    """Whether `subprocess.run` keeps what is printed."""
    return machine.truth(bound.get("capture_output", NONE)) is True or bound.get("stdout") in PIPES


def _printed(machine: Machine, row: Row, bound: dict[str, AnyValue]) -> str | None:
    """What the command prints; None where it is not known, or may not be run once more."""
    words = machine.launch_words(row, bound)
    plain = [word.value for word in words or () if isinstance(word, Known) and isinstance(word.value, str)]
    if not plain or len(plain) != len(words or ()) or bound.get("cwd", NONE) != NONE:
        return None
    launch = row.launch
    assert launch is not None
    flag = launch.shell if isinstance(launch.shell, bool) else machine.truth(bound.get(str(launch.shell), NONE))
    if flag is None:
        return None
    pieces = [piece.split() for piece in plain[0].split("|")] if flag else [plain]
    if flag and _WORKING & set(plain[0]):
        return None
    if not all(piece and (piece[0] in _PRINTERS or _DEPENDENCIES in piece) for piece in pieces):
        return None
    state = ShellState(cwd=relative_to_root(machine.cwd, machine.root))
    machine.launch_environment(bound.get("env"), state)
    shell = machine.shell()
    if flag:
        text = shell.output_of_text(plain[0], state, conditional=machine.conditional)
    else:
        text = shell.output_of_argv(plain, state, Place(), conditional=machine.conditional)
    return text if isinstance(text, str) else None


for _name in ("subprocess.check_output", "subprocess.getoutput", "subprocess.run", "os.popen"):
    function(_name)(partial(_captured, _name))
