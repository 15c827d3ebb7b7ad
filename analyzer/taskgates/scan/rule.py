"""What a rule is.

A rule is one small class: its attributes say what it is called and how much it weighs, its docstring is its
documentation, its examples are its tests, and `check` yields the findings. Rules hold no state and print nothing.
"""

from __future__ import annotations

import inspect
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

import msgspec

from taskgates.gates.host import HostMeasurement
from taskgates.model.access import AccessSet
from taskgates.model.finding import Finding, Related, Severity
from taskgates.model.spans import Site, SourceSpan
from taskgates.tree.lock_records import LockHolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from taskgates.scan.project import Project


class Precision(StrEnum):
    """How often a finding of the rule is right, in the words of code scanning."""

    VERY_HIGH = "very-high"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Example(msgspec.Struct, frozen=True):
    """A small task repository that shows what a rule reports or leaves alone.

    Attributes:
        title: what the example shows, one line.
        files: path relative to the root to text.
        access: access sets by task id, for what no source code can produce; empty where the code speaks for itself.
        include_finished: whether finished tasks are looked at too.
        host: the state of the machine, for rules that look at it; None where it does not matter.
        locks: the file locks that are held, for rules that look at them.
    """

    title: str
    files: Mapping[str, str]
    access: Mapping[str, AccessSet] = {}
    include_finished: bool = False
    host: HostMeasurement | None = None
    locks: tuple[LockHolder, ...] = ()


def native_task(task_id: str, **fields: object) -> str:
    """The text of a task file in the native format, for examples: pending, of difficulty 3 unless `fields` differ."""
    document = {"id": task_id, "status": "Pending", "difficulty": 3, **fields}
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items())
    return f"{{\n{lines}\n}}\n"


class Sections(msgspec.Struct, frozen=True):
    """A rule's docstring, taken apart.

    Attributes:
        summary: the first line.
        what: what the rule reports.
        why: why it matters.
        fix: how to fix it.
    """

    summary: str
    what: str
    why: str
    fix: str

    def markdown(self, level: int = 2) -> str:
        """The whole documentation as Markdown, without examples; section titles have `level` hashes."""
        sections = (("What it is", self.what), ("Why it matters", self.why), ("How to fix it", self.fix))
        titled = [f"{'#' * level} {title}\n\n{body}" for title, body in sections if body]
        return "\n\n".join([self.summary, *titled])


class Rule(ABC):
    """Base class of all rules; subclasses set the attributes and implement `check`.

    The docstring of a subclass has one summary line and the sections `What it is:`, `Why it matters:` and
    `How to fix it:`, each indented below its title.

    Attributes:
        id: `TG` and three digits for the rules shipped here; others pick a prefix of their own.
        name: the rule's name in kebab case.
        severity: the weight of a finding unless the rule or the configuration says otherwise.
        precision: how often a finding is right.
        enabled: whether the rule runs when nothing is selected.
        positive: examples with at least one finding of this rule.
        negative: examples with none.
    """

    id: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    precision: ClassVar[Precision]
    enabled: ClassVar[bool] = True
    positive: ClassVar[tuple[Example, ...]] = ()
    negative: ClassVar[tuple[Example, ...]] = ()

    @abstractmethod
    def check(self, project: Project) -> Iterator[Finding]:
        """Yield every finding of this rule in the project, in any order, without fingerprints."""

    @classmethod
    def sections(cls) -> Sections:
        """The docstring, taken apart into its sections."""
        return _parse_sections(inspect.getdoc(cls) or "")

    @property
    def documentation(self) -> str:
        """The docstring as Markdown: the summary, then the sections under titles."""
        return self.sections().markdown()

    def finding(
        self,
        message: str,
        span: SourceSpan,
        *,
        tasks: Iterable[str] = (),
        path: str | None = None,
        severity: Severity | None = None,
        related: Iterable[Related] = (),
        flow: Iterable[Related] = (),
        key: Iterable[str] = (),
        fixable: bool = False,
    ) -> Finding:
        """Build a finding of this rule.

        Args:
            message: one sentence; `[text](n)` links the n-th related place.
            span: where to annotate.
            tasks: the tasks concerned.
            path: the file or pattern concerned.
            severity: where it departs from the rule's own.
            related: further places.
            flow: the call chain that leads to `span`.
            key: what else identifies the finding when lines move, such as the function around the access.
            fixable: whether the declaration can be rewritten automatically.
        """
        return Finding(
            rule=self.id,
            severity=severity or self.severity,
            message=message,
            span=span,
            tasks=tuple(tasks),
            path=path,
            related=tuple(related),
            flow=tuple(flow),
            key=tuple(key),
            fixable=fixable,
        )


def call_flow(site: Site) -> tuple[Related, ...]:
    """The call chain behind a site as places, outermost first, ending at the site itself; empty without a chain.

    Steps that are in no file, such as the command that starts the program, are left out.
    """
    steps = [
        Related(f"called from {frame.function}", SourceSpan(frame.file, frame.line, 1, frame.line, 1))
        for frame in site.via
        if frame.file and not frame.file.startswith("<")
    ]
    return (*steps, Related(site.call, site.span)) if steps else ()


def without_numbers(text: str) -> str:
    """A text as part of a finding's key: line numbers in it, like all numbers, must not count."""
    return re.sub(r"\d+", "#", text)


_SECTIONS = {"what it is": "what", "why it matters": "why", "how to fix it": "fix"}


def _parse_sections(text: str) -> Sections:
    summary, _, rest = text.strip().partition("\n")
    bodies: dict[str, list[str]] = {name: [] for name in _SECTIONS.values()}
    current = "what"
    for line in rest.splitlines():
        title = line.rstrip(":").lower()
        if line.endswith(":") and title in _SECTIONS:
            current = _SECTIONS[title]
        else:
            bodies[current].append(line)
    joined = {name: inspect.cleandoc("\n" + "\n".join(lines)).strip() for name, lines in bodies.items()}
    return Sections(summary=re.sub(r"\s+", " ", summary).strip(), **joined)
