"""What Snakemake's records of outputs say about whether a job has to run again.

A record tells which input, code and parameters an output was made with, and holds digests of small inputs. A job runs
again where one of these has changed, or where an input without the digest that was kept is newer than the output.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from taskgates.inference.conversion import NotKnown, to_python
from taskgates.inference.models.pipelines.snakemake_objects import values_of
from taskgates.inference.paths import join_paths, split_last
from taskgates.inference.values import NONE, AnyValue, path_text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from taskgates.inference.models.pipelines.snakemake_job import Job
    from taskgates.inference.models.pipelines.snakemake_workflow import Workflow
    from taskgates.inference.models.registry import Machine

_FORMAT = 4
"""The oldest format of records whose entries are complete."""

_RUN = re.compile(r"^(\s+)run\s*:\s*(#.*)?$")
_PUNCTUATION = frozenset("()[]{},:\\ \t")


def is_current(machine: Machine, workflow: Workflow, job: Job, records: Sequence[AnyValue]) -> bool | None:
    """Whether a job whose output is there need not run, none of its input having been made anew.

    Args:
        machine: the interpreter.
        workflow: the workflow.
        job: the job.
        records: the places of the records of its outputs.

    Returns:
        None where the records do not tell.
    """
    found = [_record(machine, place) for place in records]
    known = [record for record in found if record is not None]
    if not known or len(known) != len(found) or not machine.closed:
        return None
    outputs = _times(machine, job)
    answers = [
        _has_input(workflow, job, known),
        _has_params(job, known),
        _has_code(machine, job, known, outputs),
        *(_is_old(machine, value, workflow.encoded(value), known, outputs) for value in values_of(job.input)),
    ]
    if False in answers:
        return False
    return None if None in answers else True


def _record(machine: Machine, place: AnyValue) -> dict[str, Any] | None:
    text = path_text(place)
    data = machine.content(text) if isinstance(text, str) else None
    try:
        record = json.loads(data) if data is not None else None
    except (ValueError, RecursionError):
        return None
    version = record.get("record_format_version") if isinstance(record, dict) else None
    return record if isinstance(version, int) and version >= _FORMAT else None


def _times(machine: Machine, job: Job) -> int | None:
    """When the oldest output of a job was made; None where that is not known."""
    times: list[int | None] = []
    for value in values_of(job.output):
        place = machine.in_tree(path_text(value) or "")
        if place is not None and machine.tree.kind(place) == "folder":
            place = f"{place}/.snakemake_timestamp"
        times.append(machine.tree.modified(place) if place is not None else None)
    known = [when for when in times if when is not None]
    return min(known) if known and len(known) == len(times) else None


def _has_input(workflow: Workflow, job: Job, records: Sequence[dict[str, Any]]) -> bool | None:
    names = {workflow.encoded(value) for value in values_of(job.input)}
    for record in records:
        before = record.get("input")
        if isinstance(before, list) and set(map(str, before)) != names:
            return None if any(path_text(value) is None for value in values_of(job.input)) else False
    return True


def _has_params(job: Job, records: Sequence[dict[str, Any]]) -> bool | None:
    """Whether all parameters that are kept are those of the job; what depends on other files is not kept."""
    try:
        now = {repr(to_python(value)) for value in values_of(job.params)}
    except NotKnown:
        now = None
    for record in records:
        before = record.get("params")
        if isinstance(before, list) and before and (now is None or not set(map(str, before)) <= now):
            return None
    return True


def _has_code(machine: Machine, job: Job, records: Sequence[dict[str, Any]], outputs: int | None) -> bool | None:
    rule = job.rule
    shell = rule.argument("shell")
    if shell is not None:
        text = text_of(shell)
        before = {record.get("code") for record in records}
        return None if not isinstance(text, str) else before <= {text, None}
    script = text_of(rule.argument("script") or rule.argument("notebook") or NONE)
    if script is not None:
        folder = join_paths(machine.root, split_last(rule.file)[0])
        return True if _is_older(machine, machine.in_tree(join_paths(folder, script)), outputs) else None
    if rule.runner() is not None:
        return _has_block(machine, job, records)
    if any(rule.argument(name) is not None for name in ("wrapper", "cwl", "template_engine")):
        return None
    # A rule that only gathers files, or marks that they are there.
    return True


def _has_block(machine: Machine, job: Job, records: Sequence[dict[str, Any]]) -> bool | None:
    """Whether a `run:` block is the one that was kept: line by line, but for lines of nothing but brackets."""
    data = machine.content(f"{machine.root}/{job.rule.file}")
    lines = data.decode("utf-8", "replace").splitlines() if data is not None else []
    block: list[str] = []
    indent = ""
    for line in lines[max(job.rule.line - 1, 0) :]:
        opening = _RUN.match(line) if not indent else None
        if opening is not None:
            indent = opening[1]
        elif indent and line.strip() and not line.startswith((indent + " ", indent + "\t")):
            break
        elif indent:
            block.append(line)
    now = _telling(block)
    for record in records:
        code = record.get("code")
        if isinstance(code, str) and _telling(code.splitlines()) != now:
            return None
    return True


def _telling(lines: Iterable[str]) -> set[str]:
    """The lines of some code, without those of nothing but brackets and comments."""
    stripped = {line.strip() for line in lines}
    return {line for line in stripped if not set(line) <= _PUNCTUATION and not line.startswith("#")}


def _is_old(
    machine: Machine, value: AnyValue, name: str, records: Sequence[dict[str, Any]], outputs: int | None
) -> bool | None:
    """Whether an input is the one that the output was made from."""
    place = machine.in_tree(path_text(value) or "")
    if place is None or machine.wrote(place):
        return None
    if machine.tree.kind(place) is None:
        # What is no longer there is no newer.
        return True
    if _is_older(machine, place, outputs):
        return True
    digests = {checks.get(name) for record in records if isinstance(checks := record.get("input_checksums"), dict)}
    kept = next(iter(digests)) if len(digests) == 1 else None
    data = machine.content(place) if isinstance(kept, str) else None
    if data is None:
        return None
    return f"sha256:{hashlib.sha256(data).hexdigest()}" == kept


def _is_older(machine: Machine, place: str | None, outputs: int | None) -> bool:
    when = machine.tree.modified(place) if place is not None and outputs is not None else None
    return when is not None and outputs is not None and when <= outputs and not machine.wrote(place)


def is_forced(workflow: Workflow, job: Job, words: Sequence[str]) -> bool:
    """Whether the command line names a job's rule or one of its outputs among those that run in any case."""
    names = {job.rule.name, *map(workflow.encoded, values_of(job.output))}
    return not names.isdisjoint(words)


__all__ = ["is_current", "is_forced"]
