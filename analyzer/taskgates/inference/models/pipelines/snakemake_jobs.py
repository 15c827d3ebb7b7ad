"""Snakemake's jobs: which rules with which wildcards make the wanted files, in the order in which they run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgates.inference.frames import AbstractRaise
from taskgates.inference.models.pipelines.doit_actions import parameters_of
from taskgates.inference.models.pipelines.snakemake_job import Job
from taskgates.inference.models.pipelines.snakemake_lookups import ITEM
from taskgates.inference.models.pipelines.snakemake_objects import Entry, is_callable, named_list, values_of
from taskgates.inference.models.pipelines.snakemake_places import record_of
from taskgates.inference.models.pipelines.snakemake_records import is_current, is_forced
from taskgates.inference.models.pipelines.snakemake_rules import UNPACK
from taskgates.inference.models.pipelines.snakemake_texts import (
    apply_wildcards,
    flat_values,
    opened_pattern,
    wildcard_expression,
    wildcard_names,
)
from taskgates.inference.objects import Arguments, ClassV, DictObj, Instance, ListObj
from taskgates.inference.values import (
    NONE,
    UNKNOWN,
    AnyValue,
    Ext,
    Known,
    Native,
    TupleV,
    as_value,
    options,
    path_text,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taskgates.inference.models.pipelines.snakemake_rules import Rule
    from taskgates.inference.models.pipelines.snakemake_workflow import Workflow
    from taskgates.inference.models.registry import Machine

JOBS = 3_000
"""Jobs of one workflow that are looked at."""

PATH_LENGTH = 4096
"""Characters that the path of a file can have."""

DEPTH = 120
"""How long a chain of jobs may be."""

_PRODUCTS = ("output", "log", "benchmark")
"""Directives whose files may be wanted."""

_CALLS = 3
"""How often the result of a function may be a function in turn."""

_SEVERAL = re.compile(r"/{2,}")


def normal(name: str) -> str:
    """A file name in the form in which names are compared."""
    name = _SEVERAL.sub("/", name)
    while name.startswith("./"):
        name = name[2:]
    return name.rstrip("/") or name


class Scheduler:
    """Works out jobs and runs them, each after those that make what it reads.

    Args:
        machine: the interpreter.
        workflow: the rules.
        cores: what `threads` may not exceed; None for no bound.
        perform: runs one job.

    Attributes:
        forced: whether jobs run whose output is there already.
        forcing: rules and files whose jobs run in any case.
        inspect: what is done with a job before it is known whether it runs.
        performed: the jobs that certainly ran.
        doubtful: whether others may have run.
        jobs: those that were worked out, by rule and wildcards.
        needs: the jobs that each of them depends on.
        chosen: the jobs that are run; None where all are.
    """

    def __init__(self, machine: Machine, workflow: Workflow, cores: int | None, perform: Callable[[Job], None]) -> None:
        self.machine = machine
        self.workflow = workflow
        self.cores = cores
        self.perform = perform
        self.forced = False
        self.forcing: Sequence[str] = ()
        self.inspect: Callable[[Job], None] | None = None
        self.performed: list[Job] = []
        self.doubtful = False
        self.blocked = False
        # Jobs by their keys whose output is missing and was not needed so far.
        self._waiting: set[tuple[object, ...]] = set()
        self._ran: dict[tuple[object, ...], bool] = {}
        self.jobs: dict[tuple[object, ...], Job] = {}
        self.needs: dict[tuple[object, ...], set[tuple[object, ...]]] = {}
        self.chosen: set[tuple[object, ...]] | None = None
        self.active: set[tuple[object, ...]] = set()
        self._under_way: list[tuple[object, ...]] = []
        self.circular: set[tuple[object, ...]] = set()
        self._patterns: list[tuple[Rule, str, re.Pattern[str]]] | None = None
        workflow.run_checkpoint = Native("snakemake.checkpoint", self._checkpoint)

    # Targets

    def default_rule(self) -> Rule | None:
        """The rule that runs where the command line names none."""
        for rule in self.workflow.rules:
            if rule.argument("default_target") == Known(True):
                return rule
        rules = self.workflow.rules
        main = self.workflow.files[:1]
        # The rules of included files come first only where the Snakefile itself has none.
        return next((rule for rule in rules if rule.declared in main), rules[0] if rules else None)

    def want(self, word: str) -> None:
        """Make a target: a rule by its name, or a file."""
        rules = [rule for rule in self.workflow.rules if rule.name == word]
        if not rules:
            self.need(normal(word), ())
            return
        for rule in rules:
            if any("{" in self.workflow.encoded(value) for value in self._values(rule, "output")):
                self.machine.opaque(f"the target rule {word} has wildcards")
            else:
                self.visit(rule, {}, ())

    def choose(self, until: Sequence[str], omitted: Sequence[str]) -> set[tuple[object, ...]]:
        """Of the jobs that were worked out those that `--until` and `--omit-from` leave.

        Args:
            until: rules and files whose jobs come last; none stands for no bound.
            omitted: rules and files whose jobs are left out with all that depend on them.
        """
        kept = set(self.jobs)
        if until:
            queue = [key for key in kept if self._is_named(key, until)]
            kept = set()
            while queue:
                key = queue.pop()
                if key not in kept:
                    kept.add(key)
                    queue.extend(self.needs.get(key, ()))
        gone = {key for key in kept if self._is_named(key, omitted)}
        while more := {key for key in kept - gone if self.needs.get(key, set()) & gone}:
            gone |= more
        return kept - gone

    def _is_named(self, key: tuple[object, ...], names: Sequence[str]) -> bool:
        job = self.jobs.get(key)
        return job is not None and (
            job.rule.name in names or any(self.workflow.encoded(value) in names for value in values_of(job.output))
        )

    def used(self) -> list[Job]:
        """The jobs that ran, or may have, and those whose output these took."""
        if self.doubtful:
            return list(self.jobs.values())
        ran = {key for key, did in self._ran.items() if did}
        taken = {other for key in ran for other in self.needs.get(key, ())}
        return [job for key, job in self.jobs.items() if key in ran or key in taken]

    # Rules and files

    def _values(self, rule: Rule, directive: str) -> list[AnyValue]:
        given = rule.entries.get(directive)
        if given is None:
            return []
        values = [*given.pos, *given.kw.values()]
        return [each for value in values for each in flat_values(self.machine, value) if not is_callable(each)]

    def _matchers(self) -> list[tuple[Rule, str, re.Pattern[str]]]:
        if self._patterns is None:
            self._patterns = []
            for rule in self.workflow.rules:
                for name, value in [(n, each) for n in _PRODUCTS for each in self._values(rule, n)]:
                    pattern = normal(self.workflow.encoded(self.workflow.placed(rule, name, value)))
                    expression = wildcard_expression(pattern, self._constraints(rule))
                    if expression is not None:
                        self._patterns.append((rule, pattern, expression))
        return self._patterns

    def _constraints(self, rule: Rule) -> dict[str, str]:
        own = rule.entries.get("wildcard_constraints")
        found = dict(self.workflow.constraints)
        if own is not None:
            found |= {name: text for name, value in own.kw.items() if isinstance(text := text_of(value), str)}
        return found

    def makers(self, file: str) -> list[tuple[Rule, dict[str, str]]]:
        """The rules that may make a file with their wildcards, the likeliest first."""
        best: dict[int, tuple[Rule, dict[str, str]]] = {}
        for rule, _, expression in self._matchers():
            match = expression.fullmatch(file)
            if match is not None:
                values = {name: value for name, value in match.groupdict().items() if value is not None}
                known = best.get(id(rule))
                # Of several outputs of a rule that fit, the one with the shortest wildcards counts.
                if known is None or sum(map(len, values.values())) < sum(map(len, known[1].values())):
                    best[id(rule)] = (rule, values)
        found = list(best.values())
        if len(found) > 1:
            return sorted(found, key=lambda each: (self._rank(each[0], found), bool(each[1])))
        return found

    def _makers_of_many(self, file: str) -> list[tuple[Rule, dict[str, str]]]:
        """The rules that make files whose names are known in part, of which this may be one."""
        found: list[tuple[Rule, dict[str, str]]] = []
        for rule, pattern, _ in self._matchers():
            opened = opened_pattern(pattern)
            expression = wildcard_expression(opened, self._constraints(rule)) if opened != pattern else None
            match = expression.fullmatch(file) if expression is not None else None
            if match is not None:
                named = wildcard_names(pattern)
                found.append((rule, {name: value for name, value in match.groupdict().items() if name in named}))
        return found

    def _rank(self, rule: Rule, among: Sequence[tuple[Rule, dict[str, str]]]) -> int:
        """How many of the other rules an order puts before a rule."""
        others = {each.name for each, _ in among}
        before = 0
        for order in self.workflow.order:
            if rule.name in order:
                before += sum(name in others for name in order[: order.index(rule.name)])
        return before

    def need(self, file: str, above: tuple[str, ...], *, lazily: bool = False) -> bool:
        """Make a file if a rule does; whether a job ran for it.

        Args:
            file: its name.
            above: the rules that ask for it.
            lazily: whether it may stay missing as long as what it is made from has not changed.
        """
        if len(file) > PATH_LENGTH:
            self.machine.opaque("snakemake: the names of files grow without end")
            return False
        makers = self.makers(file)
        present = self.machine.exists(self.workflow.decoded(file))
        if len(makers) > 1:
            # Of several the one counts whose own input is there or can be made.
            able = [each for each in makers if self._able(*each, depth=0)]
            makers = able or makers
        if not makers and present is False:
            makers = self._makers_of_many(file)
        if not makers:
            if present is False and not lazily:
                self.machine.opaque(f"snakemake: no rule makes {self.machine_text(file)}")
            return False
        rule, wildcards = makers[0]
        key = (id(rule), *sorted(wildcards.items()))
        if key in self.active and present is not False:
            # What the job needs is what it makes: the file is taken as it is.
            self.circular.add(key)
            return False
        if present is not False and not self._able(rule, wildcards, depth=0):
            return False
        return self.visit(rule, wildcards, above, lazily=lazily)

    def machine_text(self, file: str) -> str:
        """A file name for people."""
        return str(self.workflow.decoded(file))

    def _able(self, rule: Rule, wildcards: dict[str, str], *, depth: int) -> bool:
        """Whether the input of a rule that is plainly written is there, or some rule makes it."""
        if depth > DEPTH // 4:
            return True
        if any(len(value) > PATH_LENGTH for value in wildcards.values()):
            return False
        for value in self._values(rule, "input"):
            if path_text(value) is None:
                continue
            pattern = self.workflow.encoded(self.workflow.placed(rule, "input", value))
            file = normal(apply_wildcards(pattern, wildcards))
            if self.machine.exists(self.workflow.decoded(file)) is not False:
                continue
            makers = [each for each in self.makers(file) if each[0] is not rule]
            if not any(self._able(each, values, depth=depth + 1) for each, values in makers):
                return False
        return True

    # Jobs

    def visit(self, rule: Rule, wildcards: dict[str, str], above: tuple[str, ...], *, lazily: bool = False) -> bool:
        """Run a job after those that it needs; whether it ran."""
        key = (id(rule), *sorted(wildcards.items()))
        if self._under_way:
            self.needs.setdefault(self._under_way[-1], set()).add(key)
        if key in self.jobs and (lazily or key not in self._waiting):
            return self._ran.get(key, False)
        if key in self.active:
            self.blocked = True
            return False
        if len(above) > DEPTH or len(self.jobs) >= JOBS:
            self.machine.opaque(f"snakemake: the job of {rule.name} is not followed")
            return False
        self.active.add(key)
        self._under_way.append(key)
        machine = self.machine
        outer_node, outer_cwd = machine.call_node, machine.cwd
        machine.undecided += rule.conditional
        try:
            frame, place = self.workflow.place_of(rule)
            with machine.within(frame):
                machine.call_node = place
                self._waiting.discard(key)
                self._ran[key] = self._run(rule, wildcards, above, key, lazily=lazily)
                return self._ran[key]
        finally:
            machine.undecided -= rule.conditional
            machine.call_node, machine.cwd = outer_node, outer_cwd
            self.active.discard(key)
            self._under_way.pop()

    def _run(
        self, rule: Rule, wildcards: dict[str, str], above: tuple[str, ...], key: tuple[object, ...], *, lazily: bool
    ) -> bool:
        machine, place = self.machine, self.machine.call_node
        job = Job(rule, wildcards)
        try:
            job.output = self.files(job, "output")
            job.input = self.files(job, "input")
        except AbstractRaise as error:
            machine.note_end(error)
            return False
        needed = [self.workflow.encoded(value) for value in values_of(job.input)]
        forced = self.forced or is_forced(self.workflow, job, self.forcing)
        outputs = values_of(job.output)
        there = bool(outputs) and all(self._is_there(value) for value in outputs)
        waits = not forced and bool(outputs) and (there or lazily) and self.chosen is None
        path = (*above, rule.name)
        fresh = [self.need(normal(file), path, lazily=waits) for file in dict.fromkeys(needed)]
        if key in self.circular:
            return False
        if self.blocked:
            # What the job needs is made from what it makes.
            self.blocked = False
            if not all(map(self._is_there, values_of(job.output))):
                machine.opaque(f"snakemake: the rule {rule.name} needs what it makes itself")
            return False
        machine.call_node = place
        try:
            self._complete(job)
        except AbstractRaise as error:
            machine.note_end(error)
            return False
        left_out = self.chosen is not None and key not in self.chosen
        if self.inspect is not None and key not in self.jobs and not (left_out and any(fresh)):
            self.inspect(job)
        self.jobs[key] = job
        if left_out:
            return False
        undecided = there and not any(fresh) and not forced
        if undecided:
            records = [record_of("metadata", value) for value in outputs]
            current = is_current(machine, self.workflow, job, records)
            if current or (current is None and not job.input):
                # Nothing that it depends on can be newer.
                return False
            undecided = current is None
        elif waits and not there and not any(fresh):
            self._waiting.add(key)
            return False
        machine.undecided += undecided
        try:
            if waits:
                for file in dict.fromkeys(needed):
                    self.need(normal(file), path)
                machine.call_node = place
            self.doubtful = self.doubtful or undecided
            if not undecided:
                self.performed.append(job)
            self.perform(job)
        finally:
            machine.undecided -= undecided
        return not undecided

    def _is_there(self, value: AnyValue) -> bool:
        text = path_text(value)
        return text is not None and self.machine.exists(text) is True

    def files(self, job: Job, directive: str) -> list[Entry]:
        """The files of a directive for one job."""
        given = job.rule.entries.get(directive)
        if given is None:
            return []
        entries: list[Entry] = []
        for value in given.pos:
            entries.extend(self._entry(job, None, value))
        if given.star is not None:
            entries.extend(self._entry(job, None, given.star))
        for name, value in given.kw.items():
            entries.extend(self._entry(job, name, value))
        for entry in entries:
            entry.values = [self._file(job, directive, each) for each in entry.values if each != NONE]
        return entries

    def _entry(self, job: Job, name: str | None, value: AnyValue) -> list[Entry]:
        if isinstance(value, Instance) and value.cls == Ext(UNPACK):
            return self._unpacked(job, value.slots["func"])
        for _ in range(_CALLS):
            if is_callable(value):
                value = self.called(job, value)
        if isinstance(value, Instance) and isinstance(value.cls, ClassV) and name is None:
            # The input or output of another rule keeps its names.
            inner = [Entry(key, [item]) for key, item in value.slots.items() if isinstance(key, str)]
            named = {id(each.values[0]) for each in inner}
            rest = [each for each in flat_values(self.machine, value) if id(each) not in named]
            found = [*(Entry(None, [each]) for each in rest), *inner] if not inner else [Entry(None, rest)]
            value = ListObj("list", values_of(found))
        values = flat_values(self.machine, value)
        several = not (len(values) == 1 and values[0] is value)
        for each in [value for value in values if is_callable(value)]:
            # A list may hold functions too.
            position = values.index(each)
            values[position : position + 1] = flat_values(self.machine, self.called(job, each))
        return [Entry(name, values, several)]

    def _unpacked(self, job: Job, func: AnyValue) -> list[Entry]:
        result = self.called(job, func)
        entries: list[Entry] = []
        for option in options(result):
            if isinstance(option, DictObj):
                for key, item in option.known():
                    name = text_of(key)
                    entries.extend(self._entry(job, name if isinstance(name, str) else None, item))
            else:
                entries.extend(self._entry(job, None, option))
        return entries

    def _file(self, job: Job, directive: str, value: AnyValue) -> AnyValue:
        placed = self.workflow.placed(job.rule, directive, value)
        text = apply_wildcards(self.workflow.encoded(placed), job.wildcards)
        return as_value(self.workflow.decoded(text))

    def called(self, job: Job, func: AnyValue) -> AnyValue:
        """What a function in a rule gives for one job."""
        extra: dict[str, Callable[[], AnyValue]] = {
            "input": lambda: named_list(job.input),
            "output": lambda: named_list(job.output),
            "threads": lambda: job.threads,
            "resources": lambda: named_list(job.resources),
            "attempt": lambda: Known(1),
            "rulename": lambda: Known(job.rule.name),
            "async_run": lambda: NONE,
        }
        parameters = parameters_of(self.machine, func)
        names = [param.name for param in parameters[1:]] if parameters is not None else []
        if isinstance(func, Native) and func.name == ITEM:
            extra["params"] = lambda: named_list(job.params)
            names = list(extra)
        given = {name: extra[name]() for name in names if name in extra}
        wildcards = [job.wildcards_object(self.workflow)] if parameters is None or parameters else []
        return self.machine.call(func, Arguments(wildcards, given))  # type: ignore[no-any-return]

    def _complete(self, job: Job) -> None:
        """Work out what is not a file that others make."""
        job.log = self.files(job, "log")
        job.benchmark = self.files(job, "benchmark")
        threads = job.rule.argument("threads")
        if threads is not None:
            value = self.called(job, threads) if is_callable(threads) else threads
            if isinstance(value, Known) and isinstance(value.value, int) and self.cores is not None:
                value = Known(min(value.value, self.cores))
            job.threads = value
        job.resources = [
            *self._settings(job, "resources"),
            Entry("_cores", [job.threads]),
            Entry("_nodes", [Known(1)]),
        ]
        job.params = self._settings(job, "params")

    def _settings(self, job: Job, directive: str) -> list[Entry]:
        given = job.rule.entries.get(directive)
        if given is None:
            return []
        pairs: list[tuple[str | None, AnyValue]] = [(None, value) for value in given.pos]
        pairs.extend(given.kw.items())
        return [Entry(name, [self._setting(job, value)]) for name, value in pairs]

    def _setting(self, job: Job, value: AnyValue) -> AnyValue:
        if is_callable(value):
            value = self.called(job, value)
        if text_of(value) is not None:
            return as_value(self.workflow.decoded(apply_wildcards(self.workflow.encoded(value), job.wildcards)))
        if isinstance(value, ListObj | TupleV):
            content = self.machine.iterate(value)
            return ListObj("list", [self._setting(job, item) for item in content.items], content.rest)
        return value

    # Checkpoints

    def _checkpoint(self, _: Machine, args: Arguments) -> AnyValue:
        """`checkpoints.name.get(...)`: its job has run when what depends on it is worked out."""
        name = text_of(args.pos[0])
        rule = next((each for each in self.workflow.rules if each.name == name), None)
        if rule is None:
            return UNKNOWN
        wildcards = {key: self.workflow.encoded(value) for key, value in args.kw.items()}
        names = {
            part for value in self._values(rule, "output") for part in wildcard_names(self.workflow.encoded(value))
        }
        wildcards = {key: value for key, value in wildcards.items() if key in names}
        self.visit(rule, wildcards, ())
        job = self.jobs.get((id(rule), *sorted(wildcards.items()))) or Job(rule, wildcards)
        made = Instance(Ext("snakemake.checkpoints.Checkpoint"))
        made.slots.update({"output": named_list(job.output), "input": named_list(job.input), "rule": Known(rule.name)})
        return made


__all__ = ["Scheduler", "normal"]
