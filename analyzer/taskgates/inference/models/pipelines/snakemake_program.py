"""The program snakemake: its command line, and a run of the workflow that it names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from taskgates.inference.conversion import NotKnown, from_python, to_python
from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.command_lines.words import Words
from taskgates.inference.models.files.formats import content_of, parsed_yaml
from taskgates.inference.models.pipelines.snakemake_bodies import (
    keep_log,
    lock_files,
    marked_outputs,
    read_records,
    read_script,
    run_job,
)
from taskgates.inference.models.pipelines.snakemake_jobs import Scheduler
from taskgates.inference.models.pipelines.snakemake_places import STATE
from taskgates.inference.models.pipelines.snakemake_rules import config_values, merge_config
from taskgates.inference.models.pipelines.snakemake_workflow import Workflow
from taskgates.inference.models.registry import Machine, function
from taskgates.inference.models.system.programs import place_of, program
from taskgates.inference.objects import Arguments, DictObj
from taskgates.inference.paths import join_paths, split_last
from taskgates.inference.values import (
    NONE,
    AnyValue,
    Known,
    as_value,
    path_text,
    text_of,
)
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taskgates.inference.models.pipelines.snakemake_job import Job

_FILES = ("Snakefile", "snakefile", "workflow/Snakefile", "workflow/snakefile")
_PROFILES = ("workflow/profiles/default", "profiles/default")

_PROFILE_NAMES = tuple(f"{stem}{version}.yaml" for version in (".v9+", ".v8+", "") for stem in ("profile", "config"))

_ONE = frozenset(
    [
        "apptainer-args", "apptainer-prefix", "archive", "attempt", "batch", "cluster", "conda-base-path",
        "conda-frontend", "conda-prefix", "container-image", "default-storage-prefix", "default-storage-provider",
        "directory", "draft-notebook", "edit-notebook", "executor", "export-cwl", "greediness", "jobname", "jobscript",
        "js", "jn", "latency-wait", "list-changes", "lc", "local-cores", "local-groupid", "local-storage-prefix",
        "max-checksum-file-size", "max-inventory-time", "max-jobs-per-second", "max-jobs-per-timespan",
        "max-status-checks-per-second", "max-threads", "mode", "notebook-listen", "output-wait", "persistence-backend",
        "persistence-backend-db-url", "precommand", "preemptible-retries", "profile", "queue-input-wait-time",
        "remote-job-local-storage-prefix", "report-html-path", "report-html-stylesheet-path", "report-metadata",
        "report-stylesheet", "reporter", "restart-times", "retries", "runtime-profile",
        "runtime-source-cache-path", "scheduler-greediness", "scheduler-solver-path", "scheduler-subsample",
        "seconds-between-status-checks", "shadow-prefix", "singularity-args", "singularity-prefix", "snakefile",
        "wait-for-files-file", "wait-for-free-local-storage", "workflow-profile", "wrapper-prefix",
    ]
)  # fmt: skip
_SEVERAL = frozenset(
    [
        "allowed-rules", "cache", "cleanup-metadata", "cm", "config", "configfile", "configfiles", "consider-ancient",
        "default-res", "default-resources", "deploy-sources", "deployment", "deployment-method", "envvars", "forcerun",
        "group-components", "groups", "logger", "omit-flags", "omit-from", "preemptible-rules", "prioritize",
        "quiet", "rerun-triggers", "res", "resources", "sdm", "set-resource-scopes", "set-resources", "set-scatter",
        "set-threads", "shared-fs-usage", "software-deployment-method", "strict-dag-evaluation", "target-jobs",
        "unneeded-temp-files", "until", "wait-for-files",
    ]
)  # fmt: skip
_PERHAPS = frozenset(
    ["cores", "jobs", "scheduler", "report", "lint", "generate-unit-tests", "containerize", "dag", "rulegraph",
     "conda-cleanup-pkgs"]
)  # fmt: skip
_SHORT = {
    "n": "dry-run", "s": "snakefile", "c": "cores", "j": "jobs", "C": "config", "d": "directory", "t": "touch",
    "k": "keep-going", "f": "force", "e": "executor", "F": "forceall", "R": "forcerun", "P": "prioritize",
    "U": "until", "O": "omit-from", "l": "list-rules", "S": "summary", "D": "detailed-summary", "v": "version",
    "p": "printshellcmds", "q": "quiet", "a": "allow-ambiguity", "w": "latency-wait", "T": "retries", "h": "help",
}  # fmt: skip
_SAME = {"configfiles": "configfile", "dryrun": "dry-run", "res": "resources", "no-temp": "notemp", "nt": "notemp"}
_QUIET = frozenset(
    [
        "dry-run", "list-rules", "list", "list-target-rules", "lt", "dag", "rulegraph", "filegraph", "d3dag",
        "summary", "detailed-summary", "print-compilation", "lint", "list-changes", "lc", "list-input-changes", "li",
        "list-params-changes", "lp", "list-untracked", "lu", "unlock", "cleanup-metadata", "cm", "cleanup-shadow",
        "list-conda-envs", "conda-create-envs-only", "conda-cleanup-envs", "containerize",
    ]
)  # fmt: skip
"""What shows or prepares something and runs no job."""

_NUMBERS = ("all", "unlimited")


@dataclass
class Line:
    """A command line of snakemake, taken apart.

    Attributes:
        options: values by name; an option without one has an empty list.
        targets: rules and files.
    """

    options: dict[str, list[str]] = field(default_factory=dict)
    targets: list[str] = field(default_factory=list)

    def last(self, name: str) -> str | None:
        """The last value of an option."""
        given = self.options.get(name)
        return given[-1] if given else None


def parsed_line(words: Sequence[str]) -> Line:
    """Take a command line apart by the rules of its parser.

    Args:
        words: the words behind the program's name.
    """
    line = Line()
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word == "--":
            line.targets.extend(words[index:])
            break
        if not word.startswith("-") or word == "-":
            line.targets.append(word)
            continue
        for name, given in _options_in(word):
            values = line.options.setdefault(name, [])
            if given is not None:
                values.append(given)
                if name not in _SEVERAL or "=" in word:
                    continue
            elif name in _ONE:
                values.extend(words[index : index + 1])
                index += 1
                continue
            elif name in _PERHAPS:
                following = words[index] if index < len(words) else "-"
                wanted = following.isdigit() or following in _NUMBERS or name not in ("cores", "jobs")
                if wanted and not following.startswith("-"):
                    values.append(following)
                    index += 1
                continue
            if name in _SEVERAL:
                while index < len(words) and not words[index].startswith("-"):
                    values.append(words[index])
                    index += 1
    return line


def _options_in(word: str) -> list[tuple[str, str | None]]:
    """The options of one word, with the value that stands in it."""
    if word.startswith("--"):
        name, sign, value = word[2:].partition("=")
        known = [*_ONE, *_SEVERAL, *_PERHAPS, *_QUIET, *_SHORT.values()]
        if name not in known:
            longer = sorted({each for each in known if each.startswith(name)})
            name = longer[0] if len(longer) == 1 else name
        return [(_SAME.get(name, name), value if sign else None)]
    found: list[tuple[str, str | None]] = []
    letters = word[1:]
    for index, letter in enumerate(letters):
        name = _SHORT.get(letter, letter)
        rest = letters[index + 1 :].removeprefix("=")
        if name in _ONE or name in _SEVERAL or name in _PERHAPS:
            return [*found, (name, rest or None)]
        found.append((name, None))
    return found


class Session:
    """One run of snakemake.

    Args:
        machine: the interpreter.
        args: the words of the command line.
    """

    def __init__(self, machine: Machine, args: Sequence[AnyValue]) -> None:
        self.machine = machine
        self.words = Words()
        self.line = parsed_line([self.words.encode(word) for word in args])
        self.workflow: Workflow | None = None

    def value(self, text: str) -> AnyValue:
        """A word of the command line."""
        return self.words.decode(text)

    def run(self) -> None:
        """Carry it out."""
        machine, line = self.machine, self.line
        if line.options.keys() & {"version", "help"}:
            return
        self._profiles()
        file = self._snakefile()
        if file is None:
            return
        workflow = self.load(file)
        if workflow is None:
            return
        self.cache()
        dry = "dry-run" in line.options
        if not dry:
            keep_log(machine)
            if line.options.keys() & _QUIET:
                return
        cores = line.last("cores") or line.last("jobs")
        limit = int(cores) if cores is not None and cores.isdigit() else None
        scheduler = self._scheduler(workflow, limit, self.preview if dry else self.perform)
        if "delete-all-output" in line.options:
            machine.opaque("snakemake without running jobs: what it removes is not followed")
            return
        if line.options.keys() & {"until", "omit-from"}:
            plan = Scheduler(machine, workflow, limit, lambda _: None)
            self._make(plan)
            scheduler = self._scheduler(workflow, limit, scheduler.perform)
            scheduler.chosen = plan.choose(line.options.get("until", ()), line.options.get("omit-from", ()))
        if dry:
            self._make(scheduler)
            return
        self._handler("onstart")
        targets = self._make(scheduler)
        if "nolock" not in line.options:
            lock_files(machine, scheduler.jobs.values(), scheduler.performed, doubtful=scheduler.doubtful)
        self._remove_temporary(scheduler, targets)
        self._handler("onsuccess")

    def _scheduler(self, workflow: Workflow, limit: int | None, perform: Callable[[Job], None]) -> Scheduler:
        options = self.line.options
        made = Scheduler(self.machine, workflow, limit, perform)
        made.inspect = lambda job: read_records(self.machine, job)
        made.forced = "forceall" in options
        made.forcing = [str(text_of(self.value(word))) for word in options.get("forcerun", ())]
        if "force" in options:
            rule = made.default_rule() if not self.line.targets else None
            made.forcing = [
                *made.forcing,
                *(str(text_of(self.value(word))) for word in self.line.targets),
                *([rule.name] if rule is not None else ()),
            ]
        return made

    def _make(self, scheduler: Scheduler) -> list[str]:
        """Make the targets of the command line, or the default one; the names of the former."""
        targets = [str(text_of(self.value(word))) for word in self.line.targets]
        if targets:
            for target in targets:
                scheduler.want(target)
        else:
            rule = scheduler.default_rule()
            if rule is not None:
                scheduler.visit(rule, {}, ())
        return targets

    def load(self, file: str) -> Workflow | None:
        """Run the Snakefile; None where that fails."""
        machine, line = self.machine, self.line
        overrides = config_values([str(text_of(self.value(word))) for word in line.options.get("config", ())])
        workflow = self.workflow = Workflow(machine, overrides)
        files = [as_value(machine.absolute(place_of(self.value(name)))) for name in line.options.get("configfile", ())]
        folder = line.last("directory")
        if folder is not None:
            place = place_of(self.value(folder))
            machine.access(Operation.MKDIR, as_value(place), "snakemake")
            machine.cwd = machine.absolute(place)
        if files:
            self._override(workflow, files, overrides)
        machine.modules["__main__"] = workflow.main
        return workflow if workflow.load(file) else None

    def _override(self, workflow: Workflow, files: Sequence[AnyValue], overrides: dict[str, object]) -> None:
        """Configuration files of the command line stand above those of the Snakefile."""
        machine = self.machine
        merged = DictObj("dict")
        for each in files:
            machine.access(Operation.READ, each, "snakemake")
            merge_config(machine, merged, parsed_yaml(machine, content_of(machine, each)))
        # What is said in words stands above the files.
        merge_config(machine, merged, from_python(overrides))
        try:
            found = to_python(merged)
        except NotKnown:
            found = dict(overrides)
        workflow.overrides = found if isinstance(found, dict) else dict(overrides)
        merge_config(machine, workflow.config, merged)

    def perform(self, job: Job) -> None:
        """Run one job."""
        assert self.workflow is not None
        if "touch" in self.line.options:
            # Only the times of the outputs change.
            return
        run_job(self.machine, self.workflow, job, keep_metadata="drop-metadata" not in self.line.options)

    def preview(self, job: Job) -> None:
        """Show one job: its script is looked at."""
        assert self.workflow is not None
        read_script(self.machine, self.workflow, job)

    def cache(self) -> None:
        """What Snakemake remembers of the files that it looked for."""
        machine = self.machine
        place = f"{STATE}/iocache/latest.pkl"
        if machine.exists(place, "file") is True:
            machine.access(Operation.READ, Known(place), "snakemake")
        if "dry-run" in self.line.options:
            machine.access(Operation.OVERWRITE, Known(place), "snakemake")

    def _snakefile(self) -> str | None:
        machine = self.machine
        named = self.line.last("snakefile")
        places = [place_of(self.value(named))] if named is not None else list(_FILES)
        for place in places:
            found = machine.in_tree(place)
            if found is not None and machine.tree.kind(found) == "file":
                return str(found)
        machine.opaque("snakemake without a Snakefile in the repository", other_code=True)
        return None

    def _profiles(self) -> None:
        """Options that a profile gives where the command line does not."""
        machine = self.machine
        given = machine.env_value("SNAKEMAKE_PROFILE")
        usual = [str(text_of(given))] if isinstance(text_of(given), str) else []
        named = [*(self.line.options.get("profile") or usual), *self.line.options.get("workflow-profile", ())]
        places = [place_of(self.value(name)) for name in named if name != "none"]
        if "workflow-profile" not in self.line.options:
            places.extend(place for place in _PROFILES if machine.exists(place, "folder") is True)
        for place in places:
            for name in ("", *_PROFILE_NAMES):
                file = join_paths(place, name) if name else place
                if machine.exists(file, "file") is not True:
                    continue
                machine.access(Operation.READ, as_value(file), "snakemake")
                self._take_profile(file)
                break

    def _take_profile(self, file: object) -> None:
        data = self.machine.content(file)
        try:
            found = yaml.safe_load(data.decode()) if data is not None and len(data) < 65_536 else None
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
            return
        for key, value in found.items() if isinstance(found, dict) else ():
            name = _SAME.get(str(key), str(key))
            if name in self.line.options or value is False or value is None:
                continue
            values = value if isinstance(value, list) else [value]
            if isinstance(value, dict):
                values = [f"{inner}={item}" for inner, item in value.items()]
            self.line.options[name] = [] if value is True else [str(each) for each in values]

    def _handler(self, name: str) -> None:
        assert self.workflow is not None
        handler = self.workflow.handlers.get(name)
        if handler is None:
            return
        log = as_value(join_paths(self.machine.cwd, f"{STATE}/log/snakemake.log"))
        try:
            self.machine.call(handler, Arguments([log]))
        except AbstractRaise as error:
            self.machine.note_end(error)

    def _remove_temporary(self, scheduler: Scheduler, targets: Sequence[str]) -> None:
        """Files that are marked as temporary go once every job that reads them is done."""
        assert self.workflow is not None
        if "notemp" in self.line.options:
            return
        for job in scheduler.used():
            for flag in ("temp", "temporary"):
                for value in marked_outputs(self.workflow, job, flag):
                    if path_text(value) not in targets:
                        self.machine.access(Operation.DELETE, value, "snakemake")


@program("snakemake", "snakemake.__main__", commands=["snakemake"])
def snakemake(machine: Machine, args: Sequence[AnyValue]) -> None:
    """`snakemake [TARGET...] [OPTION...]`."""
    machine.set_program(Known("snakemake"), args, "")
    Session(machine, args).run()


@function("snakemake.utils.validate")
def validate(machine: Machine, args: Arguments) -> AnyValue:
    """`validate(config, schema)`: reads the schema, which stands beside the Snakefile; its defaults are filled in."""
    data, schema = args.get(0, "data") or NONE, args.get(1, "schema") or NONE
    text = path_text(schema)
    if text is None:
        return NONE
    frame = machine.frame
    folder = split_last(f"{machine.root}/{frame.module.file}")[0] if frame is not None else machine.cwd
    place = as_value(join_paths(folder, text))
    machine.access(Operation.READ, place, "snakemake.utils.validate")
    defaults = args.get(2, "set_default")
    if isinstance(data, DictObj) and defaults != Known(False):
        _fill_defaults(machine, data, parsed_yaml(machine, content_of(machine, place)))
    return NONE


def _fill_defaults(machine: Machine, data: DictObj, schema: AnyValue, depth: int = 0) -> None:
    properties = schema.slots.get(Known("properties")) if isinstance(schema, DictObj) else None
    if not isinstance(properties, DictObj) or depth > 20:
        return
    for key, description in properties.known():
        if not isinstance(description, DictObj):
            continue
        default = description.slots.get(Known("default"))
        if key not in data.slots and default is not None:
            machine.put(data, key, default)
        inner = data.slots.get(key)
        if isinstance(inner, DictObj):
            _fill_defaults(machine, inner, description, depth + 1)


__all__ = ["Line", "Session", "parsed_line", "snakemake"]
