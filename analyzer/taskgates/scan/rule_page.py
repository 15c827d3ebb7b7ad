"""A rule's documentation as a page: what `taskgates rule` prints and what the manual shows, from one source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgates.scan.rule import Example, Rule
    from taskgates.tree.lock_records import LockHolder

_LANGUAGES = {
    "json": "json",
    "py": "python",
    "toml": "toml",
    "yaml": "yaml",
    "yml": "yaml",
    "sh": "sh",
    "md": "markdown",
}


def rule_page(rule: Rule, *, brief: bool = False) -> str:
    """The page of one rule as Markdown: attributes, documentation, examples; the first example alone when brief."""
    sections = rule.sections()
    enabled = "on" if rule.enabled else "off"
    parts = [
        f"# {rule.id} {rule.name}",
        sections.summary,
        f"Severity: **{rule.severity.value}**. Precision: **{rule.precision.value}**. By default: **{enabled}**.",
    ]
    for title, body in (
        ("What it is", sections.what),
        ("Why it matters", sections.why),
        ("How to fix it", sections.fix),
    ):
        if body:
            parts += [f"## {title}", body]
    parts += _examples("Reported", rule.positive[:1] if brief else rule.positive)
    parts += _examples("Not reported", () if brief else rule.negative)
    return "\n\n".join(parts) + "\n"


def rule_index(rules: Iterable[Rule], link: str = "{id}.md") -> str:
    """The table of all rules as Markdown; `link` is the address of a rule's page with `{id}` in its place."""
    lines = ["| Rule | Name | Severity | By default | What it reports |", "|---|---|---|---|---|"]
    lines += [
        f"| [{rule.id}]({link.format(id=rule.id)}) | {rule.name} | {rule.severity.value} | "
        f"{'on' if rule.enabled else 'off'} | {rule.sections().summary} |"
        for rule in rules
    ]
    return "\n".join(lines) + "\n"


def _examples(title: str, examples: Iterable[Example]) -> list[str]:
    listed = list(examples)
    if not listed:
        return []
    parts = [f"## {title}"]
    for example in listed:
        note = " Finished tasks are included." if example.include_finished else ""
        parts.append(f"{example.title}{note}")
        parts += [_file(path, text) for path, text in example.files.items()]
        parts += [f"Meanwhile {_lock(holder)}." for holder in example.locks]
    return parts


def _lock(holder: LockHolder) -> str:
    state = "has ended without giving it back" if holder.stale else "is alive"
    return f"task {holder.task} holds `{holder.path}` ({holder.mode}), and its process {state}"


def _file(path: str, text: str) -> str:
    if not text.strip():
        return f"`{path}` (empty)"
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
    language = _LANGUAGES.get(path.rpartition(".")[2], "text")
    return f"`{path}`\n\n{fence}{language}\n{text.rstrip()}\n{fence}"
