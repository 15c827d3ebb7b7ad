"""pip-tools: the files of requirements that `pip-compile` reads, and the pinned one that it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.system.program_lines import LooseLine
from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.models.task_runners.launching import known_text
from taskgates.inference.paths import join_paths, split_extension, split_last
from taskgates.inference.text import Hole, TextLike, concat
from taskgates.inference.values import AnyValue, Known, as_value, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.inference.models.registry import Machine

_VALUED = frozenset(
    ["-o", "--output-file", "--extra", "-f", "--find-links", "-i", "--index-url", "--extra-index-url", "--cert",
     "--client-cert", "--trusted-host", "-P", "--upgrade-package", "--max-rounds", "--newline", "--annotation-style",
     "--resolver", "--cache-dir", "--pip-args", "-c", "--constraint", "--unsafe-package", "--config",
     "--build-deps-for", "--color"]
)  # fmt: skip
_DEFAULTS = ("requirements.in", "setup.py", "pyproject.toml", "setup.cfg")
_DEEP = 20


@program("piptools", "piptools.__main__", commands=["pip-compile"])
def compiled(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`pip-compile -o PINNED SOURCE...`."""
    line = LooseLine(args, _VALUED)
    given: dict[str, list[AnyValue]] = {}
    for name, value in line.options:
        given.setdefault(name, []).append(value)
    flags = line.flags
    sources = [word for word in line.operands if text_of(word) != "compile"]
    if flags & {"-h", "--help", "--version"}:
        return
    if not sources:
        sources += [Known(name) for name in _DEFAULTS if machine.exists(name, "file") is True][:1]
    for name in (".pip-tools.toml", "pyproject.toml"):
        if "--no-config" not in flags and machine.exists(name, "file") is True:
            machine.access(Operation.READ, Known(name), "pip-compile")
            break
    for path in sources:
        if text_of(path) != "-":
            read_requirements(machine, place_of(path), 0)
            if str(place_of(path)).endswith((".py", ".toml", ".cfg")):
                machine.opaque("pip-compile: building a project to learn what it requires is not followed")
    for path in (*given.get("-c", ()), *given.get("--constraint", ())):
        machine.access(Operation.READ, path, "pip-compile")
    named = [*given.get("-o", ()), *given.get("--output-file", ())]
    if named:
        target = place_of(named[-1])
    elif len(sources) == 1 and str(place_of(sources[0])).endswith((".py", ".toml", ".cfg")):
        target = join_paths(split_last(place_of(sources[0]))[0], "requirements.txt")
    else:
        target = concat(split_extension(place_of(sources[0]))[0], ".txt") if sources else "requirements.txt"
    if machine.exists(target) is not False:
        machine.access(Operation.READ, as_value(target), "pip-compile")
    if target != "-" and not flags & {"-n", "--dry-run"}:
        # Written aside, and then put in its place.
        aside = join_paths(split_last(target)[0], concat(".__atomic-write", Hole("random", False)))
        machine.access(Operation.CREATE, as_value(aside), "pip-compile")
        machine.access(Operation.OVERWRITE, as_value(target), "pip-compile")


def read_requirements(machine: Machine, path: TextLike, depth: int) -> None:
    """Read a file of requirements, and those that it includes."""
    machine.access(Operation.READ, as_value(path), "pip-compile")
    text = known_text(machine, path) if isinstance(path, str) else None
    for line in (text or "").splitlines():
        words = line.split("#", 1)[0].replace("=", " ").split()
        if len(words) > 1 and words[0] in ("-r", "--requirement", "-c", "--constraint") and depth < _DEEP:
            read_requirements(machine, join_paths(split_last(path)[0], words[1]), depth + 1)
