"""The whole way from a folder to findings: manifests, inference, gates, rules."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taskgates.config import load_config
from taskgates.manifests import load_tasks
from taskgates.model.access import AccessSet
from taskgates.model.finding import Finding, Severity
from taskgates.model.task import Task
from taskgates.scan.baseline import Baseline
from taskgates.scan.fingerprint import with_fingerprints
from taskgates.scan.inference_run import InferenceSetup, InternalError, Progress, infer_all, internal_error, silent
from taskgates.scan.project import Project
from taskgates.scan.registry import RuleRegistry, load_registry
from taskgates.scan.rule import Rule
from taskgates.tree.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.config import Config


class Summary(msgspec.Struct, frozen=True):
    """The counts of a scan.

    Attributes:
        tasks: tasks that findings are about.
        errors: findings of that severity.
        warnings: the same.
        notes: the same.
        accepted: findings that the baseline accepts, counted nowhere else.
    """

    tasks: int
    errors: int
    warnings: int
    notes: int
    accepted: int = 0


class ScanResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan found.

    Attributes:
        root: the folder that was scanned.
        tasks: the tasks that findings are about, in the order of the manifests.
        access_sets: what each task's code does, by task id; tasks without code are absent.
        findings: sorted by place, with fingerprints; those that the baseline accepts are left out.
        accepted: those that the baseline accepts.
        rules: the rules that ran.
        internal_errors: bugs on the way.
        left_out: tasks that were not looked at because they are finished, absorbed or broken down.
    """

    root: Path
    tasks: tuple[Task, ...]
    access_sets: Mapping[str, AccessSet]
    findings: tuple[Finding, ...]
    accepted: tuple[Finding, ...] = ()
    rules: tuple[Rule, ...] = ()
    internal_errors: tuple[InternalError, ...] = ()
    left_out: int = 0

    @property
    def summary(self) -> Summary:
        """The counts."""
        counts = dict.fromkeys(Severity, 0)
        for finding in self.findings:
            counts[finding.severity] += 1
        return Summary(
            tasks=len(self.tasks),
            errors=counts[Severity.ERROR],
            warnings=counts[Severity.WARNING],
            notes=counts[Severity.NOTE],
            accepted=len(self.accepted),
        )

    def at_or_above(self, threshold: Severity) -> tuple[Finding, ...]:
        """The findings that are at least as grave as the threshold."""
        return tuple(finding for finding in self.findings if finding.severity.rank <= threshold.rank)


def scan(
    root: Path | str | None = None,
    config: Config | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    baseline: Baseline | None = None,
    registry: RuleRegistry | None = None,
    use_cache: bool = True,
    jobs: int = 1,
    progress: Progress | None = None,
) -> ScanResult:
    """Scan a repository.

    Args:
        root: its folder; the working directory when None.
        config: the settings, with the choice of rules; those of the repository and the environment when None.
        environ: environment variables that the code may be taken to see; none by default.
        baseline: findings that are accepted.
        registry: the rules; all installed ones when None.
        use_cache: whether results of earlier scans are used and kept under `.taskgates/cache`.
        jobs: processes that follow the code.
        progress: told how far the scan is.

    Raises:
        ConfigError: the settings of the repository cannot be used.
        RuleError: the settings name a rule that does not exist, or rules cannot be loaded.
    """
    place = Path() if root is None else Path(root)
    if config is None:
        config = load_config(place, environ=os.environ)
    show = progress or silent
    registry = registry if registry is not None else load_registry()
    rules = registry.choose(config.scan.select, config.scan.ignore)
    severities = severities_of(registry, config.scan.severity)
    tree = Tree(place, config.scan.exclude)
    show("Reading manifests", 0, 0)
    loaded = load_tasks(tree)
    candidates = [task for task in loaded.tasks if config.scan.include_finished or task.status.may_run]
    setup = InferenceSetup(place, config, environ or {}, use_cache)
    inferred = infer_all(setup, candidates, show, jobs=jobs)
    project = Project(
        loaded.tasks,
        inferred.access_sets,
        tree=tree,
        config=config,
        problems=(*loaded.problems, *inferred.problems),
        include_finished=config.scan.include_finished,
    )
    findings, rule_errors = check_rules(project, rules, severities=severities, progress=show)
    new, accepted = split_accepted(findings, baseline or Baseline())
    return ScanResult(
        root=tree.root,
        tasks=project.tasks,
        access_sets=project.access_sets,
        findings=tuple(new),
        accepted=tuple(accepted),
        rules=rules,
        internal_errors=(*inferred.errors, *rule_errors),
        left_out=len(project.all_tasks) - len(project.tasks),
    )


def severities_of(registry: RuleRegistry, chosen: Mapping[str, Severity]) -> dict[str, Severity]:
    """Severity by rule id, from a table that may name rules by id, prefix or name; the longer entry wins.

    Raises:
        RuleError: an entry stands for no rule.
    """
    out: dict[str, Severity] = {}
    for key in sorted(chosen, key=len):
        for rule in registry.matching(key):
            out[rule.id] = chosen[key]
    return out


def check_rules(
    project: Project,
    rules: Iterable[Rule],
    *,
    severities: Mapping[str, Severity] | None = None,
    progress: Progress | None = None,
) -> tuple[list[Finding], list[InternalError]]:
    """Run rules over a project.

    Args:
        project: what the rules look at.
        rules: the rules to run.
        severities: severity by rule id, in place of the rule's own.
        progress: told how far it is.

    Returns:
        The findings with fingerprints, sorted by place, and the bugs of rules that raised; their findings up to then
        count.
    """
    listed = list(rules)
    found: list[Finding] = []
    errors: list[InternalError] = []
    for done, rule in enumerate(listed):
        if progress is not None:
            progress("Checking rules", done, len(listed))
        override = (severities or {}).get(rule.id)
        try:
            for finding in rule.check(project):
                found.append(  # noqa: PERF401 - what a rule yields before it raises must be kept
                    finding if override is None else msgspec.structs.replace(finding, severity=override)
                )
        except Exception as error:  # noqa: BLE001 - a broken rule must not take the others along
            errors.append(internal_error(f"rule {rule.id} ({rule.name})", error))
    found.sort(key=lambda each: (each.span, each.rule, each.tasks, each.path or "", each.message))
    return with_fingerprints(found), errors


def split_accepted(findings: Iterable[Finding], baseline: Baseline) -> tuple[list[Finding], list[Finding]]:
    """The findings that are new, and those that the baseline accepts."""
    known = baseline.fingerprints
    new: list[Finding] = []
    accepted: list[Finding] = []
    for finding in findings:
        (accepted if finding.fingerprint in known else new).append(finding)
    return new, accepted
