"""The settings in force, and what can be wrong with the places that set them."""

from __future__ import annotations

import msgspec

from taskgates.model.finding import Severity
from taskgates.model.spans import SourceSpan


class GateLimits(msgspec.Struct, frozen=True):
    """What the gates hold a group of tasks against, and how it is run.

    Attributes:
        max_parallel_tasks: tasks that may run at once.
        max_context_complexity: sum of difficulties that a group may have.
        lock_timeout: seconds to wait for a file lock.
        retry_delays: seconds between the attempts to get a lock.
        conflict_resolution: what happens to a group whose tasks conflict: `sequential` runs them one after another,
            `refuse` does not run them.
        enable_monitoring: whether a run is watched and logged.
        checkpoint_frequency: tasks between two checkpoints; 0 for none.
        max_cpu_percent: load of the host above which no further task starts.
        max_memory_percent: use of memory above which no further task starts.
        refuse_overload: whether a group is refused where the host's load is above these two; otherwise that is only
            reported.
    """

    max_parallel_tasks: int = 5
    max_context_complexity: float = 30
    lock_timeout: float = 30.0
    retry_delays: tuple[float, ...] = (0.1, 0.5, 1.0, 2.0)
    conflict_resolution: str = "sequential"
    enable_monitoring: bool = True
    checkpoint_frequency: int = 1
    max_cpu_percent: float = 80.0
    max_memory_percent: float = 70.0
    refuse_overload: bool = False


class InferenceBudgets(msgspec.Struct, frozen=True):
    """The bounds of the analysis of one entry; what a bound cuts is reported as opaque.

    Attributes:
        steps: statements and expressions evaluated.
        depth: nested calls.
        set_size: values that one name may have before they are generalised: strings to what they have in common,
            functions and objects to an unknown value, whose use is reported as opaque.
        unroll: rounds of a loop over known elements that are run one by one.
        seconds: wall-clock time; 0 for no such bound, since with one the results depend on the machine.
    """

    steps: int = 300_000
    depth: int = 80
    set_size: int = 16
    unroll: int = 300
    seconds: float = 0.0


class ScanOptions(msgspec.Struct, frozen=True):
    """Which findings count.

    Attributes:
        select: ids or names of rules to run, or prefixes of ids (`TG1`), or `ALL`; empty for the default set.
        ignore: the same, to leave out; the longer prefix wins over the shorter.
        severity: severities by rule id or name that replace the rules' own.
        exclude: patterns, as in a `.gitignore` at the root, of files that are not looked at.
        fail_on: the least severity that makes the exit code 1; None for never.
        include_finished: whether finished, absorbed and broken-down tasks are looked at too.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: dict[str, Severity] = {}
    exclude: tuple[str, ...] = ()
    fail_on: Severity | None = Severity.ERROR
    include_finished: bool = False


class Origin(msgspec.Struct, frozen=True):
    """Where a value was set.

    Attributes:
        source: `default`, `file`, `variable` or `option`.
        name: the variable's or option's name, or the key as spelled in the file.
        span: the place in the file.
    """

    source: str = "default"
    name: str = ""
    span: SourceSpan | None = None

    def __str__(self) -> str:
        if self.span is not None:
            return f"{self.span.file}:{self.span.line}"
        prefix = {"variable": "environment variable ", "option": "option "}.get(self.source)
        return self.source if prefix is None else prefix + self.name


class Config(msgspec.Struct, frozen=True):
    """Every setting. `Config()` holds the defaults.

    Attributes:
        gates: limits of the gates and of a run.
        inference: bounds of the analysis.
        scan: choice of rules and findings.
        effects: TOML files, or folders of them, with further effects of library calls; relative to the root or
            absolute.
        follow: installed packages whose source is analysed as the project's own.
        python: interpreter or environment whose packages the code would use; None to look for one.
        log_level: least level of log lines on standard error.
        origins: where each value comes from, by dotted name (`gates.lock_timeout`); defaults are not listed.
    """

    gates: GateLimits = GateLimits()
    inference: InferenceBudgets = InferenceBudgets()
    scan: ScanOptions = ScanOptions()
    effects: tuple[str, ...] = ()
    follow: tuple[str, ...] = ()
    python: str | None = None
    log_level: str = "WARNING"
    origins: dict[str, Origin] = {}

    def origin(self, name: str) -> Origin:
        """Where the value of a setting comes from."""
        return self.origins.get(name, Origin())

    def value(self, name: str) -> object:
        """The value of a setting by its dotted name."""
        found: object = self
        for part in name.split("."):
            found = getattr(found, part)
        return found


class ConfigProblem(msgspec.Struct, frozen=True):
    """One thing that is wrong with a configuration.

    Attributes:
        message: what is wrong and what would be right, without the place.
        origin: the place.
    """

    message: str
    origin: Origin

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used.

    Attributes:
        problems: everything that is wrong, in the order of the places read.
    """

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
