"""`dvc.api.params_show`: the parameters of a DVC repository, read as they are written in its parameter files.

Beside it what DVC and DVCLive do to the repository itself, where there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from taskgates.inference.conversion import NotKnown, to_python
from taskgates.inference.models.files.formats import content_of, parsed_yaml
from taskgates.inference.models.reading import SETTINGS_LIMIT, decoded
from taskgates.inference.models.registry import FUNCTIONS, Machine, function, method
from taskgates.inference.objects import Arguments, DictObj, Instance
from taskgates.inference.renderings import text_hole
from taskgates.inference.values import DATA, NONE, UNKNOWN, AnyValue, Known, Unknown, text_of
from taskgates.model.access import Operation
from taskgates.model.patterns import normalise_path

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER, _PARAMETERS, _STAGES = ".dvc", "params.yaml", "dvc.yaml"
_CONFIG = f"{_FOLDER}/config"
_BIRTH = _FOLDER + "/tmp/btime"  # noqa: S108 - a path below the repository
_STEP = _FOLDER + "/tmp/exps/run/DVCLIVE_STEP_COMPLETED"  # noqa: S108 - a path below the repository

_STEPPED = ("stepped",)


def open_repository(machine: Machine, call: str) -> None:
    """What opening the repository of the working folder reads and writes."""
    if machine.exists(_FOLDER, "folder") is False:
        return
    if machine.exists(_CONFIG, "file") is not False:
        machine.access(Operation.READ, Known(_CONFIG), call)
    if machine.exists(_BIRTH, "file") is not True:
        machine.access(Operation.CREATE, Known(_BIRTH), call)


def _entries(machine: Machine, field: str) -> Iterator[Any]:
    """The entries of a list that the stages of the repository hold; what DVCLive writes to their file leaves them."""
    file = machine.in_tree(_STAGES)
    text = decoded(machine.tree.read_bytes(file, SETTINGS_LIMIT)) if file is not None else None
    if text is None:
        return
    try:
        given: Any = to_python(parsed_yaml(machine, Known(text)))
    except (NotKnown, yaml.YAMLError):
        return
    stages = given.get("stages") if isinstance(given, dict) else None
    for stage in stages.values() if isinstance(stages, dict) else ():
        if isinstance(stage, dict) and isinstance(stage.get(field), list):
            yield from stage[field]


def _stage_files(machine: Machine) -> Iterator[str]:
    """The parameter files that the stages of the repository name beside the usual one."""
    for entry in _entries(machine, "params"):
        if isinstance(entry, dict):
            yield from (name for name in entry if isinstance(name, str) and "${" not in name)


def _is_output(machine: Machine, path: str) -> bool:
    """Whether a file is an output of a stage: DVC keeps it already."""
    for entry in _entries(machine, "outs"):
        names = entry if isinstance(entry, dict) else (entry,)
        if any(isinstance(name, str) and normalise_path(name) == normalise_path(path) for name in names):
            return True
    return False


def _files(machine: Machine, args: Arguments) -> list[str] | None:
    """The parameter files that are read; None where that is not known."""
    if args.star is not None:
        return None
    given = [text_of(target) for target in args.pos]
    if given:
        names = [name for name in given if isinstance(name, str)]
        return names if len(names) == len(given) else None
    names = [_PARAMETERS] if machine.exists(_PARAMETERS, "file") is not False else []
    if machine.exists(_STAGES, "file") is not False:
        machine.access(Operation.READ, Known(_STAGES), "dvc.api.params_show")
        names.extend(name for name in _stage_files(machine) if name not in names)
    return names


@function("dvc.api.params_show")
def params_show(machine: Machine, args: Arguments) -> AnyValue | None:
    """`params_show(*files)`: the parameters of all files as one mapping, a name in two files with its file."""
    elsewhere = [args.kw.get("repo", NONE), args.kw.get("rev", NONE)]
    if any(value != NONE for value in elsewhere):
        return DictObj("dict", None, text_hole("data", slash=True))
    open_repository(machine, "dvc.api.params_show")
    files = _files(machine, args)
    if files is None:
        machine.access(Operation.READ, Unknown("the parameter files of DVC", "argument"), "dvc.api.params_show")
        return DictObj("dict", None, text_hole("data", slash=True))
    out = DictObj("dict")
    origin: dict[AnyValue, str] = {}
    for name in files:
        machine.access(Operation.READ, Known(name), "dvc.api.params_show")
        found = _parsed(machine, name)
        if not isinstance(found, DictObj) or found.rest is not None:
            machine.put(out, UNKNOWN, text_hole("data", slash=True))
            continue
        for key, value in found.known():
            place = key
            if key in out.slots and isinstance(key, Known):
                out.slots[Known(f"{origin[key]}:{key.value}")] = out.slots.pop(key)
                place = Known(f"{name}:{key.value}")
            origin[place] = name
            out.slots[place] = value
    return out


def _parsed(machine: Machine, name: str) -> AnyValue:
    """The content of a parameter file, by its ending."""
    ending = name.rpartition(".")[2]
    text = content_of(machine, Known(name))
    if ending in ("yaml", "yml"):
        return parsed_yaml(machine, text)
    loads = {"json": "json.loads", "toml": "tomllib.loads"}.get(ending)
    return (FUNCTIONS[loads](machine, Arguments([text])) if loads else None) or DATA


@function("dvclive.Live")
def live(machine: Machine, args: Arguments) -> AnyValue | None:
    """`Live(...)` opens the repository; the rest is said by its row."""
    stages = args.get(4, "dvcyaml") or Known(_STAGES)
    name = text_of(stages)
    if machine.exists(_FOLDER, "folder") is not False:
        open_repository(machine, "dvclive.Live")
        if name == _STAGES:
            machine.access(Operation.READ, stages, "dvclive.Live")
    elif name is not None and machine.exists(name, "file") is not False:
        machine.access(Operation.READ, stages, "dvclive.Live")
    return None


@method("dvclive.Live.__exit__")
def leave_live(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """The end of `with Live(...)` is that of `live.end()`, which reads what it has put down to pass it on."""
    del args
    machine.call(machine.get_attr(obj, "end"), Arguments())
    return NONE


@method("dvclive.Live.log_artifact")
def log_artifact(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`live.log_artifact(path)` adds the file to the repository, where there is one and no stage keeps the file."""
    del obj
    if args.get(7, "cache") == Known(False) or machine.exists(_FOLDER, "folder") is False:
        return NONE
    path = text_of(args.get(0, "path") or UNKNOWN)
    return NONE if isinstance(path, str) and _is_output(machine, path) else None


def _read_again(machine: Machine, obj: Instance, call: str) -> None:
    """From the second time on, the file of stages that the first wrote is read before it is written again."""
    stages = obj.slots.get("dvcyaml", NONE)
    if _STEPPED in obj.slots and text_of(stages) is not None:
        machine.access(Operation.READ, stages, call)


@method("dvclive.Live.end")
def end_live(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`live.end()`: the rest is said by its row."""
    del args
    _read_again(machine, obj, "dvclive.Live.end")
    return None


@method("dvclive.Live.next_step")
def next_step(machine: Machine, obj: Instance, args: Arguments) -> AnyValue | None:
    """`live.next_step()` leaves a mark for the editor; the rest is said by its row."""
    del args
    _read_again(machine, obj, "dvclive.Live.next_step")
    machine.state.write(obj.slots, _STEPPED, Known(True))
    if machine.exists(_FOLDER, "folder") is not False:
        machine.access(Operation.OVERWRITE, Known(_STEP), "dvclive.Live")
    return None
