"""What Snakemake's jobs do: shell commands, functions, scripts; and the files that Snakemake itself keeps of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.files.listings import is_folder
from taskgates.inference.models.pipelines.snakemake_objects import filled_command, values_of
from taskgates.inference.models.pipelines.snakemake_places import STATE, record_of
from taskgates.inference.models.pipelines.snakemake_texts import apply_wildcards
from taskgates.inference.models.registry import Machine, constant, function, method
from taskgates.inference.models.system.programs import below
from taskgates.inference.objects import Arguments, Instance, ModuleV
from taskgates.inference.paths import join_paths, relative_to_root, split_last
from taskgates.inference.shell.host import ShellState
from taskgates.inference.text import Hole, Text, concat, make_text
from taskgates.inference.values import (
    DATA,
    FALSE,
    NONE,
    TRUE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    as_value,
    path_text,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from taskgates.inference.models.pipelines.snakemake_job import Job
    from taskgates.inference.models.pipelines.snakemake_workflow import Workflow

SCRIPT = "snakemake.script.Snakemake"

_EMPTYING = frozenset({"touch", "pathlib.Path.touch"})
"""Calls that make files with nothing in them."""

_DIGESTED = 1_000_000
"""Bytes of an input up to which a digest is kept."""

_TOLD = re.compile(r"(?<=\s)--?[A-Za-z][\w-]*[ =]+['\"]?([^\s'\"]+)")
"""The values of the options of a command."""

_BODIES = ("notebook", "wrapper", "cwl", "template_engine", "xonsh")


def run_job(machine: Machine, workflow: Workflow, job: Job, *, keep_metadata: bool = True) -> None:
    """Carry out one job.

    Args:
        machine: the interpreter, at the place of the rule.
        workflow: the workflow.
        job: the job.
        keep_metadata: whether a record of each output is kept.
    """
    outputs = values_of(job.output)
    for value in (*outputs, *values_of(job.log), *values_of(job.benchmark)):
        folder = _folder(value)
        if folder is not None:
            machine.access(Operation.MKDIR, folder, "snakemake")
    flagged = {value: workflow.encoded(value) for value in outputs}
    for value, text in flagged.items():
        if text in _applied(workflow, job, "directory"):
            machine.access(Operation.MKDIR, value, "snakemake")
    if keep_metadata:
        for value in outputs:
            _record(machine, "incomplete", value)
    names = {**_globals(workflow), **job.names(workflow)}
    gaps = machine.log.gaps
    _body(machine, workflow, job, names)
    unseen = machine.log.gaps > gaps
    if keep_metadata and outputs:
        _read_environment(machine, job)
        for value in values_of(job.input):
            if _is_digested(machine, workflow, value):
                machine.access(Operation.READ, value, "snakemake")
    for value in (*values_of(job.benchmark), *values_of(job.log)):
        machine.access(Operation.OVERWRITE, value, "snakemake")
    touched = _applied(workflow, job, "touch")
    folders = _applied(workflow, job, "directory")
    for value, text in flagged.items():
        if text in folders:
            # A folder has no time of its own that would do.
            machine.access(Operation.OVERWRITE, below(value, ".snakemake_timestamp"), "snakemake")
        elif text in touched:
            if not _was_written(machine, value):
                workflow.empty.add(text)
            machine.access(Operation.OVERWRITE, value, "snakemake")
        elif not _was_written(machine, value):
            # A job whose output is missing at its end fails: something in it has made the file.
            machine.access(Operation.OVERWRITE, value, "snakemake")
    if unseen and job.rule.argument("shell") is not None:
        _presume_more(machine, job, filled_command(machine, job.rule.argument("shell") or NONE, names))
    if keep_metadata:
        for value in outputs:
            _record(machine, "metadata", value)


def _read_environment(machine: Machine, job: Job) -> None:
    """The description of a job's environment is part of the record, also where it is not used."""
    text = path_text(job.rule.argument("conda") or NONE)
    if text is None or not str(text).endswith((".yaml", ".yml")):
        return
    folder = join_paths(machine.root, split_last(job.rule.file)[0])
    machine.access(Operation.READ, as_value(join_paths(folder, text)), "snakemake")


def _is_digested(machine: Machine, workflow: Workflow, value: AnyValue) -> bool:
    """Whether a digest of an input is part of the record: of a file that is neither large nor known to be empty."""
    text = path_text(value)
    if text is None or is_folder(machine, text) or workflow.encoded(value) in workflow.empty:
        return False
    place = machine.in_tree(text)
    if place is None or machine.wrote(place):
        return not 0 < len(writers := machine.log.writers(machine.absolute(text))) <= len(writers & _EMPTYING)
    size = machine.tree.size(place)
    return size is None or 0 < size <= _DIGESTED


def _folder(value: AnyValue) -> AnyValue | None:
    text = path_text(value)
    folder = split_last(text)[0] if text is not None else ""
    return as_value(folder) if folder != "" else None


def _applied(workflow: Workflow, job: Job, flag: str) -> set[str]:
    """The names of a flag with the job's wildcards filled in."""
    place = job.rule.places.get("output")
    patterns = workflow.marked[flag]
    if place is not None:
        patterns = {workflow.marks.encode(place.moved(workflow.decoded(pattern))) for pattern in patterns}
    return {apply_wildcards(pattern, job.wildcards) for pattern in patterns}


def marked_outputs(workflow: Workflow, job: Job, flag: str) -> list[AnyValue]:
    """The outputs of a job that a flag marks."""
    names = _applied(workflow, job, flag)
    return [value for value in values_of(job.output) if workflow.encoded(value) in names]


def _was_written(machine: Machine, value: AnyValue) -> bool:
    text = path_text(value)
    place = machine.in_tree(text) if text is not None else None
    if place is not None:
        return bool(machine.wrote(place) or machine.made_folder(place))
    if not isinstance(text, Text):
        return True
    absolute = machine.absolute(text)
    return any(
        isinstance(written, Text) and written.prefix == absolute.prefix and written.suffix == absolute.suffix
        for written in machine.log.written_patterns
    )


def _globals(workflow: Workflow) -> dict[str, AnyValue]:
    return {name: value for name, value in workflow.main.slots.items() if isinstance(name, str) and _is_value(value)}


def _is_value(slot: object) -> bool:
    return type(slot).__name__ != "Maybe"


# Bodies


def _body(machine: Machine, workflow: Workflow, job: Job, names: dict[str, AnyValue]) -> None:
    rule = job.rule
    runner = rule.runner()
    try:
        if rule.argument("shell") is not None:
            run_command(machine, filled_command(machine, rule.argument("shell") or NONE, names))
        elif rule.argument("script") is not None:
            _script(machine, workflow, job, filled_command(machine, rule.argument("script") or NONE, names))
        elif (local := _local_wrapper(machine, job)) is not None:
            _script(machine, workflow, job, as_value(local))
        elif runner is not None:
            machine.call(runner, Arguments((), job.names(workflow)))
        else:
            other = next((name for name in _BODIES if rule.argument(name) is not None), None)
            if other is not None:
                _opaque(machine, job, f"the {other} of the rule {rule.name} is not followed")
    except AbstractRaise as error:
        machine.note_end(error)


def _local_wrapper(machine: Machine, job: Job) -> str | None:
    """The script of a wrapper that stands in the repository (`file:FOLDER`), relative to the Snakefile."""
    text = text_of(job.rule.argument("wrapper") or NONE)
    if not isinstance(text, str) or not text.startswith("file:"):
        return None
    folder = text.removeprefix("file:").removeprefix("//")
    script = folder if folder.endswith((".py", ".R", ".Rmd")) else f"{folder}/wrapper.py"
    base = split_last(join_paths(join_paths(machine.root, split_last(job.rule.file)[0]), script))[0]
    environment = join_paths(base, "environment.yaml")
    if machine.exists(environment, "file") is True:
        machine.access(Operation.READ, as_value(environment), "snakemake")
    return script


def _opaque(machine: Machine, job: Job, reason: str) -> None:
    """Say that a job is not followed; what it reads is what its rule says."""
    machine.opaque(reason, other_code=True)
    for value in values_of(job.input):
        machine.access(Operation.READ, value, "snakemake", conditional=True)


def _presume_more(machine: Machine, job: Job, command: AnyValue) -> None:
    """What is not seen through may put more into a folder that it is told and where an output of the job lies."""
    text = text_of(command)
    told = {match.rstrip("/") for match in _TOLD.findall(text)} if isinstance(text, str) else set()
    for folder in sorted(told & {folder_of(str(text_of(value))) for value in values_of(job.output)}):
        inside = as_value(concat(folder, "/", Hole("data", True)))
        machine.access(Operation.OVERWRITE, inside, "snakemake", conditional=True)


def run_command(machine: Machine, command: AnyValue) -> None:
    """Run a shell command, which ends at the first error."""
    state = ShellState(cwd=relative_to_root(machine.cwd, machine.root))
    machine.launch_environment(None, state)
    state.settings |= {"errexit", "pipefail"}
    machine.run_shell(command, state)


def read_script(machine: Machine, workflow: Workflow, job: Job) -> None:
    """What a job's script is read for beside being run."""
    script = job.rule.argument("script")
    text = path_text(filled_command(machine, script, {**_globals(workflow), **job.names(workflow)})) if script else None
    folder = join_paths(machine.root, split_last(job.rule.file)[0])
    place = machine.in_tree(join_paths(folder, text)) if text is not None else None
    if place is not None and machine.tree.kind(place) == "file":
        machine.access(Operation.READ, Known(f"{machine.root}/{place}"), "snakemake")


def _script(machine: Machine, workflow: Workflow, job: Job, script: AnyValue) -> None:
    text = path_text(script)
    folder = split_last(job.rule.file)[0]
    place = machine.in_tree(join_paths(join_paths(machine.root, folder), text)) if text is not None else None
    if place is None or machine.tree.kind(place) != "file":
        _opaque(machine, job, f"the script {text} of the rule {job.rule.name} is not in the repository")
        return
    name = str(split_last(place)[1])
    machine.access(Operation.READ, Known(f"{machine.root}/{place}"), "snakemake")
    copy = as_value(make_text([f"{STATE}/scripts/", Hole("random", False), f".{name}"]))
    machine.access(Operation.CREATE, copy, "snakemake")
    machine.access(Operation.READ, copy, "snakemake")
    if not place.endswith(".py"):
        _opaque(machine, job, f"the script {place} of the rule {job.rule.name} is not Python's")
        return
    child = machine.spawn(machine.site("snakemake"))
    child.cwd = machine.cwd
    child.environ = dict(machine.environ)
    child.set_environ = dict(machine.set_environ)
    child.set_program(Known(f"{machine.root}/{place}"), (), f"{machine.root}/{folder_of(place)}")
    made = Instance(Ext(SCRIPT))
    made.slots.update(job.names(workflow))
    made.slots["config"] = workflow.config
    made.slots["scriptdir"] = Known(f"{machine.root}/{folder_of(place)}")
    made.slots["bench_iteration"] = NONE
    child.library[SCRIPT] = made
    module = ModuleV("__main__", place, "")
    module.slots["snakemake"] = made
    child.modules["__main__"] = module
    child.entry = child.entry or place
    try:
        child.run_module(module, "__main__")
    except AbstractRaise as error:
        child.note_end(error)
    child.finish()


def folder_of(place: str) -> str:
    """The folder of a path from the root."""
    return place.rpartition("/")[0]


# Records


def read_records(machine: Machine, job: Job) -> None:
    """The records of a job's outputs that earlier runs have left: they tell whether it has to run again."""
    for value in values_of(job.output):
        place = record_of("metadata", value)
        text = path_text(place)
        found = machine.in_tree(text) if text is not None else None
        if found is None:
            known = machine.tree.kind(machine.in_tree(f"{STATE}/metadata") or "") == "folder"
        else:
            known = machine.tree.kind(found) == "file" and not machine.wrote(found)
        if known:
            machine.access(Operation.READ, place, "snakemake")


def _record(machine: Machine, kind: str, value: AnyValue) -> None:
    """Keep a record of an output."""
    machine.access(Operation.OVERWRITE, record_of(kind, value), "snakemake")


def lock_files(machine: Machine, jobs: Iterable[Job], performed: Iterable[Job], *, doubtful: bool) -> None:
    """The files that say which inputs and outputs a run works on, where it has any.

    Args:
        machine: the interpreter.
        jobs: all jobs.
        performed: those that ran.
        doubtful: whether others may have run.
    """
    if any(job.input for job in jobs):
        machine.access(Operation.CREATE, Known(f"{STATE}/locks/0.input.lock"), "snakemake")
    certain = any(job.output for job in performed)
    if certain or doubtful:
        place = Known(f"{STATE}/locks/0.output.lock")
        machine.access(Operation.CREATE, place, "snakemake", conditional=not certain)


def keep_log(machine: Machine) -> None:
    """The log that a run leaves."""
    log = make_text([f"{STATE}/log/", Hole("clock", False), ".snakemake.log"])
    machine.access(Operation.CREATE, as_value(log), "snakemake")


# What workflows and scripts call


@function("snakemake.shell.shell", "snakemake.shell")
def shell(machine: Machine, args: Arguments) -> AnyValue:
    """`shell("command {input}")`: the fields are names of the caller."""
    frame = machine.frame
    names: dict[str, AnyValue] = {}
    if frame is not None:
        names.update(_visible(frame.module.slots))
        names.update(_visible(frame.slots))
    names.update(args.kw)
    command = args.get(0, "cmd") or UNKNOWN
    run_command(machine, filled_command(machine, command, names))
    return DATA if args.kw.keys() & {"iterable", "read"} else NONE


def _visible(slots: Mapping[object, AnyValue]) -> dict[str, AnyValue]:
    return {name: value for name, value in slots.items() if isinstance(name, str) and _is_value(value)}


@constant("snakemake.script.snakemake")
def snakemake_object(machine: Machine) -> AnyValue:
    """`from snakemake.script import snakemake`."""
    return machine.library.get(SCRIPT) or UNKNOWN


@method(f"{SCRIPT}.log_fmt_shell")
def log_fmt_shell(machine: Machine, obj: Instance, args: Arguments) -> AnyValue:
    """`snakemake.log_fmt_shell(stdout, stderr, append)`: a redirection to the job's log."""
    log = obj.slots.get("log")
    content = machine.iterate(log) if log is not None else None
    if content is None or not content.items:
        return Known("")
    out, error = args.get(0, "stdout") or TRUE, args.get(1, "stderr") or TRUE
    sign = ">>" if args.get(2, "append") == TRUE else ">"
    streams = {(True, True): f"{sign} ", (True, False): f"{sign} ", (False, True): f"2{sign} "}
    chosen = streams.get((out != FALSE, error != FALSE))
    if chosen is None:
        return Known("")
    target = concat(chosen, path_text(content.items[0]) or "")
    return as_value(concat(target, " 2>&1") if FALSE not in (out, error) else target)


__all__ = [
    "SCRIPT",
    "STATE",
    "keep_log",
    "lock_files",
    "marked_outputs",
    "read_records",
    "read_script",
    "run_command",
    "run_job",
]
