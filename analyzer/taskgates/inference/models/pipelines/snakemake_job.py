"""One use of a rule of a workflow: its wildcards, files and parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from taskgates.inference.models.pipelines.snakemake_objects import Entry, named_list, wildcards_object
from taskgates.inference.values import AnyValue, Known, as_value

if TYPE_CHECKING:
    from taskgates.inference.models.pipelines.snakemake_rules import Rule
    from taskgates.inference.models.pipelines.snakemake_workflow import Workflow
    from taskgates.inference.objects import Instance


@dataclass
class Job:
    """One use of a rule.

    Attributes:
        rule: the rule.
        wildcards: plain strings by name.
        input: its files, by name and in order.
        output: likewise.
        params: values.
        log: likewise.
        threads: how many it may use.
        resources: values.
    """

    rule: Rule
    wildcards: dict[str, str]
    input: list[Entry] = field(default_factory=list)
    output: list[Entry] = field(default_factory=list)
    params: list[Entry] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)
    benchmark: list[Entry] = field(default_factory=list)
    threads: AnyValue = field(default_factory=lambda: Known(1))
    resources: list[Entry] = field(default_factory=list)

    def names(self, workflow: Workflow) -> dict[str, AnyValue]:
        """What commands, functions and scripts of the job may speak of."""
        return {
            "input": named_list(self.input),
            "output": named_list(self.output),
            "params": named_list(self.params),
            "wildcards": self.wildcards_object(workflow),
            "log": named_list(self.log),
            "threads": self.threads,
            "resources": named_list(self.resources),
            "rule": Known(self.rule.name),
            "jobid": Known(0),
        }

    def wildcards_object(self, workflow: Workflow) -> Instance:
        """The object `wildcards`."""
        return wildcards_object({name: as_value(workflow.decoded(text)) for name, text in self.wildcards.items()})


__all__ = ["Job"]
